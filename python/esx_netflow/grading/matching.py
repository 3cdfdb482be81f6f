# SPDX-License-Identifier: GPL-2.0-only
"""Which stored row is which record: by equal columns, then by ever fewer of them."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

import numpy as np
import pandas as pd

from .stores import COUNTERS, KEYS, TIMES

_GROUPS = {
    "address": ("src", "dst"),
    "port": ("sport", "dport"),
    "proto": ("proto",),
    "counter": ("packets", "octets", "flows"),
    "time": ("first", "last", "bin"),
    "origin": ("exporter", "engine", "sequence"),
    "interface": ("input", "output"),
    "ends": ("src/dst",),
    "plugs": ("sport/dport",),
    "rest": ("tos", "tcp_flags", "nexthop", "src_as", "dst_as", "src_mask", "dst_mask", "sampling"),
}
# What is looked at when one group alone is not the difference, most telling first.
_KEPT = [
    kept.split()
    for kept in (
        "address port proto counter time",
        "address port proto time",
        "address port proto counter",
        "address port counter",
        "address port time",
        "address counter time",
        "port proto counter time",
        "port counter origin",
        "address port proto",
        "address counter",
        "counter time",
        "address time",
        "port proto time",
        "port proto counter",
        "address port",
        "ends plugs proto counter",
        "ends plugs proto time",
        "ends plugs proto",
        "counter origin interface",
        "counter",
    )
]
_SAMPLE = 256


def hashed(columns: Iterable[np.ndarray]) -> np.ndarray:
    """A 64-bit number of each row."""
    total: Any = np.uint64(0)
    for values in columns:
        word = values.astype(np.int64).view(np.uint64)
        total = (total ^ (total >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + word
        total = (total ^ (total >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return total


def _occurrence(codes: np.ndarray) -> np.ndarray:
    """How many equal ones are before each."""
    return pd.Series(codes).groupby(codes, sort=False).cumcount().to_numpy()


def pair(truth: np.ndarray, stored: np.ndarray, balanced: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Rows with equal hashes, the first with the first. `balanced`: only where both have as many."""
    common, mine, theirs = np.intersect1d(
        hashed((truth.view(np.int64), _occurrence(truth))), hashed((stored.view(np.int64), _occurrence(stored))), assume_unique=True, return_indices=True
    )
    if balanced and len(mine):
        left, right = pd.Series(truth).value_counts(), pd.Series(stored).value_counts()
        keep = left.reindex(truth[mine]).to_numpy() == right.reindex(truth[mine]).to_numpy()
        mine, theirs = mine[keep], theirs[keep]
    order = np.argsort(mine, kind="stable")
    return mine[order], theirs[order]


def _patterns(columns: list[str]) -> Iterator[list[str]]:
    there = {name: [c for c in fields if c in columns] for name, fields in _GROUPS.items()}
    there = {name: fields for name, fields in there.items() if fields}
    for dropped in [name for name in there if name not in ("ends", "plugs")]:
        yield [c for name, fields in there.items() if name not in (dropped, "ends", "plugs") for c in fields]
    for kept in _KEPT:
        fields = [c for name in kept for c in there.get(name, ())]
        if len(fields) >= 2:
            yield fields


