"""What tests of several folders share."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def know_types() -> Callable[[Path], Path]:
    """Give the function that fills a cache of mypy with what it knows of libraries and this tree, if it has run here.

    What it does not know, such as a package that a test makes, it checks as without.
    """

    def fill(cache: Path) -> Path:
        for known in (ROOT / ".mypy_cache").glob("3.*"):
            shutil.copytree(known, cache / known.name)
        return cache

    return fill
