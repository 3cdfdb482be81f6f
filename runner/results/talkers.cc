// SPDX-License-Identifier: GPL-2.0-only
#include "runner/results/talkers.h"

#include "runner/commands/cli.h"
#include "runner/results/csv-table.h"
#include "runner/simulation/addresses.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>
#include <tuple>

namespace esxnf
{

namespace
{

constexpr int64_t NS_PER_MS = 1'000'000;
constexpr bool TRUTH = false;
constexpr bool COLLECTED = true;

/// A window, in ms of an exporter's uptime: [from, to).
struct Window
{
    double from;
    double to;

    /// The part of a record that lies in it, if the record is even over its milliseconds.
    double PartOf(int64_t firstMs, int64_t lastMs) const
    {
        const auto first = static_cast<double>(firstMs);
        const auto end = static_cast<double>(lastMs + 1);
        return std::max(0.0, std::min(end, to) - std::max(first, from)) / (end - first);
    }
};

/// A record of either table.
struct Seen
{
    std::string_view exporter;
    std::string_view vSwitch;
    std::string_view source;
    std::string_view destination;
    std::string_view port;
    bool isTry; //!< of a TCP or UDP port: by its numbers no answer of a server
    double packets;
    double octets;
    bool isRecord; //!< false: shed packets
};

/// What is summed up of one source.
struct Sums
{
    double octets{0};
    double packets{0};
    double records{0};
    std::map<std::string_view, std::set<std::string_view>> portsOf; //!< by destination
};

using SourceKey = std::tuple<std::string, std::string, std::string>; // exporter, vSwitch, address

uint64_t
Whole(double value)
{
    return static_cast<uint64_t>(std::llround(value));
}

/// Everything of both tables that lies in the window.
class Usage
{
  public:
    Usage(const std::string& folder, const Scenario& scenario, ns3::Time from, ns3::Time to)
        : m_truthTable(folder, "records.csv"),
          m_collectedTable(folder, "flows-collected.csv")
    {
        for (const Host& host : scenario.hosts)
        {
            const double uptime = static_cast<double>(host.uptimeAtStart.GetNanoSeconds());
            m_uptimeNs[host.name] = host.uptimeAtStart.GetNanoSeconds();
            m_windows[host.name] = {
                (static_cast<double>(from.GetNanoSeconds()) + uptime) / NS_PER_MS,
                (static_cast<double>(to.GetNanoSeconds()) + uptime) / NS_PER_MS};
        }
        AddTruth();
        AddCollected();
    }

    const std::map<SourceKey, std::array<Sums, 2>>& GetSources() const
    {
        return m_sources;
    }

    /// Octets to an address over a vSwitch.
    double GetOctetsTo(const SourceKey& destination, bool collected) const
    {
        const auto found = m_octetsTo.find(destination);
        return found == m_octetsTo.end() ? 0 : found->second[collected];
    }

  private:
    void AddTruth()
    {
        const CsvTable& table = m_truthTable;
        const std::size_t first = table.Column("first_ns");
        const std::size_t last = table.Column("last_ns");
        const std::size_t output = table.Column("output");
        const Columns columns(table);
        for (std::size_t i = 0; i < table.GetSize(); ++i)
        {
            const CsvTable::Row row = table[i];
            const int64_t uptime = UptimeOf(row.Text(columns.exporter));
            Add(columns.Read(row, !row.Text(output).empty()),
                (row.Signed(first) + uptime) / NS_PER_MS,
                (row.Signed(last) + uptime) / NS_PER_MS,
                TRUTH);
        }
    }

    void AddCollected()
    {
        const CsvTable& table = m_collectedTable;
        const std::size_t first = table.Column("first_ms");
        const std::size_t last = table.Column("last_ms");
        const Columns columns(table);
        for (std::size_t i = 0; i < table.GetSize(); ++i)
        {
            const CsvTable::Row row = table[i];
            UptimeOf(row.Text(columns.exporter));
            Add(columns.Read(row, true), row.Signed(first), row.Signed(last), COLLECTED);
        }
    }

