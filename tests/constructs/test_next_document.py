"""The next document: SMS and MMS as a oneOf told apart by `messageType`; nothing moves for callers."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.loading import load_yaml

ROOT = Path(__file__).parents[2]
PARTS = ("openapi.yaml", "generator-config.yml", "pyproject.toml", "scripts", "templates", "generated", "overlay")

PROGRAM = """
import asyncio, inspect, json
from redcloud_core import AsyncRedCloud, RedCloud, contract
from redcloud_core.sandbox import Sandbox

SMS = dict(sendFrom="num_abc123", to=["+15551230001"], messageType="SMS", text="Hi", externalReference="o")
MMS = {**SMS, "messageType": "MMS", "media": [{"url": "https://example.com/a.png", "size": 1}]}
WRONG = [{**SMS, "text": 1}, {**MMS, "text": 1, "media": [{}, "y"]}]

async def later(url, options):
    async with AsyncRedCloud(url, **options) as client:
        receipts = [await client.send_message(idempotency_key=f"async_{m['messageType']}", **m) for m in (SMS, MMS)]
        return [len(receipt.results) for receipt in receipts]

found = {"keywords": [list(inspect.signature(kind.send_message).parameters)[1:] for kind in (RedCloud, AsyncRedCloud)]}
with Sandbox(document=contract()) as sandbox:
    options = dict(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    with RedCloud(sandbox.url, **options) as client:
        receipts = [client.send_message(idempotency_key=f"key_{m['messageType']}", **m) for m in (SMS, MMS)]
        found["sent"] = [len(receipt.results) for receipt in receipts]
        found["places"] = []
        for wrong in WRONG:
            try:
                found["places"].append(client.send_message(idempotency_key="key_wrong", **wrong).key)
            except Exception as error:
                found["places"] += [violation.place for violation in error.violations]
    found["sent"] += asyncio.run(later(sandbox.url, options))
print(json.dumps(found))
"""


def next_document(text: str) -> str:
    """Return openapi.yaml with a oneOf of SMS and MMS in the place of SendMessageRequest."""
    data = load_yaml(text)
    data["info"]["version"] = "99.0.0"
    schemas = data["components"]["schemas"]
    before = schemas["SendMessageRequest"]
    for kind, required, left_out in (("Sms", ["text"], "media"), ("Mms", ["media"], None)):
        properties = {name: found for name, found in before["properties"].items() if name != left_out}
        properties["messageType"] = {"const": kind.upper()}
        schemas[f"{kind}Request"] = {
            **before,
            "required": [*before["required"], *required],
            "properties": properties,
        }
    schemas["SendMessageRequest"] = {
        "oneOf": [{"$ref": f"#/components/schemas/{kind}Request"} for kind in ("Sms", "Mms")],
        "discriminator": {
            "propertyName": "messageType",
            "mapping": {kind.upper(): f"#/components/schemas/{kind}Request" for kind in ("Sms", "Mms")},
        },
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


@pytest.fixture(scope="module")
def regenerated(
    tmp_path_factory: pytest.TempPathFactory, know_types: Callable[[Path], Path]
) -> tuple[dict[str, Any], str]:
    """Regenerate a copy of the tree from the next document; give what a caller sees there, and the report."""
    root = tmp_path_factory.mktemp("next") / "tree"
    root.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".regenerate-*", "node_modules", ".mypy_cache")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root)
    know_types(root / ".mypy_cache" / "regenerate")
    spec = root.parent / "next.yaml"
    spec.write_text(next_document((ROOT / "openapi.yaml").read_text(encoding="utf-8")), encoding="utf-8")
    folders = [root / "scripts", root / "overlay", root / "generated"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = "from pipeline.regenerate import main; raise SystemExit(main())"
    outputs: list[str] = []
    for arguments in (["-c", command, "--spec", str(spec)], ["-c", PROGRAM]):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=root, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.append(done.stdout)
    return json.loads(outputs[1]), outputs[0]


def test_the_signature_stays(regenerated: tuple[dict[str, Any], str]) -> None:
    """`send_message` of both clients takes the keywords that it took before."""
    keywords = {"sendFrom", "to", "messageType", "text", "media", "externalReference", "idempotency_key"}
    assert [set(found) for found in regenerated[0]["keywords"]] == [keywords, keywords]


def test_each_kind_is_sent(regenerated: tuple[dict[str, Any], str]) -> None:
    """An SMS and an MMS are accepted by the API as the new document describes it, from both clients."""
    assert regenerated[0]["sent"] == [1, 1, 1, 1]


def test_violations_name_their_places(regenerated: tuple[dict[str, Any], str]) -> None:
    """What is wrong inside a kind of message is named at the same places as before."""
    assert regenerated[0]["places"] == ["text", "text", "media[1]"]


def test_the_overlay_type_checks(regenerated: tuple[dict[str, Any], str]) -> None:
    """The overlay needs no mending."""
    assert "the overlay does not fit" not in regenerated[1]
