# SPDX-License-Identifier: GPL-2.0-only
"""Many runs: a grid of values times replications, on this machine's cores or on a cluster; nothing is run twice.

A point is a scenario with some values replaced. `sweep_points` names its results and keeps them, `sweep_executors` runs
it, and `sweep_files` has the files of the command line; here all points become one table.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import pickle
import tempfile
import warnings
from pathlib import Path
from typing import Any, Callable, Iterable, Optional, Union

import pandas as pd

from . import _core, running
from .comparing import seeds_without_effect
from .results import Result
from .sweep_executors import executor_of, run_calls
from .sweep_points import (
    COSTS, build_id, folder_of, is_kept, key_of, leave_if_imported_by_worker, measure, remember, run_point, seeds_of,
    take_away_abandoned,
)  # fmt: skip


class SweepWarning(UserWarning):
    """Points of a sweep failed."""


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a sweep.

    Attributes
    ----------
    table : pandas.DataFrame
        As `sweep` returns it; the error of points that were not run is "not run: interrupted".
    """

    def __init__(self, text: str, table: pd.DataFrame) -> None:
        super().__init__(text)
        self.table = table


class SweepTable(pd.DataFrame):
    """The table of a sweep: a DataFrame, and more.

    Attributes
    ----------
    costs : pandas.DataFrame
        By row: ``wall_s`` and ``memory_MB``, the most that the process held while it ran (NaN where it is not known).
        They are apart from the table, which is the same each time.
    paths : list of str
        The columns that were varied.
    note : str or None
        That seeds change nothing, if they do not.
    """

    _metadata = ["costs", "paths", "note"]
    costs: pd.DataFrame
    paths: list[str]
    note: Optional[str]

    @property
    def _constructor(self):
        return pd.DataFrame

    def to_xarray(self) -> Any:
        """An xarray.Dataset with a dimension for each path and for the seed."""
        return pd.DataFrame(self).drop(columns=["key", "error"]).set_index([*self.paths, "seed"]).to_xarray()


_NOT_RUN = "not run: interrupted"


def _grid(over):
    """-> list of dicts path -> value."""
    if over is None:
        return [{}]
    if isinstance(over, dict):
        lists = [
            [value] if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__") else list(value)
            for value in over.values()
        ]
        return [dict(zip(over, values)) for values in itertools.product(*lists)]
    points = list(over) if hasattr(over, "__iter__") and not isinstance(over, str) else [over]
    if wrong := [point for point in points if not isinstance(point, dict)]:
        raise ValueError(
            f"over: {wrong[0]!r} is no point; a dict of dotted path to values, or dicts of dotted path to value, "
            "are needed"
        )
    return [dict(point) for point in points]


