// SPDX-License-Identifier: GPL-2.0-only
// State over time: what series.csv and links.csv show. The simulation takes samples of each
// exporting host and of each end of a link; tables and Python read them, column by column.
#ifndef ESXNF_SERIES_H
#define ESXNF_SERIES_H

#include "ns3/esx-host.h"
#include "ns3/nstime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace esxnf
{

/// State of one host's module at one instant. Counters from the start of the run.
struct SeriesSample
{
    ns3::Time at;
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
    uint64_t purgatoryHighWater{0}; //!< most records that waited at once since the module's load
    uint64_t heapHighWater{0};      //!< most octets of heap that were in use at once
    uint64_t cachePeak{0};          //!< the highest levels since the sample before
    uint64_t purgatoryPeak{0};
    uint64_t heapPeak{0};
    std::vector<uint64_t> losses; //!< by place and cause, in the order of SeriesLosses()
};

/// "shed_no_memory", in packets; "dropped_purgatory_full", "lost_link_down", in records.
const std::vector<std::string>& SeriesLosses();

/// The next sample of a host: its peaks are those since the last one.
SeriesSample SampleOf(const ns3::Ptr<ns3::EsxHost>& host);

/// A column of the series beside time and exporter.
struct SeriesColumn
{
    std::string name;
    uint64_t SeriesSample::*value; //!< nullptr: the loss
    std::size_t loss;              //!< index in SeriesSample::losses

    uint64_t Get(const SeriesSample& sample) const
    {
        return value ? sample.*value : sample.losses[loss];
    }
};

/// All of them, in the order of series.csv.
const std::vector<SeriesColumn>& SeriesColumns();

/// One end of a link at one instant. Counters from the start of the run.
struct LinkSample
{
    ns3::Time at;
    std::string link;
    std::string from;    //!< the end that sends: "esx1:vmnic0"
    uint64_t rateBps{0}; //!< of the link now; 0 while it is cut
    uint64_t octets{0};  //!< of frames that were sent
    uint64_t frames{0};  //!< that were sent
    uint64_t dropped{0}; //!< frames that the transmit queue refused
    uint64_t queued{0};  //!< frames in the transmit queue now
};

/// Frames that a link dropped, both ways, by cause.
struct LinkDrops
{
    std::string link;
    uint64_t queue{0};  //!< the transmit queue was full
    uint64_t errors{0}; //!< loss and bit errors
    uint64_t down{0};   //!< the link was cut

    uint64_t GetTotal() const
    {
        return queue + errors + down;
    }
};

} // namespace esxnf

#endif // ESXNF_SERIES_H
