// SPDX-License-Identifier: GPL-2.0-only
#include "runner/simulation/series.h"

#include "netflow/ledger.h"
#include "netflow/metering-process.h"

#include "ns3/esx-netflow.h"

#include <algorithm>

namespace esxnf
{

using netflow::Move;

namespace
{

/// The moves that end at one place for one cause.
struct Loss
{
    std::string name;
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
            found = losses.insert(losses.end(), {name, {}});
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
    counts.reserve(Losses().size());
    for (const Loss& loss : Losses())
    {
        uint64_t count = 0;
        for (Move move : loss.moves)
        {
            const netflow::Counts& moved = total.Get(move);
            count +=
                netflow::GetInfo(move).to == netflow::Place::SHED ? moved.packets : moved.records;
        }
        counts.push_back(count);
    }
    return counts;
}

} // namespace

const std::vector<std::string>&
SeriesLosses()
{
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const Loss& loss : Losses())
        {
            all.push_back(loss.name);
        }
        return all;
    }();
    return names;
}

SeriesSample
SampleOf(const ns3::Ptr<ns3::EsxHost>& host)
{
    const ns3::Ptr<ns3::EsxNetflow> module = host->GetObject<ns3::EsxNetflow>();
    const netflow::Account total = module->GetLedger().GetTotal();
    SeriesSample sample;
    sample.host = host->GetName();
    if (const netflow::MeteringProcess* metering = module->GetMeteringProcess())
    {
        sample.cacheRecords = metering->GetCache().GetSize();
        sample.purgatoryRecords = metering->GetPurgatory().GetSize();
        sample.purgatoryHighWater = metering->GetPurgatory().GetHighWater();
    }
    sample.heapUsed = module->GetHeapUsed();
    sample.heapHighWater = module->GetHeapHighWater();
    const ns3::EsxNetflowPeaks peaks = module->TakePeaks();
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
    return sample;
}

const std::vector<SeriesColumn>&
SeriesColumns()
{
    static const std::vector<SeriesColumn> columns = [] {
        std::vector<SeriesColumn> all{
            {"cache_records", &SeriesSample::cacheRecords, 0},
            {"purgatory_records", &SeriesSample::purgatoryRecords, 0},
            {"heap_octets", &SeriesSample::heapUsed, 0},
            {"packets_metered", &SeriesSample::packetsMetered, 0},
            {"packets_shed", &SeriesSample::packetsShed, 0},
            {"records_expired", &SeriesSample::recordsExpired, 0},
            {"records_dropped", &SeriesSample::recordsDropped, 0},
            {"records_sent", &SeriesSample::recordsSent, 0},
            {"records_lost", &SeriesSample::recordsLost, 0},
            {"records_received", &SeriesSample::recordsReceived, 0},
            {"purgatory_high_water", &SeriesSample::purgatoryHighWater, 0},
        };
        for (std::size_t i = 0; i < SeriesLosses().size(); ++i)
        {
            all.push_back({SeriesLosses()[i], nullptr, i});
        }
        all.push_back({"heap_high_water", &SeriesSample::heapHighWater, 0});
        all.push_back({"cache_peak", &SeriesSample::cachePeak, 0});
        all.push_back({"purgatory_peak", &SeriesSample::purgatoryPeak, 0});
        all.push_back({"heap_peak", &SeriesSample::heapPeak, 0});
        return all;
    }();
    return columns;
}

} // namespace esxnf
