# SPDX-License-Identifier: GPL-2.0-only
"""Nodes of kind internet: one node is all addresses of its pools to flows; profiles in CESNET FlowTest's biflow CSV."""

from collections import Counter

import pytest
from labs import table, write
from oracle.verify import verify

LAB = """version: 1
name: farm
run: {{duration: 60s, arp: {arp}}}
hosts:
  esx1:
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VM Network, address: 10.6.125.11/24}}}}
    vms:
      web1: {{nics: [{{portgroup: VM Network, address: 10.1.1.11/24, gateway: 10.1.1.1}}]}}
      web2: {{nics: [{{portgroup: VM Network, address: 10.1.1.12/24}}]}}
nodes:
  sw1: {{kind: switch}}
  nf1: {{kind: collector, address: 10.6.125.84/24}}
  r1:
    kind: router
    interfaces: {{eth0: {{address: 10.1.1.1/24}}, eth1: {{address: 203.0.113.1/30}}}}
    routes: [{{to: 0.0.0.0/0, via: 203.0.113.2}}]
  net:
    kind: internet
    address: 203.0.113.2/30
    gateway: 203.0.113.1
    pools: {pools}
links:
  - {{endpoints: [esx1:vmnic0, sw1:1]}}
  - {{endpoints: [nf1:eth0, sw1:2]}}
  - {{endpoints: [r1:eth0, sw1:3]}}
  - {{endpoints: [r1:eth1, net:eth0]}}
traffic:
  - {traffic}
timeline:
  - {{at: 100ms, host: esx1, run: vmkload_mod netflow}}
  - {{at: 500ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}}
"""
POOLS = "[{network: 198.18.0.0/16, addresses: 50}]"
MIX = (
    "start: 2s, flows: 180, every: 100ms, flow_packets: 4, flow_duration: 200ms, services: [{protocol: tcp, port: "
    "443}, {protocol: udp, port: 53}], answers: {packets: 6, packet_size: 1400B}"
)
CLIENTS = f"{{name: t, app: flows, from: net, to: web1, {MIX}}}"


def lab(traffic=CLIENTS, pools=POOLS, arp="static"):
    return LAB.format(traffic=traffic, pools=pools, arp=arp)


@pytest.fixture
def run(esx_netflow, tmp_path):
    def do(text):
        done = esx_netflow(
            "run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", "--captures", cwd=tmp_path
        )
        assert done.returncode == 0, done
        assert verify(tmp_path / "out") == []
        return [row for row in table(tmp_path / "out", "flows-truth.csv") if "10.1.1.11" in (row["src"], row["dst"])]

    return do


@pytest.mark.parametrize("arp", ["static", "dynamic"])
def test_clients_of_the_pools_come_through_the_router_and_are_answered(run, arp):
    rows = run(lab(arp=arp))
    there = [row for row in rows if row["dst"] == "10.1.1.11"]
    back = [row for row in rows if row["src"] == "10.1.1.11"]
    assert {row["input_port"] for row in there} == {"vmnic0"} and {row["input_port"] for row in back} == {"web1.eth0"}
    assert len(there) == len(back) == 180
    assert all(row["src"].startswith("198.18.") for row in there) and 10 < len({row["src"] for row in there}) <= 50
    assert {row["dport"] for row in there} == {"443", "53"}
    assert {(row["packets"], row["octets"]) for row in there} == {("4", "2000")}
    assert {(row["packets"], row["octets"]) for row in back} == {("6", "8400")}
    keys = {(row["src"], row["sport"], row["dport"], row["proto"]) for row in there}
    assert keys == {(row["dst"], row["dport"], row["sport"], row["proto"]) for row in back}


def test_a_vm_asks_the_internet(run):
    rows = run(lab(CLIENTS.replace("from: net, to: web1", "from: web1, to: net")))
    there = [row for row in rows if row["src"] == "10.1.1.11"]
    assert len(there) == 180 and all(
        row["dst"].startswith("198.18.") and row["input_port"] == "web1.eth0" for row in there
    )
    assert sum(int(row["packets"]) for row in rows if row["dst"] == "10.1.1.11") == 180 * 6


