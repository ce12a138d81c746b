"""The public registry: what everybody sees of experts, and what nobody does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.matching import SkillLevel
from cphub.domain.policy import Viewer
from cphub.models import Expert, Person, db
from cphub.services import experts
from cphub.services.experts import Card, Link
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs

Viewers = Callable[[str], Viewer]


@pytest.fixture
def publish(app: Flask, viewer: Viewers):  # type: ignore[no-untyped-def]
    """Publishes a persona's profile; gives its id."""

    def _publish(name: str, **values: object) -> int:
        given = {"skills": {"data": SkillLevel.KNOWN}, "languages": {"sv": 4}} | values
        with app.app_context():
            return experts.save(viewer(name), Card(**given), publish=True).id  # type: ignore[arg-type]

    return _publish


def kofi(app: Flask) -> int:
    with app.app_context():
        return db.session.query(Expert.id).join(Person).filter(Person.name.like("Kofi%")).scalar()  # type: ignore[no-any-return]


def test_it_works(client: FlaskClient, app: Flask) -> None:
    page = client.get("/experts")
    assert page.status_code == 200
    assert f'href="/experts/{kofi(app)}"' in page.text
    for words in ("Kofi Asantewaa", "Batch upload", "4 of 4 places free", "Ghana", "first language"):
        assert words in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("skill=upload", True),
        ("skill=upload.batch", True),
        ("skill=ethics", False),
        ("language=en", True),
        ("language=ta", False),
        ("country=GH", True),
        ("country=SE", False),
        ("free=1", True),
        ("skill=upload&language=en&country=GH&free=on", True),
        ("skill=upload&language=ta", False),
    ],
)
def test_filters_are_in_the_address(client: FlaskClient, query: str, found: bool) -> None:
    page = client.get(f"/experts?{query}")
    assert page.status_code == 200
    assert ("Kofi Asantewaa" in page.text) is found
    assert ("Nobody fits all of this" in page.text) is not found


def test_a_filter_stays_chosen(client: FlaskClient) -> None:
    page = client.get("/experts?skill=upload.batch").text
    assert '<option value="upload.batch" selected>' in page
    assert '<details class="filters card" open>' in page


@pytest.mark.parametrize("query", ["skill=juggling", "language=xx", "region=MOON", "country=ZZ"])
def test_filters_that_do_not_exist_are_left_out(client: FlaskClient, query: str) -> None:
    page = client.get(f"/experts?{query}")
    assert page.status_code == 200
    assert "Kofi Asantewaa" in page.text


def test_only_languages_and_countries_of_the_registry_are_offered(client: FlaskClient) -> None:
    page = client.get("/experts").text
    assert '<option value="en">' in page
    assert '<option value="ta">' not in page


def test_an_empty_registry_says_what_to_do(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        db.session.query(Expert).update({"published": False})
        db.session.commit()
    page = client.get("/experts").text
    assert "Nobody is in the registry yet" in page
    assert 'href="/me/profile"' in page


def test_somebody_away_is_shown_as_away(client: FlaskClient, publish, clock: FixedClock) -> None:  # type: ignore[no-untyped-def]
    publish("sami", away_until=clock().date() + timedelta(days=3))
    assert "Away until" in client.get("/experts").text
    assert "Sami" not in client.get("/experts?free=1").text


def test_an_organisation_is_marked_and_goes_by_its_name(client: FlaskClient, publish) -> None:  # type: ignore[no-untyped-def]
    publish("sami", is_organisation=True, organisation="Open Archives Trust")
    page = client.get("/experts").text
    assert "Open Archives Trust" in page
    assert ">Organisation<" in page


def test_profile_page_shows_what_the_owner_wrote(client: FlaskClient, publish) -> None:  # type: ignore[no-untyped-def]
    number = publish(
        "sami",
        bio="First line.\nSecond line.\n\nநான் உதவுகிறேன்.",
        time_zone="Asia/Kolkata",
        links=(Link("https://example.org/maps", "Maps of the coast", "412 items"), Link("https://example.org/x")),
        conflicts=("Secret Employer",),
    )
    page = client.get(f"/experts/{number}").text
    assert '<p dir="auto">First line.<br>Second line.</p><p dir="auto">நான்' in page
    assert '<a href="https://example.org/maps" rel="nofollow noopener ugc" dir="auto">Maps of the coast</a>' in page
    assert ">https://example.org/x</a>" in page
    assert "India" in page
    assert "Secret Employer" not in page


def test_it_escapes_what_people_wrote(client: FlaskClient, publish) -> None:  # type: ignore[no-untyped-def]
    bad = "<script>alert(1)</script>\"'>"
    number = publish(
        "sami", is_organisation=True, organisation=bad, bio=bad, links=(Link("https://example.org/\"onx='", bad, bad),)
    )
    for path in ("/experts", f"/experts/{number}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert '"onx=' not in page


@pytest.mark.parametrize(("name", "status"), [(None, 404), ("asha", 404), ("mei", 404), ("root", 404), ("sami", 200)])
def test_a_profile_that_is_not_published_is_only_its_owners(
    app: Flask, client_as: ClientAs, viewer: Viewers, name: str | None, status: int
) -> None:
    with app.app_context():
        number = experts.save(viewer("sami"), Card(bio="In the making"), publish=False).id
    page = client_as(name).get(f"/experts/{number}")
    assert page.status_code == status
    assert "Sami" not in client_as(name).get("/experts").text.split("<main", 1)[1]


def test_there_is_no_such_profile(client: FlaskClient) -> None:
    assert client.get("/experts/4711").status_code == 404


def test_pages_follow_by_the_address(client: FlaskClient, app: Flask, clock: FixedClock) -> None:
    with app.app_context():
        for n in range(60):
            person = Person(central_id=f"8{n:03}", name=f"Expert {n:02}", created_at=clock())
            db.session.add(Expert(person=person, published=True, country="SE", created_at=clock(), updated_at=clock()))
        db.session.commit()
    first = client.get("/experts?country=SE").text
    assert "Expert 49" in first
    assert "Expert 50" not in first
    mark = first.split('rel="next" href="', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    second = client.get(mark).text
    assert "Expert 50" in second
    assert "Expert 49" not in second
    assert 'rel="next"' not in second


def test_a_mark_that_is_not_ours_is_refused(client: FlaskClient) -> None:
    assert client.get("/experts?after=x").status_code == 422
