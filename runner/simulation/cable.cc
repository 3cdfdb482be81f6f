// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/cable.h"

#include "ns3/csma-helper.h"
#include "ns3/esx-ethernet-helper.h"
#include "ns3/simulator.h"

namespace esxnf
{

using namespace ns3;

Cable::Cable(const Link& link, Ptr<ns3::Node> a, Ptr<ns3::Node> b)
    : m_link(link)
{
    link.halfDuplex ? MakeHalfDuplex(a, b) : MakeFullDuplex(a, b);
    for (End& end : m_ends)
    {
        end.device->TraceConnectWithoutContext("MacTxDrop",
                                               MakeBoundCallback(&Cable::CountDrop, &end, false));
        end.device->TraceConnectWithoutContext("PhyRxDrop",
                                               MakeBoundCallback(&Cable::CountDrop, &end, true));
    }
}

void
Cable::MakeFullDuplex(const Ptr<ns3::Node>& a, const Ptr<ns3::Node>& b)
{
    EsxEthernetHelper ethernet;
    if (m_link.queueDisc.kind.empty())
    {
        ethernet.DisableFlowControl(); // what finds the queue full is the link's loss
    }
    const NetDeviceContainer devices = ethernet.Install(a, b);
    m_duplex = EsxEthernetHelper::GetLink(devices.Get(0));
    for (unsigned i : {0U, 1U})
    {
        m_ends[i].device = m_ends[i].duplex = m_duplex->GetEnd(i);
        m_ends[i].queue = m_ends[i].duplex->GetQueue();
        m_ends[i].impairment = CreateObject<EsxLinkImpairment>();
        m_ends[i].impairment->Install(m_ends[i].duplex);
    }
}

void
Cable::MakeHalfDuplex(const Ptr<ns3::Node>& a, const Ptr<ns3::Node>& b)
{
    const NetDeviceContainer devices = CsmaHelper().Install(NodeContainer(a, b));
    for (unsigned i : {0U, 1U})
    {
        End& end = m_ends[i];
        const auto device = DynamicCast<CsmaNetDevice>(devices.Get(i));
        end.device = device;
        end.queue = device->GetQueue();
        end.impairment = CreateObject<EsxLinkImpairment>();
        end.impairment->Install(device, DynamicCast<CsmaNetDevice>(devices.Get(1 - i)));
        device->TraceConnectWithoutContext("PhyTxEnd", MakeBoundCallback(&Cable::CountSent, &end));
        device->TraceConnectWithoutContext("PhyTxDrop",
                                           MakeBoundCallback(&Cable::CountCollision, &end));
    }
}

Ptr<NetDevice>
Cable::GetDevice(unsigned end) const
{
    return m_ends[end].device;
}

void
Cable::SetDown(bool down)
{
    m_duplex->SetDown(down);
}

void
Cable::CountSent(End* end, Ptr<const Packet> frame)
{
    end->octets += frame->GetSize();
    ++end->frames;
}

/// CSMA gave up after its retries.
void
Cable::CountCollision(End* end, Ptr<const Packet>)
{
    ++end->drops[static_cast<std::size_t>(EsxEthernetDrop::ERROR)];
}

void
Cable::CountDrop(End* end, bool received, Ptr<const Packet>)
{
    const EsxEthernetDrop cause = end->duplex ? end->duplex->GetDropCause()
                                  : received  ? EsxEthernetDrop::ERROR
                                              : EsxEthernetDrop::QUEUE;
    if (cause != EsxEthernetDrop::ERROR || !end->impairment->IsHoldingBack())
    {
        ++end->drops[static_cast<std::size_t>(cause)];
    }
}

uint64_t
Cable::GetDrops(EsxEthernetDrop cause) const
{
    return m_ends[0].drops[static_cast<std::size_t>(cause)] +
           m_ends[1].drops[static_cast<std::size_t>(cause)];
}

LinkDrops
Cable::GetDrops() const
{
    return {m_link.name,
            GetDrops(EsxEthernetDrop::QUEUE),
            GetDrops(EsxEthernetDrop::ERROR),
            GetDrops(EsxEthernetDrop::LINK_DOWN)};
}

EsxLinkSample
Cable::SampleOf(unsigned end) const
{
    const End& sender = m_ends[end];
    EsxLinkSample sample;
    sample.at = Simulator::Now();
    sample.link = m_link.name;
    sample.from = (end == 0 ? m_link.a : m_link.b).ToString();
    sample.rateBps = m_link.rate.GetBitRate();
    sample.octets = sender.octets;
    sample.frames = sender.frames;
    if (sender.duplex)
    {
        sample.rateBps = m_duplex->IsDown() ? 0 : sender.duplex->GetDataRate().GetBitRate();
        sample.octets = sender.duplex->GetSentOctets();
        sample.frames = sender.duplex->GetSentFrames();
    }
    sample.dropped = sender.drops[static_cast<std::size_t>(EsxEthernetDrop::QUEUE)];
    sample.queued = sender.queue->GetNPackets();
    return sample;
}

int64_t
Cable::AssignStreams(int64_t stream)
{
    int64_t used = 0;
    for (const End& end : m_ends)
    {
        if (const auto csma = DynamicCast<CsmaNetDevice>(end.device))
        {
            csma->AssignStreams(stream + used);
        }
        ++used; // a link's duplex does not shift the numbers of what is made later
        used += end.impairment->AssignStreams(stream + used);
    }
    return used;
}

} // namespace esxnf
