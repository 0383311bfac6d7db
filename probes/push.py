"""The routes on which jobs are heard: `POST /push/ENDPOINT[/start|/success|/fail]` with the endpoint's token.

The token comes as `Authorization: Bearer TOKEN`, or as `?token=` for clients that send no headers. A GET is heard only
where the endpoint allows it, for links get opened by programs that nobody asked to. An endpoint that does not exist
and a wrong token are answered alike. Bodies are read up to a cap and dropped. Each word may write records, so whoever
says more of them than the fastest job has to say is told to wait.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from aiohttp import web

from probes.heartbeat import WORDS, Door, Word, knows, token_hash

MAX_BODY_BYTES = 10_000
EVERY_S = 0.5  # from one word to the next, on average: a job may run each second, and tells its start and its end
BURST = 20  # words at once
NOBODY = token_hash("")  # compared with where there is no such endpoint, so that the answer takes as long


Doors = Callable[[], Mapping[str, Door]]
Hear = Callable[[str, Word], None]


def push_routes(doors: Doors, hear: Hear) -> list[web.RouteDef]:
    """Routes for the listener of heartbeats. `doors` is asked anew each time; `hear` gets what was proved."""
    pace = _Pace()

    async def told(request: web.Request) -> web.Response:
        name, word = request.match_info["endpoint"], _word(request.match_info.get("word", "success"))
        door = doors().get(name)
        proved = knows(_token(request), door.hashed if door else NOBODY)
        if door is None or not proved:
            return _answer(401, "no endpoint of this name is told of with this token")
        if word is None:
            return _answer(404, f"say {', '.join(WORDS[:-1])} or {WORDS[-1]}")
        if request.method != "POST" and not door.allow_get:
            return _answer(405, "send a POST; a GET is heard with allow_get: true", headers={"Allow": "POST"})
        if wait_s := pace.wait_s(name):
            return _answer(429, f"too many words; wait {wait_s} s", headers={"Retry-After": str(wait_s)})
        if not await _drop_body(request):
            return _answer(413, f"a body may have {MAX_BODY_BYTES} bytes; leave it out, it is not kept")
        hear(name, word)
        return _answer(200, "heard")

    paths = ("/push/{endpoint}", "/push/{endpoint}/{word}")
    return [web.route(method, path, told) for path in paths for method in ("POST", "GET")]


def _word(text: str) -> Word | None:
    return next((word for word in WORDS if word == text), None)


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query.get("token", "")


async def _drop_body(request: web.Request) -> bool:
    """Read the body and forget it; False for one beyond the cap."""
    read = 0
    async for chunk in request.content.iter_any():
        read += len(chunk)
        if read > MAX_BODY_BYTES:
            return False
    return True


def _answer(status: int, text: str, *, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers={"Cache-Control": "no-store", **(headers or {})})


class _Pace:
    """Of each endpoint's words: one each `EVERY_S` on average, `BURST` of them at once."""

    def __init__(self) -> None:
        self._paid_until_s: dict[str, float] = {}  # each word pays for `EVERY_S`, ahead of time in a burst

    def wait_s(self, endpoint: str) -> int:
        """0 where a word may be said, which then counts; else after how many whole seconds it may."""
        now_s = time.monotonic()
        paid_s = max(self._paid_until_s.get(endpoint, now_s), now_s) + EVERY_S
        if (over_s := paid_s - now_s - BURST * EVERY_S) > 0:
            return math.ceil(over_s)
        self._paid_until_s[endpoint] = paid_s
        return 0
