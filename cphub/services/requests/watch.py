"""Watching: being told of everything that happens to a request."""

from cphub.domain.policy import Act, Viewer
from cphub.models import Watch, db
from cphub.services.requests.subject import find


def watch(viewer: Viewer, number: int) -> None:
    """Begin to watch; doing it twice is the same. Commits."""
    request, _ = find(viewer, number, Act.WATCH)
    if db.session.get(Watch, (request.id, viewer.person_id)) is None:
        db.session.add(Watch(request_id=request.id, person_id=viewer.person_id))
    db.session.commit()


def unwatch(viewer: Viewer, number: int) -> None:
    """Stop watching. Commits."""
    request, _ = find(viewer, number, Act.WATCH)
    row = db.session.get(Watch, (request.id, viewer.person_id))
    if row is not None:
        db.session.delete(row)
    db.session.commit()
