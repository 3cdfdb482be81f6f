# SPDX-License-Identifier: GPL-2.0-only
"""Labs with routers and servers: what validate says of their addresses and routes, and what a run shows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from labs import summary, table, write

TESTS = Path(__file__).parent.parent

LAB = """version: 1
name: routed
run: {duration: 30s}
hosts:
  esx1:
    netflow: {idle_timeout: 1s}
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VM Network: {}}}}
    vmknics: {vmk0: {portgroup: VM Network, address: 10.6.1.11/24, gateway: 10.6.1.1}}
    vms:
      a: {nics: [{portgroup: VM Network, address: 10.6.1.51/24, gateway: 10.6.1.1}]}
      b: {nics: [{portgroup: VM Network, address: 10.6.1.52/24}]}
nodes:
  sw1: {kind: switch}
  r1:
    kind: router
    interfaces: {eth0: {address: 10.6.1.1/24}, eth1: {address: 192.168.0.1/30}}
    routes: [{to: 10.9.0.0/24, via: 192.168.0.2}]
  r2:
    kind: router
    interfaces: {eth0: {address: 192.168.0.2/30}, eth1: {address: 10.9.0.1/24}}
    routes: [{to: 10.6.1.0/24, via: 192.168.0.1}]
  sw2: {kind: switch}
  nf1: {kind: collector, address: 10.9.0.84/24, gateway: 10.9.0.1}
  srv1: {kind: server, address: 10.9.0.20/24, gateway: 10.9.0.1}
links:
  - {endpoints: [esx1:vmnic0, sw1:1]}
  - {endpoints: [r1:eth0, sw1:2]}
  - {name: wan, endpoints: [r1:eth1, r2:eth0], rate: 2Mbps, delay: 20ms}
  - {endpoints: [r2:eth1, sw2:1]}
  - {endpoints: [nf1:eth0, sw2:2]}
  - {endpoints: [srv1:eth0, sw2:3]}
traffic:
  - {name: inside, app: udp-cbr, from: a, to: b, port: 5001, start: 3s, stop: 10s}
  - {name: outside, app: udp-cbr, from: a, to: srv1, port: 5002, start: 3s, stop: 10s}
  - {name: back, app: tcp-request, from: srv1, to: a, port: 80, start: 3s, stop: 10s}
  - {name: ping, app: icmp-echo, from: a, to: srv1, start: 3s, stop: 10s, packet: 56B}
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.9.0.84}
expect:
  - {name: every packet is accounted for, check: conservation}
