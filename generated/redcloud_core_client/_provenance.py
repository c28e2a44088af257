# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "e1031662ac11cd492bcc1ab278210e8099a3e80d6155089c5b5162b8fbe7bab9"},
    "config": {"sha256": "8233cbac88176dfeb580f6874f6b970918b8860d14f8035864bef4696ac4517e"},
    "templates": {"sha256": "1d8baa8225e972de4c6151f0abc27aeca278a6359f26c26d1d9a07e454f13e64"},
    "output": {"sha256": "5792b64fa85f1c40ae466d698c2ee96699fca5109e6b5340563eff2ed19f5318"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
    "typescript": {"name": "openapi-typescript", "version": "7.13.0"},
}
