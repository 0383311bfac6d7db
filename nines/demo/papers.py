"""The papers of the sample month: each client's report and finance's list of credits, by the product's own makers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ledger.store import open_ledger
from nines.demo.month import Sample
from reporting.credits import CreditRow, as_csv, credit_rows
from reporting.report import DailyLatency, render_report
from reporting.response_times import response_times
from reporting.statements import build_all
from sla.statement import Statement

Job = tuple[Statement, Mapping[str, Sequence[DailyLatency]]]


@dataclass(frozen=True, slots=True)
class Papers:
    """What was written. `reports` are the PDFs in the order of the statements, `rows` the lines of `credits`."""

    reports: tuple[Path, ...]
    credits: Path
    rows: tuple[CreditRow, ...]


def make_papers(sample: Sample, out: Path) -> Papers:
    """Write the PDFs and the CSV into `out`. Raises ReportError where a PDF cannot be made on this machine."""
    period = sample.month.label
    with open_ledger(sample.database, at_ms=sample.as_of_ms) as ledger:
        made = build_all(ledger, period, now_ms=sample.as_of_ms, version=metadata.version("nines"))
        jobs = [(statement, response_times(ledger, statement)) for statement in made]
    rows = credit_rows(made, period=period)
    register = out / f"sample-credits-{period}.csv"
    register.write_text(as_csv(rows), newline="")
    return Papers(tuple(_reports(jobs, out, period)), register, rows)


def _reports(jobs: Sequence[Job], out: Path, period: str) -> Iterator[Path]:
    """Two at a time: each is drawn by a process of its own."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        for (statement, _), pdf in zip(jobs, pool.map(_draw, jobs), strict=True):
            path = out / f"{statement.client['id']}-{period}.pdf"
            path.write_bytes(pdf)
            yield path


def _draw(job: Job) -> bytes:
    statement, latency = job
    return render_report(statement, latency=latency, sample=True)
