# SPDX-License-Identifier: GPL-2.0-only
"""NumPy of two generations: right tables, or an ImportError; `./setup test-pip` runs the tests of tables with both."""

import os
import re
import subprocess
import sys
from pathlib import Path

import esx_netflow
from conftest import PROGRAM
from esx_netflow import _core

PRETEND = "import numpy\nnumpy.__version__ = '2.3.1'\n"


def test_a_numpy_that_pybind11_does_not_know_is_refused_at_import():
    folder = Path(esx_netflow.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-B", "-c", PRETEND + "import esx_netflow"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    if _core.knows_numpy_2:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 1 and "ImportError: esx_netflow was built with pybind11 2." in done.stderr
        assert "which does not know NumPy 2.3.1: use NumPy 1, or build with pybind11 2.12 or later" in done.stderr


def test_the_command_line_has_no_traceback(tmp_path):
    """The program starts the package beside it, with Debian's Python."""
    (tmp_path / "sitecustomize.py").write_text(PRETEND)
    done = subprocess.run(
        [PROGRAM, "report", tmp_path], env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert re.match(
        r"esx-netflow: (esx_netflow was built with pybind11 2\.(\d|1[01]), which|.*: no summary.json, so)", done.stderr
    )
