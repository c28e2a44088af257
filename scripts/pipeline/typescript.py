"""Write a document's types in TypeScript: openapi-typescript, and a name at the top for each schema."""

import json
import re
import tempfile
from pathlib import Path
from typing import Final

from .components import standalone
from .document import Document
from .environment import NODE_PINS, node
from .steps import execute

TOOL: Final = "openapi-typescript"

PATIENCE = 120.0
"""Seconds after which the tool counts as hung; it takes less than one."""

# A default says what the API takes a field for that a caller leaves out: it does not make callers send it.
_OPTIONS = ("--default-non-nullable=false", f"--redocly={NODE_PINS / 'redocly-types.yaml'}")

# What the declarations use of TypeScript's own types, and what they declare: a schema called so must not hide it.
_TAKEN = {"Extract", "Omit", "ReadonlyArray", "Record", "WithRequired"}


def declarations(document: Document) -> str:
    """Return a module of TypeScript declarations of all paths, operations and components of a document.

    Each schema is `components["schemas"]["Name"]`; one that begins with a capital, as types do, is `Name` too.

    Raises:
        Refused: A schema's name is none that OpenAPI allows.
        ToolFailed: The tool failed.
    """
    components = document.root.get("components")
    names = [name for name, _ in components.children("schemas")] if components else []
    with tempfile.TemporaryDirectory(prefix="typescript-") as folder:  # nothing there configures the tool
        path = Path(folder, "openapi.json")
        path.write_text(json.dumps(standalone(document)), encoding="utf-8")
        command = node(TOOL, path.name, "--output=openapi.d.ts", *_OPTIONS)
        execute(command, cwd=path.parent, patience=PATIENCE)
        text = path.with_name("openapi.d.ts").read_text(encoding="utf-8")
    return _visible(text) + "".join(_named(name) for name in names if _is_plain(name))


def version() -> str:
    """Return the version of the tool that is pinned."""
    pins = json.loads((NODE_PINS / "package.json").read_text(encoding="utf-8"))
    return str(pins["dependencies"][TOOL])


def _is_plain(name: str) -> bool:
    return name not in _TAKEN and re.fullmatch(r"[A-Z]\w*", name, re.ASCII) is not None


def _named(name: str) -> str:
    return f'export type {name} = components["schemas"]["{name}"];\n'


def _visible(text: str) -> str:
    """Return a text with blanks in the place of characters that nobody sees: leaving them out could end a comment."""
    return "".join(found if found.isprintable() or found == "\n" else " " for found in text)
