"""The swap: all or nothing at every moment, whether killed, interrupted, out of space or without permission."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest

from pipeline import swap
from pipeline.steps import Refused

Files = Mapping[str, str]
Fault = Literal["kill", "interrupt", "fail", "full", "break"]
Sweeps = Callable[[str, Fault], "list[Disturbed]"]

PACKAGE = "generated/redcloud_core_client"
VERSION = "overlay/redcloud_core/_version.py"
FRAGMENT = "changelog.d/+document-0-3-0.spec.md"
TEXTS = ("generated/public_api.txt", "overlay/public_api.txt", FRAGMENT, VERSION)

OLD = {
    f"{PACKAGE}/__init__.py": "",
    f"{PACKAGE}/models/number.py": "class Number: ...\n",
    f"{PACKAGE}/openapi.yaml": "version: 0.2.0\n",
    "generated/public_api.txt": "Number\n",
    "overlay/public_api.txt": "RedCloud\n",
    "overlay/redcloud_core/__init__.py": "by hand\n",
    VERSION: "REVISION = 3\n",
    "openapi.yaml": "version: 0.2.0\n",
}
NEW = OLD | {
    f"{PACKAGE}/models/reminder.py": "class Reminder: ...\n",
    f"{PACKAGE}/openapi.yaml": "version: 0.3.0\n",
    "generated/public_api.txt": "Number\nReminder\n",
    "overlay/public_api.txt": "RedCloud\nremind\n",
    FRAGMENT: "Document 0.3.0 ist da: é.\n",
    VERSION: "REVISION = None\n",
    "openapi.yaml": "version: 0.3.0\n",
}
CASES: dict[str, tuple[Files, Files]] = {
    "new document": (OLD, NEW),
    "same document": (OLD, OLD | {f"{PACKAGE}/client.py": "", "generated/public_api.txt": "Client\nNumber\n"}),
    "nothing new": (NEW, NEW),
    "first document": ({"generated/.gitignore": "\n", "overlay/redcloud_core/__init__.py": "by hand\n"}, NEW),
}

FAULTS: dict[Fault, list[str]] = {
    "kill": list(CASES),
    "fail": ["new document", "first document"],
    "interrupt": ["new document"],
    "full": ["new document"],
    "break": ["new document"],
}

LAST = "os.rename swap.document openapi.yaml"

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.utime", "fsync"}


def write(root: Path, files: Files) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return root


def state(root: Path) -> dict[str, str | None]:
    """Return every file with its text, and every folder."""
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8") if path.is_file() else None
        for path in root.rglob("*")
    }


def holds(root: Path, files: Files) -> bool:
    """Tell whether a tree consists of these files and their folders, and of nothing else."""
    folders = {str(parent) for name in files for parent in Path(name).parents} - {"."}
    return state(root) == {**files, **dict.fromkeys(folders)}


def facts(root: Path) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, inode, time and mode of all files but the package's."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and PACKAGE not in str(path):
            found = path.stat()
            yield path.name, found.st_ino, found.st_mtime_ns, found.st_mode


def regenerate(root: Path, files: Files, before_the_swap: Callable[[], None] = lambda: None) -> list[str]:
    """Do what a run does, with what was made elsewhere."""
    generated = root / "generated"
    with swap.locked(generated):
        mended = swap.undo_leftovers(generated)
        with swap.working_folder(generated) as folder:
            package = folder / Path(PACKAGE).name
            write(folder, {name.partition("/")[2]: text for name, text in files.items() if name.startswith(PACKAGE)})
            texts = {root / name: files[name] for name in TEXTS if name in files}
            before_the_swap()
            swap.swap(folder, package, root / PACKAGE, texts, (root / "openapi.yaml", files["openapi.yaml"].encode()))
    return mended


def undo(root: Path) -> list[str]:
    """Do what a run begins with."""
    with swap.locked(root / "generated"):
        return swap.undo_leftovers(root / "generated")


class Disturber:
    """Strikes at one of the calls to the file system that this process makes, and notes at which."""

    def __init__(self, note: Path, moment: int, fault: Fault) -> None:
        self.noted = os.open(note, os.O_WRONLY | os.O_CREAT)
        self.said = os.open(note.with_suffix(".said"), os.O_WRONLY | os.O_CREAT)
        self.left, self.fault = moment, fault
        self.opened = ""

    def start(self) -> None:
        """Watch from here on."""
        os.fsync = lambda _: self.see("fsync", (self.opened,))  # it has no audit event; a kill does not need it
        sys.addaudithook(self.see)

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count what changes files; whatever is in between is the same to a fault."""
        is_change = event in CHANGES
        if event == "open":
            self.opened = str(arguments[0])
            is_change = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if is_change:
            self.left -= 1
        if is_change and self.left == 0:
            names = [Path(name).name for name in arguments if isinstance(name, str)]
            os.write(self.noted, " ".join([event, *names]).encode())
        stays = self.fault == "full" and self.left < 0 and event not in ("os.remove", "os.rmdir")
        if is_change and (self.left == 0 or stays):
            self.strike()

    def strike(self) -> None:
        """Kill, interrupt, fail, or break what no one expects to break."""
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.fault == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        elif self.fault == "break":
            raise MemoryError
        else:
            raise OSError(28, "No space left on device")


