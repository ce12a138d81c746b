"""The lists' SQL and the policy say the same, for every viewer, every request and every event."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cphub.domain.lifecycle import State, Verb
from cphub.domain.policy import ANONYMOUS, Act, Role, Viewer, Visibility, audiences, may
from cphub.models import Event, Person, Request, db
from cphub.models.queries.visibility import readable, unmasked, visible
from cphub.services import offers, replies, requests, team
from cphub.services.requests import Facts
from tests.services import making


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def viewers() -> dict[str, Viewer]:
    """Everybody around requests of every kind, after all of it has happened."""
    people: dict[str, Person] = {
        "asha": making.person("Asha"),
        "mei": making.person("Mei", Role.COORDINATOR),
        "lena": making.person("Lena", Role.COMMITTEE),
        "both": making.person("Both", Role.COORDINATOR, Role.COMMITTEE),
        "root": making.person("Root", Role.ADMIN),
        "jose": making.person("José"),
        "bene": making.person("Bene"),
        "sami": making.person("Sami"),
        "kofi": making.person("Kofi"),
        "noor": making.person("Noor"),
    }
    kofi, noor = making.profile(people["kofi"], places=16), making.profile(people["noor"], places=16)
    v = {name: making.viewer(person) for name, person in people.items()}
    for visibility, withheld in product(Visibility, (False, True)):
        shown: dict[str, Any] = {"visibility": visibility, "withhold_name": withheld}
        for asker in ("asha", "mei", "both"):
            number = making.request(people[asker], **shown).id
            handler = v["mei" if asker != "mei" else "both"]
            requests.act(handler, number, Verb.TAKE_ON)
            requests.set_needs(handler, number, skills={}, weight="S")
            replies.write(handler, number, "a note", key=f"note-{number}", note=True)
            offers.send(handler, number, noor.id)
            lead = offers.send(handler, number, kofi.id)
            offers.accept(v["kofi"], lead.id)
            team.join(handler, number, "Bene", "bridge")
            open_offer = making.matching(people[asker], people["mei" if asker != "mei" else "both"], **shown).id
            offers.send(handler, open_offer, noor.id)
            repeats = making.request(people["jose"], **shown).id
            requests.act(handler, repeats, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(number)))
            requests.save(v[asker], f"draft-{number}", requests.as_draft(db.session.get_one(Request, number)))
    blocked = Viewer(v["asha"].person_id, blocked=True)
    return v | {"blocked": blocked, "nobody": ANONYMOUS}


def test_lists_show_what_the_policy_lets_see(viewers: dict[str, Viewer]) -> None:
    sent = db.session.scalars(select(Request).where(Request.state != State.DRAFT)).all()
    assert len(sent) == 36
    for name, viewer in viewers.items():
        listed = set(db.session.scalars(select(Request.id).where(visible(viewer))))
        assert listed == {r.id for r in sent if may(viewer, Act.SEE, requests.subject_of(r))}, name


def test_lists_unmask_what_the_policy_lets_see(viewers: dict[str, Viewer]) -> None:
    sent = db.session.scalars(select(Request).where(Request.state != State.DRAFT)).all()
    for name, viewer in viewers.items():
        listed = set(db.session.scalars(select(Request.id).where(visible(viewer), unmasked(viewer))))
        assert listed == {r.id for r in sent if may(viewer, Act.SEE_WITHHELD, requests.subject_of(r))}, name


def test_the_inbox_shows_events_of_the_audiences_one_belongs_to(viewers: dict[str, Viewer]) -> None:
    rows = db.session.execute(select(Event.id, Event.audience, Event.request_id)).all()
    subjects = {n: requests.subject_of(db.session.get_one(Request, n)) for n in {row.request_id for row in rows}}
    assert {row.audience for row in rows} >= {"public", "team", "coordinators"}
    for name, viewer in viewers.items():
        query = select(Event.id).join(Request, Request.id == Event.request_id).where(readable(viewer))
        expected = {row.id for row in rows if row.audience in audiences(viewer, subjects[row.request_id])}
        assert set(db.session.scalars(query)) == expected, name
