"""Ids that people read: stable, short in print, never row numbers. `O-7K3F2` is an outage, `M-...` a window.

Five characters of Crockford's base 32 (no I, L, O, U) of a hash of what the thing is: deterministic within a ledger,
so that a window has its id before it is ever written. Where two things meet at five characters the later is longer.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHORT = 5
_LONG = 24


def letters(*what: object) -> str:
    """24 base-32 characters of what a thing is; its parts are told apart."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in what).encode()).digest()
    return _base32(int.from_bytes(digest[:15], "big"))


def short_id(prefix: str, *what: object, taken: Callable[[str], bool]) -> str:
    """`O-7K3F2`, or a longer form of the same where `taken` says that another thing has it."""
    text = letters(*what)
    for length in range(SHORT, _LONG + 1):
        if not taken(found := f"{prefix}-{text[:length]}"):
            return found
    return short_id(prefix, *what, "again", taken=taken)


def random_id(prefix: str) -> str:
    """An opaque id that says nothing of what it stands for: 80 random bits."""
    return f"{prefix}-{_base32(secrets.randbits(120))[:16]}"


def _base32(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(115, -1, -5))
