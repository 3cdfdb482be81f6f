# SPDX-License-Identifier: GPL-2.0-only
"""Many runs: a grid of values times replications, on this machine's cores or on a cluster, kept so that nothing is run twice.

A point is a scenario with some values replaced. Its key is a hash of the resolved scenario, of the files it reads, and of the
program; its results are in the folder STORE/ab/abcdef... , which appears by one rename.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import shutil
import signal
import tempfile
import threading
import time
import uuid
import warnings
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, Callable, Iterable, Optional, Union

import pandas as pd

from . import _core, running
from .results import Result
from .scenarios import Scenario

_TRIES = 3  # of a point whose worker dies
_PATIENCE = 2  # s, for workers that are told to end
_BULK = ("*.csv", "*.pcap", "captures.json")  # what keep="summary" leaves out


class SweepWarning(UserWarning):
    """Points of a sweep failed."""


# ---------------------------------------------------------------- points and their keys


def _build_id():
    """A hash of the compiled code: results of another build are no results of this one."""
    digest = hashlib.sha256()
    for file in _libraries():
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _libraries():
    """The files of the compiled code: the extension, and the module that it is linked with."""
    extension = Path(_core.__file__)
    found = [extension]
    for folder in (extension.parent, extension.parent.parent.parent / "lib"):
        found += sorted(folder.glob("libesx-netflow-module.so"))
    return found


def _files_of(scenario):
    """-> {path in the scenario: sha256} of the captures that its traffic reads."""
    folder = Path(scenario._file).parent
    hashes = {}
    for item in scenario.data.get("traffic") or []:
        for key in ("file", "capture", "pcap"):
            name = item.get(key) if isinstance(item, dict) else None
            if isinstance(name, str) and (folder / name).is_file():
                hashes[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return hashes


# Maps whose keys are names: their order counts, as switch IDs and addresses follow it.
_NAMED = ("hosts", "nodes", "vswitches", "portgroups", "vmknics", "vms")


def _canonical(value, named=False):
    """The same for scenarios that mean the same, whichever keys were written and which are defaults."""
    if isinstance(value, dict):
        pairs = [[key, _canonical(part, key in _NAMED and not named)] for key, part in value.items()]
        return pairs if named else sorted(pairs)
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    return value


def key_of(scenario: Scenario, build: Optional[str] = None) -> str:
    """What names a scenario's results: sha256 of the resolved scenario, its input files and the program.

    Raises ScenarioError.
    """
    resolved = json.loads(scenario._check()[0])
    what = {
        "scenario": _canonical(resolved),
        "files": _files_of(scenario),
        "versions": [_core.version, _core.ns3_version],
        "build": build or _build_id(),
    }
    return hashlib.sha256(json.dumps(what, separators=(",", ":")).encode()).hexdigest()


def _grid(over):
    """-> list of dicts path -> value."""
    if over is None:
        return [{}]
    if isinstance(over, dict):
        lists = [[value] if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__") else list(value) for value in over.values()]
        return [dict(zip(over, values)) for values in itertools.product(*lists)]
    return [dict(point) for point in over]


def _native(value):
    """NumPy's numbers as Python's: they are written and compared alike."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


# ---------------------------------------------------------------- in the worker


def _folder(store, key):
    return Path(store) / key[:2] / key


def run_point(scenario, key, version, store, keep, metrics):
    """Runs one point, or finds its result. In a worker.

    Returns
    -------
    dict
        ``row``: the metrics; ``files``: texts of summary.json and resolved.yaml, for who does not see the worker's store.
    """
    if version != _core.version:
        raise RuntimeError(f"this worker has esx-netflow {_core.version}, the sweep {version}")
    folder = _folder(store, key)
    if (folder / "summary.json").is_file():
        result = Result.load(folder)
    else:
        result = _run_into(scenario, folder, keep)
    files = {name: (folder / name).read_text(encoding="utf-8") for name in ("summary.json", "resolved.yaml")}
    return {"row": dict(metrics(result)) if metrics else result.metrics(), "files": files}


_under_way: list[Path] = []  # in a worker: what it has to take away if it is told to end


