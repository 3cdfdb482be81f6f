# SPDX-License-Identifier: GPL-2.0-only
"""docs/networking.md: every rule names a test, and every test it names exists."""
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NAMED = re.compile(r"`(\w+Test)\.(\w+)`")
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
