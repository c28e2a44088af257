"""What a campaign came to: counted from the sandbox's ledger, and from what was said before somebody died."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Any

import msgspec

from .messages import number_of
from .worker import Kept


class Happened(msgspec.Struct):
    """What was done to the workers and to the API."""

    kills: int = 0
    stops: int = 0
    jumps: int = 0
    outages: int = 0
    """All workers killed at once; when others begin, the retention is over and the API has forgotten all keys."""
    faults: int = 0
    revocations: int = 0
    seconds: float = 0.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the messages."""

    acknowledged: int
    """An `add` returned for it."""
    accepted: int
    refused: int
    unknown: int
    attempts: int
    """Requests that carried the key of an accepted send."""
    lost: int
    """Acknowledged, without an effect, and not reported as refused or unknown."""
    doubled: int
    """Effects beyond the first."""
    phantom: int
    """Reported as accepted without that effect."""
    false_dead: int
    """Reported as refused, with an effect."""
    conflicts: int
    """409s because of the payload; those that faults planted are not among them."""
    missed: int
    """Settled, and no callback was told."""
    unfinished: int
    """Waiting in the end."""
    surprises: int
    """Errors that no worker should have met."""

    @property
    def faults(self) -> dict[str, int]:
        """What must be 0, by its name."""
        names = "lost", "doubled", "phantom", "false_dead", "conflicts", "missed", "unfinished", "surprises"
        return {name: getattr(self, name) for name in names}

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.faults.values())


def count(
    added: Set[int],
    settled: Mapping[int, Set[str]],
    surprises: Sequence[str],
    kept: Mapping[int, Kept],
    sends: Sequence[Mapping[str, Any]],
) -> Figures:
    """Count.

    Args:
        added: The messages whose `add` returned.
        settled: The states that callbacks were told, by message.
        surprises: The errors that should not have been.
        kept: What the outbox says of each message.
        sends: What the ledger says.
    """
    effects: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for send in sends:
        effects[number_of(send["external_reference"])].append(tuple(send["message_ids"]))
    states = {number: entry.state for number, entry in kept.items()}
    reported = list(states.values())
    return Figures(
        acknowledged=len(added),
        accepted=reported.count("accepted"),
        refused=reported.count("refused"),
        unknown=reported.count("unknown"),
        attempts=sum(send["attempts"] for send in sends),
        lost=sum(not effects[number] and states.get(number) not in ("refused", "unknown") for number in added),
        doubled=sum(len(found) - 1 for found in effects.values() if found),
        phantom=sum(_is_phantom(entry, effects[number]) for number, entry in kept.items()),
        false_dead=sum(bool(effects[number]) for number, state in states.items() if state == "refused"),
        conflicts=sum(send["conflicts"] for send in sends),
        missed=sum(state not in settled.get(number, ()) for number, state in states.items() if state != "waiting"),
        unfinished=reported.count("waiting"),
        surprises=len(surprises),
    )


def _is_phantom(entry: Kept, effects: Sequence[tuple[str, ...]]) -> bool:
    """Tell whether a message is said to be accepted, and there is no effect, or another one than is said."""
    if entry.state != "accepted":
        return False
    return not effects or (entry.messageIds is not None and entry.messageIds not in effects)


def table(happened: Happened, figures: Figures) -> str:
    """Write the figures for people: what happened, what became of the messages, and what must be 0."""
    done = (
        f"{happened.kills:,} kills, {happened.stops} stops, {happened.jumps} jumps of the clock, {happened.outages} "
        f"outages,\n{happened.faults} faults, {happened.revocations} revocations in {happened.seconds:.0f} s: "
        f"{1000 * happened.seconds / max(happened.kills, 1):.0f} ms a kill"
    )
    names = "acknowledged", "accepted", "refused", "unknown", "attempts"
    rows = [f"  {name:22}{getattr(figures, name):>10,}" for name in names]
    rows += [f"  {name.replace('_', ' '):22}{value:>10,}" for name, value in figures.faults.items()]
    return "\n".join([done, *rows[: len(names)], "  and, if all is well, 0:", *rows[len(names) :]])
