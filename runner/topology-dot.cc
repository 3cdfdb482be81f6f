// SPDX-License-Identifier: GPL-2.0-only
// ToDot(): names are unique vertex IDs and every vertex says its kind, so that a drawing can be
// read back.
#include "runner/topology.h"

#include <fmt/format.h>
#include <sstream>

namespace esxnf
{

namespace
{

/// 100000000 bit/s -> "100Mbps"
std::string
Rate(const ns3::DataRate& rate)
{
    double value = static_cast<double>(rate.GetBitRate());
    std::size_t unit = 0;
    const char* const units[] = {"bps", "kbps", "Mbps", "Gbps"};
    for (; value >= 1000 && unit < 3; ++unit)
    {
        value /= 1000;
    }
    return fmt::format("{}{}", value, units[unit]);
}

/// A line break becomes Graphviz' own.
std::string
Quote(const std::string& text)
{
    std::string quoted = "\"";
    for (const char c : text)
    {
        quoted += c == '\n'               ? "\\n"
                  : c == '"' || c == '\\' ? std::string("\\") + c
                                          : std::string(1, c);
    }
    return quoted + "\"";
}

const char*
Kind(VertexKind kind)
{
    switch (kind)
    {
    case VertexKind::VmNic:
        return "vm";
    case VertexKind::Vmknic:
        return "vmknic";
    case VertexKind::VSwitch:
    case VertexKind::VSwitchDown:
        return "vswitch";
    case VertexKind::Uplink:
        return "uplink";
    case VertexKind::Switch:
        return "switch";
    case VertexKind::Collector:
        return "collector";
    }
    return "";
}

const char*
Shape(VertexKind kind)
{
    switch (kind)
    {
    case VertexKind::VSwitch:
    case VertexKind::Switch:
        return "box3d";
    case VertexKind::Uplink:
    case VertexKind::Vmknic:
        return "ellipse";
    case VertexKind::Collector:
        return "cylinder";
    default:
        return "box";
    }
}

} // namespace

std::string
ToDot(const Topology& topology)
{
    const auto& graph = topology.GetGraph();
    std::ostringstream dot;
    std::string host;
    dot << "graph " << Quote(topology.GetScenario().name)
        << " {\n  node [fontname=\"sans-serif\"];\n";
    for (const auto vertex : boost::make_iterator_range(boost::vertices(graph)))
    {
        const auto& [kind, name, home] = graph[vertex];
        if (home != host)
        {
            dot << (host.empty() ? "" : "  }\n");
            if (!home.empty())
            {
                dot << "  subgraph " << Quote("cluster_" + home) << " {\n    label=" << Quote(home)
                    << ";\n";
            }
            host = home;
        }
        if (kind != VertexKind::VSwitchDown) // the other side of one box
        {
            const auto label =
                home.empty() || kind == VertexKind::VmNic ? name : name.substr(home.size() + 1);
            dot << fmt::format("{}{} [kind={}, label={}, shape={}];\n",
                               home.empty() ? "  " : "    ",
                               Quote(name),
                               Kind(kind),
                               Quote(label),
                               Shape(kind));
        }
    }
    dot << (host.empty() ? "" : "  }\n");
    for (const auto& arc : boost::make_iterator_range(boost::edges(graph)))
    {
        const auto& from = graph[boost::source(arc, graph)];
        const auto& to = graph[boost::target(arc, graph)];
        const bool isPort = to.kind == VertexKind::VSwitch || from.kind == VertexKind::VSwitch;
        const bool isDrawnOnce =
            from.kind == VertexKind::VSwitch ? to.kind == VertexKind::Uplink : isPort;
        if (isDrawnOnce)
        {
            dot << "  " << Quote(from.name) << " -- " << Quote(to.name) << ";\n";
        }
    }
    for (const auto& link : topology.GetScenario().links)
    {
        const auto a = topology.FindEnd(link.a);
        const auto b = topology.FindEnd(link.b);
        if (a && b)
        {
            dot << fmt::format("  {} -- {} [label={}{}];\n",
                               Quote(graph[*a].name),
                               Quote(graph[*b].name),
                               Quote(link.name + "\n" + Rate(link.rate)),
                               topology.IsCut(link) ? ", color=red, style=dashed" : "");
        }
    }
    dot << "}\n";
    return dot.str();
}

} // namespace esxnf
