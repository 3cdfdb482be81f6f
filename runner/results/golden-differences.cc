// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/golden-differences.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

namespace esxnf
{

namespace
{

using Lines = std::vector<std::string>;

constexpr std::size_t MAX_LINES = 40; // of either kind: who wants all has the files

const std::array<std::string, 3> UNITS = {"packets", "octets", "records"};

Lines
Cut(Lines lines, const char* what)
{
    if (lines.size() > MAX_LINES)
    {
        const std::size_t more = lines.size() - MAX_LINES;
        lines.resize(MAX_LINES);
        lines.push_back(fmt::format("{} and {} more", what, more));
    }
    return lines;
}

/// Whether it is {packets, octets, records}.
bool
IsCounts(const Json& value)
{
    return value.is_object() && value.size() == UNITS.size() &&
           std::all_of(UNITS.begin(), UNITS.end(), [&value](const std::string& unit) {
               return value.contains(unit);
           });
}

/// The key by which the items of a list are told apart, empty if there is none.
std::string
NameOfItems(const Json& list)
{
    for (const char* key : {"name", "node"})
    {
        std::set<std::string> names;
        for (const Json& item : list)
        {
            if (item.is_object() && item.contains(key) && item.at(key).is_string())
            {
                names.insert(item.at(key));
            }
        }
        if (names.size() == list.size())
        {
            return key;
        }
    }
    return "";
}

/// An object in place of a list: its items by name where both lists have names, or by number.
Json
ByName(const Json& list, const std::string& key)
{
    Json items = Json::object();
    for (std::size_t i = 0; i < list.size(); ++i)
    {
        items[key.empty() ? std::to_string(i) : list[i].at(key).get<std::string>()] = list[i];
    }
    return items;
}

/// Appends what differs below a path. Null: there is no such thing.
class SummaryComparison
{
  public:
    void Compare(const std::string& path, const Json& was, const Json& is)
    {
        if (was == is)
        {
            return;
        }
        if (IsCounts(was) && IsCounts(is))
        {
            CompareCounts(path, was, is);
        }
        else if (was.is_object() && is.is_object())
        {
            CompareObjects(path, was, is);
        }
        else if (was.is_array() && is.is_array())
        {
            const std::string key = NameOfItems(was) == NameOfItems(is) ? NameOfItems(is) : "";
            CompareObjects(path, ByName(was, key), ByName(is, key));
        }
        else
        {
            lines.push_back(fmt::format("{}: was {}, is {}", path, InWords(was), InWords(is)));
        }
    }

    Lines lines;

  private:
    static std::string InWords(const Json& value)
    {
        return value.is_null() ? "not there" : value.dump();
    }

    void CompareCounts(const std::string& path, const Json& was, const Json& is)
    {
        std::string text;
        for (const std::string& unit : UNITS)
        {
            if (was.at(unit) != is.at(unit))
            {
                text += fmt::format("{}{} was {}, is {}",
                                    text.empty() ? "" : "; ",
                                    unit,
                                    was.at(unit).dump(),
                                    is.at(unit).dump());
            }
        }
        lines.push_back(path + ": " + text);
    }

