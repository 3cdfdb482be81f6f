// SPDX-License-Identifier: GPL-2.0-only
// ToDot() and ToGraphml().
#include "runner/lab/drawing.h"

#include "ns3/esx-table.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <sstream>

namespace esxnf
{

namespace
{

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

/// Shape and fill of a kind of vertex: the colours of the report.
std::string
LookOf(const std::string& kind)
{
    static const std::map<std::string, std::string> LOOKS = {
        {"host", R"(house, fillcolor="#dddddd")"},
        {"vswitch", R"(box3d, fillcolor="#d6e6f2")"},
        {"switch", "box3d"},
        {"portgroup", R"(folder, fillcolor="#eef4f9")"},
        {"uplink", "ellipse"},
        {"vmknic", R"(ellipse, fillcolor="#d9f0e8")"},
        {"collector", R"(cylinder, fillcolor="#fce8d5")"}};
    const auto found = LOOKS.find(kind);
    return found == LOOKS.end() ? "box" : found->second;
}

/// A line break and an address of a scenario, with its network, as people see it.
std::string
LineOf(const std::string& address)
{
    const auto slash = std::min(address.find('/'), address.size());
    const ns3::Ipv4Address parsed(address.substr(0, slash).c_str());
    return "\n" + ns3::EsxDotted(parsed) + address.substr(slash);
}

/// Name, VLAN and address. \param nics addresses of its NICs, if it is a virtual machine
std::string
LabelOf(const DrawnVertex& vertex, const std::string& nics)
{
    const std::string name = vertex.Get("name");
    const std::string vlan = vertex.Get("vlan");
    const std::string address = vertex.Get("address");
    return (name.empty() ? vertex.id : name) +
           (vlan.empty() || vlan == "0" ? "" : "\nVLAN " + vlan) +
           (address.empty() ? "" : LineOf(address)) + nics;
}

/// By virtual machine: a line break and an address for each NIC that has one.
std::map<std::string, std::string>
AddressesOfNics(const Drawing& drawing)
{
    std::map<std::string, std::string> addresses;
    for (const auto& edge : drawing.edges)
    {
        if (!edge.Get("nic").empty() && !edge.Get("address").empty())
        {
            addresses[edge.b] += LineOf(edge.Get("address"));
        }
    }
    return addresses;
}

std::string
ListOf(const DrawnAttributes& attributes)
{
    std::string list;
    for (const auto& [name, value] : attributes)
    {
        list += fmt::format("{}{}={}", list.empty() ? "" : ", ", name, Quote(value));
    }
    return list;
}

std::string
EscapeXml(const std::string& text)
{
    static const std::map<char, std::string> ENTITIES = {{'<', "&lt;"},
                                                         {'>', "&gt;"},
                                                         {'&', "&amp;"},
                                                         {'"', "&quot;"}};
    std::string escaped;
    for (const char c : text)
    {
        const auto entity = ENTITIES.find(c);
        escaped += entity == ENTITIES.end() ? std::string(1, c) : entity->second;
    }
    return escaped;
}

void
DeclareKeys(std::ostream& out, const std::set<std::string>& names, const std::string& domain)
{
    for (const auto& name : names)
    {
        out << fmt::format("  <key id=\"{0}.{1}\" for=\"{0}\" attr.name=\"{1}\" "
                           "attr.type=\"string\"/>\n",
                           domain,
                           EscapeXml(name));
    }
}

void
WriteData(std::ostream& out, const DrawnAttributes& attributes, const std::string& domain)
{
    for (const auto& [name, value] : attributes)
    {
        out << fmt::format("      <data key=\"{}.{}\">{}</data>\n",
                           domain,
                           EscapeXml(name),
                           EscapeXml(value));
    }
}

template <typename Parts>
std::set<std::string>
NamesIn(const Parts& parts)
{
    std::set<std::string> names;
    for (const auto& part : parts)
    {
        for (const auto& attribute : part.attributes)
        {
            names.insert(attribute.first);
        }
    }
    return names;
}

} // namespace

std::string
ToDot(const Drawing& drawing)
{
    std::map<std::string, std::string> nics = AddressesOfNics(drawing);
    std::ostringstream dot;
    std::string host;
    dot << "graph " << Quote(drawing.name)
        << " {\n  node [fontname=\"sans-serif\", style=filled, fillcolor=white];\n"
           "  edge [fontname=\"sans-serif\", fontsize=10];\n";
    for (const auto& vertex : drawing.vertices)
    {
        const auto kind = vertex.Get("kind");
        const auto home = kind == "host" ? vertex.id : vertex.Get("host");
        if (home != host)
        {
            dot << (host.empty() ? "" : "  }\n");
            if (!home.empty())
            {
                dot << "  subgraph " << Quote("cluster_" + home) << " {\n"
                    << "    style=\"filled,rounded\"; fillcolor=\"#f7f7f7\"; color=\"#bbbbbb\";\n";
            }
            host = home;
        }
        dot << fmt::format("{}{} [{}, label={}, shape={}];\n",
                           home.empty() ? "  " : "    ",
                           Quote(vertex.id),
                           ListOf(vertex.attributes),
                           Quote(LabelOf(vertex, nics[vertex.id])),
                           LookOf(kind));
    }
    dot << (host.empty() ? "" : "  }\n");
    for (const auto& edge : drawing.edges)
    {
        auto attributes = edge.attributes;
        if (!edge.Get("rate").empty() && !edge.Get("from").empty())
        {
            attributes.emplace_back("label", edge.Get("name") + "\n" + edge.Get("rate"));
            attributes.emplace_back("penwidth", "2");
            if (edge.Get("color").empty())
            {
                attributes.emplace_back("color", "#0072b2");
            }
        }
        const auto list = ListOf(attributes);
        dot << fmt::format("  {} -- {}{};\n",
                           Quote(edge.a),
                           Quote(edge.b),
                           list.empty() ? "" : " [" + list + "]");
    }
    dot << "}\n";
    return dot.str();
}

std::string
ToGraphml(const Drawing& drawing)
{
    std::ostringstream xml;
    xml << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n";
    DeclareKeys(xml, NamesIn(drawing.vertices), "node");
    DeclareKeys(xml, NamesIn(drawing.edges), "edge");
    xml << fmt::format("  <graph id=\"{}\" edgedefault=\"undirected\">\n", EscapeXml(drawing.name));
    for (const auto& vertex : drawing.vertices)
    {
        xml << fmt::format("    <node id=\"{}\">\n", EscapeXml(vertex.id));
        WriteData(xml, vertex.attributes, "node");
        xml << "    </node>\n";
    }
    for (const auto& edge : drawing.edges)
    {
        xml << fmt::format("    <edge source=\"{}\" target=\"{}\">\n",
                           EscapeXml(edge.a),
                           EscapeXml(edge.b));
        WriteData(xml, edge.attributes, "edge");
        xml << "    </edge>\n";
    }
    xml << "  </graph>\n</graphml>\n";
    return xml.str();
}

} // namespace esxnf
