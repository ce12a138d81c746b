"""Parking what somebody typed when the session had ended, until they are signed in again."""

import json
import secrets

from cphub import clock
from cphub.models import ParkedForm, db

#: Characters of a form, and of the path of its page, whose place is in the session's cookie.
MOST = 60_000
PATH_MOST = 200
_SECRET = {"csrf_token"}


def park(path: str, fields: dict[str, list[str]]) -> str | None:
    """Keep the fields of a form for ``path``; gives the key to fetch them with, None if it is too much. Commits."""
    kept = json.dumps({k: v for k, v in fields.items() if k not in _SECRET}, ensure_ascii=False)
    if len(kept) > MOST or len(path) > PATH_MOST:
        return None
    key = secrets.token_urlsafe(24)
    db.session.add(ParkedForm(key=key, path=path, fields=kept, created_at=clock.now()))
    db.session.commit()
    return key


def fetch(key: str, path: str) -> dict[str, list[str]]:
    """What was parked under ``key`` for this path, or nothing. Stays there until it is old, for a second look."""
    parked = db.session.get(ParkedForm, key)
    if parked is None or parked.path != path:
        return {}
    found: dict[str, list[str]] = json.loads(parked.fields)
    return found
