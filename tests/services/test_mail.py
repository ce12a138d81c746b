"""Mail: a copy of the inbox for those who want one, and nothing to anybody who may not read it."""

import email
import re
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from cphub.domain.policy import ANONYMOUS, Role, Viewer, Visibility
from cphub.errors import Forbidden, Invalid
from cphub.gateways.mail import MailLater, MailRefused
from cphub.hub import hub
from cphub.jobs import worker
from cphub.models import OutboxRow, OutboxState, Person, Request, db
from cphub.services import mail, offers, replies, requests, team
from tests.conftest import FixedClock, MakeApp
from tests.services import making


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def deliver() -> None:
    while worker.work():
        pass


def folder() -> Path:
    return hub().settings.MAIL_FOLDER


def sent(to: str | None = None) -> list[EmailMessage]:
    """The mails that were written, oldest first."""
    deliver()
    paths = sorted(folder().glob("*.eml"), key=lambda p: [int(n) for n in re.findall(r"\d+", p.name)])
    mails = [email.message_from_bytes(p.read_bytes(), policy=policy.default) for p in paths]
    return [m for m in mails if to is None or m["To"] == to]


def text(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


# What is sent, and to whom


def test_the_requester_gets_what_happened_and_what_comes_next() -> None:
    asha, mei = making.person("Asha", mail="asha@example.org"), making.person("Mei", Role.COORDINATOR)
    number = making.matching(asha, mei).id
    (message,) = sent("asha@example.org")
    assert message["Subject"] == f"[Request {number}] How do I upload 300 maps?"
    assert message["From"] == "cphub@localhost"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["In-Reply-To"] == message["References"] == f"<request-{number}@127.0.0.1>"
    assert message["Content-Language"] == "en"
    lines = text(message).split("\n\n")
    assert lines[0].startswith("Mei took the question on")
    assert lines[1] == f"http://127.0.0.1:5000/requests/{number}"
    assert lines[2].startswith("Next: a coordinator")
    assert "your request" in lines[3]
    assert "/me/settings" in lines[4]


def test_the_same_delivery_twice_writes_one_file_under_one_id() -> None:
    asha, mei = making.person("Asha", mail="asha@example.org"), making.person("Mei", Role.COORDINATOR)
    making.matching(asha, mei)
    (first,) = sent()
    db.session.execute(db.update(OutboxRow).values(state=OutboxState.READY, lease_until=None))
    db.session.commit()
    (second,) = sent()
    assert first["Message-ID"] == second["Message-ID"]


def test_an_expert_who_is_asked_gets_the_mail_about_it() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    kofi = making.person("Kofi", mail="kofi@example.org")
    offers.send(making.viewer(mei), making.matching(asha, mei).id, making.profile(kofi).id)
    (message,) = sent("kofi@example.org")
    assert text(message).startswith("Mei asked Kofi to help.")


@pytest.mark.parametrize("how", ["unconfirmed", "unwanted", "without address"])
def test_nobody_gets_mail_who_did_not_want_and_confirm_it(how: str) -> None:
    asha, mei = making.person("Asha", mail="asha@example.org"), making.person("Mei", Role.COORDINATOR)
    if how == "unconfirmed":
        asha.mail_confirmed = False
    elif how == "unwanted":
        asha.mail_wanted = False
    else:
        asha.mail = None
    db.session.commit()
    making.matching(asha, mei)
    assert sent() == []


def test_who_may_no_longer_see_a_request_when_the_mail_leaves_gets_none() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    kofi = making.person("Kofi", mail="kofi@example.org")
    number = making.matching(asha, mei, visibility=Visibility.HUB).id
    team.join(making.viewer(mei), number, "Kofi", "bridge")
    team.leave(making.viewer(kofi), number, kofi.id)
    assert sent() == []
    assert {row.state for row in db.session.query(OutboxRow)} == {OutboxState.DONE}


def test_an_internal_note_does_not_reach_who_left_the_team_before_the_mail_did() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    kofi = making.person("Kofi", mail="kofi@example.org")
    number = making.matching(asha, mei).id
    team.join(making.viewer(mei), number, "Kofi", "bridge")
    deliver()
    replies.write(making.viewer(mei), number, "Between us.", key="n", note=True)
    team.leave(making.viewer(mei), number, kofi.id)
    assert not [m for m in sent("kofi@example.org") if "note" in text(m)]


def test_a_withheld_name_is_not_in_a_watchers_mail() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    sami = making.person("Sami", mail="sami@example.org")
    number = making.matching(asha, mei, withhold_name=True).id
    requests.watch(making.viewer(sami), number)
    replies.write(making.viewer(asha), number, "One more thing.", key="r")
    (message,) = sent("sami@example.org")
    assert text(message).startswith("Somebody replied.")
    assert "Asha" not in message.as_string()


def test_a_mail_is_in_the_language_its_reader_chose() -> None:
    asha = making.person("Asha", mail="asha@example.org", language="fr")
    making.matching(asha, making.person("Mei", Role.COORDINATOR))
    (message,) = sent()
    assert message["Content-Language"] == "fr"


def test_a_mail_says_which_language_it_is_really_in() -> None:
    asha = making.person("Asha", mail="asha@example.org", language="ml")
    making.matching(asha, making.person("Mei", Role.COORDINATOR))
    mail.set_address(making.viewer(making.person("Noor", language="ml")), "noor@example.org")
    assert [message["Content-Language"] for message in sent()] == ["en", "en"]


@pytest.mark.parametrize("title", ["Œuvres 名前 வரைபடம்", "x" * 255, "<b>bold</b> & more", "Ünïcode " * 30])
def test_any_title_survives_the_way_through_a_mail(title: str) -> None:
    asha = making.person("Asha", mail="asha@example.org")
    number = making.matching(asha, making.person("Mei", Role.COORDINATOR), title=title).id
    (message,) = sent()
    assert message["Subject"] == f"[Request {number}] {title.strip()}"
    raw = next(folder().glob("*.eml")).read_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_no_title_makes_a_header_of_its_own(end: str) -> None:
    asha = making.person("Asha", mail="asha@example.org")
    request = making.matching(asha, making.person("Mei", Role.COORDINATOR))
    request.title = f"Maps{end}Bcc: victim@example.org{end}{end}Body of mine"
    db.session.commit()
    (message,) = sent()
    assert message["Bcc"] is None
    assert sorted(map(str.lower, message.keys())) == sorted(
        ["from", "to", "subject", "message-id", "in-reply-to", "references", "auto-submitted", "content-language",
         "content-type", "content-transfer-encoding", "mime-version"]
    )  # fmt: skip


def test_markup_in_a_name_is_just_text() -> None:
    asha = making.person("Asha", mail="asha@example.org")
    making.matching(asha, making.person("Mei <i>& Co</i>", Role.COORDINATOR))
    (message,) = sent()
    assert text(message).startswith("Mei <i>& Co</i> took the question on")


def test_no_more_than_so_many_leave_in_an_hour_and_the_rest_follows(make_app: MakeApp, clock: FixedClock) -> None:
    with make_app(MAIL_PER_HOUR=2).app_context():
        asha, mei = making.person("Asha", mail="asha@example.org"), making.person("Mei", Role.COORDINATOR)
        number = making.matching(asha, mei).id
        for n in range(3):
            replies.write(making.viewer(mei), number, f"Line {n}", key=f"r{n}")
        assert len(sent()) == 2
        waiting = db.session.query(OutboxRow).filter_by(state=OutboxState.READY).all()
        assert [row.tries for row in waiting] == [0, 0], "waiting its turn is no failed try"
        clock.advance(minutes=30)
        assert len(sent()) == 2
        clock.advance(minutes=31)
        assert len(sent()) == 4


# One's own address


def test_a_new_address_counts_only_once_its_link_was_followed() -> None:
    kofi = making.person("Kofi")
    mail.set_address(making.viewer(kofi), " kofi@example.org ")
    assert (kofi.mail, kofi.mail_confirmed) == ("kofi@example.org", False)
    (message,) = sent("kofi@example.org")
    mail.confirm(making.viewer(kofi), token_in(message))
    assert kofi.mail_confirmed


def token_in(message: EmailMessage) -> str:
    found = re.search(r"http://127\.0\.0\.1:5000/me/settings/confirm/(\S+)", text(message))
    assert found
    return found.group(1)


def test_changing_the_address_within_a_minute_sends_a_link_to_the_new_one() -> None:
    kofi = making.person("Kofi")
    mail.set_address(making.viewer(kofi), "old@example.org")
    mail.set_address(making.viewer(kofi), "new@example.org")
    assert [m["To"] for m in sent()] == ["new@example.org"]


def test_saving_one_address_again_and_again_sends_one_link_an_hour(clock: FixedClock) -> None:
    kofi = making.person("Kofi")
    for _ in range(5):
        mail.set_address(making.viewer(kofi), "kofi@example.org")
        clock.advance(minutes=5)
    assert len(sent()) == 1
    clock.advance(hours=1)
    mail.set_address(making.viewer(kofi), "kofi@example.org")
    assert len(sent()) == 2


def test_a_link_works_for_its_person_its_address_and_a_week_only(clock: FixedClock) -> None:
    kofi, sami = making.person("Kofi"), making.person("Sami")
    mail.set_address(making.viewer(kofi), "kofi@example.org")
    mail.set_address(making.viewer(sami), "kofi@example.org")
    token = token_in(sent()[0])
    for who, given in ((sami, token), (kofi, token + "x"), (kofi, "nonsense"), (kofi, "")):
        with pytest.raises(Invalid) as refused:
            mail.confirm(making.viewer(who), given)
        assert refused.value.fields == {"mail": "mail-error-link"}
    mail.set_address(making.viewer(kofi), "other@example.org")
    with pytest.raises(Invalid):
        mail.confirm(making.viewer(kofi), token)
    assert not kofi.mail_confirmed
    assert not sami.mail_confirmed


def test_changing_a_confirmed_address_needs_a_new_confirmation_and_removing_it_none() -> None:
    kofi = making.person("Kofi", mail="kofi@example.org")
    mail.set_address(making.viewer(kofi), "kofi@example.org", wanted=False)
    assert (kofi.mail_confirmed, kofi.mail_wanted) == (True, False)
    mail.set_address(making.viewer(kofi), "new@example.org")
    assert (kofi.mail_confirmed, kofi.mail_wanted) == (False, True)
    mail.set_address(making.viewer(kofi), "")
    assert kofi.mail is None


@pytest.mark.parametrize(
    "address",
    ["kofi", "kofi@", "@example.org", "kofi@host", "a b@example.org", "a@example.org,b@example.org", "a@b@example.org",
     "x" * 250 + "@a.bc",
     "a@example.org\nBcc: b@example.org", "<a@example.org>", "a;b@example.org", "a\x00@example.org", "ä@ö.org",
     "asha@müseum.example"],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused(address: str) -> None:
    kofi = making.person("Kofi")
    with pytest.raises(Invalid) as refused:
        mail.set_address(making.viewer(kofi), address)
    assert refused.value.fields == {"mail": "mail-error-address"}


def test_somebody_blocked_may_stop_mail_and_change_where_it_goes() -> None:
    blake = making.person("Blake", mail="old@example.org")
    blocked = Viewer(blake.id, blocked=True)
    mail.set_address(blocked, "blake@example.org", wanted=False)
    assert db.session.get_one(Person, blake.id).mail == "blake@example.org"
    assert not blake.mail_wanted
    mail.set_address(blocked, "")
    assert db.session.get_one(Person, blake.id).mail is None


def test_who_is_not_signed_in_has_no_address_to_set() -> None:
    with pytest.raises(Forbidden):
        mail.set_address(ANONYMOUS, "a@example.org")
    with pytest.raises(Forbidden):
        mail.confirm(ANONYMOUS, "x")


# What becomes of a mail that cannot be sent


class Refusing:
    """A mailer that cannot send, for the reason it is given."""

    def __init__(self) -> None:
        self.error: Exception = MailLater("451 greylisted")

    def send(self, message: EmailMessage) -> None:
        raise self.error


def test_a_temporary_refusal_is_tried_again_and_a_final_one_is_shown(app: Flask, clock: FixedClock) -> None:
    refusing = Refusing()
    app.extensions["cphub"] = replace(hub(), mailer=refusing)
    asha, mei = making.person("Asha", mail="asha@example.org"), making.person("Mei", Role.COORDINATOR)
    making.matching(asha, mei)
    deliver()
    row = db.session.query(OutboxRow).one()
    assert (row.state, row.tries, row.last_error) == (OutboxState.READY, 1, "451 greylisted")
    clock.advance(hours=1)
    refusing.error = MailRefused("550 gone")
    deliver()
    db.session.expire_all()
    assert (row.state, row.last_error) == (OutboxState.FAILED, "550 gone")


def test_requests_that_went_away_are_no_error() -> None:
    asha, mei = making.person("Asha", mail="asha@example.org"), making.person("Mei", Role.COORDINATOR)
    making.matching(asha, mei)
    db.session.query(OutboxRow).update({"payload": {"event": 4711, "person": asha.id}})
    db.session.commit()
    assert sent() == []
    assert db.session.query(Request).count() == 1
