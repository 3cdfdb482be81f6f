# SPDX-License-Identifier: GPL-2.0-only
"""Sweeps: the same table whoever runs the points, and nothing is run twice."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

import esx_netflow
from esx_netflow import running, sweeping
from esx_netflow.sweep_points import seeds_of
from sweep_lab import Here, scenario

OVER = {"hosts.esx1.netflow.purgatory_max": [1, 4, 16], "links.collector-link.rate": ["100Mbps", "20kbps"]}


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
    result = esx_netflow.run(
        scenario().varied({name: row[name].item() if hasattr(row[name], "item") else row[name] for name in OVER}), run=1
    )
    for name, value in result.metrics().items():
        assert row[name] == value, name


def test_a_small_purgatory_loses_more(serial):
    lost = serial.groupby("hosts.esx1.netflow.purgatory_max")["lost.purgatory_full.records"].sum()
    assert lost[1] > lost[4] >= lost[16]


def test_processes_give_the_same_table(serial):
    pd.testing.assert_frame_equal(esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=2), serial)


def test_threads_take_turns(serial):
    with ThreadPoolExecutor(3) as threads:
        few = esx_netflow.sweep(
            scenario(), over={name: values[:1] for name, values in OVER.items()}, seeds=range(2), executor=threads
        )
    pd.testing.assert_frame_equal(
        few[serial.columns.intersection(few.columns)], serial.iloc[:2][serial.columns.intersection(few.columns)]
    )


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
    real = running.run_now
    monkeypatch.setattr(running, "run_now", lambda *a, **k: made.append(1) or real(*a, **k))
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
    table = esx_netflow.sweep(
        scenario(),
        over=[{name: values[0] for name, values in OVER.items()}],
        seeds=[0],
        executor=Here(),
        store=tmp_path,
    )
    assert table["error"].isna().all() and table["key"][0] == key


def test_failed_points_are_told_and_the_rest_is_run():
    points = [
        {"run.duration": "3s"},
        {"run.duration": "three"},
        {"links.nowhere.rate": "1Mbps"},
        {"run.duration": "4s"},
    ]
    lab = scenario()
    lab.data["traffic"] = lab.data["expect"] = []
    lab["timeline"][1]["may_be_idle"] = True
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


def of_a_notebook(result):
    return count_tcp(result)


of_a_notebook.__module__ = of_a_notebook.__qualname__ = "__main__"  # so that workers do not find it


@pytest.mark.parametrize("measure", [of_a_notebook, lambda result: count_tcp(result)])
def test_metrics_that_no_worker_can_import_are_measured_here(tmp_path, measure):
    points = {"hosts.esx1.netflow.purgatory_max": [8, 16]}
    table = esx_netflow.sweep(scenario(), over=points, executor=2, store=tmp_path, metrics=measure)
    pd.testing.assert_frame_equal(
        table, esx_netflow.sweep(scenario(), over=points, executor=Here(), store=tmp_path, metrics=count_tcp)
    )
    with pytest.warns(sweeping.SweepWarning, match="2 of 2 points failed; the first one: ZeroDivisionError"):
        table = esx_netflow.sweep(
            scenario(), over=points, executor=Here(), store=tmp_path, metrics=lambda result: 1 // 0
        )
    assert table["error"].notna().all()


def test_a_table_of_failures_has_all_columns(serial):
    with pytest.warns(sweeping.SweepWarning, match="1 of 1 points failed"):
        table = esx_netflow.sweep(
            scenario(),
            over=[{name: values[0] for name, values in OVER.items()} | {"run.duration": "three"}],
            executor=Here(),
        )
    assert [c for c in table.columns if c != "run.duration"] == [
        c for c in serial.columns if not c.startswith(("lost.", "left."))
    ]
    assert table[[c for c in serial.columns[3:-2] if not c.startswith(("lost.", "left."))]].isna().all(axis=None)


def test_an_interrupted_sweep_says_what_is_done_and_has_its_table(serial, tmp_path):
    with pytest.raises(KeyboardInterrupt) as caught:
        esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=Counting(5), store=tmp_path)
    assert (
        str(caught.value)
        == f"interrupted: 5 of 12 runs are done, kept in {tmp_path}: the same sweep goes on from there"
    )
    table = caught.value.table
    assert table["error"].tolist() == [None] * 5 + ["not run: interrupted"] * 7
    both = serial.columns.intersection(table.columns)
    pd.testing.assert_frame_equal(table[both][:5], serial[both][:5], check_dtype=False)
    with pytest.raises(
        KeyboardInterrupt, match="0 of 12 runs are done, and nothing of them is kept: that needs a store"
    ):
        esx_netflow.sweep(scenario(), over=OVER, seeds=range(2), executor=Counting(0))


@pytest.mark.parametrize("wrong", [{"keep": "some"}, {"over": {"run.duration": []}}, {"seeds": []}, {"executor": -1}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError):
        esx_netflow.sweep(scenario(), **{"executor": Here(), **wrong})


def test_seeds_are_a_number_of_replications_or_a_list():
    assert seeds_of(3) == seeds_of(np.int64(3)) == seeds_of(range(1, 4)) == seeds_of(np.arange(1, 4)) == [
        1,
        2,
        3,
    ] and seeds_of([0, 9]) == [0, 9]
    for wrong in (0, -1, 1.5, True, "x", "12", [], [-1], [1.5], [True], None, {1: 2}):
        with pytest.raises(ValueError, match="a number of replications >= 1, or a list of numbers >= 0, is needed"):
            esx_netflow.sweep(scenario(), over=OVER, seeds=wrong)


@pytest.mark.parametrize("over", [[1, 2], 5, ["run.duration"], "run.duration"])
def test_points_that_are_none_are_named(over):
    with pytest.raises(ValueError, match="is no point; a dict of dotted path to values"):
        esx_netflow.sweep(scenario(), over=over)
