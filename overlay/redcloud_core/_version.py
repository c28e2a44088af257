"""The version of the SDK: that of the document, and the SDK's own revision of it.

The build reads this file, so it imports nothing that needs a dependency.
"""

from redcloud_core_client._provenance import PROVENANCE

REVISION: int | None = None
"""The SDK's own revision of the same document, the fourth number; None for the first, and for a candidate."""


def sdk_version(document_version: str, revision: int | None) -> str:
    """Return the SDK's version: document 0.2.0 gives 0.2.0, then 0.2.0.1; 0.3.0-rc.1 gives 0.3.0rc1."""
    plain = document_version.replace("-rc.", "rc")
    return plain if revision is None else f"{plain}.{revision}"


__version__ = sdk_version(PROVENANCE["document"]["version"], REVISION)
