# SPDX-License-Identifier: GPL-2.0-only
"""report.html: a run on one page that needs nothing else."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Union

from . import _core
from .results import Result

_LINES_SHOWN = 200  # of each log; a page must open
_SPOT_LIMIT = 3000  # beyond this many marks a figure holds them as an image


class _Figures:
    """Draws figures as SVG text: the same bytes for the same result, whatever the user's matplotlibrc says."""

    def __init__(self, result):
        self.result = result

    def svg(self, draw, size, panels=1):
        import matplotlib
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        settings = {**matplotlib.rcParamsDefault, "svg.hashsalt": "esx-netflow", "svg.fonttype": "path", "font.family": "DejaVu Sans"}
        settings.pop("backend", None)
        with matplotlib.rc_context(settings):
            figure = Figure(figsize=size, layout="constrained")
            FigureCanvasSVG(figure)
            axes = figure.subplots(panels, sharex=panels > 1)
            if panels > 1:
                figure.align_ylabels(list(axes))
            draw(self.result, ax=list(axes) if panels > 1 else axes)
            for collection in [c for a in figure.axes for c in a.collections]:
                if len(collection.get_offsets()) > _SPOT_LIMIT:
                    collection.set_rasterized(True)
            text = io.StringIO()
            figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True, dpi=144)
        svg = text.getvalue()
        return svg[svg.index("<svg") :]

    def all(self):
        from . import plots

        senders = [] if self.result.truth is None or len(self.result.truth) == 0 else plots.traffic.by_sender(self.result)
        rows = min(16, senders["name"][senders["home"]].nunique() or 1) if len(senders) else 1
        talkers = min(10, max(1, len(senders)))
        return {
            "topology": self.svg(plots.topology, plots.topology_size(self.result)),
            "fates": self.svg(plots.fates, (9, 2.3)),
            "timeline": self.svg(plots.timeline, (9, 8.8), panels=6),
            "vms": self.svg(plots.vms, (9, 0.9 + 0.38 * rows)),
            "talkers": self.svg(plots.top_talkers, (9, 0.9 + 0.38 * talkers)),
            "flows": self.svg(plots.flows, (4.5, 4)),
            "delay": self.svg(plots.export_delay, (4.5, 4)),
        }


def _bound(bound):
    if "between" in bound:
        return f"between {bound['between'][0]:g} and {bound['between'][1]:g}"
    ((word, value),) = bound.items()
    return f"{word.replace('_', ' ')} {value:g}"


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


def report(result: Union[Result, str, os.PathLike[str]], path: Union[None, str, os.PathLike[str]] = None) -> str:
    """Makes the report of a run: verdict, lab, where everything went, timeline, truth and what was collected, logs.

    Parameters
    ----------
    result : Result or path-like
        Or a result folder.
    path : path-like, optional
        Where to write it, such as ``report.html``.

    Returns
    -------
    str
        The page: one HTML file with inline SVG, without scripts, that needs no network. Equal results give equal bytes. It holds no wall
        time, path or name of the machine.

    Raises
    ------
    FileNotFoundError
        The folder is no result folder.
    OSError
        `path` cannot be written.
    """
    import jinja2

    if not isinstance(result, Result):
        result = Result.load(result)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = lambda value: f"{value:,}".replace(",", "\u202f")
    environment.filters["measured"] = lambda value: "nothing" if value is None else f"{value:,.6g}".replace(",", "\u202f")
    page = environment.get_template("report.html.j2").render(
        result=result,
        ledger=result.ledger,
        summary=result.summary,
        told=result.scenario.data.get("summary", "") if result.scenario else "",
        expectations=[{**e, "bound": _bound(e["bound"])} for e in result.expectations],
        interfaces=_interfaces(result),
        figures=_Figures(result).all(),
        consoles={host: _excerpt(lines) for host, lines in result.console.items()},
        logs={host: _excerpt(lines) for host, lines in result.log.items()},
        resolved=result.scenario.to_yaml() if result.scenario else json.dumps(result.lab, indent=2),
    )
    if path is not None:
        _core.replace_file(os.fspath(path), page)
    return page
