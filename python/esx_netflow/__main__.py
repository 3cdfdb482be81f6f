# SPDX-License-Identifier: GPL-2.0-only
"""The command line in Python: ``python3 -m esx_netflow``. `import`, `report` and `sweep` are done here, all else by the runner."""

import argparse
import errno
import os
import sys
import warnings
from pathlib import Path

from . import _core
from .examples import DATA

GOOD, EXPECTATION, USAGE, RESIDUAL, INTERRUPTED, NO_READER = 0, 1, 2, 4, 130, 141


class _Parser(argparse.ArgumentParser):
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


def _whole(low, high):
    def read(text):
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {low} to {high}")
        return int(text)

    return read


def _report(arguments):
    from . import reporting

    parser = _Parser(
        "esx-netflow report",
        description="Make report.html of result folders.",
        epilog="Example: esx-netflow report out/quickstart",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="+", metavar="DIR", help="what 'esx-netflow run' wrote")
    parser.add_argument("-q", "--quiet", action="store_true", help="no output")
    options = parser.parse_args(arguments)
    for folder in options.folder:
        path = Path(folder) / "report.html"
        others = [("the report of", os.fspath(file)) for file in path.parent.glob("*") if file.name != path.name]
        _core.refuse_shared_files(others, [("the report", os.fspath(path))])
        reporting.report(folder, path)
        if not options.quiet:
            print(f"report: {path}")
    return GOOD


def _import(arguments):
    from .scenarios import Scenario

    parser = _Parser(
        "esx-netflow import",
        description="Make a scenario of a drawing (DOT, GraphML).",
        epilog=(
            "Examples:\n"
            "  esx-netflow import lab.dot > lab.yaml\n"
            "  esx-netflow import lab.graphml > lab.yaml\n"
            "  esx-netflow dot scenarios/quickstart.yaml | esx-netflow import -\n"
            "Vertices have a kind: host, switch, collector, vm, or what 'dot' writes. Exit code 2: no lab."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        "esx-netflow sweep",
        description="Run a scenario at many points.",
        epilog=(
            "Examples:\n"
            "  esx-netflow sweep scenarios/sweeps/purgatory.yaml -j 2\n"
            "  esx-netflow sweep purgatory.yaml --scheduler tcp://head:8786    a Dask cluster\n"
            "What is finished is kept in DIR/runs: a sweep that was killed goes on where it was.\n"
            "Exit codes: the highest of its runs; 2 if a point failed."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="SWEEP", help="sweep file (docs/formats.md)")
    parser.add_argument("-j", "--jobs", type=_whole(1, 1024), metavar="N", help="processes (default: one for each core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, in place of processes")
    parser.add_argument("-o", "--out", metavar="DIR", help="where the table and the runs go (default out/NAME)")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no output")
    options = parser.parse_args(arguments)
    if options.jobs is not None and options.scheduler:
        parser.error("-j and --scheduler exclude each other")
    plan = sweep_files.read_sweep(options.file)
    name = plan.pop("name")
    out = Path(options.out or f"out/{name}")
    inputs = [("SWEEP", options.file), ("its scenario", plan["scenario"]._file), *(("the traffic of", path) for path in captures_of(plan["scenario"]).values())]
    _core.refuse_shared_files(
        [(what, os.fspath(path)) for what, path in inputs], [("the table", os.fspath(out / f"table.{kind}")) for kind in ("csv", "parquet")]
    )
    interrupted = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sweeping.SweepWarning)
            table = sweeping.sweep(
                **plan, executor=options.scheduler or options.jobs, store=out / "runs", progress=None if options.quiet else "auto"
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
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in (failed["error"] if len(failed) == len(table) else table["verdict"]).value_counts().items())
        print(f"{name}: {len(table)} runs, {len(failed)} failed; {verdicts}\ntable: {path}")
    codes = {"fail": EXPECTATION, "unbalanced": RESIDUAL, "interrupted": INTERRUPTED}
    found = [codes[v] for v in table["verdict"] if v in codes]
    return max([USAGE if len(failed) else GOOD, *found])


def _offer_terminals():
    """Where the wheel's line editor looks for descriptions of terminals: distributions keep them in different folders, or have none."""
    ours = DATA / "terminfo"
    if ours.is_dir():
        os.environ.setdefault("TERMINFO_DIRS", f"/etc/terminfo:/lib/terminfo:/usr/lib/terminfo:/usr/share/terminfo:{ours}")


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
    commands = {"import": _import, "report": _report, "sweep": _sweep}
    if not arguments or arguments[0] not in commands:
        os.environ["ESX_NETFLOW_PYTHON"] = sys.executable  # for run --report and verify
        _offer_terminals()
        return _core.main(arguments)
    from .sweep_files import SweepFileError

    try:
        return commands[arguments[0]](arguments[1:])
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
        _complain(f"{error}; on Debian: apt-get install python3-jinja2 python3-matplotlib python3-networkx python3-pandas python3-tqdm")
        return USAGE
    except MemoryError:
        _complain("there is not enough memory for that")
        return USAGE
    except Exception as error:  # of a library, about what is in a file; 1 would say that an expectation failed
        _complain(f"{arguments[0]}: {type(error).__name__}: {error}")
        return USAGE


if __name__ == "__main__":
    sys.exit(main())
