"""Pages for when something goes wrong: they say what to do, in the reader's language, and nothing typed is lost."""

from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import RequestEntityTooLarge, TooManyRequests
from werkzeug.test import TestResponse

from cphub import clock
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.models import Person, db
from cphub.web import current
from tests.conftest import MakeApp
from tests.web.conftest import ClientAs, Form

TYPED = 'ä "quoted" <b>\r\nsecond line'


def with_pages(app: Flask) -> Flask:
    """Pages that fail in every way."""

    @app.get("/fail/<how>")
    def fail(how: str) -> str:
        raise {
            "not-found": NotFound(),
            "forbidden": Forbidden(),
            "conflict": Conflict("requests-conflict-verb", by="Mei"),
            "invalid": Invalid({"title": "errors-choice"}),
            "too-many": TooManyRequests(),
            "too-large": RequestEntityTooLarge(),
            "bug": ZeroDivisionError(),
            "row": IntegrityError("INSERT", {}, Exception("duplicate")),
            "database": OperationalError("SELECT", {}, Exception(1290, "read-only")),
        }[how]

    @app.get("/read")
    def read() -> str:
        return str(db.session.scalar(sa.select(sa.func.count()).select_from(Person)))

    @app.post("/write")
    @current.writes
    def write() -> str:
        db.session.add(Person(name=request.form["text"], created_at=clock.now()))
        db.session.commit()
        return "written"

    return app


@pytest.fixture
def app(app: Flask) -> Flask:
    app.testing = False  # the pages are for those who do not debug
    return with_pages(app)


def heading(answer: TestResponse) -> str:
    return unescape(answer.text.partition("<h1>")[2].partition("</h1>")[0])


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("not-found", 404, "There is nothing here"),
        ("forbidden", 403, "This is not for you to do"),
        ("conflict", 409, "This did not work"),
        ("invalid", 422, "Something is missing or wrong"),
        ("too-many", 429, "Please slow down"),
        ("too-large", 413, "That is too much"),
        ("bug", 500, "Something broke here"),
        ("row", 500, "Something broke here"),
        ("database", 503, "We will be back soon"),
    ],
)
@pytest.mark.parametrize("name", [None, "asha"])
def test_every_failure_has_a_page(client_as: ClientAs, name: str | None, how: str, status: int, said: str) -> None:
    answer = client_as(name).get(f"/fail/{how}")
    assert (answer.status_code, heading(answer)) == (status, said)
    assert "⧼" not in answer.text
    assert "Traceback" not in answer.text


def test_page_of_nothing_is_in_the_reader_s_language(client: FlaskClient) -> None:
    answer = client.get("/nowhere?uselang=ar")
    assert answer.status_code == 404
    assert '<html lang="ar" dir="rtl">' in answer.text


@pytest.mark.parametrize("number", ["2147483648", "9223372036854775808", "9" * 20, "9" * 5000, "٣"])
@pytest.mark.parametrize("path", ["/requests/{}", "/experts/{}", "/replies/{}/edit", "/offers/{}", "/requests/{}/task"])
def test_numbers_that_nothing_can_have_lead_nowhere(client_as: ClientAs, path: str, number: str) -> None:
    assert client_as("mei").get(path.format(number)).status_code == 404


@pytest.mark.parametrize("number", ["9" * 20, "-1", "+1", "٣"])
@pytest.mark.parametrize("path", ["/requests?after=20260101000000000000-{}", "/queue?after=20260101-{}",
                                  "/experts?after={}", "/inbox?after={}", "/requests/new?step={}"])  # fmt: skip
def test_invented_marks_break_nothing(client_as: ClientAs, path: str, number: str) -> None:
    assert client_as("mei").get(path.format(number)).status_code in (200, 404, 422)


def test_wrong_method_is_nothing_here(client: FlaskClient) -> None:
    assert client.get("/logout").status_code == 405


def test_fields_are_named_in_words(client: FlaskClient) -> None:
    assert "Choose one of the answers that are offered." in client.get("/fail/invalid").text


def test_it_escapes_the_address(client: FlaskClient) -> None:
    assert "<img" not in client.get("/%3Cimg%20src=x%3E?next=%3Cimg%3E").text.replace('<img src="/static', "")


def test_too_long_a_form_is_refused(client: FlaskClient, form: Form) -> None:
    fields = form(client, "/login", "/login")
    assert client.post("/login", data={**fields, "text": "x" * 1_000_001}).status_code == 413


# --- the database is away --------------------------------------------------------------------------------------------


