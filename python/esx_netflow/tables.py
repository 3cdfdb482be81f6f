# SPDX-License-Identifier: GPL-2.0-only
"""Tables of a run: NumPy structured arrays that know the names behind their numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional

import numpy as np
import pandas as pd

from . import _core, labs
from .explaining import PROTOCOLS
from .filtering import mask_of

NONE = 0xFFFF  # index of no name

_TABLES: dict[str, dict[str, Any]] = {table["name"]: table for table in _core.TABLES}
FILES: dict[str, str] = {name: table["file"] for name, table in _TABLES.items()}
_NS_PER_MS = 1_000_000
_WRAP_MS = 1 << 32  # of uptime
_FLAGS = "UAPRSF"  # from the highest bit to the lowest
_PROTOCOL_NAMES = {int(number): name for name, number in PROTOCOLS.items()}


_MAY_LACK = ("signed", "instant", "uptime")  # kinds of whole numbers that are -1 for an empty cell


class _Column(NamedTuple):
    """A column as the program describes it (docs/tables.md)."""

    field: str  # its name in an array
    name: str  # its name in a file, and in pandas
    kind: str  # name, address, unsigned, signed (-1: an empty cell), and as this instant (ns), instant_ms, uptime (ms)
    names: str  # the list of names that it is an index in


def _described(kind):
    return {column[0]: _Column(*column) for column in _TABLES[kind]["columns"]}


class Names(dict):
    """The lists of names of a run, and what its tables share: all addresses in them, and the lab.

    Attributes
    ----------
    lab : dict or None
        As `Result.lab`.
    start : str or None
        Calendar time at 0 s.
    """

    lab: Optional[dict[str, Any]] = None
    start: Optional[str] = None
    _arrays: list[np.ndarray] = []
    _addresses: Optional[np.ndarray] = None

    def share(self, tables: list[Table]) -> None:
        """Takes the addresses of these tables, when they are asked for."""
        self._addresses = None
        self._arrays = [
            np.asarray(table[field]) for table in tables for field, _, kind, _ in table._columns() if kind == "address"
        ]

    @property
    def addresses(self) -> np.ndarray:
        """All addresses, in order."""
        if self._addresses is None:
            self._addresses = np.unique(
                np.concatenate([np.zeros(0, np.uint32), *(pd.unique(array) for array in self._arrays)])
            )
            self._arrays = []
        return self._addresses

    def __reduce__(self):
        return _unpickle_names, (dict(self), {"lab": self.lab, "start": self.start, "_addresses": self.addresses})


def _unpickle_names(lists, attributes):
    names = Names(lists)
    names.__dict__.update(attributes)
    return names


class Table(np.ndarray):
    """A table of a run: a NumPy structured array of shape (rows,), read-only, that shows the simulator's memory.

    Everything of NumPy works: ``table["octets"].sum()``, ``table[table["proto"] == 6]``; what is selected from a table
    is a table. Addresses are integers in host order. Names in the CSV file (``exporter``, ``vswitch``, ``cause`` …) are
    indices in a list of names; 65535 means none. Numbers that a row may lack are -1 there. `to_pandas` puts the names
    in their place.

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

    def filter(self, expression: str) -> Table:
        """The rows that an expression selects, as people type it at tcpdump and nfdump.

        Parameters
        ----------
        expression : str
            ``proto tcp and port 80``, ``src host web1 or dst net 10.1.0.0/16``, ``not (udp and octets > 10k)``, ``cause
            purgatory_full``, ``flags SF``: ``[src|dst] host|net|port``, ``proto``, ``flags`` (all of these are set),
            and any column with ``=``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``; ``and``, ``or``, ``not`` and brackets. A
            host is an address, or the name of a VM, vmknic or node.

        Raises
        ------
        ValueError
            The expression cannot be meant; the text says where.
        """
        return self[mask_of(self, expression)]

    def _instants(self, field: str, kind: str) -> np.ndarray:
        """-> simulated ns of a column of instants; -1 where there is none"""
        values = self[field].astype(np.int64)
        if kind != "uptime":
            return values
        hosts = self._lists.lab["hosts"]
        boots = np.array(
            [_core.read_duration(hosts[host]["uptime_at_start"]) for host in self.names["exporter"]] or [0], np.int64
        )
        return (values - boots[self["exporter"]] // _NS_PER_MS) % _WRAP_MS * _NS_PER_MS

    def _owners(self, codes: np.ndarray) -> pd.Categorical:
        """-> who has addresses, by their places in the list of all"""
        owners = labs.names(self._lists.lab)
        known = list(dict.fromkeys(owners.values()))
        of = np.array(
            [known.index(owners[text]) if text in owners else -1 for text in _core.address_keys(self._lists.addresses)],
            np.int64,
        )
        return pd.Categorical.from_codes(of[codes] if len(of) else codes, known)

    def to_pandas(self, times: str = "raw", names: bool = False) -> pd.DataFrame:
        """The same as a pandas DataFrame, with the columns of the CSV file of the same name (docs/formats.md).

        Parameters
        ----------
        times : "raw", "datetime" or "timedelta"
            "raw": as in the file. Else the columns of instants are calendar time (UTC), or time since the simulation
            began, and have lost their unit: ``first_ms``, uptime of the exporter, becomes ``first``. Durations stay
            numbers.
        names : bool
            Names beside addresses (``src_name``: a VM, ``esx1:vmk0`` or a node), and words for protocols (``tcp``) and
            TCP flags (``.AP.SF``, as nfdump writes them).

        Returns
        -------
        pandas.DataFrame
            One row each. Names and IPv4 addresses (as dotted text) are categories, the same ones in all tables of a
            run, so that what is joined keeps them; ``received_ns`` and ``time_ns`` become ``received_ms`` and
            ``time_ms``, float, simulated ms. There is no Python loop over rows.

        Raises
        ------
        ValueError
            Another word for `times`; names or times are asked for, and the table is of no result, which knows the lab.
        """
        if times not in ("raw", "datetime", "timedelta"):
            raise ValueError(f"times={times!r}: allowed: 'raw', 'datetime', 'timedelta'")
        shared = self._lists if isinstance(self._lists, Names) else None
        if (times != "raw" or names) and (shared is None or shared.lab is None):
            raise ValueError("names and times need the lab, which a table of a Result knows")
        start = pd.Timestamp(shared.start or 0) if shared and times == "datetime" else None
        columns: dict[str, Any] = {}
        for field, name, kind, list_name in self._columns():
            values = self[field]
            if kind == "address":
                known = np.unique(values) if shared is None else shared.addresses
                codes = np.searchsorted(known, values)
                columns[name] = pd.Categorical.from_codes(codes, _core.dotted(known))
                if names:
                    columns[f"{name}_name"] = self._owners(codes)
            elif kind == "name":
                codes = values.astype(np.int32)
                codes[values == NONE] = -1
                columns[name] = pd.Categorical.from_codes(codes, self._lists[list_name])
            elif times != "raw" and kind in ("instant", "instant_ms", "uptime"):
                instants = pd.to_timedelta(
                    np.where((since := self._instants(field, kind)) < 0, np.iinfo(np.int64).min, since), unit="ns"
                )
                columns[re.sub("_[mn]s$", "", name)] = (
                    instants if start is None else (start if start.tz else start.tz_localize("UTC")) + instants
                )
            elif names and field in ("proto", "tcp_flags"):
                words = [_PROTOCOL_NAMES.get(n, str(n)) if field == "proto" else _flags(n) for n in range(256)]
                columns[name] = pd.Categorical.from_codes(values, words)
            else:
                columns[name] = values / _NS_PER_MS if kind == "instant_ms" else values
        return pd.DataFrame(columns, copy=False)


def _flags(number):
    """-> ".AP.SF", as nfdump; the two highest bits are told before, as hexadecimal digits"""
    letters = "".join(letter if number >> place & 1 else "." for letter, place in zip(_FLAGS, range(5, -1, -1)))
    return letters if number < 64 else f"{number & 0xC0:#x}{letters}"


def _unpickle(array, kind, lists):
    array.flags.writeable = False
    return Table.of(array, kind, lists)


def _addresses(texts):
    """Dotted texts to integers, without a loop over rows."""
    codes, unique = pd.factorize(texts)
    parts = (
        pd.Series(unique).str.split(".", expand=True).astype(np.uint32).to_numpy()
        if len(unique)
        else np.zeros((0, 4), np.uint32)
    )
    return (
        (parts @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32))[codes] if len(unique) else np.zeros(0, np.uint32)
    )


