// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The exporter over a capture: the capture's time drives metering process and exporter as an ESX
 * host's clock would.
 *
 * The host boots with the first packet, and net-netflow starts then: polls are at whole multiples
 * of the period. Scans and polls happen at their instants, before a packet of the same instant,
 * scans before polls. Packets come from a CaptureReader, datagrams leave through a DatagramSink.
 */
#ifndef ESXNF_PROBE_H
#define ESXNF_PROBE_H

#include "netflow/exporter.h"
#include "netflow/metering-process.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace esxnf
{

/// What a probe is to be.
struct ProbeConfig
{
    netflow::MeteringConfig metering;
    netflow::ExporterConfig exporter;                   //!< its bootUnixNs is not used
    uint64_t heapMaximum{UINT64_MAX};                   //!< modelled memory, octets
    netflow::TimeNs pollPeriod{netflow::NS_PER_SECOND}; //!< > 0
    uint16_t vSwitch{1};                                //!< switch ID: the engine of the datagrams
    uint16_t input{1};   //!< local port ID by which all packets enter
    uint16_t output{0};  //!< by which they leave; 0: unknown
    bool lossless{true}; //!< a full purgatory is polled at once
};

/// Meters one capture.
class Probe : private netflow::MeteringEvents
{
  public:
    /**
     * Throws CommandError (usage) if the heap cannot hold purgatory.
     * \param bootUnixNs time of the first packet, ns since 1970
     * \param sink gets the datagrams; must outlive the probe
     */
    Probe(const ProbeConfig& config, int64_t bootUnixNs, netflow::DatagramSink& sink);
    ~Probe() override;

    /// One packet. \param unixNs its time; one before an earlier packet's counts as that
    void Observe(const netflow::PacketSummary& packet, int64_t unixNs);

    /// After the last packet: lets time go on until all records have ended and are exported.
    void Finish();

    const netflow::MeteringProcess& GetMetering() const;
    const netflow::Exporter& GetExporter() const;
    const netflow::Ledger& GetLedger() const;

    /// What the ledger misses: laws L1 to L4 and L8. All zero unless there is a bug.
    netflow::Counts GetResidual() const;

  private:
    void PurgatoryFull(netflow::TimeNs now) override;
    void Advance(netflow::TimeNs now);
    netflow::TimeNs NextPoll() const;
    void Poll(netflow::TimeNs now);

    const ProbeConfig m_config;
    const int64_t m_bootUnixNs;
    netflow::Heap m_heap;
    netflow::Ledger m_ledger;
    std::unique_ptr<netflow::MeteringProcess> m_metering;
    netflow::Exporter m_exporter;
    std::vector<netflow::QueuedRecord> m_polled; // scratch of Poll
    netflow::TimeNs m_passed{0};                 // all scans and polls up to here are done
    netflow::TimeNs m_nextInstant{0};            // no scan or poll can be due before
};

} // namespace esxnf

#endif // ESXNF_PROBE_H
