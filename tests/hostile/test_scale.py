"""Documents of any size: the time is linear, and a call stays cheap."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from pipeline import account, reader
from pipeline.document import load
from pipeline.generate import PACKAGE, generate

Make = Callable[..., dict[str, Any]]
SMALL, LARGE = 100, 400


def large(document_of: Make, size: int) -> dict[str, Any]:
    """Give a document of as many operations, and twice as many schemas, each of which refers to others."""
    schemas: dict[str, Any] = {}
    for number in range(size):
        schemas[f"Thing{number}"] = {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "minLength": 1},
                "kind": {"$ref": f"#/components/schemas/Kind{number}"},
                "next": {"$ref": f"#/components/schemas/Thing{number // 10}"},
                "inner": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
            },
        }
        schemas[f"Kind{number}"] = {"type": "string", "enum": ["a", "b"]}
    content = {n: {"application/json": {"schema": {"$ref": f"#/components/schemas/Thing{n}"}}} for n in range(size)}
    paths = {
        f"/things/{number}/{{id}}": {
            "post": {
                "operationId": f"doThing{number}",
                "tags": [f"tag {number % 20}"],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"properties": {"a": {}}}}},
                },
                "responses": {"200": {"description": "Done.", "content": content[number]}},
            }
        }
        for number in range(size)
    }
    return document_of(schemas, paths)


@pytest.fixture
def seconds(folder: Any, document_of: Make) -> dict[int, float]:
    """Make the packages of a small and of a large document, and give the seconds that each took."""
    taken: dict[int, float] = {}
    for size in (SMALL, LARGE):
        path = folder.write(large(document_of, size))
        began = time.process_time()
        document = load(path)
        contract = reader.read(document)
        account.check_complete(document, contract)
        generate(document, contract, folder.root / str(size) / PACKAGE, locked=False)
        taken[size] = time.process_time() - began
    return taken


CALL = """
transport_of = module("http_library").httpx
answer = {"id": "x", "next": {"id": "y"}}
transport = transport_of.MockTransport(lambda request: transport_of.Response(200, json=answer))
client = module("client").Client("http://a", transport=transport)
assert client.do_thing_7(id="i", a=1).next.id == "y"
found = sorted(name for name in sys.modules if name.startswith("redcloud_core_client"))
"""


def test_time_is_linear_and_calls_are_cheap(folder: Any, seconds: dict[int, float]) -> None:
    """Four times the document takes about four times as long, and a call loads no more modules than before."""
    assert seconds[LARGE] / seconds[SMALL] < 8
    loaded = {}
    for size in (SMALL, LARGE):
        folder.into = folder.root / str(size)
        loaded[size] = folder.ask(CALL)
    assert loaded[SMALL] == loaded[LARGE]
    api = [name for name in loaded[LARGE] if f"{PACKAGE}.api." in name]
    models = [name for name in loaded[LARGE] if f"{PACKAGE}.models." in name]
    assert len(api) == 2
    assert len(models) < 12
