"""The lock: what a generated package was made from, and what the templates were forked from."""

import re
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import openapi_python_client

from . import typescript
from .document import Document
from .steps import Refused

LOCK = "_provenance.py"

_STOCK = Path(openapi_python_client.__file__).parent / "templates"
_ORIGIN = re.compile(r"\{# Forked from (?P<name>[\w./]+) \(sha256 (?P<hash>\w+)\)\.\n   Why: \S")
_OURS = re.compile(r"\{# Ours: \S")


def provenance(document: Document, config: Path, templates: Path, package: Path) -> dict[str, Any]:
    """Return the facts of the lock: versions, and a hash (SHA-256, hex) of everything that went in and came out."""
    return {
        "document": {"version": document.version, "sha256": sha256(document.content).hexdigest()},
        "config": {"sha256": sha256(config.read_bytes()).hexdigest()},
        "templates": {"sha256": hash_of_files(templates)},
        "output": {"sha256": hash_of_files(package)},
        "generator": {"name": "openapi-python-client", "version": version("openapi-python-client")},
        "formatter": {"name": "ruff", "version": version("ruff")},
        "typescript": {"name": typescript.TOOL, "version": typescript.version()},
    }


def files(folder: Path) -> list[Path]:
    """Return the files of a folder that count, sorted: all but the lock and what Python leaves behind."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path for path in found if path.name != LOCK)


def hash_of_files(folder: Path) -> str:
    """Return one hash of the names and bytes of all files of a folder."""
    total = sha256()
    for path in files(folder):
        name, content = path.relative_to(folder).as_posix().encode(), path.read_bytes()
        total.update(b"%d %b %d " % (len(name), name, len(content)) + content)
    return total.hexdigest()


def check_origins(templates: Path) -> None:
    """Make sure that each template says why it is there, and that the original of a forked one has not changed.

    Raises:
        Refused: A template does neither, or the installed generator brings another original.
    """
    for path in sorted(templates.glob("*.jinja")):
        _check_origin(path)


def _check_origin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    forked = _ORIGIN.match(text)
    if forked is None and ((_STOCK / path.name).exists() or not _OURS.match(text)):
        raise Refused(
            f"templates/{path.name} does not say where it comes from\n"
            "Begin it with `{# Forked from NAME (sha256 HASH).` and a line `   Why: ...`, or with `{# Ours: ...`."
        )
    if forked is None:
        return
    current = sha256((_STOCK / forked["name"]).read_bytes()).hexdigest()
    if forked["hash"] != current:
        raise Refused(
            f"templates/{path.name} was forked from another {forked['name']} than the installed generator's\n"
            f"Compare the two originals, carry over what matters, then write sha256 {current}."
        )
