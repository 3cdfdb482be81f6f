# SPDX-License-Identifier: GPL-2.0-only
"""Judges a result folder: truth from the port captures, what arrived from the collectors' captures.

For every flow: truth - captured = what its packets and octets were listed as lost before the
collector, and captured - collected = what was lost in the collector's own host. README.md says what
the folder must hold.
"""

import csv
import json
import math
from collections import Counter, defaultdict
from functools import cache, cached_property
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

from .capture import CaptureError, Packet, read_capture
from .flowtruth import MS_NS, FlowKey, FlowTruth, Record, flow_totals
from .frames import VLAN_ETHERTYPES, Verdict, parse_frame
from .links import check_links
from .netflow5 import (
    WRAP,
    Datagram,
    V5Record,
    check_rules,
    count_fragments,
    read_collector_capture,
    read_headers,
    signed,
    unique_datagrams,
)
from .series import check_series
from .stories import FLOW, OWN_ENDS, Stories

UDP = 17
COLLECTOR_HOST_CAUSES = ("refused", "socket_buffer")  # die after the capture
PACKET_CAUSES = ("no_memory", "cache_full")  # lose packets, not records
SPLITTING_CAUSES = (*PACKET_CAUSES, "evicted")  # make records that do not follow from the packets alone
FLOW_OF = itemgetter(*FLOW)
P_PORT_BITS = 9  # `-p`: port in the low 9 bits, vSwitch above


class Window:
    """One stretch of one vSwitch's monitoring: registration to the end of its net-netflow."""

    def __init__(self, entry: dict):
        self.exporter, self.address = entry["exporter"], entry["address"]
        self.vswitch, self.engine = entry["vswitch"], entry["engine"]
        self.from_ns, self.to_ns = entry["from_ns"], entry["to_ns"]
        self.boot_ns = -entry.get("uptime_at_start_ns", 0)
        self.dash_p = entry.get("dash_p", False)
        self.meters_own_export = entry.get("meter_own_export", True)
        self.zeroes_unix_nsecs = entry.get("zero_unix_nsecs", False)
        settings = {k: entry[k] for k in ("idle_ns", "active_ns", "scan_ns") if k in entry}
        self.truth = FlowTruth(**settings)
        self.metered_ns: list[int] = []  # when packets were offered that are to be metered

    def port(self, wire_or_local: int) -> int:
        """The port as flows are compared by it: under -p only 9 bits of it reach the collector."""
        return wire_or_local & (1 << P_PORT_BITS) - 1 if self.dash_p else wire_or_local

    def meter(self, packet: Packet, entry: dict, output: int, udp_ports: set[int]) -> None:
        """A frame that entered port entry["port"]. The own export goes from the exporter's address to a collector's
        port."""
        if not self.meters_own_export:
            frame = parse_frame(packet.data, packet.wire_len)
            if (frame.src, frame.proto) == (self.address, UDP) and frame.dport in udp_ports:
                self.truth.ignored_packets["own_export"] += 1
                self.truth.ignored_octets["own_export"] += frame.octets
                return
        where = (self.exporter, self.vswitch, self.port(entry["port"]))
        frame = self.truth.frame(packet.time_ns - self.boot_ns, packet.data, packet.wire_len, *where, output)
        if frame.verdict is Verdict.METERED:
            self.metered_ns.append(packet.time_ns)

    def sealed_ns(self, datagram: Datagram, near_ns: int) -> int:
        """When the datagram was sealed, as time of the run; SysUptime wraps, so take the time nearest."""
        near_ms = (near_ns - self.boot_ns) // MS_NS
        return (near_ms + signed(datagram.uptime - near_ms)) * MS_NS + self.boot_ns

    def wrote(self, d: Datagram) -> bool:
        sealed = self.sealed_ns(d, d.time_ns)
        return (self.address, self.engine) == (d.exporter, d.engine) and self.from_ns - MS_NS < sealed <= self.to_ns

    def row(self, d: Datagram, r: V5Record) -> tuple:
        """The record as Record.counts() would say it."""
        flow = (r.src, r.dst, r.proto, r.sport, r.dport, r.tos)
        key = FlowKey(self.exporter, self.vswitch, *flow, self.port(r.input))
        sealed_ms = (self.sealed_ns(d, d.time_ns) - self.boot_ns) // MS_NS
        first, last = (sealed_ms - (d.uptime - t) % WRAP for t in (r.first, r.last))
        return (key, r.packets, r.octets, first, last, r.tcp_flags)


