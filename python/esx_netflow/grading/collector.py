# SPDX-License-Identifier: GPL-2.0-only
"""`run --collector`: scenarios against a real collector that is started, fed, ended and graded."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional
from xml.etree import ElementTree

from .. import _core
from ..scenarios import Scenario
from .commands import grade_options
from .grade import grade
from .holder import held
from .process import Collector
from .report import Fault, Grade, add_cases, write_files


def grade_of(collector: Collector, sent: Any, store: str, **options: Any) -> Grade:
    """Its faults as a process are faults of the grade, too. `store`: a pattern in its {folder}."""
    pattern = store.replace("{folder}", str(collector.store))
    try:
        result = grade(sent, collector.store / pattern, kernel_drops=collector.drops, **options)
    except _core.RunError as error:
        raise _core.RunError("; ".join([*collector.faults, str(error)])) from None
    result.faults[:0] = [Fault("process", text, 1, "") for text in collector.faults if "floods" not in text]
    result.notes += [text for text in collector.faults if "floods" in text]
    return result


def _feed(scenario: str, options: Any, rest: list[str], scratch: Path) -> tuple[int, Optional[Grade]]:
    name = str(Scenario.load(_core.find_scenario(scenario))["name"])
    out = Path(options.out or "out") / ("" if options.out and len(options.scenario) == 1 else name)
    with Collector(options.collector, out.with_name(out.name + ".collector"), options.end_by) as collector:
        files = [f"--junit={scratch / 'junit'}", f"--summary-md={scratch / 'md'}"]
        words = [f"--out={out}", f"--to=127.0.0.1:{collector.port}", *rest, *files]
        command = [sys.executable, "-m", "esx_netflow", "run", scenario, *words]
        with subprocess.Popen(held(shlex.join(command)), stdin=subprocess.PIPE) as run:
            code = run.wait()
    if code not in (0, 1):
        return code, None
    result = grade_of(collector, out, options.store, **options.how)
    result.name = name
    if not options.quiet or result.verdict == "fail":
        print(result, flush=True)
    return max(code, int(result.verdict == "fail")), result


def feed_command(arguments: list[str], parser_class: Any) -> int:
    """The options are those of `run`, checked by it."""
    parser = parser_class("run", "", "")
    for name, default in (
        ("collector", None),
        ("store", ""),
        ("format", "auto"),
        ("grade", ""),
        ("end-by", "TERM"),
        ("out", None),
        ("junit", None),
    ):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--summary-md", dest="markdown")
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--quiet", action="store_true")
    options, rest = parser.parse_known_args(arguments)
    options.how = grade_options(options.grade, parser_class, format=options.format)
    rest += ["--quiet"] if options.quiet else []
    suites, markdown, worst = [], [], 0
    for scenario in options.scenario:
        with tempfile.TemporaryDirectory() as folder:
            scratch, result, why = Path(folder), None, ""
            try:
                code, result = _feed(scenario, options, rest, scratch)
            except (_core.RunError, OSError) as error:
                why, code = f"{scenario}: {error}", 2
                print(f"esx-netflow: {why}", file=sys.stderr)
            worst = max(worst, code)
            junit = scratch / "junit"
            found = ElementTree.parse(junit).getroot().findall("testsuite") if junit.exists() else []
            suites.append(found[0] if found else ElementTree.Element("testsuite", name=scenario))
            markdown += [(scratch / "md").read_text()] if (scratch / "md").exists() else []
            if result:
                result.cases(suites[-1])
                markdown.append(result.to_markdown())
            elif why:
                add_cases(suites[-1], f"{scenario}.collector", [("the collector can be graded", [why])], "error")
                markdown.append(f"- {why}\n")
        if code == 130:
            break
    write_files(options, suites, markdown)
    return worst
