"""Giving and taking roles."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.policy import Role
from cphub.models import Person, db
from tests.web.conftest import ClientAs, Form, person_id

PATH = "/admin/roles"


def roles(app: Flask, name: str) -> set[Role]:
    with app.app_context():
        return {grant.role for grant in db.session.get_one(Person, person_id(app, name)).roles}


def test_it_works(client_as: ClientAs) -> None:
    page = client_as("root").get(PATH).text
    for name in ("Mei-Lin Sørdal", "Lena Okonjo-Brandt", "Root Adebayo"):
        assert name in page
    assert "given by the configuration or on the command line" in page


@pytest.mark.parametrize("name", ["asha", "kofi", "mei", "lena", "sami", "blake"])
def test_stranger_cannot_see_or_change_it(app: Flask, client_as: ClientAs, name: str) -> None:
    browser = client_as(name)
    assert browser.get(PATH).status_code == 403
    token = browser.get("/").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    given = {"csrf_token": token, "name": "Sami Lehtovaara", "role": "admin"}
    assert browser.post(PATH, data=given).status_code == 403
    mei = person_id(app, "mei")
    taken = {"csrf_token": token, "role": "coordinator"}
    assert browser.post(f"{PATH}/{mei}/revoke", data=taken).status_code == 403
    assert roles(app, "mei") == {Role.COORDINATOR}
    assert roles(app, "sami") == set()


def test_who_is_not_signed_in_is_asked_to(client: FlaskClient) -> None:
    assert 'action="/login"' in client.get(PATH).text


def test_a_role_is_given_by_name(app: Flask, client_as: ClientAs, form: Form) -> None:
    root = client_as("root")
    done = root.post(PATH, data=form(root, PATH, PATH) | {"name": "sami_Lehtovaara", "role": "coordinator"})
    assert (done.status_code, done.location) == (303, PATH)
    assert roles(app, "sami") == {Role.COORDINATOR}
    page = root.get(PATH).text
    assert "Sami Lehtovaara has the role now." in page
    assert "given by Root Adebayo" in page
    assert client_as("sami").get("/queue").status_code == 200


def test_a_role_is_taken_away(app: Flask, client_as: ClientAs, form: Form) -> None:
    root = client_as("root")
    action = f"{PATH}/{person_id(app, 'mei')}/revoke"
    done = root.post(action, data=form(root, PATH, action))
    assert (done.status_code, done.location) == (303, PATH)
    assert roles(app, "mei") == set()
    assert client_as("mei").get("/queue").status_code == 403


def test_the_own_admin_role_cannot_be_taken(app: Flask, client_as: ClientAs, form: Form) -> None:
    root = client_as("root")
    own = person_id(app, "root")
    assert f'action="{PATH}/{own}/revoke"' not in root.get(PATH).text
    page = root.post(f"{PATH}/{own}/revoke", data=form(root, PATH, PATH) | {"role": "admin"})
    assert page.status_code == 422
    assert "You cannot take your own administrator role away." in page.text
    assert roles(app, "root") == {Role.ADMIN}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "Nobody Known", "role": "coordinator"}, "name"),
        ({"name": "", "role": "coordinator"}, "name"),
        ({"name": "Sami Lehtovaara", "role": ""}, "role"),
        ({"name": "Sami Lehtovaara", "role": "king"}, "role"),
    ],
)
def test_it_validates_and_keeps_what_was_typed(
    app: Flask, client_as: ClientAs, form: Form, values: dict[str, str], field: str
) -> None:
    root = client_as("root")
    page = root.post(PATH, data=form(root, PATH, PATH) | values)
    assert page.status_code == 422
    assert f'href="#field-{field}"' in page.text
    assert f'name="name" value="{values["name"]}"' in page.text
    assert roles(app, "sami") == set()


def test_it_escapes_what_was_typed(client_as: ClientAs, form: Form) -> None:
    root = client_as("root")
    page = root.post(PATH, data=form(root, PATH, PATH) | {"name": '"><script>x</script>', "role": "admin"})
    assert "<script>x" not in page.text


def test_taking_from_nobody_is_not_found(client_as: ClientAs, form: Form) -> None:
    root = client_as("root")
    page = root.post(f"{PATH}/4711/revoke", data=form(root, PATH, PATH) | {"role": "coordinator"})
    assert page.status_code == 404


def test_it_rejects_get_for_taking(client_as: ClientAs) -> None:
    assert client_as("root").get(f"{PATH}/1/revoke").status_code == 405
