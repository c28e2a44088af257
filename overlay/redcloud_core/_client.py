"""The two clients: thin, since policy is in `_retries`, I/O in `_http`, the token's life in `_auth`."""
# No `from __future__ import annotations`: the signature of send_message is made from a TypedDict's required keys.

import copy
import ipaddress
import math
import os
import platform
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Self, TypedDict, TypeVar, Unpack, cast
from urllib.parse import urlsplit

import attrs

from . import _auth
from ._auth import Authorization, Token, TokenSource
from ._binding import AsyncMethods, InvalidRequest, Methods, Request, SendMessageFields, httpx, send_message
from ._errors import InvalidCallError, TokenError
from ._http import AsyncConnections, Connections, Patience, Wire
from ._retries import Authorize, Failure, Outcome, Reply, Step, Transmit, exchange
from ._sending import Account, Receipt, receipt, shows
from ._version import __version__

T = TypeVar("T")

_OWN_HEADERS = frozenset({"authorization", "content-type", "host", "idempotency-key", "content-length"})

# The SDK's own variables first, then those of the API's quickstart; never a mixture.
_ENVIRONMENT = (
    ("REDCLOUD_BASE_URL", "REDCLOUD_CLIENT_ID", "REDCLOUD_CLIENT_SECRET"),
    ("BASE_URL", "RC_CLIENT_ID", "RC_CLIENT_SECRET"),
)


class Options(TypedDict, total=False):
    """What `with_options` changes."""

    timeout: float
    """Seconds that no byte may come; 30 at first."""
    deadline: float
    """Seconds that a whole call may take, the token included; 45 at first."""
    headers: Mapping[str, str]
    """More headers for every request."""


class Settings(Options, total=False):
    """What both clients take besides where the API is and who asks."""

    verify: ssl.SSLContext | bool
    """The TLS context, or whether certificates are verified."""
    proxy: str
    """The URL of a proxy, instead of those that the environment names."""
    token_transport: httpx.BaseTransport
    """Another transport for the token operation."""


class _Client:
    """What both clients share: settings, the token, and how a request is made."""

    def __init__(
        self, base_url: str, client_id: str, client_secret: str, transport: object, settings: Settings
    ) -> None:
        self._base_url = _checked_url(base_url)
        self._account = Account(self._base_url, _checked_credential("client_id", client_id))
        secret = _checked_credential("client_secret", client_secret)
        self._headers: dict[str, str] = {"User-Agent": _user_agent()}
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
        self._closed = False

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
        base_url, client_id, client_secret = _from_environment(os.environ)
        make = cast(Callable[..., Self], cls)
        return make(base_url, client_id=client_id, client_secret=client_secret, **settings)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Return a copy with other options; it shares connections and token, and closing it does nothing.

        Args:
            options: `timeout` and `deadline` in seconds, `headers` for every request beside those that are there.

        Raises:
            ValueError: A number of seconds is not positive, or a header is the SDK's own.
        """
        changed = copy.copy(self)
        changed._is_copy = True
        changed._apply(options)
        return changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r}, client_id={self._account.client_id!r})"

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} holds a secret and connections: it cannot be pickled")

    def _apply(self, options: Options) -> None:
        timeout, deadline = (
            options.get("timeout", self._patience.read),
            options.get("deadline", self._patience.deadline),
        )
        _require_seconds("timeout", timeout)
        _require_seconds("deadline", deadline)
        self._patience = attrs.evolve(self._patience, read=timeout, deadline=deadline)
        added = options.get("headers", {})
        for name, value in added.items():
            _require_header(name, value)
        self._headers = {**self._headers, **added}

    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        try:
            return build(**arguments)
        except InvalidRequest as error:
            operation_id, violations = error.operation_id, error.violations
        raise InvalidCallError.of(operation_id, violations)

    def _begin(self, request: Request[T]) -> tuple[Generator[Step, Outcome, Reply[T]], float]:
        if self._closed:
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
        request, basic = _auth.token_request(self._account.client_id, secret)
        headers = {**self._headers, **request.headers, "Authorization": basic}
        ends_at = time.monotonic() + self._patience.deadline
        outcome = self._token_connections.transmit(request, headers, self._patience, ends_at)
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
            self._closed = True
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
                headers = self._headers_of(step)
                outcome = self._connections.transmit(step.request, headers, self._patience, ends_at)

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
            self._closed = True
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
                headers = self._headers_of(step)
                outcome = await self._connections.transmit(step.request, headers, self._patience, ends_at)

    async def _authorize(self, step: Authorize, ends_at: float) -> Authorization | TokenError:
        self._invalidate(step)
        try:
            return await self._tokens.authorization_async(ends_at - time.monotonic())
        except TokenError as error:
            return error


def _checked_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"base_url: must be a URL such as https://api.example.com, not {_shown(base_url)}.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("base_url: must hold no credentials, query or fragment, only the host and perhaps a path.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(
            f"base_url: must begin with https://, since the secret and tokens would go in the clear to "
            f"{parts.hostname}; plain http is for loopback only."
        )
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_credential(name: str, value: str) -> str:
    if not value:
        raise ValueError(f"{name}: must not be empty.")
    if not value.isprintable():
        raise ValueError(f"{name}: must not hold control characters, such as a line break at its end.")
    return value


def _require_seconds(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name}: must be a positive number of seconds, not {value!r}.")


def _require_header(name: str, value: str) -> None:
    if name.lower() in _OWN_HEADERS:
        raise ValueError(f"headers: {name} is set by the SDK itself.")
    if not (name + value).isascii() or not value.isprintable() or not name.replace("-", "").isalnum():
        raise ValueError(f"headers: the name and value of {_shown(name)} must be printable ASCII.")


def _from_environment(environment: Mapping[str, str]) -> tuple[str, str, str]:
    own, quickstart = _ENVIRONMENT
    # BASE_URL is everybody's variable: alone it says nothing, and a secret must not follow it by accident.
    family = own if any(environment.get(name) for name in own) else quickstart
    missing = [name for name in family if not environment.get(name)]
    if missing:
        raise ValueError(f"environment: {', '.join(missing)} must be set; use {', '.join(own)} together.")
    base_url, client_id, client_secret = (environment[name] for name in family)
    return base_url, client_id, client_secret


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:37]}...")


def _user_agent() -> str:
    return f"redcloud-core/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"
