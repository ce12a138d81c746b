"""What is to be done outside: asked for once, taken by one, tried again, given up where all can see it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from cphub import clock as clocks
from cphub.domain.policy import Role, Viewer
from cphub.errors import Forbidden, GatewayError
from cphub.jobs import worker
from cphub.models import OutboxRow, OutboxState, db
from cphub.services import outbox
from cphub.services.outbox import LEASE, SETTLE, TRIES, Job
from tests.conftest import FixedClock
from tests.services import making


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def put(key: str, kind: str = "test") -> None:
    outbox.put(kind, {"n": key}, key=key, now=clocks.now())
    db.session.commit()


def taken() -> Job:
    job = outbox.claim()
    assert job is not None
    return job


def row() -> OutboxRow:
    return db.session.scalars(select(OutboxRow).execution_options(populate_existing=True)).one()


def test_the_same_thing_is_asked_for_once() -> None:
    put("a")
    put("a")
    put("b")
    assert db.session.scalar(select(func.count()).select_from(OutboxRow)) == 2


def test_asking_twice_does_not_undo_what_came_with_it() -> None:
    put("a")
    outbox.put("test", {}, key="b", now=clocks.now())
    outbox.put("test", {}, key="a", now=clocks.now())
    db.session.commit()
    assert db.session.scalar(select(func.count()).select_from(OutboxRow)) == 2


def test_the_oldest_that_is_due_comes_first(clock: FixedClock) -> None:
    put("a")
    clock.advance(seconds=1)
    put("b")
    assert [taken().payload["n"], taken().payload["n"]] == ["a", "b"]
    assert outbox.claim() is None


def test_many_workers_share_the_work(app: Flask) -> None:
    for n in range(20):
        put(f"k{n}")

    def all_there_is(_: int) -> list[int]:
        with app.app_context():
            return [job.id for job in iter(outbox.claim, None)]

    with ThreadPoolExecutor(4) as pool:
        found = [job_id for ids in pool.map(all_there_is, range(4)) for job_id in ids]
    assert len(found) == len(set(found)) == 20


def test_what_a_dead_worker_held_comes_free_and_is_unsure(clock: FixedClock) -> None:
    put("a")
    first = taken()
    assert not first.unsure
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert outbox.claim() is None
    clock.advance(seconds=2)
    again = taken()
    assert (again.id, again.tries, again.unsure, again.since) == (first.id, 2, True, first.since)


def test_a_job_is_done_once(clock: FixedClock) -> None:
    put("a")
    outbox.done(taken(), now=clock())
    db.session.commit()
    clock.advance(days=1)
    assert outbox.claim() is None
    assert (row().state, row().lease_until) == (OutboxState.DONE, None)


def test_what_failed_is_tried_later_and_later(clock: FixedClock) -> None:
    put("a")
    waits = []
    for _ in range(4):
        assert outbox.later(taken(), "no connection", unsure=False)
        waits.append(row().due_at - clock())
        clock.advance(seconds=waits[-1].total_seconds())
    assert waits == sorted(waits)
    assert timedelta(minutes=1) < waits[0] < timedelta(minutes=3)
    assert (row().state, row().last_error) == (OutboxState.READY, "no connection")


def test_what_may_have_happened_is_left_alone_until_the_other_side_has_settled(clock: FixedClock) -> None:
    put("a")
    outbox.later(taken(), "time-out", unsure=True)
    assert row().due_at - clock() >= SETTLE
    clock.advance(minutes=10)
    job = taken()
    assert job.unsure
    outbox.later(job, "refused", unsure=False)
    clock.advance(hours=1)
    assert taken().unsure  # also now nobody knows what became of the first try


def test_it_is_given_up_after_many_tries_and_coordinators_try_again(clock: FixedClock) -> None:
    put("a")
    for n in range(TRIES):
        assert outbox.later(taken(), "x" * 600, unsure=False) == (n < TRIES - 1)
        clock.advance(days=1)
    assert (row().state, len(row().last_error)) == (OutboxState.FAILED, 500)
    assert outbox.claim() is None
    for nobody in (Viewer(), making.viewer(making.person("Sami"))):
        with pytest.raises(Forbidden):
            outbox.again(nobody, row().id)
    outbox.again(making.viewer(making.person("Mei", Role.COORDINATOR)), row().id)
    assert taken().unsure


def test_a_job_can_be_held_without_counting_as_a_try(clock: FixedClock) -> None:
    put("a")
    outbox.hold(taken(), until=clock() + timedelta(hours=1), why="enough for this hour")
    assert outbox.claim() is None
    clock.advance(hours=1)
    job = taken()
    assert (job.tries, job.unsure) == (1, False)


def test_the_worker_survives_whatever_a_delivery_does(
    clock: FixedClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(_: Job) -> None:
        raise RuntimeError("a mistake of ours")

    def refuse(_: Job) -> None:
        raise GatewayError("never", permanent=True)

    for kind, handler in (("bug", bug), ("refuse", refuse)):
        monkeypatch.setitem(worker.HANDLERS, kind, handler)
    for kind in ("bug", "refuse", "unheard_of"):
        put(kind, kind)
    while worker.work():
        pass
    states = {r.kind: r.state for r in db.session.scalars(select(OutboxRow))}
    assert states == {"bug": OutboxState.UNSURE, "refuse": OutboxState.FAILED, "unheard_of": OutboxState.FAILED}
    assert "a mistake of ours" in caplog.text
