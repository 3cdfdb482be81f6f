# SPDX-License-Identifier: GPL-2.0-only
"""Numbers and durations of options: what is none is refused by every option of every command, with what is allowed."""

import contextlib
import io
import re
import resource
import struct

import pytest
from commands import CAPTURE
from esx_netflow.__main__ import _run
from labs import QUICKSTART
from oracle.building import ethernet, ipv4, pcap, udp

WHOLE = {  # command and option, the lowest and the highest value or None
    ("probe", "-c"): (1, None),
    ("probe", "--heap"): (0, None),
    ("probe", "--max-flows"): (1, None),
    ("probe", "-s"): (1, 1_000_000_000),
    ("probe", "--switch"): (1, 65535),
    ("probe", "--input"): (0, 65535),
    ("probe", "--output"): (0, 65535),
    ("probe", "--purgatory"): (1, 1 << 24),
    ("collect", "-c"): (1, None),
    ("compare", "--idle"): (1, 100_000),
    ("compare", "--active"): (1, 100_000),
    ("compare", "--limit"): (0, None),
    ("run", "--seed"): (1, 4294967295),
    ("run", "--run"): (0, 4294967295),
    ("run", "-j"): (1, 1024),
    ("explain", "--limit"): (0, 4294967295),
    ("talkers", "--top"): (0, None),
    ("talkers", "--fan-out"): (0, None),
    ("talkers", "--ports"): (0, None),
    ("sweep", "-j"): (1, 1024),
}
REAL = {
    ("probe", "--idle"): (0.001, 1e6),
    ("probe", "--active"): (0.001, 1e6),
    ("probe", "--scan-interval"): (0.001, 1e6),
    ("probe", "--rate"): (0, 1e9),
    ("probe", "--uptime"): (0, 4e9),
    ("probe", "--stats"): (0, 1e6),
    ("run", "--to-rate"): (0, 1e9),
    ("talkers", "--volume"): (1, 1e9),
}
DURATION = [("talkers", "--last"), ("talkers", "--window")]
NEEDED = {
    "probe": ["-r", "no.pcap"],
    "collect": ["-r", "no.pcap"],
    "compare": ["-r", "no.pcap", "--peer", "softflowd"],
    "run": ["no.yaml"],
    "explain": ["no", "--flow", "*->*"],
    "talkers": ["no"],
    "sweep": ["no.yaml"],
}
NO_NUMBERS = [
    "nan",
    "-nan",
    "inf",
    "-inf",
    "infinity",
    "",
    " ",
    "1 ",
    " 1",
    "1 000",
    "0x10",
    "1e400",
    "-1",
    "+1",
    "1s",
    "1,5",
    "--1",
    "18446744073709551616",
    "9" * 400,
    "١",
]
NO_DURATIONS = [
    "nan",
    "infs",
    "",
    " ",
    "1",
    "1 s",
    " 1s",
    "-1s",
    "+1s",
    "1e3s",
    "1S",
    "1.s",
    ".5s",
    "s",
    "1d",
    "1s1s",
    "999999999999h",
    "9" * 400 + "s",
    "0x1s",
]


def refused(esx_netflow, command, option, value, tmp_path):
    given = [f"{option}={value}"] if option.startswith("--") else [option + value] if value else [option, value]
    line = [command, *NEEDED[command], *given]
    # Python, which takes half a second to start
    if command in ("explain", "talkers", "sweep") and value not in ("nan", "1"):
        code, said = refused_in_this_process(line)
    else:
        done = esx_netflow(*line, cwd=tmp_path)
        code, said = done.returncode, done.stderr
    assert code == 2 and "Traceback" not in said, value
    return said


def refused_in_this_process(line: list[str]) -> tuple[int, str]:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            return _run(line), said.getvalue()
        except SystemExit as end:
            return end.code, said.getvalue()


@pytest.mark.parametrize("command, option", WHOLE)
def test_whole_numbers(esx_netflow, tmp_path, command, option):
    low, high = WHOLE[command, option]
    wrong = [
        *NO_NUMBERS,
        "1.5",
        "1e3",
        *([str(low - 1)] if low else []),
        *([str(high + 1)] if high and high < 1 << 64 else []),
    ]
    for value in wrong:
        message = refused(esx_netflow, command, option, value, tmp_path)
        if not value:
            continue  # "is missing"
        assert "whole number" in message and (f"from {low} to {high}" if high else f"of at least {low}") in message, (
            value
        )
    for value in (low or 1, high or 1 << 40):
        # the file is not there
        assert "whole number" not in refused(esx_netflow, command, option, str(value), tmp_path)


@pytest.mark.parametrize("command, option", REAL)
def test_numbers_that_may_be_fractions(esx_netflow, tmp_path, command, option):
    low, high = REAL[command, option]
    for value in [*NO_NUMBERS, *([f"{low / 2}"] if low else []), f"{high * 1.001:f}"]:
        message = refused(esx_netflow, command, option, value, tmp_path)
        if not value:
            continue  # "is missing"
        assert "is no number from" in message and f"'{value}'" in message
    for value in ("1", "1.5", f"{high:.0f}"):
        assert "is no number" not in refused(esx_netflow, command, option, value, tmp_path)


