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

from .. import _core
from .collector import grade_of
from .commands import add_files, add_options, options_of, regex
from .process import Collector
from .report import Grade, add_cases, write_files
from .sent import Sent, from_payloads
from .stores import FIELDS
from .streams import Stream, ip_packets, streams, write_capture

_PACE_S = 0.004
# Complaints about the sequence in the output of collectors: a sum of numbers, or a count of lines.
COMPLAINTS = {
    "nfdump": r"Sequence Errors: (\d+)",
    "nfacctd": r"expecting flow '\d+' but received",
    "esx-netflow": r"sequence gaps (\d+)",
}

EXAMPLES = """Examples:
  esx-netflow exam --collector 'nfcapd -b 127.0.0.1 -p {port} -w {folder} -t 3600' --format nfdump
  esx-netflow exam --collector './my-collector --port {port} --out {folder}/flows.json' --only loss --markdown card.md
  esx-netflow exam --captures streams/        write the streams and their keys, run nothing
Exit codes: 0 the collector passes everything, 1 it does not, 2 it cannot be examined."""


class Answer(NamedTuple):
    """A stream, and its grade by a collector."""

    stream: Stream
    grade: Optional[Grade]
    said: Optional[int]  #: complaints that it uttered of the sequence; None: not known
    faults: list[str]

    @property
    def verdict(self) -> str:
        return "fail" if self.faults else "pass"

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.stream.key(),
            "verdict": self.verdict,
            "said": self.said,
            "faults": self.faults,
            "grade": self.grade.to_dict() if self.grade else None,
        }


def _sent(stream: Stream) -> Sent:
    return from_payloads(stream.payloads, stream.sources, {}, stream.may, stream.name)


def _send(stream: Stream, port: int) -> None:
    senders: dict[int, socket.socket] = {}
    for number, (payload, source) in enumerate(zip(stream.payloads, stream.sources)):
        if number in stream.fragment:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
                for packet in ip_packets(source, port, payload, number, 2):
                    raw.sendto(packet, ("127.0.0.1", 0))
        else:
            if source not in senders:
                senders[source] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                senders[source].bind((_core.address_keys([source])[0], 0))
            senders[source].sendto(payload, ("127.0.0.1", port))
        time.sleep(_PACE_S)
    for sender in senders.values():
        sender.close()


def _may_send_raw() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        return True
    except OSError:
        return False


def answer(stream: Stream, options: Any, folder: Path) -> Answer:
    """Starts a collector, sends the stream, and looks at what it stored and said."""
    with Collector(options.collector, folder, options.end_by) as collector:
        _send(stream, collector.port)
    result, faults, said = None, [], None
    try:
        result = grade_of(collector, _sent(stream), options.store, **options_of(options))
        faults = [fault.told for fault in result.faults]
    except _core.RunError as error:
        faults = [str(error).replace(str(folder), "")]
    if pattern := options.complaints or COMPLAINTS.get(options.format):
        found = re.findall(pattern, collector.log.read_text(errors="replace"))
        said = sum(map(int, found)) if re.compile(pattern).groups else len(found)
        low, high = stream.complaints
        if said < low:
            faults.append(f"nothing is said of {stream.records_missing} records that are missing")
        if high is not None and said > high:
            faults.append(
                f"{said} complaints about the sequence, where {'none is' if high == 0 else f'at most {high} are'} right"
            )
    return Answer(stream, result, said, faults)


def card(answers: list[Answer], title: str) -> str:
    """The report card in Markdown."""
    good = sum(a.verdict == "pass" for a in answers)
    lines = [
        f"## {title}",
        "",
        f"{good} of {len(answers)} streams passed.",
        "",
        "| stream | what it holds | records | complaints | verdict |",
        "|---|---|---|---|---|",
    ]
    for a in answers:
        records = f"{a.grade.right} of {a.grade.records}" if a.grade else "–"
        lines.append(
            (
                f"| {a.stream.name} | {a.stream.what} | {records} | {'–' if a.said is None else a.said} | "
                f"{'; '.join(a.faults) or 'pass'} |"
            ).replace("\n", " ")
        )
    return "\n".join([*lines, ""])


def exam_command(arguments: list[str], parser_class: Any) -> int:
    parser = parser_class("exam", "Examine a collector with streams of known answers.", EXAMPLES)
    parser.add_argument("--collector", metavar="COMMAND", help="for a shell; {port} and {folder} are filled in")
    parser.add_argument("--store", metavar="GLOB", default="", help="what it stores, in {folder} (everything in there)")
    parser.add_argument("--end-by", metavar="SIGNAL", default="TERM", help="what ends it (TERM)")
    parser.add_argument(
        "--complaints",
        type=regex,
        metavar="REGEX",
        help=(
            "in its output, what it says of the sequence: a line, or a number in brackets; known of nfdump, "
            "nfacctd and esx-netflow"
        ),
    )
    add_options(parser)
    parser.add_argument("--only", type=regex, metavar="REGEX", default="", help="streams whose name has it")
    parser.add_argument("--list", action="store_true", help="print the streams and their answers as JSON lines")
    parser.add_argument(
        "--captures",
        metavar="DIR",
        help="write NAME.pcap (to port 2055), NAME.json, the key, and NAME.csv, the records, of each stream",
    )
    parser.add_argument("--title", metavar="TEXT", default="Report card", help="of the card")
    parser.add_argument(
        "-o", "--out", metavar="DIR", default="out/exam", help="what the collectors store and print (out/exam)"
    )
    add_files(parser, "the card")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output")
    options = parser.parse_args(arguments)
    chosen = [stream for stream in streams() if re.search(options.only, stream.name)]
    if not chosen:
        raise _core.RunError(f"--only {options.only}: no stream is named so; --list shows them")
    if options.list or options.captures:
        return _write_streams(chosen, options)
    if not options.collector:
        parser.error("--collector is required")
    if not _may_send_raw() and any(stream.fragment for stream in chosen):
        chosen = [stream for stream in chosen if not stream.fragment]
        print("not run: fragment, which needs the right to raw sockets (CAP_NET_RAW)", file=sys.stderr)
    answers = []
    is_quiet = options.quiet or "-" in (options.json, options.junit, options.markdown)
    for stream in chosen:
        answers.append(answer(stream, options, Path(options.out) / stream.name))
        if not is_quiet:
            print("\n         ".join([f"{answers[-1].verdict:5}  {stream.name}", *answers[-1].faults]), flush=True)
    if not is_quiet:
        print(f"{sum(a.verdict == 'pass' for a in answers)} of {len(answers)} streams passed")
    suite = ElementTree.Element("testsuite", name="exam")
    add_cases(suite, "exam", [(a.stream.name, a.faults) for a in answers])
    write_files(options, [suite], [card(answers, options.title)], [a.to_dict() for a in answers])
    return int(any(a.faults for a in answers))


def _write_streams(chosen: list[Stream], options: Any) -> int:
    for stream in chosen:
        if options.list:
            print(json.dumps(stream.key()))
        if options.captures:
            path = Path(options.captures) / stream.name
            path.parent.mkdir(parents=True, exist_ok=True)
            records = _sent(stream).records
            write_capture(stream, f"{path}.pcap")
            _core.replace_file(f"{path}.json", json.dumps(stream.key(), indent=2) + "\n")
            _core.replace_file(
                f"{path}.csv", records[[c for c in (*FIELDS, "optional") if c in records]].to_csv(index=False)
            )
    return 0
