"""The Python surface: its listing, and what a new document changes of it, for whom."""

import copy
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import document, generate, reader
from pipeline.gate.evidence import Evidence
from pipeline.gate.listing import listing
from pipeline.gate.sides import Side
from pipeline.gate.surface import compare
from pipeline.steps import ToolFailed

ROOT = Path(__file__).parents[2]
DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "documents" / "core-0.2.0.yaml").read_text())

Change = Callable[[dict[str, Any]], object]
Surfaces = Callable[..., Side]
Said = tuple[str, str, str, str, str]

SCHEMAS = "#/components/schemas"
LIST = "#/paths/~1api~1core~1numbers/get"
SEARCH = "#/paths/~1api~1core~1numbers~1search/post"
UPDATE = "#/paths/~1api~1core~1numbers~1{numberId}/patch"
SEND = "#/paths/~1api~1core~1messages~1send/post"
WHOAMI = "#/paths/~1api~1core~1whoami/get"
NUMBERS, SENDING = "/api/core/numbers", "/api/core/messages/send"

STRING = {"type": "string"}


def python(rule: str, says: str, before: str = "", after: str = "") -> Said:
    """Give evidence of a break, as it is expected."""
    return "python", rule, says, before, after


def additive(rule: str, says: str, before: str = "", after: str = "") -> Said:
    """Give evidence of an addition, as it is expected."""
    return "additive", rule, says, before, after


