"""The methods that are spoken, and the way of a call: read it, check parameters and token, answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import lookups
from .edit import edit
from .history import history
from .install import BOT, Install, User
from .search import search
from .wire import Call, ConduitError, check_params

_SEARCH = ("queryKey", "constraints", "attachments", "order", "before", "after", "limit")
_ANYBODY = ("conduit.ping", "conduit.getcapabilities")
Handler = Callable[[Install, User, Call], Any]
METHODS: Mapping[str, tuple[Handler, Iterable[str]]] = {
    "conduit.ping": (lookups.ping, ()),
    "conduit.getcapabilities": (lookups.capabilities, ()),
    "user.whoami": (lookups.whoami, ()),
    "user.search": (lookups.users, _SEARCH),
    "project.search": (lookups.projects, _SEARCH),
    "project.column.search": (lookups.columns, _SEARCH),
    "maniphest.status.search": (lookups.statuses, ()),
    "maniphest.querystatuses": (lookups.old_statuses, ()),
    "maniphest.priority.search": (lookups.priorities, ()),
    "maniphest.search": (search, _SEARCH),
    "maniphest.edit": (edit, ("transactions", "objectIdentifier")),
    "transaction.search": (
        history,
        ("objectIdentifier", "objectType", "constraints", "before", "after", "limit"),
    ),
}


@dataclass(slots=True)
class Tokens:
    """Which token belongs to whom (by name). Tokens are 32 characters long and begin with ``api-``."""

    names: dict[str, str]
    expired: set[str] = field(default_factory=set)

    def user(self, install: Install, token: str) -> User:
        """Whose token this is; the refusals echo the token, as the real ones do."""
        if not token:
            raise ConduitError("ERR-INVALID-SESSION", "Session key is not present.")
        if len(token) != 32:
            told = "has the wrong length. API tokens should be 32 characters long."
            raise _bad(f'API token "{token}" {told}')
        if token[:4] not in ("api-", "cli-", "clr-"):
            raise _bad(
                f'API token "{token}" has the wrong format. API tokens should be 32 characters long '
                "and begin with one of these prefixes: api, cli, clr."
            )
        if token in self.expired:
            raise _bad(f'API token "{token}" was previously valid, but has expired.')
        user = install.user(self.names.get(token, ""))
        if user is None:
            raise _bad(f'API token "{token}" is not valid.')
        if user.disabled:
            raise _bad("User account is not permitted to use the API.")
        return user


def answer(install: Install, tokens: Tokens, method: str, read: Callable[[], Call]) -> dict[str, Any]:
    """The whole answer to a call, failure included."""
    try:
        if method not in METHODS:
            raise ConduitError("ERR-CONDUIT-CALL", f'Conduit API method "{method}" does not exist.')
        handler, known = METHODS[method]
        call = read()
        check_params(method, call, known)
        with install.lock:
            user = BOT if method in _ANYBODY else tokens.user(install, call.token)
            return {"result": handler(install, user, call), "error_code": None, "error_info": None}
    except ConduitError as error:
        return {"result": None, "error_code": error.code, "error_info": error.info}


def _bad(text: str) -> ConduitError:
    return ConduitError("ERR-INVALID-AUTH", text)
