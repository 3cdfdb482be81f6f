# SPDX-License-Identifier: GPL-2.0-only
"""The Python package: the same results as the command line, shown without copying, in any number of runs."""

import csv
import filecmp
import ipaddress
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import esx_netflow
from conftest import PROGRAM, QUICKSTART


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "quickstart"
    subprocess.run([PROGRAM, "run", QUICKSTART, "--out", out, "--quiet"], check=True)
    return out


def rows_of_csv(path, names):
    with open(path, newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            yield (
                names.index(row["exporter"]),
                int(ipaddress.IPv4Address(row["src"])),
                int(ipaddress.IPv4Address(row["dst"])),
                *(
                    int(row[k])
                    for k in (
                        "proto",
                        "sport",
                        "dport",
                        "tos",
                        "input",
                        "output",
                        "packets",
                        "octets",
                        "first_ms",
                        "last_ms",
                        "tcp_flags",
                    )
                ),
            )


def rows_of_array(array):
    fields = "exporter src dst proto sport dport tos input output packets octets first_ms last_ms tcp_flags".split()
    return list(zip(*(array[f].tolist() for f in fields)))


@pytest.mark.parametrize("table", ["truth", "exported", "collected"])
def test_tables_equal_those_of_the_command_line(quickstart, folder, table):
    array = getattr(quickstart, table)
    assert len(array) > 100
    assert rows_of_array(array) == list(rows_of_csv(folder / f"flows-{table}.csv", quickstart.exporters))


def test_arrays_show_memory_that_they_do_not_own_and_cannot_be_written(quickstart):
    for array in (quickstart.truth, quickstart.exported, quickstart.collected, quickstart.series):
        assert not array.flags.owndata
        assert not array.flags.writeable
        with pytest.raises(ValueError):
            array[array.dtype.names[0]][0] = 1


def test_the_ledger_balances_and_agrees_with_the_tables(quickstart):
    assert quickstart.residual == (0, 0, 0)
    assert quickstart.verdict == "pass"
    assert all(e["pass"] for e in quickstart.expectations)
    moves = quickstart.ledger["esx1"]["vSwitch0"]
    assert moves["metered"].packets == quickstart.truth["packets"].sum()
    assert moves["received"].records == len(quickstart.collected)
    assert "Module load of netflow succeeded." in quickstart.console["esx1"]
    assert any("NetFlow" in line for line in quickstart.log["esx1"])


def test_a_second_run_in_one_process_equals_a_fresh_process(tmp_path, folder):
    esx_netflow.run(QUICKSTART, seed=7)
    esx_netflow.run(QUICKSTART, out=tmp_path / "again")
    names = sorted(p.name for p in folder.iterdir())
    assert sorted(p.name for p in (tmp_path / "again").iterdir()) == names
    assert filecmp.cmpfiles(folder, tmp_path / "again", names, shallow=False)[0] == names


def test_the_locale_of_the_process_changes_no_byte(tmp_path, folder):
    (tmp_path / "comma").write_text('LC_NUMERIC\ndecimal_point ","\nthousands_sep "."\ngrouping 3;3\nEND LC_NUMERIC\n')
    subprocess.run(
        ["localedef", "-c", "-i", "comma", "--no-archive", "./xx"], cwd=tmp_path, capture_output=True, check=False
    )  # it warns
    code = (
        "import esx_netflow, locale, sys\n"
        "locale.setlocale(locale.LC_NUMERIC, 'xx')\n"
        "assert locale.localeconv()['decimal_point'] == ','\n"
        "esx_netflow.run(sys.argv[1], out='comma-out')\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, QUICKSTART], cwd=tmp_path, env={**os.environ, "LOCPATH": str(tmp_path)}, check=True
    )
    names = sorted(p.name for p in folder.iterdir())
    assert filecmp.cmpfiles(folder, tmp_path / "comma-out", names, shallow=False)[0] == names


def test_another_seed_gives_other_flows(quickstart):
    other = esx_netflow.run(QUICKSTART, seed=7)
    assert len(other.truth) != len(quickstart.truth) or not np.array_equal(other.truth, quickstart.truth)


def test_progress_is_told_and_changes_nothing(quickstart):
    told = []
    result = esx_netflow.run(QUICKSTART, progress=lambda now, end: told.append((now, end)))
    assert told and all(0 <= now <= end == 60 for now, end in told)
    assert np.array_equal(result.truth, quickstart.truth)


def test_an_error_of_the_progress_function_ends_the_run_and_the_next_one_works(quickstart):
    def fail(now, end):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        esx_netflow.run(QUICKSTART, progress=fail)
    assert np.array_equal(esx_netflow.run(QUICKSTART).truth, quickstart.truth)


def test_other_threads_run_meanwhile():
    ran = threading.Event()
    thread = threading.Thread(target=ran.set)
    esx_netflow.run(QUICKSTART, progress=lambda now, end: thread.ident or thread.start())
    thread.join()
    assert ran.is_set()


def test_a_second_run_is_made_where_that_is_expected(tmp_path):
    scenario = esx_netflow.Scenario.load(QUICKSTART)
    scenario["run.duration"] = "8s"
    for item in scenario.data["traffic"]:
        item["stop"] = "6s"
    scenario["expect"] = [{"name": "the same again", "check": "deterministic"}]
    told = esx_netflow.run(scenario, out=tmp_path / "out").expectations[0]
    assert told["pass"] and told["measured"] == 0
    assert esx_netflow.run(scenario).summary == esx_netflow.Result.load(tmp_path / "out").summary
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_two_runs_at_once_are_refused():
    raised = []

    def again(now, end):
        if not raised:
            with pytest.raises(esx_netflow.RunError, match="a run goes on in this process") as error:
                esx_netflow.run(QUICKSTART)
            raised.append(error)

    esx_netflow.run(QUICKSTART, progress=again)
    assert raised


def test_an_interrupt_ends_the_run_within_half_a_second(tmp_path):
    # Nothing happens for hours, so that the run looks up seldom; then very much happens within few simulated seconds.
    scenario = esx_netflow.Scenario.load(QUICKSTART)
    scenario["run.duration"] = "20000s"
    flood = {"app": "udp-cbr", "from": "web1", "to": "db1", "rate": "1Gbps", "packet": "100B", "start": "10000s"}
    scenario["traffic"] = [{"name": f"flood{i}", "port": 9 + i, **flood} for i in range(4)]
    scenario["expect"] = []
    scenario.save(tmp_path / "flood.yaml")
    code = (
        "import esx_netflow, os, signal, time\n"
        "t = []\n"
        "def progress(now, end):\n"
        "    if now > 10000 and not t:\n"
        "        t.append(time.process_time()); os.kill(os.getpid(), signal.SIGINT)\n"
        "try:\n"
        "    esx_netflow.run('flood.yaml', progress=progress)\n"
        "except KeyboardInterrupt:\n"
        "    print(time.process_time() - t[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True, cwd=tmp_path
    )
    assert 0 <= float(done.stdout) < 0.5, "of CPU time: what the machine does besides does not count"


def test_an_interrupt_keeps_what_there_is(tmp_path):
    def stop(now, end):
        if now > 20:
            raise KeyboardInterrupt

    with pytest.raises(esx_netflow.RunInterrupted, match="quickstart: interrupted at 2[0-9.]+ s") as error:
        esx_netflow.run(QUICKSTART, out=tmp_path / "out", progress=stop)
    result = error.value.result
    assert result.verdict == "interrupted" and 20e9 < result.summary["end_ns"] < 60e9 and len(result.truth) > 0
    assert result.residual == (0, 0, 0)
    assert esx_netflow.Result.load(tmp_path / "out").summary == result.summary


def test_a_wrong_scenario_raises_the_command_lines_text(tmp_path):
    scenario = tmp_path / "wrong.yaml"
    scenario.write_text("version: 1\nname: x\nrun: {duration: 1s}\nhosts: {}\nhots: {}\n", encoding="ascii")
    with pytest.raises(esx_netflow.ScenarioError) as raised:
        esx_netflow.run(scenario)
    printed = subprocess.run([PROGRAM, "validate", scenario], capture_output=True, text=True, check=False)
    assert printed.returncode == 2
    for line in str(raised.value).splitlines():
        assert line in printed.stdout + printed.stderr


def test_a_folder_that_is_no_result_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep", encoding="ascii")
    with pytest.raises(esx_netflow.RunError):
        esx_netflow.run(QUICKSTART, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="ascii") == "keep"
