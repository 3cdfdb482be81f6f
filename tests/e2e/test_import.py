# SPDX-License-Identifier: GPL-2.0-only
"""dot and import: a lab goes to DOT and GraphML and back with nothing lost; drawings of any shape are read or
refused."""

import re

import networkx
import pytest
import yaml
from labs import SCENARIOS, write

LABS = sorted(SCENARIOS.glob("*.yaml"))


def resolved(esx_netflow, path, folder):
    """The lab of a scenario, with all defaults."""
    done = esx_netflow("run", path, "-o", folder / "out", cwd=folder)
    assert done.returncode == 1 and "nothing was examined" in done.stdout, done  # it has no traffic
    data = yaml.safe_load((folder / "out" / "resolved.yaml").read_text())
    return {key: data[key] for key in ("hosts", "nodes", "links")}, [
        list(host["vswitches"]) for host in data["hosts"].values()
    ]


def short(path, folder, name):
    """The lab alone, of a second."""
    data = yaml.safe_load(path.read_text())
    lab = {key: value for key, value in data.items() if key in ("version", "name", "hosts", "nodes", "links")}
    return write(folder, yaml.safe_dump({**lab, "run": {"duration": "1s"}}, sort_keys=False), name)


def same(text):
    """Lines, and attributes within them, in no order: a drawing has none."""
    return sorted(sorted(re.split(r"[\[\], ;]+", line)) for line in text.splitlines())


@pytest.mark.parametrize("form", ["dot", "graphml"])
@pytest.mark.parametrize("scenario", LABS, ids=lambda path: path.stem)
def test_a_lab_comes_back_whole(esx_netflow, tmp_path, scenario, form):
    first = short(scenario, tmp_path, "first.yaml")
    drawn = esx_netflow("dot", *(["--graphml"] if form == "graphml" else []), first)
    assert (drawn.returncode, drawn.stderr) == (0, "")
    drawing = write(tmp_path, drawn.stdout, f"lab.{form}")
    imported = esx_netflow("import", drawing)
    assert (imported.returncode, [line for line in imported.stderr.splitlines() if "warning" not in line]) == (0, [])
    again = write(tmp_path, imported.stdout, "again.yaml")
    assert resolved(esx_netflow, short(again, tmp_path, "second.yaml"), tmp_path) == resolved(
        esx_netflow, first, tmp_path
    )
    assert yaml.safe_load(imported.stdout)["name"] == yaml.safe_load(scenario.read_text())["name"]
    redrawn = esx_netflow("dot", *(["--graphml"] if form == "graphml" else []), again)
    assert same(redrawn.stdout) == same(drawn.stdout)


def test_networkx_reads_what_dot_writes_and_import_reads_what_networkx_writes(esx_netflow, tmp_path):
    text = esx_netflow("dot", "--graphml", SCENARIOS / "two-hosts.yaml").stdout
    graph = networkx.read_graphml(write(tmp_path, text, "lab.graphml"), force_multigraph=True)
    assert graph.nodes["sw1"]["kind"] == "switch" and graph.edges["nf-collector1", "sw1", 0]["rate"] == "100Mbps"
    networkx.write_graphml(graph, tmp_path / "again.graphml")
    done = esx_netflow("import", tmp_path / "again.graphml")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["hosts"]["esx1"]["vswitches"]["prod1"]["portgroups"]["Prod-101"]["vlan"] == 101


def test_numbers_of_networkx_are_numbers(esx_netflow, tmp_path):
    graph = networkx.MultiGraph()
    graph.add_node("esx1", kind="host", address="10.0.0.1/24", colour=0xFF0000)
    graph.add_node("sw1", kind="switch", ports='{"2": {"mode": "trunk"}}')
    graph.add_node("nf1", kind="collector", address="10.0.0.9/24", listen=4242)
    graph.add_edge("esx1", "sw1", rate="100Mbps", loss=0.25, weight=3)
    graph.add_edge("esx1", "sw1")
    graph.add_edge("sw1", "nf1")
    networkx.write_graphml(graph, tmp_path / "drawn.graphml")
    lab = yaml.safe_load(esx_netflow("import", tmp_path / "drawn.graphml").stdout)
    assert lab["nodes"]["nf1"] == {"kind": "collector", "address": "10.0.0.9/24", "listen": 4242}
    assert lab["links"][0] == {"rate": "100Mbps", "loss": 0.25, "endpoints": ["esx1:vmnic0", "sw1:1"]}


