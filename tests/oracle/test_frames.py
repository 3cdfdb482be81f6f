# SPDX-License-Identifier: GPL-2.0-only
import random

import pytest
from oracle.building import ethernet, ipv4, tcp, udp
from oracle.frames import Frame, Verdict, parse_frame

NOT_IPV4, TRUNCATED, MALFORMED = Verdict.NOT_IPV4, Verdict.TRUNCATED, Verdict.MALFORMED
Q, AD = (0x8100, 5), (0x88A8, 7)


def flow(frame: bytes) -> tuple:
    seen = parse_frame(frame, len(frame))
    assert seen.verdict is Verdict.METERED
    return (seen.octets, seen.proto, seen.sport, seen.dport, seen.tcp_flags)


METERED = {
    "udp": (ethernet(ipv4(udp(data=b"xyz"))), (31, 17, 1000, 2000, 0)),
    "tcp flags as they are": (ethernet(ipv4(tcp(flags=0xFF), proto=6)), (40, 6, 1000, 80, 255)),
    "padding is not counted": (ethernet(ipv4(udp()) + bytes(18)), (28, 17, 1000, 2000, 0)),
    "802.1Q": (ethernet(ipv4(udp()), tags=[Q]), (28, 17, 1000, 2000, 0)),
    "QinQ": (ethernet(ipv4(udp()), tags=[AD, Q]), (28, 17, 1000, 2000, 0)),
    "ip options": (ethernet(ipv4(udp(), options=bytes(40))), (68, 17, 1000, 2000, 0)),
    "udp-lite": (ethernet(ipv4(udp(), proto=136)), (28, 136, 1000, 2000, 0)),
    "sctp": (ethernet(ipv4(udp(), proto=132)), (28, 132, 1000, 2000, 0)),
    "dccp": (ethernet(ipv4(udp(), proto=33)), (28, 33, 1000, 2000, 0)),
    "igmp has no ports": (ethernet(ipv4(udp(), proto=2)), (28, 2, 0, 0, 0)),
    "gre has no ports": (ethernet(ipv4(udp(), proto=47)), (28, 47, 0, 0, 0)),
    "icmp type and code": (ethernet(ipv4(b"\x03\x0d", proto=1)), (22, 1, 0, 0x030D, 0)),
    "icmp too short for a code": (ethernet(ipv4(b"\x03", proto=1)), (21, 1, 0, 0, 0)),
    "payload too short for ports": (ethernet(ipv4(b"abc")), (23, 17, 0, 0, 0)),
    "padding is no payload": (ethernet(ipv4(b"abc") + b"PADDING"), (23, 17, 0, 0, 0)),
    "13 bytes of tcp have no flags": (ethernet(ipv4(tcp()[:13], proto=6)), (33, 6, 1000, 80, 0)),
    "14 bytes of tcp have flags": (ethernet(ipv4(tcp()[:14], proto=6)), (34, 6, 1000, 80, 0x10)),
    "first fragment keeps ports": (ethernet(ipv4(udp(), fragment=0x2000)), (28, 17, 1000, 2000, 0)),
    "later fragment has none": (ethernet(ipv4(tcp(), proto=6, fragment=0x2001)), (40, 6, 0, 0, 0)),
    "last fragment has none": (ethernet(ipv4(tcp(), proto=6, fragment=0x1FFF)), (40, 6, 0, 0, 0)),
    "later icmp fragment": (ethernet(ipv4(b"\x03\x0d", proto=1, fragment=1)), (22, 1, 0, 0, 0)),
    "no payload at all": (ethernet(ipv4(b"", proto=6)), (20, 6, 0, 0, 0)),
}


@pytest.mark.parametrize("case", METERED)
def test_metered(case):
    assert flow(METERED[case][0]) == METERED[case][1]


def test_addresses_and_tos():
    frame = ethernet(ipv4(udp(), src="1.2.3.4", dst="255.0.0.9", tos=0xB8))
    assert parse_frame(frame, 42) == Frame(Verdict.METERED, 28, "1.2.3.4", "255.0.0.9", 17, 1000, 2000, 0xB8, 0)


IGNORED = {  # frame, verdict, octets: the bytes behind Ethernet header and tags
    "arp": (ethernet(bytes(46), 0x0806), NOT_IPV4, 46),
    "ipv6": (ethernet(bytes(40), 0x86DD), NOT_IPV4, 40),
    "llc": (ethernet(bytes(38), 38), NOT_IPV4, 38),
    "tagged arp": (ethernet(bytes(46), 0x0806, [Q]), NOT_IPV4, 46),
    "three tags": (ethernet(ipv4(udp()), tags=[AD, Q, Q]), NOT_IPV4, 4 + 28),
    "empty": (b"", TRUNCATED, 0),
    "13 bytes": (bytes(13), TRUNCATED, 0),
    "tag cut": (ethernet(b"", 0x8100) + b"\0\5\x08", TRUNCATED, 0),
    "ip header cut": (ethernet(ipv4()[:19]), TRUNCATED, 19),
    "version 6 under 0x0800": (ethernet(ipv4(udp(), version=6)), MALFORMED, 28),
    "ihl 4": (ethernet(ipv4(udp(), ihl=4)), MALFORMED, 28),
    "total below header": (ethernet(ipv4(udp(), total=19)), MALFORMED, 28),
    "total below header with options": (ethernet(ipv4(udp(), options=bytes(4), total=23)), MALFORMED, 32),
    "total beyond the wire": (ethernet(ipv4(udp(), total=29)), TRUNCATED, 28),
}


@pytest.mark.parametrize("case", IGNORED)
def test_ignored(case):
    frame, verdict, octets = IGNORED[case]
    assert parse_frame(frame, len(frame)) == Frame(verdict, octets)


@pytest.mark.parametrize(
    "frame, enough",
    [
        (ethernet(ipv4(udp(data=bytes(99)))), 14 + 20 + 4),
        (ethernet(ipv4(tcp(), proto=6)), 14 + 20 + 14),
        (ethernet(ipv4(tcp(), proto=6, options=bytes(12)), tags=[AD, Q]), 14 + 8 + 32 + 14),
        (ethernet(ipv4(bytes(64), proto=1)), 14 + 20 + 2),
        (ethernet(ipv4(bytes(64), proto=2)), 14 + 20),
        (ethernet(ipv4(tcp(), proto=6, fragment=7)), 14 + 20),
    ],
)
def test_a_snapped_frame_is_metered_if_the_bytes_read_are_there(frame, enough):
    whole = parse_frame(frame, len(frame))
    assert parse_frame(frame[:enough], len(frame)) == whole
    start = len(frame) - whole.octets
    for cut in range(enough):
        seen = parse_frame(frame[:cut], len(frame))
        assert seen.verdict is TRUNCATED
        if cut >= start:
            assert seen.octets == whole.octets


def test_any_bytes_get_a_verdict_and_no_more_octets_than_the_wire_had():
    rng = random.Random(2)
    for _ in range(5000):
        frame = bytearray(ethernet(ipv4(tcp(), proto=rng.choice([1, 6, 17])), tags=[Q] * rng.randrange(4)))
        for _ in range(rng.randrange(6)):
            frame[rng.randrange(len(frame))] = rng.choice([0, 1, 0x45, 0x46, 0xFF, rng.randrange(256)])
        seen = parse_frame(bytes(frame[: rng.randrange(len(frame) + 1)]), len(frame))
        assert 0 <= seen.octets <= len(frame) - 14
