# SPDX-License-Identifier: GPL-2.0-only
"""Traffic of kinds pcap and flows: frames enter a port past the guests' IP stacks."""

import json
from collections import Counter
from pathlib import Path

import pytest
from labs import summary, table, write
from oracle.building import ethernet, ipv4, pcap, udp
from oracle.capture import read_capture
from oracle.flowtruth import SECOND_NS, FlowKey, truth_of_capture

TESTS = Path(__file__).parent.parent
CAPTURE = TESTS / "data" / "differential_input_a.pcap"

LAB = """
version: 1
name: injected
run: {{duration: {duration}}}
hosts:
  esx1:
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VM Network, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: VM Network, address: 10.6.125.51/24}}]}}
      b: {{nics: [{{portgroup: VM Network, address: 10.6.125.52/24}}]}}
      c: {{nics: [{{portgroup: VM Network, address: 10.6.125.53/24}}]}}
nodes:
  sw1: {{kind: switch}}
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{endpoints: [esx1:vmnic0, sw1:1]}}
  - {{endpoints: [nf1:eth0, sw1:2]}}
traffic:
  - {traffic}
timeline:
  - {{at: 100ms, host: esx1, run: vmkload_mod netflow}}
  - {{at: 500ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}}
"""
FLOWS = (
    "{name: t, app: flows, from: a, to: [b, c], start: 1s, stop: 20s, flows: 500, every: exponential(10ms), protocol: "
    "tcp, port: 80, "
    "flow_duration: pareto(100ms 1.1), flow_packets: uniform(1 20), packet_size: uniform(40B 1500B)}"
)


def lab(traffic, duration="60s"):
    return LAB.format(traffic=traffic, duration=duration)


@pytest.fixture
def run(esx_netflow, tmp_path):
    def do(text, *options):
        done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", *options, cwd=tmp_path)
        assert done.returncode == 0, done
        return tmp_path / "out"

    return do


def test_what_only_injects_frames_takes_no_part_in_static_arp(run):
    folder = run(lab(FLOWS).replace("run: {", "run: {arp: static, "))
    assert len(table(folder, "flows-truth.csv")) > 500


def test_an_injected_capture_gives_the_records_that_its_packets_make(run):
    folder = run(lab(f"{{name: t, app: pcap, from: a, to: b, start: 1s, file: {CAPTURE}}}", duration="900s"))
    packets = read_capture(CAPTURE)
    truth = truth_of_capture(packets, boot_ns=packets[0].time_ns - SECOND_NS)
    truth.run_until(899 * SECOND_NS)
    expected = Counter(record.counts() for record in truth.records())
    assert sum(expected.values()) == 8

    def row(line):
        flow = (int(line[name]) for name in ("proto", "sport", "dport", "tos"))
        counts = (int(line[name]) for name in ("packets", "octets", "first_ms", "last_ms", "tcp_flags"))
        return (FlowKey("", "", line["src"], line["dst"], *flow, 0), *counts)

    injected = [line for line in table(folder, "flows-exported.csv") if line["input_port"] == "a.eth0"]
    assert Counter(map(row, injected)) == expected


def test_an_injected_capture_keeps_its_source_addresses(run, tmp_path):
    sources = [bytes(6), bytes.fromhex("001122334455")]  # a capture of a loopback interface has zeros
    frames = [ethernet(ipv4(udp(data=b"x" * 100))) for _ in sources]
    captured = [(n, frame[:6] + source + frame[12:]) for n, (frame, source) in enumerate(zip(frames, sources))]
    (tmp_path / "in.pcap").write_bytes(pcap(captured))
    folder = run(lab("{name: t, app: pcap, from: a, to: b, start: 1s, file: in.pcap}"), "--captures")
    (port,) = {row["input"] for row in table(folder, "flows-truth.csv") if row["input_port"] == "a.eth0"}
    entered = [packet.data for packet in read_capture(folder / f"esx1-vSwitch0-{port}.pcap")]
    assert [data[6:12] for data in entered] == sources
    without_checksum = [data[12:24] + data[26:] for data in entered]  # the capture's is filled in
    assert without_checksum == [frame[12:24] + frame[26:] for frame in frames]


def test_flows_begin_by_the_hours(run):
    hours = [1, 0, 2] + 21 * [1]
    text = "{{name: t, app: flows, from: a, to: b, start: 1s, every: 60s, flow_packets: 1, hours: {}}}"
    folder = run(lab(text.format(hours), duration="182min"))
    begins = Counter(
        int(line["first_ms"]) // 3_600_000
        for line in table(folder, "flows-exported.csv")
        if line["input_port"] == "a.eth0"
    )
    assert begins[0] == 60
    assert begins[1] == 0
    assert begins[2] == 120


