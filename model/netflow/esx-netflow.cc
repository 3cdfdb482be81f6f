// SPDX-License-Identifier: GPL-2.0-only
#include "esx-netflow.h"

#include "esx-net-netflow.h"
#include "model/netflow/esx-netflow-taps.h"
#include "netflow/high-water.h"

#include "ns3/esx-export-tag.h"
#include "ns3/esx-host-memory.h"
#include "ns3/esx-host.h"
#include "ns3/esx-table.h"
#include "ns3/log.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <map>

namespace ns3
{

NS_LOG_COMPONENT_DEFINE("EsxNetflow");
NS_OBJECT_ENSURE_REGISTERED(EsxNetflow);

namespace
{

const char* const LOG_MODULE = "NetFlow";

/// Where the module asks its heap for memory, as failures are logged: the documented example's.
const char* const CALLER = "0x8fdbd0";

/// Most frames are parsed from this many octets; longer headers are copied again, whole.
constexpr uint32_t USUAL_PARSE_OCTETS = 64;

netflow::PacketSummary
Parse(const Ptr<const Packet>& packet, uint16_t protocol)
{
    uint8_t octets[netflow::PARSE_OCTETS];
    const uint32_t size = packet->GetSize();
    uint32_t copied = packet->CopyData(octets, USUAL_PARSE_OCTETS);
    netflow::PacketSummary summary = netflow::ParsePayload(protocol, octets, copied, size);
    if (summary.verdict != netflow::FrameVerdict::METERABLE && copied < size)
    {
        copied = packet->CopyData(octets, sizeof(octets));
        summary = netflow::ParsePayload(protocol, octets, copied, size);
    }
    return summary;
}

} // namespace

/// Holds the objects of netflow/ for this host, and tells the VMkernel log of their events.
struct EsxNetflow::Impl : public netflow::MeteringEvents
{
    Impl(EsxNetflow& owner)
        : module(owner),
          heap(0)
    {
    }

    void PurgatoryEpisodeBegan(netflow::TimeNs) override
    {
        NS_LOG_WARN("host " << module.m_host->GetName() << ": purgatory is full");
        module.m_host->GetLog()->Warning(LOG_MODULE, 412, "Maximum purgatory size reached");
    }

    void PurgatoryEpisodeEnded(netflow::TimeNs, uint64_t drops) override
    {
        module.m_host->GetLog()->Log(LOG_MODULE,
                                     431,
                                     "purgatory no longer full: " + std::to_string(drops) +
                                         " flow records dropped");
    }

    void RecordConcluded(const netflow::FlowRecord& record, netflow::Move station) override
    {
        NS_LOG_LOGIC("host " << module.m_host->GetName() << ": record " << record.id << " of "
                             << EsxDotted(record.key.source) << ":" << record.key.sourcePort
                             << " to " << EsxDotted(record.key.destination) << ":"
                             << record.key.destinationPort << " ended ("
                             << netflow::ToString(record.reason) << "), "
                             << netflow::GetInfo(station).name);
        module.m_recordTrace(record, station);
    }

    void AllocationFailed(netflow::TimeNs now, uint64_t size) override
    {
        // A packet is shed each time; the log says so once a second at most (our choice).
        if (now < nextHeapWarning)
        {
            return;
        }
        nextHeapWarning = now + netflow::NS_PER_SECOND;
        NS_LOG_WARN("host " << module.m_host->GetName() << ": no memory for " << size
                            << " octets more, packets of new flows are shed");
        const Ptr<EsxVmkernelLog> log = module.m_host->GetLog();
        const std::string octets = std::to_string(size);
        log->Warning("Heap",
                     1266,
                     "Heap netflow: Maximum allowed growth (" +
                         std::to_string(heap.GetGrowthLeft()) + ") too small for size (" + octets +
                         ")");
        log->Warning("Heap",
                     1370,
                     "Heap_Align(netflow, " + octets + "/" + octets +
                         " bytes, 4 align) failed. caller: " + CALLER);
    }

