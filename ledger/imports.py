"""History in: the checks and outages of others, taken beside the live ones and never in their place.

Rows are staged in a temporary table (any order, any number, each key once), written in bounded chunks under their
source, and then everything that the source says of an endpoint is judged anew by the judge of live checks. So the same
outages follow however the rows were ordered, repeated or split into files, and a file that broke off is finished by
importing it again. An instant with two verdicts takes the worse, as time with two readings does; seen beats unseen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from ledger.import_judging import CHUNK, TABLES, Layout, Methods, Place, begin, figures, judge_checks, take_over
from ledger.import_records import Request, check_source, importing, record, source_number
from ledger.numbers import Numbers
from ledger.query import all_rows, first_row, run, run_many, scalar
from ledger.recording import VERDICTS
from ledger.store import Ledger
from sla.judge import Check
from sla.spans import Span, Spans

__all__ = ["CheckRow", "OutageRow", "Progress", "Request", "Taken", "import_checks", "import_outages"]

CheckRow = tuple[str, str, Check]  # endpoint, location, check
Progress = Callable[[str, int, int], object]  # what is going on ("writing", "judging"), done, of how many
_RANK = "((%s.verdict + 1) %% 4)"  # unknown 0, up 1, degraded 2, down 3
_WORSE = (
    f"({_RANK}, COALESCE(%s.error, ''), COALESCE(%s.latency_ms, -1)) > "
    f"({_RANK}, COALESCE(%s.error, ''), COALESCE(%s.latency_ms, -1))"
)


def _worse(new: str, old: str) -> str:
    """Whether one row of checks wins over another of the same instant: the same whichever came first."""
    return _WORSE % (new, new, new, old, old, old)


_STAGE_TABLE = """CREATE TEMPORARY TABLE staged_check (place INTEGER NOT NULL, at_ms BIGINT NOT NULL,
verdict INTEGER NOT NULL, latency_ms INTEGER, error TEXT, differing INTEGER NOT NULL, PRIMARY KEY (place, at_ms))"""
_STAGE = f"""INSERT INTO staged_check (place, at_ms, verdict, latency_ms, error, differing)
VALUES (:place, :at_ms, :verdict, :latency_ms, :error, 0)
ON CONFLICT (place, at_ms) DO UPDATE SET
differing = staged_check.differing + CASE WHEN excluded.verdict = staged_check.verdict THEN 0 ELSE 1 END,
verdict = CASE WHEN {_worse("excluded", "staged_check")} THEN excluded.verdict ELSE staged_check.verdict END,
latency_ms = CASE WHEN {_worse("excluded", "staged_check")} THEN excluded.latency_ms ELSE staged_check.latency_ms END,
error = CASE WHEN {_worse("excluded", "staged_check")} THEN excluded.error ELSE staged_check.error END"""
_RANGE = "s.place = :place AND s.at_ms > :after AND s.at_ms <= :upto"
_ON_RECORD = "i.endpoint = :endpoint AND i.location = :location AND i.source = :source AND i.at_ms = s.at_ms"
_TRANSFER = f"""INSERT INTO imported_check (endpoint, location, source, at_ms, verdict, latency_ms, error)
SELECT :endpoint, :location, :source, s.at_ms, s.verdict, s.latency_ms, s.error FROM staged_check AS s
WHERE {_RANGE} ORDER BY s.at_ms ON CONFLICT (endpoint, location, source, at_ms) DO UPDATE
SET verdict = excluded.verdict, latency_ms = excluded.latency_ms, error = excluded.error
WHERE {_worse("excluded", "imported_check")}"""


@dataclass(frozen=True, slots=True)
class OutageRow:
    """One outage that somebody else reported, over by now. `cause` and `text` are for the client; `note` is ours."""

    endpoint: str
    location: str
    from_ms: int
    to_ms: int
    cause: str = ""
    text: str = ""
    note: str = ""


@dataclass(slots=True)
class Taken:
    """What became of a file's rows. `import_id` is None where the ledger already held everything in it.

    `rows` = `new` + `repeated` (twice in the file) + `known` (on record before). `differing`: instants with two
    verdicts, of which the worse holds (then `replaced` counts those on record that gave way). `endpoints`: figures
    before and after, by endpoint and location.
    """

    import_id: str | None = None
    rows: int = 0
    new: int = 0
    repeated: int = 0
    known: int = 0
    replaced: int = 0
    differing: int = 0
    endpoints: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The figures that are numbers."""
        names = ("rows", "new", "repeated", "known", "replaced", "differing")
        return {name: getattr(self, name) for name in names}


