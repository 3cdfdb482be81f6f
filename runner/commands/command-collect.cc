// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * 'esx-netflow collect': prints NetFlow v5 datagrams from the network or out of a capture.
 */
#include "netflow/sequence-tracker.h"
#include "runner/base/interrupt.h"
#include "runner/base/row-writer.h"
#include "runner/base/shared-files.h"
#include "runner/capture/capture-reader.h"
#include "runner/commands/cli.h"
#include "runner/commands/options.h"
#include "runner/probe/datagram-text.h"
#include "runner/probe/record-rows.h"
#include "runner/probe/udp-listener.h"
#include "runner/results/text.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>

namespace esxnf
{

AddCommand AddCollect;

namespace
{

const char* const COLLECT_EXAMPLES = R"(Examples:
  esx-netflow collect                      listen on UDP port 2055 until Ctrl-C
  esx-netflow collect -l 127.0.0.1:9995 -c 10
  esx-netflow collect -r export.pcap       datagrams to port 2055 in a capture
  esx-netflow collect -r export.pcap -l 4242
  esx-netflow collect -l 2055 --json -    one line of JSON for each record
Where records are written to standard output, everything else goes to standard error.)";

struct CollectOptions
{
    std::string listen{std::to_string(DEFAULT_COLLECTOR_PORT)};
    std::string capture;
    uint64_t count{UINT64_MAX};
    std::string csv;  // empty: none; "-": standard output
    std::string json; // the same
};

/// Prints datagrams or writes their records as they come, and checks their sequence per exporter
/// and engine.
class Printer
{
  public:
    explicit Printer(const CollectOptions& options)
        : m_toTables(!options.csv.empty() || !options.json.empty())
    {
        const OutputKind kind = KindOfOutputs(options.capture);
        if (!options.csv.empty())
        {
            m_tables.push_back(std::make_unique<RowWriter<ReceivedRow>>(options.csv,
                                                                        ns3::EsxRowPrinter::CSV,
                                                                        ReceivedColumns(),
                                                                        kind));
        }
        if (!options.json.empty())
        {
            m_tables.push_back(
                std::make_unique<RowWriter<ReceivedRow>>(options.json,
                                                         ns3::EsxRowPrinter::JSON_LINES,
                                                         ReceivedColumns(),
                                                         kind));
        }
    }

    void Take(const netflow::UdpDatagram& datagram)
    {
        netflow::V5Header header;
        const netflow::V5Error error =
            netflow::DecodeV5(datagram.data, datagram.size, header, m_records);
        if (error != netflow::V5Error::NONE)
        {
            Refuse(datagram, netflow::ToString(error));
            return;
        }
        const std::string origin = Origin(datagram);
        if (!m_toTables)
        {
            fmt::print("{} {}", origin, DatagramToText(header, m_records));
        }
        for (const auto& table : m_tables)
        {
            ForEachReceived(datagram.sourceAddress,
                            m_datagrams - 1,
                            header,
                            m_records,
                            [&](const ReceivedRow& row) { table->Write(row); });
        }
        m_recordCount += m_records.size();
        m_invalidTimes += header.unixNsecs >= netflow::V5_NSECS_BOUND;
        CheckSequence(datagram.sourceAddress, header);
    }

    void Refuse(const netflow::UdpDatagram& datagram, const char* reason)
    {
        fmt::print("{} refused: {}\n", Origin(datagram), reason);
        ++m_refused;
    }

    uint64_t GetDatagrams() const
    {
        return m_datagrams;
    }

    /// So that who waits for it sees it; throws UserError.
    void Flush()
    {
        for (const auto& table : m_tables)
        {
            table->Flush();
        }
        CheckStandardOutput();
    }

    /// Puts the tables in place; throws as above.
    void Close()
    {
        for (const auto& table : m_tables)
        {
            table->Close();
        }
    }

    /// \param oddities of the capture, a line each
    void PrintSummary(const std::vector<std::string>& oddities) const
    {
        fmt::print("datagrams {} refused {} records {} exporters-and-engines {}\n",
                   m_datagrams,
                   m_refused,
                   m_recordCount,
                   m_sequences.size());
        if (m_invalidTimes > 0)
        {
            fmt::print("unix_nsecs not valid, taken as 0: {} datagram{}\n",
                       m_invalidTimes,
                       m_invalidTimes == 1 ? "" : "s");
        }
        netflow::SequenceCounts sum;
        for (const auto& [engine, sequence] : m_sequences)
        {
            sum += sequence.GetCounts();
        }
        fmt::print("sequence gaps {} records-missing {} late {} duplicates {} restarts {}\n",
                   sum.gaps,
                   sum.missing,
                   sum.late,
                   sum.duplicates,
                   sum.restarts);
        for (const std::string& line : oddities)
        {
            fmt::print("{}\n", line);
        }
    }

  private:
    using Finding = netflow::SequenceTracker::Finding;
    using EngineOfExporter = std::pair<uint32_t, uint16_t>;

    std::string Origin(const netflow::UdpDatagram& datagram)
    {
        return fmt::format("datagram {} from {}:{}",
                           ++m_datagrams,
                           ns3::EsxDotted(datagram.sourceAddress),
                           datagram.sourcePort);
    }

