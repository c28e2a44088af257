"""The server on loopback, the documents, and the command line: what can be tried without installing anything."""

import http.client
import json
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.bench.command import GROUPS, main
from pipeline.bench.contenders import library
from pipeline.bench.documents import document_of
from pipeline.bench.environments import Contender
from pipeline.bench.interleaving import WORKERS
from pipeline.bench.server import make_certificate, requests_for, serving
from pipeline.bench.workers.wire import SEND_PATH, TOKEN_PATH
from pipeline.steps import execute

LIBRARY = """
import urllib.request, ssl, os
def load():
    pass
def connect(url):
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    return lambda key: opener.open(url + "/api/core/messages/send", data=b"{}").read()
"""


def test_server_answers_and_counts() -> None:
    """One connection serves many requests, each send has an id of its own, and the server knows how many came."""
    with serving() as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        sent = [_post(connection, SEND_PATH) for _ in range(3)]
        token = _post(connection, TOKEN_PATH)
        connection.close()
        assert requests_for(url, SEND_PATH) == 3
    assert token["expires_in"] == 3600
    assert len({answer["results"][0]["messageId"] for answer in sent}) == 3


def _post(connection: http.client.HTTPConnection, path: str) -> dict[str, object]:
    connection.request("POST", path, body=b"{}" * 5000)
    found: dict[str, object] = json.loads(connection.getresponse().read())
    return found


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make a certificate")
def test_cold_sample(tmp_path: Path) -> None:
    """A fresh interpreter, a verified certificate, one send: seconds and memory come back."""
    own = tmp_path / "own.py"
    own.write_text(LIBRARY)
    certificate = make_certificate(tmp_path)
    with serving(certificate) as url:
        command = [sys.executable, "-I", str(WORKERS / "cold.py"), str(own), url]
        found = json.loads(execute(command, env={"SSL_CERT_FILE": str(certificate.bundle)}).stdout)
    assert 0 < found["import"] < found["first send"]
    assert {"import", "first send"} <= set(found) <= {"import", "first send", "peak", "current"}


@pytest.mark.parametrize("operations", [5, 12])
def test_documents_have_operations(operations: int) -> None:
    """As many as asked for, at least, with unique ids, and nothing refers to what is not there."""
    document = document_of(operations)
    text = json.dumps(document["paths"])
    ids = re.findall(r'"operationId": "(\w+)"', text)
    assert operations <= len(set(ids)) == len(ids) < operations + 5
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(document["components"]["schemas"])


@pytest.mark.parametrize(
    "name",
    [
        "redcloud-core",
        "httpx",
        "openapi-python-client",
        "openapi-generator",
        "telnyx",
        "msgspec",
        "ours_aiohttp",
        "sqlite3_alone",
    ],
)
def test_every_library_is_there(name: str) -> None:
    """The file that says how a contender is used compiles."""
    compile(library(name).read_text(), name, "exec")


def test_left_out_where_its_program_is_missing() -> None:
    """Without java there is no openapi-generator."""
    assert not Contender("x", [], needs="no-such-program").is_possible()
    assert Contender("x", []).is_possible()


def test_unknown_group_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names those that there are."""
    with pytest.raises(SystemExit):
        main(["speed"])
    assert f"choose from {', '.join(GROUPS)}" in capsys.readouterr().err
