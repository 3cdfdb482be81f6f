# SPDX-License-Identifier: GPL-2.0-only
"""Expectations on flows, VMs, pairs, links, memory, and the ratio of two counters."""

import pytest
from labs import summary, table, write

LAB = """version: 1
name: metrics
run: {{duration: 60s, arp: static}}
hosts:
  esx1:
    memory: {{total: 8GiB}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{P: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: P, address: 10.0.0.1/24}}}}
    vms:
      a: {{nics: [{{portgroup: P, address: 10.0.0.11/24}}]}}
      b: {{nics: [{{portgroup: P, address: 10.0.0.12/24}}], memory: 7600MiB, reservation: 4GiB, touched: 4GiB}}
nodes:
  nf1: {{kind: collector, address: 10.0.0.9/24}}
  srv: {{kind: server, address: 10.0.0.20/24}}
  sw: {{kind: switch}}
links:
  - {{name: up, endpoints: [esx1:vmnic0, sw:1], rate: 10Mbps}}
  - {{endpoints: [nf1:eth0, sw:2]}}
  - {{name: half, endpoints: [srv:eth0, sw:3], duplex: half}}
traffic:
  - {{name: inside, app: udp-cbr, from: a, to: b, port: 5001, start: 3s, stop: 13s, rate: 160kbps, packet: 1000B}} \
# 20 a second
  - {{name: outside, app: udp-cbr, from: a, to: srv, port: 5002, start: 3s, stop: 13s, rate: 2Mbps, packet: 1000B}} \
# 250 a second
timeline:
  - {{at: 1s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 1s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9}}
  {step}
expect:
  - {{name: it, {expect}}}
"""
USE = (1000 + 28 + 14 + 24) * 8 * 250 / 10e6  # of the uplink, by outside alone
TRUE = {
    "a flow": "metric: flow.packets.metered, flow: '10.0.0.11:*->10.0.0.12:5001', equals: 200",
    "any source": "metric: flow.octets.collected, flow: '*->10.0.0.12', equals: 205600",
    "a port": "metric: flow.records.metered, flow: '10.0.0.11->*:5002', equals: 1",
    "all of a VM": "metric: flow.packets.collected_ratio, vm: b, equals: 1",
    "a pair, told backwards": "metric: flow.packets.metered, pair: [srv, a], equals: 2500",
    "no record of a pair is lost": "metric: flow.records.lost, pair: [a, b], equals: 0",
    "the export is left": "metric: flow.records.left, flow: '10.0.0.1->10.0.0.9:2055', at_least: 1",
    "use": f"metric: link.use, link: up, from: esx1, during: 4s..12s, between: [{USE - 1e-4}, {USE + 1e-4}]",
    "of both directions the mean": f"metric: link.use, link: up, during: 4s..12s, between: [{USE / 2 - 1e-4}, "
        f"{USE / 2 + 1e-4}]",
    "frames": "metric: link.frames.sent, link: up, from: esx1, during: 4s..5s, equals: 250",
    "octets": "metric: link.octets.sent, link: up, from: esx1, during: 4s..5s, equals: 260500",
    "none waits": "metric: link.queue.high_water, link: up, from: sw, equals: 0",
    "free memory": "metric: memory.free_percent, between: [40, 60]",
    "the state": "metric: memory.state, host: esx1, equals: 0",
    "a ratio": "metric: netflow.octets.received, over: netflow.packets.received, between: [1000, 1028]",
    "a ratio of links": "metric: link.octets.sent, over: link.frames.sent, link: up, from: esx1, during: 4s..5s, "
        "equals: 1042",
}  # fmt: skip
FALSE = {
    "a flow that there is not": (
        "metric: flow.packets.lost, flow: '10.0.0.11->10.0.0.99', equals: 0",
        "no such flow was metered",
    ),
    "a use": ("metric: link.use, link: up, at_least: 0.9", ""),
    "a ratio of nothing": (
        "metric: netflow.records.dropped, over: netflow.records.lost, at_most: 1",
        "nothing to take a part of",
    ),
}
REFUSED = {
    "two selections": (
        "metric: flow.packets.lost, vm: a, flow: '*->*', equals: 0",
        "flows are selected by one of: flow, vm, pair",
    ),
    "an unknown VM": ("metric: flow.packets.lost, vm: c, equals: 0", "'c' is no VM, server or collector"),
    "an unknown end": (
        "metric: flow.packets.lost, pair: [a, aa], equals: 0",
        "'aa' is no VM, server or collector; allowed: a, b, nf1, srv",
    ),
    "no flow": ("metric: flow.packets.lost, flow: a-b, equals: 0", "SOURCE[:PORT]->DESTINATION[:PORT]"),
    "a link for a flow": (
        "metric: flow.packets.lost, link: up, equals: 0",
        "flow.packets.lost cannot be selected by link",
    ),
    "a VM for a link": ("metric: link.use, vm: a, equals: 0", "link.use cannot be selected by vm"),
    "an unknown link": ("metric: link.use, link: upp, equals: 0", "did you mean 'up'"),
    "an end that is none": ("metric: link.use, link: up, from: nf1, equals: 0", "no full-duplex link is meant"),
    "half duplex": ("metric: link.use, link: half, equals: 0", "no full-duplex link is meant"),
    "a ratio of a level": (
        "metric: memory.ballooned, over: link.frames.sent, equals: 0",
        "memory.ballooned is no counter",
    ),
    "over what": ("metric: link.frames.sent, over: link.frames.sentt, equals: 0", "did you mean 'link.frames.sent'"),
    "over beside a check": ("check: conservation, over: link.frames.sent", "'over' does not go with"),
}


