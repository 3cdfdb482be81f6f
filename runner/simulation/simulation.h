// SPDX-License-Identifier: GPL-2.0-only
// A scenario becomes ns-3 objects, runs, and can be looked at. One at a time in a process: ns-3's
// state is global. The results writer, the command line and Python read what stands here after
// Run() and before the object dies.
#ifndef ESXNF_SIMULATION_H
#define ESXNF_SIMULATION_H

#include "runner/scenario/scenario.h"
#include "runner/simulation/host-book.h"
#include "runner/simulation/step-verdict.h"
#include "runner/simulation/traffic-watch.h"

#include "ns3/esx-console.h"
#include "ns3/esx-host.h"
#include "ns3/esx-ledger-helper.h"
#include "ns3/esx-netflow-collector.h"
#include "ns3/esx-netflow.h"
#include "ns3/esx-results-helper.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ns3
{
class EsxRealClock;
} // namespace ns3

namespace esxnf
{

/// Where the run is.
struct Progress
{
    ns3::Time now;
    ns3::Time end;
};

/// Options of one run, which are not the scenario's.
struct SimulationOptions
{
    /// Folder for captures, which are written while the run goes on. Must exist; empty: none are
    /// written.
    std::string directory;

    /// Capture what enters every vSwitch port and what reaches every collector, for the oracle.
    bool captureEverything{false};

    /// Keep what reaches every collector and what is lost on the way, for GetAnnotatedCaptures().
    bool annotate{false};

    /// Gets the UDP payload of every datagram as it leaves a vmknic: host name, collector's
    /// address, octets.
    std::function<void(const std::string& host,
                       ns3::Ipv4Address collector,
                       const std::vector<uint8_t>& payload)>
        exported;

    /// The same, but of every datagram that a simulated collector read, as it read it.
    bool exportedAfterNetwork{false};

    /// Called about ten times a second of real time. \return false to stop the run
    std::function<bool(const Progress&)> heartbeat;

    /// Of a run that is split over many machines: hosts to simulate apart, for TakeBooks().
    std::set<std::string> apart;

    /// Of the same run: what came of all hosts, in the order of the scenario. Used up. nullptr: no
    /// run is split
    std::vector<HostBook>* books{nullptr};

    /// Paces the run by the wall clock; must outlive the simulation. nullptr: as fast as possible.
    ns3::EsxRealClock* realClock{nullptr};
};

/// Builds in the constructor, destroys ns-3's world in the destructor.
class Simulation
{
  public:
    /// \param scenario checked; must outlive this object
    Simulation(const Scenario& scenario, const SimulationOptions& options);
    ~Simulation();
    Simulation(const Simulation&) = delete;
    Simulation& operator=(const Simulation&) = delete;

    /// The whole run: RunTo(the scenario's duration) and Finish().
    /// Throws UserError if it is split and cannot be.
    void Run();

    /**
     * Runs to an instant, exactly to where a timeline's steps of that instant stand. Actions
     * there before the next call do what such a step would do.
     * \return false if the heartbeat stopped it; then Now() is where it stands, such a place, too
     */
    bool RunTo(ns3::Time instant);
    /// Ends the run where it stands and judges it; nothing is called but getters then.
    void Finish();
    ns3::Time Now() const;

    const Scenario& GetScenario() const;
    /// Whether the heartbeat stopped the run.
    bool WasInterrupted() const;
    /// Simulated time reached.
    ns3::Time GetEnd() const;
    uint64_t GetEvents() const;

    const std::vector<ns3::Ptr<ns3::EsxHost>>& GetHosts() const;
    ns3::Ptr<ns3::EsxLedger> GetLedger() const;
    std::vector<ns3::EsxVerdict> GetVerdicts() const;
    /// Each sender and receiver of the traffic, in the order of the scenario.
    std::vector<TrafficPair> GetTraffic() const;
    /// Outcomes of the timeline's console lines and signals, in order.
    const std::deque<StepOutcome>& GetSteps() const;
    /// Before a host does anything: simulates only these of the options' hosts apart.
    void KeepApart(const std::set<std::string>& hosts);
    /// \return the books of the hosts that were simulated apart; after the run
    std::vector<HostBook> TakeBooks();
    /// A file of the result folder that the books hold; nullptr: it is made of the simulation
    const std::string* FindText(const std::string& file) const;
    /// The helper that watched the run; after it.
    const ns3::EsxResultsHelper& GetResults() const;
    /// After the run: captures are whole then. Throws UserError if one cannot be.
    void CloseCaptures() const;
    /// Whole pcapng files by file name, if the options ask for them.
    std::map<std::string, std::string> GetAnnotatedCaptures() const;

  private:
    class Builder;
    class Timeline;
    struct World;

    std::unique_ptr<World> m_world;
};

} // namespace esxnf

#endif // ESXNF_SIMULATION_H
