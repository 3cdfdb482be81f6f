# SPDX-License-Identifier: GPL-2.0-only
"""run: nothing passes for having done nothing."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from labs import EXPORT, lab, summary, write
from probing import ClosedPort, Sink

EXPORT1 = EXPORT.format(host="esx1")
LATE = "  - {at: 15s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055}"


def run(esx_netflow, tmp_path, text, *options):
    """-> (process, summary, test cases of JUnit by name, Markdown)"""
    files = ("--junit", tmp_path / "junit.xml", "--summary-md", tmp_path / "summary.md", "--out", tmp_path / "out")
    done = esx_netflow("run", write(tmp_path, text), *files, *options)
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    return done, summary(tmp_path / "out"), cases, (tmp_path / "summary.md").read_text()


def failure_of(case) -> str:
    return case.find("failure").get("message")


def with_steps(*steps, **more) -> str:
    return lab(**more).replace("timeline:\n", "timeline:\n" + "".join(f"  - {{{step}}}\n" for step in steps))


@pytest.mark.parametrize(
    "line",
    [
        "vmkload_mod netflo",
        "vmkload_app -S -i vmktcp net-netflow -e vSwtich0 10.6.125.84:2055",
        "echo one; false",
        "vmkping -c 1 10.6.125.99",
    ],
)
def test_a_line_that_fails_makes_the_run_fail(esx_netflow, tmp_path, line):
    done, result, cases, markdown = run(esx_netflow, tmp_path, with_steps(f"at: 400ms, host: esx1, run: {line}"))
    assert done.returncode == 1 and result["verdict"] == "fail"
    assert "timeline[0]: exit status 1, wanted 0; " in done.stderr
    assert failure_of(cases[f"esx1 at 0.4 s: {line}"]).startswith("exit status 1, wanted 0; ")
    assert "exit status 1, wanted 0" in markdown


@pytest.mark.parametrize(
    "status, verdict", [("any", "pass"), ("nonzero", "pass"), ("1", "pass"), ("0", "fail"), ("2", "fail")]
)
def test_the_exit_status_that_is_wanted_is_that_of_expect(esx_netflow, tmp_path, status, verdict):
    step = "at: 400ms, host: esx1, run: vmkload_mod netflo, expect: {exit: %s}" % status
    done, result, *_ = run(esx_netflow, tmp_path, with_steps(step))
    assert (result["verdict"], done.returncode) == (verdict, int(verdict == "fail"))


def test_an_expect_without_exit_wants_0(esx_netflow, tmp_path):
    step = "at: 400ms, host: esx1, run: vmkload_mod netflo, expect: {stderr: no such module}"
    done, result, *_ = run(esx_netflow, tmp_path, with_steps(step))
    assert done.returncode == 1 and result["steps"][0]["missed"] == ["exit status 1, wanted 0"]


FOREGROUND = (
    "at: 1s, host: esx1, id: fg, session: a, run: vmkload_app -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055"
)


@pytest.mark.parametrize("expect", ["", ", expect: {running: true}"])
@pytest.mark.parametrize(
    "end",
    [
        ["at: 9s, host: esx1, session: a, press: ctrl-c"],
        ["at: 9s, host: esx1, session: a, press: ctrl-d"],
        ["at: 9s, signal: TERM, process: fg"],
        ["at: 9s, host: esx1, run: kill -9 1025"],
        [],
    ],
)
def test_a_line_that_the_scenario_ends_or_that_runs_on_does_not_fail(esx_netflow, tmp_path, end, expect):
    text = with_steps(FOREGROUND + expect, *end).replace(EXPORT1 + "\n", "")
    done, result, *_ = run(esx_netflow, tmp_path, text)
    assert (done.returncode, done.stderr, result["verdict"]) == (0, "", "pass")


@pytest.mark.parametrize(
    "step, what",
    [
        ("at: 30s, host: esx1, run: vmkload_mod -l", "it never happened: the run ended before"),
        (
            "at: 30s, host: esx1, run: vmkload_mod -l, expect: {stdout: netflow}",
            "it never happened: the run ended before",
        ),
        ("at: 2s, host: esx1, session: a, run: echo x", "it never ran: its session was busy, or over"),
    ],
)
def test_a_line_that_never_ran_fails(esx_netflow, tmp_path, step, what):
    done, result, *_ = run(esx_netflow, tmp_path, with_steps(FOREGROUND, step).replace(EXPORT1 + "\n", ""))
    assert done.returncode == 1
    assert [step["missed"] for step in result["steps"] if not step["pass"]] == [[what]]


def test_a_signal_to_a_process_that_does_not_run_fails(esx_netflow, tmp_path):
    steps = [FOREGROUND, "at: 3s, signal: TERM, process: fg", "at: 4s, signal: TERM, process: fg"]
    text = with_steps(*steps).replace(EXPORT1 + "\n", "")
    done, result, cases, _ = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and "process fg is not running" in failure_of(cases["fg at 4 s: signal TERM"])
    done, *_ = run(
        esx_netflow,
        tmp_path,
        text.replace("at: 4s, signal: TERM, process: fg", "at: 4s, signal: TERM, process: fg, expect: {exit: nonzero}"),
    )
    assert done.returncode == 0


def test_an_idle_exporter_fails_unless_it_may_be_idle(esx_netflow, tmp_path):
    """The guests' traffic is over when it starts; its own export and pings of the VMkernel do not count."""
    text = lab().replace(EXPORT1, LATE)
    text = text.replace("timeline:\n", "timeline:\n  - {at: 17s, host: esx1, run: vmkping -c 1 10.6.125.84}\n")
    done, result, cases, markdown = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and result["ledger"]["truth"]["packets"] > 0
    why = "0, wanted 1 or more: no packet of a guest came by while it ran"
    assert failure_of(cases["metered: esx1 from 15 s on"]) == why and why in done.stdout and why in markdown
    done, result, *_ = run(esx_netflow, tmp_path, text.replace(LATE, LATE.replace("run:", "may_be_idle: true, run:")))
    assert done.returncode == 0
    assert [e["name"] for e in result["expectations"]] == ["every packet is accounted for", "all traffic is sent"]


