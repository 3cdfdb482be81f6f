# SPDX-License-Identifier: GPL-2.0-only
"""The library itself on NumPy arrays: flow cache, purgatory, exporter, NetFlow v5, and captures through all of them.

The same objects run inside the simulator and in ``esx-netflow probe``. Times are integers in nanoseconds since the
exporter booted; addresses are integers in host order.
"""

from __future__ import annotations

import os
from collections import namedtuple
from typing import Any, Iterable, Optional, Union

import numpy as np

from . import _core

__all__ = [
    "PACKET", "REASONS", "RECORD", "V5_HEADER", "V5_RECORD", "Exporter", "FlowCache", "Metered", "Purgatory",
    "decode_v5", "encode_v5", "meter", "read_exports",
]  # fmt: skip

#: dtype of a packet: time_ns, src, dst, octets (IP total length), sport, dport, vswitch, input, output, proto, tos,
#: tcp_flags.
PACKET = _core.PACKET
#: dtype of a flow record: first_ns, last_ns, id, packets, octets, src, dst, sport, dport, vswitch, input, output,
#: proto, tos, tcp_flags, reason (index in `REASONS`).
RECORD = _core.RECORD
#: dtype of a datagram's header, fields named as in Cisco's format.
V5_HEADER = _core.V5_HEADER
#: dtype of a record on the wire, fields named as in Cisco's format.
V5_RECORD = _core.V5_RECORD
#: Why a record ended, by its number.
REASONS = tuple(_core.REASONS)

_NS = 1_000_000_000


def _ns(seconds):
    return int(round(seconds * _NS))


def _choice(enum, word):
    if word not in enum.__members__:
        raise ValueError(f"{word!r}: allowed: {', '.join(enum.__members__)}")
    return enum.__members__[word]


def _cache_config(idle_timeout, active_timeout, scan_interval, max_entries, policy, expire_on_tcp_end):
    config = _core.FlowCacheConfig()
    config.idle_timeout, config.active_timeout = _ns(idle_timeout), _ns(active_timeout)
    config.scan_interval = _ns(scan_interval)
    config.max_entries = max_entries
    config.policy = _choice(_core.CachePolicy, policy)
    config.expire_on_tcp_end = expire_on_tcp_end
    return config


class FlowCache:
    """Counts packets in flow records and ends records by the NetFlow timeouts.

    Parameters
    ----------
    idle_timeout, active_timeout : float
        Seconds, > 0. Defaults 15 and 300 (technote: "statically set to 15 seconds and 5 minutes").
    scan_interval : float
        Seconds, > 0; records end on multiples of it. Default 0.01 (our choice).
    max_entries : int
        Live records at most; 0: only the heap bounds them (our choice).
    policy : str
        When there is no room: a word of the scenario's key ``cache_policy``. Default "DropNew" (our choices).
    heap : int, optional
        Octets of modelled memory, 80 for each live record. None: no limit.
    expire_on_tcp_end : bool
        Whether FIN or RST end a record. Default False.
    """

    #: Outcomes of counting a packet, by the numbers of `account`.
    RESULTS = ("counted", "counted_new", "shed_no_memory", "shed_cache_full")

    def __init__(
        self,
        idle_timeout: float = 15,
        active_timeout: float = 300,
        scan_interval: float = 0.01,
        max_entries: int = 0,
        policy: str = "DropNew",
        heap: Optional[int] = None,
        expire_on_tcp_end: bool = False,
    ) -> None:
        config = _cache_config(idle_timeout, active_timeout, scan_interval, max_entries, policy, expire_on_tcp_end)
        self._cache = _core.FlowCache(config, 2**64 - 1 if heap is None else heap)

    def account(self, packets: np.ndarray) -> np.ndarray:
        """Counts packets.

        Parameters
        ----------
        packets : numpy.ndarray
            dtype `PACKET`, shape (packets,), times not decreasing.

        Returns
        -------
        numpy.ndarray
            uint8, shape (packets,): index in `RESULTS`.

        Raises
        ------
        ValueError
            A time lies before an earlier one; the packets before it are counted.
        """
        return self._cache.account(packets)

    def scan(self, now_ns: int) -> None:
        """Makes all scans that are due up to `now_ns`. Raises ValueError if that lies before an earlier time."""
        self._cache.scan(now_ns)

    def take_ended(self) -> np.ndarray:
        """The records that ended since the last call: dtype `RECORD`, in order of their end."""
        return self._cache.take_ended()

    def live(self) -> np.ndarray:
        """The live records: dtype `RECORD`, in order of creation."""
        return self._cache.live()

    def __len__(self):
        return len(self._cache)

    @property
    def high_water(self) -> int:
        """Most records that were live at once."""
        return self._cache.high_water

    @property
    def heap_used(self) -> int:
        """Octets."""
        return self._cache.heap_used

    @property
    def next_scan(self) -> Optional[int]:
        """Time in ns of the next scan at which a record may be due; None: no record is live."""
        due = self._cache.next_scan
        return None if due == _core.NEVER else due


