# SPDX-License-Identifier: GPL-2.0-only
"""Builds frames and captures by hand, for tests."""

import socket
import struct


def ipv4(
    payload=b"",
    *,
    src="10.0.0.1",
    dst="10.0.0.2",
    proto=17,
    tos=0,
    options=b"",
    fragment=0,
    total=None,
    version=4,
    ihl=None,
) -> bytes:
    """`fragment`: the flags and offset word; `total`, `version`, `ihl` override the true values to lie."""
    header = 20 + len(options)
    length = header + len(payload) if total is None else total
    first = version << 4 | (header // 4 if ihl is None else ihl)
    addresses = socket.inet_aton(src) + socket.inet_aton(dst)
    return struct.pack("!BBHHHBBH", first, tos, length, 1, fragment, 64, proto, 0) + addresses + options + payload


def udp(sport=1000, dport=2000, data=b"") -> bytes:
    return struct.pack("!4H", sport, dport, 8 + len(data), 0) + data


def tcp(sport=1000, dport=80, flags=0x10, data=b"") -> bytes:
    return struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 1000, 0, 0) + data


def ethernet(payload: bytes, ethertype=0x0800, tags=()) -> bytes:
    """`tags`: (TPID, VLAN) from the outside in."""
    vlans = b"".join(struct.pack("!HH", *tag) for tag in tags)
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + vlans + struct.pack("!H", ethertype) + payload


def pcap(packets, order="<", magic=0xA1B23C4D, linktype=1) -> bytes:
    """`packets`: (time_ns, data) or (time_ns, data, wire_len)"""
    unit_ns = 1 if magic == 0xA1B23C4D else 1000
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)]
    for time_ns, data, *wire in packets:
        fraction = time_ns % 10**9 // unit_ns
        out.append(struct.pack(order + "4I", time_ns // 10**9, fraction, len(data), *(wire or [len(data)])) + data)
    return b"".join(out)


def pcapng_block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def pcapng(packets, order="<") -> bytes:
    """One interface at ns resolution. `packets`: (time_ns, data, direction flag: 0, 1 in or 2 out)"""
    out = [pcapng_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))]
    resolution = struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0)
    out.append(pcapng_block(order, 1, struct.pack(order + "HHI", 1, 0, 0) + resolution))
    for time_ns, data, flags in packets:
        head = struct.pack(order + "5I", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), len(data))
        options = struct.pack(order + "HHIHH", 2, 4, flags, 0, 0)
        out.append(pcapng_block(order, 6, head + data + bytes(-len(data) % 4) + options))
    return b"".join(out)
