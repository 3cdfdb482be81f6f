# SPDX-License-Identifier: GPL-2.0-only
"""Packets -> the flow records and totals that a meter with unlimited memory would hold.

Times are ns since the exporter's boot. A record ends when now - Last > idle or now - First > active
(strict), noticed by the first scan (instants k * scan_ns) or packet of the flow after that deadline;
idle is the reason if both hold. A packet that would take a counter past 2^32 - 1 ends it by `split`.
The input port is part of the flow, so packets may be given port by port.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Iterable, NamedTuple

from .frames import Frame, Verdict, parse_frame

SECOND_NS = 10**9
MS_NS = 10**6
COUNTER_MAX = 2**32 - 1


class FlowKey(NamedTuple):
    exporter: str
    vswitch: str
    src: str
    dst: str
    proto: int
    sport: int
    dport: int
    tos: int
    input: int


@dataclass
class Record:
    key: FlowKey
    output: int
    first_ns: int
    last_ns: int
    packets: int = 0
    octets: int = 0
    tcp_flags: int = 0
    reason: str = "live"

    def counts(self) -> tuple:
        """Fields of a v5 record of it, times as ms of uptime without the wrap."""
        return (self.key, self.packets, self.octets, self.first_ns // MS_NS, self.last_ns // MS_NS, self.tcp_flags)


@dataclass
class FlowTotal:
    packets: int = 0
    octets: int = 0
    records: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    tcp_flags: int = 0

    def add(self, record: Record) -> None:
        self.packets += record.packets
        self.octets += record.octets
        self.records += 1
        self.first_ns = record.first_ns if self.first_ns is None else min(self.first_ns, record.first_ns)
        self.last_ns = record.last_ns if self.last_ns is None else max(self.last_ns, record.last_ns)
        self.tcp_flags |= record.tcp_flags


@dataclass
class FlowTruth:
    idle_ns: int = 15 * SECOND_NS
    active_ns: int = 300 * SECOND_NS
    scan_ns: int = 10 * MS_NS
    ended: list[Record] = field(default_factory=list)
    ignored_packets: Counter = field(default_factory=Counter)  # by verdict's name
    ignored_octets: Counter = field(default_factory=Counter)
    _live: dict[FlowKey, Record] = field(default_factory=dict)

    def frame(self, time_ns, data, wire_len, exporter="", vswitch="", input=0, output=0) -> Frame:
        """A frame entering port `input`; `output` is where it leaves (0: flood, unknown)."""
        frame = parse_frame(data, wire_len)
        if frame.verdict is Verdict.METERED:
            flow = (frame.src, frame.dst, frame.proto, frame.sport, frame.dport, frame.tos)
            self.packet(time_ns, FlowKey(exporter, vswitch, *flow, input), frame.octets, frame.tcp_flags, output)
        else:
            self.ignored_packets[frame.verdict.value] += 1
            self.ignored_octets[frame.verdict.value] += frame.octets
        return frame

    def packet(self, time_ns: int, key: FlowKey, octets: int, tcp_flags: int = 0, output: int = 0) -> None:
        record = self._live.get(key)
        if record is not None:
            if time_ns < record.last_ns:
                raise ValueError(f"time goes backwards in {key}")
            if time_ns > self._deadline(record):
                self._end(record, min(time_ns, self._scan_after_deadline(record)))
                record = None
            elif record.packets == COUNTER_MAX or record.octets + octets > COUNTER_MAX:
                self._close(record, "split")
                record = None
        if record is None:
            record = self._live[key] = Record(key, output, time_ns, time_ns)
        record.last_ns = time_ns
        record.packets += 1
        record.octets += octets
        record.tcp_flags |= tcp_flags

    def run_until(self, now_ns: int) -> None:
        """Ends what the scans up to and including that instant end."""
        for record in list(self._live.values()):
            if self._scan_after_deadline(record) <= now_ns:
                self._end(record, self._scan_after_deadline(record))

    def stop(self, reason: str = "stopped") -> None:
        for record in list(self._live.values()):
            self._close(record, reason)

    def records(self) -> list[Record]:
        return self.ended + list(self._live.values())

    def flows(self) -> dict[FlowKey, FlowTotal]:
        return flow_totals(self.records())

    def total(self) -> FlowTotal:
        total = FlowTotal()
        for record in self.records():
            total.add(record)
        return total

    def _deadline(self, record: Record) -> int:
        return min(record.last_ns + self.idle_ns, record.first_ns + self.active_ns)

    def _scan_after_deadline(self, record: Record) -> int:
        return (self._deadline(record) // self.scan_ns + 1) * self.scan_ns

    def _end(self, record: Record, at_ns: int) -> None:
        self._close(record, "idle" if at_ns - record.last_ns > self.idle_ns else "active")

    def _close(self, record: Record, reason: str) -> None:
        record.reason = reason
        self.ended.append(record)
        del self._live[record.key]


def flow_totals(records: Iterable[Record]) -> dict[FlowKey, FlowTotal]:
    totals: dict[FlowKey, FlowTotal] = {}
    for record in records:
        totals.setdefault(record.key, FlowTotal()).add(record)
    return totals


def truth_of_capture(packets, boot_ns: int = 0, **settings) -> FlowTruth:
    """A whole capture of Ethernet frames as what enters one port."""
    truth = FlowTruth(**settings)
    for packet in packets:
        truth.frame(packet.time_ns - boot_ns, packet.data, packet.wire_len)
    return truth
