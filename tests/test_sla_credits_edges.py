"""Credits where two readings part by little: ties, several services, windows of one period, clocks, printed inputs.

November 2026 in UTC unless said: 30 days, 720 h. The fee is 3 000.00 EUR, so that a day is 100.00.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sla_builders import (
    DAY,
    HOUR,
    MINUTE,
    contract,
    judged,
    lasting,
    measured,
    ms,
    outage,
    span,
    spans,
    statement,
    terms,
    tiers,
)

from config.credits import credits_of
from sla.accounts import annual_minor
from sla.credits import just_missed
from sla.facts import Outage, ServiceFacts
from sla.inputs import Inputs, Ticket
from sla.money import Money
from sla.rules import Cap, FeeTerms, If, Percent, Rule, ServiceDays, Tiers
from sla.spans import Spans
from sla.statement import Credit, Statement

FEE = "3000.00 EUR"
TENTH = tiers({"< 99.9": "10"})
BY_PERIOD = FeeTerms(by="period")
MIDDLE = ms("2026-11-16")
TO_THREE = Outage("O-1", *span("2026-11-10 06:00", "2026-11-10 09:00"))


def rule(**written: Any) -> tuple[Rule, ...]:
    """One rule as a contract writes it; `if_` stands for `if`."""
    return credits_of([{key.rstrip("_"): value for key, value in written.items()}])


def credit(facts: ServiceFacts, *credits: Rule, target: str = "99.9", as_of: str | None = None, **more: Any) -> Credit:
    agreed = contract(terms(target, credits=credits, **{"fee": FEE} | more))
    found = judged(facts, agreed=agreed, as_of=as_of).credit
    assert found is not None
    return found


def down(length_ms: int, day: int = 10, hour: int = 6) -> Outage:
    return lasting(f"2026-11-{day:02d} {hour:02d}:00", length_ms, f"O-{day:02d}{hour:02d}")


def settled(*facts: ServiceFacts, **more: Any) -> Statement:
    """Several services of one contract."""
    agreed = contract(terms("99.9", **{"fee": FEE, "credits": (TENTH,)} | more))
    return statement(facts[0], agreed=agreed, more=facts[1:])


def amounts(found: Statement) -> list[str | None]:
    return [each.credit.amount for each in found.services if each.credit is not None]


def entered(**more: Any) -> ServiceFacts:
    """A service that was down for three hours, and what was entered for it."""
    return measured(TO_THREE, inputs=Inputs(**more))


def euros(whole: int) -> Money:
    return Money(whole * 100, "EUR")


# Several services


def test_a_cap_over_the_services_is_a_share_of_all_their_fees() -> None:
    caps = (Cap("period", Percent(Decimal(5)), over="services"),)
    found = settled(entered(fee=euros(3000)), entered(fee=euros(1000)), caps=caps, fee=None, fee_terms=BY_PERIOD)
    assert amounts(found) == ["150.00", "50.00"]  # 5 % of 4 000.00, of 300.00 and 100.00
    assert [each.credit and each.credit.caps[-1]["exact"] for each in found.services] == ["200", "200"]


def test_one_missing_fee_leaves_all_services_under_one_cap_without_a_credit() -> None:
    caps = (Cap("period", Percent(Decimal(5)), over="services"),)
    found = settled(entered(fee=euros(3000)), entered(), caps=caps, fee=None, fee_terms=BY_PERIOD)
    assert [each.credit and each.credit.state for each in found.services] == ["fee_missing", "fee_missing"]


@pytest.mark.parametrize("first", [True, False])
def test_what_was_credited_in_the_year_is_entered_with_any_of_the_services(*, first: bool) -> None:
    caps = (Cap("rolling_year", Percent(Decimal(1))),)
    known, unknown = {"credited": euros(100)}, dict[str, Money]()
    found = settled(
        entered(fee=euros(3000), **(known if first else unknown)),
        entered(fee=euros(1000), **(unknown if first else known)),
        caps=caps,
        fee=None,
        fee_terms=BY_PERIOD,
    )
    assert amounts(found) == ["285.00", "95.00"]  # 1 % of 12 months of 4 000.00 less 100.00: 380.00 of 400.00


@pytest.mark.parametrize("first", [True, False])
def test_what_remains_of_a_sum_is_entered_with_any_of_the_services(*, first: bool) -> None:
    known, unknown = entered(remaining={"pot": euros(100)}), entered()
    found = settled(*((known, unknown) if first else (unknown, known)), caps=(Cap("remaining", name="pot"),))
    assert amounts(found) == ["50.00", "50.00"]


def test_of_services_that_are_owed_the_same_the_first_has_the_highest() -> None:
    found = settled(entered(), entered(), several_services="highest")
    assert amounts(found) == ["300.00", "0.00"]


def test_the_total_is_open_while_one_service_is() -> None:
    open_ = measured(unknown=spans(("2026-11-20 00:00", "2026-11-20 01:00")))
    assert settled(entered(), open_).totals["credit"] == [
        {"currency": "EUR", "amount": "300.00", "low": "300.00", "high": "600.00", "determined": False}
    ]


# Fees and pays


@pytest.mark.parametrize(
    ("fee", "state", "amount"),
    [
        (euros(4000), "calculated", "400.00"),
        (euros(2000), "calculated", "300.00"),
        (Money(400_000, "USD"), "fee_missing", None),  # of two currencies none is the greater
        (None, "fee_missing", None),
    ],
)
def test_the_greater_of_two_fees_is_one_of_the_same_currency(fee: Money | None, state: str, amount: str | None) -> None:
    found = credit(entered(fee=fee), TENTH, fee_terms=FeeTerms(by="greater"))
    assert (found.state, found.amount) == (state, amount)


@pytest.mark.parametrize(
    ("rate", "amount", "told"), [(euros(80), "240.00", "80.00"), (Money(8_000, "USD"), None, "hourly_rate in EUR")]
)
def test_an_hourly_rate_is_one_in_the_currency_of_the_fee(rate: Money, amount: str | None, told: str) -> None:
    hourly = rule(per_unit={"unit": "1 h", "count": "completed", "pay": "hourly rate"})
    found = credit(entered(hourly_rate=rate), *hourly)
    assert (found.amount, *found.inputs.values()) == (amount, told)


def test_service_days_are_told_beside_money() -> None:
    both = (TENTH, *rule(tiers="availability", rows={"< 99.9": "3 service days"}))
    assert (credit(entered(), *both).amount, credit(entered(), *both).service_days) == ("300.00", "3")
    assert credit(entered(), TENTH).service_days is None


# What one millisecond over the target costs


@pytest.mark.parametrize(
    ("credits", "more", "owed"),
    [
        ((TENTH,), {}, 300),
        ((tiers({"< 99.9": "10", "< 99": "25"}),), {}, 300),
        ((tiers({"< 99": "25"}),), {}, 0),
        ((TENTH, tiers({"< 99.9": "5"})), {}, 450),
        ((TENTH, tiers({"< 99.9": "5"})), {"several_rules": "highest"}, 300),
        ((TENTH,), {"caps": (Cap("period", Percent(Decimal(4))),)}, 120),
        ((TENTH,), {"caps": (Cap("event", Percent(Decimal(4))),)}, 300),
        ((Tiers(TENTH.rows, when=If(missed=1)),), {}, 300),
        ((Tiers(TENTH.rows, when=If(missed=2)),), {}, None),
        ((Tiers(TENTH.rows, on="downtime"),), {}, None),
        (rule(tiers="availability", rows={"< 99.9": "1 day"}), {}, None),
        (rule(per_day={"pay": "1 day"}), {}, None),
        ((TENTH,), {"fee": None}, None),
        ((), {}, None),
    ],
)
def test_what_a_target_just_missed_costs(credits: tuple[Rule, ...], more: dict[str, Any], owed: int | None) -> None:
    found = just_missed(terms("99.9", credits=credits, **{"fee": FEE} | more))
    assert found == (None if owed is None else euros(owed))


# Rules at their edges


def test_of_a_window_of_one_period_no_history_is_read() -> None:
    one = rule(missed_periods={"window": 1, "rows": {1: "10 %"}})
    for history in (None, ("missed", "missed")):
        found = credit(entered(history=history), *one)
        assert (found.amount, found.lines[0].inputs["missed"]) == ("300.00", "1")


@pytest.mark.parametrize(("minutes", "amount"), [(34, "100.00"), (35, "200.00")])
def test_an_allowance_in_minutes_is_taken_off_the_period_once(minutes: int, amount: str) -> None:
    after = rule(per_unit={"unit": "10 min", "count": "completed", "after": "15 min", "pay": "1 day"})
    facts = measured(down(20 * MINUTE), down((minutes - 20) * MINUTE, 12))
    assert credit(facts, *after).amount == amount


def test_an_hour_of_the_clock_holds_the_downtime_of_all_its_outages() -> None:
    free = rule(clock_hours={"over": "> 15 min", "pay": "1 day"})
    broken = Outage("O-1", ms("2026-11-10 06:10:20") + 500, ms("2026-11-10 06:20:20") + 500)
    facts = measured(broken, outage("2026-11-10 06:40", "2026-11-10 06:50", "O-2"))
    assert credit(facts, *free).amount == "100.00"  # 10 min and 10 min of one hour


@pytest.mark.parametrize(("over", "amount"), [("> 14 min", "100.00"), ("> 15 min", "0.00")])
def test_degraded_time_counts_by_its_weight_in_an_hour_of_the_clock(over: str, amount: str) -> None:
    free = rule(clock_hours={"over": over, "pay": "1 day"})
    slow = measured(degraded=(outage("2026-11-10 06:10", "2026-11-10 06:40", "O-1"),))
    assert credit(slow, *free, degraded=Decimal("0.5")).amount == amount


def test_a_rule_of_the_whole_period_reads_the_sum_of_its_parts_and_no_more() -> None:
    def owed(condition: str) -> list[str]:
        lost = rule(lost_fee={"times": "1", "of": "outage"}, if_=condition)
        versions = [
            terms(target, fee=FEE, credits=lost, start=start) for target, start in (("99.9", 0), ("99.5", MIDDLE))
        ]
        facts = measured(outage("2026-11-15 22:00", "2026-11-16 01:00", "O-1"))
        found = judged(facts, agreed=contract(*versions)).credit
        assert found is not None
        return [line.exact for line in found.lines]

    assert owed("downtime >= 3 h") == ["12.5"]  # 3 h of 720 h of 3 000.00
    assert owed("downtime > 3 h") == []


@pytest.mark.parametrize(
    ("unknown", "high"),
    [
        (("2026-11-10 06:40", "2026-11-10 07:00"), "100.00"),  # 40 min and the 20 min that touch: one outage of 1 h
        (("2026-11-10 06:41", "2026-11-10 07:01"), "0.00"),
        (("2026-11-10 05:40", "2026-11-10 06:00"), "100.00"),
        (("2026-11-10 05:39", "2026-11-10 05:59"), "0.00"),
    ],
)
def test_at_the_highest_bound_unknown_time_joins_the_outage_that_it_touches(
    unknown: tuple[str, str], high: str
) -> None:
    by_outage = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "pay": "1 day"})
    found = credit(measured(down(40 * MINUTE), unknown=spans(unknown)), *by_outage)
    assert (found.amount, found.low, found.high) == ("0.00", "0.00", high)


def test_the_printed_inputs_of_a_line_say_what_its_rule_was_applied_to() -> None:
    tickets = (Ticket("T-1", 5 * HOUR), Ticket(None, 6 * HOUR), Ticket("T-3", 7 * HOUR), Ticket("T-4", HOUR))
    facts = measured(down(2 * HOUR), down(HOUR, 12), inputs=Inputs(tickets=tickets, history=("missed",)))
    rules: list[tuple[tuple[Rule, ...], dict[str, str]]] = [
        (rule(tiers="availability", rows={"< 99.9": "10 %"}), {"percent": "10"}),
        (rule(tiers="downtime", rows={"> 1 h": "1 day"}), {"downtime_ms": str(3 * HOUR)}),
        (rule(greatest_of=["1 day", "2 days"]), {"greatest": "2 days"}),
        (rule(lost_fee={"times": "1"}), {"counted": str(3 * HOUR), "base": str(30 * DAY)}),
        (
            rule(per_unit={"unit": "2 h", "count": "started", "pay": "1 %"}),
            {"downtime_ms": str(3 * HOUR), "units": "2"},
        ),
        (
            rule(per_unit={"unit": "1 h", "count": "started", "of": "outage", "pay": "1 %"}),
            {"outages": "2", "units": "2 + 1", "by_outage": "60 + 30"},
        ),
        (rule(steps={"step": "0.1 %", "count": "completed", "pay": "1 %"}), {"below": "99.9", "steps": "3"}),
        (
            rule(severity={"on": "downtime", "points": {"> 1 h": "2"}, "pay": "1 %", "repeat": "1.5"}),
            {"points": "3", "repeated": "yes", "downtime_ms": str(3 * HOUR)},
        ),
        (rule(per_day={"pay": "1 day"}), {"days": "2"}),
        (rule(per_day={"pay": "3 service days"}), {"days": "2", "service_days": "6"}),
        (rule(late_tickets={"over": "4 h", "pay": "1 %"}), {"late": "3", "tickets": "T-1, T-3"}),
        (rule(event={"count": "> 1", "pay": "1 %"}), {"outages": "2"}),
        (rule(clock_hours={"over": "> 15 min", "pay": "1 %"}), {"hours": "3"}),
    ]
    usual = {"availability_pct": "99.583333", "fee": "3000.00"}
    for written, told in rules:
        (line,) = credit(facts, *written).lines
        assert line.inputs == usual | told


# A period in parts, and one that runs


def parted(*versions: dict[str, Any], facts: ServiceFacts, **more: Any) -> Credit:
    """November in two parts, the 1st to the 15th and the rest."""
    agreed = contract(*(terms(start=start, **more | each) for start, each in zip((0, MIDDLE), versions, strict=True)))
    found = judged(facts, agreed=agreed).credit
    assert found is not None
    return found


def test_an_outage_goes_on_in_unknown_time_across_a_new_target() -> None:
    by_outage = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "pay": "1 day"})
    facts = measured(
        outage("2026-11-15 23:20", "2026-11-16 00:00", "O-1"), unknown=spans(("2026-11-16 00:00", "2026-11-16 00:20"))
    )
    found = parted({"target": "99.9"}, {"target": "99.5"}, facts=facts, fee=FEE, credits=by_outage)
    assert (found.low, found.high) == ("0.00", "100.00")


def test_unknown_time_of_one_part_opens_the_credit_of_the_period() -> None:
    facts = measured(unknown=spans(("2026-11-05 00:00", "2026-11-05 01:00")))
    found = parted({"target": "99.9"}, {"target": "99.5"}, facts=facts, fee=FEE, credits=(TENTH,))
    assert (found.low, found.high, found.determined) == ("0.00", "150.00", False)  # 15 of 30 days


def test_too_little_was_measured_in_one_part_and_a_person_decides() -> None:
    facts = measured(unknown=spans(("2026-11-05 00:00", "2026-11-06 00:00")))  # 1 of 15 days
    found = parted({"target": "60"}, {"target": "50"}, facts=facts, fee=FEE, credits=(tiers({"< 60": "10"}),))
    assert (found.low, found.high, found.determined) == ("0.00", "0.00", False)


def test_what_a_running_period_needs_and_nobody_entered_is_told() -> None:
    repeated = Tiers(TENTH.rows, when=If(missed=2))
    found = credit(measured(down(3 * HOUR, 2)), repeated, as_of="2026-11-10 00:00")
    assert (found.state, found.inputs) == ("none", {"missing": "history"})


def test_service_days_put_no_money_at_stake() -> None:
    days = rule(tiers="availability", rows={"< 99.9": "3 service days"})
    found = credit(measured(down(3 * HOUR, 2)), *days, fee=None, as_of="2026-11-10 00:00")
    assert (found.state, found.inputs) == ("none", {"exposure": {}})


# Roundings, ties and what is printed


@pytest.mark.parametrize(("of", "told"), [("service", ["1.23", "1.23"]), ("contract", ["1.24", "1.23"])])
def test_services_that_share_a_fee_are_rounded_once_without_a_cap_too(of: Any, told: list[str]) -> None:
    found = settled(entered(), entered(), fee="12.34 EUR", fee_terms=FeeTerms(of=of), caps=())
    assert amounts(found) == told  # 1.234 each, 2.468 together


def test_a_service_without_a_figure_takes_no_credit_from_one_that_has_one() -> None:
    dark = measured(unknown=spans(("2026-11-01 00:00", "2026-12-01 00:00")))
    found = settled(entered(), dark, caps=(Cap("period", Percent(Decimal(5)), over="services"),))
    assert [each.credit and each.credit.state for each in found.services] == ["calculated", "needs_decision"]
    assert amounts(found) == ["300.00", "0.00"]


def test_of_rules_that_owe_the_same_the_first_is_the_highest() -> None:
    found = credit(entered(), TENTH, tiers({"< 99.95": "10"}), several_rules="highest")
    assert [line.rule for line in found.lines] == ["availability < 99.9: 10 %"]


def test_a_cap_that_is_just_met_is_not_reached() -> None:
    met = credit(entered(), TENTH, caps=(Cap("period", Percent(Decimal(10))),))
    cut = credit(entered(), TENTH, caps=(Cap("period", Percent(Decimal("9.999"))),))
    assert [found.caps[0]["reached"] for found in (met, cut)] == [False, True]
    assert (met.amount, cut.amount) == ("300.00", "299.97")


def test_a_cap_in_service_days_cuts_service_days_alone() -> None:
    both = (TENTH, *rule(tiers="availability", rows={"< 99.9": "3 service days"}))
    found = credit(entered(), *both, caps=(Cap("period", ServiceDays(Decimal(2))),))
    assert (found.amount, found.service_days) == ("300.00", "2")
    assert (found.caps[0]["exact"], found.caps[0]["reached"]) == ("2", True)


def test_all_that_was_entered_is_printed() -> None:
    given: dict[str, Any] = {
        name: euros(cents) for cents, name in enumerate(("annual_fee", "hourly_rate", "credited"), 1)
    }
    given |= {"quantity": Decimal("2.50"), "users": Decimal(100), "history": ("missed", Decimal("99.80"))}
    given |= {"remaining": {"pot": euros(4)}, "values": {"jitter": Decimal("1.5")}}
    assert credit(entered(**given), TENTH).inputs == {
        "annual_fee": "1.00",
        "hourly_rate": "2.00",
        "credited": "3.00",
        "quantity": "2.50",
        "users": "100",
        "history": "missed, 99.80",
        "remaining.pot": "4.00",
        "values.jitter": "1.5",
    }


@pytest.mark.parametrize(
    ("period", "annual"),
    [("month", 36_000), ("billing month from day 15", 36_000), ("quarter", 12_000), ("year", 3_000), ("week", None)],
)
def test_an_annual_fee_is_so_many_fees_of_a_period(period: str, annual: int | None) -> None:
    found = annual_minor(terms(period=period), euros(3000), Inputs())
    assert found == (None if annual is None else annual * 100)


def test_an_annual_fee_that_was_agreed_or_entered_goes_before() -> None:
    agreed = terms(fee_terms=FeeTerms(annual_minor=700))
    assert annual_minor(agreed, euros(3000), Inputs()) == 700
    assert annual_minor(agreed, euros(3000), Inputs(annual_fee=Money(900, "EUR"))) == 900
    assert annual_minor(terms(), None, Inputs()) is None


# Units, entries and bounds


def test_two_hours_of_the_fee_are_twice_one() -> None:
    found = credit(entered(), *rule(tiers="availability", rows={"< 99.9": "2 hours"}))
    assert found.amount == "8.33"  # 3 000.00 * 2 / 720


def test_an_amount_without_a_currency_waits_for_the_fee_that_has_one() -> None:
    fixed = rule(event={"count": "> 0", "pay": "20.00"})
    assert credit(entered(), *fixed, fee=None, caps=()).inputs == {"missing": "fee"}


def test_a_cap_of_the_event_leaves_what_is_not_owed_by_outage() -> None:
    both = (*rule(lost_fee={"times": "100", "of": "outage"}), TENTH)
    found = credit(entered(), *both, caps=(Cap("event", Percent(Decimal(2))),))
    assert [line.amount for line in found.lines] == ["60.00", "300.00"]  # not 1 250.00


def test_of_a_year_that_is_used_up_nothing_is_left() -> None:
    found = credit(entered(credited=euros(500)), TENTH, caps=(Cap("rolling_year", Percent(Decimal(1))),))
    assert (found.amount, found.caps[0]["exact"], found.caps[0]["reached"]) == ("0.00", "0", True)


@pytest.mark.parametrize(("unknown", "amount"), [("up", "100.00"), ("down", "300.00")])
def test_unknown_time_is_an_outage_where_the_contract_counts_it_down(unknown: str, amount: str) -> None:
    by_outage = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "pay": "1 day"})
    facts = measured(down(HOUR), unknown=spans(("2026-11-20 00:00", "2026-11-20 02:30")))
    assert credit(facts, *by_outage, unknown=unknown).amount == amount


def test_entries_that_touch_are_one_outage_of_a_rule_by_outage() -> None:
    by_outage = rule(per_unit={"unit": "1 h", "count": "completed", "of": "outage", "pay": "1 day"})
    first = outage("2026-11-10 06:00", "2026-11-10 06:30", "O-1")
    touching, apart = (outage(f"2026-11-10 06:{at}", "2026-11-10 07:30", "O-2") for at in (30, 31))
    assert credit(measured(first, touching), *by_outage).lines[0].inputs["outages"] == "1"
    assert credit(measured(first, touching), *by_outage).amount == "100.00"  # 90 min
    assert credit(measured(first, apart), *by_outage).amount == "0.00"  # 30 min and 59 min


@pytest.mark.parametrize(("unknown_ms", "determined"), [(36 * HOUR, True), (36 * HOUR + 1, False)])
def test_exactly_the_agreed_coverage_needs_no_person(unknown_ms: int, *, determined: bool) -> None:
    start = ms("2026-11-10")  # 5 % of 30 days are 36 h
    facts = measured(unknown=Spans.of([(start, start + unknown_ms)]))
    found = credit(facts, tiers({"< 50": "10"}), target="50")
    assert (found.low, found.high, found.determined) == ("0.00", "0.00", determined)


def test_severity_says_where_nothing_is_repeated() -> None:
    points = rule(severity={"points": {"< 99.9": "2"}, "pay": "1 %"})
    (line,) = credit(entered(history=("met",)), *points).lines
    assert (line.inputs["points"], line.inputs["repeated"], line.amount) == ("2", "no", "60.00")
