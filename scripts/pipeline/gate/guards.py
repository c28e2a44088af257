"""Guards on a document: what it must not "repair", unless a maintainer says that the API really changed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs
import jsonschema_rs

from ..contract import Contract, Operation, Property
from ..document import Document
from ..loading import is_object
from ..reader import directions

Guard = Literal["campaign-spelling", "send-from", "idempotency-key", "title"]

GUARDS: Mapping[Guard, str] = {
    "campaign-spelling": "the API no longer spells `campaignregId` in requests, `campaignRegId` in answers",
    "send-from": "sendFrom takes something else than a number id",
    "idempotency-key": "a send no longer requires Idempotency-Key",
    "title": "the API has another title",
}
"""What a maintainer says with the option `--accept-...` of each guard."""

IN_REQUESTS = "campaignregId"
"""How the API spells the campaign in requests."""

IN_ANSWERS = "campaignRegId"
"""How the API spells the campaign in answers."""

_NUMBER_ID = "num_abc123"
_PHONE_NUMBERS = ("+15551234567", "15551234567", "5551234567", "555-123-4567", "(555) 123-4567")
_PHONE_FORMAT = re.compile(r"phone|e\.?164|msisdn|^tel", re.IGNORECASE)


@attrs.frozen
class Violation:
    """What a guard refuses, and where it stands."""

    guard: Guard
    where: str
    what: str


def violations(document: Document, contract: Contract, title: str) -> list[Violation]:
    """Return what the guards refuse in a document.

    Args:
        document: The new document.
        contract: What was read of it.
        title: The title of the committed document.
    """
    found = [*_spellings(contract), *_send_from(document, contract), *_idempotency_key(contract)]
    own = document.root["info"].text("title")
    if own != title:
        found.append(Violation("title", "#/info/title", f"this is a document of `{own}`, not of `{title}`"))
    return found


def _spellings(contract: Contract) -> Iterator[Violation]:
    sent, read = directions(contract.schemas, contract.operations)
    for schema in contract.schemas:
        for found in schema.properties:
            if schema.name in sent:
                yield from _spelling(found.name.get_untrusted_value(), IN_REQUESTS, "requests", found.pointers[0])
            if schema.name in read:
                yield from _spelling(found.name.get_untrusted_value(), IN_ANSWERS, "answers", found.pointers[0])
    for operation in contract.operations:
        for parameter in operation.parameters:
            yield from _spelling(parameter.name.get_untrusted_value(), IN_REQUESTS, "requests", operation.pointer)


def _spelling(name: str, right: str, where: str, pointer: str) -> Iterator[Violation]:
    if name != right and re.sub(r"[^a-z]", "", name.lower()) == right.lower():
        yield Violation("campaign-spelling", pointer, f"`{name}` is `{right}` in {where}, as the API implements it")


def _send_from(document: Document, contract: Contract) -> Iterator[Violation]:
    sent, _ = directions(contract.schemas, contract.operations)
    for schema in contract.schemas:
        for found in schema.properties:
            if schema.name in sent and found.name.get_untrusted_value() == "sendFrom":
                yield from _form(_rules(document, found), found.pointers[0])


def _rules(document: Document, of: Property) -> dict[str, Any]:
    """Return all that the document asks of a value, wherever it says so."""
    rules: dict[str, Any] = {}
    for pointer in of.pointers:
        node = document.at(pointer)
        found = document.resolve(node).value if node is not None else None
        rules |= found if is_object(found) else {}
    return {key: rules[key] for key in ("pattern", "format", "enum", "const", "minLength", "maxLength") if key in rules}


def _form(rules: dict[str, Any], pointer: str) -> Iterator[Violation]:
    said = ", ".join(f"`{key}` {value}" for key, value in rules.items())
    if not _fits(rules, _NUMBER_ID):
        yield Violation("send-from", pointer, f"a number id such as {_NUMBER_ID} does not fit {said}")
    elif {"pattern", "format"} & set(rules) and any(_fits(rules, number) for number in _PHONE_NUMBERS):
        is_harmless = "pattern" not in rules and not _PHONE_FORMAT.search(str(rules["format"]))
        if not is_harmless:
            yield Violation("send-from", pointer, f"a phone number fits {said}, and sendFrom takes a number id")


def _fits(rules: dict[str, Any], value: str) -> bool:
    try:
        return jsonschema_rs.validator_for(rules, validate_formats=True).is_valid(value)
    except (ValueError, jsonschema_rs.ValidationError):
        return False  # a rule that is no rule fits nothing


def _idempotency_key(contract: Contract) -> Iterator[Violation]:
    for operation in contract.operations:
        if operation.id == "sendMessage" and not _requires_key(operation):
            what = "`sendMessage` does not require the header Idempotency-Key"
            yield Violation("idempotency-key", operation.pointer, f"{what}: no send could be repeated safely")


def _requires_key(operation: Operation) -> bool:
    return any(
        found.location == "header" and found.name.get_untrusted_value().lower() == "idempotency-key" and found.required
        for found in operation.parameters
    )
