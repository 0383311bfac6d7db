"""`nines db ...`: care for the ledger."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ledger.backup import Backup, back_up, note_backup
from ledger.errors import DamagedDatabase, LedgerError, NotADatabase
from ledger.opening import path_of
from ledger.restore import Plan, Restored, restoring
from ledger.soundness import RESTORE, Finding, check
from ledger.store import open_ledger
from nines.cli.apply import login_name
from nines.cli.meter import meter
from nines.cli.output import format_option, print_json, say
from nines.cli.places import Place
from nines.cli.prune import prune_command
from nines.clock import now_ms

_MIB = 1 << 20


@click.group("db")
def db_command() -> None:
    """The ledger's database: see also `nines doctor`."""


@db_command.command("check")
@format_option("table", "json")
@click.pass_obj
def check_command(place: Place, form: str) -> int:
    """Examine everything, beside a running daemon. Exit 1 when something is bad; a warning alone is 0.

    \b
    nines db check
    nines --db backup.db db check --format json
    """
    findings = _examined(place)
    if form == "json":
        print_json([asdict(finding) for finding in findings])
    else:
        _say(findings)
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def _examined(place: Place) -> list[Finding]:
    """A file too damaged to be opened is a finding as well; one that is missing, locked or newer is an error."""
    try:
        with place.open_ledger() as ledger, meter() as progress:
            return check(ledger, at_ms=now_ms(), progress=progress)
    except (DamagedDatabase, NotADatabase) as error:
        return [Finding("database", "bad", str(error), RESTORE)]


def _say(findings: list[Finding]) -> None:
    for finding in findings:
        say(f"{finding.state:<9}{finding.subject:<12}{finding.found}")
        if finding.advice:
            say(f"{'':<21}do: {finding.advice}")


@db_command.command("migrate")
@click.pass_obj
def migrate(place: Place) -> None:
    """Bring an older ledger to this version; a copy is kept beside it first. `nines run` does it by itself.

    Each step is done whole or not at all; one that was broken off goes on when it is run again.

    \b
    nines db migrate
    nines --db /var/lib/nines/nines.db db migrate
    """
    with meter() as progress, open_ledger(place.database, at_ms=now_ms(), migrate=True, progress=progress) as ledger:
        say(f"{place.database}: ledger {ledger.id} is of this version")


db_command.add_command(prune_command)


@db_command.command("backup")
@click.argument("to", metavar="FILE|DIR", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(1), help="In DIR: delete older backups of this ledger, but for so many.")
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@format_option("text", "json")
@click.pass_obj
def backup_command(place: Place, to: Path, keep: int | None, force: bool, form: str) -> None:
    """Copy the ledger while the daemon writes, read the copy again, and give it its name when it is whole.

    In DIR its name is nines-LEDGER-TIME.db.

    \b
    nines db backup /var/backups/nines --keep 14
    nines db backup before-upgrade.db
    """
    if keep is not None and not to.is_dir():
        raise click.UsageError(f"--keep needs a folder, and {to} is none; make it, or leave --keep out")
    at_ms = now_ms()
    with place.open_ledger() as ledger:
        with meter() as progress:
            made = back_up(ledger, to, at_ms=at_ms, keep=keep, force=force, progress=progress)
        try:
            note_backup(ledger, at_ms)
        except LedgerError as error:
            say(f"the backup is whole, but the ledger could not note it: {error}", err=True)
    if form == "json":
        print_json(_backup_as_data(made))
    else:
        _say_backup(made)


def _backup_as_data(made: Backup) -> dict[str, object]:
    return {**asdict(made), "path": str(made.path), "removed": [str(path) for path in made.removed]}


def _say_backup(made: Backup) -> None:
    size = f"{made.size / _MIB:.1f} MiB, {made.rows} rows"
    say(f"{made.path}: ledger {made.ledger_id}, revision {made.revision}, {size}; verified")
    for path in made.removed:
        say(f"{path}: deleted, newer ones are kept")


@db_command.command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--other-ledger", is_flag=True, help="Take a backup of another ledger than the one that is there.")
@click.pass_obj
def restore_command(place: Place, source: Path, yes: bool, other_ledger: bool) -> None:
    """Put a backup in the place of the ledger, once it has passed everything that `nines db check` examines.

    Stop the daemon first. The ledger that is there now is kept beside it.

    \b
    nines db restore /var/backups/nines/nines-1a2b3c4d-20261101T020000Z.db
    nines --db /var/lib/nines/nines.db db restore backup.db --yes
    """
    database = path_of(place.database)
    with (
        meter() as progress,
        restoring(source, database, at_ms=now_ms(), other_ledger=other_ledger, progress=progress) as plan,
    ):
        _say_plan(plan)
        if not yes and not _agreed():
            raise click.ClickException("nothing was replaced; --yes does it without asking")
        done = plan.place(at_ms=now_ms(), login=login_name())
    _say_restored(plan, done)


def _agreed() -> bool:
    """Asked on a terminal; nobody is there to answer elsewhere."""
    asked = sys.stdin is not None and sys.stdin.isatty()
    return asked and click.confirm("Put it there?", default=False, err=True)


def _say_plan(plan: Plan) -> None:
    say(f"{plan.source}: ledger {plan.ledger_id}, revision {plan.revision}, {plan.rows} rows; sound")
    _say([finding for finding in plan.findings if finding.state != "ok"])
    if plan.present.damaged:
        say(f"{plan.database}: cannot be read, so that nobody knows whether it is the same ledger; it is kept as it is")
    elif plan.present.there:
        say(f"{plan.database}: ledger {plan.present.ledger_id}; it is kept beside")


def _say_restored(plan: Plan, done: Restored) -> None:
    say(f"{done.path}: restored; journal record {done.record.seq} says so")
    if done.kept is not None:
        say(f"{done.kept}: the ledger as it was")
    if plan.is_older:
        say(f"it is of revision {plan.revision}: the next `nines run` or `nines db migrate` brings it to this version")
    if plan.shortens:
        say(
            "records made since the backup are gone: `nines journal verify --anchor` will tell so by anchors made since"
        )
