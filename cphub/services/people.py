"""People: signing in, roles, guests, and what a person sets for themselves."""

from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cphub import clock
from cphub.domain.policy import Act, Role, Viewer, may
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.hub import hub
from cphub.models import Expert, Person, RoleGrant, db
from cphub.models.engine import begin_write


def sign_in(central_id: str, name: str | None, *, blocked: bool) -> Person:
    """The person behind a wiki account, made at the first sign-in; the name follows renames.

    ``name`` None: the wiki suppressed it, so nothing of it may be kept either.
    """
    now = clock.now()
    person = _by_central_id(central_id)
    if person is None:
        person = Person(central_id=central_id, name="", created_at=now)
        db.session.add(person)
        try:
            db.session.flush()
        except IntegrityError:  # the same person signed in for the first time in two tabs at once
            db.session.rollback()
            person = _by_central_id(central_id)
            if person is None:
                raise
    person.name, person.blocked, person.signed_in_at = name or "", blocked, now
    if central_id.isdigit() and int(central_id) in hub().settings.ADMINS:
        _give(person, Role.ADMIN, by=None, now=now)
    db.session.commit()
    return person


def sign_out(viewer: Viewer) -> None:
    """End all sessions of a person, as the wikis do, copies of their cookies among them. Commits."""
    _self(viewer).signed_out_at = clock.now()
    db.session.commit()


def hide(central_id: str) -> None:
    """The wiki suppressed the name of an account: keep it no longer, and let it write no more. Commits."""
    person = _by_central_id(central_id)
    if person is not None:
        person.name, person.blocked = "", True
        db.session.commit()


def viewer_of(person: Person) -> Viewer:
    """The policy's view of a person."""
    published = db.session.scalar(select(Expert.published).where(Expert.person_id == person.id))
    return Viewer(person.id, frozenset(grant.role for grant in person.roles), person.blocked, bool(published))


def by_name(name: str) -> Person:
    """The person whose account has this name today. Raises NotFound.

    A name given up by a renamed account may be another's now; whoever signed in with it last has it.
    """
    wanted = tidy(name)
    person = db.session.scalars(
        select(Person)
        .where(Person.name == wanted, Person.central_id.is_not(None))
        .order_by(Person.signed_in_at.desc(), Person.id.desc())
    ).first()
    # Suppressed accounts are kept without a name, and nobody means them by none.
    if person is None or not wanted:
        raise NotFound(name)
    return person


def tidy(name: str) -> str:
    """A user name as the wiki writes it: spaces for underscores, the first letter large."""
    name = " ".join(name.replace("_", " ").split())
    return name[:1].upper() + name[1:]


def grant(viewer: Viewer, name: str, role: Role) -> Person:
    """Give a role to somebody who has signed in at least once."""
    if not may(viewer, Act.MANAGE_ROLES):
        raise Forbidden
    try:
        person = by_name(name)
    except NotFound:
        raise Invalid({"name": "admin-error-no-such-person"}) from None
    _give(person, role, by=viewer.person_id, now=clock.now())
    db.session.commit()
    return person


def revoke(viewer: Viewer, person_id: int, role: Role) -> None:
    """Take a role away. An admin cannot take their own: somebody must be left to give roles."""
    if not may(viewer, Act.MANAGE_ROLES):
        raise Forbidden
    if role is Role.ADMIN and person_id == viewer.person_id:
        raise Invalid({"role": "admin-error-own-role"})
    # Two admins who take each other's role at once: the second is none any more.
    begin_write(db.session)
    admins = db.session.scalars(select(RoleGrant.person_id).where(RoleGrant.role == Role.ADMIN).with_for_update()).all()
    if viewer.person_id not in admins:
        db.session.rollback()
        raise Forbidden
    person = db.session.get(Person, person_id, populate_existing=True)
    if person is None:
        raise NotFound
    person.roles = [grant for grant in person.roles if grant.role is not role]
    db.session.commit()


def appoint(name: str, role: Role) -> Person:
    """Give a role from the command line: whoever can run it has the database anyway. Raises NotFound."""
    person = by_name(name)
    _give(person, role, by=None, now=clock.now())
    db.session.commit()
    return person


def guest(name: str) -> Person:
    """Somebody without an account, not yet committed. The name is what a coordinator calls them on the page."""
    person = Person(name=" ".join(name.split()), created_at=clock.now())
    db.session.add(person)
    return person


def prefer(viewer: Viewer, *, language: str | None, time_zone: str | None) -> None:
    """Remember in which language and time zone a person reads; None: as the browser says, and UTC. Commits."""
    problems = {}
    if language is not None and language not in hub().catalogue.languages:
        problems["language"] = "errors-choice"
    if time_zone is not None and time_zone not in available_timezones():
        problems["time_zone"] = "errors-choice"
    if problems:
        raise Invalid(problems)
    person = _self(viewer)
    person.language, person.time_zone = language, time_zone
    db.session.commit()


def _give(person: Person, role: Role, *, by: int | None, now: datetime) -> None:
    if all(grant.role is not role for grant in person.roles):
        person.roles.append(RoleGrant(role=role, granted_by_id=by, granted_at=now))


def _self(viewer: Viewer) -> Person:
    person = db.session.get(Person, viewer.person_id) if viewer.person_id is not None else None
    if person is None:
        raise Forbidden
    return person


def _by_central_id(central_id: str) -> Person | None:
    return db.session.scalars(select(Person).where(Person.central_id == central_id)).first()
