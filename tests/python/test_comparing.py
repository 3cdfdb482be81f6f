# SPDX-License-Identifier: GPL-2.0-only
"""Comparisons paired by seed, what a sweep's table knows beside its rows, and seeds that change nothing."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import esx_netflow
from esx_netflow import comparing, sweeping
from sweep_lab import PLAN, Here, scenario

PATH = "hosts.esx1.netflow.purgatory_max"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return esx_netflow.sweep(
        scenario(), over={PATH: [1, 16]}, seeds=range(4), executor=Here(), store=tmp_path_factory.mktemp("store")
    )


def test_differences_are_those_of_pairs_with_students_interval(table):
    small, large = (table[table[PATH] == bound] for bound in (1, 16))
    pairs = esx_netflow.compare(small, large).table
    apart = large["collected.records"].to_numpy() - small["collected.records"].to_numpy()
    row = pairs.loc["collected.records"]
    low, high = stats.t.interval(0.95, 3, apart.mean(), stats.sem(apart))
    assert row["difference"] == apart.mean() > 0 and row["pairs"] == 4
    assert np.allclose([row["low"], row["high"]], [low, high], rtol=1e-6)
    assert pairs.loc[PATH, "low"] == 15 and not (pairs["difference"] == 0).all()


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 100])
def test_the_quantile_is_students(freedom):
    assert math.isclose(comparing._t(freedom, 0.95), stats.t.ppf(0.975, freedom), rel_tol=1e-6)


def test_two_results_are_one_pair_without_an_interval():
    a, b = (esx_netflow.run(scenario().varied({PATH: bound}), run=run) for bound, run in ((1, 1), (16, 2)))
    pairs = a.compare(b)
    assert pairs.table["pairs"].eq(1).all() and pairs.table[["low", "high"]].isna().all(axis=None)
    assert "one pair" in pairs._repr_html_() and "collected.records" in pairs._repr_html_()
    assert a.compare(a).table.empty and "No metric differs." in a.compare(a)._repr_html_()


def test_what_cannot_be_paired_is_refused(table):
    with pytest.raises(ValueError, match="no seed is in both"):
        esx_netflow.compare(table[:2], table[6:])
    with pytest.raises(ValueError, match="one row for each seed"):
        esx_netflow.compare(table, table)


def test_a_comparison_is_drawn_with_its_intervals(table):
    import matplotlib.pyplot as plt

    axes = esx_netflow.compare(table[:4], table[4:]).plot()
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert "collected.records" in shown and "of 4 pairs" in axes.get_xlabel() and len(axes.lines) == 2 * len(shown) + 1
    plt.close("all")


def test_wall_time_and_memory_are_beside_the_table_and_kept_in_the_store(table, tmp_path):
    assert (table.costs["wall_s"] > 0).all() and (table.costs["memory_MB"] > 10).all() and len(table.costs) == 8
    assert not {"wall_s", "memory_MB"} & set(table.columns)
    few = [esx_netflow.sweep(scenario(), over={PATH: [4]}, executor=Here(), store=tmp_path) for _ in range(2)]
    pd.testing.assert_frame_equal(few[0].costs, few[1].costs)


def test_an_xarray_has_a_dimension_for_each_path_and_the_seed(table, monkeypatch):
    try:
        import xarray  # noqa: F401  (./setup test-pip has it)
    except ImportError:
        monkeypatch.setattr(pd.DataFrame, "to_xarray", lambda frame: frame)  # pandas' own does the rest
        cube = table.to_xarray()
        assert (
            cube.index.names == [PATH, "seed"]
            and cube.index.is_unique
            and "error" not in cube
            and "collected.records" in cube
        )
        return
    cube = table.to_xarray()
    assert dict(cube.sizes) == {PATH: 2, "seed": 4} and "error" not in cube
    for value, records in table.groupby(PATH)["collected.records"]:
        assert cube["collected.records"].sel({PATH: value}).values.tolist() == records.tolist()


def test_seeds_that_change_nothing_are_announced(recwarn):
    lab = scenario()
    lab.data["traffic"] = []
    lab["run.duration"] = "3s"
    lab["timeline"][1]["may_be_idle"] = True
    with pytest.warns(sweeping.SweepWarning, match="at 2 of 2 points all seeds gave equal rows"):
        esx_netflow.sweep(lab, over={PATH: [1, 2]}, seeds=range(2), executor=Here())


def test_the_command_line_announces_them_too(tmp_path):
    lab = scenario()
    lab.data["traffic"] = []
    lab["run.duration"] = "3s"
    lab["timeline"][1]["may_be_idle"] = True
    lab.data["expect"] = []
    lab.save(tmp_path / "lab.yaml")
    (tmp_path / "sweep.yaml").write_text(PLAN)
    command = [sys.executable, "-m", "esx_netflow", "sweep", "sweep.yaml", "-j", "1"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(esx_netflow.__file__).parents[1])},
    )
    assert done.returncode == 0 and "note: at 2 of 2 points all seeds gave equal rows" in done.stdout, done


def test_seeds_that_change_something_are_not(table, recwarn):
    rows = [{PATH: 1, "seed": seed, "key": None, "error": None} for seed in (1, 2)]
    assert comparing.seeds_without_effect(rows, [{"a": 1}, {"a": 2}]) is None
    assert comparing.seeds_without_effect(rows[:1], [{"a": 1}]) is None, "one seed is no repetition"
    assert comparing.seeds_without_effect(rows, [{"a": math.nan}, {"a": math.nan}]) is not None
