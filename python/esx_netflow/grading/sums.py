# SPDX-License-Identifier: GPL-2.0-only
"""In stores of sums: the datagrams that are missing as a whole, found by what sums lack."""

from __future__ import annotations

from typing import Iterator

import numpy as np
import pandas as pd

from .matching import NONE
from .sent import Sent

_MOST_TRIED = 20_000


def datagrams_of(lack: np.ndarray, parts: np.ndarray, sent: Sent, groups: np.ndarray) -> np.ndarray:
    """Datagrams whose records, `parts` by counter, are exactly what sums lack, by counter and group, if any are."""
    datagram = sent.records["datagram"].to_numpy()
    may = ~sent.datagrams["optional"].to_numpy()
    for chosen in _guesses(lack, parts, sent, groups, may):
        of = np.isin(datagram, chosen)
        left = [
            row - np.bincount(groups[of], weights=values[of], minlength=len(row)) for row, values in zip(lack, parts)
        ]
        if (
            0 < len(chosen) < len(may)
            and not np.stack(left)[:, groups[of]].any()
            and 2 * len(np.unique(groups[of])) >= (lack > 0).any(axis=0).sum()
        ):
            return chosen
    return NONE


def _guesses(
    lack: np.ndarray, parts: np.ndarray, sent: Sent, groups: np.ndarray, may: np.ndarray
) -> Iterator[np.ndarray]:
    """Datagrams that could make up what sums lack: all that fit in; those that rules choose, by their totals; the
    largest that fit in one after the other."""
    datagram, table = sent.records["datagram"].to_numpy(), sent.datagrams
    fits = (lack[:, groups] >= parts).all(axis=0) & (parts.sum(axis=0) > 0)
    candidates = np.flatnonzero(
        pd.Series(fits).groupby(datagram).all().reindex(range(len(may)), fill_value=False).to_numpy() & may
    )
    yield candidates
    total, lacking = np.bincount(datagram, parts.sum(axis=0), len(may)), lack.sum()
    numbers = np.arange(len(may))
    yield numbers[total[::-1].cumsum()[::-1] <= lacking]
    yield numbers[total.cumsum() <= lacking]
    for step in range(2, min(len(may) // 3, 1000) + 1):
        for begin in np.flatnonzero(np.bincount(numbers % step, total) == lacking):
            yield numbers[begin::step]
    for name in ("exporter", "engine", "since", "records"):
        for value, sum_ in pd.Series(total).groupby(table[name]).sum().items():
            if sum_ == lacking:
                yield numbers[table[name] == value]
    left, chosen = lack.copy(), []
    for number in sorted(candidates, key=lambda n: -table["records"].iloc[n])[:_MOST_TRIED]:
        rows = slice(*np.searchsorted(datagram, (number, number + 1)))
        of, index = np.unique(groups[rows], return_inverse=True)
        part = np.stack([np.bincount(index, values[rows]) for values in parts]).astype(np.int64)
        if (left[:, of] >= part).all():
            left[:, of] -= part
            chosen.append(number)
    yield np.sort(np.array(chosen, int))
