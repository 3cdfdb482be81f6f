# SPDX-License-Identifier: GPL-2.0-only
"""probe on a network interface: one end of a veth pair in a network namespace that the test makes and that ends with
it.

Needs root, as capturing does; elsewhere these tests are skipped, with that reason.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from probing import Sink, records_of, statistics

HERE = Path(__file__)
WAIT_S = 120
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="a network namespace and capturing need root: sudo ./setup test"
)


def in_namespace(scene: str, program: Path) -> str:
    """Runs a scene of this file in a namespace of its own -> what it printed"""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-B", HERE, scene, program],
        capture_output=True,
        text=True,
        timeout=4 * WAIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_root
@pytest.mark.parametrize(
    "scene", ["expiry_by_the_clock", "sigterm_flushes", "sigint_flushes", "count_ends_it", "interface_goes"]
)
def test_live(esx_netflow, scene):
    assert in_namespace(scene, esx_netflow.path) == f"{scene}: good\n"


@needs_root
def test_full_queues_are_counted_and_the_next_datagram_is_sent(esx_netflow):
    assert in_namespace("no_buffers", esx_netflow.path) == "no_buffers: good\n"


@needs_root
def test_an_interface_that_is_not_there_or_down_gives_2(esx_netflow):
    assert in_namespace("no_interface", esx_netflow.path) == "no_interface: good\n"


def test_no_permission_gives_2_and_the_way_out(esx_netflow):
    # still root, without capabilities: another user might not get at a clone in somebody's home
    user = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*user, esx_netflow.path, "probe", "-i", "lo"], capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.returncode == 2
    assert done.stderr == "esx-netflow: lo: no permission to capture: be root, or have the capability CAP_NET_RAW\n"


# ---------------------------------------------------------------- scenes, inside the namespace


class Scene:
    def __init__(self, program: str):
        self.program = program
        for line in (
            "link add wire0 type veth peer name wire1",
            "link set lo up",
            "link set wire0 up",
            "link set wire1 up",
        ):
            subprocess.run(["ip", *line.split()], check=True)

    def start(self, *options) -> subprocess.Popen:
        """A probe on wire1 that is capturing"""
        command = [self.program, "probe", "-i", "wire1", *map(str, options)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr.readline() == "capturing on wire1\n"
        return process

    def send(self, count: int, flows: int = 5) -> None:
        import socket

        from oracle.building import ethernet, ipv4, udp

        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind(("wire0", 0))
            for n in range(count):
                wire.send(ethernet(ipv4(udp(1000 + n % flows, 53))))


def seen(records) -> dict[int, int]:
    """{source port: packets} of the flows that send() sends; the kernels' own chatter is IPv6"""
    packets: dict[int, int] = {}
    for record in records:
        packets[record[3]] = packets.get(record[3], 0) + record[6]
    return packets


def expiry_by_the_clock(scene: Scene) -> None:
    with Sink() as sink:
        process = scene.start("-n", sink.target, "--idle", 0.2, "-s", 50, "--stats", 0.1)
        scene.send(50, flows=50)  # a packet each: a pause between two sends ends no record early
        got = []
        while sum(record[6] for record in got) < 50:  # no further packet: time alone ends the records
            assert sink.wait(WAIT_S)
            got += records_of(sink.datagrams())
        assert seen(got) == {1000 + n: 1 for n in range(50)}
        lines = []
        while len(lines) < 2:  # of --stats
            line = process.stdout.readline()
            assert line, "it ended"
            lines += re.findall(r"^uptime (\S+) packets \d+ .* kernel-drops 0$", line, re.MULTILINE)
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert statistics(stdout)["ended_idle"] == (50, 50 * 28, 50)
    assert statistics(stdout)["residual"] == (0, 0, 0)
    assert lines == sorted(lines, key=float)


