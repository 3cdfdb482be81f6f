# SPDX-License-Identifier: GPL-2.0-only
"""Filters of tables as people type them: ``proto tcp and port 80``."""

from __future__ import annotations

import ipaddress
import operator
import re
from typing import Any

import numpy as np

from . import _core, labs
from .explaining import PROTOCOLS

_TOKEN = re.compile(r"\s*(\(|\)|&&|\|\||[<>]=?|==?|!=|!|[^\s()<>=!&|]+)")
_OPERATORS = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip
_WORDS = {"&&": "and", "||": "or", "!": "not", "ip": "host", "bytes": "octets", "pkts": "packets"}
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
_ENDS = {"host": ("src", "dst"), "net": ("src", "dst"), "port": ("sport", "dport")}
_BITS = {letter: 1 << place for place, letter in enumerate("FSRPAU")}


def mask_of(table: Any, text: str) -> np.ndarray:
    """-> whether each row of a `Table` fits"""
    return _Parser(table, text).mask()


class _Parser:
    def __init__(self, table, text):
        self.table, self.text, self.at = table, text, 0
        self.tokens, place = [], 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if not found:
                raise ValueError(f"'{text}': '{text[place:].strip()}' is no part of a filter")
            self.tokens.append((_WORDS.get(found[1].lower(), found[1]), found.start(1)))
            place = found.end()

    def refuse(self, what):
        place = self.tokens[self.at - 1][1] if 0 < self.at <= len(self.tokens) else len(self.text)
        where = f"at '{self.text[place:]}'" if self.text[place:] else "at its end"
        raise ValueError(f"'{self.text}', {where}: {what}")

    def peek(self):
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self, what):
        token = self.peek()
        self.at += 1
        return token or self.refuse(f"{what} is missing")

    def takes(self, *words):
        return self.take("").lower() if self.peek().lower() in words else None

    def mask(self):
        mask = self.any_of()
        if self.peek():
            self.at += 1
            self.refuse("and, or and not join the parts of a filter")
        return mask

    def any_of(self):
        mask = self.all_of()
        while self.takes("or"):
            mask = mask | self.all_of()
        return mask

    def all_of(self):
        mask = self.one()
        while self.takes("and"):
            mask = mask & self.one()
        return mask

    def one(self):
        if self.takes("not"):
            return ~self.one()
        if not self.takes("("):
            return self.test()
        mask = self.any_of()
        if not self.takes(")"):
            self.at += 1
            self.refuse("a bracket ')' is missing")
        return mask

    def column(self, name):
        if name not in self.table._fields:
            self.refuse(f"the table has no {name}; {_core.suggest(name, [*self.table.columns, *_ENDS, 'flags'])}")
        return self.table[name]

    def test(self):
        side = self.takes("src", "dst")
        word = self.takes(*_ENDS) or ("host" if side else self.take("a test such as 'port 80'"))
        if word in _ENDS:
            ends = [end for end in _ENDS[word] if not side or end[0] == side[0]]
            join = np.logical_and if self.peek() == "!=" else np.logical_or
            fits = self.fitting(word)
            return join.reduce([fits(self.column(end)) for end in ends])
        if word.lower() in PROTOCOLS and word not in self.table._fields:
            return self.column("proto") == int(PROTOCOLS[word.lower()])
        if word == "flags":
            return self.flags()
        column = self.column(word)
        return self.fitting(word)(column)

    def fitting(self, word):
        """-> what tells of a column whether its values fit what follows"""
        compare = _OPERATORS[self.take("")] if self.peek() in _OPERATORS else operator.eq
        value = self.take(f"a value of {word}")
        if word == "net":
            net = self.network(value)
            return lambda column: compare(column & int(net.netmask), int(net.network_address))
        if word == "host" or (word, "address") in ((column.field, column.kind) for column in self.table._columns()):
            wanted = self.addresses(value)
            return lambda column: np.isin(column, wanted) ^ (compare is operator.ne)
        if word in self.table.names:
            known = self.table.names[word]
            if value not in known:
                self.refuse(f"no {word} is {value}; {_core.suggest(value, known)}")
            return lambda column: compare(column, known.index(value))
        number = self.number(word, value)

        def fits(column):
            if column.dtype.kind == "u" and not 0 <= number <= np.iinfo(column.dtype).max:
                self.refuse(f"{value} is no {word}, which is from 0 to {np.iinfo(column.dtype).max}")
            return compare(column, number)

        return fits

    def number(self, word, value):
        if word == "proto" and value.lower() in PROTOCOLS:
            return int(PROTOCOLS[value.lower()])
        found = re.fullmatch(r"(-?\d+(?:\.\d+)?)([kmg]?)", value, re.IGNORECASE)
        if not found:
            self.refuse(f"{value} is no number, which {word} is")
        return float(found[1]) * _UNITS[found[2].lower()]

    def network(self, value):
        try:
            return ipaddress.IPv4Network(value, strict=False)
        except ValueError:
            return self.refuse(f"{value} is no network such as 10.1.0.0/16")

    def addresses(self, value):
        """-> the numbers of an address, or of a name's"""
        lab = getattr(self.table._lists, "lab", None)
        owners = labs.names(lab) if lab else {}
        texts = [address for address, name in owners.items() if name == value] or [value]
        try:
            return [labs.number(text) for text in texts]
        except ValueError:
            return self.refuse(
                f"{value} is no address, and nobody's name; {_core.suggest(value, sorted(set(owners.values())))}"
            )

    def flags(self):
        value = self.take("flags such as SF").upper()
        if set(value) - set(_BITS):
            self.refuse(f"flags are of {''.join(_BITS)}")
        wanted = sum(_BITS[letter] for letter in set(value))
        return (self.column("tcp_flags") & wanted) == wanted
