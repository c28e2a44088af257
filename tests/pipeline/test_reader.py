"""Reading what a document says: exactly, or not at all and with the place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import reader
from pipeline.contract import Contract
from pipeline.document import load
from pipeline.steps import Refused

DOCUMENT = Path(__file__).parents[2] / "openapi.yaml"
HEAD = "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\n"
ANSWER = "responses: {'200': {description: x}}"
Read = Callable[..., Contract]

A = "{type: object, properties: {a: {type: string}}}"
B = "{type: object, properties: {b: {type: string}}}"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give the function that reads the text of a document behind its head."""

    def read_text(text: str, head: str = HEAD) -> Contract:
        path = tmp_path / "api.yaml"
        path.write_text(head + text)
        return reader.read(load(path))

    return read_text


def schema(text: str) -> str:
    """Give a document with the one schema `Thing`."""
    return f"components: {{schemas: {{Thing: {text}}}}}\npaths: {{}}\n"


def get(text: str, path: str = "/things") -> str:
    """Give a document with the one operation GET."""
    return f"paths: {{'{path}': {{get: {{{text}}}}}}}\n"


def post(body: str) -> str:
    """Give a document with the one operation POST, and its body."""
    return f"paths: {{/things: {{post: {{requestBody: {{{body}}}, {ANSWER}}}}}}}\n"


def param(text: str) -> str:
    """Give a document with the one operation GET, and its parameter."""
    return get(f"parameters: [{{{text}}}], {ANSWER}")


THING = "#/components/schemas/Thing"
GET = "#/paths/~1things/get"
POST = "#/paths/~1things/post"

REFUSED = [
    ("a type of its own", schema("{type: text}"), THING, "`text` is no type"),
    ("no schema", schema("hello"), THING, "no schema"),
    ("required is a text", schema("{required: a, properties: {a: {}}}"), f"{THING}/required", "must be an array"),
    ("properties are a list", schema("{type: object, properties: [a]}"), f"{THING}/properties", "an object"),
    ("an enum that is a text", schema("{enum: a}"), f"{THING}/enum", "must be an array"),
    ("a schema that is itself", schema(f"{{$ref: '{THING}'}}"), THING, "leads in a circle"),
    (
        "a dangling schema",
        get("responses: {'200': {description: x, content: {application/json: {schema: {$ref: '#/x'}}}}}"),
        f"{GET}/responses/200/content/application~1json/schema/$ref",
        "`#/x` leads nowhere",
    ),
    ("a dangling answer", get("responses: {'200': {$ref: '#/x'}}"), f"{GET}/responses/200/$ref", "leads nowhere"),
    ("a parameter of nowhere", param("name: a, in: moon, schema: {}"), f"{GET}/parameters/0", "in `moon`"),
    ("a parameter without schema", param("name: a, in: query"), f"{GET}/parameters/0", "no `schema`"),
    ("a parameter without name", param("in: query, schema: {}"), f"{GET}/parameters/0", "name"),
    ("a path parameter not in the path", param("name: a, in: path, schema: {type: string}"), GET, "not in the path"),
    ("a path parameter not declared", get(ANSWER, "/things/{id}"), "#/paths/~1things~1{id}/get", "not declared"),
    ("a body without content", post("required: true"), f"{POST}/requestBody", "without content"),
    ("a status of its own", get("responses: {OK: {description: x}}"), f"{GET}/responses/OK", "no status"),
    ("a path that is nothing", "paths: {/things: }\n", "#/paths/~1things", "must be an object"),
    ("an operation that is nothing", "paths: {/things: {get: }}\n", GET, "must be an object"),
    ("an operation that is a text", "paths: {/things: {get: hello}}\n", GET, "must be an object"),
    ("parameters that are none", get(f"parameters: {{}}, {ANSWER}"), f"{GET}/parameters", "must be an array"),
    (
        "an operationId twice",
        f"paths: {{/things: {{get: {{operationId: x, {ANSWER}}}, post: {{operationId: x, {ANSWER}}}}}}}\n",
        POST,
        f"used twice, first at {GET}",
    ),
]


