"""`explain` tells every stretch and every step of the arithmetic."""

from __future__ import annotations

from reporting_statements import DAY, HOUR, NOVEMBER, contract, outage, service, statement

from reporting.explain import explain_data, explain_lines
from sla.facts import Window


def test_every_stretch_has_its_rule_and_the_credit_its_arithmetic() -> None:
    start = NOVEMBER.from_ms + 5 * DAY
    late = Window("M-00001", start, start + HOUR, entered_ms=start + 1, scope=frozenset({("service", "api")}))
    text = "\n".join(explain_lines(statement(service([outage(DAY, HOUR)], windows=[late]))))
    assert text.startswith("Sample Client, sample-api, November 2026\nTimes are those of UTC")
    for words in (
        "2026-11-02 00:00:00 UTC  2026-11-02 01:00:00 UTC",
        "O-7K3F2",
        "window not accepted",
        "(2592000000 - 3600000) / 2592000000",
        "NOT_MET",
        "  credit\n",
        "availability < 99.9: 10 % of 2500.00 EUR",
        "250.00",
    ):
        assert words in text


def test_a_running_period_is_called_provisional() -> None:
    lines = list(explain_lines(statement(service(), as_of_ms=NOVEMBER.from_ms + DAY)))
    assert lines[0].endswith("still running: provisional")


def test_names_stay_on_their_line() -> None:
    lines = list(explain_lines(statement(service(name="a\nb"), agreed=contract(client_name="x\x1b[2J"))))
    assert all("\n" not in line and "\x1b" not in line for line in lines)


def test_the_json_has_a_step_for_every_line() -> None:
    steps = explain_data(statement(service([outage(DAY, HOUR)])))
    assert {step["topic"] for step in steps} >= {"stretch", "class", "figure", "verdict", "budget", "credit"}
