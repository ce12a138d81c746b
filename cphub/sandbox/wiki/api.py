"""The little of ``api.php`` that the tool asks: who has an account, and in which state it is.

Both format versions are as the recordings have them. The answers are for anybody: a signed request is refused,
as the real API refuses consumers that may only sign people in.
"""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, current_app, request

from cphub.sandbox.wiki.oauth import OAuthServer
from cphub.sandbox.wiki.people import WikiPerson

MOST_VALUES = 50
_ANNOUNCE = "https://lists.wikimedia.org/postorius/lists/mediawiki-api-announce.lists.wikimedia.org/"
_HEADERS = {
    "Cache-Control": "private, must-revalidate, max-age=0",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
Answer = dict[str, Any]

bp = Blueprint("wiki_api", __name__)


class Refused(Exception):
    """What the API refuses, with status 200. ``more``: further fields of the error."""

    def __init__(self, code: str, info: str, **more: object) -> None:
        super().__init__(info)
        self.code, self.info, self.more = code, info, more


@bp.route("/w/api.php", methods=["GET", "POST"])
def api() -> Response:
    modern = _asked("formatversion") == "2"
    headers = dict(_HEADERS)
    try:
        answer = _query()
    except Refused as refused:
        headers["MediaWiki-API-Error"] = refused.code
        see = (
            f"See {_wiki().base_url}/w/api.php for API usage. Subscribe to the mediawiki-api-announce mailing list at"
            f" &lt;{_ANNOUNCE}&gt; for notice of API deprecations and breaking changes."
        )
        error = {"code": refused.code, "info": refused.info, **refused.more, "docref" if modern else "*": see}
        answer = {"error": error}
    body = current_app.json.dumps(answer if modern else _old(answer), ensure_ascii=not modern)
    return Response(body, headers=headers, content_type="application/json; charset=utf-8")


def _query() -> Answer:
    if "Authorization" in request.headers:
        raise Refused("readapidenied", "You need read permission to use this module.")
    if _asked("action") != "query":
        raise Refused("badvalue", f'Unrecognized value for parameter "action": {_asked("action")}.')
    answer: Answer = {"batchcomplete": True}
    for kind, modules in (("list", _LISTS), ("meta", _METAS)):
        for name in _values(kind):
            if name in modules:
                answer.setdefault("query", {})[name] = modules[name]()
            else:
                words = f'Unrecognized value for parameter "{kind}": {name}'
                answer["warnings"] = {"query": {"warnings": words}}
    return answer


def _users() -> list[Answer]:
    """``list=users``: names that can be none come first, all others in the order asked."""
    asked = [_tidy(name) for name in _values("ususers")]
    props = set(_values("usprop"))
    invalid = [{"name": name, "invalid": True} for name in asked if not _can_be_name(name)]
    by_name = [
        _user(person, props) if (person := _named(name)) else {"name": name, "missing": True}
        for name in asked
        if _can_be_name(name)
    ]
    by_id = [
        _user(person, props) if (person := _numbered(number)) else {"userid": int(number), "missing": True}
        for number in _values("ususerids")
    ]
    return [*invalid, *by_name, *by_id]


def _user(person: WikiPerson, props: set[str]) -> Answer:
    number = int(person.central_id)
    facts: dict[str, Answer] = {
        "editcount": {"editcount": person.edit_count},
        "registration": {"registration": _iso(person.registered)},
        "groups": {"groups": [*person.wiki_groups, "*", "user", "autoconfirmed"]},
        "blockinfo": _block(person),
        "emailable": {"emailable": person.email_confirmed},
        "gender": {"gender": "unknown"},
        "centralids": {"centralids": {"local": number}, "attachedlocal": {"local": True}},
    }
    answer: Answer = {"userid": number, "name": person.name}
    for prop, fact in facts.items():
        if prop in props:
            answer |= fact
    return answer


def _block(person: WikiPerson) -> Answer:
    """The block of an account; a sitewide one is for ever, one of some pages for a week."""
    if not (person.blocked or person.partially_blocked):
        return {}
    sitewide = person.blocked
    block = {
        "blockid": int(person.central_id),
        "blockedby": "WikiAdmin",
        "blockedbyid": 1,
        "blockreason": "spam" if sitewide else "edit war",
        "blockedtimestamp": "2026-11-21T08:10:25Z",
        "blockexpiry": "infinite" if sitewide else "2026-11-28T08:10:25Z",
        "blockpartial": not sitewide,
        "blocknocreate": sitewide,
        "blockanononly": False,
        "blockemail": sitewide,
        "blockowntalk": sitewide,
        "blockedtimestampformatted": "08:10, 21 November 2026",
    }
    if not sitewide:
        block["blockexpiryformatted"] = block["blockexpiryrelative"] = "08:10, 28 November 2026"
    return block


def _userinfo() -> Answer:
    """``meta=userinfo`` of somebody who is not signed in."""
    facts = {"groups": ["*"], "editcount": 0}
    props = _values("uiprop")
    return {"id": 0, "name": "127.0.0.1", "anon": True} | {key: facts[key] for key in facts if key in props}


def _globaluserinfo() -> Answer:
    """``meta=globaluserinfo``: ``locked`` is there only when the account is."""
    number = _asked("guiid")
    name = _tidy(_asked("guiuser"))
    person = _numbered(number) if number else _named(name)
    if number and person is None:
        raise Refused("invaliduserid", f'User ID "{number}" is not valid.')
    if not number and not _can_be_name(name):
        raise Refused("baduser", f'Invalid value "{_asked("guiuser")}" for user parameter "guiuser".')
    props = set(_values("guiprop"))
    if person is None:
        return {"missing": True} | ({"unattached": []} if "unattached" in props else {})
    home = {"wiki": "sandbox", "url": _wiki().base_url, "id": int(person.central_id), "method": "primary"}
    at = {"timestamp": _iso(person.registered), "registration": _iso(person.registered)}
    facts = {
        "groups": [],
        "rights": [],
        "merged": [home | at | {"editcount": person.edit_count}],
        "editcount": person.edit_count,
        "unattached": [],
    }
    answer: Answer = {"home": "sandbox", "id": int(person.central_id), "registration": _iso(person.registered)}
    answer["name"] = person.name
    if person.locked:
        answer["locked"] = True
    return answer | {key: value for key, value in facts.items() if key in props}


_LISTS: dict[str, Callable[[], Any]] = {"users": _users}
_METAS: dict[str, Callable[[], Any]] = {"userinfo": _userinfo, "globaluserinfo": _globaluserinfo}


def _wiki() -> OAuthServer:
    server: OAuthServer = current_app.extensions["wiki"]
    return server


def _asked(name: str) -> str:
    return request.values.get(name, "")


def _values(name: str) -> list[str]:
    """A list in one parameter: between ``|``, or between U+001F when it begins with that."""
    given = _asked(name)
    found = given[1:].split("\x1f") if given.startswith("\x1f") else given.split("|")
    found = [value for value in dict.fromkeys(found) if value]
    if len(found) > MOST_VALUES:
        raise Refused(
            "toomanyvalues",
            f'Too many values supplied for parameter "{name}". The limit is {MOST_VALUES}.',
            parameter=name,
            limit=MOST_VALUES,
            lowlimit=MOST_VALUES,
            highlimit=500,
        )
    return found


def _named(name: str) -> WikiPerson | None:
    return _first(person for person in _wiki().people.values() if person.name == name)


def _numbered(number: str) -> WikiPerson | None:
    return _first(person for person in _wiki().people.values() if person.central_id == number)


def _first(found: Iterable[WikiPerson]) -> WikiPerson | None:
    """A suppressed account is not there for anybody."""
    return next((person for person in found if not person.suppressed), None)


def _tidy(name: str) -> str:
    name = name.replace("_", " ").strip()
    return name[:1].upper() + name[1:]


def _can_be_name(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return bool(name) and not any(letter in "#<>[]|{}/@:" for letter in name)
    return False


def _iso(registered: str | None) -> str | None:
    if registered is None:
        return None
    year, rest = registered[:4], [registered[at : at + 2] for at in range(4, 14, 2)]
    return f"{year}-{rest[0]}-{rest[1]}T{rest[2]}:{rest[3]}:{rest[4]}Z"


def _old(value: Any) -> Any:
    """Format version 1: true is an empty text, and what is false is left out."""
    if isinstance(value, dict):
        return {key: _old(item) for key, item in value.items() if item is not False}
    if isinstance(value, list):
        return [_old(item) for item in value]
    return "" if value is True else value
