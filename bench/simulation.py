#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Whole simulations beside ns-3's own parts: CPU time of a run, and memory that each flow takes.

  bench/simulation.py [-n ROUNDS] [--build FOLDER]

CPU: 8 VMs with IP stacks send UDP to each other through the vSwitch, metered, and through CSMA and BridgeNetDevice
without any metering; in turns, medians of the pairwise ratio. Memory: octets allocated from the begin of a run to its
end, with 200 000 flows that are all live then, by flow: NetFlow with ledger, and FlowMonitor, over the same traffic.
Exit code 1 if a target is missed.
"""

import argparse
import re
import statistics
import subprocess
import sys
from pathlib import Path

CPU_TARGET, MEMORY_TARGET = 0.55, 1 / 6
FLOWS = 200_000


def run(build: Path, **options) -> dict[str, float]:
    words = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run([build / "bench-simulation", *words], capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in re.findall(r"(\w+)=([\d.e+-]+)", done.stdout)}


def cpu_ratio(build: Path, rounds: int) -> float:
    ours, bridge = [], []
    for _ in range(rounds):
        ours.append(run(build, way="esx", meter="netflow", flows=64)["cpu"])
        bridge.append(run(build, way="bridge", meter="none", flows=64)["cpu"])
    ratios = [a / b for a, b in zip(ours, bridge)]
    print(
        f"CPU, 200000 datagrams: vSwitch with NetFlow {statistics.median(ours):.2f} s, "
        "CSMA and bridge without metering "
        f"{statistics.median(bridge):.2f} s: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}; "
        f"target: at most {CPU_TARGET})",
        flush=True,
    )
    return statistics.median(ratios)


def octets_per_flow(build: Path, meter: str) -> float:
    done = run(build, way="esx", meter=meter, flows=FLOWS, datagrams=2 * FLOWS)
    if done["flows"] != FLOWS:
        sys.exit(f"simulation.py: {meter} saw {done['flows']:.0f} flows of {FLOWS}")
    return done["allocated"] / FLOWS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--rounds", type=int, default=5)
    parser.add_argument("--build", type=Path, default=Path("build"))
    args = parser.parse_args()
    good = cpu_ratio(args.build, args.rounds) <= CPU_TARGET
    ours, monitor = (octets_per_flow(args.build, meter) for meter in ("netflow", "flowmon"))
    print(
        f"memory a flow: NetFlow and ledger {ours:.0f} octets, FlowMonitor {monitor:.0f}: 1/{monitor / ours:.1f} "
        f"(target: at most 1/6)"
    )
    return 0 if good and ours / monitor <= MEMORY_TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
