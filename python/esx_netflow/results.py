# SPDX-License-Identifier: GPL-2.0-only
"""Results of a run: tables, books, verdict."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional, Union

from . import _core, explaining, labs, showing, tables, talkers
from .explaining import FlowStory
from .scenarios import Scenario
from .talkers import Talkers


class Counts(NamedTuple):
    """Packets, their IP octets, and flow records."""

    packets: int
    octets: int
    records: int


def _said(*arguments: str, good: tuple[int, ...] = (0,)) -> str:
    """-> what the command line prints; RunError unless its exit code is good"""
    path = os.pathsep.join([os.fspath(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "esx_netflow", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    if done.returncode not in good:
        raise _core.RunError((done.stderr or done.stdout).strip())
    return done.stdout


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
        Data that was neither collected nor lost when the run ended: ``live``, ``queued``, ``in_flight``.
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

    def rows(self) -> list[tuple[str, Counts]]:
        """The books in words, place by place, without causes that are all 0."""
        lost = [(f"lost: {cause}", counts) for cause, counts in self.lost.items()]
        left = [(showing.WORDS.get(state, f"left at the end: {state}"), counts) for state, counts in self.left.items()]
        named = [("seen", self.truth), ("exported", self.exported), ("collected", self.collected)]
        return [*named, *(row for row in lost + left if any(row[1])), ("residual", self.residual)]

    def _repr_html_(self) -> str:
        return showing.ledger(self)

    def __reduce__(self):
        return _unpickle_ledger, (dict(self), self.__dict__)


def _unpickle_ledger(hosts, attributes):
    ledger = Ledger.__new__(Ledger)
    dict.__init__(ledger, hosts)
    ledger.__dict__.update(attributes)
    return ledger


class Result:
    """Result of a run; `esx_netflow.run` makes it, `Result.load` reads it from a result folder.

    Attributes
    ----------
    truth : Table
        Shape (flows,): totals of each flow, metered and shed.
    exported, collected : Table
        Shape (records,): records handed to a vmknic, and records as a collector decoded them (``received_ns``:
        simulated ns).
    losses : Table
        Shape (flows and causes,): what was lost.
    left : Table
        Shape (flows and states,): what was neither collected nor lost when the run ended. For each flow truth =
        collected + its losses + what is left of it.
    records : Table
        Shape (records and shed packets,): what became of every record; packets that were shed, by flow and cause, have
        ``output`` -1.
    datagrams : Table
        Shape (datagrams,): what became of every export datagram.
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
        Content of summary.json.
    console, log : dict of str to list of str
        Host to lines: what was typed and printed at the service console, and /var/log/vmkernel.
    exporters, collectors : list of str
        Names.
    scenario : Scenario or None
        With all defaults filled in; running it gives the same result. None: a script made it (``EsxResultsHelper``).

    Results can be pickled; that copies the tables.
    """

    truth: tables.Table
    exported: tables.Table
    collected: tables.Table
    losses: tables.Table
    left: tables.Table
    records: tables.Table
    datagrams: tables.Table
    series: tables.Table
    links: tables.Table
    ledger: Ledger
    summary: dict[str, Any]
    console: dict[str, list[str]]
    log: dict[str, list[str]]
    exporters: list[str]
    collectors: list[str]
    scenario: Optional[Scenario]

    def __init__(self, summary, scenario, tables_by_name, lists, ledger, log, console, text=None, folder="", lab=None):
        self.summary = summary
        self.scenario = scenario
        for name in tables.FILES:
            setattr(self, name, tables_by_name.get(name))
        lists.share([table for table in tables_by_name.values() if table is not None])
        lists.lab = lab or (scenario.data if scenario else None)
        lists.start = scenario.data["run"].get("wallclock_start") if scenario else None
        self.exporters = lists.get("exporter", [])
        self.collectors = lists.get("collector", [])
        self.ledger = Ledger(ledger, summary)
        self.log = log
        self.console = console
        self._text = text
        self._lists = lists
        self._folder = folder
        self._lab: Optional[dict[str, Any]] = lab
        self._resolved: Optional[dict[str, Any]] = None

    @classmethod
    def _of_run(cls, raw, folder=""):
        """From what _core.run gives."""
        lists = tables.Names(raw["names"])
        arrays = {name: tables.Table.of(raw[name], name, lists) for name in tables.FILES}
        ledger = {
            host: {
                vswitch: {move: Counts(*counts) for move, counts in moves.items()}
                for vswitch, moves in vswitches.items()
            }
            for host, vswitches in raw["ledger"].items()
        }
        scenario = Scenario(json.loads(raw["resolved"]))
        return cls(
            json.loads(raw["summary"]), scenario, arrays, lists, ledger, raw["log"], raw["console"], raw["text"], folder
        )

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
        return cls._load(Path(folder), tables.FILES)

    @classmethod
    def pieces(cls, folder: Union[str, os.PathLike[str]], table: str, rows: int = 1_000_000) -> Iterator[tables.Table]:
        """A table of a result folder, piece by piece: for one that is larger than memory.

        Parameters
        ----------
        folder : path-like
        table : str
            "truth", "records" or any other that a result has.
        rows : int
            Of a piece; the last has the rest.

        Yields
        ------
        Table
            Addresses are a category of its own in each.

        Examples
        --------
        >>> sum(piece["octets"].sum() for piece in Result.pieces("out/quickstart", "truth", rows=100))
        25108376
        """
        if table not in tables.FILES or rows < 1:
            raise ValueError(f"a table is one of {', '.join(tables.FILES)}, of 1 row or more a piece")
        lists = cls._load(Path(folder), ())._lists
        for piece in tables.pieces(Path(folder) / tables.FILES[table], table, lists, rows):
            piece._lists = copy.copy(lists)
            piece._lists.share([piece])
            yield piece

    @classmethod
    def _load(cls, folder, wanted):
        """With some of the tables, and without the scenario where lab.json says enough."""
        if not (folder / "summary.json").exists():
            raise FileNotFoundError(f"{folder}: no summary.json, so this is no result folder")
        summary = json.loads(_core.read_summary(os.fspath(folder)))
        lab = labs.read(folder / "lab.json")
        wants_scenario = wanted in (tables.FILES, ()) or lab is None
        scenario = (
            Scenario.load(folder / "resolved.yaml") if wants_scenario and (folder / "resolved.yaml").exists() else None
        )
        lists = tables.Names(
            exporter=[host["name"] for host in summary["hosts"]],
            collector=[collector["node"] for collector in summary["collectors"]],
        )
        files = {name: folder / file for name, file in tables.FILES.items() if name in wanted}
        arrays = {
            name: tables.read(file, name, lists)
            for name, file in files.items()
            if file.is_file() or file.with_suffix(".parquet").is_file()
        }
        ledger = {
            host["name"]: {
                vswitch["name"]: {move: _counts(entry) for move, entry in vswitch["moves"].items()}
                for vswitch in host["vswitches"]
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
        return cls(
            summary,
            scenario,
            arrays,
            lists,
            ledger,
            lines["vmkernel"],
            lines["console"],
            folder=os.fspath(folder),
            lab=lab,
        )

    def save(self, folder: Union[str, os.PathLike[str]]) -> None:
        """Writes a result folder that `load` reads, and ``esx-netflow report``, ``explain`` and ``talkers`` do.

        Parameters
        ----------
        folder : path-like
            Earlier results there are replaced. Tables are Parquet files where pyarrow is installed, else the CSV files
            of a run. Captures and esxtop's screens are what ``run(..., out=)`` alone writes.

        Raises
        ------
        RunError
            There is something else.
        """
        folder = Path(folder)
        if (
            folder.exists()
            and not (folder / "summary.json").is_file()
            and (not folder.is_dir() or any(folder.iterdir()))
        ):
            raise _core.RunError(f"{folder} is no result folder, so it is not replaced")
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{folder.name}-") as place:
            new = Path(place) / "new"
            new.mkdir()
            for name, file in tables.FILES.items():
                if getattr(self, name) is not None:
                    tables.write(getattr(self, name), new / file)
            (new / "summary.json").write_text(json.dumps(self.summary, indent=2) + "\n", encoding="utf-8")
            if self.scenario:
                self.scenario.save(new / "resolved.yaml")
            if self._lab:
                (new / "lab.json").write_text(json.dumps(self._lab, indent=2) + "\n", encoding="utf-8")
            for kind, lines in (("vmkernel", self.log), ("console", self.console)):
                for host, of in lines.items():
                    (new / f"{host}.{kind}.log").write_text("".join(f"{line}\n" for line in of), encoding="utf-8")
            if folder.exists():
                folder.rename(Path(place) / "old")
            new.rename(folder)

    @property
    def lab(self) -> dict[str, Any]:
        """``hosts``, ``nodes`` and ``links``: of the scenario with all defaults filled in, or else of lab.json, which
        looks the same."""
        if self._resolved is None and self.scenario is not None:
            self._resolved = self.scenario.resolved().data
        lab = self._resolved or self._lab
        if lab is None:
            raise _core.RunError(
                f"{self._folder}: no lab.json and no resolved.yaml, so nobody knows who has which address"
            )
        return lab

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The scenario's timeline; empty if a script made the result."""
        return self.scenario.data.get("timeline", []) if self.scenario else []

    def require(self, name: str) -> tables.Table:
        """A table; RunError if the result has none, which ``outputs.flows: false`` is the reason for."""
        table = getattr(self, name)
        if table is None:
            path = f"{self._folder}/{tables.FILES[name]}"
            raise _core.RunError(
                f"{path} cannot be read: is {self._folder} a result folder of this version, without 'outputs.flows: "
                "false'?"
            )
        return table

    def explain(
        self, flow: str, host: Optional[str] = None, vswitch: Optional[str] = None, protocol: Optional[str] = None
    ) -> list[FlowStory]:
        """Stories of flows, from their packets to the fate of their records.

        Parameters
        ----------
        flow : str
            ``SOURCE[:PORT]->DESTINATION[:PORT]``: addresses, or names of VMs, vmknics (``esx1:vmk0``) and collectors;
            ``*`` stands for any characters, no port for any port.
        host, vswitch, protocol : str, optional
            Only what this host exported, of this vSwitch, of this protocol (``tcp``, ``udp``, ``icmp`` or a number).

        Returns
        -------
        list of FlowStory
            One for each flow at each port that matches, in order of their first record. ``print`` tells it.

        Examples
        --------
        >>> print(result.explain("web1->db1:3306")[0])
        """
        return explaining.explain(self, flow, host, vswitch, protocol)

    def talkers(
        self,
        begin: Optional[float] = None,
        end: Optional[float] = None,
        top: int = 10,
        fan_out: int = 20,
        ports: int = 100,
        volume: float = 10.0,
    ) -> Talkers:
        """Top talkers, VMs and irregular addresses, by what was collected and, beside it, in truth.

        Parameters
        ----------
        begin, end : float, optional
            Simulated s; without them the whole run.
        top : int
            Talkers, and irregular addresses, of each vSwitch; 0: all.
        fan_out, ports : int
            From so many destinations, or ports of one destination, a source is irregular.
        volume : float
            The same from so many times the octets of its vSwitch's median source.

        Returns
        -------
        Talkers
            ``print`` shows what the command shows.
        """
        from_ns, to_ns = (None if time is None else round(time * 1e9) for time in (begin, end))
        return talkers.talkers(self, from_ns, to_ns, None, top, fan_out, ports, volume)

    def grade(self, store: Any, format: str = "auto", **options: Any) -> Any:
        """Compares what a real collector stored with what this run sent to it (``run --to`` or ``--collector``).

        Parameters
        ----------
        store : path-like, or list of path-like
            Files, folders or patterns.
        format : str
            "nfdump", "nfacctd", "goflow2", "logstash", "ft-analyzer", "esx-netflow", "any" (with `map` alone), or
            "auto": found by the columns.
        **options
            ``map``: dict of their column to ours, as "octets" or "first:s". ``aggregate``: list of columns, if the
            store holds sums by them. ``bin``: length of time bins in s. ``zone_hours``: east of UTC, of times without a
            zone. ``port``: of one of several collectors. ``kernel_drops``: datagrams that the kernel dropped of the
            collector's sockets, if known.

        Returns
        -------
        Grade
            ``verdict``, ``faults``, and the tables ``missing``, ``extra``, ``wrong`` and ``datagrams``; as text it says
            what is wrong.

        Raises
        ------
        RunError
            It cannot be compared: no or half a store, that of another run, an unknown format, or a result that is in no
            folder.
        """
        from .grading.grade import grade

        if not self._folder:
            raise _core.RunError("this result is in no folder: Result.load() the one that `esx-netflow run --to` wrote")
        return grade(self._folder, store, format, **options)

    def advise(self) -> str:
        """The text of ``esx-netflow advise``: for each host the longest ``-s`` and the smallest purgatory that lose
        nothing, each tried in a run. RunError: a script made the result."""
        if self.scenario is None:
            raise _core.RunError("advice needs a scenario to run again, and a script made this result")
        from .sweep_points import captures_of  # which needs this module

        scenario, captures = self.scenario.copy(), captures_of(self.scenario)
        for item in scenario.data["traffic"]:
            if item.get("file") in captures:
                item["file"] = os.path.abspath(captures[item["file"]])
        with tempfile.TemporaryDirectory(prefix="esx-netflow-") as place:
            scenario.save(Path(place) / "scenario.yaml")
            return _said("advise", f"{place}/scenario.yaml", good=(0, 1))

    def verify(self) -> str:
        """The text of ``esx-netflow verify``: whether an oracle that shares no code with the program finds the same in
        the captures.

        Raises
        ------
        RunError
            It disagrees; the text is what it says. Or there are no captures to judge by: ``run(..., out=,
            captures=True)`` keeps them.
        """
        if not self._folder:
            raise _core.RunError("there are no captures to judge by: run(..., out=, captures=True) keeps them")
        return _said("verify", self._folder)

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
        counted = [
            f"{name}.{unit}" for name in ("truth", "exported", "collected", "lost_ratio") for unit in Counts._fields
        ]
        nodes = [name for name, node in (scenario.get("nodes") or {}).items() if node.get("kind") == "collector"]
        known = [f"{node}.{what}" for node in nodes for what in ("sequence_failures", "records_missing")]
        expected = [f"expect.{expectation['name']}" for expectation in scenario.get("expect") or []]
        return ["verdict", *(key for key, *_ in _core.TOTALS), *counted, *known, *expected]

    def compare(self, other: Result) -> Any:
        """-> a `comparing.Comparison` of this run (a) and another one (b); `esx_netflow.compare` takes several of each,
        paired by seed."""
        from .comparing import compare

        return compare(self, other)

    def metrics(self) -> dict[str, Any]:
        """The summary as one flat row, for tables of many runs.

        Returns
        -------
        dict of str to (int, float or str)
            ``verdict``; the totals of ``summary.json``, such as ``flows``; sums over the exporters: ``truth.packets``,
            ``collected.octets`` and so on; ``lost.CAUSE.records`` and ``left.STATE.records`` for the causes and states
            that occurred; ``lost_ratio.packets``, ``.octets`` and ``.records``, 1 - collected / truth, what was left at
            the end not counted as lost; ``expect.NAME``, measured values; ``COLLECTOR.sequence_failures`` and
            ``COLLECTOR.records_missing``.
        """
        row: dict[str, Any] = {"verdict": self.verdict, **{key: self.summary[key] for key, *_ in _core.TOTALS}}
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

    def _repr_html_(self) -> str:
        return showing.result(self)

    def __str__(self):
        if self._text is not None:
            return self._text
        lost, left = (
            ", ".join(f"{name} {counts.records}" for name, counts in group.items()) or "none"
            for group in (self.ledger.lost, self.ledger.left)
        )
        totals = ", ".join(f"{self.summary[key]} {words}" for key, words, *_ in _core.TOTALS)
        return (
            f"{self.name}: {self.verdict}; {totals}, {self.ledger.truth.packets} packets seen, "
            f"{self.ledger.collected.packets} collected; records lost: {lost}; left: {left}; "
            f"residual {self.residual.packets}"
        )

    def __repr__(self):
        return (
            f"<esx_netflow.Result {self.name}: {self.verdict}, {self.summary['flows']} flows, "
            f"{self.ledger.collected.records} records collected>"
        )
