"""What the small Phabricator knows: people, projects, tasks and their history, in memory, behind one lock."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

STATUSES: tuple[dict[str, Any], ...] = (
    {"name": "Open", "value": "open", "closed": False, "special": "default"},
    {"name": "In Progress", "value": "progress", "closed": False},
    {"name": "Stalled", "value": "stalled", "closed": False},
    {"name": "Resolved", "value": "resolved", "closed": True, "special": "closed"},
    {"name": "Invalid", "value": "invalid", "closed": True},
    {"name": "Duplicate", "value": "duplicate", "closed": True, "special": "duplicate"},
    {"name": "Declined", "value": "declined", "closed": True},
    {"name": "Locked (test only)", "value": "locked", "closed": True},
)
PRIORITIES: tuple[dict[str, Any], ...] = (
    {"name": "Unbreak Now!", "short": "Unbreak!", "color": "indigo", "keywords": ["unbreak"], "value": 100},
    {"name": "Needs Triage", "short": "Triage", "color": "violet", "keywords": ["triage"], "value": 90},
    {"name": "High", "short": "High", "color": "red", "keywords": ["high"], "value": 80},
    {"name": "Medium", "short": "Medium", "color": "orange", "keywords": ["medium", "normal"], "value": 50},
    {"name": "Low", "short": "Low", "color": "yellow", "keywords": ["low"], "value": 25},
    {"name": "Lowest", "short": "Lowest", "color": "sky", "keywords": ["lowest"], "value": 10},
)
LOCKED = "locked"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def new_phid(kind: str, length: int = 20) -> str:
    return f"PHID-{kind}-" + "".join(secrets.choice(_LETTERS) for _ in range(length))


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    real_name: str
    bot: bool = False
    admin: bool = False
    disabled: bool = False
    phid: str = field(default_factory=lambda: new_phid("USER"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``proxy`` is the slug or name of the milestone the column stands for."""

    name: str
    default: bool = False
    hidden: bool = False
    proxy: str | None = None
    phid: str = field(default_factory=lambda: new_phid("PCOL"))


@dataclass(slots=True, kw_only=True)
class Project:
    """``parent`` names the project this is a milestone of."""

    name: str
    slug: str | None
    description: str | None = None
    columns: tuple[Column, ...] = ()
    members: tuple[str, ...] = ()
    archived: bool = False
    parent: str | None = None
    view: str = "users"
    phid: str = field(default_factory=lambda: new_phid("PROJ"))


@dataclass(slots=True, kw_only=True)
class Version:
    """One version of a comment; editing and removing add one."""

    id: int
    text: str
    author: str
    at: int
    removed: bool = False
    phid: str = field(default_factory=lambda: new_phid("XCMT"))


@dataclass(slots=True, kw_only=True)
class Transaction:
    id: int
    type: str | None
    author: str
    task: str
    at: int
    group: str
    fields: dict[str, Any] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    phid: str = field(default_factory=lambda: new_phid("XACT-TASK", 15))


@dataclass(slots=True, kw_only=True)
class Task:
    """A task. People, projects and columns are PHIDs, times are Unix seconds; oldest tag first."""

    number: int
    author: str
    created: int
    modified: int
    title: str = ""
    description: str = ""
    status: str = "open"
    priority: int = 90
    owner: str | None = None
    closer: str | None = None
    closed: int | None = None
    view: str = "users"
    edit: str = "users"
    projects: list[str] = field(default_factory=list)
    subscribers: list[str] = field(default_factory=list)
    unsubscribed: set[str] = field(default_factory=set)
    columns: dict[str, str] = field(default_factory=dict)  # board (project) -> column
    parents: list[str] = field(default_factory=list)
    phid: str = field(default_factory=lambda: new_phid("TASK"))

    @property
    def interact(self) -> str:
        return "no-one" if self.status == LOCKED else self.view


BOT = User(name="cphub-bot", real_name="cphub helpdesk bot", bot=True)
ENGINEERS = (
    User(name="noor", real_name="Noor Example"),
    User(name="tiago", real_name="Tiago Example"),
    User(name="yuki", real_name="Yuki Example", admin=True),
)


