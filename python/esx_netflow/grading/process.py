# SPDX-License-Identifier: GPL-2.0-only
"""A real collector as a process: started, watched and ended, whatever it does."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterable, Iterator, Optional

from .. import _core

LISTENS_WITHIN_S = 30.0
READS_WITHIN_S = 60.0
ENDS_WITHIN_S = 20.0
_ASK_AGAIN_S = 4.0
_IDLE_SAMPLES, _IDLE_WITHIN_S = 6, 3.0  # a collector whose processes all sleep is ready, or has done its work
_LOG_BOUND = 4 << 20  # octets of output that are kept
_SAMPLE_S = 0.05
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _end_this(*_):
    raise KeyboardInterrupt


def _die_with_parent():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _children(pid: int) -> Iterator[int]:
    """All processes below one."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = [int(word) for word in task.read_text().split()]
        except OSError:
            continue
        for child in below:
            yield child
            yield from _children(child)


class Collector:
    """Within `with`: a collector that listens. `faults` says what it did wrong as a process, `drops` what the kernel dropped of its sockets.

    Parameters
    ----------
    command : str
        For a shell; {port} and {folder} are filled in.
    folder : pathlib.Path
        Gets `store`, the collector's {folder}, and `collector.log`. An earlier one is replaced.
    """

    def __init__(self, command: str, folder: Path, end_by: str = "TERM") -> None:
        if "{port}" not in command:
            raise _core.RunError(f"--collector '{command}': {{port}} is not in it, the UDP port on which it has to listen")
        if not hasattr(signal, f"SIG{end_by}"):
            raise _core.RunError(f"--end-by {end_by}: there is no such signal; INT, TERM, HUP, QUIT, USR1 and USR2 are some")
        self._signal = getattr(signal, f"SIG{end_by}")
        self.folder, self.store, self.log = folder, folder / "store", folder / "collector.log"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = command.replace("{port}", str(self.port)).replace("{folder}", str(self.store.absolute()))
        self.faults: list[str] = []
        self._dropped: dict[str, int] = {}  # by socket
        self._waiting: Optional[int] = None  # octets that it has not read; None: no socket is open
        self._done = threading.Event()
        self._others: set[int] = set()

    @property
    def drops(self) -> Optional[int]:
        return sum(self._dropped.values()) if self._dropped else None

    def __enter__(self) -> Collector:
        if self.folder.exists() and any(self.folder.iterdir()) and not self.log.exists():
            raise _core.RunError(f"{self.folder}: is not empty and holds no collector.log; nothing is overwritten")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.store.mkdir(parents=True)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # daemons of its own are ours to end
        self._handlers = {number: signal.signal(number, _end_this) for number in (signal.SIGTERM, signal.SIGHUP)}
        self._others = set(_children(os.getpid()))
        self._process = subprocess.Popen(["/bin/sh", "-c", self.command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._keep_output, self._watch)]
        try:
            for thread in self._threads:
                thread.start()
            self._await_listening()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is None:
                self._await_read()
        finally:
            self._end()

    def _await_listening(self) -> None:
        end = time.monotonic() + LISTENS_WITHIN_S
        while self._waiting is None:
            if self._process.poll() is not None and not self._alive():
                self._done.wait(0.2)  # its last words
                raise _core.RunError(f"the collector ended with {self._status()} before it listened on UDP port {self.port}{self._last_words()}")
            if time.monotonic() > end:
                raise _core.RunError(f"the collector does not listen on UDP port {self.port} after {LISTENS_WITHIN_S:g} s{self._last_words()}")
            time.sleep(_SAMPLE_S)
        self._await_idle()

    def _await_read(self) -> None:
        """Until it has read what was sent to it."""
        end = time.monotonic() + READS_WITHIN_S
        time.sleep(4 * _SAMPLE_S)
        while self._waiting and time.monotonic() < end:
            time.sleep(_SAMPLE_S)
        self._await_idle()
        if self._waiting:
            self.faults.append(f"the collector hangs: {self._waiting} octets are unread in its socket after {READS_WITHIN_S:g} s")
        if self._waiting is None:
            self.faults.append(f"the collector closed its socket before it was ended{'' if self._alive() else ': it ended with ' + self._status()}{self._last_words()}")

    def _await_idle(self) -> None:
        end, idle = time.monotonic() + _IDLE_WITHIN_S, 0
        while idle < _IDLE_SAMPLES and time.monotonic() < end:
            time.sleep(_SAMPLE_S)
            idle = idle + 1 if all(state == "S" for state in self._alive().values()) else 0

    def _alive(self) -> dict[int, str]:
        """Its processes, and their states."""
        found = {}
        for pid in set(_children(os.getpid())) - self._others:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if state == "Z" and pid != self._process.pid:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
            elif state != "Z":
                found[pid] = state
        return found

    def _leaders(self) -> list[int]:
        """Whom to ask to end: the collector's first processes, which end their own, and not the shell that started them."""
        alive, first = self._alive(), self._process.pid
        if first not in alive:
            return list(alive)
        try:
            below = [pid for pid in _children(first) if pid in alive]
            is_shell = os.path.realpath(f"/proc/{first}/exe") == os.path.realpath("/bin/sh")
            direct = [pid for pid in below if int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]) == first]
        except OSError:
            return [first]
        return direct if is_shell and direct else [first]

    def _send(self, number: int, whom: Iterable[int]) -> None:
        for pid in whom:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def _end(self) -> None:
        """Asks again: some collectors sleep through a signal."""
        end = time.monotonic() + ENDS_WITHIN_S
        asked = -_ASK_AGAIN_S
        while self._alive() and time.monotonic() < end:
            if time.monotonic() > asked + _ASK_AGAIN_S:
                self._send(self._signal, self._leaders())
                asked = time.monotonic()
            self._process.poll()
            time.sleep(0.02)
        if self._alive():
            self.faults.append(f"the collector did not end by {self._signal.name} within {ENDS_WITHIN_S:g} s and was killed")
            while self._alive():
                self._send(signal.SIGKILL, self._alive())
                self._process.poll()
                time.sleep(0.02)
        self._process.wait()
        self._done.set()
        for thread in self._threads:
            thread.join(2)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _status(self) -> str:
        code = self._process.poll()
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def _last_words(self) -> str:
        text = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
        return f"; it said: {text.splitlines()[-1][:200]}" if text else ""

    def _keep_output(self) -> None:
        kept, source = 0, self._process.stdout
        assert source is not None
        with open(self.log, "wb", buffering=0) as file:
            while data := os.read(source.fileno(), 65536):
                file.write(data[: max(0, _LOG_BOUND - kept)])
                kept += len(data)
        if kept > _LOG_BOUND:
            self.faults.append(f"the collector floods its output: {kept >> 20} MiB, of which {_LOG_BOUND >> 20} are kept")

    def _watch(self) -> None:
        """Its sockets, in its network namespace, until they are closed."""
        while not self._done.wait(_SAMPLE_S):
            namespaces: dict[str, int] = {}
            for pid in [*self._alive(), os.getpid()]:
                try:
                    namespaces.setdefault(os.readlink(f"/proc/{pid}/ns/net"), pid)
                except OSError:
                    pass
            waiting: list[int] = []
            for pid in namespaces.values():
                for table in ("udp", "udp6"):
                    try:
                        lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
                    except OSError:
                        continue
                    for columns in (line.split() for line in lines):
                        if columns[1].endswith(f":{self.port:04X}"):
                            waiting.append(int(columns[4].split(":")[1], 16))
                            self._dropped[columns[9]] = int(columns[-1])
            self._waiting = sum(waiting) if waiting else None
