"""The web pages: the board, written whole by the server, and `/healthz`. No scripts, nothing from other hosts.

Whoever assembles the process hands in where the board comes from, the clock and the daemon's pulse.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from importlib import resources
from itertools import groupby

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from reporting.board import Board, stale_warning
from reporting.page_parts import BUCKET_WORDS, Parts, lead_parts
from reporting.pulse import Pulse

__all__ = ["Pulse", "make_app"]

log = logging.getLogger("nines.pages")

STALE_AFTER_MS = 10_000
REFRESH_S = 15
FRESH_MS = 1_000  # one board serves everybody who asks within this time,
SHARE_OF_TIME = 5  # or within five times as long as it takes to make one
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(*, board: Callable[[], Board], pulse: Callable[[], Pulse], clock: Callable[[], int]) -> web.Application:
    """The application. `board` and `pulse` may read a database: they are called in a thread, one at a time."""
    app = web.Application(middlewares=[_guard])
    pages = _Pages(board=board, pulse=pulse, clock=clock)
    app.router.add_get("/", pages.show_board)
    app.router.add_get("/healthz", pages.show_health)
    app.router.add_get("/assets/board.css", pages.show_style)
    return app


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The same headers on everything; a fault is one plain sentence to the reader and a traceback to the log."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = web.Response(status=error.status, text=f"{error.status}: {error.reason}\n", headers=_kept(error))
    except Exception:
        log.exception("a page could not be written")
        words = "The board cannot be read now. Recording goes on; the daemon's log says why. Reload in a moment.\n"
        response = web.Response(status=503, text=words)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


class _Pages:
    def __init__(self, *, board: Callable[[], Board], pulse: Callable[[], Pulse], clock: Callable[[], int]) -> None:
        self._board, self._pulse, self._clock = board, pulse, clock
        self._page = ""
        self._until_ms: int | None = None
        self._kept_ms = FRESH_MS
        self._making, self._feeling = asyncio.Lock(), asyncio.Lock()
        self._style = resources.files("reporting").joinpath("assets/board.css").read_text()
        self._environment = Environment(
            loader=PackageLoader("reporting", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def show_board(self, request: web.Request) -> web.Response:
        async with self._making:
            now_ms = self._clock()
            if self._until_ms is None or not 0 < self._until_ms - now_ms <= self._kept_ms:
                began = asyncio.get_running_loop().time()
                self._page = await asyncio.to_thread(self._write)
                took_ms = int((asyncio.get_running_loop().time() - began) * 1000)
                self._kept_ms = max(FRESH_MS, SHARE_OF_TIME * took_ms)
                self._until_ms = now_ms + self._kept_ms
        return web.Response(text=self._page, content_type="text/html")

    def _write(self) -> str:
        return self._render(self._board())

    def _render(self, board: Board) -> str:
        parts = Parts(board)
        template = self._environment.get_template("board.html")
        return template.render(
            board=board,
            groups=[(bucket, list(rows)) for bucket, rows in groupby(board.rows, key=lambda row: row.bucket)],
            lead_parts=lead_parts(board),
            stale=stale_warning(board),
            bucket_words=BUCKET_WORDS,
            refresh_s=REFRESH_S,
            style_url=f"/assets/board.css?{hashlib.sha256(self._style.encode()).hexdigest()[:12]}",
            **parts.functions(),
        )

    async def show_health(self, request: web.Request) -> web.Response:
        """200 while the daemon lives, 503 when its last sign of life is older than 10 s. Ages in ms, null for never."""
        async with self._feeling:
            pulse = await asyncio.to_thread(self._pulse)
        now_ms = self._clock()
        life_age = None if pulse.stamp_ms is None else now_ms - pulse.stamp_ms
        alive = life_age is not None and life_age <= STALE_AFTER_MS
        body = {
            "ok": alive,
            "life_age_ms": life_age,
            "last_check_age_ms": None if pulse.last_check_ms is None else now_ms - pulse.last_check_ms,
        }
        return web.json_response(body, status=200 if alive else 503)

    async def show_style(self, request: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=86400"}
        return web.Response(text=self._style, content_type="text/css", headers=headers)
