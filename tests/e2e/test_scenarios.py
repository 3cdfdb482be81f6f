# SPDX-License-Identifier: GPL-2.0-only
"""Every scenario of the project: its expectations hold, its bytes are the same everywhere, and the oracle finds every
loss."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from labs import contents, summary

TESTS = Path(__file__).parent.parent
SCENARIOS = sorted((TESTS.parent / "scenarios").glob("*.yaml"))


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 20


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda path: path.stem)
def run(request, esx_netflow, tmp_path_factory):
    """-> scenario, its result folder with all captures"""
    folder = tmp_path_factory.mktemp(request.param.stem) / "out"
    done = esx_netflow("run", request.param, "--out", folder, "--captures", "--quiet", cwd=folder.parent)
    assert done.returncode == 0, done
    return request.param, folder


def test_expectations_hold_and_the_books_balance(run):
    result = summary(run[1])
    assert result["verdict"] == "pass"
    assert result["residual"] == {"packets": 0, "octets": 0, "records": 0}


def test_bytes_are_the_same_in_another_folder_time_zone_and_locale(run, esx_netflow, tmp_path):
    scenario, folder = run
    (tmp_path / "a b").mkdir()
    environment = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"}
    done = esx_netflow("run", scenario, "--out", "c", "--captures", "--quiet", cwd=tmp_path / "a b", env=environment)
    assert done.returncode == 0, done
    assert contents(tmp_path / "a b" / "c") == contents(folder)


def test_the_oracle_finds_every_loss(run):
    command = [sys.executable, "-B", "-m", "oracle", run[1]]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
