"""Preflight: what the list of numbers says of a send, from a copy that is never older than it may be."""

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from ._binding import Number
from ._forks import forget_after_fork
from ._guards import GuardViolation, check_number

KEPT = 300.0
"""Seconds that the list is believed where it has no objection."""

JUST_NOW = 5.0
"""Seconds that it is believed where it has one: older, it is asked for again before a send is refused."""

PATIENCE = 5.0
"""Seconds that the list may take; then the send goes out without it."""

PAUSE = 30.0
"""Seconds after a list that could not be had before it is asked for again."""


class NumberBook:
    """The numbers of the API client as last listed; a client and its copies share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a list.

        Args:
            clock: Seconds; only differences count.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers: Sequence[Number] = ()
        self._listed_at = float("-inf")
        self._closed_until = float("-inf")
        forget_after_fork(self)

    def forget_parent(self) -> None:
        """Let go of a lock that one of the parent's threads may have held; the list stays."""
        self._lock = threading.Lock()

    def known(self, age: float) -> Sequence[Number] | None:
        """Return the list if it is not older than that, in seconds."""
        with self._lock:
            return self._numbers if self._clock() - self._listed_at <= age else None

    def begin(self) -> bool:
        """Tell whether to ask for the list now: nobody else is asking, and nobody has just failed to get it."""
        with self._lock:
            now = self._clock()
            if now < self._closed_until:
                return False
            self._closed_until = now + PATIENCE  # one that never comes back does not keep it closed
            return True

    def note(self, numbers: Sequence[Number] | None) -> None:
        """Keep what was listed; None says that it could not be had."""
        with self._lock:
            now = self._clock()
            if numbers is None:
                self._closed_until = now + PAUSE
            else:
                self._numbers, self._listed_at, self._closed_until = numbers, now, float("-inf")

    def forget(self) -> None:
        """Forget the list: a number was changed."""
        with self._lock:
            self._listed_at = float("-inf")


def preflight(
    book: NumberBook, message: Mapping[str, Any]
) -> Generator[None, Sequence[Number] | None, GuardViolation | None]:
    """Judge a send by the list of numbers, as a generator.

    Args:
        book: What is known of the numbers.
        message: The keywords of the send.

    Yields:
        When the list is to be asked for; send it into the generator, or None if it cannot be had.

    Returns:
        What is wrong; None if nothing is, or if nobody knows.
    """
    violation = None
    for age in (KEPT, JUST_NOW):
        numbers = book.known(age)
        if numbers is None:
            if not book.begin():
                return None
            numbers = yield
            book.note(numbers)
            if numbers is None:
                return None
        violation = check_number(message, numbers)
        if violation is None:
            return None
    return violation
