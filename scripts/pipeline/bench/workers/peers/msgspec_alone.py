"""msgspec, into its own structs."""

from enum import StrEnum

import msgspec
from msgspec import UNSET, Struct, UnsetType

from pipeline.bench.workers.wire import MESSAGE


class MessageType(StrEnum):
    """The mode of a message."""

    SMS = "SMS"
    MMS = "MMS"


class SendMessageRequest(Struct, kw_only=True):
    """A send."""

    sendFrom: str
    to: list[str]
    messageType: MessageType
    text: str | UnsetType = UNSET
    media: list[dict[str, object]] | UnsetType = UNSET
    externalReference: str


class Number(Struct, kw_only=True):
    """A number."""

    numberId: str
    e164: str
    status: str
    smsEnabled: bool
    mmsEnabled: bool
    campaignRegId: str | UnsetType | None = UNSET
    webhookInboundOverride: str | UnsetType | None = UNSET
    webhookDeliveryOverride: str | UnsetType | None = UNSET


class NumberList(Struct):
    """The numbers."""

    numbers: list[Number]


class SendResult(Struct):
    """An accepted recipient."""

    to: str
    messageId: str
    status: str


class SendMessageResponse(Struct):
    """The answer to a send."""

    results: list[SendResult]
    errors: list[dict[str, object]]


def encoder():
    """Give a function that makes a send of its fields and encodes it."""
    encode, fields = msgspec.json.Encoder().encode, {**MESSAGE, "messageType": MessageType.SMS}
    return lambda: encode(SendMessageRequest(**fields))


def number_decoder():
    """Give a function that decodes a list of numbers."""
    return msgspec.json.Decoder(NumberList).decode


def result_decoder():
    """Give a function that decodes the answer to a send."""
    return msgspec.json.Decoder(SendMessageResponse).decode
