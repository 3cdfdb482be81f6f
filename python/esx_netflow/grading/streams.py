# SPDX-License-Identifier: GPL-2.0-only
"""The examination's streams: datagrams with an answer key, made of `streams.json` with our own codec. The same bytes
each time."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import numpy as np

from .. import _core, netflow

BOOT_S = 1_225_000_000  # since 1970: October 2008
FIRST_ADDRESS = 0x7F000002  # of the exporters: 127.0.0.2


class Stream(NamedTuple):
    """Payloads with the addresses of their exporters, and what a right collector makes of them.

    `may`: numbers of payloads whose records it may keep. `records_missing`: at the end, by the sequence. `complaints`:
    fewest and most that it may utter of the sequence; None: any number. `fragment`: payloads that are sent in two IP
    fragments.
    """

    name: str
    what: str
    payloads: list[bytes]
    sources: list[int]
    may: list[int]
    records_missing: int
    complaints: list[Any]
    fragment: list[int]

    def key(self) -> dict[str, Any]:
        """The answers, machine-readable."""
        return {
            "name": self.name,
            "what": self.what,
            "datagrams": len(self.payloads),
            "may": self.may,
            "records_missing": self.records_missing,
            "complaints": self.complaints,
        }


class Engine:
    """An exporter's engine: its datagrams follow each other as a right exporter's do."""

    def __init__(
        self, exporter: int = 0, engine: int = 1, sequence: int = 0, uptime: int = 100_000, boot: int = BOOT_S
    ) -> None:
        self.exporter, self.engine, self.sequence, self.uptime, self.boot = exporter, engine, sequence, uptime, boot
        self.records = sequence  # that were made

    def send(self, count: int, header: dict[str, int], fields: dict[str, Any], ago: dict[str, int]) -> bytes:
        """The next datagram. `fields`: of all records, a value or one for each; `ago`: times before SysUptime."""
        now = self.boot * 1000 + self.uptime
        n = (np.arange(count) + self.records) % 60_000  # each record is another one
        heads, rows = np.zeros(1, netflow.V5_HEADER), np.zeros(count, netflow.V5_RECORD)
        head = {
            "count": count, "sys_uptime": self.uptime % 2**32, "unix_secs": now // 1000,
            "unix_nsecs": now % 1000 * 10**6, "flow_sequence": self.sequence % 2**32,
            "engine_type": self.engine >> 8, "engine_id": self.engine & 255, **header,
        }  # fmt: skip
        record = {
            "srcaddr": 0x0A060000 + self.exporter * 256 + n % 200, "dstaddr": 0x0A070000 + n % 11, "prot": 6,
            "srcport": 40_000 + n % 20_000, "dstport": 443, "tcp_flags": 0x1B,
            "input": 3 + n % 4, "output": 1 + n % 2, "dPkts": 1 + n % 50, "dOctets": (1 + n % 50) * (60 + n % 900),
            "First": (self.uptime - 9_000 - n) % 2**32, "Last": (self.uptime - 1_000 - n) % 2**32,
            **{field: n % 256 if value == "number" else value for field, value in fields.items()},
            **{field: self.uptime - time for field, time in ago.items()},
        }  # fmt: skip
        for name, value in head.items():
            heads[name] = value
        for name, values in record.items():
            rows[name] = values
        self.sequence += count
        self.records += count
        self.uptime += 1_000
        return netflow.encode_v5(heads, rows)


def _make(
    name: str, what: str, datagrams: int, records: Any = 5, engines: Any = ({},), each: int = 1, header: Any = {},
    fields: Any = {}, ago: Any = {}, broken: Any = None,
    lost: Any = (), order: Any = None, may: Any = (), records_missing: int = 0, complaints: Any = (0, 0),
    fragment: Any = (),
) -> Stream:  # fmt: skip
    """
    `engines` take turns, `each` that many datagrams long; lists of `records` and `header` are for one datagram after
    the other. The sixth is `broken`: pieces, as hex or begin and end of what it was, on top of good ones that lack no
    record.
    """
    senders, made = [Engine(**engine) for engine in engines], []
    for number in range(datagrams):
        sender = senders[number // each % len(senders)]
        count, *head = (
            value[number % len(value)] if isinstance(value, list) else value for value in (records, *header.values())
        )
        payload = sender.send(count, dict(zip(header, head)), fields, ago)
        if broken is not None and number == 5:
            sender.sequence -= count
            payload = b"".join(
                bytes.fromhex(piece) if isinstance(piece, str) else payload[slice(*piece)] for piece in broken
            )
        made.append((payload, FIRST_ADDRESS + sender.exporter))
    sent = [made[number] for number in order or range(datagrams) if number not in lost]
    payloads, sources = [payload for payload, _ in sent], [source for _, source in sent]
    return Stream(name, what, payloads, sources, list(may), records_missing, list(complaints), list(fragment))


def streams() -> list[Stream]:
    return [_make(**stream) for stream in json.loads(Path(__file__).with_suffix(".json").read_text())]


def write_capture(stream: Stream, path: Any) -> None:
    """As pcap, for other programs: raw IPv4 to port 2055."""
    packets = [struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for number, (payload, source) in enumerate(zip(stream.payloads, stream.sources)):
        packet = next(ip_packets(source, 2055, payload, number))
        packets.append(struct.pack("<IIII", BOOT_S + number, 0, len(packet), len(packet)) + packet)
    _core.replace_file(str(path), b"".join(packets))


def ip_packets(source: int, port: int, payload: bytes, number: int, parts: int = 1) -> Iterator[bytes]:
    """IPv4 and UDP to 127.0.0.1 as they are on the wire, in one or more fragments."""
    to, size = 0x7F000001, 8 + len(payload)
    udp = struct.pack(">HHHH", 49152, port, size, 0) + payload
    udp = udp[:6] + struct.pack(">H", _checksum(struct.pack(">IIHH", source, to, 17, size) + udp) or 0xFFFF) + payload
    step = -(-size // parts) + 7 & ~7
    for at in range(0, size, step):
        part = udp[at : at + step]
        flags = at // 8 | (at + step < size) << 13
        head = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(part), number + 1, flags, 64, 17, 0, source, to)
        yield head[:10] + struct.pack(">H", _checksum(head)) + head[12:] + part


def _checksum(octets: bytes) -> int:
    total = sum(struct.unpack(f">{(len(octets) + 1) // 2}H", octets + bytes(len(octets) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
