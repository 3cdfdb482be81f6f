# SPDX-License-Identifier: GPL-2.0-only
"""In words: which of many things, and by what a stored value differs from the true one."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any, Callable, Iterator, Mapping, Optional

import numpy as np
import pandas as pd

from .. import _core

WRAP = 2**32
_NTP_MS = 2_208_988_800_000  # from 1900 to 1970
_PARTNERS = {
    "src": "dst", "sport": "dport", "input": "output", "packets": "octets", "first": "last", "src_as": "dst_as",
    "src_mask": "dst_mask",
}  # fmt: skip
PARTNERS = {**_PARTNERS, **{b: a for a, b in _PARTNERS.items()}}
_ADDRESSES = ("src", "dst", "nexthop", "exporter")
_NO_CHANCE = 5_000
_BITS = {
    **dict.fromkeys((*_ADDRESSES, "packets", "octets", "first", "last", "sequence"), 32),
    **dict.fromkeys("proto tos tcp_flags".split(), 8),
}
_FROM_OTHERS = (
    "proto tos tcp_flags sport dport input output packets octets src dst nexthop src_as dst_as src_mask dst_mask "
    "engine sequence exporter first last"
).split()
_OVERHEADS = {
    14: "an Ethernet header", 18: "an Ethernet header and FCS", -20: "no IP header", -28: "no headers of IP and UDP",
    -40: "no headers of IP and TCP", 38: "an Ethernet frame on the wire",
}  # fmt: skip
SCALED = "is scaled by the sampling interval"  # of the header: a collector may
# they say something only if they are true of many
WEAK = ("is off by", "is always", "is multiplied", "is that of", "is replaced")

Columns = dict[str, np.ndarray]
# in words, and what is stored then of the true values and columns
Rule = tuple[str, Callable[[np.ndarray, Columns], np.ndarray]]


def _swap(v: np.ndarray, bits: int) -> np.ndarray:
    return v.astype(f"<u{bits // 8}").byteswap().astype(np.int64)


_TIMES: list[Rule] = [
    (
        "is 49.7 days (2^32 ms) too early: it is after SysUptime, and taken for a wrap",
        lambda v, t: v - WRAP * (t["ago"] < 0),
    ),
    ("is 49.7 days (2^32 ms) too early", lambda v, t: v - WRAP),
    (
        "is 49.7 days (2^32 ms) too late: it is after SysUptime, and taken for a wrap",
        lambda v, t: v + WRAP * (t["ago"] < 0),
    ),
    ("is 49.7 days (2^32 ms) too late", lambda v, t: v + WRAP),
    ("is SysUptime, not time since 1970", lambda v, t: t["raw"]),
    ("is SysUptime in seconds, not time since 1970", lambda v, t: t["raw"] // 1000),
    ("is 136 years (2^32 s) too early", lambda v, t: v - WRAP * 1000),
    ("lacks the nanoseconds of the header (unix_nsecs)", lambda v, t: v - t["unix_ns"] // 10**6),
    ("has the nanoseconds of the header (unix_nsecs) twice", lambda v, t: v + t["unix_ns"] // 10**6),
    (
        "takes the nanoseconds of the header (unix_nsecs) for microseconds",
        lambda v, t: v - t["unix_ns"] // 10**6 + t["unix_ns"] // 1000,
    ),
    (
        "takes the nanoseconds of the header (unix_nsecs) for milliseconds",
        lambda v, t: v - t["unix_ns"] // 10**6 + t["unix_ns"],
    ),
    (
        "is 1 s too late where its part of a second is before that of the header (no borrow)",
        lambda v, t: v + 1000 * (t["unix_ns"] // 10**6 < t["ago"] % 1000),
    ),
    ("is the time of export", lambda v, t: t["unix_ms"]),
    ("is the second of the export", lambda v, t: t["unix_ms"] - t["unix_ns"] // 10**6),
    ("is added to the time of export as if SysUptime were 0", lambda v, t: t["unix_ms"] + t["raw"]),
    ("takes SysUptime for seconds", lambda v, t: t["unix_ms"] - (t["unix_ms"] - v) * 1000),
    ("is the duration, Last - First", lambda v, t: t["last"] - t["first"]),
    ("is 70 years too late, the distance of NTP's epoch", lambda v, t: v + _NTP_MS),
    ("is 70 years too early, the distance of NTP's epoch", lambda v, t: v - _NTP_MS),
    ("is cut to whole seconds after First", lambda v, t: t["first"] + (v - t["first"]) // 1000 * 1000),
    ("is the time of day, without the date", lambda v, t: v % 86_400_000),
    ("is cut to the minute", lambda v, t: v // 60_000 * 60_000),
    ("is in seconds where ms belong", lambda v, t: v // 1000),
    ("is in ms where seconds belong", lambda v, t: v * 1000),
]
_COUNTERS: list[Rule] = [
    (SCALED, lambda v, t: v * np.maximum(t["sampling"], 1)),
    ("is doubled", lambda v, t: v * 2),
    ("is halved", lambda v, t: v // 2),
    ("is rounded to a 32-bit float", lambda v, t: v.astype(np.float32).astype(np.int64)),
    ("is in thousands", lambda v, t: v // 1000),
    ("is in units of 1024", lambda v, t: v // 1024),
    ("is in bits", lambda v, t: v * 8),
    ("is a rate, that of a second", lambda v, t: v * 1000 // np.maximum((t["last_raw"] - t["first_raw"]) % WRAP, 1)),
    ("is added up over the records of its flow", lambda v, t: t["so far"]),
]
_COUNTED = ("packets", "octets", "flows")
_PORT_OF_P: list[Rule] = [
    ("is the port alone, without the switch of -p", lambda v, t: v & 511),
    ("is the switch alone, without the port of -p", lambda v, t: v >> 9),
]
_ADDRESS: list[Rule] = [
    (f"is cut to its /{bits} network", partial(lambda v, t, bits: v & (WRAP - (1 << 32 - bits)), bits=bits))
    for bits in (24, 16, 8)
]
_OF: dict[str, list[Rule]] = {
    "packets": _COUNTERS,
    "flows": _COUNTERS,
    "octets": _COUNTERS + [("is the average of a packet", lambda v, t: v // np.maximum(t["packets"], 1))],
    "tcp_flags": [("lacks the highest two flags (cut to 6 bits)", lambda v, t: v & 63)],
    "input": _PORT_OF_P,
    "output": _PORT_OF_P,
    "sampling": [
        (f"has the sampling mode in it ({mode})", partial(lambda v, t, mode: v | mode << 14, mode=mode))
        for mode in (1, 2, 3)
    ],
    "engine": [
        ("has its engine type and ID swapped", lambda v, t: _swap(v, 16)),
        ("is the engine ID alone", lambda v, t: v & 255),
        ("is the engine type alone", lambda v, t: v >> 8),
    ],
    "tos": [
        ("is the DSCP alone (shifted by 2)", lambda v, t: v >> 2),
        ("lacks the ECN bits", lambda v, t: v & 0xFC),
        ("is the precedence alone (shifted by 5)", lambda v, t: v >> 5),
    ],
    "src": _ADDRESS,
    "dst": _ADDRESS,
    "sport": [("is the ICMP type", lambda v, t: np.where(t["proto"] == 1, t["dport"] >> 8, v))],
    "dport": [
        ("lacks the ICMP type (code alone)", lambda v, t: np.where(t["proto"] == 1, v & 255, v)),
        ("lacks the ICMP code (type alone)", lambda v, t: np.where(t["proto"] == 1, v >> 8, v)),
        ("has the ICMP code shifted away", lambda v, t: np.where(t["proto"] == 1, v >> 8 << 8, v)),
    ],
}


def plural(count: int, word: str) -> str:
    return f"{count:,}".replace(",", " ") + f" {word}{'' if count == 1 else 's'}"


def which(mask: np.ndarray) -> Optional[str]:
    """The rule by which some of a row of numbered things are chosen; None: there is none."""
    chosen, total = np.flatnonzero(mask), len(mask)
    if not len(chosen) or total < 2:
        return None
    low, high = int(chosen[0]), int(chosen[-1])
    if len(chosen) == total:
        return "all"
    if len(chosen) == 1:
        return "the first" if low == 0 else "the last" if low == total - 1 else None
    gaps = np.diff(chosen)
    step = int(gaps[0]) if (gaps == gaps[0]).all() else 0
    if step == 1:
        return (
            f"the first {len(chosen)}"
            if low == 0
            else f"all from number {low} on"
            if high == total - 1
            else f"numbers {low} to {high}, one after the other"
        )
    if not step or len(chosen) < 3:
        return None
    if low < step and high + step >= total:
        nth = {1: "st", 2: "nd", 3: "rd"}.get(step % 10 if step % 100 not in (11, 12, 13) else 0, "th")
        return f"every {step}{nth}, from number {low} on"
    return f"one in {step} of numbers {low} to {high}"


def condition(mask: np.ndarray, attributes: dict[str, np.ndarray], fields: Mapping[str, str] = {}) -> Optional[str]:
    """Something that those that are chosen have in common and no other has, in words: each attribute's with its value
    at {}. `fields`: of which it is."""
    if mask.all() or not mask.any():
        return None
    for text, values in attributes.items():
        one = values[mask][0]
        # of a single one each number tells
        is_telling = one if values.dtype == bool else values.dtype == object or mask.sum() > 1
        if is_telling and (values[mask] == one).all() and not (values[~mask] == one).any():
            return text.format(shown(fields.get(text, ""), one))
    # a few of a few are the largest of something by chance
    ways = math.comb(len(mask), min(mask.sum(), (~mask).sum(), 4))
    for text, values in attributes.items():
        if values.dtype not in (object, bool) and ways > _NO_CHANCE:
            yes, no = values[mask], values[~mask]
            if yes.min() > no.max():
                return text.format(f"{shown(fields.get(text, ''), yes.min())} or more")
            if yes.max() < no.min():
                return text.format(f"{shown(fields.get(text, ''), yes.max())} or less")
    return None


def shown(field: str, value: Any) -> str:
    if field in _ADDRESSES:
        return _core.dotted(np.array([value % WRAP], np.uint32))[0]
    if field in ("first", "last", "bin") and abs(value) < 2**52:
        return str(np.datetime64(int(value), "ms"))
    return str(value)


def _common(values: np.ndarray) -> int:
    return int(pd.Series(values).mode().iloc[0]) if len(values) else 0


def _of_times(v: np.ndarray, s: np.ndarray) -> Iterator[Rule]:
    yield "is 0", lambda v, t: 0 * v
    yield from _TIMES
    today = np.abs(s - time.time() * 1000) < 2 * 86_400_000
    yield "is a time of today, as of reception", lambda v, t: np.where(today, s, v) if len(s) == len(v) else v
    delta = _common(s - v)
    days = abs(delta) / 86_400_000
    if delta:
        zone, years = delta % 900_000 == 0 and days <= 14 / 24, days > 300 and days % 365 < 12
        text = (
            f" {delta / 3.6e6:+g} h, as by a time zone"
            if zone
            else f" years ({delta / 86_400_000:+.0f} days)"
            if years
            else f" {delta / 86_400_000:+.9g} days"
            if days >= 2
            else f" {delta:+d} ms"
        )
        yield f"is off by{text}", lambda v, t: v + delta


def _of_numbers(field: str) -> Iterator[Rule]:
    width = _BITS.get(field, 16)
    yield "is dropped: 0 is stored", lambda v, t: 0 * v
    yield from _OF.get(field, [])
    for bits in (8, 16, 24):
        top = (1 << bits) - 1
        if width > bits:
            yield f"is cut to {bits} bits", partial(lambda v, t, top: v & top, top=top)
            yield f"ends at {top}, the largest of {bits} bits", partial(lambda v, t, top: np.minimum(v, top), top=top)
    if field in _COUNTED:
        yield "wraps at 2^32", lambda v, t: v % WRAP
    for bits in (8, 16, 32):
        half = 1 << bits - 1
        if width >= bits:
            yield (
                f"is taken as signed ({bits} bits)",
                partial(lambda v, t, half: (v + half) % (2 * half) - half, half=half),
            )
            yield f"lacks the highest of {bits} bits", partial(lambda v, t, half: v & half - 1, half=half)
            yield (
                f"ends at {half - 1}, the largest of {bits} signed bits",
                partial(lambda v, t, half: np.minimum(v, half - 1), half=half),
            )
    if width > 8 and field != "engine":
        yield f"has the wrong byte order ({width} bits)", lambda v, t: _swap(v, width)


def explanations(field: str, t: Columns, s: np.ndarray) -> Iterator[Rule]:
    """Rules for `field`, with the true columns `t`, where `s` is stored instead. Likely ones first. A rule may ask for
    a column that is not there."""
    v, partner, is_time = t[field], PARTNERS.get(field), field in ("first", "last", "bin")
    yield from _of_times(v, s) if is_time else _of_numbers(field)
    if field == "octets" and "packets" in t and (each := _common((s - v) // np.maximum(t["packets"], 1))):
        yield (
            f"counts {_OVERHEADS.get(each, 'something else')} for each packet ({each:+d} octets)",
            lambda v, t: v + each * t["packets"],
        )
    if len(s) > 1 and field not in (*_ADDRESSES, "proto") and not is_time and (v > s[0]).all() and (s == s[0]).all():
        yield f"ends at {shown(field, s[0])}", lambda v, t: np.minimum(v, s[0])
    if partner:
        yield f"is that of {partner}", partial(lambda v, t, name: t[name], name=partner)
        for text, above in (("above", 0), ("below", 1)):
            yield (
                f"has that of {partner} {text} its 16 bits",
                partial(lambda v, t, up: v << 16 * up | t[partner] << 16 * (1 - up), up=above),
            )
    for name in ("last of datagram", "record before", "record after", "first of datagram"):
        yield (
            f"is that of the {name.replace(' of', ' record of the')}",
            partial(lambda v, t, name: t[f"{field} of {name}"], name=name),
        )
    for other in _FROM_OTHERS:
        if other in t and other not in (field, partner) and t[other].any():
            yield f"is that of {other}", partial(lambda v, t, other: t[other], other=other)
    if len(s) > 1 and (s == s[0]).all():
        yield f"is always {shown(field, s[0])}", lambda v, t: np.full_like(v, s[0])
    if not is_time and field not in (*_ADDRESSES, "proto", "tcp_flags"):
        if delta := _common(s - v):
            yield f"is off by {delta:+d}{' octets' if field == 'octets' else ''}", lambda v, t: v + delta
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = pd.Series(s / v).round(6).mode()
        if len(ratio) and np.isfinite(ratio.iloc[0]) and ratio.iloc[0] not in (0, 1):
            yield f"is multiplied by {ratio.iloc[0]:g}", lambda v, t: np.round(v * ratio.iloc[0]).astype(np.int64)
    pairs = dict(zip(v.tolist(), s.tolist()))
    if not is_time and field not in ("packets", "octets") and 1 < len(pairs) <= len(v) // 2:
        yield "is replaced by another, one for one", lambda v, t: pd.Series(v).map(pairs).fillna(-1).to_numpy(np.int64)
