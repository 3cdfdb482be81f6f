// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * The exporter over a capture: the capture's time drives metering process and exporter as an ESX
 * host's clock would.
 *
 * The host boots with the first packet that has a time (or earlier, see ProbeConfig), and
 * net-netflow starts with it: polls are whole multiples of the period after it. Scans and polls
 * happen at their instants, before a packet of the same instant, scans before polls. Packets come
 * from a ProbeSession, datagrams leave through a DatagramSink.
 */
#ifndef ESXNF_PROBE_H
#define ESXNF_PROBE_H

#include "netflow/capture-clock.h"
#include "netflow/exporter.h"
#include "netflow/metering-process.h"
#include "runner/probe/vlan-map.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace esxnf
{

/// Configuration of a probe.
struct ProbeConfig
{
    netflow::MeteringConfig metering;
    netflow::ExporterConfig exporter;                   //!< its bootUnixNs is not used
    uint64_t heapMaximum{UINT64_MAX};                   //!< modelled memory, octets
    netflow::TimeNs pollPeriod{netflow::NS_PER_SECOND}; //!< > 0
    netflow::TimeNs uptimeAtStart{0};                   //!< when the first packet comes, >= 0
    Ingress ingress;     //!< where all packets enter that \p vlans does not send elsewhere
    VlanMap vlans;       //!< where those of a VLAN enter
    uint16_t output{0};  //!< local port ID by which they leave; 0: unknown
    bool lossless{true}; //!< a full purgatory is polled at once
};

/// Meters one capture.
class Probe : private netflow::MeteringEvents
{
  public:
    /**
     * Throws UserError if the heap cannot hold purgatory.
     * \param sink gets the datagrams; must outlive the probe
     */
    Probe(const ProbeConfig& config, netflow::DatagramSink& sink);
    ~Probe() override;

    /**
     * One packet. It may be held until later ones show what its time means. Throws UserError if the
     * host would have booted before 1970. \param unixNs its time, as CaptureClock::Observe() takes
     * it \param vlan 0: none
     */
    void Observe(const netflow::PacketSummary& packet, int64_t unixNs, uint16_t vlan = 0);

    /**
     * Several packets, in their order: faster than one by one.
     * \param packets parsed, with their times as Observe() takes them; changed
     * \param vlans of each; nullptr: none has one
     */
    void ObserveBatch(netflow::BatchedPacket* packets, std::size_t count, const uint16_t* vlans);

    /// Has a function called after each packet that was held, when it is metered: then packets are
    /// metered one by one.
    void SetProgress(std::function<void()> progress);

    /// No packet came, but time goes on. \param unixNs the present
    void Tick(int64_t unixNs);

    /// How long until something may be due, if no packet comes; NEVER if nothing is live or queued.
    netflow::TimeNs GetIdleTime() const;

    /// After the last packet: lets time go on until all records have ended and are exported.
    void Finish();

    /// After the last packet: ends all records and exports them now.
    void Flush();

    /// Of the latest packet that was metered, or tick.
    netflow::TimeNs GetUptime() const;
    /// Time of the first packet that has one, ns since 1970; 0: none had one.
    int64_t GetStartUnixNs() const;
    netflow::ClockCounts GetClockCounts() const;
    const netflow::MeteringProcess& GetMetering() const;
    const netflow::Exporter& GetExporter() const;
    const netflow::Ledger& GetLedger() const;

    /// Residual of the ledger: laws L1 to L4 and L8. All zero unless there is a bug.
    netflow::Counts GetResidual() const;

  private:
    const Ingress& GetIngress(uint16_t vlan) const;
    void Meter(netflow::BatchedPacket* packets, std::size_t count);
    void MeterDecided();
    void NoteBoots();
    void PurgatoryFull(netflow::TimeNs now) override;
    void Advance(netflow::TimeNs now);
    netflow::TimeNs NextPoll() const;
    void Poll(netflow::TimeNs now);

    const ProbeConfig m_config;
    std::vector<uint16_t> m_switches; // metered vSwitches by ID
    netflow::CaptureClock m_clock;
    std::vector<netflow::BatchedPacket> m_held; // until the clock decides their times
    std::function<void()> m_progress;
    netflow::TimeNs m_now; // of the latest packet metered, or tick
    int64_t m_startUnixNs{0};
    netflow::Heap m_heap;
    netflow::Ledger m_ledger;
    std::unique_ptr<netflow::MeteringProcess> m_metering;
    netflow::Exporter m_exporter;
    std::vector<netflow::QueuedRecord> m_polled; // scratch of Poll
    netflow::TimeNs m_passed;                    // all scans and polls up to here are done
    netflow::TimeNs m_nextInstant{0};            // no scan or poll can be due before
    bool m_flushing{false};
};

} // namespace esxnf

#endif // ESXNF_PROBE_H
