// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe/probe.h"

#include "runner/base/user-error.h"
#include "runner/probe/huge-pages.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

using netflow::Counts;
using netflow::NEVER;
using netflow::TimeNs;

namespace
{

netflow::MeteringConfig
WithHugePages(netflow::MeteringConfig config)
{
    config.cache.memoryAdvice = AdviseHugePages;
    return config;
}

/// The first multiple of \p period after \p time.
TimeNs
NextMultiple(TimeNs time, TimeNs period)
{
    return (time / period + 1) * period;
}

} // namespace

Probe::Probe(const ProbeConfig& config, netflow::DatagramSink& sink)
    : m_config(config),
      m_switches(config.vlans.GetSwitches()),
      m_clock(config.uptimeAtStart),
      m_now(config.uptimeAtStart),
      m_heap(config.heapMaximum),
      m_metering(netflow::MeteringProcess::Create(WithHugePages(config.metering),
                                                  m_heap,
                                                  m_ledger,
                                                  nullptr,
                                                  this)),
      m_exporter(config.exporter, sink, m_ledger, nullptr),
      m_passed(config.uptimeAtStart)
{
    if (!m_metering)
    {
        throw UserError(fmt::format("a heap of {} octets cannot hold a purgatory of {} records, "
                                    "{} octets each",
                                    config.heapMaximum,
                                    config.metering.purgatoryMax,
                                    netflow::HEAP_PER_QUEUED_RECORD));
    }
    const auto place =
        std::lower_bound(m_switches.begin(), m_switches.end(), config.ingress.vSwitch);
    if (place == m_switches.end() || *place != config.ingress.vSwitch)
    {
        m_switches.insert(place, config.ingress.vSwitch);
    }
    for (uint16_t vSwitch : m_switches)
    {
        m_metering->Register(vSwitch);
    }
}

Probe::~Probe() = default;

void
Probe::Observe(const netflow::PacketSummary& packet, int64_t unixNs, uint16_t vlan)
{
    netflow::BatchedPacket batch;
    batch.packet = packet;
    batch.time = unixNs;
    ObserveBatch(&batch, 1, &vlan);
}

void
Probe::ObserveBatch(netflow::BatchedPacket* packets, std::size_t count, const uint16_t* vlans)
{
    std::size_t done = 0;
    for (std::size_t i = 0; i < count; ++i)
    {
        const Ingress& ingress = vlans ? GetIngress(vlans[i]) : m_config.ingress;
        netflow::BatchedPacket& packet = packets[i];
        packet.packet.key.vSwitch = ingress.vSwitch;
        packet.packet.key.input = ingress.port;
        packet.output = m_config.output;
        const TimeNs time = m_clock.Observe(packet.time);
        if (time == netflow::CaptureClock::UNDECIDED)
        {
            Meter(packets + done, i - done);
            done = i + 1;
            m_held.push_back(packet);
            MeterDecided();
        }
        packet.time = time;
    }
    Meter(packets + done, count - done);
}

/// Packets whose times are uptimes.
void
Probe::Meter(netflow::BatchedPacket* packets, std::size_t count)
{
    NoteBoots();
    m_metering->PrepareBatch(packets, count);
    for (std::size_t done = 0; done < count;)
    {
        if (packets[done].time >= m_nextInstant)
        {
            Advance(packets[done].time);
        }
        done += m_metering->ObserveBatch(packets + done, count - done, m_nextInstant);
    }
    m_now = count > 0 ? packets[count - 1].time : m_now;
}

/// Those that were held and need not be any longer.
void
Probe::MeterDecided()
{
    std::size_t decided = 0;
    for (TimeNs time = m_clock.Take(); time != netflow::CaptureClock::UNDECIDED;
         time = m_clock.Take())
    {
        m_held[decided++].time = time;
    }
    const std::size_t step = m_progress ? 1 : decided;
    for (std::size_t done = 0; done < decided; done += step)
    {
        Meter(m_held.data() + done, step);
        if (m_progress)
        {
            m_progress();
        }
    }
    m_held.erase(m_held.begin(), m_held.begin() + static_cast<std::ptrdiff_t>(decided));
}

