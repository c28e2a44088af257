"""Account for what a document holds: whatever it declares is in the package, or is named as left out."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .contract import Contract
from .document import Document, Node, operations
from .operations import IGNORED_HEADERS
from .steps import Refused


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


def check_complete(document: Document, contract: Contract) -> None:
    """Make sure that reading has dropped nothing: this walks the raw document on its own.

    Raises:
        Refused: An operation, a parameter, a named schema or a property is not in the contract.
    """
    known = {schema.pointer: schema for schema in contract.schemas}
    lost = [node.pointer for *_, node in operations(document) if node.pointer not in _pointers(contract)]
    for schema in _components(document, "schemas"):
        found = known.get(schema.pointer)
        names = {name.name.get_untrusted_value() for name in found.properties} if found else set[str]()
        if found is None:
            lost.append(schema.pointer)
        elif found.kind == "object":
            lost += [node.pointer for name, node in schema.children("properties") if name not in names]
    lost += _lost_parameters(document, contract)
    if lost:
        raise Refused(f"{document.name}: these would be dropped:\n  " + "\n  ".join(lost))


def check_package(folder: Path, contract: Contract) -> None:
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
        raise Refused(f"the generated package does not hold what the document says:\n  {reasons}")


def waived(document: Document) -> Iterator[str]:
    """Yield what the package does not expose, with the place and the reason."""
    if document.root.get("webhooks"):
        yield "#/webhooks: events that are received are no operations of a client"
    for *_, node in operations(document):
        if node.get("callbacks"):
            yield f"{node['callbacks'].pointer}: calls that are received are no operations of a client"
        for _, reference in node.children("responses"):
            response = document.resolve(reference)
            for part in ("headers", "links"):
                if response.get(part):
                    yield f"{response[part].pointer}: read them from the raw answer"
    for scheme in _components(document, "securitySchemes"):
        if scheme.text("scheme").lower() != "bearer":
            yield f"{scheme.pointer}: only bearer tokens are added by themselves"


def unconfirmed(node: Node) -> Iterator[tuple[str, str]]:
    """Yield pointer and reason of every `x-unconfirmed` below a node."""
    if node.text("x-unconfirmed"):
        yield node.pointer, node.text("x-unconfirmed")
    for name in node.names:
        yield from unconfirmed(node[name])
    if isinstance(node.value, list):
        for child in node.elements():
            yield from unconfirmed(child)


def _pointers(contract: Contract) -> set[str]:
    return {operation.pointer for operation in contract.operations}


def _components(document: Document, kind: str) -> Iterator[Node]:
    components = document.root.get("components")
    for _, node in components.children(kind) if components else ():
        yield node


def _lost_parameters(document: Document, contract: Contract) -> Iterator[str]:
    known = {
        operation.pointer: {
            (argument.location, argument.name.get_untrusted_value()) for argument in operation.parameters
        }
        for operation in contract.operations
    }
    for *_, item, node in operations(document):
        for holder in (item, node):
            parameters = holder.get("parameters")
            for reference in parameters.elements() if parameters else ():
                parameter = document.resolve(reference)
                ignored = parameter.text("in") == "header" and parameter.text("name").lower() in IGNORED_HEADERS
                if not ignored and (parameter.text("in"), parameter.text("name")) not in known[node.pointer]:
                    yield reference.pointer
