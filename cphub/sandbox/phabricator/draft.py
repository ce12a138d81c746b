"""A task being edited: what each transaction does to it, what follows by itself, what is written down."""

from collections.abc import Iterable
from typing import Any

from .install import PRIORITIES, STATUSES, Install, Project, Task, User, by_key, new_phid
from .remarkup import mentioned_tasks, mentioned_users
from .wire import CORE, ConduitError

TITLE_LENGTH = 255


class Draft:
    """A task that nobody else sees yet. ``apply`` each change, then ``check``, ``finish``, ``commit``."""

    def __init__(self, install: Install, user: User, task: Task, *, creating: bool) -> None:
        self.task = task
        self._install = install
        self._user = user
        self._creating = creating
        self._was = task.status
        self._errors: list[str] = []
        self._log: list[tuple[str | None, dict[str, Any]]] = [("create", {})] if creating else []
        self._comments: list[str] = []
        self._spoken: list[str] = []  # texts that may mention people and tasks
        self._touched: list[Task] = []  # other tasks that get a line in their history
        self._policies: list[str] = []
        self._owner_given = False
        self._newcomers: list[str] = []

    def apply(self, kind: str, value: Any) -> None:
        name, _, verb = kind.partition(".")
        handler = getattr(self, f"_set_{name}")
        handler(verb, value) if verb else handler(value)

    def check(self) -> None:
        """Raise with everything that was refused."""
        if self._creating and not self.task.title and not self._errors:
            self._errors.append("Tasks must have a title.")
        for policy in self._policies:
            if not self._install.allows(getattr(self.task, policy), self._user, self.task):
                self._errors.append(
                    f"The {policy} policy of this object would no longer allow you to {policy} the object."
                )
        if self._errors:
            raise ConduitError(CORE, "Validation errors:" + "".join(f"\n  - {error}" for error in self._errors))

    def finish(self) -> None:
        """What Phabricator adds by itself: who closed it, who owns it, who is subscribed."""
        task, me = self.task, self._user
        closed = not _is_open(task.status)
        if closed and _is_open(self._was):
            task.closer, task.closed = me.phid, self._install.now()
            if task.owner is None and not self._owner_given:
                self._write("owner", old=None, new=me.phid)
                task.owner = me.phid
        elif not closed:
            task.closer = task.closed = None
        for text in self._spoken:
            for name in mentioned_users(text):
                if user := self._install.user(name):
                    self._newcomers.append(user.phid)
        speaks = bool(self._comments) and not me.bot and me.phid not in task.unsubscribed
        if self._creating or speaks:
            self._newcomers.append(me.phid)
        self._subscribe(self._newcomers)

    def commit(self) -> list[str]:
        """Keep it all; the PHIDs of the transactions, in the order they were written."""
        install, task, me = self._install, self.task, self._user.phid
        if self._creating:
            install.keep(task)
        else:
            install.tasks[task.phid] = task
        task.modified = install.now()
        group = new_phid("", 32).rpartition("-")[2]
        written = [install.add_transaction(task, me, group, kind, **fields) for kind, fields in self._log]
        for text in self._comments:
            comment = install.add_transaction(task, me, group, "comment")
            install.add_version(comment, text)
            written.append(comment)
        mentioned = (install.task(number) for text in self._spoken for number in mentioned_tasks(text))
        for other in (*self._touched, *mentioned):
            if other is not None and other is not task:
                install.add_transaction(other, me, group, None)
                other.modified = install.now()
        return [one.phid for one in written]

    def _write(self, kind: str | None, **fields: Any) -> None:
        self._log.append((kind, fields))

    def _set_title(self, value: str) -> None:
        title = value.strip(" \t\n\r\0\x0b")
        if not title:
            self._errors.append("Tasks must have a title.")
        elif len(title) > TITLE_LENGTH:
            self._errors.append(f"Task title cannot exceed {TITLE_LENGTH} characters.")
        elif title != self.task.title:
            self._write("title", old=self.task.title, new=title)
            self.task.title = title

    def _set_description(self, value: str) -> None:
        if value != self.task.description:
            self._write("description", old=self.task.description, new=value)
            self.task.description = value
            self._spoken.append(value)

    def _set_status(self, value: str) -> None:
        if value != self.task.status:  # any key is taken, known or not
            self._write("status", old=self.task.status, new=value)
            self.task.status = value

    def _set_priority(self, value: str) -> None:
        new = next((row for row in PRIORITIES if value in row["keywords"]), None)
        if new is None:
            keywords = ", ".join(row["keywords"][0] for row in PRIORITIES)
            self._errors.append(
                f'Task priority "{value}" is not a valid task priority. '
                f"Use a priority keyword to choose a task priority: {keywords}."
            )
        elif new["value"] != self.task.priority:
            old = by_key(PRIORITIES, "value", self.task.priority) or new
            self._write(
                "priority",
                **{key: {"value": p["value"], "name": p["name"]} for key, p in (("old", old), ("new", new))},
            )
            self.task.priority = new["value"]

    def _set_owner(self, value: str | None) -> None:
        self._owner_given = True
        former = self.task.owner
        if value and value not in self._install.users:
            self._errors.append(f'User "{value}" is not a valid user.')
        elif value != former:
            self._write("owner", old=former, new=value)
            self.task.owner = value or None
            if former and value:
                self._newcomers.append(former)

    def _set_comment(self, value: str) -> None:
        if value.strip():
            self._comments.append(value)
            self._spoken.append(value)

    def _set_view(self, value: str) -> None:
        self._set_policy("view", value)

    def _set_edit(self, value: str) -> None:
        self._set_policy("edit", value)

    def _set_policy(self, name: str, value: str) -> None:
        if value != getattr(self.task, name):
            setattr(self.task, name, value)
            self._policies.append(name)
            self._write(None)

    def _set_projects(self, verb: str, value: list[str]) -> None:
        phids = [self._project_phid(name) for name in value]
        gone = [phid for phid in self.task.projects if (verb == "set" and phid not in phids)]
        gone += [phid for phid in phids if verb == "remove" and phid in self.task.projects]
        self._tag([] if verb == "remove" else phids, gone)

    def _project_phid(self, name: str) -> str:
        if name.startswith("PHID-"):
            return name  # taken as it is, even when it is no project
        project = self._install.project(name)
        if project is None:
            text = "Edge transactions must have destination PHIDs as in edge lists"
            raise ConduitError(CORE, f'{text} (found key "{name}" on transaction of type "41").')
        return project.phid

    def _tag(self, added: Iterable[str], gone: Iterable[str]) -> None:
        steps = [("remove", phid) for phid in gone if phid in self.task.projects]
        steps += [("add", phid) for phid in dict.fromkeys(added) if phid not in self.task.projects]
        for operation, phid in steps:
            self.task.projects.remove(phid) if operation == "remove" else self.task.projects.append(phid)
        if steps:
            self._write("projects", operations=[{"operation": verb, "phid": phid} for verb, phid in steps])

    def _set_column(self, value: list[str]) -> None:
        for phid in value:
            found = self._install.column(phid)
            if found is None:
                self._errors.append(
                    f'Column move transaction specifies column PHID "{phid}", '
                    "but there is no corresponding column with this PHID."
                )
                continue
            board, column = found
            milestone = self._install.project(column.proxy) if column.proxy else None
            if milestone is not None:
                self._write(None)
                self._tag([milestone.phid], [board.phid])
                self.task.columns.pop(board.phid, None)
            elif self._column_on(board) != phid:
                self._write(None)
                self.task.columns[board.phid] = phid
                self._tag([board.phid], [])

    def _column_on(self, board: Project) -> str | None:
        default = next((column.phid for column in board.columns if column.default), None)
        return self.task.columns.get(board.phid, default) if board.phid in self.task.projects else None

    def _set_parents(self, verb: str, value: list[str]) -> None:
        before = list(self.task.parents)
        kept = [] if verb == "set" else [phid for phid in before if verb == "add" or phid not in value]
        self.task.parents = list(dict.fromkeys([*kept, *([] if verb == "remove" else value)]))
        for phid in self.task.parents:
            self._refuse_cycle(phid, [self.task.phid])
        if changed := set(before) ^ set(self.task.parents):
            self._write(None)
            self._touched += [self._install.tasks[phid] for phid in changed if phid in self._install.tasks]

    def _refuse_cycle(self, phid: str, path: list[str]) -> None:
        if phid in path:
            raise ConduitError(CORE, f"Graph cycle detected (type=3, cycle={', '.join([*path, phid])}).")
        parent = self._install.tasks.get(phid)
        for above in parent.parents if parent else ():
            self._refuse_cycle(above, [*path, phid])

    def _set_subscribers(self, verb: str, value: list[str]) -> None:
        if verb == "add" or (verb == "set" and self._creating):
            self._subscribe([*value, self._user.phid] if self._creating else value)
            return
        keep = value if verb == "set" else [phid for phid in self.task.subscribers if phid not in value]
        gone = [phid for phid in self.task.subscribers if phid not in keep]
        self.task.subscribers = [phid for phid in self.task.subscribers if phid in keep]
        self.task.unsubscribed.update(gone)
        if gone:
            self._write("subscribers", operations=[{"operation": "remove", "phid": phid} for phid in gone])
        if verb == "set":
            self._subscribe(value)

    def _subscribe(self, phids: Iterable[str]) -> None:
        new = [phid for phid in dict.fromkeys(phids) if phid not in self.task.subscribers]
        if new:
            self.task.subscribers += new
            self.task.unsubscribed -= set(new)
            self._write("subscribers", operations=[{"operation": "add", "phid": phid} for phid in new])


def _is_open(status: str) -> bool:
    known = by_key(STATUSES, "value", status)
    return known is not None and not known["closed"]
