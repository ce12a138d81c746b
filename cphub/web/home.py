"""The front page, the pages about the tool, and what machines ask."""

from flask import Blueprint, Response, jsonify, render_template

from cphub import clock
from cphub.hub import hub
from cphub.models.queries.health import health
from cphub.services.sweep import PARKED_LIFE

bp = Blueprint("home", __name__)

#: Pages that mean nothing to a search engine, or are made anew for each reader.
NOT_FOR_ROBOTS = ("/login", "/oauth/", "/me", "/inbox", "/queue", "/committee", "/api/", "/requests/new", "/*uselang=")


@bp.get("/")
def index() -> str:
    return render_template("home.html")


@bp.get("/privacy")
def privacy() -> str:
    return render_template("privacy.html", parked_days=PARKED_LIFE.days)


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers. Touches no database: its outage must not stop the pods that show the page about it."""
    return Response("", mimetype="text/plain")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Whether work can be done, for those who run the tool: 200, or 503 when the database or the worker is away."""
    state = health(clock.now())
    ready = all(state.values())
    return jsonify(ready=ready, **state), 200 if ready else 503


@bp.get("/toolinfo.json")
def toolinfo() -> Response:
    """The tool's entry in Toolhub, schema 1.2.2."""
    settings, english = hub().settings, hub().catalogue.speaker("en")
    return jsonify(
        {
            "$schema": "/toolinfo/1.2.2",
            "name": "toolforge-cphub",
            "title": english.text("common-tool-name"),
            "description": english.text("home-description"),
            "url": f"{settings.BASE_URL}/",
            "api_url": f"{settings.BASE_URL}/api/v1/openapi.json",
            "author": [{"name": "Wikimedia Content Partnerships Hub"}],
            "available_ui_languages": list(hub().catalogue.languages),
            "bugtracker_url": f"{settings.SOURCE_URL}/-/issues",
            "for_wikis": ["*"],
            "keywords": ["content partnerships", "GLAM", "helpdesk"],
            "license": "GPL-3.0-or-later",
            "privacy_policy_url": f"{settings.BASE_URL}/privacy",
            "repository": settings.SOURCE_URL,
            "technology_used": ["Flask", "Codex"],
            "tool_type": "web app",
        }
    )


@bp.get("/robots.txt")
def robots() -> Response:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_FOR_ROBOTS)]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")
