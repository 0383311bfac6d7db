"""Our own clock beside the `Date` of answers: which answers count, how long it takes to be sure, what is told."""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from ledger_scenes import new_ledger
from probe_world import endpoint, notices, now_ms, probing, rows, sites, until

from probes.attempt import Trace
from probes.dates import KEPT_S, LASTS_S, LOOK_EVERY_S, NETWORKS, WRONG_MS, Dates

TRUE_MS = 1_795_764_000_250  # what the world's clocks say, a quarter of a second into a second
SHAPES = {
    "usual": "Fri, 27 Nov 2026 07:20:00 GMT",
    "two digits of a year": "Friday, 27-Nov-26 07:20:00 GMT",
    "asctime": "Fri Nov 27 07:20:00 2026",
}


class World:
    """Dates with clocks of the test's own."""

    def __init__(self, *, ahead_ms: int = 0) -> None:
        self.ahead_ms, self.at_s = ahead_ms, 0.0
        self.dates = Dates(lambda: TRUE_MS + self.ahead_ms, lambda: self.at_s)

    def hear(self, address: str, *, theirs_ms: int = 0, took_ms: int = 0, **headers: str) -> None:
        """An answer of a server whose clock is ahead of the world's by `theirs_ms`."""
        trace = Trace()
        trace.address, trace.connected_ns = address, time.perf_counter_ns() - took_ms * 1_000_000
        said = {"Date": formatdate((TRUE_MS + theirs_ms) // 1000, usegmt=True), **headers}
        self.dates.hear(trace, said)

    def hear_all(self, count: int = 3) -> None:
        for number in range(count):
            self.hear(f"198.51.{number}.7")

    def passes(self, for_s: float) -> bool:
        """Whether the rule turned in that time, with answers once a minute."""
        turned, ends_s = [], self.at_s + for_s
        while self.at_s < ends_s:
            self.at_s += min(LOOK_EVERY_S, ends_s - self.at_s)
            self.hear_all()
            turned.append(self.dates.look())
        return any(turned)


def near(ms: int) -> object:
    """The time that the test itself takes is part of an answer's."""
    return pytest.approx(ms, abs=100)


@pytest.mark.parametrize(
    ("ahead_ms", "took_ms", "found_ms"),
    [
        (0, 0, 0),
        (-250, 0, 0),
        (749, 0, 0),
        (10_000, 0, 9_250),  # their second may have been about to end
        (-10_000, 0, -9_750),  # or just have begun
        (10_000, 4_000, 5_250),  # the longer an answer takes, the less it says
        (-10_000, 4_000, -9_750),  # but for what lies before now
    ],
)
def test_the_offset_is_how_far_a_date_lies_outside_of_request_and_answer(
    ahead_ms: int, took_ms: int, found_ms: int
) -> None:
    world = World(ahead_ms=ahead_ms)
    for number in range(3):
        world.hear(f"198.51.{number}.7", took_ms=took_ms)
    assert world.dates.offset_ms() == near(found_ms)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_date_is_read_in_each_of_its_shapes(shape: str) -> None:
    world = World(ahead_ms=60_000)
    for number in range(3):
        world.hear(f"198.51.{number}.7", Date=SHAPES[shape])
    assert world.dates.offset_ms() == near(59_250)


@pytest.mark.parametrize(
    "headers",
    [
        {"Age": "0"},
        {"Date": ""},
        {"Date": "now"},
        {"Date": "Fri, 99 Nov 2026 07:20:00 GMT"},
        {"Date": "Fri, 27 Nov 2026 07:20:00 +9999999"},
        {"Date": "9" * 5_000},
    ],
    ids=str,
)
def test_an_answer_out_of_a_cache_or_without_a_date_that_can_be_read_does_not_count(headers: dict[str, str]) -> None:
    world = World()
    world.hear_all(2)
    world.hear("203.0.113.7", **headers)
    assert world.dates.offset_ms() is None


def test_fewer_than_three_networks_say_nothing_and_this_machine_is_none() -> None:
    world = World(ahead_ms=10_000)
    world.hear_all(2)
    for address in ("198.51.1.8", "127.0.0.1", "127.9.9.9", "::1", ""):
        world.hear(address)
        assert world.dates.offset_ms() is None
    world.hear("2001:db8::7")
    assert world.dates.offset_ms() == near(9_250)


@pytest.mark.parametrize("way", [1, -1])
def test_the_median_counts_and_of_two_in_the_middle_the_one_nearer_to_nothing(way: int) -> None:
    world = World()
    for number, theirs_ms in enumerate((0, 3_600_000 * way, -5_000 * way)):
        world.hear(f"198.51.{number}.7", theirs_ms=theirs_ms)
    assert world.dates.offset_ms() == 0
    world.hear("198.51.9.7", theirs_ms=-5_000 * way)
    assert world.dates.offset_ms() == 0
    world.hear("198.51.10.7", theirs_ms=-5_000 * way)
    assert world.dates.offset_ms() == pytest.approx(5_000 * way, abs=1_000)


def test_a_network_is_asked_once_a_minute_and_its_voice_grows_old() -> None:
    world = World()
    world.hear_all()
    world.at_s = LOOK_EVERY_S - 1
    for number in range(3):
        world.hear(f"198.51.{number}.8", theirs_ms=50_000)
    assert world.dates.offset_ms() == 0
    world.at_s = LOOK_EVERY_S
    for number in range(2):
        world.hear(f"198.51.{number}.8", theirs_ms=50_000)
    assert world.dates.offset_ms() == near(-49_750)
    world.at_s = KEPT_S
    assert world.dates.offset_ms() is None


def test_twenty_networks_are_kept_until_their_voices_are_old() -> None:
    world = World()
    half = NETWORKS // 2
    for number in range(NETWORKS):
        world.hear(f"198.51.{number}.7", theirs_ms=0 if number < half else 50_000)
    world.hear("203.0.113.7", theirs_ms=50_000)
    assert world.dates.offset_ms() == 0
    world.at_s = KEPT_S
    for number in range(3):
        world.hear(f"203.0.{number}.7", theirs_ms=50_000)
    assert world.dates.offset_ms() == near(-49_750)


@pytest.mark.parametrize("ahead_ms", [WRONG_MS + 1_000, -WRONG_MS - 1_000])
def test_a_clock_is_wrong_after_five_minutes_and_right_again_after_five(ahead_ms: int) -> None:
    world = World(ahead_ms=ahead_ms)
    world.hear_all()
    assert not world.dates.look()
    assert not world.passes(LASTS_S - 1)
    assert world.passes(1)
    assert world.dates.wrong
    assert not world.passes(3_600)
    world.ahead_ms = 0
    assert not world.passes(LASTS_S)
    assert world.passes(LOOK_EVERY_S)
    assert not world.dates.wrong
    assert not world.passes(3_600)


def test_less_than_two_seconds_or_less_than_five_minutes_are_no_news() -> None:
    world = World(ahead_ms=WRONG_MS)
    assert not world.passes(3_600)
    for ahead_ms in (60_000, 0, 60_000, 0):
        world.ahead_ms = ahead_ms
        assert not world.passes(LASTS_S - 1)


def test_a_clock_that_is_set_begins_anew() -> None:
    world = World(ahead_ms=60_000)
    assert not world.passes(LASTS_S - 1)
    world.dates.forget()
    assert world.dates.offset_ms() is None
    assert not world.passes(LASTS_S)
    assert world.passes(LOOK_EVERY_S)


def own_address() -> str | None:
    """Of this machine, and no loopback; None where it has none. Connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if ipaddress.ip_address(address).is_loopback else address


def dated(*, ahead_ms: int = 0) -> bytes:
    return f"Date: {formatdate(time.time() + ahead_ms / 1000, usegmt=True)}\r\n".encode()


needs_an_address = pytest.mark.skipif(own_address() is None, reason="this machine has no address but loopback")


@needs_an_address
async def test_a_wrong_clock_is_told_to_operations_once_and_once_when_it_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one network, for a machine has no three: that of an address of its own."""
    for name, value in {"LEAST": 1, "LASTS_S": 0.2, "LOOK_EVERY_S": 0.1}.items():
        monkeypatch.setattr(f"probes.dates.{name}", value)
    async with sites(own_address() or "") as [site]:
        site.headers = lambda: dated(ahead_ms=-60_000)
        ledger = new_ledger(tmp_path)
        async with probing(ledger, [endpoint(site, "far")]) as prober:
            await until(lambda: notices(ledger) == ["prober.clock_wrong"])
            assert prober.meters.clock_offset_ms == pytest.approx(59_500, abs=600)
            site.headers = dated
            await until(lambda: len(notices(ledger)) == 2)
            assert prober.meters.clock_offset_ms == 0
    assert notices(ledger) == ["prober.clock_wrong", "prober.clock_right"]
    [(body,)] = rows(ledger, "SELECT body FROM event WHERE kind = 'prober.clock_wrong'")
    assert re.search("our clock is (59|60) s ahead of .*; check its time synchronisation", body)


@needs_an_address
async def test_what_was_heard_before_a_clock_step_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.dates.LEAST", 1)
    ahead_ms = [0]
    async with sites(own_address() or "") as [site]:
        site.headers = dated
        watched = [endpoint(site, "far")]
        async with probing(new_ledger(tmp_path), watched, clock=lambda: now_ms() + ahead_ms[0]) as prober:
            await until(lambda: prober.meters.clock_offset_ms == 0)
            ahead_ms[0] = 3_600_000
            await until(lambda: prober.meters.clock_offset_ms, within_s=10)
            assert prober.meters.clock_offset_ms == pytest.approx(3_599_500, abs=600)
