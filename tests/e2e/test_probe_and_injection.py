# SPDX-License-Identifier: GPL-2.0-only
"""The same capture injected in a scenario and through probe: the same records, at times shifted by the injection's
start."""

import csv
import io
from collections import Counter

import pytest
from labs import table, write
from probing import DIFFERENTIAL
from workloads import WORKLOADS, workload

START_MS = 1000
LAB = """
version: 1
name: injected
run: {{duration: 1500s}}
hosts:
  esx1:
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VM Network, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: VM Network, address: 10.6.125.51/24}}]}}
      b: {{nics: [{{portgroup: VM Network, address: 10.6.125.52/24}}]}}
nodes:
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{endpoints: [esx1:vmnic0, nf1:eth0]}}
traffic:
  - {{name: t, app: pcap, from: a, to: b, start: {start}ms, file: {file}}}
timeline:
  - {{at: 100ms, host: esx1, run: vmkload_mod netflow}}
  - {{at: 500ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}}
"""
SAME = "src", "dst", "proto", "sport", "dport", "tos", "input", "output", "packets", "octets", "tcp_flags", "reason"


def records(rows, shift_ms=0) -> Counter:
    def record(row):
        return (*(row[name] for name in SAME), int(row["first_ms"]) - shift_ms, int(row["last_ms"]) - shift_ms)

    return Counter(map(record, rows))


@pytest.mark.parametrize("name", ["differential", *WORKLOADS])
def test_simulation_and_probe_make_the_same_records(esx_netflow, tmp_path, name):
    path = DIFFERENTIAL
    if name in WORKLOADS:
        path = tmp_path / "in.pcap"
        path.write_bytes(workload(WORKLOADS[name], 6).capture)
    scenario = write(tmp_path, LAB.format(start=START_MS, file=path))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    injected = [row for row in table(tmp_path / "out", "flows-exported.csv") if row["input_port"] == "a.eth0"]
    ports = "--input", injected[0]["input"], "--output", injected[0]["output"]
    probed = csv.DictReader(io.StringIO(esx_netflow("probe", "-r", path, "--csv", "-", *ports).stdout))
    assert records(injected, START_MS) == records(probed)
