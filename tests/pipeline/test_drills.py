"""Documents made from ours by one change each: the gate names the level of each, and the version that it needs.

A drill is a function that changes a document in place, made of documents/core-0.2.0.yaml. Some start from more than it
has: `prepared` adds it.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline import reader
from pipeline.document import Document, Node
from pipeline.gate.judge import find_changes, write_side
from pipeline.gate.sides import Side
from pipeline.gate.versions import Version, level_of, required
from pipeline.generate import PACKAGE, generate
from pipeline.loading import load_yaml

Data = dict[str, Any]
Change = Callable[[Data], None]

SEND = "/api/core/messages/send"
NUMBER = "/api/core/numbers/{numberId}"
LIST = "/api/core/numbers"
SEARCH = "/api/core/numbers/search"
WHOAMI = "/api/core/whoami"
TOKEN = "/api/auth/token"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Drill(NamedTuple):
    """One change, its level, and what both documents have beside our own."""

    change: Change
    level: str
    base: Change


DRILLS: dict[str, Drill] = {}


def as_it_is(data: Data) -> None:
    """Start from our document."""


def drill(level: str, base: Change = as_it_is) -> Callable[[Change], Change]:
    """Register a drill under its function's name."""

    def register(change: Change) -> Change:
        DRILLS[change.__name__] = Drill(change, level, base)
        return change

    return register


def schemas(data: Data) -> Data:
    found: Data = data["components"]["schemas"]
    return found


def properties(data: Data, schema: str) -> Data:
    found: Data = schemas(data)[schema]["properties"]
    return found


def operation(data: Data, path: str, method: str) -> Data:
    found: Data = data["paths"][path][method]
    return found


def rename(holder: Data, old: str, new: str) -> None:
    """Give a member another name, in its place."""
    items = [(new if name == old else name, value) for name, value in holder.items()]
    assert old in holder
    holder.clear()
    holder.update(items)


def everywhere(data: Data, old: str, new: str) -> None:
    """Replace a text in the whole document."""
    text = json.dumps(data)
    assert old in text
    changed = json.loads(text.replace(old, new))
    data.clear()
    data.update(changed)


def prepared(data: Data) -> None:
    """Add unions, a default, parameters, a header, a class that is used both ways, and answers without assumptions."""
    for kind, field in (("Sms", "text"), ("Mms", "link"), ("Rcs", "card"), ("Fax", "page")):
        schemas(data)[kind] = {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"type": "string", "const": kind.lower()}, field: {"type": "string"}},
        }
    for union, kinds in (("Content", ("Sms", "Mms")), ("State", ("Sms", "Mms", "Rcs"))):
        schemas(data)[union] = {"oneOf": [{"$ref": f"#/components/schemas/{kind}"} for kind in kinds]}
    schemas(data)["Page"] = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer"},
            "next": {"type": "string"},
            "note": {"type": ["string", "null"]},
            "state": {"$ref": "#/components/schemas/State"},
            "both": {"$ref": "#/components/schemas/Rcs"},
        },
    }
    properties(data, "NumberList")["page"] = {"$ref": "#/components/schemas/Page"}
    properties(data, "NumberSearch")["limit"] = {"type": "integer", "default": 10}
    properties(data, "NumberSearch")["content"] = {"$ref": "#/components/schemas/Content"}
    properties(data, "NumberSearch")["both"] = {"$ref": "#/components/schemas/Rcs"}
    found = operation(data, LIST, "get")
    found["parameters"] = [{"name": "page", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}}]
    found["responses"]["200"]["headers"] = {"X-Next": {"schema": {"type": "string"}}}


def add_parameter(data: Data, where: str, *, required: bool) -> None:
    """Add a parameter to listNumbers."""
    added = {"name": "X-Trace", "in": where, "required": required, "schema": {"type": "string"}}
    operation(data, LIST, "get").setdefault("parameters", []).append(added)


def documented_update(data: Data) -> None:
    """Let the fields of an update be documented."""
    del schemas(data)["NumberUpdate"]["x-unconfirmed"]


def documented_bodies(data: Data) -> None:
    """Let the token's content types be documented."""
    del operation(data, TOKEN, "post")["requestBody"]["x-unconfirmed"]


# Names


@drill("breaking")
def request_property_renamed(data: Data) -> None:
    everywhere(data, '"externalReference"', '"externalRef"')


@drill("breaking")
def answer_property_renamed(data: Data) -> None:
    everywhere(data, '"e164"', '"phoneNumber"')


