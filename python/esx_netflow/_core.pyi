# SPDX-License-Identifier: GPL-2.0-only
from typing import Any, Callable, Optional

import numpy as np

version: str

class ScenarioError(ValueError): ...
class RunError(RuntimeError): ...

def run(
    path: str,
    out: Optional[str] = ...,
    seed: Optional[int] = ...,
    run: Optional[int] = ...,
    captures: bool = ...,
    progress: Optional[Callable[[float, float], object]] = ...,
) -> dict[str, Any]: ...
def decode_v5(datagram: bytes) -> tuple[np.ndarray, np.ndarray]: ...
