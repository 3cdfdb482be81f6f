#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Instructions a packet or record, counted by callgrind, beside those that are recorded in bench/instructions.json.

  bench/instructions.py BUILD KEY [--record]

The same whatever else the machine does, so a small margin is enough: 5 % more is a failure. KEY says what counts depend
on: compiler, kind of build, ns-3; libc and CPU features are added here. Counts of an unknown key are recorded in
BUILD/instructions.json, with a warning; --record puts them into bench/instructions.json.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

# step -> program, a small and a large count: the difference leaves out what a program does once.
STEPS = {
    "parse": ("bench-instructions", 1000, 11000),
    "account": ("bench-instructions", 1000, 11000),
    "batch": ("bench-instructions", 960, 10560),
    "expire": ("bench-instructions", 20000, 40000),
    "encode": ("bench-instructions", 300, 9300),
    "switch": ("bench-instructions-ns3", 500, 2500),
    "tap": ("bench-instructions-ns3", 500, 2500),
    "hosts4": ("bench-instructions-ns3", 2048, 4096),
    "hosts16": ("bench-instructions-ns3", 2048, 4096),
    "hosts64": ("bench-instructions-ns3", 2048, 4096),
}
MARGIN = 0.05
# Features by which glibc chooses its memcpy and the like; valgrind shows a program those of the machine that it knows.
FEATURES = {"sse4_2", "avx", "avx2", "bmi2", "erms", "fsrm", "lzcnt", "abm", "movbe", "avx512f", "avx512vl", "rtm"}
RECORDS = Path(__file__).parent / "instructions.json"


def cpu_features() -> str:
    flags = re.search(r"^flags\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return "+".join(sorted(FEATURES & set(flags.group(1).split()))) if flags else os.uname().machine


def count(program: Path, step: str, number: int) -> int:
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, step, str(number)],
        capture_output=True,
        text=True,
        check=False,
    )
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not collected:
        sys.exit(f"{program.name} {step} {number}: {done.stderr.strip().splitlines()[-1:]}")
    return int(collected.group(1))


def cost(program: Path, step: str, few: int, many: int, limit: float) -> float:
    """Of one more packet. Hosts of ns-3 have a hash seed a process, some with more collisions than others: of up to
    five tries each count's smallest one (the smallest difference would be that of an unlucky first count)."""
    least = {few: float("inf"), many: float("inf")}
    for _ in range(5 if limit else 2):
        least = {number: min(before, count(program, step, number)) for number, before in least.items()}
        found = round((least[many] - least[few]) / (many - few), 1)
        if limit and found <= limit:
            break
    return found


def read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}


def write(path: Path, key: str, counts: dict[str, float]) -> None:
    path.write_text(json.dumps({**read(path), key: counts}, indent=2, sort_keys=True) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("key")
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    key = f"{args.key}, {os.confstr('CS_GNU_LIBC_VERSION')}, {cpu_features()}"
    local = args.build / "instructions.json"
    recorded = read(RECORDS).get(key) or read(local).get(key) or {}
    counts = {}
    worse = []
    for step, (program, few, many) in STEPS.items():
        before = recorded.get(step)
        counts[step] = cost(args.build / program, step, few, many, before * (1 + MARGIN) if before else 0)
        change = f"{counts[step] / before - 1:+8.1%} of {before}" if before else "  not recorded"
        print(f"{step:8} {counts[step]:10.1f} {change}")
        if before and counts[step] > before * (1 + MARGIN):
            worse.append(step)
        if before and counts[step] < before * (1 - MARGIN):
            print(f"         less than recorded: keep it with {Path(__file__).name} --record")
    if args.record:
        write(RECORDS, key, counts)
        return 0
    if not recorded:
        write(local, key, counts)
        print(f"WARNING: nothing is recorded for '{key}'; these counts are in {local} now")
    if worse:
        print(f"more than {MARGIN:.0%} above what is recorded for '{key}': {', '.join(worse)}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
