# SPDX-License-Identifier: GPL-2.0-only
"""The command line in Python: ``python3 -m esx_netflow``. The runner does all commands that are not in `_COMMANDS`."""

import argparse
import dataclasses
import errno
import importlib
import json
import os
import sys
import warnings
from pathlib import Path

from . import _core
from .examples import DATA
from .results import Result

GOOD, EXPECTATION, USAGE, RESIDUAL, INTERRUPTED, NO_READER = 0, 1, 2, 4, 130, 141
_ANY = (1 << 64) - 1


class _Parser(argparse.ArgumentParser):
    def __init__(self, command, description, epilog):
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(f"esx-netflow {command}", None, description, epilog, formatter_class=raw, allow_abbrev=False)

    def parse_args(self, arguments):
        """A value may begin with a dash: ``--flow '->10.0.0.1'``."""
        joined, rest = [], iter(arguments)
        for argument in rest:
            action = self._option_string_actions.get(argument)
            value = next(rest, None) if action and action.nargs is None and argument.startswith("--") else None
            whole = value is None or value.startswith("--")
            joined += [argument, *([] if value is None else [value])] if whole else [f"{argument}={value}"]
        return super().parse_args(joined)

    def error(self, message):
        _complain(message)
        _complain(f"Usage: {self.prog} [OPTIONS]; --help shows more", prefix="")
        raise SystemExit(USAGE)


