# SPDX-License-Identifier: GPL-2.0-only
"""Pairs of records and stored rows: by equal columns, then by ever fewer of them."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Mapping, Optional

import numpy as np
import pandas as pd

from .stores import COUNTERS, KEYS, TIMES

_GROUPS = {
    "address": ("src", "dst"),
    "port": ("sport", "dport"),
    "proto": ("proto",),
    "counter": COUNTERS,
    "time": TIMES,
    "origin": ("exporter", "engine", "sequence"),
    "interface": ("input", "output"),
    "rest": ("tos", "tcp_flags", "nexthop", "src_as", "dst_as", "src_mask", "dst_mask", "sampling"),
    "ends": ("src/dst",),
    "plugs": ("sport/dport",),
}
# Groups that are looked at when one alone is not the difference, most telling first.
_KEPT = """address port proto counter time; address port proto time; address port proto counter; address port counter; \
address port time; address counter time; port proto counter time
port counter origin; address port proto; address counter; counter time; address time; port proto time; \
port proto counter; address port; ends plugs proto counter; ends plugs proto time
ends plugs proto; counter origin interface; counter"""
_SAMPLE = 256
NONE = np.zeros(0, int)


def hashed(table: Mapping[Any, Any], columns: Iterable[str]) -> np.ndarray:
    """A 64-bit number of each row."""
    total: Any = np.uint64(0)
    for column in columns:
        word = np.asarray(table[column]).astype(np.int64).view(np.uint64)
        total = (total ^ (total >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + word
        total = (total ^ (total >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return total


def _pair(truth: np.ndarray, stored: np.ndarray, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows with equal hashes, the first with the first. `balanced`: only where both have as many."""

    def numbered(codes):  # how many equal ones are before each
        return hashed(
            {"code": codes.view(np.int64), "before": pd.Series(codes).groupby(codes, sort=False).cumcount()},
            ("code", "before"),
        )

    _, mine, theirs = np.intersect1d(numbered(truth), numbered(stored), assume_unique=True, return_indices=True)
    if balanced and len(mine):
        left, right = (pd.Series(codes).value_counts().reindex(truth[mine]).to_numpy() for codes in (truth, stored))
        mine, theirs = mine[left == right], theirs[left == right]
    order = np.argsort(mine, kind="stable")
    return mine[order], theirs[order]


