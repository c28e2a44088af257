"""Tokens that clients and processes share: one fetch for all, in a file that nothing spoils, in nobody's way."""

import copy
import json
import logging
import os
import pickle
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from redcloud_core import (
    FileTokenCache,
    MemoryTokenCache,
    RedCloud,
    Token,
    TokenUnavailableError,
    contract,
)

TOKEN, WHOAMI = "/api/auth/token", "/api/core/whoami"
WHOAMI_BODY: dict[str, Any] = contract()["paths"][WHOAMI]["get"]["responses"]["200"]["content"]["application/json"][
    "examples"
]["client"]["value"]
CORE = {"error": {"code": "UNAUTHORIZED", "message": "no", "details": {}}}
SECRET = "s3cr3t/ö+ %"
CANARY = "c4n4ry"
NOBODY = 65534
"""A user that is not us."""
LONG = 10.0
"""Seconds that a wait may take before it counts as failed."""
PROMPT = 5.0
"""Seconds that are fewer than any wait for a lock that nobody gives back."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


# What a process does that shares a file: a call for each line, with the clock put forward by so many seconds. It
# answers with a line of JSON: how the call ended, then all that was ever logged as a warning.
_CALLER = """
import faulthandler, json, logging, os, resource, sys, time
faulthandler.dump_traceback_later(25, exit=True)
ahead, now, logged = 0.0, time.time, []
time.time = lambda: now() + ahead
import redcloud_core._auth
from redcloud_core import FileTokenCache, RedCloud
handler = logging.Handler(logging.WARNING)
handler.emit = lambda record: logged.append(record.getMessage())
logging.getLogger().addHandler(handler)
url, path, client_id, client_secret, before = sys.argv[1:]
client = RedCloud(url, client_id=client_id, client_secret=client_secret, token_cache=FileTokenCache(path))
exec(before)
print("ready", flush=True)
for line in sys.stdin:
    ahead = float(line)
    try:
        ended = client.whoami().apiClientStatus
    except Exception as error:
        ended = repr(error)
    print(json.dumps([ended, *logged]), flush=True)
client.close()
"""

# Looks for places where no token can be kept, as nobody if it is root; prints what is refused.
_UNUSABLE = f"""
import os, resource, sys
from redcloud_core import FileTokenCache
folder = sys.argv[1]
FileTokenCache(folder + "/tokens")  # imports what it needs
if os.geteuid() == 0:
    os.chown(folder, {NOBODY}, {NOBODY})
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
def refuse(path):
    try:
        FileTokenCache(path)
    except Exception as error:
        print(type(error).__name__, error)
os.mkdir(folder + "/below")
os.chdir(folder + "/below")
for mode, path in ((0o500, "/tokens"), (0o000, "/tokens"), (0o000, "/below/tokens")):
    os.chmod(folder, mode)
    refuse(folder + path)
os.chmod(folder, 0o700)
os.rmdir(folder + "/below")
refuse("tokens")
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
refuse(folder + "/tokens")
print("done", *os.listdir(folder), flush=True)
"""

# Two clients of one cache: the second is used in a child that is forked while the first one fetches.
_FORKING = """
import faulthandler, os, sys, threading
faulthandler.dump_traceback_later(25, exit=True)
from redcloud_core import FileTokenCache, MemoryTokenCache, RedCloud
url, path, SECRET = sys.argv[1:]
cache = FileTokenCache(path) if path else MemoryTokenCache()
fetching, other = (RedCloud(url, client_id="id", client_secret=SECRET, token_cache=cache, deadline=5) for _ in range(2))
threading.Thread(target=fetching.whoami, daemon=True).start()
print("asked", flush=True)
sys.stdin.readline()
pid = os.fork()
if pid == 0:
    print("forked", flush=True)
    if sys.stdin.readline():
        try:
            other.whoami()
        except BaseException:
            os._exit(1)
    os._exit(0)
