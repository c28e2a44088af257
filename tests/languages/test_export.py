"""`python -m redcloud_core.export`: all of the contract or nothing, in a folder that is nobody else's."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from redcloud_core import __version__, contract
from redcloud_core.export import ExportError, export

COMPONENTS = """
    AssignedNumbers ClientContext CoreError CoreErrorResponse MessageMediaInput MessageType Number NumberGroup
    NumberList NumberSearch NumberSearchResult NumberUpdate OAuthError OAuthErrorCode SendError SendMessageRequest
    SendMessageResponse SendResult TokenForm TokenRequest TokenResponse UpdatedNumber
"""
LAYOUT = [
    "README.md",
    "SHA256SUMS",
    "examples/Send.java",
    "examples/send.ts",
    "openapi.d.ts",
    "openapi.json",
    "openapi.yaml",
    *(f"sandbox/{name}.json" for name in ("error", "faults", "keys", "ledger", "tokens")),
    *(f"schemas/{name}.json" for name in COMPONENTS.split()),
    "vectors/idempotency.json",
    "vectors/segments.json",
]

# Runs the export and dies at one event after the other that concerns the disk, until it comes to its end. Prints what
# was in the place each time; a place that is not there counts if all that it held is aside.
KILLED = """
import json, os, shutil, signal, sys
from hashlib import sha256
from pathlib import Path
from redcloud_core.export import export

root, place, earlier = (Path(found) for found in sys.argv[1:])
EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")
seen = 0

def look(folder):
    files = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    return sha256(b"".join(b"%b %b" % (str(path).encode(), (folder / path).read_bytes()) for path in files)).hexdigest()

def die_at(number):
    def count(event, arguments):
        global seen
        if event in EVENTS and (seen or str(root) in str(arguments[0])):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

before, found, number = look(earlier), [], 0
while True:
    number += 1
    child = os.fork()
    if child == 0:
        die_at(number)
        export(place)
        os._exit(0)
    killed = os.waitpid(child, 0)[1] != 0
    aside = list(root.glob(".contract-*/old"))
    found.append(look(place) if place.exists() else "aside" if look(aside[0]) == before else "lost")
    if not killed:
        break
    for path in root.glob(".contract-*"):
        shutil.rmtree(path)
    if found[-1] != before:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(earlier, place)
