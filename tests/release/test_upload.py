"""Uploads to real indexes, and what is said when one does not take a release."""

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.publish import caller, index
from pipeline.publish.distribution import NAME, Distribution
from pipeline.publish.index import Index, check_free, find_index, index_of_url, upload
from pipeline.steps import Refused, ToolFailed

UPLOAD = """
import sys
import zipfile
from pathlib import Path
from pipeline.publish.distribution import Distribution
from pipeline.publish.index import index_of_url, upload
upload(index_of_url(sys.argv[1]), Distribution(Path(sys.argv[2]), Path(sys.argv[3])))
"""
KEYRING = """
import keyring.backend

class Keyring(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return "sesame" if username == "maker" else None

    def set_password(self, service, username, password):
        raise NotImplementedError
"""
SECRET = "canary-5ecret"


@pytest.fixture
def closed() -> str:
    """The URL of an index that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/"


def _names(distribution: Distribution) -> list[str]:
    return sorted(path.name for path in distribution.files)


def test_upload_puts_both_files_there(
    door: Any, distribution: Distribution, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open index needs no credentials and has both files afterwards, byte for byte, whatever uv's variables say."""
    for name in ("UV_PUBLISH_URL", "UV_PUBLISH_CHECK_URL"):
        monkeypatch.setenv(name, closed)

    upload(index_of_url(door.url), distribution)

    assert door.files == _names(distribution)
    for path in distribution.files:
        assert (door.packages / path.name).read_bytes() == path.read_bytes()


