"""The Python SDK of the Red Cloud CORE API.

Start with `RedCloud` or `AsyncRedCloud`. What can go wrong is a `RedCloudError`; its tree is drawn in the docstring of
`redcloud_core._errors`. The types of the API are in `redcloud_core.models`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import models as models
    from . import outbox as outbox
    from . import sandbox as sandbox
    from ._async_client import AsyncRedCloud as AsyncRedCloud
    from ._auth import TokenState as TokenState
    from ._client import RedCloud as RedCloud
    from ._contract import contract as contract
    from ._contract import provenance as provenance
    from ._errors import APIError as APIError
    from ._errors import BadRequestError as BadRequestError
    from ._errors import ClientClosedError as ClientClosedError
    from ._errors import ConflictError as ConflictError
    from ._errors import ConnectError as ConnectError
    from ._errors import ForbiddenError as ForbiddenError
    from ._errors import GuardError as GuardError
    from ._errors import InvalidCallError as InvalidCallError
    from ._errors import InvalidClientError as InvalidClientError
    from ._errors import NotFoundError as NotFoundError
    from ._errors import OutboxError as OutboxError
    from ._errors import RecipientsRejectedError as RecipientsRejectedError
    from ._errors import RedCloudError as RedCloudError
    from ._errors import SendOutcomeUnknown as SendOutcomeUnknown
    from ._errors import ServerError as ServerError
    from ._errors import TokenError as TokenError
    from ._errors import TokenUnavailableError as TokenUnavailableError
    from ._errors import TransportError as TransportError
    from ._errors import UnauthorizedError as UnauthorizedError
    from ._errors import UndocumentedStatusError as UndocumentedStatusError
    from ._errors import UnreadableAnswerError as UnreadableAnswerError
    from ._errors import UpstreamError as UpstreamError
    from ._guards import DuplicateRecipientWarning as DuplicateRecipientWarning
    from ._guards import GuardViolation as GuardViolation
    from ._idempotency import IdempotencyKey as IdempotencyKey
    from ._retries import Attempt as Attempt
    from ._segments import ForcingCharacter as ForcingCharacter
    from ._segments import Segments as Segments
    from ._segments import count_segments as count_segments
    from ._sending import Receipt as Receipt
    from ._sending import Send as Send
    from ._token_cache import FileTokenCache as FileTokenCache
    from ._token_cache import MemoryTokenCache as MemoryTokenCache
    from ._token_cache import Token as Token
    from ._token_cache import TokenCache as TokenCache
    from ._version import __version__ as __version__

_HOMES = {
    "APIError": "_errors",
    "AsyncRedCloud": "_async_client",
    "Attempt": "_retries",
    "BadRequestError": "_errors",
    "ClientClosedError": "_errors",
    "ConflictError": "_errors",
    "ConnectError": "_errors",
    "DuplicateRecipientWarning": "_guards",
    "FileTokenCache": "_token_cache",
    "ForbiddenError": "_errors",
    "ForcingCharacter": "_segments",
    "GuardError": "_errors",
    "GuardViolation": "_guards",
    "IdempotencyKey": "_idempotency",
    "InvalidCallError": "_errors",
    "InvalidClientError": "_errors",
    "MemoryTokenCache": "_token_cache",
    "NotFoundError": "_errors",
    "OutboxError": "_errors",
    "Receipt": "_sending",
    "RecipientsRejectedError": "_errors",
    "RedCloud": "_client",
    "RedCloudError": "_errors",
    "Segments": "_segments",
    "Send": "_sending",
    "SendOutcomeUnknown": "_errors",
    "ServerError": "_errors",
    "Token": "_token_cache",
    "TokenCache": "_token_cache",
    "TokenError": "_errors",
    "TokenState": "_auth",
    "TokenUnavailableError": "_errors",
    "TransportError": "_errors",
    "UnauthorizedError": "_errors",
    "UndocumentedStatusError": "_errors",
    "UnreadableAnswerError": "_errors",
    "UpstreamError": "_errors",
    "__version__": "_version",
    "contract": "_contract",
    "count_segments": "_segments",
    "provenance": "_contract",
}

__all__ = [
    "APIError",
    "AsyncRedCloud",
    "Attempt",
    "BadRequestError",
    "ClientClosedError",
    "ConflictError",
    "ConnectError",
    "DuplicateRecipientWarning",
    "FileTokenCache",
    "ForbiddenError",
    "ForcingCharacter",
    "GuardError",
    "GuardViolation",
    "IdempotencyKey",
    "InvalidCallError",
    "InvalidClientError",
    "MemoryTokenCache",
    "NotFoundError",
    "OutboxError",
    "Receipt",
    "RecipientsRejectedError",
    "RedCloud",
    "RedCloudError",
    "Segments",
    "Send",
    "SendOutcomeUnknown",
    "ServerError",
    "Token",
    "TokenCache",
    "TokenError",
    "TokenState",
    "TokenUnavailableError",
    "TransportError",
    "UnauthorizedError",
    "UndocumentedStatusError",
    "UnreadableAnswerError",
    "UpstreamError",
    "__version__",
    "contract",
    "count_segments",
    "provenance",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in ("models", "outbox", "sandbox"):
            return import_module(f"{__name__}.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return [*__all__, "models", "outbox", "sandbox"]
