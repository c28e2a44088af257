"""The clients of small documents, each generated once, and the cases that the documents hold.

A document's `x-cases` names, for schemas, values that everybody takes (`valid`); that nobody takes (`invalid`); that
answers may hold though the document does not allow them, since enums are open and constraints are not checked there,
and requests may not (`survives`); and that answers lose properties of (`ignored`). `at` is the place that a decoder
names, `place` the one of a request, where it differs: the property that is missing, or the name in a map.
"""

import contextlib
import functools
import importlib
import importlib.util
import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from pipeline import account, reader
from pipeline.contract import Contract
from pipeline.document import Document, load
from pipeline.generate import generate

DOCUMENTS = Path(__file__).with_name("documents")


class Client(NamedTuple):
    """A document, what was read of it, and the package that it gave."""

    document: Document
    contract: Contract
    folder: Path
    package: str

    def module(self, name: str) -> Any:
        """Import a module of the package."""
        return importlib.import_module(f"{self.package}.{name}")

    def schema(self, name: str) -> Any:
        """Return what is generated for a component."""
        found = next(schema for schema in self.contract.schemas if schema.pointer == pointer_of(name))
        return getattr(self.module("models"), found.name)

    def operation(self, name: str, tag: str = "default") -> Any:
        """Import the module of an operation."""
        return self.module(f"api.{tag}.{name}")


def pointer_of(name: str) -> str:
    return f"#/components/schemas/{name.replace('/', '~1')}"


@functools.cache
def document_of(name: str) -> Document:
    return load(DOCUMENTS / f"{name}.yaml")


def import_package(folder: Path, name: str) -> ModuleType:
    """Import a package from its folder under a name of its own."""
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Client]:
    """Give the function that returns the client of a document by its name; each is made once."""
    parent = tmp_path_factory.mktemp("constructs")

    @functools.cache
    def make(name: str) -> Client:
        document = document_of(name)
        contract = reader.read(document)
        account.check_complete(document, contract)
        folder = parent / f"{name}_client"
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            generate(document, contract, folder, locked=False)
        import_package(folder, f"constructs_{name}_client")
        return Client(document, contract, folder, f"constructs_{name}_client")

    return make