def schema(data: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a schema of a document."""
    found: dict[str, Any] = data["components"]["schemas"][name]
    return found


def set_property(owner: str, name: str, value: Mapping[str, Any]) -> Change:
    """Give the change that writes a property, a new one or another one in its place."""
    return lambda data: schema(data, owner)["properties"].update({name: dict(value)})


def require(owner: str, *names: str) -> Change:
    """Give the change that says which properties are required."""
    return lambda data: schema(data, owner).update(required=list(names))


def rename_property(owner: str, name: str, other: str) -> Change:
    """Give the change that gives a property another name, where it stands."""

    def change(data: dict[str, Any]) -> None:
        found = schema(data, owner)
        found["properties"] = {other if key == name else key: value for key, value in found["properties"].items()}
        found["required"] = [other if key == name else key for key in found.get("required", [])]

    return change


def rename_schema(name: str, other: str) -> Change:
    """Give the change that gives a schema another name, with all references to it."""

    def change(data: dict[str, Any]) -> None:
        text = json.dumps(data).replace(f'schemas/{name}"', f'schemas/{other}"')
        data.update(json.loads(text.replace(f'"{name}": {{', f'"{other}": {{')))

    return change


def operation(path: str, method: str, **values: Any) -> Change:
    """Give the change that writes into an operation."""
    return lambda data: data["paths"].setdefault(path, {}).setdefault(method, {}).update(values)


def add_parameter(path: str, method: str, **values: Any) -> Change:
    """Give the change that adds a parameter to an operation."""
    parameter = {"in": "query", "schema": STRING, **values}
    return lambda data: data["paths"][path][method].setdefault("parameters", []).append(parameter)


def rename_path_parameter(data: dict[str, Any]) -> None:
    """Call the number's id in the path otherwise, and declare it in the path item."""
    item = data["paths"].pop(f"{NUMBERS}/{{numberId}}")
    found = item["patch"].pop("parameters")[0]
    data["components"]["parameters"] = {"Id": {**found, "name": "id"}}
    data["paths"][f"{NUMBERS}/{{id}}"] = {"parameters": [{"$ref": "#/components/parameters/Id"}], **item}


def reversed_properties(data: dict[str, Any]) -> None:
    """Turn the order of all properties and all lists of values around."""
    for found in data["components"]["schemas"].values():
        for key in ("properties", "required", "enum"):
            if key in found:
                found[key] = type(found[key])(
                    reversed(list(getattr(found[key], "items", lambda key=found[key]: key)()))
                )


def described(data: dict[str, Any]) -> None:
    """Change words alone, and mark a property as secret and one as deprecated."""
    data["info"].update(version="0.9.0", title="Another title")
    schema(data, "Number")["description"] = "A number."
    schema(data, "Number")["properties"]["e164"].update(description="In E.164 form.", deprecated=True)
    schema(data, "Number")["properties"]["status"]["format"] = "password"
    data["paths"][SENDING]["post"].update(summary="Send", description="Sends.")


def tag(data: dict[str, Any]) -> None:
    """Give all operations of a tag another one."""
    for item in data["paths"].values():
        for found in item.values():
            if isinstance(found, dict) and found.get("tags") == ["CORE"]:
                found["tags"] = ["Messaging"]


def sent_as_well(data: dict[str, Any]) -> None:
    """Narrow a class of answers, and let a request hold it: nobody sends it yet."""
    schema(data, "AssignedNumbers")["properties"]["total"] = {"const": 1}
    schema(data, "NumberSearch")["properties"]["like"] = {"$ref": f"{SCHEMAS}/AssignedNumbers"}


REQUEST, ANSWER = f"{SCHEMAS}/SendMessageRequest", f"{SCHEMAS}/CoreError"
E164, TEXT, REFERENCE = (
    f"{SCHEMAS}/Number/properties/e164",
    f"{REQUEST}/properties/text",
    f"{REQUEST}/properties/externalReference",
)

CASES: dict[str, tuple[Change, list[Said]]] = {
    "words only": (described, []),
    "order only": (reversed_properties, []),
    "a property of a request renamed": (
        rename_property("SendMessageRequest", "externalReference", "reference"),
        [
            python("object-removed", "`SendMessageRequest.externalReference` is gone", REFERENCE),
            python(
                "name-added",
                "`SendMessageRequest.reference` is new and required",
                after=f"{REQUEST}/properties/reference",
            ),
            python("parameter-removed", "`send_message` no longer takes `externalReference`", REFERENCE),
            python(
                "parameter-added-required",
                "`send_message` requires `reference` now",
                after=f"{REQUEST}/properties/reference",
            ),
        ],
    ),
    "a property of an answer renamed": (
        rename_property("Number", "e164", "phone"),
        [
            python("object-removed", "`Number.e164` is gone", E164),
            additive("name-added", "`Number.phone` is new", after=f"{SCHEMAS}/Number/properties/phone"),
        ],
    ),
    "operationId renamed": (
        operation(NUMBERS, "get", operationId="fetchNumbers"),
        [
            additive("name-added", "`fetch_numbers` is new", after=LIST),
            python("object-removed", "`list_numbers` is gone", LIST),
        ],
    ),
    "an operation with another tag": (
        operation(NUMBERS, "get", tags=["Messaging"]),
        [python("object-removed", "`redcloud_core_client.api.core.list_numbers` is gone", LIST, LIST)],
    ),
    "a tag renamed": (
        tag,
        [
            python("name-removed", f"`redcloud_core_client.api.core.{name}` is gone", pointer, pointer)
            for name, pointer in {
                "list_numbers": LIST,
                "search_numbers": SEARCH,
                "send_message": SEND,
                "update_number": UPDATE,
                "whoami": WHOAMI,
            }.items()
        ],
    ),
    "a schema of a request renamed": (
        rename_schema("NumberSearch", "NumberQuery"),
        [
            additive("name-added", "`NumberQuery` is new", after=f"{SCHEMAS}/NumberQuery"),
            python("object-removed", "`NumberSearch` is gone", f"{SCHEMAS}/NumberSearch"),
        ],
    ),
    "a schema inside an answer renamed": (
        rename_schema("Number", "Phone"),
        [
            python("object-removed", "`Number` is gone", f"{SCHEMAS}/Number"),
            additive("name-added", "`Phone` is new", after=f"{SCHEMAS}/Phone"),
        ],
    ),
    "another schema in the answer": (
        operation(
            NUMBERS, "get", responses={"200": {"description": "x", "content": {"application/json": {"schema": STRING}}}}
        ),
        [
            python(
                "type-changed",
                "`list_numbers` returns `str` now (was `NumberList`)",
                f"{LIST}/responses/200",
                f"{LIST}/responses/200",
            )
        ],
    ),
    "a path parameter renamed": (
        rename_path_parameter,
        [
            python(
                "parameter-added-required",
                "`update_number` requires `id` now",
                after="#/paths/~1api~1core~1numbers~1{id}/parameters/0",
            ),
            python("parameter-removed", "`update_number` no longer takes `numberId`", f"{UPDATE}/parameters/0"),
        ],
    ),
    "required in a request": (
        require("NumberSearch", "npa"),
        [
            python(
                "type-changed",
                "`NumberSearch.npa` is never UNSET now (was `str | Unset`)",
                *2 * (f"{SCHEMAS}/NumberSearch/properties/npa",),
            ),
            python(
                "parameter-changed-required",
                "`search_numbers` requires `npa`",
                *2 * (f"{SCHEMAS}/NumberSearch/properties/npa",),
            ),
        ],
    ),
    "no longer required in a request": (
        require("SendMessageRequest", "sendFrom", "to", "messageType"),
        [
            additive(
                "type-changed",
                "`SendMessageRequest.externalReference` may be UNSET now (was `str`)",
                REFERENCE,
                REFERENCE,
            ),
            additive("type-changed", "`send_message` no longer requires `externalReference`", REFERENCE, REFERENCE),
        ],
    ),
    "required in an answer": (
        require("CoreErrorResponse", "error", "requestId"),
        [
            additive(
                "type-changed",
                "`CoreErrorResponse.requestId` is never UNSET now (was `str | None | Unset`)",
                *2 * (f"{SCHEMAS}/CoreErrorResponse/properties/requestId",),
            )
        ],
    ),
    "no longer required in an answer": (
        require("CoreError", "code", "details"),
        [
            python(
                "type-changed",
                "`CoreError.message` may be UNSET now (was `str`)",
                *2 * (f"{ANSWER}/properties/message",),
            )
        ],
    ),
    "nullable in a request": (
        set_property("SendMessageRequest", "text", {"type": ["string", "null"]}),
        [
            additive(
                "type-changed",
                "`SendMessageRequest.text` is `str | None | Unset` now (was `str | Unset`)",
                TEXT,
                TEXT,
            ),
            additive(
                "type-changed",
                "`send_message` takes `text` as `str | None | Unset` now (was `str | Unset`)",
                TEXT,
                TEXT,
            ),
        ],
    ),
    "no longer nullable in a request": (
        set_property("NumberUpdate", "campaignregId", STRING),
        [
            python(
                "type-changed",
                "`NumberUpdate.campaignregId` is `str | Unset` now (was `str | None | Unset`)",
                *2 * (f"{SCHEMAS}/NumberUpdate/properties/campaignregId",),
            ),
            python(
                "type-changed",
                "`update_number` takes `campaignregId` as `str | Unset` now (was `str | None | Unset`)",
                *2 * (f"{SCHEMAS}/NumberUpdate/properties/campaignregId",),
            ),
        ],
    ),
    "nullable in an answer": (
        set_property("Number", "e164", {"type": ["string", "null"]}),
        [python("type-changed", "`Number.e164` is `str | None` now (was `str`)", E164, E164)],
    ),
    "no longer nullable in an answer": (
        set_property("CoreErrorResponse", "requestId", STRING),
        [
            additive(
                "type-changed",
                "`CoreErrorResponse.requestId` is `str | Unset` now (was `str | None | Unset`)",
                *2 * (f"{SCHEMAS}/CoreErrorResponse/properties/requestId",),
            )
        ],
    ),
    "an optional parameter added": (
        add_parameter(NUMBERS, "get", name="pageSize"),
        [additive("name-added", "`list_numbers` takes `pageSize` now", after=f"{LIST}/parameters/0")],
    ),
    "a required parameter added": (
        add_parameter(SENDING, "post", name="X-Trace", required=True, **{"in": "header"}),
        [python("parameter-added-required", "`send_message` requires `x_trace` now", after=f"{SEND}/parameters/1")],
    ),
    "a parameter of the same name added": (
        add_parameter(f"{NUMBERS}/{{numberId}}", "patch", name="numberId"),
        [additive("name-added", "`update_number` takes `numberId_query` now", after=f"{UPDATE}/parameters/1")],
    ),
    "an optional property of a request added": (
        set_property("NumberSearch", "country", STRING),
        [
            additive("name-added", "`NumberSearch.country` is new", after=f"{SCHEMAS}/NumberSearch/properties/country"),
            additive(
                "name-added",
                "`search_numbers` takes `country` now",
                after=f"{SCHEMAS}/NumberSearch/properties/country",
            ),
        ],
    ),
    "an operation added": (
        operation(
            "/api/core/numbers/{id}/history",
            "get",
            operationId="getHistory",
            tags=["CORE"],
            **{
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": STRING}],
                "responses": {"204": {"description": "x"}},
            },
        ),
        [additive("name-added", "`get_history` is new", after="#/paths/~1api~1core~1numbers~1{id}~1history/get")],
    ),
    "an operation removed": (
        lambda data: data["paths"].pop(NUMBERS),
        [python("object-removed", "`list_numbers` is gone", LIST)],
    ),
    "an overridden operation removed": (
        lambda data: data["paths"].pop(SENDING),
        [python("object-removed", "`send_message` is gone", SEND)],
    ),
    "an operation without security": (
        operation(NUMBERS, "get", security=[]),
        [
            python(
                "object-removed",
                "`list_numbers` is no longer a method that the clients of `redcloud_core` inherit",
                LIST,
                f"{LIST}/security",
            )
        ],
    ),
    "an operation with security": (
        operation("/api/auth/token", "post", security=[{"BearerAuth": []}]),
        [
            additive(
                "name-added",
                "`issue_token` is a method that the clients of `redcloud_core` inherit now",
                *2 * ("#/paths/~1api~1auth~1token/post/security",),
            )
        ],
    ),
    "a member of a request's enum added": (
        lambda data: schema(data, "MessageType")["enum"].append("RCS"),
        [additive("name-added", "`MessageType.RCS` is new", after=f"{SCHEMAS}/MessageType")],
    ),
    "a member of a request's enum removed": (
        lambda data: schema(data, "MessageType")["enum"].remove("MMS"),
        [python("object-removed", "`MessageType.MMS` is gone", f"{SCHEMAS}/MessageType")],
    ),
    "a member of an answer's enum added": (
        lambda data: schema(data, "OAuthErrorCode")["enum"].append("slow_down"),
        [additive("name-added", "`OAuthErrorCode.slow_down` is new", after=f"{SCHEMAS}/OAuthErrorCode")],
    ),
    "an enum in the place of an answer's string": (
        set_property("Number", "status", {"type": "string", "enum": ["ACTIVE", "IDLE"]}),
        [
            additive(
                "type-changed",
                "`Number.status` is `NumberStatus` now (was `str`)",
                *2 * (f"{SCHEMAS}/Number/properties/status",),
            ),
            additive("name-added", "`NumberStatus` is new", after=f"{SCHEMAS}/Number/properties/status"),
        ],
    ),
    "a constant in the place of an answer's string": (
        set_property("Number", "status", {"type": "string", "const": "ACTIVE"}),
        [
            additive(
                "type-changed",
                "`Number.status` is `Literal['ACTIVE']` now (was `str`)",
                *2 * (f"{SCHEMAS}/Number/properties/status",),
            )
        ],
    ),
    "an enum in the place of a request's string": (
        set_property("SendMessageRequest", "text", {"type": "string", "enum": ["a"]}),
        [
            python(
                "type-changed",
                "`SendMessageRequest.text` is `SendMessageRequestText | Unset` now (was `str | Unset`)",
                TEXT,
                TEXT,
            ),
            additive("name-added", "`SendMessageRequestText` is new", after=TEXT),
            python(
                "type-changed",
                "`send_message` takes `text` as `SendMessageRequestText | Literal['a'] | Unset` now"
                " (was `str | Unset`)",
                TEXT,
                TEXT,
            ),
        ],
    ),
    "a string in the place of a request's enum": (
        set_property("SendMessageRequest", "messageType", STRING),
        [
            additive(
                "type-changed",
                "`SendMessageRequest.messageType` is `str` now (was `MessageType`)",
                *2 * (f"{REQUEST}/properties/messageType",),
            ),
            additive(
                "type-changed",
                "`send_message` takes `messageType` as `str` now (was `MessageType | Literal['SMS', 'MMS']`)",
                *2 * (f"{REQUEST}/properties/messageType",),
            ),
        ],
    ),
    "date-time in an answer": (
        set_property("Number", "status", {"type": "string", "format": "date-time"}),
        [
            python(
                "type-changed",
                "`Number.status` is `datetime.datetime` now (was `str`)",
                *2 * (f"{SCHEMAS}/Number/properties/status",),
            )
        ],
    ),
    "other items in an answer": (
        set_property("ClientContext", "capabilities", {"type": "array", "items": {"type": ["string", "null"]}}),
        [
            python(
                "type-changed",
                "`ClientContext.capabilities` is `list[str | None]` now (was `list[str]`)",
                *2 * (f"{SCHEMAS}/ClientContext/properties/capabilities",),
            )
        ],
    ),
    "wider items in a request": (
        set_property("SendMessageRequest", "to", {"type": "array", "items": {"type": ["string", "integer"]}}),
        [
            additive(
                "type-changed",
                "`SendMessageRequest.to` is `list[int | str]` now (was `list[str]`)",
                *2 * (f"{REQUEST}/properties/to",),
            ),
            additive(
                "type-changed",
                "`send_message` takes `to` as `list[int | str]` now (was `list[str]`)",
                *2 * (f"{REQUEST}/properties/to",),
            ),
        ],
    ),
    "properties of an open object": (
        lambda data: schema(data, "UpdatedNumber").update(properties={"numberId": STRING}),
        [
            python(
                "object-changed-kind",
                "`UpdatedNumber` is a class now (was `dict[str, Any]`)",
                *2 * (f"{SCHEMAS}/UpdatedNumber",),
            )
        ],
    ),
    "further properties beside those of an answer": (
        lambda data: schema(data, "SendResult").update(additionalProperties=STRING),
        [
            additive(
                "name-added",
                "`SendResult.additional_properties` is new",
                after=f"{SCHEMAS}/SendResult/additionalProperties",
            )
        ],
    ),
    "a class of answers that narrows, and is sent as well now": (
        sent_as_well,
        [
            additive(
                "type-changed",
                "`AssignedNumbers.total` is `Literal[1]` now (was `int`)",
                *2 * (f"{SCHEMAS}/AssignedNumbers/properties/total",),
            ),
            additive("name-added", "`NumberSearch.like` is new", after=f"{SCHEMAS}/NumberSearch/properties/like"),
            additive(
                "name-added", "`search_numbers` takes `like` now", after=f"{SCHEMAS}/NumberSearch/properties/like"
            ),
        ],
    ),
    "another content type first": (
        lambda data: data["paths"]["/api/auth/token"]["post"]["requestBody"].update(
            content=dict(reversed(data["paths"]["/api/auth/token"]["post"]["requestBody"]["content"].items()))
        ),
        [
            python(
                "parameter-changed-default",
                "`issue_token` takes `content_type='application/x-www-form-urlencoded'` unless told otherwise"
                " (was `'application/json'`)",
                *2 * ("#/paths/~1api~1auth~1token/post/requestBody",),
            )
        ],
    ),
}


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Surfaces:
    """Give the function that makes a side of openapi.yaml with changes, or of other data."""

    def make(*changes: Change, data: dict[str, Any] = DATA) -> Side:
        data = copy.deepcopy(data)
        for change in changes:
            change(data)
        folder = tmp_path_factory.mktemp("side")
        path = folder / "openapi.json"
        path.write_text(json.dumps(data))
        found = document.load(path)
        contract = reader.read(found)
        generate.generate(found, contract, folder / generate.PACKAGE, locked=True)
        return Side(folder, found, contract)

    return make


@pytest.fixture(scope="module")
def base(side: Surfaces) -> Side:
    """Give the side of openapi.yaml as it is."""
    return side()


def said(found: list[Evidence]) -> list[Said]:
    """Return evidence as it is expected, all of it from the surface."""
    assert {evidence.witness for evidence in found} <= {"surface"}
    return [(evidence.weight, evidence.rule, evidence.says, evidence.before, evidence.after) for evidence in found]


@pytest.mark.parametrize("name", CASES)
def test_one_change(side: Surfaces, base: Side, name: str) -> None:
    """Each change is told once, as what callers write, with its weight and where it stands in both documents."""
    change, expected = CASES[name]
    new = side(change)
    found = compare(base, new)
    assert sorted(said(found)) == sorted(expected)
    for evidence in found:
        assert not evidence.before or base.document.at(evidence.before) is not None
        assert not evidence.after or new.document.at(evidence.after) is not None


def test_nothing_changed(base: Side) -> None:
    """A document compared with itself gives no evidence."""
    assert compare(base, base) == []


# -- what openapi.yaml does not hold: classes that travel both ways, unions, recursion ---------------------------------

ITEM: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1.0.0"},
    "components": {
        "schemas": {
            "Item": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": STRING,
                    "count": {"type": "integer"},
                    "kind": {"enum": [1, "auto"]},
                    "label": {"type": "object"},
                    "nodes": {"type": "array", "items": {"$ref": f"{SCHEMAS}/Node"}},
                },
            },
            "Label": {"type": "object"},
            "Odd": {"type": "object", "properties": {"a-b": STRING, "body": STRING}},
            "Node": {
                "type": "object",
                "properties": {"inner": {"type": "array", "items": {"$ref": f"{SCHEMAS}/Node"}}},
            },
            "Spare": {"type": "object", "properties": {"a": STRING}},
            "Card": {"type": "object", "required": ["number"], "properties": {"number": STRING}},
            "Cash": {"type": "object", "required": ["coins"], "properties": {"coins": {"type": "integer"}}},
            "Payment": {"oneOf": [{"$ref": f"{SCHEMAS}/Card"}, {"$ref": f"{SCHEMAS}/Cash"}]},
            "Tree": {"type": "array", "items": {"$ref": f"{SCHEMAS}/Tree"}},
            "Level": {"type": "integer", "enum": [1, 2]},
        }
    },
    "paths": {
        "/items": {
            "post": {
                "operationId": "saveItem",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}/Item"}}}},
                "responses": {
                    "200": {
                        "description": "x",
                        "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}/Item"}}},
                    }
                },
            }
        },
        "/bulk": {
            "post": {
                "operationId": "bulk",
                "requestBody": {
                    "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": f"{SCHEMAS}/Odd"}}}}
                },
                "responses": {"204": {"description": "x"}},
            }
        },
        "/pay": {
            "post": {
                "operationId": "pay",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}/Payment"}}}},
                "responses": {"204": {"description": "x"}},
            }
        },
        "/tree": {
            "get": {
                "operationId": "tree",
                "parameters": [{"name": "level", "in": "query", "schema": {"$ref": f"{SCHEMAS}/Level"}}],
                "responses": {
                    "200": {
                        "description": "x",
                        "content": {"application/json": {"schema": {"$ref": f"{SCHEMAS}/Tree"}}},
                    }
                },
            }
        },
    },
}

