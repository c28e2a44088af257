"""A new document that renames what a guard speaks of: the guard and `_binding.py` are the only places to mend."""

from typing import Any

PROGRAM = """
from redcloud_core import GuardError, RedCloud
from redcloud_core_client.http_library import httpx

def answer(request):
    if request.url.path.endswith("/token"):
        return httpx.Response(200, json={"access_token": "tok"})
    return httpx.Response(202, json={"results": [], "errors": []})

message = dict(to=["+15551230001"], messageType="SMS", externalReference="order_789", idempotency_key="idem_1")
client = RedCloud("https://x.example", client_id="id", client_secret="s", transport=httpx.MockTransport(answer))
print(client.send_message(sender="num_abc123", **message).key)
calls = [
    lambda: client.send_message(sender="+15551234567", **message),
    lambda: client.update_number(numberId="num_abc123", campaignregId="A1"),
    lambda: client.update_number(numberId="num_abc123", campaignCode=None),
]
for call in calls:
    try:
        call()
    except GuardError as error:
        print([violation.place for violation in error.violations], str(error).partition("; ")[2])
"""


def test_renamed_properties(checkout: Any) -> None:
    """With `sendFrom` and `campaignregId` renamed, two words in `_guards.py` mend the guards, and nothing else."""
    version = ("version: 0.2.0", "version: 0.3.0")
    renamed = checkout.write_document(
        "renamed.yaml", ("sendFrom", "sender"), ("campaignregId", "campaignCode"), version
    )
    done = checkout.regenerate("--spec", renamed)
    assert done.returncode == 0, done.stderr
    assert "the overlay does not fit" not in done.stdout
    guards = checkout.root / "overlay/redcloud_core/_guards.py"
    text = guards.read_text(encoding="utf-8")
    guards.write_text(
        text.replace('"sendFrom"', '"sender"').replace('"campaignregId"', '"campaignCode"'), encoding="utf-8"
    )

    done = checkout.python(PROGRAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "idem_1",
        "['sender'] write a number id, a `numberId` of list_numbers() such as 'num_abc123'.",
        "['campaignregId'] write campaignCode, as the request spells it.",
        "['campaignCode'] leave it out, or say clear_campaign=True as well.",
    ]
