# SPDX-License-Identifier: GPL-2.0-only
"""verify: the oracle for users."""

import os

import pytest
from labs import QUICKSTART, lab, write


@pytest.fixture(scope="module")
def captured(esx_netflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("captured") / "out"
    assert esx_netflow("run", QUICKSTART, "--out", folder, "--captures", "--quiet").returncode == 0
    return folder


def test_good_results_are_verified(captured, esx_netflow):
    done = esx_netflow("verify", captured)
    assert done.returncode == 0 and done.stdout.endswith("; 0 disagreements\n")


def test_several_folders_are_told_apart(captured, esx_netflow):
    done = esx_netflow("verify", captured, captured)
    assert done.returncode == 0 and done.stdout.count(f"{captured}: oracle: ") == 2


def test_a_loss_that_is_not_listed_is_found(captured, esx_netflow):
    lost = captured / "flows-left.csv"
    kept = lost.read_text()
    lost.write_text(kept.splitlines()[0] + "\n")
    try:
        done = esx_netflow("verify", captured)
    finally:
        lost.write_text(kept)
    assert done.returncode == 1 and "listed as lost 0" in done.stdout


def test_a_wrong_output_port_is_found(captured, esx_netflow):
    exported = captured / "flows-exported.csv"
    kept = exported.read_text()
    header, first, *others = kept.splitlines()
    cells = first.split(",")
    cells[header.split(",").index("output")] = "17"
    exported.write_text("\n".join([header, ",".join(cells), *others]) + "\n")
    try:
        done = esx_netflow("verify", captured)
    finally:
        exported.write_text(kept)
    assert done.returncode == 1 and "output 17, by the captures [" in done.stdout


def test_results_without_captures_are_exit_2(esx_netflow, tmp_path):
    assert esx_netflow("run", write(tmp_path, lab()), "--out", tmp_path / "out").returncode == 0
    done = esx_netflow("verify", tmp_path / "out")
    assert done.returncode == 2 and "run with --captures" in done.stderr


def test_no_result_folder_is_exit_2(esx_netflow, tmp_path):
    done = esx_netflow("verify", tmp_path)
    assert done.returncode == 2 and "is no result folder" in done.stderr


def test_where_python_is_missing_the_apt_line_is_said(captured, esx_netflow, tmp_path):
    done = esx_netflow("verify", captured, env={**os.environ, "ESX_NETFLOW_PYTHON": str(tmp_path / "python3")})
    assert done.returncode == 2 and "apt-get install --no-install-recommends python3" in done.stderr