I_ID, I_COUNT, I_KIND, I_LABEL, I_NOT_PLAIN = (
    f"{SCHEMAS}/Item/properties/{name}" for name in ("id", "count", "kind", "label", "not-plain")
)
PAYMENT = f"{SCHEMAS}/Payment"


def new_types(data: dict[str, Any]) -> None:
    """Change the properties of what is sent and read, and the names of a union and of a type that holds itself."""
    set_property("Item", "count", {"type": "number"})(data)
    set_property("Item", "kind", {"enum": [1, "auto", "off"]})(data)
    set_property("Item", "not-plain", STRING)(data)
    require("Item")(data)
    rename_property("Odd", "a-b", "c")(data)
    content = data["paths"]["/bulk"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"]["items"] = {"anyOf": [content["schema"]["items"], {"type": "null"}]}
    rename_schema("Payment", "Means")(data)
    rename_schema("Tree", "Forest")(data)
    rename_schema("Node", "Branch")(data)


def new_alternatives(data: dict[str, Any]) -> None:
    """Change a union, what an enum is made of, what is required, and what comes back."""
    schema(data, "Payment")["oneOf"][1] = {"$ref": f"{SCHEMAS}/Spare"}
    schema(data, "Spare").update(required=["b"], properties={"a": STRING, "b": STRING})
    schema(data, "Level").update(type="string", enum=["value_1", "high"])
    schema(data, "Label")["properties"] = {"text": STRING}
    set_property("Item", "label", {"$ref": f"{SCHEMAS}/Label"})(data)
    require("Item", "id", "count")(data)
    data["paths"]["/pay"]["post"]["responses"] = {"2XX": {"description": "x", "content": {"text/plain": {}}}}


NEW_TYPES = [
    python("type-changed", "`Item.id` may be UNSET now (was `str`)", I_ID, I_ID),
    additive("type-changed", "`save_item` no longer requires `id`", I_ID, I_ID),
    python("type-changed", "`Item.count` is `float | Unset` now (was `int | Unset`)", I_COUNT, I_COUNT),
    additive("type-changed", "`save_item` takes `count` as `float | Unset` now (was `int | Unset`)", I_COUNT, I_COUNT),
    additive(
        "type-changed",
        "`Item.kind` is `Literal['auto', 'off'] | Literal[1] | Unset` now (was `Literal['auto'] | Literal[1] | Unset`)",
        I_KIND,
        I_KIND,
    ),
    additive(
        "type-changed",
        "`save_item` takes `kind` as `Literal['auto', 'off'] | Literal[1] | Unset` now"
        " (was `Literal['auto'] | Literal[1] | Unset`)",
        I_KIND,
        I_KIND,
    ),
    additive("name-added", "`Item.not_plain` is new", after=I_NOT_PLAIN),
    additive("name-added", "`save_item` takes `not_plain` now", after=I_NOT_PLAIN),
    python("object-removed", "`Odd.a_b` is gone", f"{SCHEMAS}/Odd/properties/a-b"),
    additive("name-added", "`Odd.c` is new", after=f"{SCHEMAS}/Odd/properties/c"),
    additive(
        "type-changed",
        "`bulk` takes `body` as `list[Odd | Mapping[str, Any] | None] | Unset` now"
        " (was `list[Odd | Mapping[str, Any]] | Unset`)",
        *2 * ("#/paths/~1bulk/post/requestBody",),
    ),
    python("object-removed", "`Payment` is gone", PAYMENT),
    additive("name-added", "`Means` is new", after=f"{SCHEMAS}/Means"),
    python("object-removed", "`Tree` is gone", f"{SCHEMAS}/Tree"),
    additive("name-added", "`Forest` is new", after=f"{SCHEMAS}/Forest"),
    python("object-removed", "`Node` is gone", f"{SCHEMAS}/Node"),
    additive("name-added", "`Branch` is new", after=f"{SCHEMAS}/Branch"),
]

NEW_ALTERNATIVES = [
    python("type-changed", "`Payment` is `Card | Spare` now (was `Card | Cash`)", PAYMENT, PAYMENT),
    additive("name-added", "`pay` takes `a` now", after=f"{SCHEMAS}/Spare/properties/a"),
    additive("name-added", "`pay` takes `b` now", after=f"{SCHEMAS}/Spare/properties/b"),
    python("parameter-removed", "`pay` no longer takes `coins`", f"{SCHEMAS}/Cash/properties/coins"),
    python("name-added", "`Spare.b` is new and required", after=f"{SCHEMAS}/Spare/properties/b"),
    python("type-changed", "`Level` is `OpenStrEnum` now (was `OpenIntEnum`)", *2 * (f"{SCHEMAS}/Level",)),
    python("object-changed-kind", "`Label` is a class now (was `dict[str, Any]`)", *2 * (f"{SCHEMAS}/Label",)),
    python("type-changed", "`Item.label` is `Label | Unset` now (was `dict[str, Any] | Unset`)", I_LABEL, I_LABEL),
    additive(
        "type-changed",
        "`save_item` takes `label` as `Label | Mapping[str, Any] | Unset` now (was `dict[str, Any] | Unset`)",
        I_LABEL,
        I_LABEL,
    ),
    python("type-changed", "`Item.count` is never UNSET now (was `int | Unset`)", I_COUNT, I_COUNT),
    python("parameter-changed-required", "`save_item` requires `count`", I_COUNT, I_COUNT),
    additive(
        "type-changed",
        "`pay` returns `str` now (was `None`)",
        "#/paths/~1pay/post/responses/204",
        "#/paths/~1pay/post/responses/2XX",
    ),
]


@pytest.fixture(scope="module")
def item(side: Surfaces) -> Side:
    """Give the side of a document with what openapi.yaml does not hold."""
    return side(data=ITEM)


@pytest.mark.parametrize(
    ("change", "expected"),
    [(new_types, NEW_TYPES), (new_alternatives, NEW_ALTERNATIVES)],
    ids=["types", "alternatives"],
)
def test_other_constructs(side: Surfaces, item: Side, change: Change, expected: list[Said]) -> None:
    """A class that travels both ways must suit both; unions, lists of values and recursive types are compared too."""
    assert sorted(said(compare(item, side(change, data=ITEM)))) == sorted(expected)


def test_directions(item: Side) -> None:
    """What travels is known with all that is inside, by the way it goes; what no operation names goes neither way."""
    sent, read = reader.directions(item.contract.schemas, item.contract.operations)
    assert sent == {"Item", "Node", "Odd", "Payment", "Card", "Cash", "Level"}
    assert read == {"Item", "Node", "Tree"}


# -- what only one of the two readers sees -----------------------------------------------------------------------------


def edited(side: Side, folder: Path, name: str, old: str, new: str) -> Side:
    """Return a side with a text in a generated file replaced."""
    shutil.copytree(side.folder, folder)
    path = folder / generate.PACKAGE / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return Side(folder, side.document, side.contract)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "client.py",
            "    def close(self)",
            "    def close(self, now: bool)",
            python(
                "parameter-added-required", "`redcloud_core_client.client.Client.close` is `(now: bool) -> None` now"
            ),
        ),
        (
            "methods.py",
            "    async def whoami(",
            "    async def _whoami(",
            python(
                "object-removed",
                "`redcloud_core_client.methods.Methods.whoami` is no longer compatible: object-removed",
                WHOAMI,
                WHOAMI,
            ),
        ),
        (
            "codec.py",
            "__all__ = [",
            'def more() -> None: ...\n__all__ = ["more", ',
            additive("name-added", "`redcloud_core_client.codec.more` is new"),
        ),
    ],
    ids=["a fixed module", "the async methods alone", "a new function"],
)
def test_beside_the_document(base: Side, tmp_path: Path, name: str, old: str, new: str, expected: Said) -> None:
    """What no document explains is found as well: in the modules that are always the same, and in repeats."""
    ((weight, rule, says, before, after),) = said(compare(base, edited(base, tmp_path / "new", name, old, new)))
    assert (weight, rule, before, after) == (expected[0], expected[1], *expected[3:])
    assert says.startswith(expected[2])


