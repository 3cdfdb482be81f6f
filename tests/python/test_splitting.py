# SPDX-License-Identifier: GPL-2.0-only
"""run(split=…): where hosts are simulated apart, and what becomes of it when workers die."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future

import dask
import distributed
import pandas as pd
import pytest

import esx_netflow
from esx_netflow import splitting
from test_sweep_executors import children, kill_when, until, worker_process


def lab(hosts=4, seconds=20, rate="100kbps"):
    made = esx_netflow.Lab("many", duration=seconds)
    made["run.arp"] = "static"
    collector = made.collector("nf", "10.0.9.9/16")
    switch = made.switch("sw")
    made.link(switch, collector, rate="1Mbps")
    for number in range(1, hosts + 1):
        host = made.host(f"esx{number}")
        host.vswitch("vSwitch0", uplink="vmnic0")
        host.vmknic(f"10.0.0.{number}/16")
        made[f"hosts.esx{number}.netflow.active_timeout"] = "5s"
        made.link(host, switch)
        one, other = (host.vm(f"vm{number}-{vm}", f"10.0.{number}.{vm}/16") for vm in (1, 2))
        made.cbr(one, other, rate=rate, start=2)
        host.export(collector)
    return made


def same(split, whole):
    assert split.summary == whole.summary and split.log == whole.log and split.console == whole.console
    for name in ("truth", "exported", "collected", "losses", "left", "records", "datagrams", "series", "links"):
        pd.testing.assert_frame_equal(getattr(split, name).to_pandas(), getattr(whole, name).to_pandas())
    assert split.ledger.residual.packets == 0 and len(split.collected) > 0


def test_processes_give_the_result_of_the_whole_run():
    same(esx_netflow.run(lab(), split=2), esx_netflow.run(lab()))


def test_a_dask_cluster_that_loses_a_worker_gives_it_too(tmp_path):
    slow = lab(hosts=8, seconds=60, rate="5Mbps")
    store = tmp_path / "store"
    with distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address=None, processes=True, silence_logs=50
    ) as cluster:
        workers = [worker_process(cluster.scheduler_address, tmp_path / name, name) for name in ("a", "b")]
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(2, timeout=300)
                done = threading.Event()
                thread, killed = kill_when(lambda: list(store.glob("*/*/*.book")), lambda: workers[0].pid, done)
                split = esx_netflow.run(slow, split=client, store=store)
                done.set()
                thread.join()
                assert killed.is_set() and workers[0].wait(timeout=120) == -signal.SIGKILL
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    same(split, esx_netflow.run(slow))


def test_a_killed_process_loses_nothing_and_repeats_no_host_that_is_done(tmp_path):
    slow = lab(hosts=8, seconds=60, rate="5Mbps")
    done = threading.Event()
    times = {}

    def two():
        times.update({book: book.stat().st_mtime_ns for book in tmp_path.glob("*/*/*.book")})
        return len(times) >= 2 and children(os.getpid())

    thread, killed = kill_when(two, lambda: children(os.getpid())[-1], done)
    split = esx_netflow.run(slow, split=2, store=tmp_path)
    done.set()
    thread.join()
    assert killed.is_set()
    assert all(book.stat().st_mtime_ns == time for book, time in times.items())
    same(split, esx_netflow.run(slow))


def test_a_scheduler_that_goes_away_is_told(monkeypatch):
    monkeypatch.setitem(dask.config.config["distributed"]["comm"]["timeouts"], "connect", "2s")
    with distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address=None, processes=True, silence_logs=50
    ) as cluster:
        address = cluster.scheduler_address
    with pytest.raises(esx_netflow.RunError, match=f"there is no Dask scheduler at {address}"):
        esx_netflow.run(lab(), split=address)


def test_a_scheduler_that_dies_in_the_middle_is_told(tmp_path):
    command = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        str(tmp_path / "where"),
    ]
    scheduler = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    workers = []
    try:
        assert until(lambda: (tmp_path / "where").exists() and (tmp_path / "where").stat().st_size > 0)
        address = json.loads((tmp_path / "where").read_text())["address"]
        workers.append(worker_process(address, tmp_path / "a", "a"))
        store, done = tmp_path / "store", threading.Event()
        thread, killed = kill_when(lambda: list(store.glob("*/*/*.book")), lambda: scheduler.pid, done)
        with pytest.raises(
            esx_netflow.RunError,
            match="the scheduler of the workers is gone; hosts that are done are kept in .*/store/",
        ):
            esx_netflow.run(lab(hosts=16, seconds=60, rate="5Mbps"), split=address, store=store)
        done.set()
        thread.join()
        assert killed.is_set()
    finally:
        for process in (scheduler, *workers):
            process.kill()
            process.wait()


class Here:
    """An executor of another build."""

    def submit(self, function, scenario, hosts, program, folder, sends):
        future = Future()
        try:
            future.set_result(function(scenario, hosts, [program[0], "another"], folder, sends))
        except Exception as error:
            future.set_exception(error)
        return future


def test_a_worker_of_another_build_is_told():
    with pytest.raises(
        esx_netflow.RunError,
        match=r"esx\d: this worker has esx-netflow .*, another build than that of .* that splits the run",
    ):
        esx_netflow.run(lab(), split=Here())


def test_a_lab_that_cannot_be_split_is_told_before_anything_runs(monkeypatch):
    monkeypatch.setattr(splitting, "run_calls", None)
    coupled = lab()
    coupled["run.arp"] = "dynamic"
    with pytest.raises(esx_netflow.ScenarioError, match="cannot be split: ARP requests of a host come to all others"):
        esx_netflow.run(coupled, split=2)
    with pytest.raises(ValueError, match="captures are of a run that is not split"):
        esx_netflow.run(lab(), split=2, captures=True)
    assert until(lambda: not children(os.getpid()))
