"""A send as something that can be kept, and what becomes of it."""

import hashlib
import inspect
import json
import typing
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from ._binding import (
    UNSET,
    Request,
    SendError,
    SendMessageResponse,
    SendResult,
    decode_plain,
    is_array,
    is_object,
    send_message,
    to_builtins,
)
from ._errors import InvalidCallError, RecipientsRejectedError
from ._idempotency import KEY_HEADER, IdempotencyKey, checked_key
from ._retries import Attempt, Reply

FORMAT = 1
"""The version of the form in which a send is kept; another one needs a step in the schema of the outbox as well."""

F = TypeVar("F", bound=Callable[..., Any])


class Account(msgspec.Struct, frozen=True):
    """Whose send it is: a send of one account is never sent under another."""

    base_url: str
    client_id: str


class Send(msgspec.Struct, frozen=True):
    """One business operation under one idempotency key, as the bytes that leave in every attempt.

    It holds the text of the message and the recipients, but no secret and no token. Keep it, pickled or as `to_json`
    writes it, to go on after a crash: `resume` of either client takes it.
    """

    key: str
    operation_id: str
    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    content: bytes
    account: Account | None = None
    """Whose it is; None until a client takes it."""
    attempts: tuple[Attempt, ...] = ()
    format: int = FORMAT
    """The version of this form."""

    def __repr__(self) -> str:
        whose = f"account={self.account!r}, attempts={self.attempts!r}"
        return f"Send({self.operation_id}, key={self.key!r}, {whose})"  # its text is nobody's business

    def to_json(self) -> str:
        """Return the send as JSON. The body is in base64, since it must leave as it is."""
        plain = {
            "format": self.format,
            "key": self.key,
            "operation_id": self.operation_id,
            "method": self.method,
            "target": self.target,
            "headers": dict(self.headers),
            "content": b64encode(self.content).decode("ascii"),
            "account": msgspec.structs.asdict(self.account) if self.account is not None else None,
            "attempts": [
                {**msgspec.structs.asdict(attempt), "at": attempt.at.isoformat()} for attempt in self.attempts
            ],
        }
        return json.dumps({**plain, "digest": _digest(plain)})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Send":
        """Return the send that `to_json` wrote.

        Raises:
            InvalidCallError: It is damaged, or of a newer version of this SDK.
        """
        try:
            plain = json.loads(text)
            version = plain["format"]
            send = _send(plain) if version == FORMAT else None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise InvalidCallError.at("send", "is damaged: it is not as `to_json` wrote it") from None
        if send is None:
            raise InvalidCallError.at("send", f"has format {version!r}, this SDK knows {FORMAT}: use a newer one")
        return send


class Receipt(msgspec.Struct, frozen=True):
    """An accepted send. QUEUED means accepted into Red Cloud's queue; whether it arrived is told later by webhook."""

    send: Send
    """What was sent."""
    results: list[SendResult]
    """One entry an accepted recipient, each with its `messageId`."""
    errors: list[SendError]
    """One entry a recipient that was not accepted."""
    attempts: tuple[Attempt, ...]
    drift: str | None
    """Where the answer differs from the document, and how; then `results` and `errors` are empty and `raw` holds it."""
    raw: bytes
    """The answer's body as it came."""

    def __repr__(self) -> str:
        said = f"results={self.results!r}, errors={self.errors!r}, drift={self.drift!r}"
        return f"Receipt(key={self.key!r}, {said}, attempts={self.attempts!r})"

    @property
    def key(self) -> str:
        """The idempotency key."""
        return self.send.key

    @property
    def accepted(self) -> list[str]:
        """The recipients that `results` names, in the order of the request."""
        named = {result.to for result in self.results}
        return [recipient for recipient in recipients_of(self.send) if recipient in named]

    @property
    def rejected(self) -> list[str]:
        """The recipients that `errors` names literally, in the order of the request; none that was accepted as well."""
        named = set(_texts(to_builtins(self.errors)))
        accepted = set(self.accepted)
        return [recipient for recipient in recipients_of(self.send) if recipient in named - accepted]

    @property
    def unaccounted(self) -> list[str]:
        """The recipients that the answer does not name as the request did: whether they were accepted is not known."""
        named = {*self.accepted, *self.rejected}
        return [recipient for recipient in recipients_of(self.send) if recipient not in named]

    def raise_for_rejected(self) -> None:
        """Do nothing if the API rejected no recipient.

        Raises:
            RecipientsRejectedError: It did; the message is queued for the others all the same.
        """
        if self.rejected:
            error = RecipientsRejectedError(
                f"{self.send.operation_id}: {len(self.rejected)} of {len(recipients_of(self.send))} recipients were "
                "rejected; the message is queued for the others. `.receipt.errors` says why; retry_rejected(receipt) "
                "sends it to them again, under a key of its own."
            )
            error.receipt, error.attempts = self, self.attempts
            raise error


def send_of(request: Request[Any], account: Account | None, attempts: tuple[Attempt, ...]) -> Send:
    """Return a request under an idempotency key as a send that can be kept."""
    return Send(
        key=request.headers[KEY_HEADER],
        operation_id=request.operation.id,
        method=request.operation.method,
        target=request.target,
        headers=request.headers,
        content=request.content,
        account=account,
        attempts=attempts,
    )


