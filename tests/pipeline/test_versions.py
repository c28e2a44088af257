"""The version rule: what a document's version must be for what it changes."""

import pytest

from pipeline.gate.changelog import next_revision
from pipeline.gate.versions import Level, Version, is_enough, required
from pipeline.steps import Refused


@pytest.mark.parametrize(
    ("before", "level", "least"),
    [
        ("0.2.0", "breaking", "0.3.0"),
        ("0.2.7", "breaking", "0.3.0"),
        ("0.2.0", "additive", "0.2.1"),
        ("0.2.0", "words", "0.2.0"),
        ("0.2.0", "none", "0.2.0"),
        ("1.4.2", "breaking", "2.0.0"),
        ("1.4.2", "additive", "1.5.0"),
        ("1.4.2", "words", "1.4.2"),
        ("0.3.0-rc.1", "breaking", "0.3.0-rc.2"),
        ("0.3.0-rc.1", "words", "0.3.0-rc.2"),
        ("0.3.0-rc.1", "none", "0.3.0-rc.1"),
        ("0.2.1-rc.1", "additive", "0.2.1-rc.2"),
        ("0.2.1-rc.1", "breaking", "0.3.0"),
        ("2.0.0-rc.3", "breaking", "2.0.0-rc.4"),
        ("1.5.0-rc.1", "additive", "1.5.0-rc.2"),
        ("1.5.0-rc.1", "breaking", "2.0.0"),
        ("1.5.1-rc.1", "additive", "1.6.0"),
    ],
)
def test_required(before: str, level: Level, least: str) -> None:
    """The least version follows from the level, before and from 1.0 on, and for candidates."""
    assert str(required(Version.read(before), level)) == least


@pytest.mark.parametrize(
    ("version", "least", "enough"),
    [
        ("0.3.0", "0.3.0", True),
        ("0.3.0-rc.1", "0.3.0", True),
        ("0.4.0-rc.1", "0.3.0", True),
        ("1.0.0", "0.3.0", True),
        ("0.2.9", "0.3.0", False),
        ("0.2.10", "0.2.9", True),
        ("0.3.0-rc.1", "0.3.0-rc.2", False),
        ("0.3.0-rc.10", "0.3.0-rc.9", True),
        ("0.3.0", "0.3.0-rc.2", True),
    ],
)
def test_is_enough(version: str, least: str, enough: bool) -> None:
    """A candidate of the least version suffices, an earlier candidate than the one that is asked for does not."""
    assert is_enough(Version.read(version), Version.read(least)) is enough


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "v1.2.3",
        "01.2.3",
        "1.2.3-rc",
        "1.2.3-rc.",
        "1.2.3-rc.01",
        "1.2.3-beta.1",
        "1.2.3+b",
        "1.2.x",
        " 1.2.3",
        "1.2.3\n",
        "\u0661.2.3",
    ],
)
def test_no_version(text: str) -> None:
    """Anything but three integers with -rc.N at most is refused, with what to write."""
    with pytest.raises(Refused, match=r"is no version of a document\nWrite three integers such as 0\.3\.0"):
        Version.read(text)


def test_order() -> None:
    """Versions are ordered by number; a candidate comes before what it is a candidate of."""
    texts = ["0.2.0", "0.2.1-rc.1", "0.2.1", "0.2.9", "0.2.10", "0.3.0-rc.2", "0.3.0-rc.10", "0.3.0", "1.0.0"]
    assert sorted(map(Version.read, reversed(texts))) == [Version.read(text) for text in texts]
    assert [str(Version.read(text)) for text in texts] == texts


@pytest.mark.parametrize(
    ("before", "after", "number", "expected"),
    [
        ("0.2.0", "0.2.0", None, 1),
        ("0.2.0", "0.2.0", 3, 4),
        ("0.2.0", "0.2.1", 3, None),
        ("0.3.0-rc.1", "0.3.0-rc.1", None, None),
    ],
)
def test_the_fourth_number(before: str, after: str, number: int | None, expected: int | None) -> None:
    """The same version raises it; a new version has none, nor has a candidate."""
    assert next_revision(before, after, number) == expected
