"""What a missed promise costs (ACCOUNTING.md section 4): exact fractions of minor units, rounded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sla.figures import JSON_DIGITS, digits_for, exact_text, floored
from sla.money import Money, apportion, format_minor, minor_digits, round_minor
from sla.period import Period, days
from sla.printing import decimal_text
from sla.sections import Section
from sla.statement import Credit, CreditLine, ServiceStatement
from sla.terms import Contract, Edge, Terms, Tier, Tiers, in_force

Share = Callable[[Section], Fraction | None]  # availability of a part, as a fraction of 1


@dataclass(frozen=True, slots=True)
class Owed:
    """One rule of one part that pays: exact minor units."""

    part: int
    tier: Tier
    fee: Money
    availability: Fraction

    @property
    def exact(self) -> Fraction:
        return self.fee.minor * Fraction(self.tier.percent) / 100


def credit_of(contract: Contract, parts: Sequence[Section], period: Period, *, provisional: bool) -> Credit | None:
    """The credit of one service for the period, by the terms in force at its end; None where no credits are agreed.

    A running period has no amount, only what is at stake.
    """
    terms = in_force(contract.versions, _last_instant(contract, period))
    if not terms.credits:
        return None
    if terms.fee is None:
        return _credit(terms, state="fee_missing")
    fees = part_fees(terms.fee, parts, period)
    if provisional:
        return _credit(terms, state="none", inputs={"exposure": _exposure(terms, parts, fees)})
    if all(part.measured.availability is None for part in parts):
        return _credit(terms, state="none")
    return _calculated(terms, parts, fees)


def _last_instant(contract: Contract, period: Period) -> int:
    end = period.to_ms if contract.until_ms is None else min(period.to_ms, contract.until_ms)
    return end - 1


def part_fees(fee: Money, parts: Sequence[Section], period: Period) -> tuple[Money, ...]:
    """The period's fee by calendar days; the largest remainders make the parts sum to the fee."""
    starts = [start for _, start, _ in days(period)]
    shares = [Fraction(sum(part.span[0] <= start < part.span[1] for start in starts)) for part in parts]
    not_begun = len(starts) - sum(shares, Fraction(0))
    minors = apportion(fee.minor, [*shares, not_begun])
    return tuple(Money(minor, fee.currency) for minor in minors[: len(parts)])


def _calculated(terms: Terms, parts: Sequence[Section], fees: Sequence[Money]) -> Credit:
    currency = fees[0].currency
    owed = rules_that_pay(terms, parts, fees, lambda part: part.measured.availability)
    amount = payable(terms, owed)
    low = payable(terms, rules_that_pay(terms, parts, fees, _at_best))
    high = payable(terms, rules_that_pay(terms, parts, fees, _at_worst))
    settled = low == high and not any(_needs_a_person(part) for part in parts)
    return _credit(
        terms,
        state="calculated" if settled else "needs_decision",
        lines=_lines(owed, amount, parts),
        amount=format_minor(amount, currency),
        low=format_minor(low, currency),
        high=format_minor(high, currency),
        determined=settled,
        caps=_caps(terms, owed),
    )


def _credit(terms: Terms, **known: Any) -> Credit:
    empty: dict[str, Any] = {"inputs": {}, "lines": (), "amount": None, "low": None, "high": None, "caps": ()}
    return Credit(
        **empty
        | {
            "fee": None if terms.fee is None else format_minor(terms.fee.minor, terms.fee.currency),
            "currency": None if terms.fee is None else terms.fee.currency,
            "determined": False,
            "service_days": None,
            "claim": {"deadline_ms": None, "state": "automatic"},
        }
        | known
    )


def _needs_a_person(part: Section) -> bool:
    """Too little was measured: less than the contract's own minimum, whatever the target, or nothing at all."""
    options, coverage = part.terms.options, part.measured.coverage
    if options.unknown != "exclude":
        return False
    short = coverage is not None and coverage * 100 < Fraction(options.min_coverage)
    return short or part.judgement.reason == "no_checks"


def _at_best(part: Section) -> Fraction | None:
    bounds = _deciding_bounds(part)
    return bounds and bounds[1]


def _at_worst(part: Section) -> Fraction | None:
    bounds = _deciding_bounds(part)
    return bounds and bounds[0]


def _deciding_bounds(part: Section) -> tuple[Fraction, Fraction] | None:
    """The bounds between which the credit lies; where the contract has decided unknown time, the figure itself."""
    figure = part.measured.availability
    if part.terms.options.unknown != "exclude" and figure is not None:
        return figure, figure
    return part.measured.bounds


def rules_that_pay(terms: Terms, parts: Sequence[Section], fees: Sequence[Money], share: Share) -> tuple[Owed, ...]:
    """Every rule of every part that pays at the given availability, in the order of parts and rules."""
    found = []
    for index, (part, fee) in enumerate(zip(parts, fees, strict=True)):
        availability = share(part)
        for table in terms.credits if availability is not None else ():
            tier = deepest(table, availability * 100) if availability is not None else None
            if tier is not None and availability is not None and tier.percent:
                found.append(Owed(index, tier, fee, availability))
    return tuple(found)


