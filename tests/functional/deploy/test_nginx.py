"""nginx with the file of deploy/: TLS, live events at once, limits."""

import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.functional.deploy.site import DEPLOY, Site, run
from tests.functional.installation import eventually, free_port
from tests.integration.servers import missing

NOTICE = """
    WITH message AS (
        INSERT INTO messages (type, queue, subject, cause, body, state, attempts, publications, done_at)
        VALUES ('result.ready', 'centre.aksu', '10012600000159', 'nginx', '{}', 'done', 1, 1, now()) RETURNING id
    )
    INSERT INTO notices (message_id, office, type, subject, data)
    SELECT id, '1001', 'result.ready', '10012600000159', '{}' FROM message
"""

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]


class Proxy:
    """A running nginx before the pages of a site."""

    def __init__(self, folder: Path, pages: int) -> None:
        self.folder, self.secure, self.plain = folder, free_port(), free_port()
        self.certificate = folder / "certificate.pem"
        run(
            "openssl",
            *(
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=office.example.kz",
            ),
            *("-addext", "subjectAltName=DNS:office.example.kz"),
            *("-keyout", str(folder / "key.pem"), "-out", str(self.certificate)),
        )
        settings = (DEPLOY / "nginx" / "shabarman.conf").read_text(encoding="utf-8")
        for there, here in (
            ("/etc/ssl/shabarman", str(folder)),
            ("listen [::]:443 ssl http2;", ""),
            ("listen [::]:80;", ""),
            ("listen 443 ", f"listen 127.0.0.1:{self.secure} "),
            ("listen 80;", f"listen 127.0.0.1:{self.plain};"),
            ("server 127.0.0.1:8000 ", f"server 127.0.0.1:{pages} "),
        ):
            assert there in settings, there
            settings = settings.replace(there, here)
        (folder / "site.conf").write_text(settings, encoding="utf-8")
        places = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{places}include {folder}/site.conf;\n}}\n",
            encoding="utf-8",
        )

    @contextmanager
    def ask(self, path: str, *, headers: dict[str, str] | None = None) -> Iterator[http.client.HTTPResponse]:
        """Ask over TLS, by the name in the certificate, and keep the connection for the time of a block."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPConnection("office.example.kz")
        with (
            socket.create_connection(("127.0.0.1", self.secure), timeout=30) as plain,
            trust.wrap_socket(plain, server_hostname="office.example.kz") as secure,
        ):
            connection.sock = secure
            connection.request("GET", path, headers=headers or {})
            with connection.getresponse() as answer:
                yield answer


@pytest.fixture
def proxy(redis_site: Site, tmp_path: Path) -> Iterator[Proxy]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        missing("nginx")
    assert program is not None
    with socket.create_server(("127.0.0.1", 0)) as port:
        redis_site.start("shabarman-web@.service", instance="1", pass_on=port)
        made = Proxy(tmp_path, port.getsockname()[1])
        run(program, "-t", "-c", str(tmp_path / "nginx.conf"))
        process = subprocess.Popen([program, "-c", str(tmp_path / "nginx.conf")])
        try:
            eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(encoding="ascii"))
            yield made
        finally:
            process.terminate()
            process.wait()
            redis_site.services.close()


def test_pages_over_tls_events_at_once_and_nothing_for_strangers(proxy: Proxy, redis_site: Site) -> None:
    # What comes without TLS is sent to where there is.
    plain = http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=30)
    plain.request("GET", "/sign-in", headers={"Host": "office.example.kz"})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, "https://office.example.kz/sign-in")
    plain.close()

    # The pages know that they are asked over TLS.
    with proxy.ask("/sign-in") as answer:
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"]
    # The figures are for the machine itself, and the test asks from there.
    with proxy.ask("/metrics") as answer:
        assert answer.status == 200

    token = token_of(redis_site, "inspector.nginx")
    with proxy.ask("/api/v1/events", headers={"Authorization": f"Bearer {token}"}) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        # The stream goes on for minutes: whoever held it back would not have given us anything yet.
        assert events.read1(100).startswith(b"retry: 3000")
        with redis_site.administrator() as connection:
            connection.execute(NOTICE)
        told = b""
        while b"event: notice" not in told:
            piece = events.read1(4096)
            assert piece, told
            told += piece
        assert b"10012600000159" in told


def token_of(site: Site, login: str) -> str:
    """Enter an inspector of the centre of Ақсу, and return a token."""
    site.shabarman(
        "staff",
        *("add", login, "--name", "Inspector", "--office", "1001", "--role", "inspector", "--password-stdin"),
        input="correct horse battery\n",
    )
    return site.shabarman("token", login).strip()
