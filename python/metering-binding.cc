// SPDX-License-Identifier: GPL-2.0-only
// The library's flow cache, purgatory and exporter on arrays of packets and records, and captures
// through all three.
#include "bindings.h"
#include "netflow/exporter.h"
#include "netflow/flow-cache.h"
#include "netflow/purgatory.h"
#include "runner/capture-reader.h"
#include "runner/cli.h"
#include "runner/probe.h"

#include <deque>
#include <fmt/format.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace esxnf
{

using netflow::FlowRecord;
using netflow::QueuedRecord;
using netflow::TimeNs;

namespace
{

/// A packet as it is handed to a cache.
struct PacketEntry
{
    int64_t timeNs;
    uint32_t source;
    uint32_t destination;
    uint32_t octets;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint16_t vSwitch;
    uint16_t input;
    uint16_t output;
    uint8_t protocol;
    uint8_t tos;
    uint8_t tcpFlags;
    uint8_t unused[7];
};

static_assert(sizeof(PacketEntry) == 40, "no padding beside the member that says so");

/// A flow record, flat.
struct RecordEntry
{
    int64_t firstNs;
    int64_t lastNs;
    uint64_t id;
    uint32_t packets;
    uint32_t octets;
    uint32_t source;
    uint32_t destination;
    uint16_t sourcePort;
    uint16_t destinationPort;
    uint16_t vSwitch;
    uint16_t input;
    uint16_t output;
    uint8_t protocol;
    uint8_t tos;
    uint8_t tcpFlags;
    uint8_t reason;
    uint8_t unused[2];
};

static_assert(sizeof(RecordEntry) == 56, "no padding beside the member that says so");

using Packets = py::array_t<PacketEntry, py::array::c_style>;
using Records = py::array_t<RecordEntry, py::array::c_style>;

RecordEntry
ToEntry(const FlowRecord& record)
{
    RecordEntry entry{};
    entry.firstNs = record.first;
    entry.lastNs = record.last;
    entry.id = record.id;
    entry.packets = record.packets;
    entry.octets = record.octets;
    entry.source = record.key.source;
    entry.destination = record.key.destination;
    entry.sourcePort = record.key.sourcePort;
    entry.destinationPort = record.key.destinationPort;
    entry.vSwitch = record.key.vSwitch;
    entry.input = record.key.input;
    entry.output = record.output;
    entry.protocol = record.key.protocol;
    entry.tos = record.key.tos;
    entry.tcpFlags = record.tcpFlags;
    entry.reason = static_cast<uint8_t>(record.reason);
    return entry;
}

FlowRecord
ToRecord(const RecordEntry& entry)
{
    if (entry.reason >= netflow::END_REASONS)
    {
        throw py::value_error(fmt::format("no reason is {}", entry.reason));
    }
    FlowRecord record;
    record.first = entry.firstNs;
    record.last = entry.lastNs;
    record.id = entry.id;
    record.packets = entry.packets;
    record.octets = entry.octets;
    record.key.source = entry.source;
    record.key.destination = entry.destination;
    record.key.sourcePort = entry.sourcePort;
    record.key.destinationPort = entry.destinationPort;
    record.key.vSwitch = entry.vSwitch;
    record.key.input = entry.input;
    record.output = entry.output;
    record.key.protocol = entry.protocol;
    record.key.tos = entry.tos;
    record.tcpFlags = entry.tcpFlags;
    record.reason = static_cast<netflow::EndReason>(entry.reason);
    return record;
}

/// Refuses a time before an earlier one: the library's clocks never run backwards.
void
Advance(TimeNs& clock, TimeNs now)
{
    if (now < clock)
    {
        throw py::value_error(fmt::format("time {} ns lies before {} ns", now, clock));
    }
    clock = now;
}

void
RequirePositive(const char* what, int64_t value)
{
    if (value <= 0)
    {
        throw py::value_error(fmt::format("{} must be positive, not {}", what, value));
    }
}

/// netflow::FlowCache with its heap; keeps the records that ended until they are taken.
class CacheBinding : private netflow::EndedRecordSink
{
  public:
    CacheBinding(const netflow::FlowCacheConfig& config, uint64_t heap)
        : m_heap(heap),
          m_cache(config, m_heap, *this)
    {
    }

    py::array_t<uint8_t> Account(const Packets& packets)
    {
        py::array_t<uint8_t> results(packets.size());
        netflow::PacketSummary summary;
        summary.verdict = netflow::FrameVerdict::METERABLE;
        for (py::ssize_t i = 0; i < packets.size(); ++i)
        {
            const PacketEntry& packet = packets.data()[i];
            Advance(m_now, packet.timeNs);
            netflow::FlowKey& key = summary.key;
            key.source = packet.source;
            key.destination = packet.destination;
            key.sourcePort = packet.sourcePort;
            key.destinationPort = packet.destinationPort;
            key.vSwitch = packet.vSwitch;
            key.input = packet.input;
            key.protocol = packet.protocol;
            key.tos = packet.tos;
            summary.octets = packet.octets;
            summary.tcpFlags = packet.tcpFlags;
            results.mutable_data()[i] =
                static_cast<uint8_t>(m_cache.Account(summary, packet.output, packet.timeNs));
        }
        return results;
    }

    /// Makes all scans that are due up to now.
    void Scan(TimeNs now)
    {
        Advance(m_now, now);
        for (TimeNs due = m_cache.NextScan(); due <= now; due = m_cache.NextScan())
        {
            m_cache.Scan(due);
        }
    }

    py::array TakeEnded()
    {
        std::vector<RecordEntry> ended;
        ended.swap(m_ended);
        return ToArray(std::move(ended));
    }

    py::array GetLive() const
    {
        std::vector<RecordEntry> live;
        m_cache.ForEach([&live](const FlowRecord& record) { live.push_back(ToEntry(record)); });
        return ToArray(std::move(live));
    }

    const netflow::FlowCache& Get() const
    {
        return m_cache;
    }

    uint64_t GetHeapUsed() const
    {
        return m_heap.GetUsed();
    }

  private:
    void RecordEnded(const FlowRecord& record) override
    {
        m_ended.push_back(ToEntry(record));
    }

    netflow::Heap m_heap;
    std::vector<RecordEntry> m_ended;
    netflow::FlowCache m_cache;
    TimeNs m_now{0};
};

/// netflow::Purgatory, filled and emptied by arrays.
class PurgatoryBinding
{
  public:
    PurgatoryBinding(uint32_t bound, netflow::PurgatoryPolicy policy)
        : m_purgatory(bound, policy)
    {
    }

    /// -> the records that were lost
    py::array Push(const Records& records, TimeNs now)
    {
        Advance(m_now, now);
        std::vector<RecordEntry> lost;
        QueuedRecord dropped;
        for (py::ssize_t i = 0; i < records.size(); ++i)
        {
            if (!m_purgatory.Push({ToRecord(records.data()[i]), now, 0}, dropped))
            {
                lost.push_back(ToEntry(dropped.record));
            }
        }
        return ToArray(std::move(lost));
    }

    py::array Take(const std::vector<uint16_t>& vSwitches, TimeNs now)
    {
        Advance(m_now, now);
        std::vector<QueuedRecord> taken;
        m_purgatory.Take(vSwitches, now, taken);
        std::vector<RecordEntry> records;
        records.reserve(taken.size());
        for (const QueuedRecord& queued : taken)
        {
            records.push_back(ToEntry(queued.record));
        }
        return ToArray(std::move(records));
    }

    const netflow::Purgatory& Get() const
    {
        return m_purgatory;
    }

  private:
    netflow::Purgatory m_purgatory;
    TimeNs m_now{0};
};

/// netflow::Exporter; keeps the datagrams of a call.
class ExporterBinding : private netflow::DatagramSink
{
  public:
    explicit ExporterBinding(const netflow::ExporterConfig& config)
        : m_exporter(config, *this, m_ledger, nullptr)
    {
    }

    std::vector<py::bytes> Export(const Records& records, TimeNs uptime)
    {
        std::vector<QueuedRecord> queued;
        queued.reserve(static_cast<std::size_t>(records.size()));
        for (py::ssize_t i = 0; i < records.size(); ++i)
        {
            queued.push_back({ToRecord(records.data()[i]), uptime, 0});
        }
        m_datagrams.clear();
        m_exporter.Export(queued, uptime);
        return std::move(m_datagrams);
    }

    const netflow::Exporter& Get() const
    {
        return m_exporter;
    }

  private:
    bool Send(const netflow::Datagram& datagram) override
    {
        m_datagrams.emplace_back(reinterpret_cast<const char*>(datagram.data), datagram.size);
        return true;
    }

    netflow::Ledger m_ledger;
    std::vector<py::bytes> m_datagrams;
    netflow::Exporter m_exporter;
};

/// Keeps what a probe exports.
class RecordKeeper : public netflow::DatagramSink
{
  public:
    explicit RecordKeeper(bool keepOctets)
        : m_keepOctets(keepOctets)
    {
    }

    bool Send(const netflow::Datagram& datagram) override
    {
        for (const QueuedRecord* queued : datagram.records)
        {
            records.push_back(ToEntry(queued->record));
        }
        if (m_keepOctets)
        {
            octets.append(reinterpret_cast<const char*>(datagram.data), datagram.size);
        }
        return true;
    }

    std::vector<RecordEntry> records;
    std::string octets; //!< datagrams one behind the other

  private:
    const bool m_keepOctets;
};

constexpr uint64_t BATCHES_BETWEEN_SIGNALS = 1 << 10; // some ten milliseconds

/// Every so many batches, with no GIL held: lets Python handle signals. Throws what they raise.
void
CheckSignals(uint64_t batches)
{
    if (batches % BATCHES_BETWEEN_SIGNALS == 0)
    {
        const py::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0)
        {
            throw py::error_already_set();
        }
    }
}

py::dict
MovesOf(const netflow::Ledger& ledger)
{
    const netflow::Account total = ledger.GetTotal();
    py::dict moves;
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const netflow::Counts& counts = total.Get(static_cast<netflow::Move>(i));
        moves[netflow::GetInfo(static_cast<netflow::Move>(i)).name] =
            py::make_tuple(counts.packets, counts.octets, counts.records);
    }
    return moves;
}