print(json.dumps(found))
"""


def run(*arguments: object, under: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    command = [*under, sys.executable, "-m", "redcloud_core.export", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def names(folder: Path) -> list[str]:
    """The files in a folder, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def state(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder, files with their bytes."""
    found = sorted(folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in found}


def digest(folder: Path) -> str:
    """One hash of names and bytes of all files in a folder."""
    lines = [b"%b %b" % (name.encode(), (folder / name).read_bytes()) for name in names(folder)]
    return hashlib.sha256(b"".join(lines)).hexdigest()


@pytest.fixture
def earlier(exported: Path, tmp_path: Path) -> Path:
    """An export of other content: a schema more, one less, and another README."""
    folder = tmp_path / "contract"
    shutil.copytree(exported, folder)
    (folder / "schemas" / "Number.json").unlink()
    (folder / "schemas" / "Gone.json").write_text("{}")
    (folder / "old").mkdir()
    (folder / "old" / "kind.txt").write_text("of file")
    (folder / "README.md").write_text("as it was")
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names(folder)]
    (folder / "SHA256SUMS").write_text("".join(line for line in lines if "SHA256SUMS" not in line))
    return folder


def test_layout(exported: Path) -> None:
    """An export holds these files, and no others."""
    assert names(exported) == sorted(LAYOUT)


def test_contents_are_those_of_the_packages(exported: Path) -> None:
    """The document is the one of this version; everybody may read the files and enter the folder."""
    assert json.loads((exported / "openapi.json").read_text(encoding="utf-8")) == contract()
    assert {path.stat().st_mode & 0o777 for path in exported.rglob("*.*")} == {0o666 & ~_umask()}
    assert exported.stat().st_mode & 0o777 == 0o777 & ~_umask()


def test_readme_speaks_of_every_kind_of_file(exported: Path) -> None:
    """The one page names each file or folder of the export."""
    text = (exported / "README.md").read_text(encoding="utf-8")
    for name in LAYOUT:
        assert name.partition("/")[0] in text or name == "README.md", name
    assert len(text.splitlines()) < 80


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="this machine has no sha256sum")
def test_sums(exported: Path) -> None:
    """SHA256SUMS names every other file once, sorted, as sha256sum wants it."""
    listed = [line.partition("  ")[2] for line in (exported / "SHA256SUMS").read_text().splitlines()]
    assert listed == [name for name in sorted(LAYOUT) if name != "SHA256SUMS"]
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=exported, check=True, capture_output=True)


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    """One line names the folder, the version and how many files there are."""
    done = run("--out", tmp_path / "contract")
    said = f"{tmp_path / 'contract'}: the contract of redcloud-core {__version__}, {len(LAYOUT)} files\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_two_exports_are_equal(exported: Path, tmp_path: Path) -> None:
    """An export has the same bytes each time, in an empty folder too, and returns the names of its files."""
    assert export(tmp_path) == tuple(sorted(LAYOUT))
    assert state(tmp_path) == state(exported)


def test_an_earlier_export_is_replaced(earlier: Path, exported: Path) -> None:
    """What only the earlier export had is gone, and nothing is left beside it."""
    export(earlier)
    assert state(earlier) == state(exported)
    assert [path.name for path in earlier.parent.iterdir()] == ["contract"]


def test_a_link_to_a_folder(exported: Path, tmp_path: Path) -> None:
    """Where the folder is a link, it stays one; what it leads to is replaced."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    export(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert state(tmp_path / "real") == state(exported)


def test_packages_in_a_zip(tmp_path: Path, exported: Path) -> None:
    """It reads the packages wherever Python has them."""
    for package in ("redcloud_core", "redcloud_core_client"):
        found = Path(str(sys.modules[package].__file__)).parent
        shutil.copytree(found, tmp_path / "site" / package, ignore=shutil.ignore_patterns("__pycache__"))
    archive = shutil.make_archive(str(tmp_path / "site"), "zip", tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {archive!r}); from redcloud_core.export import main; raise SystemExit(main())"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code, "--out", str(tmp_path / "out")], check=False)
    assert done.returncode == 0
    assert state(tmp_path / "out") == state(exported)


def _refuses(folder: Path, message: str) -> None:
    before = state(folder.parent)
    with pytest.raises(ExportError, match=message):
        export(folder)
    assert before == state(folder.parent)


@pytest.mark.parametrize("name", ["mine.txt", "schemas/mine.json", "empty/"])
def test_a_foreign_file(earlier: Path, name: str) -> None:
    """What no earlier export wrote, a folder too, stops it: it would be lost."""
    path = earlier / name
    path.mkdir() if name.endswith("/") else path.write_text("mine")
    _refuses(earlier, f"`{name.rstrip('/')}` is no file of an earlier export, and would be lost")


def test_the_first_foreign_file(tmp_path: Path) -> None:
    """Of several the first is named, with what to do, and the exit code is 1."""
    for name in ("b", "a", "c"):
        (tmp_path / name).touch()
    done = run("--out", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {tmp_path}: `a` is no file of an earlier export, and would be lost\n"
        "Move it elsewhere, or name a folder that is empty or does not exist.\n"
    )


def test_sums_of_something_else(tmp_path: Path) -> None:
    """A folder of other files with their own SHA256SUMS is no export."""
    folder = tmp_path / "isos"
    folder.mkdir()
    (folder / "a.iso").write_text("a")
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'a').hexdigest()}  a.iso\n")
    _refuses(folder, "`SHA256SUMS` is no file of an earlier export")


