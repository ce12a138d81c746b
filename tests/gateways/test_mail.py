"""Mail: what is composed survives any server, and each answer of a server is understood."""

import email
import socket
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from cphub.gateways.mail import FolderMailer, MailLater, MailRefused, SmtpMailer, compose


class Inbox:
    """A mail server that answers as it is told and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.rcpt = self.data = "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.data.startswith("250"):
            self.taken.append(envelope)
        return self.data


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[SmtpMailer]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, enable_SMTPUTF8=False)
    controller.start()
    yield SmtpMailer("127.0.0.1", port, timeout=5)
    controller.stop()


def a_mail(**values: str) -> EmailMessage:
    given = {
        "sender": "cphub@localhost",
        "to": "a@example.org",
        "subject": "Hello",
        "text": "Hi\n",
        "message_id": "1@x",
    }
    return compose(**given | values)


def test_smtp_takes_a_mail_in_any_script(smtp: SmtpMailer, inbox: Inbox) -> None:
    smtp.send(a_mail(subject="[Request 7] வரைபடம்", text="こんにちは\n" * 3, language="ja"))
    (envelope,) = inbox.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("cphub@localhost", ["a@example.org"])
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == "[Request 7] வரைபடம்"
    assert message["Message-ID"] == "<1@x>"
    assert message.get_content().split() == ["こんにちは"] * 3


@pytest.mark.parametrize("at", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("450 try later", MailLater),
        ("452 too many", MailLater),
        ("550 no such user", MailRefused),
        ("554 no", MailRefused),
    ],
)
def test_4xx_is_tried_again_and_5xx_is_not(
    smtp: SmtpMailer, inbox: Inbox, at: str, answer: str, error: type[Exception]
) -> None:
    setattr(inbox, at, answer)
    with pytest.raises(error) as failed:
        smtp.send(a_mail())
    assert getattr(failed.value, "permanent") is (error is MailRefused)  # noqa: B009
    assert answer[:3] in str(failed.value)


def test_the_address_is_not_in_the_error(smtp: SmtpMailer, inbox: Inbox) -> None:
    inbox.rcpt = "550 <a@example.org>: unknown"
    with pytest.raises(MailRefused) as failed:
        smtp.send(a_mail())
    assert "a@example.org" not in str(failed.value)


def test_an_address_the_server_cannot_write_is_given_up(smtp: SmtpMailer) -> None:
    with pytest.raises(MailRefused):
        smtp.send(a_mail(to="用户@example.org"))


def test_no_server_means_later() -> None:
    with pytest.raises(MailLater):
        SmtpMailer("127.0.0.1", 9, timeout=1).send(a_mail())


@pytest.mark.parametrize("header", ["to", "subject", "sender", "message_id"])
def test_a_line_break_in_a_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed|invalid"):
        a_mail(**{header: "a@example.org\r\nBcc: b@example.org"})


def test_a_folder_keeps_one_file_a_mail_and_nothing_outside_it(tmp_path: Path) -> None:
    FolderMailer(tmp_path / "mail").send(a_mail(message_id="../../up@x"))
    assert [p.parent for p in tmp_path.rglob("*.eml")] == [tmp_path / "mail"]
