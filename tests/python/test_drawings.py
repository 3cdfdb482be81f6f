# SPDX-License-Identifier: GPL-2.0-only
"""Drawings: Graphviz' language as Graphviz reads it, GraphML with all its defaults, and graphs of NetworkX."""

import networkx
import pytest

from esx_netflow import Scenario, ScenarioError, drawings


def read(text):
    return drawings.read(text.encode(), "lab")


def test_dot_is_read_as_graphviz_reads_it():
    drawing = read(
        """# a line of the preprocessor
strict graph "my" + " lab" { /* a
comment */ node [kind=switch; color=red] edge [rate="1Gbps"]
  subgraph cluster { node [kind="vm"] a b [color=blue, label=<<b>B</b>>] } rankdir = LR
  c; a -- {c d:p1:n} -- "e \\"e\\"" [rate=5 loss=.5, note="x\\
y"]  -1.5 [flag]
}"""
    )
    assert drawing.name == "my lab"
    assert drawing.vertices == {
        "a": {"kind": "vm", "color": "red"},
        "b": {"kind": "vm", "color": "blue", "label": "<<b>B</b>>"},
        "c": {"kind": "switch", "color": "red"},
        "d": {"kind": "switch", "color": "red"},
        'e "e"': {"kind": "switch", "color": "red"},
        "-1.5": {"kind": "switch", "color": "red", "flag": "true"},
    }
    assert [edge[:2] for edge in drawing.edges] == [("a", "c"), ("a", "d"), ("c", 'e "e"'), ("d", 'e "e"')]
    assert drawing.edges[0][2] == {"rate": "5", "loss": ".5", "note": "xy"}


@pytest.mark.parametrize(
    "text, line",
    [
        ("graph {\n a -> b }", 2),
        ("digraph {\n\n a -- b }", 3),
        ("graph {\n a [x=]\n}", 2),
        ("graph {\n a", 2),
        ("graph { a }\n}", 2),
        ('graph { a [x="\n', 1),
        ("nothing", 1),
    ],
)
def test_what_is_no_dot_is_refused_with_its_line(text, line):
    with pytest.raises(ScenarioError, match=f"^lab:{line}: is no drawing in DOT: "):
        read(text)


def test_graphml_has_defaults_frames_and_foreign_elements():
    drawing = read(
        """<?xml version="1.0"?>
<g:graphml xmlns:g="http://graphml.graphdrawing.org/xmlns">
 <g:key id="k" for="node" attr.name="kind"><g:default>switch</g:default></g:key>
 <g:key id="r" for="all" attr.name="rate"/> <g:key id="y" for="node" yfiles.type="nodegraphics"/>
 <g:graph id="G" edgedefault="undirected"><g:data key="r">none</g:data>
  <g:node id="frame"><g:data key="y"><y>text</y></g:data><g:graph><g:node id="b"/></g:graph></g:node>
  <g:node id="a"><g:data key="k">host</g:data></g:node>
  <g:edge source="b" target="a"><g:data key="r">5 &amp; 6</g:data></g:edge>
 </g:graph></g:graphml>"""
    )
    assert drawing == ("G", {"b": {"kind": "switch"}, "a": {"kind": "host"}}, [("b", "a", {"rate": "5 & 6"})])


def test_graphml_may_be_of_another_encoding():
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><graphml><graph><node id="é"/></graph></graphml>'
    assert list(drawings.read(text.encode("latin-1"), "lab").vertices) == ["é"]


def test_a_networkx_graph_is_a_scenario():
    graph = networkx.MultiGraph(name="drawn lab")
    graph.add_node("esx1", kind="host", address="10.0.0.1/24")
    graph.add_node("sw1", kind="switch", ports={"3": {"mode": "trunk"}}, pos=(1, 2))
    graph.add_node("nf1", kind="collector", address="10.0.0.9/24", listen=4242)
    graph.add_edge("esx1", "sw1", rate="100Mbps", loss=0.25, weight=3)
    graph.add_edge("esx1", "sw1")
    graph.add_edge("sw1", "nf1")
    scenario = Scenario.from_graph(graph)
    assert scenario.name == "drawn-lab" and scenario["nodes.sw1"] == {
        "kind": "switch",
        "ports": {"3": {"mode": "trunk"}},
    }
    assert scenario.data["links"] == [
        {"rate": "100Mbps", "loss": 0.25, "endpoints": ["esx1:vmnic0", "sw1:1"]},
        {"endpoints": ["esx1:vmnic1", "sw1:2"]},
        {"endpoints": ["sw1:3", "nf1:eth0"]},
    ]
    scenario.data["links"].pop(1)
    assert scenario.validate() == []
    graph.add_edge("esx1", "nowhere")
    with pytest.raises(ScenarioError, match="^drawn lab: 'nowhere' has no attribute 'kind'; allowed: host, "):
        Scenario.from_graph(graph)


def test_nics_are_in_the_order_of_their_numbers(tmp_path):
    edges = "".join(f'h -- v [nic=eth{i}, address="10.0.{i}.1/24"];' for i in (10, 9, 0))
    (tmp_path / "lab.dot").write_text(f"graph {{ h [kind=host]; v [kind=vm]; {edges} }}")
    nics = Scenario.from_graph(tmp_path / "lab.dot")["hosts.h.vms.v.nics"]
    assert [nic["address"] for nic in nics] == ["10.0.0.1/24", "10.0.9.1/24", "10.0.10.1/24"]
