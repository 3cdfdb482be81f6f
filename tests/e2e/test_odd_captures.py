# SPDX-License-Identifier: GPL-2.0-only
"""Captures whose times step, are wild or missing, and captures that are odd and sound: metered right, and told."""

import bz2
import csv
import gzip
import io
import lzma
import struct
import subprocess

import pytest
from labs import summary, table, write
from oracle.building import ethernet, ipv4, pcap, pcapng_block, tcp, udp
from probing import SECOND_NS, statistics
from test_probe_and_injection import LAB, records

T = 1_700_000_000
FRAME = ethernet(ipv4(udp(1, 2)))
BACK = ethernet(ipv4(udp(2, 1), src="10.0.0.2", dst="10.0.0.1"))


def at(*seconds, frame=FRAME) -> list[tuple]:
    return [(round(second * 1000) * 10**6, frame) for second in seconds]


def section(order="<") -> bytes:
    return pcapng_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(link=1, snap=262144, order="<") -> bytes:
    return pcapng_block(order, 1, struct.pack(order + "HHI", link, 0, snap))


def enhanced(second, frame=FRAME, number=0, order="<") -> bytes:
    head = struct.pack(order + "5I", number, second * 10**6 >> 32, second * 10**6 & 0xFFFFFFFF, len(frame), len(frame))
    return pcapng_block(order, 6, head + frame)


def simple(frame=FRAME) -> bytes:
    return pcapng_block("<", 3, struct.pack("<I", len(frame)) + frame)


@pytest.fixture
def probe(esx_netflow, tmp_path):
    """-> records as (packets, First, Last) in s since 1970, and what the program said; by way of collect."""

    def run(content: bytes, *options):
        (tmp_path / "in.cap").write_bytes(content)
        done = esx_netflow("probe", "-r", tmp_path / "in.cap", "-w", tmp_path / "export.pcap", *options)
        assert done.returncode == 0, done.stderr
        assert statistics(done.stdout)["residual"] == (0, 0, 0)
        rows = csv.DictReader(io.StringIO(esx_netflow("collect", "-r", tmp_path / "export.pcap", "--csv", "-").stdout))
        times = sorted(
            (int(row["packets"]), int(row["first_unix_ms"]) / 1000, int(row["last_unix_ms"]) / 1000) for row in rows
        )
        return times, done.stdout

    return run


def test_of_two_clocks_the_first_leads_and_the_others_packets_are_shifted(probe):
    packets = [p for i in range(100) for p in (*at(T + i), *at(T + i - 37 + 0.01, frame=BACK))]
    times, told = probe(pcap(packets))
    assert times == [(100, T, T + 99), (100, T + 0.01, T + 99.01)]
    assert "packets of another clock 100: shifted by 37 s\n" in told


def test_a_packet_without_a_time_counts_as_the_one_before(probe):
    times, told = probe(pcap(at(T + 10, T + 11, 0, T + 12, T + 13)))
    assert times == [(5, T + 10, T + 13)]
    assert "packets without a time 1: each counts as the one before\n" in told
    times, told = probe(section() + interface() + simple() + enhanced(T) + simple() + enhanced(T + 1) + enhanced(T + 2))
    assert times == [(5, T, T + 2)]
    assert "packets without a time 2:" in told


@pytest.mark.parametrize("wild", [4_294_967_000, T + 1000, T - 1000, 5])
def test_one_wild_time_changes_no_other(probe, wild):
    times, told = probe(pcap(at(T, T + 1, wild, T + 2, *range(T + 22, T + 800, 20))))
    assert times[-1] == (4, T, T + 2) and times[:-1] == [(1, t, t) for t in range(T + 22, T + 800, 20)]
    assert "packets with a time far from all others 1:" in told


SET_BACK = at(1000, 1001, 950, 951, 960, 980, 999)


def test_behind_a_step_of_the_clock_times_are_the_packets_own(probe):
    times, told = probe(pcap(SET_BACK))
    assert times == [(1, 980, 980), (1, 999, 999), (5, 1000, 1011)]
    assert (
        "clock steps backwards 1 forwards 0\nrecords over a clock step 1: Last is First and their length by uptime\n"
        in told
    )


@pytest.mark.parametrize(
    "packets",
    [
        SET_BACK,
        [p for i in range(40) for p in (*at(T + i), *at(T + i - 37 + 0.01, frame=BACK))],
        at(T, T + 1, 4_294_967_000, T + 2, T + 22),
        at(T + 10, T + 11, 0, T + 12, T + 13),
        [(T * SECOND_NS + n, FRAME[:cut], 42) for n, cut in enumerate((42, 38, 36, 34, 30, 20, 16))],
    ],
    ids=["set-back", "two-clocks", "wild", "no-time", "cut"],
)
def test_simulation_and_probe_have_one_clock_and_one_word(esx_netflow, tmp_path, packets):
    (tmp_path / "in.pcap").write_bytes(pcap(packets))
    scenario = write(tmp_path, LAB.format(start=1000, file=tmp_path / "in.pcap"))
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    injected = [row for row in table(tmp_path / "out", "flows-exported.csv") if row["input_port"] == "a.eth0"]
    ports = "--input", injected[0]["input"], "--output", injected[0]["output"]
    probed = esx_netflow("probe", "-r", tmp_path / "in.pcap", "--csv", "-", *ports)
    assert records(injected, 1000) == records(csv.DictReader(io.StringIO(probed.stdout)))
    ignored, moves = summary(tmp_path / "out")["ledger"]["ignored"], statistics(probed.stderr)
    for word in "truncated", "malformed":
        assert ignored.get(word, {"packets": 0})["packets"] == moves.get("ignored_" + word, (0,))[0]


