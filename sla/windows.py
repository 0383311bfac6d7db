"""Which announced windows a contract accepts, and why (ACCOUNTING.md section 2, row `accepted?`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sla.facts import Window
from sla.figures import duration_text
from sla.hours import hours_within, week_text
from sla.period import local, local_midnight_ms
from sla.spans import NOWHEN, Span, Spans
from sla.terms import Contract, Terms, WindowCap, WindowTerms, in_force


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """One occurrence with the contract's answer and its reason, for the client to read.

    `covers` is the time that is accepted, where a cap leaves less than the whole window.
    """

    window: Window
    accepted: bool
    why: str
    covers: Spans | None = None

    @property
    def covering(self) -> tuple[Window, ...]:
        """The window as far as it is accepted; none where it is not."""
        if not self.accepted:
            return ()
        if self.covers is None:
            return (self.window,)
        return tuple(replace(self.window, from_ms=start, to_ms=end) for start, end in self.covers)


def judge_windows(windows: Iterable[Window], versions: Sequence[Terms], *, as_of_ms: int) -> tuple[JudgedWindow, ...]:
    """Every window known at `as_of_ms`, in order of start. A decision on record is read, never made again.

    Under a cap per month or year the windows of that month or year before the time asked for must be among them: they
    use it up.
    """
    known = [window for window in windows if window.entered_ms is None or window.entered_ms <= as_of_ms]
    known.sort(key=lambda window: (window.from_ms, window.to_ms, window.id or ""))
    used = _Used()
    return tuple(_judged(window, in_force(versions, window.from_ms), used) for window in known)


def _judged(window: Window, terms: Terms, used: _Used) -> JudgedWindow:
    rules, tz = terms.options.windows, terms.options.timezone
    if window.accepted is not None:
        accepted, why = window.accepted, window.why or "as decided when it ended"
    else:
        accepted, why = accept(window, rules, tz)
    if not accepted or rules.cap is None:
        return JudgedWindow(window, accepted, why)
    covers = used.take(window.span, rules.cap, tz)
    whole = window.to_ms - window.from_ms
    if covers.total_ms == whole:
        return JudgedWindow(window, True, why)
    agreed = f"{duration_text(rules.cap.ms)} per {rules.cap.per} agreed"
    if window.accepted is None:
        why = f"{why}; {duration_text(covers.total_ms)} of it, {agreed}" if covers else f"{agreed}, used up before it"
    return JudgedWindow(window, bool(covers), why, covers)


def accept(window: Window, rules: WindowTerms, tz: str) -> tuple[bool, str]:
    """Entered at least the notice before its start (exactly that is enough), and wholly inside the allowed hours.

    A window given as a fact is not asked when it was entered.
    """
    accepted, why = _told_in_time(window, rules.notice_ms)
    if not accepted or rules.allowed is None:
        return accepted, why
    if Spans.of([window.span]) - hours_within(rules.allowed, tz, window.from_ms, window.to_ms):
        return False, f"not inside the agreed hours, {week_text(rules.allowed)}"
    return True, why


def _told_in_time(window: Window, notice_ms: int) -> tuple[bool, str]:
    if window.entered_ms is None:
        return True, "given as accepted"
    ahead_ms = window.from_ms - window.entered_ms
    if ahead_ms < 0:
        return False, f"announced {duration_text(-ahead_ms, rounding='up')} after its start"
    told = f"announced {duration_text(ahead_ms)} before its start"
    if not notice_ms:
        return True, told
    return ahead_ms >= notice_ms, f"{told}, {duration_text(notice_ms)} agreed"


@dataclass(slots=True)
class _Used:
    """The window time accepted so far, overlaps once."""

    time: Spans = field(default=NOWHEN)

    def take(self, span: Span, cap: WindowCap, tz: str) -> Spans:
        """Of a window, in each calendar month or year what the cap has left, from its start on."""
        covers = NOWHEN
        for start, end in _calendar(span, cap, tz):
            here = Spans.of([span]).clip(start, end)
            left = cap.ms - self.time.clip(start, end).total_ms
            covers |= (here & self.time) | first_ms(here - self.time, left)
        self.time |= covers
        return covers


def _calendar(span: Span, cap: WindowCap, tz: str) -> Iterator[Span]:
    """The calendar months or years that the span touches."""
    day = calendar_start(span[0], cap.per, tz)
    while (start := local_midnight_ms(day, tz)) < span[1]:
        years, month = divmod(day.month, 12) if cap.per == "month" else (1, 0)
        day = date(day.year + years, month + 1, 1)
        yield start, local_midnight_ms(day, tz)


def calendar_start(at_ms: int, per: str, tz: str) -> date:
    """The first day of the calendar month or year."""
    day = local(at_ms, tz).date()
    return day.replace(day=1) if per == "month" else day.replace(month=1, day=1)


def caps_from_ms(contract: Contract, from_ms: int) -> int:
    """From when on windows must be known to judge those from `from_ms` on: a cap's month or year begins there."""
    starts = [
        local_midnight_ms(calendar_start(from_ms, cap.per, terms.options.timezone), terms.options.timezone)
        for terms in contract.versions
        if (cap := terms.options.windows.cap) is not None
    ]
    return min([from_ms, *starts])


def first_ms(spans: Spans, length_ms: int) -> Spans:
    """The first so many milliseconds of a set of time."""
    found = []
    for start, end in spans:
        if length_ms <= 0:
            break
        found.append((start, min(end, start + length_ms)))
        length_ms -= end - start
    return Spans.of(found)
