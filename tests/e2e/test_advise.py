# SPDX-License-Identifier: GPL-2.0-only
"""esx-netflow advise: what it says loses nothing, and a little more loses something."""

import pytest
from labs import SCENARIOS, summary, write

LAB = """
version: 1
name: advised
run: {{duration: 40s, seed: 1}}
hosts:
  esx1:
    netflow: {{purgatory_max: {bound}}}
    vswitches: {{vSwitch0: {{portgroups: {{VM Network: {{}}}}}}, vSwitch1: {{uplinks: [vmnic0], \
portgroups: {{VMkernel: {{}}}}}}}}
    vmknics: {{vmk0: {{portgroup: VMkernel, address: 10.6.125.11/24}}}}
    vms:
      a: {{nics: [{{portgroup: VM Network, address: 10.1.1.1/24}}]}}
      b: {{nics: [{{portgroup: VM Network, address: 10.1.1.2/24}}]}}
nodes:
  sw1: {{kind: switch}}
  nf1: {{kind: collector, address: 10.6.125.84/24}}
links:
  - {{endpoints: [esx1:vmnic0, sw1:1]}}
  - {{endpoints: [nf1:eth0, sw1:2]}}
traffic:
  - {{name: t, app: flows, from: a, to: b, start: 3210ms, every: exponential(3ms), flows: 3000, flow_packets: 1}}
timeline:
  - {{at: 1s, host: esx1, run: vmkload_mod netflow}}
  - {{at: 2345ms, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -s {period} -e vSwitch0 10.6.125.84}}
"""


@pytest.fixture
def lab(esx_netflow, tmp_path):
    """-> advice as {column: text}; and records dropped at a bound and a period"""

    def advise(bound, period):
        done = esx_netflow("advise", write(tmp_path, LAB.format(bound=bound, period=period)), "--quiet", cwd=tmp_path)
        assert done.returncode == 0, done
        assert done.stdout.count("nothing was dropped") == 2
        line = next(line for line in done.stdout.splitlines() if line.startswith("esx1")).replace(" ms", "").split()
        return dict(zip(("host", "expired", "dropped", "period", "longest", "safe", "bound", "smallest"), line))

    def dropped(bound, period):
        done = esx_netflow(
            "run",
            write(tmp_path, LAB.format(bound=bound, period=period)),
            "--out",
            tmp_path / "out",
            "--quiet",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done
        return summary(tmp_path / "out")["ledger"]["lost"].get("purgatory_full", {"records": 0})["records"]

    return advise, dropped


def test_the_longest_period_and_the_smallest_purgatory_lose_nothing_and_the_next_ones_do(lab):
    advise, dropped = lab
    advice = advise(200, 1000)
    assert int(advice["expired"]) == 3000 and int(advice["dropped"]) == dropped(200, 1000) > 0
    longest, smallest, safe = (int(advice[name]) for name in ("longest", "smallest", "safe"))
    assert safe <= longest < 1000 and smallest > 200
    assert dropped(200, longest) == 0 and dropped(200, longest + 1) > 0
    assert dropped(smallest, 1000) == 0 and dropped(smallest - 1, 1000) > 0
    assert dropped(200, safe) == 0


def test_where_nothing_is_lost_there_is_room(lab):
    advice = lab[0](4096, 100)
    assert advice["dropped"] == "0" and advice["longest"] == "any" and int(advice["smallest"]) < 100


def test_all_hosts_of_the_knee_are_advised(esx_netflow, tmp_path):
    done = esx_netflow("advise", SCENARIOS / "purgatory-knee.yaml", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done
    smallest = {line.split()[0]: int(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("load")}
    assert smallest == {"load3000": 3000, "load4096": 4096, "load5000": 5000, "load6000": 6000}


def test_no_net_netflow_no_advice(esx_netflow, tmp_path):
    text = "".join(line for line in LAB.format(bound=200, period=1000).splitlines(True) if "vmkload_app" not in line)
    done = esx_netflow("advise", write(tmp_path, text), "--quiet", cwd=tmp_path)
    assert done.returncode == 1 and "no net-netflow" in done.stdout and "nothing t" in done.stderr


def test_a_scenario_that_is_wrong_is_refused(esx_netflow, tmp_path):
    done = esx_netflow("advise", write(tmp_path, "version: 1\nname: x\nhost: {}\n"), cwd=tmp_path)
    assert done.returncode == 2 and "lab.yaml:3:1" in done.stderr
