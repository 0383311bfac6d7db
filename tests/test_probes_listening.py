"""Heartbeats end to end: a real listener, the real prober and writer; words, silence, restarts, a changed kind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from local_servers import closed_port
from probe_world import targets
from test_probes_prober import INTERVAL_MS, checks, endpoint, now_ms, outages, probing, until

from config.endpoint import Endpoint
from ledger.facts import endpoint_facts
from ledger.store import Ledger, open_ledger
from nines.daemon.push import Place, keep_listening, listen_where_told
from probes.heartbeat import token_hash
from probes.prober import Prober

EVERY_MS, GRACE_MS = 400, 200
HOLD_MS = EVERY_MS + GRACE_MS
DOWN, UP = 2, 0


def job(id: str = "web", **settings: object) -> Endpoint:
    read = Endpoint.model_validate({"id": id, "heartbeat": token_hash("s3cret")})
    return read.model_copy(update={"interval_ms": EVERY_MS, "grace_ms": GRACE_MS, **settings})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "nines.db", at_ms=now_ms(), create=True)


@asynccontextmanager
async def heard(prober: Prober) -> AsyncIterator[str]:
    """The prober with its listener; the URL under which jobs tell."""
    port = closed_port()
    listening = asyncio.create_task(keep_listening(prober, ("127.0.0.1", port)))
    await until(lambda: is_open(port))
    try:
        yield f"http://127.0.0.1:{port}/push"
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def tell(url: str, word: str = "success") -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer s3cret"}) as session,
        session.post(f"{url}/web/{word}") as answer,
    ):
        assert answer.status == 200


async def test_case_29_on_a_real_listener_down_from_expected_plus_grace_until_the_next_success(ledger: Ledger) -> None:
    async with probing(ledger, job()) as prober, heard(prober) as url:
        for _ in range(4):
            await tell(url)
            await asyncio.sleep(EVERY_MS / 1000)
        await until(lambda: len(outages(ledger)) == 1)
        await tell(url)
        await until(lambda: outages(ledger)[0][2] is not None)
    ups = [at_ms for at_ms, verdict in checks(ledger) if verdict == UP]
    assert [(*row[:4], row[6]) for row in outages(ledger)] == [
        ("down", ups[3] + HOLD_MS, ups[4], ups[3], "recovered"),
    ]


async def test_a_job_that_stays_silent_stays_known_to_be_down(ledger: Ledger) -> None:
    async with probing(ledger, job()) as prober, heard(prober) as url:
        await tell(url)
        await asyncio.sleep(3.5 * HOLD_MS / 1000)
        facts = endpoint_facts(ledger, ["web"], from_ms=0, to_ms=now_ms(), now_ms=now_ms())["web"]
    (outage,) = facts.outages
    assert outage.to_ms is None
    assert [span for span in facts.unknown if span[1] > outage.from_ms] == []
    first = checks(ledger)[0][0]
    assert checks(ledger) == [(first, UP), *((first + n * HOLD_MS, DOWN) for n in (1, 2, 3))]


async def test_a_failure_is_down_at_once_and_a_run_without_end_after_its_longest_time(ledger: Ledger) -> None:
    async with probing(ledger, job(interval_ms=60_000, max_runtime_ms=300)) as prober, heard(prober) as url:
        await tell(url, "fail")
        await tell(url)
        await tell(url, "start")
        began_ms = now_ms()
        await until(lambda: len(outages(ledger)) == 2)
    failed, overrun = outages(ledger)
    assert failed[2] is not None
    assert began_ms - 100 <= overrun[1] - 300 <= began_ms
    assert overrun[2] is None


async def test_too_many_words_are_refused_until_the_time_told_and_write_nothing(ledger: Ledger) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    jobs = [job(interval_ms=60_000), job("other", interval_ms=60_000)]
    async with (
        probing(ledger, *jobs) as prober,
        heard(prober) as url,
        aiohttp.ClientSession(headers=headers) as session,
    ):

        async def say(word: str, endpoint: str = "web") -> tuple[int, str | None]:
            async with session.post(f"{url}/{endpoint}/{word}") as answer:
                return answer.status, answer.headers.get("Retry-After")

        for _ in range(10):
            assert (await say("start"), await say("success")) == ((200, None), (200, None))
        fails = 0
        while (answer := await say("fail")) == (200, None):  # as many as a slow machine makes room for
            fails += 1
        assert answer == (429, "1")
        assert await say("success", "other") == (200, None)
        await asyncio.sleep(1)
        assert [await say("start"), await say("success")] == [(200, None)] * 2
    verdicts = [verdict for _, verdict in checks(ledger)]
    assert (verdicts.count(UP), verdicts.count(DOWN)) == (10 + 1 + 1, fails)


async def test_silence_says_nothing_while_nobody_listens(ledger: Ledger) -> None:
    async with probing(ledger, job()) as prober:
        await asyncio.sleep(2.5 * HOLD_MS / 1000)
        assert prober.doors.keys() == {"web"}
    assert checks(ledger) == []
    assert outages(ledger) == []


async def test_what_was_expected_while_the_daemon_was_off_is_waited_for_anew(ledger: Ledger) -> None:
    async with probing(ledger, job()) as prober, heard(prober) as url:
        await tell(url)
    await asyncio.sleep(2 * HOLD_MS / 1000)
    back_ms = now_ms()
    async with probing(ledger, job(), boot="boot-2") as prober, heard(prober):
        await asyncio.sleep(HOLD_MS / 2000)
        assert outages(ledger) == []
        await until(lambda: len(outages(ledger)) == 1)
    assert outages(ledger)[0][1] >= back_ms + HOLD_MS


async def test_an_endpoint_that_was_asked_and_now_tells_of_itself_begins_anew(ledger: Ledger) -> None:
    async with probing(ledger, endpoint(closed_port())) as prober:
        await until(lambda: len(outages(ledger)) == 1)
        await prober.apply(targets([job()]))
        await until(lambda: outages(ledger)[0][6] == "removed")
        async with heard(prober) as url:
            await tell(url)
            await until(lambda: checks(ledger)[-1][1] == UP)
            await prober.apply(targets([endpoint(closed_port())]))
            await asyncio.sleep(3 * INTERVAL_MS / 1000)
            assert prober.doors == {}
    assert checks(ledger)[-1][1] == DOWN


async def test_a_taken_port_is_no_downtime_of_the_jobs(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with probing(ledger, job()) as prober:
            listening = asyncio.create_task(keep_listening(prober, taken.getsockname()))
            await asyncio.sleep(2 * HOLD_MS / 1000)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    assert "cannot be listened on" in caplog.text
    assert outages(ledger) == []


async def test_another_place_is_listened_at_and_silence_says_nothing_until_words_come_through(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = closed_port(), closed_port()
    places: asyncio.Queue[Place] = asyncio.Queue()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with probing(ledger, job()) as prober:
            listening = asyncio.create_task(listen_where_told(prober, places))
            places.put_nowait(("127.0.0.1", first))
            await until(lambda: is_open(first))
            await tell(f"http://127.0.0.1:{first}/push")
            places.put_nowait(("127.0.0.1", first))  # a reload that changes nothing of it
            await tell(f"http://127.0.0.1:{first}/push")
            places.put_nowait(taken.getsockname())
            await until(lambda: "cannot be listened on" in caplog.text)
            assert not is_open(first)
            await asyncio.sleep(2 * HOLD_MS / 1000)
            assert outages(ledger) == []
            places.put_nowait(("127.0.0.1", second))
            await until(lambda: is_open(second))
            heard_ms = now_ms()
            await until(lambda: len(outages(ledger)) == 1)
            await tell(f"http://127.0.0.1:{second}/push")
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    assert outages(ledger)[0][1] >= heard_ms - 100 + HOLD_MS
