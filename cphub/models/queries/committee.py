"""What the Expert Committee has before it: projects that wait for a decision, and small questions answered lately."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from cphub.domain.lifecycle import State, Track
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Request, db
from cphub.models.queries.requests import Row, finish, rows
from cphub.models.queries.visibility import visible

WAITING_MOST = 100
ANSWERED_MOST = 20


@dataclass(frozen=True, slots=True)
class Agenda:
    """``waiting``: oldest first. ``reasons``: number -> answers to the questions for a project, by code.
    ``answered``: small questions, latest first."""

    waiting: list[Row]
    reasons: Mapping[int, Mapping[str, str]]
    answered: list[Row]


def agenda(viewer: Viewer) -> Agenda:
    """The committee's page. Raises Forbidden."""
    if not may(viewer, Act.SEE_COMMITTEE):
        raise Forbidden
    waiting = finish(
        db.session.execute(
            rows(viewer)
            .where(visible(viewer), Request.state == State.IN_REVIEW)
            .order_by(Request.sent_at, Request.id)
            .limit(WAITING_MOST)
        )
    )
    answered = finish(
        db.session.execute(
            rows(viewer)
            .where(
                visible(viewer),
                Request.track == Track.QUESTION,
                Request.state.in_([State.RESOLVED, State.CLOSED]),
            )
            .order_by(Request.updated_at.desc(), Request.id.desc())
            .limit(ANSWERED_MOST)
        )
    )
    said = db.session.execute(
        select(Request.id, Request.justification).where(Request.id.in_([row.number for row in waiting]))
    )
    return Agenda(waiting, {row.id: row.justification for row in said}, answered)
