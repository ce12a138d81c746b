"""Every page as everybody: axe finds nothing, in light and dark, in English on a desk, in Arabic on a phone."""

import pytest
from playwright.sync_api import expect

from cphub import create_app
from tests.browser.conftest import DESK, PHONE, Tab
from tests.browser.looks import axe, too_wide
from tests.browser.pages import MATCHING, PLACES, Place


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_page_is_for_everybody(place: Place, tab: Tab) -> None:
    page = tab(place.who)
    faults: dict[str, list[str]] = {}
    for language, direction, size in (("en", "ltr", DESK), ("ar", "rtl", PHONE)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="light")
        response = page.goto(f"{place.path}{'&' if '?' in place.path else '?'}uselang={language}")
        assert response is not None
        assert response.status == place.status
        root = page.locator("html")
        assert (root.get_attribute("lang"), root.get_attribute("dir")) == (language, direction)
        assert page.locator("h1").count() == 1
        faults[language] = axe(page)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE)
        faults[f"{language} dark, narrow"] = axe(page, "color-contrast", "link-in-text-block", "target-size")
        faults[f"{language} too wide"] = too_wide(page)
    assert not {what: found for what, found in faults.items() if found}


#: What machines ask for, and addresses that only lead on to a page.
NO_PAGES = {"static", "home.healthz", "home.readyz", "home.robots", "home.toolinfo", "me.data"}
NO_PAGES |= {"sign_in.callback", "offers.show"}
#: Behind links with a key that is only sent by mail or shown once; ``test_journey.py`` comes there.
BEHIND_A_KEY = {"asking.see_handover", "settings.confirm"}


def test_every_page_is_in_the_list() -> None:
    """Whoever adds a page adds it to ``pages.py``, too."""
    addresses = create_app({"SECRET_KEY": "only for tests", "SANDBOX": True}).url_map
    looked_at = {addresses.bind("").match(place.path.partition("?")[0])[0] for place in PLACES if place.status == 200}
    pages = {rule.endpoint for rule in addresses.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - looked_at - NO_PAGES - BEHIND_A_KEY == set()


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
