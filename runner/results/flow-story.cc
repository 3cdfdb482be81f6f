// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/flow-story.h"

#include "netflow/ledger.h"
#include "runner/base/user-error.h"
#include "runner/results/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace esxnf
{

namespace
{

using netflow::Move;
using Row = CsvTable::Row;

/// The move of that name; the number of moves if there is none.
unsigned
MoveOf(std::string_view name)
{
    unsigned move = 0;
    while (move < netflow::MOVES && netflow::GetInfo(static_cast<Move>(move)).name != name)
    {
        ++move;
    }
    return move;
}

/// How a datagram or record ended up, as flows-lost.csv and flows-left.csv say it.
std::string
FateOf(std::string_view moveName)
{
    const unsigned move = MoveOf(moveName);
    return move == netflow::MOVES ? std::string(moveName)
                                  : netflow::GetFate(static_cast<Move>(move));
}

bool
IsLost(std::string_view moveName)
{
    const unsigned move = MoveOf(moveName);
    return move < netflow::MOVES && netflow::IsLoss(netflow::GetInfo(static_cast<Move>(move)).to);
}

bool
IsTo(std::string_view moveName, netflow::Place place)
{
    const unsigned move = MoveOf(moveName);
    return move < netflow::MOVES && netflow::GetInfo(static_cast<Move>(move)).to == place;
}

/// "collector-link at sw1" of "sw1/collector-link"; other places as they are.
std::string
PlaceInWords(std::string_view place)
{
    const std::size_t slash = place.find('/');
    if (slash == std::string_view::npos)
    {
        return std::string(place);
    }
    return fmt::format("{} at {}", place.substr(slash + 1), place.substr(0, slash));
}

/// The datagrams of a folder.
class Datagrams
{
  public:
    explicit Datagrams(const std::string& folder)
        : m_table(folder, "datagrams.csv")
    {
        const std::size_t exporter = m_table.Column("exporter");
        const std::size_t number = m_table.Column("datagram");
        for (std::size_t i = 0; i < m_table.GetSize(); ++i)
        {
            m_rows[{std::string(m_table[i].Text(exporter)), m_table[i].Unsigned(number)}] = i;
        }
    }

    /// Tells what happened to a datagram. \return its fate, as a move's name
    std::string Tell(const std::string& exporter, uint64_t number, FlowStory& story) const
    {
        const auto found = m_rows.find({exporter, number});
        if (found == m_rows.end())
        {
            throw UserError(
                fmt::format("datagrams.csv has no datagram {} of {}", number, exporter));
        }
        const Row row = m_table[found->second];
        std::string fate(row.Text(m_fate));
        story.events.push_back({row.Signed(m_sent),
                                fmt::format("polled; sent in datagram {} (sequence {}) to {}",
                                            number,
                                            row.Text(m_sequence),
                                            row.Text(m_collector))});
        if (!row.Text(m_exported).empty())
        {
            story.events.push_back(
                {row.Signed(m_exported), fmt::format("datagram {} leaves by the vmknic", number)});
        }
        if (!row.Text(m_concluded).empty())
        {
            story.events.push_back({row.Signed(m_concluded), Conclusion(row, number, fate)});
        }
        return fate;
    }

  private:
    std::string Conclusion(const Row& row, uint64_t number, const std::string& fate) const
    {
        const std::string place = PlaceInWords(row.Text(m_place));
        if (IsTo(fate, netflow::Place::COLLECTED))
        {
            const uint64_t copies = row.Unsigned(m_copies);
            return fmt::format("datagram {} received by {}{}",
                               number,
                               place,
                               copies > 1 ? fmt::format(", {} times", copies) : "");
        }
        return IsTo(fate, netflow::Place::UNSENT)
                   ? fmt::format("datagram {} refused by the socket", number)
                   : fmt::format("datagram {} lost on {}: {}", number, place, FateOf(fate));
    }

    CsvTable m_table;
    std::map<std::pair<std::string, uint64_t>, std::size_t> m_rows;
    std::size_t m_fate = m_table.Column("fate");
    std::size_t m_place = m_table.Column("place");
    std::size_t m_copies = m_table.Column("copies");
    std::size_t m_sequence = m_table.Column("sequence");
    std::size_t m_collector = m_table.Column("collector");
    std::size_t m_sent = m_table.Column("sent_ns");
    std::size_t m_exported = m_table.Column("exported_ns");
    std::size_t m_concluded = m_table.Column("concluded_ns");
};

/// Turns rows of records.csv into events.
class Teller
{
  public:
    explicit Teller(const std::string& folder)
        : m_table(folder, "records.csv"),
          m_datagrams(folder)
    {
    }

    std::vector<FlowStory> Tell(const FlowFilter& filter)
    {
        std::vector<FlowStory> stories;
        std::map<std::string, std::size_t> byFlow;
        for (std::size_t i = 0; i < m_table.GetSize(); ++i)
        {
            const Row row = m_table[i];
            if (!Wants(filter, row))
            {
                continue;
            }
            const std::string title = Title(row);
            const auto [found, isNew] = byFlow.emplace(title, stories.size());
            if (isNew)
            {
                stories.emplace_back().title = title;
            }
            Add(stories[found->second], row);
        }
        for (FlowStory& story : stories)
        {
            std::stable_sort(story.events.begin(),
                             story.events.end(),
                             [](const FlowEvent& a, const FlowEvent& b) { return a.at < b.at; });
        }
        return stories;
    }

  private:
    bool Wants(const FlowFilter& filter, const Row& row) const
    {
        const auto is = [&](const std::string& wanted, std::size_t column) {
            return wanted.empty() || row.Text(column) == wanted;
        };
        return is(filter.host, m_exporter) && is(filter.vSwitch, m_vSwitch) &&
               is(filter.protocol, m_proto) &&
               filter.pattern.Matches(row.Text(m_src),
                                      row.Text(m_sport),
                                      row.Text(m_dst),
                                      row.Text(m_dport));
    }

    std::string Title(const Row& row) const
    {
        const std::string tos =
            row.Text(m_tos) == "0" ? "" : fmt::format(" tos {}", row.Text(m_tos));
        return fmt::format("{}:{} -> {}:{} {}{}, into port {} of {}/{}",
                           row.Text(m_src),
                           row.Text(m_sport),
                           row.Text(m_dst),
                           row.Text(m_dport),
                           ProtocolName(row.Text(m_proto)),
                           tos,
                           row.Text(m_input),
                           row.Text(m_exporter),
                           row.Text(m_vSwitch));
    }

    void Add(FlowStory& story, const Row& row) const
    {
        const std::string station(row.Text(m_station));
        const bool shed = IsTo(station, netflow::Place::SHED);
        const ns3::EsxCounts counts{row.Unsigned(m_packets),
                                    row.Unsigned(m_octets),
                                    shed ? 0U : 1U};
        story.truth += counts;
        std::string fate = station;
        if (shed)
        {
            AddShed(story, row, counts, station);
        }
        else
        {
            AddLife(story, row, counts, station);
            if (!row.Text(m_datagram).empty())
            {
                fate = m_datagrams.Tell(std::string(row.Text(m_exporter)),
                                        row.Unsigned(m_datagram),
                                        story);
            }
        }
        if (IsTo(fate, netflow::Place::COLLECTED))
        {
            story.collected += counts;
        }
        else
        {
            (IsLost(fate) ? story.lost : story.left)[FateOf(fate)] += counts;
        }
    }

    void AddShed(FlowStory& story,
                 const Row& row,
                 const ns3::EsxCounts& counts,
                 const std::string& station) const
    {
        const std::string what = fmt::format("{} of {} shed from here on: {}",
                                             Counted(counts.packets, "packet"),
                                             Counted(counts.octets, "octet"),
                                             FateOf(station));
        story.events.push_back({row.Signed(m_first), what});
        if (row.Signed(m_last) > row.Signed(m_first))
        {
            story.events.push_back(
                {row.Signed(m_last), fmt::format("the last packet shed: {}", FateOf(station))});
        }
    }

    void AddLife(FlowStory& story,
                 const Row& row,
                 const ns3::EsxCounts& counts,
                 const std::string& station) const
    {
        const std::string what = fmt::format("metered: a record begins, of {}, {}",
                                             Counted(counts.packets, "packet"),
                                             Counted(counts.octets, "octet"));
        story.events.push_back({row.Signed(m_first), what});
        if (row.Signed(m_last) > row.Signed(m_first))
        {
            story.events.push_back({row.Signed(m_last), "its last packet"});
        }
        if (row.Text(m_ended).empty())
        {
            return; // live
        }
        const bool atOnce =
            IsTo(station, netflow::Place::DROPPED) || IsTo(station, netflow::Place::DISCARDED);
        const bool waited = !atOnce || row.Signed(m_moved) > row.Signed(m_ended);
        story.events.push_back({row.Signed(m_ended),
                                fmt::format("ended: {}{}",
                                            row.Text(m_reason),
                                            waited ? "; queued in purgatory" : "")});
        if (atOnce)
        {
            story.events.push_back(
                {row.Signed(m_moved),
                 fmt::format("{}: {}",
                             IsTo(station, netflow::Place::DROPPED) ? "dropped" : "discarded",
                             FateOf(station))});
        }
    }

    CsvTable m_table;
    Datagrams m_datagrams;
    std::size_t m_exporter = m_table.Column("exporter");
    std::size_t m_vSwitch = m_table.Column("vswitch");
    std::size_t m_src = m_table.Column("src");
    std::size_t m_dst = m_table.Column("dst");
    std::size_t m_proto = m_table.Column("proto");
    std::size_t m_sport = m_table.Column("sport");
    std::size_t m_dport = m_table.Column("dport");
    std::size_t m_tos = m_table.Column("tos");
    std::size_t m_input = m_table.Column("input");
    std::size_t m_packets = m_table.Column("packets");
    std::size_t m_octets = m_table.Column("octets");
    std::size_t m_first = m_table.Column("first_ns");
    std::size_t m_last = m_table.Column("last_ns");
    std::size_t m_reason = m_table.Column("reason");
    std::size_t m_ended = m_table.Column("ended_ns");
    std::size_t m_station = m_table.Column("station");
    std::size_t m_moved = m_table.Column("moved_ns");
    std::size_t m_datagram = m_table.Column("datagram");
};

void
AddCounts(TextTable& table, const std::string& what, const ns3::EsxCounts& counts)
{
    table.Add({what,
               Counted(counts.packets, "packet"),
               Counted(counts.octets, "octet"),
               Counted(counts.records, "record")});
}

} // namespace

std::vector<FlowStory>
ReadStories(const std::string& folder, const FlowFilter& filter)
{
    return Teller(folder).Tell(filter);
}

std::string
ToText(const FlowStory& story)
{
    TextTable table("<>>>", "  ");
    AddCounts(table, "truth", story.truth);
    AddCounts(table, "collected", story.collected);
    for (const auto& [cause, counts] : story.lost)
    {
        AddCounts(table, "lost: " + cause, counts);
    }
    for (const auto& [state, counts] : story.left)
    {
        AddCounts(table, "left: " + state, counts);
    }
    std::string text = story.title + "\n" + table.ToText();
    constexpr int64_t NS_PER_SECOND = 1'000'000'000;
    constexpr int64_t NS_PER_US = 1'000;
    for (const FlowEvent& event : story.events)
    {
        text += fmt::format("  {:>6}.{:06} s  {}\n",
                            event.at / NS_PER_SECOND,
                            event.at % NS_PER_SECOND / NS_PER_US,
                            event.what);
    }
    return text;
}

std::string
ProtocolName(std::string_view number)
{
    return number == "6"    ? "tcp"
           : number == "17" ? "udp"
           : number == "1"  ? "icmp"
                            : fmt::format("protocol {}", number);
}

} // namespace esxnf
