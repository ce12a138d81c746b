"""``maniphest.search``: constraints, orders, attachments."""

import re
from collections.abc import Callable
from typing import Any

from .install import PRIORITIES, STATUSES, Install, Task, User, by_key
from .paging import Place, cursor_of, cut_page
from .permissions import demand
from .wire import CORE, Call, ConduitError, read_list, read_mapping, read_number, read_page_size, read_text

Matches = Callable[[Task], bool]

ATTACHMENTS = ("columns", "projects", "subscribers")
_ORDERS = {
    "priority": "priority id",
    "order-priority": "priority id",
    "updated": "updated id",
    "order-modified": "updated id",
    "outdated": "-updated -id",
    "newest": "id",
    "created": "id",
    "order-created": "id",
    "oldest": "-id",
    "closed": "closed id",
    "title": "title id",
    "order-title": "title id",
    "relevance": "id",
}
_KEYS: dict[str, Callable[[Task], Any]] = {
    "id": lambda task: -task.number,
    "updated": lambda task: -task.modified,
    "priority": lambda task: -task.priority,
    "closed": lambda task: -(task.closed or 0),
}


def search(install: Install, user: User, call: Call) -> dict[str, Any]:
    tasks = install.visible(user)
    for name, value in read_mapping(call.value("constraints")).items():
        matches = _constraint(install, user, call, name, value)
        tasks = [task for task in tasks if matches(task)]
    attachments = list(read_mapping(call.value("attachments")))  # named is on, whatever the value
    if any(name not in ATTACHMENTS for name in attachments):
        raise ConduitError("ERR-INVALID-ATTACHMENT", 'Parameter "attachments" includes an invalid key.')
    size, echoed = read_page_size(call)
    order = call.value("order")
    tasks.sort(key=_sort_key(order))
    page = cut_page(tasks, size, _place(install, user, call, order))
    return {
        "data": [_row(install, user, task, attachments) for task in page.rows],
        "maps": {},
        "query": {"queryKey": call.value("queryKey")},
        "cursor": cursor_of(page, echoed, lambda task: task.number) | {"order": order},
    }


def _sort_key(order: Any) -> Callable[[Task], Any]:
    if isinstance(order, list):
        vector = order
    elif order is None:
        vector = ["priority", "id"]
    elif order in _ORDERS:
        vector = _ORDERS[order].split()
    else:
        raise ConduitError(
            CORE,
            f'Query "ManiphestTaskQuery" does not support a builtin order "{order}". '
            f"Supported orders are: {', '.join(_ORDERS)}.",
        )

    def key(task: Task) -> tuple[Any, ...]:
        parts: list[Any] = []
        for name in vector:
            if name.lstrip("-") == "title":
                parts.append(task.title)
            else:
                value = _KEYS[name.lstrip("-")](task)
                parts.append(-value if name.startswith("-") else value)
        return tuple(parts)

    return key


def _place(install: Install, user: User, call: Call, order: Any) -> Place[Task] | None:
    for name in ("after", "before"):
        if call.value(name) in (None, "", "0", 0):
            continue
        text = str(call.value(name))
        if not text.isdecimal():
            raise ConduitError(CORE, "Task IDs must be integer numbers.")
        task = install.task(int(text))
        if task is None:
            raise ConduitError(CORE, f'Cursor "{text}" does not identify a valid object in query "ManiphestTaskQuery".')
        demand(install, user, task, "view")
        key = _sort_key(order)
        return Place(key, key(task), backwards=name == "before")
    return None


def _constraint(install: Install, user: User, call: Call, name: str, value: Any) -> Matches:
    if bound := re.fullmatch(r"(created|modified|closed)(Start|End)", name):
        field, limit = bound[1], read_number(name, value, call)
        if bound[2] == "Start":
            return lambda task: (getattr(task, field) or 0) >= limit
        return lambda task: getattr(task, field) is not None and getattr(task, field) <= limit
    if name in _BY_NUMBER:
        return _BY_NUMBER[name](install, set(read_list(name, value, call, read_number)))
    if name in _BY_TEXT:
        return _BY_TEXT[name](install, user, set(read_list(name, value, call, read_text)))
    if name == "query":
        words = read_text(name, value, call).lower().replace("title:", "").strip('"').split()
        return lambda task: all(word in f"{task.title} {task.description}".lower() for word in words)
    raise ConduitError("ERR-INVALID-CONSTRAINT", 'Parameter "constraints" includes an invalid key.')


