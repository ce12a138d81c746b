"""Every page, as everybody: nobody reads what the policy does not let them. New pages are found by themselves."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from cphub.domain.lifecycle import Verb
from cphub.domain.matching import SkillLevel
from cphub.domain.policy import ANONYMOUS, Act, Viewer, Visibility, audiences, may
from cphub.models import Person, Request, db
from cphub.services import experts, offers, people, replies, requests, team
from cphub.services.experts import Card
from cphub.services.requests import Facts
from tests.web.conftest import PERSONAS
from tests.web.requests_made import Maker

#: Signing in and out, and what is no page.
_NO_PAGES = {"sign_in", "static"}
#: Words of one request, by who may read them. Each occurs nowhere else.
_KEPT = ("Partnerquagga", "Tuvalu", "contactquagga")
_NOTE, _OFFER = "notequagga", "offerquagga"


@dataclass(frozen=True)
class Case:
    """A request, and words in it that must not reach everybody."""

    number: int
    title: str
    body: str


@pytest.fixture
def make(app: Flask) -> Maker:
    return Maker(app)


@pytest.fixture
def everybody(app: Flask, make: Maker) -> dict[str, int | None]:
    """Name -> person id: the personas, and one for each part that none of them plays."""
    found: dict[str, int | None] = {"nobody": None}
    with app.app_context():
        for name in PERSONAS:
            found[name] = make.viewer(name).person_id
        for place, name in enumerate(("Bene on the team", "José who asked the same", "Noor who is asked")):
            found[name] = people.sign_in(f"{7000 + place}", name, blocked=False).id
    return found


def _viewer(person_id: int | None) -> Viewer:
    return ANONYMOUS if person_id is None else people.viewer_of(db.session.get_one(Person, person_id))


@pytest.fixture
def cases(app: Flask, make: Maker, everybody: dict[str, int | None]) -> list[Case]:
    """Requests of each visibility, in work and looked for, with a team, an open offer, notes and a duplicate."""
    found = []
    with app.app_context():
        noor = _viewer(everybody["Noor who is asked"])
        card = Card(skills={"upload.batch": SkillLevel.KNOWN}, languages={"en": 5}, places=16)
        noor_profile = experts.save(noor, card, publish=True).id
        kofi = experts.of(make.viewer("kofi"))
        assert kofi is not None
        kofi.places = 16
        db.session.commit()
    for visibility in Visibility:
        for state in ("matching", "in_progress"):
            word = f"{visibility}{state.replace('_', '')}quagga"
            title, body = f"title{word}", f"body{word} and more words."
            values = {
                "title": title, "body": body, "visibility": visibility, "partner_name": "Partnerquagga",
                "country": "TV", "contact": "contactquagga", "withhold_partner": True, "withhold_country": True,
                "withhold_name": True, "track": "project",
            }  # fmt: skip
            number = make.in_review(**values)
            make.act("lena", number, Verb.APPROVE, Facts(reason="Good."))
            with app.app_context():
                mei = make.viewer("mei")
                replies.write(mei, number, f"{_NOTE} {word}", key=f"note-{word}", note=True)
                offers.send(mei, number, noor_profile, message=_OFFER)
                team.join(mei, number, "Bene on the team", "bridge")
                if state == "in_progress":
                    offers.claim(make.viewer("kofi"), number) if visibility is Visibility.PUBLIC else offers.accept(
                        make.viewer("kofi"), make.offer(number)
                    )
                replies.write(make.viewer("asha"), number, "thank you", key=f"reply-{word}")
                jose = _viewer(everybody["José who asked the same"])
                same = requests.send(jose, f"same-{word}", requests.as_draft(_open_twin(number)))
                requests.act(mei, same.id, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(number)))
            found.append(Case(number, title, f"body{word}"))
    return found


def _open_twin(number: int) -> Request:
    """What José asked: in his own words, and public."""
    twin = Request(**{c.name: getattr(db.session.get_one(Request, number), c.name) for c in Request.__table__.columns})
    twin.title, twin.body, twin.visibility = "The same again", "I would like to know that, too.", Visibility.PUBLIC
    twin.partner_name, twin.country, twin.contact = "", None, ""
    twin.justification, twin.reply_languages = {}, []
    return twin


def _pages(app: Flask, case: Case) -> Iterator[str]:
    """Every address that can be opened, with the request's number where one is wanted."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint.split(".")[0] not in _NO_PAGES:
            yield from _addresses(rule, case)
    yield f"/requests?q={case.title}"
    yield f"/requests?q={case.body}"
    yield "/requests?q=Partnerquagga"
    yield "/requests?country=TV"
    yield "/queue?view=all"
    yield "/queue?view=all&q=Partnerquagga"