def request_of(send: Send, account: Account) -> Request[SendMessageResponse]:
    """Return the request of a send, the same bytes.

    Args:
        send: What another call, or another process, has kept.
        account: Who is to go on with it.

    Raises:
        InvalidCallError: It cannot be gone on with: it is no send of this version, of this account, of a message.
    """
    problem = _problem_of(send, account)
    if problem is not None:
        raise InvalidCallError.at("send", problem)
    checked_key(send.key)
    return Request(send_message.OPERATION, send.target, dict(send.headers), send.content)


def receipt_of(request: Request[SendMessageResponse], reply: Reply[SendMessageResponse], account: Account) -> Receipt:
    """Return the receipt for an accepted message."""
    said = None if reply.drift else reply.value
    return Receipt(
        send=send_of(request, account, reply.attempts),
        results=said.results if said else [],
        errors=said.errors if said else [],
        attempts=reply.attempts,
        drift=reply.drift,
        raw=reply.answer.content,
    )


def rejected_again(done: Receipt, to: Sequence[str] | None) -> dict[str, Any]:
    """Return the keywords of the send that is to reach recipients who were rejected.

    Args:
        done: The receipt that says who was.
        to: Who is to be tried again; None for all that were rejected.

    Returns:
        The message's own fields, `to` replaced, and a key derived from the first one and the recipients: the same ones
        give the same key.

    Raises:
        InvalidCallError: There is nobody to try again, or somebody who may get the message twice.
    """
    if to is None and done.unaccounted:
        reason = (
            f"leaves {len(done.unaccounted)} recipients unaccounted for; give `to`: those who are to be tried again"
        )
        raise InvalidCallError.at("receipt", reason)
    wanted, possible = done.rejected if to is None else to, {*done.rejected, *done.unaccounted}
    others = [place for place, recipient in enumerate(wanted) if recipient not in possible]
    if others:
        raise InvalidCallError.at(f"to[{others[0]}]", "was not rejected: the message would go there twice")
    if not wanted:
        raise InvalidCallError.at("receipt", "names nobody who was rejected: there is nothing to send again")
    # In the order of the request: the same recipients are the same bytes, and the same key, in whatever order given.
    again = [recipient for recipient in recipients_of(done.send) if recipient in wanted]
    message: dict[str, Any] = decode_plain(done.send.content)
    key = IdempotencyKey.derive(done.key, *again, namespace="retry_rejected")
    return {**message, "to": again, "idempotency_key": key}


def recipients_of(send: Send) -> list[str]:
    """Return the recipients of a send, each of them once, in the order of the request."""
    recipients: list[str] = decode_plain(send.content)["to"]
    return list(dict.fromkeys(recipients))


def _send(plain: dict[str, Any]) -> Send:
    """Return a send of this version; any of Python's errors says that it is damaged."""
    if plain.pop("digest") != _digest(plain):
        raise ValueError("another digest")
    account, attempts = plain["account"], plain["attempts"]
    read: dict[str, Any] = {
        "content": b64decode(plain["content"], validate=True),
        "account": None if account is None else Account(**account),
        "attempts": tuple(map(_attempt, attempts)),
    }
    return Send(**{**plain, **read})


def _attempt(entry: dict[str, Any]) -> Attempt:
    read: dict[str, Any] = {**entry, "at": datetime.fromisoformat(entry["at"])}
    return Attempt(**read)


def _digest(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _problem_of(send: object, account: Account) -> str | None:
    if not isinstance(send, Send):
        return "must be a Send, such as the one of a SendOutcomeUnknown"
    if send.format != FORMAT:
        return f"has format {send.format!r}, this SDK knows {FORMAT}: use a newer one"
    if send.account not in (None, account):
        return "belongs to another account: base_url and client_id must be those that it was first sent with"
    operation = send_message.OPERATION
    if (send.operation_id, send.method, send.target) != (operation.id, operation.method, operation.path):
        return f"is none of {operation.id}: repeat the call itself, with its key"
    if send.headers.get(KEY_HEADER) != send.key or not send.content:
        return "is damaged: key and headers disagree, or the body is missing"
    return None


def _texts(plain: object) -> Iterator[str]:
    """Yield every text in plain data: the shape of an item of `errors` is not documented."""
    if isinstance(plain, str):
        yield plain
    elif is_object(plain):
        for value in plain.values():
            yield from _texts(value)
    elif is_array(plain):
        for value in plain:
            yield from _texts(value)


def shows(fields: type[Any]) -> Callable[[F], F]:
    """Show the keywords of a TypedDict in a method's signature, where `**` hides them from `help()`.

    Args:
        fields: The TypedDict that the method unpacks.
    """
    hints = typing.get_type_hints(fields)
    required = cast(frozenset[str], vars(fields)["__required_keys__"])
    keywords = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hint,
            default=inspect.Parameter.empty if name in required else UNSET,
        )
        for name, hint in hints.items()
    ]

    def show(method: F) -> F:
        signature = inspect.signature(method)
        own = [found for found in signature.parameters.values() if found.kind is not inspect.Parameter.VAR_KEYWORD]
        shown = signature.replace(parameters=[own[0], *keywords, *own[1:]])
        vars(method)["__signature__"] = shown
        return method

    return show
