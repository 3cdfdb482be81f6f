# SPDX-License-Identifier: GPL-2.0-only
"""Two sets of runs beside each other, paired by seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Iterable, Optional, Union

import numpy as np
import pandas as pd

from . import showing
from .results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Runs = Union[Result, Iterable[Result], pd.DataFrame]


def _rows(runs):
    """-> DataFrame of metrics by (seed, run)"""
    if isinstance(runs, pd.DataFrame):
        frame = runs.drop(columns=["key", "error"], errors="ignore")
        if "seed" not in frame or frame["seed"].duplicated().any():
            raise ValueError(
                "a table to compare has one row for each seed: choose a point of the sweep, "
                "as table[table[PATH] == VALUE]"
            )
        return frame.set_index("seed")
    results = [runs] if isinstance(runs, Result) else list(runs)
    frame = pd.DataFrame([result.metrics() for result in results])
    frame.index = [(result.summary["seed"], result.summary["run"]) for result in results]
    return frame


def _t(freedom: int, level: float) -> float:
    """-> the quantile of Student's t, two-sided: with x = sqrt(n) tan(a) its density is cos(a)^(n-1)."""
    angles = np.linspace(0, math.pi / 2, 100001)
    area = np.append(0, np.cumsum(np.cos((angles[1:] + angles[:-1]) / 2) ** (freedom - 1)))
    return math.sqrt(freedom) * math.tan(np.interp(level, area / area[-1], angles))


class Comparison:
    """Differences between two sets of runs.

    Attributes
    ----------
    table : pandas.DataFrame
        By metric: the means ``a`` and ``b``, ``difference`` (b - a), ``low`` and ``high`` of its confidence interval
        (NaN for a single pair), and ``pairs``. Metrics that are equal in all pairs are left out.
    level : float
        Of the confidence intervals.
    """

    table: pd.DataFrame
    level: float

    def __init__(self, a: Runs, b: Runs, level: float = 0.95) -> None:
        one, other = _rows(a), _rows(b)
        seeds = (
            list(one.index) if len(one) == len(other) == 1 else [seed for seed in one.index if seed in set(other.index)]
        )
        if not seeds:
            raise ValueError(f"no seed is in both: {list(one.index)[:5]} and {list(other.index)[:5]}")
        if len(one) == len(other) == 1:
            other.index = one.index
        names = [
            n
            for n in one.columns.union(other.columns, sort=False)
            if all(pd.api.types.is_numeric_dtype(f[n]) for f in (one, other) if n in f)
        ]
        first, second = (frame.reindex(index=seeds, columns=names).fillna(0).astype(float) for frame in (one, other))
        apart = second - first
        count = len(seeds)
        half = apart.std(ddof=1) / math.sqrt(count) * _t(count - 1, level) if count > 1 else apart.mean() * math.nan
        mean = apart.mean()
        told = {"a": first.mean(), "b": second.mean(), "difference": mean, "low": mean - half, "high": mean + half}
        table = pd.DataFrame({**told, "pairs": count})
        self.table = table[apart.abs().max() > 0]
        self.level = level

    def plot(self, ax: Optional[Axes] = None) -> Axes:
        """Draws each difference, in % of `a`, with its confidence interval."""
        from .plots import comparison

        return comparison(self, ax)

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        if self.table.empty:
            return showing.fragment("<p>No metric differs.</p>")
        rows = [(name, row) for name, row in self.table.iterrows()]
        return showing.fragment(
            "<div class='scroll'><table><tr><th></th>{% for name in names %}<th class='n'>{{ name }}</th>{% endfor "
            "%}<th class='n'>{{ level }} interval</th></tr>"
            "{% for metric, row in rows %}<tr><td>{{ metric }}</td>{% for name in names %}<td class='n'>{{ row[name] | "
            "number }}</td>{% endfor %}"
            "<td class='n'>{% if row.low == row.low %}{{ row.low | number }} to {{ row.high | number }}{% else %}one "
            "pair{% endif %}</td></tr>{% endfor %}</table></div>",
            names=["a", "b", "difference"],
            rows=rows,
            level=f"{self.level:.0%}",
        )


def compare(a: Runs, b: Runs, level: float = 0.95) -> Comparison:
    """Compares two sets of runs, metric by metric (`Result.metrics`), paired by seed.

    Parameters
    ----------
    a, b : Result, iterable of Result, or DataFrame
        Two single results are a pair whatever their seeds. Of a sweep's table the rows of one point.
    level : float
        Of the confidence intervals (Student's t of the paired differences).

    Raises
    ------
    ValueError
        No seed is in both, or a table has several rows of one seed.
    """
    return Comparison(a, b, level)


def seeds_without_effect(rows: list[dict[str, Any]], metrics: list[dict[str, Any]]) -> Optional[str]:
    """-> a line for who repeats a run that nothing random is in, or None. `rows`: values and ``seed`` of each run."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row, metric in zip(rows, metrics):
        if row["error"] is None and metric:
            point = repr([(k, v) for k, v in row.items() if k not in ("seed", "key", "error")])
            groups.setdefault(point, []).append(metric)
    several = [group for group in groups.values() if len(group) > 1]
    equal = sum(all(repr(metric) == repr(group[0]) for metric in group) for group in several)
    if not equal:
        return None
    points = f"{equal} of {len(several)} points"
    return f"at {points} all seeds gave equal rows: nothing random changes what is measured there"
