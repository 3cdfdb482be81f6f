# SPDX-License-Identifier: GPL-2.0-only
"""collect: from the network and out of captures, with datagrams good, bad, missing and repeated."""

import json
import re
import signal
import socket
import struct

import pytest
from oracle.building import ethernet, ipv4, pcap, udp
from oracle.netflow5 import Datagram, V5Record
from probing import BOOT_NS, DATA, DIFFERENTIAL

WAIT_S = 120


def datagram(
    sequence=0, count=1, engine=1, uptime=1000, secs=1_700_000_000, nsecs=0, sampling=0, first=0, last=0
) -> bytes:
    records = tuple(
        V5Record("10.0.0.1", "10.0.0.2", first=first, last=last, sport=n, dport=80, proto=6) for n in range(count)
    )
    return Datagram(uptime, secs, nsecs, sequence, 0, engine, sampling, records).encode()


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
    assert (
        "datagrams 6 refused 0 records 8 exporters-and-engines 1\nsequence gaps 0 records-missing 0 late 0 "
        "duplicates 0 restarts 0\n"
    ) in stdout


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
    assert done.stdout.splitlines()[-1] == "sequence gaps 1 records-missing 5 late 0 duplicates 1 restarts 0"
    assert "\n  sequence 8 where 3 was due: 5 records missing\n" in done.stdout
    assert "\n  sequence 2 where 4 was due: a duplicate\n" in done.stdout


def test_what_comes_late_is_not_missing(collect_file):
    done = collect_file(captured(*(datagram(n) for n in (0, 1, 3, 2, 4))))
    assert done.stdout.splitlines()[-1] == "sequence gaps 0 records-missing 0 late 1 duplicates 0 restarts 0"
    assert "\n  sequence 2 where 4 was due: late\n" in done.stdout


def test_the_table_of_goflow2_leaves_one_missing_and_two_duplicates(collect_file):
    done = collect_file(captured(*(datagram(n) for n in (10, 11, 16, 12, 15, 14, 14, 14))))
    assert done.stdout.splitlines()[-1] == "sequence gaps 1 records-missing 1 late 3 duplicates 2 restarts 0"


def test_a_later_boot_is_a_restart_and_loses_nothing(collect_file):
    done = collect_file(captured(datagram(500), datagram(0, secs=1_700_000_060), datagram(1, secs=1_700_000_060)))
    assert done.stdout.splitlines()[-1] == "sequence gaps 0 records-missing 0 late 0 duplicates 0 restarts 1"
    assert "\n  sequence 0 where 501 was due: the exporter restarted\n" in done.stdout


def test_times_are_signed_against_the_uptime(collect_file):
    done = collect_file(
        captured(datagram(uptime=10_000, first=9_500, last=10_160), datagram(1, uptime=100, first=2**32 - 900)),
        "--json",
        "-",
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["first_unix_ms"] - 1_700_000_000_000, row["last_unix_ms"] - 1_700_000_000_000) for row in rows] == [
        (-500, 160),
        (-1000, -100),
    ]


def test_sampling_mode_and_interval_are_apart(collect_file):
    capture = captured(datagram(sampling=0x4064))
    assert " sampling mode 1 interval 100\n" in collect_file(capture).stdout
    row = json.loads(collect_file(capture, "--json", "-").stdout)
    assert (row["sampling_mode"], row["sampling_interval"]) == (1, 100)
    assert "sampling" not in collect_file(captured(datagram())).stdout


def test_nanoseconds_that_are_not_valid_are_told_and_count_as_none(collect_file):
    capture = captured(datagram(nsecs=2**32 - 1), datagram(1, nsecs=999_999_999))
    text = collect_file(capture).stdout
    assert " time 2023-11-14T22:13:20Z and 4294967295 nanoseconds, which is not valid\n" in text
    assert " time 2023-11-14T22:13:20.999999999Z\n" in text
    done = collect_file(capture, "--json", "-")
    assert json.loads(done.stdout.splitlines()[0])["unix_ns"] == 1_700_000_000 * 10**9
    for told in (text, done.stderr):
        assert "\nunix_nsecs not valid, taken as 0: 1 datagram\n" in told


def test_every_field_may_be_all_ones(collect_file):
    largest = b"\0\x05\0\x01" + b"\xff" * 68
    text = collect_file(captured(largest)).stdout
    assert "engine 255/255 sequence 4294967295 count 1 uptime 4294967.295 time 2106-02-07T06:28:15Z and" in text
    assert (
        "protocol 255 255.255.255.255:65535 > 255.255.255.255:65535 tos 0xff in 65535 out 65535 packets 4294967295 "
        "octets 4294967295"
    ) in text
    assert "flags CEUAPRSF nexthop 255.255.255.255 as 65535>65535 mask 255>255 pad 0xff,0xffff\n" in text
    row = json.loads(collect_file(captured(largest), "--json", "-").stdout)
    assert (row["first_unix_ms"], row["sampling_mode"], row["sampling_interval"]) == (4294967295000, 3, 16383)


def test_sequence_may_wrap(collect_file):
    done = collect_file(captured(datagram(2**32 - 1, 2), datagram(1)))
    assert done.stdout.splitlines()[-1] == "sequence gaps 0 records-missing 0 late 0 duplicates 0 restarts 0"


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
