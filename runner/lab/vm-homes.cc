// SPDX-License-Identifier: GPL-2.0-only
#include "runner/lab/vm-homes.h"

#include <algorithm>

namespace esxnf
{

namespace
{

uint16_t
VlanOf(const VSwitch& vSwitch, const std::string& name)
{
    const auto group = std::find_if(vSwitch.portGroups.begin(),
                                    vSwitch.portGroups.end(),
                                    [&](const PortGroup& other) { return other.name == name; });
    return group->vlan;
}

} // namespace

VmHomes::VmHomes(const Scenario& scenario)
{
    for (const Host& host : scenario.hosts)
    {
        for (const Vm& vm : host.vms)
        {
            m_homes[vm.name] = {&host, &vm};
        }
    }
}

VmHome
VmHomes::Of(const std::string& name) const
{
    const auto home = m_homes.find(name);
    return home == m_homes.end() ? VmHome{} : home->second;
}

VmHomes::Meeting
VmHomes::Meet(const VmHome& a, const VmHome& b)
{
    Meeting meeting;
    if (!a.vm || !b.vm)
    {
        return meeting;
    }
    for (const Nic& mine : a.vm->nics)
    {
        for (const Nic& theirs : b.vm->nics)
        {
            const VSwitch* const one = a.host->FindVSwitchOf(mine.portGroup);
            const bool meet = mine.address.SharesNetworkWith(theirs.address.address);
            const bool within = meet && one && a.host == b.host &&
                                one == b.host->FindVSwitchOf(theirs.portGroup) &&
                                VlanOf(*one, mine.portGroup) == VlanOf(*one, theirs.portGroup);
            if (within || (meet && !meeting.a))
            {
                meeting = {&mine, &theirs, within};
            }
            if (within)
            {
                return meeting;
            }
        }
    }
    return meeting;
}

bool
VmHomes::AreNeighbours(const VmHome& a, const VmHome& b)
{
    return Meet(a, b).isWithinVSwitch;
}

} // namespace esxnf
