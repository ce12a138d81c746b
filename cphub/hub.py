"""What belongs to one running app and not to the process: settings, clock, messages and the ways to the world.

Two apps in one process have two of these, so nothing of it may be kept in a module.
"""

from dataclasses import dataclass

from flask import current_app

from cphub.clock import Clock
from cphub.config import Settings
from cphub.gateways.mail import Mailer
from cphub.gateways.phabricator import Phabricator
from cphub.gateways.wiki import WikiSignIn
from cphub.gateways.wiki_api import WikiApi
from cphub.i18n import Catalogue


@dataclass(frozen=True, slots=True)
class Hub:
    """``phabricator`` is None when no token is configured: then there are no tasks."""

    settings: Settings
    clock: Clock
    catalogue: Catalogue
    sign_in: WikiSignIn
    wiki: WikiApi
    phabricator: Phabricator | None
    mailer: Mailer


def hub() -> Hub:
    """The current app's."""
    found: Hub = current_app.extensions["cphub"]
    return found
