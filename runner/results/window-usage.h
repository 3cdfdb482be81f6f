// SPDX-License-Identifier: GPL-2.0-only
// What each source sent over each vSwitch in a window of time, from the tables of a result folder:
// truth beside what was collected. A record's packets and octets are taken as even from its first
// millisecond to its last. Called by Talkers and by the search for irregular sources.
#ifndef ESXNF_WINDOW_USAGE_H
#define ESXNF_WINDOW_USAGE_H

#include "runner/results/csv-table.h"
#include "runner/results/home-ports.h"
#include "runner/scenario/scenario.h"

#include "ns3/nstime.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace esxnf
{

/** The sides of all sums, as indices. What is kept was collected, or is left in the lab at the end:
 * it is not lost. */
enum Side : unsigned
{
    TRUTH,
    COLLECTED,
    KEPT
};

constexpr unsigned SIDES = 3;

template <typename Sum>
using BySide = std::array<Sum, SIDES>;

/** What is summed up of one source. */
struct SourceSums
{
    double octets{0};
    double packets{0};
    double records{0};
    std::map<std::string_view, std::set<std::string_view>> portsOf; //!< by destination
};

/** exporter, vSwitch, address */
using SourceKey = std::tuple<std::string, std::string, std::string>;

/** A sum of parts of records as a number that is told. */
uint64_t ToWhole(double value);

class WindowUsage
{
  public:
    /** What a VM sent and got is counted at its own port (HomePorts). Reads the tables, whose texts
     * the sums refer to. Throws UserError if they name a host that the scenario has not.
     * @param from and to: simulated times, [from, to) */
    WindowUsage(const std::string& folder, const Scenario& scenario, ns3::Time from, ns3::Time to);

    const std::map<SourceKey, BySide<SourceSums>>& GetSources() const;

    /** @return octets to an address over a vSwitch */
    double GetOctetsTo(const SourceKey& destination, Side side) const;

  private:
    /// In ms of an exporter's uptime: [from, to).
    struct Window
    {
        double from;
        double to;

        /// The part of a record that lies in it, if the record is even over its milliseconds.
        double PartOf(int64_t firstMs, int64_t lastMs) const;
    };

    struct Seen;
    struct Columns;

    void NoteHomes();
    void NoteOnTheWay();
    void AddTruth();
    void AddCollected();
    int64_t UptimeOf(std::string_view exporter) const;
    void Add(const Seen& seen, int64_t firstMs, int64_t lastMs, Side side);

    const CsvTable m_truthTable;
    const CsvTable m_collectedTable;
    const CsvTable m_datagramTable;
    HomePorts m_homes;
    std::set<std::pair<std::string_view, std::string_view>> m_onTheWay; //!< exporter, datagram
    std::map<std::string, int64_t, std::less<>> m_uptimeNs;
    std::map<std::string, Window, std::less<>> m_windows;
    std::map<SourceKey, BySide<SourceSums>> m_sources;
    std::map<SourceKey, BySide<double>> m_octetsTo;
};

} // namespace esxnf

#endif // ESXNF_WINDOW_USAGE_H
