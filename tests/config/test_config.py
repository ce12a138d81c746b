"""Settings: which source counts, what is refused and how it is said, and that secrets stay secret."""

import json
import os
import pickle
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields
from datetime import date
from pathlib import Path

import pytest
import yaml

from cphub import config
from cphub.config import ConfigError, Secret, Settings
from cphub.config.__main__ import example

NO_FILE = Path(os.devnull)
LONG = "a long secret, hard to guess, 4711"
LIVE = {"BASE_URL": "https://hub.example", "SECRET_KEY": LONG}


def load(overrides: Mapping[str, object] | None = None, **environ: str) -> Settings:
    given = {"SECRET_KEY": LONG, **(overrides or {})}
    return config.load(given, environ=environ, file=NO_FILE)


def refused(overrides: Mapping[str, object] | None = None, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(overrides, **environ)
    return caught.value


def test_nothing_given_is_a_local_tool_with_the_sandbox() -> None:
    settings = load()
    assert settings.BASE_URL == "http://127.0.0.1:5000"
    assert settings.loopback
    assert settings.SANDBOX
    assert config.is_loopback(settings.WIKI_INDEX_URL)
    assert config.is_loopback(settings.PHABRICATOR_URL)
    assert settings.SQLALCHEMY_DATABASE_URI.reveal() == f"sqlite:///{config.ROOT / 'instance' / 'cphub.sqlite'}"


def test_live_tool_uses_the_real_servers() -> None:
    settings = load({**LIVE, "OAUTH_CONSUMER_KEY": "k", "OAUTH_CONSUMER_SECRET": "s"})
    assert not settings.SANDBOX
    assert settings.WIKI_INDEX_URL == "https://meta.wikimedia.org/w/index.php"
    assert settings.PHABRICATOR_URL == "https://phabricator.wikimedia.org"
    assert settings.PROXIES == 1


def test_later_sources_count_for_more(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("MAIL_PORT: 1\nHTTP_TIMEOUT: 1\nSESSION_DAYS: 1\n")
    environ = {"TOOL_HTTP_TIMEOUT": "2", "TOOL_SESSION_DAYS": "2"}
    settings = config.load({"SESSION_DAYS": 3, "SECRET_KEY": LONG}, environ=environ, file=file)
    assert (settings.MAIL_PORT, settings.HTTP_TIMEOUT, settings.SESSION_DAYS) == (1, 2, 3)


def test_file_is_found_by_its_variable_and_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("MAIL_PORT: 11\n")
    (tmp_path / "other.yaml").write_text("MAIL_PORT: 12\n")
    monkeypatch.chdir(tmp_path)
    assert config.load({"SECRET_KEY": LONG}, environ={}).MAIL_PORT == 11
    named = {"CPHUB_CONFIG": str(tmp_path / "other.yaml")}
    assert config.load({"SECRET_KEY": LONG}, environ=named).MAIL_PORT == 12


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("ADMINS", "12, 34", frozenset({12, 34})),
        ("ADMINS", "12", frozenset({12})),
        ("ADMINS", "", frozenset()),
        ("SANDBOX", "false", False),
        ("SANDBOX", "1", True),
        ("COMMITTEE_MEETING", "2026-12-31", date(2026, 12, 31)),
        ("COMMITTEE_MEETING", "", None),
        ("MAIL_PORT", " 587 ", 587),
        ("BASE_URL", "http://localhost:5000/", "http://localhost:5000"),
        ("INSTANCE", "/srv/cphub", Path("/srv/cphub")),
        ("READ_ONLY_REASON", "The database moves.", "The database moves."),
    ],
)
def test_environment_is_text_and_becomes_typed(key: str, text: str, value: object) -> None:
    assert getattr(load(None, **{f"TOOL_{key}": text}), key) == value


