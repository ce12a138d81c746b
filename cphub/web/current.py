"""Who is asking, and in which language they read: worked out once a request, kept in ``flask.g`` only here."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, g, request, session
from sqlalchemy import bindparam, func, select

from cphub.domain.policy import ANONYMOUS, Role, Viewer
from cphub.errors import Forbidden
from cphub.hub import hub
from cphub.i18n import Speaker
from cphub.i18n.languages import normalise
from cphub.models import Expert, InboxItem, Person, RoleGrant, db

#: Keys, in the session, of the person's id and of when it began (seconds since 1970).
PERSON = "person"
SINCE = "since"
LANGUAGE_COOKIE = "cphub_language"
_P = ParamSpec("_P")
_R = TypeVar("_R")


class SignInNeeded(Exception):
    """This page is for people who are signed in; what they typed is kept for them (see ``errors``)."""


class ReadOnly(Exception):
    """Nothing can be written at the moment, because the configuration says so."""


def init_app(app: Flask) -> None:
    """A language chosen in the address stays chosen."""

    @app.after_request
    def remember_language(response):  # type: ignore[no-untyped-def]
        chosen = normalise(request.args.get("uselang"))
        if chosen and chosen in hub().catalogue.languages:
            response.set_cookie(
                LANGUAGE_COOKIE,
                chosen,
                max_age=31_536_000,
                samesite="Lax",
                httponly=True,
                secure=app.config["SESSION_COOKIE_SECURE"],
            )
        return response


def person() -> Person | None:
    """The signed-in person, or None."""
    if "person" not in g:
        g.person = _load()
    found: Person | None = g.person
    return found


def viewer() -> Viewer:
    """The policy's view of who is asking."""
    if "viewer" not in g:
        who = person()
        g.viewer = ANONYMOUS if who is None else Viewer(who.id, g.roles, who.blocked, g.is_expert)
    found: Viewer = g.viewer
    return found


def nobody() -> None:
    """From now on this request is nobody's: for the page that is shown when the database is away."""
    g.person, g.viewer, g.unread = None, ANONYMOUS, 0


def unread() -> int:
    """Unread items of the viewer's inbox, at most 100."""
    person()
    count: int = g.unread
    return count


def has_read(items: int) -> None:
    """So many of them were read by looking at this page."""
    g.unread = max(0, unread() - items)


def speaker() -> Speaker:
    """The messages in the reader's language: ``uselang``, else what the person chose, else the browser's."""
    if "speaker" not in g:
        catalogue = hub().catalogue
        who = person()
        chosen = who.language if who else None
        code = catalogue.negotiate(
            request.args.get("uselang"),
            request.cookies.get(LANGUAGE_COOKIE) or chosen,
            request.headers.get("Accept-Language"),
        )
        g.speaker = catalogue.speaker(code)
    found: Speaker = g.speaker
    return found


def signed_in(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """For views that make no sense without a person."""

    @wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if person() is None:
            raise SignInNeeded
        return view(*args, **kwargs)

    return guarded


def writes(view: Callable[_P, _R]) -> Callable[_P, _R]:
    """For views that change something: somebody signed in, and not blocked on the wiki."""

    @wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        who = person()
        if who is None:
            raise SignInNeeded
        if who.blocked:
            raise Forbidden("errors-blocked")
        if hub().settings.READ_ONLY_REASON:
            raise ReadOnly
        return view(*args, **kwargs)

    return guarded


#: The person with this id, and what every page wants to know of them: a round trip instead of three.
_PERSON = select(
    Person,
    select(Expert.published).where(Expert.person_id == Person.id).scalar_subquery(),
    select(func.group_concat(RoleGrant.role)).where(RoleGrant.person_id == Person.id).scalar_subquery(),
    select(func.count())
    .select_from(
        select(InboxItem.id)
        .where(InboxItem.person_id == bindparam("id"), InboxItem.read_at.is_(None))
        .limit(100)
        .subquery()
    )
    .scalar_subquery(),
).where(Person.id == bindparam("id"))


def _load() -> Person | None:
    person_id = session.get(PERSON)
    g.roles, g.is_expert, g.unread = frozenset(), False, 0
    if person_id is None:
        return None
    row = db.session.execute(_PERSON, {"id": person_id}).first()
    if row is None or _is_over(row[0]):
        session.clear()
        return None
    who, is_expert, roles, unread = row
    g.roles = frozenset(Role(role) for role in roles.split(",")) if roles else frozenset()
    g.is_expert, g.unread = bool(is_expert), unread
    found: Person = who
    return found


def _is_over(who: Person) -> bool:
    """Whether the person has signed out since this session began, be it elsewhere."""
    return who.signed_out_at is not None and datetime.fromtimestamp(session.get(SINCE, 0), UTC) < who.signed_out_at
