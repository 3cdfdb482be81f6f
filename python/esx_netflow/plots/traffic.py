# SPDX-License-Identifier: GPL-2.0-only
"""Where records and octets went, by cause, sender and flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from .. import _core, labs
from ..results import Result
from ..showing import AT_END, number
from .style import (
    ABOVE, BAD_INK, BLUE, CAUSES, COLLECTED, DARK, GREEN, GREY, ORANGE, PURPLE, TRUTH, UNITS, VERMILION, axes_for,
    cause_style, empty, logarithmic, plain, quantity, short, word_of,
)  # fmt: skip

if TYPE_CHECKING:
    from ..comparing import Comparison


def fates(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Where everything went: packets, octets and records by their fate, collected first, as shares of what was seen."""
    ax = axes_for(ax, (8, 2.2))
    ledger = result.ledger
    units = ("packets", "octets", "records")
    shown = []
    for row, unit in enumerate(reversed(units)):
        parts = [("collected", getattr(ledger.collected, unit))]
        rest = {**ledger.lost, **ledger.left}
        parts += [(cause, getattr(rest[cause], unit)) for cause in CAUSES if cause in rest]
        parts += [(cause, getattr(counts, unit)) for cause, counts in sorted(rest.items()) if cause not in CAUSES]
        total = sum(value for _, value in parts)
        left = 0
        for cause, value in parts:
            if value == 0 or total == 0:
                continue
            share = value / total * 100
            style: dict[str, Any] = (
                {"facecolor": COLLECTED, "edgecolor": "white", "linewidth": 0}
                if cause == "collected"
                else cause_style(cause)
            )
            ax.barh(row, share, left=left, height=0.7, **style)
            if share > 9:
                text, box = f"{short(value)}\n{share:.1f}%", {"facecolor": "white", "edgecolor": "none", "pad": 1}
                ax.text(left + share / 2, row, text, ha="center", va="center", fontsize=7, color=DARK, bbox=box)
            left += share
            if cause not in shown:
                shown.append(cause)
        ax.text(101, row, short(total), va="center", fontsize=8, color=DARK)
    ax.set_yticks(range(3), reversed(units))
    ax.set_xlim(0, 100)
    ax.set_xlabel("% of what was seen", fontsize=8, color=DARK)
    order = (
        ["collected"] + [c for c in CAUSES if c in shown] + [c for c in shown if c not in CAUSES and c != "collected"]
    )
    handles = [
        Patch(label=word_of(c), **({"facecolor": COLLECTED} if c == "collected" else cause_style(c)))
        for c in order
        if c in shown
    ]
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, fontsize=7.5, frameon=False)
    return plain(ax, "x")


def by_sender(result, end="src"):
    """-> DataFrame by exporter, vSwitch and sender's address: octets in truth, collected and left (on the way at the
    end), its name, and whether it is at home there; most octets first. `end`: "dst" for receivers.

    A packet crosses every vSwitch on its way. Traffic of a VM or vmknic counts once: sent, at its own port; received,
    at its own vSwitch; if nothing of it was seen there, wherever it was seen.
    """
    place, keys = ["exporter", "vswitch", "input"], _core.address_keys
    tables = {
        table.kind: table.to_pandas().astype({"exporter": str, "vswitch": str}).assign(**{end: keys(table[end])})
        for table in (result.truth, result.collected, result.left)
    }
    frame = (
        pd.DataFrame({name: table.groupby([*place, end], sort=False)["octets"].sum() for name, table in tables.items()})
        .fillna(0)
        .reset_index()
    )
    frame = frame.rename(columns={end: "address"}).merge(
        tables["truth"][[*place, "input_port"]].drop_duplicates(place), on=place, how="left"
    )
    homes = {(nic.address, nic.host, nic.vswitch, nic.port if end == "src" else "") for nic in labs.nics(result.lab)}
    frame["home"] = [
        (row.address, row.exporter, row.vswitch, row.input_port if end == "src" else "") in homes
        for row in frame.itertuples()
    ]
    frame = frame[frame["home"] | ~frame["address"].isin(frame.loc[frame["home"], "address"])]
    frame = (
        frame.groupby(["exporter", "vswitch", "address", "home"], sort=False)[["truth", "collected", "left"]]
        .sum()
        .reset_index()
    )
    names = labs.names(result.lab)
    shown = {address: labs.shown(address) for address in frame["address"]}
    frame["name"] = [names.get(address, shown[address]) for address in frame["address"]]
    frame["address"] = frame["address"].map(shown)
    return frame.sort_values("truth", ascending=False, kind="stable")


def _percent(part, whole):
    return f"{part / whole * 100:.1f}%" if part / whole >= 0.0005 else "less than 0.1%"


def _error_text(truth, collected, left):
    """-> what is behind a pair of bars, and whether it is bad: what is on the way may yet come."""
    if collected == truth:
        return "exact", False
    lost = truth - collected - left
    parts = [f"{_percent(lost, truth)} lost"] if lost else []
    parts += [f"{_percent(left, truth)} {AT_END}"] if left else []
    return ", ".join(parts), bool(lost / truth >= 0.01)