constexpr std::size_t BATCH = 64; // frames: their cache misses overlap

void
MeterBatch(Probe& probe,
           const CaptureReader& reader,
           const CapturedFrame* frames,
           std::size_t count)
{
    netflow::BatchedPacket packets[BATCH];
    for (std::size_t i = 0; i < count; ++i)
    {
        packets[i].packet = reader.Parse(frames[i]);
        packets[i].time = frames[i].unixNs;
    }
    probe.ObserveBatch(packets, count, nullptr);
}

/// -> (records, datagrams one behind the other, moves, residual, datagrams, time of the first
/// packet)
py::tuple
MeterCapture(const std::string& path, const ProbeConfig& config, bool keepOctets)
{
    RecordKeeper keeper(keepOctets);
    std::optional<Probe> probe;
    int64_t begin = 0;
    {
        const py::gil_scoped_release released;
        CaptureReader reader(path);
        CapturedFrame frames[BATCH];
        std::size_t count = reader.NextBatch(frames, BATCH);
        begin = count > 0 ? frames[0].unixNs : 0;
        probe.emplace(config, begin, keeper);
        for (std::size_t batch = 1; count > 0; count = reader.NextBatch(frames, BATCH), ++batch)
        {
            MeterBatch(*probe, reader, frames, count);
            CheckSignals(batch);
        }
        probe->Finish();
    }
    const netflow::Counts residual = probe->GetResidual();
    return py::make_tuple(ToArray(std::move(keeper.records)),
                          py::bytes(keeper.octets),
                          MovesOf(probe->GetLedger()),
                          py::make_tuple(residual.packets, residual.octets, residual.records),
                          probe->GetExporter().GetDatagrams(),
                          begin);
}