def test_a_link_in_an_export(earlier: Path, tmp_path: Path) -> None:
    """A link to a folder is one foreign name; what it leads to is not looked into, and stays."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    (earlier / "link").symlink_to(tmp_path / "other")
    _refuses(earlier, "`link` is no file")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """A file is not replaced by a folder, and is no folder to write into."""
    (tmp_path / "contract").write_text("mine")
    _refuses(tmp_path / "contract", "contract: is no folder")
    _refuses(tmp_path / "contract" / "inside", "cannot be written: Not a directory")
    (tmp_path / "circle").symlink_to("circle")
    _refuses(tmp_path / "circle", "circle: is no folder")


def test_a_parent_that_is_not_there(tmp_path: Path) -> None:
    """A folder is not made together with those above it: a misspelling would go unseen."""
    _refuses(tmp_path / "absent" / "contract", "cannot be written: No such file or directory")


def test_a_parent_that_cannot_be_written(earlier: Path, without_power: tuple[str, ...]) -> None:
    """It says what cannot be written, and changes nothing."""
    before = state(earlier)
    earlier.parent.chmod(0o555)
    done = run("--out", earlier, under=without_power)
    earlier.parent.chmod(0o755)
    assert done.returncode == 1
    assert f"{earlier.parent}/" in done.stderr
    assert "cannot be written: Permission denied\nName a folder" in done.stderr
    assert state(earlier.parent) == {"contract": None, **{f"contract/{name}": found for name, found in before.items()}}


def test_killed_at_any_moment(earlier: Path, exported: Path, tmp_path: Path) -> None:
    """Of a killed export the folder holds the old files or the new ones; at one moment the old ones are aside."""
    kept = tmp_path / "kept"
    shutil.copytree(earlier, kept)
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(earlier), str(kept)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    before, found = digest(kept), json.loads(done.stdout)
    moment = found.index("aside")
    assert moment > len(LAYOUT)
    assert found == [before] * moment + ["aside"] + [digest(exported)] * (len(found) - moment - 1)
    assert len(found) > moment + len(LAYOUT)


@pytest.mark.parametrize("fails", ["first", "second"])
def test_a_rename_that_fails(earlier: Path, fails: str) -> None:
    """Where the system does not let it exchange the folders, the old one is in its place, and nothing beside it."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from redcloud_core.export import export\n"
        "left = [{'first': 1, 'second': 2}[sys.argv[2]]]\n"
        "def hook(event, arguments):\n"
        "    if event == 'os.rename':\n"
        "        left[0] -= 1\n"
        "        if left[0] == 0:\n"
        "            raise OSError(16, 'Device or resource busy')\n"
        "sys.addaudithook(hook)\n"
        "export(Path(sys.argv[1]))"
    )
    before = state(earlier.parent)
    done = subprocess.run(
        [sys.executable, "-c", code, str(earlier), fails], capture_output=True, text=True, check=False
    )
    assert "ExportError" in done.stderr
    assert f"{earlier}: cannot be written: Device or resource busy" in done.stderr
    assert state(earlier.parent) == before


@pytest.fixture
def without_power(tmp_path: Path) -> tuple[str, ...]:
    """What takes root's power over permissions from a command; nothing for everybody else."""
    if os.geteuid():
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to stop it")
    return ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def test_without_the_extra(tmp_path: Path) -> None:
    """It runs where nothing is installed beside the SDK itself: standard library alone."""
    blocked = "attr attrs httpx msgspec filelock dateutil starlette uvicorn jsonschema_rs"
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}.split()))\n"
        "from redcloud_core.export import main; raise SystemExit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--out", str(tmp_path / "contract")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_folder() -> None:
    """Without --out it says how it is called."""
    done = run()
    assert done.returncode == 2
    assert "the following arguments are required: --out" in done.stderr
