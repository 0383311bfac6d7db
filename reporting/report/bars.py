"""Budget bars as hand-set SVG: 114 mm by 9 mm, one scale for all bars of a page so that their 100 % lines align."""

from __future__ import annotations

from fractions import Fraction

WIDTH_MM, HEIGHT_MM, BAR_MM = 114, 9, 5
LEAST_SCALE, STEP, GREATEST_SCALE = 150, 50, 300  # percent of the budget across the full width
TRACK, USED, OVER, INK = "#E7EBEE", "#4C5965", "#D55E00", "#16202A"


def scale_for(shares: list[Fraction]) -> int:
    """150 % of the budget, or the next 50 that holds the longest bar, up to 300."""
    most = max(shares, default=Fraction(0)) * 100
    steps = -(-most.numerator // (most.denominator * STEP)) * STEP
    return int(min(max(steps, LEAST_SCALE), GREATEST_SCALE))


def bar_svg(share: Fraction, scale: int, *, figure: str) -> str:
    """One bar. Beyond the scale it is cut by two white slashes and carries its figure."""
    allowed = Fraction(100 * WIDTH_MM, scale)
    used = min(share * allowed, Fraction(WIDTH_MM))
    marks = [
        _rect(0, allowed, TRACK),
        _rect(0, min(used, allowed), USED),
        _rect(allowed, used - allowed, OVER) if used > allowed else "",
        _cut(figure) if share * 100 > scale else "",
        f'<rect x="{_mm(allowed - Fraction(1, 4))}" y="0" width="0.5" height="{HEIGHT_MM}" fill="{INK}"/>',
    ]
    size = f'width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(marks)}</svg>'


def _rect(left: Fraction | int, width: Fraction, colour: str) -> str:
    top = (HEIGHT_MM - BAR_MM) / 2
    return f'<rect x="{_mm(left)}" y="{top}" width="{_mm(width)}" height="{BAR_MM}" fill="{colour}"/>'


def _cut(figure: str) -> str:
    slashes = "".join(
        f'<path d="M{left} 7.4 l1.6 -5.8" stroke="#fff" stroke-width="0.8" fill="none"/>' for left in (92, 94)
    )
    return (
        f'{slashes}<text x="112" y="5.55" text-anchor="end" fill="#fff" font-family="Source Sans Pro" '
        f'font-weight="600" font-size="3">{figure}</text>'
    )


def _mm(value: Fraction | int) -> str:
    return f"{float(value):.3f}"
