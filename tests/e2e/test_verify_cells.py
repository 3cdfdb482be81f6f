# SPDX-License-Identifier: GPL-2.0-only
"""A changed cell of a table of a run is found: in every column of every table, row by row, but for those that no file
can tell."""

import csv
from pathlib import Path

import pytest
from labs import lab
from labs import write as write_lab
from oracle.verify import Verification

TABLES = "flows-truth flows-exported flows-collected flows-lost flows-left records datagrams series".split()
NOT_JUDGED = {("datagrams", "concluded_ns")}  # of a datagram that was lost, to the nanosecond: README.md says why

LAB = """
version: 1
name: cells
run: {duration: 30s}
hosts:
  esx1:
    netflow: {idle_timeout: 2s, active_timeout: 6s, purgatory_max: 4}
    memory: {netflow_heap: 1200B}
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VMs: {}}}}
    vmknics: {vmk0: {portgroup: VMs, address: 10.0.0.11/24}}
    vms:
      a: {nics: [{portgroup: VMs, address: 10.0.0.21/24}]}
      b: {nics: [{portgroup: VMs, address: 10.0.0.22/24}]}
  esx2:
    uptime_at_start: 4294950s
    netflow: {idle_timeout: 2s}
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VMs: {}}}}
    vmknics: {vmk0: {portgroup: VMs, address: 10.0.0.12/24}}
    vms:
      c: {nics: [{portgroup: VMs, address: 10.0.0.23/24}]}
nodes:
  sw1: {kind: switch}
  nf1: {kind: collector, address: 10.0.0.84/24}
links:
  - {name: l1, endpoints: [esx1:vmnic0, sw1:1]}
  - {name: l2, endpoints: [esx2:vmnic0, sw1:2]}
  - {name: collector-link, endpoints: [nf1:eth0, sw1:3]}
traffic:
  - {name: long, app: udp-cbr, from: a, to: c, port: 5060, start: 2003ms, stop: 29s, rate: 16kbps}
  - {name: web, app: tcp-request, from: a, to: b, port: 80, start: 3007ms, stop: 20s, response: 2kB, every: 150ms}
timeline:
  - {at: 100ms, host: esx1, run: vmkload_mod netflow}
  - {at: 100ms, host: esx2, run: vmkload_mod netflow}
  - {at: 1s, host: esx1, id: nf, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.84:2055}
  - {at: 1s, host: esx2, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.84:2055}
  - {at: 12s, for: 4s, link: collector-link, down: true}
  - {at: 22s, signal: TERM, process: nf}
  - {at: 24s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -p -e vSwitch0 10.0.0.84:2055}
"""


@pytest.fixture(scope="module")
def judge(esx_netflow, tmp_path_factory) -> Verification:
    """The captures of a run are read once; each call of run() reads the tables."""
    folder = tmp_path_factory.mktemp("cells")
    done = esx_netflow("run", write_lab(folder, LAB), "--captures", "--out", folder / "out")
    assert done.returncode == 0, done.stderr
    return Verification(folder / "out")


def read(path: Path) -> list[list[str]]:
    with open(path, newline="") as file:
        return list(csv.reader(file))


def write(path: Path, rows: list[list[str]]) -> None:
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def changed(cell: str) -> str:
    """Another value of the same kind."""
    if cell.count(".") == 3:
        return "10.9.9.9"
    if cell.replace(".", "", 1).isdigit():
        return f"{int(cell) + 1}" if cell.isdigit() else f"{cell[:-1]}{(int(cell[-1]) + 1) % 10}"
    return {"": "7", "idle": "active", "active": "idle"}.get(cell, cell + "x")


