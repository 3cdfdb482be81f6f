# SPDX-License-Identifier: GPL-2.0-only
"""Quantities of a scenario: numbers and timedelta become texts with units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

if TYPE_CHECKING:
    from .building import Part

Time = Union[str, float, timedelta]  #: a number is seconds
Rate = Union[str, float]  #: a number is bits a second
Size = Union[str, int]  #: a number is bytes
Queue = Union[str, int]  #: a number is packets
Name = Union[str, "Part"]
Names = Union[Name, Sequence[Name]]
End = Name
Attributes = Mapping[str, Union[str, float, bool]]

# kind -> (unit, factor of it), smallest first; the first that gives few digits is taken
_UNITS: dict[str, tuple[tuple[str, int], ...]] = {
    "time": (("s", 1),),
    "rate": (("bps", 1), ("Mbps", 10**6)),
    "bytes": (("B", 1), ("MB", 10**6)),
    "memory_size": (("MiB", 2**20),),
    "queue": (("p", 1),),
}
_UNITS["interval"] = _UNITS["random_time"] = _UNITS["time"]
_UNITS["random_bytes"] = _UNITS["bytes"]


def text_of(value: Any, kind: str) -> Any:
    """1e6 -> "1000000bps"; texts and what is no quantity stay as they are."""
    if kind in ("name", "names", "endpoint"):
        return value if isinstance(value, str) else getattr(value, "name", value)
    if getattr(value, "dtype", None) is not None and value.dtype.kind == "m":  # NumPy's timedelta64
        value = Decimal(int(value.astype("timedelta64[ns]"))) / 10**9 if value == value else math.nan
        is_time = True
    elif is_time := isinstance(value, timedelta):
        value = Decimal(value // timedelta(microseconds=1)) / 10**6
    elif hasattr(value, "item"):  # NumPy's
        value = value.item()
    if is_time and kind in _UNITS and _UNITS[kind] != _UNITS["time"]:
        raise ValueError(f"{value} s is no {kind.replace('_', ' ')}")
    if kind not in _UNITS or isinstance(value, (str, bool)) or not isinstance(value, (int, float, Decimal)):
        return value
    if not isinstance(value, int) and not math.isfinite(value):
        raise ValueError(f"{value} is no {kind.replace('_', ' ')}")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    unit, factor = next((u for u in _UNITS[kind] if number < 10**9 * u[1]), _UNITS[kind][-1])
    with localcontext(Context(prec=400)):  # the largest float has 309 digits
        digits = f"{round(number / factor, 9):f}"
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + unit


def converted(value: Any, kind: Any, kinds: Mapping[str, Mapping[str, Any]]) -> Any:
    """A value as a scenario holds it. `kind`: the name of a quantity or part, [kind] of a list's items, {"": kind} of a
    map's values."""
    if isinstance(kind, dict):
        return (
            {key: converted(part, kind[""], kinds) for key, part in value.items()}
            if isinstance(value, Mapping)
            else value
        )
    if isinstance(kind, list) or (kind == "names" and isinstance(value, (list, tuple))):
        one = kind[0] if isinstance(kind, list) else "name"
        return [converted(part, one, kinds) for part in value] if isinstance(value, (list, tuple)) else value
    if kind in kinds and isinstance(value, Mapping):
        known: Optional[Mapping[str, Any]] = kinds[kind]
        pairs = ((key[:-1] if key in ("from_", "for_") else key, part) for key, part in value.items())
        return {key: converted(part, (known or {}).get(key), kinds) for key, part in pairs}
    return text_of(value, kind) if isinstance(kind, str) else value
