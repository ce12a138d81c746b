"""The outbox: rows to deliver are put in with the change that asks for them, and claimed by workers one at a time.

A claim is one conditional UPDATE with a lease, so that any number of workers share the work; a worker that dies
leaves its lease to run out. Delivery is at least once, hence every handler is idempotent.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from cphub import clock
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Json, OutboxRow, OutboxState, db
from cphub.models.engine import affected

#: A worker that has not said otherwise by then is taken for dead.
LEASE = timedelta(minutes=5)
#: A server may go on working after it lost us; before it has had this long, nobody knows whether it acted.
SETTLE = timedelta(minutes=2, seconds=30)
#: After this many tries a row is given up and shown to the coordinators.
TRIES = 10
_LONGEST_WAIT = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed row. ``unsure``: an earlier try may have acted; ``since``: when the first try began."""

    id: int
    kind: str
    payload: Json
    request_id: int | None
    tries: int
    unsure: bool
    since: datetime


def put(kind: str, payload: Json, *, key: str, now: datetime, request_id: int | None = None) -> None:
    """Ask for something to be done outside, once per ``key``. Does not commit."""
    row = OutboxRow(kind=kind, payload=payload, dedupe_key=key, request_id=request_id, created_at=now, due_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        pass  # asked for before


def claim() -> Job | None:
    """Take the oldest row that is due, or None. Commits."""
    now = clock.now()
    waiting = (
        OutboxRow.state.in_([OutboxState.READY, OutboxState.UNSURE]),
        OutboxRow.due_at <= now,
        or_(OutboxRow.lease_until.is_(None), OutboxRow.lease_until < now),
    )
    for row_id in db.session.scalars(
        select(OutboxRow.id).where(*waiting).order_by(OutboxRow.due_at, OutboxRow.id).limit(20)
    ).all():
        take = update(OutboxRow).where(OutboxRow.id == row_id, *waiting)
        if affected(db.session, take.values(lease_until=now + LEASE, tries=OutboxRow.tries + 1)):
            job = _start(row_id, now)
            db.session.commit()
            return job
    db.session.rollback()
    return None


def _start(row_id: int, now: datetime) -> Job:
    row = db.session.get_one(OutboxRow, row_id, populate_existing=True)
    # A worker that died between its claim and its answer may have acted: whatever was tried before is unsure.
    unsure = row.state is OutboxState.UNSURE or (row.tried_at is not None and not row.last_error)
    row.tried_at = row.tried_at or now
    row.last_error = ""
    return Job(row.id, row.kind, row.payload, row.request_id, row.tries, unsure, row.tried_at)


def done(job: Job, *, now: datetime) -> None:
    """The job is delivered. Does not commit: belongs into the transaction that writes down its result."""
    _finish(job, state=OutboxState.DONE, done_at=now, lease_until=None)


def later(job: Job, error: str, *, unsure: bool) -> bool:
    """Try again after a while, or give up after ``TRIES``. Commits. Says whether it will be tried again."""
    now = clock.now()
    if job.tries >= TRIES:
        give_up(job, error)
        return False
    wait = min(timedelta(minutes=2**job.tries), _LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, keeps no secret
    if unsure:
        wait = max(wait, SETTLE)
    state = OutboxState.UNSURE if unsure or job.unsure else OutboxState.READY
    _finish(job, state=state, due_at=now + wait, lease_until=None, last_error=error[:500])
    db.session.commit()
    return True


def hold(job: Job, *, until: datetime, why: str) -> None:
    """Not now, through no fault of the job: does not count as a try. Commits."""
    _finish(job, due_at=until, lease_until=None, tries=job.tries - 1, last_error=why[:500])
    db.session.commit()


def give_up(job: Job, error: str) -> None:
    """Trying again will not help. Commits."""
    _finish(job, state=OutboxState.FAILED, lease_until=None, last_error=error[:500])
    db.session.commit()


def again(viewer: Viewer, row_id: int) -> None:
    """A coordinator has a given-up row tried again."""
    if not may(viewer, Act.SEE_DELIVERIES) or not may(viewer, Act.WRITE):
        raise Forbidden
    now = clock.now()
    db.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row_id, OutboxRow.state == OutboxState.FAILED)
        .values(state=OutboxState.UNSURE, due_at=now, tries=0)
    )
    db.session.commit()


def _finish(job: Job, **values: object) -> None:
    db.session.execute(
        update(OutboxRow).where(OutboxRow.id == job.id).values(**values).execution_options(synchronize_session=False)
    )
