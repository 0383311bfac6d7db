"""The service credit: the tier table with the row that hit, and the computation beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from reporting.report import reading, wording
from reporting.report.reading import Reading
from reporting.report.rule_words import applied_text
from sla.explain import is_owed
from sla.figures import exact_text, printed_pct
from sla.statement import Credit, CreditLine, ServiceStatement

EDGE = re.compile(r"(<=|<|≤)\s*(\d+(?:\.\d+)?)")
SHARE = re.compile(r":\s*(\d+(?:\.\d+)?)\s*%")
ORDINALS = (
    "second",
    "third",  # the first row of the table is the one that owes nothing
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
)


STAKES = ("incurred", "projected", "at_most")


@dataclass(frozen=True, slots=True)
class TierRow:
    range: str
    figure: str  # the availability, in the row that hit
    share: str
    hit: bool


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    figure: str
    note: str = ""  # what the rule was applied to, and the exact amount


@dataclass(frozen=True, slots=True)
class Formula:
    """The credit of one service: its table, its computation, and one line with the numbers of the formula."""

    name: str
    tiers: tuple[TierRow, ...]
    steps: tuple[Step, ...]
    result_label: str
    result: str
    line: str


@dataclass(frozen=True, slots=True)
class Tier:
    """`< 99.9: 10 %` as agreed, digits kept."""

    comparison: str
    edge: str
    share: str


def formulas(page: Reading) -> tuple[Formula, ...]:
    """One block per service that is owed something, or whose credit is not decided."""
    return tuple(
        _formula(service, service.credit, page)
        for service in page.services
        if service.credit is not None and not service.provisional and is_owed(service.credit)
    )


@dataclass(frozen=True, slots=True)
class AtStake:
    """What a running period may still cost: never a credit line."""

    name: str
    incurred: str
    projected: str
    at_most: str


def at_stake(page: Reading) -> tuple[AtStake, ...]:
    found = ((s.name, s.credit) for s in page.services if s.provisional and s.credit is not None)
    return tuple(
        AtStake(name, **{key: wording.money(str(credit.inputs["exposure"][key]), credit.currency) for key in STAKES})
        for name, credit in found
        if set(STAKES) <= set(credit.inputs.get("exposure") or ())
    )


def others_lead(page: Reading) -> str:
    """What the services without a block of their own earn, where they all met their targets."""
    shown = {formula.name for formula in formulas(page)}
    others = [service for service in page.services if service.name not in shown]
    if not others or any(service.verdict != "MET" for service in others):
        return ""
    if len(others) == 1:
        return f"{others[0].name} met its target and earns no credit."
    return f"The other {wording.counted(len(others), 'service')} met their targets and earn no credit."


def tiers_of(page: Reading) -> tuple[Tier, ...]:
    """The rows of the contract's tier table on availability, least credit first."""
    table = _tier_table(reading.terms_in_force(page.statement).get("credits"))
    rows = (_tier(str(edge), str(share)) for edge, share in table.items())
    found = [row for row in rows if row is not None]
    return tuple(sorted(found, key=lambda row: (Decimal(row.edge), row.comparison), reverse=True))


def _tier_table(credits_: Any) -> Mapping[str, Any]:
    """CONTRACTS.md: a table is tiers on availability; a list holds it as its rule `tiers: availability`."""
    if isinstance(credits_, Mapping):
        return credits_
    for rule in credits_ or ():
        if isinstance(rule, Mapping) and rule.get("tiers") == "availability":
            return rule.get("rows") or rule.get("table") or rule
    return {}


def _tier(edge: str, share: str) -> Tier | None:
    match = EDGE.match(edge.strip())
    figure = re.fullmatch(r"\s*(\d+(?:\.\d+)?) ?%", share)
    return Tier(match[1].replace("<=", "≤"), match[2], figure[1]) if match and figure else None


def _formula(service: ServiceStatement, credit: Credit, page: Reading) -> Formula:
    hits = [_hit(line.rule) for line in credit.lines]
    open_label = {"needs_decision": "Not decided", "fee_missing": "Fee not recorded"}
    return Formula(
        name=service.name,
        tiers=_tier_rows(service, credit.lines, tiers_of(page)),
        steps=_steps(service, credit, page),
        result_label=open_label.get(credit.state, "Added to the term" if _in_days(credit) else "Credit due"),
        result=_result(credit),
        line=_line(credit, hits, page),
    )


def _hit(rule: str) -> Tier | None:
    """The tier named by a credit line: `availability < 99.9: 10 %`; other rules stand in their own words."""
    if not re.fullmatch(r"availability [<=≤ ]+[\d.]+: [\d.]+ %", rule):
        return None
    edge, share = EDGE.search(rule), SHARE.search(rule)
    return Tier(edge[1].replace("<=", "≤"), edge[2], share[1]) if edge and share else None


