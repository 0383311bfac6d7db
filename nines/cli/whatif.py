"""`nines whatif`: the same periods under another target, plan or option, or without an exclusion."""

from __future__ import annotations

from pathlib import Path

import click

from config.contract import Plan
from config.overlay import option_terms, terms_like
from config.problems import unknown_name
from nines.cli.output import format_option, print_json, print_table, say
from nines.cli.places import Place
from nines.cli.statement import entered_in, inputs_option, period_text
from nines.clock import now_ms
from reporting import whatif


@click.command("whatif")
@click.argument("client")
@click.argument("periods", metavar="PERIOD...", nargs=-1, required=True)
@click.option("--target", metavar="PERCENT", help="Another target, e.g. 99.95.")
@click.option("--plan", metavar="ID", help="The terms of a plan of the config, laid over the contract's own.")
@click.option(
    "--option",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    help="Another way of counting, e.g. unknown=down or maintenance=count_up; may be given again.",
)
@click.option(
    "--without",
    metavar="ID",
    multiple=True,
    help="Leave out an exclusion or a window (X-..., M-...), or all: `exclusions`, `maintenance`; may be given again.",
)
@inputs_option
@format_option("table", "json")
@click.pass_obj
def whatif_command(
    place: Place,
    client: str,
    periods: tuple[str, ...],
    target: str | None,
    plan: str | None,
    options: tuple[str, ...],
    without: tuple[str, ...],
    inputs: Path | None,
    form: str,
) -> None:
    """CLIENT's periods as agreed, beside what they would have been: verdicts and credits side by side.

    Nothing is recorded. Left of the bar stands what was agreed, right of it what was asked for. Another target leaves
    the table of credits as it is; a plan brings its own.

    \b
    nines whatif acme 2026-09 2026-10 --target 99.95
    nines whatif acme last --plan gold
    nines whatif acme 2026-10 --option unknown=down --without maintenance
    """
    if target is None and plan is None and not options and not without:
        raise click.UsageError("say what should differ, e.g. --target 99.95, --plan gold, --option unknown=down")
    terms = _terms(place, target, plan, options)
    with place.open_ledger() as ledger:
        texts = [period_text(words) for words in periods]
        found = whatif.compare(
            ledger, client, texts, terms=terms, leave_out=without, inputs=entered_in(inputs), now_ms=now_ms()
        )
    if form == "json":
        print_json(whatif.as_data(found))
        return
    differs = [
        *([f"target {target} %"] if target else []),
        *([f"plan {plan}"] if plan else []),
        *options,
        *(f"without {entry}" for entry in without),
    ]
    say(f"As agreed | otherwise: {', '.join(differs)}")
    print_table(whatif.TABLE_HEADS, whatif.table_rows(found), right=whatif.TABLE_RIGHT, empty="")


def _terms(place: Place, target: str | None, plan: str | None, options: tuple[str, ...]) -> list[Plan]:
    """What is laid over the contract: the plan first, then what was written for the occasion."""
    pairs = [option.partition("=") for option in options]
    if bad := next((name for name, sign, _ in pairs if not sign), None):
        raise click.UsageError(f"--option {bad}: write NAME=VALUE, e.g. --option unknown=down")
    try:
        written = option_terms({name.strip(): value.strip() for name, _, value in pairs})
    except ValueError as error:
        raise click.UsageError(f"--option {error}") from None
    if target is not None:
        written["target"] = target
    return [*([_plan(place, plan)] if plan else []), *([terms_like(written)] if written else [])]


def _plan(place: Place, id: str) -> Plan:
    plans = place.load_config().plans
    if id not in plans:
        raise click.UsageError(f"--plan: {unknown_name('plan', id, plans, 'plans')}")
    return plans[id]
