"""The two clients: thin, since policy is in `_retries`, I/O in `_http`, the token's life in `_auth`."""
# No `from __future__ import annotations`: the signature of send_message is made from a TypedDict's required keys.

import os
import platform
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Self, TypeVar, Unpack, cast

import attrs

from . import _auth
from ._auth import Authorization, Token, TokenSource
from ._binding import Answer, AsyncMethods, InvalidRequest, Methods, Request, SendMessageFields, httpx, send_message
from ._errors import InvalidCallError, TokenError
from ._http import AsyncConnections, Connections, Patience, Wire
from ._retries import Authorize, Failure, Outcome, Reply, Step, Transmit, exchange
from ._sending import Account, Receipt, receipt, shows
from ._settings import (
    Options,
    Settings,
    checked_credential,
    checked_seconds,
    checked_url,
    from_environment,
    require_known,
    with_headers,
)
from ._version import __version__

T = TypeVar("T")


class _Client:
    """What both clients share: settings, the token, and how a request is made."""

    def __init__(
        self, base_url: str, client_id: str, client_secret: str, transport: object, settings: Settings
    ) -> None:
        require_known(type(self).__name__, settings, Settings)
        self._base_url = checked_url(base_url)
        self._account = Account(self._base_url, checked_credential("client_id", client_id))
        secret = checked_credential("client_secret", client_secret)
        self._headers = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip"}
        self._patience = Patience()
        self._apply(settings)
        verify, proxy = settings.get("verify", True), settings.get("proxy")
        self._wire = Wire(self._base_url, verify, proxy, transport)
        token_transport = settings.get("token_transport", transport)
        if token_transport is not None and not isinstance(token_transport, httpx.BaseTransport):
            raise ValueError("transport: tokens cannot use an asynchronous transport; give token_transport= as well.")
        self._token_connections = Connections(Wire(self._base_url, verify, proxy, token_transport))
        self._tokens = TokenSource(lambda: self._fetch_token(secret))
        self._is_copy = False
        self._closed = threading.Event()  # shared with the copies

    @classmethod
    def from_env(cls, **settings: Unpack[Settings]) -> Self:
        """Make a client from environment variables.

        REDCLOUD_BASE_URL, REDCLOUD_CLIENT_ID and REDCLOUD_CLIENT_SECRET; or else BASE_URL, RC_CLIENT_ID and
        RC_CLIENT_SECRET, the names of the API's quickstart. All three are of one family.

        Args:
            settings: As the client itself takes them.

        Raises:
            ValueError: A variable of the family is missing.
        """
        base_url, client_id, client_secret = from_environment(os.environ)
        make = cast(Callable[..., Self], cls)
        return make(base_url, client_id=client_id, client_secret=client_secret, **settings)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Return a copy with other options; it shares connections and token, and closing it does nothing.

        Args:
            options: `timeout` and `deadline` in seconds, `headers` for every request beside those that are there.

        Raises:
            ValueError: A number of seconds is not positive, or a header is the SDK's own.
        """
        require_known("with_options", options, Options)
        changed = object.__new__(type(self))
        vars(changed).update(vars(self), _is_copy=True)
        changed._apply(options)
        return changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r}, client_id={self._account.client_id!r})"

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} holds a secret and connections: it cannot be pickled")

    def _apply(self, options: Options) -> None:
        self._patience = attrs.evolve(
            self._patience,
            read=checked_seconds("timeout", options.get("timeout", self._patience.read)),
            deadline=checked_seconds("deadline", options.get("deadline", self._patience.deadline)),
        )
        self._headers = with_headers(self._headers, options.get("headers", {}))

    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        try:
            return build(**arguments)
        except InvalidRequest as error:
            operation_id, violations = error.operation_id, error.violations
        raise InvalidCallError.of(operation_id, violations)

    def _begin(self, request: Request[T]) -> tuple[Generator[Step, Outcome, Reply[T]], float]:
        if self._closed.is_set():
            raise RuntimeError(f"this {type(self).__name__} is closed")
        return exchange(request, (), self._account), time.monotonic() + self._patience.deadline

    def _headers_of(self, step: Transmit) -> dict[str, str]:
        headers = {**self._headers, **step.request.headers}
        if step.authorization is not None:
            headers["Authorization"] = step.authorization.header
        return headers

    def _invalidate(self, step: Authorize) -> None:
        if step.rejected is not None:
            self._tokens.invalidate(step.rejected.generation)

    def _fetch_token(self, secret: str) -> Token:
        """Ask the token operation; what it raises comes from a frame that holds no secret."""
        return self._read_token(self._ask_for_token(secret))

    def _ask_for_token(self, secret: str) -> Answer | Failure:
        request, basic = _auth.token_request(self._account.client_id, secret)
        headers = {**self._headers, **request.headers, "Authorization": basic}
        ends_at = time.monotonic() + self._patience.deadline
        return self._token_connections.transmit(request, headers, self._patience, ends_at)

    def _read_token(self, outcome: Answer | Failure) -> Token:
        if isinstance(outcome, Failure):
            raise _auth.unavailable(f"{self._base_url} gave no answer: {outcome.reason}")
        return _auth.read_token(outcome)


class RedCloud(_Client, Methods):
    """The client of the Red Cloud CORE API.

    Threads may share it. It needs no `with`, which only closes its connections at the end.

    Args:
        base_url: The API host of your environment, such as `https://api.example.com`; plain http only on loopback.
        client_id: The id of the API client.
        client_secret: Its secret.
        transport: Another transport of the HTTP library, for tests for instance.
        settings: `timeout` and `deadline` in seconds, `headers`, `verify`, `proxy`, `token_transport`.

    Raises:
        ValueError: One of them cannot be right.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: str,
        transport: httpx.BaseTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(base_url, client_id, client_secret, transport, settings)
        self._connections = Connections(self._wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. A copy made by `with_options` leaves them open."""
        if not self._is_copy:
            self._closed.set()
            self._connections.close()
            self._token_connections.close()

    @shows(SendMessageFields)
    def send_message(self, *, idempotency_key: str, **message: Unpack[SendMessageFields]) -> Receipt:
        """Queue a message to one or more recipients.

        Args:
            message: The fields of the message, as the document names them.
            idempotency_key: Names this send. Make it once, store it, and use it again whenever you repeat the send.

        Returns:
            The receipt: the message was accepted, for all recipients or for some.

        Raises:
            SendOutcomeUnknown: The message may have been queued; repeat the same call.
            RedCloudError: Any other one: it was certainly not queued.
        """
        request = self._build(send_message.build, {"idempotency_key": idempotency_key, **message})
        return receipt(request, self._call(request))

    def _call(self, request: Request[T]) -> Reply[T]:
        steps, ends_at = self._begin(request)
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(cast(Outcome, outcome))
            except StopIteration as stop:
                return cast(Reply[T], stop.value)
            if isinstance(step, Authorize):
                outcome = self._authorize(step, ends_at)
            else:
                # The headers are in no variable: a traceback with locals would show the token.
                outcome = self._connections.transmit(step.request, self._headers_of(step), self._patience, ends_at)

    def _authorize(self, step: Authorize, ends_at: float) -> Authorization | TokenError:
        self._invalidate(step)
        try:
            return self._tokens.authorization(ends_at - time.monotonic())
        except TokenError as error:
            return error


class AsyncRedCloud(_Client, AsyncMethods):
    """The client of the Red Cloud CORE API for asyncio.

    Tasks may share it, and it may be used from several event loops, at once or in a row. It needs no `async with`,
    which only closes its connections at the end. A call that is cancelled goes on in the background: a cancelled send
    may have been queued, and its key settles it.

    Args:
        base_url: The API host of your environment, such as `https://api.example.com`; plain http only on loopback.
        client_id: The id of the API client.
        client_secret: Its secret.
        transport: Another transport of the HTTP library, for one event loop. Tokens use it too if it is a sync one as
            well, otherwise give `token_transport`.
        settings: `timeout` and `deadline` in seconds, `headers`, `verify`, `proxy`, `token_transport`.

    Raises:
        ValueError: One of them cannot be right.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: str,
        transport: httpx.AsyncBaseTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(base_url, client_id, client_secret, transport, settings)
        self._connections = AsyncConnections(self._wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for the requests under way in this event loop, up to the deadline; then close the connections.

        A copy made by `with_options` leaves them open.
        """
        if not self._is_copy:
            self._closed.set()
            await self._connections.aclose(self._patience.deadline)
            self._token_connections.close()

    @shows(SendMessageFields)
    async def send_message(self, *, idempotency_key: str, **message: Unpack[SendMessageFields]) -> Receipt:
        """Queue a message to one or more recipients.

        Args:
            message: The fields of the message, as the document names them.
            idempotency_key: Names this send. Make it once, store it, and use it again whenever you repeat the send.

        Returns:
            The receipt: the message was accepted, for all recipients or for some.

        Raises:
            SendOutcomeUnknown: The message may have been queued; repeat the same call.
            RedCloudError: Any other one: it was certainly not queued.
        """
        request = self._build(send_message.build, {"idempotency_key": idempotency_key, **message})
        return receipt(request, await self._call(request))

    async def _call(self, request: Request[T]) -> Reply[T]:
        steps, ends_at = self._begin(request)
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(cast(Outcome, outcome))
            except StopIteration as stop:
                return cast(Reply[T], stop.value)
            if isinstance(step, Authorize):
                outcome = await self._authorize(step, ends_at)
            else:
                attempt = self._connections.transmit(step.request, self._headers_of(step), self._patience, ends_at)
                outcome = await attempt

    async def _authorize(self, step: Authorize, ends_at: float) -> Authorization | TokenError:
        self._invalidate(step)
        try:
            return await self._tokens.authorization_async(ends_at - time.monotonic())
        except TokenError as error:
            return error


def _user_agent() -> str:
    return f"redcloud-core/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"
