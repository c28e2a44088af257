# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "e1031662ac11cd492bcc1ab278210e8099a3e80d6155089c5b5162b8fbe7bab9"},
    "config": {"sha256": "d45bb422bb44282cccb9e7a399910ce6c030ae6c2e413dbd64c6ad34e20f0a62"},
    "templates": {"sha256": "1998a47f29b3f33a1a104460f7a204bfdb93d024e377312989d0be6b20729177"},
    "output": {"sha256": "7a38009a41cb5eed4f4fb5322139ec2f7a75e762303cb33d45b80d32f276ba52"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
}
