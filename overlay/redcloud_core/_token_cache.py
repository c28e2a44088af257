"""Where tokens live between fetches: in the memory of a process, or in a file that those of one machine share."""

import hashlib
import json
import os
import stat
import threading
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ._binding import Malformed, decode_plain, is_object
from ._forks import forget_after_fork
from ._secrets import Secret

LONGEST_TOKEN = 65_536
"""Characters that an access token may have; servers take far less in a header."""

LONGEST_FILE = 1_048_576
"""Bytes of a cache file that are read."""

_FOR_EVER = 1e12
"""Seconds that no time reaches; what is not below it is no number of seconds, NaN included."""

FORMAT = 1
"""The version of the cache file; one of another version is left unread, and replaced."""


def _check_header(text: object) -> None:
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TOKEN:
        raise ValueError(f"access_token must be a text of at most {LONGEST_TOKEN} characters, and not an empty one")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("access_token must be printable ASCII without blanks")


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _FOR_EVER:
        raise ValueError(f"{name} must be a positive number of seconds")


class Token(msgspec.Struct, frozen=True):
    """A token as it was issued; its `repr` does not show it, and it does not pickle.

    Raises:
        ValueError: It cannot be sent in a header, or its times are no positive numbers.
    """

    access_token: str
    issued_at: float
    """When it was asked for, in seconds since the epoch."""
    lifetime: float
    """How many seconds it lives from then on."""

    def __post_init__(self) -> None:
        _check_header(self.access_token)
        _check_seconds("issued_at", self.issued_at)
        _check_seconds("lifetime", self.lifetime)

    def __repr__(self) -> str:
        return f"Token(issued_at={self.issued_at}, lifetime={self.lifetime})"

    @property
    def expires_at(self) -> float:
        """When it expires, in seconds since the epoch."""
        return self.issued_at + self.lifetime

    def __reduce__(self) -> Any:
        raise TypeError("a token cannot be copied or pickled")

    __copy__ = __reduce__


class TokenCache(Protocol):
    """Where tokens live between fetches.

    Its methods are called on the thread that fetches, never on an event loop. What they raise is logged once; the call
    that needs a token goes on without the cache.
    """

    def load(self, key: str) -> Token | None:
        """Return the token that was stored last under a key, if there is one."""

    def store(self, key: str, token: Token) -> None:
        """Keep a token under a key, in the place of the one before."""

    def lock(self, key: str, timeout: float) -> AbstractContextManager[None]:
        """Return what keeps all others who share the cache from fetching for a key.

        Args:
            key: As `load` takes it.
            timeout: Seconds to wait for the lock at the most; entering raises TimeoutError then.
        """
        ...


def cache_key(token_url: str, client_id: str, secret: Secret) -> str:
    """Return the key of a token: a hash of where it is from, whose it is, and the secret that it was got with."""
    return hashlib.sha256(json.dumps([token_url, client_id, secret.reveal()]).encode()).hexdigest()


class MemoryTokenCache:
    """Tokens in the memory of one process. Clients that are given the same one share their tokens."""

    def __init__(self) -> None:
        """Begin without tokens."""
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, threading.Lock] = {}
        forget_after_fork(self)

    def load(self, key: str) -> Token | None:
        """Return the token that was stored last under a key."""
        return self._tokens.get(key)

    def store(self, key: str, token: Token) -> None:
        """Keep a token under a key, and drop what has expired."""
        self._tokens = {**_alive(self._tokens, token.issued_at), key: token}

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None]:
        """Keep all other clients that share the cache from fetching for a key."""
        lock = self._locks.setdefault(key, threading.Lock())
        if not lock.acquire(timeout=timeout):
            raise TimeoutError(f"another fetch took more than {timeout:g} s")
        try:
            yield
        finally:
            lock.release()

    def forget_parent(self) -> None:
        """Let go of the parent's locks."""
        self._locks = {}


