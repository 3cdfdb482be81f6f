# SPDX-License-Identifier: GPL-2.0-only
"""Sweeps: the same table whoever runs the points, and nothing is lost by a death."""
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import distributed
import pandas as pd
import pytest

import esx_netflow
from conftest import PROGRAM, QUICKSTART
from esx_netflow import Scenario, sweeping

OVER = {"hosts.esx1.netflow.purgatory_max": [1, 4, 16], "links.collector-link.rate": ["100Mbps", "20kbps"]}


def scenario():
    lab = Scenario.load(QUICKSTART)
    lab["run.duration"] = "25s"
    for item in lab.data["traffic"]:
        item["stop"] = "6s"
        item["start"] = "3s"
    lab.data["traffic"] = [item for item in lab.data["traffic"] if item["name"] != "backup"]
    lab.data["expect"] = [{"name": "balanced", "check": "conservation"}]
    return lab


class Here(Executor):
    """Runs each call at once, in this process."""

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def serial():
    return esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=Here())


def test_a_table_is_tidy_and_in_order(serial):
    assert len(serial) == 12
    assert list(serial.columns[:3]) == [*OVER, "seed"] and list(serial.columns[-2:]) == ["key", "error"]
    assert serial["hosts.esx1.netflow.purgatory_max"].tolist() == [n for n in (1, 4, 16) for _ in range(4)]
    assert serial["seed"].tolist() == [0, 1] * 6
    assert serial["error"].isna().all() and serial["key"].is_unique and set(serial["verdict"]) == {"pass"}
    assert serial["expect.balanced"].eq(0).all()


def test_a_row_is_what_a_run_of_its_point_gives(serial):
    row = serial.iloc[3]
    result = esx_netflow.run(scenario().varied({name: row[name].item() if hasattr(row[name], "item") else row[name] for name in OVER}), run=1)
    for name, value in result.metrics().items():
        assert row[name] == value, name


def test_a_small_purgatory_loses_more(serial):
    lost = serial.groupby("hosts.esx1.netflow.purgatory_max")["lost.purgatory_full.records"].sum()
    assert lost[1] > lost[4] >= lost[16]


def test_processes_give_the_same_table(serial):
    pd.testing.assert_frame_equal(esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=2), serial)


def test_threads_take_turns(serial):
    with ThreadPoolExecutor(3) as threads:
        few = esx_netflow.sweep(scenario(), over={name: values[:1] for name, values in OVER.items()}, seeds=range(2), executor=threads)
    pd.testing.assert_frame_equal(few[serial.columns.intersection(few.columns)], serial.iloc[:2][serial.columns.intersection(few.columns)])


class Counting(Here):
    def __init__(self, limit=None):
        self.calls, self.limit = 0, limit

    def submit(self, function, *arguments):
        if self.calls == self.limit:
            raise KeyboardInterrupt
        self.calls += 1
        return super().submit(function, *arguments)


def mark_run(monkeypatch):
    """-> list that gets an entry for each run that is really made"""
    made = []
    real = sweeping.running.run_now
    monkeypatch.setattr(sweeping.running, "run_now", lambda *a, **k: made.append(1) or real(*a, **k))
    return made


@pytest.mark.parametrize("keep", ["all", "summary"])
def test_a_sweep_that_was_killed_goes_on_where_it_was(serial, tmp_path, monkeypatch, keep):
    made = mark_run(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=Counting(5), store=tmp_path, keep=keep)
    assert len(made) == 5
    table = esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=Counting(), store=tmp_path, keep=keep)
    assert len(made) == 12
    pd.testing.assert_frame_equal(table, serial)
    folder = tmp_path / table["key"][0][:2] / table["key"][0]
    assert (folder / "summary.json").is_file() and (folder / "flows-truth.csv").is_file() == (keep == "all")
    assert not list(tmp_path.glob("*/tmp-*"))


def test_what_half_a_run_left_behind_counts_for_nothing(serial, tmp_path):
    key = serial["key"][0]
    (tmp_path / key[:2] / "tmp-dead").mkdir(parents=True)
    (tmp_path / key[:2] / "tmp-dead" / "summary.json").write_text("{")
    table = esx_netflow.sweep(scenario(), over=[{name: values[0] for name, values in OVER.items()}], seeds=[0], executor=Here(), store=tmp_path)
    assert table["error"].isna().all() and table["key"][0] == key


