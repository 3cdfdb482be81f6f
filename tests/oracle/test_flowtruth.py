# SPDX-License-Identifier: GPL-2.0-only
import random
from collections import Counter
from pathlib import Path

import pytest
from oracle.building import ethernet, ipv4, udp
from oracle.capture import read_capture
from oracle.flowtruth import COUNTER_MAX, FlowKey, FlowTruth, truth_of_capture

S, MS = 10**9, 10**6
INPUT_A = Path(__file__).parent.parent / "data" / "differential_input_a.pcap"
KEY = FlowKey("esx1", "vSwitch0", "10.0.0.1", "10.0.0.2", 17, 1, 2, 0, 3)


def truth_of(*times, **settings) -> FlowTruth:
    truth = FlowTruth(**settings)
    for time in times:
        truth.packet(time, KEY, 100)
    return truth


def test_differential_input_a():
    truth = truth_of_capture(read_capture(INPUT_A))
    total = truth.total()
    assert (total.packets, total.octets, total.records) == (26, 4490, 8)
    assert truth.ignored_packets == {"not_ipv4": 1}
    by_source = Counter((r.key.src, r.key.sport, r.key.tos, r.packets, r.octets, r.tcp_flags) for r in truth.records())
    assert by_source == Counter(
        [
            ("10.0.0.1", 1111, 0, 10, 400, 0x10),
            ("10.0.0.3", 2222, 0x00, 2, 256, 0),  # ToS is part of the flow
            ("10.0.0.3", 2222, 0xB8, 2, 256, 0),
            ("10.0.0.5", 3333, 0, 1, 1500, 0),  # first fragment; the others without ports
            ("10.0.0.5", 0, 0, 2, 1560, 0),
            ("10.0.0.7", 5555, 0, 3, 234, 0),  # two VLANs: not part of the flow
            ("10.0.0.9", 0, 0, 1, 84, 0),
            ("10.0.0.11", 6666, 0, 5, 200, 0x13),  # FIN ends nothing
        ]
    )


@pytest.mark.parametrize("gap, ended", [(15 * S, []), (15 * S + 1, ["idle"])])
def test_idle_is_strict_to_the_nanosecond(gap, ended):
    assert [r.reason for r in truth_of(7, 7 + gap).ended] == ended


@pytest.mark.parametrize("age, ended", [(300 * S, []), (300 * S + 1, ["active"])])
def test_active_is_strict_to_the_nanosecond(age, ended):
    times = [7 + i * 10 * S for i in range(30)]
    assert [r.reason for r in truth_of(*times, 7 + age).ended] == ended


def test_late_packet_finds_the_record_ended_by_the_scan_for_the_scan_s_reason():
    truth = truth_of(0, 14 * S, 28 * S, 306 * S, idle_ns=15 * S, active_ns=30 * S)
    assert [(r.reason, r.packets) for r in truth.ended] == [("active", 3)]


def test_idle_is_the_reason_if_both_hold():
    assert [r.reason for r in truth_of(0, 5 * S, 99 * S, idle_ns=10 * S, active_ns=15 * S).ended] == ["idle"]


def test_scan_ends_a_record_at_the_first_grid_instant_after_its_deadline():
    truth = truth_of(0)
    truth.run_until(15 * S)
    assert not truth.ended
    truth.run_until(15 * S + 10 * MS)
    assert [r.reason for r in truth.ended] == ["idle"]


def test_split_before_a_counter_would_pass_its_maximum():
    truth = FlowTruth()
    truth.packet(0, KEY, COUNTER_MAX - 100)
    truth.packet(1, KEY, 100)
    truth.packet(2, KEY, 20)
    assert [(r.reason, r.packets, r.octets, r.first_ns) for r in truth.records()] == [
        ("split", 2, COUNTER_MAX, 0),
        ("live", 1, 20, 2),
    ]
    truth._live[KEY].packets = COUNTER_MAX
    truth.packet(3, KEY, 20)
    assert [r.packets for r in truth.records()] == [2, COUNTER_MAX, 1]


def test_output_port_and_flags_belong_to_the_record():
    truth = FlowTruth()
    truth.packet(0, KEY, 40, tcp_flags=2, output=9)
    truth.packet(1, KEY, 40, tcp_flags=16, output=4)
    truth.packet(20 * S, KEY, 40, tcp_flags=1, output=4)
    assert [(r.output, r.tcp_flags) for r in truth.records()] == [(9, 18), (4, 1)]


def test_input_port_vswitch_and_exporter_are_part_of_the_flow():
    truth = FlowTruth()
    for place in (("esx1", "vSwitch0", 1), ("esx1", "vSwitch0", 2), ("esx1", "vSwitch1", 1), ("esx2", "vSwitch0", 1)):
        truth.frame(0, ethernet(ipv4(udp())), 42, *place)
    assert len(truth.flows()) == 4


def test_time_may_not_go_backwards():
    with pytest.raises(ValueError, match="backwards"):
        truth_of(5, 4)


def scanned_naively(times, idle, active, scan) -> list[tuple]:
    """The rules played out instant by instant: every scan of the grid, every packet."""
    ended, live = [], None
    events = sorted([(t, 1) for t in times] + [(t, 0) for t in range(0, max(times) + 1, scan)])
    for now, is_packet in events:
        if live and (now - live[1] > idle or now - live[0] > active):
            ended.append((*live, "idle" if now - live[1] > idle else "active"))
            live = None
        if is_packet:
            live = (live[0], now, live[2] + 1) if live else (now, now, 1)
    return ended + [(*live, "live")]


def test_records_equal_those_of_a_naive_scan_of_every_instant():
    rng = random.Random(3)
    for _ in range(400):
        idle, active, scan = rng.randrange(1, 30), rng.randrange(1, 90), rng.randrange(1, 12)
        times = sorted(rng.randrange(400) for _ in range(rng.randrange(1, 60)))
        truth = truth_of(*times, idle_ns=idle, active_ns=active, scan_ns=scan)
        truth.run_until(max(times))
        seen = [(r.first_ns, r.last_ns, r.packets, r.reason) for r in truth.records()]
        assert seen == scanned_naively(times, idle, active, scan)
        assert truth.total().packets == len(times) and truth.total().octets == 100 * len(times)
