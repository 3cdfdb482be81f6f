# SPDX-License-Identifier: GPL-2.0-only
"""Where export datagrams die: each cause on its own, set up in a scenario and found in flows-lost.csv by its name."""

import pytest
from labs import summary, table, write

LAB = """
version: 1
name: congestion
run: {{duration: 60s, seed: 3, arp: {arp}}}
hosts:
  esx1:
    {host}
    netflow: {{meter_own_export: false}}
    vswitches: {{vSwitch0: {{uplinks: [vmnic0], portgroups: {{VM Network: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VM Network, address: 10.6.125.11/24{vmknic}}}}}
    vms:
      a: {{nics: [{{portgroup: VM Network, address: 10.1.1.1/24}}]}}
      b: {{nics: [{{portgroup: VM Network, address: 10.1.1.2/24}}]}}
      noise: {{nics: [{{portgroup: VM Network, address: 10.6.125.70/24}}]}}
nodes:
  sw1: {{kind: switch}}
  nf1: {{kind: collector, address: 10.6.125.84/24{node}}}
links:
  - {{name: uplink, endpoints: [esx1:vmnic0, sw1:1]{uplink}}}
  - {{name: collector-link, endpoints: [nf1:eth0, sw1:2]{link}}}
traffic:
  - {{name: t, app: flows, from: a, to: b, start: 2s, every: 2ms, flows: 12000, flow_packets: 1}}
  {traffic}
timeline:
  - {{at: 100ms, host: esx1, run: vmkload_mod netflow}}
  - {{at: 500ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 {collector}}}
  {timeline}
"""
NOTHING = dict.fromkeys(("host", "vmknic", "node", "uplink", "link", "traffic", "timeline"), "") | {
    "collector": "10.6.125.84",
    "arp": "dynamic",
}
CROSS = (
    "- {name: cross, app: udp-on-off, from: noise, to: nf1, port: 9, start: 2s, rate: 2Mbps, packet: 1000B, burst: 2s, "
    "pause: exponential(500ms)}"
)
CASES = {
    "uplink's transmit queue": ({"uplink": ", rate: 1Mbps, queue: 5p"}, "device_queue"),
    "switch's transmit queue": ({"link": ", rate: 100kbps, queue: 5p"}, "device_queue"),
    "cross traffic": ({"link": ", rate: 1Mbps, queue: 20p", "traffic": CROSS, "arp": "static"}, "device_queue"),
    "fifo at the uplink": ({"uplink": ", rate: 100kbps, queue: 5p, queue_disc: {kind: fifo, size: 5p}"}, "queue_disc"),
    "codel at the uplink": (
        {"uplink": ", rate: 100kbps, queue: 2p, queue_disc: {kind: codel, size: 1000p}"},
        "queue_disc",
    ),
    "red at the uplink": ({"uplink": ", rate: 100kbps, queue: 2p, queue_disc: {kind: red, size: 25p}"}, "queue_disc"),
    "fq_codel at the uplink": (
        {"uplink": ", rate: 100kbps, queue: 2p, queue_disc: {kind: fq_codel, size: 10p}"},
        "queue_disc",
    ),
    "token bucket of the vmknic": (
        {"vmknic": ", queue_disc: {kind: tbf, rate: 100kbps, burst: 2kB, size: 5p}"},
        "queue_disc",
    ),
    "loss": ({"link": ", loss: 0.3"}, "channel_error"),
    "bit errors": ({"link": ", bit_errors: 0.00003"}, "channel_error"),
    "episode of loss": ({"timeline": "- {at: 20s, for: 10s, link: uplink, set: {loss: 0.5}}"}, "channel_error"),
    "episode of a low rate": (
        {"timeline": "- {at: 20s, for: 10s, link: uplink, set: {rate: 32kbps, queue: 2p}}"},
        "device_queue",
    ),
    "cut": ({"timeline": "- {at: 20s, for: 10s, link: uplink, down: true}"}, "link_down"),
    "collector's process down": ({"timeline": "- {at: 20s, for: 10s, node: nf1, down: true}"}, "refused"),
    "slow collector": ({"node": ", receive_buffer: 4kB, service_time: 10ms"}, "socket_buffer"),
    "collector slow at random": ({"node": ", receive_buffer: 4kB, service_time: exponential(10ms)"}, "socket_buffer"),
    "episode of random slowness": (
        {
            "node": ", receive_buffer: 4kB",
            "timeline": "- {at: 20s, for: 10s, node: nf1, set: {service_time: exponential(300ms)}}",
        },
        "socket_buffer",
    ),
    "episode of slowness": (
        {"node": ", receive_buffer: 4kB", "timeline": "- {at: 20s, for: 10s, node: nf1, set: {service_time: 300ms}}"},
        "socket_buffer",
    ),
    "nobody answers ARP": ({"collector": "10.6.125.99"}, "arp"),
    "ARP queue": ({"host": "arp_queue: 2"}, "arp"),
}


