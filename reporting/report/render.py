"""From a statement to the bytes of its PDF, through a worker process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from reporting.report import latency as latency_
from reporting.report import libraries
from reporting.report.attachment import NAME, statement_bytes
from reporting.report.dates import period_key
from reporting.report.fonts import FONTCONFIG
from reporting.report.libraries import ReportError
from reporting.report.page import Brand, document
from reporting.report.reading import read
from sla.statement import Statement

WORKER = (sys.executable, "-P", "-m", "reporting.report.worker")


class WorkerFailed(ReportError):
    """The report worker ended without a PDF; the last line it wrote is part of the message."""


def render_report(
    statement: Statement,
    *,
    latency: latency_.Latency | None = None,
    sample: bool = False,
    brand: Brand | None = None,
    timeout_s: float = 120,
    worker: Sequence[str] = WORKER,
) -> bytes:
    """A tagged PDF/A-3a with statement.json attached, byte for byte the same for the same input.

    `latency` holds the days of each service for the response time chart; `sample` marks every page as invented.
    Raises PangoMissing where the system libraries are not there, WorkerFailed where no PDF came in `timeout_s`.
    """
    libraries.require_pango()
    return rendered(job_of(statement, latency=latency, sample=sample, brand=brand or Brand()), worker, timeout_s)


def job_of(
    statement: Statement, *, latency: latency_.Latency | None = None, sample: bool = False, brand: Brand
) -> dict[str, Any]:
    """All that the worker is told: HTML, pictures, chart data, and the attachment; nothing of it is a path."""
    facts = statement_bytes(statement)
    page = read(statement)
    digest = sha256(facts).hexdigest()
    made = document(page, sha256=digest, latency_=latency, sample=sample, brand=brand)
    return {
        "html": made.html,
        "pictures": made.pictures,
        "charts": latency_.chart_jobs(page, latency),
        "attachment": {"name": NAME, "text": facts.decode(), "at_ms": statement.as_of_ms},
        "identifier": digest[:32],
    }


def report_filename(statement: Statement, *, sample: bool = False) -> str:
    """`SLA-2026-000123.pdf`, before it has a number `acme-acme-api-2026-10-draft.pdf`; letters of no risk only.

    A sample ends in `-sample.pdf`, whatever its state.
    """
    if statement.number and not sample:
        return f"{_plain(statement.number)}.pdf"
    client, contract = statement.client.get("id") or "client", statement.contract.get("id") or ""
    state = "sample" if sample else statement.state.lower()
    page = read(statement)
    parts = (client, contract, period_key(page.calendar, page.from_ms, page.to_ms), state)
    return "-".join(_plain(str(part)) for part in parts if part) + ".pdf"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._-") or "statement"


def rendered(job: dict[str, Any], worker: Sequence[str], timeout_s: float) -> bytes:
    """The worker's answer to a job. Raises WorkerFailed."""
    with tempfile.TemporaryDirectory(prefix="nines-report-") as scratch:
        try:
            done = subprocess.run(
                worker,
                input=json.dumps(job).encode(),
                capture_output=True,
                timeout=timeout_s,
                env=_environment(scratch),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise WorkerFailed(f"the report worker made no PDF within {timeout_s:g} s") from None
    if done.returncode or not done.stdout.startswith(b"%PDF"):
        raise WorkerFailed(f"the report worker failed (exit {done.returncode}): {_last_line(done.stderr)}")
    return done.stdout


def _environment(scratch: str) -> dict[str, str]:
    """The worker sees the bundled fonts and a scratch folder for caches, and no secret of the daemon's."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "MPLCONFIGDIR")
        if name in os.environ
    }
    return {
        "MPLCONFIGDIR": scratch,
        **kept,
        "HOME": scratch,
        "XDG_CACHE_HOME": scratch,
        "FONTCONFIG_FILE": str(FONTCONFIG),
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
    }


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
