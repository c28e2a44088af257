"""pydantic: models equal to those of the document."""

from enum import StrEnum

from pydantic import BaseModel

from pipeline.bench.workers.wire import MESSAGE


class MessageType(StrEnum):
    """The mode of a message."""

    SMS = "SMS"
    MMS = "MMS"


class SendMessageRequest(BaseModel):
    """A send."""

    sendFrom: str
    to: list[str]
    messageType: MessageType
    text: str | None = None
    media: list[dict[str, object]] | None = None
    externalReference: str


class Number(BaseModel):
    """A number."""

    numberId: str
    e164: str
    status: str
    smsEnabled: bool
    mmsEnabled: bool
    campaignRegId: str | None = None
    webhookInboundOverride: str | None = None
    webhookDeliveryOverride: str | None = None


class NumberList(BaseModel):
    """The numbers."""

    numbers: list[Number]


class SendResult(BaseModel):
    """An accepted recipient."""

    to: str
    messageId: str
    status: str


class SendMessageResponse(BaseModel):
    """The answer to a send."""

    results: list[SendResult]
    errors: list[dict[str, object]]


def encoder():
    """Give a function that makes a send of its fields and encodes it."""
    fields = {**MESSAGE, "messageType": MessageType.SMS}
    return lambda: SendMessageRequest(**fields).model_dump_json(exclude_unset=True).encode()


def number_decoder():
    """Give a function that decodes a list of numbers."""
    return NumberList.model_validate_json


def result_decoder():
    """Give a function that decodes the answer to a send."""
    return SendMessageResponse.model_validate_json
