"""Who is compared, pinned: the newest of each when this was written."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from .environments import Contender, prepare, wheel, write_openapi_generator_client, write_stock_client
from .interleaving import WORKERS, Start

OURS = "redcloud-core"
BARE = "httpx"
BARE_WITH_SNIFFIO = "httpx with sniffio"
STOCK = "openapi-python-client"
OPENAPI_GENERATOR = "openapi-generator"

_LIBRARIES = {
    OURS: "ours",
    BARE: "bare",
    BARE_WITH_SNIFFIO: "bare",
    STOCK: "stock",
    OPENAPI_GENERATOR: "openapi_generator",
    "telnyx": "with_telnyx",
    "twilio": "with_twilio",
    "stripe": "with_stripe",
    "vonage": "with_vonage",
    "pydantic": "with_pydantic",
    "msgspec": "msgspec_alone",
    "json": "json_alone",
}


def library(name: str) -> Path:
    """Return the file that says how a contender is used."""
    return WORKERS / "peers" / f"{_LIBRARIES.get(name, name)}.py"


@cache
def contenders() -> Mapping[str, Contender]:
    """Return all contenders by name; ours is built of the tree as it is."""
    built = str(wheel())
    found = (
        Contender(OURS, [built]),
        Contender(BARE, [_as_here("httpx")]),
        # httpcore looks for it in every asynchronous call, and redcloud-core brings it
        Contender(BARE_WITH_SNIFFIO, [_as_here("httpx"), _as_here("sniffio")]),
        Contender(STOCK, [_as_here("httpx"), _as_here("attrs"), _as_here("python-dateutil")], write_stock_client),
        Contender(OPENAPI_GENERATOR, _OPENAPI_GENERATOR, write_openapi_generator_client, needs="java"),
        Contender("telnyx", ["telnyx==4.189.0"]),
        Contender("twilio", ["twilio==9.13.0"]),
        Contender("stripe", ["stripe==16.1.0"]),
        Contender("vonage", ["vonage==4.9.1"]),
        Contender("pydantic", [_as_here("pydantic")]),
        Contender("aiohttp", [built, "httpx-aiohttp==0.2.0", "aiohttp==3.14.5"]),
    )
    return {contender.name: contender for contender in found}


def ready(names: Sequence[str]) -> dict[str, Contender]:
    """Prepare contenders, and return those that this machine can run."""
    known = contenders()
    return {contender.name: contender for contender in prepare([known[name] for name in names])}


def start(contender: Contender, task: str, *arguments: str, used_as: str | None = None) -> Start:
    """Say how a contender does a task.

    Args:
        contender: The one whose environment it is.
        task: A function of `workers/tasks.py`.
        arguments: What the task takes besides.
        used_as: The file that says how it is used, if not the contender's own.
    """
    return Start(contender.python, library(used_as or contender.name), task, arguments)


def _as_here(package: str) -> str:
    return f"{package}=={version(package)}"


_OPENAPI_GENERATOR = (
    "openapi-generator-cli==7.26.0",
    *(_as_here(package) for package in ("urllib3", "python-dateutil", "pydantic", "typing-extensions")),
)
