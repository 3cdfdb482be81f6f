# SPDX-License-Identifier: GPL-2.0-only
"""NetFlow v5 to NumPy: the recorded datagrams decode, and agree with the independent decoder, or are refused with a
reason."""

from pathlib import Path

import pytest

import esx_netflow
from oracle import netflow5

DATA = Path(__file__).resolve().parents[1] / "data"


def test_a_recorded_datagram_agrees_with_the_oracle():
    octets = (DATA / "telegraf_v5.bin").read_bytes()
    headers, records = esx_netflow.decode_v5(octets)
    truth = netflow5.decode(octets)
    assert headers["count"].tolist() == [len(truth.records)] == [len(records)]
    assert headers["flow_sequence"][0] == int.from_bytes(octets[16:20], "big")
    for i, record in enumerate(records):
        at = octets[24 + 48 * i :]
        assert record["srcaddr"] == int.from_bytes(at[0:4], "big")
        assert record["dPkts"] == int.from_bytes(at[16:20], "big")
        assert record["dOctets"] == int.from_bytes(at[20:24], "big")
        assert (record["First"], record["Last"]) == (int.from_bytes(at[24:28], "big"), int.from_bytes(at[28:32], "big"))
        assert (record["srcport"], record["dstport"]) == (
            int.from_bytes(at[32:34], "big"),
            int.from_bytes(at[34:36], "big"),
        )
        assert (record["tcp_flags"], record["prot"], record["tos"]) == (at[37], at[38], at[39])


def test_several_datagrams_are_joined():
    octets = (DATA / "telegraf_v5.bin").read_bytes()
    headers, records = esx_netflow.decode_v5([octets, bytearray(octets), memoryview(octets)])
    assert len(headers) == 3
    assert len(records) == headers["count"].sum()


@pytest.mark.parametrize("cut, reason", [(10, "truncated header"), (100, "length"), (-1, "length")])
def test_a_damaged_datagram_is_refused_with_its_index_and_reason(cut, reason):
    octets = (DATA / "telegraf_v5.bin").read_bytes()
    with pytest.raises(ValueError, match=f"datagram 1: .*{reason}"):
        esx_netflow.decode_v5([octets, octets[:cut]])


def test_what_is_no_version_5_is_refused():
    with pytest.raises(ValueError, match="count"):
        esx_netflow.decode_v5((DATA / "logstash_netflow5_test_invalid01.dat").read_bytes())
    with pytest.raises(ValueError, match="version"):
        esx_netflow.decode_v5((DATA / "logstash_netflow5_test_microtik.dat").read_bytes())
    with pytest.raises(ValueError):
        esx_netflow.decode_v5([])
