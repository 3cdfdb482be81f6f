#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes esx_netflow/scenario_parts.py: types and methods of the typed builder, of scenario.schema.json.

python/CMakeLists.txt calls it: make-scenario-parts.py SCHEMA TARGET
"""

import json
import keyword
import sys

TEXTS = {  # definition of a text with a unit -> the type that a caller may give; quantities.py makes the text of it
    "time": "Time", "interval": "Time", "random_time": "Time", "rate": "Rate", "bytes": "Size", "random_bytes": "Size",
    "memory_size": "Size", "queue": "Queue", "name": "Name", "names": "Names", "endpoint": "Name",
    "attributes": "Attributes",
}  # fmt: skip
TYPES = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "object": "dict[str, Any]"}

# class -> {method: (what it gives, definitions whose keys it takes, its parameters before those, keys that it sets
# itself)}
METHODS = {
    "LabMethods": {
        "__init__": ("None", ["run"], "name: str, duration: Time = 60, summary: Optional[str] = None", ["duration"]),
        "host": ("Host", ["host"], "name: str", ["vswitches", "vmknics", "vms"]),
        "switch": ("Switch", ["node:switch"], "name: str", ["kind"]),
        "collector": ("Collector", ["node:collector"], "name: str, address: str", ["kind", "address"]),
        "server": ("Server", ["node:server"], "name: str, address: str", ["kind", "address"]),
        "internet": ("Server", ["node:internet"], "name: str, address: str", ["kind", "address"]),
        "router": ("Router", ["node:router"], "name: str", ["kind", "interfaces", "routes"]),
        "link": ("Part", ["link"], "a: End, b: End", ["endpoints"]),
        "step": ("None", ["step"], "at: Time", ["at"]),
        "expect": ("None", ["expectation"], "what: str", ["name"]),
        "outputs": ("None", ["outputs"], "", []),
    },
    "HostMethods": {
        "vswitch": ("VSwitch", ["vswitch"], "name: str = 'vSwitch0', uplink: Optional[str] = None", ["portgroups"]),
        "vm": (
            "Vm",
            ["vm", "vnic"],
            "name: str, address: str, portgroup: Optional[Name] = None",
            ["nics", "address", "portgroup"],
        ),
        "vmknic": (
            "Part",
            ["nic"],
            "address: str, portgroup: Optional[Name] = None, name: Optional[str] = None",
            ["address", "portgroup"],
        ),
    },
    "RouterMethods": {
        "interface": ("Interface", ["routerinterface"], "address: str, name: Optional[str] = None", ["address"])
    },
    "VSwitchMethods": {"portgroup": ("Part", ["portgroup"], "name: str", [])},
    "VmMethods": {"nic": ("Vm", ["vnic"], "address: str, portgroup: Optional[Name] = None", ["address", "portgroup"])},
}
SUMMARIES = {
    "__init__": "A lab that is empty yet.", "host": "Adds an ESX host.", "switch": "Adds a physical switch.",
    "collector": "Adds a collector.",
    "server": "Adds a physical server, a source and sink of traffic.",
    "internet": "Adds an Internet: one node that is all addresses of its `pools` to `flows`.",
    "router": "Adds a router. Its interfaces and routes are added to it.",
    "interface": "Adds an interface, to be given to `link`: eth0, eth1 and so on; "
        "`name` \"eth0.101\" is VLAN 101 of a trunk at eth0.",
    "link": "Adds a cable. Of a host, vSwitch, node or router the next free port is taken; or \"node:interface\".",
    "step": "Adds a step to the timeline.", "expect": "Adds what must hold at the end.",
    "outputs": "Sets what is written beside summary.json.",
    "vswitch": "Adds a vSwitch.", "vm": "Adds a virtual machine with one NIC. Without `portgroup`: "
        "the host's only one, which is made if there is none.",
    "vmknic": "Adds a VMkernel interface.", "portgroup": "Adds a port group.", "nic": "Adds another NIC.",
}  # fmt: skip

HEAD = '''# SPDX-License-Identifier: GPL-2.0-only
"""Parts of a scenario: types of its dicts, and the builder's methods. Made of scenario.schema.json by \
make-scenario-parts.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Optional, TypedDict, Union

from .quantities import Attributes, End, Name, Names, Queue, Rate, Size, Time
from .scenarios import Scenario

if TYPE_CHECKING:
    from .building import Collector, Host, Interface, Part, Router, Server, Switch, VSwitch, Vm

