"""Documents that are bombs, circles, towers, no documents at all, or that reach for what is not theirs."""

import copy
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HEAD = "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\n"
BOMB = "".join(f"x-{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9) if n else 'a'}]\n" for n in range(12))
DEEP = 10_000
Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{HEAD}paths: {{}}\n{BOMB}", "aliases stand for more than"),
        (f"{HEAD}paths: {{}}\nx-a: &a [*a]\n", "an alias stands inside the value that it names"),
        (f"{HEAD}paths: {{}}\nx-a: &a\n  b: *a\n", "an alias stands inside the value that it names"),
        (f"{HEAD}paths: {{}}\nx-a: &a {{b: &b [*a], c: *b}}\n", "an alias stands inside the value that it names"),
        (f"{HEAD}paths: {{}}\nx-a: *nobody\n", "undefined alias"),
        (f"{HEAD}paths: {{}}\npaths: {{}}\n", "`paths` stands twice"),
        ('{"openapi": "3.1.0", "openapi": "3.1.0", "info": {}, "paths": {}}', "`openapi` stands twice"),
        (f"{HEAD}paths: {{}}\nx-a: {'[' * DEEP}{']' * DEEP}\n", "nest"),
        (f"{HEAD}paths: {{}}\nx-a: {'{a: ' * DEEP}1{'}' * DEEP}\n", "nest"),
        (f'{{"openapi": "3.1.0", "x-a": {"[" * DEEP}{"]" * DEEP}}}', "nest"),
        ('{"openapi": ' + '{"a": ' * DEEP + "1" + "}" * DEEP + "}", "nest"),
        (HEAD + "paths: {}\n" + "\n".join(f"{' ' * n}a:" for n in range(2_000)), "nest"),
        (f"{HEAD}paths: {{}}\nx-a: {{? [1, 2] : b}}\n", "key"),
        (f"{HEAD}paths: {{}}\nx-a: {{? {{a: 1}} : b}}\n", "key"),
        (f"{HEAD}paths: {{}}\nx-a: {{1.5: b}}\n", "is no text"),
        (f"{HEAD}paths: {{}}\nx-a: {{true: b}}\n", "is no text"),
        (f"{HEAD}paths: {{}}\nx-a: {{null: b}}\n", "is no text"),
        (f"{HEAD}paths: {{}}\nx-a: !!python/object/apply:os.abort []\n", "python/object"),
        (f"{HEAD}paths: {{}}\nx-a: !!binary YQ==\n", "binary"),
        (f"{HEAD}paths: {{}}\nx-a: !!set {{a, b}}\n", "set"),
        (f"{HEAD}paths: {{}}\n---\n{HEAD}", "document"),
        (f"{HEAD}paths: {{}}\nx-a: {{<<: 1}}\n", "mapping"),
        (f"{HEAD}paths: [\n", "is no YAML"),
        (f"{HEAD}paths: {{}}\nx-a: \0\n", "is no YAML"),
        (f"{HEAD}paths: {{}}\nx-a: {'9' * 100_000}\n", ""),
        ('{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}, "x-a": NaN}', ""),
        ("", "is no OpenAPI"),
        ("just words", "is no OpenAPI"),
        ("null", "is no OpenAPI"),
        ("[]", "is no OpenAPI"),
        ("{}", "is no OpenAPI"),
        ("swagger: '2.0'\ninfo: {title: T, version: 1.0.0}\npaths: {}\n", "is no OpenAPI"),
        ("openapi: 3.2.0\ninfo: {title: T, version: 1.0.0}\npaths: {}\n", "is no OpenAPI"),
    ],
    ids=lambda value: value[:40] if value.isprintable() else ascii(value[-30:]),
)
def test_refused_as_a_file(folder: Any, text: str, reason: str) -> None:
    """A file that is no whole, plain, finite document is refused with the reason."""
    assert reason in folder.refused(text, "document.yaml")


