// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_ROUTER_H
#define ESX_ROUTER_H

#include "netflow/ledger.h"

#include "ns3/esx-deferred-frames.h"
#include "ns3/ipv4-header.h"
#include "ns3/ipv4-static-routing.h"
#include "ns3/mac48-address.h"
#include "ns3/traced-callback.h"

#include <set>

namespace ns3
{

class ArpCache;

/// The types of the parameters of Ipv4RoutingProtocol::RouteInput(), which differ between releases.
template <typename F>
struct EsxRouteInputOf;

template <typename P, typename D, typename U, typename M, typename L, typename E>
struct EsxRouteInputOf<bool (Ipv4RoutingProtocol::*)(P, const Ipv4Header&, D, U, M, L, E)>
{
    using Packet = P;
    using Device = D;
    using Unicast = U;
    using Multicast = M;
    using Local = L;
    using Error = E;
};

/**
 * The routing of a router: static routes, and the ICMP messages that ns-3's forwarding lacks (RFC
 * 1812, 4.3.3, 5.2.7): network unreachable where there is no route, host unreachable where nobody
 * answers ARP, fragmentation needed where a packet with DF exceeds the next link's MTU. ns-3 itself
 * lowers the TTL and sends time exceeded, and makes fragments of packets without DF.
 *
 * No message answers an ICMP error, a later fragment, or what came for a group (RFC 1122, 3.2.2).
 * Messages are not limited in their rate.
 *
 * Put it on a node with Ipv4::SetRoutingProtocol(), as EsxRouterHelper does.
 */
class EsxRouter : public Ipv4StaticRouting
{
  public:
    /// \param packet IP packet without its header
    /// \param cause Move::LOST_MTU: with DF, and longer than the next link takes
    typedef void (*DropTracedCallback)(const Ipv4Header& header,
                                       Ptr<const Packet> packet,
                                       netflow::Move cause);

    static TypeId GetTypeId();
    EsxRouter();
    ~EsxRouter() override;

    using Input = EsxRouteInputOf<decltype(&Ipv4RoutingProtocol::RouteInput)>;

    bool RouteInput(Input::Packet packet,
                    const Ipv4Header& header,
                    Input::Device device,
                    Input::Unicast forward,
                    Input::Multicast multicast,
                    Input::Local local,
                    Input::Error error) override;
    void NotifyInterfaceUp(uint32_t interface) override;
    void NotifyInterfaceDown(uint32_t interface) override;

    /**
     * Looks for a way on which packets need not be followed one by one: ARP knows both neighbours
     * for good, and nothing waits or is made smaller.
     * \param port Ethernet device that they come in by
     * \param header of the largest packet
     * \param [in,out] source MAC addresses as they come in, and as they leave
     * \param [in,out] destination
     * \param [in,out] tag VLAN of their tag; 0: none
     * \return the Ethernet device that they leave by; nullptr: there is none
     */
    NetDevice* FindPassage(NetDevice& port,
                           const Ipv4Header& header,
                           Mac48Address& source,
                           Mac48Address& destination,
                           uint16_t& tag);
    EsxDeferrals& GetDeferrals();

  protected:
    void DoDispose() override;

  private:
    void Forward(Ptr<Ipv4Route> route, Ptr<const Packet> packet, const Ipv4Header& header);
    int32_t FindInput(NetDevice& port, uint16_t tag) const;
    Ptr<Ipv4Route> FindRoute(const Ipv4Header& header, uint32_t input);
    void ArpDropped(Ptr<const Packet> packet);
    void SendUnreachable(const Ipv4Header& header,
                         const Ptr<const Packet>& packet,
                         uint8_t code,
                         uint16_t nextHopMtu = 0);
    bool MayBeTold(const Ipv4Header& header, const Ptr<const Packet>& packet) const;

    void SetIpv4(Ptr<Ipv4> ipv4) override;

    Ptr<Ipv4> m_stack;
    std::set<Ptr<ArpCache>> m_caches;                 //!< those that are watched
    UnicastForwardCallback m_check;                   //!< Forward(), made once
    const UnicastForwardCallback* m_forward{nullptr}; //!< ns-3's, during RouteInput()
    EsxDeferrals m_deferrals;
    TracedCallback<const Ipv4Header&, Ptr<const Packet>, netflow::Move> m_dropTrace;
};

} // namespace ns3

#endif // ESX_ROUTER_H