def disturb(sweeps: list[tuple[str, str, Fault, Files | None]]) -> None:
    """Make all sweeps: start, where to work, fault, and the files that come; an undo where there are none."""
    os.umask(0o022)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for start, work, fault, files in sweeps:
        if files is not None:
            regenerate(Path(shutil.copytree(start, f"{work}/warm")), files)  # imports what is imported late
        disturb_every_moment(Path(start), Path(work), fault, files)


def disturb_every_moment(start: Path, work: Path, fault: Fault, files: Files | None) -> None:
    """Disturb a run at its first call, then one at its second, ..., each in a process and a tree of its own.

    The last run is the first that the fault does not reach.
    """
    for moment in count(1):
        root, note = shutil.copytree(start, work / str(moment)), work / f"{moment}.note"
        child = os.fork()
        if not child:
            run_disturbed(root, files, Disturber(note, moment, fault))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        note.with_suffix(".end").write_text(str(status))
        if not note.read_text():
            return


def run_disturbed(root: Path, files: Files | None, disturber: Disturber) -> NoReturn:
    """Run, and end the process: 0 done, 1 refused, 2 a traceback, 130 interrupted."""
    code, said = 2, ""
    try:
        if files is None:
            disturber.start()
            undo(root)
        else:
            regenerate(root, files, disturber.start)
        code = 0
    except Refused as refusal:
        code, said = 1, str(refusal)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        said = traceback.format_exc()
    os.write(disturber.said, said.encode())
    os._exit(code)


