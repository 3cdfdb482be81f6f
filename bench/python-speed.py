# SPDX-License-Identifier: GPL-2.0-only
"""Called by python.sh: decoding, a capture through the cache, a million flows to pandas, and how busy a sweep keeps the
cores."""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import esx_netflow
from esx_netflow import netflow, tables

BUILD = Path(sys.argv[1])
MILLION = 1_000_000
ROUNDS = 7


def least(function, rounds=ROUNDS):
    """-> CPU time in s"""
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        kept = function()
        best = min(best, time.process_time() - begin)
        del kept
    return best


def cpu_of_child(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def report(what, ours, theirs, limit=1.1):
    ratio = ours / theirs
    print(f"{what}: Python {ours * 1e3:.1f} ms, C++ {theirs * 1e3:.1f} ms, ratio {ratio:.3f} (at most {limit})")
    return ratio <= limit


def decoding(folder):
    generator = np.random.default_rng(1)
    records = np.zeros(MILLION // 30 * 30, netflow.V5_RECORD)
    for field in records.dtype.names:
        if not field.startswith("pad"):
            records[field] = generator.integers(
                0, np.iinfo(records.dtype[field]).max, len(records), records.dtype[field]
            )
    headers = np.zeros(len(records) // 30, netflow.V5_HEADER)
    headers["count"] = 30
    octets = esx_netflow.encode_v5(headers, records)
    (folder / "v5.bin").write_bytes(octets)
    theirs = (
        min(float(subprocess.check_output([BUILD / "bench-decode-v5", folder / "v5.bin"]).split()[1]) for _ in range(3))
        / 1e3
    )
    return report("decoding 10^6 v5 records from one buffer", least(lambda: esx_netflow.decode_v5(octets), 15), theirs)


def capture(folder):
    """10^6 UDP packets of 100 000 flows."""
    frame = np.zeros(
        MILLION,
        [
            ("sec", "<u4"),
            ("ns", "<u4"),
            ("cap", "<u4"),
            ("wire", "<u4"),
            ("mac", "V12"),
            ("type", ">u2"),
            ("ihl", "u1"),
            ("tos", "u1"),
            ("length", ">u2"),
            ("id", "V4"),
            ("ttl", "u1"),
            ("proto", "u1"),
            ("sum", "V2"),
            ("src", ">u4"),
            ("dst", ">u4"),
            ("sport", ">u2"),
            ("dport", ">u2"),
            ("udp", ">u2"),
            ("check", "V2"),
            ("data", "V18"),
        ],
    )
    number = np.arange(MILLION)
    frame["sec"], frame["ns"] = 1_200_000_000 + number // 50_000, number % 50_000 * 20_000
    frame["cap"] = frame["wire"] = 60
    frame["type"], frame["ihl"], frame["length"], frame["proto"], frame["udp"] = 0x0800, 0x45, 46, 17, 26
    flow = np.random.default_rng(2).integers(0, 100_000, MILLION)
    frame["src"], frame["dst"], frame["sport"], frame["dport"] = (
        0x0A000000 + flow // 60000,
        0x0A010001,
        flow % 60000,
        53,
    )
    path = folder / "million.pcap"
    with open(path, "wb") as file:
        np.array([0xA1B23C4D, 0x00040002, 0, 0, 65535, 1], "<u4").tofile(file)
        frame.tofile(file)
    probe = [BUILD / "esx-netflow", "probe", "-r", path]
    theirs = min(cpu_of_child(probe) for _ in range(ROUNDS))
    assert netflow.meter(path).moves["metered"].packets == MILLION
    return report("a capture of 10^6 packets through the cache", least(lambda: netflow.meter(path)), theirs)


def pandas():
    """A result of 10^6 flows, made of those of the quickstart."""
    quickstart = esx_netflow.run("scenarios/quickstart.yaml").truth
    array = np.resize(np.asarray(quickstart), MILLION)
    array["src"] = np.arange(MILLION, dtype=np.uint32) + 0x0A000000
    array["dst"] = np.random.default_rng(3).integers(0, 2**32, MILLION, np.uint32)
    table = tables.Table.of(array, "truth", quickstart._lists)
    seconds = least(table.to_pandas, 3)
    print(
        f"10^6 flows to pandas: {seconds:.2f} s (less than 1), {seconds * 1e9 / MILLION:.0f} ns a flow, "
        "all addresses different"
    )
    return seconds < 1


class Wanting:
    """CPU time that this process and its children had, and the time they waited for a core that other work held: Linux
    counts both in /proc/PID/schedstat. So other users of the machine do not look like idle workers."""

    def __init__(self):
        self._seen = {}
        self._over = threading.Event()
        self._before = self._read(os.getpid())
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._sample()

    @staticmethod
    def _read(pid):
        ran = waited = 0
        for task in Path(f"/proc/{pid}/task").iterdir():
            counts = (task / "schedstat").read_text().split()
            ran, waited = ran + int(counts[0]), waited + int(counts[1])
        return ran, waited

    def _sample(self):
        mine = os.getpid()
        children = [
            int(pid) for task in Path(f"/proc/{mine}/task").iterdir() for pid in (task / "children").read_text().split()
        ]
        for pid in (mine, *children):
            try:
                self._seen[pid] = self._read(pid)
            except OSError:  # it has just ended
                pass

    def _watch(self):
        while not self._over.wait(0.05):
            self._sample()

    def seconds(self):
        """-> (ran, waited for a core)"""
        return tuple((sum(counts[i] for counts in self._seen.values()) - self._before[i]) / 1e9 for i in (0, 1))


def sweep():
    """60 runs on all cores: which share of the cores' time they used or would have used."""
    cores = len(os.sched_getaffinity(0))
    begin = time.monotonic()
    with Wanting() as wanting:
        table = esx_netflow.sweep(
            "scenarios/two-hosts.yaml",
            over={"hosts.esx1.netflow.purgatory_max": [8, 64]},
            seeds=range(1, 31),
            executor=cores,
            keep="summary",
        )
    wall = time.monotonic() - begin
    ran, waited = wanting.seconds()
    busy = (ran + waited) / wall / cores
    print(
        f"a sweep of {len(table)} runs, {wall:.0f} s: {cores} cores {busy:.0%} busy (at least 90 %): "
        f"{ran / wall / cores:.0%} with it, {waited / wall / cores:.0%} with other work while it waited"
    )
    return busy >= 0.9


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        outcome = [decoding(Path(name)), capture(Path(name)), pandas(), sweep()]
    sys.exit(0 if all(outcome) else 1)
