"""Rule kinds of credits: two worked examples for each kind and unit of pay that no published contract uses, and more.

November 2026 in UTC unless said: 30 days, 720 h. The fee is 3 000.00 EUR, so that a day is 100.00.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sla_builders import (
    HOUR,
    MINUTE,
    SECOND,
    contract,
    endpoint,
    exclusion,
    judged,
    lasting,
    measured,
    ms,
    outage,
    service,
    spans,
    statement,
    terms,
)

from config.claims import caps_of
from config.credits import credits_of
from sla.facts import Outage, ServiceFacts
from sla.inputs import Inputs, Ticket
from sla.money import Money
from sla.rules import Cap, FeeTerms, Percent, Rule
from sla.statement import Credit

FEE = "3000.00 EUR"


def rule(**written: Any) -> tuple[Rule, ...]:
    """One rule as a contract writes it; `if_` stands for `if`."""
    return credits_of([{key.rstrip("_"): value for key, value in written.items()}])


def credit(
    *outages: Outage,
    credits: tuple[Rule, ...],
    target: str | None = "99.9",
    inputs: Inputs | None = None,
    fee: str | None = FEE,
    facts: ServiceFacts | None = None,
    **more: Any,
) -> Credit:
    given = facts or measured(*outages, inputs=inputs or Inputs())
    found = judged(given, agreed=contract(terms(target, fee=fee, credits=credits, **more))).credit
    assert found is not None
    return found


def down(length_ms: int, day: int = 10, hour: int = 6) -> Outage:
    return lasting(f"2026-11-{day:02d} {hour:02d}:00", length_ms, f"O-{day:02d}{hour:02d}")


@pytest.mark.parametrize(
    ("down_ms", "amount"),
    [(14 * HOUR, "300.00"), (15 * HOUR, "450.00"), (30 * HOUR, "600.00")],  # 98.06 %, 97.92 %, 95.83 %
)
def test_a_percentage_grows_with_each_completed_step(down_ms: int, amount: str) -> None:
    growing = rule(tiers="availability", rows={"< 99.9": "10 % plus 5 % per completed 1 % below 99 at most 20 %"})
    assert credit(down(down_ms), credits=growing).amount == amount


@pytest.mark.parametrize(
    ("down_ms", "amount"), [(7 * HOUR + 12 * MINUTE, "300.00"), (7 * HOUR + 13 * MINUTE, "450.00")]
)
def test_a_percentage_grows_with_each_started_step(down_ms: int, amount: str) -> None:
    growing = rule(tiers="availability", rows={"< 99.9": "10 % plus 5 % per started 1 % below 99"})
    assert credit(down(down_ms), credits=growing).amount == amount


@pytest.mark.parametrize(("down_ms", "amount"), [(HOUR - 1, "4.17"), (3 * HOUR, "12.50")])
def test_hours_of_the_fee_are_of_the_elapsed_hours_of_the_period(down_ms: int, amount: str) -> None:
    hourly = rule(per_unit={"unit": "1 h", "count": "started", "pay": "1 hour"})
    assert credit(down(down_ms), credits=hourly).amount == amount


def test_in_october_an_hour_of_the_fee_is_one_of_745_in_berlin() -> None:
    hourly = rule(per_unit={"unit": "1 h", "count": "started", "pay": "1 hour"})
    agreed = contract(terms("99.9", tz="Europe/Berlin", fee="745.00 EUR", credits=hourly))
    found = judged(measured(lasting("2026-10-05 06:00", HOUR)), "2026-10", agreed).credit
    assert found is not None
    assert found.amount == "1.00"


@pytest.mark.parametrize(
    ("history", "amount"), [((), "180.00"), (("missed",), "360.00"), (("missed", "met"), "180.00")]
)
def test_severity_points_are_doubled_when_the_period_before_was_missed_as_well(
    history: tuple[Any, ...], amount: str
) -> None:
    points = rule(severity={"points": {"< 99.9": "1", "< 99.0": "3"}, "pay": "2 %"})
    assert credit(down(10 * HOUR), credits=points, inputs=Inputs(history=history)).amount == amount


def test_severity_counts_the_deepest_row_once() -> None:
    points = rule(severity={"on": "downtime", "points": {"> 0 s": "1", ">= 1 h": "4"}, "pay": "1 day", "repeat": "3"})
    before = Inputs(history=(Decimal("99.5"),))
    assert credit(down(HOUR), credits=points, inputs=before).amount == "1200.00"
    assert credit(down(HOUR - 1), credits=points, inputs=before).amount == "300.00"


def test_one_credit_for_each_calendar_day_with_an_outage_that_is_long_enough() -> None:
    daily = rule(per_day={"outage": ">= 15 min", "pay": "1 day"})
    same_day = (down(15 * MINUTE, 10, 6), down(20 * MINUTE, 10, 9), down(14 * MINUTE, 12))
    assert credit(*same_day, credits=daily).amount == "100.00"
    across = lasting("2026-11-10 23:50", 15 * MINUTE)
    assert credit(across, down(20 * MINUTE, 20), credits=daily).amount == "300.00"


def test_the_days_are_those_of_the_contract_s_zone() -> None:
    daily = rule(per_day={"pay": "1 day"})
    facts = measured(lasting("2026-11-10 22:30", HOUR))  # 23:30 to 00:30 in Berlin
    agreed = contract(terms("99.9", tz="Europe/Berlin", fee=FEE, credits=daily))
    found = judged(facts, agreed=agreed).credit
    assert found is not None
    assert found.amount == "200.00"


@pytest.mark.parametrize(("of", "amount"), [(None, "120.00"), ("response", "60.00")])
def test_each_late_ticket_pays(of: str | None, amount: str) -> None:
    tickets = tuple(
        Ticket(f"T-{number}", hours * HOUR, kind)
        for number, (hours, kind) in enumerate([(4, "response"), (5, "response"), (9, "repair"), (1, "repair")])
    )
    late = rule(late_tickets={"over": "4 h", "pay": "2 %"} | ({"of": of} if of else {}))
    assert credit(credits=late, inputs=Inputs(tickets=tickets)).amount == amount


def test_without_a_late_ticket_nothing_is_due() -> None:
    late = rule(late_tickets={"over": "4 h", "pay": "20.00"})
    assert credit(credits=late, inputs=Inputs(tickets=())).amount == "0.00"
    assert credit(credits=late, inputs=Inputs(tickets=(Ticket(None, 4 * HOUR + 1),))).amount == "20.00"


@pytest.mark.parametrize(("down_ms", "amount"), [(MINUTE, "300.00"), (30 * MINUTE, "450.00"), (89 * MINUTE, "600.00")])
def test_a_first_amount_is_due_at_once_and_units_come_on_top(down_ms: int, amount: str) -> None:
    at_once = rule(per_unit={"unit": "30 min", "count": "completed", "first": "10 %", "pay": "5 %"})
    assert credit(down(down_ms), credits=at_once).amount == amount


def test_a_first_amount_is_due_for_each_outage() -> None:
    at_once = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "first": "1 day", "pay": "1 day"})
    assert credit(down(MINUTE), down(61 * MINUTE, 12), credits=at_once).amount == "300.00"


def test_an_allowance_in_percent_is_used_up_by_the_outages_in_their_order() -> None:
    after = rule(per_unit={"unit": "10 min", "count": "started", "of": "outage", "after": "0.1 %", "pay": "1 day"})
    assert credit(down(40 * MINUTE), down(10 * MINUTE, 12), credits=after).amount == "100.00"  # 43.2 min are free


def test_an_allowance_in_minutes_is_taken_off_each_outage() -> None:
    after = rule(per_unit={"unit": "10 min", "count": "completed", "of": "outage", "after": "15 min", "pay": "1 day"})
    assert credit(down(25 * MINUTE), down(24 * MINUTE, 12), credits=after).amount == "100.00"


@pytest.mark.parametrize(("count", "amount"), [("completed", "1050.00"), ("started", "1200.00")])
def test_case_34_per_half_hour_of_3_h_34_min(count: str, amount: str) -> None:
    halves = rule(per_unit={"unit": "30 min", "count": count, "pay": "5 %"})
    assert credit(down(3 * HOUR + 34 * MINUTE), credits=halves).amount == amount


def test_case_33_one_event_on_two_endpoints_is_one_outage_of_a_rule_by_outage() -> None:
    by_outage = rule(per_unit={"unit": "30 min", "count": "started", "of": "outage", "pay": "5 %"})
    first, second = endpoint("a", outages=(down(20 * MINUTE),)), endpoint("b", outages=(down(25 * MINUTE),))
    assert credit(credits=by_outage, facts=service(first, second)).amount == "150.00"
    overlapping = (down(20 * MINUTE), lasting("2026-11-10 06:15", 10 * MINUTE))
    assert credit(*overlapping, credits=by_outage).amount == "150.00"


def test_the_remaining_pieces_of_an_outage_are_one_unit_together() -> None:
    by_outage = rule(per_unit={"unit": "30 min", "count": "started", "of": "outage", "pay": "5 %"})
    facts = measured(down(40 * MINUTE), unknown=spans(("2026-11-10 06:10", "2026-11-10 06:25")))
    found = judged(facts, agreed=contract(terms("99.9", fee=FEE, credits=by_outage))).credit
    assert found is not None
    assert (found.amount, found.low, found.high) == ("150.00", "150.00", "300.00")


def test_an_outage_across_a_new_target_stays_one_outage() -> None:
    by_outage = rule(per_unit={"unit": "1 h", "count": "started", "of": "outage", "pay": "1 day"})
    versions = [
        terms("99.9", fee=FEE, credits=by_outage),
        terms("99.5", fee=FEE, credits=by_outage, start=ms("2026-11-16")),
    ]
    found = judged(measured(outage("2026-11-15 23:30", "2026-11-16 00:30")), agreed=contract(*versions)).credit
    assert found is not None
    assert (found.amount, len(found.lines)) == ("100.00", 1)


def test_bands_of_each_outage_add_up() -> None:
    bands = rule(tiers="downtime", of="outage", rows={"> 0 s": "0 %", ">= 5 min": "1 day", ">= 1 h": "3 days"})
    assert credit(down(5 * MINUTE), down(2 * HOUR, 12), down(MINUTE, 13), credits=bands).amount == "400.00"


@pytest.mark.parametrize(("cap", "amount"), [("50 % of event", "1500.00"), ("2 days of period", "200.00")])
def test_a_cap_is_of_the_event_or_of_the_period(cap: str, amount: str) -> None:
    lost = rule(lost_fee={"times": "100", "of": "outage"})
    found = credit(down(10 * HOUR), credits=lost, caps=caps_of([cap]))
    assert (found.amount, found.caps[0]["cap"], found.caps[0]["reached"]) == (amount, cap, True)


def test_caps_are_applied_narrowest_first() -> None:
    lost = rule(lost_fee={"times": "100", "of": "outage"})
    caps = caps_of(["20 % of event", "30 % of period", "2 % of rolling year"])
    entered = Inputs(credited=Money(20_000, "EUR"))
    found = credit(down(10 * HOUR), down(10 * HOUR, 12), credits=lost, caps=caps, inputs=entered)
    assert [(cap["exact"], cap["reached"]) for cap in found.caps] == [("600", True), ("900", True), ("520", True)]
    assert found.amount == "520.00"


def test_a_cap_across_periods_waits_for_what_was_credited_before() -> None:
    caps = (Cap("rolling_year", Percent(Decimal(10))),)
    found = credit(down(10 * HOUR), credits=rule(lost_fee={"times": "10"}), caps=caps)
    assert (found.state, found.determined, found.amount, found.inputs) == (
        "needs_decision",
        False,
        None,
        {"missing": "credited"},
    )


@pytest.mark.parametrize(("several", "amount"), [("sum", "400.00"), ("highest", "300.00")])
def test_several_rules_add_up_or_the_highest_counts(several: str, amount: str) -> None:
    both = (*rule(tiers="availability", rows={"< 99.9": "10 %"}), *rule(per_day={"pay": "1 day"}))
    assert credit(down(HOUR), credits=both, several_rules=several).amount == amount


@pytest.mark.parametrize(
    ("condition", "down_ms", "amount"),
    [
        ("missed", 43 * MINUTE, "0.00"),
        ("missed", 44 * MINUTE, "100.00"),
        ("missed 3 in a row", 44 * MINUTE, "100.00"),
        ("missed 4 in a row", 44 * MINUTE, "0.00"),
        ("availability < 99.5", 3 * HOUR, "0.00"),
        ("downtime > 3 h", 3 * HOUR + 1, "100.00"),
    ],
)
def test_a_rule_pays_under_its_condition(condition: str, down_ms: int, amount: str) -> None:
    daily = rule(per_day={"pay": "1 day"}, if_=condition)
    entered = Inputs(history=("met", "missed", Decimal("99.8")))
    assert credit(down(down_ms), credits=daily, inputs=entered).amount == amount


def test_periods_before_that_nobody_entered_leave_the_credit_to_a_person() -> None:
    found = credit(down(HOUR), credits=rule(per_day={"pay": "1 day"}, if_="missed 2 in a row"))
    assert (found.state, found.amount, found.inputs) == ("needs_decision", None, {"missing": "history"})


def two_services(fee: str, **more: Any) -> list[Credit]:
    """Two services with different downtime under one contract."""
    facts = [service(endpoint(outages=(down(length),))) for length in (14_965 * SECOND, 18_970 * SECOND)]
    agreed = contract(terms("99.9", fee=fee, **more))
    found = [each.credit for each in statement(facts[0], agreed=agreed, more=facts[1:]).services]
    return [each for each in found if each is not None]


def test_case_45_two_services_under_one_cap_are_rounded_once() -> None:
    lost = rule(lost_fee={"times": "30"})
    found = two_services(
        "12.34 EUR", credits=lost, fee_terms=FeeTerms(of="contract"), caps=(Cap("period", Percent(Decimal("27.5"))),)
    )
    assert [each.amount for each in found] == ["1.49", "1.90"]  # 3.3935 at the cap: 3.39, not 1.50 + 1.90
    assert [each.caps[-1] for each in found] == [
        {"cap": "27.5 % of period over all services", "exact": "3.3935", "reached": True}
    ] * 2
    assert [sum(Decimal(line.amount) for line in each.lines) for each in found] == [Decimal("1.49"), Decimal("1.90")]


def test_of_several_services_the_highest_counts_where_that_is_agreed() -> None:
    lost = rule(lost_fee={"times": "1"})
    found = two_services("100.00 EUR", credits=lost, several_services="highest")
    assert [each.amount for each in found] == ["0.00", "0.73"]


def test_service_days_are_no_money() -> None:
    days = rule(tiers="availability", rows={"< 99.9": "3 service days"})
    found = credit(down(HOUR), credits=days, fee=None)
    assert (found.service_days, found.amount, found.state, found.determined) == ("3", None, "calculated", True)


def test_a_fixed_amount_needs_no_fee() -> None:
    fixed = rule(event={"count": "> 1", "pay": "20.00 EUR each"})
    entered = Inputs(quantity=Decimal("2.5"))
    found = credit(down(MINUTE), down(MINUTE, 12), credits=fixed, caps=(), fee=None, inputs=entered, target=None)
    assert (found.amount, found.currency) == ("50.00", "EUR")


def test_a_day_of_the_year_is_of_the_annual_fee() -> None:
    daily = rule(steps={"step": "0.5 %", "count": "completed", "below": "99.5", "pay": "1 day of the year"})
    assert credit(down(8 * HOUR), credits=daily).amount == "98.63"  # 36 000.00 / 365
    assert credit(down(8 * HOUR), credits=daily, inputs=Inputs(annual_fee=Money(3_650_000, "EUR"))).amount == "100.00"


def test_a_day_of_30_is_the_same_in_every_month() -> None:
    daily = rule(per_day={"pay": "1 day of 30"})
    found = judged(
        measured(lasting("2026-10-10 06:00", HOUR)), "2026-10", contract(terms("99.9", fee=FEE, credits=daily))
    ).credit
    assert found is not None
    assert found.amount == "100.00"


def test_a_running_period_shows_what_a_rule_by_outage_may_still_cost() -> None:
    lost = rule(lost_fee={"times": "1", "of": "outage"})
    found = judged(
        measured(lasting("2026-11-01 06:00", 6 * HOUR)),
        agreed=contract(terms("99.9", fee=FEE, credits=lost)),
        as_of="2026-11-16 00:00",
    ).credit
    assert found is not None
    assert found.inputs["exposure"] == {"incurred": "25.00", "projected": "50.00", "at_most": "1525.00"}


def test_the_highest_bound_counts_all_unknown_time_as_one_more_outage() -> None:
    lost = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "pay": "1 day"})
    facts = measured(down(HOUR), unknown=spans(("2026-11-20 00:00", "2026-11-20 02:30")))
    found = credit(credits=lost, facts=facts)
    assert (found.amount, found.low, found.high, found.determined) == ("100.00", "100.00", "300.00", False)


def test_unknown_time_is_downtime_at_the_highest_bound_of_a_rule_on_downtime() -> None:
    table = rule(tiers="downtime", rows={">= 1 h": "1 day", ">= 2 h": "3 days"})
    facts = measured(down(HOUR), unknown=spans(("2026-11-20 00:00", "2026-11-20 01:00")))
    found = credit(credits=table, facts=facts)
    assert (found.low, found.high) == ("100.00", "300.00")


def test_a_value_of_the_period_pays_once_across_a_new_target() -> None:
    table = rule(tiers="value jitter", rows={"> 30": "1 day"})
    versions = [terms("99.9", fee=FEE, credits=table), terms("99.5", fee=FEE, credits=table, start=ms("2026-11-16"))]
    found = judged(measured(inputs=Inputs(values={"jitter": Decimal(31)})), agreed=contract(*versions)).credit
    assert found is not None
    assert (found.amount, len(found.lines)) == ("100.00", 1)


def test_tickets_of_another_kind_do_not_pay() -> None:
    late = rule(late_tickets={"over": "4 h", "pay": "1 day", "of": "repair"})
    tickets = tuple(Ticket(None, 5 * HOUR, kind) for kind in ("repair", "response", "repair"))
    assert credit(credits=late, inputs=Inputs(tickets=tickets)).amount == "200.00"


@pytest.mark.parametrize(("first", "state"), [({}, "calculated"), ({"first": "10 %"}, "fee_missing")])
def test_fixed_amounts_for_each_unit_need_no_fee_but_a_first_share_of_it_does(
    first: dict[str, str], state: str
) -> None:
    units = rule(per_unit={"unit": "1 h", "count": "completed", "pay": "20.00 EUR", **first})
    assert credit(down(2 * HOUR), credits=units, fee=None, caps=()).state == state


def test_entries_that_touch_stay_one_outage_around_a_window() -> None:
    by_outage = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "pay": "1 day"})
    entries = (
        outage("2026-11-10 06:00", "2026-11-10 06:30", "O-1"),
        outage("2026-11-10 06:30", "2026-11-10 07:30", "O-2"),
    )
    around = exclusion("2026-11-10 06:20", "2026-11-10 06:40")
    assert credit(credits=by_outage, facts=measured(*entries, exclusions=(around,))).amount == "100.00"  # 20 and 50 min
