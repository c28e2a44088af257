"""Reading a document: what is no OpenAPI document is refused, with the file and the place in it."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.document import load, operations
from pipeline.steps import Refused

HEAD = "openapi: 3.1.0\ninfo: {title: T, version: 1.0.0}\n"
PATHS = HEAD + "paths: {}\n"

NAMES = "abcdefghijklmnopqrstuvwxyz"
BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in pairwise(NAMES))

# Name, content of the file, and what the message says.
NO_DOCUMENT = [
    ("not YAML", "a: [b\nc: d", "api.yaml: is no YAML at line 2: "),
    ("a tab", "a:\n\t- b", "api.yaml: is no YAML at line 2: "),
    ("cut JSON", '{"openapi": "3.1.0",', "api.yaml: is no YAML at line "),
    ("two documents", PATHS + "---\na: 1\n", "api.yaml: is no YAML at line 4: "),
    ("a Python object", PATHS + "x: !!python/object/apply:os.abort []\n", "api.yaml: is no YAML at line 4: "),
    ("no UTF-8", b"openapi: \xff", "api.yaml: is no UTF-8 text (byte 9)"),
    ("empty", "", "api.yaml: #: this is no OpenAPI 3.0 or 3.1 document"),
    ("blank", "\n \n", "api.yaml: #: this is no OpenAPI 3.0 or 3.1 document"),
    ("a text", "hello", "api.yaml: #: this is no OpenAPI 3.0 or 3.1 document"),
    ("a list", "- openapi", "api.yaml: #: this is no OpenAPI 3.0 or 3.1 document"),
    ("another YAML", "name: CI\non: push\n", "api.yaml: #: this is no OpenAPI 3.0 or 3.1 document"),
    ("Swagger 2.0", PATHS.replace("openapi: 3.1.0", "swagger: '2.0'"), "api.yaml: #: this is no OpenAPI 3.0 or 3.1"),
    ("OpenAPI 3.2", PATHS.replace("3.1.0", "3.2.0"), "api.yaml: #: this is no OpenAPI 3.0 or 3.1 document"),
    ("a version that is a number", PATHS.replace("1.0.0", "1.0"), "api.yaml: #/info: `version` is missing or no text"),
    ("no title", PATHS.replace("title: T, ", ""), "api.yaml: #/info: `title` is missing or no text"),
    ("no info", PATHS.replace("info", "x-info"), "api.yaml: #: `info` is missing"),
    ("no paths", HEAD, "api.yaml: #: `paths` is missing"),
    ("paths are a list", HEAD + "paths: []", "api.yaml: #/paths: this must be an object"),
    ("a key twice", PATHS + "paths: {}\n", "api.yaml: is no YAML at line 4: the key `paths` stands twice"),
    (
        "a key twice, in JSON",
        '{"openapi": "3.1.0", "paths": {"/a": {}, "/a": {}}}',
        "api.yaml: is no YAML: the key `/a` stands twice in one object",
    ),
    ("an alias cycle", HEAD + "paths: &a {/x: *a}", "api.yaml: is no YAML: an alias stands inside the value"),
    ("a key that is no text", PATHS + "x: {true: a}\n", "api.yaml: is no YAML: the key `True` is no text"),
    ("nested too deep", "[" * 5000, "api.yaml: is nested too deep at line 1"),
    ("nested too deep, in JSON", '{"a":' * 50_000, "api.yaml: is nested too deep"),
    ("a key that is no text", PATHS + "x: {true: a}\n", "api.yaml: is no YAML: the key `True` is no text"),
    (
        "a bomb of aliases",
        PATHS + BOMB,
        "api.yaml: is no YAML: its aliases stand for more than",
    ),
]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    """Write a content to a file, and give its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "api.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(("content", "message"), [row[1:] for row in NO_DOCUMENT], ids=[row[0] for row in NO_DOCUMENT])
def test_refused(written: Callable[[Any], Path], content: Any, message: str) -> None:
    """What is no OpenAPI document is refused: one line with the place, one with what to do."""
    with pytest.raises(Refused) as error:
        load(written(content))
    what, advice = str(error.value).splitlines()
    assert what.startswith(message)
    assert advice.endswith(".")