# -- the listing -------------------------------------------------------------------------------------------------------

GENERATED, OVERLAY = ROOT / "generated" / "redcloud_core_client", ROOT / "overlay" / "redcloud_core"

KNOWN = {
    GENERATED: [
        "models.number.Number.campaignRegId: str | None | Unset = UNSET",
        "models.token_form.TokenForm.client_secret: str | Unset = UNSET",
        "models.token_request.TokenRequest.client_secret: str",
        "models.message_type.MessageType: class(OpenStrEnum)",
        "models.message_type.MessageType.SMS = 'SMS'",
        "models.send_error.SendError: TypeAlias = dict[str, Any]",
        "models.Number -> redcloud_core_client.models.number.Number",
        "http_library.httpx -> httpx",
        "methods.Methods.list_numbers() -> NumberList",
        "methods.AsyncMethods.list_numbers() -> NumberList [async]",
        "api.core.list_numbers.OPERATION: _calls.Operation[NumberList]",
        "fields.SendMessageFields.text: NotRequired[str | _types.Unset]",
        "client.AsyncClient: class(AsyncMethods, AsyncOwnMethods)",
        "methods.OwnMethods.send_message(*, idempotency_key: str, sendFrom: str, to: list[str], messageType:"
        " MessageType | Literal['SMS', 'MMS'], text: str | Unset = UNSET, media:"
        " list[MessageMediaInput] | Unset = UNSET, externalReference: str) -> SendMessageResponse",
    ],
    OVERLAY: [
        "RedCloud: class(Client, Methods)",
        "RedCloud.send_message(*, idempotency_key: str, **message: Unpack[SendMessageFields]) -> Receipt",
        "RedCloud.with_options(**options: Unpack[Options]) -> Self",
        "RedCloud.from_env(**settings).timeout: float",
        "Receipt.key: str [property]",
        "ServerError.advice = ...",
        "__version__",
        "models.encode -> redcloud_core_client.codec.encode",
    ],
}


