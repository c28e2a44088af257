"""openapi.yaml says what the API's documentation says, and marks what it does not say."""

import copy
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

CORE = ("whoami", "listNumbers", "searchNumbers", "updateNumber", "sendMessage")

# The statuses that an operation declares, beside its success.
ERRORS = {
    "issueToken": {"400", "401", "500"},
    "whoami": {"401", "500"},
    "listNumbers": {"401", "500"},
    "searchNumbers": {"400", "401", "403", "500", "502"},
    "updateNumber": {"400", "401", "403", "404", "500", "502"},
    "sendMessage": {"400", "401", "403", "409", "500", "502"},
}

# Every property: `!` required, `?` optional, and `0` where null is allowed.
PRESENCE = {
    "OAuthError": "error! error_description!",
    "CoreError": "code! message! details!",
    "CoreErrorResponse": "error! requestId?0",
    "TokenRequest": "grant_type! client_id! client_secret!",
    "TokenForm": "grant_type! client_id? client_secret?",
    "TokenResponse": "access_token! token_type?0 expires_in?0",
    "ClientContext": "apiClientId! apiClientName! apiClientStatus! capabilities! assignedNumbers! "
    "inboundWebhookConfigured! deliveryWebhookConfigured!",
    "AssignedNumbers": "total! smsEnabledCount! mmsEnabledCount!",
    "NumberList": "numbers!",
    "Number": "numberId! e164! status! campaignRegId?0 smsEnabled! mmsEnabled! "
    "webhookInboundOverride?0 webhookDeliveryOverride?0",
    "NumberSearch": "npa? nxx? city? state? zipCode? rateCenter?",
    "NumberSearchResult": "groups?0 providerResultCount?0 requestedQuantity?0",
    "NumberUpdate": "campaignregId?0 smsEnabled? mmsEnabled? webhookInboundOverride?0 webhookDeliveryOverride?0",
    "SendMessageRequest": "sendFrom! to! messageType! text? media? externalReference!",
    "SendMessageResponse": "results! errors!",
    "SendResult": "to! messageId! status!",
}

# Objects of which no documentation shows the fields.
OPEN = {"NumberGroup", "UpdatedNumber", "MessageMediaInput", "SendError"}

CANONICAL = [
    ("client_id", "rc_test_client_123"),
    ("client_secret", "rc_secret_abc123"),
    ("access_token", "rc_token_example"),
    ("apiClientId", "rc_test_client_123"),
    ("numberId", "num_abc123"),
    ("sendFrom", "num_abc123"),
    ("messageId", "msg_abc123"),
    ("externalReference", "order_789"),
    ("e164", "+15551234567"),
    ("to", ["+15551234567"]),
    ("to", "+15551234567"),
    ("Idempotency-Key", "idem_order_789"),
    ("campaignRegId", "A1B2C3"),
    ("campaignregId", "A1B2C3"),
]


def core_error(code: str, message: str, request_id: str) -> dict[str, Any]:
    """Give a body of the CORE wrapper."""
    return {"error": {"code": code, "message": message, "details": {}}, "requestId": request_id}


# What the documentation shows, word for word: operation, status, body.
DOCUMENTED_ERRORS = [
    ("issueToken", "401", {"error": "invalid_client", "error_description": "Client authentication failed"}),
    (
        "issueToken",
        "400",
        {"error": "unsupported_grant_type", "error_description": "Only client_credentials is supported"},
    ),
    (
        "issueToken",
        "400",
        {"error": "invalid_request", "error_description": "client_id and client_secret are required"},
    ),
    ("sendMessage", "400", core_error("INVALID_REQUEST", "Idempotency-Key header is required", "req_send_001")),
    *((core, "401", core_error("UNAUTHORIZED", "Invalid or missing bearer token", "req_auth_001")) for core in CORE),
    ("sendMessage", "403", core_error("FORBIDDEN", "sendFrom is not owned by this API client", "req_send_002")),
    (
        "sendMessage",
        "400",
        core_error("INVALID_REQUEST", "sendFrom must have campaignregId configured", "req_send_003"),
    ),
]

