# SPDX-License-Identifier: GPL-2.0-only
"""`run --collector`: scenarios against a real collector that is started, fed, ended and graded."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .. import _core
from ..scenarios import Scenario
from .commands import grade_options
from .grade import grade
from .process import Collector
from .report import Fault, Grade


def stored_in(folder: Path, pattern: str) -> str:
    pattern = pattern.replace("{folder}", str(folder))
    return pattern if pattern.startswith("/") else str(folder / pattern) if pattern else str(folder)


def with_process(result: Grade, collector: Collector) -> Grade:
    """What it did wrong as a process is a fault, too."""
    result.faults[:0] = [Fault("process", text, 1, "as a process") for text in collector.faults if "floods" not in text]
    result.notes += [text for text in collector.faults if "floods" in text]
    result.verdict = "fail" if result.faults else "pass"
    return result


def _feed(scenario: str, options: Any, rest: list[str], files: Path, graded: list[Grade]) -> int:
    name = str(Scenario.load(_core.find_scenario(scenario))["name"])
    out = Path(options.out or "out") / ("" if options.out and len(options.scenario) == 1 else name)
    keep = grade_options(options.grade, options.parser_class, format=options.format)
    with Collector(options.collector, out.with_name(out.name + ".collector"), options.end_by) as collector:
        command = [sys.executable, "-m", "esx_netflow", "run", scenario, f"--out={out}", f"--to=127.0.0.1:{collector.port}"]
        command += [*rest, f"--junit={files / 'junit'}", f"--summary-md={files / 'md'}"]
        done = subprocess.Popen(command)
        collector._others.add(done.pid)
        code = done.wait()
    if code not in (0, 1):
        return code
    try:
        result = with_process(grade(out, stored_in(collector.store, options.store), kernel_drops=collector.drops, **keep), collector)
    except _core.RunError as error:
        raise _core.RunError("; ".join([*collector.faults, str(error)])) from None
    result.name = name
    graded.append(result)
    if not options.quiet or result.verdict == "fail":
        print(result, flush=True)
    return max(code, 0 if result.verdict == "pass" else 1)


def _write(options: Any, suites: ElementTree.Element, markdown: list[str]) -> None:
    if options.junit:
        ElementTree.indent(suites)
        _core.replace_file(options.junit, ElementTree.tostring(suites, encoding="unicode") + "\n")
    if options.summary_md:
        _core.replace_file(options.summary_md, "\n".join(markdown))


def feed_command(arguments: list[str], parser_class: Any) -> int:
    """The options are those of `run`, checked by it."""
    parser = parser_class("run", "", "")
    for name, default in (("collector", None), ("store", ""), ("format", "auto"), ("grade", ""), ("end-by", "TERM"), ("out", None), ("junit", None), ("summary-md", None)):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--quiet", action="store_true")
    options, rest = parser.parse_known_args(arguments)
    options.parser_class = parser_class
    grade_options(options.grade, parser_class, format=options.format)  # before anything is started
    rest += ["--quiet"] if options.quiet else []
    suites, worst = ElementTree.Element("testsuites"), 0
    markdown: list[str] = []
    graded: list[Grade] = []
    for scenario in options.scenario:
        with tempfile.TemporaryDirectory() as scratch:
            files, before = Path(scratch), len(graded)
            why = ""
            try:
                code = _feed(scenario, options, rest, files, graded)
            except (_core.RunError, OSError) as error:
                why, code = f"{scenario}: {error}", 2
                print(f"esx-netflow: {why}", file=sys.stderr)
            worst = max(worst, code)
            found = ElementTree.parse(files / "junit").getroot().findall("testsuite") if (files / "junit").exists() else []
            suite = found[0] if found else ElementTree.Element("testsuite", name=scenario)
            suites.append(suite)
            markdown.append((files / "md").read_text() if (files / "md").exists() else "")
            if len(graded) > before:
                graded[-1].cases(suite)
                markdown.append(graded[-1].to_markdown())
            elif why:
                case = ElementTree.SubElement(suite, "testcase", classname=f"{scenario}.collector", name="the collector can be graded")
                ElementTree.SubElement(case, "error", message=why)
                suite.set("errors", str(int(suite.get("errors", "0")) + 1))
                markdown.append(f"- {why}\n")
        if code == 130:
            break
    _write(options, suites, markdown)
    return worst
