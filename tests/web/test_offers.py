"""Offers and claims in the browser."""

import pytest
from flask import Flask

from cphub.domain.lifecycle import State, Verb
from cphub.domain.matching import SkillLevel
from cphub.domain.policy import Visibility
from cphub.models import Expert, Offer, db
from cphub.services import experts, offers, sweep
from cphub.services.experts import Card
from cphub.services.requests import Facts
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs, Form
from tests.web.requests_made import Maker


@pytest.fixture
def make(app: Flask) -> Maker:
    return Maker(app)


def second_expert(make: Maker) -> None:
    card = Card(skills={"upload.batch": SkillLevel.KNOWN}, languages={"en": 3}, places=4)
    make.as_("sami", lambda v: experts.save(v, card, publish=True))


def expert_id(make: Maker, name: str = "kofi") -> int:
    with make.app.app_context():
        found: int = db.session.query(Expert.id).filter_by(person_id=make.viewer(name).person_id).scalar()
        return found


def offers_of(make: Maker, number: int) -> list[tuple[str, str]]:
    with make.app.app_context():
        return [(o.state.value, o.message) for o in db.session.query(Offer).filter_by(request_id=number)]


def test_a_coordinator_asks_a_suggested_expert(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/offer"
    page = mei.get(f"/requests/{number}").text
    assert "Kofi Asantewaa" in page
    assert "speaks English" in page
    sent = form(mei, f"/requests/{number}", path) | {"expert": str(expert_id(make)), "message": "Would you?"}
    assert mei.post(path, data=sent).status_code == 303
    assert offers_of(make, number) == [("open", "Would you?")]
    page = mei.get(f"/requests/{number}").text
    assert "Asked already" in page
    assert "Would you?" in page


def test_matches_and_offers_are_for_coordinators(make: Maker, client_as: ClientAs) -> None:
    second_expert(make)
    number = make.matching()
    make.offer(number, message="Only for you")
    for name in (None, "asha", "lena", "sami", "root"):
        page = client_as(name).get(f"/requests/{number}").text
        for secret in ("Only for you", "Find an expert", "Whom to ask"):
            assert secret not in page, (name, secret)
        assert "Kofi" not in page
    page = client_as("kofi").get(f"/requests/{number}").text
    assert "Only for you" in page
    assert "Whom to ask" not in page


def test_an_offer_needs_an_expert_and_keeps_the_message(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/offer"
    answer = mei.post(path, data=form(mei, f"/requests/{number}", path) | {"message": "A long message"})
    assert answer.status_code == 422
    assert "Please choose an expert." in answer.text
    assert 'href="#offer-expert"' in answer.text
    assert "A long message" in answer.text
    make.as_("kofi", experts.unpublish)
    wrong = form(mei, f"/requests/{number}", f"/requests/{number}/reply") | {"expert": str(expert_id(make))}
    answer = mei.post(path, data=wrong)
    assert answer.status_code == 422
    assert "not in the registry" in answer.text


def test_two_coordinators_at_once(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/offer"
    typed = form(mei, f"/requests/{number}", path) | {"expert": str(expert_id(make)), "message": "Please?"}
    make.offer(number)
    late = mei.post(path, data=typed)
    assert late.status_code == 409
    assert "asked <bdi>Kofi Asantewaa</bdi> to help" in late.text
    assert len(offers_of(make, number)) == 1


def test_an_expert_says_yes(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, kofi = make.matching(), client_as("kofi")
    offer = make.offer(number)
    path = f"/offers/{offer}/accept"
    assert kofi.get(path).location == f"/requests/{number}#offer"
    fields = form(kofi, f"/requests/{number}", path)
    assert kofi.post(path, data=fields).status_code == 303
    assert (make.stored(number).state, make.stored(number).lead_id) == (
        State.IN_PROGRESS,
        make.as_("kofi", lambda v: v.person_id),
    )
    assert "You lead this request now" in kofi.get(f"/requests/{number}").text
    assert kofi.post(path, data=fields).status_code == 303  # a second click


def test_an_expert_says_no(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, kofi = make.matching(), client_as("kofi")
    path = f"/offers/{make.offer(number)}/decline"
    fields = form(kofi, f"/requests/{number}", path) | {"reason_text": "until May"}
    answer = kofi.post(path, data=fields)
    assert answer.status_code == 422
    assert "Please choose a reason." in answer.text
    assert 'value="until May"' in answer.text
    answer = kofi.post(path, data=fields | {"offer_reason": "busy"})
    assert (answer.status_code, answer.location) == (303, "/me")
    assert "until May" in client_as("mei").get(f"/requests/{number}").text
    for name in (None, "asha", "lena"):
        page = client_as(name).get(f"/requests/{number}").text
        assert "until May" not in page
        assert "Kofi" not in page


def test_offers_are_answered_by_who_was_asked(make: Maker, client_as: ClientAs, form: Form) -> None:
    number = make.matching()
    offer = make.offer(number)
    for name in ("asha", "sami", "lena"):
        browser = client_as(name)
        token = form(browser, f"/requests/{number}", "/logout")["csrf_token"]
        for do in ("accept", "decline", "withdraw"):
            data = {"csrf_token": token, "offer_reason": "busy"}
            assert browser.post(f"/offers/{offer}/{do}", data=data).status_code == 404, (name, do)
        assert browser.get(f"/offers/{offer}").status_code == 404
    assert client_as().post(f"/offers/{offer}/accept").status_code in (400, 401)
    assert offers_of(make, number)[0][0] == "open"


def test_a_coordinator_takes_an_offer_back(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    offer = make.offer(number)
    path = f"/offers/{offer}/withdraw"
    fields = form(mei, f"/requests/{number}", path)
    assert mei.post(path, data=fields).status_code == 303
    assert offers_of(make, number)[0][0] == "withdrawn"
    late = client_as("kofi")
    token = form(late, f"/requests/{number}", "/logout")["csrf_token"]
    answer = late.post(f"/offers/{offer}/accept", data={"csrf_token": token})
    assert answer.status_code == 409
    assert "no longer open" in answer.text


def test_a_hidden_request_that_was_taken_back_is_gone_for_the_expert(
    make: Maker, client_as: ClientAs, form: Form
) -> None:
    number, kofi = make.matching(title="Secret matter", visibility=Visibility.HUB), client_as("kofi")
    offer = make.offer(number)
    path = f"/offers/{offer}/accept"
    fields = form(kofi, f"/requests/{number}", path)
    make.as_("mei", lambda v: offers.withdraw(v, offer))
    answer = kofi.post(path, data=fields)
    assert answer.status_code == 409
    assert "no longer open" in answer.text
    assert "Secret matter" not in answer.text
    assert kofi.get(f"/requests/{number}").status_code == 404


def test_who_claims_second_is_told_who_was_first(make: Maker, client_as: ClientAs, form: Form) -> None:
    second_expert(make)
    number, kofi, sami = make.matching(), client_as("kofi"), client_as("sami")
    path = f"/requests/{number}/claim"
    fields = form(sami, f"/requests/{number}", path)
    assert kofi.post(path, data=form(kofi, f"/requests/{number}", path)).status_code == 303
    late = sami.post(path, data=fields)
    assert late.status_code == 409
    assert "Somebody else was quicker" in late.text
    told = late.text[late.text.index('id="changed"') :]
    assert "<bdi>Kofi Asantewaa</bdi> took the request and leads it now." in told[: told.index("</ul>")]


def test_an_expert_without_a_free_place_is_told_so(make: Maker, client_as: ClientAs, form: Form) -> None:
    kofi = client_as("kofi")
    number = make.matching(title="Third")
    path = f"/requests/{number}/claim"
    fields = form(kofi, f"/requests/{number}", path)
    make.in_progress(title="First")
    make.in_progress(title="Second")
    answer = kofi.post(path, data=fields)
    assert answer.status_code == 409
    assert "All places are taken." in answer.text
    assert make.stored(number).lead_id is None


@pytest.mark.parametrize("name", ["asha", "sami", "lena"])
def test_only_experts_claim(name: str, make: Maker, client_as: ClientAs, form: Form) -> None:
    number, browser = make.matching(), client_as(name)
    token = form(browser, f"/requests/{number}", f"/requests/{number}/watch")["csrf_token"]
    assert "/claim" not in browser.get(f"/requests/{number}").text
    answer = browser.post(f"/requests/{number}/claim", data={"csrf_token": token})
    assert answer.status_code in (403, 409)
    assert make.stored(number).lead_id is None


def test_an_offer_runs_out_on_the_page(make: Maker, client_as: ClientAs, clock: FixedClock) -> None:
    number = make.matching()
    make.offer(number)
    clock.advance(days=4)
    with make.app.app_context():
        sweep.run()
    assert "You are asked to help" not in client_as("kofi").get(f"/requests/{number}").text
    assert "ran out without an answer" in client_as("mei").get(f"/requests/{number}").text


def test_a_lead_gives_the_place_free(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, kofi = make.in_progress(), client_as("kofi")
    path = f"/requests/{number}/do/release"
    assert kofi.post(path, data=form(kofi, path) | {"reason": "I am ill."}).status_code == 303
    stored = make.stored(number)
    assert (stored.state, stored.lead_id) == (State.MATCHING, None)
    make.act("mei", number, Verb.DECLINE, Facts(reason="a", alternative="b"))
