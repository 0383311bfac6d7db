"""How long what may go is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from config import units
from config.typed import Frozen

SHORTEST_MS = 3 * units.DAY_MS
FOREVER = "forever"


def kept(value: object) -> str:
    """`35 d`, at least three days, or `forever`; as the text that says it shortest."""
    if value == FOREVER:
        return FOREVER
    found = units.duration_ms(value)
    if found < SHORTEST_MS:
        raise ValueError(f"{units.duration_text(found)} is too short to look into anything; write e.g. 35 d or forever")
    return units.duration_text(found)


def kept_ms(text: str) -> int | None:
    """Milliseconds; None for good."""
    return None if text == FOREVER else units.duration_ms(text)


Kept = Annotated[str, BeforeValidator(kept), WithJsonSchema({"type": "string", "examples": ["35 d", FOREVER]})]


class Retention(Frozen):
    """Outages, coverage, what was agreed and decided, and the evidence of outages are kept for good in any case."""

    checks: Kept = "35 d"
    messages: Kept = "400 d"
