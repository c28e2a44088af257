# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""sendMessage: POST /api/core/messages/send."""

from __future__ import annotations

from typing import Literal

from ... import answers as _answers
from ... import calls as _calls
from ... import drafts as _drafts
from ...models.message_media_input import MessageMediaInput
from ...models.message_type import MessageType
from ...models.send_message_request import SendMessageRequest
from ...models.send_message_response import SendMessageResponse
from ...types import UNSET, Unset

__all__ = ["OPERATION", "build", "parse"]


def _errors() -> _calls.Answers:
    from ...models.core_error_response import CoreErrorResponse

    return {
        400: {"application/json": CoreErrorResponse},
        401: {"application/json": CoreErrorResponse},
        403: {"application/json": CoreErrorResponse},
        409: {"application/json": CoreErrorResponse},
        500: {"application/json": CoreErrorResponse},
        502: {"application/json": CoreErrorResponse},
    }


OPERATION: _calls.Operation[SendMessageResponse] = _calls.Operation(
    id="sendMessage",
    method="POST",
    path="/api/core/messages/send",
    secured=True,
    retry="keyed",
    success={
        202: {"application/json": SendMessageResponse},
    },
    errors=_errors,
)


def build(
    *,
    idempotency_key: str,
    sendFrom: str,
    to: list[str],
    messageType: MessageType | Literal["SMS", "MMS"],
    text: str | Unset = UNSET,
    media: list[MessageMediaInput] | Unset = UNSET,
    externalReference: str,
) -> _calls.Request[SendMessageResponse]:
    """Build the request: Queue an outbound message.

    Queues a message to one or more recipients.

    - `Idempotency-Key` is required: one key for one business operation, the same one on every retry. The same
      key with the same payload answers the stored response again, with another payload it is a conflict.
    - `sendFrom` is a Red Cloud number id. The number must be yours, ACTIVE, enabled for the message type and
      registered with a campaign.
    - SMS cannot include media, MMS must.
    - Acceptance is answered with QUEUED; the final outcome comes by webhook.

    Args:
        idempotency_key: Names this send. Make it once and store it before the first attempt.
        sendFrom: The Red Cloud number id to send from, a `numberId` of the number list. It is not an E.164 phone
            number.
        to: The recipients, phone numbers in E.164 form.
        messageType: The mode of a message. SMS forbids media, MMS requires media.
        text: The text of the message.
        media: Required for MMS, to be left out for SMS.

            Unconfirmed: the name of this field was inferred from the guides.
        externalReference: Your own key for correlating the message with your business.

    Returns:
        Accepted, for all recipients or for some.

    Raises:
        InvalidRequest: The document does not allow it; everything that is wrong is named.
    """
    _draft = _drafts.Draft(OPERATION)
    _draft.header("Idempotency-Key", "idempotency_key", idempotency_key, str)
    _draft.body(
        "application/json",
        SendMessageRequest,
        {
            "sendFrom": sendFrom,
            "to": to,
            "messageType": messageType,
            "text": text,
            "media": media,
            "externalReference": externalReference,
        },
    )
    return _draft.request()


build.__qualname__ = "send_message"  # what Python's TypeError calls it


def parse(answer: _calls.Answer) -> SendMessageResponse:
    """Return what a successful answer says.

    Raises:
        ErrorAnswer: The status is no success.
        UnreadableAnswer: The body cannot be read; DriftedAnswer if it is whole but of another shape.
    """
    return _answers.read(OPERATION, answer)