"""
R1 = "routes: [{to: 10.9.0.0/24, via: 192.168.0.2}]"
R2 = "routes: [{to: 10.6.1.0/24, via: 192.168.0.1}]"


def changed(*changes: tuple[str, str]) -> str:
    text = LAB
    for piece, other in changes:
        assert piece in text, piece
        text = text.replace(piece, other)
    return text


def test_validate_tells_the_way_its_narrowest_link_and_what_fails_alone(esx_netflow, tmp_path):
    [export] = json.loads(esx_netflow("validate", "--json", write(tmp_path, LAB)).stdout)["lab"]["exports"]
    assert export["routers"] == ["r1", "r2"] and export["links"][2] == "wan" and export["delay_ns"] == 20_020_000
    assert (export["host"], export["vmknic"], export["collector"]) == ("esx1", "vmk0", "nf1") and "r2" in export[
        "single_points_of_failure"
    ]
    done = esx_netflow("validate", write(tmp_path, LAB))
    assert done.returncode == 0, done
    way = (
        "esx1:vmk0 reaches nf1 (10.9.0.84) over r1, r2 by links esx1.vmnic0-sw1.1, r1.eth0-sw1.2, wan, r2.eth1-sw2.1, "
        "nf1.eth0-sw2.2, one way in 20.02ms"
    )
    assert way in done.stdout + done.stderr
    assert "the narrowest link is wan, 2000 kbit/s" in done.stdout + done.stderr
    alone = (
        "alone cut esx1:vmk0 off from nf1 (10.9.0.84): esx1.vmnic0-sw1.1, sw1, r1.eth0-sw1.2, r1, wan, r2, "
        "r2.eth1-sw2.1, sw2, nf1.eth0-sw2.2"
    )
    assert alone in done.stdout + done.stderr


REFUSED = {
    "an interface whose network is that of another place": [("10.9.0.1/24}}",
        "10.9.0.1/24}, eth2: {address: 10.6.1.7/24}}"), ("links:\n", "links:\n  - {endpoints: [r2:eth2, sw2:4]}\n"),
        "lab.yaml:20:97: nodes.r2.interfaces.eth2.address: the network 10.6.1.0/24 is that of r1:eth0, too, "
            "and frames do not get from one to the other"],
    "a network within another": [("10.9.0.1/24}}", "10.9.0.1/24}, eth2: {address: 10.6.1.130/25}}"),
        ("links:\n", "links:\n  - {endpoints: [r2:eth2, sw2:4]}\n"),
        "the network 10.6.1.128/25 of r2:eth2 overlaps 10.6.1.0/24 of r1:eth0: a network is in one place"],
    "a wrong mask": [("10.6.1.11/24", "10.6.1.11/8"), "the network 10.0.0.0/8 of esx1:vmk0 overlaps 10.6.1.0/24 of "
        "r1:eth0: one of the masks is wrong"],
    "a loop of default routes": [(R1, "routes: [{to: 0.0.0.0/0, via: 192.168.0.2}]"),
        (R2, "routes: [{to: 0.0.0.0/0, via: 192.168.0.1}]"),
        "nodes.r1.routes: a routing loop: r1, r2, r1, for 0.0.0.0/0"],
    "a router without routes": [(R1, ""), "nodes.r1: r1 has no routes, and r2 has networks behind it: "
        "it needs 'routes' or 'routing: global'"],
    "a gateway outside its network": [("10.9.0.84/24, gateway: 10.9.0.1", "10.9.0.84/24, gateway: 10.8.0.1"),
        "nodes.nf1.gateway: 10.8.0.1 is not another address of the network of 10.9.0.84/24"],
    "a route by a router that is not next": [(R1, "routes: [{to: 10.9.0.0/24, via: 10.9.0.1}]"),
        "nodes.r1.routes[0].via: 10.9.0.1 is not another address on a network of r1"],
    "a route to an address": [(R1, "routes: [{to: 10.9.0.1/24, via: 192.168.0.2}]"),
        "nodes.r1.routes[0].to: is an address within the network 10.9.0.0/24"],
    "two routes to one network": [(R1, R1[:-1] + ", {to: 10.9.0.0/24, via: 192.168.0.2}]"), "nodes.r1.routes[1].to: "],
    "an address that is taken": [("192.168.0.2/30}, eth1: {address: 10.9.0.1/24",
        "192.168.0.2/30}, eth1: {address: 10.9.0.20/24"), "10.9.0.20"],
    "an interface without a link": [("10.9.0.1/24}}", "10.9.0.1/24}, eth5: {address: 10.7.0.1/24}}"),
        "nodes.r2.interfaces.eth5: no link ends at r2:eth5"],
    "a VLAN that there is not": [("10.9.0.1/24}}", "10.9.0.1/24}, eth1.4095: {address: 10.7.0.1/24}}"),
        "VLANs end at 4094"],
    "a router without interfaces": [("interfaces: {eth0: {address: 192.168.0.2/30}, eth1: {address: 10.9.0.1/24}}",
        "interfaces: {}"), "nodes.r2: 'interfaces' are missing"],
    "traffic that has no gateway": [("app: udp-cbr, from: a, to: b,", "app: udp-cbr, from: b, to: srv1,"),
        "traffic[0].to: srv1 has no address on a network of b, which has no gateway"],
    "injected traffic that has no gateway": [("app: icmp-echo, from: a, to: srv1, start: 3s, stop: 10s, packet: 56B",
        "app: flows, from: b, to: srv1"), "to: srv1 has no address on a network of b, which has no gateway"],
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("command", ["validate", "run"])
def test_wrong_addresses_and_routes_are_refused_with_their_place(esx_netflow, tmp_path, command, what):
    *changes, message = REFUSED[what]
    done = esx_netflow(command, write(tmp_path, changed(*changes)), cwd=tmp_path)
    assert done.returncode == 2, done
    assert message in done.stderr and "lab.yaml:" in done.stderr
    assert not (tmp_path / "out").exists()


MISSING = {
    "a gateway that no node has": [("10.6.1.11/24, gateway: 10.6.1.1", "10.6.1.11/24, gateway: 10.6.1.9"),
        "esx1 does not reach nf1 (10.9.0.84): no node has the address of the gateway 10.6.1.9 of esx1"],
    "a gateway that is no router": [("10.6.1.11/24, gateway: 10.6.1.1", "10.6.1.11/24, gateway: 10.6.1.52"),
        "the gateway 10.6.1.52 of esx1 is b, which is no router"],
    "a route": [(R1, "routes: [{to: 10.8.0.0/24, via: 192.168.0.2}]"),
        "esx1 does not reach nf1 (10.9.0.84): r1 has no route to 10.9.0.84"],
    "the way back of traffic": [(R2, "routes: [{to: 10.8.0.0/24, via: 192.168.0.1}]"),
        "srv1 does not answer a: r2 has no route to 10.6.1.51"],
    "the way back of an export": [(R2, "routes: [{to: 10.8.0.0/24, via: 192.168.0.1}]"),
        "there is no way back from nf1 to esx1:vmk0: r2 has no route to 10.6.1.11"],
    "a link": [("  - {endpoints: [r2:eth1, sw2:1]}", "  - {endpoints: [r2:eth1, sw1:7]}"),
        "frames do not get from r2:eth1 to nf1:eth0: no links lead from one to the other"],
    "a VLAN on the way": [("sw2: {kind: switch}", "sw2: {kind: switch, ports: {2: {mode: access, vlan: 7}}}"),
        "frames do not get from r2:eth1 to nf1:eth0:"],
    "a full datagram's room": [("eth1: {address: 192.168.0.1/30}", "eth1: {address: 192.168.0.1/30, mtu: 1400}"),
        "nodes.r1.interfaces.eth1: a full datagram (1492 octets) to nf1 (10.9.0.84) is fragmented here, "
            "as the MTU is 1400; with DF it would be lost"],
}  # fmt: skip


@pytest.mark.parametrize("what", MISSING)
def test_validate_names_what_is_missing_on_the_way(esx_netflow, tmp_path, what):
    *changes, message = MISSING[what]
    done = esx_netflow("validate", write(tmp_path, changed(*changes)))
    assert message in done.stdout + done.stderr


def judged(folder) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "oracle", folder],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_export_and_traffic_of_all_kinds_pass_routers(esx_netflow, tmp_path):
    done = esx_netflow("run", write(tmp_path, LAB), "--out", tmp_path / "out", "--captures", cwd=tmp_path)
    assert done.returncode == 0, done
    assert summary(tmp_path / "out")["ledger"]["lost"] == {}
    rows = table(tmp_path / "out", "flows-collected.csv")
    flows = {(row["src"], row["dst"], row["proto"], row["dport"]): int(row["packets"]) for row in rows}
    assert flows["10.6.1.51", "10.9.0.20", "17", "5002"] == 280  # 64 kbit/s in datagrams of 200 octets, seven seconds
    # echo and its replies
    assert flows["10.6.1.51", "10.9.0.20", "1", "2048"] == flows["10.9.0.20", "10.6.1.51", "1", "0"] == 7
    assert any(key[:3] == ("10.9.0.20", "10.6.1.51", "6") and key[3] == "80" for key in flows)
    judged(tmp_path / "out")


def test_global_routing_finds_the_routes(esx_netflow, tmp_path):
    for name, text in (("static", LAB), ("global", changed((R1, "routing: global"), (R2, "routing: global")))):
        assert (
            esx_netflow("run", write(tmp_path, text), "--out", tmp_path / name, "--quiet", cwd=tmp_path).returncode == 0
        )
    for file in ("flows-collected.csv", "datagrams.csv", "links.csv"):
        assert (tmp_path / "static" / file).read_bytes() == (tmp_path / "global" / file).read_bytes()


DEATHS = {
    "no_route": (((R1, "routes: [{to: 10.8.0.0/24, via: 192.168.0.2}]"),), "r1", "1 network unreachable"),
    "no_answer": ((("-e vSwitch0 10.9.0.84", "-e vSwitch0 10.9.0.85"),), "r2", "1 host unreachable"),
    "ttl": ((("vswitches: {vSwitch0:", "attributes: {ns3::Ipv4L3Protocol::DefaultTtl: 1}\n    vswitches: {vSwitch0:"),),
        "r1", ""),
    "queue_disc": ((("rate: 2Mbps, delay: 20ms", "rate: 64kbps, queue: 1p, queue_disc: {kind: fifo, size: 1p}"),), "r1",
        ""),
}  # fmt: skip


@pytest.mark.parametrize("cause", DEATHS)
def test_deaths_at_routers_are_told_by_cause_and_name(esx_netflow, tmp_path, cause):
    changes, router, told = DEATHS[cause]
    done = esx_netflow("run", write(tmp_path, changed(*changes)), "--out", tmp_path / "out", "--captures", cwd=tmp_path)
    assert done.returncode in (0, 1), done
    dead = {(row["fate"], row["place"].split("/")[0]) for row in table(tmp_path / "out", "datagrams.csv")}
    assert ({"no_answer": "arp"}.get(cause, cause), router) in {
        (fate.removeprefix("lost_"), place) for fate, place in dead
    }, dead
    if told:
        assert told.split(" ", 1)[1] in (tmp_path / "out" / "esx1.console.log").read_text()
    judged(tmp_path / "out")


def test_a_router_on_a_stick_joins_the_vlans_of_its_trunk(esx_netflow, tmp_path):
    text = changed(
        ("portgroups: {VM Network: {}}", "portgroups: {VM Network: {}, V101: {vlan: 101}, V102: {vlan: 102}}"),
        ("a: {nics: [{portgroup: VM Network, address: 10.6.1.51/24, gateway: 10.6.1.1}]}",
            "a: {nics: [{portgroup: V101, address: 10.1.101.2/24, gateway: 10.1.101.1}]}"),
        ("b: {nics: [{portgroup: VM Network, address: 10.6.1.52/24}]}",
            "b: {nics: [{portgroup: V102, address: 10.1.102.2/24, gateway: 10.1.102.1}]}"),
        ("interfaces: {eth0: {address: 10.6.1.1/24}", "interfaces: {eth0: {address: 10.6.1.1/24}, eth0.101: {address: "
            "10.1.101.1/24}, eth0.102: {address: 10.1.102.1/24}"),
        ("sw1: {kind: switch}", "sw1: {kind: switch, ports: {1: {mode: trunk}, 2: {mode: trunk}}}"),
        ("to: 10.6.1.0/24", "to: 10.0.0.0/8"),
    )  # fmt: skip
    assert esx_netflow("validate", write(tmp_path, text)).returncode == 0
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--captures", cwd=tmp_path)
    assert done.returncode == 0, done
    packets = [
        int(row["packets"])
        for row in table(tmp_path / "out", "flows-truth.csv")
        if row["dst"] == "10.1.102.2" and row["dport"] == "5001"
    ]
    assert packets == [280, 280]  # from a's port, and from the uplink when it comes back
    judged(tmp_path / "out")


@pytest.mark.parametrize("app", ["udp-on-off", "tcp-bulk", "tcp-syn-scan", "flows"])
def test_servers_send_and_receive_every_traffic(esx_netflow, tmp_path, app):
    other = "nodes:\n  srv2: {kind: server, address: 10.6.1.70/24}"
    text = changed(
        ("nodes:", other),
        ("links:\n", "links:\n  - {endpoints: [srv2:eth0, sw1:9]}\n"),
        ("app: udp-cbr, from: a, to: b, port: 5001", f"app: {app}, from: srv2, to: b"),
    )
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--captures", cwd=tmp_path)
    assert done.returncode == 0, done
    assert any(row["src"] == "10.6.1.70" for row in table(tmp_path / "out", "flows-collected.csv"))
    judged(tmp_path / "out")


def test_three_sites_with_twelve_hosts_are_validated(esx_netflow, tmp_path):
    lines = ["version: 1", "name: sites", "run: {duration: 60s}", "hosts:"]
    for site in range(3):
        for i in range(4):
            vmk = f"vmk0: {{portgroup: P, address: 10.{site}.0.{i + 11}/24, gateway: 10.{site}.0.1}}"
            vms = f"m{site}{i}: {{nics: [{{portgroup: P, address: 10.{site}.0.{i + 51}/24, gateway: 10.{site}.0.1}}]}}"
            lines.append(
                f"  h{site}{i}: {{vswitches: {{v: {{uplinks: [vmnic0], portgroups: {{P: {{}}}}}}}}, vmknics: "
                f"{{{vmk}}}, vms: {{{vms}}}}}"
            )
    lines += ["nodes:", "  nf: {kind: collector, address: 10.0.0.84/24, gateway: 10.0.0.1}"]
    for site in range(3):
        wans = ", ".join(
            f"eth{1 + k}: {{address: 192.168.1{min(site, o)}{max(site, o)}.{1 + (site > o)}/30}}"
            for k, o in enumerate(o for o in range(3) if o != site)
        )
        lines += [
            f"  s{site}: {{kind: switch}}",
            (
                f"  r{site}: {{kind: router, routing: global, interfaces: {{eth0: {{address: 10.{site}.0.1/24}}, "
                f"{wans}}}}}"
            ),
        ]
    lines += ["links:", "  - {endpoints: [nf:eth0, s0:9]}"]
    lines += [f"  - {{endpoints: [h{site}{i}:vmnic0, s{site}:{i + 1}]}}" for site in range(3) for i in range(4)]
    lines += [f"  - {{endpoints: [r{site}:eth0, s{site}:8]}}" for site in range(3)]
    lines += [
        "  - {endpoints: [r0:eth1, r1:eth1], rate: 10Mbps}",
        "  - {endpoints: [r0:eth2, r2:eth1], rate: 10Mbps}",
        "  - {endpoints: [r1:eth2, r2:eth2], rate: 10Mbps}",
    ]
    lines += [
        "traffic:",
        "  - {name: t, app: udp-cbr, from: [m10, m20], to: [m00, m11], start: 3s, stop: 20s}",
        "timeline:",
    ]
    for site in range(3):
        for i in range(4):
            lines += [
                f"  - {{at: 1s, host: h{site}{i}, run: vmkload_mod netflow}}",
                (
                    f"  - {{at: 2s, host: h{site}{i}, may_be_idle: true, run: vmkload_app -S -i vmktcp net-netflow "
                    f"-e v 10.0.0.84}}"
                ),
            ]
    path = write(
        tmp_path,
        "\n".join(lines)
        + (
            "\nexpect:\n  - {name: every packet is accounted for, check: conservation}\n  - {name: nothing is lost, "
            "metric: netflow.records.lost, equals: 0}\n"
        ),
    )
    before = os.times().children_user
    done = esx_netflow("validate", "--json", path)
    assert os.times().children_user - before < 1  # of processor time
    assert done.returncode == 0, done.stderr
    ways = [m["what"] for m in json.loads(done.stdout)["messages"] if " reaches nf " in m["what"]]
    assert len(ways) == 12 and sum(" over r1, r0 by " in way for way in ways) == 4
    assert esx_netflow("run", path, "--out", tmp_path / "out", "--captures", cwd=tmp_path).returncode == 0
    judged(tmp_path / "out")


def test_a_script_of_the_branch_offices_has_the_results_of_the_scenario(esx_netflow, tmp_path):
    script = Path(os.environ["ESX_NETFLOW_BUILD"]) / "esx-branch-offices"
    assert subprocess.run([script, f"--output={tmp_path / 'script'}"], timeout=300).returncode == 0
    assert (
        esx_netflow("run", "branch-offices", "--out", tmp_path / "run", "--captures", "-q", cwd=tmp_path).returncode
        == 0
    )
    made = {path.name: path.read_bytes() for path in (tmp_path / "script").iterdir()}
    for path in (tmp_path / "run").iterdir():
        if path.suffix in (".csv", ".pcap") or path.name == "lab.json":
            assert made[path.name] == path.read_bytes(), path.name
    assert (
        sum(name.endswith(".pcap") for name in made) == 49 and len(table(tmp_path / "run", "flows-collected.csv")) > 40
    )
    judged(tmp_path / "script")
