"""Idempotency keys: the same in every language, of one syntax, and never used for two payloads by one client."""

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from redcloud_core import IdempotencyKey, InvalidCallError, Receipt
from redcloud_core._binding import send_message
from redcloud_core._idempotency import KeyMemory
from redcloud_core._preflight import NumberBook

VECTORS = Path(str(files("redcloud_core"))) / "languages" / "vectors" / "idempotency.json"
PROGRAM = Path(__file__).parents[1] / "vectors" / "idempotency.mjs"
SEND = "/api/core/messages/send"
QUEUED: dict[str, Any] = {"results": [{"to": "+1555", "messageId": "msg_1", "status": "QUEUED"}], "errors": []}


def vectors() -> list[dict[str, Any]]:
    """The examples that every language must agree on."""
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return found


def part_of(entry: Any) -> str | int:
    """A part as Python has it: integers beyond those of JSON are written as their digits."""
    part: str | int = int(entry["integer"]) if isinstance(entry, dict) else entry
    return part


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: str(vector["why"]))
def test_vectors(vector: dict[str, Any]) -> None:
    """The same parts give the key of the file."""
    key = IdempotencyKey.derive(*map(part_of, vector["parts"]), namespace=vector["namespace"])
    assert key == vector["key"]
    assert re.fullmatch(r"rc1-[0-9a-f]{40}", key)


def test_vectors_are_many_and_different() -> None:
    """There are 40 at least, and keys are equal only where the file says that they must be."""
    keys = [vector["key"] for vector in vectors()]
    assert len(keys) >= 40
    assert len(keys) - len(set(keys)) == 3


def test_vectors_in_javascript() -> None:
    """A second implementation, in JavaScript, gives the same keys."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("this machine has no Node")
    command = [node, str(PROGRAM), str(VECTORS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [vector["key"] for vector in vectors()]


@pytest.mark.parametrize("part", [1.0, True, None, b"order", ["order"], {}], ids=repr)
def test_parts_that_other_languages_write_differently(part: Any) -> None:
    """What is neither a text nor an integer is refused: its text is not the same everywhere."""
    with pytest.raises(TypeError, match="part 2 must be a text or an integer"):
        IdempotencyKey.derive("order", part)
    with pytest.raises(TypeError, match="namespace must be a text"):
        IdempotencyKey.derive("order", namespace=part)


def test_parts_that_are_none() -> None:
    """No part at all, and half of a surrogate pair, give no key."""
    with pytest.raises(ValueError, match="at least one part"):
        IdempotencyKey.derive()
    with pytest.raises(ValueError, match="part 1 holds half of a surrogate pair"):
        IdempotencyKey.derive("a\ud800")


def test_random_keys() -> None:
    """Random keys are different, valid, and plain strings."""
    keys = {IdempotencyKey.random() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(isinstance(key, str) and re.fullmatch(r"rc-[0-9a-f]{40}", key) for key in keys)


BAD_KEYS: list[tuple[Any, str]] = [
    ("", "must not be empty"),
    (" a", "must not begin or end with a blank"),
    ("a ", "must not begin or end with a blank"),
    (" ", "must not begin or end with a blank"),
    ("a\r\nX-Evil: 1", "printable ASCII"),
    ("a\n", "printable ASCII"),
    ("a\tb", "printable ASCII"),
    ("a\0b", "printable ASCII"),
    ("schlüssel", "printable ASCII"),
    ("a\u00a0", "printable ASCII"),
    ("\ud800", "printable ASCII"),
    ("a\x7f", "printable ASCII"),
    ("a" * 256, "must have at most 255 characters, not 256"),
    ("a" * 300, "must have at most 255 characters, not 300"),
    (7, "must be a text"),
    (None, "must be a text"),
    (b"a", "must be a text"),
]


@pytest.mark.parametrize(("key", "rule"), BAD_KEYS, ids=lambda value: repr(value)[:20])
def test_bad_keys(connect: Any, server: Any, sms: dict[str, Any], key: Any, rule: str) -> None:
    """A key that breaks a rule is refused with the rule, and nothing is sent; the class refuses it as well."""
    with pytest.raises(InvalidCallError, match=rule) as caught:
        connect(server.url).send_message(**sms, idempotency_key=key)
    assert [violation.place for violation in caught.value.violations] == ["idempotency_key"]
    assert server.seen == []
    with pytest.raises(InvalidCallError, match=rule):
        IdempotencyKey(key)


@pytest.mark.parametrize("key", ["a", "a b", "~", "a" * 255, IdempotencyKey.derive("order", 789)])
def test_good_keys(connect: Any, server: Any, script: Any, sms: dict[str, Any], key: str) -> None:
    """A key within the rules leaves as it is."""
    server.answer(SEND, script(202, QUEUED))
    receipt = connect(server.url).send_message(**sms, idempotency_key=key)
    assert (receipt.key, server.requests(SEND)[0].header("Idempotency-Key")) == (key, key)


def test_missing_key(connect: Any, server: Any, sms: dict[str, Any]) -> None:
    """A missing key is Python's own TypeError."""
    with pytest.raises(TypeError, match="idempotency_key"):
        connect(server.url).send_message(**sms)
    assert server.seen == []


