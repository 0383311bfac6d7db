"""One line per record on standard error: what the service manager stores, nothing that a server's text can break."""

from __future__ import annotations

import logging
import sys
import time

_CONTROL = dict.fromkeys((*range(32), 127), " ")


class OneLine(logging.Formatter):
    """`2026-11-23T22:55:01Z INFO nines.probe: text`; control characters of foreign text become spaces."""

    @staticmethod
    def converter(seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(_CONTROL)


def log_to_stderr(*, verbose: bool = False) -> None:
    """Send every logger's records to standard error, from INFO (DEBUG when verbose)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