def helpdesk() -> Project:
    """The project that requests are tagged with when no other is given."""
    return Project(
        name="Content-Partnerships-Hub",
        slug="content-partnerships-hub",
        description="Requests followed through from cphub",
        columns=(
            Column(name="Backlog", default=True),
            Column(name="Doing"),
            Column(name="Waiting"),
            Column(name="Done"),
        ),
    )


class Install:
    """The whole state. Hold ``lock`` around anything that touches it; every call of the API does."""

    def __init__(
        self,
        *,
        base_url: str,
        users: Iterable[User],
        projects: Iterable[Project],
        clock: Callable[[], datetime],
    ) -> None:
        self.lock = RLock()
        self.base_url = base_url.rstrip("/")
        self.users = {user.phid: user for user in users}
        self.projects = {project.phid: project for project in projects}
        self.tasks: dict[str, Task] = {}
        self.transactions: list[Transaction] = []
        self.read_only = False
        self.started = int(clock().timestamp())
        self.next_number = 1
        self.next_transaction = 1
        self.next_comment = 1
        self._clock = clock

    def now(self) -> int:
        """Unix seconds, as everything here is dated."""
        return int(self._clock().timestamp())

    def user(self, name: str) -> User | None:
        return next((user for user in self.users.values() if user.name.lower() == name.lower()), None)

    def project(self, name: str) -> Project | None:
        """A project by PHID, name or slug."""
        found = (one for one in self.projects.values() if name in (one.phid, one.slug, one.name))
        return next(found, None)

    def column(self, phid: str) -> tuple[Project, Column] | None:
        found = ((one, column) for one in self.projects.values() for column in one.columns if column.phid == phid)
        return next(found, None)

    def task(self, number: int) -> Task | None:
        return next((task for task in self.tasks.values() if task.number == number), None)

    def history(self, task: Task) -> list[Transaction]:
        """Oldest first."""
        return [one for one in self.transactions if one.task == task.phid]

    def column_numbers(self) -> dict[str, tuple[int, Column]]:
        """Every column with its number, by PHID."""
        columns = (column for one in self.projects.values() for column in one.columns)
        return {column.phid: (number, column) for number, column in enumerate(columns, start=1)}

    def blank_task(self, author: str, **values: Any) -> Task:
        """A task with the next number that nobody sees until it is kept; any of its fields may be given."""
        known: dict[str, Any] = {"number": self.next_number, "created": self.now(), "modified": self.now()}
        return Task(author=author, **known | values)

    def keep(self, task: Task) -> Task:
        self.tasks[task.phid] = task
        self.next_number = max(self.next_number, task.number + 1)
        return task

    def add_transaction(self, task: Task, author: str, group: str, kind: str | None, **fields: Any) -> Transaction:
        one = Transaction(
            id=self.next_transaction,
            type=kind,
            author=author,
            task=task.phid,
            at=self.now(),
            group=group,
            fields=fields,
        )
        self.next_transaction += 1
        self.transactions.append(one)
        return one

    def add_version(self, comment: Transaction, text: str, *, removed: bool = False) -> None:
        """Post, edit or remove a comment. Editing and removing do not touch the task, nor its date."""
        now = self.now()
        version = Version(id=self.next_comment, text=text, author=comment.author, at=now, removed=removed)
        self.next_comment += 1
        if removed:
            for earlier in comment.versions:
                earlier.text = ""
        comment.versions.append(version)

    def destroy(self, task: Task) -> None:
        """As an administrator can on the server: the task goes, and its history with it."""
        del self.tasks[task.phid]
        self.transactions = [one for one in self.transactions if one.task != task.phid]

    def allows(self, policy: str, user: User, task: Task) -> bool:
        """Whether a policy lets somebody through. Being the author helps nobody; the owner always passes."""
        if task.owner == user.phid or policy in ("users", "public", user.phid):
            return True
        return policy == "admin" and user.admin

    def visible(self, user: User) -> list[Task]:
        return [task for task in self.tasks.values() if self.allows(task.view, user, task)]


def by_key(rows: Iterable[Mapping[str, Any]], key: str, value: object) -> Mapping[str, Any] | None:
    return next((row for row in rows if row[key] == value), None)
