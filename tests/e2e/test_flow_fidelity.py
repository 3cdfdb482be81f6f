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
    """-> how many packets the flows had, and how many of them were simulated in flow fidelity"""
    packet = results(esx_netflow, tmp_path / "packet", text, "packet")
    flow = results(esx_netflow, tmp_path / "flow", text, "flow")
    different = [name for name in packet.keys() | flow.keys() if packet.get(name) != flow.get(name)]
    assert not different, f"{different} in {tmp_path}"
    summary = json.loads((tmp_path / "flow" / "out" / "summary.json").read_text())
    of = summary["traffic"].get("flow_fidelity", [])
    return sum(item["packets"] for item in of), sum(item["simulated"] for item in of)


def check_deferred(tmp_path, is_deferred):
    """Most packets of the item `sure` were not simulated in flow fidelity, if so it has to be. Within a vSwitch none
    may be: a packet that begins a record is only metered."""
    summary = json.loads((tmp_path / "flow" / "out" / "summary.json").read_text())
    (sure,) = (item for item in summary["traffic"]["flow_fidelity"] if item["name"] == "sure")
    assert not is_deferred or sure["simulated"] < sure["packets"] / 2, sure


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


SURE = (
    "  - {{name: sure, app: flows, {}, start: 1s, stop: 35s, every: 1s, flow_packets: 100, flow_duration: 4s, "
    "packet_size: {}}}"
)


