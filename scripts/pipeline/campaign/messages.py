"""The messages of a campaign: each is made of its number alone, so that any worker adds the same one."""

import re
from collections.abc import Iterable
from random import Random

from redcloud_core.outbox import NewMessage

REFUSED = "num_inactive"
"""The number that may not send."""

_REFERENCE = re.compile(r"m([0-9]+)")


def reference_of(number: int) -> str:
    """Return the reference of a message."""
    return f"m{number}"


def number_of(reference: str) -> int:
    """Return the number that a reference was made of."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"{reference!r} is no reference of a campaign")
    return int(found[1])


def message_of(seed: int, number: int) -> NewMessage:
    """Return a message: to a few recipients, some of whom the sandbox rejects, a few from a number that may not send.

    Args:
        seed: The campaign's.
        number: Which message.
    """
    chance = Random(f"{seed} message {number}")  # noqa: S311 - it is to be the same again
    to = [f"+1555{chance.choice((0, 1, 2, 3)):03}{place}{chance.randrange(1000):03}" for place in range(3)]
    return {
        "reference": reference_of(number),
        "sendFrom": REFUSED if chance.random() < 0.03 else "num_abc123",
        "to": to[: chance.randint(1, 3)],
        "messageType": "SMS",
        "text": f"Message {number} " + "é" * chance.randrange(40),
        "externalReference": reference_of(number),
    }


def messages_of(seed: int, numbers: Iterable[int]) -> list[NewMessage]:
    """Return several messages."""
    return [message_of(seed, number) for number in numbers]