@pytest.mark.parametrize("content", [b"\xff\xfeo", HEAD.encode() + b"x-a: \xff\n", HEAD.encode("utf-16"), b"\x80" * 99])
def test_refused_as_bytes(folder: Any, content: bytes) -> None:
    """Bytes that are no UTF-8 are refused, with the first one that is not."""
    assert "is no UTF-8 text" in folder.refused(content)


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEAD}paths: {{}}\n",
        f"{HEAD}paths: {{}}\nx-a: &a {{b: 1}}\nx-b: *a\nx-c: [*a, *a]\n",
        f"{HEAD}paths: {{}}\nx-a: &a {{b: 1}}\nx-b: {{<<: *a, c: 2}}\nx-c: {{<<: [*a, *a], b: 3}}\n",
        f"{HEAD}paths: {{}}\nx-a: {{200: a, __proto__: b, constructor: c, no: d, 2026-01-01: e, =: f}}\n",
        HEAD.replace("\n", "\r\n") + "paths: {}\r\n",
        f"%YAML 1.2\n---\n{HEAD}paths: {{}}\n...\n",
    ],
    ids=["mark", "aliases", "merge keys", "odd keys", "line ends", "directive"],
)
def test_taken(folder: Any, text: str) -> None:
    """What YAML and UTF-8 allow is taken: a byte-order mark, aliases, merge keys, odd keys."""
    folder.take(text, "document.yaml")


def test_a_large_file_is_refused_at_once(folder: Any) -> None:
    """A file over 20 MiB is refused by its size, without being read."""
    path = folder.write(b"", "document.yaml")
    with path.open("wb") as file:
        file.truncate(25 * 1024 * 1024)
    assert "20 MiB" in run(path, folder.into, 1)


def tower(key: str, height: int) -> dict[str, Any]:
    """Give a schema inside a schema inside a schema."""
    found: dict[str, Any] = {"type": "string"}
    for _ in range(height):
        found = {"properties": {"a": found}} if key == "properties" else {key: [found] if key[-2:] == "Of" else found}
    return found


@pytest.mark.parametrize("key", ["properties", "items", "allOf", "oneOf", "anyOf", "additionalProperties", "not"])
@pytest.mark.parametrize("height", [150, 400])
def test_towers_of_schemas(folder: Any, document_of: Make, key: str, height: int) -> None:
    """Schemas inside schemas are read, or refused as too deep."""
    message = folder.outcome(document_of({"A": tower(key, height)}))
    assert not message or "nested too deep" in message


@pytest.mark.parametrize("key", ["properties", "items", "allOf", "oneOf", "additionalProperties"])
def test_high_towers_of_references(folder: Any, document_of: Make, key: str) -> None:
    """A tower of 2,000 schemas that refer to each other is read, or refused in one message."""
    schemas: dict[str, Any] = {"S2000": {"type": "string"}}
    for number in range(2_000):
        reference = {"$ref": f"#/components/schemas/S{number + 1}"}
        schemas[f"S{number}"] = (
            {"properties": {"a": reference}}
            if key == "properties"
            else {key: [reference] if key.endswith("Of") else reference}
        )
    message = folder.outcome(document_of(schemas))
    assert not message or "deep" in message