    void CheckSequence(uint32_t exporter, const netflow::V5Header& header)
    {
        const auto engine = static_cast<uint16_t>(header.engineType << 8 | header.engineId);
        netflow::SequenceTracker& sequence = m_sequences[{exporter, engine}];
        const uint32_t due = sequence.GetExpected();
        const Finding finding = sequence.Take(header);
        if (finding != Finding::FIRST && finding != Finding::IN_ORDER)
        {
            fmt::print("{}  sequence {} where {} was due: {}\n",
                       m_toTables ? fmt::format("datagram {}", m_datagrams) : "",
                       header.flowSequence,
                       due,
                       finding == Finding::GAP
                           ? Counted(header.flowSequence - due, "record") + " missing"
                           : ToText(finding));
        }
    }

    static const char* ToText(Finding finding)
    {
        switch (finding)
        {
        case Finding::LATE:
            return "late";
        case Finding::DUPLICATE:
            return "a duplicate";
        case Finding::FIRST: // these two are told otherwise
        case Finding::IN_ORDER:
        case Finding::GAP:
        case Finding::RESTART:
            break;
        }
        return "the exporter restarted";
    }

    const bool m_toTables; // instead of text
    std::vector<std::unique_ptr<RowWriter<ReceivedRow>>> m_tables;
    std::vector<netflow::V5Record> m_records;
    std::map<EngineOfExporter, netflow::SequenceTracker> m_sequences;
    uint64_t m_datagrams{0};
    uint64_t m_refused{0};
    uint64_t m_recordCount{0};
    uint64_t m_invalidTimes{0};
};

/// Until count datagrams or an interruption, which is the usual end.
ExitCode
CollectFromNetwork(const Endpoint& local,
                   uint64_t count,
                   const InterruptCatcher& interrupt,
                   Printer& printer)
{
    constexpr std::chrono::milliseconds WAIT{100}; // how soon an interruption is noticed
    UdpListener listener(local);
    fmt::print(stderr, "listening on {}\n", listener.GetLocal().ToString());
    netflow::UdpDatagram datagram;
    while (printer.GetDatagrams() < count && !interrupt.WasInterrupted())
    {
        if (listener.Receive(WAIT, datagram))
        {
            printer.Take(datagram);
            printer.Flush();
        }
    }
    return EXIT_GOOD;
}

void
CollectFromFrame(const CapturedFrame& frame, uint16_t port, Printer& printer)
{
    netflow::UdpDatagram datagram;
    switch (frame.link.FindUdp(frame.data, frame.captured, frame.wire, port, datagram))
    {
    case UdpFinding::FOUND:
        printer.Take(datagram);
        break;
    case UdpFinding::FRAGMENT:
        printer.Refuse(datagram, "fragmented");
        break;
    case UdpFinding::INCOMPLETE:
        printer.Refuse(datagram, "incomplete");
        break;
    case UdpFinding::OTHER:
        break;
    }
}

ExitCode
CollectFromCapture(CaptureReader& reader,
                   uint16_t port,
                   uint64_t count,
                   const InterruptCatcher& interrupt,
                   Printer& printer)
{
    CapturedFrame frame;
    try
    {
        while (printer.GetDatagrams() < count && !interrupt.WasInterrupted() && reader.Next(frame))
        {
            CollectFromFrame(frame, port, printer);
        }
    }
    catch (const CaptureError& error)
    {
        if (!interrupt.WasInterrupted())
        {
            PrintError(error.what());
            return EXIT_USAGE;
        }
    }
    return interrupt.WasInterrupted() ? EXIT_INTERRUPTED : EXIT_GOOD;
}

ExitCode
RunCollect(const CollectOptions& options)
{
    RefuseSharedFiles({{"-r", options.capture}},
                      {{"--csv", options.csv}, {"--json", options.json}});
    const Endpoint local = ParseListenEndpoint(options.listen);
    const InterruptCatcher interrupt; // before an output that is a pipe waits for its reader
    Printer printer(options);
    std::optional<CaptureReader> reader;
    if (!options.capture.empty())
    {
        reader.emplace(options.capture);
    }
    const ExitCode exitCode =
        reader ? CollectFromCapture(*reader, local.port, options.count, interrupt, printer)
               : CollectFromNetwork(local, options.count, interrupt, printer);
    printer.Close();
    printer.PrintSummary(reader ? reader->Describe() : std::vector<std::string>());
    return exitCode;
}

} // namespace

void
AddCollect(CLI::App& program, int& exitCode)
{
    CLI::App* app =
        program.add_subcommand("collect", "Print NetFlow v5 from the network or a capture");
    const auto options = std::make_shared<CollectOptions>();
    app->add_option("-l,--listen", options->listen, "Where the datagrams go to")
        ->type_name("[ADDRESS:]PORT")
        ->capture_default_str();
    app->add_option("-r,--read", options->capture, "Take them from a capture, '-': standard input")
        ->type_name("FILE");
    AddNumber<uint64_t>(*app,
                        "-c,--count",
                        options->count,
                        "N",
                        1,
                        UINT64_MAX,
                        "End after so many datagrams");
    app->add_option("--csv", options->csv, "Write records as CSV instead, '-': standard output")
        ->type_name("FILE");
    app->add_option("--json", options->json, "The same as JSON lines")->type_name("FILE");
    app->footer(COLLECT_EXAMPLES);
    app->callback([options, &exitCode] { exitCode = RunCollect(*options); });
}

} // namespace esxnf
