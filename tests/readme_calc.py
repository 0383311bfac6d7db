"""`calc` of the accounting's page: what `nines calc` answers to facts, and of that the lines asked for."""

from __future__ import annotations

import sys

from config.calc import parse_calc
from reporting.summary import summary_lines
from sla.build import build_statement


def calc(facts: str, *labels: str) -> None:
    """Print the statement's lines that begin with one of the labels."""
    given = parse_calc(facts, "facts.yaml")
    statement = build_statement(given.contract, given.services, given.period, as_of_ms=given.as_of_ms)
    for line in summary_lines(statement):
        if line.strip().startswith(labels):
            sys.stdout.write(f"{line}\n")
