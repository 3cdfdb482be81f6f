# SPDX-License-Identifier: GPL-2.0-only
"""Figures of a result, with matplotlib. Each function draws into `ax`, or into a new figure, and returns what it drew
into.

Every cause of loss has the same colour and hatching in all figures: the palette of Okabe and Ito, which colour-blind
readers can tell apart; causes of one place share a colour and differ by hatching.
"""

from .lab import min_cut, topology, topology_size
from .over_time import cache, drops, heap, inputs, links, memory, offered, purgatory, shed, timeline
from .style import CAUSES, COLLECTED, TRUTH, cause_style
from .traffic import comparison, export_delay, fates, flows, receivers, top_talkers, vms

__all__ = [
    "cache", "comparison", "drops", "export_delay", "fates", "flows", "heap", "inputs", "links", "memory", "offered",
    "purgatory", "receivers", "shed", "timeline", "top_talkers", "topology", "vms",
]  # fmt: skip


def __dir__():
    return __all__