@drill("breaking")
def operation_id_renamed(data: Data) -> None:
    operation(data, LIST, "get")["operationId"] = "getNumbers"


@drill("breaking")
def tag_renamed(data: Data) -> None:
    everywhere(data, '"CORE"', '"Messaging"')


@drill("breaking")
def schema_renamed(data: Data) -> None:
    everywhere(data, 'NumberSearch"', 'NumberFilter"')


@drill("breaking")
def path_parameter_renamed(data: Data) -> None:
    rename(data["paths"], NUMBER, "/api/core/numbers/{id}")
    operation(data, "/api/core/numbers/{id}", "patch")["parameters"][0]["name"] = "id"


@drill("breaking", prepared)
def query_parameter_renamed(data: Data) -> None:
    operation(data, LIST, "get")["parameters"][0]["name"] = "pages"


# Presence


@drill("breaking")
def request_property_became_required(data: Data) -> None:
    schemas(data)["SendMessageRequest"]["required"].append("text")


@drill("additive")
def request_property_became_optional(data: Data) -> None:
    schemas(data)["SendMessageRequest"]["required"].remove("externalReference")


@drill("additive", prepared)
def answer_property_became_required(data: Data) -> None:
    schemas(data)["Page"]["required"].append("next")


@drill("breaking")
def answer_property_became_optional(data: Data) -> None:
    schemas(data)["CoreError"]["required"].remove("message")


@drill("breaking", prepared)
def property_used_both_ways_became_required(data: Data) -> None:
    schemas(data)["Rcs"]["required"].append("card")


@drill("breaking", prepared)
def property_used_both_ways_became_optional(data: Data) -> None:
    schemas(data)["Rcs"]["required"].remove("kind")


@drill("breaking")
def request_field_removed(data: Data) -> None:
    del properties(data, "NumberSearch")["rateCenter"]


@drill("breaking")
def answer_field_removed(data: Data) -> None:
    del properties(data, "CoreError")["message"]
    schemas(data)["CoreError"]["required"].remove("message")


@drill("additive")
def request_field_added(data: Data) -> None:
    properties(data, "NumberSearch")["limit"] = {"type": "integer", "description": "How many."}


@drill("breaking")
def required_request_field_added(data: Data) -> None:
    properties(data, "SendMessageRequest")["priority"] = {"type": "integer"}
    schemas(data)["SendMessageRequest"]["required"].append("priority")


@drill("additive")
def answer_field_added(data: Data) -> None:
    properties(data, "CoreError")["retryable"] = {"type": "boolean"}


# Nullability


@drill("additive")
def request_property_became_nullable(data: Data) -> None:
    properties(data, "SendMessageRequest")["text"]["type"] = ["string", "null"]


@drill("breaking", documented_update)
def request_property_lost_null(data: Data) -> None:
    properties(data, "NumberUpdate")["webhookInboundOverride"]["type"] = "string"


@drill("breaking")
def answer_property_became_nullable(data: Data) -> None:
    properties(data, "CoreError")["message"]["type"] = ["string", "null"]


@drill("additive", prepared)
def answer_property_lost_null(data: Data) -> None:
    properties(data, "Page")["note"]["type"] = "string"


# Parameters, bodies, answers


@drill("additive")
def optional_query_parameter_added(data: Data) -> None:
    add_parameter(data, "query", required=False)


@drill("breaking")
def required_query_parameter_added(data: Data) -> None:
    add_parameter(data, "query", required=True)


@drill("additive")
def optional_header_added(data: Data) -> None:
    add_parameter(data, "header", required=False)


@drill("breaking")
def required_header_added(data: Data) -> None:
    add_parameter(data, "header", required=True)


@drill("breaking", prepared)
def parameter_removed(data: Data) -> None:
    del operation(data, LIST, "get")["parameters"]


@drill("breaking", prepared)
def parameter_moved(data: Data) -> None:
    operation(data, LIST, "get")["parameters"][0]["in"] = "header"


@drill("breaking", prepared)
def parameter_written_otherwise(data: Data) -> None:
    operation(data, LIST, "get")["parameters"][0]["explode"] = False


@drill("breaking", prepared)
def parameter_type_changed(data: Data) -> None:
    operation(data, LIST, "get")["parameters"][0]["schema"]["items"]["type"] = "string"


@drill("additive")
def body_became_optional(data: Data) -> None:
    operation(data, SEARCH, "post")["requestBody"]["required"] = False


@drill("additive")
def request_content_type_added(data: Data) -> None:
    content = operation(data, SEARCH, "post")["requestBody"]["content"]
    content[FORM] = copy.deepcopy(content[JSON])


