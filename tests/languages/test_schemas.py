"""The JSON Schemas of a document: valid, whole in themselves, and of the document's own opinion."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pipeline.components import standalone
from pipeline.document import Document, Node, load, operations
from pipeline.json_schemas import json_schemas
from pipeline.steps import Refused

DOCUMENTS = Path(__file__).parents[1] / "constructs" / "documents"
CONSTRUCTS = sorted(path.stem for path in DOCUMENTS.glob("*.yaml") if path.stem != "parts")


@pytest.fixture(scope="module")
def schemas(exported: Path) -> dict[str, Any]:
    """The exported schemas, by name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (exported / "schemas").iterdir()}


@pytest.fixture(scope="module")
def document() -> Document:
    """The document that travels in the package."""
    return load(Path(str(files("redcloud_core_client") / "openapi.yaml")))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Document]:
    """Reads a document of these schemas."""

    def make(schemas: Any, openapi: str = "3.1.0", **more: Any) -> Document:
        data = {"openapi": openapi, "info": {"title": "T", "version": "1.0.0"}, "paths": {}}
        path = tmp_path / "document.json"
        path.write_text(json.dumps({**data, "components": {"schemas": schemas}, **more}), encoding="utf-8")
        return load(path)

    return make


@pytest.fixture
def translated(read: Callable[..., Document]) -> Callable[..., Any]:
    """Gives the JSON Schema of one schema, without the dialect's name."""

    def make(schema: Any, openapi: str = "3.0.3", **others: Any) -> Any:
        found = json_schemas(read({"It": schema, **others}, openapi))["It"]
        jsonschema_rs.meta.validate(found)
        assert found.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
        return found

    return make


def in_schema(schema: Any, pointer: str = "#") -> Iterator[tuple[str, Any]]:
    """Yield the examples in a schema, each with the pointer of what it is an example of; not those in `$defs`."""
    if not isinstance(schema, dict):
        return
    yield from ((pointer, example) for example in schema.get("examples", ()))
    for name, child in schema.get("properties", {}).items():
        yield from in_schema(child, f"{pointer}/properties/{name}")
    for key in ("items", "additionalProperties"):
        yield from in_schema(schema.get(key), f"{pointer}/{key}")


