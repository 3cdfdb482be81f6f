# SPDX-License-Identifier: GPL-2.0-only
"""Senders and what they sent, as an administrator reads it from what was collected, beside the same from truth.

A record says when its first and last packet were, not what lay between: over a window its packets and octets are taken
as even from the first millisecond to the last. Truth is taken in the same records and milliseconds, so what differs is
what was lost.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import pandas as pd

from . import _core, labs
from .tables import NONE
from .text import columns_of, grouped, share

# what is kept was collected, or is left in the lab at the end: it is not lost
TRUTH, COLLECTED, KEPT = SIDES = range(3)
_UNITS = {"fan_out": "addresses", "port_scan": "ports", "volume": "octets"}
_TCP, _UDP = 6, 17


def _whole(value):
    """A sum of parts of records as a number that is told: half a packet is one."""
    floor = math.floor(value)
    return floor + (value - floor >= 0.5)


def _told(sums):
    """-> truth, collected and left of sums by side"""
    truth, collected, kept = (_whole(value) for value in sums)
    return {"truth": truth, "collected": collected, "left": kept - collected}


class _Homes:
    """The ports into which the adapters of VMs and the vmknics are plugged. A packet crosses every vSwitch on its way,
    and each meters it: what an address sent counts at its own port; if nothing of it was seen there, it counts wherever
    it was seen."""

    def __init__(self, lab):
        self._homes = defaultdict(list)
        self._seen_at_home = set()
        for nic in labs.nics(lab):
            self._homes[nic.address].append((nic.host, nic.vswitch, nic.port))

    def is_home(self, address, exporter, vswitch, port):
        return any((exporter, vswitch) == home[:2] and port in ("", home[2]) for home in self._homes.get(address, ()))

    def saw(self, address, *port):
        if self.is_home(address, *port):
            self._seen_at_home.add(address)

    def counts(self, address, *port):
        return address not in self._seen_at_home or self.is_home(address, *port)


class _Places:
    """The different (address, exporter, vSwitch, port) of a table's rows."""

    def __init__(self, table, address, port):
        exporter, vswitch, ports = (table[name].astype(np.int64) for name in ("exporter", "vswitch", port))
        where, unique = pd.factorize((exporter << 32) + (vswitch << 16) + ports)
        who, addresses = pd.factorize(table[address])
        self.codes, both = pd.factorize(who * np.int64(max(len(unique), 1)) + where)
        known = table.names
        texts = _core.address_keys(np.asarray(addresses, np.uint32))
        self.of = []
        for code in both.tolist():
            place = int(unique[code % len(unique)])
            name = "" if place & NONE == NONE else known[port][place & NONE]
            self.of.append(
                (texts[code // len(unique)], known["exporter"][place >> 32], known["vswitch"][place >> 16 & NONE], name)
            )

    def that(self, test):
        """-> whether each row's place passes"""
        return np.array([test(*place) for place in self.of], bool)[self.codes] if self.of else np.zeros(0, bool)

    def keys(self):
        """-> (index in the list of each row, the list): exporter, vSwitch and address"""
        codes, unique = pd.factorize(
            pd.Series([(exporter, vswitch, address) for address, exporter, vswitch, _ in self.of], dtype=object)
        )
        return codes[self.codes] if self.of else self.codes, list(unique)


class _Sums:
    """Sums of one source, by side."""

    def __init__(self):
        self.octets, self.packets, self.records = [0.0] * 3, [0.0] * 3, [0.0] * 3
        # tried, by destination: with a higher port of its own, as who asks has
        self.ports_of: list[dict[str, set[int]]] = [{}, {}, {}]


class _Usage:
    """Sums of what each source sent over each vSwitch in a window of simulated ns, [from, to)."""

    def __init__(self, result, from_ns, to_ns):
        self.sources: dict[tuple[str, str, str], _Sums] = defaultdict(_Sums)
        self.octets_to: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0] * 3)
        self._homes = _Homes(result.lab)
        self._boot = {name: _core.read_duration(host["uptime_at_start"]) for name, host in result.lab["hosts"].items()}
        self._window = (from_ns, to_ns)
        records, collected = result.require("records"), result.require("collected")
        for place in _Places(records, "src", "input_port").of:
            self._homes.saw(*place)
        boot = self._boots(records)
        first, last = ((records[name] + boot) // 1_000_000 for name in ("first_ns", "last_ns"))
        left = self._left(records, result.require("datagrams"))
        self._add(records, first, last, (TRUTH,))
        self._add(records[left], first[left], last[left], (KEPT,))
        self._add(collected, collected["first_ms"], collected["last_ms"], (COLLECTED, KEPT))

    @staticmethod
    def _left(records, datagrams):
        """Whether each record was neither collected nor lost at the end."""
        names = {name: index for index, name in enumerate(records.names["station"])}
        waits = np.isin(records["station"], [names[name] for name in ("metered", "queued") if name in names])
        fates = datagrams.names["fate"]
        sent = datagrams[datagrams["fate"] == (fates.index("sent") if "sent" in fates else -1)]
        under_way = set(zip(sent["exporter"].tolist(), sent["datagram"].tolist()))
        return waits | np.array(
            [pair in under_way for pair in zip(records["exporter"].tolist(), records["datagram"].tolist())], bool
        )

    def _boots(self, table):
        """-> uptime of each row's exporter when the simulation began"""
        names = table.names["exporter"]
        missing = [names[i] for i in np.unique(table["exporter"]).tolist() if names[i] not in self._boot]
        if missing:
            raise _core.RunError(f"the lab has no host {missing[0]}, tables do")
        return np.array([self._boot.get(name, 0) for name in names] or [0], np.int64)[table["exporter"]]

    def _add(self, table, first_ms, last_ms, sides):
        boot = self._boots(table).astype(float)
        low, high = ((float(end) + boot) / 1e6 for end in self._window)
        first, end = first_ms.astype(float), (last_ms + 1).astype(float)
        part = np.maximum(0.0, np.minimum(end, high) - np.maximum(first, low)) / (end - first)
        table, part = table[part > 0], part[part > 0]
        sources, destinations = _Places(table, "src", "input_port"), _Places(table, "dst", "output_port")
        counts, is_home = sources.that(self._homes.counts), destinations.that(self._homes.is_home)
        octets = part * table["octets"].astype(float)
        is_record = table["output"] >= 0
        sums = {"octets": octets, "packets": part * table["packets"].astype(float), "records": is_record.astype(float)}
        codes, keys = sources.keys()
        self._add_sources(codes[counts], keys, {name: values[counts] for name, values in sums.items()}, sides)
        self._add_ports(table[counts], codes[counts], keys, sides)
        codes, keys = destinations.keys()
        for index, value in enumerate(np.bincount(codes[is_home], octets[is_home], len(keys)).tolist()):
            for side in sides if value else ():
                self.octets_to[keys[index]][side] += value

    def _add_sources(self, codes, keys, values, sides):
        seen = np.unique(codes).tolist()
        for name, of in values.items():
            sums = np.bincount(codes, of, len(keys)).tolist()
            for index in seen:
                for side in sides:
                    getattr(self.sources[keys[index]], name)[side] += sums[index]

    def _add_ports(self, table, codes, keys, sides):
        is_try = np.isin(table["proto"], (_TCP, _UDP)) & (table["dport"] < table["sport"])
        tried = np.where(is_try, table["dport"].astype(np.int64), -1)
        frame = pd.DataFrame({"source": codes, "dst": table["dst"], "port": tried}).drop_duplicates()
        for source, address, port in zip(
            frame["source"], _core.address_keys(frame["dst"].to_numpy(np.uint32)), frame["port"].tolist()
        ):
            for side in sides:
                ports = self.sources[keys[source]].ports_of[side].setdefault(address, set())
                if port >= 0:
                    ports.add(port)


def _most_ports(ports_of):
    """-> the destination of which the most ports were tried, "" if there is none"""
    tried = [(-len(ports), address) for address, ports in ports_of.items() if ports]
    return min(tried)[1] if tried else ""


def _volume_limit(octets, times):
    """From how many octets a source's volume is irregular; no limit if there is too little to compare with."""
    middle = sorted(octets)[len(octets) // 2] if len(octets) >= 3 else 0
    return times * middle if middle > 0 else math.inf


def _irregular(usage, names, fan_out, ports, volume):
    """-> what is irregular in truth, or in what was collected, by exporter and vSwitch, the most irregular first"""
    volumes = defaultdict(lambda: ([], [], []))
    for key, sums in sorted(usage.sources.items()):
        for side in SIDES:
            if sums.octets[side] > 0:
                volumes[key[:2]][side].append(sums.octets[side])
    found = []
    for key, sums in sorted(usage.sources.items()):
        target = _most_ports(sums.ports_of[TRUTH]) or _most_ports(sums.ports_of[COLLECTED])
        looks = [
            ("fan_out", "", [len(of) for of in sums.ports_of], [fan_out] * 3),
            ("port_scan", target, [len(of.get(target, ())) for of in sums.ports_of], [ports] * 3),
            ("volume", "", sums.octets, [_volume_limit(octets, volume) for octets in volumes[key[:2]]]),
        ]
        for kind, where, values, limits in looks:
            is_in = [value >= limit for value, limit in zip(values, limits)]
            if is_in[TRUTH] or is_in[COLLECTED]:
                times = max(values[side] / limits[side] if limits[side] else math.inf for side in (TRUTH, COLLECTED))
                found.append((times, {
                    **_place(key), "name": names.get(key[2], ""), "kind": kind,
                    "target": where and labs.shown(where), "value": _told(values),
                    "threshold": 0 if math.isinf(limits[TRUTH]) else _whole(limits[TRUTH]),
                    "in_truth": is_in[TRUTH], "in_collected": is_in[COLLECTED], "in_collected_or_left": is_in[KEPT],
                }))  # fmt: skip
    found.sort(key=lambda pair: (pair[1]["exporter"], pair[1]["vswitch"], -pair[0], pair[1]["address"]))
    return [one for _, one in found]


def _place(key):
    return {"exporter": key[0], "vswitch": key[1], "address": labs.shown(key[2])}


def _first_of_each(items, top):
    """The first ones of each vSwitch; `top` 0: all"""
    ranks: dict[tuple[str, str], int] = defaultdict(int)
    first = []
    for item in items:
        place = (item["exporter"], item["vswitch"])
        ranks[place] += 1
        if top == 0 or ranks[place] <= top:
            first.append(item)
    return first


@dataclass
class Talkers:
    """Findings of `Result.talkers`. ``str`` is the text of the command.

    Attributes
    ----------
    from_ns, to_ns : int
        The window, simulated ns.
    talkers : list of dict
        exporter, vswitch, address, name, and truth, collected and left of octets, packets and records; the most octets
        first.
    vms : list of dict
        exporter, vswitch, name, address, octets_out and octets_in of each VM's adapter, at its own vSwitch.
    irregular : list of dict
        exporter, vswitch, address, name, kind (fan_out, port_scan, volume), target, value, threshold, in_truth,
        in_collected, in_collected_or_left; the most irregular first.
    irregular_found : int
        How many there are; `irregular` holds the first ones.
    """

    from_ns: int
    to_ns: int
    talkers: list[dict[str, Any]]
    vms: list[dict[str, Any]]
    irregular: list[dict[str, Any]]
    irregular_found: int

    def to_csv(self) -> str:
        """One long table (docs/formats.md)."""
        rows = [("talker", t, m, t[m]) for t in self.talkers for m in ("octets", "packets", "records")]
        rows += [("vm", vm, m, vm[m]) for vm in self.vms for m in ("octets_out", "octets_in")]
        rows += [("irregular", i, i["kind"], i["value"]) for i in self.irregular]
        lines = ["kind,exporter,vswitch,address,name,measure,truth,collected,left"]
        for kind, of, measure, told in rows:
            place = (of[k] for k in ("exporter", "vswitch", "address", "name"))
            lines.append(",".join(map(str, (kind, *place, measure, *told.values()))))
        return "\n".join(lines) + "\n"

    def __str__(self):
        rows = [("top talkers", "", "", "octets", "collected", "", "left")]
        rows += [
            (f"  {t['exporter']}/{t['vswitch']}", t["address"], t["name"], *_cells(t["octets"])) for t in self.talkers
        ]
        vms = [("VMs", "", "octets out", "collected", "", "left", "octets in", "collected", "", "left")]
        vms += [
            (f"  {vm['exporter']}:{vm['name']}", vm["address"], *_cells(vm["octets_out"]), *_cells(vm["octets_in"]))
            for vm in self.vms
        ]
        irregular = [(f"{i['exporter']}/{i['vswitch']}", i["address"], i["name"], _in_words(i)) for i in self.irregular]
        more = self.irregular_found - len(self.irregular)
        return (
            f"From {_seconds(self.from_ns)} s to {_seconds(self.to_ns)} s; what was collected beside the truth\n\n"
            f"{columns_of(rows, '<<<>>>>')}\n{columns_of(vms, '<<>>>>>>>>')}\nirregular addresses\n"
            f"{columns_of(irregular, '<<<<', '  ') if irregular else '  none' + chr(10)}"
            + (f"  and {grouped(more)} more; --top 0 shows all\n" if more else "")
        )


def _seconds(ns):
    return repr(ns / 1e9).removesuffix(".0")


def _cells(told):
    truth, collected, left = told["truth"], told["collected"], told["left"]
    return grouped(truth), grouped(collected), share(collected, truth), share(left, truth)


def _in_words(found):
    kind, value = found["kind"], found["value"]
    what = {
        "fan_out": "sends to many addresses",
        "port_scan": f"tries many ports of {found['target']}",
        "volume": "sends much more octets than others",
    }[kind]
    difference = ""
    if found["in_truth"] and not found["in_collected"]:
        difference = "; not collected yet at the end" if found["in_collected_or_left"] else "; hidden by the loss"
    elif found["in_collected"] and not found["in_truth"]:
        hidden = found["in_collected_or_left"]
        difference = "; only by the loss of others" if hidden else "; only as others are not collected yet"
    return f"{what}: {grouped(value['truth'])} {_UNITS[kind]}, collected {grouped(value['collected'])}{difference}"


def talkers(
    result,
    from_ns: Optional[int] = None,
    to_ns: Optional[int] = None,
    last_ns: Optional[int] = None,
    top: int = 10,
    fan_out: int = 20,
    ports: int = 100,
    volume: float = 10.0,
) -> Talkers:
    """As `Result.talkers`, with times in ns."""
    end = result.summary["end_ns"]
    begin = max(0, end - last_ns) if last_ns is not None else from_ns or 0
    stop = end if to_ns is None else min(to_ns, end)
    if top < 0:
        raise ValueError(f"top: {top}; a number of talkers of each vSwitch, or 0 for all, is needed")
    if begin >= stop:
        raise _core.RunError(f"the window is empty: the run ends at {_seconds(end)} s")
    usage = _Usage(result, begin, stop)
    names = labs.names(result.lab)
    senders: list[dict[str, Any]] = [
        {
            **_place(key),
            "name": names.get(key[2], ""),
            **{unit: _told(getattr(sums, unit)) for unit in ("octets", "packets", "records")},
        }
        for key, sums in sorted(usage.sources.items())
    ]
    senders.sort(key=lambda t: (t["exporter"], t["vswitch"], -t["octets"]["truth"]))
    vms = []
    for nic in (nic for nic in labs.nics(result.lab) if nic.vm):
        key = (nic.host, nic.vswitch, nic.address)
        out = usage.sources[key].octets if key in usage.sources else [0.0] * 3
        into = usage.octets_to.get(key, [0.0] * 3)
        place = {"exporter": nic.host, "vswitch": nic.vswitch, "name": nic.vm, "address": labs.shown(nic.address)}
        vms.append({**place, "octets_out": _told(out), "octets_in": _told(into)})
    irregular = _irregular(usage, names, fan_out, ports, volume)
    return Talkers(begin, stop, _first_of_each(senders, top), vms, _first_of_each(irregular, top), len(irregular))
