# SPDX-License-Identifier: GPL-2.0-only
"""The product's parser and flow cache against the independent oracle, over random frames: valid, odd, damaged, cut
short."""

import os
import random
import struct
import subprocess
from pathlib import Path

import pytest

from oracle import capture, flowtruth
from probing import statistics

PROGRAM = Path(os.environ["ESX_NETFLOW_BUILD"]) / "esx-netflow"
FRAMES = 4000
SECOND = 10**9


def ipv4(rnd):
    words = rnd.choice([5, 5, 5, 5, 6, 7, 15, 4])
    payload = rnd.choice([0, 1, 2, 3, 4, 8, 13, 14, 20, 100, 1400])
    total = words * 4 + payload
    if rnd.random() < 0.05:
        total = rnd.choice([0, 5, 19, 65535, total + 1, max(0, total - 1)])
    header = struct.pack(
        "!BBHHHBBH4s4s",
        rnd.choice([4, 4, 4, 4, 4, 4, 4, 6]) << 4 | words,
        rnd.choice([0, 8, 184]),
        total,
        rnd.randrange(65536),
        rnd.choice([0, 0, 0, 0, 0x2000, 0x2001, 0x0010, 0x4000]),
        64,
        rnd.choice([1, 2, 6, 6, 17, 17, 33, 132, 136, 47]),
        0,
        bytes([10, 0, 0, rnd.randrange(4)]),
        bytes([10, 0, 1, rnd.randrange(4)]),
    )
    ports = bytes([0, rnd.randrange(3), 0, rnd.randrange(3)])
    return header + rnd.randbytes(max(0, words * 4 - 20)) + (ports + rnd.randbytes(payload))[:payload]


def frame(rnd):
    octets = bytes(12)
    for _ in range(rnd.choice([0, 0, 0, 0, 1, 2, 3])):
        octets += struct.pack("!HH", rnd.choice([0x8100, 0x88A8, 0x9100]), rnd.randrange(4096))
    octets += struct.pack("!H", rnd.choice([0x0800] * 8 + [0x0806, 0x86DD, 0x05DC])) + ipv4(rnd)
    return octets if rnd.random() < 0.5 else octets.ljust(60, b"\0")


def write_capture(path, rnd):
    now = 1_200_000_000 * SECOND
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for _ in range(FRAMES):
            short = [1000, 10**6, 10**7, SECOND // 3]
            long = [15 * SECOND, 15 * SECOND + 1, 15 * SECOND - 1, 16 * SECOND, 301 * SECOND]
            now += rnd.choice(short if rnd.random() < 0.98 else long)
            octets = frame(rnd)
            kept = octets if rnd.random() < 0.85 else octets[: rnd.randrange(len(octets) + 1)]
            file.write(struct.pack("<IIII", now // SECOND, now % SECOND, len(kept), len(octets)) + kept)


@pytest.mark.parametrize("seed", range(4))
def test_random_frames_are_counted_as_the_oracle_counts_them(tmp_path, seed):
    path = tmp_path / "random.pcap"
    write_capture(path, random.Random(seed))
    packets = capture.read_capture(path)
    truth = flowtruth.truth_of_capture(packets, boot_ns=packets[0].time_ns)
    done = subprocess.run([PROGRAM, "probe", "-r", path], capture_output=True, text=True, check=True)
    rows = statistics(done.stdout)
    truth.run_until(packets[-1].time_ns - packets[0].time_ns + 400 * SECOND)  # all records end
    total = truth.total()
    assert rows["metered"] == (total.packets, total.octets, total.records)
    for reason, count in truth.ignored_packets.items():
        assert rows[f"ignored_{reason}"] == (count, truth.ignored_octets[reason], 0)
    assert rows["residual"] == (0, 0, 0)
    for ended in ("idle", "active"):
        expected = sum(record.reason == ended for record in truth.records())
        assert rows.get(f"ended_{ended}", (0, 0, 0))[2] == expected
