"""Everything that the overlay knows of the generated names.

When a new document renames one of them, this is the place to mend; the type checker points here.
"""

from collections.abc import Mapping

from redcloud_core_client.answers import match
from redcloud_core_client.answers import read as read_answer
from redcloud_core_client.api.authentication import issue_token
from redcloud_core_client.api.core import send_message, update_number
from redcloud_core_client.calls import Answer, Operation, Request
from redcloud_core_client.codec import Malformed, decode, decode_plain, to_builtins
from redcloud_core_client.errors import DriftedAnswer, ErrorAnswer, InvalidRequest, UnreadableAnswer, Violation
from redcloud_core_client.fields import SendMessageFields, UpdateNumberFields
from redcloud_core_client.http_library import httpx
from redcloud_core_client.methods import AsyncMethods, Methods
from redcloud_core_client.models.number import Number
from redcloud_core_client.models.send_error import SendError
from redcloud_core_client.models.send_message_response import SendMessageResponse
from redcloud_core_client.models.send_result import SendResult
from redcloud_core_client.models.updated_number import UpdatedNumber
from redcloud_core_client.shapes import is_array, is_mapping, is_object
from redcloud_core_client.types import UNSET

SAFE_OPERATIONS: Mapping[str, str] = {
    "searchNumbers": "a search reads, although it is a POST",
    "updateNumber": "setting the same values twice is harmless, although it is a PATCH",
}
"""Operations that may be sent again like reads, beside what follows from the document; each with the reason."""

__all__ = [
    "SAFE_OPERATIONS",
    "UNSET",
    "Answer",
    "AsyncMethods",
    "DriftedAnswer",
    "ErrorAnswer",
    "InvalidRequest",
    "Malformed",
    "Methods",
    "Number",
    "Operation",
    "Request",
    "SendError",
    "SendMessageFields",
    "SendMessageResponse",
    "SendResult",
    "UnreadableAnswer",
    "UpdateNumberFields",
    "UpdatedNumber",
    "Violation",
    "decode",
    "decode_plain",
    "httpx",
    "is_array",
    "is_mapping",
    "is_object",
    "issue_token",
    "match",
    "read_answer",
    "send_message",
    "to_builtins",
    "update_number",
]
