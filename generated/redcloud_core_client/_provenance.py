# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "28772f2b23969f6e31bcf2fc7effd8163b347e2b73baa2deda7681dc864c9517"},
    "config": {"sha256": "d45bb422bb44282cccb9e7a399910ce6c030ae6c2e413dbd64c6ad34e20f0a62"},
    "templates": {"sha256": "617ae0d390bfef886bcbef8800a985d1e758e3d8d04a372252a89b62da6a98ad"},
    "output": {"sha256": "a9d134e9a4000df5e08ffa8d40a2f4c45f134bd1a3d29f206a36a5b89f2b7c2a"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
}
