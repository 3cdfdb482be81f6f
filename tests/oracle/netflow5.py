# SPDX-License-Identifier: GPL-2.0-only
"""NetFlow v5 datagrams: decode or refuse with a reason, and judge them by the rules R1..R15 of
docs/netflow-v5-rules.md.

R1 and R2 are the decoder's; R14 is seen where datagrams are taken out of a capture. R6 is judged
as far as 32-bit times allow: First lies less than 2^31 ms before SysUptime.
"""

import socket
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Iterable, NamedTuple

from .capture import LINK_ETHERNET, LINK_PPP, LINK_RAW, Packet

HEADER, RECORD = struct.Struct("!HHIIIIBBH"), struct.Struct("!4s4s4sHHIIIIHHBBBBHHBBH")
VERSION, MAX_RECORDS = 5, 30
WRAP = 2**32
MS_NS = 10**6
UDP, ICMP, TCP = 17, 1, 6


class V5Record(NamedTuple):
    src: str
    dst: str
    nexthop: str = "0.0.0.0"
    input: int = 0
    output: int = 0
    packets: int = 1
    octets: int = 20
    first: int = 0  # ms of uptime, mod 2^32
    last: int = 0
    sport: int = 0
    dport: int = 0
    pad1: int = 0
    tcp_flags: int = 0
    proto: int = 0
    tos: int = 0
    src_as: int = 0
    dst_as: int = 0
    src_mask: int = 0
    dst_mask: int = 0
    pad2: int = 0


class Datagram(NamedTuple):
    uptime: int  # ms, mod 2^32
    unix_secs: int
    unix_nsecs: int
    sequence: int
    engine_type: int
    engine_id: int
    sampling: int
    records: tuple[V5Record, ...]
    exporter: str = ""  # this and what follows: from the IP packet around it
    source_port: int = 0
    time_ns: int = 0  # of the capture

    @property
    def engine(self) -> int:
        return self.engine_type << 8 | self.engine_id

    @property
    def unix_ns(self) -> int:
        return self.unix_secs * 10**9 + self.unix_nsecs

    def encode(self) -> bytes:
        addresses = lambda r: tuple(socket.inet_aton(a) for a in r[:3])
        head = HEADER.pack(VERSION, len(self.records), *self[:7])
        return head + b"".join(RECORD.pack(*addresses(r), *r[3:]) for r in self.records)


class DatagramError(ValueError):
    """Its text is one of: truncated header, wrong version, count 0, count over 30, length."""


def decode(data: bytes, **envelope) -> Datagram:
    if len(data) < HEADER.size:
        raise DatagramError("truncated header")
    version, count, *fields = HEADER.unpack_from(data)
    if version != VERSION:
        raise DatagramError("wrong version")
    if count == 0:
        raise DatagramError("count 0")
    if count > MAX_RECORDS:
        raise DatagramError("count over 30")
    if len(data) != HEADER.size + count * RECORD.size:
        raise DatagramError("length")
    raw = RECORD.iter_unpack(data[HEADER.size :])
    records = tuple(V5Record(*map(socket.inet_ntoa, r[:3]), *r[3:]) for r in raw)
    return Datagram(*fields, records, **envelope)


@dataclass
class CollectorCapture:
    datagrams: list[Datagram] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # reason of each payload that is no v5 datagram


def read_collector_capture(packets: Iterable[Packet], port: int, address: str | None = None) -> CollectorCapture:
    """The v5 datagrams sent to that UDP port (and address), in order of arrival."""
    result = CollectorCapture()
    for time_ns, packet in _joined(packets):
        udp = _udp(packet)
        if udp and udp[3] == port and address in (None, udp[1]):
            try:
                source = {"exporter": udp[0], "source_port": udp[2], "time_ns": time_ns}
                result.datagrams.append(decode(udp[4], **source))
            except DatagramError as error:
                result.refused.append(str(error))
    return result


