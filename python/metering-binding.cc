// SPDX-License-Identifier: GPL-2.0-only
// The library's flow cache, purgatory and exporter on arrays of packets and records.
#include "bindings.h"
#include "flow-entries.h"
#include "netflow/exporter.h"
#include "netflow/flow-cache.h"
#include "netflow/purgatory.h"
#include "runner/probe/probe.h"

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

using Packets = py::array_t<PacketEntry, py::array::c_style>;
using Records = py::array_t<RecordEntry, py::array::c_style>;

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
            CopyFlow(summary.key, packet);
            summary.key.vSwitch = packet.vSwitch;
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
            if (m_purgatory.Push({ToRecord(records.data()[i]), now, 0}, dropped) !=
                netflow::Move::QUEUED)
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

template <typename Info, std::size_t POLICIES>
void
BindPolicies(py::module_& module, const char* name, const Info (&infos)[POLICIES])
{
    py::enum_<decltype(Info::policy)> policies(module, name);
    for (const Info& info : infos)
    {
        policies.value(info.word, info.policy, info.help);
    }
}

void
BindConfigs(py::module_& module)
{
    BindPolicies(module, "CachePolicy", netflow::CACHE_POLICY_INFOS);
    BindPolicies(module, "PurgatoryPolicy", netflow::PURGATORY_POLICY_INFOS);
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

/// -> a function that asks what a binding holds.
template <typename Binding, typename Held, typename Value, typename... Arguments>
auto
Ask(Value (Held::*method)(Arguments...) const)
{
    return [method](const Binding& binding, Arguments... arguments) {
        return (binding.Get().*method)(arguments...);
    };
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
        .def("__len__", Ask<CacheBinding>(&netflow::FlowCache::GetSize))
        .def_property_readonly("high_water", Ask<CacheBinding>(&netflow::FlowCache::GetHighWater))
        .def_property_readonly("next_scan", Ask<CacheBinding>(&netflow::FlowCache::NextScan))
        .def_property_readonly("heap_used", &CacheBinding::GetHeapUsed);
    py::class_<PurgatoryBinding>(module, "Purgatory")
        .def(py::init(&MakePurgatory), py::arg("bound"), py::arg("policy"))
        .def("push", &PurgatoryBinding::Push)
        .def("take", &PurgatoryBinding::Take)
        .def("__len__", Ask<PurgatoryBinding>(&netflow::Purgatory::GetSize))
        .def_property_readonly("high_water",
                               Ask<PurgatoryBinding>(&netflow::Purgatory::GetHighWater))
        .def_property_readonly("bound", Ask<PurgatoryBinding>(&netflow::Purgatory::GetBound));
    py::class_<ExporterBinding>(module, "Exporter")
        .def(py::init(&MakeExporter), py::arg("config"))
        .def("export", &ExporterBinding::Export)
        .def("next_sequence", Ask<ExporterBinding>(&netflow::Exporter::GetNextSequence))
        .def_property_readonly("datagrams", Ask<ExporterBinding>(&netflow::Exporter::GetDatagrams));
}

} // namespace

void
BindMetering(py::module_& module)
{
    RegisterFlowEntries();
    module.attr("PACKET") = py::dtype::of<PacketEntry>();
    module.attr("RECORD") = py::dtype::of<RecordEntry>();
    std::vector<std::string> reasons;
    for (unsigned i = 0; i < netflow::END_REASONS; ++i)
    {
        reasons.emplace_back(netflow::ToString(static_cast<netflow::EndReason>(i)));
    }
    module.attr("REASONS") = reasons;
    module.attr("NEVER") = netflow::NEVER;
    BindConfigs(module);
    BindClasses(module);
}

} // namespace esxnf
