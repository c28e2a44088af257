"""The guards on a document: what they refuse, and what they let pass."""

from pathlib import Path

import pytest
import yaml

from pipeline import reader
from pipeline.document import load
from pipeline.gate.guards import violations

CORE = Path(__file__).parent / "documents" / "core-0.2.0.yaml"
TITLE = "Red Cloud CORE API"
SEND_FROM = "        sendFrom:\n          type: string\n"
KEY = "        - name: Idempotency-Key\n          in: header\n          required: true\n"


def said(tmp_path: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    """Return what the guards say of our document with changes: guard and place."""
    text = CORE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "new.yaml"
    path.write_text(text)
    document = load(path)
    return [(found.guard, found.where) for found in violations(document, reader.read(document), TITLE)]


def test_our_document_passes(tmp_path: Path) -> None:
    """Our document itself is fine."""
    assert said(tmp_path) == []


@pytest.mark.parametrize(
    "spelling", ["campaignRegId", "campaignregid", "campaign_reg_id", "CampaignRegID", "campaign-reg-id"]
)
def test_spelling_in_requests(tmp_path: Path, spelling: str) -> None:
    """A request that spells the campaign otherwise is refused at the property."""
    where = f"#/components/schemas/NumberUpdate/properties/{spelling}"
    assert said(tmp_path, ("campaignregId", spelling)) == [("campaign-spelling", where)]


@pytest.mark.parametrize("spelling", ["campaignregId", "campaignregid", "campaign_reg_id"])
def test_spelling_in_answers(tmp_path: Path, spelling: str) -> None:
    """An answer that spells it otherwise is refused, too."""
    where = f"#/components/schemas/Number/properties/{spelling}"
    assert said(tmp_path, ("campaignRegId:", f"{spelling}:")) == [("campaign-spelling", where)]


def test_another_name_is_no_spelling(tmp_path: Path) -> None:
    """A property of another name that begins alike is none of the guard's business."""
    assert said(tmp_path, ("campaignregId", "campaignCode"), ("campaignRegId:", "campaignRegion:")) == []


@pytest.mark.parametrize(
    "rule",
    [
        r"pattern: '^\+?[0-9]+$'",
        "pattern: '^.+$'",
        "pattern: '^[+0-9a-z_]+$'",
        "pattern: '^usr_'",
        "format: phone",
        "format: e164",
        "format: E.164",
        "format: uuid",
        "format: email",
        "maxLength: 5",
        "enum: [num_1, num_2]",
        "pattern: '('",
    ],
)
def test_send_from_is_refused(tmp_path: Path, rule: str) -> None:
    """A rule that a phone number fits, or a number id does not, is refused."""
    where = "#/components/schemas/SendMessageRequest/properties/sendFrom"
    assert said(tmp_path, (SEND_FROM, f"{SEND_FROM}          {rule}\n")) == [("send-from", where)]


@pytest.mark.parametrize("rule", ["pattern: '^num_[a-z0-9]+$'", "format: number-id", "minLength: 1", "maxLength: 64"])
def test_send_from_is_fine(tmp_path: Path, rule: str) -> None:
    """A rule that fits number ids alone, or says nothing of phone numbers, is fine."""
    assert said(tmp_path, (SEND_FROM, f"{SEND_FROM}          {rule}\n")) == []


def test_send_from_through_a_reference(tmp_path: Path) -> None:
    """The rule is found where it stands, also behind a $ref."""
    changes = (
        (SEND_FROM, "        sendFrom:\n          $ref: '#/components/schemas/Sender'\n"),
        ("\n  schemas:\n", "\n  schemas:\n    Sender: {type: string, format: phone, description: A number.}\n"),
    )
    assert said(tmp_path, *changes) == [("send-from", "#/components/schemas/SendMessageRequest/properties/sendFrom")]


@pytest.mark.parametrize("change", [(KEY, KEY.replace("true", "false")), ("- name: Idempotency-Key", "- name: X-Key")])
def test_idempotency_key(tmp_path: Path, change: tuple[str, str]) -> None:
    """A send without a required key is refused at the operation."""
    assert said(tmp_path, change) == [("idempotency-key", "#/paths/~1api~1core~1messages~1send/post")]


def test_title(tmp_path: Path) -> None:
    """A document of another title is refused."""
    assert said(tmp_path, (f"title: {TITLE}", "title: Red Cloud BASE API")) == [("title", "#/info/title")]


def test_a_document_without_a_send(tmp_path: Path) -> None:
    """What is not there needs no guard: that it is gone is a break, and told as one."""
    data = yaml.safe_load(CORE.read_text(encoding="utf-8"))
    del data["paths"]["/api/core/messages/send"]
    path = tmp_path / "new.yaml"
    path.write_text(yaml.safe_dump(data))
    document = load(path)
    assert violations(document, reader.read(document), TITLE) == []