def _pairs(ax, frame, labels, what="sent") -> Axes:
    """Two bars each, truth above collected, and behind them the number and the error. Where one is 200 times another
    the axis is logarithmic: small ones stay visible."""
    high = max(frame["truth"].max(), 1)
    low = frame["truth"][frame["truth"] > 0].min()
    log = high > 200 * low
    start = low / 3 if log else 0
    room = 7.2 / ax.figure.get_figwidth()  # of the text, more in narrow figures
    reach = high * (high / start) ** (0.75 * room) if log else high * (1 + 0.55 * room)
    for row, (truth, collected, left) in enumerate(zip(frame["truth"], frame["collected"], frame["left"])):
        ax.barh(row - 0.2, truth, 0.38, color=TRUTH)
        ax.barh(row + 0.2, collected, 0.38, color=COLLECTED)
        text, bad = _error_text(truth, collected, left)
        place, look = (
            (max(truth, collected, start), row),
            {"va": "center", "fontsize": 7.5, "textcoords": "offset points"},
        )
        ax.annotate(f"{short(truth)}, {text}", place, (4, 0), color=BAD_INK if bad else DARK, **look)
    ax.set_yticks(range(len(frame)), labels)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.set_xscale("log" if log else "linear")
    ax.set_xlim(start, reach)
    ax.xaxis.set_major_formatter(FuncFormatter(short))
    ax.set_xlabel(f"octets {what}" + (", logarithmic" if log else ""), fontsize=8, color=DARK)
    ax.legend(
        handles=[Patch(color=TRUTH, label="truth"), Patch(color=COLLECTED, label="collected")],
        **{**ABOVE, "bbox_to_anchor": (1.01, 1)},
    )
    return plain(ax, "x")


