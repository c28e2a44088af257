"""The templates: each says why it is there, and nothing in a document can act through one."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openapi_python_client
import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
STOCK = Path(openapi_python_client.__file__).parent / "templates"

HOSTILE = '"""\\\nimport os; os.abort()\n\'\'\' {{ nobody }} {% if %} \\N{x} \\" # \u2028 \x85 "'
NAME = "it's {{ nobody }} {% if %} # \u2028 )]}"  # a property's name, of what the codec can write

Refusal = Callable[..., str]


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_each_says_why(path: Path) -> None:
    """A template begins with the reason for it; one that replaces a stock one says which it was forked from."""
    comment = re.match(
        r"\{# (Ours: \S.*?|Forked from \S+ \(sha256 [0-9a-f]{64}\)\.\n   Why: \S.*?) #\}", path.read_text(), re.S
    )
    assert comment is not None
    assert comment[1].startswith("Forked") == (STOCK / path.name).exists()
    assert len(comment[1].split()) > 6


def test_only_those_that_differ() -> None:
    """No template is a mere copy of the stock one."""
    for path in TEMPLATES.iterdir():
        if (STOCK / path.name).exists():
            body = path.read_text().partition("#}\n")[2]
            assert body.split() != (STOCK / path.name).read_text().split()


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("model.py.jinja", r"\{#.*?#\}\n", "", "does not say where it comes from"),
        ("model.py.jinja", r"sha256 \w+", "sha256 " + "0" * 64, "was forked from another model.py.jinja than"),
        ("model.py.jinja", r"\{# Forked.*?Why:", "{# Ours:", "does not say where it comes from"),
        ("model.py.jinja", r"   Why: .*?#\}", "#}", "does not say where it comes from"),
        ("codec.py.jinja", r"\{#.*?#\}\n", "", "does not say where it comes from"),
    ],
    ids=["no origin", "another original", "stock name as ours", "no reason", "no origin of ours"],
)
def test_origins_are_checked(checkout: Any, refused: Refusal, name: str, old: str, new: str, message: str) -> None:
    """A template without origin, or one whose original has changed, stops the run by its name."""
    template = checkout.root / "templates" / name
    text, count = re.subn(old, new, template.read_text(), count=1, flags=re.S)
    assert count == 1
    template.write_text(text)
    before = checkout.state()
    for options in ([], ["--check"]):
        assert refused(checkout.regenerate(*options)).startswith(f"templates/{name} {message}")
    assert checkout.state() == before


def hostile_document() -> dict[str, Any]:
    """Give a document whose every text tries to get out of where it is written."""
    thing = {
        "type": "object",
        "description": HOSTILE,
        "required": [NAME],
        "properties": {
            NAME: {"type": "string", "description": HOSTILE, "pattern": "^\"'\\\\$", "deprecated": True},
            "kind": {
                "type": "string",
                "enum": [HOSTILE, "a b", "1", "", "name", "value", "upper"],
                "description": HOSTILE,
            },
            "fixed": {"const": HOSTILE},
            "plain": {"type": "string", "description": 'ends in a quote"', "x-unconfirmed": HOSTILE},
            "slash": {"type": "string", "description": "ends in a backslash\\"},
        },
    }
    operation = {
        "operationId": "act",
        "tags": [HOSTILE],
        "summary": HOSTILE,
        "description": HOSTILE,
        "parameters": [{"name": HOSTILE, "in": "query", "description": HOSTILE, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
        "responses": {"200": {"description": HOSTILE, "content": {"text/plain": {"schema": {"type": "string"}}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": HOSTILE, "version": HOSTILE},
        "components": {"schemas": {"Thing": thing, HOSTILE: {"type": "object", "properties": {"a": {}}}}},
        "paths": {"/a\"'\\b": {"post": operation}},
    }


def test_texts_of_a_document_cannot_act(checkout: Any, tmp_path: Path) -> None:
    """Quotes, backslashes, line ends and template marks in a document stay what they are: text."""
    document = tmp_path / "hostile.json"
    document.write_text(json.dumps(hostile_document()))
    done = checkout.regenerate("--spec", document, "--into", tmp_path / "into")
    assert done.returncode == 0, done.stdout + done.stderr
    code = """
import importlib, json, sys
from redcloud_core_client import codec, models, operations
module = importlib.import_module("redcloud_core_client.api." + operations.OPERATIONS["act"])
thing = codec.decode(json.dumps({sys.argv[2]: "x", "kind": sys.argv[1], "fixed": sys.argv[1]}).encode(), models.Thing)
print(json.dumps([codec.to_builtins(thing), module.OPERATION.path]))
"""
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path / 'into')!r})\n{code}",
    ]
    run = subprocess.run([*command, HOSTILE, NAME], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    thing, path = json.loads(run.stdout)
    assert thing == {NAME: "x", "kind": HOSTILE, "fixed": HOSTILE}
    assert path == "/a\"'\\b"


def test_odd_names_round_trip(checkout: Any, tmp_path: Path) -> None:
    """Names that Python cannot bear, or that would hide something, are kept on the wire."""
    names = ["class", "_id", "self", "str", "x-y", "Number", "list", "UNSET", "attrs", "__dunder__", "1st", "a.b", "é"]
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1.0.0"},
        "components": {
            "schemas": {
                "Number": {"type": "object", "properties": {"n": {"type": "integer"}}},
                "Odd": {
                    "type": "object",
                    "required": names,
                    "properties": {name: {"type": "string"} for name in names}
                    | {"inner": {"$ref": "#/components/schemas/Number"}},
                },
                "dict": {"type": "object", "properties": {"a": {"type": "string"}}},
                "ValueError": {"type": "string", "enum": ["a"]},
                "my-schema": {"type": "object", "properties": {"a": {"type": "string"}}},
            }
        },
        "paths": {},
    }
    (tmp_path / "odd.json").write_text(json.dumps(document))
    done = checkout.regenerate("--spec", tmp_path / "odd.json", "--into", tmp_path / "into")
    assert done.returncode == 0, done.stdout + done.stderr
    value = {**{name: f"the {name}" for name in names}, "inner": {"n": 1}}
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path / "into")!r})
import json
from redcloud_core_client import codec, models
odd = codec.decode(sys.argv[1].encode(), models.Odd)
assert isinstance(odd.inner, models.Number)
print(codec.encode(odd).decode())
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, json.dumps(value)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == value
    modules = [path.stem for path in (tmp_path / "into/redcloud_core_client/models").glob("*.py")]
    assert len({name.lower() for name in modules}) == len(modules) == 6


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_names_that_a_struct_cannot_bear(checkout: Any, tmp_path: Path, name: str) -> None:
    """A property's name that the codec cannot write by itself is kept on the wire all the same."""
    thing = {"type": "object", "properties": {name: {"type": "string"}}}
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1.0.0"}, "paths": {}}
    (tmp_path / "names.json").write_text(json.dumps({**document, "components": {"schemas": {"Thing": thing}}}))
    done = checkout.regenerate("--spec", tmp_path / "names.json", "--into", tmp_path / "into")
    assert done.returncode == 0, done.stdout + done.stderr
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'into')!r})\n"
    program += "from redcloud_core_client import codec, models\n"
    program += "print(codec.encode(codec.decode(sys.argv[1].encode(), models.Thing)).decode(), end='')"
    content = json.dumps({name: "x"}, separators=(",", ":"))
    run = subprocess.run([sys.executable, "-c", program, content], capture_output=True, text=True, check=False)
    assert json.loads(run.stdout) == {name: "x"}, run.stderr


