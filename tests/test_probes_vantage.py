"""Our own trouble is never a client's downtime: cases 26, 27, 28, 30 and 43 of the accounting, on real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest
from probe_world import endpoint, intervals, notices, now_ms, probing, rows, sites, targets, until, verdicts

from ledger.facts import endpoint_facts
from ledger.store import Ledger, open_ledger
from probes.nameservers import any_answers, configured
from probes.scheduler import phase_ms
from probes.steps import Clocks
from probes.vantage import Proof, Reference, default_gateway, networks

REFERENCES = ("127.0.0.1", "127.0.1.1")  # two networks of loopback


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "nines.db", at_ms=now_ms(), create=True)


def blind(ledger: Ledger, why: str = "prober_blind") -> list[tuple[int, int | None]]:
    """On a machine with much to do there may be stalls besides; they are told apart by their class."""
    query = f"SELECT from_ms, to_ms FROM \"interval\" WHERE kind = 'blind' AND error = '{why}'"
    return [(row[0], row[1]) for row in rows(ledger, query)]


def down(ledger: Ledger) -> list[tuple[int, int | None]]:
    return intervals(ledger, "down")


async def test_all_who_wait_for_one_look_may_need_the_next() -> None:
    """They asked after it began; whoever wakes first begins the next, and the others wait for that one, too."""
    looks = 0

    async def look() -> bool:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.05)
        return True

    proof = Proof(look, every_s=0.0)
    first = asyncio.create_task(proof.holds(time.monotonic()))
    await asyncio.sleep(0.02)
    late = [asyncio.create_task(proof.holds(time.monotonic())) for _ in range(5)]
    assert await asyncio.gather(first, *late) == [True] * 6
    assert looks == 2


async def test_case_26_an_outage_moves_with_a_clock_that_is_set_back_and_keeps_its_length(ledger: Ledger) -> None:
    back_ms = [0]
    half_an_hour = 1_800_000

    def clock() -> int:
        return now_ms() - back_ms[0]

    async with sites("127.0.0.1") as [site], probing(ledger, [endpoint(site, "web")], clock=clock):
        await until(lambda: site.asked >= 2)
        site.status = b"503 Busy"
        await until(lambda: down(ledger))
        back_ms[0] = half_an_hour
        await until(lambda: intervals(ledger, "clock_step"))
        asked = site.asked
        await until(lambda: site.asked > asked)
        site.status = b"200 OK"
        await until(lambda: down(ledger)[0][1] is not None)
    checks = verdicts(ledger)
    [(from_ms, to_ms)] = down(ledger)
    first_bad = min(at for at, verdict, _ in checks if verdict == 2 and at > now_ms() - half_an_hour // 2)
    assert from_ms == pytest.approx(first_bad - half_an_hour, abs=2)  # the clocks count whole milliseconds
    assert to_ms == min(at for at, verdict, _ in checks if verdict == 0 and at > from_ms)
    [(step_from, step_to)] = intervals(ledger, "clock_step")
    assert step_from == step_to
    assert from_ms < step_from < to_ms
    assert notices(ledger) == ["prober.clock_step"]


async def test_after_a_clock_set_forward_only_the_time_without_a_reading_is_unknown(ledger: Ledger) -> None:
    ahead_ms = [0]

    def clock() -> int:
        return now_ms() + ahead_ms[0]

    begun = now_ms()
    async with sites("127.0.0.1") as [site], probing(ledger, [endpoint(site, "web")], clock=clock):
        await until(lambda: site.asked >= 2)
        ahead_ms[0] = 3_600_000
        await until(lambda: intervals(ledger, "clock_step"))
        asked = site.asked
        await until(lambda: site.asked >= asked + 3)
        ended = clock()
        await until(lambda: verdicts(ledger)[-1][0] > ended)
    facts = endpoint_facts(ledger, ["web"], from_ms=begun, to_ms=ended, now_ms=ended)["web"]
    longest = max(facts.unknown, key=lambda span: span[1] - span[0])
    assert longest[1] - longest[0] == pytest.approx(3_600_000, abs=5_000)  # a busy machine is late with a check or two
    assert not facts.outages


async def test_case_27_a_stalled_loop_makes_no_outage_and_its_time_is_unknown(ledger: Ledger) -> None:
    crowd = 50
    async with sites("127.0.0.1") as [site]:
        several = [endpoint(site, f"e{number}", interval_ms=600, timeout_ms=500, confirm=1) for number in range(crowd)]
        async with probing(ledger, several):
            await until(lambda: site.asked >= crowd)
            site.silent = True
            asked = site.asked
            await until(lambda: site.asked >= asked + 5)
            stalled_ms = now_ms()
            time.sleep(2.0)  # noqa: ASYNC251  the stall itself
            site.silent = False
            await until(lambda: blind(ledger, "prober_stalled"))
            asked = site.asked
            await until(lambda: site.asked >= asked + crowd)
    assert down(ledger) == []
    unknown = {error for _, verdict, error in verdicts(ledger) if verdict == 3}
    assert unknown == {"prober_stalled"}
    [(from_ms, to_ms)] = blind(ledger, "prober_stalled")
    assert from_ms <= stalled_ms
    assert to_ms is not None
    assert to_ms >= stalled_ms + 2_000


async def test_case_28_a_lost_link_is_unknown_with_one_notice_and_no_outage(ledger: Ledger) -> None:
    async with sites("127.0.0.1", "127.0.0.1", *REFERENCES) as [one, two, *references]:
        watched = [endpoint(one, "one"), endpoint(two, "two")]
        async with probing(ledger, watched, references=references):
            await until(lambda: one.asked >= 2 and two.asked >= 2)
            lost_ms = now_ms()
            for site in (one, two, *references):
                await site.cut()
            await until(lambda: len([error for *_, error in verdicts(ledger) if error == "prober_blind"]) >= 6)
            back_ms = now_ms()
            for site in (one, two, *references):
                await site.up()
            await until(lambda: blind(ledger)[0][1] is not None)
            asked = (one.asked, two.asked)
            await until(lambda: one.asked > asked[0] and two.asked > asked[1])
    assert down(ledger) == []
    assert [verdict for _, verdict, _ in verdicts(ledger) if verdict == 2] == []
    [(from_ms, to_ms)] = blind(ledger)
    assert to_ms is not None
    assert lost_ms - 1_000 <= from_ms <= lost_ms + 50
    assert back_ms <= to_ms
    assert notices(ledger) == ["prober.blind"]


async def test_who_watches_others_instead_while_blind_is_still_blind(ledger: Ledger) -> None:
    async with sites("127.0.0.1", *REFERENCES) as [site, *references]:
        for one in (site, *references):
            await one.cut()
        async with probing(ledger, [endpoint(site, "web")], references=references) as prober:
            await until(lambda: blind(ledger))
            await prober.apply([])
            await until(lambda: len(rows(ledger, "SELECT 1 FROM coverage WHERE to_ms IS NULL")) == 0)
            await prober.apply(targets([endpoint(site, "other")]))
            await until(lambda: [error for *_, error in verdicts(ledger)][-1] == "prober_blind")
            assert prober.meters.blind
    [(_, to_ms)] = blind(ledger)
    assert to_ms is None


async def test_a_dead_target_is_down_as_long_as_one_reference_is_alive(ledger: Ledger) -> None:
    async with sites("127.0.0.1", *REFERENCES) as [site, alive, dead]:
        await dead.cut()
        async with probing(ledger, [endpoint(site, "web")], references=[alive, dead]):
            await until(lambda: site.asked >= 1)
            await site.cut()
            await until(lambda: down(ledger))
    assert blind(ledger) == []
    assert notices(ledger) == []


async def test_an_outage_goes_on_through_a_blind_spell_as_one(ledger: Ledger) -> None:
    async with (
        sites("127.0.0.1", *REFERENCES) as [site, *references],
        probing(ledger, [endpoint(site, "web")], references=references),
    ):
        await until(lambda: site.asked >= 1)
        site.status = b"503 Busy"
        await until(lambda: down(ledger))
        for one in references:
            await one.cut()
        await until(lambda: blind(ledger))
        for one in references:
            await one.up()
        await until(lambda: blind(ledger)[0][1] is not None)
        asked = site.asked
        await until(lambda: site.asked >= asked + 2)
        assert len(down(ledger)) == 1
        site.status = b"200 OK"
        await until(lambda: down(ledger)[0][1] is not None)
        ended = now_ms()
    [(from_ms, to_ms)] = down(ledger)
    [spell] = blind(ledger)
    facts = endpoint_facts(ledger, ["web"], from_ms=from_ms, to_ms=ended, now_ms=ended)["web"]
    assert to_ms is not None
    assert spell[1] is not None
    assert from_ms < spell[0] < spell[1] < to_ms
    assert any(start <= spell[0] and spell[1] <= end for start, end in facts.unknown)


async def test_case_30_down_and_up_by_turns_is_booked_turn_by_turn(ledger: Ledger) -> None:
    async with sites("127.0.0.1") as [site], probing(ledger, [endpoint(site, "web", confirm=1)]):
        for turn in range(1, 6):
            site.status = b"503 Busy"
            await until(lambda turn=turn: len(down(ledger)) == turn)
            site.status = b"200 OK"
            await until(lambda: down(ledger)[-1][1] is not None)
    checks = verdicts(ledger)
    for from_ms, to_ms in down(ledger):
        assert [verdict for at, verdict, _ in checks if from_ms <= at < (to_ms or 0)].count(2) >= 1
        assert all(verdict == 2 for at, verdict, _ in checks if from_ms <= at < (to_ms or 0))
        assert (to_ms, 0) in [(at, verdict) for at, verdict, _ in checks]


async def test_case_43_an_outage_begins_on_the_grid_and_ends_at_the_pace_of_retries(ledger: Ledger) -> None:
    interval_ms, retry_ms = 1_500, 100
    async with sites("127.0.0.1") as [site]:
        watched = endpoint(site, "web", interval_ms=interval_ms, retry_every_ms=retry_ms)
        async with probing(ledger, [watched]):
            await until(lambda: site.asked >= 2)
            site.status = b"503 Busy"
            await until(lambda: down(ledger))
            good_ms = now_ms()
            site.status = b"200 OK"
            await until(lambda: down(ledger)[0][1] is not None)
    [(from_ms, to_ms)] = down(ledger)
    assert to_ms is not None
    assert (from_ms - phase_ms("web", interval_ms)) % interval_ms < interval_ms // 2
    assert to_ms - good_ms < interval_ms // 2
    checks = rows(ledger, "SELECT at_ms, verdict, retry FROM raw_check ORDER BY at_ms")
    assert (from_ms, 2, 0) in checks  # the tick of the grid; all that follow are retries until one is good
    assert {retry for at, _, retry in checks if from_ms < at <= to_ms} == {1}


async def test_a_suspended_machine_is_unknown_and_not_made_up_for(ledger: Ledger) -> None:
    slept_ms = [0]
    clocks = Clocks(lambda: now_ms() + slept_ms[0], steady=lambda: time.monotonic_ns() // 1_000_000 + slept_ms[0])
    async with (
        sites("127.0.0.1") as [site],
        probing(ledger, [endpoint(site, "web")], clock=lambda: now_ms() + slept_ms[0], clocks=clocks),
    ):
        await until(lambda: site.asked >= 2)
        slept_ms[0] = 28_800_000
        await until(lambda: intervals(ledger, "off"))
        asked = site.asked
        await until(lambda: site.asked >= asked + 2)
        assert site.asked <= asked + 4
    [(from_ms, to_ms)] = intervals(ledger, "off")
    assert to_ms is not None
    assert to_ms - from_ms == pytest.approx(28_800_000, abs=5)
    assert notices(ledger) == ["prober.suspended"]
    assert intervals(ledger, "clock_step") == []


class NameServer:
    """Answers every query over UDP with one rcode, or never."""

    def __init__(self, rcode: int | None) -> None:
        self.rcode = rcode
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.socket.getsockname()[1]

    def _serve(self) -> None:
        while True:
            query, peer = self.socket.recvfrom(512)
            if not query:
                return
            if self.rcode is not None:
                self.socket.sendto(query[:2] + bytes([0x81, 0x80 | self.rcode]) + query[4:], peer)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        self.thread.join()
        self.socket.close()


@pytest.mark.parametrize(("rcode", "alive"), [(0, True), (5, True), (2, False), (None, False)])
async def test_our_own_name_server_is_alive_when_it_answers_for_the_root(
    rcode: int | None, alive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probes.nameservers.TIMEOUT_S", 0.3)
    server = NameServer(rcode)
    try:
        assert await any_answers([server.address]) is alive
    finally:
        server.close()


async def test_without_a_name_server_known_nobody_is_blamed() -> None:
    assert await any_answers([])


def test_the_name_servers_are_those_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("# ours\nnameserver 192.0.2.1\noptions rotate\nnameserver 2001:db8::1\n")
    assert configured(tmp_path / "resolv.conf") == (("192.0.2.1", 53), ("2001:db8::1", 53))
    assert configured(tmp_path / "missing") == ()


def test_the_default_gateway_is_read_from_the_kernels_table() -> None:
    table = "Iface\tDestination\tGateway\tFlags\neth0\t0002000A\t00000000\t0001\neth0\t00000000\t0102000A\t0003\n"
    assert default_gateway(table) == "10.0.2.1"
    assert default_gateway("Iface\tDestination\tGateway\n") is None


def test_references_of_one_network_are_one() -> None:
    assert networks([Reference("192.0.2.1", 53), Reference("192.0.2.9", 53)]) == 1
    assert networks([Reference("192.0.2.1", 53), Reference("198.51.100.1", 53), Reference("example.org", 443)]) == 3
