"""What samples come to: medians, how far they spread, and ratios to a reference."""

from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from typing import Any

import attrs


@attrs.frozen
class Spread:
    """The middle of some numbers, and where the middle half of them lies."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Spread":
        """Return the spread of at least one number."""
        if len(numbers) == 1:
            return cls(numbers[0], numbers[0], numbers[0])
        low, middle, high = quantiles(numbers, n=4, method="inclusive")
        return cls(middle, low, high)

    def to_json(self) -> dict[str, float]:
        """Return it as plain data."""
        return {"median": self.median, "q1": self.low, "q3": self.high}


@attrs.frozen
class Comparison:
    """Samples of the same thing from several contenders, taken in turn.

    Attributes:
        title: What was measured.
        unit: The unit of the samples.
        reference: The contender that the others are compared with.
        samples: One list for each contender, a sample a round.
        more_is_better: Whether great numbers are good ones.
    """

    title: str
    unit: str
    reference: str
    samples: Mapping[str, Sequence[float]]
    more_is_better: bool = False

    def spread(self, name: str) -> Spread:
        """Return what a contender took."""
        return Spread.of(self.samples[name])

    def ratio(self, name: str) -> Spread:
        """Return how many times as much as the reference: of each round, since what disturbs one disturbs both."""
        pairs = zip(self.samples[name], self.samples[self.reference], strict=True)
        return Spread.of([own / reference for own, reference in pairs])

    def difference(self, name: str) -> float:
        """Return how much more than the reference: the median of the rounds."""
        return median(
            own - reference for own, reference in zip(self.samples[name], self.samples[self.reference], strict=True)
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, all samples included."""
        return {
            "title": self.title,
            "unit": self.unit,
            "reference": self.reference,
            "more_is_better": self.more_is_better,
            "contenders": [self._of_contender(name) for name in self.samples],
        }

    def _of_contender(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            **self.spread(name).to_json(),
            "ratio": self.ratio(name).to_json(),
            "difference": self.difference(name),
            "samples": list(self.samples[name]),
        }


def table(comparison: Comparison) -> str:
    """Return a comparison as lines for people: from best to worst."""
    heads = ("", f"median {comparison.unit}", "middle half", f"x {comparison.reference}", "middle half", "difference")
    rows = [heads, *(_row(comparison, name) for name in ranked(comparison))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return "\n".join([comparison.title, *(f"  {_line(row, widths)}" for row in rows)])


def ranked(comparison: Comparison) -> list[str]:
    """Return the contenders from best to worst."""
    names = sorted(comparison.samples, key=lambda name: comparison.spread(name).median)
    return names[::-1] if comparison.more_is_better else names


def short(number: float) -> str:
    """Return a number with three digits that count."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def _row(comparison: Comparison, name: str) -> tuple[str, ...]:
    taken, ratio = comparison.spread(name), comparison.ratio(name)
    return (
        name,
        short(taken.median),
        f"{short(taken.low)}..{short(taken.high)}",
        f"{ratio.median:.2f}",
        f"{ratio.low:.2f}..{ratio.high:.2f}",
        _signed(comparison.difference(name)),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    figures = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *figures]).rstrip()


def _signed(number: float) -> str:
    return f"{'-' if number < 0 else '+'}{short(abs(number))}"
