"""How figures, times and verdicts are put into words in the report."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from reporting_report_sample import FROM, TO, at, outage, outages, service, statement, terms

from reporting.report import bars, dates, latency, literal, reading, sentences, wording
from sla.period import local_midnight_ms
from sla.spans import Spans

AMSTERDAM = dates.Calendar(ZoneInfo("Europe/Amsterdam"))


def plain(text: str) -> str:
    """With ordinary spaces, for reading."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def spoken(*services: object, **changes: object) -> list[str]:
    page = reading.read(statement(*services, **changes))  # type: ignore[arg-type]
    return [plain(sentence) for sentence in sentences.verdict_sentences(page)]


@pytest.mark.parametrize(
    ("ms", "prose", "column"),
    [
        (0, "0 s", "0:00:00"),
        (240_000, "4 min 00 s", "0:04:00"),
        (3_444_000, "57 min 24 s", "0:57:24"),
        (12_486_000, "3 h 28 min 06 s", "3:28:06"),
        (2_678_400, "44 min 38.4 s", "0:44:38.400"),
        (2_682_000_000, "745 h 00 min 00 s", "745:00:00"),
        (1, "0.001 s", "0:00:00.001"),
    ],
)
def test_durations_in_prose_and_in_columns(ms: int, prose: str, column: str) -> None:
    assert plain(wording.prose_duration(ms)) == prose
    assert wording.column_duration(ms) == column


def test_a_round_window_drops_its_zero_tail() -> None:
    assert plain(wording.prose_duration(7_200_000, round_window=True)) == "2 h 00 min"
    assert plain(wording.prose_duration(540_000, round_window=True)) == "9 min"
    assert plain(wording.prose_duration(541_000, round_window=True)) == "9 min 01 s"


def test_spaces_inside_figures_never_break() -> None:
    assert wording.percent("99.871") == "99.871\u202f%"
    assert wording.money("5000.00", "EUR") == "EUR\u00a05\u202f000.00"
    assert " " not in wording.prose_duration(12_486_000)


def test_used_budget_is_rounded_up() -> None:
    assert plain(wording.used_percent(1, 3)) == "33.4 %"
    assert plain(wording.used_percent(3, 3)) == "100.0 %"


def test_an_exact_quotient_has_no_ellipsis() -> None:
    assert plain(wording.quotient(Fraction(1), Fraction(1000))) == "99.900000 %"
    assert plain(wording.quotient(Fraction(1), Fraction(3))) == "66.666666… %"


@pytest.mark.parametrize(
    ("first", "end", "title", "key"),
    [
        ("2026-10-01", "2026-11-01", "October 2026", "2026-10"),
        ("2026-10-01", "2027-01-01", "Fourth quarter 2026", "2026-10-01_2027-01-01"),
        ("2026-01-01", "2027-01-01", "2026", "2026-01-01_2027-01-01"),
        ("2026-02-09", "2026-02-16", "9–15 February 2026", "2026-02-09_2026-02-16"),
        ("2026-12-28", "2027-01-04", "28 December 2026 – 3 January 2027", "2026-12-28_2027-01-04"),
    ],
)
def test_a_period_has_a_title_and_a_key_for_file_names(first: str, end: str, title: str, key: str) -> None:
    from_ms, to_ms = (local_midnight_ms(date.fromisoformat(day), "Europe/Amsterdam") for day in (first, end))
    assert plain(dates.period_title(AMSTERDAM, from_ms, to_ms)) == title
    assert dates.period_key(AMSTERDAM, from_ms, to_ms) == key


def test_an_end_across_midnight_carries_its_day() -> None:
    assert plain(AMSTERDAM.span(at("10-16 22:48:15"), at("10-17 01:12:03"))) == "22:48:15 – 17 Oct 01:12:03"


def test_both_ends_carry_their_zone_across_a_clock_change() -> None:
    told = AMSTERDAM.span(at("10-25 02:31:00"), at("10-25 02:14:18", fold=1))
    assert plain(told) == "02:31:00 CEST – 02:14:18 CET"


def test_milliseconds_are_printed_where_there_are_any() -> None:
    start = at("10-06 10:17:30") + 250
    assert AMSTERDAM.span(start, start + 60_000) == "10:17:30.250 – 10:18:30.250"
    assert AMSTERDAM.span_utc(start, None) == "08:17:30.250 UTC"


def test_the_missed_target_is_spoken_first_and_the_credit_last() -> None:
    assert spoken() == [
        "Order API missed its target: 99.871 % against 99.9 %.",
        "Carrier EDI and Customer Portal met theirs.",
        "A service credit of EUR 500.00 is due.",
    ]


