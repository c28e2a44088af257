"""The TypeScript types: what callers write is checked by the compiler, and no text of a document gets out of them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.document import load
from pipeline.environment import node
from pipeline.typescript import declarations

STRICT = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--verbatimModuleSyntax", "--erasableSyntaxOnly"]
STRICT += ["--allowImportingTsExtensions", "--skipDefaultLibCheck", "--pretty", "false", "--lib", "es2024,dom"]
STRICT += ["--target", "es2024", "--module", "esnext", "--moduleResolution", "bundler"]

USE = """
import type { components, operations, paths } from "./openapi.d.ts";
import type { MessageType, Number, NumberUpdate, SendMessageRequest } from "./openapi.d.ts";
const sms: SendMessageRequest = { sendFrom: "num_1", to: ["+1"], messageType: "SMS", externalReference: "o" };
const mms: SendMessageRequest = { ...sms, messageType: "MMS", media: [{ url: "https://example.com" }], text: "t" };
type Sent = paths["/api/core/messages/send"]["post"]["requestBody"]["content"]["application/json"];
const sent: Sent = sms;
const key: operations["sendMessage"]["parameters"]["header"] = { "Idempotency-Key": "k" };
const update: NumberUpdate = { campaignregId: null, smsEnabled: true };
const kind: MessageType = "MMS";
declare const number: Number;
const from: string = number.numberId;
const campaign: string | null | undefined = number.campaignRegId;
const same: components["schemas"]["Number"] = number;
"""

HEAD = """import type { NumberUpdate, SendMessageRequest, SendMessageResponse } from "./openapi.d.ts";
declare const sms: SendMessageRequest;
"""
WRONG = {
    "spelling": ('export const it: NumberUpdate = { campaignRegId: "A1B2C3" };', "TS2561"),
    "reference": ('export const it: SendMessageRequest = { sendFrom: "n", to: ["+1"], messageType: "SMS" };', "TS2741"),
    "kind": ('export const it: SendMessageRequest = { ...sms, messageType: "FAX" };', "TS2322"),
    "recipient": ('export const it: SendMessageRequest = { ...sms, to: "+15551234567" };', "TS2322"),
    "unknown": ("export const it: SendMessageRequest = { ...sms, campaignregId: null };", "TS2353"),
    "null": ("export const it: NumberUpdate = { smsEnabled: null };", "TS2322"),
    "answer": ("export const it = (found: SendMessageResponse) => found.results[0]!.messageID;", "TS2551"),
}

# Everything that could end a comment, a text or a line.
EVIL = "*/ export const broken: number = 'x'; /* ` ${1} \r\n\u2028*/\u2029 * \u200b/ \u202e */ \\\n@ts-nocheck *\u200b/"
ROUTE = "/a`${b}`'\"/{id}"
ANSWER = "#/paths/~1a`${b}`'\"~1{id}/get/responses/200/content/application~1json/schema"
HOSTILE = {
    "openapi": "3.1.0",
    "info": {"title": EVIL, "version": "1.0.0\n*/", "description": EVIL},
    "paths": {
        ROUTE: {
            "get": {
                **{"operationId": "readThing", "tags": ["T"], "summary": EVIL, "description": EVIL},
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "description": EVIL, "schema": {"type": "string"}}
                ],
                "callbacks": {"c": {"$ref": "#/nowhere"}},
                "responses": {
                    "200": {
                        "description": EVIL,
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["n"],
                                    "properties": {"n": {"type": "integer"}},
                                }
                            }
                        },
                    },
                    "default": {"$ref": "#/x-files/more.yaml/Failed"},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                **{"type": "object", "title": EVIL, "description": EVIL, "required": ["must"]},
                "properties": {
                    "must": {"type": "string", "format": EVIL, "default": EVIL, "examples": [EVIL, [EVIL]]},
                    **{name: {"type": "integer"} for name in ("*/", "'\"`\n\u2028", "$ref", "nullable")},
                    "defaulted": {"type": "integer", "default": 5},
                    "answer": {"$ref": ANSWER},
                    "part": {"$ref": f"{ANSWER}/properties/n"},
                    "name": {"$ref": "#/x-files/more.yaml/Name"},
                    "self": {"$ref": "#/components/schemas/Thing"},
                    "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                },
            },
            **{name: {"const": name} for name in ("Record", "Omit", "paths", "string", "class", "A-b.c", "Ok_1")},
        }
    },
    "x-files": {
        "more.yaml": {
            "Failed": {
                "description": EVIL,
                "content": {"application/json": {"schema": {"$ref": "#/x-files/more.yaml/Name"}}},
            },
            "Name": {"type": "string", "enum": ["a'b", 'c"d', "*/", "`${e}`"]},
        }
    },
}
OF_HOSTILE = """
import type { components, operations, Ok_1, Thing } from "./hostile.d.ts";
type Schemas = components["schemas"];
const thing: Thing = { must: "m", "*/": 1, $ref: 2, answer: { n: 1 }, part: 2, name: "*/", map: { a: 1 } };
const inner: Thing = { ...thing, self: thing, nullable: 3 };
const taken: [Schemas["Record"], Schemas["Omit"], Schemas["paths"]] = ["Record", "Omit", "paths"];
const odd: [Schemas["string"], Schemas["class"], Schemas["A-b.c"], Ok_1] = ["string", "class", "A-b.c", "Ok_1"];
type Answers = operations["readThing"]["responses"];
const failed: Answers["default"]["content"]["application/json"] = "a'b";
"""
NOT_OF_HOSTILE = """
import type { components } from "./hostile.d.ts";
export const it: components["schemas"]["Thing"] = {
  must: "m",
  part: "p",
  answer: {},
  name: "other",
  self: {},
  nullable: "n",
};
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The declarations of a document that means harm, made in a folder with a configuration that does, too."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "document.json"
    path.write_text(json.dumps(HOSTILE), encoding="utf-8")
    trap = "apis: {main: {root: document.json, x-openapi-ts: {output: trapped.d.ts}}}"
    (folder / "redocly.yaml").write_text(trap)
    before = Path.cwd()
    os.chdir(folder)
    try:
        found = declarations(load(path))
    finally:
        os.chdir(before)
    assert {"document.json", "redocly.yaml"} == {path.name for path in folder.iterdir()}
    return found


