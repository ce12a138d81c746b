"""What people see of the small Phabricator: its tasks, and a form to answer one as an invented engineer."""

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from .edit import edit
from .install import PRIORITIES, STATUSES, Install, Task, by_key
from .wire import Call, ConduitError

if TYPE_CHECKING:
    from . import PhabricatorSandbox

pages = Blueprint(
    "phabricator",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/sandbox-phabricator",
)


@pages.get("/")
def tasks() -> str:
    install = _install()
    with install.lock:
        rows = [_shown(install, task) for task in sorted(install.tasks.values(), key=lambda task: -task.number)]
    return render_template("sandbox_phabricator/tasks.html", tasks=rows)


@pages.route("/api/", methods=["GET", "POST"])
def not_conduit() -> str:
    """The path without a method answers a page, with HTTP 200: a client must not take that for an answer."""
    return render_template("sandbox_phabricator/tasks.html", tasks=[])


@pages.get("/T<int:number>")
def task(number: int) -> str:
    install = _install()
    with install.lock:
        found = install.task(number) or abort(404)
        return _page(install, found, None)


@pages.post("/T<int:number>")
def answer(number: int) -> Response | tuple[str, int]:
    install = _install()
    wanted = {name: request.form.get(name, "") for name in ("status", "comment")}
    changes = [{"type": name, "value": value} for name, value in wanted.items() if value]
    with install.lock:
        found = install.task(number) or abort(404)
        engineer = install.user(request.form.get("engineer", "")) or abort(400)
        try:
            edit(
                install,
                engineer,
                Call({"objectIdentifier": number, "transactions": changes}, "", strict=True),
            )
        except ConduitError as error:
            return _page(install, found, error.info), 400
    return redirect(url_for("phabricator.task", number=number), 303)


def _install() -> Install:
    return cast("PhabricatorSandbox", current_app).install


def _page(install: Install, task: Task, error: str | None) -> str:
    people = [user for user in install.users.values() if not user.bot and not user.disabled]
    return render_template(
        "sandbox_phabricator/task.html",
        task=_shown(install, task),
        lines=[line for one in install.history(task) for line in _lines(install, one.author, one)],
        people=people,
        statuses=STATUSES,
        error=error,
    )


def _shown(install: Install, task: Task) -> dict[str, Any]:
    status, priority = by_key(STATUSES, "value", task.status), by_key(PRIORITIES, "value", task.priority)
    tags = [install.projects[phid].name for phid in task.projects if phid in install.projects]
    return {
        "number": task.number,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "status_name": status["name"] if status else "Unknown Status",
        "priority": priority["name"] if priority else task.priority,
        "owner": _name(install, task.owner),
        "author": _name(install, task.author),
        "subscribers": [_name(install, phid) for phid in task.subscribers],
        "projects": tags,
    }


def _lines(install: Install, author: str, one: Any) -> list[dict[str, str]]:
    who = _name(install, author)
    if one.type == "comment":
        newest = one.versions[-1]
        return [{"who": who, "text": "(removed)" if newest.removed else newest.text}]
    if one.type == "status":
        return [{"who": who, "change": f"{one.fields['old']} → {one.fields['new']}"}]
    return []


def _name(install: Install, phid: str | None) -> str:
    user = install.users.get(phid or "")
    return user.real_name if user else "nobody"
