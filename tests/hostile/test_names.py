"""Names that Python, the package or its helpers have a use of their own for."""

import keyword
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.generate import PACKAGE

TEXT = {"type": "string"}
OK = {"200": {"description": "Done."}}
Make = Callable[..., dict[str, Any]]

KEYWORDS = [*keyword.kwlist, *keyword.softkwlist]
ANNOTATIONS = ["str", "int", "float", "bool", "bytes", "list", "dict", "datetime", "date", "Any", "Literal", "UUID"]
ANNOTATIONS += ["Decimal", "Mapping", "Unset", "UNSET", "attrs", "msgspec", "annotations", "ClassVar", "TypeAlias"]
ANNOTATIONS += ["Union", "Optional", "Sequence", "Iterable", "Callable", "TypedDict", "Required", "NotRequired"]
ANNOTATIONS += ["Generic", "TypeVar", "Protocol", "Self", "Final", "Enum", "StrEnum", "IntEnum", "TYPE_CHECKING"]
BUILTINS = ["print", "type", "object", "property", "id", "super", "exec", "open", "ValueError", "Exception", "None"]
BUILTINS += ["classmethod", "staticmethod", "Warning", "DeprecationWarning", "type_", "format", "vars", "dir", "hash"]
UNDERSCORES = ["_", "__", "___", "_id", "__id", "id_", "id__", "__dunder__", "__init__", "__dict__", "__slots__"]
UNDERSCORES += [
    "__class__",
    "__doc__",
    "__module__",
    "__annotations__",
    "__eq__",
    "__hash__",
    "__repr__",
    "__attrs_attrs__",
]
UNDERSCORES += ["__constraints__", "__struct_fields__", "__post_init__", "__attrs_init__", "__open__", "_types", "_x"]
UNICODE = [
    "é",
    "e\u0301",
    "ﬁ",
    "fi",
    "\uff46\uff49",
    "ª",
    "a",
    "straße",
    "STRASSE",
    "日本",
    "名前",
    "Ω",
    "\u2126",
    "µ",
    "μ",
    "😀",
    "٣",
]
DIGITS = ["1st", "123", "1", "01", "1.5", "-1", "+1", "1_0", "0x10", "²"]
CASES = [
    "case",
    "Case",
    "CASE",
    "cAse",
    "camelCase",
    "CamelCase",
    "camel_case",
    "camel-case",
    "camel case",
    "camel.case",
]
COLLIDE = ["a-b", "a_b", "a.b", "a b", "a__b", "a:b", "a/b", "a_b_2", "aB", "AB", "A-B", "-a-b-", "@a-b"]
OWN = ["self", "cls", "mcs", "models", "codec", "types", "client", "calls", "checks", "drafts", "errors", "answers"]
OWN += ["fields", "http_library", "methods", "operations", "shapes", "writing", "api", "httpx", "File", "Variants"]
OWN += ["Draft", "Request", "Operation", "Answer", "Reply", "build", "parse", "OPERATION", "OpenStrEnum", "OpenIntEnum"]
OWN += ["Client", "AsyncClient", "Methods", "OwnMethods", "AsyncMethods", "AsyncOwnMethods", "open_object", "Violation"]
OWN += ["close", "aclose", "with_options", "from_env", "additional_properties", "content_type", "body", "variants"]
OWN += ["mapping", "discriminator", "import_module", "decode", "encode", "convert", "Caller", "Contents", "_draft"]
MODULES = ["json", "typing", "asyncio", "os", "sys", "re", "enum", "collections", "__future__", "warnings", "abc"]
MEMBERS = ["replace", "count", "title", "name", "value", "mro", "real", "imag", "_x", "__x__", "", "1st", "-1", "upper"]
MEMBERS += ["_name_", "_value_", "_missing_", "_generate_next_value_", "_ignore_", "_order_", "__members__", "to_bytes"]
MEMBERS += ["names", "values", "_sunder_", "__class__", "a", "A", "a ", " a", "a-b", "a_b", "None", "True", "null"]
PROPERTIES = ["keys", "items", "get", "pop", "update", "copy", "default", "factory", "field", "define", "Struct"]
ALL = KEYWORDS + ANNOTATIONS + BUILTINS + UNDERSCORES + UNICODE + DIGITS + CASES + COLLIDE + OWN + MODULES + PROPERTIES
TABLE = list(dict.fromkeys(ALL))


def pointer(name: str) -> str:
    """Return a reference to a schema."""
    return "#/components/schemas/" + name.replace("~", "~0").replace("/", "~1")


