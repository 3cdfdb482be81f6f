# SPDX-License-Identifier: GPL-2.0-only
"""The links bound what can arrive: a run loses at least the rest of what was exported, random traffic or not."""

import json
import random
import re

import pytest
from labs import write

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
      e: {{nics: [{{portgroup: P, address: 10.0.0.23/24}}]}}
      f: {{nics: [{{portgroup: P, address: 10.0.0.24/24}}]}}
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
PLENTY = {
    "backbone": "100Mbps",
    "last": "100Mbps",
    "queue": "100p",
    "traffic": "[" + SCAN.format("a", "b", "5ms") + "]",
    "steps": "",
    "expect": "",
}


def bound_of(esx_netflow, tmp_path, text):
    """Runs a lab, which exits with 4 where it loses less than its links allow. -> the bound"""
    done = esx_netflow("run", write(tmp_path, text), "-q", "-o", tmp_path / "out")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    bound = json.loads((tmp_path / "out" / "summary.json").read_text())["bound"]
    assert bound["least_lost_octets"] <= bound["lost_octets"] <= bound["sent_octets"]
    return bound


def lab(changes):
    return LAB.format(**{**PLENTY, "expect": "  - {name: all, check: conservation}", **changes})


SQUEEZED = {
    "collector link": ({"last": "64kbps"}, ["last"]),
    "backbone": ({"backbone": "64kbps"}, ["backbone"]),
    "short queue": ({"last": "64kbps", "queue": "3p"}, ["last"]),
    "injected flows": ({"last": "64kbps", "traffic": "[" + FLOWS.format("a", "b", "2ms") + "]"}, ["last"]),
    "two hosts": (
        {"last": "128kbps", "traffic": f"[{SCAN.format('a', 'b', '5ms')}, {SCAN.format('c', 'd', '10ms')}]"},
        ["last"],
    ),
    "one of two hosts": (
        {"backbone": "64kbps", "traffic": f"[{SCAN.format('a', 'b', '5ms')}, {SCAN.format('c', 'd', '10ms')}]"},
        ["backbone"],
    ),
    "between hosts": ({"last": "64kbps", "traffic": "[" + SCAN.format("a", "c", "5ms") + "]"}, ["last"]),
    "an episode": ({"steps": "  - {at: 10s, for: 20s, link: last, set: {rate: 64kbps}}"}, ["last"]),
}


@pytest.mark.parametrize("name", SQUEEZED)
def test_a_run_loses_what_its_bottleneck_cannot_carry(esx_netflow, tmp_path, name):
    changes, links = SQUEEZED[name]
    bound = bound_of(esx_netflow, tmp_path, lab(changes))
    assert bound["links"] == links
    # the link had nothing to send before the first export, nor, behind a short queue, between two polls
    assert bound["least_lost_octets"] > 0.8 * bound["lost_octets"] > 0.1 * bound["sent_octets"]


ROOMY = {
    "plenty": {},
    "slow, but not too slow": {"last": "256kbps"},
    "two hosts": {"last": "512kbps", "traffic": f"[{SCAN.format('a', 'b', '5ms')}, {SCAN.format('c', 'd', '10ms')}]"},
    "voice beside it": {"traffic": "[{name: voice, app: udp-cbr, from: a, to: c, rate: 64kbps, stop: 20s}]"},
}


@pytest.mark.parametrize("name", ROOMY)
def test_links_that_suffice_bound_nothing(esx_netflow, tmp_path, name):
    bound = bound_of(esx_netflow, tmp_path, lab(ROOMY[name]))
    assert bound["sent_octets"] > 0 and (bound["least_lost_octets"], bound["links"]) == (0, [])


def test_the_summary_says_the_bound_in_a_line(esx_netflow, tmp_path):
    squeezed = write(tmp_path, lab({"last": "64kbps"}), "a.yaml")
    text = esx_netflow("run", squeezed, "-o", tmp_path / "out").stdout
    assert re.search(
        r"of [\d\s]+ octets exported the links must lose at least [\d\s]+ \(last\); [\d\s]+ were lost\n", text
    ), text
    text = esx_netflow("run", write(tmp_path, lab({}), "b.yaml"), "-o", tmp_path / "b").stdout
    assert re.search(r"of [\d\s]+ octets exported the links can carry all; 0 were lost\n", text), text


