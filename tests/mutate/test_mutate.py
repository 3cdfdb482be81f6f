# SPDX-License-Identifier: GPL-2.0-only
"""Mutants that the scripts plant: one small fault each, in code that is compiled in, the same ones every time."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import causes  # noqa: E402
import mutate  # noqa: E402


def mutants_of(code: str) -> dict[str, list[str]]:
    """-> by operator, the line with each fault"""
    found = {}
    for mutant in mutate.mutants_of_line("netflow/x.cc", 0, mutate.without_strings(code), code):
        found.setdefault(mutant.operator, []).append(mutate.apply(mutant, code))
    return found


def test_operators():
    assert mutants_of("    if (a < b)") == {
        "relational": ["    if (a <= b)"],
        "negated condition": ["    if (!(a < b))"],
    }
    assert mutants_of("    return a + b;") == {"arithmetic": ["    return a - b;"]}
    assert mutants_of("    return a && b;") == {"condition": ["    return a || b;"]}
    assert mutants_of("    return 0x1fU;") == {"constant": ["    return 32U;"]}
    assert mutants_of("    return true;") == {"return": ["    return false;"]}
    assert mutants_of("    Forget(key);") == {"deleted statement": ["    ;"]}
    assert mutants_of("    Book(Move::QUEUED, n);")["move"] == ["    Book(Move::OFFERED, n);"]
    row = '        {"lost_arp", "arp", Place::NETWORK, Place::LOST},'
    assert len(mutants_of(row)["ledger"]) == 4 and list(mutants_of(row)) == ["ledger"]


def test_comments_and_strings_are_left_alone():
    assert mutants_of('    return "a + b"; // c + d') == {}


def test_every_mutant_changes_one_line():
    for mutant in mutate.all_mutants():
        before = (mutate.ROOT / mutant.file).read_text().split("\n")
        after = mutate.apply(mutant, "\n".join(before)).split("\n")
        changed = [number for number, (one, other) in enumerate(zip(before, after), 1) if one != other]
        assert len(before) == len(after) and changed == [mutant.line], mutant


def test_the_same_mutants_every_time_and_all_causes_among_them():
    every = mutate.all_mutants()
    some = mutate.chosen(every, 250)
    assert some == mutate.chosen(mutate.all_mutants(), 250)
    assert {m for m in every if m.operator in ("ledger", "move")} <= set(some)
    assert len(some) >= 200


def test_equivalents_are_lines_of_the_library():
    for file, text, before, _ in mutate.equivalents():
        lines = [line.strip() for line in (mutate.ROOT / file).read_text().splitlines()]
        assert text in lines and before in text, (file, text)


def test_every_loss_cause_of_the_tracker_is_mutated():
    planted = {before for _, _, before, _ in causes.mutants()}
    ledger = (mutate.ROOT / "netflow" / "ledger.h").read_text()
    lost = {
        f"Move::{word.strip(', ')}" for line in ledger.splitlines() for word in line.split() if word.startswith("LOST_")
    }
    assert len(lost) >= 11 and lost <= planted


def test_every_cause_of_a_dropped_frame_is_mutated():
    planted = {before for _, _, before, _ in causes.mutants()}
    header = (mutate.ROOT / "model" / "vswitch" / "esx-drop-cause.h").read_text()
    body = header[header.index("enum class EsxDropCause") :]
    names = set(re.findall(r"^\s+([A-Z_]{2,})\b", body[: body.index("};")], re.MULTILINE)) - {"COUNT"}
    assert len(names) >= 17 and {f"EsxDropCause::{name}" for name in names} <= planted
