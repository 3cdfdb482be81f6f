# SPDX-License-Identifier: GPL-2.0-only
"""Reads pcap (both byte orders, micro- and nanoseconds) and pcapng files.

A damaged file raises CaptureError; what was read before the damage is kept in its `packets`.
"""

import struct
from pathlib import Path
from typing import Iterator, NamedTuple

LINK_ETHERNET, LINK_PPP, LINK_RAW = 1, 9, 101
MAX_CAPTURED = 262144  # bytes; libpcap's own bound: a longer packet is a damaged length
PCAP_MAGIC = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}  # -> ns in one unit of the fraction
PCAPNG_SECTION, PCAPNG_INTERFACE, PCAPNG_PACKET = 0x0A0D0D0A, 1, 6
PCAPNG_UNTIMED = {2: "obsolete packet block", 3: "simple packet block (it has no time)"}


class Packet(NamedTuple):
    time_ns: int  # since the capture's epoch
    wire_len: int  # bytes on the wire, >= len(data)
    data: bytes
    linktype: int
    direction: str = ""  # "in", "out" or "" where the file does not say


class CaptureError(Exception):
    def __init__(self, message: str):
        super().__init__(message)
        self.packets: list[Packet] = []


def read_capture(path) -> list[Packet]:
    packets: list[Packet] = []
    try:
        for packet in parse_capture(Path(path).read_bytes()):
            packets.append(packet)
    except CaptureError as error:
        error.packets = packets
        error.args = (f"{Path(path).name}: after {len(packets)} packets: {error}",)
        raise
    return packets


def parse_capture(data: bytes) -> Iterator[Packet]:
    if len(data) < 4:
        raise CaptureError("shorter than a capture's magic number")
    return _pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(data)


def _pcap(data: bytes) -> Iterator[Packet]:
    order = next((o for o in "<>" if struct.unpack_from(o + "I", data)[0] in PCAP_MAGIC), None)
    if order is None:
        raise CaptureError("neither pcap nor pcapng")
    if len(data) < 24:
        raise CaptureError("truncated file header")
    fraction_ns = PCAP_MAGIC[struct.unpack_from(order + "I", data)[0]]
    linktype = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF
    offset = 24
    while offset < len(data):
        if offset + 16 > len(data):
            raise CaptureError("truncated packet header")
        seconds, fraction, captured, wire = struct.unpack_from(order + "4I", data, offset)
        offset += 16
        if fraction * fraction_ns >= 10**9:
            raise CaptureError("absurd time: the fraction is a second or more")
        time_ns = seconds * 10**9 + fraction * fraction_ns
        yield Packet(time_ns, wire, _captured_bytes(data, offset, captured, wire), linktype)
        offset += captured


def _captured_bytes(data: bytes, offset: int, captured: int, wire: int) -> bytes:
    if captured > MAX_CAPTURED or captured > wire:
        raise CaptureError(f"absurd length: {captured} bytes captured of {wire}")
    if offset + captured > len(data):
        raise CaptureError("truncated packet")
    return data[offset : offset + captured]


def _pcapng(data: bytes) -> Iterator[Packet]:
    order, interfaces, offset = "<", [], 0
    while offset < len(data):
        if offset + 12 > len(data):
            raise CaptureError("truncated block")
        kind = struct.unpack_from("<I", data, offset)[0]
        if kind == PCAPNG_SECTION:  # reads the same in both orders
            order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(data[offset + 8 : offset + 12])
            if order is None:
                raise CaptureError("section header without a byte order")
            interfaces = []
        kind, length = struct.unpack_from(order + "2I", data, offset)
        if length < 12 or length % 4:
            raise CaptureError(f"absurd block length {length}")
        if offset + length > len(data):
            raise CaptureError("truncated block")
        if data[offset + 4 : offset + 8] != data[offset + length - 4 : offset + length]:
            raise CaptureError("block lengths differ")
        body = data[offset + 8 : offset + length - 4]
        if kind == PCAPNG_INTERFACE:
            interfaces.append(_interface(order, body))
        elif kind == PCAPNG_PACKET:
            yield _enhanced_packet(order, body, interfaces)
        elif kind in PCAPNG_UNTIMED:
            raise CaptureError("unsupported " + PCAPNG_UNTIMED[kind])
        offset += length


def _interface(order: str, body: bytes) -> tuple[int, int, int]:
    """-> link type, units of time in one second, offset of the time in seconds"""
    if len(body) < 8:
        raise CaptureError("truncated interface block")
    options = _options(order, body[8:])
    resolution = options.get(9, b"\x06")[0]
    units = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    offset = struct.unpack(order + "q", options[14])[0] if len(options.get(14, b"")) == 8 else 0
    return struct.unpack_from(order + "H", body)[0], units, offset


def _enhanced_packet(order: str, body: bytes, interfaces: list) -> Packet:
    if len(body) < 20:
        raise CaptureError("truncated packet block")
    interface, high, low, captured, wire = struct.unpack_from(order + "5I", body)
    if interface >= len(interfaces):
        raise CaptureError(f"packet of interface {interface}, which no block describes")
    linktype, units, offset = interfaces[interface]
    frame = _captured_bytes(body, 20, captured, wire)
    flags = _options(order, body[20 + (captured + 3) // 4 * 4 :]).get(2, bytes(4))
    direction = ("", "in", "out", "")[struct.unpack(order + "I", flags)[0] & 3] if len(flags) == 4 else ""
    time_ns = (high << 32 | low) * 10**9 // units + offset * 10**9
    return Packet(time_ns, wire, frame, linktype, direction)


def _options(order: str, data: bytes) -> dict[int, bytes]:
    options, offset = {}, 0
    while offset + 4 <= len(data):
        code, length = struct.unpack_from(order + "2H", data, offset)
        if code == 0:
            break
        value = data[offset + 4 : offset + 4 + length]
        if not value or len(value) < length:
            raise CaptureError("truncated or empty option")
        options[code] = value
        offset += 4 + (length + 3) // 4 * 4
    return options
