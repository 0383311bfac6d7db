"""The first act: one server fails, one answers slowly, one goes down inside an announced window; the daemon watches."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path

from nines.clock import now_ms
from nines.demo.daemon import DaemonDied
from nines.demo.mailbox import Mail
from nines.demo.stage import Stage, set_up
from nines.demo.view import View
from nines.demo.watching import Watching

WINDOW_IN_MS = 3_000  # from entering the window to its start
WINDOW_S = 7


async def play_live(folder: Path, view: View) -> Sequence[Mail]:
    """About half a minute. The alerts that came in, oldest first.

    Raises DaemonDied where the daemon ends by itself; leaves nothing running in any case.
    """
    first_day = datetime.fromtimestamp(now_ms() / 1000, UTC).strftime("%Y-%m-%d")
    async with set_up(folder, first_day=first_day, on_mail=lambda mail: _tell(view, mail)) as stage:
        view.news("Three servers answer on 127.0.0.1; the daemon looks at each once a second.")
        watching = Watching(stage)
        await watching.first_checks()
        await _together(_script(stage, view), watching.show(view))
        view.news("SIGTERM: the daemon stops cleanly.")
        code = await stage.daemon.stop()
        if code:
            raise DaemonDied(code, folder / "daemon.log")
        return stage.mailbox.mails


async def _script(stage: Stage, view: View) -> None:
    await asyncio.sleep(1.5)
    view.news("Checkout answers 500 from now on.")
    await stage.checkout.behave("failing")
    await asyncio.sleep(4)
    view.news("Search takes 600 ms from now on; 300 ms are agreed.")
    await stage.search.behave("slow")
    await asyncio.sleep(3)
    view.news("Checkout is mended.")
    await stage.checkout.behave("well")
    await asyncio.sleep(3)
    view.news("Search is mended.")
    await stage.search.behave("well")
    await _maintenance(stage, view)


async def _maintenance(stage: Stage, view: View) -> None:
    """A window entered just before it begins, and downtime inside it."""
    start_ms = (now_ms() + WINDOW_IN_MS) // 1000 * 1000
    stage.announce(start_ms=start_ms, seconds=WINDOW_S)
    view.news(f"nines.yaml gains a window for the Stock feed, {WINDOW_S} s long; SIGHUP to the daemon.")
    await _until(start_ms + 1_500)
    view.news("Stock feed is down, inside its window.")
    await stage.stock.behave("down")
    await asyncio.sleep(4)
    view.news("Stock feed is back, before the window ends.")
    await stage.stock.behave("well")
    await _until(start_ms + WINDOW_S * 1000 + 1_500)


async def _until(at_ms: int) -> None:
    await asyncio.sleep(max(0, at_ms - now_ms()) / 1000)


def _tell(view: View, mail: Mail) -> None:
    view.news(f"Mail at the sink, to {', '.join(mail.recipients)}: {mail.subject}")


async def _together(script: Coroutine[None, None, None], watch: Coroutine[None, None, None]) -> None:
    """Both at once until the first is through; what fails in either is raised here."""
    tasks = [asyncio.create_task(script), asyncio.create_task(watch)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
