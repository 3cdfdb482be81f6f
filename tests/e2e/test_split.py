# SPDX-License-Identifier: GPL-2.0-only
"""`run --split` gives the bytes of the whole run, or says why it cannot. ESX_NETFLOW_SPLIT_LABS=N compares N random
labs."""

import os
import re
import resource
import subprocess

import pytest
from labs import SCENARIOS, contents, lab, summary, table, write
from split_labs import draw_lab

STATIC = lab(hosts=("esx1", "esx2")).replace("run: {", "run: {arp: static, ")
ROUTED = """version: 1
name: routed
run: {duration: 30s, seed: 2, arp: static}
hosts:
  esx1:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}}}}
    vmknics: {vmk0: {portgroup: P, address: 10.1.0.1/24, gateway: 10.1.0.254}}
    vms:
      a: {nics: [{portgroup: P, address: 10.1.0.11/24}]}
      b: {nics: [{portgroup: P, address: 10.1.0.12/24, gateway: 10.1.0.254}]}
  esx2:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}}}}
    vmknics: {vmk0: {portgroup: P, address: 10.2.0.1/24, gateway: 10.2.0.254}}
    vms:
      c: {nics: [{portgroup: P, address: 10.2.0.11/24}]}
      d: {nics: [{portgroup: P, address: 10.2.0.12/24}]}
nodes:
  r: {kind: router, interfaces: {eth0: {address: 10.1.0.254/24}, eth1: {address: 10.2.0.254/24}, \
eth2: {address: 10.9.0.254/24}, eth3: {address: 10.8.0.254/24}}}
  sw: {kind: switch}
  nf1: {kind: collector, address: 10.9.0.1/24, gateway: 10.9.0.254}
  srv: {kind: server, address: 10.8.0.1/24, gateway: 10.8.0.254}
links:
  - {name: one, endpoints: [esx1:vmnic0, sw:1], duplex: half}
  - {endpoints: [sw:2, r:eth0]}
  - {endpoints: [esx2:vmnic0, r:eth1], rate: 3Mbps, queue_disc: {kind: fq_codel, size: 20p}}
  - {name: wan, endpoints: [nf1:eth0, r:eth2], rate: 64kbps, delay: 20ms, queue: 10p, bit_errors: 1e-5, \
queue_disc: {kind: red, size: 30p}}
  - {endpoints: [srv:eth0, r:eth3]}
traffic:
  - {name: ab, app: tcp-syn-scan, from: a, to: b, ports: 1-3000, start: 3s, stop: 20s, every: 5ms}
  - {name: cd, app: flows, from: c, to: d, start: 3s, stop: 20s, every: exponential(10ms), flow_packets: 3}
  - {name: ss, app: udp-cbr, from: srv, to: nf1, port: 9, start: 3s, stop: 20s, rate: 32kbps}
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.9.0.1}
  - {at: 1s, host: esx2, run: vmkload_mod netflow}
  - {at: 2s, host: esx2, run: vmkload_app -S -i vmktcp net-netflow -s 300 -e vSwitch0 10.9.0.1}
"""


def both(esx_netflow, folder, text):
    """-> the whole run's exit code; asserts that the split run has it, and the same files"""
    path = write(folder, text)
    whole = esx_netflow("run", path, "-o", folder / "whole", "-q")
    split = esx_netflow("run", path, "-o", folder / "split", "-q", "--split", "local", "-j", "2")
    assert (whole.returncode, split.returncode, split.stderr) == (split.returncode, whole.returncode, whole.stderr)
    assert contents(folder / "split") == contents(folder / "whole")
    assert summary(folder / "split")["residual"] == {"packets": 0, "octets": 0, "records": 0}
    return whole.returncode


@pytest.mark.parametrize("seed", range(int(os.environ.get("ESX_NETFLOW_SPLIT_LABS", 6))))
def test_a_split_run_gives_the_bytes_of_the_whole_run(esx_netflow, tmp_path, seed):
    assert both(esx_netflow, tmp_path, draw_lab(seed)) in (0, 1)
    assert table(tmp_path / "split", "flows-collected.csv")


