// SPDX-License-Identifier: GPL-2.0-only
// What the policies of EsxVSwitch come to for each port: flags, teams, shapers and listeners are
// worked out here when something changes, so that esx-vswitch-forwarding.cc has little to ask.
#include "esx-shaper.h"
#include "esx-uplink.h"
#include "esx-virtual-net-device.h"
#include "esx-vlan-header.h"
#include "esx-vswitch.h"

#include "ns3/abort.h"
#include "ns3/esx-host.h"
#include "ns3/esx-suggestion.h"
#include "ns3/log.h"

#include <algorithm>
#include <iterator>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVSwitchPolicy");

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

uint64_t
BitsOf(uint64_t bits, const std::vector<EsxPort*>& uplinks, uint64_t (*bit)(const EsxPort&))
{
    for (const EsxPort* uplink : uplinks)
    {
        bits |= bit(*uplink);
    }
    return bits;
}

} // namespace

void
EsxVSwitch::SetPolicy(Ptr<EsxPortPolicy> policy)
{
    NS_LOG_FUNCTION(this << policy);
    m_policy = policy ? policy->Copy() : CreateObject<EsxPortPolicy>();
    const std::string wrong = m_policy->Check();
    NS_ABORT_MSG_UNLESS(wrong.empty(), "vSwitch " << m_name << ": " << wrong);
    if (IsInitialized())
    {
        CheckUplinks(*m_policy);
    }
    Renew();
}

Ptr<EsxPortPolicy>
EsxVSwitch::GetPolicy() const
{
    return m_policy;
}

void
EsxVSwitch::SetPortGroupPolicy(const std::string& portGroup, Ptr<EsxPortPolicy> policy)
{
    NS_LOG_FUNCTION(this << portGroup << policy);
    const std::size_t group = IndexOfPortGroup(portGroup);
    NS_ABORT_MSG_IF(group == m_portGroups.size(),
                    "vSwitch " << m_name << " has no port group \"" << portGroup << "\"");
    const std::string wrong = policy ? policy->Check() : "";
    NS_ABORT_MSG_UNLESS(wrong.empty(), "port group \"" << portGroup << "\": " << wrong);
    m_teams[group].own = policy ? policy->Copy() : nullptr;
    if (IsInitialized())
    {
        CheckUplinks(PolicyOf(group));
    }
    Renew();
}

Ptr<EsxPortPolicy>
EsxVSwitch::GetPortGroupPolicy(const std::string& portGroup) const
{
    const std::size_t group = IndexOfPortGroup(portGroup);
    NS_ABORT_MSG_IF(group == m_portGroups.size(),
                    "vSwitch " << m_name << " has no port group \"" << portGroup << "\"");
    return m_teams[group].own ? m_teams[group].own : m_policy;
}

const EsxPortPolicy&
EsxVSwitch::PolicyOf(std::size_t group) const
{
    return m_teams[group].own ? *m_teams[group].own : *m_policy;
}

/// Uplinks that a policy names must be there, or nothing would leave by them and nobody would know.
void
EsxVSwitch::CheckUplinks(const EsxPortPolicy& policy) const
{
    std::vector<std::string> present;
    for (const EsxPort* uplink : m_uplinks)
    {
        present.push_back(uplink->m_name);
    }
    for (const auto& names : {policy.GetActiveUplinks(), policy.GetStandbyUplinks()})
    {
        for (const std::string& name : names)
        {
            NS_ABORT_MSG_UNLESS(
                m_allowUnknownUplinks ||
                    std::find(present.begin(), present.end(), name) != present.end(),
                "vSwitch " << m_name << " of host " << (m_host ? m_host->GetName() : "?")
                           << ": the policy names an uplink \"" << name << "\"; "
                           << EsxSuggest(name, present));
        }
    }
}

/// Works everything out anew, and tells the physical switches of ports that moved to another
/// uplink.
void
EsxVSwitch::Renew()
{
    for (std::size_t group = 0; group < m_teams.size(); ++group)
    {
        RenewTeam(group);
    }
    std::vector<EsxPort*> moved;
    for (const Ptr<EsxPort>& port : m_ports)
    {
        if (port->m_device)
        {
            const EsxPort* before = port->m_team;
            RenewPort(*port);
            if (port->m_team != before)
            {
                moved.push_back(PeekPointer(port));
            }
        }
    }
    RenewListeners();
    for (EsxPort* port : moved)
    {
        NotifySwitches(*port);
    }
}