@pytest.mark.parametrize("tail", [" &", " || true", "; true"])
def test_an_exporter_that_did_not_start_fails_whatever_the_line_exits_with(esx_netflow, tmp_path, tail):
    text = with_steps(
        "at: 50ms, host: esx1, run: 'vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055%s'" % tail
    )
    done, _, cases, _ = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and failure_of(cases["metered: esx1 from 0.05 s on"]).endswith("it did not start")


def test_each_instance_is_judged_by_its_own_time(esx_netflow, tmp_path):
    steps = [
        "at: 2s, signal: TERM, process: nf",
        "at: 10s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84:2055",
    ]
    text = with_steps(*steps).replace(EXPORT1, EXPORT1.replace("run:", "id: nf, run:"))
    done, _, cases, _ = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and cases["metered: esx1 from 0.5 s on"].find("failure") is None
    assert failure_of(cases["metered: esx1 from 10 s on"]).startswith("0, wanted 1 or more")


def pairs(text: str, more: str) -> str:
    return text.replace("timeline:\n", more + "timeline:\n")


SILENT = {
    "starts after the end": "app: udp-cbr, from: esx1-a, to: esx1-b, port: 7, start: 30s, stop: 40s",
    "no answer to ARP": "app: tcp-bulk, from: esx1-a, to: far, port: 7, start: 1s, stop: 9s",
    "only answers of that pair": "app: udp-cbr, from: esx1-b, to: esx1-a, port: 5060, start: 30s, stop: 40s",
}


@pytest.mark.parametrize("what", SILENT)
def test_traffic_that_sent_nothing_fails_unless_it_may_be_silent(esx_netflow, tmp_path, what):
    """An application sends all the same where ARP dies: only what enters a port counts."""
    item = "  - {name: mute, %s}\n" % SILENT[what]
    text = pairs(lab(), item).replace(
        "      esx1-b:", "      far: {nics: [{portgroup: Elsewhere, address: 10.6.125.99/24}]}\n      esx1-b:"
    )
    text = text.replace("portgroups: {VM Network: {}}", "portgroups: {VM Network: {}, Elsewhere: {vlan: 7}}")
    done, result, cases, _ = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and "traffic[1]: nothing was sent from " in done.stderr
    assert "  1 of 2 traffic items sent nothing\n" in done.stdout
    assert "1 of 2 traffic items sent nothing: mute from " in failure_of(cases["all traffic is sent"])
    assert [(item["name"], item["may_be_silent"]) for item in result["traffic"]["silent"]] == [("mute", False)]
    done, result, *_ = run(esx_netflow, tmp_path, text.replace("{name: mute,", "{name: mute, may_be_silent: true,"))
    assert done.returncode == 0 and len(result["traffic"]["silent"]) == 1


