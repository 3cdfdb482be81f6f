#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""CPU and wall time of a run that is split over this machine's cores, beside the whole run, for H hosts of 16 VMs that
talk within their host.

  bench/split.py [--hosts H,H,...] [--seconds S] [--traffic KEYS] [-j N] [--whole H] [--build FOLDER]

Wall time, CPU time and the share of N cores that were busy; the first stage (hosts apart) and the second (the lab);
exponent of the last two rows in H, and what 1000 hosts would take by it. Up to --whole hosts the whole run is timed,
too, and its files are compared.
"""

import argparse
import filecmp
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VMS = 16
TRAFFIC = (
    "app: flows, every: exponential(1s), flow_duration: exponential(10s), flow_packets: uniform(1 200), packet_size: "
    "uniform(60B 1400B)"
)


def lab(hosts: int, seconds: int, traffic: str) -> str:
    numbers = range(1, hosts + 1)
    network = lambda h: f"10.{h // 256}.{h % 256}"
    lines = [
        f"version: 1\nname: apart\nrun: {{duration: {seconds}s, arp: static}}\noutputs: {{series: {{every: 60s}}}}\n"
        "hosts:"
    ]
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
    lines += [f"  - {{endpoints: [esx{h}:vmnic0, sw1:{h}]}}" for h in numbers]
    lines.append(f"  - {{endpoints: [nf1:eth0, sw1:{hosts + 1}], rate: 10Gbps}}\ntraffic:")
    for h in numbers:
        for v in range(1, VMS + 1):
            lines.append(f"  - {{name: t{h}-{v}, from: h{h}v{v}, to: h{h}v{v % VMS + 1}, start: 3s, {traffic}}}")
    lines.append("timeline:")
    for h in numbers:
        lines.append(f"  - {{at: 1s, host: esx{h}, run: vmkload_mod netflow}}")
        lines.append(f"  - {{at: 2s, host: esx{h}, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.250.0.1}}")
    return "\n".join([*lines, ""])


def timed(command: list) -> tuple[float, float]:
    """-> wall and CPU seconds of a program that must succeed, with its processes"""
    before, begin = os.times(), time.monotonic()
    subprocess.run([str(word) for word in command], check=True)
    after = os.times()
    return time.monotonic() - begin, sum(after[2:4]) - sum(before[2:4])


def measure(args: argparse.Namespace, hosts: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "lab.yaml"), Path(folder, "out")
        path.write_text(lab(hosts, args.seconds, args.traffic))
        run = [args.build / "esx-netflow", "run", path, "--quiet", "--out"]
        wall, cpu = timed([*run, out, "--split", "local", "-j", args.jobs])
        again, second = timed([*run, out, "--split", "local", "-j", args.jobs])  # no host is repeated
        whole = math.nan
        if hosts <= args.whole:
            whole = timed([*run, Path(folder, "whole")])[1]
            names = os.listdir(out)
            _, differing, missing = filecmp.cmpfiles(out, Path(folder, "whole"), names, shallow=False)
            if differing or missing:
                sys.exit(f"split.py: {hosts} hosts: other files: {differing + missing}")
        first_busy = (cpu - second) / args.jobs / max(wall - again, 1e-9)
        return [wall, cpu, cpu - second, second, 100 * cpu / wall / args.jobs, 100 * first_busy, whole]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=lambda text: [int(word) for word in text.split(",")], default=[50, 200])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--traffic", default=TRAFFIC, help="keys of each VM's traffic")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--whole", type=int, default=50)
    parser.add_argument("--build", type=Path, default=Path("build"))
    args = parser.parse_args()
    print(
        "| hosts | wall, s | CPU, s | hosts apart, CPU s | the lab, CPU s | cores busy, % | in the first stage, "
        "% | whole run, CPU s |\n|---|---|---|---|---|---|---|---|"
    )
    rows = {}
    for hosts in args.hosts:
        rows[hosts] = measure(args, hosts)
        print(f"| {hosts} | " + " | ".join(f"{value:.3g}" for value in rows[hosts]) + " |", flush=True)
    if len(rows) > 1:
        (low, before), (high, last) = list(rows.items())[-2:]
        slope = math.log(last[1] / before[1]) / math.log(high / low)
        print(
            f"\nexponent of CPU time, {low} to {high}: {slope:.2f}; 1000 hosts: "
            f"{last[1] * (1000 / high) ** slope / 60:.1f} CPU minutes"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
