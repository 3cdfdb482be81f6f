// SPDX-License-Identifier: GPL-2.0-only
#include "esx-ethernet-channel.h"

#include "ns3/log.h"
#include "ns3/node.h"

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxEthernetChannel");
NS_OBJECT_ENSURE_REGISTERED(EsxEthernetChannel);

TypeId
EsxEthernetChannel::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxEthernetChannel")
                            .SetParent<Channel>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxEthernetChannel>();
    return tid;
}

EsxEthernetChannel::~EsxEthernetChannel() = default;

void
EsxEthernetChannel::DoDispose()
{
    m_ends = {};
    Channel::DoDispose();
}

void
EsxEthernetChannel::Connect(const Ptr<EsxEthernetNetDevice>& a, const Ptr<EsxEthernetNetDevice>& b)
{
    NS_LOG_FUNCTION(this << a << b);
    NS_ABORT_MSG_IF(m_ends[0], "EsxEthernetChannel: the link has two ends already");
    NS_ABORT_MSG_IF(!a || !b || a == b || !a->GetNode() || !b->GetNode(),
                    "EsxEthernetChannel: a link needs two devices, each of a node");
    NS_ABORT_MSG_IF(a->GetChannel() || b->GetChannel(),
                    "EsxEthernetChannel: a device is plugged into another link already");
    m_ends = {a, b};
    a->Attach(this, PeekPointer(b));
    b->Attach(this, PeekPointer(a));
}

void
EsxEthernetChannel::SetDown(bool down)
{
    NS_LOG_FUNCTION(this << down);
    if (down == m_down)
    {
        return;
    }
    for (const Ptr<EsxEthernetNetDevice>& end : m_ends)
    {
        if (end)
        {
            end->GoSingly(); // before the cut: it loses what is on the link
        }
    }
    m_down = down;
    m_cuts += down ? 1 : 0;
    for (const Ptr<EsxEthernetNetDevice>& end : m_ends)
    {
        if (end)
        {
            end->LinkChanged(!down);
        }
    }
}

bool
EsxEthernetChannel::IsDown() const
{
    return m_down;
}

uint64_t
EsxEthernetChannel::GetCuts() const
{
    return m_cuts;
}

void
EsxEthernetChannel::SetDataRate(DataRate rate)
{
    for (const Ptr<EsxEthernetNetDevice>& end : m_ends)
    {
        end->SetDataRate(rate);
    }
}

void
EsxEthernetChannel::SetDelay(Time delay)
{
    for (const Ptr<EsxEthernetNetDevice>& end : m_ends)
    {
        end->SetDelay(delay);
    }
}

void
EsxEthernetChannel::SetQueueSize(QueueSize size)
{
    for (const Ptr<EsxEthernetNetDevice>& end : m_ends)
    {
        end->SetQueueSize(size);
    }
}

Ptr<EsxEthernetNetDevice>
EsxEthernetChannel::GetEnd(std::size_t end) const
{
    return m_ends.at(end);
}

std::size_t
EsxEthernetChannel::GetNDevices() const
{
    return m_ends[0] ? 2 : 0;
}

Ptr<NetDevice>
EsxEthernetChannel::GetDevice(std::size_t i) const
{
    return m_ends.at(i);
}

} // namespace ns3
