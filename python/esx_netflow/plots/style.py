# SPDX-License-Identifier: GPL-2.0-only
"""Style of all figures: colours, axes, the time axis with its episodes, quantities of a scenario."""

from __future__ import annotations

import math
import re
from typing import Any, Optional

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from .. import _core
from ..showing import WORDS

BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442",
)  # fmt: skip
GREY, DARK, LIGHT = "#BBBBBB", "#444444", "#E8E8E8"
GOOD_INK, BAD_INK, VLAN_INK = "#00694F", "#A83F00", "#8A3D6B"  # of letters: those above are too pale for them
COLLECTED = GREEN
TRUTH = DARK

LINE_STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, (0, (1, 1))))  # of several lines in one panel

_KNOWN = {
    "no_memory": (BLUE, ""), "cache_full": (BLUE, "////"), "purgatory_full": (VERMILION, ""),
    "evicted": (VERMILION, "////"), "killed": (PURPLE, ""), "unloaded": (PURPLE, "////"),
    "switch_deleted": (PURPLE, "xxxx"), "send_failed": (DARK, ""), "no_route": (DARK, "////"), "ttl": (DARK, "...."),
    "mtu": (DARK, "\\\\"), "arp": (DARK, "xxxx"), "queue_disc": (ORANGE, "////"), "device_queue": (ORANGE, ""),
    "port": (ORANGE, "xxxx"), "vlan": (ORANGE, "...."), "link_down": (SKY, ""), "channel_error": (SKY, "////"),
    "network": (SKY, "xxxx"), "refused": (YELLOW, "////"), "socket_buffer": (YELLOW, ""),
    "not_decoded": (YELLOW, "xxxx"),
}  # fmt: skip


def styles_of(moves: dict[str, tuple[str, str, bool]]) -> dict[str, tuple[str, str]]:
    """-> the colour and hatching of each cause of loss, and of what is left. Causes that have no look yet take, in the
    order of the moves, what nobody has: first a colour of their place."""
    looks = dict(_KNOWN)
    place_of = {fate: place for place, fate, is_loss in moves.values() if is_loss}
    for cause in [cause for cause in place_of if cause not in looks]:
        near = [looks[other][0] for other in looks if place_of.get(other) == place_of[cause]]
        colours = dict.fromkeys([*near, *(colour for colour, _ in _KNOWN.values())])
        free = ((colour, hatch) for colour in colours for hatch in ("", "////", "xxxx", "....", "\\\\", "||||"))
        looks[cause] = next(look for look in free if look not in looks.values())
    return {**looks, "live": (GREY, ""), "queued": (GREY, "////"), "in_flight": (GREY, "xxxx")}


#: cause -> (colour, hatching). docs/metrics.md says what the causes mean.
CAUSES = styles_of(_core.MOVES)
# of the series' columns of lost records, in the order of a record's way
RECORD_PLACES = ("dropped", "discarded", "unsent", "lost")
PACKET_PLACES = ("shed",)  # of packets for which no record was begun


def cause_style(cause: str) -> dict[str, Any]:
    """-> dict of matplotlib's facecolor, hatch and edgecolor for a cause; one that is not known is black."""
    colour, hatch = CAUSES.get(cause, ("#000000", "...."))
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}


def word_of(cause: str) -> str:
    """-> a cause or state in words: those of the books, but for what was left at the end."""
    return WORDS.get(cause, cause)


# ---------------------------------------------------------------- what all figures share

ABOVE: dict[str, Any] = {
    "loc": "lower right", "bbox_to_anchor": (1.01, 0.93), "ncols": 4, "fontsize": 7, "frameon": False,
    "handlelength": 1.6, "columnspacing": 1.2,
}  # fmt: skip


def axes_for(ax: Optional[Axes], size: tuple[float, float]) -> Axes:
    if ax is not None:
        return ax
    return plt.subplots(figsize=size, layout="constrained")[1]


def plain(ax: Axes, grid: Any = "y") -> Axes:
    """The look of all figures."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
    ax.tick_params(colors=DARK, labelsize=8, length=3)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=LIGHT, linewidth=0.8)
    return ax


def short(value, _position=None):
    """12345678 -> 12.3M"""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def logarithmic(ax: Axes, name: str) -> None:
    """Axis "x" or "y": two decades or more are told as other numbers are; what is between would be a crowd where there
    is but one."""
    ax.set(**{f"{name}scale": "log"})
    axis: Any = getattr(ax, f"{name}axis")
    low, high = (math.log10(limit) for limit in sorted(axis.get_view_interval()))
    if math.ceil(low) + 1 > high:
        ax.set(**{f"{name}lim": (10.0 ** math.floor(low), 10.0 ** max(math.ceil(high), math.floor(low) + 1))})
    axis.set_major_formatter(FuncFormatter(short))
    axis.set_minor_formatter(NullFormatter())


def empty(ax, text):
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=DARK, fontsize=9)
    ax.set_xticks([])
    ax.set_yticks([])
    return plain(ax, None)


UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
SIZES = {"B": 1, "kB": 1000, "KiB": 1024, "MB": 1000**2, "MiB": 1024**2, "GB": 1000**3, "GiB": 1024**3}


def quantity(text, units):
    """ "1.5s" -> 1.5"""
    number, unit = re.fullmatch(r"([0-9.]+)\s*([A-Za-z]+)", str(text)).groups()
    return float(number) * units[unit]


def end_of(result):
    return result.summary["end_ns"] / 1e9


def episodes_of(result):
    """-> (begin, end, what) of the timeline's episodes, in s; instants have end == begin."""
    found = []
    for step in result.steps:
        at = quantity(step["at"], UNITS)
        what = _episode_name(step)
        if what is None:
            continue
        is_instant = any(key in step for key in _INSTANTS)
        end = at if is_instant else at + quantity(step["for"], UNITS) if "for" in step else end_of(result)
        found.append((at, min(end, end_of(result)), what))
    return found


