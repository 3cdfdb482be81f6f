# SPDX-License-Identifier: GPL-2.0-only
"""Small cousins of the benchmark's workloads, with their truth: what was put in, counted as it was put in and not out
of the frames.

w1  few flows: conversations in both directions, two minutes
w2  many flows: at least one packet each, the rest after Zipf's law, twelve seconds
w3  scan: flows of one to three packets, two minutes
w4  long-lived: a quarter of an hour, so that the active timeout ends records
"""

import random
from typing import NamedTuple

from oracle.building import ethernet, ipv4, pcap, tcp, udp
from probing import BOOT_NS, SECOND_NS

IDLE_NS, ACTIVE_NS = 15 * SECOND_NS, 300 * SECOND_NS
SNAP = 64
SIZES = 40, 52, 64, 256, 576, 1420, 1500, 1500


class Workload(NamedTuple):
    capture: bytes
    packets: int
    octets: int
    records: int
    flows: dict  # (src, dst, proto, sport, dport): (packets, octets)


def _flow(rng, i=0) -> tuple:
    hosts = f"10.0.{rng.randrange(256)}.{rng.randrange(256)}", f"172.16.{rng.randrange(256)}.{rng.randrange(256)}"
    return (*hosts, 17 if i % 5 == 0 else 6, rng.randrange(1024, 65536), rng.randrange(1, 1024))


def _back(flow) -> tuple:
    src, dst, proto, sport, dport = flow
    return dst, src, proto, dport, sport


def _conversations(rng, count, packets, seconds):
    flows = [f for i in range(count) for flow in [_flow(rng, i)] for f in (flow, _back(flow))]
    return [(seconds * SECOND_NS * n // packets, rng.choice(flows), rng.choice(SIZES)) for n in range(packets)]


def w1(rng, packets=3000):
    return _conversations(rng, 250, packets, 120)


def w2(rng, packets=3000):
    flows = [_flow(rng, i) for i in range(packets // 5)]
    weights = [(n + 1) ** -1.05 for n in range(len(flows))]
    drawn = flows + rng.choices(flows, weights, k=packets - len(flows))
    rng.shuffle(drawn)
    return [(12 * SECOND_NS * n // packets, flow, rng.choice(SIZES)) for n, flow in enumerate(drawn)]


def w3(rng, packets=3000):
    events = []
    while len(events) < packets:
        flow, start = _flow(rng, rng.randrange(40)), rng.randrange(119 * SECOND_NS)
        later = (0, SECOND_NS // 5, SECOND_NS)[: rng.randint(1, 3)]
        events += [(start + delay, flow, 40 if flow[2] == 6 else 48) for delay in later]
    return sorted(events[:packets], key=lambda event: event[0])


def w4(rng, packets=6000):
    return _conversations(rng, 50, packets, 900)


def workload(make, seed: int) -> Workload:
    frames, flows, octets, records = [], {}, 0, 0
    live: dict[tuple, tuple[int, int]] = {}  # flow: first, last
    for time_ns, flow, size in make(random.Random(f"{make.__name__} {seed}")):
        src, dst, proto, sport, dport = flow
        header = tcp(sport, dport) if proto == 6 else udp(sport, dport)
        frame = ethernet(ipv4(header, src=src, dst=dst, proto=proto, total=size))
        wire = max(60, 14 + size)  # short frames are padded
        frames.append((BOOT_NS + time_ns, frame.ljust(SNAP, b"\0")[: min(SNAP, wire)], wire))
        first, last = live.get(flow, (None, None))
        if first is None or time_ns - last > IDLE_NS or time_ns - first > ACTIVE_NS:
            records, first = records + 1, time_ns
        live[flow] = first, time_ns
        seen = flows.get(flow, (0, 0))
        flows[flow] = seen[0] + 1, seen[1] + size
        octets += size
    return Workload(pcap(frames), len(frames), octets, records, flows)


WORKLOADS = {make.__name__: make for make in (w1, w2, w3, w4)}
