"""Fee, caps, claims and chronic breach as written: the words of contracts to the values of `sla.rules`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from config import units
from config.pay import pay_of
from config.problems import At, unknown_key
from sla.money import MINOR_DIGITS, MoneyError, parse_amount
from sla.rules import NARROWEST_FIRST, Amount, Cap, Chronic, Claim, Deadline, Percent, ServiceDays
from sla.rules_text import caps_json, chronic_text, claim_json

_CAP = (
    "100 % of period, 500.00 of period, 15 days of period, 50 % of event, 10 % of rolling year, remaining NAME or none"
)
_DAYS_AFTER = "30 days after period_end"
_DEADLINE = f"{_DAYS_AFTER}, 5 business days after incident or 2 billing cycles after incident"
_CHRONIC = "3 in a row, 5 of 12 (missed of the last 12) or 2 of 6 below 98.0"
_PER = "{amount: 2500.00, currency: EUR, per: month}"
FEE_KEYS = ("amount", "currency", "per", "of", "by")


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee as written: `amount` is text, with its currency where that was written beside it."""

    amount: str | None
    per: Literal["period", "month", "quarter", "year"] = "period"
    by: Literal["amount", "period", "greater"] = "amount"
    of: Literal["service", "contract"] = "service"

    @property
    def stored(self) -> str | dict[str, str]:
        """The amount alone where nothing else was said."""
        if (self.per, self.by, self.of) == ("period", "amount", "service"):
            return self.amount or ""
        amount = {} if self.amount is None else {"amount": self.amount}
        return {**amount, "per": self.per, "by": self.by, "of": self.of}


def fee_of(value: object) -> Fee:
    """`2500.00 EUR`, `{amount: 2500.00, currency: EUR, per: month, of: service}` or `{by: period}`."""
    if isinstance(value, Fee):
        return value
    if not isinstance(value, Mapping):
        text = units.text_of(value)
        if " per " in text or not re.search(r"\d", text):
            raise ValueError(f"{text!r} is no amount; write 2500.00 EUR, {_PER} or {{by: period}} (as entered)")
        return Fee(amount_text(text, text))
    for key in value:
        if key not in FEE_KEYS:
            raise At(key, unknown_key(str(key), FEE_KEYS))
    found = Fee(
        amount=None,
        per=_word(value, "per", ("period", "month", "quarter", "year")),
        by=_word(value, "by", ("amount", "period", "greater")),
        of=_word(value, "of", ("service", "contract")),
    )
    if found.by == "period":
        if "amount" in value:
            raise At("amount", "stands beside by: period, where finance enters it; leave one of them out")
        return found
    if "amount" not in value:
        raise ValueError("has no amount; write e.g. 2500.00 EUR")
    text = f"{value['amount']} {value.get('currency', '')}".strip()
    return Fee(amount_text(text, text), found.per, found.by, found.of)


def _word(value: Mapping[str, Any], key: str, words: tuple[str, ...]) -> Any:
    if value.get(key) is None:
        return words[0]
    try:
        return units.one_of(value[key], words)
    except ValueError as error:
        raise At(key, str(error)) from None


def amount_text(text: str, shown: str) -> str:
    """An amount that is never negative; its currency may come later. Raises ValueError."""
    words = text.split()
    if len(words) == 1 and words[0] in MINOR_DIGITS:
        raise ValueError(f"{shown!r} has no amount; write e.g. 2500.00 {words[0]}")
    try:
        money = parse_amount(
            text, None if len(words) > 1 else "UYW"
        )  # four digits: the client's currency decides later
    except MoneyError as error:
        raise ValueError(str(error).replace(" UYW", " EUR") if len(words) > 1 else _no_amount(shown)) from None
    if money.minor < 0:
        raise ValueError(f"{shown} is below zero; write e.g. {text.lstrip('-')}")
    return text


def _no_amount(shown: str) -> str:
    return f"{shown!r} is no amount; write e.g. 2500.00 EUR"


def caps_of(value: object) -> tuple[Cap, ...]:
    """`100 %` of the period's fee, `none`, or several, narrowest first. Raises ValueError."""
    if isinstance(value, tuple) and all(isinstance(item, Cap) for item in value):
        return value
    items = units.listed(value)
    if [units.text_of(item) for item in items] == ["none"]:
        return ()
    found = tuple(_cap(units.text_of(item)) for item in items)
    if not found:
        raise ValueError(f"has no cap; write {_CAP}")
    order = [NARROWEST_FIRST.index(cap.of) for cap in found]
    if order != sorted(order):
        raise ValueError(f"caps stand out of order; write the narrowest first, e.g. {_ordered(found)}")
    return found


def _ordered(found: tuple[Cap, ...]) -> str:
    texts = caps_json(tuple(sorted(found, key=lambda cap: NARROWEST_FIRST.index(cap.of))))
    return texts if isinstance(texts, str) else f"[{', '.join(texts)}]"


