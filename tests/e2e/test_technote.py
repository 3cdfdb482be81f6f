# SPDX-License-Identifier: GPL-2.0-only
"""The technical note: every sentence has its proof in docs/technote.md, and what no other test proves is proved
here."""

import hashlib
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pexpect
import pytest
from labs import QUICKSTART, SCENARIOS, contents, summary, table, write
from oracle.collector_files import NfcapdRun
from test_console import LAB, PROMPT
from test_run_collectors import exported, stored

ROOT = Path(__file__).parent.parent.parent
LIMITS_AT_MOST = 5
PLAYED = "test_technote.test_the_document_plays"
EXAMPLE_1 = "/usr/lib/vmware/bin/vmkload_app -i vmktcp /usr/lib/vmware/bin/net-netflow -e vSwitch0 10.6.125.84:4242"
EXAMPLE_2 = (
    "/usr/lib/vmware/bin/vmkload_app -i vmktcp /usr/lib/vmware/bin/net-netflow -e vSwitch0,prod1,test2 10.6.125.84:4242"
)
LOAD = "  - {at: 1s, host: esx1, run: vmkload_mod netflow}"


class Row(NamedTuple):
    number: int
    line: int
    words: list[str]
    proof: str


def rows() -> list[Row]:
    found = re.findall(
        r"^\| (\d+) \| (\d+) \| (.*?) \| (.*?) \|$", (ROOT / "docs" / "technote.md").read_text(), re.MULTILINE
    )
    return [Row(int(number), int(line), words.split(), proof) for number, line, words, proof in found]


def hashed(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:4]


def timeline(*steps: str, text: str = LAB) -> str:
    head, tail = text.split("timeline:\n")
    return head + "timeline:\n" + "\n".join([LOAD, *steps]) + "\nexpect:" + tail.split("\nexpect:")[1]


def simulate(esx_netflow, folder: Path, text: str, *options) -> Path:
    done = esx_netflow("run", write(folder, text), "--out", folder / "out", "--captures", *options)
    assert done.returncode == 0, done
    return folder / "out"


# ---------------------------------------------------------------- the table


def test_every_sentence_has_a_row_in_order():
    """tests/data/technote-sentences.txt has the note's sentences as hashes of their words: the note itself is
    VMware's."""
    text = (ROOT / "tests" / "data" / "technote-sentences.txt").read_text()
    sentences = [line.split() for line in text.splitlines() if not line.startswith("#")]
    assert len(sentences) == len(rows()) > 110
    for row, (number, line, *words) in zip(rows(), sentences):
        assert (row.number, row.line) == (int(number), int(line))
        quoted = [hashed(word) for word in row.words]
        assert quoted == words[: len(quoted)] and len(quoted) == min(7, len(words)), row


def named_tests() -> set[str]:
    found = set()
    for source in (ROOT / "tests").rglob("*-test.cc"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", source.read_text(), re.MULTILINE):
            found.add(f"{suite}.{name}")
    for source in (ROOT / "tests").rglob("test_*.py"):
        found |= {
            f"{source.stem}.{name}" for name in re.findall(r"^def (test_\w+)\(", source.read_text(), re.MULTILINE)
        }
    return found


def test_every_test_that_is_named_exists():
    named = named_tests()
    for row in rows():
        proofs = re.findall(r"`([^`]+)`", row.proof)
        assert proofs or "limitations.md#" in row.proof, row
        assert set(proofs) <= named, row


def test_few_rows_are_limits_and_each_is_written_down():
    limits = [row for row in rows() if "limitations.md#" in row.proof]
    assert len(limits) <= LIMITS_AT_MOST
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "limitations.md").read_text(), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    for row in limits:
        assert set(re.findall(r"limitations\.md#([\w-]+)", row.proof)) <= anchors, row


def test_every_heading_has_its_rows():
    headings = [row.number for row in rows() if "test_every_heading_has_its_rows" in row.proof]
    assert headings[:2] == [1, 2] and len(headings) == 9
    for first, following in zip(headings[1:], [*headings[2:], len(rows()) + 1]):
        assert following - first > 1, first


