"""The HTTP side of the sandbox wiki: Special:OAuth for applications and the pages for people."""

import html
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from cphub.sandbox.wiki import api
from cphub.sandbox.wiki.oauth import Mint, OAuthServer, SignedRequest, WikiConsumer, mint
from cphub.sandbox.wiki.people import GROUPS, WikiPerson
from cphub.sandbox.wiki.refusals import Refusal

#: Who was picked last in this browser. Cookies ignore ports, hence the long name.
LAST_PERSON = "cphub_sandbox_wiki_person"

HELP = "https://www.mediawiki.org/wiki/Help:OAuth/Errors"

bp = Blueprint("wiki", __name__, template_folder="templates")


def require_loopback(url: str) -> None:
    """Raise ValueError unless ``url`` is on this machine: a wiki without passwords is for nobody else."""
    host = urlsplit(url).hostname or ""
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"the sandbox wiki is only for loopback addresses, not for {url!r}")


def create_wiki(
    *,
    base_url: str,
    people: Sequence[WikiPerson],
    consumers: Sequence[WikiConsumer],
    clock: Callable[[], float] = time.time,
    mint: Mint = mint,
) -> Flask:
    """The wiki as a WSGI application; its state lives in this one object (``app.extensions["wiki"]``).

    ``base_url`` is the origin that browsers and applications use, since signatures cover it. ``clock`` gives
    Unix time. Raises ValueError when ``base_url`` is not on loopback.
    """
    require_loopback(base_url)
    app = Flask(__name__, static_url_path="/sandbox/static")
    app.extensions["wiki"] = OAuthServer(base_url, people, consumers, clock=clock, mint=mint)
    app.register_blueprint(bp)
    app.register_blueprint(api.bp)
    return app


def wiki() -> OAuthServer:
    server: OAuthServer = current_app.extensions["wiki"]
    return server


# --- for applications ---------------------------------------------------------------------------------------


@bp.route("/w/index.php", methods=["GET", "POST"])
def index() -> AnyResponse:
    return special(request.values.get("title", ""))


@bp.route("/wiki/<path:title>", methods=["GET", "POST"])
def special(title: str) -> AnyResponse:
    match title:
        case "Special:OAuth/initiate":
            return protocol(initiate)
        case "Special:OAuth/token":
            return protocol(token)
        case "Special:OAuth/identify":
            return protocol(identify)
        case "Special:OAuth/authenticate" | "Special:OAuth/authorize":
            return authorise()
    return redirect(url_for("wiki.home"))


def protocol(step: Callable[[SignedRequest, bool], Response]) -> Response:
    """Run one step for an application. Status is 200 whatever happens, as on the real wiki."""
    as_json = request.args.get("format") == "json"
    try:
        answer = step(signed_request(), as_json)
    except Refusal as refusal:
        if as_json or step is identify:
            answer = json_answer({"error": refusal.key, "message": in_full(refusal)})
        else:
            answer = text_answer(f"Error: {in_full(refusal, escaped=True)}")
    answer.headers["Cache-Control"] = "no-cache, no-store, max-age=0, must-revalidate"
    answer.headers["Expires"] = "Thu, 01 Jan 1970 00:00:00 GMT"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def signed_request() -> SignedRequest:
    """What came in, under the host name that the wiki calls itself: no other may have been signed."""
    return SignedRequest(
        request.method,
        f"{wiki().base_url}{request.path}?{request.query_string.decode()}",
        authorization=request.headers.get("Authorization", ""),
        form=list(request.form.items(multi=True)),
    )


def initiate(signed: SignedRequest, as_json: bool) -> Response:
    given = wiki().initiate(signed)
    if as_json:
        return json_answer({"key": given.key, "secret": given.secret, "oauth_callback_confirmed": "true"})
    return token_answer(given.key, given.secret)


def token(signed: SignedRequest, as_json: bool) -> Response:
    given = wiki().token(signed)
    if as_json:
        return json_answer({"key": given.key, "secret": given.secret})
    return token_answer(given.key, given.secret)