def in_bodies(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield the examples of all bodies of requests and answers, each with the name of its schema."""
    for *_, node in operations(document):
        bodies = [found for _, found in node.children("responses")]
        bodies += [node["requestBody"]] if node.get("requestBody") else []
        for body in bodies:
            for _, media in document.resolve(body).children("content"):
                name = media["schema"]["$ref"].value.rpartition("/")[2]
                yield from ((name, value) for value in of_media(document, media))


def of_media(document: Document, media: Node) -> Iterator[Any]:
    """Yield the examples of a content type."""
    if media.get("example"):
        yield media["example"].value
    for _, example in media.children("examples"):
        yield document.resolve(example)["value"].value


def test_every_component_has_a_file(schemas: dict[str, Any], document: Document) -> None:
    """The files are those of the component schemas, of dialect 2020-12, and valid by its own schema."""
    assert sorted(schemas) == sorted(document.root["components"]["schemas"].names)
    for schema in schemas.values():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        jsonschema_rs.meta.validate(schema)


def test_every_example_is_valid(
    ajv: Callable[..., list[str | None]], schemas: dict[str, Any], document: Document
) -> None:
    """What the document shows, of components and properties and in every body, is what its schemas ask for."""
    shown = [(name, pointer, value) for name, schema in schemas.items() for pointer, value in in_schema(schema)]
    bodies = [(name, "#", value) for name, value in in_bodies(document)]
    raw = document.root["components"]["schemas"].value
    assert len(shown) == sum(len(list(in_schema(schema))) for schema in raw.values()) > 50
    assert {"TokenForm", "TokenRequest", "SendMessageRequest", "NumberUpdate", "NumberSearch"} < {
        name for name, *_ in bodies
    }
    cases = [*shown, *bodies]
    wrong = [case for case, verdict in zip(cases, ajv(schemas, cases), strict=True) if verdict is not None]
    assert wrong == []


SMS = {
    "sendFrom": "num_abc123",
    "to": ["+15551234567"],
    "messageType": "SMS",
    "text": "Hello",
    "externalReference": "order_789",
}
WRONG = [
    *(("SendMessageRequest", {key: SMS[key] for key in SMS if key != name}) for name in SMS if name != "text"),
    ("SendMessageRequest", {**SMS, "messageType": "FAX"}),
    ("SendMessageRequest", {**SMS, "to": []}),
    ("SendMessageRequest", {**SMS, "to": "+15551234567"}),
    ("SendMessageRequest", {**SMS, "media": [1]}),
    ("NumberUpdate", {"campaignregId": 5}),
    ("NumberUpdate", {"smsEnabled": "yes"}),
    ("TokenForm", {"grant_type": "password"}),
    ("TokenRequest", {"grant_type": "client_credentials"}),
    ("NumberList", {"numbers": [{"numberId": "num_abc123"}]}),
    ("CoreErrorResponse", {"error": {"code": 1, "message": "m", "details": {}}}),
    ("CoreErrorResponse", {"error": "invalid_client"}),
    ("MessageType", "sms"),
]


def test_wrong_values_are_not_valid(ajv: Callable[..., list[str | None]], schemas: dict[str, Any]) -> None:
    """What the document forbids is not valid, whether a file says it itself or in its `$defs`."""
    verdicts = ajv(schemas, [(name, "#", value) for name, value in WRONG])
    assert [case for case, verdict in zip(WRONG, verdicts, strict=True) if verdict is None] == []


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_constructs(name: str, tmp_path: Path) -> None:
    """A schema of each construct takes the values that the document's cases call right, and no others."""
    for path in DOCUMENTS.glob("*.yaml"):  # a name with a slash is none for a file
        text = path.read_text(encoding="utf-8").replace("Code/Name", "Code.Name").replace("Code~1Name", "Code.Name")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    document = load(tmp_path / f"{name}.yaml")
    found = json_schemas(document)
    seen = 0
    for schema, cases in document.root.value.get("x-cases", {}).items():
        validator = jsonschema_rs.validator_for(found[schema], validate_formats=True)
        for value in cases.get("valid", ()):
            validator.validate(value)
        wrong = [case["value"] for kind in ("invalid", "survives") for case in cases.get(kind, ())]
        assert [value for value in wrong if validator.is_valid(value)] == []
        seen += len(wrong) + len(cases.get("valid", ()))
    assert seen or name == "operations"


# What OpenAPI says in words of its own.

NULL = {"type": "null"}
KEYWORDS = [
    ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    ({"type": "string", "nullable": False}, {"type": "string"}),
    ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
    ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"type": "string", "enum": ["a", None], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"enum": ["a"], "nullable": True}, {"anyOf": [{"enum": ["a"]}, NULL]}),
    (
        {"type": "object", "allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
        {"anyOf": [{"type": "object", "allOf": [{"$ref": "#/$defs/A"}]}, NULL], "$defs": {"A": {"type": "integer"}}},
    ),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
    ({"type": "integer", "maximum": 1, "exclusiveMaximum": True}, {"type": "integer", "exclusiveMaximum": 1}),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, {"type": "integer", "minimum": 1}),
    ({"type": "integer", "exclusiveMinimum": 1}, {"type": "integer", "exclusiveMinimum": 1}),
    ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
    ({"type": "string", "example": None}, {"type": "string", "examples": [None]}),
    ({"type": "string", "examples": ["b"], "example": "a"}, {"type": "string", "examples": ["b", "a"]}),
    ({"type": "string", "examples": {"a": {"value": 1}}}, {"type": "string"}),
    ({"discriminator": {"propertyName": "a"}, "xml": {"name": "b"}, "externalDocs": {"url": "c"}, "x-d": 1}, {}),
    ({"x-unconfirmed": "why"}, {"$comment": "unconfirmed: why"}),
    ({"x-unconfirmed": "why", "$comment": "so"}, {"$comment": "so; unconfirmed: why"}),
    ({"$id": "https://example.com/", "$schema": "https://example.com/", "$anchor": "a"}, {}),
    (
        {"type": "array", "items": {"type": "string", "nullable": True}},
        {"type": "array", "items": {"type": ["string", "null"]}},
    ),
    ({"additionalProperties": {"x-a": 1}, "not": {"x-a": 1}}, {"additionalProperties": {}, "not": {}}),
    ({"oneOf": [{"x-a": 1}, {"example": 1}]}, {"oneOf": [{}, {"examples": [1]}]}),
    ({"type": "string", "readOnly": True, "deprecated": True, "format": "uuid", "title": "T", "default": "a"}, None),
]


