// SPDX-License-Identifier: GPL-2.0-only
#include "esx-injector.h"

#include "ns3/abort.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/simulator.h"
#include "ns3/tag.h"
#include "ns3/trace-source-accessor.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxFrameSource);
NS_LOG_COMPONENT_DEFINE("EsxInjector");
NS_OBJECT_ENSURE_REGISTERED(EsxInjector);

namespace
{

/// The mark of an injected packet.
class InjectedTag : public Tag
{
  public:
    static TypeId GetTypeId()
    {
        static TypeId tid = TypeId("ns3::EsxInjectedTag")
                                .SetParent<Tag>()
                                .SetGroupName("EsxNetflow")
                                .HideFromDocumentation()
                                .AddConstructor<InjectedTag>();
        return tid;
    }

    TypeId GetInstanceTypeId() const override
    {
        return GetTypeId();
    }

    uint32_t GetSerializedSize() const override
    {
        return 0;
    }

    void Serialize(TagBuffer) const override
    {
    }

    void Deserialize(TagBuffer) override
    {
    }

    void Print(std::ostream&) const override
    {
    }
};

} // namespace

/// The time of the next frame has come.
class EsxInjector::Arrival : public EsxRankedEvent
{
  public:
    Arrival(EsxInjector* injector, uint64_t rank)
        : EsxRankedEvent(rank),
          m_injector(injector)
    {
    }

  private:
    void Notify() override
    {
        m_injector->Inject();
    }

    EsxInjector* m_injector; //!< cancels this before it is gone
};

TypeId
EsxFrameSource::GetTypeId()
{
    static TypeId tid =
        TypeId("ns3::EsxFrameSource").SetParent<Object>().SetGroupName("EsxNetflow");
    return tid;
}

EsxFrameSource::~EsxFrameSource() = default;

int64_t
EsxFrameSource::AssignStreams(int64_t)
{
    return 0;
}

TypeId
EsxInjector::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxInjector")
                            .SetParent<Application>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxInjector>()
                            .AddTraceSource("Tx",
                                            "A frame is about to enter the port",
                                            MakeTraceSourceAccessor(&EsxInjector::m_txTrace),
                                            "ns3::EsxInjector::TxCallback");
    return tid;
}

EsxInjector::EsxInjector() = default;
EsxInjector::~EsxInjector() = default;

void
EsxInjector::SetSource(Ptr<EsxFrameSource> source)
{
    m_source = source;
}

Ptr<EsxFrameSource>
EsxInjector::GetSource() const
{
    return m_source;
}

void
EsxInjector::SetDevice(Ptr<NetDevice> device)
{
    m_own = MakeEnd(device);
    Silence(device);
}

void
EsxInjector::AddTarget(Ptr<NetDevice> target,
                       std::optional<Mac48Address> next,
                       std::optional<Mac48Address> back)
{
    m_targets.push_back({MakeEnd(target),
                         next.value_or(Mac48Address::ConvertFrom(target->GetAddress())),
                         back,
                         false});
    Silence(target);
}

uint64_t
EsxInjector::GetSent() const
{
    return m_sent;
}

bool
EsxInjector::HasSentTo(uint32_t target) const
{
    return m_targets.at(target).sentTo;
}

bool
EsxInjector::IsInjected(const Packet& packet)
{
    InjectedTag tag;
    return packet.PeekPacketTag(tag);
}

void
EsxInjector::Mark(const Packet& packet)
{
    packet.AddPacketTag(InjectedTag());
}

void
EsxInjector::Silence(const Ptr<NetDevice>& device)
{
    using Receiver = NetDevice::ReceiveCallback;
    const auto own = DynamicCast<EsxNetDevice>(device);
    if (own && !own->TakeReceiver())
    {
        return;
    }
    const Receiver stack = own ? own->GetReceiveCallback() : Receiver();
    device->SetReceiveCallback(Receiver([stack](Ptr<NetDevice> at,
                                                Ptr<const Packet> packet,
                                                uint16_t protocol,
                                                const Address& source) {
        return stack.IsNull() || IsInjected(*packet) || stack(at, packet, protocol, source);
    }));
}

