"""The front page, the pages about the tool, and what machines ask."""

from flask import Blueprint, Response, render_template

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> str:
    return render_template("home.html")


@bp.get("/privacy")
def privacy() -> str:
    return render_template("privacy.html")


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers. Touches no database: its outage must not stop the pods that show the page about it."""
    return Response("", mimetype="text/plain")
