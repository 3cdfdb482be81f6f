# SPDX-License-Identifier: GPL-2.0-only
"""What collectors store, as tables with the columns of `FIELDS`."""

from __future__ import annotations

import csv
import glob
import io
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from .. import _core, tables

TIMES = ("first", "last", "bin")
ADDRESSES = ("exporter", "src", "dst", "nexthop")
COUNTERS = ("packets", "octets", "flows")
KEYS = "exporter engine src dst proto sport dport tos input output nexthop src_as dst_as src_mask dst_mask sampling sequence".split()
#: Every column that can be compared; times are ms since 1970, `bin` the begin of a time bin, `flows` how many records a row sums up.
FIELDS = (*KEYS, "tcp_flags", *COUNTERS, *TIMES)

# Their names for our fields. "NAME:UNIT"; a field that a format writes in several ways has several.
_NFDUMP = (
    "ra|ip4_router=exporter eng=engine sa|src4_addr=src da|dst4_addr=dst pr|proto=proto sp|src_port=sport dp|dst_port=dport stos|src_tos=tos "
    "in|input_snmp=input out|output_snmp=output nh|ip4_next_hop=nexthop sas|src_as=src_as das|dst_as=dst_as smk|src_mask=src_mask dmk|dst_mask=dst_mask "
    "flg|tcp_flags=tcp_flags ipkt|in_packets=packets ibyt|in_bytes=octets ts|first=first:iso te|last=last:iso"
)
_NFACCTD = (
    "peer_ip_src=exporter ip_src|SRC_IP=src ip_dst|DST_IP=dst ip_proto|PROTOCOL=proto port_src|SRC_PORT=sport port_dst|DST_PORT=dport tos|TOS=tos "
    "iface_in|IN_IFACE=input iface_out|OUT_IFACE=output peer_ip_dst|PEER_DST_IP=nexthop PEER_SRC_IP=exporter as_src|SRC_AS=src_as as_dst|DST_AS=dst_as "
    "mask_src|SRC_MASK=src_mask mask_dst|DST_MASK=dst_mask tcp_flags|TCP_FLAGS=tcp_flags packets|PACKETS=packets bytes|BYTES=octets flows|FLOWS=flows "
    "timestamp_start|TIMESTAMP_START=first:iso timestamp_end|TIMESTAMP_END=last:iso stamp_inserted|STAMP_INSERTED=bin:iso"
)
_GOFLOW2 = (
    "sampler_address=exporter src_addr=src dst_addr=dst proto=proto src_port=sport dst_port=dport ip_tos=tos in_if=input out_if=output next_hop=nexthop "
    "src_as=src_as dst_as=dst_as src_net=src_mask dst_net=dst_mask tcp_flags=tcp_flags packets=packets bytes=octets sequence_num=sequence "
    "time_flow_start_ns=first:ns time_flow_end_ns=last:ns sampling_rate=sampling"
)
_LOGSTASH = (
    "host|host.ip|[host][ip]|netflow.exporter.address|observer.ip=exporter netflow.ipv4_src_addr|netflow.source_ipv4_address|source.ip=src "
    "netflow.ipv4_dst_addr|netflow.destination_ipv4_address|destination.ip=dst netflow.protocol|netflow.protocol_identifier=proto "
    "netflow.l4_src_port|netflow.source_transport_port|source.port=sport netflow.l4_dst_port|netflow.destination_transport_port|destination.port=dport "
    "netflow.src_tos|netflow.ip_class_of_service=tos netflow.input_snmp|netflow.ingress_interface=input netflow.output_snmp|netflow.egress_interface=output "
    "netflow.ipv4_next_hop|netflow.ip_next_hop_ipv4_address=nexthop netflow.src_as|netflow.bgp_source_as_number=src_as "
    "netflow.dst_as|netflow.bgp_destination_as_number=dst_as netflow.src_mask|netflow.source_ipv4_prefix_length=src_mask "
    "netflow.dst_mask|netflow.destination_ipv4_prefix_length=dst_mask netflow.tcp_flags|netflow.tcp_control_bits=tcp_flags "
    "netflow.in_pkts|netflow.packet_delta_count=packets netflow.in_bytes|netflow.octet_delta_count=octets netflow.flow_seq_num=sequence "
    "netflow.first_switched=first:iso netflow.last_switched=last:iso netflow.flow_start_sys_up_time=first:uptime netflow.flow_end_sys_up_time=last:uptime "
    "netflow.sampling_interval=sampling"
)
_FT = (
    "SRC_IP=src DST_IP=dst PROTOCOL|L4_PROTO=proto SRC_PORT=sport DST_PORT=dport PACKETS=packets BYTES=octets START_TIME=first:ms END_TIME=last:ms"
)
_OURS = " ".join(f"{name}={name}" for name in FIELDS if name not in TIMES) + " first_unix_ms=first:ms last_unix_ms=last:ms sampling_interval=sampling"
FORMATS = {"nfdump": _NFDUMP, "nfacctd": _NFACCTD, "goflow2": _GOFLOW2, "logstash": _LOGSTASH, "ft-analyzer": _FT, "esx-netflow": _OURS}
# No exporter of version 5 sends them, or collectors fill them with a 0 of their own.
_SILENT_ZERO = {"goflow2": ("src_mask", "dst_mask", "sampling"), "logstash": (), "nfdump": (), "nfacctd": ()}

