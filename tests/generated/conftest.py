"""Servers on loopback, and the client of another document."""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket
from types import ModuleType
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Seen(NamedTuple):
    """A request as the server saw it; names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes


class Server:
    """A server that answers every request with `answer`, and keeps what it saw."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {"Content-Type": "application/json"}, b"{}")
        self.seen: list[Seen] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline()
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.seen.append(Seen(self.command, self.path, headers, content))
                status, answer_headers, body = server.answer
                self.send_response(status)
                for name, value in {**answer_headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve on loopback."""
    found = Server()
    yield found
    found.close()


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Give the URL of a server that takes connections and never answers."""
    with socket(AF_INET, SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


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
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Generate the client of shop.yaml and give the name that its package is imported by."""
    folder = tmp_path_factory.mktemp("shop")
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); from pipeline.regenerate import main; "
    options = ["--spec", str(Path(__file__).with_name("shop.yaml")), "--into", str(folder)]
    done = subprocess.run(
        [sys.executable, "-c", f"{code}raise SystemExit(main())", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    import_package(folder / "redcloud_core_client", "shop_client")
    return "shop_client"


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Generate the client of openapi.yaml with the generator's own templates and give the name of its package."""
    folder = tmp_path_factory.mktemp("stock")
    generate_stock(ROOT / "openapi.yaml", folder)
    import_package(folder / "stock_client", "stock_client")
    return "stock_client"


def generate_stock(document: Path, folder: Path) -> None:
    """Run the generator as it comes."""
    config = folder / "config.yml"
    config.write_text("package_name_override: stock_client\npost_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document), "--meta", "none"]
    command += ["--config", str(config), "--output-path", str(folder / "stock_client")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
