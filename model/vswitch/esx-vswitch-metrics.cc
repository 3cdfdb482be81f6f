// SPDX-License-Identifier: GPL-2.0-only
#include "model/vswitch/esx-vswitch-metrics.h"

#include "ns3/uinteger.h"

#include <utility>

namespace ns3
{

namespace
{

const std::string DROPPED = "vswitch.frames.dropped";

using Counter = uint64_t EsxPortCounters::*;

const std::vector<std::pair<std::string, Counter>>&
Counters()
{
    static const std::vector<std::pair<std::string, Counter>> COUNTERS = {
        {"vswitch.frames.in", &EsxPortCounters::framesIn},
        {"vswitch.octets.in", &EsxPortCounters::octetsIn},
        {"vswitch.frames.accepted", &EsxPortCounters::framesAccepted},
        {"vswitch.octets.accepted", &EsxPortCounters::octetsAccepted},
        {"vswitch.frames.out", &EsxPortCounters::framesOut},
        {"vswitch.octets.out", &EsxPortCounters::octetsOut},
    };
    return COUNTERS;
}

double
Read(const EsxPortCounters& totals, const std::string& name, const std::string& cause)
{
    double sum = 0;
    for (const auto& [known, counter] : Counters())
    {
        sum += known == name ? static_cast<double>(totals.*counter) : 0;
    }
    for (std::size_t i = 0; name == DROPPED && i < ESX_DROP_CAUSES; ++i)
    {
        const bool wanted =
            cause.empty() || cause == EsxDropCauseName(static_cast<EsxDropCause>(i));
        sum += wanted ? static_cast<double>(totals.drops[i]) : 0;
    }
    return sum;
}

/// Deleted ones included.
std::vector<Ptr<EsxVSwitch>>
AllMade(const EsxHost& host)
{
    UintegerValue base;
    host.GetAttribute("PortsetBase", base);
    std::vector<Ptr<EsxVSwitch>> all;
    auto id = static_cast<uint16_t>(base.Get());
    while (const Ptr<EsxVSwitch> made = host.GetVSwitchById(id++))
    {
        all.push_back(made);
    }
    return all;
}

} // namespace

std::vector<std::string>
EsxVSwitchMetricNames()
{
    std::vector<std::string> names;
    for (const auto& [name, counter] : Counters())
    {
        names.push_back(name);
    }
    names.push_back(DROPPED);
    return names;
}

std::vector<std::string>
EsxVSwitchMetricCauses(const std::string& name)
{
    std::vector<std::string> causes;
    for (std::size_t i = 0; name == DROPPED && i < ESX_DROP_CAUSES; ++i)
    {
        causes.emplace_back(EsxDropCauseName(static_cast<EsxDropCause>(i)));
    }
    return causes;
}

double
EsxReadVSwitchMetric(const EsxHost& host,
                     const std::string& name,
                     const std::string& cause,
                     const std::string& vSwitch)
{
    double sum = 0;
    for (const Ptr<EsxVSwitch>& made : AllMade(host))
    {
        if (vSwitch.empty() || made->GetName() == vSwitch)
        {
            sum += Read(made->GetTotals(), name, cause);
        }
    }
    return sum;
}

std::vector<std::string>
EsxVSwitchesMade(const EsxHost& host)
{
    std::vector<std::string> names;
    for (const Ptr<EsxVSwitch>& made : AllMade(host))
    {
        names.push_back(made->GetName());
    }
    return names;
}

} // namespace ns3
