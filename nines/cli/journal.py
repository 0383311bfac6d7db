"""`nines journal ...`: the record of everything decided, its proof, and its heads kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ledger.journal_check import Verification
from ledger.store import Ledger
from nines.cli.apply import login_name
from nines.cli.meter import meter
from nines.cli.output import format_option, print_json, print_table, say
from nines.cli.places import Place
from nines.clock import now_ms
from reporting.wording import iso_utc

NO_PROOF = "no proof against the owner of the database"


@click.group("journal")
def journal_command() -> None:
    """The record of everything decided, chained by hashes; and its heads kept outside of the database.

    \b
    nines journal list
    nines journal verify
    nines journal anchor --to /mnt/elsewhere/nines.anchors
    nines journal verify --anchor /mnt/elsewhere/nines.anchors
    """


@journal_command.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many.")
@format_option("table", "json")
@click.pass_obj
def list_records(place: Place, limit: int, form: str) -> None:
    """Who decided what, the newest last. In JSON with bodies and hashes, as they are chained.

    \b
    nines journal list
    nines journal list --limit 100000 --format json
    """
    from ledger.journal import newest

    with place.open_ledger() as ledger:
        found = newest(ledger, limit=limit)
        names = _names(ledger)
    if form == "json":
        print_json(found)
        return
    rows = [
        [
            str(each["seq"]),
            iso_utc(each["at_ms"]),
            names.get(each["actor"], each["actor"]),
            each["action"],
            _about(each),
        ]
        for each in found
    ]
    print_table(("seq", "at", "who", "what", "about"), rows, right=(0,), empty="nothing was decided yet")


def _names(ledger: Ledger) -> dict[str, str]:
    from ledger.persons import persons

    return {person.id: (person.name or person.os_user or person.id) for person in persons(ledger)}


def _about(record: dict[str, Any]) -> str:
    return " ".join(str(part) for part in (record["subject"], record["subject_id"]) if part)


@journal_command.command("verify")
@click.option(
    "--anchor",
    "anchor_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Anchors, a statement, a mail with one.",
)
@format_option("text", "json")
@click.pass_obj
def verify(place: Place, anchor_file: Path | None, form: str) -> int:
    """Recompute the chain of hashes. Exit 1 when a record was changed, removed or inserted, or an anchor disagrees.

    Who owns the database can recompute the chain as well. With --anchor the chain is held against heads of it that
    were kept elsewhere: what `nines journal anchor` wrote, a statement, or any text with either in it.

    \b
    nines journal verify
    nines journal verify --anchor statement.json
    nines --db backup.db journal verify --anchor /mnt/elsewhere/nines.anchors --format json
    """
    from ledger.journal_check import verify as verify_chain

    anchors = None if anchor_file is None else _anchors(anchor_file)
    with place.open_ledger() as ledger, meter() as progress:
        found = verify_chain(ledger, anchors=anchors.found if anchors else (), progress=progress)
    unread = () if anchors is None else anchors.unread
    problems = [*found.problems, *(f"{anchor_file}: line {line} holds no whole anchor" for line in unread)]
    if form == "json":
        proven = None if found.proven is None else {"seq": found.proven.seq, "at_ms": found.proven.at_ms}
        print_json({"records": found.records, "problems": problems, "anchors": found.anchors, "proven": proven})
    else:
        say(*problems)
        say(_verdict(found, problems))
    return 1 if problems else 0


def _anchors(path: Path) -> Any:
    """The anchors in a file. Raises ClickException where it has none."""
    from ledger.anchors import EXAMPLE, anchors_in

    found = anchors_in(path.read_bytes())
    if not found.found:
        raise click.ClickException(f"{path}: no anchor is in it; one is a line such as {EXAMPLE}")
    return found


def _verdict(found: Verification, problems: list[str]) -> str:
    """How many records, whether an accident was found, and what is proven against the owner of the database."""
    faults = f"{len(problems)} faults" if problems else "no accident found"
    return f"{found.records} records; {faults}; {_proof(found)}"


def _proof(found: Verification) -> str:
    if found.proven is None:
        return NO_PROOF
    proof = f"proven by an anchor up to record {found.proven.seq} of {iso_utc(found.proven.at_ms)}"
    after = found.records - found.proven.seq
    return proof if after <= 0 else f"{proof}; {NO_PROOF} for the {after} after it"


@journal_command.command("anchor")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Append it to this file.")
@click.option("--syslog", is_flag=True, help="Send it to the system's log.")
@click.pass_obj
def anchor(place: Place, to: Path | None, syslog: bool) -> None:
    """Print the head of the chain as one line of JSON, to be kept where the database's owner cannot write.

    The daemon does it once a day where the config says `journal: {anchor: FILE}` or `journal: {anchor: syslog}`.

    \b
    nines journal anchor
    nines journal anchor --to /mnt/elsewhere/nines.anchors
    nines journal anchor --syslog
    nines journal anchor | ssh witness 'cat >> nines.anchors'
    """
    from ledger.anchors import append_to_file, line_of, send_to_syslog
    from ledger.journal import head

    with place.open_ledger() as ledger:
        newest = head(ledger)
    if newest is None:
        raise click.ClickException(
            "nothing was decided yet, so there is nothing to anchor; `nines config apply` begins"
        )
    line = line_of(newest, at_ms=now_ms())
    if to is not None:
        append_to_file(to, line)
    if syslog:
        send_to_syslog(line)
    click.echo(line)


@journal_command.command("erase")
@click.argument("seq", type=click.IntRange(1))
@click.option("--reason", required=True, help="Kept for good; names nobody.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(place: Place, seq: int, reason: str, yes: bool) -> None:
    """Erase the body of one record: its hash, the reason and the date stay, and the chain holds.

    \b
    nines journal erase 12 --reason "a client's contact in a file name"
    """
    from ledger.erasure import erase_body
    from ledger.persons import os_user

    if not reason.strip():
        raise click.UsageError('--reason is empty; write e.g. --reason "asked for on 3 March"')
    with place.open_ledger() as ledger:
        if not yes:
            click.confirm(f"Erase the body of journal record {seq} for good?", abort=True, err=True)
        at_ms = now_ms()
        done = erase_body(ledger, seq, reason=reason, at_ms=at_ms, actor=os_user(ledger, login_name(), at_ms=at_ms))
    say(f"the body of journal record {seq} is erased; record {done.head.seq} says so")
    say_of_log(log_emptied=done.log_emptied)


def say_of_log(*, log_emptied: bool) -> None:
    if not log_emptied:
        say(
            "the write-ahead log (nines.db-wal) still holds it while others read; it goes when nines next stops",
            err=True,
        )
