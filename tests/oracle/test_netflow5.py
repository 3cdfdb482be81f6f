# SPDX-License-Identifier: GPL-2.0-only
import random
import struct
from pathlib import Path

import pytest
from oracle.building import ethernet, ipv4, pcap, udp
from oracle.capture import parse_capture
from oracle.netflow5 import (
    Datagram,
    DatagramError,
    V5Record,
    check_rules,
    count_fragments,
    decode,
    read_collector_capture,
    unique_datagrams,
)

DATA = Path(__file__).parent.parent / "data"
BOOT_S = 1_700_000_000
GOOD = V5Record(
    "10.0.0.1", "10.0.0.2", proto=6, sport=1, dport=2, tcp_flags=0x12, packets=2, octets=80, first=400, last=900
)


def datagram(sequence=0, uptime=1000, records=(GOOD,), engine=3, **changes) -> Datagram:
    seconds, ms = divmod(uptime, 1000)
    d = Datagram(
        uptime % 2**32, BOOT_S + seconds, ms * 10**6, sequence % 2**32, 0, engine, 0, tuple(records), "10.9.9.1", 5000
    )
    return d._replace(**changes)


def complaints(*datagrams, **mode) -> set[str]:
    return {text.split(":")[0] for text in check_rules(datagrams, **mode)}


def test_recorded_datagram_decodes_and_encodes_back():
    data = (DATA / "telegraf_v5.bin").read_bytes()
    d = decode(data)
    assert (len(d.records), d.uptime, d.unix_secs, d.sequence, d.engine, d.sampling) == (
        8,
        0x055D5638,
        0x63528BA1,
        0,
        0x1356,
        0,
    )
    assert d.records[0] == V5Record(
        "140.82.121.3", "192.168.119.100", packets=78, octets=87477, first=0x05265E94, last=0x052668F4,
        sport=443, dport=55516, tcp_flags=0x18, proto=6,
    )  # fmt: skip
    assert d.encode() == data
    assert complaints(d) == set()


@pytest.mark.parametrize(
    "file, reason",
    [
        ("logstash_netflow5_test_invalid01.dat", "count over 30"),
        ("logstash_netflow5_test_microtik.dat", "wrong version"),
    ],
)
def test_recorded_bad_datagram_is_refused(file, reason):
    with pytest.raises(DatagramError, match=f"^{reason}$"):
        decode((DATA / file).read_bytes())


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "truncated header"),
        (datagram().encode()[:23], "truncated header"),
        (b"\0\x09" + datagram().encode()[2:], "wrong version"),
        (b"\0\5\0\0" + datagram().encode()[4:24], "count 0"),
        (datagram(records=[GOOD] * 31).encode(), "count over 30"),
        (datagram().encode()[:-1], "length"),
        (datagram().encode() + b"\0", "length"),
        (datagram(records=[GOOD] * 2).encode()[:72], "length"),
    ],
)
def test_refused_with_a_reason(data, reason):
    with pytest.raises(DatagramError, match=f"^{reason}$"):
        decode(data)


def test_decode_inverts_encode_and_damage_is_refused_or_decodes():
    rng = random.Random(4)
    for _ in range(300):
        values = lambda *widths: [rng.randrange(2**bits) for bits in widths]
        record = lambda: V5Record(
            "1.2.3.4", "5.6.7.8", "9.9.9.9", *values(16, 16, 32, 32, 32, 32, 16, 16, 8, 8, 8, 8, 16, 16, 8, 8, 16)
        )
        records = tuple(record() for _ in range(rng.randrange(1, 31)))
        d = Datagram(*values(32, 32, 32, 32, 8, 8, 16), records)
        data = d.encode()
        assert decode(data) == d and len(data) == 24 + 48 * len(records)
        try:
            assert decode(data[: rng.randrange(len(data))] + bytes(rng.randrange(3))).encode()
        except DatagramError:
            pass


def test_a_clean_stream_has_no_complaint():
    full = datagram(1, 2000, [GOOD] * 30)
    assert check_rules([datagram(), full, datagram(31, 2000), datagram(0, 2500, engine=4)]) == []


def record(**changes) -> Datagram:
    return datagram(records=[GOOD._replace(**changes)])


BROKEN = {
    "R3 begins elsewhere": [datagram(7)],
    "R3 gap": [datagram(), datagram(2)],
    "R3 last record's number": [datagram(0, records=[GOOD] * 2), datagram(1)],
    "R3 restart not allowed": [datagram(), datagram(1), datagram(0, 2000)],
    "R4 shared counter": [datagram(0), datagram(1, engine=4)],
    "R5 Last before First": [record(first=901)],
    "R5 Last after SysUptime": [record(last=1001)],
    "R5 uptime goes back": [datagram(0, 2000), datagram(1, 1999)],
    "R6 First too far back": [record(first=(1000 - 2**31 - 1) % 2**32, last=(1000 - 2**31 - 1) % 2**32)],
    "R7 clock drifts": [datagram(), datagram(1, 2000, unix_nsecs=10**6)],
    "R7 nsecs of a second": [datagram(unix_nsecs=10**9)],
    "R8 before 1970": [datagram(unix_secs=0, unix_nsecs=999_999_999)],
    "R9 sampling": [datagram(sampling=1)],
    "R10 ICMP source port": [record(proto=1, tcp_flags=0, sport=8)],
    "R11 no packet": [record(packets=0)],
    "R11 19 octets": [record(packets=1, octets=19)],
    "R12 nexthop": [record(nexthop="0.0.0.1")],
    "R13 source port": [datagram(), datagram(1, source_port=5001)],
    "R15 flags of UDP": [record(proto=17)],
} | {f"R12 {name}": [record(**{name: 1})] for name in ("pad1", "src_as", "dst_as", "src_mask", "dst_mask", "pad2")}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_rule_is_named(case):
    rule = "R3" if case.startswith("R4") else case.split()[0]  # one counter for two engines shows as R3
    assert rule in complaints(*BROKEN[case])


