"""Documents of any size, made of openapi.yaml's own operations and schemas."""

import json
import re
from typing import Any

from ..environment import ROOT
from ..loading import load_yaml

_SCHEMA = re.compile(r'("#/components/schemas/\w+)"')
_OPERATION = re.compile(r'("operationId": "\w+)"')


def document_of(operations: int) -> dict[str, Any]:
    """Return a document of that many operations, or a few more: copies of the CORE ones, each set with its own schemas.

    Without the token operation, which the stock generator cannot write.
    """
    own: dict[str, Any] = load_yaml((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    paths = {path: item for path, item in own["paths"].items() if path != "/api/auth/token"}
    schemas = dict(own["components"]["schemas"])
    own["paths"] = {}
    for number in range(-(-operations // len(paths))):
        own["paths"] |= _renamed(paths, number)
        copies = {f"{name}{number}": schema for name, schema in _renamed(schemas, number).items()}
        own["components"]["schemas"] |= copies
    return own


def _renamed(part: Any, number: int) -> Any:
    text = json.dumps(part).replace('"/api/core/', f'"/api/core{number}/').replace('["CORE"]', f'["CORE {number}"]')
    for named in (_SCHEMA, _OPERATION):
        text = named.sub(rf'\g<1>{number}"', text)
    return json.loads(text)