def test_times_stand_still_in_2106(esx_netflow, tmp_path):
    (tmp_path / "in.pcap").write_bytes(pcap(at(2**32 - 3, 2**32 - 2, 2**32 - 1)))
    esx_netflow("probe", "-r", tmp_path / "in.pcap", "-w", tmp_path / "export.pcap")
    done = esx_netflow("collect", "-r", tmp_path / "export.pcap", "--csv", "-")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (int(row["first_unix_ms"]), int(row["last_unix_ms"])) == ((2**32 - 3) * 1000, (2**32 - 1) * 1000)
    assert int(row["unix_ns"]) == 2**32 * SECOND_NS - 1


def test_a_fraction_of_a_second_is_carried_and_named(probe):
    content = pcap(at(T), magic=0xA1B2C3D4) + struct.pack("<4I", T, 1_000_000, 42, 42) + FRAME
    times, told = probe(content + pcap(at(T + 2), magic=0xA1B2C3D4)[24:])
    assert times == [(3, T, T + 2)]
    assert "packet 2: a fraction of 1000000 us" in told


@pytest.mark.parametrize(
    "content",
    [
        section() + interface(snap=65535) + interface(snap=262144) + enhanced(T) + enhanced(T + 1, number=1),
        section() + interface() + interface(101) + enhanced(T) + enhanced(T + 1, FRAME[14:], 1),
        section() + interface() + enhanced(T) + section(">") + interface(order=">") + enhanced(T + 1, order=">"),
        pcap([(T * SECOND_NS, FRAME), ((T + 1) * SECOND_NS, FRAME, 20)]),
    ],
    ids=["snap-lengths", "link-types", "byte-orders", "captured-above-original"],
)
def test_what_is_odd_and_sound_is_read_from_files_and_pipes(probe, esx_netflow, content):
    times, _ = probe(content)
    assert times == [(2, T, T + 1)]
    piped = subprocess.run([esx_netflow.path, "probe", "-r", "-"], input=content, capture_output=True, timeout=60)
    assert piped.returncode == 0
    assert statistics(piped.stdout.decode())["metered"] == (2, 56, 1)


def test_an_offloaded_segment_counts_by_its_frame(probe):
    segment = tcp(data=bytes(20000))
    _, told = probe(
        pcap(
            [
                (T * SECOND_NS, ethernet(ipv4(segment, proto=6, total=0))),
                (T * SECOND_NS, ethernet(ipv4(segment[:100], proto=6))),
            ]
        )
    )
    assert statistics(told)["metered"] == (2, 20 + 20020 + 20 + 100, 1)
    assert "packets of IP total length 0 1: the frame's length counts" in told


def test_cut_packets_whose_length_was_lost_count_by_an_option_that_a_hint_names(probe):
    content = pcap([(T * SECOND_NS + i, ethernet(ipv4(udp(data=bytes(1000))))[:60]) for i in range(3)])
    _, told = probe(content)
    assert statistics(told)["ignored_truncated"][0] == 3 and "--trust-ip-length" in told
    _, told = probe(content, "--trust-ip-length")
    assert statistics(told)["metered"] == (3, 3 * 1028, 1)


@pytest.mark.parametrize("program, module", [("gzip", gzip), ("xz", lzma), ("bzip2", bz2)])
def test_a_compressed_capture_says_how_to_read_it(esx_netflow, tmp_path, program, module):
    (tmp_path / "in.pcap").write_bytes(module.compress(pcap(at(T))))
    for command in "probe", "collect":
        done = esx_netflow(command, "-r", tmp_path / "in.pcap")
        assert (
            done.returncode == 2
            and f"compressed with {program}" in done.stderr
            and f"{program} -dc FILE |" in done.stderr
        )


def test_reading_goes_on_behind_damage_and_the_damage_is_told(esx_netflow, tmp_path):
    packets = pcap(at(*range(T, T + 20)))
    size = 16 + len(FRAME)
    broken = packets[: 24 + 5 * size + 8] + b"\xff" * 4 + packets[24 + 5 * size + 12 :]
    (tmp_path / "in.pcap").write_bytes(broken)
    done = esx_netflow("probe", "-r", tmp_path / "in.pcap")
    assert done.returncode == 2
    assert statistics(done.stdout)["metered"][0] == 19
    assert (
        f"in.pcap: packet 6: 4294967295 octets captured; 262144 at most are possible; passed over {size} octets, "
        "read 19 packets"
    ) in done.stderr