# ---------------------------------------------------------------- the document, played


@pytest.fixture(scope="module")
def played(esx_netflow) -> str:
    done = esx_netflow("technote")
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_the_document_plays(played):
    ticked = {int(number) for number in re.findall(r"^✓ +(\d+)  ", played, re.MULTILINE)}
    shown = [int(number) for number in re.findall(r"^[✓ ] +(\d+)  ", played, re.MULTILINE)]
    assert "✗" not in played and shown == [row.number for row in rows()]
    assert {row.number for row in rows() if PLAYED in row.proof} == ticked
    assert "[root@esx1 root]# vmkload_mod netflow\n       Using /usr/lib/vmware/vmmod/netflow\n" in played


def test_a_row_that_fails_gets_a_cross_and_exit_1(esx_netflow, tmp_path):
    text = (SCENARIOS / "technote.yaml").read_text().replace("16 Yes", "17 Yes")
    done = esx_netflow("technote", "--with", write(tmp_path, text))
    assert done.returncode == 1 and re.search(r"^✗ +30  ", done.stdout, re.MULTILINE)
    assert "✗ standard output lacks 'netflow 0xc2e000 0x6000 0x2bf53a0 0x1000 17 Yes\\n'" in done.stdout


def test_what_needs_a_second_run_is_not_ticked(esx_netflow, tmp_path):
    text = (SCENARIOS / "technote.yaml").read_text() + "  - {name: twice, check: deterministic}\n"
    done = esx_netflow("technote", "--with", write(tmp_path, text))
    assert done.returncode == 0 and "\n       twice: not judged here, 'esx-netflow run' does\n" in done.stdout


# ---------------------------------------------------------------- sentences that no other test proves

THREE = LAB.replace(
    "vms:\n",
    "vms:\n      test-a: {nics: [{portgroup: Test, address: 10.2.0.1/24}]}\n      test-b: {nics: [{portgroup: Test, "
    "address: 10.2.0.2/24}]}\n",
).replace("timeline:", "  - {name: test, app: udp-cbr, from: test-a, to: test-b, start: 3s, stop: 50s}\ntimeline:")
EXPORT = "  - {{at: 2s, host: esx1, run: 'vmkload_app -S -i vmktcp net-netflow {} 10.6.125.84:4242'}}"


def test_examples_1_and_2_at_a_terminal_feed_nfcapd(esx_netflow, tmp_path):
    lab = THREE.replace("start: 3s, stop: 50s}", "start: 3s, stop: 25s}")  # so that flows end while they are monitored
    scenario, record, live = write(tmp_path, lab), tmp_path / "record.yaml", tmp_path / "live"
    with NfcapdRun() as collector:
        arguments = [
            "console",
            str(scenario),
            "--to",
            f"127.0.0.1:{collector.port}",
            "--record",
            str(record),
            "--out",
            str(live),
        ]
        child = pexpect.spawn(str(esx_netflow.path), arguments, encoding="utf-8", timeout=300, dimensions=(40, 250))
        child.expect(PROMPT)
        child.sendline("vmkload_mod netflow")
        child.expect_exact("Using /usr/lib/vmware/vmmod/netflow\r\nModule load of netflow succeeded.\r\n")
        child.expect(PROMPT)
        child.sendline("vmkload_mod -l | grep netflow")
        child.expect_exact("netflow 0xc2e000 0x6000 0x2bf53a0 0x1000 16 Yes\r\n")
        child.expect(PROMPT)
        for example in (EXAMPLE_1, EXAMPLE_2):
            child.sendline(example)
            child.expect(r"\(running\) > ")
            child.sendline("run 20s")
            child.expect(r"at [0-9]+s: .*\(running\) > ")
            child.send("\x03")
            child.expect(r"\^C.*" + PROMPT)
        child.send("\x04")
        child.expect(pexpect.EOF)
        child.wait()
        collector.stop()
    assert child.exitstatus == 0
    assert stored(collector.rows) == exported(live) and collector.flows > 0
    assert {row["engine"] for row in table(live, "flows-exported.csv")} == {"1", "2", "3"}
    assert collector.bad_packets == 0 and collector.sequence_errors == 1  # of vSwitch0, which was restarted
    steps = [
        "  - {at: 0s, host: esx1, session: console, run: vmkload_mod netflow}",
        "  - {at: 0s, host: esx1, session: console, run: vmkload_mod -l | grep netflow}",
        f"  - {{at: 0s, host: esx1, session: console, run: '{EXAMPLE_1}'}}",
        "  - {at: 20s, host: esx1, session: console, press: ctrl-c}",
        f"  - {{at: 20s, host: esx1, session: console, run: '{EXAMPLE_2}'}}",
        "  - {at: 40s, host: esx1, session: console, press: ctrl-c}",
        "  - {at: 40s, host: esx1, session: console, press: ctrl-d}",
    ]
    by_hand = timeline(*steps, text=lab).replace(LOAD + "\n", "", 1).replace("duration: 60s", "duration: 40s")
    hand = tmp_path / "hand"
    hand.mkdir()
    assert esx_netflow("run", write(hand, by_hand), "--out", hand / "out").returncode == 0
    assert esx_netflow("run", record, "--out", tmp_path / "again").returncode == 0
    assert contents(tmp_path / "again") == contents(live)
    for name in ("esx1.console.log", "esx1.vmkernel.log", "flows-exported.csv", "flows-collected.csv", "series.csv"):
        assert (hand / "out" / name).read_bytes() == (live / name).read_bytes(), name


