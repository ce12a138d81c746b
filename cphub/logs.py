"""Logging: one line on standard error for each message, with every known secret masked.

Secrets should not get near a log at all. This is the second wall, for those inside an exception of a library,
an address or a traceback.
"""

import logging
import sys

from cphub.config import Settings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MASK = "***"
#: Masking shorter texts would take pieces out of ordinary words, and nothing so short is a secret.
SHORTEST = 6


class Scrub(logging.Filter):
    """Masks secrets in the message, the traceback and the stack of every record that passes. Never drops one."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: frozenset[str] = frozenset()

    def add(self, settings: Settings) -> None:
        """Learn the secrets of one more app; two apps in one process share the log."""
        self._secrets |= {secret for secret in settings.secrets() if len(secret) >= SHORTEST}

    def mask(self, text: str) -> str:
        # The longest first, because a secret may contain another one.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def filter(self, record: logging.LogRecord) -> bool:
        if self._secrets:
            record.msg, record.args = self.mask(record.getMessage()), ()
            if record.exc_info and not record.exc_text:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = self.mask(record.exc_text) if record.exc_text else record.exc_text
            record.stack_info = self.mask(record.stack_info) if record.stack_info else record.stack_info
        return True


_scrub = Scrub()


def set_up(settings: Settings) -> None:
    """Log to standard error from ``LOG_LEVEL`` up. Calling it again adds the other app's secrets."""
    _scrub.add(settings)
    root = logging.getLogger()
    if not root.handlers:
        stderr = logging.StreamHandler(sys.stderr)
        stderr.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(stderr)
    logging.getLogger("cphub").setLevel(settings.LOG_LEVEL)
    # gunicorn and werkzeug have handlers of their own.
    for name in ("", "gunicorn.error", "gunicorn.access", "werkzeug"):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(_scrub)  # does nothing when it is there already
