"""The ledger beside what the servers themselves logged: nothing lost, nothing twice, nothing invented."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from torture_daemon import Death
from torture_oracle import Due, Lives, Method, Reach, differs, outages, reaches, unknown
from torture_plan import CONFIRM, Watched
from torture_record import DOWN, UNKNOWN, UP, Booked, Record, Row
from torture_server import Served

SETTLED_MS = 2_500  # the writer's batches are a second apart; twice that and an fsync on a busy machine
OURS = ("timeout_first_byte", "timeout_total", "connect_timeout")  # a busy machine: too late, by the server's log too


@dataclass(slots=True)
class Figures:
    """What the comparison saw."""

    served: int = 0
    on_record: int = 0
    acknowledged: int = 0
    outages: int = 0
    unobserved_ends: int = 0
    bounds: int = 0
    worst_bound_ms: int = 0
    lost_at_a_kill: int = 0
    oldest_lost_ms: int = 0
    late: int = 0
    unknown_ms: int = 0
    gaps: int = 0
    gaps_undecided: int = 0
    deaths_without_gap: int = 0


@dataclass(slots=True)
class Comparison:
    """`findings` are faults, one line each; an empty list is a ledger that tells the truth."""

    endpoints: dict[str, Watched]
    log: dict[str, list[Served]]
    record: Record
    deaths: Sequence[Death]
    until_ms: int
    findings: list[str] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)

    def run(self, acknowledged: Sequence[str], unknown_spans: dict[str, Sequence[tuple[int, int]]]) -> Comparison:
        self._acknowledged(acknowledged)
        lives = Lives(self.record.lives)
        for id, one in self.endpoints.items():
            rows, log = self.record.checks.get(id, []), self.log.get(id, [])
            pairs = self._matched(id, rows, log)
            self._unmatched(id, log, {served for _, served in pairs})
            method = Method(one.interval_ms, one.reach_ms)
            found = reaches(rows, lives, method, until_ms=self.until_ms)
            self._outages(id, outages(rows, found))
            self._bounds(id, pairs)
            self._confirmed_by_the_log(id, log, {served for _, served in pairs})
            told = list(_split(unknown_spans[id], found))
            self._unknown(id, found, told)
            self._known_at_each_check(id, rows, told)
            self._in_order(id)
        self._foreign()
        return self

    def _fault(self, id: str, text: str) -> None:
        self.findings.append(f"{id}: {text}")

    def _acknowledged(self, acknowledged: Sequence[str]) -> None:
        """Said once to be on disk, there once, and its outage with it."""
        self.figures.acknowledged = len(acknowledged)
        booked = Counter(one.id for many in self.record.outages.values() for one in many)
        for event, said in Counter(acknowledged).items():
            if said != 1:
                self._fault(event, f"acknowledged {said} times")
            if self.record.events.get(event) != 1:
                self._fault(event, f"acknowledged, and {self.record.events.get(event, 0)} times on record")
            if booked[event.partition(".")[0]] != 1:
                self._fault(event, "acknowledged, and its outage is not on record once")

    def _matched(self, id: str, rows: Sequence[Row], log: Sequence[Served]) -> list[tuple[Row, Served]]:
        """Each check on record with the one request that it was; verdicts as answered."""
        self.figures.served += len(log)
        self.figures.on_record += len(rows)
        reached = [served.received_ms for served in log]
        pairs: list[tuple[Row, Served]] = []
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            limit_ms = row.at_ms + self.endpoints[id].interval_ms
            until_ms = limit_ms if following is None else min(limit_ms, following.at_ms)
            places = range(bisect_left(reached, row.at_ms), bisect_left(reached, until_ms + 1))
            if not places:
                self._without_request(id, row)
                continue
            served = log[places[0]]
            if row.verdict != (UP if served.good else DOWN):
                self._other_verdict(id, row, served)
            pairs.append((row, served))
        if len({served for _, served in pairs}) != len(pairs):
            self._fault(id, "two checks on record are one request")
        return pairs

    def _without_request(self, id: str, row: Row) -> None:
        if row.verdict == UNKNOWN or row.error in OURS:
            self.figures.late += 1
        else:
            self._fault(id, f"a check at {row.at_ms} that no server answered: {row.error}")

    def _other_verdict(self, id: str, row: Row, served: Served) -> None:
        late = row.error in OURS and served.answered_ms >= row.at_ms + self.endpoints[id].interval_ms - 100
        if late or row.verdict == UNKNOWN:
            self.figures.late += 1
        else:
            self._fault(id, f"the check at {row.at_ms} is {row.verdict} ({row.error}), answered was {served.answer}")

    def _unmatched(self, id: str, log: Sequence[Served], matched: set[Served]) -> None:
        """What was answered and is not on record was answered just before the prober died."""
        for served in log:
            if served in matched:
                continue
            death = next((one for one in self.deaths if _lost_by(one, served)), None)
            if death is None:
                self._fault(id, f"answered at {served.answered_ms} and not on record, though nothing died")
            else:
                self.figures.lost_at_a_kill += 1
                self.figures.oldest_lost_ms = max(self.figures.oldest_lost_ms, death.from_ms - served.answered_ms)

    def _outages(self, id: str, due: Sequence[Due]) -> None:
        booked = {one.from_ms: one for one in self.record.outages.get(id, [])}
        self.figures.outages += len(booked)
        self.figures.unobserved_ends += sum(one.end_reason == "unobserved" for one in booked.values())
        for one in due:
            found = booked.pop(one.from_ms, None)
            fault = "not on record" if found is None else differs(one, found)
            if fault:
                self._fault(id, f"outage from {one.from_ms}: {fault}")
        for left in booked.values():
            self._fault(id, f"{left.id} from {left.from_ms} to {left.to_ms} is invented: no run of bad checks is there")

    def _bounds(self, id: str, pairs: Sequence[tuple[Row, Served]]) -> None:
        """Every bound of an outage is the instant of a check, and the server answered that check so."""
        answered = {row.at_ms: served for row, served in pairs}
        rows = {row.at_ms: row for row in self.record.checks.get(id, [])}
        for outage in self.record.outages.get(id, []):
            for at_ms, good in _bounds_of(outage):
                served, row = answered.get(at_ms), rows.get(at_ms)
                if row is not None and row.error in OURS:
                    continue
                if served is None or served.good != good:
                    self._fault(id, f"{outage.id}: nothing {'good' if good else 'bad'} was answered at {at_ms}")
                    continue
                self.figures.bounds += 1
                self.figures.worst_bound_ms = max(self.figures.worst_bound_ms, served.received_ms - at_ms)
        self._inside(id, pairs)

    def _inside(self, id: str, pairs: Sequence[tuple[Row, Served]]) -> None:
        good = [row.at_ms for row, served in pairs if served.good and row.verdict == UP]
        for outage in self.record.outages.get(id, []):
            end_ms = self.until_ms if outage.to_ms is None else outage.to_ms
            if bisect_left(good, outage.from_ms) != bisect_left(good, end_ms):
                self._fault(id, f"{outage.id} lasts over a good answer")

    def _confirmed_by_the_log(self, id: str, log: Sequence[Served], matched: set[Served]) -> None:
        """By the servers' log alone: enough bad answers in a row, all long before any death, are an outage."""
        for run in _bad_runs(log):
            if len(run) < CONFIRM or not all(self._settled(one) for one in run):
                continue
            first, last = run[0].received_ms, run[CONFIRM - 1].received_ms
            if not any(
                o.from_ms <= last and (o.to_ms is None or o.to_ms >= first) for o in self.record.outages.get(id, [])
            ):
                self._fault(id, f"{len(run)} bad answers in a row from {first} are no outage")

    def _settled(self, served: Served) -> bool:
        return not any(_lost_by(death, served) for death in self.deaths)

    def _unknown(self, id: str, found: Sequence[Reach], spans: Sequence[tuple[int, int]]) -> None:
        """Unknown is what no check vouches for, to the millisecond, and nothing else."""
        inside = [span for span in spans if found and span[0] >= found[0].at_ms]
        due = unknown(found, until_ms=self.until_ms)
        told = {end: start for start, end in inside}
        for end_ms, begins in due:
            start = told.pop(end_ms, None)
            self.figures.gaps += 1
            self.figures.gaps_undecided += len(set(begins)) > 1
            if start is None and max(begins) >= end_ms:
                self.figures.deaths_without_gap += 1
            elif start not in begins:
                self._fault(id, f"unknown up to {end_ms} from {start} and not from {begins}")
            elif end_ms < self.until_ms:
                self._explained(id, start, end_ms)
            self.figures.unknown_ms += end_ms - start if start is not None else 0
        for end_ms, start in told.items():
            self._fault(id, f"[{start}, {end_ms}) is unknown, and checks vouch for it")

    def _explained(self, id: str, start_ms: int, end_ms: int) -> None:
        """By the harness's own clock: a death lies in it, or nobody asked for longer than a check vouches for."""
        if any(start_ms <= death.until_ms and death.from_ms <= end_ms for death in self.deaths):
            late = [death.from_ms - start_ms for death in self.deaths if death.from_ms <= end_ms and not death.clean]
            if late and min(abs(ms) for ms in late) > SETTLED_MS + self.endpoints[id].reach_ms:
                self._fault(id, f"unknown from {start_ms}, long before the death that it is for")
            return
        rows = self.record.checks[id]
        before = rows[bisect_right([row.at_ms for row in rows], start_ms) - 1]
        unseen = before.verdict == UNKNOWN or end_ms - before.at_ms > self.endpoints[id].reach_ms
        if not unseen:
            self._fault(id, f"[{start_ms}, {end_ms}) is unknown, and nothing died")

    def _known_at_each_check(self, id: str, rows: Sequence[Row], spans: Sequence[tuple[int, int]]) -> None:
        seen = [row.at_ms for row in rows if row.verdict != UNKNOWN]
        for start, end in spans:
            if bisect_left(seen, start + 1) != bisect_left(seen, end):
                self._fault(id, f"[{start}, {end}) is unknown, and a check saw something in it")

    def _in_order(self, id: str) -> None:
        """Events were written in the order of what they tell: opened, closed, opened, closed."""
        told = self.record.told.get(id, [])
        if [at_ms for _, at_ms in told] != sorted(at_ms for _, at_ms in told):
            self._fault(id, "its events were not written in the order of time")
        ends = [event.partition(".")[2] for event, _ in told]
        if ends != ["opened", "closed"] * (len(ends) // 2) + ["opened"] * (len(ends) % 2):
            self._fault(id, f"its events are {ends}")

    def _foreign(self) -> None:
        for id in (self.record.checks.keys() | self.record.outages.keys()) - self.endpoints.keys():
            self._fault(id, "on record, and never served")


def _split(spans: Sequence[tuple[int, int]], found: Sequence[Reach]) -> Iterator[tuple[int, int]]:
    """Cut where a check was the last sign of life: it vouches for no more than its own instant."""
    instants = [reach.at_ms for reach in found if reach.at_ms in reach.ends_ms]
    for start, end in spans:
        edges = [start, *instants[bisect_right(instants, start) : bisect_left(instants, end)], end]
        yield from pairwise(edges)


def _lost_by(death: Death, served: Served) -> bool:
    """Whether that death explains that the request is not on record: not yet written, or under way at a clean end."""
    before_ms = 1_000 if death.clean else SETTLED_MS
    return death.from_ms - before_ms <= served.answered_ms and served.received_ms <= death.until_ms + 100


def _bounds_of(outage: Booked) -> Iterator[tuple[int, bool]]:
    """(instant, whether it was a good check) of each bound that it has."""
    bounds = ((outage.first_bad_ms, False), (outage.confirmed_ms, False), (outage.last_bad_ms, False))
    for at_ms, good in (*bounds, (outage.last_good_ms, True), (outage.first_good_ms, True)):
        if at_ms is not None:
            yield at_ms, good


def _bad_runs(log: Sequence[Served]) -> Iterator[Sequence[Served]]:
    edges = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(log)) if a.good != b.good), len(log)]
    for start, end in pairwise(edges):
        if start < end and not log[start].good:
            yield log[start:end]
