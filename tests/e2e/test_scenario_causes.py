# SPDX-License-Identifier: GPL-2.0-only
"""Each scenario fails when the cause of what it expects is removed.

A change is a piece of the scenario's text and what replaces it everywhere (all lines with the piece go if that is None).
"""
import pytest
from labs import SCENARIOS, summary

CHANGES = [
    # scenario, what is removed, [(piece, replacement)], an expectation that must fail
    ("purgatory-knee", "the load", [("every: 1ms, together: 6", "every: 1ms, together: 4")], "of 6000 a second 1904 are lost"),
    ("purgatory-knee", "the bound", [("netflow: {purgatory_policy: HeadDrop}", "netflow: {purgatory_max: 8192}")], "of 6000 a second 1904 are lost"),
    ("poll-period", "the short period", [("-s 100 ", "-s 1000 ")], "at -s 100 nothing is lost"),
    ("poll-period", "the coarse scan", [("netflow: {scan_interval: 1s}", "netflow: {}")], "and -s changes nothing"),
    ("memory-pressure", "the growing VM", [("grow: {", None)], "DropNew sheds packets of new flows"),
    ("memory-pressure", "the policy", [("cache_policy: EvictOldest}", "cache_policy: DropNew}")], "EvictOldest sheds nothing"),
    ("syn-flood", "the slow link", [("rate: 64kbps, queue: 10p", "rate: 100Mbps, queue: 1000p")], "first the export link binds"),
    ("syn-flood", "the bound of the purgatory", [("purgatory_max: 1024", "purgatory_max: 8192")], "then the purgatory"),
    ("syn-flood", "the bound of the heap", [("netflow_heap: 1MiB", "netflow_heap: 4MiB")], "then the heap"),
    ("congested-collector-link", "the cross traffic", [("name: cross,", None)], "beside the bursts it does not"),
    ("collector-down-and-back", "the process's absence", [("node: nf1, down: true", None)], "a process that is down refuses"),
    ("collector-down-and-back", "the cut", [("link: collector-link, down: true", None)], "a cut cable swallows"),
    ("lossy-wan", "the loss", [("loss: 0.2", "loss: 0"), ("loss: 0.05", "loss: 0")], "20 % of the octets"),
    ("lossy-wan", "the heavy tail", [("flow_packets: pareto(1 0.9)", "flow_packets: 2")], "but not of the octets"),
    ("reordering", "the reordering", [("reorder: 0.2", "reorder: 0")], "the collector sees gaps"),
    ("reordering", "the duplication", [("duplicate: 0.05", "duplicate: 0")], "it counts more records than were sent"),
    ("uptime-wrap", "the uptime", [("uptime_at_start: 4294920s", "uptime_at_start: 0s")], "records wrap"),
    ("elephant", "the octets", [("flow_packets: 500000", "flow_packets: 400000")], "the record was split"),
    ("self-metering", "the metering of own export", [("    vswitches:", "    netflow: {meter_own_export: false}\n    vswitches:")], "the loop goes on"),
    ("many-vswitches", "a vSwitch", [(",vSwitch126 ", " ")], "127 vSwitches have 100 flows each"),
    ("active-timeout-artifacts", "the long flows", [("flow_duration: 900s", "flow_duration: 200s")], "300 s cut each flow twice"),
    ("active-timeout-artifacts", "the shorter timeout", [("netflow: {active_timeout: 60s}", "netflow: {}")], "60 s cut it fourteen times"),
    ("active-timeout-artifacts", "the pauses", [("flow_duration: 180s", "flow_duration: 90s")], "each pause ends a record"),
    ("cisco-active-flows", "the limit of the heap", [("  default65k:", "  default65k:\n    memory: {netflow_heap: 8MiB}")], "the rest is shed"),
    ("cisco-active-flows", "the number of flows", [("flows: 45000", "flows: 40000")], "45 000 active flows"),
    ("kandula-imc09", "the shorter timeout", [("netflow: {active_timeout: 60s}", "netflow: {}")], "at 60 s many are"),
    ("kandula-imc09", "the short flows", [("10s=0.8 200s=0.999", "10s=0.2 200s=0.5")], "at 300 s hardly a flow is split"),
    ("trammell-pam11", "the zeroed field", [("netflow: {zero_unix_nsecs: true}", "netflow: {}")], "unix_nsecs zeroed"),
    ("trammell-pam11", "the exact field", [("  exact:", "  exact:\n    netflow: {zero_unix_nsecs: true}")], "both clocks together"),
    ("losses", "the scan", [("name: scan, app:", None)], "the scan overruns the purgatory"),
    ("losses", "the squeeze", [("set: {rate: 8kbps, queue: 5p}", None), ("link: collector-link, down: true", None)], "export loss while squeezed"),
]  # fmt: skip


def changed(text: str, changes) -> str:
    for piece, replacement in changes:
        assert piece in text, f"the scenario has no {piece!r}"
        if replacement is None:
            text = "".join(line for line in text.splitlines(True) if piece not in line)
        else:
            text = text.replace(piece, replacement)
    return text


@pytest.mark.parametrize("name, what, changes, expectation", CHANGES, ids=[f"{c[0]}-{c[1].replace(' ', '_')}" for c in CHANGES])
def test_without_its_cause_the_expectation_fails(esx_netflow, tmp_path, name, what, changes, expectation):
    path = tmp_path / "changed.yaml"
    path.write_text(changed((SCENARIOS / f"{name}.yaml").read_text(), changes))
    done = esx_netflow("run", path, "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 1, done
    failed = {e["name"] for e in summary(tmp_path / "out")["expectations"] if not e["pass"]}
    assert expectation in failed, failed


def test_every_scenario_of_losses_is_in_the_table():
    without = {"quickstart"}
    missing = {path.stem for path in SCENARIOS.glob("*.yaml")} - {change[0] for change in CHANGES} - without
    assert not missing
