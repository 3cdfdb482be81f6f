# SPDX-License-Identifier: GPL-2.0-only
"""The lab as a drawing, and the links that bound the export."""

from __future__ import annotations

from typing import Any, Optional, Union

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from .. import labs
from ..results import Result
from ..scenarios import Scenario
from .style import BAD_INK, BLUE, DARK, GREY, ORANGE, VERMILION, VLAN_INK, axes_for, short


def min_cut(scenario: Scenario) -> tuple[float, list[str]]:
    """The links that bound what all exporters together can send to the collectors.

    Parameters
    ----------
    scenario : Scenario
        Rates are those of the links; other traffic and episodes of the timeline are not counted.

    Returns
    -------
    (float, list of str)
        Bits a second, and the names of the links: a minimum cut, the one nearest to the collectors. ``(0.0, [])`` if
        nobody exports or no way leads there.
    """
    capacity = scenario.lab()["capacity"]
    return float(capacity["bits_per_s"]), list(capacity["links"])


def _columns_of_nodes(data):
    """-> list of columns of physical nodes: by distance from the hosts, collectors last."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(data["nodes"])
    for link in data["links"]:
        graph.add_edge(*(end.partition(":")[0] for end in link["endpoints"]))
    hosts = [host for host in data["hosts"] if host in graph]
    distance = networkx.multi_source_dijkstra_path_length(graph, hosts) if hosts else {}
    inner = [name for name, node in data["nodes"].items() if node["kind"] != "collector"]
    columns = {}
    for name in inner:
        columns.setdefault(distance.get(name, 1), []).append(name)
    found = [columns[key] for key in sorted(columns)]
    collectors = [name for name, node in data["nodes"].items() if node["kind"] == "collector"]
    return found + [collectors] if collectors else found


def _drawn(vswitches):
    """-> names of those vSwitches of a host that are drawn, in their order: the first ones; such with uplinks come
    before others."""
    ranked = sorted(vswitches, key=lambda name: not vswitches[name].get("uplinks"))[: _Lab.VSWITCHES]
    return [name for name in vswitches if name in ranked]


class _Lab:
    """Draws a lab: hosts with their VMs and vSwitches at the left, switches, collectors at the right."""

    # width of a host, distance of columns, height of a line, between hosts
    HOST, COLUMN, ROW, BETWEEN = 5.6, 3.5, 0.42, 0.35
    MOST, VSWITCHES = 8, 12  # of a vSwitch's guests and of a host's vSwitches so many are drawn

    def __init__(self, ax, data, cut, used):
        self.ax, self.data, self.cut, self.used = ax, data, cut, used
        self.at = {}  # "node:port" or node -> (x, y)

    def box(self, x, y, width, height, colour, **style):
        shape = {
            "boxstyle": "round,pad=0,rounding_size=0.08",
            "linewidth": 1,
            "edgecolor": GREY,
            "facecolor": colour,
            "zorder": 2,
        }
        self.ax.add_patch(FancyBboxPatch((x, y), width, height, **{**shape, **style}))

    def text(self, x, y, text, **style):
        self.ax.text(x, y, text, **{"fontsize": 7.5, "color": DARK, "va": "center", "zorder": 4, **style})

    def vswitch(self, name, entry, host, top):
        """-> y below it"""
        guests = [
            (vm if len(machine["nics"]) == 1 else f"{vm}:eth{i}", nic)
            for vm, machine in host.get("vms", {}).items()
            for i, nic in enumerate(machine["nics"])
        ]
        guests += list(host.get("vmknics", {}).items())
        mine = [
            (guest, nic.get("address", ""), entry["portgroups"][nic["portgroup"]].get("vlan", 0))
            for guest, nic in guests
            if nic["portgroup"] in entry["portgroups"]
        ]
        shown = (
            mine
            if len(mine) <= self.MOST
            else [*mine[: self.MOST - 1], (f"and {len(mine) - self.MOST + 1} more", "", 0)]
        )
        height = max(len(shown), 1) * self.ROW
        middle = top - height / 2
        self.box(3.5, top - height + 0.06, 1.25, height - 0.12, "#D6E6F2", edgecolor=BLUE)
        self.text(4.12, middle, name, ha="center")
        for i, (guest, address, vlan) in enumerate(shown):
            y = top - (i + 0.5) * self.ROW
            self.box(0.15, y - 0.16, 2.75, 0.32, "white" if not guest.startswith("vmk") else "#D9F0E8")
            self.text(0.25, y, guest)
            self.text(2.8, y, address and labs.shown(address), fontsize=7, ha="right")
            self.ax.plot([2.9, 3.5], [y, y], color=GREY, linewidth=1, zorder=1)
            if vlan:
                self.text(
                    3.2,
                    y,
                    f"{vlan}",
                    fontsize=7,
                    ha="center",
                    color=VLAN_INK,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
                )
        for i, uplink in enumerate(entry.get("uplinks", [])):
            y = middle + ((len(entry["uplinks"]) - 1) / 2 - i) * 0.3
            self.ax.plot([4.75, self.HOST], [y, y], color=GREY, linewidth=1, zorder=1)
            self.text(self.HOST - 0.05, y + 0.12, uplink, fontsize=7, ha="right")
            self.at[uplink] = (self.HOST, y)
        return top - height - 0.12

    def host(self, name, entry, top):
        y = top - self.ROW
        self.at = ports = {}
        shown = _drawn(entry["vswitches"])
        for vswitch in shown:
            y = self.vswitch(vswitch, entry["vswitches"][vswitch], entry, y)
        if len(shown) < len(entry["vswitches"]):
            y -= self.ROW
            self.text(4.12, y + self.ROW / 2 + 0.06, f"and {len(entry['vswitches']) - len(shown)} more", ha="center")
        self.box(0, y, self.HOST, top - y, "#F7F7F7", zorder=0)
        self.text(0.2, top - 0.2, name, fontsize=9, fontweight="bold")
        return y, {f"{name}:{port}": place for port, place in ports.items()}

    def draw(self):
        places, top = {}, 0.0
        for name, entry in self.data["hosts"].items():
            top, ports = self.host(name, entry, top)
            places.update(ports)
            top -= self.BETWEEN
        height = -top - self.BETWEEN
        columns = _columns_of_nodes(self.data)
        for number, column in enumerate(columns):
            x = self.HOST + self.COLUMN * (number + 1) - 0.9
            for i, name in enumerate(column):
                y = -height * (i + 0.5) / len(column)
                places[name] = (x, y)
                self.node(name, x, y)
        self.wires(places)
        self.ax.set_xlim(-0.2, self.HOST + self.COLUMN * len(columns) + 0.4)
        self.ax.set_ylim(min(-height, -1.2) - 0.1, 0.1)
        self.ax.set_aspect("equal")
        self.ax.set_axis_off()

    def node(self, name, x, y):
        collector = self.data["nodes"][name]["kind"] == "collector"
        self.box(
            x - 0.9, y - 0.3, 1.8, 0.6, "#FCE8D5" if collector else "white", edgecolor=ORANGE if collector else DARK
        )
        self.text(x, y + (0.1 if collector else 0), name, ha="center")
        if collector:
            self.text(x, y - 0.14, labs.shown(self.data["nodes"][name]["address"]), ha="center", fontsize=7)

    def wires(self, places):
        drawn = {}
        for link in self.data["links"]:
            a, b = ((end, end.partition(":")[0]) for end in link["endpoints"])
            start, stop = (places.get(end) or places.get(node) for end, node in (a, b))
            if start is None or stop is None:
                continue
            (x0, y0), (x1, y1) = sorted((start, stop))
            x0 += 0.9 if (x0, y0) in [places.get(n) for n in self.data["nodes"]] else 0
            x1 -= 0.9
            parallel = drawn[(x0, y0, x1, y1)] = drawn.get((x0, y0, x1, y1), -1) + 1
            y0, y1 = y0 - 0.12 * parallel, y1 - 0.12 * parallel
            in_cut, used = link["name"] in self.cut, link["name"] in self.used
            self.ax.plot(
                [x0, x1],
                [y0, y1],
                color=VERMILION if in_cut else BLUE if used else GREY,
                linewidth=3 if in_cut else 2 if used else 1,
                zorder=1,
                solid_capstyle="round",
                linestyle=(0, (4, 1.5)) if in_cut else "-",
            )
            named = "" if link["name"] == "-".join(link["endpoints"]).replace(":", ".") else link["name"] + "\n"
            self.text(
                (x0 + x1) / 2,
                (y0 + y1) / 2 + 0.05,
                named + link["rate"],
                ha="center",
                va="bottom",
                fontsize=7,
                color=BAD_INK if in_cut else DARK,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            )


def _data_of(result: Union[Result, Scenario]) -> dict[str, Any]:
    return result.lab if isinstance(result, Result) else result.resolved().data


def topology_size(result: Union[Result, Scenario]) -> tuple[float, float]:
    """-> (width, height) in inches that suit the topology of a result or scenario."""
    data = _data_of(result)
    rows = 0
    gaps = -_Lab.BETWEEN
    for host in data["hosts"].values():
        groups = [nic["portgroup"] for vm in host["vms"].values() for nic in vm["nics"]] + [
            nic["portgroup"] for nic in host["vmknics"].values()
        ]
        shown = [host["vswitches"][name] for name in _drawn(host["vswitches"])]
        rows += 1 + sum(
            max(1, min(_Lab.MOST, sum(group in vswitch["portgroups"] for group in groups))) for vswitch in shown
        )
        rows += len(shown) < len(host["vswitches"])
        gaps += 0.12 * len(shown) + _Lab.BETWEEN
    height = max(_Lab.ROW * rows + gaps, 1.2) + 0.2
    width = _Lab.HOST + _Lab.COLUMN * len(_columns_of_nodes(data)) + 0.6
    return 7.2, 0.35 + 7.2 / width * height


def topology(result: Union[Result, Scenario], ax: Optional[Axes] = None) -> Axes:
    """The lab: hosts with their VMs, vmknics and vSwitches, links with their names and rates, VLANs (purple), the way
    of the export (blue), and the links that bound it: the minimum cut (red, dashed). `result` may also be a
    Scenario."""
    scenario = result.scenario if isinstance(result, Result) else result
    ax = axes_for(ax, topology_size(result))
    # of a script's: ways are not known
    lab = scenario.lab() if scenario else {"capacity": {"bits_per_s": 0, "links": []}, "exports": []}
    capacity, cut = lab["capacity"]["bits_per_s"], lab["capacity"]["links"]
    used = {link for export in lab["exports"] for link in export["links"]}
    _Lab(ax, _data_of(result), cut, used).draw()
    if cut:
        which = f"{', '.join(cut[:4])}{' and more' if len(cut) > 4 else ''} {'bounds' if len(cut) == 1 else 'bound'} it"
        ax.set_title(
            f"all exports together can send {short(capacity)}bit/s: {which}", fontsize=8, color=DARK, loc="left"
        )
    return ax
