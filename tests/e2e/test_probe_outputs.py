# SPDX-License-Identifier: GPL-2.0-only
"""probe's ways out: several collectors, a capture, CSV and JSON; link layers, VLANs and uptimes on its way in.
collect's tables."""

import csv
import io
import json
import struct

import pytest
from oracle.building import ethernet, ipv4, pcap, pcapng, udp
from oracle.capture import read_capture
from oracle.netflow5 import check_rules, decode
from probing import BOOT_NS, DIFFERENTIAL, SECOND_NS, ClosedPort, Sink, mixed_packets, records_of, statistics


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(mixed_packets(500, 11)))
    return path


def rows_of_csv(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


def rows_of_json(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def as_record(row: dict) -> tuple:
    """A row of either form as probing.records_of() gives it"""
    numbers = (int(row[name]) for name in ("packets", "octets", "first_ms", "last_ms", "tcp_flags"))
    key = (row["src"], row["dst"], *(int(row[name]) for name in ("proto", "sport", "dport", "tos")))
    return (*key, *numbers)


def test_every_way_out_has_the_same_records(esx_netflow, tmp_path, capture):
    written, table = tmp_path / "out.pcap", tmp_path / "records.csv"
    with Sink() as sink:
        done = esx_netflow("probe", "-r", capture, "-n", sink.target, "-w", written, "--csv", table, "--json", "-")
        assert done.returncode == 0 and "residual" in done.stderr  # text goes where the table does not
        datagrams, payloads = [], sink.payloads()
    datagrams = [decode(payload) for payload in payloads]
    assert len(datagrams) > 10
    for rows in (rows_of_csv(table.read_text()), rows_of_json(done.stdout)):
        assert [as_record(row) for row in rows] == records_of(datagrams)
        assert {int(row["engine"]) for row in rows} == {1} and {row["exporter"] for row in rows} == {"probe"}
        assert [int(row["datagram"]) for row in rows] == [n for n, d in enumerate(datagrams) for _ in d.records]
        assert {row["reason"] for row in rows} <= {"idle", "active"}
    frames = read_capture(written)
    assert [frame.data[42:] for frame in frames] == payloads
    assert [frame.time_ns for frame in frames] == [d.unix_ns for d in datagrams]


def test_collect_reads_back_what_probe_wrote(esx_netflow, tmp_path, capture):
    written = tmp_path / "out.pcap"
    sent = esx_netflow("probe", "-r", capture, "-w", written, "--csv", "-")
    for option, read in (("--csv", rows_of_csv), ("--json", rows_of_json)):
        got = esx_netflow("collect", "-r", written, option, "-")
        rows = read(got.stdout)
        assert [as_record(row) for row in rows] == [as_record(row) for row in rows_of_csv(sent.stdout)]
        assert (
            f"records {len(rows)} exporters-and-engines 1\nsequence gaps 0 records-missing 0 late 0 "
            "duplicates 0 restarts 0"
        ) in got.stderr
        assert all(
            int(row["first_unix_ms"]) - int(row["first_ms"])
            == BOOT_NS // 10**6
            == int(row["last_unix_ms"]) - int(row["last_ms"])
            for row in rows
        )
        assert all(BOOT_NS <= int(row["unix_ns"]) for row in rows)
        assert {row["exporter"] for row in rows} == {"127.0.0.1"}


def test_collect_tells_what_it_refuses_beside_the_table(esx_netflow, tmp_path):
    path = tmp_path / "bad.pcap"
    path.write_bytes(pcap([(BOOT_NS, ethernet(ipv4(udp(5000, 2055, b"\0\5\0\1short"))))]))
    done = esx_netflow("collect", "-r", path, "--csv", "-")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert "datagram 1 from 10.0.0.1:5000 refused: truncated header" in done.stderr


@pytest.mark.parametrize("option", ["-w", "--csv", "--json"])
@pytest.mark.parametrize("path", ["/nonexistent/file", "/dev/full"])
def test_a_file_that_cannot_be_written_gives_2(esx_netflow, option, path):
    done = esx_netflow("probe", "-r", DIFFERENTIAL, option, path)
    assert done.returncode == 2 and f"{path}: cannot be written: " in done.stderr


def test_each_collector_has_its_own_losses(esx_netflow):
    with Sink() as first, Sink() as second, ClosedPort() as closed:
        nobody = closed.target
        targets = [argument for target in (first.target, nobody, second.target) for argument in ("-n", target)]
        done = esx_netflow("probe", "-r", DIFFERENTIAL, *targets)
        assert done.returncode == 0
        assert records_of(first.datagrams()) == records_of(second.datagrams()) != []
    assert f"\n{first.target}: sent 6 refused 0 no-buffers 0 failed 0\n" in done.stdout
    assert f"\n{nobody}: sent 6 refused 6 no-buffers 0 failed 0 (last error: Connection refused)\n" in done.stdout


def test_datagrams_no_socket_takes_are_lost_for_that_collector_only(esx_netflow):
    broadcast = "255.255.255.255:9"  # a socket without SO_BROADCAST may not send there
    with Sink() as sink:
        done = esx_netflow("probe", "-r", DIFFERENTIAL, "-n", sink.target, "-n", broadcast)
        if done.returncode == 3:  # or may not even connect: the address cannot be opened
            assert broadcast in done.stderr
            return
        assert len(records_of(sink.datagrams())) == 8
    assert (
        f"{broadcast}: sent 0 refused 0 no-buffers 0 failed 6; lost 8 records of 26 packets, 4490 octets" in done.stdout
    )
    assert statistics(done.stdout)["sent"] == (26, 4490, 8)


COOKED = struct.pack("!HHH8sH", 0, 1, 6, bytes(8), 0x0800)
COOKED_V2 = struct.pack("!HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, bytes(8))
LINKS = {
    "cooked": (113, COOKED),
    "cooked-v2": (276, COOKED_V2),
    "raw": (101, b""),
    "ipv4": (228, b""),
    "null": (0, struct.pack("<I", 2)),
    "null-big-endian": (0, struct.pack(">I", 2)),
    "loop": (108, struct.pack(">I", 2)),
}


@pytest.mark.parametrize("link", LINKS)
def test_the_link_layer_changes_nothing(esx_netflow, tmp_path, link):
    packets = [(BOOT_NS + n * 10**8, ipv4(udp(1000 + n % 7, 53, bytes(n)))) for n in range(60)]
    number, header = LINKS[link]
    tables = []
    for link_type, before in ((1, ethernet(b"")), (number, header)):
        path = tmp_path / f"{link_type}.pcap"
        path.write_bytes(pcap([(time_ns, before + packet) for time_ns, packet in packets], linktype=link_type))
        tables.append(esx_netflow("probe", "-r", path, "--csv", "-").stdout)
    assert tables[0] == tables[1] and len(rows_of_csv(tables[0])) == 7


def test_vlans_enter_their_vswitch_by_their_port(esx_netflow, tmp_path):
    tags = (), ((0x8100, 101),), ((0x88A8, 102), (0x8100, 101)), ((0x8100, 103),)
    path = tmp_path / "trunk.pcap"
    path.write_bytes(pcapng([(BOOT_NS + n, ethernet(ipv4(udp(n, 53)), tags=tags[n % 4]), 0) for n in range(40)]))
    ports = "--map", "101=3:13", "--map", "102=2:7", "--switch", 1, "--input", 9
    with Sink() as sink:
        done = esx_netflow("probe", "-r", path, "-n", sink.target, *ports)
        datagrams = sink.datagrams()
    assert check_rules(datagrams) == []
    assert {(d.engine, r.input, r.sport % 4) for d in datagrams for r in d.records} == {
        (1, 9, 0),
        (3, 13, 1),
        (2, 7, 2),
        (1, 9, 3),
    }
    assert statistics(done.stdout)["residual"] == (0, 0, 0)


@pytest.mark.parametrize("before_wrap_s", [0, 1, 200, 400])
def test_uptime_wraps_without_a_wrong_time(esx_netflow, tmp_path, before_wrap_s):
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(mixed_packets(500, 12)))
    uptime = 2**32 / 1000 - before_wrap_s
    scans = "--scan-interval", 1  # so that scans are at the same instants in both
    with Sink() as sink, Sink() as unwrapped:
        esx_netflow("probe", "-r", path, "-n", sink.target, *scans, "--uptime", uptime)
        esx_netflow("probe", "-r", path, "-n", unwrapped.target, *scans)
        wrapped, plain = sink.datagrams(), unwrapped.datagrams()
    assert check_rules(wrapped) == []
    shift = round(uptime * 1000)
    moved = [(*r[:8], (r[8] + shift) % 2**32, (r[9] + shift) % 2**32, r[10]) for r in records_of(plain)]
    assert records_of(wrapped) == moved
    assert [d.uptime for d in wrapped] == [(d.uptime + shift) % 2**32 for d in plain]


def test_flows_may_be_bounded(esx_netflow, tmp_path):
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap([(BOOT_NS, ethernet(ipv4(udp(n, 53))), 42) for n in range(50)]))
    done = esx_netflow("probe", "-r", path, "--max-flows", 20)
    assert statistics(done.stdout)["shed_cache_full"] == (30, 30 * 28, 0)


def test_head_drop_loses_the_oldest_waiting(esx_netflow, tmp_path):
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap([(BOOT_NS, ethernet(ipv4(udp(n, 53))), 42) for n in range(50)]))
    lossy = "--lossy", "--purgatory", 10, "--csv", "-"
    kept = {}
    for policy in ("tail-drop", "head-drop"):
        done = esx_netflow("probe", "-r", path, *lossy, "--purgatory-policy", policy)
        kept[policy] = [int(row["sport"]) for row in rows_of_csv(done.stdout)]
    assert kept == {"tail-drop": list(range(10)), "head-drop": list(range(40, 50))}


def test_statistics_come_at_their_period_of_capture_time(esx_netflow, tmp_path):
    path = tmp_path / "in.pcap"
    times = (0, 1, 9.9, 10, 11, 35, 36)
    path.write_bytes(pcap([(BOOT_NS + int(t * SECOND_NS), ethernet(ipv4(udp())), 42) for t in times]))
    done = esx_netflow("probe", "-r", path, "--stats", 10)
    lines = [line for line in done.stdout.splitlines() if line.startswith("uptime ")]
    assert [line.split(" shed")[0] for line in lines] == [
        "uptime 10.000 packets 4 metered 4",
        "uptime 35.000 packets 6 metered 6",
    ]


def test_it_ends_after_a_count_of_packets(esx_netflow, capture):
    done = esx_netflow("probe", "-r", capture, "-c", 7)
    assert done.returncode == 0 and statistics(done.stdout)["offered"][0] == 7
