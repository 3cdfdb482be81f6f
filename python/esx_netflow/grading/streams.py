# SPDX-License-Identifier: GPL-2.0-only
"""The examination's streams: datagrams with an answer key, made with our own codec. The same bytes each time."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from .. import _core, netflow

_BOOT = 1_225_000_000  # s since 1970: October 2008
_ADDRESS = 0x7F000002  # of the first exporter: 127.0.0.2


class Stream(NamedTuple):
    """What is sent, and what a right collector makes of it.

    `payloads`: exporter from 0, and octets. `may`: numbers of payloads whose records it may keep. `losses`: records that are missing at the
    end by the sequence. `complaints`: fewest and most that it may utter of the sequence; None: any number. `fragment`: payloads that are sent in two IP fragments.
    """

    name: str
    what: str
    payloads: list[tuple[int, bytes]]
    may: tuple[int, ...] = ()
    losses: int = 0
    complaints: tuple[int, Optional[int]] = (0, 0)
    fragment: tuple[int, ...] = ()

    def key(self) -> dict[str, Any]:
        """The answers, machine-readable."""
        return {"name": self.name, "what": self.what, "datagrams": len(self.payloads), "may": list(self.may), "records_missing": self.losses, "complaints": list(self.complaints)}

    @property
    def sources(self) -> list[int]:
        return [_ADDRESS + exporter for exporter, _ in self.payloads]


class Engine:
    """An exporter's engine: its datagrams follow each other as a right exporter's do."""

    def __init__(self, exporter: int = 0, engine: int = 1, sequence: int = 0, uptime: int = 100_000, boot: int = _BOOT, nsecs: int = 0) -> None:
        self.exporter, self.engine, self.sequence, self.uptime, self.boot, self.nsecs = exporter, engine, sequence, uptime, boot, nsecs
        self._record = sequence

    def send(self, count: int = 5, header: Optional[dict[str, Any]] = None, **fields: Any) -> tuple[int, bytes]:
        """The next datagram; `fields` of all records, one value or one for each."""
        now = self.boot * 1000 + self.uptime
        head = np.zeros(1, netflow.V5_HEADER)
        values: dict[str, Any] = {"count": count, "sys_uptime": self.uptime % 2**32, "unix_secs": now // 1000, "unix_nsecs": now % 1000 * 10**6 + self.nsecs, "flow_sequence": self.sequence % 2**32}
        for name, value in {**values, "engine_type": self.engine >> 8, "engine_id": self.engine & 255, **(header or {})}.items():
            head[name] = value
        n = (np.arange(count) + self._record) % 60_000  # each record is another one
        self._record += count
        rows = np.zeros(count, netflow.V5_RECORD)
        default = {
            "srcaddr": 0x0A060000 + self.exporter * 256 + n % 200, "dstaddr": 0x0A070000 + n % 11, "prot": 6, "srcport": 40_000 + n % 20_000, "dstport": 443, "tcp_flags": 0x1B,
            "input": 3 + n % 4, "output": 1 + n % 2, "dPkts": 1 + n % 50, "dOctets": (1 + n % 50) * (60 + n % 900), "First": (self.uptime - 9_000 - n) % 2**32, "Last": (self.uptime - 1_000 - n) % 2**32,
        }  # fmt: skip
        for field, values_ in {**default, **fields}.items():
            rows[field] = values_
        self.sequence += count
        self.uptime += 1_000
        return self.exporter, netflow.encode_v5(head, rows)

    def run(self, datagrams: int, count: int = 5) -> list[tuple[int, bytes]]:
        return [self.send(count) for _ in range(datagrams)]


def _without(payloads, *numbers):
    return [payload for number, payload in enumerate(payloads) if number not in numbers]


def _one_each(sequences: list[int]) -> list[tuple[int, bytes]]:
    """One record a datagram, as in the table of goflow2's maintainer."""
    made = {number: Engine(sequence=number, uptime=100_000 + 1000 * number).send(1, srcport=number) for number in sequences}
    return [made[number] for number in sequences]


def _changed(change: Callable[[bytes], bytes], may: bool = False) -> tuple[list[tuple[int, bytes]], tuple[int, ...]]:
    """A stream in which the sixth datagram is broken, on top of good ones that lack no record."""
    engine = Engine()
    payloads = engine.run(5)
    before = engine.sequence
    broken = (0, change(engine.send()[1]))
    engine.sequence = before
    return [*payloads, broken, *engine.run(5)], (5,) if may else ()


def _broken(name: str, what: str, change: Callable[[bytes], bytes], may: bool = False) -> Stream:
    payloads, kept = _changed(change, may)
    return Stream(name, what, payloads, may=kept, complaints=(0, None if may else 2))


