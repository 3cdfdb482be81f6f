# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios that come with the program are known by name, and it prints their schema."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_a_scenario_that_comes_along_is_known_by_its_name(esx_netflow, tmp_path):
    done = esx_netflow("run", "quickstart", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and re.search(r"(\d+) of \1 expectations met", done.stdout)
    assert (tmp_path / "out/quickstart/summary.json").is_file()
    for command in ("validate", "dot", "advise"):
        assert esx_netflow(command, "quickstart", cwd=tmp_path).returncode == 0, command


def test_a_file_of_that_name_goes_first_and_a_path_is_a_path(esx_netflow, tmp_path):
    (tmp_path / "quickstart").write_text("mine: 1\n")
    assert "quickstart:1:1: mine" in esx_netflow("validate", "quickstart", cwd=tmp_path).stderr
    assert "./losses.yaml: " in esx_netflow("validate", "./losses.yaml", cwd=tmp_path).stderr
    assert "no-such: " in esx_netflow("validate", "no-such", cwd=tmp_path).stderr


def test_the_schema_is_that_of_the_sources(esx_netflow):
    done = esx_netflow("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads((ROOT / "runner/scenario/scenario.schema.json").read_text())


def test_the_page_of_tables_is_what_the_program_prints(esx_netflow):
    done = esx_netflow("schema", "--tables")
    assert done.returncode == 0
    assert done.stdout == (ROOT / "docs/tables.md").read_text(), "esx-netflow schema --tables > docs/tables.md"


def test_every_table_of_a_folder_has_the_columns_of_the_page(esx_netflow, tmp_path):
    assert esx_netflow("run", "quickstart", "-q", "-o", tmp_path / "out").returncode == 0
    described = {}
    for section in (ROOT / "docs/tables.md").read_text().split("\n## ")[1:]:
        described[section.split("\n", 1)[0]] = [
            line.split("`")[1] for line in section.splitlines() if line.startswith("| `")
        ]
    written = {path.name: path.read_text().split("\n", 1)[0].split(",") for path in (tmp_path / "out").glob("*.csv")}
    assert written == described