def draw_lab(seed: int) -> tuple[str, bool]:
    """-> a lab, and whether most packets of its item `sure` are deferred"""
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
    is_sure = netflow["max_entries"] == 0 and "metering_delay" not in netflow
    traffic = [draw_flows(rng, i) for i in range(rng.randint(1, 4))]
    if rng.random() < 0.4:
        traffic.append("  - {name: cbr, app: udp-cbr, from: a, to: b, start: 3s, rate: 50kbps}")
    if rng.random() < 0.3:
        traffic.append(
            "  - {name: out, app: flows, from: d, to: e, may_be_silent: true, every: 500ms, flow_packets: 20, "
            "flow_duration: 3s}"
        )
    traffic.append(SURE.format("from: c, to: d", "500B"))
    steps = sorted((s for s in STEPS if rng.random() < 0.25), key=lambda s: float(s[5:].split("s")[0]))
    lines = "\n".join("  - " + step for step in steps)
    text = f"""version: 1
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
    return text, is_sure and not any("vm: c," in step for step in steps)


@pytest.mark.parametrize("seed", range(SEED, SEED + LABS))
def test_random_labs_have_the_same_results(esx_netflow, tmp_path, seed):
    text, is_deferred = draw_lab(seed)
    check_equal(esx_netflow, tmp_path, text)
    check_deferred(tmp_path, is_deferred)


LINK_STEPS = (
    "{at: 12s, signal: TERM, process: nf1}",
    "{at: 11s, vm: b, power: 'off'}",
    "{at: 19s, vm: b, power: 'on'}",
    "{at: 9s, vm: c, nic: eth0, connected: false}",
    "{at: 13s, vm: a, nic: eth0, mac: '00:50:56:11:22:33'}",
    "{at: 10s, host: esx2, memory_pressure: {netflow_heap: 260KiB}, for: 8s}",
    "{at: 16s, host: esx2, run: 'vmkload_mod -u netflow', expect: {exit: any}}",
    "{at: 15s, link: up1, down: true, for: 3s}",
    "{at: 17.3s, link: trunk, set: {delay: 1ms}, for: 2s}",
    "{at: 8s, link: up2, set: {rate: 33Mbps}, for: 6s}",
    "{at: 20s, link: up2, set: {loss: 0.2}, for: 2s}",
    "{at: 14s, vm: b, vmotion: {to: esx1, downtime: 300ms}}",
    "{at: 24s, vm: d, vmotion: {to: esx3, downtime: 100ms}}",
    "{at: 13.3s, link: up2b, down: true, for: 5s}",
    "{at: 21s, link: stick, down: true, for: 1500us}",
    "{at: 18.1s, link: between, set: {rate: 20Mbps}, for: 3s}",
    "{at: 22s, link: inet, set: {duplicate: 0.1, reorder: 0.1}, for: 2s}",
    "{at: 25s, link: fars, set: {loss: 0.1}, for: 2s}",
    "{at: 26s, link: inet, down: true, for: 1s}",
    "{at: 15.5s, host: esx1, run: 'vmkload_mod -u netflow', expect: {exit: any}}",
    "{at: 23s, host: esx3, run: 'esxcfg-vswitch -l', expect: {exit: any}}",
)


def draw_coinciding_flows(rng: random.Random, number: int, ends: str) -> str:
    """Packets at whole milliseconds, and keys that come again, also from other senders."""
    optional = {"together": "3", "again": "0.5", "answers": f"{{rtt: {rng.choice([10, 50, 100])}ms, packets: 21}}"}
    if "from: net" not in ends and "from: far" not in ends:
        optional["sources"] = "192.0.2.0/31"
    keys = {
        "start": "2s",
        "every": rng.choice(["1s", "1s", "500ms", "100ms"]),
        "flow_duration": rng.choice(["1s", "5s", "5s", "10s"]),
        "flow_packets": rng.choice(["2", "6", "21", "51", "101", "201"]),
        "packet_size": rng.choice(["500B", "500B", "500B", "496B"]),
        "protocol": rng.choice(["udp", "tcp", "tcp"]),
    } | {key: optional[key] for key in optional if rng.random() < 0.3}
    if rng.random() < 0.5:
        keys["flows"] = rng.choice(["1", "3"])
    listed = ", ".join(f"{key}: {value}" for key, value in keys.items())
    return f"  - {{name: t{number}, app: flows, {ends}, may_be_silent: true, {listed}}}"


def at_whole_milliseconds(rng: random.Random, step: str) -> str:
    at, lasts = rng.randrange(20), rng.choice([1, 2, 4, 50, 1500])
    step = re.sub(r"at: ([\d.]*)s", lambda second: f"at: {int(float(second[1]))}.{at:03}s", step)
    return re.sub("for: [^,}]*", f"for: {lasts}ms", step)


def draw_lab_of_links(seed: int, coincide: bool = False) -> tuple[str, bool]:
    """Three hosts, one with a team, two switches, a router with an interface in each VLAN, another one before an
    internet and a server; nearly all links are without contention. If things coincide, frames are sent and arrive,
    and links change, at whole milliseconds.
    -> the lab, and whether most packets of its item `sure` are deferred"""
    rng = random.Random(f"{'coincidences' if coincide else 'links'} {seed}")
    vlan = rng.choice([0, 0, 7])
    is_limited = rng.random() < 0.4
    sure = [not is_limited]

    def host(number, vms):
        netflow = {
            "idle_timeout": rng.choice(["15s", "1s", "100ms"]),
            "active_timeout": rng.choice(["300s", "4s", "1500ms"]),
            "scan_interval": rng.choice(["10ms", "1s", "700ms"]),
            "cache_policy": rng.choice(["DropNew", "DropNew", "EvictOldest"]) if is_limited else "DropNew",
            "max_entries": rng.choice([0, 0, 5, 40]) if is_limited else 0,
            "purgatory_max": rng.choice([4096, 10]),
            "expire_on_tcp_end": rng.choice(["true", "false"]),
        }
        team = rng.choice(["port-id", "port-id", "explicit, active: [vmnic1], standby: [vmnic0]"] * 3 + ["mac-hash"])
        uplinks = f"[vmnic0, vmnic1], teaming: {{policy: {team}}}" if number == 2 else "[vmnic0]"
        sure[0] = sure[0] and (number != 2 or team != "mac-hash")
        groups = f"P: {{vlan: {vlan}}}, Q: {{vlan: 8}}, K: {{}}"
        nics = "\n".join(
            f"      {vm}: {{nics: [{{portgroup: {group}, address: {at}/24, gateway: {at.rsplit('.', 1)[0]}.254}}]}}"
            for vm, group, at in vms
        )
        return f"""  esx{number}:
    netflow: {{{", ".join(f"{k}: {v}" for k, v in netflow.items())}}}
    vswitches: {{vSwitch0: {{uplinks: {uplinks}, portgroups: {{{groups}}}}}}}
    vmknics: {{vmk0: {{portgroup: K, address: 10.6.125.1{number}/24}}}}
    vms:
{nics}"""

    def link(name, a, b):
        contention = "none" if rng.random() < 0.99 else "queue"
        sure[0] = sure[0] and contention == "none"
        rate, delay = rng.choice(["10Mbps", "100Mbps", "1Gbps", "1Gbps", "10Gbps"]), rng.choice(["5us", "0us", "1ms"])
        if coincide:  # 4304 kbit/s: a millisecond for 500 octets
            rate, delay = rng.choice(["4304kbps"] * 4 + ["1Gbps"]), rng.choice(["0us", "1ms", "3ms"])
        return f"  - {{name: {name}, endpoints: [{a}, {b}], contention: {contention}, rate: {rate}, delay: {delay}}}"

    def ends():
        sender, receiver = rng.sample(["a", "b", "c", "d", "g", "h", "srv", "far", "net"], 2)
        return f"from: {sender}, to: {receiver}"

    many = [ends() for _ in range(coincide)] * 3  # the pair with most of the traffic

    def flows(number):
        if coincide:
            return draw_coinciding_flows(rng, number, rng.choice([*many, ends()]))
        drawn = draw_flows(rng, number)
        drawn = drawn if rng.random() < 0.3 else re.sub("from: ., to: .", ends(), drawn)
        if "from: net" in drawn:
            drawn = re.sub(", sources: [^,}]*", "", drawn)
        if rng.random() < 0.7:  # no fragments, and no padding behind a tag
            drawn = re.sub('"uniform[^"]*B."|exponential.400B.', '"uniform(42B, 1500B)"', drawn)
        if "flow_packets: 3000" in drawn and "flows: " not in drawn:
            drawn = drawn.replace("flow_packets: 3000", "flow_packets: 3000, flows: 7")
        long = "flow_duration: " + rng.choice(["20s", '"uniform(1s, 40s)"', "exponential(15s)"])
        drawn = re.sub("every: exponential.50ms.", "every: 300ms", drawn)
        return drawn if rng.random() < 0.3 else re.sub(r'flow_duration: ("[^"]*"|[^,]*)', long, drawn)

    def metered(number):
        load, start, every = rng.choice([0.5, 1]), rng.choice([6.5, 2]), rng.choice([1000, 250])
        command = f"vmkload_app -S -i vmktcp net-netflow -s {every} -e vSwitch0 10.6.125.84"
        return f"""  - {{at: {load}s, host: esx{number}, run: vmkload_mod netflow}}
  - {{at: {start}s, host: esx{number}, id: nf{number}, may_be_idle: true, run: {command}}}"""

    trunks = ", ".join(f"{port}: {{mode: trunk, allowed: [1, 7, 8]}}" for port in (1, 2, 3))
    hosts = [
        host(1, [("a", "P", "10.1.0.1"), ("d", "P", "10.1.0.4"), ("g", "Q", "10.2.0.7")]),
        host(2, [("b", "P", "10.1.0.2"), ("h", "Q", "10.2.0.8")]),
        host(3, [("c", "P", "10.1.0.3")]),
    ]
    steps = [s for s in LINK_STEPS if rng.random() < (0.3 if coincide else 0.15)]
    steps = [at_whole_milliseconds(rng, s) for s in steps] if coincide else steps
    steps.sort(key=lambda s: float(s[5:].split("s")[0]))
    steps = [metered(number) for number in (1, 2, 3) if number == 1 or rng.random() < 0.7] + [f"  - {s}" for s in steps]
    traffic = [flows(number) for number in range(rng.randint(1, 4))]
    if rng.random() < 0.4:
        traffic.append("  - {name: cbr, app: udp-cbr, from: a, to: c, start: 3s, rate: 50kbps}")
    size = rng.choice(["60B", "1500B", '"uniform(100B, 1500B)"']) + rng.choice(
        ["", ", answers: {rtt: 30ms, packets: 50}"]
    )
    of_sure = ends()
    traffic.append(SURE.format(of_sure, size))
    sure[0] = sure[0] and not any(
        f"vm: {name}," in step for name in re.findall(r"\w+(?=,|$)", of_sure) for step in steps
    )
    # a router whose link was cut learns again, and looks at each packet
    sure[0] = sure[0] and not any(re.search("link: (stick|between|inet|fars), down", step) for step in steps)
    mtu = rng.choice(["", "", "", "", "", ", mtu: 1300"])
    sure[0] = sure[0] and not mtu
    lines = "\n"
    text = f"""version: 1
