// SPDX-License-Identifier: GPL-2.0-only
// A small correct scenario that tests break in one place each. Its line numbers stand in expected
// messages.
#ifndef ESXNF_TESTS_SCENARIO_LAB_H
#define ESXNF_TESTS_SCENARIO_LAB_H

#include <stdexcept>
#include <string>

namespace esxnf
{

inline const std::string g_lab = R"(version: 1
name: lab
run: {duration: 60s}
hosts:
  esx1:
    netflow: {purgatory_max: 1024}
    vswitches:
      vSwitch0:
        uplinks: [vmnic0]
        portgroups: {VM Network: {}, VMkernel: {vlan: 0}}
      vSwitch1: {portgroups: {Inside: {}}}
    vmknics:
      vmk0: {portgroup: VMkernel, address: 10.6.125.11/24, gateway: 10.6.125.1}
    vms:
      web1: {nics: [{portgroup: VM Network, address: 10.6.125.51/24, mac: "00:50:56:00:00:01"}]}
      db1: {nics: [{portgroup: VM Network, address: 10.6.125.52/24}, {portgroup: Inside, address: 192.168.1.2/24}]}
nodes:
  sw1: {kind: switch}
  sw2: {kind: switch}
  nf1: {kind: collector, address: 10.6.125.84/24, names: [nf1.mycompany.com]}
links:
  - {endpoints: [esx1:vmnic0, sw1:1]}
  - {name: trunk, endpoints: [sw1:2, sw2:1], rate: 1Gbps}
  - {name: collector-link, endpoints: [nf1:eth0, sw2:2], delay: 20us, queue: 50p, loss: 0.01}
traffic:
  - {name: voice, app: udp-cbr, from: web1, to: [db1], port: 5060, start: 3s, stop: 40s, rate: 64kbps, packet: 160B}
  - {name: web, app: tcp-request, from: [web1], to: db1, every: exponential(100ms)}
  - {name: scan, app: tcp-syn-scan, from: web1, to: db1, ports: 1-100, every: 10ms}
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, id: nf, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}
  - {at: 10s, for: 5s, link: trunk, down: true}
  - {at: 20s, for: 5s, host: esx1, memory_pressure: {netflow_heap: 128KiB}}
  - {at: 30s, for: 5s, link: trunk, set: {rate: 64kbps}}
  - {at: 50s, signal: TERM, process: nf}
expect:
  - {name: all is accounted for, check: conservation}
  - {name: little is lost, metric: netflow.records.dropped, host: esx1, during: 0s..20s, at_most: 3}
outputs: {pcap: [trunk, "esx1:vmk0"]}
)";

/// \return the lab with one piece of its text replaced; the piece must be there
inline std::string
LabWith(const std::string& piece, const std::string& replacement)
{
    auto text = g_lab;
    const auto at = text.find(piece);
    if (at == std::string::npos)
    {
        throw std::logic_error("not in the lab: " + piece);
    }
    return text.replace(at, piece.size(), replacement);
}

} // namespace esxnf

#endif // ESXNF_TESTS_SCENARIO_LAB_H
