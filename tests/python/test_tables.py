# SPDX-License-Identifier: GPL-2.0-only
"""Tables: the same as the CSV files, by names, and as copies only where that is said."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import esx_netflow
from conftest import LOSSES, QUICKSTART
from esx_netflow import _core, explaining, tables
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
    assert (joined["packets"] == joined["packets_elsewhere"]).all() and (
        joined["octets"] == joined["octets_elsewhere"]
    ).all()


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
    assert (
        0.7 < squeezed["collector-link from sw1:4"].mean() <= 1
        and squeezed.drop(columns="collector-link from sw1:4").max().max() < 0.01
    )


def test_addresses_and_names_are_one_category_in_all_tables(result):
    frames = [getattr(result, name).to_pandas(names=True) for name in ("truth", "collected", "records", "losses")]
    dtypes = {frame[column].dtype for frame in frames for column in ("src", "dst")}
    owners = {frame[column].dtype for frame in frames for column in ("src_name", "dst_name")}
    assert len(dtypes) == len(owners) == 1
    few = [frame.drop_duplicates(["src", "dst"]).head(20) for frame in frames[:2]]
    assert few[0].merge(few[1], on=["exporter", "src", "dst"])[["exporter", "src"]].dtypes.eq("category").all()
    copy = pickle.loads(pickle.dumps(result.collected))
    assert copy.to_pandas()["src"].dtype == dtypes.pop(), "of one table that went to another process, too"


def test_names_stand_beside_addresses_and_words_in_place_of_numbers(result):
    frame = result.truth.to_pandas(names=True)
    web = frame[(frame["src_name"] == "web1") & (frame["exporter"] == "esx1")]
    assert set(web["src"]) == {"10.1.101.11"} and {"db1"} == set(web["dst_name"].dropna())
    assert set(web["proto"]) == {"tcp"} and set(web["tcp_flags"]) <= {".A..SF", ".AP.SF", ".A..S.", "....S."}
    assert set(frame.loc[frame["src_name"] == "esx1:vmk0", "proto"]) == {"udp"}
    assert list(frame.columns).index("src_name") == list(frame.columns).index("src") + 1


def test_times_are_calendar_time_or_time_since_the_beginning(result, folder):
    raw, since, calendar = (result.collected.to_pandas(times=times) for times in ("raw", "timedelta", "datetime"))
    assert np.allclose(since["received"].dt.total_seconds() * 1000, raw["received_ms"], rtol=0, atol=1e-6)
    assert (since["first"] // pd.Timedelta("1ms")).tolist() == raw["first_ms"].tolist(), "these hosts boot at 0 s"
    start = pd.Timestamp("2008-10-26T00:00:00Z")
    assert (calendar["last"] - start).tolist() == since["last"].tolist()
    assert not {"first_ms", "received_ms"} & set(since.columns)
    records = result.records.to_pandas(times="timedelta")
    assert records["ended"].isna().sum() == (result.records["ended_ns"] < 0).sum() > 0
    loaded = esx_netflow.Result.load(folder).collected.to_pandas(times="datetime")
    assert loaded["received"].tolist() == calendar["received"].tolist()
    with pytest.raises(ValueError, match="allowed: 'raw', 'datetime', 'timedelta'"):
        result.truth.to_pandas(times="iso")


def test_uptime_is_told_from_the_time_of_the_simulation():
    scenario = esx_netflow.Scenario.load(QUICKSTART)
    scenario["hosts.esx1.uptime_at_start"] = "4294960s"  # SysUptime wraps 7.296 s later
    scenario["run.wallclock_start"] = "2010-01-01T12:00:00Z"
    late = esx_netflow.run(scenario)
    assert late.collected["first_ms"].max() > 2**32 > late.collected["first_ms"].min()
    for table in (late.truth, late.collected):
        frame = table.to_pandas(times="timedelta")
        assert pd.Timedelta("3s") <= frame["first"].min() and frame["last"].max() <= pd.Timedelta("60s")
        assert table.to_pandas(times="datetime")["first"].min() >= pd.Timestamp("2010-01-01T12:00:03Z")


def test_a_column_is_shown_by_its_type_whatever_its_name(result, monkeypatch):
    columns = [
        ("at_ns", "at_ms", "instant_ms", ""),
        ("lived_ns", "lived_ns", "signed", ""),
        ("via", "via", "address", ""),
    ]
    monkeypatch.setitem(tables._TABLES, "made", {"columns": columns})
    lists = copy.copy(result.truth._lists)
    array = np.array([(5, 7, 0x0A000001), (6, -1, 0x0A000002)], "i8, i8, u4")
    array.dtype.names = "at_ns", "lived_ns", "via"
    table = esx_netflow.Table.of(array, "made", lists)
    lists.share([table])
    frame = table.to_pandas(times="datetime")
    assert list(frame) == ["at", "lived_ns", "via"]
    assert frame["at"][0] == pd.Timestamp("2008-10-26T00:00:00.000000005Z")
    assert frame["lived_ns"].tolist() == [7, -1], "a duration is no date"
    assert frame["via"].tolist() == ["10.0.0.1", "10.0.0.2"]
    assert explaining._rows(table)[1] == {"at_ns": 6, "lived_ns": -1, "via": "10.0.0.2"}
    assert table.filter("via 10.0.0.2")["at_ns"].tolist() == [6] and len(table.filter("via != 10.0.0.2")) == 1


def test_names_are_found_however_addresses_are_shown(result, monkeypatch):
    from esx_netflow import plots

    plain = result.truth.to_pandas(names=True)
    said, senders, stories = result.talkers(), plots.traffic.by_sender(result), len(result.explain("web1->db1:3306"))
    real = _core.dotted
    monkeypatch.setattr(_core, "dotted", lambda addresses: [f"<{text}>" for text in real(addresses)])
    monkeypatch.setattr(result.truth._lists, "_addresses", result.truth._lists.addresses)
    other = result.truth.to_pandas(names=True)
    assert other["src"].astype(str).tolist() == [f"<{address}>" for address in plain["src"]]
    assert other["src_name"].tolist() == plain["src_name"].tolist()
    assert [(t["address"], t["name"]) for t in result.talkers().talkers] == [
        (f"<{t['address']}>", t["name"]) for t in said.talkers
    ]
    shown = plots.traffic.by_sender(result)
    assert shown["name"].str.strip("<>").tolist() == senders["name"].tolist()
    assert shown["address"].tolist() == [f"<{address}>" for address in senders["address"]]
    assert len(result.explain("web1->db1:3306")) == stories > 0
    drawn = {text.get_text() for text in plots.lab.topology(result).texts}
    assert "<10.1.101.11>" in drawn and "10.1.101.11" not in drawn


FILTERS = {
    "proto tcp and port 3306": lambda f: (f.proto == 6) & ((f.sport == 3306) | (f.dport == 3306)),
    "tcp && dst port 3306": lambda f: (f.proto == 6) & (f.dport == 3306),
    "src host web1 or dst net 10.1.101.16/28": lambda f: (f.src == "10.1.101.11") | f.dst.isin(["10.1.101.21"]),
    "not (udp and octets > 1.5k)": lambda f: ~((f.proto == 17) & (f.octets > 1500)),
    "ip 10.6.125.66": lambda f: (f.src == "10.6.125.66") | (f.dst == "10.6.125.66"),
    "host != scan": lambda f: (f.src != "10.6.125.66") & (f.dst != "10.6.125.66"),
    "flags SF": lambda f: (f.tcp_flags & 3) == 3,
    "exporter esx2 and packets<=20": lambda f: (f.exporter == "esx2") & (f.packets <= 20),
    "vswitch != prod1": lambda f: f.vswitch != "prod1",
    "bytes 60 or dport >= 3000 and dport < 3307": lambda f: (f.octets == 60) | ((f.dport >= 3000) & (f.dport < 3307)),
}


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_selects_what_pandas_does(result, text):
    frame = result.truth.to_pandas()
    wanted = FILTERS[text](frame)
    assert 0 < wanted.sum() < len(frame)
    assert np.array_equal(np.asarray(result.truth.filter(text)), np.asarray(result.truth)[wanted.to_numpy()])


@pytest.mark.parametrize(
    "text, said",
    {
        "prot tcp": "'prot tcp', at 'prot tcp': the table has no prot; did you mean",
        "port": "'port', at its end: a value of port is missing",
        "proto tcp port 80": "at 'port 80': and, or and not join the parts of a filter",
        "host nobody": "nobody is no address, and nobody's name; allowed: app",
        "octets > big": "big is no number, which octets is",
        "port 99999": "99999 is no port, which is from 0 to 65535",
        "not proto -1": "-1 is no proto, which is from 0 to 255",
        "(tcp": "a bracket ')' is missing",
        "exporter esx3": "no exporter is esx3; did you mean",
        "port 80 &": "'&' is no part of a filter",
        "": "at its end: a test such as 'port 80' is missing",
        "net 10.1.0.0/99": "10.1.0.0/99 is no network",
        "flags XYZ": "flags are of FSRPAU",
    }.items(),
)
def test_what_is_no_filter_is_refused_with_its_place(result, text, said):
    with pytest.raises(ValueError) as error:
        result.truth.filter(text)
    assert said in str(error.value)


def test_a_result_that_is_saved_is_the_same_when_it_is_loaded(result, folder, tmp_path):
    result.save(tmp_path / "saved")
    loaded = esx_netflow.Result.load(tmp_path / "saved")
    assert (loaded.summary, loaded.console, loaded.log, loaded.scenario) == (
        result.summary,
        result.console,
        result.log,
        result.scenario,
    )
    for name in FILES:
        pd.testing.assert_frame_equal(
            getattr(loaded, name).to_pandas(), getattr(result, name).to_pandas(), check_categorical=False
        )
    try:
        pd.DataFrame().to_parquet(tmp_path / "tried")
        (tmp_path / "tried").unlink()
        suffix = ".parquet"
    except ImportError:
        suffix = ".csv"
    assert (tmp_path / "saved" / "records").with_suffix(suffix).is_file()
    assert str(loaded.talkers()) == str(esx_netflow.Result.load(folder).talkers())
    assert esx_netflow.report(loaded) == esx_netflow.report(result)
    loaded.save(tmp_path / "saved")  # in its own place
    assert sorted(p.name for p in tmp_path.iterdir()) == ["saved"]


def test_tables_without_pyarrow_are_those_of_the_command_line(result, folder, tmp_path, monkeypatch):
    def none(*_, **__):
        raise ImportError

    monkeypatch.setattr(pd.DataFrame, "to_parquet", none)
    result.save(tmp_path / "saved")
    for name, file in FILES.items():
        frames = [pd.read_csv(place / file, keep_default_na=False, dtype=str) for place in (tmp_path / "saved", folder)]
        assert frames[0].equals(frames[1][list(frames[0].columns)]), name


@pytest.mark.parametrize("rows", [50, 10**6])
def test_pieces_of_a_file_are_the_table(result, folder, tmp_path, rows):
    result.save(tmp_path / "saved")
    for place in (folder, tmp_path / "saved"):  # CSV; Parquet, where it can be written
        pieces = list(esx_netflow.Result.pieces(place, "datagrams", rows))
        assert [len(piece) for piece in pieces[:-1]] == [rows] * (len(pieces) - 1)
        assert np.concatenate(pieces).tolist() == result.datagrams.tolist()
        frames = [piece.to_pandas(times="timedelta", names=True).astype(object) for piece in pieces]
        assert pd.concat(frames, ignore_index=True).equals(
            result.datagrams.to_pandas(times="timedelta", names=True).astype(object)
        )


def test_a_piece_tells_the_line_of_the_file(folder, tmp_path):
    lines = (folder / "datagrams.csv").read_text().splitlines()
    lines[11] = lines[11].replace(",", ",x", 1)
    for name in ("summary.json", "lab.json", "resolved.yaml"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "datagrams.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(esx_netflow.RunError, match="datagrams.csv: line 12: "):
        list(esx_netflow.Result.pieces(tmp_path, "datagrams", 4))
    with pytest.raises(ValueError, match="a table is one of truth, "):
        next(esx_netflow.Result.pieces(tmp_path, "flows"))


def test_nothing_but_results_is_replaced(result, tmp_path):
    (tmp_path / "mine").write_text("kept")
    for place in (tmp_path, tmp_path / "mine"):
        with pytest.raises(esx_netflow.RunError, match="no result folder, so it is not replaced"):
            result.save(place)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["kept"]


def test_advice_and_the_oracles_verdict_come_from_a_result(tmp_path):
    scenario = esx_netflow.Scenario.load(QUICKSTART)
    scenario["run.duration"] = "20s"
    result = esx_netflow.run(scenario, out=tmp_path / "out", captures=True)
    assert "longest -s" in result.advise() and "esx1" in result.advise()
    assert result.verify()
    table = tmp_path / "out" / "flows-lost.csv"
    table.write_text(table.read_text() + "esx1,vSwitch0,10.6.125.51,10.6.125.52,6,1,2,0,4,killed,1,1,1\n")
    with pytest.raises(esx_netflow.RunError, match="flows-lost"):
        result.verify()
    with pytest.raises(esx_netflow.RunError, match="captures=True"):
        esx_netflow.run(scenario).verify()
