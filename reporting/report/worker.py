"""The report worker: a job as JSON on standard input, a PDF on standard output.

It alone imports WeasyPrint and matplotlib, so that neither their size nor a crash of theirs reaches the caller.
Job: {"html", "pictures": {name: svg}, "charts": [...], "attachment": {"name", "text", "at_ms"}, "identifier"}.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import weasyprint
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from reporting.report.fonts import FONTS


class Pictures(URLFetcher):  # type: ignore[misc]  # weasyprint ships no types
    """The only things a document may name: pictures that came with the job, as `asset:NAME`."""

    def __init__(self, pictures: Mapping[str, str]) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)
        self._pictures = pictures

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        scheme, _, name = url.partition(":")
        if scheme != "asset" or name not in self._pictures:
            raise FatalURLFetchingError(f"a report names nothing outside itself: {url[:80]}")
        return URLFetcherResponse(url, self._pictures[name], {"Content-Type": "image/svg+xml"})


def render(job: Mapping[str, Any]) -> bytes:
    """The PDF/A-3a of a job. The same job gives the same bytes on one set of library versions."""
    pictures = dict(job["pictures"])
    if job["charts"]:
        from reporting.report import charts  # 0.7 s: a report without response times does not pay for it

        pictures |= charts.draw(job["charts"], FONTS)
    fetcher = Pictures(pictures)
    html = weasyprint.HTML(string=job["html"], base_url="asset:", url_fetcher=fetcher)
    pdf: bytes = html.write_pdf(
        pdf_variant="pdf/a-3a",
        pdf_identifier=job["identifier"].encode(),
        attachments=[_attachment(job["attachment"], fetcher)],
    )
    return pdf


def _attachment(file: Mapping[str, Any], fetcher: Pictures) -> weasyprint.Attachment:
    at = datetime.fromtimestamp(file["at_ms"] // 1000, UTC)
    return weasyprint.Attachment(
        string=file["text"],
        name=file["name"],
        description="The statement with every fact behind its figures, canonical JSON",
        relationship="Data",
        created=at,
        modified=at,
        url_fetcher=fetcher,
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(render(json.load(sys.stdin)))
