"""``transaction.search``: what happened to one task, or to all visible ones, newest first."""

from typing import Any

from .install import Install, Task, Transaction, User, Version
from .paging import Place, cursor_of, cut_page
from .permissions import demand
from .wire import CORE, Call, ConduitError, echo_limit, read_list, read_mapping, read_number, read_text

DEFAULT_SIZE = 100  # and, unlike with maniphest.search, any greater one may be asked for


def history(install: Install, user: User, call: Call) -> dict[str, Any]:
    identifier, kind = call.value("objectIdentifier"), call.value("objectType")
    if identifier is None and kind is None:
        raise ConduitError(
            "ERR-INVALID-PARAMETER",
            'Must specify either parameter "objectType" or parameter "objectIdentifier".',
        )
    tasks = install.visible(user) if identifier is None else [_find(install, user, str(identifier))]
    seen = {task.phid for task in tasks}
    rows = [one for one in reversed(install.transactions) if one.task in seen]
    constraints = read_mapping(call.value("constraints"))
    if unknown := [name for name in constraints if name not in ("phids", "authorPHIDs")]:
        raise ConduitError("ERR-CONDUIT-CALL", f"Got unexpected parameters: {', '.join(unknown)}")
    for name, value in constraints.items():
        wanted = read_list(name, value, call, read_text)
        rows = [one for one in rows if (one.phid if name == "phids" else one.author) in wanted]
    asked = call.value("limit")
    size = DEFAULT_SIZE if asked is None else read_number("limit", asked, call)
    page = cut_page(rows, size, _place(install, user, call))
    return {
        "data": [_row(one) for one in page.rows],
        "cursor": cursor_of(page, DEFAULT_SIZE if asked is None else echo_limit(asked), lambda one: one.id),
    }


def _find(install: Install, user: User, identifier: str) -> Task:
    """By PHID or T-number. Only the PHID tells a hidden task from an absent one."""
    if task := install.tasks.get(identifier):
        demand(install, user, task, "view")
        return task
    if identifier[:1] in ("T", "t") and identifier[1:].isdecimal():
        task = install.task(int(identifier[1:]))
        if task is not None and install.allows(task.view, user, task):
            return task
    raise ConduitError("ERR-INVALID-OBJECT-PHID", 'Specified "objectIdentifier" does not exist.')


def _place(install: Install, user: User, call: Call) -> Place[Transaction] | None:
    for name in ("after", "before"):
        text = str(call.value(name) or "0")
        if text == "0":
            continue
        one = next((one for one in install.transactions if str(one.id) == text), None)
        if one is None:
            raise ConduitError(
                CORE,
                f'Cursor "{text}" does not identify a valid object in query "ManiphestTransactionQuery".',
            )
        demand(install, user, install.tasks[one.task], "view")
        return Place(lambda one: -one.id, -one.id, backwards=name == "before")
    return None


def _row(one: Transaction) -> dict[str, Any]:
    return {
        "id": one.id,
        "phid": one.phid,
        "type": one.type,
        "authorPHID": one.author,
        "objectPHID": one.task,
        "dateCreated": one.at,
        "dateModified": one.versions[-1].at if one.versions else one.at,
        "groupID": one.group,
        "comments": [_comment(number, version) for number, version in reversed(list(enumerate(one.versions, 1)))],
        "fields": one.fields,
    }


def _comment(number: int, version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "phid": version.phid,
        "version": number,
        "authorPHID": version.author,
        "dateCreated": version.at,
        "dateModified": version.at,
        "removed": version.removed,
        "content": {"raw": version.text},
    }
