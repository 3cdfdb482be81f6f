# SPDX-License-Identifier: GPL-2.0-only
"""`grade` against two collectors with planted bugs: each is named, nothing else is, and right collectors get no
complaint."""

import numpy as np
import pandas as pd
import pytest

from esx_netflow import netflow
from esx_netflow.grading import grade as grading
from esx_netflow.grading.patterns import condition
from esx_netflow.grading.sent import from_payloads
from esx_netflow.grading.stores import parse_map
from wrong_collectors import PLAIN_MAP, Collector, KEYS, write

BOOT_S = 1_225_000_000


def datagrams():
    """Two exporters with two engines each: flows with several records, all protocols, large counters, First and Last
    after SysUptime. -> payloads, sources"""
    random = np.random.default_rng(16)
    payloads, sources, sequences = [], [], {}
    for number in range(160):
        exporter, engine = number % 2, 1 + number // 2 % 2
        count = 30 if number % 3 else int(random.integers(1, 30))
        header, records = np.zeros(1, netflow.V5_HEADER), np.zeros(count, netflow.V5_RECORD)
        is_restarted = exporter == 1 and number >= 100
        uptime, ago = 50_000 + number * 1_000, 80_000 * is_restarted  # since the restart
        header["count"], header["sys_uptime"], header["unix_secs"], header["unix_nsecs"] = (
            count,
            uptime - ago,
            BOOT_S + uptime // 1000,
            250_000_000,
        )
        header["engine_id"] = engine
        key = exporter, engine, is_restarted
        header["flow_sequence"] = sequences.get(key, 0)
        sequences[key] = sequences.get(key, 0) + count
        host = random.integers(1, 120, count)
        records["srcaddr"], records["dstaddr"] = 0x0A010000 + host, 0x0A020000 + host % 7
        records["prot"] = np.array([6, 17, 1, 2])[host % 4]
        records["srcport"] = np.where(host % 4 < 2, 40_000 + host, 0)
        records["dstport"] = np.select([host % 4 == 0, host % 4 == 1, host % 4 == 2], [443, 53, 0x0303], 0)
        records["tcp_flags"] = np.where(host % 4 == 0, random.choice([0x12, 0x1B, 0x13, 0xC2], count), 0)
        records["tos"] = np.array([0, 0xB8, 0x28, 0x03])[host % 5 % 4]
        records["input"], records["output"] = random.choice([1, 2, 300, 40_300], count), random.choice([0, 5, 6], count)
        records["dPkts"] = np.where(random.random(count) < 0.05, 1, random.integers(1, 5_000, count))
        records["dOctets"] = records["dPkts"] * random.integers(40, 1500, count).astype(np.uint32)
        records["dOctets"][random.random(count) < 0.02] = 3_000_000_017
        records["First"] = uptime - ago - random.integers(5_000, 40_000, count)
        records["Last"] = records["First"] + random.integers(0, 4_000, count)
        records["Last"][random.random(count) < 0.05] = uptime - ago + 3
        for one in range(7, count, 8):  # an answer
            for name, other in {
                "srcaddr": "dstaddr",
                "dstaddr": "srcaddr",
                "srcport": "dstport",
                "dstport": "srcport",
                "input": "output",
                "output": "input",
                "prot": "prot",
            }.items():
                records[name][one] = records[other][one - 1]
        records["srcport"][records["prot"] == 1], records["dstport"][records["prot"] == 1] = 0, 0x0303
        payloads.append(netflow.encode_v5(header, records))
        sources.append(0x7F000002 + exporter)
    payloads[70], payloads[74] = payloads[74], payloads[70]  # one comes late
    return payloads, sources


PAYLOADS, SOURCES = datagrams()
SENT = from_payloads(PAYLOADS, SOURCES, {"127.0.0.2": "esx1", "127.0.0.3": "esx2"}, (), "lab")


