# SPDX-License-Identifier: GPL-2.0-only
"""`fidelity: flow` gives the bytes of `fidelity: packet`. ESX_NETFLOW_FLOW_LABS=N compares N random labs, from
ESX_NETFLOW_FLOW_SEED on."""

import json
import os
import random
import re
from pathlib import Path

import pytest
from labs import SCENARIOS, contents, write

LABS = int(os.environ.get("ESX_NETFLOW_FLOW_LABS", 24))
SEED = int(os.environ.get("ESX_NETFLOW_FLOW_SEED", 1))
NAMES = [p.stem for p in sorted(Path(SCENARIOS).glob("*.yaml")) if "app: flows" in p.read_text()]


def results(esx_netflow, folder, text, fidelity):
    """-> the files of a run, but for what says how it was simulated"""
    folder.mkdir()
    scenario = write(folder, text.replace("app: flows,", f"app: flows, fidelity: {fidelity},"))
    done = esx_netflow("run", scenario, "-o", folder / "out", "--quiet")
    assert done.returncode in (0, 1), done.stderr + text
    files = contents(folder / "out")
    assert {"records.csv", "series.csv", "summary.json"} <= files.keys()
    return {
        name: without_share(octets) if name == "summary.json" else octets
        for name, octets in files.items()
        if name != "resolved.yaml"
    }


def without_share(octets: bytes) -> dict:
    summary = json.loads(octets)
    summary["traffic"].pop("flow_fidelity", None)
    return summary


def check_equal(esx_netflow, tmp_path, text):
    packet = results(esx_netflow, tmp_path / "packet", text, "packet")
    flow = results(esx_netflow, tmp_path / "flow", text, "flow")
    different = [name for name in packet.keys() | flow.keys() if packet.get(name) != flow.get(name)]
    assert not different, f"{different} in {tmp_path}"


@pytest.mark.parametrize("name", NAMES)
def test_scenarios_have_the_same_results(esx_netflow, tmp_path, name):
    check_equal(esx_netflow, tmp_path, Path(SCENARIOS, f"{name}.yaml").read_text())


def draw_flows(rng: random.Random, number: int) -> str:
    sender, receiver = rng.sample("abcd", 2)
    keys = {
        "start": f"{rng.choice([1, 2, 2.5])}s",
        "every": rng.choice(["1s", "100ms", "exponential(200ms)", "exponential(50ms)"]),
        "flow_duration": rng.choice(["1s", "20s", "0s", "1us", "exponential(5s)", '"uniform(1s, 40s)"', "30us"]),
        "flow_packets": rng.choice(["2", "5", "10", "100", "exponential(30)", "3000"]),
        "packet_size": rng.choice(
            ["500B", "60B", '"uniform(20B, 1500B)"', "exponential(400B)", "1500B", '"uniform(1000B, 1600B)"']
        ),
        "protocol": rng.choice(["udp", "tcp"]),
    }
    if keys["flow_packets"] == "3000":
        keys |= {"every": "1s", "together": "2"}
    optional = {
        "stop": f"{rng.choice([20, 33.3])}s",
        "flows": str(rng.choice([1, 7])),
        "together": str(rng.choice([2, 5])),
        "sources": "192.0.2.0/28",
        "again": "0.5",
        "dscp": "10",
        "port": "9",
        "answers": "{rtt: exponential(30ms), packets: exponential(20)}",
        "services": "[{protocol: tcp, port: 443, weight: 2}, {protocol: udp, port: 53, weight: 1}]",
        "hours": f"{[1, 0, 2, 0.5] * 6}, compress: 2000",
    }
    keys |= {key: optional[key] for key in optional if rng.random() < 0.2}
    if rng.random() < 0.3 and "services" not in keys:  # the same keys from two items
        keys |= {"start": "2s", "protocol": "udp"}
        sender, receiver = "a", "b"
    return (
        f"  - {{name: t{number}, app: flows, from: {sender}, to: {receiver}, may_be_silent: true, "
        + ", ".join(f"{k}: {v}" for k, v in keys.items())
        + "}"
    )


STEPS = (
    "{at: 12s, signal: TERM, process: nf}",
    (
        "{at: 14s, host: esx1, may_be_idle: true, run: vmkload_app -S -i vmktcp net-netflow -s 700 -e "
        "vSwitch0 10.6.125.84}"
    ),
    "{at: 11s, vm: b, power: 'off'}",
    "{at: 19s, vm: b, power: 'on'}",
    "{at: 9s, vm: c, nic: eth0, connected: false}",
    "{at: 13s, vm: a, nic: eth0, mac: '00:50:56:11:22:33'}",
    "{at: 10s, host: esx1, memory_pressure: {netflow_heap: 260KiB}, for: 8s}",
    "{at: 7.000005s, host: esx1, run: 'esxcfg-vswitch -l', expect: {exit: any}}",
    "{at: 16s, host: esx1, run: 'vmkload_mod -u netflow', expect: {exit: any}}",
)


