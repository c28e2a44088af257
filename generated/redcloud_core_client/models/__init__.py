# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""Every type that the document names, by its name there."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assigned_numbers import AssignedNumbers as AssignedNumbers
    from .client_context import ClientContext as ClientContext
    from .core_error import CoreError as CoreError
    from .core_error_response import CoreErrorResponse as CoreErrorResponse
    from .message_media_input import MessageMediaInput as MessageMediaInput
    from .message_type import MessageType as MessageType
    from .number import Number as Number
    from .number_group import NumberGroup as NumberGroup
    from .number_list import NumberList as NumberList
    from .number_search import NumberSearch as NumberSearch
    from .number_search_result import NumberSearchResult as NumberSearchResult
    from .number_update import NumberUpdate as NumberUpdate
    from .o_auth_error import OAuthError as OAuthError
    from .o_auth_error_code import OAuthErrorCode as OAuthErrorCode
    from .send_error import SendError as SendError
    from .send_message_request import SendMessageRequest as SendMessageRequest
    from .send_message_response import SendMessageResponse as SendMessageResponse
    from .send_result import SendResult as SendResult
    from .token_form import TokenForm as TokenForm
    from .token_request import TokenRequest as TokenRequest
    from .token_response import TokenResponse as TokenResponse
    from .updated_number import UpdatedNumber as UpdatedNumber

    pass

_MODULES: dict[str, str] = {
    "AssignedNumbers": "assigned_numbers",
    "ClientContext": "client_context",
    "CoreError": "core_error",
    "CoreErrorResponse": "core_error_response",
    "MessageMediaInput": "message_media_input",
    "MessageType": "message_type",
    "Number": "number",
    "NumberGroup": "number_group",
    "NumberList": "number_list",
    "NumberSearch": "number_search",
    "NumberSearchResult": "number_search_result",
    "NumberUpdate": "number_update",
    "OAuthError": "o_auth_error",
    "OAuthErrorCode": "o_auth_error_code",
    "SendError": "send_error",
    "SendMessageRequest": "send_message_request",
    "SendMessageResponse": "send_message_response",
    "SendResult": "send_result",
    "TokenForm": "token_form",
    "TokenRequest": "token_request",
    "TokenResponse": "token_response",
    "UpdatedNumber": "updated_number",
}

__all__: list[str] = [
    "AssignedNumbers",
    "ClientContext",
    "CoreError",
    "CoreErrorResponse",
    "MessageMediaInput",
    "MessageType",
    "Number",
    "NumberGroup",
    "NumberList",
    "NumberSearch",
    "NumberSearchResult",
    "NumberUpdate",
    "OAuthError",
    "OAuthErrorCode",
    "SendError",
    "SendMessageRequest",
    "SendMessageResponse",
    "SendResult",
    "TokenForm",
    "TokenRequest",
    "TokenResponse",
    "UpdatedNumber",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(_import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
