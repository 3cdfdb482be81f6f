# SPDX-License-Identifier: GPL-2.0-only
"""compare: real peers over captures, their differences found and explained."""

import csv
import os
import re
import struct

import pytest
from oracle.building import ethernet, ipv4, pcap, tcp, udp
from probing import BOOT_NS, DIFFERENTIAL, SECOND_NS
from workloads import WORKLOADS, workload


@pytest.fixture
def compare(esx_netflow, tmp_path):
    def run(peer, content: bytes, *options):
        (tmp_path / "in.pcap").write_bytes(content)
        done = esx_netflow("compare", "--peer", peer, "-r", tmp_path / "in.pcap", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def totals(stdout: str) -> dict[str, tuple[int, int, int]]:
    rows = re.findall(r"^(packets|octets|records|flows) +(\d+) +(\d+) +([+-]\d+)$", stdout, re.MULTILINE)
    return {name: (int(ours), int(peer), int(difference)) for name, ours, peer, difference in rows}


def reasons(stdout: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^  (\D+?) +(\d+)$", stdout, re.MULTILINE)}


def test_softflowd_counts_padding(compare):
    load = workload(WORKLOADS["w3"], 1)
    stdout = compare("softflowd", load.capture)
    table = totals(stdout)
    assert table["packets"] == (load.packets, load.packets, 0)
    assert table["octets"][0] == load.octets < table["octets"][1]
    assert table["flows"] == (len(load.flows), len(load.flows), 0)
    assert table["records"][0] == load.records
    padded = sum(packets * 6 for key, (packets, _) in load.flows.items() if key[2] == 6)  # SYN: 54 octets of 60
    assert table["octets"][2] == padded
    assert reasons(stdout) == {"padding counted": sum(key[2] == 6 for key in load.flows)}


def test_softflowd_applies_no_timeouts_to_a_capture(compare):
    load = workload(WORKLOADS["w4"], 1)
    stdout = compare("softflowd", load.capture)
    assert totals(stdout)["records"][:2] == (load.records, len(load.flows))
    assert reasons(stdout)["timeouts not applied"] == len(load.flows)
    assert "unknown" not in reasons(stdout)


def test_softflowd_merges_tos(compare):
    packets = [
        (BOOT_NS + n, ethernet(ipv4(udp(1000, 53, bytes(60)), tos=tos))) for n, tos in enumerate((0, 184, 0, 184))
    ]
    stdout = compare("softflowd", pcap(packets))
    assert totals(stdout)["records"] == (2, 1, -1)
    assert (
        "udp 10.0.0.1:1000 > 10.0.0.2:53: packets 4 / 4 octets 352 / 352 records 2 / 1 tos 0x00,0xb8 / 0x00: "
        "ToS merged\n"
    ) in stdout


@pytest.mark.parametrize("peer", ["softflowd", "nfpcapd"])
def test_meters_that_agree_have_no_difference(compare, peer):
    packets = [(BOOT_NS + n * SECOND_NS // 10, ethernet(ipv4(udp(1000 + n % 3, 5060, bytes(60))))) for n in range(30)]
    stdout = compare(peer, pcap(packets))
    assert totals(stdout)["records"] == (3, 3, 0)
    assert stdout.endswith("flows that differ: 0\n")


def test_nfpcapd_applies_timeouts_and_ends_records_at_fin(compare):
    load = workload(WORKLOADS["w4"], 2)
    assert totals(compare("nfpcapd", load.capture))["packets"] == (load.packets, load.packets, 0)
    flags = 2, 0x10, 0x11, 0x10, 0x10
    packets = [
        (BOOT_NS + n * SECOND_NS, ethernet(ipv4(tcp(1000, 80, f, bytes(40)), proto=6))) for n, f in enumerate(flags)
    ]
    stdout = compare("nfpcapd", pcap(packets))
    assert totals(stdout)["packets"] == (5, 5, 0)
    if totals(stdout)["records"][2]:
        assert reasons(stdout) == {"ended at FIN or RST": 1}


def test_nfpcapd_makes_a_record_of_each_dns_packet(compare):
    packets = [(BOOT_NS + n * SECOND_NS // 10, ethernet(ipv4(udp(1000, 53, bytes(60))))) for n in range(4)]
    stdout = compare("nfpcapd", pcap(packets))
    assert totals(stdout)["records"] == (1, 4, 3) and reasons(stdout) == {"DNS: a record a packet": 1}


def test_nfpcapd_keeps_no_tos(compare, tmp_path):
    packets = [(BOOT_NS + n * SECOND_NS // 10, ethernet(ipv4(udp(1000, 5060, bytes(60)), tos=32))) for n in range(2)]
    stdout = compare("nfpcapd", pcap(packets), "--csv", tmp_path / "differences.csv")
    assert reasons(stdout) == {"ToS not kept": 1}
    assert "packets 2 / 2 octets 176 / 176 records 1 / 1 tos 0x20 / 0x00: ToS not kept\n" in stdout
    row = next(csv.DictReader((tmp_path / "differences.csv").open()))
    assert (row["tos"], row["peer_tos"], row["reasons"]) == ("32", "0", "ToS not kept")


def test_nfpcapd_makes_a_record_of_each_icmp_packet(compare):
    echo = struct.pack("!BBHI", 8, 0, 0, 1) + bytes(30)
    packets = [(BOOT_NS + n * SECOND_NS // 10, ethernet(ipv4(echo, proto=1))) for n in range(4)]
    stdout = compare("nfpcapd", pcap(packets))
    assert totals(stdout)["records"] == (1, 4, 3) and reasons(stdout) == {"record per ICMP packet": 1}


def test_nfpcapd_ends_some_records_late(compare):
    times = [*range(0, 30, 10), 46, 56, 66, 150, *range(160, 480, 10), 500]
    packets = [(BOOT_NS + t * SECOND_NS, ethernet(ipv4(udp(1000, 5060, bytes(60))))) for t in times]
    stdout = compare("nfpcapd", pcap(packets))
    ours, peer, _ = totals(stdout)["records"]
    assert 1 < peer < ours and reasons(stdout) == {"late timeout": 1}


@pytest.mark.parametrize("proto, head", [(47, struct.pack("!HH", 0, 0x0800)), (4, b"")])
def test_nfpcapd_opens_tunnels(compare, proto, head):
    inside = ipv4(udp(1000, 5060, bytes(60)), src="10.9.0.1", dst="10.9.0.2")
    packets = [(BOOT_NS + n * SECOND_NS // 10, ethernet(ipv4(head + inside, proto=proto))) for n in range(3)]
    stdout = compare("nfpcapd", pcap(packets))
    assert totals(stdout)["flows"] == (1, 1, 0) and reasons(stdout) == {"decapsulated": 2}
    assert re.search(rf"protocol {proto} .*: packets 3 / 0 .* tos 0x00 / none: decapsulated\n", stdout)


def test_every_difference_of_the_differential_capture_is_explained(esx_netflow):
    for peer, expected in (
        ("softflowd", {"padding counted": 2, "ToS merged": 1}),
        ("nfpcapd", {"DNS: a record a packet": 2}),
    ):
        done = esx_netflow("compare", "--peer", peer, "-r", DIFFERENTIAL)
        found = reasons(done.stdout)
        assert "unknown" not in found and expected.items() <= found.items(), done.stdout


def test_all_differences_are_in_the_table_if_asked_for(compare, tmp_path):
    load, path = workload(WORKLOADS["w4"], 3), tmp_path / "differences.csv"
    stdout = compare("softflowd", load.capture, "--limit", 2, "--csv", path)
    rows = list(csv.DictReader(path.open()))
    assert len(rows) == len(load.flows) == int(re.search(r"flows that differ: (\d+)", stdout)[1])
    assert f"… and {len(rows) - 2} more" in stdout
    for row in rows:
        key = (row["src"], row["dst"], int(row["proto"]), int(row["sport"]), int(row["dport"]))
        assert load.flows[key] == (int(row["packets"]), int(row["octets"]))
        assert int(row["peer_records"]) == 1 and "timeouts not applied" in row["reasons"]


def test_a_peer_that_is_not_installed_is_named_with_its_package(esx_netflow, tmp_path):
    (tmp_path / "in.pcap").write_bytes(pcap([]))
    done = esx_netflow(
        "compare", "--peer", "softflowd", "-r", "in.pcap", cwd=tmp_path, env={**os.environ, "PATH": str(tmp_path)}
    )
    assert done.returncode == 2
    assert done.stderr == "esx-netflow: softflowd is not installed: apt-get install softflowd\n"


def test_a_daemon_is_found_in_the_sbin_beside_a_bin_of_path(compare, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    compare("softflowd", workload(WORKLOADS["w4"], 3).capture)


@pytest.mark.parametrize(
    "options, code, complaint",
    [
        (["-r", "in.pcap"], 2, "--peer is required"),
        (["--peer", "softflow", "-r", "in.pcap"], 2, "did you mean 'softflowd'?"),
        (["--peer", "softflowd", "-r", "-"], 2, "must be a file"),
        (["--peer", "softflowd", "-r", "no-such.pcap"], 2, "no-such.pcap: No such file"),
        (["--peer", "nfpcapd", "-r", "in.pcap", "--idle", "0"], 2, "--idle"),
    ],
)
def test_bad_options(esx_netflow, tmp_path, options, code, complaint):
    (tmp_path / "in.pcap").write_bytes(pcap([]))
    done = esx_netflow("compare", *options, cwd=tmp_path)
    assert done.returncode == code and complaint in done.stderr
