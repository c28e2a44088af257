"""A caller's imports, all of them: each public module of the installed packages, and each name that it makes public."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType

NEED_AN_EXTRA = {"redcloud_core.sandbox"}


def main() -> None:
    """Import it all, and make sure that it comes from this environment."""
    for module in _public_modules():
        for name in getattr(module, "__all__", ()) if module.__name__ not in NEED_AN_EXTRA else ():
            getattr(module, name)


def _public_modules() -> Iterator[ModuleType]:
    for package in ("redcloud_core", "redcloud_core_client"):
        root = importlib.import_module(package)
        if not str(root.__file__).startswith(sys.prefix):
            sys.exit(f"{package} is imported from {root.__file__} and not from {sys.prefix}")
        yield root
        for found in pkgutil.iter_modules(root.__path__):
            if not found.name.startswith("_"):
                yield importlib.import_module(f"{package}.{found.name}")


if __name__ == "__main__":
    main()
