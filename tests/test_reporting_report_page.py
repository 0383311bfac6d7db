"""The document before it is set: what stands on it, in which order, and that its figures add up."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from reporting_report_sample import FROM, TO, at, outage, outages, service, statement, terms, window

from reporting.report import budget, cover, credit, ladder, leftout, reading, taken_out
from reporting.report import outages as outage_tables
from reporting.report.page import Brand
from reporting.report.render import job_of, report_filename
from sla.facts import EndpointFacts, Exclusion, Member, Outage, ServiceFacts
from sla.spans import Spans
from sla.statement import ServiceStatement, Statement

SUMS = {"Time considered", "Downtime counted"}


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def page_of(*services: ServiceStatement, **changes: object) -> reading.Reading:
    return reading.read(statement(*services, **changes))


def html_of(of: Statement, *, sample: bool = False) -> str:
    return str(job_of(of, sample=sample, brand=Brand())["html"])


def milliseconds(column: str) -> int:
    """`1:55:24.250` read back."""
    hours, minutes, seconds = column.split(":")
    return (int(hours) * 3600 + int(minutes) * 60) * 1000 + round(Decimal(seconds) * 1000)


def assert_adds_up(found: ladder.Ladder) -> None:
    """Every column of the two blocks of time gives its sum, by the operators as printed."""
    for column in range(len(found.names)):
        total = 0
        for step in found.steps[: next(i for i, step in enumerate(found.steps) if "in seconds" in step.label)]:
            figure = step.figures[column]
            if step.label in SUMS:
                assert milliseconds(figure.text) == total, step.label
                total = 0
            else:
                total += {"": 1, "+": 1, "−": -1}[figure.operator] * milliseconds(figure.text)


def test_missed_stands_first_then_the_fuller_budget() -> None:
    assert [row.name for row in cover.verdict_rows(page_of())] == ["Order API", "Carrier EDI", "Customer Portal"]


def test_the_verdict_rows_of_the_specimen() -> None:
    first, second, third = cover.verdict_rows(page_of())
    assert (first.word, first.mark, plain(first.achieved)) == ("NOT MET", "missed", "99.871 %")
    assert (plain(first.allowed), plain(first.counted), first.credit) == ("44 min 33 s", "57 min 24 s", "500.00")
    assert (second.word, second.mark, second.note) == ("MET", "narrow", "narrowly")
    assert (third.word, third.mark, third.credit) == ("MET", "met", "–")


def test_allowed_used_and_left_add_up_as_printed() -> None:
    (row, *_) = budget.budget_rows(page_of())
    assert (plain(row.used), plain(row.left)) == ("128.9 %", "12 min 51 s over")


def test_a_target_of_a_hundred_is_exhausted_by_one_second() -> None:
    down = outage("O-1", at("10-06 10:00"), at("10-06 10:00") + 1000)
    (row,) = budget.budget_rows(page_of(service("a", "A", "100", (down,))))
    assert (row.used, plain(row.left)) == ("exhausted", "1 s over")


def test_over_eight_services_the_emptiest_get_no_bar() -> None:
    busy = [outage("O-1", at("10-06 10:00"), at("10-06 10:00") + 60_000 * (n + 1)) for n in range(11)]
    page = page_of(*(service(f"s{n}", f"S{n}", "99.9", (down,)) for n, down in enumerate(busy)))
    assert [row.name for row in budget.budget_rows(page)] == ["S10", "S9", "S8"]
    assert plain(budget.bars_left_out(page)) == (
        "The other eight services used at most 17.9 % of the downtime allowed."
    )


def test_what_is_not_in_the_figures() -> None:
    assert [(plain(line.label), plain(line.figure)) for line in leftout.left_out(page_of())] == [
        ("Announced maintenance, 11 October", "2 h 00 min"),
        ("Excluded by agreement, Order API, 21 October", "18 min"),
        ("Not measured, 18 October (0.021 %)", "9 min"),
        ("Unconfirmed single failures, no downtime", "21"),
    ]


def test_outages_are_grouped_with_both_subtotals_worst_first() -> None:
    groups = outage_tables.outage_groups(page_of())
    assert [(g.name, g.down, g.counted, g.number) for g in groups] == [
        ("Order API", "1:55:24", "0:57:24", "4 outages"),
        ("Carrier EDI", "3:28:06", "3:28:06", "3 outages"),
        ("Customer Portal", "0:04:00", "0:04:00", "1 outage"),
    ]
    assert [row.counted for row in groups[0].rows] == ["0:46:34", "0:05:40", "0:05:10", "0:00:00"]
    assert groups[0].rows[-1].none_counted


def test_beyond_three_hundred_outages_the_longest_are_printed_and_the_rest_summed() -> None:
    many = tuple(outage(f"O-{n}", FROM + n * 3_600_000, FROM + n * 3_600_000 + 60_000 + n * 1000) for n in range(310))
    (group,) = outage_tables.outage_groups(page_of(service("a", "A", "99.9", many)))
    assert len(group.rows) == 300
    assert group.rest == "and 10 more, together 0:10:45, in the attached statement.json"
    assert group.number == "310 outages"


def test_the_ladder_of_the_specimen_adds_up() -> None:
    (only,) = ladder.ladders(page_of())
    assert_adds_up(only)
    by_label = {step.label: [plain(figure.text) for figure in step.figures] for step in only.steps}
    assert by_label["Time considered"] == ["742:33:00", "742:51:00", "742:51:00"]
    assert by_label["of it inside accepted maintenance"] == ["0:40:00", "0:00:00", "0:00:00"]
    assert by_label["Considered, in seconds"] == ["2 673 180", "2 674 260", "2 674 260"]
    assert by_label["Quotient, first six decimals"] == ["99.871164… %", "99.533104… %", "99.991025… %"]
    assert by_label["Availability, rounded down"] == ["99.871 %", "99.533 %", "99.991 %"]


def test_the_ladder_adds_up_with_milliseconds_and_unknown_time_inside_outage_and_window() -> None:
    down = outage("O-1", at("10-11 01:30") + 125, at("10-11 05:00") + 250)
    gap = Spans.of([(at("10-11 02:30"), at("10-11 02:45")), (at("10-11 04:30"), at("10-11 04:31"))])
    work = window("M-1", "10-11 02:00", "10-11 04:00")
    out = Exclusion("X-1", at("10-11 03:50"), at("10-11 04:10"))
    (only,) = ladder.ladders(
        page_of(service("a", "A", "99.9", (down,), unknown=gap, windows=(work,), exclusions=(out,)))
    )
    assert_adds_up(only)
    assert "By other rules of the contract" not in {step.label for step in only.steps}


@pytest.mark.parametrize("option", [{"maintenance": "count_up"}, {"unknown": "down"}, {"exclusions": "ignore"}])
def test_the_ladder_adds_up_under_other_options(option: dict[str, str]) -> None:
    down = outage("O-1", at("10-11 01:30"), at("10-11 05:00"))
    agreed = terms("99.9")
    versions = (replace(agreed, options=replace(agreed.options, **option)),)  # type: ignore[arg-type]
    facts = {
        "unknown": Spans.of([(at("10-18 04:10"), at("10-18 04:19"))]),
        "windows": (window("M-1", "10-11 02:00", "10-11 04:00"),),
        "exclusions": (Exclusion("X-1", at("10-11 04:30"), at("10-11 04:40")),),
    }
    (only,) = ladder.ladders(page_of(service("a", "A", None, (down,), versions=versions, **facts)))  # type: ignore[arg-type]
    assert_adds_up(only)


def test_the_ladder_of_a_running_period_starts_from_the_time_so_far() -> None:
    now = at("10-10 09:00")
    (only,) = ladder.ladders(page_of(service("a", "A", "99.9", as_of=now), as_of_ms=now))
    assert only.steps[0].label.startswith("Period to date")
    assert_adds_up(only)


def test_four_services_take_two_ladders() -> None:
    found = ladder.ladders(page_of(*(service(name, name, "99.9") for name in "ABCD")))
    assert [len(part.names) for part in found] == [3, 1]


def test_maintenance_and_exclusions_say_who_when_and_what_it_took() -> None:
    accepted, late, excluded = taken_out.taken_rows(page_of())
    assert (accepted.scope, accepted.taken) == ("all services", "2:00:00")
    assert plain(accepted.reason) == "Entered Tue 6 Oct 02:00, 120 h before; 72 h required (4.2)"
    assert accepted.decision == "Accepted. Overrun to 04:05:10 counts."
    assert (late.scope, late.decision, late.taken) == ("Carrier EDI", "Not accepted. No downtime in it.", "none")
    assert (plain(excluded.without), excluded.taken) == ("99.830 % without", "0:18:00")


def test_the_formula_shows_the_tier_that_hit_and_its_numbers() -> None:
    (only,) = credit.formulas(page_of())
    assert [(plain(t.range), plain(t.figure), plain(t.share), t.hit) for t in only.tiers] == [
        ("A ≥ 99.9 %", "", "none", False),
        ("99.0 % ≤ A < 99.9 %", "99.871 %", "10 %", True),
        ("95.0 % ≤ A < 99.0 %", "", "25 %", False),
        ("A < 95.0 %", "", "50 %", False),
    ]
    assert [(plain(s.label), plain(s.figure)) for s in only.steps] == [
        ("Monthly fee, Order API", "EUR 5 000.00"),
        ("Share of fee, second tier", "× 10 %"),
    ]
    assert plain(only.result) == "EUR 500.00"
    assert plain(only.line) == (
        "EUR 5 000.00 × 0.10 = EUR 500.00. Cap, 50 % of period: EUR 2 500.00, not reached. "
        "Rounded once, half up; clause 9.5."
    )


def test_parts_of_a_period_pay_from_their_share_of_the_fee() -> None:
    versions = terms("99.5", "1000.00"), terms("99.9", "1000.00", start=at("10-16 00:00"))
    down = outages("O-1 | 10-20 10:00 | 10-20 12:00 | 3 | network | x")
    (only,) = credit.formulas(page_of(service("a", "A", None, down, versions=versions)))
    assert plain(only.steps[1].label) == "Part 2, EUR 516.13 × 10 %"
    assert plain(only.line).startswith("EUR 516.13 × 0.10 = EUR 51.613.")


def test_a_running_period_shows_what_is_at_stake_and_no_formula() -> None:
    now = at("10-10 09:00")
    page = page_of(service("a", "A", "99.9", as_of=now), as_of_ms=now)
    assert credit.formulas(page) == ()
    (stake,) = credit.at_stake(page)
    assert plain(stake.incurred) == "EUR 0.00"
    assert plain(stake.at_most) == "EUR 2 500.00"


def test_hostile_names_stay_text() -> None:
    name = "<script>alert(1)</script>{{ 7*7 }}{% raw %}"
    down = Outage("O-1", FROM, FROM + 60_000, cause="<b>x</b>", text="</table><img src=file:///etc/passwd>")
    html = html_of(
        statement(service("a", name, "99.9", (down,)), client={"id": "x", "name": '"><link rel=attachment>'})
    )
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}{% raw %}" in html
    assert not re.search(r"<(img|link)[^>]*(file:|attachment)", html)


def test_everything_that_a_document_names_comes_with_the_job() -> None:
    job = job_of(statement(state="DRAFT"), sample=True, brand=Brand())
    named = set(re.findall(r"asset:([\w.-]+)", job["html"]))
    assert named - {mark for mark in named if mark.startswith("latency")} <= set(job["pictures"])
    assert not re.search(r"(?:src|href)=\"(?!asset:)", job["html"])


def test_sections_with_nothing_to_say_become_one_line() -> None:
    html = html_of(statement(service("a", "A", "99.9")))
    assert "No outage, no exclusion, no announced maintenance, no credit in October 2026." in html
    assert "<h2>Outages</h2>" not in html


def test_no_data_prints_no_figure_at_all() -> None:
    page = page_of(service("a", "A", "99.9", unknown=Spans.of([(FROM, TO)])))
    (row,) = cover.verdict_rows(page)
    assert (row.word, row.achieved, row.allowed, row.counted) == ("NO DATA", "–", "–", "–")
    assert ladder.ladders(page) == ()
    assert budget.budget_rows(page) == ()


def test_a_service_without_names_of_checks_is_told_with_dashes() -> None:
    facts = ServiceFacts("a", "A", ((0, Member("a")),), {"a": EndpointFacts("a", FROM)})
    assert facts.endpoints["a"].checks_due is None
    html = html_of(statement(replace(service("a", "A", "99.9"), checks={"due": None, "made": None, "unconfirmed": 0})))
    assert ">–</td>" in html


def test_the_file_is_named_after_the_number_or_after_client_and_period() -> None:
    assert report_filename(statement()) == "SLA-2026-000123.pdf"
    assert report_filename(statement(number=None, state="DRAFT")) == "sample-client-sample-core-2026-10-draft.pdf"
    hostile = statement(number=None, client={"id": "../../etc/passwd", "name": "x"})
    assert "/" not in report_filename(hostile)


def test_a_brand_colour_is_a_colour_and_nothing_else() -> None:
    with pytest.raises(ValueError, match=r"is no colour; write e\.g\. #123C5A"):
        Brand(colour="red} body {display: none")


def test_every_option_in_force_is_printed_by_name() -> None:
    of = statement()
    html = html_of(of)
    assert all(name in html for name in of.options)
    assert "windows (notice 72 h, allowed none, cap none)" in html


def test_a_firm_of_one_says_so() -> None:
    html = html_of(statement(issuer={"legal_entity": "Sample Provider", "four_eyes": False}))
    assert "the issuer works without four eyes" in html