    /// A heap may not grow while its host is short of memory.
    void FollowMemory()
    {
        const Ptr<EsxHostMemory> memory = module.m_host->GetObject<EsxHostMemory>();
        if (!memory || followsMemory)
        {
            return;
        }
        followsMemory = true;
        heap.SetGrowthAllowed(memory->IsGrowthAllowed());
        memory->TraceConnectWithoutContext(
            "State",
            Callback<void, EsxHostMemory::State, EsxHostMemory::State>(
                [this, raw = PeekPointer(memory)](EsxHostMemory::State, EsxHostMemory::State) {
                    heap.SetGrowthAllowed(raw->IsGrowthAllowed());
                }));
    }

    EsxNetflow& module;
    netflow::Heap heap;
    netflow::Ledger ledger;
    netflow::Journal journal;
    std::unique_ptr<netflow::MeteringProcess> metering;
    std::unique_ptr<EsxNetflowReplay> replay; // in its place
    netflow::Ledger idle;                     // of a process in whose place something is replayed
    Time settledAt{-1};                       //!< SettleAll() was called
    EsxNetflowTaps taps;
    std::map<uint16_t, uint32_t> registrations; // so far, by switch ID
    std::vector<Ptr<EsxNetNetflow>> processes;
    uint64_t breaches{0}; // in former loads
    uint64_t nextRecordId{0};
    netflow::HighWater cacheHighWater; // of former loads, and until they were taken last
    netflow::HighWater purgatoryHighWater;
    int64_t nextHeapWarning{0};
    Time busyUntil{0}; // the processor that meters
    bool followsMemory{false};
    bool scanScheduled{false};
    EventId scan;
};

EsxNetflow::EsxNetflow()
    : m_impl(std::make_unique<Impl>(*this))
{
}

EsxNetflow::~EsxNetflow() = default;

void
EsxNetflow::SetHost(Ptr<EsxHost> host)
{
    NS_ABORT_MSG_UNLESS(host, "the NetFlow module needs a host");
    NS_ABORT_MSG_IF(m_host, "the NetFlow module is on host " << m_host->GetName() << " already");
    m_host = PeekPointer(host);
}

Ptr<EsxHost>
EsxNetflow::GetHost() const
{
    return m_host;
}

std::string
EsxNetflow::Load()
{
    if (m_host->GetEdition() == EsxHost::ESX3I)
    {
        return "NetFlow is not supported on ESX Server 3i";
    }
    if (IsLoaded())
    {
        return "module netflow is already loaded";
    }
    m_impl->FollowMemory();
    netflow::MeteringConfig config;
    config.cache.idleTimeout = m_idleTimeout.GetNanoSeconds();
    config.cache.activeTimeout = m_activeTimeout.GetNanoSeconds();
    config.cache.scanInterval = m_scanInterval.GetNanoSeconds();
    config.cache.maxEntries = m_maxEntries;
    config.cache.policy = m_cachePolicy;
    config.cache.expireOnTcpEnd = m_expireOnTcpEnd;
    config.cache.firstRecordId = m_impl->nextRecordId;
    config.purgatoryMax = m_purgatoryMax;
    config.purgatoryPolicy = m_purgatoryPolicy;
    const bool meters = !m_impl->replay;
    m_impl->metering = netflow::MeteringProcess::Create(config,
                                                        m_impl->heap,
                                                        meters ? m_impl->ledger : m_impl->idle,
                                                        meters ? &m_impl->journal : nullptr,
                                                        m_impl.get());
    if (!m_impl->metering)
    {
        return "not enough heap for purgatory: " +
               std::to_string(m_purgatoryMax * netflow::HEAP_PER_QUEUED_RECORD) +
               " octets wanted, " + std::to_string(m_impl->heap.GetGrowthLeft()) + " left";
    }
    for (const Ptr<EsxVSwitch>& vSwitch : m_host->GetVSwitches())
    {
        m_impl->taps.Add(vSwitch, this);
    }
    TellLevels();
    NS_LOG_INFO("host " << m_host->GetName() << ": module loaded, idle "
                        << m_idleTimeout.As(Time::S) << ", active " << m_activeTimeout.As(Time::S)
                        << ", purgatory " << m_purgatoryMax);
    // The module's lengths and ID are those of the technote's vmkload_mod -l.
    m_host->GetLog()->Log(
        "Mod",
        936,
        "Starting load for module: netflow R/O length: 0x6000 R/W length: 0x1000");
    m_host->GetLog()->Log("Mod", 1408, "initialization for netflow succeeded with module ID 16.");
    return "";
}

std::string
EsxNetflow::Unload()
{
    if (!IsLoaded())
    {
        return "module netflow is not loaded";
    }
    if (IsInUse())
    {
        return "module netflow is in use";
    }
    m_impl->taps.RemoveAll();
    TakeHighWaterMarks();
    m_impl->breaches += m_impl->metering->GetBreaches();
    m_impl->nextRecordId = m_impl->metering->GetCache().GetNextRecordId();
    m_impl->metering.reset();
    TellLevels();
    m_impl->scan.Cancel();
    m_impl->scanScheduled = false;
    NS_LOG_INFO("host " << m_host->GetName() << ": module unloaded");
    m_host->GetLog()->Log("Mod", 1512, "Module netflow unloaded");
    return "";
}

bool
EsxNetflow::IsLoaded() const
{
    return m_impl->metering != nullptr;
}

bool
EsxNetflow::IsInUse() const
{
    const auto vSwitches = m_impl->taps.GetVSwitches();
    return std::any_of(vSwitches.begin(), vSwitches.end(), [this](const Ptr<EsxVSwitch>& vSwitch) {
        return IsRegistered(vSwitch->GetId());
    });
}

bool
EsxNetflow::IsRegistered(uint16_t id) const
{
    return IsLoaded() && m_impl->metering->IsRegistered(id);
}

std::string
EsxNetflow::Register(const std::vector<std::string>& names, std::vector<uint16_t>& ids)
{
    if (!IsLoaded())
    {
        return "the netflow module is not loaded; load it with: vmkload_mod netflow";
    }
    const bool second = IsInUse();
    ids.clear();
    for (const std::string& name : names)
    {
        const Ptr<EsxVSwitch> vSwitch = m_host->GetVSwitch(name);
        if (vSwitch)
        {
            vSwitch->GoSingly();
        }
        const bool registered = vSwitch && m_impl->metering->Register(vSwitch->GetId());
        if (!registered)
        {
            for (uint16_t id : ids) // nothing was metered since: all in this instant
            {
                m_impl->metering->Unregister(id, netflow::StopCause::KILLED, GetUptimeNs());
            }
            ids.clear();
            return vSwitch ? "vSwitch " + name + " is already registered for NetFlow"
                           : "no such virtual switch: " + name;
        }
        if (!vSwitch->GetTap())
        {
            m_impl->taps.Add(vSwitch, this); // made after the module was loaded
        }
        ids.push_back(vSwitch->GetId());
    }
    for (uint16_t id : ids)
    {
        ++m_impl->registrations[id];
    }
    if (second)
    {
        m_host->GetLog()->Warning(LOG_MODULE,
                                  197,
                                  "more than one net-netflow is running; this has not been tested");
    }
    for (const std::string& name : names)
    {
        NS_LOG_INFO("host " << m_host->GetName() << ": enabled on " << name);
        m_host->GetLog()->Log(LOG_MODULE, 203, "NetFlow enabled on " + name);
    }
    return "";
}

void
EsxNetflow::Unregister(const std::vector<uint16_t>& ids, netflow::StopCause cause)
{
    for (uint16_t id : ids)
    {
        if (IsLoaded() && m_impl->metering->IsRegistered(id))
        {
            m_impl->metering->Unregister(id, cause, GetUptimeNs());
            m_host->GetLog()->Log(LOG_MODULE,
                                  216,
                                  "NetFlow disabled on " + m_host->GetVSwitchById(id)->GetName());
        }
    }
    TellLevels();
}

void
EsxNetflow::Poll(const std::vector<uint16_t>& ids, std::vector<netflow::QueuedRecord>& records)
{
    if (!IsLoaded())
    {
        return;
    }
    const int64_t now = GetUptimeNs();
    if (m_impl->metering->NextScan() <= now) // at equal times scan before poll
    {
        m_impl->metering->Scan(now);
    }
    m_impl->replay ? m_impl->replay->poll(ids, records) : m_impl->metering->Poll(ids, now, records);
    m_polledTrace(ids, records);
    TellLevels();
}

void
EsxNetflow::NotifyLaunched(const Ptr<EsxNetNetflow>& process)
{
    m_impl->processes.push_back(process);
}

const std::vector<Ptr<EsxNetNetflow>>&
EsxNetflow::GetProcesses() const
{
    return m_impl->processes;
}

void
EsxNetflow::NotifyDatagram(const netflow::Datagram& datagram, Ipv4Address collector)
{
    m_datagramTrace(datagram, collector);
}

void
EsxNetflow::NotifyVerboseLine()
{
    m_impl->busyUntil = std::max(m_impl->busyUntil, Simulator::Now()) + m_meteringDelay;
}

void
EsxNetflow::NotifySendFailed(const netflow::Datagram& datagram)
{
    m_sendFailedTrace(datagram);
}

int64_t
EsxNetflow::GetUptimeNs() const
{
    return m_host->GetUptime().GetNanoSeconds();
}

void
EsxNetflow::SetHeapMax(uint64_t octets)
{
    m_heapMax = octets;
    m_impl->heap.SetMaximum(octets);
}

uint64_t
EsxNetflow::GetHeapMax() const
{
    return m_heapMax;
}

uint64_t
EsxNetflow::GetHeapUsed() const
{
    return m_impl->replay ? m_impl->replay->levels.heapOctets : m_impl->heap.GetUsed();
}

uint64_t
EsxNetflow::GetHeapHighWater() const
{
    return m_impl->replay ? m_impl->replay->marks.heapOctets : m_impl->heap.GetHighWater();
}

const netflow::Ledger&
EsxNetflow::GetLedger() const
{
    SettleAll();
    return m_impl->ledger;
}

netflow::Ledger&
EsxNetflow::GetLedgerToBook()
{
    return m_impl->ledger;
}

netflow::Journal&
EsxNetflow::GetJournal()
{
    return m_impl->journal;
}

const netflow::Journal&
EsxNetflow::GetJournal() const
{
    return m_impl->journal;
}

const netflow::MeteringProcess*
EsxNetflow::GetMeteringProcess() const
{
    SettleAll();
    return m_impl->metering.get();
}

void
EsxNetflow::ForEachLive(const std::function<void(const netflow::FlowRecord&)>& visit) const
{
    if (m_impl->replay)
    {
        std::for_each(m_impl->replay->live.begin(), m_impl->replay->live.end(), visit);
    }
    else if (IsLoaded())
    {
        SettleAll();
        m_impl->metering->GetCache().ForEach(visit);
    }
}

netflow::Counts
EsxNetflow::GetMeteringResidual() const
{
    SettleAll();
    return m_impl->replay ? m_impl->replay->residual
           : IsLoaded()   ? m_impl->metering->GetResidual()
                          : netflow::Counts();
}

void
EsxNetflow::Replay(std::unique_ptr<EsxNetflowReplay> replay)
{
    m_impl->replay = std::move(replay);
}

EsxNetflowReplay*
EsxNetflow::GetReplay() const
{
    return m_impl->replay.get();
}

uint32_t
EsxNetflow::GetRegistrations(uint16_t id) const
{
    const auto registrations = m_impl->registrations.find(id);
    return registrations == m_impl->registrations.end() ? 0 : registrations->second;
}

uint64_t
EsxNetflow::GetCacheHighWater() const
{
    if (m_impl->replay)
    {
        return m_impl->replay->marks.cacheRecords;
    }
    const uint64_t before = m_impl->cacheHighWater.Get();
    return IsLoaded() ? std::max(before, m_impl->metering->GetCache().GetHighWater()) : before;
}

uint64_t
EsxNetflow::GetPurgatoryHighWater() const
{
    if (m_impl->replay)
    {
        return m_impl->replay->marks.purgatoryRecords;
    }
    const uint64_t before = m_impl->purgatoryHighWater.Get();
    return IsLoaded() ? std::max<uint64_t>(before, m_impl->metering->GetPurgatory().GetHighWater())
                      : before;
}

uint64_t
EsxNetflow::GetBreaches() const
{
    if (m_impl->replay)
    {
        return m_impl->replay->breaches;
    }
    return m_impl->breaches + (IsLoaded() ? m_impl->metering->GetBreaches() : 0);
}

int64_t
EsxNetflow::GetTapResidual() const
{
    if (m_impl->replay)
    {
        return m_impl->replay->tapResidual;
    }
    return static_cast<int64_t>(m_impl->taps.GetAccepted() -
                                m_impl->ledger.GetTotal().Get(netflow::Move::OFFERED).packets);
}

void
EsxNetflow::DoDispose()
{
    m_impl->scan.Cancel();
    m_impl->taps.RemoveAll();
    Object::DoDispose();
}

int64_t
EsxNetflow::Ingress(const EsxVSwitch& vSwitch,
                    const Ptr<const Packet>& packet,
                    uint16_t protocol,
                    uint16_t input,
                    uint16_t output)
{
    Meter(vSwitch, packet, protocol, input, output);
    return m_meteringDelay.IsZero() ? 0 : (m_impl->busyUntil - Simulator::Now()).GetNanoSeconds();
}

void
EsxNetflow::Meter(const EsxVSwitch& vSwitch,
                  const Ptr<const Packet>& packet,
                  uint16_t protocol,
                  uint16_t input,
                  uint16_t output)
{
    if (m_impl->replay)
    {
        return;
    }
    const uint16_t id = vSwitch.GetId();
    netflow::MeteringProcess& metering = *m_impl->metering;
    if (!metering.IsRegistered(id))
    {
        NS_LOG_LOGIC("host " << m_host->GetName() << ": frame ignored: not_monitored");
        metering.Ignore(id, netflow::Move::IGNORED_NOT_MONITORED, packet->GetSize());
        return;
    }
    if (!m_meterOwnExport && packet->GetPacketTagIterator().HasNext() && IsOwnExport(packet))
    {
        NS_LOG_LOGIC("host " << m_host->GetName() << ": frame ignored: own_export");
        metering.Ignore(id, netflow::Move::IGNORED_OWN_EXPORT, packet->GetSize());
        return;
    }
    Observe(id, Parse(packet, protocol), input, output);
}

bool
EsxNetflow::MetersAtOnce() const
{
    return m_meteringDelay.IsZero() && !m_impl->replay;
}

void
EsxNetflow::Meter(const netflow::PacketSummary& packet, uint32_t octets, uint16_t output)
{
    const uint16_t id = packet.key.vSwitch;
    if (!IsRegistered(id))
    {
        Ignore(id, 1, octets);
        return;
    }
    Observe(id, packet, packet.key.input, output);
}

void
EsxNetflow::Observe(uint16_t vSwitch,
                    const netflow::PacketSummary& packet,
                    uint16_t input,
                    uint16_t output)
{
    netflow::MeteringProcess& metering = *m_impl->metering;
    metering.Observe(vSwitch, packet, input, output, GetUptimeNs());
    if (metering.GetCache().GetSize() != m_cacheRecords ||
        metering.GetPurgatory().GetSize() != m_purgatoryRecords) // rarely: no record begins or ends
    {
        TellLevels();
    }
    if (!m_meteringDelay.IsZero())
    {
        m_impl->busyUntil = std::max(m_impl->busyUntil, Simulator::Now()) + m_meteringDelay;
    }
    ScheduleScan();
    NS_ASSERT_MSG(GetTapResidual() == 0, "law L0");
}

EsxNetflow::Deferral
EsxNetflow::Defer(uint16_t vSwitch,
                  const netflow::FlowKey& key,
                  netflow::DeferredPackets& packets,
                  netflow::TimeNs next)
{
    if (!MetersAtOnce())
    {
        return {};
    }
    if (!IsRegistered(vSwitch))
    {
        return {true, nullptr, nullptr};
    }
    const netflow::FlowEntry* const record = m_impl->metering->Defer(key, packets, next);
    return {record != nullptr, record, &m_impl->metering->GetCache().GetConfig()};
}

void
EsxNetflow::Undefer(const netflow::FlowKey& key)
{
    m_impl->metering->Undefer(key, GetUptimeNs());
}

void
EsxNetflow::Ignore(uint16_t vSwitch, uint32_t packets, uint64_t octets)
{
    m_impl->metering->Ignore(vSwitch, netflow::Move::IGNORED_NOT_MONITORED, octets, packets);
}

void
EsxNetflow::Settle()
{
    m_impl->metering->Settle(GetUptimeNs());
}

void
EsxNetflow::SettleAll() const
{
    if (m_impl->settledAt == Simulator::Now())
    {
        return;
    }
    m_impl->settledAt = Simulator::Now();
    if (m_impl->metering)
    {
        m_impl->metering->Settle(GetUptimeNs());
    }
    for (const Ptr<EsxVSwitch>& vSwitch : m_impl->taps.GetVSwitches())
    {
        if (!IsRegistered(vSwitch->GetId())) // what is ignored is no record's
        {
            vSwitch->Settle();
        }
    }
}

bool
EsxNetflow::IsOwnExport(const Ptr<const Packet>& packet) const
{
    EsxExportTag tag;
    return packet->PeekPacketTag(tag) && tag.GetExporter() == m_host->GetVmkernelNode()->GetId();
}

void
EsxNetflow::SwitchDeleted(const EsxVSwitch& vSwitch)
{
    m_impl->taps.Forget(vSwitch);
    if (m_impl->metering->IsRegistered(vSwitch.GetId()))
    {
        Unregister({vSwitch.GetId()}, netflow::StopCause::SWITCH_DELETED);
        const std::string reason =
            "virtual switch " + vSwitch.GetName() + " deleted with NetFlow activated";
        if (m_haltOnDelete)
        {
            // Not now: the vSwitch is still whole, and its host is about to forget it.
            Simulator::ScheduleNow(&EsxHost::Halt, Ptr<EsxHost>(m_host), reason);
        }
        else
        {
            m_host->MarkUnstable(reason);
        }
    }
}

/// Trace sources CacheRecords, PurgatoryRecords and HeapOctets.
void
EsxNetflow::TellLevels()
{
    const netflow::MeteringProcess* metering = m_impl->metering.get();
    // By Set(), not by assignment, which makes a TracedValue of each number first.
    m_cacheRecords.Set(metering ? metering->GetCache().GetSize() : 0);
    m_purgatoryRecords.Set(metering ? metering->GetPurgatory().GetSize() : 0);
    m_heapOctets.Set(m_impl->heap.GetUsed());
}

void
EsxNetflow::TakeHighWaterMarks()
{
    if (IsLoaded())
    {
        const netflow::MeteringProcess::Peaks peaks = m_impl->metering->TakePeaks();
        m_impl->cacheHighWater.Note(peaks.cache);
        m_impl->purgatoryHighWater.Note(peaks.purgatory);
    }
}

uint64_t
EsxNetflow::GetPurgatoryHighWaterOfLoad() const
{
    return m_impl->replay ? m_impl->replay->purgatoryMarkOfLoad
           : IsLoaded()   ? m_impl->metering->GetPurgatory().GetHighWater()
                          : 0;
}

EsxNetflowPeaks
EsxNetflow::GetLevels() const
{
    if (m_impl->replay)
    {
        return m_impl->replay->levels;
    }
    const netflow::MeteringProcess* metering = m_impl->metering.get();
    return {metering ? metering->GetCache().GetSize() : 0,
            metering ? metering->GetPurgatory().GetSize() : 0,
            m_impl->heap.GetUsed()};
}

EsxNetflowPeaks
EsxNetflow::TakePeaks()
{
    if (m_impl->replay)
    {
        return m_impl->replay->peaks;
    }
    TakeHighWaterMarks();
    const EsxNetflowPeaks levels = GetLevels();
    return {m_impl->cacheHighWater.Take(levels.cacheRecords),
            m_impl->purgatoryHighWater.Take(levels.purgatoryRecords),
            m_impl->heap.TakeHighWater()};
}

/// Schedules the next scan unless one is scheduled: that one is never too late, as deadlines only
/// move away.
void
EsxNetflow::ScheduleScan()
{
    if (m_impl->scanScheduled)
    {
        return;
    }
    const netflow::TimeNs next = m_impl->metering->NextScan();
    if (next != netflow::NEVER)
    {
        m_impl->scanScheduled = true;
        m_impl->scan = Simulator::Schedule(NanoSeconds(std::max<int64_t>(next - GetUptimeNs(), 0)),
                                           &EsxNetflow::Scan,
                                           this);
    }
}

void
EsxNetflow::Scan()
{
    m_impl->scanScheduled = false;
    NS_LOG_INFO("host " << m_host->GetName() << ": scan");
    m_impl->metering->Scan(GetUptimeNs());
    TellLevels();
    ScheduleScan();
}

} // namespace ns3
