# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios for the tests of run, validate and dot, and what they share."""

import csv
import json
from pathlib import Path

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
QUICKSTART = SCENARIOS / "quickstart.yaml"
RESULT_FILES = {
    "resolved.yaml", "lab.json", "summary.json", "flows-truth.csv", "flows-exported.csv", "flows-collected.csv",
    "flows-lost.csv", "flows-left.csv", "series.csv", "links.csv",
    "records.csv", "datagrams.csv",
    "esx1.vmkernel.log", "esx1.console.log", "esx1.esxtop.txt",
}  # fmt: skip

HOST = """
  {host}:
    netflow: {{idle_timeout: 1s}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VM Network, address: 10.6.125.{octet}/24}}}}
    vms:
      {host}-a: {{nics: [{{portgroup: VM Network, address: 10.6.125.{octet}1/24}}]}}
      {host}-b: {{nics: [{{portgroup: VM Network, address: 10.6.125.{octet}2/24}}]}}"""
TRAFFIC = (
    "  - {{name: {host}, app: udp-cbr, from: {host}-a, to: {host}-b, port: 5060, start: 1s, stop: {stop}, rate: "
    "64kbps}}"
)
EXPORT = "  - {{at: 500ms, host: {host}, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}}"
LOAD = "  - {{at: 100ms, host: {host}, run: vmkload_mod netflow}}"


def lab(name="lab", hosts=("esx1",), duration="20s", stop="3s", expect="") -> str:
    """Hosts of two VMs that talk, behind one switch with one collector. Each exports from 0.5 s on."""
    links = [f"  - {{endpoints: [{host}:vmnic0, sw1:{port}]}}" for port, host in enumerate(hosts, 2)]
    return "\n".join(
        [f"version: 1\nname: {name}\nrun: {{duration: {duration}}}\nhosts:"]
        + [HOST.format(host=host, octet=10 + i) for i, host in enumerate(hosts)]
        + ["nodes:\n  sw1: {kind: switch}\n  nf1: {kind: collector, address: 10.6.125.84/24}"]
        + ["links:\n  - {name: collector-link, endpoints: [nf1:eth0, sw1:1]}", *links, "traffic:"]
        + [TRAFFIC.format(host=host, stop=stop) for host in hosts]
        + ["timeline:"]
        + [line.format(host=host) for host in hosts for line in (LOAD, EXPORT)]
        + ["expect:\n  - {name: every packet is accounted for, check: conservation}", expect, ""]
    )


def write(folder: Path, text: str, name: str = "lab.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def table(folder: Path, name: str) -> list[dict]:
    with open(folder / name, newline="") as file:
        return list(csv.DictReader(file))


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
