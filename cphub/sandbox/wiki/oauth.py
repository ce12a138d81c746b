"""The OAuth 1.0a server of the sandbox wiki: what Extension:OAuth keeps, checks and answers, without any
HTTP.

Messages, keys, order of the checks and limits are those of Extension:OAuth (REL1_43). Everything lives in
memory.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import jwt
from oauthlib.oauth1.rfc5849 import signature  # type: ignore[import-untyped]

from cphub.sandbox.wiki import refusals
from cphub.sandbox.wiki.people import WikiPerson

#: Seconds by which the clock of an app may be wrong, either way.
TIMESTAMP_TOLERANCE = 300
#: Seconds that a request token lasts after it was asked for, and again after Allow.
REQUEST_TOKEN_LIFE = 600
#: Seconds that the signed claims of identify last.
IDENTITY_LIFE = 100

Kind = Literal["request key", "request secret", "verifier", "access key", "access secret"]
Mint = Callable[[Kind], str]


def mint(kind: Kind) -> str:
    """A new random value, as long as the real ones."""
    return secrets.token_hex(20 if kind == "access secret" else 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class WikiConsumer:
    """A registered application. ``callback`` is a prefix, or else the one address, which then nobody may
    send.
    """

    key: str
    secret: str = field(repr=False)
    name: str
    callback: str
    callback_is_prefix: bool = True
    grants: tuple[str, ...] = ("mwoauth-authonly",)
    stage: Literal["approved", "proposed", "disabled"] = "approved"
    owner: str = ""  # central id; until approval only the owner may use it
    owner_only: bool = False

    @property
    def identity_only(self) -> bool:
        return self.grants[0].startswith("mwoauth-authonly")

    def admits(self, callback: str) -> bool:
        """Whether an app may ask to be called back there."""
        if callback == "oob" or not self.callback_is_prefix:
            return callback == "oob"
        asked, registered = urlsplit(callback), urlsplit(self.callback)
        return (
            asked.scheme in {registered.scheme, "https"}
            and asked.netloc == registered.netloc  # also refuses user:password@
            and asked.path.startswith(registered.path)
        )


@dataclass(slots=True, kw_only=True)
class Handshake:
    """A request token: asked for, perhaps allowed by a person, not exchanged yet."""

    key: str
    secret: str
    consumer: WikiConsumer
    callback: str
    expires: float
    central_id: str = ""
    verifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The permission of one person for one application, with its access token."""

    key: str
    secret: str
    consumer: WikiConsumer
    central_id: str


class SignedRequest:
    """An HTTP request with OAuth parameters, in the shape that oauthlib verifies.

    ``url`` is absolute and begins as the wiki calls itself. Raises Refusal for a header that cannot be read.
    """

    def __init__(self, method: str, url: str, *, authorization: str, form: Iterable[tuple[str, str]] = ()) -> None:
        self.http_method = method
        self.uri = url
        try:
            pairs = signature.collect_parameters(
                uri_query=urlsplit(url).query,
                body=list(form),
                headers={"Authorization": authorization},
                exclude_oauth_signature=False,
            )
        except ValueError as error:
            raise refusals.protocol_error(str(error)) from error
        self.params = [pair for pair in pairs if pair[0] != "oauth_signature"]
        self._values: dict[str, str] = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self._values.get(f"oauth_{name}", "")

    @property
    def signature(self) -> str:
        return self["signature"]


