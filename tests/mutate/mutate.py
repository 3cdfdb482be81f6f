#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation test of netflow/: does a test fail for every small fault?

Plants one fault at a time in a copy of netflow/, compiles that file, links the test program of the
library and runs it. A mutant is killed if a test fails, crashes or does not end. A survivor is a
missing test, or an equivalent that equivalent.txt names with its reason.

Resumable: verdicts are kept in FOLDER/verdicts.jsonl by what was mutated. Killed mutants are not run
again; survivors are, as tests may have been added. Assertions are off, so tests do the killing.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import queue
import random
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
COMPILE = ["g++", "-std=c++17", "-O0", "-DNDEBUG", "-w", f'-DENF_SOURCE_DIR="{ROOT}"', "-I", str(ROOT), "-c"]
LINK = [*(["-fuse-ld=gold"] if shutil.which("ld.gold") else []), "-lgmock", "-lgtest_main", "-lgtest", "-lpthread"]
LAWS = "LedgerLaws.*:*LedgerLawsTest.*/0"  # on 50 of their 1000 random hosts
WITHIN_TIMES = 5  # a mutant that computes that many times longer than the original hangs


class Mutant(NamedTuple):
    file: str
    line: int  # from 1
    column: int  # from 0
    operator: str
    before: str
    after: str
    text: str  # the line, unchanged, without indentation

    def key(self, digest: str) -> str:
        return "|".join(map(str, (self.file, digest, self.line, self.column, self.operator, self.after)))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.operator}: {self.before!r} -> {self.after!r}: {self.text}"


