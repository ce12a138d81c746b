"""cphub: the helpdesk of the Wikimedia Content Partnerships Hub. ``create_app`` puts the floors together."""

from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from cphub import clock as clocks
from cphub import config, jobs, logs, web
from cphub.config import Settings
from cphub.gateways.mail import FolderMailer, Mailer, SmtpMailer
from cphub.gateways.phabricator import Phabricator
from cphub.gateways.wiki import WikiSignIn
from cphub.gateways.wiki_api import WikiApi
from cphub.hub import Hub
from cphub.i18n import Catalogue
from cphub.models import db
from cphub.models.engine import engine_options

#: ``templates/``, ``static/`` and ``migrations/`` lie beside the package, not in it.
ROOT = Path(__file__).resolve().parent.parent


def create_app(overrides: Mapping[str, object] | None = None, *, clock: clocks.Clock | None = None) -> Flask:
    """A complete app. ``overrides``: configuration that wins over file and environment; ``clock``: for tests.

    Raises config.ConfigError, which names the key, for a configuration that cannot work.
    """
    settings = config.load(overrides)
    logs.set_up(settings)
    app = Flask(
        "cphub",
        root_path=str(ROOT),
        instance_path=str(settings.INSTANCE.resolve()),
        template_folder="templates",
        static_folder="static",
    )
    app.config.update(_flask_keys(settings))
    app.extensions["cphub"] = _hub(settings, clock or clocks.system)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    web.init_app(app)
    jobs.init_app(app)
    if settings.PROXIES:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=0, x_proto=settings.PROXIES, x_host=settings.PROXIES
        )
    return app


def _flask_keys(settings: Settings) -> dict[str, object]:
    secure = settings.BASE_URL.startswith("https:")
    return {
        "SECRET_KEY": settings.SECRET_KEY.reveal(),
        "SQLALCHEMY_DATABASE_URI": settings.SQLALCHEMY_DATABASE_URI.reveal(),
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings),
        "MAX_CONTENT_LENGTH": 1_000_000,
        "MAX_FORM_MEMORY_SIZE": 500_000,
        "SESSION_COOKIE_NAME": "__Host-cphub" if secure else "cphub",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        # Strict would drop the session on the way back from the wiki.
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": settings.SESSION_DAYS * 86_400,
        "WTF_CSRF_TIME_LIMIT": None,
        "SEND_FILE_MAX_AGE_DEFAULT": 31_536_000,
    }


def _hub(settings: Settings, clock: clocks.Clock) -> Hub:
    phabricator = None
    if settings.PHABRICATOR_TOKEN:
        phabricator = Phabricator(
            settings.PHABRICATOR_URL,
            settings.PHABRICATOR_TOKEN.reveal(),
            user_agent=settings.user_agent,
            timeout=settings.HTTP_TIMEOUT,
        )
    mailer: Mailer = FolderMailer(settings.MAIL_FOLDER)
    if settings.MAIL_HOST:
        mailer = SmtpMailer(settings.MAIL_HOST, settings.MAIL_PORT)
    return Hub(
        settings=settings,
        clock=clock,
        catalogue=Catalogue.load(),
        sign_in=WikiSignIn(
            settings.WIKI_INDEX_URL,
            settings.OAUTH_CONSUMER_KEY,
            settings.OAUTH_CONSUMER_SECRET.reveal(),
            settings.user_agent,
            settings.HTTP_TIMEOUT,
        ),
        wiki=WikiApi(settings.WIKI_API_URL, settings.user_agent, settings.HTTP_TIMEOUT),
        phabricator=phabricator,
        mailer=mailer,
    )
