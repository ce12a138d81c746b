"""Signing in with a wiki account: the OAuth 1.0a handshake, through mwoauth.

mwoauth speaks the protocol. Three things it lacks are added at the one place where it posts: a time limit, no
following of redirects (it would send the signature along), and telling a refusal of the wiki from a broken
answer, which ``mwoauth.complete`` turns alike into the same TypeError. Nothing is ever sent twice: a signed
request may not be.

The access token lives inside :meth:`WikiSignIn.finish` only. The tool asks who the person is and acts as
itself.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

import jwt
import mwoauth
import mwoauth.functions
import requests

from cphub.errors import GatewayError

log = logging.getLogger(__name__)

#: Seconds by which the two clocks may differ; mwoauth's own 10 would lock everybody out after a small drift.
CLOCK_LEEWAY = 60


class SignInReason(StrEnum):
    """Why signing in failed: one code for each thing that somebody can do about it."""

    EXPIRED = "expired"  # the handshake is too old, was used already, or got lost: start again
    OTHER_TAB = "other_tab"  # the answer belongs to another handshake of this browser: start again in one tab
    INCOMPLETE = "incomplete"  # the callback was opened without an answer of the wiki: start again
    CLOCK = "clock"  # the clock of this server is wrong: tell the maintainers
    UNAVAILABLE = "unavailable"  # the wiki is away or overloaded: wait
    WIKI_READONLY = "wiki_readonly"  # the wiki accepts no changes for a while: wait
    LOCKED = "locked"  # the account is locked: ask the stewards
    REVOKED = "revoked"  # the person took the permission back: start again, and allow
    MISCONFIGURED = "misconfigured"  # address, key, secret or callback are wrong: tell the maintainers


#: Trying again the same way does not help with these.
LASTING = frozenset({SignInReason.LOCKED, SignInReason.MISCONFIGURED, SignInReason.CLOCK})


class SignInFailed(GatewayError):
    """The handshake ended without an identity. What the wiki said is in the log (shortened), not in here."""

    def __init__(self, reason: SignInReason) -> None:
        super().__init__(f"sign-in failed: {reason}", permanent=reason in LASTING)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RequestToken:
    """A handshake under way, to be kept in the session from :meth:`WikiSignIn.start` to ``finish``."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, as the wiki says at this moment.

    ``central_id`` never changes, ``name`` does; it is None while the wiki hides the name of the account.
    ``blocked`` is also true for a block of a single page: the wiki does not tell them apart here.
    ``edit_count``, ``groups`` and ``blocked`` are those of the one wiki that was asked. ``registered`` is
    None for accounts of before about 2005.
    """

    central_id: str
    name: str | None
    blocked: bool
    edit_count: int = 0
    registered: datetime | None = None
    groups: tuple[str, ...] = ()


class WikiSignIn:
    """The wiki that people sign in with.

    ``index_url`` is its ``.../w/index.php`` under exactly the host name the wiki calls itself: the signature
    covers it. ``timeout`` is in seconds, for connecting, for the first byte, and for the whole answer.
    """

    def __init__(
        self, index_url: str, consumer_key: str, consumer_secret: str, user_agent: str, timeout: float = 10.0
    ) -> None:
        self._index_url = index_url
        self._consumer = mwoauth.ConsumerToken(consumer_key, consumer_secret)
        self._user_agent = user_agent
        self._timeout = timeout

    def start(self, callback_url: str) -> tuple[str, RequestToken]:
        """Open a handshake. Returns where to send the browser, and what to keep for :meth:`finish`.

        Raises :class:`SignInFailed`.
        """
        with self._asking("initiate", otherwise=SignInReason.UNAVAILABLE):
            address, token = mwoauth.initiate(
                self._index_url, self._consumer, callback=callback_url, user_agent=self._user_agent
            )
        return address, RequestToken(token.key, token.secret)

    def finish(self, token: RequestToken, query_string: str) -> Identity:
        """Turn the query string that the browser brought back into an identity; works once per handshake.

        Raises :class:`SignInFailed`; with ``INCOMPLETE`` and ``OTHER_TAB`` nothing was sent, so the handshake
        that ``token`` stands for is still open.
        """
        answer = parse_qs(query_string)
        if "oauth_token" not in answer or "oauth_verifier" not in answer:
            raise SignInFailed(SignInReason.INCOMPLETE)
        if answer["oauth_token"][0] != token.key:
            raise SignInFailed(SignInReason.OTHER_TAB)
        with self._asking("token", otherwise=SignInReason.EXPIRED):
            access = mwoauth.complete(
                self._index_url,
                self._consumer,
                mwoauth.RequestToken(token.key, token.secret),
                query_string,
                user_agent=self._user_agent,
            )
        with self._asking("identify", otherwise=SignInReason.UNAVAILABLE):
            claims = mwoauth.identify(
                self._index_url, self._consumer, access, leeway=CLOCK_LEEWAY, user_agent=self._user_agent
            )
            return _identity(claims)

    @contextmanager
    def _asking(self, step: str, *, otherwise: SignInReason) -> Iterator[None]:
        """Give mwoauth a time limit, and turn all that it may raise into SignInFailed.

        ``otherwise`` is the reason for a refusal in words that are not known here.
        """
        outer = _timeout.set(self._timeout)
        try:
            yield
        except (mwoauth.OAuthException, TypeError, KeyError, ValueError, requests.RequestException) as error:
            reason = _reason(error, otherwise)
            log.warning("sign-in: %s ended as %s: %s", step, reason, _excerpt(error))
            # No cause: the texts of mwoauth hold tokens, which must not reach a traceback.
            raise SignInFailed(reason) from None
        finally:
            _timeout.reset(outer)


# --- what mwoauth posts with --------------------------------------------------------------------------------

#: mwoauth has no parameter for it, and two tools in one process may have two limits.
_timeout: ContextVar[float] = ContextVar("wiki_sign_in_timeout", default=10.0)


class _Refused(mwoauth.OAuthException):  # type: ignore[misc]
    """The wiki itself said no, in its protocol. The text begins with the error's key where it gives one."""


