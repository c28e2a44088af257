"""The promises of `Store`, which each place where an outbox may live must keep; the fixture `stores` names them all."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from redcloud_core import IdempotencyKey, InvalidCallError, OutboxError
from redcloud_core.outbox import Account, Lease, Outbox, Record, Result, State, Store, Terms
from redcloud_core.outbox._sqlite import SQLiteStore

NOW = 1_000_000.0
TERMS = Terms(lease=30.0, retention=3600.0, longest_pause=60.0)
MINE, YOURS = Account("https://api.example.com", "rc_1"), Account("https://api.example.com", "rc_2")
SMS: dict[str, Any] = {
    "sendFrom": "num_abc123",
    "to": ["+15551230001"],
    "messageType": "SMS",
    "externalReference": "order_789",
}
Open = Callable[[], Store]


def send_of(reference: str, text: str = "Hello") -> Any:
    """Return what the outbox would store for a message."""
    return _Maker().send_of(reference, text)


class _Maker:
    """Takes the place of a store, to see what an outbox gives it."""

    def add(self, sends: Sequence[tuple[str, Any]], at: float) -> list[Any]:
        return [send for _, send in sends]

    def send_of(self, reference: str, text: str) -> Any:
        maker: Any = self
        return Outbox(maker).add(reference=reference, **SMS, text=text)


def sqlite_store(folder: Path) -> Store:
    """Open a store in the file of a folder."""
    return SQLiteStore(folder / "outbox")


@pytest.fixture(params=[sqlite_store])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store again and again, as another process would, and closes them all."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(request.param(tmp_path))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(stores: Open) -> Store:
    """An empty store."""
    return stores()


def add(store: Store, *references: str, at: float = NOW) -> None:
    store.add([(reference, send_of(reference)) for reference in references], at)


def take(store: Store, now: float = NOW, limit: int = 10, terms: Terms = TERMS) -> list[Lease]:
    return store.lease(limit, now, terms)


def names(leases: Sequence[Lease]) -> list[str]:
    return [lease.reference for lease in leases]


def entry_of(store: Store, reference: str) -> Any:
    entry = store.get(reference)
    assert entry is not None
    return entry


def settle(store: Store, lease: Lease, state: State = "accepted", *, keeps: bool = False, **fields: Any) -> bool:
    record = Record(lease=lease, state=state, at=NOW + 1, tries=lease.tries + 1, **fields)
    return store.record([record], keeps=keeps) == [True]


def seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


# add


def test_added(store: Store) -> None:
    """What was added is there as it was given, and waits."""
    (added,) = store.add([("order-1", send_of("order-1"))], NOW)

    assert added == store.get("order-1")
    assert (added.reference, added.state, added.send, added.tries) == ("order-1", "waiting", send_of("order-1"), 0)
    assert added.added_at == added.since == added.due_at == datetime.fromtimestamp(NOW, UTC)
    assert (added.in_doubt_since, added.reason, added.answer, added.drift, added.receipt) == (
        None,
        None,
        b"",
        None,
        None,
    )


def test_added_again(store: Store) -> None:
    """The same message under its reference is there once, as it was first."""
    add(store, "order-1")

    (again,) = store.add([("order-1", send_of("order-1"))], NOW + 5)

    assert seconds(again.added_at) == NOW
    assert store.counts().waiting == 1


def test_added_twice_in_a_batch(store: Store) -> None:
    """A batch may name a message twice: both are the one entry."""
    one, other = store.add([("order-1", send_of("order-1"))] * 2, NOW)

    assert one == other
    assert store.counts().waiting == 1


def test_added_again_when_settled(store: Store) -> None:
    """Who repeats an `add` is told what has become of the message."""
    add(store, "order-1")
    settle(store, take(store)[0])

    (again,) = store.add([("order-1", send_of("order-1"))], NOW + 5)

    assert again.state == "accepted"


def test_other_message_stores_nothing(store: Store) -> None:
    """A reference that stands for another message refuses the whole batch."""
    add(store, "order-1")
    batch = [("order-0", send_of("order-0")), ("order-1", send_of("order-1", "Bye")), ("order-2", send_of("order-2"))]

    with pytest.raises(InvalidCallError, match="it stands for another message already: 'order-1'"):
        store.add(batch, NOW)

    assert [entry.reference for _, entry in store.entries(None, 0, 10)] == ["order-1"]
    assert entry_of(store, "order-1").send == send_of("order-1")


@pytest.mark.parametrize("reference", ["x" * 254, "Zoë 😀", "a\x00b", "'; DROP TABLE sends; --", " "])
def test_any_reference(store: Store, reference: str) -> None:
    """A reference is any text, and one is never taken for another."""
    add(store, reference, reference.upper() + "!")

    assert entry_of(store, reference).reference == reference
    assert names(take(store)) == [reference, reference.upper() + "!"]


# lease


def test_lease(store: Store) -> None:
    """A lease says what is to be sent."""
    add(store, "order-1")

    (lease,) = take(store)

    said = (lease.reference, lease.send, lease.taken_at, lease.in_doubt_since, lease.tries)
    assert said == ("order-1", send_of("order-1").to_json(), NOW, None, 0)


def test_longest_due_first(store: Store) -> None:
    """Those that are due longest come first, then those that were added first; no more than were asked for."""
    add(store, "late", at=NOW - 1)
    add(store, "early", at=NOW - 2)
    add(store, "late too", at=NOW - 1)

    assert names(take(store, limit=2)) == ["early", "late"]
    assert names(take(store, limit=2)) == ["late too"]
    assert take(store) == []


def test_in_doubt_from_the_lease_on(store: Store, stores: Open) -> None:
    """Before a lease is given out, another process sees that the message may be sent from now on."""
    add(store, "order-1", "order-2")

    take(store, limit=1)

    other = stores()
    assert seconds(entry_of(other, "order-1").in_doubt_since) == NOW
    assert entry_of(other, "order-2").in_doubt_since is None


def test_lease_ends(store: Store) -> None:
    """A lease that ran out is given to another: a later one, which knows since when the message is in doubt."""
    add(store, "order-1")
    (first,) = take(store)

    assert take(store, NOW + 29.9) == []
    (second,) = take(store, NOW + 30)

    assert (second.id, second.in_doubt_since, second.taken_at) == (first.id, NOW, NOW + 30)
    assert second.epoch > first.epoch


def test_not_due(store: Store) -> None:
    """What waits for its next try is left alone until then."""
    add(store, "order-1")
    settle(store, take(store)[0], "waiting", due_at=NOW + 10, reason="HTTP 503")

    assert take(store, NOW + 9.9) == []
    (lease,) = take(store, NOW + 10)
    assert (lease.tries, lease.in_doubt_since) == (1, None)


@pytest.mark.parametrize("back", [86_400.0, 10 * 365 * 86_400.0])
def test_clock_put_back_during_a_lease(store: Store, back: float) -> None:
    """A lease that ends further ahead than one can is over: nobody waits for a day that was a mistake."""
    add(store, "order-1", at=NOW - back)
    take(store, terms=Terms(lease=30.0, retention=1e12))

    assert names(take(store, NOW - back, terms=Terms(lease=30.0, retention=1e12))) == ["order-1"]


def test_clock_put_back_before_a_try(store: Store) -> None:
    """A try that is due further ahead than one can be is due now."""
    add(store, "order-1")
    settle(store, take(store)[0], "waiting", due_at=NOW + 60)

    assert names(take(store, NOW - 86_400)) == ["order-1"]


def test_late_question_takes_no_lease_away(store: Store) -> None:
    """Who asked earlier, but is heard later, has not found a clock that was put back."""
    add(store, "order-1", at=NOW - 100)
    asked_at = NOW - 20  # and had to wait for the file's lock
    take(store)

    assert take(store, asked_at) == []


def test_late_question_is_no_early_try(store: Store) -> None:
    """A pause is not cut short by somebody who asked before it began."""
    add(store, "order-1")
    settle(store, take(store)[0], "waiting", due_at=NOW + 60)

    assert take(store, NOW - 20) == []


@pytest.mark.parametrize("later", [3600.1, 1e7, -3600.1, -1e6])
def test_retention_is_over(store: Store, later: float) -> None:
    """What has been in doubt for longer than the API knows keys is unknown: not sent, whichever way the clock went."""
    add(store, "order-1", at=NOW - 1e6)
    settle(store, take(store)[0], "waiting", due_at=NOW + 1, in_doubt_since=NOW, reason="HTTP 503")

    assert take(store, NOW + later) == []

    entry = entry_of(store, "order-1")
    assert (entry.state, entry.due_at, seconds(entry.in_doubt_since)) == ("unknown", None, NOW)
    assert seconds(entry.since) == NOW + later
    assert entry.reason == "it may have been queued, and the API may have forgotten its key by now: HTTP 503"


def test_retention_is_over_after_a_crash(store: Store) -> None:
    """A lease whose end nobody stored counts as well: a message of last week is not sent again."""
    add(store, "order-1")
    take(store)

    assert take(store, NOW + 3601) == []

    assert entry_of(store, "order-1").state == "unknown"


def test_retention_is_not_over(store: Store) -> None:
    """Up to its last moment a message in doubt is asked for again."""
    add(store, "order-1", "order-2")
    take(store, limit=1)

    assert names(take(store, NOW + 3600)) == ["order-1", "order-2"]


def test_old_message_that_never_left(store: Store) -> None:
    """A message that was never tried is sent, however old it is."""
    add(store, "order-1")

    assert names(take(store, NOW + 1e8)) == ["order-1"]


def test_unknown_takes_the_lease_away(store: Store) -> None:
    """The late answer of a drain that slept beyond the retention changes nothing any more."""
    add(store, "order-1")
    (lease,) = take(store)
    take(store, NOW + 3601)

    assert not settle(store, lease)
    assert entry_of(store, "order-1").state == "unknown"


# renew


def test_renewed(store: Store) -> None:
    """Who says that he is still at work keeps the entry."""
    add(store, "order-1")
    leases = take(store)

    store.renew(leases, NOW + 50)

    assert take(store, NOW + 49.9) == []
    assert names(take(store, NOW + 50)) == ["order-1"]


def test_renewed_too_late(store: Store) -> None:
    """Who was too slow changes nothing for the one who has the entry now, and holds up nothing that waits."""
    add(store, "order-1", "order-2")
    late = take(store)
    settle(store, late[1], "waiting", due_at=NOW + 5)
    assert names(take(store, NOW + 30, limit=1)) == ["order-1"]

    store.renew(late, NOW + 100)

    assert names(take(store, NOW + 31)) == ["order-2"]
    assert names(take(store, NOW + 60)) == ["order-1"]


# record


def test_recorded(store: Store, stores: Open) -> None:
    """What a try came to is stored, results and all, and another process sees it."""
    add(store, "order-1")
    results = (
        Result(reference="order-1", to="+3", outcome="accepted", messageId="m3"),
        Result(reference="order-1", to="+1", outcome="rejected", messageId=None),
        Result(reference="order-1", to="+2", outcome="unaccounted", messageId=None),
    )

    assert settle(store, take(store)[0], answer=b"{}", drift="a drift", results=results)

    other = stores()
    entry = entry_of(other, "order-1")
    assert (entry.state, entry.tries, entry.answer, entry.drift) == ("accepted", 1, b"{}", "a drift")
    assert (seconds(entry.since), entry.due_at, entry.in_doubt_since) == (NOW + 1, None, None)
    assert other.results("reference", "order-1") == list(results)
    assert other.results("messageId", "m3") == [results[0]]
    assert other.results("messageId", "m1") == other.results("reference", "order-2") == []
    assert take(store, NOW + 1e6) == []


def test_result_that_cannot_be_stored_takes_the_record_with_it(store: Store) -> None:
    """An entry is accepted with all its results, or not at all; what else was to be recorded is not either."""
    add(store, "order-1", "order-2")
    first, second = take(store)
    wrong: Any = Result(reference="order-2", to="+1", outcome="lost", messageId=None)  # type: ignore[arg-type]
    records = [
        Record(lease=first, state="accepted", at=NOW, tries=1),
        Record(lease=second, state="accepted", at=NOW, tries=1, results=(wrong,)),
    ]

    with pytest.raises(OutboxError):
        store.record(records, keeps=False)

    assert store.counts().waiting == 2
    assert store.results("reference", "order-2") == []


@pytest.mark.parametrize("state", ["accepted", "refused", "unknown", "waiting"])
def test_late_writer(store: Store, state: State) -> None:
    """Who slept longer than his lease changes nothing; what else he brings is stored."""
    add(store, "order-1", "order-2")
    first, second = take(store)
    (current,) = take(store, NOW + 30, limit=1)
    result = Result(reference="order-1", to="+1", outcome="accepted", messageId="m1")
    records = [
        Record(lease=lease, state=state, at=NOW + 40, due_at=NOW + 40, tries=1, results=(result,))
        for lease in (first, second)
    ]

    assert store.record(records, keeps=False) == [False, True]

    entry = entry_of(store, "order-1")
    assert (entry.state, entry.tries, seconds(entry.in_doubt_since)) == ("waiting", 0, NOW)
    assert store.results("reference", "order-1") == []
    assert settle(store, current)


def test_recorded_twice(store: Store) -> None:
    """What is settled is not settled anew."""
    add(store, "order-1")
    (lease,) = take(store)
    assert settle(store, lease)

    assert not settle(store, lease, "refused")
    assert entry_of(store, "order-1").state == "accepted"


def test_still_waiting(store: Store) -> None:
    """A try that settled nothing keeps since when the entry waits, and what the last failure was."""
    add(store, "order-1")
    settle(store, take(store)[0], "waiting", due_at=NOW, reason="HTTP 503")

    settle(store, take(store)[0], "waiting", due_at=NOW)

    entry = entry_of(store, "order-1")
    assert (seconds(entry.since), entry.reason, entry.tries) == (NOW, "HTTP 503", 2)


# untold, tell


def told_now(store: Store, now: float = NOW + 2, limit: int = 10) -> list[str]:
    return [entry.reference for _, entry in store.untold(limit, now, TERMS)]


def test_untold(store: Store) -> None:
    """What is settled is told once it is in nobody's hands, by one drain at a time."""
    add(store, "order-1", "order-2", "order-3", "order-4")
    accepted, refused, unknown, _ = take(store)
    settle(store, accepted)
    settle(store, refused, "refused", reason="HTTP 400")
    settle(store, unknown, "unknown")

    found = store.untold(2, NOW + 2, TERMS)

    assert [entry for _, entry in found] == [store.get("order-1"), store.get("order-2")]
    assert told_now(store) == ["order-3"]
    assert told_now(store) == []


