# Machine-written by ./scripts/regenerate from version 0.2.0 of the document; do not edit.
"""What this package was made from; `./scripts/regenerate --check` compares."""

from typing import Any

__all__ = ["PROVENANCE"]

PROVENANCE: dict[str, Any] = {
    "document": {"version": "0.2.0", "sha256": "e1031662ac11cd492bcc1ab278210e8099a3e80d6155089c5b5162b8fbe7bab9"},
    "config": {"sha256": "8233cbac88176dfeb580f6874f6b970918b8860d14f8035864bef4696ac4517e"},
    "templates": {"sha256": "395a61c49c7113cd053b0ad74908782d8b807cf2238108f45bc6d5e660bb6c89"},
    "output": {"sha256": "48b54bc8f860ae22269126c3332929f36b45711c8f4848822e18377d8f1a20d5"},
    "generator": {"name": "openapi-python-client", "version": "0.29.1"},
    "formatter": {"name": "ruff", "version": "0.17.6"},
    "typescript": {"name": "openapi-typescript", "version": "7.13.0"},
}