def _begin_worker():
    """In a process of `_Pool`: Ctrl-C is the parent's affair; SIGTERM and the parent's death end the worker in the middle of a run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: _end_worker())
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    connection.wait([parent_process().sentinel])
    _end_worker()


def _end_worker():
    for folder in list(_under_way):
        _take_away(folder)
    os._exit(128 + signal.SIGTERM)


def _take_away(temporary):
    """A folder and what the runner has beside it while it writes."""
    for folder in temporary.parent.glob(f"{temporary.name}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _run_into(scenario, folder, keep):
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f"tmp-{uuid.uuid4().hex}"
    _under_way.append(temporary)
    try:
        with running.turn():
            result = running.run_now(scenario, temporary)
        if keep == "summary":
            for pattern in _BULK:
                for file in temporary.glob(pattern):
                    file.unlink()
        _publish(temporary, folder)
    finally:
        _take_away(temporary)
        _under_way.remove(temporary)
    return result


def _publish(temporary, folder):
    """One rename. If another worker was faster, its result is the same as ours."""
    try:
        os.rename(temporary, folder)
    except OSError:
        if not (folder / "summary.json").is_file():
            raise


# ---------------------------------------------------------------- executors


class _Pool:
    """Processes of this machine. If one dies, the others die with it (so says concurrent.futures): a new pool is made, and
    what was not finished is run again."""

    def __init__(self, workers):
        self._workers = workers
        self._pool = None

    def submit(self, *call):
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"), initializer=_begin_worker)
        return self._pool.submit(*call)

    def renew(self):
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def close(self):
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def abandon(self, _futures):
        """Ends the workers, whatever they are at. Futures are left alone: a pool that breaks trips over cancelled ones."""
        if self._pool is None:
            return
        workers = list((self._pool._processes or {}).values())  # Python has no public way before 3.14
        for worker in workers:
            worker.terminate()
        deadline = time.monotonic() + _PATIENCE
        for worker in workers:
            worker.join(max(0, deadline - time.monotonic()))
            if worker.is_alive():
                worker.kill()
        self.close()


class _Given:
    """Somebody's executor; it repeats what it loses as it likes."""

    def __init__(self, executor, close=None):
        self._executor = executor
        self._close = close

    def submit(self, *call):
        return self._executor.submit(*call)

    def renew(self):
        pass

    def close(self):
        if self._close:
            self._close()

    def abandon(self, futures):
        for future in futures:
            future.cancel()
        self.close()


def _executor_of(executor):
    if executor is None or isinstance(executor, int):
        workers = executor or len(os.sched_getaffinity(0))
        if workers < 1:
            raise ValueError(f"a sweep needs at least one process, not {workers}")
        return _Pool(workers)
    if isinstance(executor, str):
        from distributed import Client

        client = Client(executor, set_as_default=False)
        return _Given(client.get_executor(pure=False, retries=2), client.close)
    if hasattr(executor, "get_executor"):  # a Dask client
        return _Given(executor.get_executor(pure=False, retries=2))
    if isinstance(executor, Executor) or hasattr(executor, "submit"):
        return _Given(executor)
    raise TypeError(f"no executor: {executor!r}")


def _results(pool, calls, done):
    """Runs calls {index: arguments}. Tells done(index, value, error) of each, in order of completion. If it is interrupted, Ctrl-C above
    all, nobody waits for the points that are still to come."""
    under_way = {}
    try:
        _run_all(pool, dict(calls), under_way, done)
    except BaseException:
        pool.abandon(under_way)
        raise


def _run_all(pool, waiting, under_way, done):
    tries = dict.fromkeys(waiting, 0)
    while waiting:
        for index, call in waiting.items() if not under_way else ():
            under_way[pool.submit(*call)] = index
        finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
        broken = False
        for future in finished:
            index = under_way.pop(future)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                broken = True
                continue
            waiting.pop(index)
            done(index, None if error else future.result(), error)
        if broken:
            # Whoever ran may have killed the worker: of so many, one at a time is tried in the end.
            pool.renew()
            under_way.clear()
            for index in list(waiting):
                tries[index] += 1
            for index in [index for index in waiting if tries[index] >= _TRIES]:
                _try_alone(pool, waiting.pop(index), index, done)


def _try_alone(pool, call, index, done):
    """One point with nobody beside it: if its worker dies now, it is the point's fault."""
    future = pool.submit(*call)
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        pool.renew()
        error = RuntimeError(f"the worker died, {_TRIES + 1} times")
    done(index, None if error else future.result(), error)


# ---------------------------------------------------------------- the sweep


