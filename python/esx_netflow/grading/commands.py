# SPDX-License-Identifier: GPL-2.0-only
"""The command line of `grade`, and what `run --collector` and `exam` share with it."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import Any, Callable
from xml.etree import ElementTree

from .. import _core
from .grade import grade
from .report import write_files
from .stores import FIELDS, FORMATS, parse_map

EXAMPLES = """Examples:
  esx-netflow run lab.yaml --to 127.0.0.1:2055
  esx-netflow grade out/lab flows/nfcapd.2008*            what nfcapd stored of it
  esx-netflow grade out/lab flows.json --format goflow2 --junit junit.xml
  esx-netflow grade out/lab sums.csv --aggregate src,dst,proto --map sum=octets
  esx-netflow grade nf-collector1.pcap store/             of a capture that was replayed
A store is files, folders or patterns in quotes. Exit codes: 0 all is right, 1 something is missing or wrong,
2 it cannot be compared: no or half a store, that of another run, an unknown format."""


def _map(text: str) -> dict[str, str]:
    try:
        return parse_map(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _fields(text: str) -> list[str]:
    names = text.replace("5-tuple", "src,dst,proto,sport,dport").split(",")
    for name in names:
        if name not in FIELDS:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(FIELDS)}")
    return names


def _number(low: float, high: float, kind: type = float) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        digits = text.removesuffix("s") if kind is float else text
        if not (digits.removeprefix("-").replace(".", "", kind is float).isdigit() and low <= float(digits) <= high):
            raise argparse.ArgumentTypeError(
                f"'{text}' is no {'whole ' * (kind is int)}number from {low:g} to {high:g}"
            )
        return kind(digits)

    return read


def regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no regular expression: {error}") from None
    return text


def add_options(parser: Any) -> None:
    """Those that say how to read and compare a store."""
    parser.add_argument(
        "--format", choices=["auto", "any", *FORMATS], default="auto", help="of the store; found by its columns"
    )
    parser.add_argument(
        "--map", type=_map, metavar="THEIRS=OURS[:UNIT],…", help="which column is what, before those of the format"
    )
    parser.add_argument(
        "--aggregate",
        type=_fields,
        metavar="FIELDS",
        help="the store holds sums by these; 5-tuple is src,dst,proto,sport,dport",
    )
    parser.add_argument("--bin", type=_number(0, 1e6), default=0, metavar="SECONDS", help="in time bins of that length")
    parser.add_argument(
        "--zone",
        dest="zone_hours",
        type=_number(-14, 14),
        default=0,
        metavar="HOURS",
        help="east of UTC, of times that are text without a zone",
    )


def options_of(arguments: Any) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("format", "map", "aggregate", "bin", "zone_hours")}


def grade_options(words: str, parser_class: Any, **known: Any) -> dict[str, Any]:
    """`run --grade '…'` as arguments of `grade`."""
    parser = parser_class("run --grade", "", "")
    add_options(parser)
    try:
        return options_of(
            parser.parse_args([*(f"--{name}={value}" for name, value in known.items()), *shlex.split(words)])
        )
    except ValueError as error:
        raise _core.RunError(f"--grade '{words}': {error}") from None


def add_files(parser: Any, markdown: str) -> None:
    parser.add_argument("--junit", metavar="FILE", help="write the verdicts as JUnit XML")
    parser.add_argument("--markdown", metavar="FILE", help=f"write {markdown} in Markdown")
    parser.add_argument("--json", metavar="FILE", help="write all as JSON; -: standard output, in place of the text")


def grade_command(arguments: list[str], parser_class: Any) -> int:
    parser = parser_class("grade", "Compare what a collector stored with what it was sent.", EXAMPLES)
    parser.add_argument("sent", metavar="RESULT", help="folder of a run with --to or --collector, or a capture")
    parser.add_argument("store", nargs="+", metavar="STORED", help="what the collector stored")
    add_options(parser)
    parser.add_argument(
        "--port",
        type=_number(1, 65535, int),
        metavar="PORT",
        help="UDP port of the collector, if it is one of several, or not 2055 in a capture",
    )
    parser.add_argument(
        "--kernel-drops",
        type=_number(0, 1e9, int),
        metavar="N",
        help="datagrams that the kernel dropped of the collector's sockets, if you know",
    )
    add_files(parser, "them")
    parser.add_argument("-q", "--quiet", action="store_true", help="no text")
    options = parser.parse_args(arguments)
    result = grade(
        options.sent, options.store, **options_of(options), port=options.port, kernel_drops=options.kernel_drops
    )
    suite = ElementTree.Element("testsuite", name=result.name)
    result.cases(suite)
    write_files(options, [suite], [result.to_markdown()], result.to_dict())
    if not options.quiet and "-" not in (options.json, options.junit, options.markdown):
        print(result)
    return 0 if result.verdict == "pass" else 1
