"""A caller's programs under mypy --strict and pyright strict: the right one passes, each wrong line is flagged."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import redcloud_core
import redcloud_core_client
from pipeline.environment import node

RIGHT = '''
"""What callers write."""

import asyncio
from collections.abc import Mapping
from typing import Any, assert_type

from redcloud_core import (
    APIError,
    AsyncRedCloud,
    InvalidCallError,
    Receipt,
    RedCloud,
    RedCloudError,
    SendOutcomeUnknown,
    TokenError,
    TokenUnavailableError,
    UnreadableAnswerError,
    __version__,
    contract,
    provenance,
)
from redcloud_core.models import (
    UNSET,
    MessageMediaInput,
    MessageType,
    NumberList,
    SendMessageRequest,
    Unset,
    decode,
    encode,
)
from redcloud_core.outbox import Entry, NewMessage, Outbox, progress_bar
from redcloud_core.sandbox import Sandbox


def chain(client: RedCloud) -> str:
    numbers = client.list_numbers().numbers
    receipt = client.send_message(
        sendFrom=numbers[0].numberId,
        to=[numbers[0].e164],
        messageType="SMS",
        text="Hello",
        externalReference="order_1",
        idempotency_key="idem_1",
    )
    assert_type(receipt, Receipt)
    return receipt.results[0].messageId.upper()


async def chain_async(client: AsyncRedCloud) -> str:
    number = (await client.list_numbers()).numbers[0]
    media: MessageMediaInput = {"url": "https://example.com/a.png"}
    receipt = await client.send_message(
        sendFrom=number.numberId,
        to=["+15551230001"],
        messageType=MessageType.MMS if number.mmsEnabled else MessageType.SMS,
        media=[media],
        externalReference="order_1",
        idempotency_key="idem_1",
    )
    for error in receipt.errors:
        print(error.get("to"))
    return receipt.results[0].messageId.upper() + receipt.results[0].to.lower()


def campaign(client: RedCloud) -> str:
    """Tell the three states of a campaign apart."""
    found = client.list_numbers().numbers[0].campaignRegId
    assert_type(found, str | None | Unset)
    if found is UNSET:
        return "not said"
    return "none" if found is None else found.upper()


def override(client: RedCloud) -> str | None:
    """The same, with the type of UNSET."""
    found = client.list_numbers().numbers[0].webhookInboundOverride
    return None if isinstance(found, Unset) else found


def update(client: RedCloud) -> None:
    client.update_number(numberId="num_1", campaignregId=None)
    client.update_number(numberId="num_1", campaignregId="A1B2C3", smsEnabled=True)
    updated = client.update_number(numberId="num_1", webhookInboundOverride=UNSET)
    print(updated.get("campaignRegId"), client.search_numbers(npa="555").providerResultCount)
    total: int = client.whoami().assignedNumbers.total
    print(total, client.whoami().capabilities[0].partition(":"))


def errors(client: RedCloud) -> str | None:
    try:
        chain(client)
    except SendOutcomeUnknown as error:
        return error.send.key + str(error.drift) + error.raw.decode()
    except APIError as error:
        details: dict[str, Any] | None = error.details
        print(details, error.status + 1, error.message.upper(), error.raw)
        return error.requestId or error.code
    except TokenUnavailableError as error:
        return error.retry_at.isoformat() if error.retry_at else None
    except TokenError as error:
        return error.error or error.error_description
    except InvalidCallError as error:
        return ", ".join(violation.place + violation.reason for violation in error.violations)
    except UnreadableAnswerError as error:
        return error.raw.decode()
    except RedCloudError as error:
        print(error.temporary, [attempt.outcome for attempt in error.attempts])
    return None


def durable(client: RedCloud) -> int:
    message: NewMessage = {
        "reference": "order-2",
        "sendFrom": "num_1",
        "to": ["+15551230001"],
        "messageType": "SMS",
        "externalReference": "order_2",
    }
    with Outbox("messages.outbox", account=client.account) as outbox, progress_bar() as progress:
        entry = outbox.add(
            reference="order-1", sendFrom="num_1", to=["+15551230001"], messageType="SMS", externalReference="order_1"
        )
        assert_type(entry, Entry)
        assert_type(outbox.add_many([message]), list[Entry])
        done = outbox.drain(client, progress=progress, on_settled=lambda entry: print(entry.reference.upper()))
        refused = [entry.reason for entry in outbox.entries("refused")]
        print(refused, outbox.results(messageId="msg_1")[0].to, outbox.counts().unknown)
        return done.accepted


async def durable_async(client: AsyncRedCloud, outbox: Outbox) -> None:
    async def settled(entry: Entry) -> None:
        receipt = entry.receipt
        print(await client.retry_rejected(receipt) if receipt is not None else entry.since.isoformat())

    await outbox.drain_async(client, on_settled=settled)


def models() -> bytes:
    request = SendMessageRequest(
        sendFrom="num_1", to=["+15551230001"], messageType=MessageType.SMS, externalReference="order_1"
    )
    listed = decode(b'{"numbers": []}', NumberList)
    assert_type(listed, NumberList)
    return encode(request)


def made() -> None:
    with RedCloud.from_env(timeout=3) as client, Sandbox() as sandbox:
        assert_type(client, RedCloud)
        assert_type(client.with_options(deadline=5, headers={"X-Team": "billing"}), RedCloud)
        print(sandbox.url, sandbox.ledger()["sends"], __version__.split("."), contract()["info"], provenance())
    headers: Mapping[str, str] = {"X-A": "a"}
    RedCloud("https://api.example.com", client_id="id", client_secret="s", headers=headers, verify=True, proxy="p")


async def made_async() -> None:
    async with AsyncRedCloud("https://api.example.com", client_id="id", client_secret="secret") as client:
        assert_type(client, AsyncRedCloud)
        print(await chain_async(client), await client.whoami())


asyncio.run(made_async())
'''

WRONG = """
from redcloud_core import AsyncRedCloud, RedCloud
from redcloud_core.models import SendMessageRequest
from redcloud_core.outbox import Outbox