@pytest.fixture
def without_database(make_app: MakeApp, tmp_path: Path) -> Flask:
    app = with_pages(make_app(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/no/such/folder/cphub.sqlite"))
    app.testing = False
    return app


@pytest.fixture
def member(without_database: Flask) -> FlaskClient:
    """Somebody who signed in before the database went away."""
    client = without_database.test_client()
    with client.session_transaction() as session:
        session["person"] = 1
    return client


@pytest.mark.parametrize("path", ["/", "/privacy", "/read", "/nowhere", "/fail/bug", "/login", "/requests/1"])
def test_member_meets_a_plain_page_when_the_database_is_away(member: FlaskClient, path: str) -> None:
    answer = member.get(path)
    assert (answer.status_code, heading(answer)) == (503, "We will be back soon")
    assert answer.headers["Retry-After"] == "60"


def test_it_is_in_the_reader_s_language_without_a_database(member: FlaskClient) -> None:
    assert '<html lang="fr"' in member.get("/", headers={"Accept-Language": "fr-CA, en;q=0.5"}).text
    assert '<html lang="ar" dir="rtl">' in member.get("/?uselang=ar").text
    assert "(errors-title-unavailable)" in member.get("/?uselang=qqx").text


def test_pages_without_data_need_no_database(without_database: Flask) -> None:
    client = without_database.test_client()
    for path in ("/", "/privacy", "/login", "/healthz", "/robots.txt", "/toolinfo.json"):
        assert client.get(path).status_code == 200, path


def test_member_stays_signed_in_while_the_database_is_away(member: FlaskClient) -> None:
    member.get("/")
    with member.session_transaction() as session:
        assert session["person"] == 1


def test_typed_text_is_on_the_page_when_the_database_is_away(member: FlaskClient) -> None:
    answer = member.post("/write", data={"text": TYPED, "kinds": ["a", "b"]}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 503
    assert '<form method="post" action="/write"' in answer.text
    assert 'value="ä &#34;quoted&#34; &lt;b&gt;\r\nsecond line"' in answer.text
    assert answer.text.count('name="kinds"') == 2


def test_text_of_another_site_is_not_on_the_page(member: FlaskClient) -> None:
    answer = member.post("/write", data={"text": TYPED}, headers={"Sec-Fetch-Site": "cross-site"})
    assert "second line" not in answer.text


def test_health_is_well_without_a_database(member: FlaskClient) -> None:
    assert member.get("/healthz").status_code == 200
    assert member.get("/readyz").status_code == 503


def test_the_log_says_what_happened(member: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    member.get("/")
    assert "database: OperationalError" in caplog.text


# --- the database can only be read -----------------------------------------------------------------------------------


@pytest.fixture
def read_only(app: Flask) -> Flask:
    """As MariaDB's error 1290, which says that a server is read-only."""
    with app.app_context():

        @sa.event.listens_for(db.engine, "connect")
        def forbid(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
            connection.cursor().execute("PRAGMA query_only = ON")

        db.engine.dispose()
    return app


def test_pages_can_be_read_while_the_database_is_read_only(read_only: Flask, client_as: ClientAs) -> None:
    answer = client_as("asha").get("/")
    assert answer.status_code == 200
    assert "Asha Mwakyusa" in answer.text


def test_typed_text_is_on_the_page_while_the_database_is_read_only(
    read_only: Flask, client_as: ClientAs, form: Form
) -> None:
    client = client_as("asha")
    token = form(client, "/", "/logout")["csrf_token"]
    answer = client.post("/write", data={"csrf_token": token, "text": TYPED})
    assert (answer.status_code, heading(answer)) == (503, "We will be back soon")
    assert "second line" in answer.text
    assert f'name="csrf_token" value="{token}"' in answer.text, "it can be sent again as it is"
    assert int(client.get("/read").text) == 7, "nothing half-written"


def test_parking_fails_kindly_while_the_database_is_read_only(read_only: Flask, client: FlaskClient) -> None:
    answer = client.post("/write", data={"text": TYPED, "page": "/read"})
    assert answer.status_code == 503
    assert "second line" in answer.text


def test_configuration_can_forbid_writing(make_app: MakeApp, form: Form) -> None:
    app = with_pages(make_app(READ_ONLY_REASON="The database moves until noon."))
    client = app.test_client()
    with client.session_transaction() as session:
        session["person"] = 1
    page = client.get("/")
    assert "The database moves until noon." in page.text
    token = form(client, "/", "/logout")["csrf_token"]
    answer = client.post("/write", data={"csrf_token": token, "text": TYPED})
    assert (answer.status_code, heading(answer)) == (503, "Nothing can be changed at the moment")
    assert "The database moves until noon." in answer.text
    assert "second line" in answer.text
