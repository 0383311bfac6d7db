"""`nines probe`: one attempt each, now, through the daemon's own path; nothing is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.endpoint import Endpoint
from ledger.opening import path_of
from nines.cli.output import format_option, print_json, say
from nines.cli.places import Place
from nines.clock import now_ms
from probes.attempt import Attempt, Certificate
from reporting.wording import at_zone

_PHASES = (
    *(("dns", "DNS"), ("tcp", "TCP"), ("tls", "TLS"), ("first_byte", "first byte"), ("body", "body")),
    *(("query", "query"), ("echo", "echo"), ("run", "run")),
)
_BAR_CELLS = 40
_SHOWN = 8


@click.command("probe")
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...")
@format_option("table", "json")
@click.pass_obj
def probe_command(place: Place, endpoints: tuple[str, ...], form: str) -> int:
    """Check the named endpoints (default: all) once, now, and show verdict, phases and certificate.

    Nothing is recorded; rates and address rules are the daemon's. Exit 1 when one is down or could not be looked at.

    \b
    nines probe                     all of them
    nines probe shop --format json  one, for a program; phases in microseconds
    """
    from nines.daemon.settings import hidden_from_commands, rates_of, revealer
    from probes.endpoint import target_of
    from probes.prober import probe_once

    config = place.load_config()
    asked = [endpoint for endpoint in config.endpoints.values() if endpoint.kind != "heartbeat"]
    chosen = [_find(config.endpoints, name) for name in endpoints] or asked
    if not chosen:
        raise click.ClickException(
            f"{place.config_path} names no endpoint that can be asked; write e.g. endpoints: {{site: https://example.org}}"
        )
    hidden = hidden_from_commands(config, path_of(place.database))
    reveal = revealer(config)
    targets = [target_of(endpoint, reveal) for endpoint in chosen]
    attempts = asyncio.run(probe_once(targets, clock=now_ms, rates=rates_of(config), hidden=hidden))
    if form == "json":
        print_json([_as_data(attempt) for attempt in attempts])
    else:
        for attempt in attempts:
            say(*_waterfall(attempt))
    return 1 if any(attempt.verdict in ("down", "unknown") for attempt in attempts) else 0


def _find(known: dict[str, Endpoint], name: str) -> Endpoint:
    if name in known and known[name].kind == "heartbeat":
        raise click.UsageError(f"{name} tells of itself; see what it last told with nines status")
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    raise click.UsageError(f"no endpoint is called {name}; {hint}")


def _as_data(attempt: Attempt) -> dict[str, Any]:
    data = asdict(attempt)
    data["phases_us"] = dict(attempt.phases_us)
    return data


def _waterfall(attempt: Attempt) -> Sequence[str]:
    """The verdict, then one bar per phase, each beginning where the one before ended."""
    reason = f"  {attempt.error}: {attempt.detail}" if attempt.error else ""
    took = f"  {attempt.latency_ms} ms" if attempt.latency_ms is not None else ""
    status = f"  status {attempt.status}" if attempt.status is not None else ""
    lines = [f"{attempt.endpoint}: {attempt.verdict.upper()}{status}{took}{reason}"]
    phases = dict(attempt.phases_us)
    whole_us = sum(phases.values()) or 1
    began_us = 0
    for key, label in _PHASES:
        if key in phases:
            lines.append(f"  {label:<11}{phases[key] / 1000:>9.1f} ms  {_bar(began_us, phases[key], whole_us)}")
            began_us += phases[key]
    lines += _findings(attempt)
    if attempt.certificate is not None:
        lines += _certificate_lines(attempt.certificate, at_ms=attempt.at_ms)
    return lines


def _findings(attempt: Attempt) -> Sequence[str]:
    """What was seen beside times and certificate; a line each, and none for what there is not."""
    figures = ", ".join(f"{one.label}={one.value}{one.unit}" for one in attempt.measures)
    found = {
        "address": attempt.address or "",
        "TLS": (attempt.tls_version or "").removeprefix("TLSv"),
        "answers": ", ".join(attempt.answers[:_SHOWN]) + (" ..." if len(attempt.answers) > _SHOWN else ""),
        "figures": figures,
    }
    lines = [f"  {label:<11}{text}" for label, text in found.items() if text]
    return [*lines, *(f"  note       {note}" for note in attempt.notes)]


def _certificate_lines(shown: Certificate, *, at_ms: int) -> Sequence[str]:
    """Whose it is and who vouches for it, and above all how long it is good."""
    days = (shown.not_after_ms - at_ms) // 86_400_000
    ends = f"{days} days left" if days >= 0 else f"ended {-days} days ago"
    names = ", ".join(shown.names[:5]) + (f" and {len(shown.names) - 5} more" if len(shown.names) > 5 else "")
    return [
        f"  certificate for {names or shown.subject}",
        f"    valid     {_day(shown.not_before_ms)} to {_day(shown.not_after_ms)}, {ends}",
        f"    issuer    {shown.issuer}",
        f"    SHA-256   {shown.sha256}",
        "    revocation is not checked",
    ]


def _day(at_ms: int) -> str:
    return f"{at_zone(at_ms, ZoneInfo('UTC')):%Y-%m-%d %H:%M} UTC"


def _bar(began_us: int, length_us: int, whole_us: int) -> str:
    start = began_us * _BAR_CELLS // whole_us
    end = max(start + 1, (began_us + length_us) * _BAR_CELLS // whole_us)
    return " " * start + "█" * (end - start)
