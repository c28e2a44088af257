# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["MessageMediaInput"]

MessageMediaInput: TypeAlias = dict[str, Any]
"""One media item of an MMS.

Unconfirmed: no documentation shows the fields of a media item.
"""