def _complain(message, prefix="esx-netflow: "):
    """To standard error; if that cannot be written, the exit code has to do."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
        print(f"{prefix}{message}", file=sys.stderr)
    except OSError:
        pass


def _number(read, kind, low, high):
    """-> what reads an option's value with the program's own reader"""

    def value(text):
        number = read(text, low, high)
        if number is None:
            allowed = f"of at least {low}" if high == _ANY else f"from {low} to {high:.0f}"
            raise argparse.ArgumentTypeError(f"'{text}' is no {kind}number {allowed}")
        return number

    return value


def _whole(low, high=_ANY):
    return _number(_core.read_whole, "whole ", low, high)


def _time(option, text):
    """-> ns"""
    ns = _core.read_duration(text)
    if ns is None:
        raise _core.RunError(f"{option}: '{text}' is no {_core.DURATION_FORM.removeprefix('a ')}")
    return ns


def _report(arguments):
    from . import reporting

    parser = _Parser(
        "report",
        "Make report.html of result folders.",
        "Examples:\n  esx-netflow report out/quickstart\n  esx-netflow report out/before out/after    side by side, "
        "in out/report.html",
    )
    parser.add_argument(
        "folder",
        nargs="+",
        metavar="DIR",
        help="what 'esx-netflow run' wrote; several: each one's report, and one of all side by side",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="where the page of all goes (default: report.html in the folder that holds all)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no output")
    options = parser.parse_args(arguments)
    several = len(options.folder) > 1
    if options.out and not several:
        parser.error("--out is for several folders; that of one is in it")
    pages = [(folder, Path(folder) / "report.html") for folder in options.folder]
    if several:
        parents = [Path(folder).parent for folder in options.folder]
        if len({parent.is_absolute() for parent in parents}) > 1:
            parents = [parent.absolute() for parent in parents]
        pages.append((options.folder, Path(options.out or os.path.join(os.path.commonpath(parents), "report.html"))))
    read = [
        os.fspath(file) for folder in options.folder for file in Path(folder).glob("*") if file.name != "report.html"
    ]
    _core.refuse_shared_files(
        [("the report of", file) for file in read], [("the report", os.fspath(path)) for _, path in pages]
    )
    for of, path in pages:
        reporting.report(of, path)
        if not options.quiet:
            print(f"report: {path}")
    return GOOD


def _import(arguments):
    from .scenarios import Scenario

    parser = _Parser(
        "import",
        "Make a scenario of a drawing (DOT, GraphML).",
        (
            "Examples:\n"
            "  esx-netflow import lab.dot > lab.yaml\n"
            "  esx-netflow import lab.graphml > lab.yaml\n"
            "  esx-netflow dot scenarios/quickstart.yaml | esx-netflow import -\n"
            "Vertices have a kind: host, switch, collector, vm, or what 'dot' writes. Exit code 2: no lab."
        ),
    )
    parser.add_argument("drawing", metavar="DRAWING", help="DOT or GraphML file, - for standard input")
    scenario = Scenario.from_graph(parser.parse_args(arguments).drawing)
    for line in _core.read_scenario(scenario._json(), scenario._file):
        _complain(line, prefix="")
    print(scenario.to_yaml(), end="")
    return GOOD


def _sweep(arguments):
    from . import sweep_files, sweeping
    from .sweep_points import captures_of

    parser = _Parser(
        "sweep",
        "Run a scenario at many points.",
        (
            "Examples:\n"
            "  esx-netflow sweep scenarios/sweeps/purgatory.yaml -j 2\n"
            "  esx-netflow sweep purgatory.yaml --scheduler tcp://head:8786    a Dask cluster\n"
            "Finished runs are kept in DIR/runs: a sweep that was killed goes on where it was.\n"
            "Exit codes: the highest of its runs; 2 if a point failed."
        ),
    )
    parser.add_argument("file", metavar="SWEEP", help="sweep file (docs/formats.md)")
    parser.add_argument(
        "-j", "--jobs", type=_whole(1, 1024), metavar="N", help="processes (default: one for each core)"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, in place of processes")
    parser.add_argument("-o", "--out", metavar="DIR", help="where the table and the runs go (default out/NAME)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no output")
    options = parser.parse_args(arguments)
    if options.jobs is not None and options.scheduler:
        parser.error("-j and --scheduler exclude each other")
    plan = sweep_files.read_sweep(options.file)
    name = plan.pop("name")
    out = Path(options.out or f"out/{name}")
    inputs = [
        ("SWEEP", options.file),
        ("its scenario", plan["scenario"]._file),
        *(("the traffic of", path) for path in captures_of(plan["scenario"]).values()),
    ]
    _core.refuse_shared_files(
        [(what, os.fspath(path)) for what, path in inputs],
        [("the table", os.fspath(out / f"table.{kind}")) for kind in ("csv", "parquet")],
    )
    interrupted = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sweeping.SweepWarning)
            table = sweeping.sweep(
                **plan,
                executor=options.scheduler or options.jobs,
                store=out / "runs",
                progress=None if options.quiet else "auto",
            )
    except sweeping.SweepInterrupted as end:
        interrupted, table = str(end), end.table
    path = sweep_files.write_table(table, out)
    if interrupted:
        _complain(f"{interrupted}\ntable: {path}")
        return INTERRUPTED
    failed = table[table["error"].notna()]
    for _, row in failed.iterrows():
        point = ", ".join(f"{column} {row[column]}" for column in table.columns[: table.columns.get_loc("seed") + 1])
        _complain(f"{point}: {row['error']}")
    if not options.quiet:
        told = failed["error"] if len(failed) == len(table) else table["verdict"]
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in told.value_counts().items())
        print(f"{name}: {len(table)} runs, {len(failed)} failed; {verdicts}\ntable: {path}")
        if table.note:
            print(f"note: {table.note}")
    codes = {"fail": EXPECTATION, "unbalanced": RESIDUAL, "interrupted": INTERRUPTED}
    found = [codes[v] for v in table["verdict"] if v in codes]
    return max([USAGE if len(failed) else GOOD, *found])


def _explain(arguments):
    from . import explaining

    parser = _Parser(
        "explain",
        "Tell what became of a flow.",
        "Examples:\n"
        "  esx-netflow explain out/losses --flow '10.1.101.11:*->10.1.101.21:3306'\n"
        "  esx-netflow explain out/losses --flow 'web1->db1:3306' --lost --limit 1\n"
        "  esx-netflow explain out/losses --flow '*:*->*:53' --proto udp --host esx1\n"
        "Exit code 0, also if no flow matches; 2: no such folder, or a flow that cannot be meant.",
    )
    parser.add_argument("folder", metavar="DIR", help="result folder of a run")
    parser.add_argument("--flow", required=True, metavar="FLOW", help="SOURCE[:PORT]->DESTINATION[:PORT], * is any")
    parser.add_argument("--host", metavar="HOST", help="exported by this host only")
    parser.add_argument("--vswitch", metavar="VSWITCH", help="on this vSwitch only")
    parser.add_argument("--proto", metavar="PROTO", help="tcp, udp, icmp or a number")
    parser.add_argument("--lost", action="store_true", help="flows that lost something only")
    parser.add_argument(
        "--limit", type=_whole(0, (1 << 32) - 1), default=5, metavar="N", help="flows at most, 0: all (default 5)"
    )
    options = parser.parse_args(arguments)
    if options.proto and options.proto not in explaining.PROTOCOLS and _core.read_whole(options.proto, 0, 255) is None:
        raise _core.RunError(f"--proto: '{options.proto}' is none of tcp, udp, icmp, and no number from 0 to 255")
    result = Result._load(Path(options.folder), ("records", "datagrams"))
    stories = result.explain(options.flow, options.host, options.vswitch, options.proto)
    explaining.print_stories([story for story in stories if story.lost or not options.lost], options.limit)
    return GOOD


def _talkers(arguments):
    from . import talkers

    parser = _Parser(
        "talkers",
        "Tell who sent what, collected and in truth.",
        "Examples:\n"
        "  esx-netflow talkers out/losses\n"
        "  esx-netflow talkers out/losses --window 60s..120s --top 3\n"
        "  esx-netflow talkers out/day --last 24h --format json\n"
        "Irregular: one source that sends to many addresses, tries many ports of one address, or\n"
        "sends many times the octets of the median source of its vSwitch.",
    )
    parser.add_argument("folder", metavar="DIR", help="result folder of a run")
    parser.add_argument("--window", metavar="A..B", help="simulated time, e.g. 10s..20s")
    parser.add_argument("--last", metavar="TIME", help="so long before the end, e.g. 24h")
    parser.add_argument(
        "--top",
        type=_whole(0),
        default=10,
        metavar="N",
        help="talkers and irregular addresses of each vSwitch, 0: all (default 10)",
    )
    parser.add_argument(
        "--fan-out", type=_whole(0), default=20, metavar="N", help="irregular from so many addresses (default 20)"
    )
    parser.add_argument(
        "--ports",
        type=_whole(0),
        default=100,
        metavar="N",
        help="irregular from so many ports of one address (default 100)",
    )
    parser.add_argument(
        "--volume",
        type=_number(_core.read_real, "", 1, 1e9),
        default=10.0,
        metavar="N",
        help="irregular from so many times the median (default 10)",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "csv"),
        default="text",
        metavar="FORMAT",
        help="text, json or csv (default text)",
    )
    options = parser.parse_args(arguments)
    if options.window is not None and options.last is not None:
        parser.error("--last excludes --window")
    begin = end = last = None
    if options.window is not None:
        low, dots, high = options.window.partition("..")
        if not dots:
            raise _core.RunError(f"--window: '{options.window}' is no two times joined by two dots such as 10s..20s")
        begin, end = _time("--window", low), _time("--window", high)
    if options.last is not None:
        last = _time("--last", options.last)
    result = Result._load(Path(options.folder), ("records", "datagrams", "collected"))
    found = talkers.talkers(result, begin, end, last, options.top, options.fan_out, options.ports, options.volume)
    if options.format == "json":
        print(json.dumps(dataclasses.asdict(found), indent=2, ensure_ascii=False))
    else:
        print(found.to_csv() if options.format == "csv" else found, end="")
    return GOOD


def _elsewhere(module, name):
    """A command whose module is imported when it is asked for."""
    return lambda arguments: getattr(importlib.import_module(f".{module}", __package__), name)(arguments, _Parser)


_COMMANDS = {
    **{"explain": _explain, "talkers": _talkers, "import": _import, "report": _report, "sweep": _sweep},
    "grade": _elsewhere("grading.commands", "grade_command"),
    "feed": _elsewhere("grading.collector", "feed_command"),
    "exam": _elsewhere("grading.exam", "exam_command"),
    "metadata": _elsewhere("metadata", "metadata_command"),
    "split": _elsewhere("splitting", "split_command"),
}


def _offer_terminals():
    """Where the wheel's line editor looks for descriptions of terminals: distributions differ in that, or have none."""
    ours = DATA / "terminfo"
    if ours.is_dir():
        os.environ.setdefault(
            "TERMINFO_DIRS", f"/etc/terminfo:/lib/terminfo:/usr/lib/terminfo:/usr/share/terminfo:{ours}"
        )