def sweep(
    scenario: running.ScenarioLike,
    over: Union[None, dict[str, Any], Iterable[dict[str, Any]]] = None,
    seeds: Iterable[int] = (1,),
    executor: Any = None,
    store: Optional[running.PathLike] = None,
    keep: str = "all",
    metrics: Optional[Callable[[Result], dict[str, Any]]] = None,
    progress: Optional[str] = "auto",
) -> pd.DataFrame:
    """Runs a scenario at many points, each with every seed.

    Parameters
    ----------
    scenario : Scenario, dict or path-like
        What to vary.
    over : dict of str to list, or iterable of dict, optional
        Dotted paths and the values they take, as in ``{"hosts.esx1.netflow.purgatory_max": [64, 512]}``: all combinations. Or the points
        themselves, as dicts of path to value.
    seeds : iterable of int
        Replications: values of the scenario's ``run.run``, ns-3's RngRun, >= 0. They choose independent random streams, the same ones at
        every point, so that points can be compared pairwise.
    executor : int, concurrent.futures.Executor, distributed.Client or str, optional
        None: a process for each core of this machine. An int: so many. A Dask client or the address of a Dask scheduler
        ("tcp://host:8786"): a cluster; start its workers with one thread each. Any other executor of PEP 3148.
    store : path-like, optional
        Folder that keeps results by their content; a point that is there is not run again, so a killed sweep goes on where it was.
        None: a temporary one.
    keep : {"all", "summary"}
        What the store keeps of each run: the whole result folder, or no tables of flows and no captures.
    metrics : callable, optional
        metrics(result) -> dict: the columns, in place of `Result.metrics`. A function that can be pickled. Needs keep="all".
    progress : "auto" or None
        A tqdm bar over the points.

    Returns
    -------
    pandas.DataFrame
        One row for each point and seed, in the order of `over` and `seeds`, whatever the executor: a column for each path, ``seed``, the
        metrics (NaN where a cause of loss did not occur means none: such counts are 0), ``key`` (its folder in the store) and ``error``
        (None, or why there is no result).

    Warns
    -----
    SweepWarning
        If points failed. The others are not touched by that.

    Raises
    ------
    ValueError
        A point has no value, or a seed is negative.
    """
    base = running.as_scenario(scenario)
    if keep not in ("all", "summary"):
        raise ValueError(f"keep={keep!r}: allowed: 'all', 'summary'")
    if metrics is not None and keep != "all":
        raise ValueError("metrics= needs keep='all': what is not kept cannot be measured again")
    rows = [{**values, "seed": seed} for values in _grid(over) for seed in seeds]
    if not rows:
        raise ValueError("a sweep without points")
    with tempfile.TemporaryDirectory(prefix="esx-netflow-sweep-") as temporary:
        runner = _Sweep(base, rows, Path(store or temporary).absolute(), keep, metrics)
        runner.run(_executor_of(executor), progress)
    failed = sum(row["error"] is not None for row in runner.rows)
    if failed:
        first = next(row["error"] for row in runner.rows if row["error"] is not None)
        warnings.warn(f"{failed} of {len(rows)} points failed; the first one: {first}", SweepWarning, stacklevel=2)
    return runner.table()


