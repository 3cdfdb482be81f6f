// SPDX-License-Identifier: GPL-2.0-only
// Inside of Simulation: a run that is split over many machines. First hosts are simulated apart:
// the whole lab is built, so that everything has the addresses, ports and random numbers that it
// has in the lab's own run, but others' guests are silent and their consoles idle; what the hosts
// metered is booked. Then the lab is simulated with all guests silent: modules play back what was
// booked, their net-netflows export it, and the network, the collectors and the results are those
// of the lab's own run.
//
// Nothing of the network may act on a host, nor guests on the network: frames that come to a host,
// and those of guests that leave one, end either simulation with a message.
#ifndef ESXNF_SPLIT_RUN_H
#define ESXNF_SPLIT_RUN_H

#include "runner/simulation/host-book.h"
#include "runner/simulation/simulation.h"

#include "ns3/application-container.h"
#include "ns3/esx-metrics.h"
#include "ns3/packet.h"

#include <list>

namespace esxnf
{

class HostPlayer;
class HostRecorder;

class SplitRun
{
  public:
    /// \param apart hosts to simulate apart; empty: the lab, by their books
    SplitRun(const Scenario& scenario, const std::set<std::string>& apart);
    ~SplitRun();

    bool IsApart() const;
    /// Whether a step happens: it is no host's, or one's whose console is not idle.
    bool Takes(const TimelineStep& step) const;
    /// Silences a sender, or not. \param made in the order of MakeTraffic()
    void Silence(const std::string& sender,
                 const ns3::Ptr<ns3::Node>& node,
                 const ns3::ApplicationContainer& made);
    /// Books the hosts, or plays back their books. \param metrics of ports and logs that are asked
    /// for \param stop called when the run cannot go on
    void Attach(const std::vector<ns3::Ptr<ns3::EsxHost>>& hosts,
                std::vector<HostBook>* books,
                const std::vector<ns3::EsxMetric>& metrics,
                std::function<void()> stop);
    /// Watches a host's end of a cable, in the order of the scenario.
    void Watch(const ns3::Ptr<ns3::EsxHost>& host, const ns3::Ptr<ns3::NetDevice>& device);
    /// Schedules what goes before an observation.
    void SnapshotAt(ns3::Time at);
    /// The same before each sample of the series, from now on. \param every 0: none
    void SnapshotEvery(ns3::Time every);
    /// Before a host does anything: simulates only these of the hosts apart. The others fall
    /// silent.
    void KeepApart(const std::set<std::string>& hosts);
    /// After the last event. Throws UserError: the run could not be split.
    void Finish(const Simulation& simulation, std::deque<StepOutcome>& steps);
    /// Each pair as it was where its sender was not silent.
    void Restore(std::vector<TrafficPair>& pairs) const;
    /// \return the text of a file of the result folder; nullptr: it is made of what is at hand
    const std::string* FindText(const std::string& file) const;
    /// Of the hosts apart; after Finish().
    std::vector<HostBook> TakeBooks();

  private:
    void Silence(ns3::Application& application) const;
    std::string HostOf(const TimelineStep& step) const;
    void Sample(ns3::Time every);
    void Snapshot(bool isSample);
    void Couple(const std::string& what, const ns3::Ptr<const ns3::Packet>& frame);

    const Scenario& m_scenario;
    std::set<std::string> m_apart;
    std::map<std::string, std::string> m_hosts;   //!< by VM
    std::map<std::string, std::size_t> m_uplinks; //!< how many ends of links are watched, by host
    std::multimap<std::string, ns3::Ptr<ns3::Application>> m_speakers; //!< apart, by host
    std::list<HostRecorder> m_recorders;
    std::list<HostRecorder> m_silent; //!< of hosts that fell silent; trace sources still call them
    std::list<HostPlayer> m_players;
    std::function<void()> m_stop;
    std::string m_coupling; //!< why the run cannot be split; empty: it can
};

/// Simulates hosts apart and writes the book of each into a folder: HOST.book. The lab is built
/// once; copies of this process simulate a few of the hosts, one copy after another, as the state
/// of more does not fit into a processor's cache. Throws UserError: the run cannot be split, or a
/// book cannot be written.
void SimulateApart(const Scenario& scenario,
                   const std::set<std::string>& hosts,
                   const std::string& folder,
                   std::function<bool(const Progress&)> heartbeat);

/// \return the books of all hosts, in the order of the scenario
std::vector<HostBook> ReadBooks(const Scenario& scenario, const std::string& folder);

} // namespace esxnf

#endif // ESXNF_SPLIT_RUN_H