_PER_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_FACTORS = {"kB": 1000, "KiB": 1024, "MB": 10**6, "MiB": 2**20, "bits": 0.125, "k": 1000}
_PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "ipencap": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmp6": 58,
    "icmpv6": 58, "eigrp": 88, "ospf": 89, "ospfigp": 89, "pim": 103, "vrrp": 112, "l2tp": 115, "sctp": 132, "hopopt": 0, "ip": 0, "reserved": 255,
}  # fmt: skip
_NFDUMP_MAGIC = (b"\x0c\xa5", b"\xa5\x0c")
# What a binary store is printed as; -N: numbers as they are.
_NFDUMP_COLUMNS = "ts te eng ra sa da sp dp pr flg tos ipkt ibyt in out nh sas das smk dmk".split()


class StoreError(_core.RunError):
    """A store cannot be read; the text names the file and the reason."""


class Store(NamedTuple):
    """What a collector stored."""

    table: pd.DataFrame  #: columns of `FIELDS`; times in ms since 1970, or of uptime where `uptime` has them
    format: str
    uptime: tuple[str, ...]  #: times that are SysUptime as it was received
    files: int


def parse_map(text: str) -> dict[str, str]:
    """"bytes=octets,start=first:s" to {their name: our name and unit}; ValueError says what is wrong."""
    pairs: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        theirs, equals, ours = part.rpartition("=")
        name, _, unit = ours.partition(":")
        allowed = {*_PER_MS, "iso", "uptime"} if name in TIMES else set(_FACTORS) if name in COUNTERS else set()
        if not equals or not theirs or name not in FIELDS:
            raise ValueError(f"'{part}' is not THEIRS=OURS[:UNIT]; OURS is one of {', '.join(FIELDS)}")
        if unit and unit not in allowed:
            raise ValueError(f"'{part}': the unit of {name} is one of {', '.join(sorted(allowed)) or 'none'}")
        pairs[theirs] = ours
    return pairs


def _names(format_: str) -> dict[str, str]:
    pairs = (pair.rsplit("=", 1) for pair in FORMATS[format_].split())
    return {name: ours for theirs, ours in pairs for name in theirs.split("|")}


def read_store(paths: Any, format: str = "auto", map: Optional[dict[str, str]] = None, zone_hours: float = 0) -> Store:
    """Reads all files of a store.

    Parameters
    ----------
    paths : path-like, or list of path-like
        Files, folders of them, or patterns such as ``flows/*.json``.
    format : str
        A name of `FORMATS`; "auto": found by the columns.
    map : dict, optional
        Their column to ours, before those of the format.
    zone_hours : float
        East of UTC, of times that are text without a zone.
    """
    files = _files([paths] if isinstance(paths, (str, os.PathLike)) else list(paths))
    raw = [_read_file(path) for path in files]
    rows = [frame for frame in raw if len(frame.columns)]
    if not sum(len(frame) for frame in rows):
        raise StoreError(f"{', '.join(map_text(files))}: the store is empty")
    frame = pd.concat(rows, ignore_index=True) if len(rows) > 1 else rows[0]
    names = _names(format) if format in FORMATS else {name: name for name in FIELDS} if format == "any" else _guess(frame, files, map)
    format = format if format != "auto" else next((name for name in FORMATS if _names(name) == names), "any")
    mapped = set(map or ())
    return _convert(frame, {**(map or {}), **{theirs: ours for theirs, ours in names.items() if theirs not in mapped}}, format, files, zone_hours)


