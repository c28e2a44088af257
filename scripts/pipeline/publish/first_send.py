"""A caller's first program: a token, whoami, the numbers, a first SMS. Rehearsals run it with the installed package.

Usage: python first_send.py BASE_URL
"""

import sys

from redcloud_core import RedCloud


def main() -> None:
    """Send one SMS and print its receipt."""
    with RedCloud(sys.argv[1], client_id="rc_test_client_123", client_secret="rc_secret_abc123") as redcloud:  # noqa: S106 - the documented example
        me = redcloud.whoami()
        numbers = redcloud.list_numbers().numbers
        sender = next(number for number in numbers if number.smsEnabled)
        receipt = redcloud.send_message(
            sendFrom=sender.numberId,
            to=["+15551234567"],
            messageType="SMS",
            text="Hello from Red Cloud",
            externalReference="order_789",
            idempotency_key="idem_order_789",
        )
    print(f"client   {me.apiClientName}")
    print(f"numbers  {len(numbers)}, sending from {sender.numberId}")
    for result in receipt.results:
        print(f"receipt  {result.status} {result.messageId} to {result.to}")


if __name__ == "__main__":
    main()