def lab(expect: str, step: str = "") -> str:
    return LAB.format(expect=expect, step=step)


@pytest.mark.parametrize("what", TRUE)
def test_a_metric_is_what_the_lab_makes_it(esx_netflow, tmp_path, what):
    done = esx_netflow("run", write(tmp_path, lab(TRUE[what])), "--out", tmp_path / "out", "-q", cwd=tmp_path)
    assert done.returncode == 0, (done, summary(tmp_path / "out")["expectations"])


@pytest.mark.parametrize("what", FALSE)
def test_an_expectation_that_does_not_hold_fails(esx_netflow, tmp_path, what):
    expect, why = FALSE[what]
    done = esx_netflow("run", write(tmp_path, lab(expect)), "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1 and why in done.stdout, done


@pytest.mark.parametrize("what", REFUSED)
def test_labels_that_make_no_sense_are_refused_with_their_place(esx_netflow, tmp_path, what):
    expect, why = REFUSED[what]
    done = esx_netflow("validate", write(tmp_path, lab(expect)))
    assert done.returncode == 2 and why in done.stderr and "lab.yaml:28:" in done.stderr, done


def test_memory_is_a_series_and_its_state_an_expectation(esx_netflow, tmp_path):
    text = lab("metric: memory.ballooned, at_least: 1", "- {at: 5s, vm: b, grow: {to: 7600MiB, per_second: 200MiB}}")
    assert esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "-q", cwd=tmp_path).returncode == 0
    rows = table(tmp_path / "out", "series.csv")
    assert {"high", "soft"} <= {row["memory_state"] for row in rows}
    free = [int(row["memory_free"]) for row in rows]
    assert (
        free[0] > 400
        and min(free) < 60
        and max(int(row["memory_ballooned"]) for row in rows) > 0 == int(rows[0]["memory_ballooned"])
    )


def test_without_a_memory_nothing_is_asked_of_it(esx_netflow, tmp_path):
    text = (
        lab("metric: memory.state, equals: 0")
        .replace("    memory: {total: 8GiB}\n", "")
        .replace(", memory: 7600MiB, reservation: 4GiB, touched: 4GiB", "")
    )
    done = esx_netflow("validate", write(tmp_path, text))
    assert done.returncode == 2 and "the memory of esx1 is not modelled" in done.stderr


def test_sizes_of_requests_and_responses_are_drawn_for_each(esx_netflow, tmp_path):
    text = lab("check: conservation").replace(
        "{name: inside, app: udp-cbr, from: a, to: b, port: 5001, start: 3s, stop: 13s, rate: 160kbps, packet: 1000B}",
        "{name: web, app: tcp-request, from: a, to: b, port: 80, start: 3s, stop: 13s, every: 100ms, request: "
        "uniform(8B 900B), response: pareto(2kB 1.5)}",
    )
    assert esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "-q", cwd=tmp_path).returncode == 0
    rows = table(tmp_path / "out", "flows-truth.csv")
    assert (
        len({row["octets"] for row in rows if row["dport"] == "80"}) > 20
        and len({row["octets"] for row in rows if row["sport"] == "80"}) > 50
    )
    for key, value in (("request", "7B"), ("response", "gauss(1kB)")):
        done = esx_netflow(
            "validate",
            write(
                tmp_path,
                lab("check: conservation").replace(
                    "app: udp-cbr, from: a, to: b, port: 5001, start: 3s, stop: 13s, rate: 160kbps, packet: 1000B",
                    f"app: tcp-request, from: a, to: b, {key}: {value}",
                ),
            ),
        )
        assert done.returncode == 2 and f"traffic[0].{key}" in done.stderr
