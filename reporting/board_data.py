"""The board as JSON data: what `nines status --format json` prints. Times are ms since the epoch, UTC."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from reporting.board import Board, Row, bad_news, lead


def as_data(board: Board) -> dict[str, Any]:
    """Rows in the board's order; `used_pct` is rounded up to 0.1; null where a thing does not exist."""
    return {
        "schema": "nines/board/1",
        "at_ms": board.at_ms,
        "timezone": board.tz,
        "period": board.label,
        "lead": lead(board),
        "bad_news": bad_news(board),
        "counts": {bucket.replace(" ", "_"): count for bucket, count in board.counts().items()},
        "services": [_row(row) for row in board.rows],
        "monitor": {
            "alive": board.monitor.alive,
            "seen_ms": board.monitor.seen_ms,
            "coverage_pct": board.monitor.coverage_pct,
            "unknown_ms": board.monitor.unknown_ms,
        },
        "next": [{"at_ms": event.at_ms, "text": event.text} for event in board.coming],
    }


def _row(row: Row) -> dict[str, Any]:
    budget, forecast = row.budget, row.forecast
    return {
        "service": row.service,
        "name": row.name,
        "client": row.client or None,
        "contract": row.contract,
        "state": row.state.replace(" ", "_"),
        "since_ms": row.since_ms,
        "until_ms": row.until_ms,
        "outage": row.outage,
        "target_pct": row.target_pct,
        "availability_pct": row.availability_pct,
        "verdict": row.verdict,
        "coverage_pct": row.coverage_pct,
        "bucket": row.bucket.replace(" ", "_"),
        "budget": None
        if budget is None
        else {"allowed_ms": budget.allowed_ms, "used_ms": budget.used_ms, "remaining_ms": budget.remaining_ms},
        "used_pct": None if row.share is None else _tenths_up(row.share),
        "red": None if forecast is None else {"kind": forecast.kind, "at_ms": forecast.at_ms},
        "at_stake": row.at_stake,
    }


def _tenths_up(share: Fraction) -> str:
    tenths = -(-share.numerator * 1000 // share.denominator)
    return f"{tenths // 10}.{tenths % 10}"
