# SPDX-License-Identifier: GPL-2.0-only
"""`cmake --install`: a script outside of the repository builds against it, by CMake and by pkg-config, and the program
runs from there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

CONSUMER = Path(__file__).parent.parent / "consumer"
BUILD = Path(os.environ["ESX_NETFLOW_BUILD"])
RESULT = "10 packets, 5400 octets\n"


def do(*command, **settings):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    do("cmake", "--install", BUILD, "--prefix", folder)
    return folder


def test_a_script_builds_in_six_lines_of_cmake(prefix, tmp_path):
    lines = [line for line in (CONSUMER / "CMakeLists.txt").read_text().splitlines() if line]
    assert len(lines) <= 6
    do(
        "cmake",
        "-G",
        "Ninja",
        "-S",
        CONSUMER,
        "-B",
        tmp_path,
        f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_BUILD_TYPE=Debug",
    )
    do("cmake", "--build", tmp_path)
    assert do(tmp_path / "consumer") == RESULT


def test_a_script_builds_by_pkg_config(prefix, tmp_path):
    settings = {"env": os.environ | {"PKG_CONFIG_PATH": f"{next(prefix.glob('lib*/**/pkgconfig'))}"}}
    flags = do("pkg-config", "--cflags", "--libs", "esx-netflow", **settings).split()
    library = next(prefix.glob("lib*/**/libesx-netflow-module.so")).parent
    do("c++", CONSUMER / "consumer.cc", "-o", tmp_path / "consumer", *flags, f"-Wl,-rpath,{library}")
    assert do(tmp_path / "consumer") == RESULT


def test_the_installed_program_has_its_scenarios_and_its_oracle(prefix, tmp_path):
    program = prefix / "bin" / "esx-netflow"
    assert re.search(r"(\d+) of \1 expectations met", do(program, "run", "quickstart", "--captures", cwd=tmp_path))
    do(program, "verify", "out/quickstart", cwd=tmp_path)


def test_nothing_installed_names_the_build_folder(prefix):
    files = [*prefix.glob("lib*/**/*.cmake"), *prefix.glob("lib*/**/*.pc")]
    assert files
    for file in files:
        text = file.read_text().replace(os.environ.get("CMAKE_PREFIX_PATH") or "no ns-3 elsewhere", "")
        assert str(BUILD) not in text and str(CONSUMER.parents[1]) not in text, file
