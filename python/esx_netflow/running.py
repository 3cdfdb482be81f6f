# SPDX-License-Identifier: GPL-2.0-only
"""Running a scenario in this process."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import warnings
from typing import Any, Callable, Optional, Union

from . import _core
from .results import Result
from .scenarios import Scenario, ScenarioWarning

PathLike = Union[str, "os.PathLike[str]"]
ScenarioLike = Union[Scenario, dict, PathLike]

_one_at_a_time = threading.Lock()


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a run.

    Attributes
    ----------
    result : Result
        Up to then; its verdict is "interrupted". With `out` it was written, as the command line does.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(f"{result.name}: interrupted at {result.summary['end_ns'] / 1e9:g} s of simulated time")
        self.result = result


class _Bar:
    """A tqdm bar over simulated seconds, also in notebooks. Nothing is shown of runs that are over within a second."""

    def __init__(self, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook without ipywidgets gets the text bar
            from tqdm.auto import tqdm
        self._bar = tqdm(
            total=1,
            desc=name,
            delay=1,
            leave=False,
            disable=None,
            unit="s",
            bar_format="{desc} {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} s simulated, {remaining} left",
        )

    def __call__(self, now, end):
        self._bar.total = end
        self._bar.update(now - self._bar.n)

    def close(self):
        self._bar.close()


def bar(total: int, unit: str, progress: Optional[str]) -> Any:
    """A tqdm bar, shown if somebody looks and `progress` is "auto"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(total=total, unit=unit, disable=not (progress == "auto" and is_shown()), leave=False)


def is_shown() -> bool:
    """Whether somebody looks: a terminal, or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def as_scenario(scenario: ScenarioLike) -> Scenario:
    """A `Scenario` of itself, of a dict, or of a file's path."""
    if isinstance(scenario, Scenario):
        return scenario
    if isinstance(scenario, dict):
        return Scenario(scenario)
    return Scenario.load(scenario)


def run(
    scenario: ScenarioLike,
    out: Optional[PathLike] = None,
    seed: Optional[int] = None,
    run: Optional[int] = None,
    captures: bool = False,
    progress: Union[str, None, Callable[[float, float], object]] = "auto",
    split: Any = None,
    store: Optional[PathLike] = None,
) -> Result:
    """Runs a scenario.

    Parameters
    ----------
    scenario : Scenario, dict, str or os.PathLike
        Scenario to run; a path names a YAML file.
    out : str or os.PathLike, optional
        Folder for the same files that ``esx-netflow run --out`` writes. None: nothing is written.
    seed, run : int, optional
        In place of the scenario's ``run.seed`` and ``run.run``; 1 to 2^32 - 1.
    captures : bool
        With `out`: capture every vSwitch port and collector.
    progress : "auto", None or callable
        "auto": a tqdm bar at a terminal and in notebooks, if the run takes longer than a second. A callable gets
        ``(now_s, end_s)`` in simulated seconds, about ten times a second of real time; what it raises ends the run.
    split : True, int, distributed.Client, str or concurrent.futures.Executor, optional
        Where hosts are simulated apart before the network is: processes of this machine, a Dask client or the address
        of its scheduler, as `executor` of `sweep`. The result is the same. Not with `captures`.
    store : path-like, optional
        With `split`: folder that keeps what came of each host, so that a run that was killed repeats none. None: a
        temporary one.

    Returns
    -------
    Result

    Raises
    ------
    ScenarioError
        The scenario is wrong, or cannot be split; the text has file, line and what is allowed, as the command line
        prints it.
    RunError
        The result folder cannot be written, or a run goes on in this process.
    RunInterrupted
        Ctrl-C; a KeyboardInterrupt, whose ``result`` is what there is. With `out` it is written.

    Warns
    -----
    ScenarioWarning
        Of what the command line warns of, such as an exporter that does not reach its collector; and of console lines
        that failed and traffic that sent nothing, which make the verdict "fail".

    Notes
    -----
    Other Python threads run meanwhile. ns-3's state is global: one run at a time in a process; successive runs do not
    depend on each other. For many runs see `sweep`.
    """
    scenario = as_scenario(scenario)
    overrides = {"run.seed": seed, "run.run": run}
    scenario = scenario.varied({path: value for path, value in overrides.items() if value is not None})
    scenario.warn()
    with tempfile.TemporaryDirectory(prefix="esx-netflow-split-") as temporary:
        books = ""
        if split is not None and split is not False:
            from .splitting import simulate_hosts

            if captures:
                raise ValueError("captures are of a run that is not split")
            books = os.fspath(
                simulate_hosts(scenario, split, store or temporary, progress if isinstance(progress, str) else None)
            )
        return _run_alone(scenario, out, captures, progress, books)


def _run_alone(scenario, out, captures, progress, books):
    if not _one_at_a_time.acquire(blocking=False):
        raise _core.RunError("a run goes on in this process, and ns-3 has room for one; use processes, as sweep() does")
    bar = None
    try:
        if progress == "auto":
            progress = bar = _Bar(scenario.name) if is_shown() else None
        return run_now(scenario, out, captures, progress, warn=True, books=books)
    finally:
        if bar is not None:
            bar.close()
        _one_at_a_time.release()


def turn():
    """A context in which nobody else runs in this process; waits for it."""
    return _one_at_a_time


def run_now(
    scenario: Scenario,
    out: Optional[PathLike] = None,
    captures: bool = False,
    progress=None,
    warn: bool = False,
    books: str = "",
) -> Result:
    """Runs a `Scenario` without ceremony. The caller sees to it that no other run goes on in this process."""
    raw = _core.run(
        scenario._json(),
        scenario._text,
        scenario._file,
        None if out is None else os.fspath(out),
        captures,
        progress,
        books,
    )
    error = raw["error"]
    if error is not None and not isinstance(error, KeyboardInterrupt):
        raise error
    result = Result._of_run(raw, "" if out is None else os.fspath(out))
    if error is not None:
        raise RunInterrupted(result) from error
    for line in raw["failures"] if warn else ():
        warnings.warn(line, ScenarioWarning, stacklevel=3)
    return result
