"""The group of the outbox, tried with the tree's own package: what it counts is really stored, and really sent."""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.bench import outbox
from pipeline.bench.contenders import OURS, library
from pipeline.bench.environments import Contender
from pipeline.bench.interleaving import Start, workers
from pipeline.bench.server import requests_for, serving
from pipeline.bench.workers.wire import MESSAGE, SEND_PATH
from pipeline.steps import ToolFailed
from redcloud_core.outbox import Outbox

SENDING = ["drain", "drain_async"]


class Here(Contender):
    """A contender that is installed where the tests run."""

    @property
    def python(self) -> Path:
        """The tests' own Python."""
        return Path(sys.executable)

    def versions(self) -> dict[str, str]:
        """Nothing was installed for it."""
        return {}


@pytest.fixture
def url() -> Iterator[str]:
    """Give a server of the benchmark."""
    with serving() as url:
        yield url


def seconds(name: str, task: str, *arguments: str, counts: tuple[int, ...] = (200,)) -> list[float]:
    """Let a worker do a task several times."""
    start = Start(Path(sys.executable), library(name), task, arguments)
    with workers({name: start}) as running:
        return [running[name].seconds(count) for count in counts]


def texts(path: Path) -> list[str]:
    """Return what the rows of a file hold."""
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("SELECT send FROM sends WHERE state = 'waiting'")]
    connection.close()
    return found


@pytest.mark.parametrize("name", [OURS, "sqlite3_alone"])
@pytest.mark.parametrize("task", [["add"], ["add_batches"]])
def test_everything_is_stored(name: str, task: list[str], tmp_path: Path) -> None:
    """As many rows as asked for, in every round, also if the last batch is not full."""
    taken = seconds(name, task[0], str(tmp_path / "file"), counts=(20, 130))
    assert all(second > 0 for second in taken)
    assert len(texts(tmp_path / "file")) == 150


def test_everything_is_stored_from_threads(tmp_path: Path) -> None:
    """Also where several store at once."""
    seconds(OURS, "add_in_threads", str(tmp_path / "file"), "8", counts=(20,))
    assert len(texts(tmp_path / "file")) == 20


def test_rows_are_equally_long(tmp_path: Path) -> None:
    """SQLite alone is given as much to write as the outbox gives it."""
    with Outbox(tmp_path / "ours") as ours:
        ours.add(**MESSAGE, reference="order-1")
    seconds("sqlite3_alone", "add", str(tmp_path / "bare"), counts=(1,))
    assert len(texts(tmp_path / "bare")[0]) == pytest.approx(len(texts(tmp_path / "ours")[0]), rel=0.05)


@pytest.mark.parametrize("task", SENDING)
def test_everything_is_sent(task: str, url: str, tmp_path: Path) -> None:
    """Each message leaves once, in every round."""
    seconds(OURS, task, url, str(tmp_path / "file"), "4", counts=(20, 30))
    assert requests_for(url, SEND_PATH) == 50
    with Outbox(tmp_path / "file") as sent:
        assert sent.counts().accepted == 50


def test_what_is_not_sent_is_no_sample(url: str, tmp_path: Path) -> None:
    """A drain that leaves something behind is no fast one."""
    code = "def drainer(url, path):\n    return lambda references: None, lambda at_once: 1\n"
    (tmp_path / "lazy.py").write_text(code)
    start = Start(Path(sys.executable), tmp_path / "lazy.py", "drain", (url, str(tmp_path / "file"), "4"))
    with workers({"lazy": start}) as running, pytest.raises(ToolFailed, match="1 of 5 messages were accepted"):
        running["lazy"].seconds(5)


def test_whole_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison has its reference, and a sample of both in each round."""
    monkeypatch.setattr(outbox, "ready", lambda names: {name: Here(name, []) for name in names})
    monkeypatch.setattr(outbox, "FOLDER", tmp_path)
    found = outbox.measure(quick=True)
    rates = [known for known in found.comparisons if known.more_is_better]
    assert [known.unit for known in rates] == ["adds/s"] * 3 + ["sends/s"] * 2
    assert [list(known.samples) for known in rates] == [[OURS, outbox.BARE]] * 3 + [[OURS, outbox.DIRECT]] * 2
    for known in found.comparisons:
        assert len(known.samples[known.reference]) > 0
        assert known.ratio(known.reference).median == 1
    memory = found.comparisons[len(rates) :]
    assert [list(known.samples) for known in memory] in ([], [["2,000 messages", "1,000 messages"]])
    assert list(tmp_path.iterdir()) == []
