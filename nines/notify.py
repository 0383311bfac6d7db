"""What systemd is told (sd_notify, Type=notify): READY, WATCHDOG, STOPPING, RELOADING, STATUS.

Without NOTIFY_SOCKET every call does nothing. A lost message is no error: the service manager has its own timeouts.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Mapping


def notify(*assignments: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send assignments such as `READY=1` as one datagram; True when the service manager's socket took it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # Linux's abstract names
    message = "\n".join(assignments).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)  # a full queue must not hold up the loop
        try:
            return channel.sendto(message, address) == len(message)
        except OSError:
            return False


def reloading(*, environ: Mapping[str, str] = os.environ) -> bool:
    """RELOADING=1 with the monotonic instant that systemd 253 and later compare; READY=1 ends it."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", environ=environ)


def status(text: str, *, environ: Mapping[str, str] = os.environ) -> bool:
    """The line that `systemctl status` shows; line breaks would begin a new assignment and become spaces."""
    return notify("STATUS=" + " ".join(text.split()), environ=environ)


def watchdog_every_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds between WATCHDOG=1 messages, half of what the unit allows; None when no watchdog is set.

    WATCHDOG_PID is not compared: the unit starts the supervisor, and the watchdog is its probe child's.
    """
    allowed_us = environ.get("WATCHDOG_USEC", "")
    if not allowed_us.isascii() or not allowed_us.isdigit() or int(allowed_us) == 0:
        return None
    return int(allowed_us) / 2_000_000


async def feed_watchdog() -> None:
    """Tell systemd twice per allowed time that this loop still turns; without a watchdog, nothing."""
    every_s = watchdog_every_s()
    while every_s is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every_s)