name: links-{seed}
run: {{duration: 40s, seed: {seed}, arp: static}}
outputs: {{series: {{every: {rng.choice(["1s", "300ms", "250ms"])}}}}}
hosts:
{lines.join(hosts)}
nodes:
  sw1: {{kind: switch, ports: {{{trunks}, 4: {{mode: trunk, allowed: [1, 7, 8]}}}}}}
  sw2: {{kind: switch, ports: {{{trunks}, 5: {{mode: access, vlan: {vlan or 1}}}}}}}
  nf: {{kind: collector, address: 10.6.125.84/24}}
  srv: {{kind: server, address: 10.1.0.9/24, gateway: 10.1.0.254}}
  r1:
    kind: router
    interfaces: {{eth0{f".{vlan}" if vlan else ""}: {{address: 10.1.0.254/24}}, eth0.8: {{address: 10.2.0.254/24}},
                 eth1: {{address: 192.168.0.1/30}}}}
    routes: [{{to: 0.0.0.0/0, via: 192.168.0.2}}]
  r2:
    kind: router
    interfaces: {{eth0: {{address: 192.168.0.2/30}}, eth1: {{address: 203.0.113.1/30}},
                 eth2: {{address: 10.3.0.254/24{mtu}}}}}
    routes: [{{to: 10.1.0.0/24, via: 192.168.0.1}}, {{to: 10.2.0.0/24, via: 192.168.0.1}},
             {{to: 0.0.0.0/0, via: 203.0.113.2}}]
  far: {{kind: server, address: 10.3.0.9/24, gateway: 10.3.0.254}}
  net:
    kind: internet
    address: 203.0.113.2/30
    gateway: 203.0.113.1
    pools: [{{network: 198.18.0.0/16, weight: 3}}, {{network: 198.19.0.0/16, zipf: 0}}]
