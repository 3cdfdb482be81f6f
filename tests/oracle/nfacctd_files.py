# SPDX-License-Identifier: GPL-2.0-only
"""A real nfacctd (pmacct) on loopback with all of its checks on, what it stored and what it complained about.

    with NfacctdRun() as collector:
        ... send to (collector.host, collector.port) ...
        collector.stop()
    assert collector.complaints == [] and collector.flows == ...

nfacctd always aggregates: `flows` are sums of (packets, octets) by key. It knows no milliseconds and no engine in its output; sequences it
follows for each engine and complains in its log.
"""
import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

READY, WITHIN_S = ("waiting for NetFlow/IPFIX data", "setting object handlers"), 30  # the core, the plugin
HARMLESS = re.compile(r"Purging cache|OK, Exiting|cache entries=|setting object handlers|ctrl channel|plugin_pipe_size")
PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47}
CONFIGURATION = """\
daemonize: false
nfacctd_ip: {host}
nfacctd_port: {port}
nfacctd_disable_checks: false
nfacctd_pipe_size: 4000000
plugins: print[all]
aggregate[all]: src_host, dst_host, src_port, dst_port, proto, tos, in_iface, out_iface
print_output[all]: json
print_output_file[all]: {folder}/flows.json
print_refresh_time[all]: 3600
plugin_pipe_size[all]: 20000000
plugin_buffer_size[all]: 100000
logfile: {folder}/log
"""


class NfacctdRun:
    """After stop() (or the end of `with`): flows {(src, dst, proto, sport, dport, tos, input, output): (packets, octets)}, complaints."""

    def __init__(self, host: str = "127.0.0.1"):
        self.host, self.port = host, 0
        self.flows: dict[tuple, tuple[int, int]] | None = None
        self.complaints: list[str] = []

    def __enter__(self) -> "NfacctdRun":
        program = shutil.which("nfacctd")
        if program is None:
            raise FileNotFoundError("nfacctd is not installed (Debian package pmacct)")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((self.host, 0))
            self.port = probe.getsockname()[1]
        self._folder = Path(tempfile.mkdtemp(prefix="nfacctd-"))
        configuration = self._folder / "conf"
        configuration.write_text(CONFIGURATION.format(host=self.host, port=self.port, folder=self._folder))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen([program, "-f", configuration], **quiet)
        try:
            self._wait(lambda: all(sign in self._log() for sign in READY), "it is not ready")
            self._quiet = len(self._log().splitlines())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=WITHIN_S)
        shutil.rmtree(self._folder)

    def stop(self) -> None:
        """Waits until it has read all that was sent, ends it, reads what it stored. Doing it twice does nothing."""
        if self.flows is not None:
            return
        self._wait(lambda: self._waiting()[0] == 0, "it does not read its socket")
        if self._waiting()[1]:
            raise RuntimeError(f"nfacctd's socket buffer dropped {self._waiting()[1]} datagrams")
        self._process.send_signal(signal.SIGINT)  # writes what it has
        self._process.wait(timeout=WITHIN_S)
        self.complaints = [line for line in self._log().splitlines()[self._quiet :] if not HARMLESS.search(line)]
        self.flows = self._read()

    def total(self) -> tuple[int, int]:
        """-> packets, octets"""
        return tuple(map(sum, zip(*self.flows.values()))) if self.flows else (0, 0)

    def _read(self) -> dict[tuple, tuple[int, int]]:
        sums = defaultdict(lambda: (0, 0))
        path = self._folder / "flows.json"
        for line in path.read_text().splitlines() if path.exists() else ():
            if not line.strip():
                continue
            row = json.loads(line)
            protocol = PROTOCOLS.get(row["ip_proto"]) or int(row["ip_proto"])
            key = (row["ip_src"], row["ip_dst"], protocol, row["port_src"], row["port_dst"])
            key += (row["tos"], row["iface_in"], row["iface_out"])
            packets, octets = sums[key]
            sums[key] = packets + row["packets"], octets + row["bytes"]
        return dict(sums)

    def _log(self) -> str:
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _waiting(self) -> tuple[int, int]:
        """-> bytes waiting in its socket, datagrams that found no room"""
        address = int.from_bytes(socket.inet_aton(self.host), "little")
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[1] == f"{address:08X}:{self.port:04X}":
                return int(columns[4].split(":")[1], 16), int(columns[-1])
        raise RuntimeError(f"nfacctd's socket is gone:\n{self._log()}")

    def _wait(self, condition, failure: str) -> None:
        end = time.monotonic() + WITHIN_S
        while not condition():
            if self._process.poll() is not None:
                raise RuntimeError(f"nfacctd ended by itself:\n{self._log()}")
            if time.monotonic() > end:
                raise RuntimeError(f"nfacctd: {failure} after {WITHIN_S} s:\n{self._log()}")
            time.sleep(0.01)
