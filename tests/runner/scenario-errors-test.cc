// SPDX-License-Identifier: GPL-2.0-only
// Every mistake gives its own line: the place, the value, what is allowed.
#include "runner/scenario/scenario.h"
#include "tests/runner/scenario-lab.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

struct Mistake
{
    const char* name;
    const char* piece;       //!< of the lab
    const char* replacement; //!< what stands there instead
    const char* message;     //!< all lines, exactly
};

std::ostream&
operator<<(std::ostream& os, const Mistake& mistake)
{
    return os << mistake.name;
}

class BrokenScenario : public testing::TestWithParam<Mistake>
{
};

TEST_P(BrokenScenario, SaysWhereAndWhatIsAllowed)
{
    const auto& mistake = GetParam();
    try
    {
        ParseScenario(LabWith(mistake.piece, mistake.replacement), "lab.yaml");
        FAIL() << "was accepted";
    }
    catch (const ScenarioError& error)
    {
        EXPECT_STREQ(error.what(), mistake.message);
    }
}

const Mistake g_mistakes[] = {
    {"UnknownKeyNamesTheNearest",
     "delay: 20us",
     "dealy: 20us",
     "lab.yaml:24:58: links[2].dealy: unknown key 'dealy'; did you mean 'delay'?"},
    {"UnknownKeyAtTopLevel",
     "traffic:",
     "trafic:",
     "lab.yaml:25:1: trafic: unknown key 'trafic'; did you mean 'traffic'?"},
    {"UnknownKeyWithoutNeighbourListsAllAllowed",
     "run: {duration: 60s}",
     "run: {duration: 60s, bind: x}",
     "lab.yaml:3:22: run.bind: unknown key 'bind'; allowed: attributes, duration, seed, run, "
     "wallclock_start, "
     "strict, arp, spanning_tree"},
    {"AttributeIsUnknown",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::TcpSocket::SegmentSiz: 1}}",
     "lab.yaml:3:63: run.attributes.ns3::TcpSocket::SegmentSiz: ns3::TcpSocket has no attribute "
     "'SegmentSiz'; did you mean 'SegmentSize'?"},
    {"TypeOfAttributeIsUnknown",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::TcpSokcet::SegmentSize: 1}}",
     "lab.yaml:3:64: run.attributes.ns3::TcpSokcet::SegmentSize: ns-3 has no type "
     "'ns3::TcpSokcet'; did you mean 'ns3::TcpSocket'?"},
    {"AttributeHasAKey",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::EsxNetflow::IdleTimeout: 3s}}",
     "lab.yaml:3:65: run.attributes.ns3::EsxNetflow::IdleTimeout: ns3::EsxNetflow::IdleTimeout has "
     "a key: write netflow.idle_timeout"},
    {"AttributeOfADerivedTypeHasAKey",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::EsxVnic::Promiscuous: true}}",
     "lab.yaml:3:62: run.attributes.ns3::EsxVnic::Promiscuous: ns3::EsxVnic::Promiscuous has a "
     "key: write vnic.promiscuous"},
    {"AttributeIsReadOnly",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::Node::Id: 3}}",
     "lab.yaml:3:50: run.attributes.ns3::Node::Id: ns3::Node::Id can only be read"},
    {"AttributeIsAContainer",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::Node::DeviceList: 3}}",
     "lab.yaml:3:58: run.attributes.ns3::Node::DeviceList: ns3::Node::DeviceList leads to other "
     "objects: name their own attributes"},
    {"AttributeIsAPointer",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::EsxVSwitch::Policy: 3}}",
     "lab.yaml:3:60: run.attributes.ns3::EsxVSwitch::Policy: ns3::EsxVSwitch::Policy leads to "
     "other objects: name their own attributes"},
    {"AttributeHasAWrongNumber",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::TcpSocket::SegmentSize: abc}}",
     "lab.yaml:3:64: run.attributes.ns3::TcpSocket::SegmentSize: 'abc' is no value of "
     "ns3::TcpSocket::SegmentSize; allowed: uint32_t 0:4294967295"},
    {"AttributeHasAWrongTime",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::ArpCache::AliveTimeout: soon}}",
     "lab.yaml:3:64: run.attributes.ns3::ArpCache::AliveTimeout: 'soon' is no value of "
     "ns3::ArpCache::AliveTimeout; allowed: a time such as 1.5s"},
    {"AttributeIsNoAddress",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::EsxTcpSynScan::Remote: 10.6.01.0}}",
     "lab.yaml:3:63: run.attributes.ns3::EsxTcpSynScan::Remote: '10.6.01.0' is no value "
     "of ns3::EsxTcpSynScan::Remote; allowed: an IPv4 address such as 10.6.125.1"},
    {"AttributeOfOneOfSeveralTypesHasAKey",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::OnOffApplication::DataRate: 1Mbps}}",
     "lab.yaml:3:68: run.attributes.ns3::OnOffApplication::DataRate: "
     "ns3::OnOffApplication::DataRate has a key: write traffic.rate"},
    {"AttributeHasAKeyWithinAKey",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {ns3::EsxSyntheticFlows::Rtt: 1}}",
     "lab.yaml:3:64: run.attributes.ns3::EsxSyntheticFlows::Rtt: ns3::EsxSyntheticFlows::Rtt has a "
     "key: write traffic.answers.rtt"},
    {"AttributeHasNoType",
     "run: {duration: 60s}",
     "run: {duration: 60s, attributes: {foo: 1}}",
     "lab.yaml:3:35: run.attributes.foo: name 'foo' is not allowed; allowed: an attribute such as "
     "ns3::TcpSocket::SegmentSize"},
    {"MeteringDelayIsAtMostASecond",
     "purgatory_max: 1024",
     "metering_delay: 1001ms",
     "lab.yaml:6:31: hosts.esx1.netflow.metering_delay: must not be more than 1s"},
    {"MissingKey",
     "run: {duration: 60s}",
     "run: {seed: 1}",
     "lab.yaml:3:1: run: 'duration' is missing"},
    {"MissingNics",
     "{nics: [{portgroup: VM Network, address: 10.6.125.51/24, mac: \"00:50:56:00:00:01\"}]}",
     "{}",
     "lab.yaml:15:7: hosts.esx1.vms.web1: 'nics' is missing"},
    {"WrongVersion",
     "version: 1",
     "version: 2",
     "lab.yaml:1:10: version: 2 is not allowed; allowed: 1"},
    {"WrongName",
     "name: lab",
     "name: a/b",
     "lab.yaml:2:7: name: 'a/b' is not allowed; allowed: a name of at most 64 letters, digits and "
     ". _ -, beginning with a letter or digit"},
    {"WrongHostName",
     "  esx1:\n",
     "  esx 1:\n",
     "lab.yaml:5:3: hosts.esx 1: name 'esx 1' is not allowed; allowed: a name of at most 64 "
     "letters, digits and . _ -, beginning with a letter or digit"},
    {"WrongVmknicName",
     "      vmk0:",
     "      vmknic0:",
     "lab.yaml:13:7: hosts.esx1.vmknics.vmknic0: name 'vmknic0' is not allowed; allowed: a "
     "vmknic's name such as vmk0"},
    {"NumberWithoutUnit",
     "duration: 60s",
     "duration: 60",
     "lab.yaml:3:17: run.duration: 60 is not allowed; allowed: a time with its unit (ns, us, ms, "
     "s, min, h) such as 20us or 1.5s"},
    {"TimeWithUnknownUnit",
     "at: 10s",
     "at: 10 sec",
     "lab.yaml:32:10: timeline[2].at: '10 sec' is not allowed; allowed: a time with its unit (ns, "
     "us, ms, s, min, h) such as 20us or 1.5s"},
    {"RateWithUnknownUnit",
     "set: {rate: 64kbps}",
     "set: {rate: 64kbit}",
     "lab.yaml:34:49: timeline[4].set.rate: '64kbit' is not allowed; allowed: a data rate (bps, "
     "kbps, Mbps, Gbps) such as 64kbps or 1Gbps"},
    {"QueueWithoutUnit",
     "queue: 50p",
     "queue: 50",
     "lab.yaml:24:78: links[2].queue: 50 is not allowed; allowed: a queue size in packets or bytes "
     "(p, B, kB, KiB) such as 100p or 64KiB"},
    {"LossIsAProbability",
     "loss: 0.01",
     "loss: 1.5",
     "lab.yaml:24:89: links[2].loss: 1.5 is not allowed; allowed: a number from 0 to 1"},
    {"EnumListsItsWords",
     "app: udp-cbr",
     "app: udp",
     "lab.yaml:26:24: traffic[0].app: 'udp' is not allowed; allowed: one of udp-cbr, udp-on-off, "
     "tcp-bulk, tcp-request, tcp-syn-scan, flows, pcap, icmp-echo"},
    {"PortRange",
     "port: 5060",
     "port: 70000",
     "lab.yaml:26:62: traffic[0].port: 70000 is not allowed; allowed: a whole number from 1 to "
     "65535"},
    {"PortIsANumber",
     "port: 5060",
     "port: \"5060\"",
     "lab.yaml:26:62: traffic[0].port: '5060' is not allowed; allowed: a whole number from 1 to "
     "65535"},
    {"AddressOctet",
     "10.6.125.51/24",
     "10.6.125.256/24",
     "lab.yaml:15:54: hosts.esx1.vms.web1.nics[0].address: '10.6.125.256/24' is not allowed; "
     "allowed: an IPv4 address with its prefix length such as 10.6.125.11/24"},
    {"AddressWithALeadingZero", // decimal to some programs, octal to others
     "10.6.125.51/24",
     "10.06.125.51/24",
     "lab.yaml:15:54: hosts.esx1.vms.web1.nics[0].address: '10.06.125.51/24' is not allowed; "
     "allowed: an IPv4 address with its prefix length such as 10.6.125.11/24"},
    {"AddressNeedsPrefix",
     "10.6.125.84/24",
     "10.6.125.84",
     "lab.yaml:20:35: nodes.nf1.address: '10.6.125.84' is not allowed; allowed: an IPv4 address "
     "with its prefix length such as 10.6.125.11/24"},
    {"MacIsUnicast",
     "00:50:56:00:00:01",
     "01:50:56:00:00:01",
     "lab.yaml:15:75: hosts.esx1.vms.web1.nics[0].mac: '01:50:56:00:00:01' is not allowed; "
     "allowed: a unicast MAC address such as 00:50:56:00:00:01"},
    {"ThreeEndpoints",
     "[nf1:eth0, sw2:2]",
     "[nf1:eth0, sw2:2, sw1:3]",
     "lab.yaml:24:28: links[2].endpoints: a list is not allowed; allowed: a list of two endpoints, "
     "node:interface"},
    {"EqualEntries",
     "uplinks: [vmnic0]",
     "uplinks: [vmnic0, vmnic0]",
     "lab.yaml:9:9: hosts.esx1.vswitches.vSwitch0.uplinks: a list with equal entries is not "
     "allowed; allowed: a list of different uplinks"},
    {"ControlCharactersAreShownAsCodes",
     "app: udp-cbr",
     "app: \"udp\\e[31m\\ncbr\"",
     "lab.yaml:26:24: traffic[0].app: 'udp\\x1b[31m\\x0acbr' is not allowed; allowed: one of "
     "udp-cbr, udp-on-off, tcp-bulk, tcp-request, tcp-syn-scan, flows, pcap, icmp-echo"},
    {"ListInsteadOfMap",
     "outputs: {pcap: [trunk, \"esx1:vmk0\"]}",
     "outputs: [trunk]",
     "lab.yaml:39:1: outputs: a list is not allowed; allowed: a map"},
    {"NothingInsteadOfMap",
     "run: {duration: 60s}",
     "run:",
     "lab.yaml:3:1: run: nothing is not allowed; allowed: a map"},
    {"EmptySet",
     "set: {rate: 64kbps}",
     "set: {}",
     "lab.yaml:34:37: timeline[4].set: an empty map is not allowed; allowed: a map of at least one "
     "of rate, delay, loss, queue, burst_loss, bit_errors, duplicate, reorder, "
     "service_time"},
    {"NetflowPolicyIsCalledAsTheAttribute",
     "{purgatory_max: 1024}",
     "{purgatory_policy: taildrop}",
     "lab.yaml:6:33: hosts.esx1.netflow.purgatory_policy: 'taildrop' is not allowed; allowed: one "
     "of TailDrop, HeadDrop"},
    {"PortCountOfAvSwitch",
     "vSwitch1: {",
     "vSwitch1: {ports: 64, ",
     "lab.yaml:11:25: hosts.esx1.vswitches.vSwitch1.ports: 64 is not allowed; allowed: one of 8, "
     "24, 56, 120, 248, 504, 1016"},
    {"DateMustBeUtc",
     "{duration: 60s}",
     "{duration: 60s, wallclock_start: 2008-10-26}",
     "lab.yaml:3:39: run.wallclock_start: '2008-10-26' is not allowed; allowed: a date and time in "
     "UTC such as \"2008-10-26T00:00:00Z\""},
    {"PropertyOfAnotherApp",
     "ports: 1-100",
     "ports: 1-100, rate: 1Mbps",
     "lab.yaml:28:72: traffic[2].rate: 'rate' does not apply to tcp-syn-scan; it is for udp-cbr, "
     "udp-on-off"},
    {"PropertyOfAnotherKind",
     "sw2: {kind: switch}",
     "sw2: {kind: switch, listen: 2055}",
     "lab.yaml:19:23: nodes.sw2.listen: 'listen' does not apply to switch; it is for collector"},
    {"VlanOutOfRange",
     "{vlan: 0}",
     "{vlan: 4096}",
     "lab.yaml:10:55: hosts.esx1.vswitches.vSwitch0.portgroups.VMkernel.vlan: 4096 is not allowed; "
     "allowed: a whole number from 0 to 4095"},
    {"RouterWithoutInterfaces",
     "sw2: {kind: switch}",
     "sw2: {kind: router}",
     "lab.yaml:19:3: nodes.sw2: 'interfaces' are missing; allowed: {eth0: {address: "
     "10.6.125.1/24}}\n"
     "lab.yaml:23:38: links[1].endpoints[1]: '1' is no interface of sw2; there are none\n"
     "lab.yaml:24:50: links[2].endpoints[1]: '2' is no interface of sw2; there are none"},
    {"AllowedVlansOfAnAccessPort",
     "sw2: {kind: switch}",
     "sw2: {kind: switch, ports: {1: {mode: access, allowed: [101]}}}",
     "lab.yaml:19:49: nodes.sw2.ports[1].allowed: 'allowed' does not apply to access; it is for "
     "trunk"},
    {"SwitchPortWithoutNumber",
     "sw2: {kind: switch}",
     "sw2: {kind: switch, ports: {uplink: {mode: trunk}}}",
     "lab.yaml:19:31: nodes.sw2.ports.uplink: name 'uplink' is not allowed; allowed: the number of "
     "a port such as 1"},
    {"StepExpectationIsNotEmpty",
     "run: vmkload_mod netflow",
     "run: vmkload_mod netflow, expect: {}",
     "lab.yaml:30:52: timeline[0].expect: an empty map is not allowed; allowed: a map of at least "
     "one of exit, stdout, stderr, running"},
    {"StepExpectsAnExitStatus",
     "run: vmkload_mod netflow",
     "run: vmkload_mod netflow, expect: {exit: 256}",
     "lab.yaml:30:67: timeline[0].expect.exit: 256 is not allowed; allowed: an exit status from 0 "
     "to 255, nonzero or any"},
    {"StepExpectsATextOrTexts",
     "run: vmkload_mod netflow",
     "run: vmkload_mod netflow, expect: {stdout: 5}",
     "lab.yaml:30:69: timeline[0].expect.stdout: 5 is not allowed; allowed: a text or a list of "
     "texts"},
    {"StepExpectationDoesNotGoWithALink",
     "link: trunk, down: true",
     "link: trunk, down: true, expect: {exit: 0}",
     "lab.yaml:32:49: timeline[2].expect: 'expect' does not go with 'down'"},
    {"KeysAreCtrlCAndCtrlD",
     "run: vmkload_mod netflow",
     "press: ctrl-z",
     "lab.yaml:30:33: timeline[0].press: 'ctrl-z' is not allowed; allowed: one of ctrl-c, ctrl-d"},
    {"AConsoleLineIsBounded",
     "run: vmkload_mod netflow",
     "run: ''",
     "lab.yaml:30:31: timeline[0].run: '' is not allowed; allowed: a console line of 1 to 4000 "
     "characters"},
    {"SecurityIsAcceptOrReject",
     "vSwitch1: {",
     "vSwitch1: {security: {promiscuous: maybe}, ",
     "lab.yaml:11:42: hosts.esx1.vswitches.vSwitch1.security.promiscuous: 'maybe' is not allowed; "
     "allowed: one of accept, reject"},
    {"TwoErrorsInFileOrder",
     "loss: 0.01}\ntraffic:",
     "loss: x}\ntrafic:",
     "lab.yaml:24:89: links[2].loss: 'x' is not allowed; allowed: a number from 0 to 1\n"
     "lab.yaml:25:1: trafic: unknown key 'trafic'; did you mean 'traffic'?"},
    {"TeamOfAnotherVSwitchsUplink",
     "[vmnic0]",
     "[vmnic0]\n        teaming: {active: [vmnic0], standby: [vmnic7]}",
     "lab.yaml:10:47: hosts.esx1.vswitches.vSwitch0.teaming.standby[0]: 'vmnic7' is no uplink of "
     "vSwitch0; did you mean 'vmnic0'?"},
    {"UplinkActiveAndStandby",
     "[vmnic0]",
     "[vmnic0]\n        teaming: {active: [vmnic0], standby: [vmnic0]}",
     "lab.yaml:10:47: hosts.esx1.vswitches.vSwitch0.teaming.standby[0]: uplink 'vmnic0' is used "
     "twice, first in line 10"},
    {"PeakBelowAverage",
     "{vlan: 0}",
     "{shaping: {average: 2Mbps, peak: 1Mbps}}",
     "lab.yaml:10:49: hosts.esx1.vswitches.vSwitch0.portgroups.VMkernel.shaping: the peak rate "
     "must not be below the average rate"},
    {"NoShapingAtAll",
     "{vlan: 0}",
     "{shaping: {average: 0bps}}",
     "lab.yaml:10:49: hosts.esx1.vswitches.vSwitch0.portgroups.VMkernel.shaping: average and burst "
     "must be more than 0"},
    {"PowerOfAnUnknownVm",
     "{at: 50s, signal: TERM, process: nf}",
     "{at: 50s, vm: web2, power: off}",
     "lab.yaml:35:19: timeline[5].vm: 'web2' is no VM; did you mean 'web1'?"},
    {"NicThatAVmDoesNotHave",
     "{at: 50s, signal: TERM, process: nf}",
     "{at: 50s, vm: web1, nic: eth1, connected: false}",
     "lab.yaml:35:30: timeline[5].nic: web1 has 1 NICs, counted from eth0"},
    {"NicOfAPowerStep",
     "{at: 50s, signal: TERM, process: nf}",
     "{at: 50s, vm: web1, nic: eth0, power: off}",
     "lab.yaml:35:30: timeline[5].nic: 'nic' does not go with 'power'"},
    {"MtuOutOfRange",
     "vSwitch1: {",
     "vSwitch1: {mtu: 9001, ",
     "lab.yaml:11:23: hosts.esx1.vswitches.vSwitch1.mtu: 9001 is not allowed; allowed: a whole "
     "number from 68 to 9000"},
    {"GuestOfNoSpeed",
     "10.6.125.51/24, mac",
     "10.6.125.51/24, guest_rate: 0bps, mac",
     "lab.yaml:15:82: hosts.esx1.vms.web1.nics[0].guest_rate: must be more than 0bps"},
    {"UnknownPortGroup",
     "{portgroup: Inside,",
     "{portgroup: Inner,",
     "lab.yaml:16:82: hosts.esx1.vms.db1.nics[1].portgroup: 'Inner' is no port group of esx1; "
     "allowed: Inside, VM Network, VMkernel"},
    {"UnknownVm",
     "to: [db1]",
     "to: [db2]",
     "lab.yaml:26:45: traffic[0].to: 'db2' is no VM, server or collector; did you mean 'db1'?"},
    {"UnknownHostOfAStep",
     "host: esx1, memory",
     "host: esx2, memory",
     "lab.yaml:33:30: timeline[3].host: 'esx2' is no host; did you mean 'esx1'?"},
    {"UnknownLink",
     "link: trunk, down",
     "link: trink, down",
     "lab.yaml:32:30: timeline[2].link: 'trink' is no link; did you mean 'trunk'?"},
    {"UnknownProcess",
     "process: nf",
     "process: nf2",
     "lab.yaml:35:38: timeline[5].process: 'nf2' is no process; did you mean 'nf'?"},
    {"UnknownNodeOfALink",
     "sw2:1",
     "sw3:1",
     "lab.yaml:23:38: links[1].endpoints[1]: 'sw3' is no host or node; did you mean 'sw1'?"},
    {"UnknownUplink",
     "esx1:vmnic0",
     "esx1:vmnic1",
     "lab.yaml:22:18: links[0].endpoints[0]: 'vmnic1' is no interface of esx1; did you mean "
     "'vmnic0'?"},
    {"UnknownCapture",
     "[trunk, ",
     "[trnk, ",
     "lab.yaml:39:18: outputs.pcap[0]: 'trnk' is no link or interface; did you mean 'trunk'?"},
    {"SwitchPortsAreNumbers",
     "sw2:1",
     "sw2:eth1",
     "lab.yaml:23:38: links[1].endpoints[1]: a switch has numbered ports such as sw2:1"},
    {"EndpointUsedTwice",
     "sw2:2]",
     "sw2:1]",
     "lab.yaml:24:50: links[2].endpoints[1]: endpoint 'sw2:1' is used twice, first in line 23"},
    {"UplinkOfTwoVSwitches",
     "vSwitch1: {",
     "vSwitch1: {uplinks: [vmnic0], ",
     "lab.yaml:11:28: hosts.esx1.vswitches.vSwitch1.uplinks[0]: uplink 'vmnic0' is used twice, "
     "first in line 9"},
    {"PortGroupNameUsedTwice",
     "{Inside: {}}",
     "{VMkernel: {}}",
     "lab.yaml:11:31: hosts.esx1.vswitches.vSwitch1.portgroups.VMkernel: port group 'VMkernel' is "
     "used twice, first in line 10\n"
     "lab.yaml:16:82: hosts.esx1.vms.db1.nics[1].portgroup: 'Inside' is no port group of esx1; "
     "allowed: VM Network, VMkernel"},
    {"NameUsedTwice",
     "sw2: {kind",
     "web1: {kind",
     "lab.yaml:19:3: nodes.web1: name 'web1' is used twice, first in line 15\n"
     "lab.yaml:23:38: links[1].endpoints[1]: 'sw2' is no host or node; did you mean 'sw1'?\n"
     "lab.yaml:24:50: links[2].endpoints[1]: 'sw2' is no host or node; did you mean 'sw1'?"},
    {"AddressUsedTwice",
     "10.6.125.52/24",
     "10.6.125.51/24",
     "lab.yaml:16:53: hosts.esx1.vms.db1.nics[0].address: address '10.6.125.51' is used twice, "
     "first in line 15"},
    {"MacUsedTwice",
     "address: 10.6.125.52/24",
     "address: 10.6.125.52/24, mac: \"00:50:56:00:00:01\"",
     "lab.yaml:16:74: hosts.esx1.vms.db1.nics[0].mac: MAC address '00:50:56:00:00:01' is used "
     "twice, first in line 15"},
    {"ProcessUsedTwice",
     "host: esx1, run: vmkload_mod",
     "host: esx1, id: nf, run: vmkload_mod",
     "lab.yaml:31:30: timeline[1].id: process 'nf' is used twice, first in line 30"},
    {"NetworkAddressIsNoInterface",
     "192.168.1.2/24",
     "192.168.1.0/24",
     "lab.yaml:16:99: hosts.esx1.vms.db1.nics[1].address: 192.168.1.0 cannot be the address of an "
     "interface"},
    {"MulticastIsNoInterface",
     "192.168.1.2/24",
     "224.0.0.5/24",
     "lab.yaml:16:99: hosts.esx1.vms.db1.nics[1].address: 224.0.0.5 cannot be the address of an "
     "interface"},
    {"GatewayOutsideTheNetwork",
     "gateway: 10.6.125.1",
     "gateway: 10.7.0.1",
     "lab.yaml:13:69: hosts.esx1.vmknics.vmk0.gateway: 10.7.0.1 is not another address of the "
     "network of 10.6.125.11/24"},
    {"CollectorWithoutAddress",
     "address: 10.6.125.84/24, ",
     "",
     "lab.yaml:20:3: nodes.nf1: 'address' is missing; allowed: one such as 10.6.125.84/24"},
    {"StartAfterStop",
     "start: 3s",
     "start: 50s",
     "lab.yaml:26:75: traffic[0].start: must be before stop; 50s is not before 40s"},
    {"TwoReceiversOfAPort",
     "{name: scan, app: tcp-syn-scan, from: web1, to: db1, ports: 1-100, every: 10ms}",
     "{name: bulk, app: tcp-bulk, from: web1, to: db1, port: 5001, size: 1MB}",
     "lab.yaml:28:5: traffic[2]: port 5001 of db1 is that of web (tcp-request), and tcp-bulk has a "
     "receiver of its own; allowed: another port"},
    {"TheCollectorsPort",
     "to: [db1], port: 5060",
     "to: [nf1], port: 2055",
     "lab.yaml:26:5: traffic[0]: port 2055 of nf1 is that of its collector, and udp-cbr has a "
     "receiver of its own; allowed: another port"},
    {"NoCommonNetwork",
     "10.6.125.52/24",
     "10.9.9.52/24",
     "lab.yaml:26:45: traffic[0].to: db1 has no address on a network of web1, which has no "
     "gateway\n"
     "lab.yaml:27:53: traffic[1].to: db1 has no address on a network of web1, which has no "
     "gateway\n"
     "lab.yaml:28:53: traffic[2].to: db1 has no address on a network of web1, which has no "
     "gateway"},
    {"TrafficToItself",
     "to: [db1]",
     "to: [web1]",
     "lab.yaml:26:45: traffic[0].to: web1 would send to itself"},
    {"DatagramTooLarge",
     "packet: 160B",
     "packet: 70kB",
     "lab.yaml:26:112: traffic[0].packet: a packet carries 1B to 65507B"},
    {"ScanWithRandomInterval",
     "every: 10ms",
     "every: exponential(10ms)",
     "lab.yaml:28:79: traffic[2].every: has a fixed interval such as 10ms"},
    {"PortsBackwards",
     "1-100",
     "100-1",
     "lab.yaml:28:65: traffic[2].ports: the first port must not be above the last"},
    {"StepOfTwoKinds",
     "link: trunk, down: true",
     "link: trunk, down: true, run: ps",
     "lab.yaml:32:5: timeline[2]: a step has exactly one of: run, press, signal, down, set, "
     "memory_pressure, grow, power, connected, mac, vmotion"},
    {"StepOfNoKind",
     ", run: vmkload_mod netflow",
     "",
     "lab.yaml:30:5: timeline[0]: a step has exactly one of: run, press, signal, down, set, "
     "memory_pressure, grow, power, connected, mac, vmotion"},
    {"StepLacksItsHost",
     "at: 1s, host: esx1,",
     "at: 1s,",
     "lab.yaml:30:5: timeline[0]: 'host' is missing, which 'run' needs"},
    {"ConsoleLineHasNoLength",
     "at: 1s,",
     "at: 1s, for: 2s,",
     "lab.yaml:30:19: timeline[0].for: 'for' does not go with 'run'"},
    {"SignalBeforeStart",
     "at: 50s",
     "at: 1s",
     "lab.yaml:35:10: timeline[5].at: process 'nf' starts later, at 2s"},
    {"EpisodesOverlap",
     "at: 30s, for: 5s, link: trunk, set: {rate: 64kbps}",
     "at: 12s, link: trunk, down: true",
     "lab.yaml:34:10: timeline[4].at: begins before the episode of line 32 is over"},
    {"ExpectationOfTwoKinds",
     "check: conservation",
     "check: conservation, metric: a.b",
     "lab.yaml:37:5: expect[0]: an expectation has exactly one of: check, metric, log"},
    {"LogWithoutText",
     "check: conservation",
     "log: esx1",
     "lab.yaml:37:5: expect[0]: a log needs exactly one of: contains, absent"},
    {"LogOfUnknownHost",
     "check: conservation",
     "log: esx9, contains: NetFlow",
     "lab.yaml:37:39: expect[0].log: 'esx9' is no host; did you mean 'esx1'?"},
    {"TextWithoutLog",
     "check: conservation",
     "check: conservation, contains: NetFlow",
     "lab.yaml:37:65: expect[0].contains: 'contains' does not go with 'check: conservation'"},
    {"BoundOfALog",
     "check: conservation",
     "log: esx1, absent: NetFlow, equals: 3",
     "lab.yaml:37:70: expect[0].equals: 'equals' does not go with 'log'"},
    {"NodeOfUniqueInterfaces",
     "check: conservation",
     "check: unique_interfaces, node: nf1",
     "lab.yaml:37:66: expect[0].node: 'node' does not go with 'check: unique_interfaces'"},
    {"MetricWithoutBound",
     ", at_most: 3",
     "",
     "lab.yaml:38:5: expect[1]: a metric needs exactly one of: equals, at_least, at_most, between"},
    {"MetricWithTwoBounds",
     "at_most: 3",
     "at_most: 3, equals: 1",
     "lab.yaml:38:5: expect[1]: a metric needs exactly one of: equals, at_least, at_most, between"},
    {"BetweenBackwards",
     "at_most: 3",
     "between: [2, 1]",
     "lab.yaml:38:90: expect[1].between: the first number must not be above the second"},
    {"CheckHasNoHost",
     "check: conservation",
     "check: conservation, host: esx1",
     "lab.yaml:37:61: expect[0].host: 'host' does not go with 'check: conservation'"},
    {"SpanBackwards",
     "0s..20s",
     "20s..20s",
     "lab.yaml:38:81: expect[1].during: the first time must be before the second"},
    {"NoSuchDay",
     "{duration: 60s}",
     "{duration: 60s, wallclock_start: \"2009-02-29T00:00:00Z\"}",
     "lab.yaml:3:39: run.wallclock_start: there is no such day in the calendar"},
    {"ZeroDuration",
     "duration: 60s",
     "duration: 0s",
     "lab.yaml:3:17: run.duration: must be longer than 0s\n"
     "lab.yaml:27:5: traffic[1].start: must be before stop; 0s is not before 0s\n"
     "lab.yaml:28:5: traffic[2].start: must be before stop; 0s is not before 0s"},
    {"ZeroRate",
     "rate: 1Gbps",
     "rate: 0bps",
     "lab.yaml:23:52: links[1].rate: must be more than 0bps; {at, link, down: true} in the "
     "timeline cuts a link"},
};

INSTANTIATE_TEST_SUITE_P(Each, BrokenScenario, testing::ValuesIn(g_mistakes), [](const auto& info) {
    return std::string(info.param.name);
});

} // namespace
} // namespace esxnf
