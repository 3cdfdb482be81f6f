# SPDX-License-Identifier: GPL-2.0-only
"""A scenario of a drawing: edges say what is part of what. The scenario's own reader judges the result."""

from __future__ import annotations

import json
import re
from typing import Any

from . import _core
from .drawings import Drawing, refuse

_NESTS = (
    ("host", "vswitch"), ("vswitch", "portgroup"), ("vswitch", "uplink"), ("portgroup", "vmknic"), ("portgroup", "vm"),
    ("host", "vm"),
)  # fmt: skip
_INSIDE = ("host", "vswitch", "portgroup", "uplink", "vmknic", "vm")


def scenario_of(drawing: Drawing, file: str) -> dict[str, Any]:
    """A scenario that holds the lab and runs for a minute.

    Beside what `esx-netflow dot` gives it takes simple drawings: a host joined to a switch gets an uplink, a VM joined
    to a host a port group, a host with an address a vmknic, and what has no name gets one. Attributes that are no keys
    of a scenario (colours, positions) are passed over.
    """
    return _Importer(drawing, file).scenario()


class _Place:
    """Where a vertex is: its own name, the host's and the vSwitch's."""

    def __init__(self, kind, name):
        self.kind, self.name = kind, name
        self.host = name if kind == "host" else ""
        self.vswitch = ""