    void CompareObjects(const std::string& path, const Json& was, const Json& is)
    {
        const std::string begin = path.empty() ? "" : path + ".";
        const std::size_t before = lines.size();
        for (const auto& [key, value] : was.items())
        {
            Compare(begin + key, value, is.contains(key) ? is.at(key) : Json());
        }
        for (const auto& [key, value] : is.items())
        {
            if (!was.contains(key))
            {
                Compare(begin + key, Json(), value);
            }
        }
        if (lines.size() == before) // items went by name, and all are equal
        {
            lines.push_back((path.empty() ? "summary" : path) + ": another order");
        }
    }
};

/// Loss of a flow for one cause: packets, octets, records.
using Counts = std::array<uint64_t, 3>;

/// Flows as people write them, and their losses by cause.
using LostFlows = std::map<std::string, std::map<std::string, Counts>>;

std::vector<std::string_view>
SplitRow(std::string_view line)
{
    std::vector<std::string_view> cells;
    for (std::size_t at = 0; at <= line.size();)
    {
        const std::size_t end = std::min(line.find(',', at), line.size());
        cells.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    return cells;
}

constexpr std::size_t FATE = 9; // of COLUMNS: the cause or state

/// The columns that are read, wherever they stand: those that identify a flow, the cause, and what
/// is lost; "state" in place of the cause of what is left.
const std::array<std::string_view, 13> COLUMNS = {"exporter",
                                                  "vswitch",
                                                  "src",
                                                  "dst",
                                                  "proto",
                                                  "sport",
                                                  "dport",
                                                  "tos",
                                                  "input",
                                                  "cause",
                                                  "packets",
                                                  "octets",
                                                  "records"};

/// "tcp", "udp", "icmp", else the number.
std::string
ProtocolName(std::string_view number)
{
    return number == "6"    ? "tcp"
           : number == "17" ? "udp"
           : number == "1"  ? "icmp"
                            : fmt::format("protocol {}", number);
}

std::string
FlowInWords(const std::vector<std::string_view>& cells)
{
    return fmt::format("{}/{} {}:{} -> {}:{} {}{}, port {}",
                       cells[0],
                       cells[1],
                       cells[2],
                       cells[5],
                       cells[3],
                       cells[6],
                       ProtocolName(cells[4]),
                       cells[7] == "0" ? "" : fmt::format(", tos {}", cells[7]),
                       cells[8]);
}

/// \return whether it is such a table
bool
Read(const std::string& table, LostFlows& flows)
{
    std::istringstream stream(table);
    std::string line;
    std::getline(stream, line);
    const std::string first = line;
    std::vector<std::string_view> header = SplitRow(first);
    std::replace(header.begin(), header.end(), std::string_view("state"), COLUMNS[FATE]);
    std::vector<std::size_t> places;
    for (const std::string_view column : COLUMNS)
    {
        places.push_back(std::find(header.begin(), header.end(), column) - header.begin());
        if (places.back() == header.size())
        {
            return false;
        }
    }
    while (std::getline(stream, line))
    {
        const std::vector<std::string_view> row = SplitRow(line);
        if (row.size() != header.size())
        {
            return false;
        }
        std::vector<std::string_view> cells;
        cells.reserve(places.size());
        for (const std::size_t place : places)
        {
            cells.push_back(row[place]);
        }
        Counts& counts = flows[FlowInWords(cells)][std::string(cells[FATE])];
        for (std::size_t i = 0; i < counts.size(); ++i)
        {
            const std::string_view cell = cells[FATE + 1 + i];
            uint64_t value = 0;
            if (std::from_chars(cell.data(), cell.data() + cell.size(), value).ec != std::errc())
            {
                return false;
            }
            counts[i] += value;
        }
    }
    return true;
}

std::string
InWords(const Counts* counts)
{
    if (!counts)
    {
        return "nothing";
    }
    std::string text;
    for (std::size_t i = 0; i < counts->size(); ++i)
    {
        const uint64_t count = (*counts)[i];
        const std::string unit = UNITS[i].substr(0, UNITS[i].size() - (count == 1));
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", count, unit);
    }
    return text;
}

/// \return nullptr if there is none of that name
template <typename Map>
const typename Map::mapped_type*
Find(const Map& map, const std::string& name)
{
    const auto found = map.find(name);
    return found == map.end() ? nullptr : &found->second;
}

/// One flow that loses other things than before.
struct FlowDifference
{
    FlowDifference(const std::string& what,
                   const std::string& flow,
                   const std::map<std::string, Counts>& was,
                   const std::map<std::string, Counts>& is)
    {
        std::set<std::string> causes;
        for (const auto* side : {&was, &is})
        {
            for (const auto& [cause, counts] : *side)
            {
                causes.insert(cause);
                octets += (side == &is ? 1 : -1) * static_cast<int64_t>(counts[1]);
            }
        }
        for (const std::string& cause : causes)
        {
            const Counts* const before = Find(was, cause);
            const Counts* const after = Find(is, cause);
            if (!before || !after || *before != *after)
            {
                text += fmt::format("{}{} was {}, is {}",
                                    text.empty() ? what + " flow " + flow + ": " : "; ",
                                    cause,
                                    InWords(before),
                                    InWords(after));
            }
        }
    }

    int64_t octets{0}; //!< that are lost now and were not
    std::string text;  //!< empty: nothing differs
};

std::vector<FlowDifference>
DifferencesOf(const std::string& what, const LostFlows& was, const LostFlows& is)
{
    std::set<std::string> names;
    for (const LostFlows* side : {&was, &is})
    {
        std::transform(side->begin(),
                       side->end(),
                       std::inserter(names, names.end()),
                       [](const auto& flow) { return flow.first; });
    }
    const std::map<std::string, Counts> nothing;
    std::vector<FlowDifference> differences;
    for (const std::string& name : names)
    {
        const auto* const before = Find(was, name);
        const auto* const after = Find(is, name);
        FlowDifference difference(what, name, before ? *before : nothing, after ? *after : nothing);
        if (!difference.text.empty())
        {
            differences.push_back(std::move(difference));
        }
    }
    std::stable_sort(differences.begin(), differences.end(), [](const auto& a, const auto& b) {
        return std::abs(a.octets) > std::abs(b.octets);
    });
    return differences;
}

} // namespace

std::vector<std::string>
DifferencesOfSummaries(const Json& golden, const Json& now)
{
    SummaryComparison comparison;
    comparison.Compare("", golden, now);
    return Cut(comparison.lines, "summary:");
}

std::vector<std::string>
DifferencesOfTables(const std::string& what, const std::string& golden, const std::string& now)
{
    const std::string flows = what + " flows";
    if (golden == now)
    {
        return {};
    }
    if (golden.empty() || now.empty())
    {
        return {fmt::format("{}: there {} no table", flows, golden.empty() ? "was" : "is")};
    }
    LostFlows was;
    LostFlows is;
    if (!Read(golden, was) || !Read(now, is))
    {
        return {flows + ": the golden table lacks columns: 'run --update' writes it anew"};
    }
    const std::vector<FlowDifference> differences = DifferencesOf(what, was, is);
    if (differences.empty())
    {
        const bool same = golden.substr(0, golden.find('\n')) == now.substr(0, now.find('\n'));
        return {flows + (same ? ": another order"
                              : ": other columns, the same flows: 'run --update' writes it anew")};
    }
    const auto more = std::count_if(differences.begin(), differences.end(), [](const auto& flow) {
        return flow.octets > 0;
    });
    const auto less = std::count_if(differences.begin(), differences.end(), [](const auto& flow) {
        return flow.octets < 0;
    });
    const auto others = static_cast<std::ptrdiff_t>(differences.size()) - more - less;
    Lines lines;
    for (const FlowDifference& difference : differences)
    {
        lines.push_back(difference.text);
    }
    lines = Cut(lines, (flows + ":").c_str());
    lines.insert(lines.begin(),
                 fmt::format("{} that differ: {} by more octets, {} by fewer, {} otherwise",
                             flows,
                             more,
                             less,
                             others));
    return lines;
}

} // namespace esxnf
