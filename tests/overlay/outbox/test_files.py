"""Files that an outbox cannot use, or not now: each is left as it is, and the error says which and what to do."""

import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

import redcloud_core.outbox._file as file_module
import redcloud_core.outbox._sqlite as sqlite_module
import redcloud_core.outbox._writer as writer_module
from redcloud_core import OutboxError, RedCloud
from redcloud_core.outbox import Account, NewMessage, Outbox
from redcloud_core.sandbox import Sandbox

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox is."""
    return tmp_path / "outbox"


@pytest.fixture
def messages(sms: dict[str, Any]) -> list[NewMessage]:
    """More messages than fit a page of the file."""
    return [message(f"order-{number}", sms) for number in range(100)]


@pytest.fixture
def full(path: Path, messages: list[NewMessage]) -> Path:
    """A file with messages that were acknowledged."""
    with Outbox(path) as outbox:
        outbox.add_many(messages)
    return path


def message(reference: str, sms: dict[str, Any]) -> NewMessage:
    return cast("NewMessage", {"reference": reference, **sms})


def error_of(use: Callable[[], object]) -> OutboxError:
    """Return the error that a use ends in."""
    with pytest.raises(OutboxError) as caught:
        use()
    return caught.value


def open_error(path: Path) -> OutboxError:
    """Return the error of opening an outbox. It names the file."""
    error = error_of(lambda: Outbox(path))
    assert str(path) in str(error)
    return error


def references(path: Path) -> set[str]:
    with Outbox(path) as outbox:
        return {entry.reference for entry in outbox.entries()}


def everything(path: Path) -> dict[str, Any]:
    """Return all that could be changed of a file and beside it."""
    return {file.name: (file.read_bytes(), file.stat().st_mode) for file in path.parent.iterdir() if file.is_file()}


# what is no outbox


@pytest.mark.parametrize("content", [b"Dear diary,\n" * 1000, b"xy", b"\n", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_no_database(path: Path, content: bytes) -> None:
    """A file of something else is left byte for byte as it is."""
    path.write_bytes(content)
    path.chmod(0o644)
    before = everything(path)

    error = open_error(path)

    assert "the file is no database: give the outbox a file of its own" in str(error) or "damaged" in str(error)
    assert not error.temporary
    assert everything(path) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("application", [0, 7])
def test_database_of_another_program(path: Path, mode: str, application: int) -> None:
    """Another program's database keeps its bytes and its permissions, and nothing is left beside it."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute(f"PRAGMA application_id = {application}")
    connection.execute("CREATE TABLE diary (words TEXT)")
    connection.close()
    path.chmod(0o644)
    before = everything(path)

    error = open_error(path)

    assert "another program's database: give the outbox a file of its own" in str(error)
    assert everything(path) == before


def test_newer_schema(full: Path) -> None:
    """A file of a newer SDK is left byte for byte as it is."""
    connection = sqlite3.connect(full)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = everything(full)

    error = open_error(full)

    known = len(sqlite_module.MIGRATIONS)
    assert f"its schema has version 99, this SDK knows {known}: use a newer SDK" in str(error)
    assert everything(full) == before


def test_older_schema(full: Path, messages: list[NewMessage], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an older SDK is brought to this version, with all that is in it."""
    step = "CREATE TABLE more (a TEXT); INSERT INTO more SELECT reference FROM sends;"
    monkeypatch.setattr(sqlite_module, "MIGRATIONS", (*sqlite_module.MIGRATIONS, step))

    for _ in range(2):
        assert references(full) == {each["reference"] for each in messages}

    connection = sqlite3.connect(full)
    assert connection.execute("SELECT count(*) FROM more").fetchone() == (len(messages),)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(sqlite_module.MIGRATIONS),)
    connection.close()


def test_migration_that_fails(full: Path, messages: list[NewMessage], monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is one transaction: if its last step fails the file is of the old version, and whole."""
    steps = ("DELETE FROM sends", "ALTER TABLE sends ADD COLUMN more", "INSERT INTO nowhere VALUES (1)")
    with monkeypatch.context() as newer:
        newer.setattr(sqlite_module, "MIGRATIONS", (*sqlite_module.MIGRATIONS, *steps))
        before = full.read_bytes()

        assert "no such table: nowhere" in str(open_error(full))

        assert full.read_bytes() == before
    assert references(full) == {each["reference"] for each in messages}


# damage


def _garbage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (path.stat().st_size - 16384))