class Disturbed:
    """What came of a run that was disturbed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.moment = root.with_suffix(".note").read_text()
        self.code = int(root.with_suffix(".end").read_text())
        self.said = root.with_suffix(".said").read_text()

    def copy(self, parent: Path) -> Path:
        """Copy the tree as the run left it."""
        return Path(shutil.copytree(self.root, parent / f"run-{self.root.name}"))


def python(function: str, *arguments: object, under: Sequence[str] = ()) -> str:
    """Call a function of this module in a process of its own, and return what it printed."""
    code = f"import json, sys, test_swap; test_swap.{function}(*json.loads(sys.argv[1]))"
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1] / "scripts")])}
    command = [*under, sys.executable, "-B", "-c", code, json.dumps(arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def disturbed(work: Path) -> list[Disturbed]:
    """Return the runs of a sweep, in the order of the moments; the fault reached all but the last."""
    runs = [Disturbed(root) for root in takewhile(Path.exists, (work / str(number) for number in count(1)))]
    assert (runs[-1].moment, runs[-1].code) == ("", 0)
    assert all(run.moment for run in runs[:-1])
    return runs


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> Sweeps:
    """Give the runs of a case that were disturbed by a fault at every moment."""
    parent = tmp_path_factory.mktemp("sweeps")
    wanted = [(case, fault) for fault, cases in FAULTS.items() for case in cases]
    for case, (before, _) in CASES.items():
        write(parent / case / "start", before)
    folders = {key: parent / key[0] / key[1] for key in wanted}
    for folder in folders.values():
        folder.mkdir()
    python(
        "disturb",
        [(str(parent / case / "start"), str(folders[case, fault]), fault, CASES[case][1]) for case, fault in wanted],
    )
    return lambda case, fault: disturbed(folders[case, fault])


@pytest.fixture(scope="module")
def killed(sweeps: Sweeps) -> list[Disturbed]:
    """Give the runs that were killed while a new document came in."""
    return sweeps("new document", "kill")


@pytest.fixture
def at_the_end(killed: list[Disturbed], tmp_path: Path) -> Path:
    """Give a tree whose swap was killed right before its last move."""
    return next(run for run in killed if run.moment == LAST).copy(tmp_path)


def the_leftover(root: Path) -> Path:
    (found,) = root.glob("generated/.regenerate-*")
    return found


@pytest.mark.parametrize("case", CASES)
def test_it_puts_everything_in_place(tmp_path: Path, case: str) -> None:
    """After a run the tree is what was made, nothing is left beside, and there was nothing to mend."""
    before, after = CASES[case]
    assert regenerate(write(tmp_path, before), after) == []
    assert holds(tmp_path, {**before, **after})


@pytest.mark.parametrize("case", CASES)
def test_killed_at_every_moment(sweeps: Sweeps, tmp_path: Path, case: str) -> None:
    """Whenever a run is killed, the next one finds or makes all old or all new, and goes through."""
    before, after = CASES[case]
    runs, new = sweeps(case, "kill"), []
    assert len(runs) > 15
    for run in runs:
        root = run.copy(tmp_path)
        undo(root)
        new.append(holds(root, {**before, **after}))
        assert new[-1] or holds(root, before), run.moment
        regenerate(root, after)
        assert holds(root, {**before, **after}), run.moment
    assert {run.code for run in runs[:-1]} == {-signal.SIGKILL}
    assert new == sorted(new), "once it is new it stays new"


def test_every_move_is_a_moment(killed: list[Disturbed]) -> None:
    """The kills hit between any two moves, and in the writing before and the cleaning up behind them."""
    moments = [run.moment for run in killed]
    assert [moment.split()[-1] for moment in moments if moment.startswith("os.rename")] == [
        "swap.package",
        "redcloud_core_client",
        "changelog.d",
        "public_api.txt",
        "public_api.txt",
        Path(FRAGMENT).name,
        "_version.py",
        "openapi.yaml",
    ]
    assert moments.index("open swap.json w") < moments.index(LAST) < moments.index("os.remove swap.json")


def test_the_next_run_says_what_it_undid(killed: list[Disturbed], at_the_end: Path, tmp_path: Path) -> None:
    """A swap that was undone is told with its places; a folder that was only left behind is told as that."""
    left = "a folder that a killed run had left behind was removed"
    places = ", ".join(sorted(["changelog.d", *TEXTS, PACKAGE]))
    assert undo(at_the_end) == [left, f"the swap of a killed run was undone: {places}"]
    assert undo(at_the_end) == []
    for moment in ("open swap.json w", "os.remove swap.json"):
        run = next(run for run in killed if run.moment == moment)
        assert undo(run.copy(tmp_path)) == [left]


@pytest.mark.parametrize(("fault", "code"), [("kill", -signal.SIGKILL), ("interrupt", 130)])
def test_undo_disturbed_at_every_moment(at_the_end: Path, tmp_path: Path, fault: Fault, code: int) -> None:
    """An undo that is killed is finished by the next one, which takes nothing for an edit; Ctrl-C is held back."""
    (tmp_path / "undo").mkdir()
    python("disturb", [(str(at_the_end), str(tmp_path / "undo"), fault, None)])
    runs = disturbed(tmp_path / "undo")
    assert len(runs) > 15
    assert {run.code for run in runs[:-1]} == {code}
    for run in runs:
        mended = undo(run.root) if fault == "kill" else []
        assert "changed" not in " ".join(mended), run.moment
        assert holds(run.root, OLD), run.moment


@pytest.mark.parametrize("case", FAULTS["fail"])
def test_an_error_at_every_moment(sweeps: Sweeps, tmp_path: Path, case: str) -> None:
    """Whatever cannot be written, the message names it, and everything is as it was, with nothing beside it."""
    before, after = CASES[case]
    runs = sweeps(case, "fail")
    started = [row[2:] for row in facts(runs[0].root.parents[1] / "start")]
    refused = [run for run in runs if run.code == 1]
    assert len(refused) > 8
    for run in refused:
        assert run.said.endswith(": cannot be written: No space left on device\nNothing was changed."), run.said
        assert holds(run.root, before), run.moment
        assert [row[2:] for row in facts(run.root)] == started, "also in times and modes"
    for run in [run for run in runs if run.code != 1]:
        assert run.code == 0, run.said
        assert run.moment.startswith(("os.remove", "os.rmdir")) or not run.moment, "only cleaning up may fail unseen"
        root = run.copy(tmp_path)
        undo(root)
        assert holds(root, {**before, **after}), run.moment


def test_an_error_names_the_place(sweeps: Sweeps) -> None:
    """A move that fails is refused by where it goes."""
    moves = [run for run in sweeps("new document", "fail") if run.moment.startswith("os.rename")]
    assert len(moves) == 8
    for run in moves:
        place = Path(run.said.partition(": ")[0])
        assert place.is_relative_to(run.root)
        assert place.name == run.moment.split()[-1].replace("swap.package", "redcloud_core_client")


def test_a_disk_that_stays_full(sweeps: Sweeps, tmp_path: Path) -> None:
    """Where not even putting back is possible, the folder stays, the message says so, and the next run does it."""
    stuck = 0
    for run in sweeps("new document", "full"):
        assert run.code in (0, 1), run.said
        stuck += "half a swap is in place and cannot be put back: [Errno 28] No space left on device" in run.said
        root = run.copy(tmp_path)
        undo(root)
        assert holds(root, OLD if run.code else NEW), run.moment
    assert stuck == 7, "all moves but the first leave something to put back"


def test_what_no_one_expects(sweeps: Sweeps) -> None:
    """An error that is nobody's fault, such as no memory, is not hidden, and everything is as it was."""
    runs = sweeps("new document", "break")
    for run in takewhile(lambda run: "os.rmdir" not in run.moment and "os.remove" not in run.moment, runs):
        assert (run.code, run.said.splitlines()[-1]) == (2, "MemoryError"), run.moment
        assert holds(run.root, OLD), run.moment
    assert LAST in [run.moment for run in runs]