_INSTANTS = ("signal", "power", "connected", "mac", "grow", "vmotion")


def _episode_name(step):
    where = step.get("link") or step.get("node")
    if "memory_pressure" in step:
        return "memory pressure"
    if "signal" in step:
        return f"{step['process']} {step['signal']}"
    if "down" in step:
        return f"{where} cut" if "link" in step else f"{where} down"
    if "set" in step:
        return f"{where} changed"
    if "power" in step:
        return f"{step['vm']} {step['power']}"
    if "connected" in step:
        return f"{step['vm']} {'' if step['connected'] else 'dis'}connected"
    if "mac" in step:
        return f"{step['vm']} changes its MAC"
    if "grow" in step:
        return f"{step['vm']} grows"
    if "vmotion" in step:
        return f"{step['vm']} moves to {step['vmotion']['to']}"
    return None


def shade_episodes(ax, result, names=False):
    together = {}  # episodes of one time share their name's place
    for begin, end, what in episodes_of(result):
        if end > begin:
            ax.axvspan(begin, end, color="#FFF3CD", zorder=0, linewidth=0)
        else:
            ax.axvline(begin, color=PURPLE, linewidth=1, linestyle=":", zorder=1)
        together.setdefault((begin, end), []).append(what)
    if not names:
        return
    for number, ((begin, end), what) in enumerate(together.items()):
        text = ", ".join(what if len(what) <= 3 else [*what[:2], f"and {len(what) - 2} more"])
        look = {"ha": "center", "fontsize": 7, "color": "#7A5C00", "annotation_clip": False}
        where, over = ((begin + end) / 2, 1), (0, 3 + 10 * (number % 2))
        ax.annotate(text, where, over, xycoords=("data", "axes fraction"), textcoords="offset points", **look)


def check_host(result, host):
    if host is not None and host not in result.exporters:
        raise ValueError(f"no exporter is {host}; there are {', '.join(result.exporters)}")


def series_of(result, host=None):
    """The series of one host, or the sum over all, with its time in s."""
    table = result.series
    if table is None or len(table) == 0:
        return None
    frame = pd.DataFrame(np.asarray(table))
    if host is not None:
        check_host(result, host)
        frame = frame[frame["exporter"] == result.exporters.index(host)]
    frame = frame.drop(columns="exporter").groupby("time_ns").sum().reset_index()
    frame["time"] = frame["time_ns"] / 1e9
    return frame


def time_axis(ax, result, label=True):
    ax.set_xlim(0, max(end_of(result), 1e-9))
    if label:
        ax.set_xlabel("simulated time, s", fontsize=8, color=DARK)


def peaks(result, ax, column, label, host, scales=None, size=(8, 2)) -> Axes:
    """The highest value of a level since the sample before, which samples by themselves miss: of one host, or of those
    with the highest ones. `scales`: by host, what it is divided by."""
    ax = axes_for(ax, size)
    frames = {name: series_of(result, name) for name in result.exporters if host in (None, name)}
    if host is not None and not frames:
        series_of(result, host)
    frames = {name: frame for name, frame in frames.items() if frame is not None}
    if not frames:
        return empty(ax, "no series was recorded")
    values = {name: frame[column] * (1 if scales is None else 100 / scales[name]) for name, frame in frames.items()}
    shown = sorted(values, key=lambda name: values[name].max(), reverse=True)[: len(LINE_STYLES)]
    for name, (colour, style) in zip(shown, LINE_STYLES):
        if len(frames) == 1:
            ax.fill_between(frames[name]["time"], values[name], step="pre", color=colour, alpha=0.25, linewidth=0)
        told = name if len(frames) > 1 else None
        ax.step(frames[name]["time"], values[name], where="pre", color=colour, ls=style, lw=1.2, label=told)
    if len(frames) > len(shown):
        ax.plot([], [], linestyle="none", label=f"and {len(frames) - len(shown)} with less")
    ax.set_ylabel(label, fontsize=8, color=DARK)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(FuncFormatter(short))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    if len(frames) > 1:
        ax.legend(**ABOVE)
    shade_episodes(ax, result)
    time_axis(ax, result)
    return plain(ax)


def draw_bound(ax, value, high):
    """A line for a limit, if it is near enough to be seen beside the data; the legend names it either way."""
    look = {"color": VERMILION, "linewidth": 1, "linestyle": "--"}
    if value <= max(high, 1) * 20:
        ax.axhline(value, **look, label=f"bound {value}")
        ax.set_ylim(top=max(ax.get_ylim()[1], value * 1.1))
    else:
        ax.plot([], [], **look, label=f"bound {value}, far above")
