// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/cable.h"

#include "ns3/csma-helper.h"
#include "ns3/esx-ethernet-helper.h"

namespace esxnf
{

using namespace ns3;

Cable::Cable(const Link& link, Ptr<ns3::Node> a, Ptr<ns3::Node> b)
    : m_link(link)
{
    link.halfDuplex ? MakeHalfDuplex(a, b) : MakeFullDuplex(a, b);
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
        m_ends[i].device = m_duplex->GetEnd(i);
        m_ends[i].impairment->Install(m_duplex->GetEnd(i));
    }
}

void
Cable::MakeHalfDuplex(const Ptr<ns3::Node>& a, const Ptr<ns3::Node>& b)
{
    const NetDeviceContainer devices = CsmaHelper().Install(NodeContainer(a, b));
    for (unsigned i : {0U, 1U})
    {
        m_ends[i].device = devices.Get(i);
        m_ends[i].impairment->Install(DynamicCast<CsmaNetDevice>(devices.Get(i)),
                                      DynamicCast<CsmaNetDevice>(devices.Get(1 - i)));
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
