"""The pages. One blueprint a subject; a view parses, calls one service or query, and renders or redirects (303)."""

from flask import Flask

from cphub.web import (
    asking,
    assets,
    browse,
    committee,
    compression,
    current,
    errors,
    experts,
    home,
    inbox,
    me,
    offers,
    profile,
    queue,
    requests,
    roles,
    security,
    settings,
    sign_in,
    templating,
)


def init_app(app: Flask) -> None:
    """Register everything the pages need."""
    # What comes first here is done to an answer last.
    compression.init_app(app)
    security.init_app(app)
    current.init_app(app)
    templating.init_app(app)
    errors.init_app(app)
    assets.init_app(app)
    for blueprint in (
        home.bp,
        sign_in.bp,
        asking.bp,
        browse.bp,
        requests.bp,
        offers.bp,
        experts.bp,
        profile.bp,
        queue.bp,
        committee.bp,
        me.bp,
        inbox.bp,
        settings.bp,
        roles.bp,
    ):
        app.register_blueprint(blueprint)
