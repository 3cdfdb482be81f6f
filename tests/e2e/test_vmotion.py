# SPDX-License-Identifier: GPL-2.0-only
"""VMotion: a virtual machine moves to another host in mid-run; its connections go on, and two exporters tell of
them."""

import json

import pytest
from labs import summary, table, write
from oracle.capture import read_capture
from oracle.verify import verify

LAB = """version: 1
name: moving
run: {duration: 60s}
hosts:
  esx1:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VM Network: {}, Backup: {}}}}
    vmknics: {vmk0: {portgroup: VM Network, address: 10.6.125.11/24}}
    vms:
      web1: {nics: [{portgroup: VM Network, address: 10.6.125.51/24}]}
      web2: {nics: [{portgroup: VM Network, address: 10.6.125.52/24}]}
      old1: {nics: [{portgroup: Backup, address: 10.6.125.53/24}]}
  esx2:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VM Network: {}}}}
    vmknics: {vmk0: {portgroup: VM Network, address: 10.6.125.12/24}}
nodes:
  sw1: {kind: switch}
  nf1: {kind: collector, address: 10.6.125.84/24}
  srv: {kind: server, address: 10.6.125.90/24}
links:
  - {endpoints: [esx1:vmnic0, sw1:1]}
  - {endpoints: [esx2:vmnic0, sw1:2]}
  - {endpoints: [nf1:eth0, sw1:3]}
  - {name: last, endpoints: [srv:eth0, sw1:4], rate: 2Mbps}
traffic:
  - {name: up, app: tcp-bulk, from: web1, to: srv, start: 3s, size: 4MB}
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 1s, host: esx2, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}
  - {at: 2s, host: esx2, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.6.125.84}
  - {at: 10s, vm: web1, vmotion: {to: esx2, downtime: 400ms}}
outputs: {pcap: [last]}
"""
MOVE = "  - {at: 10s, vm: web1, vmotion: {to: esx2, downtime: 400ms}}"


@pytest.fixture
def run(esx_netflow, tmp_path):
    def do(text, *options, code=0):
        done = esx_netflow("run", write(tmp_path, text), "--out", tmp_path / "out", "--quiet", *options, cwd=tmp_path)
        assert done.returncode == code, done
        return tmp_path / "out"

    return do


def test_a_connection_survives_and_both_exporters_together_tell_of_all_its_octets(esx_netflow, run):
    folder = run(LAB, "--captures")
    sequences = [
        int.from_bytes(p.data[38:42], "big")
        for p in read_capture(folder / "last.pcap")
        if p.data[23] == 6 and p.data[26:30] == bytes([10, 6, 125, 51])
    ]
    assert (max(sequences) - min(sequences)) >= 4_000_000, "the last octet was sent after the move"
    sent = [p for path in ("esx1-vSwitch0", "esx2-vSwitch0") for p in _from_web1(folder, path)]
    truth = [
        row
        for row in table(folder, "flows-truth.csv")
        if row["src"] == "10.6.125.51" and row["input_port"] == "web1.eth0"
    ]
    assert {row["exporter"] for row in truth} == {"esx1", "esx2"}
    assert sum(int(row["octets"]) for row in truth) == sum(sent) > 4_000_000
    assert verify(folder) == []
    assert not any(summary(folder)["residual"].values())


def _from_web1(folder, of):
    """-> IP lengths of what web1 sent into its ports of a host"""
    index = json.loads((folder / "captures.json").read_text())["captures"]
    files = [entry["file"] for entry in index if entry["file"].startswith(of) and entry.get("name") == "web1.eth0"]
    assert len(files) == 1
    return [
        int.from_bytes(p.data[16:18], "big") for p in read_capture(folder / files[0]) if p.data[12:14] == b"\x08\x00"
    ]


def test_talkers_add_up_over_both_hosts(esx_netflow, run, tmp_path):
    folder = run(LAB)
    done = esx_netflow("talkers", folder, "--format", "json", cwd=tmp_path)
    told = json.loads(done.stdout)
    of_vm = [vm for vm in told["vms"] if vm["name"] == "web1"]
    assert [vm["exporter"] for vm in of_vm] == ["esx1", "esx2"]
    truth = [
        row
        for row in table(folder, "flows-truth.csv")
        if row["src"] == "10.6.125.51" and row["input_port"] == "web1.eth0"
    ]
    assert sum(vm["octets_out"]["truth"] for vm in of_vm) == sum(int(row["octets"]) for row in truth)
    assert all(vm["octets_out"]["collected"] == vm["octets_out"]["truth"] > 0 for vm in of_vm)


