# SPDX-License-Identifier: GPL-2.0-only
"""What came of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from . import _core, tables
from .scenarios import Scenario


class Counts(NamedTuple):
    """Packets, their IP octets, and flow records."""

    packets: int
    octets: int
    records: int


_FILES = {
    "truth": "flows-truth.csv",
    "exported": "flows-exported.csv",
    "collected": "flows-collected.csv",
    "losses": "flows-lost.csv",
    "left": "flows-left.csv",
    "series": "series.csv",
    "links": "links.csv",
}


def _counts(entry):
    return Counts(entry["packets"], entry["octets"], entry["records"])


class Ledger(dict):
    """The books of a run: ``ledger[host][vswitch][move]`` is what moved, as `Counts` (docs/metrics.md lists the moves).

    Attributes
    ----------
    residual : Counts
        How far the books are off: all zero unless there is a bug.
    truth : Counts
        Metered and shed.
    exported : Counts
        In datagrams that were handed to a vmknic.
    collected : Counts
        In datagrams that a collector decoded; a copy does not count again.
    lost : dict of str to Counts
        By cause.
    left : dict of str to Counts
        What was neither collected nor lost when the run ended: ``live``, ``queued``, ``in_flight``.
    ignored : dict of str to Counts
        Frames that are not metered, by reason.
    """

    residual: Counts
    truth: Counts
    exported: Counts
    collected: Counts
    lost: dict[str, Counts]
    left: dict[str, Counts]
    ignored: dict[str, Counts]

    def __init__(self, hosts: dict[str, dict[str, dict[str, Counts]]], summary: dict[str, Any]) -> None:
        super().__init__(hosts)
        books = summary["ledger"]
        self.residual = _counts(summary["residual"])
        self.truth = _counts(books["truth"])
        self.exported = _counts(books["exported"])
        self.collected = _counts(books["collected"])
        self.lost = {cause: _counts(entry) for cause, entry in books["lost"].items()}
        self.left = {state: _counts(entry) for state, entry in books["left"].items()}
        self.ignored = {cause: _counts(entry) for cause, entry in books["ignored"].items()}

    def __reduce__(self):
        return _unpickle_ledger, (dict(self), self.__dict__)


def _unpickle_ledger(hosts, attributes):
    ledger = Ledger.__new__(Ledger)
    dict.__init__(ledger, hosts)
    ledger.__dict__.update(attributes)
    return ledger


class Result:
    """What came of a run; `esx_netflow.run` makes it, `Result.load` reads it from a result folder.

    Attributes
    ----------
    truth : Table
        Shape (flows,): totals of each flow, metered and shed.
    exported, collected : Table
        Shape (records,): records handed to a vmknic, and records as a collector decoded them (``received_ns``: simulated ns).
    losses : Table
        Shape (flows and causes,): what was lost.
    left : Table
        Shape (flows and states,): what was neither collected nor lost when the run ended. For each flow truth = collected + its
        losses + what is left of it.
    series : Table
        Shape (samples,): state and counters of each exporter's module, ``time_ns`` in simulated ns.
    links : Table
        Shape (samples,): what each end of a link sent, and what waits there.
    ledger : Ledger
        The books; ``ledger.residual.packets`` is 0 unless there is a bug.
    verdict : str
        "pass", "fail", "unbalanced" or "interrupted".
    expectations : list of dict
        name, measured, bound, pass.
    summary : dict
        What summary.json holds.
    console, log : dict of str to list of str
        Host to lines: what was typed and printed at the service console, and /var/log/vmkernel.
    exporters, collectors : list of str
        Names.
    scenario : Scenario
        With all defaults filled in; running it gives the same result.

    Results can be pickled; that copies the tables.
    """

    truth: tables.Table
    exported: tables.Table
    collected: tables.Table
    losses: tables.Table
    left: tables.Table
    series: tables.Table
    links: tables.Table
    ledger: Ledger
    summary: dict[str, Any]
    console: dict[str, list[str]]
    log: dict[str, list[str]]
    exporters: list[str]
    collectors: list[str]
    scenario: Scenario

    def __init__(self, summary, scenario, tables_by_name, lists, ledger, log, console, text=None):
        self.summary = summary
        self.scenario = scenario
        for name in _FILES:
            setattr(self, name, tables_by_name.get(name))
        self.exporters = lists.get("exporter", [])
        self.collectors = lists.get("collector", [])
        self.ledger = Ledger(ledger, summary)
        self.log = log
        self.console = console
        self._text = text

    @classmethod
    def _of_run(cls, raw):
        """From what _core.run gives."""
        lists = raw["names"]
        arrays = {name: tables.Table.of(raw[name], name, lists) for name in _FILES}
        ledger = {
            host: {vswitch: {move: Counts(*counts) for move, counts in moves.items()} for vswitch, moves in vswitches.items()}
            for host, vswitches in raw["ledger"].items()
        }
        scenario = Scenario(json.loads(raw["resolved"]))
        return cls(json.loads(raw["summary"]), scenario, arrays, lists, ledger, raw["log"], raw["console"], raw["text"])

    @classmethod
    def load(cls, folder: Union[str, os.PathLike[str]]) -> Result:
        """The result in a folder that ``esx-netflow run`` or ``run(..., out=)`` wrote.

        Parameters
        ----------
        folder : path-like

        Returns
        -------
        Result
            Tables that the scenario did not want written are None.

        Raises
        ------
        FileNotFoundError
            It is no result folder: ``summary.json`` is not there.
        RunError
            A file of it is broken; the text names the file and the place.
        """
        folder = Path(folder)
        if not (folder / "summary.json").exists():
            raise FileNotFoundError(f"{folder}: no summary.json, so this is no result folder")
        summary = json.loads(_core.read_summary(os.fspath(folder)))
        scenario = Scenario.load(folder / "resolved.yaml")
        lists = {
            "exporter": [host["name"] for host in summary["hosts"]],
            "collector": [collector["node"] for collector in summary["collectors"]],
        }
        arrays = {
            name: tables.read_csv(folder / file, name, lists) for name, file in _FILES.items() if (folder / file).is_file()
        }
        ledger = {
            host["name"]: {
                vswitch["name"]: {move: _counts(entry) for move, entry in vswitch["moves"].items()} for vswitch in host["vswitches"]
            }
            for host in summary["hosts"]
        }
        lines = {
            kind: {
                host: (folder / f"{host}.{kind}.log").read_text(encoding="utf-8", errors="replace").splitlines()
                for host in ledger
                if (folder / f"{host}.{kind}.log").is_file()
            }
            for kind in ("vmkernel", "console")
        }
        return cls(summary, scenario, arrays, lists, ledger, lines["vmkernel"], lines["console"])

    @property
    def name(self) -> str:
        return self.summary["name"]

    @property
    def residual(self) -> Counts:
        return self.ledger.residual

    @property
    def verdict(self) -> str:
        return self.summary["verdict"]

    @property
    def expectations(self) -> list[dict[str, Any]]:
        return self.summary["expectations"]

    @staticmethod
    def _metric_names(scenario: dict[str, Any]) -> list[str]:
        """The names in `metrics` that do not depend on what occurred, for a resolved scenario."""
        counted = [f"{name}.{unit}" for name in ("truth", "exported", "collected", "lost_ratio") for unit in Counts._fields]
        nodes = [name for name, node in (scenario.get("nodes") or {}).items() if node.get("kind") == "collector"]
        known = [f"{node}.{what}" for node in nodes for what in ("sequence_failures", "records_missing")]
        expected = [f"expect.{expectation['name']}" for expectation in scenario.get("expect") or []]
        return ["verdict", "flows", "flows_never_begun", "datagrams", *counted, *known, *expected]

    def metrics(self) -> dict[str, Any]:
        """The summary as one flat row, for tables of many runs.

        Returns
        -------
        dict of str to (int, float or str)
            ``verdict``, ``flows``, ``flows_never_begun``, ``datagrams``; sums over the exporters: ``truth.packets``, ``collected.octets`` and so on; ``lost.CAUSE.records`` and
            ``left.STATE.records`` for the causes and states that occurred; ``lost_ratio.packets``, ``.octets`` and ``.records``, 1 - collected / truth, what was left
            at the end not counted as lost; ``expect.NAME``, measured values; ``COLLECTOR.sequence_failures`` and
            ``COLLECTOR.records_missing``.
        """
        row: dict[str, Any] = {"verdict": self.verdict, **{name: self.summary[name] for name in ("flows", "flows_never_begun", "datagrams")}}
        for name in ("truth", "exported", "collected"):
            for unit, value in zip(Counts._fields, getattr(self.ledger, name)):
                row[f"{name}.{unit}"] = value
        for index, unit in enumerate(Counts._fields):
            lost = sum(counts[index] for counts in self.ledger.lost.values())
            seen = lost + self.ledger.collected[index]
            row[f"lost_ratio.{unit}"] = lost / seen if seen else 0.0
        for group in ("lost", "left"):
            for name, counts in sorted(getattr(self.ledger, group).items()):
                for unit, value in zip(Counts._fields, counts):
                    row[f"{group}.{name}.{unit}"] = value
        for collector in self.summary["collectors"]:
            row[f"{collector['node']}.sequence_failures"] = collector["sequence_failures"]
            row[f"{collector['node']}.records_missing"] = collector["records_missing"]
        for expectation in self.expectations:
            row[f"expect.{expectation['name']}"] = expectation["measured"]
        return row

    def __str__(self):
        if self._text is not None:
            return self._text
        lost, left = (
            ", ".join(f"{name} {counts.records}" for name, counts in group.items()) or "none" for group in (self.ledger.lost, self.ledger.left)
        )
        return (
            f"{self.name}: {self.verdict}; {self.summary['flows']} flows, {self.summary['flows_never_begun']} of them never begun, {self.ledger.truth.packets} packets seen, "
            f"{self.ledger.collected.packets} collected; records lost: {lost}; left: {left}; residual {self.residual.packets}"
        )

    def __repr__(self):
        return (
            f"<esx_netflow.Result {self.name}: {self.verdict}, {self.summary['flows']} flows, "
            f"{self.ledger.collected.records} records collected>"
        )
