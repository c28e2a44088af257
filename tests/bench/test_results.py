"""What a group leaves behind: JSON for machines, a chart for people."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.bench.comparisons import Comparison
from pipeline.bench.results import Result, machine, show, write

SVG = "{http://www.w3.org/2000/svg}"
COMPARISON = Comparison(
    "a call <& more>", "us", "httpx", {"redcloud-core": [1.0, 2.0], "httpx": [2.0, 4.0], "a peer": [8, 8]}
)
RESULT = Result("call", "A warm send", [COMPARISON], {"httpx": {"httpx": "0.28.1"}}, ["All is local."])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Give the files that a result is written to."""
    return write(RESULT, tmp_path / "results")


def test_json(files: tuple[Path, Path]) -> None:
    """It says when, where and with which packages, and has every sample."""
    found = json.loads(files[0].read_text())
    assert files[0].name == "call.json"
    assert set(found) == {"format", "group", "title", "date", "machine", "versions", "notes", "comparisons"}
    assert set(found["machine"]) == {"system", "cpu", "cores", "python", "load"}
    assert found["versions"] == {"httpx": {"httpx": "0.28.1"}}
    (comparison,) = found["comparisons"]
    keys = {"name", "median", "q1", "q3", "ratio", "difference", "samples"}
    assert [set(contender) for contender in comparison["contenders"]] == [keys] * 3
    assert comparison["contenders"][0]["samples"] == [1.0, 2.0]


def test_chart_is_well_formed(files: tuple[Path, Path]) -> None:
    """Each contender has a bar inside the picture, ours marked; what titles say is escaped."""
    root = ElementTree.parse(files[1]).getroot()
    bars = [bar for bar in root.iter(f"{SVG}rect") if "class" in bar.attrib]
    assert [bar.attrib["class"] for bar in bars] == ["ours", "reference", "peer"]
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) < float(root.attrib["width"]) for bar in bars)
    assert all(float(bar.attrib["y"]) + float(bar.attrib["height"]) < float(root.attrib["height"]) for bar in bars)
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert any(text.startswith("a call <& more>") for text in texts)
    assert "1.50 us, 0.50\N{MULTIPLICATION SIGN}" in texts


def test_bars_are_to_scale(files: tuple[Path, Path]) -> None:
    """Twice the median is twice the length."""
    root = ElementTree.parse(files[1]).getroot()
    ours, reference, _ = (float(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect") if "class" in bar.attrib)
    assert reference == pytest.approx(2 * ours, abs=0.2)


def test_people_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers and notes are printed."""
    show(RESULT)
    said = capsys.readouterr().out
    assert "call: A warm send" in said
    assert "note: All is local." in said


def test_machine_has_a_processor() -> None:
    """Whatever the system tells of it."""
    assert machine()["cpu"]
    assert machine()["cores"] >= 1