@pytest.mark.parametrize(("schema", "expected"), KEYWORDS)
def test_keywords(translated: Callable[..., Any], schema: Any, expected: Any) -> None:
    """What OpenAPI says in words of its own is said in those of JSON Schema, or left out; the rest stays."""
    assert (schema if expected is None else expected) == translated(schema, A={"type": "integer"})


ONE = ["items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else", "contentSchema"]
ONE += ["unevaluatedItems", "unevaluatedProperties"]
SEVERAL = ["allOf", "oneOf", "anyOf", "prefixItems"]
NAMED = ["properties", "patternProperties", "dependentSchemas"]


def test_keywords_inside(translated: Callable[..., Any]) -> None:
    """A schema inside another one is translated, wherever JSON Schema 2020-12 has one."""
    inner, said = {"type": "string", "nullable": True}, {"type": ["string", "null"]}

    def around(value: Any) -> dict[str, Any]:
        return dict.fromkeys(ONE, value) | {key: [value] for key in SEVERAL} | {key: {"n": value} for key in NAMED}

    assert translated(around(inner), "3.1.0") == around(said)


ODD = {"nullable": True, "example": 1, "x-unconfirmed": "why", "$ref": "#/nowhere", "exclusiveMinimum": True}


def test_names_and_values_are_no_keywords(translated: Callable[..., Any]) -> None:
    """Properties may be called as keywords are, and values may look like schemas: both stay as they are."""
    names = {name: {"type": "string"} for name in ODD}
    schema = {"type": "object", "properties": names, "default": ODD, "enum": [ODD], "const": ODD, "examples": [ODD]}
    assert translated(schema, "3.1.0") == schema
    assert translated({"type": "object", "required": ["example"]}) == {"type": "object", "required": ["example"]}
    for key in ("patternProperties", "dependentSchemas"):
        assert translated({key: names}, "3.1.0") == {key: names}


@pytest.mark.parametrize(("value", "expected"), [(True, {}), (False, {"not": {}})])
def test_schemas_that_are_no_objects(translated: Callable[..., Any], value: bool, expected: Any) -> None:
    """A schema that takes everything, or nothing, is an object in its file."""
    assert translated(value, "3.1.0") == expected