links:
{link("up1", "esx1:vmnic0", "sw1:1")}
{link("up2", "esx2:vmnic0", "sw1:2")}
{link("up2b", "esx2:vmnic1", "sw1:4")}
{link("trunk", "sw1:3", "sw2:1")}
{link("up3", "esx3:vmnic0", "sw2:2")}
  - {{endpoints: [nf:eth0, sw1:9]}}
{link("up4", "srv:eth0", "sw2:5")}
{link("stick", "r1:eth0", "sw2:3")}
{link("between", "r1:eth1", "r2:eth0")}
{link("inet", "r2:eth1", "net:eth0")}
{link("fars", "r2:eth2", "far:eth0")}
traffic:
{lines.join(traffic)}
timeline:
{lines.join(steps)}
"""
    return text, sure[0]


@pytest.mark.parametrize("seed", range(SEED, SEED + LABS))
def test_random_labs_of_links_have_the_same_results(esx_netflow, tmp_path, seed):
    text, is_deferred = draw_lab_of_links(seed)
    check_equal(esx_netflow, tmp_path, text)
    check_deferred(tmp_path, is_deferred)


@pytest.mark.parametrize("seed", range(SEED, SEED + LABS))
def test_random_labs_in_which_things_coincide_have_the_same_results(esx_netflow, tmp_path, seed):
    check_equal(esx_netflow, tmp_path, draw_lab_of_links(seed, coincide=True)[0])


ACROSS = """version: 1
name: across
run: {duration: 60s, arp: static}
outputs: {series: {every: 1s}}
hosts:
  esx1:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}, Q: {vlan: 8}}}}
    vmknics: {vmk0: {portgroup: P, address: 10.6.125.11/24}}
    vms:
      a: {nics: [{portgroup: P, address: 10.1.0.1/24, gateway: 10.1.0.254}]}
      f: {nics: [{portgroup: Q, address: 10.2.0.6/24, gateway: 10.2.0.254}]}
  esx2:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}}}}
    vmknics: {vmk0: {portgroup: P, address: 10.6.125.12/24}}
    vms: {e: {nics: [{portgroup: P, address: 10.1.0.5/24, gateway: 10.1.0.254}]}}
nodes:
  sw1: {kind: switch, ports: {1: {mode: trunk, allowed: [1, 8]}, 5: {mode: trunk, allowed: [1, 8]}}}
  nf1: {kind: collector, address: 10.6.125.84/24}
  srv: {kind: server, address: 10.1.0.9/24, gateway: 10.1.0.254}
  r1:
    kind: router
    interfaces: {eth0: {address: 10.1.0.254/24}, eth0.8: {address: 10.2.0.254/24}, eth1: {address: 203.0.113.1/30}}
    routes: [{to: 0.0.0.0/0, via: 203.0.113.2}]
  net: {kind: internet, address: 203.0.113.2/30, gateway: 203.0.113.1, pools: [{network: 198.18.0.0/16}]}
