// SPDX-License-Identifier: GPL-2.0-only
#include "ns3/esx-series.h"

#include "netflow/ledger.h"

#include "ns3/esx-host-memory.h"
#include "ns3/esx-netflow.h"
#include "ns3/simulator.h"

#include <algorithm>

namespace ns3
{

using netflow::Move;

namespace
{

/// The moves that end at one place for one cause.
struct Loss
{
    std::string name; //!< "shed_no_memory", "lost_link_down"
    bool isOfPackets; //!< else of records
    std::vector<Move> moves;
};

std::vector<Loss>
FindLosses()
{
    std::vector<Loss> losses;
    for (unsigned i = 0; i < netflow::MOVES; ++i)
    {
        const auto move = static_cast<Move>(i);
        const netflow::MoveInfo& info = netflow::GetInfo(move);
        if (!netflow::IsLoss(info.to))
        {
            continue;
        }
        const std::string name = std::string(netflow::ToString(info.to)) + "_" + info.cause;
        auto found = std::find_if(losses.begin(), losses.end(), [&name](const Loss& loss) {
            return loss.name == name;
        });
        if (found == losses.end())
        {
            found = losses.insert(losses.end(), {name, info.to == netflow::Place::SHED, {}});
        }
        found->moves.push_back(move);
    }
    return losses;
}

const std::vector<Loss>&
Losses()
{
    static const std::vector<Loss> losses = FindLosses();
    return losses;
}

std::vector<uint64_t>
LossesOf(const netflow::Account& total)
{
    std::vector<uint64_t> counts;
    for (const Loss& loss : Losses())
    {
        uint64_t count = 0;
        for (Move move : loss.moves)
        {
            count += loss.isOfPackets ? total.Get(move).packets : total.Get(move).records;
        }
        counts.push_back(count);
    }
    return counts;
}

template <typename Sample>
EsxColumnOf<Sample>
Count(const char* name, uint64_t Sample::*member, const char* unit, const char* meaning)
{
    return {{name, EsxColumnType::U64, unit, meaning},
            [member](const Sample& sample) { return sample.*member; }};
}

/// Absent where it is not modelled.
EsxColumnOf<EsxSeriesSample>
Level(const char* name,
      std::optional<int64_t> EsxSeriesSample::*member,
      const char* unit,
      const char* meaning)
{
    return {{name, EsxColumnType::I64, unit, meaning},
            [member](const EsxSeriesSample& sample) -> EsxValue { return sample.*member; }};
}

template <typename Sample>
EsxColumnOf<Sample>
Instant()
{
    return {{"time_ms", EsxColumnType::INSTANT_MS, "ms", "simulated time"},
            [](const Sample& sample) { return sample.at.GetNanoSeconds(); }};
}

template <typename Sample>
EsxColumnOf<Sample>
Text(const char* name, std::string Sample::*member, const char* meaning)
{
    return {{name, EsxColumnType::NAME, "", meaning},
            [member](const Sample& sample) -> EsxValue { return sample.*member; }};
}

} // namespace

EsxSeriesSample
EsxSampleOf(const Ptr<EsxHost>& host)
{
    const Ptr<EsxNetflow> module = host->GetObject<EsxNetflow>();
    const netflow::Account total = module->GetLedger().GetTotal();
    EsxSeriesSample sample;
    sample.at = Simulator::Now();
    sample.host = host->GetName();
    const EsxNetflowPeaks levels = module->GetLevels();
    sample.cacheRecords = levels.cacheRecords;
    sample.purgatoryRecords = levels.purgatoryRecords;
    sample.purgatoryHighWater = module->GetPurgatoryHighWaterOfLoad();
    sample.heapUsed = levels.heapOctets;
    sample.heapHighWater = module->GetHeapHighWater();
    const EsxNetflowPeaks peaks = module->TakePeaks();
    sample.cachePeak = peaks.cacheRecords;
    sample.purgatoryPeak = peaks.purgatoryRecords;
    sample.heapPeak = peaks.heapOctets;
    sample.packetsMetered = total.Get(Move::METERED).packets;
    sample.packetsShed = total.GetBalance(netflow::Place::SHED).packets;
    for (Move ended : {Move::ENDED_IDLE,
                       Move::ENDED_ACTIVE,
                       Move::ENDED_TCP_END,
                       Move::ENDED_EVICTED,
                       Move::ENDED_SPLIT})
    {
        sample.recordsExpired += total.Get(ended).records;
    }
    sample.recordsDropped = total.GetBalance(netflow::Place::DROPPED).records;
    sample.recordsSent = total.Get(Move::SENT).records;
    sample.recordsLost = total.GetBalance(netflow::Place::LOST).records;
    sample.recordsReceived = total.Get(Move::RECEIVED).records;
    sample.losses = LossesOf(total);
    if (const auto memory = host->GetObject<EsxHostMemory>())
    {
        sample.memoryFree = static_cast<int64_t>(memory->GetFreePercent() * 10);
        sample.memoryState = EsxHostMemory::ToString(memory->GetState());
        sample.ballooned = memory->GetBallooned();
        sample.swapped = memory->GetSwapped();
    }
    return sample;
}

const EsxColumns<EsxSeriesSample>&
EsxSeriesColumns()
{
    using S = EsxSeriesSample;
    static const EsxColumns<S> COLUMNS = [] {
        EsxColumns<S> all{
            Instant<S>(),
            Text("exporter", &S::host, "host"),
            Count("cache_records", &S::cacheRecords, "records", "in the cache now"),
            Count("purgatory_records", &S::purgatoryRecords, "records", "in purgatory now"),
            Count("heap_octets", &S::heapUsed, "octets", "of the heap in use now"),
            Count("packets_metered", &S::packetsMetered, "packets", "counted in records so far"),
            Count("packets_shed",
                  &S::packetsShed,
                  "packets",
                  "not metered for want of room so far"),
            Count("records_expired", &S::recordsExpired, "records", "ended so far"),
            Count("records_dropped",
                  &S::recordsDropped,
                  "records",
                  "lost inside the module so far"),
            Count("records_sent", &S::recordsSent, "records", "handed to the network so far"),
            Count("records_lost", &S::recordsLost, "records", "lost on the way so far"),
            Count("records_received", &S::recordsReceived, "records", "collected so far"),
            Count("purgatory_high_water",
                  &S::purgatoryHighWater,
                  "records",
                  "most that waited at once since the module's load"),
        };
        for (std::size_t i = 0; i < Losses().size(); ++i)
        {
            const Loss& loss = Losses()[i];
            all.push_back({{loss.name,
                            EsxColumnType::U64,
                            loss.isOfPackets ? "packets" : "records",
                            "lost at this place for this cause so far"},
                           [i](const S& sample) { return sample.losses[i]; }});
        }
        all.push_back(Count("heap_high_water",
                            &S::heapHighWater,
                            "octets",
                            "most of the heap in use at once so far"));
        all.push_back(Count("cache_peak",
                            &S::cachePeak,
                            "records",
                            "most in the cache since the sample before"));
        all.push_back(Count("purgatory_peak",
                            &S::purgatoryPeak,
                            "records",
                            "most in purgatory since the sample before"));
        all.push_back(Count("heap_peak",
                            &S::heapPeak,
                            "octets",
                            "most of the heap in use since the sample before"));
        all.push_back(Text("memory_state",
                           &S::memoryState,
                           "`high` `soft` `hard` `low`; empty: the host's memory is not modelled"));
        all.push_back(
            Level("memory_free", &S::memoryFree, "1/1000", "of the host's memory free now"));
        all.push_back(Level("memory_ballooned",
                            &S::ballooned,
                            "octets",
                            "taken from virtual machines by ballooning so far"));
        all.push_back(
            Level("memory_swapped", &S::swapped, "octets", "taken from them by paging so far"));
        return all;
    }();
    return COLUMNS;
}

const EsxColumns<EsxLinkSample>&
EsxLinkColumns()
{
    using S = EsxLinkSample;
    static const EsxColumns<S> COLUMNS{
        Instant<S>(),
        Text("link", &S::link, "name of the link"),
        Text("from", &S::from, "end that sends, such as `esx1:vmnic0`"),
        Count("rate_bps", &S::rateBps, "bit/s", "rate of the link now; 0 while it is cut"),
        Count("octets", &S::octets, "octets", "sent so far"),
        Count("frames", &S::frames, "frames", "sent so far"),
        Count("dropped", &S::dropped, "frames", "found no room in the transmit queue so far"),
        Count("queued", &S::queued, "frames", "in the transmit queue now"),
    };
    return COLUMNS;
}

} // namespace ns3