class Switch:
    """Ports of a vSwitch by MAC address: as registered, and learnt from the captures of the whole run. A port has an
    address while it is connected: adapters are unplugged, and virtual machines move to other hosts."""

    def __init__(self):
        self.port_of: dict[bytes, set[int]] = defaultdict(set)
        self.spans: dict[int, tuple[int, float]] = {}  # of ports, [from, to)
        self.uplinks: set[int] = set()
        self.judged = True

    def learn(self, entry: dict, packets: list[Packet]) -> None:
        is_uplink = entry.get("role") == "uplink"
        self.judged = self.judged and "role" in entry and entry["direction"] == "in"
        if is_uplink:
            self.uplinks.add(entry["port"])
        self.spans[entry["port"]] = entry.get("from_ns", 0), entry.get("to_ns", math.inf)
        if "mac" in entry:  # of one that never sends
            self.port_of[bytes.fromhex(entry["mac"].replace(":", ""))].add(entry["port"])
        for packet in packets:
            self.judged = self.judged and int.from_bytes(packet.data[12:14], "big") not in VLAN_ETHERTYPES
            if not is_uplink:
                self.port_of[packet.data[6:12]].add(entry["port"])

    @cached_property
    def is_judged(self) -> bool:
        """Not: teams of uplinks, VLANs, and addresses that two ports had at once. Known when all is learnt."""
        return self.judged and len(self.uplinks) <= 1 and not any(map(self._overlap, self.port_of.values()))

    def _overlap(self, ports: set[int]) -> bool:
        spans = sorted(self.spans[port] for port in ports)
        return any(before[1] > after[0] for before, after in pairwise(spans))

    def output(self, entry: dict, frame: bytes, time_ns: int = 0) -> int:
        """The port by which a frame leaves; 0: by several or none."""
        destination = frame[:6]
        if not destination or destination[0] & 1 or not self.is_judged:
            return 0
        for port in self.port_of.get(destination, ()):
            if not self.spans[port][0] <= time_ns < self.spans[port][1]:
                continue
            return port if port != entry["port"] else 0
        return 0 if entry["port"] in self.uplinks else next(iter(self.uplinks), 0)


