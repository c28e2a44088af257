"""The rules that the document cannot say, as pure functions."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ._answers import Refusal
from ._seed import CLIENT_ID, INVENTORY, Number

UNREACHABLE = re.compile(r"\+1555000[0-9]{4}")
"""The recipients that are not accepted: +15550000000 to +15550009999."""

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_RENAMED = {"campaignregId": "campaignRegId"}
_UPDATABLE = ("campaignregId", "smsEnabled", "mmsEnabled", "webhookInboundOverride", "webhookDeliveryOverride")
_LEFT_OUT_IF_NONE = ("webhookInboundOverride", "webhookDeliveryOverride")


def check_send(message: Mapping[str, Any], number: Number | None) -> None:
    """Refuse a message that is well formed but breaks a rule.

    Args:
        message: A body of sendMessage that is valid by the document.
        number: The number that its `sendFrom` names, None if there is none.

    Raises:
        Refusal: With the status and the message of the first broken rule.
    """
    _check_recipients(message["to"])
    _check_number(number, message["messageType"])
    _check_content(message)


def _check_recipients(recipients: list[str]) -> None:
    for position, recipient in enumerate(recipients):
        if not _E164.fullmatch(recipient):
            raise Refusal(400, f"Recipients must be E.164 phone numbers, at /to/{position}")


def _check_number(number: Number | None, message_type: str) -> None:
    if number is None or number.owner != CLIENT_ID:
        raise Refusal(403, "sendFrom is not owned by this API client")
    if number.status != "ACTIVE":
        raise Refusal(400, "sendFrom must be ACTIVE")
    if not number.campaignRegId:
        raise Refusal(400, "sendFrom must have campaignregId configured")
    if not (number.smsEnabled if message_type == "SMS" else number.mmsEnabled):
        raise Refusal(400, f"sendFrom is not enabled for {message_type}")


def _check_content(message: Mapping[str, Any]) -> None:
    if message["messageType"] == "MMS":
        if not message.get("media"):
            raise Refusal(400, "MMS requires media")
        return
    if "media" in message:
        raise Refusal(400, "SMS cannot include media")
    if not message.get("text"):
        raise Refusal(400, "SMS requires text")


def changes(update: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the body of an update into the names that numbers are read with; what is left out stays out."""
    return {_RENAMED.get(name, name): update[name] for name in _UPDATABLE if name in update}


def number_item(number: Number) -> dict[str, Any]:
    """Write a number as the API lists it: without a campaign it says null, without an override it says nothing."""
    item = asdict(number)
    del item["owner"]
    for name in _LEFT_OUT_IF_NONE:
        if item[name] is None:
            del item[name]
    return item


def find_available(filters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Find the available numbers that fit all filters; case does not matter, unknown filters neither."""
    return [
        number
        for number in INVENTORY
        if all(number[name].lower() == filters[name].lower() for name in number.keys() & filters.keys())
    ]
