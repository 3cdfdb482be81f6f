# SPDX-License-Identifier: GPL-2.0-only
"""Tables: the same as the CSV files, by names, and as copies only where that is said."""
import pickle

import numpy as np
import pandas as pd
import pytest

import esx_netflow
from conftest import LOSSES, QUICKSTART
from esx_netflow.tables import FILES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "losses"


@pytest.fixture(scope="module")
def result(folder):
    return esx_netflow.run(LOSSES, out=folder)


@pytest.mark.parametrize("name", FILES)
def test_a_data_frame_is_what_pandas_reads_from_the_csv_file(result, folder, name):
    frame = getattr(result, name).to_pandas()
    read = pd.read_csv(folder / FILES[name], keep_default_na=False)
    assert len(frame) == len(read) > (0 if name == "left" else 10)
    for column in frame.columns:
        expected, got = read[column], frame[column]
        if got.dtype.kind == "i" and expected.dtype.kind == "O":
            expected = expected.replace("", "-1").astype("int64")  # an empty cell
        if got.dtype == "category":
            assert got.astype(object).where(got.notna(), "").tolist() == expected.astype(str).tolist(), column
        elif got.dtype.kind == "f":
            assert np.allclose(got, expected.astype(float), rtol=0, atol=1e-6), column
        else:
            assert got.tolist() == expected.tolist(), column
    assert list(frame.columns) == [c for c in read.columns if c in frame.columns]


@pytest.mark.parametrize("name", FILES)
def test_a_result_folder_gives_the_same_tables(result, folder, name):
    loaded = getattr(esx_netflow.Result.load(folder), name)
    pd.testing.assert_frame_equal(loaded.to_pandas(), getattr(result, name).to_pandas(), check_categorical=False)


def test_a_result_folder_gives_the_same_books(result, folder):
    loaded = esx_netflow.Result.load(folder)
    assert loaded.summary == result.summary
    assert loaded.scenario == result.scenario
    assert (loaded.console, loaded.log) == (result.console, result.log)
    for host, vswitches in loaded.ledger.items():
        for vswitch, moves in vswitches.items():
            assert moves == {move: counts for move, counts in result.ledger[host][vswitch].items() if any(counts)}


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no result folder"):
        esx_netflow.Result.load(tmp_path)


def test_truth_is_collected_and_lost_and_left(result):
    key = ["exporter", "vswitch", "src", "dst", "proto", "sport", "dport", "tos", "input"]
    sums = lambda table: table.to_pandas().groupby(key, observed=True)[["packets", "octets"]].sum()
    both = sums(result.collected).add(sums(result.losses), fill_value=0).add(sums(result.left), fill_value=0)
    truth = sums(result.truth)
    joined = truth.join(both.add_suffix("_elsewhere"))
    assert (joined["packets"] == joined["packets_elsewhere"]).all() and (joined["octets"] == joined["octets_elsewhere"]).all()


@pytest.mark.parametrize("name", FILES)
def test_a_table_shows_memory_that_it_does_not_own(result, name):
    table = getattr(result, name)
    assert not table.flags.owndata and not table.flags.writeable
    with pytest.raises(ValueError):
        table[table.dtype.names[0]][0] = 1


def test_a_selection_is_a_table_and_a_column_an_array(result):
    tcp = result.truth[result.truth["proto"] == 6]
    assert isinstance(tcp, esx_netflow.Table) and 0 < len(tcp) < len(result.truth)
    assert set(tcp.to_pandas()["proto"]) == {6}
    assert type(result.truth["octets"]) is np.ndarray
    assert result.truth[:3]._repr_html_().count("<tr") == 4


def test_memory_outlives_the_result():
    table = esx_netflow.run(QUICKSTART).truth
    octets = table["octets"].sum()
    esx_netflow.run(QUICKSTART, seed=3)
    assert table["octets"].sum() == octets


def test_a_result_can_be_pickled(result):
    copy = pickle.loads(pickle.dumps(result))
    assert copy.ledger.residual == result.ledger.residual and dict(copy.ledger) == dict(result.ledger)
    assert copy.metrics() == result.metrics()
    for name in FILES:
        assert np.array_equal(np.asarray(getattr(copy, name)), np.asarray(getattr(result, name)))
        assert not getattr(copy, name).flags.writeable
        pd.testing.assert_frame_equal(getattr(copy, name).to_pandas(), getattr(result, name).to_pandas())


def test_series_count_every_loss_by_place_and_cause(result):
    last = result.series.to_pandas().groupby("exporter", observed=True).last()
    assert last["dropped_purgatory_full"].sum() == result.ledger.lost["purgatory_full"].records
    assert last["shed_no_memory"].sum() == result.ledger.lost["no_memory"].packets
    assert last["lost_link_down"].sum() + last["lost_device_queue"].sum() > 0


def test_links_are_never_used_beyond_their_rate(result):
    from esx_netflow import plots

    use = plots.over_time.link_use(result)
    assert use.shape == (201, 8) and np.nanmax(use.to_numpy()) <= 1
    squeezed = use.loc[101:129]  # 8 kbit/s for all datagrams
    assert 0.7 < squeezed["collector-link from sw1:4"].mean() <= 1 and squeezed.drop(columns="collector-link from sw1:4").max().max() < 0.01