print("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
sys.stdin.readline()
"""

# Stores tokens as fast as it can, on four threads, each under a key of its own.
_STORING = """
import os, sys, threading, time
from redcloud_core import FileTokenCache, Token
def store(key):
    cache = FileTokenCache(sys.argv[1])
    while True:
        cache.store(key, Token("x" * 2000, time.time(), 3600))
        os.write(1, b"stored\\n")
for number in range(4):
    threading.Thread(target=store, args=(sys.argv[2] + str(number),)).start()
threading.Event().wait()
"""


class Process:
    """A process, which is told what to do by lines and answers with lines."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
        self._running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.kill, self.signal = self._running.kill, self._running.send_signal

    def say(self, line: object = 0.0) -> None:
        """Tell it something."""
        assert self._running.stdin is not None
        self._running.stdin.write(f"{line}\n")
        self._running.stdin.flush()

    def hear(self) -> str:
        """Wait for a line from it."""
        assert self._running.stdout is not None
        return self._running.stdout.readline().rstrip("\n")

    def hear_out(self) -> None:
        """Listen until it ends."""
        while self.hear():
            pass

    def answer(self) -> list[str]:
        """Wait for the end of a call: how it ended, and all warnings so far."""
        said: list[str] = json.loads(self.hear())
        return said

    def end(self) -> None:
        """Kill it, and wait for its end."""
        with self._running:
            self._running.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file for tokens, in a folder of its own; it is not there yet."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "tokens"


@pytest.fixture
def api(server: Any, script: Any) -> Any:
    """The scripted server, which answers whoami."""
    server.answer(WHOAMI, script(body=WHOAMI_BODY))
    return server


@pytest.fixture
def client(api: Any) -> Iterator[Callable[..., RedCloud]]:
    """Makes clients of one account, and closes them."""
    with ExitStack() as closed:

        def make(token_cache: Any, url: str = api.url, **settings: Any) -> RedCloud:
            settings = {"client_id": "id", "client_secret": SECRET, **settings}
            return closed.enter_context(RedCloud(url, token_cache=token_cache, **settings))

        yield make


@pytest.fixture
def written(api: Any, client: Any, path: Path) -> Any:
    """What the file holds after the first fetch: `tok_1`."""
    client(FileTokenCache(path)).whoami()
    return json.loads(path.read_bytes())


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    """Starts processes, and ends them."""
    with ExitStack() as ended:

        def start(script: str, *arguments: object) -> Process:
            started = Process(script, *arguments)
            ended.callback(started.end)
            return started

        yield start


@pytest.fixture
def callers(process: Any, api: Any, path: Path) -> Callable[..., list[Process]]:
    """Starts processes that share the file, and waits until all are ready to call."""

    def start(count: int, *, url: str = api.url, account: tuple[str, str] = ("id", SECRET), before: str = "") -> Any:
        started = [process(_CALLER, url, path, *account, before) for _ in range(count)]
        assert {"ready"} == {each.hear() for each in started}
        return started

    return start


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Gives the warnings about tokens so far."""

    def warnings() -> list[str]:
        for thread in threading.enumerate():
            if thread.name == "redcloud-token":  # it logs when those who waited for the token have gone on
                thread.join(LONG)
        records = [record for record in caplog.records if record.name == "redcloud_core.auth"]
        return [record.getMessage() for record in records if record.levelno >= logging.WARNING]

    return warnings


@pytest.fixture
def commons() -> Iterator[Path]:
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="token_cache_"))
    yield folder
    shutil.rmtree(folder)


def used(server: Any) -> list[str]:
    """The tokens that the API has seen, in order."""
    return [str(seen.header("Authorization")).removeprefix("Bearer ") for seen in server.requests(WHOAMI)]


def stored(path: Path, owner: int = os.geteuid()) -> set[str]:
    """The tokens of a file that is whole, its owner's alone, and has nothing but its lock beside it."""
    found = path.lstat()
    assert (True, 0o600, owner) == (stat.S_ISREG(found.st_mode), stat.S_IMODE(found.st_mode), found.st_uid)
    assert {path.name, f"{path.name}.lock"} >= {beside.name for beside in path.parent.iterdir()}
    content = json.loads(path.read_bytes())
    assert content["format"] == 1
    return {entry["access_token"] for entry in content["tokens"].values()}


def refusing(server: Any, script: Any, times: int) -> None:
    """Have the API refuse every other call, a number of times; each refusal costs a token."""
    refused, good = script(401, CORE), script(body=WHOAMI_BODY)
    server.answer(WHOAMI, *[refused, good] * times, good)


def what_is(path: Path) -> str | None:
    """What is at a path, without following links."""
    kinds = {stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFDIR: "folder"}
    return kinds[stat.S_IFMT(path.lstat().st_mode)] if os.path.lexists(path) else None


def contents(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Mode and content of the files in a folder."""
    return {file: (file.stat().st_mode, file.read_bytes()) for file in folder.iterdir() if file.is_file()}


def open_files(folder: Path) -> list[str]:
    """The files of a folder that this process has open, where the system tells."""
    found = []
    for descriptor in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            found.append(os.readlink(descriptor))
    return [name for name in found if name.startswith(str(folder))]


def revoke(server: Any, script: Any, *tokens: str) -> None:
    """Have the API refuse tokens from now on."""
    take = server.take

    def judge(seen: Any) -> Any:
        answer = take(seen)
        is_refused = str(seen.header("Authorization")).removeprefix("Bearer ") in tokens
        return script(401, CORE) if is_refused else answer

    server.take = judge


def all_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Make calls on a thread each, begun together, and give what they return."""
    start = threading.Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        start.wait(LONG)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(begin, call) for call in calls]]


def memory(_path: Path) -> MemoryTokenCache:
    """A cache in memory."""
    return MemoryTokenCache()


@pytest.fixture(params=[memory, FileTokenCache], ids=["memory", "file"])
def cache(request: pytest.FixtureRequest, path: Path) -> Any:
    """A cache of either kind."""
    return request.param(path)


# Both kinds of caches


def test_clients_have_their_own_tokens_by_default(connect: Any, api: Any, tmp_path: Path) -> None:
    """Without a cache each client fetches a token of its own, and no file is written."""
    for client in (connect(api.url), connect(api.url)):
        client.whoami()
        client.with_options(attempts=1).whoami()
    assert (api.token_requests, used(api)) == (2, ["tok_1", "tok_1", "tok_2", "tok_2"])
    assert list(tmp_path.iterdir()) == []


def test_clients_share_a_cache(connect: Any, api: Any, cache: Any) -> None:
    """Clients that are given one cache need one token."""
    for _ in range(3):
        connect(api.url, token_cache=cache).whoami()
    assert (api.token_requests, used(api)) == (1, ["tok_1"] * 3)


def test_clients_that_start_at_once(client: Any, api: Any, cache: Any, eventually: Any) -> None:
    """16 clients of one cache that start together cost one token call."""
    api.token_hold = threading.Event()
    clients = [client(cache) for _ in range(16)]
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(all_at_once, [each.whoami for each in clients])
        eventually(lambda: api.token_requests >= 1)
        time.sleep(0.1)  # the others would ask by now
        api.token_hold.set()
        assert {"ACTIVE"} == {answer.apiClientStatus for answer in calling.result()}
    assert (api.token_requests, used(api)) == (1, ["tok_1"] * 16)


@pytest.mark.parametrize("other", [{"client_id": "id2"}, {"client_secret": "s3cr3t2"}], ids=["id", "secret"])
def test_accounts_are_not_crossed(client: Any, api: Any, cache: Any, other: dict[str, str]) -> None:
    """Clients of another id or secret never see each other's token, though they share the cache."""
    for _ in range(2):
        client(cache).whoami()
        client(cache, **other).whoami()
    assert (api.token_requests, used(api)) == (2, ["tok_1", "tok_2"] * 2)


