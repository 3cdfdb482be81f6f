// SPDX-License-Identifier: GPL-2.0-only
// The guests of EsxHost: their vNICs are plugged into port groups and unplugged as the power and
// the connection of each say.
#include "esx-host-memory.h"
#include "esx-host.h"

#include "ns3/abort.h"
#include "ns3/log.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <map>

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
    m_guests.push_back(Guest{name, node, {}, {}, {}});
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
    const Guest* found = GetGuest(name);
    NS_ABORT_MSG_IF(!found, "host " << m_name << " has no guest " << name);
    return const_cast<Guest&>(*found); // it is ours
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
    found.arrival.Cancel();
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
    found.arrival.Cancel();
    std::string wrong;
    for (uint32_t i = 0; i < found.vnics.size(); ++i)
    {
        found.vnics[i]->SetPowered(true);
        const std::string why = found.connected[i] ? Plug(found, i) : "";
        wrong += (wrong.empty() || why.empty() ? "" : "; ") + why;
    }
    return wrong;
}

std::string
EsxHost::MoveGuest(const std::string& guest, const Ptr<EsxHost>& to, Time downtime)
{
    NS_LOG_FUNCTION(this << guest << to << downtime);
    Guest& found = RequireGuest(guest);
    NS_ABORT_MSG_IF(!to || PeekPointer(to) == this || to->GetGuest(guest),
                    "host " << m_name << ": " << guest << " moves to another host, without one of "
                            << "its name");
    std::string wrong = to->WhyNotHere(found);
    const auto memory = GetObject<EsxHostMemory>();
    if (wrong.empty() && memory)
    {
        wrong = memory->MoveVirtualMachine(guest, to->GetObject<EsxHostMemory>());
    }
    if (!wrong.empty())
    {
        return wrong;
    }
    const bool wasOn = found.isOn || !found.arrival.IsExpired();
    PowerOff(guest);
    const Guest moved = found;
    found.isHere = false;
    // One that comes back is in its old place.
    auto place = std::find_if(to->m_guests.begin(), to->m_guests.end(), [&guest](const Guest& of) {
        return of.name == guest;
    });
    place = place == to->m_guests.end() ? to->m_guests.insert(place, moved) : place;
    *place = moved;
    if (wasOn)
    {
        place->arrival = Simulator::Schedule(downtime, [to, guest] {
            const std::string why = to->PowerOn(guest);
            if (!why.empty())
            {
                to->m_log->Warning("Net", 1427, "migration of " + guest + ": " + why);
            }
        });
    }
    return "";
}

/// \return why a guest of another host cannot be one of this; empty: it can
std::string
EsxHost::WhyNotHere(const Guest& guest) const
{
    std::map<Ptr<EsxVSwitch>, uint32_t> wanted; // ports
    for (std::size_t i = 0; i < guest.vnics.size(); ++i)
    {
        const Ptr<EsxVSwitch> vSwitch = FindPortGroup(guest.portGroups[i]);
        if (!vSwitch)
        {
            return guest.name + ".eth" + std::to_string(i) + ": " + m_name +
                   " has no port group \"" + guest.portGroups[i] + "\"";
        }
        if (vSwitch->GetNConnected() + ++wanted[vSwitch] > vSwitch->GetCapacity())
        {
            return m_name + ": vSwitch " + vSwitch->GetName() + " has no free port";
        }
    }
    return m_state == HALTED ? m_name + " has halted" : "";
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
        return guest.name == name && guest.isHere;
    });
    return found != m_guests.end() ? &*found : nullptr;
}

} // namespace ns3
