# SPDX-License-Identifier: GPL-2.0-only
"""Attributes of ns-3 that a scenario sets by name reach the objects of their part, or are refused before the run."""

import pytest

from e2e.labs import contents, table, write

QUICK = """\
version: 1
name: lab
run: {{duration: 12s{run}}}
hosts:
  esx1:
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}, VMkernel: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VMkernel, address: 10.0.0.1/24}}}}
    vms:
      web1: {{nics: [{{portgroup: VM Network, address: 10.0.0.11/24}}]}}
      db1: {{nics: [{{portgroup: VM Network, address: 10.0.0.12/24}}]}}
    {host}
nodes:
  nf1: {{kind: collector, address: 10.0.0.84/24{node}}}
links:
  - {{endpoints: [esx1:vmnic0, nf1:eth0]{link}}}
traffic:
  - {{name: copy, app: tcp-bulk, from: db1, to: web1, start: 3s, size: 1MB, stop: 8s{traffic}}}
timeline:
  - {{at: 1s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 2s, host: esx1, id: nf, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.0.0.84:2055}}
"""


def scenario(**parts) -> str:
    return QUICK.format(**{part: parts.get(part, "") for part in ("run", "host", "node", "link", "traffic")})


@pytest.fixture
def run(esx_netflow, tmp_path):
    def run(name, **parts):
        write(tmp_path, scenario(**parts), f"{name}.yaml")
        return esx_netflow("run", f"{name}.yaml", "--out", name, cwd=tmp_path), tmp_path / name

    return run


def octets_of_a_packet(folder) -> float:
    """The mean of what db1 sends."""
    flows = [flow for flow in table(folder, "flows-truth.csv") if flow["src"] == "10.0.0.12"]
    return sum(int(flow["octets"]) for flow in flows) / sum(int(flow["packets"]) for flow in flows)


def test_a_default_of_a_run_holds_for_what_is_made_later(run):
    (plain, one), (small, two) = run("plain"), run("small", run=", attributes: {ns3::TcpSocket::SegmentSize: 724}")
    assert plain.returncode == small.returncode == 0, plain.stderr + small.stderr
    assert octets_of_a_packet(two) < 724 + 52 < octets_of_a_packet(one)
    assert "ns3::TcpSocket::SegmentSize: 724" in (two / "resolved.yaml").read_text()


def test_a_run_of_the_resolved_scenario_gives_the_same_bytes(run, esx_netflow, tmp_path):
    _, first = run("lab", host="attributes: {ns3::EsxVSwitch::Delay: 40us}")
    again = esx_netflow("run", first / "resolved.yaml", "--out", "again", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    one, two = contents(first), contents(tmp_path / "again")
    assert {n: b for n, b in one.items() if n != "summary.json"} == {
        n: b for n, b in two.items() if n != "summary.json"
    }


def test_an_attribute_of_a_host_changes_that_host(run):
    (plain, one), (slow, two) = run("plain"), run("slow", host="attributes: {ns3::EsxVSwitch::Delay: 3ms}")
    assert plain.returncode == slow.returncode == 0, plain.stderr + slow.stderr
    assert contents(one)["records.csv"] != contents(two)["records.csv"]


@pytest.mark.parametrize(
    "part, text, place, words",
    [
        (
            "host",
            "attributes: {ns3::TcpSocket::SegmentSize: 724}",
            "hosts.esx1.attributes",
            "no ns3::TcpSocket is made here before the run",
        ),
        (
            "host",
            "attributes: {ns3::EsxVSwitch::AllowUnknownUplinks: false}",
            "hosts.esx1.attributes",
            "esx-netflow sets it itself",
        ),
        (
            "node",
            ", attributes: {ns3::EsxVSwitch::Delay: 1us}",
            "nodes.nf1.attributes",
            "no ns3::EsxVSwitch is made here",
        ),
        (
            "link",
            ", attributes: {ns3::EsxTcpSynScan::SourcePort: 9}",
            "links[0].attributes",
            "no ns3::EsxTcpSynScan is made here",
        ),
        (
            "traffic",
            ", attributes: {ns3::EsxTcpSynScan::SourcePort: 9}",
            "traffic[0].attributes",
            "no ns3::EsxTcpSynScan is made here",
        ),
    ],
)
def test_an_attribute_that_would_change_nothing_is_refused(run, part, text, place, words):
    done, folder = run("lab", **{part: text})
    assert done.returncode == 2 and f": {place}." in done.stderr and words in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and not folder.exists()


def test_an_attribute_of_a_node_and_of_an_application_arrives(run):
    done, folder = run(
        "lab",
        node=", attributes: {ns3::EsxNetflowCollector::LateRecords: 5}",
        traffic=", attributes: {ns3::BulkSendApplication::SendSize: 1000}",
    )
    assert done.returncode == 0, done.stderr
