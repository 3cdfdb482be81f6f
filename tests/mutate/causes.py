#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation of every cause that model/ books and of every counter of its collector.

Does a test of the model fail if a loss goes under another cause, or is not counted?

Replaces one `Move::LOST_...` (or IGNORED_..., SEND_FAILED, StopCause, EsxDropCause, EsxPhysicalSwitchDrop) or
deletes one statement that counts at a time, compiles that file with the flags of the release build, links the module
anew beside the build and runs test-model with it, the tests of the file's class first. Nothing in the source tree or
the build changes. Takes a minute of processor time for a survivor and some seconds for the others.
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
DROP_CAUSES = "model/vswitch/esx-drop-cause.cc"
FILES = {  # and the tests of their classes
    "model/ledger/esx-export-tracker.cc": "EsxExportTracker*",
    "model/ledger/esx-export-tracker-watch.cc": "EsxExportTracker*",
    "model/netflow/esx-netflow.cc": "EsxNetflow*",
    "model/netflow/esx-net-netflow.cc": "EsxNetNetflow*",
    "model/netflow/esx-netflow-collector.cc": "EsxNetflowCollector*:EsxMetrics*",
    "model/link/esx-router.cc": "EsxRouter*",
    DROP_CAUSES: "EsxExportTracker*:EsxVSwitch*",
    "model/link/esx-physical-switch.cc": "EsxPhysicalSwitch*:EsxExportTracker*",
    "model/vswitch/esx-vswitch-forwarding.cc": "EsxVSwitch*:EsxUplink*:EsxShaper*:EsxVnic*",
    "model/vswitch/esx-vswitch.cc": "EsxVSwitch*:EsxExportTracker*",
    "model/vswitch/esx-vnic.cc": "EsxVnic*",
    "model/vswitch/esx-uplink.cc": "EsxUplink*:EsxExportTracker*",
    "model/vswitch/esx-virtual-net-device.cc": "EsxVnic*:EsxVSwitch*",
}
OTHER = {  # a cause, and what takes its place; the second one takes the first one's
    "Move::": ("LOST_NETWORK", "LOST_NO_ROUTE"),
    "netflow::StopCause::": ("KILLED", "UNLOADED"),
    "EsxDropCause::": ("OVERSIZE", "DISCONNECTED"),
    "EsxPhysicalSwitchDrop::": ("SAME_PORT", "NO_PORT"),
}
CAUSE = re.compile(
    r"(\bMove::(?=LOST_|IGNORED_|SEND_FAILED|RECEIVED)|netflow::StopCause::|EsxDropCause::|EsxPhysicalSwitchDrop::)(\w+)"
)
COUNTERS = "model/netflow/esx-netflow-collector.cc"
COUNTS = re.compile(r"(?<=^    )\s*(?:\+\+[\w.]+|[\w.]+ \+= .+);$", re.MULTILINE)
LIBRARY = "libesx-netflow-module.so"
WITHIN = 600  # seconds of processor time: what computes longer hangs


def mutants(only=None):
    """-> file, where in its text, what stands there, what stands there instead. Those of equivalent.txt are left
    out."""
    known = equivalents()
    for file in FILES if only is None else [only]:
        text = (ROOT / file).read_text()
        if file == COUNTERS:
            yield from ((file, match.start(), match[0], ";") for match in COUNTS.finditer(text))
        for match in CAUSE.finditer(text):
            kind, name = match.groups()
            line = text[text.rfind("\n", 0, match.start()) + 1 : text.find("\n", match.end())]
            if "case " in line or ">=" in line or "==" in line or "!=" in line:
                continue  # asks for a cause, books none
            if kind == "EsxDropCause::" and file == DROP_CAUSES:
                continue  # names the row
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
        limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (WITHIN, WITHIN))  # whatever else the machine does
        for tests in (FILES[file], f"-{FILES[file]}"):
            command = [self.folder / "test-model", "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={tests}"]
            if subprocess.run(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit
            ).returncode:
                return True
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help="the release build, complete (default build/)"
    )
    parser.add_argument(
        "--file", choices=FILES, metavar="FILE", help="only the mutants of that file, as in model/vswitch/esx-vnic.cc"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    arguments = parser.parse_args()
    if arguments.list:
        print(*(f"{file}: {before.strip()} -> {after}" for file, _, before, after in mutants(arguments.file)), sep="\n")
        return 0
    os.nice(10)
    place = arguments.build / "mutate" / "causes"
    place.mkdir(parents=True, exist_ok=True)
    build = Build(arguments.build, place)
    first = next(iter(FILES))
    if build.kills(first, (ROOT / first).read_text()):
        sys.exit("causes: the tests of the model fail with nothing changed")
    survived = killed = 0
    for file, at, before, after in mutants(arguments.file):
        text = (ROOT / file).read_text()
        if build.kills(file, text[:at] + after + text[at + len(before) :]):
            killed += 1
        else:
            survived += 1
            print(f"survived: {file}:{text.count(chr(10), 0, at) + 1}: {before.strip()} -> {after}", flush=True)
    print(f"{killed + survived} causes and counters of model/: {killed} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
