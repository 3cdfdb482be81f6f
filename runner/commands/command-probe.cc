// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow probe': meters a capture and exports it as NetFlow v5 to a real collector.
 */
#include "runner/base/output-file.h"
#include "runner/base/shared-files.h"
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/commands/probe-session.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace esxnf
{

AddCommand AddProbe;

namespace
{

const char* const PROBE_EXAMPLES = R"(Examples:
  esx-netflow probe -r trunk.pcap --map 101=1:5 --map 102=2:3 -n 127.0.0.1:2055 -n other:9995 -v
  esx-netflow probe -i eth0 -n collector --stats 10      until Ctrl-C or SIGTERM, which flushes)";

// First may lie 2^31 ms = 2.1e6 s before SysUptime (docs/netflow-v5-rules.md, R6): a timeout, a
// scan and a poll together.
constexpr double MAX_SECONDS = 1e6;
constexpr uint32_t MAX_POLL_MS = 1'000'000'000;
constexpr double MAX_UPTIME = 4e9; // the time since 1970 bounds it before

/// The options as given, where they are not what a session takes.
struct ProbeOptions
{
    ProbeSessionConfig session;
    std::vector<std::string> maps;
    double idleSeconds{15};
    double activeSeconds{300};
    double scanMs{10};
    double uptimeSeconds{0};
    double statisticsSeconds{0};
    uint32_t pollMs{1000};
    bool lossy{false};
    bool quietInterface{false};
};

netflow::TimeNs
ToNs(double value, netflow::TimeNs unit)
{
    return std::llround(value * static_cast<double>(unit));
}

int
RunProbe(ProbeOptions& options)
{
    ProbeSessionConfig& session = options.session;
    if (session.capture.empty() == session.interface.empty())
    {
        throw UserError("probe: one of -r FILE and -i INTERFACE is needed; --help shows more");
    }
    const ProbeExportConfig& out = session.exporting;
    RefuseSharedFiles({{"-r", session.capture}},
                      {{"-w", out.captureFile}, {"--csv", out.csvFile}, {"--json", out.jsonFile}});
    session.exporting.outputs = KindOfOutputs(session.capture);
    netflow::FlowCacheConfig& cache = session.probe.metering.cache;
    cache.idleTimeout = ToNs(options.idleSeconds, netflow::NS_PER_SECOND);
    cache.activeTimeout = ToNs(options.activeSeconds, netflow::NS_PER_SECOND);
    cache.scanInterval = ToNs(options.scanMs, netflow::NS_PER_MS);
    session.probe.uptimeAtStart = ToNs(options.uptimeSeconds, netflow::NS_PER_SECOND);
    session.probe.pollPeriod = options.pollMs * netflow::NS_PER_MS;
    session.probe.lossless = !options.lossy;
    session.statisticsPeriod = ToNs(options.statisticsSeconds, netflow::NS_PER_SECOND);
    session.promiscuous = !options.quietInterface;
    for (const std::string& map : options.maps)
    {
        session.probe.vlans.Add(map);
    }
    return RunProbeSession(session);
}

/// "EvictOldest" is "evict-oldest" at the command line.
std::string
WithHyphens(const char* word)
{
    std::string text;
    for (const char* letter = word; *letter; ++letter)
    {
        const bool isCapital = *letter >= 'A' && *letter <= 'Z';
        text += isCapital && letter != word ? "-" : "";
        text += static_cast<char>(isCapital ? *letter - 'A' + 'a' : *letter);
    }
    return text;
}

/// An option whose value is a policy of a table. \param value the default
template <typename Policy, typename Info, std::size_t POLICIES>
void
AddPolicy(CLI::App& app,
          const std::string& name,
          Policy& value,
          const Info (&infos)[POLICIES],
          std::string help)
{
    std::map<std::string, Policy> words;
    for (const Info& info : infos)
    {
        const std::string word = WithHyphens(info.word);
        help += (words.empty() ? ": " : ", ") + word;
        help += info.policy == value ? " (default)" : "";
        words[word] = info.policy;
    }
    AddChoice(app, name, value, words, help.c_str());
}

void
DescribeInput(CLI::App& app, ProbeOptions& options)
{
    ProbeSessionConfig& session = options.session;
    app.add_option("-r,--read", session.capture, "pcap or pcapng, '-': standard input")
        ->type_name("FILE");
    app.add_flag_callback(
        "--trust-ip-length",
        [&session] { session.lengths = CapturedLengths::LOST; },
        "Count packets by it that were cut without a note");
    app.add_option("-i,--interface", session.interface, "Or meter a network interface, live")
        ->type_name("NAME");
    app.add_flag("--no-promiscuous", options.quietInterface, "Leave out frames to other stations");
    AddNumber<uint64_t>(app,
                        "-c,--count",
                        session.maxPackets,
                        "N",
                        1,
                        UINT64_MAX,
                        "End after so many packets");
    AddNumber(app,
              "--stats",
              options.statisticsSeconds,
              "S",
              0.0,
              MAX_SECONDS,
              "Print a line each S seconds, 0: none");
}

void
DescribeExport(CLI::App& app, ProbeOptions& options)
{
    ProbeExportConfig& exporting = options.session.exporting;
    netflow::ExporterConfig& exporter = options.session.probe.exporter;
    app.add_option("-n,--collector",
                   exporting.collectors,
                   "Send the datagrams there (2055); may be repeated")
        ->type_name("HOST[:PORT]")
        ->allow_extra_args(false);
    app.add_option("-w,--write", exporting.captureFile, "Write the datagrams as a capture")
        ->type_name("FILE");
    app.add_option("--csv", exporting.csvFile, "Write the records as CSV, '-': standard output")
        ->type_name("FILE");
    app.add_option("--json", exporting.jsonFile, "The same as JSON lines")->type_name("FILE");
    app.add_flag("-v,--verbose", exporting.verbose, "Print the flows sent");
    app.add_flag("-p,--alternate-ids",
                 exporter.alternatePortIds,
                 "Interfaces as switch ID and port");
    AddNumber(app, "-s,--poll", options.pollMs, "MS", 1U, MAX_POLL_MS, "Poll period");
    AddChoice(app,
              "--sequence",
              exporter.sequenceMode,
              {{"at-send", netflow::SequenceMode::AT_SEND},
               {"at-expiry", netflow::SequenceMode::AT_EXPIRY}},
              "at-send (default), or at-expiry: drops show as gaps");
    AddNumber(app,
              "--initial-sequence",
              exporter.initialSequence,
              "N",
              0U,
              std::numeric_limits<uint32_t>::max(),
              "Sequence of the first record");
    exporting.rate = UdpSender::DEFAULT_RATE;
    AddNumber(app,
              "--rate",
              exporting.rate,
              "N",
              0.0,
              1e9,
              "Datagrams a second at most, 0: no limit");
    AddNumber(app,
              "--uptime",
              options.uptimeSeconds,
              "S",
              0.0,
              MAX_UPTIME,
              "Of the exporter at the first packet");
}

void
DescribePorts(CLI::App& app, ProbeOptions& options)
{
    ProbeConfig& probe = options.session.probe;
    AddNumber<uint16_t>(app,
                        "--switch",
                        probe.ingress.vSwitch,
                        "ID",
                        1,
                        UINT16_MAX,
                        "vSwitch: the engine");
    AddNumber<uint16_t>(app,
                        "--input",
                        probe.ingress.port,
                        "PORT",
                        0,
                        UINT16_MAX,
                        "By which all packets enter");
    app.add_option("--map", options.maps, "But a VLAN's by this vSwitch and port; may be repeated")
        ->type_name("VLAN=ID:PORT")
        ->allow_extra_args(false);
    AddNumber<uint16_t>(app,
                        "--output",
                        probe.output,
                        "PORT",
                        0,
                        UINT16_MAX,
                        "By which they leave, 0: unknown");
}

void
DescribeMetering(CLI::App& app, ProbeOptions& options)
{
    netflow::MeteringConfig& metering = options.session.probe.metering;
    AddNumber(app, "--idle", options.idleSeconds, "S", 1e-3, MAX_SECONDS, "Idle timeout");
    AddNumber(app, "--active", options.activeSeconds, "S", 1e-3, MAX_SECONDS, "Active timeout");
    AddNumber(app,
              "--scan-interval",
              options.scanMs,
              "MS",
              1e-3,
              1e6,
              "Records end on multiples of it");
    AddNumber(app,
              "--purgatory",
              metering.purgatoryMax,
              "N",
              1U,
              1U << 24,
              "Records that can wait for a poll");
    app.add_flag("--lossy", options.lossy, "A full purgatory drops; without, it is polled at once");
    AddPolicy(app,
              "--purgatory-policy",
              metering.purgatoryPolicy,
              netflow::PURGATORY_POLICY_INFOS,
              "Then");
    AddNumber<uint64_t>(app,
                        "--heap",
                        options.session.probe.heapMaximum,
                        "OCTETS",
                        0,
                        UINT64_MAX,
                        "Modelled memory; no limit if not given");
    AddNumber<uint64_t>(app,
                        "--max-flows",
                        metering.cache.maxEntries,
                        "N",
                        1,
                        UINT64_MAX,
                        "Live records; no limit if not given");
    AddPolicy(app, "--cache-policy", metering.cache.policy, netflow::CACHE_POLICY_INFOS, "No room");
}

} // namespace

void
AddProbe(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("probe", "Meter a capture, export it as NetFlow v5");
    const auto options = std::make_shared<ProbeOptions>();
    DescribeInput(*app, *options);
    DescribeExport(*app, *options);
    DescribePorts(*app, *options);
    DescribeMetering(*app, *options);
    app->footer(PROBE_EXAMPLES);
    app->callback([options, &exitCode] { exitCode = RunProbe(*options); });
}

} // namespace esxnf