def test_a_restart_costs_a_real_collector_one_sequence_failure(esx_netflow, tmp_path):
    steps = [
        EXPORT.format("-e vSwitch0,prod1").replace("run:", "id: one, run:"),
        "  - {at: 25s, signal: TERM, process: one}",
    ]
    again = EXPORT.format("-e vSwitch0,prod1").replace("at: 2s", "at: 26s")
    more = "  - {name: more, app: udp-cbr, from: prod-a, to: prod-b, port: 5002, start: 30s, stop: 35s}\ntimeline:"
    text = LAB.replace("start: 3s, stop: 50s}", "start: 3s, stop: 10s}").replace("timeline:", more)
    with NfcapdRun() as collector:
        simulate(esx_netflow, tmp_path, timeline(*steps, again, text=text), "--to", f"127.0.0.1:{collector.port}")
        collector.stop()
    engines = {row["engine"] for row in table(tmp_path / "out", "flows-exported.csv")}
    assert collector.sequence_errors == len(engines) == 2 and collector.bad_packets == 0


def tshark(capture: Path, port: int, *fields: str) -> list[list[str]]:
    shown = [word for field in fields for word in ("-e", field)]
    command = [
        "tshark",
        "-n",
        "-r",
        capture,
        "-d",
        f"udp.port=={port},cflow",
        "-Y",
        "cflow",
        "-T",
        "fields",
        "-E",
        "aggregator=;",
        *shown,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [[value for cell in line.split("\t") for value in cell.split(";")] for line in done.stdout.splitlines()]


def test_zero_fields_are_zero_for_tshark(esx_netflow, tmp_path):
    out = simulate(esx_netflow, tmp_path, timeline(EXPORT.format("-p -e vSwitch0,prod1")))
    zero = ["cflow.nexthop", "cflow.srcas", "cflow.dstas", "cflow.srcmask", "cflow.dstmask"]
    datagrams = tshark(out / "nf1.pcap", 4242, *zero)
    assert len(datagrams) == summary(out)["datagrams"] > 0
    seen = Counter(value for datagram in datagrams for value in datagram)
    records = summary(out)["ledger"]["collected"]["records"]
    assert seen == {"0.0.0.0": records, "0": 4 * records}
    assert {
        value for line in tshark(out / "nf1.pcap", 4242, "cflow.samplingmode", "cflow.samplerate") for value in line
    } <= {"0", ""}


def test_port_2055_is_the_default(esx_netflow, tmp_path):
    text = timeline(EXPORT.format("-e prod1").replace(":4242", ""))
    out = simulate(esx_netflow, tmp_path, text.replace("listen: 4242, ", ""))
    assert summary(out)["collectors"][0]["datagrams"] > 0
    (collector,) = re.findall(r"listen: (\d+)", (out / "resolved.yaml").read_text())
    assert collector == "2055"


def test_datagrams_leave_by_the_vmknic(esx_netflow, tmp_path):
    out = simulate(esx_netflow, tmp_path, timeline(EXPORT.format("-e vSwitch0")) + "outputs: {pcap: ['esx1:vmk0']}\n")
    sent = tshark(out / "esx1-vmk0.pcap", 4242, "ip.src", "frame.time_epoch")
    assert len(sent) == summary(out)["datagrams"] > 0 and {line[0] for line in sent} == {"10.6.125.11"}
    start = 1224979200  # 2008-10-26T00:00:00Z
    first_ended = min(int(row["last_ms"]) for row in table(out, "flows-exported.csv"))
    quickly = float(sent[0][1]) if float(sent[0][1]) < start else float(sent[0][1]) - start
    # idle timeout of this lab, then the next poll
    assert first_ended / 1000 + 2 < quickly < first_ended / 1000 + 2 + 1.1


def departures(out: Path) -> set[int]:
    """Milliseconds of their seconds at which datagrams left; to arrive takes them less than 10 ms."""
    return {int(float(row["received_ms"])) // 10 * 10 % 1000 for row in table(out, "flows-collected.csv")}


def test_the_polling_period_is_a_second_unless_it_is_given(esx_netflow, tmp_path):
    for name, option, wanted in (("a", "", {0}), ("b", "-s 100 ", set(range(0, 1000, 100)))):
        (tmp_path / name).mkdir()
        found = departures(simulate(esx_netflow, tmp_path / name, timeline(EXPORT.format(option + "-e vSwitch0"))))
        assert found <= wanted and len(found) > len(wanted) / 2, (option, found)


SCAN = "  - {name: scan, app: tcp-syn-scan, from: web1, to: web2, ports: 1-6000, every: 1ms, start: 5s, stop: 15s}\n"


def test_a_shorter_polling_period_solves_a_full_purgatory(esx_netflow, tmp_path):
    text = LAB.replace("idle_timeout: 2s", "idle_timeout: 2s, purgatory_max: 500").replace(
        "timeline:", SCAN + "timeline:"
    )
    dropped = []
    for name, option in (("slow", ""), ("fast", "-s 100 ")):
        (tmp_path / name).mkdir()
        out = simulate(esx_netflow, tmp_path / name, timeline(EXPORT.format(option + "-e vSwitch0"), text=text))
        dropped.append(summary(out)["ledger"]["lost"].get("purgatory_full", {"records": 0})["records"])
        assert ("Maximum purgatory size reached" in (out / "esx1.vmkernel.log").read_text()) == (dropped[-1] > 0)
    assert dropped[0] > 1000 and dropped[1] == 0


def test_one_address_may_be_on_two_switches(esx_netflow, tmp_path):
    text = (
        LAB.replace("prod1: {", "prod1: {uplinks: [vmnic1], ")
        .replace("10.1.0.2/24", "10.6.125.62/24")
        .replace("nodes: {", "nodes: {sw1: {kind: switch}, ")
    )
    text = text.replace("10.1.0.1/24", "10.6.125.61/24").replace(
        "[esx1:vmnic0, nf1:eth0]}",
        "[esx1:vmnic0, sw1:1]}, {endpoints: [esx1:vmnic1, sw1:2]}, {endpoints: [sw1:3, nf1:eth0]}",
    )
    text = text.replace(
        "timeline:", "  - {name: across, app: udp-cbr, from: web1, to: prod-a, start: 3s, stop: 9s}\ntimeline:"
    )
    collected = table(
        simulate(esx_netflow, tmp_path, timeline(EXPORT.format("-e vSwitch0,prod1"), text=text)), "flows-collected.csv"
    )
    across = {
        (row["vswitch"], row["engine"])
        for row in collected
        if (row["src"], row["dst"]) == ("10.6.125.51", "10.6.125.61")
    }
    assert across == {("vSwitch0", "1"), ("prod1", "2")}


def test_ignored_engines_merge_interfaces_unless_dash_p_is_given(esx_netflow, tmp_path):
    text = (SCENARIOS / "ignore-engine.yaml").read_text()
    assert esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "-q").returncode == 0
    for cause in (("84/24, ignore_engine: true", "84/24"), ("netflow -p -e", "netflow -e")):
        assert text.count(cause[0]) == 1
        assert (
            esx_netflow("run", write(tmp_path, text.replace(*cause)), "--out", tmp_path / "out", "-q").returncode == 1
        ), cause


def test_interface_13_of_vswitch2_appears_as_1549(esx_netflow, tmp_path):
    vms = "".join(f"      vm{i}: {{nics: [{{portgroup: Test, address: 10.3.0.{i}/24}}]}}\n" for i in range(2, 14))
    text = LAB.replace("prod1:", "vSwitch1:").replace("test2:", "vSwitch2:").replace("vms:\n", "vms:\n" + vms)
    text = text.replace("timeline:", "  - {name: t, app: udp-cbr, from: vm13, to: vm2, start: 3s, stop: 5s}\ntimeline:")
    out = simulate(esx_netflow, tmp_path, timeline(EXPORT.format("-p -e vSwitch2"), text=text))
    (row,) = [row for row in table(out, "flows-collected.csv") if row["src"] == "10.3.0.13"]
    assert (row["vswitch"], row["input"], row["input_port"]) == ("vSwitch2", "13", "vm13.eth0")
    interfaces = {value for line in tshark(out / "nf1.pcap", 4242, "cflow.inputint") for value in line}
    assert interfaces == {"1549"}
    assert esx_netflow("ifindex", 1549).stdout.startswith("1549: vSwitch2 port 13 ")


def test_timeouts_are_15_seconds_and_5_minutes(esx_netflow, tmp_path):
    text = (
        LAB.replace("    netflow: {idle_timeout: 2s}\n", "")
        .replace("duration: 60s", "duration: 700s")
        .replace("stop: 50s", "stop: 650s")
    )
    out = simulate(esx_netflow, tmp_path, timeline(EXPORT.format("-e prod1,vSwitch0"), text=text))
    collected = table(out, "flows-collected.csv")
    long = [row for row in collected if row["vswitch"] == "prod1"]
    assert [row["reason"] for row in long] == ["active", "active", "idle"]
    for row in collected:
        duration, waited = int(row["last_ms"]) - int(row["first_ms"]), float(row["received_ms"]) - int(row["last_ms"])
        assert duration <= 300_000 and (row["reason"] == "active" or 15_000 < waited < 15_000 + 1_100), row
    assert all(int(row["last_ms"]) - int(row["first_ms"]) > 299_000 for row in long[:2])


def test_sampling_and_timeouts_have_no_option(esx_netflow, tmp_path):
    lines = "".join(
        f"vmkload_app -i vmktcp net-netflow {option} -e vSwitch0 10.6.125.84\necho status $?\n"
        for option in ("-t 30", "-a 60", "-n 100")
    )
    done = esx_netflow(
        "console",
        write(tmp_path, LAB),
        input="vmkload_mod netflow\n" + lines + "vmkload_app -i vmktcp net-netflow -h\n",
    )
    assert done.stdout.count("status 2\n") == 3
    (usage,) = [line for line in done.stdout.splitlines() if line.startswith("usage: net-netflow")]
    assert set(re.findall(r"-(\w)\b", usage.split("net-netflow", 1)[1])) == set("hvpse")


def test_top_talkers_are_told_from_what_was_collected(esx_netflow, tmp_path):
    assert esx_netflow("run", QUICKSTART, "--out", tmp_path / "out", "-q").returncode == 0
    by_source = Counter()
    for row in table(tmp_path / "out", "flows-collected.csv"):
        by_source[row["src"]] += int(row["octets"])
    talkers = summary(tmp_path / "out")["top_talkers"]
    assert {
        talker["src"]: talker["collected"]["octets"] for talker in talkers if talker["collected"]["octets"]
    } == by_source
    assert [talker["src"] for talker in talkers][:3] == [source for source, _ in by_source.most_common(3)]
