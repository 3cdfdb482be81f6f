# SPDX-License-Identifier: GPL-2.0-only
"""NetFlow v5 of ESX Server 3.5: run scenarios, see where the flows went, vary what you like.

>>> import esx_netflow
>>> result = esx_netflow.run("scenarios/quickstart.yaml")
>>> result.verdict, result.ledger.residual.packets
('pass', 0)
>>> result.truth.to_pandas().groupby("src", observed=True)["octets"].sum()
...
>>> esx_netflow.report(result, "report.html")
"""

from . import _core, examples, netflow
from ._core import CaptureError, RunError, ScenarioError
from .building import Lab
from .comparing import compare
from .explaining import FlowStory
from .netflow import decode_v5, encode_v5
from .reporting import report
from .results import Counts, Ledger, Result
from .running import RunInterrupted, run
from .scenarios import Scenario, ScenarioWarning
from .sweeping import sweep
from .tables import Table
from .talkers import Talkers

__all__ = [
    "CaptureError", "Counts", "FlowStory", "Lab", "Ledger", "Result", "RunError", "RunInterrupted", "Scenario",
    "ScenarioError", "ScenarioWarning", "Table", "Talkers", "compare", "decode_v5", "encode_v5", "examples", "netflow",
    "plots", "report", "run", "sweep",
]  # fmt: skip
__version__ = _core.version


def __getattr__(name):
    if name == "plots":  # matplotlib takes half a second: only for who draws
        import importlib

        return importlib.import_module(".plots", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