@pytest.mark.parametrize("package", KNOWN, ids=lambda package: package.name)
def test_listing(package: Path, tmp_path: Path) -> None:
    """A listing holds a sorted line for each public name, is the same wherever the package lies, and tells no path."""
    found = listing(package)
    head, *lines = found.removesuffix("\n").split("\n")
    assert head.startswith(f"# The public API of {package.name}, written by ./scripts/regenerate;")
    assert lines == sorted(set(lines))
    assert set(KNOWN[package]) <= set(lines)
    parts = {part for line in lines for part in re.match(r"[\w.]*", line)[0].split(".")}  # type: ignore[index]
    assert {part for part in parts if part.startswith("_")} <= {"__init__", "__version__"}
    assert not [text for text in (str(ROOT), str(Path.home()), "/site-packages", "0.2.0") if text in found]
    shutil.copytree(package, tmp_path / package.name)
    assert listing(tmp_path / package.name) == found


def test_listing_of_the_package_that_was_named(base: Side, item: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may be relative; a package of the same name in the working directory is not taken for another one."""
    monkeypatch.chdir(item.folder)
    assert listing(Path(generate.PACKAGE)) != listing(base.folder / generate.PACKAGE)
    assert "models.number.Number: class" in listing(base.folder / generate.PACKAGE)


def test_listing_of_words(side: Surfaces, base: Side) -> None:
    """Words, the version among them, do not change the listing; a name does."""
    listings = [
        listing(found.folder / generate.PACKAGE)
        for found in (base, side(described), side(rename_property("Number", "e164", "phone")))
    ]
    assert listings[0] == listings[1]
    assert set(listings[0].split("\n")) ^ set(listings[2].split("\n")) == {
        "models.number.Number.e164: str",
        "models.number.Number.phone: str",
    }


def test_listing_as_type_checkers_read(item: Side) -> None:
    """A union is listed as type checkers see it, not as the marker that stands for it at run time."""
    lines = listing(item.folder / generate.PACKAGE).split("\n")
    assert [line for line in lines if line.startswith("models.payment.")] == [
        "models.payment.Payment: TypeAlias = 'Card | Cash'"
    ]


def test_unreadable_packages(base: Side, tmp_path: Path) -> None:
    """A package that is not there, or that is read in part only, is an error that names the file."""
    with pytest.raises(ToolFailed, match="nothing_here"):
        listing(tmp_path / "nothing_here")
    broken = edited(base, tmp_path / "new", "codec.py", "def decode(", "def decode((")
    with pytest.raises(ToolFailed, match=r"codec\.py"):
        compare(base, broken)
