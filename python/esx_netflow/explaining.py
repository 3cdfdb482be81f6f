# SPDX-License-Identifier: GPL-2.0-only
"""The story of a flow: what was metered, when its records ended and waited, how they left, and where they died."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from . import _core, labs
from .text import columns_of, counted, grouped

_FORM = (
    "SOURCE[:PORT]->DESTINATION[:PORT], where * stands for any characters, such as '10.1.101.11:*->10.1.101.21:3306'"
)
PROTOCOLS = {"icmp": "1", "tcp": "6", "udp": "17"}
_PROTOCOL_NAMES = {number: name for name, number in PROTOCOLS.items()}
_NONE = (0, 0, 0)


@dataclass
class FlowStory:
    """One flow at one port of one vSwitch. ``str`` tells it.

    Attributes
    ----------
    title : str
    truth, collected : tuple of int
        Packets, octets, records.
    lost, left : dict of str to tuple of int
        By cause, and by state.
    events : list of (int, str)
        Simulated ns and what happened then, in order.
    """

    title: str
    truth: tuple[int, int, int] = _NONE
    collected: tuple[int, int, int] = _NONE
    lost: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    left: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    events: list[tuple[int, str]] = field(default_factory=list)

    def __str__(self):
        rows = [("truth", self.truth), ("collected", self.collected)]
        for group in ("lost", "left"):
            rows += [(f"{group}: {name}", counts) for name, counts in sorted(getattr(self, group).items())]
        cells = [
            (name, *(counted(n, noun) for n, noun in zip(counts, ("packet", "octet", "record"))))
            for name, counts in rows
        ]
        events = [f"  {at // 10**9:>6}.{at % 10**9 // 1000:06} s  {what}\n" for at, what in self.events]
        return f"{self.title}\n{columns_of(cells, '<>>>', '  ')}{''.join(events)}"


def _end_of_flow(text, names):
    """-> (pattern of addresses, pattern of ports) of one end of a flow"""
    text = text.strip(" ")
    address, _, port = (text, "", "*") if text in names or ":" not in text else text.rpartition(":")
    if (
        not address
        or not re.fullmatch(r"[0-9*]+", port, re.ASCII)
        or ("*" not in port and _core.read_whole(port, 0, 65535) is None)
    ):
        raise _core.RunError(f"'{text}' is no end of a flow: {_FORM}")
    if address not in names and re.search(r"[^0-9.*]", address):
        raise _core.RunError(f"'{address}' is neither an address nor a name; {_core.suggest(address, sorted(names))}")
    addresses = "|".join(_glob(a) for a in names.get(address, [address]))
    return re.compile(addresses), re.compile(_glob(port))


def _glob(pattern):
    return re.escape(pattern).replace(r"\*", ".*")


def _pattern(text, names):
    source, arrow, destination = text.partition("->")
    if not arrow:
        raise _core.RunError(f"'{text}' is no flow: {_FORM}")
    return (*_end_of_flow(source, names), *_end_of_flow(destination, names))


def _matching(pattern, values, show):
    """Whether each value, as text, matches."""
    unique, codes = np.unique(values, return_inverse=True)
    return np.array([bool(pattern.fullmatch(text)) for text in show(unique)], bool)[codes]


def _texts(numbers):
    return [str(number) for number in numbers.tolist()]


def _rows(table, wanted=slice(None)):
    """-> the rows as dicts of plain numbers and names"""
    part = table[wanted]
    columns = {}
    for name, _, kind, _ in part._columns():
        values = part[name].tolist()
        if kind == "name":
            known = [*part.names[name], ""]
            values = [known[min(index, len(known) - 1)] for index in values]
        elif kind == "address":
            values = _core.dotted(part[name])
        columns[name] = values
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def explain(
    result, flow: str, host: Optional[str] = None, vswitch: Optional[str] = None, protocol: Optional[str] = None
) -> list[FlowStory]:
    """As `Result.explain`."""
    names: dict[str, list[str]] = {}
    for address, name in labs.names(result.lab).items():
        names.setdefault(name, []).append(address)
    pattern = _pattern(flow, names)
    records, datagrams = result.require("records"), result.require("datagrams")
    wanted = np.ones(len(records), bool)
    for name, test, show in zip(("src", "sport", "dst", "dport"), pattern, (_core.address_keys, _texts) * 2):
        wanted &= _matching(test, records[name], show)
    for name, value in (("exporter", host), ("vswitch", vswitch)):
        if value:
            known = records.names[name]
            wanted &= records[name] == (known.index(value) if value in known else -1)
    if protocol:
        wanted &= records["proto"] == int(PROTOCOLS.get(protocol, protocol))
    teller = _Teller({(d["exporter"], d["datagram"]): d for d in _rows(datagrams)})
    stories: dict[str, FlowStory] = {}
    for row in _rows(records, wanted):
        title = _title(row)
        teller.add(stories.setdefault(title, FlowStory(title)), row)
    for story in stories.values():
        story.events.sort(key=lambda event: event[0])
    return list(stories.values())


def _title(row):
    protocol = _PROTOCOL_NAMES.get(str(row["proto"]), f"protocol {row['proto']}")
    tos = f" tos {row['tos']}" if row["tos"] else ""
    return (
        f"{row['src']}:{row['sport']} -> {row['dst']}:{row['dport']} {protocol}{tos}, "
        f"into port {row['input']} of {row['exporter']}/{row['vswitch']}"
    )


def _plus(sums, key, counts):
    sums[key] = tuple(a + b for a, b in zip(sums.get(key, _NONE), counts))


class _Teller:
    """Turns records into events."""

    def __init__(self, datagrams: dict[tuple[str, int], dict[str, Any]]) -> None:
        self._datagrams = datagrams

    def add(self, story, row):
        shed = row["output"] < 0
        counts = (row["packets"], row["octets"], 0 if shed else 1)
        story.truth = tuple(a + b for a, b in zip(story.truth, counts))
        fate = row["station"]
        if shed:
            self._add_shed(story, row)
        else:
            self._add_life(story, row)
            if row["datagram"] >= 0:
                fate = self._add_datagram(story, row["exporter"], row["datagram"])
        place, name, is_loss = _move(fate)
        if place == "collected":
            story.collected = tuple(a + b for a, b in zip(story.collected, counts))
        else:
            _plus(story.lost if is_loss else story.left, name, counts)

    @staticmethod
    def _add_shed(story, row):
        cause = _move(row["station"])[1]
        story.events.append(
            (
                row["first_ns"],
                f"{counted(row['packets'], 'packet')} of {counted(row['octets'], 'octet')} shed from here on: {cause}",
            )
        )
        if row["last_ns"] > row["first_ns"]:
            story.events.append((row["last_ns"], f"the last packet shed: {cause}"))

    @staticmethod
    def _add_life(story, row):
        story.events.append(
            (
                row["first_ns"],
                f"metered: a record begins, of {counted(row['packets'], 'packet')}, {counted(row['octets'], 'octet')}",
            )
        )
        if row["last_ns"] > row["first_ns"]:
            story.events.append((row["last_ns"], "its last packet"))
        if row["ended_ns"] < 0:
            return  # live
        place, cause, _ = _move(row["station"])
        at_once = place in ("dropped", "discarded")
        waited = not at_once or row["moved_ns"] > row["ended_ns"]
        story.events.append((row["ended_ns"], f"ended: {row['reason']}{'; queued in purgatory' if waited else ''}"))
        if at_once:
            story.events.append((row["moved_ns"], f"{place}: {cause}"))

    def _add_datagram(self, story, exporter, number):
        """-> its fate, as a move's name"""
        if (exporter, number) not in self._datagrams:
            raise _core.RunError(f"datagrams.csv has no datagram {number} of {exporter}")
        row = self._datagrams[exporter, number]
        story.events.append(
            (row["sent_ns"], f"polled; sent in datagram {number} (sequence {row['sequence']}) to {row['collector']}")
        )
        if row["exported_ns"] >= 0:
            story.events.append((row["exported_ns"], f"datagram {number} leaves by the vmknic"))
        if row["concluded_ns"] >= 0:
            story.events.append((row["concluded_ns"], f"datagram {number} {_conclusion(row)}"))
        return row["fate"]


def _conclusion(row):
    where, slash, link = row["place"].partition("/")
    place = f"{link} at {where}" if slash else where
    to, name, _ = _move(row["fate"])
    if to == "collected":
        return f"received by {place}" + (f", {row['copies']} times" if row["copies"] > 1 else "")
    return "refused by the socket" if to == "unsent" else f"lost on {place}: {name}"


def _move(name):
    """-> (the place where a move leads to, how results name what ended there, whether that is a loss)"""
    return _core.MOVES.get(name, ("", name, False))


def print_stories(stories, limit):
    """Prints stories as the command `explain` does. `limit`: stories at most, 0: all"""
    shown = stories[: limit or None]
    print("\n".join(str(story) for story in shown), end="")
    if len(shown) != 1 or len(shown) < len(stories):
        more = "; --limit 0 shows all" if len(shown) < len(stories) else ""
        print(f"{'' if not shown else chr(10)}{grouped(len(shown))} of {grouped(len(stories))} flows that match{more}")
