# SPDX-License-Identifier: GPL-2.0-only
"""Tools of the tests of probe and collect: a receiving socket, made-up captures, printed statistics."""

import contextlib
import random
import select
import socket
import threading
from pathlib import Path

from oracle.building import ethernet, ipv4, tcp, udp
from oracle.netflow5 import Datagram, decode

DATA = Path(__file__).parent.parent / "data"
DIFFERENTIAL = DATA / "differential_input_a.pcap"
SECOND_NS = 10**9
BOOT_NS = 1_700_000_000 * SECOND_NS + 123_456_789


# At most as many datagrams a second as a collector keeps up with that waits for a processor: a fifth of a second fits
# in a default socket buffer.
GENTLY = "--rate", "400"


class Sink:
    """A UDP socket on loopback and a thread that reads it, so that what comes meanwhile needs no buffer of the
    kernel's."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.target = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self._got: list[tuple[bytes, tuple]] = []
        self._more = threading.Condition()
        self._end, self._ended = socket.socketpair()
        self._reader = threading.Thread(target=self._read_on, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *_) -> None:
        self._end.close()
        self._reader.join()
        self._ended.close()
        self._socket.close()

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to read."""
        with self._more:
            self._read()
            return self._more.wait_for(lambda: self._got, seconds)

    def payloads(self) -> list[bytes]:
        """All that has come since the last call; datagrams on loopback have arrived when their sender has ended."""
        return [payload for payload, _ in self._received()]

    def datagrams(self) -> list[Datagram]:
        return [decode(payload, exporter=source[0], source_port=source[1]) for payload, source in self._received()]

    def _received(self) -> list[tuple[bytes, tuple]]:
        with self._more:
            self._read()
            got, self._got = self._got, []
        return got

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._got.append(self._socket.recvfrom(65535))

    def _read_on(self) -> None:
        while self._ended not in select.select([self._socket, self._ended], [], [])[0]:
            with self._more:
                self._read()
                self._more.notify_all()


class ClosedPort:
    """A UDP port on loopback at which nobody listens, nor will: a socket connected to itself has it and gets nothing
    from others."""

    def __enter__(self) -> "ClosedPort":
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(self._socket.getsockname())
        self.target = "127.0.0.1:%d" % self._socket.getsockname()[1]
        return self

    def __exit__(self, *_) -> None:
        self._socket.close()


def statistics(stdout: str) -> dict[str, tuple[int, int, int]]:
    """The table that probe prints -> {move: (packets, octets, records)}"""
    table = {}
    for line in stdout.splitlines():
        name, *numbers = line.split()
        if len(numbers) == 3 and all(n.isdigit() for n in numbers):
            table[name] = tuple(map(int, numbers))
    return table


def records_of(datagrams) -> list[tuple]:
    """Every v5 record as (src, dst, proto, sport, dport, tos, packets, octets, first, last, flags)"""
    return [_row(r) for d in datagrams for r in d.records]


def _row(r) -> tuple:
    return (r.src, r.dst, r.proto, r.sport, r.dport, r.tos, r.packets, r.octets, r.first, r.last, r.tcp_flags)


def records_of_truth(truth) -> list[tuple]:
    return [_truth_row(*record.counts()) for record in truth.records()]


def _truth_row(key, packets, octets, first_ms, last_ms, flags) -> tuple:
    return (key.src, key.dst, key.proto, key.sport, key.dport, key.tos, packets, octets, first_ms, last_ms, flags)


def mixed_packets(count: int, seed: int) -> list[tuple]:
    """(time_ns, frame, wire octets): ordinary and odd frames of few flows over about ten minutes."""
    rng = random.Random(seed)
    time_ns, packets = BOOT_NS, []
    for _ in range(count):
        frame = rng.choices((_udp, _tcp, _icmp, _fragment, _other, _bad), (6, 6, 2, 1, 1, 1))[0](rng)
        wire = len(frame) + rng.choice((0, 0, 0, 6))  # captured in part, or padding that was cut off
        packets.append((time_ns, frame, wire))
        # mostly close together, sometimes longer than the idle timeout
        time_ns += rng.choice((0, 1, 999_999, 10_000_000, 250_000_000, 1_600_000_000, 15_000_000_001))
    return packets


def _addresses(rng) -> dict:
    return {
        "src": f"10.0.0.{rng.randrange(1, 6)}",
        "dst": f"10.0.1.{rng.randrange(1, 4)}",
        "tos": rng.choice((0, 0, 0xB8)),
    }


def _tags(rng) -> tuple:
    return rng.choice(((), (), (), ((0x8100, 7),), ((0x88A8, 5), (0x8100, 7))))


def _udp(rng) -> bytes:
    return ethernet(
        ipv4(udp(rng.choice((1000, 2000)), 53, bytes(rng.randrange(60))), **_addresses(rng)), tags=_tags(rng)
    )


def _tcp(rng) -> bytes:
    segment = tcp(rng.choice((3000, 4000)), 80, rng.choice((2, 0x10, 0x18, 0x11)), bytes(rng.randrange(60)))
    return ethernet(ipv4(segment, proto=6, **_addresses(rng)), tags=_tags(rng))


def _icmp(rng) -> bytes:
    return ethernet(ipv4(rng.choice((b"\x08\0", b"\x03\x01", b"\0")) + bytes(6), proto=1, **_addresses(rng)))


def _fragment(rng) -> bytes:
    return ethernet(ipv4(udp(1000, 53, bytes(16)), fragment=rng.choice((0x2000, 0x2010, 3)), **_addresses(rng)))


def _other(rng) -> bytes:
    frames = ethernet(bytes(28), 0x0806), ethernet(b"\x60" + bytes(39), 0x86DD), ethernet(ipv4(bytes(4), proto=47))
    return rng.choice(frames)


def _bad(rng) -> bytes:
    frame = ethernet(ipv4(udp(), **_addresses(rng)))
    broken = ethernet(ipv4(udp(), version=5)), ethernet(ipv4(udp(), ihl=4)), ethernet(ipv4(udp(), total=2000))
    return rng.choice((frame[: rng.randrange(len(frame))], *broken))