def _tier_rows(
    service: ServiceStatement, lines: tuple[CreditLine, ...], tiers: tuple[Tier, ...]
) -> tuple[TierRow, ...]:
    hits = [_hit(line.rule) for line in lines]
    shown = tiers or tuple(hit for hit in hits if hit is not None)
    if not shown:
        return ()
    inverse = {"<": "≥", "≤": ">"}
    first = shown[0]
    rows = [TierRow(f"A {inverse[first.comparison]} {wording.percent(first.edge)}", "", "none", hit=False)]
    for at, tier in enumerate(shown):
        below = shown[at + 1] if at + 1 < len(shown) else None
        figures = [_judged(line, service) for line, hit in zip(lines, hits, strict=True) if _is(hit, tier)]
        rows.append(TierRow(_range(tier, below), ", ".join(figures), wording.percent_of(tier.share), bool(figures)))
    return tuple(rows)


def _is(hit: Tier | None, tier: Tier) -> bool:
    return hit is not None and Decimal(hit.edge) == Decimal(tier.edge)


def _judged(line: CreditLine, service: ServiceStatement) -> str:
    """The availability that this line was computed from: of its part, where the period has several."""
    figure = line.inputs.get("availability_pct", service.availability_pct)
    target = service.parts[line.part].target_pct if line.part < len(service.parts) else service.target_pct
    return wording.DASH if figure is None else wording.percent(printed_pct(figure, target_pct=target))


def _range(tier: Tier, below: Tier | None) -> str:
    upper = f"A {tier.comparison} {wording.percent(tier.edge)}"
    if below is None:
        return upper
    return f"{wording.percent(below.edge)} {'≤' if below.comparison == '<' else '<'} {upper}"


def _steps(service: ServiceStatement, credit: Credit, page: Reading) -> tuple[Step, ...]:
    fee = wording.DASH if credit.fee is None else wording.money(credit.fee, credit.currency)
    first = [] if _in_days(credit) else [Step(f"{_fee_word(page)}, {service.name}", fee)]
    if len(credit.lines) == 1 and len(service.parts) == 1 and (hit := _hit(credit.lines[0].rule)) is not None:
        share = f"× {wording.percent_of(hit.share)}"
        return (*first, Step(f"Share of fee{_ordinal(hit, tiers_of(page))}", share))
    return (*first, *(_line_step(line, service, credit) for line in credit.lines))


def _in_days(credit: Credit) -> bool:
    """Service days are all that is owed: no money moves."""
    return bool(Fraction(credit.service_days or 0)) and not Decimal(credit.amount or 0)


def _line_step(line: CreditLine, service: ServiceStatement, credit: Credit) -> Step:
    """One rule of one part: its printed amounts sum to the credit; the exact one stands below."""
    hit, fee = _hit(line.rule), line.inputs.get("fee")
    several = len(service.parts) > 1
    if several and hit and fee:
        label = f"Part {line.part + 1}, {wording.money(fee, credit.currency)} × {wording.percent_of(hit.share)}"
    else:
        label = f"Part {line.part + 1}, {line.rule}" if several else wording.capital(line.rule)
    if credit.currency is None or (line.inputs.get("service_days") and not Fraction(line.exact)):
        return Step(label, _days(line.inputs.get("service_days", "0")), _applied(line).rstrip("; "))
    return Step(label, wording.money(line.amount, credit.currency), f"{_applied(line)}exact {_told(line, credit)}")


APPLIED_ELSEWHERE = ("fee", "availability_pct", "percent", "printed", "service_days")


def _applied(line: CreditLine) -> str:
    """`Units 7, downtime 3 h 34 min; `: what the rule found."""
    found = [applied_text(name, value) for name, value in line.inputs.items() if name not in APPLIED_ELSEWHERE]
    return f"{', '.join(text for text in found if text)}; " if found else ""


def _told(line: CreditLine, credit: Credit) -> str:
    """The exact amount; of one that no decimal ends the fraction and its first digits."""
    if "/" not in line.exact:
        return _exact(line.exact, credit)
    return f"{line.exact} = {credit.currency or ''}{wording.FIXED}{wording.exact_number(Fraction(line.exact))}"


def _days(text: str) -> str:
    return f"{text} service day{'' if text == '1' else 's'}"


def _fee_word(page: Reading) -> str:
    period = str(page.statement.options.get("period", "month"))
    words = {"month": "Monthly fee", "week": "Weekly fee", "quarter": "Quarterly fee", "year": "Yearly fee"}
    return words.get(period, "Fee of the period")


