"""What the witnesses of a change say, in one form: the two diff tools, the Python surface and the wire corpus."""

from typing import Literal

import attrs

Class = Literal["wire", "python", "additive", "words"]
"""What a change means to callers: it breaks them on the wire, it renames or breaks Python names, it adds, or it is
words only."""

CLASSES: tuple[Class, ...] = ("wire", "python", "additive", "words")
"""The classes, the worst first."""


@attrs.frozen
class Evidence:
    """What one witness says of one place of the documents.

    Attributes:
        witness: Who says it: `redocly`, `oasdiff`, `surface` or `corpus`.
        rule: The witness's own name for what it found, such as `property-removed`.
        weight: What it means to callers by this witness alone.
        says: A sentence for people.
        before: Where it stands in the old document, as a JSON pointer; empty where it is new.
        after: Where it stands in the new document; empty where it is gone.
        operation: The operation that it was found through, if the witness names one.
    """

    witness: str
    rule: str
    weight: Class
    says: str
    before: str = ""
    after: str = ""
    operation: str = ""
