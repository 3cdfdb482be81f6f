// SPDX-License-Identifier: GPL-2.0-only
#include "runner/probe.h"

#include "runner/cli.h"

#include <algorithm>
#include <fmt/format.h>

namespace esxnf
{

using netflow::Counts;
using netflow::NEVER;
using netflow::TimeNs;

namespace
{

netflow::ExporterConfig
WithBoot(netflow::ExporterConfig config, int64_t bootUnixNs)
{
    config.bootUnixNs = bootUnixNs;
    return config;
}

/// The first multiple of \p period after \p time.
TimeNs
NextMultiple(TimeNs time, TimeNs period)
{
    return (time / period + 1) * period;
}

} // namespace

Probe::Probe(const ProbeConfig& config, int64_t bootUnixNs, netflow::DatagramSink& sink)
    : m_config(config),
      m_bootUnixNs(bootUnixNs),
      m_heap(config.heapMaximum),
      m_metering(
          netflow::MeteringProcess::Create(config.metering, m_heap, m_ledger, nullptr, this)),
      m_exporter(WithBoot(config.exporter, bootUnixNs), sink, m_ledger, nullptr)
{
    if (!m_metering)
    {
        throw CommandError(EXIT_USAGE,
                           fmt::format("a heap of {} octets cannot hold a purgatory of {} records, "
                                       "{} octets each",
                                       config.heapMaximum,
                                       config.metering.purgatoryMax,
                                       netflow::HEAP_PER_QUEUED_RECORD));
    }
    m_metering->Register(config.vSwitch);
}

Probe::~Probe() = default;

void
Probe::Observe(const netflow::PacketSummary& packet, int64_t unixNs)
{
    const TimeNs now = unixNs - m_bootUnixNs;
    if (now >= m_nextInstant)
    {
        Advance(now);
    }
    m_metering->Observe(m_config.vSwitch, packet, m_config.input, m_config.output, now);
}

void
Probe::Finish()
{
    while (m_metering->NextScan() != NEVER)
    {
        Advance(m_metering->NextScan());
    }
    if (m_metering->GetPurgatory().GetSize() > 0)
    {
        Advance(NextPoll());
    }
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
    const uint64_t sealed = m_ledger.GetTotal().Get(netflow::Move::SEALED).records;
    const uint32_t sequence =
        m_exporter.GetNextSequence(m_config.vSwitch) - m_config.exporter.initialSequence;
    if (sequence != static_cast<uint32_t>(sealed)) // law L4
    {
        ++residual.records;
    }
    return residual;
}

void
Probe::PurgatoryFull(TimeNs now)
{
    if (m_config.lossless)
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
    return NextMultiple(m_passed, m_config.pollPeriod);
}

void
Probe::Poll(TimeNs now)
{
    m_polled.clear();
    m_metering->Poll({m_config.vSwitch}, now, m_polled);
    m_exporter.Export(m_polled, now);
}

} // namespace esxnf