@pytest.mark.parametrize(
    "text",
    [
        STATIC,
        ROUTED,
        STATIC.replace("app: flows,", "app: flows, fidelity: flow, flow_duration: 5s,").replace(
            "flow_packets: 3}", "flow_packets: 30}"
        ),
        STATIC.replace(
            "run: {", "outputs: {flows: false, series: {every: 0s}, pcap: [collector-link, 'esx1:vmk0']}\nrun: {"
        ),
        STATIC.replace("{P: {}}", "{P: {}, K: {shaping: {average: 64kbps, peak: 64kbps, burst: 2kB}}}", 1).replace(
            "{vmk0: {portgroup: P", "{vmk0: {portgroup: K", 1
        ),
    ],
    ids=["switched", "routed", "flow fidelity", "few outputs", "datagrams wait in the host"],
)
def test_other_networks_and_outputs_can_be_split(esx_netflow, tmp_path, text):
    assert both(esx_netflow, tmp_path, text) == 0


#: Scenarios in which something comes back to a host, and what.
NOT_SPLIT = {
    "branch-offices": "traffic from", "collector-down-and-back": "ICMP errors",
    "congested-collector-link": "queue disc", "full-duplex": "traffic from", "losses": "traffic from",
    "many-vswitches": "traffic from", "migration": "moves to another host", "reordering": "moved to another uplink",
    "routed-wan": "a frame comes to tunnel", "server-farm": "traffic from",
    "technote": "vmkping", "two-hosts": "traffic from",
}  # fmt: skip


def test_pythons_processes_allocate_as_the_program_does(esx_netflow, tmp_path, monkeypatch):
    """A stand-in for Python tells what it was given: tcmalloc, if the program is linked with it, and nothing else."""
    told = tmp_path / "told"
    write(tmp_path, f'#!/bin/sh\necho "[$LD_PRELOAD]" >> {told}\n', "python").chmod(0o755)
    monkeypatch.setenv("ESX_NETFLOW_PYTHON", str(tmp_path / "python"))
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    libraries = subprocess.run(["ldd", esx_netflow.path], capture_output=True, text=True, check=True).stdout
    linked = re.findall(r"=> (\S*tcmalloc\S*)", libraries)
    esx_netflow("run", SCENARIOS / "quickstart.yaml", "-o", tmp_path / "out", "-q", "--split", "local")
    assert told.read_text().splitlines()[-1] == f"[{''.join(linked)}]"


@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
def test_every_scenario_gives_the_same_bytes_or_is_refused(esx_netflow, tmp_path, name):
    text = re.sub(r"^run: \{(?!.*arp: )", "run: {arp: static, ", (SCENARIOS / f"{name}.yaml").read_text(), flags=re.M)
    if name not in NOT_SPLIT:
        assert both(esx_netflow, tmp_path, text) == (1 if name == "lossy-wan" else 0)
        return
    done = esx_netflow("run", write(tmp_path, text), "-o", tmp_path / "split", "-q", "--split", "local", "-j", "1")
    assert done.returncode == 2 and "cannot be split: " in done.stderr and NOT_SPLIT[name] in done.stderr
    assert not (tmp_path / "split").exists()


def test_a_host_that_is_done_is_not_simulated_again(esx_netflow, tmp_path):
    path = write(tmp_path, STATIC)
    run = ["run", path, "-o", tmp_path / "out", "-q", "--split", "local"]
    assert esx_netflow(*run).returncode == 0
    first = contents(tmp_path / "out")
    books = sorted(tmp_path.glob("out.hosts/*/*/*.book"))
    assert [book.name for book in books] == ["esx1.book", "esx2.book"]
    books[0].unlink()
    before = books[1].stat().st_mtime_ns
    assert esx_netflow(*run).returncode == 0
    assert books[0].is_file() and books[1].stat().st_mtime_ns == before
    assert contents(tmp_path / "out") == first
    assert esx_netflow(*run, "--seed", "9").returncode == 0
    assert len(list(tmp_path.glob("out.hosts/*/*/*.book"))) == 4, "other numbers, other books"


