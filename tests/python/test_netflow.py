# SPDX-License-Identifier: GPL-2.0-only
"""The library on arrays: the same as the command line's, and as what goes through a file."""

import re
import subprocess

import numpy as np
import pytest

import esx_netflow
from conftest import PROGRAM, QUICKSTART, ROOT
from esx_netflow import netflow

CAPTURE = ROOT / "tests" / "data" / "differential_input_a.pcap"
SECOND = 1_000_000_000


def packets(*rows):
    """(time in s, src, octets) each"""
    array = np.zeros(len(rows), netflow.PACKET)
    for i, (time, src, octets) in enumerate(rows):
        array[i]["time_ns"], array[i]["src"], array[i]["octets"] = round(time * SECOND), src, octets
    array["dst"], array["proto"], array["dport"], array["vswitch"], array["input"] = 9, 17, 53, 1, 7
    return array


def test_a_cache_counts_and_ends_by_both_timeouts():
    cache = netflow.FlowCache(idle_timeout=15, active_timeout=300)
    first = packets((0, 1, 100), (1, 1, 50), (1, 2, 70))
    assert [cache.RESULTS[i] for i in cache.account(first)] == ["counted_new", "counted", "counted_new"]
    assert len(cache) == 2 and cache.live()["octets"].tolist() == [150, 70]
    cache.scan(16 * SECOND)
    assert len(cache.take_ended()) == 0, "15 s are not longer than 15 s"
    cache.scan(17 * SECOND)
    ended = cache.take_ended()
    assert ended["octets"].tolist() == [150, 70] and {netflow.REASONS[r] for r in ended["reason"]} == {"idle"}
    assert (len(cache), cache.high_water, cache.next_scan, cache.heap_used) == (0, 2, None, 0)
    cache.account(packets(*((17 + i * 10, 3, 1) for i in range(31))))
    assert [netflow.REASONS[r] for r in cache.take_ended()["reason"]] == []
    cache.account(packets((17 + 300.5, 3, 1)))
    assert [netflow.REASONS[r] for r in cache.take_ended()["reason"]] == ["active"]


def test_a_full_cache_sheds_or_evicts():
    shedding = netflow.FlowCache(max_entries=1)
    assert [shedding.RESULTS[i] for i in shedding.account(packets((0, 1, 1), (0, 2, 1)))] == [
        "counted_new",
        "shed_cache_full",
    ]
    evicting = netflow.FlowCache(max_entries=1, policy="EvictOldest")
    evicting.account(packets((0, 1, 1), (0, 2, 1)))
    assert evicting.take_ended()["src"].tolist() == [1]
    hungry = netflow.FlowCache(heap=80)
    assert [hungry.RESULTS[i] for i in hungry.account(packets((0, 1, 1), (0, 2, 1)))] == [
        "counted_new",
        "shed_no_memory",
    ]


def test_time_that_runs_backwards_and_wrong_settings_are_refused():
    cache = netflow.FlowCache()
    with pytest.raises(ValueError, match="lies before"):
        cache.account(packets((2, 1, 1), (1, 1, 1)))
    with pytest.raises(ValueError, match="idle_timeout must be positive"):
        netflow.FlowCache(idle_timeout=0)
    with pytest.raises(ValueError, match="allowed: DropNew, EvictOldest, EvictOldestDrop"):
        netflow.FlowCache(policy="Random")
    with pytest.raises(ValueError, match="bound must be positive"):
        netflow.Purgatory(0)
    with pytest.raises(ValueError, match="1 to 30"):
        netflow.Exporter(max_records=31)


def test_purgatory_drops_the_newest_or_the_oldest():
    records = np.zeros(3, netflow.RECORD)
    records["id"], records["vswitch"], records["packets"] = [0, 1, 2], 1, 1
    for policy, lost, kept in (("TailDrop", [2], [0, 1]), ("HeadDrop", [0], [1, 2])):
        queue = netflow.Purgatory(2, policy)
        assert queue.push(records, 0)["id"].tolist() == lost
        assert (len(queue), queue.bound, queue.high_water) == (2, 2, 2)
        assert queue.take([2], 1)["id"].tolist() == []
        assert queue.take([1], 1)["id"].tolist() == kept and len(queue) == 0