def _half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\x00" * 100)


@pytest.mark.parametrize("damage", [_garbage, _half, _header])
def test_damaged(
    full: Path, messages: list[NewMessage], damage: Callable[[Path], None], sandbox: Sandbox, credentials: Any
) -> None:
    """A damaged file is said to be one by whatever meets the damage, it is not made worse, and its copy is as good."""
    Outbox(full, account=Account(sandbox.url, sandbox.client_id)).close()
    copy = full.with_name("copy")
    shutil.copy(full, copy)
    damage(full)
    before = full.read_bytes()

    def use() -> None:
        with Outbox(full) as outbox, RedCloud(sandbox.url, **credentials) as client:
            outbox.drain(client)
            list(outbox.entries())

    error = error_of(use)

    assert str(full) in str(error)
    assert re.search("the file is damaged. Leave it as it is, and restore it|the file is no database", str(error))
    assert not error.temporary
    assert full.read_bytes() == before
    assert sandbox.ledger()["sends"] == []
    copy.rename(full)
    assert references(full) == {each["reference"] for each in messages}


# what is no file


def _symlink(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def _symlink_to_an_outbox(path: Path) -> None:
    Outbox(path.with_name("elsewhere")).close()
    _symlink(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_symlink, "it is a symlink: name the file itself"),
        (_symlink_to_an_outbox, "it is a symlink: name the file itself"),
        (Path.mkdir, "it is no regular file"),
        (os.mkfifo, "it is no regular file"),
        (_socket, "it is no regular file"),
    ],
)
def test_no_file(path: Path, make: Callable[[Path], None], words: str) -> None:
    """What is no file is not opened: a FIFO would wait for ever, a symlink could lead anywhere."""
    make(path)
    before = everything(path)

    assert words in str(open_error(path))

    assert everything(path) == before


def test_device() -> None:
    """A device is no file."""
    assert "it is no regular file" in str(open_error(Path("/dev/null")))


def test_journal_that_is_a_symlink(full: Path, tmp_path: Path) -> None:
    """A journal that leads elsewhere is followed nowhere."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "mine").chmod(0o644)
    (tmp_path / "outbox-journal").unlink()
    (tmp_path / "outbox-journal").symlink_to(tmp_path / "mine")
    before = everything(full)

    error = error_of(lambda: Outbox(full))

    assert "outbox-journal" in str(error)
    assert everything(full) == before


def test_folder_that_is_missing(tmp_path: Path) -> None:
    """A folder is not made: its name may be a mistake."""
    error = open_error(tmp_path / "missing" / "outbox")

    assert "No such file or directory" in str(error)
    assert not (tmp_path / "missing").exists()


def test_folder_behind_a_symlink(full: Path, tmp_path: Path, messages: list[NewMessage]) -> None:
    """A folder may be behind a symlink: that is what administrators do."""
    (tmp_path / "current").symlink_to(full.parent)

    assert references(tmp_path / "current" / "outbox") == {each["reference"] for each in messages}


# who may read it


def modes(path: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob(f"{path.name}*")}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """New files are for everybody to read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_private_from_the_start(full: Path) -> None:
    """Nobody else can read a new file, nor its journal, whatever the umask."""
    assert sorted(file.name for file in full.parent.iterdir()) == ["outbox", "outbox-journal"]
    assert modes(full) == {0o600}


def test_made_private(full: Path, sms: dict[str, Any]) -> None:
    """A file that others could read, from a backup for instance, is private once it is open; so is its journal."""
    for file in full.parent.iterdir():
        file.chmod(0o664)

    with Outbox(full) as outbox:
        assert modes(full) == {0o600}
        outbox.add(reference="order-1000", **sms)

    assert modes(full) == {0o600}


def said_by_a_child(act: Callable[[], object], *, is_nobody: bool = False) -> str:
    """Return what an act said, or raised, in a process of its own; nobody has only the rights that all have."""
    end, said = os.pipe()
    child = os.fork()
    if not child:
        try:
            if is_nobody and os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            words = str(act())
        except BaseException as error:
            words = f"{type(error).__name__}: {error}"
        os.write(said, words.encode())
        os._exit(0)
    os.close(said)
    with open(end, encoding="utf-8") as file:
        words = file.read()
    os.waitpid(child, 0)
    return words