def _cap(text: str) -> Cap:
    text = re.sub(r"\s+", " ", text)
    if match := re.fullmatch(r"remaining ([a-z0-9][a-z0-9_]*)", text):
        return Cap("remaining", name=match[1])
    if text == "none":
        raise ValueError("none stands beside other caps; leave one of them out")
    over = text.endswith(" over all services")
    match = re.fullmatch(r"(.+?) of (event|period|rolling year)", text.removesuffix(" over all services"))
    if match is None and " of " in text:
        raise ValueError(f"{text!r} is no cap; write {_CAP}")
    if match is None and not re.fullmatch(rf"{units.DECIMAL}( ?%)?( over all services)?", text):
        raise ValueError(f"{text!r} is no cap; write {_CAP}")
    limit = pay_of(match[1]) if match else Percent(units.percent(text.removesuffix(" over all services")))
    if not isinstance(limit, Percent | Amount | ServiceDays) and (match is None or match[2] != "period"):
        raise ValueError(f"{text!r} is no cap; write {_CAP}")
    of = match[2].replace(" ", "_") if match else "period"
    if over and of != "period":
        raise ValueError(
            f"{text!r}: over all services is said of a period; write e.g. 100 % of period over all services"
        )
    return Cap(of, limit, over="services" if over else "service")  # type: ignore[arg-type]


def stored_caps(caps: tuple[Cap, ...]) -> str | list[str]:
    """`100 %` for the cap of a period alone, `none`, or the list."""
    if len(caps) == 1 and isinstance(caps[0].limit, Percent) and caps[0] == Cap("period", caps[0].limit):
        return f"{caps[0].limit.value:f} %"
    return caps_json(caps)


def minimum_of(value: object) -> str:
    """`> 1.00` or `>= 1.00 EUR`: the least that is paid out."""
    text = units.text_of(value)
    match = re.fullmatch(r"(>=|>)\s*(.+)", text)
    if match is None:
        raise ValueError(f'{text!r} is no comparison with an amount; write e.g. "> 1.00"')
    return f"{match[1]} {amount_text(match[2], match[2])}"


def claim_of(value: object) -> Claim:
    """`automatic`, or `{by: request, deadline: 30 days after period_end, notice: 5 business days after incident}`."""
    if isinstance(value, Claim):
        return value
    if not isinstance(value, Mapping):
        text = units.text_of(value)
        if text not in ("automatic", "request"):
            raise ValueError(
                f"{text!r} is not known here; write automatic, request or {{by: request, deadline: {_DAYS_AFTER}}}"
            )
        return Claim("automatic" if text == "automatic" else "request")
    for key in value:
        if key not in ("by", "deadline", "notice"):
            raise At(key, unknown_key(str(key), ("by", "deadline", "notice")))
    by = _word(value, "by", ("automatic", "request"))
    found = {key: _deadline(value[key], key) for key in ("deadline", "notice") if value.get(key) is not None}
    if found and by == "automatic":
        raise At(next(iter(found)), "is of a claim on request; write by: request beside it, or leave it out")
    return Claim(by, found.get("deadline"), found.get("notice"))


def _deadline(value: object, key: str) -> Deadline:
    text = re.sub(r"\s+", " ", str(value).strip())
    match = re.fullmatch(
        r"(\d{1,4}) (day|business day|hour|month|billing cycle)s? after (period[_ ]end|incident|incident[_ ]end)", text
    )
    if match is None or not int(match[1]):
        raise At(key, f"{text!r} is no deadline; write e.g. {_DEADLINE}")
    return Deadline(int(match[1]), f"{match[2]}s", match[3].replace(" ", "_"))  # type: ignore[arg-type]


def stored_claim(claim: Claim) -> dict[str, str]:
    return claim_json(claim)


def chronic_of(value: object) -> tuple[Chronic, ...]:
    """`[3 in a row, 5 of 12, 2 of 6 below 98.0]`."""
    return tuple(_chronic(item) for item in units.listed(value))


def _chronic(value: object) -> Chronic:
    if isinstance(value, Chronic):
        return value
    text = re.sub(r"\s+", " ", units.text_of(value))
    match = re.fullmatch(rf"([1-9]\d?) (?:in a row|of ([1-9]\d?))(?: below ({units.DECIMAL}) ?%?)?", text)
    if match is None or int(match[1]) > int(match[2] or match[1]):
        raise ValueError(f"{text!r} is no chronic breach; write e.g. {_CHRONIC}")
    return Chronic(int(match[1]), int(match[2] or match[1]), None if match[3] is None else units.share(match[3]))


def stored_chronic(rules: tuple[Chronic, ...]) -> list[str]:
    return [chronic_text(rule) for rule in rules]
