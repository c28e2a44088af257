"""`AsyncRedCloud`: the same as `RedCloud`, word for word, with `await`. Apart, because asyncio takes long to import."""
# No `from __future__ import annotations`: the signature of send_message is made from a TypedDict's required keys.

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack, cast

from ._async_http import AsyncConnections
from ._auth import Authorization
from ._binding import (
    AsyncMethods,
    Request,
    SendMessageFields,
    SendMessageResponse,
    UpdatedNumber,
    UpdateNumberFields,
    httpx,
    send_message,
    update_number,
)
from ._client import Client
from ._errors import RedCloudError, TokenError
from ._guards import GuardViolation
from ._preflight import preflight
from ._retries import Attempt, Authorize, Outcome, Reply, Wait
from ._sending import Receipt, Send, receipt_of, rejected_again, request_of, shows
from ._settings import Settings, hidden

T = TypeVar("T")


class AsyncRedCloud(Client, AsyncMethods):
    """The client of the Red Cloud CORE API for asyncio.

    Tasks may share it, and it may be used from several event loops, at once or in a row. It needs no `async with`,
    which only closes its connections at the end. A call that is cancelled goes on in the background: a cancelled send
    may have been queued, and its key settles it.

    Args:
        base_url: The API host of your environment, such as `https://api.example.com`; plain http only on loopback.
        client_id: The id of the API client.
        client_secret: Its secret; or a function that returns the secret of the moment, asked for each new token.
        transport: Another transport of the HTTP library, for one event loop. Tokens use it too if it is a sync one as
            well, otherwise give `token_transport`.
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
        transport: httpx.AsyncBaseTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        secret = hidden(client_secret)
        del client_secret  # a traceback with the variables of this frame would show it
        super().__init__(base_url, client_id, secret, transport, settings)
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
        known = await self._check_number(message) if self._preflight else None
        arguments = {"idempotency_key": idempotency_key, **message}
        return await self._send(self._build_guarded(send_message.OPERATION, send_message.build, arguments, known), ())

    @shows(UpdateNumberFields)
    async def update_number(
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
            return (await self._call(request)).value
        finally:
            self._numbers.forget()

    async def resume(self, send: Send) -> Receipt:
        """Go on with a send whose outcome is not known, with its own key and bytes.

        Args:
            send: The `send` of a `SendOutcomeUnknown`, kept in this process or in another one, for the same account.

        Returns:
            The receipt, the same one that an earlier attempt would have got.

        Raises:
            SendOutcomeUnknown: It is still not known.
            RedCloudError: Any other one: the message was certainly not queued.
        """
        return await self._send(request_of(send, self._account), send.attempts)

    async def retry_rejected(self, receipt: Receipt, *, to: Sequence[str] | None = None) -> Receipt:
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
        return await self._send(self._build(send_message.build, rejected_again(receipt, to)), ())

    async def _check_number(self, message: Mapping[str, Any]) -> GuardViolation | None:
        steps, numbers = preflight(self._numbers, message), None
        while True:
            try:
                steps.send(numbers)
            except StopIteration as stop:
                return cast(GuardViolation | None, stop.value)
            try:
                numbers = (await self._for_preflight().list_numbers()).numbers
            except RedCloudError:
                numbers = None

    async def _send(self, request: Request[SendMessageResponse], earlier: tuple[Attempt, ...]) -> Receipt:
        return receipt_of(request, await self._call(request, earlier), self._account)

    async def _call(self, request: Request[T], earlier: tuple[Attempt, ...] = ()) -> Reply[T]:
        steps, ends_at = self._begin(request, earlier)
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(cast(Outcome, outcome))
            except StopIteration as stop:
                return cast(Reply[T], stop.value)
            if isinstance(step, Authorize):
                outcome = await self._authorize(step, ends_at)
            elif isinstance(step, Wait):
                outcome = await self._wait(step, ends_at)
            else:
                attempt = self._connections.transmit(step.request, self._headers_of(step), self._patience, ends_at)
                outcome = await attempt

    async def _authorize(self, step: Authorize, ends_at: float) -> Authorization | TokenError:
        self._invalidate(step)
        try:
            return await self._tokens.authorization_async(ends_at - time.monotonic())
        except TokenError as error:
            return error

    async def _wait(self, step: Wait, ends_at: float) -> bool:
        if step.seconds >= ends_at - time.monotonic():
            return False
        await asyncio.sleep(step.seconds)
        return True
