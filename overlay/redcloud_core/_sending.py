"""A send as something that can be kept, and what becomes of it."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import attrs

from ._binding import UNSET, Request, SendError, SendMessageResponse, SendResult
from ._retries import Attempt, Reply

KEY_HEADER = "Idempotency-Key"

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class Account:
    """Whose send it is: a send of one account is never sent under another."""

    base_url: str
    client_id: str


@attrs.frozen
class Send:
    """One business operation under one idempotency key, as the bytes that leave in every attempt.

    It holds the text of the message and the recipients, but no secret and no token.
    """

    key: str
    operation_id: str
    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    account: Account | None = None
    attempts: tuple[Attempt, ...] = ()
    format: int = 1
    """The version of this form."""


@attrs.frozen
class Receipt:
    """An accepted send. QUEUED means accepted into Red Cloud's queue; whether it arrived is told later by webhook."""

    key: str
    results: list[SendResult]
    """One entry an accepted recipient, each with its `messageId`."""
    errors: list[SendError]
    """One entry a recipient that was not accepted."""
    attempts: tuple[Attempt, ...]
    drift: str | None
    """Where the answer differs from the document, and how; then `results` and `errors` are empty and `raw` holds it."""
    raw: bytes = attrs.field(repr=False)
    """The answer's body as it came."""


def send_of(request: Request[Any], account: Account, attempts: tuple[Attempt, ...]) -> Send:
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


def receipt(request: Request[SendMessageResponse], reply: Reply[SendMessageResponse]) -> Receipt:
    """Return the receipt for an accepted message."""
    said = None if reply.drift else reply.value
    return Receipt(
        key=request.headers[KEY_HEADER],
        results=said.results if said else [],
        errors=said.errors if said else [],
        attempts=reply.attempts,
        drift=reply.drift,
        raw=reply.answer.content,
    )


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
