# SPDX-License-Identifier: GPL-2.0-only
"""Workers of a sweep: nothing is lost by a death, and none of them outlives the sweep."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import distributed
import pandas as pd
import pytest

import esx_netflow
from conftest import PROGRAM
from esx_netflow import sweep_points, sweeping
from sweep_lab import PLAN, Here, scenario


def slow():
    """Some seconds a point: long enough to be killed in the middle."""
    lab = scenario()
    lab["run.duration"] = "60s"
    lab.data["traffic"].append(
        {
            "name": "bulk",
            "app": "udp-cbr",
            "from": "db1",
            "to": "web1",
            "port": 9,
            "start": "2s",
            "stop": "50s",
            "rate": "4Mbps",
        }
    )
    return lab


def kill_when(seen, pid_of, done):
    """Kills, once, the process that pid_of() names, as soon as seen() is true."""

    def watch():
        while not seen():
            if done.wait(0.02):
                return
        os.kill(pid_of(), signal.SIGKILL)
        killed.set()

    killed = threading.Event()
    thread = threading.Thread(target=watch)
    thread.start()
    return thread, killed


def children(of):
    """-> pids of the worker processes of a process"""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == of and b"spawn_main" in command:
            found.append(int(status.parent.name))
    return sorted(found)


def test_a_killed_process_loses_nothing(tmp_path):
    over = {"hosts.esx1.netflow.purgatory_max": [1, 2, 4, 8]}
    done = threading.Event()
    thread, killed = kill_when(lambda: list(tmp_path.glob("*/tmp-*")), lambda: children(os.getpid())[-1], done)
    table = esx_netflow.sweep(slow(), over=over, executor=2, store=tmp_path)
    done.set()
    thread.join()
    assert killed.is_set() and table["error"].isna().all()
    pd.testing.assert_frame_equal(table, esx_netflow.sweep(slow(), over=over, executor=Here()))


def die(result):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_point_that_kills_its_worker_is_told():
    with pytest.warns(sweeping.SweepWarning, match="the worker died"):
        table = esx_netflow.sweep(scenario(), over=[{"run.duration": "3s"}], executor=2, metrics=die)
    assert "the worker died" in table["error"][0]


def worker_process(address, folder, name):
    command = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        "1",
        "--nworkers",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
        "--local-directory",
        str(folder),
        "--name",
        name,
    ]
    environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__HEARTBEAT__INTERVAL": "500ms"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def test_sixty_points_on_a_dask_cluster_that_loses_a_worker(tmp_path):
    over = {
        "hosts.esx1.netflow.purgatory_max": [1, 2, 4, 8, 16, 64],
        "links.collector-link.rate": ["100Mbps", "20kbps"],
    }
    arguments = {"over": over, "seeds": range(5)}
    store = tmp_path / "store"
    with distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address=None, processes=True, silence_logs=50
    ) as cluster:
        workers = [worker_process(cluster.scheduler_address, tmp_path / name, name) for name in ("a", "b")]
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(2, timeout=300)
                done = threading.Event()
                twenty = lambda: len(list(store.glob("*/*/summary.json"))) >= 20 and list(store.glob("*/tmp-*"))
                thread, killed = kill_when(twenty, lambda: workers[0].pid, done)
                table = esx_netflow.sweep(scenario(), **arguments, executor=client, store=store)
                done.set()
                thread.join()
                assert killed.is_set() and workers[0].wait(timeout=120) == -signal.SIGKILL
                assert until(lambda: len(client.scheduler_info()["workers"]) == 1)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    assert len(table) == 60 and table["error"].isna().all()
    pd.testing.assert_frame_equal(table, esx_netflow.sweep(scenario(), **arguments, executor=Here()))


def flood():
    """A point that takes minutes."""
    lab = scenario()
    lab["run.duration"] = "3600s"
    lab.data["traffic"] = [
        {
            "name": "flood",
            "app": "udp-cbr",
            "from": "web1",
            "to": "db1",
            "port": 9,
            "start": "3s",
            "rate": "4Gbps",
            "packet": "100B",
        }
    ]
    return lab


def until(seen, seconds=120):
    end = time.monotonic() + seconds
    while not seen() and time.monotonic() < end:
        time.sleep(0.02)
    return seen()


UNGUARDED = """
import esx_netflow
print("imported", flush=True)
esx_netflow.sweep("lab.yaml", over={"run.duration": ["3s", "4s", "5s"]}, executor=2)
"""


def test_a_script_without_a_guard_gets_one_error(tmp_path):
    scenario().save(tmp_path / "lab.yaml")
    (tmp_path / "script.py").write_text(UNGUARDED)
    environment = {**os.environ, "PYTHONPATH": str(Path(esx_netflow.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-B", "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1 and done.stderr.count("Traceback") == 1
    assert re.fullmatch(r'RuntimeError: .* put it under `if __name__ == "__main__":`', done.stderr.splitlines()[-1])
    assert 2 <= done.stdout.count("imported") <= 3, "workers that were renewed import it again and again"


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_sweep_that_ends_leaves_no_process_and_no_half_results(tmp_path, number, code):
    flood().save(tmp_path / "lab.yaml")
    (tmp_path / "sweep.yaml").write_text(PLAN.replace("seeds: 2", "seeds: 9"))
    runs = tmp_path / "out" / "knee" / "runs"
    (tmp_path / "left").mkdir()  # one who is killed leaves his temporary folder behind: in here
    settings = {"cwd": tmp_path, "env": {**os.environ, "TMPDIR": str(tmp_path / "left")}, "text": True}
    sweep = subprocess.Popen(
        [PROGRAM, "sweep", "sweep.yaml", "-j", "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **settings
    )
    try:
        assert until(lambda: len(list(runs.glob("*/tmp-*"))) == 2)
        workers = children(sweep.pid)
        assert len(workers) == 2
        sweep.send_signal(number)
        told, _ = sweep.communicate(timeout=120)
        gone = until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    finally:
        for process in [sweep.pid, *children(sweep.pid)] if sweep.poll() is None else workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        sweep.wait()
    assert sweep.returncode == code and gone
    if number == signal.SIGINT:
        table = next((tmp_path / "out" / "knee").glob("table.*")).relative_to(tmp_path)
        assert told == (
            "esx-netflow: interrupted: 0 of 18 runs are done, kept in out/knee/runs: "
            f"the same sweep goes on from there\ntable: {table}\n"
        )
    assert not list(runs.glob("*/tmp-*"))


def test_ctrl_c_at_a_terminal_ends_workers_that_are_just_starting_without_a_word(tmp_path):
    """It goes to all processes of the terminal's group."""
    flood().save(tmp_path / "lab.yaml")
    (tmp_path / "sweep.yaml").write_text(PLAN)
    sweep = subprocess.Popen(
        [PROGRAM, "sweep", "sweep.yaml", "-j", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert until(lambda: children(sweep.pid))
    finally:
        os.killpg(sweep.pid, signal.SIGINT)
        told, _ = sweep.communicate(timeout=120)
    assert (
        sweep.returncode == 130
        and told.startswith("esx-netflow: interrupted: 0 of 4 runs are done, kept in out/knee/runs")
        and told.count("\n") == 2
    )


def test_what_a_killed_worker_leaves_is_taken_away(tmp_path):
    """A worker that is too slow to end is killed; others' folders stay."""
    mine, others = tmp_path / "ab" / f"tmp-{os.uname().nodename}-{os.getpid()}-1", tmp_path / "ab" / "tmp-elsewhere-1-1"
    mine.mkdir(parents=True)
    others.mkdir()
    sweep_points.take_away_half_results(tmp_path)
    assert not mine.exists() and others.exists()
