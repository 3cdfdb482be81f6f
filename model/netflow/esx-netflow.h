// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_NETFLOW_H
#define ESX_NETFLOW_H

#include "netflow/exporter.h"
#include "netflow/metering-process.h"

#include "ns3/esx-vswitch.h"
#include "ns3/ipv4-address.h"
#include "ns3/object.h"
#include "ns3/traced-callback.h"
#include "ns3/traced-value.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ns3
{

class EsxHost;
class EsxNetNetflow;

/// The highest levels of a module over some time.
struct EsxNetflowPeaks
{
    uint64_t cacheRecords{0};
    uint64_t purgatoryRecords{0};
    uint64_t heapOctets{0};
};

/// The metering of a host in a simulation without the rest of its lab. In that of the lab its
/// module meters nothing and tells this (EsxNetflow::Replay): its net-netflow exports it once more.
struct EsxNetflowReplay
{
    /// Gives what a poll of these vSwitches took.
    std::function<void(const std::vector<uint16_t>& ids,
                       std::vector<netflow::QueuedRecord>& records)>
        poll;
    /// Sends a datagram's packet out of the host's vmknic, as its IP stack did; empty: that does.
    std::function<void(const netflow::Datagram& datagram, const Ptr<Packet>& packet)> send;
    std::vector<netflow::FlowRecord> live; //!< at the end
    netflow::Counts residual;              //!< laws L1 to L3
    uint64_t breaches{0};                  //!< laws L7 and L8
    int64_t tapResidual{0};                //!< law L0
    EsxNetflowPeaks levels;                //!< now
    EsxNetflowPeaks marks;                 //!< high-water marks so far
    EsxNetflowPeaks peaks;                 //!< since the sample before
    uint64_t purgatoryMarkOfLoad{0};
    std::function<double(const std::string& metric)> metrics; //!< of ports and log, now
};

/**
 * The VMkernel module "netflow" of one ESX host: taps the host's vSwitches and runs the real
 * metering process of netflow/ inside simulated time. Aggregated to the host; net-netflow registers
 * vSwitches here and polls.
 *
 * The object exists from the start as the file on disk does; Load() and Unload() are vmkload_mod.
 * Ledger and journal belong to the host and outlive loads. Attributes that the cache and purgatory
 * are made with (timeouts, scan interval, bounds, policies, ExpireOnTcpEnd) take effect at the next
 * load and cannot be set while the module is loaded; the other attributes take effect at once.
 *
 * With a MeteringDelay, metering costs the host time: one processor meters one frame after the
 * other, and every frame of the host's vSwitches waits until it is done. Such frames wait without
 * bound, and nothing else of a processor is modelled.
 */
class EsxNetflow : public Object, public EsxSwitchTap
{
  public:
    /// A record ended, or was lost at its end.
    typedef void (*RecordTracedCallback)(const netflow::FlowRecord& record, netflow::Move station);
    /// An export datagram and where it is bound for.
    typedef void (*DatagramTracedCallback)(const netflow::Datagram& datagram,
                                           Ipv4Address collector);
    /// TracedCallback signature: a poll of vSwitches took these records.
    typedef void (*PolledTracedCallback)(const std::vector<uint16_t>& ids,
                                         const std::vector<netflow::QueuedRecord>& records);
    /// An export datagram.
    typedef void (*SendFailedTracedCallback)(const netflow::Datagram& datagram);

    static TypeId GetTypeId();
    EsxNetflow();
    ~EsxNetflow() override;

    /// Attaches the module to its host; called once.
    void SetHost(Ptr<EsxHost> host);
    Ptr<EsxHost> GetHost() const;

    /// vmkload_mod netflow. \return empty, or why not
    std::string Load();
    /// vmkload_mod -u netflow. \return empty, or why not (not loaded; in use)
    std::string Unload();
    bool IsLoaded() const;
    /// \return whether a vSwitch is registered
    bool IsInUse() const;
    /// \return whether this vSwitch is registered
    bool IsRegistered(uint16_t id) const;

    /**
     * Starts analysis of vSwitches: all of them or none.
     * \param names vSwitch names
     * \param ids set to their switch IDs
     * \return empty, or why not
     */
    std::string Register(const std::vector<std::string>& names, std::vector<uint16_t>& ids);
    /// Stops analysis; what is live or queued is discarded under \p cause. Unknown IDs are passed
    /// over.
    void Unregister(const std::vector<uint16_t>& ids, netflow::StopCause cause);
    /// Appends what waits of these vSwitches, after a scan if one is due.
    void Poll(const std::vector<uint16_t>& ids, std::vector<netflow::QueuedRecord>& records);
    /// A net-netflow process runs from now on.
    void NotifyLaunched(const Ptr<EsxNetNetflow>& process);
    /// Processes that ran or run, in order of their start.
    const std::vector<Ptr<EsxNetNetflow>>& GetProcesses() const;
    /// net-netflow hands a datagram to its socket next (trace Datagram): it can die inside the
    /// call.
    void NotifyDatagram(const netflow::Datagram& datagram, Ipv4Address collector);
    /// The socket refused that datagram (trace SendFailed).
    void NotifySendFailed(const netflow::Datagram& datagram);

    /// net-netflow printed a line of its summary (-v): it takes the host one MeteringDelay.
    void NotifyVerboseLine();

    /// Time since the host booted in nanoseconds: the clock of netflow/.
    int64_t GetUptimeNs() const;

    /// Moves the limit of the module's heap, octets.
    void SetHeapMax(uint64_t octets);
    uint64_t GetHeapMax() const;
    /// Octets of heap in use.
    uint64_t GetHeapUsed() const;
    /// Most octets that were in use at once over all loads: what the heap has grown to.
    uint64_t GetHeapHighWater() const;

    /// Everything that has happened before now is booked.
    const netflow::Ledger& GetLedger() const;
    /// The same for those who book: deferred packets are not counted first.
    netflow::Ledger& GetLedgerToBook();
    netflow::Journal& GetJournal();
    const netflow::Journal& GetJournal() const;
    /// \return nullptr while the module is not loaded
    const netflow::MeteringProcess* GetMeteringProcess() const;
    /// Every live record, in order of creation.
    void ForEachLive(const std::function<void(const netflow::FlowRecord&)>& visit) const;
    /// Laws L1 to L3: what MeteringProcess::GetResidual() says.
    netflow::Counts GetMeteringResidual() const;
    /// Meters nothing from now on and tells what another simulation of this host gave.
    void Replay(std::unique_ptr<EsxNetflowReplay> replay);
    /// \return nullptr if the module meters
    EsxNetflowReplay* GetReplay() const;
    /// High-water marks over all loads.
    uint64_t GetCacheHighWater() const;
    uint64_t GetPurgatoryHighWater() const;
    /// The most that waited in purgatory since the module's load.
    uint64_t GetPurgatoryHighWaterOfLoad() const;
    /// The levels now.
    EsxNetflowPeaks GetLevels() const;
    /// The highest levels since the last call, or since the start.
    EsxNetflowPeaks TakePeaks();

    /// How often a vSwitch has been registered, in all loads. \param id switch ID
    uint32_t GetRegistrations(uint16_t id) const;

    /// Laws L7 and L8: what MeteringProcess::GetBreaches() says, over all loads. 0 unless there is
    /// a bug.
    uint64_t GetBreaches() const;

    /// Law L0: frames that the ports accepted while they were tapped, less frames offered to the
    /// meter. 0 unless there is a bug.
    int64_t GetTapResidual() const;

    /// The agreement about packets that are known beforehand.
    struct Deferral
    {
        bool isAgreed{false};
        const netflow::FlowEntry* record{nullptr};       //!< up to now; nullptr: not monitored
        const netflow::FlowCacheConfig* config{nullptr}; //!< timeouts of the record
    };

    /// Packets of a vSwitch after one that was metered: MeteringProcess::Defer(), unless single
    /// packets matter to the module.
    Deferral Defer(uint16_t vSwitch,
                   const netflow::FlowKey& key,
                   netflow::DeferredPackets& packets,
                   netflow::TimeNs next);
    /// Ends that; only of a record.
    void Undefer(const netflow::FlowKey& key);
    /// Whether a frame does not wait for the meter, and is counted when it comes.
    bool MetersAtOnce() const;
    /// Meters a packet that nobody made, as if its frame was accepted now. \param packet its key
    /// names vSwitch and port \param octets of the frame's payload \param output as of a frame
    void Meter(const netflow::PacketSummary& packet, uint32_t octets, uint16_t output);
    /// Deferred packets of a vSwitch that is not monitored.
    void Ignore(uint16_t vSwitch, uint32_t packets, uint64_t octets);

  protected:
    void DoDispose() override;

  private:
    struct Impl;
    friend struct Impl;

    int64_t Ingress(const EsxVSwitch& vSwitch,
                    const Ptr<const Packet>& packet,
                    uint16_t protocol,
                    uint16_t input,
                    uint16_t output) override;
    void Meter(const EsxVSwitch& vSwitch,
               const Ptr<const Packet>& packet,
               uint16_t protocol,
               uint16_t input,
               uint16_t output);
    void Observe(uint16_t vSwitch,
                 const netflow::PacketSummary& packet,
                 uint16_t input,
                 uint16_t output);
    /// Setter and getter of an attribute that the module is loaded with.
    template <typename T, T EsxNetflow::*MEMBER>
    bool SetUnlessLoaded(T value);
    template <typename T, T EsxNetflow::*MEMBER>
    T Get() const;
    bool IsOwnExport(const Ptr<const Packet>& packet) const;
    void Settle() override;
    void SettleAll() const;
    void SwitchDeleted(const EsxVSwitch& vSwitch) override;
    void TakeHighWaterMarks();
    void TellLevels();
    void ScheduleScan();
    void Scan();

    EsxHost* m_host{nullptr}; //!< the host owns the module by aggregation
    std::unique_ptr<Impl> m_impl;

    Time m_idleTimeout;
    Time m_activeTimeout;
    Time m_scanInterval;
    Time m_meteringDelay;
    uint64_t m_heapMax{0};
    uint32_t m_maxEntries{0};
    uint32_t m_purgatoryMax{0};
    netflow::CachePolicy m_cachePolicy;
    netflow::PurgatoryPolicy m_purgatoryPolicy;
    bool m_expireOnTcpEnd{false};
    bool m_meterOwnExport{true};
    bool m_haltOnDelete{false};

    TracedValue<uint64_t> m_cacheRecords;
    TracedValue<uint64_t> m_purgatoryRecords;
    TracedValue<uint64_t> m_heapOctets;
    TracedCallback<const netflow::FlowRecord&, netflow::Move> m_recordTrace;
    TracedCallback<const netflow::Datagram&, Ipv4Address> m_datagramTrace;
    TracedCallback<const std::vector<uint16_t>&, const std::vector<netflow::QueuedRecord>&>
        m_polledTrace;
    TracedCallback<const netflow::Datagram&> m_sendFailedTrace;
};

} // namespace ns3

#endif // ESX_NETFLOW_H