SELF = {"$ref": "#/components/schemas/A"}
OTHER = {"$ref": "#/components/schemas/B"}


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": SELF},
        {"A": OTHER, "B": SELF},
        {"A": {"allOf": [SELF]}},
        {"A": {"allOf": [OTHER]}, "B": {"allOf": [SELF]}},
        {"A": {"oneOf": [SELF]}},
        {"A": {"oneOf": [SELF, SELF]}},
        {"A": {"anyOf": [OTHER]}, "B": {"anyOf": [SELF]}},
        {"A": {"allOf": [OTHER]}, "B": {"oneOf": [SELF]}},
        {"A": {"properties": {"a": {"allOf": [{"$ref": "#/components/schemas/A/properties/a"}]}}}},
        {"A": {"properties": {"a": {"$ref": "#/components/schemas/A/properties/a"}}}},
    ],
    ids=lambda value: json.dumps(value).replace("#/components/schemas/", "")[:50],
)
def test_circles_that_mean_nothing(folder: Any, document_of: Make, schemas: dict[str, Any]) -> None:
    """A schema that is nothing but itself is refused with its place."""
    assert "#/components/schemas/" in folder.refused(document_of(schemas))


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"items": SELF}},
        {"A": {"items": OTHER}, "B": {"items": SELF}},
        {"A": {"additionalProperties": SELF}},
        {"A": {"properties": {"a": SELF}}},
        {"A": {"properties": {"a": OTHER}}, "B": {"properties": {"b": SELF}}},
        {"A": {"properties": {"a": {"items": SELF}}}},
        {"A": {"properties": {"a": {"oneOf": [SELF, {"type": "null"}]}}}},
        {"A": {"oneOf": [{"type": "string"}, {"items": SELF}]}},
        {"A": {"anyOf": [{"type": "integer"}, {"additionalProperties": SELF}]}},
        {"A": {"allOf": [{"properties": {"a": SELF}}, {"properties": {"b": OTHER}}]}, "B": {"allOf": [SELF]}},
        {"A": {"properties": {"a": {"properties": {"b": {"$ref": "#/components/schemas/A/properties/a"}}}}}},
        {"A": {"properties": {"a": {"not": SELF}}}},
    ],
    ids=lambda value: json.dumps(value).replace("#/components/schemas/", "")[:50],
)
def test_circles_that_mean_something(folder: Any, document_of: Make, schemas: dict[str, Any]) -> None:
    """Recursion is taken."""
    folder.take(document_of(schemas))


@pytest.mark.parametrize(
    "part", ["parameters", "headers", "requestBodies", "responses", "securitySchemes", "pathItems", "examples", "links"]
)
def test_circles_of_parts(folder: Any, document_of: Make, part: str) -> None:
    """A parameter, body, answer and so on that is nothing but itself is refused where it is used, or of no account."""
    circle = {"$ref": f"#/components/{part}/A"}
    document = document_of({}, {"/a": {"get": {"operationId": "a", "responses": {"200": {"description": "x"}}}}})
    document["components"][part] = {"A": circle}
    used: dict[str, Any] = document["paths"]["/a"]["get"]
    if part == "parameters":
        used["parameters"] = [circle]
    elif part == "requestBodies":
        used["requestBody"] = circle
    elif part == "responses":
        used["responses"]["200"] = circle
    elif part == "pathItems":
        document["paths"]["/b"] = circle
    message = folder.outcome(document)
    assert "circle" in message or part in ("headers", "examples", "links")


@pytest.fixture
def listener() -> Iterator[tuple[socket.socket, str]]:
    """Listen on loopback, and give the URL that would lead there."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        found.setblocking(False)
        yield found, f"http://127.0.0.1:{found.getsockname()[1]}/a.yaml"


@pytest.mark.parametrize("kind", ["", "#/A"])
@pytest.mark.parametrize(
    "reference",
    [
        "{url}",
        "{UPPER}",
        "//{host}",
        "file:///etc/passwd",
        "/etc/hostname",
        "../outside.yaml",
        "a/../../outside.yaml",
        "%2e%2e/outside.yaml",
        "link.yaml",
        "folder/outside.yaml",
        "missing.yaml",
        ".",
        "..",
        "\x00",
        "n" * 300,
        "a\nb",
        "javascript:alert(1)",
        "data:text/yaml,a",
        "urn:a:b",
        "/proc/self/environ",
        "/dev/zero",
        "folder",
    ],
)
def test_references_to_what_is_not_the_documents(
    folder: Any, document_of: Make, listener: tuple[socket.socket, str], reference: str, kind: str
) -> None:
    """Nothing is fetched, and nothing outside of the document's folder is read, by whatever way."""
    (folder.root.parent / "outside.yaml").write_text("A: {type: string}\n")
    (folder.root / "link.yaml").symlink_to(folder.root.parent / "outside.yaml")
    (folder.root / "folder").symlink_to(folder.root.parent, target_is_directory=True)
    server, url = listener
    written = reference.format(url=url, UPPER=url.upper(), host=url.removeprefix("http://")) + kind
    for document in (
        document_of({"A": {"$ref": written}}),
        document_of({}, {"/a": {"$ref": written}}),
        document_of({"A": {"properties": {"a": {"examples": [1], "$ref": written}}}}),
    ):
        assert "$ref" in folder.refused(document)
    with pytest.raises(BlockingIOError):
        server.accept()