void
EsxVSwitch::RenewTeam(std::size_t group)
{
    Team& team = m_teams[group];
    const EsxPortPolicy& policy = PolicyOf(group);
    const auto named = [this](const std::vector<std::string>& names) {
        std::vector<EsxPort*> uplinks;
        for (const std::string& name : names)
        {
            for (EsxPort* uplink : m_uplinks)
            {
                if (uplink->m_name == name)
                {
                    uplinks.push_back(uplink);
                }
            }
        }
        return uplinks;
    };
    team.standby = named(policy.GetStandbyUplinks());
    team.active = named(policy.GetActiveUplinks());
    if (policy.GetActiveUplinks().empty())
    {
        for (EsxPort* uplink : m_uplinks)
        {
            if (std::find(team.standby.begin(), team.standby.end(), uplink) == team.standby.end())
            {
                team.active.push_back(uplink);
            }
        }
    }
    team.live.clear();
    for (bool usableAgain : {policy.HasFailback(), true})
    {
        const bool none = team.live.empty();
        std::copy_if(team.active.begin(),
                     team.active.end(),
                     std::back_inserter(team.live),
                     [none, usableAgain](const EsxPort* uplink) {
                         return none && IsUsable(*uplink, usableAgain);
                     });
    }
    if (team.live.empty())
    {
        if (EsxPort* uplink = Pick(team, 0, policy.HasFailback()))
        {
            team.live.push_back(uplink);
        }
    }
}

/// Without failback an uplink that failed is not usable before it is needed.
bool
EsxVSwitch::IsUsable(const EsxPort& uplink, bool failback)
{
    return uplink.m_linkWasUp && (failback || !uplink.m_failed);
}

/// The preferred active uplink, or the next one in order that can be used, or a standby one.
EsxPort*
EsxVSwitch::Pick(const Team& team, std::size_t preferred, bool failback)
{
    const std::size_t actives = team.active.size();
    for (bool usableAgain : {failback, true})
    {
        for (std::size_t i = 0; i < actives; ++i)
        {
            EsxPort* uplink = team.active[(preferred + i) % actives];
            if (IsUsable(*uplink, usableAgain))
            {
                return uplink;
            }
        }
        for (EsxPort* uplink : team.standby)
        {
            if (IsUsable(*uplink, usableAgain))
            {
                return uplink;
            }
        }
    }
    return nullptr;
}

EsxPort*
EsxVSwitch::TeamUplinkOf(const EsxPort& port) const
{
    const Team& team = m_teams[port.m_group];
    const EsxPortPolicy& policy = PolicyOf(port.m_group);
    std::size_t preferred = 0;
    switch (policy.GetTeaming())
    {
    case EsxPortPolicy::PORT_ID:
        preferred = port.m_localId;
        break;
    case EsxPortPolicy::MAC_HASH:
        preferred = LastOctet(port.m_device->GetMac());
        break;
    case EsxPortPolicy::IP_HASH: // any will do for what has no input frame: a notification
    case EsxPortPolicy::EXPLICIT_ORDER:
        break;
    }
    return Pick(team, preferred, policy.HasFailback());
}

/// The uplink of one frame, where the team chooses for each.
EsxPort*
EsxVSwitch::HashUplink(const EsxPort& input, const EsxFrame& frame) const
{
    const Team& team = m_teams[input.m_group];
    const EsxPortPolicy& policy = PolicyOf(input.m_group);
    if (policy.GetTeaming() == EsxPortPolicy::MAC_HASH)
    {
        return Pick(team, LastOctet(frame.source), policy.HasFailback());
    }
    return team.live.empty() ? nullptr : team.live[HashAddresses(frame) % team.live.size()];
}

