# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""The operations of the document, by operationId."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import Operation

__all__ = ["OPERATIONS", "operation"]

OPERATIONS: dict[str, str] = {
    "issueToken": "authentication.issue_token",
    "whoami": "core.whoami",
    "listNumbers": "core.list_numbers",
    "searchNumbers": "core.search_numbers",
    "updateNumber": "core.update_number",
    "sendMessage": "core.send_message",
}
"""Each operationId with its module below `api`, in the order of the document."""


def operation(operation_id: str) -> "Operation[Any]":
    """Return an operation by its operationId; KeyError if the document has none of that name."""
    module = import_module(f".api.{OPERATIONS[operation_id]}", __package__)
    found: Operation[Any] = module.OPERATION
    return found