COUPLED = {
    "ARP": (lambda text: text.replace("arp: static, ", ""),
        "3:1: run: cannot be split: ARP requests of a host come to all others; 'arp: static' has none"),
    "traffic between hosts": (lambda text: text.replace("to: esx1-b", "to: esx2-b"),
        "traffic[0]: cannot be split: traffic from esx1-a on esx1 to esx2-b on esx2 comes over the network"),
    "answers": (
        lambda text: text.replace("nodes:",
            "nodes:\n  srv: {kind: server, address: 10.6.125.99/24}").replace("\nlinks:",
            "\nlinks:\n  - {endpoints: [srv:eth0, sw1:9]}").replace("app: udp-cbr, from: esx1-a, to: esx1-b",
            "app: tcp-bulk, from: esx1-a, to: srv").replace(", rate: 64kbps", "", 1),
        "traffic[0]: cannot be split: the answer to traffic from esx1-a on esx1 to srv comes over the network",
    ),
    "vmkping": (lambda text: text.replace("expect:", "  - {at: 2s, host: esx1, run: vmkping 10.6.125.84}\nexpect:"),
        "timeline[4]: cannot be split: answers to vmkping come back to esx1"),
    "vMotion": (lambda text: text.replace("expect:", "  - {at: 2s, vm: esx1-a, vmotion: {to: esx2}}\nexpect:"),
        "timeline[4]: cannot be split: esx1-a moves to another host"),
    "ICMP errors": (lambda text: text.replace("expect:", "  - {at: 2s, for: 1s, node: nf1, down: true}\nexpect:"),
        "timeline[4]: cannot be split: nf1 answers exports with ICMP errors while it is down"),
    "floods": (lambda text: text.replace("expect:", "  - {at: 2s, for: 1s, link: collector-link, down: true}\nexpect:"),
        "timeline[4]: cannot be split: while collector-link is down switches flood to all hosts what was bound there"),
    "reverse ARP": (lambda text: text.replace("expect:",
        "  - {at: 2s, vm: esx1-a, power: 'off'}\n  - {at: 3s, vm: esx1-a, power: 'on'}\nexpect:"),
        "timeline[5]: cannot be split: esx1 tells the network where esx1-a is (notify_switches), "
        "and other hosts hear it"),
    "one processor": (lambda text: text.replace("netflow: {idle", "netflow: {metering_delay: 1us, idle", 1),
        "hosts.esx1.netflow: cannot be split: esx1's exports wait until its guests' frames are metered "
            "(metering_delay)"),
    "a second run": (lambda text: text + "  - {name: same, check: deterministic}\n",
        "expect[1]: cannot be split: the second run of 'deterministic' would be split, too"),
    "records in a span": (lambda text: text + "  - {name: flow, metric: flow.octets.lost, vm: esx1-a, during: 1s..2s, "
        "equals: 0}\n", "expect[1]: cannot be split: records are known at the end only, not within a time span"),
    "a guest's capture": (lambda text: text + "outputs: {pcap: ['esx1-a:eth0']}\n",
        "outputs.pcap: cannot be split: the capture esx1-a:eth0 is of a guest's frames"),
}  # fmt: skip


@pytest.mark.parametrize("name", COUPLED)
def test_a_lab_that_cannot_be_split_is_refused_by_name(esx_netflow, tmp_path, name):
    change, told = COUPLED[name]
    path = write(tmp_path, change(STATIC))
    validated = esx_netflow("validate", "--split", path)
    assert validated.returncode == 2 and told in validated.stderr
    assert esx_netflow("validate", path).returncode == 0
    run = esx_netflow("run", path, "-o", tmp_path / "out", "-q", "--split", "local")
    assert run.returncode == 2 and told.partition("cannot be split: ")[2] in run.stderr
    assert not list(tmp_path.glob("out*")), "nothing is half-merged"


def test_a_lab_that_can_be_split_says_so(esx_netflow, tmp_path):
    done = esx_netflow("validate", "--split", write(tmp_path, STATIC))
    assert done.returncode == 0 and done.stdout.endswith("lab.yaml: valid; its 2 hosts can be simulated apart\n")


@pytest.mark.parametrize(
    "to, told",
    [
        (
            "10.6.125.99:2055",
            (
                r"at 4\.508\d+ s a frame comes to esx2 from the network: [0-9a-f:]+ to ff:ff:ff:ff:ff:ff "
                r"\(EtherType 0x806\)"
            ),
        ),
        (
            "10.6.125.84:9",
            r"at 4\.500\d+ s a frame comes to esx1 from the network: 10\.6\.125\.84 to 10\.6\.125\.10 \(protocol 1\)",
        ),
    ],
    ids=["ARP for a collector that is not there", "ICMP errors of one that does not listen"],
)
def test_what_only_the_simulation_shows_ends_it(esx_netflow, tmp_path, to, told):
    path = write(tmp_path, STATIC.replace("10.6.125.84:2055", to, 1))
    run = esx_netflow("run", path, "-o", tmp_path / "out", "-q", "--split", "local", "-j", "1")
    assert run.returncode == 2 and re.search(r"esx1: .*lab\.yaml: the run cannot be split: " + told, run.stderr), (
        run.stderr
    )
    assert not (tmp_path / "out").exists()