def test_interrupted_at_every_moment(sweeps: Sweeps) -> None:
    """Ctrl-C is held back until the swap is whole and cleaned up."""
    runs = sweeps("new document", "interrupt")
    assert {run.code for run in runs[:-1]} == {130}
    for run in runs:
        assert holds(run.root, NEW), run.moment


def test_what_is_synced(killed: list[Disturbed]) -> None:
    """Texts, what goes, the document and last the journal are on the disk before anything moves."""
    moments = [run.moment for run in killed]
    first = next(number for number, moment in enumerate(moments) if moment.startswith("os.rename"))
    *synced, journal, folder = [moment.split()[1] for moment in moments[:first] if moment.startswith("fsync")]
    assert (journal, folder[:12]) == ("swap.json", ".regenerate-")
    replaced = {f"swap.{number}.before" for number in (1, 2, 4)}
    assert set(synced) == {"swap.1", "swap.2", "swap.3", "swap.4", *replaced, "swap.document"}
    assert not [moment for moment in moments[first:] if moment.startswith("fsync")]


def test_edits_since_are_kept(at_the_end: Path) -> None:
    """What someone wrote or deleted after the kill stays so; the rest is put back, and both are told."""
    edited = {VERSION: "REVISION = 9\n", "changelog.d/mine.md": "mine\n", "openapi.yaml": "version: 0.4.0\n"}
    write(at_the_end, edited)
    (at_the_end / "generated/public_api.txt").unlink()
    assert undo(at_the_end)[1:] == [
        f"the swap of a killed run was undone: {FRAGMENT}, {PACKAGE}, overlay/public_api.txt",
        "changelog.d was changed after the swap of a killed run, and not put back",
        "generated/public_api.txt was changed after the swap of a killed run, and not put back",
        f"{VERSION} was changed after the swap of a killed run, and not put back",
    ]
    expected = {name: text for name, text in {**OLD, **edited}.items() if name != "generated/public_api.txt"}
    assert holds(at_the_end, expected)