@pytest.fixture(scope="module")
def errors(exported: Path, hostile: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, str]]]:
    """What the compiler says of each file: lines and codes; all are compiled at once."""
    folder = tmp_path_factory.mktemp("types") / "contract"
    shutil.copytree(exported, folder)
    shutil.copy(Path(__file__).with_name("node.d.ts"), folder)
    sources = {"use": USE, "hostile.d": hostile, "of_hostile": OF_HOSTILE, "not_of_hostile": NOT_OF_HOSTILE}
    for name, text in {**sources, **{name: HEAD + code for name, (code, _) in WRONG.items()}}.items():
        (folder / f"{name}.ts").write_text(text, encoding="utf-8")
    paths = [str(path.relative_to(folder)) for path in (*folder.glob("*.ts"), folder / "examples" / "send.ts")]
    done = subprocess.run(node("tsc", *STRICT, *paths), cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found: dict[str, list[tuple[int, str]]] = {path: [] for path in paths}
    for path, line, code in re.findall(r"^(\S+?)\((\d+),\d+\): error (TS\d+): ", done.stdout, re.M):
        found[path].append((int(line), code))
    return found


@pytest.mark.parametrize("path", ["openapi.d.ts", "use.ts", "examples/send.ts", "hostile.d.ts", "of_hostile.ts"])
def test_what_is_right(errors: dict[str, Any], path: str) -> None:
    """The types themselves, requests and answers that are right, and the example are without errors."""
    assert errors[path] == []


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong(errors: dict[str, Any], name: str) -> None:
    """A wrong spelling, a field that is missing or unknown, and a wrong value are each the error that says so."""
    assert errors[f"{name}.ts"] == [(3, WRONG[name][1])]


def test_types_of_places_that_references_lead_to(errors: dict[str, Any]) -> None:
    """What a reference to an answer, to a part or to another file leads to has a type that does not take all."""
    assert errors["not_of_hostile.ts"] == [(5, "TS2322"), (6, "TS2741"), (7, "TS2322"), (8, "TS2741"), (9, "TS2322")]


def test_nothing_gets_out_of_a_comment(hostile: str) -> None:
    """A document's words stand in comments, without characters that nobody sees; a word ends none of them."""
    assert [found for found in hostile if not found.isprintable() and found != "\n"] == []
    code = re.sub(r"/\*.*?\*/", "", hostile, flags=re.S)
    assert "broken" in hostile
    assert "broken" not in code
    assert "ts-nocheck" not in code


def test_the_first_line(exported: Path) -> None:
    """The file says that a machine wrote it, how, and from which version."""
    first = (exported / "openapi.d.ts").read_text(encoding="utf-8").splitlines()[0]
    version = json.loads((exported / "openapi.json").read_text(encoding="utf-8"))["info"]["version"]
    assert first == f"// Machine-written by ./scripts/regenerate from version {version} of the document; do not edit."


def test_each_schema_has_a_name(exported: Path) -> None:
    """Each schema of the document is a type at the top, in the order of the document."""
    text = (exported / "openapi.d.ts").read_text(encoding="utf-8")
    names = list(json.loads((exported / "openapi.json").read_text(encoding="utf-8"))["components"]["schemas"])
    assert re.findall(r'^export type (\w+) = components\["schemas"\]\["\1"\];$', text, re.M) == names


def test_node_command(node_command: Callable[..., list[str]]) -> None:
    """The tests run the pinned Node, which takes TypeScript as it is."""
    done = subprocess.run(node_command("--version"), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("v24.")
