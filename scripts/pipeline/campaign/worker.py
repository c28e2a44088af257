"""What a worker does, in the process that was forked for it: it adds, or it drains, until somebody kills it.

What it says goes to a pipe at once, a line each, and is there whatever becomes of it: `added NUMBER` when an `add` has
returned, `settled NUMBER STATE` from the callback, `surprise WORDS` for an error that should not be.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import msgspec

from redcloud_core import AsyncRedCloud, OutboxError, RedCloud, RedCloudError
from redcloud_core.outbox import Entry, NewMessage, Outbox, Terms
from redcloud_core.sandbox import Sandbox

from .chance import LEASE, RETENTION, Role
from .messages import REFUSED, message_of, messages_of, number_of

TIMEOUT, DEADLINE, ATTEMPTS = 0.4, 2.0, 2
"""What clients are patient with: little, so that much is left to the outbox."""

LONGEST_PAUSE = 0.3
"""Seconds that an entry waits for its next try at the most."""


C = TypeVar("C", RedCloud, AsyncRedCloud)


class Scene(NamedTuple):
    """Where a worker works."""

    url: str
    path: Path
    seed: int
    clock: Callable[[], float]
    say: Callable[[str], None]


def open_outbox(scene: Scene) -> Outbox:
    """Open the outbox with a lease that is shorter than anybody's but a campaign's."""
    outbox = Outbox(scene.path, clock=scene.clock, retention=RETENTION)
    terms = Terms(lease=LEASE, retention=RETENTION, longest_pause=LONGEST_PAUSE)
    vars(outbox).update(_terms=terms)
    return outbox


def pipe_says(pipe: int) -> Callable[[str], None]:
    """Make what writes lines into a pipe, each of them whole or not at all."""
    return lambda line: void(os.write(pipe, line[:500].replace("\n", " ").encode() + b"\n"))


def void(_result: object) -> None:
    """Return nothing."""


def add(scene: Scene, role: Role, numbers: Sequence[int]) -> None:
    """Add messages, and say of each that it was added when it was."""
    chance = Random(f"{scene.seed} adder {numbers}")  # noqa: S311 - it is to be the same again
    messages = messages_of(scene.seed, numbers)
    with open_outbox(scene) as outbox:
        if role.kind == "tasks":
            asyncio.run(_add_in_tasks(scene, outbox, messages, role.concurrency))
            return
        with ThreadPoolExecutor(role.concurrency) as threads:
            while messages:
                size = 1 if chance.random() < 0.7 else chance.randint(2, 6)
                threads.submit(_add, scene, outbox, messages[:size], chance.uniform(0, 0.02))
                del messages[:size]


def _add(scene: Scene, outbox: Outbox, messages: Sequence[NewMessage], pause: float) -> None:
    try:
        if len(messages) == 1:
            outbox.add(**messages[0])
        else:
            outbox.add_many(messages)
    except Exception as error:
        scene.say(surprise_of(error))
        return
    for message in messages:
        scene.say(f"added {number_of(message['reference'])}")
    time.sleep(pause)


async def _add_in_tasks(scene: Scene, outbox: Outbox, messages: Sequence[NewMessage], concurrency: int) -> None:
    limit = asyncio.Semaphore(concurrency)

    async def add_one(message: NewMessage) -> None:
        async with limit:
            await outbox.add_async(**message)
            scene.say(f"added {number_of(message['reference'])}")
            await asyncio.sleep(0.005)

    await asyncio.gather(*map(add_one, messages))


def drain(scene: Scene, role: Role) -> None:
    """Drain for ever."""
    with open_outbox(scene) as outbox:
        while True:
            with suppress(RedCloudError):
                drain_once(scene, outbox, role)
            time.sleep(0.02)


def drain_once(scene: Scene, outbox: Outbox, role: Role) -> None:
    """Drain with a client of its own, until nothing is due or the account is not fit to send.

    Raises:
        RedCloudError: The account is not fit: no token, because a fault took it away.
    """
    try:
        if role.kind == "tasks":
            asyncio.run(_drain_in_tasks(scene, outbox, role))
            return
        with _client(RedCloud, scene) as client:
            tell = _told(scene) if role.tells else None
            if role.runs:
                outbox.run(client, threading.Event(), concurrency=role.concurrency, on_settled=tell)
            outbox.drain(client, concurrency=role.concurrency, on_settled=tell)
    except OutboxError as error:
        scene.say(surprise_of(error))


async def _drain_in_tasks(scene: Scene, outbox: Outbox, role: Role) -> None:
    tell = _told(scene)

    async def told(entry: Entry) -> None:
        tell(entry)

    settled = told if role.tells else None
    async with _client(AsyncRedCloud, scene) as client:
        if role.runs:
            await outbox.run_async(client, asyncio.Event(), concurrency=role.concurrency, on_settled=settled)
        await outbox.drain_async(client, concurrency=role.concurrency, on_settled=settled)


def _client(kind: type[C], scene: Scene) -> C:
    return kind(
        scene.url,
        client_id=Sandbox.client_id,
        client_secret=Sandbox.client_secret,
        timeout=TIMEOUT,
        deadline=DEADLINE,
        attempts=ATTEMPTS,
    )


def _told(scene: Scene) -> Callable[[Entry], None]:
    return lambda entry: scene.say(f"settled {number_of(entry.reference)} {entry.state}")


def finish(scene: Scene, everything: bool) -> None:
    """Drain until nothing waits and everybody was told of everything.

    Args:
        scene: Where.
        everything: Whether the messages that the API refuses must be settled, too: one that may have been queued before
            waits until the retention is over.
    """
    role = Role("threads", runs=False, tells=True, concurrency=8)
    with open_outbox(scene) as outbox:
        while any(everything or not _is_refused(scene, entry) for entry in outbox.entries("waiting")):
            with suppress(RedCloudError):
                drain_once(scene, outbox, role)
            time.sleep(0.05)
        time.sleep(2 * LEASE)  # what a dead drain was to tell is free then
        drain_once(scene, outbox, role)


def _is_refused(scene: Scene, entry: Entry) -> bool:
    return message_of(scene.seed, number_of(entry.reference))["sendFrom"] == REFUSED


def surprise_of(error: BaseException) -> str:
    """Return the line that tells of an error."""
    return f"surprise {type(error).__name__}: {error}"


class Kept(msgspec.Struct, frozen=True):
    """What the outbox says of a message in the end."""

    state: str
    key: str
    messageIds: tuple[str, ...] | None
    """Those of the answer that accepted it; None if it cannot be read."""
    reason: str | None


def kept_of(scene: Scene) -> dict[int, Kept]:
    """Return what the outbox says of each message."""
    with open_outbox(scene) as outbox:
        return {number_of(entry.reference): _kept(entry) for entry in outbox.entries()}


def _kept(entry: Entry) -> Kept:
    ids: tuple[str, ...] | None = None
    if entry.state == "accepted" and not entry.drift:
        with suppress(Exception):
            receipt = entry.receipt
            ids = tuple(result.messageId for result in receipt.results) if receipt else None
    return Kept(entry.state, entry.key, ids, entry.reason)
