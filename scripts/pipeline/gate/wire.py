"""Make calls and read answers with the package in a folder, in a process of its own.

Run as a program: its argument is the folder that holds the package, its standard input what `corpus.asked` returns, as
JSON. It prints, as JSON in the same order, what became of each call and each answer. It imports nothing of the
pipeline, so that what the package needs cannot come from there.
"""

import inspect
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from importlib import import_module
from typing import Any

PACKAGE = "redcloud_core_client"


def make(call: dict[str, Any]) -> dict[str, Any]:
    """Return the request that a call makes, or why it makes none."""
    build = _module(call["operation"]).build
    try:
        request = build(**call["keywords"])
    except Exception as error:  # whatever the package raises, its callers see it
        return _failure(error) | _misfits(build, call["keywords"])
    return {
        "method": request.operation.method,
        "target": request.target,
        "headers": dict(request.headers),
        "content": b64encode(request.content).decode(),
    }


def read(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says, encoded again, or why it cannot be read."""
    errors = import_module(f"{PACKAGE}.errors")
    content = b64decode(answer["content"])
    headers = {"content-type": answer["media"]}
    whole = import_module(f"{PACKAGE}.calls").Answer(answer["status"], headers, content)
    try:
        value, success = _module(answer["operation"]).parse(whole), True
    except errors.ErrorAnswer as error:
        value, success = error.body, False
        if not error.documented or (value is None and content != b"null"):
            return _failure(
                error, "the document says nothing of it" if not error.documented else "it has another shape"
            )
    except Exception as error:  # whatever the package raises, its callers see it
        return _failure(error)
    return {"success": success, "content": b64encode(import_module(f"{PACKAGE}.codec").encode(value)).decode()}


def _module(operation_id: str) -> Any:
    modules: dict[str, str] = import_module(f"{PACKAGE}.operations").OPERATIONS
    return import_module(f"{PACKAGE}.api.{modules[operation_id]}")


def _failure(error: Exception, reason: str = "") -> dict[str, Any]:
    violations = getattr(error, "violations", ())
    said = "; ".join(map(str, violations)) or getattr(error, "reason", "") or str(error)
    return {"error": type(error).__name__, "message": reason or said}


def _misfits(build: Callable[..., Any], keywords: dict[str, Any]) -> dict[str, list[str]]:
    """Return the keywords that an operation does not take, and those that it asks for and did not get."""
    taken = inspect.signature(build).parameters
    asked = [name for name, parameter in taken.items() if parameter.default is inspect.Parameter.empty]
    return {
        "unknown": [name for name in keywords if name not in taken],
        "missing": [name for name in asked if name not in keywords],
    }


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    given = json.load(sys.stdin)
    made = {"calls": [make(call) for call in given["calls"]], "answers": [read(answer) for answer in given["answers"]]}
    json.dump(made, sys.stdout)
