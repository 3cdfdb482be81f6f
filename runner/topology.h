// SPDX-License-Identifier: GPL-2.0-only
// The lab as a graph (Boost.Graph) of all its parts, to be drawn; where frames get in it is the
// frame graph's business. Built from any scenario, also a wrong one: what does not fit together is
// left out.
#ifndef ESXNF_TOPOLOGY_H
#define ESXNF_TOPOLOGY_H

#include "runner/scenario.h"

#include <boost/graph/adjacency_list.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace esxnf
{

enum class VertexKind
{
    VmNic,
    Vmknic,
    VSwitch,     //!< the side that hears the ports and sends to ports and uplinks
    VSwitchDown, //!< the side that hears the uplinks and sends to ports only
    Uplink,
    Switch,
    Collector
};

struct TopologyVertex
{
    VertexKind kind;
    std::string
        name; //!< unique: web1:eth0, esx1:vmk0, esx1/vSwitch0, esx1:vmnic0, sw1, nf-collector1
    std::string host; //!< the ESX host it is in; empty for physical nodes
};

/** One direction of a connection. */
struct TopologyArc
{
    int link = -1;      //!< index in Scenario::links; -1: inside a host
    bool isCut = false; //!< the link is down for the whole run
};

/**
 * A vSwitch never forwards from uplink to uplink, so it is two vertices: frames from a port may
 * leave by every port and uplink, frames from an uplink only by the ports. A cable is two arcs;
 * parallel cables and self-loops are kept.
 */
using TopologyGraph = boost::
    adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, TopologyVertex, TopologyArc>;

class Topology
{
  public:
    using Vertex = TopologyGraph::vertex_descriptor;

    /** @param scenario outlives this object */
    explicit Topology(const Scenario& scenario);

    const Scenario& GetScenario() const;
    const TopologyGraph& GetGraph() const;

    /** @return the vertex of that name, if there is one */
    std::optional<Vertex> Find(const std::string& name) const;

    /** @return where a link's end is plugged in: an uplink, a switch or a collector */
    std::optional<Vertex> FindEnd(const LinkEnd& end) const;

    /** @return true if the timeline takes a link down from the first moment to the last */
    bool IsCut(const Link& link) const;

  private:
    Vertex Add(VertexKind kind, const std::string& name, const std::string& host);
    void Connect(Vertex a, Vertex b, const TopologyArc& arc);
    void AddHost(const Host& host);

    const Scenario& m_scenario;
    TopologyGraph m_graph;
    std::map<std::string, Vertex> m_vertices;
    std::set<std::string> m_cutLinks;
};

/** The lab in Graphviz' language: hosts as clusters, links with name and rate, cut ones red.
 * Deterministic. */
std::string ToDot(const Topology& topology);

} // namespace esxnf

#endif // ESXNF_TOPOLOGY_H