@drill("breaking", documented_bodies)
def request_content_type_removed(data: Data) -> None:
    del operation(data, TOKEN, "post")["requestBody"]["content"][JSON]


@drill("breaking")
def success_status_changed(data: Data) -> None:
    rename(operation(data, SEND, "post")["responses"], "202", "200")


@drill("additive")
def error_status_added(data: Data) -> None:
    responses = operation(data, SEND, "post")["responses"]
    responses["422"] = copy.deepcopy(responses["403"])


@drill("breaking")
def error_status_removed(data: Data) -> None:
    del operation(data, SEND, "post")["responses"]["409"]


@drill("breaking", prepared)
def answer_header_removed(data: Data) -> None:
    del operation(data, LIST, "get")["responses"]["200"]["headers"]


# Operations


@drill("additive")
def operation_added(data: Data) -> None:
    data["paths"]["/api/core/ping"] = {
        "get": {
            "operationId": "ping",
            "tags": ["CORE"],
            "summary": "Ping",
            "responses": copy.deepcopy(operation(data, LIST, "get")["responses"]),
        }
    }


@drill("breaking")
def path_removed(data: Data) -> None:
    del data["paths"][SEARCH]
    del schemas(data)["NumberSearch"]


@drill("breaking")
def path_renamed(data: Data) -> None:
    rename(data["paths"], WHOAMI, "/api/core/me")


@drill("breaking")
def path_and_operation_id_renamed(data: Data) -> None:
    rename(data["paths"], WHOAMI, "/api/core/me")
    operation(data, "/api/core/me", "get")["operationId"] = "me"


@drill("breaking")
def method_changed(data: Data) -> None:
    rename(data["paths"][WHOAMI], "get", "post")


@drill("additive")
def operation_deprecated(data: Data) -> None:
    operation(data, SEARCH, "post")["deprecated"] = True


# Types and constraints


@drill("breaking")
def request_type_changed(data: Data) -> None:
    properties(data, "NumberSearch")["npa"]["type"] = "integer"
    properties(data, "NumberSearch")["npa"]["examples"] = [555]


@drill("breaking")
def answer_type_changed(data: Data) -> None:
    properties(data, "AssignedNumbers")["total"]["type"] = "string"


@drill("breaking")
def answer_type_widened(data: Data) -> None:
    properties(data, "AssignedNumbers")["total"]["type"] = "number"


@drill("breaking")
def items_type_changed(data: Data) -> None:
    properties(data, "ClientContext")["capabilities"]["items"]["type"] = "integer"


@drill("breaking", prepared)
def answer_format_added(data: Data) -> None:
    properties(data, "Page")["next"]["format"] = "date-time"


@drill("breaking")
def request_format_added(data: Data) -> None:
    properties(data, "SendMessageRequest")["externalReference"]["format"] = "uuid"


@drill("breaking")
def request_max_length_added(data: Data) -> None:
    properties(data, "SendMessageRequest")["text"]["maxLength"] = 1600


@drill("breaking")
def min_items_raised(data: Data) -> None:
    properties(data, "SendMessageRequest")["to"]["minItems"] = 2


@drill("additive")
def min_items_removed(data: Data) -> None:
    del properties(data, "SendMessageRequest")["to"]["minItems"]


@drill("breaking")
def max_items_added(data: Data) -> None:
    properties(data, "SendMessageRequest")["to"]["maxItems"] = 100


@drill("breaking")
def pattern_added(data: Data) -> None:
    properties(data, "NumberSearch")["npa"]["pattern"] = "^[0-9]{3}$"


@drill("additive")
def answer_max_length_added(data: Data) -> None:
    properties(data, "CoreError")["message"]["maxLength"] = 100


@drill("breaking")
def const_changed(data: Data) -> None:
    properties(data, "TokenRequest")["grant_type"]["const"] = "password"


@drill("additive")
def default_added(data: Data) -> None:
    properties(data, "NumberSearch")["state"]["default"] = "TX"


@drill("breaking", prepared)
def default_changed(data: Data) -> None:
    properties(data, "NumberSearch")["limit"]["default"] = 20


@drill("breaking", prepared)
def default_removed(data: Data) -> None:
    del properties(data, "NumberSearch")["limit"]["default"]


@drill("breaking")
def further_properties_forbidden(data: Data) -> None:
    schemas(data)["NumberSearch"]["additionalProperties"] = False


# Enums and unions


@drill("additive")
def request_enum_value_added(data: Data) -> None:
    schemas(data)["MessageType"]["enum"].append("RCS")