def test_told(store: Store) -> None:
    """What was told is not told again; what was not is, once the lease of the one who began has ended."""
    add(store, "order-1", "order-2")
    for lease in take(store):
        settle(store, lease)
    (first, _), _ = store.untold(2, NOW + 2, TERMS)

    store.tell([first])

    assert told_now(store, NOW + 31) == []
    assert told_now(store, NOW + 33) == ["order-2"]


def test_told_too_late(store: Store) -> None:
    """A callback that ended after its lease does not end the one that another drain has begun."""
    add(store, "order-1")
    settle(store, take(store)[0])
    ((late, _),) = store.untold(1, NOW + 2, TERMS)
    ((current, _),) = store.untold(1, NOW + 33, TERMS)

    store.tell([late])
    assert told_now(store, NOW + 64) == ["order-1"]
    store.tell([current])
    assert told_now(store, NOW + 95) == ["order-1"]


def test_kept_for_the_callback(store: Store) -> None:
    """A drain that settles an entry may keep it for its callback; so nobody else tells it, unless it dies."""
    add(store, "order-1", "order-2")
    first, second = take(store)
    settle(store, first, keeps=True)
    settle(store, second, "waiting", keeps=True, due_at=NOW)

    assert told_now(store, NOW + 29) == []
    assert names(take(store, NOW + 29)) == ["order-2"]
    store.renew([first], NOW + 50)
    assert told_now(store, NOW + 49) == []
    assert told_now(store, NOW + 50) == ["order-1"]


