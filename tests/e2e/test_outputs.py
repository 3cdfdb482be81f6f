# SPDX-License-Identifier: GPL-2.0-only
"""Every command tells of an output that cannot be written, with exit code 2; the old file stays; no output is mixed
with another."""

import fcntl
import os
import resource
import signal
import subprocess
import time

import pytest
from commands import CAPTURE, commands, inputs, writers
from labs import contents, lab, write
from oracle.building import ethernet, ipv4, pcap, udp

FULL = "No space left on device"
WAIT_S = 120


def packets(count):
    """One for each flow, 10 ms apart."""
    return [(1_700_000_000 * 10**9 + i * 10**7, ethernet(ipv4(udp(1000 + i % 60000, 53))), 42) for i in range(count)]


@pytest.fixture(scope="module")
def given(esx_netflow, tmp_path_factory):
    return inputs(esx_netflow, tmp_path_factory.mktemp("given"))


@pytest.fixture
def folder(given, tmp_path):
    """The inputs under other names, so that a test may write beside them."""
    for entry in given.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def call(esx_netflow, folder, arguments, stdout, before=None):
    """-> exit code, standard error"""
    with open(folder / "lines") as lines:
        done = subprocess.run(
            [esx_netflow.path, *map(str, arguments)],
            stdin=lines,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=WAIT_S,
            preexec_fn=before,
        )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("name", commands(CAPTURE))
def test_standard_output_on_a_full_disk_is_exit_2(esx_netflow, folder, name):
    with open("/dev/full", "wb") as full:
        code, errors = call(esx_netflow, folder, commands(folder)[name], full)
    assert code == 2 and FULL in errors and "standard output" in errors and "Traceback" not in errors


@pytest.mark.parametrize("name", commands(CAPTURE))
def test_a_reader_that_has_seen_enough_is_nobodys_fault(esx_netflow, folder, name):
    read, written = os.pipe()
    os.close(read)
    code, errors = call(esx_netflow, folder, commands(folder)[name], written)
    os.close(written)
    assert code == 141 and "roken pipe" not in errors and "Traceback" not in errors


@pytest.mark.parametrize("name", writers(CAPTURE))
@pytest.mark.parametrize("way", ["device", "limit", "folder"])
def test_a_file_that_cannot_be_written_is_exit_2_and_what_was_there_stays(esx_netflow, folder, name, way):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    path = {"device": folder / "full", "limit": folder / "file", "folder": folder / "none" / "file"}[way]
    (folder / "full").symlink_to("/dev/full")
    (folder / "file").write_text("as it was")
    arguments = [path if a == "FILE" else a for a in writers(folder)[name] if way != "limit" or a != "run"]
    if writers(folder)[name][0] in ("run", "report") and way == "limit":
        pytest.skip("a file in its result folder meets the limit first: the next test")
    code, errors = call(esx_netflow, folder, arguments, subprocess.DEVNULL, limit if way == "limit" else None)
    assert code == 2 and str(path) in errors and "cannot be written" in errors
    assert (folder / "file").read_text() == "as it was"
    assert not [entry.name for entry in folder.iterdir() if ".tmp-" in entry.name]


