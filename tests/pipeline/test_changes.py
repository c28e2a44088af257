"""How what the witnesses say is joined: one change a place, the worst decides, nothing is lost or told twice."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.document import Document, Node
from pipeline.gate.changes import DECIDED, Change, join, unlisted
from pipeline.gate.diff_tools import Difference
from pipeline.gate.evidence import Evidence
from pipeline.gate.places import is_words, subject
from pipeline.loading import load_yaml

NUMBER = "#/components/schemas/Number"
LIST = "#/paths/~1api~1core~1numbers/get"
WHOAMI = "#/paths/~1api~1core~1whoami/get"
E164 = f"{NUMBER}/properties/e164"


@pytest.fixture
def data() -> dict[str, Any]:
    """Give our document as data."""
    path = Path(__file__).parent / "documents" / "core-0.2.0.yaml"
    found: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"))
    return found


def document(data: dict[str, Any]) -> Document:
    return Document(b"", Node(data, "#", "openapi.yaml"))


@pytest.fixture
def joined(data: dict[str, Any]) -> Callable[..., list[Change]]:
    """Join what is said of our document and the same with a change."""

    def run(*said: Difference | Evidence, change: Callable[[dict[str, Any]], None] = lambda data: None) -> list[Change]:
        new = copy.deepcopy(data)
        change(new)
        differences = [found for found in said if isinstance(found, Difference)]
        evidence = [found for found in said if isinstance(found, Evidence)]
        return join(document(data), document(new), differences, evidence)

    return run


LONGER = Difference("modified", "maxLength", E164, E164, None, 16)


def test_the_worst_witness_decides(joined: Callable[..., list[Change]]) -> None:
    """Of several witnesses of one place the worst counts, and the place stands in the list once."""
    assert joined(
        LONGER,
        Evidence("redocly", "patch", "additive", "", E164, E164),
        Evidence("oasdiff", "x", "wire", "it is shorter", f"{E164}/maxLength", ""),
        Evidence("surface", "y", "python", "another type", "", E164),
    ) == [Change(E164, "`Number.e164` has `maxLength` 16 now", "wire", ("listNumbers",))]


def test_a_witness_alone(joined: Callable[..., list[Change]]) -> None:
    """What a witness sees where there is no difference stands in the list, once, with its own words."""
    alone = Evidence("oasdiff", "x", "wire", "nobody else saw it", WHOAMI, WHOAMI)
    assert joined(alone, alone) == [Change(WHOAMI, "nobody else saw it", "wire")]


def test_a_property_is_renamed_in_its_own_schema(joined: Callable[..., list[Change]]) -> None:
    """A property that is gone here and new elsewhere is two changes, however alike."""
    moved = "#/components/schemas/NumberList/properties/e164"

    def change(data: dict[str, Any]) -> None:
        schemas = data["components"]["schemas"]
        schemas["NumberList"]["properties"]["e164"] = schemas["Number"]["properties"].pop("e164")

    said = joined(Difference("removed", "", E164, ""), Difference("added", "", "", moved), change=change)
    assert sorted(found.what for found in said) == ["`Number.e164` is gone", "`NumberList.e164` is new"]


def test_what_an_operation_shows(joined: Callable[..., list[Change]]) -> None:
    """What shows at an operation is told by a difference that the operation uses, if that one is as bad."""
    shown = Evidence("corpus", "call-differs", "wire", "the call differs", LIST, LIST)
    known = Evidence("redocly", "x", "wire", "", E164, E164)
    milder = Evidence("redocly", "x", "additive", "", E164, E164)
    assert [change.where for change in joined(LONGER, known, shown)] == [E164]
    assert [change.where for change in joined(LONGER, milder, shown)] == [LIST, E164]
    elsewhere = Evidence("corpus", "call-differs", "wire", "the call differs", WHOAMI, WHOAMI)
    assert [change.where for change in joined(LONGER, known, elsewhere)] == [E164, WHOAMI]


def test_what_was_found_through_an_operation(joined: Callable[..., list[Change]]) -> None:
    """A component that a witness names is told by the difference at the operation that led it there."""
    status = f"{WHOAMI}/responses/401"
    gone = Difference("removed", "", status, "")
    known = Evidence("redocly", "response-removed", "wire", "", status, "")
    shown = Evidence("oasdiff", "x", "additive", "gone", "#/components/responses/Unauthorized", "", WHOAMI)
    assert [change.what for change in joined(gone, known, shown)] == ["status 401 of `whoami` is gone"]


def test_where_a_tool_errs(joined: Callable[..., list[Change]]) -> None:
    """What decides instead of a tool is written down with its reason, and counts."""
    assert all(reason for _, reason in DECIDED.values())
    code = "#/components/schemas/OAuthErrorCode"
    more = Difference("modified", "enum", code, code, ["a"], ["a", "b"])
    said = [
        Evidence("redocly", "enum-values-added", "wire", "", code, code),
        Evidence("oasdiff", "response-property-enum-value-added", "wire", "", "", f"{code}/enum/1"),
    ]
    assert joined(more, *said) == [Change(code, "`OAuthErrorCode` knows `b` too", "additive", ("issueToken",))]


def test_the_worst_come_first(joined: Callable[..., list[Change]]) -> None:
    """The list begins with what breaks on the wire, then in Python, then what adds, then words."""
    weights = ["words", "python", "additive", "wire"]
    said = [
        Evidence("x", str(number), weight, weight, WHOAMI, f"#/x-{number}") for number, weight in enumerate(weights)
    ]
    assert [change.kind for change in joined(*said)] == ["wire", "python", "additive", "words"]


@pytest.mark.parametrize(
    ("pointer", "about"),
    [
        (f"{E164}/type", E164),
        (f"{NUMBER}/required/2", NUMBER),
        (f"{NUMBER}/properties/properties/type", f"{NUMBER}/properties/properties"),
        (f"{NUMBER}/properties/a/items/properties/b/x", f"{NUMBER}/properties/a/items/properties/b"),
        (f"{LIST}/parameters/0/schema/type", f"{LIST}/parameters/0"),
        (f"{LIST}/operationId", LIST),
        (f"{LIST}/responses/200/description", f"{LIST}/responses/200"),
        (f"{LIST}/requestBody/required", f"{LIST}/requestBody"),
        ("#/paths/~1get/get/tags/0", "#/paths/~1get/get"),
        ("#/paths/~1a", "#/paths/~1a"),
        ("#/servers/0/url", "#/servers"),
    ],
)
def test_subject(pointer: str, about: str) -> None:
    """A place is about the property, parameter, answer, operation or schema around it, whatever they are called."""
    assert subject(pointer) == about


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        (f"{E164}/description", True),
        (f"{NUMBER}/properties/description", False),
        (f"{NUMBER}/properties/description/type", False),
        (f"{NUMBER}/properties/example/examples/0", True),
        (f"{LIST}/responses/200/content/application~1json/examples/x/value/required", True),
        (f"{NUMBER}/x-anything/type", True),
        ("#/info/title", True),
        ("#/tags/0/name", True),
        ("#/servers/0/variables/host/default", True),
        ("#/servers/0/url", False),
        (f"{LIST}/tags/0", False),
    ],
)
def test_is_words(pointer: str, words: bool) -> None:
    """Descriptions, examples and extensions are words; properties of such names are not."""
    assert is_words(pointer) is words


def test_unlisted(data: dict[str, Any]) -> None:
    """What `redocly diff` does not list is words, and told: another order, another value of an example."""
    same, turned, other = document(data), document(dict(reversed(data.items()))), copy.deepcopy(data)
    other["components"]["examples"]["InvalidBody"]["value"] = {"a": 1}
    assert unlisted(same, same) == []
    assert [change.what for change in unlisted(same, turned)] == ["the order of the document is another"]
    assert [change.what for change in unlisted(same, document(other))] == ["the value of an example is another"]
    raised = copy.deepcopy(data)
    raised["info"]["version"] = "0.3.0"
    assert unlisted(same, document(raised)) == []
