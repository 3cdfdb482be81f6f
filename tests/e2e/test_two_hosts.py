# SPDX-License-Identifier: GPL-2.0-only
"""scenarios/two-hosts.yaml: each expectation holds for its named cause, and fails when that cause is taken away."""

import pytest
import yaml
from labs import SCENARIOS, summary, write

SCENARIO = SCENARIOS / "two-hosts.yaml"
SQUEEZE = "  - {at: 200s, for: 60s, link: collector-link, set: {rate: 4kbps, queue: 5p}}\n"
CUT = "  - {at: 280s, for: 10s, link: collector-link, down: true}\n"
PRESSURE = (
    "  - {at: 170s, for: 20s, host: esx1, memory_pressure: {netflow_heap: 80KiB}} # 64 KiB of it are the purgatory's\n"
)
# expectation -> what is replaced by what. That all is accounted for has no cause that a scenario could take away.
CAUSES = {
    "VLAN 101 reaches the database": [("allowed: [101, 102]", "allowed: [102]")],
    "nothing is lost before the first episode": [
        ("start: 120s, stop: 150s, every: 1ms", "start: 60s, stop: 90s, every: 1ms")
    ],
    "the scan overruns the purgatory": [
        ("start: 120s, stop: 150s, every: 1ms", "start: 120s, stop: 150s, every: 50ms")
    ],
    "pressure sheds packets": [(PRESSURE, "")],
    "export loss while squeezed": [(SQUEEZE, ""), (CUT, "")],
    "the kernel says so": [("purgatory_max: 1024", "purgatory_max: 100000")],
    "-p port ids are unique": [("net-netflow -s 100 -p -e", "net-netflow -s 100 -e")],
}

ENDS = {
    "VLAN 101 reaches the database": "111s",
    "nothing is lost before the first episode": "136s",
    "the scan overruns the purgatory": "171s",
    "pressure sheds packets": "191s",
    "export loss while squeezed": "301s",
    "the kernel says so": "171s",
    "-p port ids are unique": "420s",
}


def without(cause: str) -> str:
    text = SCENARIO.read_text()
    for piece, replacement in CAUSES[cause]:
        assert piece in text
        text = text.replace(piece, replacement)
    text = text.replace("series: {every: 1s}", "series: {every: 0s}")
    return text.replace("duration: 420s", f"duration: {ENDS[cause]}")  # no longer than its own window


def test_every_expectation_has_its_cause():
    expectations = SCENARIO.read_text().split("\nexpect:\n")[1].split("\n\n")[0].splitlines()
    names = {line.split("{name: ")[1].split(", ")[0] for line in expectations}
    assert names == set(CAUSES) | {"every packet is accounted for"}


@pytest.mark.parametrize("cause", CAUSES)
def test_expectation_fails_without_its_cause(esx_netflow, tmp_path, cause):
    done = esx_netflow("run", write(tmp_path, without(cause)), "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 1, done
    failed = [e["name"] for e in summary(tmp_path / "out")["expectations"] if not e["pass"]]
    assert cause in failed


# step of the timeline that is judged -> what is replaced by what in the scenario
STEPS = {
    0: [("  esx1:\n", "  esx1:\n    edition: esx3i\n")],
    1: [("  - {at: 1s, host: esx1, run: vmkload_mod netflow, expect: {stdout: Module load of netflow succeeded.}}\n",
        "  - {at: 1s, host: esx1, run: vmkping 10.6.125.12}\n")],
    2: [("-p -s 1000 -e vSwitch0,prod1", "-p -s 1000 -e vSwitch0,prod2")],
    4: [("net-netflow -e vSwitch9 10", "net-netflow -e vSwitch0 10")],
}  # fmt: skip


def beginning(changes) -> str:
    """The first seconds, without what comes later."""
    text = SCENARIO.read_text()
    for piece, replacement in changes:
        assert piece in text
        text = text.replace(piece, replacement, 1)
    data = yaml.safe_load(text)
    data.update(traffic=[], expect=[], timeline=data["timeline"][:5])
    data["run"]["duration"] = "10s"
    for step in data["timeline"]:
        if "net-netflow" in step["run"]:
            step["may_be_idle"] = True
    return yaml.safe_dump(data, sort_keys=False)


@pytest.mark.parametrize("step", [None, *STEPS])
def test_a_console_line_fails_without_its_cause(esx_netflow, tmp_path, step):
    done = esx_netflow(
        "run", write(tmp_path, beginning(STEPS.get(step, []))), "--out", tmp_path / "out", "--quiet", cwd=tmp_path
    )
    failed = [line for line in done.stderr.splitlines() if "warning" not in line]
    if step is None:
        assert (done.returncode, failed) == (0, [])
    else:
        assert done.returncode == 1 and any(f"timeline[{step}].expect" in line for line in failed), done.stderr


def test_every_judged_console_line_has_its_cause():
    timeline = yaml.safe_load(SCENARIO.read_text())["timeline"]
    assert {i for i, step in enumerate(timeline) if "expect" in step} == set(STEPS)