def test_environments_are_not_crossed(client: Any, api: Any, script: Any, cache: Any) -> None:
    """Two environments with the same credentials never see each other's token, though they share the cache."""
    other = type(api)()
    try:
        other.answer(WHOAMI, script(body=WHOAMI_BODY))
        other.answer(TOKEN, script(body={"access_token": "tok_other", "expires_in": 3600}))
        for _ in range(2):
            client(cache).whoami()
            client(cache, url=other.url).whoami()
    finally:
        other.close()
    assert (api.token_requests, used(api)) == (1, ["tok_1"] * 2)
    assert (other.token_requests, used(other)) == (1, ["tok_other"] * 2)


def test_rotated_secret(client: Any, api: Any, script: Any, cache: Any) -> None:
    """A new secret has a token of its own; the one of the old secret is not used for it, though it lives."""
    secret = "old"
    before = client(cache, client_secret=lambda: secret)
    before.whoami()
    secret = "new"
    client(cache, client_secret=lambda: secret).whoami()
    revoke(api, script, "tok_1")
    before.whoami()
    assert (api.token_requests, used(api)) == (2, ["tok_1", "tok_2", "tok_1", "tok_2"])


def test_expired_tokens_are_dropped(cache: Any) -> None:
    """What has expired goes when a token is stored; what lives stays, whoever it belongs to."""
    now = time.time()
    cache.store("expired", Token("tok_1", now - 100, 99))
    cache.store("alive", Token("tok_2", now - 100, 110))
    cache.store("own", Token("tok_3", now - 100, 3600))
    cache.store("own", Token("tok_4", now, 3600))
    found = [cache.load(key) for key in ("expired", "alive", "own", "never")]
    assert [token and token.access_token for token in found] == [None, "tok_2", "tok_4", None]
    assert (now - 100, 110, now + 10) == (found[1].issued_at, found[1].lifetime, found[1].expires_at)


def test_lock_times_out(cache: Any) -> None:
    """Who cannot have the lock in time gets a TimeoutError; it is free when its holder is done, even by an error."""
    began = time.monotonic()
    with cache.lock("key", 0.0), pytest.raises(TimeoutError), cache.lock("key", 0.01):
        raise AssertionError("both have the lock")
    assert time.monotonic() - began < PROMPT
    with pytest.raises(KeyError), cache.lock("key", 0.0):
        raise KeyError
    with cache.lock("key", 0.0):
        pass


@pytest.mark.parametrize(("in_memory", "fetches"), [(True, 2), (False, 1)], ids=["memory", "file"])
def test_fork_while_another_client_fetches(
    process: Any, api: Any, path: Path, in_memory: bool, fetches: int, eventually: Any
) -> None:
    """A child that is forked while the cache is locked does not hang: its memory is its own, a file it waits for."""
    hold = api.token_hold = threading.Event()
    parent = process(_FORKING, api.url, "" if in_memory else path, SECRET)
    assert parent.hear() == "asked"
    eventually(lambda: api.token_requests == 1)
    parent.say("fork")
    assert parent.hear() == "forked"
    api.token_hold = None
    parent.say("call")
    if in_memory:
        assert parent.hear() == "child 0"
    hold.set()
    if not in_memory:
        assert parent.hear() == "child 0"
    eventually(lambda: len(used(api)) == 2)
    assert (fetches, fetches) == (api.token_requests, len(set(used(api))))


# A token


_BAD_TEXTS = ("", " ", "a b", "tok\r\nX-Evil: 1", "tök", "tok\0", "t" * 65_537, b"tok", None, 7)
_BAD_SECONDS = (0, -1.0, float("nan"), float("inf"), 1e300, 10**400, True, "1", None)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *[("access_token", bad) for bad in _BAD_TEXTS],
        *[(member, bad) for member in ("issued_at", "lifetime") for bad in _BAD_SECONDS],
    ],
    ids=lambda value: repr(value)[:14],
)
def test_impossible_tokens(member: str, value: Any) -> None:
    """A token that no header can carry, or whose times are no positive numbers, cannot be made."""
    with pytest.raises(ValueError, match=f"^{member} must be "):
        Token(**{"access_token": "tok", "issued_at": 1.0, "lifetime": 1.0, member: value})


def test_token_does_not_show() -> None:
    """Neither a token nor a cache shows a token in its repr, and a token is neither pickled nor copied."""
    token, cache = Token("s3cr3t-t0k3n", 1.0, 2.0), MemoryTokenCache()
    cache.store("key", token)
    assert "t0k3n" not in repr(token) + repr(cache)
    for let_out in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a token cannot be copied or pickled"):
            let_out(token)


# Processes


def test_processes_that_start_at_once(callers: Any, api: Any, path: Path, eventually: Any) -> None:
    """8 processes that start together cost one token call, and those that start later none."""
    api.token_hold = threading.Event()
    first = callers(8)
    for each in first:
        each.say()
    eventually(lambda: api.token_requests >= 1)
    time.sleep(0.2)  # the others would ask by now
    api.token_hold.set()
    later = callers(4)
    for each in later:
        each.say()
    assert [each.answer() for each in first + later] == [["ACTIVE"]] * 12
    assert (1, ["tok_1"] * 12, {"tok_1"}) == (api.token_requests, used(api), stored(path))


