// SPDX-License-Identifier: GPL-2.0-only
// Where frames get, VLAN by VLAN (Boost.Graph): a physical switch is a vertex for each VLAN that it
// has, a link an edge for each VLAN that it carries. Checks of a lab ask it about the second layer
// and say what they make of the answers. Built from any scenario, also a wrong one.
#ifndef ESXNF_FRAME_GRAPH_H
#define ESXNF_FRAME_GRAPH_H

#include "runner/lab/cabling.h"
#include "runner/scenario/scenario.h"

#include <boost/graph/adjacency_list.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace esxnf
{

/// A physical switch in one VLAN; or, of a cable without a switch at its ends, the cable.
struct FrameState
{
    int node;      //!< index in Scenario::nodes; -1 - link for a cable
    uint16_t vlan; //!< of a cable: that of its frames' tags, 0: none
};

/// A link that carries frames both ways between two states.
struct FrameEdge
{
    int link{-1}; //!< index in Scenario::links
};

using FrameStates =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, FrameState, FrameEdge>;

/**
 * Where frames begin and end, and are never passed on: a port group, a collector or server, or an
 * interface of a router.
 */
struct Station
{
    /// A way between the station and the physical network.
    struct Way
    {
        std::string uplink; //!< vmnic0; empty: a node's
        int link;           //!< index in Scenario::links; -1: the state is this cable already
        FrameStates::vertex_descriptor state;
        bool standby; //!< serves when no other does
    };

    const Host* host = nullptr; //!< null: a node
    const VSwitch* vSwitch = nullptr;
    const PortGroup* group = nullptr;
    const Node* node = nullptr;
    const RouterInterface* interface = nullptr; //!< of a router
    std::vector<Way> ways;

    /// \return the tag of its frames outside; 0: none. A guest under VGT sends without one.
    uint16_t GetTag() const;
    std::string GetPath() const;
    std::string GetName() const; //!< "port group P of esx1", "nf1", "r1:eth0"
    /// \return whether it is plugged in here. \param end of a link, at a node
    bool IsAt(const Scenario& scenario, const CableEnd& end) const;
};

/// Links that close a loop of switches.
struct FrameLoop
{
    int closing;            //!< the link that is left out of the tree
    uint16_t vlan;          //!< the first VLAN in which a broadcast would circle
    std::vector<int> links; //!< all links of the loop, in order of the scenario
};

/// Why frames do not get from one station to another.
struct FrameFault
{
    std::string path; //!< where in the scenario it is
    std::string what; //!< "trunk port sw1:2 does not carry VLAN 101"
};

/**
 * The lab without the links that are cut for the whole run. With run.spanning_tree the links that
 * close loops are left out, too; GetLoops() gives them all the same.
 *
 * The spanning tree is one for all VLANs (IEEE 802.1D): of the links that carry frames in a loop
 * the faster ones stay, and of equal ones those that the scenario names first. A link that closes a
 * loop in any VLAN is blocked in all.
 */
class FrameGraph
{
  public:
    using Vertex = FrameStates::vertex_descriptor;

    /// \param scenario outlives this object
    explicit FrameGraph(const Scenario& scenario);

    const Scenario& GetScenario() const;
    const std::vector<Station>& GetStations() const;
    const FrameStates& GetStates() const;

    /// \return the loops that the lab has without a spanning tree
    const std::vector<FrameLoop>& GetLoops() const;

    /// \return true if a spanning tree blocks the link
    bool IsBlocked(int link) const;
    /// \return true if the timeline takes the link down from the first moment to the last
    bool IsCut(int link) const;

    /**
     * \return index of a host's port group, or of a node; none if there is no such thing
     * \param name nf1, of a router's interface r1:eth0.101
     */
    std::optional<std::size_t> FindGroup(const Host& host, const std::string& portGroup) const;
    std::optional<std::size_t> FindNode(const std::string& name) const;

    /// \return true if no link of the scenario is at any interface of a station
    bool IsUnplugged(const Station& station) const;

    /// \return true if frames get from a to b and back by an uplink of each
    bool Joins(std::size_t a, std::size_t b) const;

    /// \return the broadcast domain of a state: equal for states that are joined
    int GetDomain(Vertex state) const;

    /// Links whose VLANs pass one way only, as where native VLANs differ: link and VLAN.
    const std::map<int, uint16_t>& GetOneWayLinks() const;

    /**
     * The fewest things that would have to be right for frames to get from a to b, or back.
     * \return none if there is no way of cables at all
     */
    std::optional<std::vector<FrameFault>> Explain(std::size_t a, std::size_t b) const;
    /// \return the same in words: of two that do not meet
    std::string Reason(std::size_t a, std::size_t b) const;

  private:
    friend class FrameFaultSearch;

    std::string Gap(std::size_t a, std::size_t b) const;
    std::vector<Plug> GetPlugs(const Station& station) const;
    void AddStations();
    void Attach(Station& station);
    void AttachBy(Station& station, const std::string& uplink, const Plug& plug, bool standby);
    void SeedVlans();
    void Grow();
    void GrowFrom(Vertex state);
    void FindLoops();
    std::vector<int> LoopOf(const FrameStates& tree, Vertex from, Vertex to, int closing) const;
    void FindDomains();
    Vertex At(int node, uint16_t vlan);
    bool IsOpen(int link) const;

    const Scenario& m_scenario;
    const Cabling m_cabling;
    std::set<int> m_blocked;
    std::map<std::pair<const VSwitch*, std::string>, std::size_t> m_groups;
    std::unordered_map<std::string, std::size_t> m_nodes; //!< by FindNode()'s names
    std::vector<Station> m_stations;
    FrameStates m_states;
    std::unordered_map<int64_t, Vertex> m_stateOf; //!< by node and VLAN
    std::vector<int> m_domains;
    std::vector<FrameLoop> m_loops;
    std::map<int, uint16_t> m_oneWay;
};

} // namespace esxnf

#endif // ESXNF_FRAME_GRAPH_H
