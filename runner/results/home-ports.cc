// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/home-ports.h"

#include "runner/scenario/addresses.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

HomePorts::HomePorts(const Scenario& scenario)
{
    for (const Host& host : scenario.hosts)
    {
        const auto add = [&](const Nic& nic, const std::string& port) {
            m_homes[ToDotted(nic.address.address)].emplace_back(
                host.name,
                host.FindVSwitchOf(nic.portGroup)->name,
                port);
        };
        for (const Vmknic& vmknic : host.vmknics)
        {
            add(vmknic, vmknic.name);
        }
        for (const Vm& vm : host.vms)
        {
            for (std::size_t i = 0; i < vm.nics.size(); ++i)
            {
                add(vm.nics[i], fmt::format("{}.eth{}", vm.name, i));
            }
        }
    }
}

void
HomePorts::Saw(std::string_view source, const ExporterPort& port)
{
    if (IsHome(source, port))
    {
        m_seenAtHome.emplace(source);
    }
}

bool
HomePorts::Counts(std::string_view source, const ExporterPort& port) const
{
    return m_seenAtHome.find(source) == m_seenAtHome.end() || IsHome(source, port);
}

bool
HomePorts::IsHome(std::string_view address, const ExporterPort& port) const
{
    const auto homes = m_homes.find(address);
    return homes != m_homes.end() &&
           std::any_of(homes->second.begin(), homes->second.end(), [&port](const Home& home) {
               const auto& [exporter, vSwitch, name] = home;
               return exporter == port.exporter && vSwitch == port.vSwitch &&
                      (port.port.empty() || name == port.port);
           });
}

} // namespace esxnf
