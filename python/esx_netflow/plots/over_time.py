# SPDX-License-Identifier: GPL-2.0-only
"""Figures over simulated time: records, memory, links, losses."""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Optional

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..results import Result
from ..tables import NONE
from .style import (
    ABOVE, CAUSES, DARK, GOOD_INK, GREY, LINE_STYLES, ORANGE, PACKET_PLACES, RECORD_PLACES, SIZES, SKY, UNITS,
    VERMILION, YELLOW, axes_for, cause_style, check_host, draw_bound, empty, end_of, episodes_of, logarithmic, peaks,
    plain, quantity, series_of, shade_episodes, short, time_axis,
)  # fmt: skip


def cache(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records in the flow cache over time, the most since the sample before, by host. Episodes are shaded."""
    return peaks(result, ax, "cache_peak", "flow cache,\nrecords", host)


def purgatory(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records in purgatory over time, the most since the sample before, with the bound and where it overflowed; of
    several hosts each one, in % of its own bound: a sum would hide one that is full.
    """
    bounds = {name: result.lab["hosts"][name]["netflow"]["purgatory_max"] for name in result.exporters}
    several = host is None and len(bounds) > 1
    label = "purgatory,\n% of bound" if several else "purgatory,\nrecords"
    ax = peaks(result, ax, "purgatory_peak", label, host, bounds if several else None)
    frame = series_of(result, host)
    if frame is None:
        return ax
    if several:
        ax.set_ylim(0, 110)
        ax.axhline(100, color=VERMILION, linewidth=1, linestyle="--", label="bound")
    else:
        bound = bounds[host or result.exporters[0]]
        ax.set_ylim(0, max(frame["purgatory_peak"].max() * 1.08, 1))
        draw_bound(ax, bound, frame["purgatory_peak"].max())
    full = frame["dropped_purgatory_full"].diff().fillna(frame["dropped_purgatory_full"])
    if full.any():
        middle = frame["time"] - frame["time"].diff().fillna(0) / 2
        y, label = np.full((full > 0).sum(), 100 if several else bound), f"overflow: {short(full.sum())} records lost"
        ax.plot(middle[full > 0], y, "v", color=VERMILION, markersize=5, label=label)
    ax.legend(**ABOVE)
    return ax


def heap(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Octets of the module's heap over time, the most in use since the sample before, with the limit, which memory
    pressure lowers; of several hosts each one, in % of its own limit."""
    several = host is None and len(result.exporters) > 1
    frame = series_of(result, host)
    if frame is None:
        return peaks(result, ax, "heap_peak", "heap,\noctets", host)
    if several:
        times = series_of(result, result.exporters[0])["time"].to_numpy()
        limits = {name: _heap_limit(result, name, times) for name in result.exporters}
        # of the time that a peak is of
        before = {name: np.maximum(limit, np.concatenate([limit[:1], limit[:-1]])) for name, limit in limits.items()}
        ax = peaks(result, ax, "heap_peak", "heap,\n% of limit", host, before)
        ax.axhline(100, color=VERMILION, linewidth=1, linestyle="--", label="limit")
        ax.set_ylim(0, max(110, ax.get_ylim()[1]))
    else:
        ax = peaks(result, ax, "heap_peak", "heap,\noctets", host)
        steps = [t for e in episodes_of(result) for t in e[:2]]
        times = np.unique(np.concatenate([frame["time"].to_numpy(), steps, [end_of(result)]]))
        limit = _heap_limit(result, host or result.exporters[0], times)
        ax.step(times, limit, where="post", color=VERMILION, linewidth=1, linestyle="--", label="limit")
        ax.set_ylim(0, max(limit.max(), frame["heap_peak"].max()) * 1.1)
    ax.legend(**ABOVE)
    return ax


def _heap_limit(result, name, times):
    """-> octets, at each of the times: the setting, or what memory pressure makes of it."""
    limit = np.full(len(times), quantity(result.lab["hosts"][name]["memory"]["netflow_heap"], SIZES), float)
    for step in result.steps:
        pressure = step.get("memory_pressure", {})
        if step.get("host") == name and "netflow_heap" in pressure:
            begin = quantity(step["at"], UNITS)
            end = begin + quantity(step["for"], UNITS) if "for" in step else math.inf
            limit[(times >= begin) & (times < end)] = quantity(pressure["netflow_heap"], SIZES)
    return limit


_STATES = {"soft": YELLOW, "hard": ORANGE, "low": VERMILION}  # of a host's memory; high is none


def memory_hosts(result: Result, host: Optional[str] = None) -> list[str]:
    """-> the hosts whose memory is modelled"""
    table = result.series
    if table is None or len(table) == 0:
        return []
    modelled = set(np.unique(table["exporter"][table["memory_state"] != NONE]).tolist())
    return [name for index, name in enumerate(result.exporters) if index in modelled and host in (None, name)]


def memory(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Memory of the hosts over time, where it is modelled, in % of all: what is free, what ballooning and paging took
    from VMs, and at the top the states soft, hard and low; in the last two the module's heap may not grow."""
    check_host(result, host)
    ax = axes_for(ax, (8, 2))
    hosts = memory_hosts(result, host)[: len(LINE_STYLES)]
    if not hosts:
        return empty(ax, "no host's memory is modelled")
    names = result.series.names["memory_state"]
    seen = set()
    for number, (name, (colour, style)) in enumerate(zip(hosts, LINE_STYLES)):
        frame = series_of(result, name)
        of = f" of {name}" if len(hosts) > 1 else ""
        look = {"where": "post", "color": colour, "ls": style}
        ax.step(frame["time"], frame["memory_free"] / 10, **look, lw=1.2, label=f"free{of}")
        total = result.lab["hosts"][name].get("memory", {}).get("total")  # a script's lab does not tell
        for column, width in (("ballooned", 2.4), ("swapped", 4)):
            if total and frame[f"memory_{column}"].any():
                share = frame[f"memory_{column}"] / quantity(total, SIZES) * 100
                ax.step(frame["time"], share, **look, lw=width, alpha=0.4, label=f"{column}{of}")
        state = frame["memory_state"].map(lambda index: names[index])
        for begin, end, now in zip(frame["time"], frame["time"][1:], state):
            if now in _STATES:
                ax.axvspan(begin, end, 0.93 - 0.08 * number, 1 - 0.08 * number, color=_STATES[now], linewidth=0)
        seen.update(state)
    patches = [Patch(color=colour, label=state) for state, colour in _STATES.items() if state in seen]
    ax.legend(handles=[*ax.get_legend_handles_labels()[0], *patches], **{**ABOVE, "ncols": 7})
    ax.set_ylabel("host memory,\n%", fontsize=8, color=DARK)
    ax.set_ylim(0, max(ax.get_ylim()[1], 8) * (1.1 + 0.1 * len(hosts)))
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


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


def losses_over_time(result, host, places=RECORD_PLACES):
    """-> DataFrame by time in s and cause: what was lost at some places since the sample before."""
    frame = series_of(result, host)
    if frame is None:
        return None
    columns = {}
    for column in frame.columns:
        place, _, cause = column.partition("_")
        if place in places and cause in CAUSES:
            columns[cause] = columns.get(cause, 0) + frame[column].diff().fillna(frame[column])
    lost = pd.DataFrame(columns)
    lost.index = frame["time"]
    return lost.loc[:, lost.sum() > 0]


def _losses(result, ax, host, places, unit):
    ax = axes_for(ax, (8, 2))
    lost = losses_over_time(result, host, places)
    if lost is None:
        return empty(ax, "no series was recorded")
    time = lost.index.to_numpy()
    width = np.diff(time).max() if len(time) > 1 else 1
    ax.set_ylabel(f"{unit},\nin {width:g} s", fontsize=8, color=DARK)
    if lost.shape[1] == 0:
        ax.text(0.5, 0.5, f"no {unit}", transform=ax.transAxes, ha="center", va="center", color=GOOD_INK, fontsize=9)
        ax.set_yticks([])
        ax.set_ylabel("")
    else:
        order = [cause for cause in CAUSES if cause in lost]
        below = np.zeros(len(lost))
        for cause in order:
            ax.bar(time - width, lost[cause], width, bottom=below, align="edge", label=cause, **cause_style(cause))
            below = below + lost[cause].to_numpy()
        ax.legend(**{**ABOVE, "ncols": min(6, len(order))})
        ax.yaxis.set_major_formatter(FuncFormatter(short))
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


def drops(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Records that were lost over time, stacked by cause."""
    return _losses(result, ax, host, RECORD_PLACES, "lost records")


def shed(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """Packets that were shed over time, as no record could be begun for them, stacked by cause."""
    return _losses(result, ax, host, PACKET_PLACES, "shed packets")


def offered(result: Result, ax: Optional[Axes] = None, host: Optional[str] = None) -> Axes:
    """The input over time: packets that the vSwitches saw and flows that began, a second, on a logarithmic axis."""
    ax = axes_for(ax, (8, 2))
    frame = series_of(result, host)
    if frame is None or len(frame) < 2:
        return empty(ax, "no series was recorded")
    time = frame["time"].to_numpy()
    seconds = np.diff(time)
    rates = {"packets": np.diff(frame["packets_metered"] + frame["packets_shed"]) / seconds}
    if result.truth is not None:
        truth = result.truth if host is None else result.truth[result.truth["exporter"] == result.exporters.index(host)]
        hosts = result.lab["hosts"]
        boot = np.array([quantity(hosts[name]["uptime_at_start"], UNITS) for name in result.exporters] or [0.0])
        rates["flows that began"] = np.histogram(truth["first_ms"] / 1e3 - boot[truth["exporter"]], time)[0] / seconds
    for (name, rate), (colour, style) in zip(rates.items(), LINE_STYLES):
        rate = np.where(rate > 0, rate, np.nan)
        ax.step(time[1:], rate, where="pre", color=colour, ls=style, lw=1.2, label=name)
    logarithmic(ax, "y")
    ax.set_ylabel("seen,\na second", fontsize=8, color=DARK)
    ax.legend(**ABOVE)
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


_ROWS = 8  # of traffic


def _input_rows(result):
    """-> (name, begin, end, what, colour) of each traffic entry, and of each net-netflow that runs under a name."""
    traffic = (result.scenario.data.get("traffic") or []) if result.scenario else []
    rows = []
    for item in traffic[:_ROWS]:
        ends = [item[end] if isinstance(item[end], list) else [item[end]] for end in ("from", "to")]
        words = [", ".join(end[:2]) + (f" and {len(end) - 2} more" if len(end) > 2 else "") for end in ends]
        stop = quantity(item["stop"], UNITS) if "stop" in item else end_of(result)
        begin, what = quantity(item.get("start", "0s"), UNITS), f"{item['app']}, {words[0]} to {words[1]}"
        rows.append((item["name"], begin, stop, what, GREY))
    if len(traffic) > _ROWS:
        rows.append((f"and {len(traffic) - _ROWS} more", 0, 0, "", GREY))
    starts = [
        step for step in result.steps if "net-netflow" in step.get("run", "") and ("id" in step or "expect" not in step)
    ]
    for step in starts[:_ROWS]:
        mine = (s for s in result.steps if "id" in step and s.get("process") == step["id"] and "signal" in s)
        stop = next((quantity(s["at"], UNITS) for s in mine), end_of(result))
        period = re.search(r"\s-s\s*(\d+)", step["run"])
        what = f"net-netflow of {step['host']}, polls every {period[1] if period else 1000} ms"
        rows.append((step.get("id", step["host"]), quantity(step["at"], UNITS), stop, what, SKY))
    return [(name, begin, min(stop, end_of(result)), what, colour) for name, begin, stop, what, colour in rows]


def inputs(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Bars of what ran when: each traffic entry, and each net-netflow, by name."""
    rows = _input_rows(result)
    ax = axes_for(ax, (8, 0.6 + 0.22 * len(rows)))
    if not rows:
        return empty(ax, "no traffic, no net-netflow")
    for row, (_, begin, stop, what, colour) in enumerate(rows):
        ax.barh(row, max(stop - begin, 0), left=begin, height=0.8, color=colour, alpha=0.6)
        late = begin > end_of(result) / 2
        place, by, side = (stop if late else begin, row), (-3 if late else 3, 0), "right" if late else "left"
        ax.annotate(what, place, by, textcoords="offset points", va="center", ha=side, fontsize=7, color=DARK)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax, None)


def panel_heights(result: Result, host: Optional[str] = None) -> list[float]:
    """-> the heights of the panels of `timeline`, in inches, by what is in them."""
    lost = [losses_over_time(result, host, places) for places in (RECORD_PLACES, PACKET_PLACES)]
    return [
        0.15 + 0.2 * max(1, len(_input_rows(result))),
        *[1.2] * (6 if memory_hosts(result, host) else 5),
        *(0.4 if part is None or part.shape[1] == 0 else 1.2 for part in lost),
    ]


def timeline(result: Result, ax: Any = None, host: Optional[str] = None) -> list[Axes]:
    """Bars of what ran when, the input, flow cache, purgatory, heap, memory of the hosts where it is modelled, use of
    links, lost records and shed packets by cause over one time axis, episodes shaded and named.

    Parameters
    ----------
    result : Result
    ax : matplotlib.axes.Axes, optional
        Its place is divided among the panels; or as many Axes as there are panels. None: a new figure.
    host : str, optional
        One exporter; None: all.

    Returns
    -------
    list of matplotlib.axes.Axes
        The panels, from top to bottom: eight, or nine with memory.
    """
    heights = panel_heights(result, host)
    if ax is None:
        figure, panels = plt.subplots(
            len(heights),
            figsize=(8.6, sum(heights) + 1.6),
            sharex=True,
            layout="constrained",
            gridspec_kw={"height_ratios": heights},
        )
        panels = list(panels)
        figure.align_ylabels(panels)
    elif isinstance(ax, (list, tuple, np.ndarray)):
        panels = list(ax)
    else:
        ax.set_axis_off()
        tops = 1 - np.cumsum([0.0, *heights]) / sum(heights)
        panels = [
            ax.inset_axes([0, bottom + (top - bottom) * 0.15, 1, (top - bottom) * 0.75])
            for top, bottom in zip(tops, tops[1:])
        ]
    inputs(result, panels[0])
    draws: list[Callable[..., Axes]] = [
        offered,
        cache,
        purgatory,
        heap,
        memory,
        lambda one, panel, _: links(one, panel),
        drops,
        shed,
    ]
    for draw, panel in zip(
        draws if memory_hosts(result, host) else [one for one in draws if one is not memory], panels[1:]
    ):
        draw(result, panel, host)
    for panel in panels[:-1]:
        panel.set_xlabel("")
        panel.tick_params(labelbottom=False)
    shade_episodes(panels[0], result, names=True)
    return panels
