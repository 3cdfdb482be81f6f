// SPDX-License-Identifier: GPL-2.0-only
#include "esx-team.h"

#include "esx-shaper.h"
#include "esx-virtual-net-device.h"
#include "esx-vlan-header.h"

#include <algorithm>
#include <iterator>

namespace ns3
{

namespace
{

uint8_t
LastOctet(const Mac48Address& address)
{
    uint8_t octets[6];
    address.CopyTo(octets);
    return octets[5];
}

/// Source and destination address XOR each other. A frame that is not IPv4 is hashed by whatever is
/// at those places (documented); what it is too short for counts as 0.
uint32_t
HashAddresses(const EsxFrame& frame)
{
    constexpr uint32_t SOURCE = 12; // offsets in an IPv4 header
    constexpr uint32_t DESTINATION = 16;
    const uint32_t tag = frame.protocol == ESX_TPID ? EsxVlanHeader::OCTETS : 0;
    uint8_t octets[EsxVlanHeader::OCTETS + 20] = {};
    frame.packet->CopyData(octets, tag + 20);
    uint32_t hash = 0;
    for (uint32_t i = 0; i < 4; ++i)
    {
        hash = hash << 8 | (octets[tag + SOURCE + i] ^ octets[tag + DESTINATION + i]);
    }
    return hash;
}

/// \return those uplinks that have the names, in the order of the names
std::vector<EsxPort*>
Named(const std::vector<EsxPort*>& uplinks, const std::vector<std::string>& names)
{
    std::vector<EsxPort*> named;
    for (const std::string& name : names)
    {
        std::copy_if(uplinks.begin(), uplinks.end(), std::back_inserter(named), [&](EsxPort* port) {
            return port->GetName() == name;
        });
    }
    return named;
}

} // namespace

void
EsxTeam::Renew(const EsxPortPolicy& policy, const std::vector<EsxPort*>& uplinks)
{
    m_teaming = policy.GetTeaming();
    m_failback = policy.HasFailback();
    m_standby = Named(uplinks, policy.GetStandbyUplinks());
    m_active = Named(uplinks, policy.GetActiveUplinks());
    if (policy.GetActiveUplinks().empty())
    {
        std::copy_if(uplinks.begin(),
                     uplinks.end(),
                     std::back_inserter(m_active),
                     [&](EsxPort* of) {
                         return std::find(m_standby.begin(), m_standby.end(), of) ==
                                m_standby.end();
                     });
    }
    m_live.clear();
    for (bool usableAgain : {m_failback, true})
    {
        const bool none = m_live.empty();
        std::copy_if(m_active.begin(),
                     m_active.end(),
                     std::back_inserter(m_live),
                     [none, usableAgain](const EsxPort* uplink) {
                         return none && IsUsable(*uplink, usableAgain);
                     });
    }
    EsxPort* const standby = m_live.empty() ? Pick(0) : nullptr;
    if (standby)
    {
        m_live.push_back(standby);
    }
}

bool
EsxTeam::IsHashed() const
{
    return m_teaming == EsxPortPolicy::IP_HASH || m_teaming == EsxPortPolicy::MAC_HASH;
}

EsxPort*
EsxTeam::ChooseFor(const EsxPort& port) const
{
    // IP hash: any will do for what has no input frame, a notification
    return Pick(m_teaming == EsxPortPolicy::PORT_ID    ? port.GetLocalId()
                : m_teaming == EsxPortPolicy::MAC_HASH ? LastOctet(port.GetDevice()->GetMac())
                                                       : 0);
}

EsxPort*
EsxTeam::ChooseFor(const EsxFrame& frame) const
{
    if (m_teaming == EsxPortPolicy::MAC_HASH)
    {
        return Pick(LastOctet(frame.source));
    }
    return m_live.empty() ? nullptr : m_live[HashAddresses(frame) % m_live.size()];
}

uint64_t
EsxTeam::GetUnicastFrom() const
{
    uint64_t bits = 0;
    for (const EsxPort* uplink : m_active)
    {
        bits |= uplink->m_bit;
    }
    for (const EsxPort* uplink : m_standby)
    {
        bits |= m_teaming == EsxPortPolicy::IP_HASH ? 0 : uplink->m_bit;
    }
    return bits;
}

uint64_t
EsxTeam::GetGroupFrom(const EsxPort* chosen) const
{
    return m_teaming == EsxPortPolicy::IP_HASH ? GetUnicastFrom() : chosen ? chosen->m_bit : 0;
}

bool
EsxTeam::IsUsable(const EsxPort& uplink, bool failback)
{
    return uplink.m_linkWasUp && (failback || !uplink.m_failed);
}

/// The preferred active uplink, or the next one in order that can be used, or a standby one.
EsxPort*
EsxTeam::Pick(std::size_t preferred) const
{
    const std::size_t actives = m_active.size();
    for (bool usableAgain : {m_failback, true})
    {
        for (std::size_t i = 0; i < actives; ++i)
        {
            EsxPort* uplink = m_active[(preferred + i) % actives];
            if (IsUsable(*uplink, usableAgain))
            {
                return uplink;
            }
        }
        for (EsxPort* uplink : m_standby)
        {
            if (IsUsable(*uplink, usableAgain))
            {
                return uplink;
            }
        }
    }
    return nullptr;
}

} // namespace ns3