links:
  - {name: up1, endpoints: [esx1:vmnic0, sw1:1], contention: none}
  - {name: up2, endpoints: [esx2:vmnic0, sw1:2], contention: none, rate: 100Mbps}
  - {endpoints: [nf1:eth0, sw1:3]}
  - {endpoints: [srv:eth0, sw1:4], contention: none}
  - {name: inside, endpoints: [r1:eth0, sw1:5], contention: none}
  - {name: outside, endpoints: [r1:eth1, net:eth0], contention: none, rate: 100Mbps}
traffic:
  - {name: out, app: flows, from: a, to: e, every: 1s, flow_packets: 500, flow_duration: 10s,
     packet_size: "uniform(42B, 1500B)"}
timeline:
  - {at: 0s, host: esx1, run: vmkload_mod netflow}
  - {at: 0s, host: esx2, run: vmkload_mod netflow}
  - {at: 1s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -s 1000 -e vSwitch0 10.6.125.84}
  - {at: 1s, host: esx2, run: vmkload_app -S -i vmktcp net-netflow -s 1000 -e vSwitch0 10.6.125.84}
"""


@pytest.mark.parametrize(
    "ends",
    [
        "from: a, to: e",
        "from: srv, to: e",
        "from: a, to: net",
        "from: net, to: e",
        "from: srv, to: f",
        "from: a, to: f",
    ],
)
def test_over_links_without_contention_few_packets_are_simulated(esx_netflow, tmp_path, ends):
    answered = f"{ends}, answers: {{rtt: 30ms, packets: 300}}"
    evicting = ACROSS.replace("  esx2:\n", "  esx2:\n    netflow: {cache_policy: EvictOldest}\n")
    packets, simulated = check_equal(esx_netflow, tmp_path, evicting.replace("from: a, to: e", answered))
    assert packets > 40000 and simulated < packets / 100
    said = esx_netflow(
        "validate",
        write(tmp_path, ACROSS.replace("app: flows, from: a, to: e", f"app: flows, fidelity: flow, {answered}")),
    ).stdout
    assert "fidelity" not in said


@pytest.mark.parametrize(
    "old, new",
    [
        ("timeline:", "timeline:\n  - {at: 17.1s, for: 500us, link: up1, down: true}"),
        (
            "timeline:",
            "timeline:\n  - {at: 17.0001s, for: 8ms, link: up1, set: {delay: 12ms}}\n"
            "  - {at: 17.00005s, for: 20us, link: up2, down: true}",
        ),
        ("sw1:1], contention: none, delay: 3ms", "sw1:1], contention: none, delay: 0us, rate: 1000Gbps"),
        ("10.1.0.1/24, ", "10.1.0.1/24, guest_rate: 1Mbps, "),
    ],
    ids=["a cut shorter than the delay", "a change while a packet is on the way", "no time", "a sender with a ring"],
)
def test_links_and_adapters_that_make_single_packets_decide(esx_netflow, tmp_path, old, new):
    lab = ACROSS.replace("contention: none", "contention: none, delay: 3ms")
    assert old in lab
    text = lab.replace(old, new, 1)
    for small in (False, True):  # the time of sending small frames can be less than a nanosecond
        (tmp_path / f"{small}").mkdir()
        flows = re.sub('"uniform.42B, 1500B."', "60B, protocol: tcp", text) if small else text
        check_equal(esx_netflow, tmp_path / f"{small}", flows)


def test_packets_that_arrive_in_one_instant_after_a_change_come_in_the_order_of_sending(esx_netflow, tmp_path):
    """Both of each pair of flows are on the way, and counted only, when the receiver's vSwitch is registered."""
    lab = ACROSS.replace("contention: none", "contention: none, delay: 3ms").replace("duration: 60s", "duration: 25s")
    pairs = lab.replace("every: 1s, flow", "together: 2, every: 1s, flow").replace('"uniform(42B, 1500B)"', "500B")
    for at in (17.002, 17.005, 17.008, 17.011, 17.014):
        (tmp_path / f"{at}").mkdir()
        check_equal(esx_netflow, tmp_path / f"{at}", pairs.replace("{at: 1s, host: esx2", f"{{at: {at}s, host: esx2"))