def test_an_exporter_packs_thirty_records_and_numbers_them():
    records = np.zeros(61, netflow.RECORD)
    records["packets"], records["octets"], records["vswitch"] = 1, range(61), 3
    exporter = netflow.Exporter()
    datagrams = exporter.export(records, 5 * SECOND)
    assert [len(d) for d in datagrams] == [24 + 48 * n for n in (30, 30, 1)]
    headers, decoded = esx_netflow.decode_v5(datagrams)
    assert (
        headers["flow_sequence"].tolist() == [0, 30, 60]
        and set(headers["engine_id"]) == {3}
        and set(headers["sys_uptime"]) == {5000}
    )
    assert decoded["dOctets"].tolist() == list(range(61))
    assert exporter.next_sequence(3) == 61 and exporter.datagrams == 3


def test_decoding_and_encoding_again_gives_the_same_octets():
    octets = (ROOT / "tests" / "data" / "telegraf_v5.bin").read_bytes() * 5
    headers, records = esx_netflow.decode_v5(octets)
    assert len(headers) == 5 and not headers.flags.writeable and not records.flags.owndata
    assert esx_netflow.encode_v5(headers, records) == octets
    one_by_one = esx_netflow.decode_v5([octets[: len(octets) // 5]] * 5)
    assert np.array_equal(one_by_one[0], headers) and np.array_equal(one_by_one[1], records)


def test_what_cannot_be_encoded_or_decoded_is_refused():
    octets = (ROOT / "tests" / "data" / "telegraf_v5.bin").read_bytes()
    headers, records = esx_netflow.decode_v5(octets)
    with pytest.raises(ValueError, match="the headers count"):
        esx_netflow.encode_v5(headers, records[:-1])
    with pytest.raises(ValueError, match="datagram 2: .*length"):
        esx_netflow.decode_v5(octets + octets + octets[:-1])
    with pytest.raises(ValueError, match="datagram 1: .*header"):
        esx_netflow.decode_v5(octets + b"\0\5")
    with pytest.raises(TypeError):
        esx_netflow.decode_v5(np.zeros(100, np.uint16))


def test_a_capture_is_metered_as_by_the_probe():
    metered = netflow.meter(CAPTURE, octets=True)
    printed = subprocess.run([PROGRAM, "probe", "-r", CAPTURE], capture_output=True, text=True, check=True).stdout
    for line in re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+)$", printed, re.MULTILINE):
        counts = metered.residual if line[0] == "residual" else metered.moves[line[0]]
        assert tuple(map(str, counts)) == line[1:]
    assert f"datagrams {metered.datagrams}\n" in printed
    headers, records = esx_netflow.decode_v5(metered.octets)
    assert len(headers) == metered.datagrams
    assert records["dOctets"].tolist() == metered.records["octets"].tolist()
    assert netflow.meter(CAPTURE).octets is None


def test_cache_purgatory_and_exporter_by_hand_give_what_meter_gives():
    whole = netflow.meter(CAPTURE, octets=True, poll=1000)
    cache, queue = netflow.FlowCache(), netflow.Purgatory()
    # the records say which packets there were only in sum: one packet with all octets at the begin, one without at the
    # end
    rows = np.zeros(2 * len(whole.records), netflow.PACKET)
    for field in ("src", "dst", "sport", "dport", "vswitch", "input", "output", "proto", "tos", "tcp_flags"):
        rows[field] = np.repeat(whole.records[field], 2)
    rows["time_ns"][0::2], rows["time_ns"][1::2] = whole.records["first_ns"], whole.records["last_ns"]
    rows["octets"][0::2] = whole.records["octets"]
    cache.account(rows[np.argsort(rows["time_ns"], kind="stable")])
    cache.scan(2000 * SECOND)
    queue.push(cache.take_ended(), 2000 * SECOND)
    taken = queue.take([1], 2000 * SECOND)
    for field in ("src", "dst", "sport", "dport", "octets", "first_ns", "last_ns"):
        assert sorted(taken[field].tolist()) == sorted(whole.records[field].tolist())


def test_a_capture_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.pcap").write_bytes(b"no capture")
    for name in ("x.pcap", "missing.pcap"):
        with pytest.raises(esx_netflow.CaptureError, match=name):
            netflow.meter(tmp_path / name)
    with pytest.raises(esx_netflow.RunError, match="cannot hold a purgatory"):
        netflow.meter(CAPTURE, heap=10)


def test_exports_are_read_from_a_capture(tmp_path, quickstart):
    esx_netflow.run(QUICKSTART, out=tmp_path / "out", captures=True)
    headers, records = esx_netflow.decode_v5(netflow.read_exports(tmp_path / "out" / "nf-collector1.pcap"))
    assert len(records) == len(quickstart.exported) and len(headers) == quickstart.summary["datagrams"]
    assert netflow.read_exports(tmp_path / "out" / "nf-collector1.pcap", port=9995) == []
