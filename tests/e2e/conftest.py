# SPDX-License-Identifier: GPL-2.0-only
"""The program under test, for every end-to-end test: build/esx-netflow of the build in ESX_NETFLOW_BUILD."""

import os
import subprocess
from pathlib import Path

import pytest

RUN_WITHIN_S = 300  # bounds what hangs, also on a busy machine


class Program:
    def __init__(self, path: Path):
        self.path = path

    def __call__(self, *arguments, **settings) -> subprocess.CompletedProcess:
        """Runs it to its end. `settings` as for subprocess.run."""
        command = [self.path, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=RUN_WITHIN_S, **settings)

    def start(self, *arguments, **settings) -> subprocess.Popen:
        """Starts it with its output in pipes, as text."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([self.path, *map(str, arguments)], **pipes | settings)


@pytest.fixture(scope="session")
def esx_netflow() -> Program:
    path = Path(os.environ["ESX_NETFLOW_BUILD"]) / "esx-netflow"
    assert path.is_file(), f"{path} is not built"
    return Program(path)
