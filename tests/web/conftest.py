"""An app on a database of its own, and the personas that use it as browsers do."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Protocol

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cphub.domain.matching.values import NATIVE, SkillLevel
from cphub.domain.policy import Role, Viewer
from cphub.models import Expert, ExpertLanguage, ExpertSkill, Person, RoleGrant, db
from cphub.services.people import viewer_of
from tests.conftest import open_engine

#: When the personas signed in first.
LONG_AGO = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

#: Persona -> central id (as in the sandbox wiki), name, roles, blocked.
PERSONAS: dict[str, tuple[str, str, set[Role], bool]] = {
    "asha": ("9001", "Asha Mwakyusa", set(), False),
    "kofi": ("9101", "Kofi Asantewaa", set(), False),
    "mei": ("9201", "Mei-Lin Sørdal", {Role.COORDINATOR}, False),
    "lena": ("9301", "Lena Okonjo-Brandt", {Role.COMMITTEE}, False),
    "root": ("9401", "Root Adebayo", {Role.ADMIN}, False),
    "sami": ("9501", "Sami Lehtovaara", set(), False),
    "blake": ("9901", "Blake Harrow", set(), True),
}


class ClientAs(Protocol):
    def __call__(self, name: str | None = None) -> FlaskClient: ...


class Form(Protocol):
    def __call__(self, client: FlaskClient, path: str, action: str | None = None) -> dict[str, str]: ...


@pytest.fixture(scope="session")
def database_with_personas(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and the personas, made once and copied for each test."""
    path = tmp_path_factory.mktemp("personas") / "personas.sqlite"
    shutil.copyfile(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        for name, (central_id, account, roles, blocked) in PERSONAS.items():
            person = Person(central_id=central_id, name=account, blocked=blocked, created_at=LONG_AGO)
            person.roles = [RoleGrant(role=role, granted_at=LONG_AGO) for role in sorted(roles)]
            session.add(person)
            if name == "kofi":
                session.add(_profile(person))
        session.commit()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(database_with_personas: Path, tmp_path: Path) -> str:
    path = tmp_path / "cphub.sqlite"
    shutil.copyfile(database_with_personas, path)
    return f"sqlite:///{path}"


def _profile(person: Person) -> Expert:
    return Expert(
        person=person,
        bio="I have brought the photographs of four museums to Commons.",
        country="GH",
        time_zone="Africa/Accra",
        places=4,
        published=True,
        skills=[
            ExpertSkill(skill="upload.batch", level=SkillLevel.TEACH),
            ExpertSkill(skill="data.identifiers", level=SkillLevel.KNOWN),
        ],
        languages=[ExpertLanguage(language="en", level=5), ExpertLanguage(language="ak", level=NATIVE)],
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )


@pytest.fixture
def overrides(overrides: dict[str, object]) -> dict[str, object]:
    """As for all tests, with a wiki that is not there."""
    return overrides | {
        "SANDBOX": False,
        "OAUTH_CONSUMER_KEY": "c0" * 16,
        "OAUTH_CONSUMER_SECRET": "5e" * 20,
        "WIKI_INDEX_URL": "http://127.0.0.1:9/w/index.php",
        "WIKI_API_URL": "http://127.0.0.1:9/w/api.php",
        "HTTP_TIMEOUT": 1,
    }


@pytest.fixture
def client_as(app: Flask) -> ClientAs:
    """``client_as("mei")``: a browser in which a persona is signed in; without a name, nobody is."""

    def make(name: str | None = None) -> FlaskClient:
        browser = app.test_client()
        if name is not None:
            with browser.session_transaction() as session:
                session["person"] = person_id(app, name)
        return browser

    return make


@pytest.fixture
def viewer(app: Flask) -> Callable[[str], Viewer]:
    """``viewer("mei")``: for calling a service as a persona, inside ``app.app_context()``."""

    def find(name: str) -> Viewer:
        with app.app_context():
            person = db.session.get(Person, person_id(app, name))
            assert person is not None
            return viewer_of(person)

    return find


def person_id(app: Flask, name: str) -> int:
    """The id of a persona's row."""
    with app.app_context():
        found = db.session.scalar(select(Person.id).where(Person.central_id == PERSONAS[name][0]))
    assert found is not None
    return found


@pytest.fixture
def form() -> Form:
    """``form(client, "/requests/new")``: what a form of that page sends untouched, the token among it.

    ``action``: which form, where a page has several; otherwise the last one.
    """

    def read(client: FlaskClient, path: str, action: str | None = None) -> dict[str, str]:
        response = client.get(path)
        assert response.status_code == 200, response.status
        found = _Forms(response.text).forms
        if action is None:
            # The header has the buttons for signing in and out.
            return next(fields for where, fields in reversed(found) if where not in ("/login", "/logout"))
        return next(fields for where, fields in found if where == action)

    return read


def forms_of(page: str) -> dict[str, dict[str, str]]:
    """Action -> what that form of a page sends untouched."""
    return dict(_Forms(page).forms)


class _Forms(HTMLParser):
    """All POST forms of a page: (action, what each sends when nothing is changed)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._fields: dict[str, str] | None = None
        self._area: str | None = None
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form" and have.get("method", "").lower() == "post":
            self._fields = {}
            self.forms.append((have.get("action", ""), self._fields))
        if self._fields is None:
            return
        name = have.get("name", "")
        if tag == "textarea" and name:
            self._area = name
            self._fields[name] = ""
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and ("selected" in have or self._select not in self._fields):
            self._fields[self._select] = have.get("value", "")
        elif tag == "input" and name:
            kind = have.get("type", "text")
            if kind not in ("checkbox", "radio", "submit") or "checked" in have:
                self._fields[name] = have.get("value", "on" if kind == "checkbox" else "")

    def handle_data(self, data: str) -> None:
        if self._fields is not None and self._area:
            before = self._fields[self._area]
            # As a browser does, drop the line break right after the tag.
            self._fields[self._area] = before + (data if before else data.removeprefix("\n"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None
