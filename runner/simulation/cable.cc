// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/cable.h"

#include "ns3/csma-helper.h"
#include "ns3/double.h"
#include "ns3/simulator.h"

namespace esxnf
{

using namespace ns3;

namespace
{

/// How often a change that has to wait is tried again: much shorter than any episode.
const Time RETRY = MicroSeconds(10);

/// Runs \p change as soon as \p ready says so.
void
WhenReady(const std::function<bool()>& ready, const std::function<void()>& change)
{
    if (ready())
    {
        change();
        return;
    }
    Simulator::Schedule(RETRY, [ready, change] { WhenReady(ready, change); });
}

} // namespace

Cable::Cable(const Link& link, Ptr<ns3::Node> a, Ptr<ns3::Node> b)
    : m_link(link)
{
    CsmaHelper csma;
    csma.SetChannelAttribute("DataRate", DataRateValue(link.rate));
    csma.SetChannelAttribute("Delay", TimeValue(link.delay));
    csma.SetQueue("ns3::DropTailQueue", "MaxSize", QueueSizeValue(link.queue));
    const NetDeviceContainer ends = csma.Install(NodeContainer(a, b));
    for (unsigned end : {0U, 1U})
    {
        m_devices[end] = DynamicCast<CsmaNetDevice>(ends.Get(end));
        m_impairments[end] = CreateObject<EsxLinkImpairment>();
        m_impairments[end]->SetAttribute("ReorderDelay", TimeValue(link.reorderDelay));
        m_devices[end]->TraceConnectWithoutContext(
            "PhyTxEnd",
            MakeBoundCallback(&Cable::CountSent, &m_sent[end]));
        m_devices[end]->TraceConnectWithoutContext("PhyTxDrop",
                                                   MakeBoundCallback(&Cable::CountCut, &m_cut));
        m_devices[end]->TraceConnectWithoutContext(
            "PhyRxDrop",
            MakeBoundCallback(&Cable::CountError, &m_errors, PeekPointer(m_impairments[end])));
    }
    m_impairments[0]->Install(m_devices[0], m_devices[1]);
    m_impairments[1]->Install(m_devices[1], m_devices[0]);
    m_channel = DynamicCast<CsmaChannel>(m_devices[0]->GetChannel());
    SetImpairment("Loss", link.loss);
    SetImpairment("BitErrors", link.bitErrors);
    SetImpairment("Duplicate", link.duplicate);
    SetImpairment("Reorder", link.reorder);
}

Ptr<CsmaNetDevice>
Cable::GetDevice(unsigned end) const
{
    return m_devices[end];
}

void
Cable::SetUplink(unsigned end, Ptr<EsxUplink> uplink)
{
    m_uplinks[end] = uplink;
}

void
Cable::AddWatcher(std::function<void(bool)> watcher)
{
    m_watchers.push_back(std::move(watcher));
}

void
Cable::SetDown(bool down)
{
    const bool changes = m_down != down;
    m_down = down;
    for (const Ptr<CsmaNetDevice>& device : m_devices)
    {
        down ? m_channel->Detach(device) : m_channel->Reattach(device);
    }
    for (const Ptr<EsxUplink>& uplink : m_uplinks)
    {
        if (uplink)
        {
            uplink->SetDown(down);
        }
    }
    for (const auto& watcher : m_watchers)
    {
        if (changes)
        {
            watcher(down);
        }
    }
}

void
Cable::Apply(const LinkChange& change)
{
    if (change.rate)
    {
        SetRate(*change.rate);
    }
    if (change.delay)
    {
        SetDelay(*change.delay);
    }
    if (change.queue)
    {
        SetQueue(*change.queue);
    }
    const std::pair<const char*, std::optional<double>> impairments[] = {
        {"Loss", change.loss},
        {"BitErrors", change.bitErrors},
        {"Duplicate", change.duplicate},
        {"Reorder", change.reorder}};
    for (const auto& [attribute, rate] : impairments)
    {
        if (rate)
        {
            SetImpairment(attribute, *rate);
        }
    }
}

void
Cable::Restore(const LinkChange& change)
{
    LinkChange back;
    back.rate = change.rate ? std::optional(m_link.rate) : std::nullopt;
    back.delay = change.delay ? std::optional(m_link.delay) : std::nullopt;
    back.queue = change.queue ? std::optional(m_link.queue) : std::nullopt;
    back.loss = change.loss ? std::optional(m_link.loss) : std::nullopt;
    back.bitErrors = change.bitErrors ? std::optional(m_link.bitErrors) : std::nullopt;
    back.duplicate = change.duplicate ? std::optional(m_link.duplicate) : std::nullopt;
    back.reorder = change.reorder ? std::optional(m_link.reorder) : std::nullopt;
    Apply(back);
}

void
Cable::CountSent(Sent* sent, Ptr<const Packet> frame)
{
    sent->octets += frame->GetSize();
    ++sent->frames;
}

void
Cable::CountCut(uint64_t* cut, Ptr<const Packet>)
{
    ++*cut;
}

void
Cable::CountError(uint64_t* errors, const EsxLinkImpairment* impairment, Ptr<const Packet>)
{
    *errors += impairment->IsHoldingBack() ? 0 : 1;
}

LinkDrops
Cable::GetDrops() const
{
    LinkDrops drops;
    drops.link = m_link.name;
    drops.errors = m_errors;
    drops.down = m_cut;
    for (const Ptr<CsmaNetDevice>& device : m_devices)
    {
        drops.queue += device->GetQueue()->GetTotalDroppedPackets();
    }
    return drops;
}

EsxLinkSample
Cable::SampleOf(unsigned end) const
{
    const Ptr<Queue<Packet>> queue = m_devices[end]->GetQueue();
    EsxLinkSample sample;
    sample.at = Simulator::Now();
    sample.link = m_link.name;
    sample.from = (end == 0 ? m_link.a : m_link.b).ToString();
    sample.rateBps = m_down ? 0 : m_channel->GetDataRate().GetBitRate();
    sample.octets = m_sent[end].octets;
    sample.frames = m_sent[end].frames;
    sample.dropped = queue->GetTotalDroppedPackets();
    sample.queued = queue->GetNPackets();
    return sample;
}

int64_t
Cable::AssignStreams(int64_t stream)
{
    int64_t used = 0;
    for (unsigned end : {0U, 1U})
    {
        used += m_devices[end]->AssignStreams(stream + used);
        used += m_impairments[end]->AssignStreams(stream + used);
    }
    return used;
}

void
Cable::SetRate(DataRate rate)
{
    WhenReady([this] { return m_channel->GetState() == IDLE; },
              [this, rate] {
                  const Ptr<CsmaChannel> old = m_channel;
                  m_channel = CreateObject<CsmaChannel>();
                  m_channel->SetAttribute("DataRate", DataRateValue(rate));
                  m_channel->SetAttribute("Delay", TimeValue(old->GetDelay()));
                  for (const Ptr<CsmaNetDevice>& device : m_devices)
                  {
                      old->Detach(device);
                      device->Attach(m_channel);
                  }
                  SetDown(m_down);
              });
}

void
Cable::SetDelay(Time delay)
{
    m_channel->SetAttribute("Delay", TimeValue(delay));
}

void
Cable::SetQueue(QueueSize size)
{
    for (const Ptr<CsmaNetDevice>& device : m_devices)
    {
        const Ptr<Queue<Packet>> queue = device->GetQueue();
        // A queue that holds more than its new size must drain first: ns-3 does not shorten it.
        WhenReady([queue, size] { return queue->GetCurrentSize() <= size; },
                  [queue, size] { queue->SetMaxSize(size); });
    }
}

/// At both ends.
void
Cable::SetImpairment(const char* attribute, double rate)
{
    for (const Ptr<EsxLinkImpairment>& impairment : m_impairments)
    {
        impairment->SetAttribute(attribute, DoubleValue(rate));
    }
}

} // namespace esxnf