class _Sweep:
    """One sweep under way."""

    def __init__(self, base, rows, store, keep, metrics):
        self.rows = rows
        self._store, self._keep, self._metrics = store, keep, metrics
        self._calls = {}
        build = _build_id()
        for index, row in enumerate(rows):
            row.update({name: _native(value) for name, value in row.items()})
            row.update(key=None, error=None)
            try:
                values = {name: value for name, value in row.items() if name not in ("seed", "key", "error")}
                point = base.varied({**values, "run.run": row["seed"]})
                row["key"] = key_of(point, build)
                self._calls[index] = (run_point, point, row["key"], _core.version, os.fspath(store), keep, metrics)
            except (_core.ScenarioError, KeyError) as error:
                row["error"] = str(error).strip("'\"")
        self._metric_rows = [{} for _ in rows]

    def run(self, pool, progress):
        bar = _bar(len(self.rows), progress)
        bar.update(len(self.rows) - len(self._calls))

        def done(index, value, error):
            if error is not None:
                self.rows[index]["error"] = f"{type(error).__name__}: {error}"
            else:
                self._metric_rows[index] = value["row"]
                self._remember(self.rows[index]["key"], value["files"])
            bar.update(1)

        try:
            _results(pool, self._calls, done)
        finally:
            bar.close()
        pool.close()

    def _remember(self, key, files):
        """Puts what a worker with a disk of its own sent into our store."""
        folder = _folder(self._store, key)
        if (folder / "summary.json").is_file():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.parent / f"tmp-{uuid.uuid4().hex}"
        temporary.mkdir()
        try:
            for name, text in files.items():
                (temporary / name).write_text(text, encoding="utf-8")
            _publish(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def table(self):
        names = list(dict.fromkeys(name for row in self._metric_rows for name in row))
        if self._metrics is None:  # names that come and go with what occurred: in a fixed order
            names = sorted(names, key=lambda name: (name.startswith("expect."), name.startswith("lost."), 0))
        paths = [name for name in dict.fromkeys(n for row in self.rows for n in row) if name not in ("key", "error")]
        columns = {path: [row.get(path) for row in self.rows] for path in paths}
        for name in names:
            missing = 0 if name.startswith("lost.") else math.nan
            columns[name] = [metric.get(name, missing if metric else math.nan) for metric in self._metric_rows]
        for name in ("key", "error"):
            columns[name] = pd.Series([row[name] for row in self.rows], dtype=object)
        return pd.DataFrame(columns)


def _bar(total, progress):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(total=total, unit="run", disable=not (progress == "auto" and running.is_shown()), leave=False)


def write_table(table: pd.DataFrame, folder: running.PathLike, name: str = "table") -> Path:
    """Writes a table as Parquet where pyarrow is installed, else as CSV. Returns the path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import pyarrow  # noqa: F401

        suffix = "parquet"
    except ImportError:
        suffix = "csv"
    temporary, path = folder / f".{name}.tmp-{os.getpid()}", folder / f"{name}.{suffix}"
    if suffix == "parquet":
        plain = table.copy()
        for column in plain.columns:
            if plain[column].dtype == object and plain[column].map(type).nunique() > 1:
                plain[column] = plain[column].map(lambda v: None if v is None or v != v else str(v))
        plain.to_parquet(temporary)
    else:
        table.to_csv(temporary, index=False, lineterminator="\n")
    os.replace(temporary, path)
    return path


# ---------------------------------------------------------------- sweep.yaml

_KEYS = ("version", "name", "summary", "scenario", "over", "points", "seeds", "keep")


class SweepFileError(ValueError):
    """A sweep file is wrong; the text says where and what is allowed."""


def read_sweep(path: running.PathLike) -> dict[str, Any]:
    """Reads a sweep file.

    Parameters
    ----------
    path : path-like
        YAML: ``version: 1``, ``name``, ``scenario`` (a path beside it), ``over`` (map of dotted path to list) or ``points`` (list of maps),
        ``seeds`` (a number of replications, or a list), ``keep``.

    Returns
    -------
    dict
        name, and the arguments of `sweep`.

    Raises
    ------
    SweepFileError, ScenarioError
    """
    path = Path(path)
    data = json.loads(_core.load_yaml(os.fspath(path)))

    def refuse(what):
        raise SweepFileError(f"{path}: {what}")

    for key in data:
        if key not in _KEYS:
            refuse(f"unknown key '{key}'; {_core.suggest(key, list(_KEYS))}")
    if data.get("version") != 1:
        refuse(f"version: {data.get('version', 'missing')}; allowed: 1")
    for key in ("name", "scenario"):
        if not isinstance(data.get(key), str):
            refuse(f"{key}: {'missing' if key not in data else data[key]}; a text is needed")
    if ("over" in data) == ("points" in data):
        refuse("one of over (a map of dotted path to list) and points (a list of maps) is needed")
    over = data.get("over", data.get("points"))
    if "over" in data and not (isinstance(over, dict) and over and all(isinstance(v, list) and v for v in over.values())):
        refuse("over: a map of dotted path to a list of values is needed")
    if "points" in data and not (isinstance(over, list) and over and all(isinstance(p, dict) for p in over)):
        refuse("points: a list of maps of dotted path to value is needed")
    seeds = data.get("seeds", 1)
    if isinstance(seeds, int) and not isinstance(seeds, bool) and seeds >= 1:
        seeds = list(range(1, seeds + 1))
    if not (isinstance(seeds, list) and seeds and all(isinstance(s, int) and not isinstance(s, bool) and s >= 0 for s in seeds)):
        refuse(f"seeds: {data['seeds']}; a number of replications >= 1, or a list of numbers >= 0, is needed")
    keep = data.get("keep", "all")
    if keep not in ("all", "summary"):
        refuse(f"keep: {keep}; allowed: all, summary")
    scenario = Scenario.load(path.parent / data["scenario"])
    return {"name": data["name"], "scenario": scenario, "over": over, "seeds": seeds, "keep": keep}
