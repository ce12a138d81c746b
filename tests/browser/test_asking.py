"""Somebody asks for help on a phone: through every step, in both directions of writing, with and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OpenWindow
from tests.browser.looks import axe, too_wide

TITLE = "Negatives of a studio at the river"


def _sound(page: Page) -> None:
    assert axe(page) == []
    assert too_wide(page) == []


def _next(page: Page) -> None:
    page.locator("button[name=do][value=next]:visible").first.click()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_step_is_for_everybody(window: OpenWindow, language: str) -> None:
    page = window("asha", viewport=PHONE).new_page()
    page.goto(f"/requests/new?uselang={language}")
    page.locator("[name=track][value=project]").check(force=True)
    _sound(page)
    _next(page)
    expect(page.locator("#error-summary")).to_be_visible()
    _sound(page)
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=body]").fill("We have 4,000 glass negatives. Who can tell us how to begin?")
    for step in range(2, 7):
        _next(page)
        expect(page).to_have_url(re.compile(rf"step={step}"))
        expect(page.locator("progress")).to_have_attribute("value", str(step))
        _sound(page)
    expect(page.locator(".preview")).to_contain_text(TITLE)
    page.locator("button[value=send]").click()
    expect(page).to_have_url(re.compile(r"/requests/\d+/receipt$"))
    _sound(page)
    page.goto(page.url.replace("receipt", "edit"))
    _sound(page)


def test_question_is_one_page_and_a_project_shows_its_steps_without_a_script(window: OpenWindow) -> None:
    page = window("asha", viewport=PHONE, java_script_enabled=False).new_page()
    page.goto("/requests/new")
    send, steps = page.locator("button[value=send]"), page.locator("progress")
    expect(send).to_be_visible()
    expect(steps).to_be_hidden()
    page.locator("[name=track][value=project]").check(force=True)
    expect(send).to_be_hidden()
    expect(steps).to_be_visible()
    page.locator("[name=track][value=question]").check(force=True)
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=body]").fill("How large may a scan of a glass negative be?")
    send.click()
    expect(page).to_have_url(re.compile(r"/requests/\d+/receipt$"))


def test_going_back_after_sending_leads_to_what_was_sent(window: OpenWindow) -> None:
    page = window("asha").new_page()
    page.goto("/requests/new")
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=body]").fill("How large may a scan of a glass negative be?")
    page.locator("button[value=send]").click()
    expect(page).to_have_url(re.compile(r"/receipt$"))
    receipt = page.url
    page.go_back()
    expect(page).to_have_url(receipt)


def test_new_form_does_not_show_what_was_sent_before(window: OpenWindow) -> None:
    page = window("kofi").new_page()
    page.goto("/requests/new")
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=body]").fill("How large may a scan of a glass negative be?")
    page.locator("button[value=send]").click()
    expect(page).to_have_url(re.compile(r"/receipt$"))
    page.goto("/requests/new")
    expect(page.locator("[name=title]")).to_have_value("")
