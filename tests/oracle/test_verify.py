# SPDX-License-Identifier: GPL-2.0-only
"""A small result folder made by hand; each thing that can be wrong in it must be found."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from oracle.building import ethernet, ipv4, pcap, pcapng, udp
from oracle.capture import Packet
from oracle.flowtruth import MS_NS, FlowTruth, Record, flow_totals
from oracle.netflow5 import WRAP, Datagram, V5Record
from oracle.verify import Switch, verify

S = 10**9
UPTIME_NS = (WRAP - 9000) * MS_NS  # SysUptime wraps 9 s into the run
COLUMNS = (
    "exporter,vswitch,engine,src,dst,proto,sport,dport,tos,input,output,packets,octets,first_ms,last_ms,"
    "tcp_flags,reason,datagram"
).split(",")
LOST = "exporter,vswitch,src,dst,proto,sport,dport,tos,input,cause,packets,octets,records".split(",")
TRAFFIC = [(S + i * S // 10, f"10.0.0.{i % 4}", 4 + i % 2) for i in range(200)]  # time, source, port: idle by 36.1 s


def line(record: Record, **more) -> dict:
    _, packets, octets, first, last, flags = record.counts()
    counts = {"packets": packets, "octets": octets, "first_ms": first, "last_ms": last, "tcp_flags": flags}
    return {
        **record.key._asdict(),
        "engine": "0/1",
        "output": 0,
        **counts,
        "reason": record.reason,
        "datagram": 0,
        **more,
    }


def write(path: Path, columns: list[str], lines: list[dict]) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def read(path: Path) -> list[dict]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def counts(records) -> dict:
    return {"packets": sum(r.packets for r in records), "octets": sum(r.octets for r in records)}


def datagram_of(record: Record, number: int) -> tuple[int, bytes]:
    """-> when it arrives at the collector, the frame"""
    sealed_ns = 40 * S + number * S
    uptime = (sealed_ns + UPTIME_NS) // MS_NS
    k, first, last = record.key, record.first_ns // MS_NS % WRAP, record.last_ns // MS_NS % WRAP
    flow = {"input": 512 + k.input, "sport": k.sport, "dport": k.dport, "proto": k.proto}
    v5 = V5Record(k.src, k.dst, packets=record.packets, octets=record.octets, first=first, last=last, **flow)
    unix_ns = 1_700_000_000 * S + uptime * MS_NS
    d = Datagram(uptime % WRAP, unix_ns // S, unix_ns % S, number, 0, 1, 0, (v5,))
    return sealed_ns + 5 * MS_NS, ethernet(ipv4(udp(5000, 2055, d.encode()), src="10.9.9.1", dst="10.9.9.2"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """4 records: one lost in purgatory, one on the way, one in the collector's socket, one collected; an ARP frame."""
    truth, ports = FlowTruth(), {4: [], 5: []}
    arp = ethernet(bytes(46), 0x0806)
    for time, source, port in TRAFFIC:
        frame = ethernet(ipv4(udp(), src=source))
        ports[port] += [(time, frame, 1), (time, frame, 2)]
        truth.frame(time + UPTIME_NS, frame, len(frame), "esx1", "vSwitch0", port)
    ports[4] += [(30 * S, arp, 1), (99 * S, arp, 1)]  # the last one is seen by nobody
    truth.run_until(98 * S + UPTIME_NS)
    purgatory, link, in_socket, collected = truth.ended
    arrived = [datagram_of(record, number) for number, record in enumerate(truth.ended[2:], 1)]
    arrived.append((arrived[0][0] + 1, arrived[0][1]))  # the network copies one datagram
    lost = [(purgatory, "purgatory_full"), (link, "link_loss"), (in_socket, "socket_buffer")]
    for port, packets in ports.items():
        (tmp_path / f"esx1-vSwitch0-{port}.pcap").write_bytes(pcapng(packets))
    (tmp_path / "nf1.pcap").write_bytes(pcap(arrived))
    write(tmp_path / "flows-exported.csv", COLUMNS, [line(r) for r in truth.ended[1:]])
    write(tmp_path / "flows-collected.csv", COLUMNS, [line(collected)])
    write(tmp_path / "flows-lost.csv", LOST, [line(r, cause=cause, records=1) for r, cause in lost])
    write(tmp_path / "flows-left.csv", [c if c != "cause" else "state" for c in LOST], [])
    totals = [Record(k, 0, t.first_ns, t.last_ns, t.packets, t.octets) for k, t in flow_totals(truth.ended).items()]
    write(tmp_path / "flows-truth.csv", COLUMNS, [line(r) for r in totals])
    ledger = {
        "truth": counts(truth.ended),
        "collected": counts([collected]),
        "ignored": {"not_ipv4": {"packets": 1, "octets": 46}},
    }
    ledger["lost"] = {cause: counts([r]) for r, cause in lost}
    ledger["left"] = {}
    summary = {"ledger": ledger, "residual": {"packets": 0, "octets": 0, "records": 0}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    monitored = {"exporter": "esx1", "address": "10.9.9.1", "vswitch": "vSwitch0", "engine": 1, "dash_p": True}
    monitored |= {"from_ns": 0, "to_ns": 98 * S, "uptime_at_start_ns": UPTIME_NS}
    captures = [
        {
            "file": f"esx1-vSwitch0-{p}.pcap",
            "kind": "port",
            "exporter": "esx1",
            "vswitch": "vSwitch0",
            "port": p,
            "direction": "both",
        }
        for p in ports
    ]
    captures.append({"file": "nf1.pcap", "kind": "collector", "node": "nf1", "address": "10.9.9.2", "udp_port": 2055})
    (tmp_path / "captures.json").write_text(json.dumps({"monitored": [monitored], "captures": captures}))
    return tmp_path


def test_a_true_folder_has_no_finding(folder):
    assert verify(folder) == []


def change_cell(folder: Path, table: str, row: int, **cells) -> None:
    lines = read(folder / table)
    lines[row] |= cells
    write(folder / table, list(lines[0]), lines)


def drop_row(folder: Path, table: str, row: int) -> None:
    lines = read(folder / table)
    write(folder / table, list(lines[0]), lines[:row] + lines[row + 1 :])


def change_json(folder: Path, *path_and_value) -> None:
    *path, last, value = path_and_value
    content = json.loads((folder / "summary.json").read_text())
    place = content
    for step in path:
        place = place[step]
    place[last] = value
    (folder / "summary.json").write_text(json.dumps(content))


WRONG = {
    "flows-truth.csv lacks": lambda f: change_cell(f, "flows-truth.csv", 0, octets=1),
    "flows-truth.csv has in excess": lambda f: change_cell(f, "flows-truth.csv", 0, first_ms=1),
    "captured, but not exported": lambda f: change_cell(f, "flows-exported.csv", 2, last_ms=1),
    "collected, but not captured": lambda f: change_cell(f, "flows-collected.csv", 0, input=9),
    "exported, but no such record": lambda f: change_cell(f, "flows-exported.csv", 0, first_ms=1),
    "truth - captured": lambda f: drop_row(f, "flows-lost.csv", 0),
    "listed as lost 51": lambda f: change_cell(f, "flows-lost.csv", 0, packets=51),
    "captured - collected": lambda f: drop_row(f, "flows-lost.csv", 2),
    "truth: 1 packets": lambda f: change_json(f, "ledger", "truth", "packets", 1),
    "collected: 1 octets": lambda f: change_json(f, "ledger", "collected", "octets", 1),
    "ignored.not_ipv4": lambda f: change_json(f, "ledger", "ignored", {}),
    "lost.link_loss": lambda f: change_json(f, "ledger", "lost", "link_loss", {"packets": 1, "octets": 28}),
    "lost.gremlins": lambda f: change_json(f, "ledger", "lost", "gremlins", {"packets": 1, "octets": 28}),
    "residual": lambda f: change_json(f, "residual", "records", 1),
    "capture: nf1.pcap: after 0 packets": lambda f: (f / "nf1.pcap").write_bytes(b"\xd4\xc3\xb2"),
    "listed as lost 0": lambda f: (f / "nf1.pcap").write_bytes(pcap([])),
}


@pytest.mark.parametrize("finding", WRONG)
def test_what_is_wrong_is_found(folder, finding):
    WRONG[finding](folder)
    assert any(finding in text for text in verify(folder)), verify(folder)


def test_one_more_packet_on_a_port_is_found(folder):
    index = json.loads((folder / "captures.json").read_text())
    (folder / "more.pcap").write_bytes(pcap([(30 * S, ethernet(ipv4(udp(), src="10.0.0.77")))]))
    index["captures"].append({**index["captures"][0], "file": "more.pcap", "direction": "in"})
    (folder / "captures.json").write_text(json.dumps(index))
    assert any("flows-truth.csv lacks" in text and "10.0.0.77" in text for text in verify(folder))


def evicting(folder: Path) -> None:
    """The first exported record's flow lost another record by eviction, and begins elsewhere: no fault of the
    product's."""
    first = read(folder / "flows-exported.csv")[0]
    lost = read(folder / "flows-lost.csv")
    change_cell(folder, "flows-exported.csv", 0, first_ms=1)
    change_cell(folder, "flows-lost.csv", [row["src"] for row in lost].index(first["src"]), cause="evicted")


def test_flows_that_lost_records_by_eviction_need_not_follow_from_the_packets(folder):
    evicting(folder)
    assert not any("exported, but no such record" in text for text in verify(folder))


A, B, WIRE = (bytes([2, 0, 0, 0, 0, n]) for n in (1, 2, 3))


def switch(tag: bytes = b"\x08\x00", uplinks=(2,), role="local") -> Switch:
    """A behind port 3, B behind port 4, others behind the uplinks."""
    learnt = Switch()
    for port, mac in ((3, A), (4, B), *((uplink, WIRE) for uplink in uplinks)):
        entry = {"port": port, "direction": "in", "role": "uplink" if port in uplinks else role}
        frame = WIRE + mac + tag + bytes(46)
        learnt.learn(entry, [Packet(0, len(frame), frame, 1)])
    return learnt


@pytest.mark.parametrize(
    ("port", "destination", "output"),
    [
        (3, B, 4),
        (3, A, 0),
        (3, WIRE, 2),
        (2, A, 3),
        (2, WIRE, 0),
        (3, b"\xff" * 6, 0),
        (2, b"\x01\x00\x5e\x00\x00\x01", 0),
    ],
)
def test_output_is_the_port_of_the_destination(port, destination, output):
    assert switch().output({"port": port}, destination + A) == output


def test_without_an_uplink_unknown_addresses_leave_nowhere():
    assert switch(uplinks=()).output({"port": 3}, WIRE + A) == 0


def test_own_export_is_left_out_where_it_is_not_metered(folder):
    """It enters by another port of the vSwitch; a datagram to another port of the collector is no export."""
    index = json.loads((folder / "captures.json").read_text())
    export, other = (ethernet(ipv4(udp(dport=port), src="10.9.9.1", dst="10.9.9.2")) for port in (2055, 53))
    (folder / "esx1-vSwitch0-7.pcap").write_bytes(pcapng([(5 * S, export, 1)]))
    index["captures"].append({**index["captures"][0], "file": "esx1-vSwitch0-7.pcap", "port": 7})
    index["monitored"][0]["meter_own_export"] = False
    (folder / "captures.json").write_text(json.dumps(index))
    summary = json.loads((folder / "summary.json").read_text())
    summary["ledger"]["ignored"]["own_export"] = {"packets": 1, "octets": 28}
    (folder / "summary.json").write_text(json.dumps(summary))
    assert verify(folder) == []
    (folder / "esx1-vSwitch0-7.pcap").write_bytes(pcapng([(5 * S, export, 1), (6 * S, other, 1)]))
    assert any("flows-truth.csv lacks" in finding for finding in verify(folder))


def test_an_address_that_never_sends_is_where_it_is_registered():
    silent = switch()
    silent.learn({"port": 5, "direction": "in", "role": "local", "mac": "02:00:00:00:00:09"}, [])
    assert silent.output({"port": 3}, bytes([2, 0, 0, 0, 0, 9]) + A) == 5


def test_an_address_leaves_by_a_port_while_it_is_plugged_in_there():
    moved = switch()
    moved.spans[4] = (0, 5 * S)  # B was in port 4 until 5 s, elsewhere until 9 s, and is in port 6 since
    moved.learn(
        {"port": 6, "direction": "in", "role": "local", "from_ns": 9 * S}, [Packet(9 * S, 60, WIRE + B + bytes(48), 1)]
    )
    assert moved.is_judged
    assert [moved.output({"port": 3}, B + A, at * S) for at in (4, 5, 8, 9)] == [4, 2, 2, 6]


def test_outputs_are_not_judged_with_vlans_teams_or_unknown_roles():
    assert switch().is_judged
    assert not switch(tag=b"\x81\x00").is_judged
    assert not switch(uplinks=(2, 5)).is_judged
    moved = switch()
    moved.learn({"port": 4, "direction": "in", "role": "local"}, [Packet(0, 60, WIRE + A + bytes(48), 1)])
    assert not moved.is_judged, "A was seen at two ports at once"
    nameless = Switch()
    nameless.learn({"port": 3, "direction": "in"}, [])
    assert not nameless.is_judged


def oracle(*arguments) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.run(
        [sys.executable, "-m", "oracle", *map(str, arguments)], env=environment, capture_output=True, text=True
    )


def test_command(folder, tmp_path_factory):
    done = oracle(folder)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith(
        "2 records at the collectors; 0 disagreements\n"
    )
    drop_row(folder, "flows-lost.csv", 0)
    assert oracle(folder).returncode == 1
    for bad in ([], ["-h"], [tmp_path_factory.mktemp("empty")]):
        assert oracle(*bad).returncode == 2
