# SPDX-License-Identifier: GPL-2.0-only
"""Judges series.csv: what happened until each sample, by records.csv, datagrams.csv and the port captures. Whether what
happened in the instant of a sample came before it, no file tells: there both is right."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict

from .flowtruth import MS_NS
from .stories import cause_of, had_waited

HEAP_PER_RECORD = 80  # octets of heap, docs/semantics.md
MEMORY = ("memory_state", "memory_free", "memory_ballooned", "memory_swapped")
STATES = ("high", "soft", "hard", "low")
LEVELS = ("cache", "purgatory")


class Events:
    """Instants, and how much happened in each."""

    def __init__(self, events):
        sums = Counter()
        for at, n in events:
            sums[at] += n
        self.at, self.total, so_far = sorted(sums), [0], 0
        for at in self.at:
            so_far += sums[at]
            self.total.append(so_far)

    def until(self, at: int) -> tuple[int, int]:
        """-> before that instant, and with it"""
        return self.total[bisect_left(self.at, at)], self.total[bisect_right(self.at, at)]


class Exporter:
    """Events at one exporter, by name of the column."""

    def __init__(self, name: str, v, records: list[dict], datagrams: list[dict]):
        mine = [row for row in records if row["exporter"] == name]
        ends = [row for row in mine if row["ended_ns"]]
        happened = defaultdict(list)
        for row in ends:
            happened["records_expired" if row["reason"] != "stopped" else "stopped"].append((int(row["ended_ns"]), 1))
        for row in ends:
            station, moved = row["station"], (int(row["moved_ns"] or 0), 1)
            if station == "sent":
                happened["records_sent"].append(moved)
            elif station == "send_failed":
                happened["unsent_send_failed"].append(moved)
            elif station.startswith(("dropped_", "discarded_")):
                place, _, cause = station.partition("_")
                queued = cause.startswith("queued_")
                happened[f"{place}_{cause_of(station)}"].append(moved)
                happened[f"records_{place}"].append(moved)
                if queued:
                    happened["from_queue"].append(moved)
        for row in datagrams:
            if row["exporter"] == name and row["concluded_ns"]:
                event = int(row["concluded_ns"]), int(row["records"])
                if row["fate"] == "received":
                    happened["records_received"].append(event)
                elif row["fate"].startswith("lost_"):
                    happened[row["fate"]].append(event)
                    happened["records_lost"].append(event)
        created = [(int(row["first_ns"]), 1) for row in mine if row["output"]]
        queued = [
            row
            for row in ends
            if row["station"] in ("queued", "sent", "send_failed")
            or row["station"].startswith("discarded_queued")
            or had_waited(row["station"])
        ]
        self.rises = {"cache": created, "purgatory": [(int(row["ended_ns"]), 1) for row in queued]}
        self.falls = {
            "cache": [(int(row["ended_ns"]), 1) for row in ends],
            "purgatory": [(int(row["moved_ns"] or 0), 1) for row in queued if row["station"] != "queued"],
        }
        self.created = Events(created)
        self.shed = defaultdict(list)
        for row in mine:
            if row["station"].startswith("shed_"):
                self.shed[row["station"]].append((int(row["first_ns"]), int(row["last_ns"]), int(row["packets"])))
        self.seen = Events((at, 1) for w in v.windows if w.exporter == name for at in w.metered_ns)
        self.columns = {column: Events(events) for column, events in happened.items()}
        self.nothing = Events(())

    def until(self, column: str, at: int) -> tuple[int, int]:
        if column.startswith("shed_"):  # of a flow's shed packets the first and the last are known
            parts = self.shed[column]
            return sum(n for _, last, n in parts if last < at), sum(n for first, _, n in parts if first <= at)
        return self.columns.get(column, self.nothing).until(at)

    def peaks(self, level: str, times: list[int]) -> list[tuple[int, int]]:
        """-> the least and the most that the highest level since the sample before can be, at each of the times"""
        steps = defaultdict(lambda: [0, 0])
        for index, events in enumerate((self.rises[level], self.falls[level])):
            for at, n in events:
                steps[at][index] += n
        instants, value, result, place = sorted(steps), 0, [], 0
        before = None
        for time in times:
            least = most = value
            while place < len(instants) and instants[place] < time:
                up, down = steps[instants[place]]
                most = max(most, value + up)
                value += up - down
                # what was in the instant of the sample before may have been before it
                least = value if instants[place] == before else max(least, value)
                place += 1
            if place < len(instants) and instants[place] == time:
                most = max(most, value + steps[time][0])
            result.append((least, most))
            before = time
        return result


def check_series(v) -> None:
    if not (v.folder / "series.csv").is_file():
        return
    samples = defaultdict(list)
    for row in v.table("series.csv"):
        samples[row["exporter"]].append(row)
    records, datagrams = v.table("records.csv"), v.table("datagrams.csv")
    hosts = [host["name"] for host in v.summary["hosts"]]
    grid = [row["time_ms"] for row in samples[hosts[0]]] if hosts else []
    for name in sorted({*samples, *hosts}):
        if name not in hosts or [row["time_ms"] for row in samples[name]] != grid:
            v.findings.append(f"series.csv: {name}: is no host, or was not sampled when others were")
            continue
        _check_host(v, name, samples[name], Exporter(name, v, records, datagrams))
    times = [_ns(time) for time in grid]
    if any(b - a != times[1] - times[0] for a, b in zip(times, times[1:-1])) or times[-1:] != [v.summary["end_ns"]]:
        v.findings.append(f"series.csv: samples at {grid[:3]} to {grid[-1:]}")


def _ns(time_ms: str) -> int:
    whole, _, rest = time_ms.partition(".")
    return int(whole) * MS_NS + int(rest)


def _check_memory(rows: list[dict], find) -> None:
    """All columns or none; the state of so much free memory, or a lower one that it has not left yet; what was taken
    only grows."""
    taken = [0, 0]
    for row in rows:
        state, *numbers = (row[column] for column in MEMORY)
        if not state and not any(numbers) and taken == [0, 0]:
            continue
        if state not in STATES or not all(number.isdigit() for number in numbers):
            find(row, "memory " + " ".join((state, *numbers)))
            return
        free, *now = map(int, numbers)
        if (
            STATES.index(state) < sum(free < bound for bound in (39, 19, 9))
            or free > 1000
            or any(b < a for a, b in zip(taken, now))
        ):
            find(row, f"memory is {state} at {free} / 1000 free, {now} octets taken")
        taken = now


def _check_host(v, name: str, rows: list[dict], exporter: Exporter) -> None:
    def find(row, what):
        v.findings.append(f"series.csv: {name} at {row['time_ms']} ms: {what}")

    _check_memory(rows, find)
    losses = [c for c in rows[0] if c.startswith(("shed_", "dropped_", "discarded_", "unsent_", "lost_"))]
    counters = ["records_expired", "records_dropped", "records_sent", "records_lost", "records_received", *losses]
    times = [_ns(row["time_ms"]) for row in rows]
    peaks = {level: exporter.peaks(level, times) for level in LEVELS}
    bases = Counter(int(row["heap_octets"]) - HEAP_PER_RECORD * int(row["cache_records"]) for row in rows)
    del bases[0]  # while the module is not loaded
    bases = {0, *(base for base, _ in bases.most_common(1))}  # what purgatory takes, whatever is in it
    high = {"purgatory_high_water": 0, "heap_high_water": 0}
    for index, (at, text) in enumerate(zip(times, rows)):
        row = {column: int(value) for column, value in text.items() if column not in ("time_ms", "exporter", *MEMORY)}
        for column in counters:
            least, most = exporter.until(column, at)
            if not least <= row[column] <= most:
                find(text, f"{column} {row[column]}, wanted {least} to {most}")
        for total, place in (("packets_shed", "shed_"), ("records_dropped", "dropped_"), ("records_lost", "lost_")):
            if row[total] != sum(row[c] for c in losses if c.startswith(place)):
                find(text, f"{total} {row[total]} is not the sum of its causes")
        least, most = exporter.seen.until(at)
        if not least <= row["packets_metered"] + row["packets_shed"] <= most:
            find(text, f"packets metered and shed, wanted {least} to {most}")
        created, stopped = exporter.created.until(at), exporter.until("stopped", at)
        if not created[0] - stopped[1] <= row["cache_records"] + row["records_expired"] <= created[1] - stopped[0]:
            find(text, f"cache_records {row['cache_records']}")
        queued, gone = (
            exporter.until("from_queue", at),
            row["records_dropped"] + row["records_sent"] + row["unsent_send_failed"],
        )
        if (
            not row["records_expired"] - gone - queued[1]
            <= row["purgatory_records"]
            <= row["records_expired"] - gone - queued[0]
        ):
            find(text, f"purgatory_records {row['purgatory_records']}")
        for level in LEVELS:
            least, most = peaks[level][index]
            if not max(least, row[f"{level}_records"]) <= row[f"{level}_peak"] <= most:
                find(text, f"{level}_peak {row[f'{level}_peak']}, wanted {least} to {most}")
        for kind, cache in (("octets", "cache_records"), ("peak", "cache_peak")):
            if row[f"heap_{kind}"] - HEAP_PER_RECORD * row[cache] not in bases:
                find(text, f"heap_{kind} {row[f'heap_{kind}']}")
        fresh = (
            row["purgatory_high_water"] < high["purgatory_high_water"]
            and row["cache_records"] == row["purgatory_records"] == 0
        )
        high["purgatory_high_water"] = (
            row["purgatory_high_water"] if fresh else max(high["purgatory_high_water"], row["purgatory_peak"])
        )
        high["heap_high_water"] = max(high["heap_high_water"], row["heap_peak"])
        for column, value in high.items():
            if row[column] != value:
                find(text, f"{column} {row[column]}, wanted {value}")
