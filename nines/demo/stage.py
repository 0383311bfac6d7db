"""The stage of the first act: three servers, a mail sink, a config, and the daemon that watches them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from string import Template

from nines.demo.daemon import DaemonChild
from nines.demo.mailbox import Mail, Mailbox
from nines.demo.servers import DemoServer, HeldPort, throwaway_tls

WINDOW = """
maintenance:
  stock-update: {{title: Stock feed update, for: [stock], start: "{start}", until: "{until}"}}
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything of the first act, running."""

    config: Path
    database: Path
    checkout: DemoServer
    search: DemoServer
    stock: DemoServer
    mailbox: Mailbox
    daemon: DaemonChild

    def announce(self, *, start_ms: int, seconds: int) -> None:
        """Enter a maintenance window of the stock feed in the config and tell the daemon to read it again."""
        start = datetime.fromtimestamp(start_ms // 1000, UTC)
        until = start + timedelta(seconds=seconds)
        with self.config.open("a") as config:
            config.write(WINDOW.format(start=f"{start:%F %T}", until=f"{until:%F %T}"))
        self.daemon.reload()


@contextlib.asynccontextmanager
async def set_up(folder: Path, *, first_day: str, on_mail: Callable[[Mail], None]) -> AsyncIterator[Stage]:
    """Start everything in `folder`; whatever happens inside, all of it is stopped again, the daemon first."""
    async with contextlib.AsyncExitStack() as ends:
        ca_file = folder / "throwaway-ca.pem"
        servers = [DemoServer(tls=throwaway_tls(ca_file)), DemoServer(), DemoServer()]
        for server in servers:
            ends.push_async_callback(server.stop)
            await server.start()
        mailbox = Mailbox(folder / "mails", on_mail)
        ends.push_async_callback(mailbox.stop)
        await mailbox.start()
        web = ends.enter_context(contextlib.closing(HeldPort()))
        checkout, search, stock = servers
        values = {
            "checkout_url": checkout.url,
            "search_url": search.url,
            "stock_url": stock.url,
            "ca_file": ca_file,
            "mail_port": mailbox.port,
            "web_port": web.number,
            "first_day": first_day,
        }
        config = _write_config(folder / "nines.yaml", values)
        daemon = DaemonChild(config=config, database=folder / "nines.db", log=folder / "daemon.log")
        ends.push_async_callback(daemon.stop)
        await daemon.start()
        yield Stage(config, folder / "nines.db", checkout, search, stock, mailbox, daemon)


def _write_config(path: Path, values: dict[str, object]) -> Path:
    text = resources.files("nines.demo").joinpath("live.yaml").read_text()
    path.write_text(Template(text).substitute(values))
    path.chmod(0o600)
    return path
