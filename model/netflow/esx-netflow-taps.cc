// SPDX-License-Identifier: GPL-2.0-only
#include "model/netflow/esx-netflow-taps.h"

#include <algorithm>

namespace ns3
{

uint64_t
EsxNetflowTaps::Tapped::GetAccepted() const
{
    return vSwitch->GetTotals().framesAccepted - acceptedBefore;
}

void
EsxNetflowTaps::Add(const Ptr<EsxVSwitch>& vSwitch, EsxSwitchTap* tap)
{
    vSwitch->SetTap(tap);
    m_tapped.push_back({vSwitch, vSwitch->GetTotals().framesAccepted});
}

void
EsxNetflowTaps::RemoveAll()
{
    for (const Tapped& tapped : m_tapped)
    {
        m_acceptedByFormer += tapped.GetAccepted();
        tapped.vSwitch->SetTap(nullptr);
    }
    m_tapped.clear();
}

void
EsxNetflowTaps::Forget(const EsxVSwitch& vSwitch)
{
    const auto found = std::find_if(m_tapped.begin(), m_tapped.end(), [&](const Tapped& tapped) {
        return PeekPointer(tapped.vSwitch) == &vSwitch;
    });
    if (found != m_tapped.end())
    {
        m_acceptedByFormer += found->GetAccepted();
        m_tapped.erase(found);
    }
}

std::vector<Ptr<EsxVSwitch>>
EsxNetflowTaps::GetVSwitches() const
{
    std::vector<Ptr<EsxVSwitch>> vSwitches;
    for (const Tapped& tapped : m_tapped)
    {
        vSwitches.push_back(tapped.vSwitch);
    }
    return vSwitches;
}

uint64_t
EsxNetflowTaps::GetAccepted() const
{
    uint64_t accepted = m_acceptedByFormer;
    for (const Tapped& tapped : m_tapped)
    {
        accepted += tapped.GetAccepted();
    }
    return accepted;
}

} // namespace ns3
