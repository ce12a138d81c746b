"""The table of all settings: name, type, default, how it is read and what it is for, each in one place."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, quote_plus, urlsplit

from sqlalchemy.engine import make_url

from cphub.config import values
from cphub.config.values import NO_SECRET, ROOT, Secret

T = TypeVar("T")


def key(default: T, read: Callable[[object], T], about: str, *, otherwise: str = "") -> T:
    """Declare a setting. ``otherwise``: in words, what it is when nothing is given, where ``default`` does
    not say.
    """
    return field(default=default, metadata={"read": read, "about": about, "otherwise": otherwise})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the tool runs with. The names are those of ``config.yaml``, and with ``TOOL_`` before them those
    of the environment."""

    BASE_URL: str = key(
        "http://127.0.0.1:5000",
        values.origin,
        "Where the tool is reached from outside, without a path. Links in mail begin with it.",
    )
    SECRET_KEY: Secret = key(
        NO_SECRET,
        values.secret,
        "Signs the session cookies. At least 32 random characters, the same for all processes.",
        otherwise="made once and kept in INSTANCE when BASE_URL is loopback",
    )
    INSTANCE: Path = key(
        ROOT / "instance",
        values.folder,
        "Folder for local files: database, secret key, mail.",
        otherwise="instance, beside the code",
    )
    ADMINS: frozenset[int] = key(
        frozenset(),
        values.ids,
        "Central ids of the first administrators, who give the other roles: [12, 34] or '12, 34'.",
        otherwise="[]",
    )

    SQLALCHEMY_DATABASE_URI: Secret = key(
        NO_SECRET,
        values.database,
        "sqlite:///… or mysql+pymysql://user:password@host/database",
        otherwise="ToolsDB when TOOLSDB_USER is given, else cphub.sqlite in INSTANCE",
    )
    TOOLSDB_USER: str = key("", values.text, "Toolforge gives it as TOOL_TOOLSDB_USER.")
    TOOLSDB_PASSWORD: Secret = key(NO_SECRET, values.secret, "Toolforge gives it as TOOL_TOOLSDB_PASSWORD.")
    TOOLSDB_HOST: str = key("tools.db.svc.wikimedia.cloud", values.text, "Where ToolsDB is.")
    TOOLSDB_NAME: str = key("cphub", values.database_name, "The database is called <TOOLSDB_USER>__<TOOLSDB_NAME>.")
    DATABASE_TLS: str = key(
        "off",
        values.one_of("off", "required"),
        "MariaDB: 'off', or 'required' to refuse a server without a valid certificate.",
    )
    DATABASE_CA: str = key(
        "",
        values.text,
        "MariaDB: file with the certificates to trust when DATABASE_TLS is required.",
        otherwise="those of the system",
    )
    DATABASE_TIMEOUT: int = key(
        20,
        values.number(1, 86_400),
        "MariaDB: seconds after which a statement is ended. Give a long migration more.",
    )
    READ_ONLY_REASON: str = key(
        "", values.text, "When given, nothing can be written, and every page shows this sentence."
    )

    WIKI_INDEX_URL: str = key(
        "https://meta.wikimedia.org/w/index.php",
        values.address,
        "index.php of the wiki where people sign in.",
    )
    WIKI_API_URL: str = key("https://meta.wikimedia.org/w/api.php", values.address, "api.php of the same wiki.")
    OAUTH_CONSUMER_KEY: str = key("", values.text, "OAuth 1.0a consumer for signing in (authentication only).")
    OAUTH_CONSUMER_SECRET: Secret = key(NO_SECRET, values.secret, "The consumer's secret.")
    BOT_CONSUMER_KEY: str = key(
        "", values.text, "Owner-only OAuth 1.0a consumer of the bot account. All four BOT_ keys or none."
    )
    BOT_CONSUMER_SECRET: Secret = key(NO_SECRET, values.secret, "The consumer's secret.")
    BOT_ACCESS_TOKEN: str = key("", values.text, "The bot's access token.")
    BOT_ACCESS_SECRET: Secret = key(NO_SECRET, values.secret, "The access token's secret.")

    PHABRICATOR_URL: str = key("https://phabricator.wikimedia.org", values.origin, "Where tasks are made.")
    PHABRICATOR_TOKEN: Secret = key(
        NO_SECRET, values.secret, "Conduit token (api-…) of the bot account. Without it no tasks are made."
    )
    PHABRICATOR_PROJECT: str = key(
        "content-partnerships-hub", values.text, "Slug of the project whose tag every task gets."
    )
    PHABRICATOR_WEBHOOK_KEY: Secret = key(
        NO_SECRET, values.secret, "HMAC key of the webhook. Without it tasks are only asked for now and then."
    )

    MAIL_HOST: str = key(
        "",
        values.text,
        "SMTP server; on Toolforge mail.tools.wmcloud.org.",
        otherwise="none: mail is written to MAIL_FOLDER",
    )
    MAIL_PORT: int = key(25, values.number(1, 65_535), "Port of MAIL_HOST.")
    MAIL_FROM: str = key(
        "cphub@localhost", values.text, "Sender of all mail. On Toolforge it must end in @toolforge.org."
    )
    MAIL_FOLDER: Path = key(
        ROOT / "instance" / "mail",
        values.folder,
        "Where mail is written, one file each, when there is no MAIL_HOST.",
        otherwise="mail, in INSTANCE",
    )
    MAIL_PER_HOUR: int = key(
        80,
        values.number(1, 100_000),
        "The worker sends no more than this. Toolforge takes 100 from one sender.",
    )
    SUPPORT_EMAIL: str = key("", values.text, "Address shown to people who would rather write to a human.")
    SOURCE_URL: str = key(
        "https://gitlab.wikimedia.org/toolforge-repos/cphub",
        values.text,
        "Where the source code is; every page links to it.",
    )
    CONTACT: str = key(
        "tools.cphub@toolforge.org",
        values.text,
        "Whom the operators of the servers we ask can write to; part of our User-Agent.",
    )

    SANDBOX: bool = key(
        False,
        values.yes_or_no,
        "People sign in at the small wiki and tasks are made on the small Phabricator that run beside the\n"
        "tool with invented people. Refused when BASE_URL is not loopback.",
        otherwise="true when BASE_URL is loopback and OAUTH_CONSUMER_KEY is not given",
    )
    COMMITTEE_MEETING: date | None = key(
        None, values.day, "Day of the committee's next meeting, such as 2026-12-31.", otherwise="not known"
    )
    HTTP_TIMEOUT: int = key(10, values.number(1, 120), "Seconds to wait for another server.")
    RATE_REPLIES_PER_HOUR: int = key(60, values.number(1, 100_000), "How many replies one person can write in an hour.")
    RATE_REQUESTS_PER_DAY: int = key(20, values.number(1, 100_000), "How many requests one person can make in a day.")
    SESSION_DAYS: int = key(30, values.number(1, 400), "How many days a person stays signed in.")
    PROXIES: int = key(
        0,
        values.number(0, 5),
        "How many proxies before us set X-Forwarded-Proto and X-Forwarded-Host.",
        otherwise="1 when BASE_URL is https, else 0",
    )
    LOG_LEVEL: str = key(
        "INFO", values.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "The least important messages to log."
    )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the tool."""
        return is_loopback(self.BASE_URL)

    @property
    def user_agent(self) -> str:
        """What we call ourselves to other servers, as the Wikimedia User-Agent policy asks."""
        return f"cphub/1.0 ({self.BASE_URL}/; {self.CONTACT})"

    def secrets(self) -> Iterator[str]:
        """Every text that must not be shown, also in the form it takes inside an address or a sent form."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, Secret) and value:
                shown = value.reveal()
                if setting.name == "SQLALCHEMY_DATABASE_URI":
                    shown = str(make_url(shown).password or "")
                yield from {shown, quote(shown, safe=""), quote_plus(shown)} - {""}


def is_loopback(address: str) -> bool:
    """Whether the host of ``address`` is this machine, without asking a name server."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