@pytest.mark.parametrize("size", [1000, 100_000])
def test_results_beyond_a_limit_are_exit_2_and_the_earlier_ones_stay(esx_netflow, tmp_path, size):
    scenario = write(tmp_path, lab(duration="100s", stop="100s"))
    assert esx_netflow("run", scenario, "-q", "-o", tmp_path / "out").returncode == 0
    before = contents(tmp_path)
    done = esx_netflow(
        "run",
        scenario,
        "-q",
        "--captures",
        "-o",
        tmp_path / "out",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    assert done.returncode == 2 and "cannot be written" in done.stderr
    assert contents(tmp_path) == before


def test_closed_standard_streams_are_not_given_to_a_file(esx_netflow, tmp_path):
    assert esx_netflow("probe", "-r", CAPTURE, "--csv", tmp_path / "a.csv").returncode == 0
    for closed in (">&-", "<&- >&-", "<&- >&- 2>&-"):
        command = (
            f'"{esx_netflow.path}" probe -r "{CAPTURE}" --csv "{tmp_path}/b.csv" --json "{tmp_path}/b.json" {closed}'
        )
        assert subprocess.run(command, shell=True, timeout=WAIT_S).returncode == 0
        assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


@pytest.mark.parametrize("option", ["-w", "--csv", "--json"])
@pytest.mark.parametrize("name", ["in.pcap", "./x/../in.pcap", "soft.pcap", "hard.pcap"])
def test_an_output_that_is_the_input_is_refused(esx_netflow, tmp_path, option, name):
    original = CAPTURE.read_bytes()
    (tmp_path / "x").mkdir()
    (tmp_path / "in.pcap").write_bytes(original)
    (tmp_path / "soft.pcap").symlink_to("in.pcap")
    os.link(tmp_path / "in.pcap", tmp_path / "hard.pcap")
    done = esx_netflow("probe", "-r", "in.pcap", option, name, cwd=tmp_path)
    assert done.returncode == 2 and f"{option} {name} is the file that -r in.pcap reads" in done.stderr
    assert (tmp_path / "in.pcap").read_bytes() == original


def test_no_command_destroys_what_it_reads(esx_netflow, folder):
    scenario = write(folder / "..", lab(), f"{folder.name}.yaml").resolve()
    export = (folder / "export.pcap").resolve()
    for path, arguments in {
        scenario: (
            ["run", scenario, "--junit", scenario],
            ["run", scenario, "--summary-md", scenario],
            ["console", scenario, "--record", scenario],
        ),
        export: (
            ["collect", "-r", export, "--csv", export],
            ["collect", "-r", export, "--json", export],
            ["compare", "--peer", "softflowd", "-r", export, "--csv", export],
        ),
    }.items():
        original = path.read_bytes()
        for command in arguments:
            done = esx_netflow(*command, cwd=folder)
            assert done.returncode == 2 and "would be destroyed" in done.stderr and path.read_bytes() == original


@pytest.mark.parametrize("outputs", [
    ("--csv", "f", (
        "--json"
    ), "f"), ("-w", "f", "--csv", "./f"), ("--csv", "f", (
        "--json"
    ), "link"), ("--csv", "-", "--json", "-"), ("-w", "-", "--csv", (
        "/dev/stdout"
    )),
])  # fmt: skip
def test_two_outputs_of_one_file_are_refused(esx_netflow, tmp_path, outputs):
    (tmp_path / "link").symlink_to("f")
    done = esx_netflow("probe", "-r", CAPTURE, *outputs, cwd=tmp_path)
    assert done.returncode == 2 and ("are one file" in done.stderr or "are both standard output" in done.stderr)
    assert not (tmp_path / "f").exists()


def test_a_table_is_not_mixed_with_what_is_printed(esx_netflow, tmp_path):
    alone = esx_netflow("probe", "-r", CAPTURE, "--csv", tmp_path / "alone.csv")
    for name in ("-", "/dev/stdout"):
        done = esx_netflow("probe", "-r", CAPTURE, "--csv", name)
        assert (
            done.returncode == 0 and done.stdout == (tmp_path / "alone.csv").read_text() and done.stderr == alone.stdout
        )
    with open(tmp_path / "both", "w") as both:
        done = subprocess.run(
            [esx_netflow.path, "probe", "-r", CAPTURE, "--csv", tmp_path / "both"],
            stdout=both,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2 and "standard output are one file" in done.stderr
    assert esx_netflow("probe", "-r", CAPTURE, "--csv", "/dev/null", "--json", "/dev/null").returncode == 0
    assert not [name for name in os.listdir(".") if name == "-"]


def test_a_dash_is_standard_output_everywhere(esx_netflow, folder):
    def octets(*arguments):
        with open(folder / "lines") as lines:
            done = subprocess.run(
                [esx_netflow.path, *map(str, arguments)], stdin=lines, capture_output=True, cwd=folder, timeout=WAIT_S
            )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert octets("probe", "-r", CAPTURE, "-w", "-") == (folder / "export.pcap").read_bytes()
    assert octets("run", "lab.yaml", "-o", "new", "--junit", "-").startswith(b"<?xml")
    assert octets("run", "lab.yaml", "-o", "new", "--summary-md", "-").startswith(b"|") or b"| lab |" in octets(
        "run", "lab.yaml", "-o", "new", "--summary-md", "-"
    )
    assert b"vmkload_mod netflow" in octets("console", "lab.yaml", "--record", "-")
    assert not (folder / "-").exists()


def test_a_link_is_followed_and_modes_stay(esx_netflow, tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "real.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert esx_netflow("probe", "-r", CAPTURE, "--csv", tmp_path / "link.csv").returncode == 0
    assert (
        (tmp_path / "link.csv").is_symlink()
        and (tmp_path / "real.csv").read_text().startswith("exporter")
        or "," in (tmp_path / "real.csv").read_text()
    )
    assert (tmp_path / "real.csv").stat().st_mode & 0o777 == 0o640


# ---- signals


def slow_pipe(esx_netflow, *arguments):
    """A process that waits for its reader, its pipe as small as it can be."""
    process = esx_netflow.start(*arguments)
    fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    end = time.monotonic() + WAIT_S
    while True:
        state = open(f"/proc/{process.pid}/wchan").read() if os.access(f"/proc/{process.pid}/wchan", os.R_OK) else ""
        if "pipe" in state or time.monotonic() > end - WAIT_S + 2:
            return process
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_a_signal_while_the_reader_is_slow_loses_no_row(esx_netflow, tmp_path, kind, number):
    (tmp_path / "in.pcap").write_bytes(pcap(packets(3000)))
    assert esx_netflow("probe", "-r", tmp_path / "in.pcap", "-w", tmp_path / "export.pcap").returncode == 0
    table = [] if kind == "text" else [f"--{kind}", "-"]
    process = slow_pipe(esx_netflow, "collect", "-r", tmp_path / "export.pcap", *table)
    process.send_signal(number)
    time.sleep(0.2)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode in (0, 130) and "nterrupted system call" not in stderr
    told = int((stdout if kind == "text" else stderr).split(" records ")[1].split()[0])
    lines = stdout.splitlines()
    rows = {
        "text": [line for line in lines if line.startswith("  ") and " packets " in line],
        "csv": lines[1:],
        "json": [line for line in lines if line.startswith("{")],
    }[kind]
    assert told == len(rows) > 0


def test_a_signal_while_it_waits_for_input_ends_it(esx_netflow):
    read, written = os.pipe()
    with subprocess.Popen(
        [esx_netflow.path, "probe", "-r", "-"], stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        os.write(written, pcap(packets(10)))
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WAIT_S)  # its input stays open
    os.close(written)
    os.close(read)
    assert process.returncode == 130


def test_a_killed_run_leaves_the_earlier_results_and_the_next_one_cleans(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(duration="20s"))
    assert esx_netflow("run", scenario, "-q", "-o", tmp_path / "out").returncode == 0
    before = contents(tmp_path / "out")
    process = esx_netflow.start("run", scenario, "--realtime", "-o", tmp_path / "out")
    end = time.monotonic() + WAIT_S
    while not list(tmp_path.glob("out.tmp-*")) and time.monotonic() < end:
        time.sleep(0.05)
    assert esx_netflow("run", scenario, "-q", "-o", tmp_path / "out").returncode == 0
    assert list(tmp_path.glob("out.tmp-*")), "that of a living process stays"
    process.kill()
    process.communicate(timeout=WAIT_S)
    assert contents(tmp_path / "out") == before and list(tmp_path.glob("out.tmp-*"))
    assert esx_netflow("run", scenario, "-q", "-o", tmp_path / "out").returncode == 0
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["lab.yaml", "out"]


def test_a_killed_probe_leaves_the_earlier_file_and_the_next_one_cleans(esx_netflow, tmp_path):
    output = tmp_path / "export.pcap"
    output.write_text("as it was")
    process = esx_netflow.start("probe", "-r", CAPTURE, "-n", "127.0.0.1:9", "--rate", "0.1", "-w", output)
    end = time.monotonic() + WAIT_S
    while not list(tmp_path.glob("export.pcap.tmp-*")) and time.monotonic() < end:
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=WAIT_S)
    assert output.read_text() == "as it was" and len(list(tmp_path.iterdir())) == 2
    assert esx_netflow("probe", "-r", CAPTURE, "-w", output).returncode == 0
    assert list(tmp_path.iterdir()) == [output] and output.read_bytes()[:4] == b"\x4d\x3c\xb2\xa1"


# ---- descriptors


def files(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_of_open_files_is_raised_or_told(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(duration="2s", hosts=("esx1", "esx2", "esx3", "esx4")))
    raised = esx_netflow("run", scenario, "-q", "--captures", "-o", tmp_path / "out", preexec_fn=files(12, 4096))
    assert raised.returncode == 0, raised.stderr
    before = contents(tmp_path)
    told = esx_netflow("run", scenario, "-q", "--captures", "-o", tmp_path / "out", preexec_fn=files(12, 12))
    assert told.returncode == 2 and "files must be open at once, and 12 may be" in told.stderr
    assert contents(tmp_path) == before


# ---- result folders


def refused(esx_netflow, folder, *command, words):
    before = contents(folder)
    done = esx_netflow(*command, cwd=folder)
    assert done.returncode == 2 and all(word in done.stderr for word in words) and done.stderr.count("\n") == 1, (
        done.stderr
    )
    assert contents(folder) == before


def test_results_never_replace_what_the_run_reads(esx_netflow, tmp_path):
    write(tmp_path, lab(duration="5s"))
    assert esx_netflow("run", "lab.yaml", "-q", cwd=tmp_path).returncode == 0
    own, kept = "out/lab/resolved.yaml", "out/lab"
    lost = (" lies in ", "it would be destroyed")
    refused(esx_netflow, tmp_path, "run", own, words=lost)  # out/lab, too
    refused(esx_netflow, tmp_path, "run", own, "-o", kept, words=lost)
    refused(esx_netflow, tmp_path, "run", own, "-o", f"{kept}/", words=lost)
    refused(esx_netflow, tmp_path, "console", own, "-o", kept, words=lost)
    (tmp_path / "link").symlink_to("out/lab")
    refused(esx_netflow, tmp_path, "run", "link/resolved.yaml", "-o", kept, words=lost)
    refused(esx_netflow, tmp_path, "run", own, "-o", "link", words=lost)
    (tmp_path / "alias.yaml").symlink_to(own)
    refused(esx_netflow, tmp_path, "run", "alias.yaml", "-o", kept, words=lost)
    refused(esx_netflow, tmp_path, "run", "lab.yaml", "--junit", "out/lab/junit.xml", words=lost)
    refused(esx_netflow, tmp_path, "console", "lab.yaml", "-o", kept, "--record", "out/lab/record.yaml", words=lost)
    assert esx_netflow("run", "lab.yaml", "-q", "-o", "other", "--update", "golden", cwd=tmp_path).returncode == 0
    (tmp_path / "golden").rename(tmp_path / "out" / "lab" / "golden")
    refused(esx_netflow, tmp_path, "run", "lab.yaml", "--check", "out/lab/golden", words=lost)
    assert esx_netflow("run", "lab.yaml", "-o", "out/laboratory", "-q", cwd=tmp_path).returncode == 0
    refused(
        esx_netflow,
        tmp_path / "out" / "lab",
        "run",
        "../../lab.yaml",
        "-o",
        "..",
        words=["holds the working directory"],
    )
    refused(
        esx_netflow,
        tmp_path / "out" / "lab" / "golden",
        "run",
        "../../../lab.yaml",
        "-o",
        "..",
        words=["holds the working directory"],
    )


def test_results_never_replace_a_capture_that_the_scenario_names(esx_netflow, tmp_path):
    write(tmp_path, lab(duration="5s"))
    assert esx_netflow("run", "lab.yaml", "-q", "--captures", cwd=tmp_path).returncode == 0
    replay = "  - {name: again, app: pcap, from: esx1-a, to: esx1-b, file: out/lab/esx1-vSwitch0-1.pcap, start: 1s}"
    text = "\n".join(
        replay if line.startswith("  - {name: esx1,") else line for line in lab(duration="5s").splitlines()
    )
    write(tmp_path, text, "replay.yaml")
    refused(
        esx_netflow,
        tmp_path,
        "run",
        "replay.yaml",
        "-o",
        "out/lab",
        words=["the traffic of out/lab/esx1-vSwitch0-1.pcap", "it would be destroyed"],
    )


def test_golden_results_are_neither_written_over_what_is_read_nor_written_over_themselves(esx_netflow, tmp_path):
    write(tmp_path, lab(duration="5s"), "lab.json")  # YAML, whatever its name
    refused(
        esx_netflow,
        tmp_path,
        "run",
        "lab.json",
        "--update",
        ".",
        words=["--update ./lab.json is the file that SCENARIO lab.json reads"],
    )
    assert esx_netflow("run", "lab.json", "-q", "--update", "golden", cwd=tmp_path).returncode == 0
    refused(
        esx_netflow,
        tmp_path,
        "run",
        "lab.json",
        "--check",
        "golden",
        "--junit",
        "golden/lab.json",
        words=["--junit golden/lab.json is the file that --check"],
    )


def test_a_table_or_page_written_by_python_is_no_input_either(esx_netflow, tmp_path):
    write(tmp_path, lab(duration="5s"))
    write(
        tmp_path,
        "version: 1\nname: s\nscenario: table.csv\nover: {hosts.esx1.netflow.purgatory_max: [4]}\n",
        "sweep.yaml",
    )
    (tmp_path / "table.csv").write_text(lab(duration="5s"))
    refused(
        esx_netflow,
        tmp_path,
        "sweep",
        "sweep.yaml",
        "-q",
        "-o",
        ".",
        words=["table.csv is the file that its scenario", "destroyed"],
    )
    assert esx_netflow("run", "lab.yaml", "-q", cwd=tmp_path).returncode == 0
    (tmp_path / "out" / "lab" / "report.html").symlink_to("summary.json")
    refused(esx_netflow, tmp_path, "report", "out/lab", words=["destroyed"])


# ---- pipes with a name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command",
    [
        ["probe", "-r", CAPTURE, "--csv", "pipe"],
        ["probe", "-r", "pipe"],
        ["collect", "-r", "pipe"],
        ["run", "lab.yaml", "-q", "--junit", "pipe"],
    ],
)
def test_the_first_signal_ends_the_waiting_for_the_other_end_of_a_pipe(esx_netflow, tmp_path, command, number):
    write(tmp_path, lab(duration="5s"))
    os.mkfifo(tmp_path / "pipe")
    process = esx_netflow.start(*command, cwd=tmp_path)
    time.sleep(1.5)
    assert process.poll() is None, "it waits"
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode in (130, -number) and "Traceback" not in stderr
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.name != "out") == ["lab.yaml", "pipe"]


def test_a_pipe_gets_all_rows(esx_netflow, tmp_path):
    (tmp_path / "in.pcap").write_bytes(pcap(packets(3000)))
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "source")
    process = esx_netflow.start("probe", "-r", "source", "--csv", "pipe", cwd=tmp_path)
    with subprocess.Popen(["cat", "pipe"], cwd=tmp_path, stdout=subprocess.PIPE) as reader:
        time.sleep(1)
        (tmp_path / "source").open("wb").write((tmp_path / "in.pcap").read_bytes())
        rows = reader.communicate(timeout=WAIT_S)[0].decode().splitlines()
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 0 and len(rows) == 1 + 3000
