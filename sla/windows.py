"""Which announced windows a contract accepts, and why (ACCOUNTING.md section 2, row `accepted?`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sla.facts import Window
from sla.figures import duration_text
from sla.terms import Terms, in_force


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """One occurrence with the contract's answer and its reason, for the client to read."""

    window: Window
    accepted: bool
    why: str


def judge_windows(windows: Iterable[Window], versions: Sequence[Terms], *, as_of_ms: int) -> tuple[JudgedWindow, ...]:
    """Every window known at `as_of_ms`, in order of start. A decision on record is read, never made again."""
    known = [window for window in windows if window.entered_ms is None or window.entered_ms <= as_of_ms]
    known.sort(key=lambda window: (window.from_ms, window.to_ms, window.id or ""))
    return tuple(_judged(window, in_force(versions, window.from_ms)) for window in known)


def _judged(window: Window, terms: Terms) -> JudgedWindow:
    if window.accepted is not None:
        return JudgedWindow(window, window.accepted, window.why or "as decided when it ended")
    accepted, why = accept(window, notice_ms=terms.options.windows.notice_ms)
    return JudgedWindow(window, accepted, why)


def accept(window: Window, *, notice_ms: int) -> tuple[bool, str]:
    """Entered at least the notice before its start; exactly the notice is enough."""
    if window.entered_ms is None:
        return True, "given as accepted"
    ahead_ms = window.from_ms - window.entered_ms
    if ahead_ms < 0:
        return False, f"announced {duration_text(-ahead_ms, rounding='up')} after its start"
    told = f"announced {duration_text(ahead_ms)} before its start"
    if not notice_ms:
        return True, told
    return ahead_ms >= notice_ms, f"{told}, {duration_text(notice_ms)} agreed"
