# SPDX-License-Identifier: GPL-2.0-only
"""`grade` and `run --collector` as a user has them: real sockets, collectors that misbehave, stores that cannot be
compared."""

import json
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from esx_netflow import Result

COLLECTOR = Path(__file__).parent.parent / "python" / "wrong_collectors.py"
NFCAPD = "nfcapd -b 127.0.0.1 -p {port} -w {folder} -t 3600"


def wrong(bug=""):
    return f"exec {sys.executable} {COLLECTOR} goflow2 {{port}} {{folder}} {bug}"


def processes_of(text):
    """Command lines with a text in them, but for this test's own."""
    lines = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if text in line]


@pytest.fixture(scope="module")
def result(esx_netflow, tmp_path_factory):
    """A run that nfcapd was fed with: folder of the run, folder of the collector."""
    folder = tmp_path_factory.mktemp("fed")
    done = esx_netflow("run", "quickstart", "--out", folder / "lab", "--collector", NFCAPD, "--format", "nfdump")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "lab", folder / "lab.collector"


def test_nfcapd_is_fed_and_graded(result, esx_netflow):
    done = esx_netflow("grade", result[0], result[1] / "store", "--json", "-")
    grade = json.loads(done.stdout)
    assert done.returncode == 0 and grade["verdict"] == "pass" and grade["records"] == grade["right"] > 5
    assert "octets" in grade["compared"] and "first" in grade["compared"]


def test_in_python_the_same_has_tables(result):
    grade = Result.load(result[0]).grade(result[1] / "store", format="nfdump")
    assert grade.verdict == "pass" and len(grade.missing) == len(grade.extra) == len(grade.wrong) == 0
    assert len(grade.datagrams) > 1 and not grade.datagrams["missing"].any()
    assert set(grade.datagrams["name"]) == {"esx1"}


def test_a_wrong_collector_turns_ci_red(esx_netflow, tmp_path):
    files = tmp_path / "junit.xml", tmp_path / "summary.md"
    done = esx_netflow(
        "run",
        "quickstart",
        "--out",
        tmp_path / "lab",
        "--collector",
        wrong("doubled"),
        "--junit",
        files[0],
        "--summary-md",
        files[1],
        "--quiet",
    )
    assert done.returncode == 1 and "octets is doubled" in done.stdout
    suite = ElementTree.parse(files[0]).getroot().find("testsuite")
    failed = [case.get("name") for case in suite.findall("testcase") if case.find("failure") is not None]
    assert failed == ["packets as sent", "octets as sent"]
    assert suite.get("failures") == "2" and int(suite.get("tests")) == len(suite.findall("testcase"))
    assert "octets is doubled" in files[1].read_text()
    assert not processes_of(str(tmp_path))


def test_missing_datagrams_are_the_collectors_only_if_the_kernel_dropped_none(esx_netflow, tmp_path):
    done = esx_netflow(
        "run", "quickstart", "--out", tmp_path / "lab", "--collector", wrong("first_datagram"), "--quiet"
    )
    assert done.returncode == 1 and "1 datagram with" in done.stdout and "the first" in done.stdout
    assert "kernel drops: 0; at least 1 datagram reached the collector and is not stored" in done.stdout
    again = esx_netflow("grade", tmp_path / "lab", tmp_path / "lab.collector" / "store")
    assert again.returncode == 1 and "kernel drops: not known; missing datagrams may be the kernel's" in again.stdout


def test_drops_of_the_kernel_are_not_the_collectors_fault(esx_netflow, tmp_path):
    """It sleeps after the first datagram, and its socket has room for two datagrams."""
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import signal, socket, sys, time; sys.path.insert(0, sys.argv[3]); import wrong_collectors as w\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, "
        "2304)\n"
        "s.bind(('127.0.0.1', int(sys.argv[1]))); c = w.Collector()\n"
        "def end(*_): w.write(c, 'goflow2', sys.argv[2] + '/flows'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "while True:\n  d, a = s.recvfrom(65535); c.take(d, a[0]); time.sleep(8 if c.taken == 1 else 0)\n"
    )
    command = f"exec {sys.executable} {slow} {{port}} {{folder}} {COLLECTOR.parent}"
    done = esx_netflow(
        "run", "quickstart", "--out", tmp_path / "lab", "--collector", command, "--to-rate", "0", "--quiet"
    )
    assert (
        done.returncode == 1 and "the missing datagrams are the kernel's, which had no room for them" in done.stdout
    ), done.stdout + done.stderr


@pytest.mark.parametrize(
    "command, code, said",
    [
        ("exec sleep 100; : {port}", 2, "does not listen on UDP port"),
        ("echo no licence; exit 3; : {port}", 2, "ended with exit code 3 before it listened"),
        ("no-such-collector {port}", 2, "not found"),
        ("nfcapd -w {folder}", 2, "{port} is not in it"),
        (
            (
                f"{sys.executable} -c \"import socket, time; s = socket.socket(2, 2); s.bind(('127.0.0.1', {{port}})); "
                's.recv(9999); raise SystemExit(7)"'
            ),
            2,
            "ended with exit code 7",
        ),
        (f"yes & {wrong()}", 0, "floods its output"),
        (
            (
                f'{sys.executable} -c "import signal, socket, time; signal.signal(15, signal.SIG_IGN); '
                f"s = socket.socket(2, 2); s.bind(('127.0.0.1', {{port}})); [s.recv(9999) for _ in range(9999)]\""
            ),
            2,
            "nothing is stored",
        ),
    ],
    ids=["never-listens", "ends-at-once", "does-not-exist", "no-port", "dies", "floods", "ignores-TERM"],
)
def test_collectors_that_misbehave_are_named_and_end(esx_netflow, tmp_path, command, code, said):
    done = esx_netflow("run", "quickstart", "--out", tmp_path / "lab", "--collector", command)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert not processes_of(str(tmp_path))


