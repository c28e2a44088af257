"""What the outbox keeps: entries, and the words in which a store speaks of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from .._binding import SendMessageResponse, decode, decode_plain
from .._sending import Account, Receipt, Send

State: TypeAlias = Literal["waiting", "accepted", "refused", "unknown"]
"""Where an entry stands.

waiting: it is still to be sent, or to be asked for again. accepted: the API queued it, at least for some recipients.
refused: it was certainly not queued, and another attempt would end the same way. unknown: it may have been queued,
and so much time has passed that the API may have forgotten its key; somebody has to decide.
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the outbox."""

    reference: str
    """The caller's name for it, unlike that of any other."""
    state: State
    written: str
    """What is to be sent, as `Send.to_json` wrote it."""
    added_at: datetime
    """When it was stored, in UTC."""
    since: datetime
    """When it came to its state, in UTC."""
    due_at: datetime | None
    """When it is to be sent, in UTC; None unless it is waiting."""
    in_doubt_since: datetime | None
    """Since when it may have been queued without our knowing, in UTC; None if it certainly was or was not."""
    tries: int
    """How often a drain has tried it, each time with as many attempts as its client makes."""
    reason: str | None
    """What the last try that failed came to."""
    answer: bytes
    """The body of the answer that accepted it; empty otherwise."""
    drift: str | None
    """Where that answer differs from the document."""

    @property
    def send(self) -> Send:
        """Key and bytes, which are the same in every attempt.

        Raises:
            InvalidCallError: What is stored is damaged.
        """
        return Send.from_json(self.written)

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.send.key

    @property
    def receipt(self) -> Receipt | None:
        """What accepted it, as `send_message` would have returned it; None unless it was accepted."""
        if self.state != "accepted":
            return None
        send, said = self.send, None if self.drift else decode(self.answer, SendMessageResponse)
        return Receipt(
            send=send,
            results=said.results if said else [],
            errors=said.errors if said else [],
            attempts=send.attempts,
            drift=self.drift,
            raw=self.answer,
        )

    def __repr__(self) -> str:
        return f"Entry({self.reference!r}, {self.state}, tries={self.tries}, reason={self.reason!r})"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an accepted message came to for one of its recipients."""

    reference: str
    to: str
    outcome: Literal["accepted", "rejected", "unaccounted"]
    """unaccounted: the answer does not name the recipient as the request did."""
    messageId: str | None
    """Names the message to this recipient in webhooks."""


class Counts(msgspec.Struct, frozen=True):
    """How many entries stand where."""

    waiting: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0


class Terms(msgspec.Struct, frozen=True):
    """How long things last, in seconds."""

    lease: float = 30.0
    """How long an entry belongs to the drain that took it, unless it says that it is still at work."""
    retention: float = 12 * 3600.0
    """How long after the first doubtful attempt the API is trusted to know the key."""
    longest_pause: float = 60.0
    """How long an entry waits for its next try at the most."""


class Lease(msgspec.Struct, frozen=True):
    """An entry in the hands of one drain. `epoch` tells this lease from all others of the entry."""

    id: int
    epoch: int
    reference: str
    send: str
    """As `Send.to_json` wrote it."""
    taken_at: float
    """Seconds since the epoch."""
    in_doubt_since: float | None
    """Since when it may have been queued, before this lease; in seconds since the epoch."""
    tries: int
    """How often it was tried before."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a lease ended in."""

    lease: Lease
    state: State
    at: float
    """Seconds since the epoch."""
    due_at: float | None = None
    in_doubt_since: float | None = None
    tries: int
    reason: str | None = None
    answer: bytes = b""
    drift: str | None = None
    results: tuple[Result, ...] = ()


class Store(Protocol):
    """Where an outbox lives. Every method is one transaction: it is done and on disk when it returns, or not at all.

    Threads and processes call it at once. Times are seconds since the epoch. `lease` and `untold` are made for
    `SELECT ... FOR UPDATE SKIP LOCKED` on servers that have it.
    """

    def bind(self, account: Account) -> Account:
        """Return the account that all entries belong to: this one, unless there is another already."""
        ...

    def add(self, sends: Sequence[tuple[str, Send]], at: float) -> list[Entry]:
        """Store new entries, and return those that are there now, in the same order.

        Args:
            sends: References with what is to be sent under them.
            at: The time.

        Raises:
            InvalidCallError: A reference stands for another message; nothing is stored then.
        """
        ...

    def lease(self, limit: int, now: float, terms: Terms) -> list[Lease]:
        """Take entries that are due and in nobody's hands, those that are due longest first.

        Before it returns it is on disk that they may be sent from now on. An entry that has been in doubt for longer
        than `terms.retention` becomes unknown instead. A lease or a due time further ahead than there can be is of a
        clock that has been put back since, and counts as past.
        """
        ...

    def renew(self, leases: Sequence[Lease], until: float) -> None:
        """Keep entries that are still in these hands for longer."""
        ...

    def record(self, records: Sequence[Record], *, keeps: bool) -> list[bool]:
        """Store what leases ended in; tell for each whether it was still in these hands. If not, nothing changes.

        Args:
            records: What each came to.
            keeps: Whether the leases of entries that are settled now go on, for their callbacks.
        """
        ...

    def untold(self, limit: int, now: float, terms: Terms) -> list[tuple[Lease, Entry]]:
        """Take entries that are settled and whose callback has not returned yet."""
        ...

    def tell(self, leases: Sequence[Lease]) -> None:
        """Store that the callbacks of entries have returned."""
        ...

    def requeue(self, reference: str, send: Send, at: float, states: Sequence[State]) -> Entry | None:
        """Begin again with an entry in one of these states, with another key; None if it is in none of them."""
        ...

    def get(self, reference: str) -> Entry | None:
        """Return the entry with a reference."""
        ...

    def entries(self, state: State | None, after: int, limit: int) -> list[tuple[int, Entry]]:
        """Return entries with their ids, in the order of the ids, from the first one after `after`."""
        ...

    def results(self, name: Literal["reference", "messageId"], value: str) -> list[Result]:
        """Return the results of an entry or of a message."""
        ...

    def counts(self) -> Counts:
        """Return how many entries stand where."""
        ...

    def next_due(self) -> float | None:
        """Return when the next entry is due, or its lease ends; None if nothing waits."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def same_message(one: Send, other: Send) -> bool:
    """Tell whether two sends say the same, however their bytes were written: another version may order them anew."""
    if (one.operation_id, one.method, one.target) != (other.operation_id, other.method, other.target):
        return False
    return one.content == other.content or _said(one) == _said(other)


def _said(send: Send) -> Any:
    return decode_plain(send.content)
