// SPDX-License-Identifier: GPL-2.0-only
#include "runner/topology.h"
#include "tests/runner/scenario-lab.h"

#include <gtest/gtest.h>

namespace esxnf
{
namespace
{

TEST(Dot, DrawsHostsLinksAndCuts)
{
    const auto scenario =
        ParseScenario(LabWith("at: 10s, for: 5s, link: trunk", "at: 0s, link: trunk"), "lab.yaml");
    EXPECT_EQ(ToDot(Topology(scenario)), R"(graph "lab" {
  node [fontname="sans-serif"];
  subgraph "cluster_esx1" {
    label="esx1";
    "esx1/vSwitch0" [kind=vswitch, label="vSwitch0", shape=box3d];
    "esx1:vmnic0" [kind=uplink, label="vmnic0", shape=ellipse];
    "esx1/vSwitch1" [kind=vswitch, label="vSwitch1", shape=box3d];
    "esx1:vmk0" [kind=vmknic, label="vmk0", shape=ellipse];
    "web1:eth0" [kind=vm, label="web1:eth0", shape=box];
    "db1:eth0" [kind=vm, label="db1:eth0", shape=box];
    "db1:eth1" [kind=vm, label="db1:eth1", shape=box];
  }
  "sw1" [kind=switch, label="sw1", shape=box3d];
  "sw2" [kind=switch, label="sw2", shape=box3d];
  "nf1" [kind=collector, label="nf1", shape=cylinder];
  "esx1/vSwitch0" -- "esx1:vmnic0";
  "esx1:vmk0" -- "esx1/vSwitch0";
  "web1:eth0" -- "esx1/vSwitch0";
  "db1:eth0" -- "esx1/vSwitch0";
  "db1:eth1" -- "esx1/vSwitch1";
  "esx1:vmnic0" -- "sw1" [label="esx1.vmnic0-sw1.1\n1Gbps"];
  "sw1" -- "sw2" [label="trunk\n1Gbps", color=red, style=dashed];
  "nf1" -- "sw2" [label="collector-link\n1Gbps"];
}
)");
}

} // namespace
} // namespace esxnf
