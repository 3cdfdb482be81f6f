// SPDX-License-Identifier: GPL-2.0-only
#include "runner/commands/probe-session.h"

#include "runner/base/interrupt.h"
#include "runner/base/output-file.h"
#include "runner/capture/capture-reader.h"
#include "runner/capture/live-capture.h"
#include "runner/commands/exit-code.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <vector>

namespace esxnf
{

using netflow::Counts;
using netflow::Move;
using netflow::NS_PER_MS;
using netflow::NS_PER_SECOND;
using netflow::TimeNs;

namespace
{

/// How soon a signal is noticed on a silent interface.
constexpr TimeNs MAX_WAIT = 100 * NS_PER_MS;
/// A packet may be stamped so much earlier than it can be read.
constexpr TimeNs CAPTURE_LAG = 5 * NS_PER_MS;
/// Packets between two looks at the clock when they come faster than they are metered.
constexpr unsigned PACKETS_PER_TICK = 1024;

int64_t
UnixNow()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

/// Frames that are metered together: enough to hide the wait for memory, few enough to stay in the
/// nearest cache.
constexpr std::size_t BATCH = 32;

/// Frames into a probe, and what is printed about it.
class Session
{
  public:
    explicit Session(const ProbeSessionConfig& config)
        : m_config(config),
          m_export(config.exporting),
          m_probe(config.probe, m_export),
          m_nextStatistics(config.statisticsPeriod > 0
                               ? m_probe.GetUptime() + config.statisticsPeriod
                               : netflow::NEVER)
    {
        if (config.statisticsPeriod > 0)
        {
            m_probe.SetProgress([this] { PrintLineIfDue(); });
        }
    }

    /// Meters frames in their order. \param count at most BATCH \param parse (summary, frame)
    template <typename Parser>
    void Meter(const CapturedFrame* frames, std::size_t count, const Parser& parse);

    void Tick(int64_t unixNs)
    {
        m_probe.Tick(unixNs);
        PrintLineIfDue();
    }

    bool IsComplete() const
    {
        return m_packets >= m_config.maxPackets;
    }

    Probe& GetProbe()
    {
        return m_probe;
    }

    void SetDrops(const LiveDrops& drops)
    {
        m_drops = drops;
    }

    /// \param notes what was odd in the frames \return whether the books are balanced
    bool PrintEnd(const std::vector<std::string>& notes);

  private:
    template <typename Parser>
    void MeterBatch(const CapturedFrame* frames, std::size_t count, const Parser& parse);
    void PrintLine();

    void PrintLineIfDue()
    {
        if (m_probe.GetUptime() >= m_nextStatistics)
        {
            PrintLine();
        }
    }

    void PrintCounts(const char* name, const Counts& counts);

