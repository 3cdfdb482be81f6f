# SPDX-License-Identifier: GPL-2.0-only
"""report.html: a run on one page that needs nothing else."""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
from typing import Sequence, Union

from . import _core, showing
from .results import Result

_LINES_SHOWN = 200  # of each log; a page must open
_WIDE, _HALF = 7.2, 5.6  # inches of a figure, and of one beside another
_SPOT_LIMIT = 3000  # beyond this many marks a figure holds them as an image


class Figures:
    """Draws figures as SVG text: the same bytes for the same result, whatever the user's matplotlibrc says."""

    def __init__(self, result):
        self.result = result

    def svg(self, draw, size, what, heights=()):
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        settings = {
            **matplotlib.rcParamsDefault,
            "svg.hashsalt": "esx-netflow",
            "svg.fonttype": "path",
            "font.family": "DejaVu Sans",
        }
        settings.pop("backend", None)
        with matplotlib.rc_context(settings):
            figure = Figure(figsize=size, layout="constrained")
            FigureCanvasSVG(figure)
            axes = figure.subplots(
                len(heights) or 1, sharex=bool(heights), gridspec_kw={"height_ratios": heights or [1]}
            )
            if heights:
                figure.align_ylabels(list(axes))
            draw(self.result, ax=list(axes) if heights else axes)
            for collection in [c for a in figure.axes for c in a.collections]:
                if len(collection.get_offsets()) > _SPOT_LIMIT:
                    collection.set_rasterized(True)
            text = io.StringIO()
            figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True, dpi=144)
        svg = text.getvalue()
        # names of clip paths are hashes of unrounded numbers, whose last digits depend on the order of matplotlib's
        # sets
        clips = dict.fromkeys(re.findall(r'id="(p[0-9a-f]{10})"', svg))
        salt = hashlib.sha256(re.sub(r"p[0-9a-f]{10}", "", svg).encode()).hexdigest()[:8]
        for number, clip in enumerate(clips):
            svg = svg.replace(clip, f"p{salt}-{number}")
        words = f'role="img" aria-label="{html.escape(what)}" style="--natural: {round(size[0] * 96)}px" '
        return svg[svg.index("<svg") :].replace("<svg ", "<svg " + words, 1)

    def topology(self):
        from . import plots

        return self.svg(
            plots.topology, plots.topology_size(self.result), "the lab: hosts, vSwitches, links, collectors"
        )

    def fates(self, wide=_WIDE):
        from . import plots

        return self.svg(
            plots.fates,
            (wide, 2.4),
            "shares of packets, octets and records by their fate; the table below has the numbers",
        )

    def all(self, wide=_WIDE):
        """The page's figures by name. _WIDE fits a tablet with letters that are large enough; phones scroll."""
        from . import plots

        def rows(end, most=10):
            empty = self.result.truth is None or len(self.result.truth) == 0
            return 1 if empty else min(most, max(1, len(plots.traffic.by_sender(self.result, end))))

        heights = plots.over_time.panel_heights(self.result)
        return {
            "topology": self.topology(),
            "fates": self.fates(wide),
            "timeline": self.svg(plots.timeline, (wide, sum(heights) + 2), "the run over simulated time", heights),
            "senders": self.svg(
                plots.top_talkers, (wide, 1 + 0.38 * rows("src")), "octets by sender, truth and collected"
            ),
            "receivers": self.svg(
                plots.receivers, (wide, 1 + 0.38 * rows("dst")), "octets by receiver, truth and collected"
            ),
            "flows": self.svg(plots.flows, (3.5, 3.5), "octets of each flow, truth against collected"),
            "delay": self.svg(plots.export_delay, (3.5, 3.5), "time from a record's expiry to its arrival, by reason"),
        }


