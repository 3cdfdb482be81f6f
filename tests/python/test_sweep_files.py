# SPDX-License-Identifier: GPL-2.0-only
"""esx-netflow sweep: the file that it reads, the table that it writes, and what it says."""

import pandas as pd
import pytest

import esx_netflow
from esx_netflow import sweep_files
from sweep_lab import PLAN, Here, scenario, sweep, sweep_file


def test_the_command_line_sweeps_and_goes_on(tmp_path):
    sweep_file(tmp_path, PLAN)
    done = sweep(tmp_path, "sweep.yaml", "-j", "2")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    (table,) = (tmp_path / "out" / "knee").glob("table.*")
    assert done.stdout == f"knee: 4 runs, 0 failed; 4 pass\ntable: out/knee/{table.name}\n"
    written = table.read_bytes()
    assert sweep(tmp_path, "sweep.yaml", "-j", "1", "--quiet").stdout == ""
    assert table.read_bytes() == written
    expected = esx_netflow.sweep(
        scenario(), over={"hosts.esx1.netflow.purgatory_max": [1, 16]}, seeds=[1, 2], executor=Here()
    )
    read = pd.read_parquet(table) if table.suffix == ".parquet" else pd.read_csv(table)
    expected = expected.drop(columns="error")
    read = read.drop(columns="error").astype(expected.dtypes.to_dict())  # pandas 3 reads text as str, not as object
    pd.testing.assert_frame_equal(read, expected)


def test_parquet_where_pyarrow_is_and_csv_elsewhere(tmp_path):
    table = pd.DataFrame({"seed": [1, 2], "error": [None, "why"]})
    path = sweep_files.write_table(table, tmp_path)
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
    assert (
        done.stderr.startswith("esx-netflow: hosts.esx1.netflow.purgatory_max 0, seed 3: ")
        and done.stderr.count("\n") == 1
    )
    assert "knee: 2 runs, 1 failed; 1 pass" in done.stdout


@pytest.mark.parametrize(
    "plan, passed, why",
    [
        (
            PLAN.replace("16", "4096") + "expect: [{name: none dropped, metric: netflow.records.dropped, equals: 0}]\n",
            1,
            "expect.none dropped",
        ),
        (
            PLAN.replace("  hosts.esx1.netflow.purgatory_max: [1, 16]", "  timeline: [[]]"),
            0,
            "expect.balanced",
        ),  # nothing is metered
    ],
)
def test_a_point_that_fails_is_exit_code_1_as_in_run(tmp_path, plan, passed, why):
    sweep_file(tmp_path, plan.replace("seeds: 2", "seeds: 1"))
    done = sweep(tmp_path, "sweep.yaml", "-j", "1")
    assert done.returncode == 1 and "1 fail" in done.stdout, done.stdout + done.stderr
    (path,) = (tmp_path / "out" / "knee").glob("table.*")
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    assert (table["verdict"] == "pass").sum() == passed and why in table.columns


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
        (PLAN + "expect: balanced\n", "expect: balanced; a list of expectations is needed"),
        (PLAN.replace("lab.yaml", "no.yaml"), "no.yaml"),
        ("version: [", "sweep.yaml"),
    ],
)
def test_a_wrong_sweep_file_gets_one_line_and_exit_code_2(tmp_path, text, told):
    done = sweep(tmp_path, sweep_file(tmp_path, text).name)
    assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize(
    "options, told",
    [
        (["-j", "0"], "-j/--jobs: '0' is no whole number from 1 to 1024"),
        (["--scheduler", "tcp://x", "-j", "2"], "exclude"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_options_are_refused(tmp_path, options, told):
    done = sweep(tmp_path, sweep_file(tmp_path, PLAN).name, *options)
    assert done.returncode == 2 and told in done.stderr
