"""What both clients share, and `RedCloud`: thin, since policy is in `_retries`, I/O in `_http`, tokens in `_auth`."""
# No `from __future__ import annotations`: the signature of send_message is made from a TypedDict's required keys.

import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack, cast

import msgspec

from . import _requests
from ._auth import Authorization, TokenSource, TokenState
from ._binding import (
    Methods,
    Operation,
    Request,
    SendMessageFields,
    SendMessageResponse,
    UpdatedNumber,
    UpdateNumberFields,
    httpx,
    send_message,
    update_number,
)
from ._chance import chance
from ._errors import ClientClosedError, RedCloudError, TokenError
from ._guards import GuardViolation
from ._http import Connections, Headers, Patience, Wire
from ._idempotency import Doubt, KeyMemory
from ._preflight import PATIENCE, NumberBook, preflight
from ._retries import Attempt, Authorize, Outcome, Policy, Reply, Step, Transmit, Wait, exchange, is_keyed
from ._secrets import Secret
from ._sending import Account, Receipt, Send, receipt_of, rejected_again, request_of, shows
from ._settings import (
    Options,
    Settings,
    checked_auth_method,
    checked_cache,
    checked_count,
    checked_credential,
    checked_seconds,
    checked_secret_source,
    checked_switch,
    checked_url,
    environment_family,
    hidden,
    require_known,
    with_headers,
)
from ._token_cache import MemoryTokenCache
from ._token_endpoint import TokenEndpoint
from ._version import __version__

T = TypeVar("T")