def test_all_met_is_one_sentence() -> None:
    pair = service("a", "A", "99.9"), service("b", "B", "99.9")
    assert spoken(*pair) == ["Both services met their targets.", "No service credit is due."]
    assert spoken(pair[0])[0] == "A met its target: 100.000 % against 99.9 %."


def test_undetermined_names_the_bounds_and_what_was_not_measured() -> None:
    gap = Spans.of([(at("10-18 04:00"), at("10-18 06:09"))])
    assert spoken(service("a", "A", "99.9", unknown=gap)) == [
        "A cannot be decided: between 99.711 and 100.000 %, 2 h 09 min were not measured.",
        "The service credit cannot be decided: between EUR 0.00 and EUR 500.00.",
    ]


def test_no_check_at_all_gives_no_figure_and_no_credit() -> None:
    assert spoken(service("a", "A", "99.9", unknown=Spans.of([(FROM, TO)]))) == [
        "A has no figure: no check was made.",
        "No service credit is decided without a figure.",
    ]


def test_without_a_target_the_figure_is_told_and_nothing_is_judged() -> None:
    assert spoken(service("a", "A", None)) == ["A reached 100.000 %; no target is agreed."]


def test_a_missing_fee_is_named() -> None:
    down = outage("O-1", at("10-06 10:00"), at("10-06 11:00"))
    said = spoken(service("a", "A", "99.9", (down,), fee=None))
    assert said[-1] == "The service credit cannot be computed yet: the fee of A is not recorded."


def test_a_running_period_speaks_to_date() -> None:
    now = at("10-10 09:00")
    down = outage("O-1", at("10-06 10:00"), at("10-06 11:00"))
    both = service("a", "A", "99.9", (down,), as_of=now), service("b", "B", "99.9", as_of=now)
    assert spoken(*both) == [
        "A has already missed its target: 99.555 % to date against 99.9 %.",
        "B is within the allowed downtime so far.",
        "A service credit is decided when the period has ended.",
    ]


def test_many_services_of_one_verdict_share_a_sentence() -> None:
    down = outage("O-1", at("10-06 10:00"), at("10-06 11:00"))
    said = spoken(*(service(name, name, "99.9", (down,)) for name in "ABCDE"))
    assert said[0] == "Five services missed their targets: A, B, C, D and E."


def test_no_sentence_belittles() -> None:
    said = " ".join(spoken()).lower().split()
    assert not {"only", "just", "unfortunately"} & set(said)


def test_a_period_in_parts_names_no_single_target() -> None:
    versions = terms("99.5"), terms("99.9", start=at("10-16 00:00"))
    down = outages("O-1 | 10-20 10:00 | 10-20 12:00 | 3 | network | x")
    assert spoken(service("a", "A", None, down, versions=versions))[0] == (
        "A missed its target in part of the period: 99.731 % in all."
    )


def test_the_bars_share_a_scale_that_grows_by_halves_up_to_three_budgets() -> None:
    assert bars.scale_for([]) == 150
    assert bars.scale_for([Fraction(3, 2)]) == 150
    assert bars.scale_for([Fraction(151, 100)]) == 200
    assert bars.scale_for([Fraction(50)]) == 300


def test_a_bar_beyond_the_scale_is_cut_and_carries_its_figure() -> None:
    assert "1460.7" in bars.bar_svg(Fraction(14607, 1000), 300, figure="1460.7 %")
    assert "<text" not in bars.bar_svg(Fraction(2), 300, figure="200 %")


def test_marks_that_turn_text_round_are_shown() -> None:
    assert literal.shown("a\u202egnp.exe\x07") == "a[U+202E]gnp.exe[U+0007]"


def test_right_to_left_names_are_isolated_in_sentences() -> None:
    told = literal.spoken("שלום & B met theirs.", ["שלום", "B"])
    assert told == '<bdi dir="auto">שלום</bdi> &amp; B met theirs.'


def test_a_chart_says_its_finding_in_words() -> None:
    days = [
        latency.DailyLatency(date(2026, 10, 1), 80, 150, 420),
        latency.DailyLatency(date(2026, 10, 2), None, None, None),
        latency.DailyLatency(date(2026, 10, 3), 95, 180, 1020),
    ]
    (panel,) = latency.panels(reading.read(statement()), {"api": days, "gone": days[1:2]})
    assert plain(panel.alt) == (
        "Order API: half of the checks of a day took at most 80 to 95 ms; "
        "the highest p99 was 1 020 ms on 3 October; one day not timed."
    )
