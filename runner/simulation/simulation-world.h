// SPDX-License-Identifier: GPL-2.0-only
// Inside of Simulation: what the builder makes and the run fills.
#ifndef ESXNF_SIMULATION_WORLD_H
#define ESXNF_SIMULATION_WORLD_H

#include "runner/capture/annotated-capture.h"
#include "runner/lab/ip-graph.h"
#include "runner/simulation/attribute-scope.h"
#include "runner/simulation/cable.h"
#include "runner/simulation/simulation.h"
#include "runner/simulation/split-run.h"
#include "runner/simulation/traffic-watch.h"

#include "ns3/application-container.h"
#include "ns3/esx-host-helper.h"
#include "ns3/esx-real-clock.h"
#include "ns3/esx-steered-scheduler.h"
#include "ns3/esx-traffic-helper.h"
#include "ns3/event-id.h"
#include "ns3/node-container.h"
#include "ns3/queue-disc.h"

#include <chrono>
#include <deque>

namespace esxnf
{

struct Simulation::World
{
    World(const Scenario& scenario, const SimulationOptions& options)
        : scenario(scenario),
          options(options)
    {
    }

    const Scenario& scenario;
    SimulationOptions options;
    std::unique_ptr<AttributeScope> attributes; //!< of run: also of what is made later

    std::map<std::string, ns3::Ptr<ns3::Node>> nodes; //!< VMs and nodes by name
    std::vector<ns3::Ptr<ns3::EsxHost>> hosts;        //!< in the order of the scenario
    std::map<std::string, ns3::Ptr<ns3::EsxHost>> hostsByName;
    std::map<std::string, std::unique_ptr<Cable>> cables;                 //!< by link name
    std::map<std::string, ns3::Ptr<ns3::EsxNetflowCollector>> collectors; //!< by node name
    TrafficWatch traffic;
    std::unique_ptr<SplitRun> split; //!< nullptr: the run is whole
    ns3::EsxLedgerHelper books;
    ns3::EsxResultsHelper results;

    /// A console line with an id, whose processes signals name.
    struct Started
    {
        ns3::Ptr<ns3::EsxConsole> console;
        LineOutcome* line{nullptr};
    };

    std::map<std::string, Started> processes; //!< by id

    std::deque<StepOutcome> steps; //!< stay where they are: lines end later
    ConsoleWindows windows;
    std::map<std::string, std::unique_ptr<AnnotatedCapture>> annotated; //!< by file name
    std::map<std::string, ns3::Ptr<ns3::PcapFileWrapper>> openCaptures; //!< the same
    std::vector<ns3::EsxVerdict> verdicts;

    ns3::EsxSteeredScheduler* scheduler{nullptr}; //!< the simulator's
    bool started{false};
    bool interrupted{false};
    ns3::Time end;
    uint64_t events{0};
    ns3::EventId heartbeat;
    ns3::Time heartbeatSpacing;
    std::chrono::steady_clock::time_point lastHeartbeat;

    void Heartbeat();
    void Beat(ns3::Time next);
    void TellProgress(ns3::Time now);
    void Execute(const TimelineStep& step);
    void Press(const TimelineStep& step);
    void Signal(const TimelineStep& step);
    void Grow(const TimelineStep& step);
    ns3::Ptr<ns3::EsxHost> HostOf(const std::string& vm) const; //!< where it is now
    /// To whom the options say. \param headers octets before the payload
    void Export(uint32_t exporter,
                ns3::Ipv4Address collector,
                ns3::Ptr<const ns3::Packet> packet,
                uint32_t headers) const;
};

/// A queue disc as a part (a NIC, a link) describes it. \return nullptr if it describes none
ns3::Ptr<ns3::QueueDisc> MakeQueueDisc(const Scenario& scenario,
                                       const std::string& part,
                                       const QueueDiscSettings& settings);

/// Puts it between a node's IP stack and a device.
void AddQueueDisc(const Scenario& scenario,
                  const std::string& part,
                  const QueueDiscSettings& settings,
                  const ns3::Ptr<ns3::NetDevice>& device);

/// The devices of a node at cables, in order: a node with an IP stack has a loopback, too.
ns3::NetDeviceContainer PhysicalDevices(const ns3::Ptr<ns3::Node>& node);

/// Makes a world of a scenario, in the order in which IDs and MAC addresses are to be given.
class Simulation::Builder
{
  public:
    explicit Builder(World& world);
    void Build();

  private:
    std::vector<ns3::Ptr<ns3::Object>> ObjectsOf(const Host& host) const;
    void MakeHosts();
    void MakeMemory(const Host& host, const ns3::Ptr<ns3::EsxHost>& made);
    void MakeNodes();
    void MakeCables();
    void MakeVSwitches(const Host& host);
    void MakeVirtualMachines(const Host& host);
    void MakeNetflow(const Host& host);
    void MakeSwitch(const Node& node);
    void MakeEndNode(const Node& node);
    void MakeRouters();
    void MakeRouter(const Node& node, const std::vector<IpRoute>& routes);
    std::pair<ns3::Ptr<ns3::NetDevice>, const Link*> FindEnd(const std::string& node,
                                                             const std::string& interface) const;
    void BlockLoops();
    void FillArpCaches();
    void Watch();
    void Split();
    std::vector<ns3::EsxMetric> HostMetrics() const;
    void AddExpectations();
    std::size_t CountCaptures() const;
    void AddCaptures();
    void AnnotateCollectors();
    ns3::Ptr<ns3::NetDevice> FindDevice(const std::string& name) const;
    int64_t AssignStreams();
    ns3::Ptr<ns3::Node> NodeOf(const LinkEnd& end) const;

    World& m_world;
    const Scenario& m_scenario;
    ns3::EsxHostHelper m_helper;
    ns3::ApplicationContainer m_traffic;
};

} // namespace esxnf

#endif // ESXNF_SIMULATION_WORLD_H
