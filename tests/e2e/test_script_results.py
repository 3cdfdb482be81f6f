# SPDX-License-Identifier: GPL-2.0-only
"""A script's result folder (EsxResultsHelper, examples/esx-results.cc): the program and Python read it as one of a
run."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from labs import QUICKSTART, summary, table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script") / "out"
    done = subprocess.run(
        [Path(os.environ["ESX_NETFLOW_BUILD"]) / "esx-results", f"--output={folder}"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_it_has_the_files_of_a_run(folder, esx_netflow, tmp_path):
    assert esx_netflow("run", QUICKSTART, "-q", "-o", tmp_path / "out", "--captures").returncode == 0
    named = {name: re.sub(r"-\d+\.pcap$", ".pcap", name) for name in os.listdir(folder)}
    assert {name for name in os.listdir(tmp_path / "out") if name.endswith((".csv", ".json"))} == {
        name for name in named if name.endswith((".csv", ".json"))
    }
    assert {"esx1.vmkernel.log", "esx1.esxtop.txt", "collector.pcap", "esx1-vSwitch0.pcap"} <= {*named, *named.values()}
    assert not (folder / "resolved.yaml").exists()
    for name in ("flows-truth.csv", "records.csv", "links.csv"):
        assert table(folder, name) and [*table(folder, name)[0]] == [*table(tmp_path / "out", name)[0]]
    assert {**summary(tmp_path / "out"), **summary(folder)}.keys() == summary(folder).keys()


def test_verify_agrees(folder, esx_netflow):
    done = esx_netflow("verify", folder)
    assert done.returncode == 0 and done.stdout.endswith("; 0 disagreements\n"), done.stdout
    assert re.search(r"oracle: [1-9]\d* packets", done.stdout), done.stdout


def test_explain_knows_names_and_where_a_record_died(folder, esx_netflow):
    assert summary(folder)["ledger"]["lost"]["device_queue"]["records"] > 0
    done = esx_netflow("explain", folder, "--flow", "web->app", "--lost", "--limit", "1")
    assert done.returncode == 0 and "10.0.0.11:" in done.stdout, done.stderr
    assert re.search(r"datagram \d+ lost on (\S+ at )?esx1: device_queue", done.stdout), done.stdout


def test_talkers_counts_the_guests_at_home(folder, esx_netflow):
    told = json.loads(esx_netflow("talkers", folder, "--format", "json").stdout)
    assert [vm["name"] for vm in told["vms"]] == ["web", "app"] and all(
        vm["octets_out"]["truth"] > 0 for vm in told["vms"]
    )
    sent = sum(int(row["octets"]) for row in table(folder, "flows-truth.csv") if row["src"] == "10.0.0.11")
    assert told["vms"][0]["octets_out"]["truth"] == sent


def test_report_draws_it(folder, esx_netflow):
    done = esx_netflow("report", folder)
    assert done.returncode == 0, done.stderr
    page = (folder / "report.html").read_text()
    assert "<h1>out</h1>" in page and page.count("<svg") > 5 and "collector-link" in page


def test_a_lab_that_is_none_is_named(folder, esx_netflow, tmp_path):
    text = (folder / "lab.json").read_text()
    for broken in (text[: len(text) // 2], "[]", "{}", text.replace("lab 1", "lab 0")):
        (folder / "lab.json").write_text(broken)
        try:
            for reader in (("explain", folder, "--flow", "*->*"), ("talkers", folder), ("report", folder)):
                done = esx_netflow(*reader)
                assert done.returncode == 2 and "lab.json: is no description of a lab of this version" in done.stderr, (
                    broken
                )
        finally:
            (folder / "lab.json").write_text(text)
