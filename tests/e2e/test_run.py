# SPDX-License-Identifier: GPL-2.0-only
"""run: what a run leaves behind, the same everywhere, agreed with by the oracle and by tshark."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from labs import QUICKSTART, RESULT_FILES, contents, lab, summary, table, write
from probing import Sink

TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def quickstart(esx_netflow, tmp_path_factory) -> Path:
    """-> result folder of the quickstart, with all captures"""
    folder = tmp_path_factory.mktemp("quickstart") / "out"
    done = esx_netflow("run", QUICKSTART, "--out", folder, "--captures", cwd=folder.parent)
    assert (done.returncode, done.stderr) == (0, ""), done
    return folder


def test_quickstart_is_understood_by_a_newcomer(esx_netflow, tmp_path):
    done = esx_netflow("run", QUICKSTART, cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    for word in (
        "seen",
        "collected",
        "lost",
        "residual",
        "flows seen",
        "exported in",
        "top talkers",
        "expectations met",
    ):
        assert word in done.stdout
    assert "results: out/quickstart\n" in done.stdout
    assert not re.search("ns-?3|simulator|tid|attribute", done.stdout, re.IGNORECASE)
    assert {path.name for path in (tmp_path / "out" / "quickstart").iterdir()} == RESULT_FILES


def test_quickstart_loses_nothing(quickstart):
    result = summary(quickstart)
    assert result["verdict"] == "pass" and all(e["pass"] for e in result["expectations"])
    assert result["residual"] == {"packets": 0, "octets": 0, "records": 0}
    assert result["ledger"]["lost"] == {} and set(result["ledger"]["left"]) <= {"live", "queued", "in_flight"}
    assert len(table(quickstart, "flows-collected.csv")) == result["ledger"]["collected"]["records"] > 100
    assert result["top_talkers"][0]["name"] == "db1"


def test_tables_add_up_to_the_ledger(quickstart):
    ledger = summary(quickstart)["ledger"]
    for name, total in (("truth", "truth"), ("exported", "exported"), ("collected", "collected")):
        rows = table(quickstart, f"flows-{name}.csv")
        for unit in ("packets", "octets"):
            assert sum(int(row[unit]) for row in rows) == ledger[total][unit], (name, unit)
    assert len(table(quickstart, "flows-exported.csv")) == ledger["exported"]["records"]
    for name in ("lost", "left"):
        rows = table(quickstart, f"flows-{name}.csv")
        assert sum(int(row["records"]) for row in rows) == sum(counts["records"] for counts in ledger[name].values())


def test_ports_have_names(quickstart):
    rows = table(quickstart, "flows-collected.csv")
    assert {row["input_port"] for row in rows} >= {"web1.eth0", "db1.eth0", "phone.eth0"}
    assert {row["collector"] for row in rows} == {"nf-collector1"}
    assert all(float(row["received_ms"]) > int(row["last_ms"]) for row in rows)  # the host booted at 0 s


def test_resolved_scenario_gives_the_same_results(esx_netflow, quickstart, tmp_path):
    again = esx_netflow("run", quickstart / "resolved.yaml", "--out", tmp_path / "x", "--captures")
    assert again.returncode == 0
    assert contents(tmp_path / "x") == contents(quickstart)


@pytest.mark.parametrize("place", [("Asia/Kathmandu", "de_DE.UTF-8"), ("America/New_York", "C")])
def test_results_are_the_same_bytes_everywhere(esx_netflow, quickstart, tmp_path, place):
    zone, locale = place
    folder = tmp_path / "another folder"
    folder.mkdir()
    environment = {**os.environ, "TZ": zone, "LC_ALL": locale}
    done = esx_netflow("run", QUICKSTART, "--out", "here/there", "--captures", "--quiet", cwd=folder, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert contents(folder / "here" / "there") == contents(quickstart)


def test_results_tell_nothing_of_this_machine(quickstart):
    for name, content in contents(quickstart).items():
        if not name.endswith(".pcap"):
            assert b"\r" not in content and str(quickstart.parent).encode() not in content, name
            assert not re.search(rb"\b%s\b" % re.escape(os.uname().nodename.encode()), content), name


def test_another_seed_gives_other_packets(esx_netflow, quickstart, tmp_path):
    assert esx_netflow("run", QUICKSTART, "--out", tmp_path / "x", "--seed", 2).returncode == 0
    assert summary(tmp_path / "x")["seed"] == 2
    assert contents(tmp_path / "x")["flows-truth.csv"] != contents(quickstart)["flows-truth.csv"]


def test_oracle_agrees(quickstart):
    command = [sys.executable, "-B", "-m", "oracle", quickstart]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_tshark_finds_nothing_malformed(quickstart):
    assert shutil.which("tshark"), "tshark is not installed (Debian package tshark)"
    index = json.loads((quickstart / "captures.json").read_text())
    (capture,) = [entry for entry in index["captures"] if entry["kind"] == "collector"]
    fields = [
        "-T",
        "fields",
        "-e",
        "cflow.version",
        "-e",
        "cflow.count",
        "-e",
        "_ws.malformed",
        "-e",
        "_ws.expert.message",
    ]
    read = [
        "tshark",
        "-n",
        "-r",
        quickstart / capture["file"],
        "-d",
        f"udp.port=={capture['udp_port']},cflow",
        "-Y",
        "udp",
    ]
    done = subprocess.run([*read, *fields], capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert lines and all(line[0] == "5" and line[2:] == ["", ""] for line in lines), lines[:3]
    assert sum(int(line[1]) for line in lines) == summary(quickstart)["ledger"]["collected"]["records"]


def test_a_failed_expectation_is_exit_1(esx_netflow, tmp_path):
    wrong = "  - {name: much is dropped, metric: netflow.records.dropped, at_least: 5}"
    done = esx_netflow("run", write(tmp_path, lab(expect=wrong)), "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "FAILED  much is dropped: 0, wanted 5 or more" in done.stdout
    result = summary(tmp_path / "out")
    assert result["verdict"] == "fail"
    assert result["expectations"][1] == {
        "name": "much is dropped",
        "measured": 0,
        "bound": {"at_least": 5},
        "pass": False,
    }


def test_several_scenarios_give_the_highest_exit_code(esx_netflow, tmp_path):
    wrong = "  - {name: much is dropped, metric: netflow.records.dropped, at_least: 5}"
    good, bad = write(tmp_path, lab("good")), write(tmp_path, lab("bad", expect=wrong), "bad.yaml")
    done = esx_netflow("run", bad, good, "--out", "both", cwd=tmp_path)
    assert done.returncode == 1
    assert "  both/bad\n" in done.stdout and "  both/good\n" in done.stdout
    assert summary(tmp_path / "both" / "good")["verdict"] == "pass"
    alone = esx_netflow("run", good, "--out", tmp_path / "alone", cwd=tmp_path)
    assert alone.returncode == 0
    assert contents(tmp_path / "alone") == contents(tmp_path / "both" / "good")  # nothing carries over from run to run


def test_interrupt_ends_with_what_there_is(esx_netflow, tmp_path):
    endless = write(tmp_path, lab(duration="200000s", stop="200000s"))
    with Sink() as sink:
        running = esx_netflow.start("run", endless, "--out", tmp_path / "out", "--to", sink.target)
        assert sink.wait(300), "no datagram came"
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=300)
    assert running.returncode == 130, stderr
    assert "then interrupted" in stdout
    result = summary(tmp_path / "out")
    assert result["verdict"] == "interrupted" and result["residual"] == {"packets": 0, "octets": 0, "records": 0}
    assert result["end_ns"] < 200000 * 10**9
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["out"]  # no temporary folder is left


def test_progress_is_shown_on_a_terminal_only(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    main, side = pty.openpty()
    command = [esx_netflow.path, "run", scenario, "--out", tmp_path / "out"]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, stderr=side, timeout=300).returncode == 0
    os.close(side)
    shown = os.read(main, 65536).decode()
    os.close(main)
    assert " s of 20.0 s" in shown and shown.endswith("\r\x1b[K")
    assert esx_netflow("run", scenario, "--out", tmp_path / "out").stderr == ""
