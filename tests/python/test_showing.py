# SPDX-License-Identifier: GPL-2.0-only
"""Results in notebooks: HTML of its own for results, books, scenarios."""

from html.parser import HTMLParser

import esx_netflow
from conftest import QUICKSTART
from esx_netflow import Lab, Scenario


def words(shown):
    """The texts of a fragment that stands by itself: every tag closed, nothing fetched."""

    class Seen(HTMLParser):
        texts, opened = [], []

        def handle_starttag(self, tag, attrs):
            assert (
                not {"src", "href"} & {name for name, value in attrs if not (value or "").startswith("#")}
                and tag != "script"
            )
            self.opened.append(tag)

        def handle_endtag(self, tag):
            assert self.opened.pop() == tag

        def handle_data(self, data):
            self.texts.append(data.strip())

    seen = Seen()
    seen.feed(shown)
    assert not seen.opened
    return [text for text in seen.texts if text]


def test_a_result_shows_verdict_headline_fates_and_expectations(quickstart):
    seen = words(quickstart._repr_html_())
    assert {"pass", "flows seen", "34\u202f487", "not exported when the run ended", "no record is lost", "met"} <= set(
        seen
    )
    assert quickstart._repr_html_().count("<svg") == 1


def test_a_ledger_shows_no_zeros(quickstart, losses):
    for result in (quickstart, losses):
        rows = dict(result.ledger.rows())
        assert all(any(counts) for name, counts in rows.items() if name != "residual")
        assert (
            sum(counts.packets for name, counts in rows.items() if name not in ("seen", "exported"))
            == rows["seen"].packets
        )
        assert set(rows) <= set(words(result.ledger._repr_html_()))


def test_a_scenario_shows_its_lab_or_why_it_is_none():
    assert (
        "quickstart" in words(Scenario.load(QUICKSTART)._repr_html_())
        and "<svg" in Scenario.load(QUICKSTART)._repr_html_()
    )
    lab = Lab("<b>half")
    shown = lab._repr_html_()
    assert "is not valid yet:" in words(shown) and "<b>half" in words(shown) and "<svg" not in shown


def test_what_is_shown_cannot_write_html():
    assert esx_netflow.showing.fragment("{{ word }}", word="<&>").endswith("&lt;&amp;&gt;</div>")
