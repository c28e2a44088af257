"""The document as plain data, and the operations that it holds."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

DOCUMENT = Path(__file__).parents[2] / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Operation(NamedTuple):
    """An operation as it stands in the document."""

    path: str
    method: str
    node: dict[str, Any]


@pytest.fixture(scope="session")
def text() -> str:
    """Read openapi.yaml as it is written."""
    return DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def document(text: str) -> dict[str, Any]:
    """Read openapi.yaml as plain data."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


@pytest.fixture(scope="session")
def schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Give the named schemas."""
    found: dict[str, Any] = document["components"]["schemas"]
    return found


@pytest.fixture(scope="session")
def operations(document: dict[str, Any]) -> dict[str, Operation]:
    """Give the operations by operationId, in the order of the document."""
    return {
        node["operationId"]: Operation(path, method, node)
        for path, item in document["paths"].items()
        for method, node in item.items()
        if method in METHODS
    }
