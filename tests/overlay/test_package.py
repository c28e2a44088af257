"""The package as an importer sees it: light, complete, and true to the document."""

import importlib
import json
import pkgutil
import subprocess
import sys
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import redcloud_core
from pipeline.provenance import hash_of_files
from redcloud_core import _version, contract, models, outbox, provenance

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["httpx", "httpcore", "msgspec", "attr", "attrs", "starlette", "uvicorn", "jsonschema_rs", "dateutil"]
HEAVY += ["asyncio", "ssl", "socket", "concurrent.futures", "logging", "email", "inspect", "redcloud_core_client"]


def _loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after a statement, beyond those it started with."""
    program = f"import sys; before = set(sys.modules)\n{statement}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    return set(done.stdout.split())


def test_import_is_light() -> None:
    """`import redcloud_core` loads nothing heavy, neither the generated package."""
    assert set() == _loaded_by("import redcloud_core") & set(HEAVY)


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("from redcloud_core import __version__", HEAVY[:-1]),
        ("from redcloud_core import contract, provenance; contract(); provenance()", HEAVY[:9]),
        ("from redcloud_core import RedCloudError, SendOutcomeUnknown, APIError", HEAVY[:9]),
        ("import redcloud_core.models", ["httpx", "httpcore", "msgspec", "starlette"]),
        ("from redcloud_core.models import SendMessageRequest, encode", ["httpx", "httpcore", "starlette", "ssl"]),
        ("import redcloud_core.sandbox", ["starlette", "uvicorn", "httpx"]),
        ("import redcloud_core.export", HEAVY[:9]),
        ("import redcloud_core.outbox", [*HEAVY, "sqlite3", "rich"]),
        ("from redcloud_core.outbox import Outbox", ["starlette", "uvicorn", "jsonschema_rs"]),
        ("from redcloud_core import AsyncRedCloud, RedCloud", ["starlette", "uvicorn", "jsonschema_rs"]),
        ("from redcloud_core import RedCloud", ["asyncio", "difflib", "filelock"]),
    ],
)
def test_each_import_loads_what_it_needs(statement: str, absent: list[str]) -> None:
    """A part of the package loads what that part needs, and no more."""
    assert set() == _loaded_by(statement) & set(absent)


def test_every_name_resolves() -> None:
    """Each name of `__all__` is there, the list is sorted, without doubles."""
    for module in (redcloud_core, models, outbox):
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            assert getattr(module, name) is not None
    assert sorted(redcloud_core.__all__) == redcloud_core.__all__


def test_star_import() -> None:
    """`from redcloud_core import *` works."""
    names: dict[str, object] = {}
    exec("from redcloud_core import *; from redcloud_core.models import *", names)
    assert {"RedCloud", "Number", "UNSET"} <= names.keys()


def test_dir() -> None:
    """`dir()` lists the public names and nothing private."""
    assert {"RedCloud", "Receipt", "models", "sandbox"} <= set(dir(redcloud_core))
    assert [name for name in dir(redcloud_core) if name.startswith("_") and name != "__version__"] == []
    assert sorted(models.__all__) == dir(models)


@pytest.mark.parametrize("module", [redcloud_core, models], ids=["package", "models"])
def test_unknown_name(module: object) -> None:
    """A name that is not there is Python's AttributeError, naming module and name."""
    with pytest.raises(AttributeError, match=r"module 'redcloud_core[.\w]*' has no attribute 'Receit'"):
        module.Receit  # type: ignore[attr-defined]  # noqa: B018


def test_every_schema_is_a_model() -> None:
    """`from redcloud_core.models import X` works for every schema; X is a class of that name, or a plain mapping."""
    for name, schema in contract()["components"]["schemas"].items():
        found = getattr(importlib.import_module("redcloud_core.models"), name)
        assert name in models.__all__
        if schema.get("properties") or "enum" in schema:
            assert name == found.__name__
            assert schema["description"].split()[0] in str(found.__doc__)
        else:
            assert found == dict[str, Any]


def test_lazy_names_are_written_once() -> None:
    """What type checkers see and what is loaded lazily are the same names."""
    text = Path(str(redcloud_core.__file__)).read_text(encoding="utf-8")
    block = text.partition("if TYPE_CHECKING:")[2].partition("_HOMES")[0]
    seen = {line.rpartition(" as ")[2].strip() for line in block.splitlines() if " as " in line}
    assert {*redcloud_core.__all__, "models", "outbox", "sandbox"} == seen


def test_no_submodule_bears_a_public_name() -> None:
    """A public submodule is one of the few that are meant to be; none hides a name of `__all__`."""
    public = {found.name for found in pkgutil.iter_modules(redcloud_core.__path__) if not found.name.startswith("_")}
    assert {"export", "models", "outbox", "sandbox"} == public
    assert public.isdisjoint(redcloud_core.__all__)


def test_names_survive_loading_everything() -> None:
    """After every module is loaded each public name is still what it was."""
    before = {name: getattr(redcloud_core, name) for name in redcloud_core.__all__}
    for found in pkgutil.walk_packages(redcloud_core.__path__, "redcloud_core."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    assert before == {name: getattr(redcloud_core, name) for name in redcloud_core.__all__}


# What it was made from


def test_contract_is_the_document() -> None:
    """`contract()` is openapi.yaml as plain data."""
    document = YAML(typ="safe", pure=True).load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(document)) == contract()


@pytest.mark.parametrize("give", [contract, provenance])
def test_copies(give: object) -> None:
    """What a caller changes in a copy is not seen by the next one."""
    assert callable(give)
    first = give()
    untouched = json.dumps(give())
    first.popitem()
    for value in first.values():
        if isinstance(value, dict):
            value.clear()
    assert untouched == json.dumps(give())


def test_provenance_matches_the_tree() -> None:
    """The recorded hashes are those of document, configuration, templates and output as they stand."""
    recorded = provenance()
    package = Path(str(files("redcloud_core_client")))
    assert {
        "document": sha256((ROOT / "openapi.yaml").read_bytes()).hexdigest(),
        "config": sha256((ROOT / "generator-config.yml").read_bytes()).hexdigest(),
        "templates": hash_of_files(ROOT / "templates"),
        "output": hash_of_files(package),
    } == {part: recorded[part]["sha256"] for part in ("document", "config", "templates", "output")}
    assert contract()["info"]["version"] == recorded["document"]["version"]
    assert (package / "openapi.yaml").read_bytes() == (ROOT / "openapi.yaml").read_bytes()


@pytest.mark.parametrize(
    ("document", "revision", "expected"),
    [
        ("0.2.0", None, "0.2.0"),
        ("0.2.0", 1, "0.2.0.1"),
        ("0.2.0", 12, "0.2.0.12"),
        ("0.3.0-rc.1", None, "0.3.0rc1"),
        ("1.10.0-rc.12", None, "1.10.0rc12"),
        ("10.0.3", None, "10.0.3"),
    ],
)
def test_version_follows_the_document(document: str, revision: int | None, expected: str) -> None:
    """The SDK's version is the document's, with the SDK's own revision as a fourth number."""
    assert _version.sdk_version(document, revision) == expected


def test_version() -> None:
    """`__version__` is made from the document that travels in the package."""
    assert _version.sdk_version(contract()["info"]["version"], _version.REVISION) == redcloud_core.__version__


@pytest.mark.parametrize("package", ["redcloud_core", "redcloud_core_client"])
def test_typed_marker(package: str) -> None:
    """Both packages tell type checkers that they are typed."""
    assert files(package).joinpath("py.typed").is_file()
