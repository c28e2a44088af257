"""The two sides of a comparison."""

from pathlib import Path

import attrs

from ..contract import Contract
from ..document import Document


@attrs.frozen(eq=False)
class Side:
    """A document, and the low-level client that was generated of it; what is read of it is known by which side it is.

    Attributes:
        folder: The folder that holds the package.
        document: The document.
        contract: What was read of it.
    """

    folder: Path
    document: Document
    contract: Contract
