# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""updateNumber: PATCH /api/core/numbers/{numberId}."""

from __future__ import annotations

from ... import answers as _answers
from ... import calls as _calls
from ... import drafts as _drafts
from ...models.number_update import NumberUpdate
from ...models.updated_number import UpdatedNumber
from ...types import UNSET, Unset

__all__ = ["OPERATION", "build", "parse"]


def _errors() -> _calls.Answers:
    from ...models.core_error_response import CoreErrorResponse

    return {
        400: {"application/json": CoreErrorResponse},
        401: {"application/json": CoreErrorResponse},
        403: {"application/json": CoreErrorResponse},
        404: {"application/json": CoreErrorResponse},
        500: {"application/json": CoreErrorResponse},
        502: {"application/json": CoreErrorResponse},
    }


OPERATION: _calls.Operation[UpdatedNumber] = _calls.Operation(
    id="updateNumber",
    method="PATCH",
    path="/api/core/numbers/{numberId}",
    secured=True,
    retry="unsent",
    success={
        200: {"application/json": UpdatedNumber},
    },
    errors=_errors,
)


def build(
    *,
    numberId: str,
    campaignregId: str | None | Unset = UNSET,
    smsEnabled: bool | Unset = UNSET,
    mmsEnabled: bool | Unset = UNSET,
    webhookInboundOverride: str | None | Unset = UNSET,
    webhookDeliveryOverride: str | None | Unset = UNSET,
) -> _calls.Request[UpdatedNumber]:
    """Build the request: Update number settings.

    Updates the settings of a number that the authenticated API client owns. The request spells the campaign
    `campaignregId`, as the API implements it.

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

    Raises:
        InvalidRequest: The document does not allow it; everything that is wrong is named.
    """
    _draft = _drafts.Draft(OPERATION)
    _draft.path("numberId", "numberId", numberId, str)
    _draft.body(
        "application/json",
        NumberUpdate,
        {
            "campaignregId": campaignregId,
            "smsEnabled": smsEnabled,
            "mmsEnabled": mmsEnabled,
            "webhookInboundOverride": webhookInboundOverride,
            "webhookDeliveryOverride": webhookDeliveryOverride,
        },
    )
    return _draft.request()


build.__qualname__ = "update_number"  # what Python's TypeError calls it


def parse(answer: _calls.Answer) -> UpdatedNumber:
    """Return what a successful answer says.

    Raises:
        ErrorAnswer: The status is no success.
        UnreadableAnswer: The body cannot be read; DriftedAnswer if it is whole but of another shape.
    """
    return _answers.read(OPERATION, answer)
