# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "28772f2b23969f6e31bcf2fc7effd8163b347e2b73baa2deda7681dc864c9517"},
    "config": {"sha256": "d45bb422bb44282cccb9e7a399910ce6c030ae6c2e413dbd64c6ad34e20f0a62"},
    "templates": {"sha256": "ca19ae0e0871442ece9542292b7f2cefb639c0b3f1464588feea717bfcfe9e42"},
    "output": {"sha256": "845efbdbf164e0b2f2f4500d54dd5751385c674da5c9cab478e24ee8e8a5a324"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
}
