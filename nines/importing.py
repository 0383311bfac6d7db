"""History from a file into the ledger: rows read and checked, endpoints known, judged by what was agreed of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from config.definitions import composition_of, endpoint_of
from config.history import HistoryFile, Refusal, sha256_of
from config.importers import (
    CheckSeen,
    OutageSeen,
    Shape,
    checks_file,
    outages_file,
    read_checks,
    read_outages,
)
from config.problems import ConfigError, Problem, nearest, unknown_name
from ledger.definitions import history
from ledger.import_judging import FOREVER_MS, Methods
from ledger.import_records import Earlier, Kind, check_source, earlier
from ledger.imports import CheckRow, OutageRow, Request, Taken, import_checks, import_outages
from ledger.journal import Actor
from ledger.store import Ledger
from sla.facts import Definition
from sla.judge import Method
from sla.spans import Span

LISTED = 10_000  # refused rows that are kept to be shown; all are counted
DEFAULT_TIMEOUT_MS = 10_000
Progress = Callable[[str, int, int], object]


class NothingTaken(Exception):
    """Rows were refused, and nothing was to be taken then."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """How a source is judged where it is not judged as its endpoint is; `hold_ms` is FOREVER_MS for ever."""

    interval_ms: int | None = None
    timeout_ms: int | None = None
    confirm: int | None = None
    recover: int | None = None
    hold_ms: int | None = None

    def judged(self) -> dict[str, int | str | None]:
        """As the journal keeps them."""
        hold = "forever" if self.hold_ms == FOREVER_MS else self.hold_ms
        return {
            "interval_ms": self.interval_ms,
            "timeout_ms": self.timeout_ms,
            "confirm": self.confirm,
            "recover": self.recover,
            "hold_ms": hold,
        }

    def over(self, method: Method) -> Method:
        given = {name: value for name in Method.__slots__ if (value := getattr(self, name, None)) is not None}
        return replace(method, **given)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asked to import: from which source, in which shape, judged how."""

    kind: Kind
    source: str
    shape: Shape
    at_ms: int
    actor: Actor
    overrides: Overrides = Overrides()
    observed: Span | None = None
    create: bool = False
    strict: bool = False
    rejudge: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of one file. `before` is the import that took the same file already; then nothing was read."""

    file: str
    sha256: str
    source: str
    kind: Kind
    taken: Taken = field(default_factory=Taken)
    rows: int = 0  # read, taken or refused
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    read_over: tuple[str, ...] = ()
    elsewhere: set[str] = field(default_factory=set)  # locations that statements do not read
    before: Earlier | None = None
    nothing_taken: bool = False


def import_file(
    ledger: Ledger, path: Path, wanted: Wanted, *, progress: Progress = lambda what, done, of: None
) -> Outcome:
    """Take one file in. Raises ConfigError for a file that is no table, LedgerError otherwise LedgerError."""
    outcome = Outcome(str(path), sha256_of(path), wanted.source, wanted.kind)
    request = _request(path, outcome.sha256, wanted)
    check_source(ledger, request)
    if not wanted.rejudge and (before := earlier(ledger, request)) is not None:
        outcome.before = before
        return outcome
    known = Known(history(ledger), wanted)
    try:
        named = wanted.shape.endpoint and known.endpoint(wanted.shape.endpoint)
    except ValueError as error:
        raise ConfigError([Problem(str(path), None, "--endpoint", str(error))]) from None
    try:
        if wanted.kind == "checks":
            _checks(ledger, path, wanted, request, known, outcome, progress)
        else:
            _outages(ledger, path, wanted, request, known, outcome, named)
    except NothingTaken:
        outcome.nothing_taken = True
    return outcome


def _request(path: Path, sha256: str, wanted: Wanted) -> Request:
    shape, judged = wanted.shape, wanted.overrides.judged()
    options = {
        "columns": dict(shape.columns),
        "verdicts": dict(shape.verdicts),
        "zone": None if shape.zone is None else shape.zone.key,
        "unit": shape.unit,
        "latency_unit": shape.latency_unit,
        "no_verdict": shape.no_verdict,
        "endpoint": shape.endpoint,
        "location": shape.location,
        "observed": None if wanted.observed is None else list(wanted.observed),
        "judged": judged,
    }
    return Request(
        wanted.kind, wanted.source, path.name, sha256, wanted.at_ms, wanted.actor, options, judged, wanted.rejudge
    )


class Known:
    """Which endpoints there are, and how each is judged; a service of one endpoint stands for it."""

    def __init__(self, definitions: tuple[Definition, ...], wanted: Wanted) -> None:
        self._wanted, self._definitions = wanted, definitions
        self._endpoints = {d.id for d in definitions if d.kind == "endpoint"}
        self._services = {d.id for d in definitions if d.kind == "service"}
        self._named: dict[str, str] = {}

    def endpoint(self, name: str) -> str:
        """The endpoint that a row speaks of. Raises ValueError."""
        if name not in self._named:
            self._named[name] = self._find(name)
        return self._named[name]

    def _find(self, name: str) -> str:
        if name in self._endpoints:
            return name
        if name in self._services:
            members = composition_of(name, self._definitions).endpoints
            if len(members) == 1:
                return members[0]
            words = f"{name!r} is a service of several endpoints: {', '.join(members)}"
            raise ValueError(f"{words}; name the one that this was seen of")
        if self._wanted.create:
            return name
        if nearest(name, self._endpoints) is not None:
            raise ValueError(unknown_name("endpoint", name, self._endpoints, "endpoints"))
        words = f"no endpoint {name!r} is defined; define it under endpoints: and run `nines config apply`"
        raise ValueError(f"{words}, or give --create" if self._wanted.kind == "checks" else words)

    def methods(self, endpoint: str) -> Methods:
        """How it is judged, from when on: its definitions' method, overridden where the import says so."""
        over = self._wanted.overrides
        versions = [d for d in self._definitions if d.kind == "endpoint" and d.id == endpoint and d.body is not None]
        if not versions:
            interval_ms = over.interval_ms or 60_000  # --create asks for --interval
            return ((0, over.over(Method(interval_ms, min(DEFAULT_TIMEOUT_MS, interval_ms)))),)
        return tuple((d.known_from_ms, over.over(endpoint_of(endpoint, d.body or {}).judge_method())) for d in versions)


