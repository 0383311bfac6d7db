"""`nines db prune`: roll days up and delete old raw checks now; the daemon does it by itself."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

import config.retention as config
from config import units
from ledger import journal
from ledger.persons import os_user
from ledger.retention import Retention, housekeeping, in_words, prunable_days
from ledger.store import Ledger
from nines.cli.apply import login_name
from nines.cli.output import format_option, print_json, progress, say
from nines.cli.places import Place
from nines.clock import now_ms


@click.command("prune")
@click.option("--checks", "age", metavar="AGE", help="Keep raw checks so long (default: as the config says).")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@format_option("text", "json")
@click.pass_obj
def prune_command(place: Place, age: str | None, dry_run: bool, form: str) -> None:
    """Roll days up, delete old raw checks but for the evidence of outages, give space back.

    The daemon does this by itself, a little at a time; both may run at once. Outages, coverage and decisions stay.

    \b
    nines db prune --dry-run
    nines db prune --checks 90d
    """
    retention = _retention(place, age)
    at_ms = now_ms()
    with place.open_ledger() as ledger:
        if dry_run:
            _say_what_would_be(ledger, retention, at_ms, form)
            return
        size = ledger.path.stat().st_size
        with progress("rolling up and deleting"):
            done = Counter({"rolled": 0, "checks": 0, "events": 0, "pages": 0})
            for step in housekeeping(ledger, retention, now_ms=at_ms):
                done[step.what] += step.count
        _record(ledger, retention, done, at_ms)
        freed = size - ledger.path.stat().st_size
    if form == "json":
        print_json({**done, "freed_bytes": freed})
    else:
        smaller = f"; the file is {freed / 1e6:,.1f} MB smaller" if freed > 0 else ""
        say(f"{in_words(done)}{smaller}")


def _retention(place: Place, age: str | None) -> Retention:
    """As the config says, where there is one; raw checks as long as was asked for."""
    own = place.load_config().retention if place.config_path.exists() else config.Retention()
    try:
        checks = own.checks if age is None else config.kept(age)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--checks") from None
    return Retention(checks_ms=config.kept_ms(checks), messages_ms=config.kept_ms(own.messages))


def _say_what_would_be(ledger: Ledger, retention: Retention, at_ms: int, form: str) -> None:
    days = 0 if retention.checks_ms is None else prunable_days(ledger, before_ms=at_ms - retention.checks_ms)
    age = "for ever" if retention.checks_ms is None else units.duration_text(retention.checks_ms)
    if form == "json":
        print_json({"checks_kept_ms": retention.checks_ms, "days": days})
    else:
        say(f"raw checks are kept {age}; of {days} days (of one endpoint each) they would be deleted")


def _record(ledger: Ledger, retention: Retention, done: Counter[str], at_ms: int) -> None:
    """Deleting by hand is a decision: who, when, and how much."""
    body: dict[str, Any] = {"checks_kept_ms": retention.checks_ms, **done}
    actor = os_user(ledger, login_name(), at_ms=at_ms)
    with ledger.decide() as connection:
        journal.append(connection, at_ms=at_ms, actor=actor, action="raw checks deleted", subject="ledger", body=body)
