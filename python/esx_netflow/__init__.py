# SPDX-License-Identifier: GPL-2.0-only
"""NetFlow v5 of ESX Server 3.5: run scenarios, look at where the flows went.

>>> import esx_netflow
>>> result = esx_netflow.run("scenarios/quickstart.yaml")
>>> result.verdict, result.residual.packets
('pass', 0)
"""

import json
import os
from collections import namedtuple

import numpy as np

from . import _core
from ._core import RunError, ScenarioError

__all__ = ["Counts", "Result", "RunError", "ScenarioError", "decode_v5", "run"]
__version__ = _core.version

Counts = namedtuple("Counts", "packets octets records")
Counts.__doc__ = "Packets, their IP octets, and flow records."

TABLES = ("truth", "exported", "collected", "series")


class Result:
    """What came of a run.

    Attributes
    ----------
    truth : numpy.ndarray
        Structured, shape (flows,), read-only: totals of each flow as metered and shed. Fields as in flows-truth.csv: `src`
        and `dst` are IPv4 addresses as host-order integers, `first_ms` and `last_ms` ms of uptime, `exporter` an index in
        `exporters`; `datagram` and `received_ns` are -1.
    exported, collected : numpy.ndarray
        The same fields, shape (records,): records handed to a vmknic, and records as a collector decoded them (`collector` is an
        index in `collectors`, `received_ns` simulated time in ns).
    series : numpy.ndarray
        Structured, shape (samples,): state and counters of each exporter's module, `time_ns` in simulated ns.
    ledger : dict
        host -> vSwitch -> move -> Counts.
    residual : Counts
        All zero unless there is a bug.
    verdict : str
        "pass", "fail", "unbalanced" or "interrupted".
    expectations : list of dict
        name, measured, bound, pass.
    summary : dict
        What summary.json holds.
    log, console : dict
        host -> list of lines.
    exporters, collectors : list of str
        Names.

    The arrays show the simulator's own memory; nothing was copied. `pandas.DataFrame(result.truth)` makes a table.
    """

    def __init__(self, raw):
        for name in TABLES + ("exporters", "collectors", "log", "console"):
            setattr(self, name, raw[name])
        self.ledger = {
            host: {
                vswitch: {move: Counts(*counts) for move, counts in moves.items()}
                for vswitch, moves in vswitches.items()
            }
            for host, vswitches in raw["ledger"].items()
        }
        self.summary = json.loads(raw["summary_json"])
        self.residual = Counts(**self.summary["residual"])
        self.verdict = self.summary["verdict"]
        self.expectations = self.summary["expectations"]
        self._text = raw["text"]

    def __str__(self):
        return self._text

    def __repr__(self):
        return (
            f"<esx_netflow.Result {self.summary['name']}: {self.verdict}, {len(self.truth)} flows, "
            f"{len(self.collected)} records collected>"
        )


def run(path, out=None, seed=None, run=None, captures=False, progress=None):
    """Runs a scenario.

    Parameters
    ----------
    path : str or os.PathLike
        The scenario, a YAML file.
    out : str or os.PathLike, optional
        Folder for the same files that `esx-netflow run --out` writes. None: nothing is written.
    seed, run : int, optional
        In place of the scenario's; >= 1.
    captures : bool
        With `out`: capture every vSwitch port and collector.
    progress : callable, optional
        progress(now_s, end_s) in simulated seconds, about ten times a second. What it raises ends the run.

    Returns
    -------
    Result

    Raises
    ------
    ScenarioError
        The scenario is wrong; the text has file, line and what is allowed, as the command line prints it.
    RunError
        The result folder cannot be written.
    KeyboardInterrupt
        Ctrl-C; nothing is written then.

    Other Python threads run meanwhile. ns-3's state is global: one run at a time in a process.
    """
    return Result(
        _core.run(
            os.fspath(path),
            None if out is None else os.fspath(out),
            seed,
            run,
            captures,
            progress,
        )
    )


def decode_v5(datagrams):
    """Decodes NetFlow version 5 export datagrams.

    Parameters
    ----------
    datagrams : bytes-like or iterable of bytes-like
        UDP payloads.

    Returns
    -------
    (headers, records) : tuple of numpy.ndarray
        Structured arrays of shape (datagrams,) and (sum of counts,), fields named as in Cisco's format, in host order; times in
        ms of uptime, seconds and ns.

    Raises
    ------
    ValueError
        A datagram is refused: its index and the reason.
    """
    if isinstance(datagrams, (bytes, bytearray, memoryview)):
        datagrams = [datagrams]
    decoded = []
    for index, datagram in enumerate(datagrams):
        try:
            decoded.append(_core.decode_v5(bytes(datagram)))
        except ValueError as error:
            raise ValueError(f"datagram {index}: {error}") from None
    if not decoded:
        raise ValueError("no datagram")
    headers, records = zip(*decoded)
    return np.concatenate(headers), records[0] if len(records) == 1 else np.concatenate(records)
