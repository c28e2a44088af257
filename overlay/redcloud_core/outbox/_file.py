"""The file of an outbox: where it may be, and who may read it."""

import os
import re
import stat
import threading
from contextlib import suppress
from pathlib import Path

from .._errors import OutboxError

NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb2",
        "smb3",
        "smbfs",
        "virtiofs",
    ]
)
"""Kinds of file system, as Linux calls them, whose locks and syncs cannot be relied on."""

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted."""

SMALLEST = 512
"""Bytes that a file of SQLite has at the least; it would take a smaller one for an empty one."""

one_at_a_time = threading.Lock()
"""Held by who makes a file, and by who forks."""


def secure(path: Path) -> Path:
    """Make a file that nobody else can read, or see that it is one; return its path, through no symlink.

    Raises:
        OutboxError: It cannot be made, or is no file that belongs to this user alone, or is on a network.
    """
    folder = path.parent.resolve()
    path = folder / path.name
    kind = file_system(folder)
    if kind in NETWORK:
        raise OutboxError.at(
            path, f"it is on a network ({kind}), where locks and syncs cannot be trusted: use a local disk"
        )
    try:
        with one_at_a_time:
            _make(path)
        _check(path)
        with suppress(FileNotFoundError):
            _check(_journal_of(path))
        if 0 < path.lstat().st_size < SMALLEST and not _journal_of(path).exists():
            raise OutboxError.at(path, "the file is no database: give the outbox a file of its own")
    except OSError as error:
        said = f"it cannot be opened: {error.strerror or type(error).__name__}. Its folder must be there and writable"
        raise OutboxError.at(path, said) from None
    return path


def file_system(folder: Path) -> str | None:
    """Return the kind of file system that a folder is on; None where the system does not tell."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        return None
    best, kind = "", None
    for line in filter(None, lines):
        before, _, after = line.partition(" - ")
        mounted = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), before.split(" ")[4])  # a blank is \040
        if folder.is_relative_to(mounted) and len(mounted) >= len(best):
            best, kind = mounted, after.split(" ")[0]
    return kind


def _make(path: Path) -> None:
    """Make an empty file, if there is none. An existing one is not opened: to close it would take away its locks."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    os.close(made)
    _sync_folder(path.parent)


def _check(path: Path) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise OutboxError.at(path, "it is a symlink: name the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise OutboxError.at(path, "it is no regular file: give the outbox a file of its own")
    if found.st_uid != os.geteuid():
        raise OutboxError.at(path, "it belongs to another user: each has an outbox of their own")


def make_private(path: Path) -> None:
    """Let nobody else read an outbox, or its journal, which holds pages of it.

    Raises:
        OutboxError: That cannot be had.
    """
    try:
        for file in (path, _journal_of(path)):
            with suppress(FileNotFoundError):
                if stat.S_IMODE(file.lstat().st_mode) != 0o600:
                    file.chmod(0o600)
    except OSError as error:
        raise OutboxError.at(path, f"it cannot be made private: {error.strerror or type(error).__name__}") from None


def _journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def _sync_folder(folder: Path) -> None:
    """Have the file's name on disk, or a power loss would take it away with all that was acknowledged."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