def test_each_pair_of_a_list_counts(esx_netflow, tmp_path):
    item = (
        "  - {name: fan, app: flows, from: esx1-a, to: [esx1-b, esx1-c, esx1-d], port: 7, start: 1s, flows: 2, every: "
        "1s}\n"
    )
    text = pairs(lab(), item).replace("  - {name: esx1,", "  - {name: esx1, may_be_silent: true,")
    text = text.replace(
        "      esx1-b:",
        "".join(
            f"      esx1-{vm}: {{nics: [{{portgroup: VM Network, address: 10.6.125.20{i}/24}}]}}\n"
            for i, vm in enumerate("cd")
        )
        + "      esx1-b:",
    )
    text = "\n".join(line for line in text.splitlines() if "app: udp-cbr" not in line)
    done, result, *_ = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and result["traffic"]["items"] == 3
    assert [(item["from"], item["to"]) for item in result["traffic"]["silent"]] == [("esx1-a", "esx1-d")]


def test_with_static_arp_nobody_asks_and_all_is_sent(esx_netflow, tmp_path):
    """The guests' pair and the export: no ARP frame is seen at any port; a destination that answers no ARP gets its
    data."""
    frames = {}
    for arp in ("dynamic", "static"):
        text = lab().replace("run: {", "run: {arp: %s, " % arp)
        done, result, *_ = run(esx_netflow, tmp_path, text)
        assert done.returncode == 0, done
        frames[arp] = result["ledger"]["ignored"].get("not_ipv4", {"packets": 0})["packets"]
        assert result["collectors"][0]["datagrams"] > 0
    assert frames["dynamic"] > 0 and frames["static"] == 0
    text = pairs(lab(), "  - {name: mute, %s}\n" % SILENT["no answer to ARP"]).replace("run: {", "run: {arp: static, ")
    text = text.replace(
        "      esx1-b:", "      far: {nics: [{portgroup: Elsewhere, address: 10.6.125.99/24}]}\n      esx1-b:"
    )
    done, result, *_ = run(
        esx_netflow,
        tmp_path,
        text.replace("portgroups: {VM Network: {}}", "portgroups: {VM Network: {}, Elsewhere: {vlan: 7}}"),
    )
    assert done.returncode == 0 and result["traffic"] == {"items": 2, "silent": [], "captures": []}


def test_frames_that_links_dropped_stand_in_the_summary(esx_netflow, tmp_path):
    text = with_steps("at: 5s, for: 5s, link: collector-link, down: true")
    text = pairs(text, "  - {name: far, app: udp-cbr, from: esx1-a, to: nf1, port: 9, start: 1s, stop: 15s}\n")
    done, result, *_ = run(
        esx_netflow,
        tmp_path,
        text.replace("name: collector-link,", "name: collector-link, loss: 0.3, rate: 50kbps, queue: 5p,"),
    )
    (link,) = result["links"]
    assert link["name"] == "collector-link" and min(link["dropped"].values()) > 0
    assert f"  links dropped {sum(link['dropped'].values())} frames: collector-link queue " in done.stdout


@pytest.mark.parametrize(
    "expectation, why",
    [
        ("metric: netflow.records.dropped, equals: 0, during: 30s..40s", "the run ended before its time span"),
        (
            "metric: collector.records.lost_ratio, at_most: 0.5, during: 0s..200ms",
            "nothing to take a part of was counted",
        ),
    ],
)
def test_an_expectation_that_measures_nothing_fails(esx_netflow, tmp_path, expectation, why):
    text = lab(expect="  - {name: vain, %s}" % expectation)
    done, result, cases, _ = run(esx_netflow, tmp_path, text)
    assert (
        done.returncode == 1
        and failure_of(cases["vain"]).startswith("nothing, wanted ")
        and failure_of(cases["vain"]).endswith(why)
    )
    assert result["expectations"][1]["measured"] is None


