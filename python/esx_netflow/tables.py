# SPDX-License-Identifier: GPL-2.0-only
"""Tables of a run: NumPy structured arrays that know the names behind their numbers."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from . import _core

NONE = 0xFFFF  # index of no name

_TABLES: dict[str, dict[str, Any]] = {table["name"]: table for table in _core.TABLES}
FILES: dict[str, str] = {name: table["file"] for name, table in _TABLES.items()}
_NS_PER_MS = 1_000_000


class _Column(NamedTuple):
    """A column as the program describes it (docs/tables.md)."""

    field: str  # its name in an array
    name: str  # its name in a file, and in pandas
    kind: str  # name, address, ms, signed (-1: an empty cell) or unsigned
    names: str  # the list of names that it is an index in


def _described(kind):
    return {column[0]: _Column(*column) for column in _TABLES[kind]["columns"]}


class Table(np.ndarray):
    """A table of a run: a NumPy structured array of shape (rows,), read-only, that shows the simulator's memory.

    Everything of NumPy works: ``table["octets"].sum()``, ``table[table["proto"] == 6]``; what is selected from a table is a
    table. Addresses are integers in host order. Names in the CSV file (``exporter``, ``vswitch``, ``cause`` …) are indices in a
    list of names; 65535 means none. Numbers that a row may lack are -1 there. `to_pandas` puts the names in their place.

    Attributes
    ----------
    kind : str
        "truth", "exported", "collected", "losses", "left", "records", "datagrams", "series" or "links".
    names : dict of str to list of str
        The lists of names by field.
    """

    kind: Optional[str] = None
    _lists: Any = None

    @classmethod
    def of(cls, array, kind, lists):
        """A view of `array`; nothing is copied."""
        table = array.view(cls)
        table.kind, table._lists = kind, lists
        return table

    def __array_finalize__(self, parent):
        self.kind = getattr(parent, "kind", None)
        self._lists = getattr(parent, "_lists", None)

    def __getitem__(self, key):
        part = super().__getitem__(key)
        if isinstance(part, Table) and part.dtype.names is None:
            return part.view(np.ndarray)
        return part

    def __reduce__(self):
        return _unpickle, (np.asarray(self), self.kind, self._lists)

    def _repr_html_(self):
        return self[:10].to_pandas()._repr_html_() + f"<p>{len(self)} rows of the table <i>{self.kind}</i></p>"

    @property
    def _fields(self) -> tuple[str, ...]:
        return self.dtype.names or ()

    def _columns(self) -> list[_Column]:
        described = _described(self.kind) if self.kind else {}
        return [column for field, column in described.items() if field in self._fields]

    @property
    def names(self) -> dict[str, list[str]]:
        return {column.field: self._lists[column.names] for column in self._columns() if column.names}

    @property
    def columns(self) -> list[str]:
        """Fields in the order of the CSV file of the same table."""
        return [column.field for column in self._columns()]

    def to_pandas(self) -> pd.DataFrame:
        """The same as a pandas DataFrame, with the columns of the CSV file of the same name (docs/formats.md).

        Returns
        -------
        pandas.DataFrame
            One row each. Names and IPv4 addresses (as dotted text) are categories; ``received_ns`` and ``time_ns`` become
            ``received_ms`` and ``time_ms``, float, simulated ms. There is no Python loop over rows.
        """
        columns = {}
        for field, name, kind, names in self._columns():
            values = self[field]
            if kind == "address":
                codes, addresses = pd.factorize(values)
                columns[name] = pd.Categorical.from_codes(codes, _core.dotted(addresses))
            elif kind == "name":
                codes = values.astype(np.int32)
                codes[values == NONE] = -1
                columns[name] = pd.Categorical.from_codes(codes, self._lists[names])
            else:
                columns[name] = values / _NS_PER_MS if kind == "ms" else values
        return pd.DataFrame(columns, copy=False)


def _unpickle(array, kind, lists):
    array.flags.writeable = False
    return Table.of(array, kind, lists)


def _addresses(texts):
    """Dotted texts to integers, without a loop over rows."""
    codes, unique = pd.factorize(texts)
    parts = pd.Series(unique).str.split(".", expand=True).astype(np.uint32).to_numpy() if len(unique) else np.zeros((0, 4), np.uint32)
    return (parts @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32))[codes] if len(unique) else np.zeros(0, np.uint32)


def read_csv(path, kind, lists):
    """The table in a CSV file of a result folder.

    Parameters
    ----------
    path : path-like
        Such as flows-truth.csv.
    kind : str
        As in `FILES`.
    lists : dict of str to list of str
        Lists of names by their key; names that are not in them are appended.

    Returns
    -------
    Table

    Raises
    ------
    RunError
        It is no such table; the text names the line.
    """
    try:
        return _read_csv(path, kind, lists)
    except (ValueError, TypeError, OverflowError) as error:
        raise _core.RunError(f"{path}: {error}") from None


def _numbers(array, field, values, source, texts=None):
    """Fills a column; what is no number of its kind is named. `texts`: the cells, if `values` are not"""
    try:
        with np.errstate(invalid="ignore"):
            array[field] = values
        wrong = array[field] != values
    except (ValueError, TypeError, OverflowError):
        wrong = pd.to_numeric(values, errors="coerce").isna()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"line {row + 2}: {source}: '{(values if texts is None else texts).iloc[row]}' is no number of this column")


def _check_cells(path):
    """pandas takes a line that ends early for one with empty cells."""
    with open(path, "rb") as file:
        data = file.read()
    header, _, rest = data.partition(b"\n")
    commas = header.count(b",")
    if b'"' not in data and rest.count(b",") != commas * rest.count(b"\n"):
        for number, line in enumerate(rest.split(b"\n"), 2):
            if line and line.count(b",") != commas:
                raise ValueError(f"line {number}: {line.count(b',') + 1} cells under {commas + 1} columns")


def _indices(values, known):
    """Names to their indices in `known`, to which new ones are appended."""
    codes, unique = pd.factorize(values)
    places = {name: index for index, name in enumerate(known)}
    for name in unique:
        if name and name not in places:
            places[name] = len(known)
            known.append(name)
    places[""] = NONE
    return np.array([places[name] for name in unique], np.int64)[codes] if len(unique) else NONE


def _read_csv(path, kind, lists):
    _check_cells(path)
    described = _described(kind)
    frame = pd.read_csv(path, dtype={c.name: str for c in described.values() if c.kind in ("name", "address", "signed")}, keep_default_na=False)
    array = np.zeros(len(frame), _TABLES[kind]["dtype"])
    for field, name, what, names in described.values():
        if name not in frame:
            raise ValueError(f"line 1: there is no column {name}")
        values = frame[name]
        if what == "address":
            array[field] = _addresses(values)
        elif what == "name":
            array[field] = _indices(values, lists.setdefault(names, []))
        elif what == "ms":
            _numbers(array, field, np.round(pd.to_numeric(values) * _NS_PER_MS), name)
        elif what == "signed":
            texts = values.where(values != "", "-1")
            _numbers(array, field, pd.to_numeric(texts, errors="coerce"), name, texts)
        else:
            _numbers(array, field, values, name)
    array.flags.writeable = False
    return Table.of(array, kind, lists)
