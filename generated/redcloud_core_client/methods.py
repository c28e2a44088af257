# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""The operations of the document as methods.

`Methods` and `AsyncMethods` hold what any client inherits as it is; `OwnMethods` and `AsyncOwnMethods` hold the rest:
operations without bearer token, and those that a client with a policy of its own overrides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import calls as _calls
from .types import UNSET, Unset

if TYPE_CHECKING:
    from typing import Literal

    from .models.client_context import ClientContext
    from .models.message_media_input import MessageMediaInput
    from .models.message_type import MessageType
    from .models.number_list import NumberList
    from .models.number_search_result import NumberSearchResult
    from .models.send_message_response import SendMessageResponse
    from .models.token_response import TokenResponse
    from .models.updated_number import UpdatedNumber

__all__ = ["AsyncMethods", "AsyncOwnMethods", "Methods", "OwnMethods"]


class Methods(_calls.Caller):
    """The operations that every client inherits as they are."""

    def whoami(self) -> ClientContext:
        """Return the current API client context.

        Tells who the authenticated API client is, what it may do, how many numbers it has, and which webhooks
        are configured. A good check at start-up.

        Returns:
            The API client.

            Unconfirmed: the status is not documented.
        """
        from .api.core import whoami as _operation

        _request = self._build(_operation.build, {})
        return self._call(_request).value

    def list_numbers(self) -> NumberList:
        """List active numbers for the authenticated API client.

        Lists the numbers that are assigned to the authenticated API client. A `numberId` of this list is what
        `sendFrom` takes.

        Returns:
            The numbers.

            Unconfirmed: the status is not documented.
        """
        from .api.core import list_numbers as _operation

        _request = self._build(_operation.build, {})
        return self._call(_request).value

    def search_numbers(
        self,
        *,
        npa: str | Unset = UNSET,
        nxx: str | Unset = UNSET,
        city: str | Unset = UNSET,
        state: str | Unset = UNSET,
        zipCode: str | Unset = UNSET,
        rateCenter: str | Unset = UNSET,
    ) -> NumberSearchResult:
        """Search available numbers.

        Searches the inventory of available numbers by place and by parts of the number.

        Args:
            npa: The area code.
            nxx: The exchange code.
            city: The city.
            state: The state.
            zipCode: The ZIP code.
            rateCenter: The rate center.

        Returns:
            What was found.

            Unconfirmed: the status is not documented.
        """
        from .api.core import search_numbers as _operation

        _request = self._build(
            _operation.build,
            {
                "npa": npa,
                "nxx": nxx,
                "city": city,
                "state": state,
                "zipCode": zipCode,
                "rateCenter": rateCenter,
            },
        )
        return self._call(_request).value