class Verification:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.findings: list[str] = []
        self.tables: dict[str, list[dict]] = {}
        self._flow_key = cache(self._flow_key)
        self._rows = cache(self._rows)
        index = json.loads((self.folder / "captures.json").read_text())
        self.summary = json.loads((self.folder / "summary.json").read_text())
        self.windows = [Window(entry) for entry in index["monitored"]]
        self.counts_expired = any(entry.get("sequence_at_expiry") for entry in index["monitored"])
        for window in self.windows:  # totals of a flow span windows, so one with -p decides for all of its vSwitch
            window.dash_p = any(
                w.dash_p for w in self.windows if (w.exporter, w.vswitch) == (window.exporter, window.vswitch)
            )
        self.udp_ports = {entry["udp_port"] for entry in index["captures"] if entry["kind"] == "collector"}
        ports = [(entry, self._read(entry["file"])) for entry in index["captures"] if entry["kind"] != "collector"]
        self.switches = {}
        for entry, packets in ports:
            self.switches.setdefault((entry["exporter"], entry["vswitch"]), Switch()).learn(entry, packets)
        for entry, packets in ports:
            self._meter(entry, packets)
        for window in self.windows:
            window.truth.run_until(window.to_ns - window.boot_ns)
        self.collectors = [entry for entry in index["captures"] if entry["kind"] == "collector"]
        # (exporter's address, engine, sequence, uptime) -> entry and time of each copy
        self.arrivals: dict[tuple, list] = defaultdict(list)
        self.captured = self._captured(self.collectors)
        self.port_names = {(e["exporter"], e["vswitch"], e["port"]): e["name"] for e, _ in ports if e.get("name")}
        self.departures = self._departures(ports)
        self.captures_complain = self.findings

    def run(self) -> list[str]:
        self.findings = list(self.captures_complain)
        self.tables.clear()
        self._rows.cache_clear()
        self._check_truth_table()
        self._check_records()
        self._check_outputs()
        self._check_losses()
        self._check_ledger()
        if "schema" in self.summary:  # of a run: all tables are there
            Stories(self).check()
            check_series(self)
            check_links(self)
        return self.findings

    @cached_property
    def truth_records(self) -> list[Record]:
        return [record for window in self.windows for record in window.truth.records()]

    def _read(self, name: str) -> list[Packet]:
        try:
            return read_capture(self.folder / name)
        except CaptureError as error:
            self.findings.append(f"capture: {error}")
            return error.packets

    def _meter(self, entry: dict, packets: list[Packet]) -> None:
        switch = self.switches[entry["exporter"], entry["vswitch"]]
        windows = [w for w in self.windows if (w.exporter, w.vswitch) == (entry["exporter"], entry["vswitch"])]
        for packet in packets:
            direction = packet.direction or entry["direction"]
            if direction not in ("in", "out"):
                raise ValueError(f"{entry['file']}: a frame of no known direction")
            if direction == "out":
                continue
            window = next((w for w in windows if w.from_ns <= packet.time_ns < w.to_ns), None)
            if window is not None:
                window.meter(packet, entry, switch.output(entry, packet.data, packet.time_ns), self.udp_ports)

    def _captured(self, collectors: list[dict]) -> Counter:
        """Rows of all records that reached a collector, copies of datagrams left out."""
        rows = Counter()
        for entry in collectors:
            capture = read_collector_capture(self._read(entry["file"]), entry["udp_port"], entry.get("address"))
            name = entry["file"]
            self.findings += [f"{name}: refused datagram: {reason}" for reason in capture.refused]
            for datagram in capture.datagrams:
                self.arrivals[_story_key(datagram)].append((entry, datagram.time_ns))
            datagrams = unique_datagrams(capture.datagrams)
            zeroed = {window.address for window in self.windows if window.zeroes_unix_nsecs}
            complaints = check_rules(datagrams, lossy=True, restarts=True, whole_seconds=zeroed)
            self.findings += [f"{name}: {text}" for text in complaints]
            for datagram in datagrams:
                window = next((w for w in self.windows if w.wrote(datagram)), None)
                if window is None:
                    self.findings.append(f"{name}: nobody monitored when {datagram[:7]} was sealed")
                    continue
                rows.update(window.row(datagram, record) for record in datagram.records)
        return rows

    def _departures(self, ports: list) -> dict[tuple, int]:
        """When datagrams entered the vSwitch from a vmknic, as far as that is captured."""
        times = {}
        for entry, packets in ports:
            if entry.get("name", "").startswith("vmk"):
                fragments = count_fragments(packets)
                self.findings += [f"{entry['file']}: R14: {fragments} IP fragments"] if fragments else []
                for key, time_ns in read_headers(packets, self.udp_ports):
                    times.setdefault(key, time_ns)
        return times

    def table(self, name: str) -> list[dict]:
        if name not in self.tables:
            self.tables[name] = self._read_table(name)
        return self.tables[name]

    def _read_table(self, name: str) -> list[dict]:
        with open(self.folder / name, newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if len(reader.fieldnames or ()) < 2:
            raise ValueError(f"{name}: line 1 names no columns")
        for number, row in enumerate(rows, 2):
            if None in row or None in row.values():
                raise ValueError(f"{name}: line {number} has not as many cells as line 1")
        return rows

    def _rests(self) -> list[dict]:
        """Losses, and what is left, which has a state in place of the cause."""
        lost = [{**line, "group": "lost"} for line in self.table("flows-lost.csv")]
        return lost + [{**line, "group": "left", "cause": line["state"]} for line in self.table("flows-left.csv")]

    def _key(self, line: dict) -> FlowKey:
        return self._flow_key(*FLOW_OF(line))

    def _flow_key(
        self, exporter: str, vswitch: str, src: str, dst: str, proto: str, sport: str, dport: str, tos: str, port: str
    ) -> FlowKey:
        window = next((w for w in self.windows if (w.exporter, w.vswitch) == (exporter, vswitch)), None)
        return FlowKey(
            exporter,
            vswitch,
            src,
            dst,
            int(proto),
            int(sport),
            int(dport),
            int(tos),
            window.port(int(port)) if window else int(port),
        )

    def _row(self, line: dict) -> tuple:
        return (self._key(line), *(int(line[n]) for n in ("packets", "octets", "first_ms", "last_ms", "tcp_flags")))

    def _rows(self, name: str) -> Counter:
        return Counter(map(self._row, self.table(name)))

    def _check_truth_table(self) -> None:
        ours = Counter()
        for key, total in flow_totals(self.truth_records).items():
            times = total.first_ns // MS_NS, total.last_ns // MS_NS
            ours[(key, total.packets, total.octets, *times, total.tcp_flags)] += 1
        theirs = self._rows("flows-truth.csv")
        self._subset("flows-truth.csv lacks", ours, theirs)
        self._subset("flows-truth.csv has in excess", theirs, ours)

    def _check_records(self) -> None:
        """Captured records were exported; exported ones are what the packets make of their flow."""
        table = self.table("flows-exported.csv")
        exported, collected = Counter(map(self._row, table)), self._rows("flows-collected.csv")
        self._subset("captured, but not exported", self.captured, exported)
        self._subset("collected, but not captured", collected, self.captured)
        shed = self._flows_with_other_ends(table)
        own = Counter({row: n for row, n in exported.items() if row[0] not in shed})
        self._subset("exported, but no such record follows from the packets", own, self._truth_rows)

    def _flows_with_other_ends(self, exported: list[dict]) -> set[FlowKey]:
        """Those whose records do not follow from the packets alone: packets were shed, or records ended early."""
        flows = {self._key(line) for line in self.table("flows-lost.csv") if line["cause"] in SPLITTING_CAUSES}
        return flows | {self._key(line) for line in exported if line["reason"] not in OWN_ENDS}

    def _check_outputs(self) -> None:
        """The output of a record is where its first packet left."""
        table = self.table("flows-exported.csv")
        other_ends = self._flows_with_other_ends(table)
        outputs = defaultdict(set)
        for record in self.truth_records:
            outputs[record.counts()].add(record.output)
        for line in table:
            row, output = self._row(line), int(line["output"])
            switch = self.switches.get((line["exporter"], line["vswitch"]))
            if switch is None or not switch.is_judged or row[0] in other_ends or row not in outputs:
                continue
            # Captures do not tell whether the uplink's link was up: then it is the output, else nothing is.
            may_be = outputs[row] | ({0} if outputs[row] & switch.uplinks else set())
            if output not in may_be:
                self.findings.append(f"output {output}, by the captures {sorted(may_be)}: {row}")

    @cached_property
    def _truth_rows(self) -> Counter:
        return Counter(record.counts() for record in self.truth_records)

    def _subset(self, what: str, part: Counter, whole: Counter) -> None:
        self.findings += [f"{what}: {n} x {row}" for row, n in sorted((part - whole).items())] if part != whole else []

    def _check_losses(self) -> None:
        """L6 per flow, in packets and octets, before and behind the collector's capture."""
        before, behind = defaultdict(Counter), defaultdict(Counter)
        for line in self._rests():
            side = behind if line["cause"] in COLLECTOR_HOST_CAUSES else before
            side[self._key(line)].update(packets=int(line["packets"]), octets=int(line["octets"]))
        truth, captured = _per_flow(self._truth_rows), _per_flow(self.captured)
        collected = _per_flow(self._rows("flows-collected.csv"))
        self._balance("truth - captured", truth, captured, before)
        self._balance("captured - collected", captured, collected, behind)

    def _balance(self, what: str, whole: dict, arrived: dict, lost: dict) -> None:
        for key in sorted({*whole, *arrived, *lost}):
            for unit in ("packets", "octets"):
                missing, listed = whole[key][unit] - arrived[key][unit], lost[key][unit]
                if missing != listed:
                    self.findings.append(f"{what}: {key}: {missing} {unit}, listed as lost {listed}")

    def _check_ledger(self) -> None:
        if any(self.summary["residual"].values()):
            self.findings.append(f"summary.json: residual {self.summary['residual']}")
        ours = {"collected": _sum(self._rows("flows-collected.csv")), "truth": _sum(self._truth_rows)}
        for window in self.windows:
            for cause, packets in window.truth.ignored_packets.items():
                total = ours.setdefault(f"ignored.{cause}", Counter())
                total.update(packets=packets, octets=window.truth.ignored_octets[cause])
        for line in self._rests():
            total = ours.setdefault(f"{line['group']}.{line['cause']}", Counter())
            total.update(packets=int(line["packets"]), octets=int(line["octets"]))
        theirs = ledger_totals(self.summary["ledger"])
        for name in sorted({*ours, *theirs}):
            for unit in ("packets", "octets"):
                mine, its = ours.get(name, {}).get(unit, 0), theirs.get(name, {}).get(unit, 0)
                if mine != its:
                    self.findings.append(f"summary.json: {name}: {its} {unit}, by the captures and tables {mine}")


def _story_key(datagram: Datagram) -> tuple:
    return datagram.exporter, datagram.engine, datagram.sequence, datagram.uptime


def ledger_totals(ledger: dict) -> dict[str, dict]:
    """The part of summary.json's ledger judged here, flat: truth, collected, ignored.<cause>, lost.<cause>."""
    flat = {name: ledger[name] for name in ("truth", "collected")}
    for group in ("ignored", "lost", "left"):
        flat |= {f"{group}.{cause}": counts for cause, counts in ledger[group].items()}
    flat.pop("ignored.not_monitored", None)  # frames outside all windows: no capture need hold them
    return flat


def _per_flow(rows: Counter) -> dict[FlowKey, Counter]:
    totals: dict[FlowKey, Counter] = defaultdict(Counter)
    for (key, packets, octets, *_), n in rows.items():
        totals[key].update(packets=n * packets, octets=n * octets)
    return totals


def _sum(rows: Counter) -> Counter:
    return sum(_per_flow(rows).values(), Counter())


def verify(folder) -> list[str]:
    """-> what does not agree, a line each; empty if all does"""
    return Verification(folder).run()
