# SPDX-License-Identifier: GPL-2.0-only
"""`esx-netflow exam`: every stream to a fresh collector, and a report card."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, Optional
from xml.etree import ElementTree

import numpy as np

from .. import _core
from .collector import stored_in, with_process
from .commands import add_options, options_of
from .grade import grade
from .process import Collector
from .report import Grade
from .sent import from_payloads
from .streams import Stream, ip_packet, streams, write_capture

_PACE_S = 0.004
# What collectors say of the sequence, in their output: a sum of numbers, or a count of lines.
COMPLAINTS = {"nfdump": r"Sequence Errors: (\d+)", "nfacctd": r"expecting flow '\d+' but received", "esx-netflow": r"sequence gaps (\d+)"}

EXAMPLES = """Examples:
  esx-netflow exam --collector 'nfcapd -b 127.0.0.1 -p {port} -w {folder} -t 3600' --format nfdump
  esx-netflow exam --collector './my-collector --port {port} --out {folder}/flows.json' --only loss --markdown card.md
  esx-netflow exam --captures streams/        write the streams and their keys, run nothing
Exit codes: 0 the collector passes everything, 1 it does not, 2 it cannot be examined."""


class Answer(NamedTuple):
    """What a collector made of a stream."""

    stream: Stream
    grade: Optional[Grade]
    complaints: Optional[int]  #: that it uttered of the sequence; None: not known
    faults: list[str]

    @property
    def verdict(self) -> str:
        return "fail" if self.faults else "pass"


def _send(stream: Stream, port: int) -> None:
    senders: dict[int, socket.socket] = {}
    try:
        for number, ((exporter, payload), source) in enumerate(zip(stream.payloads, stream.sources)):
            if number in stream.fragment:
                with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
                    for packet in ip_packet(source, 0x7F000001, 49152, port, payload, number, 2):
                        raw.sendto(packet, ("127.0.0.1", 0))
            else:
                if exporter not in senders:
                    senders[exporter] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    senders[exporter].bind((_core.dotted(np.array([source], np.uint32))[0], 0))
                senders[exporter].sendto(payload, ("127.0.0.1", port))
            time.sleep(_PACE_S)
    finally:
        for sender in senders.values():
            sender.close()


def _may_send_raw() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        return True
    except OSError:
        return False


def _count(pattern: Optional[str], log: str) -> Optional[int]:
    if pattern is None:
        return None
    found = re.findall(pattern, log)
    return sum(map(int, found)) if re.compile(pattern).groups else len(found)


def answer(stream: Stream, options: Any, folder: Path) -> Answer:
    """Starts a collector, sends the stream, and looks at what it stored and said."""
    with Collector(options.collector, folder, options.end_by) as collector:
        _send(stream, collector.port)
    payloads = [payload for _, payload in stream.payloads]
    sent = from_payloads(payloads, np.zeros(len(payloads), np.int64), stream.sources, {}, stream.may, stream.name)
    said = _count(options.complaints or COMPLAINTS.get(options.format), collector.log.read_text(errors="replace"))
    low, high = stream.complaints
    result, faults = None, []
    try:
        result = with_process(grade(sent, stored_in(collector.store, options.store), kernel_drops=collector.drops, key=stream.key(), **options_of(options)), collector)
        faults = [f"{fault.what}: {fault.detail}" for fault in result.faults]
    except _core.RunError as error:
        faults = [*collector.faults, str(error).replace(str(folder), "")]
    if said is not None and said < low:
        faults.append(f"nothing is said of {stream.losses} records that are missing")
    if said is not None and high is not None and said > high:
        faults.append(f"{said} complaints about the sequence, where {'none is' if high == 0 else f'at most {high} are'} right")
    return Answer(stream, result, said, faults)


def card(answers: list[Answer], title: str) -> str:
    """The report card in Markdown."""
    good = sum(a.verdict == "pass" for a in answers)
    lines = [f"## {title}", "", f"{good} of {len(answers)} streams passed.", "", "| stream | what it holds | records | complaints | verdict |", "|---|---|---|---|---|"]
    for a in answers:
        records = f"{a.grade.right} of {a.grade.records}" if a.grade else "–"
        said = "–" if a.complaints is None else str(a.complaints)
        lines.append(f"| {a.stream.name} | {a.stream.what} | {records} | {said} | {'pass' if not a.faults else '; '.join(a.faults)} |".replace("\n", " "))
    return "\n".join([*lines, ""])


def _suite(answers: list[Answer]) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name="exam", tests=str(len(answers)), failures=str(sum(bool(a.faults) for a in answers)))
    for a in answers:
        case = ElementTree.SubElement(suite, "testcase", classname="exam", name=a.stream.name)
        if a.faults:
            ElementTree.SubElement(case, "failure", message=a.faults[0]).text = "\n".join(a.faults)
    return suite


def _entry(a: Answer) -> dict[str, Any]:
    return {**a.stream.key(), "verdict": a.verdict, "said": a.complaints, "faults": a.faults, "grade": a.grade.to_dict() if a.grade else None}


def exam_command(arguments: list[str], parser_class: Any) -> int:
    parser = parser_class("exam", "Examine a collector with streams of known answers.", EXAMPLES)
    parser.add_argument("--collector", metavar="COMMAND", help="for a shell; {port} and {folder} are filled in")
    parser.add_argument("--store", metavar="GLOB", default="", help="what it stores, in {folder} (everything in there)")
    parser.add_argument("--end-by", metavar="SIGNAL", default="TERM", help="what ends it (TERM)")
    parser.add_argument("--complaints", metavar="REGEX", help="in its output, what it says of the sequence: a line, or a number in brackets; known of nfdump, nfacctd and esx-netflow")
    add_options(parser)
    parser.add_argument("--only", metavar="REGEX", default="", help="streams whose name has it")
    parser.add_argument("--list", action="store_true", help="print the streams and their answers as JSON lines")
    parser.add_argument("--captures", metavar="DIR", help="write NAME.pcap (to port 2055) and NAME.json, the key, of each stream")
    parser.add_argument("--title", metavar="TEXT", default="Report card", help="of the card")
    parser.add_argument("-o", "--out", metavar="DIR", default="out/exam", help="what the collectors store and print (out/exam)")
    for name, what in (("junit", "JUnit XML"), ("markdown", "the card"), ("json", "all answers")):
        parser.add_argument(f"--{name}", metavar="FILE", help=f"write {what}")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output")
    options = parser.parse_args(arguments)
    chosen = [stream for stream in streams() if re.search(options.only, stream.name)]
    if not chosen:
        raise _core.RunError(f"--only {options.only}: no stream is named so; --list shows them")
    if options.list or options.captures:
        return _write_streams(chosen, options)
    if not options.collector:
        parser.error("--collector is required")
    answers = []
    if not _may_send_raw():
        chosen = [stream for stream in chosen if not stream.fragment]
        print("not run: fragment, which needs the right to raw sockets (CAP_NET_RAW)", file=sys.stderr)
    for stream in chosen:
        answers.append(answer(stream, options, Path(options.out) / stream.name))
        if not options.quiet:
            print(f"{answers[-1].verdict:5}  {stream.name}" + "".join(f"\n         {fault}" for fault in answers[-1].faults), flush=True)
    if not options.quiet:
        print(f"{sum(a.verdict == 'pass' for a in answers)} of {len(answers)} streams passed")
    if options.junit:
        _core.replace_file(options.junit, ElementTree.tostring(_suite(answers), encoding="unicode") + "\n")
    if options.markdown:
        _core.replace_file(options.markdown, card(answers, options.title))
    if options.json:
        _core.replace_file(options.json, json.dumps([_entry(a) for a in answers], indent=2) + "\n")
    return max(int(bool(a.faults)) for a in answers)


def _write_streams(chosen: list[Stream], options: Any) -> int:
    for stream in chosen:
        if options.list:
            print(json.dumps(stream.key()))
        if options.captures:
            Path(options.captures).mkdir(parents=True, exist_ok=True)
            write_capture(stream, Path(options.captures) / f"{stream.name}.pcap")
            _core.replace_file(str(Path(options.captures) / f"{stream.name}.json"), json.dumps(stream.key(), indent=2) + "\n")
    return 0
