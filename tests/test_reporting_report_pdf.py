"""The PDF as a reader's programs see it: text, pages, tags, attachment; and what happens when it cannot be made."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pypdf
import pytest
from reporting_report_sample import at, outage, service, statement

from reporting.report import DailyLatency, PangoMissing, WorkerFailed, libraries, render, render_report
from reporting.report.page import Brand
from sla.canonical import as_json, canonical, from_json

DAYS = tuple(DailyLatency(date(2026, 10, day), 80 + day, 150 + day, 400 + 7 * day) for day in range(1, 32))
BUNDLED = (
    "SourceSansPro",
    "Source-Sans-Pro",
    "SourceSerifPro",
    "Source-Serif-Pro",
    "JetBrains",
    "NotoSans",
    "Noto-Sans",
)


def plain(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").split())


def rendered_specimen() -> bytes:
    """The specimen as an unissued sample, with a chart."""
    return render_report(statement(state="DRAFT", number=None), latency={"api": DAYS, "edi": DAYS}, sample=True)


@pytest.fixture(scope="module")
def specimen() -> bytes:
    return rendered_specimen()


@pytest.fixture(scope="module")
def pdf(specimen: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(specimen))


def test_the_figures_are_read_back_from_the_text(pdf: pypdf.PdfReader) -> None:
    text = plain(" ".join(page.extract_text() for page in pdf.pages))
    for expected in (
        "Order API missed its target: 99.871 % against 99.9 %.",
        "A service credit of EUR 500.00 is due.",
        "10:17:30 – 11:04:04",
        "08:17:30 – 09:04:04 UTC",
        "742:33:00",
        "99.871164… %",
        "EUR 5 000.00 × 0.10 = EUR 500.00.",
        "1–31 October 2026, 745 h",
    ):
        assert expected in text


def test_every_page_of_a_sample_says_so_and_every_page_is_numbered(pdf: pypdf.PdfReader) -> None:
    for number, page in enumerate(pdf.pages, 1):
        text = plain(page.extract_text())
        assert "SAMPLE, invented data" in text
        assert f"Page {number} of {len(pdf.pages)}" in text
        assert number == 1 or "DRAFT" in text


def test_the_statement_is_attached_and_has_the_printed_hash(pdf: pypdf.PdfReader) -> None:
    (facts,) = pdf.attachments["statement.json"]
    of = statement(state="DRAFT", number=None)
    assert facts == canonical(as_json(of))
    assert from_json(json.loads(facts)) == of
    digest = sha256(facts).hexdigest()
    text = plain(" ".join(page.extract_text() for page in pdf.pages))
    assert " ".join(digest[at : at + 8] for at in range(0, 32, 8)) in text
    assert f"statement {digest[:8]}…" in text


def test_the_document_has_title_and_language_and_declares_pdf_a_3a(pdf: pypdf.PdfReader) -> None:
    root = pdf.root_object
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Service level statement, Sample Client, October 2026 (SAMPLE)"
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]
    metadata = root["/Metadata"].get_object().get_data().decode()  # type: ignore[attr-defined]
    assert "part" in metadata
    assert re.search(r"pdfaid:part(=.|>)3", metadata)
    assert re.search(r"pdfaid:conformance(=.|>)A", metadata)


def elements(node: Any) -> Iterator[dict[str, Any]]:
    """Every element of the tree of tags."""
    node = node.get_object() if hasattr(node, "get_object") else node
    for child in node if isinstance(node, list) else [node]:
        child = child.get_object() if hasattr(child, "get_object") else child
        if isinstance(child, dict):
            yield child
            yield from elements(child.get("/K", []))


def test_headings_tables_and_pictures_are_tagged(pdf: pypdf.PdfReader) -> None:
    tags = list(elements(pdf.root_object["/StructTreeRoot"]))
    kinds = [str(tag.get("/S")) for tag in tags]
    assert kinds.count("/H1") == 1
    assert {"/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(kinds)
    told = [str(tag["/Alt"]) for tag in tags if tag.get("/S") == "/Figure"]
    assert plain(told[0]) == "Order API used 128.9 % of its allowed downtime, 12 min 51 s over."
    assert "the highest p99 was 617 ms on 31 October" in plain(told[-1])


def test_only_bundled_fonts_are_embedded(pdf: pypdf.PdfReader) -> None:
    names = {
        str(font.get_object()["/BaseFont"]).split("+")[-1]
        for page in pdf.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert names
    assert all(name.startswith(BUNDLED) for name in names), names


def test_two_renderings_are_the_same_bytes(specimen: bytes) -> None:
    assert rendered_specimen() == specimen


def test_charts_of_one_day_of_a_quarter_and_of_no_time_at_all() -> None:
    quarter = [DailyLatency(date(2026, 10, 1) + timedelta(days=n), n % 7 or None, 900, 90_000) for n in range(92)]
    latency = {"One day": DAYS[:1], "Quarter": quarter, "Instant": [DailyLatency(day.day, 0, 0, 0) for day in DAYS]}
    read = pypdf.PdfReader(io.BytesIO(render_report(statement(service("api", "A", "99.9")), latency=latency)))
    text = " ".join(page.extract_text() for page in read.pages)
    assert all(title in text for title in latency)


def test_hostile_text_is_printed_as_it_is() -> None:
    name = "<script>alert(1)</script> {{ 7*7 }} " + "Donaudampfschifffahrtsgesellschaft" * 3
    down = replace(outage("O-1", at("10-06 10:17:30") + 250, at("10-06 11:04:04") + 125), text="<img src=x> {% raw %}")
    services = (
        service("a", name, "99.9", (down,)),
        service("b", "خدمة الطلبات", "99.9"),
        service("c", "\u202eevil", None),
    )
    read = pypdf.PdfReader(io.BytesIO(render_report(statement(*services))))
    text = plain(" ".join(page.extract_text() for page in read.pages))
    for expected in (
        "<script>alert(1)</script> {{ 7*7 }}",
        "<img src=x> {% raw %}",
        "10:17:30.250 – 11:04:04.125",
        "[U+202E]evil",
    ):
        assert expected in text


def test_a_worker_refuses_a_file_of_the_machine() -> None:
    job = render.job_of(statement(service("a", "A", "99.9")), brand=Brand())
    job["html"] = "<img src='file:///etc/hostname'>"
    with pytest.raises(WorkerFailed, match="names nothing outside itself"):
        render.rendered(job, render.WORKER, timeout_s=60)


@pytest.mark.parametrize(
    "reference",
    ["http://127.0.0.1:9/x.png", "ftp://127.0.0.1/x", "data:image/svg+xml,<svg/>", "asset:other.svg", "x.svg"],
)
def test_what_did_not_come_with_the_job_is_not_fetched(reference: str) -> None:
    from weasyprint.urls import FatalURLFetchingError  # here, for this test alone loads WeasyPrint

    from reporting.report.worker import Pictures

    with pytest.raises(FatalURLFetchingError, match="names nothing outside itself"):
        Pictures({"bar.svg": "<svg/>"}).fetch(reference)


def test_a_worker_that_dies_is_told_by_its_last_line() -> None:
    dying = (sys.executable, "-c", "import sys; sys.exit('the last line')")
    with pytest.raises(WorkerFailed, match=r"exit 1\): the last line"):
        render_report(statement(), worker=dying)


def test_a_worker_that_hangs_is_ended() -> None:
    hanging = (sys.executable, "-c", "import time; time.sleep(60)")
    with pytest.raises(WorkerFailed, match=r"no PDF within 0\.2 s"):
        render_report(statement(), worker=hanging, timeout_s=0.2)


def test_missing_libraries_are_named_with_the_line_to_type() -> None:
    with pytest.raises(PangoMissing) as told:
        libraries.require_pango(["libpango-of-another-world.so.0"])
    assert str(told.value) == (
        "PDF reports need libpango-of-another-world.so.0, not found on this machine; "
        "type: sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    )


def test_the_caller_never_loads_what_draws() -> None:
    code = (
        "import sys, reporting.report as report; from reporting_report_sample import statement; "
        "report.render.job_of(statement(), brand=report.Brand()); "
        "print(sorted({'weasyprint', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="tests", check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