SWAPS = {
    "relational": [(" < ", " <= "), (" > ", " >= "), (" <= ", " < "), (" >= ", " > "), (" == ", " != "),
        (" != ", " == ")],
    "arithmetic": [
        (" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" % ", " * "), (" += ", " -= "),
        (" -= ", " += "),
        (" << ", " >> "), (" >> ", " << "), (" & ", " | "), (" | ", " & "), (" |= ", " &= "), ("++", "--"),
    ],
    "condition": [(" && ", " || "), (" || ", " && ")],
    "return": [("return true;", "return false;"), ("return false;", "return true;")],
}  # fmt: skip
MOVE = re.compile(r"Move::[A-Z_]+")  # a booking under another cause
LEDGER_ROW = re.compile(r'^\s+\{"(\w+)", ("\w*"), (Place::\w+), (Place::\w+)\},$')
NUMBER = re.compile(r"(?<![\w.'\"])(0x[0-9a-fA-F']+|\d[\d']*)(U|UL|ULL|u)?(?![\w.'\"])")
CONDITION = re.compile(r"\b(if|while) \((.+)\)$")
STATEMENT = re.compile(
    r"^\s+(?:[A-Za-z_][\w.\[\]]*(?:->|\.|::)?[\w.\[\]>-]*(?:\(.*\)| [-+|&]?= .+)|(?:\+\+|--)[\w.\[\]>-]+);$"
)
NOT_A_STATEMENT = re.compile(r"^\s+(return|static_assert|using|case|default|else|assert|break|continue|delete)\b")


def without_strings(line: str) -> str:
    """The same length, with comments and what stands in quotes blanked out."""
    line = re.sub(r'"(\\.|[^"\\])*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', line)
    line = re.sub(r"'(\\.|[^'\\])'", lambda m: "'" + " " * (len(m[0]) - 2) + "'", line)
    return re.sub(r"//.*", lambda m: " " * len(m[0]), line)


def mutated_lines(lines: list[str]):
    """-> (line number from 0, its code) of what is compiled in and does something."""
    skip = comment = False
    for number, line in enumerate(lines):
        if line.startswith("#ifndef NDEBUG"):
            skip = True
        if line.startswith("#endif"):
            skip = False
        if line.strip().startswith("/*"):
            comment = True
        code = line.strip()
        if not (skip or comment) and code and code[0] not in "#/" and "assert(" not in code:
            yield number, without_strings(line)
        if line.rstrip().endswith("*/"):
            comment = False


def mutants_of_line(file: str, number: int, code: str, original: str):
    def mutant(operator, column, before, after):
        return Mutant(file, number + 1, column, operator, before.strip(), after.strip() or "nothing", original.strip())

    if row := LEDGER_ROW.match(original):  # each cause of the ledger: its names and its places
        for group, after in ((1, "gremlin"), (2, '"gremlin"'), (3, "Place::WIRE"), (4, "Place::WIRE")):
            if row[group] not in (after, '""'):
                yield mutant("ledger", row.start(group), row[group], after)
        return
    for match in MOVE.finditer(code):
        yield mutant(
            "move", match.start(), match[0], "Move::OFFERED" if match[0] != "Move::OFFERED" else "Move::METERED"
        )
    for operator, swaps in SWAPS.items():
        for before, after in swaps:
            for match in re.finditer(re.escape(before), code):
                yield mutant(operator, match.start(), before, after)
    for match in NUMBER.finditer(code):
        value = int(match[1].replace("'", ""), 0)
        yield mutant("constant", match.start(), match[0], f"{value + 1}{match[2] or ''}")
    if match := CONDITION.search(code):
        condition = original[match.start(2) : match.end(2)]  # with what stands in quotes
        yield mutant("negated condition", match.start(2), condition, f"!({condition})")
    if STATEMENT.match(code) and not NOT_A_STATEMENT.match(code) and not re.match(r"^\s+[\w:<>]+&? \w+\(", code):
        indent = len(code) - len(code.lstrip())
        yield mutant("deleted statement", indent, original.strip(), ";")


def all_mutants(root: Path = ROOT) -> list[Mutant]:
    mutants = []
    for path in sorted((root / "netflow").glob("*.cc")):
        lines = path.read_text().split("\n")
        for number, code in mutated_lines(lines):
            mutants += mutants_of_line(f"netflow/{path.name}", number, code, lines[number])
    return mutants


def apply(mutant: Mutant, source: str) -> str:
    lines = source.split("\n")
    line = lines[mutant.line - 1]
    at = mutant.column
    while line[at] == " ":
        at += 1
    assert line.startswith(mutant.before, at), mutant
    after = "" if mutant.after == "nothing" else mutant.after
    lines[mutant.line - 1] = line[:at] + after + line[at + len(mutant.before) :]
    return "\n".join(lines)


def chosen(mutants: list[Mutant], count: int) -> list[Mutant]:
    """The same ones every time: all that touch a cause of the ledger, and so many of the others, from all files
    alike."""
    causes = [m for m in mutants if m.operator in ("ledger", "move")]
    others = [m for m in mutants if m not in causes]
    if 0 < count < len(others):
        others = random.Random(1).sample(others, count)
    return sorted(causes + others)


def equivalents() -> dict[tuple, str]:
    """(file, line's text, before, after) -> why no test can tell. Fields are parted by ' | '."""
    known = {}
    for line in EQUIVALENT.read_text().splitlines():
        if line and not line.startswith("#"):
            *what, reason = (field.strip() for field in line.split(" ¦ "))
            known[tuple(what)] = reason
    return known


class Laboratory:
    """Objects of the unchanged library and its tests, and one folder for each worker."""

    def __init__(self, folder: Path, workers: int):
        self.folder = folder
        self.objects = folder / "objects"
        self.objects.mkdir(parents=True, exist_ok=True)
        sources = sorted((ROOT / "netflow").glob("*.cc")) + sorted((ROOT / "tests" / "netflow").glob("*-test.cc"))
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            self.object_of = dict(
                zip((p.relative_to(ROOT).as_posix() for p in sources), pool.map(self._compile, sources))
            )
        original = self.folder / "original"
        self._link(self.object_of.values(), original)
        begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        if not all(self._passes(original, tests, 600) for tests in ("*-*LedgerLaws*", LAWS)):
            sys.exit("mutate: the tests of the unchanged library fail")
        took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin  # whatever else the machine does
        self.within = max(10, round(WITHIN_TIMES * took))
        self.slots = queue.Queue()
        for worker in range(workers):
            place = folder / f"worker{worker}"
            place.mkdir(exist_ok=True)
            self.slots.put(place)

    def _compile(self, source: Path) -> Path:
        headers = sorted((ROOT / "netflow").glob("*.h")) + [ROOT / "tests" / "netflow" / "testing.h"]
        digest = hashlib.sha256(b"".join(p.read_bytes() for p in [source, *headers]))
        target = self.objects / f"{source.stem}-{digest.hexdigest()[:16]}.o"
        if not target.exists():
            subprocess.run([*COMPILE, source, "-o", target], check=True)
        return target

    @staticmethod
    def _link(objects, program: Path) -> None:
        subprocess.run(["g++", *map(str, objects), "-o", str(program), *LINK], check=True)

    @staticmethod
    def _passes(program: Path, tests: str, within: int) -> bool:
        """within: seconds of CPU time, that the kernel counts"""
        command = [program, "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={tests}"]
        limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (within, within))  # noqa: E731
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit)
        return done.returncode == 0

    def judge(self, mutant: Mutant) -> str:
        """-> killed, survived, or invalid: it does not compile"""
        place = self.slots.get()
        try:
            source, compiled, program = (place / name for name in ("mutant.cc", "mutant.o", "mutant"))
            source.write_text(apply(mutant, (ROOT / mutant.file).read_text()))
            if subprocess.run([*COMPILE, source, "-o", compiled], stderr=subprocess.DEVNULL).returncode:
                return "invalid"
            objects = [compiled if file == mutant.file else path for file, path in self.object_of.items()]
            self._link(objects, program)
            # The tests of this class first, the long ones last.
            name = "".join(word.capitalize() for word in Path(mutant.file).stem.split("-"))
            for tests in (f"{name}*", "*-*LedgerLaws*", LAWS):
                if not self._passes(program, tests, self.within):
                    return "killed"
            return "survived"
        finally:
            self.slots.put(place)


