"""What samples come to: medians, spreads, and ratios taken round by round."""

import pytest

from pipeline.bench.comparisons import Comparison, Spread, ranked, short, table

CALLS = Comparison("a call", "us", "httpx", {"redcloud-core": [110, 220, 330, 120], "httpx": [100, 200, 300, 100]})
SENDS = Comparison("sends", "sends/s", "httpx", {"redcloud-core": [90.0], "httpx": [100.0]}, more_is_better=True)


def test_spread_is_median_and_middle_half() -> None:
    """The quartiles are among the samples, not beyond them."""
    assert Spread.of([4, 1, 3, 2, 5]) == Spread(3, 2, 4)


def test_spread_of_one_sample() -> None:
    """One sample has no spread."""
    assert Spread.of([7]) == Spread(7, 7, 7)


def test_ratio_is_of_rounds() -> None:
    """A machine that slows down for a while does so to both: the ratio of each round is what stays."""
    assert CALLS.ratio("redcloud-core").median == pytest.approx(1.1)
    assert CALLS.ratio("httpx") == Spread(1, 1, 1)
    assert CALLS.difference("redcloud-core") == 20


def test_rounds_must_match() -> None:
    """Samples that were not taken in turn cannot be compared."""
    uneven = Comparison("a call", "us", "httpx", {"redcloud-core": [1, 2], "httpx": [1]})
    with pytest.raises(ValueError, match="zip"):
        uneven.ratio("redcloud-core")


def test_best_comes_first() -> None:
    """Whether that is less or more."""
    assert ranked(CALLS) == ["httpx", "redcloud-core"]
    assert ranked(SENDS) == ["httpx", "redcloud-core"]


def test_table_is_aligned_and_says_all() -> None:
    """The figures of a column end in the same place."""
    title, head, *rows = table(CALLS).splitlines()
    assert title == "a call"
    assert head.split() == ["median", "us", "middle", "half", "x", "httpx", "middle", "half", "difference"]
    assert rows[1].split() == ["redcloud-core", "170", "118..248", "1.10", "1.10..1.12", "+20.0"]
    assert len({len(row) for row in (head, *rows)}) == 1


@pytest.mark.parametrize(
    ("number", "text"), [(12345.6, "12,346"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.0, "0.00")]
)
def test_three_digits_count(number: float, text: str) -> None:
    """More digits would be noise."""
    assert short(number) == text


def test_json_holds_every_sample() -> None:
    """Others can compute what they like of it."""
    found = SENDS.to_json()
    assert found["reference"] == "httpx"
    assert found["more_is_better"] is True
    ours = found["contenders"][0]
    assert ours["samples"] == [90.0]
    assert ours["ratio"] == {"median": 0.9, "q1": 0.9, "q3": 0.9}
