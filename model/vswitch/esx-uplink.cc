// SPDX-License-Identifier: GPL-2.0-only
#include "esx-uplink.h"

#include "esx-virtual-net-device.h"
#include "esx-vswitch.h"

#include "ns3/abort.h"
#include "ns3/boolean.h"
#include "ns3/esx-ethernet-net-device.h"
#include "ns3/esx-host.h"
#include "ns3/hash.h"
#include "ns3/ipv4.h"
#include "ns3/ipv6.h"
#include "ns3/log.h"
#include "ns3/net-device-queue-interface.h"
#include "ns3/node.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxUplink");
NS_OBJECT_ENSURE_REGISTERED(EsxUplink);

namespace
{

/// A frame in a queue disc; ns-3's items know no source address.
class UplinkItem : public QueueDiscItem
{
  public:
    UplinkItem(const Ptr<Packet>& packet,
               const Mac48Address& from,
               const Mac48Address& destination,
               uint16_t protocol)
        : QueueDiscItem(packet, destination, protocol),
          source(from)
    {
    }

    void AddHeader() override
    {
    }

    bool Mark() override
    {
        return false; // a switch does not set ECN bits
    }

    /// Of addresses, protocol and ports of an IPv4 packet without options, for fair queueing.
    uint32_t Hash(uint32_t perturbation) const override
    {
        uint8_t octets[24 + 4] = {};
        GetPacket()->CopyData(octets + 4, 24);
        const uint8_t key[] = {octets[13],
                               octets[16],
                               octets[17],
                               octets[18],
                               octets[19], // source
                               octets[20],
                               octets[21],
                               octets[22],
                               octets[23], // destination
                               octets[24],
                               octets[25],
                               octets[26],
                               octets[27], // ports
                               static_cast<uint8_t>(perturbation >> 24),
                               static_cast<uint8_t>(perturbation >> 16),
                               static_cast<uint8_t>(perturbation >> 8),
                               static_cast<uint8_t>(perturbation)};
        return Hash32(reinterpret_cast<const char*>(key), sizeof(key));
    }

    const Mac48Address source;
};

} // namespace

TypeId
EsxUplink::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxUplink")
            .SetParent<Object>()
            .SetGroupName("EsxNetflow")
            .AddConstructor<EsxUplink>()
            .AddAttribute("Down",
                          "Whether the link is taken down, whatever the physical "
                          "device says",
                          BooleanValue(false),
                          MakeBooleanAccessor(&EsxUplink::SetDown, &EsxUplink::IsDown),
                          MakeBooleanChecker());
    return tid;
}

EsxUplink::~EsxUplink()
{
    NS_LOG_FUNCTION(this);
}

void
EsxUplink::DoDispose()
{
    NS_LOG_FUNCTION(this);
    m_vSwitch = nullptr;
    m_device = nullptr;
    m_own = nullptr;
    if (m_queueDisc)
    {
        m_queueDisc->Dispose();
        m_queueDisc = nullptr;
    }
    Object::DoDispose();
}

void
EsxUplink::Adopt(Ptr<NetDevice> device, const std::string& name)
{
    NS_LOG_FUNCTION(this << device << name);
    NS_ABORT_MSG_IF(m_device, m_name << " has adopted a device already");
    NS_ABORT_MSG_IF(!device || !device->GetNode(), name << ": no device of a node to adopt");
    const std::string type = device->GetInstanceTypeId().GetName();
    NS_ABORT_MSG_IF(DynamicCast<EsxVirtualNetDevice>(device),
                    name << ": a " << type << " is no physical NIC");
    NS_ABORT_MSG_IF(!device->SupportsSendFrom() || !device->IsBroadcast() ||
                        !Mac48Address::IsMatchingType(device->GetAddress()),
                    name << ": a " << type
                         << " cannot be an uplink: it must be an Ethernet device that sends with "
                            "others' addresses, such as ns3::CsmaNetDevice");
    m_name = name;
    m_device = device;
    CheckNoIp();
    m_own = dynamic_cast<EsxEthernetNetDevice*>(PeekPointer(device));
    // It stays for the life of the node, as it may be called while a vSwitch is being deleted;
    // Receive() knows whether anybody listens.
    if (m_own)
    {
        m_own->SetFrameTaker([this](const auto&... frame) { Receive(frame...); });
    }
    else
    {
        device->GetNode()->RegisterProtocolHandler(MakeCallback(&EsxUplink::ReceiveFromWire, this),
                                                   0, // every EtherType
                                                   device,
                                                   true);
    }
    m_linkWasUp = IsLinkUp();
    device->AddLinkChangeCallback(MakeCallback(&EsxUplink::LinkChanged, this));
}

