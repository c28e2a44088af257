# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""The HTTP library. Everything that needs it takes it from here, so that it can be replaced in one place."""

import httpx

__all__ = ["httpx"]
