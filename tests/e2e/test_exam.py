# SPDX-License-Identifier: GPL-2.0-only
"""The examination: its streams have the answers they say, our own collector passes it, real ones get their cards, wrong
ones fail."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

COLLECTOR = Path(__file__).parent.parent / "python" / "wrong_collectors.py"
WRONG_SEQUENCE = {"open-vswitch", "sequence-of-datagrams", "sequence-always-0"}
NFACCTD = (
    "printf 'nfacctd_ip: 127.0.0.1\\nnfacctd_port: {port}\\nnfacctd_disable_checks: false\\nplugins: "
    "print[all]\\nprint_output[all]: json\\nprint_output_file[all]: {folder}/flows.json\\n"
    "print_refresh_time[all]: 3600\\naggregate[all]: peer_src_ip, src_host, dst_host, src_port, dst_port, proto, tos, "
    "in_iface, out_iface, tcpflags, timestamp_start, timestamp_end\\n'"
    " > {folder}/../conf && exec nfacctd -f {folder}/../conf"
)


@pytest.fixture(scope="module")
def captures(esx_netflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    assert esx_netflow("exam", "--captures", folder).returncode == 0
    return folder


def said(esx_netflow, capture):
    last = esx_netflow("collect", "-r", capture).stdout.splitlines()[-1]
    return {
        name: int(number) for name, number in re.findall(r"(gaps|records-missing|late|duplicates|restarts) (\d+)", last)
    }


def test_the_keys_hold_what_the_sequence_says(esx_netflow, captures):
    keys = {key["name"]: key for key in map(json.loads, (path.read_text() for path in captures.glob("*.json")))}
    assert len(keys) >= 40
    for name, key in keys.items():
        if name not in WRONG_SEQUENCE and not key["may"]:
            assert said(esx_netflow, captures / f"{name}.pcap")["records-missing"] == key["records_missing"], name


def test_the_table_of_goflow2(esx_netflow, captures):
    """One missing and two duplicates at the end; every naive counter says something else."""
    found = said(esx_netflow, captures / "goflow2-table.pcap")
    assert found["records-missing"] == 1 and found["duplicates"] == 2 and found["restarts"] == 0


def test_the_expected_records_of_a_stream_are_right_for_grade(esx_netflow, captures):
    done = esx_netflow("grade", captures / "interfaces.pcap", captures / "interfaces.csv", "--format", "any")
    assert done.returncode == 0 and "30 records of 30 right" in done.stdout, done.stdout + done.stderr


def examined(esx_netflow, folder, command, *options):
    done = esx_netflow(
        "exam",
        "--collector",
        command,
        "-o",
        folder / "exam",
        "--json",
        folder / "json",
        "--markdown",
        folder / "card.md",
        "--junit",
        folder / "junit.xml",
        *options,
    )
    assert done.returncode < 2, done.stderr
    answers = json.loads((folder / "json").read_text())
    failed = {answer["name"] for answer in answers if answer["verdict"] != "pass"}
    assert done.returncode == bool(failed) and (folder / "junit.xml").read_text().count("<failure") == len(failed)
    assert f"{len(answers) - len(failed)} of {len(answers)} streams passed" in (folder / "card.md").read_text()
    return failed, done.stdout


def test_our_own_collector_passes_everything(esx_netflow, tmp_path):
    failed, text = examined(
        esx_netflow,
        tmp_path,
        f"exec {esx_netflow.path} collect -l 127.0.0.1:{{port}} --json {{folder}}/flows.json",
        "--format",
        "esx-netflow",
    )
    assert not failed, text
    assert text.count("pass ") >= 40


@pytest.mark.parametrize(
    "command, options, may_fail",
    [
        ("exec nfcapd -b 127.0.0.1 -p {port} -w {folder} -t 3600", ["--format", "nfdump"], {"routes"}),
        (NFACCTD, ["--format", "nfacctd", "--end-by", "INT"], {"last-after-uptime"}),
    ],
    ids=["nfcapd", "nfacctd"],
)
def test_real_collectors_get_their_cards(esx_netflow, tmp_path, command, options, may_fail):
    assert shutil.which("nfcapd") and shutil.which("nfacctd")
    failed, text = examined(
        esx_netflow,
        tmp_path,
        command,
        *options,
        "--only",
        "^(steady|loss|reord|dupl|goflow2|restart|two-|last-a|routes|icmp|count-0)",
    )
    assert failed <= may_fail, text
    assert text.count("pass ") >= 12


@pytest.mark.parametrize(
    "bug, fails",
    [
        ("wrap", {"last-after-uptime"}),
        ("one_engine", {"two-engines", "engine-type-and-id"}),
        ("signed_interface", {"interfaces", "option-p"}),
        ("octets_16", {"large-counters"}),
    ],
)
def test_the_streams_tell_wrong_collectors(esx_netflow, tmp_path, bug, fails):
    """Each bug fails the streams that are made for it, and passes those that do not show it."""
    only = "|".join(f"^{name}$" for name in (*fails, "ports", "tcp-flags"))
    failed, text = examined(
        esx_netflow,
        tmp_path,
        f"exec {sys.executable} {COLLECTOR} goflow2 {{port}} {{folder}} {bug}",
        "--format",
        "goflow2",
        "--only",
        only,
    )
    assert failed == fails, text


def test_what_cannot_be_examined_is_named(esx_netflow):
    assert "no stream is named so" in esx_netflow("exam", "--only", "nothing", "--list").stderr
    assert "--collector is required" in esx_netflow("exam").stderr
    for option in ("--only", "--complaints"):
        done = esx_netflow("exam", option, "(", "--collector", "{port}")
        assert done.returncode == 2 and f"argument {option}: '(' is no regular expression: missing )" in done.stderr, (
            done.stderr
        )


@pytest.mark.parametrize(
    "option, value, said",
    [
        ("--port", "99999", "from 1 to 65535"),
        ("--port", "1.5", "is no whole number"),
        ("--kernel-drops", "-3", "is no whole number from 0"),
    ],
)
def test_numbers_of_grade_that_are_none_are_named(esx_netflow, option, value, said):
    done = esx_netflow("grade", "a", "b", option, value)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
