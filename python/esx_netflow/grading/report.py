# SPDX-License-Identifier: GPL-2.0-only
"""A grade as text, tables, JSON, JUnit and Markdown."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pandas as pd

from .. import _core
from .patterns import plural


class Fault(NamedTuple):
    """One thing that is wrong with a store."""

    kind: str  #: datagrams, missing, extra, wrong, merged, process
    what: str  #: "octets is doubled"
    count: int  # type: ignore[assignment]
    detail: str  #: "12 records: protocol 17"
    example: str = ""
    fields: tuple[str, ...] = ()
    rows: frozenset = frozenset()

    @property
    def told(self) -> str:
        return ": ".join(filter(None, (self.what, self.detail)))

    def __str__(self) -> str:
        return "; for example ".join(filter(None, (self.told, self.example)))


class Grade:
    """A collector's store, compared with what it was sent.

    Attributes
    ----------
    verdict : str
        "pass" or "fail".
    faults : list of Fault
    records, rows, right : int
        Records that had to be stored (or their sums), rows that are, and how many records are right.
    columns : list of str
        Fields that were compared.
    missing, extra, wrong, datagrams : pandas.DataFrame
        Records that are not stored, rows of no record, values that differ (field, sent, stored, why), and what was sent
        (``missing``: as a whole).
    """

    def __init__(self, grading: Any, matching: Any, wrong: pd.DataFrame) -> None:
        self.name, self.format, self.columns = grading.sent.name, grading.store.format, grading.columns
        self.faults: list[Fault] = grading.faults
        self.records, self.rows = len(grading.truth), len(grading.stored)
        self.missing = grading.truth.iloc[matching.missing].query("not optional")
        self.extra, self.wrong = grading.stored.iloc[matching.extra], wrong
        self.datagrams = grading.sent.datagrams.assign(missing=grading.sent.datagrams.index.isin(grading.lost))
        self.kernel_drops = grading.options.kernel_drops
        self.right = matching.exact + len(matching.paired()[0]) - wrong["record"].nunique()
        self.notes: list[str] = grading.notes
        if times := [field for field in ("first", "last") if field in self.columns]:
            self.notes.append(
                f"tolerance: {' and '.join(times)} to {'1 s, as the store has them' if grading.resolution else '1 ms'}"
                "; all else exact"
            )

    @property
    def verdict(self) -> str:
        return "fail" if self.faults else "pass"

    @property
    def kernel(self) -> str:
        """The kernel's part in missing datagrams."""
        lost, drops = sum(f.count for f in self.faults if f.kind == "datagrams"), self.kernel_drops
        if not lost:
            return f"the kernel dropped {plural(drops, 'datagram')} of the collector's sockets" if drops else ""
        if drops is None:
            return "kernel drops: not known; missing datagrams may be the kernel's"
        if drops >= lost:
            return f"kernel drops: {drops}; the missing datagrams are the kernel's, which had no room for them"
        return (
            f"kernel drops: {drops}; at least {plural(lost - drops, 'datagram')} reached the collector and "
            f"{'is' if lost - drops == 1 else 'are'} not stored"
        )

    @property
    def _all_notes(self) -> list[str]:
        return ([self.kernel] if self.kernel else []) + self.notes

    @property
    def _counts(self) -> str:
        return (
            f"{plural(self.right, 'record')} of {self.records} right, {plural(self.rows, 'row')} stored ({self.format})"
        )

    def __str__(self) -> str:
        lines = [*map(str, self.faults), *self._all_notes, f"compared: {', '.join(self.columns)}"]
        return "\n  ".join([f"{self.name}: {self.verdict}; {self._counts}", *lines])

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        lost = self.datagrams.rename(columns={"exporter": "address", "name": "exporter"}).query("missing")
        return {
            **{
                name: getattr(self, name)
                for name in ("name", "verdict", "format", "records", "rows", "right", "kernel_drops")
            },
            "compared": self.columns,
            "faults": [
                {key: value for key, value in fault._asdict().items() if key != "rows"} for fault in self.faults
            ],
            "missing_datagrams": json.loads(
                lost[["exporter", "number", "sequence", "records"]].to_json(orient="records")
            ),
            "notes": self._all_notes,
        }

    def cases(self, suite: ElementTree.Element) -> None:
        """Adds a testcase for each thing that is compared to a testsuite of JUnit."""
        of = {
            "the collector runs to its end": ("process",),
            "every datagram is stored": ("datagrams",),
            "no record is missing": ("missing",),
            "nothing else is stored": ("extra", "merged"),
        }
        told = [(name, [f for f in self.faults if f.kind in kinds]) for name, kinds in of.items()]
        told += [
            (f"{field} as sent", [f for f in self.faults if f.kind == "wrong" and field in f.fields])
            for field in self.columns
        ]
        add_cases(
            suite,
            f"{self.name}.collector",
            [
                (name, [*map(str, faults), *([self.kernel] if faults and name.startswith("every") else [])])
                for name, faults in told
            ],
        )

    def to_markdown(self) -> str:
        rows = [
            " | ".join(text.replace("|", "\\|") for text in (fault.what, fault.detail, fault.example))
            for fault in self.faults
        ]
        table = (
            ["| fault | where | for example |", "|---|---|---|", *(f"| {row} |" for row in rows), ""] if rows else []
        )
        notes = [f"- {note}" for note in self._all_notes]
        return "\n".join([f"### {self.name}: {self.verdict}", "", self._counts, "", *table, *notes, ""])


def add_cases(suite: ElementTree.Element, of: str, told: list[tuple[str, list[str]]], tag: str = "failure") -> None:
    """Adds testcases with what is wrong of each to a testsuite of JUnit."""
    for name, faults in told:
        case = ElementTree.SubElement(suite, "testcase", classname=of, name=name)
        if faults:
            ElementTree.SubElement(case, tag, message=faults[0]).text = "\n".join(faults)
    suite.set("tests", str(len(suite.findall("testcase"))))
    for counted in ("failure", "error"):
        suite.set(f"{counted}s", str(len(suite.findall(f"testcase/{counted}"))))


def write_files(options: Any, suites: list[ElementTree.Element], markdown: list[str], answers: Any = None) -> None:
    """--junit, --markdown or --summary-md, and --json; -: standard output."""
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    text = {
        "junit": '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n",
        "markdown": "\n".join(markdown),
        "json": json.dumps(answers, indent=2) + "\n",
    }
    for name, path in vars(options).items():
        if name in text and path == "-":
            print(text[name], end="")
        elif name in text and path:
            _core.replace_file(path, text[name])
