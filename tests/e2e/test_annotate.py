# SPDX-License-Identifier: GPL-2.0-only
"""run --annotate: the collector's capture as pcapng, with what was lost and where. Read by the oracle and by tshark."""

import shutil
import subprocess
from collections import Counter

import pytest
from labs import SCENARIOS, contents, table
from oracle.capture import read_capture

ETHERNET, RAW_IP = 1, 101
BEHIND_THE_CAPTURE = ("received", "lost_refused", "lost_socket_buffer", "lost_not_decoded")


@pytest.fixture(scope="module")
def losses(esx_netflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("losses") / "out"
    done = esx_netflow("run", SCENARIOS / "losses.yaml", "--out", folder, "--captures", "--annotate", "--quiet")
    assert done.returncode == 0, done
    return folder


def missing(folder) -> list[dict]:
    return [row for row in table(folder, "datagrams.csv") if row["fate"] not in BEHIND_THE_CAPTURE]


def test_what_came_is_the_collectors_capture(losses):
    came = [packet for packet in read_capture(losses / "nf-collector1.pcapng") if packet.linktype == ETHERNET]
    plain = read_capture(losses / "nf-collector1.pcap")
    assert [(p.time_ns, p.data) for p in came] == [(p.time_ns, p.data) for p in plain] and len(plain) > 100


def test_what_was_lost_stands_at_its_time_of_death(losses):
    lost = [packet for packet in read_capture(losses / "nf-collector1.pcapng") if packet.linktype == RAW_IP]
    assert Counter(p.time_ns for p in lost) == Counter(int(row["concluded_ns"]) for row in missing(losses))
    assert all(
        packet.data[0] == 0x45 and len(packet.data) == int.from_bytes(packet.data[2:4], "big") for packet in lost
    )


def test_tshark_reads_where_datagrams_died(losses):
    assert shutil.which("tshark"), "Debian package tshark"
    command = [
        "tshark",
        "-r",
        losses / "nf-collector1.pcapng",
        "-Y",
        "frame.comment",
        "-T",
        "fields",
        "-d",
        "udp.port==4242,cflow",
    ]
    fields = ("frame.interface_name", "frame.comment", "cflow.count")
    done = subprocess.run(
        [*command, *(word for field in fields for word in ("-e", field))], capture_output=True, text=True, check=True
    )
    told = Counter()
    for line in done.stdout.splitlines():
        interface, comment, count = line.split("\t")
        assert f", {count} records: " in comment  # tshark decodes the datagram that the comment is about
        told[interface, comment] += 1
    for row in table(losses, "datagrams.csv"):
        what = f"datagram {row['datagram']} of {row['exporter']}, engine {row['engine']}, {row['records']} records: "
        if row["fate"] == "received":
            assert told["nf-collector1:eth0", what + "received"] == int(row["copies"])
        elif row["fate"].startswith("lost_"):
            assert told["lost", f"{what}lost at {row['place']}: {row['fate'].removeprefix('lost_')}"] == 1
    assert any("lost at sw1/collector-link: device_queue" in comment for _, comment in told)


def test_annotating_changes_no_other_file(losses, esx_netflow, tmp_path):
    plain = tmp_path / "out"
    assert esx_netflow("run", SCENARIOS / "losses.yaml", "--out", plain, "--captures", "--quiet").returncode == 0
    annotated = contents(losses)
    assert set(annotated) - set(contents(plain)) == {"nf-collector1.pcapng"}
    annotated.pop("nf-collector1.pcapng")
    assert annotated == contents(plain)