    /// The columns that both tables have.
    struct Columns
    {
        explicit Columns(const CsvTable& table)
            : exporter(table.Column("exporter")),
              vSwitch(table.Column("vswitch")),
              source(table.Column("src")),
              destination(table.Column("dst")),
              protocol(table.Column("proto")),
              sourcePort(table.Column("sport")),
              port(table.Column("dport")),
              packets(table.Column("packets")),
              octets(table.Column("octets"))
        {
        }

        Seen Read(const CsvTable::Row& row, bool isRecord) const
        {
            return {row.Text(exporter),
                    row.Text(vSwitch),
                    row.Text(source),
                    row.Text(destination),
                    row.Text(port),
                    IsTry(row),
                    static_cast<double>(row.Unsigned(packets)),
                    static_cast<double>(row.Unsigned(octets)),
                    isRecord};
        }

        /// Who asks uses a higher port than who answers.
        bool IsTry(const CsvTable::Row& row) const
        {
            const bool hasPorts = row.Text(protocol) == "6" || row.Text(protocol) == "17";
            return hasPorts && row.Unsigned(port) < row.Unsigned(sourcePort);
        }

        std::size_t exporter;
        std::size_t vSwitch;
        std::size_t source;
        std::size_t destination;
        std::size_t protocol;
        std::size_t sourcePort;
        std::size_t port;
        std::size_t packets;
        std::size_t octets;
    };

    int64_t UptimeOf(std::string_view exporter) const
    {
        const auto found = m_uptimeNs.find(exporter);
        if (found == m_uptimeNs.end())
        {
            throw CommandError(EXIT_USAGE,
                               fmt::format("resolved.yaml has no host {}, tables do", exporter));
        }
        return found->second;
    }

    void Add(const Seen& seen, int64_t firstMs, int64_t lastMs, bool collected)
    {
        const double part = m_windows.find(seen.exporter)->second.PartOf(firstMs, lastMs);
        if (part <= 0)
        {
            return;
        }
        const std::string exporter(seen.exporter);
        const std::string vSwitch(seen.vSwitch);
        Sums& sums = m_sources[{exporter, vSwitch, std::string(seen.source)}][collected];
        sums.octets += part * seen.octets;
        sums.packets += part * seen.packets;
        sums.records += seen.isRecord ? 1 : 0;
        auto& ports = sums.portsOf[seen.destination];
        if (seen.isTry)
        {
            ports.insert(seen.port);
        }
        m_octetsTo[{exporter, vSwitch, std::string(seen.destination)}][collected] +=
            part * seen.octets;
    }

