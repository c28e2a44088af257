"""A revision of the SDK for the same document takes nothing from callers who pin that document."""

import re
from typing import Any

import pytest

from pipeline.publish.distribution import Distribution
from pipeline.publish.notes import version

CHECK = """
import sys
from pathlib import Path
from pipeline.publish.distribution import Distribution
from pipeline.publish.index import index_of_url
from pipeline.publish.promises import check_promises
from pipeline.steps import Refused
wheel = Path(sys.argv[2])
try:
    check_promises(index_of_url(sys.argv[1]), Distribution(wheel, wheel), Path.cwd().with_name("before"))
except Refused as refusal:
    print(refusal)
"""
DOCUMENT = ".".join(version().split(".")[:3])


@pytest.fixture
def published(door: Any, distribution: Distribution) -> Any:
    """An index that has this version."""
    (door.packages / distribution.wheel.name).write_bytes(distribution.wheel.read_bytes())
    return door


def _check(clone: Any, index: Any, number: int = 99) -> str:
    wheel = f"redcloud_core-{DOCUMENT}.{number}-py3-none-any.whl"
    said: str = clone.python(CHECK, index.url, wheel)
    return said


def test_what_is_taken_is_named(clone: Any, published: Any) -> None:
    """A name that is gone, a keyword that is gone and one that is asked for now are each named, with the way out."""
    clone.edit("overlay/redcloud_core/_idempotency.py", "def random(", "def at_random(")
    clone.edit("overlay/redcloud_core/_segments.py", "def count_segments(text: str)", "def count_segments(words: str)")

    said = _check(clone, published)

    assert f"{DOCUMENT}.99 would take from callers who pin redcloud-core ~= {DOCUMENT}.0:\n" in said
    assert "\n  redcloud_core.IdempotencyKey.random is gone\n" in said
    assert re.search(r"^  redcloud_core\._segments\.count_segments: parameter was removed `text`$", said, re.M)
    assert "Put it back, with a DeprecationWarning if it must go" in said


def test_what_is_added_passes(clone: Any, published: Any) -> None:
    """A new name and a keyword with a default take nothing."""
    old, new = "def count_segments(text: str)", "def count_segments(text: str, *, more: bool = False)"
    clone.edit("overlay/redcloud_core/_segments.py", old, new)

    assert re.fullmatch(r"done +[\d.]+ s  keep what the revision before promised\n", _check(clone, published))


def test_first_of_its_document_promises_nothing(clone: Any, door: Any) -> None:
    """Where the index has no revision before, there is nothing to keep."""
    assert _check(clone, door).endswith(": there is none\n")