def as_nobody(act: Callable[[], object]) -> str:
    return said_by_a_child(act, is_nobody=True)


@pytest.fixture
def nobodys(sms: dict[str, Any]) -> Iterator[Path]:
    """An outbox of somebody without rights, in a folder that they can reach, with one message."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own is root's
        folder = Path(name)
        folder.chmod(0o777)
        assert as_nobody(lambda: Outbox(folder / "outbox").add(reference="order-1", **sms).state) == "waiting"
        yield folder / "outbox"
        folder.chmod(0o777)


def test_folder_that_cannot_be_written(nobodys: Path, sms: dict[str, Any]) -> None:
    """Without a journal there is no commit: the folder must be writable, and nothing is lost if it is not."""
    before = nobodys.read_bytes()
    for journal in nobodys.parent.glob("*-journal"):
        journal.unlink()
    nobodys.parent.chmod(0o555)

    new = as_nobody(lambda: Outbox(nobodys.with_name("new")))
    old = as_nobody(lambda: Outbox(nobodys).add(reference="order-2", **sms))

    assert new.startswith(f"OutboxError: outbox '{nobodys.with_name('new')}': it cannot be opened: Permission denied.")
    assert old.startswith(f"OutboxError: outbox '{nobodys}': the file or its ")
    assert "folder must" in old
    assert nobodys.read_bytes() == before
    nobodys.parent.chmod(0o777)
    assert as_nobody(lambda: [entry.reference for entry in Outbox(nobodys).entries()]) == "['order-1']"


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's file takes root to make")
def test_file_of_another_user(nobodys: Path, full: Path) -> None:
    """A file that belongs to another user is not used: they could read it, and what is made in it."""
    before = nobodys.read_bytes()

    assert "it belongs to another user" in str(open_error(nobodys))

    assert nobodys.read_bytes() == before
    shutil.copy(full, nobodys.with_name("roots"))
    assert "it belongs to another user" in as_nobody(lambda: Outbox(nobodys.with_name("roots")))


# while it is open


def _delete(path: Path) -> None:
    path.unlink()


def _move(path: Path) -> None:
    path.rename(path.with_name("moved"))


def _replace(path: Path) -> None:
    Outbox(path.with_name("another")).close()
    path.with_name("another").rename(path)


@pytest.mark.parametrize("do", [_delete, _move, _replace])
def test_file_that_went_away(full: Path, do: Callable[[Path], None], sms: dict[str, Any]) -> None:
    """Nothing is acknowledged that would go into a file that nobody finds again."""
    with Outbox(full) as outbox:
        do(full)
        before = everything(full)

        error = error_of(lambda: outbox.add(reference="order-1000", **sms))

        assert "the file was deleted, moved or replaced while it was open" in str(error)
        assert str(full) in str(error)
        assert everything(full) == before
        if do is _move:
            full.with_name("moved").rename(full)
            outbox.add(reference="order-1000", **sms)
            assert outbox.counts().waiting == 101


def test_journal_that_went_away(full: Path, sms: dict[str, Any]) -> None:
    """Between two commits the journal is empty: who deletes it does no harm."""
    with Outbox(full) as outbox:
        full.with_name("outbox-journal").unlink()
        outbox.add(reference="order-1000", **sms)

    assert "order-1000" in references(full)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a lock."""
    monkeypatch.setattr(writer_module, "BUSY_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
def test_lock_of_another_program(full: Path, sms: dict[str, Any]) -> None:
    """A lock that another program keeps is waited for, but not for ever; then the same call works."""
    other = sqlite3.connect(full, isolation_level=None)
    with Outbox(full) as outbox:
        for begin in ("BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"):
            other.execute(begin)
            error = error_of(lambda: outbox.add(reference="order-1000", **sms))
            assert "another program has held its lock" in str(error)
            assert error.temporary
            assert open_error(full).temporary
            other.execute("ROLLBACK")
        assert outbox.get("order-1000") is None
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM sends").fetchone()  # a reader that goes on holds up the commit alone
        assert error_of(lambda: outbox.add(reference="order-1000", **sms)).temporary
        other.execute("ROLLBACK")
        outbox.add(reference="order-1000", **sms)
        assert outbox.counts().waiting == 101
    other.close()


def test_lock_that_is_given_back(full: Path, sms: dict[str, Any]) -> None:
    """Who holds the lock for a moment is waited for."""
    other = sqlite3.connect(full, isolation_level=None, check_same_thread=False)
    with Outbox(full) as outbox:
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.2, other.execute, ["ROLLBACK"]).start()

        outbox.add(reference="order-1000", **sms)
    other.close()


