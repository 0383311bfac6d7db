"""Status marks and the watermark as SVG: decoration, set as CSS backgrounds; the word beside them is the text."""

from __future__ import annotations

MISSED, NARROW, MET, INK2 = "#FFFFFF", "#7A5200", "#009E73", "#4C5965"
SIZE = 10


def _svg(content: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">{content}</svg>'


MARKS = {
    "missed": f'<path d="M1.6 1.6L8.4 8.4M8.4 1.6L1.6 8.4" stroke="{MISSED}" stroke-width="2.5"/>',
    "met": f'<circle cx="5" cy="5" r="4.6" fill="{MET}"/>',
    "narrow": f'<circle cx="5" cy="5" r="4" fill="#fff" stroke="{NARROW}" stroke-width="1.2"/>'
    f'<path d="M5 1A4 4 0 0 0 5 9Z" fill="{NARROW}"/>',
    "nodata": f'<path d="M0.5 5H9.5" stroke="{INK2}" stroke-width="1.6"/>',
    "undetermined": f'<path d="M5 0.9L9.1 5L5 9.1L0.9 5Z" fill="none" stroke="{INK2}" stroke-width="1.3"/>',
}


def pictures(state: str) -> dict[str, str]:
    """The marks by asset name, and the watermark of a draft."""
    marks = {f"{name}.svg": _svg(content) for name, content in MARKS.items()}
    return marks | ({"draft.svg": WATERMARK} if state == "DRAFT" else {})


# 120 pt letters on a 210 by 297 mm page, turned by -32 degrees round its middle.
WATERMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">'
    '<text x="105" y="163" transform="rotate(-32 105 148.5)" text-anchor="middle" fill="#E9EDF0" '
    'font-family="Source Sans Pro" font-weight="600" font-size="42.33" letter-spacing="3">DRAFT</text></svg>'
)
