"""What a child process forgets after a fork: the parent's threads and connections, and locks that nobody gives back."""

import os
from typing import Protocol
from weakref import WeakSet


class Forgetful(Protocol):
    """What holds something that is of no use to a forked child."""

    def forget_parent(self) -> None:
        """Let go of it, in the child, before anything else runs there."""


_holders: "WeakSet[Forgetful]" = WeakSet()


def forget_after_fork(holder: Forgetful) -> None:
    """Have `holder.forget_parent` called in every child that is forked from now on, as long as the holder lives."""
    _holders.add(holder)


def _forget() -> None:
    for holder in list(_holders):
        holder.forget_parent()


os.register_at_fork(after_in_child=_forget)
