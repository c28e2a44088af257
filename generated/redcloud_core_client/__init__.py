# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""The low-level client of Red Cloud CORE API. Import what you need from its modules; this one imports nothing."""
