"""The types of the API under the names of the document, and what reads and writes them.

`encode` and `decode` turn them into JSON and back, `to_builtins` into plain data; `UNSET` is what a property holds
that was not there.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from redcloud_core_client import models as _models

if TYPE_CHECKING:
    from redcloud_core_client.codec import decode as decode
    from redcloud_core_client.codec import encode as encode
    from redcloud_core_client.codec import to_builtins as to_builtins
    from redcloud_core_client.models import *  # noqa: F403
    from redcloud_core_client.types import UNSET as UNSET
    from redcloud_core_client.types import Unset as Unset

_HOMES = {
    "UNSET": "redcloud_core_client.types",
    "Unset": "redcloud_core_client.types",
    "decode": "redcloud_core_client.codec",
    "encode": "redcloud_core_client.codec",
    "to_builtins": "redcloud_core_client.codec",
}

__all__ = ["UNSET", "Unset", "decode", "encode", "to_builtins"]
__all__ += _models.__all__

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(_HOMES.get(name, _models.__name__)), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
