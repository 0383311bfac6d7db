"""`nines calc`: a statement from plain facts, without a database."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import click

from config.calc import parse_calc
from nines.cli.output import is_terminal, print_json, say, text_of
from reporting.summary import summary_lines
from reporting.zone_files import tzdata_version
from sla.build import Identity, build_statement
from sla.canonical import as_json


@click.command("calc")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--contract",
    "contract_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Terms: one entry of `contracts:`, or a file with exactly one.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), help="Default: text on a terminal, else json.")
def calc_command(file: str, contract_file: Path | None, form: str | None) -> None:
    """The statement that follows from facts in a YAML or JSON FILE (- reads standard input).

    \b
    nines calc october.yaml
    nines calc october.yaml --format json > statement.json

    \b
    The file; times with their offset, or as clocks in `zone` show them (UTC if left out), which cuts the period:
    period: 2026-10
    zone: Europe/Berlin
    target: 99.9
    fee: 2500.00 EUR
    credits: {< 99.9: 10 %, < 99.0: 25 %}
    down: [{start: 2026-10-06T08:00:00Z, end: 2026-10-06T09:10:00Z}]
    """
    text = text_of(file)
    terms = text_of(str(contract_file)) if contract_file else None
    given = parse_calc(text, file, contract_text=terms, contract_name=str(contract_file or ""))
    software = {"nines": metadata.version("nines"), "tzdata": tzdata_version()}
    statement = build_statement(
        given.contract, given.services, given.period, as_of_ms=given.as_of_ms, identity=Identity(software=software)
    )
    if form == "json" or (form is None and not is_terminal()):
        print_json(as_json(statement))
        return
    for line in summary_lines(statement):
        say(line)
