// SPDX-License-Identifier: GPL-2.0-only
// The guests of EsxHost: their vNICs are plugged into port groups and unplugged as the power and
// the connection of each say.
#include "esx-host.h"

#include "ns3/abort.h"
#include "ns3/log.h"

#include <algorithm>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxHostGuests");

void
EsxHost::AddGuest(const std::string& name, Ptr<Node> node)
{
    NS_LOG_FUNCTION(this << name << node);
    NS_ABORT_MSG_IF(name.empty() || !node,
                    "host " << m_name << ": a guest needs a name and a node");
    NS_ABORT_MSG_IF(node == GetVmkernelNode(),
                    "host " << m_name << ": guest " << name << " needs a node of its own");
    NS_ABORT_MSG_IF(GetGuest(name), "host " << m_name << " has a guest " << name << " already");
    m_guests.push_back(Guest{name, node, {}, {}, {}, true});
}

Ptr<EsxVnic>
EsxHost::AddVnic(const std::string& guest, const std::string& portGroup, Ptr<EsxVnic> vnic)
{
    NS_LOG_FUNCTION(this << guest << portGroup);
    Guest& found = RequireGuest(guest);
    const Ptr<EsxVSwitch> vSwitch = RequirePortGroup(portGroup);
    found.node->AddDevice(vnic);
    vSwitch->Connect(vnic, portGroup, guest + ".eth" + std::to_string(found.vnics.size()));
    found.vnics.push_back(vnic);
    found.portGroups.push_back(portGroup);
    found.connected.push_back(true);
    return vnic;
}

EsxHost::Guest&
EsxHost::RequireGuest(const std::string& name)
{
    const auto found = std::find_if(m_guests.begin(), m_guests.end(), [&name](const Guest& guest) {
        return guest.name == name;
    });
    NS_ABORT_MSG_IF(found == m_guests.end(), "host " << m_name << " has no guest " << name);
    return *found;
}

std::string
EsxHost::SetConnected(const std::string& guest, uint32_t vnic, bool connected)
{
    NS_LOG_FUNCTION(this << guest << vnic << connected);
    Guest& found = RequireGuest(guest);
    NS_ABORT_MSG_IF(vnic >= found.vnics.size(), "guest " << guest << " has no vNIC " << vnic);
    found.connected[vnic] = connected;
    const Ptr<EsxVnic> device = found.vnics[vnic];
    if (!connected && device->IsLinkUp())
    {
        device->GetVSwitch()->Disconnect(device->GetPortId());
    }
    return connected && found.isOn ? Plug(found, vnic) : "";
}

std::string
EsxHost::Plug(Guest& guest, uint32_t vnic)
{
    if (guest.vnics[vnic]->IsLinkUp())
    {
        return "";
    }
    const std::string name = guest.name + ".eth" + std::to_string(vnic);
    const Ptr<EsxVSwitch> vSwitch = FindPortGroup(guest.portGroups[vnic]);
    if (!vSwitch)
    {
        return name + ": there is no port group \"" + guest.portGroups[vnic] + "\"";
    }
    if (vSwitch->GetNConnected() >= vSwitch->GetCapacity())
    {
        return name + ": vSwitch " + vSwitch->GetName() + " has no free port";
    }
    vSwitch->Connect(guest.vnics[vnic], guest.portGroups[vnic], name);
    return "";
}

void
EsxHost::PowerOff(const std::string& guest)
{
    NS_LOG_FUNCTION(this << guest);
    Guest& found = RequireGuest(guest);
    found.isOn = false;
    for (const Ptr<EsxVnic>& vnic : found.vnics)
    {
        vnic->SetPowered(false);
        if (vnic->IsLinkUp())
        {
            vnic->GetVSwitch()->Disconnect(vnic->GetPortId());
        }
    }
}

std::string
EsxHost::PowerOn(const std::string& guest)
{
    NS_LOG_FUNCTION(this << guest);
    Guest& found = RequireGuest(guest);
    found.isOn = true;
    std::string wrong;
    for (uint32_t i = 0; i < found.vnics.size(); ++i)
    {
        found.vnics[i]->SetPowered(true);
        const std::string why = found.connected[i] ? Plug(found, i) : "";
        wrong += (wrong.empty() || why.empty() ? "" : "; ") + why;
    }
    return wrong;
}

const std::vector<EsxHost::Guest>&
EsxHost::GetGuests() const
{
    return m_guests;
}

const EsxHost::Guest*
EsxHost::GetGuest(const std::string& name) const
{
    const auto found = std::find_if(m_guests.begin(), m_guests.end(), [&name](const Guest& guest) {
        return guest.name == name;
    });
    return found != m_guests.end() ? &*found : nullptr;
}

} // namespace ns3
