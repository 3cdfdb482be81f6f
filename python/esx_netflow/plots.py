# SPDX-License-Identifier: GPL-2.0-only
"""Figures of a result, with matplotlib. Each function draws into `ax`, or into a new figure, and returns what it drew into.

Every cause of loss has the same colour and hatching in all figures: the palette of Okabe and Ito, which colour-blind readers can
tell apart; causes of one place share a colour and differ by hatching.
"""

from __future__ import annotations

import math
import re
from typing import Any, Optional, Union

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .results import Result
from .scenarios import Scenario

__all__ = [
    "CAUSES",
    "cache",
    "cause_style",
    "drops",
    "export_delay",
    "fates",
    "flows",
    "heap",
    "links",
    "min_cut",
    "purgatory",
    "timeline",
    "top_talkers",
    "topology",
    "vms",
]

_BLUE, _ORANGE, _GREEN, _VERMILION, _SKY, _PURPLE, _YELLOW = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442"
_GREY, _DARK, _LIGHT = "#BBBBBB", "#444444", "#E8E8E8"
COLLECTED = _GREEN
TRUTH = _DARK

#: cause -> (colour, hatching). docs/metrics.md says what the causes mean.
CAUSES = {
    "no_memory": (_BLUE, ""),
    "cache_full": (_BLUE, "////"),
    "purgatory_full": (_VERMILION, ""),
    "evicted": (_VERMILION, "////"),
    "killed": (_PURPLE, ""),
    "unloaded": (_PURPLE, "////"),
    "switch_deleted": (_PURPLE, "xxxx"),
    "send_failed": (_DARK, ""),
    "no_route": (_DARK, "////"),
    "arp": (_DARK, "xxxx"),
    "queue_disc": (_ORANGE, "////"),
    "device_queue": (_ORANGE, ""),
    "port": (_ORANGE, "xxxx"),
    "vlan": (_ORANGE, "...."),
    "link_down": (_SKY, ""),
    "channel_error": (_SKY, "////"),
    "network": (_SKY, "xxxx"),
    "refused": (_YELLOW, "////"),
    "socket_buffer": (_YELLOW, ""),
    "not_decoded": (_YELLOW, "xxxx"),
    "live": (_GREY, ""),
    "queued": (_GREY, "////"),
    "in_flight": (_GREY, "xxxx"),
}
_LEFT = ("live", "queued", "in_flight")
_PLACES = ("shed", "dropped", "discarded", "unsent", "lost")  # of the loss columns of the series, in the order of a record's way


def cause_style(cause: str) -> dict[str, Any]:
    """-> dict of matplotlib's facecolor, hatch and edgecolor for a cause; one that is not known is black."""
    colour, hatch = CAUSES.get(cause, ("#000000", "...."))
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}


# ---------------------------------------------------------------- what all figures share

_ABOVE = {"loc": "lower right", "bbox_to_anchor": (1.01, 0.93), "ncols": 4, "fontsize": 7, "frameon": False, "handlelength": 1.6, "columnspacing": 1.2}


def _axes(ax, size):
    if ax is not None:
        return ax
    return plt.subplots(figsize=size, layout="constrained")[1]


def _plain(ax, grid="y"):
    """The look of all figures."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(_GREY)
    ax.tick_params(colors=_DARK, labelsize=8, length=3)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=_LIGHT, linewidth=0.8)
    return ax


def _short(value, _position=None):
    """12345678 -> 12.3M"""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def _empty(ax, text):
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=_DARK, fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    return _plain(ax, None)


_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_SIZES = {"B": 1, "kB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2, "GB": 1000**3, "GiB": 1024**3}


def _quantity(text, units):
    """"1.5s" -> 1.5"""
    number, unit = re.fullmatch(r"([0-9.]+)\s*([A-Za-z]+)", str(text)).groups()
    return float(number) * units[unit]


def _end(result):
    return result.summary["end_ns"] / 1e9


def _episodes(result):
    """-> (begin, end, what) of the timeline's episodes, in s; instants have end == begin."""
    found = []
    for step in result.scenario.data.get("timeline", []):
        at = _quantity(step["at"], _UNITS)
        what = _episode_name(step)
        if what is None:
            continue
        is_instant = "signal" in step
        end = at if is_instant else at + _quantity(step["for"], _UNITS) if "for" in step else _end(result)
        found.append((at, min(end, _end(result)), what))
    return found


