"""Write the low-level client: openapi-python-client's `Project` with our reading of the document and our templates."""

import contextlib
import io
import json
import os
import re
import shlex
import sys
import textwrap
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeGuard, cast

import attrs
from jinja2 import BytecodeCache, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.bccache import Bucket
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import EndpointCollection
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import safe_for_docstring
from yaml import YAMLError

from .contract import Contract, Operation
from .document import Document
from .environment import ROOT
from .json_schemas import json_schemas
from .loading import is_array, is_object, load_yaml
from .provenance import LOCK, check_origins, provenance
from .steps import Refused, ToolFailed, execute

PACKAGE = "redcloud_core_client"
TEMPLATES = ROOT / "templates"
CONFIG = ROOT / "generator-config.yml"

# Beside what `Project` renders itself.
_FILES = (
    *("answers", "calls", "checks", "codec", "constraints", "drafts", "fields", "hooks", "http_library", "methods"),
    *("operations", "shapes", "writing"),
)

_WIDTH = 110

# What begins a line of its own in Markdown.
_LINE_STARTS = ("- ", "* ", "#", "|", ">", "```", *(f"{number}. " for number in range(1, 10)))


class _Compiled(BytecodeCache):
    """The templates that this process has compiled: a comparison renders two clients and their locks."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with the code of its template, unless that is new or says something else now."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


@attrs.frozen
class Settings:
    """generator-config.yml: what the generator reads of it, and what is ours."""

    file: ConfigFile
    overridden: tuple[str, ...]


def settings() -> Settings:
    """Read generator-config.yml.

    Raises:
        Refused: It cannot be read or says something that neither the generator nor this pipeline knows.
    """
    try:
        data: dict[str, Any] = load_yaml(CONFIG.read_text(encoding="utf-8"))
        overridden = tuple(data.pop("overridden_operations", ()))
        found = Settings(ConfigFile(**data), overridden)
    except (OSError, ValueError, TypeError, AttributeError, YAMLError) as error:
        raise Refused(f"{CONFIG.name}: {error}\nCorrect it; its comments say what it is for.") from None
    unknown = ", ".join(sorted(set(data) - set(ConfigFile.model_fields)))
    if unknown:
        raise Refused(f"{CONFIG.name}: neither the generator nor this pipeline knows {unknown}\nCorrect the spelling.")
    return found


def generate(document: Document, contract: Contract, target: Path, *, locked: bool) -> None:
    """Write the package into a folder that does not exist yet.

    Args:
        document: The document; it travels in the package.
        contract: What the document says.
        target: The folder of the package.
        locked: Whether this is the tree's own package: it gets the provenance lock, and TypedDicts for the
            operations that the overlay overrides.

    Raises:
        Refused: A template was forked from another original than the installed generator's.
        ToolFailed: The generator or the formatter failed.
    """
    check_origins(TEMPLATES)
    with _naming_templates():
        _generate(document, contract, target, settings(), locked=locked)


def add_languages(document: Document, contract: Contract, target: Path, types: str) -> None:
    """Write what teams in other languages need into the tree's own package, and its lock anew.

    Args:
        document: The document.
        contract: What the document says.
        target: The folder of the package.
        types: The document's types in TypeScript.

    Raises:
        Refused: A schema cannot be said as a JSON Schema in a file.
        ToolFailed: The formatter failed.
    """
    (target / "openapi.d.ts").write_text(types, encoding="utf-8")
    _sign_file(target / "openapi.d.ts", contract.version, mark="//")
    folder = target / "schemas"
    folder.mkdir()
    for name, schema in json_schemas(document).items():
        _write_json(folder / f"{name}.json", schema)
    found = settings()
    _write_lock(document, contract, _project(contract, found, target, found.overridden), target, found)


def _generate(document: Document, contract: Contract, target: Path, found: Settings, *, locked: bool) -> None:
    project = _project(contract, found, target, overridden=found.overridden if locked else ())
    _build(project)
    (target / "py.typed").touch()
    (target / "openapi.yaml").write_bytes(document.content)
    _write_json(target / "openapi.json", document.root.value)
    for name in _FILES:
        _render(project, name, target / f"{name}.py")
    _format(target, found.file)
    _sign(target, contract.version)
    if locked:
        _write_lock(document, contract, project, target, found)


def _write_lock(document: Document, contract: Contract, project: Project, target: Path, found: Settings) -> None:
    facts = provenance(document, CONFIG, TEMPLATES, target)
    _render(project, "provenance", target / LOCK, provenance=facts)
    _format(target, found.file)
    _sign_file(target / LOCK, contract.version)


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _project(contract: Contract, found: Settings, target: Path, overridden: tuple[str, ...]) -> Project:
    unformatted = found.file.model_copy(update={"post_hooks": []})
    config = Config.from_sources(unformatted, MetaType.NONE, target, "utf-8", overwrite=False, output_path=target)
    project = Project(openapi=_generator_data(contract), config=config, custom_template_path=TEMPLATES)
    project.env.undefined = StrictUndefined
    project.env.bytecode_cache = _COMPILED
    project.env.filters.update(as_docstring=as_docstring, as_literal=as_literal, as_sentence=as_sentence)
    project.env.globals.update(_facts(contract, overridden))
    return project


def _generator_data(contract: Contract) -> GeneratorData:
    """Hand over what was read in the place of what the generator's own parser would keep of it."""
    collections: dict[str, EndpointCollection] = {}
    for operation in contract.operations:
        collection = collections.setdefault(operation.tag, EndpointCollection(tag=operation.tag))
        collection.endpoints.append(cast(Any, operation))
    return GeneratorData(
        title=contract.title,
        description=None,
        version=contract.version,
        models=cast(Any, (schema for schema in contract.schemas if schema.kind != "enum")),
        enums=cast(Any, (schema for schema in contract.schemas if schema.kind == "enum")),
        errors=[],
        endpoint_collections_by_tag=cast(Any, collections),
    )