def test_a_text_deleted_before_its_move_stays_so(killed: list[Disturbed], tmp_path: Path) -> None:
    """What the swap had not reached, and someone deleted since, is not brought back."""
    root = next(run for run in killed if run.moment == "os.rename swap.4 _version.py").copy(tmp_path)
    (root / VERSION).unlink()
    shutil.rmtree(root / "changelog.d")  # new, so that this is what an undo would do
    assert "changed" not in " ".join(undo(root))
    assert holds(root, {name: text for name, text in OLD.items() if name != VERSION})


def test_a_package_made_since_is_kept(at_the_end: Path) -> None:
    """A package that is another one by now is not replaced by that of before the kill."""
    write(at_the_end, {f"{PACKAGE}/later.py": ""})
    assert f"{PACKAGE} was changed after the swap of a killed run, and not put back" in undo(at_the_end)
    package = {name: text for name, text in NEW.items() if name.startswith(PACKAGE)}
    assert holds(at_the_end, {**OLD, **package, f"{PACKAGE}/later.py": ""})


JOURNALS = [b"", b"[", b"{}", b"5", b"null", b"\xff", b'["x"]', b'[{"target": "openapi.yaml"}]', b"[" * 99]
JOURNALS.append(b'[{"target": 1, "staged": "a", "kept": null, "after": "b"}]')


@pytest.mark.parametrize("content", JOURNALS)
def test_a_damaged_journal(at_the_end: Path, content: bytes) -> None:
    """Of a journal that says nothing clear nothing is believed: the folder is removed, and that is all."""
    (the_leftover(at_the_end) / "swap.json").write_bytes(content)
    assert undo(at_the_end) == ["a folder that a killed run had left behind was removed"]
    assert holds(at_the_end, NEW | {"openapi.yaml": OLD["openapi.yaml"]})


def test_a_journal_cut_anywhere(killed: list[Disturbed], tmp_path: Path) -> None:
    """A kill within the writing of the journal leaves nothing to put back, wherever it is cut."""
    run = next(run for run in killed if run.moment == "fsync swap.json")
    content = (the_leftover(run.root) / "swap.json").read_bytes()
    assert len(content) > 500
    for length in range(0, len(content), 50):
        root = run.copy(tmp_path / str(length))
        (the_leftover(root) / "swap.json").write_bytes(content[:length])
        assert len(undo(root)) == 1
        assert holds(root, OLD)


def test_a_leftover_without_a_journal(tmp_path: Path) -> None:
    """A folder of a run that was killed before its swap is removed."""
    root = write(tmp_path, OLD)
    for name in ("one", "two"):
        write(root / f"generated/.regenerate-{name}", {"before/x.py": "", "swap.document": "", "openapi.yaml": ""})
    other = {"generated/.regenerate-notes": "no folder\n"}
    write(root, other)
    assert undo(root) == ["a folder that a killed run had left behind was removed"]
    assert undo(root) == []
    assert holds(root, {**OLD, **other})


def test_two_at_once(tmp_path: Path) -> None:
    """While one run holds the tree another is refused, and touches nothing; afterwards it may."""
    root = write(tmp_path, OLD)
    with swap.locked(root / "generated"):
        with pytest.raises(Refused) as refusal:
            regenerate(root, NEW)
        assert str(refusal.value) == "another regenerate is running in this tree\nWait until it is done."
        assert holds(root, OLD)
    regenerate(root, NEW)
    assert holds(root, NEW)


def test_nowhere_to_work(tmp_path: Path) -> None:
    """Without the folder that the lock is on there is one clear message."""
    with pytest.raises(Refused) as refusal:
        regenerate(tmp_path, NEW)
    folder = tmp_path / "generated"
    assert str(refusal.value) == f"{folder}: cannot be written: No such file or directory\nNothing was changed."


