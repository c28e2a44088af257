"""The examples of a document, as calls that a client makes and as answers that it reads."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ..contract import Operation, Response
from ..document import Document, Node, operations
from ..kinds import kinds_of, values_of
from ..loading import is_array, is_object
from ..merging import merged
from ..operations import is_json
from .sides import Side

NONE: Any = object()
"""Stands for a value that there is none of."""

_MOST_VALUES = 1000
"""Schemas that are looked into for one example: where many refer to each other, there is no end to it."""

_PLAIN_TEXTS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "uuid": "00000000-0000-0000-0000-000000000001",
    "byte": "dGV4dA==",
    "decimal": "1",
}


@attrs.frozen
class Call:
    """A call of an operation, made of an example.

    Attributes:
        operation: The name of the method.
        label: The name of the example; empty where it has none.
        media: The content type of the body; empty where there is no body.
        keywords: What the method is called with.
        pointer: The operation in its document.
    """

    operation: str
    label: str
    media: str
    keywords: Mapping[str, Any]
    pointer: str

    @property
    def title(self) -> str:
        """What sentences call it."""
        form = f" ({self.media})" if self.media and not is_json(self.media) else ""
        return f"`{self.operation}`" + (f" of example `{self.label}`{form}" if self.label else form)


@attrs.frozen
class Answer:
    """An answer to an operation, made of an example.

    Attributes:
        operation: The name of the method.
        status: The HTTP status; of a range or of `default`, one that falls under it.
        label: The name of the example; empty where it has none.
        media: The content type.
        value: What it says, as JSON.
        pointer: The operation in its document.
    """

    operation: str
    status: int
    label: str
    media: str
    value: Any
    pointer: str

    @property
    def title(self) -> str:
        """What sentences call it."""
        return f"the answer {self.status} of `{self.operation}`" + (f", example `{self.label}`," if self.label else "")


@attrs.frozen
class Corpus:
    """All calls and answers that the examples of a document make."""

    calls: tuple[Call, ...]
    answers: tuple[Answer, ...]


def gather(side: Side) -> Corpus:
    """Return the calls and answers that the examples of a document make."""
    known = {operation.pointer: operation for operation in side.contract.operations}
    calls: list[Call] = []
    answers: list[Answer] = []
    for *_, item, node in operations(side.document):
        operation = known[node.pointer]
        calls += _calls(side.document, operation, item, node)
        answers += _answers(side.document, operation, node)
    return Corpus(tuple(calls), tuple(answers))


def completed(corpus: Corpus, side: Side) -> Corpus:
    """Return a corpus whose answers also say what another document requires of them.

    An API that follows the new document answers so: that answers require more is no break.
    """
    return attrs.evolve(corpus, answers=tuple(_completed_answer(side, answer) for answer in corpus.answers))


def _calls(document: Document, operation: Operation, item: Node, node: Node) -> Iterator[Call]:
    values = _parameters(document, operation, item, node)
    bodies = list(_bodies(document, operation, node))
    for label, media, keywords in bodies:
        chosen = {name: named.get(label, next(iter(named.values()))) for name, named in values.items()}
        yield Call(operation.name, label, media, {**chosen, **keywords}, operation.pointer)
    if not bodies:
        first = {name: next(iter(named.values())) for name, named in values.items()}
        required = {found.python_name for found in operation.arguments if found.required}
        least = {name: value for name, value in first.items() if name in required}
        for keywords in [least] if least == first else [least, first]:
            yield Call(operation.name, "", "", keywords, operation.pointer)


def _parameters(document: Document, operation: Operation, item: Node, node: Node) -> dict[str, dict[str, Any]]:
    """Return the examples of each parameter that has some, and of each that is required, by keyword and label."""
    declared: dict[tuple[str, str], Node] = {}
    for holder in (item, node):
        references = holder.get("parameters")
        for reference in references.elements() if references else ():
            parameter = document.resolve(reference)
            declared[parameter.text("in"), parameter["name"].value] = parameter
    found: dict[str, dict[str, Any]] = {}
    for argument in operation.parameters:
        parameter = declared[argument.location, argument.name.get_untrusted_value()]
        entry = next((entry for _, entry in parameter.children("content")), parameter)
        found[argument.python_name] = dict(_examples(document, entry, needed=argument.required))
    return {name: named for name, named in found.items() if named}


def _bodies(document: Document, operation: Operation, node: Node) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield label, content type and keywords of each example of a body."""
    body = operation.body
    if body is None:
        return
    names = {field.name.get_untrusted_value(): field.python_name for field in operation.fields}
    for number, (media, entry) in enumerate(document.resolve(node["requestBody"]).children("content")):
        # The first content type is what a caller gets who names none, as most do.
        selected = {operation.selector: media} if operation.selector and number else dict[str, Any]()
        for label, value in _examples(document, entry, needed=body.required):
            if not body.is_object:
                yield label, media, {operation.fields[0].python_name: value, **selected}
            elif is_object(value):
                given = {names[name]: inner for name, inner in value.items() if name in names}
                yield label, media, {**given, **selected}


def _answers(document: Document, operation: Operation, node: Node) -> Iterator[Answer]:
    known = {str(response.status): response for response in (*operation.success, *operation.errors)}
    for text, reference in node.children("responses"):
        response = known.get(text if text == "default" else text.replace("x", "X"))
        status = _status(operation, response) if response else None
        for media, entry in document.resolve(reference).children("content") if status else ():
            for label, value in _examples(document, entry, needed=True):
                yield Answer(operation.name, status or 0, label, media, value, operation.pointer)