def _with_parents(install: Install, numbers: set[int]) -> Matches:
    above = {task.phid for task in map(install.task, numbers) if task}
    return lambda task: bool(above & set(task.parents))


def _with_subtasks(install: Install, numbers: set[int]) -> Matches:
    below = {phid for task in map(install.task, numbers) if task for phid in task.parents}
    return lambda task: task.phid in below


def _tagged(install: Install, user: User, names: set[str]) -> Matches:
    """A project that is hidden from the caller finds nothing, not even the caller's own tasks."""
    found = [install.project(name) for name in names]
    tags = {one.phid for one in found if one is not None and one.view in ("users", "public", user.phid)}
    return lambda task: bool(tags & set(task.projects))


def _assigned(install: Install, _user: User, names: set[str]) -> Matches:
    people = {one.phid for one in map(install.user, names) if one} | names
    return lambda task: (task.owner or "none()") in people


def _with_status(_install: Install, _user: User, names: set[str]) -> Matches:
    wanted = {key for name in names for key in _statuses(name)}
    return lambda task: task.status in wanted


def _statuses(text: str) -> list[str]:
    if text in ("open()", "closed()"):
        return [row["value"] for row in STATUSES if row["closed"] == (text == "closed()")]
    return [text]


_BY_NUMBER: dict[str, Callable[[Install, set[int]], Matches]] = {
    "ids": lambda _, numbers: lambda task: task.number in numbers,
    "parentIDs": _with_parents,
    "subtaskIDs": _with_subtasks,
}
_BY_TEXT: dict[str, Callable[[Install, User, set[str]], Matches]] = {
    "phids": lambda _, __, wanted: lambda task: task.phid in wanted,
    "authorPHIDs": lambda _, __, wanted: lambda task: task.author in wanted,
    "subscribers": lambda _, __, wanted: lambda task: bool(wanted & set(task.subscribers)),
    "columnPHIDs": lambda install, _, wanted: lambda task: bool(wanted & set(_columns(install, task).values())),
    "projects": _tagged,
    "assigned": _assigned,
    "statuses": _with_status,
}


def _columns(install: Install, task: Task) -> dict[str, str]:
    """The column of the task on each board it is on, by the PHID of the board."""
    found = {}
    for phid in task.projects:
        project = install.projects.get(phid)
        default = next((one.phid for one in project.columns if one.default), None) if project else None
        if default is not None:
            found[phid] = task.columns.get(phid, default)
    return found


def _row(install: Install, user: User, task: Task, attachments: list[str]) -> dict[str, Any]:
    status = by_key(STATUSES, "value", task.status)
    priority = by_key(PRIORITIES, "value", task.priority) or PRIORITIES[1]
    return {
        "id": task.number,
        "type": "TASK",
        "phid": task.phid,
        "fields": {
            "name": task.title,
            "description": {"raw": task.description},
            "authorPHID": task.author,
            "ownerPHID": task.owner,
            "status": {
                "value": task.status,
                "name": status["name"] if status else "Unknown Status",
                "color": None,
            },
            "priority": {key: priority[key] for key in ("value", "name", "color")},
            "points": None,
            "subtype": "default",
            "closerPHID": task.closer,
            "dateClosed": task.closed,
            "groupByProjectPHID": None,
            "spacePHID": None,
            "dateCreated": task.created,
            "dateModified": task.modified,
            "policy": {"view": task.view, "interact": task.interact, "edit": task.edit},
            "custom.external_reference": None,
        },
        "attachments": {name: _attachment(install, user, task, name) for name in attachments},
    }


def _attachment(install: Install, user: User, task: Task, name: str) -> dict[str, Any]:
    if name == "projects":
        return {"projectPHIDs": task.projects[::-1]}
    if name == "subscribers":
        return {
            "subscriberPHIDs": task.subscribers[::-1],
            "subscriberCount": len(task.subscribers),
            "viewerIsSubscribed": user.phid in task.subscribers,
        }
    boards: dict[str, Any] = {}
    for board, phid in _columns(install, task).items():
        number, column = install.column_numbers()[phid]
        boards[board] = {"columns": [{"id": number, "phid": phid, "name": column.name}]}
    return {"boards": boards or []}  # PHP writes an empty map as a list
