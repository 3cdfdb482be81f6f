# SPDX-License-Identifier: GPL-2.0-only
"""Hosts, adapters, nodes and their addresses in a lab: ``hosts`` and ``nodes`` as a scenario describes them, all
defaults filled in."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional

from . import _core


class Nic(NamedTuple):
    """An adapter of a VM, or a vmknic."""

    host: str
    vm: Optional[str]  # None: a vmknic
    vswitch: str
    port: str  # "web1.eth0", "vmk0"
    address: str

    @property
    def owner(self) -> str:
        return self.vm or f"{self.host}:{self.port}"


def read(path: Path) -> Optional[dict[str, Any]]:
    """lab.json of a result folder; None if there is none. RunError if it is no such file."""
    if not path.exists():
        return None
    try:
        lab = json.loads(path.read_bytes())
        if lab["schema"] != "esx-netflow lab 1":
            raise ValueError
        list(nics(lab))
    except (ValueError, TypeError, KeyError, AttributeError, OSError):
        raise _core.RunError(f"{path}: is no description of a lab of this version") from None
    return lab


def number(address: str) -> int:
    """-> an address that people, scenarios or others spell, in host order; ValueError if it is none"""
    try:
        return int(ipaddress.IPv4Address(address))
    except ValueError:
        raise ValueError(f"'{address}' is no IPv4 address") from None


def shown(address: str) -> str:
    """-> an address of the lab, with or without its network, as results and people see it"""
    return _core.dotted([number(address.partition("/")[0])])[0]


def nics(lab: dict[str, Any]) -> Iterator[Nic]:
    """Host by host, vmknics first; of a VM that moves at each host, by the timeline or as lab.json lists it."""
    moved = [(step["vmotion"]["to"], step["vm"]) for step in lab.get("timeline", []) if "vmotion" in step]
    machines = {vm: machine for entry in lab["hosts"].values() for vm, machine in entry.get("vms", {}).items()}
    for host, entry in lab["hosts"].items():
        switch_of = {
            group: name
            for name, vswitch in entry.get("vswitches", {}).items()
            for group in vswitch.get("portgroups", {})
        }
        vms = {**entry.get("vms", {}), **{vm: machines[vm] for to, vm in moved if to == host}}
        plugged = [(None, vmk, nic) for vmk, nic in entry.get("vmknics", {}).items()]
        plugged += [(vm, f"{vm}.eth{i}", nic) for vm, machine in vms.items() for i, nic in enumerate(machine["nics"])]
        for vm, port, nic in (p for p in plugged if "address" in p[2]):
            yield Nic(host, vm, switch_of[nic["portgroup"]], port, nic["address"].partition("/")[0])


def names(lab: dict[str, Any]) -> dict[str, str]:
    """-> address to the name of who has it: a VM, ``esx1:vmk0``, a node. Of several that have one, the first."""
    owners: dict[str, str] = {}
    for nic in nics(lab):
        owners.setdefault(nic.address, nic.owner)
    for node, entry in lab.get("nodes", {}).items():
        for part in (entry, *entry.get("interfaces", {}).values()):
            if "address" in part:
                owners.setdefault(part["address"].partition("/")[0], node)
    return owners
