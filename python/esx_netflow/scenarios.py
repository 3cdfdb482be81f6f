# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios as Python data. The schema and its only validator are the program's own."""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional, Union

from . import _core, showing
from .quantities import converted, text_of


_TOP = ("version", "name", "summary", "run", "hosts", "nodes", "links", "traffic", "timeline", "expect", "outputs")
_DEEPEST = 64  # of a scenario's data; a loop is deeper


class ScenarioWarning(UserWarning):
    """A warning that `esx-netflow run` gives before a run."""


def _plain(value):
    """Plain values of those that json cannot write: NumPy numbers and arrays, paths."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, timedelta):
        return text_of(value, "time")
    raise TypeError(f"a scenario cannot hold {value!r}")


def _unfit(value, place="", depth=0):
    """-> (dotted path, value) of the first value that JSON cannot hold"""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items if depth < _DEEPEST else ():
        try:
            json.dumps(child, default=_plain, allow_nan=False)
        except (TypeError, ValueError):
            step = f"{place}[{key}]" if isinstance(value, list) else f"{place}.{key}".lstrip(".")
            return _unfit(child, step, depth + 1)
    return place or "scenario", value


class Scenario:
    """A lab of ESX hosts, what happens in it, and what is expected.

    Parameters
    ----------
    data : dict, optional
        The scenario as a YAML file would say it (runner/scenario/scenario.schema.json documents every key).
    **parts
        Top-level keys in place of those of `data`: ``name``, ``run``, ``hosts``, ``nodes``, ``links``, ``traffic``,
        ``timeline``, ``expect``, ``outputs``. Without `data`, ``version`` is 1. Numbers and timedelta get their units,
        ``from_`` and ``for_`` are Python's names of ``from`` and ``for``; `Lab` builds the same by typed methods.

    Attributes
    ----------
    data : dict
        Plain dicts and lists, to be read and changed freely. Checked by `validate`, and before each run.

    Examples
    --------
    >>> scenario = Scenario.load("scenarios/quickstart.yaml")
    >>> scenario["hosts.esx1.netflow.purgatory_max"] = 64
    >>> scenario["links.collector-link.rate"] = "64kbps"
    >>> scenario.save("small.yaml")
    """

    data: dict[str, Any]

    def __init__(self, data: Optional[dict[str, Any]] = None, **parts: Any) -> None:
        from .scenario_parts import KINDS  # which needs this module

        given = {key: converted(part, KINDS["scenario"].get(key), KINDS) for key, part in parts.items()}
        self.data = {**copy.deepcopy(data), **given} if data is not None else {"version": 1, **given}
        self._text = ""  # the YAML it came from: messages tell its lines
        self._file = "scenario"

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> Scenario:
        """Reads a YAML file, or a scenario that comes with the package by its name.

        Raises
        ------
        ScenarioError
            It cannot be read, or is no YAML as scenarios need it.
        """
        path = _core.find_scenario(os.fspath(path))
        scenario = Scenario(json.loads(_core.load_yaml(path)))
        scenario._text, scenario._file = Path(path).read_text(encoding="utf-8"), path
        return scenario

    @classmethod
    def from_yaml(cls, text: str, file: str = "scenario") -> Scenario:
        """Reads YAML text; `file` is what messages call it."""
        scenario = Scenario(json.loads(_core.parse_yaml(text, file)))
        scenario._text, scenario._file = text, file
        return scenario

    @classmethod
    def from_graph(cls, graph: Any) -> Scenario:
        """Makes a scenario that holds a drawn lab and runs for a minute; docs/formats.md says what a drawing is made
        of.

        Parameters
        ----------
        graph : path or networkx graph
            A file in DOT or GraphML, or a graph whose nodes have a ``kind``. Links are in the order of its edges.

        Raises
        ------
        ScenarioError
            It is no drawing of a lab. Wrong values are found by `validate`.
        """
        from .drawing_import import scenario_of
        from .drawings import Drawing, read

        if hasattr(graph, "edges"):
            vertices = {str(node): dict(data) for node, data in graph.nodes(data=True)}
            drawing = Drawing(
                str(graph.graph.get("name") or "graph"),
                vertices,
                [(str(a), str(b), data) for a, b, data in graph.edges(data=True)],
            )
            file = drawing.name
        else:
            file = os.fspath(graph)
            try:
                data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            except OSError as error:
                raise _core.ScenarioError(f"{file}: cannot be read: {error.strerror}") from None
            drawing = read(data, file)
            drawing = drawing._replace(name=drawing.name or ("imported" if file == "-" else Path(file).stem))
        scenario = Scenario(scenario_of(drawing, file))
        scenario._file = file
        return scenario

    @property
    def name(self) -> Optional[str]:
        return self.data.get("name")

    def _json(self):
        try:
            return json.dumps(self.data, default=_plain, allow_nan=False)
        except (TypeError, ValueError) as error:
            place, value = _unfit(self.data)
            what = f"{value} is no number that a scenario can hold" if isinstance(value, float) else error
            raise _core.ScenarioError(f"{self._file}: {place}: {what}") from None

    def _check(self):
        return _core.check(self._json(), self._text, self._file)

    def validate(self) -> list[str]:
        """Checks form and sense, as `esx-netflow validate` does.

        Returns
        -------
        list of str
            Warnings.

        Raises
        ------
        ScenarioError
            With every error of the first stage that finds one: where it is written and what is allowed there.
        """
        return self._check()[2]

    def warn(self) -> None:
        """Checks, and gives the warnings to the `warnings` module."""
        for line in self.validate():
            warnings.warn(line, ScenarioWarning, stacklevel=3)

    def resolved(self) -> Scenario:
        """The scenario with all defaults filled in, as a new one."""
        return Scenario(json.loads(self._check()[0]))

    def lab(self) -> dict[str, Any]:
        """``lab`` of `esx-netflow validate --json`: the ways of the exports with their delays and single
        points of failure, the minimum cut, and blocked links.

        Raises
        ------
        ScenarioError
            As `validate`; also where switches have a loop and ``run.spanning_tree`` is not set.
        """
        return json.loads(self._check()[4])

    def to_dot(self) -> str:
        """The lab in Graphviz' language."""
        return self._check()[3]

    def to_yaml(self) -> str:
        """YAML text, which `from_yaml` reads back; unchanged since it was read: the text it was read from."""
        if self._text and json.loads(_core.parse_yaml(self._text, self._file)) == json.loads(self._json()):
            return self._text
        return _core.to_yaml(self._json())

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes `to_yaml` to a file, by way of a temporary one beside it; checks nothing."""
        _core.replace_file(os.fspath(path), self.to_yaml())

    def copy(self) -> Scenario:
        """An independent copy."""
        return copy.deepcopy(self)

    def varied(self, values: dict[str, Any]) -> Scenario:
        """A copy with other values.

        Parameters
        ----------
        values : dict
            Dotted path to value, such as ``{"hosts.esx1.netflow.purgatory_max": 64}``.
        """
        other = self.copy()
        for path, value in values.items():
            other[path] = value
        return other

    # ---- dotted paths

    def _find(self, path, make):
        """-> (the container, the key in it) of the last step of a path; `make`: adds maps that are not there."""
        place, rest = self.data, path
        while True:
            key, rest = _step(place, rest, path)
            if not rest:
                return place, key
            if isinstance(place, dict) and key not in place:
                if not make:
                    raise _missing(key, list(place), path)
                if place is self.data:
                    _refuse_unknown(key, [*_TOP, *(k for k in place if k not in _TOP)], path)
                elif place and any(place is parent for parent in _by_name(self.data)):
                    _refuse_unknown(key, list(place), path)
                place[key] = {}
            place = place[key]

    def _written(self, path):
        place, key = self._find(path, False)
        if isinstance(place, dict) and key not in place:
            raise _missing(key, list(place), path)
        return place[key]

    def __getitem__(self, path: str) -> Any:
        """The value that is written there, or else the default; ``path in scenario`` says whether it is written."""
        try:
            return self._written(path)
        except KeyError as error:
            try:
                resolved = self.resolved()
            except _core.ScenarioError:
                raise error from None
        return resolved._written(path)

    def _ipython_key_completions_(self):
        """Jupyter: ``scenario["hosts.<TAB>``, keys with defaults included."""
        try:
            return list(_paths(self.resolved().data))
        except _core.ScenarioError:
            return list(_paths(self.data))

    def __setitem__(self, path: str, value: Any) -> None:
        """Sets one value: ``scenario["links.collector-link.rate"] = "1Mbps"``.

        Steps are keys, ``[0]`` or the number of a list's item, or the ``name`` or ``id`` of one. Maps that are not
        there are made, but a path does not lead through a host, node, VM or vSwitch that is not there beside others:
        that is a typing error. Raises KeyError then, if a list has no such item, or if a path leads through a value.
        """
        place, key = self._find(path, True)
        place[key] = value

    def __delitem__(self, path: str) -> None:
        place, key = self._find(path, False)
        del place[key]

    def __contains__(self, path: str) -> bool:
        try:
            self._written(path)
        except KeyError:
            return False
        return True

    def __eq__(self, other):
        if not isinstance(other, Scenario):
            return NotImplemented
        return json.loads(self._json()) == json.loads(other._json())

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def _repr_html_(self) -> str:
        return showing.scenario(self)

    def __repr__(self):
        return f"<esx_netflow.Scenario {self.name}>"

    def __str__(self):
        return self.to_yaml()


def _by_name(data):
    """The maps whose keys are names of the user's choice."""
    hosts = data.get("hosts")
    yield from (m for m in (hosts, data.get("nodes")) if isinstance(m, dict))
    for host in hosts.values() if isinstance(hosts, dict) else ():
        yield from (
            host[k] for k in ("vms", "vswitches", "vmknics") if isinstance(host, dict) and isinstance(host.get(k), dict)
        )


def _paths(value, before=""):
    """The dotted paths of all that is in a scenario's data."""
    if isinstance(value, list):
        value = {
            next((str(item[k]) for k in ("id", "name") if isinstance(item, dict) and k in item), f"[{i}]"): item
            for i, item in enumerate(value)
        }
    for key, part in value.items() if isinstance(value, dict) else ():
        path = f"{before}.{key}".lstrip(".").replace(".[", "[")
        yield path
        yield from _paths(part, path)


def _missing(key, known, path):
    return KeyError(f"{path}: there is no '{key}'; {_core.suggest(key, known)}")


def _refuse_unknown(key, known, path):
    if key not in known and not key.startswith("x-"):
        raise _missing(key, known, path)


def _step(place, rest, path):
    """-> (key of the path's next step in `place`, the rest of the path). Names may hold dots: the longest counts."""
    if isinstance(place, dict):
        known = [key for key in place if rest == key or rest.startswith((key + ".", key + "["))]
        key = max(known, key=len) if known else re.split(r"[.\[]", rest, maxsplit=1)[0]
    elif isinstance(place, list):
        found = re.match(r"\[?(\d+)\]?(?=[.\[]|$)", rest)
        if found:
            if int(found[1]) >= len(place):
                raise KeyError(f"{path}: the list has {len(place)} items")
            return int(found[1]), rest[found.end() :].lstrip(".")
        items = {
            item[k]: i for k in ("id", "name") for i, item in enumerate(place) if isinstance(item, dict) and k in item
        }
        known = [name for name in items if rest == name or rest.startswith((name + ".", name + "["))]
        if not known:
            names = ", ".join(sorted(items)) or "numbers"
            raise KeyError(f"{path}: no item of the list is {rest.split('.')[0]}; there are {names}")
        key = max(known, key=len)
        return items[key], rest[len(key) :].lstrip(".")
    else:
        raise KeyError(f"{path}: leads through the value {place!r}")
    return key, rest[len(key) :].lstrip(".")
