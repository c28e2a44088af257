"""What the seed decides: what happens, and when."""

from random import Random
from typing import Any, Literal, NamedTuple

Happening = Literal["kill", "stop", "jump", "outage", "fault", "clear", "revoke"]

_HAPPENINGS: dict[Happening, float] = {
    "kill": 100,
    "fault": 40,
    "stop": 30,
    "jump": 6,
    "clear": 8,
    "revoke": 4,
    "outage": 0.3,
}
"""What can happen, and how often in comparison."""

PAUSES = 0.005, 0.08
"""The shortest and the longest time between two happenings, in seconds."""

LEASE = 0.5
"""How long an entry belongs to a drain, in seconds."""

RETENTION = 3600.0
"""How long the API is trusted to know a key, in seconds by the clock that jumps."""

JUMP = 600.0
"""How far clocks are off at the most: less than half of the retention, or else a jump could look like its end."""

LONGEST_DELAY = 0.7
"""How long after it came the sandbox may perform a request at the most, in seconds."""

_REFUSALS = 400, 401, 403, 404, 409, 413, 422, 425, 429
_TROUBLES = 408, 500, 502, 503, 504


class Role(NamedTuple):
    """What a worker is."""

    kind: Literal["threads", "tasks"]
    """How it adds, or drains."""
    runs: bool
    """Whether it drains by `run`, instead of by `drain` again and again."""
    tells: bool
    """Whether it has a callback for settled entries."""
    concurrency: int


class Chance:
    """Draws from a seed. Each kind of draw has numbers of its own: how many workers were needed changes no fault."""

    def __init__(self, seed: int) -> None:
        def numbers(name: str) -> Random:
            return Random(f"{seed} {name}")  # noqa: S311 - it is to be the same again

        self._events, self._places, self._roles = numbers("events"), numbers("places"), numbers("roles")
        self._faults, self._clocks = numbers("faults"), numbers("clocks")

    def pause(self) -> float:
        """Draw the seconds until something happens."""
        return self._events.uniform(*PAUSES)

    def happening(self) -> Happening:
        """Draw what happens."""
        return self._events.choices(list(_HAPPENINGS), list(_HAPPENINGS.values()))[0]

    def place(self, size: int) -> int:
        """Draw one of so many."""
        return int(self._places.random() * size)

    def role(self) -> Role:
        """Draw what a worker is."""
        chance = self._roles
        kind: Literal["threads", "tasks"] = "threads" if chance.random() < 0.5 else "tasks"
        return Role(kind, chance.random() < 0.5, chance.random() < 0.8, chance.randint(1, 6))

    def stop(self) -> float:
        """Draw how long a worker stands still, in seconds: longer than a lease."""
        return LEASE * self._clocks.uniform(1.1, 2.4)

    def jump(self) -> float:
        """Draw how far off the clocks are, in seconds: a little, much, or not at all."""
        return self._clocks.choice((0.0, 0.3, LEASE, 5.0, 60.0, JUMP)) * self._clocks.choice((-1, 1))

    def fault(self) -> dict[str, Any]:
        """Draw a fault."""
        chance = self._faults
        if chance.random() < 0.05:
            return {"kind": "refuse", "seconds": chance.uniform(0.02, 0.3)}
        operation = "issueToken" if chance.random() < 0.2 else "sendMessage"
        kinds = [self._status(), *self._delays(operation), *({"kind": kind} for kind in _BARE)]
        if operation == "issueToken":
            kinds.append({"kind": "expires_in", **chance.choice(_LIFETIMES)})
        return {"operation": operation, **chance.choice(kinds), **self._target()}

    def _status(self) -> dict[str, Any]:
        """Draw a status. One that says "refused" is never answered after the operation was performed.

        That would be a lie that no client can see through: the outbox, too, takes the API at its word.
        """
        chance = self._faults
        fault: dict[str, Any] = {"kind": "status"}
        if chance.random() < 0.5:
            fault |= {"status": chance.choice(_TROUBLES), "when": chance.choice(("before", "after"))}
        else:
            fault |= {"status": chance.choice(_REFUSALS), "when": "before"}
        return fault | ({"headers": {"Retry-After": "1"}} if chance.random() < 0.1 else {})

    def _delays(self, operation: str) -> list[dict[str, Any]]:
        seconds = self._faults.uniform(0.05, LONGEST_DELAY)
        slow = [{"kind": "slow", "seconds": seconds, "when": when} for when in ("before", "after")]
        return slow if operation == "issueToken" else [*slow, {"kind": "in_progress", "seconds": seconds}]

    def _target(self) -> dict[str, Any]:
        chance = self._faults
        if chance.random() < 0.2:
            return {"rate": chance.uniform(0.05, 0.3), "seed": chance.randrange(2**31)}
        return {"count": chance.randint(1, 8)}


_BARE = "drop_before", "drop_after", "garbage", "cut_body", "drift"
_LIFETIMES: tuple[dict[str, Any], ...] = ({}, {"value": 1}, {"value": 0}, {"value": "x"}, {"literal": "NaN"})