def deepest(table: Tiers, availability_pct: Fraction) -> Tier | None:
    """Of the rows that match the deepest; it counts once."""
    matching = [row for row in table.rows if matches(row.edge, availability_pct)]
    return min(matching, key=lambda row: (row.edge.value, row.edge.comparison), default=None)


def matches(edge: Edge, value: Fraction) -> bool:
    limit = Fraction(edge.value)
    answers = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}
    return answers[edge.comparison]


def payable(terms: Terms, owed: Sequence[Owed]) -> int:
    """Sum, cap, one rounding, minimum: whole minor units."""
    exact = sum((each.exact for each in owed), Fraction(0))
    limit = _cap_minor(terms)
    amount = round_minor(exact if limit is None else min(exact, limit), terms.options.rounding)
    return amount if _reaches_minimum(terms, amount) else 0


def _cap_minor(terms: Terms) -> Fraction | None:
    if terms.cap_percent is None or terms.fee is None:
        return None
    return terms.fee.minor * Fraction(terms.cap_percent) / 100


def _reaches_minimum(terms: Terms, amount: int) -> bool:
    if terms.minimum is None:
        return True
    comparison, least = terms.minimum
    return amount > least.minor if comparison == ">" else amount >= least.minor


def _caps(terms: Terms, owed: Sequence[Owed]) -> tuple[dict[str, Any], ...]:
    limit = _cap_minor(terms)
    if limit is None or terms.fee is None or terms.cap_percent is None:
        return ()
    exact = sum((each.exact for each in owed), Fraction(0))
    return (
        {
            "cap": f"{decimal_text(terms.cap_percent)} % of period",
            "exact": _major_text(limit, terms.fee.currency),
            "reached": exact > limit,
        },
    )


def _lines(owed: Sequence[Owed], amount: int, parts: Sequence[Section]) -> tuple[CreditLine, ...]:
    """Each line printed so that they sum to the amount; a line that took a cent for that says so."""
    shares = apportion(amount, [each.exact for each in owed])
    return tuple(_line(each, minor, parts[each.part].terms) for each, minor in zip(owed, shares, strict=True))


def _line(owed: Owed, minor: int, terms: Terms) -> CreditLine:
    currency = owed.fee.currency
    digits = digits_for(terms.target, max(JSON_DIGITS, terms.options.digits))
    inputs = {
        "availability_pct": floored(owed.availability * 100, digits),
        "fee": format_minor(owed.fee.minor, currency),
        "percent": decimal_text(owed.tier.percent),
    }
    if minor != round_minor(owed.exact, terms.options.rounding):
        inputs["printed"] = "so that the lines sum to the credit"
    edge = owed.tier.edge
    return CreditLine(
        part=owed.part,
        rule=f"availability {edge.comparison} {decimal_text(edge.value)}: {decimal_text(owed.tier.percent)} %",
        inputs=inputs,
        exact=_major_text(owed.exact, currency),
        amount=format_minor(minor, currency),
    )


def _major_text(minor: Fraction, currency: str) -> str:
    return exact_text(minor / 10 ** minor_digits(currency))


def _exposure(terms: Terms, parts: Sequence[Section], fees: Sequence[Money]) -> dict[str, str]:
    """What a running period puts at stake: if the rest stays up, goes on as so far, or is all down."""
    shares: dict[str, Share] = {
        "incurred": lambda part: _at_end(part, Fraction(0)),
        "projected": lambda part: part.measured.availability,
        "at_most": lambda part: _at_end(part, Fraction(part.ahead_ms)),
    }
    return {
        name: format_minor(payable(terms, rules_that_pay(terms, parts, fees, share)), fees[0].currency)
        for name, share in shares.items()
    }


def _at_end(part: Section, more_ms: Fraction) -> Fraction | None:
    base = part.measured.considered_ms + part.ahead_ms
    return (base - part.measured.counted_ms - more_ms) / base if base else None


def credit_totals(services: Sequence[ServiceStatement]) -> dict[str, Any]:
    """The contract's credit over its services, per currency; null figures where one of them has none."""
    credits = [service.credit for service in services if service.credit is not None and service.credit.currency]
    currencies = sorted({credit.currency for credit in credits if credit.currency is not None})
    return {"credit": [_total(code, [c for c in credits if c.currency == code]) for code in currencies]}


def _total(currency: str, credits: Sequence[Credit]) -> dict[str, Any]:
    return {
        "currency": currency,
        "amount": _summed([credit.amount for credit in credits], currency),
        "low": _summed([credit.low for credit in credits], currency),
        "high": _summed([credit.high for credit in credits], currency),
        "determined": all(credit.determined for credit in credits),
    }


def _summed(amounts: Sequence[str | None], currency: str) -> str | None:
    known = [Decimal(amount) for amount in amounts if amount is not None]
    minor = sum((amount.scaleb(minor_digits(currency)) for amount in known), Decimal(0))
    return format_minor(int(minor), currency) if len(known) == len(amounts) else None
