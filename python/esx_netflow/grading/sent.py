# SPDX-License-Identifier: GPL-2.0-only
"""What a collector was sent: the truth of a grade, out of a result folder or a capture."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from .. import _core

_WIRE = {
    "srcaddr": "src", "dstaddr": "dst", "nexthop": "nexthop", "dPkts": "packets", "dOctets": "octets", "First": "first_raw", "Last": "last_raw", "input": "input",
    "output": "output", "srcport": "sport", "dstport": "dport", "src_as": "src_as", "dst_as": "dst_as", "tcp_flags": "tcp_flags", "prot": "proto", "tos": "tos",
    "src_mask": "src_mask", "dst_mask": "dst_mask",
}  # fmt: skip
_HEADER, _RECORD = 24, 48


class Sent(NamedTuple):
    """Datagrams in the order in which they were sent, and their records."""

    records: pd.DataFrame  #: the columns of a store, `datagram` (a row of datagrams), `position` in it from 1, `optional`
    datagrams: pd.DataFrame  #: exporter, number, engine, sequence, records, time_ms, boot, copy, optional, name
    name: str


def read_sent(source: Any, port: Optional[int] = None, key: Optional[dict[str, Any]] = None) -> Sent:
    """What a run sent to a real collector (its `sent.pcap`), or what is in a capture.

    Parameters
    ----------
    source : path-like
        Result folder or capture.
    port : int, optional
        UDP port of the collector; default: that of the run, 2055 of a capture.
    key : dict, optional
        ``may``: numbers of datagrams from 0 whose records may be stored and need not.
    """
    source = Path(source)
    names: dict[str, str] = {}
    capture, ports = source, [port or 2055]
    if source.is_dir():
        capture = source / "sent.pcap"
        if not (source / "summary.json").is_file():
            raise _core.RunError(f"{source}: no summary.json, so this is no result folder")
        if not capture.is_file():
            raise _core.RunError(f"{source}: no sent.pcap: this run fed no real collector; run it with --to or --collector, or grade against a capture of what was sent")
        summary = json.loads(_core.read_summary(os.fspath(source)))
        deliveries = summary.get("real_collectors") or []
        names = {delivery.get("source", ""): delivery["host"] for delivery in deliveries}
        ports = sorted({int(delivery["target"].rsplit(":", 1)[1]) for delivery in deliveries}) if port is None else [port]
        if len(ports) > 1:
            raise _core.RunError(f"{source}: sent to several collectors; choose one by --port, one of {', '.join(map(str, ports))}")
    payloads, _, times, sources = _core.read_udp(os.fspath(capture), ports[0])
    sent = from_payloads(payloads, times, sources, names, (key or {}).get("may", ()), source.name)
    if not len(sent.records) and key is None:
        raise _core.RunError(f"{capture}: no NetFlow v5 datagram to UDP port {ports[0]} was sent")
    return _numbered(sent, source) if source.is_dir() else sent


def from_payloads(payloads, times, sources, names, may, name) -> Sent:
    """`may`: numbers of payloads; invalid payloads hold nothing, unless they may be stored."""
    may = set(may)
    whole, index = [], []
    for number, payload in enumerate(payloads):
        count = (len(payload) - _HEADER) // _RECORD
        if len(payload) < _HEADER + _RECORD or payload[:2] != b"\0\5":
            continue
        said = payload[2] * 256 + payload[3]
        if number in may and len(payload) == 2 * (_HEADER + said * _RECORD):  # two in one
            whole.append(payload[len(payload) // 2 :])
            index.append(number)
        if number in may:
            said = min(said, count, 30)
            payload = payload[:2] + bytes((0, said)) + payload[4 : _HEADER + said * _RECORD]
        if 1 <= said <= 30 and len(payload) == _HEADER + said * _RECORD:
            whole.append(payload)
            index.append(number)
    headers, records = _core.decode_v5_list(whole) if whole else (np.zeros(0, _core.V5_HEADER), np.zeros(0, _core.V5_RECORD))
    datagrams = pd.DataFrame(
        {
            "exporter": np.asarray(sources, np.int64)[index],
            "payload": np.asarray(index, np.int64),
            "engine": headers["engine_type"].astype(np.int64) * 256 + headers["engine_id"],
            "sequence": headers["flow_sequence"].astype(np.int64),
            "records": headers["count"].astype(np.int64),
            "uptime": headers["sys_uptime"].astype(np.int64),
            "unix_ms": headers["unix_secs"].astype(np.int64) * 1000 + np.where(headers["unix_nsecs"] < 10**9, headers["unix_nsecs"], 0) // 10**6,
            "unix_s": headers["unix_secs"].astype(np.int64),
            "sampling": headers["sampling_interval"].astype(np.int64),
            "time_ms": np.asarray(times, np.int64)[index] // 10**6,
            "optional": np.isin(index, list(may)),
        }
    )
    exporter = pd.Series(_core.dotted(datagrams["exporter"].to_numpy(np.uint32)), dtype=object)
    datagrams["name"] = exporter.map(lambda address: names.get(address, names.get("", address)))
    content = pd.Series(whole, dtype=object)
    datagrams["copy"] = pd.DataFrame({"exporter": exporter, "content": content}).duplicated().to_numpy()
    datagrams["optional"] |= datagrams["copy"]
    datagrams["number"] = datagrams.groupby("exporter").cumcount()
    boot = datagrams["unix_ms"] - datagrams["uptime"]
    later = boot.groupby(datagrams["exporter"]).diff().fillna(0)
    datagrams["boot"] = ((later > 2000) & (np.abs(later - 2**32) > 2000)).groupby(datagrams["exporter"]).cumsum()
    order = np.repeat(np.arange(len(headers)), headers["count"])
    table = pd.DataFrame({ours: records[wire].astype(np.int64) for wire, ours in _WIRE.items()})
    for field in ("exporter", "engine", "sequence", "sampling", "optional", "uptime", "unix_ms", "unix_s"):
        table[field] = datagrams[field].to_numpy()[order]
    for field in ("first", "last"):  # they may lie after SysUptime
        ago = (table["uptime"] - table[f"{field}_raw"] + 2**31) % 2**32 - 2**31
        table[field] = table["unix_ms"] - ago
    table["flows"] = 1
    table["datagram"] = order
    table["position"] = table.groupby("datagram").cumcount() + 1
    return Sent(table, datagrams, name)


def _numbered(sent: Sent, folder: Path) -> Sent:
    """The numbers of datagrams.csv, where it tells them."""
    if not (folder / "datagrams.csv").is_file():
        return sent
    known = pd.read_csv(folder / "datagrams.csv").dropna(subset=["exported_ns"]).sort_values("exported_ns", kind="stable")
    for name, mine in sent.datagrams.groupby("name"):
        theirs = known[known["exporter"] == name]
        if len(theirs) == len(mine) and (theirs["sequence"].to_numpy() == mine["sequence"].to_numpy()).all():
            sent.datagrams.loc[mine.index, "number"] = theirs["datagram"].to_numpy()
    return sent
