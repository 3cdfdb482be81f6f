// SPDX-License-Identifier: GPL-2.0-only
#include "model/host/esx-icmp.h"

#include "ns3/ipv4-interface.h"
#include "ns3/ipv4-l3-protocol.h"
#include "ns3/node.h"

namespace ns3
{

NS_OBJECT_ENSURE_REGISTERED(EsxIcmp);

TypeId
EsxIcmp::GetTypeId()
{
    static TypeId tid = TypeId("ns3::EsxIcmp")
                            .SetParent<Icmpv4L4Protocol>()
                            .SetGroupName("EsxNetflow")
                            .AddConstructor<EsxIcmp>();
    return tid;
}

void
EsxIcmp::Install(const Ptr<Node>& node)
{
    const auto ipv4 = node->GetObject<Ipv4L3Protocol>();
    const auto former = ipv4 ? ipv4->GetProtocol(GetStaticProtocolNumber()) : nullptr;
    if (!former || DynamicCast<EsxIcmp>(former))
    {
        return;
    }
    const auto icmp = CreateObject<EsxIcmp>();
    icmp->SetNode(node);
    icmp->SetDownTarget(former->GetDownTarget());
    ipv4->Remove(former);
    ipv4->Insert(icmp);
}

IpL4Protocol::RxStatus
EsxIcmp::Receive(Ptr<Packet> packet, const Ipv4Header& header, Ptr<Ipv4Interface> interface)
{
    Ipv4Header asked = header;
    const Ipv4Address to = header.GetDestination();
    for (uint32_t i = 0; i < interface->GetNAddresses(); ++i)
    {
        const Ipv4InterfaceAddress own = interface->GetAddress(i);
        if (to.IsBroadcast() || to.IsMulticast() || to == own.GetBroadcast())
        {
            asked.SetDestination(own.GetLocal());
            break;
        }
    }
    return Icmpv4L4Protocol::Receive(packet, asked, interface);
}

} // namespace ns3