def test_the_lab_has_what_can_be_told(judge):
    assert judge.run() == []
    causes = {row["cause"] for row in judge.table("flows-lost.csv")}
    assert {"purgatory_full", "no_memory", "link_down", "killed"} <= causes
    assert all(judge.table(f"{name}.csv") for name in TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_cell_is_found_in_every_column(judge, name):
    path = judge.folder / f"{name}.csv"
    header, *rows = read(path)
    missed = set()
    try:
        for column in range(len(header)):
            for number in {len(rows) // 3, len(rows) - 1}:
                cells = list(rows[number])
                cells[column] = changed(cells[column])
                write(path, [header, *rows[:number], cells, *rows[number + 1 :]])
                if not judge.run():
                    missed.add((header[column], number, rows[number][column], cells[column]))
    finally:
        write(path, [header, *rows])
    assert {(name, column) for column, *_ in missed} <= NOT_JUDGED, missed
    assert judge.run() == []


@pytest.mark.parametrize("name", TABLES)
def test_a_row_too_many_or_too_few_is_found(judge, name):
    path = judge.folder / f"{name}.csv"
    header, *rows = read(path)
    try:
        for other in (rows[1:], [rows[0], *rows]):
            write(path, [header, *other])
            assert judge.run(), f"{name}: {len(other)} rows for {len(rows)}"
    finally:
        write(path, [header, *rows])


# ---- links.csv, and what died on links


@pytest.fixture(scope="module")
def lossy(esx_netflow, tmp_path_factory) -> Verification:
    """The link to the collector loses, and no frame but datagrams crosses it meanwhile."""
    folder = tmp_path_factory.mktemp("links")
    text = lab(duration="60s", stop="55s").replace("run: {", "run: {arp: static, ")
    scan = (
        "  - {name: scan, app: tcp-syn-scan, from: esx1-a, to: esx1-b, ports: 1-900, start: 2s, stop: 50s, every: "
        "50ms}\ntimeline:\n  - {at: 600ms, link: collector-link, set: {loss: 0.3}}"
    )
    done = esx_netflow(
        "run", write_lab(folder, text.replace("timeline:", scan)), "--captures", "-q", "--out", folder / "out"
    )
    assert done.returncode == 0, done.stderr
    return Verification(folder / "out")


def of_links(judge, name, chosen, **values):
    """-> findings with one row changed, the first, middle and last of those that are chosen"""
    path = judge.folder / f"{name}.csv"
    header, *rows = read(path)
    places = [i for i, row in enumerate(rows) if chosen(dict(zip(header, row)))]
    assert places, f"{name}: no such row"
    findings = []
    for place in {places[len(places) // 3], places[len(places) // 2], places[-1]}:
        row = dict(zip(header, rows[place]))
        row |= {column: value(row[column]) for column, value in values.items()}
        try:
            write(path, [header, *rows[:place], list(row.values()), *rows[place + 1 :]])
            findings.append(judge.run())
        finally:
            write(path, [header, *rows])
    return findings


def plus(number):
    return lambda cell: str(int(cell) + number)


def is_lost(row):
    return row["fate"] == "lost_channel_error"


def test_links_that_lose_are_judged(lossy):
    assert lossy.run() == []
    assert sum(map(is_lost, lossy.table("datagrams.csv"))) > 3


@pytest.mark.parametrize("column", ["frames", "octets"])
@pytest.mark.parametrize("step", [1, -1])
def test_each_count_of_what_comes_to_a_collector_is_judged(lossy, column, step):
    assert all(
        of_links(lossy, "links", lambda row: row["from"] == "sw1:1" and int(row["frames"]) > 5, **{column: plus(step)})
    )


@pytest.mark.parametrize(
    "column, value",
    [
        ("time_ms", lambda t: t.replace(".", "1.")),
        ("link", lambda _: "other"),
        ("from", lambda _: "nf1:eth9"),
        ("rate_bps", plus(1)),
        ("dropped", plus(1)),
        ("queued", lambda _: "-1"),
        ("octets", lambda _: "0"),
    ],
)
def test_a_wrong_cell_of_any_end_is_found(lossy, column, value):
    assert all(
        of_links(lossy, "links", lambda row: row["from"] == "esx1:vmnic0" and int(row["frames"]) > 5, **{column: value})
    )


def test_a_queue_is_judged_by_what_is_sent_and_dropped(esx_netflow, tmp_path, lossy):
    """No more waits than the queue takes, nor than is sent before the link rests; after a drop, no less than what was
    not sent since."""
    assert all(
        of_links(
            lossy,
            "links",
            lambda row: row["from"] == "esx1:vmnic0" and 5_000 < float(row["time_ms"]) < 50_000,
            queued=plus(50),
        )
    )
    flood = (
        "  - {name: far, app: udp-cbr, from: esx1-a, to: nf1, port: 9, start: 1s, stop: 15s, rate: 160kbps, packet: "
        "300B}\ntimeline:"
    )
    text = (
        lab(stop="18s")
        .replace("timeline:", flood)
        .replace("name: collector-link,", "name: collector-link, rate: 100kbps, queue: 100p,")
    )
    done = esx_netflow("run", write_lab(tmp_path, text), "--captures", "-q", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    crowded = Verification(tmp_path / "out")
    assert crowded.run() == []
    is_full = lambda row: row["from"] == "sw1:1" and 7_000 < float(row["time_ms"]) < 15_000  # noqa: E731
    for wrong in 2, -70:
        assert all(of_links(crowded, "links", is_full, queued=plus(wrong))), wrong


def test_where_and_about_when_a_datagram_died_is_judged(lossy):
    for place in "nf2/collector-link", "esx1", "nf1/esx1.vmnic0-sw1.2", "":
        assert all(of_links(lossy, "datagrams", is_lost, place=lambda _, place=place: place)), place
    for late in 1, -1:
        assert all(of_links(lossy, "datagrams", is_lost, concluded_ns=plus(late * 1_100_000_000)))
