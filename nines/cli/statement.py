"""`nines statement`, `report`, `credits` and `explain`: what a period came to, for the client and for finance."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import click

from config.calc_inputs import entered
from ledger import journal
from ledger.store import Ledger
from nines.cli.apply import login_name
from nines.cli.output import format_option, is_terminal, print_json, print_table, progress, say, text_of
from nines.cli.places import Place
from nines.cli.zone import local_zone
from nines.clock import now_ms
from reporting import credits, explain, explain_outage, outages, statements
from reporting.incidents import incidents_of
from reporting.response_times import response_times
from reporting.summary import summary_lines
from sla.canonical import as_json, sha256
from sla.statement import Statement

period_option = click.option(
    "--period",
    default="last",
    show_default=True,
    metavar="PERIOD",
    help="2026-10, 2026-Q4, 2026-W07, 2026, 2026-10-01/2026-10-15 (end exclusive), `this` or `last` month.",
)


inputs_option = click.option(
    "--inputs",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML of what no probe knows, by contract and service: fees, users, request counts, periods before.",
)


def period_text(words: str) -> str:
    """`this` and `last` as a month; everything else as it is. The contract's zone cuts the period later."""
    today = datetime.fromtimestamp(now_ms() / 1000, UTC)
    if words == "this":
        return f"{today:%Y-%m}"
    if words == "last":
        return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    return words


def built(ledger: Ledger, client: str, period: str, inputs: Path | None = None) -> tuple[Statement, ...]:
    """One statement per contract of the client, as of now."""
    return statements.build(
        ledger,
        client,
        period_text(period),
        now_ms=now_ms(),
        version=metadata.version("nines"),
        inputs=entered_in(inputs),
    )


def entered_in(path: Path | None) -> statements.Entered:
    """What a file of inputs holds, by contract and service. Raises ConfigError."""
    return statements.NOTHING if path is None else entered(text_of(str(path)), str(path))


@click.group("statement")
def statement_command() -> None:
    """Statements: drafts now; closing, approving and issuing come with a later version."""


@statement_command.command("build")
@click.argument("client")
@period_option
@inputs_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), help="Default: text on a terminal, else json.")
@click.pass_obj
def build(place: Place, client: str, period: str, inputs: Path | None, form: str | None) -> None:
    """Work out CLIENT's statements of a period as drafts, one per contract, and record that it was done.

    A running period is cut at now and marked provisional.

    \b
    nines statement build acme --period 2026-10
    nines statement build acme --period this --format text
    """
    with place.open_ledger() as ledger:
        drafts = built(ledger, client, period, inputs)
        for draft in drafts:
            _record(ledger, draft, inputs)
    if form == "json" or (form is None and not is_terminal()):
        printed = [as_json(draft) for draft in drafts]
        print_json(printed[0] if len(printed) == 1 else printed)
        return
    for draft in drafts:
        say(*summary_lines(draft))


def _record(ledger: Ledger, draft: Statement, inputs: Path | None) -> None:
    from ledger.persons import os_user

    at_ms = now_ms()
    actor = os_user(ledger, login_name(), at_ms=at_ms)
    with ledger.decide() as connection:
        journal.append(
            connection,
            at_ms=at_ms,
            actor=actor,
            action="statement built",
            subject="statement",
            subject_id=draft.statement_id,
            body={
                "sha256": sha256(as_json(draft)),
                "contract": draft.contract["id"],
                "period": draft.period["label"],
                **({} if inputs is None else {"inputs_sha256": hashlib.sha256(inputs.read_bytes()).hexdigest()}),
            },
        )


@click.command("explain")
@click.argument("client", metavar="CLIENT|outage")
@click.argument("period", metavar="PERIOD|ID")
@inputs_option
@format_option("text", "json")
@click.pass_obj
def explain_command(place: Place, client: str, period: str, inputs: Path | None, form: str) -> None:
    """Every stretch of time of CLIENT's PERIOD, the rule that put it where it is, and the arithmetic to the credit.

    PERIOD: 2026-10, 2026-Q4, 2026-W07, 2026, 2026-10-01/2026-10-15 (end exclusive), `this` or `last` month. Or one
    outage: its evidence, and what it came to in every statement that it touches.

    \b
    nines explain acme 2026-10
    nines explain acme last --format json
    nines explain outage O-7K3F2
    """
    if client == "outage":
        _explain_outage(place, period, form)
        return
    with place.open_ledger() as ledger:
        drafts = built(ledger, client, period, inputs)
    if form == "json":
        print_json([{"contract": draft.contract["id"], "lines": explain.explain_data(draft)} for draft in drafts])
        return
    for draft in drafts:
        for line in explain.explain_lines(draft):
            say(line)