def test_golden_results_of_an_empty_run_are_refused(esx_netflow, tmp_path):
    empty = lab().replace(EXPORT1 + "\n", "")
    scenario = write(tmp_path, empty)
    options = (scenario, "--out", tmp_path / "out", "--quiet")
    done = esx_netflow("run", *options, "--update", tmp_path / "golden")
    assert (
        done.returncode == 1 and done.stderr == "esx-netflow: lab: no golden results are kept: no packet was metered\n"
    )
    assert not (tmp_path / "golden").exists()
    scenario.write_text(lab())
    assert esx_netflow("run", *options, "--update", tmp_path / "golden").returncode == 0
    golden = tmp_path / "golden" / "lab.json"
    kept = json.loads(golden.read_text())
    kept["ledger"]["truth"] = {"packets": 0, "octets": 0, "records": 0}
    golden.write_text(json.dumps(kept))
    done = esx_netflow("run", *options, "--check", tmp_path / "golden")
    assert done.returncode == 1 and "proves nothing: no packet was metered" in done.stdout


def test_what_keeps_a_scenario_from_being_read_stands_in_junit_and_markdown(esx_netflow, tmp_path):
    broken = write(tmp_path, lab().replace("app: udp-cbr", "app: udp-crb"))
    done = esx_netflow("run", broken, "--junit", tmp_path / "j.xml", "--summary-md", tmp_path / "s.md")
    assert done.returncode == 2
    error = next(ElementTree.parse(tmp_path / "j.xml").iter("error"))
    assert "udp-crb" in error.get("message") and error.text.strip() in done.stderr
    assert "udp-crb" in (tmp_path / "s.md").read_text()


@pytest.mark.parametrize("order", ["to first", "to last"])
def test_to_works_in_any_order_of_arguments(esx_netflow, tmp_path, order):
    with Sink() as collector:
        target = ("--to", collector.target)
        scenario = write(tmp_path, lab())
        arguments = (*target, scenario) if order == "to first" else (scenario, *target)
        done = esx_netflow("run", "--out", tmp_path / "out", *arguments, "--strict-to")
    assert done.returncode == 0, done
    (delivery,) = summary(tmp_path / "out")["real_collectors"]
    assert (
        delivery["host"] == "esx1"
        and delivery["sent"] > 0
        and (delivery["refused"], delivery["no_buffers"], delivery["failed"]) == (0, 0, 0)
    )


def test_refused_datagrams_are_told_and_fail_with_strict_to(esx_netflow, tmp_path):
    with ClosedPort() as port:
        done, result, *_ = run(esx_netflow, tmp_path, lab(), "--to", port.target)
        assert done.returncode == 0 and result["real_collectors"][0]["refused"] > 0
        (told,) = ElementTree.parse(tmp_path / "junit.xml").iter("property")
        assert told.get("value").startswith(f"{port.target} from esx1: sent ") and ", refused 0," not in told.get(
            "value"
        )
        done, result, cases, _ = run(esx_netflow, tmp_path, lab(), "--to", port.target, "--strict-to")
    name = f"datagrams that {port.target} did not get"
    assert done.returncode == 1 and result["verdict"] == "fail" and "refused" in failure_of(cases[name])


def test_strict_to_fails_where_nothing_was_sent(esx_netflow, tmp_path):
    with Sink() as collector:
        text = lab().replace(EXPORT1 + "\n", "")
        text = text.replace(
            "timeline:\n",
            "timeline:\n"
            + LATE.replace("15s", "1s")
            .replace("10.6.125.84:2055", "10.6.125.77")
            .replace("run:", "may_be_idle: true, run:")
            + "\n",
        )
        done, _, cases, _ = run(esx_netflow, tmp_path, text, "--to", f"nf1={collector.target}", "--strict-to")
    assert done.returncode == 1
    assert failure_of(cases[f"datagrams that {collector.target} did not get"]).endswith("nothing was sent there")


# ---- checks that nothing could break


IDLE = "no frame came to a meter"