def main(arguments=None):
    """The whole command line. -> exit code"""
    _core.prepare_process()
    code = _run(list(sys.argv[1:] if arguments is None else arguments))
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is buffered still must not fail again at the end
        code = max(code, _lost_output(error))
    return code


def _lost_output(error):
    """Standard output cannot be written. -> exit code"""
    if error.errno == errno.EPIPE:  # `head` has seen enough
        return NO_READER
    _complain(f"standard output cannot be written: {error.strerror}")
    return USAGE


def _run(arguments):
    if not arguments or arguments[0] not in _COMMANDS:
        os.environ["ESX_NETFLOW_PYTHON"] = sys.executable  # for run --report and verify
        _offer_terminals()
        return _core.main(arguments)
    from .sweep_files import SweepFileError

    try:
        return _COMMANDS[arguments[0]](arguments[1:])
    except SystemExit as end:
        return end.code
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except (_core.ScenarioError, SweepFileError) as error:
        _complain(str(error), prefix="")
        return USAGE
    except (OSError, _core.RunError) as error:
        if getattr(error, "errno", None) and error.filename is None:
            return _lost_output(error)
        _complain(f"{error.filename}: {error.strerror}" if getattr(error, "filename", None) else str(error))
        return USAGE
    except ImportError as error:
        _complain(
            f"{error}; on Debian: apt-get install python3-jinja2 python3-matplotlib python3-networkx "
            "python3-pandas python3-tqdm"
        )
        return USAGE
    except MemoryError:
        _complain("there is not enough memory for that")
        return USAGE
    except Exception as error:  # of a library, about what is in a file; 1 would say that an expectation failed
        _complain(f"{arguments[0]}: {type(error).__name__}: {error}")
        return USAGE


if __name__ == "__main__":
    sys.exit(main())