def _explain_outage(place: Place, id: str, form: str) -> None:
    from ledger.outages import outage
    from nines.cli.status import recorded_outage

    with place.open_ledger() as ledger:
        if outage(ledger, id) is None and _explain_service_outage(ledger, id, form):
            return
        found, name = recorded_outage(ledger, id)
        at_ms = now_ms()
        told = explain_outage.effects(ledger, found, now_ms=at_ms, version=metadata.version("nines"))
        incidents = incidents_of(ledger, [found])
    if form == "json":
        (data,) = outages.as_data([found], now_ms=at_ms, incidents=incidents)
        print_json(data | {"effects": explain_outage.effect_data(told)})
        return
    incident = incidents[found.outage.id or ""]
    say(*outages.detail_lines(found, now_ms=at_ms, zone=local_zone(), name=name, incident=incident))
    say(*explain_outage.effect_lines(told, id=id))


def _explain_service_outage(ledger: Ledger, id: str, form: str) -> bool:
    """An id that only statements know: that of a service of several endpoints. False where none has it."""
    at_ms = now_ms()
    with progress(f"looking for {id} in statements"):
        known = explain_outage.of_service(ledger, id, now_ms=at_ms, version=metadata.version("nines"))
    if known is None:
        return False
    found, effect = known
    if form == "json":
        print_json(asdict(found) | {"effects": explain_outage.effect_data([effect])})
    else:
        say(*explain_outage.service_lines(found, effect, now_ms=at_ms))
        say(*explain_outage.effect_lines([effect], id=id))
    return True


@click.command("credits")
@period_option
@inputs_option
@format_option("table", "csv", "json")
@click.pass_obj
def credits_command(place: Place, period: str, inputs: Path | None, form: str) -> None:
    """The service credits of all clients for a period: what finance pays out.

    Amounts are in the contract's currency; where time was not measured, credit_low and credit_high say what it may be.

    \b
    nines credits --period 2026-10
    nines credits --period 2026-10 --format csv > credits-2026-10.csv
    """
    text = period_text(period)
    with place.open_ledger() as ledger:
        drafts = _all(ledger, text, inputs)
    rows = credits.credit_rows(drafts, period=text)
    if form == "json":
        print_json(credits.as_data(rows))
    elif form == "csv":
        click.echo(credits.as_csv(rows), nl=False)
    else:
        empty = "no contract was in force; see `nines config example` for how one is written"
        print_table(credits.TABLE_HEADS, credits.table_rows(rows), right=credits.TABLE_RIGHT, empty=empty)


@click.command("report")
@click.argument("client", required=False)
@click.option("--all", "everyone", is_flag=True, help="Every client that has a contract.")
@period_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    help="Folder for the PDFs; made where it does not exist. Default: here.",
)
@inputs_option
@format_option("text", "json")
@click.pass_obj
def report_command(
    place: Place, client: str | None, everyone: bool, period: str, out: Path, inputs: Path | None, form: str
) -> None:
    """Write the client's PDF of a period, one per contract. Drafts carry a watermark.

    \b
    nines report acme --period 2026-10 --out reports
    nines report --all --period last
    """
    if everyone == (client is not None):
        raise click.UsageError("name one CLIENT, or write --all")
    with place.open_ledger() as ledger:
        drafts = _drafts(ledger, client, period, inputs)
        written = [_written(ledger, draft, out, quiet=form == "json") for draft in drafts]
    if form == "json":
        print_json(written)
    elif not written:
        say("no contract was in force, so there is nothing to report; see `nines config example`")


def _drafts(ledger: Ledger, client: str | None, period: str, inputs: Path | None) -> tuple[Statement, ...]:
    if client is not None:
        return built(ledger, client, period, inputs)
    return _all(ledger, period_text(period), inputs)


def _all(ledger: Ledger, text: str, inputs: Path | None) -> tuple[Statement, ...]:
    version = metadata.version("nines")
    return statements.build_all(ledger, text, now_ms=now_ms(), version=version, inputs=entered_in(inputs))


def _written(ledger: Ledger, draft: Statement, folder: Path, *, quiet: bool) -> dict[str, str]:
    from reporting.report import render_report, report_filename

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / report_filename(draft)
    with progress(f"{path}: drawing"):
        pdf = render_report(draft, latency=response_times(ledger, draft))
    path.write_bytes(pdf)
    if not quiet:
        say(f"{path} written")
    return {"client": draft.client["id"], "contract": draft.contract["id"], "pdf": str(path)}
