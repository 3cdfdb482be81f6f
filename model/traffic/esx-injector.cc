// SPDX-License-Identifier: GPL-2.0-only
#include "esx-injector.h"

#include "ns3/abort.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/pointer.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxFrameSource);
NS_LOG_COMPONENT_DEFINE("EsxInjector");
NS_OBJECT_ENSURE_REGISTERED(EsxInjector);

/// The time of the next frame has come.
class EsxInjector::Arrival : public EsxRankedEvent
{
  public:
    Arrival(EsxInjector* injector, uint64_t rank)
        : EsxRankedEvent(rank),
          m_injector(injector)
    {
    }

    using EsxRankedEvent::SetOrder;

  private:
    void Happen() override
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

void
EsxFrameSource::Begin(EsxInjector&, uint64_t)
{
}

void
EsxFrameSource::Return(const EsxInjectedFrame&)
{
    NS_FATAL_ERROR("EsxFrameSource: frames of this source are in order");
}

void
EsxFrameSource::Sending(const EsxInjectedFrame&)
{
}

bool
EsxFrameSource::Pass(EsxInjectedFrame&, const EsxInjectedWay&)
{
    return false;
}

void
EsxFrameSource::Sent(const EsxInjectedFrame&, const EsxInjectedWay*)
{
}

void
EsxFrameSource::End()
{
}

uint64_t
EsxFrameSource::CountPassed()
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
                            .AddAttribute("Source",
                                          "Where its frames come from",
                                          TypeId::ATTR_GET,
                                          PointerValue(),
                                          MakePointerAccessor(&EsxInjector::GetSource),
                                          MakePointerChecker<EsxFrameSource>())
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

int64_t
EsxInjector::AssignStreams(int64_t stream)
{
    return m_source ? m_source->AssignStreams(stream) : 0;
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
    return m_sent + GetPassed();
}

uint64_t
EsxInjector::GetPassed() const
{
    return m_source ? m_source->CountPassed() : 0;
}

bool
EsxInjector::IsObserved() const
{
    return !m_txTrace.IsEmpty();
}

Time
EsxInjector::GetStart() const
{
    return m_start;
}

bool
EsxInjector::HasSentTo(uint32_t target) const
{
    return m_targets.at(target).sentTo;
}

void
EsxInjector::Silence(const Ptr<NetDevice>& device)
{
    if (const auto own = DynamicCast<EsxNetDevice>(device))
    {
        own->Silence();
        return;
    }
    device->SetReceiveCallback(
        [](Ptr<NetDevice>, Ptr<const Packet>, uint16_t, const Address&) { return true; });
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
    m_start = Simulator::Now();
    m_arrival = Create<Arrival>(this, Rank());
    m_source->Begin(*this, m_arrival->GetRank());
    Ask();
}

void
EsxInjector::StopApplication()
{
    if (m_arrival)
    {
        m_arrival->Cancel();
        m_arrival = nullptr;
        m_source->End();
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

void
EsxInjector::Ask()
{
    Take();
    Await();
}

/// The next frame, if there is one and it was not stopped.
void
EsxInjector::Take()
{
    m_hasFrame = m_arrival && m_source->Next(m_frame);
    NS_ABORT_MSG_IF(m_hasFrame && m_frame.target >= m_targets.size(),
                    "EsxInjector: a frame for no target");
}

/// Schedules the frame taken last, if there is one.
void
EsxInjector::Await()
{
    if (!m_hasFrame)
    {
        return;
    }
    const Time wait = m_start + m_frame.at - Simulator::Now();
    NS_ABORT_MSG_IF(wait.IsStrictlyNegative(), "EsxInjector: frames are not in order of time");
    m_arrival->Ref(); // the simulator lets go of it when it has happened
    EsxRankedEvent::Schedule(SenderOf(m_frame).device->GetNode()->GetId(),
                             wait,
                             PeekPointer(m_arrival));
}

void
EsxInjector::Hurry(int64_t at, uint64_t order)
{
    const int64_t next = m_frame.at.GetNanoSeconds();
    if (m_isInjecting || !m_arrival ||
        (m_hasFrame && (next != at ? next < at : m_frame.order < order)))
    {
        return;
    }
    AskAgain();
}

void
EsxInjector::AskAgain()
{
    if (m_hasFrame)
    {
        m_source->Return(m_frame);
    }
    Ask();
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
    if (!m_hasFrame || m_start + m_frame.at != Simulator::Now())
    {
        return; // it went with an earlier one
    }
    const Time at = m_frame.at;
    const End* const sender = &SenderOf(m_frame);
    const Ptr<Arrival> arrival = m_arrival;
    m_isInjecting = true;
    do
    {
        Arrival::SetOrder(m_frame.order);
        Send();
        Take();
    } while (m_hasFrame && m_frame.at == at && &SenderOf(m_frame) == sender);
    m_isInjecting = false;
    Await();
}

/// The frame taken last.
void
EsxInjector::Send()
{
    m_source->Sending(m_frame);
    Target& target = m_targets[m_frame.target];
    const End& from = SenderOf(m_frame);
    const Mac48Address& to = m_frame.isAnswer ? *target.back : target.next;
    if (to == Mac48Address())
    {
        m_source->Sent(m_frame, nullptr);
        return; // as without an answer to ARP
    }
    const Mac48Address source = m_frame.source ? *m_frame.source
                                : from.asVirtual
                                    ? from.asVirtual->GetMac()
                                    : Mac48Address::ConvertFrom(from.device->GetAddress());
    const End& receiver = m_frame.isAnswer ? m_own : target.end;
    const EsxInjectedWay way{PeekPointer(from.device),
                             from.asVirtual,
                             PeekPointer(receiver.device),
                             source,
                             to};
    if (m_source->Pass(m_frame, way))
    {
        target.sentTo = target.sentTo || !m_frame.isAnswer;
        return;
    }
    m_txTrace(m_frame.packet, m_frame.protocol);
    ++m_sent;
    EsxNetDevice::MarkInjected(*m_frame.packet);
    const bool taken = from.asVirtual
                           ? from.asVirtual->Transmit(m_frame.packet, source, to, m_frame.protocol)
                           : from.device->SendFrom(m_frame.packet, source, to, m_frame.protocol);
    target.sentTo = target.sentTo || (taken && !m_frame.isAnswer);
    m_source->Sent(m_frame, taken ? &way : nullptr);
}

} // namespace ns3
