"""Strings that try to break out, in every place that a document has for strings."""

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml

from pipeline.loading import plain_data

Make = Callable[..., dict[str, Any]]
OK: dict[str, Any] = {"200": {"description": "Done."}}
TEXT = {"type": "string"}


def encodable(strings: Iterable[str]) -> list[str]:
    """Return the strings that UTF-8 can hold; a package cannot travel with the others."""
    return [text for text in strings if not any("\ud800" <= character <= "\udfff" for character in text)]


def taken_together(items: dict[str, Any], is_taken: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the items that one document can hold: in their order, each that goes with those before it."""
    made: dict[str, Any] = {}
    waiting = [list(items)]
    while waiting:
        paths = waiting.pop()
        if is_taken({path: items[path] for path in [*made, *paths]}):
            made |= {path: items[path] for path in paths}
        elif len(paths) > 1:
            middle = len(paths) // 2
            waiting += [paths[middle:], paths[:middle]]  # the first half comes first
    return made


def operation(number: int, **more: Any) -> dict[str, Any]:
    """Give the path item of one operation."""
    return {"post": {"operationId": f"act{number}", "responses": OK, **more}}


def test_there_are_enough(strings: dict[str, str]) -> None:
    """The strings are many, and UTF-8 can hold all but a few."""
    assert len(strings) >= 60
    assert len(strings) - 3 == len(encodable(strings.values()))


def test_yaml_says_the_same_as_json(strings: dict[str, str]) -> None:
    """A document says the same, whether its strings are written in YAML or in JSON."""
    texts = {text: text for text in encodable(strings.values())}
    assert plain_data("x.yaml", yaml.safe_dump(texts).encode()) == texts
    assert plain_data("x.json", json.dumps(texts, ensure_ascii=False).encode()) == texts


def test_in_words(folder: Any, strings: dict[str, str], document_of: Make) -> None:
    """Titles, descriptions, summaries, tags, examples and extensions stay what they are: words."""
    texts = encodable(strings.values())
    fields = {
        f"p{n}": {
            "type": "string",
            "title": text,
            "description": text,
            "example": text,
            "examples": [text],
            "default": text,
            "format": text,
            "x-unconfirmed": text,
            f"x-{text}": text,
            text: text,
        }
        for n, text in enumerate(texts)
        if text not in {"$ref"}
    }
    bare = {f"q{n}": {"type": "string", "description": text} for n, text in enumerate(texts)}
    schemas = {f"S{n}": {"type": "string", "title": text, "description": text} for n, text in enumerate(texts)}
    enums = {f"E{n}": {"enum": ["a"], "description": text} for n, text in enumerate(texts)}
    unions = {
        f"U{n}": {"description": text, "oneOf": [{"type": "string"}, {"type": "string", "format": "date"}]}
        for n, text in enumerate(texts)
    }
    paths = {
        f"/{n}": operation(
            n,
            summary=text,
            description=text,
            tags=[text],
            parameters=[{"name": "q", "in": "query", "description": text, "schema": TEXT}],
            responses={"200": {"description": text}, "400": {"description": text}},
            externalDocs={"url": text, "description": text},
            **{f"x-{text}": text},
        )
        for n, text in enumerate(texts)
    }
    document = document_of(
        {"Thing": {"properties": fields}, "Bare": {"properties": bare}, **schemas, **enums, **unions},
        paths,
        servers=[{"url": text, "description": text} for text in texts],
        tags=[{"name": text, "description": text} for text in texts],
        **{f"x-{text}": text for text in texts},
    )
    folder.take(document)
    assert folder.ask("found = [f.wire for f in module('shapes').fields_of(model('Thing'))]") == list(fields)


@pytest.mark.parametrize("place", ["title", "version"])
def test_in_the_head(folder: Any, strings: dict[str, str], document_of: Make, place: str) -> None:
    """A title and a version that are all strings in one are taken as text; each alone is taken or refused clearly."""
    for name, text in strings.items():
        info = {"title": "T", "version": "1.0.0", place: text}
        message = folder.outcome(document_of(info=info))
        assert bool(message) == (text not in encodable([text])), name
    info = {"title": "T", "version": "1.0.0", place: "\n\n".join(encodable(strings.values()))}
    folder.take(document_of({"A": {"enum": ["a"]}}, {"/a": operation(1)}, info=info))


def test_in_values(folder: Any, strings: dict[str, str], document_of: Make) -> None:
    """Enum values, constants, defaults and patterns are the document's own at run time."""
    texts = encodable(strings.values())
    document = document_of(
        {
            "Kind": {"type": "string", "enum": texts},
            "Mixed": {"enum": [1, None, *texts]},
            "Fixed": {"type": "object", "properties": {f"p{n}": {"const": text} for n, text in enumerate(texts)}},
            "Shaped": {"properties": {f"p{n}": {"type": "string", "pattern": text} for n, text in enumerate(texts)}},
            "Given": {"properties": {f"p{n}": {"type": "string", "default": text} for n, text in enumerate(texts)}},
        },
        {
            "/a": operation(
                1, parameters=[{"name": "q", "in": "query", "schema": {"type": "array", "items": {"enum": texts}}}]
            )
        },
    )
    folder.take(document)
    code = """
kind, codec = model("Kind"), module("codec")
fixed = {f.name: f.kind for f in module("shapes").fields_of(model("Fixed"))}
numbered = {f"p{n}": text for n, text in enumerate(given)}
found = [
    [member.value for member in kind],
    codec.to_builtins([kind(text) for text in given]),
    [typing.get_args(typing.get_args(fixed[f"p{n}"])[0] if len(typing.get_args(fixed[f"p{n}"])) > 1 else fixed[f"p{n}"])
     for n in range(len(given))],
    codec.to_builtins(codec.decode(json.dumps(numbered).encode(), model("Fixed"))),
    codec.encode(model("Given")()).decode(),
]
"""
    values, again, literals, fixed, bare = folder.ask(code, texts)
    assert values == texts
    assert again == texts
    assert literals == [[text] for text in texts]
    assert fixed == {f"p{n}": text for n, text in enumerate(texts)}
    assert bare == "{}"


def test_in_names_of_properties(folder: Any, strings: dict[str, str], document_of: Make) -> None:
    """Properties keep their names on the wire, whatever Python calls them."""
    texts = encodable(strings.values())
    document = document_of(
        {
            "Thing": {"type": "object", "required": texts, "properties": dict.fromkeys(texts, TEXT)},
            "Loose": {
                "type": "object",
                "properties": {key: {"type": "integer"} for key in texts},
                "additionalProperties": True,
            },
            "Named": {"type": "object", "required": texts},
        },
        {
            "/a": operation(
                1, requestBody={"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loose"}}}}
            )
        },
    )
    folder.take(document)
    code = """
codec = module("codec")
found = [codec.to_builtins(codec.decode(json.dumps({n: f"{i}" for i, n in enumerate(given)}).encode(), model("Thing"))),
         codec.to_builtins(codec.decode(json.dumps({n: i for i, n in enumerate(given)}).encode(), model("Loose")))]
"""
    thing, loose = folder.ask(code, texts)
    assert thing == {text: str(number) for number, text in enumerate(texts)}
    assert loose == {text: number for number, text in enumerate(texts)}


