# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios, results and books in notebooks: HTML of the same pieces as the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import _core

#: States of what was left, for who does not know the metrics.
AT_END = "on the way when the run ended"
WORDS = {"live": "not exported when the run ended", "queued": "in purgatory when the run ended", "in_flight": AT_END}


def number(value: Any) -> str:
    """-> a number as all reports write it: digits in groups, whole numbers whole, others with six digits."""
    if value is None:
        return "nothing"
    whole = float(value).is_integer() and abs(value) < 1e15
    return (f"{int(value):,}" if whole else f"{value:,.6g}").replace(",", "\u202f")


def _bound(bound):
    ((word, value),) = bound.items()
    return (
        f"between {number(value[0])} and {number(value[1])}"
        if word == "between"
        else f"{word.replace('_', ' ')} {number(value)}"
    )


def templates() -> Any:
    """-> Jinja's environment of the package."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(number=number, bound=_bound)
    environment.globals["totals"] = _core.TOTALS
    return environment


def fragment(text: str, **values: Any) -> str:
    """-> HTML that stands by itself in a notebook: `text` is a template that calls the pieces."""
    template = (
        "{% import 'pieces.html.j2' as pieces %}<div class='enf'><style>{{ pieces.style() }}</style>" + text + "</div>"
    )
    return str(templates().from_string(template).render(**values))


def ledger(books: Any) -> str:
    return fragment("{{ pieces.fates(books) }}", books=books)


def result(one: Any) -> str:
    from .reporting import Figures

    return fragment(
        "<p><b>{{ one.name }}</b> {{ pieces.badge(one.verdict) }}</p>{{ pieces.numbers(one.summary, "
        "one.ledger) }}<div class='scroll'>{{ fates | safe }}</div>"
        "{{ pieces.fates(one.ledger) }}{{ pieces.expectations(one.expectations) }}",
        one=one,
        fates=Figures(one).fates(),
    )


def scenario(one: Any) -> str:
    """The lab as a drawing; of a scenario that is not valid, why."""
    from .reporting import Figures

    try:
        return fragment(
            "{{ pieces.lab(data) }}<div class='scroll'>{{ lab | safe }}</div>",
            data=one.resolved().data,
            lab=Figures(one).topology(),
        )
    except _core.ScenarioError as error:
        return fragment(
            "<p><b>{{ one.name or 'A scenario' }}</b> is not valid yet:</p><pre>{{ error }}</pre>",
            one=one,
            error=str(error),
        )
