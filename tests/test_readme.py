"""The README's own code, run as a reader would run it."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[1]

BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.M)


@pytest.fixture(scope="module")
def port() -> int:
    """A port that nobody listens on, in the place of the README's 8080."""
    return _free_port()


@pytest.fixture(scope="module")
def sandbox(port: int) -> Iterator[None]:
    """The sandbox, started by the README's own command."""
    command = _code("sh", 0, port).strip().split()
    assert command[0] == ".venv/bin/python"
    server = subprocess.Popen([sys.executable, *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server.stdout:
        assert server.stdout.readline() == f"listening on http://127.0.0.1:{port}\n"
        yield
        server.terminate()
        assert server.wait(10) == 0


@pytest.fixture
def caller(tmp_path: Path) -> dict[str, str]:
    """The environment of a caller who is nowhere near the tree and has no proxy before loopback."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}


@pytest.mark.usefixtures("sandbox")
def test_the_first_send_prints_what_its_comment_says(caller: dict[str, str], port: int) -> None:
    """The ten lines send an SMS and print the receipt."""
    printed = _run([sys.executable, "-I", "-c", _code("python", 0, port)], caller)

    assert re.fullmatch(r"QUEUED msg_\d{6}\n", printed)


@pytest.mark.usefixtures("sandbox")
def test_the_errors_print_what_the_text_says(caller: dict[str, str], port: int) -> None:
    """The complete `try` tells a refused send as the sentence below it does, but for the number of the request."""
    printed = _run([sys.executable, "-I", "-c", _code("python", 1, port)], caller)
    promised = re.search(r"It prints `(.*?)`", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert promised is not None
    assert re.sub(r"\d{6}", "N", promised[1]) == re.sub(r"\d{6}", "N", printed.strip())


@pytest.mark.usefixtures("sandbox")
def test_the_guards_print_what_the_text_says(caller: dict[str, str], port: int) -> None:
    """The wrong send is refused in the words that stand below it."""
    promised = re.search(r"^```text\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.M)

    assert promised is not None
    assert _run([sys.executable, "-I", "-c", _code("python", 2, port)], caller) == promised[1]


@pytest.mark.usefixtures("sandbox")
def test_the_keys_print_what_the_text_says(caller: dict[str, str], port: int) -> None:
    """The send under a derived key is accepted, for everybody; so is it when its first attempts get no answer."""
    code = _code("python", 3, port)
    promised = re.search(r"It prints `(\[.*?)`\.", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert promised is not None
    assert _run([sys.executable, "-I", "-c", code], caller) == f"{promised[1]}\n"
    fault = {"operation": "sendMessage", "script": [{"kind": "drop_after"}] * 4}
    httpx.post(f"http://127.0.0.1:{port}/_sandbox/faults", json=fault).raise_for_status()
    assert _run([sys.executable, "-I", "-c", f"{code}\nprint(receipt.accepted)"], caller) == "['+15551234567']\n"


@pytest.mark.usefixtures("sandbox")
def test_the_outbox_prints_what_the_text_says(caller: dict[str, str], port: int) -> None:
    """What the web process has taken in, the worker sends; SIGTERM ends it in peace."""
    web_port = _free_port()
    program = Path(caller["HOME"]) / "shipped.py"
    program.write_text(_code("python", 4, port).replace("8000", str(web_port)), encoding="utf-8")
    promised = re.search(r"the worker prints `(.*?)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert promised is not None

    with _running(program, "web", caller), _running(program, "worker", caller) as worker:
        _until_open(web_port)
        assert httpx.post(f"http://127.0.0.1:{web_port}/792", trust_env=False).status_code == 202
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == promised[1]
        worker.terminate()
        assert worker.wait(10) == 0


@pytest.mark.usefixtures("sandbox")
def test_the_token_prints_what_its_comment_says(caller: dict[str, str], port: int) -> None:
    """The client with a secret from a file and a shared cache gets a token, and keeps it for its user alone."""
    printed = _run([sys.executable, "-I", "-c", _code("python", 5, port)], caller)

    assert printed == "60 minutes left\n"
    assert (Path(caller["HOME"]) / "redcloud-tokens.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("sandbox")
def test_the_walk_with_curl_gets_a_message_queued(caller: dict[str, str], port: int) -> None:
    """Token, whoami, numbers, send and ledger answer as the document says."""
    if subprocess.run(["which", "curl"], env=caller, capture_output=True, check=False).returncode:
        pytest.skip("this machine has no curl")

    printed = _run(["bash", "-euo", "pipefail", "-c", _code("sh", 1, port)], caller)

    for part in ('"apiClientId"', '"num_abc123"', '"QUEUED"', '"token_requests"', "idem_order_791"):
        assert part in printed


def test_the_export_is_there(caller: dict[str, str]) -> None:
    """The command for other languages writes the folder that the text names, with a README.md of its own."""
    command = _code("sh", 2, 0).strip().split()

    assert command[0] == ".venv/bin/python"
    _run([sys.executable, *command[1:]], caller)
    assert (Path(caller["HOME"]) / "contract" / "README.md").is_file()


def test_every_block_is_run() -> None:
    """A block that is added to the README needs a test here; the two commands on top are no such blocks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [language for language, _ in BLOCKS] == ["sh", *["python"] * 6, "sh", "sh"]
    assert text.index("./scripts/rehearse") < text.index("./scripts/test") < text.index("```sh")


def _code(language: str, number: int, port: int) -> str:
    found = [code for kind, code in BLOCKS if kind == language]
    return found[number].replace("8080", str(port))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _running(program: Path, part: str, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run a part of a program that goes on until it is ended."""
    command = [sys.executable, "-I", str(program), part]
    home, devnull = environment["HOME"], subprocess.DEVNULL
    with subprocess.Popen(
        command, env=environment, cwd=home, stdout=subprocess.PIPE, stderr=devnull, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def _until_open(port: int) -> None:
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