@pytest.mark.parametrize("command, option", DURATION)
def test_durations(esx_netflow, tmp_path, command, option):
    for value in NO_DURATIONS:
        text = f"{value}..2s" if option == "--window" else value
        if text:
            message = refused(esx_netflow, command, option, text, tmp_path)
            assert "time with its unit (ns, us, ms, s, min, h)" in message, value


@pytest.mark.parametrize("number", ["-1", "65536", "nan", "1.5", "0x10"])
def test_interface_numbers(esx_netflow, number):
    done = esx_netflow("ifindex", number)
    assert done.returncode == 2 and "whole number from 0 to 65535" in done.stderr


@pytest.mark.parametrize("engine", ["-1", "65536", "0/256", "/", "1/", "nan", " 1"])
def test_engines(esx_netflow, engine):
    done = esx_netflow("ifindex", "5", f"--engine={engine}")
    assert done.returncode == 2 and "0 to 65535" in done.stderr


@pytest.mark.parametrize("protocol", ["256", "-1", "nan", "tpc", " 6"])
def test_protocols(esx_netflow, tmp_path, protocol):
    done = esx_netflow("explain", tmp_path, "--flow", "*->*", f"--proto={protocol}")
    assert done.returncode == 2 and "0 to 255" in done.stderr


@pytest.mark.parametrize("arguments", [["probe", "-r", CAPTURE, "-n"], ["collect", "-l"], ["run", "no.yaml", "--to"]])
@pytest.mark.parametrize("target", ["[::1]:2055", "::1", "fe80::1:2055", "[::]:1"])
def test_addresses_of_ipv6_are_named(esx_netflow, arguments, target):
    done = esx_netflow(*arguments, target)
    assert done.returncode == 2 and "IPv6" in done.stderr and target in done.stderr


@pytest.mark.parametrize("port", ["65536", "-1", "x", "", "1e3", " 1"])
def test_ports(esx_netflow, port):
    done = esx_netflow("probe", "-r", CAPTURE, "-n", f"127.0.0.1:{port}")
    assert done.returncode == 2 and "0 to 65535" in done.stderr


YAML = {
    "a tab": ("version: 1\nname: a\n\trun: 3\n", ":3:1: YAML: a tab in the indentation"),
    "a tab below a key": ("version: 1\nrun:\n\tduration: 3s\n", "a tab in the indentation"),
    "a tab among blanks": ("version: 1\nrun:\n  duration: 3s\n \tseed: 1\n", "a tab in the indentation"),
    "deep lists": ("a: " + "[" * 100_000 + "]" * 100_000, "nested too deep"),
    "deep maps": ("{a: " * 100_000 + "1" + "}" * 100_000, "nested too deep"),
    "deep lists without an end": ("[" * 100_000, "nested too deep"),
    "deep blocks": ("".join(" " * i + "a:\n" for i in range(2000)), "nested"),
}


@pytest.mark.parametrize("case", YAML)
def test_yaml_that_cannot_be_read_says_why(esx_netflow, tmp_path, case):
    text, message = YAML[case]
    (tmp_path / "a.yaml").write_text(text)
    done = esx_netflow("validate", tmp_path / "a.yaml")
    assert done.returncode == 2 and message in done.stderr and "bad file" not in done.stderr


def test_times_in_messages_are_exact(esx_netflow, tmp_path):
    text = QUICKSTART.read_text().replace("duration: 60s", "duration: 1ns")
    (tmp_path / "a.yaml").write_text(text)
    assert "3s is after the end of the run (1ns)" in esx_netflow("validate", tmp_path / "a.yaml").stderr


def test_years_of_the_default_series_are_warned_of(esx_netflow, tmp_path):
    text = QUICKSTART.read_text()
    for duration, warned in (("876000h", True), ("1h", False)):
        (tmp_path / "a.yaml").write_text(text.replace("duration: 60s", f"duration: {duration}"))
        assert ("GB of memory" in esx_netflow("validate", tmp_path / "a.yaml").stderr) is warned


def test_no_memory_is_told(esx_netflow, tmp_path):
    """As much as a small capture needs is too little for 400 000 live flows: the program ends, or, if it is the table
    of flows that cannot grow, sheds them as without heap."""
    frame = ethernet(ipv4(udp(data=b"")))
    many = [
        (1_700_000_000 * 10**9 + i, frame[:34] + struct.pack("!HH", i >> 16, i & 0xFFFF) + frame[38:])
        for i in range(400_000)
    ]
    (tmp_path / "many.pcap").write_bytes(pcap(many))
    limit = next(
        size for size in range(1 << 26, 1 << 29, 1 << 22) if within(esx_netflow, size, CAPTURE).returncode == 0
    )
    done = within(esx_netflow, limit + (1 << 22), tmp_path / "many.pcap")
    if done.returncode == 0:
        assert re.search(r"^shed_no_memory +[1-9]", done.stdout, re.MULTILINE), done
    else:
        assert (done.returncode, done.stderr) == (2, "esx-netflow: there is not enough memory for that\n")


def within(esx_netflow, octets, capture):
    return esx_netflow(
        "probe", "-r", capture, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (octets, octets))
    )
