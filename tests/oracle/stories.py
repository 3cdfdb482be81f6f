# SPDX-License-Identifier: GPL-2.0-only
"""Judges the tables of a result folder cell by cell: each one follows from records.csv and datagrams.csv, and those two
from the captures, so that no cell can change alone."""

from collections import Counter, defaultdict
from itertools import pairwise

from .flowtruth import MS_NS

FLOW = "exporter vswitch src dst proto sport dport tos input".split()
OWN_ENDS = ("idle", "active", "split")  # ends of a record that the packets alone decide
OTHER_ENDS = ("tcp_end", "evicted", "stopped")
ARRIVED = ("received", "lost_refused", "lost_socket_buffer", "lost_not_decoded")  # fates behind the collector's capture
LEFT = {"metered": "live", "queued": "queued", "sent": "in_flight"}
MOVES = ("shed_", "dropped_", "discarded_queued_", "discarded_", "lost_")
UNIT = ("packets", "octets", "records")


def cause_of(move: str) -> str:
    """The cause that a move names: shed_no_memory -> no_memory."""
    if had_waited(move):
        return "purgatory_full"
    return next((move.removeprefix(start) for start in MOVES if move.startswith(start)), move)


def had_waited(move: str) -> bool:
    """Whether a full purgatory dropped a record that waited in it, by whichever policy."""
    return move == "dropped_purgatory_head"


def ms_text(ns: int) -> str:
    return f"{ns // MS_NS}.{ns % MS_NS:06d}"