class FileTokenCache:
    """Tokens in a file that the processes of one machine and user share.

    The file is readable by its owner alone (0600) and holds tokens, not secrets: a token is found by a hash of its URL,
    client id and secret. What is no cache file, or belongs to another user, is not read and gets replaced. Beside it
    lies a lock file, `.lock`, which the kernel unlocks when its holder dies.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Use a file.

        Args:
            path: The file; it is made when the first token is stored. Its folder must exist.

        Raises:
            ValueError: No token can be kept there.
        """
        # Imported here and not by the first fetch: a child that is forked during an import waits for it for ever.
        from filelock import FileLock

        self._path = _checked_path(path)
        # Never its soft lock, for file systems without flock: a killed process would leave that one behind.
        self._new_lock = partial(FileLock, f"{self._path}.lock", mode=0o600, thread_local=False, fallback_to_soft=False)

    def __repr__(self) -> str:
        return f"FileTokenCache({str(self._path)!r})"

    def load(self, key: str) -> Token | None:
        """Return the token that was stored last under a key.

        Raises:
            OSError: The file cannot be read.
        """
        return self._read().get(key)

    def store(self, key: str, token: Token) -> None:
        """Keep a token under a key, and drop what has expired.

        Raises:
            OSError: The file cannot be written; it is as it was.
        """
        self._write({**_alive(self._read(), token.issued_at), key: token})

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None]:
        """Keep all other processes that share the file from fetching, for any key.

        Raises:
            TimeoutError: Another process fetches for longer than that.
            OSError: The lock file cannot be used.
        """
        os.stat(self._path.parent)  # a lock whose folder is gone would make it anew
        with self._new_lock(timeout=timeout):
            yield

    def _read(self) -> dict[str, Token]:
        """Return all tokens; none where the file is missing, is not ours alone, or is no cache file."""
        try:
            opened = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, PermissionError):
            return {}
        try:
            return _parse(_content(opened)) if _is_private(opened) else {}
        finally:
            os.close(opened)

    def _write(self, tokens: Mapping[str, Token]) -> None:
        """Replace the file at once: a reader sees the old one or the new one, and a kill leaves one of them."""
        import tempfile

        opened, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=".tmp", dir=self._path.parent)
        try:
            with open(opened, "wb") as file:
                os.fchmod(opened, 0o600)
                file.write(_format(tokens))
                file.flush()
                os.fsync(opened)
            os.replace(temporary, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


class CarefulCache:
    """A cache that stands in nobody's way: what the one behind it raises is told once, and the call goes on."""

    def __init__(self, cache: TokenCache) -> None:
        """Use a cache as long as it works."""
        self._cache = cache
        self._problem: str | None = None
        self._told = False

    def take_problem(self) -> str | None:
        """Return the first problem with the cache, once: it is to be logged when nobody waits for the token."""
        if self._told or self._problem is None:
            return None
        self._told = True
        return self._problem

    def load(self, key: str) -> Token | None:
        """Return the token under a key; None if the cache fails."""
        with self._failing_quietly():
            return _checked_token(self._cache.load(key))
        return None

    def store(self, key: str, token: Token) -> None:
        """Keep a token under a key, if the cache can."""
        with self._failing_quietly():
            self._cache.store(key, token)

    @contextmanager
    def lock(self, key: str, timeout: float) -> Generator[None]:
        """Keep others from fetching for a key, if the cache can, and if they do not take longer than the timeout."""
        with ExitStack() as released:
            with self._failing_quietly(), suppress(TimeoutError):
                lock = self._cache.lock(key, timeout)
                lock.__enter__()
                released.callback(self._release, lock)
            yield

    def _release(self, lock: AbstractContextManager[None]) -> None:
        with self._failing_quietly():
            lock.__exit__(None, None, None)

    @contextmanager
    def _failing_quietly(self) -> Generator[None]:
        try:
            yield
        except Exception as error:
            if self._problem is None:
                # The words of an OSError are the system's; others may hold anything, and so may the repr of a stranger.
                words = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
                name = repr(self._cache) if isinstance(self._cache, FileTokenCache) else type(self._cache).__name__
                reason = f"{type(error).__name__}{words}"
                self._problem = f"{name} cannot be used ({reason}); tokens are fetched without it"


def _checked_token(found: object) -> Token | None:
    if found is None or isinstance(found, Token):
        return found
    raise TypeError("a cache must give a Token or None")


def _checked_path(path: str | os.PathLike[str]) -> Path:
    given = os.fspath(path)
    try:
        problem = _problem_of_path(given)
    except OSError as error:
        problem = f"no file can be kept at {given}: {error.strerror}; choose another path"
    if problem is not None:
        raise ValueError(f"token_cache: {problem}.")
    return Path(given).absolute()


def _problem_of_path(given: str) -> str | None:
    """Tell why no token can be kept at a path; where the system itself refuses, it is an OSError."""
    if not _is_path(given):
        return "the path must be a text that names a file, and not an empty one"
    path = Path(given).absolute()
    if not _is_folder(path.parent):
        return f"there is no folder {path.parent}; make it first"
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return f"{path} is no ordinary file, and links and folders are refused; choose another path"
        if found.st_uid != os.geteuid():
            return f"{path} belongs to another user; remove it, or choose another path"
    import tempfile

    with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent) as probe:
        probe.write(b"\0" * 4096)
    return None


def _is_path(given: object) -> bool:
    try:
        return isinstance(given, str) and bool(given) and b"\0" not in os.fsencode(given)
    except UnicodeEncodeError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _content(opened: int) -> bytes:
    with open(opened, "rb", closefd=False) as file:
        return file.read(LONGEST_FILE)


def _is_private(opened: int) -> bool:
    """Tell whether only we can have written a file; make it unreadable for others."""
    found = os.fstat(opened)
    writable_by_others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or writable_by_others:
        return False
    os.fchmod(opened, 0o600)
    return True


def _format(tokens: Mapping[str, Token]) -> bytes:
    # Field by field: a token has no other way out of its object.
    entries = {
        key: {"access_token": token.access_token, "issued_at": token.issued_at, "lifetime": token.lifetime}
        for key, token in tokens.items()
    }
    return json.dumps({"format": FORMAT, "tokens": entries}).encode()


def _parse(content: bytes) -> dict[str, Token]:
    try:
        plain = decode_plain(content)
    except Malformed:
        return {}
    entries = plain.get("tokens") if is_object(plain) and plain.get("format") == FORMAT else None
    if not is_object(entries):
        return {}
    read = {key: _token(entry) for key, entry in entries.items()}
    return {key: token for key, token in read.items() if token is not None}


def _token(entry: object) -> Token | None:
    try:
        return Token(**entry) if is_object(entry) else None
    except (TypeError, ValueError):  # other members, or values that no token has
        return None


def _alive(tokens: Mapping[str, Token], now: float) -> dict[str, Token]:
    return {key: token for key, token in tokens.items() if now < token.expires_at}
