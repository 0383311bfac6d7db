"""`nines person ...`: who is on record, what is held of them, and how they are forgotten."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ledger.erasure import AlreadyErased, Erasure, Plan, erase_person, plan
from ledger.naming import Naming
from ledger.persons import Person, held_of, os_user, persons
from nines.cli.apply import login_name
from nines.cli.journal import say_of_log
from nines.cli.output import format_option, print_json, print_table, say
from nines.cli.places import Place
from nines.clock import now_ms
from reporting.wording import iso_utc


@click.group("person")
def person_command() -> None:
    """Who acts. Names stand in one table; everything else names an opaque id.

    \b
    nines person list
    nines person export P-2X7... --out person.json
    nines person erase P-2X7...
    """


@person_command.command("list")
@format_option("table", "json")
@click.pass_obj
def list_persons(place: Place, form: str) -> None:
    """Everybody on record, the oldest first; who was erased is an id and a date.

    \b
    nines person list --format json
    """
    with place.open_ledger() as ledger:
        found = persons(ledger)
    if form == "json":
        print_json([asdict(person) for person in found])
        return
    rows = [_row(person) for person in found]
    heads = ("id", "name", "login", "since", "decisions", "erased")
    print_table(heads, rows, right=(4,), empty="nobody has decided anything yet")


def _row(person: Person) -> list[str]:
    erased = "" if person.erased_ms is None else iso_utc(person.erased_ms)
    return [
        *(person.id, person.name or "-", person.os_user or "-", iso_utc(person.created_ms)),
        *(str(person.records), erased),
    ]


@person_command.command("show")
@click.argument("person")
@format_option("table", "json")
@click.pass_obj
def show(place: Place, person: str, form: str) -> None:
    """One person, by id, login or name: what is held, in short. `nines person export` has it in full.

    \b
    nines person show P-2X7...
    """
    with place.open_ledger() as ledger:
        held = held_of(ledger, person)
    if form == "json":
        print_json({**held["person"], "exclusions": len(held["exclusions"]), "named_in": held["named_in"]})
        return
    told = held["person"]
    say(f"{told['id']}  {told['name'] or '-'}  login {told['os_user'] or '-'}")
    counts = f"{told['records']} decisions, {len(held['exclusions'])} exclusions"
    say(f"on record since {iso_utc(told['created_ms'])}; {counts}")
    if told["erased_ms"] is not None:
        say(f"erased {iso_utc(told['erased_ms'])}")
    for naming in held["named_in"]:
        say(f"named in {naming['table']} {naming['id']}: {naming['column']}")


@person_command.command("export")
@click.argument("person")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="A new file, mode 0600.")
@click.pass_obj
def export(place: Place, person: str, out: Path | None) -> None:
    """Everything the ledger holds of a person, as JSON: the row, their decisions with bodies, exclusions, namings.

    \b
    nines person export P-2X7...
    nines person export jdoe --out jdoe.json
    """
    with place.open_ledger() as ledger:
        held = held_of(ledger, person)
    if out is None:
        print_json(held)
        return
    _write_private(out, held)
    say(f"{out}: {len(held['journal'])} records, {len(held['exclusions'])} exclusions")


def _write_private(path: Path, value: Any) -> None:
    """A new file that its owner alone may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{path} exists and stays as it is; remove it or name another file") from None
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


@person_command.command("erase")
@click.argument("person")
@click.option("--keep", multiple=True, type=click.IntRange(1), metavar="SEQ", help="A record that means somebody else.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option("text", "json")
@click.pass_obj
def erase(place: Place, person: str, keep: tuple[int, ...], yes: bool, form: str) -> None:
    """Forget a person: name and login go, and the bodies of records that hold them. The opaque id stays.

    Decisions stand, by an id that nobody can be found by any more. Erased twice, it says so. Backups are not touched.

    \b
    nines person erase P-2X7...
    nines person erase jdoe --keep 12 --yes
    """
    with place.open_ledger() as ledger:
        found = plan(ledger, person)
        if found.person.erased_ms is not None:
            _tell_again(found.person, form)
            return
        if not yes:
            say(*_plan_lines(found, keep), err=True)
            click.confirm(f"Erase {found.person.id} for good?", abort=True, err=True)
        at_ms = now_ms()
        actor = os_user(ledger, login_name(), at_ms=at_ms)
        try:
            done = erase_person(ledger, found.person.id, keep=keep, at_ms=at_ms, actor=actor)
        except AlreadyErased as error:  # by somebody else, meanwhile
            raise click.ClickException(str(error)) from None
    _tell(found.person.id, done, at_ms, form)


def _plan_lines(found: Plan, keep: tuple[int, ...]) -> list[str]:
    person = found.person
    going = [str(seq) for seq in found.bodies if seq not in keep]
    bodies = (
        f"the bodies of journal records {', '.join(going)} name them and go" if going else "no record's body names them"
    )
    return [f"{person.id}: name {person.name or '-'}, login {person.os_user or '-'}; {bodies}", *_left(found.elsewhere)]


def _left(named: tuple[Naming, ...]) -> list[str]:
    return [f"still named in {naming.table} {naming.id}: {naming.column}; it stays as it is" for naming in named]


def _tell_again(person: Person, form: str) -> None:
    assert person.erased_ms is not None
    if form == "json":
        print_json({"person": person.id, "erased_ms": person.erased_ms, "bodies": [], "already": True})
        return
    say(f"{person.id} was erased before, {iso_utc(person.erased_ms)}; nothing is left to do")


def _tell(id: str, done: Erasure, at_ms: int, form: str) -> None:
    if form == "json":
        named = [asdict(naming) for naming in done.still_named]
        print_json(
            {"person": id, "erased_ms": at_ms, "bodies": list(done.bodies), "already": False, "still_named": named}
        )
    else:
        say(f"{id} is erased, and with it the bodies of {len(done.bodies)} records; record {done.head.seq} says so")
        say(*_left(done.still_named))
    say_of_log(log_emptied=done.log_emptied)
