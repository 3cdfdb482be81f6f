# SPDX-License-Identifier: GPL-2.0-only
"""Stores that `grade` reads: each format as its collector writes it, recognised by its columns; units and maps."""

import bz2
import csv
import gzip
import json
import lzma

import numpy as np
import pytest

from esx_netflow import _core
from esx_netflow.grading import grade as grading
from esx_netflow.grading.stores import StoreError, parse_map, read_store
from test_grade_bugs import SENT

ROWS = SENT.records.to_dict("records")
FLAGS = "CEUAPRSF"


def ip(address):
    return _core.dotted(np.array([address], np.uint32))[0]


def iso(ms, zone=""):
    return str(np.datetime64(int(ms), "ms")).replace("T", " " if not zone else "T") + zone


def nfdump_json(r):
    row = {
        "first": iso(r["first"]).replace(" ", "T"),
        "last": iso(r["last"]).replace(" ", "T"),
        "in_packets": r["packets"],
        "in_bytes": r["octets"],
        "proto": r["proto"],
        "src_tos": r["tos"],
    }
    row |= (
        {"icmp_type": r["dport"] >> 8, "icmp_code": r["dport"] & 255}
        if r["proto"] == 1
        else {"src_port": r["sport"], "dst_port": r["dport"]}
    )
    row |= {"input_snmp": r["input"], "output_snmp": r["output"]} if r["input"] or r["output"] else {}
    row |= {"tcp_flags": "".join(sign if r["tcp_flags"] >> 7 - bit & 1 else "." for bit, sign in enumerate(FLAGS))}
    return row | {"src4_addr": ip(r["src"]), "dst4_addr": ip(r["dst"]), "ip4_router": ip(r["exporter"])}


def nfdump_csv(r):
    flags = "".join(sign if r["tcp_flags"] >> 7 - bit & 1 else "." for bit, sign in enumerate(FLAGS))
    port = f"{r['dport'] >> 8}.{r['dport'] & 255}" if r["proto"] == 1 else r["dport"]
    row = {
        "ts": iso(r["first"])[:19],
        "te": iso(r["last"])[:19],
        "sa": ip(r["src"]),
        "da": ip(r["dst"]),
        "sp": r["sport"],
        "dp": port,
        "pr": {6: "TCP", 17: "UDP", 1: "ICMP", 2: "IGMP"}[r["proto"]],
        "flg": flags,
    }
    return row | {
        "stos": r["tos"],
        "ipkt": r["packets"],
        "ibyt": r["octets"],
        "in": r["input"],
        "out": r["output"],
        "ra": ip(r["exporter"]),
        "eng": f"{r['engine'] >> 8}/{r['engine'] & 255}",
    }


def nfacctd(r):
    row = {
        "event_type": "purge",
        "peer_ip_src": ip(r["exporter"]),
        "iface_in": r["input"],
        "iface_out": r["output"],
        "ip_src": ip(r["src"]),
        "ip_dst": ip(r["dst"]),
        "port_src": r["sport"],
        "port_dst": r["dport"],
    }
    row |= {
        "tcp_flags": str(r["tcp_flags"]),
        "ip_proto": {6: "tcp", 17: "udp", 1: "icmp", 2: "igmp"}[r["proto"]],
        "tos": r["tos"],
        "packets": r["packets"],
        "bytes": r["octets"],
    }
    return row | {"timestamp_start": iso(r["first"]) + "000", "timestamp_end": iso(r["last"]) + "000"}


def logstash(r):
    inner = {
        "version": 5,
        "flow_seq_num": r["sequence"],
        "ipv4_src_addr": ip(r["src"]),
        "ipv4_dst_addr": ip(r["dst"]),
        "input_snmp": r["input"],
        "output_snmp": r["output"],
        "in_pkts": r["packets"],
        "in_bytes": r["octets"],
    }
    inner |= {
        "first_switched": iso(r["first"], "Z"),
        "last_switched": iso(r["last"], "Z"),
        "l4_src_port": r["sport"],
        "l4_dst_port": r["dport"],
        "protocol": r["proto"],
        "src_tos": r["tos"],
        "tcp_flags": r["tcp_flags"],
    }
    return {
        "@timestamp": "2026-01-01T00:00:00.000Z",
        "host": {"ip": ip(r["exporter"])},
        "netflow": inner | {"engine_type": r["engine"] >> 8, "engine_id": r["engine"] & 255},
    }


