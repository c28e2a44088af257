"""What the sandbox needs beyond the SDK itself."""

from collections.abc import Generator
from contextlib import contextmanager

PACKAGES = frozenset({"jsonschema_rs", "starlette", "uvicorn"})


@contextmanager
def extra_needed() -> Generator[None]:
    """Turn the absence of a package of the extra into an error that says what to install.

    Raises:
        ImportError: A package of the extra `sandbox` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        raise ImportError(f"the sandbox needs {package}: install `redcloud-core[sandbox]`") from None