def test_processes_share_the_replaced_token(callers: Any, api: Any, path: Path) -> None:
    """In the refresh window of a token that processes share, and after its end, one replaces it for all."""
    running = callers(4)

    def tokens_used(ahead: float) -> set[str]:
        before = len(used(api))
        for each in running:
            each.say(ahead)
        assert [each.answer() for each in running] == [["ACTIVE"]] * 4
        return set(used(api)[before:])

    for ahead, old, new in ((0, "tok_1", "tok_1"), (3350, "tok_1", "tok_2"), (3600, "tok_2", "tok_2")):
        assert tokens_used(ahead) <= {old, new}  # in the window the old one serves while the new one comes
        ends_at = time.monotonic() + LONG
        while tokens_used(ahead) != {new}:
            assert time.monotonic() < ends_at
    assert (2, {"tok_2"}) == (api.token_requests, stored(path))
    assert {"tok_3"} == tokens_used(7000)
    assert (3, {"tok_3"}) == (api.token_requests, stored(path))


@pytest.mark.parametrize("age", [3400, 4000, -60], ids=["in its window", "expired", "of the future"])
def test_processes_replace_an_old_token(callers: Any, api: Any, path: Path, written: Any, age: float) -> None:
    """Processes that find a token in its refresh window, or none that lives, fetch one new token for all."""
    (entry,) = written["tokens"].values()
    entry["issued_at"] = time.time() - age
    path.write_text(json.dumps(written))
    running = callers(4)
    for each in running:
        each.say()
    assert [each.answer() for each in running] == [["ACTIVE"]] * 4
    assert (2, ["tok_1", *["tok_2"] * 4], {"tok_2"}) == (api.token_requests, used(api), stored(path))


def test_killed_while_it_fetches(callers: Any, api: Any, path: Path, eventually: Any) -> None:
    """A process that is killed with the lock in its hands leaves nothing that stops the next one."""
    hold = api.token_hold = threading.Event()
    killed, waiting, late = callers(3)
    killed.say()
    eventually(lambda: api.token_requests == 1)
    waiting.say()
    time.sleep(0.1)  # it would ask by now
    assert (1, [f"{path.name}.lock"]) == (api.token_requests, os.listdir(path.parent))
    api.token_hold = None
    began = time.monotonic()
    killed.kill()
    assert waiting.answer() == ["ACTIVE"]
    late.say()
    assert late.answer() == ["ACTIVE"]
    assert time.monotonic() - began < PROMPT
    hold.set()
    assert (2, ["tok_2"] * 2, {"tok_2"}) == (api.token_requests, used(api), stored(path))


def test_killed_after_a_fork(callers: Any, process: Any, api: Any, path: Path, eventually: Any) -> None:
    """A child that was forked while its parent held the lock does not keep it when the parent is killed."""
    hold = api.token_hold = threading.Event()
    parent = process(_FORKING, api.url, path, SECRET)
    assert parent.hear() == "asked"
    eventually(lambda: api.token_requests == 1)
    parent.say("fork")
    assert parent.hear() == "forked"
    api.token_hold = None
    (other,) = callers(1)
    began = time.monotonic()
    parent.kill()
    other.say()
    assert other.answer() == ["ACTIVE"]
    assert time.monotonic() - began < PROMPT
    hold.set()
    assert (api.token_requests, used(api)) == (2, ["tok_2"])


def test_stopped_while_it_fetches(callers: Any, api: Any, path: Path, eventually: Any) -> None:
    """Who has waited long enough for a process that is stopped goes on without the lock; both get a token."""
    hold = api.token_hold = threading.Event()
    stopped, impatient = callers(2, before="redcloud_core._auth.LOCK_TIMEOUT = 0.3")
    stopped.say()
    eventually(lambda: api.token_requests == 1)
    stopped.signal(signal.SIGSTOP)
    api.token_hold = None
    began = time.monotonic()
    impatient.say()
    assert impatient.answer() == ["ACTIVE"]
    assert 0.3 < time.monotonic() - began < PROMPT
    assert (2, ["tok_2"], {"tok_2"}) == (api.token_requests, used(api), stored(path))
    hold.set()
    stopped.signal(signal.SIGCONT)
    assert stopped.answer() == ["ACTIVE"]
    assert (api.token_requests, used(api), len(stored(path))) == (2, ["tok_2", "tok_1"], 1)


def test_stored_by_many_at_once(process: Any, path: Path) -> None:
    """While 16 threads of four processes store, and when they are killed at it, the file is whole at any time."""
    storing = [process(_STORING, path, f"key_{number}_") for number in range(4)]
    assert {"stored"} == {each.hear() for each in storing}
    listening = [threading.Thread(target=each.hear_out) for each in storing]
    for each in listening:
        each.start()

    def read() -> set[str]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return {entry["access_token"] for entry in json.loads(path.read_bytes())["tokens"].values()}

    ends_at, reads = time.monotonic() + 0.7, 0
    while time.monotonic() < ends_at:
        assert {"x" * 2000} == read()
        reads += 1
    for each in storing:
        each.kill()
    for each in listening:
        each.join()
    assert {"x" * 2000} == read()
    assert reads > 20
    assert {0o600} == {stat.S_IMODE(beside.stat().st_mode) for beside in path.parent.iterdir()}


# Where no token can be kept


def _folder(path: Path) -> Any:
    path.mkdir()
    return path


def _fifo(path: Path) -> Any:
    os.mkfifo(path)
    return path


def _link(path: Path) -> Any:
    path.with_name("target").write_text("{}")
    path.symlink_to("target")
    return path


def _dangling_link(path: Path) -> Any:
    path.symlink_to("nothing")
    return path


def _link_to_itself(path: Path) -> Any:
    path.symlink_to(path)
    return path


def _below_a_file(path: Path) -> Any:
    path.write_text("")
    return path / "tokens"


def _of_another_user(path: Path) -> Any:
    path.write_text("")
    os.chown(path, NOBODY, NOBODY)
    return path