def _facts(contract: Contract, overridden: tuple[str, ...]) -> dict[str, Any]:
    own = [operation for operation in contract.operations if not operation.secured or operation.id in overridden]
    named = [operation for operation in contract.operations if operation.id in overridden]
    return {
        "contract": contract,
        "modules": {schema.name: schema.module for schema in contract.schemas},
        "inherited": [operation for operation in contract.operations if operation not in own],
        "own": own,
        "overridden": named,
        "operation_classes": _classes(contract.operations),
        "overridden_classes": _classes(tuple(named)),
    }


def _classes(operations: tuple[Operation, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(operation.classes for operation in operations))


def _build(project: Project) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        errors = project.build()
    if errors:
        raise ToolFailed("openapi-python-client failed: " + "; ".join(f"{e.header} {e.detail}".strip() for e in errors))


def _format(target: Path, file: ConfigFile) -> None:
    """Run the hooks of generator-config.yml, over all files, with the pinned tools whatever the machine has."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    for hook in file.post_hooks or ():
        execute(shlex.split(hook), cwd=target, env={**os.environ, "PATH": path})


def _render(project: Project, name: str, path: Path, **facts: Any) -> None:
    path.write_text(project.env.get_template(f"{name}.py.jinja").render(**facts), encoding="utf-8")


@contextlib.contextmanager
def _naming_templates() -> Generator[None]:
    """Refuse a template that is no Jinja, or that names what nobody knows, with its name and line."""
    try:
        yield
    except TemplateSyntaxError as error:
        refusal = f"templates/{error.name}: line {error.lineno}: {error.message}"
    except TemplateError as error:
        lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".jinja")]
        where = f"{Path(lines[-1].filename).name}: line {lines[-1].lineno}" if lines else "one of them"
        refusal = f"templates/{where}: {error.message}"
    else:
        return
    raise Refused(f"{refusal}\nCorrect the template.")


def _sign(target: Path, version: UntrustedString) -> None:
    for path in sorted(target.rglob("*.py")):
        _sign_file(path, version)


def _sign_file(path: Path, version: UntrustedString, mark: str = "#") -> None:
    """Say on the first line that a machine wrote this, how, and from what."""
    plain = re.sub(r"[^A-Za-z0-9.+-]", "", version.get_untrusted_value())
    head = f"{mark} Machine-written by ./scripts/regenerate from version {plain} of the document; do not edit.\n"
    path.write_text(head + path.read_text(encoding="utf-8"), encoding="utf-8")


def as_docstring(text: UntrustedString | str, indent: int = 0, *, whole: bool = False) -> str:
    """Return a text of the document for the inside of a docstring, its lines folded anew.

    Args:
        text: The text.
        indent: Blanks before every line but the first.
        whole: Whether the text is all of the docstring, so that the quotes after several lines get their own line.
    """
    lines = [part for line in _paragraphs(_visible(safe_for_docstring(text))) for part in _fold(line, _WIDTH - indent)]
    if whole and len(lines) > 1:
        lines.append("")
    pad = " " * indent
    found = "\n".join(f"{pad if number and line else ''}{line}" for number, line in enumerate(lines))
    if whole and len(lines) > 1:
        return found + pad
    return _with_last_quote_escaped(found)


def _visible(text: str) -> str:
    """Return a text without characters that nobody sees, such as those that turn the direction of writing."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def _with_last_quote_escaped(text: str) -> str:
    """Return a text that may stand before three quotes: one at its end must be escaped, unless it is already."""
    before = text[:-1]
    if not text.endswith('"') or (len(before) - len(before.rstrip("\\"))) % 2:
        return text
    return before + '\\"'


def _paragraphs(text: str) -> list[str]:
    """Return the lines that must stay lines: paragraphs, blank ones between them, items of lists."""
    found = [""]
    for line in text.strip().splitlines():
        begins = not line.strip() or not found[-1] or line.lstrip().startswith(_LINE_STARTS)
        if begins and found != [""]:
            found.append(line.strip())
        else:
            found[-1] = f"{found[-1]} {line.strip()}".strip()
    return found


def _fold(line: str, width: int) -> list[str]:
    hanging = "  " if line.startswith(("- ", "* ")) else ""
    folded = textwrap.wrap(line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
    return folded or [""]


def as_literal(value: Any) -> str:
    """Return a value of the document as a Python literal, exactly: in ASCII, so that nothing in it can act."""
    return ascii(_trusted(value))


def as_sentence(text: str) -> str:
    """Return a text with a full stop behind it, if it ends in none."""
    return text if not text or text.endswith((".", "!", "?", ":")) else f"{text}."


def _is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _trusted(value: Any) -> Any:
    if isinstance(value, UntrustedString):
        return value.get_untrusted_value()
    if is_object(value):
        return {_trusted(key): _trusted(child) for key, child in value.items()}
    if _is_tuple(value):
        return tuple(_trusted(child) for child in value)
    if is_array(value):
        return [_trusted(child) for child in value]
    return value
