# SPDX-License-Identifier: GPL-2.0-only
"""Labs built in Python: typed methods in place of dicts, with the schema's arguments (scenario_parts.py)."""

from __future__ import annotations

import shlex
from typing import Any, Optional, Union

from .quantities import Name, Names, Time, converted
from .scenario_parts import KINDS, HostMethods, LabMethods, RouterMethods, VmMethods, VSwitchMethods
from .scenarios import Scenario


def _add(place: dict[str, Any], what: str, name: str, data: Any) -> Any:
    if name in place:
        raise ValueError(f"there is a {what} {name} already")
    place[name] = data
    return data


class Part:
    """A part of a lab, to be given wherever its name is wanted. `data` is its dict in the scenario."""

    def __init__(self, lab: Lab, name: str, data: dict[str, Any]) -> None:
        self.lab, self.name, self.data = lab, name, data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of {self.lab.name}>"

    def _free_port(self) -> str:
        """-> "node:interface" for the next cable"""
        raise ValueError(f"a cable does not end at {self!r}")

    def _next(self, ports: Any, node: Optional[str] = None) -> str:
        used = {end for link in self.lab.data.get("links", []) for end in link["endpoints"]}
        free = next((end for end in (f"{node or self.name}:{port}" for port in ports) if end not in used), None)
        if free is None:
            raise ValueError(f"{self!r} has no free port for a cable")
        return free


class Switch(Part):
    """A physical switch."""

    def _free_port(self) -> str:
        return self._next(range(1, 10000))


class Collector(Part):
    """A NetFlow collector."""

    def _free_port(self) -> str:
        return self._next(["eth0"])


class Server(Collector):
    """A physical server, or an Internet."""


class Interface(Part):
    """An interface of a router."""

    def __init__(self, router: Router, name: str, data: dict[str, Any]) -> None:
        super().__init__(router.lab, name, data)
        self.router = router

    def _free_port(self) -> str:
        return self._next([self.name.partition(".")[0]], self.router.name)


class Router(RouterMethods, Part):
    """A router."""

    def _add_interface(self, address: str, name: Optional[str], given: dict[str, Any]) -> Interface:
        place = self.data.setdefault("interfaces", {})
        name = name or next(eth for eth in (f"eth{i}" for i in range(len(place) + 1)) if eth not in place)
        data = {"address": address, **converted(given["routerinterface"], "routerinterface", KINDS)}
        return Interface(self, name, _add(place, "interface", name, data))

    def route(self, to: str, via: str) -> Router:
        """Adds a static route to a network, such as "10.9.0.0/24" ("0.0.0.0/0": all others), by the next router."""
        self.data.setdefault("routes", []).append({"to": to, "via": via})
        return self

    def _free_port(self) -> str:
        return self._next(dict.fromkeys(name.partition(".")[0] for name in self.data.get("interfaces", {})))


class Vm(VmMethods, Part):
    """A virtual machine."""

    def __init__(self, host: Host, name: str, data: dict[str, Any]) -> None:
        super().__init__(host.lab, name, data)
        self.host = host

    def _add_nic(self, address: str, portgroup: Optional[Name], given: dict[str, Any]) -> Vm:
        nics = self.data.setdefault("nics", [])
        nics.append(
            {"portgroup": self.host._group(portgroup), "address": address, **converted(given["vnic"], "vnic", KINDS)}
        )
        return self


class VSwitch(VSwitchMethods, Part):
    """A virtual switch."""

    def __init__(self, host: Host, name: str, data: dict[str, Any]) -> None:
        super().__init__(host.lab, name, data)
        self.host = host

    def _add_portgroup(self, name: str, given: dict[str, Any]) -> Part:
        data = converted(given["portgroup"], "portgroup", KINDS)
        return Part(self.lab, name, _add(self.data["portgroups"], "port group", name, data))

    def _free_port(self) -> str:
        return self._next(self.data.get("uplinks", []), self.host.name)


