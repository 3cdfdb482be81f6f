# SPDX-License-Identifier: GPL-2.0-only
"""Compares what a collector stored with what it was sent, and names the faults."""

from __future__ import annotations

import contextlib
import functools
import itertools
from functools import partial
from typing import Any, Iterable, Iterator, NamedTuple, Optional

import numpy as np
import pandas as pd

from . import matching as m
from .patterns import PARTNERS, SCALED, WEAK, Rule, condition, explanations, plural, shown, which
from .report import Fault, Grade
from .sent import HEADER, Sent, read_from, read_sent
from .stores import COUNTERS, FIELDS, KEYS, TIMES, Store, StoreError, read_store
from .sums import datagrams_of

_ROUNDS = 4
_NO_RULE = "by no rule that is known"
_SYSTEMATIC = 0.5  # an explanation of that part of what it can be of is looked for in all records
_YEAR_10000_MS = 253_402_300_800_000  # what is later is no time in seconds
_FEW, _MOST_EXPLANATIONS, _FEW_READ, _NEARLY = 0.02, 6, 300, 0.9
_FIVE = ("src", "dst", "proto", "sport", "dport")
_MERGED = "input,output,input output,tos,proto,sport,dport,sport dport,tcp_flags,engine,exporter,exporter engine"
_MERGES = [tuple(fields.split()) for fields in _MERGED.split(",")]
_ATTRIBUTES = {
    "protocol {}": "proto", "ToS {}": "tos", "input {}": "input", "output {}": "output", "packets {}": "packets",
    "octets {}": "octets", "TCP flags {}": "tcp_flags",
    "source {}": "src", "destination {}": "dst", "source port {}": "sport", "destination port {}": "dport",
    "First {}": "first", "Last {}": "last",
}  # fmt: skip


class _Options(NamedTuple):
    aggregate: Optional[list[str]]
    bin_ms: int
    kernel_drops: Optional[int]


def grade(
    sent: Any, store: Any, format: str = "auto", map: Optional[dict[str, str]] = None,
    aggregate: Optional[list[str]] = None, bin: float = 0, zone_hours: float = 0,
    port: Optional[int] = None, kernel_drops: Optional[int] = None,
) -> Grade:  # fmt: skip
    """Compares a store with what was sent; `esx_netflow.Result.grade` has the same arguments, but for `sent`: a result
    folder, a capture, or `Sent`.

    Where nothing has to be stored, as in some streams of the examination, the store may be empty.
    """
    truth = sent if isinstance(sent, Sent) else read_sent(sent, port)
    try:
        stored = read_store(store, format, map, zone_hours)
    except StoreError as error:
        if not truth.records["optional"].all() or "empty" not in str(error) and "nothing is stored" not in str(error):
            raise
        stored = Store(
            pd.DataFrame({field: np.zeros(0, np.int64) for field in ("src", "dst", "packets", "octets")}), format, [], 0
        )
    return _Grading(truth, stored, _Options(aggregate, int(bin * 1000), kernel_drops)).result()


