// SPDX-License-Identifier: GPL-2.0-only
// FrameGraph::Explain(): a search over all cables in which every wrong thing on the way costs one
// (Dijkstra's algorithm; the graph is made as the search goes, since what is wrong has no edges).
#include "runner/lab/frame-graph.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <queue>

namespace esxnf
{

class FrameFaultSearch
{
  public:
    FrameFaultSearch(const FrameGraph& graph, const Station& from, const Station& to)
        : m_graph(graph),
          m_from(from),
          m_to(to)
    {
    }

    std::optional<std::vector<FrameFault>> Search()
    {
        if (m_from.vSwitch && m_from.vSwitch == m_to.vSwitch)
        {
            Arrive(-1, {Differ()}, 0);
        }
        for (const auto& plug : m_graph.GetPlugs(m_from))
        {
            Cross(plug, m_from.GetTag(), -1, {}, 0);
        }
        while (!m_queue.empty())
        {
            const auto [cost, order, step] = m_queue.top();
            m_queue.pop();
            if (m_steps[step].arrived)
            {
                return FaultsTo(step);
            }
            Leave(step, cost);
        }
        return std::nullopt;
    }

  private:
    using Faults = std::vector<FrameFault>;

    struct Step
    {
        int before; //!< index in m_steps; -1: the first
        Faults faults;
        int node;
        uint16_t vlan;
        bool arrived;
    };

    struct Entry
    {
        std::size_t cost;
        std::size_t order; //!< equal costs: first come, first served
        int step;

        bool operator<(const Entry& other) const
        {
            return std::pair(other.cost, other.order) < std::pair(cost, order);
        }
    };

    const Link& LinkOf(const Plug& plug) const
    {
        return m_graph.m_scenario.links[plug.link];
    }

    std::string NameOf(const Plug& plug) const
    {
        return (plug.end == 0 ? LinkOf(plug).a : LinkOf(plug).b).ToString();
    }

    static std::string Vlan(uint16_t tag)
    {
        return tag == 0 ? "untagged frames" : fmt::format("VLAN {}", tag);
    }

    FrameFault Differ() const
    {
        return {m_to.GetPath(),
                fmt::format("{} takes {}, and {} sends {}",
                            m_to.GetName(),
                            Vlan(m_to.GetTag()),
                            m_from.GetName(),
                            Vlan(m_from.GetTag()))};
    }

    FrameFault Lacks(const CableEnd& end, const Plug& plug, uint16_t vlan) const
    {
        const auto what =
            end.trunk ? fmt::format("trunk port {} does not carry VLAN {}", NameOf(plug), vlan)
                      : fmt::format("{} is an access port of VLAN {} and does not carry VLAN {}",
                                    NameOf(plug),
                                    end.untagged,
                                    vlan);
        return {end.path, what};
    }

    void Arrive(int before, Faults faults, std::size_t cost)
    {
        cost += faults.size();
        m_steps.push_back({before, std::move(faults), -1, 0, true});
        m_queue.push({cost, m_steps.size(), static_cast<int>(m_steps.size()) - 1});
    }

    /// Over a cable, with this tag, from its end at plug.
    void Cross(const Plug& plug, uint16_t tag, int before, Faults faults, std::size_t cost)
    {
        const int link = plug.link;
        const Plug far = plug.GetOther();
        const CableEnd& there = m_graph.m_cabling.At(far);
        if (m_graph.IsCut(link))
        {
            faults.push_back(
                {LinkOf(plug).path, "cut for the whole run: link " + LinkOf(plug).name});
        }
        if (m_graph.IsBlocked(link))
        {
            faults.push_back(
                {LinkOf(plug).path, "blocked by the spanning tree: link " + LinkOf(plug).name});
        }
        if (there.kind == CableEnd::Kind::Switch)
        {
            const auto vlan = there.Ingress(tag);
            if (!vlan)
            {
                faults.push_back(Lacks(there, far, tag != 0 ? tag : there.untagged));
            }
            Reach(there.node, vlan.value_or(tag != 0 ? tag : there.untagged), before, faults, cost);
        }
        else if (there.kind != CableEnd::Kind::Nothing && IsGoal(there))
        {
            if (tag != m_to.GetTag())
            {
                faults.push_back({m_to.GetPath(),
                                  fmt::format("{} takes {}, and {} gives {}",
                                              m_to.GetName(),
                                              Vlan(m_to.GetTag()),
                                              NameOf(plug),
                                              Vlan(tag))});
            }
            Arrive(before, std::move(faults), cost);
        }
    }

