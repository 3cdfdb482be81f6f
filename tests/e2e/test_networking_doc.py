# SPDX-License-Identifier: GPL-2.0-only
"""docs/networking.md: every rule names a test, and every test it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NAMED = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")
DEFINED = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)


def rules() -> list[str]:
    lines = (ROOT / "docs" / "networking.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| rule")]
    assert len(rows) > 50
    return rows


def test_every_rule_has_a_test():
    assert [rule for rule in rules() if not NAMED.search(rule)] == []


def test_every_named_test_exists():
    defined = {found for path in (ROOT / "tests").glob("*/*-test.cc") for found in DEFINED.findall(path.read_text())}
    named = {found for rule in rules() for found in NAMED.findall(rule)}
    assert sorted(named - defined) == []


def test_the_module_page_has_the_sections_of_ns3s_template():
    lines = (ROOT / "docs" / "esx-netflow.rst").read_text().splitlines()
    found = [lines[i] for i in range(len(lines) - 1) if lines[i] and re.fullmatch(r"(\*{3,}|={3,})", lines[i + 1])]
    assert found == [
        "Scope and Limitations", "Design", "Usage", "Helpers", "Attributes", "Traces", "Examples and Tests",
        "Troubleshooting",
        "Validation", "References",
    ]  # fmt: skip


def test_every_example_is_short_has_a_map_and_is_on_the_module_page():
    page = (ROOT / "docs" / "esx-netflow.rst").read_text()
    examples = sorted((ROOT / "examples").glob("*.cc"))
    built = (ROOT / "examples" / "CMakeLists.txt").read_text()
    for path in examples:
        lines = path.read_text().splitlines()
        assert len(lines) <= 120, path
        assert sum(line.startswith("//") and bool(re.search(r"\+-{3,}|-{3,}", line)) for line in lines[:25]) >= 2, path
        assert f"* ``{path.stem}``" in page and path.stem in built
    assert len(examples) >= 6