class Client:
    """What both clients share: settings, the token, and how a request is made."""

    _draw: Callable[[], float] = staticmethod(chance)
    """Draws the pauses between attempts."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: Secret | Callable[[], str],
        transport: object,
        settings: Settings,
    ) -> None:
        require_known(type(self).__name__, settings, Settings)
        self._base_url = checked_url(base_url)
        self._account = Account(self._base_url, checked_credential("client_id", client_id))
        secret = checked_secret_source(client_secret)
        self._headers = {"User-Agent": _user_agent(), "Accept": "*/*", "Accept-Encoding": "gzip"}
        self._patience = Patience()
        self._attempts = 4
        self._guards, self._preflight = True, False
        self._keys = KeyMemory()
        self._numbers = NumberBook()
        self._apply(settings)
        verify, proxy = settings.get("verify", True), settings.get("proxy")
        if transport is not None and proxy is not None:
            raise ValueError("proxy: a transport of your own goes its own way; give the proxy to the transport.")
        self._wire = Wire(self._base_url, verify, proxy, transport)
        token_transport = settings.get("token_transport", transport)
        if token_transport is not None and not isinstance(token_transport, httpx.BaseTransport):
            raise ValueError("transport: tokens cannot use an asynchronous transport; give token_transport= as well.")
        self._token_connections = Connections(Wire(self._base_url, verify, proxy, token_transport))
        endpoint = TokenEndpoint(
            self._token_connections,
            self._base_url,
            client_id,
            secret,
            method=checked_auth_method(settings.get("token_endpoint_auth_method", "client_secret_basic")),
            headers=self._headers,
            patience=self._patience,
        )
        self._tokens = TokenSource(endpoint, checked_cache(settings.get("token_cache", MemoryTokenCache())))
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
        # The names alone: a traceback with the variables of all frames would show the values.
        base_url, client_id, client_secret = environment_family({name for name in os.environ if os.environ[name]})
        make = cast(Callable[..., Self], cls)
        return make(
            os.environ[base_url], client_id=os.environ[client_id], client_secret=os.environ[client_secret], **settings
        )

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Return a copy with other options; it shares connections and token, and closing it does nothing.

        Args:
            options: `timeout` and `deadline` in seconds, `attempts`, `headers` for every request beside those that
                are there, `guards` and `preflight`.

        Raises:
            ValueError: A number is not positive, or a header is the SDK's own.
        """
        require_known("with_options", options, Options)
        changed = object.__new__(type(self))
        vars(changed).update(vars(self), _is_copy=True)
        changed._apply(options)
        return changed

    @property
    def account(self) -> Account:
        """Whose client it is: the base URL and the client id."""
        return self._account

    def token_state(self) -> TokenState:
        """Tell about the client's token, for logs and health checks; nothing of it is a secret."""
        return self._tokens.state()

    def __repr__(self) -> str:
        account = vars(self).get("_account")  # none while it is made, when a traceback may show it
        shown = f"{account.base_url!r}, client_id={account.client_id!r}" if account is not None else "..."
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} holds a secret and connections: it cannot be copied or pickled")

    def _apply(self, options: Options) -> None:
        self._patience = msgspec.structs.replace(
            self._patience,
            read=checked_seconds("timeout", options.get("timeout", self._patience.read)),
            deadline=checked_seconds("deadline", options.get("deadline", self._patience.deadline)),
        )
        self._attempts = checked_count("attempts", options.get("attempts", self._attempts))
        self._headers = with_headers(self._headers, options.get("headers", {}))
        self._guards = checked_switch("guards", options.get("guards", self._guards))
        self._preflight = checked_switch("preflight", options.get("preflight", self._preflight))

    def _build(self, build: Callable[..., Request[T]], arguments: Mapping[str, Any]) -> Request[T]:
        return _requests.build(build, arguments)

    def _build_guarded(
        self,
        operation: Operation[T],
        build: Callable[..., Request[T]],
        arguments: Mapping[str, Any],
        known: GuardViolation | None = None,
        **options: bool,
    ) -> Request[T]:
        return _requests.build_guarded(operation, build, arguments, known, guards=self._guards, **options)

    def _begin(
        self, request: Request[T], earlier: tuple[Attempt, ...]
    ) -> tuple[Generator[Step, Outcome, Reply[T]], float]:
        if self._closed.is_set():
            raise ClientClosedError(f"this {type(self).__name__} is closed: nothing was sent")
        doubt = self._keys.doubt_of(request) if is_keyed(request) else Doubt()
        policy = Policy(self._account, self._attempts, self._draw)
        return exchange(request, earlier, doubt, policy), time.monotonic() + self._patience.deadline

    def _for_preflight(self) -> Self:
        return self.with_options(deadline=min(PATIENCE, self._patience.deadline), attempts=1)

    def _headers_of(self, step: Transmit) -> Headers:
        headers = Headers({**self._headers, **step.request.headers})
        if step.authorization is not None:
            headers["Authorization"] = step.authorization.header
        return headers

    def _invalidate(self, step: Authorize) -> None:
        if step.rejected is not None:
            self._tokens.invalidate(step.rejected.generation)