def graded(tmp_path, format_, bug="", keys=None, **options):
    collector = Collector(bug)
    for payload, source in zip(PAYLOADS, SOURCES):
        collector.take(payload, f"127.0.0.{source & 255}")
    if keys:
        collector.rows = collector.merged(keys)
    write(collector, format_, tmp_path / "flows")
    if format_ == "plain":
        options.setdefault("map", parse_map(PLAIN_MAP))
    return grading.grade(SENT, tmp_path / "flows", **options)


# Words that must be said of each bug. Bugs of the reference's table and others.
BUGS = {
    "every_50th": ["datagrams are missing as a whole: 3 datagrams", "every 50th"],
    "first_datagram": ["missing as a whole: 1 datagram", "the first"],
    "stops": ["missing as a whole: 100 datagrams", "all from number 60 on"],
    "late": ["missing as a whole: 1 datagram", "came after a later one"],
    "one_engine": ["missing as a whole", "engine 2"],
    "full": ["missing as a whole", "those of 30 records"],
    "last_record": ["records are missing", "the last place in its datagram"],
    "above_24": ["records are missing", "place 25 or more in its datagram"],
    "no_igmp": ["records are missing", "protocol 2"],
    "garbage": ["rows are of no record that was sent: 160 rows"],
    "twice": ["records are stored twice"],
    "doubled": ["packets is doubled", "octets is doubled"],
    "octets_16": ["octets is cut to 16 bits"],
    "packets_octets": ["packets and octets are swapped"],
    "ethernet": ["octets counts an Ethernet header for each packet"],
    "sampled": ["octets is multiplied by 100", "packets is multiplied by 100"],
    "signed_octets": ["octets is taken as signed (32 bits)"],
    "wrap": ["last is 49.7 days (2^32 ms) too early: it is after SysUptime, and taken for a wrap"],
    "zone": ["first is off by -7 h, as by a time zone", "last is off by -7 h"],
    "uptime": ["first is SysUptime", "last is SysUptime"],
    "no_nsecs": ["first lacks the nanoseconds", "last lacks the nanoseconds"],
    "last_is_first": ["last is that of first"],
    "tos_dropped": ["tos is dropped: 0 is stored"],
    "stale": ["tos is that of the first record of the datagram"],
    "dscp": ["tos is the DSCP alone"],
    "flags_dropped": ["tcp_flags is dropped"],
    "interfaces_swapped": ["input and output are swapped"],
    "interfaces_merged": ["records that differ in input alone are merged"],
    "signed_interface": ["input is taken as signed (16 bits)"],
    "interface_8": ["input is cut to 8 bits"],
    "byte_order": ["sport has the wrong byte order (16 bits)", "dport has the wrong byte order"],
    "addresses_swapped": ["src and dst are swapped"],
    "address_order": ["src has the wrong byte order (32 bits)", "dst has the wrong byte order"],
    "icmp": ["dport is dropped: 0 is stored", "protocol 1"],
    "one_exporter": ["exporter", "127.0.0.2 in place of 127.0.0.3"],
    "engine_swapped": ["engine has its engine type and ID swapped"],
    "unknown_interface": ["records are missing", "output 0"],
    "first_of_flow": ["records are missing", "place 2 or more among the records of its flow"],
    "flags_6": ["tcp_flags lacks the highest two flags"],
    "received": ["first is a time of today", "last is a time of today"],
    "duration": ["last is the duration, Last - First"],
    "anonymous": ["src is replaced by another, one for one", "dst is replaced by another, one for one"],
    "port_of_p": ["input is the port alone, without the switch of -p"],
    "average": ["octets is the average of a packet"],
    "float": ["octets is rounded to a 32-bit float"],
    "every_7th": ["records are missing", "of the places in a datagram every 7th"],
    "headers": ["octets counts something else for each packet (-4 octets)"],
    "capped": ["packets ends at 1000: 2 966 records"],
    "minute": ["first is cut to the minute"],
    "times_swapped": ["first and last are swapped"],
    "udp_port": ["dport is dropped: 0 is stored", "protocol 17"],
    "proto_is_tos": ["proto is that of tos", "tos is that of proto"],
    "one_datagram": ["missing as a whole: 1 datagram with 30 records; for example esx2"],
    "restart_lost": ["missing as a whole", "all after restart 1 of the exporter"],
    "restart_doubled": ["octets is doubled", "after restart 1 of the exporter"],
    "one_packet": ["records are missing", "packets 1;"],
    "one_host": ["records are missing", "source 10.1.0.17"],
    "overwritten": ["records are missing", "place 2 or more among the records of its 5-tuple, from its last"],
    "both_ways": ["both directions of flows are merged"],
    "misread": ["records are read 2 octets too late in the datagram"],
    "so_far": ["octets is added up over the records of its flow"],
    "next_record": ["dport is that of the record after"],
    "local": ["exporter is always 127.0.0.1"],
    "ports_32": ["sport has that of dport below its 16 bits"],
    "rate": ["octets is a rate, that of a second"],
    "icmp_in_sport": ["sport is the ICMP type", "dport lacks the ICMP type (code alone)"],
    "whole_seconds": ["last is cut to whole seconds after First"],
    "nsecs_us": ["first takes the nanoseconds of the header (unix_nsecs) for microseconds"],
    "year_1872": ["first is 136 years (2^32 s) too early", "last is 136 years"],
    "ms_for_s": ["first is in ms where seconds belong", "last is in ms"],
    "seconds_for_ms": ["first is in seconds where ms belong", "last is in seconds"],
    "uptime_s": ["first is SysUptime in seconds", "last is SysUptime in seconds"],
    "time_of_day": ["first is the time of day, without the date", "last is the time of day"],
    "summer": ["first is off by +1 h", "First 2008-10-26T05:48:20"],
}
IN_TWO_FIELDS = (
    "interface_8",
    "doubled",
    "sampled",
    "zone",
    "uptime",
    "no_nsecs",
    "byte_order",
    "address_order",
    "proto_is_tos",
    "received",
    "anonymous",
    "icmp_in_sport",
    "year_1872",
    "ms_for_s",
    "seconds_for_ms",
    "uptime_s",
    "time_of_day",
)
NOT_IN_GOFLOW2 = ("engine_swapped",)  # its JSON has no engine


