# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios with VLANs, teams, policies, rings and power steps, run as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

from labs import summary, table, write
from oracle.capture import read_capture
from oracle.netflow5 import read_collector_capture

TESTS = Path(__file__).parent.parent

LAB = """version: 1
name: lab
run: {{duration: 60s}}
hosts:
  esx1:
    vswitches:
      vSwitch0:
        uplinks: {uplinks}
        {vswitch}
        portgroups: {{VMkernel: {{}}, VM Network: {{{group}}}, Prod-101: {{vlan: 101}}}}
    vmknics: {{vmk0: {{portgroup: VMkernel, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: VM Network, address: 10.6.125.51/24}}]}}
      b: {{nics: [{{portgroup: VM Network, address: 10.6.125.52/24{nic}}}]}}
      web: {{nics: [{{portgroup: Prod-101, address: 10.1.101.11/24}}]}}
  esx2:
    vswitches:
      vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}, Prod-101: {{vlan: 101}}}}}}
    vms:
      c: {{nics: [{{portgroup: VM Network, address: 10.6.125.61/24}}]}}
      db: {{nics: [{{portgroup: Prod-101, address: 10.1.101.21/24}}]}}
nodes:
  sw1: {{kind: switch, ports: {ports}}}
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{name: first, endpoints: [esx1:vmnic0, sw1:1]}}
  - {{endpoints: [esx2:vmnic0, sw1:3]}}
  - {{name: collector-link, endpoints: [nf1:eth0, sw1:4]}}
{links}
traffic:
  - {{name: inside, app: udp-cbr, from: a, to: b, port: 5001, start: 3s, stop: 30s, rate: {rate}, packet: {packet}}}
  - {{name: outside, app: udp-cbr, from: a, to: c, port: 5002, start: 3s, stop: 30s}}
  - {{name: tagged, app: udp-cbr, from: web, to: db, port: 5003, start: 3s, stop: 30s}}
timeline:
  - {{at: 1s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}}
  - {{at: 1s, host: esx2, run: vmkload_mod netflow}}
{timeline}
expect:
  - {{name: every packet is accounted for, check: conservation}}
  - {{name: nothing is lost on the way, metric: netflow.records.lost, equals: 0}}
{expect}
"""
TRUNKS = "{1: {mode: trunk}, 2: {mode: trunk}, 3: {mode: trunk, allowed: [1, 101]}}"
TAGGED_ARRIVES = (
    "  - {name: tagged traffic comes to esx2, metric: vswitch.frames.out, host: esx2, during: 10s..20s, at_least: 750}"
)


def lab(**parts) -> str:
    defaults = {
        "uplinks": "[vmnic0]",
        "vswitch": "ports: 56",
        "group": "",
        "nic": "",
        "ports": TRUNKS,
        "links": "",
        "rate": "64kbps",
    }
    return LAB.format(**{**defaults, "packet": "200B", "timeline": "", "expect": "", **parts})


def run(esx_netflow, folder: Path, text: str, *options, code=0):
    done = esx_netflow("run", write(folder, text), "--out", folder / "out", "--quiet", *options, cwd=folder)
    assert done.returncode == code, done
    return folder / "out"


