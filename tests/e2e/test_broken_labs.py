# SPDX-License-Identifier: GPL-2.0-only
"""validate over labs that are broken in one place each: it names the fault, where it is and why, and says so by its
exit code."""

import re
from pathlib import Path

import pytest

LABS = Path(__file__).parent.parent / "data" / "broken-labs"
# lab: exit code, then for each fault the text that stands in the line it is about, and what is said
FAULTS = {
    "trunk-lacks-vlan": (2, ("name: web", "web1:eth0, at port group Prod of esx1, does not reach db1:eth0, "
        "at port group Prod of esx2: trunk port sw2:1 does not carry VLAN 101")),
    "uplink-on-access-port": (2, ("name: web", "sw2:2 is an access port of VLAN 1 and does not carry VLAN 101")),
    "port-group-of-another-vlan": (2, ("name: web",
        "port group Prod of esx2 takes VLAN 102, and sw2:2 gives VLAN 101")),
    "native-vlans-differ": (
        2,
        ("name: backbone", "link backbone carries frames of VLAN 1 one way only: its ends, sw1:3 and sw2:1, "
            "tag them differently"),
        ("net-netflow", "esx1:vmk0 does not reach nf1"),
    ),
    "loop": (2, ("name: spare", "closes a loop of switches without spanning tree: backbone, spare (VLAN 1)")),
    "unplugged-uplink": (
        2,
        ("name: web", "does not reach db1:eth0, at port group Prod of esx2: no link is at esx2:vmnic0"),
        ("portgroups", "port group VMkernel of esx2 is cut off from port group VMkernel of esx1, "
            "which is on the same network (10.6.125.0/24)"),
    ),
    "collector-in-another-vlan": (2, ("net-netflow", "esx1:vmk0 does not reach nf1 (10.6.125.84) on its own network: "
        "sw2:3 is an access port of VLAN 20 and does not carry VLAN 1")),
    "collector-link-cut": (2, ("net-netflow", "esx1:vmk0 does not reach nf1 (10.6.125.84) on its own network: "
        "cut for the whole run: link collector-link")),
    "team-on-two-networks": (0, ("portgroups", "warning: hosts.esx1.vswitches.vSwitch0.portgroups.Prod: "
        "vmnic0 and vmnic1 are uplinks of one team and lead port group Prod of esx1 to networks that do not meet")),
    "vmknic-on-internal-vswitch": (2, ("net-netflow", "esx1:vmk0 does not reach nf1 (10.6.125.84) on its own network: "
        "vSwitch1 has no uplink")),
}  # fmt: skip


@pytest.mark.parametrize("lab", FAULTS)
def test_validate_names_the_fault_with_its_place_and_reason(esx_netflow, lab):
    path = LABS / f"{lab}.yaml"
    done = esx_netflow("validate", path)
    code, *faults = FAULTS[lab]
    assert done.returncode == code, done.stderr
    lines = path.read_text().splitlines()
    for place, what in faults:
        line = next(line for line in done.stderr.splitlines() if what in line)
        number = int(re.match(rf"{re.escape(str(path))}:(\d+):\d+: ", line)[1])
        assert place in lines[number - 1]


def test_every_broken_lab_has_its_fault_and_there_are_ten():
    assert {path.stem for path in LABS.glob("*.yaml")} == {"healthy", *FAULTS} and len(FAULTS) >= 10


def test_the_lab_that_the_others_are_made_of_is_healthy(esx_netflow):
    done = esx_netflow("validate", LABS / "healthy.yaml")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_of_a_broken_lab_warns_of_the_same_faults(esx_netflow, tmp_path):
    done = esx_netflow("run", LABS / "trunk-lacks-vlan.yaml", "-q", cwd=tmp_path)
    assert done.returncode == 1 and "traffic[0]: nothing was sent from web1 to db1" in done.stderr
    assert "warning: traffic[0]: web1:eth0" in done.stderr and "trunk port sw2:1 does not carry VLAN 101" in done.stderr