@pytest.mark.parametrize("format_", ["goflow2", "plain"])
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_named_and_nothing_else(tmp_path, format_, bug):
    if format_ == "goflow2" and bug in NOT_IN_GOFLOW2:
        pytest.skip("not in this format")
    grade = graded(tmp_path, format_, bug)
    text = str(grade)
    assert grade.verdict == "fail"
    for wanted in BUGS[bug]:
        assert wanted in text, text
    assert len(grade.faults) == (2 if bug in IN_TWO_FIELDS else 1), text


FIVE = ["src", "dst", "proto", "sport", "dport"]


@pytest.mark.parametrize("format_", ["goflow2", "plain"])
def test_a_right_collector_gets_no_complaint(tmp_path, format_):
    grade = graded(tmp_path, format_)
    assert grade.verdict == "pass" and grade.right == len(SENT.records) == grade.records, str(grade)


@pytest.mark.parametrize("format_", ["goflow2", "plain"])
@pytest.mark.parametrize(
    "keys, options",
    [
        (KEYS, {}),
        (KEYS + ["bin"], {}),
        (FIVE, {"aggregate": FIVE}),
        (FIVE + ["exporter", "tos"], {"aggregate": FIVE + ["exporter", "tos"]}),
    ],
)
def test_right_sums_get_no_complaint(tmp_path, format_, keys, options):
    grade = graded(tmp_path, format_, keys=keys, **options)
    assert grade.verdict == "pass", str(grade)


SUMS = {
    "every_50th": "every 50th",
    "stops": "all from number 60 on",
    "one_datagram": "missing as a whole: 1 datagram",
    "restart_lost": "all after restart 1 of the exporter",
    "doubled": "octets is doubled",
    "tos_dropped": "tos is dropped",
    "octets_16": "octets is cut to 16 bits, in each record of a sum",
    "no_igmp": "protocol 2",
    "zone": "first is off by -7 h",
}


