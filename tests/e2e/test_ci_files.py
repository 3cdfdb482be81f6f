# SPDX-License-Identifier: GPL-2.0-only
"""The CI files that docs/ci.md and .github offer: valid YAML, and commands that exist with the options they are given."""
import re
import shlex
from pathlib import Path

import pytest
import yaml
from labs import lab, write

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text()
WORKFLOW = ROOT / ".github" / "workflows" / "esx-netflow.yml"
GITHUB, GITLAB = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def steps_of(workflow: dict) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def lines_of(name: str) -> list[str]:
    if name == "gitlab":
        return yaml.safe_load(GITLAB)["labs"]["script"]
    if name == "page":
        return [line for block in SHELL for line in block.splitlines()]
    return steps_of(yaml.safe_load(GITHUB if name == "github" else WORKFLOW.read_text()))


@pytest.mark.parametrize("name", ["workflow", "github", "gitlab", "page"])
def test_commands_are_real(name, esx_netflow, tmp_path):
    """Each 'esx-netflow' line runs a lab with the options of the line; each 'setup' line names a command of the script."""
    (tmp_path / "labs").mkdir()
    write(tmp_path / "labs", lab(duration="4s", stop="3s"))
    ran = 0
    for line in lines_of(name):
        words = shlex.split(line)
        if words[0].endswith("setup"):
            assert re.search(rf"^do_{words[1]}\(\)", (ROOT / "setup").read_text(), re.MULTILINE), line
        elif words[0].endswith("build/esx-netflow"):
            options = [word for word in words[1:] if not word.endswith("*.yaml")]
            if "--check" in options:
                update = [word if word != "--check" else "--update" for word in options]
                assert esx_netflow(*update, "labs/lab.yaml", cwd=tmp_path).returncode == 0
            done = esx_netflow(*options, "labs/lab.yaml", cwd=tmp_path)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            ran += 1
        else:
            assert words[0] in ("apt-get", "cat"), line
    assert ran > 0


@pytest.mark.parametrize("text", [WORKFLOW.read_text(), GITHUB], ids=["workflow", "page"])
def test_github_workflows_have_what_github_wants(text):
    workflow = yaml.safe_load(text)
    assert workflow[True] == ["push", "pull_request"]  # YAML 1.1 reads the key `on` so
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps"} <= set(job)
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


def test_gitlab_shows_the_junit_file_that_the_command_writes():
    job = yaml.safe_load(GITLAB)["labs"]
    junit = job["artifacts"]["reports"]["junit"]
    assert any(f"--junit {junit}" in line for line in job["script"])
