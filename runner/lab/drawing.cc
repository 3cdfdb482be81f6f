// SPDX-License-Identifier: GPL-2.0-only
// DrawLab(): from the resolved document, so that a key that a scenario gets one day is drawn, too.
#include "runner/lab/drawing.h"

#include "runner/lab/frame-graph.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace esxnf
{

namespace
{

std::string
Find(const DrawnAttributes& attributes, const std::string& name)
{
    const auto found = std::find_if(attributes.begin(), attributes.end(), [&](const auto& pair) {
        return pair.first == name;
    });
    return found == attributes.end() ? "" : found->second;
}

/// \return a map of a scenario, which lives as long as the scenario; empty if it is not there
const Json&
PartsOf(const Json& parent, const char* key)
{
    static const Json NONE = Json::object();
    const auto found = parent.find(key);
    return found == parent.end() ? NONE : *found;
}

/// All keys of a part but those that are drawn in other ways.
void
Add(DrawnAttributes& attributes, const Json& part, const std::set<std::string>& without)
{
    for (const auto& [key, value] : part.items())
    {
        if (!without.count(key))
        {
            attributes.emplace_back(key,
                                    value.is_string() ? value.get<std::string>() : value.dump());
        }
    }
}

class LabDrawer
{
  public:
    explicit LabDrawer(const Scenario& scenario)
        : m_scenario(scenario),
          m_root(scenario.document.GetRoot())
    {
    }

    Drawing Draw()
    {
        m_drawing.name = m_scenario.name;
        for (const auto& [name, host] : PartsOf(m_root, "hosts").items())
        {
            DrawHost(name, host);
        }
        for (const auto& [name, node] : PartsOf(m_root, "nodes").items())
        {
            AddVertex(name, "", node, {});
        }
        DrawLinks();
        return std::move(m_drawing);
    }

  private:
    /// The kind is a key of nodes; all else has none.
    DrawnVertex& AddVertex(const std::string& id,
                           const std::string& kind,
                           const Json& part,
                           const std::set<std::string>& without)
    {
        DrawnVertex vertex{id, {}};
        if (!kind.empty())
        {
            vertex.attributes.emplace_back("kind", kind);
        }
        Add(vertex.attributes, part, without);
        m_drawing.vertices.push_back(std::move(vertex));
        return m_drawing.vertices.back();
    }

    void Join(const std::string& a, const std::string& b)
    {
        m_drawing.edges.push_back({a, b, {}});
    }

    void DrawHost(const std::string& name, const Json& host)
    {
        AddVertex(name, "host", host, {"vswitches", "vmknics", "vms"});
        std::map<std::string, std::string> groups; // IDs by name
        for (const auto& [vSwitch, part] : host.at("vswitches").items())
        {
            const auto id = fmt::format("{}/{}", name, vSwitch);
            AddPart(id, "vswitch", name, vSwitch, part, {"uplinks", "portgroups"});
            Join(name, id);
            for (const auto& uplink : part.value("uplinks", Json::array()))
            {
                const auto end = fmt::format("{}:{}", name, uplink.get<std::string>());
                AddPart(end, "uplink", name, uplink, Json::object(), {});
                Join(id, end);
            }
            for (const auto& [group, settings] : part.at("portgroups").items())
            {
                const auto groupId = fmt::format("{}/{}", id, group);
                groups.emplace(group, groupId);
                AddPart(groupId, "portgroup", name, group, settings, {});
                Join(id, groupId);
            }
        }
        for (const auto& [vmknic, part] : PartsOf(host, "vmknics").items())
        {
            const auto id = fmt::format("{}:{}", name, vmknic);
            AddPart(id, "vmknic", name, vmknic, part, {"portgroup"});
            Join(groups.at(part.at("portgroup")), id);
        }
        for (const auto& [vm, part] : PartsOf(host, "vms").items())
        {
            AddPart(vm, "vm", name, "", part, {"nics"});
            for (std::size_t i = 0; i < part.at("nics").size(); ++i)
            {
                const auto& nic = part.at("nics")[i];
                DrawnEdge edge{groups.at(nic.at("portgroup")),
                               vm,
                               {{"nic", fmt::format("eth{}", i)}}};
                Add(edge.attributes, nic, {"portgroup"});
                m_drawing.edges.push_back(std::move(edge));
            }
        }
    }

    void AddPart(const std::string& id,
                 const std::string& kind,
                 const std::string& host,
                 const std::string& name,
                 const Json& part,
                 const std::set<std::string>& without)
    {
        auto& attributes = AddVertex(id, kind, part, without).attributes;
        attributes.insert(attributes.begin() + 1, {"host", host});
        if (!name.empty())
        {
            attributes.insert(attributes.begin() + 2, {"name", name});
        }
    }

    void DrawLinks()
    {
        const auto& links = PartsOf(m_root, "links");
        if (links.empty())
        {
            return;
        }
        const FrameGraph graph(m_scenario);
        const auto vertexOf = [this](const std::string& end) {
            const auto node = end.substr(0, end.find(':'));
            return m_root.at("hosts").contains(node) ? end : node;
        };
        for (std::size_t i = 0; i < links.size(); ++i)
        {
            const auto from = links[i].at("endpoints")[0].get<std::string>();
            const auto to = links[i].at("endpoints")[1].get<std::string>();
            DrawnEdge edge{vertexOf(from), vertexOf(to), {{"from", from}, {"to", to}}};
            Add(edge.attributes, links[i], {"endpoints"});
            const auto index = static_cast<int>(i);
            if (graph.IsCut(index) || graph.IsBlocked(index))
            {
                edge.attributes.emplace_back("color", graph.IsCut(index) ? "red" : "gray");
                edge.attributes.emplace_back("style", "dashed");
            }
            m_drawing.edges.push_back(std::move(edge));
        }
    }

    const Scenario& m_scenario;
    const Json& m_root;
    Drawing m_drawing;
};

} // namespace

std::string
DrawnVertex::Get(const std::string& name) const
{
    return Find(attributes, name);
}

std::string
DrawnEdge::Get(const std::string& name) const
{
    return Find(attributes, name);
}

Drawing
DrawLab(const Scenario& scenario)
{
    return LabDrawer(scenario).Draw();
}

} // namespace esxnf
