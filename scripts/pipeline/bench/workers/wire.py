"""What goes over the wire, for the server and its clients. It imports nothing: a cold start would not count that."""

CLIENT_ID, CLIENT_SECRET, TOKEN = "rc_test_client_123", "rc_secret_abc123", "rc_token_example"

TOKEN_PATH, SEND_PATH = "/api/auth/token", "/api/core/messages/send"

MESSAGE = {
    "sendFrom": "num_abc123",
    "to": ["+15551234567"],
    "messageType": "SMS",
    "text": "Hello from Red Cloud",
    "externalReference": "order_789",
}

BATCH = 100
"""How many messages the outbox is given at once."""

NUMBER = {
    "numberId": "num_abc123",
    "e164": "+15551234567",
    "status": "ACTIVE",
    "campaignRegId": "A1B2C3",
    "smsEnabled": True,
    "mmsEnabled": True,
    "webhookInboundOverride": "https://example.com/webhooks/inbound",
    "webhookDeliveryOverride": "https://example.com/webhooks/delivery",
}

RESULT = {"to": "+15551234567", "messageId": "msg_abc123", "status": "QUEUED"}

_TOKEN_ANSWER = b'{"access_token": "rc_token_example", "token_type": "bearer", "expires_in": 3600}'
_SEND_ANSWER = b'{"results": [{"to": "+15551234567", "messageId": "msg_%d", "status": "QUEUED"}], "errors": []}'

# What the clients of other APIs need to read one send; each has its own host, so the paths do not meet.
_TELNYX_ANSWER = (
    b'{"data": {"record_type": "message", "direction": "outbound", "id": "%d", "type": "SMS", "text": "Hello from Red'
    b' Cloud", "from": {"phone_number": "+15550001111"}, "to": [{"phone_number": "+15551234567", "status": "queued"}]}}'
)
_TWILIO_ANSWER = (
    b'{"sid": "SM%032d", "account_sid": "AC00000000000000000000000000000000", "status": "queued", "to": "+15551234567",'
    b' "from": "+15550001111", "body": "Hello from Red Cloud", "direction": "outbound-api", "num_segments": "1"}'
)
_STRIPE_ANSWER = (
    b'{"id": "cus_%d", "object": "customer", "created": 1700000000, "description": "Hello from Red Cloud",'
    b' "livemode": false, "metadata": {"externalReference": "order_789"}}'
)
_VONAGE_ANSWER = (
    b'{"message-count": "1", "messages": [{"to": "15551234567", "message-id": "%d", "status": "0",'
    b' "remaining-balance": "1.0", "message-price": "0.03", "network": "12345"}]}'
)

_ROUTES = {
    SEND_PATH: (202, _SEND_ANSWER),
    "/v2/messages": (200, _TELNYX_ANSWER),
    "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json": (201, _TWILIO_ANSWER),
    "/v1/customers": (200, _STRIPE_ANSWER),
    "/sms/json": (200, _VONAGE_ANSWER),
}


def answer_of(path: str, number: int) -> tuple[int, bytes]:
    """Return status and body of the answer to the request of that number."""
    if path == TOKEN_PATH:
        return 200, _TOKEN_ANSWER
    status, body = _ROUTES[path]
    return status, body % number
