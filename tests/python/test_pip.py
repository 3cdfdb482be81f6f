# SPDX-License-Identifier: GPL-2.0-only
"""What pip installed: whole, typed, with the command line. Where the package is not installed there is nothing to test."""
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import esx_netflow
from conftest import QUICKSTART, ROOT

HERE = Path(sys.prefix)
pytestmark = pytest.mark.skipif(HERE not in Path(esx_netflow.__file__).parents, reason="the package is not installed by pip")


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
    done = subprocess.run([program, "run", QUICKSTART, "--report", "--out", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "2 of 2 expectations met" in done.stdout
    assert (tmp_path / "out" / "report.html").is_file()
    assert subprocess.run([program, "nonsense"], capture_output=True, text=True).returncode == 2


def test_no_library_of_this_tree_is_needed():
    extension = next(Path(esx_netflow.__file__).parent.glob("_core*.so"))
    linked = subprocess.run([shutil.which("ldd"), extension], capture_output=True, text=True, check=True).stdout
    assert "not found" not in linked and str(ROOT / "build") + "/" not in linked