@pytest.mark.parametrize(("text", "place", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(read: Read, text: str, place: str, why: str) -> None:
    """What cannot be represented exactly is refused: its pointer and the reason, then what to do."""
    with pytest.raises(Refused) as error:
        read(text)
    what, advice = str(error.value).splitlines()
    assert what.startswith(f"api.yaml: {place}: ")
    assert why in what
    assert advice.endswith(".")


TYPES = [
    ("{type: string}", "str"),
    ("{type: integer}", "int"),
    ("{type: number}", "float"),
    ("{type: boolean}", "bool"),
    ("{type: string, format: date-time}", "datetime.datetime"),
    ("{type: string, format: date}", "datetime.date"),
    ("{type: string, format: uuid}", "UUID"),
    ("{type: string, format: email}", "str"),
    ("{type: [string, 'null']}", "str | None"),
    ("{type: [string, integer]}", "int | str"),
    ("{type: [array, string], items: {type: integer}}", "list[int] | str"),
    ("{type: string, format: byte}", "bytes"),
    ("{type: string, format: decimal}", "Decimal"),
    ("{oneOf: [{type: string}, {type: array, items: {type: string}}]}", "str | list[str]"),
    ("{anyOf: [{type: integer}, {}]}", "Any"),
    ("{enum: [[1], [2]]}", "list[Any]"),
    ("{const: 1.5}", "float"),
    ("{const: true}", "bool"),
    ("{allOf: [{type: string}, {maxLength: 3}]}", "str"),
    ("{allOf: [{type: number}, {type: integer}]}", "int"),
    ("{type: array, items: {type: array, items: {type: integer}}}", "list[list[int]]"),
    ("{type: array}", "list[Any]"),
    ("{items: {type: string}}", "list[str]"),
    ("{type: object}", "dict[str, Any]"),
    ("{type: object, additionalProperties: {type: array, items: {type: string}}}", "dict[str, list[str]]"),
    ("{const: fixed}", "Literal['fixed']"),
    ("{enum: [a, 1, null]}", "Literal['a'] | Literal[1] | None"),
    ("{oneOf: [{type: string}, {type: 'null'}]}", "str | None"),
    ("{allOf: [{type: string}]}", "str"),
    ("{}", "Any"),
    ("true", "Any"),
    ("{type: 'null'}", "None"),
]


@pytest.mark.parametrize(("text", "annotation"), TYPES)
def test_types(read: Read, text: str, annotation: str) -> None:
    """Each schema is the Python type that says the same."""
    (thing,) = read(schema(f"{{type: object, properties: {{p: {text}}}}}")).schemas
    (found,) = thing.properties
    assert found.type.declared == annotation


def test_null_in_3_0(read: Read) -> None:
    """OpenAPI 3.0 writes `nullable` for what 3.1 writes as a type."""
    text = schema("{type: object, properties: {p: {type: string, nullable: true}}}")
    (thing,) = read(text, HEAD.replace("3.1.0", "3.0.3")).schemas
    assert thing.properties[0].type.declared == "str | None"


@pytest.mark.parametrize(
    ("root", "own", "secured"),
    [
        ("", "", False),
        ("security: []\n", "", False),
        ("security: [{T: []}]\n", "", True),
        ("security: [{T: []}]\n", "security: [], ", False),
        ("", "security: [{T: []}], ", True),
    ],
)
def test_security(read: Read, root: str, own: str, secured: bool) -> None:
    """The root's security counts where an operation has none of its own."""
    (operation,) = read(root + get(own + ANSWER)).operations
    assert operation.secured is secured


@pytest.mark.parametrize(
    ("method", "header", "retry"),
    [
        *(("get", "", "safe"), ("head", "", "safe"), ("put", "", "safe"), ("delete", "", "safe")),
        *(("post", "", "unsent"), ("patch", "", "unsent"), ("post", "X-Trace", "unsent")),
        *(("post", "idempotency-key", "keyed"), ("put", "Idempotency-Key", "keyed")),
    ],
)
def test_retry_follows_from_the_document(read: Read, method: str, header: str, retry: str) -> None:
    """What may be sent again follows from the method and from Idempotency-Key."""
    parameters = f"parameters: [{{name: {header}, in: header, schema: {{type: string}}}}], " if header else ""
    (operation,) = read(f"paths: {{/things: {{{method}: {{{parameters}{ANSWER}}}}}}}\n").operations
    assert operation.retry == retry


def test_parameters_of_the_path_item(read: Read) -> None:
    """Parameters of a path are those of its operations, which may override them."""
    text = "paths: {'/a/{id}': {parameters: [{name: id, in: path, required: true, schema: {type: string}}, "
    text += "{name: q, in: query, schema: {type: string}}], get: {parameters: [{name: q, in: query, required: true, "
    text += f"schema: {{type: integer}}}}], {ANSWER}}}}}}}\n"
    (operation,) = read(text).operations
    assert [(found.python_name, found.type.declared, found.required) for found in operation.parameters] == [
        ("id", "str", True),
        ("q", "int", True),
    ]


def test_names_that_collide_are_reported(read: Read) -> None:
    """A body property keeps its name, the parameter beside it gets its place behind it, and a note says so."""
    text = "paths: {'/a/{id}': {post: {parameters: [{name: id, in: path, required: true, schema: {type: string}}, "
    text += "{name: id, in: query, schema: {type: string}}], requestBody: {content: {application/json: {schema: "
    text += f"{{$ref: '{THING}'}}}}}}}}, {ANSWER}}}}}}}\n"
    contract = read(f"components: {{schemas: {{Thing: {{properties: {{id: {{type: string}}}}}}}}}}\n{text}")
    (operation,) = contract.operations
    assert [found.python_name for found in operation.arguments] == ["id_path", "id_query", "id"]
    assert any("`id_path`" in note for note in contract.notes)


@pytest.mark.parametrize(("operation_id", "method"), [("close", "close_"), ("withOptions", "with_options_")])
def test_names_of_the_clients_are_kept(read: Read, operation_id: str, method: str) -> None:
    """An operation that would hide a client's own method gets an underscore, and a note says so."""
    contract = read(get(f"operationId: {operation_id}, {ANSWER}"))
    assert [found.name for found in contract.operations] == [method]
    assert any(f"`{method}`" in note for note in contract.notes)


def test_operations_that_give_one_method(read: Read) -> None:
    """Of two operationIds that give the same method the second is numbered, and a note says so."""
    both = f"{{get: {{operationId: aB, {ANSWER}}}, post: {{operationId: a_b, {ANSWER}}}}}"
    contract = read(f"paths: {{/things: {both}}}\n")
    assert [found.name for found in contract.operations] == ["a_b", "a_b_2"]
    assert any(note.startswith(f"{POST}: the method is called `a_b_2`") for note in contract.notes)


def test_operations_without_id_and_tag(read: Read) -> None:
    """An operation without operationId is called by its method and path, and a note says so."""
    contract = read(get(ANSWER, "/a/b-c"))
    assert [(found.name, found.tag) for found in contract.operations] == [("get_a_b_c", "default")]
    assert contract.notes == ("#/paths/~1a~1b-c/get: without operationId, the method is called `get_a_b_c`",)


def test_schemas_in_place(read: Read) -> None:
    """Objects that stand in place, in bodies and in answers, are classes like the named ones."""
    answer = f"responses: {{'200': {{description: x, content: {{application/json: {{schema: {B}}}}}}}}}"
    contract = read(
        f"paths: {{/a: {{post: {{operationId: add, requestBody: {{content: {{application/json: {{schema: {A}}}}}}}, "
        f"{answer}}}}}}}\n"
    )
    (operation,) = contract.operations
    assert {found.name for found in contract.schemas} == operation.classes
    assert len(operation.classes) == 2


def test_what_is_not_checked_is_noted(read: Read) -> None:
    """A keyword that nothing checks is noted with its place."""
    contract = read(schema("{type: object, properties: {p: {type: string, not: {const: x}}}}"))
    assert contract.notes == (f"{THING}/properties/p/not: `not` is not checked",)


def test_the_committed_document_is_read_without_notes() -> None:
    """Nothing in openapi.yaml needs a note, and every name is exact."""
    contract = reader.read(load(DOCUMENT))
    assert contract.notes == ()
    names: Any = yaml.safe_load(DOCUMENT.read_bytes())["components"]["schemas"]
    assert {found.name for found in contract.schemas} == set(names)
    for found in contract.schemas:
        exact = [prop.python_name for prop in found.properties]
        assert exact == list(names[found.name].get("properties", exact))