'''


def camel(name):
    return "".join(word.capitalize() for word in name.split("_")) + "Dict"


def name_of(key):
    """Keywords of Python get an underscore: from_, for_."""
    return key + "_" if keyword.iskeyword(key) else key


class Module:
    """The text of the module, as it grows."""

    def __init__(self, schema):
        self.definitions = {**schema["definitions"], "scenario": schema}
        self.parts, self.kinds = {}, {}  # name of a type -> its text; name of a part -> {key: kind}

    def kind_and_type(self, entry, within):
        """-> (what converts a value of this entry, or None; its type)"""
        name = entry.get("$ref", "").rpartition("/")[2]
        if name in TEXTS:
            return name, TEXTS[name]
        if name:
            return self.kind_and_type(self.definitions[name], name)
        if "enum" in entry or "const" in entry:
            later = entry.get("x-later", [])
            return (
                None,
                f"Literal[{', '.join(repr(v) for v in entry.get('enum', [entry.get('const')]) if v not in later)}]",
            )
        if "anyOf" in entry:
            return None, f"Union[{', '.join(self.kind_and_type(e, within)[1] for e in entry['anyOf'])}]"
        if entry.get("type") == "array":
            kind, one = self.kind_and_type(entry["items"], within)
            return kind and [kind], f"list[{one}]"
        if isinstance(entry.get("additionalProperties"), dict):
            kind, one = self.kind_and_type(entry["additionalProperties"], within)
            return kind and {"": kind}, f"dict[str, {one}]"
        if "properties" in entry:
            self.add(within, entry)
            return within, camel(within)
        return None, TYPES[entry["type"]]

    def add(self, name, entry):
        """A TypedDict; keys that are keywords of Python need the functional form, so one of its halves has it."""
        if name in self.kinds:
            return
        self.kinds[name] = {}
        halves = ({}, {})  # optional, required
        for key, value in entry["properties"].items():
            if value.get("x-later") is True:
                continue
            kind, type_ = self.kind_and_type(value, key)
            if kind:
                self.kinds[name][key] = kind
            halves[key in entry.get("required", [])][key] = (type_, value.get("description", ""))
        base = next((half for half in (0, 1) if any(keyword.iskeyword(key) for key in halves[half])), 1)
        fields = ", ".join(f'"{key}": {type_!r}' for key, (type_, _) in halves[base].items())
        text = f'_{camel(name)} = TypedDict("_{camel(name)}", {{{fields}}}, total={bool(base)})\n\n\n' if fields else ""
        text += f"class {camel(name)}({'_' + camel(name) if fields else 'TypedDict'}, total={not base}):\n"
        text += f'    """{entry.get("description", f"A part of a scenario: {name}.")}"""\n\n'
        text += "".join(f"    {key}: {type_}  # {about}\n" for key, (type_, about) in halves[1 - base].items())
        self.parts[name] = text

    def keys(self, part, without):
        """-> (key, type, description) of a definition; "node:switch" has those of this kind of node only."""
        name, _, value = part.partition(":")
        for key, entry in sorted(
            self.definitions[name]["properties"].items(), key=lambda item: item[0] == "attributes"
        ):
            if (
                key not in without
                and entry.get("x-later") is not True
                and (not value or value in entry.get("x-for", [value]))
            ):
                yield (
                    key,
                    self.kind_and_type(entry, key)[1],
                    entry.get("description", "").replace('"', "'").replace("\\\\", ""),
                )

    def method(self, name, gives, parts, first, without, about, hook=None):
        keys = [(part.partition(":")[0], *key) for part in parts for key in self.keys(part, without)]
        named = ", ".join(f"{name_of(key)}: Optional[{type_}] = None" for _, key, type_, _ in keys)
        sets = ", ".join(
            f'"{part}": {{{", ".join(f"{key!r}: {name_of(key)}" for p, key, _, _ in keys if p == part)}}}'
            for part in dict.fromkeys(k[0] for k in keys)
        )
        given = [word.partition(":")[0].strip() for word in first.split(", ") if word]
        text = f"    def {name}(self, {first}{', ' if first else ''}*, {named}) -> {gives}:\n"
        text += f'        """{about}\n\n        Parameters\n        ----------\n'
        text += (
            "".join(f"        {name_of(key)} : {type_}, optional\n            {told}\n" for _, key, type_, told in keys)
            + '        """\n'
        )
        calls = ", ".join([*([hook] if hook else []), *given, f"_given({{{sets}}})"])
        back = ("", "") if gives == "None" else (f"part: {gives} = ", "        return part\n")
        return (
            text + f"        {back[0]}self.{'_add_traffic' if hook else '_add_' + name.strip('_')}({calls})\n{back[1]}"
        )

    def traffic(self):
        """A method for each application."""
        apps = self.definitions["traffic"]["properties"]["app"]
        told = dict(part.split(": ", 1) for part in apps["description"].split("; ") if ": " in part)
        for app in apps["enum"]:
            if app not in apps.get("x-later", []):
                short = app.removeprefix("udp-").removeprefix("tcp-")
                twice = sum(other.endswith(short) for other in apps["enum"]) > 1
                about = f"Adds traffic {app}" + (f": {told[app].rstrip('.')}." if app in told else ".")
                yield self.method(
                    (app if twice else short).replace("-", "_"),
                    "Part",
                    [f"traffic:{app}"],
                    "from_: Names, to: Names",
                    ["app", "from", "to"],
                    about,
                    repr(app),
                )

    def text(self):
        self.kind_and_type({**self.definitions["scenario"]}, "scenario")
        text = ""
        for name, methods in METHODS.items():
            text += f"\n\nclass {name}{'(Scenario)' if name == 'LabMethods' else ''}:\n"
            hooks = [*(f"_add_{m.strip('_')}" for m in methods), *(["_add_traffic"] if name == "LabMethods" else [])]
            text += "".join(f"    {hook}: Any\n" for hook in hooks) + "\n"
            text += "\n".join(
                self.method(m, gives, parts, first, without, SUMMARIES[m])
                for m, (gives, parts, first, without) in methods.items()
            )
            if name == "LabMethods":
                text += "\n" + "\n".join(self.traffic())
        types = "\n\n".join(self.parts.values())
        given = (
            "\n\ndef _given(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:\n    return {part: {key: "
            "value for key, value in keys.items() if value is not None} for part, keys in parts.items()}\n"
        )
        return f"{HEAD}\n{types}\n\nKINDS: dict[str, dict[str, Any]] = {self.kinds!r}\n{given}{text}"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        made = Module(json.load(file)).text()
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(made)
