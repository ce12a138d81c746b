"""The agenda of the Expert Committee. Decisions are made on the page of each request."""

from flask import Blueprint, render_template

from cphub.models.queries.committee import agenda
from cphub.web import current

bp = Blueprint("committee", __name__)


@bp.get("/committee")
@current.signed_in
def index() -> str:
    return render_template("committee.html", agenda=agenda(current.viewer()))
