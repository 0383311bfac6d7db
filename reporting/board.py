"""The board's model: who breaks next, when, and what it costs. Worst first; every figure from the Statements.

Buckets go by the exact share of the budget used: under 50 % green, under 75 % yellow, up to 100 % orange, more is red.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from reporting.wording import clock_time, day, left, near_time, plain, weekday
from sla.forecast import Forecast as Forecast
from sla.forecast import at_this_pace, if_it_stays_down, used_up_since
from sla.statement import Budget, ServiceStatement, Statement, Stretch

State = Literal["down", "degraded", "unknown", "maintenance", "up", "no data"]
Bucket = Literal["red", "orange", "yellow", "green", "no budget"]
BUCKETS: tuple[Bucket, ...] = ("red", "orange", "yellow", "green", "no budget")
_WORST: tuple[State, ...] = ("down", "unknown", "degraded", "maintenance", "no data", "up")


@dataclass(frozen=True, slots=True)
class Row:
    """One service of one contract (or of none: then state only)."""

    service: str
    name: str
    client: str
    contract: str | None
    state: State
    since_ms: int | None
    until_ms: int | None  # end of the maintenance that is on now
    target_pct: str | None
    budget: Budget | None
    share: Fraction | None  # used / allowed; None without a budget, or where any downtime exhausts it
    bucket: Bucket
    forecast: Forecast | None
    at_stake: str | None  # the credit owed once the target is missed: "EUR 450.00"
    period_end_ms: int
    tz: str
    outage: str | None = None
    availability_pct: str | None = None
    verdict: str = "NO_TARGET"
    coverage_pct: str | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that is about to happen: a window begins or ends."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Monitor:
    """The watcher watched. `seen_ms`: the daemon's last sign of life, None where it never ran here."""

    seen_ms: int | None
    alive: bool
    known_ms: int = 0
    unknown_ms: int = 0

    @property
    def coverage_pct(self) -> str | None:
        """Known time of all services together, percent floored to three digits; None before anything was due."""
        total = self.known_ms + self.unknown_ms
        if not total:
            return None
        thousandths = self.known_ms * 100_000 // total
        return f"{thousandths // 1000}.{thousandths % 1000:03d}"