void
EsxInjector::DoDispose()
{
    StopApplication();
    m_source = nullptr;
    m_own = {};
    m_targets.clear();
    m_frame = {};
    Application::DoDispose();
}

void
EsxInjector::StartApplication()
{
    NS_LOG_INFO("node " << GetNode()->GetId() << " injects for " << m_targets.size() << " devices");
    NS_ABORT_MSG_IF(!m_source, "EsxInjector: no source of frames");
    NS_ABORT_MSG_IF(!m_own.device, "EsxInjector: no device");
    NS_ABORT_MSG_IF(m_targets.empty(), "EsxInjector: no target");
    for (Target& target : m_targets)
    {
        target.back = target.back.value_or(Mac48Address::ConvertFrom(m_own.device->GetAddress()));
    }
    if (m_source->Next(m_frame))
    {
        m_arrival = Create<Arrival>(this, Rank());
        Await(m_frame.at);
    }
}

void
EsxInjector::StopApplication()
{
    if (m_arrival)
    {
        m_arrival->Cancel();
        m_arrival = nullptr;
    }
}

/// Injected frames come last in their instant, in order of nodes and of their applications.
uint64_t
EsxInjector::Rank() const
{
    uint64_t index = 0;
    while (GetNode()->GetApplication(index) != this)
    {
        ++index;
    }
    return uint64_t{1} << 63 | uint64_t{GetNode()->GetId()} << 32 | index;
}

/// Schedules the frame taken last. \param wait from now on
void
EsxInjector::Await(Time wait)
{
    NS_ABORT_MSG_IF(wait.IsStrictlyNegative(), "EsxInjector: frames are not in order of time");
    m_arrival->Ref(); // the simulator lets go of it when it has happened
    NS_ABORT_MSG_IF(m_frame.target >= m_targets.size(), "EsxInjector: a frame for no target");
    EsxRankedEvent::Schedule(SenderOf(m_frame).device->GetNode()->GetId(),
                             wait,
                             PeekPointer(m_arrival));
}

EsxInjector::End
EsxInjector::MakeEnd(const Ptr<NetDevice>& device)
{
    return {device, dynamic_cast<EsxVirtualNetDevice*>(PeekPointer(device))};
}

const EsxInjector::End&
EsxInjector::SenderOf(const EsxInjectedFrame& frame) const
{
    return frame.isAnswer ? m_targets[frame.target].end : m_own;
}

void
EsxInjector::Inject()
{
    const Time at = m_frame.at;
    const End* const sender = &SenderOf(m_frame);
    bool more = true;
    while (more && m_frame.at == at && &SenderOf(m_frame) == sender)
    {
        Send();
        more = m_source->Next(m_frame);
        NS_ABORT_MSG_IF(more && m_frame.target >= m_targets.size(),
                        "EsxInjector: a frame for no target");
    }
    if (more)
    {
        Await(m_frame.at - at);
    }
}

/// The frame taken last.
void
EsxInjector::Send()
{
    Target& target = m_targets[m_frame.target];
    const End& from = SenderOf(m_frame);
    const Mac48Address& to = m_frame.isAnswer ? *target.back : target.next;
    if (to == Mac48Address())
    {
        return; // as without an answer to ARP
    }
    m_txTrace(m_frame.packet, m_frame.protocol);
    ++m_sent;
    Mark(*m_frame.packet);
    const Mac48Address source = m_frame.source ? *m_frame.source
                                : from.asVirtual
                                    ? from.asVirtual->GetMac()
                                    : Mac48Address::ConvertFrom(from.device->GetAddress());
    const bool taken = from.asVirtual
                           ? from.asVirtual->Transmit(m_frame.packet, source, to, m_frame.protocol)
                           : from.device->SendFrom(m_frame.packet, source, to, m_frame.protocol);
    target.sentTo = target.sentTo || (taken && !m_frame.isAnswer);
}

} // namespace ns3
