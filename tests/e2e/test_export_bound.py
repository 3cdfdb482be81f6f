# SPDX-License-Identifier: GPL-2.0-only
"""The least loss that validate expects of the links is an oracle: in steady spans a run loses as much or more, and nothing where all fits."""
import json

import pytest
from labs import SCENARIOS, write

LAB = """version: 1
name: bound
run: {{duration: 40s}}
hosts:
  esx1:
    netflow: {{idle_timeout: 1s}}
    memory: {{netflow_heap: 16MiB}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0, vmnic1], portgroups: {{P: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: P, address: 10.0.0.1/24}}}}
    vms:
      a: {{nics: [{{portgroup: P, address: 10.0.0.11/24}}]}}
      b: {{nics: [{{portgroup: P, address: 10.0.0.12/24}}]}}
  esx2:
    netflow: {{idle_timeout: 1s}}
    memory: {{netflow_heap: 16MiB}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{P: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: P, address: 10.0.0.2/24}}}}
    vms:
      c: {{nics: [{{portgroup: P, address: 10.0.0.21/24}}]}}
      d: {{nics: [{{portgroup: P, address: 10.0.0.22/24}}]}}
nodes:
  sw1: {{kind: switch}}
  sw2: {{kind: switch}}
  nf1: {{kind: collector, address: 10.0.0.9/24}}
links:
  - {{name: up1, endpoints: [esx1:vmnic0, sw1:1]}}
  - {{name: up2, endpoints: [esx1:vmnic1, sw1:2]}}
  - {{name: backbone, endpoints: [sw1:3, sw2:1], rate: {backbone}, queue: {queue}}}
  - {{name: up3, endpoints: [esx2:vmnic0, sw2:2]}}
  - {{name: last, endpoints: [nf1:eth0, sw2:3], rate: {last}, queue: {queue}}}
traffic: {traffic}
timeline:
  - {{at: 0s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 0s, host: esx2, run: vmkload_mod netflow}}
  - {{at: 0s, host: esx1, id: n1, may_be_idle: true, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9}}
  - {{at: 0s, host: esx2, may_be_idle: true, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.9}}
{steps}
expect:
{expect}
"""
SCAN = "{{name: {0}, app: tcp-syn-scan, from: {0}, to: {1}, ports: 1-60000, every: {2}}}"
FLOWS = "{{name: {0}, app: flows, from: {0}, to: {1}, every: {2}, flow_packets: 3, flow_duration: 200ms}}"
PLENTY = {"backbone": "100Mbps", "last": "100Mbps", "queue": "100p", "traffic": "[" + SCAN.format("a", "b", "5ms") + "]", "steps": "", "expect": ""}


def forecast(esx_netflow, path):
    done = esx_netflow("validate", "--json", path)
    return json.loads(done.stdout)["lab"]["forecast"]


