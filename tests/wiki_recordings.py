"""The recordings of a real MediaWiki with Extension:OAuth, as the contract tests of both sides read them.

Their README says what they hold. They lie beside the repository; without them the contract is not tested, so
reading fails.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

FOLDER = Path(__file__).parents[2] / "shared" / "recordings" / "mediawiki"


@dataclass(frozen=True, slots=True)
class Pair:
    """One request and the wiki's answer."""

    raw: dict[str, Any]

    @property
    def by_app(self) -> bool:
        return bool(self.raw["from"] == "app")

    @property
    def method(self) -> str:
        return str(self.raw["request"]["method"])

    @property
    def url(self) -> str:
        return str(self.raw["request"]["url"])

    @property
    def path_and_query(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}"

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def form(self) -> dict[str, str]:
        body = parse_qs(self.raw["request"]["body"] or "", keep_blank_values=True)
        return {name: values[0] for name, values in body.items()}

    @property
    def step(self) -> str:
        """initiate, token or identify, authenticate or authorize; empty for anything else."""
        title = self.query.get("title") or unquote(urlsplit(self.url).path)
        return title.partition("Special:OAuth/")[2]

    @property
    def authorization(self) -> str:
        return str(self.raw["request"]["headers"].get("Authorization", ""))

    def oauth(self, name: str) -> str:
        """The value of ``oauth_<name>`` in the Authorization header."""
        found = re.search(rf'oauth_{name}="([^"]*)"', self.authorization)
        return unquote(found[1]) if found else ""

    @property
    def signed_with(self) -> dict[str, str]:
        return self.raw["request"].get("signed_with") or {}

    @property
    def status(self) -> int:
        return int(self.raw["response"]["status"])

    @property
    def headers(self) -> dict[str, Any]:
        return dict(self.raw["response"]["headers"])

    @property
    def body(self) -> str:
        return self.raw["response"].get("body") or ""

    @property
    def claims(self) -> dict[str, Any] | None:
        claims: dict[str, Any] | None = self.raw["response"].get("jwt_claims")
        return claims

    @property
    def page(self) -> dict[str, Any]:
        return self.raw["response"].get("html") or {}

    @property
    def location(self) -> str:
        return str(self.headers.get("location", ""))

    @property
    def date(self) -> datetime:
        return parsedate_to_datetime(self.headers["date"])


@dataclass(frozen=True, slots=True)
class Recording:
    """One scenario: what the app's library saw, and everything that went over the wire."""

    name: str
    calls: list[dict[str, Any]]
    pairs: list[Pair]

    @property
    def base_url(self) -> str:
        return "http://127.0.0.1:8392" if self.name.startswith("ca_") else "http://127.0.0.1:8391"


def names() -> list[str]:
    """Every recorded sign-in, with and without CentralAuth."""
    found = sorted(path.stem for pattern in ("oauth_*.json", "ca_oauth_*.json") for path in FOLDER.glob(pattern))
    assert found, f"the recordings are missing: {FOLDER}"
    return found


def load(name: str) -> Recording:
    """The recording of that name. Raises FileNotFoundError."""
    raw = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Recording(name, raw["client_calls"], [Pair(pair) for pair in raw["http"]])
