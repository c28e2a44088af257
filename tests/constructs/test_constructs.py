"""Constructs of schemas: what decodes, what does not and where, what a request may hold, judged by a second opinion."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, OAS31Validator, oas30_format_checker, oas31_format_checker

from pipeline import account
from pipeline.document import load

DOCUMENTS = Path(__file__).with_name("documents")
NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.yaml") if path.stem != "parts")
Get = Callable[[str], Any]


@functools.cache
def plain(name: str) -> dict[str, Any]:
    """Return a document as plain data, the files beside it included."""
    data: dict[str, Any] = load(DOCUMENTS / f"{name}.yaml").root.value
    return data


def without_discriminators(value: Any) -> Any:
    """Return a document without discriminators: they are hints, and the second opinion cannot follow names in them."""
    if isinstance(value, dict):
        return {key: without_discriminators(found) for key, found in value.items() if key != "discriminator"}
    return [without_discriminators(found) for found in value] if isinstance(value, list) else value


@functools.cache
def judge(name: str, schema: str) -> Any:
    """Return the validator that openapi-core uses, for a component."""
    whole = {**without_discriminators(plain(name)), "allOf": [{"$ref": f"#/components/schemas/{schema}"}]}
    if whole["openapi"].startswith("3.0"):
        return OAS30Validator(whole, format_checker=oas30_format_checker)
    return OAS31Validator(whole, format_checker=oas31_format_checker)


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(name, schema, case, id=f"{name} {schema} {index}")
        for name in NAMES
        for schema, lists in plain(name).get("x-cases", {}).items()
        for index, case in enumerate(lists.get(kind, []))
    ]


def place_of(case: dict[str, Any]) -> str:
    """Return the place that a refused request names."""
    return str(case.get("place", case["at"])).removeprefix("$").removeprefix(".") or "body"


def violations(found: Any, schema: str, value: Any) -> list[Any]:
    _, violations = found.module("checks").convert(value, found.schema(schema), "")
    return list(violations)


@pytest.mark.parametrize(("name", "schema", "value"), cases("valid"))
def test_valid(client: Get, name: str, schema: str, value: Any) -> None:
    """What the document allows decodes, encodes to equal JSON, survives as plain data, and may be sent."""
    found = client(name)
    codec = found.module("codec")
    judge(name, schema).validate(value)
    decoded = codec.decode(json.dumps(value).encode(), found.schema(schema))
    assert json.loads(codec.encode(decoded)) == value
    assert codec.convert(codec.to_builtins(decoded), found.schema(schema)) == decoded
    assert violations(found, schema, value) == []
    assert violations(found, schema, decoded) == []


@pytest.mark.parametrize(("name", "schema", "case"), cases("invalid"))
def test_invalid(client: Get, name: str, schema: str, case: dict[str, Any]) -> None:
    """What is of another shape is drift in an answer, and a violation in a request, each with its place."""
    found = client(name)
    codec = found.module("codec")
    assert not judge(name, schema).is_valid(case["value"])
    with pytest.raises(codec.Drift) as drift:
        codec.decode(json.dumps(case["value"]).encode(), found.schema(schema))
    where = str(drift.value).partition(" - at ")[2].strip("`") or "$"
    assert where == case.get("drift", case["at"]), str(drift.value)
    assert [violation.place for violation in violations(found, schema, case["value"])] == [place_of(case)]


@pytest.mark.parametrize(("name", "schema", "case"), cases("survives"))
def test_survives_in_answers_only(client: Get, name: str, schema: str, case: dict[str, Any]) -> None:
    """What an answer may hold though the document does not allow it survives there whole, and cannot be sent."""
    found = client(name)
    codec = found.module("codec")
    assert not judge(name, schema).is_valid(case["value"])
    decoded = codec.decode(json.dumps(case["value"]).encode(), found.schema(schema))
    assert json.loads(codec.encode(decoded)) == case["value"]
    for given in (case["value"], decoded):
        assert [violation.place for violation in violations(found, schema, given)] == [place_of(case)]


@pytest.mark.parametrize(("name", "schema", "case"), cases("ignored"))
def test_ignored_in_answers(client: Get, name: str, schema: str, case: dict[str, Any]) -> None:
    """A property that a closed object does not name is left out of an answer, and refused in a request."""
    found = client(name)
    codec = found.module("codec")
    assert not judge(name, schema).is_valid(case["value"])
    decoded = codec.decode(json.dumps(case["value"]).encode(), found.schema(schema))
    assert json.loads(codec.encode(decoded)) == case["left"]
    assert [violation.place for violation in violations(found, schema, case["value"])] == [place_of(case)]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_and_codec_is_there(client: Get, tmp_path: Path, name: str) -> None:
    """The pipeline's own check of a package passes: every import, every codec, every property."""
    found = client(name)
    (tmp_path / "redcloud_core_client").symlink_to(found.folder)
    account.check_package(tmp_path, found.document, found.contract)