class _Http:
    """Stands in for the ``requests`` module inside mwoauth, which uses nothing of it but ``post``."""

    @staticmethod
    def post(url: str, **request: Any) -> requests.Response:
        limit = _timeout.get()
        with requests.post(url, **request, timeout=limit, allow_redirects=False, stream=True) as response:
            response._content = read_whole(response, seconds=limit)
        if response.status_code != 200:
            raise requests.HTTPError(f"HTTP status {response.status_code}", response=response)
        body = response.content.lstrip()
        # The wiki answers refusals, too, with status 200: in words, or for "identify" in JSON.
        if body.startswith(b"Error: "):
            raise _Refused(body.removeprefix(b"Error: ").decode(errors="replace"))
        if body.startswith(b"{") and "error" in (answer := json.loads(body)):
            raise _Refused(f"{answer['error']}: {answer.get('message')}")
        if body[:1] in b"<{[":  # also when empty
            raise requests.HTTPError("a page or nothing where an answer should be", response=response)
        return response


def read_whole(response: requests.Response, *, seconds: float) -> bytes:
    """The whole body. requests limits only each silence; this also ends an answer that drips for ever."""
    deadline = time.monotonic() + seconds
    body = bytearray()
    for byte in response.iter_content(1):  # a healthy answer has 3,000 at most
        body += byte
        if time.monotonic() > deadline:
            raise requests.ReadTimeout("the answer takes too long", response=response)
    return bytes(body)


mwoauth.functions.requests = _Http


# --- what went wrong ----------------------------------------------------------------------------------------

#: Words of the wiki (a key or a part of the English text) and of mwoauth, and what they mean for the person.
_MEANING = (
    ("mwoauth-invalid-authorization-blocked-user", SignInReason.LOCKED),
    ("mwoauthdatastore-access-token-not-found", SignInReason.REVOKED),
    ("mwoauth-invalid-authorization-not-approved", SignInReason.MISCONFIGURED),
    ("database is temporarily locked", SignInReason.WIKI_READONLY),
    ("database is currently locked", SignInReason.WIKI_READONLY),
    ("read-only mode", SignInReason.WIKI_READONLY),
    ("Expired timestamp", SignInReason.CLOCK),
    ("seconds in the future", SignInReason.CLOCK),
    ("Nonce already used", SignInReason.EXPIRED),
    ("Replay attack", SignInReason.EXPIRED),
    ("No token was found", SignInReason.EXPIRED),
    ("verification code", SignInReason.EXPIRED),
    ("OAuth token not found", SignInReason.EXPIRED),
    ("OAuth token already used", SignInReason.EXPIRED),
    ("Invalid consumer", SignInReason.MISCONFIGURED),
    ("Invalid signature", SignInReason.MISCONFIGURED),
    ("oauth_callback must be set", SignInReason.MISCONFIGURED),
    ("Consumer is owner-only", SignInReason.MISCONFIGURED),
    ("Unexpected issuer", SignInReason.MISCONFIGURED),
)


def _reason(error: Exception, otherwise: SignInReason) -> SignInReason:
    if isinstance(error, requests.HTTPError):
        wrong_address = error.response.is_redirect or error.response.status_code == 404
        return SignInReason.MISCONFIGURED if wrong_address else SignInReason.UNAVAILABLE
    # mwoauth has one misleading sentence for all that PyJWT refuses; what PyJWT said is the context.
    match error.__context__:
        case jwt.ExpiredSignatureError() | jwt.ImmatureSignatureError():
            return SignInReason.CLOCK
        case jwt.InvalidSignatureError() | jwt.InvalidAudienceError():
            return SignInReason.MISCONFIGURED
    if isinstance(error, mwoauth.OAuthException):
        for words, reason in _MEANING:
            if words in str(error):
                return reason
    return otherwise if isinstance(error, _Refused) else SignInReason.UNAVAILABLE


_SECRETS = re.compile(r"eyJ[\w.-]+|[0-9A-Fa-f]{16,}")


def _excerpt(error: Exception) -> str:
    """What happened, on one line of at most 200 characters and without keys, tokens and signed claims."""
    text = f"{type(error).__name__}: {error}"[:5000]
    return " ".join(_SECRETS.sub("[...]", text).split())[:200]


def _identity(claims: dict[str, Any]) -> Identity:
    registered = claims.get("registered")
    return Identity(
        central_id=claims["sub"],
        name=claims.get("username"),
        blocked=bool(claims.get("blocked")),
        edit_count=claims.get("editcount") or 0,
        registered=datetime.strptime(registered, "%Y%m%d%H%M%S").replace(tzinfo=UTC) if registered else None,
        groups=tuple(claims.get("groups") or ()),
    )
