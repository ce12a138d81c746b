"""One's own profile: nothing is published without its owner, and nothing that was typed is lost."""

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.matching import SkillLevel
from cphub.models import Expert, Person, db
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs, Form

PATH = "/me/profile"


def stored(app: Flask, name: str) -> Expert | None:
    with app.app_context():
        found = db.session.query(Expert).join(Person).filter(Person.name.like(f"{name}%")).first()
        if found is not None:
            for part in (found.skills, found.languages, found.links, found.conflicts):
                list(part)  # read before the session ends
        return found


def filled(form: Form, browser: FlaskClient, **values: str) -> dict[str, str]:
    """The form of a newcomer, filled in."""
    return form(browser, PATH, PATH) | {
        "bio": "I scan and describe postcards.", "country": "FI", "time_zone": "Europe/Helsinki", "places": "3",
        "language-1": "fi", "level-1": "6", "language-2": "en", "level-2": "4", "conflicts": "My museum\n\nMy museum\n",
        "url-1": "example.org/cards", "title-1": "Postcards", "note-1": "800 of them",
    } | {name.replace("_", "-"): value for name, value in values.items()}  # fmt: skip


def test_newcomer_saves_marks_skills_and_publishes(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    saved = sami.post(PATH, data=filled(form, sami, do="skills"))
    assert (saved.status_code, saved.location) == (303, "/me/profile/skills")
    assert client_as().get("/experts").text.count("Sami") == 0

    skills = form(sami, "/me/profile/skills", "/me/profile/skills")
    done = sami.post("/me/profile/skills", data=skills | {"skill.upload.batch": "teach", "skill.data": "learn"})
    assert (done.status_code, done.location) == (303, PATH)
    expert = stored(app, "Sami")
    assert expert is not None
    assert not expert.published

    published = sami.post(PATH, data=form(sami, PATH, PATH) | {"do": "publish"})
    assert (published.status_code, published.location) == (303, f"/experts/{expert.id}")
    expert = stored(app, "Sami")
    assert expert is not None
    assert expert.published
    assert {s.skill: s.level for s in expert.skills} == {"upload.batch": SkillLevel.TEACH, "data": SkillLevel.LEARN}
    assert {x.language: x.level for x in expert.languages} == {"fi": 6, "en": 4}
    (link,) = expert.links
    assert (link.url, link.title, link.note) == ("https://example.org/cards", "Postcards", "800 of them")
    assert [c.name for c in expert.conflicts] == ["My museum"]
    assert (expert.places, expert.country, expert.time_zone) == (3, "FI", "Europe/Helsinki")
    assert "Sami" in client_as().get("/experts").text


@pytest.mark.parametrize("do", ["keep", "skills", "", "preview", "something"])
def test_nothing_but_publish_publishes(app: Flask, client_as: ClientAs, form: Form, do: str) -> None:
    sami = client_as("sami")
    sami.post(PATH, data=filled(form, sami, do=do))
    expert = stored(app, "Sami")
    assert expert is None or not expert.published


def test_the_first_button_is_not_the_one_that_publishes(client_as: ClientAs) -> None:
    """Enter in a field presses the first button."""
    page = client_as("sami").get(PATH).text
    form = page.split('action="/me/profile"', 1)[1]
    assert form.split('name="do" value="', 1)[1].startswith("preview")


def test_saving_an_unchanged_published_profile_changes_nothing(app: Flask, client_as: ClientAs, form: Form) -> None:
    kofi = client_as("kofi")
    before = stored(app, "Kofi")
    kofi.post(PATH, data=form(kofi, PATH, PATH) | {"do": "publish"})
    after = stored(app, "Kofi")
    assert before is not None
    assert after is not None
    for name in ("bio", "country", "time_zone", "places", "published"):
        assert getattr(before, name) == getattr(after, name)
    assert {s.skill: s.level for s in before.skills} == {s.skill: s.level for s in after.skills}
    assert {x.language: x.level for x in before.languages} == {x.language: x.level for x in after.languages}


def test_published_stays_published_when_skills_change(app: Flask, client_as: ClientAs, form: Form) -> None:
    kofi = client_as("kofi")
    kofi.post("/me/profile/skills", data=form(kofi, "/me/profile/skills") | {"skill.ethics": "learn"})
    expert = stored(app, "Kofi")
    assert expert is not None
    assert expert.published
    assert "ethics" in {s.skill for s in expert.skills}


def test_published_profile_needs_a_skill(app: Flask, client_as: ClientAs, form: Form) -> None:
    kofi = client_as("kofi")
    empty = {"csrf_token": form(kofi, "/me/profile/skills")["csrf_token"]}
    page = kofi.post("/me/profile/skills", data=empty)
    assert page.status_code == 422
    assert "Mark at least one skill" in page.text


def test_taking_it_out_and_bringing_it_back(app: Flask, client_as: ClientAs, form: Form) -> None:
    kofi = client_as("kofi")
    out = kofi.post("/me/profile/unpublish", data=form(kofi, PATH, "/me/profile/unpublish"))
    assert (out.status_code, out.location) == (303, PATH)
    assert "Kofi" not in client_as().get("/experts").text
    kofi.post(PATH, data=form(kofi, PATH, PATH) | {"do": "publish"})
    assert "Kofi" in client_as().get("/experts").text


def test_taking_out_what_is_not_there_is_no_error(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    token = form(sami, PATH, PATH)["csrf_token"]
    assert sami.post("/me/profile/unpublish", data={"csrf_token": token}).status_code == 303


def test_preview_shows_what_others_would_see_and_saves_nothing(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    page = sami.post(PATH, data=filled(form, sami, do="preview"))
    assert page.status_code == 200
    preview = page.text.split('class="card preview"', 1)[1].split("</section>", 1)[0]
    for words in ("Sami Lehtovaara", "I scan and describe postcards.", "Finland", "800 of them"):
        assert words in preview
    assert "My museum" not in preview
    assert 'value="example.org/cards"' in page.text, "what was typed is still in the form"
    assert stored(app, "Sami") is None


def test_preview_follows_no_dangerous_link(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    page = sami.post(PATH, data=filled(form, sami, do="preview", url_1="javascript:alert(1)"))
    assert page.status_code == 422
    assert 'href="javascript' not in page.text


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("organisation", {"kind": "organisation", "organisation": ""}, "Write the name of the organisation"),
        ("places", {"places": "many"}, "Write a whole number"),
        ("places", {"places": ""}, "Write a number from 0 to 16"),
        ("places", {"places": "17"}, "Write a number from 0 to 16"),
        ("away_until", {"away_until": "tomorrow"}, "This is not a date"),
        ("away_until", {"away_until": "2029-12-31"}, "more than two years"),
        ("kind", {"kind": "alien"}, "Choose one of the answers"),
        ("country", {"country": "Atlantis"}, "Choose one of the answers"),
        ("time_zone", {"time_zone": "Mars/Olympus"}, "Choose one of the answers"),
        ("language-2", {"language-2": "fi"}, "This language is there twice"),
        ("level-2", {"level-2": ""}, "Choose how well you speak"),
        ("level-2", {"level-2": "9"}, "Choose how well you speak"),
        ("languages", {"language-1": "xx"}, "Choose one of the answers"),
        ("links", {"url-1": "ftp://example.org"}, "Each address must begin with https"),
        ("url-1", {"url-1": "", "title-1": "No address"}, "Write the address of this link"),
        ("bio", {"bio": "x" * 5_001}, ""),
        ("skills", {"do": "publish"}, "Mark at least one skill"),
    ],
)
def test_it_validates_and_keeps_what_was_typed(
    app: Flask, client_as: ClientAs, form: Form, field: str, values: dict[str, str], said: str
) -> None:
    sami = client_as("sami")
    page = sami.post(PATH, data=filled(form, sami, do="keep", bio="My typed words.") | values)
    assert page.status_code == 422
    summary = page.text.split('id="error-summary"', 1)[1].split("</ul>", 1)[0]
    assert f'href="#field-{field}"' in summary
    assert f'id="field-{field}"' in page.text
    assert said in summary
    if field != "bio":
        assert "My typed words." in page.text
    assert "800 of them" in page.text
    assert stored(app, "Sami") is None


def test_skills_that_do_not_exist_are_refused_and_the_rest_is_kept(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    data = form(sami, "/me/profile/skills") | {"skill.data": "expert", "skill.upload": "teach"}
    page = sami.post("/me/profile/skills", data=data)
    assert page.status_code == 422
    assert '<input type="radio" name="skill.upload" value="teach" checked>' in page.text


def test_more_rows_come_with_more_languages(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    assert 'name="language-2"' in sami.get(PATH).text
    assert 'name="language-5"' not in sami.get(PATH).text
    data = filled(form, sami, do="keep")
    codes = ["fi", "en", "sv", "de", "fr", "es", "et", "ru"]
    data |= {f"language-{n}": code for n, code in enumerate(codes, 1)} | {f"level-{n}": "3" for n in range(1, 9)}
    assert sami.post(PATH, data=data).status_code == 303
    page = sami.get(PATH).text
    assert 'name="language-8"' in page
    assert 'name="language-9"' not in page


def test_it_escapes_what_was_typed(client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    bad = '"><script>alert(1)</script>'
    page = sami.post(PATH, data=filled(form, sami, do="keep", bio=bad, organisation=bad, title_1=bad, conflicts=bad))
    assert page.status_code == 303
    assert "<script>alert" not in sami.get(PATH).text


@pytest.mark.parametrize("path", [PATH, "/me/profile/skills"])
def test_stranger_is_asked_to_sign_in(client: FlaskClient, path: str) -> None:
    page = client.get(path).text
    assert 'action="/login"' in page
    assert 'name="bio"' not in page


@pytest.mark.parametrize("path", [PATH, "/me/profile/skills", "/me/profile/unpublish"])
def test_blocked_person_cannot_write(client_as: ClientAs, form: Form, path: str) -> None:
    blake = client_as("blake")
    token = form(blake, PATH, PATH)["csrf_token"]
    assert blake.post(path, data={"csrf_token": token, "do": "publish"}).status_code == 403


def test_words_typed_before_the_session_ended_come_back(app: Flask, client_as: ClientAs, form: Form) -> None:
    sami = client_as("sami")
    data = filled(form, sami, do="publish", bio="Typed before the session ended.")
    with sami.session_transaction() as session:
        person = session.pop("person")
    assert sami.post(PATH, data=data).status_code == 401
    with sami.session_transaction() as session:
        session["person"] = person
    page = sami.get(PATH).text
    assert "Typed before the session ended." in page
    assert 'value="800 of them"' in page
    assert stored(app, "Sami") is None


def test_it_rejects_get_for_taking_out(client_as: ClientAs) -> None:
    assert client_as("kofi").get("/me/profile/unpublish").status_code == 405


@pytest.mark.parametrize("path", [PATH, "/me/profile/skills"])
@pytest.mark.parametrize("language", ["en", "ar", "fr"])
def test_pages_stay_light(client_as: ClientAs, path: str, language: str) -> None:
    page = client_as("kofi").get(f"{path}?uselang={language}", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"field-" in gzip.decompress(page.data)
    assert len(page.data) < 15_000


def test_a_time_zone_of_finer_division_stays_chosen(app: Flask, client_as: ClientAs, clock: FixedClock) -> None:
    page = client_as("kofi").get(PATH).text
    assert '<option value="Africa/Accra" selected>' in page