class RedCloud(Client, Methods):
    """The client of the Red Cloud CORE API.

    Threads may share it. It needs no `with`, which only closes its connections at the end.

    Args:
        base_url: The API host of your environment, such as `https://api.example.com`; plain http only on loopback.
        client_id: The id of the API client.
        client_secret: Its secret; or a function that returns the secret of the moment, asked for each new token.
        transport: Another transport of the HTTP library, for tests for instance.
        settings: `timeout` and `deadline` in seconds, `attempts`, `headers`, `guards`, `preflight`, `verify`, `proxy`,
            `token_transport`, `token_cache`, `token_endpoint_auth_method`.

    Raises:
        ValueError: One of them cannot be right.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: str | Callable[[], str],
        transport: httpx.BaseTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        secret = hidden(client_secret)
        del client_secret  # a traceback with the variables of this frame would show it
        super().__init__(base_url, client_id, secret, transport, settings)
        # The token's connection is the first request's as well, unless the tokens go another way.
        shared = settings.get("token_transport", transport) is transport
        self._connections = self._token_connections if shared else Connections(self._wire)

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

        It is attempted until it is answered, with the same bytes under the same key, so that it is queued once.

        Args:
            message: The fields of the message, as the document names them.
            idempotency_key: Names this send. Make it once, store it, and use it again whenever you repeat the send.

        Returns:
            The receipt: the message was accepted, for all recipients or for some.

        Raises:
            SendOutcomeUnknown: The message may have been queued; repeat the same call, or `resume` its `send`.
            RedCloudError: Any other one: it was certainly not queued.
        """
        known = self._check_number(message) if self._preflight else None
        arguments = {"idempotency_key": idempotency_key, **message}
        return self._send(self._build_guarded(send_message.OPERATION, send_message.build, arguments, known), ())

    @shows(UpdateNumberFields)
    def update_number(
        self, *, numberId: str, clear_campaign: bool = False, **update: Unpack[UpdateNumberFields]
    ) -> UpdatedNumber:
        """Change settings of a number. What is left out stays as it is.

        Args:
            numberId: The number's id, such as `num_abc123`.
            clear_campaign: Says that `campaignregId=None` is meant: a number without a campaign cannot send.
            update: The settings, as the document names them. The request spells `campaignregId`; a number that is
                read has `campaignRegId`.

        Returns:
            What the API answers; the document names none of its fields.

        Raises:
            RedCloudError: The call failed.
        """
        request = self._build_guarded(
            update_number.OPERATION,
            update_number.build,
            {"numberId": numberId, **update},
            clear_campaign=clear_campaign,
        )
        try:
            return self._call(request).value
        finally:
            self._numbers.forget()

    def resume(self, send: Send) -> Receipt:
        """Go on with a send whose outcome is not known, with its own key and bytes.

        Args:
            send: The `send` of a `SendOutcomeUnknown`, kept in this process or in another one, for the same account.

        Returns:
            The receipt, the same one that an earlier attempt would have got.

        Raises:
            SendOutcomeUnknown: It is still not known.
            RedCloudError: Any other one: the message was certainly not queued.
        """
        return self._send(request_of(send, self._account), send.attempts)

    def retry_rejected(self, receipt: Receipt, *, to: Sequence[str] | None = None) -> Receipt:
        """Send an accepted message again to recipients who were rejected, as a send of its own.

        Its key is derived from the first one and the recipients, so that this call can be repeated as well.

        Args:
            receipt: What the first send ended in.
            to: Who is to be tried again; at first all that were rejected. It must be given if recipients are
                unaccounted for, since the message may be on its way to them.

        Returns:
            The receipt of the new send.

        Raises:
            InvalidCallError: There is nobody to try again, or the message would go to somebody twice.
            SendOutcomeUnknown: As for `send_message`.
            RedCloudError: Any other one: the new message was certainly not queued.
        """
        return self._send(self._build(send_message.build, rejected_again(receipt, to)), ())

    def _check_number(self, message: Mapping[str, Any]) -> GuardViolation | None:
        steps, numbers = preflight(self._numbers, message), None
        while True:
            try:
                steps.send(numbers)
            except StopIteration as stop:
                return cast(GuardViolation | None, stop.value)
            try:
                numbers = self._for_preflight().list_numbers().numbers
            except RedCloudError:
                numbers = None

    def _send(self, request: Request[SendMessageResponse], earlier: tuple[Attempt, ...]) -> Receipt:
        return receipt_of(request, self._call(request, earlier), self._account)

    def _call(self, request: Request[T], earlier: tuple[Attempt, ...] = ()) -> Reply[T]:
        steps, ends_at = self._begin(request, earlier)
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(cast(Outcome, outcome))
            except StopIteration as stop:
                return cast(Reply[T], stop.value)
            if isinstance(step, Authorize):
                outcome = self._authorize(step, ends_at)
            elif isinstance(step, Wait):
                outcome = self._wait(step, ends_at)
            else:
                outcome = self._connections.transmit(step.request, self._headers_of(step), self._patience, ends_at)

    def _authorize(self, step: Authorize, ends_at: float) -> Authorization | TokenError:
        self._invalidate(step)
        try:
            return self._tokens.authorization(ends_at - time.monotonic())
        except TokenError as error:
            return error

    def _wait(self, step: Wait, ends_at: float) -> bool:
        if step.seconds >= ends_at - time.monotonic():
            return False
        time.sleep(step.seconds)
        return True


def _user_agent() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"redcloud-core/{__version__} python/{python} httpx/{httpx.__version__}"
