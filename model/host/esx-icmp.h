// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ICMP_H
#define ESX_ICMP_H

#include "ns3/icmpv4-l4-protocol.h"

namespace ns3
{

/**
 * ns-3's ICMP, but an echo request to a broadcast or multicast address is answered from the
 * interface's own address (RFC 1122, 3.2.2.6): ns-3 answers from the address that was asked.
 */
class EsxIcmp : public Icmpv4L4Protocol
{
  public:
    static TypeId GetTypeId();

    /// Takes the place of a node's ICMP; nothing if the node has it already or has no IPv4 stack.
    static void Install(const Ptr<Node>& node);

    IpL4Protocol::RxStatus Receive(Ptr<Packet> packet,
                                   const Ipv4Header& header,
                                   Ptr<Ipv4Interface> interface) override;
    using Icmpv4L4Protocol::Receive;
};

} // namespace ns3

#endif // ESX_ICMP_H
