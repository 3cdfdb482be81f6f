# SPDX-License-Identifier: GPL-2.0-only
"""console: a prompt on a simulated host, through a real terminal and without one; a record of it gives the same
bytes."""

import os
import re
import signal
import subprocess

import pexpect
import pytest
from labs import contents, summary, table, write
from probing import Sink

LAB = """version: 1
name: rehearsal
run: {duration: 60s}
hosts:
  esx1:
    netflow: {idle_timeout: 2s}
    vswitches:
      vSwitch0: {uplinks: [vmnic0], portgroups: {VM Network: {}, VMkernel: {}}}
      prod1: {portgroups: {Prod: {}}}
      test2: {portgroups: {Test: {}}}
    vmknics: {vmk0: {portgroup: VMkernel, address: 10.6.125.11/24}}
    vms:
      web1: {nics: [{portgroup: VM Network, address: 10.6.125.51/24}]}
      web2: {nics: [{portgroup: VM Network, address: 10.6.125.52/24}]}
      prod-a: {nics: [{portgroup: Prod, address: 10.1.0.1/24}]}
      prod-b: {nics: [{portgroup: Prod, address: 10.1.0.2/24}]}
nodes: {nf1: {kind: collector, address: 10.6.125.84/24, listen: 4242, names: [nf-collector1.mycompany.com]}}
links: [{name: cable, endpoints: [esx1:vmnic0, nf1:eth0]}]
traffic:
  - {name: web, app: tcp-request, from: web1, to: web2, start: 3s, stop: 50s, every: exponential(200ms)}
  - {name: prod, app: udp-cbr, from: prod-a, to: prod-b, start: 3s, stop: 50s}
timeline:
  - {at: 2s, host: esx1, run: vmkload_mod netflow, expect: {exit: 0}}
  - {at: 30s, host: esx1, run: echo the timeline was here}
expect:
  - {name: something arrives, metric: collector.records.received, at_least: 0}
"""
FOREGROUND = (
    "/usr/lib/vmware/bin/vmkload_app -i vmktcp /usr/lib/vmware/bin/net-netflow -v -e vSwitch0,prod1 10.6.125.84:4242"
)
PROMPT = r"\[root@esx1 root\]# "


@pytest.fixture
def scenario(tmp_path):
    return write(tmp_path, LAB)