def test_yaml_gives_typed_values(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("ADMINS: [12, 34]\nDATABASE_TLS: off\nCOMMITTEE_MEETING: 2026-12-31\nSANDBOX: no\n")
    settings = config.load({"SECRET_KEY": LONG}, environ={}, file=file)
    assert settings.ADMINS == {12, 34}
    assert settings.DATABASE_TLS == "off"
    assert settings.COMMITTEE_MEETING == date(2026, 12, 31)
    assert settings.SANDBOX is False


def test_variables_of_the_platform_are_left_alone() -> None:
    load(TOOL_DATA_DIR="/data/project/cphub", TOOL_REPLICA_USER="s55555")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MAIL_HOTS", "x"),
        ("BASE_URL", "hub.example"),
        ("BASE_URL", "ftp://127.0.0.1"),
        ("BASE_URL", "http://"),
        ("BASE_URL", "http://127.0.0.1:port"),
        ("BASE_URL", "http://user:word@127.0.0.1"),
        ("BASE_URL", "http://127.0.0.1/tool"),
        ("BASE_URL", "http://127.0.0.1/?x=y"),
        ("BASE_URL", "http://hub.example"),
        ("BASE_URL", 5000),
        ("WIKI_INDEX_URL", "meta"),
        ("WIKI_API_URL", ""),
        ("WIKI_INDEX_URL", "https://meta.wikimedia.org/w/index.php"),  # while the sandbox is on
        ("PHABRICATOR_URL", "https://phabricator.wikimedia.org"),  # likewise
        ("PHABRICATOR_URL", "http://127.0.0.1:1/api/"),
        ("MAIL_PORT", "smtp"),
        ("MAIL_PORT", 0),
        ("MAIL_PORT", 70_000),
        ("MAIL_PORT", True),
        ("MAIL_PORT", 2.5),
        ("MAIL_PORT", None),
        ("HTTP_TIMEOUT", "0"),
        ("SANDBOX", "perhaps"),
        ("DATABASE_TLS", "on"),
        ("DATABASE_TLS", True),
        ("LOG_LEVEL", "loud"),
        ("ADMINS", "Root Adebayo"),
        ("ADMINS", [1, "two"]),
        ("ADMINS", {"a": 1}),
        ("ADMINS", True),
        ("ADMINS", -1),
        ("COMMITTEE_MEETING", "next week"),
        ("MAIL_FROM", ["a@b"]),
        ("INSTANCE", ""),
        ("SQLALCHEMY_DATABASE_URI", "cphub.sqlite"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql://localhost/cphub"),
        ("SQLALCHEMY_DATABASE_URI", "mysql+pymysql://u:p@localhost"),
        ("SQLALCHEMY_DATABASE_URI", "mysql+pymysql://u:p@localhost:port/x"),
        ("SQLALCHEMY_DATABASE_URI", "mysql+pymysql://u:p@localhost/s1__cphub_p"),
        ("TOOLSDB_NAME", "cphub_p"),
        ("SECRET_KEY", 12345678),
    ],
)
def test_wrong_value_is_refused_by_its_key(key: str, value: object) -> None:
    error = refused({key: value})
    assert error.key == key
    assert str(error).startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("SECRET_KEY", {"SECRET_KEY": ""}),
        ("SECRET_KEY", {"SECRET_KEY": "too short"}),
        ("SANDBOX", {"SANDBOX": True}),
        ("BASE_URL", {"BASE_URL": "http://hub.example"}),
        ("OAUTH_CONSUMER_SECRET", {"OAUTH_CONSUMER_KEY": "k"}),
        ("OAUTH_CONSUMER_KEY", {"OAUTH_CONSUMER_SECRET": "s"}),
        ("BOT_ACCESS_SECRET", {"BOT_CONSUMER_KEY": "k", "BOT_CONSUMER_SECRET": "s", "BOT_ACCESS_TOKEN": "t"}),
        ("TOOLSDB_PASSWORD", {"TOOLSDB_USER": "s55555"}),
    ],
)
def test_values_that_are_wrong_together_are_refused_by_key(key: str, change: dict[str, object]) -> None:
    assert refused({**LIVE, **change}).key == key


@pytest.mark.parametrize("content", ["- a\n- b\n", "just words\n", "a: [\n", "MAIL_HOTS: x\n"])
def test_file_that_is_no_list_of_settings_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError):
        config.load(environ={}, file=file)


def test_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml"):
        config.load(environ={"CPHUB_CONFIG": str(tmp_path / "nothing.yaml")})


def test_broken_file_does_not_tell_its_secrets(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"SECRET_KEY: '{LONG}\nMAIL_PORT: 1\n")
    with pytest.raises(ConfigError) as caught:
        config.load(environ={}, file=file)
    assert LONG not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:5000", True),
        ("http://localhost", True),
        ("http://wiki.localhost:5001", True),
        ("http://192.168.0.5", False),
        ("http://localhost.example", False),
        ("http://0.0.0.0:5000", False),
        ("https://cphub.toolforge.org", False),
    ],
)
def test_only_this_machine_is_loopback(address: str, loopback: bool) -> None:
    assert config.is_loopback(address) is loopback


