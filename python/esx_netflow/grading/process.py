# SPDX-License-Identifier: GPL-2.0-only
"""A real collector as a process: started, watched and ended, whatever it does."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Optional

from .. import _core
from . import holder

LISTENS_WITHIN_S = 30.0
READS_WITHIN_S = 60.0
ENDS_WITHIN_S = 20.0
_ASK_AGAIN_S = 4.0  # some collectors sleep through a signal
_IDLE_SAMPLES, _IDLE_WITHIN_S = 6, 3.0  # a collector whose processes all sleep is ready, or has done its work
_LOG_BOUND = 4 << 20  # octets of output that are kept
_SAMPLE_S = 0.05


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


class Collector:
    """Within `with`: a collector that listens. `faults` says what it did wrong as a process, `drops` what the kernel
    dropped of its sockets.

    Parameters
    ----------
    command : str
        For a shell; {port} and {folder} are filled in.
    folder : pathlib.Path
        Gets `store`, the collector's {folder}, and `collector.log`. An earlier one is replaced.
    """

    def __init__(self, command: str, folder: Path, end_by: str = "TERM") -> None:
        if "{port}" not in command:
            raise _core.RunError(
                f"--collector '{command}': {{port}} is not in it, the UDP port on which it has to listen"
            )
        if not hasattr(signal, f"SIG{end_by}"):
            raise _core.RunError(
                f"--end-by {end_by}: there is no such signal; INT, TERM, HUP, QUIT, USR1 and USR2 are some"
            )
        self._signal = getattr(signal, f"SIG{end_by}")
        self.store, self.log = folder / "store", folder / "collector.log"
        if folder.exists() and any(folder.iterdir()) and not self.log.exists():
            raise _core.RunError(f"{folder}: is not empty and holds no collector.log; nothing is overwritten")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.log.touch()
        self.store.mkdir()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = command.replace("{port}", str(self.port)).replace("{folder}", str(self.store.absolute()))
        self.faults: list[str] = []
        self._dropped: dict[str, int] = {}  # by socket
        self._waiting: Optional[int] = None  # octets that it has not read; None: no socket is open
        self._unwritten = ""  # why the log could not be written
        self._done = threading.Event()

    @property
    def drops(self) -> Optional[int]:
        return sum(self._dropped.values()) if self._dropped else None

    def __enter__(self) -> Collector:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        self._holder = subprocess.Popen(
            holder.held(self._command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._keep_output, self._watch)]
        try:
            for thread in self._threads:
                thread.start()
            self._await_listening()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            if kind is None:
                self._await_read()
        finally:
            self._end()
        if self._unwritten:
            raise _core.RunError(f"{self.log}: cannot be written: {self._unwritten}")

    def _until(self, condition: Callable[[], bool], within_s: float) -> bool:
        end = time.monotonic() + within_s
        while not condition() and time.monotonic() < end:
            time.sleep(_SAMPLE_S)
        return condition()

    def _await_listening(self) -> None:
        listens = self._until(lambda: self._waiting is not None or self._holder.poll() is not None, LISTENS_WITHIN_S)
        if self._waiting is None:
            what = (
                f"ended with {self._status()} before it listened on UDP port {self.port}"
                if listens
                else f"does not listen on UDP port {self.port} after {LISTENS_WITHIN_S:g} s"
            )
            raise _core.RunError(f"the collector {what}{self._last_words()}")
        self._await_idle()

    def _await_read(self) -> None:
        """Until it has read what was sent to it."""
        time.sleep(4 * _SAMPLE_S)
        self._until(lambda: not self._waiting, READS_WITHIN_S)
        self._await_idle()
        if self._waiting:
            self.faults.append(
                f"the collector hangs: {self._waiting} octets are unread in its socket after {READS_WITHIN_S:g} s"
            )
        if self._waiting is None:
            ended = "" if self._holder.poll() is None else f": it ended with {self._status()}"
            self.faults.append(f"the collector closed its socket before it was ended{ended}{self._last_words()}")

    def _await_idle(self) -> None:
        slept = [0]

        def is_idle() -> bool:
            slept[0] = slept[0] + 1 if all(self._state(pid) in "SZ" for pid in holder.below(self._holder.pid)) else 0
            return slept[0] > _IDLE_SAMPLES

        self._until(is_idle, _IDLE_WITHIN_S)

    @staticmethod
    def _state(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return "Z"

    def _end(self) -> None:
        """Asks its first processes, which end their own, and not a shell that started them."""
        end, holds = time.monotonic() + ENDS_WITHIN_S, self._holder.pid
        while self._holder.poll() is None and time.monotonic() < end:
            asked = holder.children(holds)
            for pid in asked:
                try:
                    is_shell = os.path.samefile(f"/proc/{pid}/exe", "/bin/sh")
                except FileNotFoundError:
                    continue  # it has ended by itself
                for leader in is_shell and holder.children(pid) or [pid]:
                    try:
                        os.kill(leader, self._signal)
                    except ProcessLookupError:
                        pass
            self._until(lambda: self._holder.poll() is not None or holder.children(holds) != asked, _ASK_AGAIN_S)
        if self._holder.poll() is None:
            self.faults.append(
                f"the collector did not end by {self._signal.name} within {ENDS_WITHIN_S:g} s and was killed"
            )
        assert self._holder.stdin is not None
        self._holder.stdin.close()  # which kills what is left
        self._holder.wait()
        self._done.set()
        for thread in self._threads:
            thread.join(2)

    def _status(self) -> str:
        code = self._holder.returncode
        return f"signal {code - 128}" if code > 128 else f"exit code {code}"

    def _last_words(self) -> str:
        self._done.wait(0.2)
        text = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
        return f"; it said: {text.splitlines()[-1][:200]}" if text else ""

    def _keep_output(self) -> None:
        kept, source = 0, self._holder.stdout
        assert source is not None
        with open(self.log, "wb", buffering=0) as file:
            while data := os.read(source.fileno(), 65536):
                try:
                    file.write(data[: max(0, _LOG_BOUND - kept)])
                except OSError as error:
                    self._unwritten = str(error.strerror)
                kept += len(data)
        if kept > _LOG_BOUND:
            self.faults.append(
                f"the collector floods its output: {kept >> 20} MiB, of which {_LOG_BOUND >> 20} are kept"
            )

    def _watch(self) -> None:
        """Its sockets, in its network namespace, until they are closed."""
        while not self._done.wait(_SAMPLE_S):
            waiting: Optional[int] = None
            namespaces = {}
            for pid in [*holder.below(self._holder.pid), self._holder.pid]:
                try:
                    namespaces[os.readlink(f"/proc/{pid}/ns/net")] = [
                        Path(f"/proc/{pid}/net/{table}").read_text() for table in ("udp", "udp6")
                    ]
                except OSError:  # it ended
                    pass
            for line in "".join(text for tables in namespaces.values() for text in tables).splitlines():
                columns = line.split()
                if columns[1].endswith(f":{self.port:04X}"):
                    waiting = (waiting or 0) + int(columns[4].split(":")[1], 16)
                    self._dropped[columns[9]] = int(columns[-1])
            self._waiting = waiting
