# SPDX-License-Identifier: GPL-2.0-only
"""In words: which of many things, and by what a stored value differs from the true one."""

from __future__ import annotations

import time
from typing import Iterator, Optional

import numpy as np
import pandas as pd

from .. import _core

WRAP = 2**32
_PARTNERS = {"src": "dst", "sport": "dport", "input": "output", "packets": "octets", "first": "last", "src_as": "dst_as", "src_mask": "dst_mask"}
PARTNERS = {**_PARTNERS, **{b: a for a, b in _PARTNERS.items()}}
_BITS = {"src": 32, "dst": 32, "nexthop": 32, "exporter": 32, "packets": 32, "octets": 32, "first": 32, "last": 32, "sequence": 32, "proto": 8, "tos": 8, "tcp_flags": 8}
SCALED = "is scaled by the sampling interval"  # of the header: a collector may
WEAK = ("is off by", "is always", "is multiplied", "is that of", "is replaced")  # they say something only if they are true of many
_NTP_MS = 2_208_988_800_000  # from 1900 to 1970
_UNIT = {"octets": " octets", "first": " ms", "last": " ms"}
_FROM_OTHERS = "proto tos tcp_flags sport dport input output packets octets src dst nexthop src_as dst_as src_mask dst_mask engine sequence exporter first last".split()


def plural(count: int, word: str) -> str:
    return f"{count:,}".replace(",", " ") + f" {word}{'' if count == 1 else 's'}"


def which(mask: np.ndarray) -> Optional[str]:
    """The rule by which some of a row of numbered things are chosen; None: there is none."""
    chosen, total = np.flatnonzero(mask), len(mask)
    if not len(chosen) or total < 2:
        return None
    low, high, step = int(chosen[0]), int(chosen[-1]), 0
    if len(chosen) == total:
        return "all"
    if len(chosen) == 1:
        return "the first" if low == 0 else "the last" if low == total - 1 else None
    gaps = np.diff(chosen)
    if (gaps == gaps[0]).all():
        step = int(gaps[0])
    if step == 1:
        return f"the first {len(chosen)}" if low == 0 else f"all from number {low} on" if high == total - 1 else f"numbers {low} to {high}, one after the other"
    if step and len(chosen) > 2 and low < step and high + step >= total:
        nth = {1: "st", 2: "nd", 3: "rd"}.get(step % 10 if step % 100 not in (11, 12, 13) else 0, "th")
        return f"every {step}{nth}, from number {low} on"
    if step and len(chosen) > 2:
        return f"one in {step} of numbers {low} to {high}"
    return None


def condition(mask: np.ndarray, attributes: dict[str, np.ndarray]) -> Optional[str]:
    """What those that are chosen have in common and no other has, in words."""
    if mask.all() or not mask.any():
        return None
    for name, values in attributes.items():
        if values.dtype == object:
            codes, unique = pd.factorize(values)
            if (codes[mask] == codes[mask][0]).all() and not (codes[~mask] == codes[mask][0]).any():
                return name.format(unique[codes[mask][0]])
            continue
        yes, no = values[mask], values[~mask]
        if yes.min() == yes.max() and not (no == yes[0]).any():
            return name.format(int(yes[0]))
    for name, values in attributes.items():
        if values.dtype != object and mask.sum() > 2 and "{}" in name:
            yes, no = values[mask], values[~mask]
            if yes.min() > no.max():
                return name.format(f"{int(yes.min())} or more")
            if yes.max() < no.min():
                return name.format(f"{int(yes.max())} or less")
    return None


def shown(field: str, value: int) -> str:
    if field in ("src", "dst", "exporter", "nexthop"):
        return _core.dotted(np.array([value % WRAP], np.uint32))[0]
    if field in ("first", "last", "bin"):
        return str(np.datetime64(int(value), "ms")) if abs(value) < 2**52 else str(value)
    return str(int(value))


def _swap(values, bits):
    if bits == 16:
        return (values & 0xFF) << 8 | values >> 8 & 0xFF
    values = values.astype(np.int64)
    return (values & 0xFF) << 24 | (values & 0xFF00) << 8 | values >> 8 & 0xFF00 | values >> 24 & 0xFF


def _times(field, v, t, s) -> Iterator[tuple[str, np.ndarray]]:
    for way, step in (("early", -WRAP), ("late", WRAP)):
        yield f"is 49.7 days (2^32 ms) too {way}: it is after SysUptime, and taken for a wrap", v + step * (t["ago"] < 0)
        yield f"is 49.7 days (2^32 ms) too {way}", v + step
    if f"{field}_raw" in t:
        yield "is SysUptime, not time since 1970", t[f"{field}_raw"]
        yield "lacks the nanoseconds of the header (unix_nsecs)", v - (t["unix_ms"] - t["unix_s"] * 1000)
        yield "is the time of export", t["unix_ms"]
        yield "is the second of the export", t["unix_s"] * 1000
        yield "is added to the time of export as if SysUptime were 0", t["unix_ms"] + t[f"{field}_raw"]
        yield "takes SysUptime for seconds", t["unix_ms"] - (t["unix_ms"] - v) * 1000
    yield "is the duration, Last - First", t["last"] - t["first"] if "first" in t and "last" in t else v
    yield "is a time of today, as of reception", np.where(np.abs(s - time.time() * 1000) < 2 * 86_400_000, s, v)
    for way, step in (("late", _NTP_MS), ("early", -_NTP_MS)):
        yield f"is 70 years too {way}, the distance of NTP's epoch", v + step
    yield "is in seconds where ms belong", v // 1000
    yield "is in ms where seconds belong", v * 1000
    delta = s - v
    common = int(pd.Series(delta).mode().iloc[0]) if len(delta) else 0
    if common and common % 900_000 == 0 and abs(common) <= 50_400_000:
        yield f"is off by {common / 3.6e6:+g} h, as by a time zone", v + common
    if common and abs(common) % (86_400_000 * 365) < 86_400_000 * 12 and abs(common) > 86_400_000 * 300:
        yield f"is off by years ({common / 86_400_000:+.0f} days)", v + common
    if common:
        yield f"is off by {common:+d} ms", v + common
    yield "is 0", np.zeros_like(v)