_IMPOSSIBLE = [
    ("folder", _folder, "choose another path"),
    ("fifo", _fifo, "choose another path"),
    ("device", lambda _path: "/dev/null", "choose another path"),
    ("link", _link, "links .*choose another path"),
    ("dangling link", _dangling_link, "links .*choose another path"),
    ("link to itself", _link_to_itself, "links .*choose another path"),
    ("below a file", _below_a_file, "no folder .*make it first"),
    ("in no folder", lambda path: path.parent / "missing" / "tokens", "no folder .*missing; make it first"),
    ("the folder itself", lambda path: path.parent, "choose another path"),
    ("where not even root can write", lambda _path: "/proc/self/tokens", "choose another path|make it first"),
    ("long name", lambda path: path.with_name("x" * 300), "name too long; choose another path"),
    ("long with its lock", lambda path: path.with_name("x" * 250), "name too long; choose another path"),
    ("long folder", lambda path: path.parent / ("x" * 300) / "tokens", "name too long; choose another path"),
    ("surrogate", lambda path: f"{path}\ud800", "text that names a file"),
    ("NUL", lambda path: f"{path}\0", "text that names a file"),
    ("bytes", os.fsencode, "text that names a file"),
    ("empty", lambda _path: "", "text that names a file"),
]


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        *[pytest.param(make, advice, id=name) for name, make, advice in _IMPOSSIBLE],
        pytest.param(_of_another_user, "another user.*remove it, or choose another path", marks=needs_root),
    ],
)
def test_impossible_paths(path: Path, make: Callable[[Path], Any], advice: str) -> None:
    """A path where no token can be kept is refused when the cache is made, with what to do; nothing is left there."""
    given = make(path)
    before = sorted(os.listdir(path.parent))
    with pytest.raises(ValueError, match=rf"^token_cache: (?i:.*({advice}).*)\.$"):
        FileTokenCache(given)
    assert before == sorted(os.listdir(path.parent))


def test_unusable_folders(process: Any, commons: Path) -> None:
    """A folder that may not be written or searched, that is gone, or on a full disk, is refused as other places are."""
    looking = process(_UNUSABLE, commons)
    assert list(iter(looking.hear, "done")) == [
        f"ValueError token_cache: no file can be kept at {place}: {reason}; choose another path."
        for place, reason in (
            (commons / "tokens", "Permission denied"),  # not writable
            (commons / "tokens", "Permission denied"),  # not searchable
            (commons / "below/tokens", "Permission denied"),
            ("tokens", "No such file or directory"),
            (commons / "tokens", "File too large"),
        )
    ]


@pytest.mark.parametrize("given", ["/var/lib/tokens", Path("/var/lib/tokens"), 7, True, object], ids=repr)
def test_no_cache(connect: Any, unused_url: str, given: Any) -> None:
    """What is no cache, such as the path of a file, is refused when the client is made, with what to give instead."""
    with pytest.raises(ValueError, match=r"^token_cache: must have load, store and lock, as FileTokenCache\(path\)"):
        connect(unused_url, token_cache=given)


