"""The message language: what it can say, and what it refuses."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from cphub.i18n.banana import BananaError, Gender, Parameter, Plural, Text, parse, render, walk
from cphub.i18n.languages import language


def html(source: str, *params: object, code: str = "en") -> str:
    return render(parse(source), params, language(code))


def plain(source: str, *params: object, code: str = "en") -> str:
    return render(parse(source), params, language(code), plain=True)


def test_parameters_are_put_in_their_places() -> None:
    assert html("$2 before $1", "a", "b") == "b before a"


def test_tenth_parameter_is_not_the_first() -> None:
    assert html("$10 $1", *"abcdefghij") == "j a"


def test_missing_parameter_stays_visible_and_further_ones_do_no_harm() -> None:
    assert html("$1 and $2", "a") == "a and $2"
    assert html("$1", "a", "b") == "a"
    assert html("It costs $ or $0") == "It costs $ or $0"


def test_text_parameters_are_escaped_and_markup_is_not() -> None:
    assert html("Hello $1", "<b>") == "Hello &lt;b&gt;"
    assert html("Hello $1", Markup("<b>you</b>")) == "Hello <b>you</b>"
    assert plain("Hello $1", "<b>") == "Hello <b>"
    assert plain("Hello $1", Markup("<b>you &amp; me</b>")) == "Hello you & me"


def test_numbers_are_written_the_local_way() -> None:
    assert html("$1", 1234567) == "1,234,567"
    assert html("$1", 1234567, code="de") == "1.234.567"
    assert html("$1", Decimal("2.5"), code="de") == "2,5"
    assert html("$1", "1234567") == "1234567"


def test_parameters_are_not_read_as_messages() -> None:
    assert html("$1 $2", "$2", "{{PLURAL:1|x}}") == "$2 {{PLURAL:1|x}}"


def test_message_without_parameters_is_one_text() -> None:
    assert parse("<b>Plain</b> & simple | [sic]") == (
        Text(Markup("<b>Plain</b> &amp; simple | [sic]"), "Plain & simple | [sic]"),
    )
    assert parse("") == ()


KITTENS = "$1 has $2 {{plural:$2|kitten|kittens}}. {{genDER:$3|He|She|They}} loves to play with {{PLURAL:$2|it|them}}."


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (("Mira", 1, "female"), "Mira has 1 kitten. She loves to play with it."),
        (("Hari", 2, "male"), "Hari has 2 kittens. He loves to play with them."),
        (("Sam", 0, "unknown"), "Sam has 0 kittens. They loves to play with them."),
        (("Sam", 2, "something else"), "Sam has 2 kittens. They loves to play with them."),
        ((), "$1 has $2 kittens. They loves to play with them."),
    ],
)
def test_plural_and_gender_in_one_sentence(params: tuple[object, ...], expected: str) -> None:
    assert html(KITTENS, *params) == expected


def test_gender_with_few_forms_falls_back_to_the_first() -> None:
    assert html("{{GENDER:$1|He|She}}", "unknown") == "He"
    assert html("{{GENDER:$1|They}}", "female") == "They"
    assert html("{{GENDER:|He|She|They}}") == "They"


NUMBERS = (0, 1, 2, 3, 5, 11, 21, 100, 1.5, 10**6)


# Forms named after the tags of CLDR, in its order; what is said for each of NUMBERS is CLDR's own rule.
@pytest.mark.parametrize(
    ("code", "forms", "said"),
    [
        ("en", "one|other", "other one other other other other other other other other"),
        ("fr", "one|many|other", "one one other other other other other other one many"),
        ("ru", "one|few|many|other", "many one few few many many one many other many"),
        ("pl", "one|few|many|other", "many one few few many many many many other many"),
        ("ar", "zero|one|two|few|many|other", "zero one two few few many many other other other"),
        ("arz", "zero|one|two|few|many|other", "zero one two few few many many other other other"),
        ("he", "one|two|other", "other one two other other other other other other other"),
        ("ja", "other", "other other other other other other other other other other"),
    ],
)
def test_plural_forms_are_those_of_cldr(code: str, forms: str, said: str) -> None:
    assert " ".join(html(f"{{{{PLURAL:$1|{forms}}}}}", n, code=code) for n in NUMBERS) == said


def test_plural_uses_the_last_form_where_the_translator_gave_fewer() -> None:
    russian = [html("{{PLURAL:$1|one|few|rest}}", n, code="ru") for n in (1, 3, 5, 1.5)]
    assert russian == ["one", "few", "rest", "rest"]
    assert [html("{{PLURAL:$1|one|other}}", n, code="ja") for n in (1, 2)] == ["one", "one"]


def test_plural_of_exact_numbers_comes_first() -> None:
    source = "{{PLURAL:$1|0=none|one egg|$1 eggs|12=a dozen}}"
    assert [html(source, n) for n in (0, 1, 2, 12, 112)] == [
        "none",
        "one egg",
        "2 eggs",
        "a dozen",
        "112 eggs",
    ]
    assert html("{{PLURAL:$1|2=x{{PLURAL:$2|y|z}}|other}}", 2, 1) == "xy"


@pytest.mark.parametrize("number", ["many", "", float("nan"), float("inf"), "NaN", None])
def test_plural_of_no_number_is_the_last_form(number: object) -> None:
    assert html("{{PLURAL:$1|one|other}}", number) == "other"


def test_plural_counts_text_that_is_a_number() -> None:
    assert html("{{PLURAL:$1|one|other}}", "1") == "one"
    assert html("{{PLURAL:3|one|other}}") == "other"


def test_functions_nest() -> None:
    source = "{{PLURAL:$1|{{GENDER:$2|his|her|their}} file|{{GENDER:$2|his|her|their}} <b>$1</b> files}}"
    assert html(source, 3, "female") == "her <b>3</b> files"
    assert html(source, 1, "") == "their file"


def test_grammar_passes_the_word_through() -> None:
    assert html("{{GRAMMAR:genitive|$1}}", "Commons") == "Commons"


def test_link_to_fixed_address() -> None:
    source = "See [https://example.org/a?b=1&c=2 the <b>page</b>]."
    assert html(source) == 'See <a href="https://example.org/a?b=1&amp;c=2">the <b>page</b></a>.'
    assert plain(source) == "See the page (https://example.org/a?b=1&c=2)."


def test_link_to_address_in_a_parameter() -> None:
    assert html("[$1 here]", "/requests/7?a=1&b=2") == '<a href="/requests/7?a=1&amp;b=2">here</a>'
    assert html("[$1 here]", Markup("/x?a=1&amp;b=2")) == '<a href="/x?a=1&amp;b=2">here</a>'
    assert html("[mailto:$1 write]", "a@example.org") == '<a href="mailto:a%40example.org">write</a>'
    assert html("[/requests/$1 $2]", "7/../x", "<i>") == '<a href="/requests/7%2F..%2Fx">&lt;i&gt;</a>'
    assert plain("[$1 $1]", "https://example.org/") == "https://example.org/"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "//example.org",
        "/\\example.org",
        "/\t/example.org",
        "requests",
        "",
        'https://example.org/"onclick="x',
        Markup("javascript&colon;alert(1)"),
    ],
)
def test_dangerous_address_leaves_only_the_text(address: str) -> None:
    assert html("[$1 here]", address) == "here"
    assert plain("[$1 here]", address) == "here"


@pytest.mark.parametrize("source", ["[sic] x", "a[1]", "[ftp://x y]", "[//example.org x]", "[/\\example.org x]"])
def test_other_brackets_are_text(source: str) -> None:
    assert html(source) == source


def test_entities_are_characters() -> None:
    assert html("a&nbsp;b &lt;i&gt; R&D &#39;") == "a\xa0b &lt;i&gt; R&amp;D &#39;"
    assert plain("a&nbsp;b &lt;i&gt; R&D &#39;") == "a\xa0b <i> R&D '"


def test_allowed_tags_are_kept_in_html_and_left_out_of_plain_text() -> None:
    assert html("<strong>a</strong><br/><kbd>b</kbd>") == "<strong>a</strong><br><kbd>b</kbd>"
    assert plain("<strong>a</strong><br><kbd>b</kbd>") == "a\nb"
    assert html("1 < 2 > 0, <3") == "1 &lt; 2 &gt; 0, &lt;3"


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<SCRIPT>",
        "<b onclick=x>y</b>",
        "<a href='https://example.org'>x</a>",
        "<img src=x onerror=y>",
        "<!-- x -->",
        "<b",
        "<b>not closed",
        "</b>",
        "<b><i>crossed</b></i>",
        "<b>{{PLURAL:$1|a</b>|b}}",
        "{{PLURAL:$1|<script>|b}}",
        "[https://example.org <script>]",
        "{{PLURAL:$1|one|other",
        "{{PLURAL:$1|one|other}",
        "{{PLURAL:$1}}",
        "{{PLURAL:x|one|other}}",
        "{{PLURAL:$1|1=one}}",
        "{{SITENAME}}",
        "{{INT:foo|bar}}",
        "{{gender:$1|He}} }}",
        "[https://example.org not closed",
        "{{GENDER:<script>|a|b}}",
        "{{PLURAL:$1|" * 2000,
        "[$1 " * 2000,
    ],
)
def test_malformed_or_dangerous_message_is_refused(source: str) -> None:
    with pytest.raises(BananaError):
        parse(source)


def test_walk_finds_what_is_inside() -> None:
    nodes = list(walk(parse("{{PLURAL:$1|{{GENDER:$2|$3|x}}|4=[https://example.org/$5 $6]}}")))
    assert {node.position for node in nodes if isinstance(node, Parameter)} == {1, 2, 3, 5, 6}
    assert sum(isinstance(node, Plural) for node in nodes) == 1
    assert sum(isinstance(node, Gender) for node in nodes) == 1


TAGGED = "<b>$1</b> {{PLURAL:$2|$1|[$1 $2]}} {{GENDER:$1|$2|[/x/$1 $2]}} [https://example.org/$2 x]"


@given(st.text(), st.text() | st.integers() | st.floats())
def test_no_parameter_opens_a_tag_or_leaves_an_attribute(first: str, second: object) -> None:
    left = html(TAGGED, first, second)
    for tag in ("<b>", "</b>", "</a>"):
        left = left.replace(tag, "")
    for link in left.split("<a href=")[1:]:
        address, _, _ = link.removeprefix('"').partition('"')
        assert link.startswith(f'"{address}">')
        assert address.lower().startswith(("/", "http://", "https://", "mailto:"))
    assert "<" not in left.replace("<a href=", "")


@given(st.text(alphabet="$1{}|[]<>/b&;:=PLURAL https", max_size=60))
def test_every_source_is_parsed_or_refused(source: str) -> None:
    try:
        tree = parse(source)
    except BananaError:
        return
    assert "<script" not in render(tree, (), language("en"))
