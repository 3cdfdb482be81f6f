# SPDX-License-Identifier: GPL-2.0-only
"""Real collectors start whatever else runs on the machine, each on a port of its own."""

import socket

import pytest
from oracle import loopback_collector
from oracle.collector_files import NfcapdRun
from oracle.loopback_collector import HOLDING
from oracle.nfacctd_files import NfacctdRun

KINDS = pytest.mark.parametrize("kind", [NfcapdRun, NfacctdRun])


def bound(host: str, port: int = 0) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((host, port))
    return opened


@pytest.fixture
def ports(monkeypatch):
    """-> the list of ports found free; the first of them, once, is one that somebody took meanwhile"""
    found, real = [], loopback_collector._held_port
    with bound("127.0.0.1") as other:

        def taken_first(host):
            holder, port = real(host)
            found.append(port if found else other.getsockname()[1])
            return holder, found[-1]

        monkeypatch.setattr(loopback_collector, "_held_port", taken_first)
        yield found


@KINDS
def test_a_port_taken_meanwhile_costs_an_attempt(kind, ports):
    with kind() as collector:
        assert len(ports) == 2 and collector.port == ports[1] != ports[0]


@KINDS
def test_attempts_are_bounded(kind, ports, monkeypatch):
    monkeypatch.setattr(loopback_collector, "ATTEMPTS", 1)
    with pytest.raises(RuntimeError, match=f"{kind.NAME} ended by itself"):
        kind().__enter__()


@KINDS
def test_no_other_run_is_given_the_port_while_one_has_it(kind):
    with kind() as collector:
        with pytest.raises(OSError):
            bound(HOLDING, collector.port)
    bound(HOLDING, collector.port).close()
