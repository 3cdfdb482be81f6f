// SPDX-License-Identifier: GPL-2.0-only
// Makes each port's share of EsxVSwitch's policies: flags, teams, shapers and listeners are
// worked out here when something changes, so that esx-vswitch-forwarding.cc has little to ask.
#include "esx-shaper.h"
#include "esx-team.h"
#include "esx-uplink.h"
#include "esx-virtual-net-device.h"
#include "esx-vswitch.h"
#include "model/console/esx-suggestion.h"

#include "ns3/abort.h"
#include "ns3/esx-host.h"
#include "ns3/log.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVSwitchPolicy");

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
    m_policies[group] = policy ? policy->Copy() : nullptr;
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
    return m_policies[group] ? m_policies[group] : m_policy;
}

const EsxPortPolicy&
EsxVSwitch::PolicyOf(std::size_t group) const
{
    return m_policies[group] ? *m_policies[group] : *m_policy;
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
    GoSingly();
    for (std::size_t group = 0; group < m_teams.size(); ++group)
    {
        m_teams[group].Renew(PolicyOf(group), m_uplinks);
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
EsxVSwitch::RenewPort(EsxPort& port)
{
    GoSingly();
    const EsxPortPolicy& policy = PolicyOf(port.m_group);
    const EsxTeam& team = m_teams[port.m_group];
    port.m_team = team.ChooseFor(port);
    port.m_hashed = team.IsHashed();
    port.m_unicastFrom = team.GetUnicastFrom();
    port.m_groupFrom = team.GetGroupFrom(port.m_team);
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
    GoSingly();
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
    const auto isFresh = [](const EsxPort* uplink) { return EsxTeam::IsUsable(*uplink, false); };
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
