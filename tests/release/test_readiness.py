"""What a release is refused for, before anything is built, and what prepares it."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.publish import notes
from pipeline.publish.notes import pin_of, version

Refusal = Callable[..., str]


def _dry_run(clone: Any) -> "subprocess.CompletedProcess[str]":
    done: subprocess.CompletedProcess[str] = clone.run("release", "--dry-run")
    assert "build" not in done.stdout
    assert not (clone.root / "dist").exists()
    return done


def test_uncommitted_change_is_refused(clone: Any, refusal: Refusal) -> None:
    """What is changed, and what git does not know, is named."""
    clone.edit("README.md", "# Red Cloud", "# Our Red Cloud")
    (clone.root / "overlay" / "redcloud_core" / "extra.py").touch()

    said = refusal(_dry_run(clone))

    assert said == (
        "the tree is not what is committed:\n   M README.md\n  ?? overlay/redcloud_core/extra.py\n"
        "Commit it, or put it aside with `git stash -u`."
    )


def test_no_repository_is_refused(clone: Any, refusal: Refusal) -> None:
    """A tree without git, such as an unpacked archive, is nothing to release from."""
    (clone.root / ".git").rename(clone.root.parent / "git")

    assert "is no clone of the repository\nRelease from a clone" in refusal(_dry_run(clone))


def test_drift_is_refused(clone: Any, refusal: Refusal) -> None:
    """A client that was edited by hand is no release."""
    clone.edit("generated/redcloud_core_client/types.py", "import", "import sys\nimport")
    clone.commit()

    said = refusal(_dry_run(clone))

    assert "types.py differs" in said
    assert said.endswith("Run `./scripts/regenerate`, and commit what it writes.")


def test_types_that_do_not_hold_are_refused(clone: Any, refusal: Refusal, know_types: Callable[[Path], Path]) -> None:
    """An overlay that does not fit the client is no release; the place is named."""
    know_types(clone.root / ".mypy_cache")
    clone.edit("overlay/redcloud_core/_segments.py", "\n\n\n", "\n\nNUMBER: int = 'one'\n\n\n")
    clone.commit()

    said = refusal(_dry_run(clone))

    assert re.search(r"^overlay/redcloud_core/_segments\.py:\d+: error: Incompatible types", said, re.M)
    assert said.endswith("Mend them; ./scripts/test shows all.")


def test_changelog_without_the_version_is_refused(clone: Any, refusal: Refusal) -> None:
    """A version that CHANGELOG.md says nothing of is refused, and so is news that waits, all at once."""
    clone.edit("overlay/redcloud_core/_version.py", "REVISION: int | None = ", "REVISION: int | None = 41  # ")
    clone.edit("overlay/redcloud_core/_version.py", "41  # None", "41")
    (clone.root / "scripts" / "changelog.d" / "+more.fixed.md").write_text("More.\n")
    clone.commit()

    said = refusal(_dry_run(clone))

    base = ".".join(version().split(".")[:3])
    assert said == (
        f"the tree is not ready to be released as {base}.41:\n- CHANGELOG.md says nothing of version {base}.41\n"
        "- scripts/changelog.d/ holds what CHANGELOG.md does not say yet: +more.fixed.md\n"
        "`./scripts/release --prepare` writes both from scripts/changelog.d/; read them, and commit."
    )


def test_pin_of_another_document_is_refused(clone: Any, refusal: Refusal) -> None:
    """README.md pins this document, or callers get another one."""
    clone.edit("README.md", f"redcloud-core ~= {pin_of(version())}", "redcloud-core ~= 0.1.0.0")
    clone.commit()

    assert "- README.md pins another version: redcloud-core ~= 0.1.0.0\n" in refusal(_dry_run(clone))


def test_unknown_index_is_refused(clone: Any, refusal: Refusal) -> None:
    """A name that pyproject.toml does not have is refused, with those that it has."""
    text = '\n[[tool.uv.index]]\nname = "reader"\nurl = "https://packages.example.com/simple/"\n'
    with (clone.root / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(text)

    assert "has no index `team` (it has: reader)\n" in refusal(clone.run("release", "--index", "team"))
    assert "`reader` of pyproject.toml has no publish-url" in refusal(clone.run("release", "--index", "reader"))


# What prepares a release


def test_prepare_tells_the_news(clone: Any) -> None:
    """The fragments come under the version in CHANGELOG.md, the pin into README.md, and then the tree is ready."""
    clone.edit("overlay/redcloud_core/_version.py", "REVISION: int | None = ", "REVISION: int | None = 41  # ")
    clone.edit("overlay/redcloud_core/_version.py", "41  # None", "41")
    clone.edit("README.md", f"redcloud-core ~= {pin_of(version())}", "redcloud-core ~= 0.1.0.0")
    note = clone.root / "scripts" / "changelog.d" / "+slow.fixed.md"
    note.write_text("Slow calls are fast.\n")
    clone.commit()

    done = clone.run("release", "--prepare")

    assert done.returncode == 0, done.stderr
    base = ".".join(version().split(".")[:3])
    changelog = (clone.root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {base}\.41\n\n### Fixed\n\n- Slow calls are fast\.\n", changelog, re.M)
    assert changelog.index(f"## {base}.41") < changelog.index("\n## 0.2.0\n")
    assert f"redcloud-core ~= {base}.0" in (clone.root / "README.md").read_text(encoding="utf-8")
    assert not note.exists()
    ready = "from pipeline.publish.notes import check_notes, version; check_notes(version()); print(version())"
    assert clone.python(ready) == f"{base}.41\n"


def test_prepare_wants_a_new_version_for_news(clone: Any, refusal: Refusal) -> None:
    """News under a version that has been told already would change what was published."""
    (clone.root / "scripts" / "changelog.d" / "+late.added.md").write_text("Late.\n")

    said = refusal(clone.run("release", "--prepare"))

    assert said.startswith(f"CHANGELOG.md has version {version()} already, and +late.added.md would come under it\n")
    assert "Raise REVISION in overlay/redcloud_core/_version.py." in said


def test_prepare_wants_news_for_a_new_version(clone: Any, refusal: Refusal) -> None:
    """A version without a word on what is new is not prepared."""
    path: Path = clone.root / "CHANGELOG.md"
    path.write_text(path.read_text(encoding="utf-8").replace(f"## {version()}\n", "## 0.0.1\n"), encoding="utf-8")

    said = refusal(clone.run("release", "--prepare"))

    assert said.startswith(f"nothing in scripts/changelog.d/ says what is new in version {version()}\n")


def test_candidate_leaves_the_pin_alone() -> None:
    """Nobody gets a candidate without asking for it, so README.md goes on with the version before."""
    assert notes._due("9.9.9rc1", "1.2.3.0") == "1.2.3.0"
    assert notes._due("9.9.9.4", "1.2.3.0") == "9.9.9.0"
