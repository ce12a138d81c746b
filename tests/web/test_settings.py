"""What people set for themselves."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.policy import Viewer
from cphub.hub import hub
from cphub.jobs import worker
from cphub.models import Person, db
from tests.web.conftest import ClientAs, Form, person_id

PATH = "/me/settings"
Viewers = Callable[[str], Viewer]


def person(app: Flask, name: str) -> Person:
    with app.app_context():
        found = db.session.get_one(Person, person_id(app, name))
        db.session.expunge(found)
        return found


def test_it_works(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    fields = form(sami, PATH, PATH) | {"language": "fr", "time_zone": "Asia/Kolkata"}
    saved = sami.post(PATH, data=fields)
    assert (saved.status_code, saved.location) == (303, PATH)
    assert (person(app, "sami").language, person(app, "sami").time_zone) == ("fr", "Asia/Kolkata")
    page = sami.get(PATH).text
    assert '<html lang="fr"' in page
    assert '<option value="Asia/Kolkata" selected>' in page


def test_the_chosen_language_wins_over_one_chosen_in_passing(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    sami.get("/?uselang=ar")
    assert '<html lang="ar"' in sami.get("/").text
    sami.post(PATH, data=form(sami, PATH, PATH) | {"language": "fr"})
    assert '<html lang="fr"' in sami.get("/").text


def test_a_choice_can_be_taken_back(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    sami.post(PATH, data=form(sami, PATH, PATH) | {"language": "fr", "time_zone": "UTC"})
    sami.post(PATH, data=form(sami, PATH, PATH) | {"language": "", "time_zone": ""})
    assert (person(app, "sami").language, person(app, "sami").time_zone) == (None, None)


@pytest.mark.parametrize(("field", "value"), [("language", "xx"), ("time_zone", "Mars/Olympus")])
def test_it_validates(app: Flask, client_as: ClientAs, form: Form, field: str, value: str) -> None:
    sami = client_as("sami")
    page = sami.post(PATH, data=form(sami, PATH, PATH) | {field: value})
    assert page.status_code == 422
    assert f'href="#field-{field}"' in page.text
    assert getattr(person(app, "sami"), field) is None


def test_who_is_not_signed_in_is_asked_to(client: FlaskClient) -> None:
    assert 'action="/login"' in client.get(PATH).text


def test_a_blocked_person_may_choose_how_to_read(app: Flask, client_as: ClientAs, form: Form) -> None:
    blake = client_as("blake")
    assert blake.post(PATH, data=form(blake, PATH, PATH) | {"language": "fr"}).status_code == 303
    assert person(app, "blake").language == "fr"


def test_links_for_those_who_look_after_the_hub(client_as: ClientAs) -> None:
    shown = {name: client_as(name).get(PATH).text for name in ("sami", "mei", "root")}
    assert {n for n, page in shown.items() if 'href="/admin/roles"' in page} == {"root"}
    assert {n for n, page in shown.items() if 'href="/queue/deliveries"' in page} == {"mei", "root"}


# Mail


def confirmation(app: Flask) -> str:
    """The path in the mail that was sent last."""
    with app.app_context():
        while worker.work():
            pass
        newest = max(hub().settings.MAIL_FOLDER.glob("confirm-*.eml"), key=lambda path: path.stat().st_mtime_ns)
    text = newest.read_text().replace("=\n", "")
    found = re.search(r"(/me/settings/confirm/\S+)", text)
    assert found
    return found.group(1)


def give(browser: FlaskClient, form: Form, address: str, **values: str) -> int:
    fields = form(browser, PATH, f"{PATH}/mail") | {"mail": address, "wanted": "on"} | values
    return browser.post(f"{PATH}/mail", data=fields).status_code


def test_a_link_that_does_not_work_says_so_at_once(client_as: ClientAs) -> None:
    page = client_as("sami").get("/me/settings/confirm/zzz")
    assert page.status_code == 404
    assert "This link is too old" in page.text
    assert "Confirm the address" not in page.text


def test_an_address_is_given_and_confirmed(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    assert give(sami, form, "sami@example.org") == 303
    assert "is not confirmed yet" in sami.get(PATH).text
    path = confirmation(app)
    assert "Confirm the address" in sami.get(path).text
    assert not person(app, "sami").mail_confirmed, "looking at the link is not confirming"
    done = sami.post(path, data=form(sami, path, path))
    assert (done.status_code, done.location) == (303, PATH)
    assert person(app, "sami").mail_confirmed
    assert "Mail goes to sami@example.org." in sami.get(PATH).text


def test_another_person_cannot_confirm(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami, asha = client_as("sami"), client_as("asha")
    give(sami, form, "sami@example.org")
    path = confirmation(app)
    page = asha.post(path, data=form(asha, PATH, f"{PATH}/mail"))
    assert page.status_code == 422
    assert "made for another account" in page.text
    assert not person(app, "sami").mail_confirmed


def test_a_link_that_is_nonsense_is_refused(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    path = f"{PATH}/confirm/nonsense"
    assert sami.post(path, data=form(sami, PATH, f"{PATH}/mail")).status_code == 422


def test_the_link_asks_to_sign_in_first(client: FlaskClient) -> None:
    assert 'action="/login"' in client.get(f"{PATH}/confirm/x").text


@pytest.mark.parametrize("address", ["sami", "sami@host", "<script>@example.org", "a@example.org, b@example.org"])
def test_what_is_no_address_is_refused_and_kept(app: Flask, client_as: ClientAs, form: Form, address: str) -> None:
    sami = client_as("sami")
    page = sami.post(f"{PATH}/mail", data=form(sami, PATH, f"{PATH}/mail") | {"mail": address})
    assert page.status_code == 422
    assert 'href="#field-mail"' in page.text
    assert address.replace("<", "&lt;").replace(">", "&gt;") in page.text
    assert person(app, "sami").mail is None


def test_mail_can_be_stopped_and_the_address_deleted(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    give(sami, form, "sami@example.org")
    fields = form(sami, PATH, f"{PATH}/mail")
    fields.pop("wanted")
    sami.post(f"{PATH}/mail", data=fields)
    assert not person(app, "sami").mail_wanted
    give(sami, form, "")
    assert person(app, "sami").mail is None


def test_a_blocked_person_may_change_and_remove_their_own_address(app: Flask, client_as: ClientAs, form: Form) -> None:
    blake = client_as("blake")
    for address in ("old@example.org", "new@example.org", ""):
        assert give(blake, form, address) == 303
        assert person(app, "blake").mail == (address or None)
