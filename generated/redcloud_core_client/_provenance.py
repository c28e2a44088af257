# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "e1031662ac11cd492bcc1ab278210e8099a3e80d6155089c5b5162b8fbe7bab9"},
    "config": {"sha256": "d45bb422bb44282cccb9e7a399910ce6c030ae6c2e413dbd64c6ad34e20f0a62"},
    "templates": {"sha256": "d7dc603ca2961489f211dfea9266b52400af1cd55dd8cec56779f495582a4e03"},
    "output": {"sha256": "64e4682c6dcdf5fb45611b80965671c7be51bbb77f892c2a12450e929a2c745f"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
}