def test_schemas_in_lower_case(checkout: Any, tmp_path: Path) -> None:
    """A schema whose name is also that of its module is a class, whatever was imported before it."""
    pet = {"type": "object", "properties": {"name": {"type": "string"}}}
    answer = {"description": "x", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/pet"}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1.0.0"},
        "components": {"schemas": {"pet": pet, "Pet": pet}},
        "paths": {"/pet": {"get": {"operationId": "getPet", "responses": {"200": answer}}}},
    }
    (tmp_path / "pet.json").write_text(json.dumps(document))
    done = checkout.regenerate("--spec", tmp_path / "pet.json", "--into", tmp_path / "into")
    assert done.returncode == 0, done.stdout + done.stderr
    code = "from redcloud_core_client.api.default import get_pet; from redcloud_core_client import models; "
    code += "print(type(models.pet).__name__, type(models.Pet).__name__, models.pet is models.Pet)"
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'into')!r}); {code}"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout == "type type False\n", run.stderr


def test_the_package_needs_no_pipeline(checkout: Any) -> None:
    """The generated package imports the three libraries that it declares, and nothing of what made it."""
    code = """
import pkgutil, sys, importlib, redcloud_core_client as package
for found in pkgutil.walk_packages(package.__path__, "redcloud_core_client."):
    importlib.import_module(found.name)
print(*sorted({"pipeline", "openapi_python_client", "jinja2", "ruamel", "redcloud_core"} & set(sys.modules)))
"""
    done = checkout.python(code)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    assert importlib.util.find_spec("pipeline") is not None


def test_constraints_of_whole_bodies(checkout: Any, tmp_path: Path) -> None:
    """What a document asks of a whole body is checked as well, be it an object or an array."""
    (tmp_path / "bodies.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\npaths:\n"
        "  /a: {post: {operationId: addAll, requestBody: {required: true, content: {application/json: {schema: "
        "{type: array, maxItems: 2, items: {type: string, minLength: 2}}}}}, responses: {'204': {description: x}}}}\n"
        "  /b: {post: {operationId: addOne, requestBody: {required: true, content: {application/json: {schema: "
        "{minProperties: 2, properties: {a: {type: string}, b: {type: string}}}}}}, "
        "responses: {'204': {description: x}}}}\n"
    )
    done = checkout.regenerate("--spec", tmp_path / "bodies.yaml", "--into", tmp_path / "into")
    assert done.returncode == 0, done.stdout + done.stderr
    program = f"""
import sys; sys.path.insert(0, {str(tmp_path / "into")!r})
from redcloud_core_client.api.default import add_all, add_one
from redcloud_core_client.errors import InvalidRequest
print(add_all.build(body=["ab"]).content.decode(), add_one.build(a="x", b="y").content.decode())
for build, arguments in ((add_all.build, {{"body": ["a", "bb", "cc"]}}), (add_one.build, {{"a": "x"}})):
    try:
        build(**arguments)
    except InvalidRequest as error:
        print(*error.violations, sep="; ")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines() == [
        '["ab"] {"a":"x","b":"y"}',
        "body[0]: must hold at least 2 characters; body: must hold at most 2 items",
        "body: must hold at least 2 properties",
    ], run.stderr