def read_headers(packets: Iterable[Packet], ports: set[int]) -> Iterable[tuple[tuple, int]]:
    """(exporter, engine, sequence, uptime) and time of the v5 datagrams to these UDP ports; captures may hold no more
    than headers."""
    for packet in packets:
        udp = _udp(_ipv4(packet))
        if udp and udp[3] in ports and len(udp[4]) >= HEADER.size:
            version, _, uptime, _, _, sequence, engine_type, engine_id, _ = HEADER.unpack_from(udp[4])
            if version == VERSION:
                yield (udp[0], engine_type << 8 | engine_id, sequence, uptime), packet.time_ns


def count_fragments(packets: Iterable[Packet]) -> int:
    """IP fragments of UDP packets: R14 is broken where an exporter sends them."""
    return sum(1 for packet in packets if _is_fragment(_ipv4(packet)))


def _joined(packets: Iterable[Packet]) -> Iterable[tuple[int, bytes]]:
    """Time and octets of each IPv4 packet; of fragments once all are there, at the time of the last one (RFC 791)."""
    waiting: dict[tuple, dict[int, bytes]] = {}
    for packet in packets:
        ip = _ipv4(packet)
        if not _is_fragment(ip):
            yield packet.time_ns, ip
            continue
        key = (ip[4:6], ip[12:20])
        pieces = waiting.setdefault(key, {})
        pieces[_u16(ip, 6) % 0x2000 * 8] = ip
        first, payload = pieces.get(0), b""
        while (piece := pieces.get(len(payload))) is not None:
            payload += piece[(piece[0] & 15) * 4 : _u16(piece, 2)]
            if not _u16(piece, 6) & 0x2000:
                yield packet.time_ns, first[:6] + b"\0\0" + first[8 : (first[0] & 15) * 4] + payload
                del waiting[key]
                break


def _u16(data: bytes, offset: int) -> int:
    return struct.unpack_from("!H", data, offset)[0]


def _is_fragment(ip: bytes) -> bool:
    return len(ip) >= 20 and ip[0] >> 4 == 4 and ip[9] == UDP and _u16(ip, 6) & 0x3FFF != 0


def _ipv4(packet: Packet) -> bytes:
    data, link = packet.data, packet.linktype
    if link == LINK_RAW:
        return data
    if link == LINK_PPP:
        return data[2:] if data[:2] == b"\x00\x21" else b""
    if link != LINK_ETHERNET:
        raise ValueError(f"collector capture of link type {link}")
    start = 14
    while data[start - 2 : start] in (b"\x81\x00", b"\x88\xa8"):
        start += 4
    return data[start:] if data[start - 2 : start] == b"\x08\x00" else b""


def _udp(ip: bytes):
    """-> None or (source, destination, source port, destination port, payload)"""
    if len(ip) < 20 or ip[0] >> 4 != 4 or ip[9] != UDP or _is_fragment(ip):
        return None
    segment = ip[(ip[0] & 15) * 4 :]
    if len(segment) < 8:
        return None
    sport, dport, length = struct.unpack_from("!3H", segment)
    return socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20]), sport, dport, segment[8:length]


def unique_datagrams(datagrams: Iterable[Datagram]) -> list[Datagram]:
    """Without the copies that the network made of a datagram."""
    first_copies: dict[Datagram, Datagram] = {}
    for datagram in datagrams:
        first_copies.setdefault(datagram._replace(time_ns=0), datagram)
    return list(first_copies.values())


