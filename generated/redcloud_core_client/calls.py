# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What a call is: an operation of the document, the request that leaves, the answer that comes back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, Protocol, TypeVar

import attrs

__all__ = ["Answer", "AsyncCaller", "Caller", "Contents", "Operation", "Reply", "Request"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Contents = Mapping[str, Any]
"""Content types, each with the type that its body is decoded into; empty where there is no body."""


@attrs.frozen
class Operation(Generic[T]):
    """An operation of the document."""

    id: str
    """Its operationId."""
    method: str
    path: str
    """The path template, such as `/api/core/numbers/{numberId}`."""
    secured: bool
    """Whether it asks for the bearer token."""
    retry: Literal["safe", "keyed", "unsent"]
    """What may be sent again: anything (safe), anything under the same Idempotency-Key (keyed), only what never left."""
    success: Mapping[int | str, Contents]
    """Answers by status, by range (`2XX`) and `default`."""
    errors: Mapping[int | str, Contents]


@attrs.frozen
class Request(Generic[T]):
    """What leaves. It is made once and sent as it is in every attempt; only Authorization is added."""

    operation: Operation[T]
    target: str
    """Path and query."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class Answer:
    """What came back, read whole."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names in lower case."""
    content: bytes = attrs.field(repr=False)


class Reply(Protocol[T_co]):
    """What a call ends in."""

    @property
    def value(self) -> T_co:
        """What the answer says."""
        ...


class Caller(ABC):
    """What the generated methods need of a client."""

    @abstractmethod
    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        """Make the request of an operation."""

    @abstractmethod
    def _call(self, request: Request[T]) -> Reply[T]:
        """Send a request and read what comes back."""


class AsyncCaller(ABC):
    """What the generated asynchronous methods need of a client."""

    @abstractmethod
    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        """Make the request of an operation."""

    @abstractmethod
    async def _call(self, request: Request[T]) -> Reply[T]:
        """Send a request and read what comes back."""
