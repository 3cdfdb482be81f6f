# SPDX-License-Identifier: GPL-2.0-only
"""The CI files that docs/ci.md and .github offer: valid YAML, and commands that exist with the options they are
given."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from labs import lab, write
from probing import Sink

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "ci.md").read_text()
WORKFLOW = ROOT / ".github" / "workflows" / "esx-netflow.yml"
WHEELS = ROOT / ".github" / "workflows" / "wheels.yml"
DOCS = ROOT / ".github" / "workflows" / "docs.yml"
ACTION = yaml.safe_load((ROOT / ".github" / "actions" / "run" / "action.yml").read_text())
TEMPLATE = yaml.safe_load((ROOT / "templates" / "esx-netflow.gitlab-ci.yml").read_text())[".esx-netflow"]
GITHUB, GITLAB = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def steps_of(workflow: dict) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def lines_of(name: str) -> list[str]:
    if name == "page":
        return [line for block in SHELL for line in block.splitlines()]
    return steps_of(yaml.safe_load({"workflow": WORKFLOW, "wheels": WHEELS, "docs": DOCS}[name].read_text()))


@pytest.mark.parametrize("name", ["workflow", "wheels", "docs", "page"])
def test_commands_are_real(name, esx_netflow, tmp_path):
    """Each 'esx-netflow' line runs a lab with the options of the line; each 'setup' line names a command of the
    script."""
    (tmp_path / "labs").mkdir()
    write(tmp_path / "labs", lab(duration="4s", stop="3s"))
    real = 0
    for line in lines_of(name):
        words = shlex.split(line.removeprefix("sudo "))
        if words[0].endswith("setup"):
            assert re.search(rf"^do_{words[1].replace('-', '_')}\(\)", (ROOT / "setup").read_text(), re.MULTILINE), line
            real += 1
        elif words[0].endswith("build/esx-netflow"):
            options = [word for word in words[1:] if not word.endswith("*.yaml")]
            if "--check" in options:
                update = [word if word != "--check" else "--update" for word in options]
                assert esx_netflow(*update, "labs/lab.yaml", cwd=tmp_path).returncode == 0
            done = esx_netflow(*options, *([] if "quickstart" in options else ["labs/lab.yaml"]), cwd=tmp_path)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            real += 1
        else:
            assert words[0] in ("apt-get", "cat", "gh"), line
    assert real > 0


def action_line() -> str:
    (line,) = [step["run"] for step in ACTION["runs"]["steps"] if step.get("run", "").startswith("esx-netflow")]
    return line


def test_action_and_template_run_the_same_line():
    assert TEMPLATE["script"] == [action_line()]


@pytest.mark.parametrize("is_real", [False, True], ids=["simulated", "real"])
def test_the_line_of_action_and_template_runs(is_real, esx_netflow, tmp_path):
    """With a real collector, or none; scenarios by name and by pattern."""
    (tmp_path / "labs").mkdir()
    write(tmp_path / "labs", lab(duration="4s", stop="3s"))
    path = f"{esx_netflow.path.parent}:{os.environ['PATH']}"
    with Sink() as sink:
        settings = {
            "SCENARIOS": "labs/*.yaml quickstart",
            "TO": sink.target if is_real else "",
            "ARGUMENTS": "--quiet",
            "PATH": path,
        }
        done = subprocess.run(
            ["bash", "-euc", action_line()], cwd=tmp_path, env=os.environ | settings, capture_output=True, text=True
        )
        got = sink.payloads()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "junit.xml").is_file() and (tmp_path / "summary.md").is_file()
    assert bool(got) == is_real


def test_the_workflow_for_a_strangers_collector_runs(esx_netflow, tmp_path):
    """With nfcapd as the collector; of the streams those of losses."""
    workflow = yaml.safe_load((ROOT / "templates" / "collector.github.yml").read_text())
    settings = workflow["env"] | {
        "COLLECTOR": "nfcapd -b 127.0.0.1 -p {port} -w {folder}",
        "FORMAT": "nfdump",
        "OPTIONS": "--only loss",
    }
    lines = [line for line in steps_of(workflow) if line.startswith("esx-netflow") or line.startswith("cat")]
    assert len(lines) == 3 and set(re.findall(r"\$(\w+)", " ".join(lines))) <= {*settings, "GITHUB_STEP_SUMMARY"}
    environment = (
        os.environ
        | settings
        | {"PATH": f"{esx_netflow.path.parent}:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    )
    for line in (lines[0].replace('--grade "$OPTIONS"', "").replace("losses lossy-wan", ""), *lines[1:]):
        done = subprocess.run(["bash", "-euc", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "quickstart: pass" in (tmp_path / "summary").read_text()
        and "streams passed" in (tmp_path / "summary").read_text()
    )


@pytest.mark.parametrize(
    "text, known", [(GITHUB, ACTION["inputs"]), (GITLAB, TEMPLATE["variables"])], ids=["github", "gitlab"]
)
def test_what_the_page_sets_exists(text, known):
    (job,) = [job for name, job in (yaml.safe_load(text).get("jobs") or yaml.safe_load(text)).items() if name == "labs"]
    given = job["variables"] if "variables" in job else job["steps"][-1]["with"]
    assert given and set(given) <= set(known)


@pytest.mark.parametrize(
    "text",
    [WORKFLOW.read_text(), WHEELS.read_text(), DOCS.read_text(), GITHUB],
    ids=["workflow", "wheels", "docs", "page"],
)
def test_github_workflows_have_what_github_wants(text):
    workflow = yaml.safe_load(text)
    assert workflow[True]  # YAML 1.1 reads the key `on` so
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps"} <= set(job)
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


def test_gitlab_shows_the_junit_file_that_the_command_writes():
    junit = TEMPLATE["artifacts"]["reports"]["junit"]
    assert any(f"--junit {junit}" in line for line in TEMPLATE["script"])


def test_changes_and_action_name_the_version_of_the_program(esx_netflow):
    version = esx_netflow("--version").stdout.split()[1]
    assert re.search(r"^## v(\S+)", (ROOT / "CHANGES.md").read_text(), re.MULTILINE)[1] == version
    assert set(re.findall(r"actions/run@v([\d.]+)", PAGE)) == {version}
