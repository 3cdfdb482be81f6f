// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/host-recorder.h"

#include "ns3/esx-export-tag.h"
#include "ns3/esx-net-device.h"
#include "ns3/simulator.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace esxnf
{

using namespace ns3;

bool
IsInBoth(const Ptr<const Packet>& frame)
{
    constexpr uint16_t RARP = 0x8035;
    constexpr uint16_t VLAN_TAG = 0x8100;
    constexpr uint32_t TYPE = 12; // octets of an Ethernet header before it
    uint8_t octets[TYPE + 6] = {};
    frame->CopyData(octets, sizeof(octets));
    const bool isTagged = (octets[TYPE] << 8 | octets[TYPE + 1]) == VLAN_TAG;
    const uint8_t* const type = octets + TYPE + (isTagged ? 4 : 0);
    EsxExportTag tag;
    return frame->PeekPacketTag(tag) || (type[0] << 8 | type[1]) == RARP;
}

std::array<uint64_t*, 3>
NumbersOf(EsxNetflowPeaks& peaks)
{
    // One that is missing here does not compile.
    auto& [cache, purgatory, heap] = peaks;
    return {&cache, &purgatory, &heap};
}

HostRecorder::HostRecorder(const Ptr<EsxHost>& host, const std::vector<EsxMetric>& metrics)
    : m_host(host),
      m_module(host->GetObject<EsxNetflow>()),
      m_metrics(metrics)
{
    m_book.host = host->GetName();
    m_module->TraceConnectWithoutContext(
        "Polled",
        Callback<void, const std::vector<uint16_t>&, const std::vector<netflow::QueuedRecord>&>(
            [this](const std::vector<uint16_t>& ids,
                   const std::vector<netflow::QueuedRecord>& records) { Book(ids, records); }));
    m_module->TraceConnectWithoutContext(
        "Datagram",
        Callback<void, const netflow::Datagram&, Ipv4Address>(
            [this](const netflow::Datagram& datagram, Ipv4Address) {
                m_payload = datagram.size;
                m_sendingEvent = Simulator::GetEventCount();
                m_sendsInTime = m_sendsInTime && m_sends == m_datagrams;
                ++m_datagrams;
            }));
    m_module->TraceConnectWithoutContext(
        "SendFailed",
        Callback<void, const netflow::Datagram&>(
            [this](const netflow::Datagram&) { m_sendsInTime = false; }));
    for (std::size_t i = 0; i < host->GetVmknics().size(); ++i)
    {
        host->GetVmknics()[i].device->TraceConnectWithoutContext(
            "PromiscSniffer",
            Callback<void, Ptr<const Packet>>(
                [this, i](Ptr<const Packet> frame) { Sends(i, *frame); }));
    }
}

void
HostRecorder::Snapshot(bool isSample)
{
    std::vector<uint64_t> row;
    const EsxNetflowPeaks marks{m_module->GetCacheHighWater(),
                                m_module->GetPurgatoryHighWater(),
                                m_module->GetHeapHighWater()};
    const EsxNetflowPeaks peaks = isSample ? m_module->TakePeaks() : EsxNetflowPeaks();
    for (EsxNetflowPeaks part : {m_module->GetLevels(), marks, peaks})
    {
        for (const uint64_t* number : NumbersOf(part))
        {
            row.push_back(*number);
        }
    }
    row.push_back(m_module->GetPurgatoryHighWaterOfLoad());
    for (const EsxMetric& metric : m_metrics)
    {
        const double value = EsxReadHostMetric(m_host, metric).value_or(0);
        std::memcpy(&row.emplace_back(), &value, sizeof(value));
    }
    for (const auto& [id, account] : m_module->GetLedger().GetAccounts())
    {
        row.push_back(id);
        for (unsigned i = 0; i < netflow::MOVES; ++i)
        {
            const netflow::Counts& counts = account.Get(static_cast<netflow::Move>(i));
            row.insert(row.end(), {counts.packets, counts.octets, counts.records});
        }
    }
    m_snapshots.Append(row);
    ++m_snapshotsSince;
}

void
HostRecorder::Leaves(std::size_t uplink, const Ptr<const Packet>& frame)
{
    if (IsInBoth(frame))
    {
        ++m_exportsSince;
        return;
    }
    std::string octets(frame->GetSize(), '\0');
    frame->CopyData(reinterpret_cast<uint8_t*>(octets.data()), octets.size());
    m_book.frames.push_back({Simulator::Now().GetNanoSeconds(),
                             static_cast<uint32_t>(uplink),
                             std::exchange(m_exportsSince, 0),
                             std::exchange(m_snapshotsSince, 0),
                             EsxNetDevice::IsInjected(*frame),
                             std::move(octets)});
}

HostBook&
HostRecorder::Finish(const std::string& likeness)
{
    const netflow::Journal& journal = m_module->GetJournal();
    m_book.journal.assign(journal.GetEntries().begin(), journal.GetEntries().end());
    m_book.shed.assign(journal.GetShed().begin(), journal.GetShed().end());
    m_module->ForEachLive(
        [&](const netflow::FlowRecord& record) { m_book.live.push_back(record); });
    std::vector<uint32_t> places; // in the journal, by number of the record
    uint32_t next = 0;
    for (const netflow::JournalEntry& entry : m_book.journal)
    {
        places.resize(std::max<std::size_t>(places.size(), entry.record.id + 1));
        places[entry.record.id] = next++;
    }
    for (BookedPoll& poll : m_book.polls)
    {
        for (PolledRecord& record : poll.records)
        {
            record.place = places.at(record.place);
        }
    }
    m_book.snapshots = m_snapshots.Take();
    m_book.sends = m_sendsInTime && m_sends == m_datagrams ? m_headers.Take() : std::string();
    m_book.residual = m_module->GetMeteringResidual();
    m_book.breaches = m_module->GetBreaches();
    m_book.tapResidual = m_module->GetTapResidual();
    m_book.likeness = likeness;
    return m_book;
}

HostBook&
HostRecorder::GetBook()
{
    return m_book;
}

void
HostRecorder::Sends(uint64_t vmknic, const Packet& frame)
{
    EsxExportTag tag;
    if (!frame.PeekPacketTag(tag) || tag.GetExporter() != m_host->GetVmkernelNode()->GetId())
    {
        return;
    }
    ++m_sends;
    m_sendsInTime = m_sendsInTime && m_sendingEvent == Simulator::GetEventCount() &&
                    frame.GetSize() > m_payload; // no fragment
    if (m_sendsInTime)
    {
        const auto octets = static_cast<uint32_t>(frame.GetSize() - m_payload);
        m_header.assign({vmknic, octets});
        m_header.resize(2 + (octets + 7) / 8);
        frame.CopyData(reinterpret_cast<uint8_t*>(&m_header[2]), octets);
        m_headers.Append(m_header);
    }
}

void
HostRecorder::Book(const std::vector<uint16_t>& ids,
                   const std::vector<netflow::QueuedRecord>& records)
{
    if (records.empty())
    {
        return;
    }
    m_book.polls.push_back({Simulator::Now().GetNanoSeconds(), ids.front(), {}});
    for (const netflow::QueuedRecord& queued : records)
    {
        m_book.polls.back().records.push_back(
            {queued.record.id, queued.queuedAt, queued.expirySequence});
    }
}

} // namespace esxnf
