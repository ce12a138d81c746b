"""Who may see, edit and answer a task, and the words in which the others are told."""

from .install import Install, Task, User
from .wire import CORE, ConduitError

_OWNER_PASSES = "The assignee of a task can always view and edit it."


def demand(install: Install, user: User, task: Task, capability: str) -> None:
    """Raise unless ``user`` may ``view``, ``edit`` or ``interact`` with the task."""
    policy = str(getattr(task, capability))
    if install.allows(policy, user, task):
        return
    name = "Restricted Maniphest Task" if capability == "view" else f"T{task.number}"
    raise ConduitError(
        CORE,
        f"[You Shall Not Pass: {name}] (Can {capability.title()}) "
        f"You do not have permission to {_VERBS[capability]} this object. // {_who(install, policy)}",
    )


_VERBS = {"view": "view", "edit": "edit", "interact": "interact with"}


def _who(install: Install, policy: str) -> str:
    if policy == "no-one":
        return "By default, no one can take this action."
    user = install.users.get(policy)
    named = f"{user.name} ({user.real_name})" if user else "Administrators"
    return f"{named} can take this action. {_OWNER_PASSES}"