@pytest.fixture
def run(esx_netflow, tmp_path):
    def do(changes):
        done = esx_netflow(
            "run",
            write(tmp_path, LAB.format(**(NOTHING | changes))),
            "--out",
            tmp_path / "out",
            "--quiet",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done
        return tmp_path / "out"

    return do


def lost(folder) -> set[str]:
    return {line["cause"] for line in table(folder, "flows-lost.csv")}


def test_without_any_cause_nothing_is_lost(run):
    assert lost(run({})) == set()


@pytest.mark.parametrize("name", CASES)
def test_a_loss_has_the_name_of_where_it_happened(run, name):
    changes, cause = CASES[name]
    assert lost(run(changes)) == {cause}


@pytest.mark.parametrize("impairment", ["reorder: 0.3, reorder_delay: 3ms", "duplicate: 0.3"])
def test_reordering_and_duplication_lose_nothing(run, impairment):
    folder = run({"link": f", {impairment}"})
    assert lost(folder) == set()
    collector = summary(folder)["collectors"][0]
    assert collector["sequence_failures"] > 10
    assert len(table(folder, "flows-collected.csv")) == len(table(folder, "flows-exported.csv"))


def test_an_episode_ends(run):
    folder = run(
        {
            "timeline": (
                "- {at: 20s, for: 5s, link: uplink, set: {loss: 1, duplicate: 0.5, reorder: 0.5, bit_errors: 0.1}}"
            )
        }
    )
    assert lost(folder) == {"channel_error"}
    rows = table(folder, "series.csv")
    assert int(rows[27]["records_lost"]) == int(rows[-1]["records_lost"]) > 0


def test_random_values_of_a_collector_and_of_an_episode_are_drawn_from_assigned_streams(esx_netflow, tmp_path):
    changes = {
        "node": ", receive_buffer: 4kB, service_time: exponential(5ms)",
        "timeline": "- {at: 20s, for: 10s, node: nf1, set: {service_time: uniform(1ms 300ms)}}",
    }
    text = LAB.format(**(NOTHING | changes)) + "expect:\n  - {name: again, check: deterministic}\n"
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done
    assert lost(tmp_path / "out") == {"socket_buffer"}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"link": ", queue_disc: {kind: fifo}"}, "no end of this link is an ESX uplink"),
        ({"uplink": ", queue_disc: {kind: pie}"}, "fifo, pfifo_fast, red, codel, fq_codel, tbf"),
        ({"uplink": ", queue_disc: {kind: codel, rate: 1Mbps}"}, "rate"),
        ({"uplink": ", queue_disc: {kind: fq_codel, size: 10kB}"}, "counts packets"),
        ({"vmknic": ", queue_disc: {kind: tbf, burst: 1000B}"}, "at least 1514B"),
        ({"link": ", reorder_delay: 0s"}, "reorder_delay"),
        ({"timeline": "- {at: 1s, node: sw1, down: true}"}, "sw1 is no collector"),
        ({"timeline": "- {at: 1s, node: nf1, set: {loss: 1}}"}, "goes with 'link', not with 'node'"),
        ({"timeline": "- {at: 1s, link: uplink, set: {service_time: 1s}}"}, "goes with 'node', not with 'link'"),
        ({"node": ", service_time: exponential(2)"}, "nodes.nf1.service_time: '2' has no unit that fits"),
        ({"timeline": "- {at: 1s, node: nf1, set: {service_time: gauss(1s)}}"}, "'gauss' is none of: exponential"),
        ({"timeline": "- {at: 1s, host: esx1, memory_pressure: {free: 3}}"}, "esx1 has no memory.total"),
        ({"timeline": "- {at: 1s, vm: a, grow: {to: 1GiB}}"}, "is more than the memory of a"),
        ({"timeline": "- {at: 1s, vm: z, grow: {to: 1GiB}}"}, "VM"),
    ],
)
def test_mistakes_are_told_with_their_place(esx_netflow, tmp_path, changes, message):
    done = esx_netflow("validate", write(tmp_path, LAB.format(**(NOTHING | changes))), cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and "lab.yaml:" in done.stderr


MEMORY = LAB.replace("    {host}", "    memory: {{total: 4GiB}}").replace("      noise:",
    "      db: {{memory: 3520MiB, reservation: {reserved}, touched: 1GiB, nics: [{{portgroup: VM Network, address: "
    "10.1.1.9/24}}]}}\n      noise:")  # fmt: skip


@pytest.mark.parametrize(
    "step, sheds",
    [
        ("- {at: 10s, host: esx1, memory_pressure: {free: 1.5}}", True),
        ("- {at: 10s, host: esx1, memory_pressure: {free: 3}}", False),  # soft: heaps may grow
        ("- {at: 10s, vm: db, grow: {to: 3520MiB, per_second: 1GiB}}", True),
        ("- {at: 10s, vm: db, grow: {to: 2GiB, per_second: 1GiB}}", False),
        ("- {at: 10s, host: esx1, memory_pressure: {netflow_heap: 300KiB}}", True),
    ],
)
def test_memory_pressure_comes_by_free_memory_by_a_growing_vm_or_by_the_heap(esx_netflow, tmp_path, step, sheds):
    text = MEMORY.format(**(NOTHING | {"timeline": step, "reserved": "3520MiB"}))
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done
    causes = {line["cause"] for line in table(tmp_path / "out", "flows-lost.csv")}
    log = (tmp_path / "out" / "esx1.vmkernel.log").read_text()
    assert ("no_memory" in causes) == sheds
    assert ("Heap: 1266: Heap netflow: Maximum allowed growth (" in log) == sheds
    assert ("Heap: 1370: Heap_Align(netflow, 80/80 bytes, 4 align) failed. caller: 0x" in log) == sheds


def test_memory_is_reclaimed_from_vms_above_their_reservations(esx_netflow, tmp_path):
    text = MEMORY.format(
        **(NOTHING | {"timeline": "- {at: 10s, vm: db, grow: {to: 3520MiB, per_second: 1GiB}}", "reserved": "1GiB"})
    )
    done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done
    states = [
        line.split("memory state is ")[1].split(":")[0]
        for line in (tmp_path / "out" / "esx1.vmkernel.log").read_text().splitlines()
        if "memory state is" in line
    ]
    assert "hard" in states and states[-1] == "high"
