# SPDX-License-Identifier: GPL-2.0-only
"""Base of the runs of real collectors: a process with a folder and a UDP port on loopback of its own, whatever else
runs beside it.

A collector binds its port itself, after it was found free, so another process may have taken it meanwhile: then the
next port is tried. Two nfacctd would share a port without a word. So each run holds the same port of another loopback
address as long as it lives.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HOLDING = "127.255.255.254"  # an address of loopback on which only these runs hold ports
ATTEMPTS = 10
WITHIN_S = 60  # bounds waits for conditions that a busy machine comes to late, too


class _PortTaken(RuntimeError):
    pass


def program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} is not installed (Debian package {package})")
    return path


def _held_port(host: str) -> tuple[socket.socket, int]:
    """-> what holds a port against other runs until it is closed, and the port, which is free at `host` now"""
    while True:
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        holder.bind((HOLDING, 0))
        port = holder.getsockname()[1]
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind((host, port))
            return holder, port
        except OSError:
            holder.close()


class LoopbackCollector:
    """A collector that is ready within `with`. Its kind gives NAME, READY (what its log says then), TAKEN (what it says
    of a port in use)."""

    NAME, READY, TAKEN = "", (), ""

    def __init__(self, host: str = "127.0.0.1"):
        self.host, self.port = host, 0

    def _start(self) -> subprocess.Popen:
        """Starts it on self.host and self.port, with its files in self._folder."""
        raise NotImplementedError

    def _terminate(self) -> None:
        """Ends it, if it runs."""
        raise NotImplementedError

    def __enter__(self):
        for attempt in range(ATTEMPTS):
            try:
                self._begin()
                return self
            except _PortTaken:
                if attempt == ATTEMPTS - 1:
                    raise

    def _begin(self) -> None:
        self._holder, self.port = _held_port(self.host)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{self.NAME}-"))
        self._process = None
        try:
            self._process = self._start()
            self._wait(lambda: all(sign in self._log_now() for sign in self.READY), "it is not ready")
        except BaseException:
            self._clean()
            raise

    def _clean(self) -> None:
        try:
            if self._process is not None:
                self._terminate()
        finally:
            self._holder.close()
            shutil.rmtree(self._folder)

    def _log_now(self) -> str:
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _socket(self) -> tuple[int, int]:
        """-> bytes waiting to be read, datagrams dropped so far"""
        address = int.from_bytes(socket.inet_aton(self.host), "little")
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[1] == f"{address:08X}:{self.port:04X}":
                return int(columns[4].split(":")[1], 16), int(columns[-1])
        raise RuntimeError(f"{self.NAME}'s socket is gone:\n{self._log_now()}")

    def drain(self) -> None:
        """Waits until it has read all that was sent; a datagram its socket dropped is an error."""
        self._wait(lambda: self._socket()[0] == 0, "it does not read its socket")
        if self._socket()[1]:
            raise RuntimeError(f"{self.NAME}'s socket buffer dropped {self._socket()[1]} datagrams")

    def _wait(self, condition, failure: str) -> None:
        end = time.monotonic() + WITHIN_S
        while not condition():
            if self._process.poll() is not None:
                kind = _PortTaken if self.TAKEN in self._log_now() else RuntimeError
                raise kind(f"{self.NAME} ended by itself:\n{self._log_now()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.NAME}: {failure} after {WITHIN_S} s:\n{self._log_now()}")
            time.sleep(0.01)