class Verdicts:
    """Findings of earlier runs, and of this one."""

    def __init__(self, path: Path):
        self.path, self.lock = path, threading.Lock()
        self.known = {}
        if path.exists():
            for line in path.read_text().splitlines():
                entry = json.loads(line)
                self.known[entry["key"]] = entry["verdict"]

    def keep(self, key: str, verdict: str, mutant: Mutant) -> None:
        with self.lock, open(self.path, "a") as file:
            self.known[key] = verdict
            file.write(json.dumps({"key": key, "verdict": verdict, "mutant": str(mutant)}) + "\n")


def digest_of(file: str) -> str:
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--count", type=int, default=250, help="mutants beside those of causes, 0: all (default %(default)s)"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "mutate", help="where verdicts are kept")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="at once (default %(default)s)")
    parser.add_argument("--at-least", type=float, default=95, help="percent that must be killed (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; a later run goes on (0: never)")
    parser.add_argument("--file", help="only the mutants of that file, as in netflow/ledger.cc")
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    arguments = parser.parse_args()
    mutants = [m for m in chosen(all_mutants(), arguments.count) if arguments.file in (None, m.file)]
    if arguments.list:
        print(*mutants, sep="\n")
        return 0
    os.nice(10)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    laboratory = Laboratory(arguments.folder, arguments.jobs)
    verdicts = Verdicts(arguments.folder / "verdicts.jsonl")
    digests = {file: digest_of(file) for file in {m.file for m in mutants}}
    until = time.monotonic() + arguments.seconds if arguments.seconds else float("inf")
    reasons = equivalents()

    def reason_of(mutant: Mutant) -> str | None:
        return reasons.get((mutant.file, mutant.text, mutant.before, mutant.after))

    def judge(mutant: Mutant) -> None:
        key = mutant.key(digests[mutant.file])
        if reason_of(mutant) or verdicts.known.get(key) in ("killed", "invalid") or time.monotonic() > until:
            return
        verdicts.keep(key, laboratory.judge(mutant), mutant)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(judge, mutants))
    return report(
        mutants,
        {m: verdicts.known.get(m.key(digests[m.file]), "not tried") for m in mutants},
        reason_of,
        arguments.at_least,
    )


def report(mutants, verdict_of, reason_of, at_least) -> int:
    equivalent = [m for m in mutants if reason_of(m)]
    by = {
        name: [m for m in mutants if not reason_of(m) and verdict_of[m] == name]
        for name in ("killed", "survived", "invalid", "not tried")
    }
    for mutant in by["survived"]:
        print(f"survived: {mutant}")
    judged = len(by["killed"]) + len(by["survived"])
    percent = 100 * len(by["killed"]) / max(judged, 1)
    print(
        f"{judged} mutants: {len(by['killed'])} killed ({percent:.1f} %), {len(by['survived'])} survived; beside them "
        f"{len(equivalent)} equivalent, {len(by['invalid'])} do not compile, {len(by['not tried'])} not tried"
    )
    return 0 if percent >= at_least and not by["not tried"] else 1


if __name__ == "__main__":
    shutil.which("g++") or sys.exit("mutate: g++ is missing: apt-get install g++")
    sys.exit(main())
