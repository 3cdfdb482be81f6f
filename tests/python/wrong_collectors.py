# SPDX-License-Identifier: GPL-2.0-only
"""Two small collectors of different formats, right ones unless a bug is planted: `python3 wrong_collectors.py FORMAT
PORT FOLDER [BUG]`.

FORMAT is `goflow2` (JSON lines) or `plain` (CSV with names and units of its own: PLAIN_MAP). They decode by `struct`
alone.
"""

import csv
import ipaddress
import json
import pathlib
import signal
import socket
import struct
import sys
import time

HEADER, RECORD = struct.Struct(">HHIIIIBBH"), struct.Struct(">IIIHHIIIIHHBBBBHHBBH")
PLAIN_MAP = (
    "router=exporter,from=src,to=dst,ip=proto,p1=sport,p2=dport,tos=tos,flags=tcp_flags,if1=input,if2=output,"
    "engine=engine,n=packets,bytes=octets,begin=first:s,end=last:s"
)
NAMES = (
    "src dst nexthop input output packets octets first last sport dport pad flags proto tos src_as dst_as "
    "src_mask dst_mask"
).split()
ENDED = False


def bits16(value):
    return (value & 255) << 8 | value >> 8


class Collector:
    """Takes datagrams, keeps rows."""

    def __init__(self, bug=""):
        self.bug, self.rows, self.taken, self.highest, self.flows, self.totals, self.uptime, self.restarted = (
            bug,
            [],
            0,
            {},
            set(),
            {},
            {},
            set(),
        )

    def take(self, payload, source):
        bug = self.bug
        self.taken += 1
        if len(payload) < 24:
            return
        version, count, uptime, secs, nsecs, sequence, kind, engine, sampling = HEADER.unpack_from(payload)
        if version != 5 or not 1 <= count <= 30 or len(payload) != 24 + 48 * count:
            return
        if uptime < self.uptime.get(source, 0) - 9_000:
            self.restarted.add(source)
            self.highest.clear()
        self.uptime[source] = uptime
        if bug == "misread":
            payload = payload[:24] + payload[26:] + b"\0\0"
        key = source, kind, engine
        late = sequence < self.highest.get(key, 0)
        self.highest[key] = max(sequence, self.highest.get(key, 0))
        if (
            bug == "every_50th"
            and self.taken % 50 == 0
            or bug == "first_datagram"
            and self.taken == 1
            or bug == "stops"
            and self.taken > 60
            or bug == "one_datagram"
            and self.taken == 84
        ):
            return
        if bug == "late" and late or bug == "one_engine" and engine == 2 or bug == "full" and count == 30:
            return
        if bug == "restart_lost" and source in self.restarted:
            return
        rows = [dict(zip(NAMES, RECORD.unpack_from(payload, 24 + 48 * n))) for n in range(count)]
        ms = secs * 1000 + (0 if bug == "no_nsecs" else nsecs // 10**6)
        for row in rows:
            ago = [(uptime - row[t] + 2**31) % 2**32 - 2**31 for t in ("first", "last")]
            if bug == "wrap":
                ago = [t % 2**32 for t in ago]
            row.update(
                exporter=source,
                engine=kind * 256 + engine,
                sequence=sequence,
                raw=(row["first"], row["last"]),
                nsecs=nsecs,
                restarted=source in self.restarted,
                first=ms - ago[0],
                last=ms - ago[1],
                bin=ms // 60000 * 60,
            )
        if bug == "unknown_interface":
            rows = [row for row in rows if row["output"]]
        if bug == "first_of_flow":
            key = lambda r: (source, r["src"], r["dst"], r["proto"], r["sport"], r["dport"])
            rows = [row for row in rows if key(row) not in self.flows and not self.flows.add(key(row))]
        if bug == "last_record":
            rows = rows[:-1]
        if bug == "every_7th":
            rows = [row for place, row in enumerate(rows) if place % 7]
        if bug == "above_24":
            rows = rows[:24]
        if bug == "no_igmp":
            rows = [row for row in rows if row["proto"] != 2]
        if bug == "stale":
            for row in rows:
                row["tos"] = rows[0]["tos"]
        if bug == "so_far":
            for row in rows:
                key = tuple(row[k] for k in ("exporter", "src", "dst", "proto", "sport", "dport"))
                row["octets"] = self.totals[key] = self.totals.get(key, 0) + row["octets"]
        if bug == "next_record":
            for row, after in zip(rows, rows[1:]):
                row["dport"] = after["dport"]
        if bug == "one_packet":
            rows = [row for row in rows if row["packets"] != 1]
        if bug == "one_host":
            rows = [row for row in rows if row["src"] & 255 != 17]
        if bug == "garbage":
            rows.append({**rows[-1], "src": 0x01020304, "octets": 77, "packets": 99})
        self.rows += [self.spoil(row) for row in rows]
        if bug == "twice" and self.taken % 7 == 0:
            self.rows += rows

    def spoil(self, row):
        bug, r = self.bug, dict(row)
        changes = {
            "restart_doubled": lambda: dict(octets=r["octets"] << r["restarted"]),
            "local": lambda: dict(exporter="127.0.0.1"),
            "ports_32": lambda: dict(sport=r["sport"] << 16 | r["dport"]),
            "rate": lambda: dict(octets=r["octets"] * 1000 // max(r["last"] - r["first"], 1)),
            "icmp_in_sport": lambda: dict(sport=r["dport"] >> 8, dport=r["dport"] & 255) if r["proto"] == 1 else {},
            "whole_seconds": lambda: dict(last=r["first"] + (r["last"] - r["first"]) // 1000 * 1000),
            "nsecs_us": lambda: dict(first=r["first"] + r["nsecs"] // 1000 - r["nsecs"] // 10**6),
            "year_1872": lambda: dict(first=r["first"] - 2**32 * 1000, last=r["last"] - 2**32 * 1000),
            "ms_for_s": lambda: dict(first=r["first"] * 1000, last=r["last"] * 1000),
            "seconds_for_ms": lambda: dict(first=r["first"] // 1000, last=r["last"] // 1000),
            "uptime_s": lambda: dict(first=r["raw"][0] // 1000, last=r["raw"][1] // 1000),
            "time_of_day": lambda: dict(first=r["first"] % 86400_000, last=r["last"] % 86400_000),
            "summer": lambda: dict(first=r["first"] + 3600_000) if r["first"] >= 1225000100_000 else {},
            "doubled": lambda: dict(packets=r["packets"] * 2, octets=r["octets"] * 2),
            "headers": lambda: dict(octets=r["octets"] - 4 * r["packets"]),
            "capped": lambda: dict(packets=min(r["packets"], 1000)),
            "minute": lambda: dict(first=r["first"] // 60000 * 60000),
            "times_swapped": lambda: dict(first=r["last"], last=r["first"]),
            "udp_port": lambda: dict(dport=0) if r["proto"] == 17 else {},
            "octets_16": lambda: dict(octets=r["octets"] & 0xFFFF),
            "packets_octets": lambda: dict(packets=r["octets"], octets=r["packets"]),
            "ethernet": lambda: dict(octets=r["octets"] + 14 * r["packets"]),
            "sampled": lambda: dict(octets=r["octets"] * 100, packets=r["packets"] * 100),
            "signed_octets": lambda: dict(octets=r["octets"] - 2**32 if r["octets"] >= 2**31 else r["octets"]),
            "zone": lambda: dict(first=r["first"] - 7 * 3600_000, last=r["last"] - 7 * 3600_000),
            "uptime": lambda: dict(first=r["raw"][0], last=r["raw"][1]),
            "last_is_first": lambda: dict(last=r["first"]),
            "tos_dropped": lambda: dict(tos=0),
            "dscp": lambda: dict(tos=r["tos"] >> 2),
            "flags_dropped": lambda: dict(flags=0),
            "interfaces_swapped": lambda: dict(input=r["output"], output=r["input"]),
            "signed_interface": lambda: dict(input=r["input"] - 65536 if r["input"] > 32767 else r["input"]),
            "interface_8": lambda: dict(input=r["input"] & 255, output=r["output"] & 255),
            "byte_order": lambda: dict(sport=bits16(r["sport"]), dport=bits16(r["dport"])),
            "addresses_swapped": lambda: dict(src=r["dst"], dst=r["src"]),
            "address_order": lambda: dict(
                src=int.from_bytes(r["src"].to_bytes(4, "little"), "big"),
                dst=int.from_bytes(r["dst"].to_bytes(4, "little"), "big"),
            ),
            "icmp": lambda: dict(dport=0) if r["proto"] == 1 else {},
            "one_exporter": lambda: dict(exporter="127.0.0.2"),
            "engine_swapped": lambda: dict(engine=bits16(r["engine"])),
            "flags_6": lambda: dict(flags=r["flags"] & 63),
            "received": lambda: dict(first=int(time.time() * 1000), last=int(time.time() * 1000)),
            "duration": lambda: dict(last=r["last"] - r["first"]),
            "anonymous": lambda: dict(src=r["src"] * 2654435761 % 2**32, dst=r["dst"] * 2654435761 % 2**32),
            "port_of_p": lambda: dict(input=r["input"] & 511),
            "average": lambda: dict(octets=r["octets"] // r["packets"]),
            "float": lambda: dict(octets=int(struct.unpack("f", struct.pack("f", r["octets"]))[0])),
            "proto_is_tos": lambda: dict(proto=r["tos"], tos=r["proto"]),
        }
        return {**r, **changes.get(bug, dict)()}

    def merged(self, keys):
        """Sums by keys, as an aggregating collector has them; without interfaces among the keys, with those of the
        first."""
        sums = {}
        for row in self.rows:
            s = sums.setdefault(tuple(row[k] for k in keys), {**row, "packets": 0, "octets": 0, "flags": 0})
            s.update(
                packets=s["packets"] + row["packets"],
                octets=s["octets"] + row["octets"],
                flags=s["flags"] | row["flags"],
            )
            s.update(first=min(s["first"], row["first"]), last=max(s["last"], row["last"]))
        return list(sums.values())


KEYS = "exporter engine src dst proto sport dport tos input output".split()


def write(collector, format_, path):
    rows = collector.rows
    if collector.bug == "overwritten":
        rows = list({tuple(row[k] for k in ("src", "dst", "proto", "sport", "dport")): row for row in rows}.values())
    if collector.bug == "both_ways":
        ports = lambda r: {} if r["proto"] == 1 else {"sport": r["dport"], "dport": r["sport"]}
        back = lambda r: {**r, **ports(r), "src": r["dst"], "dst": r["src"], "input": r["output"], "output": r["input"]}
        collector.rows = [back(r) if (r["src"], r["sport"]) > (r["dst"], r["dport"]) else r for r in rows]
        rows = collector.merged(["exporter", "sequence", "src", "dst", "proto", "sport", "dport"])
    if collector.bug == "interfaces_merged":
        rows = collector.merged([k for k in KEYS if k != "input"])
    dotted = {}
    text = lambda address: dotted.setdefault(address, str(ipaddress.ip_address(address)))
    with open(path, "w", newline="") as file:
        if format_ == "goflow2":
            for r in rows:
                row = dict(
                    type="NETFLOW_V5",
                    sampler_address=r["exporter"],
                    sequence_num=r["sequence"],
                    src_addr=text(r["src"]),
                    dst_addr=text(r["dst"]),
                    proto={6: "TCP", 17: "UDP", 1: "ICMP"}.get(r["proto"], str(r["proto"])),
                )
                row.update(
                    src_port=r["sport"],
                    dst_port=r["dport"],
                    ip_tos=r["tos"],
                    tcp_flags=r["flags"],
                    in_if=r["input"],
                    out_if=r["output"],
                    packets=r["packets"],
                    bytes=r["octets"],
                    sampling_rate=0,
                )
                row.update(
                    time_flow_start_ns=r["first"] * 10**6,
                    time_flow_end_ns=r["last"] * 10**6,
                    src_as=r["src_as"],
                    dst_as=r["dst_as"],
                )
                file.write(json.dumps(row) + "\n")
        else:
            out = csv.writer(file, lineterminator="\n")
            out.writerow("router from to ip p1 p2 tos flags if1 if2 engine n bytes begin end".split())
            for r in rows:
                numbers = [
                    r[k]
                    for k in (
                        "proto",
                        "sport",
                        "dport",
                        "tos",
                        "flags",
                        "input",
                        "output",
                        "engine",
                        "packets",
                        "octets",
                    )
                ]
                out.writerow(
                    [
                        r["exporter"],
                        text(r["src"]),
                        text(r["dst"]),
                        *numbers,
                        f"{r['first'] / 1000:.3f}",
                        f"{r['last'] / 1000:.3f}",
                    ]
                )


def main(format_, port, folder, bug=""):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
    receiver.bind(("127.0.0.1", int(port)))
    receiver.settimeout(0.1)

    def end(*_):
        global ENDED
        ENDED = True

    signal.signal(signal.SIGTERM, end)
    collector = Collector(bug)
    while not ENDED:
        try:
            payload, source = receiver.recvfrom(65535)
            collector.take(payload, source[0])
        except socket.timeout:
            pass
    write(collector, format_, pathlib.Path(folder) / "flows")


if __name__ == "__main__":
    main(*sys.argv[1:])
