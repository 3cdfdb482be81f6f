// SPDX-License-Identifier: GPL-2.0-only
#include "esx-injector.h"

#include "ns3/abort.h"
#include "ns3/log.h"
#include "ns3/node.h"
#include "ns3/simulator.h"
#include "ns3/trace-source-accessor.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxFrameSource);
NS_LOG_COMPONENT_DEFINE("EsxInjector");
NS_OBJECT_ENSURE_REGISTERED(EsxInjector);

namespace
{

bool
Forget(Ptr<NetDevice>, Ptr<const Packet>, uint16_t, const Address&)
{
    return true;
}

} // namespace

/// The time of the next frame has come.
class EsxInjector::Arrival : public EventImpl
{
  public:
    Arrival(EsxInjector* injector)
        : m_injector(injector)
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
    m_device = device;
    m_virtual = dynamic_cast<EsxVirtualNetDevice*>(PeekPointer(device));
    Silence(device);
}

void
EsxInjector::AddTarget(Ptr<NetDevice> target)
{
    m_targets.push_back(Mac48Address::ConvertFrom(target->GetAddress()));
    m_sentTo.push_back(false);
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
    return m_sentTo.at(target);
}

void
EsxInjector::Silence(const Ptr<NetDevice>& device)
{
    device->SetReceiveCallback(DynamicCast<EsxVirtualNetDevice>(device)
                                   ? NetDevice::ReceiveCallback() // calls nobody then
                                   : MakeCallback(&Forget));
}

void
EsxInjector::DoDispose()
{
    StopApplication();
    m_source = nullptr;
    m_device = nullptr;
    m_frame = {};
    Application::DoDispose();
}

void
EsxInjector::StartApplication()
{
    NS_LOG_INFO("node " << GetNode()->GetId() << " injects for " << m_targets.size() << " devices");
    NS_ABORT_MSG_IF(!m_source, "EsxInjector: no source of frames");
    NS_ABORT_MSG_IF(!m_device, "EsxInjector: no device");
    NS_ABORT_MSG_IF(m_targets.empty(), "EsxInjector: no target");
    if (m_source->Next(m_frame))
    {
        m_arrival = Create<Arrival>(this);
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

/// Schedules the frame taken last. \param wait from now on
void
EsxInjector::Await(Time wait)
{
    NS_ABORT_MSG_IF(wait.IsStrictlyNegative(), "EsxInjector: frames are not in order of time");
    m_arrival->Ref(); // the simulator lets go of it when it has happened
    Simulator::ScheduleWithContext(m_node->GetId(), wait, PeekPointer(m_arrival));
}

void
EsxInjector::Inject()
{
    const Time at = m_frame.at;
    bool more = true;
    while (more && m_frame.at == at)
    {
        NS_ABORT_MSG_IF(m_frame.target >= m_targets.size(), "EsxInjector: a frame for no target");
        m_txTrace(m_frame.packet, m_frame.protocol);
        ++m_sent;
        const Mac48Address source = m_frame.source ? *m_frame.source
                                    : m_virtual    ? m_virtual->GetMac()
                                                : Mac48Address::ConvertFrom(m_device->GetAddress());
        const Mac48Address& to = m_targets[m_frame.target];
        const bool taken = m_virtual
                               ? m_virtual->Transmit(m_frame.packet, source, to, m_frame.protocol)
                               : m_device->SendFrom(m_frame.packet, source, to, m_frame.protocol);
        m_sentTo[m_frame.target] = m_sentTo[m_frame.target] || taken;
        more = m_source->Next(m_frame);
    }
    if (more)
    {
        Await(m_frame.at - at);
    }
}

} // namespace ns3
