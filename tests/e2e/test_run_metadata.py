# SPDX-License-Identifier: GPL-2.0-only
"""run --metadata: the exporters and interfaces of a run as collectors want them."""

import json

import yaml
from esx_netflow import metadata
from labs import lab, table, write
from probing import ClosedPort

NAMES = {"input": "input_port", "output": "output_port"}


def test_akvorado_and_netdata_know_every_interface_of_every_record(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab(hosts=("esx1", "esx2")))
    for kind in ("akvorado", "netdata"):
        with ClosedPort() as closed:
            assert (
                esx_netflow(
                    "run", scenario, "-q", "--out", tmp_path / kind, "--to", closed.target, "--metadata", kind
                ).returncode
                == 0
            )
    akvorado = yaml.safe_load((tmp_path / "akvorado" / "akvorado.yaml").read_text())
    assert akvorado["core"]["default-sampling-rate"] == 1
    (provider,) = akvorado["metadata"]["providers"]
    netdata = yaml.safe_load((tmp_path / "netdata" / "netdata.yaml").read_text())["enrichment"]["metadata_static"][
        "exporters"
    ]
    assert set(provider["exporters"]) == set(netdata) == {"127.0.0.2", "127.0.0.3"} and provider["type"] == "static"
    named = {one["name"]: one["ifindexes"] for one in provider["exporters"].values()}
    for row in table(tmp_path / "netdata", "flows-exported.csv"):
        for number, name in NAMES.items():
            if row[name]:
                assert named[row["exporter"]][int(row[number])]["name"] == row[name]
    assert {port["speed"] for port in named["esx1"].values()} == {1000}
    assert {port["speed"] for port in netdata["127.0.0.2"]["if_indexes"].values()} == {10**9}


def test_no_interface_of_akvorado_has_a_speed_of_0():
    """Its configuration refuses 0, and counts in Mbit/s."""
    known = {"192.0.2.1": {"name": "esx1", "interfaces": {3: {"name": "vmnic0", "speed": 512_000}}}}
    (provider,) = yaml.safe_load(metadata.text("akvorado", known))["metadata"]["providers"]
    assert provider["exporters"]["192.0.2.1"]["ifindexes"][3]["speed"] == 1
    assert (
        yaml.safe_load(metadata.text("netdata", known))["enrichment"]["metadata_static"]["exporters"]["192.0.2.1"][
            "if_indexes"
        ][3]["speed"]
        == 512_000
    )


def test_nfacctd_labels_records_by_the_map(esx_netflow, tmp_path):
    scenario = write(tmp_path, lab())
    with ClosedPort() as closed:
        assert (
            esx_netflow(
                "run", scenario, "-q", "--out", tmp_path / "out", "--to", closed.target, "--metadata", "pmacct"
            ).returncode
            == 0
        )
    lines = [
        "nfacctd_ip: 127.0.0.1",
        "plugins: print",
        "print_output: json",
        "print_refresh_time: 3600",
        "aggregate: label, in_iface, src_host",
        f"pre_tag_map: {tmp_path / 'out' / 'pmacct.map'}",
    ]
    (tmp_path / "conf").write_text("\n".join(lines) + "\n")
    start = (
        f"(cat {tmp_path / 'conf'}; echo nfacctd_port: {{port}}; echo print_output_file: "
        f"{{folder}}/flows.json) > {{folder}}/../conf; exec nfacctd -f {{folder}}/../conf"
    )
    esx_netflow("run", scenario, "-q", "--out", tmp_path / "again", "--collector", start, "--end-by", "INT")
    names = {int(row["input"]): f"esx1:{row['input_port']}" for row in table(tmp_path / "out", "flows-exported.csv")}
    rows = [
        json.loads(line) for line in (tmp_path / "again.collector" / "store" / "flows.json").read_text().splitlines()
    ]
    assert rows and all(row["label"] == names[row["iface_in"]] for row in rows)


def test_nprobes_mappings_for_ntopng_name_every_interface_of_every_record(esx_netflow, tmp_path):
    """A line is `AgentIP ifIndex ifName`, as nProbe's documentation of --snmp-mappings has it."""
    scenario = write(tmp_path, lab(hosts=("esx1", "esx2")))
    with ClosedPort() as closed:
        assert (
            esx_netflow(
                "run", scenario, "-q", "--out", tmp_path / "out", "--to", closed.target, "--metadata", "ntopng"
            ).returncode
            == 0
        )
    lines = [line.split() for line in (tmp_path / "out" / "ntopng.txt").read_text().splitlines()]
    rows = table(tmp_path / "out", "flows-exported.csv")
    address = {"esx1": "127.0.0.2", "esx2": "127.0.0.3"}
    assert {tuple(line) for line in lines} == {
        (address[row["exporter"]], row[number], row[name])
        for row in rows
        for number, name in NAMES.items()
        if row[name]
    }


def test_an_unknown_collector_is_exit_2(esx_netflow, tmp_path):
    done = esx_netflow("run", write(tmp_path, lab()), "--out", tmp_path / "out", "--metadata", "akvorad")
    assert done.returncode == 2 and "did you mean 'akvorado'?" in done.stderr, done.stderr