def signed(difference: int) -> int:
    """A difference mod 2^32 as the nearest number, -2^31 .. 2^31 - 1."""
    return (difference + WRAP // 2) % WRAP - WRAP // 2


def check_rules(
    datagrams: Iterable[Datagram], *, lossy=False, restarts=False, first_sequence: int | None = 0, whole_seconds=()
) -> list[str]:
    """Complaints of a strict reader, as "R3: ..." lines.

    Lossless (default): `datagrams` is all that each engine sent, in order. `lossy`: a network lay between;
    gaps and disorder are no complaint, but numbers that overlap are. `restarts`: an engine may begin again
    at 0 with a later uptime. `first_sequence` None: the capture began later than the exporter.
    `whole_seconds`: exporters that leave unix_nsecs 0, so that their clocks differ by less than a second.
    """
    complaints, engines, exporters = [], defaultdict(list), defaultdict(list)
    for datagram in datagrams:
        complaints += [f"R{n}: {text}" for n, text in _datagram_complaints(datagram)]
        engines[datagram.exporter, datagram.engine].append(datagram)
        exporters[datagram.exporter].append(datagram)
    for name, stream in sorted(exporters.items()):
        coarse = name in whole_seconds
        if _clock_spread_ns(stream) >= MS_NS + coarse * 1000 * MS_NS:
            complaints.append(f"R7: {name}: unix time - uptime is not constant")
        if coarse and any(datagram.unix_nsecs for datagram in stream):
            complaints.append(f"R7: {name}: unix_nsecs is not zero")
    for (exporter, engine), stream in sorted(engines.items()):
        stream = _in_order_of_sending(stream) if lossy else stream
        first = None if lossy else first_sequence
        complaints += [
            f"{text} ({exporter} engine {engine})" for text in _stream_complaints(stream, lossy, restarts, first)
        ]
    return complaints


def _datagram_complaints(d: Datagram) -> Iterable[tuple[int, str]]:
    where = f"{d.exporter} engine {d.engine} sequence {d.sequence}"
    if d.unix_nsecs >= 10**9:
        yield 7, f"unix_nsecs {d.unix_nsecs} is a second or more: {where}"
    if d.unix_ns < d.uptime * MS_NS:
        yield 8, f"booted before 1970: {where}"
    if d.sampling:
        yield 9, f"sampling {d.sampling}: {where}"
    for r in d.records:
        yield from ((n, f"{text}: {where}, {r}") for n, text in _record_complaints(d, r))


def _record_complaints(d: Datagram, r: V5Record) -> Iterable[tuple[int, str]]:
    if signed(r.last - r.first) < 0:
        yield 5, "First > Last"
    if signed(d.uptime - r.last) < 0:
        yield 5, "Last > SysUptime"
    if signed(d.uptime - r.first) < 0:
        yield 6, "First is not within 2^31 ms before SysUptime"
    if r.proto == ICMP and r.sport:
        yield 10, "ICMP with a source port"
    if r.packets < 1 or r.octets < 20 * r.packets:
        yield 11, "fewer than 20 octets a packet, or no packet"
    if r.nexthop != "0.0.0.0" or any((r.pad1, r.src_as, r.dst_as, r.src_mask, r.dst_mask, r.pad2)):
        yield 12, "a field that must be 0 is not"
    if r.tcp_flags and r.proto != TCP:
        yield 15, "TCP flags of another protocol"


def _clock_spread_ns(stream: list[Datagram]) -> int:
    boots = [d.unix_ns - d.uptime * MS_NS for d in stream]
    wrap = WRAP * MS_NS
    offsets = [(b - boots[0] + wrap // 2) % wrap - wrap // 2 for b in boots]
    return max(offsets) - min(offsets)


def _in_order_of_sending(stream: list[Datagram]) -> list[Datagram]:
    base = stream[0]
    return sorted(
        unique_datagrams(stream), key=lambda d: (signed(d.uptime - base.uptime), signed(d.sequence - base.sequence))
    )


def _stream_complaints(stream: list[Datagram], lossy: bool, restarts: bool, first: int | None) -> Iterable[str]:
    if first is not None and stream[0].sequence != first:
        yield f"R3: begins at sequence {stream[0].sequence}, not {first}"
    for before, after in pairwise(stream):
        expected = (before.sequence + len(before.records)) % WRAP
        step = signed(after.sequence - expected)
        if signed(after.uptime - before.uptime) < 0:
            yield f"R5: SysUptime goes back at sequence {after.sequence}"
        if restarts and (step < 0 if lossy else after.sequence == 0 != expected):
            continue
        if after.source_port != before.source_port:
            yield f"R13: source port {before.source_port} became {after.source_port}"
        if step < 0 or (step and not lossy):
            yield f"R3: sequence {after.sequence} where {expected} was due"
