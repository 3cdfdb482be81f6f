// SPDX-License-Identifier: GPL-2.0-only
// ReadDrawing(): DOT by Boost.Graph's parser, GraphML by Boost's XML reader. (Boost.Graph's own
// GraphML reader hides the IDs of nodes, makes nodes of dangling ends, and takes IDs twice.)
#include "runner/base/user-error.h"
#include "runner/lab/drawing.h"

#include <algorithm>
#include <boost/graph/graphviz.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <fmt/format.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace esxnf
{

namespace
{

constexpr std::size_t MAX_OCTETS = 64 << 20;
constexpr int MAX_DEPTH = 100; // the parsers below recurse

[[noreturn]] void
Refuse(const std::string& fileName, const std::string& what)
{
    throw UserError(fileName + ": " + what);
}

void
Set(DrawnAttributes& attributes, const std::string& name, const std::string& value)
{
    const auto found = std::find_if(attributes.begin(), attributes.end(), [&](const auto& pair) {
        return pair.first == name;
    });
    if (found != attributes.end())
    {
        found->second = value;
    }
    else
    {
        attributes.emplace_back(name, value);
    }
}

/// What Boost.Graph's parser of DOT calls. It tells vertices by name, edges in the file's order.
class DotListener : public boost::detail::graph::mutate_graph
{
  public:
    DotListener(Drawing& drawing, bool directed)
        : m_drawing(drawing),
          m_directed(directed)
    {
    }

    bool is_directed() const override
    {
        return m_directed;
    }

    void do_add_vertex(const boost::detail::graph::node_t& node) override
    {
        m_vertices.emplace(node, m_drawing.vertices.size());
        m_drawing.vertices.push_back({node, {}});
    }

    void do_add_edge(const boost::detail::graph::edge_t& edge,
                     const boost::detail::graph::node_t& a,
                     const boost::detail::graph::node_t& b) override
    {
        m_edges.emplace(edge, m_drawing.edges.size());
        m_drawing.edges.push_back({a, b, {}});
    }

    void set_node_property(const boost::detail::graph::id_t& key,
                           const boost::detail::graph::node_t& node,
                           const boost::detail::graph::id_t& value) override
    {
        Set(m_drawing.vertices[m_vertices.at(node)].attributes, key, value);
    }

    void set_edge_property(const boost::detail::graph::id_t& key,
                           const boost::detail::graph::edge_t& edge,
                           const boost::detail::graph::id_t& value) override
    {
        Set(m_drawing.edges[m_edges.at(edge)].attributes, key, value);
    }

    void set_graph_property(const boost::detail::graph::id_t&,
                            const boost::detail::graph::id_t&) override
    {
    }

    void finish_building_graph() override
    {
    }

  private:
    Drawing& m_drawing;
    const bool m_directed;
    std::map<boost::detail::graph::node_t, std::size_t> m_vertices;
    std::map<boost::detail::graph::edge_t, std::size_t> m_edges;
};

/// Deeper than any drawing; strings are not looked into, so that a few braces in them do no harm.
void
CheckDepth(const std::string& text, const std::string& fileName)
{
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        quoted ^= text[i] == '"' && (i == 0 || text[i - 1] != '\\');
        depth += quoted ? 0 : text[i] == '{' || text[i] == '<' ? 1 : text[i] == '}' ? -1 : 0;
        depth -= !quoted && text[i] == '>' ? 1 : 0;
        if (depth > MAX_DEPTH)
        {
            Refuse(fileName, fmt::format("is nested more than {} deep", MAX_DEPTH));
        }
    }
}

/// Boost.Graph's parser keeps it to itself.
std::string
NameOfDot(const std::string& text)
{
    static const std::regex HEAD(
        "^\\s*(?:strict\\s+)?(?:di)?graph\\s+(?:\"([^\"\\\\]{1,200})\"|([A-Za-z0-9_]{1,200}))",
        std::regex::icase);
    std::smatch match;
    const std::string head = text.substr(0, 500);
    return std::regex_search(head, match, HEAD) ? match[1].str() + match[2].str() : "";
}

Drawing
ReadDot(const std::string& text, const std::string& fileName)
{
    CheckDepth(text, fileName);
    for (const bool directed : {false, true})
    {
        Drawing drawing;
        DotListener listener(drawing, directed);
        try
        {
            boost::detail::graph::read_graphviz_new(text, &listener);
            drawing.name = NameOfDot(text);
            return drawing;
        }
        catch (const boost::graph_exception& error)
        {
            const bool isOther = dynamic_cast<const boost::directed_graph_error*>(&error) ||
                                 dynamic_cast<const boost::undirected_graph_error*>(&error);
            if (directed || !isOther)
            {
                std::string what = error.what();
                std::replace(what.begin(), what.end(), '\n', ' ');
                Refuse(fileName, "is no drawing in DOT: " + what);
            }
        }
        catch (const std::exception& error) // of its regular expressions
        {
            Refuse(fileName, std::string("is no drawing in DOT: ") + error.what());
        }
    }
    return {};
}

class GraphmlReader
{
  public:
    explicit GraphmlReader(const std::string& fileName)
        : m_fileName(fileName)
    {
    }

    Drawing Read(const std::string& text)
    {
        CheckXmlDepth(text);
        boost::property_tree::ptree tree;
        try
        {
            std::istringstream in(text);
            boost::property_tree::read_xml(in, tree);
        }
        catch (const boost::property_tree::xml_parser_error& error)
        {
            throw UserError(
                fmt::format("{}:{}: is no XML: {}", m_fileName, error.line(), error.message()));
        }
        const auto root = tree.get_child_optional("graphml");
        if (!root)
        {
            Refuse(m_fileName, "is no GraphML: there is no element 'graphml'");
        }
        for (const auto& [name, child] : *root)
        {
            if (name == "key")
            {
                ReadKey(child);
            }
        }
        for (const auto& [name, child] : *root)
        {
            if (name == "graph")
            {
                ReadGraph(child);
            }
        }
        CheckEnds();
        return std::move(m_drawing);
    }

  private:
    using Element = boost::property_tree::ptree;

    void CheckXmlDepth(const std::string& text) const
    {
        int depth = 0;
        for (std::size_t i = 0; i + 1 < text.size(); ++i)
        {
            const bool opens =
                text[i] == '<' && text[i + 1] != '/' && text[i + 1] != '!' && text[i + 1] != '?';
            const bool closes =
                (text[i] == '<' && text[i + 1] == '/') || (text[i] == '/' && text[i + 1] == '>');
            depth += opens ? 1 : closes ? -1 : 0;
            if (depth > MAX_DEPTH)
            {
                Refuse(m_fileName, fmt::format("is nested more than {} deep", MAX_DEPTH));
            }
        }
    }

    static std::string AttributeOf(const Element& element, const std::string& name)
    {
        return element.get<std::string>("<xmlattr>." + name, "");
    }

    void ReadKey(const Element& key)
    {
        const auto attributes = key.get_child_optional("<xmlattr>");
        std::string name;
        if (attributes)
        {
            for (const auto& [attribute, value] : *attributes) // its own name holds a dot
            {
                name = attribute == "attr.name" ? value.data() : name;
            }
        }
        if (!name.empty())
        {
            m_keys[AttributeOf(key, "id")] = name;
        }
        if (const auto value = key.get_optional<std::string>("default"))
        {
            m_defaults.push_back({AttributeOf(key, "for"), {name, *value}});
        }
    }

    /// Nested graphs are read as if they stood one after another.
    void ReadGraph(const Element& graph)
    {
        if (m_drawing.name.empty())
        {
            m_drawing.name = AttributeOf(graph, "id");
        }
        for (const auto& [name, child] : graph)
        {
            if (name == "node")
            {
                ReadNode(child);
            }
            else if (name == "edge")
            {
                m_drawing.edges.push_back({AttributeOf(child, "source"),
                                           AttributeOf(child, "target"),
                                           DataOf(child, "edge")});
            }
        }
    }

    void ReadNode(const Element& node)
    {
        const auto id = AttributeOf(node, "id");
        if (id.empty())
        {
            Refuse(m_fileName,
                   fmt::format("node {} has no id, counted from 1", m_drawing.vertices.size() + 1));
        }
        if (!m_ids.insert(id).second)
        {
            Refuse(m_fileName, fmt::format("two nodes have the id '{}'", id));
        }
        const auto inner = node.get_child_optional("graph");
        if (!inner) // else a frame around others
        {
            m_drawing.vertices.push_back({id, DataOf(node, "node")});
            return;
        }
        ReadGraph(*inner);
    }

    DrawnAttributes DataOf(const Element& element, const std::string& domain) const
    {
        DrawnAttributes attributes;
        for (const auto& [where, attribute] : m_defaults)
        {
            if (where == domain || where == "all" || where.empty())
            {
                Set(attributes, attribute.first, attribute.second);
            }
        }
        for (const auto& [name, child] : element)
        {
            const auto key = name == "data" ? m_keys.find(AttributeOf(child, "key")) : m_keys.end();
            if (key != m_keys.end() && !child.data().empty())
            {
                Set(attributes, key->second, child.data());
            }
        }
        return attributes;
    }

    void CheckEnds() const
    {
        for (std::size_t i = 0; i < m_drawing.edges.size(); ++i)
        {
            for (const auto& end : {m_drawing.edges[i].a, m_drawing.edges[i].b})
            {
                if (!m_ids.count(end))
                {
                    Refuse(m_fileName,
                           fmt::format("edge {}, counted from 1, ends at '{}', which is no node",
                                       i + 1,
                                       end));
                }
            }
        }
    }

    const std::string m_fileName;
    std::map<std::string, std::string> m_keys; //!< attribute by key
    std::vector<std::pair<std::string, std::pair<std::string, std::string>>> m_defaults;
    std::set<std::string> m_ids;
    Drawing m_drawing;
};

} // namespace

Drawing
ReadDrawing(const std::string& text, const std::string& fileName)
{
    if (text.size() > MAX_OCTETS)
    {
        Refuse(fileName, fmt::format("is of more than {} MiB", MAX_OCTETS >> 20));
    }
    const auto first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (first == std::string::npos)
    {
        Refuse(fileName, "is empty; allowed: a drawing in DOT or GraphML");
    }
    return text[first] == '<' ? GraphmlReader(fileName).Read(text) : ReadDot(text, fileName);
}

} // namespace esxnf
