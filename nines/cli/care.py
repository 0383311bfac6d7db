"""`nines db ...`: care for the ledger."""

from __future__ import annotations

import click

from ledger.store import open_ledger
from nines.cli.output import say
from nines.cli.places import Place
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
