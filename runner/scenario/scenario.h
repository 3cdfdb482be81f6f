// SPDX-License-Identifier: GPL-2.0-only
// A scenario as plain values: what a YAML file says, with every default filled in. LoadScenario()
// reads and checks it; the lab's checks, the simulation and the results read it; nobody changes
// it. The meaning, unit and default of each field stand in runner/scenario/scenario.schema.json;
// names are those of the file.
#ifndef ESXNF_SCENARIO_H
#define ESXNF_SCENARIO_H

#include "runner/scenario/attribute-settings.h"
#include "runner/scenario/traffic-app.h"
#include "runner/scenario/yaml-document.h"

#include "ns3/data-rate.h"
#include "ns3/esx-port-policy.h"
#include "ns3/ipv4-address.h"
#include "ns3/mac48-address.h"
#include "ns3/nstime.h"
#include "ns3/queue-size.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace esxnf
{

/// Base of every part: the JSON pointer of where it was written, for YamlDocument::At().
struct Part
{
    std::string path;
};

/// An address and the network it is in.
struct InterfaceAddress
{
    ns3::Ipv4Address address;
    ns3::Ipv4Mask mask;

    bool SharesNetworkWith(ns3::Ipv4Address other) const;
};

struct RunSettings : Part
{
    ns3::Time duration;
    uint32_t seed = 1;
    uint32_t run = 1;
    int64_t wallclockStart = 0; //!< seconds since 1970-01-01T00:00:00Z
    bool spanningTree = false;  //!< links that close loops are blocked
    bool staticArp = false;     //!< who talks to whom knows the other's MAC address from the start
};

/// A queue disc of ns-3.
struct QueueDiscSettings
{
    std::string kind; //!< fifo, pfifo_fast, red, codel, fq_codel, tbf; empty: none
    ns3::QueueSize size;
    ns3::DataRate rate;      //!< tbf
    uint32_t burstBytes = 0; //!< tbf
};

struct Nic : Part
{
    QueueDiscSettings queueDisc; //!< between IP stack and NIC
    std::string portGroup;
    InterfaceAddress address;
    std::optional<ns3::Ipv4Address> gateway;
    std::optional<ns3::Mac48Address> mac; //!< none: the builder gives one
    // of a virtual machine's NIC
    ns3::DataRate guestRate; //!< 0: infinite
    bool connected = true;
};

struct Vmknic : Nic
{
    std::string name; //!< vmk0
};

struct Vm : Part
{
    uint64_t memoryBytes = 0; //!< 0: its memory is not modelled
    uint64_t reservationBytes = 0;
    uint64_t touchedBytes = 0;
    std::string name;
    uint16_t mtu = 1500;
    std::vector<Nic> nics; //!< eth0, eth1, ...
};

struct PortGroup : Part
{
    std::string name;
    uint16_t vlan = 0; //!< 0: EST; 1 to 4094: VST; 4095: VGT
    /// The vSwitch's own, or a copy with what the port group overrides.
    ns3::Ptr<const ns3::EsxPortPolicy> policy;
};

struct VSwitch : Part
{
    std::string name;
    uint16_t ports = 56;
    uint16_t mtu = 1500;
    std::vector<std::string> uplinks; //!< vmnic0
    ns3::Ptr<const ns3::EsxPortPolicy> policy;
    std::vector<PortGroup> portGroups;
};

/// Settings of the module that are read before or after a run; as attributes it gets all of them.
struct NetflowSettings : Part
{
    uint32_t heapBytes = 0; //!< memory.netflow_heap
    uint32_t purgatoryMax = 0;
    ns3::Time activeTimeout;
    ns3::Time idleTimeout;
    ns3::Time scanInterval;
    ns3::Time meteringDelay;
};

struct Host : Part
{
    std::string name;
    bool isEsx3i = false;     //!< edition
    uint16_t portsetBase = 1; //!< switch ID of the first vSwitch
    ns3::Time uptimeAtStart;
    uint32_t arpQueue = 0;    //!< packets that may wait for one ARP reply at a vmknic
    uint64_t memoryBytes = 0; //!< memory.total; 0: not modelled
    uint64_t kernelBytes = 0; //!< memory.kernel
    NetflowSettings netflow;
    std::vector<VSwitch> vSwitches; //!< in order of creation
    std::vector<Vmknic> vmknics;
    std::vector<Vm> vms;

    /// \return the vSwitch that has this port group, or null
    const VSwitch* FindVSwitchOf(const std::string& portGroup) const;
};

enum class NodeKind
{
    Switch,
    Collector,
    Server,
    Router,
    Internet
};

/// An interface of a router: eth0, or eth0.101 for a VLAN of a trunk.
struct RouterInterface : Part
{
    std::string name;
    InterfaceAddress address;
    uint16_t mtu = 1500;

    std::string GetPort() const; //!< eth0
    uint16_t GetVlan() const;    //!< 101; 0: frames have no tag
};

struct Route : Part
{
    InterfaceAddress to; //!< a network
    ns3::Ipv4Address via;
};

/** Addresses of an internet. */
struct AddressPool : Part
{
    InterfaceAddress network;
    double weight = 1;
    uint32_t addresses = 0; //!< at most those there are
    double zipf = 1;
};

/** A purpose of flows. */
struct Service : Part
{
    std::string protocol; //!< udp, tcp
    uint16_t port = 0;
    double weight = 1;
};

/** A port of a physical switch. */
struct SwitchPort : Part
{
    std::string name; //!< its number
    bool trunk = false;
    uint16_t vlan = 1;             //!< of an access port
    uint16_t native = 1;           //!< of a trunk port: VLAN of untagged frames
    std::vector<uint16_t> allowed; //!< of a trunk port; none: all
};

struct Node : Part
{
    std::string name;
    NodeKind kind = NodeKind::Switch;
    // of a switch
    std::vector<SwitchPort> ports; //!< others are access ports of VLAN 1
    // of a collector, server or internet
    std::optional<InterfaceAddress> address; //!< SemanticCheck() sees to it that there is one
    std::optional<ns3::Ipv4Address> gateway;
    // of a router
    std::vector<RouterInterface> interfaces;
    std::vector<Route> routes;
    bool globalRouting = false;
    // of an internet
    std::vector<AddressPool> pools;
    // of a collector
    uint16_t listen = 0;
    std::vector<std::string> names;
};

/// One end of a link: a host's vmnicN, a switch's port number, a node's eth0.
struct LinkEnd
{
    std::string node;
    std::string interface;

    std::string ToString() const;
};

struct Link : Part
{
    std::string name;
    LinkEnd a;
    LinkEnd b;
    ns3::DataRate rate;
    ns3::Time delay;
    QueueDiscSettings queueDisc; //!< at ends that are uplinks, servers or routers
    bool halfDuplex = false;
    bool isContended = true; //!< frames wait for each other
    ns3::Time reorderDelay;
};

/// Fields that do not apply to the app are left at zero.
struct Traffic : Part
{
    std::string name;
    const TrafficApp* app = nullptr; //!< never null once it is read
    std::vector<std::string> from;   //!< VMs, servers
    std::vector<std::string> to;     //!< VMs, servers or collectors
    ns3::Time start;
    ns3::Time stop;
    uint16_t firstPort = 0; //!< destination ports
    uint16_t lastPort = 0;
    ns3::DataRate rate;
    uint32_t packetBytes = 0;
    bool inFlowFidelity = false;
    std::vector<double> hours; //!< factors of the rate of begins, hour by hour
    std::vector<Service> services;
    bool isAnswered = false;  //!< flows have answers
    std::string profile;      //!< a file, as written; empty: none
    std::string file;         //!< as written: see PathOf()
    bool mayBeSilent = false; //!< a run in which a pair of it sent nothing may pass

    /// \return true if its frames enter ports past the guests' IP stacks
    bool IsInjected() const;
    /// \return true if nothing of it is answered
    bool IsOneWay() const;
};

enum class StepKind
{
    Console,
    Press,
    Signal,
    LinkDown,
    LinkSet,
    MemoryPressure,
    Power,
    Connection,
    MacChange,
    Vmotion,
    NodeDown,
    NodeSet,
    Grow
};

/// The result that a console line must give.
struct StepExpectation
{
    std::optional<int> exit;         //!< exit status
    bool exitIsNonzero = false;      //!< "nonzero"
    bool exitIsAny = false;          //!< "any"
    std::vector<std::string> output; //!< texts in it; empty text: nothing is printed
    std::vector<std::string> errors;
    std::optional<bool> running;
};

struct TimelineStep : Part
{
    ns3::Time at;
    StepKind kind = StepKind::Console;
    std::string note;                      //!< in words; may be empty
    std::optional<ns3::Time> length;       //!< "for" of an episode; none: until the end of the run
    std::string host;                      //!< Console, Press, MemoryPressure
    std::string command;                   //!< Console: the line ("run")
    std::string id;                        //!< Console: name of the process it starts, may be empty
    std::string session;                   //!< Console, Press: name of the window; empty: any
    std::optional<StepExpectation> expect; //!< of a step that can fail
    bool mayBeIdle = false; //!< Console: a net-netflow that it starts need not meter anything
    std::string key;        //!< Press: ctrl-c, ctrl-d
    std::string signal;     //!< Signal: TERM, INT, KILL
    std::string process;    //!< Signal: the id of an earlier step
    std::string link;       //!< LinkDown, LinkSet
    std::optional<ns3::DataRate> rate; //!< LinkSet, which sets attributes, too
    std::string vm;                    //!< Power, Connection, MacChange, Grow, Vmotion
    std::string vmotionTo;             //!< Vmotion: a host
    ns3::Time downtime;                //!< Vmotion
    std::string nic;                   //!< Connection, MacChange: eth0
    bool on = false;                   //!< Power: on; Connection: connected
    ns3::Mac48Address mac;             //!< MacChange
    std::string node;                  //!< NodeDown, NodeSet
    std::optional<double> freePercent; //!< MemoryPressure
    uint64_t growToBytes = 0;          //!< Grow
    uint64_t growPerSecondBytes = 0;   //!< Grow

    /** \return true if it gives an exit status: console lines, signals, VMs' power, connection
     * and moves */
    bool CanFail() const;

    /// \return true if an episode holds at t: [at, at + length)
    bool Covers(ns3::Time t) const;
};

/// The time [begin, end).
struct Span
{
    ns3::Time begin;
    ns3::Time end;
};

/// The check that a second run gives the same bytes.
constexpr const char* CHECK_DETERMINISTIC = "deterministic";
/// The check that each net-netflow meters.
constexpr const char* CHECK_METERED = "metered";

struct Expectation : Part
{
    std::string name;
    std::string check;  //!< a check's name, or empty: a metric or a log
    std::string metric; //!< its name
    std::string cause;  //!< labels of the metric; empty: all
    std::string host;
    std::string node;
    std::string over; //!< a metric that the first is divided by; empty: none
    std::string link; //!< labels of metrics of links and flows; empty: all
    std::string from;
    std::string flow;
    std::string vm;
    std::vector<std::string> pair;
    std::optional<Span> during; //!< none: the whole run
    std::string bound;          //!< equals, at_least, at_most, between
    std::string log;            //!< host whose vmkernel log is searched; empty: none
    std::string text;           //!< what the log contains, or lacks
    double low =
        0; //!< the measured value must lie in [low, high]; infinite where there is no bound
    double high = 0;
};

struct Outputs : Part
{
    std::vector<std::string>
        pcap; //!< link names, or interfaces as esx1:vmnic0, esx1:vmk0, web1:eth0
    bool flows = true;
    ns3::Time seriesEvery; //!< 0: no series
};

struct Scenario
{
    std::string name;
    std::string summary;
    RunSettings run;
    std::vector<Host> hosts;
    std::vector<Node> nodes;
    std::vector<Link> links;
    std::vector<Traffic> traffic;
    std::vector<TimelineStep> timeline;
    std::vector<Expectation> expect;
    Outputs outputs;
    AttributeSettings attributes; //!< of ns-3, by keys and by name
    YamlDocument document;        //!< what all of this was read from, defaults included

    /// \return a message about the part (or the value below it) at a path
    Diagnostic At(Severity severity, const std::string& path, const std::string& what) const;

    /// \return a file that the scenario names: as it is if absolute, else from its own folder
    std::string PathOf(const std::string& file) const;
};

/// Values that stand in place of the file's, by JSON pointer: {"/run/seed", 7}.
using Overrides = std::vector<std::pair<std::string, Json>>;

/**
 * Reads a scenario and checks its form and its sense.
 * \param path the YAML file
 * \param overrides what the command line or a sweep varies
 * \param [out] warnings what SemanticCheck() says beside errors; may be null
 * \return the scenario
 * Throws ScenarioError, which has every error of the first stage (YAML, schema, sense) that finds
 * one.
 */
Scenario LoadScenario(const std::string& path,
                      const Overrides& overrides = {},
                      Diagnostics* warnings = nullptr);

/// The same for a text; fileName is what messages say.
Scenario ParseScenario(const std::string& text,
                       const std::string& fileName,
                       const Overrides& overrides = {},
                       Diagnostics* warnings = nullptr);

/// The same for a document that was made or changed in memory.
Scenario BuildScenario(YamlDocument document,
                       const Overrides& overrides = {},
                       Diagnostics* warnings = nullptr);

/// Checks beyond the schema: names exist, addresses fit, times are in order. Errors and warnings
/// in file order.
Diagnostics SemanticCheck(const Scenario& scenario);

/// The scenario with all defaults, as YAML; loading it again gives the same text.
std::string ResolvedYaml(const Scenario& scenario);

} // namespace esxnf

#endif // ESXNF_SCENARIO_H