def judged(esx_netflow, tmp_path, lab):
    """Runs a lab and holds it to its own forecast. -> the forecast"""
    spans = forecast(esx_netflow, write(tmp_path, LAB.format(**{**lab, "expect": "  - {name: all, check: conservation}"})))
    expect = ["  - {name: all, check: conservation}"]
    for i, span in enumerate(spans):
        during = f"during: {span['begin_s'] * 1000:.0f}ms..{span['end_s'] * 1000:.0f}ms"
        if span["verdict"] == "loss":
            expect.append(f"  - {{name: bound {i}, metric: collector.records.lost_ratio, {during}, at_least: {span['least_loss']}}}")
        elif span["verdict"] == "none":
            expect.append(f"  - {{name: nothing {i}, metric: netflow.records.lost, {during}, equals: 0}}")
            expect.append(f"  - {{name: no drop {i}, metric: netflow.records.dropped, {during}, equals: 0}}")
    done = esx_netflow("run", write(tmp_path, LAB.format(**{**lab, "expect": "\n".join(expect)})), "-o", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    return spans


def steady(spans):
    """The span in the middle of the traffic."""
    return next(span for span in spans if span["begin_s"] <= 20 < span["end_s"])


SQUEEZED = {
    "collector link": ({"last": "64kbps"}, ["last"], 1 - 159 / 400),
    "backbone": ({"backbone": "64kbps"}, ["backbone"], 1 - 159 / 400),
    "short queue": ({"last": "64kbps", "queue": "3p"}, ["last"], 1 - 159 / 400),
    "injected flows": ({"last": "64kbps", "traffic": "[" + FLOWS.format("a", "b", "2ms") + "]"}, ["last"], 1 - 159 / 500),
    "two hosts": ({"last": "128kbps", "traffic": f"[{SCAN.format('a', 'b', '5ms')}, {SCAN.format('c', 'd', '10ms')}]"}, ["last"], 1 - 318 / 600),
    "one of two hosts": ({"backbone": "64kbps", "traffic": f"[{SCAN.format('a', 'b', '5ms')}, {SCAN.format('c', 'd', '10ms')}]"}, ["backbone"], 1 - 359 / 600),
    "between hosts": ({"last": "64kbps", "traffic": "[" + SCAN.format("a", "c", "5ms") + "]"}, ["last"], 1 - 159 / 800),
    "an episode": ({"steps": "  - {at: 10s, for: 20s, link: last, set: {rate: 64kbps}}"}, ["last"], 1 - 159 / 400),
}


@pytest.mark.parametrize("lab", SQUEEZED)
def test_a_run_loses_at_least_what_is_expected_of_the_bottleneck(esx_netflow, tmp_path, lab):
    changes, bottleneck, ratio = SQUEEZED[lab]
    span = steady(judged(esx_netflow, tmp_path, {**PLENTY, **changes}))
    assert (span["verdict"], span["bottleneck"]) == ("loss", bottleneck)
    # what queues can hold is taken off
    assert max(0, ratio - 0.45) < span["least_loss"] < ratio
    assert 1 - span["carried_records_per_s"] / span["least_records_per_s"] == pytest.approx(ratio, abs=0.01)


ROOMY = {
    "plenty": {},
    "slow, but not too slow": {"last": "256kbps"},
    "two hosts": {"last": "512kbps", "traffic": f"[{SCAN.format('a', 'b', '5ms')}, {SCAN.format('c', 'd', '10ms')}]"},
    "voice beside it": {"traffic": "[{name: voice, app: udp-cbr, from: a, to: c, rate: 64kbps}]"},
}


@pytest.mark.parametrize("lab", ROOMY)
def test_nothing_is_lost_where_links_and_queues_suffice(esx_netflow, tmp_path, lab):
    spans = judged(esx_netflow, tmp_path, {**PLENTY, **ROOMY[lab]})
    assert steady(spans)["verdict"] == "none" and all(span["verdict"] == "none" for span in spans)


UNSURE = {
    "random": ("not_checked", "traffic web is random", {"traffic": "[{name: web, app: tcp-request, from: a, to: b, every: exponential(10ms)}]"}),
    "random flows": ("not_checked", "traffic a is random", {"traffic": "[" + FLOWS.format("a", "b", "4ms").replace("200ms", "exponential(1s)") + "]"}),
    "a line that kills": ("not_checked", "a console line or key may end net-netflow on esx1", {"steps": "  - {at: 10s, host: esx1, run: kill 1025}"}),
    "pressure": ("not_checked", "the memory of esx1 is short", {"steps": "  - {at: 10s, host: esx1, memory_pressure: {netflow_heap: 400KiB}}"}),
    "queue": ("possible", "a poll sends 15 datagrams at once, and 5 can wait at link backbone", {"queue": "5p"}),
    "traffic that takes all": ("possible", "traffic bulk may fill link up1", {"traffic": "[{name: bulk, app: tcp-bulk, from: a, to: c}]"}),
    "frames lost": ("possible", "link last loses, doubles or delays frames", {"steps": "  - {at: 10s, link: last, set: {loss: 0.01}}"}),
    "purgatory": ("possible", "purgatory of esx1 is short for 5001 records between two polls", {"traffic": "[" + FLOWS.format("a", "b", "200us") + "]"}),
}


@pytest.mark.parametrize("lab", UNSURE)
def test_what_is_not_known_is_said_and_not_guessed(esx_netflow, tmp_path, lab):
    verdict, reason, changes = UNSURE[lab]
    path = write(tmp_path, LAB.format(**{**PLENTY, **changes, "expect": "  - {name: all, check: conservation}"}))
    span = steady(forecast(esx_netflow, path))
    assert (span["verdict"], span["reason"]) == (verdict, reason)
    text = esx_netflow("validate", path).stdout
    assert ("loss not checked: " if verdict == "not_checked" else "loss is possible: ") in text and reason in text


def test_parallel_uplinks_are_no_single_points_of_failure(esx_netflow, tmp_path):
    path = write(tmp_path, LAB.format(**{**PLENTY, "expect": "  - {name: all, check: conservation}"}))
    lab = json.loads(esx_netflow("validate", "--json", path).stdout)["lab"]
    assert [export["single_points_of_failure"] for export in lab["exports"]] == [["sw1", "backbone", "sw2", "last"], ["up3", "sw2", "last"]]
    assert lab["exports"][0]["links"] == ["up1", "backbone", "last"] and lab["exports"][0]["delay_ns"] == 15000
    assert lab["capacity"] == {"bits_per_s": 100e6, "links": ["last"]}


def test_while_the_way_is_cut_no_link_is_to_blame(esx_netflow):
    done = esx_netflow("validate", SCENARIOS / "collector-down-and-back.yaml")
    assert "80.5s to 100.5s: at least 100 % of the records are lost: 50 records/s are planned, and no link leads there meanwhile\n" in done.stderr
