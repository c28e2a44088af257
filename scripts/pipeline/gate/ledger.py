"""What moved in the ledger between two documents: exposed, guarded, waived."""

from collections.abc import Iterable

import attrs

from ..account import Entry


@attrs.frozen
class Move:
    """A part of the document whose state in the ledger is another now; `before` is empty where it is new."""

    where: str
    what: str
    before: str
    after: str
    reason: str


def moves(old: Iterable[Entry], new: Iterable[Entry]) -> list[Move]:
    """Return what is in another state than before, and what is new and waived."""
    states = {(entry.pointer, entry.what): entry.state for entry in old}
    found = [(entry, states.get((entry.pointer, entry.what), "")) for entry in new]
    return [
        Move(entry.pointer, entry.what, before, entry.state, entry.reason)
        for entry, before in found
        if before != entry.state and (before or entry.state == "waived")
    ]
