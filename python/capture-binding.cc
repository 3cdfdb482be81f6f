// SPDX-License-Identifier: GPL-2.0-only
// Captures through the whole library, and export datagrams out of captures.
#include "bindings.h"
#include "flow-entries.h"
#include "runner/capture/capture-reader.h"
#include "runner/probe/probe.h"

#include <deque>
#include <optional>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace esxnf
{

using netflow::QueuedRecord;

namespace
{

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
MeterBatch(Probe& probe, CaptureReader& reader, const CapturedFrame* frames, std::size_t count)
{
    netflow::BatchedPacket packets[BATCH];
    for (std::size_t i = 0; i < count; ++i)
    {
        reader.ParseTo(packets[i].packet, frames[i]);
        packets[i].time = frames[i].unixNs;
    }
    probe.ObserveBatch(packets, count, nullptr);
}

/// -> (records, datagrams one behind the other, moves, residual, datagrams, time of the first
/// packet, what was odd in words)
py::tuple
MeterCapture(const std::string& path,
             const ProbeConfig& config,
             bool keepOctets,
             bool trustIpLength)
{
    RecordKeeper keeper(keepOctets);
    std::optional<Probe> probe;
    std::vector<std::string> notes;
    {
        const py::gil_scoped_release released;
        CaptureReader reader(path, trustIpLength ? CapturedLengths::LOST : CapturedLengths::TRUE);
        CapturedFrame frames[BATCH];
        probe.emplace(config, keeper);
        std::size_t batch = 0;
        while (const std::size_t count = reader.NextBatch(frames, BATCH))
        {
            MeterBatch(*probe, reader, frames, count);
            CheckSignals(++batch);
        }
        probe->Finish();
        notes = DescribeClock(probe->GetClockCounts(),
                              probe->GetExporter().GetRecordsOverSteps(),
                              false);
        const std::vector<std::string> odd = reader.Describe();
        notes.insert(notes.end(), odd.begin(), odd.end());
    }
    const netflow::Counts residual = probe->GetResidual();
    return py::make_tuple(ToArray(std::move(keeper.records)),
                          py::bytes(keeper.octets),
                          MovesOf(probe->GetLedger()),
                          py::make_tuple(residual.packets, residual.octets, residual.records),
                          probe->GetExporter().GetDatagrams(),
                          probe->GetStartUnixNs(),
                          notes);
}

/// -> UDP payloads to a port in a capture, of whole datagrams, how many were not whole, and the
/// source of each payload
py::tuple
ReadUdp(const std::string& path, uint16_t port)
{
    std::deque<std::string> payloads;
    std::vector<uint32_t> sources;
    uint64_t incomplete = 0;
    {
        const py::gil_scoped_release released;
        CaptureReader reader(path);
        CapturedFrame frame;
        UdpDatagram datagram;
        while (reader.Next(frame))
        {
            const UdpFinding finding =
                frame.link.FindUdp(frame.data, frame.captured, frame.wire, port, datagram);
            if (finding == UdpFinding::FOUND)
            {
                payloads.emplace_back(reinterpret_cast<const char*>(datagram.data), datagram.size);
                sources.push_back(datagram.sourceAddress);
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
    return py::make_tuple(list, incomplete, py::array_t<uint32_t>(sources.size(), sources.data()));
}

} // namespace

void
BindCaptures(py::module_& module)
{
    py::register_exception<CaptureError>(module, "CaptureError", PyExc_ValueError);
    module.def("meter_capture",
               &MeterCapture,
               py::arg("path"),
               py::arg("config"),
               py::arg("keep_octets"),
               py::arg("trust_ip_length"));
    module.def("read_udp", &ReadUdp, py::arg("path"), py::arg("port"));
}

} // namespace esxnf
