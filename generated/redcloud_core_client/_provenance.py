# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "e1031662ac11cd492bcc1ab278210e8099a3e80d6155089c5b5162b8fbe7bab9"},
    "config": {"sha256": "d45bb422bb44282cccb9e7a399910ce6c030ae6c2e413dbd64c6ad34e20f0a62"},
    "templates": {"sha256": "1efac76b8cddb2a9589b726ba3cb579a5d1e18976b60510df94514ff5f76a7d1"},
    "output": {"sha256": "b5f656dbfb5405a5a29b0e2a15af89be74db396ad905d3255a8dd7e7fe037efd"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
}