class _Importer:
    def __init__(self, drawing, file):
        self.drawing, self.file = drawing, file
        self.schema = json.loads(_core.schema())["definitions"]
        self.node_kinds = [kind for kind in self.schema["node"]["properties"]["kind"]["enum"] if kind not in _INSIDE]
        self.hosts, self.nodes, self.links = {}, {}, []
        self.nics = {}  # by VM: [(eth0, NIC)]
        self.taken = set()  # ends of links, and uplinks

    def scenario(self):
        drawing = self.drawing
        self.places = {vertex: self.take(vertex, attributes) for vertex, attributes in drawing.vertices.items()}
        # From the outside in: each needs what it is part of.
        nested = {i for nest in _NESTS for i, edge in enumerate(drawing.edges) if self.nest(edge, *nest)}
        self.taken.update(edge[2][key] for edge in drawing.edges for key in ("from", "to") if key in edge[2])
        self.taken.update(
            f"{name}:{uplink}"
            for name, host in self.hosts.items()
            for v in host["vswitches"].values()
            for uplink in v["uplinks"]
        )
        for i, edge in enumerate(drawing.edges):
            if i not in nested:
                self.link(*edge)
        for vertex, place in self.places.items():
            if place.kind in _INSIDE and not place.host:
                self.refuse(f"'{vertex}', a {place.kind}, is joined to nothing that is part of a host")
        for host in self.hosts.values():
            self.complete(host)
        name = re.sub(r"[^A-Za-z0-9._-]", "-", drawing.name).lstrip("._-")[:64] or "imported"
        return {
            "version": 1,
            "name": name,
            "run": {"duration": "60s"},
            "hosts": self.hosts,
            "nodes": self.nodes,
            "links": self.links,
        }

    def refuse(self, what):
        refuse(self.file, what)

    def take(self, vertex, attributes):
        kinds = [*_INSIDE, *self.node_kinds]
        kind = attributes.get("kind", "")
        if kind not in kinds:
            self.refuse(
                f"'{vertex}' "
                + (f"is of kind '{kind}'" if kind else "has no attribute 'kind'")
                + f"; {_core.suggest(str(kind), kinds)}"
            )
        place = _Place(kind, str(attributes.get("name") or vertex))
        if kind == "host":
            host = self.add(
                self.hosts, place.name, vertex, {**self.keys(attributes, "host", ("address",)), "vswitches": {}}
            )
            if attributes.get("address"):
                self.default_switch(host)["portgroups"]["VMkernel"] = {}
                host["vmknics"] = {"vmk0": {"portgroup": "VMkernel", "address": attributes["address"]}}
        elif kind in self.node_kinds:
            self.add(self.nodes, place.name, vertex, self.keys(attributes, "node"))
        return place

    def add(self, parts, name, vertex, part):
        if name in parts:
            self.refuse(f"'{vertex}' has the name '{name}', which another vertex has, too")
        parts[name] = part
        return part

    @staticmethod
    def default_switch(host):
        """The vSwitch of a host that is drawn as one box."""
        host["vswitches"] = host["vswitches"] or {"vSwitch0": {"uplinks": [], "portgroups": {}}}
        return next(iter(host["vswitches"].values()))

    def complete(self, host):
        """A host has a vSwitch, and one that is drawn as one box a port group in it."""
        first = self.default_switch(host)
        if len(host["vswitches"]) == 1 and not first["portgroups"]:
            first["portgroups"]["VM Network"] = {}
        for name, vm in host.get("vms", {}).items():
            vm["nics"] = [nic for _, nic in sorted(self.nics[name], key=lambda pair: (len(pair[0]), pair[0]))]

    def keys(self, attributes, definition, without=()):
        """Attributes that are keys of a part of a scenario: texts where the schema wants them, else as JSON."""
        properties = self.schema[definition]["properties"]
        return {
            name: self.value(value, properties[name])
            for name, value in attributes.items()
            if name in properties and name not in without
        }

    def value(self, value, schema):
        schema = self.schema[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if schema.get("type") == "string":
            return str(value)
        try:
            return json.loads(value, parse_constant=lambda text: text) if isinstance(value, str) else value
        except ValueError:
            return value

    def nest(self, edge, outer, inner):
        """-> whether an edge puts one into the other"""
        a, b, attributes = edge
        outside, inside = (b, a) if self.places[a].kind == inner else (a, b)
        home, place = self.places[outside], self.places[inside]
        if (home.kind, place.kind) != (outer, inner):
            return False
        if not home.host:
            self.refuse(f"'{inside}' is joined to '{outside}', which is part of no host")
        if place.host and (place.host != home.host or inner != "vm"):
            self.refuse(f"'{inside}' is part of two: of '{outside}', too")
        place.host, place.vswitch = home.host, place.name if inner == "vswitch" else home.vswitch
        self.put(attributes, inside, place, home)
        return True

    def put(self, edge, vertex, place, home):
        host, attributes = self.hosts[place.host], self.drawing.vertices[vertex]
        if place.kind == "vswitch":
            self.add(
                host["vswitches"],
                place.name,
                vertex,
                {**self.keys(attributes, "vswitch"), "uplinks": [], "portgroups": {}},
            )
        elif place.kind == "vm":
            host.setdefault("vms", {}).setdefault(place.name, self.keys(attributes, "vm"))
            nics = self.nics.setdefault(place.name, [])
            nics.append((str(edge.get("nic") or f"eth{len(nics)}"), self.nic(edge, attributes, home, host)))
        elif place.kind == "vmknic":
            self.add(
                host.setdefault("vmknics", {}),
                place.name,
                vertex,
                {**self.keys(attributes, "nic"), "portgroup": home.name},
            )
        elif place.kind == "uplink":
            host["vswitches"][place.vswitch]["uplinks"].append(place.name)
        else:
            self.add(
                host["vswitches"][place.vswitch]["portgroups"], place.name, vertex, self.keys(attributes, "portgroup")
            )

    def nic(self, edge, vm, home, host):
        """An edge from a port group to a VM is a NIC: its number may be on it. A simple drawing has the address at the
        VM."""
        group = "VM Network" if home.kind == "host" else home.name
        if home.kind == "host":
            self.default_switch(host)["portgroups"].setdefault(group, {})
        nic = {**self.keys(edge, "vnic"), "portgroup": group}
        if vm.get("address"):
            nic.setdefault("address", vm["address"])
        return nic

    def link(self, a, b, attributes):
        ends = ("uplink", "host", *self.node_kinds)
        if self.places[a].kind not in ends or self.places[b].kind not in ends:
            self.refuse(
                f"an edge joins '{a}', a {self.places[a].kind}, and '{b}', a {self.places[b].kind}; allowed: "
                f"{', '.join('-'.join(nest) for nest in _NESTS)}, and links between uplinks, "
                f"hosts and {', '.join(self.node_kinds)}"
            )
        # A file may give the ends of an edge in either order.
        self.links.append(
            {
                **self.keys(attributes, "link"),
                "endpoints": [self.end(attributes.get("from"), a), self.end(attributes.get("to"), b)],
            }
        )

    def end(self, written, vertex):
        """As the edge says, else one that is free."""
        place = self.places[vertex]
        if written:
            return str(written)
        if place.kind == "uplink":
            return f"{place.host}:{place.name}"
        prefix, number = ("vmnic", 0) if place.kind == "host" else ("", 1) if place.kind == "switch" else ("eth", 0)
        while place.kind in ("host", "switch", "router") and f"{place.name}:{prefix}{number}" in self.taken:
            number += 1
        self.taken.add(f"{place.name}:{prefix}{number}")
        if place.kind == "host":
            self.default_switch(self.hosts[place.name])["uplinks"].append(f"{prefix}{number}")
        return f"{place.name}:{prefix}{number}"
