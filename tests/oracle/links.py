# SPDX-License-Identifier: GPL-2.0-only
"""Judges links.csv, and with it where and when datagrams died on links: of a link's end whose far end a collector's
capture sees, the frames sent until each sample are those that arrived and those that died on the way."""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from itertools import pairwise

from .flowtruth import MS_NS

ETHERNET = 14
MAX_FRAME = 65549
OVERHEAD = 46 + 24  # at most, of a frame: padding; FCS, preamble and gap
DATAGRAM_HEAD = ETHERNET + 20 + 8 + 24  # Ethernet, IPv4, UDP, NetFlow v5
RECORD = 48
IPV4 = b"\x08\x00"
IN_QUEUES = ("lost_device_queue",)
AT_COLLECTORS = ("lost_refused", "lost_socket_buffer", "lost_not_decoded")


def ns_of(time_ms: str) -> int:
    whole, _, rest = time_ms.partition(".")
    return int(whole) * MS_NS + int(rest or 0)


class Links:
    def __init__(self, v):
        self.v = v
        self.rows = defaultdict(lambda: defaultdict(list))  # by link and end
        for row in v.table("links.csv"):
            self.rows[row["link"]][row["from"]].append(row)
        self.datagrams = v.table("datagrams.csv")
        self.dropped = {drops["name"]: drops for drops in v.summary["links"]}
        lab = json.loads((v.folder / "lab.json").read_text())
        self.unbounded = {link["name"] for link in lab["links"] if link.get("contention") == "none"}
        self.queues = self._queues()

    def find(self, text: str) -> None:
        self.v.findings.append(text)

    def check(self) -> None:
        samples = [row["time_ms"] for row in self.v.table("series.csv")]
        grid = list(dict.fromkeys(samples))
        for name in self.dropped.keys() - self.rows.keys():
            self.find(f"links.csv: lacks {name}, which dropped frames")
        for link, ends in self.rows.items():
            if len(ends) != 2 or any([row["time_ms"] for row in rows] != grid for rows in ends.values()):
                self.find(f"links.csv: {link}: not both ends at each sample: {sorted(ends)}")
                continue
            for end, rows in ends.items():
                self._check_end(link, end, rows)
            self._check_both(link, ends)
        self._check_deaths()

    def _check_end(self, link: str, end: str, rows: list[dict]) -> None:
        zero = dict.fromkeys(("octets", "frames", "dropped"), "0") | {"time_ms": "0", "rate_bps": rows[0]["rate_bps"]}
        fastest = max(int(row["rate_bps"]) for ends in self.rows[link].values() for row in ends)
        wire, limit = self.queues.get(link, (None, None))
        for before, after in pairwise([zero, *rows]):
            octets, frames, dropped = (int(after[c]) - int(before[c]) for c in ("octets", "frames", "dropped"))
            bits = fastest * (ns_of(after["time_ms"]) - ns_of(before["time_ms"])) / 10**9
            if (
                frames < 0
                or dropped < 0
                or not ETHERNET * frames <= octets <= MAX_FRAME * frames
                or octets * 8 > bits + MAX_FRAME * 8
                and link not in self.unbounded
            ):
                self.find(f"links.csv: {link} from {end}: octets, frames or dropped at {after['time_ms']} ms")
            if int(after["queued"]) < 0 or int(after["rate_bps"]) < 0:
                self.find(f"links.csv: {link} from {end}: queued or rate_bps at {after['time_ms']} ms")
            elif wire is not None:
                following = int(rows[-1]["octets"]) - int(after["octets"])  # at least the next frame, if one ended
                self._check_queue(
                    f"links.csv: {link} from {end}: queued",
                    before,
                    after,
                    min(following or MAX_FRAME, MAX_FRAME) * 8 / wire,
                    wire,
                    limit,
                )

    def _check_queue(
        self, what: str, before: dict, after: dict, one_frame_s: float, slowest: int, limit: int | None
    ) -> None:
        """A transmitter never rests while frames wait, and a queue that drops a frame is full: what left it since were
        the frames sent and the next one."""
        sent, octets, dropped = (int(after[c]) - int(before[c]) for c in ("frames", "octets", "dropped"))
        waited, waits = int(before.get("queued", 0)), int(after["queued"])
        busy_s = (octets + (sent + 1) * OVERHEAD) * 8 / slowest + one_frame_s
        if 0 < waited >= sent and busy_s < (ns_of(after["time_ms"]) - ns_of(before["time_ms"])) / 10**9:
            self.find(
                f"{what} at {before['time_ms']} ms: {waited} frames, "
                f"of which {sent} were sent until {after['time_ms']} ms"
            )
        if limit is not None and not (limit - sent - 1 if dropped else 0) <= waits <= limit:
            self.find(
                f"{what} at {after['time_ms']} ms: {waits} frames of {limit}, {dropped} dropped and {sent} sent since "
                f"{before['time_ms']} ms"
            )

    def _queues(self) -> dict[str, tuple[int, int | None]]:
        """-> of each full-duplex link that is never cut: its lowest rate, and how many frames its queue takes if that
        is a number that stays"""
        if not (self.v.folder / "resolved.yaml").is_file():  # of a script: nobody tells
            return {}
        lab, _, timeline = (self.v.folder / "resolved.yaml").read_text(errors="replace").partition("\ntimeline:")
        found = {}
        for name, text in zip(self.rows, re.split(r"^  - ", lab.partition("\nlinks:")[2], flags=re.MULTILINE)[1:]):
            lowest = min(int(row["rate_bps"]) for rows in self.rows[name].values() for row in rows)
            size = re.search(r"^ +queue: (\d+)p$", text, re.MULTILINE)
            if (
                "duplex: full" in text
                and name not in self.unbounded
                and lowest > 0
                and not re.search("rate|down", timeline)
            ):
                found[name] = lowest, int(size[1]) if size and "queue:" not in timeline else None
        return found

    def _check_both(self, link: str, ends: dict) -> None:
        (one, other), drops = ends.values(), self.dropped.get(link, {})
        for a, b in zip(one, other):
            if a["rate_bps"] != b["rate_bps"]:
                self.find(f"links.csv: {link}: two rates at {a['time_ms']} ms")
        queue = int(one[-1]["dropped"]) + int(other[-1]["dropped"])
        if queue != drops.get("dropped", drops).get("queue", 0):
            self.find(f"links.csv: {link}: {queue} dropped, in summary.json {drops}")
        for near, far in (tuple(ends), tuple(reversed(ends))):
            entry = next((e for e in self.v.collectors if e["node"] == far.rpartition(":")[0]), None)
            if entry is not None:
                self._check_arrivals(link, near, ends[near], entry, drops)

    def _check_arrivals(self, link: str, near: str, rows: list[dict], entry: dict, drops: dict) -> None:
        """The delay is not told, but it is one: frames leave in the order in which they arrive, or die at the far end,
        that much later."""
        errors = drops["dropped"]["errors"] if drops else 0
        died = [
            d for d in self.datagrams if d["fate"] == "lost_channel_error" and d["place"] == f"{entry['node']}/{link}"
        ]
        if len(died) != errors or drops and drops["dropped"]["down"] or self._changes_ways():
            return  # frames died of which no file tells when, or overtook each other
        packets = [p for p in self.v._read(entry["file"]) if not _is_from(p.data, entry["address"])]
        checksum = min(
            (p.wire_len - ETHERNET - int.from_bytes(p.data[16:18], "big") for p in packets if p.data[12:14] == IPV4),
            default=0,
        )
        came = [(p.time_ns, p.wire_len) for p in packets]
        came += [(int(d["concluded_ns"]), DATAGRAM_HEAD + RECORD * int(d["records"]) + checksum) for d in died]
        times, octets = [], [0]
        for time, size in sorted(came):
            times.append(time)
            octets.append(octets[-1] + size)
        least, most = 0, float("inf")  # of the delay
        for row in rows:
            at, frames = ns_of(row["time_ms"]), int(row["frames"])
            if (
                frames < bisect_right(times, at)
                or int(row["octets"]) != octets[min(frames, len(times))]
                and frames <= len(times)
            ):
                self.find(
                    f"links.csv: {link} from {near}: {row['frames']} frames of {row['octets']} octets at "
                    f"{row['time_ms']} ms, by the capture {bisect_right(times, at)}"
                )
                return
            least = max(least, times[frames - 1] - at if 0 < frames <= len(times) else 0)
            most = min(most, times[frames] - at if frames < len(times) else most)
        if least > most or int(rows[-1]["frames"]) > len(times) + _in_flight(rows, self.v.summary["ledger"]):
            self.find(f"links.csv: {link} from {near}: frames that no delay between {least} and {most} ns explains")

    def _changes_ways(self) -> bool:
        if not (self.v.folder / "resolved.yaml").is_file():  # of a script: nobody tells
            return True
        links, _, timeline = (self.v.folder / "resolved.yaml").read_text(errors="replace").partition("\ntimeline:")
        return (
            any(int(d["copies"]) > 1 for d in self.datagrams)
            or "reorder: 0." in links
            or "reorder" in timeline
            or "delay" in timeline
        )

    def _check_deaths(self) -> None:
        """A datagram that was lost died at a place that there is, and not before the queue or the collector told of
        it."""
        nodes = {end.rpartition(":")[0] for ends in self.rows.values() for end in ends} | {
            w.exporter for w in self.v.windows
        }
        queues = {
            f"{end.rpartition(':')[0]}/{link}": rows for link, ends in self.rows.items() for end, rows in ends.items()
        }
        full = defaultdict(list)
        for d in self.datagrams:
            if not d["fate"].startswith("lost_"):
                continue
            node, _, part = d["place"].partition("/")
            wanted = {e["node"] for e in self.v.collectors} if d["fate"] in AT_COLLECTORS else nodes
            vswitches = {w.vswitch for w in self.v.windows if w.exporter == node} | {
                s.split("/")[1] for s in self._vswitches() if s.startswith(node + "/")
            }
            fits = d["place"] in queues or d["fate"] != "lost_channel_error" and (not part or part in vswitches)
            if node not in wanted or not fits:
                self.find(f"datagrams.csv: place {d['place']} of a datagram that is {d['fate']}")
            if d["fate"] in IN_QUEUES and d["place"] in queues:
                full[d["place"]].append(int(d["concluded_ns"]))
        for place, times in full.items():
            for row in queues[place]:
                if sum(time < ns_of(row["time_ms"]) for time in times) > int(row["dropped"]):
                    self.find(
                        f"datagrams.csv: more datagrams were dropped at {place} until {row['time_ms']} ms "
                        "than links.csv has"
                    )
                    break

    def _vswitches(self) -> set[str]:
        return {
            f"{host['name']}/{vswitch['name']}" for host in self.v.summary["hosts"] for vswitch in host["vswitches"]
        }


def _is_from(frame: bytes, address: str) -> bool:
    """Whether a collector sent it: IPv4, or ARP."""
    kind, octets = frame[12:14], bytes(map(int, address.split(".")))
    return kind == IPV4 and frame[26:30] == octets or kind == b"\x08\x06" and frame[28:32] == octets


def _in_flight(rows: list[dict], ledger: dict) -> int:
    """-> how many frames may have been on the way when the run ended"""
    return 1 + ledger["left"].get("in_flight", {}).get("records", 0)


def check_links(v) -> None:
    if (v.folder / "links.csv").is_file():
        Links(v).check()