class Purgatory:
    """The bounded queue in which ended records wait for a poll.

    Parameters
    ----------
    bound : int
        Records, >= 1. Default 4096 (our choice; the technote is silent).
    policy : str
        Record that a full purgatory loses: a word of the scenario's key ``purgatory_policy``. Default "TailDrop".
    """

    def __init__(self, bound: int = 4096, policy: str = "TailDrop") -> None:
        self._purgatory = _core.Purgatory(bound, _choice(_core.PurgatoryPolicy, policy))

    def push(self, records: np.ndarray, now_ns: int) -> np.ndarray:
        """Queues records (dtype `RECORD`); -> those that were lost. ValueError: time runs backwards, no such reason."""
        return self._purgatory.push(records, now_ns)

    def take(self, vswitches: Iterable[int], now_ns: int) -> np.ndarray:
        """Takes all records of some vSwitches (switch IDs), oldest first: dtype `RECORD`."""
        return self._purgatory.take(list(vswitches), now_ns)

    def __len__(self):
        return len(self._purgatory)

    @property
    def bound(self) -> int:
        return self._purgatory.bound

    @property
    def high_water(self) -> int:
        """Most records that waited at once; never more than the bound."""
        return self._purgatory.high_water


class Exporter:
    """Packs records into NetFlow v5 datagrams; each vSwitch is an engine with a sequence of its own.

    Parameters
    ----------
    alternate_port_ids : bool
        Interfaces as switch ID and port (technote: option -p).
    max_records : int
        Records in a datagram, 1 to 30. Default 30.
    initial_sequence : int
        flow_sequence of each engine's first datagram.
    boot_unix_ns : int
        Unix time of uptime 0, ns.
    """

    def __init__(
        self, alternate_port_ids: bool = False, max_records: int = 30, initial_sequence: int = 0, boot_unix_ns: int = 0
    ) -> None:
        config = _core.ExporterConfig()
        config.alternate_port_ids = alternate_port_ids
        config.max_records = max_records
        config.initial_sequence = initial_sequence
        config.boot_unix_ns = boot_unix_ns
        self._exporter = _core.Exporter(config)

    def export(self, records: np.ndarray, uptime_ns: int) -> list[bytes]:
        """Packs records (dtype `RECORD`). Returns a list of bytes: the UDP payloads."""
        return self._exporter.export(records, uptime_ns)

    def next_sequence(self, vswitch: int) -> int:
        """flow_sequence of the next datagram of a vSwitch (switch ID)."""
        return self._exporter.next_sequence(vswitch)

    @property
    def datagrams(self) -> int:
        """How many were made."""
        return self._exporter.datagrams


def decode_v5(datagrams: Any) -> tuple[np.ndarray, np.ndarray]:
    """Decodes NetFlow version 5 export datagrams.

    Parameters
    ----------
    datagrams : bytes-like, or iterable of bytes-like
        One buffer with any number of datagrams one behind the other, or UDP payloads one by one.

    Returns
    -------
    (headers, records) : tuple of numpy.ndarray
        dtypes `V5_HEADER` and `V5_RECORD`, shapes (datagrams,) and (sum of counts,), read-only, in host order; times in
        ms of uptime, s and ns.

    Raises
    ------
    ValueError
        A datagram is refused: its index and the reason. Or there is none.
    """
    if isinstance(datagrams, (bytes, bytearray, memoryview, np.ndarray)):
        headers, records = _core.decode_v5_buffer(datagrams)
    else:
        headers, records = _core.decode_v5_list(list(datagrams))
    if len(headers) == 0:
        raise ValueError("no datagram")
    return headers, records


