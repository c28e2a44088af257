# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Clients without policy: one attempt, the caller's own Authorization.

Callers of the API want `redcloud_core`, which adds the token's life, safe sending and guards.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

import msgspec

from .answers import read
from .calls import Answer, Request
from .http_library import httpx
from .methods import AsyncMethods, AsyncOwnMethods, Methods, OwnMethods

__all__ = ["AsyncClient", "Client", "Reply"]

T = TypeVar("T")

TIMEOUT = 30.0
"""Seconds that a connection, a read or a write may take."""


class Reply(msgspec.Struct, Generic[T], frozen=True):
    """What a call ends in: the answer and what it says."""

    answer: Answer
    value: T


class Client(Methods, OwnMethods):
    """A client without policy.

    Args:
        base_url: Where the API is, such as `https://api.example.com`.
        authorization: The header for operations that ask for a token, such as `Bearer ...`.
        headers: More headers for every request.
        timeout: Seconds that a connection, a read or a write may take.
        transport: Another transport of the HTTP library, for tests for instance.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._authorization = authorization
        self._http = httpx.Client(headers=headers, timeout=timeout, transport=transport, follow_redirects=False)

    def __repr__(self) -> str:
        return f"Client({self._base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        return build(**arguments)

    def _call(self, request: Request[T]) -> Reply[T]:
        got = self._http.request(
            request.operation.method,
            self._base_url + request.target,
            headers=_headers(request, self._authorization),
            content=request.content,
        )
        answer = _answer(got)
        return Reply(answer, read(request.operation, answer))


class AsyncClient(AsyncMethods, AsyncOwnMethods):
    """An asynchronous client without policy.

    Args:
        base_url: Where the API is, such as `https://api.example.com`.
        authorization: The header for operations that ask for a token, such as `Bearer ...`.
        headers: More headers for every request.
        timeout: Seconds that a connection, a read or a write may take.
        transport: Another transport of the HTTP library, for tests for instance.
    """

    def __init__(
        self,
        base_url: str,
        *,
        authorization: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._authorization = authorization
        self._http = httpx.AsyncClient(headers=headers, timeout=timeout, transport=transport, follow_redirects=False)

    def __repr__(self) -> str:
        return f"AsyncClient({self._base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        return build(**arguments)

    async def _call(self, request: Request[T]) -> Reply[T]:
        got = await self._http.request(
            request.operation.method,
            self._base_url + request.target,
            headers=_headers(request, self._authorization),
            content=request.content,
        )
        answer = _answer(got)
        return Reply(answer, read(request.operation, answer))


def _headers(request: Request[Any], authorization: str | None) -> dict[str, str]:
    if authorization is None or not request.operation.secured:
        return dict(request.headers)
    return {**request.headers, "Authorization": authorization}


def _answer(got: httpx.Response) -> Answer:
    return Answer(got.status_code, {name.lower(): value for name, value in got.headers.items()}, got.content)