def _checks(
    ledger: Ledger,
    path: Path,
    wanted: Wanted,
    request: Request,
    known: Known,
    outcome: Outcome,
    progress: Progress,
) -> None:
    file, size = checks_file(path, wanted.shape), path.stat().st_size

    def rows() -> Iterator[CheckRow]:
        for row in read_checks(file, wanted.shape, now_ms=wanted.at_ms):
            if not outcome.rows % 5_000:
                progress("reading", file.bytes_read, size)
            outcome.rows += 1
            if isinstance(row, CheckSeen) and (endpoint := _endpoint(row, known, file, outcome)) is not None:
                yield endpoint, row.location, row.check
            elif isinstance(row, Refusal):
                _refuse(outcome, row)
        _finish(file, wanted, outcome)

    outcome.taken = import_checks(
        ledger, request, rows(), methods=known.methods, refused=lambda: outcome.refused, progress=progress
    )


def _outages(
    ledger: Ledger,
    path: Path,
    wanted: Wanted,
    request: Request,
    known: Known,
    outcome: Outcome,
    named: str | None,
) -> None:
    file = outages_file(path, wanted.shape)

    def rows() -> Iterator[OutageRow]:
        for row in read_outages(file, wanted.shape, now_ms=wanted.at_ms, observed=wanted.observed):
            outcome.rows += 1
            if isinstance(row, OutageSeen) and (endpoint := _endpoint(row, known, file, outcome)) is not None:
                yield OutageRow(endpoint, row.location, row.from_ms, row.to_ms, row.cause, row.text, row.note)
            elif isinstance(row, Refusal):
                _refuse(outcome, row)
        _finish(file, wanted, outcome)

    places = [(named, wanted.shape.location)] if named and wanted.observed else []
    outcome.taken = import_outages(
        ledger, request, rows(), observed=wanted.observed, places=places, refused=lambda: outcome.refused
    )


def _endpoint(row: CheckSeen | OutageSeen, known: Known, file: HistoryFile, outcome: Outcome) -> str | None:
    try:
        endpoint = known.endpoint(row.endpoint)
    except ValueError as error:
        _refuse(outcome, Refusal(str(file.path), row.line, str(error)))
        return None
    if row.location != "local":
        outcome.elsewhere.add(row.location)
    return endpoint


def _refuse(outcome: Outcome, refusal: Refusal) -> None:
    outcome.refused += 1
    if len(outcome.refusals) < LISTED:
        outcome.refusals.append(refusal)


def _finish(file: HistoryFile, wanted: Wanted, outcome: Outcome) -> None:
    """The last row was read: is it still the file that was asked for, and is it to be taken?"""
    outcome.read_over = tuple(file.read_over)
    fault = None
    if file.sha256 != outcome.sha256:
        fault = "changed while it was read; import it again when nobody writes to it"
    elif not outcome.rows and not (wanted.observed and wanted.shape.endpoint):
        fault = "holds no row; where nothing was seen down, say --observed FROM/TO and --endpoint ID"
    if fault is not None:
        raise ConfigError([Problem(str(file.path), None, "", fault)])
    if wanted.strict and outcome.refused:
        raise NothingTaken


def as_data(outcome: Outcome) -> dict[str, Any]:
    """One file of `nines/import/1`."""
    found = outcome.before
    counts: Mapping[str, int] = (
        {**outcome.taken.counts(), "refused": outcome.refused} if found is None else found.counts
    )
    return {
        "file": outcome.file,
        "sha256": outcome.sha256,
        "kind": outcome.kind,
        "source": outcome.source,
        "import": outcome.taken.import_id if found is None else found.id,
        "changed": outcome.taken.import_id is not None,
        "imported_before_ms": None if found is None else found.at_ms,
        "nothing_taken": outcome.nothing_taken,
        "counts": dict(counts),
        "endpoints": json.loads(json.dumps(outcome.taken.endpoints)),
        "refused": [{"line": refusal.line, "message": refusal.message} for refusal in outcome.refusals],
        "read_over": list(outcome.read_over),
    }