def test_relative_path(client: Any, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path is one of the folder that was current when the cache was made, and shows in its repr."""
    monkeypatch.chdir(path.parent)
    cache = FileTokenCache(path.name)
    monkeypatch.chdir(tmp_path)
    client(cache).whoami()
    assert ({"tok_1"}, f"FileTokenCache({str(path)!r})") == (stored(path), repr(cache))


# What is in the file


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777], ids=oct)
def test_file_is_ours_alone(client: Any, path: Path, umask: int) -> None:
    """Whatever the umask, file and lock are readable and writable by their owner alone."""
    before = os.umask(umask)
    try:
        client(FileTokenCache(path)).whoami()
    finally:
        os.umask(before)
    assert {"tok_1"} == stored(path)
    assert [stat.S_IMODE(beside.stat().st_mode) for beside in path.parent.iterdir()] == [0o600] * 2


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o440, 0o400, 0o755, 0o620, 0o602, 0o666], ids=oct)
def test_file_with_another_mode(client: Any, api: Any, path: Path, written: Any, mode: int) -> None:
    """A file that only we could write is used, one that others could write is not believed; both end as 0600."""
    path.chmod(mode)
    client(FileTokenCache(path)).whoami()
    token = "tok_2" if mode & 0o022 else "tok_1"
    assert (["tok_1", token], {token}) == (used(api), stored(path))


@needs_root
def test_file_of_another_user(client: Any, api: Any, path: Path, written: Any) -> None:
    """A file that another user put there meanwhile is not believed, and replaced."""
    cache = FileTokenCache(path)
    os.chown(path, NOBODY, -1)
    client(cache).whoami()
    assert (["tok_1", "tok_2"], {"tok_2"}) == (used(api), stored(path))


def test_fifo_is_not_believed(client: Any, api: Any, path: Path, written: Any) -> None:
    """What is no file is not believed, whatever can be read from it, and replaced."""
    cache = FileTokenCache(path)
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path, 0o600)
    with open(os.open(path, os.O_RDWR), "wb", buffering=0) as fifo:
        fifo.write(content)
        client(cache).whoami()
    assert (["tok_1", "tok_2"], {"tok_2"}) == (used(api), stored(path))


def test_file_that_cannot_be_read(process: Any, api: Any, commons: Path) -> None:
    """A file that another user's rights keep from being read is replaced."""
    path = commons / "tokens"
    path.touch()
    drop = f"os.setgroups([]), os.setresgid(*[{NOBODY}] * 3), os.setresuid(*[{NOBODY}] * 3)"
    caller = process(_CALLER, api.url, path, "id", SECRET, f"client.whoami()\nif not os.geteuid(): {drop}")
    assert caller.hear() == "ready"
    (commons / "tokens.lock").unlink()
    path.chmod(0o000)
    owner = os.geteuid() or NOBODY
    os.chown(commons, owner, -1)
    caller.say(5000)
    assert caller.answer() == ["ACTIVE"]
    assert (["tok_1", "tok_2"], {"tok_2"}) == (used(api), stored(path, owner))


def test_secret_is_nowhere(client: Any, path: Path) -> None:
    """The file holds the token, and is 0600 for that; the secret is in no file and no name, in no spelling."""
    client(FileTokenCache(path), client_id="rc_id").whoami()
    found = b"\n".join(os.fsencode(beside.name) + beside.read_bytes() for beside in path.parent.iterdir())
    assert b"tok_1" in found
    basic = b64encode(f"rc_id:{quote(SECRET, safe='')}".encode())
    for spelling in (SECRET.encode(), quote(SECRET, safe="").encode(), b64encode(SECRET.encode()), basic, b"s3cr3t"):
        assert spelling not in found


def _with(**members: Any) -> Callable[[Any], bytes]:
    """The file with members of the token changed."""

    def spoil(content: Any) -> bytes:
        (entry,) = content["tokens"].values()
        entry.update(members)
        return json.dumps(content).encode()

    return spoil


def _without(member: str) -> Callable[[Any], bytes]:
    """The file without a member of the token."""

    def spoil(content: Any) -> bytes:
        (entry,) = content["tokens"].values()
        del entry[member]
        return json.dumps(content).encode()

    return spoil


def _holding(entry: Any) -> Callable[[Any], bytes]:
    """The file with something else in the place of the token."""
    return lambda content: json.dumps({**content, "tokens": dict.fromkeys(content["tokens"], entry)}).encode()


def _around(**members: Any) -> Callable[[Any], bytes]:
    """The file with something else around the token."""
    return lambda content: json.dumps({**content, **members}).encode()


def _bytes(content: bytes) -> Callable[[Any], bytes]:
    """Something else."""
    return lambda _content: content


_NO_OBJECTS: tuple[Any, ...] = (None, [], "tok_1", 7)
_SPOILED: dict[str, Callable[[Any], bytes]] = {
    **{f"token {value!r:.12}": _with(access_token=value) for value in _BAD_TEXTS if not isinstance(value, bytes)},
    **{f"{name} {value!r:.12}": _with(**{name: value}) for name in ("issued_at", "lifetime") for value in _BAD_SECONDS},
    **{f"without {name}": _without(name) for name in ("access_token", "issued_at", "lifetime")},
    "token of the future": _with(issued_at=time.time() + 1000),
    "expired": _with(issued_at=time.time() - 4000),
    "one member more": _with(scope="all"),
    "a member named self": _with(self="all"),
    **{f"entry {value!r}": _holding(value) for value in _NO_OBJECTS},
    **{f"format {value!r}": _around(format=value) for value in (0, 2, "1", *_NO_OBJECTS)},
    **{f"tokens {value!r}": _around(tokens=value) for value in (*_NO_OBJECTS, {})},
    "no format": lambda content: json.dumps({"tokens": content["tokens"]}).encode(),
    "entry without members": _holding({}),
    "no tokens": _bytes(b'{"format": 1}'),
    "a list": _bytes(b"[]"),
    "null": _bytes(b"null"),
    "a number": _bytes(b"1"),
    "nested lists": _bytes(b"[" * 100_000),
    "nested objects": _bytes(b'{"a":' * 100_000),
    "nested deep inside": lambda content: json.dumps(content).encode().replace(b'"tok_1"', b"[" * 100_000),
    "NUL": _bytes(b"\0" * 200),
    "invalid UTF-8": lambda content: json.dumps(content).encode().replace(b"tok_1", b"tok_\xff"),
    "lone surrogate": lambda content: json.dumps(content).encode().replace(b"tok_1", b"\\ud800"),
    "byte-order mark": lambda content: b"\xef\xbb\xbf" + json.dumps(content).encode(),
    "UTF-16": lambda content: json.dumps(content).encode("utf-16"),
    "2 MB of blanks": _bytes(b" " * 2_000_000),
    "2 MB of tokens": _around(more="x" * 2_000_000),
    "twice": lambda content: json.dumps(content).encode() * 2,
}


@pytest.mark.parametrize("spoil", _SPOILED.values(), ids=_SPOILED.keys())
def test_spoiled_file(
    client: Any, api: Any, path: Path, written: Any, warned: Any, spoil: Callable[[Any], bytes]
) -> None:
    """What is no cache file, or holds no token that can be used, is replaced, and nobody notices."""
    path.write_bytes(spoil(written))
    client(FileTokenCache(path)).whoami()
    assert (["tok_1", "tok_2"], {"tok_2"}, []) == (used(api), stored(path), warned())


def test_spoiled_at_any_byte(client: Any, api: Any, path: Path, written: Any, warned: Any) -> None:
    """A file that is cut at any byte, spoiled at one, or noise, is replaced."""
    good, noise = path.read_bytes(), random.Random(7)
    cut = [good[:length] for length in range(len(good))]
    spoiled = [good[:place] + b"\xff" + good[place + 1 :] for place in range(len(good))]
    for content in (*cut, *spoiled[::4], *[noise.randbytes(noise.randrange(200)) for _ in range(20)]):
        path.write_bytes(content)
        before = api.token_requests
        client(FileTokenCache(path)).whoami()
        assert (before + 1, {f"tok_{before + 1}"}) == (api.token_requests, stored(path)), content
    assert warned() == []


def test_whole_file_is_used(client: Any, api: Any, path: Path, written: Any) -> None:
    """What a file of this format holds is used, whatever else it holds: other tokens, blanks, unknown members."""
    tokens = {**written["tokens"], "other": None, "": {"access_token": 7}}
    path.write_text(json.dumps({"more": True, **written, "tokens": tokens}, indent=4) + "\n" * 1000)
    client(FileTokenCache(path)).whoami()
    assert used(api) == ["tok_1"] * 2


# What happens to the file meanwhile


def _plant_link(path: Path) -> None:
    path.rename(path.parent.with_name("target"))
    path.symlink_to(path.parent.with_name("target"))


def _plant_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent.with_name("target"))


def _plant_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").touch()