def test_references_to_files_beside_it(folder: Any, document_of: Make) -> None:
    """Files in the document's folder are read, circles between them too; their own harm is refused by their name."""
    folder.write("A: {properties: {b: {$ref: 'two.yaml#/B'}}}\n", "one.yaml")
    folder.write(
        "B: {properties: {a: {$ref: 'one.yaml#/A'}, c: {$ref: 'document.json#/components/schemas/C'}}}\n", "two.yaml"
    )
    contract = folder.take(document_of({"C": {"type": "string"}, "D": {"$ref": "one.yaml#/A"}}))
    assert len(contract.schemas) >= 3
    for number, text in enumerate([BOMB, "[" * DEEP, "a: &a [*a]\n", "a: 1\na: 2\n"]):
        folder.write(text, f"bad{number}.yaml")
        with pytest.raises(AssertionError, match=r"document\.json"):
            folder.refused(document_of({"A": {"$ref": f"bad{number}.yaml#/x-1"}}))


def test_many_values(folder: Any, document_of: Make) -> None:
    """100,000 values of an enum and 10,000 properties of an object are read in time."""
    many = {"type": "string", "enum": [f"v{n}" for n in range(100_000)]}
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(10_000)}}
    _, contract = folder.read(document_of({"Many": many, "Wide": wide}))
    assert [len(contract.schemas[0].members), len(contract.schemas[1].properties)] == [100_000, 10_000]


