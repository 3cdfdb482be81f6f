# SPDX-License-Identifier: GPL-2.0-only
"""A point of a sweep: its key, its run in a worker, and the store of results.

The key is a hash of the resolved scenario, of the files it reads, and of the program; results are in the folder
STORE/ab/abcdef... , which appears by one rename.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import threading
import time
import uuid
from contextlib import contextmanager
from multiprocessing import connection, current_process, parent_process
from pathlib import Path
from numbers import Integral
from typing import Any, Iterable, Optional

from . import _core, running
from .results import Result
from .scenarios import Scenario

COSTS = "costs.json"  # of a run: it differs each time
_BULK = ("*.csv", "*.pcap", "captures.json")  # what keep="summary" leaves out


def build_id():
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


def captures_of(scenario: Scenario) -> dict[str, Path]:
    """-> {name in the scenario: path} of the captures that its traffic reads."""
    folder = Path(scenario._file).parent
    names = [item.get("file") for item in scenario.data.get("traffic") or [] if isinstance(item, dict)]
    return {name: folder / name for name in names if isinstance(name, str) and (folder / name).is_file()}


# Maps whose keys are names: their order counts, as switch IDs and addresses follow it.
_NAMED = ("hosts", "nodes", "vswitches", "portgroups", "vmknics", "vms")


def seeds_of(seeds: Any) -> list[int]:
    """The list of them; a number is how many, from 1 on."""

    def is_number(seed, least):
        return isinstance(seed, Integral) and not isinstance(seed, bool) and seed >= least

    if is_number(seeds, 1):
        return list(range(1, int(seeds) + 1))
    listed = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, (str, dict)) else []
    if not listed or not all(is_number(seed, 0) for seed in listed):
        raise ValueError(f"seeds: {seeds}; a number of replications >= 1, or a list of numbers >= 0, is needed")
    return [int(seed) for seed in listed]


def _canonical(value, named=False):
    """The same for scenarios that mean the same, whichever keys were written and which are defaults."""
    if isinstance(value, dict):
        pairs = [[key, _canonical(part, key in _NAMED and not named)] for key, part in value.items()]
        return pairs if named else sorted(pairs)
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    return value


def key_of(scenario: Scenario, build: Optional[str] = None) -> str:
    """The name of a scenario's results: sha256 of the resolved scenario, its input files and the program.

    Raises ScenarioError.
    """
    resolved = json.loads(scenario._check()[0])
    what = {
        "scenario": _canonical(resolved),
        "files": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in captures_of(scenario).items()},
        "versions": [_core.version, _core.ns3_version],
        "build": build or build_id(),
    }
    return hashlib.sha256(json.dumps(what, separators=(",", ":")).encode()).hexdigest()


def folder_of(store, key):
    return Path(store) / key[:2] / key


def run_point(scenario, key, version, store, keep, metrics):
    """Runs one point, or finds its result. In a worker.

    Returns
    -------
    dict
        ``row``: the metrics; ``files``: texts of summary.json and resolved.yaml, for who does not see the worker's
        store.
    """
    if version != _core.version:
        raise RuntimeError(f"this worker has esx-netflow {_core.version}, the sweep {version}")
    folder = folder_of(store, key)
    result = Result.load(folder) if is_kept(store, key) else _run_into(scenario, folder, keep)
    files = {
        name: (folder / name).read_text(encoding="utf-8")
        for name in ("summary.json", "resolved.yaml", COSTS)
        if (folder / name).is_file()
    }
    return {"row": measure(result, metrics), "files": files}


def measure(result, metrics):
    """-> the columns of a point."""
    return dict(metrics(result)) if metrics else result.metrics()


_under_way: list[Path] = []  # in a worker: what it has to take away if it is told to end


def begin_worker():
    """In a process of `_Pool`: Ctrl-C is the parent's affair; SIGTERM and the parent's death end it within a run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: _end_worker())
    threading.Thread(target=_end_with_parent, daemon=True).start()


#: Exit code of a worker whose script would sweep as it is imported.
UNGUARDED = 79


def leave_if_imported_by_worker():
    """Ends a worker that is about to sweep because it imports the script that sweeps: its parent tells why."""
    if getattr(current_process(), "_inheriting", False):
        os._exit(UNGUARDED)


def _end_with_parent():
    connection.wait([parent_process().sentinel])
    _end_worker()


def _end_worker():
    for folder in list(_under_way):
        _take_away(folder)
    os._exit(128 + signal.SIGTERM)


def _peak_memory(begin=False):
    """-> the most that this process held since `begin`, in MB; Linux counts it."""
    try:
        if begin:
            Path("/proc/self/clear_refs").write_text("5")
        kilobytes = re.search(r"^VmHWM:\s*(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
        return round(int(kilobytes[1]) / 1000, 1) if kilobytes else None
    except OSError:
        return None


def _run_into(scenario, folder, keep):
    with _appearing(folder) as temporary:
        with running.turn():
            _peak_memory(begin=True)
            begin = time.perf_counter()
            result = running.run_now(scenario, temporary)
        costs = {"wall_s": round(time.perf_counter() - begin, 3), "memory_MB": _peak_memory()}
        (temporary / COSTS).write_text(json.dumps(costs), encoding="utf-8")
        if keep == "summary":
            for pattern in _BULK:
                for file in temporary.glob(pattern):
                    file.unlink()
    return result


# ---------------------------------------------------------------- the store


def is_kept(store, key):
    """Whether the store has a point's result."""
    return (folder_of(store, key) / "summary.json").is_file()


def remember(store, key, files):
    """Puts what a worker with a disk of its own sent into our store: texts of files by their names."""
    if is_kept(store, key):
        return
    with _appearing(folder_of(store, key)) as temporary:
        temporary.mkdir()
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")


@contextmanager
def _appearing(folder):
    """-> a path beside the folder, to be filled. In the end it gets the folder's name, by one rename. If another worker
    was faster, its result is the same as ours."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f"{_half_results()}{uuid.uuid4().hex}"
    _under_way.append(temporary)
    try:
        yield temporary
        try:
            os.rename(temporary, folder)
        except OSError:
            if not (folder / "summary.json").is_file():
                raise
    finally:
        _take_away(temporary)
        _under_way.remove(temporary)


def _half_results():
    """-> how the names begin of folders that this sweep's processes fill"""
    parent = parent_process()
    return f"tmp-{os.uname().nodename}-{parent.pid if parent else os.getpid()}-"


def take_away_half_results(store):
    """Removes leftovers of workers that were killed."""
    for folder in Path(store).glob(f"*/{_half_results()}*"):
        shutil.rmtree(folder, ignore_errors=True)


def take_away_abandoned(store):
    """Removes leftovers of this machine's sweeps that were killed as a whole."""
    for folder in Path(store).glob(f"*/tmp-{os.uname().nodename}-*"):
        owner = folder.name.removeprefix(f"tmp-{os.uname().nodename}-").partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _take_away(temporary):
    """A folder and what the runner has beside it while it writes."""
    for folder in temporary.parent.glob(f"{temporary.name}*"):
        shutil.rmtree(folder, ignore_errors=True)
