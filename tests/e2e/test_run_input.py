# SPDX-License-Identifier: GPL-2.0-only
"""run, validate and dot over what is wrong: a clear error, no result, no crash."""

import pytest
from labs import QUICKSTART, SCENARIOS, contents, lab, summary, table, write

WRONG = {
    "metric: netflow.records.droped, equals: 0": "did you mean 'netflow.records.dropped'?",
    "metric: netflow.records.dropped, cause: gremlins, equals: 0": "purgatory_full",
    "metric: netflow.packets.metered, cause: idle, equals: 0": "has no causes",
    "check: gremlins": "conservation",
}


@pytest.mark.parametrize("expectation", WRONG)
@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_wrong_expectation_is_refused_with_its_place(esx_netflow, tmp_path, command, expectation):
    scenario = write(tmp_path, lab(expect=f"  - {{name: wrong, {expectation}}}"))
    done = esx_netflow(command, scenario, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{scenario}:" in done.stderr and "expect[1]" in done.stderr and WRONG[expectation] in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["run", "validate", "dot"])
def test_what_is_no_scenario_is_refused(esx_netflow, tmp_path, command):
    for what in (
        tmp_path / "missing.yaml",
        tmp_path,
        write(tmp_path, "", "empty.yaml"),
        write(tmp_path, "a: [", "cut.yaml"),
    ):
        done = esx_netflow(command, what, cwd=tmp_path)
        assert done.returncode == 2 and str(what) in done.stderr, what
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_result_is_not_replaced(esx_netflow, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_text("meow")
    done = esx_netflow("run", write(tmp_path, lab()), "--out", photos)
    assert done.returncode == 2 and "neither empty nor a result folder" in done.stderr
    assert contents(photos) == {"cat.jpg": b"meow"}


def test_an_earlier_result_is_replaced_as_a_whole(esx_netflow, tmp_path):
    scenario, out = write(tmp_path, lab()), tmp_path / "out"
    assert esx_netflow("run", scenario, "--out", out, "--captures").returncode == 0
    assert esx_netflow("run", scenario, "--out", out).returncode == 0
    assert not list(out.glob("*.pcap"))


def test_an_unwritable_place_is_refused_before_the_run(esx_netflow, tmp_path):
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "below", "/proc/results"):
        done = esx_netflow("run", QUICKSTART, "--out", out)
        assert done.returncode == 2 and str(out) in done.stderr, out


def test_two_scenarios_of_one_name_are_refused(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    done = esx_netflow("run", scenario, scenario, cwd=tmp_path)
    assert done.returncode == 2 and "is named lab, too" in done.stderr
    assert (tmp_path / "out" / "lab" / "summary.json").exists()


def test_a_wrong_scenario_does_not_stop_the_others(esx_netflow, tmp_path):
    done = esx_netflow("run", tmp_path / "missing.yaml", write(tmp_path, lab()), cwd=tmp_path)
    assert done.returncode == 2
    assert summary(tmp_path / "out" / "lab")["verdict"] == "pass"


@pytest.mark.parametrize(
    "option", [("--seed", "0"), ("--seed", "-1"), ("--seed", "x"), ("--to-rate", "-5"), ("--to", "127.0.0.1:0")]
)
def test_wrong_options_are_refused(esx_netflow, tmp_path, option):
    done = esx_netflow("run", QUICKSTART, *option, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr
    assert not (tmp_path / "out").exists()


def test_a_lab_without_a_way_to_the_collector_runs_and_says_so(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab().replace("  - {name: collector-link, endpoints: [nf1:eth0, sw1:1]}\n", ""))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "warning" in done.stderr and "no link is at nf1:eth0" in done.stderr
    result = summary(tmp_path / "out")
    assert result["ledger"]["collected"]["records"] == 0 and (result["ledger"]["lost"] or result["ledger"]["left"])
    assert esx_netflow("validate", scenario).returncode == 2


def test_a_console_line_that_fails_is_told(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab().replace("-e vSwitch0", "-e vSwitch9"))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out")
    assert "timeline[1]: exit status" in done.stderr and "vSwitch9" in done.stderr
    assert table(tmp_path / "out", "flows-exported.csv") == []


def test_a_loop_is_refused(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab().replace("links:\n", "links:\n  - {name: loop, endpoints: [sw1:8, sw1:9]}\n"))
    for command in ("run", "validate"):
        done = esx_netflow(command, scenario, cwd=tmp_path)
        assert done.returncode == 2 and "loop" in done.stderr
    assert not (tmp_path / "out").exists()


def test_validate_says_valid_and_how_the_way_goes(esx_netflow):
    done = esx_netflow("validate", QUICKSTART)
    assert (done.returncode, done.stderr) == (0, "")
    assert "esx1:vmk0 reaches nf-collector1" in done.stdout and done.stdout.endswith(f"{QUICKSTART}: valid\n")


def test_every_scenario_of_ours_is_valid(esx_netflow):
    scenarios = sorted(SCENARIOS.glob("*.yaml"))
    done = esx_netflow("validate", *scenarios)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": valid\n") == len(scenarios) > 0


def test_dot_prints_a_graph(esx_netflow):
    done = esx_netflow("dot", QUICKSTART)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(("digraph", "graph")) and "collector-link" in done.stdout
