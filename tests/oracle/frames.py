# SPDX-License-Identifier: GPL-2.0-only
"""One Ethernet frame -> is it metered, how many octets does it count, and as which flow?

Octets: a metered packet counts its IP total length (the frame's where that is 0); any other frame the bytes on the wire
after the Ethernet header and VLAN tags.
"""

import socket
from enum import Enum
from typing import NamedTuple

VLAN_ETHERTYPES = (0x8100, 0x88A8, 0x9100)  # 802.1Q, and the outer tag of QinQ: 802.1ad, and before it was settled
MAX_VLAN_TAGS = 2
IPV4 = 0x0800
ICMP, TCP = 1, 6
WITH_PORTS = (TCP, 17, 33, 132, 136)  # TCP, UDP, DCCP, SCTP, UDP-Lite: ports in the first 4 bytes
TCP_FLAGS_AT = 13  # byte of the TCP header


class Verdict(Enum):
    METERED = "metered"
    NOT_IPV4 = "not_ipv4"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"


class Frame(NamedTuple):
    verdict: Verdict
    octets: int
    src: str = ""
    dst: str = ""
    proto: int = 0
    sport: int = 0
    dport: int = 0
    tos: int = 0
    tcp_flags: int = 0


def parse_frame(data: bytes, wire_len: int) -> Frame:
    """`data`: the captured bytes from the destination MAC on, without FCS; wire_len >= len(data)."""
    ethertype, start = _network_layer(data)
    on_wire = max(0, wire_len - start)
    if ethertype is None:
        return Frame(Verdict.TRUNCATED, on_wire)
    if ethertype != IPV4:
        return Frame(Verdict.NOT_IPV4, on_wire)
    packet = data[start:]
    if len(packet) < 20:
        return Frame(Verdict.TRUNCATED, on_wire)
    header, total = (packet[0] & 15) * 4, _u16(packet, 2) or on_wire  # 0: the frame's length, as of offloaded segments
    if packet[0] >> 4 != 4 or header < 20 or total < header:
        return Frame(Verdict.MALFORMED, on_wire)
    if total > on_wire:
        return Frame(Verdict.TRUNCATED, on_wire)
    proto = packet[9]
    first_fragment = _u16(packet, 6) & 0x1FFF == 0
    needed = _transport_bytes(proto, total - header) if first_fragment else 0
    if len(packet) < header + needed:
        return Frame(Verdict.TRUNCATED, on_wire)
    sport, dport, flags = _transport(proto, packet[header : header + needed])
    src, dst = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    return Frame(Verdict.METERED, total, src, dst, proto, sport, dport, packet[1], flags)


def _network_layer(data: bytes) -> tuple[int | None, int]:
    """-> ethertype (None: not captured), offset of the bytes after it"""
    start, tags = 14, 0
    while len(data) >= start:
        ethertype = _u16(data, start - 2)
        if ethertype not in VLAN_ETHERTYPES or tags == MAX_VLAN_TAGS:
            return ethertype, start
        start, tags = start + 4, tags + 1
    return None, start


def _transport_bytes(proto: int, payload: int) -> int:
    """How many bytes of a payload of that length the flow fields are read from."""
    if proto == ICMP:
        return 2 if payload >= 2 else 0
    if proto not in WITH_PORTS or payload < 4:
        return 0
    return TCP_FLAGS_AT + 1 if proto == TCP and payload > TCP_FLAGS_AT else 4


def _transport(proto: int, payload: bytes) -> tuple[int, int, int]:
    """-> source port, destination port, TCP flags"""
    if not payload:
        return 0, 0, 0
    if proto == ICMP:
        return 0, _u16(payload, 0), 0  # type * 256 + code
    flags = payload[TCP_FLAGS_AT] if len(payload) > TCP_FLAGS_AT else 0
    return _u16(payload, 0), _u16(payload, 2), flags


def _u16(data: bytes, offset: int) -> int:
    return data[offset] << 8 | data[offset + 1]
