"""A small campaign, as `./scripts/campaign` runs it: processes that share an outbox die, and no message is lost."""

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import pipeline
from pipeline.campaign.chance import Chance
from pipeline.campaign.command import main
from pipeline.campaign.figures import Figures, count
from pipeline.campaign.messages import message_of, number_of
from pipeline.campaign.worker import Kept

WRONG = ("lost", "doubled", "phantom", "false dead", "conflicts", "missed", "unfinished", "surprises")


def test_campaign() -> None:
    """After 25 kills nothing is wrong, and something was sent. It forks, so it runs in a process without threads."""
    command = [sys.executable, "-c", "from pipeline.campaign.command import main; raise SystemExit(main())"]
    env = {**os.environ, "PYTHONPATH": str(Path(pipeline.__path__[0]).parent)}
    done = subprocess.run(
        [*command, "--kills", "25", "--seed", "7"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    found = {
        name: int(value.replace(",", "")) for name, value in re.findall(r"^  ([a-z ]+?) +([\d,]+)$", done.stdout, re.M)
    }
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: found[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
    assert found["acknowledged"] == found["accepted"] + found["refused"] + found["unknown"]
    assert found["accepted"] > 20


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "--kills"),
        (["--kills", "0", "--seed", "1"], "give 1 or more"),
        (["--kills", "x", "--seed", "1"], "'x' is no whole number"),
        (["--kills", "1", "--seed", "-1"], "--seed"),
        (["--kills", "1", "--seed", "1", "--mutant", "x"], "invalid choice: 'x'"),
    ],
)
def test_bad_arguments(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be run is refused with the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert reason in capsys.readouterr().err


def test_a_seed_decides() -> None:
    """The same seed has the same things happen, however many workers were needed meanwhile."""
    one, other, needs = Chance(5), Chance(5), Random(1)
    for _ in range(200):
        for _ in range(needs.randrange(3)):
            other.role()
            other.place(6)
        assert (one.happening(), one.pause(), one.fault()) == (other.happening(), other.pause(), other.fault())
    assert message_of(5, 9) == message_of(5, 9) != message_of(6, 9)


def _figures(kept: dict[int, Kept], *effects: int, told: bool = True) -> Figures:
    sends = [
        {"external_reference": f"m{number}", "message_ids": [f"msg_{place}"], "attempts": 1, "conflicts": 0}
        for place, number in enumerate(effects)
    ]
    settled = {number: {entry.state} for number, entry in kept.items()} if told else {}
    return count({1}, settled, [], kept, sends)


def _kept(state: str, ids: tuple[str, ...] | None = None) -> dict[int, Kept]:
    return {1: Kept(state, "key", ids, None)}


@pytest.mark.parametrize(
    ("figures", "wrong"),
    [
        (_figures(_kept("accepted", ("msg_0",)), 1), {}),
        (_figures(_kept("refused")), {}),
        (_figures(_kept("unknown")), {}),
        (_figures(_kept("unknown"), 1), {}),
        (_figures({}), {"lost": 1}),
        (_figures(_kept("waiting")), {"lost": 1, "unfinished": 1}),
        (_figures(_kept("accepted")), {"lost": 1, "phantom": 1}),
        (_figures(_kept("accepted", ("msg_7",)), 1), {"phantom": 1}),
        (_figures(_kept("accepted", ("msg_1",)), 1, 1, 1), {"doubled": 2}),
        (_figures(_kept("refused"), 1), {"false_dead": 1}),
        (_figures(_kept("refused"), told=False), {"missed": 1}),
    ],
)
def test_count(figures: Figures, wrong: dict[str, int]) -> None:
    """Each thing that can be wrong has a figure."""
    assert {name: value for name, value in figures.faults.items() if value} == wrong
    assert figures.is_good is not bool(wrong)


def test_references_are_of_numbers() -> None:
    """What is no reference of a campaign is no number."""
    with pytest.raises(ValueError, match="no reference"):
        number_of("order-1")
