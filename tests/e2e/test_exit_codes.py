# SPDX-License-Identifier: GPL-2.0-only
"""Exit codes of every command mean what docs/formats.md says."""

import signal
import time

import pytest
from commands import CAPTURE, commands, inputs
from labs import lab, write

WAIT_S = 120
COMMANDS = [
    "run",
    "advise",
    "console",
    "technote",
    "explain",
    "talkers",
    "verify",
    "validate",
    "dot",
    "import",
    "ifindex",
    "report",
    "sweep",
    "probe",
    "collect",
    "compare",
    "version",
]
MISSING_FILE = {
    "run": ["FILE"], "advise": ["FILE"], "console": ["FILE"], "technote": ["--with", "FILE"],
    "explain": ["FILE", "--flow", "*->*"], "talkers": ["FILE"], "verify": ["FILE"],
    "validate": ["FILE"], "dot": ["FILE"], "import": ["FILE"], "ifindex": ["5", "--scenario", "FILE"],
    "report": ["FILE"], "sweep": ["FILE"], "probe": ["-r", "FILE"],
    "collect": ["-r", "FILE"], "compare": ["--peer", "softflowd", "-r", "FILE"],
}  # fmt: skip


@pytest.fixture(scope="module")
def given(esx_netflow, tmp_path_factory):
    return inputs(esx_netflow, tmp_path_factory.mktemp("given"))


@pytest.mark.parametrize("name", commands(CAPTURE))
def test_0_all_is_good(esx_netflow, given, tmp_path, name):
    arguments = [tmp_path / "new" if str(a).endswith("/new") else a for a in commands(given)[name]]
    with open(given / "lines") as lines:
        done = esx_netflow.start(*arguments, stdin=lines, text=False)  # probe -w - writes octets
        stdout, stderr = done.communicate(timeout=WAIT_S)
    assert done.returncode == 0 and stdout, stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("wrong", [["--no-such-option"], ["--no-such-option=1"]])
def test_2_unknown_options(esx_netflow, command, wrong):
    done = esx_netflow(command, *wrong)
    assert done.returncode == 2 and done.stderr and not done.stdout and "Traceback" not in done.stderr


def test_2_unknown_commands(esx_netflow):
    assert esx_netflow("rum").returncode == esx_netflow().returncode == esx_netflow("--no-such-option").returncode == 2


@pytest.mark.parametrize("command", MISSING_FILE)
@pytest.mark.parametrize("kind", ["missing", "a folder", "octets", "empty"])
def test_2_inputs_that_are_not_what_they_should_be(esx_netflow, tmp_path, command, kind):
    path = tmp_path / "input"
    if kind == "a folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\x93\0\xff{[" if kind == "octets" else b"")
    done = esx_netflow(command, *[path if a == "FILE" else a for a in MISSING_FILE[command]])
    assert done.returncode == 2 and str(path) in done.stderr and "Traceback" not in done.stderr


def test_1_an_expectation_that_fails(esx_netflow, tmp_path):
    scenario = write(
        tmp_path, lab(duration="5s", expect="  - {name: impossible, metric: netflow.records.sent, at_most: 0}")
    )
    assert esx_netflow("run", scenario, "-q", "-o", tmp_path / "out").returncode == 1
    assert esx_netflow("technote", "--with", scenario).returncode == 1


def test_1_results_that_are_not_the_golden_ones(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(duration="5s"))
    arguments = ("run", scenario, "-q", "-o", tmp_path / "out")
    assert esx_netflow(*arguments, "--check", tmp_path / "golden").returncode == 1
    assert esx_netflow(*arguments, "--update", tmp_path / "golden").returncode == 0
    write(tmp_path, lab(duration="5s", stop="4s"))
    assert esx_netflow(*arguments, "--check", tmp_path / "golden").returncode == 1


def test_1_an_oracle_that_disagrees(esx_netflow, tmp_path):
    assert (
        esx_netflow("run", write(tmp_path, lab(duration="5s")), "-q", "--captures", "-o", tmp_path / "out").returncode
        == 0
    )
    path = tmp_path / "out" / "flows-collected.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], ""]))
    assert esx_netflow("verify", tmp_path / "out").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["probe", "-r", CAPTURE, "-n", "no.invalid"],
        ["run", "lab.yaml", "--to", "no.invalid:2055"],
        ["console", "lab.yaml", "--to", "no.invalid:2055"],
        ["collect", "-l", "192.0.2.1:2055"],
    ],
)
def test_3_addresses_that_cannot_be_resolved_or_opened(esx_netflow, tmp_path, arguments):
    write(tmp_path, lab(duration="5s"))
    assert esx_netflow(*arguments, cwd=tmp_path).returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_130_runs_that_are_ended_early(esx_netflow, tmp_path, number):
    process = esx_netflow.start("run", write(tmp_path, lab()), "--realtime", "-o", tmp_path / "out")
    end = time.monotonic() + WAIT_S
    while not list(tmp_path.glob("out.tmp-*")) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 130 and (tmp_path / "out" / "summary.json").is_file()
    assert not list(tmp_path.glob("out.tmp-*"))
