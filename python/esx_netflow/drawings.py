# SPDX-License-Identifier: GPL-2.0-only
"""Drawings of labs: DOT and GraphML are read, and any graph with kinds at its nodes becomes a scenario.

Both readers are our own. NetworkX reads DOT by way of another package only; its GraphML reader keeps neither the order
of edges, which the names and the random numbers of links depend on, nor nodes in nodes, and it takes an edge to nowhere
and two nodes of one ID.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn
from xml.parsers import expat

from . import _core

_DEEPEST = 100
_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/|(?<![^\n])\#[^\n]*)
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*|-?(?:\.\d+|\d+(?:\.\d*)?)|<(?:[^<>]|<[^<>]*>)*>)
      | (?P<mark>--|->|[{}\[\];,=:+])""",
    re.VERBOSE | re.DOTALL,
)


class Drawing(NamedTuple):
    """Vertices with their attributes by ID, edges as (ID, ID, attributes): all in the order of the file."""

    name: str
    vertices: dict[str, dict[str, Any]]
    edges: list[tuple[str, str, dict[str, Any]]]


def read(data: bytes, file: str) -> Drawing:
    """Reads a drawing: by its begin, GraphML or DOT. `file` is what messages call it."""
    if not data.strip():
        refuse(file, "is empty; allowed: a drawing in DOT or GraphML")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _GraphmlReader(file).read(data)
    try:
        return _DotReader(data.decode("utf-8-sig"), file).read()
    except UnicodeDecodeError as error:
        refuse(file, f"is no drawing in DOT: octet {error.start} is not of UTF-8")


def refuse(file: str, what: str) -> NoReturn:
    raise _core.ScenarioError(f"{file}: {what}")


class _DotReader:
    """Graphviz' language, by descent. Defaults of nodes and edges hold to the end of their subgraph."""

    def __init__(self, text, file):
        self.file, self.text, self.at = file, text, 0
        self.drawing = Drawing("", {}, [])
        self.kind, self.token, self.quoted = "", "", False
        self.next()

    def refuse(self, what=None):
        line = self.text.count("\n", 0, self.at) + 1
        refuse(
            f"{self.file}:{line}",
            what
            or (
                f"is no drawing in DOT: {self.token or self.text[self.at : self.at + 1] or 'its end'!r} is "
                "not expected here"
            ),
        )

    def next(self):
        """Goes on to the next token. -> the present one"""
        before = self.token
        while found := _TOKEN.match(self.text, self.at):
            self.at = found.end()
            if found.lastgroup != "blank":
                break
        self.kind, self.token = (found.lastgroup, found.group()) if found else ("end", "")
        self.quoted = self.kind == "text"
        if not found and self.at < len(self.text):
            self.refuse()
        if self.quoted:
            self.kind, self.token = "word", re.sub(r'\\(["\\])|\\\n', r"\1", self.token[1:-1])
        return before

    def take(self, mark):
        """-> whether the present token is this one; then it is passed"""
        return not self.quoted and self.token.lower() == mark and self.next() is not None

    def word(self):
        if self.kind != "word":
            self.refuse()
        word, quoted = self.next(), True
        while quoted and self.take("+"):
            word += self.next()
        return word

    def read(self):
        self.take("strict")
        directed = self.take("digraph")
        if not directed and not self.take("graph"):
            self.refuse()
        self.arrow = "->" if directed else "--"
        name = self.word() if self.kind == "word" else ""
        self.block({}, {}, 0)
        if self.kind != "end":
            self.refuse()
        return self.drawing._replace(name=name)

    def block(self, nodes, edges, depth):
        """-> the vertices that are named in braces"""
        if depth > _DEEPEST:
            self.refuse(f"is nested more than {_DEEPEST} deep")
        if not self.take("{"):
            self.refuse()
        nodes, edges, named = dict(nodes), dict(edges), []
        while not self.take("}"):
            if not self.take(";"):
                named += self.statement(nodes, edges, depth)
        return named

    def statement(self, nodes, edges, depth):
        for word, defaults in (("node", nodes), ("edge", edges), ("graph", {})):
            if self.take(word):
                defaults.update(self.attributes())
                return []
        chain = [self.end(nodes, edges, depth)]
        if self.take("="):
            self.word()
            return []
        while self.take(self.arrow):
            chain.append(self.end(nodes, edges, depth))
        attributes = self.attributes()
        if len(chain) == 1:
            for vertex in chain[0]:
                self.drawing.vertices[vertex].update(attributes)
        for ends in zip(chain, chain[1:]):
            self.drawing.edges.extend((a, b, {**edges, **attributes}) for a in ends[0] for b in ends[1])
        return [vertex for part in chain for vertex in part]

    def end(self, nodes, edges, depth):
        """-> the vertices of one end of an edge: a vertex, or all of a subgraph"""
        if self.take("subgraph"):
            if self.kind == "word":
                self.word()
            return self.block(nodes, edges, depth + 1)
        if not self.quoted and self.token == "{":
            return self.block(nodes, edges, depth + 1)
        vertex = self.word()
        if not self.quoted and self.token == "=":
            return []  # an attribute of the graph
        while self.take(":"):
            self.word()
        self.drawing.vertices.setdefault(vertex, dict(nodes))
        return [vertex]

    def attributes(self):
        attributes = {}
        while self.take("["):
            while not self.take("]"):
                name = self.word()
                attributes[name] = self.word() if self.take("=") else "true"
                self.take(";") or self.take(",")
        return attributes