def _interfaces(result):
    """-> rows: ports by which traffic entered, with what a collector sees of them."""
    if result.truth is None:
        return []
    frame = result.truth.to_pandas()
    keys = ["exporter", "vswitch", "engine", "input", "input_port"]
    sums = frame.groupby(keys, observed=True)[["packets", "octets"]].sum().reset_index()
    sums = sums.sort_values(["exporter", "engine", "input"], kind="stable")
    return [
        {
            "exporter": row.exporter,
            "vswitch": row.vswitch,
            "port": row.input_port,
            "id": row.input,
            "alternate": row.engine << 9 & 0xFFFF | row.input & 0x1FF,
            "packets": row.packets,
            "octets": row.octets,
        }
        for row in sums.head(64).itertuples()
    ]


def _excerpt(lines):
    if len(lines) <= _LINES_SHOWN:
        return "\n".join(lines)
    half = _LINES_SHOWN // 2
    return "\n".join([*lines[:half], f"… {len(lines) - 2 * half} lines …", *lines[-half:]])


Reported = Union[Result, str, "os.PathLike[str]"]


def report(result: Union[Reported, Sequence[Reported]], path: Union[None, str, os.PathLike[str]] = None) -> str:
    """Makes the report of a run: verdict, lab, where everything went, timeline, truth and what was collected, logs. Of
    several runs: their numbers and figures side by side.

    Parameters
    ----------
    result : Result or path-like, or a list of them
        Or result folders.
    path : path-like, optional
        Where to write it, such as ``report.html``.

    Returns
    -------
    str
        The page: one HTML file with inline SVG, without scripts, that needs no network. Equal results give equal bytes.
        It holds no wall time, path or name of the machine.

    Raises
    ------
    FileNotFoundError
        The folder is no result folder.
    OSError
        `path` cannot be written.
    """
    if isinstance(result, (Result, str, os.PathLike)):
        page = _of_one(result if isinstance(result, Result) else Result.load(result))
    else:
        page = _side_by_side([one if isinstance(one, Result) else Result.load(one) for one in result])
    if path is not None:
        _core.replace_file(os.fspath(path), page)
    return page


def _of_one(result):
    template = showing.templates().get_template("report.html.j2")
    return template.render(
        widest=1000,
        result=result,
        ledger=result.ledger,
        summary=result.summary,
        told=result.scenario.data.get("summary", "") if result.scenario else "",
        interfaces=_interfaces(result),
        figures=Figures(result).all(),
        consoles={host: _excerpt(lines) for host, lines in result.console.items()},
        logs={host: _excerpt(lines) for host, lines in result.log.items()},
        resolved=result.scenario.to_yaml() if result.scenario else json.dumps(result.lab, indent=2),
    )


def _numbers_of(result):
    """-> what runs are compared by, in words"""
    rows = {words: result.summary[key] for key, words, _, caption in _core.TOTALS if caption}
    for name, counts in result.ledger.rows():
        rows.update({f"{name}, {unit}": value for unit, value in zip(counts._fields, counts)})
    for collector in result.summary["collectors"]:
        rows[f"{collector['node']}: records missing in the sequence"] = collector["records_missing"]
    return {**rows, **{f"expected: {e['name']}": e["measured"] for e in result.expectations}}


def _side_by_side(results):
    if len(results) < 2:
        raise ValueError("runs side by side are two at least")
    names = [result.name for result in results]
    titles = [
        name if names.count(name) == 1 else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)
    ]
    numbers = [_numbers_of(result) for result in results]
    kinds = ("lost: ", *showing.WORDS.values(), "residual", "expected: ")
    rank = {
        name: next((place for place, kind in enumerate(kinds) if name.startswith(kind)), -1)
        for of in numbers
        for name in of
    }
    order = sorted(rank, key=rank.__getitem__)
    kept = [(name, [of.get(name, 0 if name.startswith("lost: ") else None) for of in numbers]) for name in order]
    together = zip(results, titles)
    runs = [{"result": one, "name": title, "figures": Figures(one).all(_HALF)} for one, title in together]
    rows = [row for row in kept if any(row[1])]
    return showing.templates().get_template("runs.html.j2").render(widest=1600, runs=runs, rows=rows)
