// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow probe': meters a capture and exports it as NetFlow v5 to a real collector.
 */
#include "runner/capture-reader.h"
#include "runner/cli.h"
#include "runner/datagram-text.h"
#include "runner/interrupt.h"
#include "runner/probe.h"
#include "runner/scenario-diagnostic.h"
#include "runner/udp-sender.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <optional>

namespace esxnf
{

AddCommand AddProbe;

namespace
{

const char* const EXAMPLES = R"(Examples:
  esx-netflow probe -r lan.pcap
  esx-netflow probe -r lan.pcap -n 127.0.0.1:2055 -v
  esx-netflow probe -r lan.pcap -n collector --idle 30 --rate 10000
  esx-netflow probe -r lan.pcap -n 127.0.0.1 --lossy --purgatory 100 -s 5000
A capture that ends too early is exported as far as it goes; exit code 2.)";

constexpr double DEFAULT_RATE = 2000; // keeps 45 ms of datagrams in a default socket buffer: a
                                      // collector may sleep that long
// First may lie 2^31 ms = 2.1e6 s before SysUptime (rule R6): a timeout, a scan and a poll
// together.
constexpr double MAX_SECONDS = 1e6;
constexpr uint32_t MAX_POLL_MS = 1'000'000'000;

/// The options as given.
struct Options
{
    std::string capture;
    std::string collector; // empty: no export
    ProbeConfig probe;
    double idleSeconds{15};
    double activeSeconds{300};
    double scanMs{10};
    uint32_t pollMs{1000};
    double rate{DEFAULT_RATE};
    bool lossy{false};
    bool verbose{false};
};

netflow::TimeNs
ToNs(double value, netflow::TimeNs unit)
{
    return std::llround(value * static_cast<double>(unit));
}

/// Prints and sends, both if asked for.
class ExportSink : public netflow::DatagramSink
{
  public:
    explicit ExportSink(const Options& options)
        : m_verbose(options.verbose)
    {
        if (!options.collector.empty())
        {
            m_sender.emplace(ParseEndpoint(options.collector), "", options.rate);
        }
    }

    bool Send(const netflow::Datagram& datagram) override
    {
        if (m_verbose)
        {
            netflow::V5Header header;
            netflow::DecodeV5(datagram.data, datagram.size, header, m_records);
            fmt::print("datagram {} {}", datagram.number + 1, DatagramToText(header, m_records));
        }
        return !m_sender || m_sender->Send(datagram.data, datagram.size);
    }

    void PortAliased(uint16_t vSwitch, uint16_t port) override
    {
        PrintError(fmt::format("-p: port {} of switch {} looks like port {}: 7 bits of switch ID "
                               "and 9 of port are kept",
                               port,
                               vSwitch,
                               netflow::IfIndexToPort(netflow::EncodeIfIndex(vSwitch, port))));
    }

    std::optional<UdpSender>& GetSender()
    {
        return m_sender;
    }

  private:
    const bool m_verbose;
    std::optional<UdpSender> m_sender;
    std::vector<netflow::V5Record> m_records;
};

void
PrintCounts(const char* name, const netflow::Counts& counts)
{
    fmt::print("{:<24}{:>14}{:>18}{:>12}\n", name, counts.packets, counts.octets, counts.records);
}

/// Every move of the ledger that happened, then what no move tells.
void
PrintStatistics(const Probe& probe, ExportSink& sink)
{
    fmt::print("{:<24}{:>14}{:>18}{:>12}\n", "", "packets", "octets", "records");
    const netflow::Account total = probe.GetLedger().GetTotal();
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const auto move = static_cast<netflow::Move>(i);
        if (!(total.Get(move) == netflow::Counts{}))
        {
            PrintCounts(netflow::GetInfo(move).name, total.Get(move));
        }
    }
    PrintCounts("residual", probe.GetResidual());
    const auto& purgatory = probe.GetMetering().GetPurgatory();
    fmt::print("datagrams {}\n", probe.GetExporter().GetDatagrams());
    fmt::print("cache high water {} records\n", probe.GetMetering().GetCache().GetHighWater());
    fmt::print("purgatory high water {} of {} records\n",
               purgatory.GetHighWater(),
               purgatory.GetBound());
    fmt::print("clock steps backwards {}\n", probe.GetMetering().GetClockRegressions());
    if (!sink.GetSender())
    {
        fmt::print("nothing was sent: no collector was given (-n)\n");
        return;
    }
    const UdpSendStatistics& udp = sink.GetSender()->GetStatistics();
    fmt::print("socket: sent {} refused {} no-buffers {} failed {}{}\n",
               udp.sent,
               udp.refused,
               udp.noBuffers,
               udp.failed,
               udp.lastError ? fmt::format(" (last error: {})", std::strerror(udp.lastError)) : "");
}

