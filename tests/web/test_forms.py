"""Reading forms: tidy, bounded, and never more than was offered. And the controls, as they are written out."""

from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser

import pytest
from flask import Flask, render_template_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from cphub.domain.lifecycle import Track
from cphub.errors import Invalid
from cphub.web import forms

IMPORT = '{% import "macros/forms.html" as forms with context %}{% import "macros/ui.html" as ui with context %}'


def sent(*pairs: tuple[str, str]) -> MultiDict[str, str]:
    return MultiDict(pairs)


@given(st.text())
def test_text_keeps_all_that_can_be_seen(typed: str) -> None:
    read = forms.text("a", form=sent(("a", typed)))
    assert "\r" not in read
    assert "\x00" not in read
    seen = [c for c in typed if c.isprintable() and not c.isspace()]
    assert [c for c in read if c.isprintable() and not c.isspace()] == seen


def test_text_that_did_not_come_is_empty() -> None:
    assert forms.text("a", form=sent()) == ""


def test_lines_end_alike_wherever_they_were_typed() -> None:
    assert forms.text("a", form=sent(("a", " one\r\ntwo\rthree \n"))) == "one\ntwo\nthree"


def test_choice() -> None:
    assert forms.choice("track", Track, form=sent(("track", "project"))) is Track.PROJECT
    assert forms.choice("track", Track, Track.QUESTION, form=sent()) is Track.QUESTION


def test_vocabulary() -> None:
    assert forms.one_of("a", {"x", "y"}, form=sent(("a", "x"))) == "x"
    assert forms.one_of("a", {"x", "y"}, form=sent(("a", ""))) is None
    assert forms.many("a", {"x", "y"}, form=sent(("a", "y"), ("a", "x"), ("a", "y"))) == ("y", "x")


def test_day_and_number() -> None:
    assert forms.day("a", form=sent(("a", "2027-03-31"))) == date(2027, 3, 31)
    assert forms.day("a", form=sent()) is None
    assert forms.number("a", form=sent(("a", "12"))) == 12


@pytest.mark.parametrize(
    "read",
    [
        lambda form: forms.choice("a", Track, form=form),
        lambda form: forms.one_of("a", {"x"}, form=form),
        lambda form: forms.many("a", {"x"}, form=form),
        lambda form: forms.day("a", form=form),
        lambda form: forms.number("a", least=1, most=9, form=form),
    ],
)
@pytest.mark.parametrize("typed", ["z", "2027-02-30", "-1", "10", "٣", "9" * 400, "1e1"])
def test_what_was_not_offered_is_invalid(read: Callable[[MultiDict[str, str]], object], typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(sent(("a", typed)))
    assert set(refused.value.fields) == {"a"}


def test_key_of_a_form_is_kept_and_a_strange_one_replaced() -> None:
    assert forms.key(form=sent(("key", "abcDEF-_123"))) == "abcDEF-_123"
    assert forms.key(form=sent(("key", "<b>"))) != forms.key(form=sent(("key", "<b>")))


# --- controls --------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """The elements of a page with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.text() | st.sampled_from(["</textarea><script>", '" onfocus="x', "' x='", "<!--", "]]>", "&lt;"]))
def test_it_escapes_whatever_was_typed(app: Flask, typed: str) -> None:
    controls = (
        IMPORT + "{{ forms.text('a', 'A', typed, {'a': typed}) }}{{ forms.area('b', typed, typed) }}"
        "{{ forms.select('c', 'C', [(typed, typed)]) }}{{ forms.checks('d', 'D', [(typed, typed, typed)]) }}"
        "{{ ui.person(typed or none) }}{{ ui.message('error', typed) }}"
    )
    with app.test_request_context():
        harmless = Tags(render_template_string(controls, typed="x" if typed else ""))
        assert Tags(render_template_string(controls, typed=typed)).found == harmless.found


def test_first_line_break_of_a_text_is_not_lost(app: Flask) -> None:
    """Browsers drop a line break right after the tag."""
    with app.test_request_context():
        page = render_template_string(IMPORT + "{{ forms.area('b', 'B', '\\n second') }}")
    assert ">\n\n second</textarea>" in page


def test_error_stands_at_its_field_and_in_the_summary(app: Flask) -> None:
    with app.test_request_context():
        page = render_template_string(
            IMPORT + "{{ forms.summary(errors) }}{{ forms.text('day', 'Day', '31.3.', errors, hint='When?') }}",
            errors={"day": "errors-day"},
        )
    assert '<a href="#field-day">This is not a date.' in page
    assert 'aria-describedby="field-day-hint field-day-error" aria-invalid="true"' in page
    assert 'id="field-day-error"' in page


def test_ids_of_a_page_are_each_there_once(app: Flask) -> None:
    with app.test_request_context():
        page = render_template_string(
            IMPORT + "{{ forms.radios('a', 'A', [('x', 'X', 'about x'), ('y', 'Y', 'about y')], hint='both') }}"
            "{{ forms.checks('b', 'B', [('x', 'X', 'about x')], hint='all') }}{{ forms.check('c', 'C', hint='one') }}"
        )
    ids = [part.partition('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
