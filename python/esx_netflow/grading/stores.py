# SPDX-License-Identifier: GPL-2.0-only
"""Stores of collectors, as tables with the columns of `FIELDS`. Their names for our fields, and units, are in
`stores.json`."""

from __future__ import annotations

import bz2
import glob
import gzip
import io
import json
import lzma
import os
import shutil
import socket
import subprocess
import zlib
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from .. import _core, labs

TIMES = ("first", "last", "bin")
ADDRESSES = ("exporter", "src", "dst", "nexthop")
COUNTERS = ("packets", "octets", "flows")
KEYS = (
    "exporter engine src dst proto sport dport tos input output nexthop src_as dst_as src_mask dst_mask "
    "sampling sequence"
).split()
#: Every column that can be compared; times are ms since 1970, `bin` the begin of a time bin, `flows` how many records a
#: row sums up.
FIELDS = (*KEYS, "tcp_flags", *COUNTERS, *TIMES)
_PRESETS = json.loads(Path(__file__).with_suffix(".json").read_text())
_PROTOCOLS = _PRESETS.pop("protocols")
FORMATS = list(_PRESETS)
# Columns that collectors fill with zeros of their own where no exporter of version 5 sends them.
_SILENT_ZERO = {"goflow2": ("src_mask", "dst_mask", "sampling")}

_PER_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_FACTORS = {"kB": 1000, "KiB": 1024, "MB": 10**6, "MiB": 2**20, "bits": 0.125, "k": 1000}
_NFDUMP_MAGIC = (b"\x0c\xa5", b"\xa5\x0c")
_NFDUMP_COLUMNS = "ts te eng ra sa da sp dp pr flg stos ipkt ibyt in out nh sas das smk dmk".split()

_PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ": lzma}


class StoreError(_core.RunError):
    """A store cannot be read; the text names the file and the reason."""


class Store(NamedTuple):
    """A collector's store."""

    table: pd.DataFrame  #: columns of `FIELDS`; times in ms since 1970, or of uptime where `uptime` has them
    format: str
    uptime: list[str]  #: times that are SysUptime as it was received
    files: int


def parse_map(text: str) -> dict[str, str]:
    """ "bytes=octets,start=first:s" to {their name: our name and unit}; ValueError says what is wrong."""
    pairs: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        theirs, _, ours = part.rpartition("=")
        name, _, unit = ours.partition(":")
        allowed = {*_PER_MS, "iso", "uptime"} if name in TIMES else set(_FACTORS) if name in COUNTERS else set()
        if not theirs or name not in FIELDS:
            raise ValueError(f"'{part}' is not THEIRS=OURS[:UNIT]; OURS is one of {', '.join(FIELDS)}")
        if unit and unit not in allowed:
            raise ValueError(f"'{part}': the unit of {name} is one of {', '.join(sorted(allowed)) or 'none'}")
        pairs[theirs] = ours
    return pairs


def _preset(format_: str) -> dict[str, str]:
    return {
        name: ours
        for ours, theirs in _PRESETS.get(format_, {field: field for field in FIELDS}).items()
        for name in theirs.split()
    }


def _ours(names: dict[str, str], columns: Any) -> set[str]:
    return {ours.partition(":")[0] for theirs, ours in names.items() if theirs in columns}


