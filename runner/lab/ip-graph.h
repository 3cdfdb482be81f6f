// SPDX-License-Identifier: GPL-2.0-only
// Where packets get: the lab's addresses, its routers' routes, and the way from a node to an
// address, hop by hop, by the rules of the simulated stacks. Where frames get between two hops is
// the FrameGraph's. Built from any scenario, also a wrong one.
#ifndef ESXNF_IP_GRAPH_H
#define ESXNF_IP_GRAPH_H

#include "runner/lab/frame-graph.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// An address and whose it is.
struct IpInterface
{
    std::string owner; //!< VM, node, or host for its VMkernel
    std::string name;  //!< web1:eth0, nf1:eth0, esx1:vmk0, r1:eth0.101
    std::string path;
    InterfaceAddress address;
    std::optional<ns3::Ipv4Address> gateway;
    std::size_t station;
    uint16_t mtu;
    const Node* router;         //!< null: passes no packets on
    const Node* node = nullptr; //!< null: of a host or VM
};

/// From one node to the next: indices in IpGraph::GetInterfaces().
struct IpHop
{
    std::size_t from;
    std::size_t to;
};

struct IpWay
{
    std::vector<IpHop> hops; //!< as far as it leads
    std::string fault;       //!< why it ends before its target; empty: it does not
    bool isLoop = false;
};

/// A network as a router's static route has it.
struct IpRoute
{
    ns3::Ipv4Address network;
    ns3::Ipv4Mask mask;
    ns3::Ipv4Address via;
};

class IpGraph
{
  public:
    /// \param graph outlives this object
    explicit IpGraph(const FrameGraph& graph);

    const FrameGraph& GetFrames() const;
    const std::vector<IpInterface>& GetInterfaces() const;
    /// \return indices of a node's interfaces
    const std::vector<std::size_t>& GetInterfaces(const std::string& owner) const;

    /**
     * \return the routes of a router beside those to its own networks: what it has in the scenario,
     * and under routing: global one to each other network of the lab's routers, over the fewest
     * routers; of equal ways that whose interface stands first
     */
    const std::vector<IpRoute>& GetRoutes(const std::string& router) const;

    /// \return the way of a packet. \param from a node
    IpWay Follow(const std::string& from, ns3::Ipv4Address to) const;

    /**
     * The address that traffic to a node has, as EsxTrafficHelper::AddressOf() takes it: the first
     * on a network of the sender, else its first. Of an internet one of its pools.
     */
    std::optional<ns3::Ipv4Address> AddressOf(const std::string& node,
                                              const std::string& sender) const;

  private:
    struct Step
    {
        std::size_t from; //!< interface
        ns3::Ipv4Address next;
        bool isDirect;
    };

    void Add(const std::string& owner, IpInterface interface);
    void AddHosts();
    void AddNodes();
    void AddGlobalRoutes();
    std::optional<Step> FindStep(const std::string& at, ns3::Ipv4Address to) const;
    std::string MissingRoute(const std::string& at, ns3::Ipv4Address to) const;
    std::string FaultOf(const Step& step, const std::string& at, ns3::Ipv4Address to) const;

    const FrameGraph& m_frames;
    std::vector<IpInterface> m_interfaces;
    std::map<std::string, std::vector<std::size_t>> m_owned;
    std::map<ns3::Ipv4Address, std::size_t> m_byAddress;
    std::map<std::string, std::vector<IpRoute>> m_routes; //!< by router
};

} // namespace esxnf

#endif // ESXNF_IP_GRAPH_H