def test_kept_and_told(store: Store) -> None:
    """The lease of the send is the one that the callback is told under."""
    add(store, "order-1")
    (lease,) = take(store)
    settle(store, lease, keeps=True)

    store.tell([lease])

    assert told_now(store, NOW + 1e6) == []


# requeue


def test_requeued(store: Store) -> None:
    """An entry that begins again waits under its new key, without what was before; it will be told again."""
    add(store, "order-1")
    (late,) = take(store)
    settle(store, late, "refused", reason="HTTP 400", in_doubt_since=None)
    ((told, _),) = store.untold(1, NOW + 2, TERMS)
    store.tell([told])
    other = msgspec.structs.replace(send_of("order-1"), key="another")

    again = store.requeue("order-1", other, NOW + 100, ["refused"])

    assert again == store.get("order-1")
    assert again is not None
    assert (again.state, again.key, again.reason, again.tries) == ("waiting", "another", None, 0)
    assert (seconds(again.added_at), seconds(again.due_at), again.in_doubt_since) == (NOW, NOW + 100, None)
    assert not settle(store, late)
    (lease,) = take(store, NOW + 100)
    assert lease.send == other.to_json()
    settle(store, lease)
    assert told_now(store, NOW + 200) == ["order-1"]


@pytest.mark.parametrize("state", ["waiting", "accepted", "refused", "unknown"])
def test_requeued_from_another_state(store: Store, state: State) -> None:
    """Only an entry in one of the states that are named begins again; another one stays as it is."""
    add(store, "order-1")
    settle(store, take(store)[0], state, due_at=NOW)
    before = store.get("order-1")
    others: list[State] = [other for other in ("waiting", "accepted", "refused", "unknown") if other != state]

    assert store.requeue("order-1", send_of("order-1"), NOW + 5, others) is None
    assert store.get("order-1") == before
    assert store.requeue("order-2", send_of("order-2"), NOW + 5, [state]) is None