def test_many_names_that_collide(folder: Any, document_of: Make) -> None:
    """Thousands of names that Python would call the same are told apart in time."""
    names = [f"{'-' * n}a" for n in range(1, 3_000)]
    schemas: dict[str, Any] = {
        "Wide": {"type": "object", "properties": {key: {"type": "string"} for key in names}},
        "Many": {"type": "string", "enum": names},
    }
    _, contract = folder.read(document_of(schemas))
    assert len({found.python_name for found in contract.schemas[0].properties}) == len(names)
    assert len(contract.schemas[1].members) == len(names)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(" * 5_000, "a{1,99999999}", "(?<n>a)\\k<n>", "\\p{L}", "[", "(?P<", "\\"]
)
def test_patterns(folder: Any, document_of: Make, pattern: str) -> None:
    """A pattern that Python does not know, or that would take for ever, does no harm to reading."""
    document = document_of({"A": {"properties": {"a": {"type": "string", "pattern": pattern}}}})
    assert not folder.outcome(document)


SMALL: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1.0.0", "description": "d"},
    "servers": [{"url": "/"}],
    "security": [{"token": []}],
    "tags": [{"name": "t"}],
    "paths": {
        "/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "post": {
                "operationId": "act",
                "tags": ["t"],
                "summary": "s",
                "deprecated": True,
                "security": [],
                "parameters": [
                    {"name": "q", "in": "query", "style": "form", "explode": True, "schema": {"type": "array"}},
                    {"name": "c", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                    {"$ref": "#/components/parameters/P"},
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "multipart/form-data": {
                            "schema": {"$ref": "#/components/schemas/Thing"},
                            "encoding": {"a": {"style": "form", "explode": True}},
                        },
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                    },
                },
                "responses": {
                    "200": {
                        "description": "d",
                        "headers": {"X-A": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                        "links": {"l": {"operationId": "act"}},
                    },
                    "default": {"description": "d"},
                },
                "callbacks": {"c": {"{$url}": {"post": {"responses": {"200": {"description": "x"}}}}}},
            },
        }
    },
    "components": {
        "parameters": {"P": {"name": "X-P", "in": "header", "schema": {"type": "integer", "minimum": 1}}},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Thing": {
                "type": "object",
                "description": "d",
                "required": ["a"],
                "properties": {
                    "a": {"type": ["string", "null"], "minLength": 1, "maxLength": 9, "pattern": "a", "default": "b"},
                    "b": {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 1},
                    "c": {"type": "string", "enum": ["x", "y"], "deprecated": True, "readOnly": True},
                    "d": {"const": 1, "x-unconfirmed": "u", "example": 1},
                },
                "additionalProperties": {"type": "integer", "multipleOf": 2},
            },
            "Base": {"type": "object", "properties": {"kind": {"type": "string", "title": "t"}}},
            "Cat": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"c": {"type": "number"}}}]},
            "Pet": {
                "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Thing"}],
                "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
            },
            "Either": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"e": {"type": "boolean"}}}]},
            "Narrow": {
                "type": "object",
                "not": {"required": ["z"]},
                "patternProperties": {"a": {}},
                "minProperties": 1,
            },
        },
    },
}
WRONG: list[Any] = [None, "text", 7, -1.5, True, [], ["text"], [None], {}, {"a": 1}, {"$ref": 5}, [{"$ref": "#/info"}]]


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every node of a document."""
    yield above
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(child, (*above, key))


def test_the_small_document_is_taken(folder: Any) -> None:
    """The document of which each node is put wrong in turn is good itself."""
    folder.take(SMALL)


@pytest.mark.parametrize("wrong", WRONG, ids=json.dumps)
def test_wrong_types_at_every_node(folder: Any, wrong: Any) -> None:
    """Whatever stands in the place of any node, reading ends in a contract or in one clear message."""
    foreign = []
    for place in places(SMALL):
        document = copy.deepcopy(SMALL) if place else wrong
        holder = document
        for key in place[:-1]:
            holder = holder[key]
        if place:
            holder[place[-1]] = wrong
        try:
            folder.outcome(document)
        except Exception as error:
            foreign.append(f"/{'/'.join(map(str, place))}: {type(error).__name__}: {error}")
    assert not foreign, "\n".join(foreign)


def run(spec: Path, into: Path, code: int) -> str:
    """Run the real command; return what it says."""
    command = [sys.executable, str(ROOT / "scripts" / "regenerate"), "--spec", str(spec), "--into", str(into)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    if code:
        assert done.stderr.startswith("error: ")
        assert not into.exists()
    return done.stdout + done.stderr


def state(root: Path) -> dict[str, bytes]:
    """Return the bytes of every file that the command might touch."""
    folders = [root / name for name in ("scripts", "templates", "generated", "overlay")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    found = [
        path for path in [*files, root / "openapi.yaml", root / "pyproject.toml"] if "__pycache__" not in path.parts
    ]
    return {str(path): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (f"{HEAD}paths: {{}}\n{BOMB}", 1, "aliases"),
        (f"{HEAD}paths: {{}}\nx-a: {'[' * DEEP}\n", 1, "nest"),
        (f"{HEAD}paths: {{}}\nx-a: !!python/object/apply:os.abort []\n", 1, "python"),
        (f"{HEAD}paths: {{/a: {{$ref: 'http://127.0.0.1:9/a.yaml'}}}}\n", 1, "nothing is fetched"),
        (f"{HEAD}paths: {{/a: {{get: {{operationId: '; touch x', responses: {{}}}}}}}}\n", 0, "in place"),
        ('{"openapi": "3.1.0", "info": {"title": "\\ud800", "version": "1.0.0"}, "paths": {}}', 1, "surrogate"),
        (
            f"{HEAD}paths: {{}}\ncomponents: {{schemas: {{{'N' * 300}: {{type: object, properties: {{a: {{}}}}}}}}}}\n",
            0,
            "in place",
        ),
        (f"{HEAD}paths: {{}}\n\x1b[31m: 1\n", 1, "no YAML"),
    ],
    ids=["bomb", "tower", "tag", "url", "shell", "surrogate", "long name", "escape"],
)
def test_the_command(folder: Any, text: str, code: int, said: str) -> None:
    """The real command ends as it should, in one message, and the tree is byte-identical."""
    before = state(ROOT)
    assert said in run(folder.write(text, "document.yaml"), folder.into, code)
    assert state(ROOT) == before