def properties(document_of: Make) -> dict[str, Any]:
    """Give a document whose objects have all the names, of plain types, of secrets, of the classes of the names."""
    mixed = {
        name: [TEXT, {"type": "array", "items": TEXT}, {"type": "string", "format": "date-time"}] for name in TABLE
    }
    return document_of(
        {
            "Texts": {"type": "object", "required": TABLE, "properties": dict.fromkeys(TABLE, TEXT)},
            "Kinds": {"properties": {name: kinds[n % 3] for n, (name, kinds) in enumerate(mixed.items())}},
            "Open": {"properties": dict.fromkeys(TABLE, TEXT), "additionalProperties": {"type": "integer"}},
            "Secret": {"properties": {name: {**TEXT, "format": "password"} for name in TABLE}},
            "Inner": {"properties": {name: {"properties": {"a": TEXT}} for name in TABLE}},
        },
        {
            "/send": {
                "post": {
                    "operationId": "send",
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": pointer("Texts")}}}},
                    "responses": OK,
                }
            }
        },
    )


def schemas(document_of: Make) -> dict[str, Any]:
    """Give a document whose schemas have all the names: objects, enums, unions and aliases that use each other."""
    kinds: list[Callable[[str], dict[str, Any]]] = [
        lambda name: {"type": "object", "properties": {"own": {"const": name}, "at": {"format": "date", **TEXT}}},
        lambda name: {"type": "string", "enum": [name, "x"]},
        lambda name: {"oneOf": [{"type": "string", "format": "date"}, TEXT], "description": name},
        lambda name: {"type": "array", "items": {"type": "integer"}, "description": name},
    ]
    found = {name: kinds[n % 4](name) for n, name in enumerate(TABLE)}
    holder = {"properties": {f"p{n}": {"$ref": pointer(name)} for n, name in enumerate(TABLE)}}
    bodies = {
        f"/{n}": {
            "post": {
                "operationId": f"act{n}",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": pointer(name)}}}},
                "responses": {
                    "200": {"description": "x", "content": {"application/json": {"schema": {"$ref": pointer(name)}}}}
                },
            }
        }
        for n, name in enumerate(TABLE)
    }
    return document_of({**found, "Holder": holder}, bodies)


def operations(document_of: Make) -> dict[str, Any]:
    """Give a document whose parameters and tags have all the names."""
    places = ["query", "header", "cookie"]
    paths: dict[str, Any] = {}
    for number, name in enumerate(TABLE):
        headed = name.isascii() and name.replace("-", "").replace("_", "").replace(".", "").isalnum()
        found = [{"name": name, "in": place, "schema": TEXT} for place in places if place == "query" or headed]
        paths[f"/{number}"] = {
            "post": {"operationId": f"act{number}", "tags": [name], "parameters": found, "responses": OK}
        }
    every = [{"name": name, "in": "query", "schema": TEXT} for name in TABLE]
    body = {"content": {"application/json": {"schema": {"properties": dict.fromkeys(TABLE, TEXT)}}}}
    paths["/every"] = {
        "post": {"operationId": "every", "tags": ["class"], "parameters": every, "requestBody": body, "responses": OK}
    }
    return document_of({}, paths)


def methods(document_of: Make) -> dict[str, Any]:
    """Give a document whose operations have the names that give methods of their own, each in a tag of its name."""
    seen: dict[str, str] = {}
    for name in [*KEYWORDS, *ANNOTATIONS, *BUILTINS, *OWN, *MODULES, *DIGITS[:1], *PROPERTIES]:
        if name.isascii():
            seen.setdefault(name.strip("_").lower().replace("_", ""), name)
    return document_of(
        {},
        {
            f"/{n}": {"get": {"operationId": name, "tags": [name], "responses": OK}}
            for n, name in enumerate(seen.values())
            if name.strip("_")
        },
    )


def members(document_of: Make) -> dict[str, Any]:
    """Give a document whose enums have all the names, and integers."""
    values = list(dict.fromkeys([*MEMBERS, *TABLE]))
    return document_of(
        {
            "Texts": {"type": "string", "enum": values},
            "Numbers": {"type": "integer", "enum": [0, 1, -1, 10, -10]},
            "Holder": {
                "properties": {"t": {"$ref": pointer("Texts")}, "m": {"enum": [1, "1", None]}, "big": {"enum": [2**70]}}
            },
        }
    )


MADE = [properties, schemas, operations, methods, members]


def taken(folder: Any, document: dict[str, Any]) -> Any:
    """Make a package and return the contract."""
    return folder.take(document)


def test_of_properties(folder: Any, document_of: Make) -> None:
    """Every property is read and written under its own name, in every form of class, and as a keyword."""
    contract = folder.take(properties(document_of))
    keywords = {argument.name.get_untrusted_value(): argument.python_name for argument in contract.operations[0].fields}
    assert list(keywords) == TABLE
    code = """
codec, client = module("codec"), module("client")
plain = {name: f"text {n}" for n, name in enumerate(given)}
request = module("api.default.send").build(**{keyword: plain[name] for name, keyword in given.items()})
content = json.dumps(plain).encode()
found = [codec.to_builtins(codec.decode(content, model(name))) for name in ("Texts", "Open", "Secret")]
found.append(json.loads(request.content))
found.append("text" in repr(codec.decode(json.dumps(plain).encode(), model("Secret"))))
"""
    *found, shown = folder.ask(code, keywords)
    plain = {name: f"text {n}" for n, name in enumerate(TABLE)}
    assert found == [plain] * 4
    assert not shown