@dataclass(frozen=True, slots=True)
class Board:
    """All that the board says at one instant. Rows in their order: buckets red to green, inside by time to red."""

    at_ms: int
    tz: str
    label: str  # of the period: "November 2026"
    rows: tuple[Row, ...]
    monitor: Monitor
    coming: tuple[Coming, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    def counts(self) -> dict[Bucket, int]:
        return {bucket: sum(row.bucket == bucket for row in self.rows) for bucket in BUCKETS}

    @property
    def down(self) -> int:
        return sum(row.state == "down" for row in self.rows)


def bad_news(board: Board) -> bool:
    """Whether `status --check` ends with 1: something is down or over its budget, or the daemon is not watching."""
    return not board.monitor.alive or any(row.state == "down" or row.bucket == "red" for row in board.rows)


def make_board(
    rows: Sequence[Row], *, at_ms: int, tz: str, label: str, monitor: Monitor, coming: Sequence[Coming] = ()
) -> Board:
    """The rows in the board's order."""
    ordered = sorted(rows, key=lambda row: _rank(row, at_ms))
    soon = sorted(coming, key=lambda event: (event.at_ms, event.text))
    return Board(at_ms=at_ms, tz=tz, label=label, rows=tuple(ordered), monitor=monitor, coming=tuple(soon))


def row_of(statement: Statement, service: ServiceStatement, *, at_stake: str | None = None) -> Row:
    """The board's row of one service of a statement whose period is running."""
    state, since_ms, outage = _state(service)
    share = _share(service)
    bucket = _bucket(service, share)
    return Row(
        service=service.id or "",
        name=plain(service.name),
        client=plain(str(statement.client.get("name") or "")),
        contract=statement.contract.get("id"),
        state=state,
        since_ms=since_ms,
        until_ms=_maintenance_end(service) if state == "maintenance" else None,
        target_pct=service.target_pct or (service.parts[-1].target_pct if service.parts else None),
        budget=service.budget if bucket != "no budget" else None,
        share=share,
        bucket=bucket,
        forecast=_forecast(statement, service, state=state, bucket=bucket),
        at_stake=at_stake,
        period_end_ms=int(statement.period["to_ms"]),
        tz=str(statement.period["tz"]),
        outage=outage,
        availability_pct=service.availability_pct,
        verdict=service.verdict,
        coverage_pct=service.coverage_pct,
    )


def lead(board: Board) -> str:
    """The first line: what breaks next, when, and what it costs."""
    nearest = min(
        (row for row in board.rows if _breaks_at(row) is not None),
        key=lambda row: (_breaks_at(row) or 0, row.name),
        default=None,
    )
    if nearest is not None:
        return _lead_of(nearest, board)
    if all(row.bucket == "no budget" for row in board.rows):
        return _lead_without_budgets(board)
    more = "else " if board.counts()["red"] else ""
    bare = [row.name for row in board.rows if row.bucket == "no budget" and row.state == "down"]
    also = f" Down, without a target: {', '.join(bare)}." if bare else ""
    return f"Nothing {more}breaks in {board.label.split()[0]} at this pace.{also}"


def stale_warning(board: Board) -> str | None:
    """One line where the figures stand still because nobody watches; None while the daemon lives."""
    monitor = board.monitor
    if monitor.alive:
        return None
    if monitor.seen_ms is None:
        return "The daemon has not run yet: nothing is measured. Start it with `nines run`."
    when = near_time(monitor.seen_ms, board.zone, now_ms=board.at_ms)
    return f"The daemon is off, last seen {when}. Time since then is booked as unknown, not as downtime."


def _lead_of(row: Row, board: Board) -> str:
    at_ms = _breaks_at(row) or board.at_ms
    zone = board.zone
    who = f"{row.name} ({row.client})" if row.client else row.name
    if row.state == "down":
        when = f"Red at {clock_time(at_ms, zone)} if it stays down"
    else:
        today = day(at_ms, zone) == day(board.at_ms, zone)
        on = f"at {clock_time(at_ms, zone)}" if today else f"on {weekday(at_ms, zone)} {day(at_ms, zone)}"
        when = f"Red {on} at this pace"
    cost = f": {row.at_stake}." if row.at_stake else "."
    return f"{left(max(0, at_ms - board.at_ms))} until {who} breaks {row.target_pct} %. {when}{cost}"


def _lead_without_budgets(board: Board) -> str:
    if not board.rows:
        return "Nothing is watched yet."
    counts = {state: sum(row.state == state for row in board.rows) for state in _WORST}
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    promised = any(row.target_pct for row in board.rows)
    return f"{'Nothing is measured yet' if promised else 'No target is agreed'}: {words}."


def _breaks_at(row: Row) -> int | None:
    """When a row that is not red yet turns red within its period."""
    if row.bucket == "red" or row.forecast is None or row.forecast.kind == "since":
        return None
    return row.forecast.at_ms


def _rank(row: Row, at_ms: int) -> tuple[int, int, int, Fraction, str, str]:
    """Bucket; then by time to red (in red: the longest over first); then the larger share; then the name."""
    share = row.share if row.share is not None else Fraction(0)
    at = row.forecast.at_ms if row.forecast and row.forecast.at_ms is not None else None
    state = _WORST.index(row.state) if row.bucket == "no budget" else 0
    return (BUCKETS.index(row.bucket), state, at if at is not None else 2**62, -share, row.name, row.client)


def _state(service: ServiceStatement) -> tuple[State, int | None, str | None]:
    """What holds at the end of the timeline, since when, and the outage behind it."""
    last = service.timeline[-1] if service.timeline else None
    if last is None or last.time_class in ("not_contracted", "outside_service_hours"):
        return "no data", None, None
    seen = service.checks.get("made") or any(service.split_ms[known] for known in ("up", "degraded", "down"))
    if last.time_class == "unknown" and not seen:
        return "no data", None, None
    since_ms = _began(service.timeline)
    if last.time_class in ("down", "degraded"):
        open_outage = next((outage for outage in service.outages if outage.to_ms is None), None)
        if last.time_class == "down" and open_outage:
            return "down", open_outage.from_ms, open_outage.id
        return last.time_class, since_ms, None
    if last.time_class in ("unknown", "maintenance"):
        return last.time_class, since_ms, None
    return "up", since_ms, None


def _began(timeline: Sequence[Stretch]) -> int:
    """Where the last class of the timeline began without a break."""
    began_ms = timeline[-1].from_ms
    for earlier, later in reversed(tuple(pairwise(timeline))):
        if earlier.time_class != later.time_class:
            break
        began_ms = earlier.from_ms
    return began_ms


def _maintenance_end(service: ServiceStatement) -> int | None:
    now_ms = service.timeline[-1].to_ms
    return max((w.to_ms for w in service.maintenance if w.accepted and w.from_ms < now_ms <= w.to_ms), default=None)


def _share(service: ServiceStatement) -> Fraction | None:
    budget = service.budget
    if budget is None or not service.considered_ms:
        return None
    if not budget.allowed_ms:
        return None if budget.used_ms else Fraction(0)
    share = Fraction(budget.used_ms, budget.allowed_ms)
    return min(share, Fraction(1)) if service.verdict == "MET" else share  # both sides were rounded to the ms


def _bucket(service: ServiceStatement, share: Fraction | None) -> Bucket:
    if service.budget is None or not service.considered_ms:
        return "no budget"
    if share is None or share > 1:
        return "red"
    if share >= Fraction(3, 4):
        return "orange"
    return "yellow" if share >= Fraction(1, 2) else "green"


def _forecast(statement: Statement, service: ServiceStatement, *, state: State, bucket: Bucket) -> Forecast | None:
    budget = service.budget
    if budget is None or bucket == "no budget":
        return None
    if bucket == "red":
        return used_up_since(service, budget)
    end_ms, now_ms = int(statement.period["to_ms"]), statement.as_of_ms
    if state == "down":
        return if_it_stays_down(budget, now_ms=now_ms, end_ms=end_ms)
    return at_this_pace(budget, service.considered_ms or 0, now_ms=now_ms, end_ms=end_ms)