    const ProbeSessionConfig& m_config;
    ProbeExport m_export;
    Probe m_probe;
    uint64_t m_packets{0};
    TimeNs m_nextStatistics;
    netflow::BatchedPacket m_batch[BATCH]; // scratch of MeterBatch
    uint16_t m_vlans[BATCH];               // likewise
    std::optional<LiveDrops> m_drops;      // of a live capture
};

template <typename Parser>
void
Session::Meter(const CapturedFrame* frames, std::size_t count, const Parser& parse)
{
    count = std::min<uint64_t>(count, m_config.maxPackets - m_packets);
    // Lines of statistics come between packets: then one packet is a batch.
    const std::size_t step = m_nextStatistics == netflow::NEVER ? count : 1;
    for (std::size_t done = 0; done < count; done += step)
    {
        MeterBatch(frames + done, step, parse);
        PrintLineIfDue();
    }
}

template <typename Parser>
void
Session::MeterBatch(const CapturedFrame* frames, std::size_t count, const Parser& parse)
{
    netflow::BatchedPacket* packets = m_batch;
    uint16_t* vlans = m_vlans;
    const bool mapped = !m_config.probe.vlans.IsEmpty();
    for (std::size_t i = 0; i < count; ++i)
    {
        const CapturedFrame& frame = frames[i];
        parse(packets[i].packet, frame);
        packets[i].time = frame.unixNs;
        vlans[i] = mapped ? frame.link.FindVlan(frame.data, frame.captured) : 0;
    }
    m_probe.ObserveBatch(packets, count, mapped ? vlans : nullptr);
    m_packets += count;
}

/// The state in one line.
void
Session::PrintLine()
{
    const netflow::Account total = m_probe.GetLedger().GetTotal();
    const netflow::MeteringProcess& metering = m_probe.GetMetering();
    const Counts shed = {total.Get(Move::SHED_NO_MEMORY).packets +
                             total.Get(Move::SHED_CACHE_FULL).packets,
                         0,
                         0};
    fmt::print("uptime {}.{:03} packets {} metered {} shed {} live {} queued {} dropped {} "
               "datagrams {} unsent {}",
               m_probe.GetUptime() / NS_PER_SECOND,
               m_probe.GetUptime() % NS_PER_SECOND / NS_PER_MS,
               total.Get(Move::OFFERED).packets,
               total.Get(Move::METERED).packets,
               shed.packets,
               metering.GetCache().GetSize(),
               metering.GetPurgatory().GetSize(),
               total.GetBalance(netflow::Place::DROPPED).records,
               m_probe.GetExporter().GetDatagrams(),
               m_export.GetUnsent());
    if (m_drops)
    {
        fmt::print(" kernel-drops {}", m_drops->kernel + m_drops->interface);
    }
    fmt::print("\n");
    CheckStandardOutput();
    const TimeNs period = m_config.statisticsPeriod;
    m_nextStatistics += ((m_probe.GetUptime() - m_nextStatistics) / period + 1) * period;
}

void
Session::PrintCounts(const char* name, const Counts& counts)
{
    fmt::print("{:<24}{:>14}{:>18}{:>12}\n", name, counts.packets, counts.octets, counts.records);
}

/// Every move of the ledger that happened, then what no move tells.
bool
Session::PrintEnd(const std::vector<std::string>& notes)
{
    m_export.Close();
    fmt::print("{:<24}{:>14}{:>18}{:>12}\n", "", "packets", "octets", "records");
    const netflow::Account total = m_probe.GetLedger().GetTotal();
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const auto move = static_cast<Move>(i);
        if (!(total.Get(move) == Counts{}))
        {
            PrintCounts(netflow::GetInfo(move).name, total.Get(move));
        }
    }
    const Counts residual = m_probe.GetResidual();
    PrintCounts("residual", residual);
    const auto& purgatory = m_probe.GetMetering().GetPurgatory();
    fmt::print("datagrams {}\n", m_probe.GetExporter().GetDatagrams());
    fmt::print("cache high water {} records\n", m_probe.GetMetering().GetCache().GetHighWater());
    fmt::print("purgatory high water {} of {} records\n",
               purgatory.GetHighWater(),
               purgatory.GetBound());
    for (const std::string& line : DescribeClock(m_probe.GetClockCounts(),
                                                 m_probe.GetExporter().GetRecordsOverSteps(),
                                                 false))
    {
        fmt::print("{}\n", line);
    }
    for (const std::string& line : notes)
    {
        fmt::print("{}\n", line);
    }
    if (m_drops)
    {
        fmt::print("dropped before the meter: by the kernel {} by the interface {}\n",
                   m_drops->kernel,
                   m_drops->interface);
    }
    fmt::print("{}", m_export.DescribeCollectors());
    return residual == Counts{};
}

ExitCode
RunOverFile(const ProbeSessionConfig& config)
{
    const InterruptCatcher interrupt;
    CaptureReader reader(config.capture, config.lengths);
    Session session(config);
    const auto parse = [&reader](netflow::PacketSummary& summary, const CapturedFrame& frame) {
        reader.ParseTo(summary, frame);
    };
    std::string damage;
    try
    {
        CapturedFrame frames[BATCH];
        while (!session.IsComplete()) // a signal ends the reading, not what was read
        {
            const std::size_t count = reader.NextBatch(frames, BATCH);
            if (count == 0)
            {
                break;
            }
            session.Meter(frames, count, parse);
        }
    }
    catch (const CaptureError& error)
    {
        damage = error.what();
        PrintError(damage);
    }
    session.GetProbe().Finish();
    if (!session.PrintEnd(reader.Describe()))
    {
        return EXIT_RESIDUAL;
    }
    return interrupt.WasInterrupted() ? EXIT_INTERRUPTED : damage.empty() ? EXIT_GOOD : EXIT_USAGE;
}

/// Meters what is there, then lets time go on and waits for more.
void
MeterLive(LiveCapture& capture, Session& session)
{
    const int64_t present = UnixNow() - CAPTURE_LAG; // before looking: nothing earlier comes later
    CapturedFrame frame;
    for (unsigned taken = 0; taken < PACKETS_PER_TICK; ++taken)
    {
        if (session.IsComplete())
        {
            return;
        }
        if (!capture.Next(frame))
        {
            session.SetDrops(capture.GetDrops());
            session.Tick(present);
            const TimeNs wait = std::min(session.GetProbe().GetIdleTime(), MAX_WAIT);
            capture.Wait(std::chrono::milliseconds(wait / NS_PER_MS + 1));
            return;
        }
        session.Meter(&frame,
                      1,
                      [](netflow::PacketSummary& summary, const CapturedFrame& captured) {
                          summary =
                              captured.link.Parse(captured.data, captured.captured, captured.wire);
                      });
    }
}

ExitCode
RunOverInterface(const ProbeSessionConfig& config)
{
    const InterruptCatcher interrupt;
    LiveCapture capture(config.interface, config.promiscuous);
    Session session(config);
    session.Tick(UnixNow() - CAPTURE_LAG); // the host boots now
    fmt::print(stderr, "capturing on {}\n", config.interface);
    ExitCode exitCode = EXIT_GOOD;
    try
    {
        while (!interrupt.WasInterrupted() && !session.IsComplete())
        {
            MeterLive(capture, session);
        }
    }
    catch (const CaptureError& error) // the interface is gone
    {
        PrintError(error.what());
        exitCode = EXIT_USAGE;
    }
    session.SetDrops(capture.GetDrops());
    session.GetProbe().Flush();
    return session.PrintEnd({}) ? exitCode : EXIT_RESIDUAL;
}

} // namespace

ExitCode
RunProbeSession(const ProbeSessionConfig& config)
{
    return config.interface.empty() ? RunOverFile(config) : RunOverInterface(config);
}

} // namespace esxnf
