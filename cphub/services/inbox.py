"""The inbox: marking as read."""

from sqlalchemy import select, update

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


def read_request(viewer: Viewer, number: int) -> int:
    """Opening a request's page means having read what the inbox said of it; gives how many items. Commits."""
    if not may(viewer, Act.WRITE):
        return 0
    unread = db.session.scalars(
        select(InboxItem.id)
        .join(Event, Event.id == InboxItem.event_id)
        .where(InboxItem.person_id == viewer.person_id, InboxItem.read_at.is_(None), Event.request_id == number)
    ).all()
    if not unread:
        return 0  # looking at a page writes nothing as a rule
    db.session.execute(update(InboxItem).where(InboxItem.id.in_(unread)).values(read_at=clock.now()))
    db.session.commit()
    return len(unread)
