"""Settings: built-in defaults, then ``config.yaml``, then ``TOOL_*`` variables.

A wrong value stops the start with the key's name, and a secret is shown nowhere.
"""

import os
import secrets
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from cphub.config.settings import Settings, is_loopback
from cphub.config.values import ROOT, Secret

__all__ = ["ROOT", "ConfigError", "Secret", "Settings", "is_loopback", "load"]

#: Begins the name of a variable in the environment.
PREFIX = "TOOL_"
#: Where the sandbox listens when nobody says otherwise.
SANDBOX_WIKI = "http://127.0.0.1:5001"
SANDBOX_PHABRICATOR = "http://127.0.0.1:5002"


class ConfigError(Exception):
    """A setting is wrong. The message names the key and never tells the value."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key


def load(
    overrides: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    file: Path | None = None,
) -> Settings:
    """Defaults < ``file`` < ``TOOL_*`` in ``environ`` < ``overrides``.

    Without ``file`` it is the one that ``CPHUB_CONFIG`` names, else ``config.yaml`` in the working directory
    or beside the code, if there is one. Raises ConfigError.
    """
    known = {setting.name: setting.metadata["read"] for setting in fields(Settings)}
    # Other variables that begin with TOOL_ are no mistake: Toolforge sets some of its own.
    from_environment = {key: environ[PREFIX + key] for key in known if PREFIX + key in environ}
    given = {**_read(file or _find(environ)), **from_environment, **(overrides or {})}
    typed = {}
    for key, value in given.items():
        if key not in known:
            raise ConfigError(key, "there is no such setting")
        try:
            typed[key] = known[key](value)
        except ValueError as error:
            raise ConfigError(key, str(error)) from None
    settings = _complete(Settings(**typed), typed.keys())
    _check(settings)
    return settings


def _find(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("CPHUB_CONFIG"):
        return Path(named)
    return next((path for path in (Path("config.yaml"), ROOT / "config.yaml") if path.exists()), None)


def _read(file: Path | None) -> dict[str, object]:
    if file is None:
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(file), f"cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's own message quotes the line, which may hold a secret.
        raise ConfigError(str(file), "is not YAML") from None
    if not isinstance(content, dict | None):
        raise ConfigError(str(file), "must have one 'KEY: value' on a line")
    return {str(key): value for key, value in (content or {}).items()}


def _complete(settings: Settings, given: Collection[str]) -> Settings:
    """Fill in what follows from other settings."""
    sandbox = settings.SANDBOX if "SANDBOX" in given else settings.loopback and not settings.OAUTH_CONSUMER_KEY
    defaults: dict[str, Any] = {
        "SANDBOX": sandbox,
        "MAIL_FOLDER": settings.INSTANCE / "mail",
        "PROXIES": int(settings.BASE_URL.startswith("https:")),
    }
    if sandbox:
        defaults |= {
            "WIKI_INDEX_URL": f"{SANDBOX_WIKI}/w/index.php",
            "WIKI_API_URL": f"{SANDBOX_WIKI}/w/api.php",
            "PHABRICATOR_URL": SANDBOX_PHABRICATOR,
        }
    if not settings.SQLALCHEMY_DATABASE_URI:
        defaults["SQLALCHEMY_DATABASE_URI"] = _default_database(settings)
    if not settings.SECRET_KEY and settings.loopback:
        defaults["SECRET_KEY"] = Secret(_local_secret_key(settings.INSTANCE))
    return replace(settings, **{key: value for key, value in defaults.items() if key not in given})


def _default_database(settings: Settings) -> Secret:
    if not settings.TOOLSDB_USER:
        return Secret(f"sqlite:///{settings.INSTANCE / 'cphub.sqlite'}")
    user = quote(settings.TOOLSDB_USER, safe="")
    password = quote(settings.TOOLSDB_PASSWORD.reveal(), safe="")
    name = f"{settings.TOOLSDB_USER}__{settings.TOOLSDB_NAME}"
    return Secret(f"mysql+pymysql://{user}:{password}@{settings.TOOLSDB_HOST}/{name}")


def _local_secret_key(folder: Path) -> str:
    """The key kept in ``folder``, made when there is none. Web and worker may come here at the same moment."""
    path = folder / "secret_key"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=folder)  # only its owner can read it
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # somebody was faster, and theirs counts
            finally:
                Path(draft).unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ConfigError("INSTANCE", f"a secret key cannot be kept there ({error.strerror})") from None


def _check(settings: Settings) -> None:
    """Refuse settings that are right one by one and wrong together."""
    if not settings.loopback:
        if not settings.BASE_URL.startswith("https:"):
            raise ConfigError("BASE_URL", "must begin with https:// unless it is loopback")
        if len(settings.SECRET_KEY.reveal()) < 32:
            raise ConfigError("SECRET_KEY", "must have 32 characters or more unless BASE_URL is loopback")
        if settings.SANDBOX:
            raise ConfigError("SANDBOX", "is refused unless BASE_URL is loopback")
    if settings.SANDBOX:
        for key in ("WIKI_INDEX_URL", "WIKI_API_URL", "PHABRICATOR_URL"):
            if not is_loopback(getattr(settings, key)):
                raise ConfigError(key, "must be loopback when SANDBOX is true")
    for together in (
        ("OAUTH_CONSUMER_KEY", "OAUTH_CONSUMER_SECRET"),
        ("BOT_CONSUMER_KEY", "BOT_CONSUMER_SECRET", "BOT_ACCESS_TOKEN", "BOT_ACCESS_SECRET"),
        ("TOOLSDB_USER", "TOOLSDB_PASSWORD"),
    ):
        missing = [key for key in together if not getattr(settings, key)]
        if missing and len(missing) < len(together):
            present = next(key for key in together if key not in missing)
            raise ConfigError(missing[0], f"is needed because {present} is given")
