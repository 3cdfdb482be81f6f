# SPDX-License-Identifier: GPL-2.0-only
"""run --to beyond loopback: each exporting host has a source address of its own. In network namespaces that end with
the test."""

import array
import contextlib
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from labs import lab, write

HERE = Path(__file__)
WAIT_S = 240
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root: sudo ./setup test")
UNABLE = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


def sent(program, folder: Path, *options, routes: bool = True, unable: bool = False) -> dict:
    """Two hosts' run with a receiver behind a veth pair, which has rp_filter 1. -> exit code, errors, sources and
    checksums of what arrived"""
    write(folder, lab(hosts=("esx1", "esx2")))
    arguments = [
        str(routes),
        *(UNABLE if unable else []),
        program,
        "run",
        folder / "lab.yaml",
        "--out",
        folder / "out",
        "-q",
        "--to",
        "198.51.100.2:2055",
        *options,
    ]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-B", HERE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@needs_root
def test_with_a_route_back_each_host_arrives_from_its_vmknic(esx_netflow, tmp_path):
    found = sent(esx_netflow.path, tmp_path)
    addresses = [re.search(rf"{host} as ([\d.]+)", found["errors"]).group(1) for host in ("esx1", "esx2")]
    assert found["code"] == 0 and found["errors"].count("\n") == 1 and "cannot be known here" in found["errors"]
    assert set(found["sources"]) == set(addresses) and len(set(addresses)) == 2
    assert all(count > 0 for count in found["sources"].values()) and found["wrong_checksums"] == 0


@needs_root
def test_without_a_route_back_rp_filter_drops_them(esx_netflow, tmp_path):
    found = sent(esx_netflow.path, tmp_path, routes=False)
    assert found["code"] == 0 and found["sources"] == {} and "cannot be known here" in found["errors"]


@needs_root
def test_source_chooses_and_an_address_of_this_machine_needs_no_right(esx_netflow, tmp_path):
    options = ["--source", "esx1=198.51.100.11", "--source", "esx2=198.51.100.12"]
    found = sent(esx_netflow.path, tmp_path, *options, unable=True)
    assert (found["code"], found["errors"]) == (0, "")
    assert set(found["sources"]) == {"198.51.100.11", "198.51.100.12"} and found["wrong_checksums"] == 0


def test_without_the_right_it_is_said_clearly(esx_netflow, tmp_path):
    command = [
        *UNABLE,
        esx_netflow.path,
        "run",
        write(tmp_path, lab(hosts=("esx1", "esx2"))),
        "--out",
        tmp_path / "out",
        "--to",
        "127.0.0.1:2055",
    ]
    done = subprocess.run([*command, "--source", "esx1=192.0.2.11"], capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 3 and not (tmp_path / "out").exists()
    assert (
        "cannot send to 127.0.0.1:2055 from 192.0.2.11: it is no address of this machine. Be root, "
        "have the capability CAP_NET_RAW, or add it: ip address add 192.0.2.11/32 dev lo"
    ) in done.stderr


@pytest.mark.parametrize(
    "options, said",
    [
        (["--source", "esx=192.0.2.1"], "did you mean 'esx1'"),
        (["--source", "esx1"], "HOST=ADDRESS, as esx1=192.0.2.11"),
        (["--source", "esx1=here"], "HOST=ADDRESS, as esx1=192.0.2.11"),
    ],
)
def test_a_wrong_source_is_exit_2(esx_netflow, tmp_path, options, said):
    done = esx_netflow("run", write(tmp_path, lab()), "--out", tmp_path / "out", "--to", "127.0.0.1:2055", *options)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert esx_netflow("run", tmp_path / "lab.yaml", "--out", tmp_path / "out", *options).returncode == 2


# ---------------------------------------------------------------- inside the sender's namespace


def ip(line, inside=None):
    subprocess.run([*(["nsenter", f"--net=/proc/{inside}/ns/net"] if inside else []), "ip", *line.split()], check=True)


def leave_checksums_to_the_kernel(device):
    value = array.array("I", [0x17, 0])  # ETHTOOL_STXCSUM
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8946, struct.pack("16sP8x", device.encode(), value.buffer_info()[0]))  # SIOCETHTOOL


def receive():
    """In a namespace of its own, until standard input says that all is sent."""
    Path("/proc/sys/net/ipv4/conf/all/rp_filter").write_text("1")
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("0.0.0.0", 2055))
    print(flush=True)
    input()
    sources, wrong = Counter(), 0
    for receiver in (udp, wire):
        receiver.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                octets, (source, *_) = receiver.recvfrom(65535)
                if receiver is udp:
                    sources[source] += 1
                elif octets[9] == 17:
                    summed = octets[12:20] + struct.pack(">HH", 17, len(octets) - 20) + octets[20:]
                    wrong += (
                        octets[26:28] == b"\0\0" or sum(struct.unpack(f">{len(summed) // 2}H", summed)) % 0xFFFF != 0
                    )
    print(json.dumps({"sources": sources, "wrong_checksums": wrong}))


def send(routes, *command):
    receiver = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-B", HERE, "receive"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    receiver.stdout.readline()
    ip(f"link add wire0 type veth peer name wire1 netns {receiver.pid}")
    leave_checksums_to_the_kernel("wire0")
    for line in (
        "link set lo up",
        "address add 198.51.100.1/24 dev wire0",
        "address add 198.51.100.11/32 dev wire0",
        "address add 198.51.100.12/32 dev wire0",
        "link set wire0 up",
    ):
        ip(line)
    for line in (
        "link set lo up",
        "address add 198.51.100.2/24 dev wire1",
        "link set wire1 up",
        *(["route add 10.0.0.0/8 via 198.51.100.1"] if routes == "True" else []),
    ):
        ip(line, inside=receiver.pid)
    done = subprocess.run(command, capture_output=True, text=True)
    found = json.loads(receiver.communicate("\n")[0])
    print(json.dumps({"code": done.returncode, "errors": done.stderr, **found}))


if __name__ == "__main__":
    receive() if sys.argv[1] == "receive" else send(*sys.argv[1:])