def _flushes(scene: Scene, number: int) -> None:
    with Sink() as sink:
        process = scene.start("-n", sink.target, "--stats", 0.05)
        scene.send(30)
        for line in process.stdout:  # until it says that it has them
            if re.search(r" metered 30 ", line):
                break
        assert not sink.wait(0)
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=WAIT_S)
        assert seen(records_of(sink.datagrams())) == {1000 + n: 6 for n in range(5)}
    assert process.returncode == 0
    assert statistics(stdout)["ended_stopped"] == statistics(stdout)["sent"] == (30, 30 * 28, 5)
    assert statistics(stdout)["residual"] == (0, 0, 0)
    assert "dropped before the meter: by the kernel 0 by the interface 0" in stdout


def sigterm_flushes(scene: Scene) -> None:
    _flushes(scene, signal.SIGTERM)


def sigint_flushes(scene: Scene) -> None:
    _flushes(scene, signal.SIGINT)


def count_ends_it(scene: Scene) -> None:
    process = scene.start("-c", 20)
    scene.send(100)
    stdout, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0 and statistics(stdout)["offered"][0] == 20


def interface_goes(scene: Scene) -> None:
    with Sink() as sink:
        process = scene.start("-n", sink.target, "--stats", 0.05)
        scene.send(10)
        for line in process.stdout:
            if re.search(r" metered 10 ", line):
                break
        subprocess.run(["ip", "link", "del", "wire0"], check=True)
        stdout, stderr = process.communicate(timeout=WAIT_S)
        assert seen(records_of(sink.datagrams())) == {1000 + n: 2 for n in range(5)}
    assert process.returncode == 2 and "esx-netflow: wire1: " in stderr
    assert statistics(stdout)["residual"] == (0, 0, 0)


def no_buffers(scene: Scene) -> None:
    from oracle.building import ethernet, ipv4, pcap, udp
    from probing import BOOT_NS, SECOND_NS

    def ip(line: str) -> None:
        subprocess.run(line.split(), check=True)

    ip("ip address add 10.9.9.1/24 dev wire0")
    ip("ip neighbor add 10.9.9.2 lladdr 02:00:00:00:00:09 dev wire0")
    ip("tc qdisc replace dev wire0 root pfifo limit 0")  # every packet finds the queue full
    # each line of which is written at once
    options = ("-r", "-", "-n", "10.9.9.2:2055", "-v", "--rate", "0", "--stats", "1")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([scene.program, "probe", *options], **pipes)

    def export(number: int) -> None:
        """A packet that makes the record before it leave, and reads that it has left"""
        packet = pcap([(BOOT_NS + number * 60 * SECOND_NS, ethernet(ipv4(udp(number, 53))))])
        process.stdin.write(packet if number == 0 else packet[24:])
        process.stdin.flush()

    for number in range(5):  # the clock holds the last one: a step of 60 s may be an outlier
        export(number)
    lines = iter(process.stdout.readline, b"")
    while not next(lines).startswith(b"datagram 3 "):
        pass
    ip("tc qdisc del dev wire0 root")
    process.stdin.close()
    stdout = b"".join(lines).decode()
    process.wait(timeout=WAIT_S)
    assert process.returncode == 0
    sent = re.search(r"10.9.9.2:2055: sent (\d+) refused 0 no-buffers (\d+) failed 0; lost (\d+) records", stdout)
    assert sent and sent[2] == sent[3] and int(sent[1]) + int(sent[2]) == 5 and int(sent[1]) >= 1 and int(sent[2]) >= 2
    assert statistics(stdout)["send_failed"][2] == int(sent[2]) and statistics(stdout)["residual"] == (0, 0, 0)


def no_interface(scene: Scene) -> None:
    def refused(name: str) -> str:
        done = subprocess.run([scene.program, "probe", "-i", name], capture_output=True, text=True, timeout=WAIT_S)
        assert done.returncode == 2 and done.stdout == ""
        return done.stderr

    assert refused("nosuch") == "esx-netflow: nosuch: there is no such interface\n"
    subprocess.run(["ip", "link", "set", "wire1", "down"], check=True)
    assert refused("wire1") == "esx-netflow: wire1: the interface is down\n"


if __name__ == "__main__":
    globals()[sys.argv[1]](Scene(sys.argv[2]))
    print(f"{sys.argv[1]}: good")