def _status(operation: Operation, response: Response) -> int | None:
    """Return a status that falls under a response, and under no other one."""
    if isinstance(response.status, int):
        return response.status
    known = {str(other.status) for other in (*operation.success, *operation.errors)} - {response.status}
    likely = range(200, 300) if response in operation.success else (*range(500, 600), *range(400, 500))
    likely = likely if response.status == "default" else range(int(response.status[0]) * 100, 600)
    return next((status for status in likely if not {str(status), f"{status // 100}XX"} & known), None)


def _examples(document: Document, holder: Node, *, needed: bool) -> Iterator[tuple[str, Any]]:
    """Yield the examples of a content type or a parameter, else one that its schema makes: label and value.

    Args:
        document: Where references lead.
        holder: The content type or the parameter.
        needed: Whether there must be one: then it is made of plain values where the schema shows none.
    """
    named = [(name, document.resolve(found)) for name, found in holder.children("examples")]
    values = [(name, found["value"].value) for name, found in named if found.get("value")]
    if not values and holder.get("example"):
        values = [("", holder["example"].value)]
    schema = holder.get("schema")
    if not values and schema:
        value = _Showing(document).of(schema, needed=needed)
        values = [("", value)] if value is not NONE else []
    yield from values


class _Showing:
    """Puts one example together, of what a schema and its parts show."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = _MOST_VALUES

    def of(self, schema: Node, *, needed: bool, above: tuple[str, ...] = ()) -> Any:
        """Return what a schema shows; where it shows nothing, a plain value if one is needed, else `NONE`."""
        target = self._document.resolve(schema)
        self._left -= 1
        examples = target.get("examples")
        if examples and is_array(examples.value) and examples.value:
            return examples.value[0]
        if target.get("example"):
            return target["example"].value
        whole = _whole(self._document, target)
        ends = target.pointer in above or self._left < 0  # a recursion need not go on
        found = NONE if ends else self._of_parts(whole, needed, (*above, target.pointer))
        return _plain(whole) if found is NONE and needed else found

    def _of_parts(self, whole: Node, needed: bool, above: tuple[str, ...]) -> Any:
        children = dict(whole.children("properties"))
        named = {name: self.of(child, needed=False, above=above) for name, child in children.items()}
        named = {name: value for name, value in named.items() if value is not NONE}
        missing = [name for name in whole.array("required") if name in children and name not in named]
        if named or (needed and missing):
            return named | {name: self.of(children[name], needed=True, above=above) for name in missing}
        item = self.of(whole["items"], needed=needed, above=above) if whole.get("items") else NONE
        return self._of_alternatives(whole, needed, above) if item is NONE else [item]

    def _of_alternatives(self, whole: Node, needed: bool, above: tuple[str, ...]) -> Any:
        found = (self.of(alternative, needed=needed, above=above) for alternative in _alternatives(whole))
        return next((value for value in found if value is not NONE), NONE)


def _plain(schema: Node) -> Any:
    """Return a plain value of a schema's type."""
    if values_of(schema):
        return values_of(schema)[0]
    if schema.get("default"):
        return schema["default"].value
    kinds = kinds_of(schema)
    if not kinds or "string" in kinds:
        return _PLAIN_TEXTS.get(schema.text("format"), "text")
    if kinds & {"integer", "number"}:
        return 1
    if "boolean" in kinds:
        return True
    return [] if "array" in kinds else {} if "object" in kinds else None


def _whole(document: Document, target: Node) -> Node:
    return merged(document, target) if target.get("allOf") else target


def _alternatives(whole: Node) -> list[Node]:
    return [found for key in ("oneOf", "anyOf") if whole.get(key) for found in whole[key].elements()]


def _completed_answer(side: Side, answer: Answer) -> Answer:
    schema = _schema_of(side, answer)
    return attrs.evolve(answer, value=_completed(side.document, answer.value, schema)) if schema else answer


def _schema_of(side: Side, answer: Answer) -> Node | None:
    """Return what a document says of an answer as JSON: under its status, else its range's, else the default."""
    pointer = next((found.pointer for found in side.contract.operations if found.name == answer.operation), "")
    node = side.document.at(pointer)
    responses = {status.lower(): found for status, found in node.children("responses")} if node else {}
    for status in (str(answer.status), f"{answer.status // 100}xx", "default"):
        if status in responses:
            contents = dict(side.document.resolve(responses[status]).children("content"))
            return contents[answer.media].get("schema") if answer.media in contents and is_json(answer.media) else None
    return None


def _completed(document: Document, value: Any, schema: Node) -> Any:
    """Return a value with the properties that a schema requires besides; a union of several objects stays as it is."""
    whole = _whole(document, document.resolve(schema))
    others = [found for found in _alternatives(whole) if kinds_of(document.resolve(found)) != {"null"}]
    if len(others) == 1:
        return _completed(document, value, others[0])
    if is_array(value) and whole.get("items"):
        return [_completed(document, inner, whole["items"]) for inner in value]
    if not is_object(value):
        return value
    children = dict(whole.children("properties"))
    extra = whole.get("additionalProperties")
    found: dict[str, Any] = {}
    for name, inner in value.items():
        child = children.get(name, extra)
        found[name] = _completed(document, inner, child) if child and child.names else inner
    missing = [name for name in whole.array("required") if name in children and name not in value]
    return found | {name: _Showing(document).of(children[name], needed=True) for name in missing}