def test_of_schemas(folder: Any, document_of: Make) -> None:
    """Every schema is a class of its own that others refer to, named exactly where that hides nothing."""
    contract = folder.take(schemas(document_of))
    names = [schema.name for schema in contract.schemas]
    assert len(set(names)) == len(names)
    assert {"Case", "case", "CASE", "cAse", "File", "Variants", "Draft", "Request", "models"} <= set(names)
    given = {f"p{n}": {"own": name, "at": "2026-01-01"} for n, name in enumerate(TABLE) if n % 4 == 0}
    given |= {f"p{n}": name for n, name in enumerate(TABLE) if n % 4 == 1}
    code = "found = module('codec').to_builtins(module('codec').decode(json.dumps(given).encode(), model('Holder')))"
    assert folder.ask(code, given) == given


def test_of_parameters_and_tags(folder: Any, document_of: Make) -> None:
    """Every parameter goes out under its own name, beside fields of the same name, below tags of any name."""
    contract = folder.take(operations(document_of))
    by_id = {found.id.get_untrusted_value(): found for found in contract.operations}
    every = by_id["every"]
    assert len({argument.python_name for argument in every.arguments}) == 2 * len(TABLE)
    given = {
        f"{operation.tag}.{operation.name}": {
            argument.python_name: f"v{n}" for n, argument in enumerate(operation.arguments)
        }
        for operation in contract.operations
    }
    code = """
from urllib.parse import parse_qsl
requests = [module("api." + name).build(**keywords) for name, keywords in given.items()]
found = [[parse_qsl(r.target.partition("?")[2]), dict(r.headers), r.content.decode()] for r in requests]
"""
    for operation, (query, headers, content) in zip(contract.operations, folder.ask(code, given), strict=True):
        sent = [(a.location, a.name.get_untrusted_value(), f"v{n}") for n, a in enumerate(operation.arguments)]
        assert query == [[name, value] for place, name, value in sent if place == "query"]
        cookies = [f"{name}={value}" for place, name, value in sent if place == "cookie"]
        assert headers.get("Cookie", "") == "; ".join(cookies)
        for place, name, value in sent:
            assert place != "header" or headers[name] == value
        assert not content or content.count('"') == 4 * len(TABLE)


def test_of_operations(folder: Any, document_of: Make) -> None:
    """Every operation is a method that can be called, and the clients keep their own methods."""
    contract = folder.take(methods(document_of))
    names = [found.name for found in contract.operations]
    assert len(set(names)) == len(names) > 100
    assert {"close_", "aclose_", "with_options_", "from_env_"} <= set(names)
    assert not {name for name in names if keyword.iskeyword(name)}
    code = """
httpx = module("http_library").httpx
transport = httpx.MockTransport(lambda request: httpx.Response(200, headers={"x": request.url.path}))
with module("client").Client("http://a", transport=transport) as client:
    found = [getattr(client, name)() for name in given]
"""
    assert folder.ask(code, names) == [None] * len(names)


def test_of_members(folder: Any, document_of: Make) -> None:
    """Every value of an enum is a member, found by its value, that behaves as a text or a number."""
    document = members(document_of)
    folder.take(document)
    code = """
texts, numbers = model("Texts"), model("Numbers")
found = [[m.value for m in texts], [m.value for m in numbers], [texts(v).value for v in given],
         [m.replace("", "") == m.value and m.title() == m.value.title() for m in texts],
         [m.real for m in numbers], [texts[m.name] is m for m in texts], len(set(texts.__members__))]
"""
    values = document["components"]["schemas"]["Texts"]["enum"]
    numbers = document["components"]["schemas"]["Numbers"]["enum"]
    found = folder.ask(code, values)
    assert found == [values, numbers, values, [True] * len(values), numbers, [True] * len(values), len(values)]


def test_types_of_all(folder: Any, document_of: Make, tmp_path: Path, know_types: Callable[[Path], Path]) -> None:
    """Mypy --strict finds nothing in the packages of all these names together."""
    root = tmp_path / "all"
    root.mkdir()
    for make in MADE:
        folder.into = root / make.__name__
        folder.take(make(document_of))
        (folder.into / PACKAGE).rename(root / f"package_{make.__name__}")
        folder.into.rmdir()
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--explicit-package-bases", str(root)]
    command += ["--cache-dir", str(know_types(tmp_path / "cache")), "--no-error-summary"]
    environment = {**os.environ, "MYPYPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[:40]) + done.stderr


@pytest.mark.parametrize("ids", [("a-b", "a_b"), ("sendIt", "send_it"), ("close", "close_")])
def test_methods_that_collide(folder: Any, document_of: Make, ids: tuple[str, str]) -> None:
    """Two operations whose ids give one method are both there, told apart, and the second is reported."""
    paths = {f"/{n}": {"get": {"operationId": name, "responses": OK}} for n, name in enumerate(ids)}
    contract = folder.take(document_of({}, paths))
    assert len({found.name for found in contract.operations}) == 2
    assert any("#/paths/~11/get" in note for note in contract.notes)
