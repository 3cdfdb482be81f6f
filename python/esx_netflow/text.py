# SPDX-License-Identifier: GPL-2.0-only
"""Numbers and tables for people, as the program prints them."""

from __future__ import annotations


def grouped(number: int) -> str:
    """``181 204``"""
    return f"{number:,}".replace(",", " ")


def counted(number: int, noun: str) -> str:
    """``1 record``, ``2 records``"""
    return f"{grouped(number)} {noun}{'' if number == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """``83.4%``; ``-`` of nothing"""
    return f"{100.0 * part / whole:.1f}%" if whole else "-"


def columns_of(rows, alignment: str, indent: str = "") -> str:
    """Lines of cells in columns, each as wide as its widest cell; `alignment` has ``<`` or ``>`` for each. Cells that a
    row lacks are empty."""
    rows = [[*row, *[""] * (len(alignment) - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        indent + "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, alignment, widths)) for row in rows
    ]
    return "".join(line.rstrip(" ") + "\n" for line in lines)
