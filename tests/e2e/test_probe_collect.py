# SPDX-License-Identifier: GPL-2.0-only
"""collect: from the network and out of captures, with datagrams good, bad, missing and repeated."""
import re
import signal
import socket
import struct

import pytest
from oracle.building import ethernet, ipv4, pcap, udp
from oracle.netflow5 import Datagram, V5Record
from probing import BOOT_NS, DATA, DIFFERENTIAL, Sink

WAIT_S = 120


def datagram(sequence=0, count=1, engine=1) -> bytes:
    records = tuple(V5Record("10.0.0.1", "10.0.0.2", sport=n, dport=80, proto=6) for n in range(count))
    return Datagram(1000, 1_700_000_000, 0, sequence, 0, engine, 0, records).encode()


def captured(*payloads, port=2055, **ip) -> bytes:
    """A capture of these datagrams."""
    return pcap([(BOOT_NS, ethernet(ipv4(udp(5000, port, payload), **ip))) for payload in payloads])


def without_origin(text: str) -> list[str]:
    lines = (re.sub(r" from [\d.]+:\d+", "", line) for line in text.splitlines())
    return [line for line in lines if re.match(r"datagram \d|  \w", line)]


@pytest.fixture
def listening(esx_netflow):
    """Starts collect on a free port -> process, address"""
    processes = []

    def start(*options):
        process = esx_netflow.start("collect", "-l", "127.0.0.1:0", *options)
        processes.append(process)
        host, port = process.stderr.readline().removeprefix("listening on ").split(":")
        return process, (host, int(port))

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def collect_file(esx_netflow, tmp_path):
    def collect(content: bytes, *options):
        (tmp_path / "export.pcap").write_bytes(content)
        return esx_netflow("collect", "-r", tmp_path / "export.pcap", *options)

    return collect


def test_collect_prints_what_probe_says_it_sends(esx_netflow, listening):
    process, (host, port) = listening("-c", 6)
    sent = esx_netflow("probe", "-v", "-r", DIFFERENTIAL, "-n", f"{host}:{port}")
    stdout, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert without_origin(stdout) == without_origin(sent.stdout)
    assert "datagrams 6 refused 0 records 8 exporters-and-engines 1\nsequence gaps 0 records-missing 0 steps-back 0\n" in stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_summary(listening, number):
    process, address = listening()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(datagram(), address)
        assert "datagram 1 from 127.0.0.1:" in process.stdout.readline()
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0 and "datagrams 1 refused 0 records 1 " in stdout


def test_bad_datagrams_are_refused_with_the_reason_and_counted(collect_file):
    good = datagram()
    bad = {
        b"": "truncated header",
        good[:23]: "truncated header",
        b"\0\x09" + good[2:]: "version",
        good + b"\0": "length",
        good[:2] + b"\0\0" + good[4:]: "count",
        (DATA / "logstash_netflow5_test_invalid01.dat").read_bytes(): "count",
    }
    done = collect_file(captured(*bad))
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    for number, (line, reason) in enumerate(zip(lines, bad.values()), 1):
        assert re.fullmatch(rf"datagram {number} from 10.0.0.1:5000 refused: .*{reason}.*", line)
    assert lines[-2] == "datagrams 6 refused 6 records 0 exporters-and-engines 0"


def test_sequence_is_followed_for_each_exporter_and_engine(collect_file):
    done = collect_file(
        captured(datagram(0, 2), datagram(0, 3, engine=2), datagram(2), datagram(8, engine=2), datagram(3), datagram(2))
    )
    assert done.stdout.splitlines()[-1] == "sequence gaps 1 records-missing 5 steps-back 1"
    assert "  sequence 8 where 3 was due" in done.stdout


def test_sequence_may_wrap(collect_file):
    done = collect_file(captured(datagram(2**32 - 1, 2), datagram(1)))
    assert done.stdout.splitlines()[-1] == "sequence gaps 0 records-missing 0 steps-back 0"


def test_only_the_port_asked_for_is_read(collect_file):
    assert "datagrams 0 " in collect_file(captured(datagram(), port=4242)).stdout
    assert "datagrams 1 refused 0 " in collect_file(captured(datagram(), port=4242), "-l", 4242).stdout


def test_count_ends_it(collect_file):
    assert "datagrams 2 " in collect_file(captured(datagram(0), datagram(1), datagram(2)), "-c", 2).stdout


def test_datagrams_that_are_not_whole_are_refused(collect_file):
    assert "refused: fragmented" in collect_file(captured(datagram(), fragment=0x2000)).stdout
    frame = ethernet(ipv4(udp(5000, 2055, datagram())))
    assert "refused: incomplete" in collect_file(pcap([(BOOT_NS, frame[:-1], len(frame))])).stdout
    lying = ethernet(ipv4(struct.pack("!4H", 5000, 2055, 9000, 0) + datagram()))
    assert "refused: incomplete" in collect_file(pcap([(BOOT_NS, lying)])).stdout


def test_tags_and_padding_around_a_datagram_do_no_harm(collect_file):
    frame = ethernet(ipv4(udp(5000, 2055, datagram())), tags=((0x88A8, 5), (0x8100, 7))) + bytes(4)
    assert "datagrams 1 refused 0 records 1 " in collect_file(pcap([(BOOT_NS, frame)])).stdout


def test_a_capture_that_ends_too_early_is_printed_as_far_as_it_goes(collect_file):
    done = collect_file(captured(datagram(0), datagram(1))[:-1])
    assert done.returncode == 2
    assert "packet 2:" in done.stderr and "datagrams 1 refused 0 " in done.stdout


def test_a_datagram_of_another_exporter_shows_its_other_fields(collect_file):
    done = collect_file(captured((DATA / "telegraf_v5.bin").read_bytes()))
    assert "datagrams 1 refused 0 records 8 " in done.stdout


@pytest.mark.parametrize("text", ["port", "127.0.0.1:", "127.0.0.1:70000", "-1"])
def test_what_is_no_port_is_a_usage_error(esx_netflow, text):
    assert esx_netflow("collect", f"-l{text}").returncode == 2


def test_version_names_the_libraries(esx_netflow):
    done = esx_netflow("version")
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == ["esx-netflow", "ns-3", "libpcap", "yaml-cpp", "nlohmann-json", "Boost", "CLI11", "fmt"]
    assert done.returncode == 0 and esx_netflow("--version").stdout == done.stdout.splitlines()[0] + "\n"


@pytest.mark.parametrize("arguments", [["--help"], ["probe", "--help"], ["collect", "-h"]])
def test_help_with_examples_fits_a_screen(esx_netflow, arguments):
    done = esx_netflow(*arguments)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and "Examples:" in lines
    assert len(lines) <= 40 and max(map(len, lines)) <= 100
