# SPDX-License-Identifier: GPL-2.0-only
"""Files of this repository that an ns-3 tree reads, beside CMakeLists.txt."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tree_runs_every_example():
    lists = {}
    exec((ROOT / "test" / "examples-to-run.py").read_text(), lists)  # as ns-3's test.py does
    built = re.findall(
        r"\besx-[a-z-]+\b", re.search(r"set\(enf_examples ([^)]*)\)", (ROOT / "examples/CMakeLists.txt").read_text())[1]
    )
    named = [name for name, do_run, _ in lists["cpp_examples"] if do_run == "True"]
    assert (
        sorted(named)
        == sorted([*built, "esx-any-network"])
        == sorted(path.stem for path in (ROOT / "examples").glob("*.cc"))
    )