def ft_analyzer(r):
    row = {
        "START_TIME": r["first"],
        "END_TIME": r["last"],
        "PROTOCOL": r["proto"],
        "SRC_IP": ip(r["src"]),
        "DST_IP": ip(r["dst"]),
        "SRC_PORT": r["sport"],
        "DST_PORT": r["dport"],
    }
    return row | {"PACKETS": r["packets"], "BYTES": r["octets"]}


def ours(r):
    names = "tos input output packets octets tcp_flags engine sequence proto sport dport".split()
    return {
        "exporter": ip(r["exporter"]),
        "src": ip(r["src"]),
        "dst": ip(r["dst"]),
        **{name: r[name] for name in names},
        "first_unix_ms": r["first"],
        "last_unix_ms": r["last"],
    }


def write(path, rows, kind):
    with open(path, "w", newline="") as file:
        if kind == "csv":
            out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            out.writeheader()
            out.writerows(rows)
        else:
            file.write(json.dumps(rows) if kind == "list" else "".join(json.dumps(row) + "\n" for row in rows))


FORMATS = [(nfdump_json, "list", "nfdump"), (nfdump_csv, "csv", "nfdump"), (nfacctd, "lines", "nfacctd"),
    (logstash, "lines", "logstash"), (ft_analyzer, "csv", "ft-analyzer"), (ours, "csv", "esx-netflow"),
    (ours, "lines", "esx-netflow")]  # fmt: skip


@pytest.mark.parametrize("make, kind, name", FORMATS, ids=lambda value: getattr(value, "__name__", value))
def test_a_format_is_recognised_and_read(tmp_path, make, kind, name):
    rows = [make(row) for row in ROWS]
    write(tmp_path / "store", rows, kind)
    grade = grading.grade(SENT, tmp_path / "store")
    assert grade.format == name and grade.verdict == "pass", str(grade)
    assert {"src", "dst", "proto", "sport", "dport", "packets", "octets", "first", "last"} <= set(grade.columns)
    wrong = [row for row in rows if row is not rows[7]]
    write(tmp_path / "store", wrong, kind)
    assert grading.grade(SENT, tmp_path / "store").faults[0].what == "records are missing"


def test_units_zones_and_several_files(tmp_path):
    for number in range(2):
        part = [
            {"a": ip(r["src"]), "b": ip(r["dst"]), "kb": r["octets"] * 8, "from": iso(r["first"] + 7_200_000)}
            for r in ROWS[number::2]
        ]
        write(tmp_path / f"store{number}", part, "csv")
    store = read_store(tmp_path / "store*", "any", parse_map("a=src,b=dst,kb=octets:bits,from=first:iso"), 2)
    assert (
        store.files == 2
        and sorted(store.table["octets"]) == sorted(SENT.records["octets"])
        and sorted(store.table["first"]) == sorted(SENT.records["first"])
    )