def test_in_names_of_schemas(folder: Any, strings: dict[str, str], document_of: Make) -> None:
    """Every schema becomes a class, of whatever name, that a reference finds."""
    texts = encodable(strings.values())

    def pointer(text: str) -> str:
        escaped = text.replace("~", "~0").replace("/", "~1").replace("%", "%25")
        return f"#/components/schemas/{escaped}"

    schemas = {text: {"type": "object", "properties": {"own": {"const": text}}} for text in texts}
    holder = {"properties": {f"p{n}": {"$ref": pointer(text)} for n, text in enumerate(texts)}}
    folder.take(document_of({**schemas, "Holder": holder}))
    given = {f"p{n}": {"own": text} for n, text in enumerate(texts)}
    code = """
codec = module("codec")
found = codec.to_builtins(codec.decode(json.dumps(given).encode(), model("Holder")))
"""
    assert folder.ask(code, given) == given


@pytest.mark.parametrize("location", ["query", "header", "cookie"])
def test_in_names_of_parameters(folder: Any, strings: dict[str, str], document_of: Make, location: str) -> None:
    """Parameters keep their names on the wire, or are refused where HTTP cannot bear them; none adds another."""
    taken = []
    for name, text in strings.items():
        parameter = {"name": text, "in": location, "schema": TEXT}
        message = folder.outcome(document_of({}, {"/a": operation(1, parameters=[parameter])}))
        assert text.strip() or message, name
        if not message:
            taken.append(text)
    assert len(taken) > 20
    paths = {
        f"/{n}": operation(n, parameters=[{"name": text, "in": location, "schema": TEXT, "required": True}])
        for n, text in enumerate(taken)
    }
    folder.take(document_of({}, paths))
    code = """
import inspect
found = []
for n in range(len(given)):
    place = module("operations").OPERATIONS[f"act{n}"]
    build = module("operations").import_module(f"redcloud_core_client.api.{place}").build
    request = build(**{name: "value" for name in inspect.signature(build).parameters})
    found.append([request.target, dict(request.headers)])
"""
    for text, (target, headers) in zip(taken, folder.ask(code, taken), strict=True):
        if location == "query":
            pairs = parse_qsl(target.partition("?")[2], keep_blank_values=True, strict_parsing=True)
            assert pairs == [(text, "value")]
            assert target.isascii()
            assert target.isprintable()
        elif location == "header":
            assert headers == {text: "value"}
            assert text.isascii()
            assert not set(text) & set("\r\n:\0 ")
        else:
            assert headers == {"Cookie": f"{text}=value"}
            assert text.isascii()
            assert not set(text) & set("\r\n;=\0 ")


