"""`inputs` and `series` of a calc file: what no probe knows, each value read at its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from config import units
from config.calc_facts import FactsReader, instant_ms, read_mapping
from config.problems import ConfigError, KeyPath, Problem, unknown_key
from config.reading import Sources
from sla.accounts import pays
from sla.inputs import Bucket, Inputs, PeriodBefore, Requests, Ticket
from sla.money import Money, MoneyError, parse_amount
from sla.period import Period
from sla.rules import Amount, HourlyRate, LateTickets, MissedPeriods, Rule, Severity, Tiers
from sla.terms import Terms

Value = TypeVar("Value")
KEYS = (
    *("fee", "annual_fee", "hourly_rate", "credited", "quantity", "users"),
    *("history", "remaining", "values", "tickets"),
)
_EXAMPLES = {
    "fee": "inputs: {fee: 2500.00 EUR}",
    "annual_fee": "inputs: {annual_fee: 12000.00}",
    "hourly_rate": "inputs: {hourly_rate: 1.25}",
    "credited": "inputs: {credited: 0.00}",
    "quantity": "inputs: {quantity: 20}",
    "users": "inputs: {users: 100}",
    "history": "inputs: {history: [99.95, missed]}, oldest first, or [] where there was no period before",
    "tickets": "inputs: {tickets: [{id: T-1, took: 5 h}]}, or [] where there was none",
    "requests": "series: {requests: {bucket: 5 min, buckets: [{requests: 1000, errors: 3}]}}",
    "remaining": "inputs: {remaining: {NAME: 5.00}}",
    "values": "inputs: {values: {NAME: 12.5}}",
}


def inputs_of(reader: FactsReader, terms: Terms | None, tz: str) -> Inputs:
    """Everything that was entered; problems are noted at their line."""
    entered = reader.mapping("inputs", KEYS)
    currency = terms.fee.currency if terms is not None and terms.fee is not None else None
    read = _Reader(reader, entered, currency)
    series = reader.mapping("series", None)
    found = Inputs(
        fee=read.one("fee", read.money),
        annual_fee=read.one("annual_fee", read.money),
        hourly_rate=read.one("hourly_rate", read.money),
        credited=read.one("credited", read.money),
        quantity=read.one("quantity", _amount),
        users=read.one("users", _amount),
        history=read.many("history", _before),
        remaining=read.named("remaining", read.money),
        values=read.named("values", units.number),
        series={
            name: tuple(
                _noted(reader, ("series", name, n), units.number, item) or Decimal(0) for n, item in enumerate(each)
            )
            for name, each in read.lists(series)
        },
        tickets=read.many("tickets", _ticket),
        requests=_requests(reader, series.get("requests"), tz) if "requests" in series else None,
    )
    if terms is not None and not reader.problems:
        for path, message in _missing(terms, found):
            reader.refuse(path, message)
    return found


def entered(text: str, name: str) -> dict[tuple[str, str], Inputs]:
    """A file of inputs for live contracts: by contract and service, each with `inputs` and `series` as calc has them.

    Amounts bear their currency. Raises ConfigError with every problem at its line.
    """
    value, sources, problems = read_mapping(text, name, "acme-api: {api: {inputs: {fee: 2500.00 EUR}}}")
    found: dict[tuple[str, str], Inputs] = {}
    for contract, services in value.items():
        if not isinstance(services, dict):
            problems.append(sources.problem((contract,), "is no mapping; write each service with its inputs below it"))
            continue
        for service, given in services.items():
            at: KeyPath = (contract, service)
            if not isinstance(given, dict) or not set(given) <= {"inputs", "series"}:
                problems.append(sources.problem(at, f"is no entry; write e.g. {service}: {{inputs: {{users: 100}}}}"))
                continue
            places = {path[2:]: place for path, place in sources.places.items() if path[:2] == at}
            faults: list[Problem] = []
            found[str(contract), str(service)] = inputs_of(
                FactsReader(Sources(sources.main, places), faults, given), None, "UTC"
            )
            problems += [replace(fault, path=f"{contract}.{service}.{fault.path}") for fault in faults]
    if problems:
        raise ConfigError(problems)
    return found


class _Reader:
    """Reads the values of `inputs`, noting every fault where it was written."""

    def __init__(self, reader: FactsReader, entered: Mapping[str, Any], currency: str | None) -> None:
        self.reader, self.entered, self.currency = reader, entered, currency

    def money(self, value: Any) -> Money:
        try:
            found = parse_amount(units.text_of(value), self.currency)
        except MoneyError as error:
            raise ValueError(str(error)) from None
        if self.currency is not None and found.currency != self.currency:
            raise ValueError(f"{value!r} is not in the fee's currency; write it in {self.currency}")
        if found.minor < 0:
            raise ValueError(f"{value} is below zero; write e.g. {str(value).lstrip('-')}")
        return found

    def one(self, key: str, read: Callable[[Any], Value]) -> Value | None:
        if self.entered.get(key) is None:
            return None
        return _noted(self.reader, ("inputs", key), read, self.entered[key])

    def many(self, key: str, read: Callable[[Any], Value]) -> tuple[Value, ...] | None:
        items = self.entered.get(key)
        if items is None:
            return None
        if not isinstance(items, list):
            self.reader.refuse(("inputs", key), f"is no list; write {_EXAMPLES[key]}")
            return None
        found = [_noted(self.reader, ("inputs", key, number), read, item) for number, item in enumerate(items)]
        return tuple(item for item in found if item is not None)

    def named(self, key: str, read: Callable[[Any], Value]) -> dict[str, Value]:
        items = self.entered.get(key) or {}
        if not isinstance(items, Mapping):
            self.reader.refuse(("inputs", key), f"is no mapping of names; write {_EXAMPLES[key]}")
            return {}
        found = {str(name): _noted(self.reader, ("inputs", key, name), read, item) for name, item in items.items()}
        return {name: item for name, item in found.items() if item is not None}

    def lists(self, series: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
        for name, items in series.items():
            if name == "requests":
                continue
            if not isinstance(items, list) or not items:
                self.reader.refuse(("series", name), f"is no list of values; write e.g. {name}: [12.5, 13.1]")
                continue
            yield name, items


def _noted(reader: FactsReader, path: KeyPath, read: Callable[[Any], Value], value: Any) -> Value | None:
    try:
        return read(value)
    except ValueError as error:
        reader.refuse(path, str(error))
        return None


def _amount(value: Any) -> Decimal:
    found = units.number(value)
    if found <= 0:
        raise ValueError(f"{found} is not above zero; write e.g. 20")
    return found


def _before(value: Any) -> PeriodBefore:
    text = units.text_of(value)
    if text in ("met", "missed"):
        return "met" if text == "met" else "missed"
    try:
        return units.share(text)
    except ValueError:
        raise ValueError(f"{text!r} is no period before; write its availability (99.95), met or missed") from None


def _ticket(value: Any) -> Ticket:
    known = ("id", "took", "kind")
    if not isinstance(value, Mapping) or value.get("took") is None:
        raise ValueError("is no ticket; write e.g. {id: T-1, took: 5 h}")
    for key in value:
        if key not in known:
            raise ValueError(f"{key}: {unknown_key(str(key), known)}")
    id, kind = (None if value.get(key) is None else units.text_of(value[key]) for key in ("id", "kind"))
    return Ticket(id, units.duration_ms(value["took"]), kind)


def _requests(reader: FactsReader, value: Any, tz: str) -> Requests | None:
    at: KeyPath = ("series", "requests")
    if not isinstance(value, Mapping) or set(value) != {"bucket", "buckets"} or not isinstance(value["buckets"], list):
        reader.refuse(at, f"is no series of request counts; write {_EXAMPLES['requests']}")
        return None
    length = _noted(reader, (*at, "bucket"), units.duration_ms, value["bucket"])
    buckets = [
        _noted(reader, (*at, "buckets", n), lambda item: _bucket(item, tz), item)
        for n, item in enumerate(value["buckets"])
    ]
    if length == 0:
        reader.refuse((*at, "bucket"), "0 is no length; write e.g. 5 min")
    if not length:
        return None
    starts = [bucket.at_ms for bucket in buckets if bucket is not None and bucket.at_ms is not None]
    if len(starts) != len(set(starts)):
        reader.refuse((*at, "buckets"), "one bucket stands twice; keep one of each start")
    return Requests(length, tuple(bucket for bucket in buckets if bucket is not None))


def more_buckets_than(inputs: Inputs, period: Period) -> str | None:
    """What is wrong where a series lists more buckets than the period has."""
    series = inputs.requests
    if series is None:
        return None
    listed = sum(bucket.times for bucket in series.buckets)
    there = -(-(period.to_ms - period.from_ms) // series.bucket_ms)
    return f"has {listed} buckets, but the period only {there}; write each once" if listed > there else None


def _bucket(value: Any, tz: str) -> Bucket:
    known = ("at", "count", "requests", "errors")
    if not isinstance(value, Mapping) or "requests" not in value or "errors" not in value:
        raise ValueError("is no bucket; write e.g. {at: 2026-10-05T10:00:00Z, requests: 1000, errors: 3}")
    for key in value:
        if key not in known:
            raise ValueError(f"{key}: {unknown_key(str(key), known)}")
    requests, errors = units.whole(value["requests"]), units.whole(value["errors"])
    if errors > requests:
        raise ValueError(f"has more errors ({errors}) than requests ({requests}); write errors of them, e.g. 3 of 1000")
    times = 1 if value.get("count") is None else units.whole(value["count"])
    if value.get("at") is not None and times != 1:
        raise ValueError("has both at and count; a dated bucket is one bucket: leave count out")
    return Bucket(requests, errors, times, None if value.get("at") is None else instant_ms(value["at"], tz, key="at"))


def _missing(terms: Terms, found: Inputs) -> Iterator[tuple[KeyPath, str]]:
    """What the terms need and nobody entered."""
    for name in dict.fromkeys(_needed(terms)):
        key, _, inner = name.partition(".")
        given = getattr(found, key) if not inner else inner in getattr(found, key)
        if key == "values" and inner in found.series:
            continue
        if given is None or given is False:
            section = "series" if key == "requests" else "inputs"
            example = _EXAMPLES[key].replace("NAME", inner)
            yield (section,), f"{name} is missing, and the contract needs it; write {example}"


def _needed(terms: Terms) -> Iterator[str]:
    by = terms.options.by
    if by != "time":
        yield {"users": "users", "requests": "requests", "periods": "history"}.get(by, f"values.{by}")
    if terms.fee_terms.by != "amount":
        yield "fee"
    for cap in terms.caps:
        if cap.of in ("remaining", "rolling_year"):
            yield f"remaining.{cap.name}" if cap.of == "remaining" else "credited"
    for rule in terms.credits:
        yield from _needed_by(rule)


def _needed_by(rule: Rule) -> Iterator[str]:
    if isinstance(rule, Tiers | Severity) and rule.on not in ("availability", "downtime"):
        yield f"values.{rule.on}"
    if isinstance(rule, MissedPeriods | Severity) or (rule.when is not None and rule.when.missed > 1):
        yield "history"
    if isinstance(rule, LateTickets):
        yield "tickets"
    for pay in pays(rule):
        if isinstance(pay, Amount) and pay.each:
            yield "quantity"
        if isinstance(pay, HourlyRate):
            yield "hourly_rate"