def typed(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


@pytest.fixture
def terminal(esx_netflow):
    """-> starts the console in a terminal of its own"""
    started = []

    def start(*arguments):
        command = [str(esx_netflow.path), "console", *map(str, arguments)]
        child = pexpect.spawn(command[0], command[1:], encoding="utf-8", timeout=300, dimensions=(40, 200))
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def test_lines_of_a_pipe_give_what_the_prompt_gives(esx_netflow, scenario):
    done = esx_netflow(
        "console",
        scenario,
        input=typed("vmkload_mod netflow", "vmkload_mod -l | grep netflow", "run 30s", "vmkload_mod frob"),
    )
    assert done.returncode == 0
    assert done.stdout == (
        "Using /usr/lib/vmware/vmmod/netflow\nModule load of netflow succeeded.\n"
        "netflow 0xc2e000 0x6000 0x2bf53a0 0x1000 16 Yes\n"
        "at 30s: 2008-10-26 00:00:30 UTC\n"
    )
    assert "frob" in done.stderr and "#" not in done.stdout


def test_ctrl_c_interrupts_the_foreground(esx_netflow, scenario):
    lines = [
        "vmkload_mod netflow",
        FOREGROUND,
        "run 10s",
        "echo typed ahead is forgotten",
        "^C",
        "echo status $?",
        "vmkload_mod -u netflow",
    ]
    done = esx_netflow("console", scenario, input=typed(*lines))
    assert "forgotten" not in done.stdout and "status 130\n" in done.stdout
    assert "unloaded" in done.stdout, done  # nothing is registered any more


@pytest.mark.parametrize("own", [[], ["--timeline"]], ids=["alone", "with the timeline"])
def test_a_record_gives_the_same_bytes(esx_netflow, scenario, tmp_path, own):
    lines = [
        "run 1s",
        "true" if own else "vmkload_mod netflow",
        "run 1s",
        FOREGROUND,
        "run 10s",
        "^C",
        "run 5s",
        "",
        "echo 'two",
        "lines' | grep two",
        "false",
    ]
    lines += [
        "vmkload_app -S -i vmktcp net-netflow -p -e prod1 nf-collector1.mycompany.com:4242",
        "run 20s",
        "ps",
        "exit",
    ]
    record, first, again = tmp_path / "record.yaml", tmp_path / "console", tmp_path / "again"
    done = esx_netflow("console", scenario, *own, "--record", record, "--out", first, input=typed(*lines))
    assert done.returncode == 0, done
    run = esx_netflow("run", record, "--out", again)
    assert run.returncode == 0, run
    assert "console lines went as expected" in run.stdout and "FAILED" not in run.stdout
    assert table(first, "flows-collected.csv")
    assert contents(first) == contents(again)
    log = (again / "esx1.console.log").read_text()
    for line in done.stdout.splitlines():
        assert line.startswith("at ") or line in log
    assert ("the timeline was here" in log) == bool(own)
    assert summary(again)["end_ns"] == 37 * 10**9


def test_the_tab_key_completes_words(terminal, scenario):
    child = terminal(scenario)
    child.timeout = 60
    child.expect(r"Tab completes words.*0s " + PROMPT)
    child.send("vmkl\tm\tnetf\t\r")
    child.expect("Module load of netflow succeeded")
    child.expect(PROMPT)
    child.send("esx\t")
    child.expect(r"esxcfg-vswitch  esxcfg-vmknic  esxcfg-nics  esxtop\r+\n")
    child.send("t\t-h | hea\t-n 1\r")  # behind a pipe stands a command again
    child.expect("usage: esxtop")
    child.expect(PROMPT)
    child.send("vmkload_app -S -i vmk\tnet-\t-e vS\t nf-c\t\r")
    child.expect(PROMPT)
    child.send("ps | grep netflow\r")
    child.expect("net-netflow -e vSwitch0 nf-collector1.mycompany.com")
    child.send("nothing_begins_so\t\r")
    child.expect("command not found")


def test_how_time_passes_is_said_when_a_command_waits(terminal, scenario, esx_netflow):
    child = terminal(scenario)
    child.expect(PROMPT)
    child.send("vmkload_mod netflow\r")
    child.expect(PROMPT)
    child.send(FOREGROUND + "\r")
    child.expect(r"time stands still until you let it pass: 'run 30s'; Ctrl-C ends it\)\r\n0s \(running\) > ")
    child.send("run 3s\r")
    child.expect(r"at 3s: .*3s \(running\) > ")
    child.send("\x03")
    child.expect("3s " + PROMPT)
    piped = esx_netflow("console", scenario, input=typed("vmkload_mod netflow", FOREGROUND, "run 3s", "^C"))
    assert piped.returncode == 0 and "stands still" not in piped.stdout, "a pipe gets what a run prints"


def test_the_timelines_expectations_give_the_exit_code(esx_netflow, scenario, tmp_path):
    wrong = write(tmp_path, LAB.replace("{exit: 0}", "{exit: 5}"), "wrong.yaml")
    assert esx_netflow("console", wrong, "--timeline", input="run 5s\n").returncode == 1
    assert esx_netflow("console", wrong, input="run 5s\n").returncode == 0


def test_with_the_timeline_a_second_run_judges_determinism(esx_netflow, tmp_path):
    scenario = write(tmp_path, LAB + "  - {name: again, check: deterministic}\n")
    lines = typed("run 3s", "vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:4242", "run 20s", "exit")
    done = esx_netflow("console", scenario, "--timeline", "--out", tmp_path / "out", input=lines)
    assert (done.returncode, done.stderr) == (0, ""), done
    verdict = summary(tmp_path / "out")["expectations"][-1]
    assert (verdict["name"], verdict["measured"], verdict["pass"]) == ("again", 0, True)
    assert not list(tmp_path.glob("out?*"))  # of the second run
    done = esx_netflow("console", scenario, "--timeline", input=lines)
    assert done.returncode == 0 and "'check: deterministic' was not judged" in done.stderr and "(-o DIR)" in done.stderr


def test_a_session_of_no_time_is_a_scenario(esx_netflow, scenario, tmp_path):
    assert esx_netflow("console", scenario, "--record", tmp_path / "r.yaml", input="echo now\n").returncode == 0
    done = esx_netflow("run", tmp_path / "r.yaml", "--out", tmp_path / "out")
    assert done.returncode == 0 and "now" in (tmp_path / "out" / "esx1.console.log").read_text()


def test_what_no_scenario_can_hold_is_not_recorded(esx_netflow, scenario, tmp_path):
    arguments = [esx_netflow.path, "console", scenario, "--record", tmp_path / "r.yaml"]
    done = subprocess.run(arguments, input=b"echo \xff\xfe\necho \x00\necho good\n", capture_output=True, timeout=300)
    assert done.returncode == 0 and done.stderr.count(b"not run: a record holds") == 1, done
    assert esx_netflow("run", tmp_path / "r.yaml", "--out", tmp_path / "out").returncode == 0


def test_any_octets_are_taken(esx_netflow, scenario):
    noise = (
        bytes(range(256)) * 40 + b"\n" + b"'" * 9999 + b"\n" + b"run \xff\nrun\nrun -5s\nrun 5\nrun 1e9s\nrun 5s 6s\n"
    )
    done = subprocess.run([esx_netflow.path, "console", scenario], input=noise, capture_output=True, timeout=300)
    assert done.returncode == 0 and b"terminate" not in done.stderr
    assert done.stderr.count(b"run: how long?") == 0  # the quote is open to the end: all is one command
    done = esx_netflow("console", scenario, input="run\nrun -5s\nrun 5\nrun 99999999999s\nrun 1ms\n")
    assert (
        done.stderr.count("run: how long? A time with its unit") == 4
        and done.stdout == "at 0.001s: 2008-10-26 00:00:00 UTC\n"
    )


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--host", "esx9"], "--host esx9: no such host; did you mean 'esx1'?"),
        (["--to", "nf9=127.0.0.1:2055"], "did you mean 'nf1'?"),
        (["--frob"], "--frob"),
    ],
)
def test_what_is_wrong_is_said(esx_netflow, scenario, arguments, said):
    done = esx_netflow("console", scenario, *arguments, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and said in done.stderr


def test_sigterm_ends_the_session_and_keeps_the_record(esx_netflow, scenario, tmp_path):
    running = esx_netflow.start("console", scenario, "--record", tmp_path / "r.yaml", stdin=subprocess.PIPE)
    running.stdin.write("echo ready\n")
    running.stdin.flush()
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 130
    running.stdin.close()
    assert "echo ready" in (tmp_path / "r.yaml").read_text()


def test_a_terminal_has_a_prompt_with_the_clock_editing_and_history(terminal, scenario):
    child = terminal(scenario)
    child.expect(
        "The service console of esx1 at 0 s. 'run 30s' lets time pass; Tab completes words, Ctrl-D ends the session."
    )
    child.expect("0s " + PROMPT)
    child.sendline("vmkload_mod netfloww\x7f")  # backspace
    child.expect("Module load of netflow succeeded.\r\n")
    child.expect("0s " + PROMPT)
    child.sendline("run 90s")
    child.expect("at 90s: 2008-10-26 00:01:30 UTC\r\n")
    child.expect("90s " + PROMPT)
    child.send("\x1b[A\x1b[A\r")  # cursor up twice: vmkload_mod again
    child.expect("vmkload_mod: .*\r\n")
    child.expect("90s " + PROMPT)
    child.send("half a line\x03")
    child.expect(r"\^C\r\n.*90s " + PROMPT)
    child.sendline("echo 'two")
    child.expect("> ")
    child.sendline("lines'")
    child.expect_exact("two\\x0alines\r\n")
    child.expect("90s " + PROMPT)
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0


def test_in_a_terminal_ctrl_c_interrupts_run_and_foreground(terminal, scenario):
    child = terminal(scenario)
    child.expect("0s " + PROMPT)
    child.sendline("vmkload_mod netflow")
    child.expect("0s " + PROMPT)
    child.sendline(FOREGROUND)
    child.expect(r"0s \(running\) > ")
    child.sendline("run 10s")
    child.expect("vSwitch 1: sequence 0, ")  # -v tells of the flows
    child.expect(r"10s \(running\) > ")
    child.send("\x03")
    child.expect(r"\^C\r\n")
    child.expect("10s " + PROMPT)
    child.sendline("run 999999s")
    child.send("\x03")
    child.expect("at [0-9.]+s: ")
    child.expect(PROMPT)
    child.sendline("exit")
    child.expect(pexpect.EOF)


def test_in_real_time_time_passes_at_the_prompt(terminal, scenario, tmp_path):
    record = tmp_path / "live.yaml"
    with Sink() as sink:
        child = terminal(scenario, "--realtime", "--to", sink.target, "--record", record, "--out", tmp_path / "live")
        child.expect("Time passes as outside")
        child.expect(PROMPT)
        child.sendline("vmkload_mod netflow")
        child.expect(PROMPT)
        child.sendline(FOREGROUND)
        child.expect("vSwitch 1: sequence 0, ")  # flows are told of while nothing is typed
        assert sink.wait(60)
        child.send("\x03")
        child.expect(PROMPT)
        child.send("\x04")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0 and sink.payloads()
    assert len(re.findall(r"at: ", record.read_text())) >= 4


def test_what_happened_live_is_recorded_to_the_byte(terminal, esx_netflow, scenario, tmp_path):
    child = terminal(scenario, "--realtime", "--record", tmp_path / "live.yaml", "--out", tmp_path / "live")
    child.expect(PROMPT)
    child.sendline("vmkload_mod netflow")
    child.expect(PROMPT)
    child.sendline("vmkping -c 2 10.6.125.84")
    child.expect("packet loss")
    child.expect(PROMPT)
    child.sendline("exit")
    child.expect(pexpect.EOF)
    done = esx_netflow("run", tmp_path / "live.yaml", "--out", tmp_path / "again")
    assert done.returncode == 0, done
    assert contents(tmp_path / "live") == contents(tmp_path / "again")


def test_real_time_without_a_terminal(esx_netflow, scenario):
    done = esx_netflow("console", scenario, "--realtime", input="vmkload_mod netflow\nrun 300ms\nps\n")
    assert done.returncode == 0 and re.search(r"^at 0\.[3-9]\d*s: ", done.stdout, re.MULTILINE)


def test_locale_does_not_matter(esx_netflow, scenario):
    environment = {**os.environ, "LC_ALL": "C", "TZ": "Asia/Kathmandu"}
    done = esx_netflow("console", scenario, input="echo ä\nrun 1s\n", env=environment)
    assert done.stdout == "ä\nat 1s: 2008-10-26 00:00:01 UTC\n"