def test_it_may_come_back_and_lab_json_names_it_at_both(run):
    folder = run(LAB.replace(MOVE, MOVE + "\n  - {at: 15s, vm: web1, vmotion: {to: esx1}}"), "--captures")
    lab = json.loads((folder / "lab.json").read_text())
    assert all("web1" in lab["hosts"][host]["vms"] for host in ("esx1", "esx2"))
    ports = {
        row["input"]
        for row in table(folder, "flows-truth.csv")
        if row["exporter"] == "esx1" and row["input_port"] == "web1.eth0"
    }
    assert len(ports) == 2, "its new port of esx1 has another number"
    assert verify(folder) == []


def test_a_move_that_the_target_refuses_fails_the_run_and_the_machine_stays(run):
    text = LAB.replace(
        "  esx2:\n    vswitches: {", "  esx2:\n    vswitches: {vSwitch1: {portgroups: {Backup: {}}}, "
    ).replace("host: esx2, run: vmkload_app", "host: esx2, may_be_idle: true, run: vmkload_app")
    steps = "  - {at: 5s, host: esx2, run: esxcfg-vswitch -d vSwitch1}\n  - {at: 10s, vm: old1, vmotion: {to: esx2}}"
    folder = run(text.replace(MOVE, steps), code=1)
    (step,) = (s for s in summary(folder)["steps"] if s["run"] == "vmotion to esx2")
    assert not step["pass"] and 'old1.eth0: esx2 has no port group "Backup"' in step["stderr"], step
    assert "old1" in json.loads((folder / "lab.json").read_text())["hosts"]["esx1"]["vms"]
    expected = steps.replace("{to: esx2}}", "{to: esx2}, expect: {exit: 1}}")
    run(text.replace(MOVE, expected))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{at: 20s, vm: web1, vmotion: {to: esx9}}", "vmotion.to: 'esx9' is no host"),
        ("{at: 20s, vm: web9, vmotion: {to: esx2}}", "'web9' is no VM"),
        ("{at: 20s, vm: web2, vmotion: {to: esx1}}", "vmotion.to: web2 is on esx1 already"),
        ("{at: 20s, vm: web1, vmotion: {to: esx2}}", "vmotion.to: web1 is on esx2 already"),
        (
            "{at: 20s, vm: old1, vmotion: {to: esx2}}",
            "esx2 has no port group 'Backup', in which old1:eth0 is; allowed: a host that has it (esx2 has VM Network)",
        ),
        ("{at: 10300ms, vm: web1, vmotion: {to: esx1}}", "at: begins before the move of line 31 is over, at 10.4s"),
        ("{at: 10s, vm: web1, power: off}", "at: begins before the move of line 31 is over, at 10.4s"),
        ("{at: 20s, vm: web2, vmotion: {to: esx2, downtime: 0s}}", "vmotion.downtime"),
        ("{at: 20s, vm: web2, vmotion: {downtime: 1s}}", "'to' is missing"),
        ("{at: 20s, host: esx1, vmotion: {to: esx2}}", "'vm' is missing, which 'vmotion' needs"),
        ("{at: 20s, vm: web2, nic: eth0, vmotion: {to: esx2}}", "'nic' does not go with 'vmotion'"),
    ],
)
def test_mistakes_are_told_with_their_place(esx_netflow, tmp_path, step, message):
    done = esx_netflow("validate", write(tmp_path, LAB.replace(MOVE, f"{MOVE}\n  - {step}")), cwd=tmp_path)
    assert done.returncode == 2, done
    assert message in done.stderr and "lab.yaml:32:" in done.stderr, done.stderr


def test_validate_tells_of_a_port_group_that_is_cut_off_from_the_old_one(esx_netflow, tmp_path):
    text = LAB.replace(
        "esx2:\n    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VM Network: {}}}}",
        "esx2:\n    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {VM Network: {vlan: 7}}}}",
    )
    done = esx_netflow("validate", write(tmp_path, text), cwd=tmp_path)
    assert done.returncode == 2, done
    assert "frames do not get from 'VM Network' of esx1 to that of esx2, where web1 moves" in done.stderr
