# SPDX-License-Identifier: GPL-2.0-only
"""What a grade says: as text, tables, JSON, JUnit and Markdown."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pandas as pd

from .patterns import plural


class Fault(NamedTuple):
    """One thing that is wrong with a store."""

    kind: str  #: datagrams, missing, extra, wrong, merged
    what: str  #: "octets is doubled"
    count: int  # type: ignore[assignment]
    detail: str  #: "12 records: protocol 17"
    example: str = ""
    fields: tuple[str, ...] = ()
    rows: frozenset = frozenset()

    def __str__(self) -> str:
        return f"{self.what}: {self.detail}" + (f"; for example {self.example}" if self.example else "")


class Grade:
    """What a collector stored, compared with what it was sent.

    Attributes
    ----------
    verdict : str
        "pass" or "fail".
    faults : list of Fault
    records, rows, right : int
        Records that had to be stored (or their sums), rows that are, and how many records are right.
    columns : list of str
        What was compared.
    missing, extra, wrong, datagrams : pandas.DataFrame
        Records that are not stored, rows of no record, values that differ (field, sent, stored, why), and what was sent (``missing``: as a whole).
    """

    def __init__(self, grading: Any, matching: Any, wrong: pd.DataFrame) -> None:
        self.name, self.format, self.columns = grading.sent.name, grading.store.format, grading.columns
        self.faults: list[Fault] = grading.faults
        self.records, self.rows = len(grading.truth), len(grading.stored)
        optional = grading.truth["optional"].to_numpy(bool)
        self.missing = grading.truth.iloc[matching.missing[~optional[matching.missing]]]
        self.extra = grading.stored.iloc[matching.extra]
        self.wrong = wrong
        self.datagrams = grading.sent.datagrams.assign(missing=False)
        lost = getattr(grading, "lost_datagrams", ())
        self.datagrams.loc[list(lost), "missing"] = True
        self.kernel_drops = grading.options.kernel_drops
        self.right = matching.exact + len(matching.paired()[0]) - (wrong["record"].nunique() if len(wrong) else 0)
        self.notes = grading.notes + self._tolerances(grading)
        self.verdict = "fail" if self.faults else "pass"

    @staticmethod
    def _tolerances(grading: Any) -> list[str]:
        times = [field for field in ("first", "last") if field in grading.columns]
        if not times:
            return []
        unit = "1 s, as the store has them" if grading.resolution else "1 ms"
        return [f"tolerance: {' and '.join(times)} to {unit}; all else exact"]

    @property
    def kernel(self) -> str:
        """Whose fault missing datagrams are."""
        lost, drops = sum(f.count for f in self.faults if f.kind == "datagrams"), self.kernel_drops
        if not lost:
            return f"the kernel dropped {plural(drops, 'datagram')} of the collector's sockets" if drops else ""
        if drops is None:
            return "kernel drops: not known; missing datagrams may be the kernel's"
        if drops >= lost:
            return f"kernel drops: {drops}; the missing datagrams are the kernel's, which had no room for them"
        return f"kernel drops: {drops}; at least {plural(lost - drops, 'datagram')} reached the collector and {'is' if lost - drops == 1 else 'are'} not stored"

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.verdict}; {plural(self.right, 'record')} of {self.records} right, {plural(self.rows, 'row')} stored ({self.format})"]
        lines += [f"  {fault}" for fault in self.faults]
        lines += [f"  {self.kernel}"] if self.kernel else []
        lines += [f"  {note}" for note in self.notes]
        return "\n".join([*lines, f"  compared: {', '.join(self.columns)}"])

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "verdict": self.verdict,
            "format": self.format,
            "records": self.records,
            "rows": self.rows,
            "right": self.right,
            "compared": self.columns,
            "faults": [{key: value for key, value in fault._asdict().items() if key != "rows"} for fault in self.faults],
            "missing_datagrams": [
                {"exporter": row["name"], "number": int(row["number"]), "sequence": int(row["sequence"]), "records": int(row["records"])}
                for _, row in self.datagrams[self.datagrams["missing"]].iterrows()
            ],
            "kernel_drops": self.kernel_drops,
            "notes": self.notes + ([self.kernel] if self.kernel else []),
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2) + "\n"

    def cases(self, suite: ElementTree.Element) -> None:
        """Adds a testcase for each thing that is compared to a testsuite of JUnit."""
        of = {"every datagram is stored": ("datagrams",), "no record is missing": ("missing",), "nothing else is stored": ("extra", "merged")}
        told = [(name, [f for f in self.faults if f.kind in kinds]) for name, kinds in of.items()]
        told += [(f"{field} as sent", [f for f in self.faults if f.kind == "wrong" and field in f.fields]) for field in self.columns]
        if any(f.kind == "process" for f in self.faults):
            told.append(("the collector runs to its end", [f for f in self.faults if f.kind == "process"]))
        for name, faults in told:
            case = ElementTree.SubElement(suite, "testcase", classname=f"{self.name}.collector", name=name)
            if faults:
                text = "\n".join([*map(str, faults), *([self.kernel] if name.startswith("every") and self.kernel else [])])
                ElementTree.SubElement(case, "failure", message=faults[0].what).text = text
        suite.set("tests", str(len(suite.findall("testcase"))))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))

    def to_markdown(self) -> str:
        lines = [f"### {self.name}: {self.verdict}", "", f"{plural(self.right, 'record')} of {self.records} right, {plural(self.rows, 'row')} stored ({self.format})", ""]
        if self.faults:
            lines += ["| fault | where | for example |", "|---|---|---|"]
            lines += ["| " + " | ".join(text.replace("|", "\\|") for text in (fault.what, fault.detail, fault.example)) + " |" for fault in self.faults] + [""]
        return "\n".join([*lines, *(f"- {note}" for note in ([self.kernel] if self.kernel else []) + self.notes), ""])


def junit(grades: list[Grade]) -> str:
    root = ElementTree.Element("testsuites")
    for grade in grades:
        grade.cases(ElementTree.SubElement(root, "testsuite", name=grade.name))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