def _sequences() -> list[Stream]:
    forty, first = Engine().run(40), Engine(sequence=90_000).run(20)
    restart = Engine(uptime=9_000_000).run(10) + Engine(uptime=20_000, boot=_BOOT + 9_100).run(10)
    again = Engine().run(10) + Engine(uptime=115_000).run(10)
    one, two = Engine(engine=1), Engine(engine=2, sequence=7_000)
    left, right = Engine(exporter=0), Engine(exporter=1, sequence=500)
    late = Engine().run(12)
    counted, always = Engine(), Engine()
    ovs = Engine(sequence=-1)
    vswitch = []
    for n in range(20):
        ovs.sequence += 1 + n % 3
        vswitch.append(ovs.send(1 + n % 3))
        ovs.sequence -= 1 + n % 3
    return [
        Stream("steady", "40 datagrams, nothing lost", forty),
        Stream("loss-of-one", "the 8th of 40 datagrams is lost", _without(forty, 7), losses=5, complaints=(1, 2)),
        Stream("loss-of-many", "9 of 40 lost, three in a row", _without(forty, 3, 9, 10, 11, 20, 25, 30, 33, 36), losses=45, complaints=(1, 14)),
        Stream("loss-of-first", "the exporter ran before: a sequence that begins at 90 000 is no loss", first),
        Stream("loss-of-last", "the last two of 40 lost, which nobody can know", forty[:-2]),
        Stream("reordering", "two datagrams have changed places, twice", [late[i] for i in (0, 1, 3, 2, 4, 5, 6, 8, 7, 9, 10, 11)], complaints=(0, 6)),
        Stream("duplicates", "three datagrams come twice", [late[i] for i in (0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9, 10)], complaints=(0, 6)),
        Stream("goflow2-table", "10, 11, 16, 12, 15, 14, 14, 14: at the end 1 is missing and 2 are copies", _one_each([10, 11, 16, 12, 15, 14, 14, 14]), losses=1, complaints=(1, 6)),
        Stream("sequence-wrap", "the sequence passes 2^32", Engine(sequence=2**32 - 52).run(20)),
        Stream("restart", "the host boots again: uptime and sequence begin anew", restart, complaints=(0, 1)),
        Stream("process-restart", "net-netflow begins anew on a host that runs on", again, complaints=(0, 2)),
        Stream("two-engines", "two engines behind one address, in turn", [e.send() for _ in range(15) for e in (one, two)]),
        Stream("two-exporters", "two exporters with the same engine, in turn", [e.send() for _ in range(15) for e in (left, right)]),
        Stream("sequence-of-open-vswitch", "the sequence holds the last record's number: wrong, and a collector may say so", vswitch, complaints=(0, None)),
        Stream("sequence-of-datagrams", "the sequence counts datagrams: wrong, and a collector may say so", [counted.send(header={"flow_sequence": n}) for n in range(20)], complaints=(0, None)),
        Stream("sequence-always-0", "the sequence stays 0: wrong, and a collector may say so", [always.send(header={"flow_sequence": 0}) for _ in range(20)], complaints=(0, None)),
    ]


def _times() -> list[Stream]:
    wrap = Engine(uptime=2**32 - 6_500, boot=_BOOT)
    after = Engine()
    nsecs = [Engine(nsecs=n, uptime=100_000 + 1000 * i, sequence=5 * i).send() for i, n in enumerate((0, 1, 499_999, 999_999))]
    late = Engine(uptime=400_000)
    future = Engine(boot=2_200_000_000)
    return [
        Stream("uptime-wrap", "SysUptime passes 2^32 ms between First, Last and header", [wrap.send() for _ in range(20)]),
        Stream("last-after-uptime", "Last is 3 ms after SysUptime, as of an exporter that reads its clocks in turn", [after.send(Last=after.uptime + 3, First=after.uptime - 500) for _ in range(10)]),
        Stream("nanoseconds", "unix_nsecs from 0 to 999 999 999", [*nsecs, *Engine(nsecs=999_999, uptime=104_999, sequence=20).run(3)]),
        Stream("old-records", "First five minutes ago", [late.send(First=late.uptime - 300_000, Last=late.uptime - 10) for _ in range(10)]),
        Stream("after-2038", "unix_secs above 2^31", future.run(10)),
    ]