/// -> UDP payloads to a port in a capture, of whole datagrams, and how many were not whole
py::tuple
ReadUdp(const std::string& path, uint16_t port)
{
    std::deque<std::string> payloads;
    uint64_t incomplete = 0;
    {
        const py::gil_scoped_release released;
        CaptureReader reader(path);
        CapturedFrame frame;
        UdpDatagram datagram;
        while (reader.Next(frame))
        {
            const UdpFinding finding = reader.FindUdp(frame, port, datagram);
            if (finding == UdpFinding::FOUND)
            {
                payloads.emplace_back(reinterpret_cast<const char*>(datagram.data), datagram.size);
            }
            incomplete += finding == UdpFinding::FRAGMENT || finding == UdpFinding::INCOMPLETE;
            CheckSignals(reader.GetCount() / BATCH);
        }
    }
    py::list list;
    for (const std::string& payload : payloads)
    {
        list.append(py::bytes(payload));
    }
    return py::make_tuple(list, incomplete);
}

void
RegisterTypes()
{
    PYBIND11_NUMPY_DTYPE_EX(PacketEntry,
                            timeNs,
                            "time_ns",
                            source,
                            "src",
                            destination,
                            "dst",
                            octets,
                            "octets",
                            sourcePort,
                            "sport",
                            destinationPort,
                            "dport",
                            vSwitch,
                            "vswitch",
                            input,
                            "input",
                            output,
                            "output",
                            protocol,
                            "proto",
                            tos,
                            "tos",
                            tcpFlags,
                            "tcp_flags");
    PYBIND11_NUMPY_DTYPE_EX(RecordEntry,
                            firstNs,
                            "first_ns",
                            lastNs,
                            "last_ns",
                            id,
                            "id",
                            packets,
                            "packets",
                            octets,
                            "octets",
                            source,
                            "src",
                            destination,
                            "dst",
                            sourcePort,
                            "sport",
                            destinationPort,
                            "dport",
                            vSwitch,
                            "vswitch",
                            input,
                            "input",
                            output,
                            "output",
                            protocol,
                            "proto",
                            tos,
                            "tos",
                            tcpFlags,
                            "tcp_flags",
                            reason,
                            "reason");
}

