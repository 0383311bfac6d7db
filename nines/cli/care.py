"""`nines db ...` and `nines journal ...`: care for the ledger."""

from __future__ import annotations

import click

from ledger import journal
from ledger.store import open_ledger
from nines.cli.output import format_option, print_json, say
from nines.cli.places import Place
from nines.cli.prune import prune_command
from nines.clock import now_ms


@click.group("db")
def db_command() -> None:
    """The ledger's database: see also `nines doctor`."""


@db_command.command("migrate")
@click.pass_obj
def migrate(place: Place) -> None:
    """Bring an older ledger to this version; a copy is kept beside it first. `nines run` does it by itself.

    \b
    nines db migrate
    nines --db /var/lib/nines/nines.db db migrate
    """
    with open_ledger(place.database, at_ms=now_ms(), migrate=True) as ledger:
        say(f"{place.database}: ledger {ledger.id} is of this version")


db_command.add_command(prune_command)


@click.group("journal")
def journal_command() -> None:
    """The record of everything decided."""


@journal_command.command("verify")
@format_option("text", "json")
@click.pass_obj
def verify(place: Place, form: str) -> int:
    """Recompute the chain of hashes. Exit 1 when a record was changed, removed or inserted.

    \b
    nines journal verify
    nines --db backup.db journal verify --format json
    """
    with place.open_ledger() as ledger:
        found = journal.verify(ledger)
    if form == "json":
        print_json({"records": found.records, "problems": list(found.problems)})
    else:
        for fault in found.problems:
            say(fault)
        faults = f"{len(found.problems)} faults" if found.problems else "no accident found"
        say(f"{found.records} records; {faults}; no proof against the owner of the database")
    return 1 if found.problems else 0
