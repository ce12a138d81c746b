"""What travels beside the pages: headers, cookies, compression; and nothing inline, which the policy would stop."""

import os
import re
from gzip import decompress
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.web import assets
from tests.conftest import MakeApp
from tests.web.conftest import ClientAs

TEMPLATES = Path(__file__).parents[2] / "templates"
PAGES = ("/", "/privacy", "/login", "/nowhere")


def directives(policy: str) -> dict[str, str]:
    return {name: value for name, _, value in (each.strip().partition(" ") for each in policy.split(";"))}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("name", [None, "mei"])
def test_policy_allows_our_own_files_and_nothing_inline(client_as: ClientAs, name: str | None, path: str) -> None:
    policy = directives(client_as(name).get(path).headers["Content-Security-Policy"])
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not [value for value in policy.values() if "unsafe" in value or "*" in value]


def test_policy_lets_the_sign_in_form_end_at_the_wiki(make_app: MakeApp) -> None:
    app = make_app(WIKI_INDEX_URL="https://meta.wikimedia.org/w/index.php")
    policy = directives(app.test_client().get("/").headers["Content-Security-Policy"])
    assert policy["form-action"] == "'self' https://meta.wikimedia.org"


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_how_they_may_be_treated(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-cache"
    assert {"Accept-Language", "Cookie", "Accept-Encoding"} <= {name.strip() for name in headers["Vary"].split(",")}


def test_cookie_is_for_this_host_alone(make_app: MakeApp) -> None:
    app = make_app(BASE_URL="https://cphub.toolforge.org", WIKI_INDEX_URL="https://meta.wikimedia.org/w/index.php")
    answer = app.test_client().get("/", base_url="https://cphub.toolforge.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-cphub=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_cookies_work_without_tls_on_this_machine(client: FlaskClient) -> None:
    cookie = client.get("/").headers["Set-Cookie"]
    assert cookie.startswith("cphub=")
    assert "Secure" not in cookie


def test_language_cookie_is_as_careful(client: FlaskClient) -> None:
    cookies = client.get("/?uselang=fr").headers.getlist("Set-Cookie")
    (cookie,) = (each for each in cookies if each.startswith("cphub_language="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


# --- compression -----------------------------------------------------------------------------------------------------


def test_page_is_compressed_for_those_who_can_read_it(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"<!DOCTYPE html>" in decompress(answer.data)[:20]
    assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize("encodings", ["", "identity", "gzip;q=0", "br"])
def test_page_is_plain_for_others(client: FlaskClient, encodings: str) -> None:
    answer = client.get("/", headers={"Accept-Encoding": encodings})
    assert "Content-Encoding" not in answer.headers
    assert answer.data.startswith(b"<!DOCTYPE html>")


def test_small_answer_is_not_worth_it(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get("/robots.txt", headers={"Accept-Encoding": "gzip"}).headers


def test_another_site_learns_nothing_from_the_size(client_as: ClientAs) -> None:
    asked = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"}
    assert "Content-Encoding" not in client_as("asha").get("/", headers=asked).headers
    assert "Content-Encoding" in client_as().get("/", headers=asked).headers


# --- static files ----------------------------------------------------------------------------------------------------


def addresses(client: FlaskClient) -> set[str]:
    return set(re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text))


def test_static_files_are_kept_for_ever_under_their_hash(client: FlaskClient) -> None:
    found = addresses(client)
    assert {name.rpartition("/")[2].partition(".")[0] for name in found} == {"codex", "app", "favicon"}
    for address in found:
        with client.get(address) as answer:
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_plain_address_of_a_static_file_is_asked_for_again(client: FlaskClient) -> None:
    with client.get("/static/css/app.css") as answer:
        assert answer.headers["Cache-Control"] == "max-age=60, public"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_codex_travels_compressed(client: FlaskClient, encoding: str) -> None:
    with client.get("/static/vendor/codex.css", headers={"Accept-Encoding": encoding}) as answer:
        assert answer.headers["Content-Encoding"] == encoding


@pytest.mark.parametrize(("age", "served"), [(0, b"copy"), (60, b"the file")])
def test_compressed_copy_is_served_unless_the_file_is_newer(tmp_path: Path, age: float, served: bytes) -> None:
    sheet, copy = tmp_path / "a.css", tmp_path / "a.css.gz"
    sheet.write_bytes(b"the file")
    copy.write_bytes(b"copy")
    os.utime(copy, (sheet.stat().st_atime, sheet.stat().st_mtime - age))
    app = Flask("other", static_folder=str(tmp_path), static_url_path="/static")
    assets.init_app(app)
    with app.test_client().get("/static/a.css", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.data == served


@pytest.mark.parametrize("language", ["en", "ar"])
def test_first_visit_costs_less_than_60_kilobytes(client: FlaskClient, language: str) -> None:
    zipped = {"Accept-Encoding": "gzip"}
    page = client.get(f"/?uselang={language}", headers=zipped)
    total = len(page.data)
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', decompress(page.data).decode())):
        with client.get(address, headers=zipped) as answer:
            total += len(answer.data)
    assert total < 60_000


def test_nothing_outside_the_folder_is_served(client: FlaskClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/css/../../app.py"):
        assert client.get(path).status_code == 404


# --- templates -------------------------------------------------------------------------------------------------------


class Inline(HTMLParser):
    """Collects what a strict policy forbids, and what would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in have):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in have if name == "style" or name.startswith("on")]
        if (have.get("href") or "").startswith("javascript:"):
            self.found.append(f"{tag} href")
        if tag in {"script", "link", "img", "iframe", "source"}:
            target = have.get("src") or have.get("href") or ""
            if urlsplit(target).netloc:
                self.found.append(target)


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_template_has_nothing_inline_and_nothing_from_elsewhere(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    reader = Inline()
    reader.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL))
    assert reader.found == []
    assert "|safe" not in re.sub(r"'[^'{}<>]*'\|safe", "", source), "only fixed attributes need no escaping"


def test_a_local_run_has_one_name(client: FlaskClient) -> None:
    answer = client.get("/privacy?uselang=fr", base_url="http://localhost:5000")

    assert (answer.status_code, answer.location) == (307, "http://127.0.0.1:5000/privacy?uselang=fr")
    assert client.get("/privacy", base_url="http://127.0.0.1:5000").status_code == 200