def _episode_name(step):
    if "memory_pressure" in step:
        return "memory pressure"
    if "signal" in step:
        return f"{step['process']} {step['signal']}"
    if "down" in step:
        return f"{step['link']} cut"
    if "set" in step:
        return f"{step['link']} changed"
    return None


def _shade(ax, result, names=False):
    for number, (begin, end, what) in enumerate(_episodes(result)):
        if end > begin:
            ax.axvspan(begin, end, color="#FFF3CD", zorder=0, linewidth=0)
        else:
            ax.axvline(begin, color=_PURPLE, linewidth=1, linestyle=":", zorder=1)
        if names:
            ax.annotate(
                what,
                ((begin + end) / 2, 1),
                (0, 3 + 10 * (number % 2)),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                fontsize=7,
                color="#7A5C00",
                annotation_clip=False,
            )


def _series(result, host=None):
    """The series of one host, or the sum over all, with its time in s."""
    table = result.series
    if table is None or len(table) == 0:
        return None
    frame = pd.DataFrame(np.asarray(table))
    if host is not None:
        if host not in result.exporters:
            raise ValueError(f"no exporter is {host}; there are {', '.join(result.exporters)}")
        frame = frame[frame["exporter"] == result.exporters.index(host)]
    frame = frame.drop(columns="exporter").groupby("time_ns").sum().reset_index()
    frame["time"] = frame["time_ns"] / 1e9
    return frame


def _time_axis(ax, result, label=True):
    ax.set_xlim(0, max(_end(result), 1e-9))
    if label:
        ax.set_xlabel("simulated time, s", fontsize=8, color=_DARK)


def _level(result, ax, column, label, host, size=(8, 2), shade=True):
    ax = _axes(ax, size)
    frame = _series(result, host)
    if frame is None:
        return _empty(ax, "no series was recorded")
    ax.fill_between(frame["time"], frame[column], step="post", color=_BLUE, alpha=0.25, linewidth=0)
    ax.step(frame["time"], frame[column], where="post", color=_BLUE, linewidth=1.2)
    ax.set_ylabel(label, fontsize=8, color=_DARK)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(FuncFormatter(_short))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    if shade:
        _shade(ax, result)
    _time_axis(ax, result)
    return _plain(ax)


def _hosts(result, host):
    return [h for name, h in result.scenario.resolved().data["hosts"].items() if host in (None, name)]


