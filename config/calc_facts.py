"""The facts of a calc file: spans of time, each read at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from config import units
from config.bodies import BEGINNING_MS
from config.problems import ConfigError, KeyPath, Problem, unknown_key
from config.reading import Sources
from config.yaml_source import parse
from sla import period as periods
from sla.facts import EndpointFacts, Exclusion, Member, Outage, ServiceFacts, Window
from sla.spans import Span, Spans

SERVICE = "service"
_NO_ID = ""  # facts name no endpoint and no service: the statement prints null
SPANS = ("down", "degraded", "maintenance", "unknown", "outside_service_hours", "exclusions", "outages")
TERMS = ("target", "credits", "fee")
OF_A_CONTRACT = ("cap", "minimum", "measure", "several_rules", "claim", "currency", "clauses", "chronic", "versions")
_READ_OVER = ("id", "source", "kind", "notes", "expected", "upstream_asserts", "verification")
_WEIGHED = ("weight", "affected")
ENTERED = ("inputs", "series")


def read_mapping(text: str, name: str, example: str) -> tuple[dict[str, Any], Sources, list[Problem]]:
    """The mapping that a file holds, with the line of each value. Raises ConfigError where it holds none."""
    source = parse(text, name)
    sources = Sources(name, {path: (name, line) for path, line in source.lines.items()})
    problems = [*source.problems]
    if not isinstance(source.value, dict):
        if not problems:
            problems.append(Problem(name, 1, "", f"is no mapping; write e.g. {example}"))
        raise ConfigError(problems)
    return source.value, sources, problems


@dataclass(slots=True)
class FactsReader:
    """Reads the facts, noting every problem at its line."""

    sources: Sources
    problems: list[Problem]
    value: Mapping[str, Any]

    def refuse(self, path: KeyPath, message: str) -> None:
        self.problems.append(self.sources.problem(path, message))

    def refuse_unknown(self, *, with_contract: bool) -> None:
        known = ["period", "zone", "options", "policy", *SPANS, *TERMS, *ENTERED]
        imported = self.value.get("kind") == "availability"
        for key in self.value:
            if imported and key in _READ_OVER:
                continue
            if key in OF_A_CONTRACT:
                self.refuse((key,), "is a term of the contract; write that in a file of its own, named with --contract")
            elif key not in known:
                self.refuse((key,), unknown_key(key, known))
            elif with_contract and key in (*TERMS, "options", "policy"):
                self.refuse((key,), "stands beside --contract, which decides it; leave it out here")

    def zone(self, key: str) -> str | None:
        if self.value.get(key) is None:
            return None
        try:
            return units.zone_name(self.value[key])
        except ValueError as error:
            self.refuse((key,), str(error))
            return None

    def period(self, tz: str, agreed: str = "month") -> periods.Period | None:
        written = self.value.get("period")
        if isinstance(written, dict):
            span = self.span(written, ("period",), tz, more=())
            return None if span is None else periods.Period(*span, tz, f"{written['start']} to {written['end']}")
        if not isinstance(written, str):
            self.refuse(("period",), "is missing; write e.g. period: 2026-10, or period: {start, end}")
            return None
        try:
            return periods.parse(written, tz, agreed)
        except periods.PeriodError as error:
            self.refuse(("period",), str(error))
            return None

    def span(self, item: Any, path: KeyPath, tz: str, *, more: Iterable[str]) -> Span | None:
        """[start, end) of a mapping with these keys and no other."""
        if not isinstance(item, dict):
            self.refuse(path, "is no span; write {start: 2026-10-05T10:00:00Z, end: 2026-10-05T10:40:00Z}")
            return None
        known = ("start", "end", *more)
        for key in item:
            if key not in known:
                self.refuse((*path, key), unknown_key(key, known))
        try:
            ends = [instant_ms(item.get(key), tz, key=key) for key in ("start", "end")]
        except ValueError as error:
            self.refuse(path, str(error))
            return None
        if ends[1] < ends[0]:
            self.refuse(path, f"ends at {item['end']}, before it starts at {item['start']}; swap them")
            return None
        return ends[0], ends[1]

    def spans(self, key: str, tz: str, *, more: Iterable[str] = ()) -> list[tuple[Span, dict[str, Any], KeyPath]]:
        written = self.value.get(key)
        if written is None:
            return []
        if not isinstance(written, list):
            self.refuse((key,), "is no list; write [{start: ..., end: ...}]")
            return []
        found = ((self.span(item, (key, n), tz, more=more), item, (key, n)) for n, item in enumerate(written))
        return [(span, item, path) for span, item, path in found if span is not None and span[0] < span[1]]

    def mapping(self, key: str, known: Iterable[str] | None) -> dict[str, Any]:
        """A mapping of these keys, of any where `known` is None; {} where it was not written."""
        written = self.value.get(key)
        if written is None:
            return {}
        if not isinstance(written, dict):
            self.refuse((key,), f"is no mapping; write `key: value` lines below {key}:")
            return {}
        for name in written if known is not None else ():
            if name not in (known or ()):
                self.refuse((key, name), unknown_key(name, known or ()))
        return written

    def outages(self, key: str, tz: str, *, more: Iterable[str]) -> tuple[Outage, ...]:
        return tuple(
            Outage(
                id=item.get("id"),
                from_ms=span[0],
                to_ms=span[1],
                weight=self.weight(item, path),
                affected=self.affected(item, path),
            )
            for span, item, path in self.spans(key, tz, more=more)
        )

    def weight(self, item: Mapping[str, Any], path: KeyPath) -> Fraction | None:
        if item.get("weight") is None:
            return None
        try:
            found = units.number(item["weight"])
        except ValueError as error:
            self.refuse((*path, "weight"), str(error))
            return None
        if not 0 <= found <= 1:
            self.refuse((*path, "weight"), f"{found} is not between 0 and 1; write e.g. 0.5")
        if found != round(found, 4):
            self.refuse((*path, "weight"), f"{found} has more than four decimals; write e.g. 0.3333")
        return Fraction(found)

    def affected(self, item: Mapping[str, Any], path: KeyPath) -> Fraction | None:
        """How many users an outage hit; None: all of them."""
        if item.get("affected") is None:
            return None
        try:
            found = units.number(item["affected"])
        except ValueError as error:
            self.refuse((*path, "affected"), str(error))
            return None
        if found < 0:
            self.refuse((*path, "affected"), f"{found} is below zero; write e.g. 40")
        return Fraction(found)

    def united(self, key: str, tz: str) -> Spans:
        return Spans.of(span for span, _, _ in self.spans(key, tz))

    def facts(self, tz: str, period: periods.Period | None) -> ServiceFacts:
        down = (*self.outages("down", tz, more=_WEIGHED), *self.outages("outages", tz, more=("id", "affected")))
        windows = (Window(None, *span, entered_ms=None) for span, _, _ in self.spans("maintenance", tz))
        exclusions = (
            Exclusion(
                None,
                *span,
                category=item.get("category") or "agreed",
                clause=item.get("clause") or "",
                text=item.get("text") or "",
            )
            for span, item, _ in self.spans("exclusions", tz, more=("category", "clause", "text"))
        )
        endpoint = EndpointFacts(
            _NO_ID,
            first_check_ms=period.from_ms if period else None,
            outages=down,
            degraded=self.outages("degraded", tz, more=_WEIGHED),
            unknown=self.united("unknown", tz),
        )
        return ServiceFacts(
            id=_NO_ID,
            name=SERVICE,
            composition=((BEGINNING_MS, Member(_NO_ID)),),
            endpoints={_NO_ID: endpoint},
            windows=tuple(windows),
            exclusions=tuple(exclusions),
            outside_hours=self.united("outside_service_hours", tz),
        )


LATEST_MS = 253_402_300_800_000  # the first instant of the year 10000, which no ISO 8601 text names
_FINER = re.compile(r"[.,]\d{3}\d*[1-9]")


def instant_ms(value: Any, tz: str, *, key: str) -> int:
    """Integer ms since the epoch, ISO 8601 with an offset, or what clocks in `tz` show at exactly one instant.

    Raises ValueError, also for what is finer than a millisecond: exactness would be lost in silence.
    """
    example = f"write e.g. {key}: 2026-10-05T10:00:00Z"
    if not isinstance(value, str):
        raise ValueError(f"has no {key}; {example}")
    if re.fullmatch(r"-?\d{1,20}", value):
        if abs(int(value)) >= LATEST_MS:
            raise ValueError(f"{key} {value} is no instant of the years 1 to 9999 in ms; {example}")
        return int(value)
    try:
        read_as = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{key} {value!r} is no instant; {example}") from None
    if _FINER.search(value):
        raise ValueError(f"{key} {value!r} is finer than a millisecond; write at most three decimals of a second")
    if read_as.tzinfo is None:
        return _wall_ms(read_as, value, tz, key=key)
    return (read_as - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _wall_ms(naive: datetime, value: str, tz: str, *, key: str) -> int:
    """An hour that clocks show twice, or never, names no instant."""
    place = periods.zone(tz)
    readings = [naive.replace(tzinfo=place, fold=fold) for fold in (0, 1)]
    if readings[0].utcoffset() != readings[1].utcoffset():
        times = "twice" if (readings[0].utcoffset() or _NONE) > (readings[1].utcoffset() or _NONE) else "never"
        raise ValueError(f"{key} {value!r} is shown {times} by clocks in {tz}; write it with its offset, e.g. {value}Z")
    return periods.wall_to_ms(naive, place)


_NONE = timedelta(0)
