"""What the wiki's API tells anybody about an account, asked for without signing in as somebody.

Each call has a session of its own: the API's answer about a blocked user sets a cookie, and with it everybody
asked about later on the same session would count as blocked, too.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from cphub.errors import GatewayError
from cphub.gateways.wiki import read_whole


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the whole wiki. ``expiry`` is as the wiki gives it: a time in ISO 8601, or ``infinite``."""

    reason: str
    expiry: str


class WikiApi:
    """The wiki's ``.../w/api.php``. ``timeout`` is in seconds, for connecting, for the first byte, and for the
    whole answer.
    """

    def __init__(self, api_url: str, user_agent: str, timeout: float = 10.0) -> None:
        self._api = urlsplit(api_url)
        self._user_agent = user_agent
        self._timeout = timeout

    def sitewide_block(self, name: str) -> Block | None:
        """The block that keeps an account from editing anything; None when there is none, or one of some pages only.

        Raises GatewayError, also when there is no account of this name: it may have been renamed just now.
        """
        users = self._query(list="users", ususers=name, usprop="blockinfo", of="users")
        user = users[0] if users else {}
        if "userid" not in user:
            raise GatewayError("the wiki knows no account of this name", permanent=True)
        # Several blocks at once have the id null and are partial only when each of them is.
        if "blockid" not in user or user.get("blockpartial"):
            return None
        return Block(str(user.get("blockreason") or ""), str(user.get("blockexpiry") or "infinite"))

    def _query(self, *, of: str, **parameters: str) -> list[dict[str, Any]]:
        """What ``action=query`` answers under ``of``. Raises GatewayError for anything that is not such a list."""
        import mwapi  # here, because it takes longer to import than all the rest of the tool

        session = mwapi.Session(
            f"{self._api.scheme}://{self._api.netloc}",
            api_path=self._api.path,
            user_agent=self._user_agent,
            formatversion=2,
            timeout=self._timeout,
            session=_Session(self._timeout),
        )
        try:
            found = session.get(action="query", **parameters)["query"][of]
        except mwapi.errors.APIError as error:
            raise GatewayError(f"the wiki's API refused: {error.code}", permanent=False) from None
        # All that mwapi lets through for answers that are none: pages of HTML, "null", lists, texts.
        except (requests.RequestException, ValueError, TypeError, AttributeError, LookupError) as error:
            raise GatewayError(f"the wiki's API did not answer: {type(error).__name__}", permanent=False) from None
        if not isinstance(found, list):
            raise GatewayError("the wiki's API answered something else", permanent=False)
        return found


class _Session(requests.Session):
    """Ends an answer that drips for ever: mwapi's own time limit is for each silence only."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def request(self, *args: Any, **options: Any) -> requests.Response:
        response = super().request(*args, **options)
        response._content = read_whole(response, seconds=self._seconds)
        return response
