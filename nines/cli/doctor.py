"""`nines doctor`: which config and ledger are used, and what this machine lacks."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import sys
import zoneinfo
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Literal

import click

from ledger.errors import NoDatabase
from nines.cli.errors import lines_for
from nines.cli.output import format_option, print_json, say
from nines.cli.places import Place
from reporting.report.libraries import missing_libraries

State = Literal["ok", "missing", "bad"]


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
    """Show which config and ledger are used and what is missing or bad. Exit 1 when something is.

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
    return 1 if any(finding.state != "ok" for finding in findings) else 0


def _findings(place: Place) -> Iterator[Finding]:
    yield Finding("nines", "ok", f"{metadata.version('nines')}, Python {sys.version.split()[0]}")
    yield _config(place)
    yield _ledger(place)
    yield Finding("SQLite", "ok", sqlite3.sqlite_version)
    yield _zones()
    yield _pango()
    yield _certificates()


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