void
EsxVSwitch::RenewPort(EsxPort& port)
{
    const EsxPortPolicy& policy = PolicyOf(port.m_group);
    const Team& team = m_teams[port.m_group];
    const auto bit = [](const EsxPort& uplink) { return uplink.m_bit; };
    const bool ipHash = policy.GetTeaming() == EsxPortPolicy::IP_HASH;
    port.m_team = TeamUplinkOf(port);
    port.m_hashed = ipHash || policy.GetTeaming() == EsxPortPolicy::MAC_HASH;
    const uint64_t actives = BitsOf(0, team.active, bit);
    port.m_unicastFrom = ipHash ? actives : BitsOf(actives, team.standby, bit);
    port.m_groupFrom = ipHash ? actives : port.m_team ? port.m_team->m_bit : 0;
    port.m_inFlags = policy.AllowsForgedTransmits() ? 0 : EsxPort::IN_CHECK_SOURCE;
    const bool changed = port.m_device->GetMac() != port.m_device->GetConfiguredMac();
    port.m_outFlags = changed && !policy.AllowsMacChanges() ? EsxPort::OUT_MAC_CHANGED : 0;
    port.m_outFlags |= port.m_device->HasRing() ? EsxPort::OUT_RING : 0;
    RenewShaper(port, policy);
}

void
EsxVSwitch::RenewShaper(EsxPort& port, const EsxPortPolicy& policy)
{
    std::unique_ptr<EsxShaper> old = std::move(port.m_shaper);
    if (policy.IsShaping())
    {
        port.m_inFlags |= EsxPort::IN_SHAPED;
        if (old && old->Is(policy.GetAverageRate(),
                           policy.GetPeakRate(),
                           policy.GetBurstSize(),
                           policy.GetShaperQueue()))
        {
            port.m_shaper = std::move(old);
            return;
        }
        EsxPort* shaped = &port;
        port.m_shaper =
            std::make_unique<EsxShaper>(policy.GetAverageRate(),
                                        policy.GetPeakRate(),
                                        policy.GetBurstSize(),
                                        policy.GetShaperQueue(),
                                        [this, shaped](EsxFrame& f) { Forward(*shaped, f); });
    }
    if (!old)
    {
        return;
    }
    for (EsxFrame& frame : old->TakeAll()) // what waited goes the way that the new policy says
    {
        if (!(port.m_inFlags & EsxPort::IN_SHAPED) || Shape(port, frame))
        {
            Forward(port, frame);
        }
    }
}

void
EsxVSwitch::RenewListeners()
{
    m_listeners.clear();
    for (const Ptr<EsxPort>& port : m_ports)
    {
        if (port->m_device && port->m_device->IsPromiscuous() &&
            PolicyOf(port->m_group).AllowsPromiscuous() &&
            !(port->m_outFlags & EsxPort::OUT_MAC_CHANGED))
        {
            m_listeners.push_back(PeekPointer(port));
        }
    }
}

void
EsxVSwitch::RingChanged(uint16_t local)
{
    RenewPort(*m_ports[local - 1]);
}

void
EsxVSwitch::PromiscuityChanged()
{
    RenewListeners();
}

void
EsxVSwitch::LinkChanged(uint16_t local)
{
    EsxPort& changed = *m_ports[local - 1];
    const bool up = changed.m_uplink->IsLinkUp();
    NS_LOG_FUNCTION(this << changed.m_name << up);
    if (up == changed.m_linkWasUp)
    {
        return;
    }
    changed.m_linkWasUp = up;
    changed.m_failed |= !up;
    const auto isFresh = [](const EsxPort* uplink) { return IsUsable(*uplink, false); };
    if (std::none_of(m_uplinks.begin(), m_uplinks.end(), isFresh))
    {
        for (EsxPort* uplink : m_uplinks) // those that are up are needed again
        {
            uplink->m_failed &= !uplink->m_linkWasUp;
        }
    }
    Renew();
}

/// Sends a reverse ARP request for the port's address by its uplink, so that physical switches
/// learn where it is (documented: when a vNIC is connected, and when its traffic moves to another
/// uplink). It enters no port and is not metered.
void
EsxVSwitch::NotifySwitches(EsxPort& port)
{
    constexpr uint16_t RARP = 0x8035;
    if (!m_deletedAt.IsStrictlyNegative() || !IsInitialized() || !port.m_device || !port.m_team ||
        !PolicyOf(port.m_group).NotifiesSwitches())
    {
        return;
    }
    uint8_t request[28] = {0, 1, 8, 0, 6, 4, 0, 3}; // Ethernet, IPv4, lengths, request reverse
    port.m_device->GetMac().CopyTo(request + 8);    // sender
    port.m_device->GetMac().CopyTo(request + 18);   // target
    EsxFrame frame{Create<Packet>(request, sizeof(request)),
                   port.m_device->GetMac(),
                   Mac48Address::GetBroadcast(),
                   RARP,
                   port.m_vlan};
    Output(*port.m_team, frame);
}

} // namespace ns3
