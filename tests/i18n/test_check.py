"""The check of all messages finds what it promises to find."""

from pathlib import Path

import pytest

from cphub.i18n import sources
from cphub.i18n.__main__ import main
from cphub.i18n.check import problems

from .conftest import Write

SOUND = {"a/en": {"a-x": "X"}, "a/qqq": {"a-x": "Says <script> X."}, "a/fr": {"a-x": "X"}, "a/ar": {"a-x": "X"}}


def with_x(text: str, *, code: str = "en") -> dict[str, object]:
    """One message in every language, with `text` in one of them."""
    return {**SOUND, f"a/{code}": {"a-x": text}}


def in_all(text: str) -> dict[str, object]:
    return {f"a/{code}": {"a-x": text} for code in ("en", "qqq", "fr", "ar")}


def test_shipped_messages_are_sound() -> None:
    assert problems() == []


def test_sound_messages_have_no_problem(write: Write) -> None:
    assert problems(write(SOUND), None) == []


@pytest.mark.parametrize("code", ["qqq", "fr", "ar"])
def test_key_missing_in_a_promised_language(write: Write, code: str) -> None:
    assert problems(write({**SOUND, f"a/{code}": {}}), None) == [f"a/{code}.json: a-x is missing"]


def test_other_languages_may_have_holes(write: Write) -> None:
    assert problems(write({**SOUND, "a/ha": {}}), None) == []


@pytest.mark.parametrize("code", ["qqq", "fr", "ha"])
def test_key_that_english_lacks(write: Write, code: str) -> None:
    folder = write({**SOUND, f"a/{code}": {"a-x": "X", "a-y": "Y"}})
    assert problems(folder, None) == [f"a/{code}.json: a-y is not in en.json"]


def test_subject_without_english(write: Write) -> None:
    assert problems(write({"a/fr": {"a-x": "X"}}), None) == ["a: has no en.json"]


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        (with_x("<u>X</u>", code="fr"), "a/fr.json: a-x: HTML that is not allowed: <u>"),
        (with_x("$1", code="fr"), "a/fr.json: a-x: has $1 where en has no parameter"),
        (with_x("{{PLURAL:3|a|b|c}}"), "a/en.json: a-x: PLURAL has 3 forms, the language 2"),
        (with_x("[https://example.org x]", code="ar"), "a/ar.json: a-x: links to https://example.org, en does not"),
        (with_x("", code="qqq"), "a/qqq.json: a-x says nothing"),
        ({**SOUND, "a/fr": "{"}, "a/fr.json: cannot be read: "),
        ({**SOUND, "a/fr": '{"a-x": "X", "a-x": "Y"}'}, "a/fr.json: cannot be read: a-x is defined twice"),
        ({**SOUND, "a/Français": {}}, "a/Français.json: not the name of a language"),
    ],
)
def test_problem_of_one_message(write: Write, messages: dict[str, object], problem: str) -> None:
    assert problem in "\n".join(problems(write(messages), None))


def test_forms_are_counted_by_language(write: Write) -> None:
    assert problems(write(in_all("{{PLURAL:3|a|b}}")), None) == []
    arabic = with_x("{{PLURAL:3|a|b|c|d|e|f}}", code="ar")
    assert problems(write(arabic), None) == []


@pytest.mark.parametrize("key", ["b-x", "ax", "a-X", "a-x-"])
def test_key_of_the_wrong_shape(write: Write, key: str) -> None:
    found = problems(write({f"a/{code}": {key: "X"} for code in ("en", "qqq", "fr", "ar")}), None)
    assert len(found) == 4
    assert all(key in problem for problem in found)


