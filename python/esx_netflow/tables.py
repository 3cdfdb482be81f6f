# SPDX-License-Identifier: GPL-2.0-only
"""Tables of a run: NumPy structured arrays that know the names behind their numbers."""

from __future__ import annotations

from typing import Any, Iterable, Optional

import numpy as np
import pandas as pd

from . import _core

NONE = 0xFFFF  # index of no name

_FLOW = (
    "exporter vswitch engine src dst proto sport dport tos input output packets octets first_ms last_ms tcp_flags "
    "reason datagram input_port output_port collector received_ns"
).split()
_NOT_IN: dict[str, set[str]] = {"truth": {"reason", "datagram", "collector", "received_ns"}, "exported": {"collector", "received_ns"}, "collected": set()}
_LINK = "time_ns link from rate_bps octets frames dropped queued".split()
_REST = "exporter vswitch src dst proto sport dport tos input {} packets octets records"
_LOSS, _LEFT = _REST.format("cause").split(), _REST.format("state").split()
# Which list of names a field is an index in.
_LISTS = {
    "exporter": "exporter",
    "collector": "collector",
    "vswitch": "vswitch",
    "input_port": "port",
    "output_port": "port",
    "reason": "reason",
    "cause": "cause",
    "state": "state",
    "link": "link",
    "from": "from",
}
_ADDRESSES = ("src", "dst")
_NS_PER_MS = 1_000_000


class Table(np.ndarray):
    """A table of a run: a NumPy structured array of shape (rows,), read-only, that shows the simulator's memory.

    Everything of NumPy works: ``table["octets"].sum()``, ``table[table["proto"] == 6]``; what is selected from a table is a
    table. Addresses are integers in host order. ``exporter``, ``collector``, ``vswitch``, ``input_port``, ``output_port``,
    ``reason``, ``cause``, ``state``, ``link`` and ``from`` are indices in lists of names; 65535 means none. `to_pandas` puts the names in their place.

    Attributes
    ----------
    kind : str
        "truth", "exported", "collected", "losses", "left", "series" or "links".
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

    @property
    def names(self) -> dict[str, list[str]]:
        return {field: self._lists[_LISTS[field]] for field in self._fields if field in _LISTS}

    @property
    def columns(self) -> list[str]:
        """Fields in the order of the CSV file of the same table, without those that mean nothing in it."""
        wanted: Iterable[str]
        if self.kind in _NOT_IN:
            wanted = [field for field in _FLOW if field not in _NOT_IN[self.kind]]
        elif self.kind == "losses":
            wanted = _LOSS
        elif self.kind == "left":
            wanted = _LEFT
        elif self.kind == "links":
            wanted = _LINK
        else:
            wanted = self._fields
        return [field for field in wanted if field in self._fields]

    def to_pandas(self) -> pd.DataFrame:
        """The same as a pandas DataFrame, with the columns of the CSV file of the same name (docs/formats.md).

        Returns
        -------
        pandas.DataFrame
            One row each. Names and IPv4 addresses (as dotted text) are categories; ``received_ns`` and ``time_ns`` become
            ``received_ms`` and ``time_ms``, float, simulated ms. There is no Python loop over rows.
        """
        columns = {}
        for field in self.columns:
            values = self[field]
            if field in _ADDRESSES:
                codes, addresses = pd.factorize(values)
                columns[field] = pd.Categorical.from_codes(codes, _core.dotted(addresses))
            elif field in _LISTS:
                codes = values.astype(np.int32)
                codes[values == NONE] = -1
                columns[field] = pd.Categorical.from_codes(codes, self._lists[_LISTS[field]])
            elif field.endswith("_ns"):
                columns[field[:-3] + "_ms"] = values / _NS_PER_MS
            else:
                columns[field] = values
        return pd.DataFrame(columns, copy=False)


def _unpickle(array, kind, lists):
    array.flags.writeable = False
    return Table.of(array, kind, lists)


def _dtype(kind, columns):
    if kind == "losses":
        return _core.LOSS
    if kind == "left":
        return _core.LEFT
    if kind == "links":
        return _core.LINK
    if kind == "series":
        return np.dtype([("time_ns", "<i8"), ("exporter", "<u8")] + [(c, "<u8") for c in columns if c not in ("time_ms", "exporter")])
    return _core.FLOW


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
        "truth", "exported", "collected", "losses", "left", "series" or "links".
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


def _numbers(array, field, values, source):
    """Fills a column; what is no number of its kind is named."""
    try:
        array[field] = values
        wrong = array[field] != values
    except (ValueError, TypeError, OverflowError):
        wrong = pd.to_numeric(values, errors="coerce").isna()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"line {row + 2}: {source}: '{values.iloc[row]}' is no number of this column")


def _check_cells(path):
    """pandas takes a line that ends early for one with empty cells."""
    with open(path, "rb") as file:
        data = file.read()
    header, _, rest = data.partition(b"\n")
    commas = header.count(b",")
    if b'"' not in data and rest.count(b",") != commas * rest.count(b"\n"):
        number = next((n for n, line in enumerate(rest.split(b"\n"), 2) if line and line.count(b",") != commas), 1)
        raise ValueError(f"line {number}: not as many cells as in line 1")


def _read_csv(path, kind, lists):
    _check_cells(path)
    texts = {name: str for name in (*_LISTS, *_ADDRESSES)}
    frame = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={"datagram": [""]})
    array = np.zeros(len(frame), _dtype(kind, frame.columns))
    if kind in _NOT_IN:
        array["datagram"] = array["received_ns"] = -1
        array["collector"] = array["reason"] = NONE
    for field in Table.of(array, kind, lists).columns:
        source = field[:-3] + "_ms" if field.endswith("_ns") else field
        if source not in frame:
            raise ValueError(f"line 1: there is no column {source}")
        values = frame[source]
        if field in _ADDRESSES:
            array[field] = _addresses(values)
        elif field in _LISTS:
            known = lists.setdefault(_LISTS[field], [])
            codes, unique = pd.factorize(values)
            indices = []
            for name in unique:
                if name and name not in known:
                    known.append(name)
                indices.append(known.index(name) if name else NONE)
            array[field] = np.array(indices, np.int64)[codes] if len(unique) else NONE
        elif field.endswith("_ns"):
            _numbers(array, field, np.round(pd.to_numeric(values) * _NS_PER_MS), source)
        elif field == "datagram":
            _numbers(array, field, values.fillna(-1), source)
        else:
            _numbers(array, field, values, source)
    array.flags.writeable = False
    return Table.of(array, kind, lists)
