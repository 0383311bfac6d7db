"""Imported history for tests: taking checks and reported outages in, and reading what came of it in minutes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from ledger_scenes import HOUR, METHOD, MINUTE, T0

from ledger.facts import endpoint_facts
from ledger.import_records import Kind
from ledger.imports import OutageRow, Request, Taken, import_checks, import_outages
from ledger.journal import PROGRAM
from ledger.outages import Recorded, outages
from ledger.store import Ledger
from sla.facts import EndpointFacts
from sla.judge import Check, Method

DAY = 24 * HOUR
NOW = T0 + DAY
REACH = Fraction(130, 60)  # minutes


def request(file: str = "a.csv", *, kind: Kind = "checks", source: str = "other", **more: Any) -> Request:
    judged = more.pop("judged", {})
    return Request(kind, source, file, f"sha of {file}", NOW, PROGRAM, {"judged": judged}, judged, **more)


def take(ledger: Ledger, made: Iterable[Check], file: str = "a.csv", *, method: Method = METHOD, **more: Any) -> Taken:
    rows = [("api", "local", check) for check in made]
    return import_checks(ledger, request(file, **more), rows, methods=lambda endpoint: ((0, method),))


def report(ledger: Ledger, *rows: tuple[int, int], file: str = "o.csv", observed: Any = None, **words: str) -> Taken:
    """Outages by their minutes after T0."""
    told = [OutageRow("api", "local", T0 + start * MINUTE, T0 + end * MINUTE, **words) for start, end in rows]
    asked = request(file, kind="outages", source="provider")
    span = None if observed is None else (T0 + observed[0] * MINUTE, T0 + observed[1] * MINUTE)
    return import_outages(ledger, asked, told, observed=span)


def facts(ledger: Ledger, *, from_ms: int = T0 - HOUR, to_ms: int = NOW, now_ms: int = NOW) -> EndpointFacts:
    return endpoint_facts(ledger, ["api"], from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)["api"]


def minutes(found: Iterable[Any]) -> list[tuple[Fraction, Fraction | None]]:
    """[from, to) of outages or spans, in minutes after T0."""
    ends = [(one.from_ms, one.to_ms) if hasattr(one, "from_ms") else one for one in found]
    return [(Fraction(start - T0, MINUTE), None if end is None else Fraction(end - T0, MINUTE)) for start, end in ends]


def known(found: EndpointFacts, *, until: int) -> Fraction:
    """Minutes from T0 to T0 + `until` of which something is known."""
    return until - Fraction(found.unknown.clip(T0, T0 + until * MINUTE).total_ms, MINUTE)


def recorded(ledger: Ledger) -> list[tuple[str, str, int, int | None, str | None]]:
    found: Sequence[Recorded] = outages(ledger, kinds=("down", "degraded"))
    return sorted((o.kind, o.source, o.outage.from_ms, o.outage.to_ms, o.end_reason) for o in found)
