"""Response times by matplotlib: small multiples on one shared log axis. Imported by the worker only."""

from __future__ import annotations

import io
from math import log
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

INK, INK2, GRID, RULE = "#16202A", "#4C5965", "#E1E5E9", "#8794A0"
LINES = {  # name: (width in pt, line colour, label colour)
    "p99": (0.7, "#8794A0", "#66737F"),
    "p95": (0.9, "#5E7383", "#5E7383"),
    "p50": (1.5, INK, INK),
}
MM = 1 / 25.4
WIDTH_MM, HEIGHT_MM = 54.0, 37.0
PLOT_MM = (8.2, 5.2, 40.5, 28.0)  # left, bottom, width, height
LEAST_LABEL_GAP_MM = 2.6
MOST_MARKS = 9
WORDS_SHARE = 0.27  # of the plot's width, taken by the words "not timed"

# One salt, and paths instead of text: the same bytes in every process.
mpl.rcParams["svg.hashsalt"] = "nines"
mpl.rcParams["svg.fonttype"] = "path"


def draw(jobs: list[dict[str, Any]], fonts: Path) -> dict[str, str]:
    """Panels as SVG text by picture name. A job: `picture`, `ticks`, `p50`, `p95`, `p99` (ms or None)."""
    faces = {weight: FontProperties(fname=fonts / f"SourceSansPro-{weight}.otf") for weight in ("Regular", "Semibold")}
    limits = _limits(jobs)
    return {job["picture"]: _panel(job, limits, faces) for job in jobs}


def _limits(jobs: list[dict[str, Any]]) -> tuple[float, float]:
    """The shared axis: from the 1-2-5 step below the fastest figure to the one above the slowest."""
    values = [max(value, 1) for job in jobs for name in LINES for value in job[name] if value is not None]
    steps = _steps()
    low = max(step for step in steps if step <= min(values))
    high = min(step for step in steps if step >= max(values))
    return (low, high) if low < high else (low, steps[steps.index(low) + 1])


def _steps() -> list[int]:
    return [digit * 10**power for power in range(8) for digit in (1, 2, 5)]


def _panel(job: dict[str, Any], limits: tuple[float, float], faces: dict[str, FontProperties]) -> str:
    figure = Figure(figsize=(WIDTH_MM * MM, HEIGHT_MM * MM))
    left, bottom, width, height = PLOT_MM
    axes = figure.add_axes((left / WIDTH_MM, bottom / HEIGHT_MM, width / WIDTH_MM, height / HEIGHT_MM))
    _axis(axes, job, limits, faces["Regular"])
    for name in LINES:
        _line(axes, name, job[name])
    _untimed(axes, job["p50"], faces["Regular"])
    _labels(axes, job, limits, faces)
    return _svg(figure)


def _line(axes: Axes, name: str, figures: list[int | None]) -> None:
    """One percentile; a day without a neighbour is no line, so it gets a dot."""
    stroke, colour, _ = LINES[name]
    values = [float("nan") if figure is None else max(figure, 1) for figure in figures]
    axes.plot(range(len(values)), values, color=colour, linewidth=stroke, solid_capstyle="round")
    known = [at for at, figure in enumerate(figures) if figure is not None]
    alone = [at for at in known if at - 1 not in known and at + 1 not in known]
    axes.plot(alone, [values[at] for at in alone], "o", color=colour, markersize=stroke * 1.6, markeredgewidth=0)


def _axis(axes: Axes, job: dict[str, Any], limits: tuple[float, float], face: FontProperties) -> None:
    axes.set_yscale("log")
    axes.set_ylim(*limits)
    axes.set_xlim(-0.5, len(job["p50"]) - 0.5)
    axes.yaxis.set_major_locator(FixedLocator(_marks(limits)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _ms(int(value))))
    axes.set_xticks([at for at, _ in job["ticks"]], [label for _, label in job["ticks"]])
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=RULE, linewidth=0.5)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.tick_params(axis="x", length=2, width=0.5, color=RULE, pad=1.5)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontproperties=face, fontsize=7.5, color=INK2)


def _marks(limits: tuple[float, float]) -> list[int]:
    """1-2-5 while that is readable, over more than three decades the decades alone."""
    steps = [step for step in _steps() if limits[0] <= step <= limits[1]]
    return steps if len(steps) <= MOST_MARKS else [step for step in steps if str(step).startswith("1")]


def _ms(value: int) -> str:
    return f"{value // 1000}k" if value >= 100_000 else f"{value:,}".replace(",", "\u2009")


def _untimed(axes: Axes, values: list[int | None], face: FontProperties) -> None:
    """A hatched band over each run of days without data; the words once, at the longest."""
    bands = _bands(values)
    for start, end in bands:
        axes.axvspan(start - 0.5, end - 0.5, facecolor="none", edgecolor="#C6CDD3", hatch="////", linewidth=0)
    if not bands:
        return
    start, end = max(bands, key=lambda band: band[1] - band[0])
    room = len(values) * WORDS_SHARE / 2  # so that the words stay inside the plot
    middle = min(max((start + end - 1) / 2, room - 0.5), len(values) - 0.5 - room)
    words = axes.text(middle, axes.get_ylim()[0] * 1.06, "not timed", ha="center", va="bottom")
    words.set(fontproperties=face, fontsize=7.5, color=INK2)
    words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})


def _bands(values: list[int | None]) -> list[tuple[int, int]]:
    """Runs of days without data, end exclusive."""
    edges = [at for at in range(len(values) + 1) if _missing(values, at) != _missing(values, at - 1)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _missing(values: list[int | None], at: int) -> bool:
    return 0 <= at < len(values) and values[at] is None


def _labels(axes: Axes, job: dict[str, Any], limits: tuple[float, float], faces: dict[str, FontProperties]) -> None:
    """Names at the line ends, pushed apart where the lines end too near to each other."""
    ends = [(name, _last(job[name])) for name in ("p50", "p95", "p99")]
    at_mm = -LEAST_LABEL_GAP_MM
    for name, value in ends:
        if value is None:
            continue
        at_mm = max(_height_mm(max(value, 1), limits), at_mm + LEAST_LABEL_GAP_MM)
        text = axes.text(1.01, at_mm / PLOT_MM[3], name, transform=axes.transAxes, va="center", ha="left")
        face = faces["Semibold" if name == "p50" else "Regular"]
        text.set(fontproperties=face, fontsize=7.5, color=LINES[name][2])


def _last(values: list[int | None]) -> int | None:
    return next((value for value in reversed(values) if value is not None), None)


def _height_mm(value: float, limits: tuple[float, float]) -> float:
    return PLOT_MM[3] * log(value / limits[0]) / log(limits[1] / limits[0])


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None}, transparent=True)
    return out.getvalue()
