# SPDX-License-Identifier: GPL-2.0-only
import random
import socket
from collections import Counter

import pytest
from oracle import loopback_collector
from oracle.collector_files import NfcapdRun, rows_of_datagrams
from oracle.netflow5 import Datagram, V5Record

HOUR_MS = 3_600_000


def random_datagrams(rng: random.Random, count: int) -> list[Datagram]:
    sent, sequences = [], Counter()
    for number in range(count):
        uptime, engine, records = HOUR_MS + number * 37, rng.choice([1, 2, 259]), []
        for _ in range(rng.randrange(1, 31)):
            proto = rng.choice([1, 2, 6, 17, 47, 132])
            sport = rng.randrange(65536) if proto in (6, 17, 132) else 0
            dport = rng.randrange(65536) if proto in (1, 6, 17, 132) else 0
            first, packets = uptime - rng.randrange(HOUR_MS), rng.choice([1, rng.randrange(1, 1000), 2**32 // 20 - 1])
            records.append(
                V5Record(
                    f"10.{rng.randrange(256)}.0.1", "224.0.0.251",
                    input=rng.choice([0, 1, rng.randrange(65536)]), output=rng.choice([0, 1549, 65535]),
                    packets=packets, octets=rng.choice([20 * packets, 2**32 - 1]), first=first,
                    last=rng.randrange(first, uptime + 1),
                    sport=sport, dport=dport, tcp_flags=rng.randrange(256) if proto == 6 else 0, proto=proto,
                    tos=rng.randrange(256),
                )
            )  # fmt: skip
        unix_s, ms = divmod(1_225_000_000_000 + uptime, 1000)
        header = (uptime, unix_s, ms * 10**6, sequences[engine], engine >> 8, engine & 255, 0)
        sent.append(Datagram(*header, tuple(records), "127.0.0.1"))
        sequences[engine] += len(records)
    return sent


def test_nfcapd_gives_back_the_records_sent_as_a_multiset():
    sent = random_datagrams(random.Random(5), 200)
    with NfcapdRun() as collector:
        collector.send(d.encode() for d in sent)
        collector.stop()
    assert collector.rows == Counter(rows_of_datagrams(sent))
    assert (collector.flows, collector.sequence_errors, collector.bad_packets) == (collector.rows.total(), 0, 0)


def test_nfcapd_notes_a_gap_and_tells_exporters_apart_by_address():
    first, second = random_datagrams(random.Random(6), 1), random_datagrams(random.Random(7), 1)
    late = [d._replace(sequence=1000) for d in first]
    with NfcapdRun() as collector:
        collector.send([d.encode() for d in first + late])
        collector.send([d.encode() for d in second], source="127.0.0.2")
    elsewhere = [d._replace(exporter="127.0.0.2") for d in second]
    assert collector.rows == rows_of_datagrams(first + late + elsewhere)
    assert collector.sequence_errors == 1


def test_no_datagram_no_row_and_nothing_keeps_running():
    with NfcapdRun() as collector:
        pass
    assert (collector.rows, collector.flows, collector.sequence_errors) == (Counter(), 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free_again:
        free_again.bind((collector.host, collector.port))


def test_a_missing_nfcapd_is_an_error(monkeypatch):
    monkeypatch.setattr(loopback_collector.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="package nfdump"):
        NfcapdRun().__enter__()


def test_nfcapd_ending_by_itself_is_an_error():
    with pytest.raises(RuntimeError, match="nfcapd ended with -9"):
        with NfcapdRun() as collector:
            collector._process.kill()
            collector._process.wait()


def test_rows_of_a_record_across_the_uptime_wrap():
    record = V5Record("10.0.0.1", "10.0.0.2", proto=17, first=2**32 - 700, last=200)
    (row,) = rows_of_datagrams([Datagram(300, 1_700_000_000, 300_000_000, 0, 0, 1, 0, (record,))])
    assert (row.first_ms, row.last_ms) == (1_700_000_000_300 - 1000, 1_700_000_000_300 - 100)
