"""Heartbeats: what words and silence mean, judged as the law says, and the routes on which words are heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from probes.heartbeat import WORDS, Door, Heard, Rhythm, Word, deaf, due_ms, hear, knows, look, moved, token_hash
from probes.push import MAX_BODY_BYTES, push_routes
from sla.judge import Check, Method, Opened, State, judge

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
DAILY = Rhythm(DAY, HOUR, max_runtime_ms=2 * HOUR)


def told(*words: tuple[Word, int], until_ms: int, rhythm: Rhythm = DAILY) -> list[Check]:
    """The checks of a job that says these words, looked at in the end."""
    heard, checks = Heard(0), list[Check]()
    for word, at_ms in words:
        heard, more = hear(heard, word, at_ms, rhythm)
        checks.extend(more)
    return [*checks, *look(heard, until_ms, rhythm)[1]]


def test_a_success_is_up_and_vouches_for_interval_and_grace() -> None:
    assert told(("success", 5), until_ms=5 + DAY + HOUR - 1) == [Check(5, "up")]
    assert told(("success", 5), until_ms=5 + DAY + HOUR) == [
        Check(5, "up"),
        Check(5 + DAY + HOUR, "down", "heartbeat_late"),
    ]


def test_silence_is_told_at_the_instant_it_became_too_long_however_late_it_is_noticed() -> None:
    late = Check(DAY + HOUR, "down", "heartbeat_late")
    assert told(until_ms=2 * DAY) == [late]
    assert told(("success", 2 * DAY), until_ms=2 * DAY) == [late, Check(2 * DAY, "up")]


def test_silence_that_goes_on_is_told_again_when_the_last_word_of_it_vouches_no_further() -> None:
    heard, first = look(Heard(0), 2 * DAY, DAILY)
    assert first == (Check(DAY + HOUR, "down", "heartbeat_late"),)
    assert due_ms(heard, DAILY) == 2 * (DAY + HOUR)
    assert look(heard, 2 * (DAY + HOUR) - 1, DAILY)[1] == ()
    assert [check.at_ms for check in look(heard, 9 * DAY, DAILY)[1]] == [n * (DAY + HOUR) for n in range(2, 9)]


def test_where_nobody_listened_when_a_word_was_expected_silence_counts_anew() -> None:
    up = Heard(0, success_ms=0, told_ms=0)
    assert deaf(up, DAY - HOUR, DAILY) == up  # a word was expected later: none is lost
    assert due_ms(deaf(up, DAY - HOUR + 1, DAILY), DAILY) == DAY - HOUR + 1 + DAILY.hold_ms
    failed = Heard(0, success_ms=0, told_ms=HOUR)
    assert due_ms(deaf(failed, 2 * HOUR, DAILY), DAILY) == 2 * HOUR + DAILY.hold_ms
    assert due_ms(deaf(Heard(0), 2 * HOUR, DAILY), DAILY) == 2 * HOUR + DAILY.hold_ms
    assert deaf(Heard(0, success_ms=0, started_ms=HOUR, told_ms=0), 2 * HOUR, DAILY).started_ms is None


def test_what_was_heard_moves_with_the_clock() -> None:
    heard = Heard(1, success_ms=2, started_ms=3, told_ms=4)
    assert moved(heard, 10) == Heard(11, success_ms=12, started_ms=13, told_ms=14)
    assert moved(Heard(1), -1) == Heard(0)


def test_a_failure_is_down_at_once_and_the_next_success_up_again() -> None:
    assert told(("fail", 5), ("success", 9), until_ms=10) == [Check(5, "down", "heartbeat_failed"), Check(9, "up")]


def test_a_start_without_an_end_is_down_after_the_longest_run() -> None:
    said: tuple[tuple[Word, int], ...] = (("success", 0), ("start", HOUR))
    assert told(*said, until_ms=3 * HOUR - 1) == [Check(0, "up")]
    assert told(*said, until_ms=3 * HOUR) == [Check(0, "up"), Check(3 * HOUR, "down", "heartbeat_overrun")]
    assert told(*said, ("success", 2 * HOUR), until_ms=4 * HOUR) == [Check(0, "up"), Check(2 * HOUR, "up")]


def test_a_start_alone_vouches_for_nothing() -> None:
    endless = Rhythm(DAY, HOUR)
    checks = told(("success", 0), ("start", HOUR), until_ms=2 * DAY, rhythm=endless)
    assert checks == [Check(0, "up"), Check(DAY + HOUR, "down", "heartbeat_late")]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 3 * DAY)), max_size=12))
def test_checks_never_go_back_in_time_and_come_by_their_instant(steps: list[tuple[Word, int]]) -> None:
    heard, now_ms, last_ms = Heard(0), 0, 0
    for word, after_ms in steps:
        now_ms += after_ms
        heard, checks = hear(heard, word, now_ms, DAILY)
        for check in checks:
            assert last_ms <= check.at_ms <= now_ms
            last_ms = check.at_ms


def test_case_29_a_heartbeat_that_is_always_on_time_and_then_late_is_down_from_expected_plus_grace() -> None:
    rhythm = Rhythm(DAY, HOUR)
    method = Method(interval_ms=DAY, timeout_ms=0, confirm=1, hold_ms=rhythm.hold_ms)
    checks = told(*(("success", number * DAY) for number in range(30)), until_ms=40 * DAY, rhythm=rhythm)
    state, opened = State(), list[Opened]()
    for check in checks:
        state, transitions = judge(state, check, method)
        opened += [one for one in transitions if isinstance(one, Opened)]
    assert [(one.from_ms, one.last_good_ms) for one in opened] == [(29 * DAY + DAY + HOUR, 29 * DAY)]


def test_a_token_is_kept_as_its_hash_only() -> None:
    hashed = token_hash("s3cret")
    assert "s3cret" not in hashed
    assert knows("s3cret", hashed)
    assert not knows("s3cre", hashed)
    assert not knows("", hashed)
    assert not knows("s3cret", "")


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[aiohttp.ClientSession, str, list[tuple[str, Word]]]]:
    """A listener with two jobs, `nightly` and `linked` (which allows GET); what it heard."""
    doors = {"nightly": Door(token_hash("s3cret")), "linked": Door(token_hash("0ther"), allow_get=True)}
    heard: list[tuple[str, Word]] = []
    app = web.Application()
    app.add_routes(push_routes(lambda: doors, lambda name, word: heard.append((name, word))))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as session:
            yield session, f"http://{host}:{port}/push", heard
    finally:
        await runner.cleanup()


BEARER = {"Authorization": "Bearer s3cret"}
ASKED = {
    "success without a word": ("POST", "/nightly", BEARER, b"", 200, [("nightly", "success")]),
    "start": ("POST", "/nightly/start", BEARER, b"", 200, [("nightly", "start")]),
    "success": ("POST", "/nightly/success", BEARER, b"", 200, [("nightly", "success")]),
    "fail, with a body": ("POST", "/nightly/fail", BEARER, b"log " * 100, 200, [("nightly", "fail")]),
    "token in the query": ("POST", "/nightly?token=s3cret", {}, b"", 200, [("nightly", "success")]),
    "no token": ("POST", "/nightly", {}, b"", 401, []),
    "wrong token": ("POST", "/nightly", {"Authorization": "Bearer 0ther"}, b"", 401, []),
    "another job's token": ("POST", "/linked", BEARER, b"", 401, []),
    "no such job": ("POST", "/nowhere", BEARER, b"", 401, []),
    "no such job, no token": ("POST", "/nowhere", {}, b"", 401, []),
    "another word": ("POST", "/nightly/maybe", BEARER, b"", 404, []),
    "GET": ("GET", "/nightly", BEARER, b"", 405, []),
    "GET where allowed": ("GET", "/linked/start?token=0ther", {}, b"", 200, [("linked", "start")]),
    "long body": ("POST", "/nightly", BEARER, bytes(MAX_BODY_BYTES + 1), 413, []),
    "body at the cap": ("POST", "/nightly", BEARER, bytes(MAX_BODY_BYTES), 200, [("nightly", "success")]),
}


@pytest.mark.parametrize("row", ASKED, ids=str)
async def test_what_is_asked_is_heard_or_refused(row: str) -> None:
    method, path, headers, body, status, words = ASKED[row]
    async with (
        listening() as (session, base, heard),
        session.request(method, base + path, headers=headers, data=body) as answer,
    ):
        assert (answer.status, heard) == (status, words)
        assert "s3cret" not in await answer.text()


async def test_a_job_that_does_not_exist_is_answered_like_a_wrong_token() -> None:
    async with listening() as (session, base, _):
        answers = []
        for path in ("/nowhere", "/nightly"):
            async with session.post(base + path, headers={"Authorization": "Bearer guess"}) as answer:
                answers.append((answer.status, await answer.text()))
    assert answers[0] == answers[1]