def from_srv(flows: list[str], netflow: str = "", steps: str = "") -> str:
    """A server's flows to a VM, over links of 3 ms; the VM's host alone sees them."""
    lab = ACROSS.replace("contention: none", "contention: none, delay: 3ms").replace("duration: 60s", "duration: 15s")
    lab = lab.replace("  esx2:\n", f"  esx2:\n    netflow: {{{netflow}}}\n").replace("timeline:", f"timeline:{steps}")
    out = re.search(r"  - {name: out,.*?}\n", lab, re.DOTALL)[0]
    item = "  - {{name: t{}, app: flows, from: srv, to: e, every: 1s, packet_size: 500B, {}}}\n"
    return lab.replace(out, "".join(item.format(*each) for each in enumerate(flows)))


def test_frames_that_go_singly_keep_their_place_among_those_that_were_sent(esx_netflow, tmp_path):
    """Packets of several flows arrive in one nanosecond, before a link that loses some of them from now on."""
    flows = "start: 3s, flow_packets: 101, flow_duration: 5s"
    lossy = "\n  - {at: 7.001s, link: up2, set: {loss: 0.4}, for: 1s}"
    check_equal(esx_netflow, tmp_path, from_srv([flows], steps=lossy))


@pytest.mark.parametrize("is_first", [True, False])
def test_a_packet_comes_in_the_instant_in_which_another_flow_of_its_key_ends(esx_netflow, tmp_path, is_first):
    once = "start: 2s, flows: 1, protocol: tcp, "
    flows = [once + "flow_packets: 201, flow_duration: 10s", once + "flow_packets: 2, flow_duration: 5s"]
    check_equal(esx_netflow, tmp_path, from_srv(flows if is_first else flows[::-1], "expire_on_tcp_end: true"))


def test_a_flow_is_not_deferred_if_its_next_packet_will_not_belong_to_the_record(esx_netflow, tmp_path):
    """The packet of 5 s finds the link whole when it is sent and when it should arrive, and is lost in between."""
    cut = "\n  - {{at: {}s, for: 4ms, link: up2, down: true}}"
    lab = from_srv(
        ["start: 2s, flows: 1, flow_packets: 101, flow_duration: 6s"],
        "idle_timeout: 100ms, scan_interval: 1s",
        cut.format(4.99) + cut.format(5.001),
    )
    check_equal(esx_netflow, tmp_path, lab)


@pytest.mark.parametrize(
    "old, new, reason",
    [
        (
            "up2, endpoints: [esx2:vmnic0, sw1:2], contention: none",
            "up2, endpoints: [esx2:vmnic0, sw1:2]",
            "links, where they wait for others: up2",
        ),
        (", arp: static", "", "switches forget addresses: no 'arp: static'"),
        (
            "contention: none, rate: 100Mbps}\ntraffic:\n  - {name: out, app: flows, fidelity: flow, from: a, to: e",
            "rate: 100Mbps}\ntraffic:\n  - {name: out, app: flows, fidelity: flow, from: srv, to: net",
            "srv to net: frames cross links, where they wait for others: outside",
        ),
    ],
)
def test_validate_tells_why_flows_over_links_go_by_packets(esx_netflow, tmp_path, old, new, reason):
    lab = ACROSS.replace("app: flows", "app: flows, fidelity: flow")
    assert old in lab
    scenario = write(tmp_path, lab.replace(old, new, 1))
    said = esx_netflow("validate", scenario)
    assert "1 of 1 pairs of sender and receiver go by packets" in said.stdout and reason in said.stdout, said
    esx_netflow("run", scenario, "-o", tmp_path / "out")
    (counts,) = json.loads((tmp_path / "out" / "summary.json").read_text())["traffic"]["flow_fidelity"]
    assert counts["simulated"] == counts["packets"] > 0


FLOWS = (
    "  - {{name: {}, app: flows, fidelity: flow, from: a, to: {}, every: 1s, flow_packets: 50, flow_duration: 10s{}}}\n"
)
METERED = """timeline:
  - {at: 0s, host: esx1, run: vmkload_mod netflow}
  - {at: 0.5s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}
"""


def lab_of(*flows: str) -> str:
    lines = re.sub("netflow: {.*}", "netflow: {}", draw_lab(1)[0]).splitlines(True)
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
        within["packets"] * 0.4 < over["simulated"] < within["packets"] * 0.6
        and within["simulated"] < within["packets"] / 10
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
