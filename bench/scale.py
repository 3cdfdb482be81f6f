#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How cost grows with H, hosts of 16 VMs in one broadcast domain, each VM sending UDP to one of the next host (H = 1:
of its own).

  bench/scale.py [-n ROUNDS] [--hosts H,H,...] [--frames H,H,...] [--build FOLDER]

H = 1: within the host. CPU time of whole runs (160 datagrams a VM) with ARP as guests do it and with 'arp: static', in
turns, medians; of 160 more, which is steady cost; of validate. Then instructions that a frame costs between two hosts,
metered and tracked, without IP stacks, and behind one bridge with as many CSMA stations (callgrind). Exponents: of the
last two rows, 1 is linear.
"""

import argparse
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

VMS, DATAGRAMS = 16, 160  # of each host; of each VM in 4 s of 64 kbit/s


def lab(hosts: int, arp: str, stop: int) -> str:
    numbers = range(1, hosts + 1)
    network = lambda h: f"10.{h // 256}.{h % 256}"
    run = f"run: {{duration: {stop + 3}s, seed: 1, arp: {arp}}}"
    lines = [f"version: 1\nname: hosts\nsummary: Hosts in one broadcast domain.\n{run}\nhosts:"]
    for h in numbers:
        lines += [
            f"  esx{h}:\n    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}",
            f"    vmknics: {{vmk0: {{portgroup: VM Network, address: {network(h)}.200/8}}}}\n    vms:",
        ]
        lines += [
            f"      h{h}v{v}: {{nics: [{{portgroup: VM Network, address: {network(h)}.{v}/8}}]}}"
            for v in range(1, VMS + 1)
        ]
    lines.append("nodes:\n  sw1: {kind: switch}\n  nf1: {kind: collector, address: 10.250.0.1/8}\nlinks:")
    lines += [f"  - {{endpoints: [esx{h}:vmnic0, sw1:{h}], rate: 10Gbps}}" for h in numbers]
    lines.append(f"  - {{endpoints: [nf1:eth0, sw1:{hosts + 1}], rate: 10Gbps}}\ntraffic:")
    for h in numbers:
        for v in range(1, VMS + 1):
            to, vm = (h, v % VMS + 1) if hosts == 1 else (h % hosts + 1, v)
            lines.append(
                f"  - {{name: t{h}-{v}, app: udp-cbr, from: h{h}v{v}, to: h{to}v{vm}, port: 5000, start: 3s, stop: "
                f"{stop}s, rate: 64kbps}}"
            )
    lines.append("timeline:")
    for h in numbers:
        lines.append(f"  - {{at: 1s, host: esx{h}, run: vmkload_mod netflow}}")
        lines.append(f"  - {{at: 2s, host: esx{h}, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.250.0.1}}")
    return "\n".join([*lines, "expect:", "  - {name: books, check: conservation}", ""])


def cpu(command: list) -> float:
    """User and system seconds of a program that must succeed."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"scale.py: {command}: exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def runs(build: Path, hosts: int, rounds: int) -> dict[str, float]:
    """CPU seconds, and microseconds a datagram once all is built and known."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arp, stop in (("dynamic", "dynamic", 7), ("static", "static", 7), ("longer", "static", 11)):
            Path(folder, name).write_text(lab(hosts, arp, stop))
        for _ in range(rounds):
            for name in ("dynamic", "static", "longer"):
                words = [build / "esx-netflow", "run", f"{folder}/{name}", "--out", f"{folder}/out", "--quiet"]
                found.setdefault(name, []).append(cpu(words))
            found.setdefault("validate", []).append(cpu([build / "esx-netflow", "validate", f"{folder}/static"]))
    medians = {name: statistics.median(times) for name, times in found.items()}
    more = [longer - static for longer, static in zip(found["longer"], found["static"])]
    return {**medians, "steady": statistics.median(more) / (hosts * VMS * DATAGRAMS) * 1e6}


def instructions(words: list) -> int:
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def frames(build: Path, hosts: int) -> dict[str, float]:
    """Instructions a frame: the difference of two numbers of frames, all of known flows and addresses."""
    few, many = max(2048, 2 * hosts * VMS), max(2048, 2 * hosts * VMS) + 2048
    ours = [build / "bench-instructions-ns3", f"hosts{hosts}"]
    bridge = [build / "bench-switching", "--way=bridge", f"--vms={hosts * VMS}"]
    return {
        "ours": (instructions([*ours, many]) - instructions([*ours, few])) / 2048,
        "bridge": (instructions([*bridge, f"--frames={many}"]) - instructions([*bridge, f"--frames={few}"])) / 2048,
    }


def table(rows: dict[int, dict[str, float]], columns: dict[str, str]) -> None:
    print("| H | " + " | ".join(columns.values()) + " |\n|---|" + "---|" * len(columns))
    for hosts, row in rows.items():
        print(f"| {hosts} | " + " | ".join(f"{row[name]:.4g}" for name in columns) + " |")
    (low, before), (high, last) = list(rows.items())[-2:]
    slopes = (math.log(max(last[name], 1e-9) / max(before[name], 1e-9)) / math.log(high / low) for name in columns)
    print(f"| exponent, {low} to {high} | " + " | ".join(f"{slope:.2f}" for slope in slopes) + " |\n", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("-n", "--rounds", type=int, default=3)
    parser.add_argument("--hosts", type=numbers, default=[1, 4, 16, 64, 128], help="of whole runs; two or more")
    parser.add_argument("--frames", type=numbers, default=[4, 16, 64], help="of instructions a frame; two or more")
    parser.add_argument("--build", type=Path, default=Path("build"))
    args = parser.parse_args()
    table(
        {hosts: runs(args.build, hosts, args.rounds) for hosts in args.hosts},
        {
            "dynamic": "run, CPU s",
            "static": "arp: static, CPU s",
            "steady": "steady, µs a datagram",
            "validate": "validate, CPU s",
        },
    )
    table(
        {hosts: frames(args.build, hosts) for hosts in args.frames},
        {"ours": "instructions a frame", "bridge": "CSMA and bridge, instructions a frame"},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