class OwnMethods(_calls.Caller):
    """The operations that a client with a policy of its own leaves out or overrides."""

    def issue_token(
        self,
        *,
        grant_type: Literal["client_credentials"],
        client_id: str | Unset = UNSET,
        client_secret: str | Unset = UNSET,
        content_type: Literal[
            "application/json",
            "application/x-www-form-urlencoded",
        ] = "application/json",
    ) -> TokenResponse:
        """Issue a bearer access token.

        Issues a bearer token for OAuth 2 `client_credentials`. The credentials come by HTTP Basic or as the
        body fields `client_id` and `client_secret`; a form-encoded body is the recommended one. Errors are
        answered in OAuth style, not in the CORE wrapper. Tokens live for 3600 seconds.

        Args:
            grant_type: The only grant that the API supports.
            client_id: The id of the API client.
            client_secret: The secret of the API client.

                Unconfirmed: format, it only marks the value as a secret.
            content_type: How the body is written.

        Returns:
            A token.

            Unconfirmed: the status follows RFC 6749, section 5.1.
        """
        from .api.authentication import issue_token as _operation

        _request = self._build(
            _operation.build,
            {
                "grant_type": grant_type,
                "client_id": client_id,
                "client_secret": client_secret,
                "content_type": content_type,
            },
        )
        return self._call(_request).value

    def update_number(
        self,
        *,
        numberId: str,
        campaignregId: str | None | Unset = UNSET,
        smsEnabled: bool | Unset = UNSET,
        mmsEnabled: bool | Unset = UNSET,
        webhookInboundOverride: str | None | Unset = UNSET,
        webhookDeliveryOverride: str | None | Unset = UNSET,
    ) -> UpdatedNumber:
        """Update number settings.

        Updates the settings of a number that the authenticated API client owns. The request spells the
        campaign `campaignregId`, as the API implements it.

        Unconfirmed: the method was inferred from the optional and nullable fields of the body.

        Args:
            numberId: The id of the number.
            campaignregId: The campaign to register the number with. A number without one cannot send.
            smsEnabled: Whether the number can send SMS.
            mmsEnabled: Whether the number can send MMS.
            webhookInboundOverride: Where inbound messages to this number go, instead of the client-level webhook.
            webhookDeliveryOverride: Where delivery events of this number go, instead of the client-level webhook.

        Returns:
            The number was updated.

            Unconfirmed: the status is not documented.
        """
        from .api.core import update_number as _operation

        _request = self._build(
            _operation.build,
            {
                "numberId": numberId,
                "campaignregId": campaignregId,
                "smsEnabled": smsEnabled,
                "mmsEnabled": mmsEnabled,
                "webhookInboundOverride": webhookInboundOverride,
                "webhookDeliveryOverride": webhookDeliveryOverride,
            },
        )
        return self._call(_request).value

    def send_message(
        self,
        *,
        idempotency_key: str,
        sendFrom: str,
        to: list[str],
        messageType: MessageType | Literal["SMS", "MMS"],
        text: str | Unset = UNSET,
        media: list[MessageMediaInput] | Unset = UNSET,
        externalReference: str,
    ) -> SendMessageResponse:
        """Queue an outbound message.

        Queues a message to one or more recipients.

        - `Idempotency-Key` is required: one key for one business operation, the same one on every retry. The
          same key with the same payload answers the stored response again, with another payload it is a
          conflict.
        - `sendFrom` is a Red Cloud number id. The number must be yours, ACTIVE, enabled for the message type
          and registered with a campaign.
        - SMS cannot include media, MMS must.
        - Acceptance is answered with QUEUED; the final outcome comes by webhook.

        Args:
            idempotency_key: Names this send. Make it once and store it before the first attempt.
            sendFrom: The Red Cloud number id to send from, a `numberId` of the number list. It is not an E.164
                phone number.
            to: The recipients, phone numbers in E.164 form.
            messageType: The mode of a message. SMS forbids media, MMS requires media.
            text: The text of the message.
            media: Required for MMS, to be left out for SMS.

                Unconfirmed: the name of this field was inferred from the guides.
            externalReference: Your own key for correlating the message with your business.

        Returns:
            Accepted, for all recipients or for some.
        """
        from .api.core import send_message as _operation

        _request = self._build(
            _operation.build,
            {
                "idempotency_key": idempotency_key,
                "sendFrom": sendFrom,
                "to": to,
                "messageType": messageType,
                "text": text,
                "media": media,
                "externalReference": externalReference,
            },
        )
        return self._call(_request).value


class AsyncMethods(_calls.AsyncCaller):
    """The operations that every asynchronous client inherits as they are."""

    async def whoami(self) -> ClientContext:
        """Return the current API client context.

        Tells who the authenticated API client is, what it may do, how many numbers it has, and which webhooks
        are configured. A good check at start-up.

        Returns:
            The API client.

            Unconfirmed: the status is not documented.
        """
        from .api.core import whoami as _operation

        _request = self._build(_operation.build, {})
        return (await self._call(_request)).value

    async def list_numbers(self) -> NumberList:
        """List active numbers for the authenticated API client.

        Lists the numbers that are assigned to the authenticated API client. A `numberId` of this list is what
        `sendFrom` takes.

        Returns:
            The numbers.

            Unconfirmed: the status is not documented.
        """
        from .api.core import list_numbers as _operation

        _request = self._build(_operation.build, {})
        return (await self._call(_request)).value

    async def search_numbers(
        self,
        *,
        npa: str | Unset = UNSET,
        nxx: str | Unset = UNSET,
        city: str | Unset = UNSET,
        state: str | Unset = UNSET,
        zipCode: str | Unset = UNSET,
        rateCenter: str | Unset = UNSET,
    ) -> NumberSearchResult:
        """Search available numbers.

        Searches the inventory of available numbers by place and by parts of the number.

        Args:
            npa: The area code.
            nxx: The exchange code.
            city: The city.
            state: The state.
            zipCode: The ZIP code.
            rateCenter: The rate center.

        Returns:
            What was found.

            Unconfirmed: the status is not documented.
        """
        from .api.core import search_numbers as _operation

        _request = self._build(
            _operation.build,
            {
                "npa": npa,
                "nxx": nxx,
                "city": city,
                "state": state,
                "zipCode": zipCode,
                "rateCenter": rateCenter,
            },
        )
        return (await self._call(_request)).value


