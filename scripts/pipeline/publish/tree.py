"""The tree as git knows it: whether all of it is committed, and a copy that holds nothing else."""

import shutil
from pathlib import Path

from ..environment import ROOT
from ..steps import Refused, ToolFailed, execute


def check_committed() -> None:
    """Make sure that what will be built is what everybody can read in the repository.

    Raises:
        Refused: Something is changed, or not known to git; or this is no work tree of git.
    """
    changed = _git("status", "--porcelain").splitlines()
    if changed:
        shown = "\n  ".join(changed[:10] + ([f"... and {len(changed) - 10} more"] if changed[10:] else []))
        raise Refused(f"the tree is not what is committed:\n  {shown}\nCommit it, or put it aside with `git stash -u`.")


def copy_tree(target: Path) -> Path:
    """Copy the files that git does not ignore, and nothing of their times and permissions.

    Args:
        target: A folder that does not exist yet.

    Returns:
        The folder.
    """
    for name in _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        source = ROOT / name
        if source.is_file():  # not what was deleted and is still in the index
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            copy.chmod(0o600)
    return target


def _git(*arguments: str) -> str:
    try:
        return execute(["git", *arguments], cwd=ROOT).stdout
    except ToolFailed as failure:
        if "not a git repository" in failure.output:
            raise Refused(
                f"{ROOT} is no clone of the repository\nRelease from a clone: a release is of a commit."
            ) from None
        raise
