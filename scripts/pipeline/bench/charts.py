"""Comparisons as a chart: one panel each, a bar for the median, a line for the middle half, the ratio in figures."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .comparisons import Comparison, ranked, short

OURS = "redcloud-core"

_MARGIN, _BARS, _FIGURES, _CHARACTER = 24, 420, 190, 7.6
_ROW, _BAR, _HEAD, _GAP, _TOP = 24, 15, 34, 18, 92


@attrs.frozen
class _Bar:
    """A contender in a panel; all in pixels."""

    name: str
    figures: str
    kind: str
    y: float
    length: float
    low: float
    high: float


@attrs.frozen
class _Panel:
    """A comparison in a chart."""

    title: str
    unit: str
    y: float
    bars: Sequence[_Bar]


def chart(title: str, caption: str, comparisons: Sequence[Comparison]) -> str:
    """Return an SVG of comparisons.

    Args:
        title: What stands above all.
        caption: Where it was measured.
        comparisons: One panel each, from top to bottom.
    """
    panels = list(_panels(comparisons))
    rows = sum(len(panel.bars) for panel in panels)
    height = _TOP + rows * _ROW + len(panels) * (_HEAD + _GAP)
    folder = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=folder, autoescape=True, undefined=StrictUndefined).get_template("chart.svg.jinja")
    left = _MARGIN + 10 + _CHARACTER * max(len(bar.name) for panel in panels for bar in panel.bars)
    width = left + _BARS + _FIGURES + _MARGIN
    sizes = {"width": width, "height": height, "margin": _MARGIN, "left": left, "thickness": _BAR}
    return template.render(title=title, caption=caption, panels=panels, **sizes) + "\n"


def _panels(comparisons: Sequence[Comparison]) -> Iterator[_Panel]:
    y = float(_TOP)
    for comparison in comparisons:
        better = "more is better" if comparison.more_is_better else "less is better"
        yield _Panel(comparison.title, f"{comparison.unit}, {better}", y, list(_bars(comparison, y + _HEAD)))
        y += _HEAD + len(comparison.samples) * _ROW + _GAP


def _bars(comparison: Comparison, y: float) -> Iterator[_Bar]:
    most = max(comparison.spread(name).high for name in comparison.samples)
    scale = _BARS / most if most else 0.0
    for number, name in enumerate(ranked(comparison)):
        taken = comparison.spread(name)
        figures = f"{short(taken.median)} {comparison.unit}, {comparison.ratio(name).median:.2f}\N{MULTIPLICATION SIGN}"
        place = y + number * _ROW
        lengths = (scale * size for size in (taken.median, taken.low, taken.high))
        yield _Bar(name, figures, _kind(comparison, name), place, *lengths)


def _kind(comparison: Comparison, name: str) -> str:
    if name.startswith(OURS):
        return "ours"
    return "reference" if name == comparison.reference else "peer"