def test_uptime_and_sequence_wrap():
    before, after = 2**32 - 500, 2**32 + 500
    crossing = GOOD._replace(first=before - 100, last=after % 2**32)
    stream = [datagram(-1, before, [GOOD._replace(first=before - 9, last=before)]), datagram(0, after, [crossing])]
    assert check_rules(stream, first_sequence=2**32 - 1) == []


def test_loss_disorder_and_copies_are_the_network_s_but_overlap_is_not():
    a, b, c = datagram(5, 1000), datagram(9, 1000), datagram(10, 1500)
    assert check_rules([c, a, b, b], lossy=True) == []
    assert complaints(a, datagram(5, 1200), c, lossy=True) == {"R3"}
    assert complaints(b, datagram(5, 1200), lossy=True) == {"R3"}
    assert check_rules([b, datagram(5, 1200, source_port=6000)], lossy=True, restarts=True) == []
    assert unique_datagrams([a, b, a._replace(time_ns=4)]) == [a, b]


def test_restart_begins_at_zero_and_may_change_the_source_port():
    assert check_rules([datagram(), datagram(0, 2000, source_port=5001)], restarts=True) == []
    assert complaints(datagram(), datagram(3, 2000), restarts=True) == {"R3"}


def test_fragments_are_joined_in_any_order_when_all_are_there():
    segment = udp(5000, 2055, datagram().encode())
    fragment = lambda begin, end: ethernet(
        ipv4(segment[begin:end], fragment=begin // 8 | (0x2000 if end < len(segment) else 0))
    )
    pieces = [fragment(32, 64), fragment(64, len(segment)), fragment(0, 32)]
    packets = list(parse_capture(pcap([(7 + i, frame) for i, frame in enumerate(pieces)])))
    (joined,) = read_collector_capture(packets, 2055).datagrams
    assert joined == datagram(time_ns=9)._replace(exporter=joined.exporter)
    assert (
        read_collector_capture(packets[:2], 2055).datagrams == read_collector_capture(packets[1:], 2055).datagrams == []
    )
    assert count_fragments(packets) == 3


def test_datagrams_are_read_out_of_a_collector_capture():
    payload = datagram().encode()
    to_collector = lambda data, port=2055, **ip: ethernet(
        ipv4(udp(5000, port, data), src="10.9.9.1", dst="10.9.9.2", **ip)
    )
    frames = [
        to_collector(payload) + b"FCS.",
        to_collector(payload, port=53),
        to_collector(payload[:-1]),
        to_collector(payload, fragment=0x2000),
        to_collector(payload, proto=6),
        ethernet(bytes(46), 0x0806),
        ethernet(ipv4(udp(5000, 2055, payload), dst="10.9.9.3"), tags=[(0x8100, 4)]),
    ]
    packets = list(parse_capture(pcap([(7, frame) for frame in frames])))
    seen = read_collector_capture(packets, 2055, "10.9.9.2")
    assert (seen.datagrams, seen.refused) == ([datagram(time_ns=7)], ["length"])
    assert count_fragments(packets) == 1
    assert len(read_collector_capture(packets, 2055).datagrams) == 2
    ppp = list(parse_capture(pcap([(7, b"\0\x21" + frames[0][14:])], linktype=9)))
    assert read_collector_capture(ppp, 2055).datagrams == [datagram(time_ns=7)]
    raw = list(parse_capture(pcap([(7, frames[0][14:])], linktype=101)))
    assert read_collector_capture(raw, 2055).datagrams == [datagram(time_ns=7)]


def test_header_layout():
    d = datagram(0x01020304, records=[GOOD], engine_type=9, engine_id=8, sampling=7)
    assert struct.unpack_from("!HHI", d.encode()) == (5, 1, 1000) and d.encode()[16:24] == bytes(
        [1, 2, 3, 4, 9, 8, 0, 7]
    )


def test_unix_nsecs_may_be_left_zero_if_told():
    zeroed = [datagram(unix_nsecs=0), datagram(1, 1999, unix_nsecs=0)]
    assert any(text.startswith("R7") for text in check_rules(zeroed))
    exporter = {zeroed[0].exporter}
    assert not any(text.startswith("R7") for text in check_rules(zeroed, whole_seconds=exporter))
    assert any("not zero" in text for text in check_rules([datagram(unix_nsecs=5)], whole_seconds=exporter))
