# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["NumberGroup"]

NumberGroup: TypeAlias = dict[str, Any]
"""A group of available numbers.

Unconfirmed: no documentation shows the fields of a group.
"""
