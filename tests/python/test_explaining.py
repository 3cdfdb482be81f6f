# SPDX-License-Identifier: GPL-2.0-only
"""Flows that a pattern means, and the stories of a result."""

import pytest

import esx_netflow
from esx_netflow import explaining

NAMES = {"web1": ["10.0.0.1", "10.9.0.1"], "esx1:vmk0": ["10.0.0.5"]}


def matches(pattern, flow=("10.0.0.1", "49153", "10.0.0.5", "3306")):
    return all(part.fullmatch(text) for part, text in zip(explaining._pattern(pattern, NAMES), flow))


def test_addresses_and_ports_are_matched_whole():
    assert matches("10.0.0.1:49153->10.0.0.5:3306")
    assert not matches("10.0.0.1:49153->10.0.0.5:330")
    assert not matches("10.0.0.11:49153->10.0.0.5:3306")
    assert not matches("10.0.0.5:3306->10.0.0.1:49153"), "a flow has a direction"
    assert not matches("10.0.0.1->10.0.0.5", ("10.0.001", "1", "10.0.0.5", "2")), "a dot is a dot"


def test_an_asterisk_stands_for_any_characters_and_no_port_for_any_port():
    assert matches("*->*") and matches("10.0.0.1:* -> 10.0.0.5:3306") and matches("10.0.*:4*->10.0.0.5")
    assert not matches("10.1.*->*")


def test_names_stand_for_all_their_addresses():
    assert matches("web1->*") and matches("web1:49153->esx1:vmk0")
    assert matches("web1->*", ("10.9.0.1", "1", "10.0.0.2", "2"))
    assert not matches("esx1:vmk0->*")


@pytest.mark.parametrize(
    "text", ["", "web1", "->", "web1->", "*:http->*", "wep1->*", "web1:->*", "*:65536->*", "*:\u0661->*"]
)
def test_what_cannot_be_meant_is_refused(text):
    with pytest.raises(esx_netflow.RunError):
        explaining._pattern(text, NAMES)


def test_a_result_tells_its_flows(losses):
    stories = losses.explain("web1->db1:3306", host="esx1")
    assert stories and all(story.title.startswith("10.1.101.11:") for story in stories)
    told = [sum(story.truth[i] for story in losses.explain("*->*")) for i in range(2)]
    assert told == [losses.ledger.truth.packets, losses.ledger.truth.octets]
    assert sum(sum(counts[1] for counts in story.lost.values()) for story in losses.explain("*->*")) == sum(
        counts.octets for counts in losses.ledger.lost.values()
    )
    assert str(stories[0]).splitlines()[0] == stories[0].title and "metered: a record begins, of " in str(stories[0])
    assert losses.explain("*->*", protocol="17") == losses.explain("*->*", protocol="udp") != []
    assert losses.explain("*->*", host="esx9") == []
