"""`nines doctor`: which config and ledger are used, and what this machine lacks."""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
import sys
import zoneinfo
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import click

from ledger.backup import last_backup_ms
from ledger.copying import size_of
from ledger.errors import LedgerError, NoDatabase
from ledger.opening import path_of
from ledger.soundness import check_file
from nines.cli.errors import lines_for
from nines.cli.output import format_option, print_json, say
from nines.cli.places import Place
from nines.clock import now_ms
from probes.confine import landlock_version
from reporting.report.libraries import missing_libraries

_DAY_MS = 86_400_000
_OLD_DAYS = 7
_LARGE_LOG = 64 << 20
State = Literal["ok", "warning", "missing", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its state, what was found, and what to do where something is missing."""

    subject: str
    state: State
    found: str
    advice: str = ""


@click.command("doctor")
@format_option("table", "json")
@click.pass_obj
def doctor_command(place: Place, form: str) -> int:
    """Show which config and ledger are used and what is missing or bad. Exit 1 when something is; a warning alone is 0.

    \b
    nines doctor
    nines --config /etc/nines/nines.yaml --db /var/lib/nines/nines.db doctor --format json
    """
    findings = list(_findings(place))
    if form == "json":
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{finding.state:<8}{finding.subject:<13}{finding.found}")
            if finding.advice:
                say(f"{'':<21}do: {finding.advice}")
    return 1 if any(finding.state in ("missing", "bad") for finding in findings) else 0


def _findings(place: Place) -> Iterator[Finding]:
    yield Finding("nines", "ok", f"{metadata.version('nines')}, Python {sys.version.split()[0]}")
    yield _config(place)
    yield _ledger(place)
    yield from _ledger_file(place)
    yield Finding("SQLite", "ok", sqlite3.sqlite_version)
    yield _zones()
    yield _pango()
    yield _certificates()
    yield from _commands(place)


def _config(place: Place) -> Finding:
    try:
        config = place.load_config()
    except Exception as error:
        return _failed("config", error, "" if place.config_path.exists() else "nines init")
    return Finding("config", "ok", f"{place.config_path}: {len(config.endpoints)} endpoints")


def _ledger(place: Place) -> Finding:
    try:
        with place.open_ledger() as ledger:
            return Finding("ledger", "ok", f"{place.database} (ledger {ledger.id})")
    except Exception as error:
        return _failed("ledger", error, "nines config apply" if isinstance(error, NoDatabase) else "")


def _ledger_file(place: Place) -> Iterator[Finding]:
    """What can be known of the file without opening it, and when it was last backed up."""
    path = path_of(place.database)
    if not path.is_file():
        return
    for found in check_file(path):
        yield Finding(found.subject, found.state, found.found, found.advice)
    yield _room(path)
    yield _backup(place)


def _commands(place: Place) -> Iterator[Finding]:
    """Whether programs that check can be kept out of the ledger and the secrets; nothing where there are none."""
    try:
        wanted = any(endpoint.kind == "exec" for endpoint in place.load_config().endpoints.values())
    except Exception:
        return  # said above
    if not wanted:
        return
    if version := landlock_version():
        yield Finding("commands", "ok", f"confined by Landlock (version {version})")
    else:
        yield Finding("commands", "warning", "this kernel has no Landlock: they may read the ledger", "a newer kernel")


def _room(path: Path) -> Finding:
    """A migration or a restore needs a copy; a log that only grows says that some reader never ends."""
    size, log = path.stat().st_size, size_of(path) - path.stat().st_size
    free = shutil.disk_usage(path.parent).free
    found = f"{_mib(free)} free; the ledger takes {_mib(size)}, its log {_mib(log)}"
    if free < size:
        return Finding("room", "warning", found, "free some: a copy of the ledger would not fit")
    if log > max(size, _LARGE_LOG):
        return Finding("room", "warning", found, f"look for a program that never ends reading: fuser {path}")
    return Finding("room", "ok", found)


def _mib(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB"


def _backup(place: Place) -> Finding:
    """Only backups by `nines db backup` are known; there are other ways to make them."""
    try:
        with place.open_ledger() as ledger:
            made_ms = last_backup_ms(ledger)
    except LedgerError:
        return Finding("backup", "ok", "not known while the ledger cannot be opened")
    if made_ms is None:
        return Finding("backup", "warning", "none was made by `nines db backup`", "nines db backup FILE")
    age_days = (now_ms() - made_ms) // _DAY_MS
    found = f"the last one was made {age_days} days ago"
    if age_days > _OLD_DAYS:
        return Finding("backup", "warning", found, "nines db backup FILE")
    return Finding("backup", "ok", found)


def _failed(subject: str, error: Exception, advice: str) -> Finding:
    """A file that is missing, with `advice` how to make it; one that is there but bad says itself what to do."""
    lines = lines_for(error)
    if lines is None:
        raise error
    found = lines[0].removeprefix("nines: ")
    return Finding(subject, "missing" if advice else "bad", found, advice)


def _zones() -> Finding:
    try:
        zoneinfo.ZoneInfo("Europe/Berlin")
    except zoneinfo.ZoneInfoNotFoundError:
        return Finding("time zones", "missing", "no zone files", "pip install tzdata")
    return Finding("time zones", "ok", f"tzdata {metadata.version('tzdata')}")


def _pango() -> Finding:
    lacking = missing_libraries()
    if lacking:
        advice = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        return Finding("PDF", "missing", f"only reports need it: {', '.join(lacking)}", advice)
    return Finding("PDF", "ok", f"Pango {_pango_version()}, WeasyPrint {metadata.version('weasyprint')}")


def _pango_version() -> str:
    pango = ctypes.CDLL("libpango-1.0.so.0")
    pango.pango_version_string.restype = ctypes.c_char_p
    return bytes(pango.pango_version_string()).decode()


def _certificates() -> Finding:
    import ssl

    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and os.path.isdir(paths.capath) and os.listdir(paths.capath)):
        return Finding("trusted CAs", "ok", paths.cafile or paths.capath)
    return Finding("trusted CAs", "missing", "https checks would all fail", "apt-get install ca-certificates")