@pytest.mark.parametrize(("name", "why"), [("missing.yaml", "No such file"), (".", "Is a directory")])
def test_unreadable_file(tmp_path: Path, name: str, why: str) -> None:
    """A path that is no readable file is refused by its path."""
    with pytest.raises(Refused, match=why) as error:
        load(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: cannot be read: ")


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3", "3.1.0", "3.1.1"])
def test_versions(written: Callable[[Any], Path], version: str) -> None:
    """All versions of OpenAPI 3.0 and 3.1 are read."""
    assert load(written(PATHS.replace("3.1.0", version))).version == "1.0.0"


def test_yaml_and_json_are_the_same(written: Callable[[Any], Path]) -> None:
    """A document reads the same in YAML, in JSON, with a byte-order mark, and in JSON that is only YAML."""
    root = load(written(PATHS)).root.value
    contents = [json.dumps(root), "\ufeff" + PATHS, json.dumps(root)[:-1] + ", # YAML\n}", PATHS.replace("\n", "\r\n")]
    assert [load(written(content)).root.value for content in contents] == [root] * len(contents)


def test_content_is_kept(written: Callable[[Any], Path]) -> None:
    """The bytes of the file are kept as they are: they travel in the package."""
    content = PATHS.encode() + b"# the end\r\n"
    assert load(written(content)).content == content


def test_names_are_texts(written: Callable[[Any], Path]) -> None:
    """Names and scalars that YAML would read as something else are what JSON can hold."""
    text = "x: {200: a, 2026-01-02: 2026-01-03, no: no, on: 010, hex: 0x1F, octal: 0o17, half: .5, big: 1e3, none: ~}\n"
    assert load(written(PATHS + text)).root["x"].value == {
        **{"200": "a", "2026-01-02": "2026-01-03", "no": "no", "on": 10, "hex": 31, "octal": 15},
        **{"half": 0.5, "big": 1000.0, "none": None},
    }


def test_pointers_escape(written: Callable[[Any], Path]) -> None:
    """A pointer leads back to the node that it came from, whatever characters its names hold."""
    content = HEAD + 'paths: {"/a~b/{c}": {get: {operationId: x, responses: {}}}}\n'
    document = load(written(content))
    ((path, method, _, node),) = operations(document)
    assert (path, method, node.pointer) == ("/a~b/{c}", "get", "#/paths/~1a~0b~1{c}/get")
    assert document.at(node.pointer) == node
    assert document.at("#/paths/~1a") is None
    assert document.at("#/paths/~1a~0b~1{c}/get/responses/200") is None


@pytest.mark.parametrize(
    ("target", "message"),
    [("#/components/x/missing", "leads nowhere"), ("#/components/x/a", "leads in a circle")],
)
def test_references(written: Callable[[Any], Path], target: str, message: str) -> None:
    """A reference that leads nowhere or in a circle is refused at its place."""
    content = HEAD + "paths: {}\ncomponents: {x: {a: {$ref: '#/components/x/b'}, b: {$ref: '#/components/x/a'}}}\n"
    content += f"start: {{$ref: '{target}'}}\n"
    document = load(written(content))
    with pytest.raises(Refused, match=message) as error:
        document.resolve(document.root["start"])
    assert str(error.value).startswith("api.yaml: #/")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("other.yaml#/x", "leads to a file that is not there"),
        ("http://example.com/api.yaml", "leads to a URL; nothing is fetched"),
        ("file:///etc/passwd", "leads to a URL; nothing is fetched"),
        ("//example.com/api.yaml", "leads to a URL; nothing is fetched"),
        ("../../../../etc/passwd", "leads out of the document's folder"),
        ("/etc/passwd", "leads out of the document's folder"),
        ("%2e%2e/%2e%2e/etc/passwd", "leads out of the document's folder"),
    ],
)
def test_references_to_files(written: Callable[[Any], Path], target: str, message: str) -> None:
    """A reference to a file that is missing or outside the document's folder, or to a URL, is refused; none is read."""
    with pytest.raises(Refused, match=message):
        load(written(PATHS + f"start: {{$ref: '{target}'}}\n"))


def test_a_link_out_of_the_folder_is_not_followed(written: Callable[[Any], Path], tmp_path: Path) -> None:
    """A symbolic link is where it leads: outside of the folder it is refused as well."""
    (tmp_path / "other.yaml").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match="leads out of the document's folder"):
        load(written(PATHS + "start: {$ref: 'other.yaml#/x'}\n"))


def test_other_files_are_part_of_the_document(written: Callable[[Any], Path], tmp_path: Path) -> None:
    """Files beside the document, and those that they refer to in turn, are read into it; what travels is one file."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/a.yaml").write_text("X: {$ref: 'b.json#/Y'}\nBack: {$ref: '../api.yaml#/paths'}\n")
    (tmp_path / "parts/b.json").write_text('{"Y": {"$ref": "#/Z"}, "Z": {"type": "string"}}')
    document = load(written(PATHS + "start: {$ref: 'parts/a.yaml#/X'}\n"))
    assert document.resolve(document.root["start"]).value == {"type": "string"}
    assert document.resolve(document.at("#/x-files/parts~1a.yaml/Back") or document.root).pointer == "#/paths"
    again = load(written(document.content))
    assert again.root.value == document.root.value


def test_references_are_followed(written: Callable[[Any], Path]) -> None:
    """References are followed through others, through arrays and through escaped names."""
    content = (
        PATHS + "x: [{$ref: '#/y~1z/a~0b'}]\ny/z: {a~b: {$ref: '#/end'}}\nend: {here: true}\nstart: {$ref: '#/x/0'}\n"
    )
    document = load(written(content))
    assert document.resolve(document.root["start"]).pointer == "#/end"
