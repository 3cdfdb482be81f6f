# SPDX-License-Identifier: GPL-2.0-only
"""A real nfcapd on loopback, and what it stored, as rows that compare with decoded datagrams.

    with NfcapdRun() as collector:
        ... send to (collector.host, collector.port) ...
        collector.stop()
    assert collector.rows == Counter(rows_of_datagrams(sent)) and collector.sequence_errors == 0

nfdump's JSON knows no engine, writes ICMP type and code instead of ports (and then no TCP flags), leaves
the interfaces out if both are 0, and gives milliseconds without a zone: everything here runs with TZ=UTC.
"""

import json
import os
import re
import socket
import subprocess
from collections import Counter
from datetime import datetime, timezone
from typing import Iterable, NamedTuple

from .loopback_collector import WITHIN_S, LoopbackCollector, program
from .netflow5 import WRAP, Datagram

PACKAGE = "nfdump"
ENVIRONMENT = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
SUMMARY = re.compile(r"Flows: (\d+), Packets: (\d+), Bytes: (\d+), Sequence Errors: (\d+), Bad Packets: (\d+)")


class Row(NamedTuple):
    exporter: str
    src: str
    dst: str
    sport: int
    dport: int
    proto: int
    tos: int
    input: int
    output: int
    packets: int
    octets: int
    first_ms: int  # since 1970
    last_ms: int
    tcp_flags: int


def rows_of_datagrams(datagrams: Iterable[Datagram]) -> Counter:
    rows = Counter()
    for d in datagrams:
        now_ms = d.unix_ns // 10**6
        for r in d.records:
            first, last = (now_ms - (d.uptime - t) % WRAP for t in (r.first, r.last))
            ports_on = (r.sport, r.dport, r.proto, r.tos, r.input, r.output)
            rows[Row(d.exporter, r.src, r.dst, *ports_on, r.packets, r.octets, first, last, r.tcp_flags)] += 1
    return rows


def rows_of_nfcapd(directory) -> Counter:
    """Every flow nfcapd stored below `directory`, as a multiset."""
    command = [program("nfdump", PACKAGE), "-R", str(directory), "-o", "json"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    if "No matching flows" in done.stdout or "No files to process" in done.stderr:
        return Counter()
    return Counter(map(_row, json.loads(done.stdout)))


def _row(flow: dict) -> Row:
    icmp = flow.get("icmp_type", 0) << 8 | flow.get("icmp_code", 0)
    ports = flow.get("src_port", 0), flow.get("dst_port", icmp)
    on = flow["proto"], flow["src_tos"], flow.get("input_snmp", 0), flow.get("output_snmp", 0)
    flags = sum(1 << bit for bit, sign in enumerate(reversed(flow.get("tcp_flags", ""))) if sign != ".")
    counts = flow["in_packets"], flow["in_bytes"], _ms(flow["first"]), _ms(flow["last"])
    return Row(flow["ip4_router"], flow["src4_addr"], flow["dst4_addr"], *ports, *on, *counts, flags)


def _ms(text: str) -> int:
    whole, fraction = text.split(".")
    return int(datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()) * 1000 + int(fraction)


class NfcapdRun(LoopbackCollector):
    """nfcapd on a free loopback port. After stop() (or the end of `with`): rows, log, flows, sequence_errors,
    bad_packets."""

    NAME, READY, TAKEN = "nfcapd", ("Startup nfcapd",), "Address already in use"

    def __init__(self, host: str = "127.0.0.1"):
        super().__init__(host)
        self.rows: Counter | None = None

    def _start(self) -> subprocess.Popen:
        (self._folder / "flows").mkdir()
        where = ["-w", self._folder / "flows", "-b", self.host, "-p", str(self.port)]
        with open(self._folder / "log", "wb") as log:
            command = [program("nfcapd", PACKAGE), *where, "-t", "3600", "-B", "4000000"]
            return subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log)

    def __exit__(self, *_) -> None:
        try:
            self.stop()
        finally:
            self._clean()

    def send(self, payloads: Iterable[bytes], source: str = "127.0.0.1") -> None:
        """Sends datagrams from one socket, waiting so that none overruns the collector's buffer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind((source, 0))
            for number, payload in enumerate(payloads):
                if number % 50 == 49:
                    self.drain()
                out.sendto(payload, (self.host, self.port))

    def stop(self) -> None:
        """Drains, ends nfcapd and reads what it stored. Doing it twice does nothing."""
        if self.rows is not None:
            return
        if self._process.poll() is None:
            self.drain()
            self._terminate()
        self.log = self._log_now()
        summaries = [tuple(map(int, found)) for found in SUMMARY.findall(self.log)]  # one per file it closed
        if self._process.returncode != 0 or not summaries:
            raise RuntimeError(f"nfcapd ended with {self._process.returncode}:\n{self.log}")
        self.flows, _, _, self.sequence_errors, self.bad_packets = map(sum, zip(*summaries))
        self.rows = rows_of_nfcapd(self._folder / "flows")

    def _terminate(self) -> None:
        """Asks again each second: nfcapd sleeps through a signal that comes just before it waits for a datagram."""
        for _ in range(WITHIN_S):
            if self._process.poll() is None:
                self._process.terminate()
            try:
                self._process.wait(timeout=1)
                return
            except subprocess.TimeoutExpired:
                continue
        self._process.kill()
        self._process.wait()
