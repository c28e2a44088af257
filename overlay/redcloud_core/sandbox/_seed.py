"""What the sandbox knows when it starts: one API client, its numbers, another client's number, an inventory."""

from dataclasses import dataclass
from typing import Any

CLIENT_ID = "rc_test_client_123"
CLIENT_SECRET = "rc_secret_abc123"  # noqa: S105  the documented example, worth nothing anywhere else
CLIENT_NAME = "Red Cloud Test Client"
CAPABILITIES = ("numbers:read", "numbers:search", "numbers:update")
TOKEN_LIFETIME = 3600.0
"""How long a token lives, in seconds."""

REQUESTED_QUANTITY = 250
"""How many numbers a search asks of the provider."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, with the names of the API's answers."""

    numberId: str
    e164: str
    status: str = "ACTIVE"
    campaignRegId: str | None = "A1B2C3"
    smsEnabled: bool = True
    mmsEnabled: bool = True
    webhookInboundOverride: str | None = None
    webhookDeliveryOverride: str | None = None
    owner: str = CLIENT_ID


NUMBERS = (
    Number(
        "num_abc123",
        "+15551234567",
        webhookInboundOverride="https://example.com/webhooks/inbound",
        webhookDeliveryOverride="https://example.com/webhooks/delivery",
    ),
    Number("num_sms_only", "+15551234568", mmsEnabled=False),
    Number("num_no_campaign", "+15551234569", campaignRegId=None),
    Number("num_inactive", "+15551234570", status="INACTIVE"),
    Number("num_foreign", "+15551234571", owner="rc_other_client_456"),
)


def _available(e164: str, city: str, state: str, zip_code: str) -> dict[str, Any]:
    place = {"city": city, "state": state, "zipCode": zip_code, "rateCenter": city.upper()}
    return {"e164": e164, "npa": e164[2:5], "nxx": e164[5:8], **place}


INVENTORY = (
    _available("+15551230100", "Austin", "TX", "73301"),
    _available("+15122340101", "Austin", "TX", "73301"),
    _available("+12145670102", "Dallas", "TX", "75201"),
    _available("+13125550103", "Chicago", "IL", "60601"),
)
