# SPDX-License-Identifier: GPL-2.0-only
"""`run --metadata`: exporters and their interfaces in the words of collectors, which drop or mislabel flows of
interfaces that they do not know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from . import _core
from .results import Result

_GUEST_BPS = 10**9  # what a virtual machine's adapter tells
KINDS = {"akvorado": "yaml", "netdata": "yaml", "ntopng": "txt", "pmacct": "map"}


def exporters(result: Result, folder: Path) -> dict[str, dict[str, Any]]:
    """By source address: name, and the interfaces that its records name: number to name and bits a second."""
    hosts = result.lab["hosts"]
    sources = {delivery["host"]: delivery.get("source") for delivery in result.summary.get("real_collectors") or []}
    rates = pd.read_csv(folder / "links.csv").drop_duplicates("from").set_index("from")["rate_bps"].to_dict()
    flows = pd.read_csv(folder / "flows-exported.csv", dtype={"input_port": str, "output_port": str})
    both = pd.concat(
        [
            flows[["exporter", way, f"{way}_port"]].set_axis(["host", "number", "port"], axis=1)
            for way in ("input", "output")
        ]
    ).dropna()
    found = {}
    for host, ports in both.groupby("host"):
        address = sources.get(host) or next(iter(hosts[host]["vmknics"].values()))["address"].split("/")[0]
        interfaces = {}
        # vSwitches of a host count from 1 each, but for net-netflow -p
        for number, names in ports.groupby("number")["port"]:
            speed = next((rates[f"{host}:{name}"] for name in names if f"{host}:{name}" in rates), _GUEST_BPS)
            interfaces[int(number)] = {"name": "|".join(sorted(set(names))), "speed": int(speed)}
        found[address] = {"name": host, "interfaces": interfaces}
    return found


def text(kind: str, known: dict[str, dict[str, Any]]) -> str:
    """The file; YAML is written as JSON, but for the quotes of numbers."""
    if kind in ("pmacct", "ntopng"):  # pre_tag_map; what nprobe --snmp-mappings tells ntopng
        row = "set_label={1}:{3} ip={0} in={2}\n" if kind == "pmacct" else "{0} {2} {3}\n"
        return "".join(
            row.format(address, one["name"], number, port["name"])
            for address, one in known.items()
            for number, port in one["interfaces"].items()
        )
    unit, key = (10**6, "ifindexes") if kind == "akvorado" else (1, "if_indexes")
    listed = {
        address: {
            "name": one["name"],
            key: {
                number: {"name": port["name"], "description": port["name"], "speed": max(1, port["speed"] // unit)}
                for number, port in one["interfaces"].items()
            },
        }
        for address, one in known.items()
    }
    if kind == "akvorado":  # version 5 tells no sampling rate of 1
        whole: dict[str, Any] = {
            "metadata": {"providers": [{"type": "static", "exporters": listed}]},
            "core": {"default-sampling-rate": 1},
        }
    else:
        whole = {"enrichment": {"metadata_static": {"exporters": listed}}}
    return re.sub(r'"(\d+)":', r"\1:", json.dumps(whole, indent=1)) + "\n"


def metadata_command(arguments: list[str], _: Any) -> int:
    """KIND and result folder, from `run --metadata`."""
    kind, folder = arguments
    known = exporters(Result.load(folder), Path(folder))
    _core.replace_file(str(Path(folder) / f"{kind}.{KINDS[kind]}"), text(kind, known))
    return 0