LATE = """version: 1
name: late
run: {duration: 200s, arp: static}
hosts:
  esx1:
    vswitches: {vSwitch0: {uplinks: [vmnic0], portgroups: {P: {}}}}
    vmknics: {vmk0: {portgroup: P, address: 10.1.0.1/24}}
    vms:
      a: {nics: [{portgroup: P, address: 10.1.0.11/24}]}
      b: {nics: [{portgroup: P, address: 10.1.0.12/24}]}
nodes:
  sw: {kind: switch}
  nf1: {kind: collector, address: 10.1.0.99/24}
links: [{endpoints: [esx1:vmnic0, sw:1]}, {endpoints: [nf1:eth0, sw:2]}]
traffic: [{name: ab, app: flows, from: a, to: b, start: 3s, every: 100ms, flow_packets: 3, flow_duration: 1s}]
timeline:
  - {at: 1s, host: esx1, run: vmkload_mod netflow}
  - {at: 2s, host: esx1, id: n, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.1.0.99}
  - {at: 170s, signal: KILL, process: n}
  - {at: 171s, host: esx1, run: vmkload_app -S -i vmktcp net-netflow -e vSwitch0 10.1.0.99:9}
"""


def test_what_comes_back_late_is_found_by_the_second_stage(esx_netflow, tmp_path):
    """Behind a host's first hundred frames its own stage has no network that could answer."""
    run = esx_netflow("run", write(tmp_path, LATE), "-o", tmp_path / "out", "-q", "--split", "local", "-j", "1")
    books = list(tmp_path.glob("out.hosts/*/*/esx1.book"))
    told = r"lab\.yaml: the run cannot be split: at 1\d\d\.\d+ s a frame comes to esx1 from the network: 10\.1\.0\.99"
    assert run.returncode == 2 and books and re.search(told, run.stderr), run.stderr
    assert not (tmp_path / "out").exists()


def test_a_book_that_was_changed_is_refused(esx_netflow, tmp_path):
    path = write(tmp_path, STATIC)
    run = ["run", path, "-o", tmp_path / "out", "-q", "--split", "local"]
    assert esx_netflow(*run).returncode == 0
    book = next(tmp_path.glob("out.hosts/*/*/esx2.book"))
    octets = book.read_bytes()
    before = contents(tmp_path / "out")
    changed = "it was changed, or cut off; without it the host is simulated again"
    places = [*range(19, len(octets), max(1, len(octets) // 20)), len(octets) - 1]
    for wrong, why in (
        (octets[: len(octets) // 2], changed),
        *((octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :], changed) for at in places),
        (b"esx-netflow host 0\n" + octets[19:], "it is none of this version"),
    ):
        book.write_bytes(wrong)
        done = esx_netflow(*run)
        assert done.returncode == 2 and f"esx2.book: not what a host's simulation wrote: {why}" in done.stderr
        assert contents(tmp_path / "out") == before


def test_a_full_disk_leaves_no_half_book(esx_netflow, tmp_path):
    path = write(tmp_path, STATIC)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        done = esx_netflow("run", path, "-o", tmp_path / "out", "-q", "--split", "local")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.returncode == 2 and ".book: " in done.stderr and "File too large" in done.stderr
    assert not list(tmp_path.glob("out.hosts/*/*/*")) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options, told",
    [
        (["--split", "dsk"], "--split: 'dsk': did you mean 'dask'?"),
        (["--split", "local", "--captures"], "--captures excludes --split"),
        (["--split", "local", "--to", "127.0.0.1:2055"], "--to excludes --split"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler requires --split"),
        (["--split", "local", "--scheduler", "tcp://127.0.0.1:1"], "--scheduler needs --split dask"),
        (["--split", "local", "quickstart"], "--split is for one scenario at a time"),
        (["--split", "dask", "--scheduler", "tcp://127.0.0.1:1"], "there is no Dask scheduler at tcp://127.0.0.1:1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_make_no_sense_are_refused(esx_netflow, tmp_path, monkeypatch, options, told):
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "2s")
    done = esx_netflow("run", write(tmp_path, STATIC), "-o", tmp_path / "out", *options)
    assert done.returncode == 2 and told in done.stderr, done.stderr