def draw_lab(seed: int) -> str:
    rng = random.Random(seed)
    netflow = {
        "idle_timeout": rng.choice(["15s", "1s", "100ms"]),
        "active_timeout": rng.choice(["300s", "4s", "1500ms"]),
        "scan_interval": rng.choice(["10ms", "1s", "700ms"]),
        "cache_policy": rng.choice(["DropNew", "EvictOldest", "EvictOldestDrop"]),
        "max_entries": rng.choice([0, 0, 5, 40]),
        "purgatory_max": rng.choice([4096, 10]),
        "purgatory_policy": rng.choice(["TailDrop", "HeadDrop"]),
        "expire_on_tcp_end": rng.choice(["true", "false"]),
    }
    if rng.random() < 0.1:
        netflow["metering_delay"] = "2us"
    traffic = [draw_flows(rng, i) for i in range(rng.randint(1, 4))]
    if rng.random() < 0.4:
        traffic.append("  - {name: cbr, app: udp-cbr, from: a, to: b, start: 3s, rate: 50kbps}")
    if rng.random() < 0.3:
        traffic.append(
            "  - {name: out, app: flows, from: d, to: e, may_be_silent: true, every: 500ms, flow_packets: 20, "
            "flow_duration: 3s}"
        )
    steps = sorted((s for s in STEPS if rng.random() < 0.25), key=lambda s: float(s[5:].split("s")[0]))
    lines = "\n".join("  - " + step for step in steps)
    return f"""version: 1
name: random-{seed}
run: {{duration: 40s, seed: {seed}}}
outputs: {{series: {{every: {rng.choice(["1s", "300ms", "250ms"])}}}}}
hosts:
  esx1:
    netflow: {{{", ".join(f"{k}: {v}" for k, v in netflow.items())}}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{P: {{}}, Q: {{vlan: 5}}}}}}}}
    vmknics: {{vmk0: {{portgroup: P, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: P, address: 10.1.0.1/24}}]}}
      b: {{nics: [{{portgroup: P, address: 10.1.0.2/24}}]}}
      c: {{nics: [{{portgroup: P, address: 10.1.0.3/24}}]}}
      d: {{nics: [{{portgroup: P, address: 10.1.0.4/24}}]}}
  esx2:
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{P: {{}}}}}}}}
    vms:
      e: {{nics: [{{portgroup: P, address: 10.1.0.5/24}}]}}
nodes:
  sw1: {{kind: switch}}
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{endpoints: [esx1:vmnic0, sw1:1]}}
  - {{endpoints: [esx2:vmnic0, sw1:2]}}
  - {{endpoints: [nf1:eth0, sw1:3]}}
traffic:
{chr(10).join(traffic)}
timeline:
  - {{at: {rng.choice([0.5, 1, 6])}s, host: esx1, run: vmkload_mod netflow}}
  - {{at: {rng.choice([6.5, 7, 8])}s, host: esx1, id: nf, may_be_idle: true, \
run: vmkload_app -S -i vmktcp net-netflow -s {rng.choice([1000, 250])} -e vSwitch0 10.6.125.84}}
{lines}
"""


@pytest.mark.parametrize("seed", range(SEED, SEED + LABS))
def test_random_labs_have_the_same_results(esx_netflow, tmp_path, seed):
    check_equal(esx_netflow, tmp_path, draw_lab(seed))


FLOWS = (
    "  - {{name: {}, app: flows, fidelity: flow, from: a, to: {}, every: 1s, flow_packets: 50, flow_duration: 10s{}}}\n"
)
METERED = """timeline:
  - {at: 0s, host: esx1, run: vmkload_mod netflow}
  - {at: 0.5s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}
"""


def lab_of(*flows: str) -> str:
    lines = re.sub("netflow: {.*}", "netflow: {}", draw_lab(1)).splitlines(True)
    return "".join(lines[: lines.index("traffic:\n") + 1]) + "".join(flows) + METERED


def test_validate_and_the_summary_tell_what_goes_by_packets(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab_of(FLOWS.format("over", "[b, e]", ""), FLOWS.format("within", "b", ", port: 7")))
    said = esx_netflow("validate", scenario).stdout
    assert "'fidelity: flow': 1 of 2 pairs of sender and receiver go by packets (a to e: frames cross links" in said
    assert said.count("'fidelity: flow'") == 1
    done = esx_netflow("run", scenario, "-o", tmp_path / "out")
    over, within = json.loads((tmp_path / "out" / "summary.json").read_text())["traffic"]["flow_fidelity"]
    assert (over["name"], within["name"], within["packets"]) == ("over", "within", over["packets"])
    assert (
        within["packets"] / 2 < over["simulated"] < within["packets"] and within["simulated"] < within["packets"] / 10
    )
    one_by_one = over["simulated"] + within["simulated"]
    assert (
        f"flow fidelity: of {2 * within['packets']:,} packets {one_by_one:,} were simulated one by one".replace(
            ",", " "
        )
        in done.stdout
    )


@pytest.mark.parametrize(
    "old, new, reason",
    [
        ("{P: {}, Q", "{P: {shaping: {average: 1Mbps, peak: 1Mbps, burst: 10kB}}, Q", "port group P shapes"),
        ("{P: {}, Q", "{P: {vlan: 4095}, Q", "port group P has VLAN 4095"),
        ("netflow: {", "netflow: {metering_delay: 2us", "metering_delay of esx1 depends on each"),
        ("outputs: {", "outputs: {pcap: ['b:eth0'], ", "b:eth0 is captured"),
    ],
)
def test_validate_tells_why_flows_go_by_packets(esx_netflow, tmp_path, old, new, reason):
    text = lab_of(FLOWS.format("t", "b", ""))
    assert old in text
    scenario = write(tmp_path, text.replace(old, new, 1))
    said = esx_netflow("validate", scenario)
    assert f"1 of 1 pairs of sender and receiver go by packets (a to b: {reason})" in said.stdout, said
    esx_netflow("run", scenario, "-o", tmp_path / "out")
    (counts,) = json.loads((tmp_path / "out" / "summary.json").read_text())["traffic"]["flow_fidelity"]
    assert counts["simulated"] == counts["packets"] > 0
