# SPDX-License-Identifier: GPL-2.0-only
"""Every command of the program with arguments that let it succeed, for tests of what all commands share."""

import shutil
from pathlib import Path

from labs import QUICKSTART, lab, write

CAPTURE = Path(__file__).parent.parent / "data" / "differential_input_a.pcap"
NFCAPD = "exec nfcapd -b 127.0.0.1 -p {port} -w {folder} > /dev/null 2>&1"
SWEEP = "version: 1\nname: sweep\nscenario: lab.yaml\nover: {hosts.esx1.netflow.purgatory_max: [4]}\n"


def inputs(esx_netflow, folder: Path) -> Path:
    """Makes what the commands read: a scenario, a drawing, a sweep, an export, a result folder with captures."""
    write(folder, lab(duration="5s"))
    write(folder, SWEEP, "sweep.yaml")
    write(folder, "vmkload_mod netflow\n", "lines")
    (folder / "lab.dot").write_text(esx_netflow("dot", folder / "lab.yaml").stdout)
    assert esx_netflow("probe", "-r", CAPTURE, "-w", folder / "export.pcap").returncode == 0
    assert esx_netflow("collect", "-r", folder / "export.pcap", "--csv", folder / "stored.csv").returncode == 0
    assert esx_netflow("run", folder / "lab.yaml", "-o", folder / "result", "--captures", "-q").returncode == 0
    shutil.copytree(folder / "result", folder / "again")
    return folder


def commands(folder: Path) -> dict[str, list]:
    """Name to arguments: each prints something and ends with 0; what it writes is below `folder`/new."""
    result, new = folder / "result", folder / "new"
    return {
        "help": ["--help"],
        "version": ["version"],
        "run": ["run", folder / "lab.yaml", "-o", new],
        "run several": ["run", folder / "lab.yaml", QUICKSTART, "-j", "2", "-o", new],
        "advise": ["advise", folder / "lab.yaml"],
        "console": ["console", folder / "lab.yaml"],
        "technote": ["technote"],
        "explain": ["explain", result, "--flow", "*->*"],
        "talkers": ["talkers", result],
        "verify": ["verify", result],
        "validate": ["validate", folder / "lab.yaml"],
        "dot": ["dot", folder / "lab.yaml"],
        "schema": ["schema"],
        "compare": ["compare", "--peer", "softflowd", "-r", CAPTURE],
        "import": ["import", folder / "lab.dot"],
        "ifindex": ["ifindex", "1549"],
        "report": ["report", result],
        "sweep": ["sweep", folder / "sweep.yaml", "-j", "1", "-o", new],
        "grade": ["grade", folder / "export.pcap", folder / "stored.csv"],
        "exam": ["exam", "--list"],
        "probe": ["probe", "-r", CAPTURE],
        "probe --csv -": ["probe", "-r", CAPTURE, "--csv", "-"],
        "probe -w -": ["probe", "-r", CAPTURE, "-w", "-"],
        "collect": ["collect", "-r", folder / "export.pcap"],
        "collect --json -": ["collect", "-r", folder / "export.pcap", "--json", "-"],
        "run --junit -": ["run", folder / "lab.yaml", "-q", "-o", new, "--junit", "-"],
    }


def writers(folder: Path) -> dict[str, tuple[list, str]]:
    """Name to (arguments, the file they write); the file's name goes in place of FILE."""
    scenario = folder / "lab.yaml"
    return {
        "run --junit": ["run", scenario, "-q", "-o", folder / "new", "--junit", "FILE"],
        "run --summary-md": ["run", scenario, "-q", "-o", folder / "new", "--summary-md", "FILE"],
        "grade": [
            "grade",
            folder / "export.pcap",
            folder / "stored.csv",
            "-q",
            "--junit",
            "FILE",
            "--markdown",
            folder / "new.md",
            "--json",
            folder / "new.json",
        ],
        "exam": [
            "exam",
            "--collector",
            NFCAPD,
            "--only",
            "steady",
            "-q",
            "-o",
            folder / "exam",
            "--junit",
            "FILE",
            "--json",
            folder / "new.json",
            "--markdown",
            folder / "new.md",
        ],
        "console --record": ["console", scenario, "--record", "FILE"],
        "probe -w": ["probe", "-r", CAPTURE, "-w", "FILE"],
        "probe --csv": ["probe", "-r", CAPTURE, "--csv", "FILE"],
        "probe --json": ["probe", "-r", CAPTURE, "--json", "FILE"],
        "collect --csv": ["collect", "-r", folder / "export.pcap", "--csv", "FILE"],
        "collect --json": ["collect", "-r", folder / "export.pcap", "--json", "FILE"],
        "report --out": ["report", folder / "result", folder / "again", "-q", "-o", "FILE"],
        "compare --csv": ["compare", "--peer", "softflowd", "-r", CAPTURE, "--csv", "FILE"],
    }


def folder_writers(folder: Path) -> dict[str, list]:
    """The same of commands that write folders, or files in a folder that they are given."""
    scenario = folder / "lab.yaml"
    return {
        "run --out": ["run", scenario, "-q", "--captures", "--annotate", "-o", "FILE"],
        "run --report": ["run", scenario, "-q", "--report", "-o", "FILE"],
        "run --update": ["run", scenario, "-q", "-o", folder / "new", "--update", "FILE"],
        "console --out": ["console", scenario, "-o", "FILE"],
        "sweep --out": ["sweep", folder / "sweep.yaml", "-j", "1", "-q", "-o", "FILE"],
        "report": ["report", "-q", "FILE"],
        "exam --captures": ["exam", "--captures", "FILE", "--only", "loss"],
    }


#: Options that name a file or folder which is read.
INPUT_OPTIONS = {
    "run --check",
    "probe --read",
    "collect --read",
    "compare --read",
    "technote --with",
    "ifindex --scenario",
}