def _bound(ax, value, text, high):
    """A line for a limit, if it is near enough to be seen beside the data."""
    if value <= max(high, 1) * 20:
        ax.axhline(value, color=_VERMILION, linewidth=1, linestyle="--")
        ax.set_ylim(top=max(ax.get_ylim()[1], value * 1.25))
        ax.annotate(text, (1, value), (-2, 1), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right", va="bottom", fontsize=7, color=_VERMILION)
    else:
        ax.annotate(f"{text} (above)", (1, 1), (-2, -2), xycoords="axes fraction", textcoords="offset points", ha="right", va="top", fontsize=7, color=_VERMILION)


# ---------------------------------------------------------------- over time


def cache(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records in the flow cache over time, of one host or summed over all. Episodes are shaded."""
    return _level(result, ax, "cache_records", "flow cache,\nrecords", host)


def purgatory(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records in purgatory over time, with the most that ever waited and its bound (of several hosts: the sums).

    Samples often fall just behind a poll, when purgatory is empty: the dotted line shows what they miss.
    """
    ax = _level(result, ax, "purgatory_records", "purgatory,\nrecords", host)
    bound = sum(h["netflow"]["purgatory_max"] for h in _hosts(result, host))
    frame = _series(result, host)
    if frame is not None:
        high = frame["purgatory_records"].max()
        if "purgatory_high_water" in frame:
            ax.step(frame["time"], frame["purgatory_high_water"].cummax(), where="post", color=_BLUE, linewidth=1, linestyle=":", label="most so far")
            high = max(high, frame["purgatory_high_water"].max())
            ax.legend(**_ABOVE)
        ax.set_ylim(0, max(high * 1.08, 1))
        _bound(ax, bound, f"bound {bound}", high)
    return ax


def heap(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Octets in use of the module's heap over time, with its limit, which memory pressure lowers."""
    ax = _level(result, ax, "heap_octets", "heap,\noctets", host)
    frame = _series(result, host)
    if frame is None:
        return ax
    hosts = result.scenario.resolved().data["hosts"]
    chosen = [name for name in hosts if host in (None, name)]
    times = np.unique(np.concatenate([frame["time"].to_numpy(), [t for e in _episodes(result) for t in e[:2]], [_end(result)]]))
    limit = np.zeros(len(times))
    for name in chosen:
        own = np.full(len(times), _quantity(hosts[name]["memory"]["netflow_heap"], _SIZES))
        for step in result.scenario.data.get("timeline", []):
            pressure = step.get("memory_pressure", {})
            if step.get("host") == name and "netflow_heap" in pressure:
                begin = _quantity(step["at"], _UNITS)
                end = begin + _quantity(step["for"], _UNITS) if "for" in step else math.inf
                own[(times >= begin) & (times < end)] = _quantity(pressure["netflow_heap"], _SIZES)
        limit += own
    ax.step(times, limit, where="post", color=_VERMILION, linewidth=1, linestyle="--", label="limit")
    ax.set_ylim(0, max(limit.max(), frame["heap_octets"].max()) * 1.1)
    ax.legend(**_ABOVE)
    return ax


def _link_use(result):
    """-> DataFrame time (s) x directed end: share of the link's rate in use since the sample before.

    A frame counts where it ends: one that took longer than a sample would make more than 1 of it.
    """
    table = result.links
    if table is None or len(table) == 0:
        return None
    frame = table.to_pandas()
    frame["time"] = frame["time_ms"] / 1e3
    frame["name"] = frame["link"].astype(str) + " from " + frame["from"].astype(str)
    octets = frame.pivot(index="time", columns="name", values="octets")
    rate = frame.pivot(index="time", columns="name", values="rate_bps").astype(float)
    seconds = np.diff(octets.index, prepend=np.nan)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        # the rate may have changed since the sample before: the higher of both is what was possible
        possible = np.fmax(rate.to_numpy(), rate.shift().to_numpy()) * seconds
        use = octets.diff().to_numpy() * 8 / possible
    return pd.DataFrame(use, octets.index, octets.columns).clip(upper=1)


def links(result: Result, ax: Optional[Axes] = None, count: int = 4) -> Axes:
    """Use of the links over time, as a share of their rate, in the direction from one end; the `count` busiest ones."""
    ax = _axes(ax, (8, 2))
    use = _link_use(result)
    if use is None or use.shape[0] < 2:
        return _empty(ax, "no link was sampled")
    busiest = use.max().sort_values(ascending=False, kind="stable").index[:count]
    for name, colour, style in zip(busiest, (_BLUE, _ORANGE, _GREEN, _PURPLE, _SKY, _DARK) * 9, ("-", "--", "-.", ":") * 99):
        ax.step(use.index, use[name] * 100, where="pre", linewidth=1.2, color=colour, linestyle=style, label=name)
    ax.set_ylabel("link use,\n% of rate", fontsize=8, color=_DARK)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.legend(**{**_ABOVE, "ncols": 2 if len(busiest) > 2 else 4})
    _shade(ax, result)
    _time_axis(ax, result)
    return _plain(ax)


def _losses_over_time(result, host):
    """-> DataFrame: per sample and cause, what was lost since the sample before; the time in s is its index."""
    frame = _series(result, host)
    if frame is None:
        return None
    columns = {}
    for column in frame.columns:
        place, _, cause = column.partition("_")
        if place in _PLACES and cause in CAUSES:
            columns[cause] = columns.get(cause, 0) + frame[column].diff().fillna(frame[column])
    lost = pd.DataFrame(columns)
    lost.index = frame["time"]
    return lost.loc[:, lost.sum() > 0]


def drops(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """What was lost over time, stacked by cause: records; packets where no record was made (no_memory, cache_full)."""
    ax = _axes(ax, (8, 2))
    lost = _losses_over_time(result, host)
    if lost is None:
        return _empty(ax, "no series was recorded")
    ax.set_ylabel("lost,\nper sample", fontsize=8, color=_DARK)
    if lost.shape[1] == 0:
        ax.text(0.5, 0.5, "nothing was lost", transform=ax.transAxes, ha="center", va="center", color=COLLECTED, fontsize=9)
        ax.set_yticks([])
    else:
        order = [cause for cause in CAUSES if cause in lost]
        time, below = lost.index.to_numpy(), np.zeros(len(lost))
        width = np.diff(time).min() if len(time) > 1 else 1
        for cause in order:
            ax.bar(time - width, lost[cause], width, bottom=below, align="edge", label=cause, **cause_style(cause))
            below = below + lost[cause].to_numpy()
        ax.legend(**{**_ABOVE, "ncols": min(6, len(order))})
        ax.yaxis.set_major_formatter(FuncFormatter(_short))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    _shade(ax, result)
    _time_axis(ax, result)
    return _plain(ax)


def timeline(result: Result, ax: Any = None, host: Optional[str] = None) -> list[Axes]:
    """Flow cache, purgatory, heap, use of links and losses by cause over one time axis, episodes shaded and named.

    Parameters
    ----------
    result : Result
    ax : matplotlib.axes.Axes, optional
        Its place is divided among the panels; or five Axes. None: a new figure.
    host : str, optional
        One exporter; None: the sum over all.

    Returns
    -------
    list of matplotlib.axes.Axes
        The five panels, from top to bottom.
    """
    if ax is None:
        figure, panels = plt.subplots(5, figsize=(8.6, 7), sharex=True, layout="constrained")
        panels = list(panels)
        figure.align_ylabels(panels)
    elif isinstance(ax, (list, tuple, np.ndarray)):
        panels = list(ax)
    else:
        ax.set_axis_off()
        height = 1 / 5
        panels = [ax.inset_axes([0, 1 - (i + 0.85) * height, 1, 0.75 * height]) for i in range(5)]
    cache(result, panels[0], host)
    purgatory(result, panels[1], host)
    heap(result, panels[2], host)
    links(result, panels[3])
    drops(result, panels[4], host)
    for panel in panels[:-1]:
        panel.set_xlabel("")
        panel.tick_params(labelbottom=False)
    _shade(panels[0], result, names=True)
    return panels


# ---------------------------------------------------------------- where everything went


def fates(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Where everything went: packets, octets and records by their fate, collected first, as shares of what was seen."""
    ax = _axes(ax, (8, 2.2))
    ledger = result.ledger
    units = ("packets", "octets", "records")
    shown = []
    for row, unit in enumerate(reversed(units)):
        parts = [("collected", getattr(ledger.collected, unit))]
        parts += [(cause, getattr(ledger.lost[cause], unit)) for cause in CAUSES if cause in ledger.lost]
        parts += [(cause, getattr(counts, unit)) for cause, counts in sorted(ledger.lost.items()) if cause not in CAUSES]
        total = sum(value for _, value in parts)
        left = 0
        for cause, value in parts:
            if value == 0 or total == 0:
                continue
            share = value / total * 100
            style = {"facecolor": COLLECTED, "edgecolor": "white", "linewidth": 0} if cause == "collected" else cause_style(cause)
            ax.barh(row, share, left=left, height=0.7, **style)
            if share > 9:
                ax.text(left + share / 2, row, f"{_short(value)}\n{share:.1f}%", ha="center", va="center", fontsize=7, color="white" if cause != "live" else "black", bbox={"facecolor": style["facecolor"], "edgecolor": "none", "pad": 1})
            left += share
            if cause not in shown:
                shown.append(cause)
        ax.text(101, row, _short(total), va="center", fontsize=8, color=_DARK)
    ax.set_yticks(range(3), reversed(units))
    ax.set_xlim(0, 100)
    ax.set_xlabel("% of what was seen", fontsize=8, color=_DARK)
    order = ["collected"] + [c for c in CAUSES if c in shown] + [c for c in shown if c not in CAUSES and c != "collected"]
    handles = [Patch(label=c, **({"facecolor": COLLECTED} if c == "collected" else cause_style(c))) for c in order if c in shown]
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=6, fontsize=7.5, frameon=False)
    return _plain(ax, "x")


def _owners(result):
    """-> dict of address (int) to the name of who has it."""
    names = {}
    data = result.scenario.data
    for host, entry in data.get("hosts", {}).items():
        for vmk, nic in entry.get("vmknics", {}).items():
            names[_integer(nic["address"])] = f"{host}:{vmk}"
        for vm, machine in entry.get("vms", {}).items():
            for nic in machine["nics"]:
                names[_integer(nic["address"])] = vm
    for node, entry in data.get("nodes", {}).items():
        if "address" in entry:
            names[_integer(entry["address"])] = node
    return names


def _integer(address):
    a, b, c, d = (int(part) for part in address.partition("/")[0].split("."))
    return a << 24 | b << 16 | c << 8 | d


def _dotted(address):
    return ".".join(str(int(address) >> shift & 255) for shift in (24, 16, 8, 0))


def _by_sender(result):
    """-> DataFrame by sender's address: octets in truth and collected, and its name; most octets first."""
    truth = pd.Series(result.truth["octets"]).groupby(result.truth["src"]).sum()
    collected = pd.Series(result.collected["octets"]).groupby(result.collected["src"]).sum()
    frame = pd.DataFrame({"truth": truth, "collected": collected}).fillna(0)
    owners = _owners(result)
    frame["name"] = [owners.get(address, "") or _dotted(address) for address in frame.index]
    frame["address"] = [_dotted(address) for address in frame.index]
    return frame.sort_values("truth", ascending=False, kind="stable")


def _pairs(ax, frame, labels):
    """Two bars each, truth above collected, and the error behind them."""
    high = max(frame["truth"].max(), 1)
    for row, (truth, collected) in enumerate(zip(frame["truth"], frame["collected"])):
        ax.barh(row - 0.2, truth, 0.38, color=TRUTH)
        ax.barh(row + 0.2, collected, 0.38, color=COLLECTED)
        error = (collected - truth) / truth * 100 if truth else 0
        ax.text(max(truth, collected) + high * 0.01, row, f"{error:+.1f}%" if abs(error) >= 0.05 else "exact" if collected == truth else "±0.0%", va="center", fontsize=7.5, color=_DARK if abs(error) < 1 else _VERMILION)
    ax.set_yticks(range(len(frame)), labels)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.set_xlim(0, high * 1.12)
    ax.xaxis.set_major_formatter(FuncFormatter(_short))
    ax.set_xlabel("octets sent", fontsize=8, color=_DARK)
    ax.legend(handles=[Patch(color=TRUTH, label="truth"), Patch(color=COLLECTED, label="collected")], loc="lower right", fontsize=7.5, frameon=False)
    return _plain(ax, "x")


def vms(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Truth and what was collected, octets by VM (and vmknic) that sent them, with the error in %."""
    if result.truth is None or len(result.truth) == 0:
        return _empty(_axes(ax, (8, 2)), "no flow was seen")
    frame = _by_sender(result)
    known = set(_owners(result))
    frame = frame[[address in known for address in frame.index]].groupby("name", sort=False)[["truth", "collected"]].sum()
    if len(frame) == 0:
        return _empty(_axes(ax, (8, 2)), "no flow was sent by a VM of the scenario")
    shown = frame.head(16)
    ax = _pairs(_axes(ax, (8, 0.8 + 0.42 * len(shown))), shown, shown.index)
    if len(frame) > len(shown):
        ax.set_title(f"the {len(shown)} largest of {len(frame)}", fontsize=8, color=_DARK, loc="left")
    return ax


def top_talkers(result: Result, ax: Optional[Axes] = None, count: int = 10) -> Axes:
    """The `count` addresses that sent the most octets, truth beside what was collected."""
    if result.truth is None or len(result.truth) == 0:
        return _empty(_axes(ax, (8, 2)), "no flow was seen")
    frame = _by_sender(result).head(count)
    labels = [a if n == a else f"{n}  {a}" for n, a in zip(frame["name"], frame["address"])]
    return _pairs(_axes(ax, (8, 0.8 + 0.42 * len(frame))), frame, labels)


def flows(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Each flow's octets, truth against what was collected: on the diagonal nothing is missing, on the lower edge everything."""
    ax = _axes(ax, (4.2, 3.8))
    if result.truth is None or len(result.truth) == 0:
        return _empty(ax, "no flow was seen")
    key = "exporter vswitch src dst proto sport dport tos input".split()
    truth = pd.DataFrame(np.asarray(result.truth))[[*key, "octets"]]
    collected = pd.DataFrame(np.asarray(result.collected))[[*key, "octets"]].groupby(key, sort=False).sum()
    both = truth.join(collected.rename(columns={"octets": "collected"}), on=key).fillna({"collected": 0})
    floor = max(both["octets"].min() / 3, 0.5)
    spots = both.assign(collected=both["collected"].clip(lower=floor)).groupby(["octets", "collected"]).size().reset_index(name="flows")
    limits = (floor * 0.7, both["octets"].max() * 2)
    ax.plot(limits, limits, color=_GREY, linewidth=1)
    colour = np.where(spots["collected"] <= floor, _VERMILION, np.where(spots["collected"] < spots["octets"], _ORANGE, COLLECTED))
    ax.scatter(spots["octets"], spots["collected"], s=8 + 12 * np.log10(spots["flows"]), c=colour, alpha=0.75, linewidths=0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(limits)
    ax.set_ylim(limits)
    ax.set_xlabel("octets of the flow, truth", fontsize=8, color=_DARK)
    ax.set_ylabel("collected", fontsize=8, color=_DARK)
    whole = int((both["collected"] == both["octets"]).sum())
    none = int((both["collected"] == 0).sum())
    counts = ((COLLECTED, f"whole: {whole}"), (_ORANGE, f"in part: {len(both) - whole - none}"), (_VERMILION, f"nothing: {none}"))
    ax.legend(handles=[Patch(color=c, label=text) for c, text in counts], loc="upper left", fontsize=7.5, frameon=False)
    return _plain(ax, "both")


def export_delay(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Time from a record's expiry to its arrival at a collector, as a cumulative distribution by reason.

    A record expires in the first scan after its deadline: idle timeout after its last packet, or active timeout after its first
    one. Records that ended for another reason are taken to end with their last packet.
    """
    ax = _axes(ax, (4.2, 3.8))
    table = result.collected
    if table is None or len(table) == 0:
        return _empty(ax, "nothing was collected")
    hosts = result.scenario.resolved().data["hosts"]
    reasons = result.collected.names["reason"]
    settings = {name: (_quantity(hosts[name]["netflow"]["idle_timeout"], _UNITS), _quantity(hosts[name]["netflow"]["active_timeout"], _UNITS), _quantity(hosts[name]["uptime_at_start"], _UNITS)) for name in result.exporters}
    idle, active, boot = (np.array([settings[name][i] for name in result.exporters])[table["exporter"]] for i in range(3))
    ended = table["last_ms"] / 1e3
    is_idle = table["reason"] == reasons.index("idle") if "idle" in reasons else np.zeros(len(table), bool)
    is_active = table["reason"] == reasons.index("active") if "active" in reasons else np.zeros(len(table), bool)
    ended = np.where(is_idle, ended + idle, np.where(is_active, table["first_ms"] / 1e3 + active, ended))
    delay = table["received_ns"] / 1e9 - (ended - boot)
    for reason, colour, style in zip(reasons, (_BLUE, _ORANGE, _GREEN, _VERMILION, _PURPLE, _DARK), ("-", "--", "-.", ":", "-", "--")):
        part = np.sort(delay[table["reason"] == reasons.index(reason)])
        if len(part):
            ax.step(part, np.arange(1, len(part) + 1) / len(part) * 100, where="post", color=colour, linestyle=style, label=f"{reason} ({len(part)})", linewidth=1.4)
    ax.set_xlim(left=min(0, np.min(delay)))
    ax.set_ylim(0, 102)
    ax.set_xlabel("s from expiry to arrival", fontsize=8, color=_DARK)
    ax.set_ylabel("% of the records", fontsize=8, color=_DARK)
    ax.legend(loc="lower right", fontsize=7.5, frameon=False)
    return _plain(ax, "both")


# ---------------------------------------------------------------- the lab


def min_cut(scenario: Scenario) -> tuple[float, list[str]]:
    """The links that bound what all exporters together can send to the collectors.

    Parameters
    ----------
    scenario : Scenario
        Rates are those of the links; other traffic and episodes of the timeline are not counted.

    Returns
    -------
    (float, list of str)
        Bits a second, and the names of the links: a minimum cut, the one nearest to the collectors. ``(0.0, [])`` if nobody
        exports or no way leads there.
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


class _Lab:
    """Draws a lab: hosts with their VMs and vSwitches at the left, switches, collectors at the right."""

    HOST, COLUMN, ROW = 4.6, 3.4, 0.42  # width of a host, distance of columns, height of a line

    def __init__(self, ax, data, cut, used):
        self.ax, self.data, self.cut, self.used = ax, data, cut, used
        self.at = {}  # "node:port" or node -> (x, y)

    def box(self, x, y, width, height, colour, **style):
        shape = {"boxstyle": "round,pad=0,rounding_size=0.08", "linewidth": 1, "edgecolor": _GREY, "facecolor": colour, "zorder": 2}
        self.ax.add_patch(FancyBboxPatch((x, y), width, height, **{**shape, **style}))

    def text(self, x, y, text, **style):
        self.ax.text(x, y, text, **{"fontsize": 7.5, "color": _DARK, "va": "center", "zorder": 4, **style})

    def vswitch(self, name, entry, host, top):
        """-> y below it"""
        guests = [(vm, nic["portgroup"]) for vm, machine in host.get("vms", {}).items() for nic in machine["nics"]]
        guests += [(vmk, nic["portgroup"]) for vmk, nic in host.get("vmknics", {}).items()]
        mine = [guest for guest, group in guests if group in entry["portgroups"]]
        shown = mine if len(mine) <= 8 else [*mine[:7], f"and {len(mine) - 7} more"]
        height = max(len(shown), 1) * self.ROW
        middle = top - height / 2
        self.box(2.6, top - height + 0.06, 1.25, height - 0.12, "#D6E6F2", edgecolor=_BLUE)
        self.text(3.22, middle, name, ha="center")
        for i, guest in enumerate(shown):
            y = top - (i + 0.5) * self.ROW
            self.box(0.2, y - 0.15, 1.9, 0.3, "white" if not guest.startswith("vmk") else "#D9F0E8")
            self.text(1.15, y, guest, ha="center")
            self.ax.plot([2.1, 2.6], [y, y], color=_GREY, linewidth=1, zorder=1)
        for i, uplink in enumerate(entry.get("uplinks", [])):
            y = middle + ((len(entry["uplinks"]) - 1) / 2 - i) * 0.3
            self.ax.plot([3.85, self.HOST], [y, y], color=_GREY, linewidth=1, zorder=1)
            self.text(self.HOST + 0.06, y + 0.13, uplink, fontsize=6)
            yield_at = (self.HOST, y)
            self.at[uplink] = yield_at
        return top - height - 0.12

    def host(self, name, entry, top):
        y = top - 0.42
        ports = {}
        for vswitch, settings in entry["vswitches"].items():
            self.at = {}
            y = self.vswitch(vswitch, settings, entry, y)
            ports.update(self.at)
        self.box(0, y, self.HOST, top - y, "#F7F7F7", zorder=0)
        self.text(0.2, top - 0.2, name, fontsize=9, fontweight="bold")
        return y, {f"{name}:{port}": place for port, place in ports.items()}

    def draw(self):
        places, top = {}, 0.0
        for name, entry in self.data["hosts"].items():
            top, ports = self.host(name, entry, top)
            places.update(ports)
            top -= 0.35
        height = -top
        columns = _columns_of_nodes(self.data)
        for number, column in enumerate(columns):
            x = self.HOST + self.COLUMN * (number + 1) - 0.9
            for i, name in enumerate(column):
                y = -height * (i + 0.5) / len(column)
                places[name] = (x, y)
                self.node(name, x, y)
        self.wires(places)
        self.ax.set_xlim(-0.2, self.HOST + self.COLUMN * len(columns) + 0.4)
        self.ax.set_ylim(min(-height, -1.2) - 0.1, 0.35)
        self.ax.set_aspect("equal")
        self.ax.set_axis_off()

    def node(self, name, x, y):
        collector = self.data["nodes"][name]["kind"] == "collector"
        self.box(x - 0.9, y - 0.3, 1.8, 0.6, "#FCE8D5" if collector else "white", edgecolor=_ORANGE if collector else _DARK)
        self.text(x, y + (0.1 if collector else 0), name, ha="center")
        if collector:
            self.text(x, y - 0.14, self.data["nodes"][name]["address"].partition("/")[0], ha="center", fontsize=6)

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
            self.ax.plot([x0, x1], [y0, y1], color=_VERMILION if in_cut else _BLUE if used else _GREY, linewidth=3 if in_cut else 2 if used else 1, zorder=1, solid_capstyle="round", linestyle=(0, (4, 1.5)) if in_cut else "-")
            self.text((x0 + x1) / 2, (y0 + y1) / 2 + 0.14, link["rate"], ha="center", fontsize=6.5, color=_VERMILION if in_cut else _DARK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85})


def topology_size(result: Union[Result, Scenario]) -> tuple[float, float]:
    """-> (width, height) in inches that suit the topology of a result or scenario."""
    data = getattr(result, "scenario", result).resolved().data
    rows = 0
    for host in data["hosts"].values():
        groups = [nic["portgroup"] for vm in host["vms"].values() for nic in vm["nics"]] + [nic["portgroup"] for nic in host["vmknics"].values()]
        rows += 1.8 + sum(max(1, min(8, sum(group in vswitch["portgroups"] for group in groups))) + 0.3 for vswitch in host["vswitches"].values())
    width = _Lab.HOST + _Lab.COLUMN * len(_columns_of_nodes(data)) + 0.6
    return 9, max(1.6, 0.3 + 9 / width * _Lab.ROW * rows)


def topology(result: Union[Result, Scenario], ax: Optional[Axes] = None) -> Axes:
    """The lab: hosts with their VMs, vmknics and vSwitches, links with their rates, the way of the export (blue), and the links
    that bound it: the minimum cut (red, dashed). `result` may also be a Scenario."""
    scenario = getattr(result, "scenario", result)
    ax = _axes(ax, topology_size(scenario))
    lab = scenario.lab()
    capacity, cut = lab["capacity"]["bits_per_s"], lab["capacity"]["links"]
    used = {link for export in lab["exports"] for link in export["links"]}
    _Lab(ax, scenario.resolved().data, cut, used).draw()
    if cut:
        which = f"{', '.join(cut[:4])}{' and more' if len(cut) > 4 else ''} {'bounds' if len(cut) == 1 else 'bound'} it"
        ax.set_title(f"all exports together can send {_short(capacity)}bit/s: {which}", fontsize=8, color=_DARK, loc="left")
    return ax