class Host(HostMethods, Part):
    """An ESX host."""

    def _add_vswitch(self, name: str, uplink: Optional[str], given: dict[str, Any]) -> VSwitch:
        data: dict[str, Any] = {
            **({"uplinks": [uplink]} if uplink else {}),
            "portgroups": {},
            **converted(given["vswitch"], "vswitch", KINDS),
        }
        return VSwitch(self, name, _add(self.data["vswitches"], "vSwitch", name, data))

    def _group(self, asked: Optional[Name]) -> str:
        """-> the name of a port group: what is asked for, or the only one"""
        if asked is not None:
            return asked if isinstance(asked, str) else asked.name
        vswitches: dict[str, Any] = self.data["vswitches"]
        groups = [group for vswitch in vswitches.values() for group in vswitch["portgroups"]]
        if not groups and len(vswitches) == 1:
            next(iter(vswitches.values()))["portgroups"]["VM Network"] = {}
            return "VM Network"
        if len(groups) != 1:
            raise ValueError(
                f"{self!r} has {len(groups)} port groups: "
                f"portgroup= says which ({', '.join(groups) or 'vswitch() comes first'})"
            )
        return str(groups[0])

    def _add_vm(self, name: str, address: str, portgroup: Optional[Name], given: dict[str, Any]) -> Vm:
        group = self._group(portgroup)
        return Vm(
            self, name, _add(self.data.setdefault("vms", {}), "VM", name, converted(given["vm"], "vm", KINDS))
        ).nic(address, group, **given["vnic"])

    def _add_vmknic(self, address: str, portgroup: Optional[Name], name: Optional[str], given: dict[str, Any]) -> Part:
        place = self.data.setdefault("vmknics", {})
        data = {"portgroup": self._group(portgroup), "address": address, **converted(given["nic"], "nic", KINDS)}
        name = name or f"vmk{len(place)}"
        return Part(self.lab, name, _add(place, "vmknic", name, data))

    def export(
        self, collector: Collector, vswitches: Names = "", *, at: Time = 1, id: Optional[str] = None, options: str = ""
    ) -> Part:
        """Loads the netflow module and starts net-netflow, as the technote says: lines at the service console.

        Parameters
        ----------
        collector : Collector
            Where to.
        vswitches : VSwitch, str or list of them, optional
            The vSwitches that are metered; all of the host's if none is named.
        at : number of seconds, timedelta or str
            When.
        id : str, optional
            Name of the process, for a later signal; default: nf-HOST.
        options : str
            More options of net-netflow, such as "-s 60 -p".
        """
        asked = [vswitches] if isinstance(vswitches, (str, Part)) else vswitches
        names = [v if isinstance(v, str) else v.name for v in asked if v] or list(self.data["vswitches"])
        name = id or f"nf-{self.name}"
        where = f"{collector.data['address'].partition('/')[0]}:{collector.data.get('listen', 2055)}"
        self.lab.step(at, host=self, run="vmkload_mod netflow")
        line = ["vmkload_app -S -i vmktcp net-netflow", *options.split(), "-e", shlex.quote(",".join(names)), where]
        self.lab.step(at, host=self, id=name, run=" ".join(line))
        return Part(self.lab, name, self.lab.data["timeline"][-1])

    def _free_port(self) -> str:
        return self._next(
            [uplink for vswitch in self.data["vswitches"].values() for uplink in vswitch.get("uplinks", [])]
        )


class Lab(LabMethods):
    """A scenario that is built by methods; all that takes a `Scenario` takes it.

    Numbers are seconds, bits a second, bytes and packets; timedelta and texts with units do as well.

    Examples
    --------
    >>> lab = Lab("two", duration="30s")
    >>> h = lab.host("esx1")
    >>> h.vswitch("vSwitch0", uplink="vmnic0")
    <VSwitch vSwitch0 of two>
    >>> vm, db = h.vm("web", "10.0.0.11/24"), h.vm("db", "10.0.0.12/24")
    >>> lab.cbr(vm, db, rate="1Mbps")
    <Part cbr1 of two>
    >>> lab.validate()
    []
    """

    def _add_init(self, name: str, duration: Time, summary: Optional[str], given: dict[str, Any]) -> None:
        words = {"summary": summary} if summary else {}
        run = converted({"duration": duration, **given["run"]}, "run", KINDS)
        Scenario.__init__(self, None, name=name, **words, run=run, hosts={})

    def _add_host(self, name: str, given: dict[str, Any]) -> Host:
        data: dict[str, Any] = {**converted(given["host"], "host", KINDS), "vswitches": {}}
        return Host(self, name, _add(self.data["hosts"], "host", name, data))

    def _node(self, name: str, data: dict[str, Any]) -> Any:
        return _add(self.data.setdefault("nodes", {}), "node", name, converted(data, "node", KINDS))

    def _add_switch(self, name: str, given: dict[str, Any]) -> Switch:
        return Switch(self, name, self._node(name, {"kind": "switch", **given["node"]}))

    def _add_collector(self, name: str, address: str, given: dict[str, Any]) -> Collector:
        return Collector(self, name, self._node(name, {"kind": "collector", "address": address, **given["node"]}))

    def _add_server(self, name: str, address: str, given: dict[str, Any]) -> Server:
        return Server(self, name, self._node(name, {"kind": "server", "address": address, **given["node"]}))

    def _add_internet(self, name: str, address: str, given: dict[str, Any]) -> Server:
        return Server(self, name, self._node(name, {"kind": "internet", "address": address, **given["node"]}))

    def _add_router(self, name: str, given: dict[str, Any]) -> Router:
        return Router(self, name, self._node(name, {"kind": "router", **given["node"]}))

    def _item(self, key: str, kind: str, data: dict[str, Any]) -> Any:
        self.data.setdefault(key, []).append(converted(data, kind, KINDS))
        return self.data[key][-1]

    def _add_link(self, a: Union[str, Part], b: Union[str, Part], given: dict[str, Any]) -> Part:
        ends = [end if isinstance(end, str) else end._free_port() for end in (a, b)]
        data = self._item("links", "link", {"endpoints": ends, **given["link"]})
        return Part(self, data.get("name", "-".join(ends).replace(":", ".")), data)

    def _add_traffic(self, app: str, from_: Names, to: Names, given: dict[str, Any]) -> Part:
        word = app.rpartition("udp-")[2].rpartition("tcp-")[2]
        known = {item["name"] for item in self.data.get("traffic", [])}
        name = next(n for n in (f"{word}{i}" for i in range(1, len(known) + 2)) if n not in known)
        data = self._item("traffic", "traffic", {"name": name, "app": app, "from": from_, "to": to, **given["traffic"]})
        return Part(self, data["name"], data)

    def _add_step(self, at: Time, given: dict[str, Any]) -> None:
        self._item("timeline", "step", {"at": at, **given["step"]})

    def _add_expect(self, what: str, given: dict[str, Any]) -> None:
        self._item("expect", "expectation", {"name": what, **given["expectation"]})

    def _add_outputs(self, given: dict[str, Any]) -> None:
        self.data["outputs"] = {**self.data.get("outputs", {}), **converted(given["outputs"], "outputs", KINDS)}