def map_text(paths):
    shown = [str(path) for path in paths[:3]]
    return shown + [f"and {len(paths) - 3} more"] if len(paths) > 3 else shown


def _files(paths: list[Any]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        matches = [Path(path)] if os.path.exists(path) else [Path(match) for match in sorted(glob.glob(os.fspath(path), recursive=True))]
        for match in matches:
            found += sorted(file for file in match.rglob("*") if file.is_file() and not file.name.startswith(".")) if match.is_dir() else [match]
    found = list(dict.fromkeys(found))
    if not found:
        raise StoreError(f"{', '.join(map(os.fspath, paths))}: there is no such file, so nothing is stored")
    return found


def _read_file(path: Path) -> pd.DataFrame:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from None
    if data[:2] in _NFDUMP_MAGIC:
        return _read_nfdump(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoreError(f"{path}: octet {error.start} is no text; binary stores are read of nfdump only") from None
    begin = text.lstrip()[:1]
    return _read_json(path, text) if begin in ("{", "[") else _read_csv(path, text) if begin else pd.DataFrame()


def _read_nfdump(path: Path) -> pd.DataFrame:
    program = shutil.which("nfdump")
    if program is None:
        raise StoreError(f"{path}: nfdump is not installed, which reads this store; on Debian: apt-get install nfdump")
    layout = "fmt:" + ",".join("%" + column for column in _NFDUMP_COLUMNS)
    done = subprocess.run([program, "-r", str(path), "-q", "-N", "-6", "-o", layout], capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    if done.returncode != 0 or "corrupt" in done.stderr.lower() or "error" in done.stderr.lower():
        raise StoreError(f"{path}: nfdump cannot read it: {(done.stderr or done.stdout).strip().splitlines()[-1:] or done.returncode}")
    names = dict(zip(_NFDUMP_COLUMNS, _NFDUMP_COLUMNS), tos="stos")
    lines = "\n".join(line for line in done.stdout.splitlines() if line.count(",") == len(_NFDUMP_COLUMNS) - 1)
    if not lines:
        return pd.DataFrame()
    return pd.read_csv(io.StringIO(lines), names=[names[column] for column in _NFDUMP_COLUMNS], dtype={"sp": str, "dp": str}, low_memory=False, skipinitialspace=True, keep_default_na=False)


def _read_json(path: Path, text: str) -> pd.DataFrame:
    lines = [line for line in text.split("\n") if line.strip()]
    try:
        rows = json.loads(text if text.lstrip()[0] == "[" else "[" + ",".join(lines) + "]")
    except ValueError as error:
        for number, line in enumerate(lines, 1):
            try:
                json.loads(line) if text.lstrip()[0] != "[" else None
            except ValueError:
                raise StoreError(f"{path}: line {number} of {len(lines)} is no JSON; was the collector ended while it wrote?") from None
        raise StoreError(f"{path}: no JSON: {error}; was the collector ended while it wrote?") from None
    if not all(isinstance(row, dict) for row in rows):
        raise StoreError(f"{path}: one JSON object for each record is read, and this is something else")
    return _flatten(pd.DataFrame(rows))


def _flatten(frame: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    parts = []
    for name in frame.columns:
        values = frame[name]
        if values.map(type).eq(dict).any():
            inner = pd.DataFrame([value if isinstance(value, dict) else {} for value in values])
            parts.append(_flatten(inner, f"{prefix}{name}."))
        else:
            parts.append(values.rename(f"{prefix}{name}"))
    return pd.concat(parts, axis=1) if parts else pd.DataFrame(index=frame.index)


def _read_csv(path: Path, text: str) -> pd.DataFrame:
    head = text[: text.find("\n")] if "\n" in text else text
    end = text.find("\nSummary\n")  # nfdump's
    text = text[: end + 1] if end >= 0 else text
    separator = max(",;\t|", key=head.count)
    if head.count(separator) < 3:
        raise StoreError(f"{path}: line 1 is neither JSON nor the head of a CSV file: '{head[:60]}'")
    try:
        frame = pd.read_csv(io.StringIO(text), sep=separator, dtype={"sp": str, "dp": str}, low_memory=False, keep_default_na=False, skipinitialspace=True, quoting=csv.QUOTE_MINIMAL, index_col=False)
    except ValueError as error:
        raise StoreError(f"{path}: {error}") from None
    frame.columns = [str(name).strip().lstrip("#") for name in frame.columns]
    if text and not text.endswith("\n") and text.rsplit("\n", 1)[-1].count(separator) < head.count(separator):
        raise StoreError(f"{path}: line {len(frame) + 1} ends in the middle; was the collector ended while it wrote?")
    return frame


def _guess(frame: pd.DataFrame, files: list[Path], extra: Optional[dict[str, str]]) -> dict[str, str]:
    columns = set(frame.columns)
    known = {name: {ours.split(":")[0] for theirs, ours in _names(name).items() if theirs in columns} for name in FORMATS}
    best = max(known, key=lambda name: len(known[name]))
    best_alone = {"src", "dst"} <= known[best]
    have = known[best] | {ours.split(":")[0] for theirs, ours in (extra or {}).items() if theirs in columns}
    if not ({"src", "dst"} <= have and have & {"packets", "octets"}):
        shown = ", ".join(list(frame.columns)[:12])
        raise StoreError(
            f"{files[0]}: the format is not known: columns {shown}; say which is what by --map THEIRS=OURS,… (OURS: {', '.join(FIELDS)}), or --format with one of {', '.join(FORMATS)}"
        )
    return _names(best) if best_alone else {}


def _convert(frame, names, format_, files, zone_hours):
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
                if unit == "uptime":
                    uptime.append(name)
            elif name in ADDRESSES:
                columns[name] = _addresses(values)
            else:
                columns[name] = _read_numbers(name, values, unit)
        except (ValueError, TypeError, OverflowError) as error:
            raise StoreError(f"{map_text(files)[0]}: column {theirs}: {error}") from None
    engines = [name for name in ("netflow.engine_type", "netflow.engine_id") if name in frame.columns]
    if len(engines) == 2 and "engine" not in columns:
        columns["engine"] = _whole(frame[engines[0]]) * 256 + _whole(frame[engines[1]])
    if "icmp_type" in frame.columns and "dport" in columns:  # in the place of a port
        icmp = frame["icmp_type"].notna() if format_ == "nfdump" else pd.Series(columns.get("proto", 0) == 1, index=frame.index)
        code = _whole(frame["icmp_type"]) * 256 + _whole(frame.get("icmp_code", 0 * frame["icmp_type"]))
        columns["dport"] = np.where(icmp & (columns["dport"] == 0), code, columns["dport"])
    for name in _SILENT_ZERO.get(format_, ()):
        if name in columns and not columns[name].any():
            del columns[name]
    if not {"src", "dst"} & set(columns) or not {"packets", "octets"} & set(columns):
        missing = [name for name in ("src", "dst", "packets", "octets") if name not in columns]
        raise StoreError(f"{map_text(files)[0]}: no column for {', '.join(missing)}; --map says which is what; columns: {', '.join(list(frame.columns)[:20])}")
    return Store(pd.DataFrame(columns), format_, tuple(uptime), len(files))


def _unique(values, convert):
    """Converts each different value once. `convert` takes a list."""
    codes, unique = pd.factorize(values.fillna("") if hasattr(values, "fillna") else values)
    return np.asarray(convert(list(unique)))[codes] if len(unique) else np.zeros(0, np.int64)


def _whole(values) -> np.ndarray:
    if values.dtype.kind in "iu":
        return values.to_numpy(np.int64)

    def convert(texts):
        return np.array([_integer(text) for text in texts], np.int64)

    return _unique(values, convert)


def _integer(text) -> int:
    if text is None or text == "" or text != text:
        return 0
    try:
        return int(text)
    except ValueError:
        return int(text, 0) if isinstance(text, str) and text[:2].lower() == "0x" else int(float(text))


def _read_numbers(name, values, unit):
    factor = _FACTORS.get(unit, 1)
    if values.dtype.kind in "iuf" and factor == 1:  # NaN: a row without it
        return np.nan_to_num(values.to_numpy()).astype(np.int64)
    special = {"proto": _protocol, "tcp_flags": _flags, "engine": _engine, "dport": _port, "sport": _port, "src_mask": _mask, "dst_mask": _mask}.get(name)
    if special:
        return _unique(values, lambda texts: np.array([special(str(text).strip()) for text in texts], np.int64))
    if factor == 1:
        return _whole(values)
    return np.round(pd.to_numeric(values).to_numpy() * factor).astype(np.int64)


def _protocol(text):
    name = text.lower()
    if name in _PROTOCOLS or not name or name[0].isdigit():
        return _PROTOCOLS[name] if name in _PROTOCOLS else _integer(text)
    try:
        return socket.getprotobyname(name)
    except OSError:
        raise ValueError(f"'{text}' is no protocol") from None


def _flags(text):
    if text and not set(text) - set(".UAPRSFEC"):
        return sum(1 << bit for bit, sign in enumerate(reversed(text)) if sign != ".")
    return _integer(text)


def _engine(text):
    kind, slash, number = text.rpartition("/")
    return int(kind) * 256 + int(number) if slash else _integer(text)


def _mask(text):
    return _integer(text.rpartition("/")[2])


def _port(text):
    kind, dot, code = text.partition(".")  # nfdump's ICMP
    return int(kind) * 256 + int(code) if dot and code != "0" or dot and kind.isdigit() and code.isdigit() else _integer(text)


def _addresses(values) -> np.ndarray:
    if values.dtype.kind in "iu":
        return values.to_numpy(np.int64)

    def convert(texts):
        texts = [text[0] if isinstance(text, list) else text for text in texts]
        texts = ["0.0.0.0" if not text or text == "::" else str(text).strip().replace("::ffff:", "").split("/")[0] for text in texts]
        texts = [text.rsplit(":", 1)[0] if text.count(":") == 1 else text for text in texts]
        wrong = [text for text in texts if text.count(".") != 3 or not text.replace(".", "").isdigit()]
        if wrong:
            raise ValueError(f"'{wrong[0]}' is no IPv4 address")
        return tables._addresses(texts).astype(np.int64)

    return _unique(values.astype(object), convert)


def _times(values, unit, zone_hours):
    if unit in _PER_MS or unit == "uptime":
        if values.dtype.kind in "iu":
            return values.to_numpy(np.int64) // 10**6 if unit == "ns" else np.floor(values.to_numpy() * _PER_MS.get(unit, 1.0)).astype(np.int64)
        return np.floor(pd.to_numeric(values).to_numpy(np.float64) * _PER_MS.get(unit, 1.0) + 1e-6).astype(np.int64)
    if values.dtype.kind in "iuf" or str(values.iloc[0]).replace(".", "", 1).isdigit():  # a number where text was expected: s or ms since 1970
        number = pd.to_numeric(values).to_numpy(np.float64)
        scale = 1.0 if np.nanmedian(np.abs(number)) > 1e11 else 1e3
        return np.floor(number * scale + 1e-3).astype(np.int64)
    stamps = pd.to_datetime(values, utc=True, errors="coerce")
    if stamps.isna().any():
        raise ValueError(f"'{values[stamps.isna()].iloc[0]}' is no time")
    has_zone = str(values.iloc[0]).endswith("Z") or str(values.iloc[0])[-6:-5] in ("+", "-")
    shift = 0 if has_zone else int(zone_hours * 3_600_000)
    return stamps.to_numpy("datetime64[ns]").astype("datetime64[ms]").astype(np.int64) - shift