void
BindConfigs(py::module_& module)
{
    py::enum_<netflow::CachePolicy>(module, "CachePolicy")
        .value("DropNew", netflow::CachePolicy::DROP_NEW)
        .value("EvictOldest", netflow::CachePolicy::EVICT_OLDEST)
        .value("EvictOldestDrop", netflow::CachePolicy::EVICT_OLDEST_DROP);
    py::enum_<netflow::PurgatoryPolicy>(module, "PurgatoryPolicy")
        .value("TailDrop", netflow::PurgatoryPolicy::TAIL_DROP)
        .value("HeadDrop", netflow::PurgatoryPolicy::HEAD_DROP);
    using Cache = netflow::FlowCacheConfig;
    py::class_<Cache>(module, "FlowCacheConfig")
        .def(py::init<>())
        .def_readwrite("idle_timeout", &Cache::idleTimeout)
        .def_readwrite("active_timeout", &Cache::activeTimeout)
        .def_readwrite("scan_interval", &Cache::scanInterval)
        .def_readwrite("max_entries", &Cache::maxEntries)
        .def_readwrite("heap_per_record", &Cache::heapPerRecord)
        .def_readwrite("policy", &Cache::policy)
        .def_readwrite("expire_on_tcp_end", &Cache::expireOnTcpEnd);
    using Export = netflow::ExporterConfig;
    py::class_<Export>(module, "ExporterConfig")
        .def(py::init<>())
        .def_readwrite("alternate_port_ids", &Export::alternatePortIds)
        .def_readwrite("initial_sequence", &Export::initialSequence)
        .def_readwrite("max_records", &Export::maxRecords)
        .def_readwrite("boot_unix_ns", &Export::bootUnixNs);
    using Metering = netflow::MeteringConfig;
    py::class_<Metering>(module, "MeteringConfig")
        .def_readwrite("cache", &Metering::cache)
        .def_readwrite("purgatory_max", &Metering::purgatoryMax)
        .def_readwrite("purgatory_policy", &Metering::purgatoryPolicy);
    py::class_<ProbeConfig>(module, "ProbeConfig")
        .def(py::init<>())
        .def_readwrite("metering", &ProbeConfig::metering)
        .def_readwrite("exporter", &ProbeConfig::exporter)
        .def_readwrite("heap", &ProbeConfig::heapMaximum)
        .def_readwrite("poll_period", &ProbeConfig::pollPeriod)
        .def_property(
            "vswitch",
            [](const ProbeConfig& config) { return config.ingress.vSwitch; },
            [](ProbeConfig& config, uint16_t id) { config.ingress.vSwitch = id; })
        .def_property(
            "input",
            [](const ProbeConfig& config) { return config.ingress.port; },
            [](ProbeConfig& config, uint16_t port) { config.ingress.port = port; })
        .def_readwrite("output", &ProbeConfig::output)
        .def_readwrite("lossless", &ProbeConfig::lossless);
}

