"""A second opinion, openapi-core's, on what the generated client sends; and the document's examples as answers."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from ruamel.yaml import YAML

from redcloud_core_client.calls import Answer, Request
from redcloud_core_client.codec import to_builtins
from redcloud_core_client.errors import ErrorAnswer
from redcloud_core_client.operations import OPERATIONS

# Read here and not in a fixture: each example is a test of its own.
DOCUMENT: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).parents[2] / "openapi.yaml")
NODES: dict[str, dict[str, Any]] = {
    node["operationId"]: node for item in DOCUMENT["paths"].values() for node in item.values() if isinstance(node, dict)
}
KEYWORDS = {"Idempotency-Key": "idempotency_key"}
JSON = "application/json"


def resolved(node: Any) -> Any:
    if "$ref" not in node:
        return node
    found = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found)


REQUESTS = [
    pytest.param(operation_id, media, entry["value"], id=f"{operation_id} {media} {name}")
    for operation_id, node in NODES.items()
    for media, content in node.get("requestBody", {"content": {JSON: {"examples": {"none": {"value": {}}}}}})[
        "content"
    ].items()
    for name, entry in content.get("examples", {}).items()
]
ANSWERS = [
    pytest.param(operation_id, int(status), media, resolved(entry)["value"], id=f"{operation_id} {status} {name}")
    for operation_id, node in NODES.items()
    for status, response in node["responses"].items()
    for media, content in resolved(response).get("content", {}).items()
    for name, entry in content.get("examples", {}).items()
]


@pytest.fixture(scope="session")
def openapi() -> OpenAPI:
    """Give openapi-core's own reading of the document."""
    return OpenAPI.from_dict(DOCUMENT)  # type: ignore[arg-type]


@pytest.fixture
def bare() -> MockRequest:
    """Give a request of the operation without parameters and body."""
    return MockRequest("https://api.example.com", "get", "/api/core/whoami", headers={"Authorization": "Bearer x"})


def built(operation_id: str, media: str, example: dict[str, Any]) -> Request[Any]:
    """Let the generated client build the request of an example."""
    node = NODES[operation_id]
    keywords = {KEYWORDS.get(part["name"], part["name"]): part["example"] for part in node.get("parameters", [])}
    if len(node.get("requestBody", {"content": []})["content"]) > 1:
        keywords["content_type"] = media
    request: Request[Any] = import_module(f"redcloud_core_client.api.{OPERATIONS[operation_id]}").build(
        **keywords, **example
    )
    return request


def seen(request: Request[Any], **changes: Any) -> MockRequest:
    """Give a request as openapi-core sees it, with the token where the operation asks for one."""
    token = {"Authorization": "Bearer rc_token_example"} if request.operation.secured else {}
    target = urlsplit(request.target)
    facts: dict[str, Any] = {
        "args": dict(parse_qsl(target.query)),
        "headers": {**request.headers, **token},
        "data": request.content,
        "content_type": request.headers.get("Content-Type", JSON),
        **changes,
    }
    return MockRequest("https://api.example.com", request.operation.method.lower(), target.path, **facts)


def test_every_operation_and_status_is_tried() -> None:
    """No operation is without a request here, and no documented status without an answer."""
    assert {case.values[0] for case in REQUESTS} == set(NODES) == set(OPERATIONS)
    assert {case.values[:2] for case in ANSWERS} == {
        (operation_id, int(status)) for operation_id, node in NODES.items() for status in node["responses"]
    }


@pytest.mark.parametrize(("operation_id", "media", "example"), REQUESTS)
def test_requests_are_valid(openapi: OpenAPI, operation_id: str, media: str, example: dict[str, Any]) -> None:
    """What the client builds of an example of the document is valid against the document."""
    openapi.validate_request(seen(built(operation_id, media, example)))


@pytest.mark.parametrize(("operation_id", "media", "example"), REQUESTS)
def test_requests_say_the_example(operation_id: str, media: str, example: dict[str, Any]) -> None:
    """The bytes of a request say exactly what the example says: nothing renamed, nothing added, nothing lost."""
    content = built(operation_id, media, example).content
    if "requestBody" not in NODES[operation_id]:
        assert content == b""
    elif media == JSON:
        assert json.loads(content) == example
    else:
        assert sorted(parse_qsl(content.decode(), strict_parsing=True)) == sorted(example.items())


def test_openapi_core_can_refuse(openapi: OpenAPI) -> None:
    """The second opinion is one: a missing key, token or field is refused."""
    _, media, example = next(case.values for case in REQUESTS if case.values[0] == "sendMessage")
    request = built("sendMessage", media, example)
    without_key = {name: value for name, value in request.headers.items() if name != "Idempotency-Key"}
    for changes in (
        {"headers": {**without_key, "Authorization": "Bearer x"}},
        {"headers": dict(request.headers)},
        {"data": b"{}"},
    ):
        with pytest.raises(Exception, match=r"(?i)idempotency|security|body"):
            openapi.validate_request(seen(request, **changes))


@pytest.mark.parametrize(("operation_id", "status", "media", "example"), ANSWERS)
def test_answers(openapi: OpenAPI, operation_id: str, status: int, media: str, example: Any) -> None:
    """Every answer that the document shows is read into its named type, and says the same when written again."""
    content = json.dumps(example).encode()
    node = NODES[operation_id]
    schema = resolved(node["responses"][str(status)])["content"][media]["schema"]["$ref"].rpartition("/")[2]
    answer = Answer(status, {"content-type": media}, content)
    module = import_module(f"redcloud_core_client.api.{OPERATIONS[operation_id]}")
    if status < 400:
        value = module.parse(answer)
    else:
        with pytest.raises(ErrorAnswer) as error:
            module.parse(answer)
        value = error.value.body
        assert error.value.documented
        assert error.value.answer is answer
    assert to_builtins(value) == example
    opened = DOCUMENT["components"]["schemas"][schema].get("additionalProperties") is True
    assert type(value).__name__ == ("dict" if opened else schema)
    item = next(node for node in REQUESTS if node.values[0] == operation_id).values
    openapi.validate_response(seen(built(*item)), MockResponse(content, status, content_type=media))