# the disk


def test_file_that_may_not_grow(full: Path, messages: list[NewMessage], sms: dict[str, Any]) -> None:
    """A write that fails is told; what was acknowledged is there, what was not is not, and later all is well."""

    def work() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        outbox = Outbox(full)
        limit = full.stat().st_size + 8192
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        added, errors = _add_until_it_fails(outbox, sms)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        outbox.add(reference=f"new-{added}", **sms)
        return f"{added + 1} {errors[0]}"

    added, _, words = said_by_a_child(work).partition(" ")

    assert str(full) in words
    assert re.search("the disk (is full|cannot be read or written); nothing of this was stored", words)
    assert references(full) == {
        *(each["reference"] for each in messages),
        *(f"new-{number}" for number in range(int(added))),
    }


def _add_until_it_fails(outbox: Outbox, sms: dict[str, Any]) -> tuple[int, list[OutboxError]]:
    """Add messages until one fails; return how many were acknowledged, and the errors of three more tries."""
    errors: list[OutboxError] = []
    added = 0
    while not errors:
        try:
            outbox.add(reference=f"new-{added}", **sms)
            added += 1
        except OutboxError as error:
            errors.append(error)
    for number in range(3):
        with pytest.raises(OutboxError) as caught:
            outbox.add_many([message(f"late-{number}-{copy}", sms) for copy in range(200)])
        errors.append(caught.value)
    return added, errors


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 200 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk(small_disk: Path, sms: dict[str, Any], sandbox: Sandbox, credentials: Any) -> None:
    """A full disk is told as such; all that was acknowledged is there, and is sent once there is room."""
    with Outbox(small_disk / "outbox") as outbox, RedCloud(sandbox.url, **credentials) as client:
        added, errors = _add_until_it_fails(outbox, sms)
        for error in errors:
            assert "the disk is full; nothing of this was stored. Make room and repeat the call" in str(error)
            assert error.temporary
        assert outbox.counts().waiting == added > 20
        (small_disk / "more").write_bytes(b"x" * _room(small_disk))
        subprocess.run(["mount", "-o", "remount,size=10m", small_disk], check=True)
        assert outbox.drain(client).accepted == added
    assert len(sandbox.ledger()["sends"]) == added


def test_full_disk_while_it_drains(small_disk: Path, sms: dict[str, Any], sandbox: Sandbox, credentials: Any) -> None:
    """What was sent and could not be recorded (W12) is told, and asked for again under its key: queued once each."""
    path = small_disk / "outbox"
    with Outbox(path) as outbox, RedCloud(sandbox.url, **credentials) as client:
        outbox.add_many([message(f"order-{number}", sms) for number in range(40)])

        def fill(_: object) -> None:
            (small_disk / "more").write_bytes(b"x" * _room(small_disk))

        error = error_of(lambda: outbox.drain(client, concurrency=2, progress=fill))
        assert "the disk is full" in str(error)
        assert 0 < len(sandbox.ledger()["sends"]) <= 40
    (small_disk / "more").unlink()
    with (
        Outbox(path, clock=lambda: time.time() + 31) as outbox,
        RedCloud(sandbox.url, **credentials) as client,
    ):
        outbox.drain(client)
        assert outbox.counts().accepted == 40
    assert len({send["key"] for send in sandbox.ledger()["sends"]}) == len(sandbox.ledger()["sends"]) == 40


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_bsize


# what a commit means


@pytest.mark.parametrize("before", ["delete", "persist", "wal"])
def test_what_a_commit_means(full: Path, before: str, sms: dict[str, Any]) -> None:
    """The journal is truncated and everything is synced, whatever the file was used with before."""
    connection = sqlite3.connect(full)
    assert connection.execute(f"PRAGMA journal_mode = {before}").fetchone() == (before,)
    connection.close()

    with Outbox(full) as outbox:
        store: Any = vars(outbox)["_store"]
        for pragma, value in (("journal_mode", "truncate"), ("synchronous", 2), ("trusted_schema", 0)):
            asked = partial(_asked, pragma)
            assert store._writer.run(asked) == (value,)
        outbox.add(reference="order-1000", **sms)
    assert "order-1000" in references(full)


