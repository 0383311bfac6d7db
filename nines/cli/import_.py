"""`nines import ...`: history that others recorded, beside what this program sees itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import click

from config import units
from config.importers import CHECK_COLUMNS, OUTAGE_COLUMNS, VERDICTS, Shape, Unit, instant_ms
from config.problems import ConfigError
from ledger.import_judging import FOREVER_MS
from ledger.persons import os_user
from nines.cli.apply import login_name
from nines.cli.output import Command, format_option, print_json, say
from nines.cli.places import Place
from nines.clock import now_ms
from nines.importing import Outcome, Overrides, Progress, Wanted, as_data, import_file
from reporting.wording import plain
from sla import period as periods
from sla.facts import Verdict
from sla.spans import Span

SHOWN = 20  # refused rows in the summary; --format json has them all


class _Typed(click.ParamType[Any]):
    """A value read as the config file reads it."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _hold_ms(text: str) -> int:
    return FOREVER_MS if text == "forever" else _some_ms(text)


def _some_ms(text: str) -> int:
    found = units.duration_ms(text)
    if not 1_000 <= found <= 366 * units.DAY_MS:
        raise ValueError(f"{text} is not between 1 s and 366 days; write e.g. 60 s")
    return int(found)


def _pair(text: str) -> tuple[str, str]:
    left, found, right = text.partition("=")
    if not found or not left or not right:
        raise ValueError(f"{text!r} is no pair; write e.g. NAME=VALUE")
    return left, right


DURATION = _Typed("duration", _some_ms)
HOLD = _Typed("duration|forever", _hold_ms)
ZONE = _Typed("zone", lambda text: ZoneInfo(units.zone_name(text)))
PAIR = _Typed("name=value", _pair)


@click.group("import")
def import_command() -> None:
    """History in: checks and outages that others recorded. Importing a file again changes nothing.

    \b
    nines import checks checks.jsonl
    nines import outages outages.csv --observed 2026-10
    """