class Stories:
    def __init__(self, verification):
        self.v = verification
        self.windows = defaultdict(list)  # of a vSwitch, in order
        for window in sorted(verification.windows, key=lambda w: w.from_ns):
            self.windows[window.exporter, window.vswitch].append(window)
        self.boot = {window.exporter: window.boot_ns for window in verification.windows}
        self.records = verification.table("records.csv")
        self.datagrams = verification.table("datagrams.csv")
        self.by_number = {(d["exporter"], d["datagram"]): d for d in self.datagrams}
        self.collectors = defaultdict(set)  # of a session
        for row in self.datagrams:
            self.collectors[row["exporter"], row["vswitch"], row["session"]].add(row["collector"])
        self.dies_behind = any(row["fate"] in ARRIVED[1:] for row in self.datagrams)
        self.carried = defaultdict(list)
        for row in self.records:
            if row["datagram"]:
                self.carried[row["exporter"], row["datagram"]].append(row)

    def find(self, text: str) -> None:
        self.v.findings.append(text)

    def check(self) -> None:
        if len(self.by_number) != len(self.datagrams):
            self.find("datagrams.csv: a number stands twice")
        for key in self.carried.keys() - self.by_number.keys():
            self.find(f"datagrams.csv lacks {key}, which carries records")
        self._check_names()
        self._check_records()
        self._check_ends()
        for row in self.datagrams:
            self._check_datagram(row)
        self._check_sequences()
        self._check_flow_tables()
        self._check_rests()

    def _name(self, row: dict, port: str) -> str | None:
        """-> the port's name, None if the captures' index does not know it"""
        return "" if port in ("", "0") else self.v.port_names.get((row["exporter"], row["vswitch"], int(port)))

    def _check_names(self) -> None:
        for row in self.records:
            for side in ("input", "output"):
                name = self._name(row, row[side])
                if name is not None and row[f"{side}_port"] != name:
                    self.find(f"records.csv: {side}_port {row[f'{side}_port']}, by captures.json {name}: {row}")
            if (row["exporter"], row["vswitch"]) not in self.windows:
                self.find(f"records.csv: {row['exporter']}/{row['vswitch']} was not monitored")

    def _times(self, row: dict) -> tuple[int, int]:
        """-> first and last packet in ns of uptime"""
        boot = self.boot.get(row["exporter"], 0)
        return int(row["first_ns"]) - boot, int(row["last_ns"]) - boot

    def _check_records(self) -> None:
        """The records of each flow follow from its packets; where packets were shed or records ended early, their sums
        do."""
        ours, theirs = defaultdict(list), defaultdict(list)
        for record in self.v.truth_records:
            ours[record.key].append(
                (record.packets, record.octets, record.first_ns, record.last_ns, record.tcp_flags, record.reason)
            )
        other = set()
        for row in self.records:
            key = self.v._key(row)
            reason = row["reason"] if row["reason"] not in ("", "stopped") else "live"
            theirs[key].append(
                (int(row["packets"]), int(row["octets"]), *self._times(row), int(row["tcp_flags"]), reason)
            )
            if row["station"].startswith("shed_") or row["reason"] not in ("", "stopped", *OWN_ENDS):
                other.add(key)
        for key in sorted({*ours, *theirs}):
            if key not in other:
                self._same(f"records.csv: {key}", ours[key], theirs[key])
            elif ours[key]:
                self._same(f"records.csv: sums of {key}", [_sums(ours[key])], [_sums(theirs[key])])

    def _same(self, what: str, ours, theirs) -> None:
        ours, theirs = list(ours), list(theirs)
        if ours == theirs:
            return
        ours, theirs = Counter(ours), Counter(theirs)
        self.v.findings += [f"{what}: wanted, and not there: {n} x {row}" for row, n in sorted((ours - theirs).items())]
        self.v.findings += [f"{what}: there, and not wanted: {n} x {row}" for row, n in sorted((theirs - ours).items())]

    def _check_ends(self) -> None:
        """A record ends in the scan after its deadline, or with a later packet of its flow; and moves on when its
        station says."""
        firsts, ends, shed = defaultdict(set), defaultdict(set), set()
        for row in self.records:
            flow = tuple(row[c] for c in FLOW)
            firsts[flow].add(int(row["first_ns"]))
            ends[row["exporter"]].add(row["ended_ns"])
            if row["station"].startswith("shed_"):
                shed.add(flow)
        for row in self.records:
            flow, station = tuple(row[c] for c in FLOW), row["station"]
            if station == "metered" or station.startswith("shed_"):
                if any(row[c] for c in ("reason", "ended_ns", "moved_ns", "datagram")) or (
                    station == "metered"
                ) != bool(row["output"]):
                    self.find(f"records.csv: {station}, and has an end: {row}")
                continue
            if (row["exporter"], row["vswitch"]) not in self.windows:
                continue  # told by _check_names
            stops = {str(w.to_ns) for w in self.windows[row["exporter"], row["vswitch"]]}
            if not self._may_end(row, firsts[flow], flow in shed, stops):
                self.find(f"records.csv: ended_ns or reason: {row}")
            carrier = self.by_number.get((row["exporter"], row["datagram"]), {})
            moved = {
                "sent": {carrier.get("sent_ns")}, "send_failed": {carrier.get("sent_ns")}, "queued": {row["ended_ns"]},
                "dropped_purgatory_full": {row["ended_ns"]}, "dropped_evicted": {row["ended_ns"]},
            }.get(station, stops if station.startswith("discarded_") else set())  # fmt: skip
            if had_waited(station):
                moved = ends[row["exporter"]]
            if row["moved_ns"] not in moved or bool(row["datagram"]) != station.startswith("sen"):
                self.find(f"records.csv: station, moved_ns or datagram: {row}")

    def _may_end(self, row: dict, firsts: set[int], shed: bool, stops: set[str]) -> bool:
        reason, last, ended = row["reason"], int(row["last_ns"]), int(row["ended_ns"] or -1)
        if reason not in ("idle", "active"):
            exact = {"tcp_end": {last}, "split": firsts, "stopped": {int(s) for s in stops}}
            return reason == "evicted" and ended >= last or ended in exact.get(reason, ())
        window = self.windows[row["exporter"], row["vswitch"]][0]
        truth = window.truth
        deadline = min(last + truth.idle_ns, int(row["first_ns"]) + truth.active_ns)
        scan = ((deadline - window.boot_ns) // truth.scan_ns + 1) * truth.scan_ns + window.boot_ns
        in_time = ended == scan or deadline < ended < scan and (shed or ended in firsts)
        return in_time and reason == ("idle" if ended - last > truth.idle_ns else "active")

    def _check_datagram(self, row: dict) -> None:
        windows = self.windows[row["exporter"], row["vswitch"]]
        sent, exported, concluded = (int(row[f"{c}_ns"] or -1) for c in ("sent", "exported", "concluded"))
        session = next((i for i, w in enumerate(windows, 1) if w.from_ns < sent <= w.to_ns), 0)
        carried = self.carried[row["exporter"], row["datagram"]]
        wanted = {"session": session, "engine": windows[0].engine if windows else None, "records": len(carried)}
        wanted |= {unit: sum(int(r[unit]) for r in carried) for unit in UNIT[:2]}
        others = self.collectors[row["exporter"], row["vswitch"], row["session"]]
        wanted["collector"] = next(iter(others)) if len(others) == 1 else None
        key = (
            (windows[0].address, windows[0].engine, int(row["sequence"]), self._uptime(row, sent)) if windows else None
        )
        arrived = self.v.arrivals.get(key, [])
        if bool(arrived) != (row["fate"] in ARRIVED):
            self.find(f"datagrams.csv: fate {row['fate']}, captured at a collector {len(arrived)} times: {row}")
        if arrived:
            entry, time = arrived[0]
            wanted["collector"] = entry.get("address", row["collector"])
            if row["fate"] == "received":
                wanted |= {"place": entry["node"], "concluded_ns": time}
                wanted["copies"] = (
                    len(arrived) if not self.dies_behind or int(row["copies"]) > len(arrived) else row["copies"]
                )
        elif row["fate"] != "received":
            wanted["copies"] = 0
        left = self.v.departures.get(key)
        if left is not None:
            wanted["exported_ns"] = left if row["exported_ns"] else ""
        if row["exported_ns"] == "" and (arrived or left is not None):
            self.find(f"datagrams.csv: exported, and has no exported_ns: {row}")
        if not sent <= (exported if exported >= 0 else sent) <= (concluded if concluded >= 0 else max(sent, exported)):
            self.find(f"datagrams.csv: times out of order: {row}")
        if (row["fate"] == "sent") != (concluded < 0) or (row["fate"] != "sent") != bool(row["place"]):
            self.find(f"datagrams.csv: fate, place and concluded_ns do not fit: {row}")
        for column, value in wanted.items():
            if row[column] != str(value):
                self.find(f"datagrams.csv: {column} {row[column]}, wanted {value}: {row}")

    def _uptime(self, row: dict, sent: int) -> int:
        return (sent - self.boot.get(row["exporter"], 0)) // MS_NS % 2**32

    def _check_sequences(self) -> None:
        """Within a session each datagram goes on where the one before ended; records dropped before may be skipped
        (AtExpiry)."""
        sessions = defaultdict(list)
        for row in self.datagrams:
            sessions[row["exporter"], row["vswitch"], row["session"]].append(row)
        lost_before = {
            (r["exporter"], r["vswitch"]) for r in self.records if r["station"].startswith(("dropped_", "discarded_"))
        }
        for (exporter, vswitch, _), rows in sessions.items():
            for before, after in pairwise(rows):
                skipped = (int(after["sequence"]) - int(before["sequence"]) - int(before["records"])) % 2**32
                if skipped and ((exporter, vswitch) not in lost_before or not self.v.counts_expired):
                    self.find(
                        f"datagrams.csv: sequence {after['sequence']} follows {before['sequence']} with "
                        f"{before['records']} records"
                    )

    def _flow_row(self, row: dict) -> dict:
        first, last = self._times(row)
        return {
            **{c: row[c] for c in (*FLOW, "output", "packets", "octets", "tcp_flags", "reason", "datagram",
                "input_port", "output_port")},
            "engine": str(self.windows[row["exporter"], row["vswitch"]][0].engine), "first_ms": str(first // MS_NS),
            "last_ms": str(last // MS_NS),
        }  # fmt: skip

    def _check_flow_tables(self) -> None:
        rows = {"exported": [], "collected": [], "truth": []}
        nodes = {entry.get("address"): entry["node"] for entry in self.v.collectors}
        known = [row for row in self.records if self.windows.get((row["exporter"], row["vswitch"]))]
        for row in known:
            carrier = self.by_number.get((row["exporter"], row["datagram"]))
            if carrier and carrier["exported_ns"]:
                rows["exported"].append(self._flow_row(row))
            if carrier and carrier["fate"] == "received":
                arrival = {
                    "collector": nodes.get(carrier["collector"]),
                    "received_ms": ms_text(int(carrier["concluded_ns"] or 0)),
                }
                rows["collected"].append({**self._flow_row(row), **arrival})
        by_flow = defaultdict(list)
        for row in known:
            by_flow[tuple(row[c] for c in FLOW)].append(row)
        rows["truth"] = [self._truth_row(parts) for parts in by_flow.values()]
        for name, wanted in rows.items():
            table = self.v.table(f"flows-{name}.csv")
            columns = list(table[0]) if table else []
            self._same(
                f"flows-{name}.csv",
                (tuple(r[c] for c in columns) for r in wanted),
                (tuple(r[c] for c in columns) for r in table),
            )

    def _truth_row(self, parts: list[dict]) -> dict:
        sums = _sums([(int(p["packets"]), int(p["octets"]), *self._times(p), int(p["tcp_flags"]), "") for p in parts])
        # shed packets have no output
        first = next((p for p in parts if p["output"]), {"output": "0", "output_port": ""})
        row = self._flow_row(parts[0]) | {
            "output": first["output"],
            "output_port": first["output_port"],
            "reason": "",
            "datagram": "",
        }
        values = (sums[0], sums[1], sums[2] // MS_NS, sums[3] // MS_NS, sums[4])
        return row | {
            name: str(value) for name, value in zip(("packets", "octets", "first_ms", "last_ms", "tcp_flags"), values)
        }

    def _check_rests(self) -> None:
        """flows-lost.csv and flows-left.csv: by flow and cause, or state."""
        wanted = {"lost": defaultdict(Counter), "left": defaultdict(Counter)}
        for row in self.records:
            carrier = self.by_number.get((row["exporter"], row["datagram"]))
            fate = carrier["fate"] if carrier else row["station"]
            if fate != "received":
                side, name = ("left", LEFT[fate]) if fate in LEFT else ("lost", cause_of(fate))
                records = 0 if fate.startswith("shed_") else 1
                wanted[side][(*(row[c] for c in FLOW), name)].update(
                    packets=int(row["packets"]), octets=int(row["octets"]), records=records
                )
        for side, name in (("lost", "cause"), ("left", "state")):
            ours = [(*key, *(str(counts[unit]) for unit in UNIT)) for key, counts in wanted[side].items()]
            theirs = [tuple(row[c] for c in (*FLOW, name, *UNIT)) for row in self.v.table(f"flows-{side}.csv")]
            self._same(f"flows-{side}.csv", ours, theirs)


def _sums(rows: list[tuple]) -> tuple:
    packets, octets, first, last, flags, _ = zip(*rows)
    union = 0
    for value in flags:
        union |= value
    return sum(packets), sum(octets), min(first), max(last), union
