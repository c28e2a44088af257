"""A secret that shows nowhere: not in a repr, a traceback with locals, a copy or a pickle."""

from collections.abc import Callable
from typing import Any


class Secret:
    """A text that only `reveal` gives away."""

    __slots__ = ("_reveal",)

    def __init__(self, text: str) -> None:
        """Hide a text; whoever calls should not keep it in a variable."""
        self._reveal: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """Return the text."""
        return self._reveal()

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> Any:
        raise TypeError("a secret cannot be copied or pickled")
