"""What a try came to, and what is to be stored of it: the whole of the outbox's policy, without I/O."""

from datetime import UTC, datetime

import msgspec

from .._errors import (
    APIError,
    ClientClosedError,
    InvalidCallError,
    RedCloudError,
    SendOutcomeUnknown,
    TokenError,
    TokenUnavailableError,
    UnauthorizedError,
)
from .._retries import Attempt
from .._sending import Receipt, Send, recipients_of
from ._entries import Lease, Record, Result, State, Terms

FIRST_PAUSE = 1.0
"""Seconds before the second try at the most; each further one doubles it."""

LONGEST_REASON = 500
"""Characters of an error that are kept."""


def send_of(lease: Lease) -> Send:
    """Return what a lease is to send. That an earlier lease may have sent it counts as an attempt.

    Raises:
        InvalidCallError: What is stored is damaged, or of a newer version.
    """
    send = Send.from_json(lease.send)
    if lease.in_doubt_since is None:
        return send
    earlier = Attempt(
        at=datetime.fromtimestamp(lease.in_doubt_since, UTC),
        delay=0.0,
        outcome="an earlier try, whose end is not known",
        may_have_been_received=True,
    )
    return msgspec.structs.replace(send, attempts=(earlier,))


def account_error(error: BaseException | None) -> BaseException | None:
    """Return what is wrong with the account, or with more than that: all other messages would end in it as well.

    Args:
        error: What a try came to.

    Returns:
        The error to stop with; None if it is the message's own.
    """
    if isinstance(error, SendOutcomeUnknown):
        return account_error(error.last_error)
    if isinstance(error, TokenError):
        return None if error.temporary else error
    is_ours = isinstance(error, UnauthorizedError | ClientClosedError) or not isinstance(error, RedCloudError)
    return error if is_ours else None


def record_of(lease: Lease, outcome: Receipt | RedCloudError, at: float, terms: Terms, draw: float) -> Record:
    """Return what is to be stored of a try.

    Args:
        lease: Whose try it was.
        outcome: The receipt, or what the client raised.
        at: The time, in seconds since the epoch.
        terms: How long things last.
        draw: A random number from 0 to 1.
    """
    if isinstance(outcome, Receipt):
        return _accepted(lease, outcome, at)
    since = _in_doubt_since(lease, outcome)
    if account_error(outcome) is not None:
        return untouched(lease, at, since)
    reason, tries = str(outcome)[:LONGEST_REASON], lease.tries + 1
    if outcome.temporary:
        due = at + pause_after(tries, _retry_after(outcome), terms, draw)
        return Record(lease=lease, state="waiting", at=at, due_at=due, in_doubt_since=since, tries=tries, reason=reason)
    state: State = "refused" if since is None else "unknown"
    return Record(lease=lease, state=state, at=at, in_doubt_since=since, tries=tries, reason=reason)


def _in_doubt_since(lease: Lease, error: RedCloudError) -> float | None:
    """Return since when the message may have been queued; None if it certainly was not."""
    if isinstance(error, SendOutcomeUnknown):
        return lease.taken_at if lease.in_doubt_since is None else lease.in_doubt_since
    if isinstance(error, InvalidCallError):
        return lease.in_doubt_since  # nothing left now, which says nothing of what left before
    return None  # the client says so of all attempts, the earlier ones included


def untouched(lease: Lease, at: float, in_doubt_since: float | None) -> Record:
    """Return what is to be stored of a lease that came to nothing: it is due, as before."""
    return Record(lease=lease, state="waiting", at=at, due_at=at, in_doubt_since=in_doubt_since, tries=lease.tries)


def pause_after(tries: int, retry_after: float, terms: Terms, draw: float) -> float:
    """Return how long to wait before the next try.

    Args:
        tries: How many there were.
        retry_after: Seconds that the API asks for.
        terms: How long to wait at the most.
        draw: A random number from 0 to 1.

    Returns:
        Seconds: up to one after the first try, doubled by each, less by up to half; or what the API asks for.
    """
    pause = FIRST_PAUSE * 2.0 ** min(tries - 1, 10) * (1 - draw / 2)
    return min(max(retry_after, pause), terms.longest_pause)


def _retry_after(error: RedCloudError | None) -> float:
    if isinstance(error, SendOutcomeUnknown):
        return _retry_after(error.last_error)
    if isinstance(error, TokenUnavailableError | APIError):
        return error.retry_after or 0.0
    return 0.0


def _accepted(lease: Lease, receipt: Receipt, at: float) -> Record:
    return Record(
        lease=lease,
        state="accepted",
        at=at,
        tries=lease.tries + 1,
        answer=receipt.raw,
        drift=receipt.drift,
        results=tuple(_results(lease.reference, receipt)),
    )


def _results(reference: str, receipt: Receipt) -> list[Result]:
    named = {result.to: result.messageId for result in receipt.results}
    rejected = set(receipt.rejected)
    return [
        Result(
            reference=reference,
            to=to,
            outcome="accepted" if to in named else "rejected" if to in rejected else "unaccounted",
            messageId=named.get(to),
        )
        for to in recipients_of(receipt.send)
    ]