@drill("breaking")
def request_enum_value_removed(data: Data) -> None:
    schemas(data)["MessageType"]["enum"].remove("MMS")


@drill("additive")
def answer_enum_value_added(data: Data) -> None:
    schemas(data)["OAuthErrorCode"]["enum"].append("invalid_scope")


@drill("breaking")
def answer_enum_value_removed(data: Data) -> None:
    schemas(data)["OAuthErrorCode"]["enum"].remove("server_error")


@drill("additive", prepared)
def request_variant_added(data: Data) -> None:
    schemas(data)["Content"]["oneOf"].append({"$ref": "#/components/schemas/Rcs"})


@drill("breaking", prepared)
def request_variant_removed(data: Data) -> None:
    schemas(data)["Content"]["oneOf"].pop()


@drill("breaking", prepared)
def answer_variant_added(data: Data) -> None:
    schemas(data)["State"]["oneOf"].append({"$ref": "#/components/schemas/Fax"})


@drill("additive", prepared)
def answer_variant_removed(data: Data) -> None:
    schemas(data)["State"]["oneOf"].pop()


@drill("additive")
def schema_added(data: Data) -> None:
    schemas(data)["Unused"] = {"type": "string", "description": "Nothing refers to it yet."}


# Security and servers


@drill("breaking")
def security_dropped(data: Data) -> None:
    operation(data, WHOAMI, "get")["security"] = []


@drill("breaking")
def security_demanded(data: Data) -> None:
    del operation(data, TOKEN, "post")["security"]


@drill("additive")
def security_offered(data: Data) -> None:
    operation(data, TOKEN, "post")["security"] = [{}, {"BearerAuth": []}]


@drill("breaking")
def security_dropped_everywhere(data: Data) -> None:
    data["security"] = []


@drill("breaking")
def security_scheme_changed(data: Data) -> None:
    data["components"]["securitySchemes"]["BearerAuth"] = {"type": "apiKey", "in": "header", "name": "X-Key"}


@drill("breaking")
def server_changed(data: Data) -> None:
    data["servers"][0]["url"] = "https://{host}/v2"


@drill("additive")
def server_added(data: Data) -> None:
    data["servers"].append({"url": "https://eu.api.example.org", "description": "Another region."})


# Words


@drill("words")
def description_changed(data: Data) -> None:
    schemas(data)["Number"]["description"] = "Another."


@drill("words")
def example_changed(data: Data) -> None:
    properties(data, "Number")["numberId"]["examples"] = ["num_zzz"]


@drill("words")
def named_example_added(data: Data) -> None:
    examples = operation(data, SEND, "post")["requestBody"]["content"][JSON]["examples"]
    examples["again"] = copy.deepcopy(examples["sms"])


@drill("words")
def order_changed(data: Data) -> None:
    items = list(properties(data, "Number").items())
    properties(data, "Number").clear()
    properties(data, "Number").update(reversed(items))


@drill("words")
def required_in_another_order(data: Data) -> None:
    schemas(data)["SendMessageRequest"]["required"].reverse()


@drill("words")
def host_changed(data: Data) -> None:
    data["servers"][0]["variables"]["host"]["default"] = "core.example.org"


@drill("words")
def tag_described(data: Data) -> None:
    data["tags"][0]["description"] = "Another."


@drill("words")
def extension_added(data: Data) -> None:
    schemas(data)["Number"]["x-audience"] = "public"


@drill("words")
def assumption_confirmed(data: Data) -> None:
    del schemas(data)["Number"]["x-unconfirmed"]


@drill("none")
def nothing(data: Data) -> None:
    """Change nothing."""


# Corrections of assumptions: x-unconfirmed


@drill("words")
def assumed_path_corrected(data: Data) -> None:
    rename(data["paths"], NUMBER, "/api/core/numbers/{numberId}/settings")


@drill("words")
def assumed_method_corrected(data: Data) -> None:
    rename(data["paths"][NUMBER], "patch", "put")


@drill("words")
def assumed_status_corrected(data: Data) -> None:
    rename(operation(data, NUMBER, "patch")["responses"], "200", "201")


@drill("words")
def assumed_answer_corrected(data: Data) -> None:
    content = operation(data, NUMBER, "patch")["responses"]["200"]["content"]
    content[JSON]["schema"] = {"$ref": "#/components/schemas/Number"}


@drill("words")
def open_object_described(data: Data) -> None:
    schemas(data)["NumberGroup"]["properties"] = {"npa": {"type": "string"}, "count": {"type": "integer"}}
    schemas(data)["NumberGroup"]["required"] = ["npa"]


