# SPDX-License-Identifier: GPL-2.0-only
"""Every notebook of the package runs from top to bottom in the interpreter that runs the tests, and is kept without
outputs."""

import os
import sys
import tempfile

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from traitlets import default

from esx_netflow import examples

NOTEBOOKS = sorted((examples.DATA / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


class ThisInterpreter(KernelManager):
    """Starts the kernel with the interpreter of the tests, whatever kernel specs are installed, and talks to it by
    files: ports that were found free for it may be taken when it starts."""

    @default("transport")
    def _files(self):
        return "ipc"

    @default("connection_file")
    def _beside_the_files(self):
        return os.path.join(os.environ["JUPYTER_RUNTIME_DIR"], "kernel.json")

    def format_kernel_cmd(self, extra_arguments=None):
        return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file]


@pytest.fixture
def runtime(monkeypatch):
    """A folder of its own for what Jupyter and the kernel share. Names of sockets are short: tmp_path is too long."""
    with tempfile.TemporaryDirectory(prefix="jupyter-") as folder:
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", folder)
        monkeypatch.setenv("IPYTHONDIR", f"{folder}/ipython")
        yield


def execute(notebook, folder):
    NotebookClient(
        notebook,
        timeout=600,
        startup_timeout=300,
        kernel_manager_class=ThisInterpreter,
        resources={"metadata": {"path": str(folder)}},
    ).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs(path, runtime, tmp_path):
    examples.notebooks(tmp_path)
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, tmp_path / "notebooks")
    images = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "image/png" in o.get("data", {})]
    assert images, "a notebook without a plot"


CELLS = """import esx_netflow
def seen(result):
    return {"flows seen": len(result.truth)}
---
over = {"run.duration": ["5s", "6s"]}
one = esx_netflow.sweep("quickstart.yaml", over=over, executor=2, metrics=seen)
two = esx_netflow.sweep("quickstart.yaml", over=over, executor=2, \
metrics=lambda result: {"flows seen": len(result.truth)})
---
assert one["error"].isna().all() and (one["flows seen"] > 0).all() and one.equals(two)"""


def test_a_sweep_takes_a_function_of_a_cell_and_a_lambda(runtime, tmp_path):
    examples.notebooks(tmp_path)
    execute(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS.split("\n---\n")]),
        tmp_path / "scenarios",
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_kept_without_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert cell.cell_type != "code" or (not cell.outputs and cell.execution_count is None)
