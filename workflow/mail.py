"""The e-mail notice: its words, and how it is given to the mail server. No name and no IIN of an applicant is in it."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from config.clock import local
from config.errors import SettingsError, UnavailableError
from config.language import Text
from config.services import service

PATIENCE = 4.0
"""Seconds that any one answer of the mail server may take; a task with ten letters stays under its time limit."""

SUBJECT = Text("Packet {number}: the result is ready")
BODY = Text(
    "The result of packet {number} has arrived at your centre.\n\n"
    "Service: {service}\n\n"
    "Take it from the accumulation section and hand it over to the applicant against the receipt, "
    "within this working day.\n\n"
    "This letter was written by Shabarman. Please do not answer it."
)

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class MailServerError(UnavailableError):
    """The mail server does not answer or refuses the letter. Facts: `cause`, an SMTP code or a kind of failure."""

    code = "mail_server"
    text = Text(
        "The mail server does not answer or refuses the letter ({cause}). Check SHABARMAN_SMTP_URL and the "
        "address of the member of staff; then replay the message."
    )


class MailAddressError(SettingsError):
    """SHABARMAN_SMTP_URL is missing or cannot be used."""

    code = "mail_settings"
    text = Text(
        "Set SHABARMAN_SMTP_URL to `smtp://[user:password@]host:port`, or smtps:// for TLS from the start."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What one e-mail notice says and to whom."""

    key: str
    """Unguessable and the same in every repeat; becomes the Message-ID, by which mail servers know a repeat."""
    to: str
    language: str
    number: str
    service: str | None
    at: datetime


def compose(letter: Letter, *, sender: str) -> EmailMessage:
    """Return the e-mail of a letter in the language of the member of staff."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = letter.to
    mail["Subject"] = SUBJECT.render(letter.language, number=letter.number)
    mail["Date"] = format_datetime(local(letter.at))
    mail["Message-ID"] = f"<{letter.key}@{sender.rpartition('@')[2].strip('>') or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(
        BODY.render(letter.language, number=letter.number, service=_service_name(letter)), cte="base64"
    )
    return mail


def _service_name(letter: Letter) -> str:
    if not letter.service:
        return "–"
    held = service(letter.service)
    # Services have their names from the regulation: in Kazakh as printed, and in Russian.
    return held.name_ru if letter.language == "ru" else held.name_kk


def send(mail: EmailMessage, *, smtp_url: str) -> None:
    """Give `mail` to the mail server at `smtp_url`; return only when the server has taken it over.

    Raises MailServerError when it did not; it may have taken it all the same if the connection broke at the very
    end. Raises MailAddressError for an address that cannot be used.
    """
    _at_server(smtp_url, lambda server: server.send_message(mail))


def knock(*, smtp_url: str) -> None:
    """Ask the mail server whether it takes us; nothing is sent. Errors as in `send`."""
    _at_server(smtp_url, lambda server: server.noop())


def _at_server(smtp_url: str, work: Callable[[smtplib.SMTP], object]) -> None:
    address = urlsplit(smtp_url)
    if address.scheme not in {"smtp", "smtps"} or not address.hostname:
        raise MailAddressError
    try:
        with _connect(address.scheme, address.hostname, address.port) as server:
            if address.scheme == "smtp" and address.hostname not in _LOOPBACK and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if address.username:
                server.login(unquote(address.username), unquote(address.password or ""))
            work(server)
    except smtplib.SMTPRecipientsRefused as error:
        # The error holds the address of the recipient: only the server's codes are kept.
        codes = ", ".join(str(code) for code, _ in error.recipients.values())
        raise MailServerError(cause=codes) from None
    except smtplib.SMTPResponseException as error:
        raise MailServerError(cause=str(error.smtp_code)) from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailServerError(cause=type(error).__name__) from None


def _connect(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port or 465, timeout=PATIENCE, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port or 25, timeout=PATIENCE)
    server.ehlo_or_helo_if_needed()
    return server