def _native(value):
    """NumPy's numbers as Python's: they are written and compared alike."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def sweep(
    scenario: running.ScenarioLike,
    over: Union[None, dict[str, Any], Iterable[dict[str, Any]]] = None,
    seeds: Union[int, Iterable[int]] = 1,
    executor: Any = None,
    store: Optional[running.PathLike] = None,
    keep: str = "all",
    metrics: Optional[Callable[[Result], dict[str, Any]]] = None,
    progress: Optional[str] = "auto",
) -> SweepTable:
    """Runs a scenario at many points, each with every seed.

    Parameters
    ----------
    scenario : Scenario, dict or path-like
        Scenario to vary.
    over : dict of str to list, or iterable of dict, optional
        Dotted paths and the values they take, as in ``{"hosts.esx1.netflow.purgatory_max": [64, 512]}``: all
        combinations. Or the points themselves, as dicts of path to value.
    seeds : int or iterable of int
        Replications: how many, from 1 on, or which: values of the scenario's ``run.run``, ns-3's RngRun, >= 0. They
        choose independent random streams, the same ones at every point, so that points can be compared pairwise.
    executor : int, concurrent.futures.Executor, distributed.Client or str, optional
        None: a process for each core of this machine. An int: so many. A Dask client or the address of a Dask scheduler
        ("tcp://host:8786"): a cluster; start its workers with one thread each. Any other executor of PEP 3148.
    store : path-like, optional
        Folder that keeps results by their content; a point that is there is not run again, so a killed sweep goes on
        where it was. None: a temporary one.
    keep : {"all", "summary"}
        Part of each run that the store keeps: the whole result folder, or no tables of flows and no captures.
    metrics : callable, optional
        metrics(result) -> dict: the columns, in place of `Result.metrics`. Any function: workers call it if they can
        import it, else this process does, as for one of a notebook's cell or a lambda. Needs keep="all".
    progress : "auto" or None
        A tqdm bar over the points.

    Returns
    -------
    SweepTable
        A pandas.DataFrame. One row for each point and seed, in the order of `over` and `seeds`, whatever the executor:
        a column for each path, ``seed``, the metrics (NaN where a cause of loss did not occur means none: such counts
        are 0), ``key`` (its folder in the store) and ``error`` (None, or why there is no result).

    Warns
    -----
    SweepWarning
        If points failed; the others are not touched by that. If all seeds gave equal rows: more of them tell nothing
        more.

    Raises
    ------
    ValueError
        A point has no value, or a seed is negative.
    RuntimeError
        A script calls it outside of ``if __name__ == "__main__":``; the workers import the script.
    SweepInterrupted
        Ctrl-C; the text says what is done, and ``table`` has it.
    """
    leave_if_imported_by_worker()
    base = running.as_scenario(scenario)
    if keep not in ("all", "summary"):
        raise ValueError(f"keep={keep!r}: allowed: 'all', 'summary'")
    if metrics is not None and keep != "all":
        raise ValueError("metrics= needs keep='all': what is not kept cannot be measured again")
    rows = [{**values, "seed": seed} for values, seed in itertools.product(_grid(over), seeds_of(seeds))]
    if not rows:
        raise ValueError("a sweep without points")
    with tempfile.TemporaryDirectory(prefix="esx-netflow-sweep-") as temporary:
        runner = _Sweep(base, rows, Path(store or temporary).absolute(), keep, metrics, executor_of(executor))
        try:
            runner.run(progress)
        except KeyboardInterrupt:
            raise SweepInterrupted(runner.interrupted(store), runner.table()) from None
    failed = sum(row["error"] is not None for row in runner.rows)
    if failed:
        first = next(row["error"] for row in runner.rows if row["error"] is not None)
        warnings.warn(f"{failed} of {len(rows)} points failed; the first one: {first}", SweepWarning, stacklevel=2)
    table = runner.table()
    if table.note:
        warnings.warn(table.note, SweepWarning, stacklevel=2)
    return table


class _Sweep:
    """One sweep under way."""

    def __init__(self, base, rows, store, keep, metrics, pool):
        self.rows = rows
        self._base, self.store, self._metrics, self._pool = base, store, metrics, pool
        self._measures_here = metrics is not None and not (pool.takes_any_function or _can_be_imported(metrics))
        sent = None if self._measures_here else metrics
        self._calls = {}
        build = build_id()
        for index, row in enumerate(rows):
            row.update({name: _native(value) for name, value in row.items()})
            row.update(key=None, error=None)
            try:
                values = {name: value for name, value in row.items() if name not in ("seed", "key", "error")}
                point = base.varied({**values, "run.run": row["seed"]})
                row["key"] = key_of(point, build)
                self._calls[index] = (run_point, point, row["key"], _core.version, os.fspath(store), keep, sent)
            except (_core.ScenarioError, KeyError) as error:
                row["error"] = str(error).strip("'\"")
        self.metric_rows = [{} for _ in rows]
        self._costs = [{"wall_s": math.nan, "memory_MB": math.nan} for _ in rows]

    def run(self, progress):
        bar = running.bar(len(self.rows), "run", progress)
        bar.update(len(self.rows) - len(self._calls))

        def done(index, value, error):
            if error is None:
                remember(self.store, self.rows[index]["key"], value["files"])
                self._costs[index].update(json.loads(value["files"].get(COSTS, "{}")))
                try:
                    self.metric_rows[index] = self._measure(index) if self._measures_here else value["row"]
                except Exception as failure:
                    error = failure
            if error is not None:
                self.rows[index]["error"] = f"{type(error).__name__}: {error}"
            bar.update(1)

        take_away_abandoned(self.store)
        try:
            run_calls(self._pool, self._calls, done, self.store)
        finally:
            bar.close()
        self._pool.close()

    def _measure(self, index):
        return measure(Result.load(folder_of(self.store, self.rows[index]["key"])), self._metrics)

    def interrupted(self, store):
        """-> a line for who pressed Ctrl-C. Points that did not run are told as errors."""
        for index, row in enumerate(self.rows):
            if row["error"] is None and not self.metric_rows[index]:
                if is_kept(self.store, row["key"]):
                    self.metric_rows[index] = self._measure(index)
                else:
                    row["error"] = _NOT_RUN
        done = sum(row["error"] != _NOT_RUN for row in self.rows)
        how = (
            f"kept in {store}: the same sweep goes on from there"
            if store
            else "and nothing of them is kept: that needs a store"
        )
        return f"interrupted: {done} of {len(self.rows)} runs are done, {how}"

    def _known_names(self):
        """Of columns that do not depend on what occurred, so that a table has them although no point ran."""
        try:
            checked = self._base._check()
        except _core.ScenarioError:
            return Result._metric_names({})
        return [*Result._metric_names(json.loads(checked[0])), *(f"expect.{name}" for name in checked[5])]

    def table(self):
        names = list(dict.fromkeys(name for row in self.metric_rows for name in row))
        if self._metrics is None:  # names that come and go with what occurred: in a fixed order
            names = sorted(
                dict.fromkeys([*self._known_names(), *names]),
                key=lambda name: (name.startswith("expect."), name.startswith(("lost.", "left.")), 0),
            )
        paths = [name for name in dict.fromkeys(n for row in self.rows for n in row) if name not in ("key", "error")]
        columns = {path: [row.get(path) for row in self.rows] for path in paths}
        for name in names:
            missing = 0 if name.startswith(("lost.", "left.")) else math.nan
            columns[name] = [metric.get(name, missing if metric else math.nan) for metric in self.metric_rows]
        for name in ("key", "error"):
            columns[name] = pd.Series([row[name] for row in self.rows], dtype=object)
        table = SweepTable(columns)
        table.paths, table.costs = [path for path in paths if path != "seed"], pd.DataFrame(self._costs)
        table.note = seeds_without_effect(self.rows, self.metric_rows)
        return table


def _can_be_imported(function):
    """Whether a worker finds it by its name. It does not find what a script or a notebook defines, nor a lambda."""
    try:
        return b"__main__" not in pickle.dumps(function)
    except Exception:  # whatever pickle meets
        return False