def test_key_with_another_payload(connect: Any, sandbox: Any, sms: dict[str, Any]) -> None:
    """A key that was used with another payload does not leave; a copy of the client remembers it, another does not."""
    client = connect(sandbox.url)
    client.send_message(**sms, idempotency_key="idem_1")
    other = {**sms, "text": "Something else"}
    for known in (client, client.with_options(timeout=5)):
        with pytest.raises(InvalidCallError, match="was used by this client with another payload") as caught:
            known.send_message(**other, idempotency_key="idem_1")
        assert caught.value.violations[0].place == "idempotency_key"
    assert isinstance(client.send_message(**sms, idempotency_key="idem_1"), Receipt)
    assert [entry["attempts"] for entry in sandbox.ledger()["sends"]] == [2]


def request_of(key: str, text: str = "Hello", sms: dict[str, Any] | None = None) -> Any:
    """The request of a send."""
    fields = sms or {"sendFrom": "num_abc123", "to": ["+15551230001"], "messageType": "SMS", "externalReference": "x"}
    return send_message.build(**{**fields, "text": text}, idempotency_key=key)


def test_memory_is_bounded() -> None:
    """The latest keys are remembered; one that was used again counts as new."""
    memory = KeyMemory(limit=3)
    for key in ("a", "b", "c", "a", "d"):
        memory.doubt_of(request_of(key))
    for key in ("a", "c", "d"):
        with pytest.raises(InvalidCallError):
            memory.doubt_of(request_of(key, "Other"))
    memory.doubt_of(request_of("b", "Other"))


def test_memory_of_doubt() -> None:
    """An attempt is in doubt from its beginning until it is settled, for all who use the key."""
    memory = KeyMemory()
    first, second = memory.doubt_of(request_of("a")), memory.doubt_of(request_of("a"))
    assert not first.exists
    first.begin()
    second.begin()
    second.settle()
    assert (first.exists, second.exists, memory.doubt_of(request_of("b")).exists) == (True, True, False)
    first.settle()
    assert not second.exists


@pytest.mark.parametrize("holder", [KeyMemory(), NumberBook()], ids=["keys", "numbers"])
def test_forks(holder: Any) -> None:
    """A child that is forked while a thread of its parent holds the lock does not wait for it."""
    with holder._lock:
        pid = os.fork()
        if pid == 0:
            os._exit(0 if holder._lock.acquire(timeout=1) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_memory_under_threads() -> None:
    """Of threads that use one key for two payloads, those of one payload alone get through."""
    memory = KeyMemory()

    def use(number: int) -> int | None:
        try:
            memory.doubt_of(request_of("a", f"text {number % 2}"))
        except InvalidCallError:
            return None
        return number % 2

    with ThreadPoolExecutor(16) as pool:
        through = [used for used in pool.map(use, range(200)) if used is not None]
    assert (len(through), len(set(through))) == (100, 1)
