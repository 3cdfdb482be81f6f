# SPDX-License-Identifier: GPL-2.0-only
"""One run over many machines. Its first stage simulates the hosts apart, some in each process, here or on a Dask
cluster, and keeps what came of each in the file STORE/ab/abcdef.../HOST.book, named by a hash of the lab, of the files
it reads and of the program: who runs the lab again repeats no host that is there. The second stage simulates the
network and the collectors once, with these files; its results are those of the whole run."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Optional

from . import _core, running
from .scenarios import Scenario
from .sweep_executors import executor_of, run_calls
from .sweep_points import build_id, folder_of, key_of, leave_if_imported_by_worker

_PARTS = 2  # for each worker: more build the whole lab more often, fewer wait longer for a late one


def simulate_hosts(scenario: Scenario, executor: Any, store: running.PathLike, progress: Optional[str] = None) -> Path:
    """The first stage. -> folder of the hosts' books

    Raises ScenarioError: the lab cannot be split. RunError: hosts could not be simulated; what is done is kept.
    """
    leave_if_imported_by_worker()
    _core.require_splittable(scenario._json(), scenario._text, scenario._file)
    build = build_id()
    folder = folder_of(Path(store).absolute(), key_of(scenario, build))
    folder.mkdir(parents=True, exist_ok=True)
    hosts = [host for host in json.loads(scenario._check()[0])["hosts"] if not _book(folder, host).is_file()]
    pool = _executor(executor)
    sends = pool.workers is None
    parts = min(len(hosts), _PARTS * (pool.workers or _cores_of(executor)))
    calls = {
        part: (run_hosts, scenario, hosts[part::parts], [_core.version, build], os.fspath(folder), sends)
        for part in range(parts)
    }
    bar = running.bar(len(hosts), "host", progress)

    def done(part, books, error):
        if error is not None:
            raise _core.RunError(
                f"{', '.join(calls[part][2][:3])}{' …' * (len(calls[part][2]) > 3)}: {error or type(error).__name__}"
            ) from error
        for host, octets in books.items():
            _remember(folder, host, octets)
        bar.update(len(calls[part][2]))

    try:
        run_calls(pool, calls, done, Path(store))
    except CancelledError as error:
        raise _core.RunError(
            f"the scheduler of the workers is gone; hosts that are done are kept in {folder}"
        ) from error
    finally:
        bar.close()
    pool.close()
    return folder


def run_hosts(scenario: Scenario, hosts: list[str], program: list[str], folder: str, sends: bool) -> dict[str, bytes]:
    """In a worker: simulates hosts apart. -> their books, for who does not see the worker's disk"""
    if program != [_core.version, build_id()]:
        raise RuntimeError(
            f"this worker has esx-netflow {_core.version}, another build than that of {program[0]} that splits the run"
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    missing = {host for host in hosts if not _book(folder, host).is_file()}
    if missing:
        with running.turn():
            _core.run_apart(scenario._json(), scenario._text, scenario._file, missing, folder)
    return {host: _book(folder, host).read_bytes() for host in hosts} if sends else {}


def _book(folder, host):
    return Path(folder) / f"{host}.book"


def _remember(folder, host, octets):
    if not _book(folder, host).is_file():
        half = _book(folder, host).with_suffix(f".{os.getpid()}")
        half.write_bytes(octets)
        half.rename(_book(folder, host))


def _executor(executor):
    try:
        return executor_of(None if executor is True else executor)
    except OSError as error:
        raise _core.RunError(f"there is no Dask scheduler at {executor}: {error}") from error


def _cores_of(executor):
    return sum(executor.ncores().values()) if hasattr(executor, "ncores") else len(os.sched_getaffinity(0))


def split_command(arguments: list[str], parser_class: Any) -> int:
    """`run --split`: its options are those of `run`, which does the second stage."""
    parser = parser_class("run", "", "")
    for name in ("split", "scheduler", "out", "seed", "run", "jobs", "program"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--spanning-tree", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    options, rest = parser.parse_known_args(arguments)
    if len(options.scenario) != 1:
        raise _core.RunError("--split is for one scenario at a time")
    if options.split == "local" and options.scheduler:
        raise _core.RunError("--scheduler needs --split dask")
    path = _core.find_scenario(options.scenario[0])
    values = {
        "run.seed": options.seed and int(options.seed),
        "run.run": options.run and int(options.run),
        "run.spanning_tree": options.spanning_tree or None,
    }
    scenario = Scenario.load(path).varied({name: value for name, value in values.items() if value is not None})
    out = Path(options.out or f"out/{scenario.name}")
    jobs = int(options.jobs) if options.jobs else None
    executor: Any = options.scheduler or jobs
    if options.split == "dask" and not options.scheduler:
        from distributed import LocalCluster

        with LocalCluster(
            n_workers=jobs or len(os.sched_getaffinity(0)),
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=50,
        ) as cluster:
            books = simulate_hosts(
                scenario,
                cluster.scheduler_address,
                out.with_name(out.name + ".hosts"),
                None if options.quiet else "auto",
            )
    else:
        books = simulate_hosts(
            scenario, executor, out.with_name(out.name + ".hosts"), None if options.quiet else "auto"
        )
    again = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in vars(options).items()
        if name in ("seed", "run") and value
    ]
    flags = [f"--{name.replace('_', '-')}" for name in ("quiet", "spanning_tree") if getattr(options, name)]
    command = ["run", os.fspath(path), f"--out={out}", *again, *flags, *rest, f"--books={books}"]
    if options.program:  # allocates faster than Python's process does
        sys.stdout.flush()
        os.execv(options.program, ["esx-netflow", *command])
    return int(_core.main(command))
