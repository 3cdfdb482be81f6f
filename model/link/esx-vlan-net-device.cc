// SPDX-License-Identifier: GPL-2.0-only
#include "esx-vlan-net-device.h"

#include "ns3/abort.h"
#include "ns3/esx-vlan-header.h"
#include "ns3/ethernet-header.h"
#include "ns3/log.h"
#include "ns3/node.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxVlanNetDevice");
NS_OBJECT_ENSURE_REGISTERED(EsxVlanNetDevice);

TypeId
EsxVlanNetDevice::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxVlanNetDevice")
                            .SetParent<EsxEthernetNetDevice>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxVlanNetDevice>();
    return tid;
}

EsxVlanNetDevice::EsxVlanNetDevice() = default;
EsxVlanNetDevice::~EsxVlanNetDevice() = default;

void
EsxVlanNetDevice::DoDispose()
{
    m_trunk = nullptr;
    EsxEthernetNetDevice::DoDispose();
}

void
EsxVlanNetDevice::SetTrunk(const Ptr<NetDevice>& trunk, uint16_t vlan)
{
    NS_LOG_FUNCTION(this << trunk << vlan);
    NS_ABORT_MSG_IF(m_trunk, "EsxVlanNetDevice: the trunk is set already");
    NS_ABORT_MSG_IF(!trunk || !trunk->GetNode() || trunk->GetNode() != GetNode(),
                    "EsxVlanNetDevice: both devices must be of one node");
    NS_ABORT_MSG_IF(!trunk->SupportsSendFrom() || !trunk->IsBroadcast(),
                    "EsxVlanNetDevice: a " << trunk->GetInstanceTypeId().GetName()
                                           << " is no Ethernet device");
    NS_ABORT_MSG_IF(vlan < 1 || vlan > 4094,
                    "EsxVlanNetDevice: VLAN " << vlan << " is not one of 1 to 4094");
    m_trunk = trunk;
    m_vlan = vlan;
    SetAddress(trunk->GetAddress());
    LinkChanged(true); // what the trunk receives, its link has carried
    GetNode()->RegisterProtocolHandler(MakeCallback(&EsxVlanNetDevice::Receive, this),
                                       ESX_TPID,
                                       trunk);
}

Ptr<NetDevice>
EsxVlanNetDevice::GetTrunk() const
{
    return m_trunk;
}

uint16_t
EsxVlanNetDevice::GetVlan() const
{
    return m_vlan;
}

std::pair<Ptr<NetDevice>, uint16_t>
EsxVlanNetDevice::PortOf(const Ptr<NetDevice>& device)
{
    const auto vlan = DynamicCast<EsxVlanNetDevice>(device);
    return {vlan ? vlan->m_trunk : device, vlan ? vlan->m_vlan : 0};
}

bool
EsxVlanNetDevice::IsLinkUp() const
{
    return m_trunk && m_trunk->IsLinkUp();
}

void
EsxVlanNetDevice::AddLinkChangeCallback(Callback<void> callback)
{
    if (m_trunk)
    {
        m_trunk->AddLinkChangeCallback(callback);
    }
}

bool
EsxVlanNetDevice::Send(Ptr<Packet> packet, const Address& destination, uint16_t protocol)
{
    return SendFrom(packet, GetAddress(), destination, protocol);
}

bool
EsxVlanNetDevice::SendFrom(Ptr<Packet> packet,
                           const Address& source,
                           const Address& destination,
                           uint16_t protocol)
{
    packet->AddHeader(EsxVlanHeader(m_vlan, protocol));
    return m_trunk->SendFrom(packet, source, destination, ESX_TPID);
}

void
EsxVlanNetDevice::Receive(Ptr<NetDevice> /* trunk */,
                          Ptr<const Packet> packet,
                          uint16_t /* protocol */,
                          const Address& source,
                          const Address& destination,
                          PacketType /* type: the address says it */)
{
    EsxVlanHeader tag;
    if (!m_trunk || packet->GetSize() < EsxVlanHeader::OCTETS || EsxReadVlan(packet) != m_vlan)
    {
        return;
    }
    const Ptr<Packet> frame = packet->Copy();
    frame->RemoveHeader(tag);
    EthernetHeader header(false);
    header.SetSource(Mac48Address::ConvertFrom(source));
    header.SetDestination(Mac48Address::ConvertFrom(destination));
    header.SetLengthType(tag.GetProtocol());
    frame->AddHeader(header);
    Deliver(frame);
}

} // namespace ns3