def import_checks(
    ledger: Ledger,
    request: Request,
    rows: Iterable[CheckRow],
    *,
    methods: Callable[[str], Methods],
    refused: Callable[[], int] = int,
    progress: Progress = lambda what, done, of: None,
) -> Taken:
    """Take the rows in and judge them; `methods` says how an endpoint is judged, from when on.

    An exception out of `rows` leaves the ledger as it was. `refused` is asked at the end how many rows never came.
    Raises HistoryError.
    """
    check_source(ledger, request)
    taken = Taken()
    with importing(ledger), _session(ledger) as connection:
        with connection.begin():
            pairs = _stage(connection, rows, taken)
        connection.execution_options(nines_deciding=True)  # from here on every transaction writes
        places = _places(connection, request, pairs)
        for staged, place in enumerate(places):
            _transfer(connection, staged, place, taken, progress)
        taken.repeated = taken.rows - taken.new - taken.known
        connection.execution_options(nines_deciding=False)
        with connection.begin():
            judged = _all_places(connection, request, places) if request.rejudge else places
            for place in judged:
                total = _count(connection, place)
                judge_checks(connection, place, methods(place.names[0]), _told(progress, total))
        connection.execution_options(nines_deciding=True)
        _conclude(connection, ledger, request, judged, taken, refused)
    return taken


def import_outages(
    ledger: Ledger,
    request: Request,
    rows: Iterable[OutageRow],
    *,
    observed: Span | None = None,
    places: Iterable[tuple[str, str]] = (),
    refused: Callable[[], int] = int,
) -> Taken:
    """Take reported outages in. Those of one source that overlap or touch are one outage.

    The source vouches for its outages, and for all of `observed` at each endpoint of the file and of `places`. An
    exception out of `rows` leaves the ledger as it was. Raises HistoryError.
    """
    check_source(ledger, request)
    taken = Taken()
    given = list(rows)
    found = _distinct(given)
    taken.rows, taken.repeated = len(given), len(given) - len(found)
    pairs = dict.fromkeys([*((row.endpoint, row.location) for row in found), *places])
    with importing(ledger), _session(ledger) as connection:
        connection.execution_options(nines_deciding=True)
        named = {place.names[:2]: place for place in _places(connection, request, tuple(pairs))}
        with connection.begin():
            for row in found:
                _keep_outage(connection, named[row.endpoint, row.location], row, taken)
            for place in named.values():
                _lay_outages(connection, place, observed)
            _take_and_record(connection, ledger, request, tuple(named.values()), taken, refused)
    return taken


@contextmanager
def _session(ledger: Ledger) -> Iterator[Connection]:
    """One connection with the temporary tables of an import; they are gone when it ends."""
    with ledger.engine.connect() as connection:
        try:
            with connection.begin():
                run(connection, "DROP TABLE IF EXISTS staged_check")
                run(connection, _STAGE_TABLE)
                begin(connection)
            yield connection
        finally:
            connection.rollback()
            connection.execution_options(nines_deciding=False)
            with connection.begin():
                for table in ("staged_check", *TABLES):
                    run(connection, f"DROP TABLE IF EXISTS {table}")


def _stage(connection: Connection, rows: Iterable[CheckRow], taken: Taken) -> tuple[tuple[str, str], ...]:
    """Every row into the temporary table, each instant once; the (endpoint, location) pairs by their number there."""
    pairs: dict[tuple[str, str], int] = {}
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        taken.rows += len(chunk)
        run_many(
            connection,
            _STAGE,
            [
                {
                    "place": pairs.setdefault((endpoint, location), len(pairs)),
                    "at_ms": check.at_ms,
                    "verdict": VERDICTS.index(check.verdict),
                    "latency_ms": check.latency_ms,
                    "error": check.error,
                }
                for endpoint, location, check in chunk
            ],
        )
    taken.differing = int(scalar(connection, "SELECT COALESCE(SUM(differing), 0) FROM staged_check"))
    return tuple(pairs)


def _places(connection: Connection, request: Request, pairs: Iterable[tuple[str, str]]) -> tuple[Place, ...]:
    """The pairs with their numbers in the ledger, given now where they are new."""
    numbers = Numbers()
    with connection.begin():
        source = source_number(connection, request)
        return tuple(
            Place(
                number,
                numbers.get(connection, "endpoint", endpoint),
                numbers.get(connection, "location", location),
                source,
                (endpoint, location, request.source),
            )
            for number, (endpoint, location) in enumerate(pairs)
        )