def test_types_hold(client: Get, tmp_path: Path, know_types: Callable[[Path], Path]) -> None:
    """The packages of all documents pass mypy --strict."""
    folders = [client(name).folder for name in NAMES]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--explicit-package-bases"]
    command += ["--cache-dir", str(know_types(tmp_path)), *map(str, folders)]
    done = subprocess.run(
        command, cwd=folders[0].parent, env={**os.environ, "MYPYPATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "schema", "value", "kind"),
    [
        ("unions", "Told", {"kind": "cat", "lives": 1}, "Cat"),
        ("unions", "Told", {"kind": "dog", "barks": True}, "Dog"),
        ("unions", "Plain", {"kind": "dog", "barks": True}, "Dog"),
        ("unions", "ByName", {"what": "Bike"}, "Bike"),
        ("unions", "ByName", {"what": "Car"}, "Car"),
        ("recursion", "Term", {"op": "number", "value": 1}, "Number"),
    ],
)
def test_a_union_gives_the_class_that_is_meant(client: Get, name: str, schema: str, value: Any, kind: str) -> None:
    """A value of a union becomes an instance of the class that its discriminator names, or that alone fits."""
    found = client(name)
    decoded = found.module("codec").decode(json.dumps(value).encode(), found.schema(schema))
    assert type(decoded) is found.schema(kind)
    assert isinstance(decoded, found.schema(schema))


def test_heirs_of_a_base_are_told_apart(client: Get) -> None:
    """Where a document refers to a base with a discriminator, its heirs come as themselves."""
    found = client("unions")
    sorts = ["square", "Square", "Circle", "Ring", "Base"]
    values = [{"sort": sort, "side": 1.5, "radius": 2.5} for sort in sorts]
    drawing = found.module("codec").decode(json.dumps({"shapes": values}).encode(), found.schema("Drawing"))
    assert [type(shape).__name__ for shape in drawing.shapes] == ["Square", "Square", "Circle", "Ring", "Base"]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("momentOrText", "2026-01-02T03:04:05Z", "datetime"),
        ("momentOrText", "soon", "str"),
        ("dayOrMoment", "2026-01-02", "date"),
        ("enumOrText", "red", "Colour"),
        ("enumOrText", "blue", "str"),
        ("numberOrFlag", True, "bool"),
        ("numberOrFlag", 1.5, "float"),
        ("objectOrMap", {"kind": "cat", "lives": 1}, "Cat"),
        ("objectOrMap", {"c": 1}, "dict"),
    ],
)
def test_a_union_of_scalars_gives_the_narrowest_type(client: Get, field: str, value: Any, kind: str) -> None:
    """A value of a union of scalars becomes the narrowest of its types."""
    found = client("unions")
    decoded = found.module("codec").decode(json.dumps({field: value}).encode(), found.schema("Scalars"))
    assert type(getattr(decoded, field)).__name__ == kind


@pytest.mark.parametrize(
    ("name", "schema", "says"),
    [
        ("presence", "Settings", "The API's default: `7`."),
        ("presence", "Settings", "The API's default: `'red'`."),
        ("presence", "Settings", "Deprecated."),
        ("references", "Thing", "Words beside a reference."),
        ("merging", "Narrowed", "One part, and words beside it."),
    ],
)
def test_words_stand_in_docstrings(client: Get, name: str, schema: str, says: str) -> None:
    """Defaults, deprecations and descriptions stand in the models, where an editor shows them."""
    found = client(name)
    module = next(known.module for known in found.contract.schemas if known.name == schema)
    assert says in (found.folder / "models" / f"{module}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("pointer", "checked"), [("letters", False), ("behind", True)], ids=["a class of Unicode", "a look behind"]
)
def test_a_pattern_that_python_lacks_is_noted(client: Get, pointer: str, checked: bool) -> None:
    """A pattern that Python cannot apply is noted with its place, and no value is refused for it."""
    found = client("constraints")
    noted = [note for note in found.contract.notes if f"properties/{pointer}/pattern" in note]
    assert bool(noted) is not checked
    assert bool(violations(found, "Unsupported", {pointer: "1"})) is checked


def test_bytes_are_base64(client: Get) -> None:
    """A text of format byte that is no base64 is drift, where the second opinion asks for a text only."""
    codec = client("scalars").module("codec")
    with pytest.raises(codec.Drift, match=r"\$\.bytes"):
        codec.decode(b'{"bytes":"!"}', client("scalars").schema("Formats"))
