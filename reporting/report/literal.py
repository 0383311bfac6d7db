"""Foreign text set literally: what a reader cannot see is made visible, what runs right to left is isolated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

RIGHT_TO_LEFT = frozenset({"R", "AL"})
# Controls, and the marks that turn the direction of the text after them: never obeyed, always shown.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def shown(value: Any) -> Any:
    """Text with control and direction characters written as [U+202E]; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)


def spoken(sentence: str, names: Sequence[str]) -> Markup:
    """A sentence with every right-to-left name in it isolated, so that its figures stay in their places."""
    turned = sorted({name for name in names if _turns(name)}, key=len, reverse=True)
    if not turned:
        return escape(shown(sentence))
    pieces = re.split("(" + "|".join(map(re.escape, turned)) + ")", sentence)
    return Markup("").join(
        Markup('<bdi dir="auto">{}</bdi>').format(shown(piece)) if piece in turned else escape(shown(piece))
        for piece in pieces
    )


def _turns(name: str) -> bool:
    return any(unicodedata.bidirectional(letter) in RIGHT_TO_LEFT for letter in name)