def random_lab(seed):
    """Any network of any state: rates, queues, traffic, episodes that overlap or touch, a spanning tree, tiny spans."""
    rng = random.Random(seed)
    rates = ["16kbps", "64kbps", "256kbps", "10Mbps", "1Gbps"]
    links = ["up1", "up2", "backbone", "up3", "last"]
    traffic = rng.sample(
        [
            SCAN.format("a", "b", rng.choice(["5ms", "20ms"])),
            FLOWS.format("e", "f", "exponential(10ms)"),
            f"{{name: web, app: tcp-request, from: a, to: d, every: exponential(50ms), start: {rng.randrange(1, 9)}s}}",
            "{name: voice, app: udp-cbr, from: b, to: c, rate: 64kbps, start: 4s, stop: 9s}",
            "{name: bulk, app: tcp-bulk, from: a, to: c, size: 200KiB}",
        ],
        rng.randrange(1, 4),
    )
    steps, free = [], {}
    for _ in range(rng.randrange(8)):
        link, kind = (
            rng.choice(links),
            rng.choice(
                [
                    "down: true",
                    f"set: {{rate: {rng.choice(rates)}}}",
                    "set: {loss: 0.2}",
                    "set: {duplicate: 0.3}",
                    "set: {delay: 300ms}",
                ]
            ),
        )
        begin = max(free.get((link, kind[:4]), 0), rng.randrange(1000, 14000))
        length = rng.choice([1, 40, 1000, 5000])
        free[link, kind[:4]] = begin + length + rng.choice([0, 1])
        steps.append((begin, f"  - {{at: {begin}ms, for: {length}ms, link: {link}, {kind}}}"))
    text = lab(
        {
            "backbone": rng.choice(rates),
            "last": rng.choice(rates),
            "queue": rng.choice(["1p", "5p", "100p"]),
            "traffic": f"[{', '.join(traffic)}]",
            "steps": "\n".join(step for _, step in sorted(steps)),
        }
    )
    return (
        text.replace("run: {duration: 40s}", f"run: {{duration: 15s, seed: {seed}}}")
        .replace("may_be_idle: true, ", "may_be_idle: true, expect: {exit: any}, ")
        .replace("name: up1, ", f"name: up1, rate: {rng.choice(rates)}, ")
    )


@pytest.mark.parametrize("seed", [*range(1, 13), 107])
def test_the_bound_is_never_above_the_loss(esx_netflow, tmp_path, seed):
    assert bound_of(esx_netflow, tmp_path, random_lab(seed))["sent_octets"] > 0


def test_parallel_uplinks_are_no_single_points_of_failure(esx_netflow, tmp_path):
    path = write(tmp_path, LAB.format(**{**PLENTY, "expect": "  - {name: all, check: conservation}"}))
    lab = json.loads(esx_netflow("validate", "--json", path).stdout)["lab"]
    assert [export["single_points_of_failure"] for export in lab["exports"]] == [
        ["sw1", "backbone", "sw2", "last"],
        ["up3", "sw2", "last"],
    ]
    assert lab["exports"][0]["links"] == ["up1", "backbone", "last"] and lab["exports"][0]["delay_ns"] == 15000
    assert lab["capacity"] == {"bits_per_s": 100e6, "links": ["last"]}


def test_constant_traffic_that_a_link_cannot_carry_is_told_before_the_run(esx_netflow, tmp_path):
    voice = "{{name: {0}, app: udp-cbr, from: {0}, to: {1}, rate: 64kbps, packet: 160B, start: {2}s, stop: {3}s}}"
    for streams, told in {
        (
            ("a", "c", 1, 9),
            ("b", "c", 5, 9),
        ): "link backbone carries 100000 of 164800 bit/s that come to sw1:3 from a, b",
        (("a", "c", 1, 5), ("b", "c", 5, 9)): None,  # one after the other
        (("a", "c", 1, 9), ("d", "b", 1, 9)): None,  # each in its direction
        (("a", "b", 1, 9), ("b", "a", 1, 9)): None,  # within the host
    }.items():
        text = lab({"backbone": "100kbps", "traffic": f"[{', '.join(voice.format(*stream) for stream in streams)}]"})
        done = esx_netflow("validate", write(tmp_path, text))
        assert (
            done.returncode == 0 and ("bit/s that come to" in done.stdout) == bool(told) and (told or "") in done.stdout
        ), done.stdout
