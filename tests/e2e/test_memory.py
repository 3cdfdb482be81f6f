# SPDX-License-Identifier: GPL-2.0-only
"""Memory of a run grows by its records only, and by little: tables are written row by row."""

import os

from labs import summary, write

LAB = """version: 1
name: many
run: {{duration: {end}s, seed: 1, arp: static}}
hosts:
  esx1:
    memory: {{netflow_heap: 64MiB}}
    netflow: {{idle_timeout: 1s, purgatory_max: 65536}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{P: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: P, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: P, address: 10.1.0.1/24}}]}}
      b: {{nics: [{{portgroup: P, address: 10.1.0.2/24}}]}}
nodes:
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{endpoints: [esx1:vmnic0, nf1:eth0], rate: 1Gbps, queue: 5000p}}
traffic:
  - {{name: t, app: flows, from: a, to: b, every: 1ms, together: 4, flow_packets: 1, flow_duration: 0s, start: 2s, \
stop: {stop}s}}
timeline:
  - {{at: 0s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 1s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -s 100 -e vSwitch0 10.6.125.84}}
"""


def peak(esx_netflow, folder, seconds: int) -> tuple[int, int]:
    """-> records, octets of memory at the most"""
    folder.mkdir()
    started = esx_netflow.start(
        "run", write(folder, LAB.format(end=seconds + 4, stop=seconds + 2)), "-o", folder / "out", "-q"
    )
    _, status, usage = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return summary(folder / "out")["ledger"]["truth"]["records"], usage.ru_maxrss * 1024


def test_a_record_takes_200_octets_at_most(esx_netflow, tmp_path):
    few, least = peak(esx_netflow, tmp_path / "few", 15)
    many, most = peak(esx_netflow, tmp_path / "many", 75)
    assert many - few > 200_000
    assert (most - least) / (many - few) < 200
