"""The ledger: everything that a document declares is exposed, guarded or waived, and a loss is seen."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from pipeline import account
from pipeline.contract import Contract
from pipeline.provenance import files
from pipeline.steps import Refused

ROOT = Path(__file__).parents[2]
DOCUMENT = """
openapi: 3.1.0
info: {title: T, version: 1.0.0}
security: [{token: []}]
paths:
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, minLength: 2}}]
    post:
      operationId: act
      servers: [{url: /}]
      security: [{key: []}]
      parameters:
        - {name: q, in: query, schema: {type: integer, maximum: 9}}
        - {name: X-H, in: header, schema: {type: string}}
        - {name: c, in: cookie, schema: {type: string}}
        - {name: Accept, in: header, schema: {type: string}}
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Thing'}}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {inline: {type: string}}}}
      responses:
        '200':
          description: x
          headers: {X-Rate: {schema: {type: integer}}}
          links: {l: {operationId: act}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
        4XX: {description: x}
        default: {description: x, content: {text/plain: {schema: {type: string}}}}
      callbacks: {c: {'{$request.body#/url}': {post: {responses: {'200': {description: x}}}}}}
    get: {operationId: look, responses: {'204': {description: x}}}
webhooks: {hook: {post: {responses: {'200': {description: x}}}}}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
    key: {type: apiKey, name: k, in: header}
  schemas:
    Thing:
      type: object
      required: [a]
      properties:
        a: {type: string, pattern: '^a', minLength: 1}
        b: {type: array, minItems: 1, items: {type: object, properties: {deep: {type: string, maxLength: 3}}}}
        c: {type: object, additionalProperties: {type: object, properties: {wide: {type: string}}}}
        d: {oneOf: [{type: string}, {type: object, properties: {arm: {type: string}}}]}
        e: {type: string, not: {const: x}}
      minProperties: 1
    Kind: {type: string, enum: [a, b]}
    Heir: {allOf: [{$ref: '#/components/schemas/Thing'}, {properties: {own: {type: integer, minimum: 1}}}]}
"""
THING = "#/components/schemas/Thing"
ACT = "#/paths/~1things~1{id}/post"


@pytest.fixture
def found(folder: Any) -> tuple[Any, Contract]:
    """Give a document with one of everything, and what is read of it."""
    made: tuple[Any, Contract] = folder.read(DOCUMENT, "document.yaml")
    return made


@pytest.mark.parametrize(
    ("pointer", "state"),
    [
        (ACT, "exposed"),
        ("#/paths/~1things~1{id}/get", "exposed"),
        ("#/paths/~1things~1{id}/parameters/0", "exposed"),
        ("#/paths/~1things~1{id}/parameters/0/schema/minLength", "guarded"),
        (f"{ACT}/parameters/0", "exposed"),
        (f"{ACT}/parameters/0/schema/maximum", "guarded"),
        (f"{ACT}/parameters/1", "exposed"),
        (f"{ACT}/parameters/2", "exposed"),
        (f"{ACT}/parameters/3", "waived"),
        (f"{ACT}/servers", "waived"),
        (f"{ACT}/callbacks", "waived"),
        (f"{ACT}/requestBody/content/application~1json", "exposed"),
        (f"{ACT}/requestBody/content/application~1x-www-form-urlencoded", "exposed"),
        (f"{ACT}/requestBody/content/application~1x-www-form-urlencoded/schema/properties/inline", "exposed"),
        (f"{ACT}/responses/200", "exposed"),
        (f"{ACT}/responses/200/headers", "waived"),
        (f"{ACT}/responses/200/links", "waived"),
        (f"{ACT}/responses/200/content/application~1json", "exposed"),
        (f"{ACT}/responses/4XX", "exposed"),
        (f"{ACT}/responses/default", "exposed"),
        (f"{ACT}/responses/default/content/text~1plain", "exposed"),
        (f"{ACT}/security", ""),
        ("#/webhooks", "waived"),
        ("#/security", ""),
        ("#/components/securitySchemes/token", "exposed"),
        ("#/components/securitySchemes/key", "waived"),
        (THING, "exposed"),
        (f"{THING}/minProperties", "guarded"),
        (f"{THING}/properties/a", "exposed"),
        (f"{THING}/properties/a/pattern", "guarded"),
        (f"{THING}/properties/a/minLength", "guarded"),
        (f"{THING}/properties/b/minItems", "guarded"),
        (f"{THING}/properties/b/items/properties/deep", "exposed"),
        (f"{THING}/properties/b/items/properties/deep/maxLength", "guarded"),
        (f"{THING}/properties/c/additionalProperties/properties/wide", "exposed"),
        (f"{THING}/properties/d/oneOf/1/properties/arm", "exposed"),
        (f"{THING}/properties/e/not", "waived"),
        ("#/components/schemas/Kind", "exposed"),
        ("#/components/schemas/Heir/allOf/1/properties/own", "exposed"),
        ("#/components/schemas/Heir/allOf/1/properties/own/minimum", "guarded"),
    ],
)
def test_everything_has_an_entry(found: tuple[Any, Contract], pointer: str, state: str) -> None:
    """Every part of the document has an entry, in a state that fits it."""
    entries = [entry for entry in account.ledger(*found) if entry.pointer == pointer]
    assert entries, pointer
    assert {entry.state for entry in entries} <= ({state} if state else {"exposed", "guarded", "waived"})


def test_every_waiver_has_a_reason(found: tuple[Any, Contract]) -> None:
    """What is waived says why, and the report tells each reason once."""
    entries = account.ledger(*found)
    waived = [entry for entry in entries if entry.state == "waived"]
    assert waived
    assert all(len(entry.reason.split()) > 2 for entry in waived)
    assert len(account.waived(entries)) == len({(entry.what, entry.reason) for entry in waived})


def without(contract: Contract, **changes: Callable[[Any], Any]) -> Contract:
    """Return a contract of whose operation `act` something was dropped."""
    act = next(found for found in contract.operations if found.name == "act")
    lesser = attrs.evolve(act, **{name: change(getattr(act, name)) for name, change in changes.items()})
    return attrs.evolve(contract, operations=tuple(lesser if found is act else found for found in contract.operations))


def less(contract: Contract, schema: str, **changes: Callable[[Any], Any]) -> Contract:
    """Return a contract of one of whose schemas something was dropped."""
    made = [
        attrs.evolve(found, **{name: change(getattr(found, name)) for name, change in changes.items()})
        if found.name == schema
        else found
        for found in contract.schemas
    ]
    return attrs.evolve(contract, schemas=tuple(made))


def tail(values: Any) -> Any:
    """Return all but the first."""
    return values[1:]


@pytest.mark.parametrize(
    ("drop", "lost"),
    [
        (lambda c: attrs.evolve(c, operations=tail(c.operations)), ACT),
        (lambda c: attrs.evolve(c, schemas=tail(c.schemas)), THING),
        (lambda c: attrs.evolve(c, schemas=tuple(s for s in c.schemas if s.name != "Kind")), "schemas/Kind"),
        (lambda c: without(c, arguments=tail), "parameters/0"),
        (lambda c: without(c, arguments=lambda all_: tuple(a for a in all_ if a.location != "cookie")), "parameters/2"),
        (lambda c: without(c, arguments=lambda all_: tuple(a for a in all_ if a.location != "header")), "parameters/1"),
        (lambda c: without(c, body=lambda _: None), "requestBody/content/application~1json"),
        (lambda c: without(c, success=tail), "responses/200"),
        (lambda c: without(c, errors=tail), "responses/4XX"),
        (lambda c: without(c, errors=lambda found: found[:-1]), "responses/default"),
        (
            lambda c: without(c, success=lambda found: tuple(attrs.evolve(r, contents={}) for r in found)),
            "responses/200/content/application~1json",
        ),
        (lambda c: less(c, "Thing", properties=tail), "Thing/properties/a"),
        (lambda c: less(c, "Heir", properties=lambda found: found[:-1]), "allOf/1/properties/own"),
        (
            lambda c: less(c, "Thing", properties=lambda found: tuple(attrs.evolve(p, constraints={}) for p in found)),
            "properties/a/pattern",
        ),
    ],
    ids=[
        "operation",
        "object",
        "enum",
        "path parameter",
        "cookie",
        "header",
        "body",
        "success",
        "error",
        "default",
        "content type",
        "property",
        "inherited property",
        "constraint",
    ],
)
def test_a_loss_is_seen(found: tuple[Any, Contract], drop: Callable[[Contract], Contract], lost: str) -> None:
    """Whatever reading dropped, the ledger misses it and says where it stands."""
    document, contract = found
    account.check_complete(document, contract)
    with pytest.raises(Refused, match="would be dropped") as caught:
        account.check_complete(document, drop(contract))
    assert lost in str(caught.value)
    assert str(caught.value).startswith(document.name)


def test_the_same_bytes_whatever_the_hash_seed(folder: Any) -> None:
    """The same document gives the same package, byte for byte, in processes whose sets have other orders."""
    spec, made = folder.write(DOCUMENT, "document.yaml"), []
    for seed in ("0", "1", "4242"):
        into = folder.root / f"into{seed}"
        code = "from pipeline.regenerate import main; raise SystemExit(main())"
        command = [sys.executable, "-c", code, "--spec", str(spec), "--into", str(into)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": seed}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        made.append({path.relative_to(into): path.read_bytes() for path in files(into)})
    assert made[0] == made[1] == made[2]
