// SPDX-License-Identifier: GPL-2.0-only
#ifndef ESX_RESULTS_HELPER_H
#define ESX_RESULTS_HELPER_H

#include "ns3/esx-expectations.h"
#include "ns3/esx-lab.h"
#include "ns3/esx-ledger.h"
#include "ns3/esx-run-tables.h"
#include "ns3/esx-summary.h"
#include "ns3/net-device-container.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ns3
{

class PcapFileWrapper;

/// Frames that a link lost, both ways, by cause.
struct EsxLinkDrops
{
    std::string link;
    uint64_t queue{0};  //!< the transmit queue was full
    uint64_t errors{0}; //!< they arrived broken, or a shared medium was never free
    uint64_t down{0};   //!< the link was cut

    uint64_t GetTotal() const
    {
        return queue + errors + down;
    }
};

/// A vSwitch was monitored by a net-netflow during [from, to).
struct EsxMonitoredSpan
{
    Ptr<EsxHost> host;
    std::string vSwitch;
    uint16_t engine{0};
    Ipv4Address address; //!< source of the datagrams; any: no route to the collector
    Time from;
    Time to;
    Time pollPeriod;
    bool alternatePortIds{false};
    bool zeroUnixNsecs{false};
    bool sequenceAtExpiry{false};
    bool sameProcessAsBefore{false}; //!< as the span before it
};

/**
 * Writes the result folder of a simulation, the same that the program's runs write: its commands
 * report, explain, talkers and verify, and Python's Result.load, read it. Install and enable before
 * the run; write after it and before Simulator::Destroy(). Its watchers of the simulation outlive
 * the helper.
 */
class EsxResultsHelper
{
  public:
    EsxResultsHelper();

    /**
     * Takes what the collectors that are there receive, and samples of all hosts and links.
     * \param ledger installed, and watched till the end
     * \param every spacing of the samples; 0: none
     */
    void Install(const Ptr<EsxLedger>& ledger, Time every = Seconds(1));

    /// Adds a link to lab.json and to the series. \param ends its two devices; their counters come
    /// from PhyTxEnd and TxQueue \param names of the ends, "esx1:vmnic0"; empty: node and number
    void AddLink(const std::string& name,
                 const NetDeviceContainer& ends,
                 const std::string& a = "",
                 const std::string& b = "");

    /**
     * Captures what enters each vSwitch port and what passes each collector's interface, for
     * verify. After Install(). \param folder where Write() writes; must exist \param opening is
     * told of every file before it is opened; may be empty
     */
    void EnableCaptures(const std::string& folder, std::function<void()> opening = {});

    /// Takes the last sample of the series, unless one was taken at this instant. Write() does it.
    void Finish();
    /// In order of registration, host by host.
    std::vector<EsxMonitoredSpan> GetMonitored() const;
    /// Of links that lost frames. Call before Simulator::Destroy().
    std::vector<EsxLinkDrops> GetLinkDrops() const;
    /// Valid as long as the helper or a copy of it.
    std::vector<EsxTable> GetTables() const;
    /// Closes captures. \return names of those that could not be written whole
    std::vector<std::string> CloseCaptures() const;

    /// Hands a file's content to its argument, piece by piece.
    using Content = std::function<void(const std::function<void(std::string_view piece)>& write)>;

    /// Every file but captures and summary.json: name and content, which is made when it is asked
    /// for. \param withFlows whether flows, records and datagrams are among them
    void ForEachFile(
        const std::function<void(const std::string& name, const Content& content)>& visit,
        bool withFlows = true) const;
    /// summary.json. \param name of the run \param expectations nullptr: none
    std::string GetSummary(const std::string& name, const Ptr<EsxExpectations>& expectations) const;

    /**
     * Writes the whole folder, whose last part is the name of the run. Aborts if it cannot.
     * \param expectations whose verdicts stand in the summary; nullptr: none
     */
    void Write(const std::string& folder, const Ptr<EsxExpectations>& expectations = nullptr);

  private:
    struct Watch;

    static void SampleAgainAndAgain(std::shared_ptr<Watch> watch);

    std::shared_ptr<Watch> m_watch;
};

} // namespace ns3

#endif // ESX_RESULTS_HELPER_H