# reading


def test_entries_in_pages(store: Store) -> None:
    """Entries come in the order in which they were added, page by page, of one state or of all."""
    add(store, *(f"order-{number}" for number in range(5)))
    for lease in take(store, limit=2):
        settle(store, lease)

    page = store.entries(None, 0, 3)
    assert [entry.reference for _, entry in page] == ["order-0", "order-1", "order-2"]
    rest = store.entries(None, page[-1][0], 3)
    assert [entry.reference for _, entry in rest] == ["order-3", "order-4"]
    assert store.entries(None, rest[-1][0], 3) == []
    assert [entry.reference for _, entry in store.entries("waiting", 0, 2)] == ["order-2", "order-3"]
    assert store.entries("refused", 0, 10) == []


def test_counts(store: Store) -> None:
    """Counts are by state, and nothing is left out."""
    add(store, *(f"order-{number}" for number in range(10)))
    leases = iter(take(store))
    states: list[State] = ["accepted", "refused", "refused", "unknown", "unknown", "unknown"]
    for state in states:
        settle(store, next(leases), state)

    counts = store.counts()

    assert (counts.waiting, counts.accepted, counts.refused, counts.unknown) == (4, 1, 2, 3)


def test_next_due(store: Store) -> None:
    """The next thing to do is the earliest of what is due and of leases that end."""
    assert store.next_due() is None
    add(store, "order-1", at=NOW)
    assert store.next_due() == NOW
    (lease,) = take(store)
    assert store.next_due() == NOW + 30
    add(store, "order-2", at=NOW + 10)
    assert store.next_due() == NOW + 10
    settle(store, lease, "waiting", due_at=NOW + 5)
    assert store.next_due() == NOW + 5


