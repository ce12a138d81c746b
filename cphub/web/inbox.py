"""The inbox: what happened that concerns a person, newest first."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from cphub.models.queries import inbox as queries
from cphub.services import inbox
from cphub.web import current, forms
from cphub.web.paging import next_page
from cphub.web.security import is_local_path

bp = Blueprint("inbox", __name__)


@bp.get("/inbox")
@current.signed_in
def index() -> str:
    found = queries.inbox(current.viewer(), after=request.args.get("after"))
    return render_template("inbox/index.html", items=found.rows, next_page=next_page(found.next))


@bp.post("/inbox/read")
@current.signed_in
def read() -> Response:
    """Mark one item (``item``) or all of them (``item=all``) as read. Somebody blocked may do that, too."""
    item = forms.text("item")
    inbox.read(current.viewer(), item_id=None if item == "all" else forms.number("item") or 0)
    back = request.form.get("back", "")
    return redirect(back if is_local_path(back) and back.startswith("/inbox") else "/inbox", 303)