@pytest.mark.parametrize("keys", [KEYS, FIVE], ids=["all keys", "5-tuple"])
@pytest.mark.parametrize("bug", SUMS)
def test_bugs_are_named_in_sums(tmp_path, bug, keys):
    if bug == "tos_dropped" and keys == FIVE:
        pytest.skip("not in these sums")
    grade = graded(tmp_path, "plain", bug, keys, **({} if keys == KEYS else {"aggregate": keys}))
    assert grade.verdict == "fail" and SUMS[bug] in str(grade) and len(grade.faults) <= 2, str(grade)


def test_what_wraps_or_is_overwritten_in_sums_is_named(tmp_path):
    right = graded(tmp_path, "plain", keys=FIVE, aggregate=FIVE)
    rows = pd.read_csv(tmp_path / "flows")
    rows.assign(bytes=rows["bytes"] % 2**32).to_csv(tmp_path / "flows", index=False)
    wraps = grading.grade(SENT, tmp_path / "flows", map=parse_map(PLAIN_MAP), aggregate=FIVE)
    assert right.verdict == "pass" and [fault.what for fault in wraps.faults] == ["octets wraps at 2^32"], str(wraps)
    last = SENT.records.groupby(FIVE, sort=False)["tcp_flags"].last().to_numpy()
    rows.assign(flags=last).to_csv(tmp_path / "flows", index=False)
    overwritten = grading.grade(SENT, tmp_path / "flows", map=parse_map(PLAIN_MAP), aggregate=FIVE)
    assert [fault.what for fault in overwritten.faults] == ["tcp_flags is that of the last record of a sum"], str(
        overwritten
    )


class Bugs(Collector):
    """Several at once."""

    def __init__(self, bugs):
        super().__init__(bugs[0])
        self.bugs = bugs

    def spoil(self, row):
        for self.bug in reversed(self.bugs):  # the first one is that of take()
            row = super().spoil(row)
        return row


@pytest.mark.parametrize(
    "bugs, faults",
    [
        (("every_50th", "tos_dropped", "doubled"), 4),
        (("last_record", "byte_order", "zone"), 5),
        (("wrap", "interfaces_swapped", "octets_16"), 3),
        (("twice", "flags_dropped"), 2),
        (("addresses_swapped", "zone", "tos_dropped", "doubled", "interfaces_swapped"), 7),
        (("unknown_interface", "icmp", "last_is_first"), 3),
        (("stops", "packets_octets", "signed_interface"), 3),
    ],
    ids=str,
)
def test_several_bugs_at_once_are_named_one_by_one(tmp_path, bugs, faults):
    collector = Bugs(bugs)
    for payload, source in zip(PAYLOADS, SOURCES):
        collector.take(payload, f"127.0.0.{source & 255}")
    if "twice" in bugs:
        collector.rows = [collector.spoil(row) for row in collector.rows]
    write(collector, "goflow2", tmp_path / "flows")
    text = str(grading.grade(SENT, tmp_path / "flows"))
    for bug in bugs:
        for wanted in BUGS[bug]:
            assert wanted in text or "datagram" in wanted and "missing as a whole" in text, text
    assert (
        sum(
            line.startswith("  ") and ": " in line and not line.startswith(("  compared", "  tolerance", "  kernel"))
            for line in text.splitlines()
        )
        == faults
    ), text


def test_what_chance_alone_can_have_in_common_is_not_said():
    """One of fifty is the largest in some column often enough; four of fifty are not."""
    values = {"octets {}": np.arange(50)}
    assert condition(np.arange(50) > 0, values) is None
    assert (
        condition(np.arange(50) >= 4, values) == "octets 4 or more"
        and condition(np.arange(50) < 46, values) == "octets 45 or less"
    )
