"""Every failure is looked at again before it is booked: was it the target's, or our own?

What was ours is `unknown` with a class of its own, and told to operations once, however many endpoints it hit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ledger.sight import Notice
from probes.attempt import Attempt
from probes.faults import trouble_of
from probes.nameservers import any_answers, configured
from probes.pulse import Pulse
from probes.vantage import Proof, Vantage

TELL_AGAIN_S = 3_600.0  # the same trouble is told again after so long
BY_NAME_SERVER = ("dns_servfail", "dns_timeout")


@dataclass(slots=True)
class Notices:
    """Tells operations of each trouble of ours once, and again only when it is over or an hour has passed."""

    tell: Callable[[Notice], None]
    clock: Callable[[], int]
    _told_s: dict[tuple[str, str], float] = field(default_factory=dict)

    def give(self, what: str, text: str, **body: object) -> None:
        """`what` names the kind of trouble; the same text is not repeated."""
        now_s = time.monotonic()
        if now_s - self._told_s.get((what, text), float("-inf")) < TELL_AGAIN_S:
            return
        self._told_s[what, text] = now_s
        self.tell(Notice(what, self.clock(), {"text": text, **body}))

    def over(self, what: str) -> None:
        """It is over: when it comes back it is told again."""
        for key in [key for key in self._told_s if key[0] == what]:
            del self._told_s[key]


@dataclass(slots=True)
class Review:
    """Failures in, failures or excuses out."""

    pulse: Pulse
    vantage: Vantage
    notices: Notices
    name_servers: Callable[[], tuple[tuple[str, int], ...]] = configured
    _names: Proof = field(init=False)

    def __post_init__(self) -> None:
        self._names = Proof(self._resolver_answers, every_s=self.vantage.every_s)

    async def of(self, found: Attempt, host: str, *, began_s: float) -> Attempt:
        """The attempt as it may be booked; it began at `began_s` (monotonic)."""
        if found.verdict == "up":
            self._good(found, began_s)
            return found
        excuse = self.pulse.excuse(found, began_s=began_s)
        if excuse is None and found.verdict == "down":
            excuse = await self._not_the_target(found, host, began_s)
        elif excuse is None and found.verdict == "degraded":
            self._good(found, began_s)
        if excuse is not None:
            return replace(found, verdict="unknown", error=excuse[0], detail=excuse[1])
        if (trouble := trouble_of(found)) is not None:
            self.notices.give(*trouble, endpoint=found.endpoint)
        return found

    async def close(self) -> None:
        """End whatever still looks."""
        await self._names.close()
        await self.vantage.close()

    def _good(self, found: Attempt, began_s: float) -> None:
        self.vantage.saw(found, began_s=began_s)
        if found.phases_us.get("dns", 0) > 0:
            self._names.good(began_s)

    async def _not_the_target(self, found: Attempt, host: str, began_s: float) -> tuple[str, str] | None:
        blind = await self.vantage.excuse(found, host, began_s=began_s)
        if blind is not None or found.error not in BY_NAME_SERVER:
            return blind
        if await self._names.holds(time.monotonic()):
            self.notices.over("resolver")
            return None
        text = "our own name servers do not answer"
        self.notices.give("resolver", text)
        return "prober_resolver", text

    async def _resolver_answers(self) -> bool:
        return await any_answers(self.name_servers())
