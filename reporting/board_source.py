"""Where the board comes from: the running period of every contract, and the state of what no contract names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.live import last_check_ms
from ledger.lives import pulse
from ledger.store import Ledger
from reporting.agreements import Agreements, agreements
from reporting.board import Board, Coming, Monitor, Row, make_board, row_of
from reporting.pulse import Pulse
from reporting.statements import is_in_force, service_facts, zone_of
from reporting.wording import plain
from sla.build import build_statement
from sla.credits import just_missed
from sla.facts import Window
from sla.money import format_minor
from sla.period import Period, running
from sla.statement import Statement
from sla.terms import Contract, Options, Terms, in_force

COMING_WITHIN_MS = 7 * 86_400_000


def read_board(ledger: Ledger, *, now_ms: int, tz: str = "UTC") -> Board:
    """The board at `now_ms`. `tz` is the viewer's zone; each contract's month is cut in its own."""
    agreed = agreements(ledger)
    contracts = _contracts_in_force(agreed, now_ms, tz)
    statements = [_running(ledger, agreed, contract, now_ms=now_ms) for contract in contracts]
    bare = [_running(ledger, agreed, contract, now_ms=now_ms) for contract in _uncontracted(agreed, contracts, tz)]
    rows = [row for each, contract in zip(statements, contracts, strict=True) for row in _rows(each, contract)]
    rows += [row for statement in bare for row in _rows(statement, None)]
    return make_board(
        rows,
        at_ms=now_ms,
        tz=tz,
        label=month(now_ms, tz).label,
        monitor=_monitor(ledger, [*statements, *bare], now_ms=now_ms),
        coming=list(_coming(agreed, now_ms=now_ms)),
    )


def read_promised(ledger: Ledger, *, now_ms: int, tz: str = "UTC") -> tuple[Row, ...]:
    """The board's rows of what is under contract. What is only watched may be thousands, and take seconds."""
    agreed = agreements(ledger)
    contracts = _contracts_in_force(agreed, now_ms, tz)
    return tuple(
        row for contract in contracts for row in _rows(_running(ledger, agreed, contract, now_ms=now_ms), contract)
    )


def read_pulse(ledger: Ledger, *, now_ms: int) -> Pulse:
    """The prober's signs of life for `/healthz`: its last stamp, and the newest check of anything watched."""
    return Pulse(stamp_ms=pulse(ledger, now_ms=now_ms).seen_ms, last_check_ms=last_check_ms(ledger))


def month(at_ms: int, tz: str) -> Period:
    """The calendar month of an instant in a zone."""
    return running(at_ms, tz)


def _contracts_in_force(agreed: Agreements, now_ms: int, tz: str) -> list[Contract]:
    found = [agreed.contract(id) for id in agreed.current("contract")]
    return [contract for contract in found if is_in_force(contract, running_period(contract, now_ms), now_ms)]


def running_period(contract: Contract, at_ms: int) -> Period:
    """The contract's own period that an instant lies in."""
    return running(at_ms, zone_of(contract), in_force(contract.versions, at_ms).options.period)


def _uncontracted(agreed: Agreements, contracts: Sequence[Contract], tz: str) -> Iterator[Contract]:
    """A contract without a promise for every service, and every endpoint, that is in no contract: its state only."""
    named = {service for contract in contracts for service in contract.services}
    services = [id for id in agreed.current("service") if id not in named]
    shown = [agreed.composition(service) for service in (*named, *services)]
    watched = {endpoint for composition in shown for endpoint in composition.endpoints}
    for service in (*services, *(id for id in agreed.current("endpoint") if id not in watched)):
        options = Options(timezone=tz, before_first_check="not_contracted")
        terms = Terms(from_ms=0, known_from_ms=None, options=options)
        yield Contract(id=None, client_id=None, client_name="", services=(service,), versions=(terms,))


def _running(ledger: Ledger, agreed: Agreements, contract: Contract, *, now_ms: int) -> Statement:
    period = running_period(contract, now_ms)
    facts = service_facts(ledger, agreed, contract, period, now_ms=now_ms, sampled=False)
    return build_statement(contract, facts, period, as_of_ms=now_ms)


def _rows(statement: Statement, contract: Contract | None) -> Iterator[Row]:
    at_stake = None if contract is None else credit_at_stake(contract, statement.as_of_ms)
    for service in statement.services:
        yield row_of(statement, service, at_stake=at_stake)


def credit_at_stake(contract: Contract, at_ms: int) -> str | None:
    """What is owed once the target is just missed: `EUR 450.00`; None where nothing would be."""
    terms = in_force(contract.versions, at_ms)
    if terms.fee is None or terms.target is None:
        return None
    owed = just_missed(terms)
    return None if owed is None or not owed.minor else f"{owed.currency} {format_minor(owed.minor, owed.currency)}"


def _monitor(ledger: Ledger, statements: Sequence[Statement], *, now_ms: int) -> Monitor:
    services = [service for statement in statements for service in statement.services]
    life = pulse(ledger, now_ms=now_ms)
    return Monitor(
        seen_ms=life.seen_ms,
        alive=life.alive,
        known_ms=sum(sum(service.split_ms[known] for known in ("up", "degraded", "down")) for service in services),
        unknown_ms=sum(service.split_ms["unknown"] for service in services),
    )


def _coming(agreed: Agreements, *, now_ms: int) -> Iterator[Coming]:
    """Ends of windows that are on, starts of those within seven days."""
    for window in agreed.windows(now_ms, now_ms + COMING_WITHIN_MS):
        what = _covered(agreed, window)
        if window.from_ms > now_ms:
            yield Coming(window.from_ms, f"maintenance {what}")
        else:
            yield Coming(window.to_ms, f"{what} maintenance ends")


def _covered(agreed: Agreements, window: Window) -> str:
    names = (agreed.name("service" if kind == "service" else "endpoint", id) for kind, id in sorted(window.scope))
    return plain(", ".join(names))
