"""The index that a release goes to: which one is meant, and the upload with uv, its failures in clear words."""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from ..environment import ROOT
from ..steps import Refused, ToolFailed, execute, step
from .distribution import Distribution
from .loopback import without_proxy

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

_SKIPPED = "already exists, skipping"
"""What uv says of a file that the index has."""

_SHOWN = ("is free", "is there in part", "is there already")

_OTHER_WAYS = {"UV_PUBLISH_INDEX", "UV_PUBLISH_URL", "UV_PUBLISH_CHECK_URL"}
"""Variables that would send a release elsewhere than the command says."""

_CREDENTIALS = "UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, or UV_PUBLISH_TOKEN"


@attrs.frozen
class Index:
    """A package index.

    Attributes:
        name: What uv's variables for its credentials call it: `UV_INDEX_<NAME>_USERNAME`.
        upload_url: Where uploads go.
        simple_url: What installs read.
    """

    name: str
    upload_url: str
    simple_url: str

    @property
    def title(self) -> str:
        """What sentences call it."""
        return f"the index at {self.simple_url}"

    @property
    def variables(self) -> str:
        """How the names of uv's variables for it begin."""
        return f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', self.name.upper())}"

    @property
    def reading(self) -> str:
        """The variables with the credentials for reading it, which uv also takes for uploads where it has no others."""
        return f"{self.variables}_USERNAME and {self.variables}_PASSWORD"


def find_index(wanted: str) -> Index:
    """Return the index that a caller names.

    Args:
        wanted: The name of an index of pyproject.toml ([[tool.uv.index]]), or the URL of an index's root, as pypiserver
            has it: uploads go to the root, installs read `simple/` below it.

    Raises:
        Refused: There is none of this name, it takes no uploads, or its URL is not safe to use.
    """
    found = index_of_url(wanted) if "://" in wanted else _configured(wanted)
    for url in (found.upload_url, found.simple_url):
        _check_url(url)
    return found


def index_of_url(root: str) -> Index:
    """Return the index whose root this is."""
    root = root.rstrip("/") + "/"
    return Index("release", root, f"{root}simple/")


def check_free(index: Index, distribution: Distribution) -> None:
    """Make sure that the index has nothing else under the names of these files.

    Raises:
        Refused: It has other bytes under this version.
        ToolFailed: It does not say.
    """
    with step(f"ask {index.title} for this version") as asking:
        asking.note(_SHOWN[_there(index, distribution)])


def upload(index: Index, distribution: Distribution) -> None:
    """Upload a distribution, and see that the index shows it; files that it has already, byte for byte, are skipped.

    Raises:
        Refused: The index has other bytes under this version.
        ToolFailed: The index cannot be reached, or does not take it. What it took stays; a second run goes on there.
    """
    with step(f"upload to {index.upload_url}") as uploading:
        skipped = _publish(index, distribution).count(_SKIPPED)
        uploading.note(f"{len(distribution.files) - skipped} files" + (f", {skipped} were there" if skipped else ""))
        if _there(index, distribution) < len(distribution.files):
            raise ToolFailed(
                f"{index.title} took the files and does not show them all\n"
                f"Set {index.reading}, if it wants a password for reading, or run the command again later."
            )


def _there(index: Index, distribution: Distribution) -> int:
    """Return how many files of a distribution the index has already, byte for byte."""
    return _publish(index, distribution, "--dry-run").count(_SKIPPED)


def _configured(name: str) -> Index:
    known: list[Mapping[str, Any]] = _tables()
    for table in known:
        if table.get("name") == name:
            if "publish-url" not in table:
                raise Refused(f"the index `{name}` of pyproject.toml has no publish-url\nSay where uploads go.")
            return Index(name, table["publish-url"], table["url"])
    names = ", ".join(str(table.get("name")) for table in known) or "none"
    raise Refused(
        f"pyproject.toml has no index `{name}` (it has: {names})\n"
        "Add it under [[tool.uv.index]] with name, url and publish-url, or give the URL of its root."
    )


def _tables() -> list[Mapping[str, Any]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[Mapping[str, Any]] = project["tool"].get("uv", {}).get("index", [])
    return found


def _check_url(url: str) -> None:
    """Refuse a URL that would show a secret or send one in the clear; the message does not show it either."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise Refused(
            f"the URL of the index at {parts.hostname} holds credentials, for all on this machine to read\n"
            f"Take them out, and set {_CREDENTIALS}."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise Refused(f"{url}: an index is reached by https, but for one on loopback\nWrite its https URL.")


def _publish(index: Index, distribution: Distribution, *options: str) -> str:
    """Run `uv publish` on an index that its configuration names, so that credentials count for reading it, too."""
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "uv.toml"
        facts = {"name": index.name, "url": index.simple_url, "publish-url": index.upload_url}
        config.write_text("[[index]]\n" + "".join(f"{key} = {json.dumps(text)}\n" for key, text in facts.items()))
        command = ["uv", "publish", "--trusted-publishing", "never", "--no-progress", "--config-file", str(config)]
        command += ["--index", index.name, *options, *map(str, distribution.files)]
        try:
            done = execute(command, cwd=Path(name), env=_environment(index))
        except ToolFailed as failure:
            raise _explained(failure.output, index, distribution) from None
    return done.stdout + done.stderr


def _environment(index: Index) -> Mapping[str, str]:
    """Give an environment in which uv finds the user's credentials, or uses none: it wants some for every index."""
    known = ("UV_PUBLISH_USERNAME", "UV_PUBLISH_PASSWORD", "UV_PUBLISH_TOKEN", "UV_KEYRING", index.variables)
    given = any(name.startswith(known) for name in os.environ)
    anonymous = {} if given else {"UV_PUBLISH_USERNAME": "", "UV_PUBLISH_PASSWORD": ""}
    found = {name: text for name, text in without_proxy().items() if name not in _OTHER_WAYS}
    return {**found, **anonymous, "COLUMNS": "1000"}  # or uv folds its messages, which are read here


def _explained(output: str, index: Index, distribution: Distribution) -> Refused | ToolFailed:
    """Return the failure of an upload with what to do about it."""
    told = "\n  ".join(re.findall(r"^ *((?:error|cause): .*)$", output, re.M)) or output.strip()
    if "do not match" in output:
        return Refused(
            f"{index.title} has other bytes as version {distribution.version}:\n  {told}\n"
            "What is published stays as it is. Raise REVISION in overlay/redcloud_core/_version.py, say why in\n"
            "scripts/changelog.d/, and release that: ./scripts/release --prepare."
        )
    return ToolFailed(f"{index.title} did not take the release:\n  {told}\n{_advice(output, index)}", output)


def _advice(output: str, index: Index) -> str:
    if re.search(r"status code 40[13]|Missing credentials|lack of valid auth", output):
        return (
            f"Set {_CREDENTIALS}; and {index.reading}, if it wants a password for reading.\n"
            "To keep passwords in keyring, set UV_KEYRING_PROVIDER=subprocess and the user names alone."
        )
    if "status code 409" in output:
        return f"It has such a file and does not show it: set {index.reading}."
    if re.search(r"status code 5\d\d", output):
        return "That is the index's own failure. Run the command again later: it goes on with what is not there yet."
    return "Is the address right, and can this machine reach it? Run the command again when it can."
