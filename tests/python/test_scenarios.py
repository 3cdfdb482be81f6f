# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios as Python data: one schema, one validator, nothing lost between file and data."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

import esx_netflow
from conftest import LOSSES, PROGRAM, QUICKSTART
from esx_netflow import Scenario


def small():
    return Scenario(
        name="small",
        run={"duration": "5s"},
        hosts={
            "esx1": {
                "vswitches": {"vSwitch0": {"portgroups": {"VM Network": {}}}},
                "vms": {
                    "a": {"nics": [{"portgroup": "VM Network", "address": "10.0.0.1/24"}]},
                    "b": {"nics": [{"portgroup": "VM Network", "address": "10.0.0.2/24"}]},
                },
            }
        },
        traffic=[{"name": "t", "app": "udp-cbr", "from": "a", "to": "b", "port": 9, "start": "2s", "rate": "64kbps"}],
        timeline=[{"at": "1s", "host": "esx1", "run": "vmkload_mod netflow"}],
    )


@pytest.mark.parametrize("path", [QUICKSTART, LOSSES], ids=lambda p: p.stem)
def test_what_is_saved_is_what_was_loaded(tmp_path, path):
    scenario = Scenario.load(path)
    scenario.save(tmp_path / "same.yaml")
    assert (tmp_path / "same.yaml").read_text() == path.read_text(), "unchanged: comments and all"
    scenario["run.seed"] = 77
    scenario.save(tmp_path / "other.yaml")
    assert Scenario.load(tmp_path / "other.yaml") == scenario != Scenario.load(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.yaml", "same.yaml"]


def test_a_scenario_built_in_python_runs_as_its_file_does(tmp_path):
    scenario = small()
    scenario.save(tmp_path / "small.yaml")
    assert Scenario.load(tmp_path / "small.yaml") == scenario
    built, loaded = esx_netflow.run(scenario), esx_netflow.run(tmp_path / "small.yaml")
    assert built.summary == loaded.summary and built.summary["name"] == "small"
    assert esx_netflow.run(scenario.data).summary == built.summary, "a plain dict does, too"


def test_resolved_is_what_the_command_line_writes(tmp_path):
    subprocess.run([PROGRAM, "run", QUICKSTART, "--out", tmp_path / "out", "--quiet"], check=True)
    resolved = Scenario.load(QUICKSTART).resolved()
    assert resolved.to_yaml() == (tmp_path / "out" / "resolved.yaml").read_text()
    assert resolved.resolved() == resolved


def test_messages_tell_the_line_in_the_file_or_the_part():
    scenario = Scenario.load(QUICKSTART)
    scenario["hosts.esx1.vms.web1.nics[0].portgroup"] = "Elsewhere"
    with pytest.raises(esx_netflow.ScenarioError, match=r"quickstart\.yaml:\d+:\d+: hosts\.esx1\.vms\.web1\.nics\[0\]"):
        scenario.validate()
    built = small()
    built["traffic.t.port"] = 70000
    with pytest.raises(esx_netflow.ScenarioError, match=r"^scenario: traffic\[0\]\.port: "):
        built.validate()


def test_messages_are_the_command_lines(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(QUICKSTART.read_text().replace("10.6.125.51/24", "10.6.125.52/24").replace("port: 22", "prot: 22"))
    printed = subprocess.run([PROGRAM, "validate", path], capture_output=True, text=True)
    with pytest.raises(esx_netflow.ScenarioError) as raised:
        Scenario.load(path).validate()
    assert printed.returncode == 2 and str(raised.value) == printed.stderr.strip()


def test_a_file_that_is_none_gets_the_command_lines_message(tmp_path):
    printed = subprocess.run([PROGRAM, "validate", tmp_path / "no.yaml"], capture_output=True, text=True)
    with pytest.raises(esx_netflow.ScenarioError) as raised:
        Scenario.load(tmp_path / "no.yaml")
    assert str(raised.value) == printed.stderr.strip()


def test_dotted_paths_find_maps_list_items_and_names():
    scenario = Scenario.load(LOSSES)
    assert scenario["links.collector-link.rate"] == scenario["links[3].rate"] == scenario["links.3.rate"] == "100Mbps"
    assert "net-netflow -s 1000" in scenario["timeline.nf1.run"]
    scenario["hosts.esx1.netflow.idle_timeout"] = "5s"
    scenario["hosts.esx2.memory.netflow_heap"] = "2MiB"
    assert scenario.data["hosts"]["esx2"]["memory"] == {"netflow_heap": "2MiB"}
    assert "hosts.esx1.netflow.idle_timeout" in scenario and "hosts.esx3" not in scenario
    del scenario["hosts.esx2.memory"]
    assert "memory" not in scenario.data["hosts"]["esx2"]
    dots = Scenario(hosts={"a.b": {"x": 1}, "a": {"b": {"x": 2}}})
    assert (dots["hosts.a.b.x"], dots["hosts.a"]) == (1, {"b": {"x": 2}})


@pytest.mark.parametrize("path", ["links.nowhere.rate", "links[9].rate", "name.x", "traffic.web.from[5]"])
def test_dotted_paths_that_lead_nowhere_are_refused(path):
    with pytest.raises(KeyError):
        Scenario.load(LOSSES)[path] = 1


def test_numpy_numbers_are_numbers_and_other_objects_are_refused():
    scenario = small()
    scenario["run.seed"] = np.int64(5)
    scenario.validate()
    assert scenario.resolved()["run.seed"] == 5
    for wrong in (object(), float("nan")):
        scenario["run.seed"] = wrong
        with pytest.raises(esx_netflow.ScenarioError):
            scenario.validate()


def test_what_the_command_line_warns_of_is_a_warning():
    scenario = Scenario.load(QUICKSTART)
    scenario["hosts.esx1.vmknics.vmk0.address"] = "10.9.9.9/24"
    scenario["run.duration"] = "3s"
    scenario.data["traffic"], scenario.data["expect"] = [], []
    with pytest.warns(esx_netflow.ScenarioWarning, match="no route from esx1"):
        esx_netflow.run(scenario)


def test_a_varied_scenario_is_another_one():
    scenario = Scenario.load(QUICKSTART)
    other = scenario.varied({"run.seed": 9, "hosts.esx1.netflow.purgatory_max": 64})
    assert other["run.seed"] == 9 and scenario["run.seed"] == 1 and "netflow" not in scenario.data["hosts"]["esx1"]
    assert scenario.to_dot().startswith("graph")


def test_lab_says_what_validate_says_for_programs():
    scenario = Scenario.load(QUICKSTART.parent / "two-hosts.yaml")
    lab = scenario.lab()
    assert lab["exports"][0]["links"] == ["esx1.vmnic0-sw1.1", "collector-link"]
    assert lab["exports"][0]["single_points_of_failure"] == ["esx1.vmnic0-sw1.1", "sw1", "collector-link"]
    assert lab["capacity"] == {"bits_per_s": 100e6, "links": ["collector-link"]}
    assert "forecast" not in lab


def test_a_loop_is_an_error_unless_a_spanning_tree_blocks_it():
    loop = Path(__file__).parent.parent / "data" / "broken-labs" / "loop.yaml"
    scenario = Scenario.load(loop)
    with pytest.raises(esx_netflow.ScenarioError, match="use --spanning-tree"):
        scenario.lab()
    scenario.data["run"]["spanning_tree"] = True
    assert scenario.lab()["blocked"] == ["spare"]
