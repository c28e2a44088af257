"""The CORE API as a real HTTP server, for development and for tests in any language.

`python -m redcloud_core.sandbox` serves it to everybody; `Sandbox` serves it to the tests of one Python process. Both
need the extra: `redcloud-core[sandbox]`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._server import Sandbox as Sandbox
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ._extra import extra_needed

        with extra_needed():
            from ._server import Sandbox
        return Sandbox


__all__ = ["Sandbox"]