class AsyncOwnMethods(_calls.AsyncCaller):
    """The operations that an asynchronous client with a policy of its own leaves out or overrides."""

    async def issue_token(
        self,
        *,
        grant_type: Literal["client_credentials"],
        client_id: str | Unset = UNSET,
        client_secret: str | Unset = UNSET,
        content_type: Literal[
            "application/json",
            "application/x-www-form-urlencoded",
        ] = "application/json",
    ) -> TokenResponse:
        """Issue a bearer access token.

        Issues a bearer token for OAuth 2 `client_credentials`. The credentials come by HTTP Basic or as the
        body fields `client_id` and `client_secret`; a form-encoded body is the recommended one. Errors are
        answered in OAuth style, not in the CORE wrapper. Tokens live for 3600 seconds.

        Args:
            grant_type: The only grant that the API supports.
            client_id: The id of the API client.
            client_secret: The secret of the API client.

                Unconfirmed: format, it only marks the value as a secret.
            content_type: How the body is written.

        Returns:
            A token.

            Unconfirmed: the status follows RFC 6749, section 5.1.
        """
        from .api.authentication import issue_token as _operation

        _request = self._build(
            _operation.build,
            {
                "grant_type": grant_type,
                "client_id": client_id,
                "client_secret": client_secret,
                "content_type": content_type,
            },
        )
        return (await self._call(_request)).value

    async def update_number(
        self,
        *,
        numberId: str,
        campaignregId: str | None | Unset = UNSET,
        smsEnabled: bool | Unset = UNSET,
        mmsEnabled: bool | Unset = UNSET,
        webhookInboundOverride: str | None | Unset = UNSET,
        webhookDeliveryOverride: str | None | Unset = UNSET,
    ) -> UpdatedNumber:
        """Update number settings.

        Updates the settings of a number that the authenticated API client owns. The request spells the
        campaign `campaignregId`, as the API implements it.

        Unconfirmed: the method was inferred from the optional and nullable fields of the body.

        Args:
            numberId: The id of the number.
            campaignregId: The campaign to register the number with. A number without one cannot send.
            smsEnabled: Whether the number can send SMS.
            mmsEnabled: Whether the number can send MMS.
            webhookInboundOverride: Where inbound messages to this number go, instead of the client-level webhook.
            webhookDeliveryOverride: Where delivery events of this number go, instead of the client-level webhook.

        Returns:
            The number was updated.

            Unconfirmed: the status is not documented.
        """
        from .api.core import update_number as _operation

        _request = self._build(
            _operation.build,
            {
                "numberId": numberId,
                "campaignregId": campaignregId,
                "smsEnabled": smsEnabled,
                "mmsEnabled": mmsEnabled,
                "webhookInboundOverride": webhookInboundOverride,
                "webhookDeliveryOverride": webhookDeliveryOverride,
            },
        )
        return (await self._call(_request)).value

    async def send_message(
        self,
        *,
        idempotency_key: str,
        sendFrom: str,
        to: list[str],
        messageType: MessageType | Literal["SMS", "MMS"],
        text: str | Unset = UNSET,
        media: list[MessageMediaInput] | Unset = UNSET,
        externalReference: str,
    ) -> SendMessageResponse:
        """Queue an outbound message.

        Queues a message to one or more recipients.

        - `Idempotency-Key` is required: one key for one business operation, the same one on every retry. The
          same key with the same payload answers the stored response again, with another payload it is a
          conflict.
        - `sendFrom` is a Red Cloud number id. The number must be yours, ACTIVE, enabled for the message type
          and registered with a campaign.
        - SMS cannot include media, MMS must.
        - Acceptance is answered with QUEUED; the final outcome comes by webhook.

        Args:
            idempotency_key: Names this send. Make it once and store it before the first attempt.
            sendFrom: The Red Cloud number id to send from, a `numberId` of the number list. It is not an E.164
                phone number.
            to: The recipients, phone numbers in E.164 form.
            messageType: The mode of a message. SMS forbids media, MMS requires media.
            text: The text of the message.
            media: Required for MMS, to be left out for SMS.

                Unconfirmed: the name of this field was inferred from the guides.
            externalReference: Your own key for correlating the message with your business.

        Returns:
            Accepted, for all recipients or for some.
        """
        from .api.core import send_message as _operation

        _request = self._build(
            _operation.build,
            {
                "idempotency_key": idempotency_key,
                "sendFrom": sendFrom,
                "to": to,
                "messageType": messageType,
                "text": text,
                "media": media,
                "externalReference": externalReference,
            },
        )
        return (await self._call(_request)).value