def test_key_of_two_subjects(write: Write) -> None:
    found = problems(write({**SOUND, **{name.replace("a/", "b/"): content for name, content in SOUND.items()}}), None)
    assert "b/en.json: a-x is already in a" in found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose code and templates ask for messages in every way there is."""
    root = tmp_path / "repository"
    (root / "templates").mkdir(parents=True)
    (root / "cphub").mkdir()
    return root


def keys_of(*keys: str) -> dict[str, object]:
    return {f"a/{code}": dict.fromkeys(keys, "X") for code in ("en", "qqq", "fr", "ar")}


def test_unused_key(write: Write, repository: Path) -> None:
    (repository / "cphub/web.py").write_text('title = speaker.text("a-used")\nkey = f"a-state-{state}"\n')
    (repository / "templates/page.html").write_text('{{ msg("a-shown") }} {{ msg("a-kind-" ~ kind) }}')
    folder = write(keys_of("a-used", "a-shown", "a-state-open", "a-kind-upload", "a-forgotten"))
    assert problems(folder, repository) == ["a/en.json: a-forgotten is used nowhere"]


def test_key_that_is_asked_for_but_missing(write: Write, repository: Path) -> None:
    (repository / "cphub/web.py").write_text(
        'speaker.msg("a-x", "en-gb")\nraise Invalid({"title": "a-nothing"})\nother("b-c")\nmsg("b-x")'
    )
    (repository / "templates/page.html").write_text(
        '<p class="a-class">{{ msg("a-x") }}\n{{ speaker.text("a-gone" if gone else "a-x") }}</p>'
    )
    assert sorted(problems(write(keys_of("a-x")), repository)) == [
        "cphub/web.py:2: no message a-nothing",
        "cphub/web.py:4: no message b-x",
        "templates/page.html:2: no message a-gone",
    ]


def test_every_entry_of_the_vocabularies_needs_its_name(write: Write, repository: Path) -> None:
    folder = write({f"taxonomy/{code}": {} for code in ("en", "qqq", "fr", "ar")})
    assert "taxonomy/en.json: taxonomy-stage-upload is missing" in problems(folder, repository)


@pytest.mark.parametrize(
    "page",
    [
        "{# words #}<p>{{ msg('a-x') }} · 12 — {{ name }}&nbsp;…</p>",
        "{% if a %}<b class='words' data-words='words'>{{ a }}</b>{% endif %}",
        "<style>words</style><script>words</script><code>words</code><!-- words --><!doctype html>",
        "<input placeholder=\"{{ text('a-x') }}\" value='words' {% if a %}hidden{% endif %}>",
        "{% set words = 'words' %}<p {{ attributes }}>{{\n words }}</p>",
    ],
)
def test_page_without_words_of_its_own(write: Write, repository: Path, page: str) -> None:
    (repository / "templates/page.html").write_text(page + "{{ msg('a-x') }}")
    assert problems(write(keys_of("a-x")), repository) == []


@pytest.mark.parametrize(
    ("name", "page", "place"),
    [
        ("page.html", "<p>\n  {{ a }}\n  Save</p>", "3: words outside a message: Save"),
        ("page.html", "{% if a\n %}{% endif %}\n<p>\n Save it\n now</p>", "4: words outside a message: Save it now"),
        ("page.html", "<p>بحث</p>", "1: words outside a message: بحث"),
        ("page.html", '<img alt="A house">', "1: words outside a message: A house"),
        ("page.html", '\n<a title="Go {{ x }}">', "2: words outside a message: Go"),
        ("page.html", '<br aria-label="x"/>', "1: words outside a message: x"),
        ("page.html", "<code>x</code> y", "1: words outside a message: y"),
        ("mail.txt", "{{ a }}\nHello {{ b }},\n", "2: words outside a message: Hello ,"),
        ("page.html", "{{ a }}\n{% if %}", "templates/page.html:2: cannot be read: Expected an expression"),
    ],
)
def test_words_outside_a_message(write: Write, repository: Path, name: str, page: str, place: str) -> None:
    (repository / "templates" / name).write_text(page)
    (repository / "cphub/web.py").write_text('"a-x"')
    [problem] = problems(write(keys_of("a-x")), repository)
    assert place in problem


def test_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_a_key_built_from_a_group_counts_as_used_and_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "cphub").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "cphub" / "page.py").write_text('speaker.text(key_of("requests-state", state.value))\n')
    (tmp_path / "templates" / "page.html").write_text("{{ msg(wording.key_of('requests-outcome', outcome)) }}\n")

    assert {"requests-state-", "requests-outcome-"} <= sources.built_prefixes(tmp_path)
    assert list(sources.asked_for(tmp_path)) == []
