# SPDX-License-Identifier: GPL-2.0-only
"""Files that come with the package: scenarios by name, notebooks, the oracle."""

import pytest
from conftest import ROOT

import esx_netflow
from esx_netflow import examples


def test_every_scenario_has_a_name_and_a_function():
    assert examples.names() == sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
    for name in examples.names():
        scenario = getattr(examples, name.replace("-", "_"))()
        assert isinstance(scenario, esx_netflow.Scenario) and scenario.name == name
    assert "purgatory_knee" in dir(examples)


def test_an_unknown_one_is_an_attribute_error_that_lists_them():
    with pytest.raises(AttributeError, match="quickstart"):
        examples.no_such


def test_a_scenario_is_loaded_by_its_name_and_a_file_of_that_name_goes_first(tmp_path, monkeypatch):
    assert esx_netflow.Scenario.load("quickstart").data == examples.quickstart().data
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").write_text("name: mine\n")
    assert esx_netflow.Scenario.load("quickstart").name == "mine"
    with pytest.raises(esx_netflow.ScenarioError, match="cannot be opened"):
        esx_netflow.Scenario.load("no-such")


def test_notebooks_are_copied_with_what_they_read_and_nothing_is_overwritten(tmp_path):
    (tmp_path / "notebooks").mkdir()
    mine = tmp_path / "notebooks" / "first-steps.ipynb"
    mine.write_text("mine")
    copies = examples.notebooks(tmp_path)
    assert [path.name for path in copies] == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert mine.read_text() == "mine"
    assert (tmp_path / "notebooks" / "../scenarios/quickstart.yaml").read_bytes() == (
        ROOT / "scenarios/quickstart.yaml"
    ).read_bytes()
    assert (tmp_path / "tests/data/loopback.pcap").is_file()
