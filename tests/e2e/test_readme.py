# SPDX-License-Identifier: GPL-2.0-only
"""README.md: every command in it runs, prints what is shown below it, and its scenarios are valid.

A fenced `sh` block is one test; its commands run one after the other in a working copy of their own. A `text` block
right behind it is what its last command prints. Port 2055 stands for a real nfcapd. `./setup` lines are not run but
compared with the script.
"""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from labs import QUICKSTART, summary
from oracle.collector_files import NfcapdRun

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
RUN_WITHIN_S = 300
FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n\n?", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    language: str
    text: str
    shown: str | None  # the text block right behind it


def blocks(language: str) -> list[Block]:
    found = list(FENCE.finditer(README))
    shown = {}
    for block, behind in zip(found, found[1:]):
        if behind[1] == "text" and behind.start() == block.end():
            shown[block.start()] = behind[2]
    return [Block(b[1], b[2], shown.get(b.start())) for b in found if b[1] == language]


def commands(block: Block) -> list[str]:
    lines = block.text.replace("\\\n", "").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


SETUP_LINES = [line for block in blocks("sh") for line in commands(block) if line.startswith("./setup")]
EXECUTED = [block for block in blocks("sh") if not any(line.startswith("./setup") for line in commands(block))]


@pytest.fixture
def working_copy(esx_netflow, tmp_path) -> Path:
    """-> a folder that looks like a clone that was built; what commands write stays in it"""
    folder = tmp_path / "esx-netflow"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if not re.fullmatch(r"build.*|out|\.git", entry.name):
            (folder / entry.name).symlink_to(entry)
    (folder / "build").symlink_to(esx_netflow.path.resolve().parent)
    return folder


@pytest.fixture
def environment(tmp_path) -> dict:
    """-> the usual one, with this Python as python3 and no path to our package but what a command gives"""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**others, "PATH": f"{python.parent}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}


def run(command: str, folder: Path, environment: dict) -> str:
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, timeout=RUN_WITHIN_S, **streams)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def run_into_nfcapd(command: str, folder: Path, environment: dict) -> str:
    """The command, with a real collector at its port 2055: it must get records, and find nothing wrong with them."""
    with NfcapdRun() as collector:
        printed = run(command.replace(":2055", f":{collector.port}"), folder, environment)
        collector.stop()
    assert collector.flows > 0 and (collector.sequence_errors, collector.bad_packets) == (0, 0), collector.log
    if " run " in command:
        assert sum(collector.rows.values()) == summary(folder / "out" / "quickstart")["ledger"]["exported"]["records"]
    return printed.replace(f":{collector.port}", ":2055")


@pytest.mark.parametrize("block", EXECUTED, ids=lambda block: commands(block)[0])
def test_commands_do_what_is_shown(block, working_copy, environment):
    printed = ""
    for command in commands(block):
        start = run_into_nfcapd if ":2055" in command else run
        printed = start(command, working_copy, environment)
    if block.shown is not None:
        assert printed.strip("\n") == block.shown.strip("\n")


def test_there_is_something_to_run_and_to_see():
    assert len(EXECUTED) >= 7 and len(blocks("yaml")) >= 2
    assert sum(block.shown is not None for block in EXECUTED) == len(blocks("text")) >= 3


def sections(scenario: str) -> dict[str, str]:
    """Top-level keys of a scenario, each with its text."""
    found = re.findall(r"^(\w+):.*(?:\n(?:[ #].*)?)*", scenario, re.MULTILINE)
    texts = re.findall(r"^\w+:.*(?:\n(?:[ #].*)?)*", scenario, re.MULTILINE)
    return {name: text.rstrip() + "\n" for name, text in zip(found, texts)}


def test_the_first_scenario_shown_is_the_quickstart():
    assert blocks("yaml")[0].text.strip() in QUICKSTART.read_text()


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.text.splitlines()[1].strip())
def test_scenarios_run_in_place_of_the_quickstarts(esx_netflow, tmp_path, block):
    scenario = tmp_path / "lab.yaml"
    scenario.write_text("\n".join({**sections(QUICKSTART.read_text()), **sections(block.text)}.values()))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout


def test_setup_knows_exactly_the_commands_named():
    named = {line.split()[1] for line in SETUP_LINES} | set(re.findall(r"`\./setup (\w[\w-]*)`", README))
    script = (ROOT / "setup").read_text()
    (alternatives,) = re.findall(r"^case \$command in\n  ([\w |-]+)\) ;;$", script, re.MULTILINE)
    (with_arguments,) = re.findall(r"^case \$\{1:-\} in\n  ([\w |-]+)\) #", script, re.MULTILINE)
    helped = subprocess.run([ROOT / "setup", "--help"], capture_output=True, text=True, check=True).stdout
    assert named == {*alternatives.split(" | "), *with_arguments.split(" | ")}
    assert named == {name.replace("_", "-") for name in re.findall(r"^do_(\w+)\(\)", script, re.MULTILINE)}
    assert named == set(re.findall(r"^  ([\w-]+)", helped, re.MULTILINE))
    assert SETUP_LINES == ["./setup run", "./setup test"]


def test_setup_refuses_other_commands():
    done = subprocess.run([ROOT / "setup", "frobnicate"], capture_output=True, text=True)
    assert done.returncode == 2 and "unknown command 'frobnicate'" in done.stderr


def test_ci_runs_setup_test_and_then_test_pip():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if "setup" in line] == ["./setup test </dev/null", "./setup test-pip </dev/null"]


def test_files_named_are_there():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        headings = [heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)]
        assert anchor in headings, anchor
