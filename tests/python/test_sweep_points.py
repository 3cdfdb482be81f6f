# SPDX-License-Identifier: GPL-2.0-only
"""A point of a sweep: what names its results, and the store that keeps them."""

import pytest

from esx_netflow import Scenario, sweep_points
from sweep_lab import scenario


def test_keys_follow_contents():
    lab = scenario()
    key = sweep_points.key_of(lab)
    other = Scenario.from_yaml("# a comment\n" + lab.to_yaml())
    assert sweep_points.key_of(other) == key
    other["hosts.esx1.netflow.purgatory_max"] = 4096
    assert sweep_points.key_of(other) == key, "a default that is written is the same scenario"
    other["hosts.esx1.netflow.purgatory_max"] = 4095
    assert sweep_points.key_of(other) != key
    assert sweep_points.key_of(lab, build="another") != key


def test_what_fails_leaves_nothing_in_the_store(tmp_path):
    with pytest.raises(TypeError):
        sweep_points.remember(tmp_path, "abc", {"summary.json": None})
    assert not sweep_points.is_kept(tmp_path, "abc") and not list(tmp_path.glob("*/*"))


def test_the_result_of_the_faster_worker_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_points, "is_kept", lambda store, key: False)  # both begin before either ends
    for text in ("first", "second"):
        sweep_points.remember(tmp_path, "abc", {"summary.json": text})
    assert [path.name for path in (tmp_path / "ab").iterdir()] == ["abc"]
    assert (tmp_path / "ab" / "abc" / "summary.json").read_text() == "first"
