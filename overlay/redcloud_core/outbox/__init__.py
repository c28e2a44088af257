"""Durable sends: stored before the first byte leaves, sent once, whatever dies in between.

`Outbox` is a file that some threads or processes add messages to and others drain.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._sending import Account as Account
    from ._bar import progress_bar as progress_bar
    from ._entries import Counts as Counts
    from ._entries import Entry as Entry
    from ._entries import Lease as Lease
    from ._entries import Record as Record
    from ._entries import Result as Result
    from ._entries import State as State
    from ._entries import Store as Store
    from ._entries import Terms as Terms
    from ._outbox import NewMessage as NewMessage
    from ._outbox import Outbox as Outbox
    from ._shift import Progress as Progress

_HOMES = {
    "Account": ".._sending",
    "Counts": "._entries",
    "Entry": "._entries",
    "Lease": "._entries",
    "NewMessage": "._outbox",
    "Outbox": "._outbox",
    "Progress": "._shift",
    "Record": "._entries",
    "Result": "._entries",
    "State": "._entries",
    "Store": "._entries",
    "Terms": "._entries",
    "progress_bar": "._bar",
}

__all__ = [
    "Account",
    "Counts",
    "Entry",
    "Lease",
    "NewMessage",
    "Outbox",
    "Progress",
    "Record",
    "Result",
    "State",
    "Store",
    "Terms",
    "progress_bar",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(_HOMES[name], __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__
