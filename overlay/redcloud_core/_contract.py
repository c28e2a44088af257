"""What this SDK was made from: the document, and the record of how it was made."""

import json
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any

from redcloud_core_client._provenance import PROVENANCE


def contract() -> dict[str, Any]:
    """Return the API document that this SDK was generated from.

    Returns:
        openapi.yaml as plain data, a copy of your own at each call.
    """
    document: dict[str, Any] = json.loads(_text())
    return document


def provenance() -> dict[str, Any]:
    """Return what the low-level client was made from.

    Returns:
        The version of the document, the versions of generator and formatter and of what wrote the TypeScript types, and
        hashes (SHA-256, hex) of document, configuration, templates and output; a copy of your own at each call.
    """
    return deepcopy(PROVENANCE)


@cache
def _text() -> str:
    return files("redcloud_core_client").joinpath("openapi.json").read_text(encoding="utf-8")
