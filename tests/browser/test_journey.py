"""One request from signing in to the outcome that the requester confirms, as five people live it.

With JavaScript, without it, and on a phone in Arabic: so buttons and fields are found by what they do and are called
in the form, never by their words.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cphub.i18n import Catalogue, Speaker
from tests.browser.conftest import NAMES, PHONE, OpenWindow, Stack, sign_in
from tests.browser.looks import axe, too_wide

TITLE = "Lists of 240 old wells from a printed survey"
BODY = "Our town has a printed survey of its wells.\n\nHow do we bring it to Wikidata?"
REPLY = "Good day, I have done this with forts. Which columns does the survey have?"
PARTNER = "Survey Office of Old Wells"
NOTE = "The survey may be in copyright: I ask before we begin."
ANSWER = "Name, year, depth and a drawing."
SUMMARY = "All 240 wells are on Wikidata, and the drawings stay where they are."

#: How each of the three travels.
WAYS: dict[str, dict[str, Any]] = {
    "with JavaScript": {},
    "without JavaScript": {"java_script_enabled": False},
    "in Arabic on a phone": {"java_script_enabled": False, "viewport": PHONE, "locale": "ar"},
}


@dataclass
class Journey:
    """The windows of the people in it, and the request once it has a number."""

    asha: Page
    mei: Page
    lena: Page
    kofi: Page
    somebody: Page
    words: Speaker
    script: bool
    number: int = 0

    @property
    def path(self) -> str:
        return f"/requests/{self.number}"

    def open(self, page: Page) -> Page:
        page.goto(self.path)
        return page

    def press(self, page: Page, action: str, **fields: str) -> None:
        """Fill in and send the form of the request page, or of one of its own pages, that leads to ``action``."""
        form = page.locator(f"main form[action='{action}']")
        for name, value in fields.items():
            field = form.locator(f"[name='{name}']")
            if field.first.get_attribute("type") == "radio":
                form.locator(f"[name='{name}'][value='{value}']").check()
            elif field.get_attribute("type") == "checkbox":
                field.check()
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        form.locator("button").last.click()
        expect(page.locator("main .cdx-message--error")).to_have_count(0)

    def do(self, page: Page, verb: str, **fields: str) -> None:
        """Carry out a verb from the request page: its form is there for the first thing to do, else behind a link."""
        action = f"{self.path}/do/{verb}"
        self.open(page)
        link = page.locator(f"main a[href='{action}']")
        if link.count():
            link.click()
        self.press(page, action, **fields)
        expect(page).to_have_url(re.compile(f"{self.path}$"))

    def expect_state(self, page: Page, state: str) -> None:
        """The page shows the state, and while the request is open also who does what next."""
        expect(page.locator(".request-head")).to_contain_text(self.words.text(f"requests-state-{state}"))
        expect(page.locator(".next-step")).to_have_count(0 if state == "closed" else 1)

    def looks_well(self, page: Page) -> None:
        assert too_wide(page) == []
        if self.script:  # axe waits for timers, which do not run without
            assert axe(page) == []


@pytest.fixture(params=WAYS)
def journey(request: pytest.FixtureRequest, window: OpenWindow) -> Journey:
    way = WAYS[request.param]
    language = "ar" if "locale" in way else "en"

    def opened(persona: str | None) -> Page:
        page = window(persona, **way).new_page()
        page.goto(f"/?uselang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        return page

    return Journey(
        asha=opened(None),  # she has not been here yet, and signs in on the way
        mei=opened("mei"),
        lena=opened("lena"),
        kofi=opened("kofi"),
        somebody=opened(None),
        words=Catalogue.load().speaker(language),
        script="java_script_enabled" not in way,
    )


def test_request_is_lived_through(journey: Journey, stack: Stack) -> None:
    asha_asks(journey)
    coordinator_and_committee_decide(journey)
    coordinator_finds_an_expert(journey)
    expert_accepts_and_they_talk(journey)
    task_is_made(journey, stack)
    lead_resolves_and_asha_confirms(journey)


def asha_asks(journey: Journey) -> None:
    page = journey.asha
    sign_in(page, NAMES["asha"])
    page.locator("a[href='/requests/new']").first.click()
    journey.looks_well(page)
    page.locator("[name=card][value=data]").check(force=True)
    page.locator("[name=track][value=project]").check()
    step(page, title=TITLE, body=BODY)
    step(page, partner_name=PARTNER, country="GH", partner_type="authority")
    step(page, community="Wells of Ghana", language="en")
    step(page)  # the committee's questions may stay empty
    page.locator("[name=withhold_partner]").check()
    step(page, "look")
    expect(page.locator("#preview")).to_contain_text(TITLE)
    expect(page.locator("#preview")).not_to_contain_text(PARTNER)
    journey.looks_well(page)
    step(page)
    journey.looks_well(page)
    step(page, "send")
    expect(page).to_have_url(re.compile(r"/requests/\d+/receipt$"))
    journey.number = int(page.url.split("/")[-2])
    expect(page.locator("main")).to_contain_text(NAMES["mei"])  # who looks at it
    journey.looks_well(page)
    journey.open(page)
    journey.expect_state(page, "received")


def step(page: Page, button: str = "next", **fields: str) -> None:
    """Fill in a step of the form and press one of its buttons."""
    for name, value in fields.items():
        field = page.locator(f"form.asking-form [name={name}]").last
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.locator(f"form.asking-form button[name=do][value={button}]:visible").first.click()
    page.wait_for_load_state()
    expect(page.locator("#error-summary")).to_have_count(0)


def coordinator_and_committee_decide(journey: Journey) -> None:
    mei, lena = journey.mei, journey.lena
    mei.goto("/queue")
    mei.locator(f"main a[href='{journey.path}']").first.click()
    journey.do(mei, "review")
    journey.expect_state(mei, "in-review")
    journey.do(lena, "approve", reason="Many lists like this one are waiting.")
    journey.expect_state(lena, "matching")


def coordinator_finds_an_expert(journey: Journey) -> None:
    mei = journey.mei
    journey.open(mei).locator("a[href$='/needs']").click()
    needs = {"skill-0": "data.wikidata", "must-0": "on", "skill-1": "data.lists", "weight": "S"}
    journey.press(mei, f"{journey.path}/needs", **needs)
    form = mei.locator(f"form[action='{journey.path}/offer']")
    ranked = form.locator(".cdx-radio")
    kofi = ranked.filter(has_text=NAMES["kofi"])
    expect(kofi.locator(".match-reason").first).to_be_visible()
    journey.looks_well(mei)
    kofi.get_by_role("radio").check()
    form.locator("textarea").fill("This is like your forts.")
    form.locator("button").click()
    expect(mei.locator("#experts .offers")).to_contain_text(NAMES["kofi"])


def expert_accepts_and_they_talk(journey: Journey) -> None:
    asha, kofi = journey.asha, journey.kofi
    kofi.goto("/me")
    kofi.locator(f"main a[href^='{journey.path}']").first.click()
    expect(kofi.locator("#offer")).to_contain_text("This is like your forts.")
    journey.looks_well(kofi)
    kofi.locator("#offer form[action$='/accept'] button").click()
    journey.expect_state(kofi, "in-progress")
    journey.press(kofi, f"{journey.path}/note", body=NOTE)
    journey.press(kofi, f"{journey.path}/reply", body=REPLY, ask="on")
    expect(kofi.get_by_text(NOTE)).to_be_visible()
    journey.looks_well(kofi)

    asha.goto("/inbox")
    asha.locator(f"main a[href^='{journey.path}']").first.click()
    expect(asha.get_by_text(REPLY)).to_be_visible()
    expect(asha.get_by_text(NOTE)).to_have_count(0)
    journey.looks_well(asha)
    expect_public_alone(journey, journey.somebody)
    journey.press(asha, f"{journey.path}/reply", body=ANSWER)
    expect(asha.get_by_text(ANSWER)).to_be_visible()


def expect_public_alone(journey: Journey, page: Page) -> None:
    journey.open(page)
    expect(page.get_by_text(REPLY)).to_be_visible()
    for withheld in (NOTE, PARTNER, "This is like your forts."):
        expect(page.get_by_text(withheld)).to_have_count(0)


def task_is_made(journey: Journey, stack: Stack) -> None:
    kofi = journey.kofi
    journey.open(kofi).locator(f"a[href='{journey.path}/task']").click()
    expect(kofi.locator(".task-preview")).to_contain_text(TITLE)
    expect(kofi.locator(".task-preview")).not_to_contain_text(PARTNER)
    journey.looks_well(kofi)
    kofi.locator("button[name=do][value=order]").click()
    link = kofi.locator(f"#task a[href^='{stack.phabricator_url}/T']")
    for _ in range(40):  # the worker looks once a second
        if link.count():
            break
        kofi.wait_for_timeout(500)
        journey.open(kofi)
    number = int(link.inner_text().removeprefix("T"))
    task = stack.phabricator.task(number)
    assert task is not None
    assert TITLE in task.title
    assert f"{stack.url}{journey.path}" in task.description
    assert PARTNER not in task.description


def lead_resolves_and_asha_confirms(journey: Journey) -> None:
    asha, kofi = journey.asha, journey.kofi
    journey.do(kofi, "resolve", outcome="solved", summary=SUMMARY)
    journey.expect_state(kofi, "resolved")
    journey.open(asha)
    expect(asha.get_by_text(SUMMARY).first).to_be_visible()
    journey.do(asha, "confirm")
    journey.expect_state(asha, "closed")
    journey.looks_well(asha)


def test_what_came_by_mail_is_written_down_and_handed_over(window: OpenWindow) -> None:
    mei = window("mei").new_page()
    mei.goto("/requests/new?for=other")
    step(mei, "send", on_behalf_of="Aunt Petra", title="Where do our bells belong?", body=BODY)
    link = mei.locator("input[name=link]").input_value()
    somebody = window().new_page()
    somebody.goto(link)
    expect(somebody.locator("main")).to_contain_text("Aunt Petra")
    assert axe(somebody) == []
    somebody.locator("main form button").click()
    sign_in(somebody, NAMES["sami"])
    somebody.locator("main form button").click()
    expect(somebody).to_have_url(re.compile(r"/requests/\d+$"))
    somebody.goto("/me")
    expect(somebody.get_by_role("link", name="Where do our bells belong?").first).to_be_visible()


def test_mail_address_counts_when_the_link_in_the_mail_was_opened(window: OpenWindow, stack: Stack) -> None:
    page = window("sami").new_page()
    page.goto("/me/settings")
    form = page.locator("form[action='/me/settings/mail']")
    form.locator("input[type=email]").fill("sami@example.org")
    form.locator("button").first.click()
    page.goto(mailed_link(page, stack, "/me/settings/confirm/"))
    assert axe(page) == []
    page.locator("main form button").click()
    expect(page.locator("main [role=status]").first).to_be_visible()


def mailed_link(page: Page, stack: Stack, path: str) -> str:
    """The link with that path out of the mail that has one."""
    for _ in range(40):  # the worker looks once a second
        for mail in stack.mail.glob("*.eml"):
            text = message_from_bytes(mail.read_bytes(), policy=default).get_content()
            if found := re.search(rf"{re.escape(stack.url + path)}\S+", text):
                return found[0]
        page.wait_for_timeout(500)
    raise AssertionError(f"no mail has a link to {path}")
