"""The methods that only look something up: people, projects, columns, and the fixed lists."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .install import PRIORITIES, STATUSES, Column, Install, Project, User
from .paging import cursor_of, cut_page
from .wire import Call, ConduitError, read_list, read_mapping, read_page_size, read_text

Row = TypeVar("Row")
_Numbered = tuple[int, Row]


def whoami(install: Install, user: User, _call: Call) -> dict[str, Any]:
    return {
        "phid": user.phid,
        "userName": user.name,
        "realName": user.real_name,
        "image": f"{install.base_url}/file/{user.name}.png",
        "uri": f"{install.base_url}/p/{user.name}/",
        "roles": [
            *(["agent"] if user.bot else ["admin"] if user.admin else []),
            "verified",
            "approved",
            "activated",
        ],
        "primaryEmail": f"{user.name}@example.invalid",
    }


def ping(_install: Install, _user: User, _call: Call) -> str:
    return "sandbox"


def capabilities(_install: Install, _user: User, _call: Call) -> dict[str, list[str]]:
    return {
        "authentication": ["token", "asymmetric", "session", "sessionless", "oauth"],
        "signatures": ["consign"],
        "input": ["json", "urlencoded"],
        "output": ["json", "human"],
    }


def statuses(_install: Install, _user: User, _call: Call) -> dict[str, Any]:
    return {"data": list(STATUSES)}


def priorities(_install: Install, _user: User, _call: Call) -> dict[str, Any]:
    return {"data": list(PRIORITIES)}


def old_statuses(_install: Install, _user: User, _call: Call) -> dict[str, Any]:
    numbered = dict(enumerate(STATUSES))
    return {
        "defaultStatus": "open",
        "defaultClosedStatus": "resolved",
        "duplicateStatus": "duplicate",
        "openStatuses": [row["value"] for row in STATUSES if not row["closed"]],
        # A filtered PHP list keeps its keys, and so is written as an object.
        "closedStatuses": {str(key): row["value"] for key, row in numbered.items() if row["closed"]},
        "allStatuses": [row["value"] for row in STATUSES],
        "statusMap": {row["value"]: row["name"] for row in STATUSES},
    }


def users(install: Install, _user: User, call: Call) -> dict[str, Any]:
    rows = list(enumerate(install.users.values(), start=1))[::-1]
    for name, value in read_mapping(call.value("constraints")).items():
        match name:
            case "usernames":
                wanted = {text.lower() for text in read_list(name, value, call, read_text)}
                rows = [row for row in rows if row[1].name.lower() in wanted]
            case "phids":
                wanted = set(read_list(name, value, call, read_text))
                rows = [row for row in rows if row[1].phid in wanted]
            case "nameLike":
                start = read_text(name, value, call).lower()
                rows = [row for row in rows if row[1].name.lower().startswith(start)]
            case _:
                raise _unknown("constraints")
    attachments = _attachments(call, ("availability",))
    return _page(call, rows, lambda number, user: _user_row(install, number, user, attachments))


def _user_row(install: Install, number: int, user: User, attachments: Sequence[str]) -> dict[str, Any]:
    available = {
        "value": "available",
        "until": None,
        "name": "Available",
        "color": "green",
        "eventPHID": None,
    }
    flags = [name for name in ("disabled", "bot", "admin") if getattr(user, name)]
    return {
        "id": number,
        "type": "USER",
        "phid": user.phid,
        "fields": {
            "username": user.name,
            "realName": user.real_name,
            "roles": [*flags, "verified", "approved", *([] if user.disabled else ["activated"])],
            "dateCreated": install.started,
            "dateModified": install.started,
            "policy": {"view": "public", "edit": "admin" if user.bot else "no-one"},
        },
        "attachments": dict.fromkeys(attachments, available),
    }


def projects(install: Install, user: User, call: Call) -> dict[str, Any]:
    query, slugs = call.value("queryKey"), {}
    visible = (one for one in enumerate(install.projects.values(), 1) if one[1].view in ("users", "public", user.phid))
    rows = sorted((row for row in visible if not row[1].archived), key=lambda row: row[1].name)
    if query == "active":
        rows = [row for row in rows if row[1].parent is None]
    for name, value in read_mapping(call.value("constraints")).items():
        match name:
            case "slugs":
                wanted = read_list(name, value, call, read_text)
                rows = [row for row in rows if row[1].slug in wanted]
                slugs = {row[1].slug: {"slug": row[1].slug, "projectPHID": row[1].phid} for row in rows}
            case "phids":
                wanted = read_list(name, value, call, read_text)
                rows = [row for row in rows if row[1].phid in wanted]
            case "name":
                start = read_text(name, value, call)
                rows = [row for row in rows if start in (row[1].name, row[1].parent)]
            case _:
                raise _unknown("constraints")
    attachments = _attachments(call, ("members", "watchers", "ancestors"))
    result = _page(call, rows, lambda number, project: _project_row(install, number, project, attachments))
    return result | {"maps": {"slugMap": slugs}}


def _project_row(install: Install, number: int, project: Project, attachments: Sequence[str]) -> dict[str, Any]:
    parent = install.project(project.parent) if project.parent else None
    icon = ("milestone", "Milestone", "fa-map-marker") if parent else ("project", "Project", "fa-briefcase")
    people = (install.user(name) for name in project.members)
    attached = {"members": [{"phid": one.phid} for one in people if one], "watchers": [], "ancestors": []}
    return {
        "id": number,
        "type": "PROJ",
        "phid": project.phid,
        "fields": {
            "name": project.name,
            "slug": project.slug,
            "subtype": "default",
            "milestone": 1 if parent else None,
            "depth": 1 if parent else 0,
            "parent": _reference(install, parent) if parent else None,
            "icon": dict(zip(("key", "name", "icon"), icon, strict=True)),
            "color": {"key": "blue", "name": "Blue"},
            "status": "archived" if project.archived else "active",
            "spacePHID": None,
            "dateCreated": install.started,
            "dateModified": install.started,
            "policy": {"view": project.view, "edit": "users", "join": "users"},
            "description": project.description,
        },
        "attachments": {name: {name: attached[name]} for name in attachments},
    }


def _reference(install: Install, project: Project) -> dict[str, Any]:
    return {"id": list(install.projects).index(project.phid) + 1, "phid": project.phid, "name": project.name}


def columns(install: Install, _user: User, call: Call) -> dict[str, Any]:
    numbers = install.column_numbers()
    rows = [(numbers[c.phid][0], (project, c)) for project in install.projects.values() for c in project.columns]
    rows.sort(key=lambda row: -row[0])
    for name, value in read_mapping(call.value("constraints")).items():
        if name not in ("projects", "phids"):
            raise _unknown("constraints")
        wanted = read_list(name, value, call, read_text)
        rows = [row for row in rows if row[1][name == "phids"].phid in wanted]
    return _page(call, rows, lambda number, pair: _column_row(install, number, *pair))


def _column_row(install: Install, number: int, project: Project, column: Column) -> dict[str, Any]:
    milestone = install.project(column.proxy) if column.proxy else None
    return {
        "id": number,
        "type": "PCOL",
        "phid": column.phid,
        "fields": {
            "name": column.name,
            "proxyPHID": milestone.phid if milestone else None,
            "project": _reference(install, project),
            "isHidden": column.hidden,
            "isDefaultColumn": column.default,
            "sequence": project.columns.index(column),
            "dateCreated": install.started,
            "dateModified": install.started,
            "policy": {"view": "public", "edit": "users"},
        },
        "attachments": {},
    }


def _page(call: Call, rows: Sequence[_Numbered[Row]], shape: Callable[[int, Row], Any]) -> dict[str, Any]:
    size, echoed = read_page_size(call)
    start = next((index for index, row in enumerate(rows, 1) if str(row[0]) == str(call.value("after"))), 0)
    page = cut_page(rows[start:], size, None)
    return {
        "data": [shape(*row) for row in page.rows],
        "maps": {},
        "query": {"queryKey": call.value("queryKey")},
        "cursor": cursor_of(page, echoed, lambda row: row[0]) | {"order": call.value("order")},
    }


def _attachments(call: Call, known: Sequence[str]) -> list[str]:
    named = list(read_mapping(call.value("attachments")))
    if any(name not in known for name in named):
        raise _unknown("attachments")
    return named


def _unknown(what: str) -> ConduitError:
    return ConduitError(f"ERR-INVALID-{what[:-1].upper()}", f'Parameter "{what}" includes an invalid key.')
