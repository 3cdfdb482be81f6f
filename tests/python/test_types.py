# SPDX-License-Identifier: GPL-2.0-only
"""Types: those of the package hold together, the stubs of the compiled module are as it is, and a user's checker sees
them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import esx_netflow

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(esx_netflow.__file__).parent


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """mypy needs long for what it sees the first time."""
    return tmp_path_factory.mktemp("mypy")


def checked(module: str, *arguments, folder: Path) -> subprocess.CompletedProcess:
    """Runs mypy's or stubtest's module by Debian's interpreter, or whichever runs this test."""
    environment = {
        **os.environ,
        "MYPYPATH": str(PACKAGE.parent),
        "PYTHONPATH": str(PACKAGE.parent),
        "MYPY_CACHE_DIR": str(folder / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-B", "-m", module, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_package_holds_together(cache):
    done = checked("mypy", "--config-file", ROOT / "pyproject.toml", "-p", "esx_netflow", folder=cache)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stubs_are_those_of_the_compiled_module(cache):
    allowed = Path(__file__).parent / "stubtest-allowlist.txt"
    numpy_unread = cache / "stubtest.ini"  # stubtest keeps no cache, and compares names and signatures only
    numpy_unread.write_text("[mypy]\nignore_missing_imports = True\n[mypy-numpy.*]\nfollow_imports = skip\n")
    done = checked(
        "mypy.stubtest",
        "--concise",
        "--allowlist",
        allowed,
        "--mypy-config-file",
        numpy_unread,
        "esx_netflow._core",
        folder=cache,
    )
    assert done.returncode == 0, done.stdout + done.stderr


USER = """
import esx_netflow
import esx_netflow.plots

result = esx_netflow.run("lab.yaml", seed=2)
reveal_type(result.ledger.residual.packets)
headers, records = esx_netflow.decode_v5(b"")
esx_netflow.plots.timeline(result)
esx_netflow.run(3.5)
esx_netflow.run("lab.yaml", sead=1)
result.ledgr
esx_netflow.sweep("lab.yaml", keep=3)
"""


def test_a_users_checker_sees_types(cache):
    (cache / "user.py").write_text(USER)
    # the package's cache is valid
    done = checked("mypy", "--config-file", ROOT / "pyproject.toml", "user.py", folder=cache)
    said = dict(re.findall(r"^user.py:(\d+): \w+: (.*)$", done.stdout, re.MULTILINE))
    assert done.returncode == 1 and (PACKAGE / "py.typed").is_file()
    wanted = {
        6: 'Revealed type is "builtins.int"',
        9: "incompatible type",
        10: 'Unexpected keyword argument "sead"',
        11: 'has no attribute "ledgr"',
        12: "incompatible type",
    }
    assert {int(line) for line in said} == set(wanted), done.stdout
    for line, text in wanted.items():
        assert text in said[str(line)], done.stdout


LAB = """
from datetime import timedelta
from esx_netflow import Lab, run
from esx_netflow.scenario_parts import TrafficDict
lab = Lab("x", duration=timedelta(seconds=9))
h = lab.host("esx1", netflow={"purgatory_max": 64, "idle_timeout": 5})
v = h.vswitch("vSwitch0", uplink="vmnic0")
web = h.vm("web", "10.0.0.1/24", type="e1000")
item: TrafficDict = {"name": "t", "app": "udp-cbr", "from": web, "to": "db"}
lab.cbr(web, h.vm("db", "10.0.0.2/24"), rate=1e6, start=timedelta(seconds=2))
print(run(lab).verdict)
h.vm("c", "10.0.0.3/24", type="e2000")
lab.host("esx2", netflow={"purgatory": 64})
lab.cbr(web, web, rte=5)
lab.cbr(web, web, rate=timedelta(seconds=5))
"""


@pytest.fixture(scope="module")
def strict(cache) -> subprocess.CompletedProcess:
    """One run for the lab and all notebooks."""
    import nbformat

    (cache / "lab.py").write_text(LAB)
    folder = cache / "notebooks"
    folder.mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        (folder / f"{path.stem.replace('-', '_')}.py").write_text(
            "\n".join(re.sub(r"^%.*$", "", cell, flags=re.MULTILINE) for cell in cells)
        )
    notebooks = sorted(folder.glob("*.py"))
    assert notebooks
    return checked(
        "mypy", "--strict", "--follow-imports=silent", "--ignore-missing-imports", "lab.py", *notebooks, folder=cache
    )


def test_a_strict_checker_knows_the_keys_of_a_lab(strict):
    said = dict(re.findall(r"^lab.py:(\d+): error: (.*)$", strict.stdout, re.MULTILINE))
    wanted = {"12": "e2000", "13": "NetflowDict", "14": '"rte"', "15": "timedelta"}
    assert set(said) == set(wanted) and all(text in said[line] for line, text in wanted.items()), strict.stdout


def test_the_notebooks_code_passes_a_strict_checker(strict):
    others = [line for line in strict.stdout.splitlines() if ": error:" in line and not line.startswith("lab.py:")]
    assert not others and re.search(r"checked \d\d? source files", strict.stdout), strict.stdout + strict.stderr
