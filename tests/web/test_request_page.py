"""The page of a request: who sees what of it, what is said on it, and that nothing of it can do harm."""

import re
from datetime import date
from functools import partial
from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import event

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track, Verb
from cphub.domain.policy import Visibility
from cphub.models import Event, InboxItem, Reply, db
from cphub.services import offers, replies, requests, team
from cphub.services.requests import Facts
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs, Form
from tests.web.requests_made import SOLVED, Maker

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)>"


@pytest.fixture
def make(app: Flask) -> Maker:
    return Maker(app)


class _Dangers(HTMLParser):
    """Elements and attributes that could act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        if tag in ("iframe", "object", "embed", "base", "style"):
            self.found.append(tag)
        if tag == "script" and not (have.get("src") or "").startswith("/static/"):
            self.found.append("inline script")
        if tag == "img" and not (have.get("src") or "").startswith("/static/"):
            self.found.append("foreign image")
        self.found += [name for name in have if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            if (have.get(name) or "").strip().lower().startswith(("javascript:", "data:", "vbscript:")):
                self.found.append(f"{name}={have[name]}")


def dangers(page: str) -> list[str]:
    return _Dangers(page).found


def test_everybody_reads_a_public_request(make: Maker, client_as: ClientAs) -> None:
    number = make.in_progress(country="KE", partner_name="River Museum")
    page = client_as().get(f"/requests/{number}")
    assert page.status_code == 200
    for said in ("How do I upload 300 maps?", "three hundred scanned maps", "Asha Mwakyusa", "Kofi Asantewaa",
                 "Mei-Lin Sørdal", "River Museum", "Kenya", "In work", 'aria-current="step"'):  # fmt: skip
        assert said in page.text
    assert "works on it and tells how it goes" in page.text
    assert 'id="request"' in page.text  # tasks lead here
    assert page.text.count("<h1") == 1


def test_there_is_no_page_of_what_is_not_there(make: Maker, client_as: ClientAs) -> None:
    hidden = make.received(visibility=Visibility.HUB)
    draft_number = make.as_("asha", lambda v: requests.save(v, "a-draft-of-hers", Draft(title="Draft")).id)
    for number in (hidden, draft_number, 99999):
        assert client_as().get(f"/requests/{number}").status_code == 404
        assert client_as("sami").get(f"/requests/{number}").status_code == 404
    assert client_as("asha").get(f"/requests/{draft_number}").status_code == 404
    assert client_as("asha").get(f"/requests/{hidden}").status_code == 200


def test_what_is_withheld_is_shown_inside_only(make: Maker, client_as: ClientAs) -> None:
    number = make.in_progress(
        partner_name="River Museum", country="KE", contact="asha@example.org",
        withhold_partner=True, withhold_country=True, withhold_name=True,
    )  # fmt: skip
    make.as_("asha", lambda v: replies.write(v, number, "Here I am.", key="key-reply"))
    secrets = ("River Museum", "Kenya", "asha@example.org", "Asha")
    for name in (None, "sami", "blake", "root"):
        page = client_as(name).get(f"/requests/{number}").text
        assert "Here I am." in page
        for secret in secrets:
            assert secret not in page, (name, secret)
    for name in ("asha", "kofi", "mei", "lena"):
        page = client_as(name).get(f"/requests/{number}").text
        for secret in secrets:
            assert secret in page, (name, secret)


def test_notes_are_for_the_team_and_say_so(make: Maker, client_as: ClientAs) -> None:
    number = make.in_progress()
    make.as_("mei", lambda v: replies.write(v, number, "The director is difficult.", key="key-note", note=True))
    for name in ("kofi", "mei"):
        page = client_as(name).get(f"/requests/{number}").text
        assert "The director is difficult." in page
        assert "Internal note: the requester does not see this" in page
    for outsider in (None, "asha", "sami", "lena", "root"):
        page = client_as(outsider).get(f"/requests/{number}").text
        assert "difficult" not in page
        assert "nternal note" not in page


def test_reply_and_note_are_two_forms(make: Maker, client_as: ClientAs) -> None:
    page = client_as("mei").get(f"/requests/{make.in_progress()}").text
    assert page.index('id="reply-heading"') < page.index('id="note-heading"')
    requester = client_as("asha").get(f"/requests/{make.in_progress(title='Second')}").text
    assert 'id="reply-heading"' in requester
    assert 'id="note-heading"' not in requester


def test_a_reply_is_sent_once_however_often(make: Maker, client_as: ClientAs, form: Form, app: Flask) -> None:
    number, asha = make.in_progress(), client_as("asha")
    fields = form(asha, f"/requests/{number}", f"/requests/{number}/reply") | {"body": "Here are the **maps**."}
    for _ in range(2):
        sent = asha.post(f"/requests/{number}/reply", data=fields)
        assert sent.status_code == 303
    assert sent.location.startswith(f"/requests/{number}#reply-")
    page = asha.get(f"/requests/{number}").text
    assert "Here are the <strong>maps</strong>." in page
    with app.app_context():
        assert db.session.query(Reply).count() == 1


def test_a_question_makes_it_the_requesters_turn(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei, asha = make.matching(), client_as("mei"), client_as("asha")
    path = f"/requests/{number}/reply"
    fields = form(mei, f"/requests/{number}", path)
    mei.post(path, data=fields | {"body": "Which licence?", "ask": "on"})
    page = asha.get(f"/requests/{number}").text
    assert "It is your turn." in page
    assert "Answer the question" in page
    assert "Question to the requester" in page
    asha.post(path, data=form(asha, f"/requests/{number}", path) | {"body": "CC0."})
    assert "It is your turn." not in asha.get(f"/requests/{number}").text


def test_an_empty_reply_comes_back_with_a_message(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, asha = make.in_progress(), client_as("asha")
    path = f"/requests/{number}/reply"
    fields = form(asha, f"/requests/{number}", path)
    answer = asha.post(path, data=fields | {"body": " "})
    assert answer.status_code == 422
    assert "Please write something first." in answer.text
    assert 'href="#reply-body"' in answer.text
    assert fields["key"] in answer.text


def test_it_keeps_what_was_typed_too_long(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.in_progress(), client_as("mei")
    path = f"/requests/{number}/note"
    answer = mei.post(path, data=form(mei, f"/requests/{number}", path) | {"body": "ab\n" * 7000})
    assert answer.status_code == 422
    assert "ab\n" * 6999 in answer.text
    assert answer.text.count("ab\n" * 6999) == 1  # in the form of the note alone


def test_it_keeps_what_was_typed_before_a_sign_in(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, asha = make.in_progress(), client_as("asha")
    path = f"/requests/{number}/reply"
    fields = form(asha, f"/requests/{number}", path) | {"body": "Typed for an hour."}
    with asha.session_transaction() as session:
        person = session.pop("person")
    refused = asha.post(path, data=fields)
    assert refused.status_code == 401
    with asha.session_transaction() as session:
        session["person"] = person
    page = asha.get(f"/requests/{number}").text
    assert "Typed for an hour." in page
    assert page.count("Typed for an hour.") == 1


@pytest.mark.parametrize(("name", "status"), [(None, 401), ("sami", 403), ("blake", 403)])
def test_strangers_cannot_reply(name: str | None, status: int, make: Maker, client_as: ClientAs, form: Form) -> None:
    number, browser = make.in_progress(), client_as(name)
    token = form(browser, f"/requests/{number}", "/login" if name is None else "/logout")["csrf_token"]
    for kind in ("reply", "note"):
        data = {"csrf_token": token, "body": "hello"}
        assert browser.post(f"/requests/{number}/{kind}", data=data).status_code == status


@pytest.mark.parametrize("path", ["reply", "note", "watch", "offer", "team", "claim", "team/1/leave"])
def test_it_rejects_get(path: str, make: Maker, client_as: ClientAs) -> None:
    assert client_as("mei").get(f"/requests/{make.matching()}/{path}").status_code == 405


@pytest.mark.parametrize("path", ["reply", "do/take_on", "watch", "offer", "claim"])
def test_it_needs_a_token(path: str, make: Maker, client_as: ClientAs) -> None:
    number = make.received()
    assert client_as("mei").post(f"/requests/{number}/{path}", data={"body": "x"}).status_code == 400
    assert make.stored(number).version == 2


def test_a_reply_is_corrected_with_a_trace(make: Maker, client_as: ClientAs, form: Form, clock: FixedClock) -> None:
    number, mei = make.in_progress(), client_as("mei")
    said = make.as_("mei", lambda v: replies.write(v, number, "On Tusday.", key="key-tuesday").id)
    clock.advance(hours=1)
    fields = form(mei, f"/replies/{said}/edit")
    assert fields["body"] == "On Tusday."
    assert mei.post(f"/replies/{said}/edit", data=fields | {"body": " "}).status_code == 422
    assert mei.post(f"/replies/{said}/edit", data=fields | {"body": "On Tuesday."}).status_code == 303
    page = client_as().get(f"/requests/{number}").text
    assert "On Tuesday." in page
    assert "Tusday" not in page
    assert "corrected" in page
    assert "On Tusday." in client_as().get(f"/replies/{said}/versions").text
    for name in ("asha", "sami"):
        assert client_as(name).get(f"/replies/{said}/edit").status_code == 403
        assert f"/replies/{said}/edit" not in client_as(name).get(f"/requests/{number}").text


def test_a_withdrawn_reply_leaves_a_trace_and_nothing_else(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, asha = make.in_progress(), client_as("asha")
    said = make.as_("asha", lambda v: replies.write(v, number, "My phone is 555 0100.", key="key-phone").id)
    assert "555 0100" in asha.get(f"/replies/{said}/withdraw").text
    fields = form(asha, f"/replies/{said}/withdraw")
    assert asha.post(f"/replies/{said}/withdraw", data=fields).status_code == 303
    for name in ("asha", "mei", None):
        page = client_as(name).get(f"/requests/{number}").text
        assert "555 0100" not in page
        assert "Withdrawn by its author." in page
        assert "555 0100" not in client_as(name).get(f"/replies/{said}/versions").text
    assert asha.get(f"/replies/{said}/edit").status_code == 404


def test_versions_of_a_note_are_for_the_team(make: Maker, client_as: ClientAs) -> None:
    number = make.in_progress()
    said = make.as_("kofi", lambda v: replies.write(v, number, "secret matter", key="key-secret", note=True).id)
    make.as_("kofi", lambda v: replies.edit(v, said, "a matter"))
    assert "secret matter" in client_as("mei").get(f"/replies/{said}/versions").text
    for name in (None, "asha", "sami", "lena"):
        assert client_as(name).get(f"/replies/{said}/versions").status_code == 404


def test_it_escapes_what_people_write_everywhere(make: Maker, client_as: ClientAs, form: Form) -> None:
    number = make.received(
        EVIL, track=Track.PROJECT, body=EVIL + "\n\n[x](javascript:alert(1)) ![y](http://evil.example/y.png)",
        partner_name=EVIL, community=EVIL, contact=EVIL,
        justification={"gaps": EVIL}, language="en",
    )  # fmt: skip
    make.act("mei", number, Verb.REVIEW)
    make.act("lena", number, Verb.APPROVE, Facts(reason=EVIL))
    offer = make.offer(number, message=EVIL)
    make.as_("mei", lambda v: replies.write(v, number, EVIL + "\n# big\n<b>bold</b>", key="key-evil"))
    make.as_("mei", lambda v: replies.write(v, number, EVIL, key="key-evil-note", note=True))
    pages = {
        "mei": (f"/requests/{number}", f"/requests/{number}/needs", f"/requests/{number}/task", "/committee"),
        "kofi": (f"/requests/{number}",),
        "asha": (f"/requests/{number}", f"/requests/{number}/do/withdraw"),
    }
    for name, paths in pages.items():
        for path in paths:
            page = client_as(name).get(path)
            assert page.status_code == 200, path
            assert dangers(page.text) == [], path
    make.as_("kofi", lambda v: offers.decline(v, offer, "other", EVIL))
    make.offer(number)
    make.act("mei", number, Verb.SET_NEXT, Facts(waiting_on="partner", next_step_text=EVIL, due_on=date(2026, 12, 24)))
    make.act("mei", number, Verb.RESOLVE, Facts(outcome="introduced", outcome_detail=EVIL, summary=EVIL))
    for reader in (None, "asha", "kofi", "mei"):
        assert dangers(client_as(reader).get(f"/requests/{number}").text) == []
    mei = client_as("mei")
    fields = form(mei, f"/requests/{number}", f"/requests/{number}/reply")
    answer = mei.post(f"/requests/{number}/note", data=fields | {"body": EVIL * 400})
    assert answer.status_code == 422
    assert dangers(answer.text) == []


def test_markdown_is_written_as_html_and_headings_stay_below_the_pages(make: Maker, client_as: ClientAs) -> None:
    number = make.received(body="# Big\n\n- one\n- two\n\n*why* https://example.org/x")
    page = client_as().get(f"/requests/{number}").text
    assert "<em>why</em>" in page
    assert "<li>one</li>" in page
    assert page.count("<h1") == 1
    assert 'rel="nofollow noopener ugc"' in page


def test_looking_at_it_means_having_read_it(make: Maker, client_as: ClientAs, app: Flask) -> None:
    number, other = make.received(), make.received("Another")

    def unread() -> int:
        with app.app_context():
            mine = make.viewer("mei").person_id
            return db.session.query(InboxItem).filter_by(person_id=mine, read_at=None).count()

    assert unread() == 2
    client_as("mei").get(f"/requests/{number}")
    assert unread() == 1
    client_as("mei").get(f"/requests/{other}")
    assert unread() == 0


def test_watching_is_switched_on_and_off(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, sami = make.received(), client_as("sami")
    path = f"/requests/{number}/watch"
    assert sami.post(path, data=form(sami, f"/requests/{number}", path)).status_code == 303
    assert "Stop watching" in sami.get(f"/requests/{number}").text
    assert sami.post(path, data=form(sami, f"/requests/{number}", path)).status_code == 303
    assert "Stop watching" not in sami.get(f"/requests/{number}").text
    assert path not in client_as().get(f"/requests/{number}").text


def test_the_clocks_tell_what_they_did_not_count(make: Maker, client_as: ClientAs, clock: FixedClock) -> None:
    number = make.received()
    clock.advance(hours=2)
    make.as_("mei", lambda v: replies.write(v, number, "Which?", key="key-which", ask=True))
    clock.advance(days=3)
    make.as_("asha", lambda v: replies.write(v, number, "These.", key="key-these"))
    clock.advance(hours=1)
    make.act("mei", number, Verb.RESOLVE, SOLVED)
    page = client_as().get(f"/requests/{number}").text
    assert "<dd>2 h</dd>" in page
    assert "3 d of waiting for the requester not counted" in page
    assert "<dd>3 h<br>" in page


def test_a_late_request_is_told_kindly(make: Maker, client_as: ClientAs, clock: FixedClock) -> None:
    number = make.received()
    assert "The day has passed" not in client_as().get(f"/requests/{number}").text
    clock.advance(days=4)
    assert "The day has passed" in client_as().get(f"/requests/{number}").text


def test_a_duplicate_leads_to_the_other_for_who_may_see_it(make: Maker, client_as: ClientAs) -> None:
    hidden = make.received("Hidden", visibility=Visibility.HUB)
    number = make.received("Open", by="sami")
    make.act("mei", number, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(hidden)))
    for name, leads in (("sami", True), ("mei", True), (None, False), ("kofi", False)):
        page = client_as(name).get(f"/requests/{number}").text
        assert (f'href="/requests/{hidden}"' in page) is leads, name
        assert "Hidden" not in page
    assert client_as("sami").get(f"/requests/{hidden}").status_code == 200


def test_it_is_said_that_people_who_asked_the_same_read_along(make: Maker, client_as: ClientAs) -> None:
    hidden = make.received("Hidden", visibility=Visibility.HUB)
    number = make.received("Open", by="sami")
    assert "will be able to read the other one" in client_as("mei").get(f"/requests/{number}/do/mark_duplicate").text
    assert "can read it, too" not in client_as("asha").get(f"/requests/{hidden}").text
    make.act("mei", number, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(hidden)))
    page = client_as("asha").get(f"/requests/{hidden}").text
    assert "People who asked the same in another request can read it, too." in page
    assert "<bdi>Sami Lehtovaara</bdi> asked the same and takes part here now." in page
    assert "asked the same and takes part here now." in client_as("asha").get("/inbox").text
    assert "takes part here now" not in client_as("sami").get(f"/requests/{hidden}").text


def test_words_of_people_do_not_turn_the_line_around_them(make: Maker, client_as: ClientAs) -> None:
    number, words = make.in_progress(), "\u202e evil"
    facts = Facts(waiting_on="partner", next_step_text=words, due_on=date(2026, 12, 24))
    make.act("mei", number, Verb.SET_NEXT, facts)
    for path in (f"/requests/{number}", "/inbox"):
        page = client_as("asha").get(path).text
        assert page.count("\u202e") == page.count("<bdi>\u202e evil</bdi>") > 0
        assert re.search(r"<bdi>Mei[^<]*</bdi> set the next step: <bdi>\u202e evil</bdi>", page)


def test_whom_it_was_offered_to_answers_the_offer_and_does_not_claim(make: Maker, client_as: ClientAs) -> None:
    number = make.matching()
    assert f"/requests/{number}/claim" in client_as("kofi").get(f"/requests/{number}").text
    offer = make.offer(number)
    page = client_as("kofi").get(f"/requests/{number}").text
    assert f"/offers/{offer}/accept" in page
    assert f"/requests/{number}/claim" not in page


def test_who_withholds_their_name_keeps_it_where_they_asked_the_same(make: Maker, client_as: ClientAs) -> None:
    first = make.received("First")
    second = make.received("Second", by="sami", withhold_name=True)
    make.act("mei", second, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(first)))
    make.as_("sami", lambda v: replies.write(v, second, "Me too, please.", key="key-me-too"))
    for name in (None, "asha", "kofi"):
        page = client_as(name).get(f"/requests/{first}").text
        assert "Me too, please." in page
        assert "Sami" not in page, name
        assert "Sami" not in client_as(name).get("/inbox").text
    assert "Sami" in client_as("mei").get(f"/requests/{first}").text


def test_coordinators_put_the_team_together(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.in_progress(), client_as("mei")
    path = f"/requests/{number}/team"
    fields = form(mei, f"/requests/{number}", path)
    wrong = mei.post(path, data=fields | {"name": "Nobody There", "role": "bridge"})
    assert wrong.status_code == 422
    assert 'value="Nobody There"' in wrong.text
    assert mei.post(path, data=fields | {"name": "sami Lehtovaara", "role": "bridge"}).status_code == 303
    sami = client_as("sami")
    page = sami.get(f"/requests/{number}").text
    assert "Language bridge" in page
    assert 'id="note-heading"' in page
    leave = f"{path}/{make.as_('sami', lambda v: v.person_id)}/leave"
    assert sami.post(leave, data=form(sami, f"/requests/{number}", leave)).status_code == 303
    assert "Language bridge" not in sami.get(f"/requests/{number}").text


def test_only_coordinators_put_the_team_together(make: Maker, client_as: ClientAs, form: Form) -> None:
    number = make.in_progress()
    sami_id = make.as_("sami", lambda v: v.person_id)
    make.as_("mei", lambda v: team.join(v, number, "Sami Lehtovaara", "expert"))
    for name in ("asha", "kofi", "lena"):
        browser = client_as(name)
        token = form(browser, f"/requests/{number}", f"/requests/{number}/watch")["csrf_token"]
        data = {"csrf_token": token, "name": "Sami Lehtovaara", "role": "bridge"}
        assert browser.post(f"/requests/{number}/team", data=data).status_code == 403
        assert browser.post(f"/requests/{number}/team/{sami_id}/leave", data=data).status_code == 403


@pytest.mark.parametrize("language", ["en", "fr", "ar", "qqx"])
def test_it_works_in_every_language(language: str, make: Maker, client_as: ClientAs) -> None:
    for number in (make.received(), make.in_review(title="P"), make.matching(title="M"), make.resolved(title="R")):
        for name in (None, "asha", "kofi", "mei", "lena"):
            page = client_as(name).get(f"/requests/{number}?uselang={language}")
            assert page.status_code == 200
            assert "⧼" not in page.text


def test_statements_do_not_grow_with_the_conversation(make: Maker, client_as: ClientAs, app: Flask) -> None:
    number = make.in_progress()
    counted: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
    mei = client_as("mei")
    make.as_("asha", lambda v: replies.write(v, number, "one", key="key-one-one"))
    mei.get(f"/requests/{number}")
    counted.clear()
    mei.get(f"/requests/{number}")
    few = len(counted)
    for n in range(12):
        make.as_("asha", partial(replies.write, number=number, body=f"line {n}", key=f"key-line-{n}"))
    mei.get(f"/requests/{number}")
    counted.clear()
    mei.get(f"/requests/{number}")
    assert len(counted) == few
    assert few <= 20


def test_events_hold_codes_and_no_sentence(make: Maker, app: Flask) -> None:
    make.resolved()
    with app.app_context():
        for event in db.session.query(Event):
            for name, value in event.payload.items():
                if name not in ("summary", "reason", "alternative", "outcome_detail", "next_step_text"):
                    assert not isinstance(value, str) or " " not in value