@pytest.mark.parametrize(
    "check, why",
    [
        ("conservation", IDLE),
        ("unique_interfaces", "nothing was exported"),
        ("no_collector_complaints", "nf1 received nothing"),
        ("metered", "no net-netflow was registered"),
    ],
)
def test_a_check_of_nothing_fails(esx_netflow, tmp_path, check, why):
    text = "\n".join(
        line
        for line in lab(expect=f"  - {{name: checked, check: {check}}}").splitlines()
        if not line.startswith(("timeline", "  - {at")) and "accounted" not in line
    )
    done, result, cases, markdown = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and result["verdict"] == "fail"
    (verdict,) = [e for e in result["expectations"] if e["name"] == "checked"]
    assert verdict["measured"] is None and verdict["why"] == why
    assert why in failure_of(cases["checked"]) and why in markdown


def test_a_collector_that_got_nothing_is_judged_beside_one_that_got_all(esx_netflow, tmp_path):
    spare = "\n  nf2: {kind: collector, address: 10.6.125.85/24}\nlinks:\n  - {endpoints: [nf2:eth0, sw1:9]}\n"
    for node, code in ("nf1", 0), ("nf2", 1):
        text = lab(expect=f"  - {{name: checked, check: no_collector_complaints, node: {node}}}").replace(
            "\nlinks:\n", spare
        )
        done, result, *_ = run(esx_netflow, tmp_path, text)
        assert done.returncode == code, done.stdout + done.stderr


def test_metered_can_be_asked_for_by_host(esx_netflow, tmp_path):
    two = lab(
        hosts=("esx1", "esx2"), expect="  - {name: first, check: metered, host: esx1}\n  - {name: both, check: metered}"
    )
    done, result, *_ = run(esx_netflow, tmp_path, two)
    assert done.returncode == 0
    assert [
        (e["name"], e["measured"] >= 1, e["bound"]) for e in result["expectations"] if e["name"] in ("first", "both")
    ] == [("first", True, {"at_least": 1}), ("both", True, {"at_least": 1})]
    idle = two.replace("name: esx2, app: udp-cbr, ", "name: esx2, app: udp-cbr, may_be_silent: true, ").replace(
        "start: 1s, stop: 3s, rate: 64kbps}\ntimeline", "start: 30s, stop: 31s, rate: 64kbps}\ntimeline"
    )
    idle = idle.replace("host: esx2, run: vmkload_app", "host: esx2, may_be_idle: true, run: vmkload_app")
    done, result, *_ = run(esx_netflow, tmp_path, idle)
    assert done.returncode == 1
    verdicts = {e["name"]: e for e in result["expectations"]}
    assert verdicts["first"]["pass"] and (
        verdicts["both"]["pass"],
        verdicts["both"]["measured"],
        verdicts["both"]["why"],
    ) == (False, 0, "none by that of esx2 from 0.5 s on")


def test_metered_knows_its_labels(esx_netflow, tmp_path):
    for wrong, told in (
        (", node: nf1", "'node' does not go with 'check: metered'"),
        (", host: esx9", "'esx9' is no host"),
        (", equals: 1", "'equals' does not go with 'check: metered'"),
    ):
        done = esx_netflow("validate", write(tmp_path, lab(expect=f"  - {{name: m, check: metered{wrong}}}")))
        assert done.returncode == 2 and told in done.stderr, done.stderr


@pytest.mark.parametrize(
    "expect",
    [
        "{name: none is lost, metric: netflow.records.lost, equals: 0}",
        "{name: twice the same, check: deterministic}",
        "",
    ],
)
@pytest.mark.parametrize("silent", [True, False])
def test_a_run_in_which_nothing_was_done_fails_whatever_it_expects(esx_netflow, tmp_path, expect, silent):
    """Traffic that may be silent and was is nothing done, either; a console line is something."""
    head, _, rest = lab(stop="31s").partition("traffic:\n")
    traffic = (
        rest.partition("timeline:")[0].replace("app:", "may_be_silent: true, app:").replace("start: 1s", "start: 30s")
    )
    text = head + ("traffic:\n" + traffic if silent else "") + (f"expect:\n  - {expect}\n" if expect else "")
    done, result, cases, markdown = run(esx_netflow, tmp_path, text)
    assert done.returncode == 1 and result["verdict"] == "fail", done
    why = "0, wanted 1 or more: no traffic was sent and no console line ran: nothing was examined"
    assert failure_of(cases["something is done"]) == why and why in done.stdout and why in markdown
    done, result, *_ = run(esx_netflow, tmp_path, text + "timeline:\n  - {at: 1s, host: esx1, run: echo x}\n")
    assert (done.returncode, result["verdict"]) == (0, "pass"), done
