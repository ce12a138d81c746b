"""The invented people, profiles and requests of the demonstration, as data.

A request's story is told in steps: ``day`` counts from today (negative: past), and steps of one day happen in
the order written; ``by`` is who does it, the requester if nobody is named; ``do`` is a verb of the domain or one
of ``EXTRA_STEPS``; the other keys are what the verb needs. A reply to a question of the hub is the requester's
``answer`` without saying so.
"""

from importlib.resources import files
from typing import Any

import yaml

EXTRA_STEPS = frozenset(
    {"reply", "note", "edit_reply", "withdraw_reply", "add_team", "set_needs", "create_task", "link_task"}
)
"""What happens in stories beside the verbs of the domain."""

Data = dict[str, Any]
_HERE = files(__name__)


def _read(name: str) -> Any:
    return yaml.safe_load(_HERE.joinpath(name).read_text(encoding="utf-8"))


def people() -> list[Data]:
    """Everybody, with the fields explained in the file; ``id`` is how the other files name a person."""
    return list(_read("people.yaml"))


def experts() -> list[Data]:
    """The profiles; ``person`` is the ``id`` of their owner."""
    return list(_read("experts.yaml"))


def tasks() -> list[Data]:
    """Phabricator tasks that are there before the stories begin."""
    return list(_read("tasks.yaml"))


def requests() -> dict[str, Data]:
    """Requests by name, in the order in which they were sent; drafts come last."""
    names = sorted(entry.name for entry in _HERE.joinpath("requests").iterdir())
    return {name.removesuffix(".yaml"): _read(f"requests/{name}") for name in names if name.endswith(".yaml")}