class _GraphmlReader:
    """Nodes that hold a graph are frames around others: what is in them is read as if it stood outside."""

    def __init__(self, file):
        self.file = file
        self.drawing = Drawing("", {}, [])
        self.open: list[tuple[str, dict]] = []  # elements, with the data of nodes and edges by key
        self.keys: dict[str, dict] = {}
        self.frames: set[str] = set()
        self.text = ""
        self.name = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = lambda text: setattr(self, "text", self.text + text)

    def refuse(self, what):
        refuse(f"{self.file}:{self.parser.CurrentLineNumber}", what)

    def read(self, data):
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            refuse(f"{self.file}:{error.lineno}", f"is no XML: {expat.errors.messages[error.code]}")
        vertices = {
            node: self.named("node", data) for node, data in self.drawing.vertices.items() if node not in self.frames
        }
        for number, (a, b, _) in enumerate(self.drawing.edges, 1):
            for end in (a, b):
                if end not in vertices:
                    refuse(self.file, f"edge {number}, counted from 1, ends at '{end}', which is no node")
        return Drawing(self.name, vertices, [(a, b, self.named("edge", data)) for a, b, data in self.drawing.edges])

    def named(self, domain, data):
        """The attributes of a part: by name, with defaults."""
        default = {
            key["name"]: key["default"]
            for key in self.keys.values()
            if "default" in key and key["for"] in (domain, "all", "")
        }
        return {**default, **{self.keys[key]["name"]: text for key, text in data.items() if key in self.keys and text}}

    def start(self, element, attributes):
        element, data = element.rpartition(":")[2], {}
        if not self.open and element != "graphml":
            refuse(self.file, "is no GraphML: there is no element 'graphml'")
        if len(self.open) > _DEEPEST:
            refuse(self.file, f"is nested more than {_DEEPEST} deep")
        if element == "key" and attributes.get("attr.name"):
            data = self.keys[attributes.get("id", "")] = {
                "name": attributes["attr.name"],
                "for": attributes.get("for", ""),
            }
        elif element == "graph":
            self.name = self.name or attributes.get("id", "")
            if self.open[-1][0] == "node":
                self.frames.add(self.open[-1][1]["id"])
        elif element == "node":
            node = attributes.get("id", "")
            if not node:
                self.refuse(f"node {len(self.drawing.vertices) + 1} has no id, counted from 1")
            if node in self.drawing.vertices:
                self.refuse(f"two nodes have the id '{node}'")
            data = {"id": node, "data": self.drawing.vertices.setdefault(node, {})}
        elif element == "edge":
            data = {"data": {}}
            self.drawing.edges.append((attributes.get("source", ""), attributes.get("target", ""), data["data"]))
        elif element == "data":
            data = {"key": attributes.get("key", "")}
        self.open.append((element, data))
        self.text = ""

    def end(self, _):
        element, data = self.open.pop()
        parent = self.open[-1][1] if self.open else {}
        if element == "data" and "data" in parent:
            parent["data"][data["key"]] = self.text
        elif element == "default" and "name" in parent:
            parent["default"] = self.text
        self.text = ""
