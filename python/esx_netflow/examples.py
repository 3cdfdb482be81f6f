# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios and notebooks that come with the package.

Each scenario is a function that gives it as a `Scenario`, by its name with underscores: ``quickstart()``,
``purgatory_knee()``.

>>> esx_netflow.run(esx_netflow.examples.quickstart()).verdict
'pass'
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Callable, Union

from . import _core
from .scenarios import Scenario

DATA = Path(__file__).resolve().parent / "data"
_core.set_data_folder(os.fspath(DATA))


def names() -> list[str]:
    """The names of the scenarios, as ``esx-netflow run`` takes them."""
    return sorted(path.stem for path in (DATA / "scenarios").glob("*.yaml"))


def notebooks(folder: Union[str, os.PathLike[str]]) -> list[Path]:
    """Copies the notebooks, and the files that they read, into a folder. Files that are there stay as they are.

    Returns
    -------
    list of Path
        The notebooks.
    """
    folder = Path(folder)

    def copy(source, target):
        if not os.path.exists(target):
            shutil.copyfile(source, target)

    for part in ("notebooks", "scenarios", "tests"):
        shutil.copytree(DATA / part, folder / part, copy_function=copy, dirs_exist_ok=True)
    return sorted((folder / "notebooks").glob("*.ipynb"))


def __getattr__(name: str) -> Callable[[], Scenario]:
    path = DATA / "scenarios" / f"{name.replace('_', '-')}.yaml"
    if name.startswith("_") or not path.is_file():
        raise AttributeError(f"there is no scenario {name!r}; these are: {', '.join(names())}")
    return partial(Scenario.load, path)


def __dir__() -> list[str]:
    return sorted(["names", "notebooks", *(name.replace("-", "_") for name in names())])