def test_what_stands_beside_a_reference(translated: Callable[..., Any]) -> None:
    """OpenAPI 3.1 adds it to what is referred to, 3.0 ignores it."""
    reference = {"$ref": "#/components/schemas/A", "minLength": 2}
    local = {"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}
    assert translated(reference, "3.0.3", A={"type": "string"}) == local
    assert translated(reference, "3.1.0", A={"type": "string"}) == {**local, "minLength": 2}


def test_recursion(translated: Callable[..., Any]) -> None:
    """A schema that refers to itself refers to its root, one that others refer to stands in their `$defs` once."""
    tree = {
        "type": "object",
        "properties": {"left": {"$ref": "#/components/schemas/It"}, "leaf": {"$ref": "#/components/schemas/Leaf"}},
    }
    leaf = {"type": "object", "properties": {"back": {"$ref": "#/components/schemas/It"}}}
    found = translated(tree, "3.1.0", Leaf=leaf, Other={"type": "string"})
    assert found["properties"] == {"left": {"$ref": "#"}, "leaf": {"$ref": "#/$defs/Leaf"}}
    assert found["$defs"] == {"Leaf": {"type": "object", "properties": {"back": {"$ref": "#"}}}}


def test_references_that_lead_deep(read: Callable[..., Document]) -> None:
    """What is referred to in a path, in an answer, in another schema or in another file stands in `$defs`, too."""
    inside = {
        "description": "d",
        "content": {"application/json": {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}},
    }
    places = {
        "path": "#/paths/~1a~1%7Bid%7D/get/responses/200/content/application~1json/schema",
        "answer": "#/components/responses/R/content/application~1json/schema/properties/n",
        "part": "#/components/schemas/B/items",
        "file": "#/x-files/b.yaml/Name",
    }
    document = read(
        {"It": {"properties": {name: {"$ref": place} for name, place in places.items()}}, "B": {"items": {"const": 1}}},
        paths={"/a/{id}": {"get": {"responses": {"200": inside}}}},
        **{"x-files": {"b.yaml": {"Name": {"$ref": "#/components/schemas/It"}}}},
    )
    document.root["components"].value["responses"] = {"R": inside}
    found = json_schemas(document)
    assert sorted(found) == ["B", "It"]
    validator = jsonschema_rs.validator_for(found["It"])
    validator.validate({"path": {"n": 1}, "answer": 1, "part": 1, "file": {"part": 1}})
    for wrong in ({"path": {"n": "a"}}, {"answer": "a"}, {"part": 2}, {"file": {"part": 2}}, {"file": {"answer": "a"}}):
        assert not validator.is_valid(wrong)


def test_names_that_two_places_give(read: Callable[..., Document]) -> None:
    """A schema that becomes a component takes no name that another one has."""
    place = "#/components/schemas/A/properties/b"
    schemas = {
        "A": {"properties": {"b": {"const": 1}, "c": {"$ref": place}}},
        "components_schemas_A_properties_b": {"const": 2},
        "User": {"$ref": place},
    }
    found = json_schemas(read(schemas))
    assert sorted(found) == sorted(schemas)
    assert jsonschema_rs.is_valid(found["User"], 1)
    assert not jsonschema_rs.is_valid(found["User"], 2)
    assert found["components_schemas_A_properties_b"]["const"] == 2


def test_other_things_than_schemas_come_home(read: Callable[..., Document]) -> None:
    """A parameter, an answer, a body, a header or a path from another place stands where it is used."""
    there = {
        "path": {
            "get": {
                "parameters": [{"$ref": "#/x-files/f/parameter"}],
                "responses": {"200": {"$ref": "#/x-files/f/answer"}},
            }
        },
        "parameter": {"name": "p", "in": "query", "schema": {"$ref": "#/components/schemas/It"}, "example": 1},
        "answer": {"description": "d", "headers": {"x-h": {"$ref": "#/components/headers/H"}}},
    }
    document = read(
        {"It": {}}, paths={"/a": {"$ref": "#/x-files/f/path"}, "x-b": {"$ref": "#/no"}}, **{"x-files": {"f": there}}
    )
    document.root["components"].value["headers"] = {"H": {"schema": {}}}
    found = standalone(document)
    assert found["paths"] == {
        "/a": {
            "get": {
                "parameters": [{"name": "p", "in": "query", "schema": {"$ref": "#/components/schemas/It"}}],
                "responses": {"200": {"description": "d", "headers": {"x-h": {"$ref": "#/components/headers/H"}}}},
            }
        }
    }
    assert "x-files" not in found


@pytest.mark.parametrize("name", ["../A", "a/b", "a b", "ä", "a\n", "", "A" * 201, "a'b"])
def test_names_that_are_none(read: Callable[..., Document], name: str) -> None:
    """A name that no file can bear everywhere, or that leads out of the folder, is refused with its place."""
    with pytest.raises(Refused, match="this name is none that a file can bear") as caught:
        json_schemas(read({name: {}}))
    assert "#/components/schemas/" in str(caught.value)


def test_names_that_differ_in_capitals(read: Callable[..., Document]) -> None:
    """Two names that are one file on some machines are refused."""
    with pytest.raises(
        Refused, match="#/components/schemas/user: this name differs from `User` in nothing but capitals"
    ):
        json_schemas(read({"User": {}, "user": {}}))


def test_dynamic_references(read: Callable[..., Document]) -> None:
    """What only a validator that knows all files could follow is refused."""
    with pytest.raises(Refused, match="#/components/schemas/A/items: dynamic references are not read"):
        json_schemas(read({"A": {"items": {"$dynamicRef": "#node"}}}))


def test_no_schemas(read: Callable[..., Document], tmp_path: Path) -> None:
    """A document without components has no schemas."""
    path = tmp_path / "bare.json"
    path.write_text('{"openapi": "3.1.0", "info": {"title": "T", "version": "1.0.0"}, "paths": {}}')
    assert json_schemas(load(path)) == {}
