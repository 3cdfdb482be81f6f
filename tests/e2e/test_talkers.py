# SPDX-License-Identifier: GPL-2.0-only
"""talkers: what an administrator sees of what was collected, beside the truth. Recomputed here from the flow tables."""

import csv
import io
import json
import shutil
from collections import Counter

import pytest
from labs import SCENARIOS, lab, table, write


@pytest.fixture(scope="module")
def losses(esx_netflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("losses") / "out"
    assert esx_netflow("run", SCENARIOS / "losses.yaml", "--out", folder, "--quiet").returncode == 0
    return folder


def report(esx_netflow, folder, *options) -> dict:
    done = esx_netflow("talkers", folder, "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def octets_by(folder, name: str, *columns) -> Counter:
    sums = Counter()
    for row in table(folder, name):
        sums[tuple(row[column] for column in columns)] += int(row["octets"])
    return sums


HOMES = {
    "10.1.101.11": ("esx1", "prod1"), "10.1.101.12": ("esx1", "prod1"), "10.1.101.21": ("esx2", "vSwitch0"),
    "10.6.125.11": ("esx1", "vSwitch0"), "10.6.125.12": ("esx2", "vSwitch0"),
}  # fmt: skip


def test_octets_are_those_of_the_tables(losses, esx_netflow):
    talkers = report(esx_netflow, losses, "--top", "0")["talkers"]
    for side, name in (("truth", "flows-truth.csv"), ("collected", "flows-collected.csv")):
        told = Counter({(t["exporter"], t["vswitch"], t["address"]): t["octets"][side] for t in talkers})
        seen = octets_by(losses, name, "exporter", "vswitch", "src")
        assert +told == Counter(
            {place: octets for place, octets in seen.items() if HOMES.get(place[2], place[:2]) == place[:2]}
        )
        assert len(told) < len(octets_by(losses, "flows-truth.csv", "exporter", "vswitch", "src"))
    assert any(0 < t["octets"]["collected"] < t["octets"]["truth"] for t in talkers)


def test_the_top_of_each_vswitch_comes_first(losses, esx_netflow):
    every, top = (report(esx_netflow, losses, "--top", n)["talkers"] for n in ("0", "2"))
    for place in {(t["exporter"], t["vswitch"]) for t in every}:
        here = [t for t in every if (t["exporter"], t["vswitch"]) == place]
        assert here == sorted(here, key=lambda t: -t["octets"]["truth"])
        assert [t for t in top if (t["exporter"], t["vswitch"]) == place] == here[:2]


def test_a_vm_is_counted_at_its_own_host(losses, esx_netflow):
    vms = {vm["name"]: vm for vm in report(esx_netflow, losses)["vms"]}
    sent = octets_by(losses, "flows-truth.csv", "exporter", "src")
    received = octets_by(losses, "flows-truth.csv", "exporter", "dst")
    assert vms["db1"]["octets_out"]["truth"] == sent["esx2", "10.1.101.21"] > 0
    assert vms["db1"]["octets_in"]["truth"] == received["esx2", "10.1.101.21"] > 0
    assert vms["web1"]["octets_out"]["truth"] == sent["esx1", "10.1.101.11"]


def test_windows_add_up_to_the_whole(losses, esx_netflow):
    whole = report(esx_netflow, losses, "--top", "0")
    parts = [
        report(esx_netflow, losses, "--top", "0", "--window", window)
        for window in ("0s..45s", "45s..70.0005s", "70.0005s..200s")
    ]
    for index, vm in enumerate(whole["vms"]):
        for way in ("octets_out", "octets_in"):
            for side in ("truth", "collected"):
                assert abs(sum(part["vms"][index][way][side] for part in parts) - vm[way][side]) <= len(parts)
    assert parts[0]["talkers"] != parts[1]["talkers"]


def test_the_last_hours_end_with_the_run(losses, esx_netflow):
    last = report(esx_netflow, losses, "--last", "50s")
    assert (last["from_ns"], last["to_ns"]) == (150 * 10**9, 200 * 10**9)
    assert last == report(esx_netflow, losses, "--window", "150s..200s")
    assert report(esx_netflow, losses, "--last", "24h") == report(esx_netflow, losses)


def test_a_port_scan_is_seen_in_truth_and_in_what_was_collected(losses, esx_netflow):
    # no server that answers
    (scan,) = [i for i in report(esx_netflow, losses)["irregular"] if i["kind"] == "port_scan"]
    assert (scan["name"], scan["target"]) == ("scan", "10.6.125.67")
    ports = {
        side: len(
            {
                row["dport"]
                for row in table(losses, name)
                if row["src"] == "10.6.125.66" and int(row["dport"]) < int(row["sport"])
            }
        )
        for side, name in (("truth", "flows-truth.csv"), ("collected", "flows-collected.csv"))
    }
    assert {side: scan["value"][side] for side in ports} == ports and ports["collected"] < ports["truth"]
    assert scan["in_truth"] and scan["in_collected"]


def test_loss_can_hide_what_is_irregular(losses, esx_netflow):
    (scan,) = [i for i in report(esx_netflow, losses)["irregular"] if (i["kind"], i["name"]) == ("port_scan", "scan")]
    between = str((scan["value"]["truth"] + scan["value"]["collected"]) // 2)
    found = report(esx_netflow, losses, "--ports", between)["irregular"]
    (hidden,) = [i for i in found if (i["kind"], i["name"]) == ("port_scan", "scan")]
    assert hidden["in_truth"] and not hidden["in_collected"]
    assert "; hidden by the loss" in esx_netflow("talkers", losses, "--ports", between).stdout


def test_fan_out_and_volume_have_thresholds(esx_netflow, tmp_path):
    assert (
        esx_netflow(
            "run", write(tmp_path, lab(hosts=("esx1", "esx2"), stop="9s")), "--out", tmp_path / "out"
        ).returncode
        == 0
    )

    def kinds(*options):
        return {(i["kind"], i["address"]) for i in report(esx_netflow, tmp_path / "out", *options)["irregular"]}

    assert kinds() == set()
    assert ("fan_out", "10.6.125.101") in kinds("--fan-out", "1")
    wanted = {
        t["address"]: t["octets"]["truth"]
        for t in report(esx_netflow, tmp_path / "out")["talkers"]
        if t["exporter"] == "esx1"
    }
    assert len(wanted) < 3, "too few sources for a median: no volume is irregular"
    assert not any(kind == "volume" for kind, _ in kinds("--volume", "1"))


def test_volume_is_compared_with_the_median(losses, esx_netflow):
    talkers = [
        t
        for t in report(esx_netflow, losses, "--top", "0")["talkers"]
        if (t["exporter"], t["vswitch"]) == ("esx1", "vSwitch0")
    ]
    octets = sorted(t["octets"]["truth"] for t in talkers if t["octets"]["truth"])
    assert len(octets) >= 3
    median = octets[len(octets) // 2]
    for times in (1, 2, 10):
        found = report(esx_netflow, losses, "--volume", str(times))["irregular"]
        told = {
            i["address"]
            for i in found
            if (i["kind"], i["exporter"], i["vswitch"], i["in_truth"]) == ("volume", "esx1", "vSwitch0", True)
        }
        assert told == {t["address"] for t in talkers if t["octets"]["truth"] >= times * median}


def test_csv_and_json_say_the_same(losses, esx_netflow):
    rows = list(csv.DictReader(io.StringIO(esx_netflow("talkers", losses, "--format", "csv").stdout)))
    whole = report(esx_netflow, losses)
    first = next(row for row in rows if row["kind"] == "vm")
    assert (first["name"], first["measure"]) == (whole["vms"][0]["name"], "octets_out")
    assert int(first["truth"]) == whole["vms"][0]["octets_out"]["truth"]
    assert len(rows) == 3 * len(whole["talkers"]) + 2 * len(whole["vms"]) + len(whole["irregular"])


def test_text_shows_both_sides(losses, esx_netflow):
    text = esx_netflow("talkers", losses).stdout
    assert text.startswith("From 0 s to 200 s; what was collected beside the truth\n")
    assert "tries many ports of 10.6.125.67: " in text and " ports, collected " in text
    assert "esx1:web1 " in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--window", "5s"), "is no two times joined by two dots"),
        (("--window", "5s..x"), "'x' is no time with its unit"),
        (("--window", "20s..20s"), "the window is empty"),
        (("--window", "300s..400s"), "the window is empty: the run ends at 200 s"),
        (("--last", "24"), "'24' is no time with its unit"),
        (("--format", "xml"), "xml"),
        (("--last", "1s", "--window", "1s..2s"), "excludes"),
    ],
)
def test_bad_options_are_exit_2(losses, esx_netflow, options, message):
    done = esx_netflow("talkers", losses, *options)
    assert done.returncode == 2 and message in done.stderr and done.stdout == ""


def test_no_result_folder_is_exit_2(losses, esx_netflow, tmp_path):
    assert esx_netflow("talkers", tmp_path).returncode == 2
    folder = shutil.copytree(losses, tmp_path / "out")
    (folder / "resolved.yaml").unlink()
    for reader in (("talkers",), ("explain", "--flow", "web1->db1:3306")):
        whole, alone = (esx_netflow(reader[0], path, *reader[1:]).stdout for path in (losses, folder))
        assert whole == alone != "", "lab.json says the same"
    (folder / "lab.json").unlink()
    done = esx_netflow("talkers", folder)
    assert done.returncode == 2 and "no lab.json and no resolved.yaml" in done.stderr