int
RunProbe(const Options& options)
{
    const InterruptCatcher interrupt;
    CaptureReader reader(options.capture);
    ExportSink sink(options);
    CapturedFrame frame;
    bool more = reader.Next(frame);
    Probe probe(options.probe, more ? frame.unixNs : 0, sink);
    int exitCode = EXIT_GOOD;
    try
    {
        for (; more && !interrupt.WasInterrupted(); more = reader.Next(frame))
        {
            probe.Observe(reader.Parse(frame), frame.unixNs);
        }
    }
    catch (const CaptureError& error)
    {
        exitCode = interrupt.WasInterrupted() ? EXIT_INTERRUPTED : EXIT_USAGE;
        PrintError(error.what());
    }
    probe.Finish();
    PrintStatistics(probe, sink);
    if (!(probe.GetResidual() == netflow::Counts{}))
    {
        exitCode = EXIT_RESIDUAL;
    }
    return interrupt.WasInterrupted() ? EXIT_INTERRUPTED : exitCode;
}

/// An option with a unit, a range and a default.
template <typename T>
void
AddNumber(CLI::App& app,
          const char* names,
          T& value,
          const char* unit,
          T low,
          T high,
          const char* help)
{
    app.add_option(names, value, help)
        ->type_name(unit)
        ->check(CLI::Range(low, high).description(""))
        ->capture_default_str();
}

/// An option whose value is one of some words.
template <typename T>
void
AddChoice(CLI::App& app,
          const std::string& name,
          T& value,
          const std::map<std::string, T>& words,
          const char* help)
{
    const auto choose = [name, &value, words](const std::string& word) {
        const auto found = words.find(word);
        if (found == words.end())
        {
            std::vector<std::string> allowed;
            std::transform(words.begin(),
                           words.end(),
                           std::back_inserter(allowed),
                           [](const auto& w) { return w.first; });
            throw CLI::ValidationError(name, fmt::format("'{}': {}", word, Suggest(word, allowed)));
        }
        value = found->second;
    };
    app.add_option_function<std::string>(name, choose, help)->type_name("WORD");
}

void
DescribeExport(CLI::App& app, Options& options)
{
    netflow::ExporterConfig& exporter = options.probe.exporter;
    app.add_option("-n,--collector",
                   options.collector,
                   "Send the datagrams there; port 2055 if not given")
        ->type_name("HOST[:PORT]");
    app.add_flag("-v,--verbose", options.verbose, "Print the flows sent");
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
              "--rate",
              options.rate,
              "N",
              0.0,
              1e9,
              "Datagrams a second at most, 0: no limit");
}

void
DescribeMetering(CLI::App& app, Options& options)
{
    netflow::MeteringConfig& metering = options.probe.metering;
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
    app.add_option("--heap", options.probe.heapMaximum, "Modelled memory; no limit if not given")
        ->type_name("OCTETS");
    AddChoice(app,
              "--cache-policy",
              metering.cache.policy,
              {{"drop-new", netflow::CachePolicy::DROP_NEW},
               {"evict-oldest", netflow::CachePolicy::EVICT_OLDEST},
               {"evict-oldest-drop", netflow::CachePolicy::EVICT_OLDEST_DROP}},
              "When it is used up: drop-new (default),\nevict-oldest, evict-oldest-drop");
    AddNumber<uint16_t>(app,
                        "--switch",
                        options.probe.vSwitch,
                        "ID",
                        1,
                        UINT16_MAX,
                        "vSwitch: the engine");
    AddNumber<uint16_t>(app,
                        "--input",
                        options.probe.input,
                        "PORT",
                        0,
                        UINT16_MAX,
                        "By which all packets enter");
    AddNumber<uint16_t>(app,
                        "--output",
                        options.probe.output,
                        "PORT",
                        0,
                        UINT16_MAX,
                        "By which they leave, 0: unknown");
}

} // namespace

void
AddProbe(CLI::App& program, int& exitCode)
{
    CLI::App* app = program.add_subcommand("probe", "Meter a capture, export it as NetFlow v5");
    const auto options = std::make_shared<Options>();
    app->add_option("-r,--read", options->capture, "pcap or pcapng, '-': standard input")
        ->type_name("FILE")
        ->required();
    DescribeExport(*app, *options);
    DescribeMetering(*app, *options);
    app->footer(EXAMPLES);
    app->callback([options, &exitCode] {
        netflow::FlowCacheConfig& cache = options->probe.metering.cache;
        cache.idleTimeout = ToNs(options->idleSeconds, netflow::NS_PER_SECOND);
        cache.activeTimeout = ToNs(options->activeSeconds, netflow::NS_PER_SECOND);
        cache.scanInterval = ToNs(options->scanMs, netflow::NS_PER_MS);
        options->probe.pollPeriod = options->pollMs * netflow::NS_PER_MS;
        options->probe.lossless = !options->lossy;
        exitCode = RunProbe(*options);
    });
}

} // namespace esxnf