def test_keys_follow_contents():
    lab = scenario()
    key = sweeping.key_of(lab)
    other = Scenario.from_yaml("# a comment\n" + lab.to_yaml())
    assert sweeping.key_of(other) == key
    other["hosts.esx1.netflow.purgatory_max"] = 4096
    assert sweeping.key_of(other) == key, "a default that is written is the same scenario"
    other["hosts.esx1.netflow.purgatory_max"] = 4095
    assert sweeping.key_of(other) != key
    assert sweeping.key_of(lab, build="another") != key


def test_failed_points_are_told_and_the_rest_is_run():
    points = [{"run.duration": "3s"}, {"run.duration": "three"}, {"links.nowhere.rate": "1Mbps"}, {"run.duration": "4s"}]
    lab = scenario()
    lab.data["traffic"] = []
    with pytest.warns(sweeping.SweepWarning, match="2 of 4 points failed.*three"):
        table = esx_netflow.sweep(lab, over=points, executor=Here())
    assert table["error"].notna().tolist() == [False, True, True, False]
    assert "a time with its unit" in table["error"][1] and "collector-link" in table["error"][2]
    assert table["verdict"].fillna("").tolist() == ["pass", "", "", "pass"]


def count_tcp(result):
    return {"tcp": int((result.truth["proto"] == 6).sum()), "verdict": result.verdict}


def test_metrics_of_ones_own_are_measured_in_the_worker(tmp_path):
    points = {"hosts.esx1.netflow.purgatory_max": [8]}
    first = esx_netflow.sweep(scenario(), over=points, executor=1, store=tmp_path, metrics=count_tcp)
    again = esx_netflow.sweep(scenario(), over=points, executor=Here(), store=tmp_path, metrics=count_tcp)
    assert first["tcp"][0] > 10
    pd.testing.assert_frame_equal(first, again)
    with pytest.raises(ValueError, match="keep='all'"):
        esx_netflow.sweep(scenario(), over=points, metrics=count_tcp, keep="summary")


@pytest.mark.parametrize("wrong", [{"keep": "some"}, {"over": {"run.duration": []}}, {"seeds": []}, {"executor": -1}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError):
        esx_netflow.sweep(scenario(), **{"executor": Here(), **wrong})


# ---------------------------------------------------------------- deaths


def slow():
    """Some seconds a point: long enough to be killed in the middle."""
    lab = scenario()
    lab["run.duration"] = "60s"
    lab.data["traffic"].append({"name": "bulk", "app": "udp-cbr", "from": "db1", "to": "web1", "port": 9, "start": "2s", "stop": "50s", "rate": "4Mbps"})
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
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--nworkers", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(folder), "--name", name]
    environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__HEARTBEAT__INTERVAL": "500ms"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def test_sixty_points_on_a_dask_cluster_that_loses_a_worker(tmp_path):
    over = {"hosts.esx1.netflow.purgatory_max": [1, 2, 4, 8, 16, 64], "links.collector-link.rate": ["100Mbps", "20kbps"]}
    arguments = {"over": over, "seeds": range(5)}
    store = tmp_path / "store"
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None, processes=True, silence_logs=50) as cluster:
        workers = [worker_process(cluster.scheduler_address, tmp_path / name, name) for name in ("a", "b")]
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(2, timeout=60)
                done = threading.Event()
                twenty = lambda: len(list(store.glob("*/*/summary.json"))) >= 20 and list(store.glob("*/tmp-*"))
                thread, killed = kill_when(twenty, lambda: workers[0].pid, done)
                table = esx_netflow.sweep(scenario(), **arguments, executor=client, store=store)
                done.set()
                thread.join()
                assert killed.is_set() and workers[0].wait(timeout=30) == -signal.SIGKILL
                assert len(client.scheduler_info()["workers"]) == 1
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
    lab.data["traffic"] = [{"name": "flood", "app": "udp-cbr", "from": "web1", "to": "db1", "port": 9, "start": "3s", "rate": "4Gbps", "packet": "100B"}]
    return lab