@pytest.mark.parametrize("by", ["first", "last", "unix_ms"])
@pytest.mark.parametrize("shift_h", [0, 2])
def test_bins_may_be_by_the_first_packet_the_last_one_or_the_export(tmp_path, by, shift_h):
    """As of nfacctd with print_history: 1m."""
    keys = ["exporter", "src", "dst", "proto", "sport", "dport"]
    sums = (
        SENT.records.assign(bin=SENT.records[by] // 60_000 * 60_000)
        .groupby([*keys, "bin"], as_index=False)[["packets", "octets"]]
        .sum()
    )
    rows = []
    for r in sums.to_dict("records"):
        row = {
            "peer_ip_src": ip(r["exporter"]),
            "ip_src": ip(r["src"]),
            "ip_dst": ip(r["dst"]),
            "ip_proto": r["proto"],
            "port_src": r["sport"],
            "port_dst": r["dport"],
        }
        rows.append(
            row
            | {
                "packets": r["packets"],
                "bytes": r["octets"],
                "stamp_inserted": iso(r["bin"] + shift_h * 3_600_000)[:19],
            }
        )
    write(tmp_path / "store", rows, "lines")
    grade = grading.grade(SENT, tmp_path / "store")
    assert [fault.what for fault in grade.faults] == ["bin is off by +2 h, as by a time zone"] * bool(shift_h), str(
        grade
    )
    assert any(
        note.endswith({"first": "first packet", "last": "last packet", "unix_ms": "time of export"}[by])
        for note in grade.notes
    )


def test_sums_by_what_the_store_does_not_have_are_refused(tmp_path):
    write(tmp_path / "store", [ours(row) for row in ROWS], "csv")
    with pytest.raises(
        StoreError, match="--aggregate: no column of this store is sampling or nexthop; there are exporter, engine"
    ):
        grading.grade(SENT, tmp_path / "store", aggregate=["src", "sampling", "nexthop"])
    with pytest.raises(StoreError, match="--bin 60: no time of this store is that of bins"):
        grading.grade(SENT, tmp_path / "store", aggregate=["src"], bin=60)


@pytest.mark.parametrize("text", ["octets", "a=bytes", "a=octets:hours", "a=src:ms", "=src"])
def test_a_wrong_map_is_named(text):
    with pytest.raises(ValueError, match="THEIRS=OURS|the unit of"):
        parse_map(text)


def test_the_store_of_another_run_of_the_same_scenario_is_guessed(tmp_path):
    """The same flows, at other times and of other sizes."""
    random = np.random.default_rng(3)
    rows = [
        {
            **ours(row),
            "packets": int(random.integers(1, 5_000)),
            "octets": int(random.integers(60, 10**6)),
            "first_unix_ms": row["first"] + int(random.integers(-9_000, 9_000)),
        }
        for row in ROWS
    ]
    write(tmp_path / "store", rows, "csv")
    grade = grading.grade(SENT, tmp_path / "store")
    assert grade.verdict == "fail" and "may be the store of another run of the same scenario" in str(grade), str(grade)
    for row, right in zip(rows[::2], ROWS[::2]):
        row.update(ours(right))
    write(tmp_path / "store", rows, "csv")
    assert "another run" not in str(grading.grade(SENT, tmp_path / "store"))


def test_other_binary_stores_are_named(tmp_path):
    (tmp_path / "store").write_bytes(b"\x89PNG\xff")
    with pytest.raises(StoreError, match="binary stores are read of nfdump only"):
        read_store(tmp_path / "store")


@pytest.mark.parametrize("module", [gzip, bz2, lzma])
def test_packed_text_is_read_and_half_of_it_is_named(tmp_path, module):
    write(tmp_path / "store", [ours(row) for row in ROWS], "csv")
    packed = module.compress((tmp_path / "store").read_bytes())
    (tmp_path / "store").write_bytes(packed)
    assert grading.grade(SENT, tmp_path / "store").verdict == "pass"
    (tmp_path / "store").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(StoreError, match="cannot be unpacked"):
        read_store(tmp_path / "store")
    (tmp_path / "store").write_bytes(module.compress(b"\x0c\xa5" + bytes(300)))
    with pytest.raises(StoreError, match="a packed file of nfdump"):
        read_store(tmp_path / "store")


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("octets", 10**30, "column octets: '1000000000000000000000000000000' is no whole number below 2^63"),
        ("octets", 12.5, "'12.5' is no whole number"),
        ("octets", float("inf"), "'inf' is no whole number"),
        ("octets", "many", "'many' is no whole number"),
        ("octets", [1, 2], "'[1, 2]' is no whole number"),
        ("octets", {"sum": 1}, "octets is an object in some rows and '7' in another"),
        ("src", "10.300.1.1", "'10.300.1.1' is no IPv4 address"),
        ("src", "2001:db8::1", "'2001:db8::1' is no IPv4 address"),
        ("proto", "FOO", "'FOO' is no protocol"),
        ("first_unix_ms", "yesterday", "column first_unix_ms: "),
    ],
)
def test_a_value_that_none_can_be_is_named_and_never_read_as_another(tmp_path, field, value, said):
    row = {
        "exporter": "127.0.0.2",
        "src": "10.0.0.1",
        "dst": "10.0.0.2",
        "proto": 6,
        "packets": 1,
        "octets": 7,
        "first_unix_ms": 0,
    }
    write(tmp_path / "store", [row, {**row, field: value}], "lines")
    with pytest.raises(StoreError) as found:
        read_store(tmp_path / "store")
    assert said in str(found.value) and "\n" not in str(found.value), found.value


def test_a_csv_line_of_more_columns_and_json_of_no_end_are_named(tmp_path):
    (tmp_path / "store").write_text("src,dst,packets,octets\n10.0.0.1,10.0.0.2,3,4\n1,2,3,4,5,6\n")
    with pytest.raises(StoreError, match="store: Expected 4 fields in line 3, saw 6$"):
        read_store(tmp_path / "store")
    (tmp_path / "store").write_text("[" * 100_000)
    with pytest.raises(StoreError, match="too deep"):
        read_store(tmp_path / "store")
