"""The inbox: marking as read."""

from sqlalchemy import update

from cphub import clock
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Event, InboxItem, db


def read(viewer: Viewer, *, item_id: int | None = None) -> None:
    """Mark one item of one's own inbox as read, or all of them. Commits."""
    if viewer.person_id is None:
        raise Forbidden
    mine = [InboxItem.person_id == viewer.person_id, InboxItem.read_at.is_(None)]
    if item_id is not None:
        mine.append(InboxItem.id == item_id)
    db.session.execute(update(InboxItem).where(*mine).values(read_at=clock.now()))
    db.session.commit()


def read_request(viewer: Viewer, number: int) -> None:
    """Opening a request's page means having read what the inbox said of it. Commits."""
    if not may(viewer, Act.WRITE):
        return
    about = db.select(Event.id).where(Event.request_id == number)
    db.session.execute(
        update(InboxItem)
        .where(
            InboxItem.person_id == viewer.person_id,
            InboxItem.read_at.is_(None),
            InboxItem.event_id.in_(about),
        )
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