def until(seen, seconds=30):
    end = time.monotonic() + seconds
    while not seen() and time.monotonic() < end:
        time.sleep(0.02)
    return seen()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_sweep_that_ends_leaves_no_process_and_no_half_results(tmp_path, number, code):
    flood().save(tmp_path / "lab.yaml")
    (tmp_path / "sweep.yaml").write_text(PLAN.replace("seeds: 2", "seeds: 9"))
    runs = tmp_path / "out" / "knee" / "runs"
    sweep = subprocess.Popen([PROGRAM, "sweep", "sweep.yaml", "-j", "2"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert until(lambda: len(list(runs.glob("*/tmp-*"))) == 2)
        workers = children(sweep.pid)
        assert len(workers) == 2
        sweep.send_signal(number)
        told, _ = sweep.communicate(timeout=30)
        gone = until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    finally:
        for process in [sweep.pid, *children(sweep.pid)] if sweep.poll() is None else workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        sweep.wait()
    assert sweep.returncode == code and gone
    assert told == "" or number == signal.SIGKILL, "of which Python itself may complain"
    assert not list(runs.glob("*/tmp-*"))


# ---------------------------------------------------------------- the command line


def sweep_file(folder, text):
    scenario().save(folder / "lab.yaml")
    (folder / "sweep.yaml").write_text(text)
    return folder / "sweep.yaml"


PLAN = "version: 1\nname: knee\nscenario: lab.yaml\nover:\n  hosts.esx1.netflow.purgatory_max: [1, 16]\nseeds: 2\n"


def sweep(folder, *options):
    return subprocess.run([PROGRAM, "sweep", *options], cwd=folder, capture_output=True, text=True, timeout=120)


def test_the_command_line_sweeps_and_goes_on(tmp_path):
    sweep_file(tmp_path, PLAN)
    done = sweep(tmp_path, "sweep.yaml", "-j", "2")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    (table,) = (tmp_path / "out" / "knee").glob("table.*")
    assert done.stdout == f"knee: 4 runs, 0 failed; 4 pass\ntable: out/knee/{table.name}\n"
    written = table.read_bytes()
    assert sweep(tmp_path, "sweep.yaml", "-j", "1", "--quiet").stdout == ""
    assert table.read_bytes() == written
    expected = esx_netflow.sweep(scenario(), over={"hosts.esx1.netflow.purgatory_max": [1, 16]}, seeds=[1, 2], executor=Here())
    read = pd.read_parquet(table) if table.suffix == ".parquet" else pd.read_csv(table)
    expected = expected.drop(columns="error")
    read = read.drop(columns="error").astype(expected.dtypes.to_dict())  # pandas 3 reads text as str, not as object
    pd.testing.assert_frame_equal(read, expected)


def test_parquet_where_pyarrow_is_and_csv_elsewhere(tmp_path, serial):
    path = sweeping.write_table(serial, tmp_path)
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        assert path.name == "table.csv"
    else:
        assert path.name == "table.parquet"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_failed_points_give_a_line_each_and_exit_code_2(tmp_path):
    sweep_file(tmp_path, PLAN.replace("[1, 16]", "[0, 16]").replace("seeds: 2", "seeds: [3]"))
    done = sweep(tmp_path, "sweep.yaml", "-j", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("esx-netflow: hosts.esx1.netflow.purgatory_max 0, seed 3: ") and done.stderr.count("\n") == 1
    assert "knee: 2 runs, 1 failed; 1 pass" in done.stdout


@pytest.mark.parametrize(
    "text, told",
    [
        (PLAN.replace("over:", "ovr:"), "unknown key 'ovr'; did you mean 'over'?"),
        (PLAN.replace("version: 1", "version: 2"), "version: 2; allowed: 1"),
        (PLAN.replace("name: knee", ""), "name: missing"),
        (PLAN.replace("seeds: 2", "seeds: 0"), "seeds: 0; a number of replications >= 1"),
        (PLAN.replace("[1, 16]", "5"), "over: a map of dotted path to a list of values is needed"),
        (PLAN + "points: []\n", "one of over"),
        (PLAN + "keep: most\n", "keep: most; allowed: all, summary"),
        (PLAN.replace("lab.yaml", "no.yaml"), "no.yaml"),
        ("version: [", "sweep.yaml"),
    ],
)
def test_a_wrong_sweep_file_gets_one_line_and_exit_code_2(tmp_path, text, told):
    done = sweep(tmp_path, sweep_file(tmp_path, text).name)
    assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("options, told", [(["-j", "0"], "-j: 0"), (["--scheduler", "tcp://x", "-j", "2"], "exclude"), (["--nonsense"], "--nonsense")])
def test_wrong_options_are_refused(tmp_path, options, told):
    done = sweep(tmp_path, sweep_file(tmp_path, PLAN).name, *options)
    assert done.returncode == 2 and told in done.stderr
