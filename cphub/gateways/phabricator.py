"""The Conduit client: the only code that talks to Phabricator.

Conduit answers HTTP 200 even to a failure, tells failures apart by text alone, echoes the token in some of
them, and creates a second task when asked twice. What may be asked again is decided here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests

from cphub.errors import GatewayError

PAGE = 100  # the most rows maniphest.search gives, and the most ids asked for in one call
CLOCK_DRIFT = timedelta(minutes=5)
_SECRET = re.compile(r"\b(?:api|cli|clr)-[a-z0-9]{4,}")
_FENCE = "```"


class PhabricatorError(GatewayError):
    """Phabricator did not do what was asked. The message is short and holds no token."""

    lasting = True

    def __init__(self, message: str, *, unsure: bool = False) -> None:
        super().__init__(message, permanent=self.lasting, unsure=unsure)


class TokenRefused(PhabricatorError):
    """The token is missing, wrong or expired, or its account disabled: an operator must act."""


class NotPermitted(PhabricatorError):
    """The bot may not see, edit or comment on this task."""


class NoSuchObject(PhabricatorError):
    """There is no such task or project, or the bot may not see it."""


class ValueRefused(PhabricatorError):
    """A value was refused, or nothing would have been posted."""


class CallWrong(PhabricatorError):
    """The call itself was wrong: a mistake in this program or in its configuration."""


class CursorLost(PhabricatorError):
    """The task a page ended at has gone: start the scan over."""

    lasting = False


class ReadOnly(PhabricatorError):
    """Phabricator is being maintained and takes no writes: nothing was written."""

    lasting = False


class Unavailable(PhabricatorError):
    """No proper answer came: server trouble, too many calls, a broken connection, a time-out."""

    lasting = False


@dataclass(frozen=True, slots=True)
class User:
    phid: str
    name: str


@dataclass(frozen=True, slots=True)
class Project:
    phid: str
    name: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status a task can have. Its ``key`` is what is sent; unknown keys are taken without a word."""

    key: str
    name: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the bot sees it now. ``status`` is empty when a new task could not be read back."""

    number: int
    phid: str
    title: str
    description: str
    status: str
    status_name: str
    closed: bool
    url: str


class Phabricator:
    """One Phabricator, seen by the account of ``token``. Every method may raise ``PhabricatorError``.

    ``url`` has no path. ``user_agent`` must name a contact: Wikimedia's edge refuses anonymous programs.
    ``timeout`` in seconds holds for connecting and for each wait on the answer.
    """

    def __init__(self, url: str, token: str, *, user_agent: str, timeout: float = 15.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a .netrc of the machine has a say in this
        self._session.headers["User-Agent"] = user_agent

    def whoami(self) -> User:
        """The account of the token."""
        with self._reading("user.whoami", {}) as result:
            return User(result["phid"], result["userName"])

    def project(self, slug: str) -> Project:
        """The project with this hashtag (without ``#``); raises ``NoSuchObject``."""
        with self._reading("project.search", {"constraints": {"slugs": [slug]}}) as result:
            if not result["data"]:
                raise NoSuchObject(f'No project has the hashtag "{slug}", or the bot may not see it.')
            row = result["data"][0]
            return Project(row["phid"], row["fields"]["name"])

    def statuses(self) -> tuple[Status, ...]:
        """All statuses of this install, in its own order."""
        with self._reading("maniphest.status.search", {}) as result:
            return tuple(Status(row["value"], row["name"], bool(row["closed"])) for row in result["data"])

    def create_task(self, *, title: str, description: str, project_phid: str) -> Task:
        """Create a task tagged with a project. After an ``unsure`` error, ask ``find_created`` first."""
        changes = {"title": title, "description": description, "projects.set": [project_phid]}
        with self._edit(changes) as result:
            number, phid = int(result["object"]["id"]), str(result["object"]["phid"])
        try:
            seen = self.task(number)
        except PhabricatorError:
            seen = None  # the task is there: not to see it now must not look like a failure to create it
        return seen or Task(number, phid, title, description, "", "", closed=False, url=self._task_url(number))

    def find_created(self, *, reference: str, author_phid: str, since: datetime) -> Task | None:
        """The newest task by this author, made since that moment, whose description names the reference.

        Only what stands before the first fence counts: behind it are the words of people, who may well name
        another request. The full-text index is of no use here, it lags behind.
        """
        mark = re.compile(rf"(?<!\w){re.escape(reference)}(?![\w/])")
        created_start = int((since - CLOCK_DRIFT).timestamp())
        constraints = {"authorPHIDs": [author_phid], "createdStart": created_start}
        found = self._search(constraints, order="newest")  # by id: the position of a page is stable
        return next((task for task in found if mark.search(task.description.partition(_FENCE)[0])), None)

    def task(self, number: int) -> Task | None:
        """The task, or None when it is absent or hidden from the bot (Phabricator does not say which)."""
        return self.tasks([number]).get(number)

    def tasks(self, numbers: Sequence[int]) -> dict[int, Task]:
        """Tasks by number; absent and hidden ones are left out."""
        wanted = sorted(set(numbers))
        pages = (wanted[start : start + PAGE] for start in range(0, len(wanted), PAGE))
        return {task.number: task for page in pages for task in self._search({"ids": page}, order="oldest")}

    def comment(self, task_phid: str, text: str) -> str:
        """Post a comment and return the PHID of its transaction. Asked twice, it is there twice."""
        with self._edit({"comment": text}, task_phid) as result:
            if not result["transactions"]:
                raise ValueRefused("An empty comment is not posted.")
            # A first comment subscribes its author, and that comes before it; comments come last.
            return str(result["transactions"][-1]["phid"])

    def _search(self, constraints: Mapping[str, Any], *, order: str) -> Iterator[Task]:
        params: dict[str, Any] = {"constraints": constraints, "order": order, "limit": PAGE}
        while True:
            with self._reading("maniphest.search", params) as result:
                page = [self._task(row) for row in result["data"]]
                after = result["cursor"]["after"]
            yield from page
            if after is None:
                return
            params["after"] = after

    def _task(self, row: Mapping[str, Any]) -> Task:
        fields = row["fields"]
        return Task(
            number=int(row["id"]),
            phid=row["phid"],
            title=fields["name"],
            description=fields["description"]["raw"],
            status=fields["status"]["value"],
            status_name=fields["status"]["name"],
            closed=fields["dateClosed"] is not None,  # also right for a status this install does not know
            url=self._task_url(int(row["id"])),
        )

    def _task_url(self, number: int) -> str:
        return f"{self._url}/T{number}"

    @contextmanager
    def _edit(self, changes: Mapping[str, object], task_phid: str | None = None) -> Iterator[Any]:
        params: dict[str, Any] = {"transactions": [{"type": key, "value": value} for key, value in changes.items()]}
        if task_phid is not None:
            params["objectIdentifier"] = task_phid
        with self._reading("maniphest.edit", params, write=True) as result:
            yield result

    @contextmanager
    def _reading(self, method: str, params: Mapping[str, Any], *, write: bool = False) -> Iterator[Any]:
        """The result of a call; in the block, a result of another shape than expected counts as no answer."""
        result = self._call(method, params, write=write)
        try:
            yield result
        except (KeyError, IndexError, TypeError, ValueError):
            raise Unavailable(f"{method}: the answer has an unknown shape.", unsure=write) from None

    def _call(self, method: str, params: Mapping[str, Any], *, write: bool) -> Any:
        form = [("api.token", self._token.encode()), *_flat(params)]
        try:
            answer = self._session.post(
                f"{self._url}/api/{method}", data=form, timeout=self._timeout, allow_redirects=False
            )
            status = answer.status_code
            body = answer.json() if status == requests.codes.ok else None
        except requests.RequestException as error:  # its request holds the token: keep nothing but its name
            raise Unavailable(f"{method}: {type(error).__name__}", unsure=write) from None
        if answer.is_redirect:
            raise CallWrong(f"{method}: redirected; the configured address is not the final one.")
        if status == requests.codes.request_entity_too_large:
            raise ValueRefused(f"{method}: the text is too long for the server.")
        if not isinstance(body, dict):
            raise Unavailable(f"{method}: HTTP {status}", unsure=write)
        if body.get("error_code"):
            raise self._refusal(method, str(body["error_code"]), str(body.get("error_info")), write=write)
        return body.get("result")

    def _refusal(self, method: str, code: str, info: str, *, write: bool) -> PhabricatorError:
        told = _SECRET.sub("[token]", info.replace(self._token, "[token]") if self._token else info)
        message = f"{method}: {code}: {told[:500]}"
        for kind, pattern in _REFUSALS:
            if pattern.match(f"{code} {info}"):
                return kind(message)
        # An unknown text is most often trouble inside the server, which may have struck after the write.
        return Unavailable(message, unsure=write)


_REFUSALS: tuple[tuple[type[PhabricatorError], re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.DOTALL))
    for kind, pattern in (
        (TokenRefused, r"ERR-INVALID-(AUTH|SESSION) "),
        (NoSuchObject, r"ERR-INVALID-OBJECT-PHID "),
        (CallWrong, r"ERR-(CONDUIT-CALL|INVALID-(CONSTRAINT|ATTACHMENT|PARAMETER|PAGE-SIZE)) "),
        (NotPermitted, r"ERR-CONDUIT-CORE \[You Shall Not Pass"),
        (NoSuchObject, r'ERR-CONDUIT-CORE (No object exists with|Monogram ".*" does not identify)'),
        (ValueRefused, r"ERR-CONDUIT-CORE Validation errors:"),
        (CursorLost, r'ERR-CONDUIT-CORE Cursor ".*" does not identify'),
        (ReadOnly, r"ERR-CONDUIT-CORE .*read-only mode"),
        (CallWrong, r'ERR-CONDUIT-CORE (Parameter "|Transaction with key|Exception when processing)'),
        (
            CallWrong,
            r'ERR-CONDUIT-CORE (Error while reading|Edge transactions must|Query ".*" does not support)',
        ),
        (
            CallWrong,
            r"ERR-CONDUIT-CORE (Use form-encoded data|Task IDs must be|Graph cycle|Attempting to construct)",
        ),
    )
)


def _flat(value: object, key: str = "") -> Iterator[tuple[str, bytes]]:
    """PHP's form fields: ``{"a": {"b": [1]}}`` is ``a[b][0]=1``. Conduit understands nothing but forms."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}[{name}]" if key else str(name))
    elif isinstance(value, (list, tuple)):
        yield from _flat(dict(enumerate(value)), key)
    else:
        yield key, str(value).encode(errors="replace")