SIMPLE = """// as drawn by hand
graph {
  esx1 [kind=host, address="10.0.0.1/24", color=blue]; esx2 [kind=host, address="10.0.0.2/24"]
  sw1 [kind=switch]; nf1 [kind=collector, address="10.0.0.9/24"]
  web1 [kind=vm]; esx1 -- web1 [address="10.0.0.11/24"]
  esx1 -- sw1 [rate="100Mbps"]; esx1 -- sw1; esx2 -- sw1; sw1 -- nf1
}
"""


@pytest.mark.parametrize("arrow", ["--", "->"])
def test_a_simple_drawing_makes_a_lab_that_runs(esx_netflow, tmp_path, arrow):
    text = SIMPLE if arrow == "--" else SIMPLE.replace("graph", "digraph").replace("--", "->")
    done = esx_netflow("import", write(tmp_path, text, "my lab.dot"))
    assert (done.returncode, done.stderr) == (0, "")
    lab = yaml.safe_load(done.stdout)
    assert lab["name"] == "my-lab"
    assert lab["hosts"]["esx1"]["vswitches"]["vSwitch0"]["uplinks"] == ["vmnic0", "vmnic1"]
    assert lab["hosts"]["esx1"]["vms"]["web1"]["nics"] == [{"address": "10.0.0.11/24", "portgroup": "VM Network"}]
    assert [link["endpoints"] for link in lab["links"]] == [
        ["esx1:vmnic0", "sw1:1"],
        ["esx1:vmnic1", "sw1:2"],
        ["esx2:vmnic0", "sw1:3"],
        ["sw1:4", "nf1:eth0"],
    ]
    ran = esx_netflow("run", write(tmp_path, done.stdout), cwd=tmp_path)
    assert ran.returncode == 1 and "nothing was examined" in ran.stdout, ran


XML = '<graphml><key id="k" for="node" attr.name="kind"/><graph edgedefault="undirected">{}</graph></graphml>'
NODE = '<node id="{}"><data key="k">{}</data></node>'
WRONG = {
    "empty": ("", "is empty; allowed: a drawing in DOT or GraphML"),
    "no drawing": ("hosts: {}", "is no drawing in DOT"),
    "unfinished": ('graph {\n a [kind="sw', "lab.x:2: is no drawing in DOT"),
    "an arrow of the other kind": ("graph {\n a -> b }", "lab.x:2: is no drawing in DOT: '->' is not expected here"),
    "not UTF-8": ("graph { caf\udce9 }", "is no drawing in DOT: octet 11 is not of UTF-8"),
    "an edge to a frame": (XML.format('<node id="f"><graph><node id="a"/></graph></node><edge source="a" target="f"/>'),
        "edge 1, counted from 1, ends at 'f', which is no node"),
    "no XML": ("<graphml>\n<graph>\n</graphml>", "lab.x:3: is no XML: mismatched tag"),
    "no GraphML": ("<svg/>", "is no GraphML: there is no element 'graphml'"),
    "without kinds": ("graph { a -- b }", "'a' has no attribute 'kind'; allowed: host, vswitch"),
    "unknown kind": ("graph { a [kind=swich] }", "'a' is of kind 'swich'; did you mean 'switch'?"),
    "dangling": (XML.format(NODE.format("a", "switch") + '<edge source="a" target="b"/>'),
        "edge 1, counted from 1, ends at 'b', which is no node"),
    "twice": (XML.format(NODE.format("a", "switch") * 2), "two nodes have the id 'a'"),
    "no id": (XML.format("<node/>"), "node 1 has no id, counted from 1"),
    "two of a name": ("graph { a [kind=switch, name=x]; b [kind=switch, name=x] }",
        "'b' has the name 'x', which another vertex has, too"),
    "odd edge": ("graph { h [kind=host]; v [kind=vm]; s [kind=switch]; h -- v; v -- s }",
        "an edge joins 'v', a vm, and 's', a switch; allowed: host-vswitch"),
    "homeless": ("graph { p [kind=portgroup] }", "'p', a portgroup, is joined to nothing that is part of a host"),
    "of two hosts": ("graph { h [kind=host]; i [kind=host]; v [kind=vswitch]; h -- v -- i }",
        "'v' is part of two: of 'i', too"),
    "no hosts": ("graph { s [kind=switch] }",
        "hosts: an empty map is not allowed; allowed: a map of at least one host"),
    "wrong value": ("graph { h [kind=host]; s [kind=switch]; h -- s [rate=fast] }", "links[0].rate: "),
    "self-loop": ("graph { h [kind=host]; s [kind=switch]; s -- s [from=\"s:1\", to=\"s:1\"] }",
        "endpoint 's:1' is used twice"),
    "a router": ("graph { h [kind=host]; r [kind=router] }", "nodes.r: 'interfaces' are missing"),
    "deep": ("graph " + "{" * 5000 + "}" * 5000, "is nested more than 100 deep"),
    "deep XML": ("<graphml>" + "<a>" * 100000, "is nested more than 100 deep"),
    "binary": ("\x00\x01\x02", "is no drawing in DOT"),
}  # fmt: skip