CacheBinding*
MakeCache(const netflow::FlowCacheConfig& config, uint64_t heap)
{
    RequirePositive("idle_timeout", config.idleTimeout);
    RequirePositive("active_timeout", config.activeTimeout);
    RequirePositive("scan_interval", config.scanInterval);
    return new CacheBinding(config, heap);
}

PurgatoryBinding*
MakePurgatory(uint32_t bound, netflow::PurgatoryPolicy policy)
{
    RequirePositive("bound", bound);
    return new PurgatoryBinding(bound, policy);
}

ExporterBinding*
MakeExporter(const netflow::ExporterConfig& config)
{
    if (config.maxRecords < 1 || config.maxRecords > netflow::V5_MAX_RECORDS)
    {
        throw py::value_error(
            fmt::format("max_records must be 1 to 30, not {}", config.maxRecords));
    }
    if (config.bootUnixNs < 0)
    {
        throw py::value_error("boot_unix_ns must not be negative");
    }
    return new ExporterBinding(config);
}

void
BindClasses(py::module_& module)
{
    py::class_<CacheBinding>(module, "FlowCache")
        .def(py::init(&MakeCache), py::arg("config"), py::arg("heap"))
        .def("account", &CacheBinding::Account)
        .def("scan", &CacheBinding::Scan)
        .def("take_ended", &CacheBinding::TakeEnded)
        .def("live", &CacheBinding::GetLive)
        .def("__len__", [](const CacheBinding& cache) { return cache.Get().GetSize(); })
        .def_property_readonly("high_water",
                               [](const CacheBinding& cache) { return cache.Get().GetHighWater(); })
        .def_property_readonly("next_scan",
                               [](const CacheBinding& cache) { return cache.Get().NextScan(); })
        .def_property_readonly("heap_used", &CacheBinding::GetHeapUsed);
    py::class_<PurgatoryBinding>(module, "Purgatory")
        .def(py::init(&MakePurgatory), py::arg("bound"), py::arg("policy"))
        .def("push", &PurgatoryBinding::Push)
        .def("take", &PurgatoryBinding::Take)
        .def("__len__", [](const PurgatoryBinding& queue) { return queue.Get().GetSize(); })
        .def_property_readonly(
            "high_water",
            [](const PurgatoryBinding& queue) { return queue.Get().GetHighWater(); })
        .def_property_readonly("bound", [](const PurgatoryBinding& queue) {
            return queue.Get().GetBound();
        });
    py::class_<ExporterBinding>(module, "Exporter")
        .def(py::init(&MakeExporter), py::arg("config"))
        .def("export", &ExporterBinding::Export)
        .def("next_sequence",
             [](const ExporterBinding& exporter, uint16_t vSwitch) {
                 return exporter.Get().GetNextSequence(vSwitch);
             })
        .def_property_readonly("datagrams", [](const ExporterBinding& exporter) {
            return exporter.Get().GetDatagrams();
        });
}

} // namespace

void
BindMetering(py::module_& module)
{
    RegisterTypes();
    module.attr("PACKET") = py::dtype::of<PacketEntry>();
    module.attr("RECORD") = py::dtype::of<RecordEntry>();
    std::vector<std::string> reasons;
    for (unsigned i = 0; i < netflow::END_REASONS; ++i)
    {
        reasons.emplace_back(netflow::ToString(static_cast<netflow::EndReason>(i)));
    }
    module.attr("REASONS") = reasons;
    module.attr("NEVER") = netflow::NEVER;
    py::register_exception<CaptureError>(module, "CaptureError", PyExc_ValueError);
    BindConfigs(module);
    BindClasses(module);
    module.def("meter_capture",
               &MeterCapture,
               py::arg("path"),
               py::arg("config"),
               py::arg("keep_octets"));
    module.def("read_udp", &ReadUdp, py::arg("path"), py::arg("port"));
}

} // namespace esxnf
