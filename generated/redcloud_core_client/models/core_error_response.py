# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .. import types as _types
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .core_error import CoreError

__all__ = ["CoreErrorResponse"]


@attrs.define(kw_only=True)
class CoreErrorResponse:
    """The CORE wrapper, the error body of every `/api/core` route.

    Unconfirmed: the name of the wrapper and its required list are not documented.
    """

    error: CoreError
    """What went wrong, inside the CORE wrapper."""
    requestId: str | None | Unset = UNSET
    """Identifies the request towards Red Cloud's support. Log it whenever it is there.

    Unconfirmed: presence and null, the guides say "when present".
    """


_types.link(globals(), __package__, {"CoreError": "core_error"})
