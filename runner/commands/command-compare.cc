// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow compare': runs another meter over the same capture and shows where it differs.
 */
#include "runner/base/endpoint.h"
#include "runner/base/row-writer.h"
#include "runner/base/shared-files.h"
#include "runner/capture/capture-reader.h"
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/probe/flow-comparison.h"
#include "runner/probe/peer.h"
#include "runner/probe/probe.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace esxnf
{

AddCommand AddCompare;

namespace
{

const char* const COMPARE_EXAMPLES = R"(Examples:
  esx-netflow compare --peer softflowd -r lan.pcap
  esx-netflow compare --peer nfpcapd -r lan.pcap --limit 0 --csv differences.csv
Reasons: padding or VLAN tags counted as octets; flows that differ in ToS only
merged; ToS not kept; timeouts not applied, or late; records ended at FIN or RST;
a record for each DNS or ICMP packet; tunnels decapsulated; fragments joined;
unknown. Exit code 0 whether the meters differ or not.)";

struct CompareOptions
{
    std::string peer;
    std::string capture;
    std::string csv;
    uint64_t limit{20};
    unsigned idleSeconds{15};
    unsigned activeSeconds{300};
};

/// Our own sums of a capture, by flow.
class OurFlows : public netflow::DatagramSink
{
  public:
    OurFlows(const CompareOptions& options, const InterruptCatcher& interrupt)
    {
        ProbeConfig config;
        config.metering.cache.idleTimeout = options.idleSeconds * netflow::NS_PER_SECOND;
        config.metering.cache.activeTimeout = options.activeSeconds * netflow::NS_PER_SECOND;
        CaptureReader reader(options.capture);
        CapturedFrame frame;
        Probe probe(config, *this);
        while (!interrupt.WasInterrupted() && reader.Next(frame))
        {
            const netflow::PacketSummary packet = reader.Parse(frame);
            probe.Observe(packet, frame.unixNs);
            NoteLink(frame, packet);
        }
        probe.Finish();
        oddities =
            DescribeClock(probe.GetClockCounts(), probe.GetExporter().GetRecordsOverSteps(), true);
        const std::vector<std::string> odd = reader.Describe();
        oddities.insert(oddities.end(), odd.begin(), odd.end());
    }

    bool Send(const netflow::Datagram& datagram) override
    {
        for (const netflow::QueuedRecord* queued : datagram.records)
        {
            const netflow::FlowRecord& record = queued->record;
            ComparedFlow& flow = flows[ToComparedKey(record.key)];
            flow.packets += record.packets;
            flow.octets += record.octets;
            ++flow.records;
            flow.tcpFlags |= record.tcpFlags;
            flow.tos.insert(record.key.tos);
        }
        return true;
    }

    ComparedFlows flows;
    std::map<ComparedKey, LinkOctets> link;
    std::vector<std::string> oddities; //!< of the capture, a line each

  private:
    static ComparedKey ToComparedKey(const netflow::FlowKey& key)
    {
        return {key.source, key.destination, key.protocol, key.sourcePort, key.destinationPort};
    }

    void NoteLink(const CapturedFrame& frame, const netflow::PacketSummary& packet)
    {
        if (packet.verdict != netflow::FrameVerdict::METERABLE)
        {
            return;
        }
        const LinkOctets octets{
            frame.link.GetPadding(frame.data, frame.captured, frame.wire, packet.octets),
            frame.link.GetTags(frame.data, frame.captured)};
        if (octets.padding > 0 || octets.tags > 0)
        {
            LinkOctets& sum = link[ToComparedKey(packet.key)];
            sum.padding += octets.padding;
            sum.tags += octets.tags;
        }
    }
};

std::string
JoinReasons(const FlowDifference& difference)
{
    std::vector<const char*> names;
    for (DifferenceReason reason : difference.reasons)
    {
        names.push_back(ToString(reason));
    }
    return fmt::format("{}", fmt::join(names, "; "));
}

/// "0x00,0xb8"; "none" of a flow that is not there
std::string
TosToText(const std::set<uint8_t>& tos)
{
    return tos.empty() ? "none" : fmt::format("{:#04x}", fmt::join(tos, ","));
}

/// A difference and its texts.
struct DifferenceRow
{
    const FlowDifference& of;
    std::string tos;
    std::string peerTos;
    std::string reasons;
};

ns3::EsxColumns<DifferenceRow>
DifferenceColumns()
{
    using R = DifferenceRow;
    using T = ns3::EsxColumnType;
    return {
        {{"src", T::ADDRESS, "", ""}, [](const R& r) { return r.of.key.source; }},
        {{"dst", T::ADDRESS, "", ""}, [](const R& r) { return r.of.key.destination; }},
        {{"proto", T::U8, "", ""}, [](const R& r) { return r.of.key.protocol; }},
        {{"sport", T::U16, "", ""}, [](const R& r) { return r.of.key.sourcePort; }},
        {{"dport", T::U16, "", ""}, [](const R& r) { return r.of.key.destinationPort; }},
        {{"packets", T::U64, "", ""}, [](const R& r) { return r.of.ours.packets; }},
        {{"octets", T::U64, "", ""}, [](const R& r) { return r.of.ours.octets; }},
        {{"records", T::U64, "", ""}, [](const R& r) { return r.of.ours.records; }},
        {{"tos", T::NAME, "", ""}, [](const R& r) -> ns3::EsxValue { return r.tos; }},
        {{"peer_packets", T::U64, "", ""}, [](const R& r) { return r.of.peer.packets; }},
        {{"peer_octets", T::U64, "", ""}, [](const R& r) { return r.of.peer.octets; }},
        {{"peer_records", T::U64, "", ""}, [](const R& r) { return r.of.peer.records; }},
        {{"peer_tos", T::NAME, "", ""}, [](const R& r) -> ns3::EsxValue { return r.peerTos; }},
        {{"reasons", T::NAME, "", ""}, [](const R& r) -> ns3::EsxValue { return r.reasons; }},
    };
}

void
WriteCsv(RowWriter<DifferenceRow>& rows, const std::vector<FlowDifference>& differences)
{
    for (const FlowDifference& difference : differences)
    {
        rows.Write({difference,
                    fmt::format("{}", fmt::join(difference.ours.tos, " ")),
                    fmt::format("{}", fmt::join(difference.peer.tos, " ")),
                    JoinReasons(difference)});
    }
    rows.Close();
}

void
PrintTotals(const CompareOptions& options, const ComparedFlows& ours, const ComparedFlows& peer)
{
    const ComparedFlow a = SumFlows(ours);
    const ComparedFlow b = SumFlows(peer);
    fmt::print("{:<10}{:>18}{:>18}{:>18}\n", "", "esx-netflow", options.peer, "difference");
    const auto line = [](const char* name, uint64_t x, uint64_t y) {
        fmt::print("{:<10}{:>18}{:>18}{:>+18}\n", name, x, y, static_cast<int64_t>(y - x));
    };
    line("packets", a.packets, b.packets);
    line("octets", a.octets, b.octets);
    line("records", a.records, b.records);
    line("flows", CountFlows(ours), CountFlows(peer));
}

void
PrintDifferences(const CompareOptions& options, const std::vector<FlowDifference>& differences)
{
    std::map<DifferenceReason, uint64_t> byReason;
    for (const FlowDifference& difference : differences)
    {
        for (DifferenceReason reason : difference.reasons)
        {
            ++byReason[reason];
        }
    }
    fmt::print("\nflows that differ: {}\n", differences.size());
    for (const auto& [reason, count] : byReason)
    {
        fmt::print("  {:<24}{:>10}\n", ToString(reason), count);
    }
    const uint64_t shown = options.limit == 0
                               ? differences.size()
                               : std::min<uint64_t>(options.limit, differences.size());
    for (uint64_t i = 0; i < shown; ++i)
    {
        const FlowDifference& difference = differences[i];
        fmt::print("{}: packets {} / {} octets {} / {} records {} / {} tos {} / {}: {}\n",
                   difference.key.ToString(),
                   difference.ours.packets,
                   difference.peer.packets,
                   difference.ours.octets,
                   difference.peer.octets,
                   difference.ours.records,
                   difference.peer.records,
                   TosToText(difference.ours.tos),
                   TosToText(difference.peer.tos),
                   JoinReasons(difference));
    }
    if (shown < differences.size())
    {
        fmt::print("… and {} more (--limit 0 shows all, --csv writes them)\n",
                   differences.size() - shown);
    }
}

ExitCode
RunCompare(const CompareOptions& options)
{
    if (options.capture == "-")
    {
        throw UserError("compare: a capture is read twice: it must be a file");
    }
    const std::vector<std::string>& names = PeerNames();
    if (std::find(names.begin(), names.end(), options.peer) == names.end())
    {
        throw UserError(
            fmt::format("--peer: '{}': {}", options.peer, Suggest(options.peer, names)));
    }
    RefuseSharedFiles({{"-r", options.capture}}, {{"--csv", options.csv}});
    const InterruptCatcher interrupt;
    std::optional<RowWriter<DifferenceRow>>
        rows; // before the peer runs: what cannot be written is known then
    if (!options.csv.empty())
    {
        rows.emplace(options.csv, ns3::EsxRowPrinter::CSV, DifferenceColumns(), OutputKind::WHOLE);
    }
    const OurFlows ours(options, interrupt);
    const ComparedFlows peer =
        RunPeer(options.peer,
                {options.capture, options.idleSeconds, options.activeSeconds},
                interrupt);
    if (ours.flows.empty() && peer.empty())
    {
        throw UserError(options.capture + ": nothing to compare: no meter found a flow in it");
    }
    const std::vector<FlowDifference> differences = CompareFlows(ours.flows, peer, ours.link);
    PrintTotals(options, ours.flows, peer);
    PrintDifferences(options, differences);
    for (const std::string& line : ours.oddities)
    {
        fmt::print("{}\n", line);
    }
    if (rows)
    {
        WriteCsv(*rows, differences);
    }
    return EXIT_GOOD;
}

} // namespace

void
AddCompare(CLI::App& program, int& exitCode)
{
    CLI::App* app =
        program.add_subcommand("compare", "Show where another meter differs over a capture");
    const auto options = std::make_shared<CompareOptions>();
    app->add_option("--peer", options->peer, "softflowd or nfpcapd")->type_name("NAME")->required();
    app->add_option("-r,--read", options->capture, "pcap or pcapng")->type_name("FILE")->required();
    AddNumber(*app, "--idle", options->idleSeconds, "S", 1U, 100'000U, "Idle timeout of both");
    AddNumber(*app,
              "--active",
              options->activeSeconds,
              "S",
              1U,
              100'000U,
              "Active timeout of both");
    AddNumber<uint64_t>(*app,
                        "--limit",
                        options->limit,
                        "N",
                        0,
                        UINT64_MAX,
                        "Show so many flows, 0: all");
    app->add_option("--csv", options->csv, "Write all flows that differ")->type_name("FILE");
    app->footer(COMPARE_EXAMPLES);
    app->callback([options, &exitCode] { exitCode = RunCompare(*options); });
}

} // namespace esxnf
