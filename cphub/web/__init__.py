"""The pages. One blueprint a subject; a view parses, calls one service or query, and renders or redirects (303)."""

from flask import Flask

from cphub.web import current, errors, home, security, templating


def init_app(app: Flask) -> None:
    """Register everything the pages need."""
    security.init_app(app)
    current.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    for blueprint in (home.bp,):
        app.register_blueprint(blueprint)