@pytest.mark.parametrize(
    "options, said",
    [
        (["--collector", ""], "{port} is not in it"),
        (["--collector", "{port}", "--format", "bogus"], "invalid choice: 'bogus'"),
        (["--collector", "{port}", "--grade", "--aggregate 'src"], "--grade '--aggregate 'src': No closing quotation"),
        (["--collector", "{port}", "--end-by", "FOO"], "there is no such signal"),
    ],
)
def test_a_wrong_option_of_collector_is_named_before_anything_runs(esx_netflow, tmp_path, options, said):
    done = esx_netflow("run", "quickstart", "--out", tmp_path / "lab", *options)
    assert done.returncode == 2 and said in done.stderr and not list(tmp_path.iterdir()), done.stdout + done.stderr


@pytest.mark.parametrize(
    "content, said",
    [
        ("", "the store is empty"),
        ("[]", "the store is empty"),
        (
            '{"src_addr":"10.0.0.1","dst_addr":"10.0.0.2","packets":1,"bytes":',
            "line 1 of 1 is no JSON; was the collector ended while it wrote?",
        ),
        (
            (
                '{"src_addr":"10.0.0.1","dst_addr":"10.0.0.2","proto":"TCP","src_port":1,"dst_port":2,'
                '"packets":1,"bytes":1}'
            ),
            "it is the store of another run, or --map is wrong",
        ),
        ("apples,pears,plums,cherries\n1,2,3,4\n", "the format is not known"),
        ("sa,da,ipkt,ibyt\n10.0.0.1,10.0.0", "line 2 ends in the middle"),
        ("sa,da,ipkt,ibyt\n10.0.0.1,here,3,4\n", "'here' is no IPv4 address"),
        ("hello", "neither JSON nor the head of a CSV file"),
    ],
)
def test_a_store_that_cannot_be_compared_is_named(esx_netflow, result, tmp_path, content, said):
    (tmp_path / "store").write_text(content)
    done = esx_netflow("grade", result[0], tmp_path / "store")
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stdout + done.stderr


def test_half_a_binary_store_is_named(esx_netflow, result, tmp_path):
    (stored,) = (result[1] / "store").iterdir()
    (tmp_path / "store").write_bytes(stored.read_bytes()[: stored.stat().st_size // 2])
    done = esx_netflow("grade", result[0], tmp_path / "store")
    assert done.returncode == 2 and "nfdump cannot read it: Open file" in done.stderr, done.stdout + done.stderr


def test_what_was_sent_must_be_known(esx_netflow, tmp_path):
    assert esx_netflow("run", "quickstart", "--out", tmp_path / "lab", "-q").returncode == 0
    done = esx_netflow("grade", tmp_path / "lab", tmp_path / "lab")
    assert done.returncode == 2 and "this run fed no real collector" in done.stderr
    done = esx_netflow("grade", tmp_path, tmp_path / "lab")
    assert done.returncode == 2 and "no result folder" in done.stderr
    (tmp_path / "text").write_text("no capture")
    done = esx_netflow("grade", tmp_path / "text", tmp_path / "lab")
    assert (
        done.returncode == 2
        and done.stderr.startswith(f"esx-netflow: {tmp_path}/text: ")
        and done.stderr.count("\n") == 1
    ), done.stderr


def test_after_network_the_real_collector_gets_what_the_simulated_one_got(esx_netflow, tmp_path):
    """losses: links lose datagrams; reordering: they delay and double them."""
    for scenario, options, wanted in (
        ("losses", [], "exported"),
        ("losses", ["--after-network"], "collected"),
        ("reordering", ["--after-network"], "collected"),
    ):
        out = tmp_path / f"{scenario}{len(options)}"
        done = esx_netflow(
            "run", scenario, "--out", out, "--collector", NFCAPD, "--format", "nfdump", "--quiet", *options
        )
        assert done.returncode == 0, done.stdout + done.stderr
        datagrams = Result.load(out).grade(f"{out}.collector/store").datagrams
        summary = json.loads((out / "summary.json").read_text())
        assert datagrams["records"][~datagrams["copy"]].sum() == summary["ledger"][wanted]["records"]
    assert datagrams["copy"].sum() >= 20 and (datagrams.groupby(["exporter", "engine"])["sequence"].diff() < 0).any()
    assert esx_netflow("run", "quickstart", "--out", tmp_path / "q", "--after-network").returncode == 2


@pytest.mark.parametrize("collector", [NFCAPD, NFCAPD + " -D"], ids=["plain", "daemon"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_whatever_ends_the_run(esx_netflow, tmp_path, number, collector):
    run = esx_netflow.start(
        "run",
        "quickstart",
        "--out",
        tmp_path / "lab",
        "--collector",
        collector,
        "--to-rate",
        "2",
        "-q",
        start_new_session=True,
    )
    until(lambda: processes_of(f"-w {tmp_path}") and processes_of("--to-rate=2"))
    run.send_signal(number)
    run.communicate(timeout=60)
    assert run.returncode == (130 if number != signal.SIGKILL else -9)
    until(lambda: not processes_of(str(tmp_path)))


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)
