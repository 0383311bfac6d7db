"""What the prober knows of itself, put on record: blind spells, stalls, a suspended machine, clock steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger.observations import ObservationWriter, Observed
from ledger.sight import Moved, Notice, SeenAgain, Unseen
from ledger.sight import Sight as Told
from probes.dates import Dates
from probes.meters import Meters
from probes.steps import Clocks, Slept, Stepped
from probes.vantage import Turns
from probes.watch import Watch, utc_text

log = logging.getLogger("nines.probes")

MEND_CLOCK = "check its time synchronisation (timedatectl, chronyc tracking): all times on record are off by as much"
AGREES = "our clock agrees with the dates of most servers again"
LONG_STALL_S = 5.0  # a shorter one is recorded and logged, but nobody is called for it


@dataclass(slots=True)
class Sight:
    """Of one prober, at the location where it runs."""

    writer: ObservationWriter
    clock: Callable[[], int]
    clocks: Clocks
    meters: Meters
    watches: Callable[[], Iterable[Watch]]
    dates: Dates
    location: str = "local"

    def turns(self) -> Turns:
        """What the vantage calls when sight is lost and when it is back."""
        return Turns(self.lost, self.back)

    def tell(self, told: Told) -> None:
        """Record something that concerns the whole location."""
        self.writer.put(Observed(endpoint=None, location=self.location, check=None, transitions=(told,)))

    def look(self) -> bool:
        """Compare the clocks and record what happened to them; whether the wall clock stepped."""
        happened = self.clocks.look()
        for one in happened:
            if isinstance(one, Stepped):
                self._stepped(one)
            else:
                self._slept(one)
        return any(isinstance(one, Stepped) for one in happened)

    def look_at_the_dates(self) -> None:
        """Compare our clock with what servers say; told once when it is wrong for good, once when it is right again."""
        turned = self.dates.look()
        offset_ms = self.meters.clock_offset_ms = self.dates.offset_ms()
        if not turned or offset_ms is None:
            return
        if not self.dates.wrong:
            log.warning(AGREES)
            self._notice("clock_right", AGREES, offset_ms=offset_ms)
            return
        way = "ahead of" if offset_ms > 0 else "behind"
        text = f"our clock is {abs(offset_ms) / 1000:.0f} s {way} the dates of most servers; {MEND_CLOCK}"
        log.error(text)
        self._notice("clock_wrong", text, offset_ms=offset_ms)

    def lost(self, ago_s: float, where: str) -> None:
        """No reference answers: since the last proof of sight nothing is known."""
        from_ms = self.clock() - round(ago_s * 1000)
        log.error("blind since %s: %s; failures are unknown, not downtime", utc_text(from_ms), where)
        self._unseen(Unseen("blind", from_ms, None, "prober_blind"))
        self._notice("blind", where, from_ms=from_ms)
        self.meters.blind = True

    def back(self) -> None:
        """Something answers again."""
        at_ms = self.clock()
        log.warning("no longer blind since %s", utc_text(at_ms))
        self.tell(SeenAgain("blind", at_ms))
        for watch in self.watches():
            watch.deafened()
        self.meters.blind = False

    def beat(self, late_s: float) -> None:
        self.meters.lag_s = late_s

    def stalled(self, stood_s: float) -> None:
        """Our own loop stood still for so long until now."""
        to_ms = self.clock()
        from_ms = to_ms - round(stood_s * 1000)
        log.error("our own event loop stood still for %.1f s: that time is unknown", stood_s)
        self.meters.stalls += 1
        self._unseen(Unseen("blind", from_ms, to_ms, "prober_stalled"), deaf=stood_s >= LONG_STALL_S)
        if stood_s >= LONG_STALL_S:
            self._notice("stalled", f"the event loop stood still for {stood_s:.1f} s", from_ms=from_ms, to_ms=to_ms)

    def _slept(self, slept: Slept) -> None:
        log.warning("the machine was suspended from %s to %s", utc_text(slept.from_ms), utc_text(slept.to_ms))
        self._unseen(Unseen("off", slept.from_ms, slept.to_ms, "prober_suspended"))
        self._notice("suspended", "the machine was suspended", from_ms=slept.from_ms, to_ms=slept.to_ms)

    def _stepped(self, step: Stepped) -> None:
        way = "forward" if step.by_ms > 0 else "back"
        text = f"the wall clock was set {way} by {abs(step.by_ms) / 1000:.3f} s"
        log.warning("%s, to %s: what is open moves with it", text, utc_text(step.after_ms))
        self.meters.steps += 1
        self.dates.forget()
        for watch in self.watches():
            watch.stepped(step)
        self.tell(Moved(step.by_ms, step.after_ms))
        self.tell(Unseen("clock_step", step.after_ms, step.after_ms, text))
        self._notice("clock_step", text, by_ms=step.by_ms)

    def _unseen(self, unseen: Unseen, *, deaf: bool = True) -> None:
        self.tell(unseen)
        for watch in self.watches():
            watch.unseen_from(unseen.from_ms, deaf=deaf)

    def _notice(self, what: str, text: str, **body: int) -> None:
        self.tell(Notice(what, self.clock(), {"text": text, **body}))
