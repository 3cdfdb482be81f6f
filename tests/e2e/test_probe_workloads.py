# SPDX-License-Identifier: GPL-2.0-only
"""probe over workloads with known truth, any seed: its books, what arrives, and what real collectors store are that
truth."""

import socket
from collections import defaultdict

import pytest
from oracle.collector_files import NfcapdRun
from oracle.netflow5 import Datagram, V5Record, check_rules
from oracle.nfacctd_files import NfacctdRun
from probing import GENTLY, Sink, records_of, statistics
from workloads import WORKLOADS, workload


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(name, seed) -> workload, capture file; each made once"""
    made = {}

    def make(name, seed):
        if (name, seed) not in made:
            load, path = workload(WORKLOADS[name], seed), tmp_path_factory.mktemp(name) / f"{seed}.pcap"
            path.write_bytes(load.capture)
            made[name, seed] = load, path
        return made[name, seed]

    return make


@pytest.mark.parametrize("seed", [0, 1, 2, 20080101, 2**63])
@pytest.mark.parametrize("name", WORKLOADS)
def test_packets_octets_and_records_equal_the_truth(esx_netflow, made, name, seed):
    load, path = made(name, seed)
    done = esx_netflow("probe", "-r", path)
    table = statistics(done.stdout)
    assert table["offered"][:2] == (load.packets, load.octets)
    assert table["metered"] == table["sent"] == (load.packets, load.octets, load.records)
    assert table["residual"] == (0, 0, 0)


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_flow_arrives_whole(esx_netflow, made, name):
    load, path = made(name, 3)
    with Sink() as sink:
        esx_netflow("probe", "-r", path, "-n", sink.target)
        datagrams = sink.datagrams()
    assert check_rules(datagrams) == []
    arrived = defaultdict(lambda: (0, 0))
    for src, dst, proto, sport, dport, _, packets, octets, *_ in records_of(datagrams):
        seen = arrived[src, dst, proto, sport, dport]
        arrived[src, dst, proto, sport, dport] = seen[0] + packets, seen[1] + octets
    assert arrived == load.flows


@pytest.mark.parametrize("name", WORKLOADS)
def test_nfcapd_and_nfacctd_accept_all_without_a_complaint(esx_netflow, made, name):
    load, path = made(name, 4)
    with NfcapdRun() as nfcapd, NfacctdRun() as nfacctd:
        targets = [argument for c in (nfcapd, nfacctd) for argument in ("-n", f"{c.host}:{c.port}")]
        done = esx_netflow("probe", "-r", path, *targets, *GENTLY)
        assert done.returncode == 0, done.stderr
        nfcapd.stop()
        nfacctd.stop()
    assert (nfcapd.sequence_errors, nfcapd.bad_packets, nfacctd.complaints) == (0, 0, [])
    assert nfcapd.rows.total() == load.records
    assert sum(row.packets * n for row, n in nfcapd.rows.items()) == load.packets
    assert sum(row.octets * n for row, n in nfcapd.rows.items()) == load.octets
    assert {key[:5]: counts for key, counts in nfacctd.flows.items()} == load.flows
    assert {key[5:] for key in nfacctd.flows} == {(0, 1, 0)}


def test_several_vswitches_and_a_wrap_trouble_no_collector(esx_netflow, made):
    load, path = made("w4", 5)
    with NfcapdRun() as nfcapd, NfacctdRun() as nfacctd:
        targets = [argument for c in (nfcapd, nfacctd) for argument in ("-n", f"{c.host}:{c.port}")]
        wrap = "--uptime", 2**32 / 1000 - 450
        done = esx_netflow("probe", "-r", path, *targets, *GENTLY, *wrap, "-p", "--switch", 3, "--input", 13, "-s", 300)
        assert done.returncode == 0, done.stderr
        nfcapd.stop()
        nfacctd.stop()
    assert (nfcapd.sequence_errors, nfcapd.bad_packets, nfacctd.complaints) == (0, 0, [])
    assert nfcapd.rows.total() == load.records
    assert all(0 <= row.last_ms - row.first_ms <= 300_000 for row in nfcapd.rows)
    assert {row.input for row in nfcapd.rows} == {1549} == {key[6] for key in nfacctd.flows}
    assert nfacctd.total() == (load.packets, load.octets)


def test_nfacctd_does_complain_of_a_gap():
    records = (V5Record("10.0.0.1", "10.0.0.2", proto=17),)
    with NfacctdRun() as nfacctd, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for sequence in (10, 20):
            payload = Datagram(1000, 1_700_000_000, 0, sequence, 0, 1, 0, records).encode()
            out.sendto(payload, (nfacctd.host, nfacctd.port))
        nfacctd.stop()
    assert any("expecting flow '11' but received '20'" in line for line in nfacctd.complaints)
