# SPDX-License-Identifier: GPL-2.0-only
"""Destinations where no collector can be, checksums of what is written, broadcast pings, and guests that all begin in
one instant."""

import csv
import struct

import pytest
from labs import QUICKSTART, lab, summary, write

from oracle.capture import read_capture

EXPORT_LINE = "-e vSwitch0 10.6.125.84:2055"


def rows(folder, name):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "address", ["224.0.0.1", "224.0.0.251", "239.1.1.1", "0.0.0.0", "255.255.255.255", "240.0.0.1", "10.6.125.255"]
)
def test_what_no_socket_sends_is_send_failed(esx_netflow, tmp_path, address):
    scenario = write(tmp_path, lab().replace(EXPORT_LINE, f"-e vSwitch0 {address}"))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out")
    assert done.returncode in (0, 1), done
    datagrams = rows(tmp_path / "out", "datagrams.csv")
    assert datagrams and {row["fate"] for row in datagrams} == {"send_failed"}
    assert summary(tmp_path / "out")["residual"] == {"packets": 0, "octets": 0, "records": 0}
    assert esx_netflow("advise", scenario).returncode in (0, 1)


def test_a_ping_to_a_multicast_address_is_refused(esx_netflow):
    lines = "vmkping -c 1 224.0.0.1\nrun 5s\nvmkping -c 1 -s 3000 10.6.125.84\nrun 5s\n"
    done = esx_netflow("console", QUICKSTART, input=lines)
    assert done.returncode == 0, done
    assert "No route to host" in done.stderr + done.stdout
    assert "3008 bytes from 10.6.125.84" in done.stdout


def test_nobody_answers_a_ping_from_a_broadcast_address(esx_netflow, tmp_path):
    text = lab().replace("timeline:\n", "timeline:\n  - {at: 2s, host: esx1, run: vmkping -c 2 10.6.125.255}\n")
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out")
    assert done.returncode == 0, done
    sources = {row["src"] for row in rows(tmp_path / "out", "flows-truth.csv") if row["proto"] == "1"}
    assert sources == {"10.6.125.10", "10.6.125.101", "10.6.125.102", "10.6.125.84"}


def checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ip_of(packet) -> bytes | None:
    """The IPv4 packet in a captured frame, as much as there is."""
    data = packet.data
    if packet.linktype == 101:
        return data
    at = 12
    while data[at : at + 2] == b"\x81\x00":
        at += 4
    return data[at + 2 :] if data[at : at + 2] == b"\x08\x00" else None


def test_captures_have_the_checksums_that_readers_look_at(esx_netflow, tmp_path):
    options = ("--captures", "--annotate", "--quiet", "--out", tmp_path)
    done = esx_netflow("run", QUICKSTART, *options)
    assert done.returncode == 0, done
    seen = {1: 0, 6: 0, 17: 0}
    files = sorted(tmp_path.glob("*.pcap*"))
    assert len(files) > 5 and any(file.suffix == ".pcapng" for file in files)
    for file in files:
        for packet in read_capture(file):
            ip = ip_of(packet)
            if ip is None:
                continue
            size, total = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0]
            assert checksum(ip[:size]) == 0xFFFF, file
            seen[ip[9]] += 1
            if ip[9] == 6 and len(ip) >= total:
                pseudo = ip[12:20] + struct.pack(">HH", 6, total - size)
                assert checksum(pseudo + ip[size:total]) == 0xFFFF, file
    assert seen[6] > 1000 and seen[17] > 1000


def crowd(hosts: int, guests: int) -> str:
    """Every VM begins in one instant to send to a VM of the next host, over short queues."""
    text = ["version: 1\nname: crowd\nrun: {duration: 12s}\nhosts:"]
    for host in range(hosts):
        text.append(
            f"  esx{host}:\n    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM: {{}}}}}}}}\n    vms:"
        )
        text += [
            f"      v{host}-{vm}: {{nics: [{{portgroup: VM, address: 10.0.{host}.{vm + 1}/16}}]}}"
            for vm in range(guests)
        ]
    text.append("nodes: {sw: {kind: switch}}\nlinks:")
    text += [f"  - {{endpoints: [esx{host}:vmnic0, sw:{host + 1}], rate: 10Gbps, queue: 2p}}" for host in range(hosts)]
    text.append("traffic:")
    text += [
        (
            f"  - {{name: t{host}-{vm}, app: udp-cbr, from: v{host}-{vm}, to: v{(host + 1) % hosts}-{vm}, port: 9, "
            f"start: 3s, rate: 16kbps}}"
        )
        for host in range(hosts)
        for vm in range(guests)
    ]
    return "\n".join(text) + "\n"


def test_guests_that_begin_in_one_instant_all_send(esx_netflow, tmp_path):
    done = esx_netflow("run", write(tmp_path, crowd(8, 16)), "--out", tmp_path / "out", "--captures")
    assert done.returncode == 0, done
    senders = set()
    for file in (tmp_path / "out").glob("esx*-vSwitch0-*.pcap"):
        for packet in read_capture(file):
            ip = ip_of(packet)
            if ip is not None and ip[9] == 17:
                senders.add(ip[12:16])
    assert len(senders) == 8 * 16