def test_a_profile_gives_its_flows_to_the_octet(run, tmp_path):
    """Packets are of even sizes; the Internet's addresses are the profile's, the farm's its own."""
    (tmp_path / "day.csv").write_text(
        "START_TIME,END_TIME,L3_PROTO,L4_PROTO,SRC_PORT,DST_PORT,PACKETS,BYTES,PACKETS_REV,BYTES_REV,SRC_IP,DST_IP\n"
        "7000,9000,4,6,40000,443,5,301,9,12001,9.9.9.9,1.1.1.1\n"
        "5000,5000,4,17,40001,53,1,61,1,200,8.8.8.8,1.1.1.1\n"
        "8000,8000,4,1,0,2048,2,168,2,168,9.9.9.9,1.1.1.1\n"
        "5000,5000,6,17,1,1,1,61,1,200,,\n"
    )
    rows = run(lab("{name: t, app: flows, from: net, to: web1, start: 2s, profile: day.csv, compress: 2}"))
    got = Counter((r["src"], r["dst"], r["proto"], r["sport"], r["dport"], r["packets"], r["octets"]) for r in rows)
    web = "10.1.1.11"
    assert got == Counter([
        ("9.9.9.9", web, "6", "40000", "443", "5", "301"), (web, "9.9.9.9", "6", "443", "40000", "9", "12001"),
        ("8.8.8.8", web, "17", "40001", "53", "1", "61"), (web, "8.8.8.8", "17", "53", "40001", "1", "200"),
        ("9.9.9.9", web, "1", "0", "2048", "2", "168"), (web, "9.9.9.9", "1", "0", "0", "2", "168"),
    ])  # fmt: skip
    times = {
        r["dport"]: (int(r["first_ms"]), int(r["last_ms"]))
        for r in rows
        if r["dst"] == web and r["dport"] in ("443", "53")
    }
    assert times["443"][0] - times["53"][0] == 1000 and times["443"][1] - times["443"][0] == 1000, "twice as fast"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lab(pools="[]"), "'pools' are missing"),
        (lab(pools="[{network: 198.18.0.1/16}]"), "is an address within the network 198.18.0.0/16"),
        (lab(pools="[{network: 198.18.0.0/16}, {network: 198.18.7.0/24}]"), "overlaps the network of line 22"),
        (lab(pools="[{network: 10.1.0.0/16}]"), "10.1.1.11 is an address of the pool of line 22"),
        (lab(pools="[{network: 224.0.0.0/8}]"), "224.0.0.0 cannot be the address of an interface"),
        (lab(pools="[{network: 198.18.0.0/16, weight: 0}]"), "a number above 0"),
        (lab(pools="[{network: 198.18.0.0/16, zipf: -1}]"), "zipf"),
        (lab("{name: t, app: udp-cbr, from: web1, to: net}"), "net is an internet; allowed: 'app: flows'"),
        (lab("{name: t, app: flows, from: net, to: net}"), "net would send to itself"),
        (lab("{name: t, app: flows, from: web1, to: [net, web2]}"), "net is an internet: it receives alone"),
        (
            lab().replace("net:eth0]", "net:eth0], duplex: half"),
            "net is at a half-duplex link, where it answers no ARP",
        ),
        (lab("{name: t, app: flows, from: net, to: web2}"), "web2 has no gateway, by which net is reached"),
        (lab("{name: t, app: flows, from: net, to: web1, sources: 10.0.0.0/8}"), "sources are of the pools of net"),
        (
            lab("{name: t, app: flows, from: net, to: web1, answers: {rtt: gauss(1s)}}"),
            "answers.rtt: 'gauss' is none of",
        ),
        (lab("{name: t, app: flows, from: net, to: web1, again: 2}"), "again"),
        (lab("{name: t, app: flows, from: net, to: web1, compress: 0.5}"), "compress"),
        (lab("{name: t, app: flows, from: net, to: web1, services: [{protocol: icmp, port: 1}]}"), "protocol"),
        (lab("{name: t, app: flows, from: net, to: web1, profile: no.csv}"), "no.csv: cannot be read, or is empty"),
        (
            lab("{name: t, app: flows, from: net, to: web1, profile: lab.yaml}"),
            "lab.yaml:1: there is no column START_TIME",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(esx_netflow, tmp_path, text, message):
    done = esx_netflow("validate", write(tmp_path, text), cwd=tmp_path)
    assert done.returncode == 2, done
    assert message in done.stderr and "lab.yaml:" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("piece", "other", "message"),
    [
        (
            "routes: [{to: 0.0.0.0/0, via: 203.0.113.2}]",
            "routes: [{to: 10.9.0.0/16, via: 203.0.113.2}]",
            "web1 does not answer net: r1 has no route to 198.18.0.0",
        ),
        ("gateway: 10.1.1.1}", "gateway: 10.1.1.9}", "no node has the address of the gateway 10.1.1.9 of web1"),
        ("    gateway: 203.0.113.1\n", "", "net does not reach web1: net has no gateway"),
    ],
)
def test_validate_follows_the_way_there_and_back(esx_netflow, tmp_path, piece, other, message):
    assert piece in lab()
    done = esx_netflow("validate", write(tmp_path, lab().replace(piece, other)), cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr, done
    assert esx_netflow("validate", write(tmp_path, lab()), cwd=tmp_path).returncode == 0
