# SPDX-License-Identifier: GPL-2.0-only
"""Every command that writes, killed at each stage of its writing, on a disk that is full, and interrupted: what was
there stays whole."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import CAPTURE, INPUT_OPTIONS, commands, folder_writers, inputs, writers
import labs

WAIT_S = 300


def contents(folder: Path) -> dict[str, bytes]:
    """All files; the wall time and memory of a sweep's points are those of one run."""
    return {path: octets for path, octets in labs.contents(folder).items() if not path.endswith("/costs.json")}


PASSING = re.compile(r"\.(tmp|old)-|/tmp-")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "faults.so"
    source = Path(__file__).parent / "faults.c"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def given(esx_netflow, tmp_path_factory):
    return inputs(esx_netflow, tmp_path_factory.mktemp("given"))


class Case:
    """A writer in a folder of its own: what was there, and what it makes of it."""

    def __init__(self, esx_netflow, shim, given, tmp_path, name):
        self.program, self.shim, self.folder, self.name = esx_netflow.path, shim, tmp_path, name
        self.lines, self.target = given / "lines", tmp_path / "target"
        self.arguments = [self.target if a == "FILE" else a for a in {**writers(given), **folder_writers(given)}[name]]
        if "compare" in self.arguments and not shutil.which("softflowd"):
            pytest.skip("softflowd is not installed")
        self.template = tmp_path.parent / f"{tmp_path.name}-template"
        self.template.mkdir()
        self.log = tmp_path.parent / f"{tmp_path.name}-events"
        if name == "report":
            shutil.copytree(given / "result", self.template / "target")
        elif name in folder_writers(given):
            assert self.run() == (0, "")  # an earlier result
            shutil.copytree(self.target, self.template / "target")
            for entry in (self.template / "target").glob("runs"):
                shutil.rmtree(entry)  # a sweep would not run again what is there
        else:
            (self.template / "target").write_text("as it was")
        self.reset()
        self.before = contents(self.folder)
        assert self.run() == (0, "")
        self.after = contents(self.folder)
        assert self.after != self.before or name in folder_writers(given)

    def reset(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.template, self.folder)

    def run(self, fault=""):
        """-> exit code, standard error"""
        self.log.unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        if fault:
            environment |= {
                "LD_PRELOAD": str(self.shim),
                "ESX_FAULT": fault,
                "ESX_FAULT_IN": f"{self.folder}/",
                "ESX_FAULT_LOG": str(self.log),
            }
        with open(self.lines) as lines:
            done = subprocess.run(
                [self.program, *map(str, self.arguments)],
                stdin=lines, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=WAIT_S,
                env=environment, start_new_session=True,
            )  # fmt: skip
        return done.returncode, done.stderr

    def events(self) -> int:
        self.reset()
        assert self.run("kill 0")[0] == 0
        return self.log.stat().st_size

    def check_whole(self):
        now = {path: octets for path, octets in contents(self.folder).items() if not PASSING.search("/" + path)}
        assert not set(self.before) - set(now), "something is gone"
        for path, octets in now.items():
            assert octets in (self.before.get(path), self.after.get(path)), (
                f"{path} is neither as it was nor as it is to be"
            )


@pytest.fixture(params=[*writers(CAPTURE), *folder_writers(CAPTURE)])
def case(esx_netflow, shim, given, tmp_path, request):
    return Case(esx_netflow, shim, given, tmp_path, request.param)


def test_killed_at_any_stage_it_leaves_what_was_there_and_the_next_one_cleans(case):
    events = case.events()
    assert events >= 2, "it makes a file and puts it in place"
    for number in sorted({1, 2, 1 + events // 2, max(1, events - 1), events}):
        case.reset()
        code, errors = case.run(f"kill {number}")
        assert code in (-9, 137), (number, errors)
        case.check_whole()
        assert case.run() == (0, "")
        assert contents(case.folder) == case.after, f"after a kill at event {number} of {events}"


def test_on_a_full_disk_it_is_exit_2_and_what_was_there_stays(case):
    for number in {1, 1 + case.events() // 2}:
        case.reset()
        code, errors = case.run(f"full {number}")
        assert (
            code == 2 and re.search("No space left on device|is the disk full", errors) and "Traceback" not in errors
        ), errors
        case.check_whole()
        assert not [path for path in contents(case.folder) if PASSING.search("/" + path)]


def test_a_system_call_that_a_signal_ends_is_made_again(case):
    case.reset()
    assert case.run("eintr 0") == (0, "")
    assert contents(case.folder) == case.after


def help_of(esx_netflow, *command) -> str:
    return esx_netflow(*command, "--help").stdout


def test_no_command_and_no_option_that_names_a_file_is_without_an_entry(esx_netflow):
    names = set(re.findall(r"^  ([a-z]+) ", help_of(esx_netflow).split("ommands:")[1], re.MULTILINE))
    assert {"run", "probe", "schema"} <= names
    assert not names - {entry[0] for entry in commands(CAPTURE).values()}, (
        "every command is tried with a full standard output"
    )
    tried = {**writers(CAPTURE), **folder_writers(CAPTURE)}
    for name in names:
        for short, long in re.findall(
            r"^  (?:(-\w)(?: [A-Z]+)?, ?)?(--[\w-]+)[ =](?:FILE|DIR|GOLDEN|FOLDER)\b",
            help_of(esx_netflow, name),
            re.MULTILINE,
        ):
            known = f"{name} {long}" in INPUT_OPTIONS or any(
                arguments[0] == name and {short, long} & set(map(str, arguments)) for arguments in tried.values()
            )
            assert known, f"{name} {long} is neither a known input nor tried as an output"