class Matching:
    """Rows of both tables that are not spoken for yet, and the pairs."""

    def __init__(self, truth: pd.DataFrame, stored: pd.DataFrame, columns: list[str]) -> None:
        self.columns = columns
        self._truth, self._stored = ({c: table[c].to_numpy(np.int64) for c in columns} for table in (truth, stored))
        for one, other in (("src", "dst"), ("sport", "dport")):  # whichever is first
            if one in columns and other in columns:
                for table in (self._truth, self._stored):
                    ends = {"low": np.minimum(table[one], table[other]), "high": np.maximum(table[one], table[other])}
                    table[f"{one}/{other}"] = hashed(ends, ends).view(np.int64)
        self.missing: np.ndarray = np.arange(len(truth))
        self.extra: np.ndarray = np.arange(len(stored))
        self.exact = 0
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []

    def take(self, mine: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        taken = self.missing[mine], self.extra[theirs]
        self.missing, self.extra = np.delete(self.missing, mine), np.delete(self.extra, theirs)
        return taken

    def by(
        self, columns: list[str], balanced: bool = True, changed: Optional[dict[str, np.ndarray]] = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pairs what is left by some columns. `changed`: of the truth, as a fault would show them. -> rows of both"""
        if not len(self.missing) or not len(self.extra):
            return NONE, NONE
        truth = hashed({c: (changed or {}).get(c, self._truth[c])[self.missing] for c in columns}, columns)
        stored = hashed({c: self._stored[c][self.extra] for c in columns}, columns)
        if not np.isin(stored[:: max(1, len(stored) // _SAMPLE)], truth).any():
            return NONE, NONE
        return self.take(*_pair(truth, stored, balanced))

    def _patterns(self) -> Iterator[list[str]]:
        there = {name: [c for c in fields if c in self._truth] for name, fields in _GROUPS.items()}
        plain = [name for name in there if there[name] and name not in ("ends", "plugs")]
        for dropped in plain:
            yield [c for name in plain if name != dropped for c in there[name]]
        for kept in _KEPT.replace("\n", ";").split(";"):
            if len(fields := [c for name in kept.split() for c in there[name]]) >= 2:
                yield fields

    def loosely(self, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
        """Pairs that differ in a few columns, not kept yet."""
        found = [(NONE, NONE), *(self.by(columns, balanced) for columns in self._patterns())]
        return np.concatenate([mine for mine, _ in found]), np.concatenate([theirs for _, theirs in found])

    def put_back(self, mine: np.ndarray, theirs: np.ndarray) -> None:
        self.missing = np.sort(np.concatenate([self.missing, mine]))
        self.extra = np.sort(np.concatenate([self.extra, theirs]))

    def keep(self, mine: np.ndarray, theirs: np.ndarray) -> None:
        self.pairs.append((mine, theirs))

    def paired(self) -> tuple[np.ndarray, np.ndarray]:
        found = [(NONE, NONE), *self.pairs]
        return np.concatenate([mine for mine, _ in found]), np.concatenate([theirs for _, theirs in found])


def aggregate(table: pd.DataFrame, keys: list[str], columns: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Sums by keys: earliest first, latest last, flags joined. -> the groups, and the group of each row"""
    grouped = table.groupby(keys, sort=False)
    how = {
        c: "min" if c == "first" else "max" if c == "last" else "sum"
        for c in (*COUNTERS, "first", "last")
        if c in columns and c not in keys
    }
    groups = grouped.agg(how).reset_index() if how else grouped.size().reset_index()
    number = grouped.ngroup().to_numpy()
    if "tcp_flags" in columns and "tcp_flags" not in keys:
        flags = np.zeros(len(groups), np.int64)
        np.bitwise_or.at(flags, number, table["tcp_flags"].to_numpy(np.int64))
        groups["tcp_flags"] = flags
    return groups, number


def keys_of(columns: Iterable[str]) -> list[str]:
    return [c for c in columns if c in KEYS and c != "sequence" or c == "bin"]


def merged(
    matching: Matching, truth: pd.DataFrame, stored: pd.DataFrame, over: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Finds, in what is left, sums of several records that are equal but for times, counters and the columns of `over`.
    -> places of both in what is left"""
    columns = [c for c in matching.columns if c not in over]
    keys = keys_of(columns)
    if not 0 < len(matching.extra) < len(matching.missing) or not keys:
        return NONE, NONE
    sums, in_group = aggregate(truth[columns].iloc[matching.missing], keys, columns)
    other, in_other = aggregate(stored[columns].iloc[matching.extra], keys, columns)
    compared = [c for c in sums.columns if c not in TIMES or c in keys]
    left, right = hashed(sums, compared), hashed(other, compared)
    rows = pd.Series(np.bincount(in_other), index=right)
    fewer = rows[~rows.index.duplicated()].reindex(left).fillna(0).to_numpy()
    same = np.isin(left, right) & (np.bincount(in_group) > fewer)
    return np.flatnonzero(same[in_group]), np.flatnonzero(np.isin(right, left[same])[in_other])


def one_way(table: pd.DataFrame) -> pd.DataFrame:
    """A table in which answers have the direction of what they answer."""
    ends = [pair for pair in (("src", "dst"), ("sport", "dport"), ("input", "output")) if set(pair) <= set(table)]
    if ("src", "dst") not in ends:
        return table
    has_ports = np.full(len(table), ("sport", "dport") in ends) & (
        table["proto"].to_numpy() != 1 if "proto" in table else True
    )
    first, second = (
        table[end].to_numpy(np.int64) * 65536 + np.where(has_ports, table.get(port, 0), 0)
        for end, port in (("src", "sport"), ("dst", "dport"))
    )
    changed = {}
    for one, other in ends:
        back = (first > second) & (has_ports | (one != "sport"))
        changed[one], changed[other] = (
            np.where(back, table[other], table[one]),
            np.where(back, table[one], table[other]),
        )
    return table.assign(**changed)
