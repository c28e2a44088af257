"""The known faults of the generator's own templates: each is shown there, and shown to be gone here.

Each test first says how the stock client misbehaves: it would fail if ours did the same.
"""

import copy
import importlib
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from redcloud_core_client import models
from redcloud_core_client.api.authentication import issue_token
from redcloud_core_client.client import Client
from redcloud_core_client.errors import DriftedAnswer, ErrorAnswer
from redcloud_core_client.http_library import httpx
from redcloud_core_client.types import UNSET

ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}
NEW_ERROR = b'{"error": "slow_down", "error_description": "x"}'

# What no model of the generator's parser can hold: it leaves the operation out. And a default, which it sends.
MORE = """
  /api/core/numbers/import:
    post:
      operationId: importNumbers
      tags: [CORE]
      requestBody:
        required: true
        content:
          text/csv:
            schema: {type: string}
      responses:
        '204': {description: Imported.}
  /api/core/numbers/reserve:
    post:
      operationId: reserveNumber
      tags: [CORE]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              title: Reservation
              properties:
                minutes: {type: integer, default: 15}
      responses:
        '204': {description: Reserved.}
"""


@pytest.fixture
def stock_types(stock: str) -> ModuleType:
    """Give the stock client's `types`."""
    return importlib.import_module(f"{stock}.types")


@pytest.fixture
def stock_models(stock: str) -> ModuleType:
    """Give the stock client's models."""
    return importlib.import_module(f"{stock}.models")


@pytest.fixture
def stock_clients(stock: str) -> ModuleType:
    """Give the stock client's clients."""
    return importlib.import_module(f"{stock}.client")


@pytest.fixture
def stock_whoami(stock: str) -> ModuleType:
    """Give a stock operation."""
    return importlib.import_module(f"{stock}.api.core.whoami")


@pytest.fixture
def stock_search(stock: str) -> ModuleType:
    """Give a stock operation that documents 502."""
    return importlib.import_module(f"{stock}.api.core.search_numbers")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a document with two more operations, and both clients of it: `stock_client` and `redcloud_core_client`."""
    folder = tmp_path_factory.mktemp("extended")
    document = folder / "openapi.yaml"
    document.write_text((ROOT / "openapi.yaml").read_text() + MORE)
    config = folder / "config.yml"
    config.write_text("package_name_override: stock_client\npost_hooks: []\n")
    code = "from pipeline.regenerate import main; raise SystemExit(main())"
    stock = ["-m", "openapi_python_client", "generate", "--meta", "none", "--config", str(config)]
    stock += ["--path", str(document), "--output-path", str(folder / "stock_client")]
    ours = ["-c", f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); {code}"]
    ours += ["--spec", str(document), "--into", str(folder / "ours")]
    for command in (stock, ours):
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def evaluated(folder: Path, code: str) -> str:
    """Run a program that finds a generated package in a folder, and return what it prints."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_two_content_types(stock: str) -> None:
    """A body of two content types: the stock module cannot be imported, ours writes either."""
    with pytest.raises(NameError, match="Unset"):
        importlib.import_module(f"{stock}.api.authentication.issue_token")
    grant: Any = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    contents = {
        media: issue_token.build(**grant, content_type=media).content  # type: ignore[arg-type]
        for media in ("application/json", "application/x-www-form-urlencoded")
    }
    assert contents["application/json"].startswith(b"{")
    assert contents["application/x-www-form-urlencoded"].startswith(b"client_id=a&")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_unset_does_not_survive(stock_types: ModuleType, stock_models: ModuleType, copied: Any) -> None:
    """UNSET: the stock one is another object after a copy, so a copied model is no longer equal; ours is."""
    assert copied(stock_types.UNSET) is not stock_types.UNSET
    assert copied(stock_models.NumberSearch()) != stock_models.NumberSearch()
    assert copied(UNSET) is UNSET
    assert copied(models.NumberSearch()) == models.NumberSearch()


def test_secrets_in_repr(stock_models: ModuleType, stock_clients: ModuleType) -> None:
    """Secrets: the stock models and client show them, ours do not."""
    shown = [
        stock_models.TokenRequest("client_credentials", "id", "hush"),
        stock_models.TokenResponse("hush"),
        stock_clients.AuthenticatedClient(base_url="http://x", token="hush"),
    ]
    assert all("hush" in repr(value) for value in shown)
    hidden = [
        models.TokenRequest(grant_type="client_credentials", client_id="id", client_secret="hush"),
        models.TokenResponse(access_token="hush"),
        Client("http://x", authorization="Bearer hush"),
    ]
    assert not any("hush" in repr(value) for value in hidden)