def _asked(pragma: str, connection: sqlite3.Connection) -> Any:
    return connection.execute(f"PRAGMA {pragma}").fetchone()


ADD_AND_SAY_SO = """
import os, sys
from redcloud_core.outbox import Outbox
sms = {"sendFrom": "num_abc123", "to": ["+15551230001"], "messageType": "SMS", "text": "Hi", "externalReference": "o"}
outbox = Outbox(sys.argv[1])
for number in range(3):
    outbox.add(reference=f"order-{number}", **sms)
    os.write(1, b"ACKNOWLEDGED")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_synced_before_it_is_acknowledged(path: Path, tmp_path: Path) -> None:
    """Journal, file and the end of the journal are synced, in this order, before an `add` returns."""
    calls = "trace=openat,open,pwrite64,write,fsync,fdatasync,ftruncate"
    traced = subprocess.run(
        ["strace", "-f", "-y", "-e", calls, "-o", tmp_path / "calls", sys.executable, "-c", ADD_AND_SAY_SO, path],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in traced.stderr:
        pytest.skip(f"strace is not allowed here: {traced.stderr.strip()[:100]}")
    assert traced.stdout == "ACKNOWLEDGED" * 3, traced.stderr

    log = (tmp_path / "calls").read_text()
    name = re.escape(str(path))
    made, *commits = log[: log.rindex("ACKNOWLEDGED")].split("ACKNOWLEDGED")
    assert re.search(rf"fsync\(\d+<{re.escape(str(path.parent))}>\)", made)
    order = [
        rf"pwrite64\(\d+<{name}-journal>",
        rf"f(data)?sync\(\d+<{name}-journal>",
        rf"pwrite64\(\d+<{name}>",
        rf"f(data)?sync\(\d+<{name}>",
        rf"ftruncate\(\d+<{name}-journal>, 0",
        rf"f(data)?sync\(\d+<{name}-journal>",
    ]
    for commit in (made, *commits):
        assert re.search(".*".join(order), commit, re.DOTALL)
        assert re.findall(rf"(pwrite64|ftruncate)\(\d+<{name}", re.split(order[-1], commit)[-1]) == []


# the network


MOUNTS = """\
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
30 22 0:40 / /net rw shared:1 - nfs4 server:/export rw
31 30 254:2 / /net/local rw - xfs /dev/vdb rw
32 22 0:41 / /my\\040files rw - cifs //server/share rw
33 22 0:42 / /Zo\u00eb rw master:1 propagate_from:2 - fuse.sshfs user@host: rw
34 22 0:43 / /twice rw - ext4 /dev/vdc rw
35 34 0:44 / /twice rw - smb3 //server/share rw
36 22 0:45 / /b\udcff\u00a0d rw - ext4 /dev/vdd rw
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system says is mounted."""
    told = tmp_path / "mountinfo"
    told.write_bytes(MOUNTS.encode("utf-8", "surrogateescape"))
    monkeypatch.setattr(file_module, "MOUNTS", told)
    return told


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib", "ext4"),
        ("/net", "nfs4"),
        ("/net/a/b", "nfs4"),
        ("/network", "ext4"),
        ("/net/local/a", "xfs"),
        ("/my files/a", "cifs"),
        ("/my", "ext4"),
        ("/Zo\u00eb/a", "fuse.sshfs"),
        ("/twice", "smb3"),
        ("/b\udcff\u00a0d/a", "ext4"),
    ],
)
def test_file_system_of_a_folder(folder: str, kind: str) -> None:
    """A folder is on what is mounted nearest above it, and of two in one place on the later."""
    assert file_module.file_system(Path(folder)) == kind


def test_file_system_that_nobody_tells(mounts: Path, path: Path) -> None:
    """A system that says nothing is trusted: there is no such list elsewhere."""
    mounts.unlink()

    assert file_module.file_system(path.parent) is None
    Outbox(path).close()


def test_on_a_network(mounts: Path, path: Path) -> None:
    """A file on a network is not even made."""
    with mounts.open("a") as file:
        file.write(f"40 22 0:50 / {path.parent} rw - nfs server:/export rw\n")

    error = open_error(path)

    assert "it is on a network (nfs), where locks and syncs cannot be trusted" in str(error)
    assert not path.exists()
