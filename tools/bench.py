"""How much computing the accounting takes: CPU seconds on one core, and the ratio to a floor measured in the same run.

    python tools/bench.py [--profile]

The floor is the least that any accounting must do with the same facts: sort every service's spans, unite them, add them
up, and divide once. Seconds differ from machine to machine; ratios to the floor hardly do, so two versions are compared
by them. The facts are made up from a fixed seed: real outages are few, carry their evidence, and some lie in windows.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random
from time import process_time

from rich.console import Console
from rich.table import Table

from sla.build import build_statement
from sla.facts import All, Any_, EndpointFacts, Expression, Member, Outage, ServiceFacts, Window
from sla.money import Money
from sla.period import Period, parse
from sla.rules import Edge, Percent, Tier, Tiers
from sla.spans import Spans
from sla.terms import Contract, Options, Terms

MINUTE, HOUR = 60_000, 3_600_000
MONTH = parse("2026-11", "Europe/Berlin")
SIZES = (1_000, 2_000, 4_000, 8_000)
RUNS = 3  # the best of them: what disturbs a run only ever makes it slower


def made_up(
    count: int, period: Period, *, outages: int, windows: int, members: int = 1, seed: int = 1
) -> list[ServiceFacts]:
    """Services of one period with `outages` and `windows` in all; one in a hundred has a gap in what is known."""
    draw = Random(seed)
    endpoints = [[EndpointFacts(f"e{n}-{m}", period.from_ms) for m in range(members)] for n in range(count)]
    for number in range(outages):
        own = endpoints[number % count]
        place = draw.randrange(members)
        own[place] = replace(own[place], outages=(*own[place].outages, _outage(draw, period, number)))
    for own in endpoints[::100]:
        start = draw.randrange(period.from_ms, period.to_ms - HOUR)
        own[0] = replace(own[0], unknown=Spans.of([(start, start + HOUR)]))
    announced: list[list[Window]] = [[] for _ in range(count)]
    for number in range(windows):
        announced[number % count].append(_window(draw, period, number, f"s{number % count}"))
    return [
        ServiceFacts(f"s{n}", f"Service {n}", ((0, _expression(own)),), {each.id: each for each in own}, tuple(known))
        for n, (own, known) in enumerate(zip(endpoints, announced, strict=True))
    ]


def _expression(own: Sequence[EndpointFacts]) -> Expression:
    members = tuple(Member(each.id) for each in own)
    if len(members) < 3:
        return All(members) if len(members) > 1 else members[0]
    return All((members[0], Any_(members[1:])))


def _outage(draw: Random, period: Period, number: int) -> Outage:
    start = draw.randrange(period.from_ms, period.to_ms - 2 * HOUR)
    end = start + draw.choice((2, 5, 11, 90)) * MINUTE
    bad, good = start - MINUTE, end - MINUTE
    return Outage(f"O-{number:05d}", start, end, bad, start, start + MINUTE // 3, good, end, "timeout", failed_checks=9)


def _window(draw: Random, period: Period, number: int, service: str) -> Window:
    start = draw.randrange(period.from_ms // HOUR, period.to_ms // HOUR - 2) * HOUR
    known_ms = start - draw.choice((1, 100)) * HOUR
    return Window(f"M-{number:05d}", start, start + 2 * HOUR, known_ms, frozenset({("service", service)}), "Upgrade")


def agreed() -> Contract:
    tiers = Tiers(
        tuple(Tier(Edge("<", Decimal(edge)), Percent(Decimal(pay))) for edge, pay in (("99.9", 10), ("99.0", 25)))
    )
    terms = Terms(0, None, Options("Europe/Berlin"), Decimal("99.9"), Money(250_000, "EUR"), (tiers,))
    return Contract("c", "acme", "Acme", ("s",), (terms,))


def statements(facts: Sequence[ServiceFacts], period: Period) -> None:
    """One statement for each service: what a month's end is for a firm of that many contracts."""
    contract = agreed()
    for service in facts:
        build_statement(contract, [service], period, as_of_ms=period.to_ms)


def floor(facts: Sequence[ServiceFacts], period: Period) -> None:
    for service in facts:
        spans = [(o.from_ms, o.to_ms or period.to_ms) for each in service.endpoints.values() for o in each.outages]
        spans += [window.span for window in service.windows]
        united: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if united and start <= united[-1][1]:
                united[-1] = (united[-1][0], max(end, united[-1][1]))
            else:
                united.append((start, end))
        whole = period.to_ms - period.from_ms
        Fraction(whole - sum(end - start for start, end in united), whole)


def cpu(work: Callable[[Sequence[ServiceFacts], Period], None], facts: Sequence[ServiceFacts], period: Period) -> float:
    """CPU seconds of the best run."""
    found = []
    for _ in range(RUNS):
        gc.collect()
        begun = process_time()
        work(facts, period)
        found.append(process_time() - begun)
    return min(found)


def year(members: int) -> tuple[list[ServiceFacts], Period]:
    """A year of one client: five services, an outage a week in each, a window a month in each."""
    period = parse("2026-01-01/2027-01-01", "Europe/Berlin")
    return made_up(5, period, outages=5 * 52, windows=5 * 12, members=members), period


def one_statement(facts: Sequence[ServiceFacts], period: Period) -> None:
    build_statement(agreed(), facts, period, as_of_ms=period.to_ms)


def measured() -> list[tuple[str, str, float, float, str]]:
    """(what, size, CPU seconds, times the floor, what is asked for)."""
    rows, grown = [], {}
    for size in SIZES:
        facts = made_up(size, MONTH, outages=2 * size, windows=size // 2)
        grown[size] = cpu(statements, facts, MONTH)
        base = cpu(floor, facts, MONTH)
        asked = "under 1 s" if size == SIZES[0] else ""
        rows.append(("a month into statements", f"{size} services", grown[size], grown[size] / base, asked))
    for small, large in pairwise(SIZES):
        rows.append(("twice the services", f"{large} : {small}", grown[large], grown[large] / grown[small], "about 2"))
    for members in (1, 3):
        facts, period = year(members)
        found = cpu(one_statement, facts, period)
        base = cpu(floor, facts, period)
        rows.append(("a year of one client", f"5 services of {members}", found, found / base, "under 0.05 s"))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--profile", action="store_true", help="where the time of the first size goes")
    if parser.parse_args().profile:
        facts = made_up(SIZES[0], MONTH, outages=2 * SIZES[0], windows=SIZES[0] // 2)
        with cProfile.Profile() as profile:
            statements(facts, MONTH)
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(25)
        return 0
    table = Table("what", "size", "CPU s", "ratio", "asked for")
    for what, size, seconds, ratio, asked in measured():
        table.add_row(what, size, f"{seconds:.3f}", f"{ratio:.1f}", asked)
    Console().print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
