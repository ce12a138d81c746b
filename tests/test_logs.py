"""No secret gets into the log, whatever way it takes."""

import io
import logging
from collections.abc import Iterator

import pytest

from cphub import config, logs
from cphub.config import Settings

PASSWORD = "p@ss/word&more"
TOKEN = "api-0123456789abcdef"


@pytest.fixture
def secretive() -> Settings:
    return config.load(
        {
            "SECRET_KEY": "signing-key-of-this-test-0123456789",
            "SQLALCHEMY_DATABASE_URI": "mysql+pymysql://u:p%40ss%2Fword%26more@localhost/x",
            "PHABRICATOR_TOKEN": TOKEN,
        },
        environ={},
    )


@pytest.fixture
def log(secretive: Settings) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger and what it wrote, with a filter of its own."""
    scrub = logs.Scrub()
    scrub.add(secretive)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter(logs.FORMAT))
    handler.addFilter(scrub)
    logger = logging.Logger("test")  # noqa: LOG001 - with no parent whose handlers would get it too
    logger.addHandler(handler)
    yield logger, written
    handler.close()


Log = tuple[logging.Logger, io.StringIO]


def test_secret_in_a_message_is_masked(log: Log) -> None:
    logger, written = log
    logger.warning("asked with %s and %r", TOKEN, {"token": TOKEN})
    assert "asked with *** and {'token': '***'}" in written.getvalue()


@pytest.mark.parametrize("form", [PASSWORD, "p%40ss%2Fword%26more"])
def test_database_password_is_masked_in_every_form(form: str, log: Log) -> None:
    logger, written = log
    logger.warning("no way to mysql+pymysql://u:%s@localhost/x", form)
    assert "u:***@localhost" in written.getvalue()


def test_secret_in_a_traceback_is_masked(log: Log) -> None:
    logger, written = log
    try:
        raise ValueError(f"401 for token {TOKEN}")
    except ValueError:
        logger.exception("failed")
    assert "ValueError: 401 for token ***" in written.getvalue()
    assert TOKEN not in written.getvalue()


def test_secret_in_a_stack_is_masked(log: Log) -> None:
    logger, written = log
    logger.handle(logging.makeLogRecord({"msg": "here", "levelno": logging.INFO, "stack_info": f'call("{TOKEN}")'}))
    assert 'call("***")' in written.getvalue()


def test_ordinary_words_stay(log: Log) -> None:
    logger, written = log
    logger.warning("request %d: %s", 12, "word")
    assert "request 12: word" in written.getvalue()


def test_every_handler_of_the_process_masks(secretive: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        logs.set_up(secretive)
        logs.set_up(secretive)
        logging.getLogger("some.library").error("token %s", TOKEN)
    finally:
        root.removeHandler(handler)
    assert written.getvalue() == "token ***\n"
