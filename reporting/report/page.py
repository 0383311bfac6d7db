"""The document as HTML: the reading of a statement poured into the templates, everything autoescaped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reporting.report import (
    budget,
    consequences,
    cover,
    credit,
    ladder,
    latency,
    leftout,
    literal,
    marks,
    method,
    outages,
    parts,
    sentences,
    taken_out,
)
from reporting.report.reading import Reading

BRAND = "#123C5A"


@dataclass(frozen=True, slots=True)
class Brand:
    """What the issuer may change: the bar on page 1, the period in the title, and the logo (an SVG document)."""

    name: str | None = None  # None: the issuer's legal entity
    colour: str = BRAND
    logo_svg: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}", self.colour):
            raise ValueError(f"{self.colour!r} is no colour; write e.g. {BRAND}")


@dataclass(frozen=True, slots=True)
class Document:
    """HTML and the pictures it names as `asset:NAME`, as SVG text."""

    html: str
    pictures: dict[str, str]


def document(page: Reading, *, sha256: str, latency_: latency.Latency | None, sample: bool, brand: Brand) -> Document:
    """The whole document. `sha256` is of the attached statement."""
    rows = budget.budget_rows(page)
    pictures = {row.picture: row.svg for row in rows} | marks.pictures(page.statement.state)
    if brand.logo_svg is not None:
        pictures["logo.svg"] = brand.logo_svg
    html = (
        _environment()
        .get_template("report.html")
        .render(
            page=page,
            statement=page.statement,
            css=_css(),
            brand=brand,
            issuer=brand.name or page.statement.issuer.get("legal_entity") or "",
            sample=sample,
            sha256=sha256,
            created=datetime.fromtimestamp(page.statement.as_of_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            budget_rows=rows,
            panels=latency.panels(page, latency_),
            **_sections(page, sha256),
        )
    )
    return Document(html, pictures)


def _sections(page: Reading, sha256: str) -> dict[str, Any]:
    return {
        "meta": cover.meta_strip(page),
        "sentences": sentences.verdict_sentences(page),
        "names": [service.name for service in page.services],
        "break_after_cover": cover.fits_one_page(page),
        "verdicts": cover.verdict_rows(page),
        "credit_sum": cover.credit_sum(page),
        "scale_mm": budget.label_mm(page),
        "bars_left_out": budget.bars_left_out(page),
        "left_out": leftout.left_out(page),
        "bounds_note": leftout.bounds_note(page),
        "groups": outages.outage_groups(page),
        "outages_fine": outages.outages_are_fine(page),
        "outages_lead": outages.lead(page),
        "ladders": ladder.ladders(page),
        "taken": taken_out.taken_rows(page),
        "taken_head": taken_out.head(page),
        "formulas": credit.formulas(page),
        "consequences": consequences.consequences(page),
        "stakes": credit.at_stake(page),
        "parts": parts.part_rows(page),
        "paragraphs": method.paragraphs(page),
        "options_line": method.options_line(page),
        "credit_terms_line": method.credit_terms_line(page),
        "earlier_options": method.earlier_options(page),
        "method_changes": method.changes(page),
        "quality": method.quality(page),
        "hash_lines": method.grouped_hash(sha256),
        "previous_lines": method.grouped_hash(page.statement.previous or ""),
        "others_lead": credit.others_lead(page),
        "nothing": _nothing(page),
    }


def _nothing(page: Reading) -> str:
    """One line for the sections that have nothing to say."""
    said = (
        ("outage", outages.outage_groups(page)),
        ("exclusion, no announced maintenance", taken_out.taken_rows(page)),
        ("credit", credit.formulas(page) or page.provisional),
    )
    silent = [f"no {word}" for word, rows in said if not rows]
    return f"{', '.join(silent).capitalize()} in {page.title}." if silent else ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reporting.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=literal.shown,
    )
    environment.filters["spoken"] = literal.spoken
    return environment


@cache
def _css() -> str:
    return files("reporting.report").joinpath("templates/report.css").read_text("utf-8")
