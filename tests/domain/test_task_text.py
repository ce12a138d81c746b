"""The text of a task: what it holds, how it is cut, and that no words of people act in it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cphub.domain.task_text import BODY_BYTES, TITLE_LENGTH, TaskSource, compose, quote
from cphub.i18n import Catalogue
from cphub.sandbox.phabricator.remarkup import mentioned_tasks, mentioned_users

URL = "https://cphub.example.org/requests/12"
WORD = Catalogue.load().speaker("en").text
FENCE = "```"

PIECES = [
    "`",
    "``",
    "```",
    "````",
    "%%%",
    "@noor",
    "T1",
    "{F1}",
    "#tag",
    ">",
    "-",
    "*",
    "=",
    "[[",
    "]]",
    "|",
    "ﷺ",
    "😀",
    "lang=text",
]
BLANKS = ["\n", "\r", "\r\n", "\x00", "\x01", "\x0b", "\x85", "\u2028", "\u200b", "\ud800", " ", "    "]
hostile = st.lists(st.sampled_from(PIECES + BLANKS) | st.text(max_size=5), max_size=30).map("".join)


def source(**values: object) -> TaskSource:
    known: dict[str, object] = {"number": 12, "title": "Photos of a museum", "body": "We hold 400 photos."}
    return TaskSource(**known | values)  # type: ignore[arg-type]


def outside(description: str) -> list[str]:
    """The lines that stand in no fence, by the rule of Phabricator: opened by a line that begins with three backticks
    (after blanks), closed by the next that ends with three."""
    lines, fenced = [], False
    for line in re.split(r"\r\n|\r|\n", description):
        if fenced:
            fenced = not re.search(r"```\s*$", line)
        elif re.match(r"\s*```", line):
            fenced = not re.match(r"\s*```.*```\s*$", line)
        else:
            lines.append(line)
    assert not fenced
    return [line for line in lines if line]


def test_task_shows_the_headings_of_the_hub_in_their_order() -> None:
    text = compose(source(justification=(("What is new about it?", "Much"),)), url=URL, word=WORD).description
    assert re.findall(r"^==+ (.+?) ==+$", text, re.MULTILINE) == [
        "Description",
        "Justification",
        "What is new about it?",
        "Review and Checklist",
        "Technical",
        "Legal and Ethical",
        "Risk assessment",
        "Sustainability",
    ]


def test_first_line_names_the_page_of_the_request() -> None:
    assert compose(source(), url=URL, word=WORD).description.startswith(f"Request {URL}\n")


def test_what_is_withheld_leaves_no_trace() -> None:
    shown = compose(source(country="Kenya", language="Hausa"), url=URL, word=WORD).description
    assert "Country: Kenya\n" in shown
    assert "Language: Hausa\n" in shown
    assert "Partner" not in shown.partition("== Description")[0].replace("Content Partnerships Hub", "")
    assert "Asked by" not in shown


def test_unanswered_questions_are_left_out() -> None:
    text = compose(source(justification=(("Why?", " \n"),)), url=URL, word=WORD).description
    assert "Justification" not in text
    assert "Why?" not in text


def test_broken_fence_has_the_measured_form() -> None:
    assert quote("para\n```\ncode\n```") == "```lang=text\npara\n`\u200b``\ncode\n`\u200b``\n```"


@given(title=hostile, body=hostile, name=hostile, answer=hostile)
@example(title="`````", body="`````", name="`\x00``", answer="`\x00`\x00`\n@noor T1")
@example(title="a", body="a\n\ud800```\n@noor", name="@noor\n```\n@noor", answer="\u2028```\u2028@noor")
def test_no_words_of_people_leave_the_fence(title: str, body: str, name: str, answer: str) -> None:
    hostile_source = source(title=title, body=body, partner=name, requester=name, justification=(("Why?", answer),))
    plain = source(partner="P", requester="R", justification=(("Why?", "x" if answer.strip() else ""),))
    text = compose(hostile_source, url=URL, word=WORD)
    assert outside(text.description) == outside(compose(plain, url=URL, word=WORD).description)
    assert mentioned_users(text.description) == []
    assert mentioned_tasks(text.description) == []
    text.description.encode()
    assert text.title.isprintable() or not any(char in text.title for char in "\n\r\x00\x0b\x85\u2028")


@given(hostile)
def test_quoted_words_stay_in_their_block(text: str) -> None:
    assert outside(f"before\n\n{quote(text)}\n\nafter") == ["before", "after"]


@given(st.text("abc `\n", max_size=60).filter(lambda text: FENCE not in text))
def test_harmless_words_are_kept_as_they_are(text: str) -> None:
    assert quote(text) == f"```lang=text\n{text}\n```"


@given(st.text(min_size=1), st.integers(1, 400))
def test_title_is_one_line_that_phabricator_takes(text: str, times: int) -> None:
    title = compose(source(title=text * times), url=URL, word=WORD).title
    assert 0 < len(title) <= TITLE_LENGTH
    assert len(title.splitlines()) == 1


def test_title_of_nothing_visible_is_replaced_by_the_number() -> None:
    assert compose(source(title="\x00\n\u2028"), url=URL, word=WORD).title == "Request 12"


@pytest.mark.parametrize("letter", ["a", "é", "😀", "`", "```\n", "\x00`"])
def test_long_texts_are_cut_to_what_phabricator_takes_and_say_so(letter: str) -> None:
    long = letter * BODY_BYTES
    text = compose(source(body=long, partner=long, justification=(("Why?", long),)), url=URL, word=WORD).description
    assert len(text.encode()) <= BODY_BYTES
    assert text.count("[The text was too long for this task.") >= 2
    assert "Sustainability" in text
    assert outside(text)[0] == f"Request {URL}"


def test_cut_takes_all_the_room_there_is() -> None:
    text = compose(source(body="a" * BODY_BYTES), url=URL, word=WORD).description
    assert BODY_BYTES - 10 <= len(text.encode()) <= BODY_BYTES
