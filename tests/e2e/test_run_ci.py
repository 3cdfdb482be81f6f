# SPDX-License-Identifier: GPL-2.0-only
"""run for CI: several scenarios in one table, JUnit, Markdown, golden results, checks and logs."""

import signal
import xml.etree.ElementTree as ElementTree

import pytest
from labs import contents, lab, summary, write
from oracle.capture import read_capture
from oracle.collector_files import NfcapdRun
from oracle.netflow5 import read_collector_capture
from probing import Sink

RESTART = """  - {at: 4s, host: esx1, id: nf, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}
  - {at: 12s, signal: TERM, process: nf}
  - {at: 13s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}"""
FIRST = "  - {at: 500ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}"
COMPLAINTS = "  - {name: nfcapd has nothing to complain of, check: no_collector_complaints}"
UNMET = "  - {name: far too much, metric: netflow.packets.metered, at_least: 1000000}"


def restarting(expect=COMPLAINTS, **settings) -> str:
    """A lab whose net-netflow starts at 4 s and again at 13 s, with traffic throughout: records of both are
    collected."""
    text = lab(expect=expect, stop="20s", duration="25s", **settings)
    text = text.replace("netflow: {idle_timeout: 1s}", "netflow: {idle_timeout: 1s, active_timeout: 2s}")
    assert FIRST in text
    return text.replace(FIRST, RESTART)


@pytest.fixture
def three(tmp_path):
    """Scenarios: one good, one that fails, one that cannot be read."""
    good = write(tmp_path, lab(name="good"), "good.yaml")
    bad = write(tmp_path, lab(name="bad", expect=UNMET), "bad.yaml")
    broken = write(tmp_path, "version: 1\nname: broken\n", "broken.yaml")
    return [good, bad, broken]


def test_one_table_and_the_same_bytes_whatever_the_number_of_jobs(esx_netflow, three, tmp_path):
    outcomes = []
    for jobs in (1, 3):
        (tmp_path / str(jobs)).mkdir()
        reports = ("--junit", "j.xml", "--summary-md", "s.md")
        done = esx_netflow("run", *three, "-j", jobs, "--out", "out", *reports, cwd=tmp_path / str(jobs))
        outcomes.append((done.returncode, done.stdout, done.stderr, contents(tmp_path / str(jobs))))
    assert outcomes[0] == outcomes[1]
    code, table, errors, files = outcomes[0]
    assert code == 2 and "broken.yaml" in errors
    assert [line.split()[:2] for line in table.splitlines()[1:4]] == [
        ["good", "pass"],
        ["bad", "fail"],
        [str(three[2]), "error"],
    ]
    assert "FAILED  bad: far too much: " in table and table.endswith("1 of 3 scenarios pass\n")
    assert {"out/good/summary.json", "out/bad/summary.json", "j.xml", "s.md"} < set(files)


def test_junit_is_well_formed_and_counts(esx_netflow, three, tmp_path):
    esx_netflow("run", *three, "--out", tmp_path / "out", "--junit", tmp_path / "j.xml", "--quiet")
    suites = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("10", "1", "1")
    (failure,) = suites.iter("failure")
    assert failure.get("message").endswith(", wanted 1000000 or more")
    assert [suite.get("name") for suite in suites] == ["good", "bad", str(three[2])]


