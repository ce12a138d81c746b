"""The verbs of a request's life in the browser: one thing first, nothing typed lost, two people at once."""

import pytest
from flask import Flask

from cphub.domain.lifecycle import Outcome, State, Verb, WaitingOn, needs
from cphub.domain.policy import Visibility
from cphub.services import replies
from cphub.services.requests.moves import WORDED
from tests.web.conftest import ClientAs, Form
from tests.web.requests_made import SOLVED, Maker


@pytest.fixture
def make(app: Flask) -> Maker:
    return Maker(app)


def test_a_small_question_from_asking_to_confirmed(make: Maker, client_as: ClientAs, form: Form) -> None:
    number = make.received()
    page = f"/requests/{number}"
    mei, kofi, asha = client_as("mei"), client_as("kofi"), client_as("asha")
    assert mei.post(f"{page}/do/take_on", data=form(mei, page, f"{page}/do/take_on")).status_code == 303
    assert kofi.post(f"{page}/claim", data=form(kofi, page, f"{page}/claim")).status_code == 303
    done = form(kofi, f"{page}/do/resolve") | {"outcome": "solved", "summary": "They are on Commons."}
    assert kofi.post(f"{page}/do/resolve", data=done).status_code == 303
    assert "They are on Commons." in asha.get(page).text
    assert asha.post(f"{page}/do/confirm", data=form(asha, page, f"{page}/do/confirm")).status_code == 303
    closed = make.stored(number)
    assert (closed.state, closed.outcome) == (State.CLOSED, Outcome.SOLVED)
    assert "Thank you!" in asha.get(page).text


@pytest.mark.parametrize(("name", "made", "first"), [
    ("mei", "received", "do/take_on"),
    ("mei", "in_review", "do/approve"),
    ("lena", "in_review", "do/approve"),
    ("mei", "matching", "#experts"),
    ("kofi", "matching", "/claim"),
    ("kofi", "in_progress", "do/resolve"),
    ("asha", "resolved", "do/confirm"),
])  # fmt: skip
def test_everybody_has_one_thing_first(name: str, made: str, first: str, make: Maker, client_as: ClientAs) -> None:
    page = client_as(name).get(f"/requests/{getattr(make, made)()}").text
    todo = page[page.index('id="todo-heading"') : page.index("</section>", page.index('id="todo-heading"'))]
    assert first in todo
    assert todo.count("cdx-button--weight-primary") <= 1


@pytest.mark.parametrize("name", [None, "sami", "blake", "root"])
def test_strangers_have_nothing_to_do(name: str | None, make: Maker, client_as: ClientAs) -> None:
    for number in (make.received(), make.in_review(title="P"), make.matching(title="M"), make.resolved(title="R")):
        assert "/do/" not in client_as(name).get(f"/requests/{number}").text


@pytest.mark.parametrize("verb", sorted(WORDED))
def test_strangers_cannot_carry_out_anything(verb: Verb, make: Maker, client_as: ClientAs, form: Form) -> None:
    number = make.received()
    sami = client_as("sami")
    token = form(sami, f"/requests/{number}", f"/requests/{number}/watch")["csrf_token"]
    assert sami.get(f"/requests/{number}/do/{verb}").status_code == 403
    assert sami.post(f"/requests/{number}/do/{verb}", data={"csrf_token": token, "reason": "x"}).status_code == 403
    assert client_as().get(f"/requests/{number}/do/{verb}").status_code == 200  # asks to sign in
    blake = client_as("blake")
    token = form(blake, "/", "/logout")["csrf_token"]
    assert blake.post(f"/requests/{number}/do/{verb}", data={"csrf_token": token}).status_code == 403
    assert make.stored(number).version == 2


@pytest.mark.parametrize("verb", ["send", "ask", "offer", "lapse", "fly", "accept"])
def test_there_is_no_page_for_other_verbs(verb: str, make: Maker, client_as: ClientAs) -> None:
    assert client_as("mei").get(f"/requests/{make.matching()}/do/{verb}").status_code == 404


def test_a_hidden_request_has_no_pages(make: Maker, client_as: ClientAs) -> None:
    number = make.received(visibility=Visibility.HUB)
    for path in ("do/claim", "do/withdraw", "task", "needs"):
        assert client_as("sami").get(f"/requests/{number}/{path}").status_code == 404


