"""The web pages, asked over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from reporting_boards import NOW, bare_row, row, specimen

from reporting.board import Board, Monitor, make_board
from reporting.pages import Pulse, make_app

TestServer.__test__ = False  # type: ignore[attr-defined]  # a class of aiohttp's, not a test


@asynccontextmanager
async def pages(**given: Any) -> AsyncIterator[Callable[[str], Any]]:
    """The served pages; the value GETs a path and gives (status, headers, text)."""
    parts = {"board": specimen, "pulse": lambda: Pulse(NOW - 1_000, NOW - 2_000), "clock": lambda: NOW}
    app: web.Application = make_app(**{**parts, **given})
    async with TestServer(app) as server, ClientSession() as session:

        async def get(path: str) -> tuple[int, dict[str, str], str]:
            async with session.get(server.make_url(path)) as answer:
                return answer.status, dict(answer.headers), await answer.text()

        yield get


async def test_the_board_is_written_whole_with_its_figures() -> None:
    async with pages() as get:
        status, _, text = await get("/")
    assert status == 200
    assert "<title>(2 down) Board</title>" in text
    for words in ("8~min 35~s", "Tracking API", "12:27:15", "EUR 450.00", "112.0~%", "since 12:16:05", "99.979"):
        assert words.replace("~", "\u202f") in text


async def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    async with pages() as get:
        _, headers, text = await get("/")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy
    assert " style=" not in text
    assert "<script" not in text
    assert "http://" not in text
    assert "https://" not in text


async def test_names_are_escaped() -> None:
    hostile = specimen(row("<script>x</script>", '"><img src=x>', allowed=10, used=1))
    async with pages(board=lambda: hostile) as get:
        _, _, text = await get("/")
    assert "<script>" not in text
    assert "<img" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text


async def test_an_empty_board_says_what_to_do_next() -> None:
    empty = make_board([], at_ms=NOW, tz="UTC", label="November 2026", monitor=Monitor(seen_ms=None, alive=False))
    async with pages(board=lambda: empty) as get:
        status, _, text = await get("/")
    assert status == 200
    assert "Nothing is watched yet." in text
    assert "The daemon has not run yet" in text


async def test_every_state_has_its_word() -> None:
    states = ("down", "degraded", "unknown", "maintenance", "up", "no data")
    board = make_board(
        [bare_row(f"s{number}", state=state) for number, state in enumerate(states)],
        at_ms=NOW, tz="UTC", label="November 2026", monitor=Monitor(seen_ms=NOW, alive=True))  # fmt: skip
    async with pages(board=lambda: board) as get:
        _, _, text = await get("/")
    for word in ("Down", "Degraded", "Unknown", "Maintenance", "Up", "No data"):
        assert f" {word}</span>" in text


async def test_health_is_good_while_the_daemon_stamps_its_life() -> None:
    async with pages() as get:
        status, headers, text = await get("/healthz")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert text == '{"ok": true, "life_age_ms": 1000, "last_check_age_ms": 2000}'


@pytest.mark.parametrize("pulse", [Pulse(NOW - 10_001, NOW - 10_001), Pulse(None, None)])
async def test_health_is_503_when_the_last_sign_of_life_is_old(pulse: Pulse) -> None:
    async with pages(pulse=lambda: pulse) as get:
        status, _, text = await get("/healthz")
    assert status == 503
    assert '"ok": false' in text


async def test_a_board_that_cannot_be_read_is_one_plain_sentence() -> None:
    def broken() -> Board:
        raise OSError("disk full at /secret/path")

    async with pages(board=broken) as get:
        status, headers, text = await get("/")
    assert status == 503
    assert text.startswith("The board cannot be read now.")
    assert "secret" not in text
    assert "Content-Security-Policy" in headers


async def test_one_board_serves_all_who_ask_within_a_second() -> None:
    made: list[int] = []
    times = iter([NOW, NOW + 500, NOW + 60_000])

    def count() -> Board:
        made.append(1)
        return specimen()

    async with pages(board=count, clock=lambda: next(times)) as get:
        for _ in range(3):
            await get("/")
    assert len(made) == 2


async def test_the_style_sheet_has_both_themes_and_other_paths_are_404() -> None:
    async with pages() as get:
        status, headers, text = await get("/assets/board.css")
        assert (status, headers["Content-Type"]) == (200, "text/css; charset=utf-8")
        assert "prefers-color-scheme: dark" in text
        status, headers, text = await get("/assets/../pages.py")
        assert (status, text) == (404, "404: Not Found\n")
        assert "Content-Security-Policy" in headers
