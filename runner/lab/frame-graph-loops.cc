// SPDX-License-Identifier: GPL-2.0-only
// FrameGraph::FindLoops(): Kruskal's algorithm, a link at a time: it carries all of its VLANs or
// none.
#include "runner/lab/frame-graph.h"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/pending/disjoint_sets.hpp>

namespace esxnf
{

namespace
{

/// The links of the tree that lead from one vertex to another, which are in one component.
std::vector<int>
TreePath(const FrameStates& tree, FrameGraph::Vertex from, FrameGraph::Vertex to)
{
    std::vector<FrameStates::edge_descriptor> towards(boost::num_vertices(tree));
    auto recorder = boost::record_edge_predecessors(towards.data(), boost::on_tree_edge());
    boost::breadth_first_search(tree, from, boost::visitor(boost::make_bfs_visitor(recorder)));
    std::vector<int> links;
    for (auto at = to; at != from; at = boost::source(towards[at], tree))
    {
        links.push_back(tree[towards[at]].link);
    }
    return links;
}

} // namespace

std::vector<int>
FrameGraph::LoopOf(const FrameStates& tree, Vertex from, Vertex to, int closing) const
{
    auto links = TreePath(tree, from, to);
    links.push_back(closing);
    std::sort(links.begin(), links.end());
    links.erase(std::unique(links.begin(), links.end()), links.end());
    return links;
}

void
FrameGraph::FindLoops()
{
    constexpr std::size_t maxTraced = 10; // more loops are not told
    std::map<int, std::vector<FrameStates::edge_descriptor>> edgesOf;
    for (const auto& edge : boost::make_iterator_range(boost::edges(m_states)))
    {
        edgesOf[m_states[edge].link].push_back(edge);
    }
    std::vector<int> order;
    order.reserve(edgesOf.size());
    for (const auto& [link, edges] : edgesOf)
    {
        order.push_back(link);
    }
    std::stable_sort(order.begin(), order.end(), [this](int a, int b) {
        return m_scenario.links[b].rate < m_scenario.links[a].rate;
    });
    FrameStates tree(boost::num_vertices(m_states));
    std::vector<Vertex> rank(boost::num_vertices(m_states));
    std::vector<Vertex> parent(boost::num_vertices(m_states));
    boost::disjoint_sets<Vertex*, Vertex*> sets(rank.data(), parent.data());
    for (Vertex state = 0; state < boost::num_vertices(m_states); ++state)
    {
        sets.make_set(state);
    }
    std::set<int> closing;
    for (const int link : order)
    {
        const auto closes = [&](const auto& edge) {
            return sets.find_set(boost::source(edge, m_states)) ==
                   sets.find_set(boost::target(edge, m_states));
        };
        const auto& edges = edgesOf.at(link);
        const auto found = std::find_if(edges.begin(), edges.end(), closes);
        if (found != edges.end())
        {
            const auto from = boost::source(*found, m_states);
            closing.insert(link);
            m_loops.push_back({link, m_states[from].vlan, {link}});
            if (m_loops.size() <= maxTraced)
            {
                m_loops.back().links = LoopOf(tree, from, boost::target(*found, m_states), link);
            }
            continue;
        }
        for (const auto& edge : edges)
        {
            sets.union_set(boost::source(edge, m_states), boost::target(edge, m_states));
            boost::add_edge(boost::source(edge, m_states),
                            boost::target(edge, m_states),
                            FrameEdge{link},
                            tree);
        }
    }
    std::sort(m_loops.begin(), m_loops.end(), [](const auto& a, const auto& b) {
        return a.closing < b.closing;
    });
    if (m_scenario.run.spanningTree)
    {
        m_blocked = closing;
        const auto isBlocked = [this](const FrameStates::edge_descriptor& edge) {
            return IsBlocked(m_states[edge].link);
        };
        boost::remove_edge_if(isBlocked, m_states);
    }
}

} // namespace esxnf
