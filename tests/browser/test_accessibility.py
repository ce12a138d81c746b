"""Every page, as everybody: nothing that axe finds, in light and dark, in English and Arabic, wide and narrow."""

import pytest
from playwright.sync_api import expect

from cphub import create_app
from tests.browser.conftest import DESK, PHONE, Tab
from tests.browser.looks import axe, small_targets, too_wide
from tests.browser.pages import MATCHING, PLACES, Place


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_page_is_for_everybody(place: Place, tab: Tab) -> None:
    page = tab(place.who)
    faults: dict[str, list[str]] = {}
    for language, direction in (("en", "ltr"), ("ar", "rtl")):
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="light")
        path = f"{place.path}{'&' if '?' in place.path else '?'}uselang={language}"
        response = page.goto(path)
        assert response is not None
        assert response.status == place.status
        root = page.locator("html")
        assert (root.get_attribute("lang"), root.get_attribute("dir")) == (language, direction)
        assert page.locator("h1").count() == 1
        faults[f"{language} wide"] = axe(page)
        page.emulate_media(color_scheme="dark")
        faults[f"{language} dark"] = axe(page, "color-contrast", "link-in-text-block")
        page.set_viewport_size(PHONE)
        faults[f"{language} narrow, sideways"] = too_wide(page)
        faults[f"{language} narrow, hard to hit"] = small_targets(page)
        if language == "ar":
            faults["ar narrow"] = axe(page)
    assert not {what: found for what, found in faults.items() if found}


#: Not pages: what machines ask for, and addresses that only lead on to a page.
NO_PAGES = {"static", "home.healthz", "home.readyz", "home.toolinfo", "sign_in.callback"}


def test_every_page_is_in_the_list() -> None:
    """Whoever adds a page adds it to ``pages.py``, too."""
    addresses = create_app({"SECRET_KEY": "only for tests", "SANDBOX": True}).url_map
    looked_at = {addresses.bind("").match(place.path.partition("?")[0])[0] for place in PLACES if place.status == 200}
    pages = {rule.endpoint for rule in addresses.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - looked_at - NO_PAGES == set()


@pytest.mark.parametrize("path", ["/", "/requests"])
def test_keyboard_comes_to_the_content_with_the_first_key(path: str, tab: Tab) -> None:
    page = tab(None)
    page.set_viewport_size(DESK)
    page.goto(path)
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize(
    "place",
    [place for place in PLACES if place.path in ("/", "/requests/new", "/queue", f"/requests/{MATCHING}")],
    ids=str,
)
def test_keyboard_goes_through_the_page_in_its_order_and_is_seen(place: Place, tab: Tab) -> None:
    page = tab(place.who)
    page.set_viewport_size(DESK)
    page.goto(place.path)
    before = -1
    for _ in range(200):
        page.keyboard.press("Tab")
        order, seen, what = page.evaluate(_FOCUS)
        if order < 0:  # round to the browser's own bars
            break
        assert order > before, f"{what} comes too late"
        assert seen, f"nobody sees that {what} has the focus"
        before = order
    assert before > 3


#: The place of what has the focus among all elements, whether one sees that it has it, and what it is.
_FOCUS = """() => {
    const one = document.activeElement;
    if (one === document.body) return [-1, true, ''];
    const boxes = [one, one.parentElement, one.nextElementSibling].filter(Boolean);
    const marked = box => {
        const style = getComputedStyle(box);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
    };
    return [[...document.querySelectorAll('*')].indexOf(one), boxes.some(marked), one.outerHTML.slice(0, 160)];
}"""