class OAuthServer:
    """The memory of the wiki, and what can happen to it. Every public method is one atomic step.

    The methods raise Refusal when the wiki says no.
    """

    def __init__(
        self,
        base_url: str,
        people: Sequence[WikiPerson],
        consumers: Sequence[WikiConsumer],
        *,
        clock: Callable[[], float] = time.time,
        mint: Mint = mint,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.people = {person.central_id: person for person in people}
        self.consumers = {consumer.key: consumer for consumer in consumers}
        self.handshakes: dict[str, Handshake] = {}
        self.used: set[str] = set()
        self.grants: dict[str, Grant] = {}
        self.nonces: set[tuple[str, str, str]] = set()
        self.read_only = ""  # the reason, while the wiki takes no changes
        self.oauth_read_only = False
        self._clock = clock
        self._mint = mint
        self._lock = RLock()

    # what applications ask for

    def initiate(self, request: SignedRequest) -> Handshake:
        """First step: a request token for the application that signed."""
        with self._lock:
            self._require_writable()
            consumer = self._consumer(request)
            if consumer.owner_only:
                raise refusals.owner_only(consumer.name, consumer.key)
            self._check(request, consumer, token_secret="")
            if not consumer.admits(request["callback"]):
                raise refusals.wrong_callback(prefix=consumer.callback_is_prefix)
            handshake = Handshake(
                key=self._mint("request key"),
                secret=self._mint("request secret"),
                consumer=consumer,
                callback=request["callback"],
                expires=self._clock() + REQUEST_TOKEN_LIFE,
            )
            self.handshakes[handshake.key] = handshake
            return handshake

    def token(self, request: SignedRequest) -> Grant:
        """Second step: exchange an allowed request token for the access token, each time the same one."""
        with self._lock:
            self._require_writable()
            consumer = self._consumer(request)
            handshake = self._handshake(request["token"], consumer)
            self._check(request, consumer, token_secret=handshake.secret)
            if not handshake.verifier:
                raise refusals.token_not_allowed()
            if request["verifier"] != handshake.verifier:
                raise refusals.wrong_verifier()
            del self.handshakes[handshake.key]
            self.used.add(handshake.key)
            grant = self.grant_of(handshake.central_id, consumer) or Grant(
                key=self._mint("access key"),
                secret=self._mint("access secret"),
                consumer=consumer,
                central_id=handshake.central_id,
            )
            if not self.people[grant.central_id].revokes:
                self.grants[grant.key] = grant
            return grant

    def identify(self, request: SignedRequest) -> str:
        """Who the access token belongs to, as a JWT signed with the secret of the application."""
        with self._lock:
            consumer = self._consumer(request)
            grant = self.grants.get(request["token"])
            if grant is None or grant.consumer.key != consumer.key:
                raise refusals.no_grant()
            self._check(request, consumer, token_secret=grant.secret)
            person = self.people[grant.central_id]
            if person.locked:
                raise refusals.account_locked()
            if not self._usable(consumer, person):
                raise refusals.consumer_no_longer_approved(consumer.name)
            claims = self._claims(person, consumer) | {"nonce": request["nonce"]}
            return jwt.encode(claims, consumer.secret, algorithm="HS256")

    # what people do

    def asked(self, consumer_key: str, token_key: str, *, reader: str = "") -> WikiConsumer:
        """The application that asks for permission. ``reader``: the person who reads it, once that is known."""
        with self._lock:
            consumer = self.consumers.get(consumer_key)
            if consumer is None:
                raise refusals.unknown_consumer()
            if not (self._usable(consumer, self.people[reader]) if reader else consumer.stage != "disabled"):
                raise refusals.consumer_not_approved(consumer.name)
            if token_key in self.used:
                raise refusals.token_already_used()
            # With other grants the real page shows its form before it looks for the token.
            if consumer.identity_only:
                self._handshake(token_key, consumer)
            return consumer

    def allow(self, consumer: WikiConsumer, token_key: str, central_id: str) -> str:
        """A person presses Allow. Returns the address that brings the browser back to the application."""
        with self._lock:
            handshake = self._handshake(token_key, consumer)
            if self.read_only and self.grant_of(central_id, consumer) is None:
                raise refusals.wiki_read_only(self.read_only)
            handshake.central_id = central_id
            handshake.verifier = self._mint("verifier")
            handshake.expires = self._clock() + REQUEST_TOKEN_LIFE
            address = consumer.callback if handshake.callback == "oob" else handshake.callback
            answer = urlencode({"oauth_verifier": handshake.verifier, "oauth_token": handshake.key})
            return f"{address}{'&' if '?' in address else '?'}{answer}"

    def revoke(self, central_id: str) -> None:
        """A person takes back every permission given so far."""
        with self._lock:
            self.grants = {key: grant for key, grant in self.grants.items() if grant.central_id != central_id}

    def change(self, central_id: str, **facts: Any) -> None:
        """Rename, block, lock ... a person: ``facts`` are fields of WikiPerson."""
        with self._lock:
            self.people[central_id] = replace(self.people[central_id], **facts)

    def grant_of(self, central_id: str, consumer: WikiConsumer) -> Grant | None:
        """What this person allowed this application, if anything."""
        wanted = (central_id, consumer.key)
        return next((g for g in self.grants.values() if (g.central_id, g.consumer.key) == wanted), None)

    # checks

    def _require_writable(self) -> None:
        if self.oauth_read_only:
            raise refusals.oauth_read_only()

    def _consumer(self, request: SignedRequest) -> WikiConsumer:
        try:
            return self.consumers[request["consumer_key"]]
        except KeyError:
            raise refusals.protocol_error("Invalid consumer") from None

    def _handshake(self, token_key: str, consumer: WikiConsumer) -> Handshake:
        if token_key in self.used:
            raise refusals.token_already_used()
        handshake = self.handshakes.get(token_key)
        if handshake is None or handshake.consumer.key != consumer.key or handshake.expires < self._clock():
            raise refusals.token_not_found()
        return handshake

    def _check(self, request: SignedRequest, consumer: WikiConsumer, *, token_secret: str) -> None:
        """Time, then nonce, then signature: a nonce is burnt by a wrongly signed request, too."""
        ours, yours = int(self._clock()), request["timestamp"]
        if not yours.isdecimal() or abs(ours - int(yours)) > TIMESTAMP_TOLERANCE:
            raise refusals.protocol_error(f"Expired timestamp, yours {yours}, ours {ours}")
        nonce = (consumer.key, request["token"], request["nonce"])
        if nonce in self.nonces:
            raise refusals.protocol_error(f"Nonce already used: {request['nonce']}")
        self.nonces.add(nonce)
        if request["signature_method"] != "HMAC-SHA1" or not signature.verify_hmac_sha1(
            request, consumer.secret, token_secret
        ):
            raise refusals.protocol_error("Invalid signature")

    @staticmethod
    def _usable(consumer: WikiConsumer, person: WikiPerson) -> bool:
        return consumer.stage == "approved" or (consumer.stage == "proposed" and consumer.owner == person.central_id)

    def _claims(self, person: WikiPerson, consumer: WikiConsumer) -> dict[str, Any]:
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self.base_url,
            "aud": consumer.key,
            "exp": now + IDENTITY_LIFE,
            "iat": now,
            "sub": person.central_id,
        }
        if person.suppressed:
            return claims | {"blocked": True}
        claims |= {
            "username": person.name,
            "editcount": person.edit_count,
            "email_verified": person.email_confirmed,
            "confirmed_email": person.email_confirmed,
            "blocked": person.blocked or person.partially_blocked,
            "registered": person.registered,
            "groups": [*person.wiki_groups, "*", "user", "autoconfirmed"],
            "rights": list(person.rights),
            "grants": list(consumer.grants),
        }
        if consumer.grants == ("mwoauth-authonlyprivate",):
            claims |= {"realname": person.real_name, "email": person.email if person.email_confirmed else ""}
        return claims