def _shared(default_source: str) -> Callable[[Command], Command]:
    """The options that both kinds of file have."""
    options = (
        click.option("--endpoint", metavar="ID", help="For rows that name no endpoint."),
        click.option(
            "--source", default=default_source, show_default=True, help="All files of a source are one history."
        ),
        click.option("--location", default="local", show_default=True, help="For rows that name no location."),
        click.option(
            "--column", "columns", multiple=True, type=PAIR, metavar="NAME=COLUMN", help="What the file calls a column."
        ),
        click.option(
            "--zone", type=ZONE, metavar="ZONE", help="Of times that are written without an offset, e.g. UTC."
        ),
        click.option(
            "--unit", type=click.Choice(["ms", "s"]), default="ms", show_default=True, help="Of times that are numbers."
        ),
        click.option("--strict", is_flag=True, help="Take nothing when a row is refused."),
        format_option("text", "json"),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


FILES = click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@import_command.command("checks")
@FILES
@_shared("imported-checks")
@click.option(
    "--verdict", "verdicts", multiple=True, type=PAIR, metavar="WORD=VERDICT", help="What a word of the file means."
)
@click.option(
    "--no-verdict",
    type=click.Choice(["refuse", "unknown"]),
    default="refuse",
    show_default=True,
    help="A row without one.",
)
@click.option(
    "--latency-unit", type=click.Choice(["ms", "s"]), default="ms", show_default=True, help="Of response times."
)
@click.option("--interval", type=DURATION, help="Instead of the endpoint's; needed with --create.")
@click.option("--timeout", type=DURATION, help="Instead of the endpoint's.")
@click.option("--confirm", type=click.IntRange(1, 100), help="Failures in a row that make an outage.")
@click.option("--recover", type=click.IntRange(1, 100), help="Good checks in a row that end one.")
@click.option("--hold", type=HOLD, help="How long one check vouches for, unless the next comes earlier; or forever.")
@click.option("--rejudge", is_flag=True, help="Judge all of the source anew by these settings.")
@click.option("--create", is_flag=True, help="Take endpoints that are not in the config yet; needs --interval.")
@click.pass_obj
def checks(place: Place, /, files: Sequence[Path], form: str, **given: Any) -> int:
    """Checks of another monitor, judged as live ones are. Exit 2 when a row is refused; the others are taken.

    \b
    FILE has one check a line, in any order: JSON lines, or CSV with a head row; gzip is read too.
    {"endpoint": "shop", "at": 1790000040000, "verdict": "down", "latency_ms": 120, "error": "http_status"}
    at: ms since 1970, or 2026-10-05T10:00:00Z    verdict: up, degraded, down, unknown    location: optional

    \b
    nines import checks october.jsonl november.jsonl
    nines import checks log.csv --endpoint shop --column at=time --zone UTC \\
        --column verdict=result --verdict success=up --verdict failed=down
    nines import checks changes.jsonl --source old-monitor --hold forever --confirm 1
    """
    if given["create"] and given["interval"] is None:
        raise click.UsageError("--create needs --interval: nothing says yet how often such an endpoint is checked")
    names = {"interval_ms": "interval", "timeout_ms": "timeout", "confirm": "confirm", "recover": "recover"}
    overrides = Overrides(**{name: given[option] for name, option in names.items()}, hold_ms=given["hold"])
    told = dict(given["verdicts"])
    if wrong := next((verdict for verdict in told.values() if verdict not in VERDICTS), None):
        raise click.UsageError(f"--verdict: {wrong!r} is no verdict; write e.g. failed=down")
    shape = _shape(given, CHECK_COLUMNS, verdicts=cast(dict[str, Verdict], told))
    wanted = {"create": given["create"], "rejudge": given["rejudge"], "overrides": overrides}
    return _import(place, files, form, "checks", shape, given, wanted)


@import_command.command("outages")
@FILES
@_shared("imported-outages")
@click.option("--observed", metavar="PERIOD", help="FROM/TO or e.g. 2026-10: the source watched all of it.")
@click.pass_obj
def outages(place: Place, /, files: Sequence[Path], form: str, observed: str | None, **given: Any) -> int:
    """Outages that others saw. They count where no live check looked. Exit 2 when a row is refused.

    \b
    FILE is CSV with a head row, or JSON lines; rows that overlap or touch are one outage:
    endpoint,start,end,cause,text,note
    shop,2026-10-05T10:00:00Z,2026-10-05T10:40:00Z,network,Our uplink was cut.,ticket 4711

    Time outside these outages stays unknown, unless --observed says that the source watched it. Cause and text are
    printed in statements, the note is not.

    \b
    nines import outages provider.csv
    nines import outages provider.csv --source provider --observed 2026-10 --zone Europe/Berlin
    nines import outages log.csv --observed 2026-10-05T00:00:00Z/2026-10-05T12:00:00Z
    """
    shape = _shape(given, OUTAGE_COLUMNS)
    span = None if observed is None else _observed(observed, shape.zone)
    return _import(place, files, form, "outages", shape, given, {"observed": span})


def _shape(given: dict[str, Any], known: Sequence[str], *, verdicts: dict[str, Verdict] | None = None) -> Shape:
    columns = dict(given["columns"])
    if wrong := next((name for name in columns if name not in known), None):
        raise click.UsageError(f"--column: {wrong!r} is not one of {', '.join(known)}; write e.g. {known[1]}=time")
    return Shape(
        columns=columns,
        verdicts=verdicts or {},
        zone=given["zone"],
        unit=cast(Unit, given["unit"]),
        latency_unit=cast(Unit, given.get("latency_unit", "ms")),
        no_verdict=given.get("no_verdict", "refuse"),
        endpoint=given["endpoint"],
        location=given["location"],
    )


def _observed(text: str, zone: ZoneInfo | None) -> Span:
    """A period as everywhere else (dates are midnights of --zone, UTC without one), or two instants."""
    try:
        if "T" in text:
            ends = [instant_ms("--observed", part, zone=zone) for part in text.split("/")]
            if len(ends) != 2 or ends[1] <= ends[0]:
                raise ValueError(f"--observed {text!r} is no span; write FROM/TO, the later one last")
            found = (ends[0], ends[1])
        else:
            period = periods.parse(text, zone.key if zone else "UTC")
            found = (period.from_ms, period.to_ms)
    except (ValueError, periods.PeriodError) as error:
        raise click.UsageError(str(error)) from None
    if found[1] > now_ms():
        raise click.UsageError(f"--observed {text} ends in the future; write FROM/TO with an end that is past")
    return found


def _import(
    place: Place, files: Sequence[Path], form: str, kind: Any, shape: Shape, given: dict[str, Any], more: dict[str, Any]
) -> int:
    told: list[dict[str, Any]] = []
    failed = False
    with place.open_ledger() as ledger:
        at_ms = now_ms()
        actor = os_user(ledger, login_name(), at_ms=at_ms)
        wanted = Wanted(kind, given["source"], shape, at_ms, actor, strict=given["strict"], **more)
        for path in files:
            try:
                with _bar(path) as progress:
                    outcome = import_file(ledger, path, wanted, progress=progress)
            except ConfigError as error:
                failed = True
                told.append({"file": str(path), "problems": [str(problem) for problem in error.problems]})
                say(*(str(problem) for problem in error.problems), err=True)
                continue
            failed = failed or bool(outcome.refused)
            told.append(as_data(outcome))
            if form == "text":
                _summary(outcome)
    if form == "json":
        print_json({"schema": "nines/import/1", "files": told})
    return 2 if failed else 0


def _summary(outcome: Outcome) -> None:
    for refusal in outcome.refusals[:SHOWN]:
        say(f"refused: {refusal}", err=True)
    if outcome.refused > SHOWN:
        say(f"refused: {outcome.refused - SHOWN} more rows; --format json lists them", err=True)
    if outcome.before is not None:
        say(f"{outcome.file}: was imported before, as {outcome.before.id} ({outcome.before.file}); nothing changes")
        return
    if outcome.nothing_taken:
        say(f"{outcome.file}: {outcome.refused} rows refused, and so nothing was taken (--strict)")
        return
    taken = outcome.taken
    words = f"{taken.rows} rows: {taken.new} new, {taken.known} on record before, {taken.repeated} twice in the file"
    record = f"{taken.import_id}, source {outcome.source}" if taken.import_id else "nothing changes"
    say(f"{outcome.file}: {words}, {outcome.refused} refused; {record}")
    if taken.differing:
        say(f"  {taken.differing} instants have two verdicts; the worse one holds")
    if outcome.read_over:
        say(f"  columns read over: {', '.join(outcome.read_over[:12])}")
    if outcome.elsewhere:
        say(
            f"  location {', '.join(sorted(outcome.elsewhere))}: it has a voice where an endpoint's `locations` name it"
        )
    for told in taken.endpoints:
        before, after = told["before"], told["after"]
        say(
            f"  {told['endpoint']}: {before['outages']} -> {after['outages']} outages, "
            f"{_hours(before['down_ms'])} -> {_hours(after['down_ms'])} down, "
            f"{_hours(before['covered_ms'])} -> {_hours(after['covered_ms'])} covered"
        )


def _hours(ms: int) -> str:
    """`1 h 02 min 03 s`, cut to the second."""
    hours, rest = divmod(ms // 1000, 3600)
    return f"{hours} h {rest // 60:02d} min {rest % 60:02d} s"


@contextmanager
def _bar(path: Path) -> Iterator[Progress]:
    """A bar for each step on a terminal; nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda what, done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(plain(f"{path.name}: {what}"), total=of)
            bar.update(tasks[what], completed=done, total=of)

        yield told
