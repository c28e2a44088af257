"""The plan of faults: which of them acts on a request. Thread-safe, and without HTTP."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from random import Random
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

from ._operation import Operation

Fault: TypeAlias = Mapping[str, Any]
"""A fault as `schemas/faults.json` describes it, or a step of a script."""

_MISS: Fault = {}


class Planned(NamedTuple):
    """A fault or a script, and what it does to the requests to come."""

    operation: str
    key: str | None
    acts: Iterator[Fault]
    """The fault for each request, `_MISS` for one that it leaves to others; it is used up when this ends."""

    def concerns(self, operation: str, key: str | None) -> bool:
        """Tell whether a request counts for it."""
        return self.operation == operation and self.key in (None, key)


class Faults:
    """The faults of a sandbox, in the order in which they were given."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        """Begin without faults.

        Args:
            operations: The operations that can be hit.
        """
        self._operations = {operation.id: operation for operation in operations}
        self._lock = Lock()
        self._planned: list[Planned] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault or a script for an operation.

        Raises:
            ValueError: There is no such operation, or it lacks the key that the fault needs.
        """
        problem = self._problem(fault)
        if problem:
            raise ValueError(f"The fault is invalid: {problem}.")
        with self._lock:
            self._planned.append(Planned(fault["operation"], fault.get("key"), _acts(fault)))

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._planned.clear()

    def take(self, operation: str, key: str | None = None) -> Fault | None:
        """Find the fault that acts on a request.

        A rate draws, and a script goes on, only for the requests that no earlier fault has taken.

        Args:
            operation: The id of the operation that the request is for. Each call stands for one request.
            key: The idempotency key of the request.

        Returns:
            The first fault that hits; None if none does.
        """
        with self._lock:
            for planned in [planned for planned in self._planned if planned.concerns(operation, key)]:
                fault = next(planned.acts, None)
                if fault is None:
                    self._planned.remove(planned)
                elif fault is not _MISS:
                    return fault
        return None

    def _problem(self, fault: Fault) -> str | None:
        """Say what the operations of the document have against a fault, and where."""
        operation = self._operations.get(fault["operation"])
        if operation is None:
            return f"the operation must be {' or '.join(self._operations)}, at /operation"
        place = next(_keyed_places(fault), None)
        if place and not operation.keyed:
            return f"{operation.id} does not declare Idempotency-Key, at {place}"
        return None


def _keyed_places(fault: Fault) -> Iterator[str]:
    """Yield the places of what makes sense only where requests carry a key."""
    if "key" in fault:
        yield "/key"
    if fault.get("kind") == "in_progress":
        yield "/kind"
    for number, step in enumerate(fault.get("script", [])):
        if step["kind"] == "in_progress":
            yield f"/script/{number}/kind"


def _acts(fault: Fault) -> Iterator[Fault]:
    """Tell for one request after another what a fault does to it; JSON may write an integer as 2.0."""
    if "script" in fault:
        return iter(fault["script"])
    if "count" in fault:
        return repeat(fault, int(fault["count"]))
    if "rate" in fault:
        numbers = Random(int(fault["seed"]))  # noqa: S311  nothing depends on its being unpredictable
        return (fault if numbers.random() < fault["rate"] else _MISS for _ in repeat(None))
    return repeat(fault)