@pytest.mark.parametrize("drawing", WRONG)
def test_a_wrong_drawing_is_refused_with_a_reason(esx_netflow, tmp_path, drawing):
    text, message = WRONG[drawing]
    path = tmp_path / "lab.x"
    path.write_bytes(text.encode(errors="surrogateescape"))
    done = esx_netflow("import", path)
    assert done.returncode == 2 and done.stdout == ""
    assert str(path) in done.stderr and message in done.stderr, done.stderr


def test_a_file_that_is_none_is_refused(esx_netflow, tmp_path):
    for path in (tmp_path, tmp_path / "missing.dot"):
        done = esx_netflow("import", path)
        assert done.returncode == 2 and "cannot be read" in done.stderr


@pytest.mark.parametrize("form", ["dot", "graphml"])
def test_ten_thousand_nodes_are_imported(esx_netflow, tmp_path, form):
    count = 10000
    if form == "dot":
        text = (
            "graph { h [kind=host]; s0 [kind=switch]; h -- s0;\n"
            + "".join(f"s{i} [kind=switch]; s{i - 1} -- s{i};\n" for i in range(1, count))
            + "}\n"
        )
    else:
        nodes = NODE.format("h", "host") + "".join(NODE.format(f"s{i}", "switch") for i in range(count))
        text = XML.format(
            nodes
            + '<edge source="h" target="s0"/>'
            + "".join(f'<edge source="s{i - 1}" target="s{i}"/>' for i in range(1, count))
        )
    done = esx_netflow("import", write(tmp_path, text, "lab.x"))
    assert done.returncode == 0 and done.stdout.count("endpoints:") == count, done.stderr


def test_dot_shows_kinds_in_colour_with_vlans_and_addresses(esx_netflow):
    done = esx_netflow("dot", SCENARIOS / "two-hosts.yaml")
    looks = {}
    for kind, label, fill in re.findall(
        r'\[kind="(\w+)".*label="([^"]*)", shape=\w+(?:, fillcolor="(#\w+)")?\]', done.stdout
    ):
        looks.setdefault(kind, []).append((label, fill))
    assert len({fills[0][1] for fills in looks.values()}) >= 5
    assert (r"Prod-101\nVLAN 101", "#eef4f9") in looks["portgroup"] and ("VM Network", "#eef4f9") in looks["portgroup"]
    assert r"vmk0\n10.6.125.11/24" in dict(looks["vmknic"]) and r"web1\n10.1.101.11/24" in dict(looks["vm"])
    assert all("/24" in label for label, _ in looks["collector"])
    links = [line for line in done.stdout.splitlines() if 'from="' in line]
    assert links and all('penwidth="2"' in line and line.count(" color=") == 1 for line in links)
