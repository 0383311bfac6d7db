"""Whether WE can see: reference hosts, tried after a failure and before it is booked.

A reference is a host and port on somebody else's network that accepts a connection. Where all of them are dead the
failure says nothing about the target: from the prober's last proof of sight to its next one time is unknown.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from probes.attempt import Attempt, Fault, Trace
from probes.connect import ANY_ADDRESS, is_public, open_socket
from probes.resolver import Resolver

ROUND_TIMEOUT_S = 2.0  # how long a reference may take
ROUND_EVERY_S = 1.0  # however many fail at once, references are not asked more often
LOOK_AGAIN_S = 2.0  # while blind
SPELLS_KEPT = 64
_NEAR, _PRIVATE, _PUBLIC = range(3)


@dataclass(frozen=True, slots=True)
class Reference:
    """Somewhere else to look at: `host:port` that accepts connections."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The reference hosts, on at least two networks, and the default gateway where it is known."""

    references: tuple[Reference, ...] = ()
    gateway: str | None = None


class Proof:
    """Whether something held after an instant: looked at once for all who ask at a time, and not too often."""

    def __init__(self, look: Callable[[], Awaitable[bool]], *, every_s: float = ROUND_EVERY_S) -> None:
        self._look, self._every_s = look, every_s
        self._good_s = self._bad_s = float("-inf")  # when the newest look of each answer began, monotonic
        self._round: asyncio.Task[None] | None = None

    def good(self, began_s: float) -> None:
        """Something that began then proved it without a look of ours."""
        self._good_s = max(self._good_s, began_s)

    async def holds(self, since_s: float) -> bool:
        """What a look says that began no earlier than `since_s`."""
        while self._good_s < since_s:
            if self._bad_s >= since_s:
                return False
            if self._round is None or self._round.done():
                self._round = asyncio.create_task(self._go(), name="reference hosts")
            round_ = self._round  # whoever wakes first from this one may have begun the next
            await asyncio.wait([round_])
            round_.result()
        return True

    async def _go(self) -> None:
        await asyncio.sleep(max(self._good_s, self._bad_s) + self._every_s - time.monotonic())
        began_s = time.monotonic()
        if await self._look():
            self._good_s = max(self._good_s, began_s)
        else:
            self._bad_s = began_s

    async def close(self) -> None:
        """End a look under way."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)


@dataclass(slots=True)
class Spell:
    """A blind spell, monotonic seconds; `until_s` None while it lasts."""

    from_s: float
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class Turns:
    """Who is told when sight is lost (seconds ago, what is known of it) and when it is back."""

    lost: Callable[[float, str], None]
    back: Callable[[], None]


@dataclass(slots=True)
class Vantage:
    """Without references it has no opinion: nothing is excused."""

    outlook: Outlook
    resolver: Resolver
    turns: Turns
    every_s: float = ROUND_EVERY_S
    _sight_s: float = field(default_factory=time.monotonic)  # the last proof of sight
    _spells: deque[Spell] = field(default_factory=lambda: deque(maxlen=SPELLS_KEPT))
    _watching: asyncio.Task[None] | None = None
    _proof: Proof = field(init=False)

    def __post_init__(self) -> None:
        self._proof = Proof(self._any_reference, every_s=self.every_s)

    @property
    def blind(self) -> bool:
        """Whether nothing of the world can be seen now."""
        return bool(self._spells) and self._spells[-1].until_s is None

    def saw(self, attempt: Attempt, *, began_s: float) -> None:
        """A good answer of an endpoint is a proof of sight, where it came from as far away as a reference."""
        if self.outlook.references and _distance(attempt.address or "") >= self._far:
            self._proof.good(began_s)
            self._seen()

    async def excuse(self, attempt: Attempt, host: str, *, began_s: float) -> tuple[str, str] | None:
        """(class, sentence) where a failure says nothing, for we were blind; None where it stands."""
        distance = _distance(attempt.address or host)
        if not self.outlook.references or distance < min(self._far, _PRIVATE):
            return None
        if not await self._proof.holds(time.monotonic()):
            where = await self._where()
            self._lose(where)
            if distance < self._far and where == _BEYOND:
                return None  # it lies on our side of the gateway, which answers
        if any(spell.until_s is None or spell.until_s > began_s for spell in self._spells):
            return "prober_blind", "no reference host could be reached either"
        return None

    async def close(self) -> None:
        """End whatever still looks."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._proof.close()

    @property
    def _far(self) -> int:
        return max((_distance(reference.host) for reference in self.outlook.references), default=_PUBLIC)

    def _lose(self, where: str) -> None:
        if self.blind:
            return
        self._spells.append(Spell(self._sight_s))
        self.turns.lost(time.monotonic() - self._sight_s, where)
        self._watching = asyncio.create_task(self._watch_for_sight(), name="waiting for sight")

    def _seen(self) -> None:
        self._sight_s = time.monotonic()
        if self.blind:
            self._spells[-1].until_s = self._sight_s
            self.turns.back()

    async def _watch_for_sight(self) -> None:
        while self.blind:
            await asyncio.sleep(min(LOOK_AGAIN_S, self.every_s * 2))
            if await self._any_reference():
                return

    async def _any_reference(self) -> bool:
        """Whether one of them accepts a connection now; the first that does is enough."""
        asked = [asyncio.create_task(self._reach(one)) for one in self.outlook.references]
        try:
            for answer in asyncio.as_completed(asked):
                if await answer:
                    self._seen()
                    return True
            return False
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _reach(self, reference: Reference, *, refusal_counts: bool = False) -> bool:
        try:
            async with asyncio.timeout(ROUND_TIMEOUT_S):
                connection = await open_socket(
                    reference.host, reference.port, resolver=self.resolver, rule=ANY_ADDRESS, trace=Trace()
                )
        except TimeoutError:
            return False
        except Fault as fault:
            return refusal_counts and fault.outcome.error == "connect_refused"
        connection.close()
        return True

    async def _where(self) -> str:
        """On which side of the gateway sight is lost."""
        if self.outlook.gateway is None:
            return _UNKNOWN
        return _BEYOND if await self._reach(Reference(self.outlook.gateway, 53), refusal_counts=True) else _OWN


_UNKNOWN = "no reference host can be reached"
_BEYOND = "no reference host can be reached; our gateway answers: the fault lies beyond it"
_OWN = "no reference host can be reached, nor our gateway: the fault is on our side of it"


def _distance(host: str) -> int:
    """How far away a host is: this machine, a private network, the world (as is every name)."""
    if host == "localhost" or host.endswith(".localhost"):
        return _NEAR
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host.partition("%")[0])
        if address.is_loopback:
            return _NEAR
        return _PUBLIC if is_public(host) else _PRIVATE
    return _PUBLIC


def default_gateway(routes: str) -> str | None:
    """The IPv4 default gateway by the text of /proc/net/route; None where there is none."""
    for line in routes.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 2 and fields[1] == "00000000" and fields[2] != "00000000":
            return str(ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(fields[2]), "little")))
    return None


def networks(references: Sequence[Reference]) -> int:
    """On how many networks they are; each name is taken for one of its own."""
    return len({network_of(reference.host) for reference in references})


def network_of(host: str) -> str:
    """The /24 or /48 of an address; a name is one of its own."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
    return host