/// Takes the boot times that the clock knows.
void
Probe::NoteBoots()
{
    for (const netflow::BootTime& boot : m_clock.TakeBoots())
    {
        if (boot.from == 0)
        {
            m_startUnixNs = boot.unixNs + m_config.uptimeAtStart;
            if (boot.unixNs < 0)
            {
                throw UserError(fmt::format("an uptime of {} s at the first packet, {} s after "
                                            "1970, means a boot before 1970",
                                            m_config.uptimeAtStart / netflow::NS_PER_SECOND,
                                            m_startUnixNs / netflow::NS_PER_SECOND));
            }
        }
        m_exporter.AddBoot(boot.from, boot.unixNs);
    }
}

/// Where packets of a VLAN enter. \param vlan 0: none
const Ingress&
Probe::GetIngress(uint16_t vlan) const
{
    const Ingress* mapped = m_config.vlans.Find(vlan);
    return mapped ? *mapped : m_config.ingress;
}

void
Probe::SetProgress(std::function<void()> progress)
{
    m_progress = std::move(progress);
}

void
Probe::Tick(int64_t unixNs)
{
    const TimeNs now = m_clock.Tick(unixNs);
    MeterDecided();
    m_now = now;
    Advance(now);
}

TimeNs
Probe::GetIdleTime() const
{
    const bool empty = m_metering->GetPurgatory().GetSize() == 0;
    const TimeNs next = std::min(m_metering->NextScan(), empty ? NEVER : NextPoll());
    return next == NEVER ? NEVER : std::max<TimeNs>(next - m_clock.GetUptime(), 0);
}

void
Probe::Finish()
{
    m_clock.Decide();
    MeterDecided();
    while (m_metering->NextScan() != NEVER)
    {
        Advance(m_metering->NextScan());
    }
    if (m_metering->GetPurgatory().GetSize() > 0)
    {
        Advance(NextPoll());
    }
}

void
Probe::Flush()
{
    m_clock.Decide();
    MeterDecided();
    const TimeNs now = m_clock.GetUptime();
    m_flushing = true;
    for (uint16_t vSwitch : m_switches)
    {
        m_metering->Flush(vSwitch, now);
    }
    m_flushing = false;
    Poll(now);
}

TimeNs
Probe::GetUptime() const
{
    return m_now;
}

int64_t
Probe::GetStartUnixNs() const
{
    return m_startUnixNs;
}

netflow::ClockCounts
Probe::GetClockCounts() const
{
    return m_clock.GetCounts();
}

const netflow::MeteringProcess&
Probe::GetMetering() const
{
    return *m_metering;
}

const netflow::Exporter&
Probe::GetExporter() const
{
    return m_exporter;
}

const netflow::Ledger&
Probe::GetLedger() const
{
    return m_ledger;
}

Counts
Probe::GetResidual() const
{
    Counts residual = m_metering->GetResidual();
    for (uint16_t vSwitch : m_switches)
    {
        const auto account = m_ledger.GetAccounts().find(vSwitch);
        const uint64_t sealed = account->second.Get(netflow::Move::SEALED).records;
        const uint32_t sequence =
            m_exporter.GetNextSequence(vSwitch) - m_config.exporter.initialSequence;
        if (sequence != static_cast<uint32_t>(sealed)) // law L4
        {
            ++residual.records;
        }
    }
    return residual;
}

void
Probe::PurgatoryFull(TimeNs now)
{
    if (m_config.lossless || m_flushing)
    {
        Poll(now);
    }
}

/// Does what is due up to and including \p now.
void
Probe::Advance(TimeNs now)
{
    for (;;)
    {
        const TimeNs scan = m_metering->NextScan();
        const bool empty = m_metering->GetPurgatory().GetSize() == 0;
        const TimeNs poll = empty ? NEVER : NextPoll(); // polls that find nothing are passed over
        if (std::min(scan, poll) > now)
        {
            break;
        }
        if (scan <= poll)
        {
            m_metering->Scan(scan);
            m_passed = std::max(m_passed, scan - 1); // a poll at this very instant is still to come
        }
        else
        {
            Poll(poll);
            m_passed = poll;
        }
    }
    m_passed = std::max(m_passed, now);
    m_nextInstant =
        std::min(NextMultiple(m_passed, m_config.metering.cache.scanInterval), NextPoll());
}

TimeNs
Probe::NextPoll() const
{
    const TimeNs start = m_config.uptimeAtStart;
    return start + NextMultiple(m_passed - start, m_config.pollPeriod);
}

void
Probe::Poll(TimeNs now)
{
    m_polled.clear();
    m_metering->Poll(m_switches, now, m_polled);
    m_exporter.Export(m_polled, now);
}

} // namespace esxnf
