"""Signing in with the wiki account, and out. The one place where a page waits for another server.

A browser may have a few handshakes under way, one for each tab; each knows the page it leads back to. Until one is
finished the session is not changed, so that an answer that comes twice, or late, signs nobody out.
"""

import logging
from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from cphub.errors import GatewayError
from cphub.gateways.wiki import Identity, RequestToken, SignInFailed, SignInReason
from cphub.gateways.wiki_api import Block
from cphub.hub import hub
from cphub.services import people
from cphub.web import errors, forms
from cphub.web.current import PERSON, SINCE, ReadOnly, SignInNeeded, person, signed_in, viewer
from cphub.web.security import is_local_path

log = logging.getLogger(__name__)
bp = Blueprint("sign_in", __name__)

#: Keys in the session: handshakes under way (token key -> [secret, path]), and why the person is blocked.
HANDSHAKES = "handshakes"
BLOCK = "block"
#: More tabs than this are not waited for; the session is a cookie, which holds 4 kB.
HANDSHAKES_MOST = 3
_STATUS = {
    SignInReason.EXPIRED: 400,
    SignInReason.OTHER_TAB: 400,
    SignInReason.INCOMPLETE: 400,
    SignInReason.REVOKED: 400,
    SignInReason.LOCKED: 403,
}
#: Not a failure of the handshake: the wiki hides the name of the account.
HIDDEN = "hidden"


@bp.get("/login")
def page() -> AnyResponse:
    """A page with the button. ``failed``: what went wrong before."""
    path = _path(request.args.get("next"))
    if person() is not None:
        return redirect(path, 303)
    failed = request.args.get("failed", "")
    return _button(path, failed if failed in {*SignInReason, HIDDEN} else None, status=200)


@bp.post("/login")
def sign_in() -> AnyResponse:
    """Off to the wiki. Other fields are those of a form the person was filling in: they come back typed."""
    path = _path(request.form.get("next"))
    if person() is not None:
        return redirect(path, 303)
    if hub().settings.READ_ONLY_REASON:
        raise ReadOnly
    if not errors.park(request.form.get("page") or path) and errors.unkept():
        raise SignInNeeded  # with what was typed, rather than go away and lose it
    try:
        address, token = hub().sign_in.start(hub().settings.BASE_URL.rstrip("/") + url_for("sign_in.callback"))
    except SignInFailed as failure:
        return _failed(failure.reason, path)
    under_way = {**session.get(HANDSHAKES, {}), token.key: [token.secret, path]}
    session[HANDSHAKES] = dict(list(under_way.items())[-HANDSHAKES_MOST:])
    return redirect(address, 303)


@bp.get("/oauth/callback")
def callback() -> AnyResponse:
    """Back from the wiki."""
    secret, path = session.get(HANDSHAKES, {}).get(request.args.get("oauth_token", ""), ("", ""))
    if not secret and person() is not None:  # a second hit: reloaded, or gone back to
        return redirect(_path(session.get(errors.RETURN)), 303)
    path = _path(path or session.get(errors.RETURN))
    token = RequestToken(request.args.get("oauth_token", "") if secret else "", secret)
    try:
        identity = hub().sign_in.finish(token, request.query_string.decode("ascii", "replace"))
    except SignInFailed as failure:
        if secret and failure.reason is SignInReason.EXPIRED:
            # Perhaps used a moment ago by this very browser: then the next page finds the person signed in.
            return redirect(url_for("sign_in.page", failed=failure.reason.value, next=path), 303)
        return _failed(failure.reason, path)
    if identity.name is None:
        people.hide(identity.central_id)
        return _button(path, HIDDEN, status=403)
    _begin(identity, path)
    return redirect(path, 303)


@bp.post("/logout")
def sign_out() -> AnyResponse:
    """Ends every session of the person. Without a database to write to, at least this one."""
    try:
        if person() is not None and not hub().settings.READ_ONLY_REASON:
            people.sign_out(viewer())
    finally:
        session.clear()
    forms.tell("sign_in-signed-out")
    return redirect(url_for("home.index"), 303)


@bp.get("/login/blocked")
@signed_in
def blocked() -> AnyResponse:
    """Why somebody cannot write, and what they can do."""
    who = person()
    if who is None or not who.blocked:
        return redirect(url_for("home.index"), 303)
    return make_response(render_template("sign_in/blocked.html", block=session.get(BLOCK)))


def _begin(identity: Identity, path: str) -> None:
    """A new session, so that nobody can have prepared this one. What was typed comes along."""
    block = _block(identity)
    who = people.sign_in(identity.central_id, identity.name, blocked=identity.blocked and block != {})
    parked = session.get(errors.PARKED)
    session.clear()
    session.permanent = True
    session[PERSON] = who.id
    session[SINCE] = who.signed_in_at.timestamp() if who.signed_in_at else 0
    session[errors.RETURN] = path
    if parked:
        session[errors.PARKED] = parked
    if who.blocked:
        session[BLOCK] = block


def _block(identity: Identity) -> dict[str, object] | None:
    """What is known of a block of the whole wiki: empty when there is none, None when the wiki could not be asked.

    The identity says "blocked" also of those who may not edit one single page; they may write here.
    """
    if not identity.blocked or identity.name is None:
        return {}
    try:
        found = hub().wiki.sitewide_block(identity.name)
    except GatewayError as error:
        log.warning("cannot tell how far a block goes: %s", error)
        return None
    return {} if found is None else {"reason": found.reason, "until": _until(found)}


def _until(block: Block) -> datetime | None:
    try:
        return datetime.fromisoformat(block.expiry)
    except ValueError:  # "infinite"
        return None


def _path(given: object) -> str:
    """Where to go afterwards: a page of ours that makes sense then."""
    path = given if isinstance(given, str) and is_local_path(given) else "/me"
    return "/me" if path.startswith(("/login", "/logout", "/oauth/")) else path


def _failed(reason: SignInReason, path: str) -> Response:
    return _button(path, reason.value, status=_STATUS.get(reason, 503))


def _button(path: str, reason: str | None, *, status: int) -> Response:
    kept = errors.is_kept(path)
    return make_response(render_template("sign_in/sign_in.html", path=path, reason=reason, kept=kept), status)
