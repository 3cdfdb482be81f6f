# SPDX-License-Identifier: GPL-2.0-only
"""Tools of the tests of sweeps: a lab that runs in a moment, an executor without processes, and the command line."""

import subprocess
from concurrent.futures import Executor, Future

from conftest import PROGRAM, QUICKSTART
from esx_netflow import Scenario

PLAN = "version: 1\nname: knee\nscenario: lab.yaml\nover:\n  hosts.esx1.netflow.purgatory_max: [1, 16]\nseeds: 2\n"


def scenario():
    lab = Scenario.load(QUICKSTART)
    lab["run.duration"] = "25s"
    for item in lab.data["traffic"]:
        item["stop"] = "6s"
        item["start"] = "3s"
    lab.data["traffic"] = [item for item in lab.data["traffic"] if item["name"] != "backup"]
    lab.data["expect"] = [{"name": "balanced", "check": "conservation"}]
    return lab


class Here(Executor):
    """Runs each call at once, in this process."""

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


def sweep_file(folder, text):
    scenario().save(folder / "lab.yaml")
    (folder / "sweep.yaml").write_text(text)
    return folder / "sweep.yaml"


def sweep(folder, *options):
    return subprocess.run([PROGRAM, "sweep", *options], cwd=folder, capture_output=True, text=True, timeout=300)
