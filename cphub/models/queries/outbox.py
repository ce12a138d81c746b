"""What the worker has still to do, and whether it is alive: for those who look after the hub."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Heartbeat, OutboxRow, OutboxState, db

#: More than this nobody reads; the count says how many there are.
MOST = 50
#: Counting stops here.
COUNT_MOST = 1000
#: The name the worker gives itself.
WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox. ``number``: of the request it is about. No names and no addresses are among it."""

    id: int
    kind: str
    number: int | None
    state: OutboxState
    tries: int
    created_at: datetime
    due_at: datetime
    last_error: str


@dataclass(frozen=True, slots=True)
class Deliveries:
    """``waiting`` (next first) and ``failed`` (latest first), each cut at ``MOST``; the counts are of all of them.

    ``seen_at``: when the worker last said that it is alive, None if it never did.
    """

    waiting: list[Delivery]
    waiting_count: int
    failed: list[Delivery]
    failed_count: int
    seen_at: datetime | None


def deliveries(viewer: Viewer) -> Deliveries:
    """Five statements. Raises Forbidden."""
    if not may(viewer, Act.SEE_DELIVERIES):
        raise Forbidden
    waiting = OutboxRow.state.in_([OutboxState.READY, OutboxState.UNSURE])
    failed = OutboxRow.state == OutboxState.FAILED
    return Deliveries(
        waiting=_rows(waiting, OutboxRow.due_at, OutboxRow.id),
        waiting_count=_count(waiting),
        failed=_rows(failed, OutboxRow.due_at.desc(), OutboxRow.id.desc()),
        failed_count=_count(failed),
        seen_at=db.session.scalar(select(Heartbeat.at).where(Heartbeat.name == WORKER)),
    )


def _rows(condition: Any, *order: Any) -> list[Delivery]:
    found = db.session.execute(
        select(
            OutboxRow.id, OutboxRow.kind, OutboxRow.request_id, OutboxRow.state, OutboxRow.tries, OutboxRow.created_at,
            OutboxRow.due_at, OutboxRow.last_error,
        ).where(condition).order_by(*order).limit(MOST)
    )  # fmt: skip
    return [Delivery(*row) for row in found]


def _count(condition: Any) -> int:
    few = select(OutboxRow.id).where(condition).limit(COUNT_MOST).subquery()
    return db.session.scalar(select(func.count()).select_from(few)) or 0