def test_a_verb_that_does_not_fit_is_explained(make: Maker, client_as: ClientAs) -> None:
    refused = client_as("mei").get(f"/requests/{make.matching()}/do/take_on")
    assert refused.status_code == 409
    assert "not possible any more" in refused.text


@pytest.mark.parametrize("verb", sorted(v for v in WORDED if needs(v)))
def test_what_is_missing_is_said_beside_the_field(verb: Verb, make: Maker, client_as: ClientAs, form: Form) -> None:
    number = at(make, verb)
    mei = client_as("mei")
    path = f"/requests/{number}/do/{verb}"
    empty = dict.fromkeys(needs(verb), "")
    answer = mei.post(path, data=form(mei, path) | empty)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    for name in needs(verb):
        assert f'href="#do-{name}"' in answer.text, name
        assert f'id="do-{name}' in answer.text, name
        assert f'id="do-{name}-error"' in answer.text, name


def at(make: Maker, verb: Verb) -> int:
    """A request in which a coordinator may use the verb."""
    if verb is Verb.APPROVE:
        return make.in_review()
    if verb is Verb.REOPEN:
        return make.resolved()
    if verb is Verb.REINSTATE:
        return make.act("asha", make.received(), Verb.WITHDRAW)
    return make.in_progress()


def test_it_keeps_what_was_typed(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.in_progress(), client_as("mei")
    path = f"/requests/{number}/do/resolve"
    typed = {"outcome": "introduced", "summary": 'Sie kennen sich <jetzt> & "gut".', "outcome_detail": " "}
    answer = mei.post(path, data=form(mei, path) | typed)
    assert answer.status_code == 422
    assert "Sie kennen sich &lt;jetzt&gt; &amp; &#34;gut&#34;." in answer.text
    assert 'value="introduced" checked' in answer.text
    assert "Please say to whom, or where." in answer.text
    typed = {"waiting_on": "partner", "next_step_text": "signs", "due_on": "2026-02-31"}
    path = f"/requests/{number}/do/set_next"
    answer = mei.post(path, data=form(mei, path) | typed)
    assert answer.status_code == 422
    assert 'value="signs"' in answer.text
    assert '<option value="partner" selected>' in answer.text
    answer = mei.post(path, data=form(mei, path) | typed | {"due_on": "2026-12-24"})
    assert answer.status_code == 303
    stored = make.stored(number)
    assert (stored.waiting_on, stored.next_step_text) == (WaitingOn.PARTNER, "signs")
    assert "signs" in mei.get(f"/requests/{number}").text


def test_the_second_of_two_is_told_what_changed_and_loses_nothing(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei, kofi = make.in_progress(), client_as("mei"), client_as("kofi")
    path = f"/requests/{number}/do/resolve"
    typed = form(kofi, path) | {"outcome": "solved", "summary": "An hour of typing."}
    next_step = f"/requests/{number}/do/set_next"
    mine = {"waiting_on": "partner", "next_step_text": "signs the letter", "due_on": "2026-12-24"}
    assert mei.post(next_step, data=form(mei, next_step) | mine).status_code == 303
    late = kofi.post(path, data=typed)
    assert late.status_code == 409
    assert "Somebody changed this request while you were writing" in late.text
    assert "<bdi>Mei-Lin Sørdal</bdi> set the next step: <bdi>signs the letter</bdi>" in late.text
    assert "An hour of typing." in late.text
    assert 'value="solved" checked' in late.text
    again = dict(typed) | {"seen": str(make.stored(number).version)}
    assert f'name="seen" value="{again["seen"]}"' in late.text
    assert kofi.post(path, data=again).status_code == 303
    assert make.stored(number).state is State.RESOLVED


def test_what_cannot_be_sent_any_more_can_still_be_copied(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei, lena = make.in_review(), client_as("mei"), client_as("lena")
    path = f"/requests/{number}/do/decline"
    typed = form(lena, path) | {"reason": "A long reason.", "alternative": "Another door."}
    approve = f"/requests/{number}/do/approve"
    mei.post(approve, data=form(mei, approve) | {"reason": "Yes."})
    late = lena.post(path, data=typed)
    assert late.status_code == 409
    assert "A long reason." in late.text
    assert "<bdi>Mei-Lin Sørdal</bdi> approved the request." in late.text
    main = late.text[late.text.index("<main") : late.text.index("</main>")]
    assert "<button" not in main


def test_a_late_reader_is_not_told_more_than_they_may_read(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, asha = make.matching(), client_as("asha")
    path = f"/requests/{number}/do/withdraw"
    typed = form(asha, path)
    make.offer(number)
    late = asha.post(path, data=typed)
    assert late.status_code == 409
    assert "Kofi" not in late.text


def test_what_was_typed_before_a_sign_in_is_given_back(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, kofi = make.in_progress(), client_as("kofi")
    path = f"/requests/{number}/do/resolve"
    typed = form(kofi, path) | {"outcome": "uploaded", "summary": "All 300 maps."}
    with kofi.session_transaction() as session:
        person = session.pop("person")
    assert kofi.post(path, data=typed).status_code == 401
    with kofi.session_transaction() as session:
        session["person"] = person
    page = kofi.get(path).text
    assert "All 300 maps." in page
    assert 'value="uploaded" checked' in page


def test_a_decline_is_read_by_the_requester(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.received(), client_as("mei")
    path = f"/requests/{number}/do/decline"
    mei.post(path, data=form(mei, path) | {"reason": "No scanners here.", "alternative": "The library lends some."})
    page = client_as("asha").get(f"/requests/{number}").text
    assert "No scanners here." in page
    assert "What is possible instead:" in page
    assert "The library lends some." in page


def test_a_missing_service_is_named_in_the_readers_words(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.received(), client_as("mei")
    path = f"/requests/{number}/do/resolve"
    sent = {"outcome": "out_of_scope", "missing_service": "grants", "summary": "We give no money."}
    assert mei.post(path, data=form(mei, path) | sent).status_code == 303
    assert make.stored(number).outcome_detail == "grants"
    assert "⧼" not in client_as("asha").get(f"/requests/{number}").text


def test_the_committee_sees_what_waits_and_decides(make: Maker, client_as: ClientAs) -> None:
    waiting = make.in_review(title="Old letters", justification={"gaps": "Few letters are online."})
    make.act("kofi", make.in_progress(title="A small question"), Verb.RESOLVE, SOLVED)
    make.received("Not for the committee yet")
    for name in ("lena", "mei"):
        page = client_as(name).get("/committee")
        assert page.status_code == 200
        assert "Old letters" in page.text
        assert "Few letters are online." in page.text
        assert f"/requests/{waiting}/do/approve" in page.text
        assert "A small question" in page.text
        assert "Not for the committee yet" not in page.text
    for name in ("asha", "kofi", "sami", "root"):
        assert client_as(name).get("/committee").status_code == 403
    assert "Old letters" not in client_as().get("/committee").text


def test_nobody_decides_their_own_case(make: Maker, client_as: ClientAs) -> None:
    number = make.received("My own", by="lena", track="project")
    make.act("mei", number, Verb.REVIEW)
    assert client_as("lena").get(f"/requests/{number}/do/approve").status_code == 403
    assert "/do/approve" not in client_as("lena").get(f"/requests/{number}").text


def test_a_reply_of_another_does_not_make_a_form_stale(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, kofi = make.in_progress(), client_as("kofi")
    path = f"/requests/{number}/do/resolve"
    typed = form(kofi, path) | {"outcome": "solved", "summary": "Done."}
    make.as_("asha", lambda v: replies.write(v, number, "Thanks so far!", key="key-thanks"))
    assert kofi.post(path, data=typed).status_code == 303


def test_needs_are_set_on_a_page_of_their_own(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/needs"
    fields = form(mei, path)
    sent = fields | {"skill-0": "upload.batch", "must-0": "on", "skill-2": "data.wikidata", "weight": "L"}
    assert mei.post(path, data=sent).status_code == 303
    page = mei.get(path).text
    assert '<option value="upload.batch" selected>' in page
    assert "Batch upload" in mei.get(f"/requests/{number}").text
    assert make.stored(number).weight == "L"
    wrong = mei.post(path, data=form(mei, path) | {"skill-0": "nonsense"})
    assert wrong.status_code == 422
    for name in ("asha", "kofi", "lena"):
        assert client_as(name).get(path).status_code == 403


def test_facts_of_other_verbs_are_not_taken(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.received(), client_as("mei")
    path = f"/requests/{number}/do/take_on"
    sent = form(mei, path) | {"outcome": "solved", "reason": "sneaky", "due_on": "2030-01-01", "waiting_on": "expert"}
    assert mei.post(path, data=sent).status_code == 303
    stored = make.stored(number)
    assert (stored.outcome, stored.waiting_on) == (None, WaitingOn.COORDINATOR)
    assert "sneaky" not in mei.get(f"/requests/{number}").text
