"""Whether one annotation of generated code takes in another."""

import ast
from collections.abc import Mapping

import attrs


@attrs.frozen
class Types:
    """What is known of the names in annotations, to tell whether one type takes in another.

    Attributes:
        aliases: Names that stand for an annotation.
        enums: The members of enums, as `Literal['SMS']`.
        open: Whether a list of values may grow, as it may in answers.
    """

    aliases: Mapping[str, str]
    enums: Mapping[str, frozenset[str]]
    open: bool = False

    def fit(self, some: str, others: str, assumed: frozenset[tuple[str, str]] = frozenset()) -> bool:
        """Tell whether every value of one annotation is a value of another.

        Args:
            some: The annotation.
            others: The other one.
            assumed: Pairs that are being looked at, since types may hold themselves.
        """
        if (some, others) in assumed:
            return True
        assumed |= {(some, others)}
        return all(any(self._is_a(one, other, assumed) for other in self._split(others)) for one in self._split(some))

    def _split(self, annotation: str) -> list[str]:
        """Return the alternatives of an annotation, without the strings that an enum beside them names already."""
        found = alternatives(annotation)
        named = frozenset[str]().union(*(self.enums.get(name, ()) for name in found))
        return [alternative for alternative in found if alternative not in named]

    def _is_a(self, one: str, other: str, assumed: frozenset[tuple[str, str]]) -> bool:
        if other in (one, "Any") or (one, other) == ("int", "float"):
            return True
        if one in self.aliases or other in self.aliases:
            return self.fit(self.aliases.get(one, one), self.aliases.get(other, other), assumed)
        if one in self.enums:
            return other in {_kind(member) for member in self.enums[one]}
        if one.startswith("Literal["):
            return _kind(one) == (_kind(other) if self.open and other.startswith("Literal[") else other)
        return self._is_generic(one, other, assumed)

    def _is_generic(self, one: str, other: str, assumed: frozenset[tuple[str, str]]) -> bool:
        if one.startswith("dict[") and other == "Mapping[str, Any]":  # what a body's object may be given as
            return True
        (name, arguments), (other_name, others) = _generic(one), _generic(other)
        pairs = zip(arguments, others, strict=False)
        alike = name == other_name and 0 < len(arguments) == len(others)
        return alike and all(self.fit(mine, its, assumed) for mine, its in pairs)


def alternatives(annotation: str) -> list[str]:
    """Return the parts of a union, each once; a Literal counts as one of each of its values."""
    return list(dict.fromkeys(_parts(ast.parse(annotation, mode="eval").body)))


def _parts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BinOp):
        return [*_parts(node.left), *_parts(node.right)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # an annotation in quotes
        return alternatives(node.value)
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
        return [f"Literal[{value}]" for value in _generic(ast.unparse(node))[1]]
    return [ast.unparse(node)]


def _generic(annotation: str) -> tuple[str, list[str]]:
    """Return the name and the arguments of a generic type; no arguments where it is none."""
    node = ast.parse(annotation, mode="eval").body
    if not isinstance(node, ast.Subscript):
        return annotation, []
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return ast.unparse(node.value), [ast.unparse(argument) for argument in inner]


def _kind(literal: str) -> str:
    """Return what the value of a Literal is: `str` or `int`."""
    return type(ast.literal_eval(_generic(literal)[1][0])).__name__
