# SPDX-License-Identifier: GPL-2.0-only
"""validate over labs of any shape: it answers, or says where and why not."""

import json

import pytest
from labs import write


def tree(switches: int, hosts: int) -> str:
    """A binary tree of switches, hosts at its last ones, a collector at its root; VMs in twenty VLANs."""
    lines = ["version: 1", "name: tree", "run: {duration: 60s}", "hosts:"]
    for i in range(hosts):
        vswitch = f"{{uplinks: [vmnic0], portgroups: {{P: {{vlan: {i % 20 + 2}}}, K: {{}}}}}}"
        nic = f"nics: [{{portgroup: P, address: 172.16.{i // 200}.{i % 200 + 1}/12}}]"
        lines.append(
            f"  h{i}: {{vswitches: {{v: {vswitch}}}, vmknics: {{vmk0: {{portgroup: K, address: "
            f"10.{i // 200}.{i % 200}.1/8}}}}, vms: {{m{i}: {{{nic}}}}}}}"
        )
    lines += ["nodes:", "  c: {kind: collector, address: 10.99.0.1/8}"]
    lines += [
        (
            f"  s{i}: {{kind: switch, ports: {{1: {{mode: trunk}}, 2: {{mode: trunk}}, 3: {{mode: trunk}}, 4: {{mode: "
            f"trunk}}}}}}"
        )
        for i in range(switches)
    ]
    lines += ["links:", "  - {endpoints: [c:eth0, s0:9]}"]
    lines += [f"  - {{endpoints: [s{i}:1, s{(i - 1) // 2}:{2 + (i - 1) % 2}]}}" for i in range(1, switches)]
    lines += [f"  - {{endpoints: [h{i}:vmnic0, s{switches - 1 - i}:4]}}" for i in range(hosts)]
    lines += ["timeline:"]
    for i in range(hosts):
        lines += [
            f"  - {{at: 1s, host: h{i}, run: vmkload_mod netflow}}",
            f"  - {{at: 2s, host: h{i}, run: vmkload_app -S -i vmktcp net-netflow -e v 10.99.0.1}}",
        ]
    return "\n".join(lines) + "\n"


def test_ten_thousand_nodes_are_answered(esx_netflow, tmp_path):
    done = esx_netflow("validate", "--json", write(tmp_path, tree(switches=9500, hosts=500)))
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    exports = answer["lab"]["exports"]
    assert len(exports) == 500 and len(exports[0]["links"]) == 15
    assert (
        exports[0]["single_points_of_failure"][-2:] == ["s0", "c.eth0-s0.9"]
        and len(exports[0]["single_points_of_failure"]) == 15 + 14
    )
    told = [message["what"] for message in answer["messages"] if "is cut off from" in message["what"]]
    assert len(told) == 10  # of nineteen VLANs that do not meet the first one, though all are on one network
    assert "and 9 more" in [message["what"] for message in answer["messages"]]


SHAPES = {
    "no nodes and no links": ("", 0, ""),
    "a link to nothing": ("nodes: {s: {kind: switch}}\nlinks:\n  - {endpoints: [s:1, t:1]}\n", 2,
        "lab.yaml:7:23: links[0].endpoints[1]: 't' is no host or node; allowed: h, s"),
    "a dangling uplink": ("nodes: {s: {kind: switch}}\nlinks:\n  - {endpoints: [s:1, h:vmnic7]}\n", 2,
        "lab.yaml:7:23: links[0].endpoints[1]: 'vmnic7' is no interface of h; did you mean 'vmnic0'?"),
    "a cable from a switch to itself": ("nodes: {s: {kind: switch}}\nlinks:\n  - {name: oops, endpoints: [s:1, s:2]}\n",
        2, "lab.yaml:7:5: links[0]: closes a loop of switches"),
    "a cable from a port to itself": ("nodes: {s: {kind: switch}}\nlinks:\n  - {endpoints: [s:1, s:1]}\n", 2,
        "lab.yaml:7:23: links[0].endpoints[1]: endpoint 's:1' is used twice"),
    "two of a name": ("nodes: {h: {kind: switch}}\n", 2, "lab.yaml:5:9: nodes.h: "),
    "two links of a name": ("nodes: {s: {kind: switch}, t: {kind: switch}}\nlinks:\n  - {name: a, endpoints: [s:1, "
        "t:1]}\n  - {name: a, endpoints: [s:2, t:2]}\n", 2,
        "lab.yaml:8:12: links[1].name: link 'a' is used twice, first in line 7"),
    "two keys of a name": ("nodes: {s: {kind: switch}, s: {kind: switch}}\n", 2, "lab.yaml:5:"),
    "a plug taken twice": ("nodes: {s: {kind: switch}, t: {kind: switch}}\nlinks:\n  - {name: a, endpoints: [s:1, "
        "t:1]}\n  - {name: b, endpoints: [s:1, t:2]}\n", 2,
        "lab.yaml:8:27: links[1].endpoints[0]: endpoint 's:1' is used twice, first in line 7"),
    "a collector that is nowhere": ("nodes: {c: {kind: collector, address: 10.0.0.9/24}}\n", 0, ""),
    "hosts without a switch between": ("nodes: {c: {kind: collector, address: 10.0.0.9/24}}\nlinks:\n  - {endpoints: "
        "[h:vmnic0, c:eth0]}\n", 0, ""),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_lab_of_any_shape_is_answered_or_refused_with_place_and_reason(esx_netflow, tmp_path, shape):
    rest, code, message = SHAPES[shape]
    text = (
        "version: 1\nname: shape\nrun: {duration: 1s}\nhosts: {h: {vswitches: {v: {uplinks: [vmnic0], portgroups: "
        "{P: {}}}}, vmknics: {vmk0: {portgroup: P, address: 10.0.0.1/24}}}}\n"
    ) + rest
    write(tmp_path, text)
    for command in ("validate", "run"):
        done = esx_netflow(command, "lab.yaml", cwd=tmp_path)
        idle = command == "run" and code == 0  # a lab without traffic and steps: a run examines nothing
        assert done.returncode == (1 if idle else code) and message in done.stderr, done.stderr
        assert not idle or "nothing was examined" in done.stdout
