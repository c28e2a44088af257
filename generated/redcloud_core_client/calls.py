# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What a call is: an operation of the document, the request that leaves, the answer that comes back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

__all__ = ["Answer", "Answers", "AsyncCaller", "Caller", "Contents", "Operation", "Reply", "Request"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Contents = Mapping[str, Any]
"""Content types, each with the type that its body is decoded into; empty where there is no body."""

Answers = Mapping[int | str, Contents]
"""Contents by status, by range (`2XX`) and `default`."""


class Operation(msgspec.Struct, Generic[T], frozen=True):
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
    success: Answers
    errors: Callable[[], Answers]
    """A function, so that the models of errors are imported when one comes."""


class Request(msgspec.Struct, Generic[T], frozen=True):
    """What leaves. It is made once and sent as it is in every attempt; only Authorization is added."""

    operation: Operation[T]
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        return f"Request({self.operation.id}, {self.target!r})"


class Answer(msgspec.Struct, frozen=True):
    """What came back, read whole."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status})"


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
