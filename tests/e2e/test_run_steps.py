# SPDX-License-Identifier: GPL-2.0-only
"""run: console lines of the timeline are judged by their 'expect'; editions and strict hosts refuse what is
documented."""

import re
from xml.etree import ElementTree

import pytest
from labs import lab, summary, write

LOADED = "  - {{at: 100ms, host: esx1, run: vmkload_mod netflow, expect: {}}}"


def stepped(tmp_path, steps: list[str], expects: bool = True, **more):
    """The lab of one host, its timeline replaced; what meters nothing can expect nothing of the books."""
    text = lab(**more)
    head, tail = text.split("timeline:\n")
    return write(
        tmp_path,
        head + "timeline:\n" + "\n".join(steps) + ("\nexpect:" + tail.split("expect:")[1] if expects else "\n"),
    )


def test_lines_that_go_as_expected_are_counted(esx_netflow, tmp_path):
    steps = [
        (
            "  - {at: 1s, host: esx1, run: vmkload_mod netflow, expect: {exit: 0, stdout: ['Using /usr/lib', "
            "succeeded.], stderr: ''}}"
        ),
        (
            "  - {at: 2s, host: esx1, run: vmkload_mod frob, expect: {exit: nonzero, stdout: '', stderr: frob, "
            "running: false}}"
        ),
        (
            "  - {at: 3s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84, expect: "
            "{running: true, exit: 0}}"
        ),
        (
            "  - {at: 4s, host: esx1, session: w, run: vmkload_app -i vmktcp net-netflow -e vSwitch0 10.6.125.84, "
            "expect: {exit: 1}}"
        ),
    ]
    done = esx_netflow("run", stepped(tmp_path, steps, stop="9s"), "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "  4 of 4 console lines went as expected\n" in done.stdout
    result = summary(tmp_path / "out")
    assert [step["pass"] for step in result["steps"]] == [True] * 4
    assert result["steps"][1]["exit"] != 0 and result["steps"][1]["missed"] == []
    assert result["steps"][2]["running"] is True and result["verdict"] == "pass"


@pytest.mark.parametrize(
    "expect, missed",
    [
        ("{exit: nonzero}", "exit status 0, wanted any but 0"),
        ("{exit: 3}", "exit status 0, wanted 3"),
        ("{stdout: failed}", "standard output lacks 'failed'"),
        ("{stderr: [Using]}", "standard error lacks 'Using'"),
        ("{stdout: ''}", "standard output is not empty"),
        ("{running: true}", "nothing runs on, wanted something that does"),
    ],
)
def test_a_line_that_fails_is_told_with_what_was_printed(esx_netflow, tmp_path, expect, missed):
    scenario = stepped(tmp_path, [LOADED.format(expect)])
    done = esx_netflow("run", scenario, "--out", tmp_path / "out")
    printed = "standard output: 'Using /usr/lib/vmware/vmmod/netflow\\nModule load of netflow succeeded.\\n'"
    assert done.returncode == 1
    assert f"{scenario}:" in done.stderr and f"timeline[0].expect: {missed}; {printed}\n" in done.stderr
    assert f"  FAILED  0.1 s, esx1: vmkload_mod netflow\n          {missed}; {printed}\n" in done.stdout
    result = summary(tmp_path / "out")
    assert result["verdict"] == "fail" and result["steps"][0]["missed"] == [missed]


def test_a_line_in_the_foreground_is_judged_when_it_ends(esx_netflow, tmp_path):
    steps = [
        "  - {at: 1s, host: esx1, run: vmkload_mod netflow}",
        (
            "  - {at: 2s, host: esx1, run: vmkload_app -i vmktcp net-netflow -e vSwitch0 10.6.125.84, expect: {exit: "
            "130, running: true}}"
        ),
        "  - {at: 3s, host: esx1, run: echo another window, expect: {exit: 0, stdout: another}}",
        "  - {at: 9s, host: esx1, session: mine, press: ctrl-c}",
        "  - {at: 10s, host: esx1, session: mine, run: vmkload_mod -u netflow, expect: {exit: nonzero}}",
    ]
    interrupt = "  - {at: 11s, host: esx1, session: mine2, run: echo x}\n  - {at: 12s, host: esx1, press: ctrl-c}"
    done = esx_netflow("run", stepped(tmp_path, [*steps, interrupt]), "--out", tmp_path / "out")
    # The window in which a line was typed last is that of 'echo another window', so net-netflow runs on.
    assert done.returncode == 1 and "no exit status: it has not ended, wanted 130" in done.stdout
    named = [step.replace("run: vmkload_app", "session: fg, run: vmkload_app") for step in steps]
    named.append("  - {at: 12s, host: esx1, session: fg, press: ctrl-c}")
    done = esx_netflow("run", stepped(tmp_path, named), "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, ""), done


def test_lines_typed_ahead_wait_and_a_closed_session_takes_none(esx_netflow, tmp_path):
    steps = [
        "  - {at: 1s, host: esx1, session: a, run: vmkping -c 2 10.6.125.84, expect: {exit: 0, running: true}}",
        "  - {at: 1s, host: esx1, session: a, run: echo later, expect: {exit: 0, stdout: later}}",
        "  - {at: 8s, host: esx1, session: a, press: ctrl-d}",
        "  - {at: 9s, host: esx1, session: a, run: echo never, expect: {exit: nonzero, stdout: '', stderr: over}}",
    ]
    done = esx_netflow("run", stepped(tmp_path, steps, expects=False), "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, ""), done


def test_esx3i_refuses_netflow(esx_netflow, tmp_path):
    scenario = stepped(tmp_path, [LOADED.format("{exit: nonzero, stderr: 3i}")], expects=False)
    scenario.write_text(scenario.read_text().replace("  esx1:\n", "  esx1:\n    edition: esx3i\n"))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert summary(tmp_path / "out")["hosts"][0]["edition"] == "esx3i"


def test_a_strict_host_refuses_a_second_instance(esx_netflow, tmp_path):
    steps = [
        LOADED.format("{exit: 0}"),
        (
            "  - {at: 1s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84, expect: "
            "{exit: 0}}"
        ),
        (
            "  - {at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e other 10.6.125.84, expect: {exit: "
            "nonzero, running: false}}"
        ),
    ]
    text = (
        stepped(tmp_path, steps).read_text().replace("vswitches: {", "vswitches: {other: {portgroups: {Other: {}}}, ")
    )
    strict = write(tmp_path, text.replace("run: {", "run: {strict: true, ", 1))
    done = esx_netflow("run", strict, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, ""), done
    loose = write(tmp_path, text)
    assert esx_netflow("run", loose, "--out", tmp_path / "out").returncode == 1


DELETION = [
    LOADED.format("{exit: 0}"),
    (
        "  - {at: 1s, host: esx1, may_be_idle: true, run: vmkload_app -S -i vmktcp net-netflow -e other 10.6.125.84, "
        "expect: {exit: 0}}"
    ),
    (
        "  - {at: 2s, host: esx1, run: esxcfg-vswitch -d other, expect: {exit: 0, stderr: "
        "may cause ESX Server to become unstable}}"
    ),
]


def deletion(tmp_path, netflow: str, *after: str):
    text = (
        stepped(tmp_path, [*DELETION, *after])
        .read_text()
        .replace("vswitches: {", "vswitches: {other: {portgroups: {Other: {}}}, ")
    )
    return write(tmp_path, text.replace("netflow: {", "netflow: {" + netflow))


def test_a_host_whose_monitored_switch_is_deleted_is_marked_unstable(esx_netflow, tmp_path):
    done = esx_netflow(
        "run",
        deletion(tmp_path, "", "  - {at: 3s, host: esx1, run: ps, expect: {exit: 0, stdout: net-netflow}}"),
        "--out",
        tmp_path / "out",
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    (host,) = summary(tmp_path / "out")["hosts"]
    assert (host["unstable"], host["halted"]) == (True, False)
    assert "  esx1 may be unstable: a virtual switch with NetFlow activated was deleted\n" in done.stdout


def test_halt_on_delete_halts_the_host(esx_netflow, tmp_path):
    after = "  - {at: 3s, host: esx1, run: ps, expect: {exit: nonzero, stderr: esx1 has halted}}"
    done = esx_netflow("run", deletion(tmp_path, "halt_on_delete: true, ", after), "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, ""), done
    (host,) = summary(tmp_path / "out")["hosts"]
    assert (host["unstable"], host["halted"]) == (True, True)
    assert "  esx1 halted: " in done.stdout and "host halted" in (tmp_path / "out" / "esx1.vmkernel.log").read_text()


def test_another_host_is_not_marked(esx_netflow, tmp_path):
    done = esx_netflow("run", stepped(tmp_path, [LOADED.format("{exit: 0}")]), "--out", tmp_path / "out")
    assert done.returncode == 0 and "unstable" not in done.stdout
    assert [(host["unstable"], host["halted"]) for host in summary(tmp_path / "out")["hosts"]] == [(False, False)]


def test_metering_delay_makes_answers_late(esx_netflow, tmp_path):
    """ "overall performance of the ESX Server host may be affected": a ping inside the host takes longer."""
    times = []
    for netflow in ("", "metering_delay: 1ms, "):
        steps = [
            LOADED.format("{exit: 0}"),
            (
                "  - {at: 1s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84, expect: "
                "{exit: 0}}"
            ),
            "  - {at: 10s, host: esx1, id: ping, run: vmkping -c 3 10.6.125.84, expect: {exit: 0}}",
        ]
        scenario = stepped(tmp_path, steps)
        scenario.write_text(scenario.read_text().replace("netflow: {", "netflow: {" + netflow))
        assert esx_netflow("run", scenario, "--out", tmp_path / "out").returncode == 0
        log = (tmp_path / "out" / "esx1.console.log").read_text()
        times.append([float(ms) for ms in re.findall(r" time=([0-9.]+) ms", log)])
    assert len(times[0]) == len(times[1]) == 3
    later = [round(slow - fast, 3) for fast, slow in zip(*times)]
    # The request and its answer cross vSwitch0; so do ARP before the first, and export datagrams with the third.
    assert later[1] == 2 and min(later) >= 2 and max(later) < 7


def test_junit_and_markdown_have_the_console_lines(esx_netflow, tmp_path):
    scenario = stepped(
        tmp_path, [LOADED.format("{exit: 0}"), "  - {at: 2s, host: esx1, run: vmkload_mod frob, expect: {exit: 0}}"]
    )
    done = esx_netflow(
        "run",
        scenario,
        "--out",
        tmp_path / "out",
        "--junit",
        tmp_path / "junit.xml",
        "--summary-md",
        tmp_path / "summary.md",
    )
    assert done.returncode == 1
    cases = {
        case.get("name"): case.find("failure") for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    }
    assert cases["esx1 at 0.1 s: vmkload_mod netflow"] is None
    assert (
        cases["esx1 at 2 s: vmkload_mod frob"]
        .get("message")
        .startswith("exit status 1, wanted 0; standard error: 'vmkload_mod: no such module")
    )
    assert (
        "- esx1 at 2 s: vmkload\\_mod frob: exit status 1, wanted 0; standard error: "
        in (tmp_path / "summary.md").read_text()
    )