def _ordinal(hit: Tier, tiers: tuple[Tier, ...]) -> str:
    at = next((at for at, tier in enumerate(tiers) if Decimal(tier.edge) == Decimal(hit.edge)), None)
    return "" if at is None or at >= len(ORDINALS) else f", {ORDINALS[at]} tier"


def _result(credit: Credit) -> str:
    if credit.state == "fee_missing":
        return wording.DASH
    if not credit.determined and credit.low is not None and credit.high is not None:
        low, high = (wording.money(end, credit.currency) for end in (credit.low, credit.high))
        return f"{low} to {high}"
    if _in_days(credit):
        return _days(credit.service_days or "0")
    money = wording.DASH if credit.amount is None else wording.money(credit.amount, credit.currency)
    days = Fraction(credit.service_days or 0)
    return f"{money} and {_days(credit.service_days or '0')}" if days else money


def _line(credit: Credit, hits: list[Tier | None], page: Reading) -> str:
    """The formula with its numbers, the cap, the rounding, and the clause."""
    said = [_product(credit, hits), _sum(credit), _caps(credit), _shared(credit, page)]
    if not _in_days(credit):
        said += [_rounding(page), _moved(credit)]
    return " ".join(part for part in said if part)


def _sum(credit: Credit) -> str:
    if len(credit.lines) < 2 or credit.currency is None:
        return ""
    total = sum((Fraction(line.exact) for line in credit.lines), Fraction(0))
    return f"Together {_exact(exact_text(total), credit)} exact."


def _shared(credit: Credit, page: Reading) -> str:
    """Where a cap over all services was reached, the sum that it cut, so that the shares can be checked."""
    over_all = ("over all services", "rolling year", "remaining")
    reached = [cap for cap in credit.caps if cap.get("reached") and any(word in str(cap["cap"]) for word in over_all)]
    others = [s.credit for s in page.services if s.credit is not None]
    if not reached or len(others) < 2:
        return ""
    total = sum((Decimal(other.amount or 0) for other in others), Decimal(0))
    whole = wording.money(str(total), credit.currency)
    return f"All services together receive {whole}; each its share of that, by what it earned before the cap."


def _moved(credit: Credit) -> str:
    """A line that does not print its own rounding says why."""
    if not any("printed" in line.inputs for line in credit.lines):
        return ""
    return "Amounts are printed after caps and rounding, so that they sum to the credit."


def _product(credit: Credit, hits: list[Tier | None]) -> str:
    if credit.fee is None or len(hits) != 1 or hits[0] is None:
        return ""
    line = credit.lines[0]
    fee, exact = wording.money(line.inputs.get("fee", credit.fee), credit.currency), line.exact
    return f"{fee} × {_factor(hits[0])} = {_exact(exact, credit)}."


def _factor(hit: Tier) -> str:
    """A share as a factor with two decimals at least: `0.10`."""
    plain = f"{Decimal(hit.share) / 100:f}"
    whole, _, decimals = plain.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _exact(exact: str, credit: Credit) -> str:
    """The unrounded product, with at least the currency's decimals so that it reads as money."""
    if "/" in exact:
        return f"{credit.currency or ''}{wording.FIXED}{wording.exact_number(Fraction(exact))}"
    least = len((credit.fee or "").partition(".")[2])
    whole, _, decimals = exact.partition(".")
    padded = decimals.ljust(least, "0")
    return wording.money(f"{whole}.{padded}" if padded else whole, credit.currency)


def _caps(credit: Credit) -> str:
    return " ".join(_cap(cap, credit) for cap in credit.caps)


def _cap(cap: Mapping[str, Any], credit: Credit) -> str:
    """`Cap, 50 % of period: EUR 2 500.00, not reached.`"""
    written = re.sub(r" ?%", f"{wording.NARROW}%", str(cap.get("cap", "")))
    words = f"Cap, {written}" if written else "Cap"
    exact = str(cap.get("exact") or "")
    in_days = "service day" in written or credit.currency is None
    figure = f": {_days(exact) if in_days else _exact(exact, credit)}" if exact else ""
    return f"{words}{figure}, {'reached' if cap.get('reached') else 'not reached'}."


def _rounding(page: Reading) -> str:
    mode = {"half_up": "half up", "half_even": "half to even"}.get(str(page.statement.options.get("rounding")), "")
    clause = reading.clause(page, "credits")
    words = f"Rounded once, {mode}" if mode else "Rounded once"
    least = reading.terms_in_force(page.statement).get("minimum")
    if least:
        edge = "more than" if least["more_than"] == ">" else "at least"
        words += f"; paid where it is {edge} {wording.money(str(least['amount']), least.get('currency'))}"
    return f"{words}; clause {clause}." if clause else f"{words}."