def test_reports_of_one_scenario(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    done = esx_netflow(
        "run", scenario, "--out", tmp_path / "out", "--junit", tmp_path / "j.xml", "--summary-md", tmp_path / "s.md"
    )
    assert done.returncode == 0 and done.stdout.startswith("lab: 20 s simulated")
    assert ElementTree.parse(tmp_path / "j.xml").getroot().get("tests") == "4"
    assert "| lab | pass | 3 of 3 |" in (tmp_path / "s.md").read_text()


def test_report_that_cannot_be_written_is_exit_2(esx_netflow, tmp_path):
    done = esx_netflow("run", write(tmp_path, lab()), "--out", tmp_path / "out", "--junit", tmp_path / "no" / "j.xml")
    assert done.returncode == 2 and "j.xml: cannot be written" in done.stderr


def test_golden_results_are_kept_and_compared(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    run = ("run", scenario, "--out", tmp_path / "out", "--quiet")
    missing = esx_netflow(*run, "--check", tmp_path / "golden")
    assert missing.returncode == 1 and "'run --update' writes it" in missing.stdout
    assert esx_netflow(*run, "--update", tmp_path / "golden").returncode == 0
    assert sorted(contents(tmp_path / "golden")) == ["lab.json", "lab.left.csv", "lab.lost.csv"]
    same = esx_netflow(*run, "--check", tmp_path / "golden")
    assert (same.returncode, same.stdout) == (0, "")
    write(tmp_path, lab(stop="4s"))
    changed = esx_netflow(*run, "--check", tmp_path / "golden", "--junit", tmp_path / "j.xml")
    assert changed.returncode == 1
    assert "lab: ledger.truth: packets was " in changed.stdout
    failures = ElementTree.parse(tmp_path / "j.xml").getroot().iter("failure")
    assert [failure.get("message") for failure in failures] == ["results differ"]


def test_check_and_update_exclude_each_other(esx_netflow, tmp_path):
    done = esx_netflow("run", write(tmp_path, lab()), "--check", "a", "--update", "b")
    assert done.returncode == 2


def test_real_collectors_get_one_run_at_a_time(esx_netflow, three):
    done = esx_netflow("run", *three[:2], "-j", "2", "--to", "127.0.0.1:9")
    assert done.returncode == 2 and "leave out -j" in done.stderr


def test_interrupted_batch_says_what_was_not_run(esx_netflow, tmp_path):
    endless = write(tmp_path, lab(name="endless", duration="200000s", stop="200000s"), "endless.yaml")
    later = write(tmp_path, lab(name="later"), "later.yaml")
    with Sink() as sink:
        process = esx_netflow.start("run", endless, later, "--out", tmp_path / "out", "--to", sink.target)
        assert sink.wait(300), "no datagram came"
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert "later was not run" in errors
    assert summary(tmp_path / "out" / "endless")["verdict"] == "interrupted"
    verdicts = dict(line.split()[:2] for line in output.splitlines() if line.startswith(("endless ", "later ")))
    assert verdicts == {"endless": "interrupted", "later": "not"}


def test_deterministic_runs_twice_and_leaves_one_result(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(expect="  - {name: the same again, check: deterministic}"))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--captures")
    assert done.returncode == 0 and "4 of 4 expectations met" in done.stdout
    assert summary(tmp_path / "out")["expectations"][1]["measured"] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab.yaml", "out"]


def test_log_lines_are_expected(esx_netflow, tmp_path):
    expect = """  - {name: enabled, log: esx1, contains: NetFlow enabled on vSwitch0}
  - {name: enabled early, log: esx1, contains: NetFlow enabled, during: 0s..1s}
  - {name: not later, log: esx1, absent: NetFlow enabled, during: 1s..20s}
  - {name: never full, log: esx1, absent: purgatory}"""
    done = esx_netflow("run", write(tmp_path, lab(expect=expect)), "--out", tmp_path / "out")
    assert done.returncode == 0 and "7 of 7 expectations met" in done.stdout
    wrong = lab(expect="  - {name: full, log: esx1, contains: purgatory}")
    done = esx_netflow("run", write(tmp_path, wrong), "--out", tmp_path / "out")
    assert done.returncode == 1 and "FAILED  full: 0, wanted 1 or more" in done.stdout


def test_predicted_complaints_are_those_of_nfcapd(esx_netflow, tmp_path):
    expect = COMPLAINTS + "\n  - {name: one restart, metric: collector.sequence.restarts, equals: 1}"
    scenario = write(tmp_path, restarting(expect))
    with NfcapdRun() as collector:
        done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--to", f"127.0.0.1:{collector.port}")
        collector.stop()
    assert done.returncode == 0, done.stdout
    assert collector.sequence_errors == 1 == summary(tmp_path / "out")["collectors"][0]["sequence_failures"]


def test_what_was_lost_is_a_complaint_of_nfcapd_too(esx_netflow, tmp_path):
    text = restarting().replace(
        "timeline:\n", "timeline:\n  - {at: 8500ms, for: 1s, link: collector-link, set: {loss: 1}}\n"
    )
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--captures")
    assert done.returncode == 1 and "FAILED  nfcapd has nothing to complain of: 1, wanted 0" in done.stdout
    capture = read_collector_capture(read_capture(tmp_path / "out" / "nf1.pcap"), 2055)
    with NfcapdRun() as collector:
        collector.send(datagram.encode() for datagram in capture.datagrams)
        collector.stop()
    assert collector.sequence_errors == 2 == summary(tmp_path / "out")["collectors"][0]["sequence_failures"]
