# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["UpdatedNumber"]

UpdatedNumber: TypeAlias = dict[str, Any]
"""The answer to an update. It is a JSON object, most likely the number as it is now.

Unconfirmed: the documentation shows that a JSON object comes back, none of its fields.
"""