def test_each_vms_octets_of_a_day_are_collected(run, esx_netflow, tmp_path):
    """The first two hours of bench/a-day.yaml, which bench/day.sh runs as a whole."""
    text = (TESTS.parent / "bench" / "a-day.yaml").read_text().replace("1442min", "122min").replace("1441min", "121min")
    folder = run(text)
    done = esx_netflow("talkers", folder, "--last", "2h", "--top", "0", "--format", "json", cwd=tmp_path)
    vms = [talker for talker in json.loads(done.stdout)["talkers"] if ":" not in talker["name"]]
    assert len(vms) == 16
    for vm in vms:
        assert vm["octets"]["collected"] == vm["octets"]["truth"] > 10_000_000


def test_flows_are_as_many_and_as_long_as_asked_for(run):
    folder = run(lab(FLOWS))
    flows = [row for row in table(folder, "flows-truth.csv") if row["input_port"] == "a.eth0"]
    assert len(flows) == 500
    assert {row["dst"] for row in flows} == {"10.6.125.52", "10.6.125.53"}
    assert all(1 <= int(row["packets"]) <= 20 for row in flows)
    assert sum(row["src"] == "10.6.125.51" for row in flows) == 500


def test_stack_traffic_goes_on_at_a_vm_with_injected_traffic(run):
    """The connections of b's stack are those of a lab without the flood, to the record."""
    other = "{name: u, app: tcp-request, from: c, to: b, port: 3306, start: 2s, stop: 20s}"
    of_stack = []
    for traffic in (f"{FLOWS}\n  - {other}", other):
        folder = run(lab(traffic))
        of_stack.append(
            sorted(
                (r["src"], r["dport"], r["packets"], r["octets"])
                for r in table(folder, "flows-truth.csv")
                if "3306" in (r["dport"], r["sport"])
            )
        )
    assert len(of_stack[0]) == 36 and of_stack[0] == of_stack[1]


def test_stacks_stay_silent_and_resolve_nothing(run):
    folder = run(lab(FLOWS), "--captures")
    assert all(row["input_port"] in ("a.eth0", "vmk0", "vmnic0") for row in table(folder, "flows-truth.csv"))
    assert summary(folder)["ledger"]["ignored"].get("not_ipv4", {"packets": 0})["packets"] <= 4  # ARP for the collector


def test_equal_seeds_give_equal_traces_and_others_do_not(esx_netflow, tmp_path):
    path = write(tmp_path, lab(FLOWS))
    truths = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        esx_netflow("run", path, "--out", tmp_path / name, "--quiet", "--seed", seed, cwd=tmp_path)
        truths.append((tmp_path / name / "flows-truth.csv").read_text())
    assert truths[0] == truths[1] != truths[2]


@pytest.mark.parametrize(
    "traffic, message",
    [
        ("{name: t, app: pcap, from: a, to: b, file: no.pcap}", "no.pcap"),
        ("{name: t, app: pcap, from: a, to: b}", "'file' is missing"),
        (f"{{name: t, app: pcap, from: a, to: [b, c], file: {CAPTURE}}}", "a capture goes to one VM"),
        ("{name: t, app: flows, from: a, to: nf1}", "nf1 is a collector; injected frames go to VMs and servers"),
        ("{name: t, app: flows, from: a, to: b, flow_duration: gauss(1s)}", "'gauss' is none of"),
        (
            "{name: t, app: flows, from: a, to: b, flow_packets: uniform(9 1)}",
            "the first value must not be above the second",
        ),
        ("{name: t, app: flows, from: a, to: b, packet_size: uniform(1 9)}", "'1' has no unit that fits"),
        ("{name: t, app: flows, from: a, to: b, every: 0s}", "every"),
        ("{name: t, app: flows, from: a, to: b, hours: [1, 2]}", "hours"),
        ("{name: t, app: flows, from: a, to: b, hours: [%s]}" % ", ".join(24 * "0"), "no flow begins at any hour"),
        ("{name: t, app: udp-cbr, from: a, to: b, flow_packets: 3}", "flow_packets"),
    ],
)
def test_mistakes_are_told_with_their_place(esx_netflow, tmp_path, traffic, message):
    done = esx_netflow("validate", write(tmp_path, lab(traffic)), cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and "lab.yaml:" in done.stderr
