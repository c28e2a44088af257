"""The small programs: run as they are, from an export, against the sandbox."""

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from redcloud_core import IdempotencyKey
from redcloud_core.sandbox import Sandbox

KEY = IdempotencyKey.derive("order", 789, "shipped")
SENT = {"send_from": "num_abc123", "recipients": ["+15551234567"], "external_reference": "order_789", "attempts": 1}

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="this machine has no Java")


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """One sandbox for the module."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    """The CORE API as it is at the start."""
    server.reset()
    return server


@pytest.fixture
def run(sandbox: Sandbox) -> Callable[..., str]:
    """Runs a program with the sandbox's URL and credentials, and returns what it prints."""
    settings = {
        "REDCLOUD_BASE_URL": sandbox.url,
        "REDCLOUD_CLIENT_ID": sandbox.client_id,
        "REDCLOUD_CLIENT_SECRET": sandbox.client_secret,
    }

    def start(command: list[str], folder: Path, given: str = "") -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **settings}
        done = subprocess.run(
            command, cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return start


@pytest.fixture(scope="module")
def vectors(exported: Path) -> list[dict[str, Any]]:
    """The cases on which every language must agree."""
    found: list[dict[str, Any]] = json.loads((exported / "vectors/idempotency.json").read_text(encoding="utf-8"))[
        "vectors"
    ]
    return found


def check_ledger(sandbox: Sandbox, receipt: dict[str, Any]) -> None:
    """Make sure that one message was accepted, under the derived key, and that the program printed its receipt."""
    (send,) = sandbox.ledger()["sends"]
    assert send["key"] == KEY
    assert {name: send[name] for name in SENT} == SENT
    assert [result["messageId"] for result in receipt["results"]] == send["message_ids"]


def test_typescript(
    run: Callable[..., str], node_command: Callable[..., list[str]], exported: Path, sandbox: Sandbox
) -> None:
    """send.ts sends one SMS under the key that Python derives, and prints the receipt."""
    check_ledger(sandbox, json.loads(run(node_command("send.ts"), exported / "examples")))


@needs_java
def test_java(run: Callable[..., str], exported: Path, sandbox: Sandbox) -> None:
    """Send.java sends one SMS under the key that Python derives, and prints the receipt."""
    check_ledger(sandbox, json.loads(run(["java", "Send.java"], exported / "examples")))


def test_keys_in_typescript(
    run: Callable[..., str], node_command: Callable[..., list[str]], exported: Path, vectors: list[dict[str, Any]]
) -> None:
    """The function in send.ts gives the key of every vector, and takes no half of a character and no fraction."""
    program = """
        import { readFileSync } from "node:fs";
        import { derive } from "./send.ts";
        const part = (entry) => (typeof entry === "object" ? BigInt(entry.integer) : entry);
        const vectors = JSON.parse(readFileSync(0, "utf8"));
        for (const { parts, namespace } of vectors) console.log(derive(parts.map(part), namespace));
        for (const wrong of ["a\\ud800", 1.5]) try { console.log(derive([wrong])); } catch { console.log("refused"); }
    """
    command = node_command("--input-type=module", "--eval", program)
    _, *keys = run(command, exported / "examples", json.dumps(vectors)).splitlines()
    assert keys == [*(vector["key"] for vector in vectors), "refused", "refused"]


@needs_java
def test_keys_in_java(run: Callable[..., str], exported: Path, vectors: list[dict[str, Any]], tmp_path: Path) -> None:
    """The method in Send.java gives the key of every vector."""
    keys = [f"Send.derive({', '.join(map(_java, [case['namespace'], *case['parts']]))})" for case in vectors]
    body = " ".join(f"System.out.println({key});" for key in keys)
    caller = f"class Keys {{ public static void main(String[] arguments) throws Exception {{ {body} }} }}"
    text = (exported / "examples/Send.java").read_text(encoding="utf-8")
    path = tmp_path / "Keys.java"
    path.write_text(text.replace("public class Send {", f"{caller}\npublic class Send {{"), encoding="utf-8")
    assert run(["java", path.name], tmp_path).splitlines() == [case["key"] for case in vectors]


def _java(part: Any) -> str:
    """Return a part as Java writes it; ASCII in octal digits, as Java reads other escapes before it knows of quotes."""
    if not isinstance(part, str):
        return f'new java.math.BigInteger("{part["integer"] if isinstance(part, dict) else part}")'
    units = [unit[0] for unit in struct.iter_unpack(">H", part.encode("utf-16-be"))]
    return '"' + "".join(f"\\{unit:03o}" if unit < 128 else f"\\u{unit:04x}" for unit in units) + '"'
