# SPDX-License-Identifier: GPL-2.0-only
"""A process that holds a collector: `python3 holder.py COMMAND`, for a shell. Ends as the command, when all processes
that it began have ended.

Whatever ends the one who started this, SIGKILL too, closes standard input: then all are killed, also those that made
themselves daemons.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Iterator

_PR_SET_CHILD_SUBREAPER = 36


def held(command: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-I", "-S", __file__, command]


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:  # it ended
            pass
    return found


def below(pid: int) -> Iterator[int]:
    """All processes below one."""
    for child in children(pid):
        yield child
        yield from below(child)


def _kill_when_left() -> None:
    while os.read(0, 1):
        pass
    while True:  # until this ends with the last of them
        for pid in below(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def main(command: str) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: it is for the command
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    shell, status = (
        os.posix_spawn("/bin/sh", ["sh", "-c", command], os.environ, file_actions=files, setsigdef=[signal.SIGINT]),
        0,
    )
    threading.Thread(target=_kill_when_left, daemon=True).start()
    while True:
        try:
            pid, ended = os.waitpid(-1, 0)
        except ChildProcessError:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        status = ended if pid == shell else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
