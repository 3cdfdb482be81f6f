// SPDX-License-Identifier: GPL-2.0-only
/**
 * \file
 * State over time: samples of each exporting host and of each end of a link, and their columns.
 */
#ifndef ESX_SERIES_H
#define ESX_SERIES_H

#include "esx-table.h"

#include "ns3/esx-host.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ns3
{

/// State of one host's module at one instant. Counters from the start of the run.
struct EsxSeriesSample
{
    Time at;
    std::string host;
    uint64_t cacheRecords{0};
    uint64_t purgatoryRecords{0};
    uint64_t heapUsed{0};
    uint64_t packetsMetered{0};
    uint64_t packetsShed{0};
    uint64_t recordsExpired{0};
    uint64_t recordsDropped{0};
    uint64_t recordsSent{0};
    uint64_t recordsLost{0};
    uint64_t recordsReceived{0};
    uint64_t purgatoryHighWater{0};
    uint64_t heapHighWater{0};
    uint64_t cachePeak{0};
    uint64_t purgatoryPeak{0};
    uint64_t heapPeak{0};
    std::string memoryState;           //!< "high", "soft", "hard", "low"; empty: not modelled
    std::optional<int64_t> memoryFree; //!< 1/1000 of the host's memory
    std::optional<int64_t> ballooned;  //!< octets
    std::optional<int64_t> swapped;    //!< octets
    std::vector<uint64_t> losses;      //!< by place and cause, in the order of their columns
};

/// A sample of a host now: its peaks are those since the last one.
EsxSeriesSample EsxSampleOf(const Ptr<EsxHost>& host);

/// The columns of series.csv.
const EsxColumns<EsxSeriesSample>& EsxSeriesColumns();

/// One end of a link at one instant. Counters from the start of the run.
struct EsxLinkSample
{
    Time at;
    std::string link;
    std::string from; //!< the end that sends: "esx1:vmnic0"
    uint64_t rateBps{0};
    uint64_t octets{0};
    uint64_t frames{0};
    uint64_t dropped{0};
    uint64_t queued{0};
};

/// The columns of links.csv.
const EsxColumns<EsxLinkSample>& EsxLinkColumns();

} // namespace ns3

#endif // ESX_SERIES_H
