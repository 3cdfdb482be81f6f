#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation of every cause that model/ books: does a test of the model fail if a loss goes under another cause?

Replaces one `netflow::Move::LOST_...` (or IGNORED_..., SEND_FAILED, StopCause) at a time, compiles that file with the flags of the
release build, links the module anew beside the build and runs test-model with it, the tests of the file's class first. Nothing in the
source tree or the build changes. Takes a minute of processor time for a survivor and some seconds for the others.
"""
import argparse
import json
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

from mutate import equivalents

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {  # and the tests of their classes
    "model/esx-export-tracker.cc": "EsxExportTracker*",
    "model/esx-export-tracker-watch.cc": "EsxExportTracker*",
    "model/esx-netflow.cc": "EsxNetflow*",
    "model/esx-net-netflow.cc": "EsxNetNetflow*",
}
CAUSE = re.compile(r"(netflow::Move::)(LOST_\w+|IGNORED_\w+|SEND_FAILED|RECEIVED)|(netflow::StopCause::)(\w+)")
OTHER = {"netflow::Move::": ("LOST_NETWORK", "LOST_NO_ROUTE"), "netflow::StopCause::": ("KILLED", "UNLOADED")}
LIBRARY = "libesx-netflow-module.so"
WITHIN = 600  # seconds of processor time: what computes longer hangs


def mutants():
    """-> file, where in its text, what stands there, what stands there instead. Those of equivalent.txt are left out."""
    known = equivalents()
    for file in FILES:
        text = (ROOT / file).read_text()
        for match in CAUSE.finditer(text):
            kind, name = (match[1], match[2]) if match[1] else (match[3], match[4])
            line = text[text.rfind("\n", 0, match.start()) + 1 : text.find("\n", match.end())]
            if "case " in line or ">=" in line or "==" in line or "!=" in line:
                continue  # asks for a cause, books none
            other = kind + next(other for other in OTHER[kind] if other != name)
            if (file, line.strip(), match[0], other) not in known:
                yield file, match.start(), match[0], other


class Build:
    def __init__(self, folder: Path, place: Path):
        self.folder, self.place = folder, place
        commands = {Path(entry["file"]): entry for entry in json.loads((folder / "compile_commands.json").read_text())}
        self.entries = {file: commands[ROOT / file] for file in FILES}
        lines = subprocess.run(
            ["ninja", "-C", folder, "-t", "commands", f"lib/{LIBRARY}"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        self.link = lines[-1]

    def _compile(self, file: str, source: Path) -> Path:
        words = [word for word in shlex.split(self.entries[file]["command"]) if not word.endswith("ccache")]
        words[words.index("-o") + 1] = str(self.place / "mutant.o")
        words[words.index("-c") + 1] = str(source)
        words.insert(1, f"-I{(ROOT / file).parent}")
        subprocess.run(words, cwd=self.entries[file]["directory"], check=True, stderr=subprocess.DEVNULL)
        return self.place / "mutant.o"

    def kills(self, file: str, text: str) -> bool:
        source = self.place / Path(file).name
        source.write_text(text)
        mutant = self._compile(file, source)
        link = self.link.replace(f"CMakeFiles/esx-netflow-module.dir/{file}.o", str(mutant))
        link = re.sub(rf"-o lib/{LIBRARY}\S*", f"-o {self.place / LIBRARY}", link)
        subprocess.run(link, shell=True, cwd=self.folder, check=True)
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.place)}
        limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (WITHIN, WITHIN))  # noqa: E731: whatever else the machine does
        for tests in (FILES[file], f"-{FILES[file]}"):
            command = [self.folder / "test-model", "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={tests}"]
            if subprocess.run(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit
            ).returncode:
                return True
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the release build, complete (default build/)")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    arguments = parser.parse_args()
    if arguments.list:
        print(*(f"{file}: {before} -> {after}" for file, _, before, after in mutants()), sep="\n")
        return 0
    os.nice(10)
    place = arguments.build / "mutate" / "causes"
    place.mkdir(parents=True, exist_ok=True)
    build = Build(arguments.build, place)
    for file in FILES:
        if build.kills(file, (ROOT / file).read_text()):
            sys.exit(f"causes: the tests of the model fail with {file} unchanged")
    survived = killed = 0
    for file, at, before, after in mutants():
        text = (ROOT / file).read_text()
        if build.kills(file, text[:at] + after + text[at + len(before) :]):
            killed += 1
        else:
            survived += 1
            print(f"survived: {file}:{text.count(chr(10), 0, at) + 1}: {before} -> {after}", flush=True)
    print(f"{killed + survived} causes booked by model/: {killed} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
