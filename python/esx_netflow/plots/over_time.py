# SPDX-License-Identifier: GPL-2.0-only
"""Figures over simulated time: records, memory, links, losses."""

from __future__ import annotations

import math
from typing import Any, Optional

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..results import Result
from .style import ABOVE, BLUE, CAUSES, COLLECTED, DARK, LINE_STYLES, PLACES, SHED, SIZES, UNITS, VERMILION, axes_for, cause_style, draw_bound, empty, end_of, episodes_of, hosts_of, level, plain, quantity, series_of, shade_episodes, short, time_axis


def cache(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records in the flow cache over time, of one host or summed over all. Episodes are shaded."""
    return level(result, ax, "cache_records", "flow cache,\nrecords", host)


def purgatory(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records in purgatory over time, with the most that ever waited and the bound; of several hosts each one, in % of its own bound.

    Samples often fall just behind a poll, when purgatory is empty: the dotted lines show what they miss.
    """
    if host is None and result.series is not None and len(result.exporters) > 1:
        return _purgatories(result, axes_for(ax, (8, 2)))
    ax = level(result, ax, "purgatory_records", "purgatory,\nrecords", host)
    frame = series_of(result, host)
    if frame is not None:
        bound = sum(h["netflow"]["purgatory_max"] for h in hosts_of(result, host))
        high = max(frame["purgatory_records"].max(), _high_water(frame).max())
        ax.step(frame["time"], _high_water(frame), where="post", color=BLUE, linewidth=1, linestyle=":", label="most so far")
        ax.set_ylim(0, max(high * 1.08, 1))
        draw_bound(ax, bound, high)
        ax.legend(**ABOVE)
    return ax


def _high_water(frame):
    """-> the most records that ever waited, by sample."""
    column = "purgatory_high_water" if "purgatory_high_water" in frame else "purgatory_records"
    return frame[column].cummax()


def _purgatories(result, ax):
    """Each host's purgatory in % of its bound: a sum would hide one that is full."""
    bounds = {name: result.scenario.resolved().data["hosts"][name]["netflow"]["purgatory_max"] for name in result.exporters}
    frames = {name: series_of(result, name) for name in result.exporters}
    share = {name: _high_water(frame).max() / bounds[name] * 100 for name, frame in frames.items()}
    fullest = sorted(share, key=share.get, reverse=True)[: len(LINE_STYLES)]
    for name, (colour, style) in zip(fullest, LINE_STYLES):
        time, scale = frames[name]["time"], 100 / bounds[name]
        ax.step(time, frames[name]["purgatory_records"] * scale, where="post", color=colour, linewidth=1.2, linestyle=style)
        ax.step(time, _high_water(frames[name]) * scale, where="post", color=colour, linewidth=1, linestyle=":")
        ax.plot([], [], color=colour, linestyle=style, linewidth=1.2, label=f"{name}, {bounds[name]}")
    ax.axhline(100, color=VERMILION, linewidth=1, linestyle="--", label="bound")
    ax.plot([], [], color=DARK, linewidth=1, linestyle=":", label="most so far")
    ax.set_ylim(0, 110)
    ax.set_ylabel("purgatory,\n% of bound", fontsize=8, color=DARK)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.legend(**{**ABOVE, "ncols": len(fullest) + 2})
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


def heap(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Octets in use of the module's heap over time, with its limit, which memory pressure lowers."""
    ax = level(result, ax, "heap_octets", "heap,\noctets", host)
    frame = series_of(result, host)
    if frame is None:
        return ax
    hosts = result.scenario.resolved().data["hosts"]
    chosen = [name for name in hosts if host in (None, name)]
    times = np.unique(np.concatenate([frame["time"].to_numpy(), [t for e in episodes_of(result) for t in e[:2]], [end_of(result)]]))
    limit = np.zeros(len(times))
    for name in chosen:
        own = np.full(len(times), quantity(hosts[name]["memory"]["netflow_heap"], SIZES))
        for step in result.scenario.data.get("timeline", []):
            pressure = step.get("memory_pressure", {})
            if step.get("host") == name and "netflow_heap" in pressure:
                begin = quantity(step["at"], UNITS)
                end = begin + quantity(step["for"], UNITS) if "for" in step else math.inf
                own[(times >= begin) & (times < end)] = quantity(pressure["netflow_heap"], SIZES)
        limit += own
    ax.step(times, limit, where="post", color=VERMILION, linewidth=1, linestyle="--", label="limit")
    ax.set_ylim(0, max(limit.max(), frame["heap_octets"].max()) * 1.1)
    ax.legend(**ABOVE)
    return ax


def link_use(result):
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
    ax = axes_for(ax, (8, 2))
    use = link_use(result)
    if use is None or use.shape[0] < 2:
        return empty(ax, "no link was sampled")
    busiest = use.max().sort_values(ascending=False, kind="stable").index[:count]
    for name, (colour, style) in zip(busiest, LINE_STYLES * count):
        ax.step(use.index, use[name] * 100, where="pre", linewidth=1.2, color=colour, linestyle=style, label=name)
    ax.set_ylabel("link use,\n% of rate", fontsize=8, color=DARK)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.legend(**{**ABOVE, "ncols": 2 if len(busiest) > 2 else 4})
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


def losses_over_time(result, host):
    """-> DataFrame: per sample and cause, what was lost since the sample before; the time in s is its index."""
    frame = series_of(result, host)
    if frame is None:
        return None
    columns = {}
    for column in frame.columns:
        place, _, cause = column.partition("_")
        if place in PLACES and cause in CAUSES:
            columns[cause] = columns.get(cause, 0) + frame[column].diff().fillna(frame[column])
    lost = pd.DataFrame(columns)
    lost.index = frame["time"]
    return lost.loc[:, lost.sum() > 0]


def drops(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """What was lost over time, stacked by cause: records; packets where no record was made (no_memory, cache_full)."""
    ax = axes_for(ax, (8, 2))
    lost = losses_over_time(result, host)
    if lost is None:
        return empty(ax, "no series was recorded")
    time = lost.index.to_numpy()
    width = np.diff(time).min() if len(time) > 1 else 1
    ax.set_ylabel(f"lost records,\nin {width:g} s", fontsize=8, color=DARK)
    if lost.shape[1] == 0:
        ax.text(0.5, 0.5, "nothing was lost", transform=ax.transAxes, ha="center", va="center", color=COLLECTED, fontsize=9)
        ax.set_yticks([])
    else:
        order = [cause for cause in CAUSES if cause in lost]
        below = np.zeros(len(lost))
        for cause in order:
            label = f"{cause} (packets)" if cause in SHED else cause
            ax.bar(time - width, lost[cause], width, bottom=below, align="edge", label=label, **cause_style(cause))
            below = below + lost[cause].to_numpy()
        ax.legend(**{**ABOVE, "ncols": min(6, len(order))})
        ax.yaxis.set_major_formatter(FuncFormatter(short))
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


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
    shade_episodes(panels[0], result, names=True)
    return panels
