"""Public monitors replayed: their recorded checks imported as anybody would, our figures beside what they published.

`make replays` prints the whole table; tests/test_nines_import_replays.py runs the same. The material lies beside the
repository and stays out of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

from config.importers import Shape
from ledger.facts import endpoint_facts
from ledger.import_judging import FOREVER_MS
from ledger.journal import PROGRAM
from ledger.store import Ledger, open_ledger
from nines.importing import Outcome, Overrides, Wanted, import_file
from sla.facts import EndpointFacts, Outage
from sla.spans import Spans

MATERIAL = Path(os.environ.get("NINES_MATERIAL", Path(__file__).parents[2] / "shared" / "data"))
FOLDER = MATERIAL / "replay"
NOW_MS = 1_795_000_000_000  # after everything in the material
MINUTE, DAY = 60_000, 86_400_000
PERCHECK = Shape(
    columns={"at": "minute_utc", "verdict": "result", "latency_ms": "seconds"},
    verdicts={"success": "up", "failed": "down"},
    zone=ZoneInfo("UTC"),
    latency_unit="s",
    endpoint="website",
)
CHANGES = Shape(columns={"at": "t", "verdict": "status", "latency_ms": "ms"}, no_verdict="unknown")


@dataclass(frozen=True)
class SiteDay:
    """One UTC day of one site: minutes down as we have them, with degraded counted in, and as it was published."""

    site: str
    day: str
    ours_ms: int
    with_degraded_ms: int
    short_ms: int  # of `ours_ms`, in outages under 15 minutes
    outages_ms: tuple[int, ...]  # each outage of the day
    theirs_min: int  # the last figure published, also where the publisher took it back later
    taken_back: bool

    @property
    def why(self) -> str:
        """Agreement within two minutes, or which known flaw of the publisher makes the difference."""
        if self._near(self.ours_ms):
            return "agrees"
        if self._near(self.with_degraded_ms):
            return "degraded counted as down"
        if self._near(self.ours_ms - self.short_ms):
            return "outages under 15 minutes deleted"
        some = (
            sum(picked) for count in range(1, len(self.outages_ms)) for picked in combinations(self.outages_ms, count)
        )
        return "only some of its outages counted" if any(self._near(ms) for ms in some) else "other"

    def _near(self, ms: int) -> bool:
        return abs(ms - self.theirs_min * MINUTE) <= 2 * MINUTE


def imported(ledger: Ledger, path: Path, shape: Shape, overrides: Overrides) -> Outcome:
    """The file in the ledger, each endpoint a new one."""
    wanted = Wanted("checks", path.stem, shape, NOW_MS, PROGRAM, overrides=overrides, create=True)
    return import_file(ledger, path, wanted)


def facts(ledger: Ledger, endpoint: str) -> EndpointFacts:
    return endpoint_facts(ledger, [endpoint], from_ms=0, to_ms=NOW_MS, now_ms=NOW_MS)[endpoint]


def site_days(ledger: Ledger, path: Path, site: str) -> list[SiteDay]:
    """Every UTC day from the site's first line to its last."""
    overrides = Overrides(interval_ms=5 * MINUTE, confirm=1, hold_ms=FOREVER_MS)
    imported(ledger, path, replace(CHANGES, endpoint=site), overrides)
    found = facts(ledger, site)
    down, degraded = _spans(found.outages), _spans(found.degraded)
    short = _spans(outage for outage in found.outages if (outage.to_ms or 0) - outage.from_ms < 15 * MINUTE)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    first, last = (_ms(lines[place]["t"]) // DAY for place in (0, -1))
    published, taken_back = _published(path.with_name(f"{path.stem}.peer.jsonl"))
    return [
        SiteDay(
            site,
            name := datetime.fromtimestamp(day * 86_400, UTC).date().isoformat(),
            down.clip(day * DAY, (day + 1) * DAY).total_ms,
            (down | degraded).clip(day * DAY, (day + 1) * DAY).total_ms,
            short.clip(day * DAY, (day + 1) * DAY).total_ms,
            tuple(end - start for start, end in down.clip(day * DAY, (day + 1) * DAY)),
            published.get(name, 0),
            name in taken_back,
        )
        for day in range(first, last + 1)
    ]


def _spans(outages: Iterable[Outage]) -> Spans:
    return Spans.of((outage.from_ms, outage.to_ms or outage.from_ms) for outage in outages)


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _published(path: Path) -> tuple[dict[str, int], set[str]]:
    """The last minutes down published of each day; the days of which nothing is published any more."""
    last: dict[str, int] = {}
    taken_back: set[str] = set()
    for line in path.read_text().splitlines():
        told = json.loads(line)
        taken_back |= set(told.get("dmd_removed", ()))
        last |= told.get("dmd_set", {})
        taken_back -= set(told.get("dmd_set", ()))
    return last, taken_back


def sites() -> list[tuple[Path, str]]:
    """Every site with its id."""
    files = sorted(path for path in FOLDER.glob("upptime/*/*.jsonl") if not path.name.endswith(".peer.jsonl"))
    return [(path, f"{number:02d}-{path.stem}"[:64]) for number, path in enumerate(files)]


@dataclass(frozen=True)
class Percheck:
    """What two years of single checks come to, by one way of judging them."""

    rows: int
    outages: int
    down_ms: int
    known_ms: int
    whole_ms: int

    @property
    def availability(self) -> Fraction:
        return Fraction(100 * (self.known_ms - self.down_ms), self.known_ms)

    @property
    def coverage(self) -> Fraction:
        return Fraction(100 * self.known_ms, self.whole_ms)


def percheck(ledger: Ledger, *, interval_min: int, hold_ms: int | None) -> Percheck:
    """From the first check to the last, confirm 1."""
    overrides = Overrides(interval_ms=interval_min * MINUTE, confirm=1, hold_ms=hold_ms)
    outcome = imported(ledger, FOLDER / "percheck" / "website.csv.gz", PERCHECK, overrides)
    found = facts(ledger, "website")
    assert found.first_check_ms is not None
    first, last = found.first_check_ms, _ms("2026-05-06T13:37:00+00:00")
    known = (Spans.of([(first, last)]) - found.unknown).total_ms
    down = (_spans(found.outages) - found.unknown).clip(first, last).total_ms
    return Percheck(outcome.taken.rows, len(found.outages), down, known, last - first)


def main() -> None:
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as folder:
        for interval_min, hold_ms in ((10, FOREVER_MS), (10, None), (12, None), (30, None), (60, None)):
            path = Path(folder) / f"percheck-{interval_min}-{hold_ms}.db"
            with open_ledger(path, at_ms=NOW_MS, create=True) as ledger:
                found = percheck(ledger, interval_min=interval_min, hold_ms=hold_ms)
            way = f"interval {interval_min} min" if hold_ms is None else "held for ever"
            say(f"percheck, {way}: {float(found.availability):.4f} % of known time, ")
            say(f"coverage {float(found.coverage):.2f} %, {found.outages} outages, {found.down_ms // 1000} s down\n")
        with open_ledger(Path(folder) / "nines.db", at_ms=NOW_MS, create=True) as ledger:
            days = [day for path, site in sites() for day in site_days(ledger, path, site)]
    counts = Counter(day.why for day in days)
    bad = [day for day in days if day.theirs_min or day.ours_ms >= MINUTE]
    say(f"{len(days)} site-days of {len(sites())} sites: {dict(counts)}\n")
    say(f"{len(bad)} of them with downtime on either side: {dict(Counter(day.why for day in bad))}\n")
    say(f"{sum(day.taken_back for day in bad)} of these were taken back later\n")
    for day in days:
        if day.why != "agrees":
            minutes = f"{day.ours_ms / MINUTE:.1f} min in {len(day.outages_ms)} outages, published {day.theirs_min}"
            say(f"  {day.site} {day.day}: {minutes}: {day.why}\n")


if __name__ == "__main__":
    main()
