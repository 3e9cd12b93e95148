"""A production site in small: the servers with the settings of deploy/, least credentials, and the units' processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from models.migrate import newest
from tests.functional.deploy.units import Place, read, started
from tests.functional.installation import ROOT, eventually, free_port
from tests.integration.clusters import as_postgres
from tests.integration.servers import RABBITMQ, missing

DEPLOY = ROOT / "deploy"

PATIENCE = 240.0
"""Seconds that anything may take: seven processes start at once, and others use the machine."""


def run(*command: str, **options: Any) -> str:
    """Run a command that must succeed, and return what it wrote."""
    finished = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE, **{"cwd": ROOT} | options
    )
    assert finished.returncode == 0, f"{' '.join(command)}: {finished.stdout}{finished.stderr}"
    return finished.stdout


@contextmanager
def installed_wheel(folder: Path, *, source: Path = ROOT) -> Iterator[Path]:
    """Install the wheel of `source` into an environment of its own, and yield its folder of programs.

    The dependencies are those of the environment of the tests: the same lock file made both.
    """
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=source)
    environment = folder / "opt"
    run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = environment / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    run(
        "uv",
        "pip",
        "install",
        "--offline",
        "--no-deps",
        "--python",
        str(python),
        str(wheel),
        env=_with_our_programs(),
    )
    (packages,) = environment.glob("lib/python*/site-packages")
    (dependencies,) = {Path(path) for path in sys.path if path.endswith("site-packages")}
    # A path file adds a folder and runs none of the path files in it: the tree under test stays out.
    (packages / "dependencies.pth").write_text(f"{dependencies}\n", encoding="utf-8")
    yield python.parent


def next_version(folder: Path) -> Path:
    """Return the sources of a version that has one migration more than ours: it adds a table, a column and an index."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    migration = NEXT_STEP.format(before=newest(), step=STEP_AFTER)
    step = folder / "models" / "migrations" / "versions" / f"{STEP_AFTER}_next.py"
    step.write_text(migration, encoding="utf-8")
    return folder


STEP_AFTER = "9998"

NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "{step}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("additions", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("scans", sa.Column("addition", sa.String(10), nullable=True))
    op.add_column("packets", sa.Column("addition", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_scans_addition", "scans", ["addition"])
"""


def _with_our_programs() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@dataclass
class Service:
    """One process of a unit."""

    process: subprocess.Popen[bytes]
    log: Path
    notify: socket.socket

    def wait_until_ready(self) -> None:
        """Wait as systemd does for `Type=notify`."""
        self.notify.settimeout(0.05)

        def told() -> bool:
            assert self.process.poll() is None, self.said()
            try:
                return b"READY=1" in self.notify.recv(4096)
            except TimeoutError:
                return False

        eventually(told, patience=PATIENCE)

    def stop(self) -> bool:
        """Stop it as systemd does, and tell whether it ended as systemd wants it: by itself or by the signal."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE) in {0, -signal.SIGTERM}
        finally:
            self.notify.close()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


@dataclass
class Site:
    """Servers, settings and processes of one site."""

    name: str
    folder: Path
    place: Place
    host: str
    """Where the servers listen."""
    database_port: int
    broker: str
    """Address without user."""
    services: ExitStack = field(default_factory=ExitStack)
    socket_folder: Path | None = None
    """Where the administrator of PostgreSQL gets in."""

    def environment(self, unit: str, *, instance: str = "") -> dict[str, str]:
        """Return what a unit gives its process."""
        return started(unit, self.place, instance=instance)[1]

    def shabarman(self, *arguments: str, as_: str = "migrate", **options: Any) -> str:
        """Run a command of the installed program with the credential of a process."""
        environment = self.environment(f"shabarman-{as_}.service")
        return run(str(self.place.programs / "shabarman"), *arguments, env=environment, cwd="/", **options)

    def doctor(self, process: str) -> dict[str, Any]:
        """Ask the doctor with the credential of a process that has instances, and return the findings by check."""
        environment = self.environment(
            f"shabarman-{process}@.service", instance="" if process == "web" else "1"
        )
        asked = subprocess.run(
            [str(self.place.programs / "shabarman"), "doctor", "--json"],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        return {one["check"]: one for one in json.loads(asked.stdout)["findings"]}

    def renew(self, programs: Path) -> None:
        """Install another version: what is started from now on is of that one, and the tables are brought up to it."""
        self.place = replace(self.place, programs=programs)
        self.shabarman("migrate")

    def administrator(self) -> psycopg.Connection:
        """Connect to the database of the site as an administrator of the server."""
        return psycopg.connect(
            host=str(self.socket_folder),
            port=self.database_port,
            user="postgres",
            dbname=self.name,
            autocommit=True,
        )

    def start(self, unit: str, *, instance: str = "", pass_on: socket.socket | None = None) -> Service:
        """Start the process of a unit, and wait until it is ready; `pass_on` is the port of its socket unit."""
        service = self.begin(unit, instance=instance, pass_on=pass_on)
        service.wait_until_ready()
        return service

    def begin(
        self,
        unit: str,
        *,
        instance: str = "",
        pass_on: socket.socket | None = None,
        within: Sequence[str] = (),
    ) -> Service:
        """Start the process of a unit, and do not wait; `within` is a command that starts it somewhere else."""
        command, environment = started(unit, self.place, instance=instance)
        log = self.folder / f"{unit}.{instance}.{uuid4().hex[:4]}.log"
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A file with a short path: names without a file belong to one network namespace.
        address = Path(tempfile.gettempdir()) / f"sh-{uuid4().hex[:12]}"
        notify.bind(str(address))
        self.services.callback(address.unlink)
        environment |= {"NOTIFY_SOCKET": str(address)}
        handed: Sequence[int] = ()
        if pass_on is not None:
            handed = (pass_on.fileno(),)
            # As systemd does at each start; it counts for all processes that have the port.
            os.set_blocking(pass_on.fileno(), read(unit)["NonBlocking"] != ["yes"])
            line = f'exec 3<&{handed[0]}; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"'
            command = ["bash", "-c", line, "-", *command]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*within, *command],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=handed,
            )
        service = Service(process=process, log=log, notify=notify)
        self.services.callback(service.stop)
        return service

    def credentials(self, *districts: str) -> None:
        """Make the credentials, and put them where the servers and the units look for them."""
        options = [option for district in districts for option in ("--district", district)]
        made = self.folder / "credentials"
        run(
            str(self.place.programs / "shabarman"),
            "credentials",
            str(made),
            *("--name", self.name, "--database", f"postgresql://{self.host}:{self.database_port}"),
            *("--broker", self.broker, *options),
            env={"PATH": "/usr/bin", "SHABARMAN_LANGUAGE": "en"},
        )
        shutil.copytree(made / "environment", self.place.settings, dirs_exist_ok=True)

    def made(self, path: str) -> Path:
        """Return a file that `shabarman credentials` made."""
        return self.folder / "credentials" / path

    def address_of(self, user: str) -> str:
        """Return the address of the broker as one of its users has it."""
        passwords = json.loads(self.made("passwords.json").read_text(encoding="utf-8"))
        parts = urlsplit(self.broker)
        netloc = f"{self.name}_{user}:{passwords[f'{self.name}_{user}']}@{parts.netloc}"
        path = parts.path or f"/{self.name}"
        return urlunsplit(parts._replace(netloc=netloc, path=path))


@contextmanager
def postgresql(site: Site) -> Iterator[None]:
    """Run PostgreSQL with the settings of deploy/, and the roles of the site in it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("PostgreSQL's own programs (initdb)")
    programs = found[-1].parent
    # Not pytest's own folder, which the user postgres may not enter.
    folder = Path(tempfile.mkdtemp(prefix="sh-site-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    shutil.copy(DEPLOY / "postgresql" / "shabarman.conf", folder)
    # The tests sign in as an administrator through the socket; all others as in production.
    hba = (DEPLOY / "postgresql" / "pg_hba.conf").read_text(encoding="utf-8")
    (folder / "pg_hba.conf").write_text(f"local all all trust\n{hba}", encoding="utf-8")
    (folder / "log").touch()
    if os.geteuid() == 0:
        for path in (folder, data, folder / "log"):
            shutil.chown(path, "postgres", "postgres")
    as_postgres(
        str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--no-sync", "--no-locale"
    )
    # As Debian's conf.d, and less memory than a machine of its own has.
    more = f"include '{folder / 'shabarman.conf'}'\nshared_buffers = 64MB\nmaintenance_work_mem = 32MB\n"
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(more)
    site.socket_folder = folder
    options = (
        f"-p {site.database_port} -c listen_addresses={site.host} -c unix_socket_directories={folder} "
        f"-c hba_file={folder / 'pg_hba.conf'}"
    )
    control = (str(programs / "pg_ctl"), "-D", str(data), "-s")
    as_postgres(*control, "start", "-w", "-l", str(folder / "log"), "-o", options)
    try:
        run(
            "psql",
            *("-h", str(folder), "-p", str(site.database_port), "-U", "postgres", "-q"),
            *("-v", "ON_ERROR_STOP=1", "-f", str(site.made("postgresql/roles.sql")), "postgres"),
        )
        yield
    finally:
        as_postgres(*control, "stop", "-m", "immediate")
        shutil.rmtree(folder)


@contextmanager
def redis(site: Site) -> Iterator[None]:
    """Run Redis with the settings of deploy/, and the users of the site in it."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server in PATH")
    assert program is not None
    folder = site.folder / "redis"
    folder.mkdir()
    settings = (DEPLOY / "redis" / "redis.conf").read_text(encoding="utf-8")
    settings = settings.replace("/etc/redis/users.acl", str(site.made("redis/users.acl")))
    settings = settings.replace("port 6379", f"port {urlsplit(site.broker).port}")
    settings = settings.replace("bind 127.0.0.1 -::1", f"bind {site.host}")
    (folder / "redis.conf").write_text(f"{settings}\ndir {folder}\nlogfile ''\n", encoding="utf-8")
    process = subprocess.Popen(
        [program, str(folder / "redis.conf")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )

    def answers() -> bool:
        assert process.poll() is None
        try:
            with Redis.from_url(site.address_of("admin")) as client:
                return bool(client.ping())
        except RedisError:
            return False

    try:
        eventually(answers, patience=PATIENCE)
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def rabbitmq(site: Site) -> Iterator[None]:
    """Use the RabbitMQ of the machine with the definitions of the site in it."""
    control = shutil.which("rabbitmqctl") or "/usr/sbin/rabbitmqctl"
    if not Path(control).exists():
        missing("rabbitmqctl")
    definitions = site.made("rabbitmq/definitions.json").read_text(encoding="utf-8")
    users = ", ".join(f'<<"{user["name"]}">>' for user in json.loads(definitions)["users"])
    try:
        # From the input: the command runs as the user rabbitmq, who may not read our folder.
        run(control, "-q", "import_definitions", input=definitions)
        yield
    finally:
        # In one go: each order starts a virtual machine of its own.
        forget = f'[rabbit_auth_backend_internal:delete_user(User, <<"tests">>) || User <- [{users}]]'
        run(control, "-q", "eval", f'{forget}, rabbit_vhost:delete(<<"{site.name}">>, <<"tests">>).')


@contextmanager
def site(
    folder: Path, programs: Path, *, broker: str, districts: Sequence[str] = (), host: str = "127.0.0.1"
) -> Iterator[Site]:
    """Have a site with its servers for the time of a block; its tables are made, nothing of ours runs yet."""
    name = f"sh_{uuid4().hex[:8]}"
    address = f"redis://{host}:{free_port()}/0"
    if broker == "rabbitmq":
        parts = urlsplit(RABBITMQ)
        address = f"amqp://{parts.hostname}:{parts.port or 5672}"
    place = Place(programs=programs, settings=folder / "etc", state=folder / "var")
    place.settings.mkdir(parents=True)
    shared = place.here((DEPLOY / "environment" / "shabarman.env").read_text(encoding="utf-8"))
    own_port = f"SHABARMAN_FLOWER_PORT={free_port()}\n"
    (place.settings / "shabarman.env").write_text(shared + own_port, encoding="utf-8")
    made = Site(name=name, folder=folder, place=place, host=host, database_port=free_port(), broker=address)
    made.credentials(*districts)
    with postgresql(made), redis(made) if broker == "redis" else rabbitmq(made), made.services:
        made.shabarman("migrate")
        yield made