class Matching:
    """Rows of both tables that are not spoken for yet, and the pairs."""

    def __init__(self, truth: pd.DataFrame, stored: pd.DataFrame, columns: list[str]) -> None:
        self.columns = columns
        self._truth = {c: truth[c].to_numpy(np.int64) for c in columns}
        self._stored = {c: stored[c].to_numpy(np.int64) for c in columns}
        for one, other in (("src", "dst"), ("sport", "dport")):  # whichever is first
            if one in columns and other in columns:
                for table in (self._truth, self._stored):
                    table[f"{one}/{other}"] = hashed((np.minimum(table[one], table[other]), np.maximum(table[one], table[other]))).view(np.int64)
        self.missing = np.arange(len(truth))
        self.extra = np.arange(len(stored))
        self.exact = 0
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []

    def _take(self, mine, theirs):
        taken = self.missing[mine], self.extra[theirs]
        self.missing, self.extra = np.delete(self.missing, mine), np.delete(self.extra, theirs)
        return taken

    def by(self, columns: list[str], balanced: bool = True, changed: dict[str, np.ndarray] | None = None):
        """Pairs what is left by some columns. `changed`: columns of the truth as a fault would show them. -> rows of both"""
        if not len(self.missing) or not len(self.extra):
            return np.zeros(0, int), np.zeros(0, int)
        truth = hashed((changed or {}).get(c, self._truth[c])[self.missing] for c in columns)
        stored = hashed(self._stored[c][self.extra] for c in columns)
        sample = stored[:: max(1, len(stored) // _SAMPLE)]
        if not pd.Index(truth).isin(sample).any():
            return np.zeros(0, int), np.zeros(0, int)
        return self._take(*pair(truth, stored, balanced))

    def exactly(self) -> None:
        self.exact += len(self.by(self.columns, balanced=False)[0])

    def loosely(self, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
        """Pairs that differ in a few columns, not kept yet."""
        found = [self.by(columns, balanced) for columns in _patterns(list(self._truth))]
        return np.concatenate([mine for mine, _ in found] or [[]]).astype(int), np.concatenate([theirs for _, theirs in found] or [[]]).astype(int)

    def put_back(self, mine: np.ndarray, theirs: np.ndarray) -> None:
        self.missing = np.sort(np.concatenate([self.missing, mine]))
        self.extra = np.sort(np.concatenate([self.extra, theirs]))

    def keep(self, mine: np.ndarray, theirs: np.ndarray) -> None:
        if len(mine):
            self.pairs.append((mine, theirs))

    def paired(self) -> tuple[np.ndarray, np.ndarray]:
        if not self.pairs:
            return np.zeros(0, int), np.zeros(0, int)
        return np.concatenate([mine for mine, _ in self.pairs]), np.concatenate([theirs for _, theirs in self.pairs])


def aggregate(table: pd.DataFrame, keys: list[str], columns: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Sums by keys: earliest first, latest last, flags joined. -> the groups, and the group of each row"""
    grouped = table.groupby(keys, sort=False)
    how = {c: "sum" for c in COUNTERS if c in columns}
    how.update({c: edge for c, edge in (("first", "min"), ("last", "max")) if c in columns and c not in keys})
    groups = grouped.agg(how).reset_index() if how else grouped.size().reset_index()
    number = grouped.ngroup().to_numpy()
    if "tcp_flags" in columns and "tcp_flags" not in keys:
        flags = np.zeros(len(groups), np.int64)
        np.bitwise_or.at(flags, number, table["tcp_flags"].to_numpy(np.int64))
        groups["tcp_flags"] = flags
    return groups, number


def keys_of(columns: Iterable[str]) -> list[str]:
    return [c for c in columns if c in KEYS and c != "sequence" or c == "bin"]


def merged(matching: Matching, truth: pd.DataFrame, stored: pd.DataFrame, over: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Takes rows that are the sums of several records which are equal but for times, counters and the columns of `over`. -> rows of both"""
    keys = [c for c in keys_of(matching.columns) if c not in over]
    columns = [c for c in matching.columns if c not in over]
    if not 0 < len(matching.extra) < len(matching.missing) or not keys:
        return np.zeros(0, int), np.zeros(0, int)
    mine, theirs = truth[columns].iloc[matching.missing], stored[columns].iloc[matching.extra]
    sums, in_group = aggregate(mine, keys, columns)
    other, in_other = aggregate(theirs, keys, columns)
    compared = [c for c in sums.columns if c not in TIMES or c in keys]
    left, right = hashed(sums[c].to_numpy(np.int64) for c in compared), hashed(other[c].to_numpy(np.int64) for c in compared)
    same, same_other = np.isin(left, right), np.isin(right, left)
    rows = pd.Series(np.bincount(in_other), index=right)
    same &= np.bincount(in_group) > rows[~rows.index.duplicated()].reindex(left).fillna(0).to_numpy()
    same_other = np.isin(right, left[same])
    return matching._take(np.flatnonzero(same[in_group]), np.flatnonzero(same_other[in_other]))