def read_store(paths: Any, format: str = "auto", map: Optional[dict[str, str]] = None, zone_hours: float = 0) -> Store:
    """Reads all files of a store.

    Parameters
    ----------
    paths : path-like, or list of path-like
        Files, folders of them, or patterns such as ``flows/*.json``.
    format : str
        A name of `FORMATS`, "any" (names as in `FIELDS`), or "auto": found by the columns.
    map : dict, optional
        Their column to ours, before those of the format.
    zone_hours : float
        East of UTC, of times that are text without a zone.
    """
    files = _files([paths] if isinstance(paths, (str, os.PathLike)) else list(paths))
    label = ", ".join(str(path) for path in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    rows = [frame for frame in (_read_file(path) for path in files) if len(frame)]
    if not rows:
        raise StoreError(f"{label}: the store is empty")
    frame = pd.concat(rows, ignore_index=True) if len(rows) > 1 else rows[0]
    if is_guessed := format == "auto":
        format = max(FORMATS, key=lambda name: len(_ours(_preset(name), frame.columns)))
        format = format if {"src", "dst"} <= _ours(_preset(format), frame.columns) else "any"
    names = {**(map or {}), **{theirs: ours for theirs, ours in _preset(format).items() if theirs not in (map or {})}}
    have = _ours(names, frame.columns)
    missing = [
        text
        for text, there in (("src or dst", {"src", "dst"} & have), ("packets or octets", {"packets", "octets"} & have))
        if not there
    ]
    if missing:
        what = "the format is not known" if is_guessed else f"this is not what {format} stores"
        raise StoreError(
            f"{label}: {what}: no column for {' and '.join(missing)}, columns are {', '.join([*frame.columns][:12])}; "
            f"say which is what by --map THEIRS=OURS,… (OURS: {', '.join(FIELDS)}), "
            f"or --format with one of {', '.join(FORMATS)}"
        )
    return _convert(frame, names, format, label, zone_hours)._replace(files=len(files))


def _files(paths: list[Any]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        for match in [path] if os.path.exists(path) else sorted(glob.glob(os.fspath(path), recursive=True)):
            below = (file for file in Path(match).rglob("*") if file.is_file() and not file.name.startswith("."))
            found += sorted(below) if os.path.isdir(match) else [Path(match)]
    if not found:
        raise StoreError(f"{', '.join(map(os.fspath, paths))}: there is no file, so nothing is stored")
    return list(dict.fromkeys(found))


def _read_file(path: Path) -> pd.DataFrame:
    try:
        packed = path.read_bytes()
        data = next(
            (module.decompress(packed) for magic, module in _PACKED.items() if packed.startswith(magic)), packed
        )
        text = "" if data[:2] in _NFDUMP_MAGIC else data.decode("utf-8-sig")
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise StoreError(f"{path}: octet {error.start} is no text; binary stores are read of nfdump only") from None
        raise StoreError(f"{path}: {getattr(error, 'strerror', None) or f'cannot be unpacked: {error}'}") from None
    if data[:2] in _NFDUMP_MAGIC:
        if data is not packed:
            raise StoreError(f"{path}: is a packed file of nfdump, which reads it unpacked only")
        return _read_nfdump(path)
    begin = text.lstrip()[:1]
    return _read_json(path, text) if begin in ("{", "[") else _read_csv(path, text) if begin else pd.DataFrame()


def _read_nfdump(path: Path) -> pd.DataFrame:
    if shutil.which("nfdump") is None:
        raise StoreError(f"{path}: nfdump is not installed, which reads this store; on Debian: apt-get install nfdump")
    layout = "fmt:" + ",".join("%" + column.replace("stos", "tos") for column in _NFDUMP_COLUMNS)
    command = ["nfdump", "-r", str(path), "-q", "-N", "-6", "-o", layout]  # -N: numbers as they are
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    if done.returncode != 0 or "corrupt" in done.stderr.lower() or "error" in done.stderr.lower():
        raise StoreError(
            f"{path}: nfdump cannot read it: "
            f"{[*done.stderr.splitlines(), *done.stdout.splitlines(), f'exit code {done.returncode}'][0]}"
        )
    lines = [line for line in done.stdout.splitlines() if line.count(",") == len(_NFDUMP_COLUMNS) - 1]
    return _parse_csv("\n".join([",".join(_NFDUMP_COLUMNS), *lines]), ",")


def _parse_csv(text: str, separator: str) -> pd.DataFrame:
    return pd.read_csv(
        io.StringIO(text),
        sep=separator,
        dtype={"sp": str, "dp": str},
        low_memory=False,
        keep_default_na=False,
        skipinitialspace=True,
        index_col=False,
    )


def _read_json(path: Path, text: str) -> pd.DataFrame:
    is_list = text.lstrip()[0] == "["
    lines = [text] if is_list else [line for line in text.split("\n") if line.strip()]
    try:
        rows = json.loads(text if is_list else "[" + ",".join(lines) + "]")
    except RecursionError:
        raise StoreError(f"{path}: objects and lists in it lie too deep within each other") from None
    except ValueError:
        for number, line in enumerate(lines, 1):
            try:
                json.loads(line)
            except json.JSONDecodeError as error:
                raise StoreError(
                    f"{path}: line {number if not is_list else error.lineno} of {text.count(chr(10)) + 1} is no JSON; "
                    "was the collector ended while it wrote?"
                ) from None
        raise
    if not all(isinstance(row, dict) for row in rows):
        raise StoreError(f"{path}: one JSON object for each record is read, and this is something else")
    try:
        return _flatten(pd.DataFrame(rows), "")
    except ValueError as error:
        raise StoreError(f"{path}: {error}") from None


def _flatten(frame: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """{"netflow": {"version": …}} has a column netflow.version."""
    parts = [pd.DataFrame(index=frame.index)]
    for name, values in frame.items():
        is_object = values.map(type).eq(dict)
        if is_object.any() and not (is_object | values.isna()).all():
            raise ValueError(
                f"{prefix}{name} is an object in some rows and "
                f"'{values[~is_object & values.notna()].iloc[0]}' in another"
            )
        inner = [value if isinstance(value, dict) else {} for value in values] if is_object.any() else None
        parts.append(
            values.rename(f"{prefix}{name}") if inner is None else _flatten(pd.DataFrame(inner), f"{prefix}{name}.")
        )
    return pd.concat(parts, axis=1)


def _read_csv(path: Path, text: str) -> pd.DataFrame:
    text = text.split("\nSummary\n")[0] + "\n" if "\nSummary\n" in text else text  # nfdump's
    head, *lines = text.split("\n")
    separator = max(",;\t|", key=head.count)
    if head.count(separator) < 3:
        raise StoreError(f"{path}: line 1 is neither JSON nor the head of a CSV file: '{head[:60]}'")
    if lines and 0 < lines[-1].count(separator) < head.count(separator):
        raise StoreError(f"{path}: line {len(lines) + 1} ends in the middle; was the collector ended while it wrote?")
    try:
        frame = _parse_csv(text, separator)
    except ValueError as error:
        raise StoreError(f"{path}: {str(error).strip().removeprefix('Error tokenizing data. C error: ')}") from None
    frame.columns = [str(name).strip().lstrip("#") for name in frame.columns]
    return frame


def _convert(frame: pd.DataFrame, names: dict[str, str], format_: str, label: str, zone_hours: float) -> Store:
    columns: dict[str, np.ndarray] = {}
    uptime = []
    for theirs, ours in names.items():
        name, _, unit = ours.partition(":")
        if theirs not in frame.columns or name in columns:
            continue
        values = frame[theirs]
        try:
            if name in TIMES:
                columns[name] = _times(values, unit or "ms", zone_hours)
            else:
                columns[name] = _addresses(values) if name in ADDRESSES else _numbers(name, values, unit)
        except (ValueError, TypeError, OverflowError) as error:
            raise StoreError(f"{label}: column {theirs}: {error}") from None
        uptime += [name] if unit == "uptime" else []
    if "netflow.engine_type" in frame and "netflow.engine_id" in frame:
        columns.setdefault(
            "engine", _numbers("", frame["netflow.engine_type"]) * 256 + _numbers("", frame["netflow.engine_id"])
        )
    if "icmp_type" in frame and "dport" in columns:  # in the place of a port
        icmp = (
            frame["icmp_type"].notna()
            if format_ == "nfdump"
            else pd.Series(columns.get("proto", 0) == 1, index=frame.index)
        )
        code = _numbers("", frame["icmp_type"]) * 256 + _numbers("", frame.get("icmp_code", 0 * frame["icmp_type"]))
        columns["dport"] = np.where(icmp & (columns["dport"] == 0), code, columns["dport"])
    for name in _SILENT_ZERO.get(format_, ()):
        if name in columns and not columns[name].any():
            del columns[name]
    return Store(pd.DataFrame(columns), format_, uptime, 0)


def _unique(values: pd.Series, convert: Any) -> np.ndarray:
    """Converts each different value once. `convert` takes a list of texts."""
    texts = values.astype(object).map(lambda v: v if not isinstance(v, list) else v[0] if len(v) == 1 else str(v))
    codes, unique = pd.factorize(texts.fillna(""))
    return np.asarray(convert([str(value).strip() for value in unique]), np.int64)[codes]


def _numbers(name: str, values: pd.Series, unit: str = "") -> np.ndarray:
    if unit:
        values = (pd.to_numeric(values) * _FACTORS[unit]).round()
    if values.dtype.kind in "uf":  # NaN: a row without it
        number = values.fillna(0)
        if len(wrong := number[(number % 1 != 0) | (number.abs() >= 2**63)]):
            raise ValueError(f"'{wrong.iloc[0]}' is no whole number below 2^63")
        return number.to_numpy().astype(np.int64)
    if values.dtype.kind == "i":
        return values.to_numpy(np.int64)
    return _unique(values, lambda texts: [_number(name, text) for text in texts])


def _number(name: str, text: str) -> int:
    if name == "proto" and text and not text[0].isdigit():
        try:
            return _PROTOCOLS[text.lower()] if text.lower() in _PROTOCOLS else socket.getprotobyname(text.lower())
        except OSError:
            raise ValueError(f"'{text}' is no protocol") from None
    if name == "tcp_flags" and text and not set(text) - set(".UAPRSFEC"):
        return sum(1 << bit for bit, sign in enumerate(reversed(text)) if sign != ".")
    before, dot, after = text.rpartition("." if name in ("sport", "dport") else "/")
    # a port of ICMP, as nfdump writes it
    if dot and (name == "engine" or name.endswith("port") and before.isdigit() and after.isdigit()):
        return int(before) * 256 + int(after)
    text = after if name.endswith("mask") else text
    try:
        number = int(text or 0) if text[:2].lower() != "0x" else int(text, 0)
    except ValueError:
        number = int(text[:-2]) if text.endswith(".0") and text[:-2].isdigit() else 2**63
    if abs(number) >= 2**63:
        raise ValueError(f"'{text}' is no whole number below 2^63")
    return number


def _addresses(values: pd.Series) -> np.ndarray:
    def convert(texts):
        texts = ["0.0.0.0" if text in ("", "::") else text.replace("::ffff:", "").split("/")[0] for text in texts]
        texts = [text.rsplit(":", 1)[0] if text.count(":") == 1 else text for text in texts]
        return [labs.number(text) for text in texts]

    return values.to_numpy(np.int64) if values.dtype.kind in "iu" else _unique(values, convert)


def _times(values: pd.Series, unit: str, zone_hours: float) -> np.ndarray:
    if unit == "ns" and values.dtype.kind in "iu":  # more digits than a float has
        return values.to_numpy(np.int64) // 10**6
    is_number = values.dtype.kind in "iuf" or str(values.iloc[0]).replace(".", "", 1).isdigit()
    if unit != "iso" or is_number:
        number = pd.to_numeric(values).to_numpy(np.float64)
        since_1970 = 1.0 if np.nanmedian(np.abs(number)) > 1e11 else 1e3  # ms, or s where text was expected
        return np.floor(number * (since_1970 if unit == "iso" else _PER_MS.get(unit, 1.0)) + 1e-3).astype(np.int64)
    stamps = pd.to_datetime(values, utc=True, errors="coerce")
    if stamps.isna().any():
        raise ValueError(f"'{values[stamps.isna()].iloc[0]}' is no time")
    has_zone = str(values.iloc[0]).endswith("Z") or str(values.iloc[0])[-6:-5] in ("+", "-")
    return stamps.to_numpy("datetime64[ns]").astype("datetime64[ms]").astype(np.int64) - (
        0 if has_zone else int(zone_hours * 3_600_000)
    )
