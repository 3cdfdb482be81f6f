# SPDX-License-Identifier: GPL-2.0-only
"""Compares what a collector stored with what it was sent, and names the faults."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from . import matching as m
from .patterns import PARTNERS, SCALED, WEAK, condition, explanations, plural, shown, which
from .report import Fault, Grade
from .sent import Sent, read_sent
from .stores import FIELDS, KEYS, TIMES, Store, StoreError, read_store

_TOLERANCE = 1  # of times, in units of the store's: ms that are rounded and ms that are cut
_ROUNDS = 4
_SYSTEMATIC = 0.5  # an explanation of that part of what it can be of is looked for in all records
_MERGES = (("input",), ("output",), ("input", "output"), ("tos",), ("proto",), ("sport",), ("dport",), ("sport", "dport"), ("tcp_flags",), ("engine",), ("exporter",), ("exporter", "engine"))  # fmt: skip
_FIVE = ("src", "dst", "proto", "sport", "dport")
_FEW = 0.02
_MOST_EXPLANATIONS = 6


class _Options(NamedTuple):
    aggregate: Optional[list[str]]
    bin_ms: int
    kernel_drops: Optional[int]


def grade(
    sent: Any,
    store: Any,
    format: str = "auto",
    map: Optional[dict[str, str]] = None,
    aggregate: Optional[list[str]] = None,
    bin: float = 0,
    zone_hours: float = 0,
    port: Optional[int] = None,
    kernel_drops: Optional[int] = None,
    key: Optional[dict[str, Any]] = None,
) -> Grade:
    """Compares a store with what was sent; `esx_netflow.Result.grade` has the same arguments, but for `sent`: a result folder or a capture.

    `key`: of a stream of the examination; its store may be empty where nothing has to be stored.
    """
    truth = sent if isinstance(sent, Sent) else read_sent(sent, port, key)
    try:
        stored = read_store(store, format, map, zone_hours)
    except StoreError as error:
        if key is None or truth.records["optional"].all() is not np.True_ or "empty" not in str(error) and "nothing is stored" not in str(error):
            raise
        stored = Store(pd.DataFrame({field: np.zeros(0, np.int64) for field in ("src", "dst", "packets", "octets")}), format, (), 0)
    return _Grading(truth, stored, _Options(aggregate, int(bin * 1000), kernel_drops)).result()


class _Grading:
    """One comparison. Tables are records, or their sums if the store holds sums."""

    def __init__(self, sent: Sent, store: Store, options: _Options) -> None:
        self.sent, self.store, self.options = sent, store, options
        self.stored = store.table.copy(deep=False)
        self.truth = sent.records.copy(deep=False)
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.changed: dict[str, np.ndarray] = {}  # columns of the truth as the store's faults have them
        self.of_group: Any = None  # of each record, if the store holds sums
        self._adapt_times()
        self.columns = [c for c in FIELDS if c in self.stored.columns and c in self.truth.columns]
        if (self.truth["exporter"] == 0).all() and "exporter" in self.columns:
            self.columns.remove("exporter")  # the system chose the source
        self._adapt_aggregation()

    # ------------------------------------------------------------ making both alike

    def _adapt_times(self) -> None:
        self.resolution = {}
        for field in ("first", "last"):
            if field not in self.stored or not len(self.stored):
                continue
            values = self.stored[field].to_numpy()
            if field in self.store.uptime:
                self.truth[field] = self.truth[f"{field}_raw"]
            elif len(values) > 1 and (values % 1000 == 0).all() and (self.truth[field] % 1000 != 0).any():
                self.resolution[field] = 1000
                self.truth[field] = self.truth[field] // 1000 * 1000

    def _adapt_aggregation(self) -> None:
        width = self.options.bin_ms
        if not width and "bin" in self.stored:
            steps = np.gcd.reduce(np.diff(np.unique(self.stored["bin"]))) if self.stored["bin"].nunique() > 1 else 0
            width = int(steps) or 60_000
        if width and "bin" not in self.stored and "first" in self.stored and (self.stored["first"] % width == 0).all():
            self.stored = self.stored.rename(columns={"first": "bin"}).drop(columns=["last"], errors="ignore")
            self.columns = [c for c in self.columns if c not in TIMES]
        if width and "bin" in self.stored:
            by = min(("first", "last", "unix_ms"), key=lambda f: len(set(self.truth[f] // width * width) ^ set(self.stored["bin"])))
            self.truth["bin"] = self.truth[by] // width * width
            self.columns.append("bin")
            self.notes.append(f"time bins of {width / 1000:g} s, by the {'time of export' if by == 'unix_ms' else by + ' packet'}")
        wanted = self.options.aggregate
        if wanted:
            keys = [c for c in wanted if c in self.columns] + (["bin"] if "bin" in self.columns and "bin" not in wanted else [])
            self.columns = keys + [c for c in self.columns if c in ("packets", "octets", "flows", "first", "last", "tcp_flags") and c not in keys]
            self._sum_up(keys)
        elif self._holds_sums():
            self._sum_up(m.keys_of(self.columns))

    def _holds_sums(self) -> bool:
        keys = m.keys_of(self.columns)
        truth = self.truth[~self.truth["optional"].to_numpy(bool)]
        if not keys or not 0 < len(self.stored) < len(truth) or self.stored.duplicated(keys).any():
            return False
        groups = truth.groupby(keys, sort=False).ngroup()
        repeated = groups.map(groups.value_counts()) > 1
        if not repeated.any():
            return False
        if not {"first", "last"} & set(self.columns):
            return True
        record = m.hashed(truth[c].to_numpy(np.int64) for c in self.columns)
        row = m.hashed(self.stored[c].to_numpy(np.int64) for c in self.columns)
        return bool((~np.isin(row, record)).sum() > np.isin(row, record[repeated.to_numpy()]).sum())

    def _sum_up(self, keys: list[str]) -> None:
        self.columns = [c for c in self.columns if c != "sequence"]
        counted = [c for c in self.columns if c not in keys]
        records, may = self.truth, self.truth["optional"].to_numpy(bool)
        self.stored, _ = m.aggregate(self.stored, keys, counted)
        if may.any():  # what need not be stored counts in the sums that have it
            with_all, group = m.aggregate(records, keys, counted)
            exact = [c for c in (*keys, *counted) if c not in ("first", "last")]
            stored = m.hashed(self.stored[c].to_numpy(np.int64) for c in exact)
            kept = np.isin(m.hashed(with_all[c].to_numpy(np.int64) for c in exact), stored)[group]
            whole = pd.Series(~may).groupby(group).any().to_numpy()[group]
            self.sent = self.sent._replace(records=records[kept | ~may | ~whole])
            records = self.sent.records
        self.truth, self.of_group = m.aggregate(records, keys, counted)
        self.truth["optional"] = ~pd.Series(~records["optional"].to_numpy(bool)).groupby(self.of_group).any().to_numpy()
        self.notes.append(f"the store holds sums: compared are {plural(len(self.truth), 'sum')} by {', '.join(keys)}")

    # ------------------------------------------------------------ comparing

    def result(self) -> Grade:
        matching = m.Matching(self.truth, self.stored, self.columns)
        matching.exactly()
        self._take_rounded(matching)
        if self.of_group is not None:
            self._take_datagrams(matching)
        self._take_merged(matching)
        self._pair(matching)
        mine, theirs = matching.paired()
        self._check_run(matching, len(mine))
        self.is_stored = np.ones(len(self.truth), bool)
        self.is_stored[matching.missing] = False
        wrong = self._name_wrong(mine, theirs)
        self._name_missing(matching)
        self._name_extra(matching)
        return Grade(self, matching, wrong)

    def _take_rounded(self, matching: m.Matching) -> None:
        """Records whose times are one unit off."""
        times = [c for c in ("first", "last") if c in self.columns]
        for steps in itertools.product((1, 0, -1), repeat=len(times)):
            if any(steps):
                moved = {c: self.truth[c].to_numpy(np.int64) + step * self.resolution.get(c, 1) for c, step in zip(times, steps)}
                matching.exact += len(matching.by(self.columns, balanced=False, changed=moved)[0])

    def _take_merged(self, matching: m.Matching) -> None:
        mine, theirs = m.merged(matching, self.truth, self.stored, ())
        if len(mine):
            self.notes.append(f"{plural(len(mine), 'record')} of equal keys are merged in {plural(len(theirs), 'row')}, with right sums")
            matching.exact += len(mine)
        for over in (*_MERGES, tuple(c for c in (*m.keys_of(self.columns), "tcp_flags") if c not in _FIVE)):
            if not all(c in self.columns for c in over):
                continue
            mine, theirs = m.merged(matching, self.truth, self.stored, over)
            merged = f"{plural(len(mine), 'record')} in {plural(len(theirs), 'row')}"
            if len(mine) and over[-1:] == ("tcp_flags",) and len(over) > 1 and self.store.format == "nfdump" and not self.stored.duplicated(list(_FIVE)).any():
                self.notes.append(f"sums by the 5-tuple, as of nfdump -a: {merged}")
                matching.exact += len(mine)
            elif len(mine):
                names = " and ".join(over) if len(over) < 3 else "something outside of the 5-tuple"
                self.faults.append(Fault("merged", f"records that differ in {names} alone are merged", len(mine), f"{merged} (if the store is to hold sums: --aggregate)", fields=over))

    def _take_datagrams(self, matching: m.Matching) -> None:
        """Whole datagrams that sums lack, or hold twice: those that leave no difference behind."""
        counters = [c for c in ("packets", "octets", "flows") if c in self.columns]
        keys = [c for c in self.columns if c in KEYS or c == "bin"]
        joined = self.truth[keys + counters].merge(self.stored[keys + counters], on=keys, how="left", suffixes=("", "_stored")).fillna(0)
        lack = np.stack([(joined[c] - joined[f"{c}_stored"]).to_numpy(np.int64) for c in counters])
        parts = np.stack([self.sent.records[c].to_numpy(np.int64) for c in counters])
        self.lost_datagrams = self._solve(lack, parts)
        self.doubled_datagrams = self._solve(-lack, parts)
        for found, kind in ((self.lost_datagrams, "missing"), (self.doubled_datagrams, "twice")):
            if len(found):
                groups = np.unique(self.of_group[np.isin(self.sent.records["datagram"].to_numpy(), found)])
                self._set_aside(matching, groups, keys)
                self._name_datagrams(found, kind)

    def _solve(self, lack: np.ndarray, parts: np.ndarray) -> np.ndarray:
        datagram = self.sent.records["datagram"].to_numpy()
        fits = (lack[:, self.of_group] >= parts).all(axis=0) & (parts.sum(axis=0) > 0)
        candidates = np.flatnonzero(pd.Series(fits).groupby(datagram).all().reindex(range(len(self.sent.datagrams)), fill_value=False).to_numpy())
        candidates = candidates[~self.sent.datagrams["optional"].to_numpy()[candidates]]
        chosen = np.isin(datagram, candidates)
        left = lack.copy()
        for row, values in enumerate(parts):
            left[row] -= np.bincount(self.of_group[chosen], weights=values[chosen], minlength=lack.shape[1]).astype(np.int64)
        touched = np.unique(self.of_group[chosen])
        return candidates if 0 < len(candidates) < len(self.sent.datagrams) and not left[:, touched].any() else np.zeros(0, int)

    def _set_aside(self, matching: m.Matching, groups: np.ndarray, keys: list[str]) -> None:
        """Sums whose difference is told by their datagrams."""
        mine = np.isin(matching.missing, groups)
        told = m.hashed(self.truth.iloc[groups][c].to_numpy() for c in keys)
        theirs = np.isin(m.hashed(self.stored.iloc[matching.extra][c].to_numpy() for c in keys), told)
        matching.missing, matching.extra = matching.missing[~mine], matching.extra[~theirs]

    def _pair(self, matching: m.Matching) -> None:
        """Pairs records that differ; what most of a field's differences have in common is then looked for in all records."""
        changed = self.changed
        for _ in range(_ROUNDS):
            mine, theirs = matching.loosely(balanced=True)
            found = self._systematic(mine, theirs, changed)
            if not found:
                matching.keep(mine, theirs)
                break
            matching.put_back(mine, theirs)
            changed.update(found)
            for variant in ([changed] if len(found) == 1 else [*({name: values} for name, values in found.items()), changed]):
                matching.keep(*matching.by(self.columns, balanced=False, changed=variant))
        matching.keep(*matching.loosely(balanced=False))
        mine, theirs = matching.paired()
        unlike = np.zeros(len(mine), int)
        for field in self.columns:
            for text, at, *_ in self._explain(field, mine, self.stored[field].to_numpy()[theirs]) if len(mine) else ():
                unlike[at] += text is None
        unlike[self._alike(mine, theirs) >= 2] = 0
        matching.pairs = [(mine[unlike < 2], theirs[unlike < 2])]
        matching.put_back(mine[unlike >= 2], theirs[unlike >= 2])

    def _alike(self, mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """How many of these are equal: the 5-tuple, the counters, the times."""
        total = np.zeros(len(mine), int)
        for fields in (_FIVE, ("packets", "octets"), ("first", "last")):
            there = [c for c in fields if c in self.columns]
            if there:
                total += np.all([self.truth[c].to_numpy()[mine] == self.stored[c].to_numpy()[theirs] for c in there], axis=0)
        return total

    def _systematic(self, mine, theirs, changed) -> dict[str, np.ndarray]:
        found = {}
        for field in self.columns:
            if field in changed or not len(mine):
                continue
            stored = self.stored[field].to_numpy()[theirs]
            if (stored == self.truth[field].to_numpy()[mine]).all():
                continue
            for text, predicted, hits, of in self._explain(field, mine, stored):
                if text and hits >= max(2, _SYSTEMATIC * of):
                    found[field] = self._predict(field, text, mine, stored)
                break
        return found

    # ------------------------------------------------------------ explaining

    def _true_columns(self, rows: np.ndarray, field: str) -> dict[str, np.ndarray]:
        """What a stored value may come from, for some rows of the truth."""
        t = {c: self.truth[c].to_numpy(np.int64)[rows] for c in self.truth.columns if self.truth[c].dtype != object}
        if "first_raw" in t and field in TIMES:
            t["ago"] = (t["uptime"] - t[f"{field}_raw"] + 2**31) % 2**32 - 2**31
        elif field in TIMES:
            t["ago"] = np.zeros(len(rows), np.int64)
        if self.of_group is None:
            values, start = self.truth[field].to_numpy(np.int64), rows - (self.truth["position"].to_numpy()[rows] - 1)
            count = self.sent.datagrams["records"].to_numpy()[self.truth["datagram"].to_numpy()[rows]]
            t[f"{field} of record before"] = values[np.maximum(rows - 1, 0)]
            t[f"{field} of first of datagram"] = values[start]
            t[f"{field} of last of datagram"] = values[start + count - 1]
        return t

    def _explain(self, field: str, mine: np.ndarray, stored: np.ndarray):
        """Greedily: the explanation of most differences, then of most of the others. Yields text, what differs by it, how many, of how many it could be."""
        slack = _TOLERANCE * self.resolution.get(field, 1) if field in ("first", "last") else 0
        true = self.truth[field].to_numpy(np.int64)[mine]
        open_ = np.abs(stored - true) > slack
        many = open_.sum() * _SYSTEMATIC
        for _ in range(_MOST_EXPLANATIONS):
            differ = np.flatnonzero(open_)
            if not len(differ):
                return
            part = self._true_columns(mine[differ], field)
            best, most = None, 0
            for text, predicted in explanations(field, part, stored[differ]):
                scale = self.resolution.get(field, 1)
                hits = np.abs(stored[differ] - predicted // scale * scale) <= slack
                if hits.sum() > most and (hits.sum() >= many or not text.startswith(WEAK)):
                    best, most = (text, differ[hits]), int(hits.sum())
                if most == len(differ):
                    break
            if best is None or most < max(1, _FEW * len(differ)):
                yield None, differ, len(differ), len(differ)
                return
            open_[best[1]] = False
            yield best[0], best[1], most, len(differ)

    def _predict(self, field: str, text: str, mine: np.ndarray, stored: np.ndarray) -> np.ndarray:
        """The whole column of the truth as an explanation has it."""
        rows = np.arange(len(self.truth))
        scale = self.resolution.get(field, 1)
        sample = np.zeros(len(rows), np.int64)
        true = self.truth[field].to_numpy(np.int64)
        sample[:] = true
        constant = int(stored[0]) if "always" in text else None
        if constant is not None:
            return np.full_like(true, constant)
        differ = stored - true[mine]
        common = int(pd.Series(differ[differ != 0]).mode().iloc[0])
        sample += common  # explanations by a common difference are made of it
        if "multiplied" in text:
            return np.round(true * float(text.rsplit(" ", 1)[1])).astype(np.int64)
        for other, predicted in explanations(field, self._true_columns(rows, field), sample):
            if other == text:
                return predicted // scale * scale
        return true

    # ------------------------------------------------------------ naming

    def _attributes(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What records may have in common, in words."""
        names = {"protocol {}": "proto", "ToS {}": "tos", "input {}": "input", "output {}": "output", "output {}": "output", "{} packets": "packets", "{} octets": "octets", "TCP flags {}": "tcp_flags", "source port {}": "sport", "destination port {}": "dport"}
        found = {text: self.truth[field].to_numpy(np.int64)[rows] for text, field in names.items() if field in self.truth}
        if self.of_group is None:
            datagram = self.truth["datagram"].to_numpy()[rows]
            position, count = self.truth["position"].to_numpy()[rows], self.sent.datagrams["records"].to_numpy()[datagram]
            last = np.where(position == count, 1, 0)
            found = {
                "exporter {}": self.sent.datagrams["name"].to_numpy(object)[datagram],
                "engine {}": self.truth["engine"].to_numpy()[rows],
                "place {} in its datagram": position,
                "the last place in its datagram": np.where(last == 1, 1, -1 - np.arange(len(last))),
                "datagrams of {} records": count,
                **found,
                "place {} among the records of its flow": self.truth.groupby(["exporter", *_FIVE]).cumcount().to_numpy()[rows] + 1,
                "datagram {}": datagram,
            }
        return found

    def _name_wrong(self, mine: np.ndarray, theirs: np.ndarray) -> pd.DataFrame:
        rows = []
        told: dict[str, list[tuple[str, frozenset]]] = {}
        for field in self.columns:
            if not len(mine):
                break
            stored = self.stored[field].to_numpy()[theirs]
            for text, at, hits, _ in self._explain(field, mine, stored):
                mask = np.zeros(len(self.truth), bool)
                mask[mine[at]] = True
                example = f"{shown(field, stored[at[0]])} in place of {shown(field, self.truth[field].iloc[mine[at[0]]])}"
                if text == SCALED:
                    self.notes.append(f"{field} {text}: {plural(hits, 'record')}")
                    continue
                self._add_wrong(field, text or "differs, by no rule that is known", mask, mine[at], stored, example)
                rows.append(pd.DataFrame({"field": field, "sent": self.truth[field].to_numpy()[mine[at]], "stored": stored[at], "why": text or "", "record": mine[at], "row": theirs[at]}))
        self._join_swaps()
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["field", "sent", "stored", "why", "record", "row"])

    def _add_wrong(self, field, text, mask, rows, stored, example):
        could = self._could_show(field, text, mask) & (self.is_stored | mask)
        where = condition(mask[could], self._attributes(np.flatnonzero(could))) or (which(mask[could]) if len(rows) > 1 else None)
        unit = "record" if self.of_group is None else "sum"
        place = "" if where == "all" or mask[could].all() and mask.sum() > 1 else where or ""
        count = f"{plural(int(mask.sum()), unit)}" + (f": {place}" if place else "")
        self.faults.append(Fault("wrong", f"{field} {text}", int(mask.sum()), count, example=example, fields=(field,), rows=frozenset(rows[:1000].tolist())))

    def _could_show(self, field, text, mask):
        """Records in which a fault would be seen: those where the value as the fault has it is another."""
        could = np.ones(len(self.truth), bool)
        if text.endswith("taken for a wrap"):
            could = mask
        elif text.startswith("is dropped") or text == "is 0":
            could = self.truth[field].to_numpy() != 0
        elif text.startswith("is that of ") and text[11:] in self.truth:
            could = self.truth[field].to_numpy() != self.truth[text[11:]].to_numpy()
        return could | mask

    def _join_swaps(self) -> None:
        for fault in list(self.faults):
            field = fault.fields[0] if fault.kind == "wrong" else ""
            partner = PARTNERS.get(field)
            if not partner or not fault.what.endswith(f"is that of {partner}"):
                continue
            other = next((f for f in self.faults if f.kind == "wrong" and f.what == f"{partner} is that of {field}" and len(f.rows & fault.rows) * 2 >= len(fault.rows)), None)
            if other and other in self.faults and fault in self.faults:
                self.faults[self.faults.index(fault)] = fault._replace(what=f"{field} and {partner} are swapped", fields=(field, partner))
                self.faults.remove(other)

    def _name_missing(self, matching: m.Matching) -> None:
        missing = matching.missing[~self.truth["optional"].to_numpy()[matching.missing]]
        if self.of_group is not None:
            if len(missing):
                mask = np.zeros(len(self.truth), bool)
                mask[missing] = True
                where = condition(mask, self._attributes(np.arange(len(mask)))) or which(mask) or ""
                self.faults.append(Fault("missing", "sums are missing", len(missing), plural(len(missing), "sum") + (f": {where}" if where else ""), example=self._record(missing[0])))
            return
        datagram = self.truth["datagram"].to_numpy()
        gone = np.bincount(datagram[missing], minlength=len(self.sent.datagrams))
        whole = np.flatnonzero((gone == self.sent.datagrams["records"].to_numpy()) & ~self.sent.datagrams["optional"].to_numpy())
        single = missing[~np.isin(datagram[missing], whole)]
        mask = np.zeros(len(self.truth), bool)
        mask[missing] = True
        if len(single) and len(whole) and condition(mask, self._attributes(np.arange(len(mask)))):
            whole, single = whole[:0], missing  # datagrams of such records alone
        self.lost_datagrams = whole
        if len(whole):
            self._name_datagrams(whole, "missing")
        if len(single):
            others = ~np.isin(datagram, whole)
            where = condition(mask[others], self._attributes(np.flatnonzero(others))) or which(mask[others]) or ""
            self.faults.append(Fault("missing", "records are missing", len(single), plural(len(single), "record") + (f": {where}" if where else ""), example=self._record(single[0])))

    def _name_datagrams(self, found: np.ndarray, kind: str) -> None:
        table = self.sent.datagrams
        mask = np.zeros(len(table), bool)
        mask[found] = True
        where = self._which_datagrams(mask)
        listed = ", ".join(f"{table['name'].iloc[i]} {table['number'].iloc[i]} (sequence {table['sequence'].iloc[i]})" for i in found[:5])
        records = int(table["records"].to_numpy()[found].sum())
        text = f"{plural(len(found), 'datagram')} with {plural(records, 'record')}" + (f": {where}" if where else "")
        what = "datagrams are missing as a whole" if kind == "missing" else "datagrams are stored twice"
        self.faults.append(Fault("datagrams" if kind == "missing" else "extra", what, len(found), text, example=f"{listed}{', …' if len(found) > 5 else ''}"))

    def _which_datagrams(self, mask: np.ndarray) -> Optional[str]:
        table = self.sent.datagrams
        if (rule := which(mask)) and "one in" not in rule and not rule.startswith("numbers"):
            return rule
        late = (table["sequence"] - table.groupby(["exporter", "engine", "boot"])["sequence"].cummax()) < 0
        attributes = {
            "exporter {}": table["name"].to_numpy(object),
            "engine {}": table["engine"].to_numpy(),
            "all after restart {} of the exporter": table["boot"].to_numpy(np.int64),
            "those that came after a later one": np.where(late, 1, -1 - np.arange(len(table))),
            "those of {} records": table["records"].to_numpy(),
        }
        if found := condition(mask, attributes):
            return found
        for name in np.unique(table["name"][mask]):
            of = (table["name"] == name).to_numpy()
            if mask[of].sum() == mask.sum() and (rule := which(mask[of])):
                return f"of {name} {rule}"
        return rule

    def _name_extra(self, matching: m.Matching) -> None:
        extra = matching.extra
        if not len(extra):
            return
        every = m.hashed(self.truth[c].to_numpy(np.int64) for c in self.columns)
        mine = m.hashed(self.stored[c].to_numpy(np.int64)[extra] for c in self.columns)
        if self.changed:
            as_stored = m.hashed(self.changed.get(c, self.truth[c].to_numpy(np.int64)) for c in self.columns)
            every = np.where(np.isin(every, mine), every, as_stored)
        again = np.isin(mine, every)
        if again.any():
            codes = pd.Series(np.arange(len(every)), index=every)
            first = codes[~codes.index.duplicated()].reindex(mine[again]).to_numpy()
            mask = np.zeros(len(self.truth), bool)
            mask[first] = True
            where = (condition(mask, self._attributes(np.arange(len(mask)))) or which(mask)) or ""
            where = "all" if mask.all() else where
            self.faults.append(Fault("extra", "records are stored twice", int(again.sum()), plural(int(again.sum()), "row") + (f": {where}" if where else ""), example=self._record(first[0])))
        others = extra[~again]
        if len(others):
            table = self.stored.iloc[others]
            where = ""
            if "first" in table and (table["first"] < self.truth["first"].min() - 3_600_000).all():
                where = ": all of them before this run, of another one perhaps"
            text = ", ".join(f"{c} {shown(c, table[c].iloc[0])}" for c in self.columns if c in ("src", "dst", "proto", "sport", "dport", "packets", "octets", "first"))
            self.faults.append(Fault("extra", "rows are of no record that was sent", len(others), plural(len(others), "row") + where, example=text))

    def _record(self, row: int) -> str:
        r = self.truth.iloc[row]
        flow = ", ".join(f"{c} {shown(c, r[c])}" for c in ("src", "dst", "proto", "sport", "dport", "packets", "octets") if c in self.columns)
        if self.of_group is not None:
            return flow
        d = self.sent.datagrams.iloc[int(r["datagram"])]
        return f"{d['name']} datagram {d['number']} (sequence {d['sequence']}), place {r['position']}: {flow}"

    def _check_run(self, matching: m.Matching, paired: int) -> None:
        """A store of another run has next to nothing of this one."""
        flows = [c for c in ("src", "dst", "sport", "dport", "proto", "packets", "octets") if c in self.columns]
        if matching.exact or not len(self.stored) or self.truth["optional"].all():
            return
        mine, theirs = matching.paired()
        same = sum((self.truth[c].to_numpy()[mine] == self.stored[c].to_numpy()[theirs]).astype(int) for c in flows) if paired else np.zeros(0)
        if (np.asarray(same) >= min(3, len(flows))).sum() < 0.05 * min(len(self.stored), len(self.truth)):
            raise StoreError(f"none of the {plural(len(self.stored), 'row')} of this store is like any of the {plural(len(self.truth), 'record')} that were sent: it is the store of another run, or --map is wrong")
