#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""CPU of the whole process, 'esx-netflow probe' beside other exporters, over captures of known truth.

  bench/peers.py DATA [-n ROUNDS] [-w WORKLOAD]... [-p PEER]... [--scale DIVISOR] [--build FOLDER]

For each workload and peer: ours, peer, ours, peer, ... Medians of user plus system time and of the pairwise ratio.
A run of ours counts only if packets, octets and records at the collector equal the truth; a peer's, if packets do.
DATA is a folder for the captures (about 1.3 GB at full size), kept for the next time.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PACKETS = {"w1": 10_000_000, "w2": 5_000_000, "w3": 5_000_000, "w4": 2_000_000}
SOFTFLOWD_TIMEOUTS = "udp=15 tcp=15 tcp.rst=15 tcp.fin=15 icmp=15 general=15 maxlife=300 expint=5"


class Sink:
    """A collector for one run."""

    def __init__(self, program: Path):
        self.process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def totals(self) -> dict[str, int]:
        self.process.send_signal(signal.SIGTERM)
        text, _ = self.process.communicate(timeout=120)
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}


def measure(command: list) -> tuple[float, float, int]:
    """CPU seconds, peak MiB and exit code of a process and what it waited for."""
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode


def run_ours(build: Path, capture: Path, extra: list[str]) -> tuple[float, float, int, dict[str, int]]:
    sink = Sink(build / "bench-v5-sink")
    program = [build / "esx-netflow", "probe", "-r", capture, "--rate", "0", "-n", f"127.0.0.1:{sink.port}", *extra]
    cpu, memory, code = measure(program)
    totals = sink.totals()
    return cpu, memory, code, totals


def run_softflowd(capture: Path, folder: Path, build: Path) -> tuple[float, float, dict[str, int]]:
    sink = Sink(build / "bench-v5-sink")
    timeouts = [word for timeout in SOFTFLOWD_TIMEOUTS.split() for word in ("-t", timeout)]
    cpu, memory, _ = measure(
        ["softflowd", "-r", capture, "-n", f"127.0.0.1:{sink.port}", "-v", "5", "-m", "4000000", *timeouts]
        + ["-c", "none", "-p", folder / "pid"]
    )
    return cpu, memory, sink.totals()


def run_nfpcapd(capture: Path, folder: Path, build: Path) -> tuple[float, float, dict[str, int]]:
    output = folder / "nf"
    output.mkdir()
    cpu, memory, _ = measure(["nfpcapd", "-r", capture, "-w", output, "-e", "300,15", "-B", "4194304"])
    totals = {"packets": 0, "octets": 0, "records": 0}
    for file in output.iterdir():
        text = subprocess.run(["nfdump", "-I", "-r", file], capture_output=True, text=True, check=False).stdout
        for ours, theirs in (("packets", "Packets"), ("octets", "Bytes"), ("records", "Flows")):
            totals[ours] += int(re.search(rf"^{theirs}: (\d+)", text, re.M).group(1))
    shutil.rmtree(output)
    return cpu, memory, totals


PEERS = {"softflowd": run_softflowd, "nfpcapd": run_nfpcapd}


def truth_of(build: Path, data: Path, workload: str, divisor: int) -> tuple[Path, dict[str, int]]:
    """Makes the capture unless it is there, and reads what it must give."""
    packets = PACKETS[workload] // divisor
    capture, truth = data / f"{workload}-{packets}.pcap", data / f"{workload}-{packets}.truth"
    if not truth.exists():
        made = subprocess.run(
            [build / "bench-workload", workload, capture, str(packets)], capture_output=True, text=True, check=True
        )
        truth.write_text(made.stdout)
    return capture, {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", truth.read_text())}


def complaints(totals: dict[str, int], truth: dict[str, int], fields: tuple[str, ...]) -> list[str]:
    return [f"{name} {totals.get(name, 0)} for {truth[name]}" for name in fields if totals.get(name) != truth[name]]


def compare(args: argparse.Namespace, workload: str, peer: str) -> bool:
    """Prints a line of the table. False if too few runs counted."""
    capture, truth = truth_of(args.build, args.data, workload, args.scale)
    ours, theirs, ratios, memory, notes = [], [], [], [0.0, 0.0], set()
    subprocess.run(["cat", capture], stdout=subprocess.DEVNULL, check=True)  # into the page cache
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory(dir=args.data) as folder:
            our_cpu, our_memory, code, our_totals = run_ours(args.build, capture, args.extra)
            peer_cpu, peer_memory, peer_totals = PEERS[peer](capture, Path(folder), args.build)
        wrong = [f"exit code {code}"] if code else []  # negative: the signal that ended it
        wrong += complaints(our_totals, truth, ("packets", "octets", "records"))
        wrong += [f"{name} {our_totals[name]}" for name in ("gaps", "bad", "negative") if our_totals.get(name)]
        if wrong:
            notes.add("OURS DOES NOT COUNT: " + ", ".join(wrong))
            continue
        if complaints(peer_totals, truth, ("packets",)):
            notes.add("peer does not count: " + ", ".join(complaints(peer_totals, truth, ("packets",))))
            continue
        notes.update("peer's " + text for text in complaints(peer_totals, truth, ("octets", "records")))
        ours.append(our_cpu)
        theirs.append(peer_cpu)
        ratios.append(peer_cpu / our_cpu)
        memory = [max(memory[0], our_memory), max(memory[1], peer_memory)]
    if not ratios:
        print(f"| {workload} | {peer} | no run counted: {'; '.join(sorted(notes))} |", flush=True)
        return False
    print(
        f"| {workload} | {peer} | {len(ratios)} of {args.rounds} | {statistics.median(ours):.2f} "
        f"| {statistics.median(theirs):.2f} | {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) "
        f"| {memory[0]:.0f} / {memory[1]:.0f} | {'; '.join(sorted(notes))} |",
        flush=True,
    )
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-n", "--rounds", type=int, default=5)
    parser.add_argument("-w", "--workload", action="append", choices=sorted(PACKETS))
    parser.add_argument("-p", "--peer", action="append", choices=sorted(PEERS))
    parser.add_argument("--scale", type=int, default=1, help="captures this many times smaller")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("extra", nargs="*", help="more options of probe, behind --")
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    print("| workload | peer | runs that count | probe, CPU s | peer, CPU s | ratio | peak MiB | |")
    print("|---|---|---|---|---|---|---|---|")
    good = True
    for workload in args.workload or ["w1", "w2", "w3"]:
        for peer in args.peer or ["softflowd", "nfpcapd"]:
            good = compare(args, workload, peer) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