def vms(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Truth and what was collected, octets by VM (and vmknic) that sent them, counted once, at its own vSwitch; behind
    it in % what was lost, and what was live, queued or under way when the run ended ("on the way")."""
    if result.truth is None or len(result.truth) == 0:
        return empty(axes_for(ax, (8, 2)), "no flow was seen")
    frame = by_sender(result)
    frame = (
        frame[frame["home"]]
        .groupby("name", sort=False)[["truth", "collected", "left"]]
        .sum()
        .sort_values("truth", ascending=False, kind="stable")
    )
    if len(frame) == 0:
        return empty(axes_for(ax, (8, 2)), "no flow of a VM was seen at its own vSwitch")
    shown = frame.head(16)
    ax = _pairs(axes_for(ax, (8, 0.8 + 0.42 * len(shown))), shown, shown.index)
    if len(frame) > len(shown):
        ax.set_title(f"the {len(shown)} largest of {len(frame)}", fontsize=8, color=DARK, loc="left")
    return ax


def _largest(result, ax, count, end, what):
    if result.truth is None or len(result.truth) == 0:
        return empty(axes_for(ax, (8, 2)), "no flow was seen")
    frame = by_sender(result, end)
    switches = frame["exporter"] + "/" + frame["vswitch"]
    where = "  " + switches if switches.nunique() > 1 else switches.str.slice(stop=0)
    frame = frame.head(count)
    labels = [(a if n == a else f"{n}  {a}") + w for n, a, w in zip(frame["name"], frame["address"], where)]
    return _pairs(axes_for(ax, (8, 0.8 + 0.42 * len(frame))), frame, labels, what)


def top_talkers(result: Result, ax: Optional[Axes] = None, count: int = 10) -> Axes:
    """The `count` addresses that sent the most octets, truth beside what was collected, with the error as in `vms`."""
    return _largest(result, ax, count, "src", "sent")


def receivers(result: Result, ax: Optional[Axes] = None, count: int = 10) -> Axes:
    """The `count` addresses that received the most octets, as `top_talkers`."""
    return _largest(result, ax, count, "dst", "received")


def comparison(pairs: Comparison, ax: Optional[Axes] = None, count: int = 16) -> Axes:
    """The differences of two sets of runs, in % of the first, with confidence intervals; the `count` largest. Whose
    first mean is 0 are left out."""
    table = pairs.table[pairs.table["a"] != 0]
    ax = axes_for(ax, (8, 1 + 0.3 * min(count, len(table))))
    if len(table) == 0:
        return empty(ax, "no metric differs")
    percent = table[["difference", "low", "high"]].div(table["a"].abs(), axis=0) * 100
    percent = percent.loc[percent["difference"].abs().sort_values(ascending=False, kind="stable").index[:count]]
    for row, one in enumerate(percent.itertuples()):
        ax.plot([one.low, one.high], [row, row], color=GREY, linewidth=3, solid_capstyle="butt")
        ax.plot(one.difference, row, "o", color=BLUE, markersize=5)
    ax.axvline(0, color=DARK, linewidth=1)
    ax.set_yticks(range(len(percent)), percent.index)
    ax.set_ylim(len(percent) - 0.4, -0.6)
    label = f"difference, % of the first ({pairs.level:.0%} interval of {table['pairs'].iloc[0]} pairs)"
    ax.set_xlabel(label, fontsize=8, color=DARK)
    return plain(ax, "x")


FATES = {"whole": COLLECTED, f"rest {AT_END}": GREY, "lost in part": ORANGE, "lost": VERMILION}  # of a flow


def flows(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Each flow's octets at each vSwitch, truth against what was collected: on the diagonal nothing is missing, on the
    lower edge everything; what is on the way is grey, and not lost."""
    ax = axes_for(ax, (4.2, 3.8))
    if result.truth is None or len(result.truth) == 0:
        return empty(ax, "no flow was seen")
    key = "exporter vswitch src dst proto sport dport tos input".split()
    both = pd.DataFrame(np.asarray(result.truth))[[*key, "octets"]]
    for name in ("collected", "left"):
        part = pd.DataFrame(np.asarray(getattr(result, name)))[[*key, "octets"]].groupby(key, sort=False).sum()
        both = both.join(part.rename(columns={"octets": name}), on=key).fillna({name: 0})
    lost = both["octets"] - both["collected"] - both["left"]
    both["fate"] = np.select(
        [both["collected"] == both["octets"], lost == 0, lost < both["octets"]], list(FATES)[:3], "lost"
    )
    floor = max(both["octets"].min() / 3, 0.5)
    spots = (
        both.assign(collected=both["collected"].clip(lower=floor))
        .groupby(["octets", "collected", "fate"])
        .size()
        .reset_index(name="flows")
    )
    limits = (floor * 0.7, both["octets"].max() * 2)
    ax.plot(limits, limits, color=GREY, linewidth=1)
    sizes, colours = 8 + 12 * np.log10(spots["flows"]), spots["fate"].map(FATES)
    ax.scatter(spots["octets"], spots["collected"], s=sizes, c=colours, alpha=0.75, linewidths=0)
    ax.set(xlim=limits, ylim=limits)
    for name in "xy":
        logarithmic(ax, name)
    ax.set_xlabel("octets of the flow, truth", fontsize=8, color=DARK)
    ax.set_ylabel("collected", fontsize=8, color=DARK)
    counts = both["fate"].value_counts()
    handles = [Patch(color=c, label=f"{fate}: {number(counts.get(fate, 0))}") for fate, c in FATES.items()]
    ax.legend(handles=handles, loc="upper left", fontsize=7.5, frameon=False)
    return plain(ax, "both")


def export_delay(result: Result, ax: Optional[Axes] = None) -> Axes:
    """Time from a record's expiry to its arrival at a collector, as a cumulative distribution by reason.

    A record expires in the first scan after its deadline: idle timeout after its last packet, or active timeout after
    its first one. Records that ended for another reason are taken to end with their last packet.
    """
    ax = axes_for(ax, (4.2, 3.8))
    table = result.collected
    if table is None or len(table) == 0:
        return empty(ax, "nothing was collected")
    hosts = result.lab["hosts"]
    reasons = result.collected.names["reason"]
    settings = {
        name: (
            quantity(hosts[name]["netflow"]["idle_timeout"], UNITS),
            quantity(hosts[name]["netflow"]["active_timeout"], UNITS),
            quantity(hosts[name]["uptime_at_start"], UNITS),
        )
        for name in result.exporters
    }
    idle, active, boot = (
        np.array([settings[name][i] for name in result.exporters])[table["exporter"]] for i in range(3)
    )
    ended = table["last_ms"] / 1e3
    is_idle = table["reason"] == reasons.index("idle") if "idle" in reasons else np.zeros(len(table), bool)
    is_active = table["reason"] == reasons.index("active") if "active" in reasons else np.zeros(len(table), bool)
    ended = np.where(is_idle, ended + idle, np.where(is_active, table["first_ms"] / 1e3 + active, ended))
    delay = table["received_ns"] / 1e9 - (ended - boot)
    for reason, colour, style in zip(
        reasons, (BLUE, ORANGE, GREEN, VERMILION, PURPLE, DARK), ("-", "--", "-.", ":", "-", "--")
    ):
        part = np.sort(delay[table["reason"] == reasons.index(reason)])
        if len(part):
            y, label = np.arange(1, len(part) + 1) / len(part) * 100, f"{reason} ({number(len(part))})"
            ax.step(part, y, where="post", color=colour, ls=style, label=label, lw=1.4)
    ax.set_xlim(left=min(0, np.min(delay)))
    ax.set_ylim(0, 102)
    ax.set_xlabel("s from expiry to arrival", fontsize=8, color=DARK)
    ax.set_ylabel("% of the records", fontsize=8, color=DARK)
    ax.legend(**{**ABOVE, "bbox_to_anchor": (1.01, 1), "ncols": 3})
    return plain(ax, "both")
