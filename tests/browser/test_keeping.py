"""Nothing that was typed gets lost: not with an ended session, not with a lost connection, not with a closed window."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NAMES, PHONE, OpenWindow, sign_in

TITLE = (
    "Postcards of \N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}Alt-Hafen\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
)
BODY = "A family has given 900 postcards to our library.\nWhere do we begin?"
SAVE = "**/requests/new/save"
#: Milliseconds after which the form has certainly tried to save, and tried again.
A_WHILE = 5_000
A_LONG_WHILE = 70_000


def write(page: Page) -> None:
    page.get_by_label("Title").fill(TITLE)
    page.locator("[name=body]").fill(BODY)


def expect_written(page: Page) -> None:
    expect(page.locator("[name=title]")).to_have_value(TITLE)
    expect(page.locator("[name=body]")).to_have_value(BODY)


def send(page: Page) -> None:
    page.locator("button[name=do][value=send]:visible").click()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_form_of_somebody_who_is_not_signed_in_is_sent_after_signing_in(window: OpenWindow, script: bool) -> None:
    page = window(java_script_enabled=script, viewport=PHONE).new_page()
    page.goto("/requests/new")
    write(page)
    send(page)
    sign_in(page, NAMES["sami"])
    expect_written(page)
    send(page)
    expect(page).to_have_url(re.compile(r"/requests/\d+/receipt$"))


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_form_outlives_the_session(window: OpenWindow, script: bool) -> None:
    context = window("sami", java_script_enabled=script)
    page = context.new_page()
    page.goto("/requests/new")
    write(page)
    context.clear_cookies()
    send(page)
    sign_in(page, NAMES["sami"])
    expect_written(page)


def test_form_is_saved_while_somebody_types(window: OpenWindow) -> None:
    page = window("asha").new_page()
    page.clock.install()
    page.goto("/requests/new")
    write(page)
    page.clock.run_for(A_WHILE)
    state = page.locator("#draft-state")
    expect(state).to_have_text(re.compile(r"\d:\d\d"))
    expect(state).not_to_have_class(re.compile("is-wrong"))
    page.reload()
    expect_written(page)
    page.goto("/me")
    expect(page.get_by_role("heading", name=TITLE).first).to_be_visible()


@pytest.mark.parametrize("how", ["the connection is lost", "the server is away"])
def test_form_says_that_it_is_not_saved_and_is_saved_when_it_can_be(window: OpenWindow, how: str) -> None:
    context = window("asha")
    page = context.new_page()
    page.clock.install()
    page.goto("/requests/new")
    if how == "the connection is lost":
        context.set_offline(True)
    else:
        page.route(SAVE, lambda route: route.fulfill(status=502, body="<html>Bad gateway"))
    write(page)
    page.clock.run_for(A_WHILE)
    state = page.locator("#draft-state")
    expect(state).to_have_class(re.compile("is-wrong"))
    expect(state).not_to_be_empty()
    context.set_offline(False)
    page.unroute_all()
    page.clock.run_for(A_LONG_WHILE)
    expect(state).not_to_have_class(re.compile("is-wrong"))
    page.reload()
    expect_written(page)


def test_what_could_not_be_saved_is_there_when_the_page_is_opened_again(window: OpenWindow) -> None:
    context = window("kofi")
    page = context.new_page()
    page.goto("/requests/new")
    page.route(SAVE, lambda route: route.abort())
    write(page)
    page.close()
    page = context.new_page()
    page.goto("/requests/new")
    expect_written(page)
    expect(page.locator("#draft-state")).not_to_be_empty()


def test_page_of_another_site_signs_nobody_out(window: OpenWindow) -> None:
    context = window("asha")
    ours, theirs = context.new_page(), context.new_page()
    ours.goto("/me")
    tool, foreign = ours.url.removesuffix("/me"), "http://elsewhere.example/"
    form = f"<form method=post action='{tool}/me/settings'></form><script>document.forms[0].submit()</script>"
    theirs.route(foreign, lambda route: route.fulfill(content_type="text/html", body=form))
    theirs.goto(foreign)
    theirs.wait_for_url(f"{tool}/me/settings")
    ours.reload()
    expect(ours.locator("form[action='/logout']").first).to_be_attached()