@drill("words")
def assumed_presence_corrected(data: Data) -> None:
    schemas(data)["Number"]["required"].remove("status")


@drill("words")
def assumed_null_corrected(data: Data) -> None:
    properties(data, "CoreErrorResponse")["requestId"]["type"] = "string"


@drill("words")
def assumed_enum_corrected(data: Data) -> None:
    schemas(data)["NumberStatus"] = {"type": "string", "enum": ["ACTIVE", "SUSPENDED"], "description": "A state."}
    properties(data, "Number")["status"] = {"$ref": "#/components/schemas/NumberStatus"}


@drill("words")
def assumed_name_corrected(data: Data) -> None:
    everywhere(data, '"media"', '"attachments"')


@drill("words")
def assumed_error_dropped(data: Data) -> None:
    del operation(data, WHOAMI, "get")["responses"]["500"]


@drill("words")
def assumed_presence_of_a_property_corrected(data: Data) -> None:
    schemas(data)["TokenRequest"]["required"].remove("client_secret")


@drill("breaking")
def name_of_an_assumption_changed(data: Data) -> None:
    rename(properties(data, "Number"), "status", "state")
    schemas(data)["Number"]["required"][2] = "state"


@drill("breaking")
def type_of_an_assumption_changed(data: Data) -> None:
    properties(data, "Number")["status"]["type"] = "integer"
    properties(data, "Number")["status"]["examples"] = [1]


@drill("breaking")
def enum_of_another_type_assumed(data: Data) -> None:
    schemas(data)["NumberStatus"] = {"type": "integer", "enum": [1, 2], "description": "A state."}
    properties(data, "Number")["status"] = {"$ref": "#/components/schemas/NumberStatus"}


@drill("breaking")
def documented_property_of_an_assumption_removed(data: Data) -> None:
    del properties(data, "Number")["e164"]
    schemas(data)["Number"]["required"].remove("e164")


@drill("breaking")
def parameter_on_an_assumed_path_renamed(data: Data) -> None:
    rename(data["paths"], NUMBER, "/api/core/numbers/{id}/settings")
    operation(data, "/api/core/numbers/{id}/settings", "patch")["parameters"][0]["name"] = "id"


NEEDS = {"breaking": "0.3.0", "additive": "0.2.1", "words": "0.2.0", "none": "0.2.0"}


@pytest.fixture(scope="session")
def openapi() -> Data:
    """Give our document as data."""
    data: Data = load_yaml((Path(__file__).parent / "documents" / "core-0.2.0.yaml").read_text(encoding="utf-8"))
    return data


def document(data: Data) -> Document:
    return Document(json.dumps(data).encode(), Node(data, "#", "openapi.yaml"))


def side(found: Document, folder: Path) -> Side:
    """Give a document with its client."""
    contract = reader.read(found)
    generate(found, contract, folder / PACKAGE, locked=True)
    return Side(folder, found, contract)


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Document, Path], Side]:
    """Give the function that gives a committed document its client; the same one is written once."""
    written: dict[bytes, Side] = {}

    def once(found: Document, _: Path) -> Side:
        if found.content not in written:
            written[found.content] = write_side(found, tmp_path_factory.mktemp("committed") / "before")
        return written[found.content]

    return once


# Where one change of the document shows in several places.
PLACES = {
    "tag_renamed": 6,
    "path_parameter_renamed": 2,
    "path_removed": 2,
    "path_and_operation_id_renamed": 2,
    "request_variant_removed": 3,
    "security_dropped_everywhere": 4,
    "assumed_answer_corrected": 3,
    "assumed_enum_corrected": 2,
    "parameter_on_an_assumed_path_renamed": 3,
}


@pytest.mark.parametrize("name", DRILLS)
def test_drill(openapi: Data, write: Callable[[Document, Path], Side], tmp_path: Path, name: str) -> None:
    """Each change has its level, needs its version, and is named; corrections name the assumption that was wrong."""
    drill = DRILLS[name]
    old = copy.deepcopy(openapi)
    drill.base(old)
    new = copy.deepcopy(old)
    drill.change(new)
    found = find_changes(document(old), side(document(new), tmp_path), tmp_path, write)
    level = level_of(found.changes)
    assert level == drill.level, found.changes
    assert str(required(Version.read("0.2.0"), level)) == NEEDS[level]
    assert len(found.changes) == (PLACES.get(name, 1) if level != "none" else 0), found.changes
    assert bool(found.wrong) == any(change.kind == "correction" for change in found.changes)
