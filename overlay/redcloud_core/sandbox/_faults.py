"""The plan of faults: which of them acts on a request. Thread-safe, and without HTTP."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from random import Random
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

Fault: TypeAlias = Mapping[str, Any]
"""A fault as `schemas/faults.json` describes it."""


class Planned(NamedTuple):
    """A fault, and whether it hits each of the requests to come; it is used up when `hits` ends."""

    fault: Fault
    hits: Iterator[bool]


class Faults:
    """The faults of a sandbox, in the order in which they were given."""

    def __init__(self, operations: Iterable[str]) -> None:
        """Begin without faults.

        Args:
            operations: The ids of the operations that can be hit.
        """
        self._operations = tuple(operations)
        self._lock = Lock()
        self._planned: list[Planned] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault of an operation.

        Raises:
            ValueError: There is no such operation.
        """
        if fault["operation"] not in self._operations:
            known = " or ".join(self._operations)
            raise ValueError(f"The fault is invalid: the operation must be {known}, at /operation.")
        with self._lock:
            self._planned.append(Planned(fault, _hits(fault)))

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._planned.clear()

    def take(self, operation: str) -> Fault | None:
        """Find the fault that acts on a request.

        A rate draws only for the requests that no earlier fault has taken.

        Args:
            operation: The id of the operation that the request is for. Each call stands for one request.

        Returns:
            The first fault that hits; None if none does.
        """
        with self._lock:
            for planned in [planned for planned in self._planned if planned.fault["operation"] == operation]:
                hit = next(planned.hits, None)
                if hit is None:
                    self._planned.remove(planned)
                if hit:
                    return planned.fault
        return None


def _hits(fault: Fault) -> Iterator[bool]:
    """Tell for one request after another whether a fault hits it; JSON may write an integer as 2.0."""
    if "count" in fault:
        return repeat(True, int(fault["count"]))
    if "rate" in fault:
        numbers = Random(int(fault["seed"]))  # noqa: S311  nothing depends on its being unpredictable
        return (numbers.random() < fault["rate"] for _ in repeat(None))
    return repeat(True)