@pytest.mark.parametrize("place", ["operationId", "path", "path parameter", "both content types"])
def test_in_operations(folder: Any, strings: dict[str, str], document_of: Make, place: str) -> None:
    """What names an operation is exact at run time where it is taken, and refused with its place elsewhere."""
    items: dict[str, dict[str, Any]] = {}
    schema = {"schema": {"type": "object", "properties": {"a": TEXT}}}
    for number, text in enumerate(strings.values()):
        path, parameters, content = f"/{number}", [], "text/plain"
        more: dict[str, Any] = {}
        if place == "path":
            path = f"/{number}{text}"
        elif place == "path parameter":
            path = f"/{number}/{{{text}}}"
            parameters = [{"name": text, "in": "path", "required": True, "schema": TEXT}]
        elif place == "both content types":
            content = text
            more["requestBody"] = {"content": {text: schema, "application/json": schema}}
        else:
            more["operationId"] = text
        if not text.strip():
            continue
        more["parameters"] = parameters
        more["responses"] = {"200": {"description": "x", "content": {content: schema}}}
        item = operation(number, **more)
        if not folder.outcome(document_of({}, {path: item})):
            items[path] = item
    made = taken_together(items, lambda paths: not folder.outcome(document_of({}, paths)))
    assert len(made) > 40
    contract = folder.take(document_of({}, made))
    assert [found.path.get_untrusted_value() for found in contract.operations] == list(made)
    code = """
operations = module("operations")
every = map(operations.operation, operations.OPERATIONS)
found = [[o.id, o.path, [list(c) for c in o.success.values()]] for o in every]
"""
    found = folder.ask(code)
    assert [path for _, path, _ in found] == list(made)
    assert [name for name, _, _ in found] == [found.id.get_untrusted_value() for found in contract.operations]
    if place == "operationId":
        assert [name for name, _, _ in found] == [item["post"]["operationId"].strip() for item in made.values()]
    for (_, _, media), item in zip(found, made.values(), strict=True):
        assert media == [list(item["post"]["responses"]["200"]["content"])]


