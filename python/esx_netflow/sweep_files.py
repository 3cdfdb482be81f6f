# SPDX-License-Identifier: GPL-2.0-only
"""The files of `esx-netflow sweep`: the sweep.yaml that says what to run, and the table of what came out."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any, Union

import pandas as pd

from . import _core, running
from .scenarios import Scenario
from .sweep_points import seeds_of

_KEYS = ("version", "name", "summary", "scenario", "over", "points", "seeds", "keep", "expect")


class SweepFileError(ValueError):
    """A sweep file is wrong; the text says where and what is allowed."""


def read_sweep(path: running.PathLike) -> dict[str, Any]:
    """Reads a sweep file.

    Parameters
    ----------
    path : path-like
        A file, or the name of a sweep that comes with the package. YAML: ``version: 1``, ``name``, ``scenario`` (a path
        beside it), ``over`` (map of dotted path to list) or ``points`` (list of maps), ``seeds`` (a number of
        replications, or a list), ``keep``, ``expect`` (expectations in place of the scenario's).

    Returns
    -------
    dict
        name, and the arguments of `sweep`.

    Raises
    ------
    SweepFileError, ScenarioError
    """
    path = Path(_core.find_scenario(os.fspath(path), "scenarios/sweeps"))
    data = json.loads(_core.load_yaml(os.fspath(path)))

    def refuse(what):
        raise SweepFileError(f"{path}: {what}")

    for key in data:
        if key not in _KEYS:
            refuse(f"unknown key '{key}'; {_core.suggest(key, list(_KEYS))}")
    if data.get("version") != 1:
        refuse(f"version: {data.get('version', 'missing')}; allowed: 1")
    for key in ("name", "scenario"):
        if not isinstance(data.get(key), str):
            refuse(f"{key}: {'missing' if key not in data else data[key]}; a text is needed")
    if ("over" in data) == ("points" in data):
        refuse("one of over (a map of dotted path to list) and points (a list of maps) is needed")
    over = data.get("over", data.get("points"))
    if "over" in data and not (
        isinstance(over, dict) and over and all(isinstance(v, list) and v for v in over.values())
    ):
        refuse("over: a map of dotted path to a list of values is needed")
    if "points" in data and not (isinstance(over, list) and over and all(isinstance(p, dict) for p in over)):
        refuse("points: a list of maps of dotted path to value is needed")
    try:
        seeds = seeds_of(data.get("seeds", 1))
    except ValueError as error:
        refuse(str(error))
    keep = data.get("keep", "all")
    if keep not in ("all", "summary"):
        refuse(f"keep: {keep}; allowed: all, summary")
    scenario = Scenario.load(path.parent / data["scenario"])
    if "expect" in data:
        if not isinstance(data["expect"], list):
            refuse(f"expect: {data['expect']}; a list of expectations is needed")
        scenario["expect"] = data["expect"]
    return {"name": data["name"], "scenario": scenario, "over": over, "seeds": seeds, "keep": keep}


def write_table(table: pd.DataFrame, folder: running.PathLike, name: str = "table") -> Path:
    """Writes a table as Parquet where pyarrow is installed, else as CSV. Returns the path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import pyarrow  # noqa: F401

        suffix = "parquet"
    except ImportError:
        suffix = "csv"
    path = folder / f"{name}.{suffix}"
    octets: Union[str, bytes]
    if suffix == "parquet":
        plain = table.copy()
        for column in plain.columns:
            if plain[column].dtype == object and plain[column].map(type).nunique() > 1:
                plain[column] = plain[column].map(lambda v: None if v is None or v != v else str(v))
        buffer = io.BytesIO()
        plain.to_parquet(buffer)
        octets = buffer.getvalue()
    else:
        octets = table.to_csv(index=False, lineterminator="\n")
    _core.replace_file(os.fspath(path), octets)
    return path
