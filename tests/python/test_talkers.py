# SPDX-License-Identifier: GPL-2.0-only
"""Sums over a window: which part of a record counts, on which side, and for whom."""

from types import SimpleNamespace

import pytest

import esx_netflow
from esx_netflow import tables
from esx_netflow.talkers import COLLECTED, KEPT, TRUTH, _Usage

NIC = {"portgroup": "VMs", "address": "10.6.125.51/24"}
LAB = {
    "hosts": {
        "esx1": {
            "uptime_at_start": "0s", "vswitches": {"vSwitch0": {"portgroups": {"VMs": {}}}}, "vmknics": {},
            "vms": {"web1": {"nics": [NIC]}, "db1": {"nics": [{**NIC, "address": "10.6.125.52/24"}]}},
        }
    }
}  # fmt: skip
KEY = "exporter,vswitch,src,dst,proto,sport,dport,tos,input"
HEADERS = {
    "records": KEY
    + (
        ",output,packets,octets,first_ns,last_ns,reason,ended_ns,station,moved_ns,datagram,input_port,"
        "output_port,tcp_flags"
    ),
    "collected": (
        "exporter,vswitch,engine,src,dst,proto,sport,dport,tos,input,output,packets,octets,first_ms,last_ms,tcp_flags,"
        "reason,datagram,input_port,output_port,collector,received_ms"
    ),
    "datagrams": (
        "exporter,datagram,vswitch,engine,session,sequence,records,packets,octets,collector,sent_ns,exported_ns,"
        "concluded_ns,fate,place,copies"
    ),
}
WEB, DB = ("esx1", "vSwitch0", "10.6.125.51"), ("esx1", "vSwitch0", "10.6.125.52")


def record(first, last, octets=800, packets=8, flow="10.6.125.51,10.6.125.52,17,5000,53", exporter="esx1", output="5"):
    return f"{exporter},vSwitch0,{flow},0,1,{output},{packets},{octets},{first},{last},idle,{last},sent,{last},7,,,0"


def decoded(first, last, octets, packets, exporter="esx1"):
    return (
        f"{exporter},vSwitch0,1,10.6.125.51,10.6.125.52,17,5000,53,0,1,5,{packets},{octets},{first},{last},0,"
        "idle,7,,,nf1,1.0"
    )


@pytest.fixture
def usage(tmp_path):
    def make(records=(), collected=(), fate="received"):
        rows = {
            "records": records,
            "collected": collected,
            "datagrams": [f"esx1,7,vSwitch0,1,1,0,1,8,800,10.0.0.9,1,1,1,{fate},nf1,1"],
        }
        lists: dict = {}
        read = {}
        for name, lines in rows.items():
            path = tmp_path / f"{name}.csv"
            path.write_text("\n".join([HEADERS[name], *lines, ""]))
            read[name] = tables.read(path, name, lists)
        return _Usage(SimpleNamespace(lab=LAB, require=read.get), 10 * 10**9, 20 * 10**9)

    return make


def test_of_a_record_over_the_edge_of_the_window_a_part_is_in(usage):
    # 8 s to 12 s, to the millisecond: half of it
    found = usage([record(8 * 10**9, 11999 * 10**6)], [decoded(8000, 11999, 400, 4)])
    sums = found.sources[WEB]
    assert (sums.octets[TRUTH], sums.packets[TRUTH], sums.records[TRUTH], sums.octets[COLLECTED]) == (400, 4, 1, 200)
    assert found.octets_to[DB][TRUTH] == 400 and found.octets_to[DB][COLLECTED] == 200 and WEB not in found.octets_to


@pytest.mark.parametrize(("fate", "kept"), [("sent", 800), ("lost_arp", 0)])
def test_what_is_on_the_way_is_kept_and_what_is_lost_is_not(usage, fate, kept):
    assert usage([record(12 * 10**9, 12999 * 10**6)], fate=fate).sources[WEB].octets[KEPT] == kept


def test_what_is_outside_of_the_window_is_not_there(usage):
    assert not usage([record(8 * 10**9, 9999 * 10**6), record(20 * 10**9, 20001 * 10**6)]).sources


def test_packets_that_were_shed_are_no_record(usage):
    sums = usage([record(12 * 10**9, 12999 * 10**6, output="")]).sources[WEB]
    assert (sums.packets[TRUTH], sums.records[TRUTH]) == (8, 0)


def test_only_who_asks_tries_ports(usage):
    flows = [
        "10.6.125.51,10.6.125.52,6,5000,80",
        "10.6.125.51,10.6.125.52,6,5001,80",
        "10.6.125.51,10.6.125.52,6,80,5001",
        "10.6.125.51,10.0.0.3,1,0,0",
    ]
    ports = usage([record(12 * 10**9, 12 * 10**9, 60, 1, flow) for flow in flows]).sources[WEB].ports_of[TRUTH]
    assert ports == {"10.6.125.52": {80}, "10.0.0.3": set()}, "destinations count, whatever is tried there"


def test_tables_of_another_scenario_are_refused(usage):
    for rows in ({"records": [record(0, 1, exporter="esx9")]}, {"collected": [decoded(0, 1, 800, 8, exporter="esx9")]}):
        with pytest.raises(esx_netflow.RunError, match="no host esx9"):
            usage(**rows)


def test_a_result_tells_its_talkers(losses):
    found = losses.talkers(begin=20, end=80, top=1)
    assert (found.from_ns, found.to_ns) == (20 * 10**9, 80 * 10**9)
    whole = losses.talkers(top=0)
    assert len(found.talkers) < len(whole.talkers) and whole.to_csv().count("talker,") == 3 * len(whole.talkers)
    assert str(whole).startswith("From 0 s to 200 s; what was collected beside the truth\n")
    for one in whole.talkers:
        assert one["octets"]["collected"] + one["octets"]["left"] <= one["octets"]["truth"]


def test_fewer_talkers_than_none_are_refused(quickstart):
    with pytest.raises(ValueError, match="top: -1; a number of talkers"):
        quickstart.talkers(top=-1)