def test_no_timeout(stock_clients: ModuleType, stock_whoami: ModuleType) -> None:
    """Timeouts: the stock client asks its transport for none, ours for one in each phase."""
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.extensions["timeout"])
        return httpx.Response(503)

    transport = httpx.MockTransport(answer)
    with stock_clients.Client(base_url="http://x", httpx_args={"transport": transport}) as client:
        stock_whoami.sync_detailed(client=client)
    with Client("http://x", transport=transport) as client, pytest.raises(ErrorAnswer):
        client.whoami()
    stock_asked, ours_asked = asked
    assert set(stock_asked.values()) == {None}
    assert all(0 < seconds <= 60 for seconds in ours_asked.values())


def test_html_error_body(
    server: Any, stock_clients: ModuleType, stock_search: ModuleType, stock_models: ModuleType
) -> None:
    """An HTML 502: the stock client raises a foreign error that hides the status, ours an error answer with it."""
    server.answer = (502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")
    with stock_clients.Client(base_url=server.url) as client, pytest.raises(ValueError, match="Expecting value"):
        stock_search.sync_detailed(client=client, body=stock_models.NumberSearch())
    with Client(server.url) as client, pytest.raises(ErrorAnswer, match="HTTP 502"):
        client.search_numbers()


def test_undocumented_status(server: Any, stock_clients: ModuleType, stock_whoami: ModuleType) -> None:
    """An undocumented 503: the stock client returns None as if that were an answer, ours raises."""
    server.answer = (503, JSON, b"{}")
    with stock_clients.Client(base_url=server.url) as client:
        assert stock_whoami.sync(client=client) is None
    with Client(server.url) as client, pytest.raises(ErrorAnswer) as error:
        client.whoami()
    assert not error.value.documented


def test_missing_field(server: Any, stock_clients: ModuleType, stock_whoami: ModuleType) -> None:
    """A missing field: the stock client raises a bare KeyError, ours drift that names the field."""
    server.answer = (200, JSON, b"{}")
    with stock_clients.Client(base_url=server.url) as client, pytest.raises(KeyError):
        stock_whoami.sync(client=client)
    with Client(server.url) as client, pytest.raises(DriftedAnswer, match="missing required field `apiClientId`"):
        client.whoami()


def test_closed_enums_on_the_way_in(server: Any, stock_models: ModuleType) -> None:
    """A new enum value: the stock model raises, ours holds it, and the error stays readable."""
    with pytest.raises(ValueError, match="slow_down"):
        stock_models.OAuthError.from_dict({"error": "slow_down", "error_description": "x"})
    server.answer = (400, JSON, NEW_ERROR)
    with Client(server.url) as client, pytest.raises(ErrorAnswer) as error:
        client.issue_token(grant_type="client_credentials", client_id="a", client_secret="b")
    assert error.value.body.error == "slow_down"


def test_dropped_operations(extended: Path) -> None:
    """An operation that the stock generator cannot handle is gone, with exit code 0; ours has it."""
    stock = {path.stem for path in (extended / "stock_client/api/core").glob("*.py")}
    ours = {path.stem for path in (extended / "ours/redcloud_core_client/api/core").glob("*.py")}
    assert ours - stock == {"import_numbers"}
    assert stock <= ours
    code = "from redcloud_core_client.client import Client as C, AsyncClient as A; "
    assert evaluated(extended / "ours", f"{code}print(callable(C.import_numbers), callable(A.import_numbers))") == (
        "True True"
    )


def test_defaults_are_sent(extended: Path) -> None:
    """A default of the document: the stock model sends it though nobody set it, ours does not."""
    stock_code = "from stock_client.models import *; import stock_client.models as m; "
    name = "next(n for n in dir(m) if n.startswith('Reserv'))"
    assert evaluated(extended, f"{stock_code}print(getattr(m, {name})().to_dict())") == "{'minutes': 15}"
    ours_code = "from redcloud_core_client.api.core import reserve_number as o; "
    assert evaluated(extended / "ours", f"{ours_code}print(o.build().content)") == "b'{}'"
