# SPDX-License-Identifier: GPL-2.0-only
"""The truth of a grade: what a collector was sent, out of a result folder or a capture."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterable, NamedTuple, Optional

import numpy as np
import pandas as pd

from .. import _core, netflow

_WIRE = {
    "srcaddr": "src", "dstaddr": "dst", "nexthop": "nexthop", "dPkts": "packets", "dOctets": "octets",
    "First": "first_raw", "Last": "last_raw", "input": "input",
    "output": "output", "srcport": "sport", "dstport": "dport", "src_as": "src_as", "dst_as": "dst_as",
    "tcp_flags": "tcp_flags", "prot": "proto", "tos": "tos",
    "src_mask": "src_mask", "dst_mask": "dst_mask",
}  # fmt: skip
HEADER, RECORD = 24, 48


class Sent(NamedTuple):
    """Datagrams in the order in which they were sent, and their records."""

    #: the columns of a store, `datagram` (a row of datagrams), `position` in it from 1, `optional`
    records: pd.DataFrame
    datagrams: pd.DataFrame  #: exporter, number, engine, sequence, records, boot, copy, optional, name
    name: str


def read_sent(source: Any, port: Optional[int] = None) -> Sent:
    """Datagrams that a run sent to a real collector (its `sent.pcap`), or those of a capture. `port`: of the collector;
    default: that of the run, 2055 of a capture."""
    source = Path(source)
    names: dict[str, str] = {}
    capture, ports = source, [port or 2055]
    if source.is_dir():
        capture = source / "sent.pcap"
        if not (source / "summary.json").is_file():
            raise _core.RunError(f"{source}: no summary.json, so this is no result folder")
        if not capture.is_file():
            raise _core.RunError(
                f"{source}: no sent.pcap: this run fed no real collector; run it with --to or --collector, "
                "or grade against a capture of what was sent"
            )
        deliveries = json.loads(_core.read_summary(os.fspath(source))).get("real_collectors") or []
        names = {delivery.get("source", ""): delivery["host"] for delivery in deliveries}
        ports = [port] if port else sorted({int(delivery["target"].rsplit(":", 1)[1]) for delivery in deliveries})
        if len(ports) > 1:
            raise _core.RunError(
                f"{source}: sent to several collectors; choose one by --port, one of {', '.join(map(str, ports))}"
            )
    try:
        payloads, _, sources = _core.read_udp(os.fspath(capture), ports[0])
    except _core.CaptureError as error:
        raise _core.RunError(str(error)) from None
    sent = from_payloads(payloads, sources, names, (), source.name)
    if not len(sent.records):
        raise _core.RunError(f"{capture}: no NetFlow v5 datagram to UDP port {ports[0]} was sent")
    return _numbered(sent, source)


def _whole(payload: bytes, may: bool) -> Iterable[bytes]:
    """Valid datagrams of a payload. `may`: all that may be stored."""
    count, there = int.from_bytes(payload[2:4], "big"), (len(payload) - HEADER) // RECORD
    if len(payload) < HEADER + RECORD or payload[:2] != b"\0\5":
        return
    size = HEADER + count * RECORD
    if may and len(payload) == 2 * size:
        yield payload[size:]  # the second of two in one
    if may:
        count = min(count, there, 30)
        payload = payload[:2] + bytes((0, count)) + payload[4 : HEADER + count * RECORD]
    if 1 <= count <= 30 and len(payload) == HEADER + count * RECORD:
        yield payload


def from_payloads(payloads: list[bytes], sources: Any, names: dict[str, str], may: Iterable[int], name: str) -> Sent:
    """`may`: numbers of payloads that may be stored and need not; other invalid payloads hold nothing."""
    valid = [(number, part) for number, payload in enumerate(payloads) for part in _whole(payload, number in may)]
    index, whole = [number for number, _ in valid], [part for _, part in valid]
    headers, records = (
        _core.decode_v5_list(whole) if whole else (np.zeros(0, _core.V5_HEADER), np.zeros(0, _core.V5_RECORD))
    )
    h = {field: headers[field].astype(np.int64) for field in _core.V5_HEADER.names or ()}
    nanoseconds = np.where(h["unix_nsecs"] < 10**9, h["unix_nsecs"], 0)
    datagrams = pd.DataFrame(
        {
            "exporter": np.asarray(sources, np.int64)[index],
            "engine": h["engine_type"] * 256 + h["engine_id"],
            "sequence": h["flow_sequence"],
            "records": h["count"],
            "uptime": h["sys_uptime"],
            "unix_ms": h["unix_secs"] * 1000 + nanoseconds // 10**6,
            "unix_ns": nanoseconds,
            "sampling": h["sampling_interval"],
        }
    )
    datagrams["name"] = [
        names.get(address, names.get("", address))
        for address in _core.address_keys(datagrams["exporter"].to_numpy(np.uint32))
    ]
    datagrams["copy"] = pd.DataFrame(
        {"exporter": datagrams["exporter"], "content": pd.Series(whole, dtype=object)}
    ).duplicated()
    datagrams["optional"] = np.isin(index, list(may)) | datagrams["copy"]
    datagrams["number"] = datagrams.groupby("exporter").cumcount()
    later = (datagrams["unix_ms"] - datagrams["uptime"]).groupby(datagrams["exporter"]).diff().fillna(0)
    datagrams["boot"] = ((later > 2000) & (np.abs(later - 2**32) > 2000)).groupby(datagrams["exporter"]).cumsum()
    datagrams["since"] = [f"after restart {boot}" if boot else "before a restart" for boot in datagrams["boot"]]
    order = np.repeat(np.arange(len(headers)), headers["count"])
    table = pd.DataFrame({ours: records[wire].astype(np.int64) for wire, ours in _WIRE.items()})
    for field in ("exporter", "engine", "sequence", "sampling", "optional", "uptime", "unix_ms", "unix_ns"):
        table[field] = datagrams[field].to_numpy()[order]
    for field in ("first", "last"):  # they may lie after SysUptime
        table[field] = table["unix_ms"] - ((table["uptime"] - table[f"{field}_raw"] + 2**31) % 2**32 - 2**31)
    table["flows"], table["datagram"] = 1, order
    table["position"] = table.groupby("datagram").cumcount() + 1
    return Sent(table, datagrams, name)


def read_from(records: pd.DataFrame, by: int) -> dict[str, np.ndarray]:
    """Records one behind the other, as they are if each is read `by` octets too late."""
    heads, wire = np.zeros(1, _core.V5_HEADER), np.zeros(len(records), _core.V5_RECORD)
    for field, ours in _WIRE.items():
        wire[field] = records[ours]
    heads["count"] = 1
    octets = b"".join(netflow.encode_v5(heads, wire[row : row + 1])[HEADER:] for row in range(len(wire)))
    head = netflow.encode_v5(heads, wire[:1])[:HEADER]
    parts = [head + octets[at : at + RECORD] for at in range(by % RECORD, len(octets) - RECORD + 1, RECORD)]
    read = _core.decode_v5_list(parts)[1] if parts else wire
    return {ours: read[field].astype(np.int64) for field, ours in _WIRE.items()}


def _numbered(sent: Sent, folder: Path) -> Sent:
    """The numbers of datagrams.csv, where it tells them."""
    if (folder / "datagrams.csv").is_file():
        known = (
            pd.read_csv(folder / "datagrams.csv")
            .dropna(subset=["exported_ns"])
            .sort_values("exported_ns", kind="stable")
        )
        for name, mine in sent.datagrams.groupby("name"):
            theirs = known[known["exporter"] == name]
            if theirs["sequence"].tolist() == mine["sequence"].tolist():
                sent.datagrams.loc[mine.index, "number"] = theirs["datagram"].to_numpy()
    return sent