def test_nothing_there(store: Store) -> None:
    """An empty store says so in every way."""
    assert store.get("order-1") is None
    asked: list[Sequence[object]] = [
        take(store),
        store.untold(5, NOW, TERMS),
        store.entries(None, 0, 5),
        store.add([], NOW),
        store.record([], keeps=True),
        store.results("messageId", "m"),
    ]
    assert asked == [[]] * len(asked)
    store.renew([], NOW)
    store.tell([])


def test_bound_to_the_first_account(store: Store, stores: Open) -> None:
    """The first account stays the one that all entries belong to."""
    assert store.bind(MINE) == MINE
    assert store.bind(YOURS) == MINE
    assert stores().bind(YOURS) == MINE


def test_closed(store: Store) -> None:
    """A store that is closed says so; to close it again does nothing."""
    store.close()
    store.close()

    with pytest.raises(OutboxError, match="it is closed"):
        store.counts()


# at once


def test_threads_at_once(store: Store, stores: Open) -> None:
    """Threads of one store, and of several, add and lease at once: everything is leased once, nothing is missed."""
    several, wanted = [store, stores(), stores()], {f"{worker}-{number}" for worker in range(6) for number in range(20)}
    taken: list[Lease] = []

    def work(worker: int) -> None:
        mine = several[worker % 3]
        for number in range(20):
            add(mine, f"{worker}-{number}", at=time.time())
            taken.extend(take(mine, time.time(), limit=2))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(6)))
    taken.extend(take(store, time.time(), limit=1000))

    assert sorted(names(taken)) == sorted(wanted)


