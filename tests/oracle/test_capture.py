# SPDX-License-Identifier: GPL-2.0-only
import random
import struct
from pathlib import Path

import pytest
from oracle.building import pcap, pcapng, pcapng_block
from oracle.capture import CaptureError, Packet, parse_capture, read_capture

INPUT_A = Path(__file__).parent.parent / "data" / "differential_input_a.pcap"
TWO = [(1_700_000_000_123_456_789, b"first"), (1_700_000_001_000_000_000, b"second frame")]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic, unit", [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_of_both_orders_and_resolutions(order, magic, unit):
    wanted = [Packet(t // unit * unit, len(data), data, 1) for t, data in TWO]
    assert list(parse_capture(pcap(TWO, order, magic))) == wanted


@pytest.mark.parametrize("order", "<>")
def test_pcapng_of_both_orders_with_direction(order):
    packets = [(t, data, flag) for flag, (t, data) in enumerate(TWO + [(5, b"x")])]
    wanted = [Packet(t, len(data), data, 1, ("", "in", "out")[flag]) for t, data, flag in packets]
    assert list(parse_capture(pcapng(packets, order))) == wanted


def test_snapped_packet_keeps_its_length_on_the_wire():
    assert list(parse_capture(pcap([(0, b"abc", 1500)]))) == [Packet(0, 1500, b"abc", 1)]


def test_truncated_file_keeps_what_was_read_before(tmp_path):
    (tmp_path / "cut.pcap").write_bytes(pcap(TWO)[:-1])
    with pytest.raises(CaptureError, match="cut.pcap: after 1 packets: truncated packet") as caught:
        read_capture(tmp_path / "cut.pcap")
    assert [p.data for p in caught.value.packets] == [b"first"]


NG = pcapng([])
ABSURD = {
    "neither pcap nor pcapng": b"PK\3\4" + bytes(40),
    "shorter than": b"\xd4\xc3",
    "truncated file header": pcap([])[:20],
    "truncated packet header": pcap(TWO)[:30],
    "absurd length: 400000": pcap([(0, bytes(400000))]),
    "absurd length: 3 bytes captured of 2": pcap([(0, b"abc", 2)]),
    "absurd time": pcap([]) + struct.pack("<4I", 0, 10**9, 0, 0),
    "without a byte order": NG[:8] + bytes(4) + NG[12:],
    "absurd block length": NG + struct.pack("<3I", 6, 8, 0),
    "truncated block": NG + struct.pack("<3I", 6, 400, 0),
    "block lengths differ": NG[:-4] + bytes(4),
    "no block describes": NG + pcapng_block("<", 6, struct.pack("<5I", 1, 0, 0, 0, 0)),
    "truncated packet block": NG + pcapng_block("<", 6, bytes(8)),
    "it has no time": NG + pcapng_block("<", 3, bytes(8)),
}


@pytest.mark.parametrize("reason", ABSURD)
def test_absurd_file_is_refused_with_a_reason(reason):
    with pytest.raises(CaptureError, match=reason):
        list(parse_capture(ABSURD[reason]))


def test_damage_anywhere_is_an_error_or_a_packet_never_a_crash():
    rng = random.Random(1)
    originals = [INPUT_A.read_bytes(), pcapng([(t, d, 1) for t, d in TWO])]
    for _ in range(2000):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(min(200, len(data)))] = rng.randrange(256)
        try:
            list(parse_capture(bytes(data[: rng.randrange(len(data) + 1)])))
        except CaptureError:
            pass
