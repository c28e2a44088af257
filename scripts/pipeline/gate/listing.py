"""What a package makes public, read statically with griffe: the listing that is committed and compared by people.

Nothing is imported, so code that does not type-check can be read as well. Public is what a module's `__all__` names or,
in a module without one and in classes, what does not begin with an underscore.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from ..steps import ToolFailed

# What else callers must know of a function or an attribute.
_LABELS = frozenset({"async", "classmethod", "staticmethod", "property"})


def listing(package: Path) -> str:
    """Return the public API of a package, for people to compare: a sorted line for each name.

    Args:
        package: The folder of the package.

    Raises:
        ToolFailed: There is no such package, or a file of it is no Python.
    """
    lines = sorted(path + shown(found) for path, found in public_names(load_package(package)))
    head = f"# The public API of {package.name}, written by ./scripts/regenerate; do not edit."
    return "\n".join([head, *lines, ""])


class _TypeCheckersView(griffe.Extension):
    """Leaves out what a module holds for run time alone, such as the markers that stand for unions."""

    def on_module_node(self, *, node: ast.AST | griffe.ObjectNode, **_: Any) -> None:
        for statement in node.body if isinstance(node, ast.Module) else ():
            if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
                statement.orelse = []


def load_package(package: Path) -> griffe.Module:
    """Read a package without importing it.

    Raises:
        ToolFailed: There is no such package, or a file of it is no Python.
    """
    package = package.resolve()
    loader = griffe.GriffeLoader(
        extensions=griffe.Extensions(_TypeCheckersView()), search_paths=[package.parent], allow_inspection=False
    )
    try:
        found = loader.load(package.name, try_relative_path=False)
    except (ImportError, griffe.GriffeError) as error:
        raise ToolFailed(f"griffe cannot read the package {package}: {error}\nGenerate it first.") from None
    if not isinstance(found, griffe.Module):
        raise ToolFailed(f"griffe found no package at {package}\nGenerate it first.")
    read = [module.filepath for module in _modules(found)]
    missed = [str(path) for path in sorted(package.rglob("*.py")) if path not in read]
    if missed:  # griffe leaves out, with a mere log record, what it cannot parse
        raise ToolFailed(f"griffe cannot read {', '.join(missed)}\nIt must be Python, in packages.")
    return found


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for member in module.members.values():
        if isinstance(member, griffe.Module):
            yield from _modules(member)


def public_names(module: griffe.Module, prefix: str = "") -> Iterator[tuple[str, griffe.Object | griffe.Alias]]:
    """Yield the public names below a module, each with its path there and what it names."""
    for name, member in module.members.items():
        if isinstance(member, griffe.Module):
            if not name.startswith("_"):
                yield from public_names(member, f"{prefix}{name}.")
        elif name in module.exports if module.exports else not (name.startswith("_") or member.is_alias):
            yield from _with_members(f"{prefix}{name}", _at_home(member))


def _at_home(found: griffe.Object | griffe.Alias) -> griffe.Object | griffe.Alias:
    """Return what a re-exported name stands for where that has no public name of its own, else the name itself."""
    if isinstance(found, griffe.Alias) and "._" in found.target_path:
        try:
            return found.final_target
        except (griffe.AliasResolutionError, griffe.CyclicAliasError):
            return found
    return found


def _with_members(path: str, found: griffe.Object | griffe.Alias) -> Iterator[tuple[str, griffe.Object | griffe.Alias]]:
    yield path, found
    if isinstance(found, griffe.Function):
        yield from _unpacked(path, found)
    if isinstance(found, griffe.Class):
        for name, member in found.all_members.items():
            if (name == "__init__" or not name.startswith("_")) and (own := _own(member)) is not None:
                yield from _with_members(f"{path}.{name}", own)


def _own(member: griffe.Object | griffe.Alias) -> griffe.Object | None:
    """Return a member of a class, unless it is imported or comes from a base that is listed itself."""
    if isinstance(member, griffe.Alias):
        base = member.final_target.parent if member.inherited else None
        return member.final_target if base is not None and not _is_listed(base) else None
    return member


def _is_listed(found: griffe.Object) -> bool:
    """Tell whether a class is listed itself: it is public where it stands, or its package makes it so."""
    if found.name.startswith("_"):
        return False
    return "._" not in found.path or found.name in (found.package.exports or ())


def _unpacked(path: str, function: griffe.Function) -> Iterator[tuple[str, griffe.Object]]:
    """Yield the keywords that a function takes as a TypedDict of its package: `**settings: Unpack[Settings]`."""
    for parameter in function.parameters:
        annotation = parameter.annotation
        if isinstance(annotation, griffe.ExprSubscript) and annotation.canonical_name == "Unpack":
            home = function.resolve(str(annotation.slice))
            keywords = function.modules_collection[home] if home.startswith(f"{function.package.path}.") else None
            for name, member in keywords.all_members.items() if isinstance(keywords, griffe.Class) else ():
                target = member.final_target if isinstance(member, griffe.Alias) else member
                yield f"{path}(**{parameter.name}).{name}", target


def shown(found: griffe.Object | griffe.Alias) -> str:
    """Return what is to be said behind a name: a signature, bases, a type and a default."""
    if isinstance(found, griffe.Alias):
        return f" -> {found.target_path}"
    labels = "".join(f" [{label}]" for label in sorted(_LABELS & found.labels))
    if isinstance(found, griffe.Function):
        return found.signature(name=" ").strip() + labels
    if isinstance(found, griffe.Class):
        return f": {class_line(found)}"
    if isinstance(found, griffe.Attribute):
        annotation = f": {found.annotation}" if found.annotation is not None else ""
        default = default_of(found)
        return annotation + (f" = {default}" if default else "") + labels
    return ""


def class_line(found: griffe.Class) -> str:
    """Return `class` with its bases."""
    bases = ", ".join(str(base) for base in found.bases)
    return f"class({bases})" if bases else "class"


def default_of(attribute: griffe.Attribute) -> str:
    """Return an attribute's value where it is part of the API: in the body of a class, an alias, a plain constant."""
    value = attribute.value
    if value is None or attribute.name.startswith("__"):
        return ""
    if isinstance(value, griffe.ExprCall) and str(value.function) == "attrs.field":
        return _field_default(value)
    text = str(value)
    if str(attribute.annotation) == "TypeAlias":
        return text
    if "class-attribute" in attribute.labels or _is_constant(text):
        return "..." if _is_sentence(attribute, text) else text
    return ""


def _field_default(call: griffe.ExprCall) -> str:
    given = {found.name: str(found.value) for found in call.arguments if isinstance(found, griffe.ExprKeyword)}
    return given.get("default", f"{given['factory']}()" if "factory" in given else "")


def _is_sentence(attribute: griffe.Attribute, text: str) -> bool:
    """Tell whether a value is words for people, which may change while the API does not."""
    owner = attribute.parent
    return text[0] in "'\"" and " " in text and not (isinstance(owner, griffe.Class) and is_enum(owner))


def is_enum(found: griffe.Class) -> bool:
    """Tell whether a class is an enum."""
    return any("Enum" in str(base) for base in found.bases)


def _is_constant(text: str) -> bool:
    return isinstance(ast.parse(text, mode="eval").body, ast.Constant)