# What nobody documents and the document decides, by the checklist of the contract's facts.
UPDATE = "/paths/~1api~1core~1numbers~1{numberId}"
DECIDED = [
    *(UPDATE, f"{UPDATE}/patch"),  # 1: path and method
    "/components/schemas/UpdatedNumber",  # 2
    "/components/schemas/MessageMediaInput",  # 3
    "/components/schemas/NumberGroup",  # 4
    "/components/schemas/SendError",  # 5
    "/components/schemas/SendMessageRequest/properties/media",  # 3: its name
    "/paths/~1api~1auth~1token/post/responses/200",  # 7: success statuses
    "/paths/~1api~1core~1whoami/get/responses/200",
    "/paths/~1api~1core~1numbers/get/responses/200",
    "/paths/~1api~1core~1numbers~1search/post/responses/200",
    f"{UPDATE}/patch/responses/200",
    "/paths/~1api~1core~1numbers~1search/post/responses/400",  # 7: error statuses
    "/paths/~1api~1core~1numbers~1search/post/responses/403",
    *(f"{UPDATE}/patch/responses/{status}" for status in (400, 403, 404)),
    *(f"/components/responses/{name}" for name in ("ServerError", "UpstreamError")),
    *(f"/components/responses/Token{name}" for name in ("InvalidRequest", "InvalidClient", "ServerError")),  # 8
    *("/components/schemas/TokenForm", "/paths/~1api~1auth~1token/post/requestBody"),
    "/components/schemas/ClientContext/properties/apiClientStatus",  # 9: values beyond the seen ones
    "/components/schemas/ClientContext/properties/capabilities",
    "/components/schemas/Number/properties/status",
    *(  # 10: presence and null
        f"/components/schemas/{name}"
        for name in ("TokenResponse", "ClientContext", "AssignedNumbers", "NumberList", "Number")
    ),
    *(f"/components/schemas/{name}" for name in ("NumberSearchResult", "SendMessageResponse", "SendResult")),
    *(f"/components/schemas/TokenResponse/properties/{name}" for name in ("token_type", "expires_in")),
    *(
        f"/components/schemas/Number/properties/{name}"
        for name in ("campaignRegId", "webhookInboundOverride", "webhookDeliveryOverride")
    ),
    "/components/schemas/CoreErrorResponse",  # 10 and 13: the wrapper's name and required list
    "/components/schemas/CoreErrorResponse/properties/requestId",
    "/components/schemas/CoreError/properties/details",
]


class Example(NamedTuple):
    """An example, and the pointer of the schema that it must obey."""

    schema: str
    name: str
    value: Any


def escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def resolved(document: Any, node: Any) -> Any:
    while "$ref" in node:
        node = at(document, node["$ref"].removeprefix("#"))
    return node


