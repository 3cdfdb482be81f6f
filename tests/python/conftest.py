# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures of the tests of the Python package."""

import os
from pathlib import Path

import pytest

import esx_netflow

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "scenarios" / "quickstart.yaml"
LOSSES = ROOT / "scenarios" / "losses.yaml"
PROGRAM = Path(os.environ["ESX_NETFLOW_BUILD"]) / "esx-netflow"


@pytest.fixture(scope="session")
def quickstart():
    return esx_netflow.run(QUICKSTART)


@pytest.fixture(scope="session")
def losses():
    return esx_netflow.run(LOSSES)
