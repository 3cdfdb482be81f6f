# SPDX-License-Identifier: GPL-2.0-only
"""probe over captures: what arrives is the oracle's truth, at a socket and at a real nfcapd."""

from collections import Counter

import pytest
from oracle.building import ethernet, ipv4, pcap, pcapng, udp
from oracle.capture import read_capture
from oracle.collector_files import NfcapdRun, rows_of_datagrams
from oracle.flowtruth import FlowTruth, truth_of_capture
from oracle.netflow5 import check_rules
from probing import (
    BOOT_NS,
    DIFFERENTIAL,
    GENTLY,
    SECOND_NS,
    Sink,
    mixed_packets,
    records_of,
    records_of_truth,
    statistics,
)

FORMS = {
    "ns": lambda packets: pcap(packets),
    "ns-big-endian": lambda packets: pcap(packets, order=">"),
    "us": lambda packets: pcap(packets, magic=0xA1B2C3D4),
    "pcapng": lambda packets: pcapng([(time_ns, frame, 0) for time_ns, frame, _ in packets]),
}


def capture_file(folder, packets, form="ns"):
    path = folder / f"{form}.pcap"
    path.write_bytes(FORMS[form](packets))
    return path


def truth_of(path, **settings) -> FlowTruth:
    packets = read_capture(path)
    return truth_of_capture(packets, boot_ns=packets[0].time_ns, **settings)


def many_flows(count: int) -> list[tuple]:
    """One packet each, all at once."""
    return [(BOOT_NS, ethernet(ipv4(udp(1 + n, 53))), 42) for n in range(count)]