def _plant_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _plant_lock(plant: Callable[[Path], None]) -> Callable[[Path], None]:
    def planted(path: Path) -> None:
        path.unlink()
        plant(path.with_name(f"{path.name}.lock"))

    return planted


def _remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    ("happen", "left", "warnings"),
    [
        pytest.param(Path.unlink, "file", 0, id="file removed"),
        pytest.param(_plant_fifo, "file", 0, id="fifo"),
        pytest.param(_plant_link, "link", 1, id="link to a good file"),
        pytest.param(_plant_dangling_link, "link", 1, id="dangling link"),
        pytest.param(_plant_folder, "folder", 1, id="folder"),
        pytest.param(_plant_lock(_plant_link), "file", 1, id="lock is a link"),
        pytest.param(_plant_lock(_plant_dangling_link), "file", 1, id="lock is a dangling link"),
        pytest.param(_plant_lock(_plant_folder), "file", 1, id="lock is a folder"),
        pytest.param(_remove_folder, None, 1, id="folder removed"),
    ],
)
def test_something_else_in_its_place(
    client: Any, api: Any, script: Any, path: Path, written: Any, warned: Any, happen: Any, left: Any, warnings: int
) -> None:
    """Whatever comes in the place of the file or its lock, calls work; no link is followed, one warning says it."""
    cache = FileTokenCache(path)
    happen(path)
    outside = contents(path.parent.parent)
    refusing(api, script, 2)
    calling = client(cache)
    assert [calling.whoami().apiClientStatus for _ in range(4)] == ["ACTIVE"] * 4
    assert (api.token_requests, used(api)) == (4, ["tok_1", "tok_2", "tok_3", "tok_3", "tok_4", "tok_4", "tok_4"])
    assert (left, outside) == (what_is(path), contents(path.parent.parent))
    assert warnings == len(warned())
    assert all(line.startswith(f"{cache!r} cannot be used (") for line in warned())
    assert all(line.endswith("); tokens are fetched without it") for line in warned())
    assert (list(path.parent.glob(".*")), open_files(path.parent)) == ([], [])


def test_full_disk(callers: Any, api: Any, path: Path, written: Any) -> None:
    """When nothing can be written any more calls work, with one warning; the file is as it was, nothing beside it."""
    (caller,) = callers(1, before="resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")
    answers = []
    for ahead in (0, 4000, 8000, 8000, 12000):
        caller.say(ahead)
        answers.append(caller.answer())
    warning = f"FileTokenCache({str(path)!r}) cannot be used (OSError: File too large); tokens are fetched without it"
    assert ([ended for ended, *_ in answers], answers[-1][1:]) == (["ACTIVE"] * 5, [warning])
    assert used(api) == ["tok_1", "tok_1", "tok_2", "tok_3", "tok_3", "tok_4"]
    assert stored(path) == {"tok_1"}


# Refused tokens, and a token operation that fails


def test_revoked_token(client: Any, api: Any, script: Any, path: Path, written: Any) -> None:
    """Who finds a revoked token in the file is refused once, and replaces it."""
    revoke(api, script, "tok_1")
    client(FileTokenCache(path)).whoami()
    assert (used(api), stored(path)) == (["tok_1", "tok_1", "tok_2"], {"tok_2"})


def test_revoked_in_all_processes(callers: Any, api: Any, script: Any, path: Path) -> None:
    """A revoked token costs all processes one token call, and each that had it one refusal."""
    running = callers(3)
    for each in running:
        each.say()
    assert [each.answer() for each in running] == [["ACTIVE"]] * 3
    revoke(api, script, "tok_1")
    running += callers(1)
    for each in running:
        each.say()
    assert [each.answer() for each in running] == [["ACTIVE"]] * 4
    assert (api.token_requests, stored(path)) == (2, {"tok_2"})
    by_those_that_had_it, by_the_new_one = used(api).count("tok_1"), used(api).count("tok_2")
    assert (by_those_that_had_it in (6, 7), by_the_new_one) == (True, 4)


def test_refused_token_is_not_used_again(client: Any, api: Any, script: Any, path: Path, written: Any) -> None:
    """A token that the API has refused is not taken from the file again, though no other is to be had."""
    revoke(api, script, "tok_1")
    api.answer(TOKEN, script(503))
    calling = client(FileTokenCache(path), attempts=1)
    for _ in range(3):
        with pytest.raises(TokenUnavailableError):
            calling.whoami()
    assert (["tok_1"] * 2, {"tok_1"}) == (used(api), stored(path))
    api.answer(TOKEN)
    calling.with_options(attempts=4).whoami()
    assert (["tok_2"], {"tok_2"}) == (used(api)[2:], stored(path))


def test_no_refused_token_is_used_again(callers: Any, api: Any, script: Any, path: Path, written: Any) -> None:
    """Of a file that cannot be written any more no token is used that was refused before."""
    (caller,) = callers(1, before="resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")
    ended = []
    for token in ("tok_1", "tok_2"):
        revoke(api, script, token)
        caller.say()
        ended.append(caller.answer()[0])
    assert (ended, used(api)) == (["ACTIVE"] * 2, ["tok_1", "tok_1", "tok_2", "tok_2", "tok_3"])


@pytest.mark.parametrize(
    "answer",
    [{"status": 503}, {"fault": "reset"}, {"status": 401, "body": {"error": "invalid_client"}}, {"body": b"<html>"}],
    ids=["down", "reset", "invalid client", "unreadable"],
)
def test_no_new_token(
    connect: Any, api: Any, script: Any, path: Path, written: Any, eventually: Any, answer: dict[str, Any]
) -> None:
    """While no new token is to be had, one of the file that is to be replaced serves as long as it lives."""
    (entry,) = written["tokens"].values()
    entry["issued_at"] = time.time() - 3500
    path.write_text(json.dumps(written))
    api.answer(TOKEN, script(**answer))
    calling = connect(api.url, client_id="id", client_secret=SECRET, token_cache=FileTokenCache(path))
    for _ in range(5):
        assert calling.whoami().apiClientStatus == "ACTIVE"
    eventually(lambda: "no token: " in str(calling.client.token_state().last_failure))
    assert (["tok_1"] * 6, {"tok_1"}) == (used(api), stored(path))
    assert api.token_requests <= 3  # one that begins as the first one ends is no storm