def encode_v5(headers: np.ndarray, records: np.ndarray) -> bytes:
    """Encodes what `decode_v5` gave, or arrays like it.

    Parameters
    ----------
    headers, records : numpy.ndarray
        dtypes `V5_HEADER` and `V5_RECORD`; the headers' counts say whose the records are.

    Returns
    -------
    bytes
        The datagrams one behind the other, each 24 + 48 * count octets.

    Raises
    ------
    ValueError
        A count is not 1 to 30, or the counts do not sum up to the records.
    """
    return _core.encode_v5(headers, records)


Metered = namedtuple("Metered", "records datagrams moves residual boot_unix_ns octets notes")
Metered.__doc__ = """Results of `meter`.

records: numpy.ndarray of dtype `RECORD` in order of export. datagrams: how many. moves: dict of str to `Counts`,
the ledger. residual: `Counts`, all zero unless there is a bug. boot_unix_ns: time of the first packet. octets: the
datagrams one behind the other (`decode_v5` reads them), or None. notes: list of str, what was odd in the capture and
its times.
"""


def meter(
    capture: Union[str, os.PathLike[str]],
    idle_timeout: float = 15,
    active_timeout: float = 300,
    scan_interval: float = 0.01,
    cache_policy: str = "DropNew",
    heap: Optional[int] = None,
    purgatory: int = 4096,
    poll: float = 1.0,
    lossy: bool = False,
    vswitch: int = 1,
    input: int = 1,
    output: int = 0,
    octets: bool = False,
    trust_ip_length: bool = False,
) -> Metered:
    """Meters a capture as ``esx-netflow probe`` does: capture time drives flow cache, purgatory and exporter.

    Parameters
    ----------
    capture : path-like
        pcap or pcapng.
    idle_timeout, active_timeout, scan_interval, poll : float
        Seconds; of the technote but for the scan interval, which is our choice.
    cache_policy, heap : as for `FlowCache`
    purgatory : int
        Its bound in records.
    lossy : bool
        Whether a full purgatory drops. False: it is polled at once.
    vswitch, input, output : int
        Switch ID, and the ports by which all packets enter and leave.
    octets : bool
        Whether to keep the datagrams.
    trust_ip_length : bool
        Whether packets that are shorter than their IP total length count by it: for captures of cut packets whose
        lengths were lost.

    Returns
    -------
    Metered

    Raises
    ------
    CaptureError
        There is no such capture, or it is damaged: file, packet and reason.
    RunError
        The heap cannot hold purgatory.
    """
    from .results import Counts

    config = _core.ProbeConfig()
    metering = config.metering
    metering.cache = _cache_config(idle_timeout, active_timeout, scan_interval, 0, cache_policy, False)
    for name, seconds in (
        ("idle_timeout", idle_timeout),
        ("active_timeout", active_timeout),
        ("scan_interval", scan_interval),
        ("poll", poll),
    ):
        if _ns(seconds) <= 0:
            raise ValueError(f"{name} must be positive, not {seconds}")
    if purgatory < 1:
        raise ValueError(f"purgatory must be positive, not {purgatory}")
    metering.purgatory_max = purgatory
    config.metering = metering
    config.heap = 2**64 - 1 if heap is None else heap
    config.poll_period = _ns(poll)
    config.vswitch, config.input, config.output, config.lossless = vswitch, input, output, not lossy
    records, payload, moves, residual, datagrams, begin, notes = _core.meter_capture(
        os.fspath(capture), config, octets, trust_ip_length
    )
    ledger = {move: Counts(*counts) for move, counts in moves.items()}
    return Metered(records, datagrams, ledger, Counts(*residual), begin, payload if octets else None, notes)


def read_exports(capture: Union[str, os.PathLike[str]], port: int = 2055) -> list[bytes]:
    """NetFlow v5 datagrams in a capture of an exporter's traffic.

    Parameters
    ----------
    capture : path-like
        pcap or pcapng.
    port : int
        UDP port of the collector.

    Returns
    -------
    list of bytes
        UDP payloads, for `decode_v5`. Those not wholly captured are left out.

    Raises
    ------
    CaptureError
        There is no such capture, or it is damaged.
    """
    return _core.read_udp(os.fspath(capture), port)[0]