def _addresses(rule: Rule, case: Case) -> Iterator[str]:
    path = rule.rule
    if "<int:number>" in path:
        path = path.replace("<int:number>", str(case.number))
    if re.search(r"<[^>]*verb>", path):
        yield from (re.sub(r"<[^>]*verb>", verb, path) for verb in ("resolve", "decline", "claim"))
        return
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
    if "<int:" in path:  # a reply, an offer, an expert: the first few there are
        yield from (re.sub(r"<int:\w+>", str(n), path) for n in range(1, 9))
        return
    yield re.sub(r"<[^>]*>", "x", path)


@pytest.fixture
def browser(app: Flask) -> Callable[[int | None], FlaskClient]:
    def open_as(person_id: int | None) -> FlaskClient:
        client = app.test_client()
        if person_id is not None:
            with client.session_transaction() as session:
                session["person"] = person_id
        return client

    return open_as


def test_nobody_reads_what_is_not_for_them(
    app: Flask,
    cases: list[Case],
    everybody: dict[str, int | None],
    browser: Callable[[int | None], FlaskClient],
) -> None:
    opened = 0
    seen: dict[str, set[str]] = {name: set() for name in everybody}
    for name, person_id in everybody.items():
        client = browser(person_id)
        allowed = _allowed(app, cases, person_id)
        for address in dict.fromkeys(address for case in cases for address in _pages(app, case)):
            page = client.get(address, follow_redirects=False)
            assert page.status_code in (200, 303, 403, 404, 405, 409, 410, 503), (name, address)
            text = _told(page.text, address)
            opened += 1
            for word, may_read in allowed.items():
                if word in text:
                    assert may_read, (name, address, word)
                    seen[name].add(word)
    assert opened > 1000
    for name in ("asha", "mei"):
        assert {word for word in seen[name] if word.startswith("title")} == {case.title for case in cases}
    assert not {word for word in seen["nobody"] if "hub" in word}


def _told(page: str, address: str) -> str:
    """The page without what it offers to everybody to choose from, and without what the reader asked for."""
    text = re.sub(r"<option[^>]*>[^<]*</option>" if "?" in address else r"<option value=\S*>[^<]*</option>", "", page)
    asked = "Tuvalu" if address.endswith("country=TV") else address.partition("q=")[2]
    return text.replace(asked, "") if asked else text


def _allowed(app: Flask, cases: list[Case], person_id: int | None) -> dict[str, bool]:
    """Word -> whether this person may read it, as the policy says."""
    with app.app_context():
        viewer = _viewer(person_id)
        subjects = {case.number: requests.subject_of(db.session.get_one(Request, case.number)) for case in cases}
        allowed: dict[str, bool] = {}
        for case in cases:
            sees = may(viewer, Act.SEE, subjects[case.number])
            allowed |= {case.title: sees, case.body: sees}
        inside = any(may(viewer, Act.SEE_WITHHELD, subject) for subject in subjects.values())
        allowed |= dict.fromkeys(_KEPT, inside)
        allowed["Asha"] = inside
        allowed[_NOTE] = any("team" in audiences(viewer, subject) for subject in subjects.values())
        allowed[_OFFER] = any(
            may(viewer, Act.SEE_MATCHES, subject) or viewer.person_id in subject.offered_ids
            for subject in subjects.values()
        )
        return allowed


def test_part_by_part_what_is_withheld_stays_withheld(
    app: Flask,
    cases: list[Case],
    everybody: dict[str, int | None],
    browser: Callable[[int | None], FlaskClient],
) -> None:
    """On each request's own page, where somebody may be inside one and outside another."""
    for name, person_id in everybody.items():
        client = browser(person_id)
        for case in cases:
            with app.app_context():
                viewer, subject = _viewer(person_id), requests.subject_of(db.session.get_one(Request, case.number))
                sees, inside = may(viewer, Act.SEE, subject), may(viewer, Act.SEE_WITHHELD, subject)
                notes = "team" in audiences(viewer, subject)
                asked = may(viewer, Act.SEE_MATCHES, subject) or viewer.person_id in subject.offered_ids
            page = client.get(f"/requests/{case.number}")
            assert page.status_code == (200 if sees else 404), (name, case)
            assert (case.body in page.text) is sees, (name, case)
            main = page.text[page.text.index("<main") :] if sees else page.text
            for word in (*_KEPT, "Asha"):
                assert (word in main) is (sees and inside), (name, case, word)
            assert (_NOTE in page.text) is (sees and notes), (name, case)
            assert (_OFFER in page.text) is (sees and asked and "matching" in case.title), (name, case)


def test_what_is_withheld_cannot_be_found_out_by_searching_for_it(
    cases: list[Case], everybody: dict[str, int | None], browser: Callable[[int | None], FlaskClient]
) -> None:
    """A request that appears in the answer would tell that it has this partner or country."""
    for name in ("nobody", "sami", "blake", "root", "José who asked the same"):
        client = browser(everybody[name])
        for case in cases:
            if "public" in case.title:
                assert case.title in client.get(f"/requests?q={case.body}").text
            for address in ("/requests?q=Partnerquagga", "/requests?country=TV"):
                assert case.title not in client.get(address).text, (name, address)