    const CsvTable m_truthTable;
    const CsvTable m_collectedTable;
    std::map<std::string, int64_t, std::less<>> m_uptimeNs;
    std::map<std::string, Window, std::less<>> m_windows;
    std::map<SourceKey, std::array<Sums, 2>> m_sources;
    std::map<SourceKey, std::array<double, 2>> m_octetsTo;
};

template <typename Read>
TruthAndCollected
Both(const std::array<Sums, 2>& sums, Read read)
{
    return {Whole(read(sums[TRUTH])), Whole(read(sums[COLLECTED]))};
}

std::vector<TalkerUsage>
TopTalkers(const Usage& usage, const std::map<std::string, std::string>& names, std::size_t top)
{
    std::vector<TalkerUsage> talkers;
    for (const auto& [key, sums] : usage.GetSources())
    {
        const auto& [exporter, vSwitch, address] = key;
        const auto name = names.find(address);
        talkers.push_back({exporter,
                           vSwitch,
                           address,
                           name == names.end() ? "" : name->second,
                           Both(sums, [](const Sums& s) { return s.octets; }),
                           Both(sums, [](const Sums& s) { return s.packets; }),
                           Both(sums, [](const Sums& s) { return s.records; })});
    }
    const auto place = [](const TalkerUsage& talker) {
        return std::tie(talker.exporter, talker.vSwitch);
    };
    std::stable_sort(talkers.begin(), talkers.end(), [&](const auto& a, const auto& b) {
        return place(a) != place(b) ? place(a) < place(b) : a.octets.truth > b.octets.truth;
    });
    std::vector<TalkerUsage> first;
    std::size_t rank = 0;
    for (const TalkerUsage& talker : talkers)
    {
        rank = first.empty() || place(first.back()) != place(talker) ? 0 : rank;
        if (top == 0 || rank < top)
        {
            first.push_back(talker);
            ++rank;
        }
    }
    return first;
}

std::vector<VmUsage>
VmsOf(const Usage& usage, const Scenario& scenario)
{
    std::vector<VmUsage> vms;
    for (const Host& host : scenario.hosts)
    {
        for (const Vm& vm : host.vms)
        {
            for (const Nic& nic : vm.nics)
            {
                VmUsage used;
                used.exporter = host.name;
                used.vSwitch = host.FindVSwitchOf(nic.portGroup)->name;
                used.name = vm.name;
                used.address = ToDotted(nic.address.address);
                const SourceKey key{used.exporter, used.vSwitch, used.address};
                const auto source = usage.GetSources().find(key);
                if (source != usage.GetSources().end())
                {
                    used.out = Both(source->second, [](const Sums& s) { return s.octets; });
                }
                used.in = {Whole(usage.GetOctetsTo(key, TRUTH)),
                           Whole(usage.GetOctetsTo(key, COLLECTED))};
                vms.push_back(used);
            }
        }
    }
    return vms;
}

/// The most ports that a source tried at one destination.
std::pair<std::string, std::size_t>
MostPorts(const Sums& sums)
{
    std::pair<std::string, std::size_t> most{"", 0};
    for (const auto& [destination, ports] : sums.portsOf)
    {
        if (ports.size() > most.second)
        {
            most = {std::string(destination), ports.size()};
        }
    }
    return most;
}

std::size_t
PortsAt(const Sums& sums, const std::string& destination)
{
    const auto found = sums.portsOf.find(destination);
    return found == sums.portsOf.end() ? 0 : found->second.size();
}

/// From how many octets a source's volume is irregular; no limit if there is nothing to compare
/// with.
double
VolumeLimit(std::vector<double> octets, double times)
{
    constexpr std::size_t ENOUGH = 3;
    const auto middle = octets.begin() + static_cast<std::ptrdiff_t>(octets.size() / 2);
    std::nth_element(octets.begin(), middle, octets.end());
    return octets.size() < ENOUGH || *middle <= 0 ? HUGE_VAL : times * *middle;
}

/// Looks for irregular sources, vSwitch by vSwitch.
class Watch
{
  public:
    Watch(const Usage& usage,
          const std::map<std::string, std::string>& names,
          const TalkersOptions& options)
        : m_names(names),
          m_options(options)
    {
        std::map<std::pair<std::string, std::string>, std::array<std::vector<double>, 2>> volumes;
        for (const auto& [key, sums] : usage.GetSources())
        {
            for (const bool side : {TRUTH, COLLECTED})
            {
                if (sums[side].octets > 0)
                {
                    volumes[{std::get<0>(key), std::get<1>(key)}][side].push_back(
                        sums[side].octets);
                }
            }
        }
        for (auto& [place, octets] : volumes)
        {
            for (const bool side : {TRUTH, COLLECTED})
            {
                m_limits[place][side] =
                    octets[side].empty() ? HUGE_VAL : VolumeLimit(octets[side], options.volume);
            }
        }
        for (const auto& [key, sums] : usage.GetSources())
        {
            Look(key, sums);
        }
    }

    std::vector<Irregularity> TakeFound()
    {
        const auto order = [](const Irregularity& i) {
            return std::tie(i.exporter, i.vSwitch, i.kind, i.address);
        };
        std::stable_sort(m_found.begin(), m_found.end(), [&](const auto& a, const auto& b) {
            return order(a) < order(b);
        });
        return std::move(m_found);
    }

