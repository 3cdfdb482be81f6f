# SPDX-License-Identifier: GPL-2.0-only
"""A result folder with a broken, missing or foreign file: a message that names the file and the place, and exit code
2."""

import json
import shutil

import pytest
from labs import lab, summary, write

READERS = {
    "report": ["report", "DIR"],
    "explain": ["explain", "DIR", "--flow", "*->*"],
    "talkers": ["talkers", "DIR"],
    "verify": ["verify", "DIR"],
}


@pytest.fixture(scope="module")
def whole(esx_netflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    done = esx_netflow("run", write(folder, lab(duration="5s")), "-o", folder / "out", "--captures", "-q")
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "out")


def without(path):
    def change(text):
        data = json.loads(text)
        place = data
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        return json.dumps(data)

    return change


def with_value(path, value):
    def change(text):
        data = json.loads(text)
        place = data
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return json.dumps(data)

    return change


SUMMARIES = {
    "cut": (lambda text: text[: len(text) // 2], "summary.json:"),
    "empty": (lambda text: "", "summary.json:1: this is no JSON"),
    "no JSON": (lambda text: "{\n<<<<<<< HEAD\n", "summary.json:2: this is no JSON"),
    "a list": (lambda text: "[]", "summary.json: schema"),
    "null": (lambda text: "null", "summary.json: schema"),
    "another's": (lambda text: "{}", "summary.json: schema"),
    "another version's": (with_value(["schema"], "esx-netflow summary 0"), "summary.json: schema"),
    "no ledger": (without(["ledger"]), "summary.json: ledger is missing"),
    "no octets": (without(["ledger", "truth", "octets"]), "summary.json: ledger.truth.octets is missing"),
    "a text for a number": (with_value(["end_ns"], "5s"), "summary.json: end_ns is a text, not a whole number"),
    "a map for a list": (with_value(["hosts"], {}), "summary.json: hosts is a map, not a list"),
    "no name": (without(["hosts", 0, "name"]), "summary.json: hosts[0].name is missing"),
}


@pytest.mark.parametrize("case", SUMMARIES)
@pytest.mark.parametrize("reader", READERS)
def test_a_broken_summary_is_named(esx_netflow, folder, reader, case):
    change, message = SUMMARIES[case]
    path = folder / "summary.json"
    path.write_text(change(path.read_text()))
    done = esx_netflow(*[folder if a == "DIR" else a for a in READERS[reader]])
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("reader", READERS)
def test_a_summary_that_is_a_folder_or_octets_is_named(esx_netflow, folder, reader):
    arguments = [folder if a == "DIR" else a for a in READERS[reader]]
    (folder / "summary.json").write_bytes(b"\xff\xfe\0\0")
    done = esx_netflow(*arguments)
    assert done.returncode == 2 and "summary.json:1: this is no JSON" in done.stderr and "Traceback" not in done.stderr
    (folder / "summary.json").unlink()
    (folder / "summary.json").mkdir()
    done = esx_netflow(*arguments)
    assert done.returncode == 2 and "summary.json: cannot be read" in done.stderr and "Traceback" not in done.stderr


def cut_a_line(text):
    lines = text.splitlines()
    return "\n".join([*lines[:-1], lines[-1].rsplit(",", 3)[0], ""])


def a_word_in_line_2(text):  # in a column that every reader reads
    lines = text.splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index("octets")] = "many"
    return "\n".join([lines[0], ",".join(cells), *lines[2:], ""])


BREAKS = {
    "cut line": cut_a_line,
    "word": a_word_in_line_2,
    "empty": lambda text: "",
    "octets": lambda text: "\0\1\2",
    "header": lambda text: text.replace("octets", "x"),
}


@pytest.mark.parametrize("case", BREAKS)
@pytest.mark.parametrize(
    "reader, file",
    [
        ("report", "flows-truth.csv"),
        ("report", "flows-left.csv"),
        ("report", "flows-collected.csv"),
        ("talkers", "records.csv"),
        ("explain", "records.csv"),
        ("verify", "flows-truth.csv"),
        ("verify", "flows-exported.csv"),
    ],
)
def test_a_broken_table_is_named(esx_netflow, folder, reader, file, case):
    (folder / file).write_text(BREAKS[case]((folder / file).read_text()))
    done = esx_netflow(*[folder if a == "DIR" else a for a in READERS[reader]])
    if reader == "verify" and case == "word":  # another number is a disagreement to be told as one
        assert done.returncode in (1, 2)
    else:
        assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert done.returncode == 1 or file in done.stderr or reader == "verify"


OTHERS = {  # file: who reads it, the exit code, and where its name stands
    "resolved.yaml": {"report": (2, "stderr")},
    "lab.json": dict.fromkeys(("report", "explain", "talkers", "verify"), (2, "stderr")),
    "captures.json": {"verify": (2, "stderr")},
    "esx1-vSwitch0-1.pcap": {"verify": (1, "stdout")},
    "nf1.pcap": {"verify": (1, "stdout")},
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", OTHERS)
def test_another_broken_file_is_told_by_who_reads_it(esx_netflow, folder, file, reader):
    (folder / file).write_bytes(b"\xff{")
    done = esx_netflow(*[folder if a == "DIR" else a for a in READERS[reader]])
    code, where = OTHERS[file].get(reader, (0, ""))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert not where or ("cannot be judged" if (reader, code) == ("verify", 2) else file) in getattr(done, where)


def test_golden_results_that_are_broken_are_exit_2(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(duration="5s"))
    arguments = ("run", scenario, "-q", "-o", tmp_path / "out")
    assert esx_netflow(*arguments, "--update", tmp_path / "golden").returncode == 0
    assert summary(tmp_path / "out")["verdict"] == "pass"
    assert esx_netflow(*arguments, "--check", tmp_path / "golden").returncode == 0
    (tmp_path / "golden" / "lab.json").write_text("{\n<<<<<<< HEAD\n")
    done = esx_netflow(*arguments, "--check", tmp_path / "golden")
    assert done.returncode == 2 and "lab.json:2: this is no JSON" in done.stderr
