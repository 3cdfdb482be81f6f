# SPDX-License-Identifier: GPL-2.0-only
"""run --to: what leaves the vmknics arrives at real collectors."""

import json
import re
import time
from collections import Counter

from labs import QUICKSTART, contents, lab, summary, table, write
from oracle.collector_files import NfcapdRun
from probing import ClosedPort, Sink

MIXED = ("src", "dst", "sport", "dport", "proto", "tos", "input", "output", "packets", "octets", "tcp_flags")


def exported(folder) -> Counter:
    """Rows of flows-exported.csv, without their times: a collector has them since 1970."""
    return Counter(tuple(row[name] for name in MIXED) for row in table(folder, "flows-exported.csv"))


def stored(rows: Counter) -> Counter:
    return Counter(tuple(str(getattr(row, name)) for name in MIXED) for row in rows.elements())


def test_nfcapd_stores_exactly_what_was_exported(esx_netflow, tmp_path):
    with NfcapdRun() as collector:
        done = esx_netflow("run", QUICKSTART, "--out", tmp_path / "out", "--to", f"127.0.0.1:{collector.port}")
        collector.stop()
    assert done.returncode == 0
    assert collector.sequence_errors == 0 and collector.bad_packets == 0
    assert stored(collector.rows) == exported(tmp_path / "out")
    assert {row.exporter for row in collector.rows} == {"127.0.0.2"}
    result = summary(tmp_path / "out")
    assert f"sent {result['datagrams']} datagrams of esx1 to 127.0.0.1:{collector.port} from 127.0.0.2\n" in done.stdout
    first = min(row.first_ms for row in collector.rows)
    seen = min(int(row["first_ms"]) for row in table(tmp_path / "out", "flows-exported.csv"))
    (start,) = {row.first_ms for row in collector.rows if row.first_ms == first}
    assert start % 1000 == seen % 1000  # on the scenario's clock, to the millisecond


def test_hosts_with_equal_switch_ids_stay_apart(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(hosts=("esx1", "esx2")))
    with NfcapdRun() as collector:
        done = esx_netflow("run", scenario, "--out", tmp_path / "out", "--to", f"127.0.0.1:{collector.port}")
        collector.stop()
    assert done.returncode == 0
    assert {row["engine"] for row in table(tmp_path / "out", "flows-exported.csv")} == {"1"}
    assert {row.exporter for row in collector.rows} == {"127.0.0.2", "127.0.0.3"}
    assert collector.sequence_errors == 0
    assert stored(collector.rows) == exported(tmp_path / "out")


def test_a_sequence_that_passes_2_32_is_no_complaint(esx_netflow, tmp_path):
    text = lab().replace("netflow: {", "netflow: {initial_sequence: 4294967290, ", 1)
    with NfcapdRun() as collector:
        assert (
            esx_netflow(
                "run", write(tmp_path, text), "--out", tmp_path / "out", "--to", f"127.0.0.1:{collector.port}"
            ).returncode
            == 0
        )
        collector.stop()
    sequences = [int(row["sequence"]) for row in table(tmp_path / "out", "datagrams.csv")]
    assert sequences[0] == 4294967290 and 0 <= sequences[-1] < 100
    assert collector.sequence_errors == 0 and stored(collector.rows) == exported(tmp_path / "out")


def test_datagrams_are_the_very_same(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    with Sink() as once, Sink() as again:
        assert esx_netflow("run", scenario, "--out", tmp_path / "a", "--to", once.target).returncode == 0
        done = esx_netflow("run", scenario, "--out", tmp_path / "b", "--to", f"nf1={again.target}", "--to-rate", "0")
        assert done.returncode == 0
        first, second = once.payloads(), again.payloads()
    assert first == second and len(first) == summary(tmp_path / "a")["datagrams"] > 0


def without_deliveries(folder) -> dict[str, bytes]:
    """The files of a result, without what a real network made of the datagrams."""
    result = summary(folder)
    result.pop("real_collectors", None)
    files = {name: data for name, data in contents(folder).items() if name != "sent.pcap"}
    return {**files, "summary.json": json.dumps(result).encode()}


def test_results_do_not_depend_on_a_real_collector(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    with Sink() as sink:
        assert esx_netflow("run", scenario, "--out", tmp_path / "a", "--to", sink.target).returncode == 0
    assert esx_netflow("run", scenario, "--out", tmp_path / "b").returncode == 0
    assert without_deliveries(tmp_path / "a") == without_deliveries(tmp_path / "b")


def test_refusals_are_counted_and_not_fatal(esx_netflow, tmp_path):
    with ClosedPort() as closed:
        done = esx_netflow("run", write(tmp_path, lab()), "--out", tmp_path / "out", "--to", closed.target)
    assert done.returncode == 0
    assert "nobody listens there" in done.stdout
    assert summary(tmp_path / "out")["verdict"] == "pass"


def test_an_address_that_does_not_resolve_is_exit_3_before_the_run(esx_netflow, tmp_path):
    done = esx_netflow("run", QUICKSTART, "--out", tmp_path / "out", "--to", "no-such-host.invalid:2055")
    assert done.returncode == 3 and "no-such-host.invalid" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_collector_is_exit_2(esx_netflow, tmp_path):
    done = esx_netflow("run", write(tmp_path, lab()), "--out", tmp_path / "out", "--to", "nf2=127.0.0.1:2055")
    assert done.returncode == 2 and "did you mean 'nf1'?" in done.stderr


def test_real_time_feeds_a_collector_as_time_passes(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(duration="3s", stop="1200ms"))
    assert esx_netflow("run", scenario, "--out", tmp_path / "plain", "--quiet").returncode == 0
    began = time.monotonic()
    with Sink() as sink:
        done = esx_netflow("run", scenario, "--out", tmp_path / "live", "--realtime", "--to", sink.target)
        assert len(sink.payloads()) == summary(tmp_path / "live")["datagrams"] > 0
    assert time.monotonic() - began >= 3  # the scenario's duration
    assert done.returncode == 0 and re.fullmatch(r"esx-netflow: real time: at most [0-9.]+ ms late\n", done.stderr)
    assert without_deliveries(tmp_path / "plain") == without_deliveries(tmp_path / "live")


def test_after_the_network_and_in_real_time_datagrams_take_as_long_as_simulated(esx_netflow, tmp_path):
    """Two hosts export at the same instants, one over a link that takes 2 s."""
    text = lab(hosts=("esx1", "esx2"), duration="6s", stop="1200ms").replace(
        "esx2, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84",
        "esx2, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.85",
    )
    text = text.replace("nodes:\n", "nodes:\n  nf2: {kind: collector, address: 10.6.125.85/24}\n").replace(
        "links:\n", "links:\n  - {endpoints: [nf2:eth0, sw1:9], delay: 2s}\n"
    )
    scenario = write(tmp_path, text.replace("run: {", "run: {arp: static, ", 1))
    with Sink() as near, Sink() as far:
        run = esx_netflow.start(
            "run",
            scenario,
            "-q",
            "--out",
            tmp_path / "out",
            "--realtime",
            "--after-network",
            "--to",
            f"nf1={near.target}",
            "--to",
            f"nf2={far.target}",
        )
        assert near.wait(60)
        began = time.monotonic()
        assert far.wait(60)
        took = time.monotonic() - began
        run.communicate()
    assert run.returncode == 0 and took > 1, took
