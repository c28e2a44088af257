"""The outbox: what callers use."""
# No `from __future__ import annotations`: the signature of add is made from a TypedDict's required keys.

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Required, Self, Unpack, cast

import msgspec

from .._async_client import AsyncRedCloud
from .._binding import SendMessageFields, send_message
from .._client import Client, RedCloud
from .._errors import InvalidCallError, OutboxError
from .._idempotency import KEY_HEADER, IdempotencyKey
from .._requests import build_guarded
from .._sending import Account, Send, send_of, shows
from .._settings import checked_count, checked_seconds
from ._entries import Counts, Entry, Result, State, Store, Terms
from ._shift import Plan, Progress, shift
from ._sqlite import SQLiteStore

CONCURRENCY = 8
"""Messages that a drain sends at once, if it is not told otherwise."""

PAGE = 500
"""Entries that are read at once."""

POLL = 1.0
"""Seconds after which an idle `run` looks for new entries at the latest."""

LONGEST_REFERENCE = 255
"""Characters of a reference."""


class NewMessage(SendMessageFields):
    """A message for `add_many`: the fields of `send_message`, and its reference."""

    reference: Required[str]


class Outbox:
    """Messages that are stored before they are sent, so that a crash neither loses nor doubles one.

    Threads and processes may share the file: some add, some drain. It holds the texts of messages and the phone numbers
    of recipients, so nobody but its owner can read it; no secret and no token is in it.

    Args:
        path: The file, made if there is none; or another `Store`. It must be on a disk of this machine.
        account: Whose messages these are; otherwise that is whose client first drains it.
        retention: Seconds for which the API is trusted to know an idempotency key. What may have been queued longer ago
            becomes unknown and is never sent again by itself. The API's documents do not say how long that is; half a
            day is half of what is common.
        clock: Seconds since the epoch, for tests.

    Raises:
        OutboxError: The file cannot be used, or belongs to another account.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Store,
        *,
        account: Account | None = None,
        retention: float = Terms().retention,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._terms = msgspec.structs.replace(Terms(), retention=checked_seconds("retention", retention))
        self._clock = clock
        self._name = os.fspath(path) if isinstance(path, str | os.PathLike) else repr(path)
        self._store: Store = SQLiteStore(Path(path)) if isinstance(path, str | os.PathLike) else path
        if account is not None:
            self._bind(account)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Outbox({self._name!r})"

    def close(self) -> None:
        """Let go of the file. What is stored stays stored."""
        self._store.close()

    @shows(SendMessageFields)
    def add(self, *, reference: str, **message: Unpack[SendMessageFields]) -> Entry:
        """Store a message; when this returns it is on disk, and it will be sent once.

        Args:
            reference: Your name for this one message, such as `order-789-shipped`: its idempotency key is derived from
                it. If you do not know whether an `add` was done, repeat it.
            message: The fields of the message, as `send_message` takes them.

        Returns:
            The entry; the one that is there already if the same message was added before under this reference.

        Raises:
            InvalidCallError: The message is wrong, or the reference stands for another one. Nothing was stored.
            OutboxError: It could not be stored.
        """
        return self._add([_new(reference, message)])[0]

    @shows(SendMessageFields)
    async def add_async(self, *, reference: str, **message: Unpack[SendMessageFields]) -> Entry:
        """Store a message, as `add` does, without holding up the event loop."""
        new = _new(reference, message)
        return (await asyncio.to_thread(self._add, [new]))[0]

    def add_many(self, messages: Iterable[NewMessage]) -> list[Entry]:
        """Store messages in one commit: all of them, or none.

        Args:
            messages: The fields of each, as `send_message` takes them, and its `reference`.

        Returns:
            The entries, in the order of the messages.

        Raises:
            InvalidCallError: One is wrong, or its reference stands for another message. Nothing was stored.
            OutboxError: They could not be stored.
        """
        new: list[tuple[str, Send]] = []
        for message in messages:
            fields: dict[str, Any] = dict(message)
            if "reference" not in fields:
                raise InvalidCallError.at(f"messages[{len(new)}]", "has no `reference`")
            new.append(_new(fields.pop("reference"), fields))
        return self._add(new)

    def drain(
        self,
        client: RedCloud,
        *,
        concurrency: int = CONCURRENCY,
        progress: Callable[[Progress], object] | None = None,
        on_settled: Callable[[Entry], object] | None = None,
    ) -> Progress:
        """Send what is due, and return when nothing is.

        What another drain has in its hands, and what waits for its next try, is not due.

        Args:
            client: Sends them, with its own policy; its account must be that of the drains before.
            concurrency: How many messages to send at once, each from a thread of its own.
            progress: Told how far it has come.
            on_settled: Called with each entry that is accepted, refused or unknown now, from the sending threads. Each
                is told at least once: again, if the process dies before that is stored.

        Returns:
            What was done.

        Raises:
            OutboxError: The account is another one, or the store failed.
            RedCloudError: The account is not fit to send: no token, say. Everything stays due.
        """
        return self._drain(client, concurrency, progress, on_settled, _never)

    def run(
        self,
        client: RedCloud,
        stop: threading.Event,
        *,
        concurrency: int = CONCURRENCY,
        progress: Callable[[Progress], object] | None = None,
        on_settled: Callable[[Entry], object] | None = None,
    ) -> None:
        """Drain again and again, until told to stop; then finish what was begun.

        Args:
            client: As `drain` takes it.
            stop: Set it to end, from a signal's handler for instance.
            concurrency: As `drain` takes it.
            progress: As `drain` takes it.
            on_settled: As `drain` takes it.

        Raises:
            RedCloudError: As `drain` raises it.
        """
        while not stop.is_set():
            self._drain(client, concurrency, progress, on_settled, stop.is_set)
            stop.wait(self._idle_seconds())

    async def drain_async(
        self,
        client: AsyncRedCloud,
        *,
        concurrency: int = CONCURRENCY,
        progress: Callable[[Progress], object] | None = None,
        on_settled: Callable[[Entry], Awaitable[object]] | None = None,
    ) -> Progress:
        """Send what is due, as `drain` does, from tasks instead of threads; `on_settled` is awaited."""
        return await self._drain_async(client, concurrency, progress, on_settled, _never)

    async def run_async(
        self,
        client: AsyncRedCloud,
        stop: asyncio.Event,
        *,
        concurrency: int = CONCURRENCY,
        progress: Callable[[Progress], object] | None = None,
        on_settled: Callable[[Entry], Awaitable[object]] | None = None,
    ) -> None:
        """Drain again and again, as `run` does, from tasks instead of threads."""
        while not stop.is_set():
            await self._drain_async(client, concurrency, progress, on_settled, stop.is_set)
            with suppress(TimeoutError):
                async with asyncio.timeout(await asyncio.to_thread(self._idle_seconds)):
                    await stop.wait()

    def get(self, reference: str) -> Entry | None:
        """Return the entry with a reference, or None if there is none."""
        return self._store.get(reference)

    def entries(self, state: State | None = None) -> Iterator[Entry]:
        """Yield the entries that stand in a state, or all of them, in the order in which they were added.

        Args:
            state: `waiting`; `accepted`; `refused`, each with its `reason`; or `unknown`, each with `since` when.
        """
        after = 0
        while page := self._store.entries(state, after, PAGE):
            after = page[-1][0]
            for _, entry in page:
                yield entry

    def results(self, *, reference: str | None = None, messageId: str | None = None) -> list[Result]:
        """Return what an accepted message came to, a result for each recipient.

        Args:
            reference: Which message; or
            messageId: the id that a webhook names.

        Returns:
            The results, in the order of the recipients; none if it was not accepted, or is not known.
        """
        if (reference is None) == (messageId is None):
            raise TypeError("results() takes either reference or messageId")
        if reference is not None:
            return self._store.results("reference", reference)
        return self._store.results("messageId", cast(str, messageId))

    def counts(self) -> Counts:
        """Return how many entries stand where."""
        return self._store.counts()

    def requeue(self, reference: str, *, risk_double: bool = False) -> Entry:
        """Have a message sent again under another key, derived from the one before.

        Args:
            reference: Which one. It must be refused; or unknown, if you take the risk.
            risk_double: Says that the recipients may get it twice: an unknown message may have been queued.

        Returns:
            The entry, waiting.

        Raises:
            InvalidCallError: It is not there, or does not stand where it may be sent again.
        """
        entry = self.get(reference)
        states: tuple[State, ...] = ("refused", "unknown") if risk_double else ("refused",)
        if entry is not None and entry.state in states:
            again = self._store.requeue(reference, _under_another_key(entry.send), self._clock(), states)
            if again is not None:
                return again
        raise InvalidCallError.at("reference", _why_not(entry))

    def _add(self, new: list[tuple[str, Send]]) -> list[Entry]:
        return self._store.add(new, self._clock())

    def _bind(self, account: Account) -> None:
        bound = self._store.bind(account)
        if bound != account:
            raise OutboxError.at(
                self._name,
                f"its messages are those of {bound.client_id!r} at {bound.base_url!r}, not of "
                f"{account.client_id!r} at {account.base_url!r}: nothing was sent",
            )

    def _plan(
        self,
        client: Client,
        concurrency: int,
        progress: Callable[[Progress], object] | None,
        tells: bool,
        is_stopped: Callable[[], bool],
    ) -> Plan:
        checked_count("concurrency", concurrency)
        self._bind(client.account)
        return Plan(
            store=self._store,
            concurrency=concurrency,
            terms=self._terms,
            tells=tells,
            total=self._store.counts().waiting if progress is not None else 0,
            is_stopped=is_stopped,
            note=progress or (lambda _: None),
            clock=self._clock,
        )

    def _drain(
        self,
        client: RedCloud,
        concurrency: int,
        progress: Callable[[Progress], object] | None,
        on_settled: Callable[[Entry], object] | None,
        is_stopped: Callable[[], bool],
    ) -> Progress:
        from ._threads import drive

        plan = self._plan(client, concurrency, progress, on_settled is not None, is_stopped)
        return drive(shift(plan), client, concurrency, on_settled)

    async def _drain_async(
        self,
        client: AsyncRedCloud,
        concurrency: int,
        progress: Callable[[Progress], object] | None,
        on_settled: Callable[[Entry], Awaitable[object]] | None,
        is_stopped: Callable[[], bool],
    ) -> Progress:
        from ._tasks import drive

        tells = on_settled is not None
        plan = await asyncio.to_thread(partial(self._plan, client, concurrency, progress, tells, is_stopped))
        return await drive(shift(plan), client, on_settled)

    def _idle_seconds(self) -> float:
        due = self._store.next_due()
        return POLL if due is None else min(max(due - self._clock(), 0.0), POLL)


def _never() -> bool:
    return False


def _new(reference: object, message: Mapping[str, Any]) -> tuple[str, Send]:
    """Return a message as it is stored, once it is found right."""
    if not isinstance(reference, str) or not 0 < len(reference) <= LONGEST_REFERENCE:
        raise InvalidCallError.at("reference", f"must be a text of 1 to {LONGEST_REFERENCE} characters")
    try:
        key = IdempotencyKey.derive(reference, namespace="outbox")
    except ValueError:
        raise InvalidCallError.at("reference", "holds half of a surrogate pair, which is no text") from None
    if "idempotency_key" in message:
        raise InvalidCallError.at("idempotency_key", "is made of the reference here")
    request = build_guarded(send_message.OPERATION, send_message.build, {"idempotency_key": key, **message})
    return reference, send_of(request, None, ())


def _under_another_key(send: Send) -> Send:
    key = IdempotencyKey.derive(send.key, namespace="outbox.requeue")
    return msgspec.structs.replace(send, key=str(key), headers={**send.headers, KEY_HEADER: str(key)})


def _why_not(entry: Entry | None) -> str:
    if entry is None:
        return "is not in the outbox"
    if entry.state == "unknown":
        return "names a message that may have been queued already; risk_double=True says that it may go out twice"
    return f"names a message that is {entry.state}: only one that was refused, or is unknown, can be sent again"
