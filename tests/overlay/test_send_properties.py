"""The rule of sends under faults that nobody chose: any script, any number of attempts, cancellation at any moment."""

import asyncio
import random
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redcloud_core import AsyncRedCloud, Receipt, RedCloud, RedCloudError, SendOutcomeUnknown
from redcloud_core.sandbox import Sandbox

CREDENTIALS = {"client_id": "rc_test_client_123", "client_secret": "rc_secret_abc123"}
REFUSALS = (400, 401, 403, 404, 409, 418, 422, 425, 429)
NUMBERS = count(1)

Step = dict[str, Any]


def _statuses(codes: tuple[int, ...], *when: str) -> st.SearchStrategy[Step]:
    return st.builds(
        lambda code, moment: {"kind": "status", "status": code, "when": moment},
        st.sampled_from(codes),
        st.sampled_from(when),
    )


def _kinds(*kinds: str) -> st.SearchStrategy[Step]:
    return st.sampled_from([{"kind": kind} for kind in kinds])


# A server that says no has not done it, and one that fails may have.
STEPS = st.one_of(
    _kinds("none", "drop_before", "drop_after", "cut_body", "garbage", "drift"),
    _statuses(REFUSALS, "before"),
    _statuses((302, 408, 500, 502, 503, 504), "before", "after"),
)
CERTAIN = st.one_of(_kinds("none"), _statuses(REFUSALS, "before"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws no pauses."""
    monkeypatch.setattr("redcloud_core._client.Client._draw", staticmethod(lambda: 0.0))


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """A sandbox that remembers the sends of all examples."""
    with Sandbox() as sandbox:
        yield sandbox


def effects(sandbox: Sandbox, key: str) -> int:
    """How many messages the sandbox has queued under a key."""
    return sum(len(entry["message_ids"]) for entry in sandbox.ledger()["sends"] if entry["key"] == key)


def end_of(client: RedCloud, message: dict[str, Any], key: str) -> Receipt | RedCloudError:
    """Send, and return what the send ends in."""
    try:
        return client.send_message(**message, idempotency_key=key)
    except RedCloudError as error:
        return error


FUNCTION_SCOPED = [HealthCheck.function_scoped_fixture]  # the pauses are none in each example


@settings(max_examples=150, deadline=None, suppress_health_check=FUNCTION_SCOPED)
@given(script=st.lists(STEPS, min_size=1, max_size=6), attempts=st.integers(1, 6), calls=st.integers(1, 3))
def test_rule(served: Sandbox, sms: dict[str, Any], quick: None, script: list[Step], attempts: int, calls: int) -> None:
    """Whatever happens: accepted is queued once, refused is not queued, and what is unknown is settled by its key."""
    key = f"idem_{next(NUMBERS)}"
    served.clear_faults()
    served.add_fault({"operation": "sendMessage", "key": key, "script": script})
    with RedCloud(served.url, **CREDENTIALS, attempts=attempts) as client:
        for _ in range(calls):
            end = end_of(client, sms, key)
            if isinstance(end, Receipt):
                assert effects(served, key) == 1
            elif not isinstance(end, SendOutcomeUnknown):
                assert effects(served, key) == 0, repr(end)
        served.clear_faults()
        assert isinstance(end_of(client, sms, key), Receipt)
    assert effects(served, key) == 1


@settings(max_examples=80, deadline=None, suppress_health_check=FUNCTION_SCOPED)
@given(script=st.lists(CERTAIN, min_size=1, max_size=6), attempts=st.integers(1, 6))
def test_certainty(served: Sandbox, sms: dict[str, Any], quick: None, script: list[Step], attempts: int) -> None:
    """Where each attempt was answered in words that say so, the end is not unknown: it is queued, or it is not."""
    key = f"idem_{next(NUMBERS)}"
    served.clear_faults()
    served.add_fault({"operation": "sendMessage", "key": key, "script": script})
    with RedCloud(served.url, **CREDENTIALS, attempts=attempts) as client:
        end = end_of(client, sms, key)
    assert not isinstance(end, SendOutcomeUnknown)
    assert effects(served, key) == isinstance(end, Receipt)


@pytest.mark.parametrize("seed", [1, 2])
def test_cancelled_sends(sandbox: Sandbox, sms: dict[str, Any], seed: int) -> None:
    """200 sends that are cancelled at any moment, and asked again with their keys, are queued once each."""
    chance = random.Random(seed)
    sandbox.add_fault({"operation": "sendMessage", "kind": "drop_after", "rate": 0.1, "seed": seed})

    async def main() -> None:
        async with AsyncRedCloud(sandbox.url, **CREDENTIALS) as client:
            await asyncio.gather(*(cancel_and_ask_again(client, number) for number in range(200)))

    async def cancel_and_ask_again(client: AsyncRedCloud, number: int) -> None:
        message = {**sms, "text": f"message {number}"}
        task = asyncio.create_task(client.send_message(**message, idempotency_key=f"idem_{number}"))
        await asyncio.sleep(chance.random() * 0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        while True:
            try:
                receipt = await client.send_message(**message, idempotency_key=f"idem_{number}")
            except SendOutcomeUnknown:
                continue
            assert len(receipt.results) == 1
            return

    asyncio.run(main())
    sends = sandbox.ledger()["sends"]
    assert {entry["key"]: len(entry["message_ids"]) for entry in sends} == {f"idem_{n}": 1 for n in range(200)}
