"""One's own page: what waits on a person, what they asked for, what they help with, and their data to take away."""

import json

from flask import Blueprint, Response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from cphub.errors import NotFound
from cphub.models.queries import me as queries
from cphub.models.queries.export import export
from cphub.services import requests
from cphub.web import current, forms

bp = Blueprint("me", __name__)


@bp.get("/me")
@current.signed_in
def index() -> str:
    return render_template("me/index.html", mine=queries.mine(current.viewer()))


@bp.post("/me/drafts/<key>/discard")
@current.writes
def discard(key: str) -> AnyResponse:
    """Throw a draft away. One that is gone already is as it should be."""
    try:
        requests.discard(current.viewer(), key)
    except NotFound:
        pass
    else:
        forms.tell("me-told-discarded")
    return redirect("/me", 303)


@bp.get("/me/data.json")
@current.signed_in
def data() -> Response:
    """Everything the hub keeps of a person, as a file."""
    text = json.dumps(export(current.viewer()), ensure_ascii=False, indent=2)
    return Response(
        text + "\n",
        mimetype="application/json",
        headers={"Content-Disposition": 'attachment; filename="cphub-my-data.json"', "Cache-Control": "no-store"},
    )