def test_toolsdb_is_used_when_its_account_is_there() -> None:
    settings = load(LIVE, TOOL_TOOLSDB_USER="s55555", TOOL_TOOLSDB_PASSWORD="p@ss/w:rd")
    assert settings.SQLALCHEMY_DATABASE_URI.reveal() == (
        "mysql+pymysql://s55555:p%40ss%2Fw%3Ard@tools.db.svc.wikimedia.cloud/s55555__cphub"
    )


def test_given_database_counts_for_more_than_toolsdb() -> None:
    settings = load(
        {"SQLALCHEMY_DATABASE_URI": "mariadb://u:p@localhost/x"},
        TOOL_TOOLSDB_USER="s55555",
        TOOL_TOOLSDB_PASSWORD="pw",
    )
    assert settings.SQLALCHEMY_DATABASE_URI.reveal() == "mysql+pymysql://u:p@localhost/x"


def test_local_secret_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    def key(_: int) -> str:
        return config.load({"INSTANCE": tmp_path / "instance"}, environ={}, file=NO_FILE).SECRET_KEY.reveal()

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(key, range(16)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 32
    assert stat.S_IMODE((tmp_path / "instance" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret_key"]


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="INSTANCE"):
        config.load({"INSTANCE": tmp_path / "file"}, environ={}, file=NO_FILE)


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        load().MAIL_PORT = 1  # type: ignore[misc]


SECRETS = {
    "SECRET_KEY": "the-secret-key-of-the-cookies-0123456789",
    "SQLALCHEMY_DATABASE_URI": "mysql+pymysql://u:database-word@localhost/x",
    "TOOLSDB_USER": "s1",
    "TOOLSDB_PASSWORD": "toolsdb-word",
    "OAUTH_CONSUMER_KEY": "k",
    "OAUTH_CONSUMER_SECRET": "consumer-word",
    "BOT_CONSUMER_KEY": "k",
    "BOT_CONSUMER_SECRET": "bot-word",
    "BOT_ACCESS_TOKEN": "t",
    "BOT_ACCESS_SECRET": "access-word",
    "PHABRICATOR_TOKEN": "api-phabricator-word",
    "PHABRICATOR_WEBHOOK_KEY": "webhook-word",
}


def test_settings_show_no_secret() -> None:
    settings = load(SECRETS)
    assert {field.name for field in fields(Settings) if isinstance(getattr(settings, field.name), Secret)} <= set(
        SECRETS
    )
    for shown in (repr(settings), str(settings), f"{settings}"):
        assert not re.search("word|secret-key", shown)
        assert "'***'" in shown


def test_secret_is_shown_only_when_asked() -> None:
    secret = Secret("open sesame")
    assert secret.reveal() == "open sesame"
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret):  # noqa: UP031
        assert "sesame" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret == Secret("open sesame")
    assert secret != "open sesame"


@pytest.mark.parametrize("key", [key for key, value in SECRETS.items() if len(value) > 2])
def test_refusing_a_secret_does_not_tell_it(key: str) -> None:
    for value in ([SECRETS[key]], {SECRETS[key]: 1}):
        assert SECRETS[key] not in str(refused({key: value}))


def test_wrong_database_address_does_not_tell_its_password() -> None:
    for address in ("postgresql://u:pass-word@h/x", "mysql+pymysql://u:pass-word@h:port/x", "u:pass-word@h/x"):
        error = refused({"SQLALCHEMY_DATABASE_URI": address})
        assert "pass-word" not in str(error)
        assert error.__cause__ is None
        assert error.__suppress_context__


def test_example_documents_every_setting() -> None:
    text = (config.ROOT / "config.example.yaml").read_text(encoding="utf-8")
    assert text == example(), "make it anew: python -m cphub.config > config.example.yaml"
    shown = yaml.safe_load(re.sub(r"^#(?=[A-Z_]+:)", "", text, flags=re.MULTILINE))
    assert list(shown) == [field.name for field in fields(Settings)]
    defaults = {key: value for key, value in shown.items() if value not in (None, "")}
    assert load({**defaults, "SANDBOX": False}) == load({"SANDBOX": False})


def test_every_setting_says_what_it_is_for() -> None:
    for field in fields(Settings):
        assert field.metadata["about"], field.name


def test_example_loads_as_it_is() -> None:
    config.load({"SECRET_KEY": LONG}, environ={}, file=config.ROOT / "config.example.yaml")


def test_example_can_be_printed() -> None:
    printed = subprocess.run([sys.executable, "-m", "cphub.config"], cwd=config.ROOT, capture_output=True, check=True)
    assert printed.stdout.decode() == example()
