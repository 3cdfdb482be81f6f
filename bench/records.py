#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The cost of a record in flow fidelity: CPU time and memory of runs with N records of one host, with export,
collector and ledger, without and with tables.

  bench/records.py [-n ROUNDS] [--records N] [--build FOLDER]

Flows of 20 packets, 1000 a second; samples each minute; medians of the rounds, in turns. Exit code 1 if the run with
tables holds more than 100 octets a record and 64 MiB.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LAB = """version: 1
name: records
run: {{duration: {seconds}s, arp: static}}
outputs: {{flows: {tables}, series: {{every: 60s}}}}
hosts:
  esx1:
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VM Network, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: VM Network, address: 10.6.125.66/24}}]}}
      b: {{nics: [{{portgroup: VM Network, address: 10.6.125.67/24}}]}}
nodes:
  sw1: {{kind: switch}}
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{endpoints: [esx1:vmnic0, sw1:1], rate: 10Gbps}}
  - {{endpoints: [nf1:eth0, sw1:2], rate: 10Gbps}}
traffic:
  - {{name: t, app: flows, fidelity: flow, from: a, to: b, start: 5s, every: 1ms, flow_packets: 20, flow_duration: 5s,
     packet_size: 1000B}}
timeline:
  - {{at: 1s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}}
"""


def run(build: Path, folder: str, records: int, tables: bool) -> tuple[float, float]:
    """-> microseconds of CPU a record; octets that were resident at most"""
    lab = Path(folder, "lab.yaml")
    lab.write_text(LAB.format(seconds=records // 1000 + 25, tables=str(tables).lower()))
    words = [build / "esx-netflow", "run", lab, "--out", Path(folder, "out"), "--quiet"]
    process = subprocess.Popen([str(word) for word in words])
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"records.py: the run failed: {status}")
    seen = json.loads(Path(folder, "out", "summary.json").read_text())["ledger"]["truth"]["records"]
    if seen < records:
        sys.exit(f"records.py: {seen} records")
    return (usage.ru_utime + usage.ru_stime) / seen * 1e6, usage.ru_maxrss * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--build", type=Path, default=Path("build"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            [run(args.build, folder, args.records, tables) for tables in (False, True)] for _ in range(args.rounds)
        ]
    print("| | CPU, µs a record | resident, MB |\n|---|---|---|")
    for name, found in zip(("without tables", "with tables"), zip(*rounds)):
        cpu, memory = (statistics.median(values) for values in zip(*found))
        print(f"| {args.records} records, {name} | {cpu:.2f} | {memory / 1e6:.0f} |")
    return 0 if memory <= 100 * args.records + (64 << 20) else 1


if __name__ == "__main__":
    sys.exit(main())