def read(path: Path, kind: str, lists: dict[str, list[str]]) -> Table:
    """The table in a CSV file of a result folder, or in a Parquet file that `write` made in its place.

    Parameters
    ----------
    path : Path
        Such as flows-truth.csv.
    kind : str
        As in `FILES`.
    lists : dict of str to list of str
        Lists of names by their key; names that are not in them are appended.

    Raises
    ------
    RunError
        It is no such table; the text names the line.
    """
    return next(pieces(path, kind, lists))


def pieces(path: Path, kind: str, lists: dict[str, list[str]], rows: int = 0) -> Iterator[Table]:
    """As `read`, so many rows at a time; 0: all."""
    if not path.is_file() and path.with_suffix(".parquet").is_file():
        path = path.with_suffix(".parquet")
    try:
        for frame in _frames(path, kind, rows):
            yield _of_frame(frame, kind, lists)
    except (ValueError, TypeError, OverflowError, ImportError) as error:
        raise _core.RunError(f"{path}: {error}") from None


def _frames(path, kind, rows):
    if path.suffix == ".csv":
        _check_cells(path)
        texts = {c.name: str for c in _described(kind).values() if c.kind in ("name", "address", *_MAY_LACK)}
        frames = pd.read_csv(path, dtype=texts, keep_default_na=False, chunksize=rows or None)
        yield from frames if rows else [frames]
        return
    if rows:
        from pyarrow import parquet

        frames = (batch.to_pandas() for batch in parquet.ParquetFile(path).iter_batches(rows))
    else:
        frames = iter([pd.read_parquet(path)])
    for frame in frames:
        for name in frame.columns[frame.dtypes == "category"]:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), "")
        yield frame


