"""People: who they are stays, what they are called changes; roles; what they set for themselves."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from cphub.domain.policy import ANONYMOUS, Role, Viewer
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.models import Person, RoleGrant, db
from cphub.services import people
from tests.services import making


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def roles(person: Person) -> set[Role]:
    db.session.expire_all()
    return {grant.role for grant in person.roles}


# Signing in


def test_the_name_follows_the_account() -> None:
    first = people.sign_in("77", "Old name", blocked=False)
    second = people.sign_in("77", "New name", blocked=False)
    assert first.id == second.id
    assert second.name == "New name"


def test_two_accounts_may_have_had_the_same_name_and_the_present_one_is_meant() -> None:
    first = people.sign_in("77", "Kofi", blocked=False)
    people.sign_in("88", "Kofi", blocked=False)
    assert people.by_name("Kofi").central_id == "88"
    people.sign_in("88", "Kofi the second", blocked=False)
    assert people.by_name("Kofi").id == first.id


def test_names_that_differ_only_in_case_or_accents_are_different_people() -> None:
    for number, name in enumerate(["Eva", "EVA", "Éva"]):
        people.sign_in(f"{number}", name, blocked=False)
    assert [people.by_name(name).central_id for name in ("Eva", "EVA", "Éva")] == ["0", "1", "2"]


def test_a_suppressed_name_is_forgotten_and_nobody_finds_it_by_having_none() -> None:
    people.sign_in("77", "Secret", blocked=False)
    assert people.sign_in("77", None, blocked=False).name == ""
    for name in ("", "  ", "_", "Secret"):
        with pytest.raises(NotFound):
            people.by_name(name)


def test_being_blocked_is_looked_at_anew_at_each_sign_in() -> None:
    assert people.sign_in("77", "Blake", blocked=True).blocked
    assert not people.sign_in("77", "Blake", blocked=False).blocked


def test_first_admins_come_from_the_configuration() -> None:
    assert roles(people.sign_in("9401", "Root", blocked=False)) == {Role.ADMIN}
    assert roles(people.sign_in("9401", "Root", blocked=False)) == {Role.ADMIN}
    assert roles(people.sign_in("9402", "Sami", blocked=False)) == set()


def test_signing_in_for_the_first_time_in_many_tabs_makes_one_person(app: Flask) -> None:
    start = threading.Barrier(6)
    found: list[object] = []

    def sign_in() -> None:
        with app.app_context():
            start.wait()
            try:
                found.append(people.sign_in("77", "Kofi", blocked=False).id)
            except Exception as error:
                found.append(error)
            finally:
                db.session.remove()

    tabs = [threading.Thread(target=sign_in) for _ in range(6)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(set(found)) == 1
    assert db.session.query(Person).count() == 1


@pytest.mark.parametrize(
    ("written", "name"),
    [("kofi_mensah", "Kofi mensah"), ("  Kofi   Mensah ", "Kofi Mensah"), ("éva", "Éva"), ("名前", "名前")],
)
def test_a_name_is_found_as_people_write_it(written: str, name: str) -> None:
    making.person(name)
    assert people.by_name(written).name == name


# Roles


def test_admin_gives_and_takes_roles() -> None:
    root, mei = making.person("Root", Role.ADMIN), making.person("Mei")
    people.grant(making.viewer(root), "mei", Role.COORDINATOR)
    people.grant(making.viewer(root), "mei", Role.COORDINATOR)
    assert roles(mei) == {Role.COORDINATOR}
    assert db.session.query(RoleGrant).filter_by(person_id=mei.id).one().granted_by_id == root.id
    people.revoke(making.viewer(root), mei.id, Role.COORDINATOR)
    people.revoke(making.viewer(root), mei.id, Role.COORDINATOR)
    assert roles(mei) == set()


@pytest.mark.parametrize("role", [None, Role.COORDINATOR, Role.COMMITTEE])
def test_nobody_but_an_admin_gives_or_takes_roles(role: Role | None) -> None:
    who, mei = making.person("Sami", *([role] if role else [])), making.person("Mei", Role.COORDINATOR)
    for viewer in (making.viewer(who), ANONYMOUS, Viewer(who.id, frozenset({Role.ADMIN}), blocked=True)):
        with pytest.raises(Forbidden):
            people.grant(viewer, "Mei", Role.ADMIN)
        with pytest.raises(Forbidden):
            people.revoke(viewer, mei.id, Role.COORDINATOR)
    assert roles(mei) == {Role.COORDINATOR}


def test_a_role_for_somebody_who_never_signed_in_is_refused() -> None:
    root = making.person("Root", Role.ADMIN)
    people.guest("Wrote by mail")
    db.session.commit()
    for name in ("Nobody", "Wrote by mail", ""):
        with pytest.raises(Invalid) as refused:
            people.grant(making.viewer(root), name, Role.COORDINATOR)
        assert refused.value.fields == {"name": "admin-error-no-such-person"}


def test_no_admin_takes_their_own_admin_role() -> None:
    root = making.person("Root", Role.ADMIN, Role.COORDINATOR)
    with pytest.raises(Invalid) as refused:
        people.revoke(making.viewer(root), root.id, Role.ADMIN)
    assert refused.value.fields == {"role": "admin-error-own-role"}
    people.revoke(making.viewer(root), root.id, Role.COORDINATOR)
    assert roles(root) == {Role.ADMIN}


def test_two_admins_taking_each_others_role_leave_one() -> None:
    root, rita = making.person("Root", Role.ADMIN), making.person("Rita", Role.ADMIN)
    # What each of them was when their page was made.
    as_root, as_rita = making.viewer(root), making.viewer(rita)
    people.revoke(as_root, rita.id, Role.ADMIN)
    with pytest.raises(Forbidden):
        people.revoke(as_rita, root.id, Role.ADMIN)
    assert roles(root) == {Role.ADMIN}


def test_taking_a_role_from_nobody_is_not_found() -> None:
    with pytest.raises(NotFound):
        people.revoke(making.viewer(making.person("Root", Role.ADMIN)), 4711, Role.COORDINATOR)


def test_appointing_from_the_command_line_needs_somebody_who_signed_in() -> None:
    mei = making.person("Mei")
    people.appoint("mei", Role.COORDINATOR)
    assert roles(mei) == {Role.COORDINATOR}
    with pytest.raises(NotFound):
        people.appoint("Nobody", Role.ADMIN)


# Settings


def test_language_and_time_zone_are_remembered_and_forgotten() -> None:
    kofi = making.person("Kofi")
    people.prefer(making.viewer(kofi), language="fr", time_zone="Africa/Accra")
    assert (kofi.language, kofi.time_zone) == ("fr", "Africa/Accra")
    people.prefer(making.viewer(kofi), language=None, time_zone=None)
    assert (kofi.language, kofi.time_zone) == (None, None)


def test_a_language_without_messages_or_a_zone_that_is_none_is_refused() -> None:
    kofi = making.viewer(making.person("Kofi"))
    with pytest.raises(Invalid) as refused:
        people.prefer(kofi, language="xx", time_zone="Mars/Olympus")
    assert set(refused.value.fields) == {"language", "time_zone"}
    with pytest.raises(Forbidden):
        people.prefer(ANONYMOUS, language="fr", time_zone=None)
