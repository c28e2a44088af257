"""Account for what a document holds: everything it declares is exposed, guarded or waived; nothing is dropped.

The ledger walks the raw document on its own, so that it sees what reading it has missed.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs

from .contract import Contract, Operation, Property, Schema
from .document import Document, Node, operations
from .kinds import CONSTRAINTS, UNCHECKED
from .operations import IGNORED_HEADERS
from .steps import Refused

State = Literal["exposed", "guarded", "waived", "lost"]

# Keywords of operations and responses that a client has no use for, and why.
_WAIVED = {
    "callbacks": "calls that are received are no operations of a client",
    "servers": "the base URL is the caller's choice",
    "links": "the raw answer has all that a link refers to",
    "headers": "read them from the raw answer",
}

_ARRAYS_OF_SCHEMAS = ("allOf", "oneOf", "anyOf")


@attrs.frozen
class Entry:
    """What became of a part of the document."""

    pointer: str
    what: str
    state: State
    reason: str = ""


def ledger(document: Document, contract: Contract) -> list[Entry]:
    """Return an entry for every operation, parameter, body, status, property, constraint and security requirement.

    Args:
        document: The raw document.
        contract: What was read of it.
    """
    known = {operation.pointer: operation for operation in contract.operations}
    entries: list[Entry] = []
    for *_, item, node in operations(document):
        operation = known.get(node.pointer)
        entries.append(_entry(node, "operation", operation is not None))
        if operation is not None:
            entries += _of_operation(document, operation, item, node)
    entries += _of_schemas(document, contract)
    entries += _of_security(document)
    if document.root.get("security"):
        entries.append(_entry(document.root["security"], "security requirement", exposed=True))
    if document.root.get("webhooks"):
        entries.append(Entry("#/webhooks", "webhooks", "waived", "what is received is no operation of a client"))
    return entries


def check_complete(document: Document, contract: Contract) -> None:
    """Make sure that nothing is lost.

    Raises:
        Refused: Something in the document is neither exposed nor guarded nor waived.
    """
    lost = [f"{entry.pointer}: {entry.what}" for entry in ledger(document, contract) if entry.state == "lost"]
    if lost:
        raise Refused(
            f"{document.name}: these would be dropped:\n  "
            + "\n  ".join(lost)
            + "\nThis is a fault of the pipeline: report it."
        )


def waived(entries: Iterable[Entry]) -> list[str]:
    """Return a line for each reason for which something is waived: how often, and where first."""
    by_reason: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.state == "waived":
            by_reason.setdefault((entry.what, entry.reason), []).append(entry)
    return [
        f"{what} at {found[0].pointer}{f' and {len(found) - 1} more' if len(found) > 1 else ''}: {reason}"
        for (what, reason), found in by_reason.items()
    ]


def unconfirmed(node: Node) -> Iterator[tuple[str, str]]:
    """Yield pointer and reason of every `x-unconfirmed` below a node."""
    if node.text("x-unconfirmed"):
        yield node.pointer, node.text("x-unconfirmed")
    for name in node.names:
        yield from unconfirmed(node[name])
    if isinstance(node.value, list):
        for child in node.elements():
            yield from unconfirmed(child)


def check_package(folder: Path, document: Document, contract: Contract) -> None:
    """Try the package in a folder in a process of its own.

    Raises:
        Refused: It cannot be imported, or does not hold what the document says.
    """
    program = Path(__file__).with_name("selfcheck.py")
    done = subprocess.run(
        [sys.executable, "-P", "-B", str(program), str(folder)],
        input=json.dumps(facts(contract)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reasons = (done.stdout.strip() or done.stderr.strip()).replace("\n", "\n  ")
        raise Refused(f"{document.name}: the generated package does not hold what it says:\n  {reasons}")


def facts(contract: Contract) -> dict[str, Any]:
    """Return what `selfcheck` must find in a package, by pointers into the document."""
    return {
        "schemas": {
            schema.pointer: {
                "name": schema.name,
                "properties": [found.name.get_untrusted_value() for found in schema.properties],
            }
            for schema in contract.schemas
        },
        "operations": {
            operation.pointer: {"operation_id": operation.id.get_untrusted_value(), "method": operation.name}
            for operation in contract.operations
        },
    }


def _entry(node: Node, what: str, exposed: bool) -> Entry:
    return Entry(node.pointer, what, "exposed" if exposed else "lost")


def _of_operation(document: Document, operation: Operation, item: Node, node: Node) -> Iterator[Entry]:
    for holder in (item, node):
        parameters = holder.get("parameters")
        for reference in parameters.elements() if parameters else ():
            yield _of_parameter(document.resolve(reference), reference, operation)
        if holder.get("servers"):
            yield Entry(holder["servers"].pointer, "servers", "waived", _WAIVED["servers"])
    if node.get("security"):
        yield _entry(node["security"], "security requirement", exposed=True)
    if node.get("callbacks"):
        yield Entry(node["callbacks"].pointer, "callbacks", "waived", _WAIVED["callbacks"])
    if node.get("requestBody"):
        body = document.resolve(node["requestBody"])
        known = operation.body.contents if operation.body else dict[str, Any]()
        yield from (
            _entry(entry, "content type of the body", media in known) for media, entry in body.children("content")
        )
    statuses = {str(response.status): response for response in (*operation.success, *operation.errors)}
    for status, reference in node.children("responses"):
        if status.startswith("x-"):
            continue
        response, answer = (
            document.resolve(reference),
            statuses.get(status.replace("x", "X") if status != "default" else status),
        )
        yield _entry(reference, "status", answer is not None)
        for media, entry in response.children("content"):
            yield _entry(entry, "content type of the answer", answer is not None and media in answer.contents)
        for key in ("headers", "links"):
            if response.get(key):
                yield Entry(response[key].pointer, key, "waived", _WAIVED[key])


def _of_parameter(parameter: Node, place: Node, operation: Operation) -> Entry:
    location, name = parameter.text("in"), str(parameter["name"].value)
    if location == "header" and name.lower() in IGNORED_HEADERS:
        return Entry(place.pointer, f"header {name}", "waived", "OpenAPI says to ignore its definition")
    known = {(argument.location, argument.name.get_untrusted_value()) for argument in operation.parameters}
    return _entry(place, "parameter", (location, name) in known)


def _of_schemas(document: Document, contract: Contract) -> Iterator[Entry]:
    components = document.root.get("components")
    known = {schema.pointer: schema for schema in contract.schemas}
    properties = {place for schema in contract.schemas for found in schema.properties for place in found.pointers}
    for _, component in components.children("schemas") if components else ():
        yield _entry(component, "schema", component.pointer in known)
        for schema in _below(component):
            yield from _of_schema(schema, known, properties, contract.notes)
    seen: set[str] = set()
    for place in _in_place(document):
        for schema in _below(place) if place.pointer not in seen and not place.get("$ref") else ():
            yield from _of_schema(schema, known, properties, contract.notes)
        seen.add(place.pointer)


def _in_place(document: Document) -> Iterator[Node]:
    """Yield the schemas of parameters, bodies and answers, wherever they stand."""
    for *_, item, node in operations(document):
        holders: list[Node] = []
        for holder in (item, node):
            parameters = holder.get("parameters")
            holders += [document.resolve(reference) for reference in (parameters.elements() if parameters else ())]
        responses = [document.resolve(reference) for _, reference in node.children("responses")]
        bodies = [document.resolve(node["requestBody"])] if node.get("requestBody") else []
        holders += [entry for holder in (*bodies, *responses) for _, entry in holder.children("content")]
        yield from (holder["schema"] for holder in holders if holder.get("schema"))


def _of_schema(
    schema: Node, known: dict[str, Schema], properties: set[str], unchecked: tuple[str, ...]
) -> Iterator[Entry]:
    owner = known.get(schema.pointer)
    read = {found.name.get_untrusted_value(): found for found in owner.properties} if owner is not None else {}
    for name, node in schema.children("properties"):
        if _is_inert(schema):
            yield Entry(node.pointer, "property", "waived", "the type of the schema around it is not object")
        elif owner is not None and owner.kind == "object":
            found = read.get(name)
            yield _entry(node, "property", found is not None)
            if found is not None and not node.get("$ref"):
                yield from _lost_constraints(node, found, unchecked)
        else:
            yield _entry(node, "property", node.pointer in properties or _is_merged(node, name, known))
    for key in schema.names:
        if key in CONSTRAINTS:
            yield Entry(schema[key].pointer, "constraint", "guarded")
        elif key in UNCHECKED:
            yield Entry(schema[key].pointer, "constraint", "waived", f"`{key}` is not checked")


def _lost_constraints(node: Node, found: Property, unchecked: tuple[str, ...]) -> Iterator[Entry]:
    """Yield the constraints of a property that its class does not know, nor a note that it is not checked."""
    for key in node.names:
        says_nothing = isinstance(node[key].value, bool)  # as 3.0 writes exclusive limits and unique items
        noted = any(note.startswith(node[key].pointer) for note in unchecked)
        replaced = any(node.flag(exclusive) for exclusive in ("exclusiveMinimum", "exclusiveMaximum"))
        if key in CONSTRAINTS and key not in found.constraints and not (says_nothing or noted or replaced):
            yield Entry(node[key].pointer, "constraint", "lost")


def _is_inert(schema: Node) -> bool:
    """Tell whether properties mean nothing here, by the schema's own type."""
    one = schema.text("type")
    kinds = [one] if one else schema.array("type") if schema.get("type") else ["object"]
    return "object" not in kinds


