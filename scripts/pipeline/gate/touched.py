"""Calls that callers must touch, before and after, as Python source."""

from collections.abc import Mapping
from typing import Any

import attrs

from ..loading import is_array, is_object
from ..steps import printable
from .corpus import Sent, Trial, differences, finding_of_call
from .examples import Call, gather


@attrs.frozen
class Touched:
    """A call that its callers must touch, as Python source; what is equal on both sides is `...`.

    Attributes:
        pointer: The operation in the old document.
        before: The call as the old document shows it.
        after: The call as the new document shows it; empty where the operation is gone.
    """

    pointer: str
    before: str
    after: str


def touches(trial: Trial) -> list[Touched]:
    """Return the calls that callers must touch, one for each operation."""
    examples = gather(trial.new).calls
    found: dict[str, Touched] = {}
    for call, before, after in zip(trial.corpus.calls, trial.before.calls, trial.after.calls, strict=True):
        if call.pointer in found or not finding_of_call(call, before, after):
            continue
        counterpart = _counterpart(trial, call, examples)
        if isinstance(after, Sent) and counterpart and set(counterpart.keywords) == set(call.keywords):
            continue  # other bytes, but not by anything that a caller could write otherwise
        written = _written(call, counterpart)
        if written[0] != written[1]:
            found[call.pointer] = Touched(call.pointer, *written)
    return list(found.values())


def _counterpart(trial: Trial, call: Call, examples: tuple[Call, ...]) -> Call | None:
    """Return the new document's call of the same operation: by its name, else by method and path."""
    known = {operation.name: operation for operation in trial.new.contract.operations}
    old = next(operation for operation in trial.old.contract.operations if operation.name == call.operation)
    same = [new.name for new in known.values() if (new.method, new.path) == (old.method, old.path)]
    name = call.operation if call.operation in known else next(iter(same), "")
    found = [example for example in examples if example.operation == name]
    alike = [
        *(example for example in found if (example.label, example.media) == (call.label, call.media)),
        *(example for example in found if example.label == call.label),
    ]
    return next(iter([*alike, *found]), None)


def _written(call: Call, counterpart: Call | None) -> tuple[str, str]:
    """Return two calls as Python source, without what they have in common."""
    if counterpart is None:
        return _source(call, {}), ""
    common = {
        name: value
        for name, value in call.keywords.items()
        if name in counterpart.keywords and not any(differences(value, counterpart.keywords[name], ""))
    }
    return _source(call, common), _source(counterpart, common)


def _source(call: Call, common: Mapping[str, Any]) -> str:
    own = [f"{name}={_literal(value)}" for name, value in call.keywords.items() if name not in common]
    return f"client.{call.operation}({', '.join(['...', *own] if common else own)})"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return f'"{"".join(map(_character, value))}"'
    if is_array(value):
        return f"[{', '.join(map(_literal, value))}]"
    if is_object(value):
        return "{" + ", ".join(f"{_literal(name)}: {_literal(inner)}" for name, inner in value.items()) + "}"
    return repr(value)


def _character(character: str) -> str:
    """Return a character as it stands between double quotes in Python."""
    return f"\\{character}" if character in '"\\' else printable(character)