def judge(folder: Path):
    """The oracle's: every loss found, from the captures alone."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "oracle", folder], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def outputs(folder: Path, dport: int) -> list[str]:
    rows = [row for row in table(folder, "flows-exported.csv") if row["dport"] == str(dport)]
    return [row["output_port"] for row in sorted(rows, key=lambda row: float(row["first_ms"]))]


def test_vlans_reach_across_trunks(esx_netflow, tmp_path):
    folder = run(esx_netflow, tmp_path, lab(expect=TAGGED_ARRIVES), "--captures")
    judge(folder)
    assert outputs(folder, 5003) == ["vmnic0"]


def test_a_trunk_that_lacks_the_vlan_cuts_it_off(esx_netflow, tmp_path):
    ports = "{1: {mode: trunk}, 3: {mode: trunk, allowed: [1, 102]}}"
    folder = run(esx_netflow, tmp_path, lab(ports=ports, expect=TAGGED_ARRIVES), code=1)
    failed = [e["name"] for e in summary(folder)["expectations"] if not e["pass"]]
    assert failed == ["tagged traffic comes to esx2", "all traffic is sent"]


def test_failover_moves_the_next_record_to_the_other_uplink(esx_netflow, tmp_path):
    text = lab(
        uplinks="[vmnic0, vmnic1]",
        vswitch="teaming: {policy: explicit, active: [vmnic0], standby: [vmnic1]}",
        links="  - {name: second, endpoints: [esx1:vmnic1, sw1:2]}",
        timeline="  - {at: 10s, link: first, down: true}",
    )
    text = text.replace("  esx1:\n", "  esx1:\n    netflow: {active_timeout: 10s}\n")
    folder = run(esx_netflow, tmp_path, text, "--captures")
    judge(folder)
    found = outputs(folder, 5002)
    assert found[0] == "vmnic0", "the record of the first packet's uplink"
    assert set(found[1:]) == {"vmnic1"}
    assert len(found) >= 3


def test_machine_that_is_switched_off_and_on_has_a_new_port(esx_netflow, tmp_path):
    timeline = "  - {at: 10s, vm: a, power: off}\n  - {at: 20s, vm: a, power: on}\n"
    timeline += "  - {at: 25s, vm: b, nic: eth0, connected: false}\n  - {at: 26s, vm: b, connected: true}"
    folder = run(esx_netflow, tmp_path, lab(timeline=timeline), "--captures")
    judge(folder)
    rows = [row for row in table(folder, "flows-truth.csv") if row["dport"] == "5001"]
    assert {row["input_port"] for row in rows} == {"a.eth0"}
    assert len({row["input"] for row in rows}) == 2
    ports = [line.split()[3] for line in (folder / "esx1.esxtop.txt").read_text().splitlines()[1:]]
    assert ports.count("a.eth0") == 2 and ports.count("b.eth0") == 2


def test_shaping_and_rings_drop_with_their_causes(esx_netflow, tmp_path):
    expect = """  - {name: shaper, metric: vswitch.frames.dropped, cause: shaping, host: esx1, at_least: 100}
  - {name: ring, metric: vswitch.frames.dropped, cause: rx_ring, host: esx1, at_least: 10}"""
    group = "shaping: {average: 1Mbps, peak: 10Mbps, burst: 10kB}"
    nic = ", type: vlance, guest_rate: 500kbps"
    folder = run(
        esx_netflow, tmp_path, lab(group=group, nic=nic, rate="2Mbps", packet="1000B", expect=expect), "--captures"
    )
    judge(folder)


def test_jumbo_frames_pass_where_the_mtu_allows(esx_netflow, tmp_path):
    text = lab(vswitch="mtu: 9000", packet="8000B", rate="640kbps").replace("a: {nics", "a: {mtu: 9000, nics")
    folder = run(esx_netflow, tmp_path, text, "--captures")
    judge(folder)
    row = next(row for row in table(folder, "flows-truth.csv") if row["dport"] == "5001")
    assert int(row["octets"]) == 8028 * int(row["packets"]), "no fragments"


def test_policies_are_told_as_they_are_resolved(esx_netflow, tmp_path):
    text = lab(group="security: {promiscuous: accept, forged_transmits: reject}", nic=", promiscuous: true")
    folder = run(esx_netflow, tmp_path, text)
    assert "forged_transmits: reject" in (folder / "resolved.yaml").read_text()
    again = esx_netflow("validate", folder / "resolved.yaml")
    assert again.returncode == 0, again


def test_port_ids_above_511_share_interface_numbers_under_dash_p(esx_netflow, tmp_path):
    scenario = TESTS.parent / "scenarios" / "port-aliasing.yaml"
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--captures", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done
    capture = read_collector_capture(read_capture(tmp_path / "out" / "nf-collector1.pcap"), 2055)
    numbers = {"5001": {}, "5002": {}}
    for record in (record for datagram in capture.datagrams for record in datagram.records):
        if str(record.dport) in numbers:
            numbers[str(record.dport)].setdefault(record.src, set()).add(record.input)
    assert numbers["5001"] == {"10.6.125.51": {4}, "10.6.125.53": {516}}
    assert numbers["5002"] == {"10.6.125.51": {516}, "10.6.125.53": {516}}, (
        "web1 is 1 * 512 + 4, web2 1 * 512 + 516 % 512"
    )
    log = (tmp_path / "out" / "esx1.vmkernel.log").read_text()
    assert log.count("port 516 of virtual switch 1 does not fit") == 1, log
