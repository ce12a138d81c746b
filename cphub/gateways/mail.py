"""Sending mail: by SMTP, or into a folder for local runs. Called by the worker only."""

import smtplib
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from cphub.errors import GatewayError


class MailRefused(GatewayError):
    """The server will never take this mail (SMTP 5xx)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class MailLater(GatewayError):
    """The server does not take mail now: over its limit, or not there (SMTP 4xx, no connection)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


class Mailer(Protocol):
    """Anything that can send one mail. Raises MailRefused or MailLater."""

    def send(self, message: EmailMessage) -> None: ...


def compose(
    *,
    sender: str,
    to: str,
    subject: str,
    text: str,
    message_id: str,
    thread: str | None = None,
    language: str = "en",
) -> EmailMessage:
    """A plain-text mail. ``message_id`` and ``thread`` (of the first mail of the conversation) without brackets.

    A line break in a header raises ValueError: the standard library's policy refuses it.
    """
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{message_id}>"
    if thread:
        message["In-Reply-To"] = message["References"] = f"<{thread}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message["Content-Language"] = language  # last, for setting the content clears every header of that group
    return message


class SmtpMailer:
    """Mail by SMTP, one connection a mail: the worker sends few."""

    def __init__(self, host: str, port: int, *, timeout: float = 20.0) -> None:
        self._host, self._port, self._timeout = host, port, timeout

    def send(self, message: EmailMessage) -> None:
        try:
            with smtplib.SMTP(self._host, self._port, timeout=self._timeout) as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = next(iter(refused.recipients.values()))
            raise _by_code(code, text) from None
        except smtplib.SMTPResponseException as refused:
            raise _by_code(refused.smtp_code, refused.smtp_error) from None
        except smtplib.SMTPNotSupportedError:  # an address in another script, and a server that knows only ASCII
            raise MailRefused("the server cannot take this address") from None
        except (OSError, smtplib.SMTPException) as lost:
            raise MailLater(type(lost).__name__) from lost


def _by_code(code: int, text: bytes | str) -> GatewayError:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    # A server may repeat the address; what is logged must not hold one.
    said = " ".join(word for word in said.split() if "@" not in word)[:200]
    return (MailRefused if code >= 500 else MailLater)(f"{code} {said}")


class FolderMailer:
    """Mail as files, one each, named by its Message-ID: sending twice writes the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").replace("/", "_")
        (self._folder / f"{name}.eml").write_bytes(message.as_bytes())
