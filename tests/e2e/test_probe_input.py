# SPDX-License-Identifier: GPL-2.0-only
"""probe and collect with bad input, bad options, nobody listening, and Ctrl-C."""

import array
import fcntl
import signal
import subprocess
import termios
import time

import pytest
from oracle.building import ethernet, ipv4, pcap, udp
from probing import BOOT_NS, DIFFERENTIAL, ClosedPort, Sink, records_of, statistics

WAIT_S = 120


def packets(count: int) -> list[tuple]:
    return [(BOOT_NS + n, ethernet(ipv4(udp(1 + n, 53))), 42) for n in range(count)]


@pytest.fixture
def bad_file(tmp_path):
    def write(content: bytes):
        (tmp_path / "bad.pcap").write_bytes(content)
        return tmp_path / "bad.pcap"

    return write


@pytest.mark.parametrize("command", ["probe", "collect"])
@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "truncated"),
        (b"not a capture at all, only text", "unknown file format"),
        (pcap([])[:20], "truncated"),
        (pcap([], linktype=105), "link type IEEE802_11"),
        (pcap([], linktype=147), "link type number 147"),
    ],
    ids=["empty", "text", "header-truncated", "802.11", "nameless-link-type"],
)
def test_what_is_no_usable_capture_is_refused(esx_netflow, bad_file, command, content, message):
    done = esx_netflow(command, "-r", bad_file(content))
    assert done.returncode == 2
    assert message in done.stderr and "bad.pcap" in done.stderr


def test_missing_file_is_named(esx_netflow):
    done = esx_netflow("probe", "-r", "no-such-file.pcap")
    assert (done.returncode, done.stderr) == (2, "esx-netflow: no-such-file.pcap: No such file or directory\n")


ABSURD_LENGTH = pcap(packets(1)).replace((42).to_bytes(4, "little"), (2**32 - 1).to_bytes(4, "little"))[24:]


@pytest.mark.parametrize(
    "tail",
    [pcap(packets(1))[24:-1], pcap(packets(1))[24:30], ABSURD_LENGTH],
    ids=["packet-truncated", "header-truncated", "4-GiB"],
)
def test_what_was_read_before_the_damage_is_exported(esx_netflow, bad_file, tail):
    with Sink() as sink:
        done = esx_netflow("probe", "-r", bad_file(pcap(packets(40)) + tail), "-n", sink.target)
        assert done.returncode == 2
        assert "packet 41:" in done.stderr
        assert len(records_of(sink.datagrams())) == 40
    assert statistics(done.stdout)["residual"] == (0, 0, 0)


def test_empty_capture_is_no_error(esx_netflow, bad_file):
    done = esx_netflow("probe", "-r", bad_file(pcap([])))
    assert done.returncode == 0
    assert "datagrams 0" in done.stdout


def test_raw_ip_captures_are_read(esx_netflow, bad_file):
    frames = [(BOOT_NS, ipv4(udp())), (BOOT_NS, b"\x60" + bytes(39))]
    done = esx_netflow("probe", "-r", bad_file(pcap(frames, linktype=101)))
    assert statistics(done.stdout)["metered"] == (1, 28, 1)
    assert statistics(done.stdout)["ignored_not_ipv4"] == (1, 40, 0)


@pytest.mark.parametrize(
    "options, complaint",
    [
        ([], "-r FILE and -i INTERFACE"),
        (["-r", DIFFERENTIAL, "-i", "lo"], "-r FILE and -i INTERFACE"),
        (["-r", DIFFERENTIAL, "--map", "7=1"], "--map: '7=1' is not VLAN=SWITCH:PORT"),
        (["-r", DIFFERENTIAL, "-c", "0"], "--count"),
        (["-r", DIFFERENTIAL, "--bogus"], "--bogus"),
        (["-r", DIFFERENTIAL, "-s", "0"], "--poll"),
        (["-r", DIFFERENTIAL, "-s", "-5"], "--poll"),
        (["-r", DIFFERENTIAL, "--idle", "0"], "--idle"),
        (["-r", DIFFERENTIAL, "--purgatory", "0"], "--purgatory"),
        (["-r", DIFFERENTIAL, "--input", "65536"], "--input"),
        (["-r", DIFFERENTIAL, "--switch", "0"], "--switch"),
        (["-r", DIFFERENTIAL, "--sequence", "at-sent"], "did you mean 'at-send'?"),
    ],
)
def test_bad_options_end_with_the_usage_line(esx_netflow, options, complaint):
    done = esx_netflow("probe", *options)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "--help shows more" in done.stderr or "--map" in options
    assert done.stdout == ""


@pytest.mark.parametrize("arguments, complaint", [([], "subcommand"), (["prob"], "did you mean 'probe'?")])
def test_unknown_and_missing_commands_are_refused(esx_netflow, arguments, complaint):
    done = esx_netflow(*arguments)
    assert done.returncode == 2 and complaint in done.stderr


@pytest.mark.parametrize("target", ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:port", ":2055", "127.0.0.1:"])
def test_what_is_no_target_is_a_usage_error(esx_netflow, target):
    assert esx_netflow("probe", "-r", DIFFERENTIAL, "-n", target).returncode == 2


def test_a_heap_too_small_for_purgatory_is_a_usage_error(esx_netflow):
    done = esx_netflow("probe", "-r", DIFFERENTIAL, "--heap", 1000)
    assert done.returncode == 2 and "purgatory" in done.stderr


def test_unresolvable_collector_gives_3(esx_netflow):
    done = esx_netflow("probe", "-r", DIFFERENTIAL, "-n", "collector.invalid:2055")
    assert done.returncode == 3 and "collector.invalid:2055" in done.stderr


def test_a_port_in_use_gives_3(esx_netflow):
    with Sink() as sink:
        done = esx_netflow("collect", "-l", sink.target)
        assert done.returncode == 3 and sink.target in done.stderr


def test_nobody_listening_is_counted_and_not_fatal(esx_netflow):
    with ClosedPort() as closed:
        done = esx_netflow("probe", "-r", DIFFERENTIAL, "-n", closed.target)
    assert done.returncode == 0
    assert "sent 6 refused 6 " in done.stdout
    assert statistics(done.stdout)["sent"][2] == 8


def wait_until_read(pipe) -> None:
    waiting, end = array.array("i", [1]), time.monotonic() + WAIT_S
    while waiting[0]:
        assert time.monotonic() < end, "the program does not read its input"
        time.sleep(0.001)
        fcntl.ioctl(pipe, termios.FIONREAD, waiting)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_exports_what_it_has(esx_netflow, number):
    with Sink() as sink:
        command = [esx_netflow.path, "probe", "-r", "-", "-n", sink.target]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            process.stdin.write(pcap(packets(600)))
            process.stdin.flush()
            wait_until_read(process.stdin)
            process.send_signal(number)
            stdout, _ = process.communicate(timeout=WAIT_S)  # closes its input: nothing else can end it
        assert process.returncode == 130
        table = statistics(stdout.decode())
        assert table["residual"] == (0, 0, 0)
        assert table["metered"][2] > 400  # what it has read but for a buffer
        assert len(records_of(sink.datagrams())) == table["metered"][2]