client = RedCloud("https://api.example.com", client_id="id", client_secret="secret")
again = AsyncRedCloud("https://api.example.com", client_id="id", client_secret="secret")
number = client.list_numbers().numbers[0]

client.send_message(sendfrom="n", to=["+1"], messageType="SMS", externalReference="o", idempotency_key="k")  # wrong
client.send_message(to=["+1"], messageType="SMS", externalReference="o", idempotency_key="k")  # wrong
client.send_message(sendFrom="n", to="+1555", messageType="SMS", externalReference="o", idempotency_key="k")  # wrong
client.send_message(sendFrom="n", to=["+1"], messageType="SMSX", externalReference="o", idempotency_key="k")  # wrong
client.send_message(sendFrom="n", to=["+1"], messageType="SMS", externalReference="o")  # wrong
client.send_message(sendFrom="n", to=["+1"], text=1, externalReference="", idempotency_key="")  # wrong
client.send_message(sendFrom=number, to=["+1"], messageType="SMS", externalReference="o", idempotency_key="k")  # wrong
client.send_message(sendFrom="n", to=["+1"], messageType="SMS", externalReference="o", idempotency_key="k")
Outbox("o").add(reference="r", sendfrom="n", to=["+1"], messageType="SMS", externalReference="o")  # wrong
Outbox("o").add(sendFrom="n", to=["+1"], messageType="SMS", externalReference="o")  # wrong
Outbox("o").drain(again)  # wrong
Outbox("o").entries("dead")  # wrong
client.update_number(numberId="n", campaignRegId="A1B2C3")  # wrong
client.update_number(numberId="n", campaignregId="A1B2C3")
client.update_number(campaignregId="A1B2C3")  # wrong
number.campaignregId  # wrong
number.campaignRegId.upper()  # wrong
client.with_options(time_out=3)  # wrong
client.with_options(verify=False)  # wrong
RedCloud("https://api.example.com", "id", "secret")  # wrong
RedCloud("https://api.example.com", client_id="id")  # wrong
AsyncRedCloud.from_env(time_out=3)  # wrong
client.issue_token(grant_type="client_credentials")  # wrong
SendMessageRequest(sendFrom="n", to=["+1"], messageType="SMS")  # wrong


async def main() -> None:
    await again.send_message(sendFrom="", to="+", messageType="SMS", externalReference="", idempotency_key="")  # wrong
    await again.send_message(sendFrom="n", to=["+1"], messageType="SMS", externalReference="o", idempotency_key="k")
    again.list_numbers().numbers  # wrong
    again.close()  # wrong
"""

EXPECTED = {number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with both programs, outside the tree."""
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    return tmp_path


def _roots() -> list[str]:
    """Return the folders that both packages are imported from, however they are installed."""
    return [str(Path(str(package.__file__)).parents[1]) for package in (redcloud_core, redcloud_core_client)]


def test_mypy(programs: Path, know_types: Callable[[Path], Path]) -> None:
    """Mypy in strict mode finds nothing in the right program, and every wrong line in the other."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--show-absolute-path"]
    command += ["--config-file=", f"--cache-dir={know_types(programs / 'cache')}", "right.py", "wrong.py"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(_roots())}
    done = subprocess.run(command, cwd=programs, env=environment, capture_output=True, text=True, check=False)
    found = re.findall(r"^(.+?):(\d+): error: ", done.stdout, flags=re.MULTILINE)
    right = [line for line in done.stdout.splitlines() if "right.py:" in line]
    assert (right, done.stderr) == ([], "")
    assert {int(number) for file, number in found if file.endswith("wrong.py")} == EXPECTED, done.stdout


def test_pyright(programs: Path) -> None:
    """Pyright in strict mode finds nothing in the right program, and every wrong line in the other."""
    config = {"typeCheckingMode": "strict", "extraPaths": _roots(), "include": ["right.py", "wrong.py"]}
    (programs / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = node("pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(programs))
    done = subprocess.run(command, cwd=programs, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found = [entry for entry in json.loads(done.stdout)["generalDiagnostics"] if entry["severity"] == "error"]
    right = [(entry["range"]["start"]["line"] + 1, entry["message"]) for entry in found if "right.py" in entry["file"]]
    assert right == []
    wrong = {entry["range"]["start"]["line"] + 1 for entry in found if "wrong.py" in entry["file"]}
    assert wrong == EXPECTED, [(entry["range"]["start"]["line"] + 1, entry["message"]) for entry in found]
