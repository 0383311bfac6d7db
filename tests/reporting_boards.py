"""Boards for tests: the made-up November of the specimen, built from the values that the real source builds."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from reporting.board import Board, Coming, Forecast, Monitor, Row, make_board
from sla.statement import Budget

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(day: int, clock: str, *, month: int = 11) -> int:
    """An instant of 2026 by the wall clock of Berlin, in ms."""
    hour, minute, second = (int(part) for part in clock.split(":"))
    return int(datetime(2026, month, day, hour, minute, second, tzinfo=BERLIN).timestamp()) * 1000


NOW = berlin(23, "12:18:40")


def minutes(amount: float) -> int:
    return round(amount * 60_000)


def row(name: str, client: str = "Acme", *, allowed: int, used: int, **more: Any) -> Row:
    share = Fraction(used, allowed)
    bucket = "red" if share > 1 else "orange" if share >= 0.75 else "yellow" if share >= 0.5 else "green"
    given: dict[str, Any] = {
        "service": name.lower().replace(" ", "-"), "name": name, "client": client, "contract": "c", "state": "up",
        "since_ms": None, "until_ms": None, "target_pct": "99.9", "budget": Budget(allowed, used, allowed - used),
        "share": share, "bucket": bucket, "forecast": Forecast("pace", None, share * 30 / 23), "at_stake": None,
        "period_end_ms": berlin(1, "00:00:00", month=12), "tz": "Europe/Berlin", "verdict": "MET",
        "availability_pct": "99.950", "coverage_pct": "99.979",
    }  # fmt: skip
    return Row(**{**given, **more})


def bare_row(name: str, **more: Any) -> Row:
    """A service without a target."""
    return row(name, "", allowed=1, used=0, **{
        "budget": None, "share": None, "bucket": "no budget", "forecast": None, "contract": None, "target_pct": None,
        "verdict": "NO_TARGET", **more})  # fmt: skip


def specimen(*extra: Row, **more: Any) -> Board:
    """The board of the picture."""
    rows = [
        row("Checkout", "Elm & Oak", allowed=minutes(21.6), used=minutes(21.6) + 155_000, state="down",
            since_ms=NOW - 560_000, forecast=Forecast("since", berlin(23, "12:16:05"))),
        row("Tracking API", "Acme", allowed=2_577_600, used=2_062_600, state="down", since_ms=NOW - 252_000,
            forecast=Forecast("if_down", NOW + 515_000), at_stake="EUR 450.00"),
        row("Card gateway", "Bergmann", allowed=1_295_000, used=1_085_000, state="degraded",
            forecast=Forecast("pace", berlin(26, "09:00:00"))),
        row("HL7 feed", "Corvid", allowed=minutes(214), used=minutes(145)),
        row("Webshop", "Elm & Oak", allowed=2_591_000, used=1_418_000),
        row("Market data", "Fjord", allowed=259_000, used=141_000),
        row("Portal", "Acme", allowed=2_577_000, used=1_102_000),
        row("Online banking", "Bergmann", allowed=2_584_000, used=864_000),
        row("Patient portal", "Corvid", allowed=2_584_000, used=545_000),
        row("EDI inbound", "Delta", allowed=2_591_000, used=410_000),
        row("Lab results", "Corvid", allowed=minutes(429), used=minutes(40), state="maintenance",
            until_ms=berlin(23, "14:00:00")),
        row("Booking", "Delta", allowed=minutes(215), used=minutes(10.9)),
        row("Label print", "Acme", allowed=minutes(215), used=minutes(1.7)),
        row("Meter intake", "Fjord", allowed=2_591_000, used=0, forecast=Forecast("never", None, Fraction(0))),
    ]  # fmt: skip
    given: dict[str, Any] = {
        "at_ms": NOW, "tz": "Europe/Berlin", "label": "November 2026",
        "monitor": Monitor(seen_ms=NOW - 1_000, alive=True, known_ms=99_979_000, unknown_ms=21_000),
        "coming": [Coming(berlin(23, "14:00:00"), "Lab results ends"),
                   Coming(berlin(24, "02:00:00"), "maintenance Tracking API")],
    }  # fmt: skip
    return make_board([*rows, *extra], **{**given, **more})