def _work_in_a_process(open_store: Callable[[Path], Store], folder: Path, worker: int) -> list[list[str]]:
    """Add and lease, and tell what was acknowledged, what was taken and what was recorded."""
    (folder.parent / f"ready-{worker}").touch()
    while len(list(folder.parent.glob("ready-*"))) < 4:
        time.sleep(0.001)
    store = open_store(folder)
    added: list[str] = []
    taken: list[str] = []
    recorded: list[str] = []
    for number in range(25):
        add(store, f"{worker}-{number}", at=time.time())
        added.append(f"{worker}-{number}")
        for lease in take(store, time.time(), limit=1):
            taken.append(lease.reference)
            recorded += [lease.reference] if settle(store, lease) else []
    store.close()
    return [added, taken, recorded]


def test_processes_at_once(stores: Open, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Processes that make the file, add, lease and record at once: nobody gets another's lease, nothing is lost."""
    open_store, folder = request.node.callspec.params["stores"], tmp_path / "new"
    folder.mkdir()

    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as processes:
        begun = [processes.submit(_work_in_a_process, open_store, folder, worker) for worker in range(4)]
        reports = [worker.result(60) for worker in begun]

    added, taken, recorded = ([name for report in reports for name in report[place]] for place in range(3))
    left = open_store(folder)
    assert len(added) == 100
    assert sorted(added) == sorted(entry.reference for _, entry in left.entries(None, 0, 1000))
    assert len(taken) == len(set(taken)) == len(recorded) == left.counts().accepted
    assert sorted(taken + names(take(left, time.time() + 1, limit=1000))) == sorted(added)
    left.close()


def test_forked_while_in_use(store: Store) -> None:
    """A child that is forked in the midst of things goes on with a connection of its own, and harms no parent's."""
    ended = threading.Event()
    added: list[str] = []

    def add_on_and_on() -> None:
        while not ended.is_set():
            add(store, f"parent-{len(added)}")
            added.append(f"parent-{len(added)}")

    parent = threading.Thread(target=add_on_and_on)
    parent.start()
    codes = [_forked(store, number) for number in range(8)]
    ended.set()
    parent.join()

    assert codes == [0] * 8
    stored = {entry.reference for _, entry in store.entries(None, 0, 10_000)}
    assert stored >= {*added, *(f"child-{number}" for number in range(8))}


def _forked(store: Store, number: int) -> int:
    """Add in a child; return how it ended."""
    child = os.fork()
    if not child:
        code = 1
        with suppress(BaseException):
            add(store, f"child-{number}")
            code = 0 if store.get(f"child-{number}") else 2
            store.close()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_key_of_a_reference() -> None:
    """The key is derived from the reference, the same in every process: two adds of a crashed caller are one."""
    assert send_of("order-1").key == IdempotencyKey.derive("order-1", namespace="outbox")