def test_an_error_of_the_run_is_its_own(tmp_path: Path) -> None:
    """An error that looks like a lock's passes through the lock, and the working folder goes."""
    root = write(tmp_path, OLD)

    def fail() -> None:
        raise BlockingIOError("of the run")

    with pytest.raises(BlockingIOError, match="of the run"):
        regenerate(root, NEW, fail)
    assert holds(root, OLD)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """A folder where a file should go, and a file where its folder should be, are refused by the file's place."""
    root = write(tmp_path, OLD)
    (root / FRAGMENT).mkdir(parents=True)
    before = state(root)
    with pytest.raises(Refused) as refusal:
        regenerate(root, NEW)
    assert str(refusal.value) == f"{root / FRAGMENT}: cannot be written: Is a directory\nNothing was changed."
    assert state(root) == before
    shutil.rmtree(root / "changelog.d")
    (root / "changelog.d").write_text("")
    before = state(root)
    with pytest.raises(Refused) as refusal:
        regenerate(root, NEW)
    assert str(refusal.value) == f"{root / FRAGMENT}: cannot be written: Not a directory\nNothing was changed."
    assert state(root) == before


def test_what_does_not_change_is_not_touched(tmp_path: Path) -> None:
    """A run that changes no file leaves the files themselves, with their times."""
    root = write(tmp_path, NEW)
    before = list(facts(root))
    assert regenerate(root, NEW) == []
    assert list(facts(root)) == before


def test_modes(tmp_path: Path) -> None:
    """A file keeps its mode, and a new one gets the usual one; so it is after an undo."""
    root = write(tmp_path, OLD)
    modes = {"openapi.yaml": 0o664, VERSION: 0o755, "overlay/public_api.txt": 0o600}
    for name, mode in modes.items():
        (root / name).chmod(mode)
    before = os.umask(0o027)
    try:
        regenerate(root, NEW)
    finally:
        os.umask(before)
    for name, mode in {**modes, FRAGMENT: 0o640, "changelog.d": 0o750}.items():
        assert stat.S_IMODE((root / name).stat().st_mode) == mode, name


def test_undo_gives_the_very_files(at_the_end: Path, killed: list[Disturbed]) -> None:
    """What is put back has the time and the mode that it had."""
    undo(at_the_end)
    started = killed[0].root.parents[1] / "start"
    assert [row[2:] for row in facts(at_the_end)] == [row[2:] for row in facts(started)]


def regenerate_and_say(roots: list[str], files: Files) -> None:
    for root in roots:
        try:
            regenerate(Path(root), files)
        except Refused as refusal:
            print(refusal)


def without_override() -> Sequence[str]:
    """Return what makes root obey permissions: a command to run others under."""
    if os.geteuid():
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to stop it")
    return ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")


def test_read_only(tmp_path: Path) -> None:
    """A folder that may not be written is refused by its name before anything moves."""
    names = [".", "generated", "overlay", "overlay/redcloud_core", "changelog.d"]
    roots = [write(tmp_path / str(number), OLD | {"changelog.d/.gitignore": "\n"}) for number in range(len(names))]
    before, times = state(roots[0]), [(root / PACKAGE).stat().st_ctime_ns for root in roots]
    for root, name in zip(roots, names, strict=True):
        (root / name).chmod(0o555)
    said = python("regenerate_and_say", [str(root) for root in roots], NEW, under=without_override())
    for root, name in zip(roots, names, strict=True):
        (root / name).chmod(0o755)
        assert f"{root / name}: cannot be written: Permission denied\nNothing was changed.\n" in said
        assert state(root) == before
    assert times == [(root / PACKAGE).stat().st_ctime_ns for root in roots], "it was moved, and put back"


def test_read_only_where_nothing_changes(tmp_path: Path) -> None:
    """A folder in which nothing would change need not be writable."""
    before, after = CASES["same document"]
    root = write(tmp_path / "tree", before)
    for name in (".", "overlay", "overlay/redcloud_core"):
        (root / name).chmod(0o555)
    said = python("regenerate_and_say", [str(root)], after, under=without_override())
    for name in (".", "overlay", "overlay/redcloud_core"):
        (root / name).chmod(0o755)
    assert said == ""
    assert holds(root, after)