def _numbers(field, v, t, s) -> Iterator[tuple[str, np.ndarray]]:
    yield "is dropped: 0 is stored", np.zeros_like(v)
    for bits in (8, 16, 24):
        if _BITS.get(field, 16) > bits:
            yield f"is cut to {bits} bits", v & (1 << bits) - 1
            yield f"ends at {(1 << bits) - 1}, the largest of {bits} bits", np.minimum(v, (1 << bits) - 1)
    for bits in (8, 16, 32):
        if _BITS.get(field, 16) >= bits:
            half = 1 << bits - 1
            yield f"is taken as signed ({bits} bits)", np.where((v & (1 << bits) - 1) >= half, (v & (1 << bits) - 1) - (1 << bits), v & (1 << bits) - 1)
            yield f"lacks the highest of {bits} bits", v & half - 1
            yield f"ends at {half - 1}, the largest of {bits} signed bits", np.minimum(v, half - 1)
    if field in ("packets", "octets", "flows"):
        if "sampling" in t and (t["sampling"] > 1).all():
            yield SCALED, v * t["sampling"]
        yield "is doubled", v * 2
        yield "is halved", v // 2
        yield "is rounded to a 32-bit float", v.astype(np.float32).astype(np.int64)
        for factor, unit in ((1000, "thousands"), (1024, "units of 1024")):
            yield f"is in {unit}", v // factor
        if field == "octets":
            yield "is the average of a packet", v // np.maximum(t["packets"], 1) if "packets" in t else v
        yield "is in bits", v * 8
        for overhead, what in ((14, "an Ethernet header"), (18, "an Ethernet header and FCS"), (-20, "no IP header"), (38, "an Ethernet frame on the wire")):
            if field == "octets":
                yield f"counts {what} for each packet ({overhead:+d} octets)", v + overhead * t["packets"]
    for bits in (16, 32):
        if _BITS.get(field, 16) == bits or field == "engine" and bits == 16:
            yield "has its engine type and ID swapped" if field == "engine" else f"has the wrong byte order ({bits} bits)", _swap(v, bits)
    if field == "tcp_flags":
        yield "lacks the highest two flags (cut to 6 bits)", v & 63
    if field in ("input", "output"):
        yield "is the port alone, without the switch of -p", v & 511
        yield "is the switch alone, without the port of -p", v >> 9
    if field == "sampling":
        for mode in (1, 2, 3):
            yield f"has the sampling mode in it ({mode})", v | mode << 14
    if field == "engine":
        yield "is the engine ID alone", v & 255
        yield "is the engine type alone", v >> 8
    if field == "tos":
        yield "is the DSCP alone (shifted by 2)", v >> 2
        yield "lacks the ECN bits", v & 0xFC
        yield "is the precedence alone (shifted by 5)", v >> 5
    if field in ("src", "dst"):
        for bits in (24, 16, 8):
            yield f"is cut to its /{bits} network", v & (WRAP - (1 << 32 - bits))
    if field == "dport":
        yield "lacks the ICMP type (code alone)", np.where(t["proto"] == 1, v & 255, v)
        yield "lacks the ICMP code (type alone)", np.where(t["proto"] == 1, v >> 8, v)
        yield "has the ICMP code shifted away", np.where(t["proto"] == 1, v >> 8 << 8, v)


def explanations(field: str, t: dict[str, np.ndarray], s: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """In words, and what would be stored then: of `field`, with the true columns `t`, where `s` is stored instead. Likely ones first."""
    v = t[field]
    yield from _times(field, v, t, s) if field in ("first", "last") else _numbers(field, v, t, s)
    partner = PARTNERS.get(field)
    if partner in t:
        yield f"is that of {partner}", t[partner]
    for name in ("last of datagram", "record before", "first of datagram"):
        if f"{field} of {name}" in t:
            yield f"is that of the {name.replace(' of', ' record of the')}", t[f"{field} of {name}"]
    for other in _FROM_OTHERS:
        if other in t and other not in (field, partner) and t[other].any():
            yield f"is that of {other}", t[other]
    if len(s) and (s == s[0]).all():
        yield f"is always {shown(field, s[0])}", np.full_like(v, s[0])
    if field not in ("first", "last", "src", "dst", "exporter", "nexthop", "proto"):
        delta = int(pd.Series(s - v).mode().iloc[0]) if len(s) else 0
        if delta:
            yield f"is off by {delta:+d}{_UNIT.get(field, '')}", v + delta
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = pd.Series(s / v).round(6).mode()
        if len(ratio) and np.isfinite(ratio.iloc[0]) and ratio.iloc[0] not in (0, 1):
            yield f"is multiplied by {ratio.iloc[0]:g}", np.round(v * ratio.iloc[0]).astype(np.int64)
    codes, values = pd.factorize(v)
    if field not in ("first", "last", "packets", "octets") and 1 < len(values) <= len(v) // 2:
        yield "is replaced by another, one for one", s[np.unique(codes, return_index=True)[1]][codes]