    bool IsGoal(const CableEnd& end) const
    {
        return end.kind == CableEnd::Kind::Uplink ? end.vSwitch == m_to.vSwitch
                                                  : m_to.IsAt(m_graph.m_scenario, end);
    }

    void Reach(int node, uint16_t vlan, int before, const Faults& faults, std::size_t cost)
    {
        cost += faults.size();
        const auto [known, isNew] = m_best.emplace(std::pair(node, vlan), cost);
        if (!isNew && known->second <= cost)
        {
            return;
        }
        known->second = cost;
        m_steps.push_back({before, faults, node, vlan, false});
        m_queue.push({cost, m_steps.size(), static_cast<int>(m_steps.size()) - 1});
    }

    /// By every port of a switch.
    void Leave(int step, std::size_t cost)
    {
        const auto node = m_steps[step].node;
        const auto vlan = m_steps[step].vlan;
        if (m_best.at(std::pair(node, vlan)) < cost)
        {
            return; // was left for less
        }
        for (const auto& plug : m_graph.m_cabling.GetPlugs(node))
        {
            const CableEnd& end = m_graph.m_cabling.At(plug);
            const auto tag = end.Egress(vlan);
            Faults faults;
            if (!tag)
            {
                faults.push_back(Lacks(end, plug, vlan));
            }
            Cross(plug, tag.value_or(Wanted(plug, vlan)), step, std::move(faults), cost);
        }
    }

    /// The tag that a port would have to give.
    uint16_t Wanted(const Plug& plug, uint16_t vlan) const
    {
        const CableEnd& there = m_graph.m_cabling.At(plug.GetOther());
        const bool takesTags =
            there.kind == CableEnd::Kind::Switch ? there.trunk : m_to.GetTag() != 0;
        return takesTags ? vlan : 0;
    }

    Faults FaultsTo(int step) const
    {
        Faults faults;
        for (; step >= 0; step = m_steps[step].before)
        {
            faults.insert(faults.begin(), m_steps[step].faults.begin(), m_steps[step].faults.end());
        }
        return faults;
    }

    const FrameGraph& m_graph;
    const Station& m_from;
    const Station& m_to;
    std::vector<Step> m_steps;
    std::priority_queue<Entry> m_queue;
    std::map<std::pair<int, uint16_t>, std::size_t> m_best;
};

std::optional<std::vector<FrameFault>>
FrameGraph::Explain(std::size_t a, std::size_t b) const
{
    auto there = FrameFaultSearch(*this, m_stations[a], m_stations[b]).Search();
    auto back = FrameFaultSearch(*this, m_stations[b], m_stations[a]).Search();
    const bool isBackWrong = back && !back->empty();
    return there && (there->empty() || (isBackWrong && back->size() < there->size())) ? back
                                                                                      : there;
}

std::string
FrameGraph::Reason(std::size_t a, std::size_t b) const
{
    const auto faults = Explain(a, b);
    if (!faults)
    {
        return Gap(a, b);
    }
    std::vector<std::string> texts;
    for (const auto& fault : *faults)
    {
        if (texts.empty() || texts.back() != fault.what)
        {
            texts.push_back(fault.what);
        }
    }
    return fmt::format("{}", fmt::join(texts, "; "));
}

std::string
FrameGraph::Gap(std::size_t a, std::size_t b) const
{
    for (const auto index : {a, b})
    {
        const Station& station = m_stations[index];
        if (station.vSwitch && station.vSwitch->uplinks.empty())
        {
            return fmt::format("{} of {} has no uplink", station.vSwitch->name, station.host->name);
        }
        if (IsUnplugged(station))
        {
            return fmt::format(
                "no link is at {}",
                station.vSwitch     ? station.host->name + ":" + station.vSwitch->uplinks[0]
                : station.interface ? station.node->name + ":" + station.interface->GetPort()
                                    : station.node->name + ":eth0");
        }
    }
    return "no links lead from one to the other";
}

} // namespace esxnf