def _is_merged(node: Node, name: str, known: dict[str, Schema]) -> bool:
    """Tell whether a property went into a class that is made of the schema that holds it."""
    place = node.pointer
    while "/" in place:
        place = place.rpartition("/")[0]
        if place in known and any(found.name == name for found in known[place].properties):
            return True
    return False


def _below(schema: Node) -> Iterator[Node]:
    """Yield a schema and those that stand inside it."""
    yield schema
    for _, child in schema.children("properties") if not _is_inert(schema) else ():
        yield from _below(child)
    for key in ("items", "additionalProperties"):
        if schema.get(key) and schema[key].names:
            yield from _below(schema[key])
    for key in _ARRAYS_OF_SCHEMAS:
        for child in schema[key].elements() if schema.get(key) else ():
            yield from _below(child)


def _of_security(document: Document) -> Iterator[Entry]:
    components = document.root.get("components")
    for _, reference in components.children("securitySchemes") if components else ():
        scheme = document.resolve(reference)
        if scheme.text("type") == "http" and scheme.text("scheme").lower() == "bearer":
            yield Entry(reference.pointer, "security scheme", "exposed")
        else:
            kind = scheme.text("type")
            reason = "the overlay adds bearer tokens only; give other credentials as headers"
            yield Entry(reference.pointer, f"security scheme ({kind})", "waived", reason)