def test_second_upload_skips_what_is_there(
    door: Any, distribution: Distribution, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes are uploaded once."""
    for _ in range(2):
        check_free(index_of_url(door.url), distribution)
        upload(index_of_url(door.url), distribution)

    assert door.uploads == 2
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "is free",
        "2 files",
        "is there already",
        "0 files, 2 were there",
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["wheel", "sdist"])
def test_other_bytes_are_refused(door: Any, distribution: Distribution, which: int) -> None:
    """A version that is taken by other bytes is refused before anything is uploaded, with the way out."""
    taken = distribution.files[which].name
    (door.packages / taken).write_bytes(b"something else")

    with pytest.raises(Refused, match=f"other bytes as version {distribution.version}") as refusal:
        check_free(index_of_url(door.url), distribution)

    assert door.uploads == 0
    assert taken in str(refusal.value)
    assert "Raise REVISION in overlay/redcloud_core/_version.py" in str(refusal.value)
    with pytest.raises(Refused, match="other bytes"):
        upload(index_of_url(door.url), distribution)


def test_unreachable_index(closed: str, distribution: Distribution) -> None:
    """An index that is not there is named, before and instead of an upload."""
    for ask in (check_free, upload):
        with pytest.raises(ToolFailed, match="did not take the release") as failure:
            ask(index_of_url(closed), distribution)

        assert f"{closed}simple/" in str(failure.value)
        assert "Connection refused" in str(failure.value)
        assert str(failure.value).endswith("can this machine reach it? Run the command again when it can.")


def test_wrong_password(
    door: Any, distribution: Distribution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong password is said to be one, with the variables to set, and is not shown."""
    door.password = "sesame"
    monkeypatch.setenv("UV_PUBLISH_USERNAME", "maker")
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", SECRET)

    with pytest.raises(ToolFailed, match="401 Unauthorized") as failure:
        upload(index_of_url(door.url), distribution)

    assert "Set UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, or UV_PUBLISH_TOKEN" in str(failure.value)
    assert door.files == []
    assert SECRET not in str(failure.value) + failure.value.output + "".join(capsys.readouterr())


def test_credentials_of_the_environment(
    door: Any, distribution: Distribution, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An index that asks for a password for everything is read and filled with uv's variables for it."""
    door.password = "sesame"
    monkeypatch.setenv("UV_INDEX_RELEASE_USERNAME", "maker")
    monkeypatch.setenv("UV_INDEX_RELEASE_PASSWORD", "sesame")
    found = index_of_url(door.url)

    upload(found, distribution)
    check_free(found, distribution)
    python = caller.install(distribution, found, tmp_path / "clean")

    assert door.uploads == 2
    assert python.exists()


def test_credentials_of_the_keyring(
    door: Any, distribution: Distribution, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The real keyring is asked when uv is told to: here, of a backend with one password."""
    (tmp_path / "one_password.py").write_text(KEYRING)
    door.password = "sesame"
    for name, text in {
        "UV_KEYRING_PROVIDER": "subprocess",
        "UV_INDEX_RELEASE_USERNAME": "maker",
        "PYTHON_KEYRING_BACKEND": "one_password.Keyring",
        "PYTHONPATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, text)

    upload(index_of_url(door.url), distribution)

    assert door.files == _names(distribution)


def test_index_that_takes_and_does_not_show(
    door: Any, distribution: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload counts when the index shows it; here it shows nothing to those with a password for uploads alone."""
    door.password = "sesame"
    monkeypatch.setenv("UV_PUBLISH_USERNAME", "maker")
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", "sesame")

    with pytest.raises(ToolFailed, match="took the files and does not show them all") as failure:
        upload(index_of_url(door.url), distribution)

    assert door.files == _names(distribution)
    assert "Set UV_INDEX_RELEASE_USERNAME and UV_INDEX_RELEASE_PASSWORD" in str(failure.value)


def test_index_fails_in_the_middle(door: Any, distribution: Distribution) -> None:
    """An index that answers 500 to the second file keeps the first; a second run adds what is missing, once."""
    door.statuses = [0, 500]

    with pytest.raises(ToolFailed, match="500 Internal Server Error") as failure:
        upload(index_of_url(door.url), distribution)

    assert "Run the command again later: it goes on with what is not there yet." in str(failure.value)
    assert door.files == [distribution.wheel.name]
    upload(index_of_url(door.url), distribution)
    assert door.files == _names(distribution)
    assert door.uploads == 3


def test_killed_in_the_middle(door: Any, distribution: Distribution) -> None:
    """A run that is killed while the second file is on its way is finished by the next one."""
    door.statuses = [0, -1]
    command = [sys.executable, "-c", UPLOAD, door.url, *map(str, distribution.files)]
    environment = {**os.environ, "PYTHONPATH": str(Path(index.__file__).parents[2])}
    first = subprocess.Popen(command, env=environment, start_new_session=True)
    assert door.held.wait(30)
    os.killpg(first.pid, 9)
    first.wait()

    assert door.files == [distribution.wheel.name]
    upload(index_of_url(door.url), distribution)
    assert door.files == _names(distribution)


def test_hidden_file_is_a_conflict(door: Any, distribution: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that has the file and does not show it to readers is asked for with the variables for reading."""
    door.statuses = [409]

    with pytest.raises(ToolFailed, match="409 Conflict") as failure:
        upload(index_of_url(door.url), distribution)

    assert "set UV_INDEX_RELEASE_USERNAME and UV_INDEX_RELEASE_PASSWORD" in str(failure.value)


# The installs that prove a release


def test_other_bytes_are_not_installed(door: Any, distribution: Distribution, tmp_path: Path) -> None:
    """What the index hands out is what was built, or it is not installed."""
    upload(index_of_url(door.url), distribution)
    with zipfile.ZipFile(door.packages / distribution.wheel.name, "a") as wheel:
        wheel.writestr("redcloud_core/more.py", "print('more')")

    with pytest.raises(ToolFailed, match="Hash mismatch"):
        caller.install(distribution, index_of_url(door.url), tmp_path / "clean")


def test_no_network_for_the_dependencies(
    closed: str, distribution: Distribution, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the index of third-party packages the message says that they are what is missing."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{closed}simple/")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    python = caller.install(distribution, distribution.wheel.parent, tmp_path / "clean")

    with pytest.raises(ToolFailed, match="Can uv reach the package index") as failure:
        caller.add(python, f"{NAME}=={distribution.version}")

    assert "Connection refused" in str(failure.value)


# Which index is meant


def test_url_is_the_root_of_an_index() -> None:
    """Uploads go to the root, with or without its last slash; installs read `simple/` below it."""
    expected = Index("release", "https://packages.example.com/py/", "https://packages.example.com/py/simple/")

    assert find_index("https://packages.example.com/py") == expected
    assert find_index("https://packages.example.com/py/") == expected


def test_secret_in_the_url_is_refused_and_not_shown() -> None:
    """Credentials in a URL would stand in the list of processes."""
    with pytest.raises(Refused, match=r"packages\.example\.com holds credentials") as refusal:
        find_index(f"https://maker:{SECRET}@packages.example.com/")

    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://packages.example.com/", "ftp://127.0.0.1/", "file:///packages"])
def test_insecure_url_is_refused(url: str) -> None:
    """Only an index on loopback may go without https."""
    with pytest.raises(Refused, match="by https"):
        find_index(url)