class _Grading:
    """One comparison. Tables are records, or their sums if the store holds sums."""

    def __init__(self, sent: Sent, store: Store, options: _Options) -> None:
        self.sent, self.store, self.options = sent, store, options
        self.stored, self.truth = store.table.copy(deep=False), sent.records.copy(deep=False)
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.changed: dict[str, np.ndarray] = {}  # columns of the truth as the store's faults have them
        self.lost = np.zeros(0, int)  # datagrams
        self.of_group: Any = None  # of each record, if the store holds sums
        self.resolution: dict[str, int] = {}  # of times, in ms
        self._adapt_times()
        self.columns = [
            c for c in FIELDS if c in self.stored and c in self.truth and (c != "exporter" or self.truth[c].any())
        ]  # 0: the system chose the source
        self._adapt_aggregation()

    # ------------------------------------------------------------ making both alike

    def _adapt_times(self) -> None:
        for field in ("first", "last"):
            values = self.stored[field].to_numpy() if field in self.stored else np.zeros(0)
            if field in self.store.uptime:
                self.truth[field] = self.truth[f"{field}_raw"]
            elif (
                len(values) > 1
                and not (values % 1000).any()
                and values.max() < _YEAR_10000_MS
                and (self.truth[field] % 1000).any()
            ):
                self.truth[field] = self.truth[field] // 1000 * 1000
                self.resolution[field] = 1000

    def _adapt_aggregation(self) -> None:
        width = self.options.bin_ms
        if not width and "bin" in self.stored:
            width = (
                int(np.gcd.reduce(np.diff(np.unique(self.stored["bin"]))))
                if self.stored["bin"].nunique() > 1
                else 60_000
            )
        if width and "bin" not in self.stored and "first" in self.stored and (self.stored["first"] % width == 0).all():
            self.stored = self.stored.rename(columns={"first": "bin"}).drop(columns=["last"], errors="ignore")
            self.columns = [c for c in self.columns if c not in TIMES]
        if self.options.bin_ms and "bin" not in self.stored:
            raise StoreError(
                f"--bin {width / 1000:g}: no time of this store is that of bins: first or bin, "
                f"a multiple of {width / 1000:g} s in all rows, is needed"
            )
        if lacking := [c for c in self.options.aggregate or () if c not in self.stored]:
            raise StoreError(
                f"--aggregate: no column of this store is {' or '.join(lacking)}; there are {', '.join(self.stored)}"
            )
        if width and "bin" in self.stored:
            by = min(("first", "last", "unix_ms"), key=lambda f: self._unlike(self.truth[f] // width * width))
            self.truth["bin"] = self.truth[by] // width * width
            self.columns.append("bin")
            self.notes.append(
                f"time bins of {width / 1000:g} s, by the {'time of export' if by == 'unix_ms' else by + ' packet'}"
            )
        if wanted := self.options.aggregate:
            keys = [c for c in (*wanted, "bin") if c in self.columns]
            self.columns = keys + [
                c for c in (*COUNTERS, "first", "last", "tcp_flags") if c in self.columns and c not in keys
            ]
            self._sum_up(keys)
        elif self._holds_sums():
            self._sum_up(m.keys_of(self.columns))

    def _unlike(self, bins: pd.Series) -> float:
        """How far shares of the store's bins are from those of some bins of the truth, shifted as a whole or not."""
        counted = next(c for c in COUNTERS if c in self.stored)
        totals = [
            table[counted].groupby(of).sum() for table, of in ((self.truth, bins), (self.stored, self.stored["bin"]))
        ]
        shares = [total / max(total.sum(), 1) for total in totals]
        return min(
            one.sub(other, fill_value=0).abs().sum()
            for one, other in (shares, [share.reset_index(drop=True) for share in shares])
        )

    def _holds_sums(self) -> bool:
        keys, truth = m.keys_of(self.columns), self.truth[~self.truth["optional"]]
        if not keys or not 0 < len(self.stored) < len(truth) or self.stored.duplicated(keys).any():
            return False
        repeated = truth.duplicated(keys, keep=False)
        if not repeated.any() or not {"first", "last"} & set(self.columns):
            return bool(repeated.any())
        record, row = m.hashed(truth, self.columns), m.hashed(self.stored, self.columns)
        is_other = ~np.isin(row, record)
        may_be_sum = np.isin(m.hashed(self.stored, keys), m.hashed(truth[repeated], keys))
        return bool(
            is_other.sum() > np.isin(row, record[repeated]).sum() or is_other.any() and may_be_sum[is_other].all()
        )

    def _sum_up(self, keys: list[str]) -> None:
        self.columns = [c for c in self.columns if c != "sequence"]
        counted = [c for c in self.columns if c not in keys]
        records, may = self.truth, self.truth["optional"].to_numpy()
        self.stored, _ = m.aggregate(self.stored, keys, counted)
        if may.any():  # what need not be stored counts in the sums that have it
            with_all, group = m.aggregate(records, keys, counted)
            exact = [c for c in (*keys, *counted) if c not in ("first", "last")]
            kept = np.isin(m.hashed(with_all, exact), m.hashed(self.stored, exact))[group]
            whole = pd.Series(~may).groupby(group).any().to_numpy()[group]
            records = records[kept | ~may | ~whole]
            self.sent = self.sent._replace(records=records)
        self.truth, self.of_group = m.aggregate(records, keys, counted)
        self.truth["optional"] = records["optional"].groupby(self.of_group).all()
        self.notes.append(f"the store holds sums: compared are {plural(len(self.truth), 'sum')} by {', '.join(keys)}")

    # ------------------------------------------------------------ comparing

    def result(self) -> Grade:
        matching = m.Matching(self.truth, self.stored, self.columns)
        self._take_equal(matching)
        if self.of_group is not None:
            self._take_datagrams(matching)
        self._take_merged(matching)
        self._pair(matching)
        mine, theirs = matching.paired()
        self._check_run(matching)
        self.is_stored = np.ones(len(self.truth), bool)
        self.is_stored[matching.missing] = False
        wrong = self._name_wrong(mine, theirs)
        self._name_missing(matching.missing[~self.truth["optional"].to_numpy()[matching.missing]])
        self._name_extra(matching.extra)
        lawless = [fault for fault in self.faults if fault.what.endswith(_NO_RULE) and 2 * fault.count > len(mine)]
        if (len(lawless) > 1 or 2 * len(matching.extra) > len(self.stored)) and matching.exact < 0.05 * len(self.truth):
            doubt = "this may be the store of another run of the same scenario"
            self.notes.insert(0, f"next to no row is as sent, and most by no rule: {doubt}")
        return Grade(self, matching, wrong)

    def _take_equal(self, matching: m.Matching) -> None:
        """Records whose times are one unit off are equal: ms that are rounded and ms that are cut."""
        times = [c for c in ("first", "last") if c in self.columns]
        for steps in itertools.product((0, 1, -1), repeat=len(times)):
            moved = {c: self.truth[c].to_numpy() + step * self.resolution.get(c, 1) for c, step in zip(times, steps)}
            matching.exact += len(matching.by(self.columns, balanced=False, changed=moved)[0])

    def _take_merged(self, matching: m.Matching) -> None:
        outside = tuple(c for c in (*m.keys_of(self.columns), "tcp_flags") if c not in _FIVE)
        tables, ways = (self.truth, self.stored), (m.one_way(self.truth), m.one_way(self.stored))
        fields = [
            ((), tables),
            *((names, tables) for names in _MERGES if set(names) <= set(self.columns)),
            (outside, tables),
            (outside, ways),
        ]
        while True:  # the first that tells nearly as much as any
            found = [m.merged(matching, *of, over) for over, of in fields]
            most = max(len(mine) for mine, _ in found)
            if not most:
                return
            number = next(n for n, (mine, _) in enumerate(found) if len(mine) >= _NEARLY * most)
            (over, (truth, _)), (mine, theirs) = fields[number], matching.take(*found[number])
            merged = f"{plural(len(mine), 'record')} in {plural(len(theirs), 'row')}"
            by_nfdump = truth is self.truth and self.store.format == "nfdump"
            is_by_five = over == outside and by_nfdump and not self.stored.duplicated(list(_FIVE)).any()
            if not over or is_by_five:
                equal = "records of equal keys are merged, with right sums"
                self.notes.append(f"{'sums by the 5-tuple, as of nfdump -a' if over else equal}: {merged}")
                matching.exact += len(mine)
            elif truth is not self.truth:
                self.faults.append(
                    Fault("merged", "both directions of flows are merged", len(mine), merged, fields=("src", "dst"))
                )
            else:
                names = " and ".join(over) if len(over) < 3 else "something outside of the 5-tuple"
                what = f"records that differ in {names} alone are merged"
                merged += " (if the store is to hold sums: --aggregate)"
                self.faults.append(Fault("merged", what, len(mine), merged, fields=over))

    def _take_datagrams(self, matching: m.Matching) -> None:
        """Whole datagrams that sums lack, or hold twice: those that leave no difference behind."""
        counters = [c for c in COUNTERS if c in self.columns]
        keys = [c for c in self.columns if c in KEYS or c == "bin"]
        joined = (
            self.truth[keys + counters]
            .merge(self.stored[keys + counters], on=keys, how="left", suffixes=("", "_stored"))
            .fillna(0)
        )
        lack = np.stack([(joined[c] - joined[f"{c}_stored"]).to_numpy(np.int64) for c in counters])
        parts = np.stack([self.sent.records[c].to_numpy() for c in counters])
        self.lost = datagrams_of(lack, parts, self.sent, self.of_group)
        for found, kind in ((self.lost, "missing"), (datagrams_of(-lack, parts, self.sent, self.of_group), "twice")):
            if len(found):
                groups = np.unique(self.of_group[np.isin(self.sent.records["datagram"], found)])
                theirs = np.isin(
                    m.hashed(self.stored.iloc[matching.extra], keys), m.hashed(self.truth.iloc[groups], keys)
                )
                matching.missing, matching.extra = (
                    matching.missing[~np.isin(matching.missing, groups)],
                    matching.extra[~theirs],
                )
                self._name_datagrams(found, kind)

    def _pair(self, matching: m.Matching) -> None:
        """Pairs records that differ; what most differences of a field have in common is then looked for in all."""
        changed = self.changed
        for _ in range(_ROUNDS):
            mine, theirs = matching.loosely(balanced=True)
            found = self._systematic(mine, theirs)
            if not found:
                matching.keep(mine, theirs)
                break
            matching.put_back(mine, theirs)
            changed.update(found)
            for variant in (
                [changed] if len(found) == 1 else [*({name: values} for name, values in found.items()), changed]
            ):
                matching.keep(*matching.by(self.columns, balanced=False, changed=variant))
        matching.keep(*matching.loosely(balanced=False))
        mine, theirs = matching.paired()
        unlike = np.zeros(len(mine), int)
        for field in self.columns:
            for rule, at, _ in self._explain(field, mine, self.stored[field].to_numpy()[theirs]):
                unlike[at] += rule is None
        alike = [self._equal(fields, mine, theirs) for fields in (_FIVE, ("packets", "octets"), ("first", "last"))]
        unlike[alike[0] if self.of_group is not None else np.sum(alike, axis=0) >= 2] = 0
        matching.pairs = [(mine[unlike < 2], theirs[unlike < 2])]
        matching.put_back(mine[unlike >= 2], theirs[unlike >= 2])

    def _equal(self, fields: Iterable[str], mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """Pairs that are equal in all of some fields that are compared."""
        same = [
            self.truth[c].to_numpy()[mine] == self.stored[c].to_numpy()[theirs] for c in fields if c in self.columns
        ]
        return np.all(same, axis=0) if same else np.zeros(len(mine), bool)

    def _systematic(self, mine: np.ndarray, theirs: np.ndarray) -> dict[str, np.ndarray]:
        """Columns of the truth as the store has them by a rule that explains most differences of theirs."""
        found = {}
        for field in self.columns:
            for rule, at, of in (
                self._explain(field, mine, self.stored[field].to_numpy()[theirs]) if field not in self.changed else ()
            ):
                if rule and len(at) >= max(2, _SYSTEMATIC * of):
                    scale = self.resolution.get(field, 1)
                    t = self._true_columns(np.arange(len(self.truth)), field)
                    found[field] = rule[1](self.truth[field].to_numpy(), t) // scale * scale
                    break
        return found

    # ------------------------------------------------------------ explaining

    def _true_columns(self, rows: np.ndarray, field: str) -> dict[str, np.ndarray]:
        """Columns from which a stored value may come, for some rows of the truth."""
        t = {c: self.truth[c].to_numpy()[rows] for c in self.truth.columns if self.truth[c].dtype != object}
        if field in TIMES and "first_raw" in t:
            t["raw"] = t[f"{field}_raw"]
            t["ago"] = (t["uptime"] - t["raw"] + 2**31) % 2**32 - 2**31
        if self.of_group is None:
            values, start = self.truth[field].to_numpy(), rows - (self.truth["position"].to_numpy()[rows] - 1)
            count = self.sent.datagrams["records"].to_numpy()[self.truth["datagram"].to_numpy()[rows]]
            for name, at in (
                ("record before", np.maximum(rows - 1, 0)),
                ("record after", np.minimum(rows + 1, len(values) - 1)),
                ("first of datagram", start),
                ("last of datagram", start + count - 1),
            ):
                t[f"{field} of {name}"] = values[at]
            if field in COUNTERS:
                t["so far"] = self.truth.groupby(["exporter", *_FIVE])[field].cumsum().to_numpy()[rows]
        return t

    def _explain(
        self, field: str, mine: np.ndarray, stored: np.ndarray
    ) -> Iterator[tuple[Optional[Rule], np.ndarray, int]]:
        """Greedily: the explanation of most differences, then of most of the others. Yields a rule, what differs by it,
        of how many it could be."""
        scale = self.resolution.get(field, 1)
        slack = scale if field in ("first", "last") else 0
        true = self.truth[field].to_numpy()[mine]
        differ = np.flatnonzero(np.abs(stored - true) > slack)
        many = len(differ) * _SYSTEMATIC
        for _ in range(_MOST_EXPLANATIONS):
            if not len(differ):
                return
            part = self._true_columns(mine[differ], field)
            best: Optional[Rule] = None
            most = np.zeros(len(differ), bool)
            for rule in itertools.chain(
                explanations(field, part, stored[differ]), self._before_summing(field, mine[differ])
            ):
                try:
                    hits = np.abs(stored[differ] - rule[1](part[field], part) // scale * scale) <= slack
                except KeyError:  # of a column that sums do not have
                    continue
                if hits.sum() > most.sum() and (hits.sum() >= many or not rule[0].startswith(WEAK)):
                    best, most = rule, hits
                if most.all():
                    break
            if best is None or most.sum() < max(1, _FEW * len(differ)):
                yield None, differ, len(differ)
                return
            yield best, differ[most], len(differ)
            differ = differ[~most]

    def _before_summing(self, field: str, rows: np.ndarray) -> Iterator[Rule]:
        """Yields the records of sums as rules make them."""
        if self.of_group is None or field not in self.sent.records:
            return
        records = {c: values.to_numpy() for c, values in self.sent.records.items() if values.dtype != object}
        told = []
        for one in ("first", "last"):
            sums = pd.Series(records[field]).groupby(self.of_group).agg(one).to_numpy()
            told.append((f"is that of the {one} record of a sum", sums))
        if field in COUNTERS:
            for text, rule in explanations(field, records, records[field]):
                with contextlib.suppress(KeyError):
                    sums = np.bincount(self.of_group, rule(records[field], records)).astype(np.int64)
                    told.append((f"{text}, in each record of a sum", sums))
        for text, sums in told:
            yield text, partial(lambda v, t, sums: sums[rows] if len(v) == len(rows) else sums, sums=sums)

    # ------------------------------------------------------------ naming

    def _tell(
        self,
        kind: str,
        what: str,
        count: int,
        unit: str,
        where: Optional[str] = "",
        example: str = "",
        fields: tuple[str, ...] = (),
        rows: Iterable[int] = (),
    ) -> None:
        text = plural(count, unit) + (f": {where}" if where else "")
        self.faults.append(Fault(kind, what, count, text, example, fields, frozenset(rows)))

    def _mask(self, rows: np.ndarray) -> np.ndarray:
        mask = np.zeros(len(self.truth), bool)
        mask[rows] = True
        return mask

    def _where(self, mask: np.ndarray, among: Optional[np.ndarray] = None) -> Optional[str]:
        """By what some records can be told from the others, in words."""
        among = np.ones(len(mask), bool) if among is None else among
        if found := condition(
            mask[among], {text: values[among] for text, values in self._attributes.items()}, _ATTRIBUTES
        ):
            return found
        if self.of_group is None and mask.any():
            place = self.truth["position"].to_numpy()[among]
            chosen = np.isin(np.arange(1, place.max() + 1), place[mask[among]])
            if (chosen[place - 1] == mask[among]).all() and not chosen.all() and (rule := which(chosen)):
                return f"of the places in a datagram {rule}"
        return which(mask[among]) if mask.sum() > 1 else None

    @functools.cached_property
    def _attributes(self) -> dict[str, np.ndarray]:
        """-> the attributes that records may have in common, by their names in words"""
        found = {text: self.truth[field].to_numpy() for text, field in _ATTRIBUTES.items() if field in self.truth}
        if self.of_group is not None:
            return found
        position = self.truth["position"].to_numpy()
        sent = {name: values.to_numpy()[self.truth["datagram"]] for name, values in self.sent.datagrams.items()}
        for keys, of in (
            (("exporter", *_FIVE), "its flow"),
            (_FIVE, "its 5-tuple"),
            (m.keys_of(self.columns), "its keys"),
        ):
            flows = self.truth.groupby([*keys])
            found[f"place {{}} among the records of {of}"] = flows.cumcount().to_numpy() + 1
            found[f"place {{}} among the records of {of}, from its last"] = (
                flows.cumcount(ascending=False).to_numpy() + 1
            )
        return {
            "exporter {}": sent["name"],
            "engine {}": self.truth["engine"].to_numpy(),
            "place {} in its datagram": position,
            "the last place in its datagram": position == sent["records"],
            "datagrams of {} records": sent["records"],
            "{} of the exporter": sent["since"],
            **found,
            "datagram {}": self.truth["datagram"].to_numpy(),
        }

    def _name_wrong(self, mine: np.ndarray, theirs: np.ndarray) -> pd.DataFrame:
        rows = [pd.DataFrame(columns=["field", "sent", "stored", "why", "record", "row"])]
        for field in self.columns:
            true, stored = self.truth[field].to_numpy()[mine], self.stored[field].to_numpy()[theirs]
            for rule, at, _ in self._explain(field, mine, stored):
                text = rule[0] if rule else ""
                if text == SCALED:
                    self.notes.append(f"{field} {text}: {plural(len(at), 'record')}")
                    continue
                mask = self._mask(mine[at])
                where = self._where(mask, self._could_show(field, text, mask))
                example = f"{shown(field, stored[at[0]])} in place of {shown(field, true[at[0]])}"
                unit = "record" if self.of_group is None else "sum"
                where = "" if where == "all" else where
                what = f"{field} {text or f'differs, {_NO_RULE}'}"
                self._tell("wrong", what, len(at), unit, where, example, (field,), mine[at][:1000].tolist())
                values = {"field": field, "sent": true[at], "stored": stored[at], "why": text}
                rows.append(pd.DataFrame({**values, "record": mine[at], "row": theirs[at]}))
        self._join_swaps()
        return pd.concat(rows[1:] or rows, ignore_index=True)

    def _could_show(self, field: str, text: str, mask: np.ndarray) -> np.ndarray:
        """Records in which a fault would be seen: those where the value as the fault has it is another."""
        could = self.is_stored
        if text.endswith("taken for a wrap"):
            return mask
        if text.startswith("is dropped") or text == "is 0":
            could = could & (self.truth[field].to_numpy() != 0)
        elif text.startswith("is that of ") and text[11:] in self.truth:
            could = could & (self.truth[field].to_numpy() != self.truth[text[11:]].to_numpy())
        return could | mask

    def _join_swaps(self) -> None:
        told = {fault.what: fault for fault in self.faults}
        for field, partner in PARTNERS.items():
            one, other = told.get(f"{field} is that of {partner}"), told.get(f"{partner} is that of {field}")
            if (
                one in self.faults
                and other in self.faults
                and one
                and other
                and len(one.rows & other.rows) * 2 >= len(one.rows)
            ):
                self.faults[self.faults.index(one)] = one._replace(
                    what=f"{field} and {partner} are swapped", fields=(field, partner)
                )
                self.faults.remove(other)

    def _name_missing(self, missing: np.ndarray) -> None:
        mask = self._mask(missing)
        if self.of_group is not None:
            if len(missing):
                self._tell(
                    "missing", "sums are missing", len(missing), "sum", self._where(mask), self._record(missing[0])
                )
            return
        datagram = self.truth["datagram"].to_numpy()
        gone = np.bincount(datagram[missing], minlength=len(self.sent.datagrams))
        whole: np.ndarray = np.flatnonzero((gone == self.sent.datagrams["records"]) & ~self.sent.datagrams["optional"])
        single = missing[~np.isin(datagram[missing], whole)]
        if len(single) and len(whole) and self._where(mask):
            whole, single = whole[:0], missing  # datagrams of such records alone
        self.lost = whole
        if len(whole):
            self._name_datagrams(whole, "missing")
        if len(single):
            where = self._where(mask, ~np.isin(datagram, whole))
            self._tell("missing", "records are missing", len(single), "record", where, self._record(single[0]))

    def _name_datagrams(self, found: np.ndarray, kind: str) -> None:
        table = self.sent.datagrams
        where = self._which_datagrams(np.isin(np.arange(len(table)), found))
        listed = ", ".join(
            f"{d['name']} {d['number']} (sequence {d['sequence']})" for _, d in table.iloc[found[:5]].iterrows()
        )
        text = f"{plural(len(found), 'datagram')} with {plural(int(table['records'].iloc[found].sum()), 'record')}"
        text += f": {where}" if where else ""
        fault, what = ("datagrams", "missing as a whole") if kind == "missing" else ("extra", "stored twice")
        self.faults.append(
            Fault(fault, f"datagrams are {what}", len(found), text, f"{listed}{', …' if len(found) > 5 else ''}")
        )

    def _which_datagrams(self, mask: np.ndarray) -> Optional[str]:
        table = self.sent.datagrams
        if (rule := which(mask)) and "one in" not in rule and not rule.startswith("numbers"):
            return rule
        late = (table["sequence"] - table.groupby(["exporter", "engine", "boot"])["sequence"].cummax()) < 0
        attributes = {
            "exporter {}": table["name"].to_numpy(object),
            "engine {}": table["engine"].to_numpy(),
            "all {} of the exporter": table["since"].to_numpy(),
            "those that came after a later one": late.to_numpy(),
            "those of {} records": table["records"].to_numpy(),
        }
        if found := condition(mask, attributes):
            return found
        for name in np.unique(table["name"][mask]):
            of = (table["name"] == name).to_numpy()
            if mask[of].sum() == mask.sum() and (rule := which(mask[of])):
                return f"of {name} {rule}"
        return rule

    def _name_extra(self, extra: np.ndarray) -> None:
        if not len(extra):
            return
        every, mine = m.hashed(self.truth, self.columns), m.hashed(self.stored.iloc[extra], self.columns)
        every = np.where(np.isin(every, mine), every, m.hashed({**self.truth, **self.changed}, self.columns))
        again = np.isin(mine, every)
        if again.any():
            first = np.flatnonzero(np.isin(every, mine) & ~pd.Series(every).duplicated())
            where, example = self._where(self._mask(first)), self._record(first[0])
            self._tell("extra", "records are stored twice", int(again.sum()), "row", where, example)
        if not again.all():
            table = self.stored.iloc[extra[~again]]
            is_before = "first" in table and (table["first"] < self.truth["first"].min() - 3_600_000).all()
            text = ", ".join(
                f"{c} {shown(c, table[c].iloc[0])}" for c in self.columns if c in (*_FIVE, "packets", "octets", "first")
            )
            where = "all of them before this run, of another one perhaps" if is_before else ""
            self._tell("extra", "rows are of no record that was sent", len(table), "row", where, text)

    def _record(self, row: int) -> str:
        r = self.truth.iloc[row]
        flow = ", ".join(f"{c} {shown(c, r[c])}" for c in (*_FIVE, "packets", "octets") if c in self.columns)
        if self.of_group is not None:
            return flow
        d = self.sent.datagrams.iloc[int(r["datagram"])]
        return f"{d['name']} datagram {d['number']} (sequence {d['sequence']}), place {r['position']}: {flow}"

    def _check_run(self, matching: m.Matching) -> None:
        """A store of another run has next to nothing of this one."""
        if (
            matching.exact
            or matching.pairs
            and len(matching.paired()[0])
            or not len(self.stored)
            or self.truth["optional"].all()
            or self._take_misread(matching)
        ):
            return
        flows = [c for c in _FIVE if c in self.columns]
        if np.isin(m.hashed(self.stored, flows), m.hashed(self.truth, flows)).sum() < 0.05 * min(
            len(self.stored), len(self.truth)
        ):
            raise StoreError(
                f"none of the {plural(len(self.stored), 'row')} of this store is like any of the "
                f"{plural(len(self.truth), 'record')} that were sent: it is the store of another run, or --map is wrong"
            )

    def _take_misread(self, matching: m.Matching) -> bool:
        """Records that were read from another octet on."""
        columns = [c for c in (*_FIVE, "packets", "octets") if c in self.columns]
        some = self.truth.head(_FEW_READ)
        for by in sorted(range(1 - HEADER, HEADER + 1), key=abs)[1:] if self.of_group is None else ():
            read = m.hashed(read_from(some, by), columns)
            if 2 * np.isin(read, m.hashed(self.stored, columns)).sum() > len(read):
                way = "late" if by > 0 else "early"
                what = f"records are read {plural(abs(by), 'octet')} too {way} in the datagram"
                self._tell("wrong", what, len(self.stored), "record", fields=tuple(columns))
                matching.missing, matching.extra = m.NONE, m.NONE
                return True
        return False
