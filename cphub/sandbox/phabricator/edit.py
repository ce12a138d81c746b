"""``maniphest.edit``: try all transactions on a copy of the task, and keep the copy only if all passed."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from .draft import Draft
from .install import Install, Task, User
from .permissions import demand
from .wire import CORE, Call, ConduitError, check_utf8, read_list, read_mapping, read_text

TEXTS = ("title", "owner", "status", "priority", "description", "view", "edit", "comment")
_VERBS = ("add", "remove", "set")
LISTS = tuple(f"{name}.{verb}" for name in ("parents", "projects", "subscribers") for verb in _VERBS)
TYPES = (
    "parent, column, space, title, owner, status, priority, description, "
    "parents.add, parents.remove, parents.set, subtasks.add, subtasks.remove, subtasks.set, "
    "commits.add, commits.remove, commits.set, view, edit, projects.add, projects.remove, projects.set, "
    "subscribers.add, subscribers.remove, subscribers.set, subtype, comment, mfa"
)
_READ_ONLY = (
    'Unable to establish a write-mode connection (to application database "phabricator_maniphest") because '
    "this server is in read-only mode. "
    "Whatever you are trying to do does not function correctly in read-only mode."
)


def edit(install: Install, user: User, call: Call) -> dict[str, Any]:
    if install.read_only:
        raise ConduitError(CORE, _READ_ONLY)
    identifier = call.value("objectIdentifier")
    task = None if identifier is None else find_task(install, user, str(identifier))
    changes = [_read(key, change, call) for key, change in _listed(call).items()]
    if task is None:
        draft = Draft(install, user, install.blank_task(user.phid), creating=True)
    else:
        draft = Draft(install, user, deepcopy(task), creating=False)
    for kind, value in changes:
        draft.apply(kind, value)
    draft.check()
    if task is not None:
        for kind, _ in changes:
            if not kind.startswith("subscribers."):
                demand(install, user, task, "interact" if kind == "comment" else "edit")
    draft.finish()
    phids = draft.commit()
    return {
        "object": {"id": draft.task.number, "phid": draft.task.phid},
        "transactions": [{"phid": phid} for phid in phids],
    }


def find_task(install: Install, user: User, identifier: str) -> Task:
    """By number, T-number (either case) or PHID; raises unless it is there and visible."""
    bare = identifier[1:] if identifier[:1] in "Tt" else identifier
    task = install.task(int(bare)) if bare.isdecimal() else install.tasks.get(identifier)
    if task is not None:
        demand(install, user, task, "view")
        return task
    if identifier.isdecimal():
        raise ConduitError(CORE, f'No object exists with ID "{identifier}".')
    if identifier.startswith("PHID-"):
        raise ConduitError(CORE, f'No object exists with PHID "{identifier}".')
    raise ConduitError(CORE, f'Monogram "{identifier}" does not identify a valid object.')


def _listed(call: Call) -> dict[str, Mapping[str, Any]]:
    listed = call.value("transactions")
    if not isinstance(listed, list | dict):
        raise ConduitError(CORE, 'Parameter "transactions" is not a list of transactions.')
    changes = read_mapping(listed)
    for key, change in changes.items():
        for name in ("type", "value"):
            if not isinstance(change, dict) or name not in change:
                raise ConduitError(
                    CORE,
                    'Parameter "transactions" must contain a list of transaction descriptions, '
                    f'but item with key "{key}" is missing a "{name}" field. '
                    f"Each transaction must have a {name} field.",
                )
    return changes


def _read(key: str, change: Mapping[str, Any], call: Call) -> tuple[str, Any]:
    kind, value = str(change["type"]), change["value"]
    if kind not in TYPES.split(", "):
        told = f"This type is not recognized. Valid types are: {TYPES}."
        raise ConduitError(CORE, f'Transaction with key "{key}" has invalid type "{kind}". {told}')
    try:
        if kind == "column" or kind in LISTS:
            return kind, read_list("value", value, call, read_text) if value != [] else []
        if kind not in TEXTS:
            raise ConduitError(CORE, "This small Phabricator does not know how.")
        if kind == "owner" and value is None:
            return kind, None
        return kind, check_utf8(read_text("value", value, call))
    except ConduitError as error:
        raise ConduitError(
            error.code,
            error.info
            if error.info.startswith("Attempting")
            else f'Exception when processing transaction of type "{kind}": {error.info}',
        ) from None
