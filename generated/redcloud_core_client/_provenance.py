# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "28772f2b23969f6e31bcf2fc7effd8163b347e2b73baa2deda7681dc864c9517"},
    "config": {"sha256": "d45bb422bb44282cccb9e7a399910ce6c030ae6c2e413dbd64c6ad34e20f0a62"},
    "templates": {"sha256": "3dd84e3b764210b0d384f938aa4d77bd428cced79df543c62fb67fa93296e015"},
    "output": {"sha256": "029d6e0f3430a60f30e86e47055e5b5556ca9ea54a49fa11bf049308c8eda7c5"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
}
