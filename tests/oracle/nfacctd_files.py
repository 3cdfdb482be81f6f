# SPDX-License-Identifier: GPL-2.0-only
"""A real nfacctd (pmacct) on loopback with all of its checks on, what it stored and what it complained about.

    with NfacctdRun() as collector:
        ... send to (collector.host, collector.port) ...
        collector.stop()
    assert collector.complaints == [] and collector.flows == ...

nfacctd always aggregates: `flows` are sums of (packets, octets) by key. It knows no milliseconds and no engine in its
output; sequences it follows for each engine and complains in its log.
"""

import json
import re
import signal
import subprocess
from collections import defaultdict

from .loopback_collector import WITHIN_S, LoopbackCollector, program

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


class NfacctdRun(LoopbackCollector):
    """After stop() (or the end of `with`): flows {(src, dst, proto, sport, dport, tos, input, output): (packets,
    octets)}, complaints."""

    NAME, TAKEN = "nfacctd", "failed (errno: 98)"
    READY = ("waiting for NetFlow/IPFIX data", "setting object handlers")  # the core, the plugin

    def __init__(self, host: str = "127.0.0.1"):
        super().__init__(host)
        self.flows: dict[tuple, tuple[int, int]] | None = None
        self.complaints: list[str] = []

    def _start(self) -> subprocess.Popen:
        configuration = self._folder / "conf"
        configuration.write_text(CONFIGURATION.format(host=self.host, port=self.port, folder=self._folder))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([program("nfacctd", "pmacct"), "-f", configuration], **quiet)

    def __enter__(self) -> "NfacctdRun":
        super().__enter__()
        self._quiet = len(self._log_now().splitlines())
        return self

    def __exit__(self, *_) -> None:
        self._clean()

    def _terminate(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # writes what it has
        try:
            self._process.wait(timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def stop(self) -> None:
        """Waits until it has read all that was sent, ends it, reads what it stored. Doing it twice does nothing."""
        if self.flows is not None:
            return
        self.drain()
        self._terminate()
        self.complaints = [line for line in self._log_now().splitlines()[self._quiet :] if not HARMLESS.search(line)]
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
