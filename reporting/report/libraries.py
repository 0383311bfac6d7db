"""Are the system libraries there that WeasyPrint loads? Asked by ctypes, before a worker is started."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

LIBRARIES = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libharfbuzz.so.0",
    "libfontconfig.so.1",
    "libpangoft2-1.0.so.0",
)
SUBSETTER = "libharfbuzz-subset.so.0"  # without it WeasyPrint warns, and the bytes of a report differ
APT_LINE = "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class ReportError(Exception):
    """A report could not be made; the message says why and what to do."""


class PangoMissing(ReportError):
    """PDF reports need the system's Pango libraries."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"PDF reports need {', '.join(missing)}, not found on this machine; type: sudo {APT_LINE}")
        self.missing = tuple(missing)


def missing_libraries(names: Sequence[str] = (*LIBRARIES, SUBSETTER)) -> tuple[str, ...]:
    """Those of the named shared libraries that the dynamic loader does not find."""
    return tuple(name for name in names if not _loads(name))


def require_pango(names: Sequence[str] = (*LIBRARIES, SUBSETTER)) -> None:
    """Raises PangoMissing with the command to type."""
    if missing := missing_libraries(names):
        raise PangoMissing(missing)


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