ODD = [*at(T), (0, FRAME), *at(T + 1, T + 2, T + 1.5), (4 * 10**9 * 10**9, FRAME), *at(T + 3)]


def replay(esx_netflow, tmp_path, content, more=""):
    """-> (process, summary.json, Markdown) of a run that replays it"""
    (tmp_path / "in.pcap").write_bytes(content)
    scenario = write(
        tmp_path,
        LAB.format(start=1000, file=tmp_path / "in.pcap" if not more else f"{tmp_path}/in.pcap, {more}").replace(
            "1500s", "60s"
        ),
    )
    done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--summary-md", tmp_path / "run.md", cwd=tmp_path)
    return done, summary(tmp_path / "out"), (tmp_path / "run.md").read_text()


def replayed(tmp_path) -> tuple[int, int]:
    """-> packets and octets that were metered of the replay"""
    rows = [row for row in table(tmp_path / "out", "flows-truth.csv") if row["input_port"] == "a.eth0"]
    return sum(int(row["packets"]) for row in rows), sum(int(row["octets"]) for row in rows)


def oddities(text: str) -> list[str]:
    return [
        line.strip()
        for line in text.splitlines()
        if "packets out of order" in line or line.strip().startswith(("packets ", "times ")) and ": " in line
    ]


def test_probe_compare_and_a_replay_tell_the_same_oddities(esx_netflow, tmp_path):
    content = pcap(ODD)
    done, result, _ = replay(esx_netflow, tmp_path, content)
    assert done.returncode == 0, done.stderr
    told = oddities(esx_netflow("probe", "-r", tmp_path / "in.pcap").stdout)
    assert any("without a time 1" in line for line in told) and len(told) >= 3, told
    assert oddities(done.stdout) == told
    assert result["traffic"]["captures"] == [{"name": "t", "from": "a", "packets": 7, "damage": "", "odd": told}]
    compared = esx_netflow("compare", "--peer", "softflowd", "-r", tmp_path / "in.pcap")
    if "softflowd" not in compared.stderr:
        assert oddities(compared.stdout) == told


def test_collect_tells_odd_packets(esx_netflow, tmp_path):
    (tmp_path / "in.pcapng").write_bytes(section() + interface() + enhanced(T) + interface(147) + enhanced(T, number=1))
    done = esx_netflow("collect", "-r", tmp_path / "in.pcapng")
    assert done.returncode == 0 and "packets of an unknown link type 1: " in done.stdout.splitlines()[-1]


def test_a_replay_counts_cut_packets_by_their_length_if_it_is_told_to(esx_netflow, tmp_path):
    content = pcap([((T + i) * SECOND_NS, ethernet(ipv4(udp(data=bytes(1000))))[:60]) for i in range(3)])
    done, result, _ = replay(esx_netflow, tmp_path, content)
    assert done.returncode == 1 and result["ledger"]["truth"]["packets"] == 0  # and so nothing is metered
    assert "packets shorter than their IP total length 3: not metered; if who captured cut them" in "".join(
        result["traffic"]["captures"][0]["odd"]
    )
    done, result, _ = replay(esx_netflow, tmp_path, content, "trust_ip_length: true")
    assert done.returncode == 0 and replayed(tmp_path) == (3, 3 * 1028)
    assert "packets shorter than their IP total length 3: that length counts" in result["traffic"]["captures"][0]["odd"]


def test_damage_of_a_replayed_capture_fails_the_run_after_what_can_be_read(esx_netflow, tmp_path):
    packets = pcap(at(*range(T, T + 20)))
    size = 16 + len(FRAME)
    broken = packets[: 24 + 5 * size + 8] + b"\xff" * 4 + packets[24 + 5 * size + 12 :]
    done, result, markdown = replay(esx_netflow, tmp_path, broken)
    what = (
        f"packet 6: 4294967295 octets captured; 262144 at most are possible; passed over {size} octets, read 19 packets"
    )
    assert done.returncode == 1 and f"traffic[0].file: {what}" in done.stderr and f"damaged: {what}" in done.stdout
    assert replayed(tmp_path)[0] == 19 and result["traffic"]["captures"][0]["damage"] == what
    assert "1 of 1 traffic items replay damaged captures: t from a to b" in markdown


def test_collect_and_probe_read_what_annotate_writes(esx_netflow, tmp_path):
    scenario = write(tmp_path, LAB.format(start=1000, file=tmp_path / "in.pcap"))
    (tmp_path / "in.pcap").write_bytes(pcap(at(1, 2, 3)))
    assert (
        esx_netflow("run", scenario, "--out", tmp_path / "out", "--annotate", "--quiet", cwd=tmp_path).returncode == 0
    )
    collected = esx_netflow("collect", "-r", tmp_path / "out" / "nf1.pcapng")
    assert collected.returncode == 0 and "datagram 1 from 10.6.125.11" in collected.stdout
    probed = esx_netflow("probe", "-r", tmp_path / "out" / "nf1.pcapng")
    assert probed.returncode == 0 and statistics(probed.stdout)["metered"][0] > 0
