# SPDX-License-Identifier: GPL-2.0-only
"""explain: the story of a flow out of the result folder, and that all stories together are the books."""

import re
import shutil
from collections import Counter, defaultdict

import pytest
from labs import SCENARIOS, lab, table, write

KEY = ("exporter", "vswitch", "src", "dst", "proto", "sport", "dport", "tos", "input")
TITLE = re.compile(r"^(\S+):(\d+) -> (\S+):(\d+) (\w+(?: \d+)?)(?: tos (\d+))?, into port (\d+) of ([^/]+)/(\S+)$")
SUM = re.compile(
    r"^  (truth|collected|lost: \w+|left: \w+) +(\d[\d ]*) packets? +(\d[\d ]*) octets? +(\d[\d ]*) records?$"
)
EVENT = re.compile(r"^ +(\d+\.\d{6}) s  (.+)$")
PROTOCOLS = {"tcp": "6", "udp": "17", "icmp": "1"}


@pytest.fixture(scope="module")
def losses(esx_netflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("losses") / "out"
    done = esx_netflow("run", SCENARIOS / "losses.yaml", "--out", folder, "--quiet")
    assert done.returncode == 0, done
    return folder


def stories(text: str):
    """-> for each flow: its key as in the tables, sums by name, events"""
    for block in text.split("\n\n"):
        lines = block.splitlines()
        title = TITLE.match(lines[0])
        if title is None:
            continue
        src, sport, dst, dport, protocol, tos, port, exporter, vswitch = title.groups()
        proto = PROTOCOLS.get(protocol) or protocol.split()[1]
        key = (exporter, vswitch, src, dst, proto, sport, dport, tos or "0", port)
        sums = {
            found[1]: tuple(int(number.replace(" ", "")) for number in found.groups()[1:])
            for line in lines
            if (found := SUM.match(line))
        }
        yield key, sums, [found.groups() for line in lines if (found := EVENT.match(line))]


def test_all_stories_together_are_the_books(losses, esx_netflow):
    told = {
        key: sums for key, sums, _ in stories(esx_netflow("explain", losses, "--flow", "*->*", "--limit", "0").stdout)
    }
    truth, collected, lost = defaultdict(Counter), defaultdict(Counter), defaultdict(dict)
    for row in table(losses, "flows-truth.csv"):
        truth[tuple(row[name] for name in KEY)].update(packets=int(row["packets"]), octets=int(row["octets"]))
    for row in table(losses, "flows-collected.csv"):
        counts = {"packets": int(row["packets"]), "octets": int(row["octets"]), "records": 1}
        collected[tuple(row[name] for name in KEY)].update(counts)
    for row in table(losses, "flows-lost.csv") + table(losses, "flows-left.csv"):
        key = tuple(row[name] for name in KEY)
        lost[key][row.get("cause") or row["state"]] = tuple(int(row[name]) for name in ("packets", "octets", "records"))
    assert set(told) == set(truth) and len(told) > 1000
    for key, sums in told.items():
        assert sums["truth"][:2] == (truth[key]["packets"], truth[key]["octets"])
        assert sums["collected"] == tuple(collected[key][name] for name in ("packets", "octets", "records"))
        assert {name.split(": ")[1]: counts for name, counts in sums.items() if ": " in name} == lost[key]


def record_with(folder, **wanted) -> tuple[dict, dict]:
    """-> a record and its datagram, whose columns are as wanted"""
    datagrams = {(row["exporter"], row["datagram"]): row for row in table(folder, "datagrams.csv")}
    for record in table(folder, "records.csv"):
        datagram = datagrams.get((record["exporter"], record["datagram"]), {})
        if all({**datagram, **record}.get(name) == value for name, value in wanted.items()):
            return record, datagram
    raise AssertionError(f"no record with {wanted}")


def story_of(record: dict, folder, esx_netflow) -> list[tuple[str, str]]:
    flow = f"{record['src']}:{record['sport']}->{record['dst']}:{record['dport']}"
    where = ("--host", record["exporter"], "--vswitch", record["vswitch"], "--proto", record["proto"])
    done = esx_netflow("explain", folder, "--flow", flow, *where, "--limit", "0")
    key = tuple(record[name] for name in KEY)
    (events,) = [events for found, _, events in stories(done.stdout) if found == key]
    return events


def test_a_record_that_died_on_the_link_is_followed_in_order(losses, esx_netflow):
    record, datagram = record_with(losses, fate="lost_device_queue")
    events = story_of(record, losses, esx_netflow)
    assert [float(at) for at, _ in events] == sorted(float(at) for at, _ in events)
    number = datagram["datagram"]
    wanted = [
        "metered: a record begins, of ",
        f"ended: {record['reason']}; queued in purgatory",
        f"polled; sent in datagram {number} (sequence {datagram['sequence']}) to 10.6.125.84",
        f"datagram {number} leaves by the vmknic",
        f"datagram {number} lost on collector-link at sw1: device_queue",
    ]
    told = iter(text for _, text in events)
    assert all(any(text.startswith(step) for text in told) for step in wanted), events


@pytest.mark.parametrize(
    ("station", "words"),
    [
        ("dropped_purgatory_full", "dropped: purgatory_full"),
        ("shed_no_memory", " shed from here on: no_memory"),
        ("discarded_killed", "discarded: killed"),
    ],
)
def test_what_died_in_the_module_is_told(losses, esx_netflow, station, words):
    record, _ = record_with(losses, station=station)
    assert any(words in text for _, text in story_of(record, losses, esx_netflow))


def test_what_was_received_is_told(losses, esx_netflow):
    record, datagram = record_with(losses, fate="received")
    events = story_of(record, losses, esx_netflow)
    assert any(text == f"datagram {datagram['datagram']} received by nf-collector1" for _, text in events)


def test_names_stand_for_addresses_and_flows_can_be_limited(losses, esx_netflow):
    done = esx_netflow("explain", losses, "--flow", "web1->db1:3306", "--host", "esx1", "--lost", "--limit", "2")
    found = list(stories(done.stdout))
    assert len(found) == 2 and {key[2:4] for key, _, _ in found} == {("10.1.101.11", "10.1.101.21")}
    assert all(any(name.startswith("lost: ") for name in sums) for _, sums, _ in found)
    assert re.search(r"^2 of \d+ flows that match; --limit 0 shows all$", done.stdout, re.MULTILINE)
    issue = esx_netflow(
        "explain", losses, "--flow", "10.1.101.11:*->10.1.101.21:3306", "--host", "esx1", "--lost", "--limit", "2"
    )
    assert issue.stdout == done.stdout


def test_no_flow_that_matches_is_said(losses, esx_netflow):
    done = esx_netflow("explain", losses, "--flow", "192.0.2.1->*")
    assert (done.returncode, done.stdout) == (0, "0 of 0 flows that match\n")


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ("10.1.101.11", "is no flow: SOURCE[:PORT]->DESTINATION[:PORT]"),
        ("->10.1.101.11", "is no end of a flow"),
        ("*:http->*", "is no end of a flow"),
        ("wep1->db1", "did you mean 'web1'?"),
    ],
)
def test_flow_that_cannot_be_meant_is_exit_2(losses, esx_netflow, flow, message):
    done = esx_netflow("explain", losses, "--flow", flow)
    assert done.returncode == 2 and message in done.stderr and done.stdout == ""


def test_folder_without_tables_is_exit_2(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab() + "outputs: {flows: false}\n")
    assert esx_netflow("run", scenario, "--out", tmp_path / "out").returncode == 0
    done = esx_netflow("explain", tmp_path / "out", "--flow", "*->*")
    assert done.returncode == 2 and "records.csv cannot be read" in done.stderr


def test_broken_table_is_told_by_line(losses, esx_netflow, tmp_path):
    folder = shutil.copytree(losses, tmp_path / "out")
    text = (folder / "records.csv").read_text().splitlines()
    (folder / "records.csv").write_text("\n".join(text[:5] + ["esx1,prod1"]) + "\n")
    done = esx_netflow("explain", folder, "--flow", "*->*")
    assert done.returncode == 2 and "records.csv: line 6: 2 cells under 22 columns" in done.stderr