def _values() -> list[Stream]:
    fill, ids, edge, icmp, protocols, tos, flags, ports, alternate, others, zero = (Engine() for _ in range(11))
    kinds = [(0, 0), (3, 0), (3, 1), (3, 3), (3, 13), (5, 1), (8, 0), (11, 0), (13, 0), (255, 255)]
    engines = [Engine(engine=e, sequence=s) for e, s in ((0x0102, 10), (0x0201, 5_000), (0xFF00, 20_000))]
    sampled = Engine()
    return [
        Stream("1-to-30-records", "datagrams of every size", [fill.send(n) for n in range(1, 31)]),
        Stream("interfaces", "interfaces 0, 32 767, 32 768 and 65 535", [ids.send(6, input=[0, 1, 32767, 32768, 65535, 0], output=[65535, 32768, 0, 7, 65535, 0]) for _ in range(5)]),
        Stream("option-p", "interfaces as switch ID and port (net-netflow -p)", [alternate.send(4, input=[513, 1549, 65023, 2], output=[1549, 0, 513, 65023]) for _ in range(5)]),
        Stream("large-counters", "counters of 2^31 and 2^32 - 1", [edge.send(4, dPkts=[1, 2**31, 2**32 - 1, 70_000], dOctets=[2**32 - 1, 2**31, 2**32 - 1, 2**31 - 1]) for _ in range(5)]),
        Stream("octets-0", "records of no octets", [zero.send(3, dPkts=[1, 2, 3], dOctets=0) for _ in range(3)]),
        Stream("icmp", "types and codes in the destination port", [icmp.send(10, prot=1, srcport=0, dstport=[t * 256 + c for t, c in kinds], tcp_flags=0) for _ in range(3)]),
        Stream("protocols", "0, IGMP, GRE, ESP, OSPF, SCTP and 255", [protocols.send(7, prot=[0, 2, 47, 50, 89, 132, 255], srcport=0, dstport=0, tcp_flags=0) for _ in range(3)]),
        Stream("tos", "all 256 values", [tos.send(16, tos=np.arange(16) + 16 * n) for n in range(16)]),
        Stream("tcp-flags", "all 256 values", [flags.send(16, tcp_flags=np.arange(16) + 16 * n) for n in range(16)]),
        Stream("ports", "0, 255, 256, 32 768 and 65 535", [ports.send(5, srcport=[0, 255, 256, 32768, 65535], dstport=[65535, 0, 32768, 1, 256]) for _ in range(3)]),
        Stream("routes", "next hop, AS and masks", [others.send(3, nexthop=0xC0000201, src_as=[1, 64512, 65535], dst_as=[65535, 2, 40000], src_mask=[0, 24, 32], dst_mask=[32, 8, 0]) for _ in range(3)]),
        Stream("engine-type-and-id", "engines 1/2, 2/1 and 255/0", [e.send() for _ in range(8) for e in engines]),
        Stream("sampling", "mode 1 and interval 100, apart from each other", [sampled.send(header={"sampling_mode": 1, "sampling_interval": 100}) for _ in range(10)], complaints=(0, 0)),
    ]


def _malformed() -> list[Stream]:
    two = Engine().run(12)
    return [
        _broken("empty-datagram", "a datagram of no octets", lambda d: b""),
        _broken("short-header", "ten octets of a header", lambda d: d[:10]),
        _broken("header-alone", "a header that says 5 records, and none", lambda d: d[:24]),
        _broken("short-records", "a header that says 5 records, three and a half of them", lambda d: d[: 24 + 48 * 3 + 24], may=True),
        _broken("count-0", "a count of 0, and 5 records", lambda d: d[:2] + b"\0\0" + d[4:]),
        _broken("count-31", "a count of 31, and 5 records", lambda d: d[:2] + b"\0\x1f" + d[4:], may=True),
        _broken("trailing-octets", "seven octets after the records", lambda d: d + bytes(range(7)), may=True),
        _broken("two-in-one", "a datagram that holds two, one behind the other", lambda d: d + d, may=True),
        _broken("version-9", "a datagram of version 9", lambda d: b"\0\x09\0\1" + bytes(16) + b"\0\0\0\x14\1\0\0\3\0\1\0\4\0\2\0\4\0\7\0\2"),
        _broken("noise", "octets of anything", lambda d: bytes(n * 37 % 251 for n in range(264))),
        Stream("fragment", "a datagram in two IP fragments", two, fragment=(5,)),
    ]


def streams() -> list[Stream]:
    return [*_sequences(), *_times(), *_values(), *_malformed()]


def write_capture(stream: Stream, path: Any, port: int = 2055) -> None:
    """As pcap, for other programs: raw IPv4 without a UDP checksum."""
    packets = [b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\xff\xff\0\0\x65\0\0\0"]
    for number, (exporter, payload) in enumerate(stream.payloads):
        packet = ip_packet(_ADDRESS + exporter, 0x7F000001, 49152, port, payload, number)[0]
        packets.append(b"".join(value.to_bytes(4, "little") for value in (_BOOT + number, 0, len(packet), len(packet))) + packet)
    _core.replace_file(str(path), b"".join(packets))


def ip_packet(source: int, to: int, sport: int, dport: int, payload: bytes, number: int, parts: int = 1) -> list[bytes]:
    """IPv4 and UDP as they are on the wire, in one or more fragments."""
    udp = b"".join(value.to_bytes(2, "big") for value in (sport, dport, 8 + len(payload), 0)) + payload
    step = -(-len(udp) // parts) + 7 & ~7
    packets = []
    for at in range(0, len(udp), step):
        part = udp[at : at + step]
        flags = at // 8 | (0x2000 if at + step < len(udp) else 0)
        head = b"\x45\0" + (20 + len(part)).to_bytes(2, "big") + (number + 1).to_bytes(2, "big") + flags.to_bytes(2, "big") + b"\x40\x11\0\0" + source.to_bytes(4, "big") + to.to_bytes(4, "big")
        total = sum(int.from_bytes(head[i : i + 2], "big") for i in range(0, 20, 2))
        total = (total & 0xFFFF) + (total >> 16)
        head = head[:10] + (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big") + head[12:]
        packets.append(head + part)
    return packets