def write(table: Table, path: Path) -> None:
    """Writes a table as `read` reads it: as Parquet where pandas can use pyarrow, else as the CSV file of a run."""
    frame = table.to_pandas()
    try:
        frame.to_parquet(path.with_suffix(".parquet"))
        return
    except ImportError:  # none, or one that this pandas or NumPy is too old for
        pass
    for field, name, kind, _ in table._columns():
        if kind == "instant_ms":
            whole, rest = np.divmod(table[field], _NS_PER_MS)
            frame[name] = pd.Series(whole.astype(str)) + "." + pd.Series(rest.astype(str)).str.zfill(6)
        elif kind in _MAY_LACK:
            frame[name] = pd.Series(table[field].astype(str)).replace("-1", "")
    frame.to_csv(path, index=False, lineterminator="\n")


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
        raise ValueError(
            f"line {values.index[row] + 2}: {source}: '{(values if texts is None else texts).iloc[row]}' is no "
            "number of this column"
        )


def _check_cells(path):
    """pandas takes a line that ends early for one with empty cells."""
    with open(path, "rb") as file:
        commas, number = file.readline().count(b","), 2
        while lines := file.readlines(1 << 24):
            data = b"".join(lines)
            if b'"' in data:
                return
            if data.count(b",") != commas * len(lines):
                for place, line in enumerate(lines, number):
                    if line.strip() and line.count(b",") != commas:
                        raise ValueError(f"line {place}: {line.count(b',') + 1} cells under {commas + 1} columns")
            number += len(lines)


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


def _of_frame(frame, kind, lists):
    described = _described(kind)
    array = np.zeros(len(frame), _TABLES[kind]["dtype"])
    for field, name, what, names in described.values():
        if name not in frame:
            raise ValueError(f"line 1: there is no column {name}")
        values = frame[name]
        if what == "address":
            array[field] = _addresses(values)
        elif what == "name":
            array[field] = _indices(values, lists.setdefault(names, []))
        elif what == "instant_ms":
            _numbers(array, field, np.round(pd.to_numeric(values) * _NS_PER_MS), name)
        elif what in _MAY_LACK:
            texts = values.where(values != "", "-1")
            _numbers(array, field, pd.to_numeric(texts, errors="coerce"), name, texts)
        else:
            _numbers(array, field, values, name)
    array.flags.writeable = False
    return Table.of(array, kind, lists)
