"""JSON as the API reads it: strictly, and compared by value."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias

import jsonschema_rs

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

NESTING_LIMIT = 200
"""How many levels of arrays and objects are read."""


class NotJSONError(ValueError):
    """The bytes are not JSON; `str()` says why."""


def parse_json(content: bytes) -> Any:
    """Read JSON, without the constants that Python's own reader adds, and not deeper than `NESTING_LIMIT`.

    Raises:
        NotJSONError: The bytes are no JSON text in UTF-8, or one that is nested too deeply.
    """
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
        _check_nesting(value)
    except ValueError as error:
        raise NotJSONError(f"not JSON: {error}") from None
    except RecursionError:
        raise NotJSONError("nested too deeply") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _check_nesting(value: Json) -> None:
    """Keep recursive readers of the value within Python's own limit."""
    level = [value]
    for _ in range(NESTING_LIMIT):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise RecursionError


def _children(node: Json) -> Iterable[Json]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def equal_as_json(one: Json, other: Json) -> bool:
    """Compare by JSON's own notion: key order is nothing, 1 is 1.0, and neither is true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(map(equal_as_json, one.values(), (other[key] for key in one)))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal_as_json, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


class Schema:
    """A compiled JSON Schema (2020-12)."""

    def __init__(self, schema: dict[str, Any]) -> None:
        # The values stay out of messages: they may be secrets, and they may be long.
        self._validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, mask="the value")

    def problem(self, value: Any) -> str | None:
        """Say what in the value breaks the schema, and where.

        Returns:
            The first problem, with the JSON pointer of its place unless it is the whole; None if there is none.
        """
        try:
            error = next(self._validator.iter_errors(value), None)
        except ValueError as refused:  # a lone surrogate: JSON can escape one, UTF-8 cannot hold it
            return str(refused)
        return None if error is None else _located(error)

    def accepts(self, value: Any) -> bool:
        """Tell whether the value is valid."""
        return self.problem(value) is None


def _located(error: jsonschema_rs.ValidationError) -> str:
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.instance_path)
    return f"{_message(error)}, at {pointer}" if pointer else _message(error)


def _message(error: jsonschema_rs.ValidationError) -> str:
    """Say what is wrong, more plainly than the validator where it has no words, or not enough of them."""
    if error.kind.name == "falseSchema":
        return "no value is allowed"
    if error.kind.name == "enum":
        return f"the value is not one of {' or '.join(map(json.dumps, error.kind.as_dict()['options']))}"
    if error.kind.name == "unevaluatedProperties":
        return error.message.replace("Unevaluated", "Additional")
    return error.message
