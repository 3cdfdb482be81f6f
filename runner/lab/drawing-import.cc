// SPDX-License-Identifier: GPL-2.0-only
// ImportDrawing(): edges say what is part of what; the scenario's own reader judges the result.
#include "runner/base/user-error.h"
#include "runner/lab/drawing.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace esxnf
{

extern const char* const g_scenarioSchema;

namespace
{

const std::vector<std::string> KINDS =
    {"host", "vswitch", "portgroup", "uplink", "vmknic", "vm", "switch", "collector", "router"};

class DrawingImporter
{
  public:
    DrawingImporter(const Drawing& drawing, const std::string& fileName)
        : m_drawing(drawing),
          m_fileName(fileName),
          m_schema(Json::parse(g_scenarioSchema).at("definitions"))
    {
    }

    Json Import()
    {
        for (const auto& vertex : m_drawing.vertices)
        {
            Take(vertex);
        }
        // From the outside in: each needs what it is part of.
        for (const auto& [outer, inner] : {std::pair("host", "vswitch"),
                                           std::pair("vswitch", "portgroup"),
                                           std::pair("vswitch", "uplink"),
                                           std::pair("portgroup", "vmknic"),
                                           std::pair("portgroup", "vm"),
                                           std::pair("host", "vm")})
        {
            for (const auto& edge : m_drawing.edges)
            {
                Nest(edge, outer, inner);
            }
        }
        ReserveEnds();
        for (const auto& edge : m_drawing.edges)
        {
            AddLink(edge);
        }
        CheckPlaces();
        for (const auto& vertex : m_drawing.vertices)
        {
            if (PlaceOf(vertex.id).kind == "host")
            {
                Complete(m_hosts[PlaceOf(vertex.id).name]);
            }
        }
        Json root = {{"version", 1},
                     {"name", NameOf(m_drawing.name)},
                     {"run", {{"duration", "60s"}}}};
        root["hosts"] = m_hosts;
        root["nodes"] = m_nodes;
        root["links"] = m_links;
        return root;
    }

  private:
    /// Where a vertex is: a host's, the vSwitch's, and its own name.
    struct Place
    {
        std::string kind;
        std::string name;
        std::string host;
        std::string vSwitch;
    };

    [[noreturn]] void Refuse(const std::string& what) const
    {
        throw UserError(m_fileName + ": " + what);
    }

    /// A file's name may be anything, a scenario's not.
    static std::string NameOf(std::string name)
    {
        for (char& c : name)
        {
            const bool isPlain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
            c = isPlain ? c : '-';
        }
        const auto first = name.find_first_not_of("._-");
        return first == std::string::npos ? "imported" : name.substr(first, 64);
    }

    void Take(const DrawnVertex& vertex)
    {
        const auto kind = vertex.Get("kind");
        if (std::find(KINDS.begin(), KINDS.end(), kind) == KINDS.end())
        {
            Refuse(
                kind.empty()
                    ? fmt::format("'{}' has no attribute 'kind'; {}", vertex.id, Suggest("", KINDS))
                    : fmt::format("'{}' is of kind '{}'; {}",
                                  vertex.id,
                                  kind,
                                  Suggest(kind, KINDS)));
        }
        const auto name = vertex.Get("name");
        auto& place = m_places[vertex.id] = {kind, name.empty() ? vertex.id : name, "", ""};
        m_vertices[vertex.id] = &vertex;
        if (kind == "host")
        {
            place.host = place.name;
            TakeName(m_hosts, place.name, vertex.id);
            m_hosts[place.name] = Keys(vertex.attributes, "host");
            m_hosts[place.name]["vswitches"] = Json::object();
            if (const auto address = vertex.Get("address"); !address.empty())
            {
                AddTo(DefaultSwitch(place.name)["portgroups"], "VMkernel");
                m_hosts[place.name]["vmknics"]["vmk0"] = {{"portgroup", "VMkernel"},
                                                          {"address", address}};
            }
        }
        else if (kind == "switch" || kind == "collector" || kind == "router")
        {
            TakeName(m_nodes, place.name, vertex.id);
            m_nodes[place.name] = Keys(vertex.attributes, "node");
        }
    }

    void TakeName(const Json& map, const std::string& name, const std::string& id) const
    {
        if (map.contains(name))
        {
            Refuse(fmt::format("'{}' has the name '{}', which another vertex has, too", id, name));
        }
    }

    static void AddTo(Json& map, const std::string& name)
    {
        if (!map.contains(name))
        {
            map[name] = Json::object();
        }
    }

    /// The vSwitch of a host that is drawn as one box.
    Json& DefaultSwitch(const std::string& host)
    {
        auto& vSwitches = m_hosts[host]["vswitches"];
        if (vSwitches.empty())
        {
            vSwitches["vSwitch0"] = {{"uplinks", Json::array()}, {"portgroups", Json::object()}};
        }
        return vSwitches.begin().value();
    }

    /// A host has a vSwitch, and one that is drawn as one box a port group in it.
    static void Complete(Json& host)
    {
        auto& vSwitches = host["vswitches"];
        if (vSwitches.empty())
        {
            vSwitches["vSwitch0"]["portgroups"] = Json::object();
        }
        auto& first = vSwitches.begin().value()["portgroups"];
        if (vSwitches.size() == 1 && first.empty())
        {
            AddTo(first, "VM Network");
        }
    }

    /// Attributes that are keys of a part of a scenario; texts where the schema wants texts.
    Json Keys(const DrawnAttributes& attributes, const std::string& definition) const
    {
        const auto& properties = m_schema.at(definition).at("properties");
        Json keys = Json::object();
        for (const auto& [name, value] : attributes)
        {
            const bool isOther = definition == "host" && name == "address"; // told in another way
            if (properties.contains(name) && !isOther)
            {
                const auto parsed =
                    IsText(properties.at(name)) ? Json(value) : Json::parse(value, nullptr, false);
                keys[name] = parsed.is_discarded() ? Json(value) : parsed;
            }
        }
        return keys;
    }

    bool IsText(const Json& property) const
    {
        const auto reference = property.value("$ref", "");
        const auto& at =
            reference.empty() ? property : m_schema.at(reference.substr(reference.rfind('/') + 1));
        return at.value("type", "") == "string";
    }

    const Place& PlaceOf(const std::string& id) const
    {
        return m_places.at(id);
    }

    void Nest(const DrawnEdge& edge, const std::string& outer, const std::string& inner)
    {
        const bool isTurned = PlaceOf(edge.a).kind == inner;
        const auto& outerId = isTurned ? edge.b : edge.a;
        const auto& innerId = isTurned ? edge.a : edge.b;
        auto& place = m_places.at(innerId);
        const auto& home = PlaceOf(outerId);
        if (home.kind != outer || place.kind != inner)
        {
            return;
        }
        if (home.host.empty())
        {
            Refuse(
                fmt::format("'{}' is joined to '{}', which is part of no host", innerId, outerId));
        }
        if (!place.host.empty() && (place.host != home.host || inner != "vm"))
        {
            Refuse(fmt::format("'{}' is part of two: of '{}', too", innerId, outerId));
        }
        m_nested.insert(&edge);
        place.host = home.host;
        place.vSwitch = inner == "vswitch" ? place.name : home.vSwitch;
        Add(edge, *m_vertices.at(innerId), place, home);
    }

    void Add(const DrawnEdge& edge,
             const DrawnVertex& vertex,
             const Place& place,
             const Place& home)
    {
        auto& host = m_hosts[place.host];
        if (place.kind == "vswitch")
        {
            TakeName(host["vswitches"], place.name, vertex.id);
            auto& made = host["vswitches"][place.name] = Keys(vertex.attributes, "vswitch");
            made["uplinks"] = Json::array();
            made["portgroups"] = Json::object();
            return;
        }
        if (place.kind == "vm")
        {
            const auto group = home.kind == "host" ? "VM Network" : home.name;
            if (home.kind == "host")
            {
                AddTo(DefaultSwitch(place.host)["portgroups"], group);
            }
            AddNic(edge, vertex, host["vms"], place.name, group);
            return;
        }
        if (place.kind == "vmknic")
        {
            TakeName(host.value("vmknics", Json::object()), place.name, vertex.id);
            auto& made = host["vmknics"][place.name] = Keys(vertex.attributes, "nic");
            made["portgroup"] = home.name;
            return;
        }
        auto& vSwitch = host["vswitches"][place.vSwitch];
        if (place.kind == "uplink")
        {
            vSwitch["uplinks"].push_back(place.name);
            return;
        }
        TakeName(vSwitch["portgroups"], place.name, vertex.id);
        vSwitch["portgroups"][place.name] = Keys(vertex.attributes, "portgroup");
    }

    /// An edge from a port group to a VM is a NIC: its number may be on it. A simple drawing has
    /// the address at the VM.
    void AddNic(const DrawnEdge& edge,
                const DrawnVertex& vertex,
                Json& vms,
                const std::string& name,
                const std::string& group)
    {
        if (!vms.contains(name))
        {
            vms[name] = Keys(vertex.attributes, "vm");
            vms[name]["nics"] = Json::array();
        }
        auto nic = Keys(edge.attributes, "vnic");
        nic["portgroup"] = group;
        if (!nic.contains("address") && !vertex.Get("address").empty())
        {
            nic["address"] = vertex.Get("address");
        }
        auto& nics = vms[name]["nics"];
        nics.push_back(nic);
        auto& order = m_nics[name];
        const auto label = edge.Get("nic");
        order.push_back(label.empty() ? fmt::format("eth{}", order.size()) : label);
        for (auto i = order.size() - 1; i > 0 && order[i] < order[i - 1]; --i)
        {
            std::swap(order[i], order[i - 1]);
            std::swap(nics[i], nics[i - 1]);
        }
    }

    bool IsLink(const DrawnEdge& edge) const
    {
        static const std::set<std::string> ENDS = {"uplink",
                                                   "host",
                                                   "switch",
                                                   "collector",
                                                   "router"};
        return !m_nested.count(&edge) && ENDS.count(PlaceOf(edge.a).kind) &&
               ENDS.count(PlaceOf(edge.b).kind);
    }

    /// Interfaces that have names already.
    void ReserveEnds()
    {
        for (const auto& edge : m_drawing.edges)
        {
            m_taken.insert({edge.Get("from"), edge.Get("to")});
        }
        for (const auto& [name, host] : m_hosts.items())
        {
            for (const auto& vSwitch : host.at("vswitches"))
            {
                for (const auto& uplink : vSwitch.at("uplinks"))
                {
                    m_taken.insert(name + ":" + uplink.get<std::string>());
                }
            }
        }
    }

    void AddLink(const DrawnEdge& edge)
    {
        if (m_nested.count(&edge))
        {
            return;
        }
        if (!IsLink(edge))
        {
            Refuse(fmt::format("an edge joins '{}', a {}, and '{}', a {}; allowed: host-vswitch, "
                               "vswitch-portgroup, vswitch-uplink, portgroup-vmknic, portgroup-vm, "
                               "host-vm, and links between uplinks, hosts, switches and collectors",
                               edge.a,
                               PlaceOf(edge.a).kind,
                               edge.b,
                               PlaceOf(edge.b).kind));
        }
        Json link = Keys(edge.attributes, "link");
        const auto from = EndOf(edge, "from", edge.a);
        const auto to = EndOf(edge, "to", edge.b);
        link["endpoints"] = {from, to};
        m_links.push_back(link);
    }

    /// As the edge says, else one that is free. A file may give the ends of an edge in either
    /// order.
    std::string EndOf(const DrawnEdge& edge, const std::string& key, const std::string& vertex)
    {
        auto written = edge.Get(key);
        if (!written.empty())
        {
            return written;
        }
        const auto& place = PlaceOf(vertex);
        if (place.kind == "uplink")
        {
            return place.host + ":" + place.name;
        }
        if (place.kind == "collector")
        {
            return place.name + ":eth0";
        }
        const bool isHost = place.kind == "host";
        for (int i = isHost ? 0 : 1;; ++i)
        {
            const auto interface = fmt::format("{}{}", isHost ? "vmnic" : "", i);
            if (m_taken.insert(place.name + ":" + interface).second)
            {
                if (isHost)
                {
                    DefaultSwitch(place.name)["uplinks"].push_back(interface);
                }
                return place.name + ":" + interface;
            }
        }
    }

    void CheckPlaces() const
    {
        for (const auto& vertex : m_drawing.vertices)
        {
            const auto& place = PlaceOf(vertex.id);
            const bool isInside =
                place.kind != "switch" && place.kind != "collector" && place.kind != "router";
            if (isInside && place.host.empty())
            {
                Refuse(fmt::format("'{}', a {}, is joined to nothing that is part of a host",
                                   vertex.id,
                                   place.kind));
            }
        }
    }

    const Drawing& m_drawing;
    const std::string m_fileName;
    const Json m_schema;
    std::map<std::string, Place> m_places; //!< by vertex
    std::map<std::string, const DrawnVertex*> m_vertices;
    std::map<std::string, std::vector<std::string>> m_nics; //!< by VM: eth0, eth1
    std::set<const DrawnEdge*> m_nested;                    //!< are no links
    std::set<std::string> m_taken;                          //!< ends of links, and uplinks
    Json m_hosts = Json::object();
    Json m_nodes = Json::object();
    Json m_links = Json::array();
};

} // namespace

Json
ImportDrawing(const Drawing& drawing, const std::string& fileName)
{
    return DrawingImporter(drawing, fileName).Import();
}

} // namespace esxnf