# Caches of the user's own


class Unreadable(Exception):
    """An error that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError(CANARY)


class Troubled:
    """A cache that has one trouble, and shows its secrets."""

    def __init__(self, place: str, error: Exception) -> None:
        self.place, self.error = place, error
        self.asked: list[str] = []

    def __repr__(self) -> str:
        return f"Troubled({CANARY})"

    def load(self, key: str) -> Token | None:
        """Give no token."""
        self._come_to("load")
        return None

    def store(self, key: str, token: Token) -> None:
        """Keep no token."""
        self._come_to("store")

    def lock(self, key: str, timeout: float) -> Any:
        """Give a lock that locks nothing."""
        self._come_to("lock")
        return self._lock()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._come_to("enter")
        yield
        self._come_to("exit")

    def _come_to(self, place: str) -> None:
        self.asked.append(f"{place} in {threading.current_thread().name}")
        if place == self.place:
            raise self.error


@pytest.mark.parametrize("place", ["load", "store", "lock", "enter", "exit"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError(CANARY), "RuntimeError"),
        (Unreadable(), "Unreadable"),
        (OSError(5, "Input/output error", CANARY), "OSError: Input/output error"),
        (OSError(CANARY), "OSError"),
    ],
    ids=["error", "unreadable error", "system's error", "OSError of its own"],
)
def test_cache_that_fails(
    connect: Any, api: Any, script: Any, caplog: Any, warned: Any, place: str, error: Exception, words: str
) -> None:
    """Calls work though the user's cache fails; one warning says so, in none of the cache's own words."""
    refusing(api, script, 2)
    calling = connect(api.url, token_cache=Troubled(place, error))
    assert [calling.whoami().apiClientStatus for _ in range(4)] == ["ACTIVE"] * 4
    assert (api.token_requests, used(api)) == (3, ["tok_1", "tok_2", "tok_2", "tok_3", "tok_3", "tok_3"])
    assert [f"Troubled cannot be used ({words}); tokens are fetched without it"] == warned()
    assert CANARY not in caplog.text


def test_cache_is_asked_on_a_thread_of_its_own(connect: Any, api: Any) -> None:
    """What a cache does may take its time: it is called in order, and never on the thread of the caller."""
    cache = Troubled("nowhere", RuntimeError())
    connect(api.url, token_cache=cache).whoami()
    places = ("lock", "enter", "load", "store", "exit")
    assert [f"{place} in redcloud-token" for place in places] == cache.asked


@pytest.mark.parametrize("place", ["lock", "enter"])
def test_lock_that_cannot_be_had(client: Any, api: Any, warned: Any, place: str) -> None:
    """When others hold the lock for too long the call goes on without it; that is nothing to warn of."""
    cache = Troubled(place, TimeoutError("another fetch took too long"))
    client(cache).whoami()
    assert (used(api), warned()) == (["tok_1"], [])
    assert [asked.partition(" ")[0] for asked in cache.asked][-2:] == ["load", "store"]


@pytest.mark.parametrize("rubbish", ["tok_0", b"tok_0", {"access_token": "tok_0"}, 7, True], ids=repr)
def test_cache_that_gives_no_token(client: Any, api: Any, warned: Any, rubbish: Any) -> None:
    """What a cache gives instead of a token is not used."""
    cache = Troubled("nowhere", RuntimeError())
    cache.load = lambda key: rubbish  # type: ignore[method-assign]
    assert client(cache).whoami().apiClientStatus == "ACTIVE"
    assert used(api) == ["tok_1"]
    assert warned() == ["Troubled cannot be used (TypeError); tokens are fetched without it"]


class Mapped(dict[str, Token]):
    """A cache that is a dict."""

    def load(self, key: str) -> Token | None:
        """Give the token of a key."""
        return self.get(key)

    def store(self, key: str, token: Token) -> None:
        """Keep the token of a key."""
        self[key] = token

    def lock(self, key: str, timeout: float) -> Any:
        """Lock nothing."""
        return nullcontext()


def test_empty_cache_is_used(connect: Any, api: Any) -> None:
    """A cache of the user's own is used though it is empty, and so false."""
    cache = Mapped()
    connect(api.url, token_cache=cache).whoami()
    assert [token.access_token for token in cache.values()] == ["tok_1"]


@pytest.mark.parametrize("given", ["", 0, {}, False], ids=repr)
def test_empty_setting_is_no_cache(connect: Any, unused_url: str, given: Any) -> None:
    """An empty setting, such as a variable that is not set, is refused; it does not mean no cache."""
    with pytest.raises(ValueError, match=r"^token_cache: must have load, store and lock"):
        connect(unused_url, token_cache=given)


def test_handler_that_calls_the_api(client: Any, eventually: Any) -> None:
    """A log handler may call the API when it is told of a cache that fails; it holds up nobody."""
    calling = client(Troubled("load", RuntimeError()), deadline=1)
    seen: list[str] = []

    def call(record: logging.LogRecord) -> None:
        if "cannot be used" in record.getMessage():
            with suppress(TokenUnavailableError):
                seen.append(calling.whoami().apiClientStatus)

    logger, handler = logging.getLogger("redcloud_core.auth"), logging.Handler(logging.WARNING)
    handler.emit = call  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        assert calling.whoami().apiClientStatus == "ACTIVE"
        eventually(lambda: seen == ["ACTIVE"])
    finally:
        logger.removeHandler(handler)
