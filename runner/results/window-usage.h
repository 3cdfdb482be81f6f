// SPDX-License-Identifier: GPL-2.0-only
// What each source sent over each vSwitch in a window of time, from the tables of a result folder:
// truth beside what was collected. A record's packets and octets are taken as even from its first
// millisecond to its last. Called by Talkers and by the search for irregular sources.
#ifndef ESXNF_WINDOW_USAGE_H
#define ESXNF_WINDOW_USAGE_H

#include "runner/results/csv-table.h"
#include "runner/scenario/scenario.h"

#include "ns3/nstime.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace esxnf
{

/** The two sides of all sums, as indices. */
constexpr bool TRUTH = false;
constexpr bool COLLECTED = true;

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
    /** Reads the tables, whose texts the sums refer to. Throws CommandError (usage) if they name a
     * host that the scenario has not. @param from and to: simulated times, [from, to) */
    WindowUsage(const std::string& folder, const Scenario& scenario, ns3::Time from, ns3::Time to);

    const std::map<SourceKey, std::array<SourceSums, 2>>& GetSources() const;

    /** @return octets to an address over a vSwitch */
    double GetOctetsTo(const SourceKey& destination, bool collected) const;

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

    void AddTruth();
    void AddCollected();
    int64_t UptimeOf(std::string_view exporter) const;
    void Add(const Seen& seen, int64_t firstMs, int64_t lastMs, bool collected);

    const CsvTable m_truthTable;
    const CsvTable m_collectedTable;
    std::map<std::string, int64_t, std::less<>> m_uptimeNs;
    std::map<std::string, Window, std::less<>> m_windows;
    std::map<SourceKey, std::array<SourceSums, 2>> m_sources;
    std::map<SourceKey, std::array<double, 2>> m_octetsTo;
};

} // namespace esxnf

#endif // ESXNF_WINDOW_USAGE_H