def nodes(node: Any, pointer: str = "", name: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield pointer, name and value of every object of the document that is not itself an example."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from nodes(child, f"{pointer}/{index}", name)
    if isinstance(node, dict):
        yield pointer, name, node
        for key, child in node.items():
            if key not in {"example", "examples"} or pointer.endswith("/properties"):
                yield from nodes(child, f"{pointer}/{escape(key)}", key)


def examples(document: Any) -> Iterator[Example]:
    """Yield every example: of schemas, of media types, of parameters."""
    for pointer, name, node in nodes(document):
        if pointer == "/components" or pointer.endswith("/properties"):
            continue
        schema = f"{pointer}/schema" if "schema" in node else pointer
        name = node.get("name", name)  # noqa: PLW2901  a parameter says its name itself
        if "example" in node:
            yield Example(schema, name, node["example"])
        found = node.get("examples", [])
        if isinstance(found, dict):
            yield from (Example(schema, name, resolved(document, entry)["value"]) for entry in found.values())
        else:
            yield from (Example(schema, name, value) for value in found)


def problems(document: Any) -> list[str]:
    """Return what is wrong with the examples of a document."""
    registry = Registry().with_resource("urn:document", Resource(document, DRAFT202012))
    found = []
    for example in examples(document):
        validator = Draft202012Validator({"$ref": f"urn:document#{quote(example.schema)}"}, registry=registry)
        found += [f"{example.schema}: {error.message}" for error in validator.iter_errors(example.value)]
    return found


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every name with its value, at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from pairs(child)


def reachable(document: Any, node: Any) -> set[str]:
    """Return the names of the schemas that a node leads to."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        for key, value in pairs(waiting.pop()):
            if key == "$ref" and value not in found:
                found.add(value)
                waiting.append(at(document, value.removeprefix("#")))
    return {name.rpartition("/")[2] for name in found if name.startswith("#/components/schemas/")}


def test_valid(document: dict[str, Any]) -> None:
    """The document is valid OpenAPI 3.1.0, and its version is one."""
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Red Cloud CORE API"
    assert re.fullmatch(r"\d+\.\d+\.\d+(-rc\.\d+)?", document["info"]["version"])


def test_order(document: dict[str, Any]) -> None:
    """The sections stand in the order of the API's own document."""
    assert list(document) == ["openapi", "info", "servers", "security", "tags", "components", "paths"]


def test_server(document: dict[str, Any]) -> None:
    """The one server is a host of the reader's environment."""
    (server,) = document["servers"]
    assert server["url"] == "https://{host}"
    assert server["variables"]["host"]["default"] == "api.example.com"


def test_operations(operations: dict[str, Any]) -> None:
    """The operations of the reference page are there, in its order; a later document may have more."""
    known = {name: operations[name] for name in operations if name in ("issueToken", *CORE)}
    assert [(name, found.method.upper(), found.path) for name, found in known.items()] == [
        ("issueToken", "POST", "/api/auth/token"),
        ("whoami", "GET", "/api/core/whoami"),
        ("listNumbers", "GET", "/api/core/numbers"),
        ("searchNumbers", "POST", "/api/core/numbers/search"),
        ("updateNumber", "PATCH", "/api/core/numbers/{numberId}"),
        ("sendMessage", "POST", "/api/core/messages/send"),
    ]


def test_tags(document: dict[str, Any], operations: dict[str, Any]) -> None:
    """The token operation is Authentication, all others of the reference page are CORE, and both are described."""
    assert [tag["name"] for tag in document["tags"] if tag["description"]][:2] == ["Authentication", "CORE"]
    assert operations["issueToken"].node["tags"] == ["Authentication"]
    assert {name: operations[name].node["tags"] for name in CORE} == {name: ["CORE"] for name in CORE}


def test_security(document: dict[str, Any], operations: dict[str, Any]) -> None:
    """The bearer token is asked for at the root, and the token operation alone is exempt."""
    scheme = document["components"]["securitySchemes"]["BearerAuth"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert document["security"] == [{"BearerAuth": []}]
    assert {name: found.node["security"] for name, found in operations.items() if "security" in found.node} == {
        "issueToken": []
    }


def test_parameters(document: dict[str, Any], operations: dict[str, Any]) -> None:
    """The update has its path parameter, the send its key, and both are required texts; the page has no others."""
    found = {
        name: [(part["name"], part["in"], part["required"], part["schema"]) for part in operation.node["parameters"]]
        for name, operation in operations.items()
        if "parameters" in operation.node and name in CORE
    }
    assert found == {
        "updateNumber": [("numberId", "path", True, {"type": "string"})],
        "sendMessage": [("Idempotency-Key", "header", True, {"type": "string"})],
    }
    assert not any("parameters" in item for item in document["paths"].values())


def test_bodies_are_named_components(document: dict[str, Any], operations: dict[str, Any]) -> None:
    """Every body, sent or answered, is a named schema; bodies that are sent are required."""
    known = {name: operations[name] for name in ("issueToken", *CORE)}
    sent = {
        name: {media: entry["schema"] for media, entry in found.node["requestBody"]["content"].items()}
        for name, found in known.items()
        if found.node.get("requestBody", {"required": False})["required"]
    }
    named = {
        "issueToken": {"application/json": "TokenRequest", "application/x-www-form-urlencoded": "TokenForm"},
        "searchNumbers": {"application/json": "NumberSearch"},
        "updateNumber": {"application/json": "NumberUpdate"},
        "sendMessage": {"application/json": "SendMessageRequest"},
    }
    assert sent == {
        name: {media: {"$ref": f"#/components/schemas/{schema}"} for media, schema in contents.items()}
        for name, contents in named.items()
    }
    answered = {
        name: resolved(document, response)["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for name, found in known.items()
        for status, response in found.node["responses"].items()
        if status.startswith("2")
    }
    assert answered == {
        "issueToken": "TokenResponse",
        "whoami": "ClientContext",
        "listNumbers": "NumberList",
        "searchNumbers": "NumberSearchResult",
        "updateNumber": "UpdatedNumber",
        "sendMessage": "SendMessageResponse",
    }


@pytest.mark.parametrize("operation_id", ERRORS)
def test_errors(document: dict[str, Any], operations: dict[str, Any], operation_id: str) -> None:
    """Each operation declares its errors: the token's in OAuth style, all others in the CORE wrapper."""
    wanted = "OAuthError" if operation_id == "issueToken" else "CoreErrorResponse"
    responses = operations[operation_id].node["responses"]
    found = {
        status: {
            media: entry["schema"]["$ref"].rpartition("/")[2]
            for media, entry in resolved(document, response)["content"].items()
        }
        for status, response in responses.items()
        if not status.startswith("2")
    }
    assert found == {status: {"application/json": wanted} for status in ERRORS[operation_id]}
    assert {*responses} - {*found} == {"202" if operation_id == "sendMessage" else "200"}


@pytest.mark.parametrize(("operation_id", "status", "body"), DOCUMENTED_ERRORS)
def test_documented_errors(
    document: dict[str, Any], operations: dict[str, Any], operation_id: str, status: str, body: Any
) -> None:
    """Every error that the documentation shows is an example of its status, word for word."""
    response = resolved(document, operations[operation_id].node["responses"][status])
    assert body in [entry["value"] for entry in response["content"]["application/json"]["examples"].values()]


def test_examples_obey_their_schemas(document: dict[str, Any]) -> None:
    """Every example is valid against the schema beside it."""
    assert problems(document) == []


def test_no_example_is_overlooked(document: dict[str, Any], text: str) -> None:
    """The walk over the examples meets every place of the file that holds some."""
    written = len(re.findall(r"^\s*(?:- )?examples?:", text, re.MULTILINE))
    met = sum("example" in node or "examples" in node for _, _, node in nodes(document))
    assert met == written
    assert len(list(examples(document))) > written


def test_wrong_example_is_found(document: dict[str, Any]) -> None:
    """The validation of examples can fail: one wrong type is one problem, at its schema."""
    wrong = copy.deepcopy(document)
    wrong["components"]["schemas"]["TokenResponse"]["properties"]["expires_in"]["examples"] = ["3600"]
    (problem,) = problems(wrong)
    assert problem.startswith("/components/schemas/TokenResponse/properties/expires_in: '3600' is not of type")


@pytest.mark.parametrize(("name", "value"), CANONICAL)
def test_canonical_values(document: dict[str, Any], name: str, value: Any) -> None:
    """The example values that the documentation repeats stand where it shows them."""
    found = [pair for example in examples(document) for pair in [(example.name, example.value), *pairs(example.value)]]
    assert (name, value) in found


def test_request_and_answer_examples(document: dict[str, Any], operations: dict[str, Any]) -> None:
    """The send shows an SMS and an MMS, an answer of acceptance and one of partial acceptance."""
    send = operations["sendMessage"].node
    requests = [found["value"] for found in send["requestBody"]["content"]["application/json"]["examples"].values()]
    assert [(found["messageType"], "media" in found) for found in requests] == [("SMS", False), ("MMS", True)]
    answers = [found["value"] for found in send["responses"]["202"]["content"]["application/json"]["examples"].values()]
    assert answers[0] == {
        "results": [{"to": "+15551234567", "messageId": "msg_abc123", "status": "QUEUED"}],
        "errors": [],
    }
    assert [(bool(found["results"]), bool(found["errors"])) for found in answers] == [(True, False), (True, True)]


def test_campaign_spellings(document: dict[str, Any], operations: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The request alone says campaignregId, and what is read says campaignRegId; no third spelling occurs."""
    spelled = {
        name: {found for found in schema.get("properties", {}) if found.lower() == "campaignregid"}
        for name, schema in schemas.items()
    }
    assert {name: found for name, found in spelled.items() if found} == {
        "Number": {"campaignRegId"},
        "NumberUpdate": {"campaignregId"},
    }
    sent = reachable(document, [found.node.get("requestBody") for found in operations.values()])
    read = reachable(document, [found.node["responses"] for found in operations.values()])
    assert ("NumberUpdate" in sent, "NumberUpdate" in read) == (True, False)
    assert ("Number" in sent, "Number" in read) == (False, True)


def test_campaign_spellings_in_examples(operations: dict[str, Any], document: dict[str, Any]) -> None:
    """The examples spell the campaign as their side does."""
    spellings = {"requestBody": set[str](), "responses": set[str]()}
    for found in operations.values():
        for side, names in spellings.items():
            nodes_of_side = [found.node.get(side, {})]
            names |= {name for name, _ in pairs(nodes_of_side) if name.lower() == "campaignregid"}
    assert spellings == {"requestBody": {"campaignregId"}, "responses": {"campaignRegId"}}


def test_campaign_spellings_in_words(text: str) -> None:
    """Nowhere in the file does the campaign have a third spelling."""
    assert set(re.findall(r"campaign_?reg_?id", text, re.IGNORECASE)) == {"campaignregId", "campaignRegId"}


@pytest.mark.parametrize("name", PRESENCE)
def test_presence(schemas: dict[str, Any], name: str) -> None:
    """Each property is required, optional or nullable exactly as callers rely on."""
    schema = schemas[name]
    found = {
        f"{key}{'!' if key in schema.get('required', []) else '?'}{'0' if 'null' in node.get('type', []) else ''}"
        for key, node in schema["properties"].items()
    }
    assert found == set(PRESENCE[name].split())
    assert set(schema.get("required", [])) <= set(schema["properties"])


def test_every_schema_is_told(schemas: dict[str, Any]) -> None:
    """Every schema is in the table of presence, is an open object, or an enum."""
    enums = {"OAuthErrorCode", "MessageType"}
    assert set(schemas) == set(PRESENCE) | OPEN | enums
    assert {name for name in schemas if schemas[name].get("additionalProperties") is True} == OPEN
    assert {name: schemas[name]["enum"] for name in enums} == {
        "OAuthErrorCode": ["invalid_request", "invalid_client", "unsupported_grant_type", "server_error"],
        "MessageType": ["SMS", "MMS"],
    }


def test_open_texts(schemas: dict[str, Any]) -> None:
    """What has one documented value and may have more is an open text."""
    holders = {"CoreError": "code", "ClientContext": "apiClientStatus", "Number": "status", "SendResult": "status"}
    for schema, name in holders.items():
        node = schemas[schema]["properties"][name]
        assert node["type"] == "string"
        assert not {"enum", "const"} & set(node)


def test_send_rules(schemas: dict[str, Any]) -> None:
    """A send has one recipient at least; nothing else that is not documented limits what may be sent."""
    limits = {"minItems", "maxItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "uniqueItems"}
    found = {
        (name, key): {limit: node[limit] for limit in limits & set(node)}
        for name, schema in schemas.items()
        for key, node in schema.get("properties", {}).items()
        if limits & set(node)
    }
    assert found == {("SendMessageRequest", "to"): {"minItems": 1}}


def test_described(document: dict[str, Any], operations: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Every operation, schema, property, parameter and response says in words what it is."""
    parts = [found.node for found in operations.values()]
    parts += [part for found in operations.values() for part in found.node.get("parameters", [])]
    parts += [resolved(document, part) for found in operations.values() for part in found.node["responses"].values()]
    parts += schemas.values()
    parts += [resolved(document, part) for schema in schemas.values() for part in schema.get("properties", {}).values()]
    assert [part for part in parts if not part.get("description", "").strip()] == []
    assert all(found.node["summary"].strip() for found in operations.values())


@pytest.mark.parametrize("pointer", DECIDED)
def test_undocumented_decisions_are_marked(document: dict[str, Any], pointer: str) -> None:
    """What no documentation states carries a mark that says why it stands here as it does."""
    assert "x-unconfirmed" in at(document, pointer)


def test_marks_say_why(document: dict[str, Any]) -> None:
    """Every mark is a sentence, and none is an empty word."""
    marks = {pointer: node["x-unconfirmed"] for pointer, _, node in nodes(document) if "x-unconfirmed" in node}
    assert {pointer for pointer, why in marks.items() if not isinstance(why, str) or len(why.split()) < 3} == set()


def test_documented_facts_are_not_marked(document: dict[str, Any]) -> None:
    """What the documentation states bears no mark: a correction there would be a break."""
    for pointer in (
        "/components/schemas/OAuthError",
        "/components/schemas/OAuthErrorCode",
        "/components/schemas/CoreError",
        "/components/schemas/MessageType",
        "/components/schemas/SendMessageRequest",
        "/components/schemas/NumberUpdate/properties/campaignregId",
        "/paths/~1api~1core~1messages~1send/post",
        "/paths/~1api~1core~1messages~1send/post/responses/202",
        "/paths/~1api~1core~1messages~1send/post/responses/409",
    ):
        assert "x-unconfirmed" not in at(document, pointer)
