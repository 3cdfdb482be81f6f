# SPDX-License-Identifier: GPL-2.0-only
"""ifindex: an interface number of a collector is turned back into vSwitch, port and VM."""

import pytest
from labs import QUICKSTART, table, write

THIRD = """version: 1
name: three
run: {duration: 30s}
hosts:
  esx1:
    netflow: {idle_timeout: 1s}
    vswitches:
      vSwitch0: {uplinks: [vmnic0], portgroups: {VMkernel: {}}}
      prod1: {portgroups: {Prod: {}}}
      test2: {portgroups: {Test: {}}}
    vmknics: {vmk0: {portgroup: VMkernel, address: 10.6.125.11/24}}
    vms:
      a: {nics: [{portgroup: Test, address: 10.1.0.1/24}]}
      b: {nics: [{portgroup: Test, address: 10.1.0.2/24}]}
  esx2:
    vswitches: {lonely: {portgroups: {Net: {}}}}
nodes: {nf1: {kind: collector, address: 10.6.125.84/24}}
links: [{endpoints: [esx1:vmnic0, nf1:eth0]}]
traffic: [{name: talk, app: udp-cbr, from: a, to: b, start: 3s, stop: 5s}]
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -p -e test2 10.6.125.84}
"""


def test_1549_is_port_13_of_vswitch2(esx_netflow):
    done = esx_netflow("ifindex", 1549)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1549: vSwitch2 port 13 (switch ID 3)\n", "")


@pytest.mark.parametrize("engine", ["3", "0/3"])
def test_without_dash_p_the_engine_tells_the_vswitch(esx_netflow, engine):
    assert esx_netflow("ifindex", 13, "--engine", engine).stdout == "13: vSwitch2 port 13 (switch ID 3)\n"
    assert esx_netflow("ifindex", 1015, "--engine", engine).stdout == "1015: vSwitch2 port 1015 (switch ID 3)\n"


def test_a_scenario_gives_its_own_names(esx_netflow, tmp_path):
    scenario = write(tmp_path, THIRD)
    done = esx_netflow("ifindex", 3 << 9 | 2, 1 << 9 | 2, 13 << 0, "--scenario", scenario)
    assert done.returncode == 2  # 13 has no switch ID
    assert done.stdout == (
        "1538: esx1 test2 port 2 (a.eth0)\n"
        "514: esx1 vSwitch0 port 2 (vmnic0)\n"
        "514: esx2 lonely port 2 (nothing was ever connected there)\n"
    )
    assert "13: no switch ID in it, so it was written without -p; --engine says which vSwitch" in done.stderr
    only = esx_netflow("ifindex", 3, "--engine", 3, "--scenario", scenario, "--host", "esx1")
    assert only.stdout == "3: esx1 test2 port 3 (b.eth0)\n"


def test_what_a_run_exported_with_dash_p_is_given_back(esx_netflow, tmp_path):
    scenario = write(tmp_path, THIRD)
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--captures", "--quiet")
    assert done.returncode == 0, done.stderr
    collected = esx_netflow("collect", "-r", tmp_path / "out" / "nf1.pcap").stdout
    rows = table(tmp_path / "out", "flows-collected.csv")
    assert rows
    for row in rows:
        number = int(row["engine"]) << 9 | int(row["input"])
        assert f" in {number} " in collected
        named = esx_netflow("ifindex", number, "--scenario", scenario, "--host", row["exporter"]).stdout
        assert named == f"{number}: esx1 {row['vswitch']} port {row['input']} ({row['input_port']})\n"


def test_zero_stands_for_no_single_port(esx_netflow):
    assert esx_netflow("ifindex", 0).stdout == "0: no port, or several: unknown, dropped or flooded\n"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["65536"], "65536"),
        (["-1"], "-1"),
        (["many"], "many"),
        ([], "number"),
        (["13"], "--engine says which vSwitch"),
        (["13", "--engine", "0"], "IDs count from 1"),
        (["13", "--engine", "256/1"], "TYPE/ID of 0 to 255"),
        (["13", "--engine", "-3"], "TYPE/ID of 0 to 255"),
        (["13", "--engine", "a/b"], "TYPE/ID of 0 to 255"),
        (["13", "--engine", "1/"], "TYPE/ID of 0 to 255"),
        (["1549", "--host", "esx1"], "--host goes with --scenario"),
        (["1549", "--scenario", str(QUICKSTART)], "1549: no vSwitch has the ID 3"),
        (["514", "--scenario", str(QUICKSTART), "--host", "esx9"], "did you mean 'esx1'?"),
        (["514", "--scenario", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_is_wrong_is_said(esx_netflow, arguments, said):
    done = esx_netflow("ifindex", *arguments)
    assert done.returncode == 2 and said in done.stderr, done
    assert "terminate" not in done.stderr and len(done.stderr.splitlines()) <= 2