void
EsxUplink::LinkChanged()
{
    if (!m_device || IsLinkUp() == m_linkWasUp)
    {
        return;
    }
    m_linkWasUp = !m_linkWasUp;
    if (m_vSwitch && m_vSwitch->GetHost())
    {
        const std::string text = m_name + ": NIC Link is " + (m_linkWasUp ? "Up" : "Down");
        m_vSwitch->GetHost()->GetLog()->Log("Net", 2107, text);
    }
    if (m_vSwitch)
    {
        m_vSwitch->LinkChanged(m_port);
    }
}

void
EsxUplink::CheckNoIp() const
{
    const Ptr<Node> node = m_device->GetNode();
    const Ptr<Ipv4> ipv4 = node->GetObject<Ipv4>();
    const Ptr<Ipv6> ipv6 = node->GetObject<Ipv6>();
    NS_ABORT_MSG_IF((ipv4 && ipv4->GetInterfaceForDevice(m_device) >= 0) ||
                        (ipv6 && ipv6->GetInterfaceForDevice(m_device) >= 0),
                    m_name << ": an uplink carries no IP interface; give the address to a vmknic");
}

const std::string&
EsxUplink::GetName() const
{
    return m_name;
}

Ptr<NetDevice>
EsxUplink::GetDevice() const
{
    return m_device;
}

Ptr<EsxVSwitch>
EsxUplink::GetVSwitch() const
{
    return m_vSwitch;
}

uint16_t
EsxUplink::GetPortId() const
{
    return m_port;
}

void
EsxUplink::SetQueueDisc(Ptr<QueueDisc> disc)
{
    NS_ABORT_MSG_IF(m_queueDisc, m_name << " has a queue disc already");
    m_queueDisc = disc;
    const auto queues = m_device->GetObject<NetDeviceQueueInterface>();
    disc->SetNetDeviceQueueInterface(queues);
    if (queues)
    {
        queues->GetTxQueue(0)->SetWakeCallback(MakeCallback(&QueueDisc::Run, disc));
    }
    NetDevice* device = PeekPointer(m_device);
    disc->SetSendCallback([device](Ptr<QueueDiscItem> item) {
        device->SendFrom(item->GetPacket(),
                         DynamicCast<UplinkItem>(item)->source,
                         item->GetAddress(),
                         item->GetProtocol());
    });
    disc->Initialize();
}

Ptr<QueueDisc>
EsxUplink::GetQueueDisc() const
{
    return m_queueDisc;
}

void
EsxUplink::SetDown(bool down)
{
    NS_LOG_FUNCTION(this << down);
    m_down = down;
    LinkChanged();
}

bool
EsxUplink::IsDown() const
{
    return m_down;
}

bool
EsxUplink::IsLinkUp() const
{
    return !m_down && m_device->IsLinkUp();
}

void
EsxUplink::Plug(Ptr<EsxVSwitch> vSwitch, uint16_t port)
{
    NS_LOG_FUNCTION(this << vSwitch << port);
    m_vSwitch = vSwitch;
    m_port = port;
}

void
EsxUplink::Unplug()
{
    NS_LOG_FUNCTION(this);
    m_vSwitch = nullptr;
    m_port = 0;
}

bool
EsxUplink::Transmit(const Ptr<Packet>& packet,
                    const Mac48Address& source,
                    const Mac48Address& destination,
                    uint16_t protocol)
{
    if (!m_queueDisc)
    {
        return m_own ? m_own->Transmit(packet, source, destination, protocol)
                     : m_device->SendFrom(packet, source, destination, protocol);
    }
    const bool queued =
        m_queueDisc->Enqueue(Create<UplinkItem>(packet, source, destination, protocol));
    m_queueDisc->Run();
    return queued;
}

void
EsxUplink::ReceiveFromWire(Ptr<NetDevice> /* device: the adopted one */,
                           Ptr<const Packet> packet,
                           uint16_t protocol,
                           const Address& source,
                           const Address& destination,
                           NetDevice::PacketType /* type: the vSwitch looks at the address */)
{
    Receive(packet->Copy(), // the device's packet may have other readers
            Mac48Address::ConvertFrom(source),
            Mac48Address::ConvertFrom(destination),
            protocol);
}

void
EsxUplink::Receive(const Ptr<Packet>& frame,
                   const Mac48Address& source,
                   const Mac48Address& destination,
                   uint16_t protocol)
{
    if (m_vSwitch && m_down)
    {
        m_vSwitch->Reject(m_port, frame, EsxDropCause::LINK_DOWN);
    }
    else if (m_vSwitch)
    {
        m_vSwitch->Input(m_port, frame, source, destination, protocol);
    }
}

} // namespace ns3