  private:
    void Look(const SourceKey& key, const std::array<Sums, 2>& sums)
    {
        Note(key,
             "fan_out",
             "",
             static_cast<double>(sums[TRUTH].portsOf.size()),
             static_cast<double>(sums[COLLECTED].portsOf.size()),
             {static_cast<double>(m_options.fanOut), static_cast<double>(m_options.fanOut)});
        std::string target = MostPorts(sums[TRUTH]).first;
        target = target.empty() ? MostPorts(sums[COLLECTED]).first : target;
        Note(key,
             "port_scan",
             target,
             static_cast<double>(PortsAt(sums[TRUTH], target)),
             static_cast<double>(PortsAt(sums[COLLECTED], target)),
             {static_cast<double>(m_options.ports), static_cast<double>(m_options.ports)});
        Note(key,
             "volume",
             "",
             sums[TRUTH].octets,
             sums[COLLECTED].octets,
             m_limits[{std::get<0>(key), std::get<1>(key)}]);
    }

    void Note(const SourceKey& key,
              const char* kind,
              const std::string& target,
              double truth,
              double collected,
              const std::array<double, 2>& limits)
    {
        const bool inTruth = truth >= limits[TRUTH];
        const bool inCollected = collected >= limits[COLLECTED];
        if (!inTruth && !inCollected)
        {
            return;
        }
        const auto& [exporter, vSwitch, address] = key;
        const auto name = m_names.find(address);
        m_found.push_back({exporter,
                           vSwitch,
                           address,
                           name == m_names.end() ? "" : name->second,
                           kind,
                           target,
                           {Whole(truth), Whole(collected)},
                           std::isinf(limits[TRUTH]) ? 0 : Whole(limits[TRUTH]),
                           inTruth,
                           inCollected});
    }

    const std::map<std::string, std::string>& m_names;
    const TalkersOptions& m_options;
    std::map<std::pair<std::string, std::string>, std::array<double, 2>> m_limits;
    std::vector<Irregularity> m_found;
};

/// Simulated time that the run reached.
ns3::Time
EndOf(const std::string& folder)
{
    std::ifstream file(folder + "/summary.json");
    const Json summary = Json::parse(file, nullptr, false);
    if (!summary.is_object() || !summary.contains("end_ns") || !summary["end_ns"].is_number())
    {
        throw CommandError(EXIT_USAGE, fmt::format("{} is no result folder", folder));
    }
    return ns3::NanoSeconds(summary["end_ns"].get<int64_t>());
}

Scenario
ScenarioOf(const std::string& folder)
{
    try
    {
        return LoadScenario(folder + "/resolved.yaml");
    }
    catch (const ScenarioError& error)
    {
        throw CommandError(EXIT_USAGE, error.what());
    }
}

} // namespace

TalkersReport
ReadTalkers(const std::string& folder, const TalkersOptions& options)
{
    TalkersReport report;
    const ns3::Time end = EndOf(folder);
    report.from = options.last ? std::max(ns3::Time(0), end - *options.last)
                               : options.from.value_or(ns3::Time(0));
    report.to = options.to ? std::min(*options.to, end) : end;
    if (report.from >= report.to)
    {
        throw CommandError(
            EXIT_USAGE,
            fmt::format("the window is empty: the run ends at {} s", end.GetSeconds()));
    }
    const Scenario scenario = ScenarioOf(folder);
    std::map<std::string, std::string> names;
    for (const auto& [address, name] : NamesOfAddresses(scenario))
    {
        names[ToDotted(address)] = name;
    }
    const Usage usage(folder, scenario, report.from, report.to);
    report.talkers = TopTalkers(usage, names, options.top);
    report.vms = VmsOf(usage, scenario);
    report.irregular = Watch(usage, names, options).TakeFound();
    return report;
}

} // namespace esxnf