def identify(signed: SignedRequest, as_json: bool) -> Response:
    return Response(wiki().identify(signed), content_type="application/json")


def token_answer(key: str, secret: str) -> Response:
    return text_answer(f"oauth_token={key}&oauth_token_secret={secret}&oauth_callback_confirmed=true")


def text_answer(text: str) -> Response:
    return Response(text, content_type="text/plain;charset=UTF-8")


def json_answer(value: dict[str, Any]) -> Response:
    return Response(current_app.json.dumps(value), content_type="application/json")


def in_full(refusal: Refusal, *, escaped: bool = False) -> str:
    """Text and detail. The real wiki escapes all of it but the link, which it puts in afterwards."""
    escape = html.escape if escaped else str
    if not refusal.detail:
        return escape(refusal.text)
    link = f', <a class="external" href="{HELP}#{refusal.code}">{refusal.code}</a>' if refusal.code else ""
    opening = '\n\n<span class="plainlinks mw-mwoautherror-details">'
    return escape(f"{refusal.text}{opening}{refusal.detail}") + link + escape("</span>")


# --- for people ---------------------------------------------------------------------------------------------


def authorise() -> AnyResponse:
    """Who are you, and may this application know? It always asks (a real wiki does not): one can switch."""
    sent = request.values
    consumer_key = sent.get("consumerKey") or sent.get("oauth_consumer_key", "")
    token_key = sent.get("requestToken") or sent.get("oauth_token", "")
    allows = request.method == "POST" and "cancel" not in sent
    person = sent.get("person", "") if allows else ""
    if allows and person not in wiki().people:
        abort(400)
    try:
        consumer = wiki().asked(consumer_key, token_key, reader=person)
    except Refusal as refusal:
        return page("wiki/refused.html", refusal=refusal)
    if "cancel" in sent:
        return page("wiki/cancelled.html", consumer=consumer)
    problem = None
    if allows:
        try:
            answer = redirect(wiki().allow(consumer, token_key, person))
        except Refusal as refusal:
            problem = refusal
        else:
            answer.set_cookie(LAST_PERSON, person, httponly=True, samesite="Lax")
            return answer
    chosen = person or request.cookies.get(LAST_PERSON)
    return page("wiki/authorise.html", consumer=consumer, token_key=token_key, problem=problem, chosen=chosen)


@bp.get("/")
def home() -> AnyResponse:
    """Everybody, and what can happen to them: rename, block or lock a person here and see what follows."""
    return page("wiki/home.html", read_only=wiki().read_only)


@bp.post("/sandbox/people/<central_id>")
def change_person(central_id: str) -> AnyResponse:
    if central_id not in wiki().people:
        abort(404)
    states = ("blocked", "partially_blocked", "locked", "suppressed", "revokes")
    name = " ".join(request.form.get("name", "").replace("_", " ").split())
    wiki().change(
        central_id,
        **{state: state in request.form for state in states},
        **({"name": name} if name else {}),
    )
    return redirect(url_for("wiki.home", _anchor=f"person-{central_id}"), 303)


@bp.post("/sandbox/people/<central_id>/revoke")
def revoke(central_id: str) -> AnyResponse:
    wiki().revoke(central_id)
    return redirect(url_for("wiki.home", _anchor=f"person-{central_id}"), 303)


@bp.post("/sandbox/read-only")
def set_read_only() -> AnyResponse:
    wiki().read_only = "Maintenance" if "read_only" in request.form else ""
    return redirect(url_for("wiki.home"), 303)


def page(template: str, **values: Any) -> AnyResponse:
    groups = [
        (heading, [person for person in wiki().people.values() if person.group == group])
        for group, heading in GROUPS.items()
    ]
    body = render_template(template, groups=[pair for pair in groups if pair[1]], **values)
    return Response(body, content_type="text/html; charset=UTF-8")