def _all_places(connection: Connection, request: Request, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Every place of the source, those of the file first."""
    query = """SELECT DISTINCT c.endpoint, c.location, c.source, e.id AS endpoint_id, l.id AS location_id
FROM imported_check AS c JOIN source AS s ON s.number = c.source JOIN endpoint AS e ON e.number = c.endpoint
JOIN location AS l ON l.number = c.location WHERE s.id = :source ORDER BY 1, 2"""
    known = {(place.endpoint, place.location) for place in places}
    found = all_rows(connection, query, source=request.source)
    more = [row for row in found if (row.endpoint, row.location) not in known]
    added = (
        Place(number, row.endpoint, row.location, row.source, (row.endpoint_id, row.location_id, request.source))
        for number, row in enumerate(more, start=len(places))
    )
    return (*places, *added)


def _transfer(connection: Connection, staged: int, place: Place, taken: Taken, progress: Progress) -> None:
    """Write the staged rows of one place under their source, a bounded transaction for each chunk."""
    upto_query = f"""SELECT MAX(at_ms) FROM (SELECT at_ms FROM staged_check WHERE place = :place AND at_ms > :after
ORDER BY at_ms LIMIT {CHUNK}) AS next"""
    compare = f"""SELECT COUNT(*) AS staged, COUNT(i.at_ms) AS known,
COALESCE(SUM(CASE WHEN i.verdict <> s.verdict THEN 1 ELSE 0 END), 0) AS differing
FROM staged_check AS s LEFT JOIN imported_check AS i ON {_ON_RECORD} WHERE {_RANGE}"""
    after = -1
    while True:
        with connection.begin():
            upto = scalar(connection, upto_query, place=staged, after=after)
            if upto is None:
                return
            limits = {**place.evidence, "place": staged, "after": after, "upto": upto}
            found = first_row(connection, compare, **limits)
            assert found is not None
            written = run(connection, _TRANSFER, **limits).rowcount
        after = upto
        taken.new += found.staged - found.known
        taken.known += found.known
        taken.replaced += written - (found.staged - found.known)
        taken.differing += found.differing
        progress("writing", taken.new + taken.known, taken.rows)


def _count(connection: Connection, place: Place) -> int:
    query = """SELECT COUNT(*) FROM imported_check WHERE endpoint = :endpoint AND location = :location
AND source = :source"""
    return int(scalar(connection, query, **place.evidence))


def _told(progress: Progress, total: int) -> Callable[[int], object]:
    return lambda done: progress("judging", done, total)


def _conclude(
    connection: Connection,
    ledger: Ledger,
    request: Request,
    places: tuple[Place, ...],
    taken: Taken,
    refused: Callable[[], int],
) -> None:
    with connection.begin():
        _take_and_record(connection, ledger, request, places, taken, refused)


def _take_and_record(
    connection: Connection,
    ledger: Ledger,
    request: Request,
    places: tuple[Place, ...],
    taken: Taken,
    refused: Callable[[], int],
) -> None:
    """The judgement becomes the record, with its words in the journal, in the transaction that is under way.

    Where nothing changed there is nothing to put on record.
    """
    changed = 0
    for place in places:
        before = figures(connection, place)
        changed += take_over(connection, ledger, place)
        endpoint, location, _ = place.names
        after = figures(connection, place)
        taken.endpoints.append({"endpoint": endpoint, "location": location, "before": before, "after": after})
    if taken.new or taken.replaced or changed or request.rejudge:
        counts = {**taken.counts(), "refused": refused()}
        taken.import_id = record(connection, ledger, request, counts, taken.endpoints)


def _distinct(rows: Iterable[OutageRow]) -> list[OutageRow]:
    """Each span once; of two that tell it in different words the greater words stay, whichever came first."""
    found: dict[tuple[str, str, int, int], OutageRow] = {}
    for row in rows:
        key = (row.endpoint, row.location, row.from_ms, row.to_ms)
        found[key] = max(found.get(key, row), row, key=_words)
    return list(found.values())


def _words(row: OutageRow) -> tuple[str, str, str]:
    return (row.cause, row.text, row.note)


def _keep_outage(connection: Connection, place: Place, row: OutageRow, taken: Taken) -> None:
    """The reported row as evidence; words on record stay where they are greater."""
    key = {**place.evidence, "from_ms": row.from_ms, "to_ms": row.to_ms}
    where = " AND ".join(f"{name} = :{name}" for name in key)
    found = first_row(connection, f"SELECT cause, text, note FROM imported_outage WHERE {where}", **key)
    words = {"cause": row.cause, "text": row.text, "note": row.note}
    if found is None:
        names = (*key, *words)
        insert = f"INSERT INTO imported_outage ({', '.join(names)}) VALUES (:{', :'.join(names)})"
        run(connection, insert, **key, **words)
        taken.new += 1
        return
    taken.known += 1
    if _words(row) > tuple(found):
        run(
            connection,
            f"UPDATE imported_outage SET cause = :cause, text = :text, note = :note WHERE {where}",
            **key,
            **words,
        )
        taken.replaced += 1


def _lay_outages(connection: Connection, place: Place, observed: Span | None) -> None:
    """The union of what the source reported of the place; it tells of each outage by its longest row."""
    where = "endpoint = :endpoint AND location = :location AND source = :source"
    query = f"SELECT from_ms, to_ms, cause, text FROM imported_outage WHERE {where} ORDER BY from_ms, to_ms"
    rows = all_rows(connection, query, **place.evidence)
    before = all_rows(connection, f"SELECT from_ms, to_ms FROM coverage WHERE {where}", **place.key)
    down = Spans.of((row.from_ms, row.to_ms) for row in rows)
    layout = Layout(connection, place)
    for start, end in Spans.of(
        [*down, *((row.from_ms, row.to_ms) for row in before), *([observed] if observed else [])]
    ):
        layout.covered(start, end, 0)
    first = 0
    for start, end in down:
        after = bisect_right(rows, end, lo=first, key=lambda row: int(row.from_ms))
        told = max(rows[first:after], key=lambda row: int(row.to_ms - row.from_ms))
        layout.interval(
            kind="down", from_ms=start, to_ms=end, first_bad_ms=None, cause=told.cause or None, text=told.text or None
        )
        first = after
    layout.flush()
