# SPDX-License-Identifier: GPL-2.0-only
"""The package that pip installed: whole, typed, with the command line. Where the package is not installed there is
nothing to test."""

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy
import pytest

import esx_netflow
from conftest import QUICKSTART, ROOT

HERE = Path(sys.prefix)
pytestmark = pytest.mark.skipif(
    HERE not in Path(esx_netflow.__file__).parents, reason="the package is not installed by pip"
)


def test_the_package_is_whole_and_typed():
    folder = Path(esx_netflow.__file__).parent
    source = ROOT / "python" / "esx_netflow"
    for file in source.iterdir():
        if file.is_file():
            assert (folder / file.name).read_bytes() == file.read_bytes(), file.name
    assert (folder / "py.typed").is_file()
    assert metadata.version("esx-netflow") == esx_netflow.__version__


def test_the_command_line_is_installed(tmp_path):
    program = HERE / "bin" / "esx-netflow"
    done = subprocess.run(
        [program, "run", QUICKSTART, "--report", "--out", "out"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "") and "4 of 4 expectations met" in done.stdout
    assert (tmp_path / "out" / "report.html").is_file()
    assert subprocess.run([program, "nonsense"], capture_output=True, text=True).returncode == 2


def installed(*arguments, cwd):
    return subprocess.run([HERE / "bin" / "esx-netflow", *map(str, arguments)], cwd=cwd, capture_output=True, text=True)


def test_the_oracle_is_installed_and_judges(tmp_path):
    assert installed("run", QUICKSTART, "--captures", "--quiet", cwd=tmp_path).returncode == 0
    done = installed("verify", "out/quickstart", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and "0 disagreements" in done.stdout
    collected = tmp_path / "out" / "quickstart" / "flows-collected.csv"
    collected.write_text("".join(collected.read_text().splitlines(keepends=True)[:-1]))
    assert installed("verify", "out/quickstart", cwd=tmp_path).returncode == 1
    assert installed("verify", "out", cwd=tmp_path).returncode == 2


def test_without_the_oracle_verify_says_so_with_exit_code_2(tmp_path):
    assert installed("run", QUICKSTART, "--captures", "--quiet", cwd=tmp_path).returncode == 0
    package = tmp_path / "site" / "esx_netflow"
    shutil.copytree(Path(esx_netflow.__file__).parent, package, ignore=shutil.ignore_patterns("oracle"))
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "esx_netflow", "verify", "out/quickstart"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "esx-netflow: the Python module 'oracle' is not installed beside this program\n"


def test_tables_of_the_build_are_right_or_refused_with_this_numpy(tmp_path):
    """The package that Debian's pybind11 built, in a Python with the NumPy of this venv."""
    environment = {**os.environ, "PYTHONPATH": str(Path(os.environ["ESX_NETFLOW_BUILD"]) / "python")}
    code = (
        f"import esx_netflow as e; t = e.run({str(QUICKSTART)!r}).truth; print(e.__file__, t['packets'].sum(), "
        "len(t.to_pandas()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        truth = esx_netflow.run(QUICKSTART).truth
        assert done.stdout.split()[1:] == [str(truth["packets"].sum()), str(len(truth))]
        assert os.environ["ESX_NETFLOW_BUILD"] in done.stdout
    else:
        assert int(numpy.__version__.split(".")[0]) >= 2
        assert re.fullmatch(
            r"ImportError: .* built with pybind11 2\.1?\d, which does not know NumPy 2\..*: use NumPy 1, or build .*",
            done.stderr.splitlines()[-1],
        )


def test_no_library_of_this_tree_is_needed():
    extension = next(Path(esx_netflow.__file__).parent.glob("_core*.so"))
    linked = subprocess.run([shutil.which("ldd"), extension], capture_output=True, text=True, check=True).stdout
    assert "not found" not in linked and str(ROOT / "build") + "/" not in linked
