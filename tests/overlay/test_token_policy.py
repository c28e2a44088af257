"""The policy of tokens as tables of cases: when one is replaced, how long a failure lasts, what an answer means."""

import pytest

from redcloud_core._answers import LONGEST_WAIT, retry_after
from redcloud_core._auth import pause_after, refresh_after
from redcloud_core._binding import Answer
from redcloud_core._token_endpoint import FALLBACK_LIFETIME, LONGEST_LIFETIME, lifetime_of

NOW = 1_792_567_680.0  # Wed, 21 Oct 2026 07:28:00 GMT


@pytest.mark.parametrize(
    ("lifetime", "draw", "expected"),
    [
        (3600, 0, 3300),  # five minutes before its end
        (3600, 1, 3270),  # or up to a tenth of them earlier
        (3600, 0.5, 3285),
        (600, 0, 300),  # half of its life is not less than five minutes
        (599, 0, 299.5),  # half of its life is less
        (60, 0, 30),
        (60, 1, 27),
        (1, 0, 0.5),
        (86_400, 0, 86_100),
    ],
)
def test_refresh_after(lifetime: float, draw: float, expected: float) -> None:
    """A token is replaced in a window before its end, which is never more than half of its life and a tenth."""
    assert refresh_after(lifetime, draw) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("failures", "asked", "draw", "expected"),
    [
        (1, 0, 0, 0.5),
        (1, 0, 1, 0.25),
        (2, 0, 0, 1),
        (3, 0, 0, 2),
        (5, 0, 0, 8),
        (6, 0, 0, 8),
        (10_000, 0, 0, 8),
        (6, 0, 1, 4),
        (1, 30, 0, 30),  # what the API asks for is never undercut
        (1, 30, 1, 30),
        (6, 2, 0, 8),
        (1, LONGEST_WAIT, 0, LONGEST_WAIT),
    ],
)
def test_pause_after(failures: int, asked: float, draw: float, expected: float) -> None:
    """The pause doubles from half a second to eight, less up to half by chance, and never less than was asked for."""
    assert pause_after(failures, asked, draw) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120),
        ("0", 0),
        (" 7 ", 7),
        ("007", 7),
        ("9" * 5000, LONGEST_WAIT),
        ("Wed, 21 Oct 2026 07:29:00 GMT", 60),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("Mon, 01 Jan 2029 00:00:00 GMT", LONGEST_WAIT),
        ("Mon, 99 Xxx 2029 00:00:00 GMT", None),
        ("Wed, 21 Oct 2026 25:61:61 GMT", None),
        ("Wed, 21 Oct 2026 07:29:00 CET", None),
        ("Wednesday, 21-Oct-26 07:29:00 GMT", None),
        ("2026-10-21T07:29:00Z", None),
        ("1.5", None),
        ("-1", None),
        ("1e3", None),
        ("١٢", None),
        ("²", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(header: str | None, expected: float | None) -> None:
    """Digits are seconds, an HTTP date is a time; anything else is ignored, and nothing is longer than a day."""
    answer = Answer(503, {} if header is None else {"retry-after": header}, b"")
    assert retry_after(answer, NOW) == expected


@pytest.mark.parametrize(
    ("expires_in", "expected"),
    [
        (3600, 3600),
        (3600.0, 3600),
        ("3600", 3600),
        (" 3600 ", 3600),
        (0.5, 0.5),
        (1e300, LONGEST_LIFETIME),
        (10**400, FALLBACK_LIFETIME),
        ("9" * 5000, FALLBACK_LIFETIME),
        (LONGEST_LIFETIME + 1, LONGEST_LIFETIME),
        (None, FALLBACK_LIFETIME),
        (0, FALLBACK_LIFETIME),
        (-1, FALLBACK_LIFETIME),
        (True, FALLBACK_LIFETIME),
        ("abc", FALLBACK_LIFETIME),
        ("", FALLBACK_LIFETIME),
        (float("nan"), FALLBACK_LIFETIME),
        (float("inf"), FALLBACK_LIFETIME),
        ([], FALLBACK_LIFETIME),
        ({}, FALLBACK_LIFETIME),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_lifetime_of(expires_in: object, expected: float) -> None:
    """Whatever the answer says, a lifetime is a positive number of seconds, of at most a day."""
    assert lifetime_of(expires_in) == expected
