"""The Phabricator task of a request: what it would say, ordering it, linking another, unlinking."""

from flask import redirect, render_template, request

from cphub.domain.policy import Act
from cphub.domain.task_text import TaskText
from cphub.errors import Conflict, Invalid, NotFound
from cphub.models import db
from cphub.services import requests, tasks
from cphub.web import current, errors, forms
from cphub.web.forms import Form
from cphub.web.requests.blueprint import bp
from cphub.web.requests.page import Answer, Tried, find


@bp.get("/requests/<int:number>/task")
@current.signed_in
def task(number: int) -> str:
    requests.find(current.viewer(), number, Act.LINK_TASK)
    typed = Form((name, value) for name, values in errors.typed().items() for value in values)
    return _page(number, Tried("task", typed))


@bp.post("/requests/<int:number>/task")
@current.writes
def change(number: int) -> Answer:
    """Order it, link another, or unlink; the worker does the rest."""
    viewer, act = current.viewer(), forms.text("do")
    try:
        if act == "order":
            tasks.order(viewer, number)
        elif act == "link":
            tasks.link(viewer, number, forms.text("task"))
        elif act == "unlink":
            tasks.unlink(viewer, number)
        else:
            raise NotFound
    except Invalid as invalid:
        db.session.rollback()
        return _page(number, Tried("task", request.form, invalid.fields)), 422
    except Conflict as conflict:
        db.session.rollback()
        return _page(number, Tried("task", request.form, {}, conflict.message)), 409
    forms.tell(f"tasks-page-{act}-done")
    return redirect(f"/requests/{number}#task", 303)


def _page(number: int, tried: Tried) -> str:
    page = find(current.viewer(), number)
    text: TaskText | None = None
    against = None
    if page.task is None:
        try:
            text = tasks.preview(current.viewer(), number)
        except Invalid as invalid:
            against = invalid.fields["task"]
    return render_template("requests/task.html", page=page, tried=tried, task_text=text, against=against)