def test_in_discriminators(folder: Any, strings: dict[str, str], document_of: Make) -> None:
    """The property that tells variants apart and the values that it has are the document's."""
    texts = encodable(strings.values())
    cat, dog = "#/components/schemas/Cat", "#/components/schemas/Dog"
    schemas: dict[str, Any] = {
        "Cat": {"type": "object", "properties": {"kind": TEXT, "c": TEXT}},
        "Dog": {"type": "object", "properties": {"kind": TEXT, "c": TEXT}},
        "Pet": {
            "oneOf": [{"$ref": cat}, {"$ref": dog}],
            "discriminator": {"propertyName": "kind", "mapping": dict.fromkeys(texts, dog)},
        },
    }
    for number, text in enumerate(text for text in texts if text == text.strip() != ""):
        one = {"type": "object", "properties": {text: TEXT}}
        schemas[f"A{number}"], schemas[f"B{number}"] = one, one
        places = [{"$ref": f"#/components/schemas/A{number}"}, {"$ref": f"#/components/schemas/B{number}"}]
        schemas[f"U{number}"] = {"oneOf": places, "discriminator": {"propertyName": text}}
    folder.take(document_of(schemas))
    code = """
pet, codec = model("Pet"), module("codec")
found = [
    {value: kind.__name__ for value, kind in pet.mapping().items()},
    [type(codec.decode(json.dumps({"kind": text}).encode(), pet)).__name__ for text in given],
    [getattr(module("models"), n).discriminator for n in module("models").__all__ if n.startswith("U")],
]
"""
    mapping, kinds, names = folder.ask(code, texts)
    assert mapping == {"Cat": "Cat", "Dog": "Dog", **dict.fromkeys(texts, "Dog")}
    assert set(kinds) == {"Dog"}
    assert sorted(names) == sorted(text for text in texts if text == text.strip() != "")


def test_in_security_and_references(folder: Any, strings: dict[str, str], document_of: Make) -> None:
    """Names of security schemes are taken; a `$ref` that is a string like these leads nowhere and says so."""
    texts = encodable(strings.values())
    document = document_of(
        security=[{text: []} for text in texts],
        paths={"/a": operation(1)},
    )
    document["components"]["securitySchemes"] = {
        text: {"type": "apiKey", "name": text, "in": "header", "description": text} for text in texts
    }
    folder.take(document)
    for name, text in strings.items():
        if name != "empty":
            for reference in (text, f"#/components/schemas/{text}", f"./{text}", f"#{text}"):
                message = folder.outcome(document_of({"A": {"properties": {"p": {"$ref": reference}}}}))
                assert message or reference == "#", (name, reference)
    assert not folder.canary.exists()


@pytest.mark.parametrize("name", ["lone high surrogate", "lone low surrogate", "reversed surrogates"])
@pytest.mark.parametrize("place", ["description", "enum", "property", "schema", "example", "extension", "media type"])
def test_what_utf_8_cannot_hold(folder: Any, strings: dict[str, str], document_of: Make, name: str, place: str) -> None:
    """A lone surrogate is refused in every place, with the place: no file can hold it."""
    text = strings[name]
    schemas: dict[str, Any] = {
        "description": {"A": {"type": "object", "description": text}},
        "enum": {"A": {"enum": [text]}},
        "property": {"A": {"properties": {text: TEXT}}},
        "schema": {text: TEXT},
        "example": {"A": {"type": "object", "examples": [text]}},
        "extension": {"A": {"type": "object", "x-a": {text: text}}},
        "media type": {},
    }[place]
    paths = {"/a": operation(1, requestBody={"content": {text: {}}})} if place == "media type" else {}
    assert "#" in folder.refused(document_of(schemas, paths))