def probe(esx_netflow, path, *options):
    """-> what it printed, the datagrams that arrived"""
    with Sink() as sink:
        done = esx_netflow("probe", "-r", path, "-n", sink.target, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout, sink.datagrams()


def test_known_capture_gives_its_known_totals(esx_netflow):
    stdout, datagrams = probe(esx_netflow, DIFFERENTIAL)
    assert statistics(stdout)["metered"] == (26, 4490, 8)
    assert statistics(stdout)["sent"] == (26, 4490, 8)
    assert statistics(stdout)["residual"] == (0, 0, 0)
    assert Counter(records_of(datagrams)) == Counter(records_of_truth(truth_of(DIFFERENTIAL)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_records_equal_the_truth_of_the_capture(esx_netflow, tmp_path, form, seed):
    path = capture_file(tmp_path, mixed_packets(800, seed), form)
    stdout, datagrams = probe(esx_netflow, path)
    truth = truth_of(path)
    table = statistics(stdout)
    assert Counter(records_of(datagrams)) == Counter(records_of_truth(truth))
    assert check_rules(datagrams) == []
    for cause, packets in truth.ignored_packets.items():
        assert table[f"ignored_{cause}"][:2] == (packets, truth.ignored_octets[cause])
    total = truth.total()
    assert table["metered"] == (total.packets, total.octets, total.records)


def test_timeouts_are_options(esx_netflow, tmp_path):
    path = capture_file(tmp_path, mixed_packets(500, 4))
    _, datagrams = probe(esx_netflow, path, "--idle", 2, "--active", 7.5, "--scan-interval", 100, "-s", 250)
    truth = truth_of(path, idle_ns=2 * SECOND_NS, active_ns=7_500_000_000, scan_ns=100_000_000)
    assert Counter(records_of(datagrams)) == Counter(records_of_truth(truth))
    assert all(d.uptime % 250 == 0 for d in datagrams)


@pytest.mark.parametrize("flows", [0, 5000], ids=["mixed", "a-burst-of-flows"])
def test_nfcapd_stores_exactly_the_records_sent(esx_netflow, tmp_path, flows):
    path = capture_file(tmp_path, many_flows(flows) or mixed_packets(800, 7))
    with NfcapdRun() as collector:
        done = esx_netflow("probe", "-r", path, "-n", f"{collector.host}:{collector.port}", *GENTLY)
        assert done.returncode == 0, done.stderr
        collector.stop()
        assert collector.sequence_errors == 0 and collector.bad_packets == 0
        stored = collector.rows
    truth = truth_of(path)
    assert stored.total() == truth.total().records
    assert sum(row.packets * n for row, n in stored.items()) == truth.total().packets
    assert sum(row.octets * n for row, n in stored.items()) == truth.total().octets
    if not flows:
        assert stored == rows_of_datagrams(probe(esx_netflow, path)[1])


def test_same_capture_gives_the_same_octets_whatever_the_surroundings(esx_netflow, tmp_path):
    path = capture_file(tmp_path, mixed_packets(500, 5))
    surroundings = {}, {"cwd": tmp_path, "env": {"TZ": "Asia/Kathmandu", "LC_ALL": "de_DE.UTF-8"}}
    outputs = []
    for settings in surroundings:
        with Sink() as sink:
            done = esx_netflow("probe", "-v", "-r", path, "-n", sink.target, **settings)
            outputs.append((sink.payloads(), done.stdout.replace(sink.target, "")))
    assert outputs[0] == outputs[1]
    assert len(outputs[0][0]) > 10


def test_a_full_purgatory_loses_nothing_by_default(esx_netflow, tmp_path):
    stdout, datagrams = probe(esx_netflow, capture_file(tmp_path, many_flows(1000)), "--purgatory", 30)
    assert len(records_of(datagrams)) == 1000
    assert not any(move.startswith("dropped") for move in statistics(stdout))


def test_lossy_drops_what_finds_no_room(esx_netflow, tmp_path):
    stdout, datagrams = probe(esx_netflow, capture_file(tmp_path, many_flows(1000)), "--purgatory", 30, "--lossy")
    assert len(records_of(datagrams)) == 30
    assert statistics(stdout)["dropped_purgatory_full"][2] == 970
    assert statistics(stdout)["residual"] == (0, 0, 0)


def test_drops_show_as_gaps_under_at_expiry_only(esx_netflow, tmp_path):
    late = [(BOOT_NS + 30 * SECOND_NS, ethernet(ipv4(udp(9, 9))), 42)]
    path = capture_file(tmp_path, many_flows(100) + late)
    for mode, next_sequence in (("at-send", 30), ("at-expiry", 100)):
        _, datagrams = probe(esx_netflow, path, "--purgatory", 30, "--lossy", "--sequence", mode)
        assert [d.sequence for d in datagrams] == [0, next_sequence]


def test_the_sequence_begins_where_it_is_told_and_wraps(esx_netflow, tmp_path):
    _, datagrams = probe(esx_netflow, capture_file(tmp_path, many_flows(70)), "--initial-sequence", 2**32 - 40)
    assert [d.sequence for d in datagrams] == [2**32 - 40, 2**32 - 10, 20]


@pytest.mark.parametrize(
    "policy, metered, move", [("drop-new", 2, "shed_no_memory"), ("evict-oldest", 5, "ended_evicted")]
)
def test_memory_runs_out_as_the_policy_says(esx_netflow, tmp_path, policy, metered, move):
    heap = 10 * 64 + 2 * 80
    path = capture_file(tmp_path, many_flows(5))
    stdout, _ = probe(esx_netflow, path, "--purgatory", 10, "--heap", heap, "--cache-policy", policy)
    assert statistics(stdout)["metered"][0] == metered
    assert statistics(stdout)[move][0] == 3


def test_interfaces_carry_the_switch_under_p(esx_netflow):
    switch_and_ports = "--switch", 3, "--input", 13, "--output", 2
    _, plain = probe(esx_netflow, DIFFERENTIAL, *switch_and_ports)
    _, encoded = probe(esx_netflow, DIFFERENTIAL, *switch_and_ports, "-p")
    assert {(d.engine, r.input, r.output) for d in plain for r in d.records} == {(3, 13, 2)}
    assert {(d.engine, r.input, r.output) for d in encoded for r in d.records} == {(3, 1549, 3 * 512 + 2)}


@pytest.mark.parametrize(
    "seconds, counted, last",
    [
        ((0, 5, 2, -3, 6), "packets out of order 2, clock steps backwards 0 forwards 0", 6000),
        ((0, 5, -7, -6, -4), "packets out of order 0, clock steps backwards 1 forwards 0", 8000),
    ],
    ids=["out-of-order", "set-back"],
)
def test_a_clock_that_goes_backwards_is_counted_and_harms_nothing(esx_netflow, tmp_path, seconds, counted, last):
    frame = ethernet(ipv4(udp()))
    path = capture_file(tmp_path, [(BOOT_NS + t * SECOND_NS, frame, len(frame)) for t in seconds])
    stdout, datagrams = probe(esx_netflow, path)
    assert counted in stdout
    assert check_rules(datagrams) == []
    assert [(r.packets, r.first, r.last) for d in datagrams for r in d.records] == [(5, 0, last)]


def test_clock_step_of_years_forwards_ends_records_at_their_time(esx_netflow, tmp_path):
    frame = ethernet(ipv4(udp()))
    path = capture_file(tmp_path, [(BOOT_NS, frame, 42), (BOOT_NS + 10 * 365 * 86400 * SECOND_NS, frame, 42)])
    stdout, datagrams = probe(esx_netflow, path)
    assert "clock steps backwards 0 forwards 1" in stdout
    assert check_rules(datagrams) == []
    assert datagrams[0].uptime == 16000
    assert len(datagrams) == 2


def test_without_a_collector_there_are_statistics_only(esx_netflow):
    done = esx_netflow("probe", "-r", DIFFERENTIAL)
    assert done.returncode == 0
    assert statistics(done.stdout)["metered"] == (26, 4490, 8)
    assert "nothing was sent" in done.stdout
